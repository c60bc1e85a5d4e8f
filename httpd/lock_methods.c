/* LOCK and UNLOCK.
 * Knows their fields and bodies, RFC 4918 sections 9.10, 9.11 and 10; what may
 * be locked is decided in the core. */
#include "mod_condreq.h"

#include "apr_strings.h"

#include "condreq_lockdiscovery.h"
#include "condreq_lockinfo.h"
#include "condreq_timeout.h"

static int refuse_field(request_rec *r, const char *detail)
{
    return condreq_refuse(r, HTTP_BAD_REQUEST, NULL, detail, NULL);
}

static void locking_init(condreq_exchange_t *exchange,
                         condreq_locking_t *locking)
{
    condreq_lock_rules_t rules = condreq_lock_rules(exchange->conf);

    memset(locking, 0, sizeof *locking);
    locking->resource = &exchange->resource;
    locking->preconditions = &exchange->preconditions;
    locking->claim = &exchange->claim;
    locking->quota = rules.quota;
    locking->timeout_s =
        condreq_timeout_s(apr_table_get(exchange->r->headers_in, "Timeout"),
                          rules.default_s, rules.max_s);
}

/* ---- what came of it ---- */

/* A lock below the collection that was to be locked; not one that covers it. */
static int is_below(const condreq_exchange_t *exchange,
                    const condreq_lock_t *lock)
{
    return !condreq_lock_covers(lock, exchange->resource.key);
}

static int refuse_conflict(condreq_exchange_t *exchange,
                           const condreq_lock_t *lock)
{
    if (is_below(exchange, lock) && !condreq_prefers_json(exchange->r))
        return condreq_send_lock_conflict(exchange, lock);
    return condreq_refuse_locked(exchange, lock, "no-conflicting-lock");
}

static int refuse_foreign(condreq_exchange_t *exchange,
                          const condreq_locking_t *locking)
{
    return condreq_refuse(exchange->r, HTTP_FORBIDDEN, NULL,
                          locking->found
                              ? "The lock is another user's."
                              : "The user's name is too long to hold a lock.",
                          NULL);
}

/* What was refused, as an answer. The order is the enumeration's. */
static int refuse(condreq_exchange_t *exchange,
                  const condreq_locking_t *locking, int no_match)
{
    switch (locking->outcome) {
    case CONDREQ_LOCKING_MISSING:
        return condreq_refuse_missing(exchange);
    case CONDREQ_LOCKING_PRECONDITION_FAILED:
        return condreq_refuse_precondition(exchange, &locking->record);
    case CONDREQ_LOCKING_LOCKED:
        return condreq_refuse_locked(exchange, locking->found,
                                     "lock-token-submitted");
    case CONDREQ_LOCKING_CONFLICT:
        return refuse_conflict(exchange, locking->found);
    case CONDREQ_LOCKING_USER_FULL:
        return condreq_refuse(exchange->r, HTTP_INSUFFICIENT_STORAGE, NULL,
                              "This user has as many locks as one may have "
                              "here: release one.",
                              NULL);
    case CONDREQ_LOCKING_HOST_FULL:
        return condreq_refuse(exchange->r, HTTP_INSUFFICIENT_STORAGE, NULL,
                              "There are as many locks as there may be here.",
                              NULL);
    case CONDREQ_LOCKING_NO_MATCH:
        return condreq_refuse_token(exchange, no_match);
    default:
        return refuse_foreign(exchange, locking);
    }
}

static int is_done(const condreq_locking_t *locking)
{
    return locking->outcome == CONDREQ_LOCKING_DONE ||
           locking->outcome == CONDREQ_LOCKING_CREATED;
}

static const char *property(condreq_exchange_t *exchange,
                            const condreq_locking_t *locking)
{
    apr_pool_t *pool = exchange->r->pool;

    return apr_pstrcat(
        pool, "<D:prop xmlns:D=\"DAV:\">",
        condreq_lockdiscovery_xml(&locking->covering, locking->lock.token,
                                  exchange->claim.user, apr_time_now(), pool),
        "</D:prop>", NULL);
}

/* RFC 9110 section 15.3.2: a 201 says what was made, and its validators. */
static void send_created(condreq_exchange_t *exchange,
                         const condreq_locking_t *locking)
{
    request_rec *r = exchange->r;
    condreq_representation_t room;

    condreq_send_validators(exchange, &locking->record,
                            condreq_document_representation(
                                &room, &exchange->resource, &locking->record,
                                exchange->now_us, r->pool));
    apr_table_setn(r->headers_out, "Location",
                   condreq_path_uri(exchange->resource.path, r->pool));
    r->status = HTTP_CREATED;
}

/* ---- LOCK ---- */

static int read_depth(request_rec *r, int *infinite)
{
    const char *depth = apr_table_get(r->headers_in, "Depth");

    *infinite = !depth || !strcasecmp(depth, "infinity");
    return *infinite || !strcmp(depth, "0")
               ? OK
               : refuse_field(r, "Depth of LOCK is 0 or infinity.");
}

