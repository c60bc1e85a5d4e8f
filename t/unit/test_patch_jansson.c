/* A second opinion on patches: the plain one over jansson's trees. Documents
 * and patches are drawn at random, and mostly such that they apply; numbers
 * are compared as they are spelt, members in their order. */

#include "apr_general.h"
#include "../fuzz/plain_patch.h"
#include "tap.h"

static const condreq_json_limits_t generous = {1000, 1000000};
static const condreq_patch_limits_t limits = {1000000, 100000, 100, 1000,
                                              10000000};
static const condreq_members_t server = {"id", "version", NULL};

#define ROUNDS 20000
#define OPERATIONS_MAX 8
#define LONG_ROUNDS 20
#define LONG_OPERATIONS 300
/* Of a hundred draws of an operation that fails, so many stay. */
static unsigned stays_though_it_fails = 4;
/* Tokens that a pointer has at least, where the document is as deep. */
static int tokens_min = 0;

/* ---- chance, the same in each run ---- */

static apr_uint64_t chance = 88172645463325252u;

static unsigned draw(unsigned below)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return (unsigned)(chance >> 33) % below;
}

#define ONE_OF(list) (list)[draw(sizeof(list) / sizeof((list)[0]))]

/* ---- documents ---- */

typedef struct text_t {
    char *bytes;
    size_t length;
    size_t room;
} text_t;

#define SHORT 20000
#define LONG 400000

static void say(text_t *text, const char *bytes)
{
    size_t length = strlen(bytes);

    MUST(text->length + length < text->room);
    memcpy(text->bytes + text->length, bytes, length + 1);
    text->length += length;
}

static text_t text_begin(size_t room, apr_pool_t *pool)
{
    text_t text = {apr_palloc(pool, room), 0, room};

    text.bytes[0] = '\0';
    return text;
}

static void say_space(text_t *text)
{
    static const char *const spaces[] = {"", "", "", "", " ", "\n  ", "\t"};

    say(text, ONE_OF(spaces));
}

static void say_scalar(text_t *text)
{
    static const char *const scalars[] = {
        "1",
        "1.0",
        "1.10",
        "1.1",
        "11e-1",
        "100",
        "1e2",
        "1E+2",
        "-0",
        "0",
        "0.0",
        "9007199254740993",
        "9007199254740992",
        "1e400",
        "2e400",
        "null",
        "true",
        "false",
        "\"\"",
        "\"a\"",
        "\"\\u0061\"",
        "\"\\u0000\"",
        "\"\\u00e9\\/\"",
        "\"\xC3\xA9/\"",
        "\"1\"",
        "[]",
        "{}",
    };

    say(text, ONE_OF(scalars));
}

static const char *const names[] = {
    "\"a\"",       "\"b\"",  "\"c\"",        "\"\"",         "\"a/b\"",
    "\"m~n\"",     "\"0\"",  "\"1\"",        "\"-\"",        "\"id\"",
    "\"version\"", "\"~1\"", "\"a\\u0000\"", "\"\xC3\xA9\"", "\"k\\\"l\"",
};

#define NAMES (sizeof(names) / sizeof(names[0]))

static void say_document(text_t *text, int depth);

static void say_object(text_t *text, int depth)
{
    unsigned taken = 0;
    unsigned children = draw(6);
    unsigned name;

    say(text, "{");
    say_space(text);
    while (children--) {
        name = draw(NAMES);
        if (taken >> name & 1)
            continue;
        say(text, taken ? "," : "");
        taken |= 1u << name;
        say_space(text);
        say(text, name == 0 && draw(3) == 0 ? "\"\\u0061\"" : names[name]);
        say_space(text);
        say(text, ":");
        say_space(text);
        say_document(text, depth - 1);
        say_space(text);
    }
    say(text, "}");
}

static void say_array(text_t *text, int depth)
{
    unsigned children = draw(5);
    unsigned i;

    say(text, "[");
    say_space(text);
    for (i = 0; i < children; i++) {
        say(text, i ? "," : "");
        say_space(text);
        say_document(text, depth - 1);
        say_space(text);
    }
    say(text, "]");
}

static void say_document(text_t *text, int depth)
{
    unsigned kind = depth > 0 ? draw(4) : 0;

    if (kind == 0)
        say_scalar(text);
    else if (kind == 1)
        say_array(text, depth);
    else
        say_object(text, depth);
}

/* ---- operations ---- */

/* A token's bytes as a pointer in a JSON string has them, one way or other. */
static void say_token(text_t *text, const unsigned char *bytes, size_t length)
{
    char spelt[8];
    size_t i;

    say(text, draw(20) ? "/" : "\\/");
    for (i = 0; i < length; i++) {
        if (bytes[i] == '~')
            say(text, "~0");
        else if (bytes[i] == '/')
            say(text, "~1");
        else if (bytes[i] < 0x20 || bytes[i] == '"' || bytes[i] == '\\' ||
                 (bytes[i] < 0x80 && draw(12) == 0)) {
            sprintf(spelt, "\\u%04x", bytes[i]);
            say(text, spelt);
        }
        else {
            sprintf(spelt, "%c", bytes[i]);
            say(text, spelt);
        }
    }
}

