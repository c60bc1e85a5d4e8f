/* Locks of resources: taken, refreshed, released, listed, broken.
 * Knows records, locks and the store interface; no request.
 * Rules: RFC 4918 sections 6, 7.3, 9.10 and 9.11. Each body reads the
 * resource's record first, as every write does, so that a LOCK and a PUT of one
 * resource are one behind the other. */
#include "condreq_locks.h"

#include <string.h>

#include "apr_strings.h"

#include "condreq_claim.h"
#include "condreq_key.h"

#define STORE_TRY(call)                                                        \
    do {                                                                       \
        apr_status_t try_status = (call);                                      \
        if (try_status != APR_SUCCESS)                                         \
            return try_status;                                                 \
    } while (0)

static int is_collection(const condreq_locking_t *locking)
{
    return condreq_path_is_collection(locking->resource->path);
}

static void refuse(condreq_locking_t *locking,
                   condreq_locking_outcome_t outcome,
                   const condreq_lock_t *found)
{
    locking->outcome = outcome;
    locking->found = found;
}

/* ---- how many there may be ---- */

static apr_status_t is_full(int *full, condreq_txn_t *txn, const char *key,
                            const char *user, apr_uint64_t most)
{
    apr_uint64_t count;

    STORE_TRY(txn->store->provider->locks_count(txn, key, user, &count));
    *full = count >= most;
    return APR_SUCCESS;
}

static apr_status_t check_quota(condreq_locking_t *locking, condreq_txn_t *txn)
{
    const char *key = locking->resource->key;
    const char *user = locking->claim->user ? locking->claim->user : "";
    int full;

    STORE_TRY(is_full(&full, txn, key, NULL, locking->quota.per_host));
    if (full) {
        refuse(locking, CONDREQ_LOCKING_HOST_FULL, NULL);
        return APR_SUCCESS;
    }
    STORE_TRY(is_full(&full, txn, key, user, locking->quota.per_user));
    if (full)
        refuse(locking, CONDREQ_LOCKING_USER_FULL, NULL);
    return APR_SUCCESS;
}

static int is_refused(const condreq_locking_t *locking)
{
    return locking->outcome != CONDREQ_LOCKING_DONE &&
           locking->outcome != CONDREQ_LOCKING_CREATED;
}

/* ---- take ---- */

typedef struct conflict_t {
    const condreq_lock_t *wanted;
    apr_time_t now_us;
    const condreq_lock_t *found;
} conflict_t;

static int find_conflict(void *baton, const condreq_lock_t *lock)
{
    conflict_t *conflict = baton;
    condreq_lock_list_t one = {&lock, 1};

    conflict->found =
        condreq_lock_conflict(&one, conflict->wanted, conflict->now_us);
    return conflict->found == NULL;
}

/* Is there anything that the new lock could not stand beside? */
static apr_status_t check_conflict(condreq_locking_t *locking,
                                   condreq_txn_t *txn,
                                   const condreq_lock_list_t *near,
                                   apr_time_t now_us, apr_pool_t *pool)
{
    condreq_lock_range_t range = {locking->resource->key, 1, NULL};
    conflict_t conflict = {&locking->lock, now_us, NULL};

    conflict.found = condreq_lock_conflict(near, &locking->lock, now_us);
    if (!conflict.found && locking->lock.infinite && is_collection(locking))
        STORE_TRY(txn->store->provider->locks_scan(txn, &range, find_conflict,
                                                   &conflict, pool));
    if (conflict.found)
        refuse(locking, CONDREQ_LOCKING_CONFLICT, conflict.found);
    return APR_SUCCESS;
}

/* What is there decides what the method is: on nothing it is a creation. */
static void check_state(condreq_locking_t *locking)
{
    int is_there =
        is_collection(locking) || locking->record.state == CONDREQ_LIVE;

    locking->outcome =
        is_there ? CONDREQ_LOCKING_DONE : CONDREQ_LOCKING_CREATED;
    if (!is_there && locking->resource->rules->put_only == CONDREQ_PUT_UPDATE)
        refuse(locking, CONDREQ_LOCKING_MISSING, NULL);
}

/* A collection has neither tag nor date, and is there if it has a member. */
static apr_status_t find_representation(const condreq_representation_t **repr,
                                        condreq_representation_t *room,
                                        const condreq_locking_t *locking,
                                        condreq_txn_t *txn, apr_time_t now_us,
                                        apr_pool_t *pool)
{
    const condreq_resource_t *resource = locking->resource;
    int has_members;

    if (!is_collection(locking)) {
        *repr = condreq_document_representation(room, resource,
                                                &locking->record, now_us, pool);
        return APR_SUCCESS;
    }
    memset(room, 0, sizeof *room);
    STORE_TRY(
        txn->store->provider->has_members(txn, resource->key, &has_members));
    *repr = has_members ? room : NULL;
    return APR_SUCCESS;
}

