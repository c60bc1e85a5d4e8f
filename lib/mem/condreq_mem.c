/* The store in memory: the reference that the suite measures others by.
 * Knows the promises of condreq_store.h in their plainest form; no disk, and
 * no second process.
 *
 * config->path names a store: two opens of one name share it, and it lasts as
 * long as the process, as a directory would. One mutex for all of them is held
 * for the whole of every call and transaction; a transaction that aborts
 * takes its steps back. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apr_hash.h"
#include "apr_strings.h"
#include "apr_tables.h"

#include "condreq_key.h"
#include "condreq_store.h"

/* A lock never changes: another takes its place. */
typedef struct mem_lock_t {
    struct mem_lock_t *next;
    apr_pool_t *pool;
    condreq_lock_t lock;
} mem_lock_t;

typedef struct mem_body_t {
    /** its own, so that its memory is given back alone */
    apr_pool_t *pool;
    apr_uint64_t id;
    apr_uint64_t length;
    char *bytes;
} mem_body_t;

/* One document or collection. Kept for ever, as a tombstone is. */
typedef struct mem_entry_t {
    condreq_record_t record;
    /** the next number of the sequence, less 1 */
    apr_uint64_t drawn;
} mem_entry_t;

typedef struct mem_store_t {
    condreq_store_t base;
    struct mem_store_t *next;
    const char *path;
    apr_pool_t *pool;
    /** key to mem_entry_t */
    apr_hash_t *entries;
    /** body id to mem_body_t */
    apr_hash_t *bodies;
    /** in the order of a scan */
    mem_lock_t *locks;
    apr_uint64_t last_body_id;
    /** microseconds, made different for each change */
    apr_uint64_t last_change;
    apr_interval_time_t wait_us;
} mem_store_t;

/* One step of a transaction, to be taken back. */
typedef struct mem_step_t {
    struct mem_step_t *before;
    /** a record was written: what stood there */
    mem_entry_t *entry;
    condreq_record_t record;
    /** or a body was stored, or removed */
    mem_body_t *stored;
    mem_body_t *removed;
    /** or a lock was */
    mem_lock_t *locked;
    mem_lock_t *unlocked;
} mem_step_t;

typedef struct mem_txn_t {
    condreq_txn_t base;
    mem_step_t *last;
    apr_pool_t *pool;
} mem_txn_t;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static mem_store_t *stores;

static apr_status_t enter(apr_interval_time_t wait_us,
                          condreq_trouble_t *trouble)
{
    apr_time_t until = apr_time_now() + wait_us;
    struct timespec deadline = {apr_time_sec(until),
                                apr_time_usec(until) * 1000};
    int failed = pthread_mutex_timedlock(&mutex, &deadline);

    if (failed)
        return condreq_trouble(trouble,
                               failed == ETIMEDOUT ? APR_TIMEUP : failed,
                               "entering the store in memory");
    return APR_SUCCESS;
}

static void leave(void)
{
    pthread_mutex_unlock(&mutex);
}

static mem_store_t *store_named(const char *path)
{
    mem_store_t *store = stores;

    while (store && strcmp(store->path, path))
        store = store->next;
    return store;
}

static apr_status_t store_make(const char *path)
{
    mem_store_t *store;
    apr_pool_t *pool;
    apr_status_t status = apr_pool_create(&pool, NULL);

    if (status != APR_SUCCESS)
        return status;
    store = apr_pcalloc(pool, sizeof(*store));
    store->base.provider = &condreq_store_mem;
    store->pool = pool;
    store->path = apr_pstrdup(pool, path);
    store->entries = apr_hash_make(pool);
    store->bodies = apr_hash_make(pool);
    store->next = stores;
    stores = store;
    return APR_SUCCESS;
}

static apr_status_t mem_prepare(const condreq_store_config_t *config,
                                condreq_trouble_t *trouble, apr_pool_t *pool)
{
    apr_status_t status = enter(config->wait_us, trouble);

    (void)pool;
    if (status != APR_SUCCESS)
        return status;
    if (!store_named(config->path))
        status = store_make(config->path);
    leave();
    if (status != APR_SUCCESS)
        return condreq_trouble(trouble, status, "making %s", config->path);
    return APR_SUCCESS;
}

