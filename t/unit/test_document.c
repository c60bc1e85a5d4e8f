/* The write path over the store in memory: what each write of a story comes
 * to. A story is a resource's life from its first row to its last. */
#include "tap.h"

#include <pthread.h>

#include "apr_general.h"
#include "apr_strings.h"
#include "condreq_document.h"

static apr_pool_t *pool;
static condreq_store_t *store;

enum { PUT, MERGE, MERGE_PATCH, JSON_PATCH, POST, DELETE };

typedef struct row_t {
    const char *sentence;
    int method;
    condreq_put_only_t only;
    const char *if_match;
    const char *if_none_match;
    const char *body;
    condreq_outcome_t outcome;
    /* of the record afterwards, as written or as it stands */
    apr_uint64_t version;
    /* NULL where nothing was stored; members' times are not looked at */
    const char *stored;
} row_t;

#define ANY CONDREQ_PUT_ANY
#define CREATE CONDREQ_PUT_CREATE
#define UPDATE CONDREQ_PUT_UPDATE
#define FAILED CONDREQ_PRECONDITION_FAILED

static const row_t plain[] = {
    {"nothing is there to delete", DELETE, UPDATE, NULL, NULL, NULL,
     CONDREQ_MISSING, 0, NULL},
    {"an update of nothing is missing, whatever it asks", PUT, UPDATE, "\"1\"",
     NULL, "1", CONDREQ_MISSING, 0, NULL},
    {"If-Match: * fails where nothing is", PUT, ANY, "*", NULL, "1", FAILED, 0,
     NULL},
    {"If-None-Match: * creates", PUT, ANY, NULL, "*", "{\"n\":1}",
     CONDREQ_CREATED, 1, "{\"n\":1}"},
    {"and not twice", PUT, ANY, NULL, "*", "{\"n\":2}", FAILED, 1, NULL},
    {"create-only is refused where something is", PUT, CREATE, NULL, NULL, "2",
     FAILED, 1, NULL},
    {"the tag lets one write", PUT, ANY, "\"1\"", NULL, "[1.10]",
     CONDREQ_REPLACED, 2, "[1.10]"},
    {"and no second one", PUT, ANY, "\"1\"", NULL, "3", FAILED, 2, NULL},
    {"a stale delete is refused", DELETE, UPDATE, "\"1\"", NULL, NULL, FAILED,
     2, NULL},
    {"delete leaves a version behind", DELETE, UPDATE, "\"2\"", NULL, NULL,
     CONDREQ_DELETED, 3, NULL},
    {"what was deleted is missing", DELETE, UPDATE, NULL, NULL, NULL,
     CONDREQ_MISSING, 3, NULL},
    {"a tag from before the delete matches nothing", PUT, ANY, "\"2\"", NULL,
     "1", FAILED, 3, NULL},
    {"a recreated document goes on from there", PUT, CREATE, NULL, NULL, "4",
     CONDREQ_CREATED, 4, "4"},
};

static const row_t merged[] = {
    {"a merge where nothing is stores the patch without its nulls", MERGE, ANY,
     NULL, NULL, "{\"a\":1,\"b\":null}", CONDREQ_CREATED, 1, "{\"a\":1}"},
    {"what is not named stays as it was", MERGE, ANY, "\"1\"", NULL,
     "{\"b\":1.10}", CONDREQ_REPLACED, 2, "{\"a\":1,\"b\":1.10}"},
    {"null removes", MERGE, ANY, NULL, NULL, "{\"a\":null}", CONDREQ_REPLACED,
     3, "{\"b\":1.10}"},
    {"over the limit it is refused and nothing is changed", MERGE, ANY, NULL,
     NULL, "{\"long\":\"0123456789012345678901234567890123456789\"}",
     CONDREQ_TOO_LARGE, 3, NULL},
    {"as the next merge shows", MERGE, ANY, "\"3\"", NULL, "{\"c\":2}",
     CONDREQ_REPLACED, 4, "{\"b\":1.10,\"c\":2}"},
};

#define REFUSED CONDREQ_PATCH_REFUSED

