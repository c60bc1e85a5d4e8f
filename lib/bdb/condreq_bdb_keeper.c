/* The keeper: condemns, drains, recovers, publishes; and who does it.
 * Knows the control file, the watch and its own helpers; makes no call of the
 * library itself, so that it is never inside, and its death harms nothing.
 * The order of its steps comes from the design's section 14. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apr_strings.h"

#include "condreq_bdb.h"
#include "condreq_bdb_fault.h"
#include "condreq_bdb_keeper.h"
#include "condreq_bdb_watch.h"

#define LOOK_MS 1000
#define LOOK_WHILE_DRAINING_MS 2
#define LOOK_WHILE_ABANDONED_MS 50
/* How long those inside have until the regions are marked, and then until they
 * are ended: most leave at once, and others wait for locks whose holders are
 * dead. */
#define LEAVE_UNDISTURBED_WITHIN_US 100000
#define LEAVE_DISTURBED_WITHIN_US 100000
/* Nor longer than it takes to see that they do. */
#define ASLEEP_FOR_US 20000
/* Where nothing is broken. */
#define LEAVE_CALMLY_WITHIN_US 1000000
#define ORPHANS_END_WITHIN_US 3500000
#define HOUSEKEEPER_ENDS_WITHIN_US 300000
#define LOOK_WHILE_ENDING_MS 20
/* What the dead leave in the regions must not fill them. */
#define DEATHS_A_GENERATION 200
#define RECOVER_AGAIN_AFTER_MS 50
#define RECOVER_AGAIN_AFTER_AT_MOST_MS 5000

typedef struct keeping_t {
    const condreq_store_config_t *config;
    const condreq_keeper_t *keeper;
    bdb_control_t *control;
    bdb_watch_t *watch;
    bdb_standstill_t *standstill;
    apr_uint64_t epoch;
    bdb_housekeeper_t housekeeper;
    /** when it was noticed that the server is gone, by bdb_clock_us() */
    apr_int64_t abandoned_us;
    apr_pool_t *pool;
    /** cleared every round */
    apr_pool_t *round;
} keeping_t;

static void say(keeping_t *keeping, condreq_keeper_level_t level,
                const char *format, ...) __attribute__((format(printf, 3, 4)));

static void say(keeping_t *keeping, condreq_keeper_level_t level,
                const char *format, ...)
{
    char sentence[512];
    va_list args;

    va_start(args, format);
    apr_vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    keeping->keeper->log(keeping->keeper->baton, level, sentence);
}

static int should_end(const keeping_t *keeping)
{
    return keeping->keeper->should_end(keeping->keeper->baton);
}

static apr_uint64_t word_now(const keeping_t *keeping)
{
    return atomic_load(&keeping->control->file->word);
}

static void condemn(keeping_t *keeping, bdb_state_t why)
{
    apr_uint64_t word = word_now(keeping);

    if (bdb_word_state(word) == BDB_OPEN)
        bdb_control_condemn(keeping->control, word, why);
}

/* ---- deaths ---- */

/* A recovery's end is noticed where it was begun. */
static void on_death(void *baton, apr_uint64_t process, int inside)
{
    keeping_t *keeping = baton;
    apr_uint64_t deaths;

    if (bdb_identity_role(process) == BDB_RECOVERY)
        return;
    if (inside && bdb_word_state(word_now(keeping)) == BDB_OPEN) {
        say(keeping, CONDREQ_KEEPER_WARNING,
            "process %d died inside the store: it is being recovered",
            (int)bdb_identity_pid(process));
        condemn(keeping, BDB_CONDEMNED_BY_DEATH);
    }
    if (inside)
        return;
    deaths = atomic_fetch_add(&keeping->control->file->deaths_outside, 1) + 1;
    if (deaths >= DEATHS_A_GENERATION)
        condemn(keeping, BDB_CONDEMNED_BY_AGE);
}

/* ---- drain ---- */

/* Stops the library's own calls where they look; a write to the file is all
 * that is sure not to wait for anyone. A checkpoint must not be surprised by
 * it, and come to believe that it has written what it has not: it is ended. */
static void panic(keeping_t *keeping)
{
    condreq_trouble_t trouble;
    bdb_places_t places;

    bdb_helpers_end(keeping->control, BDB_HOUSEKEEPER);
    if (bdb_places_find(&places, keeping->config->path, &trouble,
                        keeping->round) == APR_SUCCESS &&
        bdb_region_panic(places.regions, keeping->round))
        return;
    say(keeping, CONDREQ_KEEPER_WARNING,
        "the regions of generation %" APR_UINT64_T_FMT
        " cannot be marked; those inside are ended",
        bdb_word_generation(word_now(keeping)));
}

