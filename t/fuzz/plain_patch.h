/* JSON Patch in the plainest way, for the tests: RFC 6902 line by line over
 * jansson's trees, with recursion, copies and no limits. Shares no line with
 * the code that is tested, but for the parser's spans.
 *
 * In a tree every scalar but null is a text, as it was spelt: 1.10 stays
 * apart from 1.1, and a string keeps its quotes and escapes. Names are
 * hexadecimal digits of what they mean, since jansson's hold no NUL. */
#ifndef CONDREQ_PLAIN_PATCH_H
#define CONDREQ_PLAIN_PATCH_H

#include <ctype.h>
#include <stdio.h>

#include <jansson.h>

#include "apr_strings.h"

#include "condreq_patch.h"
#include "plain_json.h"

/* ---- trees ---- */

static inline plain_bytes_t plain_meaning(const char *string, apr_size_t length,
                                          apr_pool_t *pool)
{
    const unsigned char *at = (const unsigned char *)string;
    plain_bytes_t bytes;

    MUST(plain_string(&bytes, &at, at + length, pool));
    return bytes;
}

static inline const char *plain_hex(const unsigned char *bytes, size_t length,
                                    apr_pool_t *pool)
{
    char *digits = apr_palloc(pool, 2 * length + 1);
    size_t i;

    for (i = 0; i < length; i++)
        sprintf(digits + 2 * i, "%02x", bytes[i]);
    digits[2 * length] = '\0';
    return digits;
}

static inline const char *plain_name(const condreq_json_t *json,
                                     condreq_json_span_t name, apr_pool_t *pool)
{
    plain_bytes_t bytes =
        plain_meaning(json->text + name.begin, name.end - name.begin, pool);

    return plain_hex(bytes.bytes, bytes.length, pool);
}

static inline json_t *plain_tree(const condreq_json_t *json, apr_size_t index,
                                 apr_pool_t *pool)
{
    const condreq_json_value_t *value = &json->values[index];
    int is_object = value->type == CONDREQ_JSON_OBJECT;
    apr_size_t child = index + 1;
    json_t *tree;

    if (value->type == CONDREQ_JSON_NULL)
        return json_null();
    if (!is_object && value->type != CONDREQ_JSON_ARRAY)
        return json_stringn(json->text + value->text.begin,
                            value->text.end - value->text.begin);
    tree = is_object ? json_object() : json_array();
    for (; child < index + value->size; child += json->values[child].size) {
        json_t *inside = plain_tree(json, child, pool);

        if (is_object)
            MUST(!json_object_set_new(
                tree, plain_name(json, json->values[child].name, pool),
                inside));
        else
            MUST(!json_array_append_new(tree, inside));
    }
    return tree;
}

static inline int plain_is_string(const json_t *tree)
{
    return json_is_string(tree) && json_string_value(tree)[0] == '"';
}

/* ---- equality, RFC 6902 section 4.6 ---- */

/* Set where an exponent was beyond what is plainly done. */
static int plain_is_unsure;

/* Sign, digits without zeros at either end, and the exponent of the last
 * one: a number's only spelling. */
static inline const char *plain_number(const char *text, apr_pool_t *pool)
{
    char *digits = apr_pcalloc(pool, strlen(text) + 1);
    const char *mantissa_end = strpbrk(text, "eE");
    const char *at, *first;
    apr_int64_t exponent = 0;
    size_t count = 0;
    int behind_point = 0;

    if (mantissa_end && strlen(mantissa_end) > 15) {
        plain_is_unsure = 1;
        return "0";
    }
    if (mantissa_end)
        exponent = strtoll(mantissa_end + 1, NULL, 10);
    for (at = text; *at && at != mantissa_end; at++) {
        if (*at == '.')
            behind_point = 1;
        if (!isdigit((unsigned char)*at))
            continue;
        digits[count++] = *at;
        exponent -= behind_point;
    }
    for (; count && digits[count - 1] == '0'; exponent++)
        digits[--count] = '\0';
    for (first = digits; *first == '0'; first++)
        ;
    if (!*first)
        return "0";
    return apr_psprintf(pool, "%s%se%" APR_INT64_T_FMT, *text == '-' ? "-" : "",
                        first, exponent);
}

