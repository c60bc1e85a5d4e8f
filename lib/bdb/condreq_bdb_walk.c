/* Walks: over all records, and over all bodies, a batch a visit.
 * Knows the order of the trees' keys; judges nothing. A walk's place is the key
 * that it stood on last, so that nothing is held between two visits. */
#include <string.h>

#include "condreq_bdb.h"

#define SHARDS 256

typedef struct walking_t {
    bdb_visit_t visit;
    const char *prefix;
    condreq_walk_t *walk;
    condreq_walked_t *found;
    unsigned at_most;
    unsigned count;
    /** where this visit has come to: the walk itself moves when it is over */
    condreq_walk_t reached;
} walking_t;

/* A key with room for one byte more: the least that comes after it. */
typedef struct place_t {
    DBT dbt;
    unsigned char bytes[BDB_VERSION_KEY_MAX + 1];
} place_t;

static void place_set(place_t *place, apr_size_t length)
{
    memset(&place->dbt, 0, sizeof(place->dbt));
    place->dbt.data = place->bytes;
    place->dbt.size = (u_int32_t)length;
    place->dbt.ulen = sizeof(place->bytes);
    place->dbt.flags = DB_DBT_USERMEM;
}

static void place_begin_shard(place_t *place, unsigned shard,
                              const char *prefix)
{
    size_t length = strlen(prefix);

    place->bytes[0] = (unsigned char)shard;
    memcpy(place->bytes + 1, prefix, length);
    place_set(place, 1 + length);
}

static void place_begin(place_t *place, const condreq_walk_t *walk,
                        const char *prefix)
{
    if (walk->length == 0) {
        place_begin_shard(place, 0, prefix);
        return;
    }
    memcpy(place->bytes, walk->place, walk->length);
    place->bytes[walk->length] = 0;
    place_set(place, walk->length + 1);
}

static int is_below(const place_t *place, const char *prefix)
{
    size_t length = strlen(prefix);

    return place->dbt.size >= 1 + length &&
           !memcmp(place->bytes + 1, prefix, length);
}

static void note_walked(walking_t *walking, const place_t *place,
                        const unsigned char *value, apr_size_t length)
{
    condreq_walked_t *walked = &walking->found[walking->count++];

    memset(walked, 0, sizeof(*walked));
    memcpy(walked->key, place->bytes + 1, place->dbt.size - 1);
    walked->unreadable =
        length > CONDREQ_RECORD_SIZE_MAX ||
        condreq_record_decode(&walked->record, value, length) != APR_SUCCESS;
    memcpy(walking->reached.place, place->bytes, place->dbt.size);
    walking->reached.length = place->dbt.size;
}

/* What is longer than any record of ours is only measured. */
static int cursor_get(DBC *cursor, place_t *place,
                      unsigned char value[CONDREQ_RECORD_SIZE_MAX], DBT *got,
                      u_int32_t how)
{
    int code;

    memset(got, 0, sizeof(*got));
    got->data = value;
    got->ulen = CONDREQ_RECORD_SIZE_MAX;
    got->flags = DB_DBT_USERMEM;
    code = cursor->get(cursor, &place->dbt, got, how);
    if (code != DB_BUFFER_SMALL || got->size <= CONDREQ_RECORD_SIZE_MAX)
        return code;
    got->flags |= DB_DBT_PARTIAL;
    got->dlen = 0;
    code = cursor->get(cursor, &place->dbt, got, how);
    got->size = CONDREQ_RECORD_SIZE_MAX + 1;
    return code;
}

/* Each shard's run of keys that begin with the prefix, one after another; the
 * key behind such a run says which shard is the next to have any. */
static int walk_shards(walking_t *walking, DBC *cursor)
{
    unsigned char value[CONDREQ_RECORD_SIZE_MAX];
    u_int32_t how = DB_SET_RANGE;
    unsigned shard;
    place_t place;
    DBT got;
    int code = 0;

    place_begin(&place, walking->walk, walking->prefix);
    shard = place.bytes[0];
    while (walking->count < walking->at_most &&
           (code = cursor_get(cursor, &place, value, &got, how)) == 0) {
        how = DB_NEXT;
        if (place.bytes[0] == shard && is_below(&place, walking->prefix)) {
            note_walked(walking, &place, value, got.size);
            continue;
        }
        shard = place.bytes[0] > shard ? place.bytes[0] : shard + 1;
        if (shard == SHARDS)
            return 0;
        place_begin_shard(&place, shard, walking->prefix);
        how = DB_SET_RANGE;
    }
    return walking->count == walking->at_most || code == DB_NOTFOUND ? 0 : code;
}

static int visit_walk(bdb_store_t *store, bdb_visit_t *visit)
{
    walking_t *walking = (walking_t *)visit;
    DBC *cursor;
    int code, closed;

    walking->count = 0;
    code = store->versions->cursor(store->versions, NULL, &cursor, 0);
    if (code != 0)
        return code;
    code = walk_shards(walking, cursor);
    closed = cursor->close(cursor);
    return code ? code : closed;
}

apr_status_t bdb_walk(condreq_store_t *store, const char *prefix,
                      condreq_walk_t *walk, condreq_walked_t *found,
                      unsigned at_most, unsigned *count,
                      condreq_trouble_t *trouble, apr_pool_t *pool)
{
    walking_t walking = {{visit_walk, "walking over the records of", prefix},
                         prefix,
                         walk,
                         found,
                         at_most,
                         0,
                         {{0}, 0}};
    apr_status_t status;

    (void)pool;
    *count = 0;
    if (strlen(prefix) > CONDREQ_KEY_MAX || at_most == 0)
        return APR_SUCCESS;
    status = bdb_visit((bdb_store_t *)store, &walking.visit, trouble);
    if (status != APR_SUCCESS || walking.count == 0)
        return status;
    *count = walking.count;
    *walk = walking.reached;
    return APR_SUCCESS;
}
