/* The trace: every write, flush and name in a store's directories of trees and
 * log, in the order in which the kernel was asked.
 * Knows system calls, in whose place it stands for this program and for the
 * library; no record. Of the small files it has the note of unsynced commits;
 * what is written by other ways (stdio, a mapping) does not pass here, and has
 * a table of its own. */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "power.h"

#define EVENTS_MAX (1u << 20)
#define ARENA_SIZE (1ull << 30)
#define FILES_MAX 4096u
#define DESCRIPTORS_MAX 4096
/* A disk takes its time, in which more commits gather behind a flush. */
#define FLUSH_US 300

typedef struct trace_t {
    pthread_mutex_t mutex;
    apr_uint64_t count;
    apr_uint64_t used;
    apr_uint64_t found;
    unsigned files;
    event_t events[EVENTS_MAX];
    char arena[ARENA_SIZE];
} trace_t;

static trace_t *trace;

/* Of this process. */
static int recording;
static char prefix[512];
static char boot_id[64];
/* Which file is open there, and 1; 0: none of ours. */
static unsigned opened[DESCRIPTORS_MAX];
/* The names as they are now. */
static struct name_t {
    char name[64];
    unsigned file;
} names[FILES_MAX];
static unsigned name_count;

void trace_map(void)
{
    pthread_mutexattr_t shared;

    trace = mmap(NULL, sizeof *trace, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (trace == MAP_FAILED)
        abort();
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&trace->mutex, &shared);
}

/* The mutex is held. */
static apr_uint64_t enter(event_kind_t kind, unsigned file, apr_uint64_t at,
                          const void *bytes, apr_uint64_t length)
{
    event_t *event = &trace->events[trace->count];

    if (trace->count == EVENTS_MAX || trace->used + length > ARENA_SIZE)
        abort();
    event->kind = kind;
    event->file = file;
    event->at = at;
    event->length = length;
    event->bytes = trace->used;
    if (bytes)
        memcpy(trace->arena + trace->used, bytes, length);
    trace->used += bytes ? length : 0;
    return trace->count++;
}

static struct name_t *name_find(const char *name)
{
    unsigned i;

    for (i = 0; i < name_count; i++)
        if (!strcmp(names[i].name, name))
            return &names[i];
    return NULL;
}

static unsigned name_create(const char *name)
{
    if (name_count == FILES_MAX || strlen(name) >= sizeof names[0].name)
        abort();
    strcpy(names[name_count].name, name);
    names[name_count++].file = trace->files;
    enter(EVENT_CREATE, trace->files, 0, name, strlen(name) + 1);
    return trace->files++;
}

static void name_remove(struct name_t *name)
{
    *name = names[--name_count];
}

/* ---- what is there before ---- */

static void find_file(const char *path, const char *name)
{
    static char bytes[1 << 16];
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    unsigned file = name_create(name);
    apr_uint64_t at = 0;
    ssize_t got;

    while ((got = pread(descriptor, bytes, sizeof bytes, (off_t)at)) > 0) {
        enter(EVENT_WRITE, file, at, bytes, (apr_uint64_t)got);
        at += (apr_uint64_t)got;
    }
    close(descriptor);
    enter(EVENT_SYNC, file, trace->count, NULL, 0);
}

static void find_below(const char *directory)
{
    char path[1024], name[300];
    struct dirent *entry;
    DIR *listing;

    snprintf(path, sizeof path, "%s%s", prefix, directory);
    if (!(listing = opendir(path)))
        return;
    while ((entry = readdir(listing))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", directory, entry->d_name);
        snprintf(path, sizeof path, "%s%s", prefix, name);
        find_file(path, name);
    }
    closedir(listing);
}

void trace_begin(const char *store)
{
    char note[600];

    snprintf(note, sizeof note, "%s/unsynced", store);
    trace->count = trace->used = 0;
    trace->files = 0;
    name_count = 0;
    snprintf(prefix, sizeof prefix, "%s/", store);
    find_below("data");
    find_below("log");
    if (access(note, F_OK) == 0)
        find_file(note, "unsynced");
    trace->found = trace->count;
}

