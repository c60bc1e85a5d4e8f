/* Does the index of a Berkeley DB store say what its version map says? */
#ifndef CONDREQ_STORE_INDEX_CHECK_H
#define CONDREQ_STORE_INDEX_CHECK_H

#include "condreq_store.h"

/** What an index was found to hold. */
typedef struct index_census_t {
    unsigned records;
    unsigned live;
    /** entries of the log that a later change has replaced */
    unsigned stale;
    /** claims of the index that the version map does not bear out, or that it
     * lacks; each is said on standard output, the first ones in words */
    unsigned faults;
} index_census_t;

/** Counts, while nobody else has the store open. @return the store's statuses */
apr_status_t index_check(condreq_store_t *store, index_census_t *census,
                         condreq_trouble_t *trouble, apr_pool_t *pool);

#endif
