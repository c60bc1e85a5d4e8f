/* The small files of a store as a power cut could have left them: none of them
 * keeps a store from being prepared.
 * Knows their names, and nothing of what stands in them. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apr_strings.h"

#include "bdb/condreq_bdb.h"
#include "power.h"

typedef enum harm_t {
    /** it stays, and is of another run of the kernel */
    STALE,
    ABSENT,
    EMPTY,
    /** its second half is missing */
    CUT_SHORT,
    /** its length arrived, its bytes did not */
    ZEROS
} harm_t;

typedef struct row_t {
    const char *sentence;
    const char *file;
    harm_t harm;
    /** are the shared regions still there, as where they are on the disk? */
    int regions_stay;
} row_t;

static const row_t rows[] = {
    {"all small files are of the run before", "", STALE, 0},
    {"and so are the regions", "", STALE, 1},
    {"no generation", "generation", ABSENT, 0},
    {"an empty generation", "generation", EMPTY, 0},
    {"half a generation", "generation", CUT_SHORT, 0},
    {"a generation of zeros", "generation", ZEROS, 0},
    {"no control file", "control", ABSENT, 0},
    {"an empty control file", "control", EMPTY, 0},
    {"half a control file", "control", CUT_SHORT, 0},
    {"a control file of zeros", "control", ZEROS, 0},
    {"no ballast", "ballast", ABSENT, 0},
    {"an empty ballast", "ballast", EMPTY, 0},
    {"half a ballast", "ballast", CUT_SHORT, 0},
    {"no doorbell", "doorbell", ABSENT, 0},
    {"no lock file", "keeper", ABSENT, 0},
    {"half an unpublished generation", "generation.new", CUT_SHORT, 0},
    {"half an unpublished control file", "control.new", CUT_SHORT, 0},
};

static void make_zeros(const char *name, off_t length)
{
    if (truncate(name, 0) != 0 || truncate(name, length) != 0)
        printf("# %s cannot be cut\n", name);
}

static void harm(const char *path, const row_t *row)
{
    struct stat found = {0};
    char name[1024];
    int made;

    snprintf(name, sizeof name, "%s/%s", path, row->file);
    if (row->harm == STALE)
        return;
    if (stat(name, &found) != 0 &&
        (made = open(name, O_WRONLY | O_CREAT, 0600)) >= 0) {
        dprintf(made, "condreq");
        close(made);
    }
    if (row->harm == ABSENT)
        unlink(name);
    else if (row->harm == ZEROS)
        make_zeros(name, found.st_size);
    else if (truncate(name, row->harm == EMPTY ? 0 : found.st_size / 2) != 0)
        printf("# %s cannot be cut\n", name);
}

typedef struct before_t {
    const char *path;
    int nosync;
    const row_t *row;
} before_t;

static int prepare_apart(void *baton)
{
    const before_t *before = baton;
    condreq_store_config_t config = work_config(before->path, before->nosync);
    condreq_trouble_t trouble = {""};
    bdb_places_t places;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    trace_boot("before the cut");
    if (condreq_store_bdb.prepare(&config, &trouble, pool) ||
        bdb_places_find(&places, before->path, &trouble, pool)) {
        printf("# %s\n", trouble.sentence);
        return 1;
    }
    if (!before->row->regions_stay)
        bdb_places_remove_regions(places.regions, pool);
    harm(before->path, before->row);
    return 0;
}

void small_rows(const char *place, int nosync)
{
    fate_t fate = {0};
    char path[512];
    size_t i;

    fate.cut = trace_count();
    fate.log = LOG_WHOLE;
    fate.pages_of_8 = 8;
    fate.names = 2;
    snprintf(path, sizeof path, "%s/small", place);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        before_t before = {path, nosync, &rows[i]};

        disk_make(&fate, path);
        power_row(power_apart(prepare_apart, &before) == 0 &&
                      judge(path, fate.cut, nosync, 1),
                  "%s: nothing is lost", rows[i].sentence);
        power_remove(path);
    }
}
