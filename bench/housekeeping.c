/* A day's writes through the Berkeley DB store with its keeper beside it: do
 * the log, the time of a recovery and the memory stay bounded?
 * Knows the store's interface, and of its places the names; no request.
 *
 * Several processes insert, update and delete; every so many writes all of them
 * are killed at once, keeper and housekeeper too, and the recovery is timed.
 * In the end generations are condemned under living writers, to see what each
 * leaves in their memory. What is printed is a table for bench/curve. */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "../lib/bdb/condreq_bdb.h"

#define BODY_LONGEST 900u
#define PROCESSES_MAX 64
#define SAMPLE_US 50000

static struct {
    const char *path;
    unsigned long writes;
    unsigned long sample_every;
    unsigned long kill_every;
    unsigned processes;
    unsigned threads;
    unsigned recoveries;
    int nosync;
} options = {NULL, 1000000, 5000, 100000, 2, 16, 100, 0};

/* What all processes share. */
typedef struct board_t {
    _Atomic(unsigned long) writes;
    _Atomic(unsigned long) documents;
    _Atomic(int) stop;
    /** how much had been logged since a checkpoint, at most, since the last
     * sample */
    _Atomic(unsigned long) unflushed_most;
    _Atomic(unsigned long) unflushed_now;
} board_t;

static board_t *board;
static pid_t workers[PROCESSES_MAX];
static pid_t keeper;
static pid_t gauge;
static double begun_s;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "housekeeping: %s: %s\n", what, why);
    exit(1);
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static condreq_store_config_t store_config(void)
{
    condreq_store_config_t config = {options.path, CONDREQ_SYNC, 64u << 20,
                                     PROCESSES_MAX * 4, 60 * APR_USEC_PER_SEC};

    if (options.nosync)
        config.durability = CONDREQ_WRITE_NOSYNC;
    return config;
}

/* ---- writers ---- */

typedef struct writing_t {
    const char *key;
    unsigned length;
    int removes;
} writing_t;

static char body_bytes[BODY_LONGEST];

/* May run more than once. */
static apr_status_t txn_body_write(condreq_txn_t *txn, void *baton,
                                   apr_pool_t *pool)
{
    const condreq_store_provider_t *store = txn->store->provider;
    writing_t *writing = baton;
    condreq_record_t current, next;
    apr_status_t status;

    (void)pool;
    if ((status = store->get(txn, writing->key, &current)))
        return status;
    condreq_record_next(&next, &current, apr_time_now());
    next.state = writing->removes ? CONDREQ_TOMBSTONE : CONDREQ_LIVE;
    next.body_length = writing->removes ? 0 : writing->length;
    memcpy(next.media_type, "application/json", 17);
    if (current.state == CONDREQ_LIVE &&
        (status = store->body_remove(txn, writing->key, &current)))
        return status;
    if (!writing->removes &&
        (status = store->body_put(txn, writing->key, &next, body_bytes)))
        return status;
    return store->put(txn, writing->key, &next);
}

/* A few documents get most of the writes: by Zipf's law, which for its simplest
 * exponent spreads the logarithms of the ranks evenly. */
static unsigned long pick(double random, unsigned long documents)
{
    unsigned long rank = (unsigned long)pow((double)documents, random);

    return rank < documents ? rank : documents - 1;
}

static double next_random(unsigned short state[3])
{
    return erand48(state);
}

/* Three inserts and one removal in ten. */
static void write_one(condreq_store_t *store, unsigned short random[3],
                      apr_pool_t *pool)
{
    unsigned long documents = atomic_load(&board->documents), document;
    double kind = next_random(random);
    condreq_trouble_t trouble;
    writing_t writing;

    if (kind < 0.3 || documents == 0)
        document = atomic_fetch_add(&board->documents, 1);
    else
        document = pick(next_random(random), documents);
    writing.key = apr_psprintf(pool, "localhost/posts/%lu", document);
    writing.removes = kind > 0.9;
    writing.length = 40 + (unsigned)(next_random(random) * (BODY_LONGEST - 40));
    if (store->provider->txn(store, txn_body_write, &writing, &trouble, pool))
        die("writing", trouble.sentence);
    atomic_fetch_add(&board->writes, 1);
}

static condreq_store_t *opened;

