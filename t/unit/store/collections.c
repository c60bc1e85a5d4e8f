/* What every store promises of collections: listings, changes, states.
 * Knows the provider's table and nothing of what is behind it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apr_hash.h"
#include "apr_strings.h"

#include "collections.h"
#include "crew.h"
#include "tap.h"
#include "writes.h"

/* ---- listings ---- */

/* Names with a blank between them, in pages of some size. */
static const char *names_of(condreq_store_t *store, const char *collection,
                            apr_size_t page, apr_pool_t *pool)
{
    condreq_entry_t *entries = apr_palloc(pool, page * sizeof(*entries));
    condreq_place_t from = {"", 0};
    condreq_trouble_t trouble;
    const char *names = "";
    apr_size_t count, i;

    do {
        if (store->provider->list(store, collection, &from, entries, page,
                                  &count, &trouble, pool))
            return "(trouble)";
        for (i = 0; i < count; i++)
            names = apr_pstrcat(pool, names, *names ? " " : "", entries[i].name,
                                NULL);
        if (count)
            from = condreq_place_behind(entries[count - 1].name, pool);
    } while (count == page);
    return names;
}

typedef struct list_row_t {
    const char *claim;
    const char *collection;
    /** below the collection; a minus before it makes a tombstone */
    const char *written[12];
    const char *names;
} list_row_t;

static const list_row_t list_rows[] = {
    {"nothing", "h/l0/", {NULL}, ""},
    {"one", "h/l1/", {"a"}, "a"},
    {"numbers by their value",
     "h/l2/",
     {"10", "9", "100", "1", "2"},
     "1 2 9 10 100"},
    {"then the others by their bytes",
     "h/l3/",
     {"b", "B", "007", "1", "a", "1a", "\xC3\xA9", "10", "aa"},
     "1 10 007 1a B a aa b \xC3\xA9"},
    {"collections with a slash, where that stands",
     "h/l4/",
     {"a/x", "a-", "a0", "a", "b/c/d/e", "3/x", "3"},
     "3 3/ a a- a/ a0 b/"},
    {"a collection once, whatever is in it",
     "h/l5/",
     {"s/1", "s/2", "s/a", "s/t/1", "s/t/2", "t"},
     "s/ t"},
    {"no tombstone", "h/l6/", {"a", "b", "-b", "-c", "d"}, "a d"},
    {"no collection of tombstones",
     "h/l7/",
     {"s/1", "-s/1", "-t/1", "u/1", "-u/1", "u/2"},
     "u/"},
    {"what came back", "h/l8/", {"a", "-a", "a"}, "a"},
    {"nothing that only begins alike",
     "h/l9/",
     {"../l9", "../l9x", "../l9x/a", "../l9-/b"},
     ""},
    {"names that look like places",
     "h/l10/",
     {"\x01",
      "\x02"
      "12",
      "1", "12"},
     "1 12 \x01 \x02"
     "12"},
    {"a collection's own record as a collection",
     "h/l11/",
     {"s/", "a"},
     "a s/"},
};

static const char *key_in(const char *collection, const char *name,
                          apr_pool_t *pool)
{
    if (!strncmp(name, "../", 3))
        return apr_pstrcat(pool, "h/", name + 3, NULL);
    return apr_pstrcat(pool, collection, name, NULL);
}

static void write_row(condreq_store_t *store, const list_row_t *row,
                      apr_pool_t *pool)
{
    int i;

    for (i = 0; i < 12 && row->written[i]; i++) {
        const char *name = row->written[i];

        if (*name == '-')
            write_tombstone(store, key_in(row->collection, name + 1, pool),
                            pool);
        else
            write_document(store, key_in(row->collection, name, pool), "", 0,
                           pool);
    }
}

static void test_lists(condreq_store_t *store, apr_pool_t *pool)
{
    size_t i;

    for (i = 0; i < sizeof(list_rows) / sizeof(list_rows[0]); i++) {
        const list_row_t *row = &list_rows[i];

        write_row(store, row, pool);
        is_text(names_of(store, row->collection, 100, pool), row->names,
                row->claim);
        is_text(names_of(store, row->collection, 1, pool), row->names,
                "and one by one");
        is_text(names_of(store, row->collection, 3, pool), row->names,
                "and by threes");
    }
}

