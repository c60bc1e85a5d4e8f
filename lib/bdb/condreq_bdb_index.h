/* The tree index.db: what is told of documents by other things than their
 * key. Private to lib/bdb.
 *
 * Its keys begin with a shard. Shards 0 to 63 belong to writers: each
 * transaction that writes takes one that no other has, so no two of them meet
 * on a page, and all of them share one flush. Such a shard has
 *   'c' and a collection's key: what the shard's writers did below it
 *   'l' and a number: the log, one change of a document an entry
 * and, before these, fences: records of such a size that no page belongs to
 * two shards. Shards 64 to 127 belong to documents, by the hash of their keys:
 *   a collection's key and a member's place in it.
 * All of it follows from the version map, and is written in the transaction
 * that writes there; but of a document's changes the log has the last alone,
 * once the sweep has been there. */
#ifndef CONDREQ_BDB_INDEX_H
#define CONDREQ_BDB_INDEX_H

#include "condreq_bdb.h"

#define BDB_SHARDS 64u
#define BDB_INDEX_COLLECTION 'c'
#define BDB_INDEX_LOG 'l'

/** A key of the index, built or met. */
typedef struct bdb_index_key_t {
    DBT dbt;
    unsigned char bytes[2 + CONDREQ_KEY_MAX + 3];
} bdb_index_key_t;

/** Starts a key with a shard.
 * @param kind  the second byte, or 0 where there is none */
void bdb_index_key(bdb_index_key_t *key, unsigned shard, char kind);

/** Adds to it. @return 0, or EINVAL where it has no room */
int bdb_index_key_add(bdb_index_key_t *key, const void *bytes,
                      apr_size_t length);

/** Inside: the first entry from a key on. It holds no lock afterwards but a
 * transaction's.
 * @param txn    NULL: as last committed
 * @param key    becomes that entry's
 * @param value  is set up by the caller
 * @return also DB_NOTFOUND */
int bdb_index_seek(bdb_store_t *store, DB_TXN *txn, bdb_index_key_t *key,
                   DBT *value);

/** Inside: makes the fences, where there is no index yet. */
int bdb_index_make(bdb_store_t *store, DB_TXN *txn);

/**
 * Inside: notes a change of a record, just before it is written.
 * @param shard   a writers' shard; best one that nobody else has now
 * @param before  what was there
 * @param after   what is written; its change is set
 */
int bdb_index_write(bdb_store_t *store, DB_TXN *txn, unsigned shard,
                    const char *key, const condreq_record_t *before,
                    condreq_record_t *after);

/* Numbers of changes are microseconds of a clock that no two changes share
 * and that never goes back, whatever the system's does. */

/** A number for a change; nobody gets a smaller one after this. */
apr_uint64_t bdb_change_number(bdb_store_t *store);

/** A number that all changes made later are above, and so is now_us. */
apr_uint64_t bdb_change_now(bdb_store_t *store, apr_time_t now_us);

/** Inside: sees that numbers go on behind those that the log has. */
int bdb_changes_resume(bdb_store_t *store);

/** Where a record finds its change in the log. */
apr_uint64_t bdb_change_place(apr_uint64_t number, unsigned shard);

/** Inside: adds to the log. */
int bdb_log_write(bdb_store_t *store, DB_TXN *txn, apr_uint64_t place,
                  apr_uint64_t replaces, const char *key);

/** Inside: takes from the log what later changes have replaced. */
int bdb_log_sweep(bdb_store_t *store);

/* Collections. */

/** What a shard knows of a collection. */
typedef struct bdb_tally_t {
    apr_uint64_t versions;
    /** of the last change */
    apr_uint64_t number;
    /** documents that came, less those that went; below 0 where others' went */
    apr_int64_t documents;
} bdb_tally_t;

/** Those of the collections above a key, the root first; what is further down
 * is read again. */
#define BDB_TALLIES_KEPT 8
typedef struct bdb_tallies_t {
    bdb_tally_t kept[BDB_TALLIES_KEPT];
} bdb_tallies_t;

/** Inside: takes every collection above a key for this transaction, in one
 * shard, before the change has its number: who reads a shard after that sees
 * the number or is before it. */
int bdb_collections_take(bdb_store_t *store, DB_TXN *txn, unsigned shard,
                         const char *key, bdb_tallies_t *tallies);

/** Inside: counts a change below each of them.
 * @param tallies  as they were taken
 * @param change   what is added; its number takes the place of the last one */
int bdb_collections_write(bdb_store_t *store, DB_TXN *txn, unsigned shard,
                          const char *key, const bdb_tallies_t *tallies,
                          const bdb_tally_t *change);

/** Inside: what is known of one.
 * @param txn  takes all its shards; NULL: as last committed */
int bdb_collection_read(bdb_store_t *store, DB_TXN *txn, const char *collection,
                        apr_time_t now_us, condreq_collection_state_t *state);

/* Members. */

/** Where a document's entry is. @return 0, or EINVAL where the key is too long */
int bdb_member_key(bdb_index_key_t *at, const char *key);

/** Inside: a document appears in its collections, or is gone from them. */
int bdb_member_write(bdb_store_t *store, DB_TXN *txn, const char *key,
                     int is_there);

/** Inside: makes the index from the version map of a store that has none. */
int bdb_index_convert(bdb_store_t *store);

#endif
