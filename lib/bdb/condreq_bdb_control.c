/* The control file: made, mapped, its word changed and waited for.
 * Knows memory that processes share, and what the kernel says of a process; no
 * library call, no tree. The header says how it is used. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "apr_strings.h"

#include "condreq_bdb_control.h"

#define MAGIC "condreq control"
#define LAYOUT 8u
/* A graceful restart has two generations of httpd's children for a while. */
#define CHILDREN_AT_ONCE 2u
#define SLOTS_TO_SPARE 16u
/* A key each, apart from the slots so that those stay close together. */
#define WITNESS_KEY_SIZE ((CONDREQ_KEY_MAX + 64u) / 64u * 64u)
#define STATE_BITS 8

static apr_size_t control_size(unsigned slot_count)
{
    return sizeof(bdb_control_file_t) +
           (apr_size_t)slot_count * (sizeof(bdb_slot_t) + WITNESS_KEY_SIZE);
}

apr_int64_t bdb_clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec * APR_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* ---- the word ---- */

apr_uint64_t bdb_word(apr_uint64_t generation, bdb_state_t state)
{
    return generation << STATE_BITS | (apr_uint64_t)state;
}

apr_uint64_t bdb_word_generation(apr_uint64_t word)
{
    return word >> STATE_BITS;
}

bdb_state_t bdb_word_state(apr_uint64_t word)
{
    return (bdb_state_t)(word & ((1u << STATE_BITS) - 1));
}

int bdb_control_condemn(bdb_control_t *control, apr_uint64_t word,
                        bdb_state_t why)
{
    apr_uint64_t condemned = bdb_word(bdb_word_generation(word), why);
    int changed =
        atomic_compare_exchange_strong(&control->file->word, &word, condemned);

    if (changed)
        bdb_control_ring(control);
    return changed;
}

static long futex(_Atomic(apr_uint32_t) *at, int operation, apr_uint32_t value,
                  const struct timespec *longest)
{
    return syscall(SYS_futex, at, operation, value, longest, NULL, 0);
}

void bdb_control_publish(bdb_control_t *control, apr_uint64_t generation)
{
    atomic_store(&control->file->recovery_fails, 0);
    atomic_store(&control->file->word, bdb_word(generation, BDB_OPEN));
    atomic_store(&control->file->shards_taken, 0);
    atomic_fetch_add(&control->file->published, 1);
    futex(&control->file->published, FUTEX_WAKE, INT_MAX, NULL);
}

void bdb_control_await(bdb_control_t *control, apr_uint32_t seen,
                       apr_interval_time_t longest_us)
{
    struct timespec longest;

    if (longest_us <= 0)
        return;
    longest.tv_sec = longest_us / APR_USEC_PER_SEC;
    longest.tv_nsec = longest_us % APR_USEC_PER_SEC * 1000;
    futex(&control->file->published, FUTEX_WAIT, seen, &longest);
}

/* Opened for reading too, or the signal of a pipe without a reader would come:
 * there is none while one keeper follows another, and the next one looks by
 * itself. A full pipe has rung already. */
