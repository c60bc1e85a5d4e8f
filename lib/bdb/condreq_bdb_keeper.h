/* What the keeper is made of. Private to condreq_bdb_keeper.c and the files
 * named here; not for those who go inside. */
#ifndef CONDREQ_BDB_KEEPER_H
#define CONDREQ_BDB_KEEPER_H

#include "condreq_bdb_control.h"

/* Turns (condreq_bdb_turn.c): one keeper at a time. */

/** Takes the keeper's lock, waiting for it no longer than that.
 * @param lock  is set to a descriptor; closing it gives the lock back
 * @return APR_TIMEUP: another keeper has it */
apr_status_t bdb_keeper_lock(int *lock, const char *path,
                             apr_interval_time_t longest_us,
                             condreq_trouble_t *trouble, apr_pool_t *pool);

/** Is there a keeper? */
int bdb_keeper_is_there(const char *path, apr_pool_t *pool);

/** Kills the keeper, which may be at any time. */
void bdb_keeper_kill(const char *path, apr_pool_t *pool);

/** Waits until this process is the keeper, or should end. It is until it
 * ends. */
apr_status_t bdb_keeper_turn(const char *path, const condreq_keeper_t *keeper,
                             condreq_trouble_t *trouble, apr_pool_t *pool);

/* Helpers (condreq_bdb_helpers.c): processes of the keeper's own. */

/** Waits for a child; one that should end with us is killed.
 * @return did it exit with 0? */
int bdb_helper_await(pid_t child, const condreq_keeper_t *keeper);

/** Kills what an earlier keeper left running, and waits until it is gone.
 * @param role  RECOVERY; HOUSEKEEPER only where nobody else is inside */
void bdb_helpers_end(bdb_control_t *control, bdb_role_t role);

/** Lets no visitor inside any more, and returns once all are out: those that
 * take too long are killed. Their tools find out by themselves. */
void bdb_visitors_end(bdb_control_t *control);

/** Does what maintain() does, again and again, until the keeper is gone. */
typedef struct bdb_housekeeper_t {
    pid_t pid;
    /** its other end is closed when the keeper is gone */
    int leash;
    apr_int64_t not_before_us;
} bdb_housekeeper_t;

/** Starts it where it does not run. */
void bdb_housekeeper_ensure(bdb_housekeeper_t *housekeeper,
                            const condreq_store_config_t *config,
                            const condreq_keeper_t *keeper, apr_pool_t *pool);

/** Lets it go, and waits until it is outside and gone, bounded. */
void bdb_housekeeper_end(bdb_housekeeper_t *housekeeper);

/* Regions (condreq_bdb_panic.c). */

/** Marks regions as lost, without the library.
 * @return 0 where they are none of this library's */
int bdb_region_panic(const char *regions, apr_pool_t *pool);

/* Standstill (condreq_bdb_standstill.c). */

typedef struct bdb_standstill_t bdb_standstill_t;

bdb_standstill_t *bdb_standstill_make(bdb_control_t *control,
                                      const condreq_store_config_t *config,
                                      apr_pool_t *pool);

/** Looks, once a second at most: are threads inside that make no progress, and
 * will not? */
int bdb_standstill(bdb_standstill_t *standstill, apr_uint64_t word,
                   apr_pool_t *pool);

#endif
