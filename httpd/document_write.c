/* PUT and DELETE of a document, POST to a collection.
 * The order is RFC 9110 section 13.2.1's: what the answer would be without the
 * content and without preconditions; then the preconditions, as a preview, so
 * that a stale writer's content is not even read; then the content; and the
 * preconditions again, in the transaction, which alone decides. */
#include "mod_condreq.h"

#include "apr_strings.h"
#include "condreq_date.h"

/* A UUID; 64 bits in decimal are shorter. */
#define LONGEST_ID 36

/* ---- before the content ---- */

static int names_a_tag(const condreq_etag_list_t *list)
{
    return list->given && list->count > 0;
}

/* RFC 6585 section 3. "If-Match: *" holds for whatever is there, so it guards
 * against no lost update. */
static int requirement_is_met(const condreq_dir_conf_t *conf,
                              const condreq_preconditions_t *pre)
{
    if (conf->require == CONDREQ_REQUIRE_NONE || names_a_tag(&pre->if_match) ||
        pre->if_none_match.any)
        return 1;
    return conf->require == CONDREQ_REQUIRE_ANY && !pre->if_match.given &&
           pre->if_unmodified_since.given;
}

int condreq_check_requirement(condreq_exchange_t *exchange)
{
    const condreq_dir_conf_t *conf = exchange->conf;
    request_rec *r = exchange->r;

    if (!(conf->require_methods & AP_METHOD_BIT << r->method_number) ||
        requirement_is_met(conf, &exchange->preconditions))
        return OK;
    return condreq_refuse(
        r, HTTP_PRECONDITION_REQUIRED, NULL,
        conf->require == CONDREQ_REQUIRE_ANY
            ? "Send If-Match with the ETag that GET gave, If-Unmodified-Since "
              "with its Last-Modified, or If-None-Match: * to create."
            : "Send If-Match with the ETag that GET gave, or If-None-Match: * "
              "to create.",
        NULL);
}

int condreq_check_syntax(condreq_exchange_t *exchange)
{
    if (!condreq_preconditions_malformed(&exchange->preconditions))
        return OK;
    return condreq_refuse(exchange->r, HTTP_BAD_REQUEST, NULL,
                          "If-Match or If-None-Match is neither * nor a list "
                          "of entity-tags in quotes.",
                          NULL);
}

static int refuse_outcome(condreq_exchange_t *exchange,
                          const condreq_write_t *write)
{
    switch (write->outcome) {
    case CONDREQ_MISSING:
        return condreq_refuse_missing(exchange);
    case CONDREQ_PRECONDITION_FAILED:
        return condreq_refuse_precondition(exchange, &write->record);
    case CONDREQ_TOO_LARGE:
        return condreq_refuse(exchange->r, HTTP_REQUEST_ENTITY_TOO_LARGE, NULL,
                              "The merged document would be too large.", NULL);
    default:
        return OK;
    }
}

/* What the transaction will most likely say, before the content is read. Where
 * the document is missing that comes first; the requirement of a precondition
 * comes before the precondition. */
static int preview(condreq_exchange_t *exchange, condreq_write_t *write)
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
    if ((status = condreq_check_requirement(exchange)) != OK)
        return status;
    write->outcome = condreq_write_decide(write, &write->record, pool);
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

/* RFC 9110 section 9.3.4: without the representation a validator would be
 * taken for one of the bytes that the client sent. */
static int send_minimal(condreq_exchange_t *exchange,
                        const condreq_write_t *write)
{
    request_rec *r = exchange->r;
    condreq_representation_t room;

    if (is_stored_as_sent(write))
        condreq_send_validators(exchange, &write->record,
                                representation_of(exchange, write, &room));
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
    return condreq_send_bytes(r, write->stored, write->stored_length, 1);
}

static int answer_written(condreq_exchange_t *exchange,
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
    /* A merge shows members that the client need not have known. */
    if (write->merge && !condreq_client_may_get(exchange))
        return send_minimal(exchange, write);
    if (wanted == CONDREQ_RETURN_REPRESENTATION)
        send_preference(r, "return=representation");
    return send_representation(exchange, write);
}

/* ---- methods ---- */

static int read_and_check(condreq_exchange_t *exchange,
                          condreq_content_t *content, int is_json, int merge)
{
    int as_object =
        merge || !condreq_members_none(&exchange->conf->rules.members);
    int status = condreq_content_read(exchange, content);

    if (status == OK && is_json)
        status = condreq_content_check(exchange, content, as_object);
    return status;
}

static void write_init(condreq_exchange_t *exchange, condreq_write_t *write,
                       condreq_content_t *content, condreq_put_only_t only)
{
    memset(write, 0, sizeof *write);
    if (content)
        memset(content, 0, sizeof *content);
    write->resource = &exchange->resource;
    write->preconditions = &exchange->preconditions;
    write->content = content;
    write->only = only;
}

int condreq_document_put(condreq_exchange_t *exchange)
{
    const condreq_rules_t *rules = &exchange->conf->rules;
    condreq_content_t content;
    condreq_write_t write;
    apr_status_t status;
    int is_json, refused;

    write_init(exchange, &write, &content, rules->put_only);
    refused = condreq_content_announced(exchange, &content, &is_json);
    if (refused != OK)
        return refused;
    write.merge = is_json && rules->put_merge;
    if ((refused = preview(exchange, &write)) != OK)
        return refused;
    refused = read_and_check(exchange, &content, is_json, write.merge);
    if (refused != OK)
        return refused;
    status =
        condreq_document_write(&write, &exchange->trouble, exchange->r->pool);
    if (status != APR_SUCCESS)
        return condreq_refuse_trouble(exchange, status, "writing");
    if ((refused = refuse_outcome(exchange, &write)) != OK)
        return refused;
    return answer_written(exchange, &write);
}

int condreq_document_delete(condreq_exchange_t *exchange)
{
    request_rec *r = exchange->r;
    condreq_write_t write;
    apr_status_t status;
    int refused;

    write_init(exchange, &write, NULL, CONDREQ_PUT_UPDATE);
    if ((refused = preview(exchange, &write)) != OK)
        return refused;
    status = condreq_document_write(&write, &exchange->trouble, r->pool);
    if (status != APR_SUCCESS)
        return condreq_refuse_trouble(exchange, status, "deleting");
    if ((refused = refuse_outcome(exchange, &write)) != OK)
        return refused;
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
        refused = condreq_check_requirement(exchange);
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
    write_init(exchange, &write, &content, CONDREQ_PUT_ANY);
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
    return answer_written(exchange, &write);
}
