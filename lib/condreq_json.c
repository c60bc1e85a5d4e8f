/* JSON text, RFC 8259 to the letter: checked, and its values' places noted.
 * Knows the grammar and UTF-8 (RFC 3629); converts nothing, recurses never,
 * and knows no member's meaning. One name twice is refused (RFC 7493). */

#include <string.h>

#include "apr_strings.h"
#include "condreq_json.h"
#include "condreq_json_names.h"
#include "condreq_json_string.h"

/* A first guess at the bytes of text that a value takes, and how far it is
 * trusted: a long text may be one string. */
#define BYTES_PER_VALUE 16
#define FIRST_VALUES_MIN 8
#define FIRST_VALUES_MAX 1024

#define NO_CONTAINER ((apr_size_t)-1)

typedef struct parser_t {
    /* what was found up to now; names are compared before the end */
    condreq_json_t json;
    /* json.values, as long as they are being written */
    condreq_json_value_t *values;
    apr_size_t capacity;
    /* holds the values once they outgrew the first guess */
    apr_pool_t *grown;

    const unsigned char *at;
    const unsigned char *end;

    /* The innermost open container. While it is open its size is the index
     * of the next outer one, so that there is no stack beside the values. */
    apr_size_t open;
    apr_size_t depth;
    /* of the member whose value comes next; empty in an array */
    condreq_json_span_t name;

    const condreq_json_limits_t *limits;
    condreq_json_verdict_t verdict;
    condreq_json_fault_t *fault;
    apr_pool_t *pool;
} parser_t;

static apr_size_t offset_of(const parser_t *parser, const unsigned char *byte)
{
    return (apr_size_t)(byte - (const unsigned char *)parser->json.text);
}

static int refuse_as(parser_t *parser, condreq_json_verdict_t verdict,
                     apr_size_t offset, const char *reason)
{
    parser->verdict = verdict;
    parser->fault->offset = offset;
    parser->fault->reason = reason;
    return 0;
}

/* The end of the text is a reason of its own, whatever was expected. */
static int refuse_at(parser_t *parser, const unsigned char *byte,
                     const char *reason)
{
    return refuse_as(parser, CONDREQ_JSON_MALFORMED, offset_of(parser, byte),
                     byte == parser->end ? "the text ends too soon" : reason);
}

static int refuse(parser_t *parser, const char *reason)
{
    return refuse_at(parser, parser->at, reason);
}

