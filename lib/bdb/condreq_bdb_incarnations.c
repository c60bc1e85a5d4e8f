/* Which incarnation comes next, where an old state is brought back: one that
 * was never begun before, neither in the store that is replaced nor by an
 * earlier restoration of the same backup.
 * Knows where each of them says so. Reads a store that may be damaged, and
 * opens none. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "apr_strings.h"

#include "condreq_bdb_copies.h"

#define RECORD "/restorations"

/* ---- in a store's own counters ---- */

/* Written with a checkpoint whenever it begins, so the pages have it. */
static int look_at_pair(const bdb_page_t page, unsigned pair, int descriptor,
                        apr_uint64_t *incarnation)
{
    unsigned char room[2 * BDB_ITEM_MAX];
    bdb_item_t key, value;

    if (!bdb_leaf_pair(page, pair, descriptor, &key, &value, room) ||
        key.length != 1 || key.bytes[0] != BDB_KIND_INCARNATION ||
        value.length != 8)
        return 0;
    *incarnation = bdb_read_u64(value.bytes);
    return 1;
}

int bdb_incarnation_read(const char *path, apr_uint64_t *incarnation,
                         apr_pool_t *pool)
{
    int descriptor = open(apr_pstrcat(pool, path, "/data/counters.db", NULL),
                          O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    apr_uint32_t number = 0, damaged;
    int sound = descriptor >= 0;
    bdb_page_t page[1];
    unsigned got, pair;

    *incarnation = 0;
    while (sound &&
           bdb_pages_read(descriptor, number, page, 1, 0, &got, &damaged) ==
               0 &&
           got == 1) {
        sound = damaged != number++;
        for (pair = 0; sound && pair < bdb_leaf_pairs(page[0], 0); pair++)
            look_at_pair(page[0], pair, descriptor, incarnation);
    }
    if (descriptor >= 0)
        close(descriptor);
    return sound;
}

/* ---- in a backup's record of its restorations ---- */

static apr_uint64_t recorded(const char *directory, apr_pool_t *pool)
{
    FILE *file = fopen(apr_pstrcat(pool, directory, RECORD, NULL), "re");
    unsigned long long latest = 0;

    if (!file)
        return 0;
    if (fscanf(file, "%llu", &latest) != 1)
        latest = 0;
    fclose(file);
    return latest;
}

static int record(const char *directory, apr_uint64_t incarnation,
                  apr_pool_t *pool)
{
    const char *name = apr_pstrcat(pool, directory, RECORD, NULL);
    const char *unfinished = apr_pstrcat(pool, name, ".new", NULL);
    FILE *file = fopen(unfinished, "we");
    int written;

    if (!file)
        return 0;
    written = fprintf(file, "%" APR_UINT64_T_FMT "\n", incarnation) > 0 &&
              fflush(file) == 0 && fsync(fileno(file)) == 0;
    return fclose(file) == 0 && written && rename(unfinished, name) == 0 &&
           bdb_directory_sync(directory);
}

static apr_uint64_t later(apr_uint64_t one, apr_uint64_t other)
{
    return one > other ? one : other;
}

/* Seconds since the epoch, where nobody knows: more than anybody counted. */
apr_uint64_t bdb_incarnation_next(const char *path, const char *directory,
                                  apr_uint64_t incarnation, apr_pool_t *pool)
{
    apr_uint64_t here = 0;
    int knows = bdb_incarnation_read(path, &here, pool);
    apr_uint64_t next =
        later(later(incarnation, here), recorded(directory, pool)) + 1;

    return record(directory, next, pool) || knows
               ? next
               : later(next, (apr_uint64_t)apr_time_sec(apr_time_now()));
}
