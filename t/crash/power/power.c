/* Power cuts, hundreds of them: clients write to a store, and from what its
 * processes asked of the kernel disks are made as a power cut could have left
 * them. Each is prepared, opened and held against what the clients were told.
 * Knows rounds and children; see power.h for who knows the rest. A round
 * begins with a disk of the round before, so what a recovery writes is cut,
 * too, and so is what follows it. */
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "bdb/condreq_bdb.h"
#include "power.h"
#include "tap.h"

#define SAID_MOST 5
#define KEPT_MOST 3
/* Of this many disks that lie one is sure to be noticed. */
#define LIARS 60

static struct {
    unsigned states;
    unsigned rounds;
    unsigned writes;
    unsigned seed;
    /** of the log's records this part is tried */
    unsigned every;
    /** 0: sync alone, 1: write_nosync alone */
    unsigned only;
} options = {50, 2, 480, 1, 200, 2};

board_t *board;

static const char *place;
static unsigned kept;

void power_violation(violation_t kind, const char *format, ...)
{
    va_list args;

    if (atomic_fetch_add(&board->violations[kind], 1) >= SAID_MOST)
        return;
    va_start(args, format);
    printf("# ");
    vprintf(format, args);
    printf("\n");
    va_end(args);
    fflush(stdout);
}

void power_row(int claim, const char *format, ...)
{
    char sentence[300];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    ok(claim, "%s", sentence);
    fflush(stdout);
}

