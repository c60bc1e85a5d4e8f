/* ETag strategies: how a record becomes an entity-tag.
 * Knows records and tags; no store, no request, no body. */
#ifndef CONDREQ_STRATEGY_H
#define CONDREQ_STRATEGY_H

#include "condreq_etag.h"
#include "condreq_record.h"

typedef enum condreq_strategy_kind_t {
    /** "7" */
    CONDREQ_STRATEGY_VERSION,
    /** SHA-256 of the stored bytes, its first 132 bits in base64url */
    CONDREQ_STRATEGY_HASH,
    /** microseconds since the epoch */
    CONDREQ_STRATEGY_TIMESTAMP,
    /** a text with %{id}, %{version}, %{hash}, %{timestamp}, %{path} */
    CONDREQ_STRATEGY_FORMAT,
    /** no entity-tag */
    CONDREQ_STRATEGY_NONE
} condreq_strategy_kind_t;

typedef struct condreq_strategy_t {
    condreq_strategy_kind_t kind;
    /** FORMAT: the text, without quotes around it */
    const char *format;
    /** sent with W/ */
    int weak;
} condreq_strategy_t;

/**
 * Reads the first argument of CondReqETag: a strategy's word or a format.
 * @param strategy  kind and format are set, weak is left alone
 * @param text      must live as long as the strategy
 * @return NULL, or the sentence that says what to write instead
 */
const char *condreq_strategy_parse(condreq_strategy_t *strategy,
                                   const char *text, apr_pool_t *pool);

/**
 * The entity-tag of a live record. What a format yields that is no etagc is
 * percent-encoded, so the tag is always valid (RFC 9110 section 8.8.3).
 * @param etag         is set; its text is from the pool; opaque_tag is NULL
 *                     for CONDREQ_STRATEGY_NONE
 * @param path         the path of the resource, from its key
 * @param incarnation  the store's; part of the tag while it is not 0
 */
void condreq_strategy_etag(condreq_etag_t *etag,
                           const condreq_strategy_t *strategy,
                           const condreq_record_t *record, const char *path,
                           apr_uint64_t incarnation, apr_pool_t *pool);

#endif
