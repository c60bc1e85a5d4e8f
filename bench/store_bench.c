/* Durable conditional updates through the Berkeley DB store, beside the bare
 * library doing the same transactions: how much does our layer cost?
 * Knows threads, processes and turns; the sides know how an update is made.
 *
 * Both sides take turns for some rounds, each turn in fresh processes over its
 * own environment; what is printed are medians and their ratio. */
#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "apr_general.h"

#include "store/side.h"

#define ROUNDS_MAX 99

typedef struct options_t {
    /** how many threads a process has, in one measurement after another */
    const char *threads_list;
    int threads;
    int processes;
    double seconds;
    int rounds;
    int neighbours;
} options_t;

static options_t options = {"1,8,32", 0, 1, 2.0, 5, 0};

/* What the parent and its workers share. */
typedef struct board_t {
    volatile int ready;
    volatile int go;
    volatile int stop;
    unsigned long updates[SIDE_THREADS_MAX];
} board_t;

static board_t *board;

/* Turns. */

#define SIDES 2
static const side_t *const sides[SIDES] = {&side_bdb, &side_bare};
static double rates[SIDES][ROUNDS_MAX];

typedef struct worker_t {
    const side_t *side;
    void *opened;
    int number;
} worker_t;

/* Neighbours: every thread writes around one place of the key space. */
static unsigned pick(unsigned *random, int number)
{
    *random = *random * 1664525u + 1013904223u;
    if (options.neighbours)
        return ((unsigned)number + (*random >> 30)) % side_setting.documents;
    return (*random >> 4) % side_setting.documents;
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
        side_die("work", "no memory");
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
        side_die("child", "failed");
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

static double turn(const side_t *side)
{
    int workers = options.threads * options.processes;
    unsigned long updates = 0;
    double begun, lasted;
    int i;

    memset(board, 0, sizeof(*board));
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

static double median(double *of_rounds)
{
    qsort(of_rounds, (size_t)options.rounds, sizeof(double), by_value);
    return of_rounds[options.rounds / 2];
}

static void read_option(int letter)
{
    switch (letter) {
    case 'd':
        side_setting.path = optarg;
        break;
    case 't':
        options.threads_list = optarg;
        break;
    case 'p':
        options.processes = atoi(optarg);
        break;
    case 'k':
        side_setting.documents = (unsigned)atoi(optarg);
        break;
    case 's':
        options.seconds = atof(optarg);
        break;
    case 'r':
        options.rounds = atoi(optarg);
        break;
    case 'n':
        side_setting.nosync = 1;
        break;
    case 'l':
        side_setting.remove_last = 1;
        break;
    case 'N':
        options.neighbours = 1;
        break;
    default:
        side_die("usage",
                 "[-d empty directory on the disk to measure] "
                 "[-t threads,...] [-p processes] [-k documents] "
                 "[-s seconds] [-r rounds] [-n: write_nosync] "
                 "[-l: remove the old body last] [-N: neighbouring keys]");
    }
}

static void read_options(int argc, char **argv)
{
    static char made[] = "/var/tmp/store_bench.XXXXXX";
    int letter;

    while ((letter = getopt(argc, argv, "d:t:p:k:s:r:nlN")) != -1)
        read_option(letter);
    if (!side_setting.path)
        side_setting.path = mkdtemp(made);
    if (!side_setting.path || side_setting.path[0] != '/')
        side_die("directory", "not an absolute path");
    if (options.rounds < 1 || options.rounds > ROUNDS_MAX)
        side_die("rounds", "from 1 to 99");
}

static int remove_one(const char *path, const struct stat *found, int kind,
                      struct FTW *at)
{
    (void)found;
    (void)kind;
    (void)at;
    return remove(path);
}

static void directories_remove(void)
{
    size_t i;

    for (i = 0; i < SIDES; i++)
        sides[i]->remove();
    nftw(side_setting.path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void measure(int threads)
{
    double medians[SIDES];
    int round;
    size_t i;

    options.threads = threads;
    if (threads < 1 || threads * options.processes > SIDE_THREADS_MAX)
        side_die("threads", "from 1 to 1024, all processes together");
    for (round = 0; round < options.rounds; round++)
        for (i = 0; i < SIDES; i++)
            rates[i][round] = turn(sides[i]);
    for (i = 0; i < SIDES; i++) {
        medians[i] = median(rates[i]);
        printf("%-6s %8.0f updates/s (%.0f to %.0f)\n", sides[i]->name,
               medians[i], rates[i][0], rates[i][options.rounds - 1]);
    }
    printf("ratio  %8.3f at %d x %d threads, %s\n", medians[0] / medians[1],
           options.processes, options.threads,
           side_setting.nosync ? "write_nosync" : "sync");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *at;
    size_t i;

    read_options(argc, argv);
    apr_initialize();
    mkdir(side_setting.path, 0700);
    side_body();
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED)
        side_die("mmap", strerror(errno));
    for (i = 0; i < SIDES; i++)
        in_child(sides[i]->prepare);
    for (at = options.threads_list; at; at = strchr(at, ',')) {
        at += *at == ',';
        measure(atoi(at));
    }
    directories_remove();
    return 0;
}
