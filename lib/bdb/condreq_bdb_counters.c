/* Counters: numbers that only grow, one a collection and a few for the store.
 * Knows big-endian numbers under a kind and a name; not what they count.
 *
 * A page that every write touches would end group commit, since its lock is
 * held until the flush. So numbers are drawn in a short transaction of their
 * own that flushes nothing. The log is one: the commit of the write that uses
 * a number flushes the draw before it. What is lost, when all processes die or
 * the power goes, are draws that no committed write has followed.
 *
 * For a sequence that is harmless: whoever uses a number looks whether the
 * name is free. Two bodies under one id are not, if a process lives on with
 * ids that a recovered store does not know of; so blocks of those are written
 * to the log's file, which outlives processes. */
#include <string.h>

#include "condreq_bdb_index.h"

/* Ids drawn at once: what a process does not use up is never used. */
#define BODY_IDS_AT_ONCE 1024

#define KIND_BODY_ID 'b'
#define KIND_SEQUENCE 's'

typedef struct counter_t {
    DBT key;
    DBT value;
    unsigned char key_bytes[1 + CONDREQ_KEY_MAX];
    unsigned char value_bytes[8];
} counter_t;

void bdb_write_u32(unsigned char *bytes, apr_uint32_t value)
{
    bytes[0] = (unsigned char)(value >> 24);
    bytes[1] = (unsigned char)(value >> 16);
    bytes[2] = (unsigned char)(value >> 8);
    bytes[3] = (unsigned char)value;
}

void bdb_write_u64(unsigned char *bytes, apr_uint64_t value)
{
    bdb_write_u32(bytes, (apr_uint32_t)(value >> 32));
    bdb_write_u32(bytes + 4, (apr_uint32_t)value);
}

apr_uint32_t bdb_read_u32(const unsigned char *bytes)
{
    return (apr_uint32_t)bytes[0] << 24 | (apr_uint32_t)bytes[1] << 16 |
           (apr_uint32_t)bytes[2] << 8 | bytes[3];
}

