/* Room on the disk: how much of it is kept from documents, so that the library
 * never meets a full one. Private to lib/bdb.
 *
 * The library does not survive a log that cannot be written, and recovering
 * takes room itself. So writes are refused while less than a floor is free;
 * and should the disk fill up all the same, a ballast file is removed to make
 * room for the recovery. Floor, ballast and log together are small beside the
 * file system. */
#ifndef CONDREQ_BDB_ROOM_H
#define CONDREQ_BDB_ROOM_H

#include "condreq_bdb_control.h"

/** Sizes that follow from the file system's. */
typedef struct bdb_room_plan_t {
    /** below this much free nothing is written */
    apr_uint64_t floor_bytes;
    /** the file that is removed where a recovery needs room */
    apr_uint64_t ballast_bytes;
    /** one file of the log, which takes its room when it is begun */
    apr_uint32_t log_file_bytes;
    /** the library's buffer for the log: a quarter of a file at most */
    apr_uint32_t log_buffer_bytes;
    /** how much may be logged between two checkpoints */
    apr_uint32_t checkpoint_bytes;
} bdb_room_plan_t;

/** Plans for a file system of a size: pure. */
void bdb_room_plan(bdb_room_plan_t *plan, apr_uint64_t file_system_bytes);

/** Plans for the one that holds path, or for a large one where that cannot be
 * known. */
void bdb_room_plan_for(bdb_room_plan_t *plan, const char *path);

/** How much room a transaction takes that writes so many bytes of bodies: in
 * the log twice, since what is replaced is logged too, and in the tree. */
apr_uint64_t bdb_room_needed(apr_uint64_t body_bytes);

/** Free bytes where the open directory is; APR_UINT64_MAX where that cannot be
 * known. */
apr_uint64_t bdb_room_free(int directory);

/** Where a store's processes look for room. */
typedef struct bdb_room_t {
    bdb_room_plan_t plan;
    /** directories: of the trees, and of the log where that is on another file
     * system, else -1 */
    int trees;
    int log;
} bdb_room_t;

apr_status_t bdb_room_open(bdb_room_t *room, const char *path,
                           condreq_trouble_t *trouble, apr_pool_t *pool);

/** How much a writer may use up. */
typedef enum bdb_reserve_t {
    /** down to the floor */
    BDB_RESERVE_FLOOR,
    /** half of the floor: for what makes room in the end */
    BDB_RESERVE_HALF
} bdb_reserve_t;

/**
 * Reserves room in a slot, beside what other threads have reserved.
 * @param needed  bytes, from bdb_room_needed()
 * @return 0 or ENOSPC
 */
int bdb_room_reserve(const bdb_room_t *room, bdb_control_t *control,
                     bdb_slot_t *slot, apr_uint64_t needed,
                     bdb_reserve_t reserve);

/** Gives it back: it has been written, or never will be. */
void bdb_room_unreserve(bdb_slot_t *slot);

/** Is it time to make room? Well before writes are refused. */
int bdb_room_is_short(const bdb_room_t *room);

/** Makes the ballast where it is not, if that leaves the floor free.
 * @return is it there? That it cannot be made is how a quota shows. */
int bdb_ballast_ensure(const char *path, const bdb_room_plan_t *plan,
                       apr_pool_t *pool);

/** Removes the ballast. @return was there one? */
int bdb_ballast_release(const char *path, apr_pool_t *pool);

#endif
