/* A worker: threads that read and write documents as clients do, and hold
 * each thing that they read against what was acknowledged.
 * Knows the write path and the board; not who is killed. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "apr_strings.h"

#include "condreq_bdb.h"
#include "crash.h"

#define WAIT_US (10 * APR_USEC_PER_SEC)
#define BODY_LONGEST 1500

apr_int64_t crash_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * APR_USEC_PER_SEC + now.tv_nsec / 1000;
}

condreq_store_config_t crash_config(void)
{
    condreq_store_config_t config;

    config.path = options.path;
    config.durability = options.nosync ? CONDREQ_WRITE_NOSYNC : CONDREQ_SYNC;
    config.cache_bytes = 64u << 20;
    config.threads = options.processes * options.threads + 32;
    config.wait_us = WAIT_US;
    return config;
}

condreq_store_t *crash_open(apr_pool_t *pool)
{
    condreq_store_config_t *config = apr_palloc(pool, sizeof *config);
    condreq_trouble_t trouble;
    condreq_store_t *store;

    *config = crash_config();
    if (condreq_store_bdb.open(&store, config, &trouble, pool) == APR_SUCCESS)
        return store;
    if (!options.unprotected)
        crash_violation("opening: %s", trouble.sentence);
    _exit(1);
}

const char *crash_document_key(unsigned document, apr_pool_t *pool)
{
    return apr_psprintf(pool, "localhost/docs/%u", document);
}

operation_t *crash_operation(apr_uint64_t author)
{
    apr_uint64_t thread = author >> 32;

    if (thread >= THREADS_MAX || (author & 0xffffffff) >= OPERATIONS_MAX)
        return NULL;
    return &board->diaries[thread].operations[author & 0xffffffff];
}

/* ---- bodies: who wrote them, and a pattern of which no byte may be wrong */

#define AUTHOR_LENGTH 16

static apr_size_t body_length(apr_uint64_t author)
{
    return AUTHOR_LENGTH + (author * 2654435761u >> 7) % BODY_LONGEST;
}

static char pattern(apr_uint64_t author, apr_size_t at)
{
    return (char)('a' + (author * 31 + at * (author % 7 + 1)) % 26);
}

static char *body_make(apr_uint64_t author, apr_size_t *length,
                       apr_pool_t *pool)
{
    char *bytes = apr_palloc(pool, BODY_LONGEST + AUTHOR_LENGTH + 1);
    apr_size_t i;

    *length = body_length(author);
    apr_snprintf(bytes, AUTHOR_LENGTH + 1, "%016" APR_UINT64_T_HEX_FMT, author);
    for (i = AUTHOR_LENGTH; i < *length; i++)
        bytes[i] = pattern(author, i);
    return bytes;
}

int crash_author(apr_uint64_t *author, const char *bytes, apr_size_t length)
{
    char text[AUTHOR_LENGTH + 1];
    apr_size_t i;

    if (length < AUTHOR_LENGTH)
        return 0;
    apr_cpystrn(text, bytes, sizeof text);
    *author = strtoull(text, NULL, 16);
    for (i = AUTHOR_LENGTH; i < length; i++)
        if (bytes[i] != pattern(*author, i))
            return 0;
    return length == body_length(*author);
}

/* ---- what a read must show ---- */

static void check_author(unsigned document, const condreq_record_t *record,
                         const char *bytes)
{
    unsigned char sha256[CONDREQ_SHA256_SIZE];
    const operation_t *operation = NULL;
    apr_uint64_t author;
    int state;

    SHA256((const unsigned char *)bytes, record->body_length, sha256);
    if (memcmp(sha256, record->sha256, sizeof sha256) != 0 ||
        !crash_author(&author, bytes, record->body_length) ||
        !(operation = crash_operation(author)) ||
        operation->document != document) {
        crash_violation("document %u: version %lu is not whole", document,
                        (unsigned long)record->version);
        return;
    }
    state = atomic_load(&operation->state);
    if (state == REFUSED || state == UNCHANGED)
        crash_violation("document %u: version %lu was refused (%d), and is "
                        "there",
                        document, (unsigned long)record->version, state);
    /* Where nothing was, it may have come and gone in between. */
    if ((operation->kind == REVIVE ? operation->base >= record->version
                                   : operation->base + 1 != record->version) ||
        (state == ACKNOWLEDGED && operation->version != record->version))
        crash_violation("document %u: version %lu holds what was written as "
                        "version %lu upon %lu",
                        document, (unsigned long)record->version,
                        (unsigned long)operation->version,
                        (unsigned long)operation->base);
}

static const condreq_rules_t rules = {
    .strategy = {CONDREQ_STRATEGY_VERSION, NULL, 0},
    .evaluate = CONDREQ_EVALUATE_RFC9110,
    .max_body = 1 << 20,
};

static condreq_resource_t resource_of(condreq_store_t *store, const char *key)
{
    condreq_resource_t resource = {store, &rules, key, strchr(key, '/'), NULL};

    return resource;
}

