/* The store: versions, bodies, locks and numbers behind one table of functions.
 * Knows records; no HTTP, no validator, no JSON. Nothing here assumes one
 * machine, a byte order, or that a transaction is cheap. */
#ifndef CONDREQ_STORE_H
#define CONDREQ_STORE_H

#include "apr_pools.h"
#include "condreq_lock.h"
#include "condreq_name.h"
#include "condreq_record.h"

/** Longest key in bytes: namespace, path, no NUL inside. */
#define CONDREQ_KEY_MAX 1280

/** Longest path of a store's directory. */
#define CONDREQ_STORE_PATH_MAX 3900

/** A process died inside, or the disk failed: nobody gets in before the store
 * has been recovered. Nothing changed. */
#define CONDREQ_EPANIC (APR_OS_START_USERERR + 2)

/** The store was lost while a transaction was being committed, and was not
 * recovered within wait_us: the write is there whole or not at all, and nobody
 * can say which. The client must get no answer that claims one or the other;
 * it is as if the connection had been lost. */
#define CONDREQ_EUNKNOWN (APR_OS_START_USERERR + 3)

/** Bytes are not as they were written, and cannot be made so. */
#define CONDREQ_EDAMAGED (APR_OS_START_USERERR + 10)

typedef struct condreq_store_t condreq_store_t;
typedef struct condreq_txn_t condreq_txn_t;

/** Where a call that fails leaves one sentence for the log: what was being
 * done, and what the system or the library said. Owned by the caller. */
typedef struct condreq_trouble_t {
    char sentence[256];
} condreq_trouble_t;

typedef enum condreq_durability_t {
    /** an acknowledged write survives a power cut */
    CONDREQ_SYNC,
    /** it survives killed processes only */
    CONDREQ_WRITE_NOSYNC
} condreq_durability_t;

/** What a store is opened with; the same values in every process. */
typedef struct condreq_store_config_t {
    /** an absolute directory, for stores that have one */
    const char *path;
    condreq_durability_t durability;
    /** bytes of cache that all processes share */
    apr_size_t cache_bytes;
    /** threads that may be inside at once, all processes together */
    unsigned threads;
    /** how long a call may wait for others before it gives up, up to the
     * next maintain() that notices */
    apr_interval_time_t wait_us;
} condreq_store_config_t;

/** What is known of a collection as a whole: of all that is below it, at any
 * depth, whether it is still there or not. */
typedef struct condreq_collection_state_t {
    /** the sum of all versions below: each write makes it one more. 0 where
     * there never was anything */
    apr_uint64_t version;
    /** live documents below it; at a busy time as many as there were shortly
     * before or after */
    apr_uint64_t documents;
    /** when the last write was made; later than every other's */
    apr_time_t mtime_us;
    /** a number for changes(): whoever reads the collection after this has
     * seen all changes up to it. What was made at the same time as another
     * may be seen and not be numbered yet */
    apr_uint64_t change;
} condreq_collection_state_t;

/** One that stands in a collection. */
typedef struct condreq_entry_t {
    /** of a document its last path segment, of a collection with a slash
     * behind it */
    const char *name;
    int is_collection;
    /** a document's record; live */
    condreq_record_t record;
} condreq_entry_t;

/** A document that was changed, as it is now. */
typedef struct condreq_change_t {
    apr_uint64_t number;
    const char *key;
    /** live, or a tombstone */
    condreq_record_t record;
} condreq_change_t;

/** What a call to changes() has come to. */
typedef struct condreq_changes_read_t {
    apr_size_t count;
    /** all changes up to this number have been given */
    apr_uint64_t reached;
    /** there may be more behind it already */
    int more;
} condreq_changes_read_t;

/** How much a sentence of the keeper matters. */
typedef enum condreq_keeper_level_t {
    /** all is well */
    CONDREQ_KEEPER_NOTICE,
    /** something died and the store is being recovered */
    CONDREQ_KEEPER_WARNING,
    /** it could not be recovered, and is tried again */
    CONDREQ_KEEPER_ERROR
} condreq_keeper_level_t;

/** What a keeper asks of the process that it runs in. Its own processes
 * inherit the baton. */
