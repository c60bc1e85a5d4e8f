/* Generations as one process sees them: the way inside, the handles of the
 * generation that is open, and what is let go of when another follows.
 * Knows the word, this process's mappings and descriptors; no tree.
 *
 * Handles are replaced only by a thread that is inside a generation which this
 * process has not opened. The keeper published that one after all slots of the
 * one before were left: so no other thread uses the old handles, and none will.
 * They are not closed, for the library would touch what a dead process left
 * half done. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "apr_strings.h"

#include "condreq_bdb.h"
#include "condreq_bdb_fault.h"

#define PATH_SIZE 4200
#define LONGEST_SLEEP_US 100000
#define FOLLOW_AGAIN_US 20000

/* ---- what an old generation left in this process ---- */

static int is_below(const char *name, const char *directory)
{
    size_t length = strlen(directory);

    return !strncmp(name, directory, length) && name[length] == '/';
}

/* The kernel lists a mapping with its file's name, also where that is gone. */
static void unmap_below(const char *directory)
{
    char line[PATH_SIZE + 128];
    FILE *maps = fopen("/proc/self/maps", "re");
    void *from, *to;
    int at;

    if (!maps)
        return;
    while (fgets(line, sizeof(line), maps)) {
        at = 0;
        if (sscanf(line, "%p-%p %*s %*s %*s %*s %n", &from, &to, &at) == 2 &&
            at > 0 && is_below(line + at, directory))
            munmap(from, (size_t)((char *)to - (char *)from));
    }
    fclose(maps);
}

static int is_of_generation(const char *name, const bdb_places_t *places)
{
    return is_below(name, places->regions) || is_below(name, places->data) ||
           is_below(name, places->log);
}

static void close_descriptors(const bdb_places_t *places)
{
    DIR *directory = opendir("/proc/self/fd");
    struct dirent *entry;
    char name[PATH_SIZE];
    ssize_t length;

    if (!directory)
        return;
    while ((entry = readdir(directory))) {
        length =
            readlinkat(dirfd(directory), entry->d_name, name, sizeof(name) - 1);
        if (length < 0)
            continue;
        name[length] = '\0';
        if (is_of_generation(name, places))
            close(atoi(entry->d_name));
    }
    closedir(directory);
}

/* The library's own memory for the old handles stays: some 40 KB a time. */
static void let_go(bdb_store_t *store)
{
    if (!store->places.regions)
        return;
    close_descriptors(&store->places);
    unmap_below(store->places.regions);
    store->places.regions = NULL;
}

/* ---- opening ---- */

/* Ids of the generation before may be handed out again: their draw was
 * perhaps still in the log's buffer. */
static void forget_body_ids(bdb_store_t *store)
{
    store->body_ids_next = store->body_ids_end = 0;
}

/* Inside. */
static apr_status_t open_inside(bdb_store_t *store, apr_uint64_t word,
                                condreq_trouble_t *trouble)
{
    condreq_trouble_t heard;
    apr_status_t status;
    int code;

    let_go(store);
    apr_pool_clear(store->generation_pool);
    status = bdb_places_find(&store->places, store->config.path, trouble,
                             store->generation_pool);
    if (status != APR_SUCCESS)
        return status;
    if (store->places.generation != bdb_word_generation(word) ||
        !store->places.regions)
        return condreq_trouble(trouble, CONDREQ_EPANIC, "opening the store");
    bdb_listen(&heard);
    code = bdb_handles_open(store);
    bdb_listen(NULL);
    if (code != 0)
        return bdb_trouble(trouble, code, &heard, "opening the store in",
                           store->config.path);
    forget_body_ids(store);
    atomic_store(&store->opened, word);
    return APR_SUCCESS;
}

static int lock_before(pthread_mutex_t *mutex, apr_int64_t deadline_us)
{
    apr_int64_t rest_us = deadline_us - bdb_clock_us();
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    rest_us = rest_us > 0 ? rest_us : 0;
    rest_us += until.tv_nsec / 1000;
    until.tv_sec += rest_us / APR_USEC_PER_SEC;
    until.tv_nsec = rest_us % APR_USEC_PER_SEC * 1000;
    return pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &until);
}

/* A generation that went bad while it was being opened is no trouble: another
 * follows. */
