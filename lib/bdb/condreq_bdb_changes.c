/* Changes: their numbers, the log of them, and what of it is of use no more.
 * Knows the order of changes; of a record where it finds its own.
 *
 * A change gets its number once its transaction has taken its shard's page,
 * which it keeps until it is committed. So whoever notes the time, and reads a
 * shard after that, has waited for every change there that has a smaller
 * number. The log is read as the listing is: what comes first in any shard. */
#include <string.h>

#include "apr_strings.h"

#include "condreq_bdb_index.h"

/* A number and a shard in one. */
#define SHARD_BITS 6
/* What one call looks at, of whatever collections. */
#define EXAMINED_AT_MOST 2048u
/* What the sweep takes at once, so that no writer waits long for it. */
#define SWEPT_AT_ONCE 64u
#define SWEEPS_A_SHARD 16u

/* ---- numbers ---- */

apr_uint64_t bdb_change_number(bdb_store_t *store)
{
    apr_uint64_t now = (apr_uint64_t)apr_time_now();
    apr_uint64_t before = atomic_load(store->last_change), next;

    do {
        next = now > before ? now : before + 1;
    } while (!atomic_compare_exchange_weak(store->last_change, &before, next));
    return next;
}

static apr_uint64_t raise_to(bdb_store_t *store, apr_uint64_t least)
{
    apr_uint64_t before = atomic_load(store->last_change);

    while (before < least &&
           !atomic_compare_exchange_weak(store->last_change, &before, least))
        ;
    return before < least ? least : before;
}

apr_uint64_t bdb_change_now(bdb_store_t *store, apr_time_t now_us)
{
    return raise_to(store, (apr_uint64_t)now_us);
}

apr_uint64_t bdb_change_place(apr_uint64_t number, unsigned shard)
{
    return number << SHARD_BITS | shard;
}

/* ---- the log ---- */

/* An entry: the place that it replaces, and the document's key. */
typedef struct log_value_t {
    DBT dbt;
    unsigned char bytes[8 + CONDREQ_KEY_MAX + 1];
} log_value_t;

static void log_key(bdb_index_key_t *at, unsigned shard, apr_uint64_t number)
{
    unsigned char bytes[8];

    bdb_write_u64(bytes, number);
    bdb_index_key(at, shard, BDB_INDEX_LOG);
    bdb_index_key_add(at, bytes, sizeof(bytes));
}

static void log_key_of(bdb_index_key_t *at, apr_uint64_t place)
{
    log_key(at, (unsigned)(place & (BDB_SHARDS - 1)), place >> SHARD_BITS);
}

int bdb_log_write(bdb_store_t *store, DB_TXN *txn, apr_uint64_t place,
                  apr_uint64_t replaces, const char *key)
{
    size_t length = strlen(key);
    bdb_index_key_t at;
    log_value_t value;

    memset(&value.dbt, 0, sizeof(value.dbt));
    bdb_write_u64(value.bytes, replaces);
    memcpy(value.bytes + 8, key, length);
    value.dbt.data = value.bytes;
    value.dbt.size = (u_int32_t)(8 + length);
    log_key_of(&at, place);
    return store->index->put(store->index, txn, &at.dbt, &value.dbt, 0);
}

/* What a reader of the log stands on in one shard. */
typedef struct stand_t {
    int ended;
    apr_uint64_t number;
    apr_uint64_t replaces;
    char key[CONDREQ_KEY_MAX + 1];
} stand_t;

static void value_init(log_value_t *value)
{
    memset(&value->dbt, 0, sizeof(value->dbt));
    value->dbt.data = value->bytes;
    value->dbt.ulen = sizeof(value->bytes);
    value->dbt.flags = DB_DBT_USERMEM;
}

static int is_entry(const bdb_index_key_t *at, unsigned shard)
{
    return at->dbt.size == 10 && at->bytes[0] == shard &&
           at->bytes[1] == BDB_INDEX_LOG;
}

static int read_entry(stand_t *stand, const bdb_index_key_t *at,
                      const log_value_t *value)
{
    if (value->dbt.size < 8 || value->dbt.size - 8 > CONDREQ_KEY_MAX)
        return DB_OLD_VERSION;
    stand->number = bdb_read_u64(at->bytes + 2);
    stand->replaces = bdb_read_u64(value->bytes);
    memcpy(stand->key, value->bytes + 8, value->dbt.size - 8);
    stand->key[value->dbt.size - 8] = '\0';
    return 0;
}

