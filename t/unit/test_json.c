/* Which texts are JSON (RFC 8259), and where the others go wrong.
 * The rows without a section are of RFC 7493 or budgets of our own. */

#include <pthread.h>
#include <stdlib.h>

#include "apr_general.h"
#include "apr_strings.h"
#include "condreq_json.h"
#include "tap.h"

/* A text that may hold NUL, and its length. */
#define TEXT(literal) literal, sizeof(literal) - 1

static const condreq_json_limits_t generous = {512, 1000000};

/* From a block of its very size, so that the sanitizer sees a byte too far. */
static condreq_json_verdict_t parse_copy(const char *text, apr_size_t length,
                                         const condreq_json_limits_t *limits,
                                         condreq_json_fault_t *fault,
                                         apr_pool_t *pool)
{
    char *copy = malloc(length ? length : 1);
    condreq_json_t *json;
    condreq_json_verdict_t verdict;

    memcpy(copy, text, length);
    verdict = condreq_json_parse(&json, copy, length, limits, fault, pool);
    free(copy);
    return verdict;
}

typedef struct accepted_t {
    const char *sentence;
    const char *text;
    apr_size_t length;
} accepted_t;

static const accepted_t accepted[] = {
    {"2: a document may be an object", TEXT("{}")},
    {"2: or an array", TEXT("[]")},
    {"2: or a string", TEXT("\"a\"")},
    {"2: or a number", TEXT("0")},
    {"2: or one of three literals", TEXT("null")},
    {"2: with white space around every token",
     TEXT(" \t\r\n{ \"a\" :\n[ 1 ,\t2 ] , \"b\" : { } }\r\n")},
    {"3: the three literals, in lower case", TEXT("[true,false,null]")},
    {"4: members of any kind, of an empty name too",
     TEXT("{\"\":null,\"a\":[],\"b\":{},\"c\":\"\",\"d\":-1}")},
    {"4: one name in two objects", TEXT("{\"a\":{\"a\":1},\"b\":{\"a\":1}}")},
    {"4: one name in an object and in the one around it",
     TEXT("{\"a\":{\"a\":{\"a\":1}}}")},
    {"4: names that differ in case", TEXT("{\"a\":1,\"A\":2}")},
    {"4: names that differ behind an escaped NUL",
     TEXT("{\"a\":1,\"a\\u0000b\":2,\"a\\u0000c\":3,\"a\\u0000\":4}")},
    {"4: names that look alike, composed and decomposed",
     TEXT("{\"\xC3\xA9\":1,\"e\xCC\x81\":2}")},
    {"5: arrays in arrays", TEXT("[[],[[]],[1,[2]]]")},
    {"6: zero, also below zero", TEXT("[0,-0,0.0,-0.0,0e0,0E-0]")},
    {"6: fractions and exponents",
     TEXT("[1.5,-1.5,1e5,1E+5,1e-5,1.50e010,10.01]")},
    {"6: numbers of any size", TEXT("[1e400,-1e400,1e-400,1e99999999999]")},
    {"6: and of any precision",
     TEXT("[9007199254740993,123456789012345678901234567890.1234567890]")},
    {"7: every escape", TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u00E9\"")},
    {"7: an escaped NUL", TEXT("\"\\u0000\"")},
    {"7: a surrogate pair, escaped", TEXT("\"\\uD834\\uDD1E\\ud834\\udd1e\"")},
    {"7: DEL and what is no control character of ASCII",
     TEXT("\"\x7F\xC2\x80\xE2\x80\xA8\"")},
    {"8.1: UTF-8 of one to four bytes, at the ends of their ranges",
     TEXT("\"\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80"
          "\xF4\x8F\xBF\xBF\"")},
    {"8.1: UTF-8 right below and above the surrogates",
     TEXT("\"\xED\x9F\xBF\xEE\x80\x80\"")},
    {"8.1: U+FEFF inside a string", TEXT("\"\xEF\xBB\xBF\"")},
    {"8.2: a noncharacter", TEXT("\"\\uFFFF\\uFDD0\"")},
};

static void test_accepted(apr_pool_t *pool)
{
    condreq_json_fault_t fault = {0, NULL};
    apr_size_t i;

    for (i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        if (!ok(parse_copy(accepted[i].text, accepted[i].length, &generous,
                           &fault, pool) == CONDREQ_JSON_GOOD,
                "good, %s", accepted[i].sentence))
            printf("#   at %d: %s\n", (int)fault.offset, fault.reason);
    }
}

typedef struct refused_t {
    const char *sentence;
    const char *text;
    apr_size_t length;
    apr_size_t offset;
    const char *reason;
} refused_t;

