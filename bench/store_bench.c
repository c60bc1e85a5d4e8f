/* Durable conditional updates through the Berkeley DB store, beside the bare
 * library doing the same transactions: how much does our layer cost?
 * Knows the store's interface, and the library for the other side.
 *
 * Both sides take turns for some rounds, each turn in fresh processes over its
 * own environment; what is printed are medians and their ratio. */
#include <db.h>
#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "../lib/bdb/condreq_bdb.h"

#define BODY_LENGTH 1024
#define RECORD_LENGTH 100
#define CHUNK_LENGTH 989
#define CHUNKS 2
#define ROUNDS_MAX 99
#define THREADS_MAX 1024

typedef struct options_t {
    const char *path;
    /** how many threads a process has, in one measurement after another */
    const char *threads_list;
    int threads;
    int processes;
    unsigned documents;
    double seconds;
    int rounds;
    int nosync;
    int remove_last;
    int neighbours;
    int create;
} options_t;

static options_t options = {NULL, "1,8,32", 0, 1, 10000, 2.0, 5, 0, 0, 0, 0};

/* What the parent and its workers share. */
typedef struct board_t {
    volatile int ready;
    volatile int go;
    volatile int stop;
    /** documents that there are, where they are created */
    unsigned documents;
    unsigned long updates[THREADS_MAX];
} board_t;

static board_t *board;

/** A side of the comparison. */
typedef struct side_t {
    const char *name;
    void (*prepare)(void);
    void *(*open)(void);
    void (*update)(void *opened, unsigned document, apr_pool_t *pool);
    /** what a keeper does once a second: checkpoint, old logs */
    void (*maintain)(void *opened);
    double rates[ROUNDS_MAX];
} side_t;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "store_bench: %s: %s\n", what, why);
    exit(1);
}

/* The store's side. */

static char body_bytes[BODY_LENGTH];

static condreq_store_config_t store_config(void)
{
    condreq_store_config_t config;
    static char path[512];

    snprintf(path, sizeof(path), "%s/store", options.path);
    config.path = path;
    config.durability = options.nosync ? CONDREQ_WRITE_NOSYNC : CONDREQ_SYNC;
    config.cache_bytes = 128u << 20;
    config.threads = THREADS_MAX;
    config.wait_us = 10 * APR_USEC_PER_SEC;
    return config;
}

static const char *key_of(unsigned document, apr_pool_t *pool)
{
    return apr_psprintf(pool, "localhost/posts/%u", document);
}

typedef struct writing_t {
    const char *key;
    apr_time_t now;
    int first;
} writing_t;

static apr_status_t txn_body_update(condreq_txn_t *txn, void *baton,
                                    apr_pool_t *pool)
{
    const condreq_store_provider_t *store = txn->store->provider;
    writing_t *writing = baton;
    condreq_record_t current, next;
    apr_status_t status;

    (void)pool;
    if ((status = store->get(txn, writing->key, &current)))
        return status;
    if ((current.state == CONDREQ_ABSENT) != writing->first)
        return APR_EGENERAL;
    condreq_record_next(&next, &current, writing->now);
    next.state = CONDREQ_LIVE;
    next.body_length = BODY_LENGTH;
    memcpy(next.media_type, "application/json", 17);
    if (!writing->first && !options.remove_last &&
        (status = store->body_remove(txn, writing->key, &current)))
        return status;
    if ((status = store->body_put(txn, writing->key, &next, body_bytes)) ||
        (status = store->put(txn, writing->key, &next)))
        return status;
    if (!writing->first && options.remove_last)
        return store->body_remove(txn, writing->key, &current);
    return APR_SUCCESS;
}

static void store_write(condreq_store_t *store, unsigned document, int first,
                        apr_pool_t *pool)
{
    writing_t writing = {key_of(document, pool), apr_time_now(), first};
    condreq_trouble_t trouble;

    if (store->provider->txn(store, txn_body_update, &writing, &trouble, pool))
        die("update", trouble.sentence);
}

static void store_update(void *opened, unsigned document, apr_pool_t *pool)
{
    store_write(opened, document, options.create, pool);
}

static void *store_open(void)
{
    condreq_store_config_t config = store_config();
    condreq_trouble_t trouble;
    condreq_store_t *store;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    if (condreq_store_bdb.open(&store, &config, &trouble, pool))
        die("open", trouble.sentence);
    return store;
}

static void store_prepare(void)
{
    condreq_store_config_t config = store_config();
    condreq_trouble_t trouble;
    condreq_store_t *store;
    apr_pool_t *pool;
    unsigned document;

    apr_pool_create(&pool, NULL);
    if (condreq_store_bdb.prepare(&config, &trouble, pool))
        die("prepare", trouble.sentence);
    store = store_open();
    for (document = 0; document < options.documents; document++) {
        apr_pool_clear(pool);
        store_write(store, document, 1, pool);
    }
    store->provider->maintain(store, &trouble, pool);
}

