/* The index of a Berkeley DB store: that it says what the version map says,
 * after whatever was done; that a store without one gets one; that the log of
 * changes does not grow for ever.
 * Knows the trees behind the store. */
#include <stdlib.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "bdb/condreq_bdb_index.h"
#include "store/crew.h"
#include "store/index_check.h"
#include "store/leaks.h"
#include "store/scratch.h"
#include "store/writes.h"
#include "tap.h"

static store_suite_t suite = {&condreq_store_bdb, NULL, 1};
static apr_pool_t *pool;

static index_census_t census_of(condreq_store_t *store)
{
    index_census_t census = {0, 0, 0, 1};
    condreq_trouble_t trouble;

    if (index_check(store, &census, &trouble, pool))
        printf("# %s\n", trouble.sentence);
    return census;
}

/* ---- what writers leave ---- */

static void work_anything(crew_worker_t *worker)
{
    apr_pool_t *each;
    int i;

    apr_pool_create(&each, worker->pool);
    for (i = 0; i < 200; i++) {
        unsigned place = (unsigned)(i * 31 + worker->number * 7) % 97;
        const char *key;

        apr_pool_clear(each);
        key = apr_psprintf(each, place % 3 ? "h/%u" : "h/a/%x/b/c%u", place,
                           place);
        if (i % 4 == 3)
            write_tombstone(worker->store, key, each);
        else
            write_document(worker->store, key, "text", 4, each);
    }
}

static void test_sound(void)
{
    crew_board_t *board = crew_run(&suite, "sound", work_anything, pool);
    condreq_store_t *store = board ? crew_join(&suite, "sound", pool) : NULL;
    condreq_trouble_t trouble;
    index_census_t census;

    if (!ok(store != NULL, "8 write, delete and create in one store"))
        return;
    census = census_of(store);
    is_int(census.faults, 0, "its index says what the version map says");
    is_int(census.records, 97, "of every document");
    ok(census.stale > 0, "changes that were replaced are in the log: %u",
       census.stale);
    while (store->provider->maintain(store, &trouble, pool) == 0 &&
           census.stale > 0 && census_of(store).stale < census.stale)
        census = census_of(store);
    is_int(census.stale, 0, "until the sweep has been there");
    is_int(census_of(store).faults, 0, "which takes nothing else");
}

/* A checker that finds nothing proves nothing. */
static void test_checker(void)
{
    condreq_store_t *store = crew_open(&suite, "broken", pool);
    DB *index = store ? ((bdb_store_t *)store)->index : NULL;
    condreq_record_t record;
    bdb_index_key_t at;

    if (!ok(store != NULL, "a store to break opens"))
        return;
    write_document(store, "h/1", "", 0, pool);
    write_document(store, "h/2", "", 0, pool);
    is_int(census_of(store).faults, 0, "sound it has no faults");
    bdb_member_key(&at, "h/1");
    index->del(index, NULL, &at.dbt, 0);
    is_int(census_of(store).faults, 2, "a member that is missing is two");
    bdb_member_write((bdb_store_t *)store, NULL, "h/1", 1);
    bdb_member_write((bdb_store_t *)store, NULL, "h/3", 1);
    is_int(census_of(store).faults, 1, "one too many is one");
    bdb_member_write((bdb_store_t *)store, NULL, "h/3", 0);
    record = record_of(store, "h/2", pool);
    record.version = 7;
    bdb_record_write((bdb_store_t *)store, NULL, "h/2", &record);
    is_int(census_of(store).faults, 1, "so is a version that nobody counted");
    record.version = 1;
    record.change--;
    bdb_record_write((bdb_store_t *)store, NULL, "h/2", &record);
    ok(census_of(store).faults >= 2, "a change that is not in the log is more");
}

/* ---- a store of the format before ---- */

static int strip(bdb_store_t *store, const char *key)
{
    unsigned char bytes[CONDREQ_RECORD_SIZE_MAX], name[200];
    const void *name_bytes = name, *value_bytes = bytes;
    condreq_record_t record = record_of(&store->base, key, pool);
    apr_size_t length = condreq_record_encode(bytes, &record);
    DBT at = {0}, value = {0};

    /* Format 1 has no change between the hash and the media type. */
    bytes[0] = 1;
    memmove(bytes + 76, bytes + 84, length - 84);
    name[0] = (unsigned char)(bdb_key_hash(key) >> 24);
    memcpy(name + 1, key, strlen(key));
    memcpy(&at.data, &name_bytes, sizeof(name_bytes));
    at.size = (u_int32_t)(1 + strlen(key));
    memcpy(&value.data, &value_bytes, sizeof(value_bytes));
    value.size = (u_int32_t)(length - 8);
    return store->versions->put(store->versions, NULL, &at, &value, 0);
}

static const char *old_key(int number)
{
    return apr_psprintf(pool, number % 5 ? "h/old/%d" : "h/old/s/%d", number);
}

#define OLD 450

/* What that format had: no index, and another number. */
static int write_old_store(void *baton)
{
    bdb_store_t *store = (bdb_store_t *)crew_join(&suite, baton, pool);
    static const char kind = 'f';
    unsigned char format[8] = {0, 0, 0, 0, 0, 0, 0, 1};
    const void *kind_bytes = &kind;
    DBT at = {0}, value = {0};
    u_int32_t count;
    int i, code = 0;

    for (i = 1; i <= OLD; i++) {
        write_document(&store->base, old_key(i), "old", 3, pool);
        if (i % 3 == 0)
            write_document(&store->base, old_key(i), "old", 3, pool);
        if (i % 7 == 0)
            write_tombstone(&store->base, old_key(i), pool);
    }
    for (i = 1; i <= OLD && code == 0; i++)
        code = strip(store, old_key(i));
    memcpy(&at.data, &kind_bytes, sizeof(kind_bytes));
    at.size = 1;
    value.data = format;
    value.size = sizeof(format);
    return code ||
           store->counters->put(store->counters, NULL, &at, &value, 0) ||
           store->index->truncate(store->index, NULL, &count, 0);
}