#define BYTE_ORDER_MARK "a byte order mark before the document"
#define SOON "the text ends too soon"
#define NO_VALUE "this begins no JSON value"
#define VALUE_MISSING "a value is missing"
#define NAME_MISSING "a member's name is missing"
#define COLON_MISSING "a colon is missing"
#define COMMA_OR_BRACE "a comma or } is missing"
#define COMMA_OR_BRACKET "a comma or ] is missing"
#define BEHIND "something stands behind the document"
#define CONTROL "a control character in a string"
#define NOT_UTF8 "bytes in a string that are not UTF-8"
#define HALF "half of a surrogate pair"
#define NOT_HEX "\\u without four hexadecimal digits"
#define NO_ESCAPE "an escape that JSON does not have"
#define DIGIT_MISSING "a digit is missing in a number"
#define ZERO_FIRST "a number begins with 0"
#define REPEATED "a second member with the same name"

static const refused_t refused[] = {
    /* section 2: one value, and nothing else but white space */
    {"nothing at all", TEXT(""), 0, SOON},
    {"nothing but white space", TEXT(" \n"), 2, SOON},
    {"two values", TEXT("1 2"), 2, BEHIND},
    {"two values with a comma", TEXT("1,2"), 1, BEHIND},
    {"a bracket too many", TEXT("[]]"), 2, BEHIND},
    {"a brace too many", TEXT("{}}"), 2, BEHIND},
    {"a form feed as white space", TEXT("\f1"), 0, NO_VALUE},
    {"a vertical tab as white space", TEXT("[1,\v2]"), 3, NO_VALUE},
    {"a form feed behind the document", TEXT("1\f"), 1, BEHIND},
    {"a no-break space as white space", TEXT("[\xC2\xA0]"), 1, NO_VALUE},
    {"a comment", TEXT("[1/*one*/]"), 2, COMMA_OR_BRACKET},
    {"a comment to the line's end", TEXT("1//"), 1, BEHIND},
    {"NUL before the document", TEXT("\0{}"), 0, NO_VALUE},
    {"NUL behind the document", TEXT("{}\0"), 2, BEHIND},
    {"NUL behind white space", TEXT("{} \0"), 3, BEHIND},
    {"NUL behind a number", TEXT("1\0"), 1, BEHIND},
    {"NUL behind a literal", TEXT("null\0"), 4, BEHIND},
    {"NUL behind a string", TEXT("\"a\"\0"), 3, BEHIND},
    {"NUL behind [", TEXT("[\0]"), 1, NO_VALUE},
    {"NUL behind an element", TEXT("[1\0]"), 2, COMMA_OR_BRACKET},
    {"NUL behind a comma",
     TEXT("[1,\0"
          "2]"),
     3, NO_VALUE},
    {"NUL behind ]", TEXT("[[]\0]"), 3, COMMA_OR_BRACKET},
    {"NUL behind {", TEXT("{\0}"), 1, NAME_MISSING},
    {"NUL behind a name", TEXT("{\"a\"\0:1}"), 4, COLON_MISSING},
    {"NUL behind a colon",
     TEXT("{\"a\":\0"
          "1}"),
     5, NO_VALUE},
    {"NUL behind a member", TEXT("{\"a\":1\0}"), 6, COMMA_OR_BRACE},
    {"NUL in a literal", TEXT("nu\0ll"), 0, NO_VALUE},
    {"NUL in a number",
     TEXT("1\0"
          "2"),
     1, BEHIND},

    /* section 3: literals */
    {"a capital letter", TEXT("[True]"), 1, NO_VALUE},
    {"a literal with an end of its own", TEXT("nulls"), 4, BEHIND},
    {"a literal without its end", TEXT("[nul]"), 1, NO_VALUE},
    {"a literal cut off", TEXT("[tru"), 4, SOON},
    {"undefined", TEXT("undefined"), 0, NO_VALUE},
    {"NaN", TEXT("[NaN]"), 1, NO_VALUE},
    {"Infinity", TEXT("Infinity"), 0, NO_VALUE},
    {"minus Infinity", TEXT("-Infinity"), 1, DIGIT_MISSING},

    /* section 4: objects */
    {"an open brace", TEXT("{"), 1, SOON},
    {"a name without quotes", TEXT("{a:1}"), 1, NAME_MISSING},
    {"a name in single quotes", TEXT("{'a':1}"), 1, NAME_MISSING},
    {"a number as a name", TEXT("{1:1}"), 1, NAME_MISSING},
    {"a name alone", TEXT("{\"a\"}"), 4, COLON_MISSING},
    {"a name cut off", TEXT("{\"a"), 3, SOON},
    {"a name without its value", TEXT("{\"a\":}"), 5, VALUE_MISSING},
    {"two colons", TEXT("{\"a\"::1}"), 5, NO_VALUE},
    {"a comma for a colon", TEXT("{\"a\",1}"), 4, COLON_MISSING},
    {"a comma at the end", TEXT("{\"a\":1,}"), 7, NAME_MISSING},
    {"a comma at the beginning", TEXT("{,\"a\":1}"), 1, NAME_MISSING},
    {"two commas", TEXT("{\"a\":1,,\"b\":2}"), 7, NAME_MISSING},
    {"no comma", TEXT("{\"a\":1 \"b\":2}"), 7, COMMA_OR_BRACE},
    {"a bracket for a brace", TEXT("{\"a\":1]"), 6, COMMA_OR_BRACE},
    {"an object cut off", TEXT("{\"a\":1"), 6, SOON},

    /* section 4 advises, RFC 7493 section 2.3 demands: no name twice */
    {"a name twice", TEXT("{\"a\":1,\"a\":2}"), 7, REPEATED},
    {"a name twice with one value", TEXT("{\"a\":1,\"a\":1}"), 7, REPEATED},
    {"the empty name twice", TEXT("{\"\":1,\"b\":2,\"\":3}"), 12, REPEATED},
    {"a name three times: the second is told",
     TEXT("{\"a\":1,\"a\":2,\"a\":3}"), 7, REPEATED},
    {"two names twice: the first to come again is told",
     TEXT("{\"a\":1,\"b\":2,\"b\":3,\"a\":4}"), 13, REPEATED},
    {"a name twice, once escaped", TEXT("{\"a\":1,\"\\u0061\":2}"), 7,
     REPEATED},
    {"a name twice, escaped in two ways", TEXT("{\"\\u002F\":1,\"\\/\":2}"), 12,
     REPEATED},
    {"a name twice, as UTF-8 and as an escape",
     TEXT("{\"\xC3\xA9\":1,\"\\u00e9\":2}"), 8, REPEATED},
    {"a name twice, as UTF-8 and as a surrogate pair",
     TEXT("{\"\xF0\x9D\x84\x9E\":1,\"\\uD834\\udd1e\":2}"), 10, REPEATED},
    {"a name with an escaped NUL twice",
     TEXT("{\"a\\u0000b\":1,\"a\\u0000b\":2}"), 14, REPEATED},
    {"a long name twice",
     TEXT("{\"0123456789\":1,\"0123456788\":2,\"0123456789\":3}"), 31,
     REPEATED},
    {"a name twice in a nested object",
     TEXT("[{\"a\":{\"b\":{\"c\":1,\"c\":2}}}]"), 18, REPEATED},
    {"a name twice around a nested object",
     TEXT("{\"a\":{\"a\":1,\"b\":{}},\"a\":2}"), 20, REPEATED},
    {"a name twice, and then broken: the break comes first",
     TEXT("{\"a\":1,\"a\":2"), 12, SOON},

    /* section 5: arrays */
    {"an open bracket", TEXT("["), 1, SOON},
    {"a comma alone", TEXT("[,]"), 1, VALUE_MISSING},
    {"a comma at an array's end", TEXT("[1,]"), 3, VALUE_MISSING},
    {"two commas in an array", TEXT("[1,,2]"), 3, VALUE_MISSING},
    {"no comma in an array", TEXT("[1 2]"), 3, COMMA_OR_BRACKET},
    {"a colon in an array", TEXT("[1:2]"), 2, COMMA_OR_BRACKET},
    {"a brace for a bracket", TEXT("[1}"), 2, COMMA_OR_BRACKET},
    {"an array cut off", TEXT("[1,[2]"), 6, SOON},
    {"a closing bracket first", TEXT("]"), 0, VALUE_MISSING},

    /* section 6: numbers */
    {"a plus sign", TEXT("+1"), 0, NO_VALUE},
    {"a minus sign alone", TEXT("[-]"), 2, DIGIT_MISSING},
    {"two minus signs", TEXT("--1"), 1, DIGIT_MISSING},
    {"a leading zero", TEXT("01"), 1, ZERO_FIRST},
    {"a leading zero below zero", TEXT("[-01]"), 3, ZERO_FIRST},
    {"two zeros", TEXT("00"), 1, ZERO_FIRST},
    {"nothing before the point", TEXT(".5"), 0, NO_VALUE},
    {"nothing behind the point", TEXT("[1.]"), 3, DIGIT_MISSING},
    {"nothing between point and exponent", TEXT("1.e1"), 2, DIGIT_MISSING},
    {"nothing in the exponent", TEXT("[1e]"), 3, DIGIT_MISSING},
    {"a sign alone in the exponent", TEXT("[1e+]"), 4, DIGIT_MISSING},
    {"two points", TEXT("1.2.3"), 3, BEHIND},
    {"a fraction in the exponent", TEXT("1e1.5"), 3, BEHIND},
    {"a hexadecimal number", TEXT("0x10"), 1, BEHIND},
    {"a number cut off behind the point", TEXT("1."), 2, SOON},
    {"a number cut off behind the sign", TEXT("-"), 1, SOON},
    {"a full-width digit", TEXT("[\xEF\xBC\x91]"), 1, NO_VALUE},

    /* section 7: strings */
    {"a string cut off", TEXT("\"abc"), 4, SOON},
    {"a quote alone", TEXT("\""), 1, SOON},
    {"single quotes", TEXT("'a'"), 0, NO_VALUE},
    {"a line break", TEXT("\"a\nb\""), 2, CONTROL},
    {"a tab", TEXT("\"\t\""), 1, CONTROL},
    {"a NUL", TEXT("\"a\0b\""), 2, CONTROL},
    {"a NUL in a name", TEXT("{\"a\0\":1}"), 3, CONTROL},
    {"the last control character, late in a string",
     TEXT("\"0123456789abcdef\x1F 0123456789\""), 17, CONTROL},
    {"\\a", TEXT("\"\\a\""), 1, NO_ESCAPE},
    {"\\x", TEXT("\"ab\\x41\""), 3, NO_ESCAPE},
    {"\\'", TEXT("\"\\'\""), 1, NO_ESCAPE},
    {"\\U", TEXT("\"\\U0041\""), 1, NO_ESCAPE},
    {"an escaped line break", TEXT("\"\\\n\""), 1, NO_ESCAPE},
    {"a backslash and NUL", TEXT("\"\\\0\""), 1, NO_ESCAPE},
    {"an escape cut off", TEXT("\"\\"), 2, SOON},
    {"a closing quote that is escaped", TEXT("\"\\\""), 3, SOON},
    {"\\u with three digits", TEXT("\"\\u123\""), 1, NOT_HEX},
    {"\\u with a letter too far", TEXT("\"\\u00G0\""), 1, NOT_HEX},
    {"\\u with a sign", TEXT("\"\\u+123\""), 1, NOT_HEX},
    {"\\u cut off", TEXT("\"\\u12"), 5, SOON},

    /* section 8.2: no half of a surrogate pair */
    {"a high surrogate alone", TEXT("\"\\uD834\""), 1, HALF},
    {"a low surrogate alone", TEXT("\"a\\uDD1E\""), 2, HALF},
    {"a surrogate pair in reverse", TEXT("\"\\uDD1E\\uD834\""), 1, HALF},
    {"two high surrogates", TEXT("\"\\uD834\\uD834\\uDD1E\""), 1, HALF},
    {"a high surrogate before another escape", TEXT("\"\\uD834\\n\""), 1, HALF},
    {"a high surrogate before what is none", TEXT("\"\\uD834\\u0061\""), 1,
     HALF},
    {"a high surrogate at the text's end", TEXT("\"\\uD834"), 1, HALF},
    {"half an escape behind a high surrogate", TEXT("\"\\uD834\\"), 1, HALF},
    {"a surrogate pair cut off", TEXT("\"\\uD834\\uDD"), 11, SOON},
    {"a high surrogate in a name", TEXT("{\"\\ud800\":1}"), 2, HALF},

    /* section 8.1: UTF-8 (RFC 3629 section 4), without a byte order mark */
    {"a byte order mark", TEXT("\xEF\xBB\xBF{}"), 0, BYTE_ORDER_MARK},
    {"a byte order mark behind", TEXT("{}\xEF\xBB\xBF"), 2, BEHIND},
    {"UTF-16", TEXT("\xFF\xFE[\0]\0"), 0, NO_VALUE},
    {"UTF-16 without a mark", TEXT("[\0]\0"), 1, NO_VALUE},
    {"Latin-1", TEXT("\"\xE9\""), 1, NOT_UTF8},
    {"a tail byte alone", TEXT("\"ab\x80\""), 3, NOT_UTF8},
    {"a lead byte alone", TEXT("\"\xC3\""), 1, NOT_UTF8},
    {"two of three bytes", TEXT("\"\xE2\x82\""), 1, NOT_UTF8},
    {"three of four bytes", TEXT("\"\xF0\x9D\x84\""), 1, NOT_UTF8},
    {"one of two bytes, and the end", TEXT("\"a\xC3"), 2, NOT_UTF8},
    {"two of three bytes, and the end", TEXT("\"a\xE2\x82"), 2, NOT_UTF8},
    {"three of four bytes, and the end", TEXT("\"a\xF0\x9D\x84"), 2, NOT_UTF8},
    {"NUL in two bytes", TEXT("\"\xC0\x80\""), 1, NOT_UTF8},
    {"a slash in two bytes", TEXT("\"\xC0\xAF\""), 1, NOT_UTF8},
    {"a quote in two bytes", TEXT("\"\xC0\xA2\""), 1, NOT_UTF8},
    {"U+007F in two bytes", TEXT("\"\xC1\xBF\""), 1, NOT_UTF8},
    {"U+07FF in three bytes", TEXT("\"\xE0\x9F\xBF\""), 1, NOT_UTF8},
    {"U+FFFF in four bytes", TEXT("\"\xF0\x8F\xBF\xBF\""), 1, NOT_UTF8},
    {"the first surrogate", TEXT("\"\xED\xA0\x80\""), 1, NOT_UTF8},
    {"the last surrogate", TEXT("\"\xED\xBF\xBF\""), 1, NOT_UTF8},
    {"a surrogate pair in UTF-8", TEXT("\"\xED\xA0\xB4\xED\xB4\x9E\""), 1,
     NOT_UTF8},
    {"U+110000", TEXT("\"\xF4\x90\x80\x80\""), 1, NOT_UTF8},
    {"a lead byte of more", TEXT("\"\xF5\x80\x80\x80\""), 1, NOT_UTF8},
    {"five bytes", TEXT("\"\xF8\x88\x80\x80\x80\""), 1, NOT_UTF8},
    {"0xFF", TEXT("\"\xFF\""), 1, NOT_UTF8},
    {"bad UTF-8 in a name", TEXT("{\"a\xFF\":1}"), 3, NOT_UTF8},
    {"UTF-8 outside strings", TEXT("[\xC3\xA9]"), 1, NO_VALUE},
};

