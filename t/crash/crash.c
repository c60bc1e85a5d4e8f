/* Kills the processes of a store at every moment, and looks what is left.
 * Knows who runs and who is killed when; what must hold stands in the other
 * files. A kill is SIGKILL, from here at a random moment, or at a point inside
 * the store that crash_fault.c watches. Prints TAP: a run is one test. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apr_general.h"

#include "condreq_bdb_control.h"
#include "crash.h"

options_t options = {NULL, 30, 2, 16, 5000, 8, 0, 0, 0, 0, 0, 0};
board_t *board;

#define KEEPERS 2
#define RECENT_AT_MOST 200
#define HUNG_US (13 * APR_USEC_PER_SEC)
#define STILL_AT_MOST_US (8 * APR_USEC_PER_SEC)
#define MANY 201
#define OUTAGE_AT_MOST_US (20 * APR_USEC_PER_SEC)

static pid_t workers[PROCESSES_MAX];
static pid_t keepers[KEEPERS];
static bdb_control_t *control;
static apr_pool_t *driver_pool;

static void die(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(1);
}

static void pause_us(apr_int64_t us)
{
    if (us > 0)
        usleep((useconds_t)us);
}

/* ---- processes ---- */

static pid_t begin_process(void)
{
    pid_t parent = getpid(), pid = fork();

    if (pid < 0)
        die("fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
    }
    return pid;
}

static void start_worker(unsigned process)
{
    if ((workers[process] = begin_process()) == 0)
        crash_work(process);
}

static void keeper_log(void *baton, condreq_keeper_level_t level,
                       const char *sentence)
{
    (void)baton;
    atomic_fetch_add(&board->keeper_said[level], 1);
    if (options.verbose) {
        printf("# %.3f keeper %d: %s\n", (double)crash_now_us() / 1e6,
               (int)getpid(), sentence);
        fflush(stdout);
    }
}

static int keeper_should_end(void *baton)
{
    (void)baton;
    return atomic_load(&board->stop_keepers);
}

static int keeper_is_abandoned(void *baton)
{
    (void)baton;
    return 0;
}

static void start_keeper(unsigned number)
{
    static const condreq_keeper_t keeper = {
        NULL, keeper_log, keeper_should_end, keeper_is_abandoned};
    condreq_store_config_t config = crash_config();
    condreq_trouble_t trouble;
    apr_pool_t *pool;
    apr_status_t status;

    if ((keepers[number] = begin_process()) != 0)
        return;
    apr_pool_create(&pool, NULL);
    status = condreq_store_bdb.keep(&config, &keeper, &trouble, pool);
    if (status != APR_SUCCESS)
        crash_violation("a keeper ended: %s", trouble.sentence);
    _exit(status != APR_SUCCESS);
}

/* Starts again whoever ended. */
static void reap(void)
{
    pid_t pid;
    unsigned i;

    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
        for (i = 0; i < options.processes; i++)
            if (workers[i] == pid) {
                crash_ledger_forget_process(i);
                start_worker(i);
            }
        for (i = 0; i < KEEPERS; i++)
            if (keepers[i] == pid)
                start_keeper(i);
    }
}

