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
    if (!scene->suffix)
        return;
    suffixes[0] = scene->suffix + strspn(scene->suffix, " ");
    suffixes[1] = NULL;
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

/* The texts that name the current version: strongly, and from its name on. */
typedef struct names_t {
    const char *plain;
    const char *suffixed;
    const char *opaque_tag;
} names_t;

static void set_names(names_t *names, const condreq_representation_t *repr,
                      apr_pool_t *pool)
{
    const condreq_etag_t *etag = &repr->etag;
    condreq_etag_t suffixed;

    memset(names, 0, sizeof(*names));
    if (!etag->opaque_tag)
        return;
    names->opaque_tag = strchr(condreq_etag_text(etag, pool), '"');
    if (etag->weak)
        return;
    names->plain = condreq_etag_text(etag, pool);
    if (!repr->coding_suffixes)
        return;
    suffixed = condreq_etag_with_suffix(etag, repr->coding_suffixes[0], pool);
    names->suffixed = condreq_etag_text(&suffixed, pool);
}

static int is_same(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

/* Lists, by the texts of their tags. */
static void check_lists(const condreq_preconditions_t *pre,
                        const condreq_representation_t *repr, apr_pool_t *pool)
{
    condreq_preconditions_t alone;
    const char *text;
    int strong = pre->if_match.any, weak = pre->if_none_match.any;
    names_t names;
    apr_size_t i;

    set_names(&names, repr, pool);
    for (i = 0; i < pre->if_match.count; i++) {
        text = condreq_etag_text(&pre->if_match.tags[i], pool);
        strong |= is_same(text, names.plain) || is_same(text, names.suffixed);
    }
    for (i = 0; i < pre->if_none_match.count; i++) {
        text = condreq_etag_text(&pre->if_none_match.tags[i], pool);
        weak |= is_same(strchr(text, '"'), names.opaque_tag);
    }
    memset(&alone, 0, sizeof(alone));
    alone.if_match = pre->if_match;
    MUST(condreq_evaluate(&alone, repr, 1, RFC9110) ==
         (pre->if_match.given && !strong ? CONDREQ_FAILED : CONDREQ_PERFORM));

    memset(&alone, 0, sizeof(alone));
    alone.if_none_match = pre->if_none_match;
    MUST(condreq_evaluate(&alone, repr, 1, BOTH) ==
         (weak ? CONDREQ_NOT_MODIFIED : CONDREQ_PERFORM));
    MUST(condreq_evaluate(&alone, repr, 0, BOTH) ==
         (weak ? CONDREQ_FAILED : CONDREQ_PERFORM));
}

static const char *trimmed(const char *value, apr_pool_t *pool)
{
    apr_size_t length;

    value += strspn(value, " \t");
    for (length = strlen(value); length > 0; length--) {
        if (value[length - 1] != ' ' && value[length - 1] != '\t')
            break;
    }
    return apr_pstrmemdup(pool, value, length);
}

static void check_date_field(const condreq_date_field_t *field,
                             const char *value, apr_pool_t *pool)
{
    apr_int64_t date_s = 0;
    int is_date =
        value && condreq_date_parse(&date_s, trimmed(value, pool), NOW_S);

    MUST(field->given == is_date);
    MUST(field->date_s == date_s);
}

/* A value is one tag, one date, or nothing. */
static void check_fields(const condreq_preconditions_t *pre,
                         const condreq_precondition_fields_t *fields,
                         apr_pool_t *pool)
{
    const condreq_if_range_t *if_range = &pre->if_range;
    const char *value;
    condreq_etag_t etag;
    apr_int64_t date_s = 0;

    check_date_field(&pre->if_modified_since, fields->if_modified_since, pool);
    check_date_field(&pre->if_unmodified_since, fields->if_unmodified_since,
                     pool);
    MUST(if_range->given == (fields->if_range != NULL));
    if (!if_range->given)
        return;
    value = trimmed(fields->if_range, pool);
    MUST(if_range->is_date == condreq_date_parse(&date_s, value, NOW_S));
    MUST(if_range->date_s == date_s);
    MUST((if_range->etag.opaque_tag != NULL) ==
         condreq_etag_parse(&etag, value));
    MUST(if_range->malformed ==
         (!if_range->is_date && !if_range->etag.opaque_tag));
}

/* The tag that was sent, sent back for a range. */
static void check_current_tag(const condreq_representation_t *repr,
                              apr_pool_t *pool)
{
    condreq_precondition_fields_t fields = {.range = "bytes=0-1"};
    condreq_preconditions_t pre;

    fields.if_range = condreq_etag_text(&repr->etag, pool);
    condreq_preconditions_parse(&pre, &fields, NOW_S, pool);
    MUST(condreq_evaluate_range(&pre, repr) ==
         (repr->etag.weak ? CONDREQ_RANGE_IGNORED : CONDREQ_RANGE_APPLIES));
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
    check_fields(&pre, &scene.fields, pool);
    check_lists(&pre, &repr, pool);
    check_range(&pre, &repr);
    if (repr.etag.opaque_tag)
        check_current_tag(&repr, pool);
    if (repr.has_last_modified && repr.last_modified_s <= 253402300799)
        check_current_date(&repr, pool);
    apr_pool_destroy(pool);
    return 0;
}