void bdb_control_ring(const bdb_control_t *control)
{
    int bell = open(control->doorbell, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    ssize_t rung;

    if (bell < 0)
        return;
    rung = write(bell, "", 1);
    (void)rung;
    close(bell);
}

/* ---- who is who ---- */

#define PID_BITS 22
#define ROLE_BITS 2

/* The 22nd field; the second is a name in parentheses, and may hold any.
 * @return 0 with errno ESRCH where there is no such process, and with another
 *         where it cannot be known */
static apr_uint64_t start_time(pid_t pid)
{
    char name[64], line[1024];
    unsigned long long start = 0;
    const char *rest;
    FILE *file;

    snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
    if (!(file = fopen(name, "re"))) {
        errno = errno == ENOENT ? ESRCH : errno;
        return 0;
    }
    errno = EINVAL;
    if (!fgets(line, sizeof(line), file) || !(rest = strrchr(line, ')')) ||
        sscanf(rest + 1,
               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
               "%*d %*d %*d %*d %llu",
               &start) != 1)
        start = 0;
    fclose(file);
    return start;
}

apr_uint64_t bdb_identity(pid_t pid, bdb_role_t role)
{
    apr_uint64_t start = start_time(pid);

    return start ? start << (PID_BITS + ROLE_BITS) |
                       (apr_uint64_t)role << PID_BITS | (apr_uint64_t)pid
                 : 0;
}

pid_t bdb_identity_pid(apr_uint64_t identity)
{
    return (pid_t)(identity & ((1u << PID_BITS) - 1));
}

bdb_role_t bdb_identity_role(apr_uint64_t identity)
{
    return (bdb_role_t)(identity >> PID_BITS & ((1u << ROLE_BITS) - 1));
}

/* ---- the file ---- */

static const char *file_name(const char *path, const char *name,
                             apr_pool_t *pool)
{
    return apr_pstrcat(pool, path, "/", name, NULL);
}

void bdb_boot_read(char boot[BDB_BOOT_SIZE])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    memset(boot, 0, BDB_BOOT_SIZE);
    if (file && !fgets(boot, BDB_BOOT_SIZE, file))
        boot[0] = '\0';
    if (file)
        fclose(file);
}

/* All of its room is taken now: a mapped page that finds none kills. */
static apr_status_t write_file(int descriptor,
                               const condreq_store_config_t *config,
                               apr_uint64_t generation, int has_ballast)
{
    unsigned slot_count = config->threads * CHILDREN_AT_ONCE + SLOTS_TO_SPARE;
    bdb_control_file_t file;
    struct stat found;
    int code = posix_fallocate(descriptor, 0, (off_t)control_size(slot_count));

    if (code != 0 || fstat(descriptor, &found) != 0)
        return code ? code : errno;
    memset(&file, 0, sizeof(file));
    memcpy(file.magic, MAGIC, sizeof(MAGIC));
    file.layout = LAYOUT;
    file.slot_count = slot_count;
    file.device = found.st_dev;
    file.inode = found.st_ino;
    bdb_boot_read(file.boot);
    file.durability = (apr_uint32_t)config->durability;
    file.word = bdb_word(generation, BDB_OPEN);
    file.has_no_ballast = !has_ballast;
    if (pwrite(descriptor, &file, sizeof(file), 0) != sizeof(file))
        return errno;
    return APR_SUCCESS;
}

static apr_status_t make_doorbell(const char *path, condreq_trouble_t *trouble,
                                  apr_pool_t *pool)
{
    const char *doorbell = file_name(path, "doorbell", pool);

    if (mkfifo(doorbell, 0600) == 0 || errno == EEXIST)
        return APR_SUCCESS;
    return condreq_trouble(trouble, errno, "making %s", doorbell);
}

