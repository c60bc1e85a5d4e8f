/* The environment: its settings, made, opened and kept in order.
 * Knows directories, sizes and the trees' properties; not what stands in them.
 * The figures behind the settings come from bench/store_bench.c. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "apr_strings.h"

#include "condreq_bdb_copies.h"
#include "condreq_bdb_index.h"
#include "condreq_bdb_fault.h"
#include "condreq_bdb_keeper.h"
#include "condreq_bdb_watch.h"

/* A killed writer cannot tear a page that the kernel writes at once. */
#define PAGE_SIZE 4096
#define CHECKPOINT_MINUTES 1

/* A transaction that replaces 64 MiB holds a lock on each of its leaf pages,
 * which the old body and the new mostly share; two of those may run at once. */
#define LOCKS_OF_LARGE_BODIES (2u * 20000u)
/* One that replaces a small body, with the pages on the way and a split; one
 * that looks for members visits every shard. */
#define LOCKS_A_THREAD 64u
#define LOCKS_OF_SCANS 16384u
/* Each thread has its transaction's locker, and cursors cached in four
 * handles have theirs; a process that dies leaves its own behind. */
#define LOCKERS_A_THREAD 16u
#define LOCKERS_LEFT_BEHIND 16384u
#define MUTEXES_A_THREAD 16u
#define MUTEXES_LEFT_BEHIND 32768u
#define BYTES_A_LOCK 256u
#define BYTES_A_LOCKER 256u
#define BYTES_A_MUTEX 160u

#define ENV_PARTS (DB_INIT_MPOOL | DB_INIT_LOCK | DB_INIT_LOG | DB_INIT_TXN)
#define KEEPER_ENDS_WITHIN_US (3 * APR_USEC_PER_SEC)
#define YIELD_LONGEST_NS 2000000
#define REGION_NAME_MAX 4200

/* In places the library sleeps for seconds until a page is free again; a
 * look every two milliseconds costs nothing and finds it free at once. */
static int yield_briefly(u_long seconds, u_long microseconds)
{
    struct timespec pause = {0, YIELD_LONGEST_NS};

    if (seconds == 0 && microseconds == 0)
        return sched_yield();
    if (seconds == 0 && microseconds * 1000 < YIELD_LONGEST_NS)
        pause.tv_nsec = (long)microseconds * 1000;
    return nanosleep(&pause, NULL);
}

static u_int32_t locks_for(const condreq_store_config_t *config)
{
    return LOCKS_OF_LARGE_BODIES + LOCKS_OF_SCANS +
           config->threads * LOCKS_A_THREAD;
}

static u_int32_t lockers_for(const condreq_store_config_t *config)
{
    return config->threads * LOCKERS_A_THREAD + LOCKERS_LEFT_BEHIND;
}

static u_int32_t mutexes_for(const condreq_store_config_t *config)
{
    return config->threads * MUTEXES_A_THREAD + MUTEXES_LEFT_BEHIND;
}

/* The library's cache regions grow to five quarters of what was asked for. */
static apr_uint64_t cache_bytes_for(const condreq_store_config_t *config)
{
    return config->cache_bytes + config->cache_bytes / 4;
}

static apr_uint64_t region_bytes_for(const condreq_store_config_t *config,
                                     const bdb_room_plan_t *plan)
{
    return cache_bytes_for(config) + plan->log_buffer_bytes +
           (apr_uint64_t)locks_for(config) * BYTES_A_LOCK +
           (apr_uint64_t)lockers_for(config) * BYTES_A_LOCKER +
           (apr_uint64_t)mutexes_for(config) * BYTES_A_MUTEX;
}

static int set_sizes(DB_ENV *env, const condreq_store_config_t *config,
                     const bdb_room_plan_t *plan)
{
    u_int32_t gigabytes = (u_int32_t)(config->cache_bytes >> 30);
    u_int32_t bytes = (u_int32_t)(config->cache_bytes & 0x3fffffff);
    int code;

    if ((code = env->set_cachesize(env, gigabytes, bytes, 1)) ||
        (code = env->set_lk_max_locks(env, locks_for(config))) ||
        (code = env->set_lk_max_objects(env, locks_for(config))) ||
        (code = env->set_lk_max_lockers(env, lockers_for(config))) ||
        (code = env->set_tx_max(env, 2 * config->threads + 64)) ||
        (code = env->mutex_set_increment(env, mutexes_for(config))) ||
        (code = env->set_lg_bsize(env, plan->log_buffer_bytes)) ||
        (code = env->set_lg_max(env, plan->log_file_bytes)))
        return code;
    return 0;
}

