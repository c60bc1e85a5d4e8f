/* A restore that ended between any two of its steps: whoever prepares the store
 * finishes it, and what was there is kept.
 * Knows the directories and names of condreq_bdb_restore.c. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "store/crew.h"
#include "store/leaks.h"
#include "store/scratch.h"
#include "store/writes.h"
#include "tap.h"

static store_suite_t suite = {&condreq_store_bdb, NULL, 1};
static apr_pool_t *pool;

static const char *in_store(const char *name)
{
    return apr_pstrcat(pool, suite.directory, "/store/", name, NULL);
}

static int exists(const char *name)
{
    return access(in_store(name), F_OK) == 0;
}

static void move(const char *from, const char *to)
{
    if (rename(in_store(from), in_store(to)) != 0)
        printf("# %s to %s: %s\n", from, to, strerror(errno));
}

/* ---- two stores: the one that is there, and the one that is to be ---- */

static int write_marked(void *baton)
{
    const char *const *names = baton;
    condreq_store_t *store = crew_join(&suite, names[0], pool);

    return !store ||
           write_document(store, names[1], "text", 4, pool) != APR_SUCCESS;
}

static void make(const char *name, const char *key)
{
    const char *names[] = {name, key};

    crew_prepare(&suite, name, pool);
    crew_apart(&suite, write_marked, names);
    crew_prepare(&suite, name, pool);
}

static int has(const char *key)
{
    condreq_store_t *store = crew_join(&suite, "store", pool);

    return store && record_of(store, key, pool).state == CONDREQ_LIVE;
}

static int is_new(void *baton)
{
    (void)baton;
    return has("h/new") && !has("h/old");
}

static void make_decided(void)
{
    char line[1024];

    scratch_remove_tree(scratch_regions_of(in_store("."), line, sizeof(line)));
    scratch_remove_tree(in_store("."));
    rmdir(apr_pstrcat(pool, suite.directory, "/store", NULL));
    make("store", "h/old");
    make("new", "h/new");
    mkdir(in_store("restored"), 0700);
    rename(apr_pstrcat(pool, suite.directory, "/new/data", NULL),
           in_store("restored/data"));
    rename(apr_pstrcat(pool, suite.directory, "/new/log", NULL),
           in_store("restored/log"));
}

/* ---- steps ---- */

static void step_none(void)
{
}

static void step_replaced_made(void)
{
    mkdir(in_store("restored/replaced"), 0700);
}

static void step_data_out(void)
{
    step_replaced_made();
    move("data", "restored/replaced/data");
}

static void step_data_in(void)
{
    step_data_out();
    move("restored/data", "data");
}

static void step_log_out(void)
{
    step_data_in();
    move("log", "restored/replaced/log");
}

static void step_log_in(void)
{
    step_log_out();
    move("restored/log", "log");
}

static void step_kept(void)
{
    step_log_in();
    move("restored/replaced", "replaced-1");
}

typedef struct row_t {
    const char *claim;
    void (*reach)(void);
} row_t;

static const row_t rows[] = {
    {"decided", step_none},
    {"a place made for what is there", step_replaced_made},
    {"its trees moved out", step_data_out},
    {"the new trees moved in", step_data_in},
    {"its log moved out", step_log_out},
    {"the new log moved in", step_log_in},
    {"what was there given its name", step_kept},
};

static void test_row(const row_t *row)
{
    make_decided();
    row->reach();
    ok(crew_prepare(&suite, "store", pool), "ended with %s, it is prepared",
       row->claim);
    is_int(crew_apart(&suite, is_new, NULL), 1, "and is the new one");
    ok(exists("replaced-1/data") && exists("replaced-1/log"),
       "what was there is kept, whole");
    ok(!exists("restored"), "and nothing else is left");
}

/* Not decided: what was being made counts as nothing. */
static int is_old(void *baton)
{
    (void)baton;
    return has("h/old");
}

static void test_undecided(void)
{
    make_decided();
    move("restored", "restoring");
    ok(crew_prepare(&suite, "store", pool) &&
           crew_apart(&suite, is_old, NULL) == 1,
       "one that was not decided leaves the store as it is");
}

/* The numbers of what was kept before are taken. */
static void test_kept_before(void)
{
    make_decided();
    mkdir(in_store("replaced-1"), 0700);
    ok(crew_prepare(&suite, "store", pool) && exists("replaced-2/data"),
       "nothing that was kept before is written over");
}

int main(void)
{
    size_t i;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (!(suite.directory = scratch_make()))
        return 1;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        test_row(&rows[i]);
    test_undecided();
    test_kept_before();
    scratch_remove(suite.directory);
    return done_testing();
}
