/* Preconditions, of whatever bytes: an input is lines "Name: value" for a
 * request's fields and for the representation (ETag, Last-Modified, Pending,
 * Suffix). What RFC 9110 section 13 says of every request must hold of this. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "condreq_date.h"
#include "condreq_eval.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#define MUST(claim)                                                            \
    do {                                                                       \
        if (!(claim))                                                          \
            abort();                                                           \
    } while (0)

/* 1 July 2024, noon */
#define NOW_S APR_INT64_C(1719835200)

#define RFC9110 CONDREQ_EVALUATE_RFC9110
#define BOTH CONDREQ_EVALUATE_BOTH

typedef struct scene_t {
    condreq_precondition_fields_t fields;
    const char *etag;
    const char *last_modified;
    const char *pending;
    const char *suffix;
} scene_t;

static void set_line(scene_t *scene, char *line)
{
    const struct {
        const char *name;
        const char **value;
    } names[] = {
        {"If-Match", &scene->fields.if_match},
        {"If-None-Match", &scene->fields.if_none_match},
        {"If-Modified-Since", &scene->fields.if_modified_since},
        {"If-Unmodified-Since", &scene->fields.if_unmodified_since},
        {"If-Range", &scene->fields.if_range},
        {"Range", &scene->fields.range},
        {"ETag", &scene->etag},
        {"Last-Modified", &scene->last_modified},
        {"Pending", &scene->pending},
        {"Suffix", &scene->suffix},
    };
    char *colon = strchr(line, ':');
    size_t i;

    if (!colon)
        return;
    *colon = '\0';
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!strcmp(line, names[i].name))
            *names[i].value = colon + 1;
    }
}

static void set_scene(scene_t *scene, char *text)
{
    char *line, *rest;

    memset(scene, 0, sizeof(*scene));
    for (line = apr_strtok(text, "\n", &rest); line;
         line = apr_strtok(NULL, "\n", &rest))
        set_line(scene, line);
}

static void set_representation(condreq_representation_t *repr,
                               const scene_t *scene, const char **suffixes)
{
    const char *etag = scene->etag;
    const char *date = scene->last_modified;

    memset(repr, 0, sizeof(*repr));
    if (etag)
        condreq_etag_parse(&repr->etag, etag + strspn(etag, " "));
    if (date)
        repr->has_last_modified = condreq_date_parse(
            &repr->last_modified_s, date + strspn(date, " "), NOW_S);
    repr->last_modified_pending = scene->pending != NULL;
    suffixes[0] = scene->suffix;
    suffixes[1] = NULL;
    if (scene->suffix)
        repr->coding_suffixes = suffixes;
}

/* What each evaluation must be, beside the others. */
static void check_verdicts(const condreq_preconditions_t *pre,
                           const condreq_representation_t *repr)
{
    condreq_verdict_t safe = condreq_evaluate(pre, repr, 1, RFC9110);
    condreq_verdict_t safe_both = condreq_evaluate(pre, repr, 1, BOTH);
    condreq_verdict_t unsafe = condreq_evaluate(pre, repr, 0, RFC9110);

    MUST(unsafe != CONDREQ_NOT_MODIFIED);
    MUST(unsafe == condreq_evaluate(pre, repr, 0, BOTH));
    MUST(safe_both == safe ||
         (safe == CONDREQ_NOT_MODIFIED && safe_both == CONDREQ_PERFORM));
    MUST(safe != CONDREQ_FAILED || unsafe == CONDREQ_FAILED);
    MUST(unsafe != CONDREQ_FAILED || safe != CONDREQ_PERFORM);
    MUST(safe != CONDREQ_NOT_MODIFIED || repr);
    MUST(safe != CONDREQ_NOT_MODIFIED || pre->if_none_match.given ||
         pre->if_modified_since.given);
    MUST(safe != CONDREQ_FAILED || pre->if_match.given ||
         pre->if_unmodified_since.given);
    MUST(repr ||
         safe == (pre->if_match.given ? CONDREQ_FAILED : CONDREQ_PERFORM));
}

static void check_malformed(const condreq_preconditions_t *pre,
                            const condreq_representation_t *repr)
{
    const condreq_etag_list_t *if_match = &pre->if_match;
    const condreq_etag_list_t *if_none_match = &pre->if_none_match;

    MUST(condreq_preconditions_malformed(pre) ==
         (if_match->malformed || if_none_match->malformed));
    if (if_match->malformed) {
        MUST(if_match->given && !if_match->any && if_match->count == 0);
        MUST(condreq_evaluate(pre, repr, 1, RFC9110) == CONDREQ_FAILED);
    }
    if (if_none_match->malformed) {
        MUST(if_none_match->given && !if_none_match->any);
        MUST(if_none_match->count == 0);
        MUST(condreq_evaluate(pre, repr, 1, RFC9110) != CONDREQ_NOT_MODIFIED);
    }
    if (pre->if_range.malformed) {
        MUST(pre->if_range.given && !pre->if_range.is_date);
        MUST(!pre->if_range.etag.opaque_tag);
    }
}

static void check_same(const condreq_preconditions_t *a,
                       const condreq_preconditions_t *b,
                       const condreq_representation_t *repr)
{
    MUST(condreq_evaluate(a, repr, 0, RFC9110) ==
         condreq_evaluate(b, repr, 0, RFC9110));
    MUST(condreq_evaluate(a, repr, 1, RFC9110) ==
         condreq_evaluate(b, repr, 1, RFC9110));
}