static const row_t patched[] = {
    {"a patch of nothing is missing", JSON_PATCH, UPDATE, NULL, NULL, "[]",
     CONDREQ_MISSING, 0, NULL},
    {"a merge patch may create", MERGE_PATCH, ANY, NULL, "*",
     "{\"a\":1.10,\"b\":null}", CONDREQ_CREATED, 1, "{\"a\":1.10}"},
    {"a stale one is refused, whatever it does", JSON_PATCH, UPDATE, "\"0\"",
     NULL, "[{\"op\":\"spin\"}]", FAILED, 1, NULL},
    {"operations are carried out", JSON_PATCH, UPDATE, "\"1\"", NULL,
     "[{\"op\":\"add\",\"path\":\"/c\",\"value\":[2]}]", CONDREQ_REPLACED, 2,
     "{\"a\":1.10,\"c\":[2]}"},
    {"or none of them", JSON_PATCH, UPDATE, NULL, NULL,
     "[{\"op\":\"remove\",\"path\":\"/a\"},"
     "{\"op\":\"test\",\"path\":\"/a\",\"value\":1}]",
     REFUSED, 2, NULL},
    {"what changes nothing makes no version", JSON_PATCH, UPDATE, "\"2\"", NULL,
     "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1.1}]", CONDREQ_UNCHANGED, 2,
     "{\"a\":1.10,\"c\":[2]}"},
    {"nor does a merge", MERGE_PATCH, UPDATE, "\"2\"", NULL,
     "{\"c\":[2],\"x\":null}", CONDREQ_UNCHANGED, 2, "{\"a\":1.10,\"c\":[2]}"},
    {"but upon another version it is refused", MERGE_PATCH, UPDATE, "\"1\"",
     NULL, "{\"c\":[2]}", FAILED, 2, NULL},
    {"a PUT that merges makes one all the same", MERGE, ANY, NULL, NULL, "{}",
     CONDREQ_REPLACED, 3, "{\"a\":1.10,\"c\":[2]}"},
    {"over the limit it is refused", JSON_PATCH, UPDATE, NULL, NULL,
     "[{\"op\":\"copy\",\"from\":\"\",\"path\":\"/c/-\"},"
     "{\"op\":\"copy\",\"from\":\"\",\"path\":\"/c/-\"}]",
     REFUSED, 3, NULL},
    {"no object is needed here", MERGE_PATCH, UPDATE, "\"3\"", NULL, "[3]",
     CONDREQ_REPLACED, 4, "[3]"},
    {"and an object comes of any", MERGE_PATCH, UPDATE, "\"4\"", NULL,
     "{\"d\":{\"e\":null}}", CONDREQ_REPLACED, 5, "{\"d\":{}}"},
    {"a patch leaves the tombstone's number", DELETE, UPDATE, "\"5\"", NULL,
     NULL, CONDREQ_DELETED, 6, NULL},
    {"and what was deleted is missing", JSON_PATCH, UPDATE, NULL, NULL, "[]",
     CONDREQ_MISSING, 6, NULL},
};

static condreq_rules_t rules_for(int with_members)
{
    condreq_rules_t rules;

    memset(&rules, 0, sizeof rules);
    rules.strategy.kind = CONDREQ_STRATEGY_VERSION;
    rules.last_modified = 1;
    rules.max_body = 48;
    rules.json.max_depth = 8;
    rules.json.max_values = 100;
    if (with_members) {
        rules.max_body = 1000;
        rules.members.id = "id";
        rules.members.version = "version";
    }
    return rules;
}

static condreq_resource_t resource_for(const condreq_rules_t *rules,
                                       const char *path)
{
    condreq_resource_t resource = {store, rules, NULL, NULL, NULL};

    resource.key = apr_pstrcat(pool, "site", path, NULL);
    resource.path = resource.key + 4;
    return resource;
}

/* What run() gives each write. */
static const char *media_type = "application/json";
static condreq_validate_t *validate;
static void *validate_baton;

static void content_for(condreq_content_t *content, const char *body)
{
    static const condreq_json_limits_t limits = {8, 100};
    condreq_json_fault_t fault;
    condreq_json_t *json = NULL;

    condreq_json_parse(&json, body, strlen(body), &limits, &fault, pool);
    content->bytes = body;
    content->length = strlen(body);
    content->json = json;
    content->media_type = media_type;
}