static void test_refused(apr_pool_t *pool)
{
    const refused_t *row;
    condreq_json_fault_t fault;
    condreq_json_verdict_t verdict;
    apr_size_t i;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        row = &refused[i];
        fault.offset = 0;
        fault.reason = "(none)";
        verdict = parse_copy(row->text, row->length, &generous, &fault, pool);
        if (!ok(verdict == CONDREQ_JSON_MALFORMED &&
                    fault.offset == row->offset &&
                    !strcmp(fault.reason, row->reason),
                "refused, %s: at %d, %s", row->sentence, (int)row->offset,
                row->reason))
            printf("#   got verdict %d at %d: %s\n", verdict, (int)fault.offset,
                   fault.reason);
    }
}

/* Every shortening of a good text is refused at its end, and never read
 * beyond it. */
static void test_cut_off(apr_pool_t *pool)
{
    static const char text[] = "{\"a\":[1.5e+3,\"x\\n\\u00e9\\\\\",{\"b\":"
                               "[true,false,null,{}]}],\"c\":-0}";
    condreq_json_fault_t fault;
    apr_size_t length, wrong = 0;

    for (length = 0; length < sizeof(text) - 1; length++) {
        if (parse_copy(text, length, &generous, &fault, pool) !=
                CONDREQ_JSON_MALFORMED ||
            fault.offset != length)
            wrong++;
    }
    is_int((long long)wrong, 0,
           "a text cut off anywhere is refused where it ends");
}