void trace_record(void)
{
    recording = 1;
}

apr_uint64_t trace_mark(void)
{
    apr_uint64_t index;

    pthread_mutex_lock(&trace->mutex);
    index = enter(EVENT_MARK, 0, 0, NULL, 0);
    pthread_mutex_unlock(&trace->mutex);
    return index;
}

apr_uint64_t trace_count(void)
{
    return trace->count;
}

apr_uint64_t trace_found(void)
{
    return trace->found;
}

const event_t *trace_event(apr_uint64_t index)
{
    return &trace->events[index];
}

const char *trace_bytes(const event_t *event)
{
    return trace->arena + event->bytes;
}

/* ---- in the place of the C library's ---- */

#define EXPORT __attribute__((visibility("default")))

/* Looked up once for each, in whatever thread comes first. */
#define REAL(name)                                                             \
    static __typeof__(&name) real;                                             \
    if (!real)                                                                 \
    real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* @return the name below the store, or NULL where it is none of ours; the
 * store's own directory has none, and is flushed for its names' sake */
static const char *watched(const char *path)
{
    size_t length = strlen(prefix);

    if (!recording || strncmp(path, prefix, length - 1) != 0)
        return NULL;
    if (!path[length - 1])
        return "";
    path += length;
    return !strncmp(path, "data/", 5) || !strncmp(path, "log/", 4) ||
                   !strcmp(path, "unsynced")
               ? path
               : NULL;
}

static void note_open(int descriptor, const char *name, int flags)
{
    struct name_t *known;
    struct stat found;

    if (descriptor >= DESCRIPTORS_MAX || fstat(descriptor, &found) != 0 ||
        S_ISDIR(found.st_mode) != !*name)
        return;
    known = name_find(name);
    opened[descriptor] = 1 + (known ? known->file : name_create(name));
    if (flags & O_TRUNC)
        enter(EVENT_TRUNCATE, opened[descriptor] - 1, 0, NULL, 0);
}

EXPORT int open(const char *path, int flags, ...)
{
    REAL(open);
    const char *name = watched(path);
    int descriptor;
    va_list rest;
    mode_t mode;

    va_start(rest, flags);
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (!name)
        return real(path, flags, mode);
    pthread_mutex_lock(&trace->mutex);
    descriptor = real(path, flags, mode);
    if (descriptor >= 0)
        note_open(descriptor, name, flags);
    pthread_mutex_unlock(&trace->mutex);
    return descriptor;
}

EXPORT int close(int descriptor)
{
    REAL(close);

    if (descriptor >= 0 && descriptor < DESCRIPTORS_MAX)
        opened[descriptor] = 0;
    return real(descriptor);
}

static int is_watched(int descriptor)
{
    return recording && descriptor >= 0 && descriptor < DESCRIPTORS_MAX &&
           opened[descriptor];
}

EXPORT ssize_t pwrite(int descriptor, const void *bytes, size_t length,
                      off_t at)
{
    REAL(pwrite);
    ssize_t written;

    if (!is_watched(descriptor))
        return real(descriptor, bytes, length, at);
    pthread_mutex_lock(&trace->mutex);
    written = real(descriptor, bytes, length, at);
    if (written > 0)
        enter(EVENT_WRITE, opened[descriptor] - 1, (apr_uint64_t)at, bytes,
              (apr_uint64_t)written);
    pthread_mutex_unlock(&trace->mutex);
    return written;
}

EXPORT ssize_t write(int descriptor, const void *bytes, size_t length)
{
    REAL(write);
    ssize_t written;
    off_t at;

    if (!is_watched(descriptor))
        return real(descriptor, bytes, length);
    pthread_mutex_lock(&trace->mutex);
    at = lseek(descriptor, 0, SEEK_CUR);
    written = real(descriptor, bytes, length);
    if (written > 0)
        enter(EVENT_WRITE, opened[descriptor] - 1, (apr_uint64_t)at, bytes,
              (apr_uint64_t)written);
    pthread_mutex_unlock(&trace->mutex);
    return written;
}

