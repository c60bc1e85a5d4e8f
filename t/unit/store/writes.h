/* The writes that the suite is made of.
 * Knows how a handler uses a store: get, decide, put; no TAP. */
#ifndef CONDREQ_STORE_WRITES_H
#define CONDREQ_STORE_WRITES_H

#include "condreq_store.h"

/** No condition: whatever version is there. */
#define ANY_VERSION (~(apr_uint64_t)0)

typedef struct write_t {
    const char *key;
    /** the version that has to be there: 0 for none, or ANY_VERSION */
    apr_uint64_t expected;
    condreq_state_t state;
    const char *body;
    apr_size_t length;
    /** what the transaction's body returns at its end */
    apr_status_t outcome;
    /** set on each run */
    condreq_record_t before;
    condreq_record_t after;
    /** the condition held */
    int performed;
} write_t;

/** A new version in one transaction, if the condition holds. */
apr_status_t write_run(condreq_store_t *store, write_t *write,
                       condreq_trouble_t *trouble, apr_pool_t *pool);

/** write_run() without a condition, of a document with this body. */
apr_status_t write_document(condreq_store_t *store, const char *key,
                            const char *body, apr_size_t length,
                            apr_pool_t *pool);

/** As write_document(), a tombstone. */
apr_status_t write_tombstone(condreq_store_t *store, const char *key,
                             apr_pool_t *pool);

condreq_record_t record_of(condreq_store_t *store, const char *key,
                           apr_pool_t *pool);

/** Bytes that no other seed gives, at any length. */
void pattern_fill(char *bytes, apr_size_t length, apr_uint64_t seed);
int pattern_holds(const char *bytes, apr_size_t length, apr_uint64_t seed);

#endif
