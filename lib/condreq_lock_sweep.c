/* A walk over many locks, and the sweep of those whose time is over.
 * Knows locks and the store interface; no document, no request. */
#include "condreq_lock_sweep.h"

#include <string.h>

#include "apr_strings.h"
#include "apr_tables.h"

/* ---- the walk ---- */

static void place_set(condreq_lock_place_t *place, const condreq_lock_t *lock)
{
    apr_cpystrn(place->root, lock->root, sizeof place->root);
    memset(&place->lock, 0, sizeof place->lock);
    memcpy(place->lock.token, lock->token, sizeof place->lock.token);
    place->lock.root = place->root;
}

void condreq_lock_walk_begin(condreq_lock_walk_t *walk)
{
    walk->seen = 0;
}

int condreq_lock_walk_step(condreq_lock_walk_t *walk,
                           const condreq_lock_t *lock)
{
    if (++walk->seen < CONDREQ_LOCK_WALK_STEP)
        return 1;
    place_set(&walk->to, lock);
    return 0;
}

int condreq_lock_walk_on(condreq_lock_walk_t *walk, condreq_lock_range_t *range)
{
    if (walk->seen < CONDREQ_LOCK_WALK_STEP)
        return 0;
    place_set(&walk->from, &walk->to.lock);
    range->after = &walk->from.lock;
    return 1;
}

/* ---- the sweep ---- */

typedef struct sweep_t {
    condreq_lock_range_t range;
    condreq_lock_walk_t walk;
    apr_time_t now_us;
    /** const condreq_lock_t *, of this step */
    apr_array_header_t *dead;
} sweep_t;

static int collect_dead(void *baton, const condreq_lock_t *lock)
{
    sweep_t *sweep = baton;

    if (!condreq_lock_lives(lock, sweep->now_us))
        APR_ARRAY_PUSH(sweep->dead, const condreq_lock_t *) = lock;
    return condreq_lock_walk_step(&sweep->walk, lock);
}

/* May run more than once. */
static apr_status_t txn_body_sweep(condreq_txn_t *txn, void *baton,
                                   apr_pool_t *pool)
{
    const condreq_store_provider_t *store = txn->store->provider;
    sweep_t *sweep = baton;
    apr_status_t status;
    int i;

    sweep->dead = apr_array_make(pool, 4, sizeof(void *));
    condreq_lock_walk_begin(&sweep->walk);
    status = store->locks_scan(txn, &sweep->range, collect_dead, sweep, pool);
    for (i = 0; i < sweep->dead->nelts && status == APR_SUCCESS; i++)
        status = store->lock_remove(
            txn, APR_ARRAY_IDX(sweep->dead, i, const condreq_lock_t *));
    return status;
}

apr_status_t condreq_locks_sweep(apr_size_t *removed, condreq_store_t *store,
                                 const char *prefix, condreq_trouble_t *trouble,
                                 apr_pool_t *pool)
{
    apr_pool_t *step;
    apr_status_t status;
    sweep_t sweep;

    memset(&sweep, 0, sizeof sweep);
    sweep.range.key = prefix;
    sweep.range.below = 1;
    sweep.now_us = apr_time_now();
    *removed = 0;
    apr_pool_create(&step, pool);
    do {
        apr_pool_clear(step);
        status =
            store->provider->txn(store, txn_body_sweep, &sweep, trouble, step);
        if (status == APR_SUCCESS)
            *removed += (apr_size_t)sweep.dead->nelts;
    } while (status == APR_SUCCESS &&
             condreq_lock_walk_on(&sweep.walk, &sweep.range));
    apr_pool_destroy(step);
    return status;
}
