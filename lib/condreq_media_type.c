/* Media types, RFC 9110 section 8.3.1: which of them are JSON.
 * Knows their names; no field, no document. */
#include "condreq_media_type.h"

#include <string.h>
#include <strings.h>

#define JSON_SUFFIX "+json"

static int is(const char *type, size_t length, const char *name)
{
    return length == strlen(name) && !strncasecmp(type, name, length);
}

/* "application/json ; charset=utf-8": the type and subtype alone. */
static size_t essence_length(const char *media_type)
{
    return strcspn(media_type, "; \t");
}

int condreq_media_type_is(const char *media_type, const char *name)
{
    return is(media_type, essence_length(media_type), name);
}

int condreq_media_type_is_json(const char *media_type)
{
    size_t length = essence_length(media_type);
    size_t suffix = strlen(JSON_SUFFIX);

    if (is(media_type, length, CONDREQ_MERGE_PATCH_TYPE) ||
        is(media_type, length, CONDREQ_JSON_PATCH_TYPE))
        return 0;
    return is(media_type, length, CONDREQ_JSON_TYPE) ||
           (length > suffix &&
            is(media_type + length - suffix, suffix, JSON_SUFFIX));
}
