/* Refusals: each error of a resource of ours is a problem document, RFC 9457.
 * A handler returns its status to httpd, as every handler does, so that
 * ErrorDocument, Header always and CORS act as they do elsewhere; a filter
 * then puts our document in the place of httpd's HTML. */
#include "mod_condreq.h"

#include "apr_atomic.h"

#include "mod_core.h"

#include "apr_strings.h"

/* RFC 4151. Types have no page of their own to be fetched. */
#define TYPE_PREFIX "tag:mod-condreq,2026:"
#define MEDIA_TYPE "application/problem+json"
#define FILTER_NAME "CONDREQ_PROBLEM"
/* What a client that meets a store at work, or one that recovers, waits. */
#define RETRY_AFTER_S "1"

int condreq_refuse(request_rec *r, int status, const char *kind,
                   const char *detail, const char *members)
{
    condreq_problem_t problem = {0};

    problem.status = status;
    problem.kind = kind;
    problem.detail = detail;
    problem.members = members;
    return condreq_refuse_with(r, &problem);
}

int condreq_refuse_in_xml(request_rec *r, int status, const char *xml)
{
    condreq_problem_t problem = {0};

    problem.status = status;
    problem.xml = xml;
    return condreq_refuse_with(r, &problem);
}

int condreq_refuse_with(request_rec *r, const condreq_problem_t *problem)
{
    condreq_request(r)->problem =
        apr_pmemdup(r->pool, problem, sizeof *problem);
    condreq_content_abandon(r);
    return problem->status;
}

int condreq_refuse_unavailable(request_rec *r)
{
    apr_table_setn(r->err_headers_out, "Retry-After", RETRY_AFTER_S);
    return condreq_refuse(r, HTTP_SERVICE_UNAVAILABLE, NULL,
                          "The store cannot be reached now; nothing was "
                          "changed.",
                          NULL);
}

