/* What a store says of itself: the control file's numbers, the library's, and
 * the sizes of its files.
 * Knows where they stand; changes none. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "condreq_bdb.h"

static apr_uint64_t bytes_below(const char *name)
{
    DIR *directory = opendir(name);
    apr_uint64_t bytes = 0;
    struct dirent *entry;
    struct stat found;

    if (!directory)
        return 0;
    while ((entry = readdir(directory)))
        if (fstatat(dirfd(directory), entry->d_name, &found, 0) == 0 &&
            S_ISREG(found.st_mode))
            bytes += (apr_uint64_t)found.st_size;
    closedir(directory);
    return bytes;
}

/* The first slot of each process counts. */
static int is_counted_before(const bdb_control_t *control, unsigned slot)
{
    apr_uint64_t owner = atomic_load(&control->slots[slot].owner);
    unsigned i;

    for (i = 0; i < slot; i++)
        if (atomic_load(&control->slots[i].owner) == owner)
            return 1;
    return 0;
}

static void count_processes(const bdb_control_t *control,
                            condreq_store_state_t *state)
{
    unsigned i;

    for (i = 0; i < control->slot_count; i++) {
        const bdb_slot_t *slot = &control->slots[i];
        apr_uint64_t owner = atomic_load(&slot->owner);

        if (!owner || owner == control->identity)
            continue;
        state->threads_inside += atomic_load(&slot->inside) != 0;
        state->processes += (bdb_identity_role(owner) == BDB_WORKER ||
                             bdb_identity_role(owner) == BDB_VISITOR) &&
                            !is_counted_before(control, i);
    }
}

static void read_control(const bdb_control_t *control,
                         condreq_store_state_t *state)
{
    const bdb_control_file_t *file = control->file;

    state->durability = (condreq_durability_t)file->durability;
    state->generation = bdb_word_generation(atomic_load(&file->word));
    state->recoveries = atomic_load(&file->recoveries);
    state->processes_ended = atomic_load(&file->processes_ended);
    state->last_recovery_us = atomic_load(&file->last_recovery_us);
    state->keeper = bdb_identity_pid(atomic_load(&file->keeper));
    count_processes(control, state);
}

typedef struct stating_t {
    bdb_visit_t visit;
    condreq_store_state_t *state;
} stating_t;

static int visit_state(bdb_store_t *store, bdb_visit_t *visit)
{
    condreq_store_state_t *state = ((stating_t *)visit)->state;
    DB_MPOOL_STAT *cache;
    int code = store->env->memp_stat(store->env, &cache, NULL, 0);

    if (code != 0)
        return code;
    state->cache_hits = cache->st_cache_hit;
    state->cache_misses = cache->st_cache_miss;
    state->cache_bytes =
        ((apr_uint64_t)cache->st_gbytes << 30) + cache->st_bytes;
    free(cache);
    return 0;
}

apr_status_t bdb_state(condreq_store_t *base, condreq_store_state_t *state,
                       condreq_trouble_t *trouble, apr_pool_t *pool)
{
    bdb_store_t *store = (bdb_store_t *)base;
    stating_t stating = {
        {visit_state, "asking for the state of", store->config.path}, state};
    bdb_places_t places;
    apr_status_t status;

    memset(state, 0, sizeof(*state));
    if ((status = bdb_visit(store, &stating.visit, trouble)) ||
        (status = bdb_places_find(&places, store->config.path, trouble, pool)))
        return status;
    read_control(store->control, state);
    state->incarnation = store->base.incarnation;
    state->log_bytes = bytes_below(places.log);
    state->data_bytes = bytes_below(places.data);
    return APR_SUCCESS;
}
