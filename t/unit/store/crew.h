/* A crew: workers on one store at once, as threads of this process, or as
 * threads of several where the store allows it.
 * Knows threads, processes and what they share; no TAP, no promise. */
#ifndef CONDREQ_STORE_CREW_H
#define CONDREQ_STORE_CREW_H

#include <pthread.h>

#include "suite.h"

#define CREW_WORKERS 8
#define CREW_PROCESSES 2

/** What all workers see; lies in memory that processes share. */
typedef struct crew_board_t {
    pthread_barrier_t barrier;
    /** calls that gave a status nobody expected */
    int troubles[CREW_WORKERS];
    /** the workers' results, as each race uses them */
    apr_uint64_t results[CREW_WORKERS][512];
} crew_board_t;

typedef struct crew_worker_t {
    condreq_store_t *store;
    crew_board_t *board;
    int number;
    apr_pool_t *pool;
} crew_worker_t;

/** Prepares and opens; says why not and returns NULL. */
condreq_store_t *crew_open(const store_suite_t *suite, const char *name,
                           apr_pool_t *pool);

/** Prepares a store, apart from this process where that is possible. */
int crew_prepare(const store_suite_t *suite, const char *name,
                 apr_pool_t *pool);

/** Opens a store that is prepared. */
condreq_store_t *crew_join(const store_suite_t *suite, const char *name,
                           apr_pool_t *pool);

/** Sets CREW_WORKERS to work on a fresh store of this name, and waits.
 * @return what they left, from the pool; NULL if a process died */
crew_board_t *crew_run(const store_suite_t *suite, const char *name,
                       void (*work)(crew_worker_t *worker), apr_pool_t *pool);

/** A worker met a status that it should not have. */
void crew_trouble(crew_worker_t *worker, apr_status_t status,
                  const condreq_trouble_t *trouble);

/** Runs in a process of its own that ends without any cleaning up, or here
 * where there can be only one. @return what it returned, or -1 */
int crew_apart(const store_suite_t *suite, int (*run)(void *baton),
               void *baton);

/** How many troubles there were. */
int crew_troubles(const crew_board_t *board);

#endif
