/* Preconditions of RFC 9110 section 13: read from their fields, and decided.
 * The decision is pure: no pool, clock, table, store or request. */
#ifndef CONDREQ_EVAL_H
#define CONDREQ_EVAL_H

#include "condreq_etag.h"

/** A date field. One that is no HTTP-date is as if it had not been sent
 * (sections 13.1.3, 13.1.4). */
typedef struct condreq_date_field_t {
    int given;
    apr_int64_t date_s;
} condreq_date_field_t;

/** If-Range: an entity-tag or a date. */
typedef struct condreq_if_range_t {
    int given;
    /** neither a tag nor a date: it holds for nothing */
    int malformed;
    int is_date;
    condreq_etag_t etag;
    apr_int64_t date_s;
} condreq_if_range_t;

/** The five fields of section 13.1, parsed. */
typedef struct condreq_preconditions_t {
    condreq_etag_list_t if_match;
    condreq_etag_list_t if_none_match;
    condreq_date_field_t if_modified_since;
    condreq_date_field_t if_unmodified_since;
    condreq_if_range_t if_range;
    /** a Range field was sent; what it asks for is httpd's to read */
    int range;
} condreq_preconditions_t;

/** The fields as they were sent, NULL for each that was not; repeated ones
 * joined with commas. */
typedef struct condreq_precondition_fields_t {
    const char *if_match;
    const char *if_none_match;
    const char *if_modified_since;
    const char *if_unmodified_since;
    const char *if_range;
    const char *range;
} condreq_precondition_fields_t;

/** The selected representation, RFC 9110 section 3.2, as far as validators
 * go. Where none exists, pass NULL for it. */
typedef struct condreq_representation_t {
    /** opaque_tag is NULL where it has no entity-tag */
    condreq_etag_t etag;
    /** a content coding of this server may have suffixed the tag on the way
     * out: what it put before the closing quote, NULL-terminated, or NULL.
     * If-Match takes such a tag for the version that it names. */
    const char *const *coding_suffixes;
    int has_last_modified;
    apr_int64_t last_modified_s;
    /** Last-Modified is not sent yet, since its second has not come: no
     * If-Modified-Since can be about it */
    int last_modified_pending;
} condreq_representation_t;

/** RFC 9110 section 13.2.2's outcomes. */
typedef enum condreq_verdict_t {
    /** perform the method; condreq_range_t says what becomes of a Range */
    CONDREQ_PERFORM,
    /** 304, GET and HEAD only */
    CONDREQ_NOT_MODIFIED,
    /** 412 */
    CONDREQ_FAILED
} condreq_verdict_t;

typedef enum condreq_range_t {
    /** Range, if sent, may be served */
    CONDREQ_RANGE_APPLIES,
    /** If-Range is false: Range is to be ignored (section 13.1.5) */
    CONDREQ_RANGE_IGNORED
} condreq_range_t;

/** How many conditions a 304 needs. */
typedef enum condreq_evaluate_mode_t {
    /** If-None-Match alone decides where it was sent (section 13.2.2) */
    CONDREQ_EVALUATE_RFC9110,
    /** a 304 only where the tag and the date both say unchanged */
    CONDREQ_EVALUATE_BOTH
} condreq_evaluate_mode_t;

/**
 * Reads the fields of a request.
 * @param pre     is set whole; it points into the fields' values
 * @param fields  the values, owned by the caller, living as long as pre
 * @param now_s   the clock, for the two-digit years of RFC 850 dates
 * @param pool    for the lists of tags
 */
void condreq_preconditions_parse(condreq_preconditions_t *pre,
                                 const condreq_precondition_fields_t *fields,
                                 apr_int64_t now_s, apr_pool_t *pool);

/** If-Match or If-None-Match follows no grammar: 400 on an unsafe method. */
int condreq_preconditions_malformed(const condreq_preconditions_t *pre);

/**
 * Decides the preconditions of one request, RFC 9110 section 13.2.2.
 * Runs twice for a write: as a preview, and, binding, in its transaction.
 * A malformed list is taken for one without tags, which is right for safe
 * methods only: condreq_preconditions_malformed() comes before an unsafe one.
 * @param pre   what was asked, from condreq_preconditions_parse()
 * @param repr  the selected representation, NULL where there is none
 * @param safe  GET or HEAD: a failed If-None-Match is then NOT_MODIFIED
 * @param mode  what a 304 needs; FAILED never depends on it
 */
condreq_verdict_t condreq_evaluate(const condreq_preconditions_t *pre,
                                   const condreq_representation_t *repr,
                                   int safe, condreq_evaluate_mode_t mode);

/**
 * Step 5 of section 13.2.2, for GET after condreq_evaluate() said PERFORM.
 * A date is taken for a strong validator, since no date ever names two
 * versions here (section 8.8.2.2); it must be equal, not merely later.
 * @param repr  the representation as it goes out: its tag with the suffix
 *              that its content coding puts there
 */
condreq_range_t condreq_evaluate_range(const condreq_preconditions_t *pre,
                                       const condreq_representation_t *repr);

#endif
