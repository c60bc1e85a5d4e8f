/* Power cuts: what the driver's files share, and which file knows what.
 *
 * power.c         options, rounds, the report
 * power_trace.c   notes all that a store's process writes, in order
 * power_disk.c    makes from that a disk as a power cut could have left it
 * power_work.c    clients: what they wrote, and what was acknowledged when
 * power_judge.c   what a store must show that is prepared upon such a disk
 * power_small.c   the small files beside trees and log
 * power_torn.c    pages of which a part is old
 *
 * No machine is switched off. A disk that loses power keeps what a flush
 * confirmed, and of what was written later any part; so with the order of all
 * writes and flushes known, each state that can be is a choice, and hundreds
 * are tried. Processes share one mapping: the store is only ever open in
 * children, which end without closing it. */
#ifndef POWER_H
#define POWER_H

#include <stdatomic.h>
#include <sys/types.h>

#include "condreq_document.h"
#include "condreq_store.h"

#define SECTOR 512u
#define PAGE 4096u

/* ---- the trace ---- */

typedef enum event_kind_t {
    /** a name for a new file */
    EVENT_CREATE,
    EVENT_WRITE,
    EVENT_TRUNCATE,
    EVENT_RENAME,
    EVENT_UNLINK,
    /** a flush has returned; what it covers was written before it began */
    EVENT_SYNC,
    /** a client was told; only its place in the order counts */
    EVENT_MARK
} event_kind_t;

typedef struct event_t {
    event_kind_t kind;
    unsigned file;
    /** WRITE, TRUNCATE: where; SYNC: the event that it began with */
    apr_uint64_t at;
    apr_uint64_t length;
    /** WRITE: the bytes; CREATE, RENAME, UNLINK: the name; in trace_bytes() */
    apr_uint64_t bytes;
} event_t;

/** Maps the memory for a trace: before the first fork. */
void trace_map(void);

/** Forgets all, and takes what stands in a store's trees and log for written
 * and flushed. */
void trace_begin(const char *store);

/** From here on calls are noted, in this process. */
void trace_record(void);

/** Enters a mark. @return its place */
apr_uint64_t trace_mark(void);

apr_uint64_t trace_count(void);
const event_t *trace_event(apr_uint64_t index);
const char *trace_bytes(const event_t *event);
/** Where what trace_begin() found ends. */
apr_uint64_t trace_found(void);

/** The run of the kernel that this process believes to be in. */
void trace_boot(const char *boot);

/* ---- the disk ---- */

/** What is written over the end of the log where its rest never arrived. */
typedef enum tail_t { TAIL_ABSENT, TAIL_ZERO, TAIL_OLD, TAIL_KINDS } tail_t;

typedef enum log_fate_t {
    /** nothing but what was flushed */
    LOG_FLUSHED,
    /** all of it */
    LOG_WHOLE,
    /** up to a record's end */
    LOG_AT_RECORD,
    /** up to a byte in a record */
    LOG_IN_RECORD,
    /** any of its sectors */
    LOG_SECTORS,
    LOG_FATES
} log_fate_t;

/** One choice. */
typedef struct fate_t {
    /** the power goes before this event */
    apr_uint64_t cut;
    log_fate_t log;
    tail_t tail;
    /** of 8 unflushed pages of the trees so many arrive */
    unsigned pages_of_8;
    /** of names made or removed since the last flush: none, some, all */
    unsigned names;
    unsigned seed;
    /** which of the records that are under way is the last, from 1; 0: one at
     * random */
    unsigned record;
    /** the disk forgets the last flush that it confirmed: to see that this is
     * noticed */
    int lies;
} fate_t;

/** Chooses at random. @param seed  all that the choice depends on */
fate_t fate_draw(unsigned seed, apr_uint64_t first);

/** How many of the log's records are under way. */
unsigned disk_records(const fate_t *fate);

/** Makes PATH/data and PATH/log. */
void disk_make(const fate_t *fate, const char *path);

/** For the one who looks for the reason. */
void fate_print(const fate_t *fate);

/* ---- work ---- */

