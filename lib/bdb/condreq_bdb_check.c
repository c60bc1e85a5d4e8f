/* Check: every record against its body, and every body for a record.
 * Knows records, chunks and SHA-256; decides nothing about what is wrong.
 *
 * Shard by shard: first which bodies there are, then the records and their
 * bodies, then those bodies again that no record had. A body is written and
 * removed together with its record, so one that was there before the records
 * were read, and still is afterwards, and belongs to none of them, belongs to
 * nobody. Others may write meanwhile. */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "apr_hash.h"
#include "apr_strings.h"

#include "condreq_bdb_check.h"

#define AT_ONCE 64u
#define CHUNKS_AT_ONCE 256u
#define PIECE (1u << 20)
#define SHARDS 256u

typedef struct checking_t {
    bdb_store_t *store;
    const bdb_check_t *check;
    condreq_trouble_t *trouble;
    /** of one shard: bdb_body_t by what names it */
    apr_hash_t *bodies;
    apr_pool_t *shard_pool;
    char *piece;
} checking_t;

/* ---- which bodies there are ---- */

typedef struct listing_t {
    bdb_visit_t visit;
    /** the chunk to go on from */
    unsigned char from[BDB_CHUNK_KEY_SIZE];
    unsigned count;
    struct {
        unsigned char key[BDB_CHUNK_KEY_SIZE];
        u_int32_t length;
    } chunks[CHUNKS_AT_ONCE];
} listing_t;

static void chunk_at(DBT *key, DBT *value, void *key_bytes, void *value_bytes)
{
    memset(key, 0, sizeof(*key));
    memset(value, 0, sizeof(*value));
    key->data = key_bytes;
    key->size = key->ulen = BDB_CHUNK_KEY_SIZE;
    key->flags = value->flags = DB_DBT_USERMEM;
    value->data = value_bytes;
    value->ulen = BDB_CHUNK_SIZE;
}

static int list_with(listing_t *listing, DBC *cursor)
{
    unsigned char key_bytes[BDB_CHUNK_KEY_SIZE], value_bytes[BDB_CHUNK_SIZE];
    u_int32_t how = DB_SET_RANGE;
    DBT key, value;
    int code = 0;

    memcpy(key_bytes, listing->from, sizeof(key_bytes));
    chunk_at(&key, &value, key_bytes, value_bytes);
    while (listing->count < CHUNKS_AT_ONCE &&
           (code = cursor->get(cursor, &key, &value, how)) == 0) {
        memcpy(listing->chunks[listing->count].key, key_bytes,
               sizeof(key_bytes));
        listing->chunks[listing->count++].length = value.size;
        how = DB_NEXT;
    }
    return code == DB_NOTFOUND ? 0 : code;
}

static int visit_list(bdb_store_t *store, bdb_visit_t *visit)
{
    listing_t *listing = (listing_t *)visit;
    DBC *cursor;
    int code, closed;

    listing->count = 0;
    if ((code = store->bodies->cursor(store->bodies, NULL, &cursor, 0)) != 0)
        return code;
    code = list_with(listing, cursor);
    closed = cursor->close(cursor);
    return code ? code : closed;
}

/* The hash and the id, without the chunk between them. */
static const char *name_of(const unsigned char chunk[BDB_CHUNK_KEY_SIZE],
                           char name[BDB_BODY_NAME_SIZE])
{
    memcpy(name, chunk, 4);
    memcpy(name + 4, chunk + 8, 8);
    return name;
}

void bdb_body_chunk_key(unsigned char key[BDB_CHUNK_KEY_SIZE],
                        const bdb_body_t *body, apr_uint32_t chunk)
{
    memcpy(key, body->name, 4);
    bdb_write_u32(key + 4, chunk);
    memcpy(key + 8, body->name + 4, 8);
}

