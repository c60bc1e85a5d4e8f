/* locks: who holds which lock of a store, and an end to it.
 * Knows what is shown of a lock; what one is, and how it is broken, is the
 * library's. */
#include "condreqctl.h"

#include <stdio.h>

#include "condreq_json.h"
#include "condreq_lockdiscovery.h"
#include "condreq_locks.h"

#define AT_ONCE 100

static const char *scope(const condreq_lock_t *lock)
{
    return lock->scope == CONDREQ_LOCK_EXCLUSIVE ? "exclusive" : "shared";
}

static const char *depth(const condreq_lock_t *lock)
{
    return lock->infinite ? "infinity" : "0";
}

/* Names may be made of anything. */
static const char *text_or_dash(const char *text, apr_pool_t *pool)
{
    return text && *text ? ctl_key_written(text, pool) : "-";
}

static void print_line(const condreq_lock_t *lock, apr_pool_t *pool)
{
    printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
           ctl_key_written(lock->root, pool), lock->token, scope(lock),
           depth(lock), ctl_time(lock->taken_us, pool),
           ctl_time(lock->until_us, pool), text_or_dash(lock->user, pool),
           text_or_dash(condreq_lock_holder(lock, pool), pool));
}

static const char *quoted_or_null(const char *text, apr_pool_t *pool)
{
    return text ? condreq_json_quote(text, pool) : "null";
}

static void print_json(const condreq_lock_t *lock, apr_pool_t *pool)
{
    printf("{\"key\": %s, \"token\": \"%s\", \"scope\": \"%s\", \"depth\": "
           "\"%s\", \"since\": \"%s\", \"until\": \"%s\", \"user\": %s, "
           "\"owner\": %s}\n",
           ctl_json_string(ctl_key_written(lock->root, pool), pool),
           lock->token, scope(lock), depth(lock),
           ctl_time(lock->taken_us, pool), ctl_time(lock->until_us, pool),
           quoted_or_null(lock->user, pool),
           quoted_or_null(condreq_lock_holder(lock, pool), pool));
}

static void print(const ctl_call_t *call, const condreq_lock_t *lock,
                  apr_pool_t *pool)
{
    if (call->json)
        print_json(lock, pool);
    else
        print_line(lock, pool);
}

/* A batch is in a pool of its own, which the next one begins behind. */
static ctl_exit_t list(const ctl_call_t *call, condreq_store_t *store)
{
    const condreq_lock_t *last = NULL;
    condreq_trouble_t trouble = {""};
    apr_array_header_t *locks;
    apr_pool_t *before = NULL, *batch;
    apr_status_t status;
    int i;

    do {
        apr_pool_create(&batch, call->pool);
        status = condreq_locks_list(&locks, store, call->prefix, last, AT_ONCE,
                                    &trouble, batch);
        if (status != APR_SUCCESS)
            return ctl_trouble(status, &trouble);
        for (i = 0; i < locks->nelts; i++)
            print(call, last = APR_ARRAY_IDX(locks, i, const condreq_lock_t *),
                  batch);
        if (before)
            apr_pool_destroy(before);
        before = batch;
    } while (locks->nelts == AT_ONCE && !ferror(stdout));
    return ctl_written(CTL_DONE);
}

static ctl_exit_t break_one(const ctl_call_t *call, condreq_store_t *store)
{
    condreq_trouble_t trouble = {""};
    const condreq_lock_t *broken;
    apr_status_t status = condreq_lock_break(
        &broken, store, call->prefix, call->broken_token, &trouble, call->pool);

    if (status != APR_SUCCESS)
        return ctl_trouble(status, &trouble);
    if (!broken)
        return ctl_say(CTL_NOT_THERE, "there is no lock %s",
                       call->broken_token);
    print(call, broken, call->pool);
    return ctl_written(CTL_DONE);
}

ctl_exit_t ctl_locks(ctl_call_t *call)
{
    condreq_store_t *store;
    ctl_exit_t code = ctl_open(&store, call);

    if (code != CTL_DONE)
        return code;
    code = call->broken_token ? break_one(call, store) : list(call, store);
    call->provider->care->leave(store);
    return code;
}
