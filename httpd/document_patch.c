/* PATCH of a document: RFC 5789, with the patches of RFC 7396 and RFC 6902.
 * Knows the two media types and how a patch that fails is answered; what a
 * patch does is the library's, the order of things is document_write.c's. */
#include "mod_condreq.h"

#include "apr_strings.h"
#include "condreq_media_type.h"

/* A JSON Patch is an array of objects around the values that go into the
 * document. */
#define DEPTH_AROUND_VALUES 2

/* ---- what is announced ---- */

void condreq_send_accept_patch(apr_table_t *fields)
{
    apr_table_setn(fields, "Accept-Patch",
                   CONDREQ_MERGE_PATCH_TYPE ", " CONDREQ_JSON_PATCH_TYPE);
}

/* RFC 5789 section 2.2. */
static int refuse_type(request_rec *r, const char *detail)
{
    condreq_send_accept_patch(r->err_headers_out);
    return condreq_refuse(r, HTTP_UNSUPPORTED_MEDIA_TYPE, NULL, detail, NULL);
}

static int check_type(condreq_exchange_t *exchange, condreq_content_t *content,
                      condreq_write_t *write)
{
    request_rec *r = exchange->r;
    const char *type = apr_table_get(r->headers_in, "Content-Type");

    if (type && condreq_media_type_is(type, CONDREQ_MERGE_PATCH_TYPE))
        write->kind = CONDREQ_CONTENT_MERGE_PATCH;
    else if (type && condreq_media_type_is(type, CONDREQ_JSON_PATCH_TYPE))
        write->kind = CONDREQ_CONTENT_JSON_PATCH;
    else
        return refuse_type(r, "Say which kind of patch is sent: Content-Type: "
                              "application/merge-patch+json, or "
                              "application/json-patch+json.");
    if (!condreq_content_is_utf8(type))
        return refuse_type(r, "JSON is UTF-8.");
    content->media_type = type;
    return OK;
}

/* ---- what was refused ---- */

/* The members that say which operation it was, and which pointer in it. */
static const char *operation_members(const condreq_patch_fault_t *fault,
                                     apr_pool_t *pool)
{
    const char *pointer = "";

    if (fault->operation == CONDREQ_PATCH_NO_OPERATION)
        return NULL;
    if (fault->pointer)
        pointer = apr_pstrcat(
            pool, ", \"pointer\": ",
            apr_pstrmemdup(pool, fault->pointer, fault->pointer_length), NULL);
    return apr_psprintf(pool, ", \"operation\": %" APR_SIZE_T_FMT "%s",
                        fault->operation, pointer);
}

static const char *operation_detail(const condreq_patch_fault_t *fault,
                                    apr_pool_t *pool)
{
    if (fault->operation == CONDREQ_PATCH_NO_OPERATION)
        return apr_psprintf(pool, "The patch is refused: %s.", fault->reason);
    return apr_psprintf(pool, "Operation %" APR_SIZE_T_FMT ", from 0: %s.",
                        fault->operation, fault->reason);
}

int condreq_refuse_patch(condreq_exchange_t *exchange,
                         const condreq_write_t *write)
{
    request_rec *r = exchange->r;
    const condreq_patch_fault_t *fault = &write->patch_fault;
    const char *detail, *members;

    if (write->outcome == CONDREQ_NOT_JSON)
        return refuse_type(r, "What is there is no JSON, and cannot be "
                              "patched.");
    detail = operation_detail(fault, r->pool);
    members = operation_members(fault, r->pool);
    switch (write->patch_verdict) {
    case CONDREQ_PATCH_MALFORMED:
        return condreq_refuse(r, HTTP_BAD_REQUEST, "malformed-patch", detail,
                              members);
    case CONDREQ_PATCH_TOO_LARGE:
        return condreq_refuse(r, HTTP_REQUEST_ENTITY_TOO_LARGE,
                              "patch-too-large", detail, members);
    default:
        return condreq_refuse(r, HTTP_UNPROCESSABLE_ENTITY, "patch-failed",
                              detail, members);
    }
}

/* ---- the method ---- */

static int read_and_check(condreq_exchange_t *exchange,
                          condreq_content_t *content,
                          const condreq_write_t *write)
{
    condreq_json_limits_t limits = exchange->conf->rules.json;
    int merges = write->kind == CONDREQ_CONTENT_MERGE_PATCH;
    int as_object =
        merges && !condreq_members_none(&exchange->conf->rules.members);
    int status = condreq_content_read(exchange, content);

    if (!merges)
        limits.max_depth += DEPTH_AROUND_VALUES;
    if (status == OK)
        status = condreq_content_check(exchange, content, &limits, as_object);
    return status;
}

/* A merge patch says what is to be there, so it may create where that is
 * configured; operations are about something. */
static condreq_put_only_t patched_only(const condreq_exchange_t *exchange,
                                       const condreq_write_t *write)
{
    return write->kind == CONDREQ_CONTENT_MERGE_PATCH &&
                   exchange->conf->patch_creates
               ? CONDREQ_PUT_ANY
               : CONDREQ_PUT_UPDATE;
}

int condreq_document_patch(condreq_exchange_t *exchange)
{
    condreq_content_t content;
    condreq_write_t write;
    int status;

    condreq_write_init(exchange, &write, &content, CONDREQ_PUT_UPDATE);
    write.patches = 1;
    status = condreq_content_framed(exchange);
    if (status == OK)
        status = check_type(exchange, &content, &write);
    if (status != OK)
        return status;
    write.only = patched_only(exchange, &write);
    status = condreq_write_preview(exchange, &write);
    if (status == OK)
        status = read_and_check(exchange, &content, &write);
    if (status == OK)
        status = condreq_write_perform(exchange, &write, "patching");
    return status == OK ? condreq_write_answer(exchange, &write) : status;
}
