/* Occupancy: the lock files owner and users of a store's directory.
 * Knows files, locks and whose directory it is; no store, no server. The header
 * says what they mean. */
#include "condreq_occupancy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_AGAIN_MS 20
#define NAME_SIZE 4200
#define LOCK_MODE 0600

/* What root makes belongs to whoever has the directory. */
static int give_away(int descriptor, const char *path)
{
    struct stat directory;

    return geteuid() != 0 ||
           (stat(path, &directory) == 0 &&
            fchown(descriptor, directory.st_uid, directory.st_gid) == 0);
}

static apr_status_t open_lock(int *lock, const char *path, const char *file)
{
    char name[NAME_SIZE];
    apr_status_t status;

    *lock = -1;
    if (snprintf(name, sizeof(name), "%s/%s", path, file) >= NAME_SIZE)
        return ENAMETOOLONG;
    *lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, LOCK_MODE);
    if (*lock >= 0 && give_away(*lock, path))
        return APR_SUCCESS;
    status = errno;
    if (*lock >= 0)
        close(*lock);
    *lock = -1;
    return status;
}

/* @return what flock says, as long as it is given for an answer */
static int try_lock(int lock, int kind, apr_interval_time_t longest_us)
{
    apr_time_t until = apr_time_now() + longest_us;

    while (flock(lock, kind | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return errno;
        if (apr_time_now() >= until)
            return EBUSY;
        poll(NULL, 0, LOOK_AGAIN_MS);
    }
    return 0;
}

static apr_status_t take(int *lock, const char *path, const char *file,
                         int kind, apr_interval_time_t longest_us)
{
    apr_status_t status = open_lock(lock, path, file);

    if (status != APR_SUCCESS)
        return status;
    if ((status = try_lock(*lock, kind, longest_us)) != 0) {
        close(*lock);
        *lock = -1;
    }
    return status;
}

/* Whoever has it alone is a server: then there is nothing to wait for. */
apr_status_t condreq_occupancy_own(int *lock, const char *path,
                                   apr_interval_time_t longest_us)
{
    apr_time_t until = apr_time_now() + longest_us;
    apr_status_t status;
    int borrowed;

    while ((status = take(lock, path, "owner", LOCK_EX, 0)) == EBUSY) {
        if ((status = condreq_occupancy_borrow(&borrowed, path)))
            return status;
        close(borrowed);
        if (apr_time_now() >= until)
            return APR_TIMEUP;
        poll(NULL, 0, LOOK_AGAIN_MS);
    }
    return status;
}

apr_status_t condreq_occupancy_borrow(int *lock, const char *path)
{
    return take(lock, path, "owner", LOCK_SH, 0);
}

apr_status_t condreq_occupancy_share(int *lock, const char *path)
{
    apr_status_t status = open_lock(lock, path, "users");

    if (status == APR_SUCCESS && flock(*lock, LOCK_SH) != 0)
        status = errno;
    return status;
}

apr_status_t condreq_occupancy_empty(int *lock, const char *path,
                                     apr_interval_time_t longest_us)
{
    return take(lock, path, "users", LOCK_EX, longest_us);
}
