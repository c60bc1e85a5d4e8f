/* Berkeley DB behind the store's table of functions.
 * Knows which function is which; the header says what each file is about. */
#include "condreq_bdb_copies.h"

const condreq_store_provider_t condreq_store_bdb = {
    "bdb",         bdb_prepare,  bdb_open,        bdb_maintain,    bdb_lookup,
    bdb_body_read, bdb_draw,     bdb_txn,         bdb_get,         bdb_put,
    bdb_body_get,  bdb_body_put, bdb_body_remove, bdb_has_members, bdb_walk,
    bdb_keep,      &bdb_care,
};

const condreq_store_care_t bdb_care = {
    bdb_attend,        bdb_leave,  bdb_state,   bdb_verify,
    bdb_verify_backup, bdb_backup, bdb_restore, bdb_salvage,
};
