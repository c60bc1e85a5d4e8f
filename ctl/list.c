/* list: the documents of a store, a line each, in memory that does not grow.
 * Knows the store's walk; no body. */
#include "condreqctl.h"

#include <stdio.h>

#include "apr_strings.h"

#define AT_ONCE 64

static void print_line(const condreq_walked_t *walked, apr_pool_t *pool)
{
    const condreq_record_t *record = &walked->record;

    printf("%s\t%" APR_UINT64_T_FMT "\t%s\t%" APR_UINT64_T_FMT "\t%s\n",
           ctl_key_written(walked->key, pool), record->version,
           ctl_time(record->mtime_us, pool), record->body_length,
           record->media_type);
}

static void print_json(const condreq_walked_t *walked, apr_pool_t *pool)
{
    const condreq_record_t *record = &walked->record;

    printf("{\"key\": %s, \"version\": %" APR_UINT64_T_FMT
           ", \"modified\": \"%s\", \"length\": %" APR_UINT64_T_FMT
           ", \"type\": %s}\n",
           ctl_json_string(ctl_key_written(walked->key, pool), pool),
           record->version, ctl_time(record->mtime_us, pool),
           record->body_length, ctl_json_string(record->media_type, pool));
}

/* @return how many could not be read */
static unsigned print_all(const ctl_call_t *call, const condreq_walked_t *found,
                          unsigned count, apr_pool_t *pool)
{
    unsigned i, unreadable = 0;

    for (i = 0; i < count; i++) {
        if (found[i].unreadable) {
            ctl_say(CTL_FOUND_WRONG, "the record of %s cannot be read",
                    ctl_key_written(found[i].key, pool));
            unreadable++;
        }
        else if (found[i].record.state == CONDREQ_LIVE && call->json)
            print_json(&found[i], pool);
        else if (found[i].record.state == CONDREQ_LIVE)
            print_line(&found[i], pool);
    }
    return unreadable;
}

static ctl_exit_t list(const ctl_call_t *call, condreq_store_t *store)
{
    condreq_walked_t *found = apr_palloc(call->pool, AT_ONCE * sizeof(*found));
    condreq_walk_t walk = {{0}, 0};
    condreq_trouble_t trouble = {""};
    apr_status_t status;
    unsigned count = 0, unreadable = 0;
    apr_pool_t *batch;

    apr_pool_create(&batch, call->pool);
    do {
        apr_pool_clear(batch);
        status = call->provider->walk(store, call->prefix, &walk, found,
                                      AT_ONCE, &count, &trouble, batch);
        if (status != APR_SUCCESS)
            return ctl_trouble(status, &trouble);
        unreadable += print_all(call, found, count, batch);
    } while (count > 0 && !ferror(stdout));
    return ctl_written(unreadable ? CTL_FOUND_WRONG : CTL_DONE);
}

ctl_exit_t ctl_list(ctl_call_t *call)
{
    condreq_store_t *store;
    ctl_exit_t code = ctl_open(&store, call);

    if (code != CTL_DONE)
        return code;
    code = list(call, store);
    call->provider->care->leave(store);
    return code;
}
