/* What the files of the Berkeley DB store share. Private to lib/bdb.
 *
 * One environment a store, one file here a noun: places (directories), control
 * and slots (who is inside), generation (the way inside), env (settings,
 * prepare, recovery, open, maintain), keeper (which watches), visit (the way
 * in and out of the library), damage (what is not as it was written), unsynced
 * (commits that a power cut may take), logs, txn, versions, bodies, counters,
 * locks, and the index with its members, changes and collections. Functions
 * that run inside a visit return the library's own codes, so that the visit
 * knows a deadlock when it sees one; statuses of APR begin where the visit
 * ends. */
#ifndef CONDREQ_BDB_H
#define CONDREQ_BDB_H

#include <db.h>

#include <pthread.h>
#include <stdatomic.h>

#include "apr_thread_mutex.h"

#include "condreq_bdb_control.h"
#include "condreq_bdb_room.h"
#include "condreq_store_care.h"

/** The byte that spreads neighbours, and the key. */
#define BDB_VERSION_KEY_MAX (1 + CONDREQ_KEY_MAX)

/** A key of the version map, with a NUL behind it where it was met. */
typedef struct bdb_version_key_t {
    DBT dbt;
    unsigned char bytes[BDB_VERSION_KEY_MAX + 1];
} bdb_version_key_t;

/** Where the store's files are. */
typedef struct bdb_places_t {
    const char *data;
    const char *log;
    /** the shared regions of one generation */
    const char *regions;
    apr_uint64_t generation;
} bdb_places_t;

typedef struct bdb_store_t {
    condreq_store_t base;
    condreq_store_config_t config;
    bdb_control_t *control;
    bdb_room_t room;
    /** the word of the generation that the handles are of; 0: none yet */
    _Atomic(apr_uint64_t) opened;
    /** held by the one that opens a generation */
    pthread_mutex_t opening;
    bdb_places_t places;
    /** one of its own: it is cleared by whichever thread opens */
    apr_pool_t *generation_pool;
    DB_ENV *env;
    DB *versions;
    DB *bodies;
    DB *counters;
    DB *locks;
    DB *index;
    /** the number of the last change, in memory that all processes share */
    _Atomic(apr_uint64_t) *last_change;
    /** where nobody shares the store */
    _Atomic(apr_uint64_t) last_change_alone;
    /** body ids that this process may hand out: next to end - 1 */
    apr_thread_mutex_t *body_ids_mutex;
    apr_uint64_t body_ids_next;
    apr_uint64_t body_ids_end;
    /** the process that keeps it for this one, see bdb_attend(); 0: another
     * does */
    pid_t own_keeper;
} bdb_store_t;

typedef struct bdb_txn_t {
    condreq_txn_t base;
    DB_TXN *txn;
    /** the first failure inside: the transaction cannot commit any more */
    int failed;
    /** this thread's, for the witness */
    bdb_slot_t *slot;
    /** has something been written, and a record among it? */
    int wrote;
    int witnessed;
    /** the record that was read last, which is most often written next */
    char seen_key[CONDREQ_KEY_MAX + 1];
    condreq_record_t seen;
    /** the shard of the index that this transaction writes in */
    unsigned shard;
    int has_shard;
    int shard_is_taken;
    /** told what failed */
    struct bdb_visit_t *visit;
} bdb_txn_t;

/* Places: where the store's files are. */

/** Names the places under path, and those that the last prepare published:
 * generation 0 and no regions where there was none. */
apr_status_t bdb_places_find(bdb_places_t *places, const char *path,
                             condreq_trouble_t *trouble, apr_pool_t *pool);

/** Where bdb_places_find() found another format: was that ours, and not all of
 * it reached the disk? Then the next one may be published over it. */
int bdb_places_are_torn(const char *path, apr_pool_t *pool);

/** Removes the regions of all generations but this one. */
void bdb_places_remove_others(const bdb_places_t *places, const char *path,
                              apr_pool_t *pool);

/** Makes the store's own directory where it is not. */
apr_status_t bdb_places_make_path(const char *path, condreq_trouble_t *trouble);

