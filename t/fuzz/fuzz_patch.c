/* Patching, of whatever documents: the input is a target, an empty line and a
 * patch. The plain patch over trees gives the same document, spellings and
 * order included, or refuses the same operation; tests alone change no byte;
 * the length that was foreseen is the least that is allowed. */
#include "apr_general.h"
#include "apr_strings.h"

#include "condreq_patch.h"
#include "plain_patch.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

/* The tree is built and patched by recursion. */
static const condreq_json_limits_t limits = {32, 1000};
static const condreq_json_limits_t result_limits = {64, 20000};

#define MOST_BYTES 4096
/* What a few copies of copies come to, and a tree still holds. */
static const condreq_patch_limits_t budget = {20000, 2000, 64, 100, 1000000};

static const condreq_members_t server = {"id", "version", NULL};

static apr_pool_t *root;

/* A document's text and its spans. */
typedef struct document_t {
    const char *text;
    apr_size_t length;
    condreq_json_t *json;
} document_t;

static int parse(document_t *document, const condreq_json_limits_t *within,
                 apr_pool_t *pool)
{
    condreq_json_fault_t fault;

    return condreq_json_parse(&document->json, document->text, document->length,
                              within, &fault, pool) == CONDREQ_JSON_GOOD;
}

static int same_bytes(const document_t *a, const document_t *b)
{
    return a->length == b->length && !memcmp(a->text, b->text, a->length);
}

static condreq_patch_verdict_t
apply(document_t *result, const document_t *target, const document_t *patch,
      const condreq_members_t *protect, const condreq_patch_limits_t *within,
      condreq_patch_fault_t *fault, apr_pool_t *pool)
{
    return condreq_patch_apply(&result->text, &result->length, target->json,
                               patch->json, protect, within, fault, pool);
}

/* ---- the two opinions ---- */

static void must_agree(const document_t *target, const document_t *patch,
                       const condreq_members_t *protect,
                       condreq_patch_verdict_t verdict,
                       const document_t *result,
                       const condreq_patch_fault_t *fault, apr_pool_t *pool)
{
    json_t *target_tree = plain_tree(target->json, 0, pool);
    json_t *patch_tree = plain_tree(patch->json, 0, pool);
    condreq_patch_verdict_t expected;
    json_t *expected_tree, *tree;
    size_t operation;

    plain_is_unsure = 0;
    expected = plain_patch_apply(&expected_tree, &operation, target_tree,
                                 patch_tree, protect, pool);
    json_decref(target_tree);
    json_decref(patch_tree);
    if (!plain_is_unsure) {
        MUST(expected == verdict);
        MUST(verdict == CONDREQ_PATCH_DONE || fault->operation == operation);
    }
    if (!plain_is_unsure && verdict == CONDREQ_PATCH_DONE) {
        tree = plain_tree(result->json, 0, pool);
        MUST(!strcmp(plain_text(tree, pool), plain_text(expected_tree, pool)));
        json_decref(tree);
    }
    json_decref(expected_tree);
}

/* ---- the properties ---- */

/* The result's own length is enough in the end; less is never. */
static void test_length(const document_t *target, const document_t *patch,
                        const condreq_members_t *protect,
                        const document_t *result, apr_pool_t *pool)
{
    condreq_patch_limits_t within = budget;
    condreq_patch_fault_t fault;
    document_t again;

    within.max_length = result->length - 1;
    MUST(apply(&again, target, patch, protect, &within, &fault, pool) ==
         CONDREQ_PATCH_TOO_LARGE);
}

/* Has a value this name, and, unless text is NULL, this string for its text? */
static int is_member(const condreq_json_t *json, apr_size_t i, const char *name,
                     const char *text)
{
    const condreq_json_value_t *value = &json->values[i];

    if (!value->name.end ||
        !condreq_json_string_is(json->text + value->name.begin,
                                value->name.end - value->name.begin, name))
        return 0;
    return !text ||
           (value->type == CONDREQ_JSON_STRING &&
            condreq_json_string_is(json->text + value->text.begin,
                                   value->text.end - value->text.begin, text));
}

