/* The If field, of whatever bytes: a plainer reader, which first cuts the field
 * into words and then walks an automaton over their kinds, agrees on what is
 * well-formed; what is written is read again; a list holds where all that it
 * says is so. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "condreq_if.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#define MUST(claim)                                                            \
    do {                                                                       \
        if (!(claim))                                                          \
            abort();                                                           \
    } while (0)

/* ---- the second reader ---- */

/* The kinds of words: ( ) a URI with a scheme, a path, a tag in its brackets,
 * Not, the end, and what is none of these. */
typedef enum word_t { OPENING, CLOSING, URI, PATH, TAG, NOT, END, NONE } word_t;

#define UNRESERVED                                                             \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"
#define IN_URIS UNRESERVED ":/?[]@!$&'()*+,;=%"
#define HEX "0123456789abcdefABCDEF"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static int escapes_are_whole(const char *text, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++) {
        if (text[i] == '%' && (i + 2 >= length || !strchr(HEX, text[i + 1]) ||
                               !strchr(HEX, text[i + 2])))
            return 0;
    }
    return 1;
}

static word_t bracketed(const char **cursor)
{
    const char *text = *cursor + 1;
    size_t length = strspn(text, IN_URIS);
    size_t scheme = strspn(text, LETTERS "0123456789+-.");

    if (!length || text[length] != '>' || !escapes_are_whole(text, length))
        return NONE;
    *cursor = text + length + 1;
    if (*text == '/')
        return PATH;
    return strchr(LETTERS, *text) && text[scheme] == ':' ? URI : NONE;
}

static word_t tag(const char **cursor)
{
    const char *at = *cursor + 1;

    at += strspn(at, " \t");
    if (!strncmp(at, "W/", 2))
        at += 2;
    if (*at++ != '"')
        return NONE;
    while (*at && *at != '"' && *at != 0x7f &&
           ((unsigned char)*at >= 0x20 || *at == '\t'))
        at++;
    if (*at++ != '"')
        return NONE;
    at += strspn(at, " \t");
    *cursor = at + 1;
    return *at == ']' ? TAG : NONE;
}

static word_t next_word(const char **cursor)
{
    *cursor += strspn(*cursor, " \t");
    switch (**cursor) {
    case '\0':
        return END;
    case '(':
        ++*cursor;
        return OPENING;
    case ')':
        ++*cursor;
        return CLOSING;
    case '<':
        return bracketed(cursor);
    case '[':
        return tag(cursor);
    default:
        *cursor += 3;
        return strncasecmp(*cursor - 3, "not", 3) ? NONE : NOT;
    }
}

typedef enum state_t {
    BEGIN,
    /** behind a resource tag */
    TAGGED,
    /** in a list that is empty so far, or behind Not */
    EMPTY,
    NEGATED,
    FILLED,
    /** behind a list */
    BEHIND,
    WRONG
} state_t;

static state_t after(state_t state, word_t word, int *is_tagged)
{
    switch (state) {
    case BEGIN:
        *is_tagged = word == URI || word == PATH;
        return *is_tagged ? TAGGED : word == OPENING ? EMPTY : WRONG;
    case TAGGED:
        return word == OPENING ? EMPTY : WRONG;
    case EMPTY:
    case FILLED:
        return word == URI || word == TAG           ? FILLED
               : word == NOT                        ? NEGATED
               : word == CLOSING && state == FILLED ? BEHIND
                                                    : WRONG;
    case NEGATED:
        return word == URI || word == TAG ? FILLED : WRONG;
    case BEHIND:
        return word == OPENING                               ? EMPTY
               : *is_tagged && (word == URI || word == PATH) ? TAGGED
                                                             : WRONG;
    default:
        return WRONG;
    }
}

/* Whether the field is well-formed, and how many conditions it has. */
static int is_well_formed(const char *value, apr_size_t *lists,
                          apr_size_t *conditions)
{
    state_t state = BEGIN;
    int is_tagged = 0;
    word_t word;

    *lists = *conditions = 0;
    while (state != WRONG && (word = next_word(&value)) != END) {
        state = after(state, word, &is_tagged);
        *lists += state == BEHIND;
        *conditions += state == FILLED;
    }
    return state == BEHIND;
}

