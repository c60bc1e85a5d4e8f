/* Locks in a store: stored, shown, counted, removed, and raced for.
 * Knows the provider's table; whom a lock lets pass is not a store's matter. */
#include <stdlib.h>
#include <string.h>

#include "apr_strings.h"

#include "crew.h"
#include "locks.h"
#include "tap.h"
#include "writes.h"

#define ROUNDS 20

static condreq_lock_t lock_of(const char *root, const char *token,
                              const char *user)
{
    condreq_lock_t lock = {"", root, CONDREQ_LOCK_EXCLUSIVE, 0, 1, 2, user, ""};

    apr_cpystrn(lock.token, token, sizeof(lock.token));
    return lock;
}

/* ---- one step in a transaction of its own ---- */

typedef enum act_t { PUT, REMOVE, ABORTED_PUT, ABORTED_REMOVE } act_t;

typedef struct step_t {
    act_t act;
    const condreq_lock_t *lock;
} step_t;

static apr_status_t txn_body_step(condreq_txn_t *txn, void *baton,
                                  apr_pool_t *pool)
{
    const condreq_store_provider_t *store = txn->store->provider;
    step_t *step = baton;
    apr_status_t status = step->act == PUT || step->act == ABORTED_PUT
                              ? store->lock_put(txn, step->lock)
                              : store->lock_remove(txn, step->lock);

    (void)pool;
    if (status == APR_SUCCESS && step->act >= ABORTED_PUT)
        return APR_EMISMATCH;
    return status;
}

static apr_status_t act(condreq_store_t *store, act_t what,
                        const condreq_lock_t *lock, apr_pool_t *pool)
{
    condreq_trouble_t trouble;
    step_t step = {what, lock};

    return store->provider->txn(store, txn_body_step, &step, &trouble, pool);
}

/* ---- what is there ---- */

typedef struct seen_t {
    condreq_lock_range_t range;
    int most;
    int count;
    const char *said;
    apr_pool_t *pool;
} seen_t;

static int see(void *baton, const condreq_lock_t *lock)
{
    seen_t *seen = baton;

    seen->said = apr_psprintf(seen->pool, "%s%s%s#%s", seen->said,
                              seen->count ? " " : "", lock->root, lock->token);
    return ++seen->count < seen->most;
}

static apr_status_t txn_body_see(condreq_txn_t *txn, void *baton,
                                 apr_pool_t *pool)
{
    seen_t *seen = baton;

    seen->said = "";
    seen->count = 0;
    return txn->store->provider->locks_scan(txn, &seen->range, see, seen, pool);
}

static const char *locks_said(condreq_store_t *store, const char *key,
                              int below, const condreq_lock_t *after, int most,
                              apr_pool_t *pool)
{
    seen_t seen = {{key, below, after}, most, 0, "", pool};
    condreq_trouble_t trouble;

    if (store->provider->txn(store, txn_body_see, &seen, &trouble, pool))
        return "trouble";
    return seen.said;
}

typedef struct counted_t {
    const char *key;
    const char *user;
    apr_uint64_t count;
    int has_locks;
} counted_t;

static apr_status_t txn_body_count(condreq_txn_t *txn, void *baton,
                                   apr_pool_t *pool)
{
    const condreq_store_provider_t *store = txn->store->provider;
    counted_t *counted = baton;
    apr_status_t status =
        store->txn_has_locks(txn, counted->key, &counted->has_locks);

    (void)pool;
    if (status != APR_SUCCESS)
        return status;
    return store->locks_count(txn, counted->key, counted->user,
                              &counted->count);
}

static int locks_counted(condreq_store_t *store, const char *key,
                         const char *user, apr_pool_t *pool)
{
    counted_t counted = {key, user, 0, -1};
    condreq_trouble_t trouble;
    int outside = -1;

    if (store->provider->txn(store, txn_body_count, &counted, &trouble, pool) ||
        store->provider->has_locks(store, key, &outside, &trouble, pool))
        return -1;
    if (outside != counted.has_locks ||
        (!user && outside != (counted.count > 0)))
        return -2;
    return (int)counted.count;
}