static void store_maintain(void *opened)
{
    condreq_store_t *store = opened;
    condreq_trouble_t trouble;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    if (store->provider->maintain(store, &trouble, pool))
        die("maintain", trouble.sentence);
    apr_pool_destroy(pool);
}

/* The bare library's side. */

/* In memory, as the store's regions are. */
static char bare_home[] = "/dev/shm/store_bench.XXXXXX";

typedef struct bare_t {
    DB_ENV *env;
    DB *records;
    DB *bodies;
} bare_t;

static void must(int code, const char *what)
{
    if (code != 0)
        die(what, db_strerror(code));
}

static void bare_environment(bare_t *bare, u_int32_t how)
{
    char name[600];

    must(db_env_create(&bare->env, 0), "db_env_create");
    bare->env->set_cachesize(bare->env, 0, 128u << 20, 1);
    bare->env->set_lk_max_locks(bare->env, 40000);
    bare->env->set_lk_max_objects(bare->env, 40000);
    bare->env->set_lk_max_lockers(bare->env, 40000);
    bare->env->set_tx_max(bare->env, 2 * THREADS_MAX);
    bare->env->mutex_set_increment(bare->env, 20000);
    bare->env->set_lg_bsize(bare->env, 256u << 10);
    bare->env->set_lg_max(bare->env, 10u << 20);
    bare->env->set_lk_detect(bare->env, DB_LOCK_MINWRITE);
    bare->env->log_set_config(bare->env, DB_LOG_ZERO, 1);
    bare->env->set_flags(bare->env, DB_TXN_WRITE_NOSYNC, options.nosync);
    snprintf(name, sizeof(name), "%s/bare", options.path);
    bare->env->set_data_dir(bare->env, name);
    bare->env->set_create_dir(bare->env, name);
    bare->env->set_lg_dir(bare->env, name);
    must(bare->env->open(bare->env, bare_home,
                         DB_INIT_MPOOL | DB_INIT_LOCK | DB_INIT_LOG |
                             DB_INIT_TXN | DB_THREAD | how,
                         0600),
         "open");
}

static DB *bare_tree(bare_t *bare, const char *name, u_int32_t how)
{
    DB *tree;

    must(db_create(&tree, bare->env, 0), "db_create");
    tree->set_pagesize(tree, 4096);
    must(tree->open(tree, NULL, name, NULL, DB_BTREE,
                    DB_AUTO_COMMIT | DB_THREAD | how, 0600),
         name);
    return tree;
}

static void *bare_open_how(u_int32_t how)
{
    bare_t *bare = calloc(1, sizeof(*bare));

    if (!bare)
        die("open", "no memory");
    bare_environment(bare, how);
    bare->records = bare_tree(bare, "records.db", how & DB_CREATE);
    bare->bodies = bare_tree(bare, "chunks.db", how & DB_CREATE);
    return bare;
}

static void *bare_open(void)
{
    return bare_open_how(0);
}

static DBT dbt_of(void *bytes, unsigned length)
{
    DBT dbt;

    memset(&dbt, 0, sizeof(dbt));
    dbt.data = bytes;
    dbt.size = dbt.ulen = length;
    dbt.flags = DB_DBT_USERMEM;
    return dbt;
}

/* A spread key of eight bytes, as good as the store's for this purpose. */
static void bare_key(unsigned char key[16], unsigned document, unsigned chunk)
{
    unsigned spread = document * 2654435761u;
    int i;

    memset(key, 0, 16);
    for (i = 0; i < 4; i++) {
        key[i] = (unsigned char)(spread >> (24 - 8 * i));
        key[4 + i] = (unsigned char)(document >> (24 - 8 * i));
    }
    key[15] = (unsigned char)chunk;
}

static int bare_body_put(bare_t *bare, DB_TXN *txn, unsigned document,
                         unsigned id)
{
    unsigned char bytes[16];
    DBT key = dbt_of(bytes, 16), value;
    int code = 0;
    unsigned chunk;

    for (chunk = 0; chunk < CHUNKS && code == 0; chunk++) {
        bare_key(bytes, document, chunk);
        memcpy(bytes + 8, &id, sizeof(id));
        value = dbt_of(body_bytes + chunk * CHUNK_LENGTH,
                       chunk ? BODY_LENGTH - CHUNK_LENGTH : CHUNK_LENGTH);
        code = bare->bodies->put(bare->bodies, txn, &key, &value, 0);
    }
    return code;
}

