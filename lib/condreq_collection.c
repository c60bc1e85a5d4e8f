/* Collections as resources.
 * Knows the store interface, preconditions and tags; no request. What is said
 * of a collection is about all that is below it, at any depth (the design's
 * URL space); preconditions of RFC 9110 section 13 are evaluated in the
 * transaction that writes. */
#include "condreq_collection.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "apr_strings.h"

#define ROOM (CONDREQ_COLLECTION_DOCUMENTS_MAX + 1)

#define STORE_TRY(call)                                                        \
    do {                                                                       \
        apr_status_t try_status = (call);                                      \
        if (try_status != APR_SUCCESS)                                         \
            return try_status;                                                 \
    } while (0)

apr_status_t condreq_collection_lookup(condreq_collection_t *collection,
                                       const condreq_resource_t *resource,
                                       apr_time_t now_us,
                                       condreq_trouble_t *trouble,
                                       apr_pool_t *pool)
{
    condreq_store_t *store = resource->store;
    condreq_place_t beginning = {"", 0};
    condreq_entry_t first;
    apr_size_t count;

    STORE_TRY(store->provider->collection(store, resource->key, now_us,
                                          &collection->state, trouble, pool));
    collection->exists = collection->state.documents > 0;
    if (collection->exists || collection->state.version == 0)
        return APR_SUCCESS;
    /* Where documents come and go meanwhile the count may have missed all. */
    STORE_TRY(store->provider->list(store, resource->key, &beginning, &first, 1,
                                    &count, trouble, pool));
    collection->exists = count > 0;
    return APR_SUCCESS;
}

/* ---- validators ---- */

void condreq_collection_variant(char *variant, const char *text)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789._";
    unsigned char hash[SHA256_DIGEST_LENGTH];
    int i;

    SHA256((const unsigned char *)text, strlen(text), hash);
    for (i = 0; i < CONDREQ_VARIANT_LENGTH; i++)
        variant[i] = alphabet[hash[i] & 63];
    variant[CONDREQ_VARIANT_LENGTH] = '\0';
}

static const char *version_text(const condreq_resource_t *resource,
                                const condreq_collection_t *collection,
                                apr_pool_t *pool)
{
    if (resource->store->incarnation)
        return apr_psprintf(pool, "%" APR_UINT64_T_FMT ".%" APR_UINT64_T_FMT,
                            collection->state.version,
                            resource->store->incarnation);
    return apr_psprintf(pool, "%" APR_UINT64_T_FMT, collection->state.version);
}

const condreq_representation_t *condreq_collection_representation(
    condreq_representation_t *repr, const condreq_resource_t *resource,
    const condreq_collection_t *collection, const char *variant,
    apr_time_t now_us, apr_pool_t *pool)
{
    const condreq_rules_t *rules = resource->rules;
    const char *version = version_text(resource, collection, pool);

    if (!collection->exists)
        return NULL;
    memset(repr, 0, sizeof *repr);
    if (rules->strategy.kind != CONDREQ_STRATEGY_NONE) {
        repr->etag.opaque_tag =
            variant ? apr_pstrcat(pool, "\"", version, "-", variant, "\"", NULL)
                    : apr_pstrcat(pool, "\"", version, "\"", NULL);
        repr->etag.length = strlen(repr->etag.opaque_tag);
        repr->etag.weak = rules->strategy.weak;
    }
    repr->coding_suffixes = resource->coding_suffixes;
    repr->has_last_modified = rules->last_modified;
    repr->last_modified_s = apr_time_sec(collection->state.mtime_us);
    repr->last_modified_pending = repr->last_modified_s >= apr_time_sec(now_us);
    return repr;
}

/* ---- preconditions ---- */

/* The tag without its variant, and without what a coding put behind that. */
static condreq_etag_t without_variant(const condreq_etag_t *tag,
                                      apr_pool_t *pool)
{
    const char *hyphen = memchr(tag->opaque_tag, '-', tag->length);
    apr_size_t rest =
        hyphen ? tag->length - (apr_size_t)(hyphen - tag->opaque_tag) : 0;
    condreq_etag_t plain = *tag;

    /* A hyphen, the variant and the quote at least. */
    if (rest < 2 + CONDREQ_VARIANT_LENGTH)
        return plain;
    hyphen += 1 + CONDREQ_VARIANT_LENGTH;
    plain.opaque_tag = apr_pstrcat(
        pool, apr_pstrmemdup(pool, tag->opaque_tag, tag->length - rest),
        apr_pstrmemdup(pool, hyphen, rest - 1 - CONDREQ_VARIANT_LENGTH), NULL);
    plain.length = tag->length - 1 - CONDREQ_VARIANT_LENGTH;
    return plain;
}