apr_status_t bdb_control_make(const condreq_store_config_t *config,
                              apr_uint64_t generation, int has_ballast,
                              condreq_trouble_t *trouble, apr_pool_t *pool)
{
    const char *name = file_name(config->path, "control", pool);
    const char *unfinished = apr_pstrcat(pool, name, ".new", NULL);
    int descriptor = open(
        unfinished, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    apr_status_t status = descriptor < 0 ? errno : APR_SUCCESS;

    if (status == APR_SUCCESS) {
        status = write_file(descriptor, config, generation, has_ballast);
        close(descriptor);
    }
    if (status == APR_SUCCESS && rename(unfinished, name) != 0)
        status = errno;
    if (status != APR_SUCCESS)
        return condreq_trouble(trouble, status, "making %s", name);
    return make_doorbell(config->path, trouble, pool);
}

/* A copy's, and one from before the last boot, are as good as none. */
static apr_status_t judge(const bdb_control_file_t *file,
                          const struct stat *found)
{
    char boot[sizeof(file->boot)];

    bdb_boot_read(boot);
    if (memcmp(file->magic, MAGIC, sizeof(MAGIC)) != 0 ||
        file->layout != LAYOUT ||
        (apr_size_t)found->st_size != control_size(file->slot_count))
        return CONDREQ_EFORMAT;
    if (file->device != found->st_dev || file->inode != found->st_ino ||
        memcmp(file->boot, boot, sizeof(boot)) != 0)
        return APR_ENOENT;
    return APR_SUCCESS;
}

static bdb_control_file_t *map_file(int descriptor, apr_status_t *status)
{
    struct stat found;
    void *mapped;

    *status = CONDREQ_EFORMAT;
    if (fstat(descriptor, &found) != 0 ||
        (apr_size_t)found.st_size < sizeof(bdb_control_file_t))
        return NULL;
    mapped = mmap(NULL, (apr_size_t)found.st_size, PROT_READ | PROT_WRITE,
                  MAP_SHARED, descriptor, 0);
    if (mapped == MAP_FAILED) {
        *status = errno;
        return NULL;
    }
    *status = judge(mapped, &found);
    if (*status == APR_SUCCESS)
        return mapped;
    munmap(mapped, (apr_size_t)found.st_size);
    return NULL;
}

/* A thread that ends is outside: it only gives its place back. */
static void give_back(void *slot_ptr)
{
    bdb_slot_t *slot = slot_ptr;

    atomic_store(&slot->verdict, BDB_VERDICT_NONE);
    atomic_store(&slot->owner, 0);
}

apr_status_t bdb_control_map(bdb_control_t **mapped, const char *path,
                             bdb_role_t role, condreq_trouble_t *trouble,
                             apr_pool_t *pool)
{
    const char *name = file_name(path, "control", pool);
    bdb_control_t *control = apr_pcalloc(pool, sizeof(*control));
    int descriptor = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    apr_status_t status = errno;

    if (descriptor >= 0) {
        control->file = map_file(descriptor, &status);
        close(descriptor);
    }
    if (!control->file)
        return condreq_trouble(
            trouble, status, "opening %s%s", name,
            status == APR_ENOENT ? ", of a store that was not prepared" : "");
    control->slots = (bdb_slot_t *)(control->file + 1);
    control->slot_count = control->file->slot_count;
    control->doorbell = file_name(path, "doorbell", pool);
    control->identity = bdb_identity(getpid(), role);
    if (!control->identity)
        return condreq_trouble(trouble, APR_EGENERAL, "reading /proc/%d/stat",
                               (int)getpid());
    if ((status = pthread_key_create(&control->slot_of_thread, give_back)))
        return condreq_trouble(trouble, status, "making a place a thread");
    *mapped = control;
    return APR_SUCCESS;
}

void bdb_control_unmap(bdb_control_t *control)
{
    pthread_key_delete(control->slot_of_thread);
    munmap(control->file, control_size(control->slot_count));
}

apr_uint64_t bdb_control_generation(const char *path, apr_pool_t *pool)
{
    int descriptor =
        open(file_name(path, "control", pool), O_RDONLY | O_CLOEXEC);
    bdb_control_file_t file;
    ssize_t got;

    if (descriptor < 0)
        return 0;
    got = pread(descriptor, &file, sizeof(file), 0);
    close(descriptor);
    if (got != sizeof(file) || memcmp(file.magic, MAGIC, sizeof(MAGIC)) != 0 ||
        file.layout != LAYOUT)
        return 0;
    return bdb_word_generation(file.word);
}

char *bdb_slot_witness_key(const bdb_control_t *control, const bdb_slot_t *slot)
{
    char *keys = (char *)(control->slots + control->slot_count);

    return keys + (apr_size_t)(slot - control->slots) * WITNESS_KEY_SIZE;
}