static inline int plain_scalars_equal(const json_t *a, const json_t *b,
                                      apr_pool_t *pool)
{
    const char *in_a = json_string_value(a);
    const char *in_b = json_string_value(b);

    if (plain_is_string(a) != plain_is_string(b))
        return 0;
    if (plain_is_string(a))
        return !plain_compare(plain_meaning(in_a, json_string_length(a), pool),
                              plain_meaning(in_b, json_string_length(b), pool));
    if (isalpha((unsigned char)*in_a) || isalpha((unsigned char)*in_b))
        return !strcmp(in_a, in_b);
    return !strcmp(plain_number(in_a, pool), plain_number(in_b, pool));
}

static inline int plain_equal(json_t *a, json_t *b, apr_pool_t *pool)
{
    const char *name;
    json_t *value, *other;
    size_t i;

    if (json_typeof(a) != json_typeof(b))
        return 0;
    if (json_is_string(a))
        return plain_scalars_equal(a, b, pool);
    if (json_object_size(a) != json_object_size(b) ||
        json_array_size(a) != json_array_size(b))
        return 0;
    json_object_foreach(a, name, value)
    {
        other = json_object_get(b, name);
        if (!other || !plain_equal(value, other, pool))
            return 0;
    }
    json_array_foreach(a, i, value)
    {
        if (!plain_equal(value, json_array_get(b, i), pool))
            return 0;
    }
    return 1;
}

/* ---- pointers, RFC 6901 ---- */

#define PLAIN_TOKENS_MAX 4096

typedef struct plain_pointer_t {
    /* as names are in a tree */
    const char **tokens;
    size_t count;
} plain_pointer_t;

/* First all of ~1, then all of ~0, as section 4 has it. */
static inline size_t plain_substitute(unsigned char *bytes, size_t length,
                                      char digit, unsigned char character)
{
    size_t from, to = 0;

    for (from = 0; from < length; from++, to++) {
        bytes[to] = bytes[from];
        if (bytes[from] == '~' && from + 1 < length &&
            bytes[from + 1] == digit) {
            bytes[to] = character;
            from++;
        }
    }
    return to;
}

static inline int plain_token_is_good(const unsigned char *bytes, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++) {
        if (bytes[i] == '~' &&
            (i + 1 == length || (bytes[i + 1] != '0' && bytes[i + 1] != '1')))
            return 0;
    }
    return 1;
}

static inline int plain_pointer(plain_pointer_t *pointer, json_t *string,
                                apr_pool_t *pool)
{
    plain_bytes_t bytes = plain_meaning(json_string_value(string),
                                        json_string_length(string), pool);
    size_t begin = 0, end, length;

    pointer->tokens = apr_palloc(pool, PLAIN_TOKENS_MAX * sizeof(char *));
    pointer->count = 0;
    if (bytes.length && bytes.bytes[0] != '/')
        return 0;
    for (; begin < bytes.length; begin = end) {
        unsigned char *token = bytes.bytes + ++begin;

        for (end = begin; end < bytes.length && bytes.bytes[end] != '/'; end++)
            ;
        if (!plain_token_is_good(token, end - begin))
            return 0;
        length = plain_substitute(token, end - begin, '1', '/');
        length = plain_substitute(token, length, '0', '~');
        MUST(pointer->count < PLAIN_TOKENS_MAX);
        pointer->tokens[pointer->count++] = plain_hex(token, length, pool);
    }
    return 1;
}

/* A token's place among so many elements; their number where it is none. */
static inline size_t plain_index(const char *token, size_t elements)
{
    char spelt[24];
    char hex[64];
    size_t i, j;

    for (i = 0; i < elements; i++) {
        sprintf(spelt, "%zu", i);
        for (j = 0; spelt[j]; j++)
            sprintf(hex + 2 * j, "%02x", (unsigned)spelt[j]);
        if (!strcmp(hex, token))
            break;
    }
    return i;
}

