/* Locks: what was taken on which key, and how many there are.
 * Knows how locks and their counts lie in one tree; of a lock only its encoding.
 *
 * Three kinds of keys, the first byte of which says which:
 *   'l' root NUL token          the lock
 *   'n' namespace               how many there are in it
 *   'u' namespace NUL user      how many of them this user took
 * Counts are exact, since each transaction that stores or removes a lock
 * changes them. So whoever locks waits for whoever else does, on one page,
 * through the flush; and a write, which reads the first count to know that
 * there is no lock, waits for the one that stores the first. Both are wanted:
 * the page's lock is what keeps a LOCK and a PUT apart. */
#include <string.h>

#include "apr_strings.h"

#include "condreq_bdb.h"
#include "condreq_key.h"

#define KIND_LOCK 'l'
#define KIND_NAMESPACE 'n'
#define KIND_USER 'u'

#define LOCK_KEY_MAX (1 + CONDREQ_KEY_MAX + 1 + CONDREQ_LOCK_TOKEN_LENGTH)

typedef struct lock_key_t {
    DBT dbt;
    unsigned char bytes[LOCK_KEY_MAX];
} lock_key_t;

/* Puts text behind a key. @return 0 or EINVAL where it has no room */
static int key_append(lock_key_t *made, const char *text, size_t length)
{
    if (length > sizeof(made->bytes) - made->dbt.size)
        return EINVAL;
    memcpy(made->bytes + made->dbt.size, text, length);
    made->dbt.size += (u_int32_t)length;
    return 0;
}

static void key_begin(lock_key_t *made, char kind)
{
    memset(&made->dbt, 0, sizeof(made->dbt));
    made->bytes[0] = (unsigned char)kind;
    made->dbt.data = made->bytes;
    made->dbt.size = 1;
    made->dbt.ulen = sizeof(made->bytes);
    made->dbt.flags = DB_DBT_USERMEM;
}

static int root_key(lock_key_t *made, const char *root)
{
    size_t length = strlen(root);

    if (length > CONDREQ_KEY_MAX)
        return EINVAL;
    key_begin(made, KIND_LOCK);
    return key_append(made, root, length);
}

static int lock_key(lock_key_t *made, const condreq_lock_t *lock)
{
    int code = root_key(made, lock->root);

    if (code == 0)
        code = key_append(made, "", 1);
    return code ? code : key_append(made, lock->token, strlen(lock->token));
}

static int namespace_key(lock_key_t *made, const char *key)
{
    key_begin(made, KIND_NAMESPACE);
    return key_append(made, key, condreq_key_namespace_length(key));
}

static int user_key(lock_key_t *made, const char *key, const char *user)
{
    int code;

    key_begin(made, KIND_USER);
    if ((code = key_append(made, key, condreq_key_namespace_length(key))) ||
        (code = key_append(made, "", 1)))
        return code;
    return key_append(made, user, strlen(user));
}

/* ---- counts ---- */

/* What was never counted stands at 0. */
static int count_get(bdb_store_t *store, DB_TXN *txn, lock_key_t *at,
                     u_int32_t how, apr_uint64_t *count)
{
    unsigned char bytes[8];
    DBT value = {0};
    int code;

    value.data = bytes;
    value.ulen = sizeof(bytes);
    value.flags = DB_DBT_USERMEM;
    code = store->locks->get(store->locks, txn, &at->dbt, &value, how);
    *count = code == 0 ? bdb_read_u64(bytes) : 0;
    if (code == DB_BUFFER_SMALL || (code == 0 && value.size != sizeof(bytes)))
        return DB_OLD_VERSION;
    return code == DB_NOTFOUND ? 0 : code;
}

/* A count of none is not kept: users come and go. */
static int count_change(bdb_store_t *store, DB_TXN *txn, lock_key_t *at, int by)
{
    unsigned char bytes[8];
    apr_uint64_t count;
    DBT value = {0};
    int code = count_get(store, txn, at, DB_RMW, &count);

    if (code != 0)
        return code;
    if (by < 0 && count <= 1)
        return count ? store->locks->del(store->locks, txn, &at->dbt, 0) : 0;
    bdb_write_u64(bytes, by < 0 ? count - 1 : count + 1);
    value.data = bytes;
    value.size = sizeof(bytes);
    return store->locks->put(store->locks, txn, &at->dbt, &value, 0);
}

