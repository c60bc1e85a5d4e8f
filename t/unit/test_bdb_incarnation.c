/* When a Berkeley DB store begins a new incarnation by itself: after a power
 * cut that may have taken commits, and never else.
 * Knows the note that a store keeps of its unsynced commits. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "bdb/condreq_bdb.h"
#include "store/crew.h"
#include "store/leaks.h"
#include "store/scratch.h"
#include "store/writes.h"
#include "tap.h"

static store_suite_t suite = {&condreq_store_bdb, NULL, 1};
static apr_pool_t *pool;

static condreq_store_config_t config_of(const char *name,
                                        condreq_durability_t durability)
{
    condreq_store_config_t config = suite_config(&suite, name, pool);

    config.durability = durability;
    return config;
}

static const char *note_of(const char *name)
{
    return apr_pstrcat(pool, suite.directory, "/", name, "/unsynced", NULL);
}

static int has_note(const char *name)
{
    return access(note_of(name), F_OK) == 0;
}

static void prepare(const condreq_store_config_t *config)
{
    condreq_trouble_t trouble = {""};
    apr_status_t status = condreq_store_bdb.prepare(config, &trouble, pool);

    if (status != APR_SUCCESS)
        printf("# %s\n", trouble.sentence);
}

/* Apart: an open store cannot be prepared. */
static int incarnation_of(void *baton)
{
    const condreq_store_config_t *config = baton;
    condreq_trouble_t trouble = {""};
    condreq_store_t *store;

    return condreq_store_bdb.open(&store, config, &trouble, pool)
               ? 99
               : (int)store->incarnation;
}

static long long prepared_incarnation(condreq_store_config_t config)
{
    prepare(&config);
    return crew_apart(&suite, incarnation_of, &config);
}

/** What the machine has been through since the store was open. */
typedef enum since_t { NOTHING, REBOOT, CUT_NOTE } since_t;

static void happen(const char *name, since_t since)
{
    FILE *note =
        since == NOTHING || !has_note(name) ? NULL : fopen(note_of(name), "w");

    if (!note)
        return;
    if (since == REBOOT)
        fputs("00000000-0000-0000-0000-000000000000\n", note);
    fclose(note);
}

typedef struct row_t {
    const char *claim;
    condreq_durability_t before;
    since_t since;
    condreq_durability_t after;
    long long incarnation;
    int note;
} row_t;

static const row_t rows[] = {
    {"sync, prepared again", CONDREQ_SYNC, NOTHING, CONDREQ_SYNC, 0, 0},
    {"sync, rebooted", CONDREQ_SYNC, REBOOT, CONDREQ_SYNC, 0, 0},
    {"unsynced, prepared again", CONDREQ_WRITE_NOSYNC, NOTHING,
     CONDREQ_WRITE_NOSYNC, 0, 1},
    {"unsynced, rebooted", CONDREQ_WRITE_NOSYNC, REBOOT, CONDREQ_WRITE_NOSYNC,
     1, 1},
    {"unsynced, rebooted, its note cut short", CONDREQ_WRITE_NOSYNC, CUT_NOTE,
     CONDREQ_WRITE_NOSYNC, 1, 1},
    {"unsynced, then sync", CONDREQ_WRITE_NOSYNC, NOTHING, CONDREQ_SYNC, 0, 0},
    {"unsynced, rebooted, then sync", CONDREQ_WRITE_NOSYNC, REBOOT,
     CONDREQ_SYNC, 1, 0},
    {"sync, then unsynced", CONDREQ_SYNC, REBOOT, CONDREQ_WRITE_NOSYNC, 0, 1},
};

static void test_row(const row_t *row, int number)
{
    const char *name = apr_psprintf(pool, "row-%d", number);
    condreq_store_config_t before = config_of(name, row->before);
    condreq_store_config_t after = config_of(name, row->after);

    prepared_incarnation(before);
    is_int(has_note(name), row->before == CONDREQ_WRITE_NOSYNC,
           "a note where commits are not synced, and else none");
    happen(name, row->since);
    is_int(prepared_incarnation(after), row->incarnation, row->claim);
    is_int(has_note(name), row->note, "and the note is as it now has to be");
    is_int(prepared_incarnation(after), row->incarnation,
           "prepared once more nothing begins");
}

static void test_every_cut_counts(void)
{
    condreq_store_config_t config = config_of("cuts", CONDREQ_WRITE_NOSYNC);
    int cut;

    prepare(&config);
    for (cut = 0; cut < 3; cut++) {
        happen("cuts", REBOOT);
        prepare(&config);
    }
    is_int(crew_apart(&suite, incarnation_of, &config), 3,
           "three power cuts are three incarnations");
}

/* ---- a keeper that ends ---- */

static int says_end(void *baton)
{
    int *rounds = baton;

    return --*rounds < 0;
}

static void say_nothing(void *baton, condreq_keeper_level_t level,
                        const char *sentence)
{
    (void)baton;
    (void)level;
    (void)sentence;
}

static int has_a_server(void *baton)
{
    (void)baton;
    return 0;
}

static int keep_a_while(void *baton)
{
    int rounds = 8;
    condreq_keeper_t keeper = {&rounds, say_nothing, says_end, has_a_server};
    condreq_trouble_t trouble = {""};

    return condreq_store_bdb.keep(baton, &keeper, &trouble, pool);
}

static void test_last_one_out(void)
{
    condreq_store_config_t config = config_of("kept", CONDREQ_WRITE_NOSYNC);
    condreq_trouble_t trouble = {""};
    condreq_store_t *store;

    prepare(&config);
    is_int(crew_apart(&suite, keep_a_while, &config), 0, "a keeper ends");
    ok(!has_note("kept"), "with nobody left in the store it takes the note");
    if (condreq_store_bdb.open(&store, &config, &trouble, pool))
        printf("# %s\n", trouble.sentence);
    ok(has_note("kept"), "whoever opens the store then writes another");
    crew_apart(&suite, keep_a_while, &config);
    ok(has_note("kept"), "which stays while somebody has it open");
}

static int begin_at(void *baton)
{
    condreq_store_t *store = crew_join(&suite, "floor", pool);

    return store ? bdb_incarnation_begin((bdb_store_t *)store,
                                         *(apr_uint64_t *)baton)
                 : 1;
}

static void test_floor(void)
{
    condreq_store_config_t config = config_of("floor", CONDREQ_SYNC);
    apr_uint64_t floors[] = {0, 7, 3};
    int expected[] = {1, 7, 8}, i;

    prepare(&config);
    for (i = 0; i < 3; i++) {
        crew_apart(&suite, begin_at, &floors[i]);
        is_int(crew_apart(&suite, incarnation_of, &config), expected[i],
               "an incarnation is one more, or as high as it was asked for");
    }
}

int main(void)
{
    size_t i;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (!(suite.directory = scratch_make()))
        return 1;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        test_row(&rows[i], (int)i);
    test_every_cut_counts();
    test_floor();
    test_last_one_out();
    scratch_remove(suite.directory);
    return done_testing();
}