/** How a wait for those inside came out. */
typedef enum left_t {
    ALL_LEFT,
    /** those who did not wait for one another and the dead */
    ALL_ASLEEP,
    SOME_INSIDE
} left_t;

static left_t wait_until_left(keeping_t *keeping, apr_uint64_t word,
                              apr_interval_time_t longest_us)
{
    apr_int64_t begun_us = bdb_clock_us(), now_us = begun_us;
    apr_int64_t asked_us = begun_us;
    apr_uint64_t runs = 0;

    while (bdb_watch_inside(keeping->watch, word) > 0) {
        if (now_us - begun_us >= longest_us)
            return SOME_INSIDE;
        bdb_watch_wait(keeping->watch, LOOK_WHILE_DRAINING_MS);
        now_us = bdb_clock_us();
        if (now_us - asked_us < ASLEEP_FOR_US)
            continue;
        if (bdb_watch_all_asleep(keeping->watch, word, &runs))
            return ALL_ASLEEP;
        asked_us = now_us;
    }
    return ALL_LEFT;
}

/* @return are they gone? */
static int end_those_inside(keeping_t *keeping, apr_uint64_t word)
{
    unsigned killed;

    /* Again where the kernel takes its time, as for one that waits for a disk.
     */
    do {
        if (should_end(keeping))
            return 0;
        killed = bdb_watch_kill_inside(keeping->watch, word);
        atomic_fetch_add(&keeping->control->file->processes_ended, killed);
        if (killed)
            say(keeping, CONDREQ_KEEPER_WARNING,
                "%u process%s stuck inside the store %s ended", killed,
                killed == 1 ? "" : "es", killed == 1 ? "was" : "were");
    } while (wait_until_left(keeping, word, APR_USEC_PER_SEC) != ALL_LEFT);
    return 1;
}

/* Nobody recovers while a living slot is inside. Most leave by themselves, and
 * undisturbed they leave with good results; the mark is for those who go on for
 * long, and does not reach those who are asleep.
 * @return is there none? */
static int drain(keeping_t *keeping)
{
    apr_uint64_t condemned = word_now(keeping);
    apr_uint64_t word = bdb_word(bdb_word_generation(condemned), BDB_OPEN);
    int sound = bdb_word_state(condemned) == BDB_CONDEMNED_BY_AGE;
    left_t left;

    CONDREQ_FAULT("keeper condemned");
    if (CONDREQ_UNPROTECTED())
        return 1;
    left = wait_until_left(keeping, word,
                           sound ? LEAVE_CALMLY_WITHIN_US
                                 : LEAVE_UNDISTURBED_WITHIN_US);
    if (left == SOME_INSIDE) {
        panic(keeping);
        CONDREQ_FAULT("keeper panicked");
        left = wait_until_left(keeping, word, LEAVE_DISTURBED_WITHIN_US);
    }
    if (left != ALL_LEFT && !end_those_inside(keeping, word))
        return 0;
    CONDREQ_FAULT("keeper drained");
    return 1;
}

/* ---- when the server is gone ---- */

/* What a killed server left behind may finish what it does, and the store is
 * kept for it meanwhile. The next server waits for the end of it.
 * @return is nobody left? */
static int nobody_is_left(keeping_t *keeping)
{
    apr_int64_t now_us = bdb_clock_us();
    unsigned killed;

    if (!keeping->keeper->is_abandoned(keeping->keeper->baton))
        return 0;
    if (!bdb_watch_anybody(keeping->control, BDB_WORKER))
        return 1;
    if (!keeping->abandoned_us) {
        keeping->abandoned_us = now_us;
        say(keeping, CONDREQ_KEEPER_WARNING,
            "its server is gone; those that it left finish what they do");
    }
    if (now_us - keeping->abandoned_us < ORPHANS_END_WITHIN_US)
        return 0;
    killed = bdb_watch_kill_all(keeping->watch, BDB_WORKER);
    atomic_fetch_add(&keeping->control->file->processes_ended, killed);
    if (killed)
        say(keeping, CONDREQ_KEEPER_WARNING,
            "%u process%s that the server left w%s ended", killed,
            killed == 1 ? "" : "es", killed == 1 ? "as" : "ere");
    return 0;
}

/* ---- recover ---- */

/* For the next try. Writes wait until the ballast can be made again.
 * @return is there more room than before? */
