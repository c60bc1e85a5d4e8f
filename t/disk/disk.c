/* A disk that fails when a test says so: put before libc by LD_PRELOAD.
 * Knows the calls that write; of the store only the directory that it is in.
 *
 * CONDREQ_DISK names the directory. What is wrong with it stands in
 * CONDREQ_DISK_TROUBLE, a file that the test writes: a word, and a number
 *   fine
 *   small BYTES   the file system is of this size
 *   quota BYTES   it allows us as much, and says nothing of it
 *   log ERRNO     what is written to a log file fails
 *   trees ERRNO   what is written to another file fails
 *   all ERRNO     every write does */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PATH_SIZE 4096

typedef struct trouble_t {
    char word[16];
    long long number;
} trouble_t;

static trouble_t read_trouble(void)
{
    trouble_t trouble = {"fine", 0};
    const char *name = getenv("CONDREQ_DISK_TROUBLE");
    FILE *file = name ? fopen(name, "re") : NULL;

    if (file && fscanf(file, "%15s %lld", trouble.word, &trouble.number) < 1)
        strcpy(trouble.word, "fine");
    if (file)
        fclose(file);
    return trouble;
}

static int is_a(const trouble_t *trouble, const char *word)
{
    return !strcmp(trouble->word, word);
}

static const char *disk(void)
{
    const char *directory = getenv("CONDREQ_DISK");

    return directory ? directory : "/nowhere";
}

/* ---- what is on it ---- */

static long long bytes_below(const char *directory, int depth)
{
    DIR *listing = opendir(directory);
    char name[PATH_SIZE];
    struct dirent *entry;
    struct stat found;
    long long bytes = 0;

    if (!listing)
        return 0;
    while ((entry = readdir(listing))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof(name), "%s/%s", directory, entry->d_name);
        if (lstat(name, &found) != 0)
            continue;
        if (S_ISDIR(found.st_mode) && depth > 0)
            bytes += bytes_below(name, depth - 1);
        else
            bytes += found.st_blocks * 512LL;
    }
    closedir(listing);
    return bytes;
}

static int name_of(int descriptor, char name[PATH_SIZE])
{
    char link[64];
    ssize_t length;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", descriptor);
    length = readlink(link, name, PATH_SIZE - 1);
    if (length < 0)
        return 0;
    name[length] = '\0';
    return !strncmp(name, disk(), strlen(disk()));
}

/* @return an errno, or 0: it may be written */
static int refusal(int descriptor, long long growth)
{
    int error = errno;
    char name[PATH_SIZE];
    trouble_t trouble;
    int is_log;

    if (!name_of(descriptor, name)) {
        errno = error;
        return 0;
    }
    trouble = read_trouble();
    is_log = strstr(name, "/log/") != NULL;
    errno = error;
    if (is_a(&trouble, "all") || (is_a(&trouble, "log") && is_log) ||
        (is_a(&trouble, "trees") && !is_log))
        return (int)trouble.number;
    if ((is_a(&trouble, "small") || is_a(&trouble, "quota")) && growth > 0 &&
        bytes_below(disk(), 2) + growth > trouble.number)
        return is_a(&trouble, "small") ? ENOSPC : EDQUOT;
    errno = error;
    return 0;
}

/* What a write adds where there was nothing. */
static long long growth_of(int descriptor, off_t offset, size_t size)
{
    struct stat found;
    long long end = (long long)offset + (long long)size;

    if (fstat(descriptor, &found) != 0 || end <= found.st_blocks * 512LL)
        return 0;
    return end - found.st_blocks * 512LL;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static ssize_t refuse(int error)
{
    errno = error;
    return -1;
}

/* ---- the calls ---- */

ssize_t write(int descriptor, const void *bytes, size_t size)
{
    static __typeof__(&write) next;
    off_t offset = lseek(descriptor, 0, SEEK_CUR);
    int error = offset < 0
                    ? 0
                    : refusal(descriptor, growth_of(descriptor, offset, size));

    if (!next)
        next = NEXT(write);
    return error ? refuse(error) : next(descriptor, bytes, size);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t offset)
{
    static __typeof__(&pwrite) next;
    int error = refusal(descriptor, growth_of(descriptor, offset, size));

    if (!next)
        next = NEXT(pwrite);
    return error ? refuse(error) : next(descriptor, bytes, size, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off64_t offset)
{
    return pwrite(descriptor, bytes, size, offset);
}

int fsync(int descriptor)
{
    static __typeof__(&fsync) next;
    int error = refusal(descriptor, 0);

    if (!next)
        next = NEXT(fsync);
    return error ? (int)refuse(error) : next(descriptor);
}

int fdatasync(int descriptor)
{
    static __typeof__(&fdatasync) next;
    int error = refusal(descriptor, 0);

    if (!next)
        next = NEXT(fdatasync);
    return error ? (int)refuse(error) : next(descriptor);
}

/* This one returns its error. */
int posix_fallocate(int descriptor, off_t offset, off_t size)
{
    static __typeof__(&posix_fallocate) next;
    int error =
        refusal(descriptor, growth_of(descriptor, offset, (size_t)size));

    if (!next)
        next = NEXT(posix_fallocate);
    return error ? error : next(descriptor, offset, size);
}

int posix_fallocate64(int descriptor, off64_t offset, off64_t size)
{
    return posix_fallocate(descriptor, offset, size);
}

static void make_small(struct statvfs *found)
{
    trouble_t trouble = read_trouble();
    long long rest;

    if (!is_a(&trouble, "small"))
        return;
    rest = trouble.number - bytes_below(disk(), 2);
    found->f_blocks = (fsblkcnt_t)trouble.number / found->f_frsize;
    found->f_bavail = found->f_bfree =
        rest > 0 ? (fsblkcnt_t)rest / found->f_frsize : 0;
}

int statvfs(const char *path, struct statvfs *found)
{
    static __typeof__(&statvfs) next;
    int error;

    if (!next)
        next = NEXT(statvfs);
    error = next(path, found);
    if (error == 0 && !strncmp(path, disk(), strlen(disk())))
        make_small(found);
    return error;
}

int statvfs64(const char *path, struct statvfs64 *found)
{
    return statvfs(path, (struct statvfs *)found);
}

int fstatvfs(int descriptor, struct statvfs *found)
{
    static __typeof__(&fstatvfs) next;
    char name[PATH_SIZE];
    int error;

    if (!next)
        next = NEXT(fstatvfs);
    error = next(descriptor, found);
    if (error == 0 && name_of(descriptor, name))
        make_small(found);
    return error;
}

int fstatvfs64(int descriptor, struct statvfs64 *found)
{
    return fstatvfs(descriptor, (struct statvfs *)found);
}
