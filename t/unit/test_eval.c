/* RFC 9110 section 13, clause by clause: a request's fields, the selected
 * representation, the verdict. (test_eval_cross has all combinations.) */
#include <stdlib.h>

#include "apr_general.h"

#include "condreq_eval.h"
#include "tap.h"

/* The current version is of 1994-11-06 08:49:37 GMT. */
#define CURRENT_S APR_INT64_C(784111777)
#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define SAME "Sun, 06 Nov 1994 08:49:37 GMT"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"
#define FUTURE "Fri, 31 Dec 9999 23:59:59 GMT"
#define NO_DATE "Sun, 06 Nov 1994 08:49:37 EST"

/* A request's fields. */
#define IM(value) .if_match = value
#define INM(value) .if_none_match = value
#define IUS(value) .if_unmodified_since = value
#define IMS(value) .if_modified_since = value
#define IF_RANGE(value) .if_range = value
#define RANGE .range = "bytes=0-1"

enum { GET = 1, PUT = 0 };

#define RFC CONDREQ_EVALUATE_RFC9110
#define BOTH CONDREQ_EVALUATE_BOTH
#define PERFORM CONDREQ_PERFORM
#define NOT_MODIFIED CONDREQ_NOT_MODIFIED
#define FAILED CONDREQ_FAILED

#define TAG(text, is_weak) .etag = {text, sizeof(text) - 1, is_weak}
#define DATED .has_last_modified = 1, .last_modified_s = CURRENT_S
#define PENDING DATED, .last_modified_pending = 1

static const char *const codings[] = {"-br", "-gzip", NULL};

static const condreq_representation_t strong_7 = {TAG("\"7\"", 0), DATED};
static const condreq_representation_t coded_7 = {TAG("\"7\"", 0), DATED,
                                                 .coding_suffixes = codings};
static const condreq_representation_t weak_7 = {TAG("\"7\"", 1), DATED,
                                                .coding_suffixes = codings};
static const condreq_representation_t undated_7 = {TAG("\"7\"", 0)};
static const condreq_representation_t pending_7 = {TAG("\"7\"", 0), PENDING};
static const condreq_representation_t untagged = {DATED,
                                                  .coding_suffixes = codings};
#define MISSING NULL

typedef struct row_t {
    const char *clause;
    const condreq_representation_t *repr;
    condreq_precondition_fields_t fields;
    int method;
    condreq_evaluate_mode_t mode;
    condreq_verdict_t verdict;
} row_t;

