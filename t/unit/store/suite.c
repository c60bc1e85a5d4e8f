/* One suite for every store: each promise of condreq_store.h is a row.
 * Knows the provider's table and nothing of what is behind it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apr_strings.h"
#include "apr_thread_proc.h"

#include "collections.h"
#include "crew.h"
#include "kills.h"
#include "locks.h"
#include "races.h"
#include "suite.h"
#include "tap.h"
#include "writes.h"

#define BUSY "busy"

condreq_store_config_t suite_config(const store_suite_t *suite,
                                    const char *name, apr_pool_t *pool)
{
    condreq_store_config_t config;

    config.path = apr_pstrcat(pool, suite->directory, "/", name, NULL);
    config.durability = CONDREQ_SYNC;
    config.cache_bytes = 16u << 20;
    config.threads = 64;
    config.wait_us = 30 * APR_USEC_PER_SEC;
    if (!strcmp(name, BUSY))
        config.wait_us = APR_USEC_PER_SEC / 4;
    return config;
}

static void test_records(condreq_store_t *store, apr_pool_t *pool)
{
    const condreq_store_provider_t *provider = store->provider;
    condreq_record_t record, again;
    condreq_trouble_t trouble;
    write_t write = {0};

    memset(&record, 0xff, sizeof(record));
    is_int(provider->lookup(store, "h/none", &record, &trouble, pool), 0,
           "what was never there can be looked up");
    ok(record.state == CONDREQ_ABSENT && record.version == 0 &&
           record.body_length == 0,
       "and is absent, in every field");
    write.key = "h/record";
    write.state = CONDREQ_LIVE;
    write.body = "text";
    write.length = 4;
    is_int(write_run(store, &write, &trouble, pool), 0, "a record is written");
    record = record_of(store, "h/record", pool);
    ok(!memcmp(&record.sha256, &write.after.sha256, CONDREQ_SHA256_SIZE) &&
           record.state == CONDREQ_LIVE && record.version == 1 &&
           record.mtime_us == write.after.mtime_us &&
           record.date_s == write.after.date_s &&
           record.body_id == write.after.body_id && record.body_length == 4 &&
           !strcmp(record.media_type, "text/plain"),
       "and looked up as it was written");
    write.expected = 1;
    write_run(store, &write, &trouble, pool);
    ok(write.performed && write.before.mtime_us == record.mtime_us,
       "a transaction sees what the one before it wrote");
    again = record_of(store, "h/record", pool);
    ok(again.version == 2 && again.body_id != record.body_id,
       "the next version has the next number and a body id of its own");
    write_run(store, &write, &trouble, pool);
    ok(!write.performed && record_of(store, "h/record", pool).version == 2,
       "a condition on the version of before holds no more");
    write_tombstone(store, "h/record", pool);
    again = record_of(store, "h/record", pool);
    ok(again.state == CONDREQ_TOMBSTONE && again.version == 3,
       "a tombstone is a version too");
}

/* Sees its own writes: a second put in one transaction. */
static apr_status_t txn_body_twice(condreq_txn_t *txn, void *baton,
                                   apr_pool_t *pool)
{
    const condreq_store_provider_t *store = txn->store->provider;
    condreq_record_t *seen = baton;
    condreq_record_t record = {0};

    (void)pool;
    record.state = CONDREQ_LIVE;
    record.version = 41;
    if (store->put(txn, "h/twice", &record))
        return APR_EGENERAL;
    return store->get(txn, "h/twice", seen);
}

static void test_own_writes(condreq_store_t *store, apr_pool_t *pool)
{
    condreq_record_t seen = {0};
    condreq_trouble_t trouble;

    store->provider->txn(store, txn_body_twice, &seen, &trouble, pool);
    is_int((long long)seen.version, 41, "a transaction sees its own writes");
}

typedef struct key_row_t {
    const char *claim;
    const char *key;
    apr_uint64_t writes;
} key_row_t;