static apr_status_t mem_open(condreq_store_t **store,
                             const condreq_store_config_t *config,
                             condreq_trouble_t *trouble, apr_pool_t *pool)
{
    mem_store_t *found;
    apr_status_t status = enter(config->wait_us, trouble);

    (void)pool;
    if (status != APR_SUCCESS)
        return status;
    found = store_named(config->path);
    if (found)
        found->wait_us = config->wait_us;
    leave();
    if (!found)
        return condreq_trouble(trouble, APR_ENOENT,
                               "opening the store in %s, never prepared",
                               config->path);
    *store = &found->base;
    return APR_SUCCESS;
}

static apr_status_t mem_maintain(condreq_store_t *store,
                                 condreq_trouble_t *trouble, apr_pool_t *pool)
{
    (void)store;
    (void)trouble;
    (void)pool;
    return APR_SUCCESS;
}

static mem_entry_t *entry_of(mem_store_t *store, const char *key)
{
    return apr_hash_get(store->entries, key, APR_HASH_KEY_STRING);
}

static mem_entry_t *entry_ensure(mem_store_t *store, const char *key)
{
    mem_entry_t *entry = entry_of(store, key);

    if (entry)
        return entry;
    entry = apr_pcalloc(store->pool, sizeof(*entry));
    apr_hash_set(store->entries, apr_pstrdup(store->pool, key),
                 APR_HASH_KEY_STRING, entry);
    return entry;
}

static void read_record(mem_store_t *store, const char *key,
                        condreq_record_t *record)
{
    mem_entry_t *entry = entry_of(store, key);

    memset(record, 0, sizeof(*record));
    if (entry)
        *record = entry->record;
}

static apr_status_t mem_lookup(condreq_store_t *base, const char *key,
                               condreq_record_t *record,
                               condreq_trouble_t *trouble, apr_pool_t *pool)
{
    mem_store_t *store = (mem_store_t *)base;
    apr_status_t status = enter(store->wait_us, trouble);

    (void)pool;
    if (status != APR_SUCCESS)
        return status;
    read_record(store, key, record);
    leave();
    return APR_SUCCESS;
}

/* A body without bytes is never missed. */
static apr_status_t read_body(mem_store_t *store,
                              const condreq_record_t *record,
                              apr_uint64_t offset, char *bytes,
                              apr_size_t length)
{
    mem_body_t *body =
        apr_hash_get(store->bodies, &record->body_id, sizeof(record->body_id));

    if (length == 0)
        return APR_SUCCESS;
    if (!body || body->length < offset + length)
        return APR_NOTFOUND;
    memcpy(bytes, body->bytes + offset, length);
    return APR_SUCCESS;
}

static apr_status_t mem_body_read(condreq_store_t *base, const char *key,
                                  const condreq_record_t *record,
                                  apr_uint64_t offset, char *bytes,
                                  apr_size_t length, condreq_trouble_t *trouble,
                                  apr_pool_t *pool)
{
    mem_store_t *store = (mem_store_t *)base;
    apr_status_t status = enter(store->wait_us, trouble);

    (void)pool;
    if (status != APR_SUCCESS)
        return status;
    status = read_body(store, record, offset, bytes, length);
    leave();
    if (status != APR_SUCCESS)
        return condreq_trouble(trouble, status, "the body of %.100s", key);
    return APR_SUCCESS;
}

static apr_status_t mem_draw(condreq_store_t *base, const char *collection,
                             apr_uint64_t *number, condreq_trouble_t *trouble,
                             apr_pool_t *pool)
{
    mem_store_t *store = (mem_store_t *)base;
    apr_status_t status = enter(store->wait_us, trouble);

    (void)pool;
    if (status != APR_SUCCESS)
        return status;
    *number = ++entry_ensure(store, collection)->drawn;
    leave();
    return APR_SUCCESS;
}

static void body_out(mem_store_t *store, const mem_body_t *body)
{
    apr_hash_set(store->bodies, &body->id, sizeof(body->id), NULL);
}

static void body_in(mem_store_t *store, mem_body_t *body)
{
    apr_hash_set(store->bodies, &body->id, sizeof(body->id), body);
}

static int lock_order(const condreq_lock_t *a, const condreq_lock_t *b)
{
    int order = strcmp(a->root, b->root);

    return order ? order : strcmp(a->token, b->token);
}

