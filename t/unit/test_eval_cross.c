/* All combinations of the five fields, the method, the mode and the selected
 * representation. What to expect is computed a second time, from facts that
 * are written out by hand below and a formula without steps. */
#include <stdlib.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "condreq_eval.h"
#include "tap.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Sun, 06 Nov 1994 08:49:37 GMT */
#define CURRENT_S APR_INT64_C(784111777)

/* A value for If-Match and If-None-Match, and the tags that it names. */
typedef struct list_value_t {
    const char *value;
    int is_any;
    const char *names[3];
} list_value_t;

static const list_value_t list_values[] = {
    {NULL, 0, {NULL}},
    {"*", 1, {NULL}},
    {"", 0, {NULL}},
    {"\"7\"", 0, {"\"7\""}},
    {"\"6\"", 0, {"\"6\""}},
    {"W/\"7\"", 0, {"W/\"7\""}},
    {"\"6\" ,, \"7\"", 0, {"\"6\"", "\"7\""}},
    {"W/\"6\", W/\"7\"", 0, {"W/\"6\"", "W/\"7\""}},
    {"\"6\", \"7-gzip\"", 0, {"\"6\"", "\"7-gzip\""}},
    {"W/\"7-gzip\"", 0, {"W/\"7-gzip\""}},
    {"\"7\", *", 0, {NULL}},
    {"\"7\" \"7\"", 0, {NULL}},
};

/* A value for a date field, and how its date stands to the current one. */
typedef struct date_value_t {
    const char *value;
    enum { NO_DATE, EARLIER, SAME, LATER } date;
} date_value_t;

static const date_value_t date_values[] = {
    {NULL, NO_DATE},
    {"Sun, 06 Nov 1994 08:49:37 EST", NO_DATE},
    {"Sun, 06 Nov 1994 08:49:36 GMT", EARLIER},
    {"Sunday, 06-Nov-94 08:49:37 GMT", SAME},
    {"Sun Nov  6 08:49:38 1994", LATER},
};

/* A value for If-Range: a tag, a date, or neither. */
typedef struct if_range_value_t {
    const char *value;
    const char *tag;
    int is_current_date;
} if_range_value_t;

static const if_range_value_t if_range_values[] = {
    {NULL, NULL, 0},
    {"\"7\"", "\"7\"", 0},
    {"\"6\"", "\"6\"", 0},
    {"W/\"7\"", "W/\"7\"", 0},
    {"\"7-gzip\"", "\"7-gzip\"", 0},
    {"Sun, 06 Nov 1994 08:49:37 GMT", NULL, 1},
    {"Sun, 06 Nov 1994 08:49:36 GMT", NULL, 0},
    {"Sun, 06 Nov 1994 08:49:38 GMT", NULL, 0},
    {"7", NULL, 0},
};

/* A representation, and which names each field takes for it. */
typedef struct representation_case_t {
    const char *name;
    int exists;
    condreq_etag_t etag;
    int coded;
    const char *if_match_takes[2];
    const char *if_none_match_takes[2];
    const char *if_range_takes;
} representation_case_t;

#define STRONG_7                                                               \
    {                                                                          \
        "\"7\"", 3, 0                                                          \
    }
#define WEAK_7                                                                 \
    {                                                                          \
        "\"7\"", 3, 1                                                          \
    }
#define NO_TAG                                                                 \
    {                                                                          \
        NULL, 0, 0                                                             \
    }

static const representation_case_t representation_cases[] = {
    {"nothing there", 0, NO_TAG, 0, {NULL}, {NULL}, NULL},
    {"a strong tag", 1, STRONG_7, 0, {"\"7\""}, {"\"7\"", "W/\"7\""}, "\"7\""},
    {"a strong tag behind gzip",
     1,
     STRONG_7,
     1,
     {"\"7\"", "\"7-gzip\""},
     {"\"7\"", "W/\"7\""},
     "\"7\""},
    {"a weak tag", 1, WEAK_7, 0, {NULL}, {"\"7\"", "W/\"7\""}, NULL},
    {"a weak tag behind gzip",
     1,
     WEAK_7,
     1,
     {NULL},
     {"\"7\"", "W/\"7\""},
     NULL},
    {"no tag", 1, NO_TAG, 0, {NULL}, {NULL}, NULL},
    {"no tag behind gzip", 1, NO_TAG, 1, {NULL}, {NULL}, NULL},
};

