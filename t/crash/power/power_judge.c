/* The judge: what a store must show after a power cut.
 * Knows the history, the store's interface, and the library's own way to
 * verify a tree; not how the disk came to be as it is. */
#include <db.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apr_strings.h"

#include "power.h"

/* ---- what is there ---- */

/* @return is the body, too, as it was written? */
static int body_holds(condreq_store_t *store, unsigned key,
                      const written_t *written, apr_pool_t *pool)
{
    apr_size_t length = (apr_size_t)written->record.body_length;
    char *bytes = apr_palloc(pool, length + 1);
    char *expected = apr_palloc(pool, length + 1);
    condreq_trouble_t trouble = {""};
    apr_status_t status;

    if (written->record.state != CONDREQ_LIVE)
        return 1;
    work_body(expected, length, written->seed);
    status =
        store->provider->body_read(store, work_key(key, pool), &written->record,
                                   0, bytes, length, &trouble, pool);
    if (status != APR_SUCCESS)
        printf("# %s\n", trouble.sentence);
    return status == APR_SUCCESS && memcmp(bytes, expected, length) == 0;
}

static int records_agree(const condreq_record_t *one,
                         const condreq_record_t *other)
{
    return one->state == other->state && one->version == other->version &&
           one->mtime_us == other->mtime_us && one->date_s == other->date_s &&
           one->body_length == other->body_length &&
           one->sequence_id == other->sequence_id &&
           memcmp(one->sha256, other->sha256, sizeof one->sha256) == 0 &&
           strcmp(one->media_type, other->media_type) == 0;
}

/* A tombstone's body id is the store's own. */
static void check_key(condreq_store_t *store, unsigned key,
                      const condreq_record_t *record, apr_uint64_t cut,
                      apr_pool_t *pool)
{
    const written_t *written = &history->versions[key][record->version];

    if (record->version == 0 && record->state == CONDREQ_ABSENT)
        return;
    if (!records_agree(record, &written->record) ||
        !body_holds(store, key, written, pool))
        power_violation(VIOLATION_HALF,
                        "%s: version %lu is not what was "
                        "written (%d, %lu bytes; %d, %lu bytes)",
                        work_key(key, pool), (unsigned long)record->version,
                        record->state, (unsigned long)record->body_length,
                        written->record.state,
                        (unsigned long)written->record.body_length);
    else if (written->began >= cut && written->began > 0)
        power_violation(VIOLATION_HALF, "%s: version %lu was written later",
                        work_key(key, pool), (unsigned long)record->version);
}

/* The newest of a key for which the client was told by then. */
static apr_uint64_t acknowledged_before(unsigned key, apr_uint64_t event)
{
    apr_uint64_t version, newest = 0;

    for (version = 1; version < VERSIONS_MAX; version++) {
        const written_t *written = &history->versions[key][version];

        if (written->record.state != CONDREQ_ABSENT &&
            written->acknowledged < event)
            newest = version;
    }
    return newest;
}

/* The newest beginning of all that is there. */
static apr_uint64_t latest_beginning(const apr_uint64_t found[KEYS])
{
    apr_uint64_t latest = 0;
    unsigned key;

    for (key = 0; key < KEYS; key++)
        if (found[key] > 0 && history->versions[key][found[key]].began > latest)
            latest = history->versions[key][found[key]].began;
    return latest;
}

static void check_nothing_lost(const apr_uint64_t found[KEYS], apr_uint64_t cut,
                               int nosync, apr_pool_t *pool)
{
    apr_uint64_t latest = latest_beginning(found), acknowledged;
    unsigned key;

    for (key = 0; key < KEYS; key++) {
        if (found[key] < acknowledged_before(key, latest))
            power_violation(VIOLATION_ORDER,
                            "%s: version %lu is there, and "
                            "what was written after version %lu",
                            work_key(key, pool), (unsigned long)found[key],
                            (unsigned long)acknowledged_before(key, latest));
        acknowledged = acknowledged_before(key, cut);
        if (found[key] < acknowledged && nosync)
            atomic_fetch_add(&board->taken, 1);
        else if (found[key] < acknowledged)
            power_violation(VIOLATION_LOST,
                            "%s: version %lu was acknowledged, "
                            "%lu is there",
                            work_key(key, pool), (unsigned long)acknowledged,
                            (unsigned long)found[key]);
    }
    if (found[DOCUMENTS] != found[DOCUMENTS + 1])
        power_violation(VIOLATION_HALF, "of a pair %lu and %lu are there",
                        (unsigned long)found[DOCUMENTS],
                        (unsigned long)found[DOCUMENTS + 1]);
}