static int asks(const condreq_preconditions_t *pre)
{
    return pre->if_match.given || pre->if_none_match.given ||
           pre->if_unmodified_since.given;
}

static apr_status_t check_preconditions(condreq_locking_t *locking,
                                        condreq_txn_t *txn, apr_time_t now_us,
                                        apr_pool_t *pool)
{
    condreq_representation_t room;
    const condreq_representation_t *repr;

    if (is_refused(locking) || !asks(locking->preconditions))
        return APR_SUCCESS;
    STORE_TRY(find_representation(&repr, &room, locking, txn, now_us, pool));
    if (condreq_evaluate(locking->preconditions, repr, 0,
                         locking->resource->rules->evaluate) != CONDREQ_PERFORM)
        refuse(locking, CONDREQ_LOCKING_PRECONDITION_FAILED, NULL);
    return APR_SUCCESS;
}

static apr_status_t check_claim(condreq_locking_t *locking, condreq_txn_t *txn,
                                condreq_claim_answer_t *answer,
                                apr_time_t now_us, apr_pool_t *pool)
{
    condreq_claim_on_t on = locking->outcome == CONDREQ_LOCKING_CREATED
                                ? CONDREQ_CLAIM_ON_MEMBERSHIP
                                : CONDREQ_CLAIM_ON_NOTHING;

    STORE_TRY(condreq_claim_decide(answer, txn, locking->resource,
                                   &locking->record, locking->claim, on, now_us,
                                   pool));
    if (answer->verdict == CONDREQ_CLAIM_FALSE)
        refuse(locking, CONDREQ_LOCKING_PRECONDITION_FAILED, NULL);
    else if (answer->verdict == CONDREQ_CLAIM_LOCKED)
        refuse(locking, CONDREQ_LOCKING_LOCKED, answer->lock);
    return APR_SUCCESS;
}

static apr_status_t may_take(condreq_locking_t *locking, condreq_txn_t *txn,
                             condreq_claim_answer_t *answer, apr_time_t now_us,
                             apr_pool_t *pool)
{
    check_state(locking);
    if (is_refused(locking))
        return APR_SUCCESS;
    STORE_TRY(check_claim(locking, txn, answer, now_us, pool));
    if (locking->outcome == CONDREQ_LOCKING_PRECONDITION_FAILED)
        return APR_SUCCESS;
    /* A lock that covers it is in the way of another one, token or not. */
    STORE_TRY(check_conflict(locking, txn, &answer->near, now_us, pool));
    STORE_TRY(check_preconditions(locking, txn, now_us, pool));
    if (is_refused(locking))
        return APR_SUCCESS;
    STORE_TRY(condreq_locks_clear(&answer->near, txn, NULL, now_us));
    return check_quota(locking, txn);
}

/* Those that cover the resource, the changed one in the place of its old self.
 */
static void set_covering(condreq_locking_t *locking,
                         const condreq_lock_list_t *near, apr_time_t now_us,
                         apr_pool_t *pool)
{
    const condreq_lock_t **locks =
        apr_palloc(pool, (near->count + 1) * sizeof *locks);
    apr_size_t i, count = 0;

    for (i = 0; i < near->count; i++) {
        if (condreq_lock_lives(near->locks[i], now_us) &&
            condreq_lock_covers(near->locks[i], locking->resource->key) &&
            strcmp(near->locks[i]->token, locking->lock.token))
            locks[count++] = near->locks[i];
    }
    locks[count++] = &locking->lock;
    locking->covering.locks = locks;
    locking->covering.count = count;
}

/* May run more than once. */
static apr_status_t txn_body_take(condreq_txn_t *txn, void *baton,
                                  apr_pool_t *pool)
{
    const condreq_store_provider_t *store = txn->store->provider;
    condreq_locking_t *locking = baton;
    const char *key = locking->resource->key;
    apr_time_t now_us = apr_time_now();
    condreq_claim_answer_t answer;
    apr_uint64_t count;

    locking->found = NULL;
    STORE_TRY(store->get(txn, key, &locking->record));
    /* Read for writing from the start: two who both read it first and then
     * want to write it would wait for each other. */
    STORE_TRY(store->locks_count(txn, key, NULL, &count));
    STORE_TRY(may_take(locking, txn, &answer, now_us, pool));
    if (is_refused(locking))
        return APR_SUCCESS;
    if (locking->outcome == CONDREQ_LOCKING_CREATED)
        STORE_TRY(condreq_document_make_empty(&locking->record, txn, key));
    locking->lock.root = key;
    locking->lock.user = locking->claim->user;
    locking->lock.taken_us = now_us;
    locking->lock.until_us = now_us + apr_time_from_sec(locking->timeout_s);
    set_covering(locking, &answer.near, now_us, pool);
    return store->lock_put(txn, &locking->lock);
}