/** Makes what is missing, and an empty directory for the regions of the next
 * generation, in memory if they are sure to fit there.
 * @param region_bytes  how large they may become */
apr_status_t bdb_places_make(bdb_places_t *next, const bdb_places_t *last,
                             const char *path, apr_uint64_t region_bytes,
                             condreq_trouble_t *trouble, apr_pool_t *pool);

/** Makes a generation the one that bdb_places_find() finds. */
apr_status_t bdb_places_publish(const bdb_places_t *places, const char *path,
                                condreq_trouble_t *trouble, apr_pool_t *pool);

/** Makes what was renamed in a directory, or made there, last. */
int bdb_directory_sync(const char *path);

/** Removes a directory of regions, if it is one and ours. */
void bdb_places_remove_regions(const char *regions, apr_pool_t *pool);

/* Visits: every call of the library happens inside one. */

typedef struct bdb_visit_t bdb_visit_t;

/** A visit; what it works on follows it in a larger struct. */
struct bdb_visit_t {
    /** Runs inside, and again from the start after a deadlock.
     * @return a code of the library */
    int (*run)(bdb_store_t *store, bdb_visit_t *visit);
    /** for the trouble's sentence: "reading the record of" */
    const char *doing;
    /** what it is done to, or "" */
    const char *key;
};

/** Visits the library, again and again while others are in the way, until
 * wait_us is over. Never within another visit. */
apr_status_t bdb_visit(bdb_store_t *store, bdb_visit_t *visit,
                       condreq_trouble_t *trouble);

/** After the visits of a process that is being made ready: whether this thread
 * blocks the signals that end it is asked anew. */
void bdb_visit_look_again(void);

/** Goes inside, once there is a generation to go into and this process has
 * opened it.
 * @return also APR_TIMEUP: the deadline has passed, and the thread is outside */
apr_status_t bdb_enter(bdb_store_t *store, bdb_slot_t **entered,
                       apr_int64_t deadline_us, condreq_trouble_t *trouble);

/** A code of the library as a status. */
apr_status_t bdb_status(int code);

/** Where the library tells this thread what went wrong, until it is told
 * something else; NULL: nowhere. */
void bdb_listen(condreq_trouble_t *heard);

/** The library's way to tell it, for set_errcall. */
void bdb_hear(const DB_ENV *env, const char *prefix, const char *message);

/** Says what went wrong and returns the code's status.
 * @param heard  what bdb_listen() brought, or NULL */
apr_status_t bdb_trouble(condreq_trouble_t *trouble, int code,
                         const condreq_trouble_t *heard, const char *doing,
                         const char *key);

/* Damage: pages that are not as they were written. */

/** Does a code of the library, and what it said, mean that? */
int bdb_damage_is(int code, const condreq_trouble_t *heard);

/** Has it been met where this key leads?
 * @param control  NULL where nobody else is: nothing is known
 * @return 0 or DB_CHKSUM_FAIL */
int bdb_damage_known(const bdb_control_t *control, const char *key);

/** Remembers that it has. */
void bdb_damage_note(bdb_control_t *control, const char *key);

/* Environment. */

apr_status_t bdb_prepare(const condreq_store_config_t *config,
                         condreq_trouble_t *trouble, apr_pool_t *pool);
apr_status_t bdb_open(condreq_store_t **store,
                      const condreq_store_config_t *config,
                      condreq_trouble_t *trouble, apr_pool_t *pool);
/** As bdb_open(), for a process of another role. */
apr_status_t bdb_open_as(condreq_store_t **store,
                         const condreq_store_config_t *config, bdb_role_t role,
                         condreq_trouble_t *trouble, apr_pool_t *pool);
/** Closes a store that this process alone of its threads has open, as if it
 * had never come. */
void bdb_close(condreq_store_t *store);

/** Opens a store that is kept; where nobody keeps it, brings it in order and
 * keeps it first, in a process that ends with this one. */
apr_status_t bdb_attend(condreq_store_t **store, const char *path,
                        condreq_trouble_t *trouble, apr_pool_t *pool);

/** Closes what bdb_attend() opened. */
void bdb_leave(condreq_store_t *store);

