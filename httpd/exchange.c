/* One exchange: from a request to a resource of a store, and by its method to
 * what answers it.
 * Knows how a URI becomes a key (design: the URL space); no method's rules. */
#include "mod_condreq.h"

#include "apr_fnmatch.h"
#include "apr_strings.h"

/* ---- the path ---- */

/* Does the decoded path hold what may be a slash that was sent encoded? */
static const char *encoded_slash(const char *path)
{
    while ((path = strchr(path, '%')) != NULL) {
        if (path[1] == '2' && (path[2] == 'F' || path[2] == 'f'))
            return path;
        path++;
    }
    return NULL;
}

/* The path of a request target in origin-form or absolute-form (RFC 9112
 * section 3.2). */
static const char *path_as_sent(const char *target)
{
    const char *authority = strstr(target, "://");

    if (*target == '/' || !authority)
        return target;
    return authority + 3 + strcspn(authority + 3, "/?#");
}

/* Under AllowEncodedSlashes NoDecode httpd leaves %2F as it is, and makes %2F
 * of %252F: only the request line still tells the two apart. */
static const char *path_of_raw(request_rec *r, const char *raw,
                               int decodes_slashes)
{
    char *path = apr_pstrmemdup(r->pool, raw, strcspn(raw, "?#"));
    const core_server_config *server =
        ap_get_core_module_config(r->server->module_config);
    char *slash;

    if (*path != '/')
        return NULL;
    path = condreq_path_double_percent(path, r->pool);
    if (!ap_normalize_path(path,
                           AP_NORMALIZE_DECODE_UNRESERVED |
                               (server->merge_slashes != AP_CORE_CONFIG_OFF
                                    ? AP_NORMALIZE_MERGE_SLASHES
                                    : 0)) ||
        ap_unescape_url_keep2f(path, decodes_slashes) != OK)
        return NULL;
    for (slash = path; (slash = (char *)encoded_slash(slash)) != NULL; slash++)
        slash[2] = 'F';
    return path;
}

const char *condreq_path_of_reference(request_rec *r, const char *raw)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);

    return path_of_raw(
        r, raw, core->allow_encoded_slashes && core->decode_encoded_slashes);
}

static const char *key_path(request_rec *r, const char *uri)
{
    const char *path = NULL;

    if (encoded_slash(uri) && !r->prev && !r->main)
        path = path_of_raw(r, path_as_sent(r->unparsed_uri), 0);
    return path ? path : condreq_path_escape_percent(uri, r->pool);
}

/* ---- the namespace ---- */

/* Where the document root is set for each request (mod_vhost_alias), each host
 * name is a site of its own. */
const char *condreq_name_space(request_rec *r)
{
    const core_server_config *core =
        ap_get_core_module_config(r->server->module_config);
    const char *root = ap_document_root(r);
    char *name;

    if (r->hostname && root && core->ap_document_root &&
        strcmp(root, core->ap_document_root)) {
        name = apr_pstrdup(r->pool, r->hostname);
    }
    else {
        name = apr_pstrdup(r->pool, r->server->server_hostname);
    }
    ap_str_tolower(name);
    return name;
}

/* ---- collections ---- */

/* A section's own path is a collection with or without the slash. */
static int is_sections_own_path(request_rec *r, const char *uri,
                                const condreq_section_t *section)
{
    if (section->location_is_fnmatch)
        return apr_fnmatch(section->location, uri, APR_FNM_PATHNAME) ==
               APR_SUCCESS;
    if (section->location)
        return !strcmp(section->location, uri);
    return section->directory && r->filename &&
           !strcmp(section->directory, r->filename);
}

void condreq_locate(condreq_exchange_t *exchange, const char *path)
{
    request_rec *r = exchange->r;
    const char *uri = condreq_request(r)->uri;
    const char *name = condreq_name_space(r);

    exchange->is_collection = condreq_path_is_collection(path);
    if (!exchange->is_collection &&
        is_sections_own_path(r, uri, &exchange->conf->section)) {
        exchange->is_collection = 1;
        path = apr_pstrcat(r->pool, path, "/", NULL);
    }
    exchange->resource.key = apr_pstrcat(r->pool, name, path, NULL);
    exchange->resource.path = exchange->resource.key + strlen(name);
}

/* ---- the exchange ---- */

/* What the client asked about its own URI says nothing of a subrequest's or of
 * an error document's. */
static int is_clients_own(const request_rec *r)
{
    return !r->main && !(r->prev && ap_is_HTTP_ERROR(r->prev->status));
}

