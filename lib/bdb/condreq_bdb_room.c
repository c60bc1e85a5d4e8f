/* Room on the disk: the plan, what is free, what is reserved, and the ballast.
 * Knows file systems, slots and one file; no library call, no transaction. */
#include "condreq_bdb_room.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "apr_strings.h"

#define KIB ((apr_uint64_t)1024)
#define MIB (1024 * KIB)

/* All that is kept from documents: this, or a quarter of the file system. */
#define KEPT_AT_MOST (256 * MIB)
#define KEPT_SHARE 4
#define SMALLEST_LOG_FILE (256 * KIB)
#define LARGEST_LOG_FILE (10 * MIB)
/* A larger buffer brings nothing: it is flushed with every commit, and its
 * bytes had better stay in the processor's cache. */
#define LARGEST_LOG_BUFFER (256 * KIB)
#define LARGEST_CHECKPOINT (4 * MIB)
/* Records, inner pages, and a log file that is begun on the way. */
#define NEEDED_BESIDE_BODIES (64 * KIB)

static apr_uint64_t within(apr_uint64_t value, apr_uint64_t least,
                           apr_uint64_t most)
{
    return value < least ? least : value > most ? most : value;
}

/* Sixteen parts. At most two files of the log are begun beside what a
 * checkpoint has not made superfluous; what was logged since the last one may
 * stand in memory still, and takes as much in the trees once it is written. A
 * recovery writes that, and begins a file of the log. */
void bdb_room_plan(bdb_room_plan_t *plan, apr_uint64_t file_system_bytes)
{
    apr_uint64_t kept = within(file_system_bytes / KEPT_SHARE, 0, KEPT_AT_MOST);
    apr_uint64_t log_file =
        within(kept / 16, SMALLEST_LOG_FILE, LARGEST_LOG_FILE);
    apr_uint64_t checkpoint =
        within(kept / 16, SMALLEST_LOG_FILE, LARGEST_CHECKPOINT);

    plan->log_file_bytes = (apr_uint32_t)log_file;
    plan->log_buffer_bytes =
        (apr_uint32_t)within(log_file / 4, 0, LARGEST_LOG_BUFFER);
    plan->checkpoint_bytes = (apr_uint32_t)checkpoint;
    plan->ballast_bytes = 2 * checkpoint + log_file;
    plan->floor_bytes = 4 * checkpoint + 2 * log_file;
}

void bdb_room_plan_for(bdb_room_plan_t *plan, const char *path)
{
    struct statvfs found;

    bdb_room_plan(plan, statvfs(path, &found) == 0
                            ? (apr_uint64_t)found.f_blocks * found.f_frsize
                            : KEPT_SHARE * KEPT_AT_MOST);
}

apr_uint64_t bdb_room_needed(apr_uint64_t body_bytes)
{
    return 3 * body_bytes + NEEDED_BESIDE_BODIES;
}

apr_uint64_t bdb_room_free(int directory)
{
    struct statvfs found;

    return fstatvfs(directory, &found) == 0
               ? (apr_uint64_t)found.f_bavail * found.f_frsize
               : APR_UINT64_MAX;
}

