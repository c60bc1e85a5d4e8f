/* Entity-tags against RFC 9110 sections 8.8.3, 8.8.3.2 and 5.6.1: what is a
 * tag, what is a list of them, which two are equal. */
#include <stdlib.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "condreq_etag.h"
#include "tap.h"

static const struct {
    const char *sentence;
    const char *text;
    int is_tag;
} syntax[] = {
    {"a quoted word", "\"7\"", 1},
    {"nothing between the quotes", "\"\"", 1},
    {"a weak one", "W/\"7\"", 1},
    {"a weak one with nothing in it", "W/\"\"", 1},
    {"a comma is etagc", "\"a,b\"", 1},
    {"an asterisk is etagc", "\"*\"", 1},
    {"W/ inside the quotes is part of the name", "\"W/7\"", 1},
    {"a backslash is an ordinary character", "\"a\\\"", 1},
    {"and does not hide the quote that follows", "\"a\\\"b\"", 0},
    {"obs-text", "\"caf\xc3\xa9\"", 1},
    {"an apostrophe", "\"'\"", 1},
    {"no text at all", "", 0},
    {"no quotes", "7", 0},
    {"no opening quote", "7\"", 0},
    {"no closing quote", "\"7", 0},
    {"a single quote mark", "\"", 0},
    {"apostrophes for quotes", "'7'", 0},
    {"a small w", "w/\"7\"", 0},
    {"a weak prefix alone", "W/", 0},
    {"a weak prefix twice", "W/W/\"7\"", 0},
    {"W without its slash", "W\"7\"", 0},
    {"space behind the weak prefix", "W/ \"7\"", 0},
    {"a tab behind the weak prefix", "W/\t\"7\"", 0},
    {"space before the slash", "W /\"7\"", 0},
    {"a space inside", "\"a b\"", 0},
    {"a tab inside", "\"a\tb\"", 0},
    {"DEL inside", "\"a\x7f\"", 0},
    {"a space in front", " \"7\"", 0},
    {"a space behind", "\"7\" ", 0},
    {"a letter behind", "\"7\"x", 0},
    {"a second tag behind", "\"7\"\"8\"", 0},
    {"an asterisk alone", "*", 0},
};

static void test_syntax(void)
{
    condreq_etag_t etag;
    size_t i;

    for (i = 0; i < sizeof(syntax) / sizeof(syntax[0]); i++)
        ok(condreq_etag_parse(&etag, syntax[i].text) == syntax[i].is_tag,
           "8.8.3 %s %s a tag: %s", syntax[i].sentence,
           syntax[i].is_tag ? "is" : "is not", syntax[i].text);
}

/* etagc = %x21 / %x23-7E / obs-text, said once more as a set. */
static void test_every_byte(void)
{
    int wrong = 0;
    int byte;

    for (byte = 1; byte < 256; byte++) {
        const char text[] = {'"', (char)byte, '"', '\0'};
        int is_control = byte < 0x20 || byte == 0x7f;
        int is_etagc = !is_control && byte != ' ' && byte != '"';
        condreq_etag_t etag;

        wrong += condreq_etag_parse(&etag, text) != is_etagc;
    }
    is_int(wrong, 0, "8.8.3 every byte but controls, space and quote is etagc");
}

static void test_read_in_place(void)
{
    const char *text = "W/\"a\", \"b\"";
    const char *cursor = text;
    condreq_etag_t etag = {NULL, 0, 0};

    ok(condreq_etag_read(&etag, &cursor, text + strlen(text)),
       "a tag is read from the start of a longer text");
    ok(etag.opaque_tag == text + 2 && etag.length == 3 && etag.weak,
       "it points into the text, quotes included, prefix not");
    ok(cursor == text + 5, "the cursor stands right behind it");

    ok(!condreq_etag_read(&etag, &cursor, text + strlen(text)),
       "no tag begins at the comma");
    ok(cursor == text + 5 && etag.opaque_tag == text + 2,
       "and cursor and tag are as they were");

    cursor = text;
    ok(!condreq_etag_read(&etag, &cursor, text + 4) && cursor == text,
       "a closing quote beyond the end is not seen");
    ok(!condreq_etag_read(&etag, &cursor, text + 2), "nor an opening one");
    ok(!condreq_etag_read(&etag, &cursor, text), "nor anything in no text");
}