static condreq_content_kind_t kind_of(int method)
{
    return method == JSON_PATCH ? CONDREQ_CONTENT_JSON_PATCH
           : method == MERGE || method == MERGE_PATCH
               ? CONDREQ_CONTENT_MERGE_PATCH
               : CONDREQ_CONTENT_DOCUMENT;
}

/* Runs one row against a resource; returns what was created by POST. */
static condreq_resource_t *run(condreq_write_t *write,
                               const condreq_resource_t *resource,
                               const row_t *row, condreq_ids_t ids)
{
    condreq_precondition_fields_t fields = {
        row->if_match, row->if_none_match, NULL, NULL, NULL, NULL};
    condreq_preconditions_t *pre = apr_palloc(pool, sizeof *pre);
    condreq_content_t *content = apr_palloc(pool, sizeof *content);
    condreq_resource_t *created = NULL;
    condreq_trouble_t trouble = {""};
    apr_status_t status;

    condreq_preconditions_parse(pre, &fields, 0, pool);
    memset(write, 0, sizeof *write);
    if (row->body)
        content_for(content, row->body);
    write->resource = resource;
    write->preconditions = pre;
    write->content = row->body ? content : NULL;
    write->only = row->only;
    write->validate = validate;
    write->validate_baton = validate_baton;
    write->kind = kind_of(row->method);
    write->patches = row->method == MERGE_PATCH || row->method == JSON_PATCH;
    if (row->method == POST)
        status = condreq_document_create(&created, write, ids, &trouble, pool);
    else
        status = condreq_document_write(write, &trouble, pool);
    if (status != APR_SUCCESS)
        ok(0, "%s: the store says %s", row->sentence, trouble.sentence);
    return created;
}

static void run_typed(condreq_write_t *write,
                      const condreq_resource_t *resource, const row_t *row,
                      const char *type)
{
    media_type = type;
    run(write, resource, row, CONDREQ_IDS_SEQUENCE);
    media_type = "application/json";
}

static void check_stored(const condreq_write_t *write,
                         const condreq_resource_t *resource,
                         const char *expected)
{
    condreq_trouble_t trouble = {""};
    condreq_record_t record = write->record;
    char *bytes;

    is_text(apr_pstrmemdup(pool, write->stored, write->stored_length), expected,
            "  its bytes");
    condreq_document_read(resource, &record, &bytes, &trouble, pool);
    is_text(bytes ? apr_pstrmemdup(pool, bytes, (apr_size_t)record.body_length)
                  : NULL,
            expected, "  and as they are read again");
}

static void story(const char *path, const row_t *rows, size_t count)
{
    condreq_rules_t rules = rules_for(0);
    condreq_resource_t resource = resource_for(&rules, path);
    condreq_write_t write;
    size_t i;

    for (i = 0; i < count; i++) {
        run(&write, &resource, &rows[i], CONDREQ_IDS_SEQUENCE);
        is_int(write.outcome, rows[i].outcome, rows[i].sentence);
        is_int((long long)write.record.version, (long long)rows[i].version,
               "  its version");
        if (rows[i].stored)
            check_stored(&write, &resource, rows[i].stored);
    }
}

static void creates(const char *sentence, const char *path, condreq_ids_t ids,
                    const row_t *row, const char *expected_path,
                    const char *expected)
{
    condreq_rules_t rules = rules_for(1);
    condreq_resource_t collection = resource_for(&rules, path);
    condreq_write_t write;
    condreq_resource_t *created = run(&write, &collection, row, ids);

    is_int(write.outcome, row->outcome, sentence);
    if (expected_path)
        is_text(created->path, expected_path, "  its path");
    if (expected)
        check_stored(&write, created, expected);
}

