/* The If field of RFC 4918 section 10.4: what is well-formed, what it means,
 * and the product of small fields and states against a plainer formula. */
#include <stdlib.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "condreq_if.h"
#include "tap.h"

static apr_pool_t *pool;

/* ---- syntax, section 10.4.2 ---- */

#define GOOD CONDREQ_IF_GOOD
#define BAD CONDREQ_IF_MALFORMED

static const struct {
    const char *sentence;
    const char *value;
    condreq_if_syntax_t syntax;
    /** "tag:conditions" of each list, blanks between */
    const char *lists;
} syntaxes[] = {
    {"10.4.6 no-tag production",
     "(<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2> [\"I am an ETag\"]) "
     "([\"I am another ETag\"])",
     GOOD, "self:2 self:1"},
    {"10.4.7 Not",
     "(Not <urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2> "
     "<urn:uuid:58f202ac-22cf-11d1-b12d-002035b29092>)",
     GOOD, "self:2"},
    {"10.4.8 a condition that is always true",
     "(<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2>) (Not <DAV:no-lock>)",
     GOOD, "self:1 self:1"},
    {"10.4.9 tagged lists",
     "</resource1> (<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2> "
     "[W/\"A-weak-ETag\"]) ([\"strong-ETag\"])",
     GOOD, "/resource1:2 /resource1:1"},
    {"10.4.10 lock tokens of a collection",
     "<http://www.example.com/specs/> "
     "(<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2>)",
     GOOD, "http://www.example.com/specs/:1"},
    {"10.4.11 an unmapped URL", "</specs/rfc2518.doc> ([\"4217\"])", GOOD,
     "/specs/rfc2518.doc:1"},
    {"10.4.11 and Not", "</specs/rfc2518.doc> (Not [\"4217\"])", GOOD,
     "/specs/rfc2518.doc:1"},
    {"no white space at all", "(<a:b>[\"x\"]Not<c:d>)(Not[\"y\"])", GOOD,
     "self:3 self:1"},
    {"white space everywhere", " \t( <a:b> \t Not  <c:d> ) \t( [ \"x\" ] ) ",
     GOOD, "self:2 self:1"},
    {"not in any case", "(NOT <a:b> nOt <a:c> not[\"x\"])", GOOD, "self:3"},
    {"several resources", "</a> (<x:1>) (<x:2>) </b>([\"y\"]) <h:c>(<x:3>)",
     GOOD, "/a:1 /a:1 /b:1 h:c:1"},
    {"a parenthesis in an entity-tag", "([\"a)b\"] <x:y>)", GOOD, "self:2"},
    {"a bracket in an entity-tag", "([\"a]b\"])", GOOD, "self:1"},
    {"angle brackets in an entity-tag", "([\"<a>\"])", GOOD, "self:1"},
    {"a parenthesis in a token", "(<x:(y)>)", GOOD, "self:1"},
    {"a parenthesis in a resource tag", "</a(1).json> (<x:y>)", GOOD,
     "/a(1).json:1"},
    {"an escape in a resource tag", "</a%2Fb> (<x:y>)", GOOD, "/a%2Fb:1"},
    {"a query in a resource tag", "</a?b=c> (<x:y>)", GOOD, "/a?b=c:1"},
    {"an empty tag", "([\"\"])", GOOD, "self:1"},
    {"not sent", NULL, GOOD, ""},

    {"nothing", "", BAD, ""},
    {"white space", "  ", BAD, ""},
    {"an empty list", "()", BAD, ""},
    {"an empty list with a blank in it", "( )", BAD, ""},
    {"an empty list behind a good one", "(<x:y>) ()", BAD, ""},
    {"a bare URI", "<x:y>", BAD, ""},
    {"a token without a list", "urn:uuid:1", BAD, ""},
    {"a resource tag without a list", "</a>", BAD, ""},
    {"a resource tag without a list at the end", "</a> (<x:y>) </b>", BAD, ""},
    {"untagged, then tagged", "(<x:y>) </a> (<x:y>)", BAD, ""},
    {"a list that is not closed", "(<x:y>", BAD, ""},
    {"a list that is not opened", "<x:y>)", BAD, ""},
    {"two parentheses", "((<x:y>))", BAD, ""},
    {"what follows a list", "(<x:y>) x", BAD, ""},
    {"two fields joined", "(<x:y>), (<x:z>)", BAD, ""},
    {"Not without a condition", "(Not)", BAD, ""},
    {"Not twice", "(Not Not <x:y>)", BAD, ""},
    {"Not in front of a list", "Not (<x:y>)", BAD, ""},
    {"a token that is no absolute URI", "(<xy>)", BAD, ""},
    {"a token that is a path", "(</xy>)", BAD, ""},
    {"an empty token", "(<>)", BAD, ""},
    {"a token with a blank", "(<x: y>)", BAD, ""},
    {"a token with a fragment", "(<x:y#z>)", BAD, ""},
    {"a token whose scheme begins with a digit", "(<1x:y>)", BAD, ""},
    {"a token with half an escape", "(<x:%4>)", BAD, ""},
    {"a token that is not closed", "(<x:y)", BAD, ""},
    {"a tag without quotes", "([x])", BAD, ""},
    {"a tag without brackets", "(\"x\")", BAD, ""},
    {"a tag with a small w", "([w/\"x\"])", BAD, ""},
    {"a tag with a control character", "([\"x\001\"])", BAD, ""},
    {"a tag with a quote in it", "([\"x\"y\"])", BAD, ""},
    {"a tag that is not closed", "([\"x)", BAD, ""},
    {"a bracket that is not closed", "([\"x\")", BAD, ""},
    {"two tags in brackets", "([\"x\", \"y\"])", BAD, ""},
    {"a resource tag that is relative", "<a> (<x:y>)", BAD, ""},
    {"a resource tag with a blank", "</a b> (<x:y>)", BAD, ""},
    {"an asterisk", "*", BAD, ""},
    {"an asterisk in a list", "([*])", BAD, ""},
};

