/* What stands in collections: live documents, by their place.
 * Knows the places of condreq_name.h and how keys are made of them; of records
 * only whether they are live.
 *
 * A document's entry is its key with its last segment made a place. Entries
 * of what is in a collection further down stand between those of its
 * neighbours, so a listing looks at one of them and steps over the others.
 * The shards are read side by side, and what comes first in any comes next. */
#include <errno.h>
#include <string.h>

#include "apr_strings.h"

#include "condreq_bdb_index.h"

static unsigned member_shard(const char *key)
{
    return BDB_SHARDS + (bdb_key_hash(key) >> 26);
}

/* The last segment; of a collection's own record it is the one before the
 * slash, with it. */
static const char *last_segment(const char *key)
{
    const char *end = key + strlen(key);

    if (end > key && end[-1] == '/')
        end--;
    while (end > key && end[-1] != '/')
        end--;
    return end;
}

int bdb_member_key(bdb_index_key_t *at, const char *key)
{
    const char *name = last_segment(key);
    char place[CONDREQ_KEY_MAX + 2];
    apr_size_t length = strlen(name);
    int code;

    if (length > CONDREQ_KEY_MAX)
        return EINVAL;
    bdb_index_key(at, member_shard(key), 0);
    if ((code = bdb_index_key_add(at, key, (apr_size_t)(name - key))) != 0)
        return code;
    length = condreq_name_place(place, name, length);
    return bdb_index_key_add(at, place, length);
}

int bdb_member_write(bdb_store_t *store, DB_TXN *txn, const char *key,
                     int is_there)
{
    bdb_index_key_t at;
    DBT nothing = {0};
    int code = bdb_member_key(&at, key);

    if (code != 0)
        return code;
    if (is_there)
        return store->index->put(store->index, txn, &at.dbt, &nothing, 0);
    code = store->index->del(store->index, txn, &at.dbt, 0);
    return code == DB_NOTFOUND ? 0 : code;
}

/* The first entry of a shard from a place in a collection on.
 * @param rest  what follows the collection in its key, or NULL at the end */
static int seek(bdb_store_t *store, DB_TXN *txn, bdb_index_key_t *at,
                unsigned shard, const char *collection, const char *place,
                apr_size_t place_length, const char **rest,
                apr_size_t *rest_length)
{
    apr_size_t begin = 1 + strlen(collection);
    DBT nothing = {0};
    int code;

    *rest = NULL;
    bdb_index_key(at, BDB_SHARDS + shard, 0);
    if ((code = bdb_index_key_add(at, collection, begin - 1)) ||
        (code = bdb_index_key_add(at, place, place_length)))
        return code;
    nothing.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL;
    code = bdb_index_seek(store, txn, at, &nothing);
    if (code == DB_NOTFOUND)
        return 0;
    if (code == 0 && at->dbt.size >= begin &&
        at->bytes[0] == BDB_SHARDS + shard &&
        !memcmp(at->bytes + 1, collection, begin - 1)) {
        *rest = (const char *)at->bytes + begin;
        *rest_length = at->dbt.size - begin;
    }
    return code;
}

/* ---- inside a transaction ---- */

/* The smallest place is behind the collection's own record. */
#define FIRST_PLACE ""
#define FIRST_PLACE_LENGTH 1

apr_status_t bdb_has_members(condreq_txn_t *base, const char *collection,
                             int *has_members)
{
    bdb_txn_t *txn = (bdb_txn_t *)base;
    int code = bdb_txn_goes_on(txn);
    bdb_index_key_t at;
    apr_size_t length;
    const char *rest;
    unsigned shard;

    *has_members = 0;
    for (shard = 0; shard < BDB_SHARDS && code == 0 && !*has_members; shard++) {
        code =
            seek((bdb_store_t *)base->store, txn->txn, &at, shard, collection,
                 FIRST_PLACE, FIRST_PLACE_LENGTH, &rest, &length);
        *has_members = code == 0 && rest != NULL;
    }
    return bdb_txn_outcome(txn, code, "looking for members of", collection);
}

/* The key of the document whose entry this is. */
static const char *document_key(const char *collection, const char *rest,
                                apr_size_t length, apr_pool_t *pool)
{
    const char *number = memchr(rest, '\0', length);
    apr_size_t before = number ? (apr_size_t)(number - rest) : length;
    const char *name =
        number ? condreq_place_name(number, length - before, pool) : "";

    return apr_pstrcat(pool, collection, apr_pstrmemdup(pool, rest, before),
                       name, NULL);
}

static int below_in_shard(bdb_txn_t *txn, unsigned shard,
                          const char *collection, const char **keys,
                          apr_size_t room, apr_size_t *count, apr_pool_t *pool)
{
    char place[CONDREQ_KEY_MAX + 3] = FIRST_PLACE;
    apr_size_t place_length = FIRST_PLACE_LENGTH, length;
    bdb_index_key_t at;
    const char *rest = "";
    int code = 0;

    while (code == 0 && *count < room) {
        code = seek((bdb_store_t *)txn->base.store, txn->txn, &at, shard,
                    collection, place, place_length, &rest, &length);
        if (code != 0 || !rest)
            break;
        keys[(*count)++] = document_key(collection, rest, length, pool);
        memcpy(place, rest, length);
        place[length] = '\0';
        place_length = length + 1;
    }
    return code;
}