static int check_type(request_rec *r)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");
    apr_size_t length = type ? strcspn(type, "; \t") : 0;

    if (!type ||
        (length == 15 && !strncasecmp(type, "application/xml", length)) ||
        (length == 8 && !strncasecmp(type, "text/xml", length)))
        return OK;
    apr_table_setn(r->err_headers_out, "Accept", "application/xml, text/xml");
    return condreq_refuse(r, HTTP_UNSUPPORTED_MEDIA_TYPE, NULL,
                          "The content of LOCK is application/xml.", NULL);
}

static int read_lockinfo(request_rec *r, condreq_lockinfo_t *lockinfo,
                         const char *bytes, apr_size_t length)
{
    switch (condreq_lockinfo_parse(lockinfo, bytes, length, r->pool)) {
    case CONDREQ_LOCKINFO_GOOD:
        return OK;
    case CONDREQ_LOCKINFO_NO_XML:
        return refuse_field(r, "The content is no well-formed XML without a "
                               "document type.");
    case CONDREQ_LOCKINFO_UNKNOWN:
        return condreq_refuse(r, HTTP_UNPROCESSABLE_ENTITY, NULL,
                              "The content is no lockinfo that asks for an "
                              "exclusive or a shared write lock.",
                              NULL);
    default:
        return condreq_refuse(r, HTTP_REQUEST_ENTITY_TOO_LARGE, NULL,
                              "An owner may have 2048 bytes.", NULL);
    }
}

static int take(condreq_exchange_t *exchange, const char *bytes,
                apr_size_t length)
{
    request_rec *r = exchange->r;
    condreq_lockinfo_t lockinfo;
    condreq_locking_t locking;
    apr_status_t status;
    int refused;

    locking_init(exchange, &locking);
    if ((refused = check_type(r)) != OK ||
        (refused = read_depth(r, &locking.lock.infinite)) != OK ||
        (refused = read_lockinfo(r, &lockinfo, bytes, length)) != OK)
        return refused;
    locking.lock.scope = lockinfo.scope;
    locking.lock.owner = lockinfo.owner;
    status = condreq_lock_take(&locking, &exchange->trouble, r->pool);
    if (status != APR_SUCCESS)
        return condreq_refuse_trouble(exchange, status, "locking");
    if (!is_done(&locking))
        return refuse(exchange, &locking, HTTP_CONFLICT);
    if (locking.outcome == CONDREQ_LOCKING_CREATED)
        send_created(exchange, &locking);
    apr_table_setn(r->headers_out, "Lock-Token",
                   apr_pstrcat(r->pool, "<", locking.lock.token, ">", NULL));
    return condreq_send_xml(r, property(exchange, &locking));
}

/* Section 9.10.2. */
static int refresh(condreq_exchange_t *exchange)
{
    request_rec *r = exchange->r;
    condreq_locking_t locking;
    apr_status_t status;

    locking_init(exchange, &locking);
    locking.token = condreq_if_single_token(&exchange->claim.if_field, r->pool);
    if (!locking.token)
        return refuse_field(r, "LOCK without content refreshes a lock: name "
                               "its one token in If. To take a lock, send a "
                               "lockinfo.");
    status = condreq_lock_refresh(&locking, &exchange->trouble, r->pool);
    if (status != APR_SUCCESS)
        return condreq_refuse_trouble(exchange, status, "refreshing");
    if (!is_done(&locking))
        return refuse(exchange, &locking, HTTP_PRECONDITION_FAILED);
    return condreq_send_xml(r, property(exchange, &locking));
}

static apr_size_t most_of_body(request_rec *r)
{
    apr_size_t limit = ap_get_limit_xml_body(r);

    return limit && limit < CONDREQ_LOCKINFO_MAX ? limit : CONDREQ_LOCKINFO_MAX;
}

int condreq_lock(condreq_exchange_t *exchange)
{
    request_rec *r = exchange->r;
    const char *bytes;
    apr_size_t length;
    int refused;

    if (!exchange->conf->locks.on)
        return condreq_refuse_method(exchange);
    if ((refused = condreq_check_syntax(exchange)) != OK ||
        (refused = condreq_body_read(r, most_of_body(r), "A lockinfo", &bytes,
                                     &length)) != OK)
        return refused;
    return length ? take(exchange, bytes, length) : refresh(exchange);
}

/* ---- UNLOCK ---- */

int condreq_unlock(condreq_exchange_t *exchange)
{
    request_rec *r = exchange->r;
    const char *value = apr_table_get(r->headers_in, "Lock-Token");
    condreq_locking_t locking;
    apr_status_t status;
    int refused;

    if (!exchange->conf->locks.on)
        return condreq_refuse_method(exchange);
    if ((refused = condreq_check_syntax(exchange)) != OK)
        return refused;
    locking_init(exchange, &locking);
    locking.token = value ? condreq_coded_url(value, r->pool) : NULL;
    if (!locking.token)
        return refuse_field(r, "Name the lock: Lock-Token: <token>.");
    status = condreq_lock_release(&locking, &exchange->trouble, r->pool);
    if (status != APR_SUCCESS)
        return condreq_refuse_trouble(exchange, status, "unlocking");
    if (!is_done(&locking))
        return refuse(exchange, &locking, HTTP_CONFLICT);
    r->status = HTTP_NO_CONTENT;
    r->content_type = NULL;
    return condreq_send_bytes(r, NULL, 0, 1);
}