static void collections(void)
{
    static const row_t post = {
        "", POST, ANY, NULL, NULL, "{\"a\":null}", CONDREQ_CREATED, 1, NULL};
    static const row_t only_if_empty = {"",   POST,   ANY, NULL, "*",
                                        "{}", FAILED, 0,   NULL};
    static const row_t only_if_there = {"",   POST,   ANY, "*", NULL,
                                        "{}", FAILED, 0,   NULL};
    static const row_t put = {"", PUT, ANY, NULL, NULL, "{}", CONDREQ_CREATED,
                              1,  NULL};
    condreq_rules_t rules = rules_for(1);
    condreq_resource_t second = resource_for(&rules, "/posts/3");
    condreq_write_t write;

    creates("If-Match: * asks for a collection with members", "/empty/",
            CONDREQ_IDS_SEQUENCE, &only_if_there, NULL, NULL);
    creates("the first id is 1, and a number in the document", "/posts/",
            CONDREQ_IDS_SEQUENCE, &post, "/posts/1",
            "{\"id\": 1, \"a\":null, \"version\": 1}");
    creates("If-None-Match: * asks for one without, and a refused POST may "
            "leave a gap",
            "/posts/", CONDREQ_IDS_SEQUENCE, &only_if_empty, NULL, NULL);
    run(&write, &second, &put, CONDREQ_IDS_SEQUENCE);
    check_stored(&write, &second, "{\"id\": \"3\", \"version\": 1}");
    creates("a name that a PUT took is stepped over", "/posts/",
            CONDREQ_IDS_SEQUENCE, &post, "/posts/4",
            "{\"id\": 4, \"a\":null, \"version\": 1}");
    creates("each collection counts for itself", "/posts/4/notes/",
            CONDREQ_IDS_SEQUENCE, &post, "/posts/4/notes/1", NULL);
    creates("a UUID is a name", "/uuids/", CONDREQ_IDS_UUID, &post, NULL, NULL);
}

/* ---- media types ---- */

static void media_types(void)
{
    condreq_rules_t rules = rules_for(0);
    condreq_resource_t resource = resource_for(&rules, "/typed");
    row_t row = {"", PUT, ANY, NULL, NULL, "{}", CONDREQ_CREATED, 1, NULL};
    condreq_write_t write;

    run_typed(&write, &resource, &row, "application/hal+json; a=b");
    row.method = MERGE_PATCH;
    row.body = "{\"a\":1}";
    run_typed(&write, &resource, &row, "application/merge-patch+json");
    is_text(write.record.media_type, "application/hal+json; a=b",
            "a patch leaves a document its media type");
    row.method = PUT;
    run_typed(&write, &resource, &row, "text/plain");
    row.method = MERGE_PATCH;
    row.if_match = "\"0\"";
    run_typed(&write, &resource, &row, "application/merge-patch+json");
    is_int(write.outcome, CONDREQ_NOT_JSON,
           "a text is not patched, and that comes before the precondition");
    is_int((long long)write.record.version, 3, "  and stays");
}

/* ---- with the server's members ---- */

static void members(void)
{
    static const struct {
        const char *sentence;
        int method;
        const char *body;
        condreq_outcome_t outcome;
        const char *stored;
    } rows[] = {
        {"a merge patch does not touch them", MERGE_PATCH,
         "{\"\\u0069d\":null,\"version\":9,\"a\":2}", CONDREQ_REPLACED,
         "{\"id\": \"with\", \"a\":2, \"version\": 2}"},
        {"so one of them alone is nothing", MERGE_PATCH, "{\"version\":9}",
         CONDREQ_UNCHANGED, "{\"id\": \"with\", \"a\":2, \"version\": 2}"},
        {"operations may read them", JSON_PATCH,
         "[{\"op\":\"copy\",\"from\":\"/version\",\"path\":\"/a\"},"
         "{\"op\":\"test\",\"path\":\"/a\",\"value\":2}]",
         CONDREQ_UNCHANGED, "{\"id\": \"with\", \"a\":2, \"version\": 2}"},
        {"and write none", JSON_PATCH,
         "[{\"op\":\"add\",\"path\":\"/\\u0069d\",\"value\":1}]", REFUSED,
         NULL},
        {"nor move one", JSON_PATCH,
         "[{\"op\":\"move\",\"from\":\"/id\",\"path\":\"/a\"}]", REFUSED, NULL},
        {"after a replaced root they are set again", JSON_PATCH,
         "[{\"op\":\"add\",\"path\":\"\",\"value\":{\"version\":7}}]",
         CONDREQ_REPLACED, "{\"id\": \"with\", \"version\":3}"},
        {"which must be an object", JSON_PATCH,
         "[{\"op\":\"add\",\"path\":\"\",\"value\":[]}]", REFUSED, NULL},
    };
    condreq_rules_t rules = rules_for(1);
    condreq_resource_t resource = resource_for(&rules, "/with");
    row_t row = {"", PUT, ANY, NULL, NULL, "{\"a\":1}", CONDREQ_CREATED,
                 1,  NULL};
    condreq_write_t write;
    size_t i;

    run(&write, &resource, &row, CONDREQ_IDS_SEQUENCE);
    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        row.method = rows[i].method;
        row.body = rows[i].body;
        run(&write, &resource, &row, CONDREQ_IDS_SEQUENCE);
        is_int(write.outcome, rows[i].outcome, rows[i].sentence);
        if (rows[i].stored)
            check_stored(&write, &resource, rows[i].stored);
    }
}

