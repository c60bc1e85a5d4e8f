/* Turns: what every load of the bench is told, and what it tells.
 * A load runs as long as the bench does, and hears lines on standard input:
 *   ready CLIENTS   connect so many, and say {} once each has been answered
 *   go SECONDS      make requests for so long, and say what came of it
 * Knows counts and times; no protocol, no store. */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include <stdint.h>

#define TALLY_CLIENTS_MAX 1024

/** What a request came to, whatever the protocol calls it. */
typedef enum tally_outcome_t {
    /** a document was sent to the client */
    TALLY_DOCUMENT,
    /** the client has it already */
    TALLY_UNMODIFIED,
    /** the document that the client sent was stored */
    TALLY_WRITTEN,
    /** another writer was first */
    TALLY_REFUSED,
    /** no request, but a step that requests take, alone */
    TALLY_STEP,
    /** anything else: nothing that was asked for */
    TALLY_OTHER,
    TALLY_OUTCOMES
} tally_outcome_t;

/** Microseconds: 32 steps to each power of two, so exact to 3 percent. */
#define TALLY_STEPS 32
#define TALLY_BUCKETS (28 * TALLY_STEPS)

typedef struct tally_t {
    double seconds;
    unsigned long outcomes[TALLY_OUTCOMES];
    /** by HTTP's status; 0 counts whatever has none */
    unsigned long statuses[600];
    /** bytes of documents that were carried, either way */
    uint64_t payload;
    unsigned long latencies[TALLY_BUCKETS];
    /** documents, 304s and writes of each client */
    unsigned long successes[TALLY_CLIENTS_MAX];
} tally_t;

/** Counts one request. @param payload bytes of its document; us: how long */
void tally_count(tally_t *tally, int client, tally_outcome_t outcome,
                 int status, uint64_t payload, double us);

/** Adds one tally's counts to another's. */
void tally_add(tally_t *sum, const tally_t *part);

/** Writes a tally as one line of JSON to standard output. */
void tally_print(const tally_t *tally, int clients);

/** A load: what the lines above call. baton is the load's own. */
typedef struct tally_load_t {
    void (*ready)(void *baton, int clients);
    void (*go)(void *baton, double seconds, tally_t *tally);
    void *baton;
} tally_load_t;

/** Serves standard input until its end. */
void tally_serve(const tally_load_t *load);

double tally_now(void);

/** Ends the program with a sentence. */
void tally_die(const char *what, const char *why) __attribute__((noreturn));

#endif
