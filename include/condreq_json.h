/* JSON text, RFC 8259 to the letter, kept as the text that it was.
 * A parse yields spans over the client's bytes; nothing is converted.
 * Knows no member's meaning, no store, no request. */
#ifndef CONDREQ_JSON_H
#define CONDREQ_JSON_H

#include "apr_pools.h"

typedef enum condreq_json_type_t {
    CONDREQ_JSON_NULL,
    CONDREQ_JSON_FALSE,
    CONDREQ_JSON_TRUE,
    CONDREQ_JSON_NUMBER,
    CONDREQ_JSON_STRING,
    CONDREQ_JSON_ARRAY,
    CONDREQ_JSON_OBJECT
} condreq_json_type_t;

/** Half-open range of bytes of the text. */
typedef struct condreq_json_span_t {
    apr_size_t begin;
    apr_size_t end;
} condreq_json_span_t;

/** One value. Values stand in the order of the text: the first child of a
 * container is the next value, the value behind a whole container is
 * at its index + size. */
typedef struct condreq_json_value_t {
    condreq_json_type_t type;
    /** the value's text, from its first byte to its last */
    condreq_json_span_t text;
    /** inside an object: the member's name with its quotes; else empty */
    condreq_json_span_t name;
    /** this value and all below it */
    apr_size_t size;
    /** direct children */
    apr_size_t children;
} condreq_json_value_t;

typedef struct condreq_json_t {
    /** the caller's bytes, which must outlive this */
    const char *text;
    apr_size_t length;
    /** values[0] is the document */
    const condreq_json_value_t *values;
    apr_size_t count;
} condreq_json_t;

/** What a client may spend. */
typedef struct condreq_json_limits_t {
    /** arrays and objects open at once; 0: scalars only */
    apr_size_t max_depth;
    /** values in one document, the document and every container included */
    apr_size_t max_values;
} condreq_json_limits_t;

typedef enum condreq_json_verdict_t {
    CONDREQ_JSON_GOOD,
    /** not JSON, or two members of one name (RFC 7493 section 2.3) */
    CONDREQ_JSON_MALFORMED,
    /** over max_depth */
    CONDREQ_JSON_TOO_DEEP,
    /** over max_values */
    CONDREQ_JSON_TOO_MANY
} condreq_json_verdict_t;

/** Where and why a text was refused. */
typedef struct condreq_json_fault_t {
    /** bytes from 0: of an escape its backslash, of bad UTF-8 the sequence's
     * first byte, of two equal names the second's quote, of what is too deep
     * the bracket; the text's length where it ended too soon */
    apr_size_t offset;
    /** a constant phrase for people, no full stop: "a control character in
     * a string" */
    const char *reason;
} condreq_json_fault_t;

/**
 * Checks a text and notes where its values are. Time is linear in the length
 * but for the sorting of names, which is n log n whatever they are; memory is
 * linear in the number of values; the stack does not grow with the input.
 * @param json    is set on GOOD, from the pool
 * @param text    the bytes; they are not changed and need no NUL
 * @param length  bytes in text
 * @param limits  budgets
 * @param fault   is set on every other verdict
 */
condreq_json_verdict_t condreq_json_parse(condreq_json_t **json,
                                          const char *text, apr_size_t length,
                                          const condreq_json_limits_t *limits,
                                          condreq_json_fault_t *fault,
                                          apr_pool_t *pool);

/** Is the document an object? */
int condreq_json_is_object(const condreq_json_t *json);

/**
 * Compares two strings' or names' texts as the strings that they mean:
 * "a" and "\u0061" are equal. Both are valid JSON strings with their quotes.
 * @return less than, equal to or greater than 0; the order is total, bytewise
 *         over the unescaped UTF-8, the shorter first
 */
int condreq_json_string_compare(const char *a, apr_size_t a_length,
                                const char *b, apr_size_t b_length);

/**
 * Compares a string's text with unescaped bytes: is "\u0069d" the name id?
 */
int condreq_json_string_is(const char *string, apr_size_t length,
                           const char *bytes);

/** A JSON string of the given UTF-8 bytes, quoted and escaped, NUL-terminated;
 * bytes that are no UTF-8 become U+FFFD. */
const char *condreq_json_quote(const char *bytes, apr_pool_t *pool);

#endif
