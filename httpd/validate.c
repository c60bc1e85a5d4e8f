/* Other modules' say: the hook condreq_validate is run over what is about to be
 * stored, and an objection becomes a problem document.
 * Knows the hook and its manners; no document's meaning. */
#include "mod_condreq.h"

#include "apr_strings.h"
#include "condreq_hooks.h"

#define HOOK_NAME "condreq_validate"
/* More would be no member's text but an attack on the answer. */
#define MEMBERS_AT_MOST 1000
#define MEMBERS_DEEP_AT_MOST 64

#define CONDREQ_DECLARE(type) type
/* Only the run of these is defined: who takes the hook needs no symbol. */
APR_DECLARE_EXTERNAL_HOOK(condreq, CONDREQ, int, condreq_validate,
                          (request_rec * r, const condreq_proposal_t *proposal,
                           condreq_objection_t *objection))
APR_IMPLEMENT_OPTIONAL_HOOK_RUN_ALL(condreq, CONDREQ, int, condreq_validate,
                                    (request_rec * r,
                                     const condreq_proposal_t *proposal,
                                     condreq_objection_t *objection),
                                    (r, proposal, objection), OK, DECLINED)

/* ---- what was objected ---- */

static int is_reserved(const char *name, apr_size_t length)
{
    static const char *const reserved[] = {"type", "title", "status", "detail"};
    apr_size_t i;

    for (i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (condreq_json_string_is(name, length, reserved[i]))
            return 1;
    }
    return 0;
}

/* Are these members that a problem document can take as they are? */
static int are_members(const condreq_json_t *json)
{
    const condreq_json_value_t *value;
    apr_size_t i;

    if (!condreq_json_is_object(json))
        return 0;
    for (i = 1; i < json->count; i += value->size) {
        value = &json->values[i];
        if (is_reserved(json->text + value->name.begin,
                        value->name.end - value->name.begin))
            return 0;
    }
    return 1;
}

/* The members as they stand behind others: without braces, with a comma. */
static const char *members_text(condreq_exchange_t *exchange,
                                const char *members)
{
    static const condreq_json_limits_t limits = {MEMBERS_DEEP_AT_MOST,
                                                 MEMBERS_AT_MOST};
    request_rec *r = exchange->r;
    condreq_json_fault_t fault;
    condreq_json_t *json;

    if (!members)
        return NULL;
    if (condreq_json_parse(&json, members, strlen(members), &limits, &fault,
                           r->pool) != CONDREQ_JSON_GOOD ||
        !are_members(json)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      CONDREQ_LOGNO(2104) "a module that refuses %s gives "
                                          "members that are no JSON object, "
                                          "or bear a name that is taken",
                      exchange->resource.key);
        return NULL;
    }
    if (json->count == 1)
        return NULL;
    return apr_pstrcat(r->pool, ", ",
                       apr_pstrmemdup(r->pool,
                                      members + json->values[0].text.begin + 1,
                                      json->values[0].text.end -
                                          json->values[0].text.begin - 2),
                       NULL);
}

/* httpd sends a status that it has no line for as 500, and the problem would
 * say another. */
static int is_refusal(int status)
{
    return ap_is_HTTP_ERROR(status) &&
           (status == HTTP_INTERNAL_SERVER_ERROR ||
            ap_index_of_response(status) !=
                ap_index_of_response(HTTP_INTERNAL_SERVER_ERROR));
}

static void keep_objection(condreq_exchange_t *exchange, int status,
                           const condreq_objection_t *objection)
{
    request_rec *r = exchange->r;
    condreq_problem_t *problem = apr_pcalloc(r->pool, sizeof *problem);

    exchange->objection = problem;
    problem->status = status;
    if (is_refusal(status)) {
        problem->type = objection->type;
        problem->title = objection->title;
        problem->detail = objection->detail;
        problem->members = members_text(exchange, objection->members);
        return;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                  CONDREQ_LOGNO(2103) "a module answers %d about %s, which is "
                                      "neither OK, DECLINED nor an error's "
                                      "status: nothing is stored",
                  status, exchange->resource.key);
    problem->status = HTTP_INTERNAL_SERVER_ERROR;
}

/* ---- the hook ---- */

static int validate(void *baton, const condreq_candidate_t *candidate,
                    apr_pool_t *pool)
{
    condreq_exchange_t *exchange = baton;
    condreq_objection_t objection = {0};
    condreq_proposal_t proposal;
    int status;

    proposal.uri = condreq_path_uri(candidate->resource->path, pool);
    proposal.bytes = candidate->bytes;
    proposal.length = candidate->length;
    proposal.media_type = candidate->media_type;
    proposal.version = candidate->version;
    proposal.creates = candidate->creates;
    status = condreq_run_condreq_validate(exchange->r, &proposal, &objection);
    if (status == OK || status == DECLINED)
        return 1;
    keep_objection(exchange, status, &objection);
    return 0;
}

void condreq_write_validated(condreq_exchange_t *exchange,
                             condreq_write_t *write)
{
    const apr_array_header_t *hooks = apr_optional_hook_get(HOOK_NAME);

    if (!hooks || !hooks->nelts)
        return;
    write->validate = validate;
    write->validate_baton = exchange;
}

int condreq_refuse_invalid(condreq_exchange_t *exchange)
{
    return condreq_refuse_with(exchange->r, exchange->objection);
}
