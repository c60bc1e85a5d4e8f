/* Kills: all processes of a store ended at once, and what is there then.
 * For stores that several processes may have open. */
#ifndef CONDREQ_STORE_KILLS_H
#define CONDREQ_STORE_KILLS_H

#include "suite.h"

#define KILL_PROCESSES 3
#define KILL_DOCUMENTS 20
#define KILL_ROUNDS 5

/** Processes that have written and wait are killed, and the store prepared
 * again. @return documents that are there, whole, of the
 * KILL_PROCESSES * KILL_DOCUMENTS; -1 where the store does not open */
int kill_between_transactions(const store_suite_t *suite, apr_pool_t *pool);

/** Processes are killed wherever they are, KILL_ROUNDS times.
 * @return documents that were not as the last acknowledged write or the one
 * begun after it left them; -1 where the store does not open */
int kill_anywhere(const store_suite_t *suite, apr_pool_t *pool);

#endif
