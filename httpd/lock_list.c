/* SetHandler condreq-locks: who holds which lock of the virtual host, and an
 * end to it.
 * Knows what is shown and asked; who may ask is for the Require lines of its
 * section, without which configtest lets none be. */
#include "mod_condreq.h"

#include "apr_escape.h"
#include "apr_strings.h"

#include "condreq_date.h"
#include "condreq_lockdiscovery.h"
#include "condreq_uuid.h"

/* Locks in one answer. */
#define PAGE 100
#define TOKEN_SCHEME "urn:uuid:"

/* ---- the request ---- */

/* The last segment of the path, if it is a UUID: a lock's token without its
 * scheme. */
static const char *id_in_path(request_rec *r)
{
    const char *segment = strrchr(condreq_request(r)->uri, '/');

    segment = segment ? segment + 1 : "";
    return strlen(segment) == CONDREQ_UUID_LENGTH &&
                   strspn(segment, "0123456789abcdef-") == CONDREQ_UUID_LENGTH
               ? segment
               : NULL;
}

static const char *token_of(request_rec *r, const char *id)
{
    return apr_pstrcat(r->pool, TOKEN_SCHEME, id, NULL);
}

static const char *id_of(const condreq_lock_t *lock)
{
    return lock->token + sizeof TOKEN_SCHEME - 1;
}

static const char *prefix_of(request_rec *r)
{
    return apr_pstrcat(r->pool, condreq_name_space(r), "/", NULL);
}

/* The value of a parameter of the query, unescaped; NULL where it has none. */
static const char *parameter(request_rec *r, const char *name)
{
    char *rest = apr_pstrdup(r->pool, r->args ? r->args : "");
    apr_size_t length = strlen(name);
    char *part;

    while ((part = strsep(&rest, "&")) != NULL) {
        if (!strncmp(part, name, length) && part[length] == '=')
            return apr_punescape_url(r->pool, part + length + 1, NULL, NULL, 1);
    }
    return NULL;
}

/* ---- a lock, said ---- */

static const char *quoted_or_null(const char *text, apr_pool_t *pool)
{
    return text ? condreq_json_quote(text, pool) : "null";
}

static const char *lock_json(const condreq_lock_t *lock, apr_pool_t *pool)
{
    char since[CONDREQ_DATE_RFC3339_SIZE], until[CONDREQ_DATE_RFC3339_SIZE];

    condreq_date_rfc3339(since, lock->taken_us);
    condreq_date_rfc3339(until, lock->until_us);
    return apr_psprintf(
        pool,
        "{\"id\":%s,\"root\":%s,\"scope\":\"%s\",\"depth\":\"%s\",\"user\":%s,"
        "\"owner\":%s,\"since\":\"%s\",\"until\":\"%s\"}",
        condreq_json_quote(id_of(lock), pool),
        condreq_json_quote(condreq_lock_root_uri(lock, pool), pool),
        lock->scope == CONDREQ_LOCK_EXCLUSIVE ? "exclusive" : "shared",
        lock->infinite ? "infinity" : "0", quoted_or_null(lock->user, pool),
        quoted_or_null(condreq_lock_holder(lock, pool), pool), since, until);
}

/* Where the next page begins, as a reference to be followed. */
static const char *next_json(const condreq_lock_t *last, apr_pool_t *pool)
{
    const char *path =
        apr_pescape_urlencoded(pool, condreq_key_path(last->root));

    return condreq_json_quote(
        apr_pstrcat(pool, "?behind=", path, "&id=", id_of(last), NULL), pool);
}

static const char *list_json(const apr_array_header_t *locks, apr_pool_t *pool)
{
    apr_array_header_t *parts =
        apr_array_make(pool, 2 * locks->nelts + 2, sizeof(const char *));
    int i;

    APR_ARRAY_PUSH(parts, const char *) = "{\"locks\":[";
    for (i = 0; i < locks->nelts && i < PAGE; i++) {
        if (i)
            APR_ARRAY_PUSH(parts, const char *) = ",\n";
        APR_ARRAY_PUSH(parts, const char *) =
            lock_json(APR_ARRAY_IDX(locks, i, const condreq_lock_t *), pool);
    }
    APR_ARRAY_PUSH(parts, const char *) = "]";
    if (locks->nelts > PAGE) {
        APR_ARRAY_PUSH(parts, const char *) = ",\"next\":";
        APR_ARRAY_PUSH(parts, const char *) = next_json(
            APR_ARRAY_IDX(locks, PAGE - 1, const condreq_lock_t *), pool);
    }
    APR_ARRAY_PUSH(parts, const char *) = "}\n";
    return apr_array_pstrcat(pool, parts, 0);
}