static const char *bytes_1_to_255(apr_pool_t *pool)
{
    char *key = apr_palloc(pool, 256);
    int i;

    for (i = 1; i < 256; i++)
        key[i - 1] = (char)i;
    key[255] = '\0';
    return key;
}

static const char *key_of_length(apr_size_t length, char last, apr_pool_t *pool)
{
    char *key = apr_palloc(pool, length + 1);

    memset(key, 'k', length);
    key[length - 1] = last;
    key[length] = '\0';
    return key;
}

static void test_keys(condreq_store_t *store, apr_pool_t *pool)
{
    const key_row_t rows[] = {
        {"a key of one byte", "h", 3},
        {"a key that another begins with", "h/k", 2},
        {"its neighbour with a slash", "h/k/", 1},
        {"its neighbour with a letter", "h/kk", 4},
        {"its neighbour with a byte of all ones", "h/k\xff", 5},
        {"every byte from 0x01 to 0xff", bytes_1_to_255(pool), 2},
        {"the longest key", key_of_length(CONDREQ_KEY_MAX, 'a', pool), 3},
        {"one that differs in its last byte",
         key_of_length(CONDREQ_KEY_MAX, 'b', pool), 1},
        {"one that is a byte shorter",
         key_of_length(CONDREQ_KEY_MAX - 1, 'k', pool), 2},
    };
    size_t count = sizeof(rows) / sizeof(rows[0]), i;
    apr_uint64_t write;
    const char *longer = key_of_length(CONDREQ_KEY_MAX + 1, 'a', pool);

    for (i = 0; i < count; i++)
        for (write = 0; write < rows[i].writes; write++)
            write_document(store, rows[i].key, rows[i].claim,
                           strlen(rows[i].claim), pool);
    for (i = 0; i < count; i++)
        is_int((long long)record_of(store, rows[i].key, pool).version,
               (long long)rows[i].writes, rows[i].claim);
    ok(write_document(store, longer, "", 0, pool) != APR_SUCCESS,
       "a key over the limit is refused");
    is_int((long long)record_of(store, rows[6].key, pool).version, 3,
           "and taken for no other");
}

static apr_status_t read_in_pieces(condreq_store_t *store, const char *key,
                                   const condreq_record_t *record, char *bytes,
                                   apr_size_t piece, apr_pool_t *pool)
{
    apr_size_t length = (apr_size_t)record->body_length, at, wanted;
    condreq_trouble_t trouble;
    apr_status_t status = APR_SUCCESS;

    for (at = 0; at < length && status == APR_SUCCESS; at += wanted) {
        wanted = length - at < piece ? length - at : piece;
        status = store->provider->body_read(store, key, record, at, bytes + at,
                                            wanted, &trouble, pool);
    }
    return status;
}

typedef struct body_getting_t {
    const char *key;
    char *bytes;
} body_getting_t;

static apr_status_t txn_body_get_body(condreq_txn_t *txn, void *baton,
                                      apr_pool_t *pool)
{
    const condreq_store_provider_t *store = txn->store->provider;
    body_getting_t *getting = baton;
    condreq_record_t record;

    (void)pool;
    if (store->get(txn, getting->key, &record))
        return APR_EGENERAL;
    return store->body_get(txn, getting->key, &record, getting->bytes);
}

/* Lengths around those at which a store may cut. */
static const apr_size_t lengths[] = {0,    1,    2,     988,     989,
                                     990,  1024, 1977,  1978,    1979,
                                     4095, 4096, 65536, 1 << 20, 16 << 20};