/* Where the lock is, or belongs. */
static mem_lock_t **lock_place(mem_store_t *store, const condreq_lock_t *lock)
{
    mem_lock_t **place = &store->locks;

    while (*place && lock_order(&(*place)->lock, lock) < 0)
        place = &(*place)->next;
    return place;
}

static void lock_in(mem_store_t *store, mem_lock_t *lock)
{
    mem_lock_t **place = lock_place(store, &lock->lock);

    lock->next = *place;
    *place = lock;
}

static void lock_out(mem_store_t *store, mem_lock_t *lock)
{
    *lock_place(store, &lock->lock) = lock->next;
}

static void step_back(mem_store_t *store, mem_step_t *step)
{
    if (step->locked) {
        lock_out(store, step->locked);
        apr_pool_destroy(step->locked->pool);
    }
    if (step->unlocked)
        lock_in(store, step->unlocked);
    if (step->entry)
        step->entry->record = step->record;
    if (step->removed)
        body_in(store, step->removed);
    if (step->stored) {
        body_out(store, step->stored);
        apr_pool_destroy(step->stored->pool);
    }
}

static void abort_steps(mem_store_t *store, mem_step_t *last)
{
    for (; last; last = last->before)
        step_back(store, last);
}

static void commit_steps(mem_step_t *last)
{
    for (; last; last = last->before) {
        if (last->removed)
            apr_pool_destroy(last->removed->pool);
        if (last->unlocked)
            apr_pool_destroy(last->unlocked->pool);
    }
}

static apr_status_t mem_txn(condreq_store_t *base, condreq_txn_body_t *body,
                            void *baton, condreq_trouble_t *trouble,
                            apr_pool_t *pool)
{
    mem_store_t *store = (mem_store_t *)base;
    mem_txn_t txn = {{base, trouble}, NULL, NULL};
    apr_status_t status = apr_pool_create(&txn.pool, pool);

    if (status != APR_SUCCESS)
        return condreq_trouble(trouble, status, "making a pool");
    if ((status = enter(store->wait_us, trouble)) != APR_SUCCESS)
        return status;
    status = body(&txn.base, baton, txn.pool);
    if (status == APR_SUCCESS)
        commit_steps(txn.last);
    else
        abort_steps(store, txn.last);
    leave();
    return status;
}

static mem_step_t *step_begin(mem_txn_t *txn)
{
    mem_step_t *step = apr_pcalloc(txn->pool, sizeof(*step));

    step->before = txn->last;
    txn->last = step;
    return step;
}

static apr_status_t mem_get(condreq_txn_t *txn, const char *key,
                            condreq_record_t *record)
{
    read_record((mem_store_t *)txn->store, key, record);
    return APR_SUCCESS;
}

static apr_uint64_t change_number(mem_store_t *store)
{
    apr_uint64_t now = (apr_uint64_t)apr_time_now();

    store->last_change =
        now > store->last_change ? now : store->last_change + 1;
    return store->last_change;
}

static apr_status_t mem_put(condreq_txn_t *txn, const char *key,
                            const condreq_record_t *record)
{
    mem_entry_t *entry;
    mem_step_t *step;

    if (strlen(key) > CONDREQ_KEY_MAX)
        return condreq_trouble(txn->trouble, APR_EINVAL, "writing a record");
    entry = entry_ensure((mem_store_t *)txn->store, key);
    step = step_begin((mem_txn_t *)txn);
    step->entry = entry;
    step->record = entry->record;
    entry->record = *record;
    entry->record.change = change_number((mem_store_t *)txn->store);
    return APR_SUCCESS;
}

static apr_status_t mem_body_get(condreq_txn_t *txn, const char *key,
                                 const condreq_record_t *record, char *bytes)
{
    apr_status_t status = read_body((mem_store_t *)txn->store, record, 0, bytes,
                                    (apr_size_t)record->body_length);

    if (status != APR_SUCCESS)
        return condreq_trouble(txn->trouble, status, "the body of %.100s", key);
    return APR_SUCCESS;
}

