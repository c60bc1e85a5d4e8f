/* Locks under kills: of those who ask for one document's, one is told yes at
 * most, and what he was told is still there at the end.
 * Knows the locks of the write path and the board; not who is killed. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apr_strings.h"

#include "condreq_locks.h"
#include "crash.h"

/* Attempts that meet at one document. */
#define MEETING 4

static const char *key_of(unsigned number, apr_pool_t *pool)
{
    return apr_psprintf(pool, "localhost/locked/%u", number);
}

void crash_lock(condreq_store_t *store, apr_pool_t *pool)
{
    static const condreq_preconditions_t nothing_asked;
    static const condreq_claim_t nobody;
    static const condreq_rules_t rules;
    unsigned attempt = atomic_fetch_add(&board->lock_attempts, 1) + 1;
    condreq_resource_t resource = {store, &rules, NULL, NULL, NULL};
    condreq_trouble_t trouble;
    condreq_locking_t locking;
    unsigned nobody_yet = 0;

    if (attempt / MEETING >= LOCKS_MAX)
        return;
    resource.key = key_of(attempt / MEETING, pool);
    resource.path = strchr(resource.key, '/');
    memset(&locking, 0, sizeof locking);
    locking.resource = &resource;
    locking.preconditions = &nothing_asked;
    locking.claim = &nobody;
    locking.lock.scope = CONDREQ_LOCK_EXCLUSIVE;
    locking.lock.owner = apr_psprintf(pool, "%u", attempt);
    locking.timeout_s = 24 * 3600;
    locking.quota.per_user = locking.quota.per_host = 2 * LOCKS_MAX;
    if (condreq_lock_take(&locking, &trouble, pool) != APR_SUCCESS ||
        locking.outcome > CONDREQ_LOCKING_CREATED)
        return;
    if (!atomic_compare_exchange_strong(&board->lock_holders[attempt / MEETING],
                                        &nobody_yet, attempt))
        crash_violation("%s is locked twice", resource.key);
}

/* ---- the end ---- */

/* @return whether there is a lock */
static int check_holder(condreq_store_t *store, unsigned number,
                        apr_pool_t *pool)
{
    unsigned holder = atomic_load(&board->lock_holders[number]);
    const char *key = key_of(number, pool);
    apr_array_header_t *locks;
    condreq_trouble_t trouble;
    const char *owner = "";

    if (condreq_locks_list(&locks, store, key, NULL, 1, &trouble, pool)) {
        crash_violation("%s: %s", key, trouble.sentence);
        return 0;
    }
    if (locks->nelts &&
        !strcmp(APR_ARRAY_IDX(locks, 0, const condreq_lock_t *)->root, key))
        owner = APR_ARRAY_IDX(locks, 0, const condreq_lock_t *)->owner;
    if (holder && (unsigned)atoi(owner) != holder)
        crash_violation("%s: its holder was %u, now it is %s", key, holder,
                        *owner ? owner : "nobody");
    return *owner != '\0';
}

static apr_status_t txn_body_count(condreq_txn_t *txn, void *baton,
                                   apr_pool_t *pool)
{
    (void)pool;
    return txn->store->provider->locks_count(txn, "localhost/", NULL, baton);
}

void crash_final_locks(void)
{
    unsigned last = atomic_load(&board->lock_attempts) / MEETING, number;
    condreq_trouble_t trouble;
    apr_pool_t *pool, *each;
    condreq_store_t *store;
    apr_uint64_t counted = 0;
    unsigned there = 0;

    apr_pool_create(&pool, NULL);
    apr_pool_create(&each, pool);
    store = crash_open(pool);
    for (number = 0; number <= last && number < LOCKS_MAX; number++) {
        apr_pool_clear(each);
        there += (unsigned)check_holder(store, number, each);
    }
    store->provider->txn(store, txn_body_count, &counted, &trouble, pool);
    if (counted != there)
        crash_violation("%u locks are there, and %lu counted", there,
                        (unsigned long)counted);
    _exit(0);
}
