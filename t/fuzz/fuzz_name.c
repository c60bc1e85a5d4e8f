/* Any two names and a prefix, separated by NULs: places give names back, are in
 * one order, and a walk from place to place misses neither name. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "apr_general.h"
#include "condreq_name.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static apr_pool_t *pool;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    apr_initialize();
    return apr_pool_create(&pool, NULL);
}

static condreq_place_t place_of(const char *name)
{
    char *bytes = apr_palloc(pool, strlen(name) + 2);
    condreq_place_t place = {bytes,
                             condreq_name_place(bytes, name, strlen(name))};

    if (strcmp(condreq_place_name(place.bytes, place.length, pool), name) != 0)
        abort();
    return place;
}

static int compare(const condreq_place_t *a, const condreq_place_t *b)
{
    return condreq_place_compare(a->bytes, a->length, b->bytes, b->length);
}

/* From a place at or before a name's, the name is not stepped over. */
static void check_found(const condreq_place_t *from, const char *name,
                        const char *prefix)
{
    condreq_place_t place = place_of(name), at;

    if (strncmp(name, prefix, strlen(prefix)) != 0 || compare(from, &place) > 0)
        return;
    if (!condreq_place_with_prefix(&at, prefix, from, pool) ||
        compare(&at, &place) > 0 || compare(&at, from) < 0)
        abort();
}

/* Behind a name is behind that name alone, and what is in it. */
static void check_behind(const char *name, const char *other)
{
    condreq_place_t behind = condreq_place_behind(name, pool);
    condreq_place_t place = place_of(name), of_other = place_of(other);
    size_t length = strlen(name);

    if (compare(&place, &behind) >= 0)
        abort();
    if (compare(&place, &of_other) < 0 && compare(&of_other, &behind) < 0 &&
        !(name[length - 1] == '/' && !strncmp(name, other, length)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    condreq_place_t beginning = {"", 0}, behind;
    const char *one, *other, *prefix;
    char *text = malloc(size + 3);

    memcpy(text, bytes, size);
    memset(text + size, 0, 3);
    one = text;
    other = one + strlen(one) + 1;
    prefix = other <= text + size ? other + strlen(other) + 1 : other;
    if (*one && other <= text + size && *other && prefix <= text + size + 2) {
        check_found(&beginning, one, prefix);
        behind = condreq_place_behind(other, pool);
        check_found(&behind, one, prefix);
        check_behind(one, other);
        check_behind(other, one);
    }
    apr_pool_clear(pool);
    free(text);
    return 0;
}
