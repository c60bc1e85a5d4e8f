/* The control file PATH/control: what all processes of a store share without
 * the library, mapped into each. It outlives any of them, and says who is
 * inside the library and which generation of the shared regions is good.
 *
 * The word is a generation and a state. While it says open, a thread may go
 * inside: it notes the word in its slot and reads the word again; if that has
 * changed it was never inside. Whoever changes the word from open reads the
 * slots afterwards. Each writes before it reads, so one of them sees the
 * other. */
#ifndef CONDREQ_BDB_CONTROL_H
#define CONDREQ_BDB_CONTROL_H

#include <pthread.h>
#include <stdatomic.h>

#include "condreq_store.h"

/** Bytes that name a run of the kernel. */
#define BDB_BOOT_SIZE 40

/** The low byte of the word. All but the first say why nobody gets in. */
typedef enum bdb_state_t {
    BDB_OPEN = 1,
    BDB_CONDEMNED_BY_DEATH,
    BDB_CONDEMNED_BY_LIBRARY,
    BDB_CONDEMNED_BY_MEMORY,
    BDB_CONDEMNED_BY_STANDSTILL,
    BDB_CONDEMNED_BY_AGE,
    /** it is being prepared anew, and another control file follows */
    BDB_CONDEMNED_BY_PREPARE
} bdb_state_t;

/** What a process is to the store. */
typedef enum bdb_role_t {
    BDB_WORKER,
    BDB_HOUSEKEEPER,
    BDB_RECOVERY,
    /** comes and goes, and may be sent away: a tool of the administrator's */
    BDB_VISITOR
} bdb_role_t;

/** Did the last transaction of a thread commit? */
typedef enum bdb_verdict_t {
    /** nobody asks */
    BDB_VERDICT_NONE,
    /** the commit began */
    BDB_VERDICT_PENDING,
    BDB_VERDICT_COMMITTED,
    BDB_VERDICT_LOST
} bdb_verdict_t;

/** A thread's place; a cache line each. */
typedef struct bdb_slot_t {
    /** who has it: process, role and start time in one; 0: nobody */
    _Alignas(64) _Atomic(apr_uint64_t) owner;
    /** the word as it was when the thread went inside; 0: it is outside */
    _Atomic(apr_uint64_t) inside;
    /** since when, by bdb_clock_us() */
    _Atomic(apr_int64_t) since_us;
    _Atomic(apr_uint32_t) thread;
    /** bdb_verdict_t, about the witness: one record that the transaction
     * wrote. Its key stands in the table of keys. */
    _Atomic(apr_uint32_t) verdict;
    /** room on the disk that its transaction may take */
    _Atomic(apr_uint64_t) reserved_bytes;
    apr_uint64_t witness_version;
    apr_uint64_t witness_body_id;
} bdb_slot_t;

/** How many damaged keys are remembered; where there are more, all counts as
 * damaged. */
#define BDB_DAMAGED_KEYS 256u

typedef struct bdb_control_file_t {
    char magic[16];
    apr_uint32_t layout;
    apr_uint32_t slot_count;
    /** this file and this run of the kernel: in a copy, or after a reboot, the
     * processes that have slots are others, or none */
    apr_uint64_t device;
    apr_uint64_t inode;
    char boot[BDB_BOOT_SIZE];
    /** condreq_durability_t, for processes that are not told */
    apr_uint32_t durability;
    _Alignas(64) _Atomic(apr_uint64_t) word;
    /** counts generations published; those who wait sleep on it */
    _Atomic(apr_uint32_t) published;
    /** the last recovery met trouble, and is tried again: no sense in waiting
     * for it */
    _Atomic(apr_uint32_t) recovery_fails;
    /** the ballast is not there, and could not be made: writes are refused */
    _Atomic(apr_uint32_t) has_no_ballast;
    /** documents that were removed, and have left room in the trees */
    _Atomic(apr_uint64_t) removals;
    /** keys that were found damaged, by their hashes */
    _Atomic(apr_uint32_t) damages;
    _Atomic(apr_uint32_t) damaged[BDB_DAMAGED_KEYS];
    /** when the library last ran out of memory, by bdb_clock_us() */
    _Atomic(apr_int64_t) out_of_memory_us;
    /** raised by every keeper that begins */
    _Alignas(64) _Atomic(apr_uint64_t) epoch;
    _Atomic(apr_uint64_t) keeper;
    /** processes that ended without harm since the generation was published */
    _Atomic(apr_uint64_t) deaths_outside;
    /** since the file was made */
    _Atomic(apr_uint64_t) recoveries;
    _Atomic(apr_uint64_t) processes_ended;
    _Atomic(apr_int64_t) last_recovery_us;
    /** the number of the last change; see condreq_bdb_index.h */
    _Alignas(64) _Atomic(apr_uint64_t) last_change;
    /** writers' shards of the index that a transaction has, a bit each */
    _Atomic(apr_uint64_t) shards_taken;
} bdb_control_file_t;

