/* The five fields of RFC 9110 section 13.1 and Range: what each value is taken
 * for. (What is in a list of tags, and what is a date, have their own tests.)
 */
#include <stdlib.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "condreq_eval.h"
#include "tap.h"

/* 1 July 2024, noon, and in 2090 */
#define NOW_S APR_INT64_C(1719835200)
#define NOW_2090_S APR_INT64_C(3802507200)

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define DATE_SAID "date 784111777"

static apr_pool_t *pool;

static condreq_preconditions_t parsed(condreq_precondition_fields_t fields)
{
    condreq_preconditions_t pre;

    memset(&pre, 0xff, sizeof(pre));
    condreq_preconditions_parse(&pre, &fields, NOW_S, pool);
    return pre;
}

static const char *list_said(const condreq_etag_list_t *list)
{
    if (!list->given)
        return "not given";
    if (list->malformed)
        return "malformed";
    return list->any ? "any" : apr_psprintf(pool, "%d tags", (int)list->count);
}

static const char *date_said(int given, apr_int64_t date_s)
{
    return given ? apr_psprintf(pool, "date %" APR_INT64_T_FMT, date_s)
                 : "not given";
}

static const char *if_range_said(const condreq_if_range_t *field)
{
    if (!field->given)
        return "not given";
    if (field->malformed)
        return "malformed";
    if (field->is_date)
        return date_said(1, field->date_s);
    return condreq_etag_text(&field->etag, pool);
}

static const struct {
    const char *sentence;
    const char *value;
    const char *expected;
} lists[] = {
    {"absent", NULL, "not given"},
    {"empty", "", "0 tags"},
    {"commas", ", ,", "0 tags"},
    {"an asterisk", "*", "any"},
    {"an asterisk with white space around it", "\t* ", "any"},
    {"two fields joined", "\"6\", \"7\"", "2 tags"},
    {"white space around a list", " \"7\"\t", "1 tags"},
    {"a bare word", "7", "malformed"},
    {"a tag and an asterisk", "\"7\", *", "malformed"},
};

static void test_lists(void)
{
    size_t i;

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const char *value = lists[i].value;
        condreq_preconditions_t with_match =
            parsed((condreq_precondition_fields_t){.if_match = value});
        condreq_preconditions_t with_none_match =
            parsed((condreq_precondition_fields_t){.if_none_match = value});
        int malformed = !strcmp(lists[i].expected, "malformed");

        is_text(list_said(&with_match.if_match), lists[i].expected,
                apr_psprintf(pool, "13.1.1 %s", lists[i].sentence));
        is_text(list_said(&with_none_match.if_none_match), lists[i].expected,
                apr_psprintf(pool, "13.1.2 %s", lists[i].sentence));
        ok(condreq_preconditions_malformed(&with_match) == malformed &&
               condreq_preconditions_malformed(&with_none_match) == malformed,
           "%s is %s for an unsafe method", lists[i].sentence,
           malformed ? "a bad request" : "fit");
    }
}

static const struct {
    const char *sentence;
    const char *value;
    const char *expected;
} dates[] = {
    {"absent", NULL, "not given"},
    {"IMF-fixdate", DATE, DATE_SAID},
    {"the form of RFC 850", "Sunday, 06-Nov-94 08:49:37 GMT", DATE_SAID},
    {"the form of asctime", "Sun Nov  6 08:49:37 1994", DATE_SAID},
    {"white space around it", " \t" DATE "\t ", DATE_SAID},
    {"the longest date", " Wednesday, 09-Nov-94 08:49:37 GMT ",
     "date 784370977"},
    {"a future date is a date", "Fri, 31 Dec 9999 23:59:59 GMT",
     "date 253402300799"},
    {"an empty value is ignored", "", "not given"},
    {"white space alone is ignored", " \t", "not given"},
    {"a word is ignored", "now", "not given"},
    {"another zone is ignored", "Sun, 06 Nov 1994 08:49:37 EST", "not given"},
    {"more than one member is ignored", DATE ", " DATE, "not given"},
    {"what stands behind a date spoils it", DATE "; length=3", "not given"},
    {"a byte more than any date has", "Wednesday, 09-Nov-94 08:49:37 GMTx",
     "not given"},
    {"a tag is ignored", "\"7\"", "not given"},
};