static void say_name(text_t *text, const char *hex)
{
    unsigned char bytes[200];
    size_t length = strlen(hex) / 2;
    unsigned byte;
    size_t i;

    MUST(length < sizeof(bytes));
    for (i = 0; i < length; i++) {
        sscanf(hex + 2 * i, "%2x", &byte);
        bytes[i] = (unsigned char)byte;
    }
    say_token(text, bytes, length);
}

static json_t *say_child(text_t *text, json_t *tree)
{
    unsigned number;
    const char *name;
    json_t *value = NULL;
    char index[16];

    if (json_is_array(tree) && json_array_size(tree)) {
        number = draw((unsigned)json_array_size(tree));
        sprintf(index, "/%u", number);
        say(text, index);
        return json_array_get(tree, number);
    }
    if (!json_is_object(tree) || !json_object_size(tree))
        return NULL;
    number = draw((unsigned)json_object_size(tree));
    json_object_foreach(tree, name, value)
    {
        if (!number--)
            break;
    }
    say_name(text, name);
    return value;
}

/* Most often one that is there; *there is then its value. */
static void say_pointer(text_t *text, json_t *tree, json_t **there)
{
    static const char *const others[] = {
        "/new", "/-", "/00", "/3", "/a", "/", "/x/y", "/~1", "/99999999999"};
    json_t *child = tree;
    int tokens;

    say(text, "\"");
    for (tokens = 0; child && (tokens < tokens_min || draw(4)); tokens++) {
        tree = child;
        child = say_child(text, tree);
    }
    *there = child ? child : tree;
    if (draw(3) == 0)
        say(text, ONE_OF(others));
    say(text, "\"");
}

/* The value at a pointer, differently spelt, or any other one. */
static void say_value(text_t *text, json_t *there)
{
    const char *spelt = json_string_value(there);

    if (spelt && draw(2))
        say(text, spelt);
    else
        say_document(text, (int)draw(4));
}

static void say_operation(text_t *text, json_t *tree)
{
    static const char *const ops[] = {"add",  "add",  "remove", "replace",
                                      "move", "copy", "test"};
    const char *op = ONE_OF(ops);
    json_t *there;

    say(text, "{\"op\":\"");
    say(text, op);
    say(text, "\",\"path\":");
    say_pointer(text, tree, &there);
    say(text, ",\"value\":");
    say_value(text, there);
    say(text, ",\"from\":");
    say_pointer(text, tree, &there);
    say(text, "}");
}

/* ---- one opinion beside the other ---- */

static condreq_json_t *parse(const char *text, size_t length, apr_pool_t *pool)
{
    condreq_json_t *json = NULL;
    condreq_json_fault_t fault;

    condreq_json_parse(&json, text, length, &generous, &fault, pool);
    return json;
}

/* Appends an operation to the patch, and carries it out on the tree; takes it
 * back if it fails and is not to stay. */
static json_t *extend(text_t *patch, json_t *tree,
                      const condreq_members_t *protect, apr_pool_t *pool)
{
    size_t length = patch->length;
    text_t alone = text_begin(SHORT, pool);
    json_t *operations, *next;
    condreq_json_t *json;
    size_t at_fault;

    say(&alone, "[");
    say_operation(&alone, tree);
    say(&alone, "]");
    json = parse(alone.bytes, alone.length, pool);
    MUST(json);
    operations = plain_tree(json, 0, pool);
    say(patch, length > 1 ? "," : "");
    alone.bytes[alone.length - 1] = '\0';
    say(patch, alone.bytes + 1);
    if (plain_patch_apply(&next, &at_fault, tree, operations, protect, pool) !=
        CONDREQ_PATCH_DONE) {
        next = json_incref(tree);
        if (draw(100) >= stays_though_it_fails)
            patch->bytes[patch->length = length] = '\0';
    }
    json_decref(operations);
    json_decref(tree);
    return next;
}

static text_t draw_patch(json_t *target, unsigned operations,
                         const condreq_members_t *protect, apr_pool_t *pool)
{
    text_t patch = text_begin(LONG, pool);
    json_t *tree = json_incref(target);
    unsigned i;

    say(&patch, "[");
    for (i = operations; i; i--)
        tree = extend(&patch, tree, protect, pool);
    say(&patch, "]");
    json_decref(tree);
    return patch;
}

