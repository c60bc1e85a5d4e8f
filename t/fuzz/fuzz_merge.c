/* Merging, of whatever documents: the input is a target, an empty line and a
 * patch, or a patch alone. RFC 7396's own pseudocode, over a tree whose scalars
 * are texts, gives the same value; places, spellings and all that the patch
 * does not name stay. */
#include <jansson.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "condreq_merge.h"
#include "plain_json.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

/* The tree is built and merged by recursion. */
static const condreq_json_limits_t limits = {32, 1000};

#define MOST_BYTES 4096
#define LENGTH_FREE ((apr_size_t)-1)

static const condreq_members_t server = {"id", "version", NULL};

static apr_pool_t *root;

/* A document's text and its spans. */
typedef struct document_t {
    const char *text;
    apr_size_t length;
    condreq_json_t *json;
} document_t;

static int parse(document_t *document, apr_pool_t *pool)
{
    condreq_json_fault_t fault;

    return condreq_json_parse(&document->json, document->text, document->length,
                              &limits, &fault, pool) == CONDREQ_JSON_GOOD;
}

static int same_bytes(const document_t *a, const document_t *b)
{
    return a->length == b->length && !memcmp(a->text, b->text, a->length);
}

/* The tree: jansson's containers, null as its null, every other scalar as a
 * text. A string and a name are spelt in hexadecimal digits of what they
 * mean, since jansson's names hold no NUL; a number, true and false stand for
 * themselves, so that 1.10 is not 1.1. */

static const char *meaning(const condreq_json_t *json, condreq_json_span_t span,
                           apr_pool_t *pool)
{
    const unsigned char *at = (const unsigned char *)json->text + span.begin;
    plain_bytes_t bytes;
    char *digits;
    size_t i;

    MUST(plain_string(&bytes, &at, at + (span.end - span.begin), pool));
    digits = apr_palloc(pool, 2 * bytes.length + 2);
    digits[0] = '"';
    for (i = 0; i < bytes.length; i++) {
        digits[2 * i + 1] = "0123456789abcdef"[bytes.bytes[i] >> 4];
        digits[2 * i + 2] = "0123456789abcdef"[bytes.bytes[i] & 15];
    }
    digits[2 * i + 1] = '\0';
    return digits;
}

static json_t *tree(const condreq_json_t *json, apr_size_t index,
                    apr_pool_t *pool);

static json_t *object_tree(const condreq_json_t *json, apr_size_t index,
                           apr_pool_t *pool)
{
    const condreq_json_value_t *value = &json->values[index];
    json_t *object = json_object();
    apr_size_t child;

    for (child = index + 1; child < index + value->size;
         child += json->values[child].size)
        MUST(json_object_set_new(object,
                                 meaning(json, json->values[child].name, pool),
                                 tree(json, child, pool)) == 0);
    return object;
}

static json_t *array_tree(const condreq_json_t *json, apr_size_t index,
                          apr_pool_t *pool)
{
    const condreq_json_value_t *value = &json->values[index];
    json_t *array = json_array();
    apr_size_t child;

    for (child = index + 1; child < index + value->size;
         child += json->values[child].size)
        MUST(json_array_append_new(array, tree(json, child, pool)) == 0);
    return array;
}

static json_t *tree(const condreq_json_t *json, apr_size_t index,
                    apr_pool_t *pool)
{
    condreq_json_span_t text = json->values[index].text;

    switch (json->values[index].type) {
    case CONDREQ_JSON_OBJECT:
        return object_tree(json, index, pool);
    case CONDREQ_JSON_ARRAY:
        return array_tree(json, index, pool);
    case CONDREQ_JSON_NULL:
        return json_null();
    case CONDREQ_JSON_STRING:
        return json_string(meaning(json, text, pool));
    default:
        return json_stringn(json->text + text.begin, text.end - text.begin);
    }
}

