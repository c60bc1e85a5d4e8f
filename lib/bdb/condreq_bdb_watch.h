/* The processes that have a slot, watched: the kernel tells of a death at
 * once, by a descriptor a process. */
#ifndef CONDREQ_BDB_WATCH_H
#define CONDREQ_BDB_WATCH_H

#include <poll.h>

#include "condreq_bdb_control.h"

typedef struct bdb_watch_t {
    bdb_control_t *control;
    /** whose slot each was when it was last looked at */
    apr_uint64_t *seen;
    /** who is watched, count of them; processes[i] by polled[i + 1], and the
     * doorbell by polled[0] */
    apr_uint64_t *processes;
    struct pollfd *polled;
    unsigned count;
    /** called for each that is gone, while its slots still are its own */
    void (*on_death)(void *baton, apr_uint64_t process, int inside);
    void *baton;
} bdb_watch_t;

apr_status_t bdb_watch_make(bdb_watch_t **made, bdb_control_t *control,
                            condreq_trouble_t *trouble, apr_pool_t *pool);

/** Looks at every slot for processes that have come. */
void bdb_watch_look(bdb_watch_t *watch);

/** Waits for a death or the doorbell, then looks. A signal ends it. */
void bdb_watch_wait(bdb_watch_t *watch, int longest_ms);

/** How many slots of living processes are inside, with this word. */
unsigned bdb_watch_inside(const bdb_watch_t *watch, apr_uint64_t word);

/**
 * Are all threads that are inside asleep, and did none of them run since the
 * last call? Then they wait for one another and for the dead, for ever: the
 * library never sleeps longer than some milliseconds on anything else, but
 * for the disk, which is another kind of sleep.
 * @param runs  what the last call left there, 0 at first
 */
int bdb_watch_all_asleep(const bdb_watch_t *watch, apr_uint64_t word,
                         apr_uint64_t *runs);

/** Kills the processes of which a thread is inside.
 * @return how many */
unsigned bdb_watch_kill_inside(bdb_watch_t *watch, apr_uint64_t word);

/** Kills the processes of this role, but for this one.
 * @return how many */
unsigned bdb_watch_kill_all(bdb_watch_t *watch, bdb_role_t role);

/** Another process of this role that has a slot and lives; 0 where there is
 * none. */
pid_t bdb_watch_anybody(const bdb_control_t *control, bdb_role_t role);

/** A descriptor that becomes readable when a process ends.
 * @return -1 with errno ESRCH: it has; with another: try again */
int bdb_process_open(pid_t pid);

/** The same for one of which the start time is known. */
int bdb_process_open_same(apr_uint64_t process);

#endif