static inline json_t *plain_child(json_t *tree, const char *token)
{
    if (json_is_object(tree))
        return json_object_get(tree, token);
    return json_array_get(tree, plain_index(token, json_array_size(tree)));
}

/* Borrowed, NULL for none. */
static inline json_t *plain_find(json_t *tree, const plain_pointer_t *pointer,
                                 size_t count)
{
    size_t i;

    for (i = 0; i < count && tree; i++)
        tree = plain_child(tree, pointer->tokens[i]);
    return tree;
}

/* ---- operations, RFC 6902 section 4 ---- */

typedef struct plain_patch_t {
    json_t *document;
    const condreq_members_t *protect;
    apr_pool_t *pool;
} plain_patch_t;

/* These take the value's reference. */

static inline int plain_put_root(plain_patch_t *patch, json_t *value)
{
    json_decref(patch->document);
    patch->document = value;
    return 1;
}

static inline int plain_add_at(plain_patch_t *patch,
                               const plain_pointer_t *path, json_t *value)
{
    json_t *parent;
    const char *last;
    size_t index;

    if (!path->count)
        return plain_put_root(patch, value);
    last = path->tokens[path->count - 1];
    parent = plain_find(patch->document, path, path->count - 1);
    if (json_is_object(parent))
        return !json_object_set_new(parent, last, value);
    index = json_array_size(parent);
    if (strcmp(last, "2d") != 0)
        index = plain_index(last, json_array_size(parent) + 1);
    /* where the parent is no array this fails too */
    return !json_array_insert_new(parent, index, value);
}

static inline int plain_replace_at(plain_patch_t *patch,
                                   const plain_pointer_t *path, json_t *value)
{
    json_t *parent;
    const char *last;

    if (!path->count)
        return plain_put_root(patch, value);
    if (!plain_find(patch->document, path, path->count)) {
        json_decref(value);
        return 0;
    }
    last = path->tokens[path->count - 1];
    parent = plain_find(patch->document, path, path->count - 1);
    if (json_is_object(parent))
        return !json_object_set_new(parent, last, value);
    return !json_array_set_new(
        parent, plain_index(last, json_array_size(parent)), value);
}

/* The removed value, NULL for none. */
static inline json_t *plain_remove_at(plain_patch_t *patch,
                                      const plain_pointer_t *path)
{
    json_t *parent, *value;
    const char *last;

    if (!path->count)
        return NULL;
    value = json_incref(plain_find(patch->document, path, path->count));
    if (!value)
        return NULL;
    last = path->tokens[path->count - 1];
    parent = plain_find(patch->document, path, path->count - 1);
    if (json_is_object(parent))
        MUST(!json_object_del(parent, last));
    else
        MUST(!json_array_remove(parent,
                                plain_index(last, json_array_size(parent))));
    return value;
}

static inline int plain_move(plain_patch_t *patch, const plain_pointer_t *from,
                             const plain_pointer_t *path)
{
    json_t *value;
    size_t same = 0;

    while (same < from->count && same < path->count &&
           !strcmp(from->tokens[same], path->tokens[same]))
        same++;
    if (same == from->count)
        return same == path->count &&
               plain_find(patch->document, from, from->count);
    value = plain_remove_at(patch, from);
    return value && plain_add_at(patch, path, value);
}

static inline int plain_is_protected(const plain_patch_t *patch,
                                     const plain_pointer_t *path)
{
    const char *id = "6964", *version = "76657273696f6e";

    return patch->protect && path->count && json_is_object(patch->document) &&
           (!strcmp(path->tokens[0], id) || !strcmp(path->tokens[0], version));
}

typedef struct plain_operation_t {
    const char *op;
    plain_pointer_t path;
    plain_pointer_t from;
    json_t *value;
} plain_operation_t;

