/* The write path over the store in memory: what each write of a story comes
 * to. A story is a resource's life from its first row to its last. */
#include "tap.h"

#include "apr_general.h"
#include "apr_strings.h"
#include "condreq_document.h"

static apr_pool_t *pool;
static condreq_store_t *store;

enum { PUT, MERGE, POST, DELETE };

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

static void content_for(condreq_content_t *content, const char *body)
{
    static const condreq_json_limits_t limits = {8, 100};
    condreq_json_fault_t fault;
    condreq_json_t *json = NULL;

    condreq_json_parse(&json, body, strlen(body), &limits, &fault, pool);
    content->bytes = body;
    content->length = strlen(body);
    content->json = json;
    content->media_type = "application/json";
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
    write->kind = row->method == MERGE ? CONDREQ_CONTENT_MERGE_PATCH : CONDREQ_CONTENT_DOCUMENT;
    if (row->method == POST)
        status = condreq_document_create(&created, write, ids, &trouble, pool);
    else
        status = condreq_document_write(write, &trouble, pool);
    if (status != APR_SUCCESS)
        ok(0, "%s: the store says %s", row->sentence, trouble.sentence);
    return created;
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
    collections();
    apr_terminate();
    return done_testing();
}