/* clang-format off */
static const row_t if_match[] = {
{ "no field at all",              &strong_7,  { .range = NULL },               PUT, RFC, PERFORM },
{ "no field, nothing there",      MISSING,    { .range = NULL },               PUT, RFC, PERFORM },

{ "13.1.1 * and it exists",       &strong_7,  { IM("*") },                     PUT, RFC, PERFORM },
{ "13.1.1 * with a weak tag",     &weak_7,    { IM("*") },                     PUT, RFC, PERFORM },
{ "13.1.1 * with no tag",         &untagged,  { IM("*") },                     PUT, RFC, PERFORM },
{ "13.1.1 * and nothing there",   MISSING,    { IM("*") },                     PUT, RFC, FAILED },
{ "13.1.1 the tag",               &strong_7,  { IM("\"7\"") },                 PUT, RFC, PERFORM },
{ "13.1.1 another tag",           &strong_7,  { IM("\"6\"") },                 PUT, RFC, FAILED },
{ "13.1.1 first of a list",       &strong_7,  { IM("\"7\", \"6\"") },          PUT, RFC, PERFORM },
{ "13.1.1 last of a list",        &strong_7,  { IM("\"5\", \"6\", \"7\"") },   PUT, RFC, PERFORM },
{ "13.1.1 none of a list",        &strong_7,  { IM("\"5\", \"6\"") },          PUT, RFC, FAILED },
{ "13.1.1 inside another tag",    &strong_7,  { IM("\"6,7\"") },               PUT, RFC, FAILED },
{ "13.1.1 nothing there",         MISSING,    { IM("\"7\"") },                 PUT, RFC, FAILED },
{ "13.1.1 no tag to compare",     &untagged,  { IM("\"7\"") },                 PUT, RFC, FAILED },
{ "13.1.1 no tag, empty name",    &untagged,  { IM("\"\"") },                  PUT, RFC, FAILED },
{ "13.1.1 weak given",            &strong_7,  { IM("W/\"7\"") },               PUT, RFC, FAILED },
{ "13.1.1 weak current",          &weak_7,    { IM("\"7\"") },                 PUT, RFC, FAILED },
{ "13.1.1 weak both",             &weak_7,    { IM("W/\"7\"") },               PUT, RFC, FAILED },
{ "13.1.1 weak, then strong",     &strong_7,  { IM("W/\"7\", \"7\"") },        PUT, RFC, PERFORM },
{ "13.1.1 an empty list",         &strong_7,  { IM("") },                      PUT, RFC, FAILED },
{ "13.1.1 commas alone",          &strong_7,  { IM(", ,") },                   PUT, RFC, FAILED },
{ "13.1.1 GET, the tag",          &strong_7,  { IM("\"7\"") },                 GET, RFC, PERFORM },
{ "13.1.1 GET, another tag",      &strong_7,  { IM("\"6\"") },                 GET, RFC, FAILED },
{ "13.1.1 GET, nothing there",    MISSING,    { IM("*") },                     GET, RFC, FAILED },
{ "13.1.1 GET, malformed",        &strong_7,  { IM("\"7\", 6") },              GET, RFC, FAILED },
{ "13.1.1 GET, malformed *",      &strong_7,  { IM("**") },                    GET, RFC, FAILED },

{ "codings: gzip's suffix",       &coded_7,   { IM("\"7-gzip\"") },            PUT, RFC, PERFORM },
{ "codings: br's suffix",         &coded_7,   { IM("\"6\", \"7-br\"") },       PUT, RFC, PERFORM },
{ "codings: the plain tag",       &coded_7,   { IM("\"7\"") },                 PUT, RFC, PERFORM },
{ "codings: an unknown suffix",   &coded_7,   { IM("\"7-zstd\"") },            PUT, RFC, FAILED },
{ "codings: two suffixes",        &coded_7,   { IM("\"7-br-gzip\"") },         PUT, RFC, FAILED },
{ "codings: another version",     &coded_7,   { IM("\"6-gzip\"") },            PUT, RFC, FAILED },
{ "codings: a weak one",          &coded_7,   { IM("W/\"7-gzip\"") },          PUT, RFC, FAILED },
{ "codings: a weak version",      &weak_7,    { IM("\"7-gzip\"") },            PUT, RFC, FAILED },
{ "codings: none configured",     &strong_7,  { IM("\"7-gzip\"") },            PUT, RFC, FAILED },
{ "codings: no tag",              &untagged,  { IM("\"-gzip\"") },             PUT, RFC, FAILED },
};

static const row_t if_none_match[] = {
{ "13.1.2 * and it exists",       &strong_7,  { INM("*") },                    PUT, RFC, FAILED },
{ "13.1.2 * with no tag",         &untagged,  { INM("*") },                    PUT, RFC, FAILED },
{ "13.1.2 * and nothing there",   MISSING,    { INM("*") },                    PUT, RFC, PERFORM },
{ "13.1.2 the tag",               &strong_7,  { INM("\"7\"") },                PUT, RFC, FAILED },
{ "13.1.2 another tag",           &strong_7,  { INM("\"6\"") },                PUT, RFC, PERFORM },
{ "13.1.2 nothing there",         MISSING,    { INM("\"7\"") },                PUT, RFC, PERFORM },
{ "13.1.2 GET, the tag",          &strong_7,  { INM("\"7\"") },                GET, RFC, NOT_MODIFIED },
{ "13.1.2 GET, another tag",      &strong_7,  { INM("\"6\"") },                GET, RFC, PERFORM },
{ "13.1.2 GET, *",                &strong_7,  { INM("*") },                    GET, RFC, NOT_MODIFIED },
{ "13.1.2 GET, nothing there",    MISSING,    { INM("*") },                    GET, RFC, PERFORM },
{ "13.1.2 GET, in a list",        &strong_7,  { INM("\"5\", \"7\"") },         GET, RFC, NOT_MODIFIED },
{ "13.1.2 GET, not in a list",    &strong_7,  { INM("\"5\", \"6\"") },         GET, RFC, PERFORM },
{ "13.1.2 weak given",            &strong_7,  { INM("W/\"7\"") },              GET, RFC, NOT_MODIFIED },
{ "13.1.2 weak current",          &weak_7,    { INM("\"7\"") },                GET, RFC, NOT_MODIFIED },
{ "13.1.2 weak both",             &weak_7,    { INM("W/\"7\"") },              GET, RFC, NOT_MODIFIED },
{ "13.1.2 weak, unsafe",          &weak_7,    { INM("W/\"7\"") },              PUT, RFC, FAILED },
{ "13.1.2 no tag to compare",     &untagged,  { INM("\"7\"") },                GET, RFC, PERFORM },
{ "13.1.2 an empty list",         &strong_7,  { INM("") },                     GET, RFC, PERFORM },
{ "13.1.2 malformed",             &strong_7,  { INM("\"7\" \"6\"") },          GET, RFC, PERFORM },
{ "13.1.2 malformed *",           &strong_7,  { INM("*, \"7\"") },             GET, RFC, PERFORM },
{ "codings: another variant",     &coded_7,   { INM("\"7-gzip\"") },           GET, RFC, PERFORM },
};

