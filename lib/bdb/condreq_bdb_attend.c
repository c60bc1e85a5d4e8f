/* A tool's way to a store: it joins those who are there, or, where nobody is,
 * brings the store in order and has it kept for as long as it works.
 * Knows the locks that say who is there, and the keeper; no document.
 *
 * A tool never prepares a store that a server owns, nor one that another tool
 * is at work on. The keeper that it brings along ends with it, and as soon as a
 * server owns the store, whose start waits for that; the tool is outside then,
 * and follows with its next visit. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apr_strings.h"

#include "condreq_bdb.h"
#include "condreq_bdb_keeper.h"
#include "condreq_bdb_watch.h"
#include "condreq_occupancy.h"

#define THREADS 16
#define CACHE_BYTES (16u << 20)
#define WAIT_US (10 * APR_USEC_PER_SEC)
/* A server that is starting prepares the store first. */
#define ATTEND_WITHIN_US (10 * APR_USEC_PER_SEC)
#define LOOK_AGAIN_MS 20
#define KEEPER_COMES_WITHIN_MS 2000

/* What a tool opens a store with, and prepares it with where it must: the
 * commits of one that is brought in order are on the disk. */
static condreq_store_config_t config_of(const char *path)
{
    condreq_store_config_t config = {path, CONDREQ_SYNC, CACHE_BYTES, THREADS,
                                     WAIT_US};

    return config;
}

/* ---- the keeper that is brought along ---- */

typedef struct attending_t {
    const char *path;
    pid_t parent;
} attending_t;

static void keeper_log(void *baton, condreq_keeper_level_t level,
                       const char *sentence)
{
    const attending_t *attending = baton;

    if (level == CONDREQ_KEEPER_ERROR)
        fprintf(stderr, "the store in %s: %s\n", attending->path, sentence);
}

/* A server's own keepers come after this one. */
static int keeper_should_end(void *baton)
{
    const attending_t *attending = baton;
    int borrowed;

    if (getppid() != attending->parent ||
        condreq_occupancy_borrow(&borrowed, attending->path) != APR_SUCCESS)
        return 1;
    close(borrowed);
    return 0;
}

/* There is no server whose processes it would have to end. */
static int keeper_is_abandoned(void *baton)
{
    (void)baton;
    return 0;
}

/* Whoever reads what the tool says waits for nobody else's end of the pipe. */
static void let_go(int borrowed)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

    close(borrowed);
    if (nothing < 0)
        return;
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    close(nothing);
}

static void keep_and_exit(attending_t *attending, apr_pool_t *pool)
{
    condreq_store_config_t config = config_of(attending->path);
    condreq_keeper_t keeper = {attending, keeper_log, keeper_should_end,
                               keeper_is_abandoned};
    condreq_trouble_t trouble;
    apr_status_t status;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "condreq-keeper");
    status = bdb_keep(&config, &keeper, &trouble, pool);
    _exit(status == APR_SUCCESS ? 0 : 1);
}

/* It stands by where another tool's keeper keeps. */
static apr_status_t bring_keeper(pid_t *keeper, const char *path, int borrowed,
                                 condreq_trouble_t *trouble, apr_pool_t *pool)
{
    attending_t attending = {path, getpid()};
    int waited_ms;

    if ((*keeper = fork()) < 0)
        return condreq_trouble(trouble, errno, "starting a keeper");
    if (*keeper == 0) {
        let_go(borrowed);
        keep_and_exit(&attending, pool);
    }
    for (waited_ms = 0;
         waited_ms < KEEPER_COMES_WITHIN_MS && !bdb_keeper_is_there(path, pool);
         waited_ms += LOOK_AGAIN_MS)
        poll(NULL, 0, LOOK_AGAIN_MS);
    return APR_SUCCESS;
}

/* It may be killed at any time; what it leaves, the next one ends. */
static void end_keeper(pid_t keeper)
{
    if (keeper <= 0)
        return;
    kill(keeper, SIGKILL);
    waitpid(keeper, NULL, 0);
}

/* ---- who is there ---- */

/* Another tool at work is not disturbed: its generation is good, or its keeper
 * makes it so. */
static int has_visitors(const char *path, apr_pool_t *pool)
{
    condreq_trouble_t trouble;
    bdb_control_t *control;
    int found;

    if (bdb_control_map(&control, path, BDB_VISITOR, &trouble, pool))
        return 0;
    found = bdb_watch_anybody(control, BDB_VISITOR) != 0;
    bdb_control_unmap(control);
    return found;
}

