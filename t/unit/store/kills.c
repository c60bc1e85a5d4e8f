/* Kills: all processes of a store ended at once, and what is there then.
 * Knows writes, and processes by their ids; judges nothing. */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apr_strings.h"

#include "crew.h"
#include "kills.h"
#include "writes.h"

#define LENGTH_MAX 20000

/** What the victims say before they die. */
typedef struct will_t {
    volatile int waiting;
    /** the last version of each document that was acknowledged */
    volatile apr_uint64_t acknowledged[KILL_PROCESSES][KILL_DOCUMENTS];
} will_t;

typedef struct killing_t {
    const store_suite_t *suite;
    const char *name;
    apr_pool_t *pool;
    will_t *will;
    pid_t victims[KILL_PROCESSES];
} killing_t;

static const char *document(const killing_t *killing, int process, int number)
{
    return apr_psprintf(killing->pool, "localhost/%d/%d", process, number);
}

static apr_size_t length_of(int number)
{
    return (apr_size_t)(number * 977 % LENGTH_MAX);
}

/* The version is the seed, and the condition sees to it that it is known. */
static int write_next(const killing_t *killing, condreq_store_t *store,
                      int process, int number)
{
    apr_uint64_t version = killing->will->acknowledged[process][number];
    char bytes[LENGTH_MAX];
    condreq_trouble_t trouble;
    write_t write = {0};

    write.key = document(killing, process, number);
    write.expected = version;
    write.state = CONDREQ_LIVE;
    write.body = bytes;
    write.length = length_of(number);
    pattern_fill(bytes, write.length, version + 1);
    if (write_run(store, &write, &trouble, killing->pool) || !write.performed)
        return 0;
    killing->will->acknowledged[process][number] = version + 1;
    return 1;
}

static void write_once_and_wait(killing_t *killing, int process)
{
    condreq_store_t *store =
        crew_join(killing->suite, killing->name, killing->pool);
    int number;

    for (number = 0; store && number < KILL_DOCUMENTS; number++)
        write_next(killing, store, process, number);
    __sync_fetch_and_add(&killing->will->waiting, 1);
    for (;;)
        pause();
}

static void write_for_ever(killing_t *killing, int process)
{
    condreq_store_t *store =
        crew_join(killing->suite, killing->name, killing->pool);
    int number = 0;

    __sync_fetch_and_add(&killing->will->waiting, 1);
    while (store && write_next(killing, store, process, number))
        number = (number + 1) % KILL_DOCUMENTS;
    for (;;)
        pause();
}

static void victims_start(killing_t *killing,
                          void (*live)(killing_t *killing, int process))
{
    int i;

    killing->will->waiting = 0;
    for (i = 0; i < KILL_PROCESSES; i++)
        if ((killing->victims[i] = fork()) == 0)
            live(killing, i);
    while (killing->will->waiting < KILL_PROCESSES)
        usleep(1000);
}

static void victims_kill(killing_t *killing)
{
    int i;

    for (i = 0; i < KILL_PROCESSES; i++)
        kill(killing->victims[i], SIGKILL);
    for (i = 0; i < KILL_PROCESSES; i++)
        waitpid(killing->victims[i], NULL, 0);
}

/* The write that was begun last may be there; it is then whole. */
static int is_as_willed(const killing_t *killing, condreq_store_t *store,
                        int process, int number)
{
    const char *key = document(killing, process, number);
    condreq_record_t record = record_of(store, key, killing->pool);
    apr_uint64_t known = killing->will->acknowledged[process][number];
    char bytes[LENGTH_MAX];
    condreq_trouble_t trouble;

    if (record.version != known && record.version != known + 1)
        return 0;
    killing->will->acknowledged[process][number] = record.version;
    if (record.version == 0)
        return 1;
    return record.body_length == length_of(number) &&
           store->provider->body_read(store, key, &record, 0, bytes,
                                      length_of(number), &trouble,
                                      killing->pool) == APR_SUCCESS &&
           pattern_holds(bytes, length_of(number), record.version);
}

static int count_as_willed(void *baton)
{
    killing_t *killing = baton;
    condreq_store_t *store =
        crew_join(killing->suite, killing->name, killing->pool);
    int count = 0, process, number;

    for (process = 0; store && process < KILL_PROCESSES; process++)
        for (number = 0; number < KILL_DOCUMENTS; number++)
            count += is_as_willed(killing, store, process, number);
    return count;
}

static int killing_begin(killing_t *killing)
{
    killing->will = mmap(NULL, sizeof(*killing->will), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return killing->will != MAP_FAILED &&
           crew_prepare(killing->suite, killing->name, killing->pool);
}

static int killing_end(killing_t *killing)
{
    victims_kill(killing);
    if (!crew_prepare(killing->suite, killing->name, killing->pool))
        return -1;
    return crew_apart(killing->suite, count_as_willed, killing);
}

int kill_between_transactions(const store_suite_t *suite, apr_pool_t *pool)
{
    killing_t killing = {suite, "killed", pool, NULL, {0}};
    int process, number, count;

    if (!killing_begin(&killing))
        return -1;
    victims_start(&killing, write_once_and_wait);
    count = killing_end(&killing);
    for (process = 0; process < KILL_PROCESSES; process++)
        for (number = 0; number < KILL_DOCUMENTS; number++)
            if (killing.will->acknowledged[process][number] != 1)
                return -1;
    return count;
}

int kill_anywhere(const store_suite_t *suite, apr_pool_t *pool)
{
    killing_t killing = {suite, "killed-anywhere", pool, NULL, {0}};
    int wrong = 0, round, count;

    if (!killing_begin(&killing))
        return -1;
    for (round = 0; round < KILL_ROUNDS; round++) {
        victims_start(&killing, write_for_ever);
        usleep((useconds_t)(50000 + 37000 * round));
        if ((count = killing_end(&killing)) < 0)
            return -1;
        wrong += KILL_PROCESSES * KILL_DOCUMENTS - count;
    }
    return wrong;
}