static const row_t dates[] = {
{ "13.1.3 modified since",        &strong_7,  { IMS(EARLIER) },                GET, RFC, PERFORM },
{ "13.1.3 not since the same",    &strong_7,  { IMS(SAME) },                   GET, RFC, NOT_MODIFIED },
{ "13.1.3 not since a later",     &strong_7,  { IMS(LATER) },                  GET, RFC, NOT_MODIFIED },
{ "13.1.3 not since a future",    &strong_7,  { IMS(FUTURE) },                 GET, RFC, NOT_MODIFIED },
{ "13.1.3 no date is ignored",    &strong_7,  { IMS(NO_DATE) },                GET, RFC, PERFORM },
{ "13.1.3 two dates are ignored", &strong_7,  { IMS(SAME ", " SAME) },         GET, RFC, PERFORM },
{ "13.1.3 ignored on PUT",        &strong_7,  { IMS(SAME) },                   PUT, RFC, PERFORM },
{ "13.1.3 ignored undated",       &undated_7, { IMS(FUTURE) },                 GET, RFC, PERFORM },
{ "13.1.3 ignored while pending", &pending_7, { IMS(FUTURE) },                 GET, RFC, PERFORM },
{ "13.1.3 nothing there",         MISSING,    { IMS(FUTURE) },                 GET, RFC, PERFORM },
{ "13.1.3 needs no tag",          &untagged,  { IMS(SAME) },                   GET, RFC, NOT_MODIFIED },

{ "13.1.4 modified since",        &strong_7,  { IUS(EARLIER) },                PUT, RFC, FAILED },
{ "13.1.4 not since the same",    &strong_7,  { IUS(SAME) },                   PUT, RFC, PERFORM },
{ "13.1.4 not since a later",     &strong_7,  { IUS(LATER) },                  PUT, RFC, PERFORM },
{ "13.1.4 not since a future",    &strong_7,  { IUS(FUTURE) },                 PUT, RFC, PERFORM },
{ "13.1.4 no date is ignored",    &strong_7,  { IUS(NO_DATE) },                PUT, RFC, PERFORM },
{ "13.1.4 GET too",               &strong_7,  { IUS(EARLIER) },                GET, RFC, FAILED },
{ "13.1.4 GET, same",             &strong_7,  { IUS(SAME) },                   GET, RFC, PERFORM },
{ "13.1.4 ignored undated",       &undated_7, { IUS(EARLIER) },                PUT, RFC, PERFORM },
{ "13.1.4 counts while pending",  &pending_7, { IUS(EARLIER) },                PUT, RFC, FAILED },
{ "13.1.4 nothing there",         MISSING,    { IUS(EARLIER) },                PUT, RFC, PERFORM },
{ "13.1.4 needs no tag",          &untagged,  { IUS(EARLIER) },                PUT, RFC, FAILED },
};

