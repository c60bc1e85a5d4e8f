/* The version map: key to record.
 * Knows how keys are spread over the tree; of records only their encoding.
 *
 * The library locks pages, and a writer holds its page until its commit is on
 * the disk: documents whose keys are neighbours (/posts/1, /posts/2) would
 * have their writers wait for one another. So a byte of the key's hash stands
 * before the key. Neighbours are then 256 places apart; what needs an order has
 * the index. */
#include <string.h>

#include "condreq_bdb_index.h"
#include "condreq_bdb_fault.h"

/* FNV-1a, and the last steps of MurmurHash3, without which its upper bits
 * hardly differ between short keys. */
apr_uint32_t bdb_key_hash(const char *key)
{
    apr_uint32_t hash = 2166136261u;

    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 16777619u;
    hash = (hash ^ hash >> 16) * 0x85ebca6bu;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
    return hash ^ hash >> 16;
}

/* A longer key never gets in, so it is nowhere to be found. */
static int version_key(bdb_version_key_t *made, unsigned char shard,
                       const char *key)
{
    size_t length = strlen(key);

    if (length > CONDREQ_KEY_MAX)
        return EINVAL;
    memset(&made->dbt, 0, sizeof(made->dbt));
    made->bytes[0] = shard;
    memcpy(made->bytes + 1, key, length);
    made->dbt.data = made->bytes;
    made->dbt.size = (u_int32_t)(1 + length);
    made->dbt.ulen = BDB_VERSION_KEY_MAX;
    made->dbt.flags = DB_DBT_USERMEM;
    return 0;
}

static int version_key_of(bdb_version_key_t *made, const char *key)
{
    return version_key(made, (unsigned char)(bdb_key_hash(key) >> 24), key);
}

static void value_init(DBT *value, unsigned char *bytes)
{
    memset(value, 0, sizeof(*value));
    value->data = bytes;
    value->ulen = CONDREQ_RECORD_SIZE_MAX;
    value->flags = DB_DBT_USERMEM;
}

/* A record that has no room in the longest of ours is none of ours. */
int bdb_record_read(bdb_store_t *store, DB_TXN *txn, const char *key,
                    condreq_record_t *record)
{
    unsigned char bytes[CONDREQ_RECORD_SIZE_MAX];
    bdb_version_key_t at;
    DBT value;
    int code;

    memset(record, 0, sizeof(*record));
    if ((code = bdb_damage_known(store->control, key)) != 0 ||
        (code = version_key_of(&at, key)) != 0)
        return code;
    value_init(&value, bytes);
    code = store->versions->get(store->versions, txn, &at.dbt, &value,
                                txn ? DB_RMW : 0);
    if (code == DB_NOTFOUND)
        return 0;
    if (code == 0 && condreq_record_decode(record, bytes, value.size) == 0)
        return 0;
    return code == 0 || code == DB_BUFFER_SMALL ? DB_OLD_VERSION : code;
}

int bdb_record_after(bdb_store_t *store, DB_TXN *txn, bdb_version_key_t *key,
                     condreq_record_t *record)
{
    unsigned char bytes[CONDREQ_RECORD_SIZE_MAX];
    u_int32_t length = key->dbt.size;
    int code, closed;
    DBC *cursor;
    DBT value;

    value_init(&value, bytes);
    memset(&key->dbt, 0, sizeof(key->dbt));
    /* The key with a NUL behind it is the next that there can be. */
    key->bytes[length] = '\0';
    key->dbt.data = key->bytes;
    key->dbt.size = length + (length > 0);
    key->dbt.ulen = BDB_VERSION_KEY_MAX;
    key->dbt.flags = DB_DBT_USERMEM;
    code = store->versions->cursor(store->versions, txn, &cursor, 0);
    if (code != 0)
        return code;
    code = cursor->get(cursor, &key->dbt, &value,
                       length > 0 ? DB_SET_RANGE : DB_FIRST);
    closed = cursor->close(cursor);
    if (code == 0 && condreq_record_decode(record, bytes, value.size) != 0)
        code = DB_OLD_VERSION;
    key->bytes[code == 0 ? key->dbt.size : 0] = '\0';
    return code ? code : closed;
}

typedef struct looking_up_t {
    bdb_visit_t visit;
    condreq_record_t *record;
} looking_up_t;

static int visit_lookup(bdb_store_t *store, bdb_visit_t *visit)
{
    return bdb_record_read(store, NULL, visit->key,
                           ((looking_up_t *)visit)->record);
}