static const struct {
    const char *sentence;
    const char *value;
    /* the tags with a bar between, or what the list is instead */
    const char *expected;
} lists[] = {
    {"the field was not sent", NULL, "not given"},
    {"an asterisk", "*", "any"},
    {"an asterisk with white space around it", " \t*\t ", "any"},
    {"one tag", "\"7\"", "\"7\""},
    {"two tags", "\"6\", \"7\"", "\"6\"|\"7\""},
    {"no space is needed", "\"6\",\"7\"", "\"6\"|\"7\""},
    {"white space before a comma, tabs too", "\"6\" \t,\t\"7\"", "\"6\"|\"7\""},
    {"weak and strong mixed", "W/\"6\", \"7\", W/\"8\"",
     "W/\"6\"|\"7\"|W/\"8\""},
    {"a comma in quotes divides nothing", "\"a,b\", \"c\"", "\"a,b\"|\"c\""},
    {"nor does a quoted list", "\"a,\",\",b\"", "\"a,\"|\",b\""},
    {"a backslash hides no later tag", "\"a\\\", \"7\"", "\"a\\\"|\"7\""},
    {"an asterisk in quotes is a name", "\"*\"", "\"*\""},
    {"white space around the whole", " \"7\"\t", "\"7\""},
    {"empty elements are passed over", ",\"6\",, ,\"7\",", "\"6\"|\"7\""},
    {"the same tag twice stays two", "\"7\",\"7\"", "\"7\"|\"7\""},
    {"an empty value is a list of none", "", "no tags"},
    {"white space alone too", " \t ", "no tags"},
    {"commas alone too", ",,", "no tags"},
    {"commas and white space too", " , ,\t", "no tags"},
    {"an asterisk in a list", "*, \"7\"", "malformed"},
    {"an asterisk behind a list", "\"7\", *", "malformed"},
    {"two asterisks", "**", "malformed"},
    {"two asterisks of two fields", "*, *", "malformed"},
    {"an asterisk and a comma", "*,", "malformed"},
    {"a comma and an asterisk", ",*", "malformed"},
    {"an asterisk and a word", "*foo", "malformed"},
    {"a weak asterisk", "W/*", "malformed"},
    {"a bare word", "7", "malformed"},
    {"a bare word among tags", "\"6\", 7, \"8\"", "malformed"},
    {"no comma between two tags", "\"6\" \"7\"", "malformed"},
    {"not even a space", "\"6\"\"7\"", "malformed"},
    {"a semicolon for a comma", "\"6\"; \"7\"", "malformed"},
    {"an open quote at the end", "\"6\", \"7", "malformed"},
    {"one more quote", "\"6\"\"", "malformed"},
    {"a small w", "\"6\", w/\"7\"", "malformed"},
    {"white space inside a weak tag", "W/ \"7\"", "malformed"},
    {"a space in a tag", "\"a b\"", "malformed"},
    {"a line feed is no white space here", "\"6\",\n\"7\"", "malformed"},
};

static const char *list_said(const condreq_etag_list_t *list, apr_pool_t *pool)
{
    const char *said = NULL;
    apr_size_t i;

    if (!list->given)
        return "not given";
    if (list->any)
        return "any";
    if (list->malformed)
        return list->count == 0 ? "malformed" : "malformed, and yet names tags";
    for (i = 0; i < list->count; i++)
        said = apr_pstrcat(pool, said ? said : "", said ? "|" : "",
                           condreq_etag_text(&list->tags[i], pool), NULL);
    return said ? said : "no tags";
}

static void test_lists(apr_pool_t *pool)
{
    condreq_etag_list_t list;
    size_t i;

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        memset(&list, 0xff, sizeof(list));
        condreq_etag_list_parse(&list, lists[i].value, pool);
        is_text(list_said(&list, pool), lists[i].expected,
                apr_psprintf(pool, "5.6.1 %s: %s", lists[i].sentence,
                             lists[i].expected));
    }
}

static void test_long_list(apr_pool_t *pool)
{
    const apr_size_t count = 20000;
    char *value = apr_palloc(pool, count * 3 + 1);
    condreq_etag_list_t list;
    apr_size_t i;

    for (i = 0; i < count; i++)
        memcpy(value + i * 3, "\"\",", 3);
    value[count * 3] = '\0';
    condreq_etag_list_parse(&list, value, pool);
    is_int((long long)list.count, (long long)count,
           "a list of the shortest tags keeps them all");

    value[count * 3 - 2] = ',';
    condreq_etag_list_parse(&list, value, pool);
    ok(list.malformed && list.count == 0,
       "and none of them where the last one is broken");
}

