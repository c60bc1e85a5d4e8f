/* Where a Berkeley DB store puts what, and what it leaves alone.
 * Knows the layout of condreq_bdb_places.c; no document. */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "store/crew.h"
#include "store/leaks.h"
#include "store/scratch.h"
#include "tap.h"

static store_suite_t suite = {&condreq_store_bdb, NULL, 1};

static const char *store_path(const char *name, apr_pool_t *pool)
{
    return apr_pstrcat(pool, suite.directory, "/", name, NULL);
}

static const char *regions_of(const char *name, apr_pool_t *pool)
{
    char line[1024];

    return apr_pstrdup(
        pool, scratch_regions_of(store_path(name, pool), line, sizeof(line)));
}

static int exists(const char *path)
{
    struct stat found;

    return lstat(path, &found) == 0;
}

/* nftw has no baton. */
static int open_to_others;

static int look_at_mode(const char *path, const struct stat *found, int kind,
                        struct FTW *at)
{
    mode_t expected = S_ISDIR(found->st_mode) ? 0700 : 0600;

    (void)kind;
    (void)at;
    if ((found->st_mode & 07777) != expected) {
        open_to_others++;
        printf("# %s is %o\n", path, (unsigned)(found->st_mode & 07777));
    }
    return 0;
}

static void test_modes(apr_pool_t *pool)
{
    ok(crew_prepare(&suite, "modes", pool), "a store is prepared");
    nftw(store_path("modes", pool), look_at_mode, 16, FTW_PHYS);
    nftw(regions_of("modes", pool), look_at_mode, 16, FTW_PHYS);
    is_int(open_to_others, 0, "nobody else can enter or read any of it");
}

static void test_generations(apr_pool_t *pool)
{
    const char *first, *second;

    crew_prepare(&suite, "generations", pool);
    first = regions_of("generations", pool);
    ok(exists(first), "a prepared store has regions: %s", first);
    crew_prepare(&suite, "generations", pool);
    second = regions_of("generations", pool);
    ok(strcmp(first, second) && exists(second),
       "prepared again, it has others");
    ok(!exists(first), "and those of before are removed");
}

/* The name that the next prepare is going to use. */
static const char *next_regions(const char *regions, apr_pool_t *pool)
{
    char *next = apr_pstrdup(pool, regions);

    next[strlen(next) - 1]++;
    return next;
}

static void test_left_behind(apr_pool_t *pool)
{
    const char *next, *file;
    FILE *left;

    crew_prepare(&suite, "left", pool);
    next = next_regions(regions_of("left", pool), pool);
    file = apr_pstrcat(pool, next, "/__db.001", NULL);
    if (mkdir(next, 0700) || !(left = fopen(file, "w")))
        return;
    fputs("what a prepare left that was killed", left);
    fclose(left);
    ok(crew_prepare(&suite, "left", pool) &&
           !strcmp(regions_of("left", pool), next),
       "regions that were never published are made anew");
    ok(crew_join(&suite, "left", pool) != NULL, "and the store opens");
}

static void test_not_ours(apr_pool_t *pool)
{
    const char *next, *elsewhere = store_path("elsewhere", pool);

    crew_prepare(&suite, "foreign", pool);
    next = next_regions(regions_of("foreign", pool), pool);
    mkdir(elsewhere, 0700);
    if (symlink(elsewhere, next))
        return;
    ok(crew_prepare(&suite, "foreign", pool) &&
           (strncmp(next, "/dev/shm", 8) != 0 ||
            !strncmp(regions_of("foreign", pool), suite.directory,
                     strlen(suite.directory))),
       "where their name is taken by a link, the regions go to the disk");
    ok(exists(next) && rmdir(elsewhere) == 0,
       "the link is still there, and nothing behind it");
    unlink(next);
}

static void test_copies(apr_pool_t *pool)
{
    condreq_store_config_t config = suite_config(&suite, "copy", pool);
    condreq_trouble_t trouble = {""};
    condreq_store_t *store;
    const char *command;

    crew_prepare(&suite, "original", pool);
    command = apr_psprintf(pool, "cp -r %s %s", store_path("original", pool),
                           store_path("copy", pool));
    is_int(system(command), 0, "a store's directory is copied");
    is_int(suite.provider->open(&store, &config, &trouble, pool), APR_ENOENT,
           "the copy does not open on the original's regions");
    ok(crew_prepare(&suite, "copy", pool), "it can be prepared");
    ok(exists(regions_of("original", pool)) &&
           strcmp(regions_of("original", pool), regions_of("copy", pool)),
       "and the original keeps its own");
}

static void test_cut_short(apr_pool_t *pool)
{
    condreq_store_config_t config = suite_config(&suite, "cut", pool);
    condreq_trouble_t trouble = {""};
    condreq_store_t *store;

    crew_prepare(&suite, "cut", pool);
    scratch_remove_tree(regions_of("cut", pool));
    if (truncate(apr_pstrcat(pool, config.path, "/generation", NULL), 12))
        return;
    is_int(suite.provider->open(&store, &config, &trouble, pool),
           CONDREQ_EFORMAT, "a generation that is cut short is refused");
    ok(strstr(trouble.sentence, "generation") != NULL, "with its name: %s",
       trouble.sentence);
}

static void test_relative(apr_pool_t *pool)
{
    condreq_store_config_t config = suite_config(&suite, "relative", pool);
    condreq_trouble_t trouble = {""};

    config.path = "relative";
    ok(suite.provider->prepare(&config, &trouble, pool) != APR_SUCCESS &&
           !exists("relative"),
       "a relative path is refused: %s", trouble.sentence);
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (!(suite.directory = scratch_make()))
        return 1;
    test_modes(pool);
    test_generations(pool);
    test_left_behind(pool);
    test_not_ours(pool);
    test_copies(pool);
    test_cut_short(pool);
    test_relative(pool);
    scratch_remove(suite.directory);
    return done_testing();
}