static const char *lists_said(const condreq_if_t *parsed)
{
    const char *said = "";
    apr_size_t i;

    for (i = 0; i < parsed->count; i++) {
        const condreq_if_list_t *list = &parsed->lists[i];

        said = apr_psprintf(pool, "%s%s%s:%d", said, i ? " " : "",
                            list->resource_tag ? list->resource_tag : "self",
                            (int)list->count);
    }
    return said;
}

static void test_syntax(void)
{
    size_t i;

    for (i = 0; i < sizeof syntaxes / sizeof *syntaxes; i++) {
        condreq_if_t parsed;

        memset(&parsed, 0xff, sizeof parsed);
        is_int(condreq_if_parse(&parsed, syntaxes[i].value, pool),
               syntaxes[i].syntax, syntaxes[i].sentence);
        is_int(parsed.given, syntaxes[i].value != NULL, "and whether it came");
        is_text(lists_said(&parsed), syntaxes[i].lists, "and its lists");
    }
}

/* ---- budgets ---- */

static const char *times(const char *text, int count)
{
    const char *all = "";

    while (count--)
        all = apr_pstrcat(pool, all, text, NULL);
    return all;
}

static void test_budgets(void)
{
    condreq_if_t parsed;

    is_int(
        condreq_if_parse(&parsed, times("(<x:y>)", CONDREQ_IF_LISTS_MAX), pool),
        GOOD, "as many lists as there may be");
    is_int((long long)parsed.count, CONDREQ_IF_LISTS_MAX, "are all there");
    is_int(condreq_if_parse(&parsed, times("(<x:y>)", CONDREQ_IF_LISTS_MAX + 1),
                            pool),
           CONDREQ_IF_TOO_MANY, "one more is too many");
    is_int((long long)parsed.count, 0, "and none is kept");
    is_int(condreq_if_parse(
               &parsed,
               apr_pstrcat(pool, "(", times("<x:y>", CONDREQ_IF_CONDITIONS_MAX),
                           ")", NULL),
               pool),
           GOOD, "as many conditions as there may be");
    is_int(condreq_if_parse(
               &parsed,
               apr_pstrcat(pool, "(",
                           times("<x:y>", CONDREQ_IF_CONDITIONS_MAX + 1), ")",
                           NULL),
               pool),
           CONDREQ_IF_TOO_MANY, "and one more");
}