typedef struct condreq_keeper_t {
    void *baton;
    void (*log)(void *baton, condreq_keeper_level_t level,
                const char *sentence);
    /** asked at least once a second; a signal that sets what it looks at ends
     * the wait */
    int (*should_end)(void *baton);
    /** asked as often: has the server gone that the store is kept for? Its
     * processes that still have the store open get some seconds to end, and
     * are ended then; the keeper ends with the last of them */
    int (*is_abandoned)(void *baton);
} condreq_keeper_t;

/** How far a walk over all records has come; zeroed, it begins. What stands in
 * it is the store's own. */
typedef struct condreq_walk_t {
    unsigned char place[CONDREQ_KEY_MAX + 1];
    apr_size_t length;
} condreq_walk_t;

/** What a walk comes by. */
typedef struct condreq_walked_t {
    char key[CONDREQ_KEY_MAX + 1];
    /** of another format than this code reads, or damaged: no record */
    int unreadable;
    condreq_record_t record;
} condreq_walked_t;

typedef struct condreq_store_care_t condreq_store_care_t;

/**
 * What runs in a transaction. It may run more than once, from the start, so
 * it is pure but for what it does through txn: it sets its results in the
 * baton, never adds to them.
 * @param pool  cleared before each run; the last run's results live in it as
 *              long as the pool that the transaction was asked for
 * @return APR_SUCCESS commits; anything else aborts and is handed on
 */
typedef apr_status_t condreq_txn_body_t(condreq_txn_t *txn, void *baton,
                                        apr_pool_t *pool);

/** Which locks are looked for: those taken on one key, or on all keys that
 * begin with it. They are those that are stored, their time be over or not. */
typedef struct condreq_lock_range_t {
    const char *key;
    /** on all that begin with it */
    int below;
    /** only those behind this one, in the order of their roots, byte by byte,
     * and of their tokens; NULL: all */
    const condreq_lock_t *after;
} condreq_lock_range_t;

/** Is shown one lock after the other, in that order.
 * @param lock  from the pool that the scan was given
 * @return 0 to see no more */
typedef int condreq_lock_visitor_t(void *baton, const condreq_lock_t *lock);

/**
 * A provider. Every function but those that need nothing returns
 *  - APR_SUCCESS,
 *  - APR_TIMEUP      the store was busy, or in recovery, longer than wait_us;
 *                    nothing changed
 *  - APR_ENOSPC      no room on the disk; nothing changed
 *  - CONDREQ_EFORMAT something there is of another format than ours, or is
 *                    damaged
 *  - CONDREQ_EPANIC  the store has to be recovered; see there
 *  - CONDREQ_EUNKNOWN from txn() alone; see there
 *  - any other status: trouble, said in the trouble's sentence.
 */
