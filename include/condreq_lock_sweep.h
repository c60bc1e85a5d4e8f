/* A walk over many locks, in steps that hold few of a store's pages; and the
 * sweep that goes it.
 * Knows locks and the store interface; no document. */
#ifndef CONDREQ_LOCK_SWEEP_H
#define CONDREQ_LOCK_SWEEP_H

#include "condreq_store.h"

/** Locks that one transaction of a walk looks at. */
#define CONDREQ_LOCK_WALK_STEP 1000

/** Where a lock stands in the order of a scan. */
typedef struct condreq_lock_place_t {
    char root[CONDREQ_KEY_MAX + 1];
    condreq_lock_t lock;
} condreq_lock_place_t;

/** Where a walk is. */
typedef struct condreq_lock_walk_t {
    /** in this step */
    apr_size_t seen;
    /** where this step begins behind, and where the next one will: a step may
     * be taken again from its start */
    condreq_lock_place_t from;
    condreq_lock_place_t to;
} condreq_lock_walk_t;

/** At the start of a transaction's body: none is seen yet in this step. */
void condreq_lock_walk_begin(condreq_lock_walk_t *walk);

/** In the visitor: notes a lock. @return 0 where the step ends with it */
int condreq_lock_walk_step(condreq_lock_walk_t *walk,
                           const condreq_lock_t *lock);

/** After the transaction: sets the range to begin behind what was seen.
 * @return 0 where there is no more */
int condreq_lock_walk_on(condreq_lock_walk_t *walk,
                         condreq_lock_range_t *range);

/**
 * Removes locks whose time is over. They are in nobody's way; what they cost is
 * a look at each write.
 * @param prefix   on keys that begin so; "" for the whole store
 * @param removed  how many there were
 * @return the store's statuses
 */
apr_status_t condreq_locks_sweep(apr_size_t *removed, condreq_store_t *store,
                                 const char *prefix, condreq_trouble_t *trouble,
                                 apr_pool_t *pool);

#endif
