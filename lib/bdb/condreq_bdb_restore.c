/* Restore: a backup put in the place of a store, and what was there kept.
 * Knows directories, and that two of them cannot be exchanged at once.
 *
 * The copy is made and brought in order in PATH/restoring, and then renamed to
 * PATH/restored: from then on it is what the store is going to be. Its parts
 * change places with the store's, one by one; whoever prepares the store, this
 * process or a server's, begins with finishing that. What was there ends as
 * PATH/replaced-N. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apr_strings.h"

#include "condreq_bdb_copies.h"
#include "condreq_bdb_fault.h"
#include "condreq_bdb_keeper.h"
#include "condreq_occupancy.h"

static const char *const parts[] = {"data", "log"};
#define PARTS 2
#define KEEPER_ENDS_WITHIN_US APR_USEC_PER_SEC

static const char *below(const char *directory, const char *name,
                         apr_pool_t *pool)
{
    return apr_pstrcat(pool, directory, "/", name, NULL);
}

static int exists(const char *name)
{
    struct stat found;

    return lstat(name, &found) == 0;
}

/* ---- nobody there ---- */

void bdb_store_release(int locks[BDB_STORE_LOCKS])
{
    int i;

    for (i = BDB_STORE_LOCKS - 1; i >= 0; i--)
        if (locks[i] >= 0)
            close(locks[i]);
}

static apr_status_t seize(int locks[BDB_STORE_LOCKS], const char *path,
                          condreq_trouble_t *trouble, apr_pool_t *pool)
{
    apr_status_t status;

    if ((status = condreq_occupancy_borrow(&locks[0], path)))
        return condreq_trouble(
            trouble, status, "taking the store in %s, which a server may have",
            path);
    if ((status = condreq_occupancy_empty(&locks[1], path, 0)))
        return condreq_trouble(trouble, status, "taking the store in %s", path);
    status =
        bdb_keeper_lock(&locks[2], path, KEEPER_ENDS_WITHIN_US, trouble, pool);
    if (status == APR_TIMEUP)
        return condreq_trouble(trouble, EBUSY, "taking the store in %s", path);
    return status;
}

apr_status_t bdb_store_seize(int locks[BDB_STORE_LOCKS], const char *path,
                             condreq_trouble_t *trouble, apr_pool_t *pool)
{
    apr_status_t status;
    int i;

    for (i = 0; i < BDB_STORE_LOCKS; i++)
        locks[i] = -1;
    status = seize(locks, path, trouble, pool);
    if (status != APR_SUCCESS)
        bdb_store_release(locks);
    return status;
}

/* ---- changing places ---- */

/* Each step leaves a state from which the next one is known. */
static int change_part(const char *path, const char *restored,
                       const char *replaced, const char *part, apr_pool_t *pool)
{
    const char *here = below(path, part, pool);
    const char *next = below(restored, part, pool);

    if (!exists(next))
        return 1;
    if (exists(here) && rename(here, below(replaced, part, pool)) != 0)
        return 0;
    CONDREQ_FAULT("restore between renames");
    return rename(next, here) == 0;
}

static const char *unused_name(const char *path, apr_pool_t *pool)
{
    const char *name;
    unsigned number = 1;

    do
        name = apr_psprintf(pool, "%s/replaced-%u", path, number++);
    while (exists(name));
    return name;
}

static int change_places(const char *path, const char *restored,
                         const char **kept, apr_pool_t *pool)
{
    const char *replaced = below(restored, "replaced", pool);
    int i;

    if (mkdir(replaced, 0700) != 0 && errno != EEXIST)
        return 0;
    for (i = 0; i < PARTS; i++)
        if (!change_part(path, restored, replaced, parts[i], pool))
            return 0;
    *kept = NULL;
    if (rmdir(replaced) != 0) {
        *kept = unused_name(path, pool);
        if (rename(replaced, *kept) != 0)
            return 0;
    }
    return rmdir(restored) == 0 && bdb_directory_sync(path);
}

apr_status_t bdb_restore_finish(const char *path, const char **kept,
                                condreq_trouble_t *trouble, apr_pool_t *pool)
{
    const char *restored = below(path, "restored", pool);

    *kept = NULL;
    if (!exists(restored) || change_places(path, restored, kept, pool))
        return APR_SUCCESS;
    return condreq_trouble(trouble, errno, "putting %s in its place", restored);
}

/* ---- the copy ---- */

typedef struct staging_t {
    const char *to;
    condreq_trouble_t *trouble;
} staging_t;