/* RFC 8259 section 2: these four, and neither \f nor \v. */
static inline void skip_space(parser_t *parser)
{
    const unsigned char *at = parser->at;

    while (at != parser->end &&
           (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    parser->at = at;
}

static inline int is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* One digit or more. */
static int read_digits(parser_t *parser)
{
    const unsigned char *at = parser->at;

    while (at != parser->end && is_digit(*at))
        at++;
    if (at == parser->at)
        return refuse(parser, "a digit is missing in a number");
    parser->at = at;
    return 1;
}

static int next_is(const parser_t *parser, unsigned char c)
{
    return parser->at != parser->end && *parser->at == c;
}

/* RFC 8259 section 6. Any size and any precision: it stays a text. */
static int read_number(parser_t *parser)
{
    parser->at += *parser->at == '-';
    if (next_is(parser, '0')) {
        parser->at++;
        if (parser->at != parser->end && is_digit(*parser->at))
            return refuse(parser, "a number begins with 0");
    }
    else if (!read_digits(parser)) {
        return 0;
    }
    if (next_is(parser, '.')) {
        parser->at++;
        if (!read_digits(parser))
            return 0;
    }
    if (next_is(parser, 'e') || next_is(parser, 'E')) {
        parser->at++;
        parser->at += next_is(parser, '+') || next_is(parser, '-');
        return read_digits(parser);
    }
    return 1;
}

static int read_literal(parser_t *parser, const char *literal)
{
    const unsigned char *at = parser->at;

    for (; *literal; literal++, at++) {
        if (at == parser->end)
            return refuse_at(parser, at, NULL);
        if (*at != (unsigned char)*literal)
            return refuse(parser, "this begins no JSON value");
    }
    parser->at = at;
    return 1;
}

/* A UTF-16 code unit, \uXXXX. The faults of an escape are at its backslash. */
static int read_code_unit(parser_t *parser, int *unit)
{
    const unsigned char *at = parser->at + 2;
    int i, digit;

    *unit = 0;
    for (i = 0; i < 4; i++, at++) {
        if (at == parser->end)
            return refuse_at(parser, at, NULL);
        digit = condreq_json_hex_digit(*at);
        if (digit < 0)
            return refuse(parser, "\\u without four hexadecimal digits");
        *unit = *unit << 4 | digit;
    }
    parser->at = at;
    return 1;
}

static int is_high_surrogate(int unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static int is_low_surrogate(int unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

static int escaped_unit_is_next(const parser_t *parser)
{
    return parser->end - parser->at >= 2 && parser->at[0] == '\\' &&
           parser->at[1] == 'u';
}

/* A high surrogate stands before a low one, and a low one behind a high one:
 * RFC 8259 section 8.2 calls what comes of others unpredictable. */
static int read_code_point(parser_t *parser)
{
    const unsigned char *escape = parser->at;
    int unit, low = 0;

    if (!read_code_unit(parser, &unit))
        return 0;
    if (!is_high_surrogate(unit) && !is_low_surrogate(unit))
        return 1;
    if (is_high_surrogate(unit) && escaped_unit_is_next(parser) &&
        !read_code_unit(parser, &low))
        return 0;
    if (!is_low_surrogate(low))
        return refuse_at(parser, escape, "half of a surrogate pair");
    return 1;
}

static int read_escape(parser_t *parser)
{
    if (parser->end - parser->at < 2)
        return refuse_at(parser, parser->end, NULL);
    switch (parser->at[1]) {
    case 'u':
        return read_code_point(parser);
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        parser->at += 2;
        return 1;
    default:
        return refuse(parser, "an escape that JSON does not have");
    }
}

#define EACH_BYTE(c) (APR_UINT64_C(0x0101010101010101) * (c))

/* Is any of eight bytes a quote, a backslash, a control character, or none of
 * ASCII? Each subtraction borrows into the top bit of a byte that is; what it
 * borrows from a neighbour does no harm, for then the answer is yes anyway. */
static inline int any_special(apr_uint64_t bytes)
{
    apr_uint64_t quote = bytes ^ EACH_BYTE('"');
    apr_uint64_t backslash = bytes ^ EACH_BYTE('\\');
    apr_uint64_t low = (bytes - EACH_BYTE(0x20)) | (quote - EACH_BYTE(1)) |
                       (backslash - EACH_BYTE(1));

    return ((low | bytes) & EACH_BYTE(0x80)) != 0;
}

static inline int is_special(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\' || c >= 0x80;
}

/* To the next byte of a string that needs a closer look. */
static inline const unsigned char *skip_plain(const unsigned char *at,
                                              const unsigned char *end)
{
    apr_uint64_t bytes;

    while (end - at >= 8) {
        memcpy(&bytes, at, 8);
        if (any_special(bytes))
            break;
        at += 8;
    }
    while (at != end && !is_special(*at))
        at++;
    return at;
}

static int read_utf8(parser_t *parser)
{
    int length = condreq_json_utf8_length(parser->at, parser->end);

    if (!length)
        return refuse(parser, "bytes in a string that are not UTF-8");
    parser->at += length;
    return 1;
}

/* RFC 8259 section 7, from quote to quote. */
static int read_string(parser_t *parser)
{
    int good = 1;

    parser->at++;
    while (good) {
        parser->at = skip_plain(parser->at, parser->end);
        if (parser->at == parser->end)
            return refuse(parser, NULL);
        if (*parser->at == '"') {
            parser->at++;
            return 1;
        }
        if (*parser->at < 0x20)
            return refuse(parser, "a control character in a string");
        good = *parser->at == '\\' ? read_escape(parser) : read_utf8(parser);
    }
    return 0;
}

/* Twice as many each time. What was outgrown goes back at once, or a long
 * list of zeros would cost its tree two times over. */
static void grow(parser_t *parser)
{
    apr_pool_t *outgrown = parser->grown;
    condreq_json_value_t *values;

    apr_pool_create(&parser->grown, parser->pool);
    values = apr_palloc(parser->grown, 2 * parser->capacity * sizeof(*values));
    memcpy(values, parser->values, parser->json.count * sizeof(*values));
    if (outgrown)
        apr_pool_destroy(outgrown);
    parser->values = values;
    parser->json.values = values;
    parser->capacity *= 2;
}

/* Notes that a value begins here. */
static int begin_value(parser_t *parser, condreq_json_type_t type)
{
    condreq_json_value_t *value;

    if (parser->json.count == parser->limits->max_values)
        return refuse_as(parser, CONDREQ_JSON_TOO_MANY,
                         offset_of(parser, parser->at), "too many values");
    if (parser->json.count == parser->capacity)
        grow(parser);
    value = &parser->values[parser->json.count++];
    value->type = type;
    value->text.begin = offset_of(parser, parser->at);
    value->name = parser->name;
    value->size = 1;
    value->children = 0;
    if (parser->open != NO_CONTAINER)
        parser->values[parser->open].children++;
    return 1;
}

static void end_value(parser_t *parser, apr_size_t index)
{
    parser->values[index].text.end = offset_of(parser, parser->at);
}

static int open_container(parser_t *parser, condreq_json_type_t type)
{
    apr_size_t outer = parser->open;

    if (parser->depth == parser->limits->max_depth)
        return refuse_as(parser, CONDREQ_JSON_TOO_DEEP,
                         offset_of(parser, parser->at),
                         "too many arrays and objects inside one another");
    if (!begin_value(parser, type))
        return 0;
    parser->open = parser->json.count - 1;
    parser->values[parser->open].size = outer;
    parser->depth++;
    parser->at++;
    return 1;
}

static int names_differ(parser_t *parser, apr_size_t object)
{
    apr_size_t repeated =
        condreq_json_names_repeated(&parser->json, object, parser->pool);

    if (!repeated)
        return 1;
    return refuse_as(parser, CONDREQ_JSON_MALFORMED,
                     parser->values[repeated].name.begin,
                     "a second member with the same name");
}

static int close_container(parser_t *parser)
{
    apr_size_t index = parser->open;
    condreq_json_value_t *container = &parser->values[index];

    parser->at++;
    end_value(parser, index);
    parser->open = container->size;
    parser->depth--;
    container->size = parser->json.count - index;
    return container->type != CONDREQ_JSON_OBJECT || container->children < 2 ||
           names_differ(parser, index);
}

/* A value that begins and ends before the next one. */
static int read_scalar(parser_t *parser, condreq_json_type_t type)
{
    switch (type) {
    case CONDREQ_JSON_STRING:
        return read_string(parser);
    case CONDREQ_JSON_NUMBER:
        return read_number(parser);
    case CONDREQ_JSON_TRUE:
        return read_literal(parser, "true");
    case CONDREQ_JSON_FALSE:
        return read_literal(parser, "false");
    default:
        return read_literal(parser, "null");
    }
}

static int note_scalar(parser_t *parser, condreq_json_type_t type)
{
    apr_size_t index = parser->json.count;

    if (!begin_value(parser, type) || !read_scalar(parser, type))
        return 0;
    end_value(parser, index);
    return 1;
}

/* No one sees a byte order mark, so it is told apart. RFC 8259 section 8.1
 * lets a parser ignore it; the bytes would then not be the document. */
static int refuse_value(parser_t *parser)
{
    if (parser->json.count == 0 && parser->end - parser->at >= 3 &&
        memcmp(parser->at, "\xEF\xBB\xBF", 3) == 0)
        return refuse(parser, "a byte order mark before the document");
    return refuse(parser, "this begins no JSON value");
}

/* A scalar to its end, of a container the opening bracket. */
static int read_value(parser_t *parser)
{
    unsigned char c = parser->at == parser->end ? 0 : *parser->at;

    switch (c) {
    case '[':
        return open_container(parser, CONDREQ_JSON_ARRAY);
    case '{':
        return open_container(parser, CONDREQ_JSON_OBJECT);
    case '"':
        return note_scalar(parser, CONDREQ_JSON_STRING);
    case 't':
        return note_scalar(parser, CONDREQ_JSON_TRUE);
    case 'f':
        return note_scalar(parser, CONDREQ_JSON_FALSE);
    case 'n':
        return note_scalar(parser, CONDREQ_JSON_NULL);
    case ',':
    case ']':
    case '}':
        return refuse(parser, "a value is missing");
    default:
        if (c == '-' || is_digit(c))
            return note_scalar(parser, CONDREQ_JSON_NUMBER);
        return refuse_value(parser);
    }
}

/* A member's name and colon. */
static int read_name(parser_t *parser)
{
    const unsigned char *begin = parser->at;

    if (!next_is(parser, '"'))
        return refuse(parser, "a member's name is missing");
    if (!read_string(parser))
        return 0;
    parser->name.begin = offset_of(parser, begin);
    parser->name.end = offset_of(parser, parser->at);
    skip_space(parser);
    if (!next_is(parser, ':'))
        return refuse(parser, "a colon is missing");
    parser->at++;
    skip_space(parser);
    return 1;
}

/* Through the comma, if the container has a child yet, and through the name,
 * if it is an object. */
static int reach_child(parser_t *parser)
{
    int in_object = parser->values[parser->open].type == CONDREQ_JSON_OBJECT;

    if (parser->values[parser->open].children) {
        if (!next_is(parser, ','))
            return refuse(parser, in_object ? "a comma or } is missing"
                                            : "a comma or ] is missing");
        parser->at++;
        skip_space(parser);
    }
    if (in_object)
        return read_name(parser);
    parser->name.begin = parser->name.end = 0;
    return 1;
}

/* Behind a scalar or an opening bracket: closes what ends here, and goes to
 * the next value, unless the document is complete. */
static int reach_value(parser_t *parser)
{
    condreq_json_type_t type;

    for (;;) {
        skip_space(parser);
        if (parser->open == NO_CONTAINER)
            return 1;
        type = parser->values[parser->open].type;
        if (!next_is(parser, type == CONDREQ_JSON_OBJECT ? '}' : ']'))
            return reach_child(parser);
        if (!close_container(parser))
            return 0;
    }
}

static int read_document(parser_t *parser)
{
    skip_space(parser);
    do {
        if (!read_value(parser) || !reach_value(parser))
            return 0;
    } while (parser->open != NO_CONTAINER);
    if (parser->at != parser->end)
        return refuse(parser, "something stands behind the document");
    return 1;
}

static void parser_begin(parser_t *parser, const char *text, apr_size_t length)
{
    apr_size_t guess = length / BYTES_PER_VALUE + FIRST_VALUES_MIN;

    parser->capacity = guess < FIRST_VALUES_MAX ? guess : FIRST_VALUES_MAX;
    parser->values =
        apr_palloc(parser->pool, parser->capacity * sizeof(*parser->values));
    parser->json.text = text;
    parser->json.length = length;
    parser->json.values = parser->values;
    parser->at = (const unsigned char *)text;
    parser->end = parser->at + length;
    parser->open = NO_CONTAINER;
    parser->verdict = CONDREQ_JSON_GOOD;
}

condreq_json_verdict_t condreq_json_parse(condreq_json_t **json,
                                          const char *text, apr_size_t length,
                                          const condreq_json_limits_t *limits,
                                          condreq_json_fault_t *fault,
                                          apr_pool_t *pool)
{
    parser_t parser = {0};

    parser.limits = limits;
    parser.fault = fault;
    parser.pool = pool;
    parser_begin(&parser, length ? text : "", length);
    if (read_document(&parser))
        *json = apr_pmemdup(pool, &parser.json, sizeof(parser.json));
    else if (parser.grown)
        apr_pool_destroy(parser.grown);
    return parser.verdict;
}

int condreq_json_is_object(const condreq_json_t *json)
{
    return json->values[0].type == CONDREQ_JSON_OBJECT;
}
