/* Compaction: gives the room of removed documents back to the file system, once
 * that is short of it.
 * Knows the bodies' tree as ranges of its keys' first byte; not what stands in
 * it.
 *
 * The library keeps the pages of what was removed for what comes later, and
 * that is right while there is room: compaction moves pages, and logs them. On
 * a full disk nothing comes later before there is more room. */
#include <string.h>

#include "condreq_bdb.h"

#define RANGES 256u
/* Moved at once: a few of these are logged between two checkpoints. */
#define PAGES_A_STEP 64

typedef struct compacting_t {
    bdb_visit_t visit;
    unsigned range;
    /** pages that this step gave back */
    unsigned truncated;
    /** has it looked at the whole range? */
    int complete;
} compacting_t;

/* The last range has no end. */
static int visit_compact(bdb_store_t *store, bdb_visit_t *visit)
{
    compacting_t *compacting = (compacting_t *)visit;
    unsigned char first = (unsigned char)compacting->range;
    unsigned char last = (unsigned char)(compacting->range + 1);
    DBT start = {0}, stop = {0};
    DB_COMPACT work;
    int code;

    memset(&work, 0, sizeof(work));
    work.compact_pages = PAGES_A_STEP;
    work.compact_timeout = (db_timeout_t)store->config.wait_us;
    start.data = &first;
    stop.data = &last;
    start.size = stop.size = 1;
    code = store->bodies->compact(store->bodies, NULL,
                                  compacting->range ? &start : NULL,
                                  compacting->range + 1 < RANGES ? &stop : NULL,
                                  &work, DB_FREE_SPACE, NULL);
    compacting->truncated = work.compact_pages_truncated;
    compacting->complete = work.compact_pages_free < PAGES_A_STEP;
    return code;
}

apr_status_t bdb_compact(condreq_store_t *base, bdb_compaction_t *compaction,
                         condreq_trouble_t *trouble)
{
    bdb_store_t *store = (bdb_store_t *)base;
    compacting_t compacting = {
        {visit_compact, "compacting", ""}, compaction->range, 0, 0};
    apr_uint64_t removals = atomic_load(&store->control->file->removals);
    apr_status_t status;

    if (!bdb_room_is_short(&store->room) ||
        (compaction->range == 0 && compaction->removals == removals) ||
        bdb_logs_are_kept(store))
        return APR_SUCCESS;
    if (compaction->range == 0)
        compaction->removals = removals;
    status = bdb_visit(store, &compacting.visit, trouble);
    if (status != APR_SUCCESS || compacting.complete)
        compaction->range = (compaction->range + 1) % RANGES;
    return status;
}