/* ---- methods ---- */

static int refuse_trouble(request_rec *r, condreq_exchange_t *exchange,
                          apr_status_t status, const char *doing)
{
    exchange->r = r;
    exchange->resource.key = prefix_of(r);
    return condreq_refuse_trouble(exchange, status, doing);
}

/* The lock that a page begins behind, as next_json() named it.
 * @return 1, or 0 where the query names none */
static int read_query(request_rec *r, const condreq_lock_t **behind)
{
    const char *path = parameter(r, "behind"), *id = parameter(r, "id");
    condreq_lock_t *lock = apr_pcalloc(r->pool, sizeof *lock);

    *behind = NULL;
    if (!r->args)
        return 1;
    if (!path || *path != '/' || strlen(path) > CONDREQ_PATH_MAX || !id ||
        strlen(id) != CONDREQ_UUID_LENGTH)
        return 0;
    lock->root = apr_pstrcat(r->pool, condreq_name_space(r), path, NULL);
    apr_cpystrn(lock->token, token_of(r, id), sizeof lock->token);
    *behind = lock;
    return 1;
}

static int send_list(request_rec *r, condreq_store_t *store)
{
    condreq_exchange_t exchange = {0};
    const condreq_lock_t *behind;
    apr_array_header_t *locks;
    const char *text;
    apr_status_t status;

    if (!read_query(r, &behind))
        return condreq_refuse(r, HTTP_BAD_REQUEST, NULL,
                              "Follow next as it was given, or ask without a "
                              "query.",
                              NULL);
    status = condreq_locks_list(&locks, store, prefix_of(r), behind, PAGE + 1,
                                &exchange.trouble, r->pool);
    if (status != APR_SUCCESS)
        return refuse_trouble(r, &exchange, status, "listing the locks of");
    text = list_json(locks, r->pool);
    ap_set_content_type(r, "application/json");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    ap_set_content_length(r, (apr_off_t)strlen(text));
    return condreq_send_bytes(r, text, r->header_only ? 0 : strlen(text), 1);
}

static int break_one(request_rec *r, condreq_store_t *store, const char *id)
{
    condreq_exchange_t exchange = {0};
    const condreq_lock_t *broken;
    apr_status_t status =
        condreq_lock_break(&broken, store, prefix_of(r), token_of(r, id),
                           &exchange.trouble, r->pool);

    if (status != APR_SUCCESS)
        return refuse_trouble(r, &exchange, status, "breaking a lock of");
    if (!broken)
        return condreq_refuse(r, HTTP_NOT_FOUND, NULL,
                              "There is no such lock, or no longer.", NULL);
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r,
                  CONDREQ_LOGNO(2003) "%s breaks the lock that %s took on %s",
                  r->user ? r->user : "somebody",
                  broken->user ? broken->user : "somebody", broken->root);
    r->status = HTTP_NO_CONTENT;
    r->content_type = NULL;
    return condreq_send_bytes(r, NULL, 0, 1);
}

static int refuse_method(request_rec *r, int has_id)
{
    const char *allowed = has_id ? "DELETE" : "GET, HEAD";

    apr_table_setn(r->err_headers_out, "Allow", allowed);
    if (has_id)
        ap_allow_methods(r, REPLACE_ALLOW, "DELETE", NULL);
    else
        ap_allow_methods(r, REPLACE_ALLOW, "GET", "HEAD", NULL);
    return condreq_refuse(
        r, HTTP_METHOD_NOT_ALLOWED, "method-not-allowed",
        has_id ? "This is a lock: DELETE breaks it."
               : "This lists locks: GET it.",
        apr_psprintf(r->pool, ", \"allow\": \"%s\"", allowed));
}

int condreq_locks_handler(request_rec *r)
{
    const condreq_server_conf_t *server =
        ap_get_module_config(r->server->module_config, &condreq_module);
    const char *id;

    if (strcmp(r->handler, CONDREQ_LOCKS_HANDLER))
        return DECLINED;
    condreq_content_abandon(r);
    if (!server->site || !server->site->store)
        return condreq_refuse_unavailable(r);
    id = id_in_path(r);
    if (r->method_number == M_GET && !id)
        return send_list(r, server->site->store);
    if (r->method_number == M_DELETE && id)
        return break_one(r, server->site->store, id);
    return refuse_method(r, id != NULL);
}
