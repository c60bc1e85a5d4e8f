/* What a request claims about locks: its If field, and who sends it. Decided
 * inside the transaction of the write that it belongs to.
 * Knows locks, records and the store interface; no request. */
#ifndef CONDREQ_CLAIM_H
#define CONDREQ_CLAIM_H

#include "condreq_if.h"
#include "condreq_store.h"

struct condreq_resource_t;

typedef struct condreq_claim_t {
    /** as it was sent; not given where it was not */
    condreq_if_t if_field;
    /** what each of its lists is about, in their order: NULL in the place of a
     * resource that is none of ours and so has no state; the request's own for
     * an untagged list. NULL where there is no list. */
    const struct condreq_resource_t *const *targets;
    /** who sends it; NULL where nobody is known */
    const char *user;
} condreq_claim_t;

typedef enum condreq_claim_verdict_t {
    CONDREQ_CLAIM_GOOD,
    /** If is false: 412 */
    CONDREQ_CLAIM_FALSE,
    /** a lock is in the way, and its token was not submitted by who may use
     * it: 423 */
    CONDREQ_CLAIM_LOCKED
} condreq_claim_verdict_t;

/** What came of it. */
typedef struct condreq_claim_answer_t {
    condreq_claim_verdict_t verdict;
    /** the lock in the way, where there is one */
    const condreq_lock_t *lock;
    /** what was found on the resource and the collections above it, dead ones
     * too */
    condreq_lock_list_t near;
} condreq_claim_answer_t;

/** What a method does with a resource, RFC 4918 sections 7.1 and 7.4. */
typedef enum condreq_claim_on_t {
    /** it changes what is there */
    CONDREQ_CLAIM_ON_CONTENT,
    /** it makes or removes it: that changes the collection above too */
    CONDREQ_CLAIM_ON_MEMBERSHIP,
    /** it reads, or what it does needs no token: only If counts */
    CONDREQ_CLAIM_ON_NOTHING
} condreq_claim_on_t;

/**
 * Decides, inside a transaction: If first, section 10.4, then locks, section
 * 7.5.
 * @param answer    is set whole, from the pool
 * @param resource  the request's own
 * @param current   its record, read in this transaction
 * @param claim     NULL: no If, and nobody is known
 * @param now_us    the clock
 * @return the store's statuses
 */
apr_status_t condreq_claim_decide(condreq_claim_answer_t *answer,
                                  condreq_txn_t *txn,
                                  const struct condreq_resource_t *resource,
                                  const condreq_record_t *current,
                                  const condreq_claim_t *claim,
                                  condreq_claim_on_t on, apr_time_t now_us,
                                  apr_pool_t *pool);

/**
 * Decides, inside a transaction, about the locks of all that is below a
 * collection which is being removed: of those on each root one has to be
 * submitted, RFC 4918 section 9.6.1. If is not looked at.
 * @param answer  is set whole, from the pool; near has all locks below the
 *                collection, and its own, dead ones too
 * @return the store's statuses
 */
apr_status_t condreq_claim_below(condreq_claim_answer_t *answer,
                                 condreq_txn_t *txn, const char *collection,
                                 const condreq_claim_t *claim,
                                 apr_time_t now_us, apr_pool_t *pool);

/**
 * Decides If alone, in a transaction of its own: for a method that only reads.
 * @param current  the resource's record, read before
 * @param holds    whether If is true; it is where it was not sent
 */
apr_status_t condreq_claim_if_holds(int *holds,
                                    const struct condreq_resource_t *resource,
                                    const condreq_record_t *current,
                                    const condreq_claim_t *claim,
                                    condreq_trouble_t *trouble,
                                    apr_pool_t *pool);

/** Has this request to do with locks at all? Outside a transaction; where it
 * has not, a preview needs none either. */
apr_status_t condreq_claim_matters(int *matters,
                                   const struct condreq_resource_t *resource,
                                   const condreq_claim_t *claim,
                                   condreq_trouble_t *trouble,
                                   apr_pool_t *pool);

/**
 * Inside: finds the locks of a resource and of all collections above it, of
 * whatever depth.
 * @param list  is set, from the pool
 */
apr_status_t condreq_locks_near(condreq_lock_list_t *list, condreq_txn_t *txn,
                                const char *key, apr_pool_t *pool);

/**
 * Inside: removes the dead ones of some locks, and those that were taken on a
 * resource that is being deleted (RFC 4918 section 9.6).
 * @param list     found in this transaction
 * @param deleted  the key that is being deleted, or NULL
 */
apr_status_t condreq_locks_clear(const condreq_lock_list_t *list,
                                 condreq_txn_t *txn, const char *deleted,
                                 apr_time_t now_us);

#endif
