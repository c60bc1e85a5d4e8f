/* Refusals: each error of a resource of ours is a problem document, RFC 9457.
 * A handler returns its status to httpd, as every handler does, so that
 * ErrorDocument, Header always and CORS act as they do elsewhere; a filter
 * then puts our document in the place of httpd's HTML. */
#include "mod_condreq.h"

#include "mod_core.h"

#include "apr_strings.h"
#include "condreq_date.h"

/* RFC 4151. Types have no page of their own to be fetched. */
#define TYPE_PREFIX "tag:mod-condreq,2026:"
#define MEDIA_TYPE "application/problem+json"
#define FILTER_NAME "CONDREQ_PROBLEM"
/* What a client that meets a store at work, or one that recovers, waits. */
#define RETRY_AFTER_S "1"

int condreq_refuse(request_rec *r, int status, const char *kind,
                   const char *detail, const char *members)
{
    condreq_problem_t *problem = apr_palloc(r->pool, sizeof *problem);

    problem->status = status;
    problem->kind = kind;
    problem->detail = detail;
    problem->members = members;
    condreq_request(r)->problem = problem;
    condreq_content_abandon(r);
    return status;
}

int condreq_refuse_unavailable(request_rec *r)
{
    apr_table_setn(r->err_headers_out, "Retry-After", RETRY_AFTER_S);
    return condreq_refuse(r, HTTP_SERVICE_UNAVAILABLE, NULL,
                          "The store cannot be reached now; nothing was "
                          "changed.",
                          NULL);
}

int condreq_refuse_path(request_rec *r)
{
    return condreq_refuse(r, HTTP_REQUEST_URI_TOO_LARGE, NULL,
                          "A document's path may have 1024 bytes.", NULL);
}

int condreq_refuse_missing(condreq_exchange_t *exchange)
{
    return condreq_refuse(exchange->r, HTTP_NOT_FOUND, NULL,
                          exchange->is_collection
                              ? "There is no document in this collection."
                              : "There is no document here.",
                          NULL);
}

/* A write that is perhaps there must not be answered: a client that was told
 * that it failed would believe that. It is as if the connection had broken, and
 * the client looks what became of it. */
static int end_unanswered(condreq_exchange_t *exchange, const char *doing)
{
    request_rec *r = exchange->r;

    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                  CONDREQ_LOGNO(2102) "%s %s: %s; the client gets no answer",
                  doing, exchange->resource.key, exchange->trouble.sentence);
    r->connection->keepalive = AP_CONN_CLOSE;
    r->connection->aborted = 1;
    return AP_FILTER_ERROR;
}

void condreq_log_trouble(condreq_exchange_t *exchange, apr_status_t status,
                         const char *doing)
{
    request_rec *r = exchange->r;

    /* APR has no words for statuses of ours, and the sentence has. */
    ap_log_rerror(
        APLOG_MARK, APLOG_ERR, status >= APR_OS_START_USERERR ? 0 : status, r,
        CONDREQ_LOGNO(2101) "%s %s: %s", doing, exchange->resource.key,
        exchange->trouble.sentence[0] ? exchange->trouble.sentence
                                      : "no further word");
}

int condreq_refuse_trouble(condreq_exchange_t *exchange, apr_status_t status,
                           const char *doing)
{
    request_rec *r = exchange->r;

    if (status == CONDREQ_EUNKNOWN)
        return end_unanswered(exchange, doing);
    condreq_log_trouble(exchange, status, doing);
    if (APR_STATUS_IS_ENOSPC(status))
        return condreq_refuse(r, HTTP_INSUFFICIENT_STORAGE, NULL,
                              "The store has no room left; nothing was "
                              "changed.",
                              NULL);
    if (status == CONDREQ_EFORMAT)
        return condreq_refuse(r, HTTP_INTERNAL_SERVER_ERROR, NULL,
                              "The document cannot be read.", NULL);
    return condreq_refuse_unavailable(r);
}

/* ---- preconditions ---- */

/* What helps the client to go on: which version is there now. */
static const char *validator_members(request_rec *r,
                                     const condreq_representation_t *repr,
                                     apr_uint64_t version, apr_time_t mtime_us)
{
    char modified[CONDREQ_DATE_RFC3339_SIZE];
    const char *etag = "";

    condreq_date_rfc3339(modified, mtime_us);
    if (repr->etag.opaque_tag)
        etag =
            apr_pstrcat(r->pool, ", \"etag\": ",
                        condreq_json_quote(
                            condreq_etag_text(&repr->etag, r->pool), r->pool),
                        NULL);
    return apr_psprintf(
        r->pool, "%s, \"version\": %" APR_UINT64_T_FMT ", \"modified\": \"%s\"",
        etag, version, modified);
}

/* Its tag is the one that a plain GET gives. */
int condreq_refuse_collection(condreq_exchange_t *exchange,
                              const condreq_collection_t *seen)
{
    apr_pool_t *pool = exchange->r->pool;
    const condreq_resource_t *resource = &exchange->resource;
    const condreq_representation_t *repr = NULL;
    condreq_representation_t room;
    condreq_collection_t now;

    if (!seen &&
        condreq_collection_lookup(&now, resource, exchange->now_us,
                                  &exchange->trouble, pool) == APR_SUCCESS)
        seen = &now;
    if (seen)
        repr = condreq_collection_representation(
            &room, resource, seen,
            condreq_listing_variant(exchange, resource->rules, NULL, 0, pool),
            exchange->now_us, pool);
    return condreq_refuse(
        exchange->r, HTTP_PRECONDITION_FAILED, "precondition-failed",
        "The collection is not in the state that the request asks for; "
        "nothing was changed.",
        repr ? validator_members(exchange->r, repr, seen->state.version,
                                 seen->state.mtime_us)
             : NULL);
}

