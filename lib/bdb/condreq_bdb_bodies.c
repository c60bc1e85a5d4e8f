/* Bodies: bytes under (hash of the key, chunk, body id), written once and
 * never changed.
 * Knows how a body is cut; of a record only its body's id and length.
 *
 * The hash spreads documents over the tree. The id comes last, so that each
 * chunk of a new version takes the place of the old version's on its page:
 * with the id before the chunk, pages empty and split all the time, and every
 * split holds the tree's free list until the flush (28 % slower with 32
 * writers). The id is in every chunk's key, so a reader meets the chunks of
 * one version or, once they are gone, none. */
#include <string.h>

#include "condreq_bdb.h"
#include "condreq_bdb_fault.h"

#define CHUNK_SIZE BDB_CHUNK_SIZE
#define CHUNK_KEY_SIZE BDB_CHUNK_KEY_SIZE

/* One body in the tree. */
typedef struct body_t {
    DB *tree;
    DB_TXN *txn;
    apr_uint32_t key_hash;
    apr_uint64_t id;
    apr_uint64_t length;
} body_t;

static body_t body_of(bdb_store_t *store, DB_TXN *txn, const char *key,
                      const condreq_record_t *record)
{
    body_t body = {store->bodies, txn, bdb_key_hash(key), record->body_id,
                   record->body_length};

    return body;
}

static apr_uint32_t chunks_of(const body_t *body)
{
    return (apr_uint32_t)((body->length + CHUNK_SIZE - 1) / CHUNK_SIZE);
}

static u_int32_t chunk_length(const body_t *body, apr_uint32_t chunk)
{
    apr_uint64_t rest = body->length - (apr_uint64_t)chunk * CHUNK_SIZE;

    return rest < CHUNK_SIZE ? (u_int32_t)rest : CHUNK_SIZE;
}

static void chunk_key(DBT *dbt, unsigned char bytes[CHUNK_KEY_SIZE],
                      const body_t *body, apr_uint32_t chunk)
{
    memset(dbt, 0, sizeof(*dbt));
    bdb_write_u32(bytes, body->key_hash);
    bdb_write_u32(bytes + 4, chunk);
    bdb_write_u64(bytes + 8, body->id);
    dbt->data = bytes;
    dbt->size = dbt->ulen = CHUNK_KEY_SIZE;
    dbt->flags = DB_DBT_USERMEM;
}

/* Reads from one chunk, which has to be there in its full length. */
static int chunk_read(const body_t *body, apr_uint32_t chunk, u_int32_t from,
                      char *bytes, u_int32_t length)
{
    unsigned char at[CHUNK_KEY_SIZE];
    DBT key, value = {0};
    int code;

    chunk_key(&key, at, body, chunk);
    value.data = bytes;
    value.ulen = value.dlen = length;
    value.doff = from;
    value.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL;
    code = body->tree->get(body->tree, body->txn, &key, &value, 0);
    return code == 0 && value.size != length ? DB_NOTFOUND : code;
}

static int body_read(const body_t *body, apr_uint64_t offset, char *bytes,
                     apr_size_t length)
{
    int code = 0;

    while (length > 0 && code == 0) {
        apr_uint32_t chunk = (apr_uint32_t)(offset / CHUNK_SIZE);
        u_int32_t from = (u_int32_t)(offset % CHUNK_SIZE);
        u_int32_t wanted = chunk_length(body, chunk) - from;

        if (wanted > length)
            wanted = (u_int32_t)length;
        code = chunk_read(body, chunk, from, bytes, wanted);
        offset += wanted;
        bytes += wanted;
        length -= wanted;
    }
    return code;
}

typedef struct reading_t {
    bdb_visit_t visit;
    const condreq_record_t *record;
    apr_uint64_t offset;
    char *bytes;
    apr_size_t length;
    int gone;
} reading_t;

static int visit_read(bdb_store_t *store, bdb_visit_t *visit)
{
    reading_t *reading = (reading_t *)visit;
    body_t body = body_of(store, NULL, visit->key, reading->record);
    int code = bdb_damage_known(store->control, visit->key);

    if (code == 0)
        code =
            body_read(&body, reading->offset, reading->bytes, reading->length);
    reading->gone = code == DB_NOTFOUND;
    return reading->gone ? 0 : code;
}