/* @return was the record read? */
static int read_and_check(condreq_store_t *store, unsigned document,
                          condreq_record_t *record, apr_pool_t *pool)
{
    apr_uint64_t acknowledged = atomic_load(&board->acknowledged[document]);
    const char *key = crash_document_key(document, pool);
    condreq_resource_t resource = resource_of(store, key);
    condreq_trouble_t trouble;
    char *bytes;

    atomic_fetch_add(&board->reads, 1);
    if (condreq_store_bdb.lookup(store, key, record, &trouble, pool))
        return 0;
    if (record->version < acknowledged) {
        crash_violation("document %u: version %lu was acknowledged, %lu is "
                        "there",
                        document, (unsigned long)acknowledged,
                        (unsigned long)record->version);
        printf(
            "#   %.6f, generation %lu\n", (double)crash_now_us() / 1e6,
            (unsigned long)bdb_word_generation(((bdb_store_t *)store)->opened));
        if (!options.unprotected)
            crash_describe(document, record->version);
    }
    if (condreq_document_read(&resource, record, &bytes, &trouble, pool))
        return 0;
    if (record->state == CONDREQ_LIVE)
        check_author(document, record, bytes);
    return 1;
}

void crash_check_document(condreq_store_t *store, unsigned document,
                          apr_pool_t *pool)
{
    condreq_record_t record;

    if (!read_and_check(store, document, &record, pool) && !options.unprotected)
        crash_violation("document %u: cannot be read", document);
}

/* ---- writes ---- */

typedef struct thread_t {
    condreq_store_t *store;
    unsigned number;
    unsigned random;
} thread_t;

static unsigned draw_random(thread_t *thread)
{
    thread->random = thread->random * 1664525u + 1013904223u;
    return thread->random >> 8;
}

/* Entered before the call, so that whoever reads its bytes finds it. */
static operation_t *begin(thread_t *thread, kind_t kind, unsigned document,
                          apr_uint64_t base, apr_uint64_t *author)
{
    diary_t *diary = &board->diaries[thread->number];
    unsigned count = atomic_load(&diary->count);
    operation_t *operation = &diary->operations[count];

    if (count == OPERATIONS_MAX - 1)
        return NULL;
    operation->kind = (unsigned char)kind;
    operation->document = document;
    operation->base = base;
    operation->began_us = crash_now_us();
    atomic_store(&operation->state, BEGUN);
    atomic_store(&diary->count, count + 1);
    *author = (apr_uint64_t)thread->number << 32 | count;
    return operation;
}

static void note_acknowledged(condreq_store_t *store, apr_int64_t now_us)
{
    apr_uint64_t opened = atomic_load(&((bdb_store_t *)store)->opened);
    apr_uint64_t generation = bdb_word_generation(opened);
    apr_int64_t none = 0;

    atomic_compare_exchange_strong(&board->first_acknowledged_us, &none,
                                   now_us);
    none = 0;
    if (generation < GENERATIONS_MAX)
        atomic_compare_exchange_strong(
            &board->first_in_generation_us[generation], &none, now_us);
}

static void raise_acknowledged(unsigned document, apr_uint64_t version)
{
    apr_uint64_t before = atomic_load(&board->acknowledged[document]);

    while (before < version &&
           !atomic_compare_exchange_weak(&board->acknowledged[document],
                                         &before, version))
        ;
}

static state_t state_of(apr_status_t status, const condreq_write_t *write,
                        const condreq_trouble_t *trouble)
{
    if (status == CONDREQ_EUNKNOWN)
        return UNKNOWN;
    if (status == APR_SUCCESS)
        return write->outcome == CONDREQ_PRECONDITION_FAILED ? REFUSED
                                                             : ACKNOWLEDGED;
    if (status != APR_TIMEUP && !options.unprotected &&
        atomic_fetch_add(&board->unexpected, 1) < 20)
        crash_violation("an unexpected status: %s", trouble->sentence);
    return UNCHANGED;
}

static void end(operation_t *operation, condreq_store_t *store,
                apr_status_t status, const condreq_write_t *write,
                const condreq_trouble_t *trouble)
{
    state_t state = state_of(status, write, trouble);
    apr_int64_t now_us = crash_now_us();
    apr_int64_t took_us = now_us - operation->began_us;
    apr_int64_t slowest_us = atomic_load(&board->slowest_us);

    operation->version = write->record.version;
    operation->ended_us = now_us;
    operation->generation = bdb_word_generation(((bdb_store_t *)store)->opened);
    if (state == REFUSED && operation->kind != CREATE &&
        write->record.version == operation->base)
        crash_violation("document %u: refused upon version %lu, which is there",
                        operation->document, (unsigned long)operation->base);
    atomic_store(&operation->state, state);
    if (state == ACKNOWLEDGED && operation->kind != CREATE)
        raise_acknowledged(operation->document, write->record.version);
    if (state == ACKNOWLEDGED)
        note_acknowledged(store, now_us);
    while (
        took_us > slowest_us &&
        !atomic_compare_exchange_weak(&board->slowest_us, &slowest_us, took_us))
        ;
}

