/* The ledger: every version that was acknowledged, once.
 * Knows the diaries; no store. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "crash.h"

/* Open addressing; 0 is no entry, for versions begin at 1. */
static apr_uint64_t *entries;
static size_t room, used;
static unsigned entered[THREADS_MAX];
static totals_t totals;

void crash_violation(const char *format, ...)
{
    va_list args;

    if (atomic_fetch_add(&board->violations, 1) >= VIOLATIONS_SHOWN)
        return;
    printf("# VIOLATION: ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
}

void crash_describe(unsigned document, apr_uint64_t version)
{
    unsigned thread, i;

    for (thread = 0; thread < THREADS_MAX; thread++)
        for (i = 0; i < atomic_load(&board->diaries[thread].count); i++) {
            operation_t *operation = &board->diaries[thread].operations[i];

            if (operation->document == document && operation->kind != CREATE &&
                (operation->version == version || operation->base >= version))
                printf("#   thread %u: kind %d state %d upon %lu made %lu, "
                       "%.6f to %.6f, generation %lu\n",
                       thread, operation->kind, atomic_load(&operation->state),
                       (unsigned long)operation->base,
                       (unsigned long)operation->version,
                       (double)operation->began_us / 1e6,
                       (double)operation->ended_us / 1e6,
                       (unsigned long)operation->generation);
        }
    fflush(stdout);
}

static int insert(apr_uint64_t entry)
{
    size_t at = (size_t)((entry * 0x9e3779b97f4a7c15u) >> 20) & (room - 1);

    while (entries[at] && entries[at] != entry)
        at = (at + 1) & (room - 1);
    if (entries[at])
        return 0;
    entries[at] = entry;
    used++;
    return 1;
}

static void grow(void)
{
    apr_uint64_t *old = entries;
    size_t old_room = room, i;

    room = room ? 2 * room : 1 << 16;
    entries = calloc(room, sizeof *entries);
    if (!entries)
        abort();
    used = 0;
    for (i = 0; i < old_room; i++)
        if (old[i])
            insert(old[i]);
    free(old);
}

/* A document by its number and its version; what was created by its number. */
static void enter(const operation_t *operation)
{
    apr_uint64_t created = operation->kind == CREATE;

    if (2 * used >= room)
        grow();
    if (!insert(created << 63 | (apr_uint64_t)operation->document << 32 |
                operation->version))
        crash_violation("%s %u: version %lu has two winners",
                        created ? "created document" : "document",
                        operation->document, (unsigned long)operation->version);
}

unsigned crash_ledger_enter(unsigned *recent, unsigned at_most)
{
    unsigned thread, found = 0;

    for (thread = 0; thread < THREADS_MAX; thread++) {
        diary_t *diary = &board->diaries[thread];
        unsigned count = atomic_load(&diary->count);

        for (; entered[thread] < count; entered[thread]++) {
            operation_t *operation = &diary->operations[entered[thread]];
            int state = atomic_load(&operation->state);

            if (state == BEGUN)
                break;
            totals.counts[state]++;
            if (state != ACKNOWLEDGED)
                continue;
            enter(operation);
            if (operation->kind != CREATE && found < at_most)
                recent[found++] = operation->document;
        }
    }
    return found;
}

/* What its threads had begun has no answer any more. */
void crash_ledger_forget_process(unsigned process)
{
    unsigned i;

    for (i = 0; i < options.threads; i++) {
        diary_t *diary = &board->diaries[process * options.threads + i];
        unsigned count = atomic_load(&diary->count);
        operation_t *last = count ? &diary->operations[count - 1] : NULL;
        /* Entered, but killed before it was counted. */
        operation_t *next = &diary->operations[count];

        if (last && atomic_load(&last->state) == BEGUN)
            atomic_store(&last->state, LOST);
        atomic_store(&next->state, 0);
    }
}

totals_t crash_ledger_totals(void)
{
    return totals;
}
