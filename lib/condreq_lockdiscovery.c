/* Locks as WebDAV shows them.
 * Knows XML and locks; no store, no request.
 * Rules: RFC 4918 sections 14.1 (activelock) and 15.8. */
#include "condreq_lockdiscovery.h"

#include <string.h>

#include "apr_escape.h"
#include "apr_strings.h"
#include "apr_tables.h"

#include "condreq_key.h"
#include "condreq_lockinfo.h"

const char *condreq_xml_text(const char *text, apr_pool_t *pool)
{
    return apr_pescape_entity(pool, text, 0);
}

const char *condreq_lock_root_uri(const condreq_lock_t *lock, apr_pool_t *pool)
{
    return condreq_path_uri(condreq_key_path(lock->root), pool);
}

const char *condreq_lock_holder(const condreq_lock_t *lock, apr_pool_t *pool)
{
    const char *text =
        lock->owner ? condreq_lockinfo_owner_text(lock->owner, pool) : "";

    return *text ? text : lock->user;
}

/* What is left of its time, rounded up: a client that comes back just before
 * is not told 0. */
static apr_int64_t seconds_left(const condreq_lock_t *lock, apr_time_t now_us)
{
    return (lock->until_us - now_us + APR_USEC_PER_SEC - 1) / APR_USEC_PER_SEC;
}

static int shows_token(const condreq_lock_t *lock, const char *taken,
                       const char *user)
{
    if (taken && !strcmp(lock->token, taken))
        return 1;
    return lock->user && user && !strcmp(lock->user, user);
}

static const char *activelock(const condreq_lock_t *lock, int with_token,
                              apr_time_t now_us, apr_pool_t *pool)
{
    const char *token =
        with_token ? apr_pstrcat(pool, "<D:locktoken><D:href>", lock->token,
                                 "</D:href></D:locktoken>", NULL)
                   : "";

    return apr_psprintf(
        pool,
        "<D:activelock><D:locktype><D:write/></D:locktype>"
        "<D:lockscope><D:%s/></D:lockscope><D:depth>%s</D:depth>%s"
        "<D:timeout>Second-%" APR_INT64_T_FMT "</D:timeout>%s"
        "<D:lockroot><D:href>%s</D:href></D:lockroot></D:activelock>",
        lock->scope == CONDREQ_LOCK_EXCLUSIVE ? "exclusive" : "shared",
        lock->infinite ? "infinity" : "0", lock->owner ? lock->owner : "",
        seconds_left(lock, now_us), token,
        condreq_xml_text(condreq_lock_root_uri(lock, pool), pool));
}

const char *condreq_lockdiscovery_xml(const condreq_lock_list_t *locks,
                                      const char *taken, const char *user,
                                      apr_time_t now_us, apr_pool_t *pool)
{
    apr_array_header_t *parts =
        apr_array_make(pool, (int)locks->count + 2, sizeof(const char *));
    apr_size_t i;

    APR_ARRAY_PUSH(parts, const char *) = "<D:lockdiscovery xmlns:D=\"DAV:\">";
    for (i = 0; i < locks->count; i++) {
        const condreq_lock_t *lock = locks->locks[i];

        if (condreq_lock_lives(lock, now_us))
            APR_ARRAY_PUSH(parts, const char *) =
                activelock(lock, shows_token(lock, taken, user), now_us, pool);
    }
    APR_ARRAY_PUSH(parts, const char *) = "</D:lockdiscovery>";
    return apr_array_pstrcat(pool, parts, 0);
}
