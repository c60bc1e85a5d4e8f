/* JSON, of whatever bytes: a plain checker that recurses gives the same
 * verdict; the spans of a good text nest, cover it and are good texts again;
 * budgets end exactly where the text does; names compare as their bytes. */
#include "apr_general.h"
#include "apr_strings.h"

#include "condreq_json.h"
#include "plain_json.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

/* The checker's recursion and the pairs of names end here. */
#define MOST_DEPTH 24
#define MOST_VALUES 4096
#define MOST_PAIRS 40
#define MOST_REPARSED 200

static apr_pool_t *root;

/* The second parser: a function for each rule of RFC 8259. */

typedef struct checker_t {
    const unsigned char *at;
    const unsigned char *end;
    size_t depth;
    int is_too_deep;
    apr_pool_t *pool;
} checker_t;

static int check_value(checker_t *checker);

static int check_byte(checker_t *checker, const char *any_of)
{
    if (checker->at == checker->end || !*checker->at ||
        !strchr(any_of, *checker->at))
        return 0;
    checker->at++;
    return 1;
}

static void check_space(checker_t *checker)
{
    while (check_byte(checker, " \t\r\n"))
        continue;
}

static int check_digits(checker_t *checker)
{
    int good = 0;

    while (check_byte(checker, "0123456789"))
        good = 1;
    return good;
}

static int check_number(checker_t *checker)
{
    check_byte(checker, "-");
    if (!check_byte(checker, "0") && !check_digits(checker))
        return 0;
    if (check_byte(checker, ".") && !check_digits(checker))
        return 0;
    if (!check_byte(checker, "eE"))
        return 1;
    check_byte(checker, "+-");
    return check_digits(checker);
}

static int check_word(checker_t *checker, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(checker->end - checker->at) < length ||
        memcmp(checker->at, word, length))
        return 0;
    checker->at += length;
    return 1;
}

static int check_elements(checker_t *checker)
{
    check_space(checker);
    if (check_byte(checker, "]"))
        return 1;
    do {
        check_space(checker);
        if (!check_value(checker))
            return 0;
        check_space(checker);
    } while (check_byte(checker, ","));
    return check_byte(checker, "]");
}

typedef struct name_t {
    plain_bytes_t bytes;
    struct name_t *next;
} name_t;

static int check_names(const name_t *names)
{
    const name_t *other;

    for (; names; names = names->next) {
        for (other = names->next; other; other = other->next) {
            if (plain_compare(names->bytes, other->bytes) == 0)
                return 0;
        }
    }
    return 1;
}

static int check_members(checker_t *checker)
{
    name_t *names = NULL;
    name_t *name;

    check_space(checker);
    if (check_byte(checker, "}"))
        return 1;
    do {
        name = apr_palloc(checker->pool, sizeof(*name));
        name->next = names;
        names = name;
        check_space(checker);
        if (!plain_string(&name->bytes, &checker->at, checker->end,
                          checker->pool))
            return 0;
        check_space(checker);
        if (!check_byte(checker, ":"))
            return 0;
        check_space(checker);
        if (!check_value(checker))
            return 0;
        check_space(checker);
    } while (check_byte(checker, ","));
    return check_byte(checker, "}") && check_names(names);
}

static int check_container(checker_t *checker,
                           int (*check_inside)(checker_t *checker))
{
    int good;

    if (checker->depth == MOST_DEPTH) {
        checker->is_too_deep = 1;
        return 0;
    }
    checker->depth++;
    good = check_inside(checker);
    checker->depth--;
    return good;
}

static int check_value(checker_t *checker)
{
    plain_bytes_t ignored;

    if (check_byte(checker, "["))
        return check_container(checker, check_elements);
    if (check_byte(checker, "{"))
        return check_container(checker, check_members);
    if (checker->at != checker->end && *checker->at == '"')
        return plain_string(&ignored, &checker->at, checker->end,
                            checker->pool);
    return check_word(checker, "null") || check_word(checker, "true") ||
           check_word(checker, "false") || check_number(checker);
}

static condreq_json_verdict_t check(const uint8_t *text, size_t length,
                                    apr_pool_t *pool)
{
    checker_t checker = {text, text + length, 0, 0, pool};
    int good;

    check_space(&checker);
    good = check_value(&checker);
    check_space(&checker);
    if (checker.is_too_deep)
        return CONDREQ_JSON_TOO_DEEP;
    return good && checker.at == checker.end ? CONDREQ_JSON_GOOD
                                             : CONDREQ_JSON_MALFORMED;
}

