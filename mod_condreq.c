/* mod_condreq: no lost updates, from httpd.conf or an .htaccess.
 * The front door: which hooks are taken, when, and why. Who reads on goes to
 * httpd/walk.c, where a request comes in, or to docs/architecture.md. */
#include "mod_condreq.h"

static void register_hooks(apr_pool_t *pool)
{
    static const char *const before_mod_dir[] = {"mod_dir.c", "mod_rewrite.c",
                                                 NULL};

    (void)pool;
    ap_hook_check_config(condreq_config_check, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(condreq_stores_prepare, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(condreq_stores_open, NULL, NULL, APR_HOOK_MIDDLE);

    /* Before any that answers, since each is to be counted. */
    ap_hook_post_read_request(condreq_orphan_request, NULL, NULL,
                              APR_HOOK_REALLY_FIRST);
    /* Before mod_rewrite, mod_alias and mod_dir change the path. */
    ap_hook_translate_name(condreq_translate_name, NULL, NULL,
                           APR_HOOK_REALLY_FIRST);
    /* After TRACE and OPTIONS * were answered, before the directory walk. */
    ap_hook_map_to_storage(condreq_map_to_storage, NULL, NULL, APR_HOOK_LAST);
    /* Before mod_negotiation. */
    ap_hook_type_checker(condreq_type_checker, NULL, NULL,
                         APR_HOOK_REALLY_FIRST);
    /* After core has put SetHandler into r->handler. */
    ap_hook_fixups(condreq_fixups, NULL, before_mod_dir, APR_HOOK_FIRST);
    ap_hook_handler(condreq_handler, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(condreq_locks_handler, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_insert_error_filter(condreq_insert_error_filter, NULL, NULL,
                                APR_HOOK_MIDDLE);
    condreq_problem_filter_register();
    condreq_variant_filter_register();
}

module AP_MODULE_DECLARE_DATA condreq_module
    __attribute__((visibility("default"))) = {
        STANDARD20_MODULE_STUFF,
        condreq_dir_conf_create,
        condreq_dir_conf_merge,
        condreq_server_conf_create,
        condreq_server_conf_merge,
        condreq_commands,
        register_hooks,
        AP_MODULE_FLAG_NONE,
};
