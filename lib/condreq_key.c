/* Keys and the paths in them.
 * Knows URI syntax (RFC 3986 sections 2 and 3.3); no store, no request. */
#include "condreq_key.h"

#include <string.h>

#include "apr_lib.h"
#include "apr_strings.h"

const char *condreq_path_escape_percent(const char *path, apr_pool_t *pool)
{
    apr_size_t signs = 0;
    const char *from;
    char *escaped, *to;

    for (from = path; (from = strchr(from, '%')) != NULL; from++)
        signs++;
    if (!signs)
        return path;
    to = escaped = apr_palloc(pool, strlen(path) + 2 * signs + 1);
    for (from = path; *from; from++) {
        *to++ = *from;
        if (*from == '%') {
            *to++ = '2';
            *to++ = '5';
        }
    }
    *to = '\0';
    return escaped;
}

char *condreq_path_double_percent(const char *path, apr_pool_t *pool)
{
    char *doubled = apr_palloc(pool, 2 * strlen(path) + 1);
    char *to = doubled;

    while (*path) {
        if (!strncmp(path, "%25", 3)) {
            memcpy(to, "%2525", 5);
            to += 5;
            path += 3;
        }
        else {
            *to++ = *path++;
        }
    }
    *to = '\0';
    return doubled;
}

int condreq_path_is_collection(const char *path)
{
    apr_size_t length = strlen(path);

    return length > 0 && path[length - 1] == '/';
}

/* No host's name has a slash in it. */
apr_size_t condreq_key_namespace_length(const char *key)
{
    return strcspn(key, "/");
}

const char *condreq_key_path(const char *key)
{
    return key + condreq_key_namespace_length(key);
}

const char *condreq_key_parent(const char *key, apr_pool_t *pool)
{
    const char *path = condreq_key_path(key);
    apr_size_t length = strlen(path);

    if (length < 2)
        return NULL;
    /* A collection's own slash is not the one before its name. */
    length--;
    while (path[length - 1] != '/')
        length--;
    return apr_pstrmemdup(pool, key, (apr_size_t)(path - key) + length);
}

const char *condreq_path_last_segment(const char *path, apr_pool_t *pool)
{
    const char *slash = strrchr(path, '/');
    const char *from = slash ? slash + 1 : path;
    char *segment = apr_palloc(pool, strlen(from) + 1);
    char *to = segment;

    for (; *from; from++) {
        if (!strncmp(from, "%25", 3) || !strncmp(from, "%2F", 3)) {
            *to++ = from[2] == '5' ? '%' : '/';
            from += 2;
        }
        else {
            *to++ = *from;
        }
    }
    *to = '\0';
    return segment;
}

/* pchar of RFC 3986, the slash between segments, and the percent sign, which
 * in a key already begins an escape. */
static int stands_as_it_is(unsigned char c)
{
    return apr_isalnum(c) || (c && strchr("-._~!$&'()*+,;=:@/%", c));
}

const char *condreq_path_uri(const char *path, apr_pool_t *pool)
{
    static const char hex[] = "0123456789ABCDEF";
    char *uri = apr_palloc(pool, 3 * strlen(path) + 3);
    char *to = uri;
    const char *from = path;

    /* "//host" would be a network-path reference (section 4.2). */
    if (from[0] == '/' && from[1] == '/') {
        *to++ = '/';
        *to++ = '.';
    }
    for (; *from; from++) {
        unsigned char c = (unsigned char)*from;

        if (stands_as_it_is(c)) {
            *to++ = *from;
        }
        else {
            *to++ = '%';
            *to++ = hex[c >> 4];
            *to++ = hex[c & 15];
        }
    }
    *to = '\0';
    return uri;
}