static int set_behaviour(DB_ENV *env, const condreq_store_config_t *config)
{
    int code;

    if ((code = db_env_set_func_yield(yield_briefly)) ||
        (code = env->set_lk_detect(env, DB_LOCK_MINWRITE)) ||
        (code = env->set_timeout(env, (db_timeout_t)config->wait_us,
                                 DB_SET_LOCK_TIMEOUT)) ||
        (code = env->log_set_config(env, DB_LOG_ZERO, 1)) ||
        (code = env->set_flags(env, DB_TXN_WRITE_NOSYNC,
                               config->durability == CONDREQ_WRITE_NOSYNC)))
        return code;
    return 0;
}

/* Absolute directories: the environment's home holds the regions alone. */
static int set_places(DB_ENV *env, const bdb_places_t *places)
{
    int code;

    if ((code = env->set_data_dir(env, places->data)) ||
        (code = env->set_create_dir(env, places->data)) ||
        (code = env->set_lg_dir(env, places->log)) ||
        (code = env->set_tmp_dir(env, places->data)))
        return code;
    return 0;
}

static int environment_open(DB_ENV **env, const condreq_store_config_t *config,
                            const bdb_places_t *places, u_int32_t how)
{
    bdb_room_plan_t plan;
    int code;

    bdb_room_plan_for(&plan, places->log);
    if ((code = db_env_create(env, 0)) != 0)
        return code;
    (*env)->set_errcall(*env, bdb_hear);
    if ((code = set_sizes(*env, config, &plan)) ||
        (code = set_behaviour(*env, config)) ||
        (code = set_places(*env, places)) ||
        (code = (*env)->open(*env, places->regions, ENV_PARTS | DB_THREAD | how,
                             0600)))
        return code;
    return 0;
}

/* Pages torn by a power cut are noticed by their checksum, and by nothing
 * else, since the log holds no whole pages. */
static int tree_open(DB **tree, DB_ENV *env, const char *name, u_int32_t how)
{
    int code;

    if ((code = db_create(tree, env, 0)) ||
        (code = (*tree)->set_pagesize(*tree, PAGE_SIZE)) ||
        (code = (*tree)->set_flags(*tree, DB_CHKSUM)) ||
        (code = (*tree)->open(*tree, NULL, name, NULL, DB_BTREE,
                              DB_AUTO_COMMIT | DB_THREAD | how, 0600)))
        return code;
    return 0;
}

static int trees_open(bdb_store_t *store, u_int32_t how)
{
    int code;

    if ((code = tree_open(&store->versions, store->env, "versions.db", how)) ||
        (code = tree_open(&store->bodies, store->env, "bodies.db", how)) ||
        (code = tree_open(&store->counters, store->env, "counters.db", how)) ||
        (code = tree_open(&store->locks, store->env, "locks.db", how)) ||
        (code = tree_open(&store->index, store->env, "index.db", how)))
        return code;
    return 0;
}

static int trees_close(bdb_store_t *store)
{
    int versions = store->versions->close(store->versions, 0);
    int bodies = store->bodies->close(store->bodies, 0);
    int counters = store->counters->close(store->counters, 0);
    int locks = store->locks->close(store->locks, 0);
    int index = store->index->close(store->index, 0);

    return versions   ? versions
           : bodies   ? bodies
           : counters ? counters
           : locks    ? locks
                      : index;
}

static int reserve_file(const char *name, apr_uint64_t bytes)
{
    int descriptor = open(name, O_RDWR | O_CLOEXEC);
    struct stat found;
    int code = 0;

    if (descriptor < 0)
        return errno;
    if (fstat(descriptor, &found) == 0 && bytes < (apr_uint64_t)found.st_size)
        bytes = (apr_uint64_t)found.st_size;
    /* Not posix_fallocate: the library asks the file for its size. */
    if (fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes) != 0 &&
        errno != EOPNOTSUPP)
        code = errno;
    close(descriptor);
    return code;
}