static void test_a_body(condreq_store_t *store, apr_size_t length,
                        apr_pool_t *pool)
{
    const char *key = apr_psprintf(pool, "h/body/%" APR_SIZE_T_FMT, length);
    char *bytes = calloc(1, length + 1), *read = calloc(1, length + 1);
    body_getting_t getting = {key, read};
    condreq_record_t first, second;
    condreq_trouble_t trouble;

    pattern_fill(bytes, length, 1);
    write_document(store, key, bytes, length, pool);
    first = record_of(store, key, pool);
    ok(first.body_length == length &&
           read_in_pieces(store, key, &first, read, length + 1, pool) == 0 &&
           pattern_holds(read, length, 1),
       "a body of %" APR_SIZE_T_FMT " bytes is read at once", length);
    memset(read, 0, length);
    ok(read_in_pieces(store, key, &first, read, 13 + length / 7, pool) == 0 &&
           pattern_holds(read, length, 1),
       "and in pieces");
    memset(read, 0, length);
    ok(store->provider->txn(store, txn_body_get_body, &getting, &trouble,
                            pool) == 0 &&
           pattern_holds(read, length, 1),
       "and inside a transaction");
    pattern_fill(bytes, length, 2);
    write_document(store, key, bytes, length, pool);
    second = record_of(store, key, pool);
    ok(read_in_pieces(store, key, &second, read, length + 1, pool) == 0 &&
           pattern_holds(read, length, 2),
       "the version after it has its own bytes");
    is_int(read_in_pieces(store, key, &first, read, length + 1, pool),
           length ? APR_NOTFOUND : APR_SUCCESS,
           "and the one before it is gone");
    write_tombstone(store, key, pool);
    is_int(read_in_pieces(store, key, &second, read, length + 1, pool),
           length ? APR_NOTFOUND : APR_SUCCESS,
           "as is the last one after a delete");
    free(bytes);
    free(read);
}

static void test_bodies(condreq_store_t *store, apr_pool_t *pool)
{
    size_t i;

    for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        test_a_body(store, lengths[i], pool);
}

static void test_aborts(condreq_store_t *store, apr_pool_t *pool)
{
    condreq_record_t before, after;
    condreq_trouble_t trouble;
    write_t write = {0};
    char bytes[5000], read[5000];

    pattern_fill(bytes, sizeof(bytes), 1);
    write_document(store, "h/kept", bytes, sizeof(bytes), pool);
    before = record_of(store, "h/kept", pool);
    write.key = "h/kept";
    write.expected = ANY_VERSION;
    write.state = CONDREQ_LIVE;
    write.body = "other";
    write.length = 5;
    write.outcome = APR_EMISMATCH;
    is_int(write_run(store, &write, &trouble, pool), APR_EMISMATCH,
           "what a transaction's body returns is handed on");
    ok(write.performed, "although it had written");
    after = record_of(store, "h/kept", pool);
    ok(after.version == before.version && after.body_id == before.body_id,
       "its record is not there");
    ok(read_in_pieces(store, "h/kept", &before, read, 700, pool) == 0 &&
           pattern_holds(read, sizeof(read), 1),
       "the body that it removed is");
    is_int(read_in_pieces(store, "h/kept", &write.after, read, 700, pool),
           APR_NOTFOUND, "the body that it stored is not");
    write.key = "h/never";
    write_run(store, &write, &trouble, pool);
    is_int(record_of(store, "h/never", pool).state, CONDREQ_ABSENT,
           "nor is a document that it created");
    write.outcome = APR_SUCCESS;
    write_run(store, &write, &trouble, pool);
    is_int((long long)record_of(store, "h/never", pool).version, 1,
           "whose first version is still to come");
}

static void test_draws(condreq_store_t *store, apr_pool_t *pool)
{
    const char *long_name = key_of_length(CONDREQ_KEY_MAX, '/', pool);
    condreq_trouble_t trouble;
    apr_uint64_t number = 0;
    int i;

    for (i = 1; i <= 3; i++) {
        store->provider->draw(store, "h/draw/", &number, &trouble, pool);
        is_int((long long)number, i, "a sequence counts from 1 by 1");
    }
    store->provider->draw(store, "h/draw/other/", &number, &trouble, pool);
    is_int((long long)number, 1, "another collection's is its own");
    store->provider->draw(store, long_name, &number, &trouble, pool);
    is_int((long long)number, 1, "that of the longest name too");
    is_int(record_of(store, "h/draw/", pool).state, CONDREQ_ABSENT,
           "a draw makes no record");
}