static void read_preconditions(condreq_exchange_t *exchange)
{
    const apr_table_t *fields_in = exchange->r->headers_in;
    condreq_precondition_fields_t fields;

    if (!is_clients_own(exchange->r))
        return;
    fields.if_match = apr_table_get(fields_in, "If-Match");
    fields.if_none_match = apr_table_get(fields_in, "If-None-Match");
    fields.if_modified_since = apr_table_get(fields_in, "If-Modified-Since");
    fields.if_unmodified_since =
        apr_table_get(fields_in, "If-Unmodified-Since");
    fields.if_range = apr_table_get(fields_in, "If-Range");
    fields.range = apr_table_get(fields_in, "Range");
    condreq_preconditions_parse(&exchange->preconditions, &fields,
                                apr_time_sec(exchange->now_us),
                                exchange->r->pool);
    condreq_read_if(exchange);
}

int condreq_exchange_begin(condreq_exchange_t *exchange, request_rec *r)
{
    const condreq_server_conf_t *server =
        ap_get_module_config(r->server->module_config, &condreq_module);

    memset(exchange, 0, sizeof *exchange);
    exchange->r = r;
    exchange->conf = ap_get_module_config(r->per_dir_config, &condreq_module);
    if (!server->site) {
        ap_log_rerror(
            APLOG_MARK, APLOG_ERR, 0, r,
            CONDREQ_LOGNO(
                2001) "SetHandler condreq without a store: "
                      "write CondReqStore bdb:/var/lib/condreq into the "
                      "server's configuration");
        return condreq_refuse(r, HTTP_INTERNAL_SERVER_ERROR, NULL,
                              "This server is not configured to keep "
                              "documents.",
                              NULL);
    }
    if (!server->site->store)
        return condreq_refuse_unavailable(r);
    /* Read before any record is: see condreq_record_date_has_come(). */
    exchange->now_us = r->request_time;
    exchange->resource.store = server->site->store;
    exchange->resource.rules = &exchange->conf->rules;
    exchange->resource.coding_suffixes = condreq_variant_suffixes(r);
    condreq_locate(exchange, key_path(r, condreq_request(r)->uri));
    if (strlen(exchange->resource.path) > CONDREQ_PATH_MAX)
        return condreq_refuse_path(r);
    read_preconditions(exchange);
    return OK;
}

/* OPTIONS says the methods, which patches PATCH takes, and that there are locks:
 * class 2 of RFC 4918 section 18, without class 1, since that is PROPFIND and
 * its like. */
static int answer_options(condreq_exchange_t *exchange)
{
    request_rec *r = exchange->r;

    apr_table_setn(r->headers_out, "Allow", condreq_allowed(exchange));
    if (exchange->conf->locks.on)
        apr_table_setn(r->headers_out, "DAV", "2");
    /* RFC 5789 section 3.1 */
    if (!exchange->is_collection && exchange->conf->patches)
        condreq_send_accept_patch(r->headers_out);
    ap_set_content_length(r, 0);
    r->content_type = NULL;
    return condreq_send_bytes(r, NULL, 0, 1);
}

static int dispatch(condreq_exchange_t *exchange)
{
    int is_collection = exchange->is_collection;

    if (exchange->r->method_number != M_PUT &&
        exchange->r->method_number != M_PATCH &&
        exchange->r->method_number != M_POST &&
        exchange->r->method_number != M_LOCK)
        condreq_content_abandon(exchange->r);
    switch (exchange->r->method_number) {
    case M_GET:
        return is_collection ? condreq_collection_get(exchange)
                             : condreq_document_get(exchange);
    case M_PUT:
        return is_collection ? condreq_refuse_method(exchange)
                             : condreq_document_put(exchange);
    case M_PATCH:
        return is_collection || !exchange->conf->patches
                   ? condreq_refuse_method(exchange)
                   : condreq_document_patch(exchange);
    case M_DELETE:
        return is_collection ? condreq_collection_delete(exchange)
                             : condreq_document_delete(exchange);
    case M_POST:
        return is_collection ? condreq_collection_post(exchange)
                             : condreq_refuse_method(exchange);
    case M_LOCK:
        return condreq_lock(exchange);
    case M_UNLOCK:
        return condreq_unlock(exchange);
    case M_OPTIONS:
        return answer_options(exchange);
    case M_INVALID:
        return condreq_refuse(exchange->r, HTTP_NOT_IMPLEMENTED, NULL,
                              "This server does not know the method.", NULL);
    default:
        return condreq_refuse_method(exchange);
    }
}

int condreq_handler(request_rec *r)
{
    condreq_exchange_t exchange;
    int status;

    if (strcmp(r->handler, CONDREQ_HANDLER))
        return DECLINED;
    /* mod_mime guessed these from what looks like a file's extension. */
    r->content_encoding = NULL;
    r->content_languages = NULL;
    /* FileETag None leaves a note that takes away other handlers' tags. */
    apr_table_unset(r->notes, "no-etag");
    status = condreq_exchange_begin(&exchange, r);
    if (status == OK)
        status = dispatch(&exchange);
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r,
                  CONDREQ_LOGNO(2002) "%s %s: %d", r->method,
                  exchange.resource.key ? exchange.resource.key : r->uri,
                  status == OK ? r->status : status);
    return status;
}
