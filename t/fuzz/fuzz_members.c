/* Server members, in whatever objects: behind the splice each stands there
 * once and with its value, in the place that the client or the rule gave it;
 * the client's other members are the same byte for byte. */
#include "apr_general.h"
#include "apr_strings.h"

#include "condreq_members.h"
#include "plain_json.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static const condreq_json_limits_t limits = {64, 2000};

#define MOST_BYTES 4096

/* id, version, updated_at */
#define MEMBERS 3

static const char *const usual_names[MEMBERS] = {"id", "version", "updated_at"};
static const char *const odd_names[MEMBERS] = {"rev\"", "", "\xC3\xA9tat"};
static const char *const texts[MEMBERS] = {
    "\"\\u0031\"", "18446744073709551615", "\"2024-02-29T12:34:56.789012Z\""};
static const condreq_member_values_t values = {"\"\\u0031\"", APR_UINT64_MAX,
                                               APR_INT64_C(1709210096789012)};

static apr_pool_t *root;

/* Which of the names a member has, MEMBERS for none. */
static int which(const char *const names[MEMBERS], const condreq_json_t *json,
                 apr_size_t index, apr_pool_t *pool)
{
    const unsigned char *at =
        (const unsigned char *)json->text + json->values[index].name.begin;
    plain_bytes_t name, wanted;
    int i;

    MUST(plain_string(&name, &at,
                      (const unsigned char *)json->text + json->length, pool));
    for (i = 0; i < MEMBERS; i++) {
        if (!names[i])
            continue;
        wanted.bytes = (unsigned char *)apr_pstrdup(pool, names[i]);
        wanted.length = strlen(names[i]);
        if (plain_compare(name, wanted) == 0)
            break;
    }
    return i;
}

static void must_be_spelt(const condreq_json_t *json, condreq_json_span_t span,
                          const char *text, apr_size_t length)
{
    MUST(span.end - span.begin == length);
    MUST(!memcmp(json->text + span.begin, text, length));
}

/* A member that was not sent: the next of the result is it. */
static apr_size_t must_be_new(const char *const names[MEMBERS], int expected,
                              const condreq_json_t *after, apr_size_t next,
                              apr_pool_t *pool)
{
    MUST(next < after->count);
    MUST(which(names, after, next, pool) == expected);
    must_be_spelt(after, after->values[next].text, texts[expected],
                  strlen(texts[expected]));
    return next + after->values[next].size;
}

static void note_sent(int sent[MEMBERS], const char *const names[MEMBERS],
                      const condreq_json_t *before, apr_pool_t *pool)
{
    apr_size_t i;
    int member;

    memset(sent, 0, MEMBERS * sizeof(*sent));
    for (i = 1; i < before->count; i += before->values[i].size) {
        member = which(names, before, i, pool);
        if (member != MEMBERS)
            sent[member] = 1;
    }
}

/* The client's members, one by one: names as they were spelt, and values too,
 * but for the server's. */
static apr_size_t must_keep(const char *const names[MEMBERS],
                            const condreq_json_t *before,
                            const condreq_json_t *after, apr_size_t next,
                            apr_pool_t *pool)
{
    const condreq_json_value_t *value;
    apr_size_t i;
    int member;

    for (i = 1; i < before->count; i += value->size) {
        value = &before->values[i];
        member = which(names, before, i, pool);
        MUST(next < after->count);
        must_be_spelt(after, after->values[next].name,
                      before->text + value->name.begin,
                      value->name.end - value->name.begin);
        if (member == MEMBERS)
            must_be_spelt(after, after->values[next].text,
                          before->text + value->text.begin,
                          value->text.end - value->text.begin);
        else
            must_be_spelt(after, after->values[next].text, texts[member],
                          strlen(texts[member]));
        next += after->values[next].size;
    }
    return next;
}

/* id in front, the client's own, version and updated_at behind, no others. */
static void must_stand(const char *const names[MEMBERS],
                       const condreq_json_t *before,
                       const condreq_json_t *after, apr_pool_t *pool)
{
    int sent[MEMBERS];
    apr_size_t next = 1;
    int i;

    note_sent(sent, names, before, pool);
    if (names[0] && !sent[0])
        next = must_be_new(names, 0, after, next, pool);
    next = must_keep(names, before, after, next, pool);
    for (i = 1; i < MEMBERS; i++) {
        if (names[i] && !sent[i])
            next = must_be_new(names, i, after, next, pool);
    }
    MUST(next == after->count);
}

/* Bytes outside the braces stay too. */
static void must_surround(const condreq_json_t *before,
                          const condreq_json_t *after)
{
    condreq_json_span_t old = before->values[0].text;
    condreq_json_span_t new = after->values[0].text;

    MUST(old.begin == new.begin);
    MUST(!memcmp(before->text, after->text, old.begin));
    must_be_spelt(after, (condreq_json_span_t){new.end, after->length},
                  before->text + old.end, before->length - old.end);
}

static condreq_json_t *splice(const condreq_json_t *before,
                              const condreq_members_t *members,
                              apr_pool_t *pool)
{
    condreq_json_fault_t fault;
    condreq_json_t *after;
    const char *text;
    apr_size_t length;

    condreq_members_splice(&text, &length, before, members, &values, pool);
    MUST(condreq_json_parse(&after, text, length, &limits, &fault, pool) ==
         CONDREQ_JSON_GOOD);
    return after;
}

static void test_splice(const char *const names[MEMBERS],
                        const condreq_json_t *before, apr_pool_t *pool)
{
    condreq_members_t members = {names[0], names[1], names[2]};
    condreq_json_t *after = splice(before, &members, pool);
    condreq_json_t *again = splice(after, &members, pool);
    apr_size_t i;

    must_stand(names, before, after, pool);
    must_surround(before, after);
    MUST(again->length == after->length);
    MUST(!memcmp(again->text, after->text, after->length));
    for (i = 1; i < before->count; i += before->values[i].size)
        MUST(condreq_members_have(
                 &members, before->text + before->values[i].name.begin,
                 before->values[i].name.end - before->values[i].name.begin) ==
             (which(names, before, i, pool) != MEMBERS));
}

/* Every choice among three names. */
static void test_choices(const char *const names[MEMBERS],
                         const condreq_json_t *before, apr_pool_t *pool)
{
    const char *chosen[MEMBERS];
    int choice, i;

    for (choice = 0; choice < 1 << MEMBERS; choice++) {
        for (i = 0; i < MEMBERS; i++)
            chosen[i] = choice & 1 << i ? names[i] : NULL;
        test_splice(chosen, before, pool);
    }
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
    /* what was just parsed must have room for three members more */
    const condreq_json_limits_t fewer = {limits.max_depth,
                                         limits.max_values - MEMBERS};
    condreq_json_fault_t fault;
    condreq_json_t *before;
    apr_pool_t *pool;

    if (size > MOST_BYTES)
        return 0;
    apr_pool_create(&pool, root);
    if (condreq_json_parse(&before, (const char *)input, size, &fewer, &fault,
                           pool) == CONDREQ_JSON_GOOD &&
        condreq_json_is_object(before)) {
        test_choices(usual_names, before, pool);
        test_choices(odd_names, before, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
