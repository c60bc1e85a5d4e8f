/* Inside of the JSON codec: one string's bytes.
 * Shared by the parser and by whatever compares names; not installed. */
#ifndef CONDREQ_JSON_STRING_H
#define CONDREQ_JSON_STRING_H

#include "apr.h"

/** The value of a hexadecimal digit, or -1. */
static inline int condreq_json_hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/**
 * Bytes of the UTF-8 sequence that begins at a byte, RFC 3629 section 4: no
 * overlong form, no surrogate, nothing above U+10FFFF.
 * @param at  before end
 * @return 1 to 4, or 0 where no whole sequence stands
 */
int condreq_json_utf8_length(const unsigned char *at, const unsigned char *end);

/**
 * The first eight bytes that a string means, as a number: where two of these
 * differ, the strings do.
 * @param string  a valid JSON string with its quotes
 */
apr_uint64_t condreq_json_string_prefix(const char *string, apr_size_t length);

#endif
