/* Logs: when old ones may go.
 * Knows a lock file and the one call that removes them.
 *
 * A backup copies pages first and the logs since then afterwards. While one is
 * being made it shares the lock; whoever removes logs has it alone, and does
 * not wait for it: they can go the next time. The lock is of the kind that
 * belongs to a process and ends with it, whatever becomes of its children. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "apr_strings.h"

#include "condreq_bdb.h"

#define NAME "/backup"

static int open_lock(const char *path)
{
    char name[CONDREQ_STORE_PATH_MAX + sizeof(NAME)];

    apr_snprintf(name, sizeof(name), "%s" NAME, path);
    return open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static int lock(int descriptor, short kind, int how)
{
    struct flock whole;

    memset(&whole, 0, sizeof(whole));
    whole.l_type = kind;
    whole.l_whence = SEEK_SET;
    return fcntl(descriptor, how, &whole) == 0;
}

apr_status_t bdb_logs_keep(int *lease, const char *path,
                           condreq_trouble_t *trouble, apr_pool_t *pool)
{
    (void)pool;
    *lease = open_lock(path);
    while (*lease >= 0 && !lock(*lease, F_RDLCK, F_SETLKW))
        if (errno != EINTR) {
            close(*lease);
            *lease = -1;
        }
    if (*lease < 0)
        return condreq_trouble(trouble, errno, "locking %s" NAME, path);
    return APR_SUCCESS;
}

int bdb_logs_are_kept(const bdb_store_t *store)
{
    int descriptor = open_lock(store->config.path);
    struct flock whole;
    int kept = 0;

    memset(&whole, 0, sizeof(whole));
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (descriptor < 0)
        return 0;
    kept = fcntl(descriptor, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
    close(descriptor);
    return kept;
}

/* Where the lock cannot be opened for want of descriptors, the next time will
 * do. Where there is no room for it, or no way to it, no backup has it either,
 * and the library says what is wrong. */
static int must_wait(int descriptor)
{
    return descriptor < 0
               ? errno == EMFILE || errno == ENFILE || errno == ENOMEM
               : !lock(descriptor, F_WRLCK, F_SETLK);
}

int bdb_logs_remove(bdb_store_t *store)
{
    int descriptor = open_lock(store->config.path);
    int code = 0;

    if (!must_wait(descriptor))
        code = store->env->log_archive(store->env, NULL, DB_ARCH_REMOVE);
    if (descriptor >= 0)
        close(descriptor);
    return code;
}