apr_status_t bdb_state(condreq_store_t *store, condreq_store_state_t *state,
                       condreq_trouble_t *trouble, apr_pool_t *pool);

extern const condreq_store_care_t bdb_care;

/** The part of maintain() that bounds a recovery's time: does nothing where
 * little was logged. */
apr_status_t bdb_checkpoint(condreq_store_t *store, condreq_trouble_t *trouble);
/** Should it be done more often for a while? */
int bdb_is_short_of_room(const condreq_store_t *store);
/** Was there no room for the ballast when maintain() last looked? */
int bdb_refuses_writes(const condreq_store_t *store);
apr_status_t bdb_maintain(condreq_store_t *store, condreq_trouble_t *trouble,
                          apr_pool_t *pool);

/* Compaction. */

/** How far one has come: all zero at first. */
typedef struct bdb_compaction_t {
    unsigned range;
    /** documents that had been removed when the last round began */
    apr_uint64_t removals;
} bdb_compaction_t;

/** A step, where room is short and documents were removed since the last
 * round; else nothing. For the housekeeper. */
apr_status_t bdb_compact(condreq_store_t *store, bdb_compaction_t *compaction,
                         condreq_trouble_t *trouble);

/** Inside: opens the handles of the generation whose places the store has. */
int bdb_handles_open(bdb_store_t *store);

/**
 * Recovers into a new generation, tells every witness whether its transaction
 * was committed, and writes the generation's name. Nobody may be inside.
 * @param after    the new generation is a later one than this
 * @param control  whose witnesses ask; NULL where there is none
 * @param is_old   what is found may be an older state than what was seen: a new
 *                 incarnation begins
 */
apr_status_t bdb_recover(const condreq_store_config_t *config,
                         apr_uint64_t after, bdb_control_t *control, int is_old,
                         condreq_trouble_t *trouble, apr_pool_t *pool);

apr_status_t bdb_keep(const condreq_store_config_t *config,
                      const condreq_keeper_t *keeper,
                      condreq_trouble_t *trouble, apr_pool_t *pool);

/* Transactions. */

apr_status_t bdb_txn(condreq_store_t *store, condreq_txn_body_t *body,
                     void *baton, condreq_trouble_t *trouble, apr_pool_t *pool);

/** Begins an operation inside: in a condemned generation there is no sense in
 * any, and it would only run into what the dead hold locked.
 * @return 0 or DB_RUNRECOVERY */
int bdb_txn_goes_on(const bdb_txn_t *txn);

/** Ends an operation inside: keeps the first failure for the commit, and says
 * what it was. */
apr_status_t bdb_txn_outcome(bdb_txn_t *txn, int code, const char *doing,
                             const char *key);

/** Remembers what a transaction has read or written. */
void bdb_txn_saw(bdb_txn_t *txn, const char *key,
                 const condreq_record_t *record);

/** Inside: what stands there, as this transaction sees it. */
int bdb_txn_before(bdb_txn_t *txn, const char *key, condreq_record_t *before);

/** The shard of the index that this transaction writes in: one that no other
 * has, unless all are taken. */
unsigned bdb_txn_shard(bdb_txn_t *txn);
/** Reserves room on the disk for what this transaction is about to write.
 * @param body_bytes  0 where it is a record
 * @return 0 or ENOSPC */
int bdb_txn_reserve(bdb_txn_t *txn, apr_uint64_t body_bytes,
                    bdb_reserve_t reserve);

/** Notes a record that this transaction writes, so that it can be asked for
 * should the commit fail. */
void bdb_txn_witness(bdb_txn_t *txn, const char *key,
                     const condreq_record_t *record);

/* Versions. */

/** Inside, with nobody else: asks the version map for every witness that has
 * a commit pending. */
int bdb_witnesses_answer(bdb_store_t *store, bdb_control_t *control);

/** Spreads keys evenly over 32 bits, the same on every machine. */
apr_uint32_t bdb_key_hash(const char *key);

apr_status_t bdb_lookup(condreq_store_t *store, const char *key,
                        condreq_record_t *record, condreq_trouble_t *trouble,
                        apr_pool_t *pool);