/* ---- what is written is read again ---- */

static const char *condition_text(const condreq_if_condition_t *condition,
                                  apr_pool_t *pool)
{
    const char *inside =
        condition->token
            ? apr_psprintf(pool, "<%.*s>", (int)condition->token_length,
                           condition->token)
            : apr_psprintf(pool, "[%s]",
                           condreq_etag_text(&condition->etag, pool));

    return apr_pstrcat(pool, condition->negated ? "Not " : "", inside, NULL);
}

static const char *written(const condreq_if_t *parsed, apr_pool_t *pool)
{
    const char *text = "";
    apr_size_t i, j;

    for (i = 0; i < parsed->count; i++) {
        const condreq_if_list_t *list = &parsed->lists[i];

        if (list->resource_tag)
            text = apr_pstrcat(pool, text, "<", list->resource_tag, ">", NULL);
        text = apr_pstrcat(pool, text, "(", NULL);
        for (j = 0; j < list->count; j++)
            text = apr_pstrcat(
                pool, text, condition_text(&list->conditions[j], pool), NULL);
        text = apr_pstrcat(pool, text, ")", NULL);
    }
    return text;
}

static void check_written(const condreq_if_t *parsed, apr_pool_t *pool)
{
    const char *text = written(parsed, pool);
    condreq_if_t again;

    MUST(condreq_if_parse(&again, text, pool) == CONDREQ_IF_GOOD);
    MUST(again.count == parsed->count);
    MUST(!strcmp(written(&again, pool), text));
}

/* ---- truth ---- */

/* A resource that has just what the first list asks for: that list holds if it
 * negates nothing, and never if it negates anything. */
static void check_truth(const condreq_if_t *parsed, apr_pool_t *pool)
{
    const condreq_if_list_t *list = &parsed->lists[0];
    const char **tokens = apr_pcalloc(pool, (list->count + 1) * sizeof *tokens);
    condreq_if_state_t nothing = {{NULL, 0, 0}, NULL, NULL};
    condreq_if_state_t all = {{NULL, 0, 0}, NULL, tokens};
    apr_size_t i, count = 0, negated = 0, tags = 0;

    for (i = 0; i < list->count; i++) {
        const condreq_if_condition_t *condition = &list->conditions[i];

        negated += condition->negated ? 1 : 0;
        if (condition->token) {
            tokens[count] =
                apr_pstrmemdup(pool, condition->token, condition->token_length);
            MUST(condreq_if_submits(parsed, tokens[count++]));
        }
        else {
            tags++;
            all.etag = condition->etag;
        }
    }
    MUST(condreq_if_list_holds(list, &nothing) == (negated == list->count));
    if (tags == 0 || (tags == 1 && !all.etag.weak))
        MUST(condreq_if_list_holds(list, &all) == (negated == 0));
    MUST(!condreq_if_submits(parsed, ""));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return apr_initialize();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    apr_size_t lists, conditions;
    condreq_if_syntax_t syntax;
    condreq_if_t parsed;
    apr_pool_t *pool;
    const char *value;
    int good;

    apr_pool_create(&pool, NULL);
    value = apr_pstrmemdup(pool, (const char *)input, size);
    syntax = condreq_if_parse(&parsed, value, pool);
    good = is_well_formed(value, &lists, &conditions);
    MUST(parsed.given);
    if (syntax == CONDREQ_IF_GOOD) {
        MUST(good && parsed.count == lists);
        MUST(conditions <= CONDREQ_IF_CONDITIONS_MAX);
        check_written(&parsed, pool);
        check_truth(&parsed, pool);
    }
    else {
        MUST(parsed.count == 0);
        MUST(syntax == CONDREQ_IF_TOO_MANY || !good);
        MUST(!good || lists > CONDREQ_IF_LISTS_MAX ||
             conditions > CONDREQ_IF_CONDITIONS_MAX);
    }
    apr_pool_destroy(pool);
    return 0;
}
