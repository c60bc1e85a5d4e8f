/* What a Berkeley DB store was sized for, and what it does with bytes that
 * are not ours.
 * Knows the environment behind the store, to put such bytes there. */
#include <stdlib.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "bdb/condreq_bdb.h"
#include "store/crew.h"
#include "store/leaks.h"
#include "store/scratch.h"
#include "store/writes.h"
#include "tap.h"

#define THREADS 400
#define LARGE (64u << 20)

static store_suite_t suite = {&condreq_store_bdb, NULL, 1};
static apr_pool_t *pool;

static int put_raw(DB *tree, const void *key, size_t key_length,
                   const void *value, size_t value_length)
{
    DBT at = {0}, bytes = {0};

    memcpy(&at.data, &key, sizeof(key));
    at.size = (u_int32_t)key_length;
    memcpy(&bytes.data, &value, sizeof(value));
    bytes.size = (u_int32_t)value_length;
    return tree->put(tree, NULL, &at, &bytes, 0);
}

/* A record under its key's shard, written by a later version of ours. */
static int write_later_record(void *baton)
{
    condreq_store_t *store = crew_join(&suite, baton, pool);
    unsigned char key[64] = {0}, record[84] = {3, 1};

    if (!store)
        return 1;
    key[0] = (unsigned char)(bdb_key_hash("h/later") >> 24);
    memcpy(key + 1, "h/later", 7);
    return put_raw(((bdb_store_t *)store)->versions, key, 8, record,
                   sizeof(record));
}

static apr_status_t txn_body_get(condreq_txn_t *txn, void *baton,
                                 apr_pool_t *body_pool)
{
    condreq_record_t record;

    (void)body_pool;
    return txn->store->provider->get(txn, baton, &record);
}

static void test_later_record(void)
{
    condreq_trouble_t trouble = {""};
    condreq_record_t record;
    condreq_store_t *store;
    char key[] = "h/later", name[] = "records";

    crew_prepare(&suite, name, pool);
    crew_apart(&suite, write_later_record, name);
    if (!ok((store = crew_join(&suite, name, pool)) != NULL,
            "a store with one record of a later format opens"))
        return;
    is_int(store->provider->lookup(store, key, &record, &trouble, pool),
           CONDREQ_EFORMAT, "that record is refused");
    ok(strstr(trouble.sentence, key) != NULL, "by name: %s", trouble.sentence);
    is_int(store->provider->txn(store, txn_body_get, key, &trouble, pool),
           CONDREQ_EFORMAT, "inside a transaction too");
    is_int(write_document(store, "h/other", "", 0, pool), APR_SUCCESS,
           "others are as good as ever");
}

/* A counter of the store's own: 'f' its format, 'i' its incarnation. */
static int write_counter(const char *name, char kind, unsigned char number)
{
    condreq_store_t *store = crew_join(&suite, name, pool);
    unsigned char value[8] = {0};

    value[7] = number;
    return store ? put_raw(((bdb_store_t *)store)->counters, &kind, 1, value,
                           sizeof(value))
                 : 1;
}

static int write_later_format(void *baton)
{
    return write_counter(baton, 'f', 3);
}

static int write_incarnation(void *baton)
{
    return write_counter(baton, 'i', 3);
}

static void test_later_store(void)
{
    char name[] = "store";
    condreq_store_config_t config = suite_config(&suite, name, pool);
    condreq_trouble_t trouble = {""};
    condreq_store_t *store;

    crew_prepare(&suite, name, pool);
    crew_apart(&suite, write_later_format, name);
    is_int(suite.provider->open(&store, &config, &trouble, pool),
           CONDREQ_EFORMAT, "a store of a later format is refused");
    ok(trouble.sentence[0] != '\0', "with a sentence: %s", trouble.sentence);
    is_int(suite.provider->prepare(&config, &trouble, pool), CONDREQ_EFORMAT,
           "nor is it prepared");
}

