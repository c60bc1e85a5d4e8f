/* A generation that is condemned under a transaction: what its caller is told.
 * The design's section 14, point 8, step by step; t/crash has the same by
 * chance, thousands of times. */
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "bdb/condreq_bdb.h"
#include "bdb/condreq_bdb_fault.h"
#include "bdb/condreq_bdb_keeper.h"
#include "tap.h"

#define KEY "localhost/docs/1"
/* Long enough for a recovery on a busy machine. */
#define WAIT_US 1500000

/* What befalls the generation. */
typedef enum accident_t {
    NOTHING,
    /** condemned: the library is not disturbed */
    CONDEMNED,
    /** condemned and marked: its calls fail */
    PANICKED
} accident_t;

/* It happens once, at a point that the store's test hook names. */
static accident_t pending;
static const char *pending_at;
static bdb_store_t *struck;
static apr_pool_t *struck_pool;

void condreq_fault(const char *point)
{
    accident_t accident = pending;

    if (accident == NOTHING || strcmp(point, pending_at) != 0)
        return;
    pending = NOTHING;
    bdb_control_condemn(struck->control, atomic_load(&struck->opened),
                        BDB_CONDEMNED_BY_DEATH);
    if (accident == PANICKED &&
        !bdb_region_panic(struck->places.regions, struck_pool))
        abort();
}

int condreq_fault_unprotected(void)
{
    return 0;
}

typedef struct write_t {
    /** nothing is written: the record is only read */
    int reads_only;
    int runs;
    apr_uint64_t version;
} write_t;

/* Counts its runs, which a body that is pure would not. */
static apr_status_t txn_body(condreq_txn_t *txn, void *baton, apr_pool_t *pool)
{
    const condreq_store_provider_t *store = txn->store->provider;
    write_t *write = baton;
    condreq_record_t current, next;
    apr_status_t status;

    (void)pool;
    write->runs++;
    if ((status = store->get(txn, KEY, &current)))
        return status;
    write->version = current.version;
    if (write->reads_only)
        return APR_SUCCESS;
    condreq_record_next(&next, &current, 1);
    next.state = CONDREQ_LIVE;
    next.body_length = 2;
    write->version = next.version;
    if ((status = store->body_put(txn, KEY, &next, "{}")))
        return status;
    return store->put(txn, KEY, &next);
}

static void keeper_log(void *baton, condreq_keeper_level_t level,
                       const char *sentence)
{
    (void)baton;
    (void)level;
    printf("# keeper: %s\n", sentence);
    fflush(stdout);
}

static int never(void *baton)
{
    (void)baton;
    return 0;
}

static pid_t start_keeper(const condreq_store_config_t *config)
{
    static const condreq_keeper_t keeper = {NULL, keeper_log, never, never};
    condreq_trouble_t trouble;
    apr_pool_t *pool;
    pid_t pid;

    fflush(stdout);
    if ((pid = fork()) != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    apr_pool_create(&pool, NULL);
    condreq_store_bdb.keep(config, &keeper, &trouble, pool);
    _exit(1);
}

static void end_keeper(pid_t keeper)
{
    kill(keeper, SIGKILL);
    waitpid(keeper, NULL, 0);
}

typedef struct row_t {
    const char *sentence;
    accident_t accident;
    const char *at;
    int reads_only;
    int kept;
    apr_status_t status;
    int runs;
    /** the version that is there when all is over */
    apr_uint64_t left;
} row_t;

/* Versions count on from row to row. */
static const row_t rows[] = {
    /* sentence, accident, at, reads only, kept: status, runs, left */
    {"a write is made once", NOTHING, "", 0, 1, APR_SUCCESS, 1, 1},
    {"what a condemned generation was told is not committed", CONDEMNED,
     "between puts", 0, 1, APR_SUCCESS, 2, 2},
    {"nor where its calls fail", PANICKED, "begin", 0, 1, APR_SUCCESS, 2, 3},
    {"one that was committed is not made again", CONDEMNED, "before commit", 0,
     1, APR_SUCCESS, 1, 4},
    {"nor one whose yes came too late", PANICKED, "after commit", 0, 1,
     APR_SUCCESS, 1, 5},
    {"one that was not committed is made again", PANICKED, "before commit", 0,
     1, APR_SUCCESS, 2, 6},
    {"what was only read is read again", CONDEMNED, "before commit", 1, 1,
     APR_SUCCESS, 2, 6},
    {"without a keeper nobody knows of one that was committed", CONDEMNED,
     "before commit", 0, 0, CONDREQ_EUNKNOWN, 1, 7},
    {"nor of one that was not", PANICKED, "before commit", 0, 0,
     CONDREQ_EUNKNOWN, 1, 7},
    {"but one that did not get so far is known to have changed nothing",
     CONDEMNED, "between puts", 0, 0, APR_TIMEUP, 1, 7},
};

static void check_left(condreq_store_t *store, const row_t *row,
                       apr_pool_t *pool)
{
    condreq_trouble_t trouble;
    condreq_record_t found;

    while (store->provider->lookup(store, KEY, &found, &trouble, pool) ==
           APR_TIMEUP)
        ;
    is_int((long long)found.version, (long long)row->left,
           "  and this is what is there");
}

static void check_row(condreq_store_t *store, const row_t *row,
                      const condreq_store_config_t *config, apr_pool_t *pool)
{
    pid_t keeper = row->kept ? start_keeper(config) : 0;
    write_t write = {row->reads_only, 0, 0};
    apr_time_t begun = apr_time_now();
    condreq_trouble_t trouble;
    condreq_record_t found;

    pending = row->accident;
    pending_at = row->at;
    is_int(store->provider->txn(store, txn_body, &write, &trouble, pool),
           row->status, row->sentence);
    ok(apr_time_now() - begun < 2 * WAIT_US, "  it waited no longer");
    is_int(write.runs, row->runs, "  its body ran as often as it had to");
    if (!keeper) {
        is_int(store->provider->lookup(store, KEY, &found, &trouble, pool),
               APR_TIMEUP, "  others wait, and are told so");
        keeper = start_keeper(config);
    }
    check_left(store, row, pool);
    if (row->status == APR_SUCCESS)
        is_int((long long)write.version, (long long)row->left,
               "  as its caller was told");
    end_keeper(keeper);
}

static int remove_one(const char *path, const struct stat *found, int kind,
                      struct FTW *at)
{
    (void)found;
    (void)kind;
    (void)at;
    return remove(path);
}

static void remove_store(const char *path, apr_pool_t *pool)
{
    condreq_trouble_t trouble;
    bdb_places_t places;

    if (bdb_places_find(&places, path, &trouble, pool) == APR_SUCCESS)
        bdb_places_remove_regions(places.regions, pool);
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    char path[] = "/tmp/condreq-recovery.XXXXXX";
    condreq_store_config_t config = {path, CONDREQ_SYNC, 1 << 20, 8, WAIT_US};
    condreq_trouble_t trouble = {""};
    condreq_store_t *store = NULL;
    apr_pool_t *pool;
    size_t i;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    ok(mkdtemp(path) && !condreq_store_bdb.prepare(&config, &trouble, pool) &&
           !condreq_store_bdb.open(&store, &config, &trouble, pool),
       "a store opens without a keeper");
    if (!store)
        return done_testing();
    struck = (bdb_store_t *)store;
    struck_pool = pool;
    for (i = 0; i < sizeof rows / sizeof *rows; i++)
        check_row(store, &rows[i], &config, pool);
    remove_store(path, pool);
    return done_testing();
}
