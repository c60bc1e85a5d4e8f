/* Where the server's members go in a client's object, and what stays. */

#include "apr_general.h"
#include "apr_strings.h"
#include "condreq_members.h"
#include "tap.h"

static const condreq_json_limits_t generous = {512, 1000};

static const condreq_members_t all = {"id", "version", "updated_at"};
static const condreq_members_t renamed = {"_id", "rev\"", "\xC3\xA9tat"};
static const condreq_members_t only_id = {"id", NULL, NULL};
static const condreq_members_t only_version = {NULL, "version", NULL};
static const condreq_members_t only_date = {NULL, NULL, "updated_at"};
static const condreq_members_t both_behind = {NULL, "version", "updated_at"};
static const condreq_members_t none = {NULL, NULL, NULL};

/* 2024-02-29T12:34:56.789012Z */
static const condreq_member_values_t values = {"42", 7,
                                               APR_INT64_C(1709210096789012)};

#define DATE "\"2024-02-29T12:34:56.789012Z\""

typedef struct row_t {
    const char *sentence;
    const condreq_members_t *members;
    const char *before;
    const char *after;
} row_t;

static const row_t rows[] = {
    {"an empty object", &all, "{}",
     "{\"id\": 42, \"version\": 7, \"updated_at\": " DATE "}"},
    {"white space in an empty object stays at the closing brace", &all, "{ }",
     "{\"id\": 42, \"version\": 7, \"updated_at\": " DATE " }"},
    {"id goes first, version and updated_at go last", &all, "{\"a\":1}",
     "{\"id\": 42, \"a\":1, \"version\": 7, \"updated_at\": " DATE "}"},
    {"inside the white space of the braces", &all,
     "{\n  \"a\": 1,\n  \"b\": 2\n}\n",
     "{\n  \"id\": 42, \"a\": 1,\n  \"b\": 2, \"version\": 7, "
     "\"updated_at\": " DATE "\n}\n"},
    {"one that was sent keeps its place", &all,
     "{\"a\":1,\"version\":3,\"b\":2,\"id\":\"x\",\"c\":3}",
     "{\"a\":1,\"version\":7,\"b\":2,\"id\":42,\"c\":3, "
     "\"updated_at\": " DATE "}"},
    {"all were sent, in another order", &all,
     "{\"updated_at\" : null , \"version\" : [1,{}] , \"id\" : {\"a\":1} }",
     "{\"updated_at\" : " DATE " , \"version\" : 7 , \"id\" : 42 }"},
    {"a spelling with escapes is the same name, and stays", &all,
     "{\"\\u0069d\":1,\"versio\\u006e\":2,\"updated\\u005Fat\":3}",
     "{\"\\u0069d\":42,\"versio\\u006e\":7,\"updated\\u005Fat\":" DATE "}"},
    {"names are compared whole, and in their case", &only_id,
     "{\"ID\":1,\"i\":2,\"id2\":3,\"id\\u0000\":4,\"\":5}",
     "{\"id\": 42, \"ID\":1,\"i\":2,\"id2\":3,\"id\\u0000\":4,\"\":5}"},
    {"only the top level counts", &all,
     "{\"a\":{\"id\":1,\"version\":[{\"version\":2}]},\"id\":0}",
     "{\"a\":{\"id\":1,\"version\":[{\"version\":2}]},\"id\":42, "
     "\"version\": 7, \"updated_at\": " DATE "}"},
    {"all other bytes stay", &only_version,
     " {\"n\" : 1.10,\"big\":9007199254740993 "
     ",\"e\":1e400,\"s\":\"\\u00e9\"\t}",
     " {\"n\" : 1.10,\"big\":9007199254740993 ,\"e\":1e400,\"s\":\"\\u00e9\", "
     "\"version\": 7\t}"},
    {"id alone in an empty object", &only_id, "{}", "{\"id\": 42}"},
    {"id alone", &only_id, "{\"a\":1}", "{\"id\": 42, \"a\":1}"},
    {"version alone in an empty object", &only_version, "{}",
     "{\"version\": 7}"},
    {"updated_at alone", &only_date, "{\"a\":1}",
     "{\"a\":1, \"updated_at\": " DATE "}"},
    {"no id in an empty object", &both_behind, "{}",
     "{\"version\": 7, \"updated_at\": " DATE "}"},
    {"one that is not the server's is the client's", &only_date,
     "{\"id\":1,\"version\":2}",
     "{\"id\":1,\"version\":2, \"updated_at\": " DATE "}"},
    {"other names, quoted where they must be", &renamed, "{\"id\":1}",
     "{\"_id\": 42, \"id\":1, \"rev\\\"\": 7, \"\xC3\xA9tat\": " DATE "}"},
    {"other names, sent", &renamed,
     "{\"\\u005fid\":1,\"rev\\u0022\":2,\"\\u00e9tat\":3}",
     "{\"\\u005fid\":42,\"rev\\u0022\":7,\"\\u00e9tat\":" DATE "}"},
    {"none at all: verbatim", &none, " {\"id\":1} ", " {\"id\":1} "},
};

static const char *splice(const char *before, const condreq_members_t *members,
                          const condreq_member_values_t *written,
                          apr_pool_t *pool)
{
    condreq_json_t *json;
    condreq_json_fault_t fault;
    const char *after;
    apr_size_t length;

    if (condreq_json_parse(&json, before, strlen(before), &generous, &fault,
                           pool) != CONDREQ_JSON_GOOD)
        return fault.reason;
    condreq_members_splice(&after, &length, json, members, written, pool);
    return apr_pstrmemdup(pool, after, length);
}

static void test_splice(apr_pool_t *pool)
{
    const char *once;
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        once = splice(rows[i].before, rows[i].members, &values, pool);
        is_text(once, rows[i].after, rows[i].sentence);
        is_text(splice(once, rows[i].members, &values, pool), once,
                "and a second time nothing changes");
    }
}

static void test_values(apr_pool_t *pool)
{
    static const condreq_member_values_t largest = {"\"\\u0061/b\"",
                                                    APR_UINT64_MAX, 0};

    is_text(splice("{}", &all, &largest, pool),
            "{\"id\": \"\\u0061/b\", \"version\": 18446744073709551615, "
            "\"updated_at\": \"1970-01-01T00:00:00.000000Z\"}",
            "an id that is a string stays as it was given, and versions have "
            "64 bits");
}

typedef struct have_t {
    const condreq_members_t *members;
    const char *name;
    int has;
} have_t;

static const have_t haves[] = {
    {&all, "\"id\"", 1},          {&all, "\"version\"", 1},
    {&all, "\"updated_at\"", 1},  {&all, "\"\\u0075pdated_at\"", 1},
    {&all, "\"title\"", 0},       {&all, "\"\"", 0},
    {&only_id, "\"version\"", 0}, {&none, "\"id\"", 0},
};

static void test_have(void)
{
    apr_size_t i;

    for (i = 0; i < sizeof(haves) / sizeof(haves[0]); i++)
        ok(condreq_members_have(haves[i].members, haves[i].name,
                                strlen(haves[i].name)) == haves[i].has,
           "%s %s", haves[i].name,
           haves[i].has ? "is one of the server's" : "is the client's");
    ok(condreq_members_none(&none), "none are none");
    ok(!condreq_members_none(&only_id), "id is one");
    ok(!condreq_members_none(&only_version), "version is one");
    ok(!condreq_members_none(&only_date), "updated_at is one");
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_splice(pool);
    test_values(pool);
    test_have();
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
