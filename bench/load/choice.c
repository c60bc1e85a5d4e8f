/* Which document is next.
 * Knows numbers alone. */
#include "choice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tally.h"

#define ZIPF_EXPONENT 0.99
#define NEIGHBOURS 4

static uint64_t random_next(uint64_t *state)
{
    /* xorshift64*, which never leaves 0 */
    if (!*state)
        *state = 88172645463325252u;
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 2685821657736338717u >> 16;
}

static void zipf_init(choice_t *choice)
{
    double sum = 0;
    unsigned i;

    choice->zipf = calloc(choice->documents, sizeof(double));
    if (!choice->zipf)
        tally_die("zipf", "no memory");
    for (i = 0; i < choice->documents; i++)
        choice->zipf[i] = sum += pow(i + 1, -ZIPF_EXPONENT);
    for (i = 0; i < choice->documents; i++)
        choice->zipf[i] /= sum;
}

void choice_init(choice_t *choice, const char *name, unsigned documents)
{
    static const char *const names[] = {"uniform", "zipf", "neighbours", "hot"};
    int kind = 0;

    while (kind < 4 && strcmp(names[kind], name) != 0)
        kind++;
    if (kind == 4)
        tally_die("choice", "uniform, zipf, neighbours or hot");
    choice->kind = (choice_kind_t)kind;
    choice->documents = documents;
    choice->zipf = NULL;
    if (choice->kind == CHOICE_ZIPF)
        zipf_init(choice);
}

static unsigned zipf_rank(const choice_t *choice, double share)
{
    unsigned low = 0, high = choice->documents - 1;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (choice->zipf[middle] < share)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

unsigned choice_next(const choice_t *choice, uint64_t *random, int client,
                     int clients)
{
    uint64_t drawn = random_next(random);
    unsigned number = 0;

    switch (choice->kind) {
    case CHOICE_HOT:
        return 0;
    case CHOICE_NEIGHBOURS:
        number = (unsigned)client * NEIGHBOURS + (unsigned)(drawn % NEIGHBOURS);
        return number % choice->documents;
    case CHOICE_ZIPF:
        number = zipf_rank(choice, (double)(drawn >> 8) / (double)(1ull << 40));
        break;
    case CHOICE_UNIFORM:
        number = (unsigned)(drawn % choice->documents);
        break;
    }
    /* The nearest one that is this client's. */
    number = number / (unsigned)clients * (unsigned)clients + (unsigned)client;
    return number < choice->documents ? number
                                      : (unsigned)client % choice->documents;
}
