/* Kills the processes of a loaded httpd at every moment, and looks what its
 * clients are told and what is left.
 * Knows who is killed when; what must hold stands in the other files. A kill
 * is a signal from here at a random moment, or at a point inside the store
 * that module_fault.c watches. Nobody brings anything in order: where the
 * parent is killed httpd is started again, as a service manager does, and that
 * is all. Prints TAP: a run is one test. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "apr_general.h"

#include "kill_httpd.h"

#define VIOLATIONS_SHOWN 20
/* What a kill does has begun by then. */
#define FELT_WITHIN_US 250000
#define SERVED_WITHIN_US 25000000
/* Ports and store are free, and the recovery is done. */
#define STARTED_WITHIN_US 8000000
#define STILL_US 8000000
#define UNPROTECTED_AT_MOST_US 4000000

options_t options = {"/usr/sbin/apache2",
                     "/usr/lib/apache2/modules",
                     "build/faults/mod_condreq.so",
                     "event",
                     30,
                     2000,
                     8,
                     16,
                     4,
                     1,
                     0,
                     0,
                     0,
                     0,
                     0,
                     0,
                     0};

static _Atomic(unsigned) violation_count;

/* ---- for all ---- */

void violation(const char *format, ...)
{
    va_list args;

    if (atomic_fetch_add(&violation_count, 1) >= VIOLATIONS_SHOWN)
        return;
    flockfile(stdout);
    printf("# VIOLATION: ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
    funlockfile(stdout);
}

unsigned violations(void)
{
    return atomic_load(&violation_count);
}

int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void pause_us(int64_t us)
{
    struct timespec pause = {us / 1000000, us % 1000000 * 1000};

    if (us > 0)
        nanosleep(&pause, NULL);
}

static unsigned draw(void)
{
    return draw_random(&options.seed);
}

/* ---- whom to kill ---- */

static pid_t any(kind_t kind)
{
    process_t found[PROCESSES_MAX];
    unsigned count = server_processes(kind, found, PROCESSES_MAX);

    return count ? found[draw() % count].pid : 0;
}

static void strike(pid_t pid, int signal)
{
    if (pid > 1)
        kill(pid, signal);
}

static void strike_child(void)
{
    strike(any(CHILD), SIGKILL);
}

static void crash_child(void)
{
    strike(any(CHILD), SIGSEGV);
}

/* One after another, from among all. */
static void strike_of_kind(kind_t kind, unsigned hundredths)
{
    process_t found[PROCESSES_MAX];
    unsigned count = server_processes(kind, found, PROCESSES_MAX), i;

    for (i = 0; i < count; i++)
        if (draw() % 100 < hundredths)
            strike(found[i].pid, SIGKILL);
}

static void strike_several_children(void)
{
    strike_child();
    strike_of_kind(CHILD, 50);
}

static void strike_children(void)
{
    strike_of_kind(CHILD, 100);
}

static void strike_keeper(void)
{
    strike(any(KEEPER), SIGKILL);
}

static void strike_standby(void)
{
    strike(any(STANDBY), SIGKILL);
}

static void strike_keepers(void)
{
    strike_of_kind(KEEPER, 100);
    strike_of_kind(STANDBY, 100);
}

static void strike_keeper_and_child(void)
{
    strike_keeper();
    strike_child();
}

static void strike_house(void)
{
    strike(any(HOUSE), SIGKILL);
}

/* ---- at a point inside ---- */

static void arm(const char *point, int passing, int signal)
{
    atomic_store(&board->armed, 0);
    snprintf(board->point, sizeof board->point, "%s", point);
    board->action = FAULT_DIE;
    board->signal = signal;
    atomic_store(&board->armed, passing);
}

static int await_struck(int64_t longest_us)
{
    int64_t until_us = now_us() + longest_us;

    while (atomic_load(&board->armed) > 0 && now_us() < until_us)
        pause_us(200);
    return atomic_exchange(&board->armed, 0) <= 0;
}

static void strike_inside(void)
{
    static const char *const points[] = {"begin", "between puts",
                                         "before commit", "after commit"};

    arm(points[draw() % 4], 1 + (int)(draw() % 16),
        draw() % 4 ? SIGKILL : SIGSEGV);
    await_struck(1000000);
}

/* A child dies inside, and then whoever brings the store back. */
static void strike_recovery_at_point(void)
{
    static const char *const points[] = {
        "recovery begins",           "recovery before publishing",
        "recovery after publishing", "keeper condemned",
        "keeper panicked",           "keeper drained",
        "keeper recovered",          "keeper published"};

    strike_inside();
    arm(points[draw() % 8], 1, SIGKILL);
    await_struck(1000000);
}

static void strike_recovery(void)
{
    int64_t until_us;
    pid_t recovery;

    strike_inside();
    until_us = now_us() + 1000000;
    while (!(recovery = any(RECOVERY)) && now_us() < until_us)
        pause_us(1000);
    pause_us(draw() % 60000);
    strike(recovery, SIGKILL);
}

/* ---- the parent ---- */

static void start_again(void)
{
    int64_t begun_us = now_us();

    if (!server_start())
        violation("httpd does not start again");
    if (now_us() - begun_us > STARTED_WITHIN_US)
        violation("httpd took %d ms to start again",
                  (int)((now_us() - begun_us) / 1000));
}

static void strike_parent(void)
{
    server_kill_parent();
    start_again();
}

static void strike_parent_and_child(void)
{
    pid_t child = any(CHILD);

    server_kill_parent();
    strike(child, SIGKILL);
    start_again();
}

/* The parent first, or it would replace them at once. */
static void kill_parent_and_keepers(void)
{
    process_t found[PROCESSES_MAX];
    unsigned count = server_processes(KEEPER, found, PROCESSES_MAX), i;

    count += server_processes(STANDBY, found + count, PROCESSES_MAX - count);
    server_kill_parent();
    for (i = 0; i < count; i++)
        strike(found[i].pid, SIGKILL);
}

static void strike_parent_and_keepers(void)
{
    kill_parent_and_keepers();
    start_again();
}

/* Nobody is left who would end those that wait for the dead. */
static void strike_all_but_children(void)
{
    kill_parent_and_keepers();
    arm("between puts", 1, SIGKILL);
    await_struck(20000);
    start_again();
}

static void strike_all(void)
{
    server_kill_parent();
    server_kill_all();
    start_again();
}

/* The start itself, at whatever it is doing just then. */
static void strike_start(void)
{
    server_kill_parent();
    server_begin();
    pause_us(draw() % 200000);
    server_kill_parent();
    start_again();
}

/* One that stands still inside holds up all others until the keeper ends it;
 * one that does so outside holds up its own clients. */
static void strike_still(void)
{
    pid_t child = any(CHILD);

    strike(child, SIGSTOP);
    pause_us(STILL_US);
    strike(child, SIGKILL);
}

typedef enum timing_t {
    /** one death: what a user may meet */
    ONE_DEATH,
    MANY_DEATHS,
    PARENT,
    UNTIMED
} timing_t;

typedef struct stroke_t {
    const char *name;
    void (*strike)(void);
    unsigned weight;
    timing_t timing;
    unsigned times;
} stroke_t;

static stroke_t strokes[] = {
    {"child", strike_child, 24, ONE_DEATH, 0},
    {"child at a point inside", strike_inside, 24, ONE_DEATH, 0},
    {"child that crashes", crash_child, 8, ONE_DEATH, 0},
    {"keeper", strike_keeper, 5, ONE_DEATH, 0},
    {"standby", strike_standby, 3, ONE_DEATH, 0},
    {"housekeeper", strike_house, 4, ONE_DEATH, 0},
    {"several children", strike_several_children, 6, MANY_DEATHS, 0},
    {"all children", strike_children, 4, MANY_DEATHS, 0},
    {"both keepers", strike_keepers, 3, MANY_DEATHS, 0},
    {"keeper and child", strike_keeper_and_child, 5, MANY_DEATHS, 0},
    {"recovery", strike_recovery, 5, MANY_DEATHS, 0},
    {"recovery at a point", strike_recovery_at_point, 8, MANY_DEATHS, 0},
    {"parent", strike_parent, 4, PARENT, 0},
    {"parent and child", strike_parent_and_child, 3, PARENT, 0},
    {"parent and keepers", strike_parent_and_keepers, 3, PARENT, 0},
    {"all but children", strike_all_but_children, 3, PARENT, 0},
    {"everything", strike_all, 4, PARENT, 0},
    {"a start", strike_start, 3, PARENT, 0},
    {"child that stands still", strike_still, 1, UNTIMED, 0},
};
#define STROKES (sizeof strokes / sizeof strokes[0])

static stroke_t *choose(unsigned number)
{
    unsigned total = 0, drawn, i;

    if (options.inside_only)
        return &strokes[number % 2];
    /* Each once, whatever chance has in mind. */
    if (number < STROKES)
        return &strokes[(number + options.first) % STROKES];
    for (i = 0; i < STROKES; i++)
        total += strokes[i].weight;
    drawn = draw() % total;
    for (i = 0; drawn >= strokes[i].weight; i++)
        drawn -= strokes[i].weight;
    return &strokes[i];
}

/* ---- how long it lasts ---- */

typedef struct pauses_t {
    int ms[65536];
    unsigned count;
} pauses_t;

static pauses_t pauses[UNTIMED + 1];

static int is_noticed(void)
{
    return options.unprotected && violations() > 0;
}

static void await_service(int64_t struck_us, pauses_t *kept)
{
    int64_t until_us = now_us() + (options.unprotected ? UNPROTECTED_AT_MOST_US
                                                       : SERVED_WITHIN_US);

    while (!clients_are_served_since(struck_us + FELT_WITHIN_US)) {
        if (is_noticed())
            return;
        if (now_us() > until_us) {
            violation("no write was acknowledged within %d s",
                      (int)((now_us() - struck_us) / 1000000));
            return;
        }
        pause_us(1000);
    }
    if (kept->count < sizeof kept->ms / sizeof *kept->ms)
        kept->ms[kept->count++] =
            (int)(clients_longest_pause_us(struck_us) / 1000);
    if (options.verbose)
        printf("# %.3f   %d ms\n", (double)now_us() / 1e6,
               kept->ms[kept->count - 1]);
}

static void strike_once(unsigned number, writer_t *checker)
{
    stroke_t *stroke = choose(number);
    int64_t struck_us = now_us();

    if (options.verbose)
        printf("# %.3f strike %u: %s\n", (double)struck_us / 1e6, number,
               stroke->name);
    atomic_store(&board->struck_us, 0);
    stroke->times++;
    stroke->strike();
    /* Until then nothing had happened. */
    if (stroke->timing != PARENT && atomic_load(&board->struck_us))
        struck_us = atomic_load(&board->struck_us);
    if (stroke->timing == UNTIMED)
        struck_us = now_us();
    await_service(struck_us, &pauses[stroke->timing]);
    if (!options.unprotected)
        documents_check_recent(checker);
}

/* ---- the report ---- */

static int by_length(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static int percentile(const pauses_t *of, unsigned hundredths)
{
    return of->count ? of->ms[(of->count - 1) * hundredths / 100] : 0;
}

static void report_pauses(pauses_t *of, const char *after)
{
    qsort(of->ms, of->count, sizeof of->ms[0], by_length);
    printf("# without a good write after %s: p50 %d ms, p90 %d ms, p99 %d ms, "
           "longest %d ms (%u)\n",
           after, percentile(of, 50), percentile(of, 90), percentile(of, 99),
           percentile(of, 100), of->count);
}

static void report(void)
{
    unsigned i;

    printf("# %s, %s, %u documents\n", options.mpm,
           options.nosync ? "write_nosync" : "sync", options.documents);
    documents_report();
    report_pauses(&pauses[ONE_DEATH], "one death");
    report_pauses(&pauses[MANY_DEATHS], "several deaths");
    report_pauses(&pauses[PARENT], "the parent's, and a new start");
    printf("# httpd's log: %u recoveries, %u times processes ended for being "
           "stuck, %u writes without an answer\n",
           server_log_lines("was recovered in"),
           server_log_lines("stuck inside"), server_log_lines("CR2102"));
    for (i = 0; i < STROKES; i++)
        if (strokes[i].times)
            printf("#   %5u x %s\n", strokes[i].times, strokes[i].name);
}

/* Messages that say that something could not be done. */
static void look_at_log(void)
{
    static const char *const troubles[] = {"CR1101", "CR1102", "CR1201",
                                           "CR1203"};
    unsigned i, lines;

    for (i = 0; i < sizeof troubles / sizeof *troubles; i++)
        if ((lines = server_log_lines(troubles[i])) > 0)
            violation("httpd's log has %u times %s", lines, troubles[i]);
}

/* ---- options ---- */

static void read_option(int letter)
{
    switch (letter) {
    case 'H':
        options.httpd = optarg;
        break;
    case 'L':
        options.modules = optarg;
        break;
    case 'M':
        options.module = optarg;
        break;
    case 'm':
        options.mpm = optarg;
        break;
    case 'k':
        options.kills = (unsigned)atoi(optarg);
        break;
    case 'n':
        options.documents = (unsigned)atoi(optarg);
        break;
    case 'T':
        options.seconds = (unsigned)atoi(optarg);
        break;
    case 's':
        options.seed = (unsigned)atoi(optarg);
        break;
    case 'o':
        options.first = (unsigned)atoi(optarg);
        break;
    case 'K':
        options.keep = 1;
        break;
    case 'w':
        options.nosync = 1;
        break;
    case 'v':
        options.verbose = 1;
        break;
    case 'u':
        options.unprotected = 1;
        break;
    case 'I':
        options.inside_only = 1;
        break;
    default:
        fprintf(stderr,
                "usage: kill_httpd [-H httpd] [-L its modules] [-M module] "
                "[-m mpm] [-k kills] [-T seconds] [-n documents] [-s seed] [-o "
                "first] [-w] "
                "[-u] [-I] [-v] [-K]\n");
        exit(2);
    }
}

static void read_options(int argc, char **argv)
{
    int letter;

    while ((letter = getopt(argc, argv, "H:L:M:m:k:T:n:s:o:wvuIK")) != -1)
        read_option(letter);
    if (options.documents < 2 * options.hot)
        options.documents = 2 * options.hot;
}

/* ---- a run ---- */

static unsigned struck_count;
static writer_t checker = {THREADS_MAX - 1, 1, {-1, 0, ""}};

static void kill_and_look(void)
{
    int64_t until_us =
        options.seconds ? now_us() + options.seconds * 1000000LL : INT64_MAX;
    unsigned number;

    clients_start();
    for (number = 0;
         number < options.kills && !is_noticed() && now_us() < until_us;
         number++) {
        pause_us(20000 + draw() % 280000);
        strike_once(number, &checker);
        fflush(stdout);
    }
    struck_count = number;
    /* Unprotected, nobody is sure to be answered. */
    if (options.unprotected)
        server_kill_all();
    clients_stop();
}

static void look_at_the_end(void)
{
    process_t found[PROCESSES_MAX];
    int64_t until_us = now_us() + 5000000;

    while (server_processes(KEEPER, found, 2) +
                   server_processes(STANDBY, found, 2) !=
               2 &&
           now_us() < until_us)
        pause_us(50000);
    if (now_us() >= until_us)
        violation("there are not two keepers");
    if (!server_stop())
        violation("httpd does not end");
    if (!server_start())
        violation("httpd does not start");
    documents_check_all(&checker);
    wire_close(&checker.wire);
    if (!server_stop())
        violation("httpd does not end");
    look_at_log();
}

static int verdict(void)
{
    unsigned found = violations();

    if (options.unprotected) {
        printf("%sok 1 - without protection the driver notices: %u\n",
               found ? "" : "not ", found);
        return found == 0;
    }
    printf("%sok 1 - httpd with %s, %s, killed %u times: %u violations\n",
           found ? "not " : "", options.mpm,
           options.nosync ? "write_nosync" : "sync", struck_count, found);
    return found > 0;
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    apr_initialize();
    documents_begin();
    server_make();
    if (!server_start()) {
        printf("Bail out! httpd does not start: see %s/error.log\n",
               server_directory());
        return 1;
    }
    clients_fill();
    kill_and_look();
    if (options.unprotected)
        server_kill_all();
    else
        look_at_the_end();
    report();
    if (violations() > 0 && !options.unprotected)
        printf("# what httpd said is in %s\n", server_directory());
    printf("1..1\n");
    fflush(stdout);
    server_remove(options.keep || (violations() > 0 && !options.unprotected));
    return verdict();
}