typedef enum dating_t { UNDATED, PENDING, DATED, DATINGS } dating_t;

static const char *const dating_name[] = {"undated", "pending", "dated"};
static const char *const verdict_name[] = {"perform", "304", "412"};
static const char *const gzip[] = {"-gzip", NULL};

/* One combination. */
typedef struct combination_t {
    const list_value_t *if_match;
    const list_value_t *if_none_match;
    const date_value_t *if_unmodified_since;
    const date_value_t *if_modified_since;
    const if_range_value_t *if_range;
    int range;
    const representation_case_t *repr;
    dating_t dating;
    int safe;
    condreq_evaluate_mode_t mode;
} combination_t;

/* The second formula. */

static int names_one_of(const list_value_t *list, const char *const taken[2])
{
    int i, j;

    for (i = 0; i < 3 && list->names[i]; i++) {
        for (j = 0; j < 2 && taken[j]; j++) {
            if (!strcmp(list->names[i], taken[j]))
                return 1;
        }
    }
    return 0;
}

static condreq_verdict_t expected_verdict(const combination_t *c)
{
    const representation_case_t *repr = c->repr;
    int tag_agreed =
        repr->exists && (c->if_match->is_any ||
                         names_one_of(c->if_match, repr->if_match_takes));
    int date_lost = repr->exists && c->dating != UNDATED &&
                    c->if_unmodified_since->date == EARLIER;
    int tag_known = repr->exists &&
                    (c->if_none_match->is_any ||
                     names_one_of(c->if_none_match, repr->if_none_match_takes));
    int date_asked = repr->exists && c->dating == DATED &&
                     c->if_modified_since->date != NO_DATE;
    int date_known = date_asked && c->if_modified_since->date != EARLIER;
    int both = c->mode == CONDREQ_EVALUATE_BOTH && date_asked;

    if (c->if_match->value ? !tag_agreed : date_lost)
        return CONDREQ_FAILED;
    if (!c->safe)
        return tag_known ? CONDREQ_FAILED : CONDREQ_PERFORM;
    if (!c->if_none_match->value)
        return date_known ? CONDREQ_NOT_MODIFIED : CONDREQ_PERFORM;
    return tag_known && (date_known || !both) ? CONDREQ_NOT_MODIFIED
                                              : CONDREQ_PERFORM;
}

static condreq_range_t expected_range(const combination_t *c)
{
    const char *tag = c->if_range->tag;
    const char *taken = c->repr->if_range_takes;
    int holds = tag ? taken && !strcmp(tag, taken)
                    : c->if_range->is_current_date && c->dating == DATED;

    return c->range && c->if_range->value && !holds ? CONDREQ_RANGE_IGNORED
                                                    : CONDREQ_RANGE_APPLIES;
}

/* The values, each parsed once. */
static struct {
    condreq_etag_list_t list[COUNT(list_values)];
    condreq_date_field_t date[COUNT(date_values)];
    condreq_if_range_t if_range[COUNT(if_range_values)];
} parsed;

static void parse_values(apr_pool_t *pool)
{
    condreq_precondition_fields_t fields = {.range = NULL};
    condreq_preconditions_t pre;
    size_t i;

    for (i = 0; i < COUNT(list_values); i++) {
        fields.if_match = list_values[i].value;
        condreq_preconditions_parse(&pre, &fields, CURRENT_S, pool);
        parsed.list[i] = pre.if_match;
    }
    for (i = 0; i < COUNT(date_values); i++) {
        fields.if_modified_since = date_values[i].value;
        condreq_preconditions_parse(&pre, &fields, CURRENT_S, pool);
        parsed.date[i] = pre.if_modified_since;
    }
    for (i = 0; i < COUNT(if_range_values); i++) {
        fields.if_range = if_range_values[i].value;
        condreq_preconditions_parse(&pre, &fields, CURRENT_S, pool);
        parsed.if_range[i] = pre.if_range;
    }
}

