/* Behind mod_deflate and mod_brotli: which variant a tag names.
 * Those filters code an answer, or not, by rules of their own (types, fields,
 * environment, size), and then put a suffix into its ETag. Rather than to
 * repeat their rules, the answer's first bytes are sent through them, and the
 * tag that comes out is compared with what the client has. A 304 so carries
 * just the tag and the Vary that the 200 would have had (RFC 9110 section
 * 15.4.5), and tells no cache of a variant that it does not hold.
 * Knows filters and tags; nothing of stores but a body to read. */
#include "mod_condreq.h"

#include "apr_strings.h"

#define FILTER_NAME "CONDREQ_VARIANT"
/* mod_deflate leaves the smallest bodies alone; this is more than those. */
#define FIRST_BYTES 512

/* ---- which filters there are ---- */

typedef struct coding_t {
    const char *filter;
    const char *suffix;
} coding_t;

static const coding_t codings[] = {
    {"deflate", "-gzip"},
    {"brotli_compress", "-br"},
};
#define BY_TYPE "bytype:"
#define CODINGS (sizeof codings / sizeof *codings)

static int is_by_type(const ap_filter_rec_t *filter)
{
    return !strncasecmp(filter->name, BY_TYPE, sizeof BY_TYPE - 1);
}

/* AddOutputFilterByType puts a filter of mod_filter's before the real one,
 * which it names; FilterProvider's may stand for any. */
static int may_code(const ap_filter_rec_t *filter, const coding_t *coding)
{
    if (is_by_type(filter))
        return !strcasecmp(filter->name + sizeof BY_TYPE - 1, coding->filter);
    return filter->providers != NULL ||
           !strcasecmp(filter->name, coding->filter);
}

int condreq_variant_codes(const ap_filter_rec_t *filter)
{
    apr_size_t i;

    if (filter->providers && !is_by_type(filter))
        return 0;
    for (i = 0; i < CODINGS; i++) {
        if (may_code(filter, &codings[i]))
            return 1;
    }
    return 0;
}

static int coding_expected(request_rec *r, const coding_t *coding)
{
    ap_filter_t *filter;

    for (filter = r->output_filters;
         filter && filter->frec->ftype < AP_FTYPE_PROTOCOL;
         filter = filter->next) {
        if (may_code(filter->frec, coding))
            return 1;
    }
    return 0;
}

int condreq_variant_expected(request_rec *r)
{
    apr_size_t i;

    for (i = 0; i < CODINGS; i++) {
        if (coding_expected(r, &codings[i]))
            return 1;
    }
    return 0;
}

const char *const *condreq_variant_suffixes(request_rec *r)
{
    const char **suffixes = NULL;
    apr_size_t i, count = 0;

    for (i = 0; i < CODINGS; i++) {
        if (!coding_expected(r, &codings[i]))
            continue;
        if (!suffixes)
            suffixes = apr_pcalloc(r->pool, (CODINGS + 1) * sizeof *suffixes);
        suffixes[count++] = codings[i].suffix;
    }
    return suffixes;
}

/* ---- what they made of the answer ---- */

struct variant_t {
    condreq_exchange_t *exchange;
    condreq_representation_t repr;
    /** the tag or date before any coding says so already */
    int unmodified;
    /** the coding filters have seen the first bytes, and this was decided */
    int decided;
    int not_modified;
    /** what came out of them, until all of it has; NULL: it goes on at once */
    apr_bucket_brigade *held;
};
typedef struct variant_t variant_t;

/* The representation as the filters made it: under the tag that is now in the
 * answer's fields, if one still is. */
static void coded_representation(request_rec *r, condreq_representation_t *repr)
{
    const char *text = apr_table_get(r->headers_out, "ETag");

    if (!text || !condreq_etag_parse(&repr->etag, text))
        memset(&repr->etag, 0, sizeof repr->etag);
}

/* If-None-Match and If-Modified-Since once more, for the variant; the first
 * two steps of section 13.2.2 are behind us. */
static int variant_is_unmodified(const variant_t *variant,
                                 const condreq_representation_t *coded)
{
    condreq_preconditions_t pre = variant->exchange->preconditions;

    memset(&pre.if_match, 0, sizeof pre.if_match);
    memset(&pre.if_unmodified_since, 0, sizeof pre.if_unmodified_since);
    return condreq_evaluate(&pre, coded, 1,
                            variant->exchange->conf->rules.evaluate) ==
           CONDREQ_NOT_MODIFIED;
}

/* A 304 stands for the variant that the client has: the coded one if its tag
 * was sent (or any, or a date), else the one without coding. */
static void become_not_modified(variant_t *variant, int coded_unmodified)
{
    request_rec *r = variant->exchange->r;

    condreq_send_not_modified(r);
    if (!coded_unmodified && variant->repr.etag.opaque_tag)
        apr_table_setn(r->headers_out, "ETag",
                       condreq_etag_text(&variant->repr.etag, r->pool));
    apr_table_unset(r->headers_out, "Content-Encoding");
    apr_table_unset(r->headers_out, "Content-Length");
    r->content_encoding = NULL;
}