/* RFC 7396 section 2, line by line. Takes the target and gives the result. */
static json_t *merge_patch(json_t *target, json_t *patch)
{
    const char *name;
    json_t *value, *old;

    if (!json_is_object(patch)) {
        json_decref(target);
        return json_incref(patch);
    }
    if (!json_is_object(target)) {
        json_decref(target);
        target = json_object();
    }
    json_object_foreach(patch, name, value)
    {
        if (json_is_null(value)) {
            json_object_del(target, name);
        }
        else {
            old = json_object_get(target, name);
            MUST(json_object_set_new(
                     target, name, merge_patch(json_incref(old), value)) == 0);
        }
    }
    return target;
}

/* A patch is as if it did not name the server's members. */
static void unprotect(json_t *patch)
{
    json_object_del(patch, "\"6964");
    json_object_del(patch, "\"76657273696f6e");
}

static void must_mean(const document_t *target, const document_t *patch,
                      const condreq_members_t *protect,
                      const document_t *result, apr_pool_t *pool)
{
    json_t *change = tree(patch->json, 0, pool);
    json_t *there = target ? tree(target->json, 0, pool) : NULL;
    json_t *expected;
    json_t *got = tree(result->json, 0, pool);

    if (protect)
        unprotect(change);
    expected = merge_patch(there, change);
    MUST(json_equal(expected, got));
    json_decref(expected);
    json_decref(change);
    json_decref(got);
}

/* Places and spellings, at the top level. */

static const condreq_json_value_t *member_like(const condreq_json_t *json,
                                               const condreq_json_t *other,
                                               condreq_json_span_t name)
{
    const condreq_json_value_t *value;
    apr_size_t i;

    for (i = 1; i < json->count; i += value->size) {
        value = &json->values[i];
        if (condreq_json_string_compare(json->text + value->name.begin,
                                        value->name.end - value->name.begin,
                                        other->text + name.begin,
                                        name.end - name.begin) == 0)
            return value;
    }
    return NULL;
}

static int is_server(const condreq_members_t *protect,
                     const condreq_json_t *json, condreq_json_span_t name)
{
    return protect && condreq_members_have(protect, json->text + name.begin,
                                           name.end - name.begin);
}

static void must_be_spelt(const condreq_json_t *json, condreq_json_span_t span,
                          const condreq_json_t *other,
                          condreq_json_span_t other_span)
{
    MUST(span.end - span.begin == other_span.end - other_span.begin);
    MUST(!memcmp(json->text + span.begin, other->text + other_span.begin,
                 span.end - span.begin));
}

/* Walks the target's members beside the result's: those that the patch does
 * not remove stand in their order, in their spelling, and the others with
 * their text. Returns the result's first member behind them. */
static apr_size_t must_keep(const condreq_json_t *target,
                            const condreq_json_t *patch,
                            const condreq_members_t *protect,
                            const condreq_json_t *result)
{
    const condreq_json_value_t *value, *change;
    apr_size_t next = 1;
    apr_size_t i;

    for (i = 1; i < target->count; i += value->size) {
        value = &target->values[i];
        change = member_like(patch, target, value->name);
        if (is_server(protect, target, value->name))
            change = NULL;
        if (change && change->type == CONDREQ_JSON_NULL)
            continue;
        MUST(next < result->count);
        must_be_spelt(result, result->values[next].name, target, value->name);
        if (!change)
            must_be_spelt(result, result->values[next].text, target,
                          value->text);
        next += result->values[next].size;
    }
    return next;
}

/* Then the patch's new members, in its order and spelling, and no others. */
static void must_add(const condreq_json_t *target, const condreq_json_t *patch,
                     const condreq_members_t *protect,
                     const condreq_json_t *result, apr_size_t next)
{
    const condreq_json_value_t *value;
    apr_size_t i;

    for (i = 1; i < patch->count; i += value->size) {
        value = &patch->values[i];
        if (value->type == CONDREQ_JSON_NULL ||
            is_server(protect, patch, value->name) ||
            (target && member_like(target, patch, value->name)))
            continue;
        MUST(next < result->count);
        must_be_spelt(result, result->values[next].name, patch, value->name);
        next += result->values[next].size;
    }
    MUST(next == result->count);
}

