/* Races: what eight workers do to one store at once, counted.
 * Knows writes and crews; judges nothing. */
#include <stdlib.h>
#include <string.h>

#include "apr_strings.h"

#include "crew.h"
#include "races.h"
#include "writes.h"

#define HOT "localhost/hot"
#define BODY "some bytes that all of them write"

static void conditional_write(crew_worker_t *worker, const char *key,
                              apr_uint64_t expected, apr_uint64_t *performed)
{
    condreq_trouble_t trouble;
    write_t write = {0};

    write.key = key;
    write.expected = expected;
    write.state = CONDREQ_LIVE;
    write.body = BODY;
    write.length = sizeof(BODY) - 1;
    crew_trouble(worker,
                 write_run(worker->store, &write, &trouble, worker->pool),
                 &trouble);
    *performed = (apr_uint64_t)write.performed;
}

static int rounds_with_one_winner(const crew_board_t *board)
{
    int rounds = 0, round, worker;

    if (!board || crew_troubles(board))
        return -1;
    for (round = 0; round < RACE_ROUNDS; round++) {
        apr_uint64_t winners = 0;

        for (worker = 0; worker < CREW_WORKERS; worker++)
            winners += board->results[worker][round];
        rounds += winners == 1;
    }
    return rounds;
}

static void work_one_version(crew_worker_t *worker)
{
    apr_uint64_t round;

    for (round = 0; round < RACE_ROUNDS; round++) {
        pthread_barrier_wait(&worker->board->barrier);
        conditional_write(worker, HOT, round,
                          &worker->board->results[worker->number][round]);
    }
}

int race_one_winner(const store_suite_t *suite, apr_pool_t *pool)
{
    return rounds_with_one_winner(
        crew_run(suite, "one-winner", work_one_version, pool));
}

static void work_create(crew_worker_t *worker)
{
    int round;

    for (round = 0; round < RACE_ROUNDS; round++) {
        const char *key = apr_psprintf(worker->pool, "localhost/%d", round);

        pthread_barrier_wait(&worker->board->barrier);
        conditional_write(worker, key, 0,
                          &worker->board->results[worker->number][round]);
    }
}

int race_create_only(const store_suite_t *suite, apr_pool_t *pool)
{
    return rounds_with_one_winner(
        crew_run(suite, "create-only", work_create, pool));
}

static void work_hot(crew_worker_t *worker)
{
    apr_uint64_t performed;
    int i;

    for (i = 0; i < RACE_WRITES; i++)
        conditional_write(worker, HOT, ANY_VERSION, &performed);
}

/* Each reads only once the others have written. */
static void work_and_look(crew_worker_t *worker,
                          void (*work)(crew_worker_t *worker), const char *key)
{
    condreq_record_t record;

    work(worker);
    pthread_barrier_wait(&worker->board->barrier);
    record = record_of(worker->store, key, worker->pool);
    worker->board->results[worker->number][0] = record.version;
}

static int version_seen_by_all(const crew_board_t *board)
{
    int worker;

    if (!board || crew_troubles(board))
        return -1;
    for (worker = 1; worker < CREW_WORKERS; worker++)
        if (board->results[worker][0] != board->results[0][0])
            return -1;
    return (int)board->results[0][0];
}

static void work_hot_and_look(crew_worker_t *worker)
{
    work_and_look(worker, work_hot, HOT);
}

int race_hot_document(const store_suite_t *suite, apr_pool_t *pool)
{
    return version_seen_by_all(crew_run(suite, "hot", work_hot_and_look, pool));
}

/* Two documents, the first of which is locked first. */
typedef struct pair_t {
    const char *keys[2];
} pair_t;

static apr_status_t advance(condreq_txn_t *txn, const char *key)
{
    const condreq_store_provider_t *store = txn->store->provider;
    condreq_record_t current, next;
    apr_status_t status = store->get(txn, key, &current);

    if (status != APR_SUCCESS)
        return status;
    condreq_record_next(&next, &current, apr_time_now());
    next.state = CONDREQ_LIVE;
    return store->put(txn, key, &next);
}

static apr_status_t txn_body_pair(condreq_txn_t *txn, void *baton,
                                  apr_pool_t *pool)
{
    pair_t *pair = baton;
    apr_status_t status = advance(txn, pair->keys[0]);

    (void)pool;
    return status ? status : advance(txn, pair->keys[1]);
}

static void work_pairs(crew_worker_t *worker)
{
    pair_t pair = {{"localhost/left", "localhost/right"}};
    condreq_trouble_t trouble;
    int i;

    if (worker->number % 2) {
        pair.keys[0] = "localhost/right";
        pair.keys[1] = "localhost/left";
    }
    for (i = 0; i < RACE_WRITES; i++)
        crew_trouble(worker,
                     worker->store->provider->txn(worker->store, txn_body_pair,
                                                  &pair, &trouble,
                                                  worker->pool),
                     &trouble);
}