void judge_contents(condreq_store_t *store, apr_uint64_t cut, int nosync,
                    apr_uint64_t found[KEYS], apr_pool_t *pool)
{
    condreq_trouble_t trouble;
    condreq_record_t record;
    apr_pool_t *each;
    unsigned key;

    apr_pool_create(&each, pool);
    for (key = 0; key < KEYS; key++) {
        apr_pool_clear(each);
        found[key] = 0;
        if (store->provider->lookup(store, work_key(key, each), &record,
                                    &trouble, each)) {
            power_violation(VIOLATION_HALF, "%s", trouble.sentence);
            continue;
        }
        if (record.version >= VERSIONS_MAX) {
            power_violation(VIOLATION_HALF, "a version out of nowhere");
            continue;
        }
        found[key] = record.version;
        check_key(store, key, &record, cut, each);
    }
    check_nothing_lost(found, cut, nosync, pool);
}

/* ---- tags ---- */

static int same_tag(const condreq_strategy_t *strategy, const char *path,
                    const written_t *one, const written_t *other,
                    apr_pool_t *pool)
{
    condreq_etag_t tag, other_tag;

    condreq_strategy_etag(&tag, strategy, &one->record, path, one->incarnation,
                          pool);
    condreq_strategy_etag(&other_tag, strategy, &other->record, path,
                          other->incarnation, pool);
    return strcmp(tag.opaque_tag, other_tag.opaque_tag) == 0;
}

/* A tag that a client may hold, and the version that there is now. */
static void check_tag(unsigned key, const written_t *held, const written_t *now,
                      apr_pool_t *pool)
{
    static const condreq_strategy_t strategies[] = {
        {CONDREQ_STRATEGY_VERSION, NULL, 0},
        {CONDREQ_STRATEGY_TIMESTAMP, NULL, 0},
    };
    const char *path = strchr(work_key(key, pool), '/');
    unsigned i;

    if (held->record.state != CONDREQ_LIVE ||
        now->record.state != CONDREQ_LIVE ||
        memcmp(held->record.sha256, now->record.sha256,
               sizeof now->record.sha256) == 0)
        return;
    for (i = 0; i < 2; i++)
        if (same_tag(&strategies[i], path, held, now, pool))
            power_violation(VIOLATION_TAG,
                            "%s: the tag of version %lu, which "
                            "was handed out, names another content",
                            path, (unsigned long)held->record.version);
}

static void check_tags(unsigned key, const written_t *now, apr_uint64_t cut,
                       apr_pool_t *pool)
{
    apr_uint64_t version;
    unsigned i;

    for (version = 1; version < VERSIONS_MAX; version++)
        if (history->versions[key][version].acknowledged < cut)
            check_tag(key, &history->versions[key][version], now, pool);
    for (i = 0; i < history->lost_count; i++)
        if (history->lost[i].key == key)
            check_tag(key, &history->lost[i].written, now, pool);
}

/* ---- new writes ---- */

/* As many as it takes to come by every version that was handed out. */
static unsigned writes_to_pass(unsigned key, apr_uint64_t found,
                               apr_uint64_t cut)
{
    apr_uint64_t newest = acknowledged_before(key, cut);
    unsigned i;

    for (i = 0; i < history->lost_count; i++)
        if (history->lost[i].key == key &&
            history->lost[i].written.record.version > newest)
            newest = history->lost[i].written.record.version;
    return newest > found ? (unsigned)(newest - found) + 1 : 1;
}

static void write_anew(condreq_store_t *store, unsigned key,
                       apr_uint64_t *version, apr_uint64_t cut,
                       apr_pool_t *pool)
{
    unsigned writes = writes_to_pass(key, *version, cut), i;
    written_t written;

    for (i = 0; i < writes && i < 40; i++) {
        memset(&written, 0, sizeof written);
        if (!work_write(store, key, 0x7fff0001u + *version * 9, &written,
                        pool) ||
            written.record.version != *version + 1) {
            power_violation(VIOLATION_WRITE,
                            "%s: a write after version %lu "
                            "made %lu",
                            work_key(key, pool), (unsigned long)*version,
                            (unsigned long)written.record.version);
            return;
        }
        *version = written.record.version;
        check_tags(key, &written, cut, pool);
    }
}

/* Whoever draws a number looks whether it is taken; it had better not be. */
static void create_anew(condreq_store_t *store, const apr_uint64_t found[KEYS],
                        apr_pool_t *pool)
{
    written_t written = {0};
    condreq_trouble_t trouble;
    apr_uint64_t number, taken;

    if (store->provider->draw(store, COLLECTION, &number, &trouble, pool)) {
        power_violation(VIOLATION_WRITE, "%s", trouble.sentence);
        return;
    }
    for (taken = number; taken <= CREATED_MAX; taken++)
        if (found[DOCUMENTS + PAIR + taken - 1] > 0)
            power_violation(VIOLATION_NAME,
                            "number %lu was given, and %lu is "
                            "there",
                            (unsigned long)number, (unsigned long)taken);
    if (!work_create(store, 5, &written, pool) || written.record.version != 1)
        power_violation(VIOLATION_WRITE, "nothing can be created");
}

