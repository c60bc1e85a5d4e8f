/* Standstill: threads that are inside and will never come out, although
 * nobody died there.
 * Knows slots, processor time and the log's files; ends nobody.
 *
 * A thread that works spends processor time or moves the log. Where none of
 * those that have been inside for long does either, the store stands still;
 * where others still write, a single one is given longer. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "apr_strings.h"

#include "condreq_bdb_keeper.h"

#define LOOK_EVERY_US APR_USEC_PER_SEC
#define LONG_INSIDE_US (5 * APR_USEC_PER_SEC)
/* Longer than any wait for a lock lasts. */
#define WAITS_UNTIL_STUCK 3

typedef struct pace_t {
    apr_uint64_t owner;
    apr_int64_t since_us;
    apr_uint64_t ticks;
    /** when it last spent any */
    apr_int64_t moved_us;
} pace_t;

struct bdb_standstill_t {
    bdb_control_t *control;
    const condreq_store_config_t *config;
    pace_t *paces;
    apr_int64_t looked_us;
    apr_int64_t log_ns;
    apr_int64_t log_moved_us;
};

bdb_standstill_t *bdb_standstill_make(bdb_control_t *control,
                                      const condreq_store_config_t *config,
                                      apr_pool_t *pool)
{
    bdb_standstill_t *standstill = apr_pcalloc(pool, sizeof(*standstill));

    standstill->control = control;
    standstill->config = config;
    standstill->paces =
        apr_pcalloc(pool, control->slot_count * sizeof(*standstill->paces));
    standstill->log_moved_us = bdb_clock_us();
    return standstill;
}

/* ---- the log ---- */

static apr_int64_t log_written_ns(const char *path, apr_pool_t *pool)
{
    const char *name = apr_pstrcat(pool, path, "/log", NULL);
    DIR *directory = opendir(name);
    apr_int64_t latest_ns = 0;
    struct dirent *entry;
    struct stat found;

    if (!directory)
        return 0;
    while ((entry = readdir(directory))) {
        apr_int64_t written_ns;

        if (fstatat(dirfd(directory), entry->d_name, &found, 0) != 0 ||
            !S_ISREG(found.st_mode))
            continue;
        written_ns = found.st_mtim.tv_sec * 1000000000L + found.st_mtim.tv_nsec;
        if (written_ns > latest_ns)
            latest_ns = written_ns;
    }
    closedir(directory);
    return latest_ns;
}

static void look_at_log(bdb_standstill_t *standstill, apr_int64_t now_us,
                        apr_pool_t *pool)
{
    apr_int64_t written_ns = log_written_ns(standstill->config->path, pool);

    if (written_ns != standstill->log_ns)
        standstill->log_moved_us = now_us;
    standstill->log_ns = written_ns;
}

/* ---- threads ---- */

/* The 14th and 15th fields: in the program and in the kernel. */
static apr_uint64_t ticks_spent(pid_t pid, apr_uint32_t thread)
{
    unsigned long long program = 0, kernel = 0;
    char name[96], line[1024];
    const char *rest;
    FILE *file;

    snprintf(name, sizeof(name), "/proc/%d/task/%u/stat", (int)pid, thread);
    if (!(file = fopen(name, "re")))
        return 0;
    if (!fgets(line, sizeof(line), file) || !(rest = strrchr(line, ')')) ||
        sscanf(rest + 1,
               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
               &program, &kernel) != 2)
        program = kernel = 0;
    fclose(file);
    return program + kernel;
}

static void look_at_thread(pace_t *pace, const bdb_slot_t *slot,
                           apr_int64_t now_us)
{
    apr_uint64_t owner = atomic_load(&slot->owner);
    apr_int64_t since_us = atomic_load(&slot->since_us);
    apr_uint64_t ticks =
        ticks_spent(bdb_identity_pid(owner), atomic_load(&slot->thread));

    if (owner != pace->owner || since_us != pace->since_us ||
        ticks != pace->ticks)
        pace->moved_us = now_us;
    pace->owner = owner;
    pace->since_us = since_us;
    pace->ticks = ticks;
}

int bdb_standstill(bdb_standstill_t *standstill, apr_uint64_t word,
                   apr_pool_t *pool)
{
    apr_int64_t now_us = bdb_clock_us();
    apr_int64_t idle_us, longest_idle_us = 0, shortest_idle_us = -1;
    unsigned i;

    if (now_us - standstill->looked_us < LOOK_EVERY_US)
        return 0;
    standstill->looked_us = now_us;
    look_at_log(standstill, now_us, pool);
    for (i = 0; i < standstill->control->slot_count; i++) {
        const bdb_slot_t *slot = &standstill->control->slots[i];

        if (atomic_load(&slot->inside) != word ||
            now_us - atomic_load(&slot->since_us) < LOOK_EVERY_US)
            continue;
        look_at_thread(&standstill->paces[i], slot, now_us);
        if (now_us - atomic_load(&slot->since_us) < LONG_INSIDE_US)
            continue;
        idle_us = now_us - standstill->paces[i].moved_us;
        if (idle_us > longest_idle_us)
            longest_idle_us = idle_us;
        if (shortest_idle_us < 0 || idle_us < shortest_idle_us)
            shortest_idle_us = idle_us;
    }
    return (shortest_idle_us >= LONG_INSIDE_US &&
            now_us - standstill->log_moved_us >= LONG_INSIDE_US) ||
           longest_idle_us >=
               WAITS_UNTIL_STUCK * standstill->config->wait_us + LONG_INSIDE_US;
}
