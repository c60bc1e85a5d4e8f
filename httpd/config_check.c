/* check_config: what only the whole configuration shows.
 * Knows sections, servers and the configuration tree; changes nothing. What it
 * refuses, it says with what to write instead. */
#include "mod_condreq.h"

#include "apr_lib.h"
#include "apr_strings.h"

const char *condreq_dir_conf_conflict(const condreq_dir_conf_t *conf)
{
    const condreq_strategy_t *strategy = &conf->rules.strategy;

    if (conf->require == CONDREQ_REQUIRE_NONE)
        return NULL;
    if (strategy->kind == CONDREQ_STRATEGY_NONE)
        return "CondReqRequire asks for a tag and CondReqETag none gives "
               "none: no request could ever succeed; write CondReqETag "
               "version, or CondReqRequire none";
    if (strategy->weak)
        return "CondReqRequire asks for If-Match and a weak tag never matches "
               "it (RFC 9110 section 13.1.1): write CondReqETag without weak, "
               "or CondReqRequire none";
    if (conf->require == CONDREQ_REQUIRE_ANY && !conf->rules.last_modified)
        return "CondReqRequire any accepts If-Unmodified-Since and "
               "CondReqLastModified Off gives no date for it: write "
               "CondReqRequire etag, or CondReqLastModified On";
    return NULL;
}

static int refuse(server_rec *server, const char *sentence)
{
    ap_log_error(APLOG_MARK, APLOG_EMERG, 0, server, "%s", sentence);
    return HTTP_INTERNAL_SERVER_ERROR;
}

/* ---- sections ---- */

static int sections_check(server_rec *server, apr_pool_t *pool,
                          const apr_array_header_t *sections)
{
    void *base = ap_get_module_config(server->lookup_defaults, &condreq_module);
    int i;

    for (i = 0; sections && i < sections->nelts; i++) {
        ap_conf_vector_t *section =
            APR_ARRAY_IDX(sections, i, ap_conf_vector_t *);
        void *conf = ap_get_module_config(section, &condreq_module);
        const char *conflict;

        if (!conf)
            continue;
        if (base)
            conf = condreq_dir_conf_merge(pool, base, conf);
        conflict = condreq_dir_conf_conflict(conf);
        if (conflict) {
            core_dir_config *core = ap_get_core_module_config(section);

            return refuse(server,
                          apr_psprintf(pool,
                                       CONDREQ_LOGNO(1001) "in the section for "
                                                           "%s: %s",
                                       core && core->d ? core->d : "?",
                                       conflict));
        }
    }
    return OK;
}

static int all_sections_check(server_rec *server, apr_pool_t *pool)
{
    core_server_config *core = ap_get_core_module_config(server->module_config);
    int status = sections_check(server, pool, core->sec_url);

    return status != OK ? status : sections_check(server, pool, core->sec_dir);
}

/* ---- virtual hosts ---- */

static const ap_directive_t *virtual_host_directive(const server_rec *server)
{
    const ap_directive_t *node;

    for (node = ap_conftree; node; node = node->next) {
        if (!strcasecmp(node->directive, "<VirtualHost") &&
            node->line_num == (int)server->defn_line_number &&
            !strcmp(node->filename, server->defn_name))
            return node;
    }
    return NULL;
}

/* httpd gives a virtual host without a ServerName some name or other; whether
 * it was written is only in the tree. */
static int has_server_name(const server_rec *server)
{
    const ap_directive_t *host = virtual_host_directive(server);
    const ap_directive_t *child;

    if (!host)
        return 1;
    for (child = host->first_child; child; child = child->next) {
        if (!strcasecmp(child->directive, "ServerName"))
            return 1;
    }
    return 0;
}

/* Two virtual hosts without a name would read each other's documents. */
static int namespaces_check(server_rec *main_server, apr_pool_t *pool)
{
    server_rec *server, *other;

    for (server = main_server->next; server; server = server->next) {
        condreq_server_conf_t *conf =
            ap_get_module_config(server->module_config, &condreq_module);

        if (!conf->site || has_server_name(server))
            continue;
        for (other = server->next; other; other = other->next) {
            condreq_server_conf_t *second =
                ap_get_module_config(other->module_config, &condreq_module);

            if (second->site == conf->site && !has_server_name(other))
                return refuse(
                    other,
                    apr_psprintf(
                        pool,
                        CONDREQ_LOGNO(
                            1002) "the virtual host at "
                                  "%s:%u has no ServerName, like the one at "
                                  "%s:%u, and both use the store in %s, where "
                                  "documents are kept by ServerName: give each "
                                  "a ServerName, or a CondReqStore of its own",
                        other->defn_name, other->defn_line_number,
                        server->defn_name, server->defn_line_number,
                        conf->site->config.path));
        }
    }
    return OK;
}

