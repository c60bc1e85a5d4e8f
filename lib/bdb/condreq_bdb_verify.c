/* Verify: is everything as it was written? Pages by their checksums, records
 * and bodies by each other, a backup by its manifest, and, where nobody writes,
 * the trees' structure by the library.
 * Knows where to look; changes nothing.
 *
 * The library gives a whole store up when it meets a damaged page. So pages are
 * looked at first, without it, and if one is damaged nothing is read through
 * it: those who use the store may never need that page. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apr_strings.h"

#include "condreq_bdb_check.h"
#include "condreq_bdb_keeper.h"
#include "condreq_bdb_watch.h"
#include "condreq_occupancy.h"

#define AT_ONCE 64u

void bdb_found(condreq_findings_t *findings, const char *what,
               const char *format, ...)
{
    char sentence[256];
    va_list args;

    va_start(args, format);
    apr_vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    findings->count++;
    findings->found(findings->baton, what, sentence);
}

static int is_tree(const char *name)
{
    size_t length = strlen(name);

    return length > 3 && !strcmp(name + length - 3, ".db");
}

typedef struct verifying_t {
    condreq_findings_t *findings;
    /** and may be at it just now */
    int others_write;
    condreq_trouble_t *trouble;
} verifying_t;

/* ---- pages ---- */

static apr_status_t scan(int descriptor, bdb_page_t *pages, const char *name,
                         const verifying_t *verifying)
{
    apr_uint32_t number = 0, damaged;
    apr_status_t status;
    unsigned got;

    do {
        status = bdb_pages_read(descriptor, number, pages, AT_ONCE,
                                verifying->others_write, &got, &damaged);
        if (status != APR_SUCCESS)
            return status;
        number += got;
        if (damaged == number)
            continue;
        bdb_found(verifying->findings, name, "page %u is damaged", damaged);
        number = damaged + 1;
        got = AT_ONCE;
    } while (got == AT_ONCE);
    return APR_SUCCESS;
}

static apr_status_t scan_tree(void *baton, const char *directory,
                              const char *name, apr_pool_t *pool)
{
    const char *path = apr_pstrcat(pool, directory, "/", name, NULL);
    verifying_t *verifying = baton;
    bdb_page_t *pages;
    apr_status_t status;
    int descriptor;

    if (!is_tree(name))
        return APR_SUCCESS;
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0)
        return condreq_trouble(verifying->trouble, errno, "opening %s", path);
    pages = malloc(AT_ONCE * sizeof(*pages));
    status = pages ? scan(descriptor, pages, name, verifying) : ENOMEM;
    free(pages);
    close(descriptor);
    return status
               ? condreq_trouble(verifying->trouble, status, "reading %s", path)
               : APR_SUCCESS;
}

/* ---- records and bodies ---- */

static apr_status_t on_document(void *baton, const char *key,
                                const condreq_record_t *record,
                                bdb_body_verdict_t verdict)
{
    condreq_findings_t *findings = baton;

    findings->documents++;
    findings->bytes += record->body_length;
    if (verdict == BDB_BODY_MISSING)
        bdb_found(findings, key, "its body is not there, or not all of it");
    if (verdict == BDB_BODY_WRONG)
        bdb_found(findings, key, "its body is not the one that was stored");
    return APR_SUCCESS;
}

static apr_status_t on_unreadable(void *baton, const char *key)
{
    bdb_found(baton, key, "its record cannot be read");
    return APR_SUCCESS;
}

static apr_status_t on_orphan(void *baton, const bdb_body_t *body)
{
    bdb_found(baton, "bodies.db",
              "body %" APR_UINT64_T_FMT
              " belongs to no document: %u chunks, %" APR_UINT64_T_FMT " bytes",
              bdb_read_u64((const unsigned char *)body->name + 4), body->chunks,
              body->bytes);
    return APR_SUCCESS;
}

static apr_status_t check(bdb_store_t *store, condreq_findings_t *findings,
                          condreq_trouble_t *trouble, apr_pool_t *pool)
{
    bdb_check_t told = {findings, 0, on_document, on_unreadable, on_orphan};

    return bdb_check(store, &told, trouble, pool);
}

/* ---- structure ---- */

/* The handle is gone afterwards, whatever comes of it. */
static apr_status_t verify_tree(void *baton, const char *directory,
                                const char *name, apr_pool_t *pool)
{
    const char *path = apr_pstrcat(pool, directory, "/", name, NULL);
    verifying_t *verifying = baton;
    condreq_trouble_t heard;
    DB *tree;
    int code;

    if (!is_tree(name))
        return APR_SUCCESS;
    if ((code = db_create(&tree, NULL, 0)) != 0)
        return bdb_trouble(verifying->trouble, code, NULL, "verifying", path);
    tree->set_errcall(tree, bdb_hear);
    bdb_listen(&heard);
    code = tree->verify(tree, path, NULL, NULL, 0);
    bdb_listen(NULL);
    if (code == DB_VERIFY_BAD)
        bdb_found(verifying->findings, name, "its structure is damaged: %s",
                  heard.sentence);
    else if (code != 0)
        return bdb_trouble(verifying->trouble, code, &heard, "verifying", path);
    return APR_SUCCESS;
}