/* The table of section 8.8.3.2, and what it leaves out. */
static const struct {
    const char *a;
    const char *b;
    int strong;
    int weak;
} comparisons[] = {
    {"W/\"1\"", "W/\"1\"", 0, 1}, {"W/\"1\"", "W/\"2\"", 0, 0},
    {"W/\"1\"", "\"1\"", 0, 1},   {"\"1\"", "\"1\"", 1, 1},
    {"\"1\"", "\"2\"", 0, 0},     {"\"1\"", "\"11\"", 0, 0},
    {"\"a\"", "\"A\"", 0, 0},     {"\"\"", "\"\"", 1, 1},
    {"\"\"", "\"1\"", 0, 0},      {"\"W/1\"", "W/\"1\"", 0, 0},
};

static void test_comparisons(void)
{
    size_t i;

    for (i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++) {
        condreq_etag_t a, b;

        condreq_etag_parse(&a, comparisons[i].a);
        condreq_etag_parse(&b, comparisons[i].b);
        ok(condreq_etag_strong_match(&a, &b) == comparisons[i].strong &&
               condreq_etag_strong_match(&b, &a) == comparisons[i].strong,
           "8.8.3.2 strong: %s and %s %s", comparisons[i].a, comparisons[i].b,
           comparisons[i].strong ? "match" : "do not match");
        ok(condreq_etag_weak_match(&a, &b) == comparisons[i].weak &&
               condreq_etag_weak_match(&b, &a) == comparisons[i].weak,
           "8.8.3.2 weak: %s and %s %s", comparisons[i].a, comparisons[i].b,
           comparisons[i].weak ? "match" : "do not match");
    }
}

static void test_no_tag(void)
{
    const condreq_etag_t none = {NULL, 0, 0};
    condreq_etag_t tag;

    condreq_etag_parse(&tag, "\"\"");
    ok(!condreq_etag_weak_match(&none, &tag) &&
           !condreq_etag_weak_match(&tag, &none) &&
           !condreq_etag_weak_match(&none, &none),
       "what has no tag matches nothing, not even its like");
    ok(!condreq_etag_strong_match(&none, &none) &&
           !condreq_etag_strong_match_with_suffix(&tag, &none, "-gzip"),
       "nor strongly, nor with a suffix");
}

static const struct {
    const char *sentence;
    const char *tag;
    const char *plain;
    const char *suffix;
    int match;
} suffixes[] = {
    {"the tag with the suffix", "\"7-gzip\"", "\"7\"", "-gzip", 1},
    {"an empty name with it", "\"-br\"", "\"\"", "-br", 1},
    {"an empty suffix is none", "\"7\"", "\"7\"", "", 1},
    {"the plain tag", "\"7\"", "\"7\"", "-gzip", 0},
    {"another coding's suffix", "\"7-br\"", "\"7\"", "-gzip", 0},
    {"another version's tag", "\"8-gzip\"", "\"7\"", "-gzip", 0},
    {"the suffix twice", "\"7-gzip-gzip\"", "\"7\"", "-gzip", 0},
    {"the suffix in front", "\"-gzip7\"", "\"7\"", "-gzip", 0},
    {"a weak tag", "W/\"7-gzip\"", "\"7\"", "-gzip", 0},
    {"a weak version", "\"7-gzip\"", "W/\"7\"", "-gzip", 0},
    {"the suffix taken away", "\"7\"", "\"7-gzip\"", "-gzip", 0},
};

static void test_suffixes(apr_pool_t *pool)
{
    condreq_etag_t tag, plain, suffixed;
    size_t i;

    for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        condreq_etag_parse(&tag, suffixes[i].tag);
        condreq_etag_parse(&plain, suffixes[i].plain);
        ok(condreq_etag_strong_match_with_suffix(
               &tag, &plain, suffixes[i].suffix) == suffixes[i].match,
           "%s %s: %s for %s", suffixes[i].sentence,
           suffixes[i].match ? "matches" : "does not match", suffixes[i].tag,
           suffixes[i].plain);
    }
    condreq_etag_parse(&plain, "\"7\"");
    suffixed = condreq_etag_with_suffix(&plain, "-gzip", pool);
    is_text(condreq_etag_text(&suffixed, pool), "\"7-gzip\"",
            "a suffix goes before the closing quote");
    condreq_etag_parse(&plain, "W/\"\"");
    suffixed = condreq_etag_with_suffix(&plain, "-br", pool);
    is_text(condreq_etag_text(&suffixed, pool), "W/\"-br\"",
            "and leaves a weak tag weak");
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&pool, NULL);
    test_syntax();
    test_every_byte();
    test_read_in_place();
    test_lists(pool);
    test_long_list(pool);
    test_comparisons();
    test_no_tag();
    test_suffixes(pool);
    return done_testing();
}
