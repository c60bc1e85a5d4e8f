/* Torn pages: some of a page's sectors are of one write and some of another.
 * The log holds no whole pages, so nothing can mend one; but it is noticed, and
 * never taken for good.
 * Knows the trace and the trees' pages. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apr_strings.h"

#include "bdb/condreq_bdb.h"
#include "power.h"

typedef struct row_t {
    const char *tree;
    /** the page that leads to all others */
    int is_root;
    /** it is torn after a recovery, which then has no need of it */
    int later;
} row_t;

static const row_t rows[] = {
    {"data/versions.db", 0, 0}, {"data/versions.db", 0, 1},
    {"data/versions.db", 1, 0}, {"data/versions.db", 1, 1},
    {"data/bodies.db", 0, 0},   {"data/bodies.db", 0, 1},
    {"data/bodies.db", 1, 0},   {"data/bodies.db", 1, 1},
    {"data/counters.db", 1, 0}, {"data/counters.db", 1, 1},
};

/** A page that was written twice. */
typedef struct torn_t {
    const row_t *row;
    const char *path;
    apr_uint64_t cut;
    unsigned file;
    apr_uint64_t at;
    char name[64];
    char bytes[PAGE];
} torn_t;

/* A page's write, and the one before it, mixed by a mask of sectors.
 * @return is it whole in no way? */
static int mix(torn_t *torn, const char *old, const char *now, unsigned seed)
{
    unsigned sector;

    for (sector = 0; sector < PAGE / SECTOR; sector++)
        memcpy(torn->bytes + sector * SECTOR,
               (seed >> sector & 1 ? old : now) + sector * SECTOR, SECTOR);
    return memcmp(torn->bytes, old, PAGE) != 0 &&
           memcmp(torn->bytes, now, PAGE) != 0;
}

static int mix_somehow(torn_t *torn, const char *old, const char *now,
                       unsigned seed)
{
    unsigned mask;

    for (mask = 0; mask < 256; mask++)
        if (mix(torn, old, now, seed + mask * 37u))
            return 1;
    return 0;
}

static const event_t *write_before(apr_uint64_t index)
{
    const event_t *event = trace_event(index);
    apr_uint64_t i;

    for (i = index; i-- > 0;)
        if (trace_event(i)->kind == EVENT_WRITE &&
            trace_event(i)->file == event->file &&
            trace_event(i)->at == event->at &&
            trace_event(i)->length == event->length)
            return trace_event(i);
    return NULL;
}

/* Names of trees do not change once they are there. */
static void find_name(torn_t *torn)
{
    apr_uint64_t i;

    torn->name[0] = '\0';
    for (i = 0; i < torn->cut; i++)
        if ((trace_event(i)->kind == EVENT_CREATE ||
             trace_event(i)->kind == EVENT_RENAME) &&
            trace_event(i)->file == torn->file)
            apr_cpystrn(torn->name, trace_bytes(trace_event(i)),
                        sizeof torn->name);
}

/* The first that suits, from there on. @return 0 where there is none */
static int find(torn_t *torn, apr_uint64_t from, unsigned seed)
{
    const event_t *old, *event;
    apr_uint64_t i;

    for (i = from; i < trace_count(); i++) {
        event = trace_event(i);
        if (event->kind != EVENT_WRITE || event->length != PAGE ||
            event->at == 0 || (event->at == PAGE) != torn->row->is_root ||
            !(old = write_before(i)))
            continue;
        torn->file = event->file;
        torn->at = event->at;
        torn->cut = i + 1;
        find_name(torn);
        if (!strcmp(torn->name, torn->row->tree) &&
            mix_somehow(torn, trace_bytes(old), trace_bytes(event), seed))
            return 1;
    }
    return 0;
}

static void tear(const torn_t *torn)
{
    char name[1024];
    int descriptor;

    snprintf(name, sizeof name, "%s/%s", torn->path, torn->name);
    descriptor = open(name, O_WRONLY);
    if (pwrite(descriptor, torn->bytes, PAGE, (off_t)torn->at) != PAGE)
        printf("# %s cannot be torn\n", name);
    close(descriptor);
}

/** How it came to light. */
typedef enum light_t {
    NOT_AT_ALL,
    /** the page had no part in anything, or was made anew by the recovery */
    WHOLE,
    BY_PREPARE,
    BY_READING,
    /** in other words than ours */
    IN_OTHER_WORDS,
    /** other documents are out of reach with it */
    ALL_DARK
} light_t;

static light_t in_words(const condreq_trouble_t *trouble, light_t light)
{
    printf("# %s\n", trouble->sentence);
    return strstr(trouble->sentence, "damaged") ? light : IN_OTHER_WORDS;
}

static apr_status_t read_key(condreq_store_t *store, unsigned key,
                             condreq_trouble_t *trouble, apr_pool_t *pool)
{
    const char *name = work_key(key, pool);
    condreq_record_t record;
    char body[1 << 16];
    apr_status_t status =
        store->provider->lookup(store, name, &record, trouble, pool);

    if (status == APR_SUCCESS && record.state == CONDREQ_LIVE)
        status = store->provider->body_read(store, name, &record, 0, body,
                                            (apr_size_t)record.body_length,
                                            trouble, pool);
    return status;
}

