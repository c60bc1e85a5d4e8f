/* backup: a copy of a store of one moment, in a directory that is not there yet.
 * Knows where it goes and whose it is; the copying is the store's. */
#include "condreqctl.h"

#include <stdio.h>
#include <unistd.h>

static void print(const ctl_call_t *call, const char *directory,
                  const condreq_backup_t *made)
{
    const char *moment = ctl_time(made->moment, call->pool);

    if (call->json)
        printf("{\"backup\": %s, \"moment\": \"%s\", \"incarnation\": "
               "%" APR_UINT64_T_FMT
               ", \"files\": %u, \"bytes\": %" APR_UINT64_T_FMT "}\n",
               ctl_json_string(directory, call->pool), moment,
               made->incarnation, made->files, made->bytes);
    else
        printf("%s is the store of %s, %" APR_UINT64_T_FMT " bytes\n",
               directory, moment, made->bytes);
}

/* Made before this is another user, who may not be allowed to. */
ctl_exit_t ctl_backup(ctl_call_t *call)
{
    const condreq_store_care_t *care = call->provider->care;
    condreq_trouble_t trouble = {""};
    condreq_backup_t made;
    condreq_store_t *store;
    apr_status_t status;
    ctl_exit_t code = ctl_may_be_owner(call->path);

    if (code != CTL_DONE ||
        (code = ctl_make_directory(call->directory, call->path,
                                   call->tries > 1)) != CTL_DONE)
        return code;
    if ((code = ctl_open(&store, call)) != CTL_DONE) {
        rmdir(call->directory);
        return code;
    }
    status = care->backup(store, call->directory, &made, &trouble, call->pool);
    /* The store is left by the end of this process: a copy that is finished
     * must not be made again because leaving failed. */
    if (status != APR_SUCCESS)
        return ctl_trouble(status, &trouble);
    print(call, call->directory, &made);
    return ctl_written(CTL_DONE);
}
