/* JSON numbers, RFC 8259 section 6, compared as the decimals that they are.
 * Knows their text; converts none of them, so that no digit and no exponent
 * is out of range. */

#include "condreq_number.h"

/* A number as its sign, the digits from the first that is not 0, and an
 * exponent in two parts: its value is 0.DIGITS times ten to the power of
 * EXPONENT + SHIFT. The digits may have a point among them. */
typedef struct decimal_t {
    int is_negative;
    const char *digits;
    const char *digits_end;
    apr_int64_t shift;
    int exponent_is_negative;
    const char *exponent;
    const char *exponent_end;
} decimal_t;

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *digits_end(const char *at, const char *end)
{
    while (at != end && (is_digit(*at) || *at == '.'))
        at++;
    return at;
}

static void read_exponent(decimal_t *decimal, const char *at, const char *end)
{
    decimal->exponent_is_negative = 0;
    if (at != end)
        at++;
    if (at != end && !is_digit(*at))
        decimal->exponent_is_negative = *at++ == '-';
    decimal->exponent = at;
    decimal->exponent_end = end;
}

/* Passes the zeros in front. The shift is the number of digits before the
 * point, or, behind it, of the zeros there, less than 0. */
static void read_digits(decimal_t *decimal)
{
    const char *end = decimal->digits_end;
    const char *at = decimal->digits;
    const char *point;

    while (at != end && *at == '0')
        at++;
    for (point = at; point != end && *point != '.'; point++)
        ;
    decimal->shift = point - at;
    if (at == point && at != end) {
        at++;
        while (at != end && *at == '0')
            at++;
        decimal->shift = point + 1 - at;
    }
    decimal->digits = at;
}

static decimal_t read_decimal(const char *text, apr_size_t length)
{
    const char *end = text + length;
    decimal_t decimal;

    decimal.is_negative = *text == '-';
    decimal.digits = text + decimal.is_negative;
    decimal.digits_end = digits_end(decimal.digits, end);
    read_exponent(&decimal, decimal.digits_end, end);
    read_digits(&decimal);
    return decimal;
}

static int is_zero(const decimal_t *decimal)
{
    return decimal->digits == decimal->digits_end;
}

/* The next digit; behind the last one zeros go on. */
static char next_digit(const char **at, const char *end)
{
    if (*at != end && **at == '.')
        (*at)++;
    return *at == end ? '0' : *(*at)++;
}

static int same_digits(const decimal_t *a, const decimal_t *b)
{
    const char *in_a = a->digits;
    const char *in_b = b->digits;

    while (in_a != a->digits_end || in_b != b->digits_end) {
        if (next_digit(&in_a, a->digits_end) !=
            next_digit(&in_b, b->digits_end))
            return 0;
    }
    return 1;
}

/* The exponent's digit at a distance from its end, with the exponent's sign. */
static int exponent_digit(const decimal_t *decimal, apr_size_t from_end)
{
    apr_size_t digits = (apr_size_t)(decimal->exponent_end - decimal->exponent);
    int digit =
        from_end > digits ? 0 : decimal->exponent[digits - from_end] - '0';

    return decimal->exponent_is_negative ? -digit : digit;
}

static apr_size_t longer_exponent(const decimal_t *a, const decimal_t *b)
{
    apr_size_t in_a = (apr_size_t)(a->exponent_end - a->exponent);
    apr_size_t in_b = (apr_size_t)(b->exponent_end - b->exponent);

    return in_a > in_b ? in_a : in_b;
}

/* More than two shifts can differ by, and far from an overflow. */
#define FAR_APART APR_INT64_C(100000000000000000)

/* Two exponents of any length are subtracted from the left. A difference of
 * 3 or more only grows by further digits, which add 18 at most to its ten
 * times: so once it is far it stays so. */
static int same_exponent(const decimal_t *a, const decimal_t *b)
{
    apr_int64_t difference = 0;
    apr_size_t from_end;

    for (from_end = longer_exponent(a, b); from_end; from_end--) {
        difference = difference * 10 + exponent_digit(a, from_end) -
                     exponent_digit(b, from_end);
        if (difference > FAR_APART || difference < -FAR_APART)
            return 0;
    }
    return difference == b->shift - a->shift;
}

int condreq_number_equal(const char *a, apr_size_t a_length, const char *b,
                         apr_size_t b_length)
{
    decimal_t in_a = read_decimal(a, a_length);
    decimal_t in_b = read_decimal(b, b_length);

    if (is_zero(&in_a) || is_zero(&in_b))
        return is_zero(&in_a) && is_zero(&in_b);
    return in_a.is_negative == in_b.is_negative &&
           same_exponent(&in_a, &in_b) && same_digits(&in_a, &in_b);
}
