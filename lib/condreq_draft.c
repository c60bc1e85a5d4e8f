/* What the bytes of a document's next version are: the content itself, or what
 * a patch makes of the bytes that are there, and the server's members in it.
 * Knows JSON, records and the rules of a resource; no store, no precondition.
 * All that takes time in a write is here, and needs no transaction. */
#include "condreq_draft.h"

#include <assert.h>
#include <string.h>

#include <openssl/sha.h>

#include "apr_strings.h"
#include "condreq_key.h"
#include "condreq_media_type.h"
#include "condreq_merge.h"

/* Budgets of a JSON Patch, besides those that the document itself has. The
 * work is some 50 ms, and a patch of a million bytes that does nothing absurd
 * needs less than a tenth. */
#define MAX_OPERATIONS 10000
#define MAX_WORK 10000000

/* A document was within the limits when it was stored; those may have been
 * lowered since, which must not make it unwritable. */
static const condreq_json_limits_t unlimited = {APR_SIZE_MAX, APR_SIZE_MAX};

static apr_size_t larger(apr_size_t a, apr_size_t b)
{
    return a > b ? a : b;
}

/* ---- what is there ---- */

int condreq_draft_needs_former(const condreq_write_t *write)
{
    return write->content && write->kind != CONDREQ_CONTENT_DOCUMENT;
}

/* What is there as a patch's target: NULL where it is nothing, or no JSON. */
static const condreq_json_t *target_of(const condreq_record_t *former,
                                       const char *former_bytes,
                                       apr_pool_t *pool)
{
    condreq_json_fault_t fault;
    condreq_json_t *target;

    if (!former_bytes ||
        condreq_json_parse(&target, former_bytes,
                           (apr_size_t)former->body_length, &unlimited, &fault,
                           pool) != CONDREQ_JSON_GOOD)
        return NULL;
    return target;
}

/* ---- patched ---- */

/* What is there already may be over the limits, by the server's own members or
 * since they were lowered; then it must only not grow. */
static void apply_merge(condreq_draft_t *draft, const condreq_write_t *write,
                        const condreq_json_t *target, apr_pool_t *pool)
{
    const condreq_rules_t *rules = write->resource->rules;
    apr_size_t max_length =
        larger(rules->max_body, target ? target->length : 0);

    if (condreq_merge_apply(&draft->bytes, &draft->length, target,
                            write->content->json, &rules->members, max_length,
                            pool) != CONDREQ_MERGE_DONE)
        draft->outcome = CONDREQ_TOO_LARGE;
}

static void apply_patch(condreq_draft_t *draft, const condreq_write_t *write,
                        const condreq_json_t *target, apr_pool_t *pool)
{
    const condreq_rules_t *rules = write->resource->rules;
    condreq_patch_limits_t limits;

    if (!target) {
        draft->outcome = CONDREQ_NOT_JSON;
        return;
    }
    limits.max_length = larger(rules->max_body, target->length);
    limits.max_values = larger(rules->json.max_values, target->count);
    limits.max_depth = rules->json.max_depth;
    limits.max_operations = MAX_OPERATIONS;
    limits.max_work = MAX_WORK;
    draft->patch_verdict = condreq_patch_apply(
        &draft->bytes, &draft->length, target, write->content->json,
        &rules->members, &limits, &draft->patch_fault, pool);
    if (draft->patch_verdict != CONDREQ_PATCH_DONE)
        draft->outcome = CONDREQ_PATCH_REFUSED;
}

static int is_same(const condreq_draft_t *draft, const condreq_json_t *target)
{
    return target && draft->length == target->length &&
           !memcmp(draft->bytes, target->text, target->length);
}

/* The server's members need an object, and a merge has no other measure of
 * its values than to count them. */