/* The spans. */

/* Between two tokens stands nothing but white space and one of these. */
static void must_separate(const condreq_json_t *json, apr_size_t begin,
                          apr_size_t end, const char *mark)
{
    apr_size_t marks = 0;

    MUST(begin <= end && end <= json->length);
    for (; begin < end; begin++) {
        if (*mark && json->text[begin] == *mark)
            marks++;
        else
            MUST(json->text[begin] && strchr(" \t\r\n", json->text[begin]));
    }
    MUST(marks == strlen(mark));
}

/* Where a child's text begins, its name included. */
static apr_size_t child_begin(const condreq_json_t *json,
                              const condreq_json_value_t *parent,
                              const condreq_json_value_t *child)
{
    if (parent->type != CONDREQ_JSON_OBJECT) {
        MUST(child->name.begin == child->name.end);
        return child->text.begin;
    }
    MUST(child->name.end >= child->name.begin + 2);
    MUST(json->text[child->name.begin] == '"');
    MUST(json->text[child->name.end - 1] == '"');
    must_separate(json, child->name.end, child->text.begin, ":");
    return child->name.begin;
}

/* Children stand one behind the other inside their parent, and add up. */
static void must_contain(const condreq_json_t *json, apr_size_t index)
{
    const condreq_json_value_t *parent = &json->values[index];
    const condreq_json_value_t *child = parent;
    apr_size_t passed = parent->text.begin + 1;
    apr_size_t next = index + 1;
    apr_size_t i;

    for (i = 0; i < parent->children; i++, next += child->size) {
        MUST(next < index + parent->size);
        child = &json->values[next];
        must_separate(json, passed, child_begin(json, parent, child),
                      i ? "," : "");
        passed = child->text.end;
    }
    MUST(next == index + parent->size);
    MUST(next <= json->count);
    if (parent->type >= CONDREQ_JSON_ARRAY)
        must_separate(json, passed, parent->text.end - 1, "");
    else
        MUST(parent->children == 0 && parent->size == 1);
}

static void must_begin_as(const condreq_json_t *json, apr_size_t index)
{
    static const char *const first[] = {"n",  "f", "t", "-0123456789",
                                        "\"", "[", "{"};
    const condreq_json_value_t *value = &json->values[index];

    MUST(value->text.begin < value->text.end);
    MUST(value->text.end <= json->length);
    MUST(strchr(first[value->type], json->text[value->text.begin]));
}

/* A value's text is a document, with the same values in it. */
static void must_parse_again(const condreq_json_t *json, apr_size_t index,
                             apr_pool_t *pool)
{
    const condreq_json_limits_t limits = {MOST_DEPTH, MOST_VALUES};
    const condreq_json_value_t *value = &json->values[index];
    condreq_json_fault_t fault;
    condreq_json_t *again;
    apr_size_t i;

    MUST(condreq_json_parse(&again, json->text + value->text.begin,
                            value->text.end - value->text.begin, &limits,
                            &fault, pool) == CONDREQ_JSON_GOOD);
    MUST(again->count == value->size);
    for (i = 0; i < again->count; i++) {
        MUST(again->values[i].type == value[i].type);
        MUST(again->values[i].size == value[i].size);
        MUST(again->values[i].children == value[i].children);
        MUST(again->values[i].text.begin + value->text.begin ==
             value[i].text.begin);
        MUST(again->values[i].text.end + value->text.begin ==
             value[i].text.end);
    }
}

static void test_spans(const condreq_json_t *json, apr_pool_t *pool)
{
    apr_size_t i;

    MUST(json->count > 0 && json->values[0].size == json->count);
    must_separate(json, 0, json->values[0].text.begin, "");
    must_separate(json, json->values[0].text.end, json->length, "");
    for (i = 0; i < json->count; i++) {
        must_begin_as(json, i);
        must_contain(json, i);
        if (i < MOST_REPARSED)
            must_parse_again(json, i, pool);
    }
}

/* The budgets. */

static apr_size_t depth_of(const condreq_json_t *json)
{
    apr_size_t ends[MOST_DEPTH];
    apr_size_t depth = 0, deepest = 0, i;

    for (i = 0; i < json->count; i++) {
        while (depth && ends[depth - 1] <= i)
            depth--;
        if (json->values[i].type < CONDREQ_JSON_ARRAY)
            continue;
        ends[depth++] = i + json->values[i].size;
        if (depth > deepest)
            deepest = depth;
    }
    return deepest;
}

