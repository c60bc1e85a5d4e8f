/* DELETE of a collection: all of its documents at once, or none.
 * Knows the order of RFC 9110 section 13.2.1 and what is asked of httpd before;
 * the removal itself is the write path's. */
#include "mod_condreq.h"

#include "apr_strings.h"

/* As often as a document that others write is judged anew. */
#define ROUNDS_AT_MOST 16

static int refuse_too_large(condreq_exchange_t *exchange)
{
    return condreq_refuse(
        exchange->r, HTTP_CONFLICT, "collection-too-large",
        "More is in this collection than is removed at once: remove some of "
        "it first. Nothing was changed.",
        apr_psprintf(exchange->r->pool, ", \"documents\": %d, \"bytes\": %u",
                     CONDREQ_COLLECTION_DOCUMENTS_MAX,
                     CONDREQ_COLLECTION_BYTES_MAX));
}

static int refuse_forbidden(condreq_exchange_t *exchange)
{
    return condreq_refuse(exchange->r, HTTP_FORBIDDEN, NULL,
                          "Something in this collection is not yours to "
                          "remove; nothing was changed.",
                          NULL);
}

/* What there is, as far as this client may remove it. */
static int find_allowed(condreq_exchange_t *exchange,
                        condreq_removal_t *removal)
{
    apr_pool_t *pool = exchange->r->pool;
    apr_array_header_t *keys;
    apr_status_t status;
    int i;

    removal->allowed = NULL;
    if (condreq_siblings_alike(exchange))
        return OK;
    status = condreq_collection_documents(&keys, &exchange->resource,
                                          &exchange->trouble, pool);
    if (status != APR_SUCCESS)
        return condreq_refuse_trouble(exchange, status, "looking into");
    if (keys->nelts > CONDREQ_COLLECTION_DOCUMENTS_MAX)
        return refuse_too_large(exchange);
    removal->allowed = apr_hash_make(pool);
    for (i = 0; i < keys->nelts; i++) {
        const char *key = APR_ARRAY_IDX(keys, i, const char *);
        const char *path =
            key + (exchange->resource.path - exchange->resource.key);

        if (!condreq_client_may(exchange, "DELETE",
                                condreq_path_uri(path, pool)))
            return refuse_forbidden(exchange);
        apr_hash_set(removal->allowed, key, APR_HASH_KEY_STRING, key);
    }
    return OK;
}

/* @return OK where it was removed, DECLINED where a document has come that
 * nobody was asked about */
static int remove_once(condreq_exchange_t *exchange, condreq_removal_t *removal)
{
    int refused = find_allowed(exchange, removal);
    apr_status_t status;

    if (refused != OK)
        return refused;
    status = condreq_collection_remove(removal, &exchange->trouble,
                                       exchange->r->pool);
    if (status != APR_SUCCESS)
        return condreq_refuse_trouble(exchange, status, "deleting");
    switch (removal->outcome) {
    case CONDREQ_REMOVED:
        return OK;
    case CONDREQ_REMOVAL_MISSING:
        return condreq_refuse_missing(exchange);
    case CONDREQ_REMOVAL_FAILED:
        return condreq_refuse_collection(exchange, NULL);
    case CONDREQ_REMOVAL_LOCKED:
        return condreq_refuse_locked(exchange, removal->lock,
                                     "lock-token-submitted");
    case CONDREQ_REMOVAL_TOO_LARGE:
        return refuse_too_large(exchange);
    default:
        return DECLINED;
    }
}

/* Whoever names a part of a collection does not mean all of it. */
static int check_query(condreq_exchange_t *exchange)
{
    const char *query = condreq_request(exchange->r)->query;

    if (!query || !*query)
        return OK;
    return condreq_refuse(exchange->r, HTTP_BAD_REQUEST, NULL,
                          "DELETE removes a whole collection and takes no "
                          "query; nothing was changed.",
                          NULL);
}

/* There is no content to be spared: only the transaction evaluates. */
static int check_before(condreq_exchange_t *exchange)
{
    condreq_write_t write = {.only = CONDREQ_PUT_UPDATE};
    condreq_collection_t collection;
    apr_status_t status = condreq_collection_lookup(
        &collection, &exchange->resource, exchange->now_us, &exchange->trouble,
        exchange->r->pool);
    int refused;

    if (status != APR_SUCCESS)
        return condreq_refuse_trouble(exchange, status, "looking into");
    if (!collection.exists)
        return condreq_refuse_missing(exchange);
    if ((refused = check_query(exchange)) != OK ||
        (refused = condreq_check_syntax(exchange)) != OK)
        return refused;
    return condreq_check_requirement(exchange, &write);
}

int condreq_collection_delete(condreq_exchange_t *exchange)
{
    request_rec *r = exchange->r;
    condreq_removal_t removal = {.resource = &exchange->resource,
                                 .preconditions = &exchange->preconditions,
                                 .claim = &exchange->claim};
    int status = check_before(exchange), rounds = 0;

    if (status != OK)
        return status;
    /* Each further round is another's successful write. */
    do {
        status = remove_once(exchange, &removal);
    } while (status == DECLINED && ++rounds < ROUNDS_AT_MOST);
    if (status == DECLINED)
        return condreq_refuse_contended(r);
    if (status != OK)
        return status;
    r->status = HTTP_NO_CONTENT;
    r->content_type = NULL;
    return condreq_send_bytes(r, NULL, 0, 1);
}
