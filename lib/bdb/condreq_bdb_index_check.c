/* The index held against the version map: members, the log of changes, and
 * what is known of each collection.
 * Knows what a record has in the index; changes nothing.
 *
 * A batch a visit, as last committed, which costs no writer anything. Where
 * the two then differ, a write may have come between: that key alone is looked
 * at again in a transaction, which sees both of one moment. */
#include <string.h>

#include "apr_strings.h"

#include "condreq_bdb_copies.h"
#include "condreq_bdb_index_check.h"

#define AT_ONCE 64u
#define VALUE_MAX 4096u
#define TALLY_SIZE 24u

/** A collection, by the version map and by the index. */
typedef struct known_t {
    bdb_tally_t expected;
    bdb_tally_t found;
} known_t;

typedef struct checking_t {
    bdb_store_t *store;
    bdb_index_check_t *check;
    condreq_trouble_t *trouble;
    apr_pool_t *pool;
    apr_pool_t *batch;
} checking_t;

/* ---- one key ---- */

typedef enum fault_t {
    SOUND,
    NOT_LISTED,
    LISTED,
    NOT_LOGGED,
    LOGGED_LATER
} fault_t;

static const char *const fault_sentences[] = {
    "", "it is in no collection", "a collection lists it, and it is not there",
    "its last change is not in the log of changes",
    "the log has a later change of it than itself"};

static int index_get(bdb_store_t *store, DB_TXN *txn, bdb_index_key_t *at,
                     DBT *value, int *is_there)
{
    int code = store->index->get(store->index, txn, &at->dbt, value, 0);

    *is_there = code == 0;
    return code == DB_NOTFOUND ? 0 : code;
}

static int is_listed(bdb_store_t *store, DB_TXN *txn, const char *key,
                     int *listed)
{
    bdb_index_key_t at;
    DBT nothing = {0};
    int code = bdb_member_key(&at, key);

    nothing.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL;
    return code ? code : index_get(store, txn, &at, &nothing, listed);
}

static int is_logged(bdb_store_t *store, DB_TXN *txn, const char *key,
                     apr_uint64_t place, int *logged)
{
    unsigned char bytes[VALUE_MAX];
    bdb_index_key_t at;
    DBT value = {0};
    int code;

    value.data = bytes;
    value.ulen = sizeof(bytes);
    value.flags = DB_DBT_USERMEM;
    bdb_log_key(&at, place);
    code = index_get(store, txn, &at, &value, logged);
    *logged = *logged && value.size == 8 + strlen(key) &&
              memcmp(bytes + 8, key, strlen(key)) == 0;
    return code;
}

/* What the index should have of a record. What never was has nothing there. */
static int look(bdb_store_t *store, DB_TXN *txn, const char *key,
                const condreq_record_t *record, fault_t *fault)
{
    int is_live = record->state == CONDREQ_LIVE, listed, logged;
    int code = is_listed(store, txn, key, &listed);

    *fault = SOUND;
    if (code == 0 && listed != is_live)
        *fault = is_live ? NOT_LISTED : LISTED;
    if (code != 0 || *fault != SOUND || record->state == CONDREQ_ABSENT)
        return code;
    code = is_logged(store, txn, key, record->change, &logged);
    if (code == 0 && !logged)
        *fault = NOT_LOGGED;
    return code;
}

/** A key where the two differ. */
typedef struct doubt_t {
    bdb_visit_t visit;
    /** of an entry of the log; 0 where it is about another one */
    apr_uint64_t place;
    fault_t fault;
} doubt_t;

static int look_again(bdb_store_t *store, DB_TXN *txn, doubt_t *doubt)
{
    condreq_record_t record;
    int logged, code = bdb_record_read(store, txn, doubt->visit.key, &record);

    doubt->fault = SOUND;
    if (code != 0)
        return code;
    if (doubt->place == 0)
        return look(store, txn, doubt->visit.key, &record, &doubt->fault);
    code = is_logged(store, txn, doubt->visit.key, doubt->place, &logged);
    if (code == 0 && logged && doubt->place > record.change)
        doubt->fault = LOGGED_LATER;
    return code;
}

/* A backup has no transactions, and nobody who writes. */
static int visit_again(bdb_store_t *store, bdb_visit_t *visit)
{
    DB_TXN *txn = NULL;
    int code = 0, ended = 0;

    if (store->env)
        code = store->env->txn_begin(store->env, NULL, &txn, 0);
    if (code == 0)
        code = look_again(store, txn, (doubt_t *)visit);
    if (txn)
        ended = txn->abort(txn);
    return code ? code : ended;
}

static apr_status_t settle(checking_t *checking, const char *key,
                           apr_uint64_t place)
{
    doubt_t doubt = {
        {visit_again, "checking the index for", key}, place, SOUND};
    apr_status_t status =
        bdb_visit(checking->store, &doubt.visit, checking->trouble);

    if (status == APR_SUCCESS && doubt.fault != SOUND)
        bdb_found(checking->check->findings, key, "%s",
                  fault_sentences[doubt.fault]);
    return status;
}

