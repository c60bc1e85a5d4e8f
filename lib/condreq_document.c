/* The write path.
 * Knows records, preconditions, JSON and the store interface; no request.
 * Preconditions are evaluated in the transaction that writes (RFC 9110
 * section 13.2), which is why no update can be lost. */
#include "condreq_document.h"

#include <assert.h>
#include <string.h>

#include <openssl/sha.h>

#include "apr_strings.h"
#include "condreq_collection.h"
#include "condreq_draft.h"
#include "condreq_key.h"
#include "condreq_media_type.h"
#include "condreq_uuid.h"

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
    /* RFC 5789 section 2.2, "Unsupported patch document" */
    if (write->patches && repr &&
        !condreq_media_type_is_json(current->media_type))
        return CONDREQ_NOT_JSON;
    if (condreq_evaluate(write->preconditions, repr, 0,
                         write->resource->rules->evaluate) != CONDREQ_PERFORM)
        return CONDREQ_PRECONDITION_FAILED;
    if (write->only == CONDREQ_PUT_CREATE && repr)
        return CONDREQ_PRECONDITION_FAILED;
    return CONDREQ_MAY_WRITE;
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

/* ---- a write under way ---- */

/* Rounds of work outside a transaction. A patch is then made inside; a
 * validator must not be called there, and the client may try again. */
#define DRAFTS_AT_MOST 4
#define VALIDATIONS_AT_MOST 16

typedef struct writing_t {
    condreq_write_t *write;
    /* of a document that a collection's sequence named */
    int by_sequence;
    /* made outside the transaction; never changed inside */
    condreq_draft_t draft;
    /* in the last round a transaction makes its own */
    int is_last_round;
    /* what was there was not what the draft was made from */
    int is_stale;
} writing_t;

static void next_of(condreq_record_t *next, const writing_t *writing,
                    const condreq_record_t *current)
{
    condreq_record_next(next, current, apr_time_now());
    if (writing->by_sequence)
        next->sequence_id = 1;
}

static int validator_agrees(const condreq_write_t *write,
                            const condreq_draft_t *draft,
                            const condreq_record_t *next, apr_pool_t *pool)
{
    condreq_candidate_t candidate;

    candidate.resource = write->resource;
    candidate.bytes = draft->bytes;
    candidate.length = draft->length;
    candidate.media_type = draft->media_type;
    candidate.version = next->version;
    candidate.creates = draft->from_state != CONDREQ_LIVE;
    return write->validate(write->validate_baton, &candidate, pool);
}

/* Finishes a draft outside the transaction, if that can be: the server's
 * members have to wait for the clock that is read inside, unless a validator
 * is to see them. */
static void settle_draft(writing_t *writing, const condreq_record_t *former,
                         apr_pool_t *pool)
{
    condreq_write_t *write = writing->write;
    condreq_draft_t *draft = &writing->draft;
    condreq_record_t next;

    if (draft->outcome != CONDREQ_MAY_WRITE ||
        (!write->validate && condreq_draft_awaits_members(draft, write)))
        return;
    next_of(&next, writing, former);
    condreq_draft_finish(draft, write, &next, pool);
    if (!write->validate)
        return;
    /* It was judged by whether it creates, too. */
    draft->is_independent = 0;
    if (!validator_agrees(write, draft, &next, pool))
        draft->outcome = CONDREQ_INVALID;
}

static void take_outcome(condreq_write_t *write, const condreq_draft_t *draft)
{
    write->outcome = draft->outcome;
    write->patch_verdict = draft->patch_verdict;
    write->patch_fault = draft->patch_fault;
    write->stored = draft->bytes;
    write->stored_length = draft->length;
}

/* Only what is there now may be patched or judged: a precondition that is
 * false is told before what is wrong with the patch. */
static apr_status_t draft_upon_current(writing_t *writing,
                                       condreq_trouble_t *trouble,
                                       apr_pool_t *pool)
{
    condreq_write_t *write = writing->write;
    const condreq_resource_t *resource = write->resource;
    char *bytes = NULL;

    STORE_TRY(resource->store->provider->lookup(resource->store, resource->key,
                                                &write->record, trouble, pool));
    if (condreq_draft_needs_former(write))
        STORE_TRY(condreq_document_read(resource, &write->record, &bytes,
                                        trouble, pool));
    write->outcome = condreq_write_decide(write, &write->record, pool);
    if (write->outcome != CONDREQ_MAY_WRITE)
        return APR_SUCCESS;
    condreq_draft_make(&writing->draft, write, &write->record, bytes, pool);
    settle_draft(writing, &write->record, pool);
    if (writing->draft.outcome != CONDREQ_UNCHANGED)
        take_outcome(write, &writing->draft);
    return APR_SUCCESS;
}