/* Is it the generation that this process opened, and nobody else's? */
static int is_still(const bdb_store_t *store, apr_pool_t *pool)
{
    int borrowed, still;

    if (condreq_occupancy_borrow(&borrowed, store->config.path))
        return 0;
    still = bdb_control_generation(store->config.path, pool) ==
                store->places.generation &&
            !bdb_watch_anybody(store->control, BDB_WORKER) &&
            !bdb_watch_anybody(store->control, BDB_VISITOR);
    close(borrowed);
    return still;
}

/* What was found while others came and wrote is no finding. */
static apr_status_t verify_still_trees(bdb_store_t *store, const char *data,
                                       condreq_findings_t *findings,
                                       condreq_trouble_t *trouble,
                                       apr_pool_t *pool)
{
    condreq_findings_t until_sure = *findings;
    verifying_t verifying = {&until_sure, 0, trouble};
    apr_status_t status = APR_SUCCESS;

    if (is_still(store, pool))
        status = bdb_files_each(data, verify_tree, &verifying, trouble, pool);
    if (status == APR_SUCCESS && is_still(store, pool))
        *findings = until_sure;
    else if (status == APR_SUCCESS)
        findings->note(findings->baton,
                       "the store is in use: the structure of its trees can be "
                       "verified in a backup");
    return status;
}

apr_status_t bdb_verify(condreq_store_t *base, condreq_findings_t *findings,
                        condreq_trouble_t *trouble, apr_pool_t *pool)
{
    bdb_store_t *store = (bdb_store_t *)base;
    verifying_t verifying = {findings, 1, trouble};
    bdb_places_t places;
    apr_status_t status;

    if ((status =
             bdb_places_find(&places, store->config.path, trouble, pool)) ||
        (status =
             bdb_files_each(places.data, scan_tree, &verifying, trouble, pool)))
        return status;
    if (findings->count > 0) {
        findings->note(findings->baton, "no document was read, since pages are "
                                        "damaged: salvage does that");
        return APR_SUCCESS;
    }
    status = check(store, findings, trouble, pool);
    return status ? status
                  : verify_still_trees(store, places.data, findings, trouble,
                                       pool);
}

/* ---- a backup ---- */

static int tree_open_only_to_read(DB **tree, const char *data, const char *name,
                                  apr_pool_t *pool)
{
    int code = db_create(tree, NULL, 0);

    if (code != 0)
        return code;
    (*tree)->set_errcall(*tree, bdb_hear);
    return (*tree)->open(*tree, NULL, apr_pstrcat(pool, data, "/", name, NULL),
                         NULL, DB_BTREE, DB_RDONLY, 0);
}

static apr_status_t check_backup(const char *data, condreq_findings_t *findings,
                                 condreq_trouble_t *trouble, apr_pool_t *pool)
{
    bdb_store_t *store = apr_pcalloc(pool, sizeof(*store));
    condreq_trouble_t heard;
    apr_status_t status;
    int code;

    store->base.provider = &condreq_store_bdb;
    bdb_listen(&heard);
    if ((code = tree_open_only_to_read(&store->versions, data, "versions.db",
                                       pool)) == 0 &&
        (code = tree_open_only_to_read(&store->bodies, data, "bodies.db",
                                       pool)) == 0 &&
        (code = tree_open_only_to_read(&store->counters, data, "counters.db",
                                       pool)) == 0)
        code = bdb_format_check(store);
    bdb_listen(NULL);
    status = code ? bdb_trouble(trouble, code, &heard, "opening", data)
                  : check(store, findings, trouble, pool);
    if (store->versions)
        store->versions->close(store->versions, DB_NOSYNC);
    if (store->bodies)
        store->bodies->close(store->bodies, DB_NOSYNC);
    if (store->counters)
        store->counters->close(store->counters, DB_NOSYNC);
    return status;
}

apr_status_t bdb_verify_backup(const char *directory,
                               condreq_findings_t *findings,
                               condreq_trouble_t *trouble, apr_pool_t *pool)
{
    const char *data = apr_pstrcat(pool, directory, "/data", NULL);
    verifying_t verifying = {findings, 0, trouble};
    condreq_backup_t backup = {0, 0, 0, 0};
    apr_status_t status;

    if ((status =
             bdb_manifest_check(directory, &backup, findings, trouble, pool)) ||
        (status = bdb_files_each(data, scan_tree, &verifying, trouble, pool)))
        return status;
    if (findings->count > 0)
        return APR_SUCCESS;
    status = bdb_files_each(data, verify_tree, &verifying, trouble, pool);
    return status || findings->count > 0
               ? status
               : check_backup(data, findings, trouble, pool);
}
