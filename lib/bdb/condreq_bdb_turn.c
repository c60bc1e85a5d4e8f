/* Turns: the lock that the keeper of a store holds, and those who wait for it.
 * Knows one file and the process that has it locked; not what a keeper does.
 *
 * A lock of the kind that belongs to a process alone: a helper that outlives
 * its keeper must not hold it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "apr_strings.h"

#include "condreq_bdb_keeper.h"
#include "condreq_bdb_watch.h"

#define LOOK_MS 1000
#define LOOK_AGAIN_MS 20

static struct flock whole_file(void)
{
    struct flock lock;

    memset(&lock, 0, sizeof(lock));
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

static int try_lock(int descriptor)
{
    struct flock lock = whole_file();

    return fcntl(descriptor, F_SETLK, &lock) == 0;
}

static pid_t holder(int descriptor)
{
    struct flock lock = whole_file();

    return fcntl(descriptor, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK
               ? lock.l_pid
               : 0;
}

/* The kernel says at once when the holder ends; but for the moment in which
 * the lock changes hands. */
static void await_holder(int descriptor, int longest_ms)
{
    pid_t pid = holder(descriptor);
    struct pollfd polled = {pid > 0 ? bdb_process_open(pid) : -1, POLLIN, 0};

    if (polled.fd < 0)
        longest_ms = pid > 0 ? LOOK_AGAIN_MS : 0;
    poll(&polled, 1, longest_ms);
    if (polled.fd >= 0)
        close(polled.fd);
}

static apr_status_t open_lock(int *lock, const char *path,
                              condreq_trouble_t *trouble, apr_pool_t *pool)
{
    const char *name = apr_pstrcat(pool, path, "/keeper", NULL);

    *lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*lock < 0)
        return condreq_trouble(trouble, errno, "opening %s", name);
    return APR_SUCCESS;
}

apr_status_t bdb_keeper_lock(int *lock, const char *path,
                             apr_interval_time_t longest_us,
                             condreq_trouble_t *trouble, apr_pool_t *pool)
{
    apr_time_t until = apr_time_now() + longest_us;
    apr_status_t status = open_lock(lock, path, trouble, pool);

    if (status != APR_SUCCESS)
        return status;
    while (!try_lock(*lock)) {
        if (apr_time_now() >= until) {
            close(*lock);
            return condreq_trouble(trouble, APR_TIMEUP,
                                   "waiting for the keeper of the store in %s "
                                   "to end",
                                   path);
        }
        await_holder(*lock, LOOK_AGAIN_MS);
    }
    return APR_SUCCESS;
}

int bdb_keeper_is_there(const char *path, apr_pool_t *pool)
{
    condreq_trouble_t trouble;
    int lock, is_there;

    if (open_lock(&lock, path, &trouble, pool) != APR_SUCCESS)
        return 0;
    is_there = holder(lock) != 0;
    close(lock);
    return is_there;
}

void bdb_keeper_kill(const char *path, apr_pool_t *pool)
{
    condreq_trouble_t trouble;
    pid_t pid;
    int lock;

    if (open_lock(&lock, path, &trouble, pool) != APR_SUCCESS)
        return;
    if ((pid = holder(lock)) > 0)
        kill(pid, SIGKILL);
    close(lock);
}

apr_status_t bdb_keeper_turn(const char *path, const condreq_keeper_t *keeper,
                             condreq_trouble_t *trouble, apr_pool_t *pool)
{
    int lock;
    apr_status_t status = open_lock(&lock, path, trouble, pool);

    if (status != APR_SUCCESS)
        return status;
    while (!keeper->should_end(keeper->baton) && !try_lock(lock))
        await_holder(lock, LOOK_MS);
    return APR_SUCCESS;
}