static int counts_change(bdb_store_t *store, DB_TXN *txn,
                         const condreq_lock_t *lock, int by)
{
    lock_key_t at;
    int code;

    if ((code = namespace_key(&at, lock->root)) ||
        (code = count_change(store, txn, &at, by)) ||
        (code = user_key(&at, lock->root, lock->user ? lock->user : "")))
        return code;
    return count_change(store, txn, &at, by);
}

typedef struct asking_t {
    bdb_visit_t visit;
    apr_uint64_t count;
} asking_t;

static int visit_has_locks(bdb_store_t *store, bdb_visit_t *visit)
{
    lock_key_t at;
    int code = namespace_key(&at, visit->key);

    return code ? code
                : count_get(store, NULL, &at, 0, &((asking_t *)visit)->count);
}

apr_status_t bdb_has_locks(condreq_store_t *store, const char *key,
                           int *has_locks, condreq_trouble_t *trouble,
                           apr_pool_t *pool)
{
    asking_t asking = {{visit_has_locks, "looking for locks around", key}, 0};
    apr_status_t status =
        bdb_visit((bdb_store_t *)store, &asking.visit, trouble);

    (void)pool;
    *has_locks = asking.count > 0;
    return status;
}

/* ---- inside ---- */

apr_status_t bdb_txn_has_locks(condreq_txn_t *base, const char *key,
                               int *has_locks)
{
    bdb_txn_t *txn = (bdb_txn_t *)base;
    apr_uint64_t count = 0;
    lock_key_t at;
    int code;

    if ((code = bdb_txn_goes_on(txn)) == 0 &&
        (code = namespace_key(&at, key)) == 0)
        code = count_get((bdb_store_t *)base->store, txn->txn, &at, 0, &count);
    *has_locks = count > 0;
    return bdb_txn_outcome(txn, code, "looking for locks around", key);
}

apr_status_t bdb_locks_count(condreq_txn_t *base, const char *key,
                             const char *user, apr_uint64_t *count)
{
    bdb_txn_t *txn = (bdb_txn_t *)base;
    lock_key_t at;
    int code;

    *count = 0;
    if ((code = bdb_txn_goes_on(txn)) == 0 &&
        (code = user ? user_key(&at, key, user) : namespace_key(&at, key)) == 0)
        code =
            count_get((bdb_store_t *)base->store, txn->txn, &at, DB_RMW, count);
    return bdb_txn_outcome(txn, code, "counting locks around", key);
}

/* ---- scans ---- */

typedef struct scan_t {
    const condreq_lock_range_t *range;
    lock_key_t at;
    DBT value;
    unsigned char bytes[CONDREQ_LOCK_SIZE_MAX];
    condreq_lock_t *lock;
    apr_pool_t *pool;
} scan_t;

/* Where the range begins, or right at the lock that it begins behind. */
static int scan_begin(scan_t *scan)
{
    memset(&scan->value, 0, sizeof(scan->value));
    scan->value.data = scan->bytes;
    scan->value.ulen = sizeof(scan->bytes);
    scan->value.flags = DB_DBT_USERMEM;
    return scan->range->after ? lock_key(&scan->at, scan->range->after)
                              : root_key(&scan->at, scan->range->key);
}

/* Is the lock on which the cursor stands one of the range? */
static int is_in_range(const scan_t *scan)
{
    const condreq_lock_range_t *range = scan->range;
    size_t length = strlen(range->key);

    return scan->at.dbt.size > 1 + length && scan->at.bytes[0] == KIND_LOCK &&
           !memcmp(scan->at.bytes + 1, range->key, length) &&
           (range->below || scan->at.bytes[1 + length] == '\0');
}

static int is_behind(const scan_t *scan)
{
    const condreq_lock_t *after = scan->range->after;
    lock_key_t first;

    return !after || lock_key(&first, after) != 0 ||
           first.dbt.size != scan->at.dbt.size ||
           memcmp(first.bytes, scan->at.bytes, first.dbt.size) != 0;
}

static int read_lock(scan_t *scan)
{
    const char *root = (const char *)scan->at.bytes + 1;
    size_t length = scan->at.dbt.size - 1;
    const char *end = memchr(root, '\0', length);
    size_t token_length = end ? (size_t)(root + length - end - 1) : 0;

    if (!end || token_length > CONDREQ_LOCK_TOKEN_LENGTH)
        return DB_OLD_VERSION;
    scan->lock = apr_pcalloc(scan->pool, sizeof(*scan->lock));
    scan->lock->root = apr_pstrdup(scan->pool, root);
    memcpy(scan->lock->token, end + 1, token_length);
    return condreq_lock_decode(scan->lock, scan->bytes, scan->value.size,
                               scan->pool) == APR_SUCCESS
               ? 0
               : DB_OLD_VERSION;
}

