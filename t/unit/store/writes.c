/* The writes that the suite is made of.
 * Knows how a handler uses a store: get, decide, put; no TAP. */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "writes.h"

static int condition_holds(const write_t *write)
{
    return write->expected == ANY_VERSION ||
           write->expected == write->before.version;
}

/* The old body goes first, so that the new one takes its place. */
static apr_status_t replace(condreq_txn_t *txn, write_t *write)
{
    const condreq_store_provider_t *store = txn->store->provider;
    apr_status_t status = APR_SUCCESS;

    if (write->before.state == CONDREQ_LIVE)
        status = store->body_remove(txn, write->key, &write->before);
    if (status == APR_SUCCESS && write->state == CONDREQ_LIVE)
        status = store->body_put(txn, write->key, &write->after, write->body);
    if (status == APR_SUCCESS)
        status = store->put(txn, write->key, &write->after);
    return status;
}

static apr_status_t txn_body_write(condreq_txn_t *txn, void *baton,
                                   apr_pool_t *pool)
{
    write_t *write = baton;
    apr_status_t status;

    (void)pool;
    write->performed = 0;
    status = txn->store->provider->get(txn, write->key, &write->before);
    if (status != APR_SUCCESS || !condition_holds(write))
        return status;
    write->performed = 1;
    condreq_record_next(&write->after, &write->before, apr_time_now());
    write->after.state = write->state;
    write->after.body_length = write->state == CONDREQ_LIVE ? write->length : 0;
    strcpy(write->after.media_type, "text/plain");
    if (write->state == CONDREQ_LIVE)
        EVP_Digest(write->body, write->length, write->after.sha256, NULL,
                   EVP_sha256(), NULL);
    status = replace(txn, write);
    return status ? status : write->outcome;
}

apr_status_t write_run(condreq_store_t *store, write_t *write,
                       condreq_trouble_t *trouble, apr_pool_t *pool)
{
    return store->provider->txn(store, txn_body_write, write, trouble, pool);
}

apr_status_t write_document(condreq_store_t *store, const char *key,
                            const char *body, apr_size_t length,
                            apr_pool_t *pool)
{
    condreq_trouble_t trouble;
    write_t write = {0};

    write.key = key;
    write.expected = ANY_VERSION;
    write.state = CONDREQ_LIVE;
    write.body = body;
    write.length = length;
    return write_run(store, &write, &trouble, pool);
}

apr_status_t write_tombstone(condreq_store_t *store, const char *key,
                             apr_pool_t *pool)
{
    condreq_trouble_t trouble;
    write_t write = {0};

    write.key = key;
    write.expected = ANY_VERSION;
    write.state = CONDREQ_TOMBSTONE;
    return write_run(store, &write, &trouble, pool);
}

condreq_record_t record_of(condreq_store_t *store, const char *key,
                           apr_pool_t *pool)
{
    condreq_record_t record;
    condreq_trouble_t trouble;

    if (store->provider->lookup(store, key, &record, &trouble, pool))
        abort();
    return record;
}

static char pattern_at(apr_size_t at, apr_uint64_t seed)
{
    apr_uint64_t mixed = (at / 64 + seed * 0x9e3779b97f4a7c15u) ^ seed << 7;

    mixed *= 0xff51afd7ed558ccdu;
    return (char)((mixed >> 33) + at);
}

void pattern_fill(char *bytes, apr_size_t length, apr_uint64_t seed)
{
    apr_size_t at;

    for (at = 0; at < length; at++)
        bytes[at] = pattern_at(at, seed);
}

int pattern_holds(const char *bytes, apr_size_t length, apr_uint64_t seed)
{
    apr_size_t at;

    for (at = 0; at < length; at++)
        if (bytes[at] != pattern_at(at, seed))
            return 0;
    return 1;
}
