/* Keys on a command line and in a listing: as they would stand in a URL.
 * Knows percent-encoding (RFC 3986 section 2.1), and the two escapes that stand
 * in a key itself, "%25" and "%2F"; no store. */
#include "condreqctl.h"

#include <stdlib.h>
#include <string.h>

#include "apr_lib.h"

static int is_plain(char byte)
{
    return byte > ' ' && byte < 0x7f && byte != '"' && byte != '\\';
}

const char *ctl_key_written(const char *key, apr_pool_t *pool)
{
    static const char digits[] = "0123456789ABCDEF";
    char *written = apr_palloc(pool, 3 * strlen(key) + 1), *to = written;

    for (; *key; key++) {
        if (is_plain(*key)) {
            *to++ = *key;
            continue;
        }
        *to++ = '%';
        *to++ = digits[(unsigned char)*key >> 4];
        *to++ = digits[(unsigned char)*key & 15];
    }
    *to = '\0';
    return written;
}

/* @return the byte that an escape stands for; 0 where it is none */
static char escaped(const char *written)
{
    char digits[3] = {0};

    if (!apr_isxdigit(written[1]) || !apr_isxdigit(written[2]))
        return 0;
    memcpy(digits, written + 1, 2);
    return (char)strtol(digits, NULL, 16);
}

const char *ctl_key_read(const char *written, apr_pool_t *pool)
{
    char *key = apr_pcalloc(pool, strlen(written) + 1), *to = key;

    for (; *written; written++) {
        char byte = *written;

        if (byte == '%' && !(byte = escaped(written)))
            return NULL;
        *to++ = byte;
        if (*written != '%')
            continue;
        if (byte == '%' || byte == '/') {
            to[-1] = '%';
            *to++ = '2';
            *to++ = byte == '%' ? '5' : 'F';
        }
        written += 2;
    }
    return strlen(key) <= CONDREQ_KEY_MAX ? key : NULL;
}
