/* A request on its way to its handler: what is noted where httpd's phases
 * pass by.
 * Knows httpd's phases and other modules' habits; no method, no store. */
#include "mod_condreq.h"

#include "http_main.h"

#include "apr_strings.h"

/* What belongs to a request whose path another request named: after an
 * internal redirect the client's path still counts, but an error document is
 * a resource of its own. */
static void note_named(condreq_request_t *request, request_rec *r)
{
    if (r->prev && !ap_is_HTTP_ERROR(r->prev->status)) {
        request->uri = condreq_request(r->prev)->uri;
        request->query = condreq_request(r->prev)->query;
    }
    else {
        request->uri = apr_pstrdup(r->pool, r->uri);
        request->query = r->args ? apr_pstrdup(r->pool, r->args) : NULL;
    }
}

condreq_request_t *condreq_request(request_rec *r)
{
    condreq_request_t *request =
        ap_get_module_config(r->request_config, &condreq_module);

    /* A file subrequest, for one, never came through translate_name. */
    if (!request) {
        request = apr_pcalloc(r->pool, sizeof *request);
        ap_set_module_config(r->request_config, &condreq_module, request);
        note_named(request, r);
    }
    return request;
}

static const condreq_dir_conf_t *dir_conf(request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &condreq_module);
}

static int directories_deny(void)
{
    const condreq_server_conf_t *main_server =
        ap_get_module_config(ap_server_conf->module_config, &condreq_module);

    return main_server->directories_deny;
}

/* Keeps the path before mod_rewrite, mod_alias, mod_dir or FallbackResource
 * make another of it. */
int condreq_translate_name(request_rec *r)
{
    const condreq_dir_conf_t *conf = dir_conf(r);
    const condreq_server_conf_t *server =
        ap_get_module_config(r->server->module_config, &condreq_module);

    if (server->site) {
        condreq_request_t *request = condreq_request(r);

        request->skips_walk = conf && conf->handles &&
                              conf->guard == CONDREQ_GUARD_ITSELF &&
                              !directories_deny();
        /* The file system may find the name too long first, and say 403. */
        if (conf && conf->handles && strlen(request->uri) > CONDREQ_PATH_MAX)
            return condreq_refuse_path(r);
    }
    return DECLINED;
}

/* The directory walk looks for files that are not there. Where a <Location>
 * both names our handler and says who may come in, nothing that the walk would
 * find could say more; see docs/architecture.md for what that leaves out. */
int condreq_map_to_storage(request_rec *r)
{
    const condreq_request_t *request =
        ap_get_module_config(r->request_config, &condreq_module);

    if (request && request->skips_walk && !strcmp(request->uri, r->uri))
        return OK;
    return DECLINED;
}

/* With MultiViews mod_negotiation looks for variants of what is no file, such
 * as a document of ours. */
int condreq_type_checker(request_rec *r)
{
    const condreq_dir_conf_t *conf = dir_conf(r);

    if (conf && conf->handles && r->finfo.filetype == APR_NOFILE)
        r->finfo.filetype = APR_UNKFILE;
    return DECLINED;
}

int condreq_fixups(request_rec *r)
{
    if (!r->handler || strcmp(r->handler, CONDREQ_HANDLER))
        return DECLINED;
    /* mod_dir redirects and indexes what it takes for a directory, mod_speling
     * looks for what is like a name that is missing. A file must still be seen:
     * FallbackResource and DirectoryIndex name only files. */
    if (r->finfo.filetype != APR_REG)
        r->finfo.filetype = APR_UNKFILE;
    return DECLINED;
}
