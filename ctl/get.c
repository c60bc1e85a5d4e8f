/* get: one document's bytes; with --json what is known of it, without them.
 * Knows lookups and reads of a body in pieces. */
#include "condreqctl.h"

#include <stdio.h>

#include "apr_strings.h"

/* What fits is read at once, before its first byte is written; a later version
 * that comes meanwhile then costs nothing. */
#define PIECE (1u << 20)

static ctl_exit_t print_record(const char *key, const condreq_record_t *record,
                               apr_pool_t *pool)
{
    int i;

    printf("{\"key\": %s, \"version\": %" APR_UINT64_T_FMT
           ", \"modified\": \"%s\", \"length\": %" APR_UINT64_T_FMT
           ", \"type\": %s, \"sha256\": \"",
           ctl_json_string(ctl_key_written(key, pool), pool), record->version,
           ctl_time(record->mtime_us, pool), record->body_length,
           ctl_json_string(record->media_type, pool));
    for (i = 0; i < CONDREQ_SHA256_SIZE; i++)
        printf("%02x", record->sha256[i]);
    printf("\"}\n");
    return ctl_written(CTL_DONE);
}

/* @param written  is set to how much of it is out */
static apr_status_t write_body(const ctl_call_t *call, condreq_store_t *store,
                               const char *key, const condreq_record_t *record,
                               apr_uint64_t *written,
                               condreq_trouble_t *trouble)
{
    char *bytes = apr_palloc(call->pool, PIECE);
    apr_status_t status = APR_SUCCESS;

    *written = 0;
    while (*written < record->body_length && !ferror(stdout)) {
        apr_uint64_t rest = record->body_length - *written;
        apr_size_t piece = rest < PIECE ? (apr_size_t)rest : PIECE;

        status = call->provider->body_read(store, key, record, *written, bytes,
                                           piece, trouble, call->pool);
        if (status != APR_SUCCESS)
            break;
        fwrite(bytes, 1, piece, stdout);
        *written += piece;
    }
    return status;
}

static ctl_exit_t get(const ctl_call_t *call, condreq_store_t *store,
                      const char *key)
{
    condreq_trouble_t trouble = {""};
    condreq_record_t record;
    apr_uint64_t written;
    apr_status_t status;

    do {
        status =
            call->provider->lookup(store, key, &record, &trouble, call->pool);
        if (status != APR_SUCCESS)
            return ctl_trouble(status, &trouble);
        if (record.state != CONDREQ_LIVE)
            return ctl_say(CTL_NOT_THERE, "no document is at %s",
                           call->arguments[0]);
        if (call->json)
            return print_record(key, &record, call->pool);
        status = write_body(call, store, key, &record, &written, &trouble);
    } while (status == APR_NOTFOUND && written == 0);
    if (status == APR_NOTFOUND)
        return ctl_say(CTL_BUSY,
                       "%s was replaced while it was read, after "
                       "%" APR_UINT64_T_FMT " bytes: try again",
                       call->arguments[0], written);
    return status ? ctl_trouble(status, &trouble) : ctl_written(CTL_DONE);
}

ctl_exit_t ctl_get(ctl_call_t *call)
{
    const char *key = ctl_key_read(call->arguments[0], call->pool);
    condreq_store_t *store;
    ctl_exit_t code;

    if (!key)
        return ctl_say(CTL_USAGE,
                       "'%s' is no key: write the host's name and the path as "
                       "in a URL",
                       call->arguments[0]);
    if ((code = ctl_open(&store, call)) != CTL_DONE)
        return code;
    code = get(call, store, key);
    call->provider->care->leave(store);
    return code;
}
