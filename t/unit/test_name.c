/* Names in a collection: their order, and where those with a prefix stand. */
#include "tap.h"

#include <stdlib.h>

#include "apr_general.h"
#include "apr_strings.h"
#include "condreq_name.h"

static apr_pool_t *pool;

static const struct number_row_t {
    const char *name;
    int is_number;
} number_rows[] = {
    {"0", 1},
    {"1", 1},
    {"10", 1},
    {"18446744073709551615", 1},
    {"99999999999999999999", 1},
    {"100000000000000000000", 0},
    {"", 0},
    {"00", 0},
    {"01", 0},
    {"1a", 0},
    {"-1", 0},
    {"+1", 0},
    {"1.0", 0},
    {" 1", 0},
    {"1/", 0},
    {"\xD9\xA1", 0},
};

static void test_numbers(void)
{
    size_t i;

    for (i = 0; i < sizeof number_rows / sizeof *number_rows; i++)
        ok(condreq_name_is_number(number_rows[i].name,
                                  strlen(number_rows[i].name)) ==
               number_rows[i].is_number,
           "'%s' is %s", number_rows[i].name,
           number_rows[i].is_number ? "a number" : "no number");
}

/* In order. */
static const char *const names[] = {
    "0",    "1",        "2",    "9",    "10",
    "19",   "99",       "100",  "1000", "18446744073709551615",
    "\x01", "/",        "00",   "007",  "1/",
    "10-a", "10/",      "1a",   "A",    "a",
    "a-",   "a/",       "a0",   "aa",   "ab/",
    "b",    "\xC3\xA9", "\xFF",
};
#define NAMES (sizeof names / sizeof *names)

static condreq_place_t place_of(const char *name)
{
    char *bytes = apr_palloc(pool, strlen(name) + 2);
    condreq_place_t place = {bytes,
                             condreq_name_place(bytes, name, strlen(name))};

    return place;
}

static int compare(const condreq_place_t *a, const condreq_place_t *b)
{
    int order = condreq_place_compare(a->bytes, a->length, b->bytes, b->length);

    return (order > 0) - (order < 0);
}

static void test_order(void)
{
    int wrong = 0;
    size_t i, j;

    for (i = 0; i < NAMES; i++)
        for (j = 0; j < NAMES; j++) {
            condreq_place_t a = place_of(names[i]), b = place_of(names[j]);

            wrong += compare(&a, &b) != (i > j) - (i < j);
        }
    is_int(wrong, 0, "numbers by value come first, then the others by bytes");
}

static void test_back(void)
{
    int wrong = 0;
    size_t i;

    for (i = 0; i < NAMES; i++) {
        condreq_place_t place = place_of(names[i]);

        wrong += strcmp(condreq_place_name(place.bytes, place.length, pool),
                        names[i]) != 0;
    }
    is_int(wrong, 0, "each place gives its name back");
}

/* Nothing may stand between a name and what is behind it, but what is in it. */
static void test_behind(void)
{
    condreq_place_t behind, place;
    int wrong = 0;
    size_t i, j;

    for (i = 0; i < NAMES; i++) {
        behind = condreq_place_behind(names[i], pool);
        for (j = 0; j < NAMES; j++) {
            place = place_of(names[j]);
            wrong += (compare(&place, &behind) >= 0) != (j > i);
        }
    }
    is_int(wrong, 0, "what is behind a name is before the next one");
    behind = condreq_place_behind("a/", pool);
    place.bytes = "a/\xFF\xFF";
    place.length = 4;
    ok(compare(&place, &behind) < 0, "and behind all that is in a collection");
}

/* The plain way: the first name in order that has the prefix. */
static size_t next_by_looking(const char *prefix, size_t from)
{
    while (from < NAMES && strncmp(names[from], prefix, strlen(prefix)) != 0)
        from++;
    return from;
}

static size_t next_by_place(const char *prefix, const condreq_place_t *from)
{
    condreq_place_t at, place;
    size_t i = 0;

    if (!condreq_place_with_prefix(&at, prefix, from, pool))
        return NAMES;
    do
        place = place_of(names[i]);
    while (compare(&place, &at) < 0 && ++i < NAMES);
    return i;
}

/* As a listing goes: from name to name, until none follows. */
static int walk_is_right(const char *prefix)
{
    condreq_place_t from = {"", 0};
    size_t expected = next_by_looking(prefix, 0), got;
    int steps = 0;

    for (got = next_by_place(prefix, &from); got < NAMES;
         got = next_by_place(prefix, &from)) {
        if (strncmp(names[got], prefix, strlen(prefix)) == 0) {
            if (got != expected)
                return 0;
            expected = next_by_looking(prefix, expected + 1);
        }
        from = condreq_place_behind(names[got], pool);
        if (++steps > 100)
            return 0;
    }
    return expected == NAMES;
}

static void test_prefixes(void)
{
    static const char *const prefixes[] = {
        "",
        "0",
        "00",
        "1",
        "10",
        "100",
        "1000",
        "10000",
        "18446744073709551615",
        "184467440737095516150",
        "9",
        "99",
        "999",
        "a",
        "a/",
        "a/b",
        "b",
        "c",
        "\xFF",
        "\xFF\xFF",
        "\x01",
        "/",
        "-",
        "2",
        "5",
        "01",
        "1a",
        "10-",
    };
    size_t i;

    for (i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        ok(walk_is_right(prefixes[i]), "all with the prefix '%s' are found",
           prefixes[i]);
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_numbers();
    test_order();
    test_back();
    test_behind();
    test_prefixes();
    return done_testing();
}
