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

/* What comes next in a shard: places directly in the collection, as many as
 * were read at once. Each has its length before it, in two bytes. */
#define RUN_BYTES (2u * CONDREQ_KEY_MAX)
#define LENGTH_BYTES 2u
/* Of a call's room, what each shard reads at once: twice what is its own. */
#define READ_AHEAD_SHARE (BDB_SHARDS / 2)

typedef struct run_t {
    /** nothing is behind what is here */
    int ended;
    unsigned at;
    unsigned end;
    unsigned char bytes[RUN_BYTES];
} run_t;

typedef struct listing_t {
    bdb_visit_t visit;
    const condreq_place_t *from;
    condreq_entry_t *entries;
    apr_size_t room;
    apr_size_t count;
    apr_pool_t *pool;
    run_t runs[BDB_SHARDS];
} listing_t;

static condreq_place_t run_first(const run_t *run)
{
    const unsigned char *at = run->bytes + run->at;
    condreq_place_t place;

    place.bytes = (const char *)at + LENGTH_BYTES;
    place.length = (apr_size_t)at[0] << 8 | at[1];
    return place;
}

static int run_is_empty(const run_t *run)
{
    return run->at == run->end;
}

/* @return was there room? */
static int run_add(run_t *run, const char *bytes, apr_size_t length)
{
    if (length + LENGTH_BYTES > RUN_BYTES - run->end)
        return 0;
    run->bytes[run->end] = (unsigned char)(length >> 8);
    run->bytes[run->end + 1] = (unsigned char)length;
    memcpy(run->bytes + run->end + LENGTH_BYTES, bytes, length);
    run->end += LENGTH_BYTES + (unsigned)length;
    return 1;
}

static int is_of_collection(const condreq_place_t *place)
{
    return place->length > 0 && place->bytes[place->length - 1] == '/';
}

/* Reads entry after entry into a run, up to one that is further down: what
 * follows that may be in the same collection, and is stepped over. */
static int run_read(run_t *run, DBC *cursor, bdb_index_key_t *at,
                    unsigned shard, const char *collection, apr_size_t most)
{
    apr_size_t count = 0;
    apr_size_t begin = 1 + strlen(collection), length;
    const char *rest, *slash;
    DBT nothing = {0};
    int code;

    nothing.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL;
    code = cursor->get(cursor, &at->dbt, &nothing, DB_SET_RANGE);
    while (code == 0 && at->dbt.size >= begin &&
           at->bytes[0] == BDB_SHARDS + shard &&
           !memcmp(at->bytes + 1, collection, begin - 1)) {
        rest = (const char *)at->bytes + begin;
        length = at->dbt.size - begin;
        slash = memchr(rest, '/', length);
        if (slash)
            length = (apr_size_t)(slash - rest) + 1;
        if (!run_add(run, rest, length) || slash || ++count == most)
            return 0;
        code = cursor->get(cursor, &at->dbt, &nothing, DB_NEXT);
    }
    run->ended = code == 0 || code == DB_NOTFOUND;
    return code == DB_NOTFOUND ? 0 : code;
}

/* Fills an empty run from a place on. No cursor stays: see bdb_index_seek(). */
static int run_fill(bdb_store_t *store, listing_t *listing, unsigned shard,
                    const char *place, apr_size_t place_length)
{
    const char *collection = listing->visit.key;
    run_t *run = &listing->runs[shard];
    bdb_index_key_t at;
    DBC *cursor;
    int code, closed;

    run->at = run->end = 0;
    run->ended = 0;
    bdb_index_key(&at, BDB_SHARDS + shard, 0);
    if ((code = bdb_index_key_add(&at, collection, strlen(collection))) ||
        (code = bdb_index_key_add(&at, place, place_length)) ||
        (code = store->index->cursor(store->index, NULL, &cursor, 0)))
        return code;
    code = run_read(run, cursor, &at, shard, collection,
                    1 + listing->room / READ_AHEAD_SHARE);
    closed = cursor->close(cursor);
    return code ? code : closed;
}

/* Steps behind a run's first place, and behind all that is in it. */
static int run_next(bdb_store_t *store, listing_t *listing, unsigned shard)
{
    run_t *run = &listing->runs[shard];
    condreq_place_t first = run_first(run);
    char place[CONDREQ_KEY_MAX + 3];
    apr_size_t length = first.length;

    run->at += LENGTH_BYTES + (unsigned)length;
    if (!run_is_empty(run) || run->ended)
        return 0;
    memcpy(place, first.bytes, length);
    if (is_of_collection(&first))
        place[length - 1]++;
    else
        place[length++] = '\0';
    return run_fill(store, listing, shard, place, length);
}

static int places_compare(const condreq_place_t *a, const condreq_place_t *b)
{
    return condreq_place_compare(a->bytes, a->length, b->bytes, b->length);
}

/* @return 0 where there is none */
static int first_of_all(const listing_t *listing, condreq_place_t *first)
{
    int found = 0;
    unsigned shard;

    for (shard = 0; shard < BDB_SHARDS; shard++) {
        condreq_place_t place;

        if (run_is_empty(&listing->runs[shard]))
            continue;
        place = run_first(&listing->runs[shard]);
        if (!found || places_compare(&place, first) < 0)
            *first = place;
        found = 1;
    }
    return found;
}

/* A collection further down may come first in many shards. */
static int pass(bdb_store_t *store, listing_t *listing,
                const condreq_place_t *passed)
{
    unsigned shard;
    int code = 0;

    for (shard = 0; shard < BDB_SHARDS && code == 0; shard++) {
        condreq_place_t place;

        if (run_is_empty(&listing->runs[shard]))
            continue;
        place = run_first(&listing->runs[shard]);
        if (places_compare(&place, passed) == 0)
            code = run_next(store, listing, shard);
    }
    return code;
}

/* It was in the index a moment ago; its record says whether it still is. */
static int add_entry(bdb_store_t *store, listing_t *listing,
                     const condreq_place_t *place)
{
    condreq_entry_t *entry = &listing->entries[listing->count];
    int code;

    memset(entry, 0, sizeof(*entry));
    entry->is_collection = is_of_collection(place);
    entry->name =
        condreq_place_name(place->bytes, place->length, listing->pool);
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

static int fill_all(bdb_store_t *store, listing_t *listing)
{
    const condreq_place_t *from = listing->from;
    const char *place = from->length ? from->bytes : FIRST_PLACE;
    apr_size_t length = from->length ? from->length : FIRST_PLACE_LENGTH;
    unsigned shard;
    int code = 0;

    for (shard = 0; shard < BDB_SHARDS && code == 0; shard++)
        code = run_fill(store, listing, shard, place, length);
    return code;
}

/* A place is in a run's bytes, which the next filling overwrites. */
static int visit_list(bdb_store_t *store, bdb_visit_t *visit)
{
    listing_t *listing = (listing_t *)visit;
    char bytes[CONDREQ_KEY_MAX + 3];
    condreq_place_t first;
    int code = fill_all(store, listing);

    listing->count = 0;
    while (code == 0 && listing->count < listing->room &&
           first_of_all(listing, &first)) {
        memcpy(bytes, first.bytes, first.length);
        first.bytes = bytes;
        if ((code = add_entry(store, listing, &first)) == 0)
            code = pass(store, listing, &first);
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
    listing->count = 0;
    listing->pool = pool;
    status = bdb_visit((bdb_store_t *)store, &listing->visit, trouble);
    *count = listing->count;
    return status;
}
