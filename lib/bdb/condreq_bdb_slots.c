/* Slots: a thread's place in the control file, taken, entered and left.
 * Knows the order of two writes and two reads, which everything rests on; no
 * library call. The header says what the order is. */
#include <sys/syscall.h>
#include <unistd.h>

#include "condreq_bdb_control.h"
#include "condreq_bdb_fault.h"

#define LOOK_AGAIN_US 1000

/* Threads begin to look at different places. */
static unsigned first_place(const bdb_control_t *control, pid_t thread)
{
    return (unsigned)thread * 2654435761u % control->slot_count;
}

static bdb_slot_t *take_free(bdb_control_t *control, pid_t thread)
{
    unsigned first = first_place(control, thread);
    unsigned i;

    for (i = 0; i < control->slot_count; i++) {
        bdb_slot_t *slot = &control->slots[(first + i) % control->slot_count];
        apr_uint64_t nobody = 0;

        if (atomic_load_explicit(&slot->owner, memory_order_relaxed) == 0 &&
            atomic_compare_exchange_strong(&slot->owner, &nobody,
                                           control->identity))
            return slot;
    }
    return NULL;
}

static bdb_slot_t *take(bdb_control_t *control, apr_int64_t deadline_us)
{
    pid_t thread = (pid_t)syscall(SYS_gettid);
    bdb_slot_t *slot;

    while (!(slot = take_free(control, thread)) && bdb_clock_us() < deadline_us)
        usleep(LOOK_AGAIN_US);
    if (!slot)
        return NULL;
    atomic_store(&slot->thread, (apr_uint32_t)thread);
    atomic_store(&slot->verdict, BDB_VERDICT_NONE);
    if (pthread_setspecific(control->slot_of_thread, slot) != 0) {
        atomic_store(&slot->owner, 0);
        return NULL;
    }
    return slot;
}

bdb_slot_t *bdb_slot_mine(bdb_control_t *control, apr_int64_t deadline_us)
{
    bdb_slot_t *slot = pthread_getspecific(control->slot_of_thread);

    return slot ? slot : take(control, deadline_us);
}

void bdb_slot_give_back(bdb_control_t *control)
{
    bdb_slot_t *slot = pthread_getspecific(control->slot_of_thread);

    if (!slot)
        return;
    pthread_setspecific(control->slot_of_thread, NULL);
    atomic_store(&slot->verdict, BDB_VERDICT_NONE);
    atomic_store(&slot->owner, 0);
}

int bdb_slot_enter(bdb_control_t *control, bdb_slot_t *slot, apr_uint64_t word,
                   apr_int64_t now_us)
{
    atomic_store_explicit(&slot->since_us, now_us, memory_order_relaxed);
    atomic_store(&slot->inside, word);
    if (atomic_load(&control->file->word) == word || CONDREQ_UNPROTECTED())
        return 1;
    bdb_slot_leave(slot);
    return 0;
}

void bdb_slot_leave(bdb_slot_t *slot)
{
    atomic_store_explicit(&slot->inside, 0, memory_order_release);
}