/* A mapped page that finds no room behind it kills whoever touches it: take
 * the room now. The cache's file, the last one, is still to grow. */
static int reserve_regions(const char *regions, apr_uint64_t cache_bytes)
{
    char name[REGION_NAME_MAX], next[REGION_NAME_MAX];
    int number, code, is_last;

    for (number = 1;; number++) {
        apr_snprintf(name, sizeof(name), "%s/__db.%03d", regions, number);
        apr_snprintf(next, sizeof(next), "%s/__db.%03d", regions, number + 1);
        is_last = access(next, F_OK) != 0;
        code = reserve_file(name, is_last ? cache_bytes : 0);
        if (code != 0 || is_last)
            return code;
    }
}

/* Recovery happens as the environment opens, and before anyone else writes the
 * witnesses learn what it found. The checkpoint makes the next
 * one short, whenever it comes. */
static int make_environment(bdb_store_t *store,
                            const condreq_store_config_t *config,
                            const bdb_places_t *places, bdb_control_t *control,
                            int is_old)
{
    int code, closed;

    if ((code = environment_open(&store->env, config, places,
                                 DB_CREATE | DB_RECOVER)) == 0 &&
        (code = reserve_regions(places->regions, cache_bytes_for(config))) ==
            0 &&
        (code = trees_open(store, DB_CREATE)) == 0 &&
        (code = bdb_format_settle(store)) == 0 &&
        (!is_old || (code = bdb_incarnation_begin(store, 0)) == 0) &&
        (!control || (code = bdb_witnesses_answer(store, control)) == 0) &&
        (code = trees_close(store)) == 0 &&
        (code = store->env->txn_checkpoint(store->env, 0, 0, DB_FORCE)) == 0)
        code = bdb_logs_remove(store);
    closed = store->env ? store->env->close(store->env, 0) : 0;
    return code ? code : closed;
}

apr_status_t bdb_recover(const condreq_store_config_t *config,
                         apr_uint64_t after, bdb_control_t *control, int is_old,
                         condreq_trouble_t *trouble, apr_pool_t *pool)
{
    bdb_store_t *store = apr_pcalloc(pool, sizeof(*store));
    bdb_places_t last, next;
    bdb_room_plan_t plan;
    condreq_trouble_t heard;
    apr_status_t status;
    int code;

    store->last_change = &store->last_change_alone;
    status = bdb_places_find(&last, config->path, trouble, pool);
    if (status != APR_SUCCESS &&
        !(status == CONDREQ_EFORMAT && bdb_places_are_torn(config->path, pool)))
        return status;
    if (last.generation < after)
        last.generation = after;
    bdb_room_plan_for(&plan, config->path);
    if ((status =
             bdb_places_make(&next, &last, config->path,
                             region_bytes_for(config, &plan), trouble, pool)))
        return status;
    store->config = *config;
    bdb_listen(&heard);
    code = make_environment(store, config, &next, control, is_old);
    bdb_listen(NULL);
    CONDREQ_FAULT("recovery before publishing");
    if (code != 0)
        status = bdb_trouble(trouble, code, &heard, "recovering the store in",
                             config->path);
    else
        status = bdb_places_publish(&next, config->path, trouble, pool);
    CONDREQ_FAULT("recovery after publishing");
    if (status != APR_SUCCESS)
        bdb_places_remove_regions(next.regions, pool);
    return status;
}

/* Recovery under a live user destroys data. Whoever calls us has seen to it
 * that there is none; a second look costs nothing. Helpers of a keeper that
 * was killed may be left, and stuck. */
static apr_status_t refuse_if_used(const condreq_store_config_t *config,
                                   condreq_trouble_t *trouble, apr_pool_t *pool)
{
    condreq_trouble_t none;
    bdb_control_t *control;
    pid_t user;

    if (bdb_control_map(&control, config->path, BDB_WORKER, &none, pool))
        return APR_SUCCESS;
    bdb_helpers_end(control, BDB_RECOVERY);
    user = bdb_watch_anybody(control, BDB_WORKER);
    if (!user) {
        bdb_helpers_end(control, BDB_HOUSEKEEPER);
        bdb_visitors_end(control);
    }
    bdb_control_unmap(control);
    if (user)
        return condreq_trouble(trouble, EBUSY,
                               "preparing the store in %s, which process %d "
                               "has open",
                               config->path, (int)user);
    return APR_SUCCESS;
}