/* ---- truth, sections 10.4.3 and 10.4.4 ---- */

static condreq_etag_t etag_of(const char *text)
{
    condreq_etag_t etag = {NULL, 0, 0};

    if (text)
        condreq_etag_parse(&etag, text);
    return etag;
}

static int holds(const char *value, const char *etag, const char *token)
{
    static const char *const suffixes[] = {"-gzip", NULL};
    const char *tokens[] = {token, token ? "urn:second" : NULL, NULL};
    condreq_if_state_t state = {etag_of(etag), suffixes, tokens};
    condreq_if_t parsed;

    if (condreq_if_parse(&parsed, value, pool) != GOOD || parsed.count != 1)
        abort();
    return condreq_if_list_holds(&parsed.lists[0], &state);
}

static const struct {
    const char *sentence;
    const char *value;
    const char *etag;
    const char *token;
    int holds;
} truths[] = {
    {"the token is one of the resource's", "(<x:y>)", NULL, "x:y", 1},
    {"or its other one", "(<urn:second>)", NULL, "x:y", 1},
    {"no other is", "(<x:z>)", NULL, "x:y", 0},
    {"a token is compared whole", "(<x:yy>)", NULL, "x:y", 0},
    {"from its beginning to its end", "(<x:y>)", NULL, "x:yy", 0},
    {"in its case", "(<X:y>)", NULL, "x:y", 0},
    {"what is not there has no token", "(<x:y>)", NULL, NULL, 0},
    {"Not of that is true", "(Not <x:y>)", NULL, NULL, 1},
    {"nothing has DAV:no-lock", "(<DAV:no-lock>)", "\"1\"", "x:y", 0},
    {"and Not is always true", "(Not <DAV:no-lock>)", "\"1\"", "x:y", 1},
    {"the entity-tag is the resource's", "([\"1\"])", "\"1\"", NULL, 1},
    {"another is not", "([\"2\"])", "\"1\"", NULL, 0},
    {"a weak one matches nothing", "([W/\"1\"])", "\"1\"", NULL, 0},
    {"nor is a weak one matched", "([W/\"1\"])", "W/\"1\"", NULL, 0},
    {"by a strong one neither", "([\"1\"])", "W/\"1\"", NULL, 0},
    {"one that was coded names its version", "([\"1-gzip\"])", "\"1\"", NULL,
     1},
    {"what is not there has no tag", "([\"1\"])", NULL, NULL, 0},
    {"Not of that is true as well", "(Not [\"1\"])", NULL, NULL, 1},
    {"all must hold", "(<x:y> [\"1\"])", "\"1\"", "x:y", 1},
    {"not the first alone", "(<x:y> [\"2\"])", "\"1\"", "x:y", 0},
    {"nor the last alone", "(<x:z> [\"1\"])", "\"1\"", "x:y", 0},
    {"Not is about one condition", "(Not <x:z> [\"2\"])", "\"1\"", "x:y", 0},
    {"wherever it stands", "([\"1\"] Not <x:z>)", "\"1\"", "x:y", 1},
};

static void test_truth(void)
{
    size_t i;

    for (i = 0; i < sizeof truths / sizeof *truths; i++)
        is_int(holds(truths[i].value, truths[i].etag, truths[i].token),
               truths[i].holds, truths[i].sentence);
}

/* The product: lists of up to three conditions, each of which is one of eight
 * kinds, on each of nine states. The plainer formula knows a kind's truth from
 * a table and counts. */
#define KINDS 8

static const struct {
    const char *text;
    const char *token;
    const char *etag;
    int negated;
} kinds[KINDS] = {
    {"<t:1>", "t:1", NULL, 0},       {"Not <t:1>", "t:1", NULL, 1},
    {"<t:2>", "t:2", NULL, 0},       {"Not <t:2>", "t:2", NULL, 1},
    {"[\"e1\"]", NULL, "\"e1\"", 0}, {"Not [\"e1\"]", NULL, "\"e1\"", 1},
    {"[\"e2\"]", NULL, "\"e2\"", 0}, {"Not [\"e2\"]", NULL, "\"e2\"", 1},
};