static void list_without_variants(condreq_etag_list_t *list, apr_pool_t *pool)
{
    condreq_etag_t *tags = apr_palloc(pool, list->count * sizeof *tags + 1);
    apr_size_t i;

    for (i = 0; i < list->count; i++)
        tags[i] = without_variant(&list->tags[i], pool);
    list->tags = tags;
}

condreq_verdict_t condreq_collection_evaluate(
    const condreq_preconditions_t *pre, const condreq_resource_t *resource,
    const condreq_collection_t *collection, apr_pool_t *pool)
{
    condreq_preconditions_t plain = *pre;
    condreq_representation_t room;
    const condreq_representation_t *repr = condreq_collection_representation(
        &room, resource, collection, NULL, 0, pool);

    list_without_variants(&plain.if_match, pool);
    list_without_variants(&plain.if_none_match, pool);
    return condreq_evaluate(&plain, repr, 0, resource->rules->evaluate);
}

apr_status_t condreq_collection_bind(condreq_txn_t *txn,
                                     const condreq_resource_t *resource,
                                     const condreq_preconditions_t *pre,
                                     condreq_collection_t *collection,
                                     condreq_verdict_t *verdict,
                                     apr_pool_t *pool)
{
    STORE_TRY(txn->store->provider->collection_get(txn, resource->key,
                                                   &collection->state));
    collection->exists = collection->state.documents > 0;
    *verdict = condreq_collection_evaluate(pre, resource, collection, pool);
    return APR_SUCCESS;
}

/* ---- the end of one ---- */

/* Documents to be removed, read before the first of them is, and the locks
 * that go with them. */
typedef struct doomed_t {
    const char **keys;
    apr_size_t count;
    condreq_lock_list_t locks;
} doomed_t;

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In one order, so that two removals do not meet crosswise. */
static apr_status_t find_doomed(doomed_t *doomed, condreq_txn_t *txn,
                                const condreq_resource_t *resource,
                                apr_pool_t *pool)
{
    doomed->keys = apr_palloc(pool, ROOM * sizeof *doomed->keys);
    STORE_TRY(txn->store->provider->below(txn, resource->key, doomed->keys,
                                          ROOM, &doomed->count, pool));
    qsort(doomed->keys, doomed->count, sizeof *doomed->keys, by_key);
    return APR_SUCCESS;
}

static int all_are_allowed(const doomed_t *doomed, apr_hash_t *allowed)
{
    apr_size_t i;

    for (i = 0; allowed && i < doomed->count; i++)
        if (!apr_hash_get(allowed, doomed->keys[i], APR_HASH_KEY_STRING))
            return 0;
    return 1;
}

static apr_status_t measure(const doomed_t *doomed, condreq_txn_t *txn,
                            apr_uint64_t *bytes)
{
    condreq_record_t record;
    apr_size_t i;

    *bytes = 0;
    for (i = 0; i < doomed->count; i++) {
        STORE_TRY(txn->store->provider->get(txn, doomed->keys[i], &record));
        *bytes += record.body_length;
    }
    return APR_SUCCESS;
}

static apr_status_t remove_one(condreq_txn_t *txn, const char *key,
                               apr_time_t now_us)
{
    const condreq_store_provider_t *store = txn->store->provider;
    condreq_record_t current, next;

    STORE_TRY(store->get(txn, key, &current));
    if (current.state != CONDREQ_LIVE)
        return APR_SUCCESS;
    condreq_record_next(&next, &current, now_us);
    next.state = CONDREQ_TOMBSTONE;
    STORE_TRY(store->body_remove(txn, key, &current));
    return store->put(txn, key, &next);
}

static apr_status_t check_size(condreq_removal_t *removal, condreq_txn_t *txn,
                               const doomed_t *doomed)
{
    apr_uint64_t bytes;

    if (doomed->count > CONDREQ_COLLECTION_DOCUMENTS_MAX) {
        removal->outcome = CONDREQ_REMOVAL_TOO_LARGE;
        return APR_SUCCESS;
    }
    STORE_TRY(measure(doomed, txn, &bytes));
    if (bytes > CONDREQ_COLLECTION_BYTES_MAX)
        removal->outcome = CONDREQ_REMOVAL_TOO_LARGE;
    return APR_SUCCESS;
}