static void test_dates(void)
{
    size_t i;

    for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        const char *value = dates[i].value;
        condreq_preconditions_t pre = parsed((condreq_precondition_fields_t){
            .if_modified_since = value, .if_unmodified_since = value});

        is_text(date_said(pre.if_modified_since.given,
                          pre.if_modified_since.date_s),
                dates[i].expected,
                apr_psprintf(pool, "13.1.3 %s", dates[i].sentence));
        is_text(date_said(pre.if_unmodified_since.given,
                          pre.if_unmodified_since.date_s),
                dates[i].expected,
                apr_psprintf(pool, "13.1.4 %s", dates[i].sentence));
        ok(!condreq_preconditions_malformed(&pre),
           "%s is no bad request, 13.1.3 and 13.1.4", dates[i].sentence);
    }
}

static const struct {
    const char *sentence;
    const char *value;
    const char *expected;
} if_ranges[] = {
    {"absent", NULL, "not given"},
    {"a tag", "\"7\"", "\"7\""},
    {"a weak tag is a tag", "W/\"7\"", "W/\"7\""},
    {"white space around a tag", " \"7\"\t", "\"7\""},
    {"a tag that looks like a date", "\"Sun,\"", "\"Sun,\""},
    {"a date", DATE, DATE_SAID},
    {"white space around a date", "\t" DATE " ", DATE_SAID},
    {"a date that begins with W", "Wednesday, 09-Nov-94 08:49:37 GMT",
     "date 784370977"},
    {"two tags", "\"6\", \"7\"", "malformed"},
    {"an asterisk", "*", "malformed"},
    {"an open quote", "\"7", "malformed"},
    {"a small w", "w/\"7\"", "malformed"},
    {"a weak prefix and no tag", "W/7", "malformed"},
    {"a bare word", "7", "malformed"},
    {"an invalid date", "Sun, 06 Nov 1994 08:49:37 EST", "malformed"},
    {"two dates", DATE ", " DATE, "malformed"},
    {"empty", "", "malformed"},
    {"white space alone", "\t", "malformed"},
};

static void test_if_range(void)
{
    size_t i;

    for (i = 0; i < sizeof(if_ranges) / sizeof(if_ranges[0]); i++) {
        condreq_preconditions_t pre = parsed(
            (condreq_precondition_fields_t){.if_range = if_ranges[i].value});

        is_text(if_range_said(&pre.if_range), if_ranges[i].expected,
                apr_psprintf(pool, "13.1.5 %s", if_ranges[i].sentence));
        ok(!condreq_preconditions_malformed(&pre),
           "%s in If-Range is no bad request", if_ranges[i].sentence);
    }
}

static void test_range(void)
{
    ok(parsed((condreq_precondition_fields_t){.range = "bytes=0-1"}).range == 1,
       "14.2 Range was sent");
    ok(parsed((condreq_precondition_fields_t){.range = ""}).range == 1,
       "14.2 be it empty");
    ok(parsed((condreq_precondition_fields_t){.range = NULL}).range == 0,
       "14.2 or it was not");
}

static void test_clock(void)
{
    const condreq_precondition_fields_t fields = {
        .if_modified_since = "Wednesday, 06-Nov-30 08:49:37 GMT",
        .if_range = "Wednesday, 06-Nov-30 08:49:37 GMT"};
    condreq_preconditions_t pre;

    condreq_preconditions_parse(&pre, &fields, NOW_S, pool);
    is_int(pre.if_modified_since.date_s, APR_INT64_C(1920185377),
           "5.6.7 two digits are 2030 for a clock of 2024");
    condreq_preconditions_parse(&pre, &fields, NOW_2090_S, pool);
    is_int(pre.if_modified_since.date_s, APR_INT64_C(5075858977),
           "5.6.7 and 2130 for one of 2090");
    is_int(pre.if_range.date_s, APR_INT64_C(5075858977),
           "5.6.7 in If-Range too");
}

int main(void)
{
    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&pool, NULL);
    test_lists();
    test_dates();
    test_if_range();
    test_range();
    test_clock();
    return done_testing();
}