static const char *const token_states[] = {NULL, "t:1", "t:2"};
static const char *const etag_states[] = {NULL, "\"e1\"", "\"e2\""};

static int plainly_true(int kind, const char *token, const char *etag)
{
    const char *wanted =
        kinds[kind].token ? kinds[kind].token : kinds[kind].etag;
    const char *had = kinds[kind].token ? token : etag;

    return (had && !strcmp(had, wanted)) != kinds[kind].negated;
}

static int product_is_wrong(int length, int number, const char *token,
                            const char *etag)
{
    const char *tokens[] = {token, NULL};
    condreq_if_state_t state = {etag_of(etag), NULL, tokens};
    const char *value = "(";
    condreq_if_t parsed;
    int expected = 0, i;

    for (i = 0; i < length; i++, number /= KINDS) {
        value = apr_pstrcat(pool, value, kinds[number % KINDS].text, NULL);
        expected += plainly_true(number % KINDS, token, etag);
    }
    value = apr_pstrcat(pool, value, ")", NULL);
    condreq_if_parse(&parsed, value, pool);
    return parsed.count != 1 ||
           condreq_if_list_holds(parsed.lists, &state) != (expected == length);
}

static void test_product(void)
{
    int length, number, numbers = 1, state, wrong = 0, asked = 0;

    for (length = 1; length <= 3; length++) {
        numbers *= KINDS;
        for (number = 0; number < numbers; number++) {
            for (state = 0; state < 9; state++, asked++)
                wrong +=
                    product_is_wrong(length, number, token_states[state % 3],
                                     etag_states[state / 3]);
        }
    }
    is_int(asked, 9 * (8 + 64 + 512), "every list was asked of every state");
    is_int(wrong, 0, "and each holds where all its conditions do");
}

/* ---- tokens ---- */

static void test_tokens(void)
{
    condreq_if_t parsed;

    condreq_if_parse(&parsed, "</a> (<x:1> Not <x:2>) </b> ([\"1\"] <x:3>)",
                     pool);
    ok(condreq_if_submits(&parsed, "x:1"), "a token is submitted by standing");
    ok(condreq_if_submits(&parsed, "x:2"), "10.4.1: behind Not too");
    ok(condreq_if_submits(&parsed, "x:3"), "about whatever resource");
    ok(!condreq_if_submits(&parsed, "x:4"), "one that is missing is not");
    ok(!condreq_if_submits(&parsed, "x:"), "nor the beginning of one");
    is_text(condreq_if_single_token(&parsed, pool), NULL, "three are not one");
    condreq_if_parse(&parsed, "([\"1\"] <x:1>)", pool);
    is_text(condreq_if_single_token(&parsed, pool), "x:1",
            "one is, with a tag");
    condreq_if_parse(&parsed, "([\"1\"])", pool);
    is_text(condreq_if_single_token(&parsed, pool), NULL, "none is not");
    is_text(condreq_coded_url("<urn:uuid:1>", pool), "urn:uuid:1",
            "10.5 Lock-Token");
    is_text(condreq_coded_url(" <urn:uuid:1>\t", pool), "urn:uuid:1",
            "with white space around it");
    is_text(condreq_coded_url("urn:uuid:1", pool), NULL, "without brackets");
    is_text(condreq_coded_url("<urn:uuid:1", pool), NULL, "with one bracket");
    is_text(condreq_coded_url("<urn:uuid:1> x", pool), NULL, "with more");
    is_text(condreq_coded_url("(<urn:uuid:1>)", pool), NULL, "as a list");
    is_text(condreq_coded_url("</urn>", pool), NULL, "as a path");
    is_text(condreq_coded_url("", pool), NULL, "empty");
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_syntax();
    test_budgets();
    test_truth();
    test_product();
    test_tokens();
    return done_testing();
}
