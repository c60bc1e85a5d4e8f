/* Locks of resources: taken, refreshed, released; and, by those who govern a
 * site, listed and broken. Each in one transaction of the store.
 * Knows records, locks and the store interface; no request. */
#ifndef CONDREQ_LOCKS_H
#define CONDREQ_LOCKS_H

#include "apr_tables.h"

#include "condreq_document.h"
#include "condreq_lock_sweep.h"

/** How many locks there may be. */
typedef struct condreq_lock_quota_t {
    /** that one user has in a namespace; those that nobody in particular took
     * count as one user's */
    apr_uint64_t per_user;
    /** in a namespace */
    apr_uint64_t per_host;
} condreq_lock_quota_t;

typedef enum condreq_locking_outcome_t {
    /** on what was there */
    CONDREQ_LOCKING_DONE,
    /** an empty document was created for it (RFC 4918 section 7.3) */
    CONDREQ_LOCKING_CREATED,
    /** there is nothing, and nothing may be created: 404 */
    CONDREQ_LOCKING_MISSING,
    /** a precondition, or If, is false: 412 */
    CONDREQ_LOCKING_PRECONDITION_FAILED,
    /** creating needs the token of a lock on a collection above: 423
     * lock-token-submitted */
    CONDREQ_LOCKING_LOCKED,
    /** another lock is in the way: 423 no-conflicting-lock; 207 where it is one
     * below */
    CONDREQ_LOCKING_CONFLICT,
    /** the user, or the host, has as many as may be: 507 */
    CONDREQ_LOCKING_USER_FULL,
    CONDREQ_LOCKING_HOST_FULL,
    /** there is no such lock, or the resource is not in its scope:
     * lock-token-matches-request-uri */
    CONDREQ_LOCKING_NO_MATCH,
    /** the lock is another user's, or its taker's name is too long: 403 */
    CONDREQ_LOCKING_FORBIDDEN
} condreq_locking_outcome_t;

/** A lock that is asked for, refreshed or released, and what came of it. */
typedef struct condreq_locking_t {
    const condreq_resource_t *resource;
    const condreq_preconditions_t *preconditions;
    /** If, and who asks; never NULL */
    const condreq_claim_t *claim;
    /** take: what is asked for; its root and times are set here */
    condreq_lock_t lock;
    /** take, refresh: how long */
    apr_uint32_t timeout_s;
    /** take: how many there may be */
    condreq_lock_quota_t quota;
    /** refresh, release: which */
    const char *token;

    condreq_locking_outcome_t outcome;
    /** the resource's record as it stands */
    condreq_record_t record;
    /** the lock in the way, or that was released, where there is one */
    const condreq_lock_t *found;
    /** take, refresh: those that now cover the resource */
    condreq_lock_list_t covering;
} condreq_locking_t;

/**
 * Takes a lock, RFC 4918 section 9.10. A resource that is not there is created,
 * unless the rules say that only what is there may be written; a collection
 * needs no record to be locked.
 * @param locking  the result is set on success, in the pool
 * @return the store's statuses; with any but APR_SUCCESS nothing was changed
 */
apr_status_t condreq_lock_take(condreq_locking_t *locking,
                               condreq_trouble_t *trouble, apr_pool_t *pool);

/** Begins a lock's time anew, section 9.10.2. Parameters as for
 * condreq_lock_take(). */
apr_status_t condreq_lock_refresh(condreq_locking_t *locking,
                                  condreq_trouble_t *trouble, apr_pool_t *pool);

/** Releases a lock, section 9.11: on all that it covers. Parameters as for
 * condreq_lock_take(). */
apr_status_t condreq_lock_release(condreq_locking_t *locking,
                                  condreq_trouble_t *trouble, apr_pool_t *pool);

/**
 * Lists the living locks below a key, those on the key itself among them.
 * @param prefix  "host/" for all of a host
 * @param after   begins behind this lock; NULL: at the first one
 * @param most    reads no more than these
 * @param locks   const condreq_lock_t *, in the order of their roots and tokens
 */
apr_status_t condreq_locks_list(apr_array_header_t **locks,
                                condreq_store_t *store, const char *prefix,
                                const condreq_lock_t *after, apr_size_t most,
                                condreq_trouble_t *trouble, apr_pool_t *pool);

/**
 * Breaks a lock, whoever took it.
 * @param prefix  where it must be, as for condreq_locks_list()
 * @param broken  is set to the lock, from the pool; NULL where there is none
 */
apr_status_t condreq_lock_break(const condreq_lock_t **broken,
                                condreq_store_t *store, const char *prefix,
                                const char *token, condreq_trouble_t *trouble,
                                apr_pool_t *pool);

#endif