/* All that there is was written to the disk with the recovery's checkpoint. */
static apr_status_t note_durability(const condreq_store_config_t *config,
                                    condreq_trouble_t *trouble,
                                    apr_pool_t *pool)
{
    bdb_unsynced_clear(config->path, pool);
    return config->durability == CONDREQ_WRITE_NOSYNC
               ? bdb_unsynced_mark(config->path, trouble, pool)
               : APR_SUCCESS;
}

/* Once more where the ballast makes room for it, which mends no page. */
static apr_status_t recover_alone(const condreq_store_config_t *config,
                                  int is_old, condreq_trouble_t *trouble,
                                  apr_pool_t *pool)
{
    apr_uint64_t after = bdb_control_generation(config->path, pool);
    apr_status_t status =
        bdb_recover(config, after, NULL, is_old, trouble, pool);

    if (status != APR_SUCCESS && status != CONDREQ_EFORMAT &&
        bdb_ballast_release(config->path, pool))
        status = bdb_recover(config, after, NULL, is_old, trouble, pool);
    return status;
}

static apr_status_t prepare_alone(const condreq_store_config_t *config,
                                  condreq_trouble_t *trouble, apr_pool_t *pool)
{
    bdb_room_plan_t plan;
    bdb_places_t places;
    apr_status_t status;
    int is_old = bdb_unsynced_lost(config->path, pool);

    if ((status = refuse_if_used(config, trouble, pool)) ||
        (status = recover_alone(config, is_old, trouble, pool)) ||
        (status = note_durability(config, trouble, pool)) ||
        (status = bdb_places_find(&places, config->path, trouble, pool)))
        return status;
    bdb_room_plan_for(&plan, places.data);
    if ((status = bdb_control_make(
             config, places.generation,
             bdb_ballast_ensure(config->path, &plan, pool), trouble, pool)))
        return status;
    bdb_places_remove_others(&places, config->path, pool);
    return APR_SUCCESS;
}

static int has_workers(const char *path, apr_pool_t *pool)
{
    condreq_trouble_t trouble;
    bdb_control_t *control;
    int found;

    if (bdb_control_map(&control, path, BDB_WORKER, &trouble, pool))
        return 0;
    found = bdb_watch_anybody(control, BDB_WORKER) != 0;
    bdb_control_unmap(control);
    return found;
}

/* A keeper that was asked to end, or that sees that it should, may need a
 * moment; one that keeps the store for nobody gets no more than that. */
static apr_status_t follow_keeper(int *lock, const char *path,
                                  condreq_trouble_t *trouble, apr_pool_t *pool)
{
    apr_status_t status =
        bdb_keeper_lock(lock, path, KEEPER_ENDS_WITHIN_US, trouble, pool);

    if (status != APR_TIMEUP || has_workers(path, pool))
        return status;
    bdb_keeper_kill(path, pool);
    return bdb_keeper_lock(lock, path, KEEPER_ENDS_WITHIN_US, trouble, pool);
}

apr_status_t bdb_prepare(const condreq_store_config_t *config,
                         condreq_trouble_t *trouble, apr_pool_t *pool)
{
    apr_status_t status;
    const char *kept;
    int lock;

    if ((status = bdb_places_make_path(config->path, trouble)) ||
        (status = follow_keeper(&lock, config->path, trouble, pool)))
        return status;
    status = bdb_restore_finish(config->path, &kept, trouble, pool);
    if (status == APR_SUCCESS)
        status = prepare_alone(config, trouble, pool);
    close(lock);
    return status;
}

/* Nothing of it counts before it is closed. */
#define ALONE_THREADS 4
#define ALONE_CACHE_BYTES (32u << 20)
#define ALONE_WAIT_US (10 * APR_USEC_PER_SEC)