apr_status_t bdb_lookup(condreq_store_t *store, const char *key,
                        condreq_record_t *record, condreq_trouble_t *trouble,
                        apr_pool_t *pool)
{
    looking_up_t looking_up = {{visit_lookup, "reading the record of", key},
                               record};

    (void)pool;
    return bdb_visit((bdb_store_t *)store, &looking_up.visit, trouble);
}

apr_status_t bdb_get(condreq_txn_t *base, const char *key,
                     condreq_record_t *record)
{
    bdb_txn_t *txn = (bdb_txn_t *)base;
    int code = bdb_txn_goes_on(txn);

    if (code == 0)
        code =
            bdb_record_read((bdb_store_t *)base->store, txn->txn, key, record);
    if (code == 0)
        bdb_txn_saw(txn, key, record);
    return bdb_txn_outcome(txn, code, "reading the record of", key);
}

int bdb_record_write(bdb_store_t *store, DB_TXN *txn, const char *key,
                     const condreq_record_t *record)
{
    unsigned char bytes[CONDREQ_RECORD_SIZE_MAX];
    bdb_version_key_t at;
    DBT value = {0};
    int code = version_key_of(&at, key);

    value.data = bytes;
    value.size = (u_int32_t)condreq_record_encode(bytes, record);
    return code
               ? code
               : store->versions->put(store->versions, txn, &at.dbt, &value, 0);
}

/* The index first: it says where the record finds its change. */
static int write_record(bdb_txn_t *txn, const char *key,
                        condreq_record_t *record)
{
    bdb_store_t *store = (bdb_store_t *)txn->base.store;
    condreq_record_t before;
    int code;

    txn->wrote = 1;
    if ((code = bdb_txn_before(txn, key, &before)) ||
        (code = bdb_index_write(store, txn->txn, bdb_txn_shard(txn), key,
                                &before, record)))
        return code;
    return bdb_record_write(store, txn->txn, key, record);
}

/* A tombstone has no body, yet an id: two deletions of one version are told
 * apart by it. */
apr_status_t bdb_put(condreq_txn_t *base, const char *key,
                     const condreq_record_t *record)
{
    bdb_txn_t *txn = (bdb_txn_t *)base;
    bdb_store_t *store = (bdb_store_t *)base->store;
    condreq_record_t written = *record;
    int code = bdb_txn_goes_on(txn);

    if (code == 0)
        code = bdb_txn_reserve(txn, 0,
                               record->state == CONDREQ_TOMBSTONE
                                   ? BDB_RESERVE_HALF
                                   : BDB_RESERVE_FLOOR);
    if (code == 0 && record->state == CONDREQ_TOMBSTONE) {
        code = bdb_body_id(store, &written.body_id);
        atomic_fetch_add(&store->control->file->removals, 1);
    }
    if (code == 0)
        code = write_record(txn, key, &written);
    if (code == 0) {
        bdb_txn_witness(txn, key, &written);
        bdb_txn_saw(txn, key, &written);
    }
    CONDREQ_FAULT("between puts");
    return bdb_txn_outcome(txn, code, "writing the record of", key);
}

/* Versions never go back, and a page is locked until its writer has ended: a
 * later version than the witness's was written on top of it. The same version
 * with another body was written after this transaction had been undone. */
static int was_committed(const bdb_slot_t *slot, const condreq_record_t *found)
{
    return found->version > slot->witness_version ||
           (found->version == slot->witness_version &&
            found->body_id == slot->witness_body_id);
}

static int witness_answer(bdb_store_t *store, bdb_slot_t *slot, const char *key)
{
    apr_uint32_t pending = BDB_VERDICT_PENDING;
    condreq_record_t found;
    int code;

    if (atomic_load(&slot->verdict) != pending)
        return 0;
    code = bdb_record_read(store, NULL, key, &found);
    /* Whoever asked may have given up by now. */
    if (code == 0)
        atomic_compare_exchange_strong(&slot->verdict, &pending,
                                       was_committed(slot, &found)
                                           ? BDB_VERDICT_COMMITTED
                                           : BDB_VERDICT_LOST);
    return code;
}

int bdb_witnesses_answer(bdb_store_t *store, bdb_control_t *control)
{
    unsigned i;
    int code = 0;

    for (i = 0; i < control->slot_count && code == 0; i++)
        code =
            witness_answer(store, &control->slots[i],
                           bdb_slot_witness_key(control, &control->slots[i]));
    return code;
}