/* What section 13 has ignored might as well not have been sent. */
static void check_ignored(const condreq_preconditions_t *pre,
                          const condreq_representation_t *repr)
{
    condreq_preconditions_t less = *pre;

    less.range = 0;
    less.if_range.given = 0;
    check_same(pre, &less, repr);
    MUST(condreq_evaluate(pre, repr, 1, BOTH) ==
         condreq_evaluate(&less, repr, 1, BOTH));
    if (less.if_match.given)
        less.if_unmodified_since.given = 0;
    check_same(pre, &less, repr);
    if (less.if_none_match.given)
        less.if_modified_since.given = 0;
    check_same(pre, &less, repr);
    less.if_modified_since.given = 0;
    MUST(condreq_evaluate(pre, repr, 0, RFC9110) ==
         condreq_evaluate(&less, repr, 0, RFC9110));
}

static void pad(const char **value, apr_pool_t *pool)
{
    if (*value)
        *value = apr_pstrcat(pool, "\t ", *value, " \t", NULL);
}

/* White space around a value says nothing. */
static void check_padded(const scene_t *scene,
                         const condreq_preconditions_t *pre,
                         const condreq_representation_t *repr, apr_pool_t *pool)
{
    condreq_precondition_fields_t fields = scene->fields;
    condreq_preconditions_t padded;

    pad(&fields.if_match, pool);
    pad(&fields.if_none_match, pool);
    pad(&fields.if_modified_since, pool);
    pad(&fields.if_unmodified_since, pool);
    pad(&fields.if_range, pool);
    condreq_preconditions_parse(&padded, &fields, NOW_S, pool);
    check_same(pre, &padded, repr);
    MUST(condreq_evaluate_range(pre, repr) ==
         condreq_evaluate_range(&padded, repr));
}

/* With the current tag at its end a list decides the other way. */
static void check_current_tag(const scene_t *scene,
                              const condreq_representation_t *repr,
                              apr_pool_t *pool)
{
    condreq_precondition_fields_t fields = {.range = "bytes=0-1"};
    condreq_preconditions_t pre;
    const char *current = condreq_etag_text(&repr->etag, pool);
    const char *list = scene->fields.if_match;

    fields.if_range = current;
    fields.if_match = apr_pstrcat(pool, list ? list : "", ",", current, NULL);
    condreq_preconditions_parse(&pre, &fields, NOW_S, pool);
    if (!pre.if_match.malformed && !repr->etag.weak)
        MUST(condreq_evaluate(&pre, repr, 0, RFC9110) == CONDREQ_PERFORM);
    MUST(condreq_evaluate_range(&pre, repr) ==
         (repr->etag.weak ? CONDREQ_RANGE_IGNORED : CONDREQ_RANGE_APPLIES));

    fields.if_none_match = fields.if_match;
    fields.if_match = NULL;
    condreq_preconditions_parse(&pre, &fields, NOW_S, pool);
    if (!pre.if_none_match.malformed)
        MUST(condreq_evaluate(&pre, repr, 1, BOTH) == CONDREQ_NOT_MODIFIED);
}

/* The date that was sent, sent back. */
static void check_current_date(const condreq_representation_t *repr,
                               apr_pool_t *pool)
{
    char date[CONDREQ_DATE_HTTP_SIZE];
    condreq_precondition_fields_t fields = {.range = "bytes=0-1"};
    condreq_preconditions_t pre;
    int sent = !repr->last_modified_pending;

    condreq_date_http(date, repr->last_modified_s);
    fields.if_modified_since = fields.if_unmodified_since = date;
    fields.if_range = date;
    condreq_preconditions_parse(&pre, &fields, NOW_S, pool);
    MUST(condreq_evaluate(&pre, repr, 0, RFC9110) == CONDREQ_PERFORM);
    MUST(condreq_evaluate(&pre, repr, 1, RFC9110) ==
         (sent ? CONDREQ_NOT_MODIFIED : CONDREQ_PERFORM));
    MUST(condreq_evaluate_range(&pre, repr) ==
         (sent ? CONDREQ_RANGE_APPLIES : CONDREQ_RANGE_IGNORED));
}

static void check_range(const condreq_preconditions_t *pre,
                        const condreq_representation_t *repr)
{
    condreq_range_t range = condreq_evaluate_range(pre, repr);
    condreq_preconditions_t other = *pre;

    if (!pre->range || !pre->if_range.given)
        MUST(range == CONDREQ_RANGE_APPLIES);
    else if (pre->if_range.malformed || pre->if_range.etag.weak)
        MUST(range == CONDREQ_RANGE_IGNORED);

    memset(&other.if_match, 0, sizeof(other.if_match));
    memset(&other.if_none_match, 0, sizeof(other.if_none_match));
    other.if_modified_since.given = other.if_unmodified_since.given = 0;
    MUST(condreq_evaluate_range(&other, repr) == range);
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
    scene_t scene;
    condreq_preconditions_t pre;
    condreq_representation_t repr;
    const char *suffixes[2];

    apr_pool_create(&pool, NULL);
    set_scene(&scene, apr_pstrmemdup(pool, (const char *)input, size));
    set_representation(&repr, &scene, suffixes);
    condreq_preconditions_parse(&pre, &scene.fields, NOW_S, pool);

    check_verdicts(&pre, NULL);
    check_verdicts(&pre, &repr);
    check_malformed(&pre, NULL);
    check_malformed(&pre, &repr);
    check_ignored(&pre, NULL);
    check_ignored(&pre, &repr);
    check_padded(&scene, &pre, &repr, pool);
    check_range(&pre, &repr);
    if (repr.etag.opaque_tag)
        check_current_tag(&scene, &repr, pool);
    if (repr.has_last_modified && repr.last_modified_s <= 253402300799)
        check_current_date(&repr, pool);
    apr_pool_destroy(pool);
    return 0;
}