static void note_chunk(checking_t *checking, const unsigned char *chunk,
                       u_int32_t length)
{
    char name[BDB_BODY_NAME_SIZE];
    bdb_body_t *body =
        apr_hash_get(checking->bodies, name_of(chunk, name), sizeof(name));

    if (!body) {
        body = apr_pcalloc(checking->shard_pool, sizeof(*body));
        memcpy(body->name, name, sizeof(name));
        body->first_chunk = bdb_read_u32(chunk + 4);
        apr_hash_set(checking->bodies, body->name, sizeof(body->name), body);
    }
    body->chunks++;
    body->bytes += length;
}

/* A chunk's key is followed by the least that is greater. */
static void step_over(listing_t *listing)
{
    int i = BDB_CHUNK_KEY_SIZE;

    memcpy(listing->from, listing->chunks[listing->count - 1].key,
           sizeof(listing->from));
    while (i > 0 && ++listing->from[--i] == 0)
        ;
}

static apr_status_t list_bodies(checking_t *checking, unsigned shard)
{
    listing_t listing = {
        {visit_list, "listing bodies", ""}, {0}, 0, {{{0}, 0}}};
    apr_status_t status;
    unsigned i;

    listing.from[0] = (unsigned char)shard;
    do {
        status = bdb_visit(checking->store, &listing.visit, checking->trouble);
        for (i = 0; i < listing.count && status == APR_SUCCESS; i++) {
            if (listing.chunks[i].key[0] != shard)
                return APR_SUCCESS;
            note_chunk(checking, listing.chunks[i].key,
                       listing.chunks[i].length);
        }
        if (listing.count)
            step_over(&listing);
    } while (status == APR_SUCCESS && listing.count == CHUNKS_AT_ONCE);
    return status;
}

/* ---- records ---- */

static void claim(checking_t *checking, const char *key,
                  const condreq_record_t *record)
{
    unsigned char name[BDB_BODY_NAME_SIZE];
    bdb_body_t *body;

    bdb_write_u32(name, bdb_key_hash(key));
    bdb_write_u64(name + 4, record->body_id);
    body = apr_hash_get(checking->bodies, name, sizeof(name));
    if (body)
        body->claimed = 1;
}

static apr_status_t digest_body(checking_t *checking, const char *key,
                                const condreq_record_t *record,
                                unsigned char sha256[CONDREQ_SHA256_SIZE])
{
    EVP_MD_CTX *sum = EVP_MD_CTX_new();
    apr_status_t status = APR_SUCCESS;
    apr_uint64_t offset;
    apr_size_t piece;

    EVP_DigestInit_ex(sum, EVP_sha256(), NULL);
    for (offset = 0; offset < record->body_length && status == APR_SUCCESS;
         offset += piece) {
        apr_uint64_t rest = record->body_length - offset;

        piece = rest < PIECE ? (apr_size_t)rest : PIECE;
        status = bdb_body_read(&checking->store->base, key, record, offset,
                               checking->piece, piece, checking->trouble,
                               checking->shard_pool);
        if (status == APR_SUCCESS)
            EVP_DigestUpdate(sum, checking->piece, piece);
    }
    EVP_DigestFinal_ex(sum, sha256, NULL);
    EVP_MD_CTX_free(sum);
    return status;
}

/* @return APR_NOTFOUND: a later version has taken its place, or it is gone */
static apr_status_t judge_body(checking_t *checking, const char *key,
                               const condreq_record_t *record,
                               bdb_body_verdict_t *verdict)
{
    unsigned char sha256[CONDREQ_SHA256_SIZE];
    apr_status_t status = digest_body(checking, key, record, sha256);

    *verdict =
        status == APR_SUCCESS && !memcmp(sha256, record->sha256, sizeof(sha256))
            ? BDB_BODY_WHOLE
            : BDB_BODY_WRONG;
    return status;
}