/* The first entry of a shard from a number on, up to another. */
static int stand_seek(bdb_store_t *store, stand_t *stand, unsigned shard,
                      apr_uint64_t from, apr_uint64_t up_to)
{
    bdb_index_key_t at;
    log_value_t value;
    int code;

    value_init(&value);
    log_key(&at, shard, from);
    code = bdb_index_seek(store, NULL, &at, &value.dbt);
    /* Whatever else stands there may be longer than any entry. */
    stand->ended = code == DB_NOTFOUND || !is_entry(&at, shard);
    if (stand->ended)
        return code == DB_NOTFOUND || code == DB_BUFFER_SMALL ? 0 : code;
    if (code == 0)
        code = read_entry(stand, &at, &value);
    stand->ended = code != 0 || stand->number > up_to;
    return code;
}

/* ---- reading ---- */

typedef struct following_t {
    bdb_visit_t visit;
    apr_uint64_t since;
    apr_uint64_t now;
    condreq_change_t *changes;
    apr_size_t room;
    condreq_changes_read_t *read;
    /** the number is none to go on from */
    int forgotten;
    apr_pool_t *pool;
    stand_t stands[BDB_SHARDS];
} following_t;

static stand_t *first_stand(following_t *following)
{
    stand_t *first = NULL;
    unsigned shard;

    for (shard = 0; shard < BDB_SHARDS; shard++) {
        stand_t *stand = &following->stands[shard];

        if (!stand->ended && (!first || stand->number < first->number))
            first = stand;
    }
    return first;
}

static int is_below(const char *key, const char *collection)
{
    size_t length = strlen(collection);

    return !strncmp(key, collection, length) && key[length] != '\0';
}

/* An entry counts as long as the record knows of no later one. */
static int add_change(bdb_store_t *store, following_t *following,
                      const stand_t *stand)
{
    condreq_changes_read_t *read = following->read;
    condreq_change_t *change = &following->changes[read->count];
    unsigned shard = (unsigned)(stand - following->stands);
    int code;

    if (!is_below(stand->key, following->visit.key))
        return 0;
    code = bdb_record_read(store, NULL, stand->key, &change->record);
    if (code != 0 ||
        change->record.change != bdb_change_place(stand->number, shard))
        return code;
    change->number = stand->number;
    change->key = apr_pstrdup(following->pool, stand->key);
    read->reached = stand->number;
    read->count++;
    return 0;
}

static int read_changes(bdb_store_t *store, following_t *following)
{
    condreq_changes_read_t *read = following->read;
    unsigned examined = 0, shard;
    stand_t *stand = NULL;
    int code = 0;

    for (shard = 0; shard < BDB_SHARDS && code == 0; shard++)
        code = stand_seek(store, &following->stands[shard], shard,
                          following->since + 1, following->now);
    while (code == 0 && (stand = first_stand(following)) != NULL &&
           read->count < following->room && examined < EXAMINED_AT_MOST) {
        shard = (unsigned)(stand - following->stands);
        examined++;
        if (examined == EXAMINED_AT_MOST)
            read->reached = stand->number;
        if ((code = add_change(store, following, stand)) == 0)
            code = stand_seek(store, stand, shard, stand->number + 1,
                              following->now);
    }
    read->more = stand != NULL;
    return code;
}

static int visit_changes(bdb_store_t *store, bdb_visit_t *visit)
{
    following_t *following = (following_t *)visit;
    apr_uint64_t forgotten;
    int code = bdb_changes_forgotten(store, &forgotten);

    following->now = bdb_change_now(store, 0);
    following->read->count = 0;
    following->read->more = 0;
    following->read->reached = following->since;
    following->forgotten = following->since > following->now ||
                           (following->since && following->since < forgotten);
    return code || following->forgotten ? code : read_changes(store, following);
}

apr_status_t bdb_changes(condreq_store_t *store, const char *collection,
                         apr_uint64_t since, condreq_change_t *changes,
                         apr_size_t room, condreq_changes_read_t *read,
                         condreq_trouble_t *trouble, apr_pool_t *pool)
{
    following_t *following = apr_pcalloc(pool, sizeof(*following));
    bdb_visit_t visit = {visit_changes, "reading the changes of", collection};
    apr_status_t status;

    following->visit = visit;
    following->since = since;
    following->changes = changes;
    following->room = room;
    following->read = read;
    following->pool = pool;
    status = bdb_visit((bdb_store_t *)store, &following->visit, trouble);
    if (status == APR_SUCCESS && following->forgotten)
        return condreq_trouble(trouble, APR_NOTFOUND,
                               "changes after %" APR_UINT64_T_FMT, since);
    return status;
}

/* ---- going on after an end ---- */

static int last_of_shard(DBC *cursor, unsigned shard, apr_uint64_t *last)
{
    bdb_index_key_t at;
    DBT nothing = {0};
    int code;

    nothing.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL;
    bdb_index_key(&at, shard, BDB_INDEX_LOG + 1);
    if ((code = cursor->get(cursor, &at.dbt, &nothing, DB_SET_RANGE)) == 0)
        code = cursor->get(cursor, &at.dbt, &nothing, DB_PREV);
    else if (code == DB_NOTFOUND)
        code = cursor->get(cursor, &at.dbt, &nothing, DB_LAST);
    if (code == 0 && is_entry(&at, shard) && bdb_read_u64(at.bytes + 2) > *last)
        *last = bdb_read_u64(at.bytes + 2);
    return code == DB_NOTFOUND ? 0 : code;
}

