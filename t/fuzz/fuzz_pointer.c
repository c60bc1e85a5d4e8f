/* Pointers, of whatever characters: the input is what stands between a JSON
 * string's quotes. Decoded by hand first and split then, section 4's two
 * substitutions one after the other, it has the same tokens; written again in
 * its plainest spelling it is the same pointer. */
#include "apr_general.h"
#include "apr_strings.h"

#include "condreq_json.h"
#include "condreq_pointer.h"
#include "plain_patch.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static apr_pool_t *root;

static const char *token_hex(const condreq_pointer_token_t *token,
                             apr_pool_t *pool)
{
    plain_bytes_t bytes = plain_meaning(token->text, token->length, pool);

    return plain_hex(bytes.bytes, bytes.length, pool);
}

static void must_be_same(const condreq_pointer_t *pointer,
                         const plain_pointer_t *plain, apr_pool_t *pool)
{
    size_t i;

    MUST(pointer->count == plain->count);
    for (i = 0; i < plain->count; i++)
        MUST(!strcmp(token_hex(&pointer->tokens[i], pool), plain->tokens[i]));
}

/* An index by the grammar of section 4, read with strtoull. */
static void must_be_index(const condreq_pointer_token_t *token,
                          apr_pool_t *pool)
{
    plain_bytes_t bytes = plain_meaning(token->text, token->length, pool);
    const char *digits =
        apr_pstrmemdup(pool, (const char *)bytes.bytes, bytes.length);
    int all_digits =
        bytes.length && strspn(digits, "0123456789") == bytes.length;
    int is_index = all_digits && (*digits != '0' || bytes.length == 1);
    apr_size_t index = 1234;
    condreq_pointer_place_t place = condreq_pointer_index(&index, token);

    MUST((place == CONDREQ_POINTER_INDEX) == is_index);
    MUST((place == CONDREQ_POINTER_END) ==
         (bytes.length == 1 && *digits == '-'));
    if (is_index)
        MUST(index == strtoull(digits, NULL, 10));
}

static void write_token(char **out, const condreq_pointer_token_t *token)
{
    apr_size_t i;

    *(*out)++ = '/';
    for (i = 1; i < token->length - 1; i++) {
        if (token->text[i] == '~' || token->text[i] == '/') {
            *(*out)++ = '~';
            *(*out)++ = token->text[i] == '~' ? '0' : '1';
        }
        else {
            *(*out)++ = token->text[i];
        }
    }
}

/* A token has no escaped slash, or it would not have been one token. */
static void must_come_back(const condreq_pointer_t *pointer, size_t size,
                           apr_pool_t *pool)
{
    char *text = apr_palloc(pool, 2 * size + 2);
    char *out = text;
    condreq_pointer_t again;
    apr_size_t i;

    *out++ = '"';
    for (i = 0; i < pointer->count; i++)
        write_token(&out, &pointer->tokens[i]);
    *out++ = '"';
    MUST(!condreq_pointer_parse(&again, text, (apr_size_t)(out - text), pool));
    MUST(condreq_pointer_begins(pointer, &again));
    MUST(condreq_pointer_begins(&again, pointer));
    if (again.count) {
        again.count--;
        MUST(condreq_pointer_begins(&again, pointer));
        MUST(!condreq_pointer_begins(pointer, &again));
    }
}

static void test_pointer(const char *string, size_t length, apr_pool_t *pool)
{
    json_t *tree = json_stringn(string, length);
    condreq_pointer_t pointer;
    plain_pointer_t plain;
    const char *reason = condreq_pointer_parse(&pointer, string, length, pool);
    apr_size_t i;

    MUST(tree);
    MUST(plain_pointer(&plain, tree, pool) == !reason);
    json_decref(tree);
    if (reason)
        return;
    must_be_same(&pointer, &plain, pool);
    must_come_back(&pointer, length, pool);
    for (i = 0; i < pointer.count; i++)
        must_be_index(&pointer.tokens[i], pool);
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
    static const condreq_json_limits_t limits = {0, 1};
    condreq_json_fault_t fault;
    condreq_json_t *json;
    apr_pool_t *pool;
    char *string;

    if (size >= PLAIN_TOKENS_MAX)
        return 0;
    apr_pool_create(&pool, root);
    string = apr_palloc(pool, size + 2);
    string[0] = string[size + 1] = '"';
    memcpy(string + 1, input, size);
    if (condreq_json_parse(&json, string, size + 2, &limits, &fault, pool) ==
        CONDREQ_JSON_GOOD)
        test_pointer(string, size + 2, pool);
    apr_pool_destroy(pool);
    return 0;
}