static void *write_on(void *baton)
{
    unsigned short random[3] = {(unsigned short)(apr_uintptr_t)baton,
                                (unsigned short)getpid(),
                                (unsigned short)time(NULL)};
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    while (!atomic_load(&board->stop)) {
        apr_pool_clear(pool);
        write_one(opened, random, pool);
    }
    return NULL;
}

static void work(void)
{
    static condreq_store_config_t config;
    pthread_t threads[PROCESSES_MAX];
    condreq_trouble_t trouble;
    apr_pool_t *pool;
    unsigned i;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    memset(body_bytes, 'a', sizeof body_bytes);
    apr_pool_create(&pool, NULL);
    config = store_config();
    if (condreq_store_bdb.open(&opened, &config, &trouble, pool))
        die("opening", trouble.sentence);
    for (i = 0; i < options.threads; i++)
        pthread_create(&threads[i], NULL, write_on, (void *)(apr_uintptr_t)i);
    for (i = 0; i < options.threads; i++)
        pthread_join(threads[i], NULL);
    _exit(0);
}

/* ---- the gauge ---- */

#define LOOK_US 5000

/* What a recovery would have to read. */
static int visit_look(bdb_store_t *store, bdb_visit_t *visit)
{
    unsigned long most = atomic_load(&board->unflushed_most), unflushed;
    DB_TXN_STAT *checkpoints = NULL;
    DB_LOG_STAT *log = NULL;
    int code;

    (void)visit;
    if ((code = store->env->txn_stat(store->env, &checkpoints, 0)) == 0 &&
        (code = store->env->log_stat(store->env, &log, 0)) == 0) {
        unflushed =
            (unsigned long)(log->st_cur_file - checkpoints->st_last_ckp.file) *
                store->room.plan.log_file_bytes +
            log->st_cur_offset - checkpoints->st_last_ckp.offset;
        atomic_store(&board->unflushed_now, unflushed);
        if (unflushed > most)
            atomic_store(&board->unflushed_most, unflushed);
    }
    free(checkpoints);
    free(log);
    return code;
}

static void look_on(void)
{
    static bdb_visit_t visit = {visit_look, "looking at the log", ""};
    static condreq_store_config_t config;
    condreq_trouble_t trouble;
    apr_pool_t *pool;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    apr_pool_create(&pool, NULL);
    config = store_config();
    if (condreq_store_bdb.open(&opened, &config, &trouble, pool))
        die("opening", trouble.sentence);
    for (;;) {
        if (bdb_visit((bdb_store_t *)opened, &visit, &trouble))
            die("looking", trouble.sentence);
        usleep(LOOK_US);
    }
}

/* ---- keeper ---- */

static void keeper_log(void *baton, condreq_keeper_level_t level,
                       const char *sentence)
{
    (void)baton;
    if (level == CONDREQ_KEEPER_ERROR)
        fprintf(stderr, "keeper: %s\n", sentence);
}

static int never(void *baton)
{
    (void)baton;
    return 0;
}

static void keep(void)
{
    static const condreq_keeper_t keeps = {NULL, keeper_log, never, never};
    static condreq_store_config_t config;
    condreq_trouble_t trouble;
    apr_pool_t *pool;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    apr_pool_create(&pool, NULL);
    config = store_config();
    if (condreq_store_bdb.keep(&config, &keeps, &trouble, pool))
        die("keeping", trouble.sentence);
    _exit(0);
}

static void prepare(void)
{
    condreq_store_config_t config = store_config();
    condreq_trouble_t trouble;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    if (condreq_store_bdb.prepare(&config, &trouble, pool))
        die("preparing", trouble.sentence);
    _exit(0);
}

static pid_t start(void (*run)(void))
{
    pid_t pid = fork();

    if (pid == 0)
        run();
    if (pid < 0)
        die("fork", strerror(errno));
    return pid;
}

static void start_all(void)
{
    unsigned i;

    keeper = start(keep);
    gauge = start(look_on);
    for (i = 0; i < options.processes; i++)
        workers[i] = start(work);
}

static bdb_control_t *map_control(apr_pool_t *pool)
{
    condreq_trouble_t trouble;
    bdb_control_t *control;

    if (bdb_control_map(&control, options.path, BDB_WORKER, &trouble, pool))
        die("control", trouble.sentence);
    return control;
}