static int make_room(keeping_t *keeping, bdb_control_t *control)
{
    if (!bdb_ballast_release(keeping->config->path, keeping->round))
        return 0;
    atomic_store(&control->file->has_no_ballast, 1);
    say(keeping, CONDREQ_KEEPER_WARNING,
        "its ballast was removed to make room for a recovery; writes are "
        "refused until there is room for it again");
    return 1;
}

/* Want of room may not have been what was wrong. */
static void make_ballast(keeping_t *keeping, bdb_control_t *control)
{
    const char *path = keeping->config->path;
    bdb_room_plan_t plan;

    bdb_room_plan_for(&plan, path);
    atomic_store(&control->file->has_no_ballast,
                 !bdb_ballast_ensure(path, &plan, keeping->round));
}

/* In a process of its own: it makes the library's calls, and may die of it.
 * The slot comes first, then the epoch: a keeper that raised the epoch sees
 * the slot. */
static void recover_and_exit(keeping_t *keeping, pid_t parent)
{
    condreq_trouble_t trouble;
    bdb_control_t *control;
    apr_status_t status;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "condreq-recover");
    if (getppid() != parent ||
        bdb_control_map(&control, keeping->config->path, BDB_RECOVERY, &trouble,
                        keeping->round) != APR_SUCCESS ||
        !bdb_slot_mine(control, 0) ||
        atomic_load(&control->file->epoch) != keeping->epoch)
        _exit(2);
    CONDREQ_FAULT("recovery begins");
    status =
        bdb_recover(keeping->config, bdb_word_generation(word_now(keeping)),
                    control, 0, &trouble, keeping->round);
    if (status == APR_SUCCESS)
        make_ballast(keeping, control);
    else {
        say(keeping, CONDREQ_KEEPER_ERROR, "%s", trouble.sentence);
        if (status == CONDREQ_EFORMAT || !make_room(keeping, control))
            atomic_store(&control->file->recovery_fails, 1);
    }
    _exit(status == APR_SUCCESS ? 0 : 1);
}

/* @return did it recover? */
static int recover_once(keeping_t *keeping)
{
    pid_t parent = getpid();
    pid_t child = fork();

    if (child == 0)
        recover_and_exit(keeping, parent);
    return child > 0 && bdb_helper_await(child, keeping->keeper);
}

/* A free slot for the recovery may take the death of another process. */
static int recover(keeping_t *keeping)
{
    int pause_ms = RECOVER_AGAIN_AFTER_MS;

    while (!recover_once(keeping)) {
        if (should_end(keeping) || nobody_is_left(keeping))
            return 0;
        say(keeping, CONDREQ_KEEPER_WARNING,
            "the store's recovery did not finish; it is done again");
        bdb_watch_wait(keeping->watch, pause_ms);
        pause_ms *= 2;
        if (pause_ms > RECOVER_AGAIN_AFTER_AT_MOST_MS)
            pause_ms = RECOVER_AGAIN_AFTER_AT_MOST_MS;
    }
    CONDREQ_FAULT("keeper recovered");
    return 1;
}

/* ---- publish ---- */

static const char *reason(bdb_state_t why)
{
    switch (why) {
    case BDB_CONDEMNED_BY_DEATH:
        return "a process died inside";
    case BDB_CONDEMNED_BY_LIBRARY:
        return "the library gave up";
    case BDB_CONDEMNED_BY_MEMORY:
        return "its tables were full";
    case BDB_CONDEMNED_BY_STANDSTILL:
        return "nothing moved inside";
    case BDB_CONDEMNED_BY_AGE:
        return "many processes have come and gone";
    default:
        return "of an unknown reason";
    }
}

static int publish(keeping_t *keeping, apr_time_t begun)
{
    bdb_control_file_t *file = keeping->control->file;
    apr_uint64_t condemned = word_now(keeping);
    condreq_trouble_t trouble;
    bdb_places_t places;

    if (bdb_places_find(&places, keeping->config->path, &trouble,
                        keeping->round) != APR_SUCCESS ||
        places.generation <= bdb_word_generation(condemned))
        return 0;
    atomic_store(&file->deaths_outside, 0);
    atomic_fetch_add(&file->recoveries, 1);
    atomic_store(&file->last_recovery_us, apr_time_now() - begun);
    bdb_control_publish(keeping->control, places.generation);
    CONDREQ_FAULT("keeper published");
    bdb_places_remove_others(&places, keeping->config->path, keeping->round);
    say(keeping, CONDREQ_KEEPER_NOTICE,
        "the store was recovered in %d ms, because %s; it is now in "
        "generation %" APR_UINT64_T_FMT,
        (int)((apr_time_now() - begun) / 1000),
        reason(bdb_word_state(condemned)), places.generation);
    return 1;
}