/* ---- collections ---- */

static known_t *known_of(const checking_t *checking, const char *collection,
                         apr_size_t length)
{
    apr_hash_t *collections = checking->check->collections;
    known_t *known = apr_hash_get(collections, collection, (apr_ssize_t)length);

    if (!known) {
        known = apr_pcalloc(checking->pool, sizeof(*known));
        apr_hash_set(collections,
                     apr_pstrmemdup(checking->pool, collection, length),
                     (apr_ssize_t)length, known);
    }
    return known;
}

static void tally_add(bdb_tally_t *sum, const bdb_tally_t *more)
{
    sum->versions += more->versions;
    sum->documents += more->documents;
    if (more->number > sum->number)
        sum->number = more->number;
}

static void expect(const checking_t *checking, const char *key,
                   const condreq_record_t *record)
{
    bdb_tally_t change = {record->version, record->change >> 6,
                          record->state == CONDREQ_LIVE};
    const char *slash = key;

    while ((slash = strchr(slash, '/')) != NULL) {
        slash++;
        tally_add(&known_of(checking, key, (apr_size_t)(slash - key))->expected,
                  &change);
    }
}

void bdb_index_check_collections(const bdb_index_check_t *check)
{
    apr_hash_index_t *at;

    for (at = apr_hash_first(NULL, check->collections); at;
         at = apr_hash_next(at)) {
        const known_t *known = apr_hash_this_val(at);
        const bdb_tally_t *is = &known->expected, *found = &known->found;

        if (found->versions != is->versions ||
            found->documents != is->documents || found->number != is->number)
            bdb_found(check->findings, apr_hash_this_key(at),
                      "it has %" APR_INT64_T_FMT
                      " documents and %" APR_UINT64_T_FMT
                      " versions, the last of %" APR_UINT64_T_FMT
                      "; the index knows %" APR_INT64_T_FMT
                      ", %" APR_UINT64_T_FMT " and %" APR_UINT64_T_FMT,
                      is->documents, is->versions, is->number, found->documents,
                      found->versions, found->number);
    }
}

/* ---- records ---- */

typedef struct records_t {
    bdb_visit_t visit;
    condreq_walked_t found[AT_ONCE];
    unsigned count;
    fault_t faults[AT_ONCE];
} records_t;

static int visit_records(bdb_store_t *store, bdb_visit_t *visit)
{
    records_t *records = (records_t *)visit;
    unsigned i;
    int code = 0;

    for (i = 0; i < records->count && code == 0; i++) {
        records->faults[i] = SOUND;
        if (!records->found[i].unreadable)
            code = look(store, NULL, records->found[i].key,
                        &records->found[i].record, &records->faults[i]);
    }
    return code;
}

static apr_status_t note_record(checking_t *checking,
                                const condreq_walked_t *walked, fault_t fault)
{
    if (walked->unreadable)
        return APR_SUCCESS;
    checking->check->records++;
    checking->check->live += walked->record.state == CONDREQ_LIVE;
    expect(checking, walked->key, &walked->record);
    return fault == SOUND ? APR_SUCCESS : settle(checking, walked->key, 0);
}

static apr_status_t check_records(checking_t *checking)
{
    records_t *records = apr_palloc(checking->pool, sizeof(*records));
    bdb_visit_t visit = {visit_records, "checking the index", ""};
    condreq_walk_t walk = {{0}, 0};
    apr_status_t status;
    unsigned i;

    records->visit = visit;
    do {
        apr_pool_clear(checking->batch);
        if ((status = bdb_walk(&checking->store->base, "", &walk,
                               records->found, AT_ONCE, &records->count,
                               checking->trouble, checking->batch)) ||
            (status = bdb_visit(checking->store, &records->visit,
                                checking->trouble)))
            return status;
        for (i = 0; i < records->count && status == APR_SUCCESS; i++)
            status =
                note_record(checking, &records->found[i], records->faults[i]);
    } while (status == APR_SUCCESS && records->count > 0);
    return status;
}

/* ---- and the other way round ---- */

typedef struct entry_t {
    bdb_index_key_t at;
    unsigned char value[8 + CONDREQ_KEY_MAX + 1];
    u_int32_t length;
    /** the document's record as last committed; of the index's own: none */
    condreq_record_t record;
} entry_t;

typedef struct entries_t {
    bdb_visit_t visit;
    /** where to go on */
    bdb_index_key_t from;
    unsigned count;
    entry_t entries[AT_ONCE];
    apr_pool_t *pool;
} entries_t;

static int is_member(const entry_t *entry)
{
    return entry->at.bytes[0] >= BDB_SHARDS && entry->length == 0;
}

static int is_change(const entry_t *entry)
{
    return entry->at.bytes[0] < BDB_SHARDS &&
           entry->at.bytes[1] == BDB_INDEX_LOG && entry->at.dbt.size == 10 &&
           entry->length > 8;
}