apr_uint64_t bdb_read_u64(const unsigned char *bytes)
{
    apr_uint64_t value = 0;
    int i;

    for (i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

static int counter_name(counter_t *counter, char kind, const char *name)
{
    size_t length = strlen(name);

    if (length > CONDREQ_KEY_MAX)
        return EINVAL;
    memset(&counter->key, 0, sizeof(counter->key));
    memset(&counter->value, 0, sizeof(counter->value));
    counter->key_bytes[0] = (unsigned char)kind;
    memcpy(counter->key_bytes + 1, name, length);
    counter->key.data = counter->key_bytes;
    counter->key.size = (u_int32_t)(1 + length);
    counter->value.data = counter->value_bytes;
    counter->value.size = counter->value.ulen = sizeof(counter->value_bytes);
    counter->value.flags = DB_DBT_USERMEM;
    return 0;
}

/* What was never counted stands at 0. */
static int counter_get(bdb_store_t *store, DB_TXN *txn, counter_t *counter,
                       apr_uint64_t *number)
{
    DB *counters = store->counters;
    int code = counters->get(counters, txn, &counter->key, &counter->value,
                             txn ? DB_RMW : 0);

    *number = code == 0 ? bdb_read_u64(counter->value_bytes) : 0;
    if (code == 0 && counter->value.size != sizeof(counter->value_bytes))
        return DB_OLD_VERSION;
    return code == DB_NOTFOUND ? 0 : code;
}

static int counter_put(bdb_store_t *store, DB_TXN *txn, counter_t *counter,
                       apr_uint64_t number)
{
    DB *counters = store->counters;

    bdb_write_u64(counter->value_bytes, number);
    counter->value.size = sizeof(counter->value_bytes);
    return counters->put(counters, txn, &counter->key, &counter->value, 0);
}

/* Advances a counter by some numbers, in a transaction of its own.
 * @param durability  DB_TXN_NOSYNC or DB_TXN_WRITE_NOSYNC
 * @param last        the last of them */
static int counter_advance(bdb_store_t *store, counter_t *counter,
                           apr_uint64_t by, u_int32_t durability,
                           apr_uint64_t *last)
{
    DB_TXN *txn;
    int code = store->env->txn_begin(store->env, NULL, &txn, durability);

    if (code != 0)
        return code;
    if ((code = counter_get(store, txn, counter, last)) == 0) {
        *last += by;
        code = counter_put(store, txn, counter, *last);
    }
    if (code == 0)
        return txn->commit(txn, durability);
    txn->abort(txn);
    return code;
}

typedef struct drawing_t {
    bdb_visit_t visit;
    apr_uint64_t *number;
} drawing_t;

static int visit_draw(bdb_store_t *store, bdb_visit_t *visit)
{
    bdb_slot_t *slot = bdb_slot_mine(store->control, 0);
    counter_t counter;
    int code = counter_name(&counter, KIND_SEQUENCE, visit->key);

    if (code == 0)
        code = bdb_damage_known(store->control, visit->key);
    if (code == 0)
        code = bdb_room_reserve(&store->room, store->control, slot,
                                bdb_room_needed(0), BDB_RESERVE_FLOOR);
    if (code == 0)
        code = counter_advance(store, &counter, 1, DB_TXN_NOSYNC,
                               ((drawing_t *)visit)->number);
    bdb_room_unreserve(slot);
    return code;
}

apr_status_t bdb_draw(condreq_store_t *store, const char *collection,
                      apr_uint64_t *number, condreq_trouble_t *trouble,
                      apr_pool_t *pool)
{
    drawing_t drawing = {{visit_draw, "drawing a number for", collection},
                         number};

    (void)pool;
    return bdb_visit((bdb_store_t *)store, &drawing.visit, trouble);
}

static int body_ids_draw(bdb_store_t *store)
{
    counter_t counter;
    apr_uint64_t last;
    int code;

    if ((code = counter_name(&counter, KIND_BODY_ID, "")) == 0 &&
        (code = counter_advance(store, &counter, BODY_IDS_AT_ONCE,
                                DB_TXN_WRITE_NOSYNC, &last)) == 0) {
        store->body_ids_next = last - BODY_IDS_AT_ONCE + 1;
        store->body_ids_end = last + 1;
    }
    return code;
}

/* The draw waits for no page but the counters', whose locks nobody holds
 * while waiting for a body's: so it may stand inside a transaction. */
int bdb_body_id(bdb_store_t *store, apr_uint64_t *body_id)
{
    int code = 0;

    apr_thread_mutex_lock(store->body_ids_mutex);
    if (store->body_ids_next == store->body_ids_end)
        code = body_ids_draw(store);
    if (code == 0)
        *body_id = store->body_ids_next++;
    apr_thread_mutex_unlock(store->body_ids_mutex);
    return code;
}

/* The store's own counters have no name. */
static int store_counter(bdb_store_t *store, char kind, counter_t *counter,
                         apr_uint64_t *number)
{
    int code = counter_name(counter, kind, "");

    return code ? code : counter_get(store, NULL, counter, number);
}

int bdb_format_check(bdb_store_t *store)
{
    counter_t counter;
    apr_uint64_t format;
    int code = store_counter(store, BDB_KIND_FORMAT, &counter, &format);

    return code == 0 && format != BDB_FORMAT ? DB_OLD_VERSION : code;
}

/* A conversion that was cut off is begun anew: the number is written last. */
int bdb_format_settle(bdb_store_t *store)
{
    counter_t counter;
    apr_uint64_t format;
    int code = store_counter(store, BDB_KIND_FORMAT, &counter, &format);

    if (code == 0 && format == 0)
        code = bdb_index_make(store, NULL);
    else if (code == 0 && format == BDB_FORMAT_WITHOUT_INDEX)
        code = bdb_index_convert(store);
    else if (code == 0)
        return format == BDB_FORMAT ? 0 : DB_OLD_VERSION;
    return code ? code : counter_put(store, NULL, &counter, BDB_FORMAT);
}

int bdb_format_forget_index(bdb_store_t *store)
{
    counter_t counter;
    int code = counter_name(&counter, BDB_KIND_FORMAT, "");

    return code ? code
                : counter_put(store, NULL, &counter, BDB_FORMAT_WITHOUT_INDEX);
}

int bdb_incarnation(bdb_store_t *store, apr_uint64_t *incarnation)
{
    counter_t counter;

    return store_counter(store, BDB_KIND_INCARNATION, &counter, incarnation);
}

/* Before anybody draws. */
int bdb_body_ids_pass(bdb_store_t *store, apr_uint64_t body_id)
{
    counter_t counter;
    apr_uint64_t last;
    int code = store_counter(store, KIND_BODY_ID, &counter, &last);

    return code == 0 && last < body_id
               ? counter_put(store, NULL, &counter, body_id)
               : code;
}

/* Before anybody reads: a tag is made with the incarnation that was opened. */
int bdb_incarnation_begin(bdb_store_t *store, apr_uint64_t at_least)
{
    counter_t counter;
    apr_uint64_t incarnation;
    int code =
        store_counter(store, BDB_KIND_INCARNATION, &counter, &incarnation);

    if (code != 0)
        return code;
    incarnation++;
    return counter_put(store, NULL, &counter,
                       incarnation < at_least ? at_least : incarnation);
}

/* ---- the log of changes ---- */

int bdb_changes_forgotten(bdb_store_t *store, apr_uint64_t *number)
{
    counter_t counter;

    return store_counter(store, BDB_KIND_FORGOTTEN, &counter, number);
}

static int swept_counter(counter_t *counter, unsigned shard)
{
    const char name[] = {(char)('A' + shard), '\0'};

    return counter_name(counter, BDB_KIND_SWEPT, name);
}

int bdb_swept_get(bdb_store_t *store, unsigned shard, apr_uint64_t *number)
{
    counter_t counter;
    int code = swept_counter(&counter, shard);

    return code ? code : counter_get(store, NULL, &counter, number);
}

int bdb_swept_put(bdb_store_t *store, DB_TXN *txn, unsigned shard,
                  apr_uint64_t number)
{
    counter_t counter;
    int code = swept_counter(&counter, shard);

    return code ? code : counter_put(store, txn, &counter, number);
}