static apr_status_t mem_body_put(condreq_txn_t *txn, const char *key,
                                 condreq_record_t *record, const char *bytes)
{
    mem_store_t *store = (mem_store_t *)txn->store;
    apr_pool_t *pool;
    mem_body_t *body;
    apr_status_t status = apr_pool_create(&pool, store->pool);

    if (status != APR_SUCCESS)
        return condreq_trouble(txn->trouble, status, "the body of %.100s", key);
    body = apr_palloc(pool, sizeof(*body));
    body->pool = pool;
    body->id = record->body_id = ++store->last_body_id;
    body->length = record->body_length;
    body->bytes = apr_pmemdup(pool, bytes, (apr_size_t)body->length);
    body_in(store, body);
    step_begin((mem_txn_t *)txn)->stored = body;
    return APR_SUCCESS;
}

static apr_status_t mem_body_remove(condreq_txn_t *txn, const char *key,
                                    const condreq_record_t *record)
{
    mem_store_t *store = (mem_store_t *)txn->store;
    mem_body_t *body =
        apr_hash_get(store->bodies, &record->body_id, sizeof(record->body_id));

    if (!body)
        return condreq_trouble(txn->trouble, APR_NOTFOUND, "the body of %.100s",
                               key);
    body_out(store, body);
    step_begin((mem_txn_t *)txn)->removed = body;
    return APR_SUCCESS;
}

/* ---- collections: a look at every entry ---- */

static int is_below(const char *key, const char *collection)
{
    size_t length = strlen(collection);

    return !strncmp(key, collection, length) && key[length] != '\0';
}

static int is_member(const char *key, const mem_entry_t *entry,
                     const char *collection)
{
    return entry->record.state == CONDREQ_LIVE && is_below(key, collection);
}

/* What a walk over all entries is for. */
typedef struct mem_walk_t {
    const char *collection;
    void (*see)(struct mem_walk_t *walk, const char *key,
                const mem_entry_t *entry);
    apr_array_header_t *found;
    condreq_collection_state_t state;
    apr_uint64_t since;
    const condreq_place_t *from;
    apr_pool_t *pool;
} mem_walk_t;

static void walk_entries(mem_store_t *store, mem_walk_t *walk)
{
    apr_hash_index_t *at;

    for (at = apr_hash_first(walk->pool, store->entries); at;
         at = apr_hash_next(at))
        walk->see(walk, apr_hash_this_key(at), apr_hash_this_val(at));
}

static void see_key(mem_walk_t *walk, const char *key, const mem_entry_t *entry)
{
    if (is_member(key, entry, walk->collection))
        APR_ARRAY_PUSH(walk->found, const char *) =
            apr_pstrdup(walk->pool, key);
}

static apr_status_t mem_below(condreq_txn_t *txn, const char *collection,
                              const char **keys, apr_size_t room,
                              apr_size_t *count, apr_pool_t *pool)
{
    mem_walk_t walk = {.collection = collection, .see = see_key, .pool = pool};

    walk.found = apr_array_make(pool, 0, sizeof(const char *));
    walk_entries((mem_store_t *)txn->store, &walk);
    for (*count = 0; *count < room && *count < (apr_size_t)walk.found->nelts;
         ++*count)
        keys[*count] = APR_ARRAY_IDX(walk.found, (int)*count, const char *);
    return APR_SUCCESS;
}

static apr_status_t mem_has_members(condreq_txn_t *txn, const char *collection,
                                    int *has_members)
{
    const char *key;
    apr_size_t count;

    mem_below(txn, collection, &key, 1, &count, ((mem_txn_t *)txn)->pool);
    *has_members = count > 0;
    return APR_SUCCESS;
}

/* A collection's own record counts too. */
static void see_version(mem_walk_t *walk, const char *key,
                        const mem_entry_t *entry)
{
    if (strncmp(key, walk->collection, strlen(walk->collection)) != 0)
        return;
    walk->state.version += entry->record.version;
    walk->state.documents += entry->record.state == CONDREQ_LIVE;
    if (entry->record.change > walk->state.change)
        walk->state.change = entry->record.change;
}

static void read_collection(mem_store_t *store, const char *collection,
                            condreq_collection_state_t *state, apr_pool_t *pool)
{
    mem_walk_t walk = {
        .collection = collection, .see = see_version, .pool = pool};

    walk_entries(store, &walk);
    *state = walk.state;
    state->mtime_us = (apr_time_t)state->change;
}

