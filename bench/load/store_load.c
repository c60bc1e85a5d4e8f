/* A load without httpd: threads that update documents through one side.
 * Knows threads and turns; the sides know how an update is made. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apr_general.h"

#include "../store/side.h"
#include "choice.h"
#include "tally.h"

typedef struct load_t {
    const side_t *side;
    void *opened;
    choice_t choice;
    /** so many threads are there, so many take part */
    int threads;
    int active;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /** turns so far; a thread takes part once in each */
    unsigned turn;
    int done;
    double until;
    tally_t *tally;
} load_t;

typedef struct worker_t {
    load_t *load;
    int number;
    uint64_t random;
    apr_pool_t *pool;
} worker_t;

static void update(worker_t *worker, tally_t *tally)
{
    load_t *load = worker->load;
    unsigned document = choice_next(&load->choice, &worker->random,
                                    worker->number, load->active);
    double begun = tally_now();

    apr_pool_clear(worker->pool);
    load->side->update(load->opened, document, worker->pool);
    tally_count(tally, worker->number, TALLY_WRITTEN, 0,
                side_setting.body_length, (tally_now() - begun) * 1e6);
}

static void wait_for_turn(load_t *load, const worker_t *worker, unsigned *turn)
{
    pthread_mutex_lock(&load->mutex);
    while (load->turn == *turn || worker->number >= load->active)
        pthread_cond_wait(&load->changed, &load->mutex);
    *turn = load->turn;
    pthread_mutex_unlock(&load->mutex);
}

static void *work(void *baton)
{
    worker_t *worker = baton;
    load_t *load = worker->load;
    tally_t *own = malloc(sizeof(*own));
    unsigned turn = 0;

    if (!own)
        tally_die("threads", "no memory");
    for (;;) {
        wait_for_turn(load, worker, &turn);
        memset(own, 0, sizeof(*own));
        while (tally_now() < load->until)
            update(worker, own);
        pthread_mutex_lock(&load->mutex);
        tally_add(load->tally, own);
        load->done++;
        pthread_cond_broadcast(&load->changed);
        pthread_mutex_unlock(&load->mutex);
    }
    return NULL;
}

static void add_thread(load_t *load)
{
    worker_t *worker = calloc(1, sizeof(*worker));
    pthread_t thread;

    if (!worker)
        tally_die("threads", "no memory");
    worker->load = load;
    worker->number = load->threads++;
    worker->random = (uint64_t)(worker->number + 1) * 0x9E3779B97F4A7C15u;
    apr_pool_create(&worker->pool, NULL);
    if (pthread_create(&thread, NULL, work, worker) != 0)
        tally_die("threads", "no more can be had");
}

static void load_ready(void *baton, int clients)
{
    load_t *load = baton;

    pthread_mutex_lock(&load->mutex);
    load->active = clients;
    while (load->threads < clients)
        add_thread(load);
    pthread_mutex_unlock(&load->mutex);
}

static void load_go(void *baton, double seconds, tally_t *tally)
{
    load_t *load = baton;
    double begun = tally_now();

    pthread_mutex_lock(&load->mutex);
    load->until = begun + seconds;
    load->tally = tally;
    load->done = 0;
    load->turn++;
    pthread_cond_broadcast(&load->changed);
    while (load->done < load->active)
        pthread_cond_wait(&load->changed, &load->mutex);
    pthread_mutex_unlock(&load->mutex);
    tally->seconds = tally_now() - begun;
}

static void *keep(void *baton)
{
    load_t *load = baton;

    for (;;) {
        usleep(1000000);
        load->side->maintain(load->opened);
    }
    return NULL;
}

/* In a process of its own, as a server prepares: but for memory, which no
 * other process would see. */
static void prepare(const side_t *side)
{
    pid_t child;
    int state;

    if (side == &side_mem) {
        side->prepare();
        return;
    }
    child = fork();
    if (child == 0) {
        side->prepare();
        _exit(0);
    }
    if (waitpid(child, &state, 0) != child || state != 0)
        tally_die("prepare", "failed");
}

static void read_options(load_t *load, const char **choice, int *only_prepare,
                         int argc, char **argv)
{
    int letter;

    while ((letter = getopt(argc, argv, "S:d:k:b:m:c:nP")) != -1) {
        if (letter == 'S')
            load->side = side_named(optarg);
        else if (letter == 'd')
            side_setting.path = optarg;
        else if (letter == 'k')
            side_setting.documents = (unsigned)atoi(optarg);
        else if (letter == 'b')
            side_setting.body_length = (unsigned)atoi(optarg);
        else if (letter == 'm')
            side_setting.cache_bytes = (unsigned)atoi(optarg) << 20;
        else if (letter == 'c')
            *choice = optarg;
        else if (letter == 'n')
            side_setting.nosync = 1;
        else if (letter == 'P')
            *only_prepare = 1;
    }
    if (!load->side || !side_setting.path || !side_setting.documents)
        tally_die("usage", "store_load -S bdb|mem|bare -d directory "
                           "[-k documents] [-b bytes] [-m cache in MiB] "
                           "[-c uniform|zipf|neighbours|hot] "
                           "[-n: write_nosync] [-P: only prepare]");
}

int main(int argc, char **argv)
{
    static load_t load = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                          .changed = PTHREAD_COND_INITIALIZER};
    tally_load_t served = {load_ready, load_go, &load};
    const char *choice = "uniform";
    int only_prepare = 0;
    pthread_t keeper;

    read_options(&load, &choice, &only_prepare, argc, argv);
    apr_initialize();
    side_body();
    prepare(load.side);
    if (only_prepare)
        return 0;
    choice_init(&load.choice, choice, side_setting.documents);
    load.opened = load.side->open();
    pthread_create(&keeper, NULL, keep, &load);
    tally_serve(&served);
    load.side->remove();
    _exit(0);
}