/* It is no child of ours. */
static pid_t housekeeper_of(const bdb_control_t *control)
{
    unsigned i;

    for (i = 0; i < control->slot_count; i++) {
        apr_uint64_t owner = atomic_load(&control->slots[i].owner);

        if (owner && bdb_identity_role(owner) == BDB_HOUSEKEEPER)
            return bdb_identity_pid(owner);
    }
    return 0;
}

static void kill_all(const bdb_control_t *control)
{
    pid_t house = housekeeper_of(control);
    unsigned i;

    for (i = 0; i < options.processes; i++)
        kill(workers[i], SIGKILL);
    kill(keeper, SIGKILL);
    kill(gauge, SIGKILL);
    if (house)
        kill(house, SIGKILL);
    for (i = 0; i < options.processes; i++)
        waitpid(workers[i], NULL, 0);
    waitpid(keeper, NULL, 0);
    waitpid(gauge, NULL, 0);
}

/* ---- what is measured ---- */

typedef struct sizes_t {
    unsigned long long bytes;
    unsigned files;
} sizes_t;

static sizes_t sizes_of(const char *directory, const char *prefix)
{
    DIR *listing = opendir(directory);
    sizes_t sizes = {0, 0};
    struct dirent *entry;
    struct stat found;

    while (listing && (entry = readdir(listing)))
        if (!strncmp(entry->d_name, prefix, strlen(prefix)) &&
            fstatat(dirfd(listing), entry->d_name, &found, 0) == 0) {
            sizes.bytes += (unsigned long long)found.st_size;
            sizes.files++;
        }
    if (listing)
        closedir(listing);
    return sizes;
}

/* What is a process's own, in KiB: shared regions are counted elsewhere. */
static unsigned long private_kib(pid_t pid)
{
    unsigned long size = 0, resident = 0, shared = 0;
    char name[64];
    FILE *file;

    snprintf(name, sizeof name, "/proc/%d/statm", (int)pid);
    if (!(file = fopen(name, "r")))
        return 0;
    if (fscanf(file, "%lu %lu %lu", &size, &resident, &shared) != 3)
        resident = shared = 0;
    fclose(file);
    return (resident - shared) * (unsigned long)sysconf(_SC_PAGESIZE) / 1024;
}

static unsigned long largest_worker_kib(void)
{
    unsigned long largest = 0;
    unsigned i;

    for (i = 0; i < options.processes; i++)
        if (private_kib(workers[i]) > largest)
            largest = private_kib(workers[i]);
    return largest;
}

static void print_sample(const bdb_control_t *control, apr_pool_t *pool)
{
    condreq_trouble_t trouble;
    bdb_places_t places;
    sizes_t log, trees, regions = {0, 0};

    if (bdb_places_find(&places, options.path, &trouble, pool))
        return;
    log = sizes_of(places.log, "log.");
    trees = sizes_of(places.data, "");
    if (places.regions)
        regions = sizes_of(places.regions, "__db.");
    printf("sample %lu %.1f %lu %llu %u %llu %llu %lu %lu %lu\n",
           atomic_load(&board->writes), seconds_now() - begun_s,
           atomic_load(&board->documents), log.bytes / 1024, log.files,
           trees.bytes / 1024, regions.bytes / 1024, largest_worker_kib(),
           private_kib(housekeeper_of(control)),
           atomic_exchange(&board->unflushed_most, 0) / 1024);
    fflush(stdout);
}