apr_status_t bdb_get(condreq_txn_t *txn, const char *key,
                     condreq_record_t *record);
apr_status_t bdb_put(condreq_txn_t *txn, const char *key,
                     const condreq_record_t *record);
apr_status_t bdb_walk(condreq_store_t *store, const char *prefix,
                      condreq_walk_t *walk, condreq_walked_t *found,
                      unsigned at_most, unsigned *count,
                      condreq_trouble_t *trouble, apr_pool_t *pool);

/** Inside: one record as last committed, or, in a transaction, to write it. */
int bdb_record_read(bdb_store_t *store, DB_TXN *txn, const char *key,
                    condreq_record_t *record);
int bdb_record_write(bdb_store_t *store, DB_TXN *txn, const char *key,
                     const condreq_record_t *record);

/** Inside: the record behind a key of the map, in no order that means
 * anything. All zeroes: the first.
 * @return also DB_NOTFOUND */
int bdb_record_after(bdb_store_t *store, DB_TXN *txn, bdb_version_key_t *key,
                     condreq_record_t *record);

/* The index: members, changes and what is known of collections. */

apr_status_t bdb_has_members(condreq_txn_t *txn, const char *collection,
                             int *has_members);
apr_status_t bdb_below(condreq_txn_t *txn, const char *collection,
                       const char **keys, apr_size_t room, apr_size_t *count,
                       apr_pool_t *pool);
apr_status_t bdb_list(condreq_store_t *store, const char *collection,
                      const condreq_place_t *from, condreq_entry_t *entries,
                      apr_size_t room, apr_size_t *count,
                      condreq_trouble_t *trouble, apr_pool_t *pool);
apr_status_t bdb_collection(condreq_store_t *store, const char *collection,
                            apr_time_t now_us,
                            condreq_collection_state_t *state,
                            condreq_trouble_t *trouble, apr_pool_t *pool);
apr_status_t bdb_collection_get(condreq_txn_t *txn, const char *collection,
                                condreq_collection_state_t *state);
apr_status_t bdb_changes(condreq_store_t *store, const char *collection,
                         apr_uint64_t since, condreq_change_t *changes,
                         apr_size_t room, condreq_changes_read_t *read,
                         condreq_trouble_t *trouble, apr_pool_t *pool);

/* Bodies. */

/** Bytes of a chunk. Four to a page with their keys, and none over a quarter of
 * it: the library keeps larger items on pages of their own, where all writers
 * queue. Part of the store's format, as is the key: the document's key's
 * hash, the chunk's number and the body's id. */
#define BDB_CHUNK_SIZE 989u
#define BDB_CHUNK_KEY_SIZE 16

apr_status_t bdb_body_read(condreq_store_t *store, const char *key,
                           const condreq_record_t *record, apr_uint64_t offset,
                           char *bytes, apr_size_t length,
                           condreq_trouble_t *trouble, apr_pool_t *pool);
apr_status_t bdb_body_get(condreq_txn_t *txn, const char *key,
                          const condreq_record_t *record, char *bytes);
apr_status_t bdb_body_put(condreq_txn_t *txn, const char *key,
                          condreq_record_t *record, const char *bytes);
apr_status_t bdb_body_remove(condreq_txn_t *txn, const char *key,
                             const condreq_record_t *record);

/* Locks. */

apr_status_t bdb_has_locks(condreq_store_t *store, const char *key,
                           int *has_locks, condreq_trouble_t *trouble,
                           apr_pool_t *pool);
apr_status_t bdb_txn_has_locks(condreq_txn_t *txn, const char *key,
                               int *has_locks);
apr_status_t bdb_locks_count(condreq_txn_t *txn, const char *key,
                             const char *user, apr_uint64_t *count);
apr_status_t bdb_locks_scan(condreq_txn_t *txn,
                            const condreq_lock_range_t *range,
                            condreq_lock_visitor_t *visitor, void *baton,
                            apr_pool_t *pool);
apr_status_t bdb_lock_put(condreq_txn_t *txn, const condreq_lock_t *lock);
apr_status_t bdb_lock_remove(condreq_txn_t *txn, const condreq_lock_t *lock);

/* Counters. */