/* Dates of collections are whole seconds, and the one that the last change was
 * made in may have been sent. */
static apr_uint64_t second_after(apr_uint64_t number)
{
    return number ? (number / APR_USEC_PER_SEC + 1) * APR_USEC_PER_SEC : 0;
}

static int last_of_all(bdb_store_t *store, apr_uint64_t *last)
{
    unsigned shard;
    DBC *cursor;
    int code = store->index->cursor(store->index, NULL, &cursor, 0);
    int closed;

    if (code != 0)
        return code;
    for (shard = 0; shard < BDB_SHARDS && code == 0; shard++)
        code = last_of_shard(cursor, shard, last);
    closed = cursor->close(cursor);
    return code ? code : closed;
}

/* The number outlives every process, but not a preparation. Whoever opens
 * first may meet the next one's writers on a page, going the other way. */
int bdb_changes_resume(bdb_store_t *store)
{
    apr_uint64_t last = 0;
    int code;

    if (atomic_load(store->last_change) != 0)
        return 0;
    do
        code = last_of_all(store, &last);
    while (code == DB_LOCK_DEADLOCK || code == DB_LOCK_NOTGRANTED);
    if (code == 0)
        raise_to(store, second_after(last));
    return code;
}

/* ---- the sweep ---- */

/* What one step of it takes away. */
typedef struct sweep_t {
    apr_uint64_t places[SWEPT_AT_ONCE];
    unsigned count;
    /** the last entry that it looked at */
    apr_uint64_t reached;
} sweep_t;

/* Collects what the entries after a number have replaced. */
static int sweep_look(bdb_store_t *store, unsigned shard, apr_uint64_t from,
                      apr_uint64_t now, sweep_t *sweep)
{
    unsigned examined = 0;
    stand_t stand;
    int code = stand_seek(store, &stand, shard, from + 1, now);

    sweep->count = 0;
    sweep->reached = from;
    while (code == 0 && !stand.ended && examined++ < SWEPT_AT_ONCE) {
        sweep->reached = stand.number;
        if (stand.replaces)
            sweep->places[sweep->count++] = stand.replaces;
        code = stand_seek(store, &stand, shard, stand.number + 1, now);
    }
    return code;
}

/* Takes an entry, and says what it had replaced itself: the sweep may not have
 * seen it yet, and will not now.
 * @param place  of the entry; becomes that of the other, 0 where there is none */
static int take_entry(bdb_store_t *store, DB_TXN *txn, apr_uint64_t *place)
{
    bdb_index_key_t at;
    log_value_t value;
    int code;

    value_init(&value);
    log_key_of(&at, *place);
    *place = 0;
    code = store->index->get(store->index, txn, &at.dbt, &value.dbt, DB_RMW);
    if (code == DB_NOTFOUND)
        return 0;
    if (code == 0 && value.dbt.size >= 8)
        *place = bdb_read_u64(value.bytes);
    return code ? code : store->index->del(store->index, txn, &at.dbt, 0);
}

static int sweep_take(bdb_store_t *store, DB_TXN *txn, const sweep_t *sweep)
{
    apr_uint64_t place;
    unsigned i;
    int code = 0;

    for (i = 0; i < sweep->count && code == 0; i++)
        for (place = sweep->places[i]; place && code == 0;)
            code = take_entry(store, txn, &place);
    return code;
}

/* Nothing is lost if it is done again, so it need not be flushed. */
static int sweep_step(bdb_store_t *store, unsigned shard, const sweep_t *sweep)
{
    DB_TXN *txn;
    int code = store->env->txn_begin(store->env, NULL, &txn, DB_TXN_NOSYNC);

    if (code != 0)
        return code;
    if ((code = sweep_take(store, txn, sweep)) == 0)
        code = bdb_swept_put(store, txn, shard, sweep->reached);
    if (code == 0)
        return txn->commit(txn, DB_TXN_NOSYNC);
    txn->abort(txn);
    return code;
}

int bdb_log_sweep(bdb_store_t *store)
{
    apr_uint64_t now = bdb_change_now(store, 0), from;
    unsigned shard, steps;
    sweep_t sweep;
    int code = 0;

    for (shard = 0; shard < BDB_SHARDS && code == 0; shard++) {
        code = bdb_swept_get(store, shard, &from);
        for (steps = 0; steps < SWEEPS_A_SHARD && code == 0; steps++) {
            if ((code = sweep_look(store, shard, from, now, &sweep)) ||
                sweep.reached == from)
                break;
            code = sweep_step(store, shard, &sweep);
            from = sweep.reached;
        }
    }
    return code;
}