static void test_conversion(void)
{
    char name[] = "old";
    condreq_collection_state_t state;
    condreq_place_t from = {"", 0};
    static condreq_entry_t entries[OLD];
    condreq_trouble_t trouble;
    condreq_record_t record;
    condreq_store_t *store;
    index_census_t census;
    apr_size_t count;

    crew_prepare(&suite, name, pool);
    is_int(crew_apart(&suite, write_old_store, name), 0,
           "a store of the format before is made");
    store = crew_open(&suite, name, pool);
    if (!ok(store != NULL, "it is prepared, and opens"))
        return;
    census = census_of(store);
    is_int(census.faults, 0, "it has an index that says what its map says");
    is_int(census.records, OLD, "of every document");
    is_int(census.live, OLD - OLD / 7, "and knows which are live");
    store->provider->list(store, "h/old/", &from, entries, OLD, &count,
                          &trouble, pool);
    is_int((long long)count, OLD - OLD / 5 - OLD / 7 + OLD / 35 + 1,
           "they are listed");
    record = record_of(store, old_key(3), pool);
    ok(record.version == 2 && record.body_length == 3 &&
           !strcmp(record.media_type, "text/plain"),
       "a record is as it was");
    store->provider->collection(store, "h/old/", 0, &state, &trouble, pool);
    is_int((long long)state.version, OLD + OLD / 3 + OLD / 7,
           "every version there ever was is counted");
    write_document(store, old_key(1), "new", 3, pool);
    is_int(census_of(store).faults, 0, "and it goes on from there");
}

/* ---- what was forgotten ---- */

static void test_forgotten(void)
{
    condreq_store_t *store = crew_open(&suite, "forgotten", pool);
    bdb_store_t *opened = (bdb_store_t *)store;
    static const char kind = 'p';
    const void *kind_bytes = &kind;
    condreq_changes_read_t read;
    condreq_change_t changes[4];
    condreq_trouble_t trouble;
    apr_uint64_t first, second;
    unsigned char number[8];
    DBT at = {0}, value = {0};

    if (!ok(store != NULL, "a store that forgets opens"))
        return;
    write_document(store, "h/1", "", 0, pool);
    store->provider->changes(store, "h/", 0, changes, 4, &read, &trouble, pool);
    first = read.reached;
    write_document(store, "h/2", "", 0, pool);
    store->provider->changes(store, "h/", first, changes, 4, &read, &trouble,
                             pool);
    second = read.reached;
    /* As a purge of tombstones up to there would say it. */
    bdb_write_u64(number, second);
    memcpy(&at.data, &kind_bytes, sizeof(kind_bytes));
    at.size = 1;
    value.data = number;
    value.size = sizeof(number);
    opened->counters->put(opened->counters, NULL, &at, &value, 0);
    is_int(store->provider->changes(store, "h/", first, changes, 4, &read,
                                    &trouble, pool),
           APR_NOTFOUND, "a number before what was forgotten says nothing");
    ok(trouble.sentence[0] != '\0', "and it is said: %s", trouble.sentence);
    is_int(store->provider->changes(store, "h/", second, changes, 4, &read,
                                    &trouble, pool),
           APR_SUCCESS, "one behind it does");
    is_int(store->provider->changes(store, "h/", 0, changes, 4, &read, &trouble,
                                    pool),
           APR_SUCCESS, "and whoever begins anew may");
}

/* ---- numbers after an end ---- */

static int write_and_end(void *baton)
{
    condreq_store_t *store = crew_join(&suite, baton, pool);

    /* A clock that was far ahead, and is not any more. */
    atomic_store(((bdb_store_t *)store)->last_change,
                 (apr_uint64_t)(apr_time_now() + 3600 * APR_USEC_PER_SEC));
    return write_document(store, "h/ahead", "", 0, pool) != APR_SUCCESS;
}

static void test_numbers_go_on(void)
{
    char name[] = "numbers";
    condreq_collection_state_t before, after;
    condreq_trouble_t trouble;
    condreq_store_t *store;

    crew_prepare(&suite, name, pool);
    is_int(crew_apart(&suite, write_and_end, name), 0,
           "a process writes under a clock that is an hour ahead");
    store = crew_open(&suite, name, pool);
    if (!ok(store != NULL, "the store is prepared again, and opens"))
        return;
    store->provider->collection(store, "h/", 0, &before, &trouble, pool);
    write_document(store, "h/behind", "", 0, pool);
    store->provider->collection(store, "h/", 0, &after, &trouble, pool);
    ok(after.change > before.change && after.mtime_us > before.mtime_us,
       "the next change has a later number all the same");
    ok(apr_time_sec(after.mtime_us) > apr_time_sec(before.mtime_us),
       "in another second, since that one may have been sent");
}

int main(void)
{
    int failed;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (!(suite.directory = scratch_make()))
        return 1;
    test_sound();
    test_checker();
    test_conversion();
    test_forgotten();
    test_numbers_go_on();
    failed = done_testing();
    scratch_remove(suite.directory);
    return failed;
}
