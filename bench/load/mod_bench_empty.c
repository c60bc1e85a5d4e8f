/* A handler that does nothing: what httpd itself costs.
 * Knows httpd; no file, no field. "BenchSkipWalk On" ends map_to_storage as
 * mod_condreq does, "Off" leaves httpd its walk through directories. */
#include "httpd.h"
#include "http_config.h"
#include "http_protocol.h"
#include "http_request.h"

module AP_MODULE_DECLARE_DATA bench_empty_module;

static void *dir_conf_create(apr_pool_t *pool, char *directory)
{
    (void)directory;
    return apr_pcalloc(pool, sizeof(int));
}

/* httpd takes a section's configuration away before map_to_storage. */
static int translate_name(request_rec *r)
{
    ap_set_module_config(
        r->request_config, &bench_empty_module,
        ap_get_module_config(r->per_dir_config, &bench_empty_module));
    return DECLINED;
}

static int map_to_storage(request_rec *r)
{
    const int *skips =
        ap_get_module_config(r->request_config, &bench_empty_module);

    return skips && *skips ? OK : DECLINED;
}

/* The answer is as mod_condreq's 304: a status, a tag, no content. */
static int handler(request_rec *r)
{
    conn_rec *c = r->connection;
    apr_bucket_brigade *brigade;

    if (strcmp(r->handler, "bench-empty"))
        return DECLINED;
    brigade = apr_brigade_create(r->pool, c->bucket_alloc);
    r->status = HTTP_NOT_MODIFIED;
    apr_table_setn(r->headers_out, "ETag", "\"1\"");
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(c->bucket_alloc));
    ap_pass_brigade(r->output_filters, brigade);
    return OK;
}

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_translate_name(translate_name, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_map_to_storage(map_to_storage, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}

static const command_rec commands[] = {
    AP_INIT_FLAG("BenchSkipWalk", ap_set_flag_slot, NULL, ACCESS_CONF,
                 "whether map_to_storage ends at once"),
    {0},
};

AP_DECLARE_MODULE(bench_empty) = {
    STANDARD20_MODULE_STUFF, dir_conf_create,    NULL, NULL, NULL, commands,
    register_hooks,          AP_MODULE_FLAG_NONE};
