/* Places: the directories of a store, and the file that says which of them
 * holds the shared regions.
 * Knows directories and owners; no library call.
 *
 *   PATH/data         the trees
 *   PATH/log          the log
 *   PATH/generation   names the directory of the regions
 *   PATH/control      who is inside: see condreq_bdb_control.h
 *   PATH/doorbell     a pipe that wakes the keeper
 *   PATH/keeper       a lock that the keeper holds
 *   regions           /dev/shm/condreq-DEVICE-INODE-N, or PATH/regions.N
 *
 * Every recovery makes new regions: what a dead process left in the old ones is
 * never read again, and a process that still has them mapped does no harm. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "apr_strings.h"

#include "condreq_bdb.h"

#define SHARED_MEMORY "/dev/shm"
#define TMPFS_KIND 0x01021994
#define GENERATION_HEADER "condreq generation 1"
#define REGIONS_PATH_MAX 4096

static apr_status_t make_directory(const char *path, condreq_trouble_t *trouble)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return APR_SUCCESS;
    return condreq_trouble(trouble, errno, "making %s", path);
}

apr_status_t bdb_places_make_path(const char *path, condreq_trouble_t *trouble)
{
    if (path[0] != '/')
        return condreq_trouble(trouble, APR_EBADPATH, "the store's path %s",
                               path);
    if (strlen(path) > CONDREQ_STORE_PATH_MAX)
        return condreq_trouble(trouble, APR_ENAMETOOLONG, "the store's path");
    return make_directory(path, trouble);
}

/* Anyone may put things into shared memory under a name that we are about to
 * use; what is not a directory of our own is not ours to enter or remove. */
static int is_own_directory(const char *path)
{
    struct stat found;

    return lstat(path, &found) == 0 && S_ISDIR(found.st_mode) &&
           found.st_uid == geteuid();
}

void bdb_places_remove_regions(const char *regions, apr_pool_t *pool)
{
    DIR *directory;
    struct dirent *entry;

    if (!regions || !is_own_directory(regions) ||
        !(directory = opendir(regions)))
        return;
    while ((entry = readdir(directory)))
        if (!strncmp(entry->d_name, "__db.", 5))
            unlink(apr_pstrcat(pool, regions, "/", entry->d_name, NULL));
    closedir(directory);
    rmdir(regions);
}

/* A prepare that died before it published leaves regions of the same name. */
static apr_status_t make_regions(const char *regions, apr_pool_t *pool)
{
    if (mkdir(regions, 0700) == 0)
        return APR_SUCCESS;
    if (errno != EEXIST)
        return errno;
    bdb_places_remove_regions(regions, pool);
    return mkdir(regions, 0700) == 0 ? APR_SUCCESS : errno;
}

/* Removes what stands in a directory under a name that begins so, but for
 * one. */
static void remove_regions_like(const char *directory, const char *prefix,
                                const char *kept, apr_pool_t *pool)
{
    DIR *listing = opendir(directory);
    struct dirent *entry;
    const char *found;

    if (!listing)
        return;
    while ((entry = readdir(listing))) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        found = apr_pstrcat(pool, directory, "/", entry->d_name, NULL);
        if (!kept || strcmp(found, kept) != 0)
            bdb_places_remove_regions(found, pool);
    }
    closedir(listing);
}

static int has_memory_for(apr_uint64_t bytes)
{
    struct statfs found;

    return statfs(SHARED_MEMORY, &found) == 0 && found.f_type == TMPFS_KIND &&
           access(SHARED_MEMORY, W_OK | X_OK) == 0 &&
           (apr_uint64_t)found.f_bavail * (apr_uint64_t)found.f_bsize > bytes;
}

/* Device and inode name the store's directory whatever path leads to it. */
static const char *prefix_in_memory(const char *path, apr_pool_t *pool)
{
    struct stat found;

    if (stat(path, &found) != 0)
        return NULL;
    return apr_psprintf(pool, "condreq-%lx-%lx-", (unsigned long)found.st_dev,
                        (unsigned long)found.st_ino);
}

static const char *regions_in_memory(const char *path, apr_uint64_t generation,
                                     apr_pool_t *pool)
{
    const char *prefix = prefix_in_memory(path, pool);

    return prefix ? apr_psprintf(pool, SHARED_MEMORY "/%s%" APR_UINT64_T_FMT,
                                 prefix, generation)
                  : NULL;
}

void bdb_places_remove_others(const bdb_places_t *places, const char *path,
                              apr_pool_t *pool)
{
    const char *prefix = prefix_in_memory(path, pool);

    if (prefix)
        remove_regions_like(SHARED_MEMORY, prefix, places->regions, pool);
    remove_regions_like(path, "regions.", places->regions, pool);
}

static const char *regions_on_disk(const char *path, apr_uint64_t generation,
                                   apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s/regions.%" APR_UINT64_T_FMT, path,
                        generation);
}

