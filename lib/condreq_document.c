/* The write path.
 * Knows records, preconditions, JSON and the store interface; no request.
 * Preconditions are evaluated in the transaction that writes (RFC 9110
 * section 13.2), which is why no update can be lost. */
#include "condreq_document.h"

#include <assert.h>
#include <string.h>

#include <openssl/rand.h>
#include <openssl/sha.h>

#include "apr_strings.h"
#include "condreq_collection.h"
#include "condreq_key.h"
#include "condreq_merge.h"

#define STORE_TRY(call)                                                        \
    do {                                                                       \
        apr_status_t try_status = (call);                                      \
        if (try_status != APR_SUCCESS)                                         \
            return try_status;                                                 \
    } while (0)

const condreq_representation_t *condreq_document_representation(
    condreq_representation_t *repr, const condreq_resource_t *resource,
    const condreq_record_t *record, apr_time_t now_us, apr_pool_t *pool)
{
    if (record->state != CONDREQ_LIVE)
        return NULL;
    condreq_strategy_etag(&repr->etag, &resource->rules->strategy, record,
                          resource->path, resource->store->incarnation, pool);
    repr->coding_suffixes = resource->coding_suffixes;
    repr->has_last_modified = resource->rules->last_modified;
    repr->last_modified_s = record->date_s;
    repr->last_modified_pending = !condreq_record_date_has_come(record, now_us);
    return repr;
}

condreq_outcome_t condreq_write_decide(const condreq_write_t *write,
                                       const condreq_record_t *current,
                                       apr_pool_t *pool)
{
    condreq_representation_t room;
    const condreq_representation_t *repr = condreq_document_representation(
        &room, write->resource, current, 0, pool);

    if (write->only == CONDREQ_PUT_UPDATE && !repr)
        return CONDREQ_MISSING;
    if (condreq_evaluate(write->preconditions, repr, 0,
                         write->resource->rules->evaluate) != CONDREQ_PERFORM)
        return CONDREQ_PRECONDITION_FAILED;
    if (write->only == CONDREQ_PUT_CREATE && repr)
        return CONDREQ_PRECONDITION_FAILED;
    return CONDREQ_MAY_WRITE;
}

/* What is there as a merge's target: NULL where it is nothing, or no JSON. */
static apr_status_t read_target(const condreq_json_t **target,
                                condreq_txn_t *txn,
                                const condreq_write_t *write,
                                const condreq_record_t *current,
                                apr_pool_t *pool)
{
    /* It was within the limits when it was stored; those may have been lowered
     * since, which must not make a document unwritable. */
    static const condreq_json_limits_t unlimited = {APR_SIZE_MAX, APR_SIZE_MAX};
    condreq_json_fault_t fault;
    condreq_json_t *json;
    char *bytes;

    *target = NULL;
    if (current->state != CONDREQ_LIVE)
        return APR_SUCCESS;
    bytes = apr_palloc(pool, (apr_size_t)current->body_length + 1);
    STORE_TRY(txn->store->provider->body_get(txn, write->resource->key, current,
                                             bytes));
    if (condreq_json_parse(&json, bytes, (apr_size_t)current->body_length,
                           &unlimited, &fault, pool) == CONDREQ_JSON_GOOD)
        *target = json;
    return APR_SUCCESS;
}

static const char *id_json(const condreq_write_t *write,
                           const condreq_record_t *next, apr_pool_t *pool)
{
    const char *id = condreq_path_last_segment(write->resource->path, pool);

    return next->sequence_id ? id : condreq_json_quote(id, pool);
}

/* Puts the server's members into a document that is an object. */
static void set_members(condreq_write_t *write, const condreq_json_t *json,
                        const condreq_record_t *next, apr_pool_t *pool)
{
    condreq_member_values_t values;

    values.id_json = id_json(write, next, pool);
    values.version = next->version;
    values.updated_at_us = next->mtime_us;
    condreq_members_splice(&write->stored, &write->stored_length, json,
                           &write->resource->rules->members, &values, pool);
}

static apr_size_t larger(apr_size_t a, apr_size_t b)
{
    return a > b ? a : b;
}

/* The merged document: parsed again, since members go into it next. What is
 * there already may be over the limits, by the server's own members or since
 * they were lowered; then it must only not grow. */
static apr_status_t merge(condreq_json_t **merged, condreq_txn_t *txn,
                          condreq_write_t *write,
                          const condreq_record_t *current, apr_pool_t *pool)
{
    const condreq_rules_t *rules = write->resource->rules;
    condreq_json_limits_t limits = {APR_SIZE_MAX, rules->json.max_values};
    apr_size_t max_length = rules->max_body;
    const condreq_json_t *target;
    condreq_json_fault_t fault;
    apr_size_t length;
    const char *text;

    STORE_TRY(read_target(&target, txn, write, current, pool));
    if (target) {
        max_length = larger(max_length, target->length);
        limits.max_values = larger(limits.max_values, target->count);
    }
    *merged = NULL;
    if (condreq_merge_apply(&text, &length, target, write->content->json,
                            &rules->members, max_length,
                            pool) != CONDREQ_MERGE_DONE ||
        condreq_json_parse(merged, text, length, &limits, &fault, pool) !=
            CONDREQ_JSON_GOOD)
        write->outcome = CONDREQ_TOO_LARGE;
    return APR_SUCCESS;
}