static apr_status_t check_document(checking_t *checking, const char *key,
                                   condreq_record_t *record)
{
    bdb_body_verdict_t verdict = BDB_BODY_WHOLE;
    apr_uint64_t version;
    apr_status_t status;

    do {
        version = record->version;
        if (record->state != CONDREQ_LIVE)
            return APR_SUCCESS;
        status = judge_body(checking, key, record, &verdict);
        if (status != APR_NOTFOUND)
            break;
        verdict = BDB_BODY_MISSING;
        status = bdb_lookup(&checking->store->base, key, record,
                            checking->trouble, checking->shard_pool);
    } while (status == APR_SUCCESS && record->version != version);
    if (verdict == BDB_BODY_WHOLE || !checking->check->gives_up)
        claim(checking, key, record);
    return status ? status
                  : checking->check->document(checking->check->baton, key,
                                              record, verdict);
}

static apr_status_t check_walked(checking_t *checking, condreq_walked_t *walked)
{
    if (walked->unreadable)
        return checking->check->unreadable(checking->check->baton, walked->key);
    return check_document(checking, walked->key, &walked->record);
}

static apr_status_t check_records(checking_t *checking, unsigned shard)
{
    condreq_walked_t *found =
        apr_palloc(checking->shard_pool, AT_ONCE * sizeof(*found));
    condreq_walk_t walk = {{(unsigned char)shard}, 1};
    apr_status_t status = APR_SUCCESS;
    unsigned count = AT_ONCE, i;

    while (status == APR_SUCCESS && count > 0 && walk.place[0] == shard) {
        status = bdb_walk(&checking->store->base, "", &walk, found, AT_ONCE,
                          &count, checking->trouble, checking->shard_pool);
        for (i = 0; i < count && status == APR_SUCCESS; i++) {
            if (bdb_key_hash(found[i].key) >> 24 != shard)
                return APR_SUCCESS;
            status = check_walked(checking, &found[i]);
        }
    }
    return status;
}

/* ---- bodies without a record ---- */

typedef struct asking_t {
    bdb_visit_t visit;
    const bdb_body_t *body;
    int is_there;
} asking_t;

static int visit_ask(bdb_store_t *store, bdb_visit_t *visit)
{
    unsigned char key_bytes[BDB_CHUNK_KEY_SIZE];
    unsigned char value_bytes[BDB_CHUNK_SIZE];
    asking_t *asking = (asking_t *)visit;
    DBT key, value;
    int code;

    bdb_body_chunk_key(key_bytes, asking->body, asking->body->first_chunk);
    chunk_at(&key, &value, key_bytes, value_bytes);
    code = store->bodies->get(store->bodies, NULL, &key, &value, 0);
    asking->is_there = code == 0;
    return code == DB_NOTFOUND ? 0 : code;
}

static apr_status_t check_orphans(checking_t *checking)
{
    apr_status_t status = APR_SUCCESS;
    apr_hash_index_t *at;

    for (at = apr_hash_first(checking->shard_pool, checking->bodies);
         at && status == APR_SUCCESS; at = apr_hash_next(at)) {
        asking_t asking = {
            {visit_ask, "looking for a body", ""}, apr_hash_this_val(at), 0};

        if (asking.body->claimed)
            continue;
        status = bdb_visit(checking->store, &asking.visit, checking->trouble);
        if (status == APR_SUCCESS && asking.is_there)
            status =
                checking->check->orphan(checking->check->baton, asking.body);
    }
    return status;
}

apr_status_t bdb_check(bdb_store_t *store, const bdb_check_t *check,
                       condreq_trouble_t *trouble, apr_pool_t *pool)
{
    checking_t checking = {store, check, trouble,
                           NULL,  NULL,  apr_palloc(pool, PIECE)};
    apr_status_t status = APR_SUCCESS;
    unsigned shard;

    apr_pool_create(&checking.shard_pool, pool);
    for (shard = 0; shard < SHARDS && status == APR_SUCCESS; shard++) {
        apr_pool_clear(checking.shard_pool);
        checking.bodies = apr_hash_make(checking.shard_pool);
        if ((status = list_bodies(&checking, shard)) == APR_SUCCESS &&
            (status = check_records(&checking, shard)) == APR_SUCCESS)
            status = check_orphans(&checking);
    }
    return status;
}