typedef struct members_row_t {
    const char *claim;
    const char *collection;
    /** what is live, and what is a tombstone; NULL-terminated */
    const char *live[4];
    const char *tombstones[4];
    int has_members;
} members_row_t;

static const members_row_t members_rows[] = {
    {"nothing has no members", "h/m0/", {NULL}, {NULL}, 0},
    {"a document below is one", "h/m1/", {"h/m1/a"}, {NULL}, 1},
    {"far below too", "h/m2/", {"h/m2/a/b/c"}, {NULL}, 1},
    {"the collection's own record is none", "h/m3/", {"h/m3/"}, {NULL}, 0},
    {"nor is the document without the slash", "h/m4/", {"h/m4"}, {NULL}, 0},
    {"nor one whose name begins alike",
     "h/m5/",
     {"h/m5x/a", "h/m5x"},
     {NULL},
     0},
    {"nor a tombstone", "h/m6/", {NULL}, {"h/m6/a", "h/m6/b"}, 0},
    {"one among tombstones is found",
     "h/m7/",
     {"h/m7/c"},
     {"h/m7/a", "h/m7/b", "h/m7/d"},
     1},
    {"a collection below is one", "h/m8/", {"h/m8/sub/"}, {NULL}, 1},
    {"and the root has many", "h/", {NULL}, {NULL}, 1},
};

typedef struct members_t {
    const char *collection;
    int has_members;
} members_t;

static apr_status_t txn_body_members(condreq_txn_t *txn, void *baton,
                                     apr_pool_t *pool)
{
    members_t *members = baton;

    (void)pool;
    members->has_members = -1;
    return txn->store->provider->has_members(txn, members->collection,
                                             &members->has_members);
}

static int has_members(condreq_store_t *store, const char *collection,
                       apr_pool_t *pool)
{
    members_t members = {collection, -1};
    condreq_trouble_t trouble;

    if (store->provider->txn(store, txn_body_members, &members, &trouble, pool))
        return -1;
    return members.has_members;
}

static void test_members(condreq_store_t *store, apr_pool_t *pool)
{
    size_t i;
    int j;

    for (i = 0; i < sizeof(members_rows) / sizeof(members_rows[0]); i++) {
        const members_row_t *row = &members_rows[i];

        for (j = 0; j < 4 && row->live[j]; j++)
            write_document(store, row->live[j], "", 0, pool);
        for (j = 0; j < 4 && row->tombstones[j]; j++)
            write_tombstone(store, row->tombstones[j], pool);
        is_int(has_members(store, row->collection, pool), row->has_members,
               row->claim);
    }
}

/* Wherever a store keeps its keys, some stand behind all tombstones. */
static void test_members_among_many(condreq_store_t *store, apr_pool_t *pool)
{
    int wrong = 0, i;

    for (i = 0; i < 300; i++)
        write_tombstone(store, apr_psprintf(pool, "h/many/%d", i), pool);
    is_int(has_members(store, "h/many/", pool), 0,
           "300 tombstones are no member");
    for (i = 0; i < 300; i += 7) {
        const char *key = apr_psprintf(pool, "h/many/%d", i);

        write_document(store, key, "", 0, pool);
        wrong += has_members(store, "h/many/", pool) != 1;
        write_tombstone(store, key, pool);
    }
    is_int(wrong, 0, "a live one among them is found, whichever it is");
}

/* ---- walks ---- */

#define WALKED_MOST 1000

typedef struct walked_all_t {
    condreq_walked_t found[WALKED_MOST];
    unsigned count;
    unsigned calls;
} walked_all_t;

