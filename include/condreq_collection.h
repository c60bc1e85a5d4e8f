/* Collections as resources: their validators, their preconditions, their end.
 * Knows the store interface, preconditions and tags; no request. */
#ifndef CONDREQ_COLLECTION_H
#define CONDREQ_COLLECTION_H

#include "apr_hash.h"
#include "apr_tables.h"
#include "condreq_claim.h"
#include "condreq_document.h"

/** What one DELETE of a collection may remove: so much fits one transaction
 * of any store. */
#define CONDREQ_COLLECTION_DOCUMENTS_MAX 1000
#define CONDREQ_COLLECTION_BYTES_MAX (32u << 20)

/** Characters that tell one representation of a collection from another. */
#define CONDREQ_VARIANT_LENGTH 8

/** A collection as it stands. */
typedef struct condreq_collection_t {
    /** a live document is below it */
    int exists;
    condreq_collection_state_t state;
} condreq_collection_t;

/**
 * Looks a collection up, outside a transaction.
 * @param now_us  the clock, read before
 */
apr_status_t condreq_collection_lookup(condreq_collection_t *collection,
                                       const condreq_resource_t *resource,
                                       apr_time_t now_us,
                                       condreq_trouble_t *trouble,
                                       apr_pool_t *pool);

/**
 * A collection as the evaluator sees it. Its tag is its version, which every
 * write below it makes one more, and the variant: strong, as long as a variant
 * is one way to show a version. Its date is that of the last write, and
 * pending until its second is over, since another write may share it.
 * @param repr     is set; its tag is from the pool
 * @param variant  CONDREQ_VARIANT_LENGTH characters that may stand in a tag,
 *                 or NULL for none
 * @return repr, or NULL where the collection does not exist
 */
const condreq_representation_t *condreq_collection_representation(
    condreq_representation_t *repr, const condreq_resource_t *resource,
    const condreq_collection_t *collection, const char *variant,
    apr_time_t now_us, apr_pool_t *pool);

/**
 * Makes a variant of whatever the representation depends on besides what is
 * below the collection.
 * @param variant  room for CONDREQ_VARIANT_LENGTH and a NUL
 */
void condreq_collection_variant(char *variant, const char *text);

/**
 * Do the preconditions of a write to the collection hold? Whichever variant a
 * client has seen, its tag names the collection's version.
 * @return PERFORM or FAILED
 */
condreq_verdict_t condreq_collection_evaluate(
    const condreq_preconditions_t *pre, const condreq_resource_t *resource,
    const condreq_collection_t *collection, apr_pool_t *pool);

/** Inside a transaction: the same, binding, until it ends. */
apr_status_t condreq_collection_bind(condreq_txn_t *txn,
                                     const condreq_resource_t *resource,
                                     const condreq_preconditions_t *pre,
                                     condreq_collection_t *collection,
                                     condreq_verdict_t *verdict,
                                     apr_pool_t *pool);

typedef enum condreq_removal_outcome_t {
    CONDREQ_REMOVED,
    /** nothing is there: 404 */
    CONDREQ_REMOVAL_MISSING,
    /** a precondition, or If, is false: 412 */
    CONDREQ_REMOVAL_FAILED,
    /** a lock is in the way, of the collection or of something below: 423 */
    CONDREQ_REMOVAL_LOCKED,
    /** more is there than one transaction takes: 409 */
    CONDREQ_REMOVAL_TOO_LARGE,
    /** a document is there that is not among those allowed */
    CONDREQ_REMOVAL_OTHERS
} condreq_removal_outcome_t;

/** The end of a collection: what is asked, and what came of it. */
typedef struct condreq_removal_t {
    const condreq_resource_t *resource;
    const condreq_preconditions_t *preconditions;
    /** If, and who sends it */
    const condreq_claim_t *claim;
    /** keys that may be removed; NULL: any */
    apr_hash_t *allowed;
    condreq_removal_outcome_t outcome;
    /** where it is LOCKED: by which one */
    const condreq_lock_t *lock;
} condreq_removal_t;

/** Removes every document below a collection, or none, in one transaction. */
apr_status_t condreq_collection_remove(condreq_removal_t *removal,
                                       condreq_trouble_t *trouble,
                                       apr_pool_t *pool);

/**
 * The keys of the documents below a collection, at any depth.
 * @param keys   is set, from the pool; const char *. One more than a DELETE
 *               may remove where there are that many
 */
apr_status_t condreq_collection_documents(apr_array_header_t **keys,
                                          const condreq_resource_t *resource,
                                          condreq_trouble_t *trouble,
                                          apr_pool_t *pool);

#endif