static apr_status_t mem_collection(condreq_store_t *base,
                                   const char *collection, apr_time_t now_us,
                                   condreq_collection_state_t *state,
                                   condreq_trouble_t *trouble, apr_pool_t *pool)
{
    mem_store_t *store = (mem_store_t *)base;
    apr_status_t status = enter(store->wait_us, trouble);

    if (status != APR_SUCCESS)
        return status;
    if (store->last_change < (apr_uint64_t)now_us)
        store->last_change = (apr_uint64_t)now_us;
    read_collection(store, collection, state, pool);
    leave();
    return APR_SUCCESS;
}

static apr_status_t mem_collection_get(condreq_txn_t *txn,
                                       const char *collection,
                                       condreq_collection_state_t *state)
{
    read_collection((mem_store_t *)txn->store, collection, state,
                    ((mem_txn_t *)txn)->pool);
    return APR_SUCCESS;
}

/* What stands in a collection, and where. */
typedef struct mem_member_t {
    condreq_place_t place;
    condreq_entry_t entry;
} mem_member_t;

static void see_member(mem_walk_t *walk, const char *key,
                       const mem_entry_t *entry)
{
    const char *name = key + strlen(walk->collection), *slash;
    mem_member_t *member;
    apr_size_t length;
    char *bytes;

    if (!is_member(key, entry, walk->collection))
        return;
    slash = strchr(name, '/');
    length = slash ? (apr_size_t)(slash - name) + 1 : strlen(name);
    bytes = apr_palloc(walk->pool, length + 2);
    member = apr_array_push(walk->found);
    member->place.bytes = bytes;
    member->place.length = condreq_name_place(bytes, name, length);
    member->entry.name = apr_pstrmemdup(walk->pool, name, length);
    member->entry.is_collection = slash != NULL;
    if (!slash)
        member->entry.record = entry->record;
}

static int by_place(const void *a, const void *b)
{
    const condreq_place_t *x = &((const mem_member_t *)a)->place;
    const condreq_place_t *y = &((const mem_member_t *)b)->place;

    return condreq_place_compare(x->bytes, x->length, y->bytes, y->length);
}

static apr_size_t take_members(const apr_array_header_t *found,
                               const condreq_place_t *from,
                               condreq_entry_t *entries, apr_size_t room)
{
    const mem_member_t *last = NULL, *member;
    apr_size_t count = 0;
    int i;

    for (i = 0; i < found->nelts && count < room; i++) {
        member = &APR_ARRAY_IDX(found, i, mem_member_t);
        if (condreq_place_compare(member->place.bytes, member->place.length,
                                  from->bytes, from->length) >= 0 &&
            (!last || by_place(last, member) != 0))
            entries[count++] = member->entry;
        last = member;
    }
    return count;
}

static apr_status_t mem_list(condreq_store_t *base, const char *collection,
                             const condreq_place_t *from,
                             condreq_entry_t *entries, apr_size_t room,
                             apr_size_t *count, condreq_trouble_t *trouble,
                             apr_pool_t *pool)
{
    mem_store_t *store = (mem_store_t *)base;
    mem_walk_t walk = {
        .collection = collection, .see = see_member, .pool = pool};
    apr_status_t status = enter(store->wait_us, trouble);

    if (status != APR_SUCCESS)
        return status;
    walk.found = apr_array_make(pool, 0, sizeof(mem_member_t));
    walk_entries(store, &walk);
    leave();
    qsort(walk.found->elts, (size_t)walk.found->nelts, sizeof(mem_member_t),
          by_place);
    *count = take_members(walk.found, from, entries, room);
    return APR_SUCCESS;
}

static void see_change(mem_walk_t *walk, const char *key,
                       const mem_entry_t *entry)
{
    condreq_change_t *change;

    if (!is_below(key, walk->collection) || entry->record.change <= walk->since)
        return;
    change = apr_array_push(walk->found);
    change->number = entry->record.change;
    change->key = apr_pstrdup(walk->pool, key);
    change->record = entry->record;
}

static int by_number(const void *a, const void *b)
{
    apr_uint64_t x = ((const condreq_change_t *)a)->number;
    apr_uint64_t y = ((const condreq_change_t *)b)->number;

    return (x > y) - (x < y);
}