typedef struct budget_t {
    const char *sentence;
    const char *text;
    condreq_json_limits_t limits;
    condreq_json_verdict_t verdict;
    apr_size_t offset;
} budget_t;

static const budget_t budgets[] = {
    {"a scalar needs no depth", "1", {0, 9}, CONDREQ_JSON_GOOD, 0},
    {"an array needs one", "[]", {1, 9}, CONDREQ_JSON_GOOD, 0},
    {"and finds none", "[]", {0, 9}, CONDREQ_JSON_TOO_DEEP, 0},
    {"nor does an object", " {}", {0, 9}, CONDREQ_JSON_TOO_DEEP, 1},
    {"as deep as allowed", "[{\"a\":[1]}]", {3, 9}, CONDREQ_JSON_GOOD, 0},
    {"one deeper: the bracket is told",
     "[{\"a\":[1]}]",
     {2, 9},
     CONDREQ_JSON_TOO_DEEP,
     6},
    {"what was closed is not counted",
     "[[],[],[[]]]",
     {3, 9},
     CONDREQ_JSON_GOOD,
     0},
    {"too deep comes before broken", "[[[", {2, 9}, CONDREQ_JSON_TOO_DEEP, 2},
    {"no value is allowed", "1", {9, 0}, CONDREQ_JSON_TOO_MANY, 0},
    {"one value is", "1", {9, 1}, CONDREQ_JSON_GOOD, 0},
    {"a container is a value", "[1]", {9, 1}, CONDREQ_JSON_TOO_MANY, 1},
    {"an empty one too", "[[]]", {9, 1}, CONDREQ_JSON_TOO_MANY, 1},
    {"as many as allowed", "{\"a\":[1,2]}", {9, 4}, CONDREQ_JSON_GOOD, 0},
    {"one more: that value is told",
     "{\"a\":[1,2]}",
     {9, 3},
     CONDREQ_JSON_TOO_MANY,
     8},
};