static inline int plain_run(plain_patch_t *patch,
                            const plain_operation_t *operation)
{
    const plain_pointer_t *path = &operation->path;
    const char *op = operation->op;
    json_t *value;

    if (!strcmp(op, "test")) {
        value = plain_find(patch->document, path, path->count);
        return value && plain_equal(value, operation->value, patch->pool);
    }
    if (!strcmp(op, "move") && plain_is_protected(patch, &operation->from))
        return 0;
    if (plain_is_protected(patch, path))
        return 0;
    if (!strcmp(op, "move"))
        return plain_move(patch, &operation->from, path);
    if (!strcmp(op, "copy")) {
        value = plain_find(patch->document, &operation->from,
                           operation->from.count);
        return value && plain_add_at(patch, path, json_deep_copy(value));
    }
    if (!strcmp(op, "add"))
        return plain_add_at(patch, path, json_deep_copy(operation->value));
    if (!strcmp(op, "replace"))
        return plain_replace_at(patch, path, json_deep_copy(operation->value));
    value = plain_remove_at(patch, path);
    json_decref(value);
    return value != NULL;
}

/* ---- patches ---- */

static inline json_t *plain_member(json_t *object, const char *name,
                                   apr_pool_t *pool)
{
    return json_object_get(
        object, plain_hex((const unsigned char *)name, strlen(name), pool));
}

static inline int plain_read(plain_operation_t *operation, json_t *object,
                             apr_pool_t *pool)
{
    static const char *const ops[] = {"add",  "remove", "replace",
                                      "move", "copy",   "test"};
    json_t *op = plain_member(object, "op", pool);
    json_t *path = plain_member(object, "path", pool);
    json_t *from = plain_member(object, "from", pool);
    plain_bytes_t bytes;
    int i;

    if (!op || !plain_is_string(op) || !path || !plain_is_string(path))
        return 0;
    bytes = plain_meaning(json_string_value(op), json_string_length(op), pool);
    for (i = 0; i < 6; i++) {
        if (bytes.length == strlen(ops[i]) &&
            !memcmp(bytes.bytes, ops[i], bytes.length))
            break;
    }
    if (i == 6 || !plain_pointer(&operation->path, path, pool))
        return 0;
    operation->op = ops[i];
    operation->value = plain_member(object, "value", pool);
    if (i == 3 || i == 4)
        return from && plain_is_string(from) &&
               plain_pointer(&operation->from, from, pool);
    return i == 1 || operation->value;
}

/* What the tested code is to say of a patch; of DONE the document is set, and
 * of any other verdict the operation. */
static inline condreq_patch_verdict_t
plain_patch_apply(json_t **document, size_t *operation, json_t *target,
                  json_t *patch_tree, const condreq_members_t *protect,
                  apr_pool_t *pool)
{
    size_t count = json_array_size(patch_tree);
    plain_operation_t *operations =
        apr_pcalloc(pool, (count + 1) * sizeof(*operations));
    plain_patch_t patch = {json_deep_copy(target), protect, pool};
    size_t ended_by = CONDREQ_PATCH_NO_OPERATION;

    *document = NULL;
    *operation = CONDREQ_PATCH_NO_OPERATION;
    if (!json_is_array(patch_tree))
        goto malformed;
    for (*operation = 0; *operation < count; (*operation)++) {
        if (!plain_read(&operations[*operation],
                        json_array_get(patch_tree, *operation), pool))
            goto malformed;
    }
    for (*operation = 0; *operation < count; (*operation)++) {
        int was_object = json_is_object(patch.document);

        if (!plain_run(&patch, &operations[*operation]))
            goto failed;
        if (was_object && !json_is_object(patch.document))
            ended_by = *operation;
    }
    if (protect && ended_by != CONDREQ_PATCH_NO_OPERATION &&
        !json_is_object(patch.document)) {
        *operation = ended_by;
        goto failed;
    }
    *document = patch.document;
    return CONDREQ_PATCH_DONE;

failed:
    json_decref(patch.document);
    return CONDREQ_PATCH_FAILED;

malformed:
    json_decref(patch.document);
    return CONDREQ_PATCH_MALFORMED;
}

/* One text for one tree, order and spellings included. */
static inline const char *plain_text(json_t *tree, apr_pool_t *pool)
{
    char *dumped = json_dumps(tree, JSON_COMPACT | JSON_ENCODE_ANY);
    const char *text = apr_pstrdup(pool, dumped);

    free(dumped);
    return text;
}

#endif