static apr_status_t mem_changes(condreq_store_t *base, const char *collection,
                                apr_uint64_t since, condreq_change_t *changes,
                                apr_size_t room, condreq_changes_read_t *read,
                                condreq_trouble_t *trouble, apr_pool_t *pool)
{
    mem_store_t *store = (mem_store_t *)base;
    mem_walk_t walk = {.collection = collection,
                       .see = see_change,
                       .since = since,
                       .pool = pool};
    apr_status_t status = enter(store->wait_us, trouble);
    apr_size_t found;
    int is_ours;

    if (status != APR_SUCCESS)
        return status;
    walk.found = apr_array_make(pool, 0, sizeof(condreq_change_t));
    is_ours = since <= store->last_change;
    walk_entries(store, &walk);
    leave();
    if (!is_ours)
        return condreq_trouble(trouble, APR_NOTFOUND,
                               "changes after %" APR_UINT64_T_FMT, since);
    found = (apr_size_t)walk.found->nelts;
    qsort(walk.found->elts, found, sizeof(condreq_change_t), by_number);
    read->count = found < room ? found : room;
    read->more = found > room;
    read->reached = since;
    if (read->count) {
        memcpy(changes, walk.found->elts, read->count * sizeof(*changes));
        read->reached = changes[read->count - 1].number;
    }
    return APR_SUCCESS;
}

/* The least of the keys that begin so and come after another; NULL: none. */
static const char *next_key(mem_store_t *store, const char *prefix,
                            const char *after, apr_pool_t *pool)
{
    const char *next = NULL;
    apr_hash_index_t *at;

    for (at = apr_hash_first(pool, store->entries); at;
         at = apr_hash_next(at)) {
        const char *key = apr_hash_this_key(at);
        const mem_entry_t *entry = apr_hash_this_val(at);

        if (entry->record.state != CONDREQ_ABSENT &&
            !strncmp(key, prefix, strlen(prefix)) &&
            (!after || strcmp(key, after) > 0) &&
            (!next || strcmp(key, next) < 0))
            next = key;
    }
    return next;
}

/* The place is the last key with its NUL; none at the start. */
static apr_status_t mem_walk(condreq_store_t *base, const char *prefix,
                             condreq_walk_t *walk, condreq_walked_t *found,
                             unsigned at_most, unsigned *count,
                             condreq_trouble_t *trouble, apr_pool_t *pool)
{
    mem_store_t *store = (mem_store_t *)base;
    apr_status_t status = enter(store->wait_us, trouble);
    const char *key;

    if (status != APR_SUCCESS)
        return status;
    *count = 0;
    while (*count < at_most &&
           (key = next_key(store, prefix,
                           walk->length ? (const char *)walk->place : NULL,
                           pool))) {
        condreq_walked_t *walked = &found[(*count)++];

        memset(walked, 0, sizeof(*walked));
        apr_cpystrn(walked->key, key, sizeof(walked->key));
        read_record(store, key, &walked->record);
        walk->length = strlen(key) + 1;
        memcpy(walk->place, key, walk->length);
    }
    leave();
    return APR_SUCCESS;
}

/* ---- locks ---- */

static int shares_namespace(const condreq_lock_t *lock, const char *key)
{
    apr_size_t length = condreq_key_namespace_length(key);

    return condreq_key_namespace_length(lock->root) == length &&
           !strncmp(lock->root, key, length);
}

static void count_locks(mem_store_t *store, const char *key, const char *user,
                        apr_uint64_t *count)
{
    const mem_lock_t *lock;

    *count = 0;
    for (lock = store->locks; lock; lock = lock->next) {
        const char *taker = lock->lock.user ? lock->lock.user : "";

        *count += shares_namespace(&lock->lock, key) &&
                  (!user || !strcmp(taker, user));
    }
}

static apr_status_t mem_has_locks(condreq_store_t *base, const char *key,
                                  int *has_locks, condreq_trouble_t *trouble,
                                  apr_pool_t *pool)
{
    mem_store_t *store = (mem_store_t *)base;
    apr_status_t status = enter(store->wait_us, trouble);
    apr_uint64_t count;

    (void)pool;
    if (status != APR_SUCCESS)
        return status;
    count_locks(store, key, NULL, &count);
    *has_locks = count > 0;
    leave();
    return APR_SUCCESS;
}

static apr_status_t mem_txn_has_locks(condreq_txn_t *txn, const char *key,
                                      int *has_locks)
{
    apr_uint64_t count;

    count_locks((mem_store_t *)txn->store, key, NULL, &count);
    *has_locks = count > 0;
    return APR_SUCCESS;
}