static condreq_preconditions_t preconditions_of(const combination_t *c)
{
    condreq_preconditions_t pre = {
        .if_match = parsed.list[c->if_match - list_values],
        .if_none_match = parsed.list[c->if_none_match - list_values],
        .if_unmodified_since =
            parsed.date[c->if_unmodified_since - date_values],
        .if_modified_since = parsed.date[c->if_modified_since - date_values],
        .if_range = parsed.if_range[c->if_range - if_range_values],
        .range = c->range,
    };

    return pre;
}

static condreq_representation_t representation_of(const combination_t *c)
{
    condreq_representation_t repr = {
        .etag = c->repr->etag,
        .coding_suffixes = c->repr->coded ? gzip : NULL,
        .has_last_modified = c->dating != UNDATED,
        .last_modified_s = CURRENT_S,
        .last_modified_pending = c->dating == PENDING,
    };

    return repr;
}

static const char *or_none(const char *value)
{
    return value ? value : "(none)";
}

static void report(const combination_t *c, condreq_verdict_t verdict)
{
    printf("# If-Match: %s  If-Unmodified-Since: %s  If-None-Match: %s\n"
           "# If-Modified-Since: %s  If-Range: %s  Range: %s\n"
           "# got %s, expected %s\n",
           or_none(c->if_match->value), or_none(c->if_unmodified_since->value),
           or_none(c->if_none_match->value),
           or_none(c->if_modified_since->value), or_none(c->if_range->value),
           c->range ? "sent" : "(none)", verdict_name[verdict],
           verdict_name[expected_verdict(c)]);
}

/* Returns 1 where code and formula agree. */
static int is_as_expected(const combination_t *c)
{
    condreq_preconditions_t pre = preconditions_of(c);
    condreq_representation_t repr = representation_of(c);
    condreq_verdict_t verdict = condreq_evaluate(
        &pre, c->repr->exists ? &repr : NULL, c->safe, c->mode);
    int agree = verdict == expected_verdict(c);

    if (agree && c->repr->exists)
        agree = condreq_evaluate_range(&pre, &repr) == expected_range(c);
    if (!agree)
        report(c, verdict);
    return agree;
}

/* Goes on to the next combination of fields; 0 after the last. */
static int next_fields(combination_t *c)
{
    if (++c->if_match < list_values + COUNT(list_values))
        return 1;
    c->if_match = list_values;
    if (++c->if_none_match < list_values + COUNT(list_values))
        return 1;
    c->if_none_match = list_values;
    if (++c->if_unmodified_since < date_values + COUNT(date_values))
        return 1;
    c->if_unmodified_since = date_values;
    if (++c->if_modified_since < date_values + COUNT(date_values))
        return 1;
    c->if_modified_since = date_values;
    if (++c->if_range < if_range_values + COUNT(if_range_values))
        return 1;
    c->if_range = if_range_values;
    return c->range++ == 0;
}

static void test_fields(const representation_case_t *repr, dating_t dating,
                        int safe, condreq_evaluate_mode_t mode)
{
    combination_t c = {
        list_values, list_values, date_values, date_values, if_range_values,
        0,           repr,        dating,      safe,        mode};
    long right = 0, wrong = 0;

    do {
        if (is_as_expected(&c))
            right++;
        else
            wrong++;
    } while (wrong < 5 && next_fields(&c));
    ok(wrong == 0, "%s, %s, %s, %s: %ld combinations of fields", repr->name,
       dating_name[dating], safe ? "safe" : "unsafe",
       mode == CONDREQ_EVALUATE_BOTH ? "both" : "rfc9110", right);
}

int main(void)
{
    apr_pool_t *pool;
    size_t i;
    int dating;

    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&pool, NULL);
    parse_values(pool);
    for (i = 0; i < COUNT(representation_cases); i++) {
        const representation_case_t *repr = &representation_cases[i];

        for (dating = UNDATED; dating < DATINGS; dating++) {
            test_fields(repr, (dating_t)dating, 0, CONDREQ_EVALUATE_RFC9110);
            test_fields(repr, (dating_t)dating, 1, CONDREQ_EVALUATE_RFC9110);
            test_fields(repr, (dating_t)dating, 0, CONDREQ_EVALUATE_BOTH);
            test_fields(repr, (dating_t)dating, 1, CONDREQ_EVALUATE_BOTH);
        }
    }
    return done_testing();
}