/* ---- a validator, and others who write meanwhile ---- */

typedef struct judge_t {
    const condreq_resource_t *resource;
    /** how often somebody else writes while it judges */
    int disturbances;
    const char *objects_to;
    int asked;
    const char *last;
    apr_uint64_t last_version;
    int last_creates;
} judge_t;

static int judge_it(void *baton, const condreq_candidate_t *candidate,
                    apr_pool_t *attempt)
{
    static const row_t other = {
        "", PUT, ANY, NULL, NULL, "{\"other\":1}", CONDREQ_REPLACED, 0, NULL};
    judge_t *judge = baton;
    condreq_write_t write;

    judge->asked++;
    judge->last = apr_pstrmemdup(pool, candidate->bytes, candidate->length);
    judge->last_version = candidate->version;
    judge->last_creates = candidate->creates;
    /* the other one is not judged */
    validate = NULL;
    if (judge->asked <= judge->disturbances)
        run(&write, judge->resource, &other, CONDREQ_IDS_SEQUENCE);
    return !judge->objects_to ||
           !strstr(apr_pstrmemdup(attempt, candidate->bytes, candidate->length),
                   judge->objects_to);
}

static void judged(condreq_write_t *write, judge_t *judge, int method,
                   const char *body)
{
    row_t row = {"", method, ANY, NULL, NULL, body, CONDREQ_REPLACED, 0, NULL};

    validate = judge_it;
    validate_baton = judge;
    judge->asked = 0;
    run(write, judge->resource, &row, CONDREQ_IDS_SEQUENCE);
    validate = NULL;
}

static void validators(void)
{
    condreq_rules_t rules = rules_for(1);
    condreq_resource_t resource = resource_for(&rules, "/judged");
    judge_t judge = {&resource, 0, "bad", 0, NULL, 0, 0};
    condreq_write_t write;

    judged(&write, &judge, PUT, "{\"a\":\"bad\"}");
    is_int(write.outcome, CONDREQ_INVALID, "what is objected to is not stored");
    is_int(write.record.state, CONDREQ_ABSENT, "  at all");
    is_int(judge.last_creates, 1, "  and would have been a creation");
    judged(&write, &judge, PUT, "{\"a\":1}");
    is_int(write.outcome, CONDREQ_CREATED, "what is not is stored");
    is_text(judge.last, "{\"id\": \"judged\", \"a\":1, \"version\": 1}",
            "  as it was judged, the server's members set");
    check_stored(&write, &resource, judge.last);
    judged(&write, &judge, MERGE_PATCH, "{\"b\":\"bad\"}");
    is_int(write.outcome, CONDREQ_INVALID, "what a patch makes is judged");
    is_int((long long)judge.last_version, 2, "  as the next version");
    judged(&write, &judge, MERGE_PATCH, "{}");
    is_int(write.outcome, CONDREQ_UNCHANGED, "nothing is not");
    is_int(judge.asked, 0, "  even asked about");

    judge.disturbances = 2;
    judged(&write, &judge, MERGE_PATCH, "{\"b\":2}");
    is_int(write.outcome, CONDREQ_REPLACED, "two who write meanwhile");
    is_int(judge.asked, 3, "  are a third time to be judged");
    is_text(judge.last,
            "{\"id\": \"judged\", \"other\":1, \"version\": 4,\"b\":2}",
            "  upon what they wrote");
    check_stored(&write, &resource, judge.last);
    judge.disturbances = 1000;
    judged(&write, &judge, PUT, "{\"c\":3}");
    is_int(write.outcome, CONDREQ_CONTENDED, "who is never in time is told so");
    ok(judge.asked > 3 && judge.asked < 100, "  after some rounds");
}

