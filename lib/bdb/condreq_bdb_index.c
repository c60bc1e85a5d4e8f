/* The index: its keys, its fences, and what one write adds to it.
 * Knows the tree and which files know its parts; the header says why it is as
 * it is. */
#include <errno.h>
#include <string.h>

#include "condreq_bdb_index.h"

/* Four fill a page, and one more stands between any two shards. */
#define FENCES 5
#define FENCE_LENGTH 960

void bdb_index_key(bdb_index_key_t *key, unsigned shard, char kind)
{
    memset(&key->dbt, 0, sizeof(key->dbt));
    key->bytes[0] = (unsigned char)shard;
    key->bytes[1] = (unsigned char)kind;
    key->dbt.data = key->bytes;
    key->dbt.size = kind ? 2 : 1;
    key->dbt.ulen = sizeof(key->bytes);
    key->dbt.flags = DB_DBT_USERMEM;
}

int bdb_index_key_add(bdb_index_key_t *key, const void *bytes,
                      apr_size_t length)
{
    if (length > sizeof(key->bytes) - key->dbt.size)
        return EINVAL;
    memcpy(key->bytes + key->dbt.size, bytes, length);
    key->dbt.size += (u_int32_t)length;
    return 0;
}

/* A cursor that stayed would hold its page while this thread waits for
 * another, as a locker of its own: a deadlock that no detector sees. */
int bdb_index_seek(bdb_store_t *store, DB_TXN *txn, bdb_index_key_t *key,
                   DBT *value)
{
    DBC *cursor;
    int code = store->index->cursor(store->index, txn, &cursor, 0);
    int closed;

    if (code != 0)
        return code;
    code = cursor->get(cursor, &key->dbt, value, DB_SET_RANGE);
    closed = cursor->close(cursor);
    return code ? code : closed;
}

static int fence_put(bdb_store_t *store, DB_TXN *txn, unsigned shard,
                     unsigned char number)
{
    static const unsigned char nothing[FENCE_LENGTH];
    const void *bytes = nothing;
    unsigned char name[2] = {0, number};
    bdb_index_key_t key;
    DBT value = {0};

    bdb_index_key(&key, shard, 0);
    bdb_index_key_add(&key, name, sizeof(name));
    memcpy(&value.data, &bytes, sizeof(bytes));
    value.size = FENCE_LENGTH;
    return store->index->put(store->index, txn, &key.dbt, &value, 0);
}

int bdb_index_make(bdb_store_t *store, DB_TXN *txn)
{
    unsigned shard;
    unsigned char number;
    int code = 0;

    for (shard = 0; shard <= BDB_SHARDS && code == 0; shard++)
        for (number = 0; number < FENCES && code == 0; number++)
            code = fence_put(store, txn, shard, number);
    return code;
}

int bdb_index_write(bdb_store_t *store, DB_TXN *txn, unsigned shard,
                    const char *key, const condreq_record_t *before,
                    condreq_record_t *after)
{
    int was_there = before->state == CONDREQ_LIVE;
    int is_there = after->state == CONDREQ_LIVE;
    bdb_tallies_t tallies;
    bdb_tally_t change;
    int code = bdb_collections_take(store, txn, shard, key, &tallies);

    if (code != 0)
        return code;
    change.versions = after->version - before->version;
    change.number = bdb_change_number(store);
    change.documents = is_there - was_there;
    after->change = bdb_change_place(change.number, shard);
    if ((code = bdb_collections_write(store, txn, shard, key, &tallies,
                                      &change)) ||
        (code = bdb_log_write(store, txn, after->change, before->change, key)))
        return code;
    return was_there == is_there ? 0
                                 : bdb_member_write(store, txn, key, is_there);
}
