/* A crew: workers on one store at once, as threads of this process, or as
 * threads of several where the store allows it.
 * Knows threads, processes and what they share; no TAP, no promise.
 * Processes are forked before a store is opened, as httpd's are. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crew.h"

int crew_apart(const store_suite_t *suite, int (*run)(void *baton), void *baton)
{
    pid_t child;
    int status;

    if (!suite->processes)
        return run(baton);
    fflush(stdout);
    child = fork();
    if (child == 0)
        _exit(run(baton));
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

typedef struct named_t {
    const store_suite_t *suite;
    const char *name;
    apr_pool_t *pool;
} named_t;

static int prepare_here(void *baton)
{
    named_t *named = baton;
    condreq_store_config_t config =
        suite_config(named->suite, named->name, named->pool);
    condreq_trouble_t trouble;
    apr_status_t status =
        named->suite->provider->prepare(&config, &trouble, named->pool);

    if (status != APR_SUCCESS)
        fprintf(stderr, "# %s\n", trouble.sentence);
    return status != APR_SUCCESS;
}

int crew_prepare(const store_suite_t *suite, const char *name, apr_pool_t *pool)
{
    named_t named = {suite, name, pool};

    return crew_apart(suite, prepare_here, &named) == 0;
}

condreq_store_t *crew_join(const store_suite_t *suite, const char *name,
                           apr_pool_t *pool)
{
    condreq_store_config_t config = suite_config(suite, name, pool);
    condreq_trouble_t trouble;
    condreq_store_t *store;

    if (suite->provider->open(&store, &config, &trouble, pool) == APR_SUCCESS)
        return store;
    fprintf(stderr, "# %s\n", trouble.sentence);
    return NULL;
}

condreq_store_t *crew_open(const store_suite_t *suite, const char *name,
                           apr_pool_t *pool)
{
    return crew_prepare(suite, name, pool) ? crew_join(suite, name, pool)
                                           : NULL;
}

typedef struct crew_t {
    const store_suite_t *suite;
    const char *name;
    void (*work)(crew_worker_t *worker);
    crew_board_t *board;
    int first;
    int workers;
    apr_pool_t *pool;
} crew_t;

typedef struct thread_t {
    crew_worker_t worker;
    void (*work)(crew_worker_t *worker);
    pthread_t id;
} thread_t;

static void *thread_run(void *baton)
{
    thread_t *thread = baton;

    apr_pool_create(&thread->worker.pool, NULL);
    thread->work(&thread->worker);
    apr_pool_destroy(thread->worker.pool);
    return NULL;
}

static int threads_run(crew_t *crew)
{
    condreq_store_t *store = crew_join(crew->suite, crew->name, crew->pool);
    thread_t threads[CREW_WORKERS];
    int i;

    if (!store)
        return 1;
    for (i = 0; i < crew->workers; i++) {
        threads[i].work = crew->work;
        threads[i].worker.store = store;
        threads[i].worker.board = crew->board;
        threads[i].worker.number = crew->first + i;
        if (pthread_create(&threads[i].id, NULL, thread_run, &threads[i]))
            return 1;
    }
    for (i = 0; i < crew->workers; i++)
        pthread_join(threads[i].id, NULL);
    return 0;
}

static int processes_run(crew_t *crew)
{
    int failed = 0, status, i;

    crew->workers = CREW_WORKERS / CREW_PROCESSES;
    fflush(stdout);
    for (i = 0; i < CREW_PROCESSES; i++) {
        crew->first = i * crew->workers;
        if (fork() == 0)
            _exit(threads_run(crew));
    }
    for (i = 0; i < CREW_PROCESSES; i++)
        if (wait(&status) < 0 || status != 0)
            failed = 1;
    return failed;
}

static crew_board_t *board_make(void)
{
    crew_board_t *board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_barrierattr_t shared;

    if (board == MAP_FAILED)
        return NULL;
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&board->barrier, &shared, CREW_WORKERS);
    return board;
}

crew_board_t *crew_run(const store_suite_t *suite, const char *name,
                       void (*work)(crew_worker_t *worker), apr_pool_t *pool)
{
    crew_t crew = {suite, name, work, board_make(), 0, CREW_WORKERS, pool};

    if (!crew.board || !crew_prepare(suite, name, pool))
        return NULL;
    if (suite->processes ? processes_run(&crew) : threads_run(&crew))
        return NULL;
    return crew.board;
}

void crew_trouble(crew_worker_t *worker, apr_status_t status,
                  const condreq_trouble_t *trouble)
{
    if (status == APR_SUCCESS)
        return;
    worker->board->troubles[worker->number]++;
    fprintf(stderr, "# worker %d: %s\n", worker->number, trouble->sentence);
}

int crew_troubles(const crew_board_t *board)
{
    int troubles = 0, i;

    for (i = 0; i < CREW_WORKERS; i++)
        troubles += board->troubles[i];
    return troubles;
}
