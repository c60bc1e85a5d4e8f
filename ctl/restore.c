/* restore: a backup in the place of a store that nobody uses.
 * Knows whose the store is going to be; the rest is the store's. */
#include "condreqctl.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static void print(const ctl_call_t *call, const condreq_backup_t *restored,
                  const char *kept)
{
    const char *moment = ctl_time(restored->moment, call->pool);

    if (call->json) {
        printf("{\"store\": %s, \"moment\": \"%s\", \"incarnation\": "
               "%" APR_UINT64_T_FMT ", \"kept\": ",
               ctl_json_string(call->path, call->pool), moment,
               restored->incarnation);
        printf("%s}\n", kept ? ctl_json_string(kept, call->pool) : "null");
        return;
    }
    printf("%s is as it was at %s; its incarnation is %" APR_UINT64_T_FMT "\n",
           call->path, moment, restored->incarnation);
    if (kept)
        printf("what was there before is in %s\n", kept);
}

static int is_there(const char *directory)
{
    struct stat found;

    return stat(directory, &found) == 0;
}

/* A store that is not there yet belongs to the backup's owner. */
static ctl_exit_t become_owner(const ctl_call_t *call, const char *directory)
{
    ctl_exit_t code = CTL_DONE;

    if (!is_there(directory))
        return ctl_say(CTL_NOT_THERE, "there is no %s", directory);
    if (!is_there(call->path))
        code = ctl_make_directory(call->path, directory, 0);
    return code ? code : ctl_become_owner(call->path);
}

ctl_exit_t ctl_restore(ctl_call_t *call)
{
    condreq_trouble_t trouble = {""};
    condreq_backup_t restored = {0, 0, 0, 0};
    apr_status_t status;
    const char *kept;
    ctl_exit_t code = become_owner(call, call->directory);

    if (code != CTL_DONE)
        return code;
    status = call->provider->care->restore(
        call->path, call->directory, &restored, &kept, &trouble, call->pool);
    if (status != APR_SUCCESS)
        return ctl_trouble(status, &trouble);
    print(call, &restored, kept);
    return ctl_written(CTL_DONE);
}
