/* Helpers: the keeper's own processes, started, awaited and ended.
 * Knows processes; of the store what the housekeeper calls. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "condreq_bdb.h"
#include "condreq_bdb_keeper.h"
#include "condreq_bdb_watch.h"
#include "condreq_lock_sweep.h"

#define LOOK_MS 100
/* A second of writes makes tens of megabytes of log, and a recovery of as many
 * seconds. */
#define ROUND_MS 100
/* A full second of writes may fill a small disk with logs. */
#define ROUND_WHILE_SHORT_MS 20
#define MAINTAIN_EVERY_ROUNDS 10
#define SWEEP_EVERY_ROUNDS 600
#define ROUND_AFTER_TROUBLE_MS 1000
#define START_AGAIN_AFTER_US APR_USEC_PER_SEC
#define GOODBYE_MS 5000
#define VISITORS_LEAVE_WITHIN_US APR_USEC_PER_SEC

static int wait_for(pid_t child)
{
    int state = 0;

    while (waitpid(child, &state, 0) < 0)
        if (errno != EINTR)
            return 0;
    return WIFEXITED(state) && WEXITSTATUS(state) == 0;
}

int bdb_helper_await(pid_t child, const condreq_keeper_t *keeper)
{
    struct pollfd polled = {bdb_process_open(child), POLLIN, 0};

    while (polled.fd >= 0 && poll(&polled, 1, LOOK_MS) <= 0)
        if (keeper->should_end(keeper->baton))
            kill(child, SIGKILL);
    if (polled.fd >= 0)
        close(polled.fd);
    return wait_for(child);
}

/* Not before it is known to be gone. */
static void end_process(apr_uint64_t process)
{
    struct pollfd polled = {-1, POLLIN, 0};

    while ((polled.fd = bdb_process_open_same(process)) < 0 && errno != ESRCH)
        poll(NULL, 0, LOOK_MS);
    if (polled.fd < 0)
        return;
    kill(bdb_identity_pid(process), SIGKILL);
    while (poll(&polled, 1, -1) < 0 && errno == EINTR)
        ;
    close(polled.fd);
}

void bdb_helpers_end(bdb_control_t *control, bdb_role_t role)
{
    unsigned i;

    for (i = 0; i < control->slot_count; i++) {
        bdb_slot_t *slot = &control->slots[i];
        apr_uint64_t owner = atomic_load(&slot->owner);

        if (!owner || bdb_identity_role(owner) != role)
            continue;
        end_process(owner);
        atomic_store(&slot->inside, 0);
        atomic_store(&slot->reserved_bytes, 0);
        atomic_store(&slot->owner, 0);
    }
}

/* ---- visitors ---- */

static void end_inside(bdb_control_t *control, apr_uint64_t word, int kills)
{
    unsigned i;

    for (i = 0; i < control->slot_count; i++) {
        bdb_slot_t *slot = &control->slots[i];
        apr_uint64_t owner = atomic_load(&slot->owner);
        apr_int64_t until_us = bdb_clock_us() + VISITORS_LEAVE_WITHIN_US;

        if (!owner || bdb_identity_role(owner) != BDB_VISITOR)
            continue;
        while (atomic_load(&slot->inside) == word &&
               bdb_clock_us() < until_us && !kills)
            poll(NULL, 0, 1);
        if (atomic_load(&slot->inside) == word)
            end_process(owner);
    }
}

void bdb_visitors_end(bdb_control_t *control)
{
    apr_uint64_t word = atomic_load(&control->file->word);
    int is_open = bdb_word_state(word) == BDB_OPEN;

    if (is_open)
        bdb_control_condemn(control, word, BDB_CONDEMNED_BY_PREPARE);
    end_inside(control, bdb_word(bdb_word_generation(word), BDB_OPEN),
               !is_open);
}

/* ---- the housekeeper ---- */

/** What the housekeeper remembers from round to round. */
typedef struct house_t {
    condreq_store_t *store;
    const condreq_keeper_t *keeper;
    apr_pool_t *pool;
    unsigned round;
    bdb_compaction_t compaction;
    /** were writes refused when it was last said? */
    int refused;
} house_t;

static void say_if_refused(house_t *house)
{
    const condreq_keeper_t *keeper = house->keeper;

    if (house->refused == bdb_refuses_writes(house->store))
        return;
    house->refused = !house->refused;
    if (house->refused)
        keeper->log(keeper->baton, CONDREQ_KEEPER_WARNING,
                    "there is too little room on the disk; writes are refused "
                    "until there is more");
    else
        keeper->log(keeper->baton, CONDREQ_KEEPER_NOTICE,
                    "there is room on the disk again; writes are let in");
}

/* Once a minute: a lock that its holder forgot would make each write of its
 * host look for it. */
static apr_status_t sweep_locks(house_t *house, condreq_trouble_t *trouble)
{
    apr_size_t removed;

    if (house->round % SWEEP_EVERY_ROUNDS != 0)
        return APR_SUCCESS;
    return condreq_locks_sweep(&removed, house->store, "", trouble,
                               house->pool);
}