/* Sets the write's outcome: MAY_WRITE where the transaction is to decide. */
static apr_status_t draft_outside(writing_t *writing,
                                  condreq_trouble_t *trouble, apr_pool_t *pool)
{
    static const condreq_record_t nothing;
    condreq_write_t *write = writing->write;

    write->outcome = CONDREQ_MAY_WRITE;
    if (!write->content)
        return APR_SUCCESS;
    if (write->validate || condreq_draft_needs_former(write))
        return draft_upon_current(writing, trouble, pool);
    condreq_draft_make(&writing->draft, write, &nothing, NULL, pool);
    settle_draft(writing, &nothing, pool);
    return APR_SUCCESS;
}

static apr_status_t draft_inside(condreq_draft_t *draft, condreq_txn_t *txn,
                                 const condreq_write_t *write, apr_pool_t *pool)
{
    const condreq_record_t *current = &write->record;
    char *bytes = NULL;

    if (current->state == CONDREQ_LIVE) {
        bytes = apr_palloc(pool, (apr_size_t)current->body_length + 1);
        STORE_TRY(txn->store->provider->body_get(txn, write->resource->key,
                                                 current, bytes));
    }
    condreq_draft_make(draft, write, current, bytes, pool);
    return APR_SUCCESS;
}

static apr_status_t put_draft(condreq_txn_t *txn, condreq_write_t *write,
                              const condreq_draft_t *draft,
                              condreq_record_t *next)
{
    next->state = CONDREQ_LIVE;
    next->body_length = draft->length;
    memcpy(next->sha256, draft->sha256, sizeof next->sha256);
    apr_cpystrn(next->media_type, draft->media_type, sizeof next->media_type);
    write->outcome = write->record.state == CONDREQ_LIVE ? CONDREQ_REPLACED
                                                         : CONDREQ_CREATED;
    STORE_TRY(replace_body(write, txn, &write->record, next));
    STORE_TRY(txn->store->provider->put(txn, write->resource->key, next));
    write->record = *next;
    return APR_SUCCESS;
}

/* What may be written is written, or found to be stale. */
static apr_status_t write_content(condreq_txn_t *txn, writing_t *writing,
                                  apr_pool_t *pool)
{
    condreq_write_t *write = writing->write;
    condreq_draft_t draft = writing->draft;
    condreq_record_t next;

    if (!condreq_draft_follows(&draft, &write->record)) {
        writing->is_stale = !writing->is_last_round;
        if (writing->is_stale)
            return APR_SUCCESS;
        STORE_TRY(draft_inside(&draft, txn, write, pool));
    }
    next_of(&next, writing, &write->record);
    if (draft.outcome == CONDREQ_MAY_WRITE)
        condreq_draft_finish(&draft, write, &next, pool);
    take_outcome(write, &draft);
    if (write->outcome != CONDREQ_MAY_WRITE)
        return APR_SUCCESS;
    return put_draft(txn, write, &draft, &next);
}

static apr_status_t write_tombstone(condreq_txn_t *txn, condreq_write_t *write)
{
    condreq_record_t next;

    condreq_record_next(&next, &write->record, apr_time_now());
    next.state = CONDREQ_TOMBSTONE;
    STORE_TRY(replace_body(write, txn, &write->record, &next));
    STORE_TRY(txn->store->provider->put(txn, write->resource->key, &next));
    write->record = next;
    write->outcome = CONDREQ_DELETED;
    return APR_SUCCESS;
}

/* ---- locks and preconditions, in the transaction ---- */

static void take_answer(condreq_write_t *write,
                        const condreq_claim_answer_t *answer)
{
    write->lock = answer->lock;
    if (answer->verdict == CONDREQ_CLAIM_FALSE)
        write->outcome = CONDREQ_PRECONDITION_FAILED;
    else if (answer->verdict == CONDREQ_CLAIM_LOCKED)
        write->outcome = CONDREQ_LOCKED;
}

/* 404 comes first, then If and locks, then the preconditions of RFC 9110. */
static apr_status_t decide(condreq_write_t *write, condreq_txn_t *txn,
                           condreq_claim_answer_t *answer, apr_pool_t *pool)
{
    int stays = write->content && write->record.state == CONDREQ_LIVE;

    write->outcome = condreq_write_decide(write, &write->record, pool);
    if (write->outcome == CONDREQ_MISSING)
        return APR_SUCCESS;
    STORE_TRY(condreq_claim_decide(
        answer, txn, write->resource, &write->record, write->claim,
        stays ? CONDREQ_CLAIM_ON_CONTENT : CONDREQ_CLAIM_ON_MEMBERSHIP,
        apr_time_now(), pool));
    take_answer(write, answer);
    return APR_SUCCESS;
}

