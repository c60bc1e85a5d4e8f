/* An example of the hook condreq_validate (condreq_hooks.h): a text that no
 * document may have. The tests use it, and it is there to be copied:
 * "apxs -i -a -c mod_example_validate.c" installs it.
 * Knows bytes that it is given; links to nothing of mod_condreq. */
#include "httpd.h"
#include "http_config.h"
#include "http_protocol.h"

#include "apr_strings.h"

#include "condreq_hooks.h"

module AP_MODULE_DECLARE_DATA example_validate_module;

/* What ExampleForbidden says; NULL: nothing. */
typedef struct example_conf_t {
    const char *forbidden;
    /* of the refusal */
    int status;
    const char *members;
    /* how long it takes to find out: a module may ask another server */
    apr_interval_time_t takes_us;
} example_conf_t;

static void *create_conf(apr_pool_t *pool, char *path)
{
    (void)path;
    return apr_pcalloc(pool, sizeof(example_conf_t));
}

static const char *set_forbidden(cmd_parms *cmd, void *conf_ptr, int argc,
                                 char *const argv[])
{
    example_conf_t *conf = conf_ptr;

    (void)cmd;
    if (!argc)
        return "ExampleForbidden: write a text, and perhaps a status, members "
               "and milliseconds";
    conf->forbidden = argv[0];
    conf->status = argc > 1 ? atoi(argv[1]) : HTTP_UNPROCESSABLE_ENTITY;
    conf->members = argc > 2 && *argv[2] ? argv[2] : NULL;
    conf->takes_us = argc > 3 ? apr_time_from_msec(atoi(argv[3])) : 0;
    return NULL;
}

/* The document's bytes have no NUL behind them. */
static const char *find(const condreq_proposal_t *proposal, const char *text)
{
    apr_size_t length = strlen(text), i;

    for (i = 0; i + length <= proposal->length; i++) {
        if (!memcmp(proposal->bytes + i, text, length))
            return proposal->bytes + i;
    }
    return NULL;
}

static int example_validate(request_rec *r, const condreq_proposal_t *proposal,
                            condreq_objection_t *objection)
{
    const example_conf_t *conf =
        ap_get_module_config(r->per_dir_config, &example_validate_module);

    if (!conf->forbidden)
        return DECLINED;
    if (conf->takes_us)
        apr_sleep(conf->takes_us);
    if (!find(proposal, conf->forbidden))
        return OK;
    objection->type = "https://example.com/problems/forbidden-word";
    objection->title = "A word that is not wanted here";
    objection->detail = apr_psprintf(
        r->pool, "%s would %s version %" APR_UINT64_T_FMT " with \"%s\" in it.",
        proposal->uri, proposal->creates ? "begin at" : "go on to",
        proposal->version, conf->forbidden);
    objection->members = conf->members;
    return conf->status;
}

static const command_rec commands[] = {
    AP_INIT_TAKE_ARGV("ExampleForbidden", set_forbidden, NULL, ACCESS_CONF,
                      "text [status [members [milliseconds]]]"),
    {NULL}};

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    APR_OPTIONAL_HOOK(condreq, condreq_validate, example_validate, NULL, NULL,
                      APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA example_validate_module = {
    STANDARD20_MODULE_STUFF, create_conf, NULL, NULL, NULL, commands,
    register_hooks,
};