static int count_members(const document_t *document, const char *name,
                         const char *text)
{
    int count = 0;
    apr_size_t i;

    for (i = 1; i < document->json->count; i++)
        count += is_member(document->json, i, name, text);
    return count;
}

static void test_tests(const document_t *target, const document_t *patch,
                       const document_t *result)
{
    if (count_members(patch, "op", "test") == count_members(patch, "op", NULL))
        MUST(same_bytes(result, target));
}

/* A member of the top level as it was spelt, empty for none. */
static const char *spelling(const document_t *document, const char *name,
                            apr_pool_t *pool)
{
    const condreq_json_t *json = document->json;
    const condreq_json_value_t *value;
    apr_size_t i;

    for (i = 1; i < json->count; i += value->size) {
        value = &json->values[i];
        if (is_member(json, i, name, NULL))
            return apr_pstrmemdup(pool, json->text + value->name.begin,
                                  value->text.end - value->name.begin);
    }
    return "";
}

/* Where no location is the root, the server's members stay to the byte. */
static void test_server_members(const document_t *target,
                                const document_t *patch,
                                const document_t *result, apr_pool_t *pool)
{
    if (count_members(patch, "path", ""))
        return;
    MUST(!strcmp(spelling(target, server.id, pool),
                 spelling(result, server.id, pool)));
    MUST(!strcmp(spelling(target, server.version, pool),
                 spelling(result, server.version, pool)));
}

static void test_patch(const document_t *target, const document_t *patch,
                       const condreq_members_t *protect, apr_pool_t *pool)
{
    condreq_patch_fault_t fault = {0};
    document_t result = {NULL, 0, NULL};
    condreq_patch_verdict_t verdict =
        apply(&result, target, patch, protect, &budget, &fault, pool);

    MUST(verdict == CONDREQ_PATCH_DONE || (!result.text && fault.reason));
    if (verdict == CONDREQ_PATCH_TOO_LARGE)
        return;
    MUST(verdict != CONDREQ_PATCH_DONE || parse(&result, &result_limits, pool));
    must_agree(target, patch, protect, verdict, &result, &fault, pool);
    if (verdict != CONDREQ_PATCH_DONE)
        return;
    test_length(target, patch, protect, &result, pool);
    test_tests(target, patch, &result);
    if (protect)
        test_server_members(target, patch, &result, pool);
}

/* A patch of no operation, and one that tests for what is there. */
static void test_nothing(const document_t *target, apr_pool_t *pool)
{
    document_t patch = {"[]", 2, NULL};
    condreq_patch_fault_t fault;
    document_t result;

    MUST(parse(&patch, &limits, pool));
    MUST(apply(&result, target, &patch, &server, &budget, &fault, pool) ==
         CONDREQ_PATCH_DONE);
    MUST(same_bytes(&result, target));
    patch.text = apr_pstrcat(pool, "[{\"op\":\"test\",\"path\":\"\",\"value\":",
                             apr_pstrmemdup(pool, target->text, target->length),
                             "}]", NULL);
    patch.length = strlen(patch.text);
    MUST(parse(&patch, &result_limits, pool));
    MUST(apply(&result, target, &patch, &server, &budget, &fault, pool) ==
         CONDREQ_PATCH_DONE);
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
    size_t line = empty_line(input, size);
    document_t target = {(const char *)input, line, NULL};
    document_t patch = {(const char *)input + line + 2, size - line - 2, NULL};

    if (line == size || !parse(&target, &limits, pool))
        return;
    test_nothing(&target, pool);
    if (!parse(&patch, &limits, pool))
        return;
    test_patch(&target, &patch, NULL, pool);
    test_patch(&target, &patch, &server, pool);
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
