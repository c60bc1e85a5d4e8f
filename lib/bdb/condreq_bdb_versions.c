/* The version map: key to record.
 * Knows how keys are spread over the tree; of records only their encoding.
 *
 * The library locks pages, and a writer holds its page until its commit is on
 * the disk: documents whose keys are neighbours (/posts/1, /posts/2) would
 * have their writers wait for one another. So a byte of the key's hash stands
 * before the key. Neighbours are then 256 places apart, and an ordered scan
 * is still possible, by merging 256 ordered runs. */
#include <string.h>

#include "condreq_bdb.h"
#include "condreq_bdb_fault.h"

#define SHARDS 256

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

typedef struct version_key_t {
    DBT dbt;
    unsigned char bytes[BDB_VERSION_KEY_MAX];
} version_key_t;

/* A longer key never gets in, so it is nowhere to be found. */
static int version_key(version_key_t *made, unsigned char shard,
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
    made->dbt.ulen = sizeof(made->bytes);
    made->dbt.flags = DB_DBT_USERMEM;
    return 0;
}

static int version_key_of(version_key_t *made, const char *key)
{
    return version_key(made, (unsigned char)(bdb_key_hash(key) >> 24), key);
}

/* A record that has no room in the longest of ours is none of ours. */
static int read_record(bdb_store_t *store, DB_TXN *txn, const char *key,
                       condreq_record_t *record)
{
    unsigned char bytes[CONDREQ_RECORD_SIZE_MAX];
    version_key_t at;
    DBT value = {0};
    int code;

    memset(record, 0, sizeof(*record));
    if ((code = version_key_of(&at, key)) != 0)
        return code;
    value.data = bytes;
    value.ulen = sizeof(bytes);
    value.flags = DB_DBT_USERMEM;
    code = store->versions->get(store->versions, txn, &at.dbt, &value,
                                txn ? DB_RMW : 0);
    if (code == DB_NOTFOUND)
        return 0;
    if (code == 0 && condreq_record_decode(record, bytes, value.size) == 0)
        return 0;
    return code == 0 || code == DB_BUFFER_SMALL ? DB_OLD_VERSION : code;
}

typedef struct looking_up_t {
    bdb_visit_t visit;
    condreq_record_t *record;
} looking_up_t;

static int visit_lookup(bdb_store_t *store, bdb_visit_t *visit)
{
    return read_record(store, NULL, visit->key,
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
        code = read_record((bdb_store_t *)base->store, txn->txn, key, record);
    return bdb_txn_outcome(txn, code, "reading the record of", key);
}

static int write_record(bdb_txn_t *txn, const char *key,
                        const condreq_record_t *record)
{
    DB *versions = ((bdb_store_t *)txn->base.store)->versions;
    unsigned char bytes[CONDREQ_RECORD_SIZE_MAX];
    version_key_t at;
    DBT value = {0};
    int code = version_key_of(&at, key);

    value.data = bytes;
    value.size = (u_int32_t)condreq_record_encode(bytes, record);
    txn->wrote = 1;
    return code ? code : versions->put(versions, txn->txn, &at.dbt, &value, 0);
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
    if (code == 0)
        bdb_txn_witness(txn, key, &written);
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
    code = read_record(store, NULL, key, &found);
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

/* Format and state are enough to know a live document. */
#define STATE_SIZE 2

static int is_live(const unsigned char state[STATE_SIZE])
{
    return state[1] == CONDREQ_LIVE;
}

/* What a cursor stands on, as far as members are concerned. */
typedef struct standing_t {
    version_key_t at;
    DBT value;
    unsigned char state[STATE_SIZE];
} standing_t;

static void standing_reset(standing_t *standing)
{
    memset(&standing->value, 0, sizeof(standing->value));
    standing->value.data = standing->state;
    standing->value.ulen = STATE_SIZE;
    standing->value.dlen = STATE_SIZE;
    standing->value.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL;
}

static int stands_below(const standing_t *standing, const char *collection)
{
    size_t length = strlen(collection);

    return standing->at.dbt.size >= 1 + length &&
           !memcmp(standing->at.bytes + 1, collection, length);
}

/* One shard, from the collection on. Leaves the cursor's key behind it.
 * @return 0 with *found set or not, or DB_NOTFOUND at the tree's end */
static int shard_has_members(DBC *cursor, unsigned char shard,
                             const char *collection, standing_t *standing,
                             int *found)
{
    int code = version_key(&standing->at, shard, collection);

    standing_reset(standing);
    if (code == 0)
        code = cursor->get(cursor, &standing->at.dbt, &standing->value,
                           DB_SET_RANGE);
    while (code == 0 && standing->at.bytes[0] == shard &&
           stands_below(standing, collection)) {
        *found = is_live(standing->state) &&
                 standing->at.dbt.size > 1 + strlen(collection);
        if (*found)
            return 0;
        code =
            cursor->get(cursor, &standing->at.dbt, &standing->value, DB_NEXT);
    }
    return code;
}

/* The key behind one shard's members says which shard is the next that has
 * anything in it. */
static int any_shard_has_members(DBC *cursor, const char *collection,
                                 int *found)
{
    standing_t standing = {0};
    int shard = 0;
    int code = 0;

    *found = 0;
    while (shard < SHARDS && code == 0 && !*found) {
        code = shard_has_members(cursor, (unsigned char)shard, collection,
                                 &standing, found);
        shard = standing.at.bytes[0] > shard ? standing.at.bytes[0] : shard + 1;
    }
    return code == DB_NOTFOUND ? 0 : code;
}

apr_status_t bdb_has_members(condreq_txn_t *base, const char *collection,
                             int *has_members)
{
    bdb_txn_t *txn = (bdb_txn_t *)base;
    DB *versions = ((bdb_store_t *)base->store)->versions;
    DBC *cursor;
    int code, closed;

    if ((code = bdb_txn_goes_on(txn)) == 0 &&
        (code = versions->cursor(versions, txn->txn, &cursor, 0)) == 0) {
        code = any_shard_has_members(cursor, collection, has_members);
        closed = cursor->close(cursor);
        code = code ? code : closed;
    }
    return bdb_txn_outcome(txn, code, "looking for members of", collection);
}
