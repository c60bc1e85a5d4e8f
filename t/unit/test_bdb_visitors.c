/* A tool in a Berkeley DB store: how it comes in, what it leaves, and who sends
 * it away.
 * Knows the control file and the locks that say who is there. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "bdb/condreq_bdb.h"
#include "bdb/condreq_bdb_keeper.h"
#include "bdb/condreq_bdb_watch.h"
#include "condreq_occupancy.h"
#include "store/crew.h"
#include "store/leaks.h"
#include "store/scratch.h"
#include "store/writes.h"
#include "tap.h"

static store_suite_t suite = {&condreq_store_bdb, NULL, 1};
static apr_pool_t *pool;

static const char *path_of(const char *name)
{
    return suite_config(&suite, name, pool).path;
}

static condreq_store_t *attend(const char *name)
{
    condreq_trouble_t trouble = {""};
    condreq_store_t *store;
    apr_status_t status =
        condreq_store_bdb.care->attend(&store, path_of(name), &trouble, pool);

    if (status == APR_SUCCESS)
        return store;
    printf("# %s\n", trouble.sentence);
    return NULL;
}

/* ---- what a tool does, in a process of its own ---- */

static int write_and_leave(void *baton)
{
    condreq_store_t *store = attend(baton);
    int kept = bdb_keeper_is_there(path_of(baton), pool);

    if (!store || !kept || write_document(store, "h/tool", "text", 4, pool))
        return 1;
    condreq_store_bdb.care->leave(store);
    return 0;
}

static int read_and_leave(void *baton)
{
    condreq_store_t *store = attend(baton);
    int found = store && record_of(store, "h/tool", pool).state == CONDREQ_LIVE;

    if (store)
        condreq_store_bdb.care->leave(store);
    return !found;
}

static apr_uint64_t generation(const char *name)
{
    return bdb_control_generation(path_of(name), pool);
}

static int places_taken(const char *name)
{
    condreq_trouble_t trouble;
    bdb_control_t *control;
    unsigned i;
    int taken = 0;

    if (bdb_control_map(&control, path_of(name), BDB_VISITOR, &trouble, pool))
        return -1;
    for (i = 0; i < control->slot_count; i++)
        taken += bdb_identity_role(atomic_load(&control->slots[i].owner)) ==
                     BDB_VISITOR &&
                 atomic_load(&control->slots[i].owner) != 0;
    bdb_control_unmap(control);
    return taken;
}

static void test_alone(void)
{
    char name[] = "alone";

    crew_prepare(&suite, name, pool);
    is_int(crew_apart(&suite, write_and_leave, name), 0,
           "a store that nobody keeps is prepared, kept and written");
    is_int(places_taken(name), 0, "a tool that leaves gives its place back");
    ok(!bdb_keeper_is_there(path_of(name), pool), "its keeper ends with it");
    is_int(crew_apart(&suite, read_and_leave, name), 0,
           "the next one reads what it wrote");
}

static void test_no_store(void)
{
    condreq_trouble_t trouble = {""};
    condreq_store_t *store;

    is_int(
        condreq_store_bdb.care->attend(&store, path_of("none"), &trouble, pool),
        APR_ENOENT, "where no store is there is none afterwards");
    ok(access(path_of("none"), F_OK) != 0, "nor a directory");
    ok(strstr(trouble.sentence, path_of("none")) != NULL, "and it says so: %s",
       trouble.sentence);
}

/* ---- two tools ---- */

/** A tool that stays until it is told to go on. */
typedef struct staying_t {
    const char *name;
    int ends[2];
    pid_t process;
} staying_t;

static void stay(staying_t *staying, const char *name,
                 int (*then)(condreq_store_t *store))
{
    char byte = 0;

    staying->name = name;
    if (pipe(staying->ends) != 0 || (staying->process = fork()) < 0)
        return;
    if (staying->process == 0) {
        condreq_store_t *store = attend(name);

        close(staying->ends[0]);
        if (!store || write(staying->ends[1], &byte, 1) != 1)
            _exit(9);
        raise(SIGSTOP);
        _exit(then(store));
    }
    close(staying->ends[1]);
    if (read(staying->ends[0], &byte, 1) != 1)
        printf("# the tool does not come in\n");
    waitpid(staying->process, NULL, WUNTRACED);
}