/* May run more than once: sets the write's results, never adds to them. */
static apr_status_t txn_body_preview(condreq_txn_t *txn, void *baton,
                                     apr_pool_t *pool)
{
    condreq_write_t *write = baton;
    condreq_claim_answer_t answer;

    STORE_TRY(
        txn->store->provider->get(txn, write->resource->key, &write->record));
    return decide(write, txn, &answer, pool);
}

apr_status_t condreq_document_preview(condreq_write_t *write,
                                      condreq_trouble_t *trouble,
                                      apr_pool_t *pool)
{
    condreq_store_t *store = write->resource->store;
    int matters;

    STORE_TRY(condreq_claim_matters(&matters, write->resource, write->claim,
                                    trouble, pool));
    if (matters)
        return store->provider->txn(store, txn_body_preview, write, trouble,
                                    pool);
    write->outcome = condreq_write_decide(write, &write->record, pool);
    return APR_SUCCESS;
}

/* May run more than once, like the preview. */
static apr_status_t txn_body_write(condreq_txn_t *txn, void *baton,
                                   apr_pool_t *pool)
{
    writing_t *writing = baton;
    condreq_write_t *write = writing->write;
    condreq_claim_answer_t answer;

    writing->is_stale = 0;
    STORE_TRY(
        txn->store->provider->get(txn, write->resource->key, &write->record));
    STORE_TRY(decide(write, txn, &answer, pool));
    if (write->outcome != CONDREQ_MAY_WRITE)
        return APR_SUCCESS;
    STORE_TRY(condreq_locks_clear(&answer.near, txn,
                                  write->content ? NULL : write->resource->key,
                                  apr_time_now()));
    return write->content ? write_content(txn, writing, pool)
                          : write_tombstone(txn, write);
}

/* One round: the work, then the transaction, unless there is nothing to
 * write. */
static apr_status_t write_once(writing_t *writing, condreq_trouble_t *trouble,
                               apr_pool_t *pool)
{
    condreq_store_t *store = writing->write->resource->store;

    writing->is_stale = 0;
    STORE_TRY(draft_outside(writing, trouble, pool));
    if (writing->write->outcome != CONDREQ_MAY_WRITE)
        return APR_SUCCESS;
    return store->provider->txn(store, txn_body_write, writing, trouble, pool);
}

apr_status_t condreq_document_make_empty(condreq_record_t *record,
                                         condreq_txn_t *txn, const char *key)
{
    condreq_record_t next;

    condreq_record_next(&next, record, apr_time_now());
    next.state = CONDREQ_LIVE;
    SHA256((const unsigned char *)"", 0, next.sha256);
    STORE_TRY(txn->store->provider->body_put(txn, key, &next, ""));
    STORE_TRY(txn->store->provider->put(txn, key, &next));
    *record = next;
    return APR_SUCCESS;
}

apr_status_t condreq_document_write(condreq_write_t *write,
                                    condreq_trouble_t *trouble,
                                    apr_pool_t *pool)
{
    writing_t writing = {0};
    apr_pool_t *attempt;
    int round = 0;

    assert(write->kind == CONDREQ_CONTENT_DOCUMENT || write->content->json);
    writing.write = write;
    apr_pool_create(&attempt, pool);
    do {
        if (round++ == VALIDATIONS_AT_MOST) {
            write->outcome = CONDREQ_CONTENDED;
            return APR_SUCCESS;
        }
        apr_pool_clear(attempt);
        writing.is_last_round = round == DRAFTS_AT_MOST && !write->validate;
        STORE_TRY(write_once(&writing, trouble, attempt));
    } while (writing.is_stale);
    return APR_SUCCESS;
}

/* ---- collections ---- */

/* Most POSTs ask nothing of their collection, and then nobody need wait. */
static int asks_of_collection(const condreq_preconditions_t *pre)
{
    return pre->if_match.given || pre->if_none_match.given ||
           pre->if_unmodified_since.given;
}

/* A lock on the collection, of whatever depth, and all that cover what is to be
 * created cover the collection too. */
static apr_status_t collection_decide(condreq_write_t *write,
                                      condreq_txn_t *txn,
                                      const condreq_resource_t *resource,
                                      apr_pool_t *pool)
{
    condreq_collection_t collection;
    condreq_claim_answer_t answer;
    condreq_verdict_t verdict;
    condreq_record_t none;

    memset(&none, 0, sizeof none);
    write->outcome = CONDREQ_MAY_WRITE;
    STORE_TRY(condreq_claim_decide(&answer, txn, resource, &none, write->claim,
                                   CONDREQ_CLAIM_ON_CONTENT, apr_time_now(),
                                   pool));
    take_answer(write, &answer);
    if (write->outcome != CONDREQ_MAY_WRITE ||
        !asks_of_collection(write->preconditions))
        return APR_SUCCESS;
    STORE_TRY(condreq_collection_bind(txn, resource, write->preconditions,
                                      &collection, &verdict, pool));
    if (verdict != CONDREQ_PERFORM)
        write->outcome = CONDREQ_PRECONDITION_FAILED;
    return APR_SUCCESS;
}