apr_status_t bdb_below(condreq_txn_t *base, const char *collection,
                       const char **keys, apr_size_t room, apr_size_t *count,
                       apr_pool_t *pool)
{
    bdb_txn_t *txn = (bdb_txn_t *)base;
    int code = bdb_txn_goes_on(txn);
    unsigned shard;

    *count = 0;
    for (shard = 0; shard < BDB_SHARDS && code == 0 && *count < room; shard++)
        code = below_in_shard(txn, shard, collection, keys, room, count, pool);
    return bdb_txn_outcome(txn, code, "listing", collection);
}

/* ---- listings ---- */

/* What comes next in a shard: a place directly in the collection. */
typedef struct head_t {
    int ended;
    apr_size_t length;
    char bytes[CONDREQ_KEY_MAX + 3];
} head_t;

typedef struct listing_t {
    bdb_visit_t visit;
    const condreq_place_t *from;
    condreq_entry_t *entries;
    apr_size_t room;
    apr_size_t count;
    apr_pool_t *pool;
    head_t heads[BDB_SHARDS];
} listing_t;

static int is_of_collection(const head_t *head)
{
    return head->length > 0 && head->bytes[head->length - 1] == '/';
}

static int head_seek(bdb_store_t *store, listing_t *listing, unsigned shard,
                     const char *place, apr_size_t place_length)
{
    head_t *head = &listing->heads[shard];
    bdb_index_key_t at;
    apr_size_t length;
    const char *rest, *slash;
    int code;

    if (place_length == 0) {
        place = FIRST_PLACE;
        place_length = FIRST_PLACE_LENGTH;
    }
    code = seek(store, NULL, &at, shard, listing->visit.key, place,
                place_length, &rest, &length);
    head->ended = code != 0 || !rest;
    if (head->ended)
        return code;
    slash = memchr(rest, '/', length);
    head->length = slash ? (apr_size_t)(slash - rest) + 1 : length;
    memcpy(head->bytes, rest, head->length);
    return 0;
}

/* Behind what a head stands on, and behind all that is in it. */
static int head_next(bdb_store_t *store, listing_t *listing, unsigned shard)
{
    head_t *head = &listing->heads[shard];
    char place[sizeof(head->bytes)];
    apr_size_t length = head->length;

    memcpy(place, head->bytes, length);
    if (is_of_collection(head))
        place[length - 1]++;
    else
        place[length++] = '\0';
    return head_seek(store, listing, shard, place, length);
}

static int heads_compare(const head_t *a, const head_t *b)
{
    return condreq_place_compare(a->bytes, a->length, b->bytes, b->length);
}

static head_t *first_head(listing_t *listing)
{
    head_t *first = NULL;
    unsigned shard;

    for (shard = 0; shard < BDB_SHARDS; shard++) {
        head_t *head = &listing->heads[shard];

        if (!head->ended && (!first || heads_compare(head, first) < 0))
            first = head;
    }
    return first;
}

/* A collection further down may come first in many shards. */
static int pass(bdb_store_t *store, listing_t *listing, const head_t *passed)
{
    head_t *head;
    unsigned shard;
    int code = 0;

    for (shard = 0; shard < BDB_SHARDS && code == 0; shard++) {
        head = &listing->heads[shard];
        if (!head->ended && heads_compare(head, passed) == 0)
            code = head_next(store, listing, shard);
    }
    return code;
}

/* It was in the index a moment ago; its record says whether it still is. */
static int add_entry(bdb_store_t *store, listing_t *listing, const head_t *head)
{
    condreq_entry_t *entry = &listing->entries[listing->count];
    int code;

    memset(entry, 0, sizeof(*entry));
    entry->is_collection = is_of_collection(head);
    entry->name = condreq_place_name(head->bytes, head->length, listing->pool);
    if (entry->is_collection) {
        listing->count++;
        return 0;
    }
    code = bdb_record_read(
        store, NULL,
        apr_pstrcat(listing->pool, listing->visit.key, entry->name, NULL),
        &entry->record);
    listing->count += code == 0 && entry->record.state == CONDREQ_LIVE;
    return code;
}

static int visit_list(bdb_store_t *store, bdb_visit_t *visit)
{
    listing_t *listing = (listing_t *)visit;
    head_t *first, passed;
    unsigned shard;
    int code = 0;

    listing->count = 0;
    for (shard = 0; shard < BDB_SHARDS && code == 0; shard++)
        code = head_seek(store, listing, shard, listing->from->bytes,
                         listing->from->length);
    while (code == 0 && listing->count < listing->room &&
           (first = first_head(listing)) != NULL) {
        passed = *first;
        if ((code = add_entry(store, listing, &passed)) == 0)
            code = pass(store, listing, &passed);
    }
    return code;
}

apr_status_t bdb_list(condreq_store_t *store, const char *collection,
                      const condreq_place_t *from, condreq_entry_t *entries,
                      apr_size_t room, apr_size_t *count,
                      condreq_trouble_t *trouble, apr_pool_t *pool)
{
    listing_t *listing = apr_palloc(pool, sizeof(*listing));
    bdb_visit_t visit = {visit_list, "listing", collection};
    apr_status_t status;

    listing->visit = visit;
    listing->from = from;
    listing->entries = entries;
    listing->room = room;
    listing->pool = pool;
    status = bdb_visit((bdb_store_t *)store, &listing->visit, trouble);
    *count = listing->count;
    return status;
}