int power_apart(int (*run)(void *baton), void *baton)
{
    int state = 0;
    pid_t child;

    fflush(stdout);
    if ((child = fork()) == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        state = run(baton);
        fflush(stdout);
        _exit(state);
    }
    if (child < 0 || waitpid(child, &state, 0) != child)
        return -1;
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

static int remove_one(const char *path, const struct stat *found, int kind,
                      struct FTW *at)
{
    (void)found;
    (void)kind;
    (void)at;
    return remove(path);
}

void power_remove(const char *path)
{
    condreq_trouble_t trouble;
    bdb_places_t places;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    if (bdb_places_find(&places, path, &trouble, pool) == APR_SUCCESS)
        bdb_places_remove_others(&(bdb_places_t){NULL, NULL, NULL, 0}, path,
                                 pool);
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    apr_pool_destroy(pool);
}

/* ---- states ---- */

static void keep(const fate_t *fate)
{
    char path[512];

    fate_print(fate);
    if (kept == KEPT_MOST)
        return;
    snprintf(path, sizeof path, "%s/kept-%u", place, kept++);
    disk_make(fate, path);
    printf("#   the disk as it was: %s\n", path);
}

static void judge_state(const fate_t *fate, int nosync, int again)
{
    char path[512];

    snprintf(path, sizeof path, "%s/state", place);
    disk_make(fate, path);
    atomic_fetch_add(&board->states, 1);
    if (!judge(path, fate->cut, nosync, again) && !fate->lies)
        keep(fate);
    power_remove(path);
}

static void judge_states(int nosync, unsigned round)
{
    unsigned i;

    for (i = 0; i < options.states; i++) {
        fate_t fate = fate_draw(options.seed * 1000003u + round * 10007u +
                                    i * 2u + (unsigned)nosync,
                                trace_found());

        judge_state(&fate, nosync, i % 4 == 0);
    }
}

/* Each time that the log is flushed, each record that is under way is once the
 * last one, whole or not: every so many of them, so that it is over in time. */
static void judge_records(int nosync)
{
    fate_t fate = fate_draw(options.seed, trace_found());
    unsigned record, records, at = 0;

    fate.names = 2;
    for (fate.cut = trace_found() + 1; fate.cut <= trace_count(); fate.cut++) {
        if (trace_event(fate.cut - 1)->kind != EVENT_WRITE ||
            (fate.cut < trace_count() &&
             trace_event(fate.cut)->kind != EVENT_SYNC))
            continue;
        records = 2 * disk_records(&fate);
        for (record = 0; record < records; record++) {
            if (at++ % options.every != 0)
                continue;
            fate.seed += 2;
            fate.record = record / 2 + 1;
            fate.log = record % 2 ? LOG_IN_RECORD : LOG_AT_RECORD;
            fate.tail = at % TAIL_KINDS;
            fate.pages_of_8 = at / 3 % 9;
            judge_state(&fate, nosync, 0);
        }
    }
    printf("# of %u ends of the log every %u. was tried\n", at, options.every);
    fflush(stdout);
}

/* ---- rounds ---- */

/* @return where it was cut */
static apr_uint64_t make_next(const char *path, unsigned round)
{
    fate_t fate = fate_draw(options.seed * 31u + round, trace_found());

    fate.cut =
        trace_count() - (trace_count() - trace_found()) / 8 - fate.seed % 50;
    while (trace_event(fate.cut)->kind != EVENT_SYNC)
        fate.cut++;
    fate.log = LOG_SECTORS;
    disk_make(&fate, path);
    return fate.cut;
}

static void report(const char *claims[VIOLATIONS])
{
    unsigned i;

    for (i = 0; i < VIOLATIONS; i++) {
        if (claims[i])
            is_int(atomic_load(&board->violations[i]), 0, claims[i]);
        atomic_store(&board->violations[i], 0);
    }
    fflush(stdout);
}

static const char *sync_claims[VIOLATIONS] = {
    "sync: every disk is prepared, and the store opens",
    "  its trees verify",
    "  every write that was acknowledged is there",
    "  and nothing is half there, or was never written",
    "  nothing builds on what is lost",
    "  new writes follow what is there",
    "  no number is given again",
    "  no tag names other content",
};
static const char *nosync_claims[VIOLATIONS] = {
    "write_nosync: every disk is prepared, and the store opens",
    "  its trees verify",
    "  what is written after the cut is there",
    "  nothing is half there, or was never written",
    "  nothing builds on what is lost",
    "  new writes follow what is there",
    "  no number is given again",
    "  no tag names other content",
};

static void run_rounds(int nosync)
{
    apr_uint64_t cut = 0;
    char path[512];
    unsigned round;

    memset(history, 0, sizeof *history);
    snprintf(path, sizeof path, "%s/work", place);
    mkdir(path, 0700);
    for (round = 0; round < options.rounds; round++) {
        trace_begin(path);
        work_run(path, nosync, round, options.writes, cut);
        judge_states(nosync, round);
        if (round == 0)
            judge_records(nosync);
        if (round == 0 && !nosync)
            torn_rows(place);
        printf("# round %u: %lu events\n", round,
               (unsigned long)(trace_count() - trace_found()));
        fflush(stdout);
        power_remove(path);
        if (round + 1 < options.rounds)
            cut = make_next(path, round);
    }
}

/* What this driver is worth. */
static void lie(void)
{
    unsigned i;

    for (i = 0; i < LIARS && !atomic_load(&board->violations[VIOLATION_LOST]);
         i++) {
        fate_t fate = fate_draw(options.seed * 77u + i, trace_found());

        fate.lies = 1;
        fate.log = LOG_FLUSHED;
        judge_state(&fate, 0, 0);
    }
    ok(atomic_load(&board->violations[VIOLATION_LOST]) > 0,
       "a disk that forgets what it said was written is noticed");
    report((const char *[VIOLATIONS]){NULL});
}

static void judge_sync(void)
{
    run_rounds(0);
    report(sync_claims);
    lie();
    small_rows(place, 0);
}

static void judge_nosync(void)
{
    run_rounds(1);
    report(nosync_claims);
    ok(atomic_load(&board->taken) > 0,
       "  although commits were taken that had been acknowledged");
}

static void *map_shared(size_t length)
{
    void *mapped = mmap(NULL, length, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (mapped == MAP_FAILED)
        abort();
    return mapped;
}

static void read_options(int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "n:r:w:s:e:o:")) != -1) {
        unsigned number = (unsigned)strtoul(optarg ? optarg : "0", NULL, 10);

        if (option == 'n')
            options.states = number;
        else if (option == 'r')
            options.rounds = number;
        else if (option == 'w')
            options.writes = number;
        else if (option == 's')
            options.seed = number;
        else if (option == 'e')
            options.every = number;
        else if (option == 'o')
            options.only = number;
        else {
            fprintf(stderr, "usage: power [-n states a round] [-r rounds] "
                            "[-w writes a round] [-s seed]\n"
                            "             [-e cut the log at every n-th place] "
                            "[-o 0: sync alone, 1: write_nosync alone]\n");
            exit(2);
        }
    }
}

/* In memory: a disk that is made a hundred times wants no other. */
static const char *make_place(void)
{
    static char in_memory[] = "/dev/shm/power-of-condreq.XXXXXX";
    static char elsewhere[] = "/tmp/power-of-condreq.XXXXXX";

    return mkdtemp(in_memory) ? in_memory : mkdtemp(elsewhere);
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    apr_initialize();
    trace_map();
    history = map_shared(sizeof *history);
    board = map_shared(sizeof *board);
    if (!(place = make_place()))
        return 1;
    printf("# seed %u\n", options.seed);
    if (options.only != 1)
        judge_sync();
    if (options.only != 0)
        judge_nosync();
    printf("# %u states\n", atomic_load(&board->states));
    if (!kept)
        power_remove(place);
    return done_testing();
}