/* @return what its end was */
static int go_on(staying_t *staying)
{
    int state = 0;

    kill(staying->process, SIGCONT);
    waitpid(staying->process, &state, 0);
    close(staying->ends[0]);
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

static int write_more(condreq_store_t *store)
{
    condreq_trouble_t trouble = {""};
    write_t write = {0};
    apr_status_t status;

    write.key = "h/more";
    write.expected = ANY_VERSION;
    write.state = CONDREQ_LIVE;
    write.body = "";
    status = write_run(store, &write, &trouble, pool);
    return status == APR_SUCCESS ? 0 : status == APR_TIMEUP ? 4 : 1;
}

static void test_two(void)
{
    char name[] = "two";
    staying_t staying;
    apr_uint64_t before;

    crew_prepare(&suite, name, pool);
    stay(&staying, name, write_more);
    before = generation(name);
    is_int(crew_apart(&suite, write_and_leave, name), 0,
           "a second tool works beside the first");
    is_int((long long)generation(name), (long long)before,
           "and does not prepare the store under it");
    is_int(go_on(&staying), 0, "the first goes on");
}

/* ---- a server starts ---- */

static void test_server_starts(void)
{
    char name[] = "server";
    condreq_store_config_t config = suite_config(&suite, name, pool);
    condreq_trouble_t trouble = {""};
    condreq_store_t *store;
    staying_t staying;
    int owned, users;

    crew_prepare(&suite, name, pool);
    stay(&staying, name, write_more);
    is_int(condreq_occupancy_own(&owned, config.path, APR_USEC_PER_SEC), 0,
           "a server owns a store that a tool has open");
    is_int(condreq_occupancy_empty(&users, config.path, 0), 0,
           "no server's process shares it");
    is_int(condreq_store_bdb.prepare(&config, &trouble, pool), 0,
           "it prepares the store");
    close(users);
    is_int(condreq_store_bdb.open(&store, &config, &trouble, pool), 0,
           "and opens it");
    is_int(write_document(store, "h/served", "", 0, pool), 0, "and writes");
    is_int(go_on(&staying), 0, "the tool follows with its next visit");
    is_int(record_of(store, "h/more", pool).state, CONDREQ_LIVE,
           "and what it writes is the server's, too");
    is_int(condreq_occupancy_own(&users, config.path, 0), EBUSY,
           "a second server is refused");
    close(owned);
}

/* One that is inside holds the start up for a moment, and no longer. */
static apr_status_t txn_body_stay(condreq_txn_t *txn, void *baton,
                                  apr_pool_t *body_pool)
{
    condreq_record_t record;

    (void)baton;
    (void)body_pool;
    if (txn->store->provider->get(txn, "h/inside", &record))
        return APR_EGENERAL;
    raise(SIGSTOP);
    return APR_SUCCESS;
}

static int stay_inside(condreq_store_t *store)
{
    condreq_trouble_t trouble;

    return store->provider->txn(store, txn_body_stay, NULL, &trouble, pool);
}

static void test_inside(void)
{
    char name[] = "inside";
    condreq_store_config_t config = suite_config(&suite, name, pool);
    condreq_trouble_t trouble = {""};
    apr_time_t begun;
    staying_t staying;
    int owned, state;

    crew_prepare(&suite, name, pool);
    stay(&staying, name, stay_inside);
    kill(staying.process, SIGCONT);
    waitpid(staying.process, &state, WUNTRACED);
    ok(WIFSTOPPED(state), "a tool stands still inside");
    begun = apr_time_now();
    condreq_occupancy_own(&owned, config.path, APR_USEC_PER_SEC);
    is_int(condreq_store_bdb.prepare(&config, &trouble, pool), 0,
           "a server prepares the store");
    ok(apr_time_now() - begun < 5 * APR_USEC_PER_SEC, "within seconds");
    waitpid(staying.process, &state, 0);
    ok(WIFSIGNALED(state), "the tool was ended");
    close(owned);
}

/* A keeper that keeps for nobody must not keep a server from starting. */
static void test_keeper_stands_still(void)
{
    char name[] = "keeper";
    condreq_store_config_t config = suite_config(&suite, name, pool);
    condreq_trouble_t trouble = {""};
    bdb_control_t *control;
    staying_t staying;
    pid_t keeper = 0;
    int owned;

    crew_prepare(&suite, name, pool);
    stay(&staying, name, write_more);
    if (bdb_control_map(&control, config.path, BDB_VISITOR, &trouble, pool) ==
        APR_SUCCESS)
        keeper = bdb_identity_pid(atomic_load(&control->file->keeper));
    ok(keeper > 0 && kill(keeper, SIGSTOP) == 0,
       "a tool's keeper stands still");
    condreq_occupancy_own(&owned, config.path, APR_USEC_PER_SEC);
    is_int(condreq_store_bdb.prepare(&config, &trouble, pool), 0,
           "a server prepares the store all the same");
    is_int(go_on(&staying), 0, "the tool goes on");
    close(owned);
}

/* ---- the locks ---- */

static void test_occupancy(void)
{
    const char *path = path_of("locks");
    int owned, borrowed, other, users, empty;

    crew_prepare(&suite, "locks", pool);
    is_int(condreq_occupancy_borrow(&borrowed, path), 0, "a tool borrows");
    is_int(condreq_occupancy_borrow(&other, path), 0, "and another does");
    is_int(condreq_occupancy_own(&owned, path, 100000), APR_TIMEUP,
           "a server waits for them, and not for ever");
    close(borrowed);
    close(other);
    is_int(condreq_occupancy_own(&owned, path, 0), 0,
           "without them it owns the store");
    is_int(condreq_occupancy_borrow(&borrowed, path), EBUSY,
           "then no tool borrows");
    close(owned);
    is_int(condreq_occupancy_share(&users, path), 0, "a process shares");
    is_int(condreq_occupancy_share(&other, path), 0, "and another does");
    is_int(condreq_occupancy_empty(&empty, path, 100000), EBUSY,
           "nobody has the store alone then");
    close(users);
    close(other);
    is_int(condreq_occupancy_empty(&empty, path, 0), 0,
           "without them somebody has");
    close(empty);
    ok(condreq_occupancy_own(&owned, path_of("nowhere"), 0) == APR_ENOENT &&
           owned == -1,
       "no lock stands where no directory is");
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (!(suite.directory = scratch_make()))
        return 1;
    test_occupancy();
    test_alone();
    test_no_store();
    test_two();
    test_inside();
    test_keeper_stands_still();
    test_server_starts();
    scratch_remove(suite.directory);
    return done_testing();
}
