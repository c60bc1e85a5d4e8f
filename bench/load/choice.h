/* Which document is next.
 * Knows numbers alone. Each client has documents of its own, so that nobody
 * but the store gets in its way, unless one document is everybody's. */
#ifndef BENCH_CHOICE_H
#define BENCH_CHOICE_H

#include <stdint.h>

typedef enum choice_kind_t {
    CHOICE_UNIFORM,
    /** few documents get most requests: Zipf's law, exponent 0.99 */
    CHOICE_ZIPF,
    /** every client has four, next to one another and to other clients' */
    CHOICE_NEIGHBOURS,
    /** all clients have one document */
    CHOICE_HOT
} choice_kind_t;

typedef struct choice_t {
    choice_kind_t kind;
    unsigned documents;
    /** of each rank but the last, the share of requests up to it */
    double *zipf;
} choice_t;

/** @param name  uniform, zipf, neighbours or hot */
void choice_init(choice_t *choice, const char *name, unsigned documents);

/** @param random  the client's own, anything to begin with
 *  @return from 0 to documents - 1; another client's only under HOT */
unsigned choice_next(const choice_t *choice, uint64_t *random, int client,
                     int clients);

#endif