/** Written one by one, and deleted, and made anew. */
#define DOCUMENTS 14u
/** Written together, in one transaction. */
#define PAIR 2u
/** Made under a number of their collection. */
#define CREATED_MAX 240u
#define KEYS (DOCUMENTS + PAIR + CREATED_MAX)
#define VERSIONS_MAX 400u

#define COLLECTION "localhost/made/"

/** One version of one document. */
typedef struct written_t {
    /** events: the call began after, and had returned before; 0 where it was
     * there from the start, APR_UINT64_MAX where it has not */
    apr_uint64_t began;
    apr_uint64_t acknowledged;
    apr_uint64_t seed;
    apr_uint64_t incarnation;
    condreq_record_t record;
} written_t;

typedef struct history_t {
    /** [key][version], version 0 unused; state ABSENT: nobody wrote it */
    written_t versions[KEYS][VERSIONS_MAX];
    /** those of an earlier round that a power cut has taken, after they were
     * acknowledged: only where commits are not flushed */
    unsigned lost_count;
    struct {
        unsigned key;
        written_t written;
    } lost[8192];
} history_t;

extern history_t *history;

condreq_store_config_t work_config(const char *path, int nosync);
const char *work_key(unsigned key, apr_pool_t *pool);
void work_body(char *bytes, apr_size_t length, apr_uint64_t seed);

/** In a child: prepares, opens, adopts what is there, and sets threads to work,
 * while the trace is recorded.
 * @param cut  where the round before was cut; 0 for the first */
void work_run(const char *path, int nosync, unsigned round, unsigned writes,
              apr_uint64_t cut);

/** One write of a kind that suits the key. @return 0 where it failed */
int work_write(condreq_store_t *store, unsigned key, apr_uint64_t seed,
               written_t *written, apr_pool_t *pool);
/** Both of the pair. */
int work_write_pair(condreq_store_t *store, apr_uint64_t seed,
                    written_t written[PAIR], apr_pool_t *pool);
/** One more of the collection. @return its number, 0 where it failed */
unsigned work_create(condreq_store_t *store, apr_uint64_t seed,
                     written_t *written, apr_pool_t *pool);

/* ---- judgement ---- */

typedef enum violation_t {
    /** it could not be prepared or opened */
    VIOLATION_CLOSED,
    /** a tree is not one */
    VIOLATION_TREE,
    /** what was acknowledged is not there */
    VIOLATION_LOST,
    /** what is there was never written so */
    VIOLATION_HALF,
    /** something is there that builds on what is not */
    VIOLATION_ORDER,
    /** a new write fails, or does not follow what is there */
    VIOLATION_WRITE,
    /** a collection gave a name for the second time */
    VIOLATION_NAME,
    /** a tag that was handed out names something else */
    VIOLATION_TAG,
    VIOLATIONS
} violation_t;

typedef struct board_t {
    _Atomic(unsigned) violations[VIOLATIONS];
    _Atomic(unsigned) states;
    /** commits that were acknowledged and are gone: with nosync only */
    _Atomic(unsigned) taken;
    /** what the last judge left */
    apr_uint64_t found[KEYS];
} board_t;

extern board_t *board;

void power_violation(violation_t kind, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Prepares and opens what is at path, in a child, after a power cut before
 * the event cut, and looks at everything.
 * @param again  prepares and looks once more after new writes
 * @return is all well? */
int judge(const char *path, apr_uint64_t cut, int nosync, int again);

/** In this process: holds an open store against the history.
 * @param found  is set to the version of each key */
void judge_contents(condreq_store_t *store, apr_uint64_t cut, int nosync,
                    apr_uint64_t found[KEYS], apr_pool_t *pool);

/* ---- other tables ---- */

/** Rows of TAP; over the trace and the history of the last round. */
void small_rows(const char *place, int nosync);
/** Over those of the first round, in which the trees' roots still change. */
void torn_rows(const char *place);

/** One row of TAP. */
void power_row(int claim, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** A child that runs this and has to return 0. */
int power_apart(int (*run)(void *baton), void *baton);
/** Removes a store and its regions. */
void power_remove(const char *path);

#endif
