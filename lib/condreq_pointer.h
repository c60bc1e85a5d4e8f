/* JSON Pointer, RFC 6901: a JSON string's text, split into reference tokens.
 * Not installed. */
#ifndef CONDREQ_POINTER_H
#define CONDREQ_POINTER_H

#include "apr_pools.h"

/** One reference token as a JSON string with its quotes, so that it is compared
 * with members' names and can become one. ~0 and ~1 are ~ and / in it; what
 * else was escaped, as JSON has it, is as it was sent. */
typedef struct condreq_pointer_token_t {
    const char *text;
    apr_size_t length;
} condreq_pointer_token_t;

typedef struct condreq_pointer_t {
    const condreq_pointer_token_t *tokens;
    /** 0: the whole document */
    apr_size_t count;
} condreq_pointer_t;

/**
 * Splits a pointer, RFC 6901 section 3.
 * @param string  a valid JSON string with its quotes; / and ~ may themselves be
 *                written as escapes in it
 * @return NULL, or why it is no pointer: a constant phrase, no full stop
 */
const char *condreq_pointer_parse(condreq_pointer_t *pointer,
                                  const char *string, apr_size_t length,
                                  apr_pool_t *pool);

/** Do all of a's tokens stand at b's beginning? Also where they are equal. */
int condreq_pointer_begins(const condreq_pointer_t *a,
                           const condreq_pointer_t *b);

/** What a token is in an array, RFC 6901 section 4. */
typedef enum condreq_pointer_place_t {
    CONDREQ_POINTER_INDEX,
    /** "-", behind the last element */
    CONDREQ_POINTER_END,
    CONDREQ_POINTER_NOWHERE
} condreq_pointer_place_t;

/**
 * @param index  is set on INDEX; what no integer holds is the greatest
 *               apr_size_t, which no array reaches
 */
condreq_pointer_place_t
condreq_pointer_index(apr_size_t *index, const condreq_pointer_token_t *token);

#endif