apr_status_t bdb_body_read(condreq_store_t *store, const char *key,
                           const condreq_record_t *record, apr_uint64_t offset,
                           char *bytes, apr_size_t length,
                           condreq_trouble_t *trouble, apr_pool_t *pool)
{
    reading_t reading = {{visit_read, "reading the body of", key},
                         record,
                         offset,
                         bytes,
                         length,
                         0};
    apr_status_t status =
        bdb_visit((bdb_store_t *)store, &reading.visit, trouble);

    (void)pool;
    if (status == APR_SUCCESS && reading.gone)
        return condreq_trouble(trouble, APR_NOTFOUND, "the body of %.100s",
                               key);
    return status;
}

apr_status_t bdb_body_get(condreq_txn_t *base, const char *key,
                          const condreq_record_t *record, char *bytes)
{
    bdb_txn_t *txn = (bdb_txn_t *)base;
    body_t body = body_of((bdb_store_t *)base->store, txn->txn, key, record);
    int code = bdb_txn_goes_on(txn);

    if (code == 0)
        code = body_read(&body, 0, bytes, (apr_size_t)body.length);
    return bdb_txn_outcome(txn, code, "reading the body of", key);
}

static int chunk_write(const body_t *body, apr_uint32_t chunk,
                       const char *bytes)
{
    unsigned char at[CHUNK_KEY_SIZE];
    DBT key, value = {0};

    chunk_key(&key, at, body, chunk);
    value.size = chunk_length(body, chunk);
    memcpy(&value.data, &bytes, sizeof(bytes));
    return body->tree->put(body->tree, body->txn, &key, &value, 0);
}

/* Every other chunk first: a full page splits in the middle, and what comes
 * in order never fills the half that it leaves behind. The second round fills
 * it. A large body takes half the pages, and half the locks. */
static int body_write(const body_t *body, const char *bytes)
{
    apr_uint32_t chunks = chunks_of(body);
    apr_uint32_t first, chunk;
    int code = 0;

    for (first = 0; first < 2; first++)
        for (chunk = first; chunk < chunks && code == 0; chunk += 2)
            code = chunk_write(body, chunk,
                               bytes + (apr_size_t)chunk * CHUNK_SIZE);
    return code;
}

apr_status_t bdb_body_put(condreq_txn_t *base, const char *key,
                          condreq_record_t *record, const char *bytes)
{
    bdb_txn_t *txn = (bdb_txn_t *)base;
    bdb_store_t *store = (bdb_store_t *)base->store;
    body_t body;
    int code = bdb_txn_goes_on(txn);

    txn->wrote = 1;
    if (code == 0)
        code = bdb_txn_reserve(txn, record->body_length, BDB_RESERVE_FLOOR);
    if (code == 0)
        code = bdb_body_id(store, &record->body_id);
    if (code == 0) {
        body = body_of(store, txn->txn, key, record);
        code = body_write(&body, bytes);
    }
    CONDREQ_FAULT("between puts");
    return bdb_txn_outcome(txn, code, "writing the body of", key);
}

static int body_remove(const body_t *body)
{
    unsigned char at[CHUNK_KEY_SIZE];
    apr_uint32_t chunk;
    DBT key;
    int code = 0;

    for (chunk = 0; chunk < chunks_of(body) && code == 0; chunk++) {
        chunk_key(&key, at, body, chunk);
        code = body->tree->del(body->tree, body->txn, &key, 0);
    }
    return code;
}

apr_status_t bdb_body_remove(condreq_txn_t *base, const char *key,
                             const condreq_record_t *record)
{
    bdb_txn_t *txn = (bdb_txn_t *)base;
    body_t body = body_of((bdb_store_t *)base->store, txn->txn, key, record);
    int code = bdb_txn_goes_on(txn);

    txn->wrote = 1;
    if (code == 0)
        code = bdb_txn_reserve(txn, record->body_length / 2, BDB_RESERVE_HALF);
    if (code == 0)
        code = body_remove(&body);
    return bdb_txn_outcome(txn, code, "removing the body of", key);
}
