/* JSON Pointer, RFC 6901: syntax, escapes and array indexes.
 * Knows a string's text and what its characters mean; no document, and not
 * what an operation does with the location. */

#include <string.h>

#include "condreq_json.h"
#include "condreq_json_string.h"
#include "condreq_pointer.h"

/* Whatever is no character of ASCII that a pointer has a use for. */
#define OTHER 0x80

/* What stands next in a string, literally or as an escape; goes behind it.
 * A byte of UTF-8 is OTHER, as is a surrogate. */
static int next_character(const char **at)
{
    int character = (unsigned char)*(*at)++;
    int i;

    if (character != '\\')
        return character < 0x80 ? character : OTHER;
    character = *(*at)++;
    if (character != 'u')
        return strchr("bfnrt", character) ? OTHER : character;
    for (character = i = 0; i < 4; i++)
        character =
            character * 16 + condreq_json_hex_digit((unsigned char)*(*at)++);
    return character < 0x80 ? character : OTHER;
}

static apr_size_t count_tokens(const char *at, const char *end)
{
    apr_size_t count = 0;

    while (at != end)
        count += next_character(&at) == '/';
    return count;
}

/* RFC 6901 section 4: one pass, so that ~01 is ~1 and not /. */
static char *write_unescaped(char *out, const char **at, const char *end)
{
    int digit = *at == end ? OTHER : next_character(at);

    if (digit != '0' && digit != '1')
        return NULL;
    *out++ = digit == '0' ? '~' : '/';
    return out;
}

/* From behind its slash to before the next one. Returns the end of what it
 * wrote, or NULL. */
static char *write_token(char *out, const char **at, const char *end)
{
    const char *character;
    int meant;

    *out++ = '"';
    while (out && *at != end) {
        character = *at;
        meant = next_character(at);
        if (meant == '/') {
            *at = character;
            break;
        }
        if (meant == '~') {
            out = write_unescaped(out, at, end);
        }
        else {
            memcpy(out, character, (apr_size_t)(*at - character));
            out += *at - character;
        }
    }
    if (out)
        *out++ = '"';
    return out;
}

const char *condreq_pointer_parse(condreq_pointer_t *pointer,
                                  const char *string, apr_size_t length,
                                  apr_pool_t *pool)
{
    const char *at = string + 1;
    const char *end = string + length - 1;
    condreq_pointer_token_t *token;
    char *out;

    pointer->count = count_tokens(at, end);
    pointer->tokens = token = apr_palloc(pool, pointer->count * sizeof(*token));
    out = apr_palloc(pool, length + 2 * pointer->count);
    for (; at != end; token++) {
        if (next_character(&at) != '/')
            return "a pointer that does not begin with /";
        token->text = out;
        out = write_token(out, &at, end);
        if (!out)
            return "a ~ in a pointer without 0 or 1 behind it";
        token->length = (apr_size_t)(out - token->text);
    }
    return NULL;
}

int condreq_pointer_begins(const condreq_pointer_t *a,
                           const condreq_pointer_t *b)
{
    apr_size_t i;

    if (a->count > b->count)
        return 0;
    for (i = 0; i < a->count; i++) {
        if (condreq_json_string_compare(a->tokens[i].text, a->tokens[i].length,
                                        b->tokens[i].text,
                                        b->tokens[i].length) != 0)
            return 0;
    }
    return 1;
}

/* All digits, or -1 behind the last one or at what is none. */
static int next_digit(const char **at, const char *end)
{
    int character = *at == end ? OTHER : next_character(at);

    return character >= '0' && character <= '9' ? character - '0' : -1;
}

static apr_size_t with_digit(apr_size_t index, int digit)
{
    apr_size_t most = (apr_size_t)-1;

    return index > (most - (apr_size_t)digit) / 10
               ? most
               : index * 10 + (apr_size_t)digit;
}

condreq_pointer_place_t
condreq_pointer_index(apr_size_t *index, const condreq_pointer_token_t *token)
{
    const char *at = token->text + 1;
    const char *end = token->text + token->length - 1;
    int digit, is_first;

    if (condreq_json_string_is(token->text, token->length, "-"))
        return CONDREQ_POINTER_END;
    *index = 0;
    for (is_first = 1; is_first || at != end; is_first = 0) {
        digit = next_digit(&at, end);
        /* array-index = %x30 / ( %x31-39 *(%x30-39) ) */
        if (digit < 0 || (is_first && digit == 0 && at != end))
            return CONDREQ_POINTER_NOWHERE;
        *index = with_digit(*index, digit);
    }
    return CONDREQ_POINTER_INDEX;
}