apr_status_t bdb_places_make(bdb_places_t *next, const bdb_places_t *last,
                             const char *path, apr_uint64_t region_bytes,
                             condreq_trouble_t *trouble, apr_pool_t *pool)
{
    apr_status_t status;

    *next = *last;
    next->generation = last->generation + 1;
    if ((status = make_directory(path, trouble)) != APR_SUCCESS ||
        (status = make_directory(next->data, trouble)) != APR_SUCCESS ||
        (status = make_directory(next->log, trouble)) != APR_SUCCESS)
        return status;
    next->regions = regions_in_memory(path, next->generation, pool);
    if (next->regions && has_memory_for(region_bytes) &&
        make_regions(next->regions, pool) == APR_SUCCESS)
        return APR_SUCCESS;
    next->regions = regions_on_disk(path, next->generation, pool);
    if ((status = make_regions(next->regions, pool)) != APR_SUCCESS)
        return condreq_trouble(trouble, status, "making %s", next->regions);
    return APR_SUCCESS;
}

/* It is written whole or not at all; a disk that fails may do otherwise. */
static int read_generation(bdb_places_t *places, FILE *file, apr_pool_t *pool)
{
    char regions[REGIONS_PATH_MAX];
    unsigned long long generation;

    if (fscanf(file, GENERATION_HEADER " %llu %4095[^\n]", &generation,
               regions) != 2)
        return 0;
    places->generation = generation;
    places->regions = apr_pstrdup(pool, regions);
    return 1;
}

int bdb_places_are_torn(const char *path, apr_pool_t *pool)
{
    FILE *file = fopen(apr_pstrcat(pool, path, "/generation", NULL), "re");
    char line[sizeof(GENERATION_HEADER)] = "";
    size_t got;

    if (!file)
        return 0;
    got = fread(line, 1, sizeof(line) - 1, file);
    fclose(file);
    return got == 0 || line[0] == '\0' ||
           memcmp(line, GENERATION_HEADER, got) == 0;
}

/* In a copy of a store's directory the file names the original's regions,
 * which are not ours to use, and still less to remove. */
static int are_own_regions(const bdb_places_t *places, const char *path,
                           apr_pool_t *pool)
{
    const char *in_memory = regions_in_memory(path, places->generation, pool);

    return (in_memory && !strcmp(places->regions, in_memory)) ||
           !strcmp(places->regions,
                   regions_on_disk(path, places->generation, pool));
}

apr_status_t bdb_places_find(bdb_places_t *places, const char *path,
                             condreq_trouble_t *trouble, apr_pool_t *pool)
{
    const char *name = apr_pstrcat(pool, path, "/generation", NULL);
    FILE *file;
    int found;

    memset(places, 0, sizeof(*places));
    if (path[0] != '/')
        return condreq_trouble(trouble, APR_EBADPATH, "the store's path %s",
                               path);
    places->data = apr_pstrcat(pool, path, "/data", NULL);
    places->log = apr_pstrcat(pool, path, "/log", NULL);
    file = fopen(name, "re");
    if (!file && errno == ENOENT)
        return APR_SUCCESS;
    if (!file)
        return condreq_trouble(trouble, errno, "opening %s", name);
    found = read_generation(places, file, pool);
    fclose(file);
    if (found && !are_own_regions(places, path, pool))
        places->regions = NULL;
    return found
               ? APR_SUCCESS
               : condreq_trouble(trouble, CONDREQ_EFORMAT, "reading %s", name);
}

static int write_generation(const bdb_places_t *places, const char *name)
{
    FILE *file = fopen(name, "we");
    int written;

    if (!file)
        return 0;
    written = fchmod(fileno(file), 0600) == 0 &&
              fprintf(file, GENERATION_HEADER "\n%" APR_UINT64_T_FMT "\n%s\n",
                      places->generation, places->regions) > 0 &&
              fflush(file) == 0 && fsync(fileno(file)) == 0;
    return fclose(file) == 0 && written;
}

/* A rename lasts once the directory has been written. */
int bdb_directory_sync(const char *path)
{
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int synced = descriptor >= 0 && fsync(descriptor) == 0;

    if (descriptor >= 0)
        close(descriptor);
    return synced;
}

apr_status_t bdb_places_publish(const bdb_places_t *places, const char *path,
                                condreq_trouble_t *trouble, apr_pool_t *pool)
{
    const char *name = apr_pstrcat(pool, path, "/generation", NULL);
    const char *unpublished = apr_pstrcat(pool, name, ".new", NULL);

    if (write_generation(places, unpublished) &&
        rename(unpublished, name) == 0 && bdb_directory_sync(path))
        return APR_SUCCESS;
    return condreq_trouble(trouble, errno, "writing %s", name);
}