static void test_budgets(apr_pool_t *pool)
{
    const budget_t *row;
    condreq_json_fault_t fault;
    condreq_json_verdict_t verdict;
    apr_size_t i;

    for (i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
        row = &budgets[i];
        fault.offset = 0;
        verdict = parse_copy(row->text, strlen(row->text), &row->limits, &fault,
                             pool);
        ok(verdict == row->verdict && fault.offset == row->offset,
           "budget, %s: %s", row->sentence, row->text);
    }
}

/* What stands where. */
typedef struct place_t {
    condreq_json_type_t type;
    const char *name;
    const char *text;
    apr_size_t size;
    apr_size_t children;
} place_t;

static const char places_text[] =
    " { \"a\\u0062\" : [ 1.10 , {} , [ ] ] ,\"\":\"x\\\"\",\"n\":{\"t\":true,"
    "\"f\":false,\"z\":null}} ";

static const place_t places[] = {
    {CONDREQ_JSON_OBJECT, "",
     "{ \"a\\u0062\" : [ 1.10 , {} , [ ] ] ,\"\":\"x\\\"\",\"n\":{\"t\":true,"
     "\"f\":false,\"z\":null}}",
     10, 3},
    {CONDREQ_JSON_ARRAY, "\"a\\u0062\"", "[ 1.10 , {} , [ ] ]", 4, 3},
    {CONDREQ_JSON_NUMBER, "", "1.10", 1, 0},
    {CONDREQ_JSON_OBJECT, "", "{}", 1, 0},
    {CONDREQ_JSON_ARRAY, "", "[ ]", 1, 0},
    {CONDREQ_JSON_STRING, "\"\"", "\"x\\\"\"", 1, 0},
    {CONDREQ_JSON_OBJECT, "\"n\"", "{\"t\":true,\"f\":false,\"z\":null}", 4, 3},
    {CONDREQ_JSON_TRUE, "\"t\"", "true", 1, 0},
    {CONDREQ_JSON_FALSE, "\"f\"", "false", 1, 0},
    {CONDREQ_JSON_NULL, "\"z\"", "null", 1, 0},
};

