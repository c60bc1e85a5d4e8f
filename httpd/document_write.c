/* PUT and DELETE of a document, POST to a collection, and what every write has
 * in common.
 * The order is RFC 9110 section 13.2.1's: what the answer would be without the
 * content and without preconditions; then the preconditions, as a preview, so
 * that a stale writer's content is not even read; then the content; and the
 * preconditions again, in the transaction, which alone decides. */
#include "mod_condreq.h"

#include "apr_strings.h"

/* A UUID; 64 bits in decimal are shorter. */
#define LONGEST_ID 36

/* ---- before the content ---- */

int condreq_check_syntax(condreq_exchange_t *exchange)
{
    if (!condreq_preconditions_malformed(&exchange->preconditions))
        return condreq_check_if_syntax(exchange);
    return condreq_refuse(exchange->r, HTTP_BAD_REQUEST, NULL,
                          "If-Match or If-None-Match is neither * nor a list "
                          "of entity-tags in quotes.",
                          NULL);
}

static int refuse_outcome(condreq_exchange_t *exchange,
                          const condreq_write_t *write)
{
    request_rec *r = exchange->r;

    switch (write->outcome) {
    case CONDREQ_MISSING:
        return condreq_refuse_missing(exchange);
    case CONDREQ_PRECONDITION_FAILED:
        return condreq_refuse_precondition(exchange, &write->record);
    case CONDREQ_LOCKED:
        return condreq_refuse_locked(exchange, write->lock,
                                     "lock-token-submitted");
    case CONDREQ_TOO_LARGE:
        return condreq_refuse(r, HTTP_REQUEST_ENTITY_TOO_LARGE, NULL,
                              "The merged document would be too large.", NULL);
    case CONDREQ_NOT_JSON:
    case CONDREQ_PATCH_REFUSED:
        return condreq_refuse_patch(exchange, write);
    case CONDREQ_NOT_AN_OBJECT:
        return condreq_refuse_no_object(r);
    case CONDREQ_INVALID:
        return condreq_refuse_invalid(exchange);
    case CONDREQ_CONTENDED:
        return condreq_refuse_contended(r);
    default:
        return OK;
    }
}

/* What the transaction will most likely say, before the content is read. Where
 * the document is missing that comes first; the requirement of a precondition
 * comes before the precondition. */
int condreq_write_preview(condreq_exchange_t *exchange, condreq_write_t *write)
{
    condreq_store_t *store = exchange->resource.store;
    apr_pool_t *pool = exchange->r->pool;
    int status;
    apr_status_t looked =
        store->provider->lookup(store, exchange->resource.key, &write->record,
                                &exchange->trouble, pool);

    if (looked != APR_SUCCESS)
        return condreq_refuse_trouble(exchange, looked, "looking up");
    if (write->only == CONDREQ_PUT_UPDATE &&
        write->record.state != CONDREQ_LIVE)
        return condreq_refuse_missing(exchange);
    if ((status = condreq_check_syntax(exchange)) != OK)
        return status;
    if ((status = condreq_check_requirement(exchange, write)) != OK)
        return status;
    looked = condreq_document_preview(write, &exchange->trouble, pool);
    if (looked != APR_SUCCESS)
        return condreq_refuse_trouble(exchange, looked, "looking up");
    return refuse_outcome(exchange, write);
}

/* ---- answers ---- */

static const char *document_uri(const condreq_exchange_t *exchange)
{
    return condreq_path_uri(exchange->resource.path, exchange->r->pool);
}

static void send_preference(request_rec *r, const char *applied)
{
    apr_table_setn(r->headers_out, "Preference-Applied", applied);
}

static int is_stored_as_sent(const condreq_write_t *write)
{
    return write->stored == write->content->bytes;
}

static const condreq_representation_t *
representation_of(condreq_exchange_t *exchange, const condreq_write_t *write,
                  condreq_representation_t *room)
{
    return condreq_document_representation(room, &exchange->resource,
                                           &write->record, exchange->now_us,
                                           exchange->r->pool);
}

/* RFC 9110 section 9.3.4: without the representation a validator of PUT would
 * be taken for one of the bytes that the client sent. Nobody takes a patch for
 * the document: there the client may go on with the new tag, as in the example
 * of RFC 5789 section 2.1. */
static int send_minimal(condreq_exchange_t *exchange,
                        const condreq_write_t *write)
{
    request_rec *r = exchange->r;
    condreq_representation_t room;

    if (is_stored_as_sent(write) || write->patches)
        condreq_send_validators(exchange, &write->record,
                                representation_of(exchange, write, &room));
    if (write->patches)
        apr_table_setn(r->headers_out, "Content-Location",
                       document_uri(exchange));
    r->content_type = NULL;
    if (r->status == HTTP_OK)
        r->status = HTTP_NO_CONTENT;
    else
        ap_set_content_length(r, 0);
    return condreq_send_bytes(r, NULL, 0, 1);
}

static int send_representation(condreq_exchange_t *exchange,
                               const condreq_write_t *write)
{
    request_rec *r = exchange->r;
    condreq_representation_t room;

    condreq_send_validators(exchange, &write->record,
                            representation_of(exchange, write, &room));
    apr_table_setn(r->headers_out, "Content-Location", document_uri(exchange));
    ap_set_content_length(r, (apr_off_t)write->stored_length);
    /* The bytes are here, so this cannot fail. */
    condreq_send_digests(exchange, &write->record, write->stored);
    return condreq_send_bytes(r, write->stored, write->stored_length, 1);
}

