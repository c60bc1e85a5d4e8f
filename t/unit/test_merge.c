/* JSON Merge Patch, RFC 7396: what a patch changes, and what it leaves byte
 * for byte. */

#include <stdlib.h>

#include "apr_general.h"
#include "apr_strings.h"
#include "condreq_merge.h"
#include "tap.h"

static const condreq_json_limits_t generous = {100000, 1000000};

static condreq_json_t *parse(const char *text, apr_size_t length,
                             apr_pool_t *pool)
{
    condreq_json_t *json = NULL;
    condreq_json_fault_t fault;

    if (condreq_json_parse(&json, text, length, &generous, &fault, pool) !=
        CONDREQ_JSON_GOOD)
        printf("#   %s at %d\n", fault.reason, (int)fault.offset);
    return json;
}

/* The result, NULL where it is too large. */
static const char *merge(const char *target, const char *patch,
                         const condreq_members_t *protect,
                         apr_size_t max_length, apr_pool_t *pool)
{
    condreq_json_t *there = NULL;
    const char *result;
    apr_size_t length;

    if (target)
        there = parse(target, strlen(target), pool);
    if (condreq_merge_apply(&result, &length, there,
                            parse(patch, strlen(patch), pool), protect,
                            max_length, pool) != CONDREQ_MERGE_DONE)
        return NULL;
    return apr_pstrmemdup(pool, result, length);
}

typedef struct row_t {
    const char *sentence;
    const char *target;
    const char *patch;
    const char *result;
} row_t;