static int bare_body_remove(bare_t *bare, DB_TXN *txn, unsigned document,
                            unsigned id)
{
    unsigned char bytes[16];
    DBT key = dbt_of(bytes, 16);
    int code = 0;
    unsigned chunk;

    for (chunk = 0; chunk < CHUNKS && code == 0; chunk++) {
        bare_key(bytes, document, chunk);
        memcpy(bytes + 8, &id, sizeof(id));
        code = bare->bodies->del(bare->bodies, txn, &key, 0);
    }
    return code;
}

static int bare_replace(bare_t *bare, DB_TXN *txn, unsigned document, int first)
{
    unsigned char bytes[8 + 8], record[RECORD_LENGTH] = {0};
    DBT key = dbt_of(bytes, 8), value = dbt_of(record, RECORD_LENGTH);
    unsigned id = 0;
    int code = 0;

    bare_key(bytes, document, 0);
    if (!first &&
        (code = bare->records->get(bare->records, txn, &key, &value, DB_RMW)))
        return code;
    memcpy(&id, record, sizeof(id));
    if (!first && (code = bare_body_remove(bare, txn, document, id)))
        return code;
    id++;
    memcpy(record, &id, sizeof(id));
    if ((code = bare_body_put(bare, txn, document, id)))
        return code;
    return bare->records->put(bare->records, txn, &key, &value, 0);
}

static void bare_write(bare_t *bare, unsigned document, int first)
{
    DB_TXN *txn;
    int code;

    do {
        must(bare->env->txn_begin(bare->env, NULL, &txn, 0), "begin");
        code = bare_replace(bare, txn, document, first);
        if (code == 0)
            must(txn->commit(txn, 0), "commit");
        else
            must(txn->abort(txn), "abort");
    } while (code == DB_LOCK_DEADLOCK || code == DB_LOCK_NOTGRANTED);
    must(code, "update");
}

static void bare_update(void *opened, unsigned document, apr_pool_t *pool)
{
    (void)pool;
    bare_write(opened, document, options.create);
}

static void bare_prepare(void)
{
    bare_t *bare = bare_open_how(DB_CREATE | DB_RECOVER);
    unsigned document;

    for (document = 0; document < options.documents; document++)
        bare_write(bare, document, 1);
    must(bare->env->txn_checkpoint(bare->env, 0, 0, DB_FORCE), "checkpoint");
    must(bare->env->log_archive(bare->env, NULL, DB_ARCH_REMOVE), "archive");
}

static void bare_maintain(void *opened)
{
    bare_t *bare = opened;

    must(bare->env->txn_checkpoint(bare->env, 4096, 1, 0), "checkpoint");
    must(bare->env->log_archive(bare->env, NULL, DB_ARCH_REMOVE), "archive");
}

/* Turns. */

static side_t sides[] = {
    {"store", store_prepare, store_open, store_update, store_maintain, {0}},
    {"bare", bare_prepare, bare_open, bare_update, bare_maintain, {0}},
};
#define SIDES (sizeof(sides) / sizeof(sides[0]))

typedef struct worker_t {
    const side_t *side;
    void *opened;
    int number;
} worker_t;

/* Creating: one after the other, as a sequence has it. Neighbours: every
 * thread writes around one place of the key space. */
static unsigned pick(unsigned *random, int number)
{
    *random = *random * 1664525u + 1013904223u;
    if (options.create)
        return __sync_fetch_and_add(&board->documents, 1);
    if (options.neighbours)
        return ((unsigned)number + (*random >> 30)) % options.documents;
    return (*random >> 4) % options.documents;
}

static void *work(void *baton)
{
    worker_t *worker = baton;
    unsigned random = (unsigned)worker->number * 7919u + (unsigned)time(NULL);
    unsigned long updates = 0;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    __sync_fetch_and_add(&board->ready, 1);
    while (!board->go)
        usleep(1000);
    while (!board->stop) {
        apr_pool_clear(pool);
        worker->side->update(worker->opened, pick(&random, worker->number),
                             pool);
        updates++;
    }
    board->updates[worker->number] = updates;
    return NULL;
}

static void work_in_process(const side_t *side, int process)
{
    pthread_t *threads = calloc((size_t)options.threads, sizeof(*threads));
    worker_t *workers = calloc((size_t)options.threads, sizeof(*workers));
    void *opened = side->open();
    int i;

    if (!threads || !workers)
        die("work", "no memory");
    for (i = 0; i < options.threads; i++) {
        workers[i].side = side;
        workers[i].opened = opened;
        workers[i].number = process * options.threads + i;
        pthread_create(&threads[i], NULL, work, &workers[i]);
    }
    for (i = 0; i < options.threads; i++)
        pthread_join(threads[i], NULL);
    _exit(0);
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void in_child(void (*work_there)(void))
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        work_there();
        _exit(0);
    }
    if (waitpid(child, &status, 0) != child || status != 0)
        die("child", "failed");
}