static void test_entries(condreq_store_t *store, apr_pool_t *pool)
{
    condreq_place_t from = {"", 0};
    condreq_entry_t entries[3];
    condreq_trouble_t trouble;
    condreq_record_t record;
    apr_size_t count = 0;

    write_document(store, "h/e/1", "", 0, pool);
    write_document(store, "h/e/1", "text", 4, pool);
    write_document(store, "h/e/s/1", "", 0, pool);
    is_int(store->provider->list(store, "h/e/", &from, entries, 3, &count,
                                 &trouble, pool),
           APR_SUCCESS, "a collection is listed");
    is_int((long long)count, 2, "less than was asked for at its end");
    record = record_of(store, "h/e/1", pool);
    ok(!entries[0].is_collection && entries[0].record.version == 2 &&
           entries[0].record.mtime_us == record.mtime_us &&
           entries[0].record.body_id == record.body_id &&
           entries[0].record.body_length == 4,
       "with the record of each document");
    ok(entries[1].is_collection && !strcmp(entries[1].name, "s/"),
       "and the collections in it");
}

/* More than any store reads at once, with names of every length. */
static void test_long_list(condreq_store_t *store, apr_pool_t *pool)
{
    int i, missing = 0;
    const char *at, *names;

    for (i = 1; i <= 1500; i++)
        write_document(
            store, apr_psprintf(pool, i % 3 ? "h/long/%d" : "h/long/%x/x", i),
            "", 0, pool);
    names = names_of(store, "h/long/", 7, pool);
    for (i = 1; i <= 1500; i++) {
        at = strstr(names,
                    i == 1 ? "1 "
                           : apr_psprintf(pool, i % 3 ? " %d " : " %x/", i));
        missing += at == NULL;
    }
    is_int(missing, 0, "of 1500 members none is missing from a listing");
    is_text(names, names_of(store, "h/long/", 1000, pool),
            "whatever the size of its pages");
}

/* ---- states ---- */

static condreq_collection_state_t
state_of(condreq_store_t *store, const char *collection, apr_pool_t *pool)
{
    condreq_collection_state_t state;
    condreq_trouble_t trouble;

    if (store->provider->collection(store, collection, apr_time_now(), &state,
                                    &trouble, pool))
        abort();
    return state;
}

static void test_states(condreq_store_t *store, apr_pool_t *pool)
{
    condreq_collection_state_t before = state_of(store, "h/s/", pool), after;
    condreq_collection_state_t root = state_of(store, "h/", pool);
    apr_time_t begun = apr_time_now();

    ok(before.version == 0 && before.documents == 0 && before.mtime_us == 0 &&
           before.change == 0,
       "nothing is known of what never was");
    write_document(store, "h/s/a", "", 0, pool);
    before = state_of(store, "h/s/", pool);
    ok(before.version == 1 && before.documents == 1 && before.mtime_us >= begun,
       "a document makes the first version");
    write_document(store, "h/s/a", "", 0, pool);
    after = state_of(store, "h/s/", pool);
    ok(after.version == 2 && after.documents == 1 &&
           after.mtime_us > before.mtime_us && after.change > before.change,
       "an update the next");
    write_document(store, "h/s/deep/er/b", "", 0, pool);
    is_int((long long)state_of(store, "h/s/", pool).version, 3,
           "so does what is far below");
    is_int((long long)state_of(store, "h/s/deep/", pool).version, 1,
           "in each collection on the way");
    write_tombstone(store, "h/s/a", pool);
    after = state_of(store, "h/s/", pool);
    ok(after.version == 4 && after.documents == 1,
       "and a deletion, which leaves one document");
    write_document(store, "h/sx", "", 0, pool);
    write_document(store, "h/s", "", 0, pool);
    after = state_of(store, "h/s/", pool);
    is_int((long long)after.version, 4, "what stands beside it does not");
    is_int((long long)(state_of(store, "h/", pool).version - root.version), 6,
           "the root counts all of it");
}

/* The transaction is given up: nothing has happened. */
static void test_aborted_state(condreq_store_t *store, apr_pool_t *pool)
{
    condreq_trouble_t trouble;
    write_t write = {0};

    write.key = "h/aborted/1";
    write.state = CONDREQ_LIVE;
    write.body = "";
    write.outcome = APR_EMISMATCH;
    write_run(store, &write, &trouble, pool);
    is_int((long long)state_of(store, "h/aborted/", pool).version, 0,
           "what was given up is in no state");
    is_text(names_of(store, "h/aborted/", 10, pool), "", "nor in a listing");
}

/* ---- changes ---- */

typedef struct followed_t {
    condreq_changes_read_t read;
    apr_status_t status;
    /** "a" where a is live, "-a" where it is not */
    const char *text;
} followed_t;