static void must_stand(const document_t *target, const document_t *patch,
                       const condreq_members_t *protect,
                       const document_t *result)
{
    const condreq_json_t *there = NULL;
    apr_size_t next = 1;

    if (!condreq_json_is_object(patch->json)) {
        MUST(same_bytes(patch, result));
        return;
    }
    if (target && condreq_json_is_object(target->json))
        there = target->json;
    if (there)
        next = must_keep(there, patch->json, protect, result->json);
    must_add(there, patch->json, protect, result->json, next);
}

/* The properties. */

static int merge(document_t *result, const document_t *target,
                 const document_t *patch, const condreq_members_t *protect,
                 apr_size_t max_length, apr_pool_t *pool)
{
    return condreq_merge_apply(&result->text, &result->length,
                               target ? target->json : NULL, patch->json,
                               protect, max_length, pool) == CONDREQ_MERGE_DONE;
}

static void test_again(const document_t *result, const document_t *patch,
                       const condreq_members_t *protect, apr_pool_t *pool)
{
    document_t again;

    MUST(merge(&again, result, patch, protect, LENGTH_FREE, pool));
    MUST(same_bytes(&again, result));
}

static void test_length(const document_t *target, const document_t *patch,
                        const document_t *result,
                        const condreq_members_t *protect, apr_pool_t *pool)
{
    document_t again;

    MUST(result->length <= patch->length + (target ? target->length : 0));
    MUST(merge(&again, target, patch, protect, result->length, pool));
    MUST(same_bytes(&again, result));
    MUST(!merge(&again, target, patch, protect, result->length - 1, pool));
}

static void test_merge(const document_t *target, const document_t *patch,
                       const condreq_members_t *protect, apr_pool_t *pool)
{
    document_t result;

    MUST(merge(&result, target, patch, protect, LENGTH_FREE, pool));
    MUST(parse(&result, pool));
    must_mean(target, patch, protect, &result, pool);
    must_stand(target, patch, protect, &result);
    test_again(&result, patch, protect, pool);
    test_length(target, patch, &result, protect, pool);
}

static void test_empty_patch(const document_t *target, apr_pool_t *pool)
{
    document_t patch = {"{}", 2, NULL};
    document_t result;

    if (!condreq_json_is_object(target->json))
        return;
    MUST(parse(&patch, pool));
    MUST(merge(&result, target, &patch, &server, LENGTH_FREE, pool));
    MUST(same_bytes(&result, target));
}

/* Where the first empty line is, size for nowhere. */
static size_t empty_line(const uint8_t *input, size_t size)
{
    size_t i;

    for (i = 0; i + 1 < size; i++) {
        if (input[i] == '\n' && input[i + 1] == '\n')
            return i;
    }
    return size;
}

static void test_pair(const uint8_t *input, size_t size, apr_pool_t *pool)
{
    document_t target = {(const char *)input, size, NULL};
    document_t patch = target;
    size_t line = empty_line(input, size);

    if (line < size) {
        target.length = line;
        patch.text += line + 2;
        patch.length -= line + 2;
        if (!parse(&target, pool))
            return;
        test_empty_patch(&target, pool);
    }
    if (!parse(&patch, pool))
        return;
    test_merge(line < size ? &target : NULL, &patch, NULL, pool);
    test_merge(line < size ? &target : NULL, &patch, &server, pool);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    apr_initialize();
    apr_pool_create(&root, NULL);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    apr_pool_t *pool;

    if (size > MOST_BYTES)
        return 0;
    apr_pool_create(&pool, root);
    test_pair(input, size, pool);
    apr_pool_destroy(pool);
    return 0;
}
