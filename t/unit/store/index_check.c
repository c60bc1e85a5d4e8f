/* The index held against the version map: members, the log of changes, and
 * what is known of each collection.
 * Knows the trees behind the store; judges nothing. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "apr_hash.h"
#include "apr_strings.h"

#include "bdb/condreq_bdb_index.h"
#include "index_check.h"

#define FAULTS_SAID 10

typedef struct checking_t {
    bdb_visit_t visit;
    index_census_t *census;
    /** collection to bdb_tally_t: by the version map, by the index */
    apr_hash_t *expected;
    apr_hash_t *found;
    apr_pool_t *pool;
} checking_t;

__attribute__((format(printf, 2, 3))) static void fault(checking_t *checking,
                                                        const char *format, ...)
{
    va_list args;

    if (checking->census->faults++ >= FAULTS_SAID)
        return;
    printf("# index: ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

static void tally(apr_hash_t *tallies, const char *collection,
                  apr_size_t length, const bdb_tally_t *change,
                  apr_pool_t *pool)
{
    bdb_tally_t *known = apr_hash_get(tallies, collection, (apr_ssize_t)length);

    if (!known) {
        known = apr_pcalloc(pool, sizeof(*known));
        apr_hash_set(tallies, apr_pstrmemdup(pool, collection, length),
                     (apr_ssize_t)length, known);
    }
    known->versions += change->versions;
    known->documents += change->documents;
    if (change->number > known->number)
        known->number = change->number;
}

static int is_in_index(bdb_store_t *store, bdb_index_key_t *at, DBT *value)
{
    return store->index->get(store->index, NULL, &at->dbt, value, 0) == 0;
}

static void check_member(bdb_store_t *store, checking_t *checking,
                         const char *key, const condreq_record_t *record)
{
    bdb_index_key_t at;
    DBT nothing = {0};
    int is_live = record->state == CONDREQ_LIVE;

    nothing.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL;
    bdb_member_key(&at, key);
    if (is_in_index(store, &at, &nothing) != is_live)
        fault(checking, "%s is %s and %s", key, is_live ? "live" : "deleted",
              is_live ? "in no collection" : "in its collection");
    checking->census->live += (unsigned)is_live;
}

static void check_change(bdb_store_t *store, checking_t *checking,
                         const char *key, const condreq_record_t *record)
{
    unsigned char bytes[8 + CONDREQ_KEY_MAX], number[8];
    bdb_index_key_t at;
    DBT value = {0};

    value.data = bytes;
    value.ulen = sizeof(bytes);
    value.flags = DB_DBT_USERMEM;
    bdb_write_u64(number, record->change >> 6);
    bdb_index_key(&at, (unsigned)(record->change & 63), BDB_INDEX_LOG);
    bdb_index_key_add(&at, number, sizeof(number));
    if (!is_in_index(store, &at, &value) || value.size != 8 + strlen(key) ||
        memcmp(bytes + 8, key, strlen(key)) != 0)
        fault(checking, "the change of %s is not in the log", key);
}

static void expect_tallies(checking_t *checking, const char *key,
                           const condreq_record_t *record)
{
    bdb_tally_t change = {record->version, record->change >> 6,
                          record->state == CONDREQ_LIVE};
    const char *slash = key;

    while ((slash = strchr(slash, '/')) != NULL) {
        slash++;
        tally(checking->expected, key, (apr_size_t)(slash - key), &change,
              checking->pool);
    }
}

static int check_records(bdb_store_t *store, checking_t *checking)
{
    bdb_version_key_t at;
    condreq_record_t record;
    int code;

    memset(&at, 0, sizeof(at));
    while ((code = bdb_record_after(store, NULL, &at, &record)) == 0) {
        const char *key = (const char *)at.bytes + 1;

        checking->census->records++;
        check_member(store, checking, key, &record);
        check_change(store, checking, key, &record);
        expect_tallies(checking, key, &record);
    }
    return code == DB_NOTFOUND ? 0 : code;
}

/* ---- and the other way round ---- */

static void see_log_entry(bdb_store_t *store, checking_t *checking,
                          const bdb_index_key_t *at, const char *value,
                          apr_size_t length)
{
    const char *key = apr_pstrmemdup(checking->pool, value + 8, length - 8);
    apr_uint64_t place =
        bdb_change_place(bdb_read_u64(at->bytes + 2), at->bytes[0]);
    condreq_record_t record;

    if (bdb_record_read(store, NULL, key, &record) != 0)
        return;
    if (place > record.change)
        fault(checking, "the log has a change of %s that it does not know",
              key);
    checking->census->stale += place < record.change;
}

static void see_tally(checking_t *checking, const bdb_index_key_t *at,
                      const unsigned char *value)
{
    bdb_tally_t known = {bdb_read_u64(value), bdb_read_u64(value + 8),
                         (apr_int64_t)bdb_read_u64(value + 16)};

    tally(checking->found, (const char *)at->bytes + 2, at->dbt.size - 2,
          &known, checking->pool);
}

static void see_entry(bdb_store_t *store, checking_t *checking,
                      const bdb_index_key_t *at, const char *value,
                      apr_size_t length, unsigned *members)
{
    if (at->bytes[0] >= BDB_SHARDS)
        *members += at->dbt.size > 3 || length == 0;
    else if (at->bytes[1] == BDB_INDEX_LOG)
        see_log_entry(store, checking, at, value, length);
    else if (at->bytes[1] == BDB_INDEX_COLLECTION)
        see_tally(checking, at, (const unsigned char *)value);
}

static int check_entries(bdb_store_t *store, checking_t *checking)
{
    char value_bytes[4096];
    unsigned members = 0;
    bdb_index_key_t at;
    DBT value = {0};
    DBC *cursor;
    int code = store->index->cursor(store->index, NULL, &cursor, 0);

    if (code != 0)
        return code;
    bdb_index_key(&at, 0, 0);
    value.data = value_bytes;
    value.ulen = sizeof(value_bytes);
    value.flags = DB_DBT_USERMEM;
    while ((code = cursor->get(cursor, &at.dbt, &value, DB_NEXT)) == 0)
        see_entry(store, checking, &at, value_bytes, value.size, &members);
    cursor->close(cursor);
    if (members != checking->census->live)
        fault(checking, "%u members, and %u live documents", members,
              checking->census->live);
    return code == DB_NOTFOUND ? 0 : code;
}

static void check_tallies(checking_t *checking)
{
    apr_hash_index_t *at;

    if (apr_hash_count(checking->expected) != apr_hash_count(checking->found))
        fault(checking, "%u collections are known, and there are %u",
              apr_hash_count(checking->found),
              apr_hash_count(checking->expected));
    for (at = apr_hash_first(checking->pool, checking->expected); at;
         at = apr_hash_next(at)) {
        const char *collection = apr_hash_this_key(at);
        const bdb_tally_t *expected = apr_hash_this_val(at);
        const bdb_tally_t *found = apr_hash_get(checking->found, collection,
                                                apr_hash_this_key_len(at));

        if (!found || found->versions != expected->versions ||
            found->documents != expected->documents ||
            found->number != expected->number)
            fault(checking,
                  "%s: %lu versions, %ld documents, the last change %lu; "
                  "known: %lu, %ld, %lu",
                  collection, (unsigned long)expected->versions,
                  (long)expected->documents, (unsigned long)expected->number,
                  found ? (unsigned long)found->versions : 0,
                  found ? (long)found->documents : 0,
                  found ? (unsigned long)found->number : 0);
    }
}

static int visit_check(bdb_store_t *store, bdb_visit_t *visit)
{
    checking_t *checking = (checking_t *)visit;
    int code;

    memset(checking->census, 0, sizeof(*checking->census));
    apr_pool_clear(checking->pool);
    checking->expected = apr_hash_make(checking->pool);
    checking->found = apr_hash_make(checking->pool);
    if ((code = check_records(store, checking)) != 0 ||
        (code = check_entries(store, checking)) != 0)
        return code;
    check_tallies(checking);
    return 0;
}

apr_status_t index_check(condreq_store_t *store, index_census_t *census,
                         condreq_trouble_t *trouble, apr_pool_t *pool)
{
    checking_t checking = {
        {visit_check, "checking the index", ""}, census, NULL, NULL, NULL};

    apr_pool_create(&checking.pool, pool);
    return bdb_visit((bdb_store_t *)store, &checking.visit, trouble);
}
