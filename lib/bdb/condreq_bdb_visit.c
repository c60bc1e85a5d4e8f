/* Visits: the one way into the library and out of it.
 * Knows how long to wait, what is worth another try, and what the library's
 * codes mean outside; no tree, no record.
 * A visit that meets a lost environment has it condemned, and runs again in
 * the one that follows: what it had not committed was never done. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "apr_strings.h"

#include "condreq_bdb.h"
#include "condreq_bdb_fault.h"

#define BACKOFF_SHORTEST_US 50
#define BACKOFF_LONGEST_US 5000

/* The library tells what went wrong on the thread that it happened to, with
 * nothing to say which call it was: so each thread notes who listens. */
static __thread condreq_trouble_t *listener;

void bdb_listen(condreq_trouble_t *heard)
{
    listener = heard;
    if (heard)
        heard->sentence[0] = '\0';
}

/* The first is the cause; what follows is how it spread. */
void bdb_hear(const DB_ENV *env, const char *prefix, const char *message)
{
    (void)env;
    (void)prefix;
    /* The first says what it was, the others what came of it. */
    if (listener && !listener->sentence[0])
        apr_cpystrn(listener->sentence, message, sizeof(listener->sentence));
}

/* Others were in the way: a deadlock, a wait that was too long, or too many
 * at once for the tables. The transaction was aborted, or never began. */
static int is_passing(int code)
{
    return code == DB_LOCK_DEADLOCK || code == DB_LOCK_NOTGRANTED ||
           code == ENOMEM || code == EAGAIN;
}

apr_status_t bdb_status(int code)
{
    if (is_passing(code))
        return APR_TIMEUP;
    switch (code) {
    case 0:
        return APR_SUCCESS;
    case DB_RUNRECOVERY:
        return CONDREQ_EPANIC;
    case DB_VERSION_MISMATCH:
    case DB_OLD_VERSION:
    case DB_CHKSUM_FAIL:
        return CONDREQ_EFORMAT;
    case EDQUOT:
        return APR_ENOSPC;
    default:
        return code > 0 ? code : APR_EGENERAL;
    }
}

#define DAMAGED                                                                \
    "a page on the disk is damaged; restore a backup, or save what can be "    \
    "read by condreqctl salvage"

/* The library calls a wait that was given up a deadlock too, and promises of
 * an upgrade what it knows nothing about. */
static const char *words_of(int code)
{
    switch (code) {
    case DB_CHKSUM_FAIL:
        return DAMAGED;
    case DB_LOCK_DEADLOCK:
    case DB_LOCK_NOTGRANTED:
        return "others were in the way for too long";
    case DB_OLD_VERSION:
    case DB_VERSION_MISMATCH:
        return "it is of another format than this version reads";
    default:
        return db_strerror(code);
    }
}

apr_status_t bdb_trouble(condreq_trouble_t *trouble, int code,
                         const condreq_trouble_t *heard, const char *doing,
                         const char *key)
{
    const char *words = heard ? heard->sentence : "";

    if (bdb_damage_is(code, heard))
        code = DB_CHKSUM_FAIL;
    apr_snprintf(trouble->sentence, sizeof(trouble->sentence),
                 "%s%s%.100s: %s%s%s", doing, key[0] ? " " : "", key,
                 words_of(code), words[0] ? "; " : "", words);
    return bdb_status(code);
}

/* Those who met must not meet again: each waits for another while, longer
 * from try to try. The clock and the stack make it another. */
static void back_off(unsigned tries)
{
    apr_interval_time_t longest = BACKOFF_LONGEST_US;
    apr_uintptr_t mixed = (apr_uintptr_t)apr_time_now() * 2654435761u ^
                          (apr_uintptr_t)&longest >> 4;

    if (tries < 7)
        longest = BACKOFF_SHORTEST_US << tries;
    apr_sleep(1 + (apr_interval_time_t)(mixed >> 7) % longest);
}

#define OUT_OF_MEMORY_AGAIN_US (60 * APR_USEC_PER_SEC)

/* The tables are full and stay full: perhaps with what dead processes left in
 * them. Perhaps one transaction is too large, though: so not at once again. */
