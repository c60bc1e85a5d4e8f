/* What a check of all records and bodies tells. Private to condreq_bdb_check.c,
 * verify and salvage. */
#ifndef CONDREQ_BDB_CHECK_H
#define CONDREQ_BDB_CHECK_H

#include "condreq_bdb_copies.h"

typedef enum bdb_body_verdict_t {
    BDB_BODY_WHOLE,
    /** all or a part of it is not there */
    BDB_BODY_MISSING,
    /** its SHA-256 is not the record's */
    BDB_BODY_WRONG
} bdb_body_verdict_t;

/** Bytes that name a body: its key's hash, and its id. */
#define BDB_BODY_NAME_SIZE 12

typedef struct bdb_body_t {
    char name[BDB_BODY_NAME_SIZE];
    /** the first that is there */
    apr_uint32_t first_chunk;
    apr_uint32_t chunks;
    apr_uint64_t bytes;
    /** a record names it */
    int claimed;
} bdb_body_t;

/** The key of one of a body's chunks. */
void bdb_body_chunk_key(unsigned char key[BDB_CHUNK_KEY_SIZE],
                        const bdb_body_t *body, apr_uint32_t chunk);

/** Each returns APR_SUCCESS to go on, and may write to the store only where
 * nobody else has it. */
typedef struct bdb_check_t {
    void *baton;
    /** a record whose body is not whole has none: what is left of that belongs
     * to nobody */
    int gives_up;
    /** each live document */
    apr_status_t (*document)(void *baton, const char *key,
                             const condreq_record_t *record,
                             bdb_body_verdict_t verdict);
    /** a key whose record cannot be read */
    apr_status_t (*unreadable)(void *baton, const char *key);
    /** a body, or chunks of one, that no record names */
    apr_status_t (*orphan)(void *baton, const bdb_body_t *body);
} bdb_check_t;

/** Looks at all records and bodies of a store. */
apr_status_t bdb_check(bdb_store_t *store, const bdb_check_t *check,
                       condreq_trouble_t *trouble, apr_pool_t *pool);

#endif