/* May run more than once. */
static apr_status_t txn_body_collection_decide(condreq_txn_t *txn, void *baton,
                                               apr_pool_t *pool)
{
    condreq_write_t *write = baton;

    memset(&write->record, 0, sizeof write->record);
    return collection_decide(write, txn, write->resource, pool);
}

apr_status_t condreq_collection_decide(condreq_write_t *write,
                                       condreq_trouble_t *trouble,
                                       apr_pool_t *pool)
{
    condreq_store_t *store = write->resource->store;
    condreq_collection_t collection;
    int matters;

    memset(&write->record, 0, sizeof write->record);
    write->outcome = CONDREQ_MAY_WRITE;
    STORE_TRY(condreq_claim_matters(&matters, write->resource, write->claim,
                                    trouble, pool));
    if (matters)
        return store->provider->txn(store, txn_body_collection_decide, write,
                                    trouble, pool);
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
    writing_t writing;
    int is_taken;
} creation_t;

/* May run more than once. */
static apr_status_t txn_body_create(condreq_txn_t *txn, void *baton,
                                    apr_pool_t *pool)
{
    creation_t *creation = baton;
    condreq_write_t *write = creation->writing.write;

    creation->is_taken = 0;
    STORE_TRY(collection_decide(write, txn, creation->collection, pool));
    if (write->outcome != CONDREQ_MAY_WRITE)
        return APR_SUCCESS;
    STORE_TRY(
        txn->store->provider->get(txn, write->resource->key, &write->record));
    creation->is_taken = write->record.state != CONDREQ_ABSENT;
    if (creation->is_taken)
        return APR_SUCCESS;
    return write_content(txn, &creation->writing, pool);
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
        char *uuid = apr_palloc(pool, CONDREQ_UUID_LENGTH + 1);

        *name = uuid;
        return condreq_uuid_make(uuid)
                   ? APR_SUCCESS
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

/* What is drafted for a new name is drafted upon nothing, and follows nothing
 * else: a name that is taken is not used. */
static apr_status_t create_once(creation_t *creation,
                                condreq_trouble_t *trouble, apr_pool_t *pool)
{
    static const condreq_record_t nothing;
    condreq_write_t *write = creation->writing.write;
    condreq_store_t *store = write->resource->store;

    creation->is_taken = 0;
    condreq_draft_make(&creation->writing.draft, write, &nothing, NULL, pool);
    settle_draft(&creation->writing, &nothing, pool);
    take_outcome(write, &creation->writing.draft);
    if (write->outcome != CONDREQ_MAY_WRITE)
        return APR_SUCCESS;
    return store->provider->txn(store, txn_body_create, creation, trouble,
                                pool);
}

apr_status_t condreq_document_create(condreq_resource_t **created,
                                     condreq_write_t *write, condreq_ids_t ids,
                                     condreq_trouble_t *trouble,
                                     apr_pool_t *pool)
{
    creation_t creation = {0};
    apr_pool_t *attempt;

    assert(write->kind == CONDREQ_CONTENT_DOCUMENT);
    creation.collection = write->resource;
    creation.writing.write = write;
    creation.writing.by_sequence = ids == CONDREQ_IDS_SEQUENCE;
    apr_pool_create(&attempt, pool);
    do {
        const char *name;

        apr_pool_clear(attempt);
        STORE_TRY(draw_name(&name, creation.collection, ids, trouble, attempt));
        *created = member_of(creation.collection, name, attempt);
        write->resource = *created;
        STORE_TRY(create_once(&creation, trouble, attempt));
    } while (creation.is_taken);
    return APR_SUCCESS;
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

#define DIGESTED_AT_ONCE ((apr_size_t)64 * 1024)

apr_status_t condreq_document_digest(unsigned char *digest,
                                     const condreq_resource_t *resource,
                                     const condreq_record_t *record,
                                     condreq_digest_algorithm_t algorithm,
                                     condreq_trouble_t *trouble,
                                     apr_pool_t *pool)
{
    condreq_store_t *store = resource->store;
    condreq_digester_t *digester = condreq_digester_make(algorithm, pool);
    char *bytes = apr_palloc(pool, DIGESTED_AT_ONCE);
    apr_size_t length = (apr_size_t)record->body_length;
    apr_size_t offset, step;

    for (offset = 0; offset < length; offset += step) {
        step = length - offset;
        if (step > DIGESTED_AT_ONCE)
            step = DIGESTED_AT_ONCE;
        STORE_TRY(store->provider->body_read(
            store, resource->key, record, offset, bytes, step, trouble, pool));
        condreq_digester_add(digester, bytes, step);
    }
    condreq_digester_end(digester, digest);
    return APR_SUCCESS;
}