static condreq_json_verdict_t parse_within(const condreq_json_t *json,
                                           apr_size_t depth, apr_size_t values,
                                           apr_pool_t *pool)
{
    condreq_json_limits_t limits;
    condreq_json_fault_t fault;
    condreq_json_t *again;

    limits.max_depth = depth;
    limits.max_values = values;
    return condreq_json_parse(&again, json->text, json->length, &limits, &fault,
                              pool);
}

static void test_budgets(const condreq_json_t *json, apr_pool_t *pool)
{
    apr_size_t depth = depth_of(json);
    apr_size_t count = json->count;

    MUST(parse_within(json, depth, count, pool) == CONDREQ_JSON_GOOD);
    MUST(parse_within(json, depth, count - 1, pool) == CONDREQ_JSON_TOO_MANY);
    if (depth)
        MUST(parse_within(json, depth - 1, count, pool) ==
             CONDREQ_JSON_TOO_DEEP);
}

/* Names and strings. */

typedef struct string_t {
    const char *text;
    apr_size_t length;
    plain_bytes_t bytes;
} string_t;

static apr_size_t list_strings(string_t strings[MOST_PAIRS],
                               const condreq_json_t *json, apr_pool_t *pool)
{
    const unsigned char *at;
    condreq_json_span_t span;
    apr_size_t count = 0;
    apr_size_t i;

    for (i = 0; i < json->count && count < MOST_PAIRS; i++) {
        span = json->values[i].name;
        if (span.begin == span.end)
            span = json->values[i].text;
        if (json->text[span.begin] != '"')
            continue;
        strings[count].text = json->text + span.begin;
        strings[count].length = span.end - span.begin;
        at = (const unsigned char *)strings[count].text;
        MUST(plain_string(&strings[count].bytes, &at,
                          at + strings[count].length, pool));
        count++;
    }
    return count;
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

/* What a string means is quoted into a string that means the same. */
static void must_quote(const string_t *string, apr_pool_t *pool)
{
    const char *bytes =
        apr_pstrmemdup(pool, (char *)string->bytes.bytes, string->bytes.length);
    const char *quoted = condreq_json_quote(bytes, pool);
    int has_nul = strlen(bytes) != string->bytes.length;

    MUST(condreq_json_string_is(quoted, strlen(quoted), bytes));
    MUST(condreq_json_string_is(string->text, string->length, bytes) ==
         !has_nul);
    MUST((condreq_json_string_compare(string->text, string->length, quoted,
                                      strlen(quoted)) == 0) == !has_nul);
}

static void test_strings(const condreq_json_t *json, apr_pool_t *pool)
{
    string_t strings[MOST_PAIRS];
    apr_size_t count = list_strings(strings, json, pool);
    apr_size_t i, j;

    for (i = 0; i < count; i++) {
        must_quote(&strings[i], pool);
        for (j = 0; j < count; j++)
            MUST(sign(condreq_json_string_compare(
                     strings[i].text, strings[i].length, strings[j].text,
                     strings[j].length)) ==
                 plain_compare(strings[i].bytes, strings[j].bytes));
    }
}

/* Whatever bytes are quoted, a JSON string comes of them. */
static void test_quote(const uint8_t *input, size_t size, apr_pool_t *pool)
{
    const char *bytes = apr_pstrmemdup(pool, (const char *)input, size);
    const unsigned char *quoted =
        (const unsigned char *)condreq_json_quote(bytes, pool);
    const unsigned char *end = quoted + strlen((const char *)quoted);
    plain_bytes_t ignored;

    MUST(plain_string(&ignored, &quoted, end, pool) && quoted == end);
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
    const condreq_json_limits_t limits = {MOST_DEPTH, MOST_VALUES};
    condreq_json_fault_t fault = {SIZE_MAX, NULL};
    condreq_json_verdict_t verdict;
    condreq_json_t *json = NULL;
    apr_pool_t *pool;

    if (size > MOST_VALUES)
        return 0;
    apr_pool_create(&pool, root);
    verdict = condreq_json_parse(&json, (const char *)input, size, &limits,
                                 &fault, pool);
    MUST(verdict == check(input, size, pool));
    if (verdict == CONDREQ_JSON_GOOD) {
        test_spans(json, pool);
        test_budgets(json, pool);
        test_strings(json, pool);
    }
    else {
        MUST(json == NULL && fault.offset <= size && fault.reason);
    }
    test_quote(input, size, pool);
    apr_pool_destroy(pool);
    return 0;
}