/** One process's view of it. */
typedef struct bdb_control_t {
    bdb_control_file_t *file;
    bdb_slot_t *slots;
    unsigned slot_count;
    const char *doorbell;
    /** what this process writes into its slots */
    apr_uint64_t identity;
    /** each thread's slot; given back when the thread ends */
    pthread_key_t slot_of_thread;
} bdb_control_t;

/* The file. */

/** Makes it anew with a generation open, in the place of any other. Nobody
 * may be there.
 * @param has_ballast  was there room for one? */
apr_status_t bdb_control_make(const condreq_store_config_t *config,
                              apr_uint64_t generation, int has_ballast,
                              condreq_trouble_t *trouble, apr_pool_t *pool);

/** Maps it into this process, for ever. A process that is forked afterwards
 * has to map it itself before it goes inside.
 * @return also APR_ENOENT where there is none, CONDREQ_EFORMAT */
apr_status_t bdb_control_map(bdb_control_t **control, const char *path,
                             bdb_role_t role, condreq_trouble_t *trouble,
                             apr_pool_t *pool);

/** Undoes it, for one that only looked. */
void bdb_control_unmap(bdb_control_t *control);

/** The generation that a control file speaks of, whatever its state; 0 where
 * there is no file of ours. */
apr_uint64_t bdb_control_generation(const char *path, apr_pool_t *pool);

apr_uint64_t bdb_word(apr_uint64_t generation, bdb_state_t state);
apr_uint64_t bdb_word_generation(apr_uint64_t word);
bdb_state_t bdb_word_state(apr_uint64_t word);

/** Lets nobody in any more, if the word is still this one.
 * @return was it? */
int bdb_control_condemn(bdb_control_t *control, apr_uint64_t word,
                        bdb_state_t why);

/** Lets everybody into a new generation. */
void bdb_control_publish(bdb_control_t *control, apr_uint64_t generation);

/** Sleeps until a generation is published, or some time has passed.
 * @param seen  what `published` was before the word was read */
void bdb_control_await(bdb_control_t *control, apr_uint32_t seen,
                       apr_interval_time_t longest_us);

/** Wakes the keeper. */
void bdb_control_ring(const bdb_control_t *control);

/** Names this run of the kernel, padded with NULs. */
void bdb_boot_read(char boot[BDB_BOOT_SIZE]);

/** Microseconds of a clock that all processes share, exact to a few
 * milliseconds, and cheap. */
apr_int64_t bdb_clock_us(void);

/* Who is who. */

/** A process with its start time, which tells it from a later one of the same
 * number.
 * @return 0 with errno ESRCH where there is none, with another where it cannot
 *         be known */
apr_uint64_t bdb_identity(pid_t pid, bdb_role_t role);
pid_t bdb_identity_pid(apr_uint64_t identity);
bdb_role_t bdb_identity_role(apr_uint64_t identity);

/* Slots. */

/** This thread's slot, taken at its first call.
 * @return NULL where none became free before the deadline */
bdb_slot_t *bdb_slot_mine(bdb_control_t *control, apr_int64_t deadline_us);

/** Gives this thread's slot back before the thread ends. */
void bdb_slot_give_back(bdb_control_t *control);

/** Goes inside, if the word is still this one. @return is it? */
int bdb_slot_enter(bdb_control_t *control, bdb_slot_t *slot, apr_uint64_t word,
                   apr_int64_t now_us);
void bdb_slot_leave(bdb_slot_t *slot);

/** The key of a slot's witness: room for CONDREQ_KEY_MAX and a NUL. */
char *bdb_slot_witness_key(const bdb_control_t *control,
                           const bdb_slot_t *slot);

#endif