static apr_status_t copy_file(void *baton, const char *directory,
                              const char *name, apr_pool_t *pool)
{
    const staging_t *staging = baton;

    return bdb_file_copy(below(directory, name, pool),
                         below(staging->to, name, pool), ~(apr_uint64_t)0,
                         staging->trouble);
}

static apr_status_t copy_parts(const char *directory, const char *to,
                               condreq_trouble_t *trouble, apr_pool_t *pool)
{
    apr_status_t status = bdb_copy_make(to, trouble, pool);
    staging_t staging = {NULL, trouble};
    int i;

    for (i = 0; i < PARTS && status == APR_SUCCESS; i++) {
        staging.to = below(to, parts[i], pool);
        status = bdb_files_each(below(directory, parts[i], pool), copy_file,
                                &staging, trouble, pool);
        if (status == APR_SUCCESS && !bdb_directory_sync(staging.to))
            status = condreq_trouble(trouble, errno, "writing %s", staging.to);
    }
    return status;
}

/* Tags that were handed out since the backup must not come again. */
static apr_status_t begin_incarnation(const char *staged, apr_uint64_t at_least,
                                      apr_uint64_t *incarnation,
                                      condreq_trouble_t *trouble,
                                      apr_pool_t *pool)
{
    bdb_store_t *copy = apr_pcalloc(pool, sizeof(*copy));
    condreq_trouble_t heard;
    int code;

    bdb_listen(&heard);
    if ((code = bdb_alone_open(copy, staged, DB_RECOVER)) == 0 &&
        (code = bdb_incarnation_begin(copy, at_least)) == 0)
        code = bdb_incarnation(copy, incarnation);
    code = bdb_alone_close(copy, code);
    bdb_listen(NULL);
    if (code != 0)
        return bdb_trouble(trouble, code, &heard, "beginning an incarnation in",
                           staged);
    return APR_SUCCESS;
}

static apr_status_t make_staged(const char *directory, const char *path,
                                const char *staged, condreq_backup_t *restored,
                                condreq_trouble_t *trouble, apr_pool_t *pool)
{
    apr_status_t status = copy_parts(directory, staged, trouble, pool);
    apr_uint64_t next;

    if (status != APR_SUCCESS)
        return status;
    next = bdb_incarnation_next(path, directory, restored->incarnation, pool);
    if ((status = begin_incarnation(staged, next, &restored->incarnation,
                                    trouble, pool)))
        return status;
    CONDREQ_FAULT("restore before it counts");
    if (rename(staged, below(path, "restored", pool)) != 0 ||
        !bdb_directory_sync(path))
        return condreq_trouble(trouble, errno, "renaming %s", staged);
    return APR_SUCCESS;
}

/* What an earlier one left that was killed goes first; and so does what this
 * one leaves, should it fail. */
static apr_status_t stage(const char *directory, const char *path,
                          condreq_backup_t *restored,
                          condreq_trouble_t *trouble, apr_pool_t *pool)
{
    const char *staged = below(path, "restoring", pool);
    apr_status_t status;

    bdb_copy_remove(staged, pool);
    if (mkdir(staged, 0700) != 0 && errno != EEXIST)
        return condreq_trouble(trouble, errno, "making %s", staged);
    status = make_staged(directory, path, staged, restored, trouble, pool);
    if (status != APR_SUCCESS) {
        bdb_copy_remove(staged, pool);
        rmdir(staged);
    }
    return status;
}

/* What an earlier one that was killed had decided is done first, so that what
 * it brought is what this one replaces. */
static apr_status_t restore_alone(const char *path, const char *directory,
                                  condreq_backup_t *restored, const char **kept,
                                  condreq_trouble_t *trouble, apr_pool_t *pool)
{
    apr_status_t status;

    if ((status =
             bdb_manifest_check(directory, restored, NULL, trouble, pool)) ||
        (status = bdb_restore_finish(path, kept, trouble, pool)) ||
        (status = stage(directory, path, restored, trouble, pool)))
        return status;
    return bdb_restore_finish(path, kept, trouble, pool);
}

apr_status_t bdb_restore(const char *path, const char *directory,
                         condreq_backup_t *restored, const char **kept,
                         condreq_trouble_t *trouble, apr_pool_t *pool)
{
    int locks[BDB_STORE_LOCKS];
    apr_status_t status;

    if ((status = bdb_store_seize(locks, path, trouble, pool)))
        return status;
    status = restore_alone(path, directory, restored, kept, trouble, pool);
    bdb_store_release(locks);
    return status;
}