static apr_status_t prepare(const char *path, condreq_trouble_t *trouble,
                            apr_pool_t *pool)
{
    condreq_store_config_t config = config_of(path);
    int users;
    apr_status_t status = condreq_occupancy_empty(&users, path, 0);

    if (status != APR_SUCCESS)
        return condreq_trouble(trouble, status,
                               "bringing the store in %s in order", path);
    status = bdb_prepare(&config, trouble, pool);
    close(users);
    return status;
}

/* Nobody owns it, and nobody will before we let go. */
static apr_status_t bring_in_order(pid_t *keeper, const char *path,
                                   int borrowed, condreq_trouble_t *trouble,
                                   apr_pool_t *pool)
{
    apr_status_t status = APR_SUCCESS;

    if (!bdb_keeper_is_there(path, pool) && !has_visitors(path, pool))
        status = prepare(path, trouble, pool);
    return status ? status
                  : bring_keeper(keeper, path, borrowed, trouble, pool);
}

/* ---- opening ---- */

static apr_status_t open_as_visitor(condreq_store_t **store, const char *path,
                                    condreq_trouble_t *trouble,
                                    apr_pool_t *pool)
{
    condreq_store_config_t config = config_of(path);
    bdb_control_t *control;
    apr_status_t status;

    if ((status = bdb_control_map(&control, path, BDB_VISITOR, trouble, pool)))
        return status;
    config.durability = (condreq_durability_t)control->file->durability;
    bdb_control_unmap(control);
    return bdb_open_as(store, &config, BDB_VISITOR, trouble, pool);
}

/* A store with a server is kept; what it is short of comes soon. */
static apr_status_t have_it_kept(pid_t *keeper, const char *path,
                                 condreq_trouble_t *trouble, apr_pool_t *pool)
{
    int borrowed;
    apr_status_t status = condreq_occupancy_borrow(&borrowed, path);

    if (status == EBUSY)
        return APR_SUCCESS;
    if (status != APR_SUCCESS)
        return condreq_trouble(trouble, status, "locking %s/owner", path);
    status = bring_in_order(keeper, path, borrowed, trouble, pool);
    close(borrowed);
    return status;
}

static apr_status_t attend_once(condreq_store_t **store, const char *path,
                                condreq_trouble_t *trouble, apr_pool_t *pool)
{
    pid_t keeper = 0;
    apr_status_t status = have_it_kept(&keeper, path, trouble, pool);

    if (status == APR_SUCCESS)
        status = open_as_visitor(store, path, trouble, pool);
    if (status == APR_SUCCESS)
        ((bdb_store_t *)*store)->own_keeper = keeper;
    else
        end_keeper(keeper);
    return status;
}

void bdb_leave(condreq_store_t *store)
{
    pid_t keeper = ((bdb_store_t *)store)->own_keeper;

    bdb_close(store);
    end_keeper(keeper);
}

static int is_directory(const char *path, const char *name, apr_pool_t *pool)
{
    struct stat found;

    return stat(apr_pstrcat(pool, path, name, NULL), &found) == 0 &&
           S_ISDIR(found.st_mode);
}

/* What was never a store is not made one by looking at it, nor is a backup: it
 * would be none any more. */
static apr_status_t look_for_store(const char *path, condreq_trouble_t *trouble,
                                   apr_pool_t *pool)
{
    struct stat found;

    if (stat(apr_pstrcat(pool, path, "/manifest", NULL), &found) == 0)
        return condreq_trouble(trouble, APR_ENOENT,
                               "in %s is a backup, to be restored to a store",
                               path);
    if (is_directory(path, "/data", pool) ||
        is_directory(path, "/restored", pool))
        return APR_SUCCESS;
    return condreq_trouble(trouble, APR_ENOENT, "no store is in %s", path);
}

apr_status_t bdb_attend(condreq_store_t **store, const char *path,
                        condreq_trouble_t *trouble, apr_pool_t *pool)
{
    apr_int64_t until_us = bdb_clock_us() + ATTEND_WITHIN_US;
    apr_status_t status = look_for_store(path, trouble, pool);

    if (status != APR_SUCCESS)
        return status;
    for (;;) {
        status = attend_once(store, path, trouble, pool);
        if ((status != APR_ENOENT && status != APR_TIMEUP) ||
            bdb_clock_us() >= until_us)
            return status;
        poll(NULL, 0, LOOK_AGAIN_MS);
    }
}