static int same_settings(const condreq_store_config_t *a,
                         const condreq_store_config_t *b)
{
    return a->durability == b->durability && a->cache_bytes == b->cache_bytes;
}

/* One directory is one environment, which has one set of settings. */
static int settings_check(server_rec *main_server, apr_pool_t *pool)
{
    server_rec *server;

    for (server = main_server; server; server = server->next) {
        condreq_server_conf_t *conf =
            ap_get_module_config(server->module_config, &condreq_module);

        if (conf->written.provider && conf->site &&
            !same_settings(&conf->written.config, &conf->site->config))
            return refuse(
                server,
                apr_psprintf(
                    pool,
                    CONDREQ_LOGNO(
                        1003) "CondReqStore bdb:%s is "
                              "written twice with different options: write the "
                              "same ones, or another directory",
                    conf->written.config.path));
    }
    return OK;
}

/* ---- directories ---- */

static int denies_by_itself(const ap_directive_t *node)
{
    return !strcasecmp(node->directive, "Order") ||
           !strcasecmp(node->directive, "Deny") ||
           !strcasecmp(node->directive, "Allow") ||
           !strcasecmp(node->directive, "Satisfy");
}

/* The node after this one in the order of the files. */
static const ap_directive_t *following(const ap_directive_t *node)
{
    if (node->first_child)
        return node->first_child;
    while (node && !node->next)
        node = node->parent;
    return node ? node->next : NULL;
}

/* mod_access_compat's directives count beside any Require: where one is
 * written for files, the directory walk is always made. */
static int directories_deny(void)
{
    const ap_directive_t *node;

    for (node = ap_conftree; node; node = following(node)) {
        if (denies_by_itself(node))
            return 1;
    }
    return 0;
}

/* Can this Require tell one URL from another? What is none of httpd's own that
 * know the client alone may. */
static int require_judges_url(const char *args)
{
    static const char *const words[] = {
        "all",   "forward-dns", "group", "host",       "ip",       "ldap-group",
        "local", "method",      "user",  "valid-user", "ldap-user"};
    apr_size_t length, i;

    if (!strncasecmp(args, "not", 3) && apr_isspace(args[3]))
        args += 4;
    while (apr_isspace(*args))
        args++;
    length = strcspn(args, " \t");
    for (i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i]) == length && !strncasecmp(words[i], args, length))
            /* Its words may be an expression. */
            return strstr(args, "%{") != NULL;
    }
    return 1;
}

/* These answer for some URLs in the place of whatever else would. */
static int judges_url(const ap_directive_t *node)
{
    static const char *const prefixes[] = {"Redirect", "Rewrite", "Lua",
                                           "SSLRequire", "Sec"};
    apr_size_t i;

    if (!strcasecmp(node->directive, "Require"))
        return require_judges_url(node->args);
    /* The switch says nothing of any URL. */
    if (!strcasecmp(node->directive, "RewriteEngine") ||
        !strcasecmp(node->directive, "SSLRequireSSL"))
        return 0;
    for (i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (!strncasecmp(node->directive, prefixes[i], strlen(prefixes[i])))
            return 1;
    }
    return denies_by_itself(node);
}

static int urls_judged(void)
{
    const ap_directive_t *node;

    for (node = ap_conftree; node; node = following(node)) {
        if (judges_url(node))
            return 1;
    }
    return 0;
}

/* ---- the hook ---- */

int condreq_config_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                         server_rec *main_server)
{
    condreq_server_conf_t *conf;
    server_rec *server;
    int status = OK;

    (void)pconf;
    (void)plog;
    condreq_stores_assign(main_server);
    conf = ap_get_module_config(main_server->module_config, &condreq_module);
    conf->directories_deny = directories_deny();
    conf->urls_judged = urls_judged();
    for (server = main_server; server && status == OK; server = server->next)
        status = all_sections_check(server, ptemp);
    if (status == OK)
        status = settings_check(main_server, ptemp);
    if (status == OK)
        status = namespaces_check(main_server, ptemp);
    return status;
}
