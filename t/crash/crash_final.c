/* The end: are the trees sound, and is every document what its acknowledgements
 * say?
 * Knows the board, the store and, for the trees, the library. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apr_strings.h"

#include "condreq_bdb.h"
#include "crash.h"
#include "index_check.h"

static void verify_tree(const char *name)
{
    char path[1024];
    DB *tree;
    int code;

    snprintf(path, sizeof path, "%s/data/%s", options.path, name);
    if ((code = db_create(&tree, NULL, 0)) == 0)
        code = tree->verify(tree, path, NULL, NULL, 0);
    if (code != 0)
        crash_violation("%s does not verify: %s", name, db_strerror(code));
}

void crash_final_trees(void)
{
    verify_tree("versions.db");
    verify_tree("bodies.db");
    verify_tree("counters.db");
    verify_tree("locks.db");
    verify_tree("index.db");
    _exit(0);
}

void crash_final_sweep(void)
{
    bdb_places_t none = {NULL, NULL, NULL, 0};
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    bdb_places_remove_others(&none, options.path, pool);
    _exit(0);
}

/* ---- versions: as many as were acknowledged, but for lost answers ---- */

typedef struct account_t {
    unsigned acknowledged;
    unsigned unanswered;
} account_t;

static account_t *accounts;

static void add_up(void)
{
    unsigned thread, i;

    accounts = calloc(options.documents, sizeof *accounts);
    for (thread = 0; thread < THREADS_MAX; thread++)
        for (i = 0; i < atomic_load(&board->diaries[thread].count); i++) {
            operation_t *operation = &board->diaries[thread].operations[i];
            int state = atomic_load(&operation->state);

            if (operation->kind == CREATE)
                continue;
            accounts[operation->document].acknowledged += state == ACKNOWLEDGED;
            accounts[operation->document].unanswered +=
                state == UNKNOWN || state == LOST || state == BEGUN;
        }
}

static void check_versions(condreq_store_t *store, unsigned document,
                           apr_pool_t *pool)
{
    const account_t *account = &accounts[document];
    condreq_trouble_t trouble;
    condreq_record_t record;

    if (store->provider->lookup(store, crash_document_key(document, pool),
                                &record, &trouble, pool))
        return;
    if (record.version < account->acknowledged ||
        record.version > account->acknowledged + account->unanswered)
        crash_violation("document %u: stands at version %lu, with %u "
                        "acknowledged and %u unanswered",
                        document, (unsigned long)record.version,
                        account->acknowledged, account->unanswered);
}

/* ---- what was created ---- */

static int by_value(const void *a, const void *b)
{
    apr_uint64_t x = *(const apr_uint64_t *)a, y = *(const apr_uint64_t *)b;

    return (x > y) - (x < y);
}

static apr_uint64_t author_of_created(condreq_store_t *store, unsigned number,
                                      apr_pool_t *pool)
{
    static const condreq_rules_t none;
    const char *key = apr_psprintf(pool, CRASH_COLLECTION "%u", number);
    condreq_resource_t resource = {store, &none, key, key, NULL};
    condreq_trouble_t trouble;
    condreq_record_t record;
    apr_uint64_t author;
    char *bytes;

    if (store->provider->lookup(store, key, &record, &trouble, pool) ||
        record.state != CONDREQ_LIVE)
        return 0;
    if (condreq_document_read(&resource, &record, &bytes, &trouble, pool) ||
        !crash_author(&author, bytes, record.body_length) ||
        crash_operation(author)->kind != CREATE) {
        crash_violation("created document %u is not whole", number);
        return 0;
    }
    return author + 1;
}

/* No gap in the sequence is wider than this: each lost draw is one. */
#define NUMBERS_BEYOND 5000

static unsigned highest_created(void)
{
    unsigned thread, i, highest = 0;

    for (thread = 0; thread < THREADS_MAX; thread++)
        for (i = 0; i < atomic_load(&board->diaries[thread].count); i++)
            if (board->diaries[thread].operations[i].kind == CREATE &&
                board->diaries[thread].operations[i].document > highest)
                highest = board->diaries[thread].operations[i].document;
    return highest + NUMBERS_BEYOND;
}

static void check_acknowledged_creations(const apr_uint64_t *authors)
{
    unsigned thread, i;

    for (thread = 0; thread < THREADS_MAX; thread++)
        for (i = 0; i < atomic_load(&board->diaries[thread].count); i++) {
            operation_t *operation = &board->diaries[thread].operations[i];
            apr_uint64_t author = (apr_uint64_t)thread << 32 | i;

            if (operation->kind == CREATE &&
                atomic_load(&operation->state) == ACKNOWLEDGED &&
                authors[operation->document] != author + 1)
                crash_violation("created document %u was acknowledged and "
                                "is not there",
                                operation->document);
        }
}

static void check_creations(condreq_store_t *store, apr_pool_t *pool)
{
    unsigned highest = highest_created(), number, count = 0;
    apr_uint64_t *authors = calloc(highest + 1, sizeof *authors);

    for (number = 1; number <= highest; number++) {
        apr_pool_clear(pool);
        authors[number] = author_of_created(store, number, pool);
    }
    check_acknowledged_creations(authors);
    for (number = 1; number <= highest; number++)
        if (authors[number])
            authors[count++] = authors[number];
    qsort(authors, count, sizeof *authors, by_value);
    for (number = 1; number < count; number++) {
        operation_t *operation = crash_operation(authors[number] - 1);

        if (authors[number] == authors[number - 1])
            crash_violation("one creation made two documents");
        if (atomic_load(&operation->state) == REFUSED ||
            atomic_load(&operation->state) == UNCHANGED)
            crash_violation("a refused creation made a document");
    }
    free(authors);
}

/* What is listed, followed and known of collections is what is there. */
static void check_index(condreq_store_t *store, apr_pool_t *pool)
{
    condreq_trouble_t trouble;
    index_census_t census;

    if (index_check(store, &census, &trouble, pool) != APR_SUCCESS)
        crash_violation("the index cannot be read: %s", trouble.sentence);
    else if (census.faults > 0)
        crash_violation("the index has %u faults", census.faults);
    else
        printf("# the index of %u records, %u live, %u stale, has no fault\n",
               census.records, census.live, census.stale);
}

void crash_final_documents(void)
{
    apr_pool_t *pool, *each;
    condreq_store_t *store;
    unsigned document;

    apr_pool_create(&pool, NULL);
    apr_pool_create(&each, pool);
    store = crash_open(pool);
    add_up();
    for (document = 0; document < options.documents; document++) {
        apr_pool_clear(each);
        crash_check_document(store, document, each);
        check_versions(store, document, each);
    }
    check_creations(store, each);
    check_index(store, each);
    fflush(stdout);
    _exit(0);
}
