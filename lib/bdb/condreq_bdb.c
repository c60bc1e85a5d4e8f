/* Berkeley DB behind the store's table of functions.
 * Knows which function is which; the header says what each file is about. */
#include "condreq_bdb.h"

const condreq_store_provider_t condreq_store_bdb = {
    "bdb",         bdb_prepare,  bdb_open,        bdb_maintain,    bdb_lookup,
    bdb_body_read, bdb_draw,     bdb_txn,         bdb_get,         bdb_put,
    bdb_body_get,  bdb_body_put, bdb_body_remove, bdb_has_members, bdb_keep,
};