static followed_t follow(condreq_store_t *store, const char *collection,
                         apr_uint64_t since, apr_size_t room, apr_pool_t *pool)
{
    condreq_change_t *changes = apr_palloc(pool, room * sizeof(*changes));
    followed_t followed = {{0, 0, 0}, 0, ""};
    condreq_trouble_t trouble;
    apr_uint64_t last = since;
    apr_size_t i;

    followed.status =
        store->provider->changes(store, collection, since, changes, room,
                                 &followed.read, &trouble, pool);
    for (i = 0; followed.status == 0 && i < followed.read.count; i++) {
        if (changes[i].number <= last)
            followed.text = "numbers that do not grow ";
        last = changes[i].number;
        followed.text =
            apr_pstrcat(pool, followed.text, *followed.text ? " " : "",
                        changes[i].record.state == CONDREQ_LIVE ? "" : "-",
                        changes[i].key + strlen(collection), NULL);
    }
    return followed;
}

static void test_changes(condreq_store_t *store, apr_pool_t *pool)
{
    followed_t all, some;
    apr_uint64_t since;

    is_text(follow(store, "h/c/", 0, 10, pool).text, "",
            "of what never was nothing has changed");
    write_document(store, "h/c/1", "", 0, pool);
    write_document(store, "h/c/2", "", 0, pool);
    write_document(store, "h/cx", "", 0, pool);
    write_document(store, "h/c/s/t/1", "", 0, pool);
    all = follow(store, "h/c/", 0, 10, pool);
    is_text(all.text, "1 2 s/t/1", "changes come in their order, at any depth");
    ok(!all.read.more, "and that is all");
    since = all.read.reached;
    is_int((long long)state_of(store, "h/c/", pool).change, (long long)since,
           "the state of the collection has the last number");
    is_text(follow(store, "h/c/", since, 10, pool).text, "",
            "after it there is nothing");
    is_int((long long)follow(store, "h/c/", since, 10, pool).read.reached,
           (long long)since, "and it stays so");
    write_document(store, "h/c/1", "", 0, pool);
    write_tombstone(store, "h/c/2", pool);
    write_document(store, "h/c/1", "", 0, pool);
    is_text(follow(store, "h/c/", since, 10, pool).text, "-2 1",
            "a document is given once, where it changed last");
    is_text(follow(store, "h/c/", 0, 10, pool).text, "s/t/1 -2 1",
            "whoever begins anew sees each once, too");
    some = follow(store, "h/c/", 0, 2, pool);
    is_text(some.text, "s/t/1 -2", "so many at once");
    ok(some.read.more, "and it is said that there are more");
    is_text(follow(store, "h/c/", some.read.reached, 2, pool).text, "1",
            "which follow");
    is_int(follow(store, "h/c/",
                  (apr_uint64_t)(apr_time_now() + 3600 * APR_USEC_PER_SEC), 10,
                  pool)
               .status,
           APR_NOTFOUND, "a number that is still to come is none of ours");
}

/* ---- inside a transaction ---- */

typedef struct inside_t {
    const char *collection;
    condreq_collection_state_t state;
    const char *keys[8];
    apr_size_t count;
    apr_size_t room;
} inside_t;