/* What the bytes of the next version are. */
static apr_status_t compose(condreq_write_t *write, condreq_txn_t *txn,
                            const condreq_record_t *current,
                            condreq_record_t *next, apr_pool_t *pool)
{
    const condreq_content_t *content = write->content;
    const condreq_rules_t *rules = write->resource->rules;
    const condreq_json_t *json = content->json;
    condreq_json_t *merged;

    write->stored = content->bytes;
    write->stored_length = content->length;
    if (write->merge) {
        STORE_TRY(merge(&merged, txn, write, current, pool));
        if (!merged)
            return APR_SUCCESS;
        json = merged;
        write->stored = json->text;
        write->stored_length = json->length;
    }
    if (json && !condreq_members_none(&rules->members))
        set_members(write, json, next, pool);
    next->body_length = write->stored_length;
    SHA256((const unsigned char *)write->stored, write->stored_length,
           next->sha256);
    apr_cpystrn(next->media_type, content->media_type, sizeof next->media_type);
    return APR_SUCCESS;
}

static apr_status_t replace_body(condreq_write_t *write, condreq_txn_t *txn,
                                 const condreq_record_t *current,
                                 condreq_record_t *next)
{
    const condreq_store_provider_t *store = txn->store->provider;
    const char *key = write->resource->key;

    if (current->state == CONDREQ_LIVE)
        STORE_TRY(store->body_remove(txn, key, current));
    if (next->state == CONDREQ_LIVE)
        STORE_TRY(store->body_put(txn, key, next, write->stored));
    return APR_SUCCESS;
}

/* Writes what may be written; sets the outcome. */
static apr_status_t write_next(condreq_write_t *write, condreq_txn_t *txn,
                               const condreq_record_t *current,
                               condreq_record_t *next, apr_pool_t *pool)
{
    write->outcome = !write->content                  ? CONDREQ_DELETED
                     : current->state == CONDREQ_LIVE ? CONDREQ_REPLACED
                                                      : CONDREQ_CREATED;
    next->state = write->content ? CONDREQ_LIVE : CONDREQ_TOMBSTONE;
    if (write->content)
        STORE_TRY(compose(write, txn, current, next, pool));
    if (write->outcome == CONDREQ_TOO_LARGE)
        return APR_SUCCESS;
    STORE_TRY(replace_body(write, txn, current, next));
    STORE_TRY(txn->store->provider->put(txn, write->resource->key, next));
    write->record = *next;
    return APR_SUCCESS;
}

/* May run more than once: sets the write's results, never adds to them. */
static apr_status_t txn_body_write(condreq_txn_t *txn, void *baton,
                                   apr_pool_t *pool)
{
    condreq_write_t *write = baton;
    condreq_record_t next;

    STORE_TRY(
        txn->store->provider->get(txn, write->resource->key, &write->record));
    write->outcome = condreq_write_decide(write, &write->record, pool);
    if (write->outcome != CONDREQ_MAY_WRITE)
        return APR_SUCCESS;
    condreq_record_next(&next, &write->record, apr_time_now());
    return write_next(write, txn, &write->record, &next, pool);
}

apr_status_t condreq_document_write(condreq_write_t *write,
                                    condreq_trouble_t *trouble,
                                    apr_pool_t *pool)
{
    condreq_store_t *store = write->resource->store;

    assert(!write->merge || write->content->json);
    return store->provider->txn(store, txn_body_write, write, trouble, pool);
}

/* ---- collections ---- */

/* Most POSTs ask nothing of their collection, and then nobody need wait. */
static int asks_of_collection(const condreq_preconditions_t *pre)
{
    return pre->if_match.given || pre->if_none_match.given ||
           pre->if_unmodified_since.given;
}

static apr_status_t collection_decide(condreq_write_t *write,
                                      condreq_txn_t *txn,
                                      const condreq_resource_t *resource,
                                      apr_pool_t *pool)
{
    condreq_collection_t collection;
    condreq_verdict_t verdict;

    write->outcome = CONDREQ_MAY_WRITE;
    if (!asks_of_collection(write->preconditions))
        return APR_SUCCESS;
    STORE_TRY(condreq_collection_bind(txn, resource, write->preconditions,
                                      &collection, &verdict, pool));
    if (verdict != CONDREQ_PERFORM)
        write->outcome = CONDREQ_PRECONDITION_FAILED;
    return APR_SUCCESS;
}

