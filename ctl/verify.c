/* verify, and what it has in common with salvage: things found wrong.
 * Knows findings and how to say them; looks for none itself. */
#include "condreqctl.h"

#include <stdio.h>
#include <sys/stat.h>

#include "apr_strings.h"

/* Keys may be made of anything. */
static void print_found(void *baton, const char *what, const char *sentence)
{
    const ctl_call_t *call = baton;
    const char *written = ctl_key_written(what, call->pool);

    if (call->json)
        printf("{\"found\": %s, \"sentence\": %s}\n",
               ctl_json_string(written, call->pool),
               ctl_json_string(sentence, call->pool));
    else
        printf("%s: %s\n", written, sentence);
}

static void print_note(void *baton, const char *sentence)
{
    const ctl_call_t *call = baton;

    if (call->json)
        printf("{\"note\": %s}\n", ctl_json_string(sentence, call->pool));
    else
        printf("%s\n", sentence);
}

void ctl_findings_begin(condreq_findings_t *findings, ctl_call_t *call)
{
    condreq_findings_t none = {call, print_found, print_note, 0, 0, 0};

    *findings = none;
}

ctl_exit_t ctl_findings_end(const condreq_findings_t *findings,
                            const ctl_call_t *call, const char *words)
{
    if (call->json)
        printf("{\"documents\": %" APR_UINT64_T_FMT
               ", \"bytes\": %" APR_UINT64_T_FMT
               ", \"wrong\": %" APR_UINT64_T_FMT "}\n",
               findings->documents, findings->bytes, findings->count);
    else
        printf("%" APR_UINT64_T_FMT " documents, %" APR_UINT64_T_FMT
               " bytes %s; %" APR_UINT64_T_FMT " things are wrong\n",
               findings->documents, findings->bytes, words, findings->count);
    return ctl_written(findings->count ? CTL_FOUND_WRONG : CTL_DONE);
}

/* ---- */

static int is_backup(const ctl_call_t *call)
{
    struct stat found;

    return stat(apr_pstrcat(call->pool, call->path, "/manifest", NULL),
                &found) == 0;
}

static ctl_exit_t verify_backup(ctl_call_t *call)
{
    condreq_trouble_t trouble = {""};
    condreq_findings_t findings;
    ctl_exit_t code = ctl_become_owner(call->path);
    apr_status_t status;

    if (code != CTL_DONE)
        return code;
    ctl_findings_begin(&findings, call);
    status = call->provider->care->verify_backup(call->path, &findings,
                                                 &trouble, call->pool);
    return status ? ctl_trouble(status, &trouble)
                  : ctl_findings_end(&findings, call, "were read");
}

ctl_exit_t ctl_verify(ctl_call_t *call)
{
    condreq_trouble_t trouble = {""};
    condreq_findings_t findings;
    condreq_store_t *store;
    apr_status_t status;
    ctl_exit_t code;

    if (is_backup(call))
        return verify_backup(call);
    if ((code = ctl_open(&store, call)) != CTL_DONE)
        return code;
    ctl_findings_begin(&findings, call);
    status =
        call->provider->care->verify(store, &findings, &trouble, call->pool);
    call->provider->care->leave(store);
    return status ? ctl_trouble(status, &trouble)
                  : ctl_findings_end(&findings, call, "were read");
}