static const char *span_text(const condreq_json_t *json,
                             condreq_json_span_t span, apr_pool_t *pool)
{
    return apr_pstrmemdup(pool, json->text + span.begin, span.end - span.begin);
}

static int stands(const condreq_json_t *json, apr_size_t index,
                  const place_t *place, apr_pool_t *pool)
{
    const condreq_json_value_t *value = &json->values[index];

    return value->type == place->type && value->size == place->size &&
           value->children == place->children &&
           !strcmp(span_text(json, value->text, pool), place->text) &&
           !strcmp(span_text(json, value->name, pool), place->name);
}

static void test_places(apr_pool_t *pool)
{
    condreq_json_fault_t fault;
    condreq_json_t *json = NULL;
    apr_size_t i;

    condreq_json_parse(&json, TEXT(places_text), &generous, &fault, pool);
    is_int((long long)json->count, 10, "places, as many values as there are");
    ok(condreq_json_is_object(json), "places, the document is an object");
    for (i = 0; i < json->count; i++)
        ok(stands(json, i, &places[i], pool), "places, %s", places[i].text);
    condreq_json_parse(&json, TEXT("[{}]"), &generous, &fault, pool);
    ok(!condreq_json_is_object(json), "places, an array is no object");
}

typedef struct order_t {
    const char *sentence;
    const char *a;
    const char *b;
    int order;
} order_t;