static void work_pairs_and_look(crew_worker_t *worker)
{
    work_and_look(worker, work_pairs,
                  worker->number % 2 ? "localhost/left" : "localhost/right");
}

int race_opposite_orders(const store_suite_t *suite, apr_pool_t *pool)
{
    return version_seen_by_all(
        crew_run(suite, "opposite", work_pairs_and_look, pool));
}

static void work_draws(crew_worker_t *worker)
{
    condreq_trouble_t trouble;
    int i;

    for (i = 0; i < RACE_DRAWS; i++)
        crew_trouble(worker,
                     worker->store->provider->draw(
                         worker->store, "localhost/posts/",
                         &worker->board->results[worker->number][i], &trouble,
                         worker->pool),
                     &trouble);
}

static int by_number(const void *a, const void *b)
{
    apr_uint64_t x = *(const apr_uint64_t *)a, y = *(const apr_uint64_t *)b;

    return (x > y) - (x < y);
}

int race_draws(const store_suite_t *suite, apr_pool_t *pool)
{
    apr_uint64_t drawn[CREW_WORKERS * RACE_DRAWS];
    crew_board_t *board = crew_run(suite, "draws", work_draws, pool);
    int different = 1, i;

    if (!board || crew_troubles(board))
        return -1;
    for (i = 0; i < CREW_WORKERS; i++)
        memcpy(drawn + i * RACE_DRAWS, board->results[i],
               RACE_DRAWS * sizeof(drawn[0]));
    qsort(drawn, CREW_WORKERS * RACE_DRAWS, sizeof(drawn[0]), by_number);
    for (i = 1; i < CREW_WORKERS * RACE_DRAWS; i++)
        different += drawn[i] != drawn[i - 1];
    return different;
}

#define CHANGING "localhost/changing"
#define LENGTH_MAX 9000

/* A length names a seed, so a record says which bytes are its own. */
static apr_size_t length_of(apr_uint64_t seed)
{
    return 1000 + (apr_size_t)(seed * 997 % (LENGTH_MAX - 1000));
}

static void write_changing(crew_worker_t *worker)
{
    char bytes[LENGTH_MAX];
    int i;

    for (i = 0; i < 3 * RACE_WRITES; i++) {
        apr_uint64_t seed = (apr_uint64_t)(worker->number * 1000 + i);
        apr_size_t length = length_of(seed);

        pattern_fill(bytes, length, length);
        if (write_document(worker->store, CHANGING, bytes, length,
                           worker->pool))
            worker->board->troubles[worker->number]++;
    }
}

/* Piece by piece, as an answer is written. */
static apr_status_t read_changing(crew_worker_t *worker,
                                  const condreq_record_t *record, char *bytes)
{
    apr_uint64_t at, length;
    condreq_trouble_t trouble;
    apr_status_t status = APR_SUCCESS;

    for (at = 0; at < record->body_length && status == APR_SUCCESS;
         at += length) {
        length =
            record->body_length - at < 700 ? record->body_length - at : 700;
        status = worker->store->provider->body_read(
            worker->store, CHANGING, record, at, bytes + at, (apr_size_t)length,
            &trouble, worker->pool);
    }
    if (status != APR_NOTFOUND)
        crew_trouble(worker, status, &trouble);
    return status;
}

static void watch_changing(crew_worker_t *worker)
{
    apr_uint64_t *mixed = &worker->board->results[worker->number][0];
    apr_uint64_t *whole = &worker->board->results[worker->number][1];
    char bytes[LENGTH_MAX];

    while (*whole < 3 * RACE_WRITES) {
        condreq_record_t record =
            record_of(worker->store, CHANGING, worker->pool);
        apr_size_t length = (apr_size_t)record.body_length;

        if (record.state != CONDREQ_LIVE ||
            read_changing(worker, &record, bytes) != APR_SUCCESS)
            continue;
        ++*whole;
        *mixed += !pattern_holds(bytes, length, length);
    }
}

static void work_changing(crew_worker_t *worker)
{
    if (worker->number % 2)
        watch_changing(worker);
    else
        write_changing(worker);
}

int race_readers(const store_suite_t *suite, apr_pool_t *pool)
{
    crew_board_t *board = crew_run(suite, "readers", work_changing, pool);
    int mixed = 0, i;

    if (!board || crew_troubles(board))
        return -1;
    for (i = 1; i < CREW_WORKERS; i += 2)
        mixed += (int)board->results[i][0];
    return mixed;
}
