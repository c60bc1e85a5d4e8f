/* JSON strings for the fuzzers, in the plainest way: decoded by hand into
 * code points. Shares no line with the code that is tested. */
#ifndef CONDREQ_PLAIN_JSON_H
#define CONDREQ_PLAIN_JSON_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "apr_pools.h"

#define MUST(claim)                                                            \
    do {                                                                       \
        if (!(claim))                                                          \
            abort();                                                           \
    } while (0)

/* Unescaped bytes, which may hold NUL. */
typedef struct plain_bytes_t {
    unsigned char *bytes;
    size_t length;
} plain_bytes_t;

static inline int plain_compare(plain_bytes_t a, plain_bytes_t b)
{
    size_t i;

    for (i = 0; i < a.length && i < b.length; i++) {
        if (a.bytes[i] != b.bytes[i])
            return a.bytes[i] < b.bytes[i] ? -1 : 1;
    }
    return a.length < b.length ? -1 : a.length > b.length;
}

static inline void plain_add(plain_bytes_t *to, long point)
{
    unsigned char *out = to->bytes + to->length;

    if (point < 0x80) {
        out[0] = (unsigned char)point;
        to->length += 1;
    }
    else if (point < 0x800) {
        out[0] = (unsigned char)(0xC0 + point / 64);
        out[1] = (unsigned char)(0x80 + point % 64);
        to->length += 2;
    }
    else if (point < 0x10000) {
        out[0] = (unsigned char)(0xE0 + point / 4096);
        out[1] = (unsigned char)(0x80 + point / 64 % 64);
        out[2] = (unsigned char)(0x80 + point % 64);
        to->length += 3;
    }
    else {
        out[0] = (unsigned char)(0xF0 + point / 262144);
        out[1] = (unsigned char)(0x80 + point / 4096 % 64);
        out[2] = (unsigned char)(0x80 + point / 64 % 64);
        out[3] = (unsigned char)(0x80 + point % 64);
        to->length += 4;
    }
}

/* Four hexadecimal digits, -1 for anything else. */
static inline long plain_hex4(const unsigned char *at, const unsigned char *end)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *digit;
    long unit = 0;
    int i;

    for (i = 0; i < 4; i++) {
        if (at + i >= end || !at[i] || !(digit = strchr(digits, at[i])))
            return -1;
        unit = unit * 16 + (digit - digits) % 16;
    }
    return unit;
}

/* An escape behind its backslash: its code point, -1 for none. */
static inline long plain_escape(const unsigned char **at,
                                const unsigned char *end)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter;
    long high, low;

    if (*at == end || !**at)
        return -1;
    letter = strchr(letters, *(*at)++);
    if (letter)
        return meanings[letter - letters];
    if ((*at)[-1] != 'u' || (high = plain_hex4(*at, end)) < 0)
        return -1;
    *at += 4;
    if (high / 0x400 != 0xD800 / 0x400)
        return high / 0x400 == 0xDC00 / 0x400 ? -1 : high;
    if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
        return -1;
    low = plain_hex4(*at + 2, end);
    if (low < 0xDC00 || low > 0xDFFF)
        return -1;
    *at += 6;
    return 0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00;
}

/* A code point of two bytes or more, -1 for what is no UTF-8: decoded by its
 * bits first, then judged by its value. */
static inline long plain_utf8(const unsigned char **at,
                              const unsigned char *end)
{
    static const long smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = *(*at)++;
    int length = lead >= 0xF8   ? 0
                 : lead >= 0xF0 ? 4
                 : lead >= 0xE0 ? 3
                 : lead >= 0xC0 ? 2
                                : 0;
    long point = length ? lead & (0xFF >> (length + 1)) : -1;
    int i;

    for (i = 1; i < length; i++) {
        if (*at == end || **at / 64 != 2)
            return -1;
        point = point * 64 + *(*at)++ % 64;
    }
    if (!length || point < smallest[length] || point > 0x10FFFF ||
        (point >= 0xD800 && point <= 0xDFFF))
        return -1;
    return point;
}

/* From a string's opening quote to behind its closing one: 0 where it is no
 * JSON string. *at is left somewhere then. */
static inline int plain_string(plain_bytes_t *decoded, const unsigned char **at,
                               const unsigned char *end, apr_pool_t *pool)
{
    long point;

    decoded->bytes = apr_palloc(pool, (apr_size_t)(end - *at) + 4);
    decoded->length = 0;
    if (*at == end || *(*at)++ != '"')
        return 0;
    while (*at != end && **at != '"') {
        if (**at < 0x20)
            return 0;
        if (**at == '\\') {
            (*at)++;
            point = plain_escape(at, end);
        }
        else if (**at < 0x80) {
            point = *(*at)++;
        }
        else {
            point = plain_utf8(at, end);
        }
        if (point < 0)
            return 0;
        plain_add(decoded, point);
    }
    return *at != end && *(*at)++ == '"';
}

#endif
