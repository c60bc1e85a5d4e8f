/* The If field of WebDAV.
 * Knows its bytes, and which conditions make it true; of a resource only the
 * state that it is handed.
 * Rules: RFC 4918 sections 10.4.2 (syntax) to 10.4.4 (matching), 10.5, and
 * RFC 3986 appendix A for the URIs in it. */
#include "condreq_if.h"

#include <string.h>
#include <strings.h>

#include "apr_lib.h"
#include "apr_strings.h"

/* ---- URIs ---- */

/* What RFC 3986 lets stand in an absolute-URI, a percent sign apart. */
static int is_uri_character(unsigned char c)
{
    return apr_isalnum(c) || (c && strchr("-._~:/?[]@!$&'()*+,;=", c));
}

/* Right behind the characters of a URI; NULL where a percent sign stands before
 * no two digits. */
static const char *uri_end(const char *cursor)
{
    for (;;) {
        if (is_uri_character((unsigned char)*cursor))
            cursor++;
        else if (*cursor != '%')
            return cursor;
        else if (apr_isxdigit(cursor[1]) && apr_isxdigit(cursor[2]))
            cursor += 3;
        else
            return NULL;
    }
}

/* scheme ":" */
static int begins_with_scheme(const char *text)
{
    if (!apr_isalpha(*text))
        return 0;
    while (apr_isalnum(*text) || (*text && strchr("+-.", *text)))
        text++;
    return *text == ':';
}

/* The URI between "<", on which the cursor stands, and ">".
 * @return its first byte, or NULL; the cursor then is right behind the ">" */
static const char *read_bracketed(const char **cursor, apr_size_t *length)
{
    const char *start = *cursor + 1;
    const char *end;

    if (**cursor != '<')
        return NULL;
    end = uri_end(start);
    if (!end || *end != '>' || end == start)
        return NULL;
    *length = (apr_size_t)(end - start);
    *cursor = end + 1;
    return start;
}

/* Coded-URL = "<" absolute-URI ">" */
static const char *read_coded_url(const char **cursor, apr_size_t *length)
{
    return **cursor == '<' && begins_with_scheme(*cursor + 1)
               ? read_bracketed(cursor, length)
               : NULL;
}

/* ---- the grammar, section 10.4.2 ---- */

/* The lists and conditions found so far, in arrays that never grow. */
typedef struct reading_t {
    const char *cursor;
    condreq_if_list_t *lists;
    apr_size_t list_count;
    condreq_if_condition_t *conditions;
    apr_size_t condition_count;
} reading_t;

static void skip_white(reading_t *reading)
{
    reading->cursor += strspn(reading->cursor, " \t");
}

/* RFC 9110 section 8.8.3's etagc, and the white space that the quoted-string of
 * RFC 4918's own time and examples may have. */
static int is_tag_character(unsigned char c)
{
    return c == '\t' || (c >= ' ' && c != '"' && c != 0x7f);
}

/* [ "W/" ] and a quoted string. */
static int read_entity_tag(reading_t *reading, condreq_etag_t *etag)
{
    const char *closing;

    etag->weak = !strncmp(reading->cursor, "W/", 2);
    etag->opaque_tag = reading->cursor + (etag->weak ? 2 : 0);
    if (*etag->opaque_tag != '"')
        return 0;
    closing = etag->opaque_tag + 1;
    while (is_tag_character((unsigned char)*closing))
        closing++;
    if (*closing != '"')
        return 0;
    reading->cursor = closing + 1;
    etag->length = (apr_size_t)(reading->cursor - etag->opaque_tag);
    return 1;
}

/* "[" entity-tag "]": a bracket or a parenthesis in the tag is the tag's. */
static int read_bracketed_tag(reading_t *reading, condreq_etag_t *etag)
{
    reading->cursor++;
    skip_white(reading);
    if (!read_entity_tag(reading, etag))
        return 0;
    skip_white(reading);
    return *reading->cursor++ == ']';
}

/* Condition = ["Not"] (State-token | "[" entity-tag "]") */
static condreq_if_syntax_t read_condition(reading_t *reading)
{
    condreq_if_condition_t condition;

    memset(&condition, 0, sizeof condition);
    if (!strncasecmp(reading->cursor, "Not", 3)) {
        condition.negated = 1;
        reading->cursor += 3;
        skip_white(reading);
    }
    if (*reading->cursor == '[') {
        if (!read_bracketed_tag(reading, &condition.etag))
            return CONDREQ_IF_MALFORMED;
    }
    else {
        condition.token =
            read_coded_url(&reading->cursor, &condition.token_length);
        if (!condition.token)
            return CONDREQ_IF_MALFORMED;
    }
    if (reading->condition_count == CONDREQ_IF_CONDITIONS_MAX)
        return CONDREQ_IF_TOO_MANY;
    reading->conditions[reading->condition_count++] = condition;
    return CONDREQ_IF_GOOD;
}

/* List = "(" 1*Condition ")", the cursor on its parenthesis. */
static condreq_if_syntax_t read_list(reading_t *reading,
                                     const char *resource_tag)
{
    apr_size_t first = reading->condition_count;
    condreq_if_list_t *list;

    reading->cursor++;
    do {
        condreq_if_syntax_t syntax;

        skip_white(reading);
        if ((syntax = read_condition(reading)) != CONDREQ_IF_GOOD)
            return syntax;
        skip_white(reading);
    } while (*reading->cursor != ')');
    reading->cursor++;
    if (reading->list_count == CONDREQ_IF_LISTS_MAX)
        return CONDREQ_IF_TOO_MANY;
    list = &reading->lists[reading->list_count++];
    list->resource_tag = resource_tag;
    list->conditions = reading->conditions + first;
    list->count = reading->condition_count - first;
    return CONDREQ_IF_GOOD;
}

