/* The If field of WebDAV: read, and decided.
 * Knows the syntax of RFC 4918 section 10.4; whether a resource has a state is
 * its caller's to say. No pool but for the parsed lists, no store, no request. */
#ifndef CONDREQ_IF_H
#define CONDREQ_IF_H

#include "condreq_etag.h"

/** Lists, and conditions in all of them, that one field may hold: each may cost
 * a look into the store. */
#define CONDREQ_IF_LISTS_MAX 64
#define CONDREQ_IF_CONDITIONS_MAX 256

/** [ "Not" ] ( State-token | "[" entity-tag "]" ) */
typedef struct condreq_if_condition_t {
    int negated;
    /** the URI between the angle brackets, not NUL-terminated; NULL where the
     * condition is an entity-tag */
    const char *token;
    apr_size_t token_length;
    condreq_etag_t etag;
} condreq_if_condition_t;

/** "(" 1*Condition ")", all of which must hold. */
typedef struct condreq_if_list_t {
    /** the Resource-Tag that it stands behind, without the angle brackets,
     * NUL-terminated; NULL where the list is about the request's own URI */
    const char *resource_tag;
    const condreq_if_condition_t *conditions;
    apr_size_t count;
} condreq_if_list_t;

/** The whole field: one of its lists must hold. */
typedef struct condreq_if_t {
    /** the field was sent, be it empty */
    int given;
    const condreq_if_list_t *lists;
    apr_size_t count;
} condreq_if_t;

typedef enum condreq_if_syntax_t {
    /** well-formed, or not sent */
    CONDREQ_IF_GOOD,
    /** 400 */
    CONDREQ_IF_MALFORMED,
    /** more lists or conditions than anybody needs: 400 as well */
    CONDREQ_IF_TOO_MANY
} condreq_if_syntax_t;

/** What a resource's state is, as far as conditions go. */
typedef struct condreq_if_state_t {
    /** opaque_tag is NULL where it has no entity-tag, or is not there */
    condreq_etag_t etag;
    /** see condreq_representation_t */
    const char *const *coding_suffixes;
    /** the tokens of the locks that it is in the scope of, NULL-terminated */
    const char *const *tokens;
} condreq_if_state_t;

/**
 * Reads the field, RFC 4918 section 10.4.2: untagged lists, or tagged ones,
 * never both.
 * @param parsed  is set whole; it points into the value, and holds nothing but
 *                given where the value is not good
 * @param value   the field's value, NULL where it was not sent; repeated fields
 *                joined with commas are malformed, since it is no list
 * @param pool    for the lists
 */
condreq_if_syntax_t condreq_if_parse(condreq_if_t *parsed, const char *value,
                                     apr_pool_t *pool);

/**
 * Do all conditions of one list hold of a resource, sections 10.4.3 and 10.4.4?
 * Entity-tags are compared strongly. No resource has DAV:no-lock.
 * @param state  the resource's; one that is not there, or is none of ours, has
 *               neither tag nor token
 */
int condreq_if_list_holds(const condreq_if_list_t *list,
                          const condreq_if_state_t *state);

/** Has the token been submitted, section 10.4.1? It is by standing anywhere in
 * the field, be it behind Not or in a list that is false. */
int condreq_if_submits(const condreq_if_t *parsed, const char *token);

/** The field's one state token, NUL-terminated, from the pool; NULL where it
 * has none, or several (section 9.10.2 asks for a single one). */
const char *condreq_if_single_token(const condreq_if_t *parsed,
                                    apr_pool_t *pool);

/**
 * Reads a Coded-URL, "<" absolute-URI ">", alone in a value but for white
 * space: Lock-Token, section 10.5.
 * @return the URI, NUL-terminated, from the pool; NULL where it is none
 */
const char *condreq_coded_url(const char *value, apr_pool_t *pool);

#endif
