/* The store's side, over Berkeley DB or in memory.
 * Knows the store's interface as the write path uses it; no request. */
#include <stdio.h>
#include <string.h>

#include "apr_strings.h"

#include "../../lib/bdb/condreq_bdb.h"
#include "side.h"

static condreq_store_config_t store_config(void)
{
    condreq_store_config_t config;
    static char path[512];

    snprintf(path, sizeof(path), "%s/store", side_setting.path);
    config.path = path;
    config.durability =
        side_setting.nosync ? CONDREQ_WRITE_NOSYNC : CONDREQ_SYNC;
    config.cache_bytes = side_setting.cache_bytes;
    config.threads = SIDE_THREADS_MAX;
    config.wait_us = 10 * APR_USEC_PER_SEC;
    return config;
}

static const char *key_of(unsigned document, apr_pool_t *pool)
{
    return apr_psprintf(pool, "localhost/documents/%u", document);
}

typedef struct writing_t {
    const char *key;
    apr_time_t now;
    int first;
} writing_t;

static apr_status_t txn_body_update(condreq_txn_t *txn, void *baton,
                                    apr_pool_t *pool)
{
    const condreq_store_provider_t *store = txn->store->provider;
    writing_t *writing = baton;
    condreq_record_t current, next;
    apr_status_t status;

    (void)pool;
    if ((status = store->get(txn, writing->key, &current)))
        return status;
    if ((current.state == CONDREQ_ABSENT) != writing->first)
        return APR_EGENERAL;
    condreq_record_next(&next, &current, writing->now);
    next.state = CONDREQ_LIVE;
    next.body_length = side_setting.body_length;
    memcpy(next.media_type, "application/json", 17);
    if (!writing->first && !side_setting.remove_last &&
        (status = store->body_remove(txn, writing->key, &current)))
        return status;
    if ((status = store->body_put(txn, writing->key, &next, side_body())) ||
        (status = store->put(txn, writing->key, &next)))
        return status;
    if (!writing->first && side_setting.remove_last)
        return store->body_remove(txn, writing->key, &current);
    return APR_SUCCESS;
}

static void store_write(condreq_store_t *store, unsigned document, int first,
                        apr_pool_t *pool)
{
    writing_t writing = {key_of(document, pool), apr_time_now(), first};
    condreq_trouble_t trouble;

    if (store->provider->txn(store, txn_body_update, &writing, &trouble, pool))
        side_die("update", trouble.sentence);
}

static void store_update(void *opened, unsigned document, apr_pool_t *pool)
{
    store_write(opened, document, 0, pool);
}

static condreq_store_t *open_with(const condreq_store_provider_t *provider,
                                  const condreq_store_config_t *config,
                                  apr_pool_t *pool)
{
    condreq_trouble_t trouble;
    condreq_store_t *store;

    if (provider->open(&store, config, &trouble, pool))
        side_die("open", trouble.sentence);
    return store;
}

/* Without flushes: what is there to begin with is no part of a measurement. */
static void prepare_with(const condreq_store_provider_t *provider)
{
    condreq_store_config_t config = store_config();
    condreq_trouble_t trouble;
    condreq_store_t *store;
    apr_pool_t *lasting, *pool;
    unsigned document;

    apr_pool_create(&lasting, NULL);
    apr_pool_create(&pool, lasting);
    config.durability = CONDREQ_WRITE_NOSYNC;
    if (provider->prepare(&config, &trouble, lasting))
        side_die("prepare", trouble.sentence);
    store = open_with(provider, &config, lasting);
    for (document = 0; document < side_setting.documents; document++) {
        apr_pool_clear(pool);
        store_write(store, document, 1, pool);
        if (document % 100000 == 99999)
            provider->maintain(store, &trouble, pool);
    }
    if (provider->maintain(store, &trouble, pool))
        side_die("prepare", trouble.sentence);
}

static void store_maintain(void *opened)
{
    condreq_store_t *store = opened;
    condreq_trouble_t trouble;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    if (store->provider->maintain(store, &trouble, pool))
        side_die("maintain", trouble.sentence);
    apr_pool_destroy(pool);
}

/* ---- Berkeley DB ---- */

static void prepare_bdb(void)
{
    prepare_with(&condreq_store_bdb);
}

static void *open_bdb(void)
{
    condreq_store_config_t config = store_config();
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    return open_with(&condreq_store_bdb, &config, pool);
}

/* Of shared memory nothing but what is this run's own. */
static void remove_bdb(void)
{
    condreq_store_config_t config = store_config();
    condreq_trouble_t trouble;
    bdb_places_t places;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    if (bdb_places_find(&places, config.path, &trouble, pool) == APR_SUCCESS)
        bdb_places_remove_regions(places.regions, pool);
}

const side_t side_bdb = {"bdb",        prepare_bdb,    open_bdb,
                         store_update, store_maintain, remove_bdb};

/* ---- memory ---- */

static void prepare_mem(void)
{
    prepare_with(&condreq_store_mem);
}

static void *open_mem(void)
{
    condreq_store_config_t config = store_config();
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    return open_with(&condreq_store_mem, &config, pool);
}

static void remove_mem(void)
{
}

const side_t side_mem = {"mem",        prepare_mem,    open_mem,
                         store_update, store_maintain, remove_mem};
