/* What a check of the index tells. Private to lib/bdb, and to tests. */
#ifndef CONDREQ_BDB_INDEX_CHECK_H
#define CONDREQ_BDB_INDEX_CHECK_H

#include "apr_hash.h"

#include "condreq_bdb_index.h"

/** A check of an index, and what it counts. */
typedef struct bdb_index_check_t {
    /** told of each claim of the index that the version map does not bear out,
     * and of each that it lacks */
    condreq_findings_t *findings;
    apr_uint64_t records;
    apr_uint64_t live;
    /** entries of the log that a later change has replaced */
    apr_uint64_t stale;
    /** from the pool: each collection, as the two know it */
    apr_hash_t *collections;
} bdb_index_check_t;

/**
 * Holds each record against its entries of the index, and each entry against
 * its record. Others may write meanwhile.
 * @param check  its findings are set; the rest is set here
 * @return the store's statuses
 */
apr_status_t bdb_index_check(bdb_store_t *store, bdb_index_check_t *check,
                             condreq_trouble_t *trouble, apr_pool_t *pool);

/** Holds what both know of collections against each other. It tells something
 * only where nobody wrote while bdb_index_check() counted. */
void bdb_index_check_collections(const bdb_index_check_t *check);

#endif
