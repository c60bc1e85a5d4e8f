/* Turns, counted and told as JSON.
 * Knows counts and times; no protocol, no store. */
#include "tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const outcome_names[TALLY_OUTCOMES] = {
    "document", "unmodified", "written", "refused", "step", "other"};

void tally_die(const char *what, const char *why)
{
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(1);
}

double tally_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Log-linear: the power of two, and where between it and the next. */
static int bucket_of(double us)
{
    int power = 0;

    while (us >= 2 && power < 27) {
        us /= 2;
        power++;
    }
    if (us >= 2)
        return TALLY_BUCKETS - 1;
    return power * TALLY_STEPS + (us > 1 ? (int)((us - 1) * TALLY_STEPS) : 0);
}

static double us_of(int bucket)
{
    double power = (double)(1ul << (bucket / TALLY_STEPS));

    return power * (1 + (bucket % TALLY_STEPS + 0.5) / TALLY_STEPS);
}

void tally_count(tally_t *tally, int client, tally_outcome_t outcome,
                 int status, uint64_t payload, double us)
{
    tally->outcomes[outcome]++;
    tally->statuses[status > 0 && status < 600 ? status : 0]++;
    tally->payload += payload;
    tally->latencies[bucket_of(us)]++;
    if (outcome != TALLY_REFUSED && outcome != TALLY_OTHER)
        tally->successes[client]++;
}

void tally_add(tally_t *sum, const tally_t *part)
{
    int i;

    for (i = 0; i < TALLY_OUTCOMES; i++)
        sum->outcomes[i] += part->outcomes[i];
    for (i = 0; i < 600; i++)
        sum->statuses[i] += part->statuses[i];
    for (i = 0; i < TALLY_BUCKETS; i++)
        sum->latencies[i] += part->latencies[i];
    for (i = 0; i < TALLY_CLIENTS_MAX; i++)
        sum->successes[i] += part->successes[i];
    sum->payload += part->payload;
}

static double percentile(const tally_t *tally, double share)
{
    unsigned long all = 0, seen = 0;
    int i;

    for (i = 0; i < TALLY_BUCKETS; i++)
        all += tally->latencies[i];
    for (i = 0; i < TALLY_BUCKETS && all; i++) {
        seen += tally->latencies[i];
        if ((double)seen >= share * (double)all)
            return us_of(i);
    }
    return 0;
}

static void print_counts(const tally_t *tally)
{
    const char *comma = "";
    int i;

    printf("\"outcomes\":{");
    for (i = 0; i < TALLY_OUTCOMES; i++) {
        if (tally->outcomes[i]) {
            printf("%s\"%s\":%lu", comma, outcome_names[i], tally->outcomes[i]);
            comma = ",";
        }
    }
    printf("},\"statuses\":{");
    for (i = 0, comma = ""; i < 600; i++) {
        if (tally->statuses[i]) {
            printf("%s\"%d\":%lu", comma, i, tally->statuses[i]);
            comma = ",";
        }
    }
    printf("},");
}

static void print_spread(const tally_t *tally, int clients)
{
    unsigned long fewest = tally->successes[0], most = fewest;
    int i;

    for (i = 1; i < clients; i++) {
        if (tally->successes[i] < fewest)
            fewest = tally->successes[i];
        if (tally->successes[i] > most)
            most = tally->successes[i];
    }
    printf("\"fewest\":%lu,\"most\":%lu", fewest, most);
}

void tally_print(const tally_t *tally, int clients)
{
    printf("{\"seconds\":%.6f,\"clients\":%d,\"payload\":%llu,", tally->seconds,
           clients, (unsigned long long)tally->payload);
    print_counts(tally);
    printf("\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,",
           percentile(tally, 0.5), percentile(tally, 0.99),
           percentile(tally, 0.999));
    print_spread(tally, clients);
    printf("}\n");
    fflush(stdout);
}

void tally_serve(const tally_load_t *load)
{
    static tally_t tally;
    char line[128];
    int clients = 0;
    double seconds;

    while (fgets(line, sizeof(line), stdin)) {
        if (sscanf(line, "ready %d", &clients) == 1) {
            if (clients < 1 || clients > TALLY_CLIENTS_MAX)
                tally_die("clients", "from 1 to 1024");
            load->ready(load->baton, clients);
            printf("{}\n");
            fflush(stdout);
        }
        else if (sscanf(line, "go %lf", &seconds) == 1 && clients) {
            memset(&tally, 0, sizeof(tally));
            load->go(load->baton, seconds, &tally);
            tally_print(&tally, clients);
        }
        else {
            tally_die("not understood", line);
        }
    }
}