static const row_t order[] = {
{ "13.2.2 step 1 before 2: true", &strong_7,  { IM("\"7\""), IUS(EARLIER) },   PUT, RFC, PERFORM },
{ "13.2.2 step 1 before 2: false",&strong_7,  { IM("\"6\""), IUS(LATER) },     PUT, RFC, FAILED },
{ "13.2.2 step 1, malformed",     &strong_7,  { IM("7"), IUS(LATER) },         GET, RFC, FAILED },
{ "13.2.2 step 1 true, 3 false",  &strong_7,  { IM("\"7\""), INM("\"7\"") },   PUT, RFC, FAILED },
{ "13.2.2 step 1 true, 3 false",  &strong_7,  { IM("\"7\""), INM("\"7\"") },   GET, RFC, NOT_MODIFIED },
{ "13.2.2 step 1 false, 3 false", &strong_7,  { IM("\"6\""), INM("\"7\"") },   GET, RFC, FAILED },
{ "13.2.2 step 1 true, 4 false",  &strong_7,  { IM("\"7\""), IMS(SAME) },      GET, RFC, NOT_MODIFIED },
{ "13.2.2 step 2 false, 3 false", &strong_7,  { IUS(EARLIER), INM("\"7\"") },  GET, RFC, FAILED },
{ "13.2.2 step 2 true, 3 false",  &strong_7,  { IUS(SAME), INM("\"7\"") },     GET, RFC, NOT_MODIFIED },
{ "13.2.2 step 2 true, 4 false",  &strong_7,  { IUS(SAME), IMS(SAME) },        GET, RFC, NOT_MODIFIED },
{ "13.2.2 step 3 true, 4 false",  &strong_7,  { INM("\"6\""), IMS(LATER) },    GET, RFC, PERFORM },
{ "13.2.2 step 3 false, 4 true",  &strong_7,  { INM("\"7\""), IMS(EARLIER) },  GET, RFC, NOT_MODIFIED },
{ "13.2.2 step 3 empty, 4 false", &strong_7,  { INM(""), IMS(LATER) },         GET, RFC, PERFORM },
{ "13.2.2 step 3 malformed, 4",   &strong_7,  { INM("7"), IMS(LATER) },        GET, RFC, PERFORM },
{ "13.2.2 all four, all true",    &strong_7,  { IM("\"7\""), IUS(EARLIER), INM("\"6\""), IMS(LATER) },
                                                                               GET, RFC, PERFORM },
{ "13.2.2 Range changes nothing", &strong_7,  { INM("\"7\""), IF_RANGE("\"6\""), RANGE },
                                                                               GET, RFC, NOT_MODIFIED },
};

static const row_t both[] = {
{ "both say unchanged",           &strong_7,  { INM("\"7\""), IMS(SAME) },     GET, BOTH, NOT_MODIFIED },
{ "the date says changed",        &strong_7,  { INM("\"7\""), IMS(EARLIER) },  GET, BOTH, PERFORM },
{ "the tag says changed",         &strong_7,  { INM("\"6\""), IMS(SAME) },     GET, BOTH, PERFORM },
{ "both say changed",             &strong_7,  { INM("\"6\""), IMS(EARLIER) },  GET, BOTH, PERFORM },
{ "* counts as a tag",            &strong_7,  { INM("*"), IMS(EARLIER) },      GET, BOTH, PERFORM },
{ "a tag alone",                  &strong_7,  { INM("\"7\"") },                GET, BOTH, NOT_MODIFIED },
{ "a date alone",                 &strong_7,  { IMS(SAME) },                   GET, BOTH, NOT_MODIFIED },
{ "no date in the field",         &strong_7,  { INM("\"7\""), IMS(NO_DATE) },  GET, BOTH, NOT_MODIFIED },
{ "an undated representation",    &undated_7, { INM("\"7\""), IMS(EARLIER) },  GET, BOTH, NOT_MODIFIED },
{ "a pending date",               &pending_7, { INM("\"7\""), IMS(EARLIER) },  GET, BOTH, NOT_MODIFIED },
{ "PUT has no second condition",  &strong_7,  { INM("\"7\""), IMS(EARLIER) },  PUT, BOTH, FAILED },
{ "nothing there",                MISSING,    { INM("\"7\""), IMS(EARLIER) },  GET, BOTH, PERFORM },
{ "If-Match as ever",             &strong_7,  { IM("\"6\""), INM("\"7\""), IMS(SAME) },
                                                                               GET, BOTH, FAILED },
};

