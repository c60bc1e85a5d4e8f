/* Processes watched by their descriptors, and their slots swept when they end.
 * Knows the control file and the kernel; decides nothing. */
#include "condreq_bdb_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int bdb_process_open(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* Its number may be another's by now, which the start time tells. What cannot
 * be read must not count as gone. */
int bdb_process_open_same(apr_uint64_t process)
{
    pid_t pid = bdb_identity_pid(process);
    int descriptor = bdb_process_open(pid);
    apr_uint64_t found;
    int trouble;

    if (descriptor < 0)
        return -1;
    found = bdb_identity(pid, bdb_identity_role(process));
    if (found == process)
        return descriptor;
    trouble = found ? ESRCH : errno;
    close(descriptor);
    errno = trouble;
    return -1;
}

/* One a process, and of those there may be more than a program is given. */
static void allow_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

apr_status_t bdb_watch_make(bdb_watch_t **made, bdb_control_t *control,
                            condreq_trouble_t *trouble, apr_pool_t *pool)
{
    bdb_watch_t *watch = apr_pcalloc(pool, sizeof(*watch));
    apr_size_t count = control->slot_count;

    allow_descriptors();
    watch->control = control;
    watch->seen = apr_pcalloc(pool, count * sizeof(*watch->seen));
    watch->processes = apr_pcalloc(pool, count * sizeof(*watch->processes));
    watch->polled = apr_pcalloc(pool, (count + 1) * sizeof(*watch->polled));
    /* Its own writer, or the pipe would be at its end whenever nobody rings. */
    watch->polled[0].fd =
        open(control->doorbell, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    watch->polled[0].events = POLLIN;
    if (watch->polled[0].fd < 0)
        return condreq_trouble(trouble, errno, "opening %s", control->doorbell);
    *made = watch;
    return APR_SUCCESS;
}

/* ---- those who end ---- */

static int has_places(const bdb_watch_t *watch, apr_uint64_t process)
{
    unsigned i;

    for (i = 0; i < watch->control->slot_count; i++)
        if (atomic_load(&watch->control->slots[i].owner) == process)
            return 1;
    return 0;
}

static unsigned count_inside(const bdb_watch_t *watch, apr_uint64_t process)
{
    unsigned i, inside = 0;

    for (i = 0; i < watch->control->slot_count; i++) {
        const bdb_slot_t *slot = &watch->control->slots[i];

        inside += atomic_load(&slot->owner) == process &&
                  atomic_load(&slot->inside) != 0;
    }
    return inside;
}

static void clear_slots(bdb_watch_t *watch, apr_uint64_t process)
{
    unsigned i;

    for (i = 0; i < watch->control->slot_count; i++) {
        bdb_slot_t *slot = &watch->control->slots[i];

        if (atomic_load(&slot->owner) != process)
            continue;
        atomic_store(&slot->inside, 0);
        atomic_store(&slot->reserved_bytes, 0);
        atomic_store(&slot->verdict, BDB_VERDICT_NONE);
        atomic_store(&slot->owner, 0);
    }
}

/* What follows from it comes first: a keeper that dies in between leaves the
 * slots for the next one to find. A visitor that gave its places back had
 * closed the store, and left nothing there. */
static void bury(bdb_watch_t *watch, apr_uint64_t process)
{
    if (bdb_identity_role(process) == BDB_VISITOR &&
        !has_places(watch, process))
        return;
    watch->on_death(watch->baton, process, count_inside(watch, process) > 0);
    clear_slots(watch, process);
}

static void forget(bdb_watch_t *watch, unsigned i)
{
    close(watch->polled[i + 1].fd);
    watch->count--;
    watch->processes[i] = watch->processes[watch->count];
    watch->polled[i + 1] = watch->polled[watch->count + 1];
}

static void bury_the_dead(bdb_watch_t *watch)
{
    unsigned i = 0;

    while (i < watch->count) {
        if (watch->polled[i + 1].revents) {
            bury(watch, watch->processes[i]);
            forget(watch, i);
        }
        else
            i++;
    }
}

/* ---- those who come ---- */

static int is_watched(const bdb_watch_t *watch, apr_uint64_t process)
{
    unsigned i;

    for (i = 0; i < watch->count; i++)
        if (watch->processes[i] == process)
            return 1;
    return 0;
}

/* Without a descriptor to spare it is looked at again the next time. */
static int begin(bdb_watch_t *watch, apr_uint64_t process)
{
    int descriptor = bdb_process_open_same(process);

    if (descriptor < 0 && errno == ESRCH)
        bury(watch, process);
    if (descriptor < 0)
        return 0;
    watch->processes[watch->count] = process;
    watch->polled[watch->count + 1].fd = descriptor;
    watch->polled[watch->count + 1].events = POLLIN;
    watch->polled[watch->count + 1].revents = 0;
    watch->count++;
    return 1;
}

void bdb_watch_look(bdb_watch_t *watch)
{
    unsigned i;

    for (i = 0; i < watch->control->slot_count; i++) {
        apr_uint64_t owner = atomic_load(&watch->control->slots[i].owner);

        if (owner && owner != watch->seen[i] && !is_watched(watch, owner) &&
            watch->count < watch->control->slot_count && !begin(watch, owner))
            owner = 0;
        watch->seen[i] = owner;
    }
}

static void silence_doorbell(bdb_watch_t *watch)
{
    char rung[256];

    while (read(watch->polled[0].fd, rung, sizeof(rung)) > 0)
        ;
}

void bdb_watch_wait(bdb_watch_t *watch, int longest_ms)
{
    if (poll(watch->polled, watch->count + 1, longest_ms) > 0) {
        if (watch->polled[0].revents)
            silence_doorbell(watch);
        bury_the_dead(watch);
    }
    bdb_watch_look(watch);
}

/* ---- those inside ---- */

unsigned bdb_watch_inside(const bdb_watch_t *watch, apr_uint64_t word)
{
    unsigned i, inside = 0;

    for (i = 0; i < watch->control->slot_count; i++)
        inside += atomic_load(&watch->control->slots[i].owner) != 0 &&
                  atomic_load(&watch->control->slots[i].inside) == word;
    return inside;
}

#define FNV_START 14695981039346656037u
#define FNV_PRIME 1099511628211u

/* Mixes a thread's number of switches into runs: it grows whenever it runs.
 * @return is it asleep? */
static int is_asleep(const bdb_slot_t *slot, apr_uint64_t *runs)
{
    unsigned long long switches;
    char name[96], line[256], state = '?';
    FILE *file;

    snprintf(name, sizeof(name), "/proc/%d/task/%u/status",
             (int)bdb_identity_pid(atomic_load(&slot->owner)),
             atomic_load(&slot->thread));
    if (!(file = fopen(name, "re")))
        return 0;
    while (fgets(line, sizeof(line), file)) {
        sscanf(line, "State: %c", &state);
        if (sscanf(line, "voluntary_ctxt_switches: %llu", &switches) == 1 ||
            sscanf(line, "nonvoluntary_ctxt_switches: %llu", &switches) == 1)
            *runs = (*runs ^ switches) * FNV_PRIME;
    }
    fclose(file);
    return state == 'S';
}

int bdb_watch_all_asleep(const bdb_watch_t *watch, apr_uint64_t word,
                         apr_uint64_t *runs)
{
    apr_uint64_t before = *runs;
    int asleep = 1;
    unsigned i;

    *runs = FNV_START;
    for (i = 0; i < watch->control->slot_count && asleep; i++) {
        const bdb_slot_t *slot = &watch->control->slots[i];

        if (atomic_load(&slot->inside) != word)
            continue;
        *runs = (*runs ^ i) * FNV_PRIME;
        asleep = is_asleep(slot, runs);
    }
    if (!asleep)
        *runs = 0;
    return asleep && *runs == before;
}

static int kill_process(apr_uint64_t process)
{
    pid_t pid = bdb_identity_pid(process);

    return bdb_identity(pid, bdb_identity_role(process)) == process &&
           kill(pid, SIGKILL) == 0;
}

/* Has one of the first slots the same owner, inside? */
static int comes_again(const bdb_watch_t *watch, apr_uint64_t word,
                       apr_uint64_t process, unsigned before)
{
    unsigned i;

    for (i = 0; i < before; i++)
        if (atomic_load(&watch->control->slots[i].owner) == process &&
            atomic_load(&watch->control->slots[i].inside) == word)
            return 1;
    return 0;
}

unsigned bdb_watch_kill_inside(bdb_watch_t *watch, apr_uint64_t word)
{
    unsigned i, killed = 0;

    for (i = 0; i < watch->control->slot_count; i++) {
        const bdb_slot_t *slot = &watch->control->slots[i];
        apr_uint64_t owner = atomic_load(&slot->owner);

        if (owner && atomic_load(&slot->inside) == word &&
            !comes_again(watch, word, owner, i))
            killed += (unsigned)kill_process(owner);
    }
    return killed;
}

unsigned bdb_watch_kill_all(bdb_watch_t *watch, bdb_role_t role)
{
    unsigned i, killed = 0;

    for (i = 0; i < watch->count; i++) {
        apr_uint64_t process = watch->processes[i];

        if (bdb_identity_role(process) == role &&
            bdb_identity_pid(process) != getpid())
            killed += (unsigned)kill_process(process);
    }
    return killed;
}

static int lives(apr_uint64_t process)
{
    struct pollfd polled = {bdb_process_open_same(process), POLLIN, 0};
    int ended;

    if (polled.fd < 0)
        return errno != ESRCH;
    ended = poll(&polled, 1, 0) > 0;
    close(polled.fd);
    return !ended;
}

pid_t bdb_watch_anybody(const bdb_control_t *control, bdb_role_t role)
{
    unsigned i;

    for (i = 0; i < control->slot_count; i++) {
        apr_uint64_t owner = atomic_load(&control->slots[i].owner);
        pid_t pid = bdb_identity_pid(owner);

        if (owner && bdb_identity_role(owner) == role && pid != getpid() &&
            lives(owner))
            return pid;
    }
    return 0;
}