static void walk_all(condreq_store_t *store, const char *prefix,
                     unsigned at_once, walked_all_t *all, apr_pool_t *pool)
{
    condreq_walk_t walk = {{0}, 0};
    condreq_trouble_t trouble;
    unsigned count = 1;

    all->count = all->calls = 0;
    while (count > 0 && all->count + at_once <= WALKED_MOST &&
           store->provider->walk(store, prefix, &walk, all->found + all->count,
                                 at_once, &count, &trouble, pool) == 0) {
        all->count += count;
        all->calls++;
    }
}

static int count_walked(const walked_all_t *all, const char *key)
{
    unsigned i;
    int times = 0;

    for (i = 0; i < all->count; i++)
        times += !strcmp(all->found[i].key, key);
    return times;
}

typedef struct walk_row_t {
    const char *claim;
    const char *prefix;
    unsigned count;
} walk_row_t;

static const walk_row_t walk_rows[] = {
    {"a prefix of a hundred documents", "w/many/", 100},
    {"a part of them", "w/many/1", 11},
    {"one of them", "w/many/99", 1},
    {"a collection and what is below it", "w/", 103},
    {"a prefix that is a key", "w/one", 2},
    {"no key", "w/none", 0},
    {"a prefix that is greater than any", "\xff\xff", 0},
    {"one that is longer than any key", NULL, 0},
};

static void write_walked(condreq_store_t *store, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < 100; i++)
        write_document(store, apr_psprintf(pool, "w/many/%d", i), "text", 4,
                       pool);
    write_document(store, "w/one", "", 0, pool);
    write_document(store, "w/one/below", "", 0, pool);
    write_document(store, "w/gone", "", 0, pool);
    write_tombstone(store, "w/gone", pool);
}

static void test_walks(condreq_store_t *store, apr_pool_t *pool)
{
    static const unsigned batches[] = {1, 7, 64};
    walked_all_t *all = apr_palloc(pool, sizeof(*all));
    size_t i, j;

    write_walked(store, pool);
    for (i = 0; i < sizeof(walk_rows) / sizeof(walk_rows[0]); i++)
        for (j = 0; j < sizeof(batches) / sizeof(batches[0]); j++) {
            walk_all(store,
                     walk_rows[i].prefix
                         ? walk_rows[i].prefix
                         : key_of_length(CONDREQ_KEY_MAX + 1, 'k', pool),
                     batches[j], all, pool);
            is_int(all->count, walk_rows[i].count,
                   apr_psprintf(pool, "a walk by %u: %s", batches[j],
                                walk_rows[i].claim));
        }
    walk_all(store, "w/gone", 7, all, pool);
    ok(all->count == 1 && all->found[0].record.state == CONDREQ_TOMBSTONE &&
           all->found[0].record.version == 2,
       "a walk comes by tombstones, too");
    walk_all(store, "w/many/42", 7, all, pool);
    ok(!all->found[0].unreadable && all->found[0].record.version == 1 &&
           all->found[0].record.body_length == 4 &&
           !strcmp(all->found[0].record.media_type, "text/plain"),
       "what it gives is what a lookup gives");
}

/* What is there all the while is met once, whatever comes and goes. */
static void test_walk_among_writes(condreq_store_t *store, apr_pool_t *pool)
{
    walked_all_t *all = apr_palloc(pool, sizeof(*all));
    condreq_walk_t walk = {{0}, 0};
    condreq_trouble_t trouble;
    unsigned count = 1, i = 0;
    int wrong = 0;

    all->count = 0;
    while (count > 0 && all->count < WALKED_MOST - 7 &&
           store->provider->walk(store, "w/many/", &walk,
                                 all->found + all->count, 7, &count, &trouble,
                                 pool) == 0) {
        all->count += count;
        write_document(store, apr_psprintf(pool, "w/many/%u", i * 7 % 100),
                       "other", 5, pool);
        write_document(store, apr_psprintf(pool, "w/many/new-%u", i++), "", 0,
                       pool);
    }
    for (i = 0; i < 100; i++)
        wrong += count_walked(all, apr_psprintf(pool, "w/many/%u", i)) != 1;
    is_int(wrong, 0, "a walk among writes meets what stays there once");
}