/** The store's own, by the one byte of their key. */
#define BDB_KIND_FORMAT 'f'
#define BDB_KIND_INCARNATION 'i'
/** Up to which number a shard of the log of changes was swept. */
#define BDB_KIND_SWEPT 'w'
/** Up to which number deletions may be missing from it. */
#define BDB_KIND_FORGOTTEN 'p'

/** Of all that is in the trees; and what it was before there was an index. */
#define BDB_FORMAT 2
#define BDB_FORMAT_WITHOUT_INDEX 1

apr_status_t bdb_draw(condreq_store_t *store, const char *collection,
                      apr_uint64_t *number, condreq_trouble_t *trouble,
                      apr_pool_t *pool);

/** Inside: the id of a new body. */
int bdb_body_id(bdb_store_t *store, apr_uint64_t *body_id);

/** Inside, with nobody else: no id up to this one is drawn any more. */
int bdb_body_ids_pass(bdb_store_t *store, apr_uint64_t body_id);

/** Inside, with nobody else: makes a store ours that has no format yet, or the
 * one before.
 * @return DB_OLD_VERSION where it has another */
int bdb_format_settle(bdb_store_t *store);

/** Inside, with nobody else: has the index made anew when the store is next
 * prepared. */
int bdb_format_forget_index(bdb_store_t *store);

/** Inside: is it our format? @return DB_OLD_VERSION where it is not */
int bdb_format_check(bdb_store_t *store);

/** Inside: 0 where no old state was ever brought back. */
int bdb_incarnation(bdb_store_t *store, apr_uint64_t *incarnation);

/**
 * Inside, with nobody else: begins a new incarnation, because an old state was
 * brought back. Whoever brings one back calls it before anyone opens the store.
 * @param at_least  where more is known to have been begun than this store
 *                  knows of; else 0
 */
int bdb_incarnation_begin(bdb_store_t *store, apr_uint64_t at_least);

/* Logs: those that no recovery of this store needs may be what a backup that
 * is being made needs. */

/** Keeps all logs that are there, until the lease is closed or this process
 * ends. A process has one lease on a store at a time.
 * @param lease  is set to a descriptor */
apr_status_t bdb_logs_keep(int *lease, const char *path,
                           condreq_trouble_t *trouble, apr_pool_t *pool);

/** Is a backup being made? */
int bdb_logs_are_kept(const bdb_store_t *store);

/** Inside: removes logs that nobody needs. */
int bdb_logs_remove(bdb_store_t *store);

/** Finishes a restoration that was decided and not done. Nobody may be there.
 * @param kept  where what was there before is now, or NULL */
apr_status_t bdb_restore_finish(const char *path, const char **kept,
                                condreq_trouble_t *trouble, apr_pool_t *pool);

/* Unsynced commits: a file that outlives the kernel's memory, unlike them. */

/** Were there commits that the kernel may have lost with the power? */
int bdb_unsynced_lost(const char *path, apr_pool_t *pool);

/** Notes, on the disk, that commits come which are not. Does nothing where
 * that is noted already. */
apr_status_t bdb_unsynced_mark(const char *path, condreq_trouble_t *trouble,
                               apr_pool_t *pool);

/** Takes it back: whatever was committed is on the disk. */
void bdb_unsynced_clear(const char *path, apr_pool_t *pool);

/** Big-endian numbers, as they stand in keys and values. */
void bdb_write_u32(unsigned char *bytes, apr_uint32_t value);
void bdb_write_u64(unsigned char *bytes, apr_uint64_t value);
apr_uint32_t bdb_read_u32(const unsigned char *bytes);
apr_uint64_t bdb_read_u64(const unsigned char *bytes);

/** Inside: the number up to which the log of changes may lack deletions. A
 * purge of tombstones raises it. */
int bdb_changes_forgotten(bdb_store_t *store, apr_uint64_t *number);

/** Inside: how far the log of changes has been swept. */
int bdb_swept_get(bdb_store_t *store, unsigned shard, apr_uint64_t *number);
int bdb_swept_put(bdb_store_t *store, DB_TXN *txn, unsigned shard,
                  apr_uint64_t number);

#endif