static apr_status_t mem_locks_count(condreq_txn_t *txn, const char *key,
                                    const char *user, apr_uint64_t *count)
{
    count_locks((mem_store_t *)txn->store, key, user, count);
    return APR_SUCCESS;
}

static int is_in_range(const condreq_lock_t *lock,
                       const condreq_lock_range_t *range)
{
    apr_size_t length = strlen(range->key);

    if (range->after && lock_order(lock, range->after) <= 0)
        return 0;
    return range->below ? !strncmp(lock->root, range->key, length)
                        : !strcmp(lock->root, range->key);
}

static condreq_lock_t *lock_copy(const condreq_lock_t *lock, apr_pool_t *pool)
{
    condreq_lock_t *copy = apr_pmemdup(pool, lock, sizeof(*copy));

    copy->root = apr_pstrdup(pool, lock->root);
    copy->user = apr_pstrdup(pool, lock->user);
    copy->owner = apr_pstrdup(pool, lock->owner);
    return copy;
}

static apr_status_t mem_locks_scan(condreq_txn_t *txn,
                                   const condreq_lock_range_t *range,
                                   condreq_lock_visitor_t *visitor, void *baton,
                                   apr_pool_t *pool)
{
    const mem_lock_t *lock;

    for (lock = ((mem_store_t *)txn->store)->locks; lock; lock = lock->next)
        if (is_in_range(&lock->lock, range) &&
            !visitor(baton, lock_copy(&lock->lock, pool)))
            break;
    return APR_SUCCESS;
}

static mem_lock_t *lock_there(mem_store_t *store, const condreq_lock_t *lock)
{
    mem_lock_t *there = *lock_place(store, lock);

    return there && lock_order(&there->lock, lock) == 0 ? there : NULL;
}

static apr_status_t mem_lock_put(condreq_txn_t *txn, const condreq_lock_t *lock)
{
    mem_store_t *store = (mem_store_t *)txn->store;
    mem_step_t *step;
    apr_pool_t *pool;
    apr_status_t status;

    if (strlen(lock->root) > CONDREQ_KEY_MAX)
        return condreq_trouble(txn->trouble, APR_EINVAL, "writing a lock");
    if ((status = apr_pool_create(&pool, store->pool)) != APR_SUCCESS)
        return condreq_trouble(txn->trouble, status, "the lock of %.100s",
                               lock->root);
    step = step_begin((mem_txn_t *)txn);
    step->unlocked = lock_there(store, lock);
    if (step->unlocked)
        lock_out(store, step->unlocked);
    step->locked = apr_palloc(pool, sizeof(*step->locked));
    step->locked->pool = pool;
    step->locked->lock = *lock_copy(lock, pool);
    lock_in(store, step->locked);
    return APR_SUCCESS;
}

static apr_status_t mem_lock_remove(condreq_txn_t *txn,
                                    const condreq_lock_t *lock)
{
    mem_store_t *store = (mem_store_t *)txn->store;
    mem_lock_t *there = lock_there(store, lock);

    if (!there)
        return condreq_trouble(txn->trouble, APR_NOTFOUND, "the lock of %.100s",
                               lock->root);
    lock_out(store, there);
    step_begin((mem_txn_t *)txn)->unlocked = there;
    return APR_SUCCESS;
}

const condreq_store_provider_t condreq_store_mem = {
    .name = "mem",
    .prepare = mem_prepare,
    .open = mem_open,
    .maintain = mem_maintain,
    .lookup = mem_lookup,
    .body_read = mem_body_read,
    .draw = mem_draw,
    .txn = mem_txn,
    .get = mem_get,
    .put = mem_put,
    .body_get = mem_body_get,
    .body_put = mem_body_put,
    .body_remove = mem_body_remove,
    .has_members = mem_has_members,
    .collection = mem_collection,
    .collection_get = mem_collection_get,
    .below = mem_below,
    .list = mem_list,
    .changes = mem_changes,
    .walk = mem_walk,
    .keep = NULL,
    .has_locks = mem_has_locks,
    .txn_has_locks = mem_txn_has_locks,
    .locks_count = mem_locks_count,
    .locks_scan = mem_locks_scan,
    .lock_put = mem_lock_put,
    .lock_remove = mem_lock_remove,
};
