/* The crash driver: what its processes share, and which file knows what.
 *
 * crash.c          options, the processes, who is killed when, the report
 * crash_worker.c   reads, writes and what each read must show
 * crash_ledger.c   what was acknowledged: no version has two winners
 * crash_final.c    the store at the end, document by document
 * crash_locks.c    locks taken, and that each has one holder who keeps it
 * crash_fault.c    death at a chosen point inside the store
 *
 * Everything is in one mapping that no killed process takes with it. */
#ifndef CRASH_H
#define CRASH_H

#include <stdatomic.h>
#include <sys/types.h>

#include "condreq_document.h"
#include "condreq_store.h"

#define THREADS_MAX 64
#define PROCESSES_MAX 64
#define OPERATIONS_MAX (1u << 20)
#define GENERATIONS_MAX 65536
#define LOCKS_MAX 100000
#define VIOLATIONS_SHOWN 20

typedef struct options_t {
    const char *path;
    unsigned kills;
    unsigned processes;
    unsigned threads;
    unsigned documents;
    unsigned hot;
    unsigned seed;
    /** which of the strokes comes first */
    unsigned first;
    int nosync;
    int verbose;
    /** live users stay inside while the store is recovered */
    int unprotected;
    /** kill only workers, inside: for the figures */
    int inside_only;
} options_t;

typedef enum kind_t { UPDATE, DELETE, REVIVE, CREATE } kind_t;

typedef enum state_t {
    /** the call has begun and not returned */
    BEGUN = 1,
    ACKNOWLEDGED,
    /** 412 */
    REFUSED,
    /** 503: nothing changed */
    UNCHANGED,
    /** nobody can say; the connection would have been cut */
    UNKNOWN,
    /** its process was killed */
    LOST
} state_t;

typedef struct operation_t {
    _Atomic(unsigned char) state;
    unsigned char kind;
    /** for CREATE the number that the document got */
    unsigned document;
    /** the version it builds upon, and the one it got */
    apr_uint64_t base;
    apr_uint64_t version;
    apr_int64_t began_us;
    apr_int64_t ended_us;
    /** the generation that it ended in */
    apr_uint64_t generation;
} operation_t;

/** What one thread of one worker did, across the deaths of its process. */
typedef struct diary_t {
    _Atomic(unsigned) count;
    operation_t operations[OPERATIONS_MAX];
} diary_t;

typedef struct board_t {
    _Atomic(int) stop;
    _Atomic(int) stop_keepers;
    _Atomic(unsigned) violations;
    _Atomic(unsigned) reads;
    _Atomic(unsigned) unexpected;
    /** the next to reach this point dies there */
    char fault_point[48];
    _Atomic(int) fault_armed;
    _Atomic(apr_int64_t) fault_at_us;
    /** the first acknowledgement since it was set to 0 */
    _Atomic(apr_int64_t) first_acknowledged_us;
    _Atomic(apr_int64_t) first_in_generation_us[GENERATIONS_MAX];
    _Atomic(apr_int64_t) slowest_us;
    _Atomic(unsigned) keeper_said[3];
    diary_t diaries[THREADS_MAX];
    _Atomic(unsigned) lock_attempts;
    /** the attempt that was told that it has the lock; 0: none */
    _Atomic(unsigned) lock_holders[LOCKS_MAX];
    /** the latest acknowledged version of each document */
    _Atomic(apr_uint64_t) acknowledged[];
} board_t;

extern options_t options;
extern board_t *board;

/* Worker. */

condreq_store_config_t crash_config(void);
void crash_work(unsigned process);
/** Reads a document and holds it against what was acknowledged before. */
void crash_check_document(condreq_store_t *store, unsigned document,
                          apr_pool_t *pool);
condreq_store_t *crash_open(apr_pool_t *pool);
/** Puts the documents there that everything is about. */
void crash_fill(void);
/** Which operation wrote these bytes? @return 0: none of ours, or not whole */
int crash_author(apr_uint64_t *author, const char *bytes, apr_size_t length);
const char *crash_document_key(unsigned document, apr_pool_t *pool);
#define CRASH_COLLECTION "localhost/made/"

/* Locks. */

/** Asks for one more lock, which a few others ask for as well. */
void crash_lock(condreq_store_t *store, apr_pool_t *pool);
/** At the end, in a process of its own. */
void crash_final_locks(void);

/* Ledger: private to the driver's own process. */

/** Enters what has been acknowledged since the last time.
 * @param recent  is filled with documents of it, at most a number of them
 * @return how many */
unsigned crash_ledger_enter(unsigned *recent, unsigned at_most);
void crash_ledger_forget_process(unsigned process);
typedef struct totals_t {
    unsigned long counts[LOST + 1];
} totals_t;
totals_t crash_ledger_totals(void);

/* Final. */

/** In a process of its own. */
void crash_final_trees(void);
void crash_final_documents(void);
/** Removes the regions, which take up memory. */
void crash_final_sweep(void);

/* Everywhere. */

/** Prints whoever wrote a version, for the one who looks for the reason. */
void crash_describe(unsigned document, apr_uint64_t version);

void crash_violation(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
apr_int64_t crash_now_us(void);
operation_t *crash_operation(apr_uint64_t author);

#endif