/* ---- rows ---- */

static void test_scans(condreq_store_t *store, apr_pool_t *pool)
{
    static const char *const taken[][2] = {
        {"l/c/", "t:1"},   {"l/c/a", "t:3"},   {"l/c/a", "t:2"},
        {"l/c/ab", "t:4"}, {"l/c/a/b", "t:5"}, {"l/c", "t:6"},
        {"l/d", "t:7"},    {"ll/c/a", "t:8"}};
    condreq_lock_t after = lock_of("l/c/a", "t:2", NULL);
    size_t i;

    is_int(locks_counted(store, "l/c", NULL, pool), 0,
           "a namespace without locks has none");
    for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        condreq_lock_t lock = lock_of(taken[i][0], taken[i][1], NULL);

        is_int(act(store, PUT, &lock, pool), APR_SUCCESS, "a lock is stored");
    }
    is_text(locks_said(store, "l/c/a", 0, NULL, 9, pool), "l/c/a#t:2 l/c/a#t:3",
            "those of a key, by their tokens");
    is_text(locks_said(store, "l/c/", 0, NULL, 9, pool), "l/c/#t:1",
            "those of a collection itself");
    is_text(locks_said(store, "l/c/", 1, NULL, 9, pool),
            "l/c/#t:1 l/c/a#t:2 l/c/a#t:3 l/c/a/b#t:5 l/c/ab#t:4",
            "those of a collection and below it, by their roots");
    is_text(locks_said(store, "l/c/", 1, &after, 2, pool),
            "l/c/a#t:3 l/c/a/b#t:5", "from one on, as many as are wanted");
    is_text(locks_said(store, "l/", 1, NULL, 99, pool),
            "l/c#t:6 l/c/#t:1 l/c/a#t:2 l/c/a#t:3 l/c/a/b#t:5 l/c/ab#t:4 "
            "l/d#t:7",
            "all of a namespace");
    is_text(locks_said(store, "l/none", 0, NULL, 9, pool), "", "none of a key");
    is_int(locks_counted(store, "l/none", NULL, pool), 7, "its locks, counted");
    is_int(locks_counted(store, "ll/", NULL, pool), 1, "another's are its own");
    is_int(locks_counted(store, "lll/", NULL, pool), 0, "a third has none");
}

typedef struct first_t {
    condreq_lock_t lock;
    apr_pool_t *pool;
} first_t;

static int keep_first(void *baton, const condreq_lock_t *lock)
{
    first_t *first = baton;

    first->lock = *lock;
    first->lock.root = apr_pstrdup(first->pool, lock->root);
    first->lock.user = apr_pstrdup(first->pool, lock->user);
    first->lock.owner = apr_pstrdup(first->pool, lock->owner);
    return 0;
}

static apr_status_t txn_body_first(condreq_txn_t *txn, void *baton,
                                   apr_pool_t *pool)
{
    first_t *first = baton;
    condreq_lock_range_t range = {"whole/a", 0, NULL};

    return txn->store->provider->locks_scan(txn, &range, keep_first, first,
                                            pool);
}

static void test_whole(condreq_store_t *store, apr_pool_t *pool)
{
    char *owner = apr_pcalloc(pool, CONDREQ_LOCK_OWNER_MAX + 1);
    condreq_lock_t lock = lock_of("whole/a", "t:1", "alice");
    condreq_trouble_t trouble;
    first_t first = {lock, pool};

    memset(owner, 'o', CONDREQ_LOCK_OWNER_MAX);
    lock.owner = owner;
    lock.scope = CONDREQ_LOCK_SHARED;
    lock.infinite = 1;
    lock.until_us = APR_INT64_C(0x0102030405060708);
    act(store, PUT, &lock, pool);
    store->provider->txn(store, txn_body_first, &first, &trouble, pool);
    ok(!strcmp(first.lock.token, "t:1") &&
           !strcmp(first.lock.root, lock.root) &&
           first.lock.scope == lock.scope && first.lock.infinite &&
           first.lock.taken_us == 1 && first.lock.until_us == lock.until_us,
       "a lock is shown as it was stored");
    is_text(first.lock.user, "alice", "with its user");
    is_text(first.lock.owner, owner, "and the longest owner");
    lock.until_us = 7;
    act(store, PUT, &lock, pool);
    store->provider->txn(store, txn_body_first, &first, &trouble, pool);
    is_int((long long)first.lock.until_us, 7, "stored again, it is changed");
    is_int(locks_counted(store, "whole/", NULL, pool), 1, "and still one");
}