static void keep(const side_t *side)
{
    void *opened = side->open();

    while (!board->stop) {
        usleep(1000000);
        side->maintain(opened);
    }
    _exit(0);
}

static double turn(side_t *side)
{
    int workers = options.threads * options.processes;
    unsigned long updates = 0;
    double begun, lasted;
    int i;

    board->ready = board->go = board->stop = 0;
    for (i = 0; i < options.processes; i++)
        if (fork() == 0)
            work_in_process(side, i);
    if (fork() == 0)
        keep(side);
    while (board->ready < workers)
        usleep(1000);
    begun = seconds_now();
    board->go = 1;
    usleep((useconds_t)(options.seconds * 1e6));
    board->stop = 1;
    lasted = seconds_now() - begun;
    for (i = 0; i <= options.processes; i++)
        wait(NULL);
    for (i = 0; i < workers; i++)
        updates += board->updates[i];
    return (double)updates / lasted;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(side_t *side)
{
    qsort(side->rates, (size_t)options.rounds, sizeof(double), by_value);
    return side->rates[options.rounds / 2];
}

static void read_option(int letter)
{
    switch (letter) {
    case 'd':
        options.path = optarg;
        break;
    case 't':
        options.threads_list = optarg;
        break;
    case 'p':
        options.processes = atoi(optarg);
        break;
    case 'k':
        options.documents = (unsigned)atoi(optarg);
        break;
    case 's':
        options.seconds = atof(optarg);
        break;
    case 'r':
        options.rounds = atoi(optarg);
        break;
    case 'n':
        options.nosync = 1;
        break;
    case 'l':
        options.remove_last = 1;
        break;
    case 'N':
        options.neighbours = 1;
        break;
    case 'c':
        options.create = 1;
        break;
    default:
        die("usage", "[-d empty directory on the disk to measure] "
                     "[-t threads,...] [-p processes] [-k documents] "
                     "[-s seconds] [-r rounds] [-n: write_nosync] "
                     "[-l: remove the old body last] [-N: neighbouring keys] "
                     "[-c: create documents]");
    }
}

static void read_options(int argc, char **argv)
{
    static char made[] = "/var/tmp/store_bench.XXXXXX";
    int letter;

    while ((letter = getopt(argc, argv, "d:t:p:k:s:r:nlNc")) != -1)
        read_option(letter);
    if (!options.path)
        options.path = mkdtemp(made);
    if (!options.path || options.path[0] != '/')
        die("directory", "not an absolute path");
    if (options.rounds < 1 || options.rounds > ROUNDS_MAX)
        die("rounds", "from 1 to 99");
}

static void directories_make(void)
{
    char name[512];

    mkdir(options.path, 0700);
    snprintf(name, sizeof(name), "%s/bare", options.path);
    if (mkdir(name, 0700) != 0 || !mkdtemp(bare_home))
        die(name, strerror(errno));
}

static int remove_one(const char *path, const struct stat *found, int kind,
                      struct FTW *at)
{
    (void)found;
    (void)kind;
    (void)at;
    return remove(path);
}

/* Of shared memory nothing but what is this run's own. */
static void directories_remove(void)
{
    condreq_store_config_t config = store_config();
    condreq_trouble_t trouble;
    bdb_places_t places;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    if (bdb_places_find(&places, config.path, &trouble, pool) == APR_SUCCESS)
        bdb_places_remove_regions(places.regions, pool);
    nftw(bare_home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    nftw(options.path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void measure(int threads)
{
    double medians[SIDES];
    int round;
    size_t i;

    options.threads = threads;
    if (threads < 1 || threads * options.processes > THREADS_MAX)
        die("threads", "from 1 to 1024, all processes together");
    for (round = 0; round < options.rounds; round++)
        for (i = 0; i < SIDES; i++)
            sides[i].rates[round] = turn(&sides[i]);
    for (i = 0; i < SIDES; i++) {
        medians[i] = median(&sides[i]);
        printf("%-6s %8.0f updates/s (%.0f to %.0f)\n", sides[i].name,
               medians[i], sides[i].rates[0],
               sides[i].rates[options.rounds - 1]);
    }
    printf("ratio  %8.3f at %d x %d threads, %s\n", medians[0] / medians[1],
           options.processes, options.threads,
           options.nosync ? "write_nosync" : "sync");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *at;
    size_t i;

    read_options(argc, argv);
    apr_initialize();
    memset(body_bytes, 'x', sizeof(body_bytes));
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED)
        die("mmap", strerror(errno));
    board->documents = options.documents;
    directories_make();
    for (i = 0; i < SIDES; i++)
        in_child(sides[i].prepare);
    for (at = options.threads_list; at; at = strchr(at, ',')) {
        at += *at == ',';
        measure(atoi(at));
    }
    directories_remove();
    return 0;
}
