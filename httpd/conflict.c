/* 412 and 428: which version is there now, and what to send, so that a client
 * whose save is refused can go on.
 * Knows the current record and who may see its document; decides nothing. */
#include "mod_condreq.h"

#include "apr_strings.h"
#include "condreq_date.h"
#include "condreq_media_type.h"

/* ---- 412 ---- */

const char *condreq_validator_members(request_rec *r,
                                      const condreq_representation_t *repr,
                                      apr_uint64_t version, apr_time_t mtime_us)
{
    char modified[CONDREQ_DATE_RFC3339_SIZE];
    const char *etag = "";

    condreq_date_rfc3339(modified, mtime_us);
    if (repr->etag.opaque_tag)
        etag =
            apr_pstrcat(r->pool, ", \"etag\": ",
                        condreq_json_quote(
                            condreq_etag_text(&repr->etag, r->pool), r->pool),
                        NULL);
    return apr_psprintf(
        r->pool, "%s, \"version\": %" APR_UINT64_T_FMT ", \"modified\": \"%s\"",
        etag, version, modified);
}

static const char *document_members(condreq_exchange_t *exchange,
                                    const condreq_record_t *current)
{
    request_rec *r = exchange->r;
    condreq_representation_t room;
    const condreq_representation_t *repr = condreq_document_representation(
        &room, &exchange->resource, current, exchange->now_us, r->pool);

    return repr ? condreq_validator_members(r, repr, current->version,
                                            current->mtime_us)
                : NULL;
}

/* Its tag is the one that a plain GET gives. */
int condreq_refuse_collection(condreq_exchange_t *exchange,
                              const condreq_collection_t *seen)
{
    apr_pool_t *pool = exchange->r->pool;
    const condreq_resource_t *resource = &exchange->resource;
    const condreq_representation_t *repr = NULL;
    condreq_representation_t room;
    condreq_collection_t now;

    if (!seen &&
        condreq_collection_lookup(&now, resource, exchange->now_us,
                                  &exchange->trouble, pool) == APR_SUCCESS)
        seen = &now;
    if (seen)
        repr = condreq_collection_representation(
            &room, resource, seen,
            condreq_listing_variant(exchange, resource->rules, NULL, 0, pool),
            exchange->now_us, pool);
    return condreq_refuse(
        exchange->r, HTTP_PRECONDITION_FAILED, "precondition-failed",
        "The collection is not in the state that the request asks for; "
        "nothing was changed.",
        repr ? condreq_validator_members(exchange->r, repr, seen->state.version,
                                         seen->state.mtime_us)
             : NULL);
}

/* Who saves wants to see what is there; who reads has asked for one version
 * and no other. */
static int shows_document(condreq_exchange_t *exchange,
                          const condreq_record_t *current)
{
    return exchange->conf->conflict == CONDREQ_CONFLICT_DOCUMENT &&
           exchange->r->method_number != M_GET &&
           current->state == CONDREQ_LIVE &&
           condreq_media_type_is_json(current->media_type) &&
           condreq_client_may_get(exchange);
}

/* Puts the document into the problem. What was refused stays refused, so a
 * document that cannot be read is left out.
 * @param current  is set to the version that was read, which may be newer */
static void add_document(condreq_exchange_t *exchange,
                         condreq_problem_t *problem, condreq_record_t *current)
{
    char *bytes;
    condreq_record_t read = *current;
    apr_status_t status =
        condreq_document_read(&exchange->resource, &read, &bytes,
                              &exchange->trouble, exchange->r->pool);

    if (status != APR_SUCCESS || read.state != CONDREQ_LIVE ||
        !condreq_media_type_is_json(read.media_type))
        return;
    *current = read;
    problem->document = bytes;
    problem->document_length = (apr_size_t)read.body_length;
}

int condreq_refuse_precondition(condreq_exchange_t *exchange,
                                const condreq_record_t *record)
{
    condreq_record_t current = *record;
    condreq_problem_t problem = {0};

    problem.status = HTTP_PRECONDITION_FAILED;
    if (shows_document(exchange, &current))
        add_document(exchange, &problem, &current);
    problem.kind = "precondition-failed";
    problem.members = document_members(exchange, &current);
    problem.detail = problem.members
                         ? "The document is not in the state that the request "
                           "asks for; nothing was changed."
                         : "There is no document here, and the request asks "
                           "for one; nothing was changed.";
    return condreq_refuse_with(exchange->r, &problem);
}

/* ---- 428 ---- */

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

/* What cannot create needs none of what is for creating; a collection is
 * created by its first document. */
static const char *what_to_send(const condreq_exchange_t *exchange, int creates)
{
    int any = exchange->conf->require == CONDREQ_REQUIRE_ANY;

    if (exchange->is_collection && creates)
        return any ? "Send If-Match with the ETag that GET of the collection "
                     "gave, If-Unmodified-Since with its Last-Modified, or "
                     "If-None-Match: * while it is empty."
                   : "Send If-Match with the ETag that GET of the collection "
                     "gave, or If-None-Match: * while it is empty.";
    if (creates)
        return any ? "Send If-Match with the ETag that GET gave, "
                     "If-Unmodified-Since with its Last-Modified, or "
                     "If-None-Match: * to create."
                   : "Send If-Match with the ETag that GET gave, or "
                     "If-None-Match: * to create.";
    return any ? "Send If-Match with the ETag that GET gave, or "
                 "If-Unmodified-Since with its Last-Modified."
               : "Send If-Match with the ETag that GET gave.";
}

int condreq_check_requirement(condreq_exchange_t *exchange,
                              const condreq_write_t *write)
{
    const condreq_dir_conf_t *conf = exchange->conf;
    request_rec *r = exchange->r;

    if (!(conf->require_methods & AP_METHOD_BIT << r->method_number) ||
        requirement_is_met(conf, &exchange->preconditions))
        return OK;
    return condreq_refuse(
        r, HTTP_PRECONDITION_REQUIRED, NULL,
        what_to_send(exchange, write->only != CONDREQ_PUT_UPDATE), NULL);
}