static int is_full_outcome(const condreq_locking_t *locking)
{
    return locking->outcome == CONDREQ_LOCKING_USER_FULL ||
           locking->outcome == CONDREQ_LOCKING_HOST_FULL;
}

/* Counts hold dead locks too: where they are at the limit, those go first. */
static apr_status_t take_once_swept(condreq_locking_t *locking,
                                    condreq_trouble_t *trouble,
                                    apr_pool_t *pool)
{
    condreq_store_t *store = locking->resource->store;
    const char *key = locking->resource->key;
    const char *prefix =
        apr_pstrmemdup(pool, key, condreq_key_namespace_length(key) + 1);
    apr_size_t removed;

    STORE_TRY(condreq_locks_sweep(&removed, store, prefix, trouble, pool));
    if (!removed)
        return APR_SUCCESS;
    return store->provider->txn(store, txn_body_take, locking, trouble, pool);
}

apr_status_t condreq_lock_take(condreq_locking_t *locking,
                               condreq_trouble_t *trouble, apr_pool_t *pool)
{
    condreq_store_t *store = locking->resource->store;
    const char *user = locking->claim->user;

    if (user && strlen(user) > CONDREQ_LOCK_USER_MAX) {
        refuse(locking, CONDREQ_LOCKING_FORBIDDEN, NULL);
        return APR_SUCCESS;
    }
    if (!condreq_lock_token_make(locking->lock.token))
        return condreq_trouble(trouble, APR_EGENERAL,
                               "no random bytes for a token");
    locking->lock.root = locking->resource->key;
    STORE_TRY(
        store->provider->txn(store, txn_body_take, locking, trouble, pool));
    return is_full_outcome(locking) ? take_once_swept(locking, trouble, pool)
                                    : APR_SUCCESS;
}

/* ---- refresh, release ---- */

static const condreq_lock_t *named(const condreq_locking_t *locking,
                                   const condreq_lock_list_t *near,
                                   apr_time_t now_us)
{
    apr_size_t i;

    for (i = 0; i < near->count; i++) {
        const condreq_lock_t *lock = near->locks[i];

        if (!strcmp(lock->token, locking->token) &&
            condreq_lock_lives(lock, now_us) &&
            condreq_lock_covers(lock, locking->resource->key))
            return lock;
    }
    return NULL;
}

/* Finds the lock that a token names, if it may be touched. A token that names
 * none is told from an If that is false: that it is, too. */
static apr_status_t find_named(condreq_locking_t *locking, condreq_txn_t *txn,
                               condreq_claim_answer_t *answer,
                               apr_time_t now_us, apr_pool_t *pool)
{
    const condreq_lock_t *lock;

    locking->outcome = CONDREQ_LOCKING_DONE;
    locking->found = NULL;
    STORE_TRY(txn->store->provider->get(txn, locking->resource->key,
                                        &locking->record));
    STORE_TRY(check_claim(locking, txn, answer, now_us, pool));
    lock = named(locking, &answer->near, now_us);
    if (!lock)
        refuse(locking, CONDREQ_LOCKING_NO_MATCH, NULL);
    else if (is_refused(locking))
        return APR_SUCCESS;
    else if (!condreq_lock_is_usable_by(lock, locking->claim->user))
        refuse(locking, CONDREQ_LOCKING_FORBIDDEN, lock);
    STORE_TRY(check_preconditions(locking, txn, now_us, pool));
    if (!is_refused(locking))
        locking->found = lock;
    return APR_SUCCESS;
}

/* May run more than once. */
static apr_status_t txn_body_refresh(condreq_txn_t *txn, void *baton,
                                     apr_pool_t *pool)
{
    condreq_locking_t *locking = baton;
    apr_time_t now_us = apr_time_now();
    condreq_claim_answer_t answer;

    STORE_TRY(find_named(locking, txn, &answer, now_us, pool));
    if (is_refused(locking))
        return APR_SUCCESS;
    locking->lock = *locking->found;
    locking->lock.until_us = now_us + apr_time_from_sec(locking->timeout_s);
    set_covering(locking, &answer.near, now_us, pool);
    return txn->store->provider->lock_put(txn, &locking->lock);
}