static void test_incarnation(void)
{
    char name[] = "incarnation";
    condreq_store_t *store;

    crew_prepare(&suite, name, pool);
    crew_apart(&suite, write_incarnation, name);
    store = crew_open(&suite, name, pool);
    is_int(store ? (long long)store->incarnation : -1, 3,
           "a store knows its incarnation, prepared again too");
}

typedef struct insider_t {
    condreq_store_t *store;
    pthread_barrier_t *inside;
    char key[32];
    apr_status_t status;
} insider_t;

/* Nobody leaves before all are inside; so they only read, and wait for no
 * page of one another. */
static apr_status_t txn_body_meet(condreq_txn_t *txn, void *baton,
                                  apr_pool_t *body_pool)
{
    insider_t *insider = baton;
    int has_members;

    (void)body_pool;
    insider->status =
        txn->store->provider->has_members(txn, insider->key, &has_members);
    pthread_barrier_wait(insider->inside);
    return insider->status;
}

static void *meet(void *baton)
{
    insider_t *insider = baton;
    condreq_trouble_t trouble;
    apr_pool_t *own;

    apr_pool_create(&own, NULL);
    insider->status = insider->store->provider->txn(
        insider->store, txn_body_meet, insider, &trouble, own);
    apr_pool_destroy(own);
    return NULL;
}

static condreq_store_t *open_sized(const char *name, unsigned threads)
{
    condreq_store_config_t config = suite_config(&suite, name, pool);
    condreq_trouble_t trouble = {""};
    condreq_store_t *store = NULL;

    config.threads = threads;
    config.cache_bytes = 128u << 20;
    if (suite.provider->prepare(&config, &trouble, pool) ||
        suite.provider->open(&store, &config, &trouble, pool))
        printf("# %s\n", trouble.sentence);
    return store;
}

static void test_all_threads(void)
{
    static insider_t insiders[THREADS];
    static pthread_t threads[THREADS];
    condreq_store_t *store = open_sized("threads", THREADS);
    pthread_barrier_t inside;
    pthread_attr_t small;
    int inside_count = 0, i;

    if (!store)
        return;
    pthread_barrier_init(&inside, NULL, THREADS);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 << 10);
    for (i = 0; i < THREADS; i++) {
        insiders[i].store = store;
        insiders[i].inside = &inside;
        snprintf(insiders[i].key, sizeof(insiders[i].key), "h/%d/", i);
        pthread_create(&threads[i], &small, meet, &insiders[i]);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        inside_count += insiders[i].status == APR_SUCCESS;
    }
    is_int(inside_count, THREADS,
           "as many threads as it was sized for are in a transaction at once");
}

typedef struct large_t {
    condreq_store_t *store;
    const char *key;
    const char *bytes;
    apr_status_t status;
} large_t;

static void *write_large(void *baton)
{
    large_t *large = baton;
    apr_pool_t *own;

    apr_pool_create(&own, NULL);
    large->status =
        write_document(large->store, large->key, large->bytes, LARGE, own);
    apr_pool_destroy(own);
    return NULL;
}

static void test_large_bodies(void)
{
    condreq_store_t *store = open_sized("large", 8);
    char *bytes = malloc(LARGE);
    large_t large[2] = {{store, "h/one", bytes, APR_EGENERAL},
                        {store, "h/two", bytes, APR_EGENERAL}};
    pthread_t other;

    if (!store || !bytes)
        return;
    pattern_fill(bytes, LARGE, 1);
    pthread_create(&other, NULL, write_large, &large[1]);
    write_large(&large[0]);
    pthread_join(other, NULL);
    ok(large[0].status == APR_SUCCESS && large[1].status == APR_SUCCESS,
       "two bodies of 64 MiB are written at once");
    write_large(&large[0]);
    is_int(large[0].status, APR_SUCCESS, "and one of them replaced");
    free(bytes);
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (!(suite.directory = scratch_make()))
        return 1;
    test_later_record();
    test_later_store();
    test_incarnation();
    test_all_threads();
    test_large_bodies();
    scratch_remove(suite.directory);
    return done_testing();
}
