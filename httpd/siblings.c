/* Which members of a collection a client may see, or remove: those that it
 * could ask for one by one.
 * Knows httpd's sections and hooks; no store.
 *
 * Each is asked for by a subrequest, unless no answer could differ from the
 * one that this request got: then all are as it is. That takes a proof, and
 * where any part of it is missing the answer is the slow one:
 *  - one <Location> says both what serves these URLs and who may come in, so
 *    no <Directory>, <Files> or .htaccess is asked (see walk.c);
 *  - no section of the server is about some of these URLs only, and no <If>
 *    is about this request;
 *  - no Require, Redirect, RewriteRule or the like, wherever it stands, could
 *    look at the URL;
 *  - only modules that are known to keep to that have a word. */
#include "mod_condreq.h"

#include "http_main.h"

#include "apr_strings.h"

/* ---- one by one ---- */

static ap_conf_vector_t *config_copy(request_rec *r)
{
    return ap_merge_per_dir_configs(r->pool, r->per_dir_config,
                                    ap_create_per_dir_config(r->pool));
}

/* httpd lets a subrequest with its parent's configuration pass unasked, also
 * where the method is another: so the parent gets a copy meanwhile. */
static request_rec *ask_beside(request_rec *r, ap_conf_vector_t *copy,
                               const char *method, const char *uri)
{
    ap_conf_vector_t *config = r->per_dir_config;
    request_rec *sub;

    r->per_dir_config = copy;
    sub = ap_sub_req_method_uri(method, uri, r, NULL);
    r->per_dir_config = config;
    return sub;
}

static request_rec *ask(condreq_exchange_t *exchange, const char *method,
                        const char *uri)
{
    if (!exchange->config_copy)
        exchange->config_copy = config_copy(exchange->r);
    return ask_beside(exchange->r, exchange->config_copy, method, uri);
}

request_rec *condreq_lookup_uri(request_rec *r, const char *uri)
{
    return ask_beside(r, config_copy(r), "GET", uri);
}

int condreq_client_may(condreq_exchange_t *exchange, const char *method,
                       const char *uri)
{
    request_rec *sub = ask(exchange, method, uri);
    int may = sub->status == HTTP_OK;

    ap_destroy_sub_req(sub);
    return may;
}

int condreq_client_may_get(condreq_exchange_t *exchange)
{
    request_rec *r = exchange->r;
    const char *path = condreq_path_uri(exchange->resource.path, r->pool);

    return condreq_client_may(
        exchange, "GET",
        r->args ? apr_pstrcat(r->pool, path, "?", r->args, NULL) : path);
}

int condreq_sibling_open(condreq_sibling_t *sibling,
                         condreq_exchange_t *exchange, const char *path,
                         apr_pool_t *pool)
{
    const condreq_dir_conf_t *conf;

    sibling->sub = NULL;
    sibling->rules = exchange->resource.rules;
    if (condreq_siblings_alike(exchange))
        return 1;
    sibling->sub = ask(exchange, "GET", condreq_path_uri(path, pool));
    conf = ap_get_module_config(sibling->sub->per_dir_config, &condreq_module);
    if (conf)
        sibling->rules = &conf->rules;
    return sibling->sub->status == HTTP_OK;
}

void condreq_sibling_close(condreq_sibling_t *sibling)
{
    if (sibling->sub)
        ap_destroy_sub_req(sibling->sub);
}

/* ---- all alike ---- */

/* What stands in these names' files does not refuse by URL, but for directives
 * that config_check.c looks for. */
static const char *const known_modules[] = {
    "core.c",
    "http_core.c",
    "mod_access_compat.c",
    "mod_alias.c",
    "mod_allowmethods.c",
    "mod_auth_basic.c",
    "mod_auth_digest.c",
    "mod_auth_form.c",
    "mod_authn_core.c",
    "mod_authn_anon.c",
    "mod_authnz_ldap.c",
    "mod_authz_core.c",
    "mod_autoindex.c",
    "mod_cern_meta.c",
    "mod_condreq.c",
    "mod_dav.c",
    "mod_dir.c",
    "mod_env.c",
    "mod_expires.c",
    "mod_filter.c",
    "mod_headers.c",
    "mod_http2.c",
    "mod_include.c",
    "mod_mime.c",
    "mod_negotiation.c",
    "mod_proxy.c",
    "mod_proxy_http2.c",
    "mod_remoteip.c",
    "mod_rewrite.c",
    "mod_session.c",
    "mod_setenvif.c",
    "mod_speling.c",
    "mod_ssl.c",
    "mod_unique_id.c",
    "mod_userdir.c",
    "mod_usertrack.c",
    "mod_vhost_alias.c",
    "prefork.c",
    "worker.c",
    "event.c",
    "util_expr_eval.c",
};

