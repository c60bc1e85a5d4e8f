/* Strings and times as they stand in answers.
 * Knows RFC 8259 section 7 and RFC 3339; no store. */
#include "condreqctl.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "apr_strings.h"

/* What is not ASCII is said byte by byte, since it need not be UTF-8. */
const char *ctl_json_string(const char *text, apr_pool_t *pool)
{
    char *string = apr_palloc(pool, 6 * strlen(text) + 3), *to = string;

    *to++ = '"';
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            *to++ = '\\';
        if (*text >= ' ' && *text < 0x7f)
            *to++ = *text;
        else
            to += sprintf(to, "\\u%04x", (unsigned)(unsigned char)*text);
    }
    *to++ = '"';
    *to = '\0';
    return string;
}

const char *ctl_time(apr_time_t time_us, apr_pool_t *pool)
{
    time_t seconds = (time_t)apr_time_sec(time_us);
    struct tm parts;

    gmtime_r(&seconds, &parts);
    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
                        parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                        parts.tm_hour, parts.tm_min, parts.tm_sec,
                        (int)apr_time_usec(time_us));
}