/* What one of them said, in a line. */
static const char *said(condreq_patch_verdict_t verdict, size_t operation,
                        json_t *tree, apr_pool_t *pool)
{
    return verdict == CONDREQ_PATCH_DONE
               ? plain_text(tree, pool)
               : apr_psprintf(pool, "refused as %d for %d", verdict,
                              (int)operation);
}

static const char *we_say(const condreq_json_t *target,
                          const condreq_json_t *patch,
                          const condreq_members_t *protect, apr_pool_t *pool)
{
    condreq_patch_fault_t fault;
    condreq_patch_verdict_t verdict;
    const char *text, *line;
    apr_size_t length;
    json_t *tree = NULL;
    condreq_json_t *json;

    verdict = condreq_patch_apply(&text, &length, target, patch, protect,
                                  &limits, &fault, pool);
    if (verdict == CONDREQ_PATCH_DONE) {
        json = parse(text, length, pool);
        if (!json)
            return apr_psprintf(pool, "no JSON: %.*s", (int)length, text);
        tree = plain_tree(json, 0, pool);
    }
    line = said(verdict, fault.operation, tree, pool);
    json_decref(tree);
    return line;
}

typedef struct tally_t {
    int done;
    int refused;
    int differing;
} tally_t;

static void compare(tally_t *tally, const text_t *target, unsigned operations,
                    const condreq_members_t *protect, apr_pool_t *pool)
{
    condreq_json_t *target_json = parse(target->bytes, target->length, pool);
    json_t *target_tree = plain_tree(target_json, 0, pool);
    text_t patch = draw_patch(target_tree, operations, protect, pool);
    condreq_json_t *patch_json = parse(patch.bytes, patch.length, pool);
    json_t *patch_tree = plain_tree(patch_json, 0, pool);
    condreq_patch_verdict_t verdict;
    const char *theirs, *ours;
    size_t operation;
    json_t *result;

    verdict = plain_patch_apply(&result, &operation, target_tree, patch_tree,
                                protect, pool);
    theirs = said(verdict, operation, result, pool);
    ours = we_say(target_json, patch_json, protect, pool);
    json_decref(result);
    json_decref(target_tree);
    json_decref(patch_tree);
    tally->done += verdict == CONDREQ_PATCH_DONE;
    tally->refused += verdict != CONDREQ_PATCH_DONE;
    if (!strcmp(theirs, ours) || tally->differing++ > 3)
        return;
    printf("#   target %s\n#   patch  %s\n#   ours   %s\n#   theirs %s\n",
           target->bytes, patch.bytes, ours, theirs);
}

static void compare_short(tally_t *tally, apr_pool_t *pool)
{
    text_t target = text_begin(SHORT, pool);

    say_space(&target);
    say_document(&target, 5);
    say_space(&target);
    compare(tally, &target, draw(OPERATIONS_MAX) + 1, draw(2) ? &server : NULL,
            pool);
}

/* Two objects and two arrays of many, so that pieces are split and shared all
 * over. */
static void say_wide(text_t *text)
{
    char number[32];
    int part, i;

    for (part = 0; part < 4; part++) {
        say(text, part ? "," : "[");
        say(text, part % 2 ? "[" : "{");
        for (i = 0; i < 100; i++) {
            say(text, i ? ", " : "");
            sprintf(number, part % 2 ? "%d" : "\"n%d\" : [1,2]", i);
            say(text, number);
        }
        say(text, part % 2 ? "]" : "}");
    }
    say(text, "]");
}

static void compare_long(tally_t *tally, apr_pool_t *pool)
{
    text_t target = text_begin(SHORT, pool);

    say_wide(&target);
    compare(tally, &target, LONG_OPERATIONS, NULL, pool);
}

static void compare_many(tally_t *tally, int rounds,
                         void (*once)(tally_t *tally, apr_pool_t *pool),
                         apr_pool_t *root)
{
    apr_pool_t *pool;
    int i;

    for (i = 0; i < rounds; i++) {
        apr_pool_create(&pool, root);
        once(tally, pool);
        apr_pool_destroy(pool);
    }
}

int main(void)
{
    tally_t brief = {0, 0, 0};
    tally_t lengthy = {0, 0, 0};
    apr_pool_t *root;

    apr_initialize();
    apr_pool_create(&root, NULL);
    compare_many(&brief, ROUNDS, compare_short, root);
    is_int(brief.differing, 0,
           "20,000 patches: the same document, or the same operation refused");
    ok(brief.done > ROUNDS / 2, "most of them apply: %d", brief.done);
    ok(brief.refused > ROUNDS / 20, "and many do not: %d", brief.refused);
    stays_though_it_fails = 0;
    tokens_min = 2;
    compare_many(&lengthy, LONG_ROUNDS, compare_long, root);
    is_int(lengthy.differing, 0, "20 patches of up to 300 operations");
    is_int(lengthy.done, LONG_ROUNDS, "which all apply");
    apr_pool_destroy(root);
    apr_terminate();
    return done_testing();
}