static condreq_if_syntax_t read_lists(reading_t *reading,
                                      const char *resource_tag)
{
    do {
        condreq_if_syntax_t syntax = read_list(reading, resource_tag);

        if (syntax != CONDREQ_IF_GOOD)
            return syntax;
        skip_white(reading);
    } while (*reading->cursor == '(');
    return CONDREQ_IF_GOOD;
}

/* Tagged-list = Resource-Tag 1*List; Resource-Tag = "<" Simple-ref ">" */
static condreq_if_syntax_t read_tagged_list(reading_t *reading,
                                            apr_pool_t *pool)
{
    apr_size_t length;
    const char *tag = read_bracketed(&reading->cursor, &length);

    if (!tag || (*tag != '/' && !begins_with_scheme(tag)))
        return CONDREQ_IF_MALFORMED;
    skip_white(reading);
    if (*reading->cursor != '(')
        return CONDREQ_IF_MALFORMED;
    return read_lists(reading, apr_pstrmemdup(pool, tag, length));
}

/* If = 1*No-tag-list | 1*Tagged-list */
static condreq_if_syntax_t read_field(reading_t *reading, apr_pool_t *pool)
{
    condreq_if_syntax_t syntax;

    skip_white(reading);
    if (*reading->cursor == '(') {
        syntax = read_lists(reading, NULL);
    }
    else {
        do
            syntax = read_tagged_list(reading, pool);
        while (syntax == CONDREQ_IF_GOOD && *reading->cursor == '<');
    }
    if (syntax == CONDREQ_IF_GOOD && *reading->cursor)
        return CONDREQ_IF_MALFORMED;
    return syntax;
}

/* No more of either than there are bytes that begin one. */
static apr_size_t at_most(apr_size_t most, const char *value,
                          const char *beginnings)
{
    apr_size_t count = 0;

    for (; *value && count < most; value++)
        count += strchr(beginnings, *value) != NULL;
    return count;
}

condreq_if_syntax_t condreq_if_parse(condreq_if_t *parsed, const char *value,
                                     apr_pool_t *pool)
{
    condreq_if_syntax_t syntax;
    reading_t reading;

    memset(parsed, 0, sizeof *parsed);
    if (!value)
        return CONDREQ_IF_GOOD;
    parsed->given = 1;
    memset(&reading, 0, sizeof reading);
    reading.cursor = value;
    reading.lists = apr_palloc(pool, at_most(CONDREQ_IF_LISTS_MAX, value, "(") *
                                         sizeof *reading.lists);
    reading.conditions =
        apr_palloc(pool, at_most(CONDREQ_IF_CONDITIONS_MAX, value, "<[") *
                             sizeof *reading.conditions);
    syntax = read_field(&reading, pool);
    if (syntax == CONDREQ_IF_GOOD) {
        parsed->lists = reading.lists;
        parsed->count = reading.list_count;
    }
    return syntax;
}

/* ---- what holds, sections 10.4.3 and 10.4.4 ---- */

static int is_token(const condreq_if_condition_t *condition, const char *token)
{
    return condition->token && strlen(token) == condition->token_length &&
           !memcmp(token, condition->token, condition->token_length);
}

static int token_matches(const condreq_if_condition_t *condition,
                         const condreq_if_state_t *state)
{
    const char *const *token;

    for (token = state->tokens; token && *token; token++) {
        if (is_token(condition, *token))
            return 1;
    }
    return 0;
}

static int etag_matches(const condreq_etag_t *etag,
                        const condreq_if_state_t *state)
{
    const char *const *suffix;

    if (condreq_etag_strong_match(etag, &state->etag))
        return 1;
    for (suffix = state->coding_suffixes; suffix && *suffix; suffix++) {
        if (condreq_etag_strong_match_with_suffix(etag, &state->etag, *suffix))
            return 1;
    }
    return 0;
}

int condreq_if_list_holds(const condreq_if_list_t *list,
                          const condreq_if_state_t *state)
{
    apr_size_t i;

    for (i = 0; i < list->count; i++) {
        const condreq_if_condition_t *condition = &list->conditions[i];
        int matches = condition->token ? token_matches(condition, state)
                                       : etag_matches(&condition->etag, state);

        if (matches == condition->negated)
            return 0;
    }
    return 1;
}

int condreq_if_submits(const condreq_if_t *parsed, const char *token)
{
    apr_size_t i, j;

    for (i = 0; i < parsed->count; i++) {
        for (j = 0; j < parsed->lists[i].count; j++) {
            if (is_token(&parsed->lists[i].conditions[j], token))
                return 1;
        }
    }
    return 0;
}

const char *condreq_if_single_token(const condreq_if_t *parsed,
                                    apr_pool_t *pool)
{
    const condreq_if_condition_t *single = NULL;
    apr_size_t i, j;

    for (i = 0; i < parsed->count; i++) {
        for (j = 0; j < parsed->lists[i].count; j++) {
            const condreq_if_condition_t *condition =
                &parsed->lists[i].conditions[j];

            if (condition->token && single)
                return NULL;
            if (condition->token)
                single = condition;
        }
    }
    return single ? apr_pstrmemdup(pool, single->token, single->token_length)
                  : NULL;
}

const char *condreq_coded_url(const char *value, apr_pool_t *pool)
{
    apr_size_t length;
    const char *url;

    value += strspn(value, " \t");
    url = read_coded_url(&value, &length);
    if (!url || value[strspn(value, " \t")])
        return NULL;
    return apr_pstrmemdup(pool, url, length);
}