static void await_process(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* Something is wrong, and without protection that is all that is asked: lost
 * writes, or trees that no recovery brings in order again. */
static int is_noticed(void)
{
    return atomic_load(&board->violations) ||
           (options.unprotected &&
            atomic_load(&board->keeper_said[CONDREQ_KEEPER_ERROR]));
}

/* Without protection nothing is sure to end. */
#define UNPROTECTED_AT_MOST_US (3 * APR_USEC_PER_SEC)

static void await_unprotected(pid_t pid)
{
    apr_int64_t until = crash_now_us() + UNPROTECTED_AT_MOST_US;

    while (waitpid(pid, NULL, WNOHANG) == 0) {
        if (crash_now_us() > until || is_noticed())
            kill(pid, SIGKILL);
        pause_us(1000);
    }
}

static void in_child(void (*work)(void))
{
    pid_t pid = begin_process();

    if (pid == 0) {
        work();
        _exit(0);
    }
    if (options.unprotected)
        await_unprotected(pid);
    else
        await_process(pid);
}

static void prepare(void)
{
    condreq_store_config_t config = crash_config();
    condreq_trouble_t trouble;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    if (condreq_store_bdb.prepare(&config, &trouble, pool))
        crash_violation("preparing: %s", trouble.sentence);
}

static void map_control(void)
{
    condreq_trouble_t trouble;

    if (bdb_control_map(&control, options.path, BDB_WORKER, &trouble,
                        driver_pool)) {
        printf("Bail out! %s\n", trouble.sentence);
        exit(1);
    }
}

static void start_all(void)
{
    unsigned i;

    for (i = 0; i < KEEPERS; i++)
        start_keeper(i);
    for (i = 0; i < options.processes; i++)
        start_worker(i);
}

/* ---- whom to kill ---- */

static unsigned draw_random(void)
{
    options.seed = options.seed * 1103515245u + 12345u;
    return options.seed >> 12;
}

static pid_t helper(bdb_role_t role)
{
    unsigned i;

    for (i = 0; i < control->slot_count; i++) {
        apr_uint64_t owner = atomic_load(&control->slots[i].owner);

        if (owner && bdb_identity_role(owner) == role)
            return bdb_identity_pid(owner);
    }
    return 0;
}

static pid_t keeper_now(void)
{
    return bdb_identity_pid(atomic_load(&control->file->keeper));
}

static pid_t standby(void)
{
    return keepers[0] == keeper_now() ? keepers[1] : keepers[0];
}

static void strike(pid_t pid)
{
    if (pid > 1)
        kill(pid, SIGKILL);
}

static void strike_worker(void)
{
    strike(workers[draw_random() % options.processes]);
}

static void strike_workers(void)
{
    unsigned i;

    for (i = 0; i < options.processes; i++)
        strike(workers[i]);
}

static void strike_keeper(void)
{
    strike(keeper_now());
}

static void strike_standby(void)
{
    strike(standby());
}

static void strike_keepers(void)
{
    strike(keepers[0]);
    strike(keepers[1]);
}

static void strike_keeper_and_worker(void)
{
    strike_keeper();
    strike_worker();
}

static void strike_housekeeper(void)
{
    strike(helper(BDB_HOUSEKEEPER));
}

static void strike_all(void)
{
    strike_keepers();
    strike_workers();
    strike(helper(BDB_HOUSEKEEPER));
    strike(helper(BDB_RECOVERY));
}

static void arm(const char *point)
{
    atomic_store(&board->fault_armed, 0);
    snprintf(board->fault_point, sizeof board->fault_point, "%s", point);
    atomic_store(&board->fault_armed, 1);
}

static int await_fault(apr_int64_t longest_us)
{
    apr_int64_t until = crash_now_us() + longest_us;

    while (atomic_load(&board->fault_armed) && crash_now_us() < until) {
        pause_us(500);
        reap();
    }
    return !atomic_exchange(&board->fault_armed, 0);
}

static void strike_inside(void)
{
    static const char *const points[] = {"begin", "between puts",
                                         "before commit", "after commit"};

    arm(points[draw_random() % 4]);
    await_fault(APR_USEC_PER_SEC);
}

/* A worker dies inside, and then whoever brings the store back. */
static void strike_recovery_at_point(void)
{
    static const char *const points[] = {
        "recovery begins",           "recovery before publishing",
        "recovery after publishing", "keeper condemned",
        "keeper panicked",           "keeper drained",
        "keeper recovered",          "keeper published"};

    strike_inside();
    arm(points[draw_random() % 8]);
    if (!await_fault(2 * APR_USEC_PER_SEC))
        strike_inside();
}

static void strike_recovery(void)
{
    apr_int64_t until;

    strike_inside();
    until = crash_now_us() + APR_USEC_PER_SEC;
    while (!helper(BDB_RECOVERY) && crash_now_us() < until)
        pause_us(200);
    pause_us(draw_random() % 150000);
    strike(helper(BDB_RECOVERY));
}

/* As after a reboot, but for the kernel's memory: nobody is left, and the
 * store is prepared again. */
static void strike_everything_and_prepare(void)
{
    unsigned i;
    pid_t pid;

    strike_all();
    for (i = 0; i < options.processes; i++)
        await_process(workers[i]);
    for (i = 0; i < KEEPERS; i++)
        await_process(keepers[i]);
    while ((pid = helper(BDB_HOUSEKEEPER)) && kill(pid, SIGKILL) == 0)
        pause_us(1000);
    for (i = 0; i < options.processes; i++)
        crash_ledger_forget_process(i);
    in_child(prepare);
    bdb_control_unmap(control);
    map_control();
    start_all();
}

/* A process that stands still inside holds up all others until the keeper ends
 * it; one that does so outside holds up nobody. */
static void strike_still(void)
{
    unsigned process = draw_random() % options.processes;
    pid_t pid = workers[process];
    apr_int64_t until = crash_now_us() + STILL_AT_MOST_US;

    kill(pid, SIGSTOP);
    while (workers[process] == pid && crash_now_us() < until) {
        pause_us(1000);
        reap();
    }
    if (workers[process] == pid)
        strike(pid);
    atomic_store(&board->fault_at_us, crash_now_us());
}

static void come_and_go(void)
{
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    crash_open(pool);
    _exit(0);
}

/* What each leaves in the regions is little, but it stays there. */
static void many_come_and_go(void)
{
    unsigned i;

    for (i = 0; i < MANY; i++)
        in_child(come_and_go);
    pause_us(APR_USEC_PER_SEC);
    atomic_store(&board->fault_at_us, crash_now_us());
}

/** What is known of how long a stroke keeps service away. */
typedef enum timing_t {
    /** one death, or one and the keeper's: what a user may meet */
    ONE_DEATH,
    /** more than one in a row */
    MANY_DEATHS,
    /** it takes its own time */
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
    {"worker", strike_worker, 24, ONE_DEATH, 0},
    {"worker at a point inside", strike_inside, 24, ONE_DEATH, 0},
    {"all workers", strike_workers, 5, ONE_DEATH, 0},
    {"keeper", strike_keeper, 6, ONE_DEATH, 0},
    {"standby", strike_standby, 3, ONE_DEATH, 0},
    {"both keepers", strike_keepers, 3, ONE_DEATH, 0},
    {"keeper and worker", strike_keeper_and_worker, 6, ONE_DEATH, 0},
    {"housekeeper", strike_housekeeper, 5, ONE_DEATH, 0},
    {"recovery", strike_recovery, 8, MANY_DEATHS, 0},
    {"recovery at a point", strike_recovery_at_point, 10, MANY_DEATHS, 0},
    {"workers and keepers", strike_all, 4, MANY_DEATHS, 0},
    {"everything, then prepared", strike_everything_and_prepare, 2, MANY_DEATHS,
     0},
    {"worker that stands still", strike_still, 1, UNTIMED, 0},
    {"200 that come and go", many_come_and_go, 1, UNTIMED, 0},
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
    drawn = draw_random() % total;
    for (i = 0; drawn >= strokes[i].weight; i++)
        drawn -= strokes[i].weight;
    return &strokes[i];
}

/* ---- how long it lasts ---- */

#define OUTAGES_AT_MOST 65536

typedef struct outages_t {
    int ms[OUTAGES_AT_MOST];
    unsigned count;
} outages_t;

static outages_t outages[UNTIMED + 1];
static unsigned outside_count;

static apr_int64_t first_after_generation(apr_uint64_t generation)
{
    apr_uint64_t now = bdb_word_generation(atomic_load(&control->file->word));
    apr_int64_t at_us;

    while (++generation <= now && generation < GENERATIONS_MAX)
        if ((at_us = atomic_load(&board->first_in_generation_us[generation])))
            return at_us;
    return 0;
}

static void look_for_hung(void)
{
    apr_int64_t now_us = crash_now_us();
    unsigned thread;

    for (thread = 0; thread < options.processes * options.threads; thread++) {
        diary_t *diary = &board->diaries[thread];
        unsigned count = atomic_load(&diary->count);
        operation_t *last = count ? &diary->operations[count - 1] : NULL;

        if (!last || atomic_load(&last->state) != BEGUN ||
            now_us - last->began_us < HUNG_US)
            continue;
        crash_violation("an operation has lasted %d s",
                        (int)((now_us - last->began_us) / APR_USEC_PER_SEC));
        last->began_us = now_us;
    }
}

/* Deaths outside change nothing; it takes a moment to be sure that it was
 * one. */
#define SURELY_OUTSIDE_US 60000

static void await_service(apr_int64_t struck_us, apr_uint64_t generation,
                          outages_t *kept)
{
    apr_int64_t longest_us =
        options.unprotected ? UNPROTECTED_AT_MOST_US : OUTAGE_AT_MOST_US;
    apr_int64_t at_us = 0;
    int open = 0;

    while (crash_now_us() - struck_us < longest_us) {
        apr_uint64_t word = atomic_load(&control->file->word);

        if (options.unprotected && is_noticed())
            return;
        reap();
        look_for_hung();
        open = bdb_word_state(word) == BDB_OPEN;
        if (open && bdb_word_generation(word) > generation &&
            (at_us = first_after_generation(generation)))
            break;
        if (open && bdb_word_generation(word) == generation &&
            crash_now_us() - struck_us > SURELY_OUTSIDE_US &&
            atomic_load(&board->first_acknowledged_us)) {
            outside_count++;
            return;
        }
        pause_us(500);
    }
    if (!at_us && options.unprotected) {
        strike_all();
        return;
    }
    if (!at_us) {
        crash_violation("no write was acknowledged within %d s; the word is "
                        "%lx",
                        (int)(OUTAGE_AT_MOST_US / APR_USEC_PER_SEC),
                        (unsigned long)atomic_load(&control->file->word));
        return;
    }
    if (kept->count < OUTAGES_AT_MOST)
        kept->ms[kept->count++] = (int)((at_us - struck_us) / 1000);
    if (options.verbose)
        printf("# %.3f outage %d ms\n", (double)crash_now_us() / 1e6,
               (int)((at_us - struck_us) / 1000));
}

/* ---- what is left ---- */

static unsigned recent[RECENT_AT_MOST];
static unsigned recent_count;

static void check_recent(void)
{
    apr_pool_t *pool;
    condreq_store_t *store;
    unsigned i;

    apr_pool_create(&pool, NULL);
    store = crash_open(pool);
    for (i = 0; i < options.hot; i++)
        crash_check_document(store, i, pool);
    for (i = 0; i < recent_count; i++)
        crash_check_document(store, recent[i], pool);
    _exit(0);
}

static void strike_once(unsigned number)
{
    stroke_t *stroke = choose(number);
    apr_uint64_t generation =
        bdb_word_generation(atomic_load(&control->file->word));
    apr_int64_t struck_us = crash_now_us();

    if (options.verbose)
        printf("# %.3f strike %u: %s\n", (double)struck_us / 1e6, number,
               stroke->name);
    fflush(stdout);
    atomic_store(&board->first_acknowledged_us, 0);
    atomic_store(&board->fault_at_us, 0);
    stroke->times++;
    stroke->strike();
    if (atomic_load(&board->fault_at_us))
        struck_us = atomic_load(&board->fault_at_us);
    await_service(struck_us, generation, &outages[stroke->timing]);
    recent_count = crash_ledger_enter(recent, RECENT_AT_MOST);
    in_child(check_recent);
}

static void between_strikes(void)
{
    apr_int64_t until = crash_now_us() + 20000 + draw_random() % 280000;

    while (crash_now_us() < until) {
        pause_us(2000);
        reap();
    }
}

static void stop_all(void)
{
    unsigned i;

    atomic_store(&board->stop, 1);
    for (i = 0; i < options.processes; i++)
        await_process(workers[i]);
    atomic_store(&board->stop_keepers, 1);
    for (i = 0; i < KEEPERS; i++)
        await_process(keepers[i]);
}

/* ---- report ---- */

static int by_length(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static int percentile(const outages_t *of, unsigned hundredths)
{
    return of->count ? of->ms[(of->count - 1) * hundredths / 100] : 0;
}

static void report_outages(outages_t *of, const char *after)
{
    qsort(of->ms, of->count, sizeof of->ms[0], by_length);
    printf("# after %s: %u recoveries, p50 %d ms, p90 %d ms, p99 %d ms, "
           "longest %d ms\n",
           after, of->count, percentile(of, 50), percentile(of, 90),
           percentile(of, 99), percentile(of, 100));
}

static void report(void)
{
    totals_t totals = crash_ledger_totals();
    unsigned i;

    printf("# %u x %u, %s, %u documents: %lu acknowledged, %lu refused, %lu "
           "unchanged, %lu unknown, %lu without an answer, %u reads\n",
           options.processes, options.threads,
           options.nosync ? "write_nosync" : "sync", options.documents,
           totals.counts[ACKNOWLEDGED], totals.counts[REFUSED],
           totals.counts[UNCHANGED], totals.counts[UNKNOWN],
           totals.counts[LOST], atomic_load(&board->reads));
    report_outages(&outages[ONE_DEATH], "one death");
    report_outages(&outages[MANY_DEATHS], "deaths in a row");
    printf("# %u strikes cost nothing; %lu processes ended for being stuck; "
           "slowest write %d ms\n",
           outside_count,
           (unsigned long)atomic_load(&control->file->processes_ended),
           (int)(atomic_load(&board->slowest_us) / 1000));
    printf("# %u locks asked for\n", atomic_load(&board->lock_attempts));
    for (i = 0; i < STROKES; i++)
        if (strokes[i].times)
            printf("#   %5u x %s\n", strokes[i].times, strokes[i].name);
}

static void read_options(int argc, char **argv)
{
    int letter;

    while ((letter = getopt(argc, argv, "d:k:p:t:n:h:s:o:wvuI")) != -1)
        switch (letter) {
        case 'd':
            options.path = optarg;
            break;
        case 'k':
            options.kills = (unsigned)atoi(optarg);
            break;
        case 'p':
            options.processes = (unsigned)atoi(optarg);
            break;
        case 't':
            options.threads = (unsigned)atoi(optarg);
            break;
        case 'n':
            options.documents = (unsigned)atoi(optarg);
            break;
        case 'h':
            options.hot = (unsigned)atoi(optarg);
            break;
        case 's':
            options.seed = (unsigned)atoi(optarg);
            break;
        case 'o':
            options.first = (unsigned)atoi(optarg);
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
            printf("Bail out! -d directory [-k kills] [-p processes] "
                   "[-t threads] [-n documents] [-h hot ones] [-s seed] "
                   "[-o: with which kill to begin] "
                   "[-w: write_nosync] [-u: recover under live users] "
                   "[-I: kill only workers] [-v]\n");
            exit(1);
        }
    if (!options.path || options.path[0] != '/' ||
        options.processes * options.threads > THREADS_MAX - 1 ||
        options.hot > options.documents) {
        printf("Bail out! an absolute -d, at most %d threads in all\n",
               THREADS_MAX - 1);
        exit(1);
    }
}

static void make_board(void)
{
    size_t size =
        sizeof *board + options.documents * sizeof board->acknowledged[0];

    board = mmap(NULL, size, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (board == MAP_FAILED)
        die("mmap");
}

static void run(void)
{
    int nosync = options.nosync;
    unsigned i;

    options.nosync = 1;
    in_child(prepare);
    in_child(crash_fill);
    options.nosync = nosync;
    in_child(prepare);
    map_control();
    start_all();
    for (i = 0; i < options.kills &&
                (options.unprotected || !atomic_load(&board->violations));
         i++) {
        between_strikes();
        strike_once(i);
    }
    if (options.unprotected) {
        /* What is found by now is what was to be found. */
        strike_all();
        in_child(crash_final_sweep);
        return;
    }
    stop_all();
    for (i = 0; i < options.processes; i++)
        crash_ledger_forget_process(i);
    crash_ledger_enter(recent, 0);
    report();
    in_child(prepare);
    in_child(crash_final_trees);
    in_child(crash_final_documents);
    in_child(crash_final_locks);
    in_child(crash_final_sweep);
}

int main(int argc, char **argv)
{
    unsigned violations;

    options.seed = (unsigned)crash_now_us();
    read_options(argc, argv);
    setvbuf(stdout, NULL, _IOLBF, 0);
    apr_initialize();
    apr_pool_create(&driver_pool, NULL);
    make_board();
    printf("# seed %u\n", options.seed);
    run();
    violations = atomic_load(&board->violations);
    if (options.unprotected)
        printf("%sok 1 - recovery under live users is noticed: %u violations, "
               "%u sentences of trouble\n",
               is_noticed() ? "" : "not ", violations,
               atomic_load(&board->keeper_said[CONDREQ_KEEPER_ERROR]));
    else
        printf("%sok 1 - %u kills of a store of %u x %u, %s: nothing lost, "
               "nothing twice, nothing hangs\n",
               violations ? "not " : "", options.kills, options.processes,
               options.threads, options.nosync ? "write_nosync" : "sync");
    printf("1..1\n");
    return options.unprotected ? !is_noticed() : violations != 0;
}
