/* Clients: threads that write documents as a handler does, and the history of
 * what they wrote, with the place in the trace where each call began and where
 * its client was told.
 * Knows the write path and the store's interface; no disk. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "apr_strings.h"

#include "power.h"

#define THREADS 6
#define BODY_LONGEST 12000u

history_t *history;

condreq_store_config_t work_config(const char *path, int nosync)
{
    condreq_store_config_t config = {path, CONDREQ_SYNC, 512u << 10, 16,
                                     5 * APR_USEC_PER_SEC};

    if (nosync)
        config.durability = CONDREQ_WRITE_NOSYNC;
    return config;
}

const char *work_key(unsigned key, apr_pool_t *pool)
{
    if (key < DOCUMENTS)
        return apr_psprintf(pool, "localhost/docs/%u", key);
    if (key < DOCUMENTS + PAIR)
        return apr_psprintf(pool, "localhost/pair/%u", key - DOCUMENTS);
    return apr_psprintf(pool, COLLECTION "%u", key - DOCUMENTS - PAIR + 1);
}

static unsigned key_of_number(unsigned number)
{
    return DOCUMENTS + PAIR + number - 1;
}

/* Most are small; some are long enough for many chunks, one has none. */
static apr_size_t body_length(apr_uint64_t seed)
{
    switch (seed % 8) {
    case 0:
        return 1000 + seed * 2654435761u % (BODY_LONGEST - 1000);
    case 1:
        return seed % 3 ? 989 : 0;
    default:
        return 1 + seed * 2654435761u % 600;
    }
}

void work_body(char *bytes, apr_size_t length, apr_uint64_t seed)
{
    apr_size_t i;

    for (i = 0; i < length; i++)
        bytes[i] =
            (char)('a' + (seed * 31 + i * (seed % 11 + 1) + i / 97) % 26);
}

static const condreq_rules_t rules = {
    .strategy = {CONDREQ_STRATEGY_VERSION, NULL, 0},
    .evaluate = CONDREQ_EVALUATE_RFC9110,
    .max_body = 1 << 20,
};

static condreq_content_t content_of(apr_uint64_t seed, apr_pool_t *pool)
{
    condreq_content_t content = {NULL, body_length(seed), NULL, "text/plain"};
    char *bytes = apr_palloc(pool, content.length + 1);

    work_body(bytes, content.length, seed);
    content.bytes = bytes;
    return content;
}

/* ---- one, made or replaced or removed ---- */

int work_write(condreq_store_t *store, unsigned key, apr_uint64_t seed,
               written_t *written, apr_pool_t *pool)
{
    condreq_precondition_fields_t fields = {NULL, NULL, NULL, NULL, NULL, NULL};
    const char *name = work_key(key, pool);
    condreq_resource_t resource = {store, &rules, name, strchr(name, '/'),
                                   NULL};
    condreq_content_t content = content_of(seed, pool);
    condreq_preconditions_t pre;
    condreq_trouble_t trouble;
    condreq_write_t write;

    condreq_preconditions_parse(&pre, &fields, 0, pool);
    memset(&write, 0, sizeof write);
    write.resource = &resource;
    write.preconditions = &pre;
    write.content = seed % 9 == 4 ? NULL : &content;
    written->seed = seed;
    written->incarnation = store->incarnation;
    if (condreq_document_write(&write, &trouble, pool)) {
        printf("# writing %s: %s\n", name, trouble.sentence);
        return 0;
    }
    written->record = write.record;
    return 1;
}

unsigned work_create(condreq_store_t *store, apr_uint64_t seed,
                     written_t *written, apr_pool_t *pool)
{
    condreq_precondition_fields_t fields = {NULL, NULL, NULL, NULL, NULL, NULL};
    condreq_resource_t collection = {store, &rules, COLLECTION,
                                     strchr(COLLECTION, '/'), NULL};
    condreq_content_t content = content_of(seed, pool);
    condreq_resource_t *created = NULL;
    condreq_preconditions_t pre;
    condreq_trouble_t trouble;
    condreq_write_t write;

    condreq_preconditions_parse(&pre, &fields, 0, pool);
    memset(&write, 0, sizeof write);
    write.resource = &collection;
    write.preconditions = &pre;
    write.content = &content;
    written->seed = seed;
    written->incarnation = store->incarnation;
    if (condreq_document_create(&created, &write, CONDREQ_IDS_SEQUENCE,
                                &trouble, pool)) {
        printf("# creating: %s\n", trouble.sentence);
        return 0;
    }
    written->record = write.record;
    return (unsigned)atoi(strrchr(created->key, '/') + 1);
}

