/* A second opinion on which texts are JSON: jansson, which the module itself
 * never uses. Where the two differ on purpose, a row says why. */

#include <jansson.h>

#include "apr_general.h"
#include "apr_strings.h"
#include "condreq_json.h"
#include "tap.h"

#define TEXT(literal) literal, sizeof(literal) - 1

/* jansson stops at 2048 levels of its own. */
static const condreq_json_limits_t limits = {4096, 100000};

static int we_accept(const char *text, apr_size_t length, apr_pool_t *pool)
{
    condreq_json_t *json;
    condreq_json_fault_t fault;

    return condreq_json_parse(&json, text, length, &limits, &fault, pool) ==
           CONDREQ_JSON_GOOD;
}

static int jansson_accepts(const char *text, apr_size_t length,
                           enum json_error_code *code)
{
    json_error_t error;
    json_t *tree = json_loadb(
        text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL,
        &error);

    *code = tree ? json_error_unknown : json_error_code(&error);
    json_decref(tree);
    return tree != NULL;
}

typedef struct row_t {
    const char *text;
    apr_size_t length;
} row_t;

static const row_t agreed[] = {
    {TEXT("")},
    {TEXT(" ")},
    {TEXT("0")},
    {TEXT("-0")},
    {TEXT("00")},
    {TEXT("1.0e+10")},
    {TEXT("1.e1")},
    {TEXT(".1")},
    {TEXT("+1")},
    {TEXT("1e-400")},
    {TEXT("0x1")},
    {TEXT("NaN")},
    {TEXT("nul")},
    {TEXT("true ")},
    {TEXT("True")},
    {TEXT("\"\"")},
    {TEXT("''")},
    {TEXT("\"\\u0000\"")},
    {TEXT("\"\\uD834\\uDD1E\"")},
    {TEXT("\"\\uD834\"")},
    {TEXT("\"\\uDD1E\"")},
    {TEXT("\"\\uD834\\n\"")},
    {TEXT("\"\\uDBFF\\uDFFF\"")},
    {TEXT("\"\\u12G4\"")},
    {TEXT("\"\\x\"")},
    {TEXT("\"\t\"")},
    {TEXT("\"\0\"")},
    {TEXT("\"\x7F\"")},
    {TEXT("\"\xC3\xA9\"")},
    {TEXT("\"\xC0\x80\"")},
    {TEXT("\"\xE0\x80\x80\"")},
    {TEXT("\"\xED\xA0\x80\"")},
    {TEXT("\"\xEF\xBF\xBF\"")},
    {TEXT("\"\xF4\x8F\xBF\xBF\"")},
    {TEXT("\"\xF4\x90\x80\x80\"")},
    {TEXT("\"\xFF\"")},
    {TEXT("\"\xE2\x82")},
    {TEXT("\xEF\xBB\xBF{}")},
    {TEXT("[]")},
    {TEXT("[1,]")},
    {TEXT("[,1]")},
    {TEXT("[1 2]")},
    {TEXT("[1}")},
    {TEXT("[]]")},
    {TEXT("[]\0")},
    {TEXT("[\f]")},
    {TEXT("{}")},
    {TEXT("{\"a\":1}")},
    {TEXT("{\"a\":1,}")},
    {TEXT("{\"a\" 1}")},
    {TEXT("{a:1}")},
    {TEXT("{\"a\":1,\"a\":2}")},
    {TEXT("{\"a\":1,\"\\u0061\":2}")},
    {TEXT("{\"a\":{\"a\":1}}")},
    {TEXT("{\"\":1,\"\":2}")},
    {TEXT("{\"a\":1 \"b\":2}")},
    {TEXT("{\"a\":1}//")},
};

static void test_agreed(apr_pool_t *pool)
{
    enum json_error_code code;
    apr_size_t i;
    int ours;

    for (i = 0; i < sizeof(agreed) / sizeof(agreed[0]); i++) {
        ours = we_accept(agreed[i].text, agreed[i].length, pool);
        ok(ours == jansson_accepts(agreed[i].text, agreed[i].length, &code),
           "both %s %s", ours ? "accept" : "refuse",
           condreq_json_quote(agreed[i].text, pool));
    }
}

typedef struct difference_t {
    const char *why;
    const char *text;
    apr_size_t length;
    enum json_error_code code;
} difference_t;

/* Accepted here, refused there. The other way round there are none. */
static const difference_t differences[] = {
    {"a double ends at 1.8e308, a text does not", TEXT("1e400"),
     json_error_numeric_overflow},
    {"the same below zero", TEXT("-1e400"), json_error_numeric_overflow},
    {"an integer of 64 bits ends at 9223372036854775807",
     TEXT("9223372036854775808"), json_error_numeric_overflow},
    {"its names end at the first NUL", TEXT("{\"a\\u0000b\":1}"),
     json_error_null_byte_in_key},
};

static int is_known_difference(enum json_error_code code)
{
    return code == json_error_numeric_overflow ||
           code == json_error_null_byte_in_key ||
           code == json_error_stack_overflow;
}

static void test_differences(apr_pool_t *pool)
{
    const difference_t *row;
    enum json_error_code code;
    apr_size_t i;

    for (i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
        row = &differences[i];
        ok(we_accept(row->text, row->length, pool) &&
               !jansson_accepts(row->text, row->length, &code) &&
               code == row->code,
           "only jansson refuses %s: %s", row->text, row->why);
    }
}