static const row_t rows[] = {
    {"A: a member is replaced", "{\"a\":\"b\"}", "{\"a\":\"c\"}",
     "{\"a\":\"c\"}"},
    {"A: a member is added", "{\"a\":\"b\"}", "{\"b\":\"c\"}",
     "{\"a\":\"b\",\"b\":\"c\"}"},
    {"A: the only member is removed", "{\"a\":\"b\"}", "{\"a\":null}", "{}"},
    {"A: one of two is removed", "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}",
     "{\"b\":\"c\"}"},
    {"A: an array is replaced by a string", "{\"a\":[\"b\"]}", "{\"a\":\"c\"}",
     "{\"a\":\"c\"}"},
    {"A: a string is replaced by an array", "{\"a\":\"c\"}", "{\"a\":[\"b\"]}",
     "{\"a\":[\"b\"]}"},
    {"A: a nested object is merged, an absent member removed",
     "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
     "{\"a\":{\"b\":\"d\"}}"},
    {"A: an array of objects is replaced whole", "{\"a\":[{\"b\":\"c\"}]}",
     "{\"a\":[1]}", "{\"a\":[1]}"},
    {"A: arrays are not merged", "[\"a\",\"b\"]", "[\"c\",\"d\"]",
     "[\"c\",\"d\"]"},
    {"A: an array replaces an object", "{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
    {"A: null replaces a document", "{\"a\":\"foo\"}", "null", "null"},
    {"A: a string replaces a document", "{\"a\":\"foo\"}", "\"bar\"",
     "\"bar\""},
    {"A: a null that was there stays", "{\"e\":null}", "{\"a\":1}",
     "{\"e\":null,\"a\":1}"},
    {"A: an object replaces an array, without its nulls", "[1,2]",
     "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
    {"A: nulls in a new object are not kept, however deep", "{}",
     "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},

    {"2: nothing there is as if {} were", NULL, "{\"a\":1,\"b\":null}",
     "{\"a\":1}"},
    {"2: nothing there, and no object", NULL, "[null]", "[null]"},
    {"2: a scalar there is as if {} were", "{\"a\":1}",
     "{\"a\":{\"b\":null,\"c\":2}}", "{\"a\":{\"c\":2}}"},
    {"2: an object becomes a scalar", "{\"a\":{\"b\":1}}", "{\"a\":2}",
     "{\"a\":2}"},
    {"2: nulls in arrays stay, objects in arrays too", "{\"a\":1}",
     "{\"a\":[null,{\"b\":null}]}", "{\"a\":[null,{\"b\":null}]}"},
    {"2: removing what is not there", "{\"a\":1}", "{\"b\":null}", "{\"a\":1}"},
    {"2: five levels deep", "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1,\"b\":2}}}}}",
     "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":null,\"c\":3}}}}}",
     "{\"a\":{\"a\":{\"a\":{\"a\":{\"b\":2,\"c\":3}}}}}"},
    {"2: two objects side by side",
     "{\"a\":{\"x\":1,\"y\":2},\"b\":{\"x\":3,\"y\":4}}",
     "{\"b\":{\"x\":null},\"a\":{\"y\":null}}",
     "{\"a\":{\"x\":1},\"b\":{\"y\":4}}"},
    {"3: the example's shape",
     "{\n  \"title\": \"Goodbye!\",\n  \"author\": {\n    \"given\": \"J\",\n"
     "    \"family\": \"D\"\n  },\n  \"tags\": [ \"a\", \"b\" ],\n"
     "  \"content\": \"text\"\n}\n",
     "{\"title\":\"Hello!\",\"phone\":\"+0\",\"author\":{\"family\":null},"
     "\"tags\":[\"a\"]}",
     "{\n  \"title\": \"Hello!\",\n  \"author\": {\n    \"given\": \"J\"\n  },"
     "\n  \"tags\": [\"a\"],\n  \"content\": \"text\",\"phone\":\"+0\"\n}\n"},

    {"text: an empty patch changes no byte", " { \"a\" : 1.10 , \"b\":{ } }\n",
     "{}", " { \"a\" : 1.10 , \"b\":{ } }\n"},
    {"text: numbers stay as they are spelt",
     "{\"n\":1.10,\"big\":9007199254740993,\"e\":1e400,\"z\":-0}", "{\"a\":1}",
     "{\"n\":1.10,\"big\":9007199254740993,\"e\":1e400,\"z\":-0,\"a\":1}"},
    {"text: the patch's too", "{}", "{\"n\":1.10,\"e\":-1E+400}",
     "{\"n\":1.10,\"e\":-1E+400}"},
    {"text: order stays, new ones follow in the patch's order",
     "{\"z\":1,\"m\":2,\"a\":3}", "{\"y\":4,\"a\":5,\"b\":6,\"z\":7}",
     "{\"z\":7,\"m\":2,\"a\":5,\"y\":4,\"b\":6}"},
    {"text: escapes stay", "{\"\\u0061\":\"\\u00e9\\/\"}",
     "{\"b\":\"\\u0062\"}", "{\"\\u0061\":\"\\u00e9\\/\",\"b\":\"\\u0062\"}"},
    {"text: a name is found by any spelling, and keeps the target's",
     "{\"\\u0061\":1,\"b\":2}", "{\"a\":3,\"\\u0062\":4}",
     "{\"\\u0061\":3,\"b\":4}"},
    {"text: and removed by any", "{\"\\u0061\":1,\"b\":2,\"/\":3}",
     "{\"a\":null,\"\\u0062\":null,\"\\/\":null}", "{}"},
    {"text: an escaped NUL is part of a name",
     "{\"a\":1,\"a\\u0000b\":2,\"a\\u0000c\":3}", "{\"a\\u0000b\":null}",
     "{\"a\":1,\"a\\u0000c\":3}"},
    {"text: names alike in eight bytes are not one",
     "{\"abcdefgh1\":1,\"abcdefgh2\":2}", "{\"abcdefgh2\":3,\"abcdefgh\":4}",
     "{\"abcdefgh1\":1,\"abcdefgh2\":3,\"abcdefgh\":4}"},

    {"space: the first goes with the comma behind it",
     "{ \"a\" : 1 , \"b\" : 2 }", "{\"a\":null}", "{ \"b\" : 2 }"},
    {"space: the last goes with the comma before it",
     "{ \"a\" : 1 , \"b\" : 2 }", "{\"b\":null}", "{ \"a\" : 1 }"},
    {"space: so does one in the middle", "{ \"a\":1 , \"b\":2 ,\n\"c\":3 }",
     "{\"b\":null}", "{ \"a\":1 ,\n\"c\":3 }"},
    {"space: the first two go", "{ \"a\":1 , \"b\":2 ,\n\"c\":3 }",
     "{\"b\":null,\"a\":null}", "{ \"c\":3 }"},
    {"space: all go", "{ \"a\":1 , \"b\":2 \n}", "{\"b\":null,\"a\":null}",
     "{  \n}"},
    {"space: all go and one comes", "{\n  \"a\":1,\n  \"b\":2\n}",
     "{\"b\":null,\"c\":3,\"a\":null}", "{\n  \"c\":3\n}"},
    {"space: one comes behind the last", "{\n  \"a\":1\n}", "{\"b\":2}",
     "{\n  \"a\":1,\"b\":2\n}"},
    {"space: one comes into an empty object", "{ }", "{\"b\":2}", "{\"b\":2 }"},
    {"space: new values keep theirs", "{\"a\":1}",
     "{ \"a\" : [ 1 ] , \"b\" : { \"c\" : 1 } }",
     "{\"a\":[ 1 ],\"b\":{ \"c\" : 1 }}"},
    {"space: a new object's nulls go with a comma", "{}",
     "{\"a\":{ \"b\" : null , \"c\" : 1 , \"d\" : null }}",
     "{\"a\":{ \"c\" : 1 }}"},
    {"space: around what replaces all", "{}", " 1 \n", " 1 \n"},
};

static void test_rows(apr_pool_t *pool)
{
    const char *once;
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        once = merge(rows[i].target, rows[i].patch, NULL, 1000, pool);
        is_text(once, rows[i].result, rows[i].sentence);
        is_text(merge(once, rows[i].patch, NULL, 1000, pool), once,
                "and a second time nothing changes");
    }
}

static const condreq_members_t server = {"id", "version", NULL};

static const row_t protected_rows[] = {
    {"a value for one is ignored", "{\"id\":1,\"a\":2}", "{\"id\":9,\"a\":3}",
     "{\"id\":1,\"a\":3}"},
    {"by any spelling", "{\"id\":1}", "{\"\\u0069\\u0064\":9}", "{\"id\":1}"},
    {"of either", "{\"\\u0069d\":1}", "{\"id\":9}", "{\"\\u0069d\":1}"},
    {"null does not remove one", "{\"id\":1,\"version\":2}",
     "{\"version\":null}", "{\"id\":1,\"version\":2}"},
    {"nor does an object change one", "{\"id\":{\"a\":1}}",
     "{\"id\":{\"a\":2,\"b\":3}}", "{\"id\":{\"a\":1}}"},
    {"none is added", "{\"a\":1}", "{\"version\":9,\"b\":2,\"id\":8}",
     "{\"a\":1,\"b\":2}"},
    {"none is added where nothing is", NULL, "{\"version\":9,\"b\":2,\"id\":8}",
     "{\"b\":2}"},
    {"or where no object is", "[]", "{\"\\u0069d\":{\"a\":1},\"b\":null}",
     "{}"},
    {"one that is not the server's is the client's", "{\"updated_at\":1}",
     "{\"updated_at\":null}", "{}"},
    {"below the top level all are the client's", "{\"a\":{\"id\":1}}",
     "{\"a\":{\"id\":2,\"version\":3},\"b\":{\"id\":4}}",
     "{\"a\":{\"id\":2,\"version\":3},\"b\":{\"id\":4}}"},
};

static void test_protected(apr_pool_t *pool)
{
    apr_size_t i;

    for (i = 0; i < sizeof(protected_rows) / sizeof(protected_rows[0]); i++)
        is_text(merge(protected_rows[i].target, protected_rows[i].patch,
                      &server, 1000, pool),
                protected_rows[i].result,
                apr_pstrcat(pool, "the server's members: ",
                            protected_rows[i].sentence, NULL));
}

static void test_max_length(apr_pool_t *pool)
{
    is_text(merge("{\"a\":1}", "{\"b\":2}", NULL, 13, pool),
            "{\"a\":1,\"b\":2}", "a result of the greatest length allowed");
    is_text(merge("{\"a\":1}", "{\"b\":2}", NULL, 12, pool), NULL,
            "a result of one byte more is too large");
    is_text(merge("{\"a\":1111111111}", "{\"a\":1}", NULL, 7, pool),
            "{\"a\":1}", "only the result is measured");
    is_text(merge(NULL, "[1,2]", NULL, 4, pool), NULL,
            "also where it is the patch");
}

/* {"name 0":value,...} over the numbers from first to end by a step. */
static char *numbered(int first, int end, int step, const char *value,
                      apr_pool_t *pool)
{
    char *text = apr_palloc(pool, (apr_size_t)(end - first) * 40 + 3);
    char *at = text;
    int i;

    *at++ = '{';
    for (i = first; i < end; i += step)
        at += sprintf(at, "\"name %d\":%s,", i, value);
    at[-1] = '}';
    *at = '\0';
    return text;
}

#define MANY 110000

static void test_many_names(apr_pool_t *pool)
{
    const char *all = numbered(0, MANY, 1, "1", pool);
    const char *even = numbered(0, MANY, 2, "1", pool);
    const apr_size_t room = 10000000;
    const char *merged;

    ok(!strcmp(merge("{}", all, NULL, room, pool), all),
       "110,000 new names into an empty object");
    ok(!strcmp(merge(NULL, all, NULL, room, pool), all),
       "110,000 new names where nothing was");
    ok(!strcmp(merge(numbered(0, MANY, 1, "0", pool), all, NULL, room, pool),
               all),
       "110,000 names replaced");
    ok(!strcmp(merge(all, numbered(1, MANY, 2, "null", pool), NULL, room, pool),
               even),
       "every second of 110,000 names removed");
    ok(!strcmp(merge(all, numbered(0, MANY, 1, "null", pool), NULL, room, pool),
               "{}"),
       "110,000 names removed");
    ok(!strcmp(merge(all, "{\"name 77\":1}", NULL, room, pool), all),
       "one of 110,000 names replaced");
    merged = merge(even, numbered(MANY / 2, 3 * MANY / 2, 1, "{}", pool), NULL,
                   room, pool);
    is_int((long long)parse(merged, strlen(merged), pool)->values[0].children,
           MANY / 4 + MANY, "110,000 names of which a quarter was there");
}

/* {"a":{"a":...leaf...}} */
static char *nested(int depth, const char *leaf, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, (apr_size_t)depth * 6 + strlen(leaf) + 1);
    char *at = text;
    int i;

    for (i = 0; i < depth; i++, at += 5)
        memcpy(at, "{\"a\":", 5);
    at += sprintf(at, "%s", leaf);
    memset(at, '}', (apr_size_t)depth);
    at[depth] = '\0';
    return text;
}

static void test_deep(apr_pool_t *pool)
{
    const int depth = 100000 - 1;

    ok(!strcmp(merge(nested(depth, "{\"b\":1}", pool),
                     nested(depth, "{\"b\":null,\"c\":2}", pool), NULL,
                     10000000, pool),
               nested(depth, "{\"c\":2}", pool)),
       "a hundred thousand objects deep, merged");
    ok(!strcmp(merge(NULL, nested(depth, "{\"b\":null,\"c\":2}", pool), NULL,
                     10000000, pool),
               nested(depth, "{\"c\":2}", pool)),
       "a hundred thousand objects deep, new");
}

/* The caller may well merge a document with itself. */
static void test_itself(apr_pool_t *pool)
{
    static const char text[] = "{\"a\":{\"b\":null,\"c\":[null]},\"d\":null}";
    condreq_json_t *json = parse(text, sizeof(text) - 1, pool);
    const char *result;
    apr_size_t length;

    condreq_merge_apply(&result, &length, json, json, NULL, 1000, pool);
    is_text(apr_pstrmemdup(pool, result, length), "{\"a\":{\"c\":[null]}}",
            "a document merged with itself loses its nulls");
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_rows(pool);
    test_protected(pool);
    test_max_length(pool);
    test_many_names(pool);
    test_deep(pool);
    test_itself(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