int condreq_refuse_contended(request_rec *r)
{
    apr_table_setn(r->err_headers_out, "Retry-After", RETRY_AFTER_S);
    return condreq_refuse(r, HTTP_SERVICE_UNAVAILABLE, NULL,
                          "Others write here all the time; nothing was "
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

/* A full disk refuses every write, and may be the log's own: once a second for
 * each process says as much as each time. */
static int level_of(apr_status_t status)
{
    static apr_uint32_t said_s;
    apr_uint32_t now_s = (apr_uint32_t)apr_time_sec(apr_time_now());
    apr_uint32_t before_s = apr_atomic_read32(&said_s);

    if (!APR_STATUS_IS_ENOSPC(status))
        return APLOG_ERR;
    return now_s != before_s &&
                   apr_atomic_cas32(&said_s, now_s, before_s) == before_s
               ? APLOG_ERR
               : APLOG_DEBUG;
}

void condreq_log_trouble(condreq_exchange_t *exchange, apr_status_t status,
                         const char *doing)
{
    request_rec *r = exchange->r;
    /* The macro asks for it twice. */
    int level = level_of(status);

    /* APR has no words for statuses of ours, and the sentence has. */
    ap_log_rerror(
        APLOG_MARK, level, status >= APR_OS_START_USERERR ? 0 : status, r,
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

/* ---- methods ---- */

const char *condreq_allowed(const condreq_exchange_t *exchange)
{
    const condreq_dir_conf_t *conf = exchange->conf;
    const char *locks = conf->locks.on ? "LOCK, UNLOCK, " : "";
    const char *methods = exchange->is_collection ? "GET, HEAD, POST, DELETE, "
                          : conf->patches ? "GET, HEAD, PUT, PATCH, DELETE, "
                                          : "GET, HEAD, PUT, DELETE, ";

    return apr_pstrcat(exchange->r->pool, methods, locks, "OPTIONS", NULL);
}

/* httpd writes Allow of a 405 from its own list, which it gathers from all
 * modules that declined. */
static void allow_only(request_rec *r, const char *allowed)
{
    char *list = apr_pstrdup(r->pool, allowed);
    char *state;
    const char *method = apr_strtok(list, ", ", &state);

    ap_allow_methods(r, REPLACE_ALLOW, method, NULL);
    while ((method = apr_strtok(NULL, ", ", &state)) != NULL)
        ap_allow_methods(r, MERGE_ALLOW, method, NULL);
}

static const char *said_of_methods(const condreq_exchange_t *exchange)
{
    if (exchange->is_collection)
        return "This is a collection: it is listed by GET, documents are "
               "created in it by POST, and DELETE removes it.";
    return exchange->conf->patches
               ? "This is a document: it is read by GET, written by PUT, "
                 "changed by PATCH and removed by DELETE."
               : "This is a document: it is read by GET, written by PUT and "
                 "removed by DELETE.";
}

int condreq_refuse_method(condreq_exchange_t *exchange)
{
    request_rec *r = exchange->r;
    const char *allowed = condreq_allowed(exchange);

    /* An ErrorDocument's answer keeps this one. */
    apr_table_setn(r->err_headers_out, "Allow", allowed);
    allow_only(r, allowed);
    return condreq_refuse(
        r, HTTP_METHOD_NOT_ALLOWED, "method-not-allowed",
        said_of_methods(exchange),
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

static const char *type_of(const condreq_problem_t *problem, apr_pool_t *pool)
{
    if (problem->type)
        return condreq_json_quote(problem->type, pool);
    return problem->kind
               ? apr_pstrcat(pool, "\"" TYPE_PREFIX, problem->kind, "\"", NULL)
               : "\"about:blank\"";
}

/* All but the document that may stand behind it, and the last brace. */
static const char *problem_text(request_rec *r,
                                const condreq_problem_t *problem)
{
    apr_pool_t *pool = r->pool;
    const char *title =
        problem->title ? problem->title : title_of(r->status, pool);
    const char *detail = "";

    if (problem->detail)
        detail = apr_pstrcat(pool, ", \"detail\": ",
                             condreq_json_quote(problem->detail, pool), NULL);
    return apr_psprintf(
        pool, "{\"type\": %s, \"title\": %s, \"status\": %d%s%s%s",
        type_of(problem, pool), condreq_json_quote(title, pool), r->status,
        detail, problem->members ? problem->members : "",
        problem->document ? ", \"document\": " : "");
}

static void append(apr_bucket_brigade *brigade, request_rec *r,
                   const char *bytes, apr_size_t length)
{
    APR_BRIGADE_INSERT_TAIL(
        brigade,
        apr_bucket_pool_create(bytes, length, r->pool, brigade->bucket_alloc));
}

/* What is said in XML is said there whole. */
static void append_xml(apr_bucket_brigade *brigade, request_rec *r,
                       const condreq_problem_t *problem)
{
    const char *text =
        apr_pstrcat(r->pool, CONDREQ_XML_DECLARATION, problem->xml, "\n", NULL);

    ap_set_content_type(r, CONDREQ_XML_TYPE);
    ap_set_content_length(r, (apr_off_t)strlen(text));
    append(brigade, r, text, strlen(text));
}

/* A document may be long, and is not copied. */
static void append_json(apr_bucket_brigade *brigade, request_rec *r,
                        const condreq_problem_t *problem)
{
    static const char end[] = "}\n";
    const char *text = problem_text(r, problem);
    apr_size_t length =
        strlen(text) + problem->document_length + sizeof end - 1;

    ap_set_content_type(r, MEDIA_TYPE);
    ap_set_content_length(r, (apr_off_t)length);
    append(brigade, r, text, strlen(text));
    if (problem->document_length)
        append(brigade, r, problem->document, problem->document_length);
    append(brigade, r, end, sizeof end - 1);
}

static void append_problem(apr_bucket_brigade *brigade, request_rec *r)
{
    static const condreq_problem_t unsaid;
    const condreq_problem_t *problem = condreq_request(r)->problem;

    if (!problem || problem->status != r->status)
        problem = &unsaid;
    if (problem->xml)
        append_xml(brigade, r, problem);
    else
        append_json(brigade, r, problem);
}

static apr_status_t problem_filter(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    request_rec *r = f->r;

    /* httpd's own document, in one or more brigades, is passed over. */
    if (APR_BRIGADE_EMPTY(brigade) ||
        !APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(brigade))) {
        apr_brigade_cleanup(brigade);
        return APR_SUCCESS;
    }
    apr_brigade_cleanup(brigade);
    append_problem(brigade, r);
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(f->c->bucket_alloc));
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, brigade);
}

/* Is it a resource of ours? Before fixups only its section can tell. */
static int is_ours(request_rec *r)
{
    const condreq_dir_conf_t *conf =
        ap_get_module_config(r->per_dir_config, &condreq_module);

    return r->handler ? !strcmp(r->handler, CONDREQ_HANDLER) ||
                            !strcmp(r->handler, CONDREQ_LOCKS_HANDLER)
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
