/* The names of a collection's members, and their order: what its sequence
 * gave comes first, 1 2 10 and not 1 10 2, then all others byte by byte. A
 * member that is a collection has a slash at the end of its name.
 * Knows bytes; no store, no record, no request. */
#ifndef CONDREQ_NAME_H
#define CONDREQ_NAME_H

#include "apr_pools.h"

/** Digits that a name may have and still count as a number. */
#define CONDREQ_NAME_DIGITS_MAX 20

/** A place among the names of a collection: bytes that compare as the names
 * do. A name that is a number is a NUL, the count of its digits and the
 * digits; every other name, which has no NUL, is itself. */
typedef struct condreq_place_t {
    const char *bytes;
    apr_size_t length;
} condreq_place_t;

/** Is the name one that a sequence writes: digits, and none needless before
 * the others? */
int condreq_name_is_number(const char *name, apr_size_t length);

/** The place of a name.
 * @param bytes  room for length + 2
 * @return how many it takes */
apr_size_t condreq_name_place(char *bytes, const char *name, apr_size_t length);

/** The name at a place; the reverse of condreq_name_place(). */
const char *condreq_place_name(const char *bytes, apr_size_t length,
                               apr_pool_t *pool);

/** memcmp() over two places, the shorter first where one begins the other. */
int condreq_place_compare(const char *a, apr_size_t a_length, const char *b,
                          apr_size_t b_length);

/** The first place behind a name, and behind whatever is in it where it is a
 * collection. */
condreq_place_t condreq_place_behind(const char *name, apr_pool_t *pool);

/**
 * The first place, from one on, at which a name with this prefix may stand.
 * Names with one prefix stand together but for numbers, which stand by the
 * count of their digits.
 * @return 0 where there is none behind it
 */
int condreq_place_with_prefix(condreq_place_t *place, const char *prefix,
                              const condreq_place_t *from, apr_pool_t *pool);

#endif
