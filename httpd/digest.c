/* Content-Digest and Repr-Digest, RFC 9530: checked on what comes, given on
 * what goes.
 * Knows the fields and which answers leave as they are sent here; nothing of
 * algorithms. In a request both are about the content: it has no coding, no
 * range, and of a patch the representation is the patch (section 3.1). */
#include "mod_condreq.h"

#include "apr_strings.h"
#include "condreq_digest.h"

typedef struct field_t {
    const char *name;
    const char *want;
} field_t;

static const field_t fields[] = {
    {"Content-Digest", "Want-Content-Digest"},
    {"Repr-Digest", "Want-Repr-Digest"},
};

enum { CONTENT, REPR, FIELDS };

/* ---- what comes ---- */

static int refuse_malformed(request_rec *r, const char *field)
{
    return condreq_refuse(
        r, HTTP_BAD_REQUEST, NULL,
        apr_pstrcat(r->pool, field,
                    " is no dictionary of byte sequences, such as "
                    "sha-256=:...: with base64 between the colons.",
                    NULL),
        NULL);
}

static int refuse_mismatch(request_rec *r, const char *field)
{
    return condreq_refuse(
        r, HTTP_BAD_REQUEST, "digest-mismatch",
        apr_pstrcat(r->pool, "The content that came is not the one that ",
                    field, " is about.", NULL),
        apr_psprintf(r->pool, ", \"field\": \"%s\"", field));
}

int condreq_digests_announced(request_rec *r)
{
    condreq_digests_t digests;
    int i;

    for (i = 0; i < FIELDS; i++) {
        const char *name = fields[i].name;

        if (!condreq_digests_parse(&digests,
                                   apr_table_get(r->headers_in, name)))
            return refuse_malformed(r, name);
    }
    return OK;
}

static int check_field(request_rec *r, const char *field, const char *value,
                       const condreq_content_t *content)
{
    condreq_digests_t digests;

    if (!condreq_digests_parse(&digests, value))
        return refuse_malformed(r, field);
    return condreq_digests_match(&digests, content->bytes, content->length)
               ? OK
               : refuse_mismatch(r, field);
}

/* Who sends while it still counts says the digest behind the content. */
int condreq_digests_check(request_rec *r, const condreq_content_t *content)
{
    const apr_table_t *const places[] = {r->headers_in, r->trailers_in};
    int status = OK;
    int i;

    for (i = 0; i < 2 * FIELDS && status == OK; i++) {
        const char *name = fields[i % FIELDS].name;

        status = check_field(r, name, apr_table_get(places[i / FIELDS], name),
                             content);
    }
    return status;
}

/* ---- what goes ---- */

/* A coding needs a client that accepts it. Whatever else stands there and is
 * not known to leave the bytes as they are may change them: then a digest
 * would be wrong, and none is given. */
static int leaves_bytes(request_rec *r, const ap_filter_rec_t *filter)
{
    static const char *const keeping[] = {
        "fixup_headers_out", "fixup_headers_err", "mod_expires",
        "cache_save",        "cache_out",         "cache_save_subreq",
        "old_write",         "cache_out_subreq",  "cache_remove_url",
        "cache_invalidate",
    };
    apr_size_t i;

    if (condreq_variant_codes(filter))
        return !apr_table_get(r->headers_in, "Accept-Encoding");
    for (i = 0; i < sizeof keeping / sizeof *keeping; i++) {
        if (!strcasecmp(filter->name, keeping[i]))
            return 1;
    }
    return 0;
}

static int goes_as_it_is(request_rec *r)
{
    ap_filter_t *filter;

    for (filter = r->output_filters;
         filter && filter->frec->ftype < AP_FTYPE_PROTOCOL;
         filter = filter->next) {
        if (!leaves_bytes(r, filter->frec))
            return 0;
    }
    return 1;
}

/* @return OK; DECLINED where the body is gone; or the status of a refusal */
static int digest_document(condreq_exchange_t *exchange,
                           const condreq_record_t *record, const char *bytes,
                           condreq_digest_algorithm_t algorithm,
                           unsigned char *digest)
{
    apr_status_t status = APR_SUCCESS;

    if (algorithm == CONDREQ_SHA_256)
        memcpy(digest, record->sha256, sizeof record->sha256);
    else if (bytes)
        condreq_digest_of(digest, algorithm, bytes,
                          (apr_size_t)record->body_length);
    else
        status = condreq_document_digest(digest, &exchange->resource, record,
                                         algorithm, &exchange->trouble,
                                         exchange->r->pool);
    if (APR_STATUS_IS_NOTFOUND(status))
        return DECLINED;
    return status == APR_SUCCESS
               ? OK
               : condreq_refuse_trouble(exchange, status, "reading");
}

static condreq_digest_algorithm_t wanted(const request_rec *r, int field)
{
    return condreq_digest_wanted(
        apr_table_get(r->headers_in, fields[field].want));
}

static int send_field(condreq_exchange_t *exchange,
                      const condreq_record_t *record, const char *bytes,
                      int field)
{
    request_rec *r = exchange->r;
    condreq_digest_algorithm_t algorithm = wanted(r, field);
    unsigned char digest[CONDREQ_SHA512_SIZE];
    int status;

    if (algorithm == CONDREQ_DIGEST_NONE)
        return OK;
    status = digest_document(exchange, record, bytes, algorithm, digest);
    if (status == OK)
        apr_table_setn(r->headers_out, fields[field].name,
                       condreq_digest_text(algorithm, digest, r->pool));
    return status;
}

static int wants_any(const request_rec *r)
{
    return wanted(r, CONTENT) != CONDREQ_DIGEST_NONE ||
           wanted(r, REPR) != CONDREQ_DIGEST_NONE;
}

/* Section 2: of HEAD the content is not sent, and of a range it is a part. */
static int sends_all(const request_rec *r)
{
    return !r->header_only && !apr_table_get(r->headers_in, "Range");
}

int condreq_send_digests(condreq_exchange_t *exchange,
                         const condreq_record_t *record, const char *bytes)
{
    request_rec *r = exchange->r;
    int status;

    if (r->main || !wants_any(r) || !goes_as_it_is(r))
        return OK;
    status = send_field(exchange, record, bytes, REPR);
    if (status == OK && sends_all(r))
        status = send_field(exchange, record, bytes, CONTENT);
    return status;
}

void condreq_unsend_digests(request_rec *r)
{
    int i;

    for (i = 0; i < FIELDS; i++)
        apr_table_unset(r->headers_out, fields[i].name);
}