int condreq_refuse_precondition(condreq_exchange_t *exchange,
                                const condreq_record_t *current)
{
    request_rec *r = exchange->r;
    condreq_representation_t room;
    const condreq_representation_t *repr = condreq_document_representation(
        &room, &exchange->resource, current, exchange->now_us, r->pool);

    if (repr)
        return condreq_refuse(
            r, HTTP_PRECONDITION_FAILED, "precondition-failed",
            "The document is not in the state that the request asks for; "
            "nothing was changed.",
            validator_members(r, repr, current->version, current->mtime_us));
    return condreq_refuse(r, HTTP_PRECONDITION_FAILED, "precondition-failed",
                          "There is no document here, and the request asks "
                          "for one; nothing was changed.",
                          NULL);
}

/* ---- methods ---- */

const char *condreq_allowed(const condreq_exchange_t *exchange)
{
    return exchange->is_collection ? "GET, HEAD, POST, DELETE, OPTIONS"
                                   : "GET, HEAD, PUT, DELETE, OPTIONS";
}

int condreq_refuse_method(condreq_exchange_t *exchange)
{
    request_rec *r = exchange->r;
    const char *allowed = condreq_allowed(exchange);

    /* An ErrorDocument's answer keeps this one. */
    apr_table_setn(r->err_headers_out, "Allow", allowed);
    /* httpd writes Allow of a 405 from its own list, which it gathers from
     * all modules that declined. */
    if (exchange->is_collection)
        ap_allow_methods(r, REPLACE_ALLOW, "GET", "HEAD", "POST", "DELETE",
                         "OPTIONS", NULL);
    else
        ap_allow_methods(r, REPLACE_ALLOW, "GET", "HEAD", "PUT", "DELETE",
                         "OPTIONS", NULL);
    return condreq_refuse(
        r, HTTP_METHOD_NOT_ALLOWED, "method-not-allowed",
        exchange->is_collection
            ? "This is a collection: it is listed by GET, documents are "
              "created in it by POST, and DELETE removes it."
            : "This is a document: it is read by GET, written by PUT and "
              "removed by DELETE.",
        apr_psprintf(r->pool, ", \"allow\": \"%s\"", allowed));
}

/* ---- the document ---- */

static const char *title_of(int status, apr_pool_t *pool)
{
    /* "404 Not Found": the phrase alone. */
    const char *line = ap_get_status_line(status);
    const char *space = strchr(line, ' ');

    return apr_pstrdup(pool, space ? space + 1 : line);
}

static const char *problem_text(request_rec *r)
{
    const condreq_problem_t *problem = condreq_request(r)->problem;
    const char *type = "about:blank";
    const char *detail = "";
    const char *members = "";

    if (problem && problem->status == r->status) {
        if (problem->kind)
            type = apr_pstrcat(r->pool, TYPE_PREFIX, problem->kind, NULL);
        if (problem->detail)
            detail =
                apr_pstrcat(r->pool, ", \"detail\": ",
                            condreq_json_quote(problem->detail, r->pool), NULL);
        if (problem->members)
            members = problem->members;
    }
    return apr_psprintf(
        r->pool,
        "{\"type\": \"%s\", \"title\": %s, \"status\": %d%s%s}"
        "\n",
        type, condreq_json_quote(title_of(r->status, r->pool), r->pool),
        r->status, detail, members);
}

static apr_status_t problem_filter(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    request_rec *r = f->r;
    apr_bucket *bucket;
    const char *text;

    /* httpd's own document, in one or more brigades, is passed over. */
    if (APR_BRIGADE_EMPTY(brigade) ||
        !APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(brigade))) {
        apr_brigade_cleanup(brigade);
        return APR_SUCCESS;
    }
    apr_brigade_cleanup(brigade);
    text = problem_text(r);
    ap_set_content_type(r, MEDIA_TYPE);
    ap_set_content_length(r, (apr_off_t)strlen(text));
    bucket =
        apr_bucket_pool_create(text, strlen(text), r->pool, f->c->bucket_alloc);
    APR_BRIGADE_INSERT_TAIL(brigade, bucket);
    bucket = apr_bucket_eos_create(f->c->bucket_alloc);
    APR_BRIGADE_INSERT_TAIL(brigade, bucket);
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, brigade);
}

/* Is it a resource of ours? Before fixups only its section can tell. */
static int is_ours(request_rec *r)
{
    const condreq_dir_conf_t *conf =
        ap_get_module_config(r->per_dir_config, &condreq_module);

    return r->handler ? !strcmp(r->handler, CONDREQ_HANDLER)
                      : conf && conf->handles;
}

/* httpd's byterange filter refuses a range without saying how long the
 * document is (RFC 9110 section 14.4). */
static void say_complete_length(request_rec *r)
{
    const condreq_request_t *request = condreq_request(r);

    if (r->status == HTTP_RANGE_NOT_SATISFIABLE && request->sends_length)
        apr_table_setn(r->err_headers_out, "Content-Range",
                       apr_psprintf(r->pool, "bytes */%" APR_UINT64_T_FMT,
                                    request->complete_length));
}

void condreq_insert_error_filter(request_rec *r)
{
    if (!is_ours(r))
        return;
    say_complete_length(r);
    if (ap_is_HTTP_ERROR(r->status) &&
        !ap_response_code_string(r, ap_index_of_response(r->status)))
        ap_add_output_filter(FILTER_NAME, NULL, r, r->connection);
}

void condreq_problem_filter_register(void)
{
    ap_register_output_filter(FILTER_NAME, problem_filter, NULL,
                              AP_FTYPE_RESOURCE);
}