static const order_t orders[] = {
    {"the empty string with itself", "\"\"", "\"\"", 0},
    {"the shorter comes first", "\"a\"", "\"ab\"", -1},
    {"the first byte that differs decides", "\"b\"", "\"ab\"", 1},
    {"the shorter comes first, whatever the longer escapes", "\"a\"",
     "\"a\\u0000\"", -1},
    {"an escape behind the shorter one's end", "\"ab\"", "\"a\\u0063\"", -1},
    {"an escape is what it means", "\"a\"", "\"\\u0061\"", 0},
    {"in either case of its digits", "\"\\u00e9\"", "\"\\u00E9\"", 0},
    {"an escape is its UTF-8", "\"\xC3\xA9\"", "\"\\u00e9\"", 0},
    {"three bytes of it", "\"\xE2\x82\xAC!\"", "\"\\u20ac!\"", 0},
    {"a surrogate pair is one character", "\"\xF0\x9D\x84\x9E\"",
     "\"\\uD834\\uDD1E\"", 0},
    {"the last code point", "\"\xF4\x8F\xBF\xBF\"", "\"\\uDBFF\\uDFFF\"", 0},
    {"two spellings of a slash", "\"\\/\"", "\"/\"", 0},
    {"the short escapes", "\"\\b\\f\\n\\r\\t\\\"\\\\\"",
     "\"\\u0008\\u000c\\u000a\\u000d\\u0009\\u0022\\u005c\"", 0},
    {"an escaped NUL ends no string", "\"a\\u0000b\"", "\"a\\u0000c\"", -1},
    {"it makes the string longer", "\"a\\u0000\"", "\"a\"", 1},
    {"it comes before every other byte", "\"a\\u0000\"", "\"a\\u0001\"", -1},
    {"bytes have no sign", "\"z\"", "\"\xC3\xA9\"", -1},
    {"nor have escaped ones", "\"z\"", "\"\\u00e9\"", -1},
    {"UTF-8's order, not that of UTF-16", "\"\\uFFFF\"", "\"\\uD800\\uDC00\"",
     -1},
};

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static void test_orders(void)
{
    const order_t *row;
    apr_size_t i;

    for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        row = &orders[i];
        ok(sign(condreq_json_string_compare(row->a, strlen(row->a), row->b,
                                            strlen(row->b))) == row->order &&
               sign(condreq_json_string_compare(row->b, strlen(row->b), row->a,
                                                strlen(row->a))) == -row->order,
           "order, %s: %s and %s", row->sentence, row->a, row->b);
    }
}

typedef struct name_is_t {
    const char *string;
    const char *bytes;
    int same;
} name_is_t;

static const name_is_t names_are[] = {
    {"\"id\"", "id", 1},         {"\"\\u0069d\"", "id", 1},
    {"\"i\\u0064\"", "id", 1},   {"\"ID\"", "id", 0},
    {"\"i\"", "id", 0},          {"\"idx\"", "id", 0},
    {"\"id\\u0000\"", "id", 0},  {"\"\"", "", 1},
    {"\"\\u0000\"", "", 0},      {"\"\\u00e9\"", "\xC3\xA9", 1},
    {"\"\xC3\xA9\"", "\xC3", 0}, {"\"\\ud834\\udd1e\"", "\xF0\x9D\x84\x9E", 1},
    {"\"\\n\"", "\n", 1},        {"\"\\\\n\"", "\n", 0},
};

static void test_names_are(void)
{
    const name_is_t *row;
    apr_size_t i;

    for (i = 0; i < sizeof(names_are) / sizeof(names_are[0]); i++) {
        row = &names_are[i];
        is_int(condreq_json_string_is(row->string, strlen(row->string),
                                      row->bytes),
               row->same, row->string);
    }
}

typedef struct quote_t {
    const char *sentence;
    const char *bytes;
    const char *quoted;
} quote_t;

