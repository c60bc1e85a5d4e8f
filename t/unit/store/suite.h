/* One suite for every store: each promise of condreq_store.h is a row.
 * Knows the provider's table and nothing of what is behind it. */
#ifndef CONDREQ_STORE_SUITE_H
#define CONDREQ_STORE_SUITE_H

#include "condreq_store.h"

typedef struct store_suite_t {
    const condreq_store_provider_t *provider;
    /** a directory that the suite may fill; paths of stores lie below it */
    const char *directory;
    /** several processes may have one store open */
    int processes;
} store_suite_t;

/** Runs the suite and says the plan. @return what main returns */
int store_suite(const store_suite_t *suite);

/** A configuration as the suite uses it, for a store of this name. */
condreq_store_config_t suite_config(const store_suite_t *suite,
                                    const char *name, apr_pool_t *pool);

#endif
