/* Entity-tags, of whatever bytes: a plainer parser, a state for each byte,
 * reads the same tags; what is written is read again; comparisons are fair. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "condreq_etag.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#define MUST(claim)                                                            \
    do {                                                                       \
        if (!(claim))                                                          \
            abort();                                                           \
    } while (0)

/* Pairs grow with the square: enough to meet all kinds of them. */
#define MOST_COMPARED 24

/* The second parser. */

typedef enum state_t { FREE, PREFIX, SLASH, INSIDE, BEHIND, BROKEN } state_t;

static state_t after_byte(state_t state, unsigned char byte)
{
    int is_white = byte == ' ' || byte == '\t';

    switch (state) {
    case FREE:
        return is_white || byte == ',' ? FREE
               : byte == 'W'           ? PREFIX
               : byte == '"'           ? INSIDE
                                       : BROKEN;
    case PREFIX:
        return byte == '/' ? SLASH : BROKEN;
    case SLASH:
        return byte == '"' ? INSIDE : BROKEN;
    case INSIDE:
        return byte == '"'                                   ? BEHIND
               : byte <= 0x1f || byte == ' ' || byte == 0x7f ? BROKEN
                                                             : INSIDE;
    case BEHIND:
        return is_white ? BEHIND : byte == ',' ? FREE : BROKEN;
    default:
        return BROKEN;
    }
}

/* Whether the value is a list; what was found in it has to be all its tags. */
static int is_well_formed(const char *value, const condreq_etag_list_t *list)
{
    const char *opening = NULL;
    apr_size_t count = 0;
    state_t before, state = FREE;
    int weak = 0;

    for (; *value; value++) {
        before = state;
        state = after_byte(before, (unsigned char)*value);
        if (before != INSIDE && state == INSIDE) {
            opening = value;
            weak = before == SLASH;
        }
        if (before != INSIDE || state != BEHIND)
            continue;
        if (!list->malformed) {
            MUST(count < list->count);
            MUST(list->tags[count].opaque_tag == opening);
            MUST(list->tags[count].length == (apr_size_t)(value + 1 - opening));
            MUST(list->tags[count].weak == weak);
        }
        count++;
    }
    MUST(list->malformed || count == list->count);
    return state == FREE || state == BEHIND;
}

static int is_asterisk(const char *value)
{
    value += strspn(value, " \t");
    return *value == '*' && value[1 + strspn(value + 1, " \t")] == '\0';
}

static void check_list(const condreq_etag_list_t *list, const char *value)
{
    MUST(list->given);
    MUST(list->any == is_asterisk(value));
    MUST(list->any || list->malformed == !is_well_formed(value, list));
    MUST(list->count == 0 || (!list->any && !list->malformed));
    MUST(list->count <= strlen(value) / 2);
}

/* One tag alone is what a list of one is, without white space and commas. */
static void check_single(const condreq_etag_list_t *list, const char *value,
                         apr_pool_t *pool)
{
    condreq_etag_t etag = {NULL, 0, 0};
    int is_single = list->count == 1 &&
                    !strcmp(condreq_etag_text(&list->tags[0], pool), value);

    MUST(condreq_etag_parse(&etag, value) == is_single);
    MUST(is_single || etag.opaque_tag == NULL);
}

static void check_written_again(const condreq_etag_list_t *list,
                                apr_pool_t *pool)
{
    condreq_etag_list_t again;
    condreq_etag_t etag;
    const char *text, *joined = "";
    apr_size_t i, count = list->count < 64 ? list->count : 64;

    for (i = 0; i < count; i++) {
        text = condreq_etag_text(&list->tags[i], pool);
        joined = apr_pstrcat(pool, joined, i ? ", " : "", text, NULL);
        MUST(condreq_etag_parse(&etag, text));
        MUST(etag.weak == list->tags[i].weak);
        MUST(condreq_etag_weak_match(&etag, &list->tags[i]));
    }
    condreq_etag_list_parse(&again, joined, pool);
    MUST(!again.malformed && again.count == count);
    for (i = 0; i < count; i++) {
        MUST(again.tags[i].weak == list->tags[i].weak);
        MUST(condreq_etag_weak_match(&again.tags[i], &list->tags[i]));
    }
}

static void check_pair(const condreq_etag_t *a, const condreq_etag_t *b,
                       apr_pool_t *pool)
{
    const char *text_a = condreq_etag_text(a, pool);
    const char *text_b = condreq_etag_text(b, pool);
    int same_name = !strcmp(strchr(text_a, '"'), strchr(text_b, '"'));
    int both_strong = *text_a == '"' && *text_b == '"';
    condreq_etag_t suffixed = condreq_etag_with_suffix(b, "-gzip", pool);

    MUST(condreq_etag_weak_match(a, b) == same_name);
    MUST(condreq_etag_weak_match(b, a) == same_name);
    MUST(condreq_etag_strong_match(a, b) == (same_name && both_strong));
    MUST(condreq_etag_strong_match(b, a) == (same_name && both_strong));
    MUST(condreq_etag_strong_match_with_suffix(a, b, "-gzip") ==
         condreq_etag_strong_match(a, &suffixed));
    MUST(condreq_etag_strong_match_with_suffix(&suffixed, b, "-gzip") ==
         !b->weak);
    MUST(condreq_etag_strong_match_with_suffix(a, b, "") ==
         condreq_etag_strong_match(a, b));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return apr_initialize();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    apr_pool_t *pool;
    const char *value;
    condreq_etag_list_t list;
    apr_size_t i, j;

    apr_pool_create(&pool, NULL);
    value = apr_pstrmemdup(pool, (const char *)input, size);
    condreq_etag_list_parse(&list, value, pool);
    check_list(&list, value);
    check_single(&list, value, pool);
    check_written_again(&list, pool);
    for (i = 0; i < list.count && i < MOST_COMPARED; i++) {
        for (j = 0; j <= i; j++)
            check_pair(&list.tags[i], &list.tags[j], pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