static void decide(variant_t *variant)
{
    request_rec *r = variant->exchange->r;
    condreq_representation_t coded = variant->repr;
    int coded_unmodified;

    if (variant->decided)
        return;
    variant->decided = 1;
    coded_representation(r, &coded);
    coded_unmodified = variant_is_unmodified(variant, &coded);
    variant->not_modified = variant->unmodified || coded_unmodified;
    if (variant->not_modified)
        become_not_modified(variant, coded_unmodified);
    else
        condreq_settle_range(r, &variant->exchange->preconditions, &coded);
}

/* Stands behind the filters that code, which were there before it, and before
 * mod_cache, which would else keep our first bytes for a document. Holds what they make until its end, so
 * that httpd's byterange filter sees the answer whole. */
static apr_status_t variant_filter(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    variant_t *variant = f->ctx;
    int ended;

    if (APR_BRIGADE_EMPTY(brigade))
        return APR_SUCCESS;
    ended = APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(brigade));
    decide(variant);
    if (variant->not_modified) {
        apr_brigade_cleanup(brigade);
        if (ended)
            APR_BRIGADE_INSERT_TAIL(brigade,
                                    apr_bucket_eos_create(f->c->bucket_alloc));
    }
    if (!variant->held)
        return ap_pass_brigade(f->next, brigade);
    APR_BRIGADE_CONCAT(variant->held, brigade);
    if (!ended)
        return APR_SUCCESS;
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, variant->held);
}

void condreq_variant_filter_register(void)
{
    ap_register_output_filter(FILTER_NAME, variant_filter, NULL,
                              AP_FTYPE_CONTENT_SET);
}

/* ---- sending ---- */

/* Is a 304 for some variant still possible, so that it pays to look at the
 * first bytes alone? */
static int undecided(const variant_t *variant)
{
    const condreq_preconditions_t *pre = &variant->exchange->preconditions;

    return variant->unmodified || pre->if_none_match.given ||
           pre->if_modified_since.given;
}

/* The filters' headers are all that is wanted of these bytes: what they say
 * does not matter, only how many there are. */
static int send_filler(variant_t *variant, const condreq_record_t *record)
{
    static const char filler[FIRST_BYTES];
    request_rec *r = variant->exchange->r;
    apr_size_t length = record->body_length < FIRST_BYTES
                            ? (apr_size_t)record->body_length
                            : FIRST_BYTES;
    int status =
        condreq_send_bytes(r, filler, length, length == record->body_length);

    if (status != OK || length == record->body_length)
        return status;
    decide(variant);
    return condreq_send_bytes(r, NULL, 0, 1);
}

static int send_rest(variant_t *variant, const char *bytes, apr_size_t length)
{
    request_rec *r = variant->exchange->r;
    int status;

    if (!undecided(variant) || length <= FIRST_BYTES)
        return condreq_send_bytes(r, bytes, length, 1);
    status = condreq_send_bytes(r, bytes, FIRST_BYTES, 0);
    if (status != OK)
        return status;
    decide(variant);
    if (variant->not_modified)
        return condreq_send_bytes(r, NULL, 0, 1);
    return condreq_send_bytes(r, bytes + FIRST_BYTES, length - FIRST_BYTES, 1);
}

int condreq_variant_send(condreq_exchange_t *exchange, condreq_record_t *record,
                         const condreq_representation_t *repr, int unmodified)
{
    request_rec *r = exchange->r;
    variant_t *variant = apr_pcalloc(r->pool, sizeof *variant);
    char *bytes = NULL;
    int status;

    variant->exchange = exchange;
    variant->repr = *repr;
    variant->unmodified = unmodified;
    variant->held = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    condreq_send_length(r, record->body_length);
    if (!unmodified) {
        status = condreq_read_decided(exchange, record, &bytes);
        if (status == OK)
            status = condreq_send_digests(exchange, record, bytes);
        if (status != OK)
            return status;
    }
    ap_add_output_filter(FILTER_NAME, variant, r, r->connection);
    return unmodified
               ? send_filler(variant, record)
               : send_rest(variant, bytes, (apr_size_t)record->body_length);
}

/* ---- sending piece by piece ---- */

condreq_variant_t *condreq_variant_begin(condreq_exchange_t *exchange,
                                         const condreq_representation_t *repr,
                                         int unmodified)
{
    request_rec *r = exchange->r;
    variant_t *variant = apr_pcalloc(r->pool, sizeof *variant);

    variant->exchange = exchange;
    variant->repr = *repr;
    variant->unmodified = unmodified;
    ap_add_output_filter(FILTER_NAME, variant, r, r->connection);
    return variant;
}

int condreq_variant_decide(condreq_variant_t *variant)
{
    decide(variant);
    return variant->not_modified;
}
