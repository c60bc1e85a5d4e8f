/* The index held against the version map, said line by line.
 * Knows lib/bdb's check; judges nothing. */
#include <stdio.h>

#include "bdb/condreq_bdb_index_check.h"
#include "index_check.h"

#define FAULTS_SAID 10

static void say(void *baton, const char *what, const char *sentence)
{
    unsigned *said = baton;

    if ((*said)++ < FAULTS_SAID)
        printf("# index: %s: %s\n", what, sentence);
}

apr_status_t index_check(condreq_store_t *store, index_census_t *census,
                         condreq_trouble_t *trouble, apr_pool_t *pool)
{
    unsigned said = 0;
    condreq_findings_t findings = {&said, say, NULL, 0, 0, 0};
    bdb_index_check_t check = {&findings, 0, 0, 0, NULL};
    apr_status_t status =
        bdb_index_check((bdb_store_t *)store, &check, trouble, pool);

    if (status != APR_SUCCESS)
        return status;
    bdb_index_check_collections(&check);
    census->records = (unsigned)check.records;
    census->live = (unsigned)check.live;
    census->stale = (unsigned)check.stale;
    census->faults = (unsigned)findings.count;
    return APR_SUCCESS;
}
