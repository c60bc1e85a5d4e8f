/* A store of the format before this one, which had no index: it is made from
 * the version map, and each record learns where its change is noted.
 * Knows the version map and who writes the index; runs inside, with nobody
 * else, and again from the start if it was cut off. */
#include <string.h>

#include "condreq_bdb_index.h"

#define RECORDS_AT_ONCE 200u
#define CONVERSION_SHARD 0

/* One record, as if it had just been written; whoever follows changes sees it
 * once. */
static int convert_record(bdb_store_t *store, DB_TXN *txn, const char *key,
                          condreq_record_t *record)
{
    condreq_record_t nothing;
    int code;

    memset(&nothing, 0, sizeof(nothing));
    if ((code = bdb_index_write(store, txn, CONVERSION_SHARD, key, &nothing,
                                record)) != 0)
        return code;
    return bdb_record_write(store, txn, key, record);
}

/* The records after a key; *at becomes the last one's.
 * @param ended  no more follow */
static int convert_some(bdb_store_t *store, DB_TXN *txn, bdb_version_key_t *at,
                        int *ended)
{
    condreq_record_t record;
    unsigned done;
    int code = 0;

    for (done = 0; done < RECORDS_AT_ONCE && code == 0; done++) {
        code = bdb_record_after(store, txn, at, &record);
        *ended = code == DB_NOTFOUND;
        if (*ended)
            return 0;
        if (code == 0)
            code = convert_record(store, txn, (const char *)at->bytes + 1,
                                  &record);
    }
    return code;
}

int bdb_index_convert(bdb_store_t *store)
{
    bdb_version_key_t at;
    u_int32_t before;
    int code, ended = 0;
    DB_TXN *txn;

    if ((code = store->index->truncate(store->index, NULL, &before, 0)) ||
        (code = bdb_index_make(store, NULL)))
        return code;
    memset(&at, 0, sizeof(at));
    while (code == 0 && !ended) {
        code = store->env->txn_begin(store->env, NULL, &txn, DB_TXN_NOSYNC);
        if (code == 0) {
            code = convert_some(store, txn, &at, &ended);
            if (code == 0)
                code = txn->commit(txn, DB_TXN_NOSYNC);
            else
                txn->abort(txn);
        }
    }
    return code;
}