static void parse_result(condreq_draft_t *draft, const condreq_write_t *write,
                         const condreq_json_t *target, apr_pool_t *pool)
{
    const condreq_rules_t *rules = write->resource->rules;
    condreq_json_limits_t limits = {APR_SIZE_MAX, APR_SIZE_MAX};
    condreq_json_fault_t fault;
    condreq_json_t *json;
    int has_members = !condreq_members_none(&rules->members);
    apr_size_t sum = write->content->json->count + (target ? target->count : 0);

    limits.max_values =
        larger(rules->json.max_values, target ? target->count : 0);
    if (!has_members &&
        (write->kind == CONDREQ_CONTENT_JSON_PATCH || sum <= limits.max_values))
        return;
    if (condreq_json_parse(&json, draft->bytes, draft->length, &limits, &fault,
                           pool) != CONDREQ_JSON_GOOD)
        draft->outcome = CONDREQ_TOO_LARGE;
    else if (has_members && !condreq_json_is_object(json))
        draft->outcome = CONDREQ_NOT_AN_OBJECT;
    else
        draft->json = json;
}

static void make_patched(condreq_draft_t *draft, const condreq_write_t *write,
                         const condreq_record_t *former,
                         const char *former_bytes, apr_pool_t *pool)
{
    const condreq_json_t *target = target_of(former, former_bytes, pool);

    if (write->kind == CONDREQ_CONTENT_MERGE_PATCH)
        apply_merge(draft, write, target, pool);
    else
        apply_patch(draft, write, target, pool);
    if (draft->outcome != CONDREQ_MAY_WRITE)
        return;
    if (write->patches && is_same(draft, target))
        draft->outcome = CONDREQ_UNCHANGED;
    else
        parse_result(draft, write, target, pool);
}

/* ---- made ---- */

/* PATCH leaves a document the type that it has. */
static const char *media_type_of(const condreq_write_t *write,
                                 const condreq_record_t *former,
                                 apr_pool_t *pool)
{
    if (!write->patches)
        return write->content->media_type;
    return former->state == CONDREQ_LIVE ? apr_pstrdup(pool, former->media_type)
                                         : CONDREQ_JSON_TYPE;
}

void condreq_draft_make(condreq_draft_t *draft, const condreq_write_t *write,
                        const condreq_record_t *former,
                        const char *former_bytes, apr_pool_t *pool)
{
    const condreq_content_t *content = write->content;

    memset(draft, 0, sizeof *draft);
    draft->outcome = CONDREQ_MAY_WRITE;
    draft->from_state = former->state;
    draft->from_version = former->version;
    draft->media_type = media_type_of(write, former, pool);
    if (condreq_draft_needs_former(write)) {
        make_patched(draft, write, former, former_bytes, pool);
        return;
    }
    draft->is_independent = 1;
    draft->bytes = content->bytes;
    draft->length = content->length;
    draft->json = content->json;
}

/* ---- finished ---- */

int condreq_draft_awaits_members(const condreq_draft_t *draft,
                                 const condreq_write_t *write)
{
    return draft->json && !draft->is_finished &&
           !condreq_members_none(&write->resource->rules->members);
}

static const char *id_json(const condreq_write_t *write,
                           const condreq_record_t *next, apr_pool_t *pool)
{
    const char *id = condreq_path_last_segment(write->resource->path, pool);

    return next->sequence_id ? id : condreq_json_quote(id, pool);
}

static void set_members(condreq_draft_t *draft, const condreq_write_t *write,
                        const condreq_record_t *next, apr_pool_t *pool)
{
    condreq_member_values_t values;

    values.id_json = id_json(write, next, pool);
    values.version = next->version;
    values.updated_at_us = next->mtime_us;
    condreq_members_splice(&draft->bytes, &draft->length, draft->json,
                           &write->resource->rules->members, &values, pool);
    draft->is_independent = 0;
}

void condreq_draft_finish(condreq_draft_t *draft, const condreq_write_t *write,
                          const condreq_record_t *next, apr_pool_t *pool)
{
    if (draft->is_finished)
        return;
    if (condreq_draft_awaits_members(draft, write))
        set_members(draft, write, next, pool);
    SHA256((const unsigned char *)draft->bytes, draft->length, draft->sha256);
    draft->is_finished = 1;
}

int condreq_draft_follows(const condreq_draft_t *draft,
                          const condreq_record_t *current)
{
    return draft->is_independent || (draft->from_state == current->state &&
                                     draft->from_version == current->version);
}
