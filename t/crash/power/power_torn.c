/* Torn pages: some of a page's sectors are of one write and some of another.
 * The log holds no whole pages, so nothing can mend one; but it is noticed, and
 * never taken for good.
 * Knows the trace and the trees' pages. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apr_strings.h"

#include "power.h"

#define ROWS 12u

/** A page that was written twice. */
typedef struct torn_t {
    const char *path;
    apr_uint64_t cut;
    unsigned file;
    apr_uint64_t at;
    char name[64];
    char bytes[PAGE];
} torn_t;

/* A page's write, and the one before it, mixed: whole in no way. */
static int mix(torn_t *torn, const char *old, const char *now, unsigned seed)
{
    unsigned sector;

    for (sector = 0; sector < PAGE / SECTOR; sector++)
        memcpy(torn->bytes + sector * SECTOR,
               (seed >> sector & 1 ? old : now) + sector * SECTOR, SECTOR);
    return memcmp(torn->bytes, old, PAGE) != 0 &&
           memcmp(torn->bytes, now, PAGE) != 0;
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

/* The first from there on. @return 0 where there is none */
static int find(torn_t *torn, apr_uint64_t from, unsigned seed)
{
    const event_t *old, *event;
    apr_uint64_t i;

    for (i = from; i < trace_count(); i++) {
        event = trace_event(i);
        if (event->kind != EVENT_WRITE || event->length != PAGE ||
            !(old = write_before(i)))
            continue;
        torn->file = event->file;
        torn->at = event->at;
        torn->cut = i + 1;
        find_name(torn);
        if (!strncmp(torn->name, "data/", 5) &&
            mix(torn, trace_bytes(old), trace_bytes(event), seed))
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
    IN_OTHER_WORDS
} light_t;

static light_t in_words(const condreq_trouble_t *trouble, light_t light)
{
    printf("# %s\n", trouble->sentence);
    return strstr(trouble->sentence, "damaged") ? light : IN_OTHER_WORDS;
}

/* What can be read at all must be right: that is the judge's. */
static light_t read_all(condreq_store_t *store, apr_pool_t *pool)
{
    condreq_trouble_t trouble = {""};
    condreq_record_t record;
    char body[1 << 16];
    unsigned key;

    for (key = 0; key < KEYS; key++) {
        if (store->provider->lookup(store, work_key(key, pool), &record,
                                    &trouble, pool) ||
            (record.state == CONDREQ_LIVE &&
             store->provider->body_read(store, work_key(key, pool), &record, 0,
                                        body, (apr_size_t)record.body_length,
                                        &trouble, pool)))
            return in_words(&trouble, BY_READING);
    }
    return WHOLE;
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
    config.wait_us = APR_USEC_PER_SEC / 4;
    trace_boot("after the cut");
    if (condreq_store_bdb.prepare(&config, &trouble, pool))
        return in_words(&trouble, BY_PREPARE);
    if (condreq_store_bdb.open(&store, &config, &trouble, pool))
        return in_words(&trouble, BY_READING);
    light = read_all(store, pool);
    if (light == WHOLE)
        judge_contents(store, torn->cut, 0, found, pool);
    return light;
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
    tear(torn);
    light = (light_t)power_apart(look_apart, torn);
    power_remove(torn->path);
    return light;
}

void torn_rows(const char *place)
{
    apr_uint64_t step = (trace_count() - trace_found()) / ROWS;
    char path[512];
    torn_t torn;
    unsigned i;

    snprintf(path, sizeof path, "%s/torn", place);
    torn.path = path;
    for (i = 0; i < ROWS; i++) {
        unsigned before = atomic_load(&board->violations[VIOLATION_HALF]);
        light_t light;

        if (!find(&torn, trace_found() + i * step, 0x35u + i * 37u))
            continue;
        light = look(&torn);
        power_row(light != NOT_AT_ALL && light != IN_OTHER_WORDS &&
               atomic_load(&board->violations[VIOLATION_HALF]) == before,
           "a page of %s is torn: %s", torn.name,
           light == WHOLE ? "it had no part in anything"
                          : "that is noticed, and said");
    }
}