static int memory_is_lost(bdb_control_t *control, int code)
{
    apr_int64_t now_us = bdb_clock_us();
    apr_int64_t before_us = atomic_load(&control->file->out_of_memory_us);

    return code == ENOMEM &&
           (before_us == 0 || now_us - before_us > OUT_OF_MEMORY_AGAIN_US) &&
           atomic_compare_exchange_strong(&control->file->out_of_memory_us,
                                          &before_us, now_us);
}

/* One run, inside. */
static apr_status_t run_inside(bdb_store_t *store, bdb_visit_t *visit,
                               bdb_slot_t *slot, int *code,
                               condreq_trouble_t *trouble)
{
    apr_uint64_t word =
        atomic_load_explicit(&slot->inside, memory_order_relaxed);
    condreq_trouble_t heard;

    bdb_listen(&heard);
    *code = visit->run(store, visit);
    bdb_listen(NULL);
    bdb_slot_leave(slot);
    if (*code == DB_RUNRECOVERY)
        bdb_control_condemn(store->control, word, BDB_CONDEMNED_BY_LIBRARY);
    if (bdb_damage_is(*code, &heard)) {
        bdb_damage_note(store->control, visit->key);
        *code = DB_CHKSUM_FAIL;
    }
    /* What came of it in a condemned environment, good or bad, may have come of
     * its end: a panic surprises the library in places where it goes on. */
    else if (atomic_load(&store->control->file->word) != word &&
             !CONDREQ_UNPROTECTED())
        *code = DB_RUNRECOVERY;
    if (*code == 0)
        return APR_SUCCESS;
    return bdb_trouble(trouble, *code, &heard, visit->doing, visit->key);
}

/* A signal handler that ends the process, as prefork's does for SIGTERM, must
 * not run inside: others would wait for ever for what this thread holds. Most
 * servers' threads block these signals themselves; a thread looks once. */
static __thread enum { UNKNOWN, BLOCKED, OPEN } own_signals;

static int must_block_signals(void)
{
    sigset_t mask;

    if (own_signals == UNKNOWN)
        own_signals = pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0 &&
                              sigismember(&mask, SIGTERM)
                          ? BLOCKED
                          : OPEN;
    return own_signals == OPEN;
}

/* httpd's prefork MPM blocks them while a child is made ready, and no longer. */
void bdb_visit_look_again(void)
{
    own_signals = UNKNOWN;
}

static void block_signals(sigset_t *before)
{
    sigset_t ending;

    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGHUP);
    sigaddset(&ending, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &ending, before);
}

static apr_status_t visit_until(bdb_store_t *store, bdb_visit_t *visit,
                                condreq_trouble_t *trouble)
{
    apr_int64_t deadline_us = bdb_clock_us() + store->config.wait_us;
    apr_status_t status;
    bdb_slot_t *slot;
    unsigned tries = 0;
    int code;

    for (;;) {
        if ((status = bdb_enter(store, &slot, deadline_us, trouble)))
            return status;
        status = run_inside(store, visit, slot, &code, trouble);
        if (code != DB_RUNRECOVERY && !is_passing(code))
            return status;
        if (bdb_clock_us() >= deadline_us)
            break;
        if (code != DB_RUNRECOVERY)
            back_off(tries++);
    }
    if (memory_is_lost(store->control, code))
        bdb_control_condemn(store->control,
                            atomic_load(&store->control->file->word),
                            BDB_CONDEMNED_BY_MEMORY);
    return status;
}

/* A store that this process opened alone, in memory of its own, has nobody to
 * wait for. */
static apr_status_t run_alone(bdb_store_t *store, bdb_visit_t *visit,
                              condreq_trouble_t *trouble)
{
    condreq_trouble_t heard;
    int code;

    bdb_listen(&heard);
    code = visit->run(store, visit);
    bdb_listen(NULL);
    return code ? bdb_trouble(trouble, code, &heard, visit->doing, visit->key)
                : APR_SUCCESS;
}

apr_status_t bdb_visit(bdb_store_t *store, bdb_visit_t *visit,
                       condreq_trouble_t *trouble)
{
    int blocks_signals = must_block_signals();
    apr_status_t status;
    sigset_t before;

    if (!store->control)
        return run_alone(store, visit, trouble);
    if (blocks_signals)
        block_signals(&before);
    status = visit_until(store, visit, trouble);
    if (blocks_signals)
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}
