/* The order of names in a collection.
 * Knows bytes; no store, no record, no request. The rule is the design's:
 * numbers of a sequence by their value, then the others by their bytes. */
#include "condreq_name.h"

#include <string.h>

#include "apr_lib.h"
#include "apr_strings.h"

int condreq_name_is_number(const char *name, apr_size_t length)
{
    apr_size_t i;

    if (length == 0 || length > CONDREQ_NAME_DIGITS_MAX ||
        (name[0] == '0' && length > 1))
        return 0;
    for (i = 0; i < length; i++)
        if (!apr_isdigit(name[i]))
            return 0;
    return 1;
}

apr_size_t condreq_name_place(char *bytes, const char *name, apr_size_t length)
{
    if (!condreq_name_is_number(name, length)) {
        memcpy(bytes, name, length);
        return length;
    }
    bytes[0] = '\0';
    bytes[1] = (char)length;
    memcpy(bytes + 2, name, length);
    return length + 2;
}

const char *condreq_place_name(const char *bytes, apr_size_t length,
                               apr_pool_t *pool)
{
    if (length > 2 && bytes[0] == '\0')
        return apr_pstrmemdup(pool, bytes + 2, length - 2);
    return apr_pstrmemdup(pool, bytes, length);
}

int condreq_place_compare(const char *a, apr_size_t a_length, const char *b,
                          apr_size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);

    return order ? order : (a_length > b_length) - (a_length < b_length);
}

condreq_place_t condreq_place_behind(const char *name, apr_pool_t *pool)
{
    apr_size_t length = strlen(name);
    char *bytes = apr_palloc(pool, length + 3);
    condreq_place_t place = {bytes, condreq_name_place(bytes, name, length)};

    if (length > 0 && name[length - 1] == '/')
        bytes[length - 1]++;
    else
        bytes[place.length++] = '\0';
    return place;
}

/* The smallest number of some digits that begins with the prefix. */
static condreq_place_t first_of(const char *prefix, apr_size_t prefix_length,
                                apr_size_t digits, apr_pool_t *pool)
{
    char *bytes = apr_palloc(pool, digits + 2);
    condreq_place_t place = {bytes, digits + 2};

    bytes[0] = '\0';
    bytes[1] = (char)digits;
    memcpy(bytes + 2, prefix, prefix_length);
    memset(bytes + 2 + prefix_length, '0', digits - prefix_length);
    return place;
}

static int is_before(const condreq_place_t *a, const condreq_place_t *b)
{
    return condreq_place_compare(a->bytes, a->length, b->bytes, b->length) < 0;
}

/* Takes `first`, or `from` where that is later and still among those that
 * begin like it. */
static int take_later(condreq_place_t *place, const condreq_place_t *first,
                      apr_size_t alike, const condreq_place_t *from)
{
    if (is_before(from, first))
        *place = *first;
    else if (from->length >= alike && !memcmp(from->bytes, first->bytes, alike))
        *place = *from;
    else
        return 0;
    return 1;
}

int condreq_place_with_prefix(condreq_place_t *place, const char *prefix,
                              const condreq_place_t *from, apr_pool_t *pool)
{
    condreq_place_t first = {prefix, strlen(prefix)};
    apr_size_t digits = first.length, longest = CONDREQ_NAME_DIGITS_MAX;

    if (first.length == 0) {
        *place = *from;
        return 1;
    }
    if (*prefix == '0')
        longest = 1;
    if (!condreq_name_is_number(prefix, first.length))
        longest = 0;
    for (; digits <= longest; digits++) {
        condreq_place_t number = first_of(prefix, first.length, digits, pool);

        if (take_later(place, &number, 2 + first.length, from))
            return 1;
    }
    return take_later(place, &first, first.length, from);
}
