/* What every store promises of collections: listings, changes, states.
 * Knows the provider's table and nothing of what is behind it. */
#ifndef CONDREQ_STORE_COLLECTIONS_H
#define CONDREQ_STORE_COLLECTIONS_H

#include "suite.h"

/** Rows of one store that nobody else has open. */
void test_collections(condreq_store_t *store, apr_pool_t *pool);

/** Rows of stores that many write to. */
void test_collections_together(const store_suite_t *suite, apr_pool_t *pool);

#endif