static void test_depth(apr_pool_t *pool)
{
    char text[2 * 3000];
    enum json_error_code code;

    memset(text, '[', 3000);
    memset(text + 3000, ']', 3000);
    ok(we_accept(text, sizeof(text), pool) &&
           !jansson_accepts(text, sizeof(text), &code) &&
           code == json_error_stack_overflow,
       "only jansson refuses 3000 arrays: it recurses, and stops at 2048");
    ok(we_accept(text + 2000, 2000, pool) &&
           jansson_accepts(text + 2000, 2000, &code),
       "both accept 1000 arrays");
}

/* The same texts on every machine. */
static unsigned int draw(unsigned int *state, unsigned int below)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 16) % below;
}

static const row_t pieces[] = {
    {TEXT("{")},         {TEXT("}")},
    {TEXT("[")},         {TEXT("]")},
    {TEXT(",")},         {TEXT(":")},
    {TEXT("\"a\"")},     {TEXT("\"a\":")},
    {TEXT("\"b\":")},    {TEXT("\"\\u0061\":")},
    {TEXT("{\"a\":1}")}, {TEXT("[1,2]")},
    {TEXT("null")},      {TEXT("true")},
    {TEXT("0")},         {TEXT("-")},
    {TEXT("1.5")},       {TEXT("e1")},
    {TEXT(" ")},         {TEXT("\n")},
    {TEXT("\"")},        {TEXT("\\")},
    {TEXT("\\n")},       {TEXT("\\ud834")},
    {TEXT("\\udd1e")},   {TEXT("\\u0000")},
    {TEXT("\xC3\xA9")},  {TEXT("\xED\xA0")},
    {TEXT("\x80")},      {TEXT("\0")},
    {TEXT("\x1F")},      {TEXT("\xF0\x9D\x84\x9E")},
};

#define PIECES (sizeof(pieces) / sizeof(pieces[0]))

static apr_size_t add_piece(char *text, apr_size_t length, const char *piece,
                            apr_size_t piece_length)
{
    memcpy(text + length, piece, piece_length);
    return length + piece_length;
}

/* One to twelve pieces in a row, half of the time inside a container. */
static apr_size_t random_row(char *text, unsigned int *state)
{
    unsigned int around = draw(state, 4);
    unsigned int left = 1 + draw(state, 12);
    apr_size_t length = 0;
    const row_t *piece;

    if (around < 2)
        text[length++] = "[{"[around];
    for (; left; left--) {
        piece = &pieces[draw(state, PIECES)];
        length = add_piece(text, length, piece->text, piece->length);
    }
    if (around < 2)
        text[length++] = "]}"[around];
    return length;
}

static const char whole[] =
    "{\"id\":1,\"a\":[1.5e+3,-0,null,{\"b\":\"x\\n\\u00e9\\ud834\\udd1e\"}],"
    "\"\\u0063\":{\"id\":true,\"\":\"\xC3\xA9\xE2\x82\xAC\"},\"d\":[[],{}]}";

/* A good text in which up to three times a byte is changed or dropped or a
 * piece is put in. */
static apr_size_t random_damage(char *text, unsigned int *state)
{
    unsigned int left = 1 + draw(state, 3);
    apr_size_t length = add_piece(text, 0, whole, sizeof(whole) - 1);
    apr_size_t rest;
    const row_t *piece;
    char *at;

    for (; left; left--) {
        at = text + draw(state, (unsigned int)length);
        rest = (apr_size_t)(text + length - at);
        piece = &pieces[draw(state, PIECES)];
        switch (draw(state, 3)) {
        case 0:
            *at = (char)draw(state, 256);
            break;
        case 1:
            memmove(at, at + 1, rest - 1);
            length--;
            break;
        default:
            memmove(at + piece->length, at, rest);
            memcpy(at, piece->text, piece->length);
            length += piece->length;
        }
    }
    return length;
}

/* Texts on which the two differ, other than as listed above. */
static int count_disputed(apr_size_t (*generate)(char *, unsigned int *),
                          int count, int *accepted, apr_pool_t *pool)
{
    unsigned int state = 1;
    enum json_error_code code;
    int disputed = 0;
    char text[512];
    apr_size_t length;
    int ours, theirs;

    for (*accepted = 0; count; count--) {
        length = generate(text, &state);
        ours = we_accept(text, length, pool);
        theirs = jansson_accepts(text, length, &code);
        *accepted += ours;
        if (ours == theirs || (ours && is_known_difference(code)))
            continue;
        disputed++;
        text[length] = '\0';
        printf("# %s only here: %s\n", ours ? "accepted" : "refused",
               condreq_json_quote(text, pool));
    }
    return disputed;
}

static void test_generated(apr_pool_t *pool)
{
    int accepted;

    is_int(count_disputed(random_row, 5000, &accepted, pool), 0,
           "of 5000 rows of pieces none is disputed");
    ok(accepted > 50 && accepted < 4950, "and they are good and bad, %d good",
       accepted);
    is_int(count_disputed(random_damage, 5000, &accepted, pool), 0,
           "of 5000 damaged documents none is disputed");
    ok(accepted > 50 && accepted < 4950, "and they are good and bad, %d good",
       accepted);
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_agreed(pool);
    test_differences(pool);
    test_depth(pool);
    test_generated(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