apr_status_t bdb_room_open(bdb_room_t *room, const char *path,
                           condreq_trouble_t *trouble, apr_pool_t *pool)
{
    const char *trees = apr_pstrcat(pool, path, "/data", NULL);
    const char *log = apr_pstrcat(pool, path, "/log", NULL);
    struct stat of_trees, of_log;

    bdb_room_plan_for(&room->plan, trees);
    room->trees = open(trees, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    room->log = open(log, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (room->trees < 0 || fstat(room->trees, &of_trees) != 0 ||
        room->log < 0 || fstat(room->log, &of_log) != 0)
        return condreq_trouble(trouble, errno, "opening %s and %s", trees, log);
    if (of_trees.st_dev == of_log.st_dev) {
        close(room->log);
        room->log = -1;
    }
    return APR_SUCCESS;
}

/* ---- what is reserved ---- */

/* Where there is more than this, nobody need count. */
static apr_uint64_t ample(const bdb_room_plan_t *plan)
{
    return 4 * plan->floor_bytes + 256 * MIB;
}

static apr_uint64_t least_free(const bdb_room_t *room)
{
    apr_uint64_t trees = bdb_room_free(room->trees);
    apr_uint64_t log = room->log < 0 ? trees : bdb_room_free(room->log);

    return log < trees ? log : trees;
}

static apr_uint64_t reserved_by_all(const bdb_control_t *control)
{
    apr_uint64_t sum = 0;
    unsigned i;

    for (i = 0; i < control->slot_count; i++)
        sum += atomic_load(&control->slots[i].reserved_bytes);
    return sum;
}

/* The housekeeper could not make the ballast although there is room enough: a
 * quota stands in the way. */
static int quota_is_full(const bdb_room_t *room, const bdb_control_t *control,
                         apr_uint64_t free_bytes)
{
    return atomic_load(&control->file->has_no_ballast) &&
           free_bytes >= room->plan.floor_bytes + room->plan.ballast_bytes;
}

/* Each reserves before it looks, so that of two that come at once at least one
 * sees the other. */
int bdb_room_reserve(const bdb_room_t *room, bdb_control_t *control,
                     bdb_slot_t *slot, apr_uint64_t needed,
                     bdb_reserve_t reserve)
{
    apr_uint64_t free_bytes = least_free(room);
    apr_uint64_t kept = room->plan.floor_bytes;

    if (reserve == BDB_RESERVE_HALF)
        kept /= 2;
    else if (atomic_load(&control->file->has_no_ballast))
        return ENOSPC;
    if (quota_is_full(room, control, free_bytes))
        return ENOSPC;
    atomic_fetch_add(&slot->reserved_bytes, needed);
    if (free_bytes >= ample(&room->plan) + needed ||
        free_bytes >= kept + reserved_by_all(control))
        return 0;
    return ENOSPC;
}

void bdb_room_unreserve(bdb_slot_t *slot)
{
    atomic_store_explicit(&slot->reserved_bytes, 0, memory_order_relaxed);
}

int bdb_room_is_short(const bdb_room_t *room)
{
    return least_free(room) < room->plan.floor_bytes + room->plan.ballast_bytes;
}

/* ---- ballast ---- */

static const char *ballast_name(const char *path, apr_pool_t *pool)
{
    return apr_pstrcat(pool, path, "/ballast", NULL);
}

static int has_ballast(const char *name, const bdb_room_plan_t *plan)
{
    struct stat found;

    return stat(name, &found) == 0 && S_ISREG(found.st_mode) &&
           (apr_uint64_t)found.st_size == plan->ballast_bytes;
}

static int has_room_for(const char *path, const bdb_room_plan_t *plan)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int has_room;

    if (directory < 0)
        return 0;
    has_room =
        bdb_room_free(directory) >= plan->ballast_bytes + plan->floor_bytes;
    close(directory);
    return has_room;
}

/* One that has only a part of its room is none. The floor is asked for with
 * it and given back, for a quota tells in no other way how much is left. */
static int make_ballast(const char *name, const bdb_room_plan_t *plan)
{
    int descriptor =
        open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int made = descriptor >= 0 &&
               posix_fallocate(
                   descriptor, 0,
                   (off_t)(plan->ballast_bytes + plan->floor_bytes)) == 0 &&
               ftruncate(descriptor, (off_t)plan->ballast_bytes) == 0;

    if (descriptor >= 0)
        close(descriptor);
    if (!made && descriptor >= 0)
        unlink(name);
    return made;
}

int bdb_ballast_ensure(const char *path, const bdb_room_plan_t *plan,
                       apr_pool_t *pool)
{
    const char *name = ballast_name(path, pool);

    return has_ballast(name, plan) ||
           (has_room_for(path, plan) && make_ballast(name, plan));
}

int bdb_ballast_release(const char *path, apr_pool_t *pool)
{
    return unlink(ballast_name(path, pool)) == 0;
}
