/* The clients: writers, readers, and a prober that has nothing else to do than
 * to tell for how long there was no service.
 * Knows threads and times; what is asked stands in documents.c. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kill_httpd.h"

#define PROBE_EVERY_US 2000
#define PROBES_KEPT 16384
#define FILL_TRIES 5

static pthread_t threads[THREADS_MAX];
static unsigned thread_count;
static _Atomic(int) stopped;
static _Atomic(unsigned) filled;

/* The prober's last good writes: when they began and when they ended. */
typedef struct probe_t {
    int64_t began_us;
    int64_t ended_us;
} probe_t;

static pthread_mutex_t probes_mutex = PTHREAD_MUTEX_INITIALIZER;
static probe_t probes[PROBES_KEPT];
static unsigned long probe_count;

/* The first is fought for by nobody but the prober. */
#define PROBED 0

static writer_t *writer_make(unsigned number)
{
    writer_t *writer = calloc(1, sizeof *writer);

    if (!writer)
        abort();
    writer->number = number;
    writer->random = options.seed * 7919u + number;
    writer->wire.socket = -1;
    return writer;
}

static unsigned pick(writer_t *writer)
{
    if (draw_random(&writer->random) % 3 == 0)
        return 1 + draw_random(&writer->random) % options.hot;
    return 1 + draw_random(&writer->random) % (options.documents - 1);
}

/* A new connection now and then; and one that nobody takes is no reason to ask
 * a thousand times a millisecond. */
static void between(writer_t *writer)
{
    if (writer->wire.socket < 0)
        pause_us(2000);
    else if (draw_random(&writer->random) % 32 == 0)
        wire_close(&writer->wire);
}

static void *write_on(void *number)
{
    writer_t *writer = writer_make((unsigned)(uintptr_t)number);

    while (!atomic_load(&stopped)) {
        if (draw_random(&writer->random) % 16 == 0)
            documents_create(writer);
        else
            documents_write(writer, pick(writer));
        between(writer);
    }
    return writer;
}

static void *read_on(void *number)
{
    writer_t *writer = writer_make((unsigned)(uintptr_t)number);

    while (!atomic_load(&stopped)) {
        documents_check(writer, pick(writer));
        pause_us(1000);
        between(writer);
    }
    return writer;
}

static void keep_probe(int64_t began_us, int64_t ended_us)
{
    probe_t *probe;

    pthread_mutex_lock(&probes_mutex);
    probe = &probes[probe_count++ % PROBES_KEPT];
    probe->began_us = began_us;
    probe->ended_us = ended_us;
    pthread_mutex_unlock(&probes_mutex);
}

static void *probe_on(void *number)
{
    writer_t *writer = writer_make((unsigned)(uintptr_t)number);

    while (!atomic_load(&stopped)) {
        int64_t began_us = now_us();
        int64_t ended_us = documents_replace(writer, PROBED);

        wire_close(&writer->wire);
        if (ended_us)
            keep_probe(began_us, ended_us);
        pause_us(PROBE_EVERY_US);
    }
    return writer;
}

int clients_are_served_since(int64_t since_us)
{
    int served;

    pthread_mutex_lock(&probes_mutex);
    served = probe_count > 0 &&
             probes[(probe_count - 1) % PROBES_KEPT].began_us >= since_us;
    pthread_mutex_unlock(&probes_mutex);
    return served;
}

int64_t clients_longest_pause_us(int64_t since_us)
{
    int64_t last_us = since_us, longest_us = 0;
    unsigned long i;

    pthread_mutex_lock(&probes_mutex);
    i = probe_count > PROBES_KEPT ? probe_count - PROBES_KEPT : 0;
    for (; i < probe_count; i++) {
        int64_t ended_us = probes[i % PROBES_KEPT].ended_us;

        if (ended_us < since_us)
            continue;
        if (ended_us - last_us > longest_us)
            longest_us = ended_us - last_us;
        last_us = ended_us;
    }
    pthread_mutex_unlock(&probes_mutex);
    return longest_us;
}

static void start(void *(*run)(void *))
{
    uintptr_t number = thread_count + 1;

    if (pthread_create(&threads[thread_count++], NULL, run, (void *)number))
        abort();
}

static void await_all(void)
{
    while (thread_count > 0) {
        void *writer;

        pthread_join(threads[--thread_count], &writer);
        wire_close(&((writer_t *)writer)->wire);
        free(writer);
    }
}

void clients_start(void)
{
    unsigned i;

    start(probe_on);
    for (i = 0; i < options.writers; i++)
        start(write_on);
    for (i = 0; i < options.readers; i++)
        start(read_on);
}

void clients_stop(void)
{
    atomic_store(&stopped, 1);
    await_all();
    atomic_store(&stopped, 0);
}

static void *fill_on(void *number)
{
    writer_t *writer = writer_make((unsigned)(uintptr_t)number);
    unsigned document, tries;

    /* A server may close a connection that is kept just when it is used. */
    while ((document = atomic_fetch_add(&filled, 1)) < options.documents) {
        for (tries = 0; !documents_replace(writer, document); tries++)
            if (tries == FILL_TRIES) {
                violation("document %u cannot be made", document);
                break;
            }
    }
    return writer;
}

void clients_fill(void)
{
    unsigned i;

    for (i = 0; i < options.writers; i++)
        start(fill_on);
    await_all();
}
