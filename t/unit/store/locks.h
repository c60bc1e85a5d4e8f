/* Locks in a store: the suite's rows about them. */
#ifndef CONDREQ_STORE_LOCKS_H
#define CONDREQ_STORE_LOCKS_H

#include "suite.h"

/** What is stored, shown, counted and removed. */
void test_locks(condreq_store_t *store, apr_pool_t *pool);

/** What eight workers do at once. */
void test_lock_races(const store_suite_t *suite, apr_pool_t *pool);

/** What outlives a process that ends. */
void test_locks_kept(const store_suite_t *suite, apr_pool_t *pool);

#endif