int bdb_alone_open(bdb_store_t *store, const char *directory, u_int32_t how)
{
    condreq_store_config_t config = {directory, CONDREQ_SYNC, ALONE_CACHE_BYTES,
                                     ALONE_THREADS, ALONE_WAIT_US};
    bdb_places_t places = {NULL, NULL, directory, 0};
    char data[CONDREQ_STORE_PATH_MAX + 8], log[CONDREQ_STORE_PATH_MAX + 8];
    int code;

    apr_snprintf(data, sizeof(data), "%s/data", directory);
    apr_snprintf(log, sizeof(log), "%s/log", directory);
    places.data = data;
    places.log = log;
    store->config = config;
    store->last_change = &store->last_change_alone;
    if ((code = environment_open(&store->env, &config, &places,
                                 DB_CREATE | DB_PRIVATE | how)) == 0 &&
        (code = store->env->set_flags(store->env, DB_TXN_NOSYNC, 1)) == 0 &&
        (code = trees_open(store, DB_CREATE)) == 0)
        code = bdb_format_settle(store);
    return code;
}

int bdb_alone_close(bdb_store_t *store, int code)
{
    int closed;

    if (store->counters && code == 0 && (code = trees_close(store)) == 0 &&
        (code = store->env->txn_checkpoint(store->env, 0, 0, DB_FORCE)) == 0)
        code = store->env->log_archive(store->env, NULL, DB_ARCH_REMOVE);
    closed = store->env ? store->env->close(store->env, 0) : 0;
    store->env = NULL;
    return code ? code : closed;
}

/* A handle that could not open must be closed, and no other ever is. */
int bdb_handles_open(bdb_store_t *store)
{
    int code;

    store->env = NULL;
    if ((code = environment_open(&store->env, &store->config, &store->places,
                                 0)) == 0 &&
        (code = trees_open(store, 0)) == 0 &&
        (code = bdb_format_check(store)) == 0 &&
        (code = bdb_changes_resume(store)) == 0)
        code = bdb_incarnation(store, &store->base.incarnation);
    if (code != 0 && store->env)
        store->env->close(store->env, 0);
    return code;
}

static apr_status_t store_make(bdb_store_t **made,
                               const condreq_store_config_t *config,
                               bdb_role_t role, condreq_trouble_t *trouble,
                               apr_pool_t *pool)
{
    bdb_store_t *store = apr_pcalloc(pool, sizeof(*store));
    apr_status_t status;

    store->base.provider = &condreq_store_bdb;
    store->config = *config;
    store->config.path = apr_pstrdup(pool, config->path);
    if ((status = bdb_control_map(&store->control, config->path, role, trouble,
                                  pool)) ||
        (status = bdb_room_open(&store->room, config->path, trouble, pool)))
        return status;
    store->last_change = &store->control->file->last_change;
    if ((status = pthread_mutex_init(&store->opening, NULL)) ||
        (status = apr_pool_create_unmanaged(&store->generation_pool)) ||
        (status = apr_thread_mutex_create(&store->body_ids_mutex,
                                          APR_THREAD_MUTEX_DEFAULT, pool)))
        return condreq_trouble(trouble, status, "making a mutex");
    *made = store;
    return APR_SUCCESS;
}

/* The keeper watches whoever has a slot. */
static apr_status_t announce(bdb_store_t *store, condreq_trouble_t *trouble)
{
    if (!bdb_slot_mine(store->control, bdb_clock_us() + store->config.wait_us))
        return condreq_trouble(trouble, APR_TIMEUP,
                               "all of the store's %u places are taken",
                               store->control->slot_count);
    bdb_control_ring(store->control);
    return APR_SUCCESS;
}

/* After it was announced: whoever takes the note away looks then once more
 * whether somebody is there. */
static apr_status_t note_unsynced(const bdb_store_t *store,
                                  condreq_trouble_t *trouble, apr_pool_t *pool)
{
    return store->config.durability == CONDREQ_WRITE_NOSYNC
               ? bdb_unsynced_mark(store->config.path, trouble, pool)
               : APR_SUCCESS;
}

static int visit_nothing(bdb_store_t *store, bdb_visit_t *visit)
{
    (void)store;
    (void)visit;
    return 0;
}