static int is_known(const char *name)
{
    apr_size_t i;

    for (i = 0; i < sizeof known_modules / sizeof *known_modules; i++) {
        if (!strcmp(known_modules[i], name))
            return 1;
    }
    return 0;
}

/* All hooks of this signature are lists of the same layout. */
static int all_known(const apr_array_header_t *hooks)
{
    const ap_LINK_access_checker_t *links;
    int i;

    if (!hooks)
        return 1;
    links = (const ap_LINK_access_checker_t *)hooks->elts;
    for (i = 0; i < hooks->nelts; i++) {
        if (!is_known(links[i].szName))
            return 0;
    }
    return 1;
}

static int only_known_modules_decide(void)
{
    return all_known(ap_hook_get_pre_translate_name()) &&
           all_known(ap_hook_get_translate_name()) &&
           all_known(ap_hook_get_map_to_storage()) &&
           all_known(ap_hook_get_access_checker()) &&
           all_known(ap_hook_get_access_checker_ex()) &&
           all_known(ap_hook_get_check_user_id()) &&
           all_known(ap_hook_get_auth_checker()) &&
           all_known(ap_hook_get_type_checker()) &&
           all_known(ap_hook_get_fixups());
}

/* A pattern may be about some of them; a path is if it goes on below the
 * collection. */
static int is_about_some(const core_dir_config *section, const char *collection)
{
    if (section->r || section->d_is_fnmatch || !section->d)
        return 1;
    return strlen(section->d) > strlen(collection) &&
           !strncmp(section->d, collection, strlen(collection));
}

static int any_section_is_about_some(request_rec *r, const char *collection)
{
    const core_server_config *server =
        ap_get_core_module_config(r->server->module_config);
    const apr_array_header_t *sections = server->sec_url;
    int i;

    for (i = 0; i < sections->nelts; i++) {
        const core_dir_config *section = ap_get_core_module_config(
            APR_ARRAY_IDX(sections, i, ap_conf_vector_t *));

        if (is_about_some(section, collection))
            return 1;
    }
    return 0;
}

static int has_conditions(request_rec *r)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);

    return core->sec_if && core->sec_if->nelts;
}

/* @return NULL, or what could tell one member from another */
static const char *why_they_differ(request_rec *r)
{
    const condreq_request_t *request = condreq_request(r);
    const condreq_server_conf_t *main_server =
        ap_get_module_config(ap_server_conf->module_config, &condreq_module);
    apr_size_t length = strlen(request->uri);
    const char *collection =
        length && request->uri[length - 1] == '/'
            ? request->uri
            : apr_pstrcat(r->pool, request->uri, "/", NULL);

    if (!request->skips_walk)
        return "no Location says both SetHandler condreq and Require";
    if (main_server->urls_judged)
        return "some Require, Redirect, RewriteRule or the like may look at "
               "the URL";
    if (has_conditions(r))
        return "there is an If";
    if (any_section_is_about_some(r, collection))
        return "a Location or LocationMatch may be about some of them";
    if (!only_known_modules_decide())
        return "a module that is not httpd's own has a word";
    return NULL;
}

int condreq_siblings_alike(condreq_exchange_t *exchange)
{
    request_rec *r = exchange->r;
    const char *why;

    if (exchange->siblings == CONDREQ_SIBLINGS_UNKNOWN) {
        why = why_they_differ(r);
        exchange->siblings =
            why ? CONDREQ_SIBLINGS_DIFFER : CONDREQ_SIBLINGS_ALIKE;
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r,
                      CONDREQ_LOGNO(2004) "%s: %s%s", exchange->resource.key,
                      why ? "each member is asked for by itself: "
                          : "what is true of one member is true of all",
                      why ? why : "");
    }
    return exchange->siblings == CONDREQ_SIBLINGS_ALIKE;
}
