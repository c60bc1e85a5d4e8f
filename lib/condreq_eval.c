/* Preconditions of RFC 9110 section 13, decided.
 * Knows tags, dates and truth; no pool, clock, store or request.
 * Rules: section 13.2.2, whose steps have their numbers here; each condition
 * as its own section 13.1.x has it. */
#include <assert.h>

#include "condreq_eval.h"

/* A tag that went out with a coding's suffix came from this version too, and
 * the client has no other name for it. */
static int is_coded_form(const condreq_etag_t *tag,
                         const condreq_representation_t *repr)
{
    const char *const *suffix = repr->coding_suffixes;

    for (; suffix && *suffix; suffix++) {
        if (condreq_etag_strong_match_with_suffix(tag, &repr->etag, *suffix))
            return 1;
    }
    return 0;
}

/* 13.1.1 */
static int if_match_holds(const condreq_etag_list_t *list,
                          const condreq_representation_t *repr)
{
    apr_size_t i;

    if (!repr)
        return 0;
    if (list->any)
        return 1;
    for (i = 0; i < list->count; i++) {
        if (condreq_etag_strong_match(&list->tags[i], &repr->etag) ||
            is_coded_form(&list->tags[i], repr))
            return 1;
    }
    return 0;
}

/* 13.1.2 */
static int if_none_match_holds(const condreq_etag_list_t *list,
                               const condreq_representation_t *repr)
{
    apr_size_t i;

    if (!repr)
        return 1;
    if (list->any)
        return 0;
    for (i = 0; i < list->count; i++) {
        if (condreq_etag_weak_match(&list->tags[i], &repr->etag))
            return 0;
    }
    return 1;
}

/* 13.1.3: ignored without a date; one that was never sent is none to ask
 * about. */
static int if_modified_since_counts(const condreq_date_field_t *field,
                                    const condreq_representation_t *repr)
{
    return field->given && repr && repr->has_last_modified &&
           !repr->last_modified_pending;
}

static int if_modified_since_holds(const condreq_date_field_t *field,
                                   const condreq_representation_t *repr)
{
    return repr->last_modified_s > field->date_s;
}

/* 13.1.4: a pending date counts, since the version is already there. */
static int if_unmodified_since_counts(const condreq_date_field_t *field,
                                      const condreq_representation_t *repr)
{
    return field->given && repr && repr->has_last_modified;
}

static int if_unmodified_since_holds(const condreq_date_field_t *field,
                                     const condreq_representation_t *repr)
{
    return repr->last_modified_s <= field->date_s;
}

/* What a safe method gets where If-None-Match is false. */
static condreq_verdict_t tag_unchanged(const condreq_preconditions_t *pre,
                                       const condreq_representation_t *repr,
                                       condreq_evaluate_mode_t mode)
{
    if (mode == CONDREQ_EVALUATE_BOTH &&
        if_modified_since_counts(&pre->if_modified_since, repr) &&
        if_modified_since_holds(&pre->if_modified_since, repr))
        return CONDREQ_PERFORM;
    return CONDREQ_NOT_MODIFIED;
}

condreq_verdict_t condreq_evaluate(const condreq_preconditions_t *pre,
                                   const condreq_representation_t *repr,
                                   int safe, condreq_evaluate_mode_t mode)
{
    /* 1 */
    if (pre->if_match.given) {
        if (!if_match_holds(&pre->if_match, repr))
            return CONDREQ_FAILED;
    }
    /* 2 */
    else if (if_unmodified_since_counts(&pre->if_unmodified_since, repr)) {
        if (!if_unmodified_since_holds(&pre->if_unmodified_since, repr))
            return CONDREQ_FAILED;
    }
    /* 3 */
    if (pre->if_none_match.given) {
        if (!if_none_match_holds(&pre->if_none_match, repr))
            return safe ? tag_unchanged(pre, repr, mode) : CONDREQ_FAILED;
    }
    /* 4 */
    else if (safe && if_modified_since_counts(&pre->if_modified_since, repr)) {
        if (!if_modified_since_holds(&pre->if_modified_since, repr))
            return CONDREQ_NOT_MODIFIED;
    }
    /* 5 is condreq_evaluate_range() */
    /* 6 */
    return CONDREQ_PERFORM;
}

/* 13.1.5: strong comparison; a byte range of one coding says nothing of
 * another, so that no suffix is forgiven here. */
static int if_range_holds(const condreq_if_range_t *field,
                          const condreq_representation_t *repr)
{
    if (field->malformed)
        return 0;
    if (field->is_date)
        return repr->has_last_modified && !repr->last_modified_pending &&
               repr->last_modified_s == field->date_s;
    return condreq_etag_strong_match(&field->etag, &repr->etag);
}

condreq_range_t condreq_evaluate_range(const condreq_preconditions_t *pre,
                                       const condreq_representation_t *repr)
{
    assert(repr);
    /* 5 */
    if (pre->range && pre->if_range.given &&
        !if_range_holds(&pre->if_range, repr))
        return CONDREQ_RANGE_IGNORED;
    return CONDREQ_RANGE_APPLIES;
}