EXPORT int ftruncate(int descriptor, off_t length)
{
    REAL(ftruncate);
    int code;

    if (!is_watched(descriptor))
        return real(descriptor, length);
    pthread_mutex_lock(&trace->mutex);
    code = real(descriptor, length);
    if (code == 0)
        enter(EVENT_TRUNCATE, opened[descriptor] - 1, (apr_uint64_t)length,
              NULL, 0);
    pthread_mutex_unlock(&trace->mutex);
    return code;
}

/* Only what was written before it began is sure to be covered. */
static int flush(int descriptor, int (*real)(int))
{
    unsigned file;
    apr_uint64_t began;
    int code;

    if (!is_watched(descriptor))
        return real(descriptor);
    pthread_mutex_lock(&trace->mutex);
    file = opened[descriptor] - 1;
    began = trace->count;
    pthread_mutex_unlock(&trace->mutex);
    code = real(descriptor);
    usleep(FLUSH_US);
    pthread_mutex_lock(&trace->mutex);
    if (code == 0)
        enter(EVENT_SYNC, file, began, NULL, 0);
    pthread_mutex_unlock(&trace->mutex);
    return code;
}

EXPORT int fsync(int descriptor)
{
    REAL(fsync);

    return flush(descriptor, real);
}

EXPORT int fdatasync(int descriptor)
{
    REAL(fdatasync);

    return flush(descriptor, real);
}

EXPORT int unlink(const char *path)
{
    REAL(unlink);
    const char *name = watched(path);
    struct name_t *known;
    int code;

    if (!name)
        return real(path);
    pthread_mutex_lock(&trace->mutex);
    code = real(path);
    if (code == 0 && (known = name_find(name))) {
        enter(EVENT_UNLINK, known->file, 0, name, strlen(name) + 1);
        name_remove(known);
    }
    pthread_mutex_unlock(&trace->mutex);
    return code;
}

EXPORT int rename(const char *path, const char *to)
{
    REAL(rename);
    const char *name = watched(path), *new_name = watched(to);
    struct name_t *known, *replaced;
    int code;

    if (!name || !new_name)
        return real(path, to);
    pthread_mutex_lock(&trace->mutex);
    code = real(path, to);
    if (code == 0 && (replaced = name_find(new_name)))
        name_remove(replaced);
    if (code == 0 && (known = name_find(name))) {
        strcpy(known->name, new_name);
        enter(EVENT_RENAME, known->file, 0, new_name, strlen(new_name) + 1);
    }
    pthread_mutex_unlock(&trace->mutex);
    return code;
}

/* A small file system: so the log has many files, and is cut often. */
static void make_small(struct statvfs *found)
{
    found->f_frsize = found->f_bsize = PAGE;
    found->f_blocks = found->f_bfree = found->f_bavail = (16u << 20) / PAGE;
}

EXPORT int statvfs(const char *path, struct statvfs *found)
{
    REAL(statvfs);
    int code = real(path, found);

    make_small(found);
    return code;
}

EXPORT int fstatvfs(int descriptor, struct statvfs *found)
{
    REAL(fstatvfs);
    int code = real(descriptor, found);

    make_small(found);
    return code;
}

void trace_boot(const char *boot)
{
    snprintf(boot_id, sizeof boot_id, "%s\n", boot);
}

/* The machine was started again, as far as the store can see. */
EXPORT FILE *fopen(const char *path, const char *mode)
{
    REAL(fopen);

    if (boot_id[0] && !strcmp(path, "/proc/sys/kernel/random/boot_id"))
        return fmemopen(boot_id, strlen(boot_id), "r");
    return real(path, mode);
}
