/* What a request claims about locks, decided in its transaction.
 * Knows locks, records and the store interface; no request.
 * Rules: RFC 4918 sections 7 (what a lock keeps from whom) and 10.4 (If). */
#include "condreq_claim.h"

#include <string.h>

#include "apr_tables.h"

#include "condreq_document.h"
#include "condreq_key.h"

#define STORE_TRY(call)                                                        \
    do {                                                                       \
        apr_status_t try_status = (call);                                      \
        if (try_status != APR_SUCCESS)                                         \
            return try_status;                                                 \
    } while (0)

/* ---- locks that may matter ---- */

static int collect(void *baton, const condreq_lock_t *lock)
{
    APR_ARRAY_PUSH((apr_array_header_t *)baton, const condreq_lock_t *) = lock;
    return 1;
}

apr_status_t condreq_locks_near(condreq_lock_list_t *list, condreq_txn_t *txn,
                                const char *key, apr_pool_t *pool)
{
    apr_array_header_t *found = apr_array_make(pool, 2, sizeof(void *));
    int has_locks;

    memset(list, 0, sizeof *list);
    STORE_TRY(txn->store->provider->txn_has_locks(txn, key, &has_locks));
    if (!has_locks)
        return APR_SUCCESS;
    for (; key; key = condreq_key_parent(key, pool)) {
        condreq_lock_range_t range = {key, 0, NULL};

        STORE_TRY(txn->store->provider->locks_scan(txn, &range, collect, found,
                                                   pool));
    }
    list->locks = (const condreq_lock_t *const *)found->elts;
    list->count = (apr_size_t)found->nelts;
    return APR_SUCCESS;
}

apr_status_t condreq_locks_clear(const condreq_lock_list_t *list,
                                 condreq_txn_t *txn, const char *deleted,
                                 apr_time_t now_us)
{
    apr_size_t i;

    for (i = 0; i < list->count; i++) {
        const condreq_lock_t *lock = list->locks[i];

        if (!condreq_lock_lives(lock, now_us) ||
            (deleted && !strcmp(lock->root, deleted)))
            STORE_TRY(txn->store->provider->lock_remove(txn, lock));
    }
    return APR_SUCCESS;
}

/* ---- If ---- */

/* One transaction's view of what If is about. */
typedef struct view_t {
    condreq_txn_t *txn;
    const condreq_resource_t *own;
    const condreq_record_t *own_record;
    const condreq_lock_list_t *own_near;
    apr_time_t now_us;
    apr_pool_t *pool;
} view_t;

static const char *const *tokens_of(const condreq_lock_list_t *near,
                                    const char *key, const view_t *view)
{
    const char **tokens =
        apr_palloc(view->pool, (near->count + 1) * sizeof *tokens);
    apr_size_t i, count = 0;

    for (i = 0; i < near->count; i++) {
        if (condreq_lock_lives(near->locks[i], view->now_us) &&
            condreq_lock_covers(near->locks[i], key))
            tokens[count++] = near->locks[i]->token;
    }
    tokens[count] = NULL;
    return tokens;
}

/* A resource that is not there has the tokens of the collections above it all
 * the same: it is in their scope. */
static void state_of(condreq_if_state_t *state,
                     const condreq_resource_t *resource,
                     const condreq_record_t *record,
                     const condreq_lock_list_t *near, const view_t *view)
{
    condreq_representation_t room;
    const condreq_representation_t *repr = condreq_document_representation(
        &room, resource, record, view->now_us, view->pool);

    memset(state, 0, sizeof *state);
    if (repr) {
        state->etag = repr->etag;
        state->coding_suffixes = repr->coding_suffixes;
    }
    state->tokens = tokens_of(near, resource->key, view);
}

/* Section 10.4.4: what is no resource of ours has no state that could match. */
static apr_status_t find_state(condreq_if_state_t *state,
                               const condreq_resource_t *target,
                               const view_t *view)
{
    condreq_record_t record;
    condreq_lock_list_t near;

    memset(state, 0, sizeof *state);
    if (!target)
        return APR_SUCCESS;
    if (!strcmp(target->key, view->own->key)) {
        state_of(state, view->own, view->own_record, view->own_near, view);
        return APR_SUCCESS;
    }
    STORE_TRY(view->txn->store->provider->get(view->txn, target->key, &record));
    STORE_TRY(condreq_locks_near(&near, view->txn, target->key, view->pool));
    state_of(state, target, &record, &near, view);
    return APR_SUCCESS;
}

/* Section 10.4.3: the field is true where one of its lists is. Lists of one
 * Resource-Tag stand together and share a state. */
static apr_status_t if_holds(int *holds, const condreq_claim_t *claim,
                             const view_t *view)
{
    const condreq_if_t *if_field = &claim->if_field;
    condreq_if_state_t state;
    apr_size_t i;

    *holds = !if_field->given;
    for (i = 0; i < if_field->count && !*holds; i++) {
        if (i == 0 || claim->targets[i] != claim->targets[i - 1])
            STORE_TRY(find_state(&state, claim->targets[i], view));
        *holds = condreq_if_list_holds(&if_field->lists[i], &state);
    }
    return APR_SUCCESS;
}

/* ---- the whole ---- */

/* Section 7.4: who makes or removes a member changes the collection, and a lock
 * on that, be it of depth 0, protects its membership. */