static void keeper_log(void *baton, condreq_keeper_level_t level,
                       const char *sentence)
{
    (void)baton;
    (void)level;
    (void)sentence;
}

static int never(void *baton)
{
    (void)baton;
    return 0;
}

static int keep_apart(void *baton)
{
    static const condreq_keeper_t keeper = {NULL, keeper_log, never, never};
    condreq_trouble_t trouble;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    condreq_store_bdb.keep(baton, &keeper, &trouble, pool);
    return 1;
}

/* As many recoveries as there are keys on the page, and then no more. */
static light_t read_others(condreq_store_t *store, const row_t *row,
                           apr_pool_t *pool)
{
    bdb_control_file_t *file = ((bdb_store_t *)store)->control->file;
    unsigned round, key, read = 0;
    condreq_trouble_t trouble;
    apr_uint64_t recoveries = 0;

    for (round = 0; round < 3; round++) {
        recoveries = atomic_load(&file->recoveries);
        for (read = key = 0; key < KEYS; key++)
            if (read_key(store, key, &trouble, pool) == APR_SUCCESS)
                read++;
            else if (!strstr(trouble.sentence, "damaged"))
                return in_words(&trouble, IN_OTHER_WORDS);
    }
    printf("# %u of %u keys are read\n", read, KEYS);
    return (read > KEYS / 4 || row->is_root) &&
                   atomic_load(&file->recoveries) == recoveries
               ? BY_READING
               : ALL_DARK;
}

/* What can be read at all must be right: that is the judge's. */
static light_t read_all(condreq_store_t *store, const row_t *row,
                        condreq_store_config_t *config, apr_pool_t *pool)
{
    condreq_trouble_t trouble = {""};
    unsigned key;
    light_t light;
    pid_t keeper;

    for (key = 0; key < KEYS; key++)
        if (read_key(store, key, &trouble, pool) != APR_SUCCESS)
            break;
    if (key == KEYS)
        return WHOLE;
    if (in_words(&trouble, BY_READING) != BY_READING)
        return IN_OTHER_WORDS;
    if ((keeper = fork()) == 0)
        _exit(keep_apart(config));
    light = read_others(store, row, pool);
    kill(keeper, SIGKILL);
    waitpid(keeper, NULL, 0);
    return light;
}

static int look_apart(void *baton)
{
    const torn_t *torn = baton;
    condreq_store_config_t config = work_config(torn->path, 0);
    condreq_trouble_t trouble = {""};
    apr_uint64_t found[KEYS];
    condreq_store_t *store;
    apr_pool_t *pool;
    light_t light;

    apr_pool_create(&pool, NULL);
    trace_boot("after the cut");
    if (condreq_store_bdb.prepare(&config, &trouble, pool))
        return (int)in_words(&trouble, BY_PREPARE);
    if (condreq_store_bdb.open(&store, &config, &trouble, pool))
        return (int)in_words(&trouble, BY_READING);
    light = read_all(store, torn->row, &config, pool);
    if (light == WHOLE)
        judge_contents(store, torn->cut, 0, found, pool);
    return (int)light;
}

static int recover_apart(void *baton)
{
    const torn_t *torn = baton;
    condreq_store_config_t config = work_config(torn->path, 0);
    condreq_trouble_t trouble = {""};
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    trace_boot("before the cut");
    return condreq_store_bdb.prepare(&config, &trouble, pool) != APR_SUCCESS;
}

static light_t look(torn_t *torn)
{
    fate_t fate = {0};
    light_t light;

    fate.cut = torn->cut;
    fate.log = LOG_WHOLE;
    fate.pages_of_8 = 8;
    fate.names = 2;
    disk_make(&fate, torn->path);
    if (torn->row->later && power_apart(recover_apart, torn) != 0)
        return NOT_AT_ALL;
    tear(torn);
    light = (light_t)power_apart(look_apart, torn);
    power_remove(torn->path);
    return light;
}

static const char *words_of(light_t light)
{
    switch (light) {
    case WHOLE:
        return "it had no part in anything";
    case BY_PREPARE:
        return "that is said before the store opens";
    case BY_READING:
        return "what it held is out of reach, and nothing else";
    case IN_OTHER_WORDS:
        return "but that is not what is said";
    case ALL_DARK:
        return "it takes others with it";
    default:
        return "nobody notices";
    }
}

void torn_rows(const char *place)
{
    apr_uint64_t third = (trace_count() - trace_found()) / 3;
    char path[512];
    torn_t torn;
    unsigned i;

    snprintf(path, sizeof path, "%s/torn", place);
    torn.path = path;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned before = atomic_load(&board->violations[VIOLATION_HALF]);
        light_t light = NOT_AT_ALL;

        torn.row = &rows[i];
        if (find(&torn, trace_found() + third, 0x35u + i * 37u) ||
            find(&torn, trace_found(), 0x35u + i * 37u))
            light = look(&torn);
        power_row(light >= WHOLE && light <= BY_READING &&
                      atomic_load(&board->violations[VIOLATION_HALF]) == before,
                  "a %s of %s is torn%s: %s", rows[i].is_root ? "root" : "page",
                  rows[i].tree, rows[i].later ? " later" : "", words_of(light));
    }
}