static apr_status_t txn_body_inside(condreq_txn_t *txn, void *baton,
                                    apr_pool_t *pool)
{
    const condreq_store_provider_t *store = txn->store->provider;
    inside_t *inside = baton;

    return store->collection_get(txn, inside->collection, &inside->state) ||
           store->below(txn, inside->collection, inside->keys, inside->room,
                        &inside->count, pool);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void test_inside(condreq_store_t *store, apr_pool_t *pool)
{
    inside_t inside = {.collection = "h/i/", .room = 8};
    condreq_trouble_t trouble;

    write_document(store, "h/i/1", "", 0, pool);
    write_document(store, "h/i/s/10", "", 0, pool);
    write_document(store, "h/i/s/a", "", 0, pool);
    write_tombstone(store, "h/i/s/b", pool);
    write_document(store, "h/ix", "", 0, pool);
    is_int(
        store->provider->txn(store, txn_body_inside, &inside, &trouble, pool),
        APR_SUCCESS, "a transaction looks at a collection");
    is_int((long long)inside.state.version, 4, "it sees its state");
    is_int((long long)inside.count, 3, "and what is below, at any depth");
    qsort(inside.keys, inside.count, sizeof(inside.keys[0]), by_key);
    ok(inside.count == 3 && !strcmp(inside.keys[0], "h/i/1") &&
           !strcmp(inside.keys[1], "h/i/s/10") &&
           !strcmp(inside.keys[2], "h/i/s/a"),
       "by their keys");
    inside.room = 2;
    store->provider->txn(store, txn_body_inside, &inside, &trouble, pool);
    is_int((long long)inside.count, 2, "no more than there is room for");
}

void test_collections(condreq_store_t *store, apr_pool_t *pool)
{
    test_lists(store, pool);
    test_entries(store, pool);
    test_long_list(store, pool);
    test_states(store, pool);
    test_aborted_state(store, pool);
    test_changes(store, pool);
    test_inside(store, pool);
}

/* ---- together ---- */

#define ROUNDS 20
#define STAYING 200
#define WRITES 400
#define PLACE "h/busy/"

/* Of those who write on one state of a collection one may. */
typedef struct on_state_t {
    apr_uint64_t expected;
    const char *key;
    int performed;
} on_state_t;

static apr_status_t txn_body_on_state(condreq_txn_t *txn, void *baton,
                                      apr_pool_t *pool)
{
    const condreq_store_provider_t *store = txn->store->provider;
    condreq_record_t current, next;
    condreq_collection_state_t state;
    on_state_t *write = baton;
    apr_status_t status;

    (void)pool;
    write->performed = 0;
    if ((status = store->collection_get(txn, PLACE, &state)) != 0 ||
        state.version != write->expected ||
        (status = store->get(txn, write->key, &current)) != 0)
        return status;
    condreq_record_next(&next, &current, apr_time_now());
    next.state = CONDREQ_LIVE;
    write->performed = 1;
    return store->put(txn, write->key, &next);
}

/* The state of a round is read by all before any of them writes. */
static void work_on_state(crew_worker_t *worker)
{
    condreq_trouble_t trouble;
    on_state_t write;
    int round;

    for (round = 0; round < ROUNDS; round++) {
        write.key =
            apr_psprintf(worker->pool, PLACE "%d.%d", round, worker->number);
        pthread_barrier_wait(&worker->board->barrier);
        write.expected = state_of(worker->store, PLACE, worker->pool).version;
        pthread_barrier_wait(&worker->board->barrier);
        crew_trouble(worker,
                     worker->store->provider->txn(worker->store,
                                                  txn_body_on_state, &write,
                                                  &trouble, worker->pool),
                     &trouble);
        worker->board->results[worker->number][round] =
            (apr_uint64_t)write.performed;
    }
}

static int rounds_with_one_winner(const crew_board_t *board)
{
    int rounds = 0, round, worker;

    for (round = 0; board && round < ROUNDS; round++) {
        apr_uint64_t winners = 0;

        for (worker = 0; worker < CREW_WORKERS; worker++)
            winners += board->results[worker][round];
        rounds += winners == 1;
    }
    return board && !crew_troubles(board) ? rounds : -1;
}

/* Everyone but the last writes; the last one looks on. */
static int is_onlooker(const crew_worker_t *worker)
{
    return worker->number == CREW_WORKERS - 1;
}

/* Some documents stay; others come, change and go all the time. */
static void write_busily(crew_worker_t *worker)
{
    apr_pool_t *each;
    int i;

    apr_pool_create(&each, worker->pool);
    for (i = 0; i < WRITES; i++) {
        const char *key;

        apr_pool_clear(each);
        key = apr_psprintf(each, PLACE "%d", (i * 7 + worker->number) % 500);
        if (i % 5 == 0)
            key = apr_psprintf(each, PLACE "s%d/x", i % 11);
        if ((i % 3 ? write_document(worker->store, key, "", 0, each)
                   : write_tombstone(worker->store, key, each)))
            worker->board->troubles[worker->number]++;
    }
    worker->board->results[worker->number][0] = 1;
}

static int all_have_written(const crew_worker_t *worker)
{
    int i;

    for (i = 0; i < CREW_WORKERS - 1; i++)
        if (!*(volatile apr_uint64_t *)&worker->board->results[i][0])
            return 0;
    return 1;
}

/* @return what is missing from one walk or twice in it */
static unsigned walk(condreq_store_t *store, apr_pool_t *pool)
{
    const char *names = apr_pstrcat(pool, " ", names_of(store, PLACE, 50, pool),
                                    " ", NULL),
               *at, *name;
    unsigned wrong = 0;
    int i;

    for (i = 0; i < STAYING; i++)
        wrong += !strstr(names, apr_psprintf(pool, " stays%d ", i));
    for (name = names + 1; *name; name = at + 1) {
        at = strchr(name, ' ');
        wrong +=
            strstr(at, apr_pstrmemdup(pool, name - 1,
                                      (apr_size_t)(at - name) + 2)) != NULL;
    }
    return wrong;
}

static void work_walk(crew_worker_t *worker)
{
    apr_uint64_t *walks = worker->board->results[CREW_WORKERS - 1];
    apr_pool_t *each;
    int i;

    apr_pool_create(&each, worker->pool);
    for (i = 0; is_onlooker(worker) && i < STAYING; i++)
        write_document(worker->store, apr_psprintf(each, PLACE "stays%d", i),
                       "", 0, each);
    pthread_barrier_wait(&worker->board->barrier);
    if (!is_onlooker(worker)) {
        write_busily(worker);
        return;
    }
    do {
        apr_pool_clear(each);
        walks[0]++;
        walks[1] += walk(worker->store, each);
    } while (!all_have_written(worker));
}

/* A copy that is kept in step by changes alone. */
static apr_uint64_t follow_into(apr_hash_t *copy, condreq_store_t *store,
                                apr_uint64_t since, apr_pool_t *pool)
{
    condreq_change_t changes[40];
    condreq_changes_read_t read;
    condreq_trouble_t trouble;
    apr_pool_t *each;
    apr_size_t i;

    apr_pool_create(&each, pool);
    do {
        apr_pool_clear(each);
        if (store->provider->changes(store, PLACE, since, changes, 40, &read,
                                     &trouble, each))
            abort();
        for (i = 0; i < read.count; i++) {
            apr_uint64_t *version =
                apr_hash_get(copy, changes[i].key, APR_HASH_KEY_STRING);

            if (!version) {
                version = apr_palloc(pool, sizeof(*version));
                apr_hash_set(copy, apr_pstrdup(pool, changes[i].key),
                             APR_HASH_KEY_STRING, version);
            }
            *version = changes[i].record.state == CONDREQ_LIVE
                           ? changes[i].record.version
                           : 0;
        }
        since = read.reached;
    } while (read.more);
    apr_pool_destroy(each);
    return since;
}

static unsigned differences(apr_hash_t *copy, condreq_store_t *store,
                            apr_pool_t *pool)
{
    unsigned wrong = 0;
    const char *key;
    int i;

    for (i = 0; i < 511; i++) {
        apr_uint64_t *version;
        condreq_record_t record;

        key = i < 500 ? apr_psprintf(pool, PLACE "%d", i)
                      : apr_psprintf(pool, PLACE "s%d/x", i - 500);
        record = record_of(store, key, pool);
        version = apr_hash_get(copy, key, APR_HASH_KEY_STRING);
        wrong += (version ? *version : 0) !=
                 (record.state == CONDREQ_LIVE ? record.version : 0);
    }
    return wrong;
}

static void work_follow(crew_worker_t *worker)
{
    apr_uint64_t *results = worker->board->results[CREW_WORKERS - 1];
    apr_hash_t *copy = apr_hash_make(worker->pool);
    condreq_trouble_t trouble;
    apr_uint64_t since = 0;
    int done;

    pthread_barrier_wait(&worker->board->barrier);
    if (!is_onlooker(worker)) {
        write_busily(worker);
        return;
    }
    do {
        done = all_have_written(worker);
        since = follow_into(copy, worker->store, since, worker->pool);
        /* What the log needs no more goes meanwhile. */
        if (results[0]++ % 8 == 0)
            worker->store->provider->maintain(worker->store, &trouble,
                                              worker->pool);
        usleep(1000);
    } while (!done);
    results[1] = differences(copy, worker->store, worker->pool);
    results[2] = apr_hash_count(copy);
}

void test_collections_together(const store_suite_t *suite, apr_pool_t *pool)
{
    crew_board_t *board = crew_run(suite, "on-state", work_on_state, pool);
    const apr_uint64_t *seen;

    is_int(rounds_with_one_winner(board), ROUNDS,
           "of 8 writers on one state of a collection one wins, in 20 rounds");
    board = crew_run(suite, "walk", work_walk, pool);
    seen = board ? board->results[CREW_WORKERS - 1] : NULL;
    ok(board && !crew_troubles(board) && seen[0] > 0 && seen[1] == 0,
       "walks while 7 write miss nothing that stays and repeat nothing");
    board = crew_run(suite, "follow", work_follow, pool);
    seen = board ? board->results[CREW_WORKERS - 1] : NULL;
    ok(board && !crew_troubles(board) && seen[0] > 0 && seen[2] > 300 &&
           seen[1] == 0,
       "a copy that follows 7 writers by their changes ends equal");
    if (board)
        printf("# %lu looks, %lu documents, %lu differences\n",
               (unsigned long)seen[0], (unsigned long)seen[2],
               (unsigned long)seen[1]);
}
