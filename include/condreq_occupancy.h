/* Occupancy: who has a store, by two lock files in its directory. The kernel
 * lets go of a lock with the last process that has it open.
 *
 *   PATH/owner  held alone by a server as long as it lives, and shared by an
 *               administrator's tools while they look whether there is one
 *   PATH/users  shared by every process of a server's that has the store
 *               open, and held alone by whoever brings the store in order
 *
 * A store may be brought in order only while nobody shares "users": recovery
 * under live users destroys data. */
#ifndef CONDREQ_OCCUPANCY_H
#define CONDREQ_OCCUPANCY_H

#include "apr_errno.h"
#include "apr_time.h"

/**
 * Takes a store for a server.
 * @param lock        is set to a descriptor, which holds it until it is closed
 * @param longest_us  how long to wait for tools, which soon let go
 * @return APR_SUCCESS, EBUSY: another server has it, APR_TIMEUP: a tool
 *         has it, or the system's trouble with the lock file
 */
apr_status_t condreq_occupancy_own(int *lock, const char *path,
                                   apr_interval_time_t longest_us);

/**
 * Keeps servers from taking a store, for a moment. Tools may do so together.
 * @param lock  as above
 * @return APR_SUCCESS, EBUSY: a server has it, or the system's trouble
 */
apr_status_t condreq_occupancy_borrow(int *lock, const char *path);

/** Says that this process has a store open.
 * @param lock  as above */
apr_status_t condreq_occupancy_share(int *lock, const char *path);

/**
 * Takes a store to bring it in order.
 * @param lock        as above
 * @param longest_us  how long to wait for those who have it open
 * @return APR_SUCCESS, EBUSY: they still have, or the system's trouble
 */
apr_status_t condreq_occupancy_empty(int *lock, const char *path,
                                     apr_interval_time_t longest_us);

#endif