typedef struct condreq_store_provider_t {
    /** the word before the colon of CondReqStore */
    const char *name;

    /**
     * Makes the store's files where they are not, and brings them in order
     * after whatever happened. No process may have the store open; the caller
     * sees to that, and calls it as the user who will open it.
     */
    apr_status_t (*prepare)(const condreq_store_config_t *config,
                            condreq_trouble_t *trouble, apr_pool_t *pool);

    /**
     * Opens a prepared store for all threads of this process. There is no
     * close: a process holds it until it ends.
     * @param store  is set, from the pool, which must live as long
     */
    apr_status_t (*open)(condreq_store_t **store,
                         const condreq_store_config_t *config,
                         condreq_trouble_t *trouble, apr_pool_t *pool);

    /** Work that nobody waits for (checkpoints, old logs). Called about once
     * a second by one process. */
    apr_status_t (*maintain)(condreq_store_t *store, condreq_trouble_t *trouble,
                             apr_pool_t *pool);

    /**
     * Reads one record, outside a transaction, as last committed.
     * @param record  is set whole; state CONDREQ_ABSENT where there is none
     */
    apr_status_t (*lookup)(condreq_store_t *store, const char *key,
                           condreq_record_t *record, condreq_trouble_t *trouble,
                           apr_pool_t *pool);

    /**
     * Reads a part of a body, outside a transaction.
     * @param record  names the body; from lookup()
     * @param offset  where to begin; offset + length is within body_length
     * @param bytes   room for length bytes, filled on success
     * @return also APR_NOTFOUND: a later version has taken its place and the
     *         body is gone; look up again
     */
    apr_status_t (*body_read)(condreq_store_t *store, const char *key,
                              const condreq_record_t *record,
                              apr_uint64_t offset, char *bytes,
                              apr_size_t length, condreq_trouble_t *trouble,
                              apr_pool_t *pool);

    /**
     * Draws the next number of a collection's sequence: 1, 2, 3 and so on,
     * none twice, gaps allowed. Not to be called inside a transaction. Only a
     * number that no write committed after may be drawn again once the store
     * was prepared again: whoever uses one looks whether the name is free.
     */
    apr_status_t (*draw)(condreq_store_t *store, const char *collection,
                         apr_uint64_t *number, condreq_trouble_t *trouble,
                         apr_pool_t *pool);

    /** Runs a body in a transaction, again after a deadlock. */
    apr_status_t (*txn)(condreq_store_t *store, condreq_txn_body_t *body,
                        void *baton, condreq_trouble_t *trouble,
                        apr_pool_t *pool);

    /** Inside: reads a record to decide on it; no other transaction changes
     * it until this one ends. */
    apr_status_t (*get)(condreq_txn_t *txn, const char *key,
                        condreq_record_t *record);

    /** Inside: writes a record. */
    apr_status_t (*put)(condreq_txn_t *txn, const char *key,
                        const condreq_record_t *record);

    /** Inside: reads a whole body.
     * @param bytes  room for record->body_length bytes */
    apr_status_t (*body_get)(condreq_txn_t *txn, const char *key,
                             const condreq_record_t *record, char *bytes);

    /** Inside: stores a new body under a new id.
     * @param record  its body_length says how much; its body_id is set */
    apr_status_t (*body_put)(condreq_txn_t *txn, const char *key,
                             condreq_record_t *record, const char *bytes);

    /** Inside: removes the body that a record names. Best done before the
     * new one is stored, which then takes its place. */
    apr_status_t (*body_remove)(condreq_txn_t *txn, const char *key,
                                const condreq_record_t *record);

    /** Inside: is there a live document whose key begins with this
     * collection's, and is longer?
     * @param collection  a key that ends in a slash */
    apr_status_t (*has_members)(condreq_txn_t *txn, const char *collection,
                                int *has_members);

    /**
     * Walks on over the records of all keys that begin with a prefix, those of
     * tombstones too, in an order of the store's own. Each is as it was last
     * committed when the walk came by: no two need be of one moment, but one
     * that is there all the while is met, and once. Nothing is held between
     * two calls.
     * @param walk   where the last call ended; is moved on
     * @param found  room for at_most
     * @param count  is set; 0 at the end
     */
    apr_status_t (*walk)(condreq_store_t *store, const char *prefix,
                         condreq_walk_t *walk, condreq_walked_t *found,
                         unsigned at_most, unsigned *count,
                         condreq_trouble_t *trouble, apr_pool_t *pool);

    /**
     * Reads what is known of a collection, outside a transaction, as last
     * committed. Each committed write below it, at any depth, makes another
     * state of it, and no state comes back.
     * @param collection  a key that ends in a slash
     * @param now_us      the clock, read before: every write that this call
     *                    does not see gets a later mtime_us
     */
    apr_status_t (*collection)(condreq_store_t *store, const char *collection,
                               apr_time_t now_us,
                               condreq_collection_state_t *state,
                               condreq_trouble_t *trouble, apr_pool_t *pool);

    /** Inside: the same, to decide on it: until this transaction ends nobody
     * else writes below the collection. */
    apr_status_t (*collection_get)(condreq_txn_t *txn, const char *collection,
                                   condreq_collection_state_t *state);

    /** Inside: the keys of the live documents below a collection, at any
     * depth, in no order.
     * @param keys   room for that many keys, which are from the pool
     * @param count  is set; room where there are that many, or more */
    apr_status_t (*below)(condreq_txn_t *txn, const char *collection,
                          const char **keys, apr_size_t room, apr_size_t *count,
                          apr_pool_t *pool);

    /**
     * Lists what stands directly in a collection, in the order of
     * condreq_name.h, outside a transaction: live documents, and collections
     * that have one at any depth. What stands there throughout is given, in
     * however many calls; nothing is given twice.
     * @param from     the first place to look at
     * @param entries  room for that many; names are from the pool
     * @param count    is set; less than room at the end alone
     */
    apr_status_t (*list)(condreq_store_t *store, const char *collection,
                         const condreq_place_t *from, condreq_entry_t *entries,
                         apr_size_t room, apr_size_t *count,
                         condreq_trouble_t *trouble, apr_pool_t *pool);

    /**
     * Gives the documents below a collection, at any depth, that were changed
     * after a number, each once with its last change, by their numbers. A
     * number is given only once no smaller one can come any more.
     * @param since    a number that state or reached gave; 0: from the
     *                 beginning
     * @param changes  room for that many; keys are from the pool
     * @return also APR_NOTFOUND: the number is none of this store's, or so old
     *         that deletions after it may have been forgotten
     */
    apr_status_t (*changes)(condreq_store_t *store, const char *collection,
                            apr_uint64_t since, condreq_change_t *changes,
                            apr_size_t room, condreq_changes_read_t *read,
                            condreq_trouble_t *trouble, apr_pool_t *pool);

    /**
     * Keeps a prepared store until should_end() says so, or it is abandoned
     * and nobody has it open any more: notices processes
     * that die or stand still inside it and recovers it, does the work that
     * maintain() does, in processes of its own. It runs in two processes that
     * have not opened the store, as the user who will: one keeps, the other
     * waits and takes over when the first is gone. NULL where a store has no
     * need of it.
     */
    apr_status_t (*keep)(const condreq_store_config_t *config,
                         const condreq_keeper_t *keeper,
                         condreq_trouble_t *trouble, apr_pool_t *pool);

    /** Is any lock stored in the namespace of a key? Outside a transaction, as
     * last committed; cheap, since most writes ask. */
    apr_status_t (*has_locks)(condreq_store_t *store, const char *key,
                              int *has_locks, condreq_trouble_t *trouble,
                              apr_pool_t *pool);

    /** Inside: the same. While it says no, no other transaction stores the
     * first one until this one ends. */
    apr_status_t (*txn_has_locks)(condreq_txn_t *txn, const char *key,
                                  int *has_locks);

    /** Inside: how many are stored in the namespace of a key.
     * @param user  counts those that this one took; "" those that nobody in
     *              particular did; NULL all */
    apr_status_t (*locks_count)(condreq_txn_t *txn, const char *key,
                                const char *user, apr_uint64_t *count);

    /** Inside: shows the locks of a range. No other transaction adds one to it,
     * changes or removes one until this one ends. */
    apr_status_t (*locks_scan)(condreq_txn_t *txn,
                               const condreq_lock_range_t *range,
                               condreq_lock_visitor_t *visitor, void *baton,
                               apr_pool_t *pool);

    /** Inside: stores a lock under its root and token, in the place of the one
     * that was there. The user that it had stays the same. */
    apr_status_t (*lock_put)(condreq_txn_t *txn, const condreq_lock_t *lock);

    /** Inside: removes a lock that a scan of this transaction has shown. */
    apr_status_t (*lock_remove)(condreq_txn_t *txn, const condreq_lock_t *lock);

    /** What can be done with a whole store, see condreq_store_care.h. NULL
     * where there is nothing to take care of. */
    const condreq_store_care_t *care;
} condreq_store_provider_t;

/** What all providers' stores begin with. */
struct condreq_store_t {
    const condreq_store_provider_t *provider;
    /** 0, or the number of times that an old state was brought back: part of
     * every tag while it is not 0 */
    apr_uint64_t incarnation;
};

/** What all providers' transactions begin with. */
struct condreq_txn_t {
    condreq_store_t *store;
    condreq_trouble_t *trouble;
};

/** The embedded default: Berkeley DB. */
extern const condreq_store_provider_t condreq_store_bdb;
/** The reference for tests: one process, in memory. */
extern const condreq_store_provider_t condreq_store_mem;

/** Says what went wrong, for the log, and hands the status on. */
apr_status_t condreq_trouble(condreq_trouble_t *trouble, apr_status_t status,
                             const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