static const struct {
    const char *clause;
    const condreq_representation_t *repr;
    condreq_precondition_fields_t fields;
    int applies;
} ranges[] = {
{ "14.2 Range alone",             &strong_7,  { RANGE },                                1 },
{ "13.1.5 the tag",               &strong_7,  { RANGE, IF_RANGE("\"7\"") },             1 },
{ "13.1.5 another tag",           &strong_7,  { RANGE, IF_RANGE("\"6\"") },             0 },
{ "13.1.5 a weak tag",            &strong_7,  { RANGE, IF_RANGE("W/\"7\"") },           0 },
{ "13.1.5 a weak current",        &weak_7,    { RANGE, IF_RANGE("\"7\"") },             0 },
{ "13.1.5 weak both",             &weak_7,    { RANGE, IF_RANGE("W/\"7\"") },           0 },
{ "13.1.5 no tag to compare",     &untagged,  { RANGE, IF_RANGE("\"7\"") },             0 },
{ "13.1.5 a coding's suffix",     &coded_7,   { RANGE, IF_RANGE("\"7-gzip\"") },        0 },
{ "13.1.5 the date",              &strong_7,  { RANGE, IF_RANGE(SAME) },                1 },
{ "13.1.5 the date, no tag",      &untagged,  { RANGE, IF_RANGE(SAME) },                1 },
{ "13.1.5 an earlier date",       &strong_7,  { RANGE, IF_RANGE(EARLIER) },             0 },
{ "13.1.5 a later date",          &strong_7,  { RANGE, IF_RANGE(LATER) },               0 },
{ "13.1.5 undated",               &undated_7, { RANGE, IF_RANGE(SAME) },                0 },
{ "13.1.5 a pending date",        &pending_7, { RANGE, IF_RANGE(SAME) },                0 },
{ "13.1.5 neither",               &strong_7,  { RANGE, IF_RANGE("7") },                 0 },
{ "13.1.5 a list",                &strong_7,  { RANGE, IF_RANGE("\"7\", \"6\"") },      0 },
{ "13.1.5 an invalid date",       &strong_7,  { RANGE, IF_RANGE(NO_DATE) },             0 },
{ "13.1.5 empty",                 &strong_7,  { RANGE, IF_RANGE("") },                  0 },
{ "13.1.5 If-Range alone, false", &strong_7,  { IF_RANGE("\"6\"") },                    1 },
{ "13.1.5 If-Range alone, bad",   &strong_7,  { IF_RANGE("6") },                        1 },
{ "13.1.5 nothing at all",        &strong_7,  { .range = NULL },                        1 },
};
/* clang-format on */

static const char *const verdict_name[] = {"perform", "304", "412"};

static void test_verdicts(const row_t *rows, size_t count, apr_pool_t *pool)
{
    size_t i;

    for (i = 0; i < count; i++) {
        condreq_preconditions_t pre;
        condreq_verdict_t verdict;

        condreq_preconditions_parse(&pre, &rows[i].fields, CURRENT_S, pool);
        verdict =
            condreq_evaluate(&pre, rows[i].repr, rows[i].method, rows[i].mode);
        if (!ok(verdict == rows[i].verdict, "%s%s: %s",
                rows[i].mode == BOTH ? "CondReqEvaluate both: " : "",
                rows[i].clause, verdict_name[rows[i].verdict]))
            printf("#   got %s\n", verdict_name[verdict]);
    }
}

static void test_ranges(apr_pool_t *pool)
{
    size_t i;

    for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        condreq_preconditions_t pre;
        condreq_range_t range;

        condreq_preconditions_parse(&pre, &ranges[i].fields, CURRENT_S, pool);
        range = condreq_evaluate_range(&pre, ranges[i].repr);
        ok((range == CONDREQ_RANGE_APPLIES) == ranges[i].applies,
           "%s: Range %s", ranges[i].clause,
           ranges[i].applies ? "applies" : "is ignored");
    }
}

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&pool, NULL);
    test_verdicts(if_match, COUNT(if_match), pool);
    test_verdicts(if_none_match, COUNT(if_none_match), pool);
    test_verdicts(dates, COUNT(dates), pool);
    test_verdicts(order, COUNT(order), pool);
    test_verdicts(both, COUNT(both), pool);
    test_ranges(pool);
    return done_testing();
}