static int is_tally(const entry_t *entry)
{
    return entry->at.bytes[0] < BDB_SHARDS &&
           entry->at.bytes[1] == BDB_INDEX_COLLECTION &&
           entry->length == TALLY_SIZE;
}

static const char *key_of(const entry_t *entry, apr_pool_t *pool)
{
    return is_member(entry)
               ? bdb_member_document(&entry->at, pool)
               : apr_pstrmemdup(pool, (const char *)entry->value + 8,
                                entry->length - 8);
}

/* No cursor may stay while a record is read, see bdb_index_seek(). */
static int read_entries(bdb_store_t *store, entries_t *entries)
{
    bdb_index_key_t at = entries->from;
    u_int32_t how = DB_SET_RANGE;
    DBC *cursor;
    int closed, code = store->index->cursor(store->index, NULL, &cursor, 0);

    if (code != 0)
        return code;
    at.dbt.data = at.bytes;
    for (entries->count = 0; entries->count < AT_ONCE; entries->count++) {
        entry_t *entry = &entries->entries[entries->count];
        DBT value = {0};

        value.data = entry->value;
        value.ulen = sizeof(entry->value);
        value.flags = DB_DBT_USERMEM;
        if ((code = cursor->get(cursor, &at.dbt, &value, how)) != 0)
            break;
        entry->at = at;
        entry->length = value.size;
        how = DB_NEXT;
    }
    closed = cursor->close(cursor);
    return code && code != DB_NOTFOUND ? code : closed;
}

static int visit_entries(bdb_store_t *store, bdb_visit_t *visit)
{
    entries_t *entries = (entries_t *)visit;
    int code = read_entries(store, entries);
    unsigned i;

    for (i = 0; i < entries->count && code == 0; i++) {
        entry_t *entry = &entries->entries[i];

        if (is_member(entry) || is_change(entry))
            code = bdb_record_read(store, NULL, key_of(entry, entries->pool),
                                   &entry->record);
    }
    return code;
}

static apr_status_t note_change(checking_t *checking, const entry_t *entry)
{
    apr_uint64_t place =
        bdb_change_place(bdb_read_u64(entry->at.bytes + 2), entry->at.bytes[0]);

    checking->check->stale += place < entry->record.change;
    return place > entry->record.change
               ? settle(checking, key_of(entry, checking->batch), place)
               : APR_SUCCESS;
}

/* What has a record was looked at with that. */
static apr_status_t note_entry(checking_t *checking, const entry_t *entry)
{
    bdb_tally_t tally;

    if (is_change(entry))
        return note_change(checking, entry);
    if (is_member(entry) && entry->record.state == CONDREQ_ABSENT)
        return settle(checking, key_of(entry, checking->batch), 0);
    if (is_tally(entry)) {
        tally.versions = bdb_read_u64(entry->value);
        tally.number = bdb_read_u64(entry->value + 8);
        tally.documents = (apr_int64_t)bdb_read_u64(entry->value + 16);
        tally_add(&known_of(checking, (const char *)entry->at.bytes + 2,
                            entry->at.dbt.size - 2)
                       ->found,
                  &tally);
    }
    return APR_SUCCESS;
}

/* The least key behind the last one; both ends have room for the fences'. */
static int step_over(entries_t *entries)
{
    entries->from = entries->entries[entries->count - 1].at;
    return bdb_index_key_add(&entries->from, "", 1);
}

static apr_status_t check_entries(checking_t *checking)
{
    entries_t *entries = apr_palloc(checking->pool, sizeof(*entries));
    bdb_visit_t visit = {visit_entries, "checking the index", ""};
    apr_status_t status = APR_SUCCESS;
    unsigned i;

    entries->visit = visit;
    entries->pool = checking->batch;
    bdb_index_key(&entries->from, 0, 0);
    do {
        apr_pool_clear(checking->batch);
        status = bdb_visit(checking->store, &entries->visit, checking->trouble);
        for (i = 0; status == APR_SUCCESS && i < entries->count; i++)
            status = note_entry(checking, &entries->entries[i]);
        if (status == APR_SUCCESS && entries->count > 0 &&
            step_over(entries) != 0)
            return condreq_trouble(checking->trouble, CONDREQ_EFORMAT,
                                   "checking the index: a key is too long");
    } while (status == APR_SUCCESS && entries->count == AT_ONCE);
    return status;
}

apr_status_t bdb_index_check(bdb_store_t *store, bdb_index_check_t *check,
                             condreq_trouble_t *trouble, apr_pool_t *pool)
{
    checking_t checking = {store, check, trouble, pool, NULL};
    apr_status_t status;

    check->records = check->live = check->stale = 0;
    check->collections = apr_hash_make(pool);
    apr_pool_create(&checking.batch, pool);
    status = check_records(&checking);
    if (status == APR_SUCCESS)
        status = check_entries(&checking);
    apr_pool_destroy(checking.batch);
    return status;
}
