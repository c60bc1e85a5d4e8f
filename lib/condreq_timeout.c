/* The Timeout field: a list of wishes, the first of which counts.
 * Knows bytes and seconds; no lock, clock or request.
 * Rules: RFC 4918 section 10.7, and RFC 9110 section 5.6.1 for its list. */
#include "condreq_timeout.h"

#include <string.h>
#include <strings.h>

#include "apr_lib.h"

/* Digits of whatever number, never above the maximum: section 10.7 forbids
 * more than 2^32-1, and a client that sends it wants a long time, not a short
 * one by wrapping round. */
static const char *read_seconds(const char *digits, apr_uint32_t max_s,
                                apr_uint32_t *seconds)
{
    apr_uint64_t value = 0;

    for (; apr_isdigit(*digits); digits++) {
        value = value * 10 + (apr_uint64_t)(*digits - '0');
        if (value > max_s)
            value = max_s;
    }
    *seconds = (apr_uint32_t)value;
    return digits;
}

static int ends_element(const char *cursor)
{
    cursor += strspn(cursor, " \t");
    return !*cursor || *cursor == ',';
}

/* TimeType = ("Second-" DAVTimeOutVal | "Infinite") */
static int read_element(const char *element, apr_uint32_t max_s,
                        apr_uint32_t *seconds)
{
    if (!strncasecmp(element, "Infinite", 8) && ends_element(element + 8)) {
        *seconds = max_s;
        return 1;
    }
    return !strncasecmp(element, "Second-", 7) && apr_isdigit(element[7]) &&
           ends_element(read_seconds(element + 7, max_s, seconds));
}

apr_uint32_t condreq_timeout_s(const char *value, apr_uint32_t default_s,
                               apr_uint32_t max_s)
{
    apr_uint32_t seconds = default_s;
    const char *element = value ? value : "";

    while (*(element += strspn(element, " \t,"))) {
        if (read_element(element, max_s, &seconds))
            break;
        seconds = default_s;
        element += strcspn(element, ",");
    }
    if (seconds > max_s)
        seconds = max_s;
    return seconds ? seconds : 1;
}