static apr_status_t keep_house_once(house_t *house)
{
    condreq_trouble_t trouble;
    apr_status_t status =
        ++house->round % MAINTAIN_EVERY_ROUNDS == 0
            ? bdb_maintain(house->store, &trouble, house->pool)
            : bdb_checkpoint(house->store, &trouble);

    if (status == APR_SUCCESS)
        status = bdb_compact(house->store, &house->compaction, &trouble);
    if (status == APR_SUCCESS)
        status = sweep_locks(house, &trouble);
    if (status != APR_SUCCESS)
        house->keeper->log(house->keeper->baton, CONDREQ_KEEPER_ERROR,
                           trouble.sentence);
    say_if_refused(house);
    return status;
}

static int is_used(const bdb_control_t *control)
{
    return bdb_watch_anybody(control, BDB_WORKER) ||
           bdb_watch_anybody(control, BDB_VISITOR);
}

/* Where nobody else is left, what was committed is now on the disk, and a power
 * cut afterwards is none of ours. Whoever comes meanwhile first takes a place
 * and then looks for the note. */
static void leave_house(bdb_store_t *store, apr_pool_t *pool)
{
    condreq_trouble_t trouble;

    if (store->config.durability != CONDREQ_WRITE_NOSYNC ||
        atomic_load(&store->control->file->word) !=
            atomic_load(&store->opened) ||
        is_used(store->control) ||
        bdb_maintain(&store->base, &trouble, pool) != APR_SUCCESS)
        return;
    bdb_unsynced_clear(store->config.path, pool);
    if (is_used(store->control))
        bdb_unsynced_mark(store->config.path, &trouble, pool);
}

static int pause_ms(const house_t *house, apr_status_t status)
{
    if (status != APR_SUCCESS)
        return ROUND_AFTER_TROUBLE_MS;
    return bdb_is_short_of_room(house->store) ? ROUND_WHILE_SHORT_MS : ROUND_MS;
}

/* Hears nothing but the end of the leash, and sleeps on it. */
static void keep_house(const condreq_store_config_t *config,
                       const condreq_keeper_t *keeper, int leash,
                       apr_pool_t *pool)
{
    house_t house = {NULL, keeper, pool, 0, {0, 0}, 0};
    struct pollfd polled = {leash, POLLIN, 0};
    condreq_trouble_t trouble;
    apr_status_t status =
        bdb_open_as(&house.store, config, BDB_HOUSEKEEPER, &trouble, pool);

    if (status != APR_SUCCESS) {
        keeper->log(keeper->baton, CONDREQ_KEEPER_ERROR, trouble.sentence);
        _exit(1);
    }
    while (poll(&polled, 1, pause_ms(&house, status)) <= 0)
        status = keep_house_once(&house);
    leave_house((bdb_store_t *)house.store, pool);
    _exit(0);
}

static void start(bdb_housekeeper_t *housekeeper,
                  const condreq_store_config_t *config,
                  const condreq_keeper_t *keeper, apr_pool_t *pool)
{
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    if ((pid = fork()) == 0) {
        prctl(PR_SET_NAME, "condreq-house");
        close(ends[1]);
        keep_house(config, keeper, ends[0], pool);
    }
    close(ends[0]);
    if (pid < 0) {
        close(ends[1]);
        return;
    }
    housekeeper->pid = pid;
    housekeeper->leash = ends[1];
}

/* One that was killed is missed at once; one that could not open the store
 * would not be able to the next moment. */
static void reap(bdb_housekeeper_t *housekeeper)
{
    int state = 0;

    if (!housekeeper->pid ||
        waitpid(housekeeper->pid, &state, WNOHANG) != housekeeper->pid)
        return;
    close(housekeeper->leash);
    housekeeper->pid = 0;
    housekeeper->not_before_us =
        WIFEXITED(state) ? bdb_clock_us() + START_AGAIN_AFTER_US : 0;
}

void bdb_housekeeper_ensure(bdb_housekeeper_t *housekeeper,
                            const condreq_store_config_t *config,
                            const condreq_keeper_t *keeper, apr_pool_t *pool)
{
    reap(housekeeper);
    if (!housekeeper->pid && bdb_clock_us() >= housekeeper->not_before_us)
        start(housekeeper, config, keeper, pool);
}

void bdb_housekeeper_end(bdb_housekeeper_t *housekeeper)
{
    struct pollfd polled = {-1, POLLIN, 0};

    if (!housekeeper->pid)
        return;
    close(housekeeper->leash);
    polled.fd = bdb_process_open(housekeeper->pid);
    poll(&polled, 1, GOODBYE_MS);
    waitpid(housekeeper->pid, NULL, WNOHANG);
    if (polled.fd >= 0)
        close(polled.fd);
    housekeeper->pid = 0;
}