static void test_counts(condreq_store_t *store, apr_pool_t *pool)
{
    condreq_lock_t of_alice = lock_of("n/a", "t:1", "alice");
    condreq_lock_t of_alice_too = lock_of("n/b", "t:2", "alice");
    condreq_lock_t of_bob = lock_of("n/b", "t:3", "bob");
    condreq_lock_t of_nobody = lock_of("n/b", "t:4", NULL);

    act(store, PUT, &of_alice, pool);
    act(store, PUT, &of_alice_too, pool);
    act(store, PUT, &of_bob, pool);
    act(store, PUT, &of_nobody, pool);
    is_int(locks_counted(store, "n/x", NULL, pool), 4, "all are counted");
    is_int(locks_counted(store, "n/x", "alice", pool), 2, "a user's");
    is_int(locks_counted(store, "n/x", "bob", pool), 1, "another's");
    is_int(locks_counted(store, "n/x", "", pool), 1, "nobody's");
    is_int(locks_counted(store, "n/x", "eve", pool), 0, "who has none");
    is_int(act(store, REMOVE, &of_alice, pool), APR_SUCCESS, "one is removed");
    is_text(locks_said(store, "n/a", 0, NULL, 9, pool), "", "it is gone");
    is_int(locks_counted(store, "n/", "alice", pool), 1, "one less");
    is_int(locks_counted(store, "n/", NULL, pool), 3, "of all");
    ok(act(store, REMOVE, &of_alice, pool) != APR_SUCCESS,
       "it cannot be removed twice");
    act(store, REMOVE, &of_alice_too, pool);
    act(store, REMOVE, &of_bob, pool);
    act(store, REMOVE, &of_nobody, pool);
    is_int(locks_counted(store, "n/", NULL, pool), 0, "the last one is gone");
}

static void test_aborted(condreq_store_t *store, apr_pool_t *pool)
{
    condreq_lock_t first = lock_of("v/a", "t:1", "alice");
    condreq_lock_t second = lock_of("v/a", "t:2", "alice");

    act(store, PUT, &first, pool);
    is_int(act(store, ABORTED_PUT, &second, pool), APR_EMISMATCH,
           "a transaction that stored a lock is given up");
    is_int(act(store, ABORTED_REMOVE, &first, pool), APR_EMISMATCH,
           "so is one that removed one");
    is_text(locks_said(store, "v/a", 0, NULL, 9, pool), "v/a#t:1",
            "nothing has changed");
    is_int(locks_counted(store, "v/", "alice", pool), 1, "nor any count");
}

static void test_long(condreq_store_t *store, apr_pool_t *pool)
{
    char *root = apr_pcalloc(pool, CONDREQ_KEY_MAX + 2);
    condreq_lock_t lock = lock_of(root, "t:1", NULL);

    memset(root, 'k', CONDREQ_KEY_MAX);
    root[3] = '/';
    is_int(act(store, PUT, &lock, pool), APR_SUCCESS, "the longest key");
    is_text(locks_said(store, root, 0, NULL, 9, pool),
            apr_psprintf(pool, "%s#t:1", root), "has its lock");
    root[CONDREQ_KEY_MAX] = 'k';
    ok(act(store, PUT, &lock, pool) != APR_SUCCESS, "a longer one is refused");
}