/* May run more than once. */
static apr_status_t txn_body_release(condreq_txn_t *txn, void *baton,
                                     apr_pool_t *pool)
{
    condreq_locking_t *locking = baton;
    condreq_claim_answer_t answer;

    STORE_TRY(find_named(locking, txn, &answer, apr_time_now(), pool));
    if (is_refused(locking))
        return APR_SUCCESS;
    return txn->store->provider->lock_remove(txn, locking->found);
}

apr_status_t condreq_lock_refresh(condreq_locking_t *locking,
                                  condreq_trouble_t *trouble, apr_pool_t *pool)
{
    condreq_store_t *store = locking->resource->store;

    return store->provider->txn(store, txn_body_refresh, locking, trouble,
                                pool);
}

apr_status_t condreq_lock_release(condreq_locking_t *locking,
                                  condreq_trouble_t *trouble, apr_pool_t *pool)
{
    condreq_store_t *store = locking->resource->store;

    return store->provider->txn(store, txn_body_release, locking, trouble,
                                pool);
}

/* ---- list, break ---- */

typedef struct listing_t {
    condreq_lock_range_t range;
    apr_size_t most;
    apr_time_t now_us;
    apr_array_header_t *locks;
} listing_t;

static int list_one(void *baton, const condreq_lock_t *lock)
{
    listing_t *listing = baton;

    if (condreq_lock_lives(lock, listing->now_us))
        APR_ARRAY_PUSH(listing->locks, const condreq_lock_t *) = lock;
    return (apr_size_t)listing->locks->nelts < listing->most;
}

/* May run more than once. */
static apr_status_t txn_body_list(condreq_txn_t *txn, void *baton,
                                  apr_pool_t *pool)
{
    listing_t *listing = baton;

    listing->locks = apr_array_make(pool, 8, sizeof(void *));
    if (listing->most == 0)
        return APR_SUCCESS;
    return txn->store->provider->locks_scan(txn, &listing->range, list_one,
                                            listing, pool);
}

apr_status_t condreq_locks_list(apr_array_header_t **locks,
                                condreq_store_t *store, const char *prefix,
                                const condreq_lock_t *after, apr_size_t most,
                                condreq_trouble_t *trouble, apr_pool_t *pool)
{
    listing_t listing = {{prefix, 1, after}, most, apr_time_now(), NULL};
    apr_status_t status =
        store->provider->txn(store, txn_body_list, &listing, trouble, pool);

    *locks = listing.locks;
    return status;
}

typedef struct breaking_t {
    condreq_lock_range_t range;
    const char *token;
    condreq_lock_walk_t walk;
    const condreq_lock_t *found;
} breaking_t;

static int find_token(void *baton, const condreq_lock_t *lock)
{
    breaking_t *breaking = baton;

    if (!strcmp(lock->token, breaking->token))
        breaking->found = lock;
    return condreq_lock_walk_step(&breaking->walk, lock) && !breaking->found;
}

/* May run more than once. */
static apr_status_t txn_body_break(condreq_txn_t *txn, void *baton,
                                   apr_pool_t *pool)
{
    breaking_t *breaking = baton;

    breaking->found = NULL;
    condreq_lock_walk_begin(&breaking->walk);
    STORE_TRY(txn->store->provider->locks_scan(txn, &breaking->range,
                                               find_token, breaking, pool));
    return breaking->found
               ? txn->store->provider->lock_remove(txn, breaking->found)
               : APR_SUCCESS;
}

apr_status_t condreq_lock_break(const condreq_lock_t **broken,
                                condreq_store_t *store, const char *prefix,
                                const char *token, condreq_trouble_t *trouble,
                                apr_pool_t *pool)
{
    breaking_t breaking;
    apr_status_t status;

    memset(&breaking, 0, sizeof breaking);
    breaking.range.key = prefix;
    breaking.range.below = 1;
    breaking.token = token;
    do
        status = store->provider->txn(store, txn_body_break, &breaking, trouble,
                                      pool);
    while (status == APR_SUCCESS && !breaking.found &&
           condreq_lock_walk_on(&breaking.walk, &breaking.range));
    /* One whose time was over is nothing to be broken. */
    *broken = status == APR_SUCCESS && breaking.found &&
                      condreq_lock_lives(breaking.found, apr_time_now())
                  ? breaking.found
                  : NULL;
    return status;
}