static apr_status_t open_generation(bdb_store_t *store, bdb_slot_t *slot,
                                    apr_uint64_t word, apr_int64_t deadline_us,
                                    condreq_trouble_t *trouble)
{
    apr_status_t status = APR_SUCCESS;

    if (lock_before(&store->opening, deadline_us) != 0)
        return condreq_trouble(trouble, APR_TIMEUP, "opening the store");
    if (atomic_load(&store->opened) != word &&
        bdb_slot_enter(store->control, slot, word, bdb_clock_us())) {
        status = open_inside(store, word, trouble);
        bdb_slot_leave(slot);
    }
    pthread_mutex_unlock(&store->opening);
    if (status == CONDREQ_EPANIC)
        bdb_control_condemn(store->control, word, BDB_CONDEMNED_BY_LIBRARY);
    return atomic_load(&store->control->file->word) == word ? status
                                                            : APR_SUCCESS;
}

/* ---- inside ---- */

static int may_go_inside(bdb_store_t *store, bdb_slot_t *slot,
                         apr_uint64_t word)
{
    apr_uint64_t opened =
        atomic_load_explicit(&store->opened, memory_order_acquire);

    if (CONDREQ_UNPROTECTED() && opened && bdb_word_state(word) != BDB_OPEN)
        word = opened;
    return word == opened &&
           bdb_slot_enter(store->control, slot, word, bdb_clock_us());
}

/* Nobody opens this control file's generation again. */
static int is_replaced(apr_uint64_t word)
{
    return bdb_word_state(word) == BDB_CONDEMNED_BY_PREPARE;
}

/* Sleeps until there is something new, and not past the deadline, nor where
 * that would be of no use. */
static int await_change(bdb_store_t *store, apr_uint32_t seen,
                        apr_uint64_t word, apr_int64_t deadline_us)
{
    apr_int64_t rest_us = deadline_us - bdb_clock_us();

    if (rest_us <= 0 || is_replaced(word) ||
        atomic_load(&store->control->file->recovery_fails))
        return 0;
    bdb_control_await(store->control, seen,
                      rest_us < LONGEST_SLEEP_US ? rest_us : LONGEST_SLEEP_US);
    return 1;
}

/* A tool, which has one thread, follows to the control file of those who have
 * prepared the store, once it is there. What it had mapped of the old one stays.
 * @return has it? */
static int follow(bdb_store_t *store)
{
    condreq_trouble_t trouble;
    bdb_control_t *next;
    apr_pool_t *own;

    if (apr_pool_create_unmanaged(&own) != APR_SUCCESS)
        return 0;
    if (bdb_control_map(&next, store->config.path, BDB_VISITOR, &trouble,
                        own) == APR_SUCCESS) {
        if (next->file->inode != store->control->file->inode) {
            store->control = next;
            store->config.durability =
                (condreq_durability_t)next->file->durability;
            bdb_control_ring(next);
            return 1;
        }
        bdb_control_unmap(next);
    }
    apr_pool_destroy(own);
    return 0;
}

static int follows(bdb_store_t *store, apr_int64_t deadline_us)
{
    while (bdb_identity_role(store->control->identity) == BDB_VISITOR &&
           bdb_clock_us() < deadline_us) {
        if (follow(store))
            return 1;
        usleep(FOLLOW_AGAIN_US);
    }
    return 0;
}

static apr_status_t give_up(apr_uint64_t word, condreq_trouble_t *trouble)
{
    return condreq_trouble(trouble, APR_TIMEUP,
                           is_replaced(word)
                               ? "the store is being prepared anew"
                               : "waiting for the store's recovery");
}

static apr_status_t take_place(bdb_store_t *store, bdb_slot_t **slot,
                               apr_int64_t deadline_us,
                               condreq_trouble_t *trouble)
{
    *slot = bdb_slot_mine(store->control, deadline_us);
    if (*slot)
        return APR_SUCCESS;
    return condreq_trouble(trouble, APR_TIMEUP,
                           "all of the store's %u places are taken",
                           store->control->slot_count);
}

apr_status_t bdb_enter(bdb_store_t *store, bdb_slot_t **entered,
                       apr_int64_t deadline_us, condreq_trouble_t *trouble)
{
    apr_status_t status = take_place(store, entered, deadline_us, trouble);

    while (status == APR_SUCCESS) {
        apr_uint32_t seen = atomic_load(&store->control->file->published);
        apr_uint64_t word = atomic_load(&store->control->file->word);

        if (may_go_inside(store, *entered, word))
            return APR_SUCCESS;
        if (bdb_word_state(word) == BDB_OPEN)
            status =
                open_generation(store, *entered, word, deadline_us, trouble);
        else if (is_replaced(word) && follows(store, deadline_us))
            status = take_place(store, entered, deadline_us, trouble);
        else if (!await_change(store, seen, word, deadline_us))
            status = give_up(word, trouble);
    }
    return status;
}