/* More than a page has room for. */
static void test_many(condreq_store_t *store, apr_pool_t *pool)
{
    seen_t seen = {{"many/", 1, NULL}, 1000, 0, "", pool};
    condreq_trouble_t trouble;
    int i, wrong = 0;

    for (i = 0; i < 300; i++) {
        condreq_lock_t lock = lock_of(apr_psprintf(pool, "many/%d", i % 100),
                                      apr_psprintf(pool, "t:%d", i), "alice");

        wrong += act(store, PUT, &lock, pool) != APR_SUCCESS;
    }
    is_int(wrong, 0, "300 locks are stored");
    store->provider->txn(store, txn_body_see, &seen, &trouble, pool);
    is_int(seen.count, 300, "and shown");
    is_int(locks_counted(store, "many/", "alice", pool), 300, "and counted");
}

void test_locks(condreq_store_t *store, apr_pool_t *pool)
{
    test_scans(store, pool);
    test_whole(store, pool);
    test_counts(store, pool);
    test_aborted(store, pool);
    test_long(store, pool);
    test_many(store, pool);
}

/* ---- races ---- */

/* Takes a lock where there is none. */
typedef struct taking_t {
    condreq_lock_t lock;
    int taken;
    /** of the document that it is on, as it was then */
    apr_uint64_t version;
} taking_t;

static int notice(void *baton, const condreq_lock_t *lock)
{
    (void)lock;
    *(int *)baton = 1;
    return 0;
}

static apr_status_t txn_body_take(condreq_txn_t *txn, void *baton,
                                  apr_pool_t *pool)
{
    const condreq_store_provider_t *store = txn->store->provider;
    taking_t *taking = baton;
    condreq_lock_range_t range = {taking->lock.root, 0, NULL};
    condreq_record_t record;
    apr_uint64_t count;
    int is_there = 0;
    apr_status_t status = store->get(txn, taking->lock.root, &record);

    taking->taken = 0;
    taking->version = record.version;
    if (status == APR_SUCCESS)
        status = store->locks_count(txn, range.key, NULL, &count);
    if (status == APR_SUCCESS)
        status = store->locks_scan(txn, &range, notice, &is_there, pool);
    if (status != APR_SUCCESS || is_there)
        return status;
    taking->taken = 1;
    return store->lock_put(txn, &taking->lock);
}

static void take(crew_worker_t *worker, const char *key, taking_t *taking)
{
    condreq_trouble_t trouble;

    taking->lock =
        lock_of(key, apr_psprintf(worker->pool, "t:%d", worker->number), NULL);
    crew_trouble(worker,
                 worker->store->provider->txn(worker->store, txn_body_take,
                                              taking, &trouble, worker->pool),
                 &trouble);
}

static void work_take(crew_worker_t *worker)
{
    taking_t taking;
    int round;

    for (round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&worker->board->barrier);
        take(worker, apr_psprintf(worker->pool, "race/%d", round), &taking);
        worker->board->results[worker->number][round] =
            (apr_uint64_t)taking.taken;
    }
}

static int rounds_with_one_taker(const store_suite_t *suite, apr_pool_t *pool)
{
    crew_board_t *board = crew_run(suite, "take", work_take, pool);
    int rounds = 0, round, worker;

    if (!board || crew_troubles(board))
        return -1;
    for (round = 0; round < ROUNDS; round++) {
        apr_uint64_t takers = 0;

        for (worker = 0; worker < CREW_WORKERS; worker++)
            takers += board->results[worker][round];
        rounds += takers == 1;
    }
    return rounds;
}

/* Writes a document where its namespace has no lock. */
static apr_status_t txn_body_unless_locked(condreq_txn_t *txn, void *baton,
                                           apr_pool_t *pool)
{
    const condreq_store_provider_t *store = txn->store->provider;
    const char *key = baton;
    condreq_record_t current, next;
    int has_locks = 0;
    apr_status_t status = store->get(txn, key, &current);

    (void)pool;
    if (status == APR_SUCCESS)
        status = store->txn_has_locks(txn, key, &has_locks);
    if (status != APR_SUCCESS || has_locks)
        return status;
    condreq_record_next(&next, &current, apr_time_now());
    next.state = CONDREQ_LIVE;
    return store->put(txn, key, &next);
}

/* One takes the lock, seven write as long as they may. Whatever the lock's
 * taker saw is what stays. */
