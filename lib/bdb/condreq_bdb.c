/* Berkeley DB behind the store's table of functions.
 * Knows which function is which; the header says what each file is about. */
#include "condreq_bdb_copies.h"

const condreq_store_provider_t condreq_store_bdb = {
    .name = "bdb",
    .prepare = bdb_prepare,
    .open = bdb_open,
    .maintain = bdb_maintain,
    .lookup = bdb_lookup,
    .body_read = bdb_body_read,
    .draw = bdb_draw,
    .txn = bdb_txn,
    .get = bdb_get,
    .put = bdb_put,
    .body_get = bdb_body_get,
    .body_put = bdb_body_put,
    .body_remove = bdb_body_remove,
    .has_members = bdb_has_members,
    .collection = bdb_collection,
    .collection_get = bdb_collection_get,
    .below = bdb_below,
    .list = bdb_list,
    .changes = bdb_changes,
    .keep = bdb_keep,
    .has_locks = bdb_has_locks,
    .txn_has_locks = bdb_txn_has_locks,
    .locks_count = bdb_locks_count,
    .locks_scan = bdb_locks_scan,
    .lock_put = bdb_lock_put,
    .lock_remove = bdb_lock_remove,
    .walk = bdb_walk,
    .care = &bdb_care,
};

const condreq_store_care_t bdb_care = {
    bdb_attend,        bdb_leave,  bdb_state,   bdb_verify,
    bdb_verify_backup, bdb_backup, bdb_restore, bdb_salvage,
};