/* The collection, what it is a member of, and all that is below. */
static apr_status_t check_locks(condreq_removal_t *removal, condreq_txn_t *txn,
                                doomed_t *doomed, apr_time_t now_us,
                                apr_pool_t *pool)
{
    condreq_claim_answer_t answer;
    condreq_record_t none;

    memset(&none, 0, sizeof none);
    STORE_TRY(condreq_claim_decide(&answer, txn, removal->resource, &none,
                                   removal->claim, CONDREQ_CLAIM_ON_MEMBERSHIP,
                                   now_us, pool));
    if (answer.verdict == CONDREQ_CLAIM_GOOD)
        STORE_TRY(condreq_claim_below(&answer, txn, removal->resource->key,
                                      removal->claim, now_us, pool));
    doomed->locks = answer.near;
    removal->lock = answer.lock;
    if (answer.verdict == CONDREQ_CLAIM_FALSE)
        removal->outcome = CONDREQ_REMOVAL_FAILED;
    else if (answer.verdict == CONDREQ_CLAIM_LOCKED)
        removal->outcome = CONDREQ_REMOVAL_LOCKED;
    return APR_SUCCESS;
}

/* What speaks against it, now that nobody else writes below the collection.
 * The preconditions come last (section 13.2.1). */
static apr_status_t removal_decide(condreq_removal_t *removal,
                                   condreq_txn_t *txn, doomed_t *doomed,
                                   apr_time_t now_us, apr_pool_t *pool)
{
    condreq_collection_t collection;
    condreq_verdict_t verdict;

    removal->outcome = CONDREQ_REMOVED;
    STORE_TRY(condreq_collection_bind(txn, removal->resource,
                                      removal->preconditions, &collection,
                                      &verdict, pool));
    STORE_TRY(find_doomed(doomed, txn, removal->resource, pool));
    STORE_TRY(check_size(removal, txn, doomed));
    if (!collection.exists)
        removal->outcome = CONDREQ_REMOVAL_MISSING;
    else if (removal->outcome != CONDREQ_REMOVED)
        return APR_SUCCESS;
    else if (!all_are_allowed(doomed, removal->allowed))
        removal->outcome = CONDREQ_REMOVAL_OTHERS;
    else
        STORE_TRY(check_locks(removal, txn, doomed, now_us, pool));
    if (removal->outcome == CONDREQ_REMOVED && verdict == CONDREQ_FAILED)
        removal->outcome = CONDREQ_REMOVAL_FAILED;
    return APR_SUCCESS;
}

/* May run more than once. */
static apr_status_t txn_body_remove(condreq_txn_t *txn, void *baton,
                                    apr_pool_t *pool)
{
    condreq_removal_t *removal = baton;
    doomed_t doomed = {NULL, 0, {NULL, 0}};
    apr_time_t now_us = apr_time_now();
    apr_size_t i;

    STORE_TRY(removal_decide(removal, txn, &doomed, now_us, pool));
    if (removal->outcome != CONDREQ_REMOVED)
        return APR_SUCCESS;
    for (i = 0; i < doomed.count; i++)
        STORE_TRY(remove_one(txn, doomed.keys[i], now_us));
    for (i = 0; i < doomed.locks.count; i++)
        STORE_TRY(
            txn->store->provider->lock_remove(txn, doomed.locks.locks[i]));
    return APR_SUCCESS;
}

apr_status_t condreq_collection_remove(condreq_removal_t *removal,
                                       condreq_trouble_t *trouble,
                                       apr_pool_t *pool)
{
    condreq_store_t *store = removal->resource->store;

    return store->provider->txn(store, txn_body_remove, removal, trouble, pool);
}

typedef struct finding_t {
    const condreq_resource_t *resource;
    doomed_t doomed;
} finding_t;

static apr_status_t txn_body_find(condreq_txn_t *txn, void *baton,
                                  apr_pool_t *pool)
{
    finding_t *finding = baton;

    return find_doomed(&finding->doomed, txn, finding->resource, pool);
}

apr_status_t condreq_collection_documents(apr_array_header_t **keys,
                                          const condreq_resource_t *resource,
                                          condreq_trouble_t *trouble,
                                          apr_pool_t *pool)
{
    condreq_store_t *store = resource->store;
    finding_t finding = {resource, {NULL, 0, {NULL, 0}}};
    apr_size_t i;

    STORE_TRY(
        store->provider->txn(store, txn_body_find, &finding, trouble, pool));
    *keys = apr_array_make(pool, (int)finding.doomed.count, sizeof(char *));
    for (i = 0; i < finding.doomed.count; i++)
        APR_ARRAY_PUSH(*keys, const char *) = finding.doomed.keys[i];
    return APR_SUCCESS;
}