static double milliseconds(struct timeval time)
{
    return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

/* Also what it took of a processor, which other work does not change. */
static void print_recovery(unsigned long writes, unsigned long long log_bytes)
{
    unsigned long unflushed = atomic_load(&board->unflushed_now);
    double from = seconds_now();
    struct rusage used;
    int state;

    if (wait4(start(prepare), &state, 0, &used) < 0 || state != 0)
        die("prepare", "failed");
    printf("recovery %lu %.1f %llu %lu %.0f %.0f\n", writes,
           seconds_now() - begun_s, log_bytes / 1024, unflushed / 1024,
           (seconds_now() - from) * 1000,
           milliseconds(used.ru_utime) + milliseconds(used.ru_stime));
    fflush(stdout);
}

static void sample_until(unsigned long writes, const bdb_control_t *control)
{
    unsigned long next = 0;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    while (atomic_load(&board->writes) < writes) {
        if (waitpid(-1, NULL, WNOHANG) > 0)
            die("a process", "ended by itself");
        if (atomic_load(&board->writes) >= next) {
            apr_pool_clear(pool);
            print_sample(control, pool);
            next = atomic_load(&board->writes) + options.sample_every;
        }
        usleep(SAMPLE_US);
    }
    apr_pool_destroy(pool);
}

/* Each is for nothing: the writers go over to the next generation. */
static void condemn_again_and_again(apr_pool_t *pool)
{
    bdb_control_t *control = map_control(pool);
    apr_uint64_t word;
    unsigned i;

    usleep(1000000);
    for (i = 0; i < options.recoveries; i++) {
        word = atomic_load(&control->file->word);
        if (i % 10 == 0)
            printf("generation %u %lu %lu\n", i, largest_worker_kib(),
                   private_kib(keeper));
        fflush(stdout);
        bdb_control_condemn(control, word, BDB_CONDEMNED_BY_AGE);
        while (atomic_load(&control->file->word) == word ||
               bdb_word_state(atomic_load(&control->file->word)) != BDB_OPEN)
            usleep(1000);
        usleep(200000);
    }
    printf("generation %u %lu %lu\n", i, largest_worker_kib(),
           private_kib(keeper));
    kill_all(control);
}

/* ---- all of it ---- */

static int remove_one(const char *path, const struct stat *found, int kind,
                      struct FTW *at)
{
    (void)found;
    (void)kind;
    (void)at;
    return remove(path);
}

static void remove_store(apr_pool_t *pool)
{
    static const bdb_places_t none;

    bdb_places_remove_others(&none, options.path, pool);
    nftw(options.path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void read_options(int argc, char **argv)
{
    static char made[] = "/var/tmp/housekeeping.XXXXXX";
    int letter;

    while ((letter = getopt(argc, argv, "d:w:s:k:p:t:r:n")) != -1) {
        unsigned long number = optarg ? strtoul(optarg, NULL, 10) : 0;

        switch (letter) {
        case 'd':
            options.path = optarg;
            break;
        case 'w':
            options.writes = number;
            break;
        case 's':
            options.sample_every = number;
            break;
        case 'k':
            options.kill_every = number;
            break;
        case 'p':
            options.processes = (unsigned)number;
            break;
        case 't':
            options.threads = (unsigned)number;
            break;
        case 'r':
            options.recoveries = (unsigned)number;
            break;
        case 'n':
            options.nosync = 1;
            break;
        default:
            die("usage",
                "[-d empty directory on the disk to measure] [-w writes] "
                "[-s sample every so many] [-k kill all every so many] "
                "[-p processes] [-t threads] [-r recoveries under living "
                "writers] [-n: write_nosync]");
        }
    }
    if (!options.path && !(options.path = mkdtemp(made)))
        die("directory", strerror(errno));
    if (options.processes < 1 || options.processes > PROCESSES_MAX ||
        options.threads < 1 || options.threads > PROCESSES_MAX ||
        options.kill_every < 1)
        die("options", "from 1 to 64 processes and threads");
}

int main(int argc, char **argv)
{
    unsigned long writes = 0;
    apr_pool_t *pool;

    read_options(argc, argv);
    apr_initialize();
    apr_pool_create(&pool, NULL);
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED)
        die("memory", strerror(errno));
    begun_s = seconds_now();
    printf("# sample writes seconds documents log-KiB log-files trees-KiB "
           "regions-KiB worker-KiB housekeeper-KiB unflushed-KiB\n"
           "# recovery writes seconds log-KiB unflushed-KiB ms cpu-ms\n"
           "# generation number worker-KiB keeper-KiB\n");
    print_recovery(0, 0);
    while (writes < options.writes) {
        bdb_control_t *control = map_control(pool);
        char log[512];

        writes += options.kill_every;
        start_all();
        sample_until(writes, control);
        kill_all(control);
        bdb_control_unmap(control);
        snprintf(log, sizeof log, "%s/log", options.path);
        print_recovery(atomic_load(&board->writes),
                       sizes_of(log, "log.").bytes);
    }
    if (options.recoveries > 0) {
        start_all();
        condemn_again_and_again(pool);
    }
    remove_store(pool);
    return 0;
}
