/* JSON strings compared and written, RFC 8259 sections 7 and 8.
 * Knows escapes and UTF-8 (RFC 3629); nothing of values or documents.
 * What it is given to compare has passed the parser. */

#include <string.h>

#include "condreq_json.h"
#include "condreq_json_string.h"

/* A string's meaning, byte after byte, without a copy of it. */
typedef struct unescaped_t {
    const unsigned char *at;
    /* the closing quote */
    const unsigned char *end;
    /* the rest of an escape's UTF-8, the next byte lowest */
    apr_uint32_t pending;
} unescaped_t;

static unescaped_t unescaped_begin(const char *string, apr_size_t length)
{
    unescaped_t it;

    it.at = (const unsigned char *)string + 1;
    it.end = (const unsigned char *)string + length - 1;
    it.pending = 0;
    return it;
}

static apr_uint32_t code_unit(const unsigned char *digits)
{
    apr_uint32_t unit = 0;
    int i;

    for (i = 0; i < 4; i++)
        unit = unit << 4 | (apr_uint32_t)condreq_json_hex_digit(digits[i]);
    return unit;
}

/* RFC 8259 section 7: what is outside the Basic Multilingual Plane is
 * escaped as a surrogate pair. */
static apr_uint32_t next_code_point(unescaped_t *it)
{
    apr_uint32_t unit = code_unit(it->at);

    it->at += 4;
    if (unit < 0xD800 || unit > 0xDFFF)
        return unit;
    unit = 0x10000 + ((unit - 0xD800) << 10) + (code_unit(it->at + 2) - 0xDC00);
    it->at += 6;
    return unit;
}

/* The first byte of a code point's UTF-8; the others are left pending. None
 * of them is 0, so that 0 can mean that nothing is. */
static int utf8_begin(unescaped_t *it, apr_uint32_t point)
{
    if (point < 0x80)
        return (int)point;
    it->pending = 0x80 | (point & 0x3F);
    if (point < 0x800)
        return (int)(0xC0 | point >> 6);
    it->pending = it->pending << 8 | 0x80 | (point >> 6 & 0x3F);
    if (point < 0x10000)
        return (int)(0xE0 | point >> 12);
    it->pending = it->pending << 8 | 0x80 | (point >> 12 & 0x3F);
    return (int)(0xF0 | point >> 18);
}

static int next_escaped(unescaped_t *it)
{
    int c = *it->at++;

    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'u':
        return utf8_begin(it, next_code_point(it));
    default:
        return c;
    }
}

/* The next byte that is meant, or -1 behind the last one. */
static inline int unescaped_next(unescaped_t *it)
{
    int c;

    if (it->pending) {
        c = (int)(it->pending & 0xFF);
        it->pending >>= 8;
        return c;
    }
    if (it->at == it->end)
        return -1;
    c = *it->at++;
    return c == '\\' ? next_escaped(it) : c;
}

static int has_escape(const char *bytes, apr_size_t length)
{
    return memchr(bytes, '\\', length) != NULL;
}

int condreq_json_string_compare(const char *a, apr_size_t a_length,
                                const char *b, apr_size_t b_length)
{
    /* What is behind these bytes must not be looked at, or one long name
     * among many short ones is read once for each of them. */
    apr_size_t both = (a_length < b_length ? a_length : b_length) - 2;
    unescaped_t in_a, in_b;
    int byte_a, byte_b, order;

    if (!has_escape(a + 1, both) && !has_escape(b + 1, both)) {
        order = memcmp(a + 1, b + 1, both);
        return order ? order : (a_length > b_length) - (a_length < b_length);
    }
    in_a = unescaped_begin(a, a_length);
    in_b = unescaped_begin(b, b_length);
    do {
        byte_a = unescaped_next(&in_a);
        byte_b = unescaped_next(&in_b);
    } while (byte_a == byte_b && byte_a >= 0);
    return byte_a - byte_b;
}

int condreq_json_string_is(const char *string, apr_size_t length,
                           const char *bytes)
{
    unescaped_t it = unescaped_begin(string, length);

    /* an escaped NUL must not pass for the end of the bytes */
    for (; *bytes; bytes++) {
        if (unescaped_next(&it) != (unsigned char)*bytes)
            return 0;
    }
    return unescaped_next(&it) < 0;
}

apr_uint64_t condreq_json_string_prefix(const char *string, apr_size_t length)
{
    unescaped_t it = unescaped_begin(string, length);
    apr_uint64_t prefix = 0;
    int i, byte;

    for (i = 0; i < 8 && (byte = unescaped_next(&it)) >= 0; i++)
        prefix = prefix << 8 | (apr_uint64_t)byte;
    return prefix;
}

static int is_tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* Bytes that a lead byte promises; 0: it leads nothing. */
static int utf8_promised(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/* RFC 3629 section 4 narrows the second byte after four of the leads: E0 and
 * F0 against overlong forms, ED against surrogates, F4 against what is above
 * U+10FFFF. */
static int utf8_second_fits(unsigned char lead, unsigned char second)
{
    switch (lead) {
    case 0xE0:
        return second >= 0xA0;
    case 0xED:
        return second <= 0x9F;
    case 0xF0:
        return second >= 0x90;
    case 0xF4:
        return second <= 0x8F;
    default:
        return 1;
    }
}

int condreq_json_utf8_length(const unsigned char *at, const unsigned char *end)
{
    int length = utf8_promised(*at);
    int i;

    if (length > end - at)
        return 0;
    for (i = 1; i < length; i++) {
        if (!is_tail(at[i]))
            return 0;
    }
    return length < 2 || utf8_second_fits(at[0], at[1]) ? length : 0;
}

/* The letter behind the backslash where RFC 8259 section 7 has a short form,
 * else 0. */
static char short_escape(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

static char *write_escape(char *out, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";

    *out++ = '\\';
    if (short_escape(c)) {
        *out++ = short_escape(c);
        return out;
    }
    memcpy(out, "u00", 3);
    out[3] = digits[c >> 4];
    out[4] = digits[c & 15];
    return out + 5;
}

const char *condreq_json_quote(const char *bytes, apr_pool_t *pool)
{
    const unsigned char *at = (const unsigned char *)bytes;
    const unsigned char *end = at + strlen(bytes);
    /* the longest that one byte can become is \u00XX */
    char *quoted = apr_palloc(pool, (apr_size_t)(end - at) * 6 + 3);
    char *out = quoted;
    int length;

    *out++ = '"';
    for (; at != end; at += length ? length : 1) {
        length = condreq_json_utf8_length(at, end);
        if (!length) {
            memcpy(out, "\xEF\xBF\xBD", 3);
            out += 3;
        }
        else if (*at < 0x20 || *at == '"' || *at == '\\') {
            out = write_escape(out, *at);
        }
        else {
            memcpy(out, at, (apr_size_t)length);
            out += length;
        }
    }
    *out++ = '"';
    *out = '\0';
    return quoted;
}
