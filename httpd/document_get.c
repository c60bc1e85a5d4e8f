/* GET and HEAD of a document: preconditions first, from the version map alone,
 * then 304, 200 or 206.
 * Knows what a safe method's answer carries; nothing of writing. */
#include "mod_condreq.h"

#include "apr_strings.h"
#include "condreq_date.h"

/* A document that was replaced meanwhile is answered anew: nothing of the
 * version before may stay. */
static void send_tag(condreq_exchange_t *exchange,
                     const condreq_record_t *record,
                     const condreq_representation_t *repr)
{
    request_rec *r = exchange->r;

    /* What LOCK made of nothing has no type, until somebody writes it. */
    if (record->media_type[0])
        ap_set_content_type(r, apr_pstrdup(r->pool, record->media_type));
    else
        r->content_type = NULL;
    apr_table_unset(r->headers_out, "ETag");
    if (repr->etag.opaque_tag)
        apr_table_setn(r->headers_out, "ETag",
                       condreq_etag_text(&repr->etag, r->pool));
}

static void send_date(condreq_exchange_t *exchange,
                      const condreq_record_t *record,
                      const condreq_representation_t *repr)
{
    request_rec *r = exchange->r;
    char *date;

    apr_table_unset(r->headers_out, "Last-Modified");
    if (!repr->has_last_modified || repr->last_modified_pending)
        return;
    date = apr_palloc(r->pool, CONDREQ_DATE_HTTP_SIZE);
    condreq_date_http(date, record->date_s);
    apr_table_setn(r->headers_out, "Last-Modified", date);
}

void condreq_send_validators(condreq_exchange_t *exchange,
                             const condreq_record_t *record,
                             const condreq_representation_t *repr)
{
    send_tag(exchange, record, repr);
    send_date(exchange, record, repr);
}

int condreq_send_bytes(request_rec *r, const char *bytes, apr_size_t length,
                       int last)
{
    conn_rec *c = r->connection;
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, c->bucket_alloc);
    apr_status_t status;

    if (length)
        APR_BRIGADE_INSERT_TAIL(
            brigade,
            apr_bucket_pool_create(bytes, length, r->pool, c->bucket_alloc));
    if (last)
        APR_BRIGADE_INSERT_TAIL(brigade,
                                apr_bucket_eos_create(c->bucket_alloc));
    status = ap_pass_brigade(r->output_filters, brigade);
    /* What could not be sent is for the connection's filters to log. */
    if (status == APR_SUCCESS || r->status != HTTP_OK || c->aborted)
        return OK;
    return AP_FILTER_ERROR;
}

/* Range is defined for GET alone (RFC 9110 section 14.2), and httpd's byterange
 * filter, which would evaluate If-Range by rules of its own, is left nothing to
 * decide. */
void condreq_settle_range(request_rec *r, const condreq_preconditions_t *pre,
                          const condreq_representation_t *repr)
{
    if (r->header_only ||
        condreq_evaluate_range(pre, repr) == CONDREQ_RANGE_IGNORED)
        apr_table_unset(r->headers_in, "Range");
    apr_table_unset(r->headers_in, "If-Range");
}

void condreq_send_length(request_rec *r, apr_uint64_t length)
{
    condreq_request_t *request = condreq_request(r);

    request->sends_length = 1;
    request->complete_length = length;
    ap_set_content_length(r, (apr_off_t)length);
    ap_set_accept_ranges(r);
}

/* RFC 9110 section 15.4.5: of a representation's fields a 304 has ETag, and
 * Last-Modified only in its place; a digest would tell no cache anything. */
void condreq_send_not_modified(request_rec *r)
{
    r->status = HTTP_NOT_MODIFIED;
    condreq_unsend_digests(r);
    apr_table_unset(r->headers_out, "Accept-Ranges");
    if (apr_table_get(r->headers_out, "ETag"))
        apr_table_unset(r->headers_out, "Last-Modified");
}

int condreq_read_decided(condreq_exchange_t *exchange, condreq_record_t *record,
                         char **bytes)
{
    apr_uint64_t decided_on = record->version;
    apr_status_t status =
        condreq_document_read(&exchange->resource, record, bytes,
                              &exchange->trouble, exchange->r->pool);

    if (status != APR_SUCCESS)
        return condreq_refuse_trouble(exchange, status, "reading");
    if (record->state != CONDREQ_LIVE || record->version != decided_on)
        return DECLINED;
    return OK;
}

static int send_document(condreq_exchange_t *exchange, condreq_record_t *record,
                         const condreq_representation_t *repr)
{
    request_rec *r = exchange->r;
    char *bytes;
    int status;

    condreq_settle_range(r, &exchange->preconditions, repr);
    condreq_send_length(r, record->body_length);
    /* No filter here looks at the bytes, so HEAD needs none. */
    if (r->header_only) {
        status = condreq_send_digests(exchange, record, NULL);
        return status == OK ? condreq_send_bytes(r, NULL, 0, 1) : status;
    }
    status = condreq_read_decided(exchange, record, &bytes);
    if (status == OK)
        status = condreq_send_digests(exchange, record, bytes);
    if (status != OK)
        return status;
    return condreq_send_bytes(r, bytes, (apr_size_t)record->body_length, 1);
}

/* The date would be taken away again wherever there is a tag. */
static int send_not_modified(condreq_exchange_t *exchange,
                             const condreq_record_t *record,
                             const condreq_representation_t *repr)
{
    send_tag(exchange, record, repr);
    if (!repr->etag.opaque_tag)
        send_date(exchange, record, repr);
    condreq_send_not_modified(exchange->r);
    return condreq_send_bytes(exchange->r, NULL, 0, 1);
}

static int answer(condreq_exchange_t *exchange, condreq_record_t *record,
                  const condreq_representation_t *repr)
{
    condreq_verdict_t verdict = condreq_evaluate(
        &exchange->preconditions, repr, 1, exchange->conf->rules.evaluate);

    if (verdict == CONDREQ_FAILED)
        return condreq_refuse_precondition(exchange, record);
    if (verdict == CONDREQ_NOT_MODIFIED &&
        !condreq_variant_expected(exchange->r))
        return send_not_modified(exchange, record, repr);
    condreq_send_validators(exchange, record, repr);
    if (condreq_variant_expected(exchange->r))
        return condreq_variant_send(exchange, record, repr,
                                    verdict == CONDREQ_NOT_MODIFIED);
    return send_document(exchange, record, repr);
}

/* @return DECLINED where the document was replaced before its bytes were read:
 * what was decided is then about a version that is gone */
static int get_once(condreq_exchange_t *exchange)
{
    const condreq_resource_t *resource = &exchange->resource;
    condreq_store_t *store = resource->store;
    apr_pool_t *pool = exchange->r->pool;
    condreq_representation_t room;
    const condreq_representation_t *repr;
    condreq_record_t record;
    int refused;
    apr_status_t status = store->provider->lookup(store, resource->key, &record,
                                                  &exchange->trouble, pool);

    if (status != APR_SUCCESS)
        return condreq_refuse_trouble(exchange, status, "looking up");
    repr = condreq_document_representation(&room, resource, &record,
                                           exchange->now_us, pool);
    /* Section 13.2.1: where the answer is 404, preconditions do not matter. */
    if (!repr)
        return condreq_refuse_missing(exchange);
    refused = condreq_check_if(exchange, &record);
    return refused == OK ? answer(exchange, &record, repr) : refused;
}

int condreq_document_get(condreq_exchange_t *exchange)
{
    int status;

    /* Each further round is another's successful write. */
    do {
        status = get_once(exchange);
    } while (status == DECLINED);
    return status;
}