static void write_all_anew(condreq_store_t *store, apr_uint64_t found[KEYS],
                           apr_uint64_t cut, apr_pool_t *pool)
{
    written_t pair[PAIR] = {{0}};
    unsigned key;

    for (key = 0; key < DOCUMENTS; key++)
        write_anew(store, key, &found[key], cut, pool);
    if (!work_write_pair(store, 3, pair, pool) ||
        pair[0].record.version != found[DOCUMENTS] + 1 ||
        pair[1].record.version != found[DOCUMENTS + 1] + 1)
        power_violation(VIOLATION_WRITE, "a pair cannot be written");
    found[DOCUMENTS]++;
    found[DOCUMENTS + 1]++;
    create_anew(store, found, pool);
}

/* ---- trees ---- */

/* In files alone: all that there is stands in them after a prepare. */
static void verify_tree(const char *path, const char *name, apr_pool_t *pool)
{
    const char *file = apr_pstrcat(pool, path, "/data/", name, NULL);
    DB *tree;
    int code;

    if (db_create(&tree, NULL, 0) != 0)
        abort();
    tree->set_errfile(tree, NULL);
    code = tree->verify(tree, file, NULL, NULL, 0);
    if (code != 0)
        power_violation(VIOLATION_TREE, "%s: %s", name, db_strerror(code));
}

/* ---- all of it ---- */

typedef struct case_t {
    const char *path;
    apr_uint64_t cut;
    int nosync;
} case_t;

static condreq_store_t *prepare_and_open(const case_t *judged, apr_pool_t *pool)
{
    condreq_store_config_t *config = apr_palloc(pool, sizeof *config);
    condreq_trouble_t trouble = {""};
    condreq_store_t *store;

    *config = work_config(judged->path, judged->nosync);
    if (condreq_store_bdb.prepare(config, &trouble, pool)) {
        power_violation(VIOLATION_CLOSED, "%s", trouble.sentence);
        return NULL;
    }
    verify_tree(judged->path, "versions.db", pool);
    verify_tree(judged->path, "bodies.db", pool);
    verify_tree(judged->path, "counters.db", pool);
    if (condreq_store_bdb.open(&store, config, &trouble, pool) == APR_SUCCESS)
        return store;
    power_violation(VIOLATION_CLOSED, "%s", trouble.sentence);
    return NULL;
}

static int judge_apart(void *baton)
{
    case_t *judged = baton;
    condreq_store_t *store;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    trace_boot("after the cut");
    if (!(store = prepare_and_open(judged, pool)))
        return 0;
    judge_contents(store, judged->cut, judged->nosync, board->found, pool);
    write_all_anew(store, board->found, judged->cut, pool);
    return 0;
}

/* A killed process loses nothing of what was written after the cut. */
static int judge_again_apart(void *baton)
{
    case_t *judged = baton;
    condreq_trouble_t trouble;
    condreq_record_t record;
    condreq_store_t *store;
    apr_pool_t *pool;
    unsigned key;

    apr_pool_create(&pool, NULL);
    trace_boot("after the cut");
    if (!(store = prepare_and_open(judged, pool)))
        return 0;
    for (key = 0; key < DOCUMENTS; key++)
        if (store->provider->lookup(store, work_key(key, pool), &record,
                                    &trouble, pool) ||
            record.version < board->found[key] || record.version == 0)
            power_violation(VIOLATION_LOST,
                            "%s: what was written after the "
                            "cut is gone",
                            work_key(key, pool));
    write_all_anew(store, board->found, 0, pool);
    return 0;
}

static unsigned violations_now(void)
{
    unsigned sum = 0, i;

    for (i = 0; i < VIOLATIONS; i++)
        sum += atomic_load(&board->violations[i]);
    return sum;
}

int judge(const char *path, apr_uint64_t cut, int nosync, int again)
{
    unsigned before = violations_now();
    case_t judged = {path, cut, nosync};

    if (power_apart(judge_apart, &judged) != 0)
        power_violation(VIOLATION_CLOSED, "the judge died");
    if (again && violations_now() == before &&
        power_apart(judge_again_apart, &judged) != 0)
        power_violation(VIOLATION_CLOSED, "the judge died the second time");
    return violations_now() == before;
}
