/* salvage: a new store of what is left of a damaged one.
 * Knows where it goes and whose it is; the rest is the store's. */
#include "condreqctl.h"

ctl_exit_t ctl_salvage(ctl_call_t *call)
{
    condreq_trouble_t trouble = {""};
    condreq_findings_t findings;
    apr_status_t status;
    ctl_exit_t code = ctl_may_be_owner(call->path);

    if (code != CTL_DONE ||
        (code = ctl_make_directory(call->directory, call->path, 0)) !=
            CTL_DONE ||
        (code = ctl_become_owner(call->path)) != CTL_DONE)
        return code;
    ctl_findings_begin(&findings, call);
    status = call->provider->care->salvage(call->path, call->directory,
                                           &findings, &trouble, call->pool);
    return status ? ctl_trouble(status, &trouble)
                  : ctl_findings_end(&findings, call, "were brought out");
}
