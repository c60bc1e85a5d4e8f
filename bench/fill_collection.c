/* A store with one collection of many documents, for bench/listing.
 * Knows the store's interface alone.
 * usage: fill_collection directory collection-key documents */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "condreq_store.h"

/* In one transaction, so that a million take a minute. */
#define AT_ONCE 50

typedef struct filling_t {
    const char *collection;
    unsigned long from;
    unsigned long to;
} filling_t;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "fill_collection: %s: %s\n", what, why);
    exit(1);
}

static apr_status_t put_one(condreq_txn_t *txn, const char *key,
                            apr_pool_t *pool)
{
    const condreq_store_provider_t *store = txn->store->provider;
    const char *body = apr_psprintf(pool, "{\"at\": \"%s\"}", key);
    condreq_record_t current, next;
    apr_status_t status = store->get(txn, key, &current);

    if (status != APR_SUCCESS)
        return status;
    condreq_record_next(&next, &current, apr_time_now());
    next.state = CONDREQ_LIVE;
    next.sequence_id = 1;
    next.body_length = strlen(body);
    memcpy(next.media_type, "application/json", 17);
    status = store->body_put(txn, key, &next, body);
    return status ? status : store->put(txn, key, &next);
}

static apr_status_t txn_body_fill(condreq_txn_t *txn, void *baton,
                                  apr_pool_t *pool)
{
    filling_t *filling = baton;
    apr_status_t status = APR_SUCCESS;
    unsigned long i;

    for (i = filling->from; i < filling->to && status == APR_SUCCESS; i++)
        status = put_one(
            txn, apr_psprintf(pool, "%s%lu", filling->collection, i), pool);
    return status;
}

static void fill(condreq_store_t *store, const char *collection,
                 unsigned long documents, apr_pool_t *pool)
{
    condreq_trouble_t trouble;
    apr_pool_t *each;
    filling_t filling;

    apr_pool_create(&each, pool);
    filling.collection = collection;
    for (filling.from = 1; filling.from <= documents;
         filling.from = filling.to) {
        apr_pool_clear(each);
        filling.to = filling.from + AT_ONCE;
        if (filling.to > documents + 1)
            filling.to = documents + 1;
        if (store->provider->txn(store, txn_body_fill, &filling, &trouble,
                                 each))
            die("writing", trouble.sentence);
        if (filling.from % 20000 < AT_ONCE &&
            store->provider->maintain(store, &trouble, each))
            die("keeping", trouble.sentence);
    }
}

int main(int argc, char **argv)
{
    condreq_store_config_t config = {NULL, CONDREQ_WRITE_NOSYNC, 64u << 20, 64,
                                     30 * APR_USEC_PER_SEC};
    condreq_trouble_t trouble;
    condreq_store_t *store;
    apr_pool_t *pool;

    if (argc != 4)
        die("usage", "directory collection-key documents");
    apr_initialize();
    apr_pool_create(&pool, NULL);
    config.path = argv[1];
    if (condreq_store_bdb.prepare(&config, &trouble, pool) ||
        condreq_store_bdb.open(&store, &config, &trouble, pool))
        die("opening", trouble.sentence);
    fill(store, argv[2], strtoul(argv[3], NULL, 10), pool);
    if (store->provider->maintain(store, &trouble, pool))
        die("keeping", trouble.sentence);
    return 0;
}
