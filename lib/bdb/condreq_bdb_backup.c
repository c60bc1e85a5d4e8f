/* Backup: a copy of a store that is in use, of one moment.
 * Knows the order in which a copy has to be made (Berkeley DB's "hot backup"):
 * the pages first, then the log up to the moment, then a recovery of the copy
 * with all of that log.
 *
 * A page is as it was at some time since the backup began, which is why its
 * checksum is looked at and not its neighbours. Whatever was not yet in it then
 * is in the log, of which nothing is removed meanwhile. The moment is the
 * log's end once the last page was copied; what comes after it is cut off.
 * Nothing but asking for that end happens inside the library: a backup that is
 * killed, or whose store is recovered meanwhile, disturbs nobody. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apr_strings.h"

#include "condreq_bdb_copies.h"
#include "condreq_bdb_fault.h"

/* ---- the moment ---- */

typedef struct moment_t {
    bdb_visit_t visit;
    apr_time_t time_us;
    /** the log's end: in which of its files, and where */
    apr_uint32_t file;
    apr_uint32_t offset;
} moment_t;

/* First the end, then the flush: all before that end is then on the disk. */
static int visit_moment(bdb_store_t *store, bdb_visit_t *visit)
{
    moment_t *moment = (moment_t *)visit;
    DB_LOG_STAT *log;
    int code;

    moment->time_us = apr_time_now();
    if ((code = store->env->log_stat(store->env, &log, 0)) != 0)
        return code;
    moment->file = log->st_cur_file;
    moment->offset = log->st_cur_offset;
    free(log);
    return store->env->log_flush(store->env, NULL);
}

/* ---- copying ---- */

typedef struct backing_up_t {
    const char *directory;
    const moment_t *moment;
    condreq_trouble_t *trouble;
} backing_up_t;

static apr_status_t copy_tree(void *baton, const char *directory,
                              const char *name, apr_pool_t *pool)
{
    backing_up_t *backing_up = baton;

    if (strlen(name) < 3 || strcmp(name + strlen(name) - 3, ".db") != 0)
        return APR_SUCCESS;
    return bdb_file_copy_pages(
        apr_pstrcat(pool, directory, "/", name, NULL),
        apr_pstrcat(pool, backing_up->directory, "/data/", name, NULL),
        backing_up->trouble);
}

/* The one that the moment is in may be there or not, if it is at its start. */
static apr_status_t copy_log(void *baton, const char *directory,
                             const char *name, apr_pool_t *pool)
{
    backing_up_t *backing_up = baton;
    unsigned number;

    if (sscanf(name, "log.%10u", &number) != 1 ||
        number > backing_up->moment->file)
        return APR_SUCCESS;
    return bdb_file_copy(
        apr_pstrcat(pool, directory, "/", name, NULL),
        apr_pstrcat(pool, backing_up->directory, "/log/", name, NULL),
        number == backing_up->moment->file ? backing_up->moment->offset
                                           : ~(apr_uint64_t)0,
        backing_up->trouble);
}

static apr_status_t copy_all(bdb_store_t *store, backing_up_t *backing_up,
                             moment_t *moment, apr_pool_t *pool)
{
    condreq_trouble_t *trouble = backing_up->trouble;
    bdb_places_t places;
    apr_status_t status;

    if ((status =
             bdb_places_find(&places, store->config.path, trouble, pool)) ||
        (status =
             bdb_files_each(places.data, copy_tree, backing_up, trouble, pool)))
        return status;
    CONDREQ_FAULT("backup between pages and log");
    if ((status = bdb_visit(store, &moment->visit, trouble)))
        return status;
    return bdb_files_each(places.log, copy_log, backing_up, trouble, pool);
}

/* ---- the copy, in order ---- */

static apr_status_t recover_copy(const char *directory,
                                 condreq_trouble_t *trouble, apr_pool_t *pool)
{
    bdb_store_t *copy = apr_pcalloc(pool, sizeof(*copy));
    condreq_trouble_t heard;
    int code;

    bdb_listen(&heard);
    code = bdb_alone_open(copy, directory, DB_RECOVER_FATAL);
    code = bdb_alone_close(copy, code);
    bdb_listen(NULL);
    if (code != 0)
        return bdb_trouble(trouble, code, &heard,
                           "bringing the copy in order:", directory);
    return APR_SUCCESS;
}

/* Half a copy is good for nothing, and may be what fills the disk. */
static void give_up(const char *unfinished, apr_pool_t *pool)
{
    bdb_copy_remove(unfinished, pool);
    rmdir(unfinished);
}

/* In order before it is where a store's files are: what was not finished must not
 * be taken for a store. */
static apr_status_t make_copy(bdb_store_t *store, const char *unfinished,
                              moment_t *moment, condreq_trouble_t *trouble,
                              apr_pool_t *pool)
{
    backing_up_t backing_up = {unfinished, moment, trouble};
    apr_status_t status;
    int lease;

    give_up(unfinished, pool);
    if (mkdir(unfinished, 0700) != 0)
        return condreq_trouble(trouble, errno, "making %s", unfinished);
    if ((status = bdb_copy_make(unfinished, trouble, pool)) ||
        (status = bdb_logs_keep(&lease, store->config.path, trouble, pool)))
        return status;
    status = copy_all(store, &backing_up, moment, pool);
    close(lease);
    CONDREQ_FAULT("backup before its recovery");
    return status ? status : recover_copy(unfinished, trouble, pool);
}

apr_status_t bdb_backup(condreq_store_t *base, const char *directory,
                        condreq_backup_t *made, condreq_trouble_t *trouble,
                        apr_pool_t *pool)
{
    const char *unfinished = apr_pstrcat(pool, directory, "/unfinished", NULL);
    moment_t moment = {{visit_moment, "asking for the log's end", ""}, 0, 0, 0};
    apr_status_t status =
        make_copy((bdb_store_t *)base, unfinished, &moment, trouble, pool);

    if (status == APR_SUCCESS)
        status = bdb_copy_move(unfinished, directory, trouble, pool);
    if (status != APR_SUCCESS) {
        give_up(unfinished, pool);
        return status;
    }
    memset(made, 0, sizeof(*made));
    made->moment = moment.time_us;
    made->incarnation = base->incarnation;
    return bdb_manifest_write(directory, made, trouble, pool);
}