static void bring_back(keeping_t *keeping)
{
    apr_time_t begun = apr_time_now();

    if (!drain(keeping))
        return;
    while (recover(keeping) && !publish(keeping, begun))
        say(keeping, CONDREQ_KEEPER_ERROR,
            "the store's new generation cannot be read");
}

/* ---- one keeper after another ---- */

static apr_status_t take_over(keeping_t *keeping, condreq_trouble_t *trouble)
{
    bdb_control_file_t *file;
    apr_status_t status;

    if ((status = bdb_control_map(&keeping->control, keeping->config->path,
                                  BDB_WORKER, trouble, keeping->pool)) ||
        (status = bdb_watch_make(&keeping->watch, keeping->control, trouble,
                                 keeping->pool)))
        return status;
    keeping->watch->on_death = on_death;
    keeping->watch->baton = keeping;
    keeping->standstill =
        bdb_standstill_make(keeping->control, keeping->config, keeping->pool);
    file = keeping->control->file;
    keeping->epoch = atomic_fetch_add(&file->epoch, 1) + 1;
    atomic_store(&file->keeper, keeping->control->identity);
    /* What an old keeper began must not go on beside what this one begins. */
    bdb_helpers_end(keeping->control, BDB_RECOVERY);
    bdb_watch_look(keeping->watch);
    return APR_SUCCESS;
}

static void keep_once(keeping_t *keeping)
{
    apr_pool_clear(keeping->round);
    if (bdb_word_state(word_now(keeping)) == BDB_OPEN &&
        bdb_standstill(keeping->standstill, word_now(keeping), keeping->round))
        condemn(keeping, BDB_CONDEMNED_BY_STANDSTILL);
    if (bdb_word_state(word_now(keeping)) != BDB_OPEN)
        bring_back(keeping);
    /* Asked to end before it was done: a housekeeper would only wait, and its
     * keeper for it. */
    if (bdb_word_state(word_now(keeping)) != BDB_OPEN)
        return;
    bdb_housekeeper_ensure(&keeping->housekeeper, keeping->config,
                           keeping->keeper, keeping->round);
    /* A death since then was told by no descriptor of this round. */
    if (bdb_word_state(word_now(keeping)) == BDB_OPEN)
        bdb_watch_wait(keeping->watch, keeping->abandoned_us
                                           ? LOOK_WHILE_ABANDONED_MS
                                           : LOOK_MS);
}

/* In a condemned generation it can only wait, and its keeper for it. */
static void end_housekeeper(keeping_t *keeping)
{
    if (keeping->housekeeper.pid &&
        bdb_word_state(word_now(keeping)) != BDB_OPEN)
        kill(keeping->housekeeper.pid, SIGKILL);
    bdb_housekeeper_end(&keeping->housekeeper);
}

/* One whose keeper was killed ends by itself, unless it waits for what the dead
 * hold, or was stopped: then the next server would wait for it in vain. */
static void end_left_housekeeper(keeping_t *keeping)
{
    apr_int64_t until_us = bdb_clock_us() + HOUSEKEEPER_ENDS_WITHIN_US;

    while (bdb_word_state(word_now(keeping)) == BDB_OPEN &&
           bdb_watch_anybody(keeping->control, BDB_HOUSEKEEPER) &&
           bdb_clock_us() < until_us)
        poll(NULL, 0, LOOK_WHILE_ENDING_MS);
    bdb_helpers_end(keeping->control, BDB_HOUSEKEEPER);
}

apr_status_t bdb_keep(const condreq_store_config_t *config,
                      const condreq_keeper_t *keeper,
                      condreq_trouble_t *trouble, apr_pool_t *pool)
{
    keeping_t *keeping = apr_pcalloc(pool, sizeof(*keeping));
    apr_status_t status;

    keeping->config = config;
    keeping->keeper = keeper;
    keeping->pool = pool;
    if ((status = apr_pool_create(&keeping->round, pool)))
        return condreq_trouble(trouble, status, "making a pool");
    status = bdb_keeper_turn(config->path, keeper, trouble, pool);
    if (status != APR_SUCCESS || should_end(keeping))
        return status;
    if ((status = take_over(keeping, trouble)))
        return status;
    while (!should_end(keeping) && !nobody_is_left(keeping))
        keep_once(keeping);
    end_housekeeper(keeping);
    if (!should_end(keeping))
        end_left_housekeeper(keeping);
    return APR_SUCCESS;
}