/* ---- two at once ---- */

typedef struct pair_t {
    const char *keys[PAIR];
    condreq_content_t content;
    condreq_record_t records[PAIR];
} pair_t;

static apr_status_t put_one(condreq_txn_t *txn, pair_t *pair, unsigned i)
{
    const condreq_store_provider_t *store = txn->store->provider;
    condreq_record_t current, *next = &pair->records[i];
    apr_status_t status = store->get(txn, pair->keys[i], &current);

    if (status != APR_SUCCESS)
        return status;
    condreq_record_next(next, &current, apr_time_now());
    next->state = CONDREQ_LIVE;
    next->body_length = pair->content.length;
    strcpy(next->media_type, pair->content.media_type);
    SHA256((const unsigned char *)pair->content.bytes, pair->content.length,
           next->sha256);
    if (current.state == CONDREQ_LIVE)
        status = store->body_remove(txn, pair->keys[i], &current);
    if (status == APR_SUCCESS)
        status = store->body_put(txn, pair->keys[i], next, pair->content.bytes);
    return status ? status : store->put(txn, pair->keys[i], next);
}

/* May run more than once. */
static apr_status_t txn_body_pair(condreq_txn_t *txn, void *baton,
                                  apr_pool_t *pool)
{
    apr_status_t status = put_one(txn, baton, 0);

    (void)pool;
    return status ? status : put_one(txn, baton, 1);
}

int work_write_pair(condreq_store_t *store, apr_uint64_t seed,
                    written_t written[PAIR], apr_pool_t *pool)
{
    condreq_trouble_t trouble;
    pair_t pair;
    unsigned i;

    pair.content = content_of(seed, pool);
    for (i = 0; i < PAIR; i++)
        pair.keys[i] = work_key(DOCUMENTS + i, pool);
    if (store->provider->txn(store, txn_body_pair, &pair, &trouble, pool)) {
        printf("# writing a pair: %s\n", trouble.sentence);
        return 0;
    }
    for (i = 0; i < PAIR; i++) {
        written[i].record = pair.records[i];
        written[i].seed = seed;
        written[i].incarnation = store->incarnation;
    }
    return 1;
}

/* ---- threads ---- */

typedef struct thread_t {
    condreq_store_t *store;
    unsigned round;
    unsigned number;
    unsigned writes;
    unsigned random;
    unsigned failed;
} thread_t;

static _Atomic(int) over;

static unsigned next_random(thread_t *thread)
{
    thread->random = thread->random * 1664525u + 1013904223u;
    return thread->random >> 8;
}

static void enter(unsigned key, const written_t *written)
{
    if (key < KEYS && written->record.version < VERSIONS_MAX)
        history->versions[key][written->record.version] = *written;
    else
        abort();
}

/* The mark comes after the client was told, and before the next call. */
static int write_one(thread_t *thread, apr_uint64_t seed, apr_pool_t *pool)
{
    unsigned kind = next_random(thread) % 12, number;
    unsigned key = next_random(thread) % DOCUMENTS;
    written_t written[PAIR];

    memset(written, 0, sizeof written);
    written[0].began = written[1].began = trace_mark();
    if (kind == 0) {
        if (!(number = work_create(thread->store, seed, written, pool)) ||
            number > CREATED_MAX)
            return 0;
        key = key_of_number(number);
    }
    else if (kind == 1) {
        if (!work_write_pair(thread->store, seed, written, pool))
            return 0;
        written[1].acknowledged = trace_mark();
        enter(DOCUMENTS + 1, &written[1]);
        key = DOCUMENTS;
    }
    else if (!work_write(thread->store, key, seed, written, pool))
        return 0;
    written[0].acknowledged =
        kind == 1 ? written[1].acknowledged : trace_mark();
    enter(key, &written[0]);
    return 1;
}

