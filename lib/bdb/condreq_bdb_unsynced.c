/* Unsynced commits: the note that there are some, and of which run of the
 * kernel they are.
 * Knows one file; no library call. A kernel that is no longer that one took
 * what it had not written with it: nobody can say how much, so what is found
 * counts as an old state. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "apr_strings.h"

#include "condreq_bdb.h"

static const char *note_name(const char *path, apr_pool_t *pool)
{
    return apr_pstrcat(pool, path, "/unsynced", NULL);
}

/* @return is there a note? */
static int note_read(char boot[BDB_BOOT_SIZE], const char *path,
                     apr_pool_t *pool)
{
    int descriptor =
        open(note_name(path, pool), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t got;

    memset(boot, 0, BDB_BOOT_SIZE);
    if (descriptor < 0)
        return errno != ENOENT;
    got = read(descriptor, boot, BDB_BOOT_SIZE);
    (void)got;
    close(descriptor);
    return 1;
}

/* @return is there a note of this run of the kernel? */
static int is_noted(const char *path, apr_pool_t *pool)
{
    char boot[BDB_BOOT_SIZE], noted[BDB_BOOT_SIZE];

    bdb_boot_read(boot);
    return note_read(noted, path, pool) && !memcmp(boot, noted, sizeof(boot));
}

/* A note that cannot be read, or was cut short, is of another run. */
int bdb_unsynced_lost(const char *path, apr_pool_t *pool)
{
    char noted[BDB_BOOT_SIZE];

    return note_read(noted, path, pool) && !is_noted(path, pool);
}

static int note_write(const char *name)
{
    int descriptor =
        open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    char boot[BDB_BOOT_SIZE];
    int written;

    if (descriptor < 0)
        return 0;
    bdb_boot_read(boot);
    written = write(descriptor, boot, sizeof(boot)) == sizeof(boot) &&
              fsync(descriptor) == 0;
    close(descriptor);
    return written;
}

/* Two that write it at once write the same. */
apr_status_t bdb_unsynced_mark(const char *path, condreq_trouble_t *trouble,
                               apr_pool_t *pool)
{
    const char *name = note_name(path, pool);

    if (is_noted(path, pool) || (note_write(name) && bdb_directory_sync(path)))
        return APR_SUCCESS;
    return condreq_trouble(trouble, errno, "writing %s", name);
}

void bdb_unsynced_clear(const char *path, apr_pool_t *pool)
{
    if (unlink(note_name(path, pool)) == 0)
        bdb_directory_sync(path);
}