static int scan_run(DBC *cursor, scan_t *scan, condreq_lock_visitor_t *visitor,
                    void *baton)
{
    int code = scan_begin(scan);

    if (code == 0)
        code = cursor->get(cursor, &scan->at.dbt, &scan->value, DB_SET_RANGE);
    while (code == 0 && is_in_range(scan)) {
        if (is_behind(scan)) {
            if ((code = read_lock(scan)) != 0)
                return code;
            if (!visitor(baton, scan->lock))
                return 0;
        }
        code = cursor->get(cursor, &scan->at.dbt, &scan->value, DB_NEXT);
    }
    return code == DB_NOTFOUND ? 0 : code;
}

apr_status_t bdb_locks_scan(condreq_txn_t *base,
                            const condreq_lock_range_t *range,
                            condreq_lock_visitor_t *visitor, void *baton,
                            apr_pool_t *pool)
{
    bdb_txn_t *txn = (bdb_txn_t *)base;
    DB *locks = ((bdb_store_t *)base->store)->locks;
    scan_t scan;
    DBC *cursor;
    int code, closed;

    scan.range = range;
    scan.pool = pool;
    if ((code = bdb_txn_goes_on(txn)) == 0 &&
        (code = locks->cursor(locks, txn->txn, &cursor, 0)) == 0) {
        code = scan_run(cursor, &scan, visitor, baton);
        closed = cursor->close(cursor);
        code = code ? code : closed;
    }
    return bdb_txn_outcome(txn, code == DB_BUFFER_SMALL ? DB_OLD_VERSION : code,
                           "reading the locks of", range->key);
}

/* ---- changes ---- */

static int is_stored(bdb_store_t *store, DB_TXN *txn, lock_key_t *at,
                     int *stored)
{
    DBT nothing = {0};
    int code;

    nothing.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL;
    code = store->locks->get(store->locks, txn, &at->dbt, &nothing, DB_RMW);
    *stored = code == 0;
    return code == DB_NOTFOUND ? 0 : code;
}

static int lock_store(bdb_store_t *store, DB_TXN *txn,
                      const condreq_lock_t *lock)
{
    unsigned char bytes[CONDREQ_LOCK_SIZE_MAX];
    DBT value = {0};
    lock_key_t at;
    int code, stored;

    if ((code = lock_key(&at, lock)) ||
        (code = is_stored(store, txn, &at, &stored)) ||
        (code = stored ? 0 : counts_change(store, txn, lock, 1)))
        return code;
    value.data = bytes;
    value.size = (u_int32_t)condreq_lock_encode(bytes, lock);
    return store->locks->put(store->locks, txn, &at.dbt, &value, 0);
}

apr_status_t bdb_lock_put(condreq_txn_t *base, const condreq_lock_t *lock)
{
    bdb_txn_t *txn = (bdb_txn_t *)base;
    int code = bdb_txn_goes_on(txn);

    txn->wrote = 1;
    if (code == 0)
        code = bdb_txn_reserve(txn, 0, BDB_RESERVE_FLOOR);
    if (code == 0)
        code = lock_store((bdb_store_t *)base->store, txn->txn, lock);
    return bdb_txn_outcome(txn, code, "storing a lock of", lock->root);
}

static int lock_delete(bdb_store_t *store, DB_TXN *txn,
                       const condreq_lock_t *lock)
{
    lock_key_t at;
    int code;

    if ((code = lock_key(&at, lock)) ||
        (code = store->locks->del(store->locks, txn, &at.dbt, 0)))
        return code;
    return counts_change(store, txn, lock, -1);
}

apr_status_t bdb_lock_remove(condreq_txn_t *base, const condreq_lock_t *lock)
{
    bdb_txn_t *txn = (bdb_txn_t *)base;
    int code = bdb_txn_goes_on(txn);

    txn->wrote = 1;
    if (code == 0)
        code = bdb_txn_reserve(txn, 0, BDB_RESERVE_HALF);
    if (code == 0)
        code = lock_delete((bdb_store_t *)base->store, txn->txn, lock);
    return bdb_txn_outcome(txn, code, "removing a lock of", lock->root);
}