static void parse(condreq_preconditions_t *pre, const condreq_record_t *record,
                  apr_pool_t *pool)
{
    condreq_precondition_fields_t fields = {NULL, NULL, NULL, NULL, NULL, NULL};

    if (record && record->state == CONDREQ_LIVE)
        fields.if_match =
            apr_psprintf(pool, "\"%" APR_UINT64_T_FMT "\"", record->version);
    else
        fields.if_none_match = "*";
    if (!record)
        fields.if_none_match = NULL;
    condreq_preconditions_parse(pre, &fields, 0, pool);
}

/* An update of what was read, or a deletion, or a document where none is. */
static void write_upon(thread_t *thread, unsigned document,
                       const condreq_record_t *record, apr_pool_t *pool)
{
    condreq_resource_t resource =
        resource_of(thread->store, crash_document_key(document, pool));
    kind_t kind = record->state != CONDREQ_LIVE   ? REVIVE
                  : draw_random(thread) % 16 == 0 ? DELETE
                                                  : UPDATE;
    condreq_content_t content = {NULL, 0, NULL, "text/plain"};
    condreq_preconditions_t pre;
    condreq_trouble_t trouble;
    condreq_write_t write;
    operation_t *operation;
    apr_uint64_t author;

    operation = begin(thread, kind, document, record->version, &author);
    if (!operation)
        return;
    content.bytes = body_make(author, &content.length, pool);
    parse(&pre, record, pool);
    memset(&write, 0, sizeof write);
    write.resource = &resource;
    write.preconditions = &pre;
    write.content = kind == DELETE ? NULL : &content;
    end(operation, thread->store,
        condreq_document_write(&write, &trouble, pool), &write, &trouble);
}

static void create(thread_t *thread, apr_pool_t *pool)
{
    condreq_resource_t collection =
        resource_of(thread->store, CRASH_COLLECTION);
    condreq_content_t content = {NULL, 0, NULL, "text/plain"};
    condreq_resource_t *created = NULL;
    condreq_preconditions_t pre;
    condreq_trouble_t trouble;
    condreq_write_t write;
    operation_t *operation;
    apr_uint64_t author;
    apr_status_t status;

    if (!(operation = begin(thread, CREATE, 0, 0, &author)))
        return;
    content.bytes = body_make(author, &content.length, pool);
    parse(&pre, NULL, pool);
    memset(&write, 0, sizeof write);
    write.resource = &collection;
    write.preconditions = &pre;
    write.content = &content;
    status = condreq_document_create(&created, &write, CONDREQ_IDS_SEQUENCE,
                                     &trouble, pool);
    if (status == APR_SUCCESS)
        operation->document = (unsigned)atoi(strrchr(created->key, '/') + 1);
    end(operation, thread->store, status, &write, &trouble);
}

static unsigned pick(thread_t *thread)
{
    return draw_random(thread) % 3 == 0
               ? draw_random(thread) % options.hot
               : draw_random(thread) % options.documents;
}

static void *thread_run(void *baton)
{
    thread_t *thread = baton;
    condreq_record_t record;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    while (!atomic_load(&board->stop)) {
        unsigned document = pick(thread);

        apr_pool_clear(pool);
        if (draw_random(thread) % 16 == 0)
            create(thread, pool);
        else if (draw_random(thread) % 32 == 0)
            crash_lock(thread->store, pool);
        else if (read_and_check(thread->store, document, &record, pool))
            write_upon(thread, document, &record, pool);
    }
    return NULL;
}

void crash_work(unsigned process)
{
    pthread_t threads[THREADS_MAX];
    thread_t batons[THREADS_MAX];
    condreq_store_t *store;
    apr_pool_t *pool;
    unsigned i;

    apr_pool_create(&pool, NULL);
    store = crash_open(pool);
    for (i = 0; i < options.threads; i++) {
        batons[i].store = store;
        batons[i].number = process * options.threads + i;
        batons[i].random = (unsigned)crash_now_us() * 7919u + i;
        pthread_create(&threads[i], NULL, thread_run, &batons[i]);
    }
    for (i = 0; i < options.threads; i++)
        pthread_join(threads[i], NULL);
    _exit(0);
}

/* The first versions are acknowledged like all others, by a diary of their
 * own, the last. */
void crash_fill(void)
{
    condreq_record_t nothing;
    thread_t thread = {NULL, THREADS_MAX - 1, 1};
    apr_pool_t *pool, *each;
    unsigned document;

    memset(&nothing, 0, sizeof nothing);
    apr_pool_create(&pool, NULL);
    apr_pool_create(&each, pool);
    thread.store = crash_open(pool);
    for (document = 0; document < options.documents; document++) {
        apr_pool_clear(each);
        write_upon(&thread, document, &nothing, each);
    }
    thread.store->provider->maintain(thread.store, &(condreq_trouble_t){""},
                                     each);
    _exit(0);
}