/* The same bytes are judged again where what they would be is another thing. */
static void creation_overtaken(void)
{
    condreq_rules_t rules = rules_for(0);
    condreq_resource_t resource = resource_for(&rules, "/overtaken");
    judge_t judge = {&resource, 1, NULL, 0, NULL, 0, 0};
    condreq_write_t write;

    judged(&write, &judge, PUT, "{\"a\":1}");
    is_int(write.outcome, CONDREQ_REPLACED, "a creation that is overtaken");
    is_int(judge.asked, 2, "  is judged again");
    is_int(judge.last_creates, 0, "  as a replacement");
    is_int((long long)judge.last_version, 2, "  by the number that it gets");
}

/* ---- many at once ---- */

#define THREADS 4
#define PATCHES 200

static void *patch_again_and_again(void *baton)
{
    const condreq_resource_t *resource = baton;
    apr_pool_t *own;
    int i;

    apr_pool_create_unmanaged_ex(&own, NULL, NULL);
    for (i = 0; i < PATCHES; i++) {
        static const char add[] =
            "[{\"op\":\"add\",\"path\":\"/list/-\",\"value\":0}]";
        static const condreq_json_limits_t limits = {8, 100};
        condreq_preconditions_t pre;
        condreq_trouble_t trouble = {""};
        condreq_content_t content = {add, sizeof add - 1, NULL,
                                     "application/json-patch+json"};
        condreq_json_fault_t fault;
        condreq_json_t *json;
        condreq_write_t write;

        memset(&pre, 0, sizeof pre);
        memset(&write, 0, sizeof write);
        condreq_json_parse(&json, add, sizeof add - 1, &limits, &fault, own);
        content.json = json;
        write.resource = resource;
        write.preconditions = &pre;
        write.content = &content;
        write.kind = CONDREQ_CONTENT_JSON_PATCH;
        write.patches = 1;
        write.only = UPDATE;
        if (condreq_document_write(&write, &trouble, own) != APR_SUCCESS ||
            write.outcome != CONDREQ_REPLACED)
            break;
        apr_pool_clear(own);
    }
    apr_pool_destroy(own);
    return i == PATCHES ? baton : NULL;
}

static void many_at_once(void)
{
    condreq_rules_t rules = rules_for(0);
    condreq_resource_t resource = resource_for(&rules, "/many");
    row_t row = {"", PUT, ANY, NULL, NULL, "{\"list\":[]}", CONDREQ_CREATED,
                 1,  NULL};
    condreq_write_t write;
    pthread_t threads[THREADS];
    int i, done = 0;

    rules.max_body = 10000;
    rules.json.max_values = 10000;
    run(&write, &resource, &row, CONDREQ_IDS_SEQUENCE);
    for (i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, patch_again_and_again, &resource);
    for (i = 0; i < THREADS; i++) {
        void *result;

        pthread_join(threads[i], &result);
        done += result != NULL;
    }
    is_int(done, THREADS, "patches without a precondition all come to an end");
    row.method = MERGE_PATCH;
    row.body = "{}";
    run(&write, &resource, &row, CONDREQ_IDS_SEQUENCE);
    is_int((long long)write.record.version, 1 + THREADS * PATCHES,
           "  each of them made a version");
    is_int((long long)write.stored_length,
           (long long)strlen("{\"list\":[]}") + 2 * THREADS * PATCHES - 1,
           "  and none was lost");
}

int main(void)
{
    condreq_store_config_t config = {"document", CONDREQ_SYNC, 1 << 20, 4,
                                     1000000};
    condreq_trouble_t trouble = {""};

    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (condreq_store_mem.prepare(&config, &trouble, pool) != APR_SUCCESS ||
        condreq_store_mem.open(&store, &config, &trouble, pool) != APR_SUCCESS)
        ok(0, "the store opens: %s", trouble.sentence);
    story("/plain", plain, sizeof plain / sizeof *plain);
    story("/merged", merged, sizeof merged / sizeof *merged);
    story("/patched", patched, sizeof patched / sizeof *patched);
    collections();
    media_types();
    members();
    validators();
    creation_overtaken();
    many_at_once();
    apr_terminate();
    return done_testing();
}