apr_status_t condreq_collection_decide(condreq_write_t *write,
                                       condreq_trouble_t *trouble,
                                       apr_pool_t *pool)
{
    condreq_collection_t collection;

    memset(&write->record, 0, sizeof write->record);
    write->outcome = CONDREQ_MAY_WRITE;
    if (!asks_of_collection(write->preconditions))
        return APR_SUCCESS;
    STORE_TRY(condreq_collection_lookup(&collection, write->resource, 0,
                                        trouble, pool));
    if (condreq_collection_evaluate(write->preconditions, write->resource,
                                    &collection, pool) != CONDREQ_PERFORM)
        write->outcome = CONDREQ_PRECONDITION_FAILED;
    return APR_SUCCESS;
}

/* A document to be created, and whether its name turned out to be free. */
typedef struct creation_t {
    const condreq_resource_t *collection;
    condreq_write_t *write;
    int by_sequence;
    int taken;
} creation_t;

/* May run more than once. */
static apr_status_t txn_body_create(condreq_txn_t *txn, void *baton,
                                    apr_pool_t *pool)
{
    creation_t *creation = baton;
    condreq_write_t *write = creation->write;
    condreq_record_t next;

    creation->taken = 0;
    STORE_TRY(collection_decide(write, txn, creation->collection, pool));
    if (write->outcome != CONDREQ_MAY_WRITE)
        return APR_SUCCESS;
    STORE_TRY(
        txn->store->provider->get(txn, write->resource->key, &write->record));
    creation->taken = write->record.state != CONDREQ_ABSENT;
    if (creation->taken)
        return APR_SUCCESS;
    condreq_record_next(&next, &write->record, apr_time_now());
    next.sequence_id = creation->by_sequence;
    return write_next(write, txn, &write->record, &next, pool);
}

static const char *uuid_text(apr_pool_t *pool)
{
    unsigned char b[16];

    if (RAND_bytes(b, sizeof b) != 1)
        return NULL;
    b[6] = (unsigned char)((b[6] & 0x0F) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
    return apr_psprintf(pool,
                        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
                        "%02x%02x%02x%02x%02x%02x",
                        b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8],
                        b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

/* A name that nothing in the collection should bear yet. */
static apr_status_t draw_name(const char **name,
                              const condreq_resource_t *collection,
                              condreq_ids_t ids, condreq_trouble_t *trouble,
                              apr_pool_t *pool)
{
    condreq_store_t *store = collection->store;
    apr_uint64_t number;

    if (ids == CONDREQ_IDS_UUID) {
        *name = uuid_text(pool);
        return *name ? APR_SUCCESS
                     : condreq_trouble(trouble, APR_EGENERAL,
                                       "no random bytes for a UUID");
    }
    STORE_TRY(
        store->provider->draw(store, collection->key, &number, trouble, pool));
    *name = apr_psprintf(pool, "%" APR_UINT64_T_FMT, number);
    return APR_SUCCESS;
}

static condreq_resource_t *member_of(const condreq_resource_t *collection,
                                     const char *name, apr_pool_t *pool)
{
    condreq_resource_t *member = apr_pmemdup(pool, collection, sizeof *member);
    apr_size_t namespace_length =
        strlen(collection->key) - strlen(collection->path);

    member->key = apr_pstrcat(pool, collection->key, name, NULL);
    member->path = member->key + namespace_length;
    return member;
}

apr_status_t condreq_document_create(condreq_resource_t **created,
                                     condreq_write_t *write, condreq_ids_t ids,
                                     condreq_trouble_t *trouble,
                                     apr_pool_t *pool)
{
    condreq_store_t *store = write->resource->store;
    creation_t creation;
    apr_pool_t *attempt;
    apr_status_t status;

    creation.collection = write->resource;
    creation.write = write;
    creation.by_sequence = ids == CONDREQ_IDS_SEQUENCE;
    apr_pool_create(&attempt, pool);
    do {
        const char *name;

        apr_pool_clear(attempt);
        status = draw_name(&name, creation.collection, ids, trouble, attempt);
        if (status != APR_SUCCESS)
            break;
        *created = member_of(creation.collection, name, attempt);
        write->resource = *created;
        status = store->provider->txn(store, txn_body_create, &creation,
                                      trouble, attempt);
    } while (status == APR_SUCCESS && creation.taken);
    return status;
}

apr_status_t condreq_document_read(const condreq_resource_t *resource,
                                   condreq_record_t *record, char **bytes,
                                   condreq_trouble_t *trouble, apr_pool_t *pool)
{
    condreq_store_t *store = resource->store;
    apr_pool_t *attempt;
    apr_status_t status;

    apr_pool_create(&attempt, pool);
    for (;;) {
        apr_size_t length = (apr_size_t)record->body_length;

        *bytes = NULL;
        if (record->state != CONDREQ_LIVE)
            return APR_SUCCESS;
        *bytes = apr_palloc(attempt, length + 1);
        status = store->provider->body_read(store, resource->key, record, 0,
                                            *bytes, length, trouble, attempt);
        if (!APR_STATUS_IS_NOTFOUND(status))
            return status;
        /* A writer has replaced it since the record was looked up. Each round
         * is another's success, so this ends when writers do. */
        apr_pool_clear(attempt);
        STORE_TRY(store->provider->lookup(store, resource->key, record, trouble,
                                          attempt));
    }
}
