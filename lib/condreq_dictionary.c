/* Structured fields, read by the algorithms of RFC 8941 section 4.2.
 * Knows their grammar; no field's meaning. Reads forward and never recurses. */
#include "condreq_dictionary.h"

#include <string.h>

#define INTEGER_DIGITS_MAX 15
#define DECIMAL_DIGITS_MAX 12
#define FRACTION_DIGITS_MAX 3

static int is_lcalpha(char c)
{
    return c >= 'a' && c <= 'z';
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_alpha(char c)
{
    return is_lcalpha(c) || (c >= 'A' && c <= 'Z');
}

static void skip_spaces(const char **at)
{
    *at += strspn(*at, " ");
}

static void skip_ows(const char **at)
{
    *at += strspn(*at, " \t");
}

/* Section 4.2.3.3. */
static int read_key(const char **at, const char **key, apr_size_t *length)
{
    *key = *at;
    if (!is_lcalpha(**at) && **at != '*')
        return 0;
    while (is_lcalpha(**at) || is_digit(**at) || (**at && strchr("_-.*", **at)))
        (*at)++;
    *length = (apr_size_t)(*at - *key);
    return 1;
}

/* ---- bare items, section 4.2.3.1 ---- */

static apr_size_t read_digits(const char **at, apr_int64_t *number)
{
    apr_size_t count = 0;

    for (; is_digit(**at) && count <= INTEGER_DIGITS_MAX; (*at)++, count++)
        *number = *number * 10 + (**at - '0');
    return count;
}

/* Section 4.2.4. */
static int read_number(const char **at, condreq_dictionary_member_t *member)
{
    int is_negative = **at == '-';
    apr_int64_t number = 0, fraction = 0;
    apr_size_t digits;

    *at += is_negative;
    digits = read_digits(at, &number);
    member->kind = CONDREQ_DICTIONARY_INTEGER;
    member->integer = is_negative ? -number : number;
    if (**at != '.')
        return digits && digits <= INTEGER_DIGITS_MAX;
    (*at)++;
    member->kind = CONDREQ_DICTIONARY_OTHER;
    if (!digits || digits > DECIMAL_DIGITS_MAX)
        return 0;
    digits = read_digits(at, &fraction);
    return digits && digits <= FRACTION_DIGITS_MAX;
}

/* Section 4.2.5. */
static int read_string(const char **at)
{
    const char *c = *at + 1;

    for (; *c != '"'; c++) {
        if (*c == '\\' && *++c != '"' && *c != '\\')
            return 0;
        if (*c < 0x20 || *c > 0x7E)
            return 0;
    }
    *at = c + 1;
    return 1;
}

/* Section 4.2.6. */
static int read_token(const char **at)
{
    while (is_alpha(**at) || is_digit(**at) ||
           (**at && strchr("!#$%&'*+-.^_`|~:/", **at)))
        (*at)++;
    return 1;
}

/* Section 4.2.7; what stands between the colons is looked at when it is
 * decoded. */
static int read_bytes(const char **at, condreq_dictionary_member_t *member)
{
    const char *begin = *at + 1;
    const char *end = strchr(begin, ':');

    if (!end)
        return 0;
    member->kind = CONDREQ_DICTIONARY_BYTES;
    member->base64 = begin;
    member->base64_length = (apr_size_t)(end - begin);
    *at = end + 1;
    return condreq_dictionary_decode(NULL, 0, begin, member->base64_length) >=
           0;
}

static int read_boolean(const char **at)
{
    if ((*at)[1] != '0' && (*at)[1] != '1')
        return 0;
    *at += 2;
    return 1;
}

static int read_bare_item(const char **at, condreq_dictionary_member_t *member)
{
    member->kind = CONDREQ_DICTIONARY_OTHER;
    if (**at == '-' || is_digit(**at))
        return read_number(at, member);
    if (**at == ':')
        return read_bytes(at, member);
    if (**at == '"')
        return read_string(at);
    if (**at == '?')
        return read_boolean(at);
    return (is_alpha(**at) || **at == '*') && read_token(at);
}

/* ---- what stands around them ---- */

/* Section 4.2.3.2; nobody here asks what they are. */
static int skip_parameters(const char **at)
{
    condreq_dictionary_member_t value;
    const char *key;
    apr_size_t length;

    while (**at == ';') {
        (*at)++;
        skip_spaces(at);
        if (!read_key(at, &key, &length))
            return 0;
        if (**at == '=') {
            (*at)++;
            if (!read_bare_item(at, &value))
                return 0;
        }
    }
    return 1;
}

/* Section 4.2.1.2. */
static int skip_inner_list(const char **at)
{
    condreq_dictionary_member_t item;

    (*at)++;
    for (;;) {
        skip_spaces(at);
        if (**at == ')') {
            (*at)++;
            return skip_parameters(at);
        }
        if (!read_bare_item(at, &item) || !skip_parameters(at) ||
            (**at != ' ' && **at != ')'))
            return 0;
    }
}

static int read_value(const char **at, condreq_dictionary_member_t *member)
{
    /* a key alone is the Boolean true */
    member->kind = CONDREQ_DICTIONARY_OTHER;
    if (**at == '=') {
        (*at)++;
        if (**at == '(')
            return skip_inner_list(at);
        if (!read_bare_item(at, member))
            return 0;
    }
    return skip_parameters(at);
}

/* Between two members a comma, and behind the last one nothing. */
static int next_begins(condreq_dictionary_t *dictionary)
{
    const char **at = &dictionary->at;

    if (!dictionary->is_begun) {
        dictionary->is_begun = 1;
        skip_spaces(at);
        return **at ? 1 : 0;
    }
    skip_ows(at);
    if (!**at)
        return 0;
    if (**at != ',')
        return -1;
    (*at)++;
    skip_ows(at);
    return **at ? 1 : -1;
}

void condreq_dictionary_begin(condreq_dictionary_t *dictionary,
                              const char *field)
{
    dictionary->at = field;
    dictionary->is_begun = 0;
}

int condreq_dictionary_next(condreq_dictionary_t *dictionary,
                            condreq_dictionary_member_t *member)
{
    int begins = next_begins(dictionary);

    memset(member, 0, sizeof *member);
    if (begins != 1)
        return begins;
    return read_key(&dictionary->at, &member->key, &member->key_length) &&
                   read_value(&dictionary->at, member)
               ? 1
               : -1;
}

/* ---- base64, RFC 4648 section 4 ---- */

static int sextet(char c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c ? strchr(alphabet, c) : NULL;

    return found ? (int)(found - alphabet) : -1;
}

/* Padding may be missing, but not wrong. */
static int without_padding(const char *base64, apr_size_t *length)
{
    apr_size_t padded = *length;

    while (*length && base64[*length - 1] == '=')
        (*length)--;
    return *length % 4 != 1 && padded - *length <= 2 &&
           (padded == *length || padded % 4 == 0);
}

apr_ssize_t condreq_dictionary_decode(unsigned char *bytes, apr_size_t size,
                                      const char *base64,
                                      apr_size_t base64_length)
{
    unsigned bits = 0, count = 0;
    apr_size_t length = base64_length, decoded = 0, i;

    if (!without_padding(base64, &length))
        return -1;
    for (i = 0; i < length; i++) {
        int value = sextet(base64[i]);

        if (value < 0)
            return -1;
        bits = (bits << 6 | (unsigned)value) & 0x3FFF;
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        if (decoded < size)
            bytes[decoded] = (unsigned char)(bits >> count);
        decoded++;
    }
    return (apr_ssize_t)decoded;
}
