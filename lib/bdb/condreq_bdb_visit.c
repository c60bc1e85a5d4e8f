/* Visits: the one way into the library and out of it.
 * Knows how long to wait, what is worth another try, and what the library's
 * codes mean outside; no tree, no record.
 * Whatever has to surround every call of the library (the slots of the
 * design's section 14) has its place in bdb_visit(), and nowhere else. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "apr_strings.h"

#include "condreq_bdb.h"

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

void bdb_hear(const DB_ENV *env, const char *prefix, const char *message)
{
    (void)env;
    (void)prefix;
    if (listener)
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
        return CONDREQ_EFORMAT;
    case EDQUOT:
        return APR_ENOSPC;
    default:
        return code > 0 ? code : APR_EGENERAL;
    }
}

/* The library calls a wait that was given up a deadlock too, and promises of
 * an upgrade what it knows nothing about. */
static const char *words_of(int code)
{
    switch (code) {
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
    int told = heard && heard->sentence[0];

    apr_snprintf(trouble->sentence, sizeof(trouble->sentence),
                 "%s%s%.100s: %s%s%s", doing, key[0] ? " " : "", key,
                 words_of(code), told ? "; " : "", told ? heard->sentence : "");
    return bdb_status(code);
}

/* A few milliseconds are exact enough, and this clock costs nothing. */
static apr_interval_time_t coarse_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec * APR_USEC_PER_SEC + now.tv_nsec / 1000;
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

/* A signal handler that ends the process, as prefork's does for SIGTERM, must
 * not run inside: others would wait for ever for what this thread holds. Most
 * servers' threads block these signals themselves; a thread looks once. */
static int must_block_signals(void)
{
    static __thread enum { UNKNOWN, BLOCKED, OPEN } own;
    sigset_t mask;

    if (own == UNKNOWN)
        own = pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0 &&
                      sigismember(&mask, SIGTERM)
                  ? BLOCKED
                  : OPEN;
    return own == OPEN;
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

apr_status_t bdb_visit(bdb_store_t *store, bdb_visit_t *visit,
                       condreq_trouble_t *trouble)
{
    apr_interval_time_t deadline = coarse_us() + store->wait_us;
    condreq_trouble_t heard;
    int blocks_signals = must_block_signals();
    unsigned tries = 0;
    sigset_t before;
    int code;

    if (blocks_signals)
        block_signals(&before);
    bdb_listen(&heard);
    while (is_passing(code = visit->run(store, visit)) &&
           coarse_us() < deadline)
        back_off(tries++);
    bdb_listen(NULL);
    if (blocks_signals)
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code == 0)
        return APR_SUCCESS;
    return bdb_trouble(trouble, code, &heard, visit->doing, visit->key);
}