int condreq_write_answer(condreq_exchange_t *exchange,
                         const condreq_write_t *write)
{
    request_rec *r = exchange->r;
    condreq_return_t wanted =
        condreq_prefer_return(apr_table_get(r->headers_in, "Prefer"));

    /* Ranges are for GET (section 14.2). */
    apr_table_unset(r->headers_in, "Range");
    apr_table_unset(r->headers_in, "If-Range");
    r->status = write->outcome == CONDREQ_CREATED ? HTTP_CREATED : HTTP_OK;
    if (r->status == HTTP_CREATED)
        apr_table_setn(r->headers_out, "Location", document_uri(exchange));
    if (wanted == CONDREQ_RETURN_MINIMAL) {
        send_preference(r, "return=minimal");
        return send_minimal(exchange, write);
    }
    /* A patch shows members that the client need not have known. */
    if (write->kind != CONDREQ_CONTENT_DOCUMENT &&
        !condreq_client_may_get(exchange))
        return send_minimal(exchange, write);
    if (wanted == CONDREQ_RETURN_REPRESENTATION)
        send_preference(r, "return=representation");
    return send_representation(exchange, write);
}

/* ---- methods ---- */

void condreq_write_init(condreq_exchange_t *exchange, condreq_write_t *write,
                        condreq_content_t *content, condreq_put_only_t only)
{
    memset(write, 0, sizeof *write);
    if (content)
        memset(content, 0, sizeof *content);
    write->resource = &exchange->resource;
    write->preconditions = &exchange->preconditions;
    write->claim = &exchange->claim;
    write->content = content;
    write->only = only;
    if (content)
        condreq_write_validated(exchange, write);
}

int condreq_write_perform(condreq_exchange_t *exchange, condreq_write_t *write,
                          const char *doing)
{
    apr_status_t status =
        condreq_document_write(write, &exchange->trouble, exchange->r->pool);

    if (status != APR_SUCCESS)
        return condreq_refuse_trouble(exchange, status, doing);
    return refuse_outcome(exchange, write);
}

static int read_and_check(condreq_exchange_t *exchange,
                          condreq_content_t *content, int is_json, int merge)
{
    const condreq_rules_t *rules = &exchange->conf->rules;
    int as_object = merge || !condreq_members_none(&rules->members);
    int status = condreq_content_read(exchange, content);

    if (status == OK && is_json)
        status =
            condreq_content_check(exchange, content, &rules->json, as_object);
    return status;
}

int condreq_document_put(condreq_exchange_t *exchange)
{
    const condreq_rules_t *rules = &exchange->conf->rules;
    condreq_content_t content;
    condreq_write_t write;
    int merge, is_json, status;

    condreq_write_init(exchange, &write, &content, rules->put_only);
    status = condreq_content_announced(exchange, &content, &is_json);
    if (status != OK)
        return status;
    merge = is_json && rules->put_merge;
    if (merge)
        write.kind = CONDREQ_CONTENT_MERGE_PATCH;
    status = condreq_write_preview(exchange, &write);
    if (status == OK)
        status = read_and_check(exchange, &content, is_json, merge);
    if (status == OK)
        status = condreq_write_perform(exchange, &write, "writing");
    return status == OK ? condreq_write_answer(exchange, &write) : status;
}

int condreq_document_delete(condreq_exchange_t *exchange)
{
    request_rec *r = exchange->r;
    condreq_write_t write;
    int status;

    condreq_write_init(exchange, &write, NULL, CONDREQ_PUT_UPDATE);
    status = condreq_write_preview(exchange, &write);
    if (status == OK)
        status = condreq_write_perform(exchange, &write, "deleting");
    if (status != OK)
        return status;
    r->status = HTTP_NO_CONTENT;
    r->content_type = NULL;
    return condreq_send_bytes(r, NULL, 0, 1);
}

static int refuse_creation(condreq_exchange_t *exchange,
                           const condreq_write_t *write)
{
    if (write->outcome == CONDREQ_PRECONDITION_FAILED)
        return condreq_refuse_collection(exchange, NULL);
    return refuse_outcome(exchange, write);
}

/* Most POSTs ask nothing of their collection, and then there is nothing to
 * preview. */
static int preview_collection(condreq_exchange_t *exchange,
                              condreq_write_t *write)
{
    apr_status_t status;
    int refused = condreq_check_syntax(exchange);

    if (refused == OK)
        refused = condreq_check_requirement(exchange, write);
    if (refused != OK)
        return refused;
    status =
        condreq_collection_decide(write, &exchange->trouble, exchange->r->pool);
    if (status != APR_SUCCESS)
        return condreq_refuse_trouble(exchange, status, "looking into");
    return refuse_creation(exchange, write);
}

int condreq_collection_post(condreq_exchange_t *exchange)
{
    request_rec *r = exchange->r;
    condreq_resource_t *created;
    condreq_content_t content;
    condreq_write_t write;
    apr_status_t status;
    int is_json, refused;

    if (strlen(exchange->resource.path) + LONGEST_ID > CONDREQ_PATH_MAX)
        return condreq_refuse(r, HTTP_REQUEST_URI_TOO_LARGE, NULL,
                              "The path of a document in this collection "
                              "would be over 1024 bytes.",
                              NULL);
    condreq_write_init(exchange, &write, &content, CONDREQ_PUT_ANY);
    refused = condreq_content_announced(exchange, &content, &is_json);
    if (refused == OK)
        refused = preview_collection(exchange, &write);
    if (refused == OK)
        refused = read_and_check(exchange, &content, is_json, 0);
    if (refused != OK)
        return refused;
    status = condreq_document_create(&created, &write, exchange->conf->ids,
                                     &exchange->trouble, r->pool);
    if (status != APR_SUCCESS)
        return condreq_refuse_trouble(exchange, status, "creating in");
    if ((refused = refuse_creation(exchange, &write)) != OK)
        return refused;
    exchange->resource = *created;
    return condreq_write_answer(exchange, &write);
}