static void work_cross(crew_worker_t *worker)
{
    condreq_trouble_t trouble;
    taking_t taking;
    int round, i;

    for (round = 0; round < ROUNDS; round++) {
        char *key = apr_psprintf(worker->pool, "cross%d/doc", round);
        apr_uint64_t *result = &worker->board->results[worker->number][round];

        pthread_barrier_wait(&worker->board->barrier);
        if (worker->number == 0)
            take(worker, key, &taking);
        for (i = 0; i < 10 && worker->number; i++)
            crew_trouble(worker,
                         worker->store->provider->txn(
                             worker->store, txn_body_unless_locked, key,
                             &trouble, worker->pool),
                         &trouble);
        pthread_barrier_wait(&worker->board->barrier);
        *result = worker->number == 0
                      ? taking.version
                      : record_of(worker->store, key, worker->pool).version;
    }
}

static int rounds_without_crossing(const store_suite_t *suite, apr_pool_t *pool)
{
    crew_board_t *board = crew_run(suite, "cross", work_cross, pool);
    int rounds = 0, round;

    if (!board || crew_troubles(board))
        return -1;
    for (round = 0; round < ROUNDS; round++)
        rounds += board->results[0][round] == board->results[1][round];
    return rounds;
}

/* Takes and lets go, over and over: counts must not drift. */
static void work_come_and_go(crew_worker_t *worker)
{
    condreq_lock_t lock =
        lock_of("busy/a", apr_psprintf(worker->pool, "t:%d", worker->number),
                worker->number % 2 ? "alice" : "bob");
    int i;

    for (i = 0; i < 30; i++) {
        if (act(worker->store, PUT, &lock, worker->pool) ||
            (i < 29 && act(worker->store, REMOVE, &lock, worker->pool)))
            worker->board->troubles[worker->number]++;
    }
    pthread_barrier_wait(&worker->board->barrier);
    worker->board->results[worker->number][0] = (apr_uint64_t)locks_counted(
        worker->store, "busy/", worker->number % 2 ? "alice" : NULL,
        worker->pool);
}

static int counts_are_right(const store_suite_t *suite, apr_pool_t *pool)
{
    crew_board_t *board =
        crew_run(suite, "come-and-go", work_come_and_go, pool);

    return board && !crew_troubles(board) &&
           board->results[0][0] == CREW_WORKERS &&
           board->results[1][0] == CREW_WORKERS / 2;
}

void test_lock_races(const store_suite_t *suite, apr_pool_t *pool)
{
    is_int(rounds_with_one_taker(suite, pool), ROUNDS,
           "of 8 who lock one document exactly one does, in 20 rounds");
    is_int(rounds_without_crossing(suite, pool), ROUNDS,
           "no write comes behind the first lock of a namespace, in 20 rounds");
    ok(counts_are_right(suite, pool),
       "8 who lock and unlock at once leave the right counts");
}

/* ---- what outlives a process ---- */

typedef struct lock_visit_t {
    const store_suite_t *suite;
    apr_pool_t *pool;
} lock_visit_t;

static int lock_and_end(void *baton)
{
    lock_visit_t *visit = baton;
    condreq_store_t *store = crew_join(visit->suite, "locked", visit->pool);
    condreq_lock_t lock = lock_of("kept/a", "t:1", "alice");

    return !store || act(store, PUT, &lock, visit->pool);
}

void test_locks_kept(const store_suite_t *suite, apr_pool_t *pool)
{
    lock_visit_t visit = {suite, pool};
    condreq_store_t *store;

    crew_prepare(suite, "locked", pool);
    is_int(crew_apart(suite, lock_and_end, &visit), 0,
           "a process locks a document and ends");
    store = crew_open(suite, "locked", pool);
    if (!ok(store != NULL, "the store is prepared again, and opens"))
        return;
    is_text(locks_said(store, "kept/a", 0, NULL, 9, pool), "kept/a#t:1",
            "the lock is there");
    is_int(locks_counted(store, "kept/", "alice", pool), 1, "and counted");
}