static const condreq_lock_t *in_the_way(const condreq_lock_list_t *near,
                                        const char *key,
                                        const condreq_claim_t *claim,
                                        condreq_claim_on_t on,
                                        apr_time_t now_us, apr_pool_t *pool)
{
    condreq_lock_claim_t submitted = {NULL, NULL};
    const condreq_lock_t *lock = NULL;
    const char *parent;

    if (claim) {
        submitted.if_field = &claim->if_field;
        submitted.user = claim->user;
    }
    if (on != CONDREQ_CLAIM_ON_NOTHING)
        lock = condreq_lock_in_the_way(near, key, &submitted, now_us);
    if (!lock && on == CONDREQ_CLAIM_ON_MEMBERSHIP &&
        (parent = condreq_key_parent(key, pool)) != NULL)
        lock = condreq_lock_in_the_way(near, parent, &submitted, now_us);
    return lock;
}

apr_status_t condreq_claim_decide(condreq_claim_answer_t *answer,
                                  condreq_txn_t *txn,
                                  const condreq_resource_t *resource,
                                  const condreq_record_t *current,
                                  const condreq_claim_t *claim,
                                  condreq_claim_on_t on, apr_time_t now_us,
                                  apr_pool_t *pool)
{
    view_t view = {txn, resource, current, &answer->near, now_us, pool};
    int holds = 1;

    memset(answer, 0, sizeof *answer);
    answer->verdict = CONDREQ_CLAIM_GOOD;
    STORE_TRY(condreq_locks_near(&answer->near, txn, resource->key, pool));
    if (claim)
        STORE_TRY(if_holds(&holds, claim, &view));
    if (!holds) {
        answer->verdict = CONDREQ_CLAIM_FALSE;
        return APR_SUCCESS;
    }
    answer->lock =
        in_the_way(&answer->near, resource->key, claim, on, now_us, pool);
    if (answer->lock)
        answer->verdict = CONDREQ_CLAIM_LOCKED;
    return APR_SUCCESS;
}

/* How many of the locks, from the first on, have its root: a scan brings them
 * one after the other. */
static apr_size_t of_one_root(const condreq_lock_list_t *locks)
{
    apr_size_t count = 1;

    while (count < locks->count &&
           !strcmp(locks->locks[count]->root, locks->locks[0]->root))
        count++;
    return count;
}

apr_status_t condreq_claim_below(condreq_claim_answer_t *answer,
                                 condreq_txn_t *txn, const char *collection,
                                 const condreq_claim_t *claim,
                                 apr_time_t now_us, apr_pool_t *pool)
{
    apr_array_header_t *found = apr_array_make(pool, 2, sizeof(void *));
    condreq_lock_range_t range = {collection, 1, NULL};
    condreq_lock_list_t rest, of_root;
    int has_locks;

    memset(answer, 0, sizeof *answer);
    answer->verdict = CONDREQ_CLAIM_GOOD;
    STORE_TRY(txn->store->provider->txn_has_locks(txn, collection, &has_locks));
    if (has_locks)
        STORE_TRY(txn->store->provider->locks_scan(txn, &range, collect, found,
                                                   pool));
    answer->near.locks = (const condreq_lock_t *const *)found->elts;
    answer->near.count = (apr_size_t)found->nelts;
    for (rest = answer->near; rest.count > 0 && !answer->lock;
         rest.locks += of_root.count, rest.count -= of_root.count) {
        of_root.locks = rest.locks;
        of_root.count = of_one_root(&rest);
        answer->lock = in_the_way(&of_root, rest.locks[0]->root, claim,
                                  CONDREQ_CLAIM_ON_CONTENT, now_us, pool);
    }
    if (answer->lock)
        answer->verdict = CONDREQ_CLAIM_LOCKED;
    return APR_SUCCESS;
}

typedef struct check_t {
    const condreq_resource_t *resource;
    const condreq_record_t *current;
    const condreq_claim_t *claim;
    condreq_claim_answer_t answer;
} check_t;

/* May run more than once. */
static apr_status_t txn_body_check(condreq_txn_t *txn, void *baton,
                                   apr_pool_t *pool)
{
    check_t *check = baton;

    return condreq_claim_decide(&check->answer, txn, check->resource,
                                check->current, check->claim,
                                CONDREQ_CLAIM_ON_NOTHING, apr_time_now(), pool);
}

apr_status_t condreq_claim_if_holds(int *holds,
                                    const condreq_resource_t *resource,
                                    const condreq_record_t *current,
                                    const condreq_claim_t *claim,
                                    condreq_trouble_t *trouble,
                                    apr_pool_t *pool)
{
    check_t check = {
        resource, current, claim, {CONDREQ_CLAIM_GOOD, NULL, {NULL, 0}}};
    condreq_store_t *store = resource->store;
    apr_status_t status = APR_SUCCESS;

    if (claim->if_field.given)
        status =
            store->provider->txn(store, txn_body_check, &check, trouble, pool);
    *holds = check.answer.verdict != CONDREQ_CLAIM_FALSE;
    return status;
}

apr_status_t condreq_claim_matters(int *matters,
                                   const condreq_resource_t *resource,
                                   const condreq_claim_t *claim,
                                   condreq_trouble_t *trouble, apr_pool_t *pool)
{
    *matters = claim && claim->if_field.given;
    if (*matters)
        return APR_SUCCESS;
    return resource->store->provider->has_locks(resource->store, resource->key,
                                                matters, trouble, pool);
}
