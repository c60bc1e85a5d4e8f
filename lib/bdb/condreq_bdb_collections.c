/* What is known of collections: for each, in each writers' shard, how many
 * versions were written below it, how many documents are there more than
 * before, and the number of the last change.
 * Knows which collections a key is below; of what stands in them the count.
 *
 * A collection's state is the sum over all shards. A writer touches one of
 * them, which nobody else has; whoever decides on a state takes all of them,
 * so nobody writes below the collection until it is done. */
#include <string.h>

#include "condreq_bdb_index.h"

#define TALLY_SIZE 24

static int tally_key(bdb_index_key_t *key, unsigned shard,
                     const char *collection, apr_size_t length)
{
    bdb_index_key(key, shard, BDB_INDEX_COLLECTION);
    return bdb_index_key_add(key, collection, length);
}

/* What never was counted stands at 0; its place is taken all the same. */
static int tally_get(bdb_store_t *store, DB_TXN *txn, bdb_index_key_t *key,
                     bdb_tally_t *tally)
{
    unsigned char bytes[TALLY_SIZE];
    DBT value = {0};
    int code;

    value.data = bytes;
    value.ulen = sizeof(bytes);
    value.flags = DB_DBT_USERMEM;
    memset(tally, 0, sizeof(*tally));
    code = store->index->get(store->index, txn, &key->dbt, &value,
                             txn ? DB_RMW : 0);
    if (code == DB_NOTFOUND)
        return 0;
    if (code != 0 || value.size != sizeof(bytes))
        return code == 0 || code == DB_BUFFER_SMALL ? DB_OLD_VERSION : code;
    tally->versions = bdb_read_u64(bytes);
    tally->number = bdb_read_u64(bytes + 8);
    tally->documents = (apr_int64_t)bdb_read_u64(bytes + 16);
    return 0;
}

static int tally_put(bdb_store_t *store, DB_TXN *txn, bdb_index_key_t *key,
                     const bdb_tally_t *tally)
{
    unsigned char bytes[TALLY_SIZE];
    DBT value = {0};

    bdb_write_u64(bytes, tally->versions);
    bdb_write_u64(bytes + 8, tally->number);
    bdb_write_u64(bytes + 16, (apr_uint64_t)tally->documents);
    value.data = bytes;
    value.size = sizeof(bytes);
    return store->index->put(store->index, txn, &key->dbt, &value, 0);
}

/* The collections above a key are what of it ends in a slash, the root first;
 * a collection's own record is one of its own changes too.
 * @return the length of the next one, 0 where there is none */
static apr_size_t next_above(const char *key, apr_size_t length)
{
    const char *slash = strchr(key + length, '/');

    return slash ? (apr_size_t)(slash - key) + 1 : 0;
}

int bdb_collections_take(bdb_store_t *store, DB_TXN *txn, unsigned shard,
                         const char *key, bdb_tallies_t *tallies)
{
    apr_size_t length = 0;
    bdb_index_key_t at;
    bdb_tally_t tally;
    unsigned depth;
    int code = 0;

    for (depth = 0; code == 0 && (length = next_above(key, length)) != 0;
         depth++) {
        if ((code = tally_key(&at, shard, key, length)) == 0)
            code = tally_get(store, txn, &at, &tally);
        if (depth < BDB_TALLIES_KEPT)
            tallies->kept[depth] = tally;
    }
    return code;
}

int bdb_collections_write(bdb_store_t *store, DB_TXN *txn, unsigned shard,
                          const char *key, const bdb_tallies_t *tallies,
                          const bdb_tally_t *change)
{
    apr_size_t length = 0;
    bdb_index_key_t at;
    bdb_tally_t tally;
    unsigned depth;
    int code = 0;

    for (depth = 0; code == 0 && (length = next_above(key, length)) != 0;
         depth++) {
        if ((code = tally_key(&at, shard, key, length)) != 0)
            break;
        if (depth < BDB_TALLIES_KEPT)
            tally = tallies->kept[depth];
        else
            code = tally_get(store, txn, &at, &tally);
        tally.versions += change->versions;
        tally.documents += change->documents;
        tally.number = change->number;
        if (code == 0)
            code = tally_put(store, txn, &at, &tally);
    }
    return code;
}

/* Shard after shard: what is written meanwhile may be counted or not. A later
 * number than `now` says nothing of those before it; of what has a smaller one
 * everything was seen. */
int bdb_collection_read(bdb_store_t *store, DB_TXN *txn, const char *collection,
                        apr_time_t now_us, condreq_collection_state_t *state)
{
    apr_uint64_t now = bdb_change_now(store, now_us), last = 0;
    bdb_index_key_t at;
    apr_int64_t documents = 0;
    unsigned shard;
    bdb_tally_t tally;
    int code = 0;

    memset(state, 0, sizeof(*state));
    for (shard = 0; shard < BDB_SHARDS && code == 0; shard++) {
        if ((code = tally_key(&at, shard, collection, strlen(collection))) ||
            (code = tally_get(store, txn, &at, &tally)))
            break;
        state->version += tally.versions;
        documents += tally.documents;
        last = tally.number > last ? tally.number : last;
    }
    /* Between two looks one may have come and gone the other way round. */
    state->documents = documents > 0 ? (apr_uint64_t)documents : 0;
    state->mtime_us = (apr_time_t)last;
    state->change = last < now ? last : now;
    return code;
}

typedef struct reading_t {
    bdb_visit_t visit;
    apr_time_t now_us;
    condreq_collection_state_t *state;
} reading_t;

static int visit_read(bdb_store_t *store, bdb_visit_t *visit)
{
    reading_t *reading = (reading_t *)visit;

    return bdb_collection_read(store, NULL, visit->key, reading->now_us,
                               reading->state);
}

apr_status_t bdb_collection(condreq_store_t *store, const char *collection,
                            apr_time_t now_us,
                            condreq_collection_state_t *state,
                            condreq_trouble_t *trouble, apr_pool_t *pool)
{
    reading_t reading = {
        {visit_read, "reading what is known of", collection}, now_us, state};

    (void)pool;
    return bdb_visit((bdb_store_t *)store, &reading.visit, trouble);
}

apr_status_t bdb_collection_get(condreq_txn_t *base, const char *collection,
                                condreq_collection_state_t *state)
{
    bdb_txn_t *txn = (bdb_txn_t *)base;
    int code = bdb_txn_goes_on(txn);

    if (code == 0)
        code = bdb_collection_read((bdb_store_t *)base->store, txn->txn,
                                   collection, 0, state);
    return bdb_txn_outcome(txn, code, "taking", collection);
}