apr_status_t bdb_open_as(condreq_store_t **opened,
                         const condreq_store_config_t *config, bdb_role_t role,
                         condreq_trouble_t *trouble, apr_pool_t *pool)
{
    bdb_visit_t visit = {visit_nothing, "opening the store in", config->path};
    bdb_store_t *store = NULL;
    apr_status_t status;

    if ((status = store_make(&store, config, role, trouble, pool)) ||
        (status = announce(store, trouble)) ||
        (status = note_unsynced(store, trouble, pool)))
        return status;
    status = bdb_visit(store, &visit, trouble);
    bdb_visit_look_again();
    /* One that is being recovered, or that a full disk keeps from opening,
     * opens at its first visit. */
    if (status == CONDREQ_EFORMAT)
        return status;
    *opened = &store->base;
    return APR_SUCCESS;
}

apr_status_t bdb_open(condreq_store_t **opened,
                      const condreq_store_config_t *config,
                      condreq_trouble_t *trouble, apr_pool_t *pool)
{
    return bdb_open_as(opened, config, BDB_WORKER, trouble, pool);
}

static int visit_close(bdb_store_t *store, bdb_visit_t *visit)
{
    int trees = trees_close(store);
    int environment = store->env->close(store->env, 0);

    (void)visit;
    store->places.regions = NULL;
    atomic_store(&store->opened, 0);
    return trees ? trees : environment;
}

/* What is not closed here is left to the keeper, as for one that is killed. */
void bdb_close(condreq_store_t *base)
{
    bdb_store_t *store = (bdb_store_t *)base;
    bdb_visit_t visit = {visit_close, "closing the store", ""};
    condreq_trouble_t trouble;

    if (atomic_load(&store->opened) != atomic_load(&store->control->file->word))
        return;
    if (bdb_visit(store, &visit, &trouble) == APR_SUCCESS)
        bdb_slot_give_back(store->control);
}

static int checkpoint(bdb_store_t *store)
{
    return store->env->txn_checkpoint(store->env,
                                      store->room.plan.checkpoint_bytes / 1024,
                                      CHECKPOINT_MINUTES, 0);
}

/* Where room is short, old logs are in the way of documents. */
static int visit_checkpoint(bdb_store_t *store, bdb_visit_t *visit)
{
    int code = checkpoint(store);

    (void)visit;
    if (code == 0 && bdb_room_is_short(&store->room))
        code = bdb_logs_remove(store);
    return code;
}

apr_status_t bdb_checkpoint(condreq_store_t *store, condreq_trouble_t *trouble)
{
    bdb_visit_t visit = {visit_checkpoint, "making a checkpoint", ""};

    return bdb_visit((bdb_store_t *)store, &visit, trouble);
}

int bdb_refuses_writes(const condreq_store_t *store)
{
    const bdb_store_t *kept = (const bdb_store_t *)store;

    return atomic_load(&kept->control->file->has_no_ballast) != 0;
}

int bdb_is_short_of_room(const condreq_store_t *store)
{
    return bdb_room_is_short(&((const bdb_store_t *)store)->room);
}

/* A lock that was waited for too long is given up only when somebody looks:
 * the library's waiting threads have no clock. The flush is for draws that no
 * commit has flushed, and for commits that flush nothing; a second's worth is
 * what a power cut can take of those. The checkpoint does nothing where little
 * was logged. */
static int visit_maintain(bdb_store_t *store, bdb_visit_t *visit)
{
    DB_ENV *env = store->env;
    int code;

    (void)visit;
    if ((code = env->lock_detect(env, 0, DB_LOCK_EXPIRE, NULL)) ||
        (code = env->log_flush(env, NULL)) || (code = checkpoint(store)) ||
        (code = bdb_logs_remove(store)))
        return code;
    return 0;
}

static int visit_sweep(bdb_store_t *store, bdb_visit_t *visit)
{
    (void)visit;
    return bdb_log_sweep(store);
}

apr_status_t bdb_maintain(condreq_store_t *store, condreq_trouble_t *trouble,
                          apr_pool_t *pool)
{
    bdb_visit_t visit = {visit_maintain, "keeping the store in order", ""};
    bdb_visit_t sweep = {visit_sweep, "sweeping the log of changes", ""};
    bdb_store_t *kept = (bdb_store_t *)store;
    apr_status_t status;

    atomic_store(
        &kept->control->file->has_no_ballast,
        !bdb_ballast_ensure(kept->config.path, &kept->room.plan, pool));
    status = bdb_visit(kept, &visit, trouble);
    return status ? status : bdb_visit(kept, &sweep, trouble);
}
