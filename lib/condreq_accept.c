/* Accept, as far as it chooses between JSON and NDJSON.
 * Knows RFC 9110 section 12.5.1 and 12.4.2; no request. */
#include "condreq_accept.h"

#include <string.h>
#include <strings.h>

/* How much a media range says, the most exact first. */
typedef enum exactness_t { NOT_NAMED, BY_ANY, BY_TYPE, BY_NAME } exactness_t;

/* The best that was said of one media type. */
typedef struct liking_t {
    exactness_t exactness;
    /** a thousandth is 1 */
    int quality;
} liking_t;

/* Behind a list element, whose quoted strings may hold commas. */
static const char *element_end(const char *at)
{
    int quoted = 0;

    for (; *at && (quoted || *at != ','); at++) {
        if (*at == '"')
            quoted = !quoted;
        else if (quoted && *at == '\\' && at[1])
            at++;
    }
    return at;
}

/* qvalue = 0 to 1 with three digits; what is none counts as 1. */
static int read_quality(const char *at, const char *end)
{
    int quality, place = 100;

    if (at == end || (*at != '0' && *at != '1'))
        return 1000;
    quality = (*at++ - '0') * 1000;
    if (at != end && *at == '.')
        at++;
    for (; at != end && *at >= '0' && *at <= '9' && place; place /= 10)
        quality += (*at++ - '0') * place;
    return quality > 1000 ? 1000 : quality;
}

static int quality_of(const char *element, const char *end)
{
    const char *at;

    for (at = element; at < end; at++) {
        if (*at != ';')
            continue;
        do
            at++;
        while (at < end && (*at == ' ' || *at == '\t'));
        if (end - at > 2 && (*at == 'q' || *at == 'Q') && at[1] == '=')
            return read_quality(at + 2, end);
        at--;
    }
    return 1000;
}

static exactness_t range_names(const char *range, size_t length,
                               const char *type)
{
    size_t slash = (size_t)(strchr(type, '/') - type) + 1;

    if (length == strlen(type) && !strncasecmp(range, type, length))
        return BY_NAME;
    if (length == slash + 1 && range[slash] == '*' &&
        !strncasecmp(range, type, slash))
        return BY_TYPE;
    return length == 3 && !strncmp(range, "*/*", 3) ? BY_ANY : NOT_NAMED;
}

static liking_t liking_of(const char *accept, const char *type)
{
    liking_t liking = {NOT_NAMED, 0};
    const char *at, *end;

    for (at = accept; *at; at = *end ? end + 1 : end) {
        exactness_t exactness;

        at += strspn(at, " \t,");
        end = element_end(at);
        exactness = range_names(at, strcspn(at, "; \t,"), type);
        if (exactness > liking.exactness) {
            liking.exactness = exactness;
            liking.quality = quality_of(at, end);
        }
    }
    return liking;
}

int condreq_accept_is_ndjson(const char *accept)
{
    liking_t lines, json;

    if (!accept)
        return 0;
    lines = liking_of(accept, CONDREQ_NDJSON_TYPE);
    json = liking_of(accept, "application/json");
    if (lines.exactness != BY_NAME || lines.quality == 0)
        return 0;
    return lines.quality > json.quality ||
           (lines.quality == json.quality && json.exactness != BY_NAME);
}