static const quote_t quotes[] = {
    {"nothing", "", "\"\""},
    {"plain text as it is", "a/b 'c'", "\"a/b 'c'\""},
    {"quote and backslash", "\"\\", "\"\\\"\\\\\""},
    {"short escapes", "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
    {"other control characters", "\x01\x1F", "\"\\u0001\\u001f\""},
    {"DEL as it is", "\x7F", "\"\x7F\""},
    {"UTF-8 as it is", "\xC3\xA9\xE2\x82\xAC\xF0\x9D\x84\x9E",
     "\"\xC3\xA9\xE2\x82\xAC\xF0\x9D\x84\x9E\""},
    {"Latin-1 replaced", "caf\xE9!", "\"caf\xEF\xBF\xBD!\""},
    {"UTF-8 cut off replaced", "\xE2\x82", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
    {"a surrogate replaced", "\xED\xA0\x80",
     "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
};

static void test_quotes(apr_pool_t *pool)
{
    const char *sentence;
    apr_size_t i;

    for (i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++) {
        sentence = apr_pstrcat(pool, "quote, ", quotes[i].sentence, NULL);
        is_text(condreq_json_quote(quotes[i].bytes, pool), quotes[i].quoted,
                sentence);
    }
}

/* {"m0":0,"m1":1,...}, the last name once more where asked for. */
static char *many_members(int count, const char *again, apr_size_t *length)
{
    char *text = malloc((apr_size_t)count * 40 + 64);
    char *at = text;
    int i;

    *at++ = '{';
    for (i = 0; i < count; i++)
        at += sprintf(at, "\"member %d\":%d,", i, i);
    if (again)
        at += sprintf(at, "\"%s\":0,", again);
    at[-1] = '}';
    *length = (apr_size_t)(at - text);
    return text;
}

static void test_many_members(apr_pool_t *pool)
{
    static const int counts[] = {2, 3, 31, 32, 33, 64, 1000, 110000};
    condreq_json_fault_t fault;
    condreq_json_verdict_t without, with;
    apr_size_t i, length;
    char *text;

    for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        text = many_members(counts[i], NULL, &length);
        without = parse_copy(text, length, &generous, &fault, pool);
        free(text);
        text = many_members(counts[i], "\\u006dember 1", &length);
        with = parse_copy(text, length, &generous, &fault, pool);
        ok(without == CONDREQ_JSON_GOOD && with == CONDREQ_JSON_MALFORMED &&
               !strncmp(text + fault.offset, "\"\\u006d", 7),
           "%d names, and one of them again at the end", counts[i]);
        free(text);
    }
}

/* count times a text, then count times another. */
static char *nested(const char *open, const char *close, apr_size_t count,
                    apr_size_t *length)
{
    apr_size_t open_length = strlen(open), close_length = strlen(close);
    char *text = malloc(count * (open_length + close_length) + 1);
    apr_size_t i;

    for (i = 0; i < count; i++)
        memcpy(text + i * open_length, open, open_length);
    for (i = 0; i < count; i++)
        memcpy(text + count * open_length + i * close_length, close,
               close_length);
    *length = count * (open_length + close_length);
    return text;
}

typedef struct depth_t {
    const char *sentence;
    const char *open;
    const char *close;
    apr_size_t count;
    condreq_json_limits_t limits;
    condreq_json_verdict_t verdict;
    apr_size_t offset;
} depth_t;

static const depth_t depths[] = {
    {"100,000 open arrays against the limit of 512",
     "[",
     "",
     100000,
     {512, 1000000},
     CONDREQ_JSON_TOO_DEEP,
     512},
    {"100,000 open objects against it",
     "{\"a\":",
     "",
     100000,
     {512, 1000000},
     CONDREQ_JSON_TOO_DEEP,
     5 * 512},
    {"512 arrays", "[", "]", 512, {512, 1000000}, CONDREQ_JSON_GOOD, 0},
    {"513 arrays", "[", "]", 513, {512, 1000000}, CONDREQ_JSON_TOO_DEEP, 512},
    {"100,000 open arrays where they are allowed",
     "[",
     "",
     100000,
     {100000, 1000000},
     CONDREQ_JSON_MALFORMED,
     100000},
    {"100,000 arrays where they are allowed",
     "[",
     "]",
     100000,
     {100000, 1000000},
     CONDREQ_JSON_GOOD,
     0},
    {"200,000 arrays and objects where they are allowed",
     "{\"a\":[",
     "]}",
     100000,
     {200000, 1000000},
     CONDREQ_JSON_GOOD,
     0},
    {"a hundred thousand values and no more",
     "[",
     "]",
     100001,
     {200000, 100000},
     CONDREQ_JSON_TOO_MANY,
     100000},
};

static void *deep(void *pool)
{
    const depth_t *row;
    condreq_json_fault_t fault;
    condreq_json_verdict_t verdict;
    apr_size_t i, length;
    char *text;

    for (i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
        row = &depths[i];
        text = nested(row->open, row->close, row->count, &length);
        fault.offset = 0;
        verdict = parse_copy(text, length, &row->limits, &fault, pool);
        free(text);
        if (!ok(verdict == row->verdict && fault.offset == row->offset,
                "on 64 KiB of stack, %s", row->sentence))
            printf("#   got verdict %d at %d\n", verdict, (int)fault.offset);
    }
    return NULL;
}

static void test_deep(apr_pool_t *pool)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * 1024);
    ok(pthread_create(&thread, &attributes, deep, pool) == 0 &&
           pthread_join(thread, NULL) == 0,
       "a thread with 64 KiB of stack came back");
    pthread_attr_destroy(&attributes);
}

/* Values beyond the first guess are moved; none is lost on the way. */
static void test_growth(apr_pool_t *pool)
{
    const apr_size_t count = 200000;
    apr_size_t length, i, wrong = 0;
    char *text = nested("[],", "", count, &length);
    condreq_json_fault_t fault;
    condreq_json_t *json = NULL;

    /* the first element makes place for the bracket around all */
    text[0] = '[';
    text[1] = '0';
    text[length - 1] = ']';
    condreq_json_parse(&json, text, length, &generous, &fault, pool);
    for (i = 2; json && i < json->count; i++)
        wrong += json->values[i].text.begin != 3 * (i - 1) ||
                 json->values[i].type != CONDREQ_JSON_ARRAY;
    ok(json && json->count == count + 1 && json->values[0].size == count + 1 &&
           json->values[0].children == count && wrong == 0,
       "200,000 elements, each in its place");
    free(text);
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_accepted(pool);
    test_refused(pool);
    test_cut_off(pool);
    test_budgets(pool);
    test_places(pool);
    test_orders();
    test_names_are();
    test_quotes(pool);
    test_many_members(pool);
    test_deep(pool);
    test_growth(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