/* One holds a document until it is told to end. */
typedef struct holder_t {
    condreq_store_t *store;
    pthread_barrier_t held;
    pthread_barrier_t done;
} holder_t;

static apr_status_t txn_body_hold(condreq_txn_t *txn, void *baton,
                                  apr_pool_t *pool)
{
    holder_t *holder = baton;
    condreq_record_t record;
    apr_status_t status = txn->store->provider->get(txn, "h/held", &record);

    (void)pool;
    pthread_barrier_wait(&holder->held);
    pthread_barrier_wait(&holder->done);
    return status;
}

static void *hold(void *baton)
{
    holder_t *holder = baton;
    condreq_trouble_t trouble;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    holder->store->provider->txn(holder->store, txn_body_hold, holder, &trouble,
                                 pool);
    apr_pool_destroy(pool);
    return NULL;
}

/* What waits too long may need the keeper's look to notice. */
static void *keep(void *baton)
{
    condreq_store_t *store = baton;
    condreq_trouble_t trouble;
    apr_pool_t *pool;
    int i;

    apr_pool_create(&pool, NULL);
    for (i = 0; i < 4; i++) {
        usleep(500000);
        store->provider->maintain(store, &trouble, pool);
    }
    apr_pool_destroy(pool);
    return NULL;
}

static void test_write_gives_up(condreq_store_t *store, write_t *write,
                                apr_pool_t *pool)
{
    condreq_trouble_t trouble = {""};
    apr_time_t begun = apr_time_now();

    is_int(write_run(store, write, &trouble, pool), APR_TIMEUP,
           "a write that waits too long for another gives up");
    ok(apr_time_now() - begun < 2 * APR_USEC_PER_SEC,
       "as soon as it is noticed");
    ok(trouble.sentence[0] != '\0', "and says so: %s", trouble.sentence);
}

static void test_busy(const store_suite_t *suite, apr_pool_t *pool)
{
    condreq_trouble_t trouble;
    pthread_t holding, keeping;
    write_t write = {0};
    holder_t holder;

    holder.store = crew_open(suite, BUSY, pool);
    if (!ok(holder.store != NULL, "a store whose calls wait 0.25 s opens"))
        return;
    write_document(holder.store, "h/held", "text", 4, pool);
    pthread_barrier_init(&holder.held, NULL, 2);
    pthread_barrier_init(&holder.done, NULL, 2);
    pthread_create(&holding, NULL, hold, &holder);
    pthread_barrier_wait(&holder.held);
    pthread_create(&keeping, NULL, keep, holder.store);
    write.key = "h/held";
    write.expected = ANY_VERSION;
    write.state = CONDREQ_LIVE;
    test_write_gives_up(holder.store, &write, pool);
    pthread_barrier_wait(&holder.done);
    pthread_join(holding, NULL);
    pthread_join(keeping, NULL);
    is_int((long long)record_of(holder.store, "h/held", pool).version, 1,
           "nothing of it is there");
    is_int(write_run(holder.store, &write, &trouble, pool), APR_SUCCESS,
           "once the other has ended it is performed");
}

static void test_never_prepared(const store_suite_t *suite, apr_pool_t *pool)
{
    condreq_store_config_t config = suite_config(suite, "never", pool);
    condreq_trouble_t trouble = {""};
    condreq_store_t *store;

    ok(suite->provider->open(&store, &config, &trouble, pool) != APR_SUCCESS,
       "a store that was never prepared does not open");
    ok(strstr(trouble.sentence, config.path) != NULL,
       "and the sentence says which: %s", trouble.sentence);
}

typedef struct visit_again_t {
    const store_suite_t *suite;
    apr_pool_t *pool;
} visit_again_t;