static void *thread_run(void *baton)
{
    thread_t *thread = baton;
    apr_uint64_t seed =
        (apr_uint64_t)thread->round << 24 | (apr_uint64_t)thread->number << 16;
    apr_pool_t *pool;
    unsigned i;

    apr_pool_create(&pool, NULL);
    for (i = 0; i < thread->writes && !thread->failed; i++) {
        apr_pool_clear(pool);
        thread->failed = !write_one(thread, seed | i, pool);
    }
    apr_pool_destroy(pool);
    return NULL;
}

/* As the housekeeper does it, but oftener: the whole takes a second. */
static void *house_run(void *baton)
{
    condreq_store_t *store = baton;
    condreq_trouble_t trouble;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    while (!atomic_load(&over)) {
        apr_pool_clear(pool);
        store->provider->maintain(store, &trouble, pool);
        usleep(20000);
    }
    apr_pool_destroy(pool);
    return NULL;
}

static unsigned set_to_work(condreq_store_t *store, unsigned round,
                            unsigned writes)
{
    pthread_t threads[THREADS], house;
    thread_t batons[THREADS];
    unsigned i, failed = 0;

    memset(batons, 0, sizeof batons);
    pthread_create(&house, NULL, house_run, store);
    for (i = 0; i < THREADS; i++) {
        batons[i].store = store;
        batons[i].round = round;
        batons[i].number = i;
        batons[i].writes = writes / THREADS;
        batons[i].random = round * 7919u + i * 104729u + 1;
        pthread_create(&threads[i], NULL, thread_run, &batons[i]);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        failed += batons[i].failed;
    }
    atomic_store(&over, 1);
    pthread_join(house, NULL);
    return failed;
}

/* ---- rounds ---- */

static void lose(unsigned key, const written_t *written)
{
    if (history->lost_count == sizeof history->lost / sizeof history->lost[0])
        abort();
    history->lost[history->lost_count].key = key;
    history->lost[history->lost_count++].written = *written;
}

/* What the last power cut left is what this round begins with; what it took
 * may have been handed out all the same, unless its call never returned. */
static void adopt(const apr_uint64_t found[KEYS], apr_uint64_t cut)
{
    unsigned key, version;

    for (key = 0; key < KEYS; key++)
        for (version = 1; version < VERSIONS_MAX; version++) {
            written_t *written = &history->versions[key][version];

            if (written->record.state == CONDREQ_ABSENT)
                continue;
            if (version > found[key]) {
                if (written->acknowledged < cut)
                    lose(key, written);
                memset(written, 0, sizeof *written);
            }
            written->began = written->acknowledged = 0;
        }
}

typedef struct run_t {
    const char *path;
    int nosync;
    unsigned round;
    unsigned writes;
    apr_uint64_t cut;
} run_t;

static int run_apart(void *baton)
{
    const run_t *run = baton;
    condreq_store_config_t config = work_config(run->path, run->nosync);
    apr_uint64_t found[KEYS];
    condreq_trouble_t trouble = {""};
    condreq_store_t *store;
    apr_pool_t *pool;
    char boot[40];

    apr_pool_create(&pool, NULL);
    snprintf(boot, sizeof boot, "round-%u", run->round);
    trace_boot(boot);
    trace_record();
    if (condreq_store_bdb.prepare(&config, &trouble, pool) ||
        condreq_store_bdb.open(&store, &config, &trouble, pool)) {
        printf("# round %u: %s\n", run->round, trouble.sentence);
        return 1;
    }
    judge_contents(store, run->cut, run->nosync, found, pool);
    adopt(found, run->cut);
    return (int)set_to_work(store, run->round, run->writes);
}

void work_run(const char *path, int nosync, unsigned round, unsigned writes,
              apr_uint64_t cut)
{
    run_t run = {path, nosync, round, writes, cut};

    if (power_apart(run_apart, &run) != 0)
        power_violation(VIOLATION_WRITE, "round %u did not end well", round);
}