/* The number first, as a POST does it: the write that uses it makes it last. */
static int write_for_later(void *baton)
{
    visit_again_t *again = baton;
    condreq_store_t *store = crew_join(again->suite, "again", again->pool);
    condreq_trouble_t trouble;
    apr_uint64_t number;

    return !store ||
           store->provider->draw(store, "h/", &number, &trouble, again->pool) ||
           write_document(store, "h/later", "still here", 10, again->pool) ||
           write_tombstone(store, "h/gone", again->pool) ||
           store->provider->maintain(store, &trouble, again->pool);
}

static void test_prepared_again(const store_suite_t *suite, apr_pool_t *pool)
{
    visit_again_t again = {suite, pool};
    condreq_trouble_t trouble;
    condreq_record_t record;
    condreq_store_t *store;
    apr_uint64_t number = 0;
    char bytes[10];

    crew_prepare(suite, "again", pool);
    is_int(crew_apart(suite, write_for_later, &again), 0,
           "a process writes, tends the store and ends");
    store = crew_open(suite, "again", pool);
    if (!ok(store != NULL, "the store is prepared again, and opens"))
        return;
    record = record_of(store, "h/later", pool);
    ok(record.version == 1 &&
           read_in_pieces(store, "h/later", &record, bytes, 10, pool) == 0 &&
           !memcmp(bytes, "still here", 10),
       "the document is there with its body");
    is_int(record_of(store, "h/gone", pool).state, CONDREQ_TOMBSTONE,
           "so is the tombstone");
    store->provider->draw(store, "h/", &number, &trouble, pool);
    ok(number > 1, "a number that was used is not drawn again");
    is_int((long long)store->incarnation, 0, "no old state was brought back");
}

static void test_races(const store_suite_t *suite, apr_pool_t *pool)
{
    is_int(race_one_winner(suite, pool), RACE_ROUNDS,
           "of 8 writers on one version exactly one wins, in 20 rounds");
    is_int(race_create_only(suite, pool), RACE_ROUNDS,
           "of 8 creators exactly one does, in 20 rounds");
    is_int(race_hot_document(suite, pool), CREW_WORKERS * RACE_WRITES,
           "8 writers of one document lose no update");
    is_int(race_opposite_orders(suite, pool), CREW_WORKERS * RACE_WRITES,
           "nor do 8 writers of two documents in either order");
    is_int(race_draws(suite, pool), CREW_WORKERS * RACE_DRAWS,
           "of 1600 numbers drawn by 8 none is drawn twice");
    is_int(race_readers(suite, pool), 0,
           "a body read while it is replaced is the record's or gone");
}

static void test_kills(const store_suite_t *suite, apr_pool_t *pool)
{
    is_int(kill_between_transactions(suite, pool),
           KILL_PROCESSES * KILL_DOCUMENTS,
           "processes killed between transactions leave every document");
    is_int(kill_anywhere(suite, pool), 0,
           "processes killed anywhere lose nothing acknowledged, and leave "
           "nothing half done");
}

/* What forks comes first: processes are forked before a store is open. */
int store_suite(const store_suite_t *suite)
{
    condreq_store_t *store;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    test_races(suite, pool);
    test_lock_races(suite, pool);
    test_collections_together(suite, pool);
    if (suite->processes)
        test_kills(suite, pool);
    test_never_prepared(suite, pool);
    test_prepared_again(suite, pool);
    test_locks_kept(suite, pool);
    test_busy(suite, pool);
    store = crew_open(suite, "main", pool);
    if (!ok(store != NULL, "a fresh store opens"))
        return done_testing();
    test_records(store, pool);
    test_own_writes(store, pool);
    test_keys(store, pool);
    test_bodies(store, pool);
    test_aborts(store, pool);
    test_draws(store, pool);
    test_members(store, pool);
    test_members_among_many(store, pool);
    test_collections(store, pool);
    test_walks(store, pool);
    test_walk_among_writes(store, pool);
    test_locks(store, pool);
    return done_testing();
}
