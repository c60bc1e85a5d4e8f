/* Transactions: a body run in one, as often as it takes.
 * Knows begin, commit and abort; not what a body reads and writes. */
#include <string.h>

#include "apr_strings.h"

#include "condreq_bdb_index.h"
#include "condreq_bdb_fault.h"

/* What is known of a transaction's last commit. */
typedef enum ending_t {
    /** there was none, or it changed nothing */
    ENDING_NONE,
    /** it is in the log */
    ENDING_COMMITTED,
    /** the environment was lost under it: the witness will know */
    ENDING_ASKED,
    /** and there is no witness */
    ENDING_UNKNOWN
} ending_t;

typedef struct running_t {
    bdb_visit_t visit;
    condreq_txn_body_t *body;
    void *baton;
    /** what the body returned on its last run */
    apr_status_t status;
    condreq_trouble_t *trouble;
    apr_pool_t *pool;
    ending_t ending;
} running_t;

/* One record that is being written stands for the transaction: if it is there
 * after a recovery, all of it is. */
void bdb_txn_witness(bdb_txn_t *txn, const char *key,
                     const condreq_record_t *record)
{
    bdb_control_t *control = ((bdb_store_t *)txn->base.store)->control;

    apr_cpystrn(bdb_slot_witness_key(control, txn->slot), key,
                CONDREQ_KEY_MAX + 1);
    txn->slot->witness_version = record->version;
    txn->slot->witness_body_id = record->body_id;
    txn->witnessed = 1;
}

void bdb_txn_saw(bdb_txn_t *txn, const char *key,
                 const condreq_record_t *record)
{
    apr_cpystrn(txn->seen_key, key, sizeof(txn->seen_key));
    txn->seen = *record;
}

int bdb_txn_before(bdb_txn_t *txn, const char *key, condreq_record_t *before)
{
    if (strcmp(txn->seen_key, key) != 0)
        return bdb_record_read((bdb_store_t *)txn->base.store, txn->txn, key,
                               before);
    *before = txn->seen;
    return 0;
}

/* The lowest that is free, so that few writers leave most shards untouched.
 * What a killed process had is free again after the recovery. */
static int shard_take(_Atomic(apr_uint64_t) *taken, unsigned *shard)
{
    apr_uint64_t before = atomic_load(taken);

    do {
        if (~before == 0)
            return 0;
        *shard = (unsigned)__builtin_ctzll(~before);
    } while (!atomic_compare_exchange_weak(taken, &before,
                                           before | (apr_uint64_t)1 << *shard));
    return 1;
}

unsigned bdb_txn_shard(bdb_txn_t *txn)
{
    bdb_control_t *control = ((bdb_store_t *)txn->base.store)->control;

    if (!txn->has_shard) {
        txn->has_shard = 1;
        txn->shard = (unsigned)(txn->slot - control->slots) % BDB_SHARDS;
        txn->shard_is_taken =
            shard_take(&control->file->shards_taken, &txn->shard);
    }
    return txn->shard;
}

static void shard_give_back(bdb_txn_t *txn)
{
    bdb_control_t *control = ((bdb_store_t *)txn->base.store)->control;

    if (txn->shard_is_taken)
        atomic_fetch_and(&control->file->shards_taken,
                         ~((apr_uint64_t)1 << txn->shard));
}

int bdb_txn_reserve(bdb_txn_t *txn, apr_uint64_t body_bytes,
                    bdb_reserve_t reserve)
{
    bdb_store_t *store = (bdb_store_t *)txn->base.store;

    return bdb_room_reserve(&store->room, store->control, txn->slot,
                            bdb_room_needed(body_bytes), reserve);
}

static int is_condemned(const bdb_store_t *store, const bdb_slot_t *slot)
{
    return atomic_load(&store->control->file->word) !=
               atomic_load_explicit(&slot->inside, memory_order_relaxed) &&
           !CONDREQ_UNPROTECTED();
}

/* The keeper condemns before it marks the regions, so a commit that ended while
 * the word was good was not disturbed by the mark. The library marks them by
 * itself where a disk fails. */
static int is_lost(const bdb_store_t *store, const bdb_slot_t *slot)
{
    u_int32_t flags = 0;

    return is_condemned(store, slot) ||
           store->env->get_flags(store->env, &flags) != 0 ||
           (flags & DB_PANIC_ENVIRONMENT) != 0;
}

/* Only a commit that says yes in a sound environment is one. A no may be in
 * the log all the same, and so may a yes not: the library takes a flush that
 * failed for done where the log has just gone on to another file. */
static int commit(bdb_store_t *store, bdb_txn_t *txn, running_t *running)
{
    int code;

    txn->visit->doing = "committing";
    txn->visit->key = "";
    if (txn->witnessed)
        atomic_store(&txn->slot->verdict, BDB_VERDICT_PENDING);
    CONDREQ_FAULT("before commit");
    code = txn->txn->commit(txn->txn, 0);
    CONDREQ_FAULT("after commit");
    if (!txn->wrote)
        return code;
    if (code != 0 || is_lost(store, txn->slot)) {
        running->ending = txn->witnessed ? ENDING_ASKED : ENDING_UNKNOWN;
        return DB_RUNRECOVERY;
    }
    running->ending = ENDING_COMMITTED;
    if (txn->witnessed)
        atomic_store_explicit(&txn->slot->verdict, BDB_VERDICT_NONE,
                              memory_order_relaxed);
    return 0;
}

/* The aborted transaction gives back its locks, also to those who would else
 * wait for it beside the dead, and be ended with its process.
 * @return 0 where nothing failed but the body itself */
static int give_way(bdb_store_t *store, bdb_txn_t *txn)
{
    int code = txn->txn->abort(txn->txn);

    return code || is_lost(store, txn->slot) ? DB_RUNRECOVERY : txn->failed;
}

static void txn_init(bdb_txn_t *txn, bdb_store_t *store, running_t *running,
                     bdb_slot_t *slot)
{
    memset(txn, 0, sizeof(*txn));
    txn->base.store = &store->base;
    txn->base.trouble = running->trouble;
    txn->slot = slot;
    txn->visit = &running->visit;
}

/* A body may return what a failed operation gave it or anything else: only
 * the first failure says whether there is sense in another run. What was done
 * in a lost environment may be half done, and is not committed. */
static int run_body(bdb_store_t *store, running_t *running, bdb_slot_t *slot)
{
    bdb_visit_t *visit = &running->visit;
    bdb_txn_t txn;
    int code;

    txn_init(&txn, store, running, slot);
    apr_pool_clear(running->pool);
    visit->doing = "beginning a transaction";
    if ((code = store->env->txn_begin(store->env, NULL, &txn.txn, 0)) != 0)
        return code;
    CONDREQ_FAULT("begin");
    running->status = running->body(&txn.base, running->baton, running->pool);
    if (running->status == APR_SUCCESS && txn.failed == 0 &&
        !is_lost(store, slot))
        code = commit(store, &txn, running);
    else
        code = give_way(store, &txn);
    shard_give_back(&txn);
    bdb_room_unreserve(slot);
    return code;
}

static ending_t ending_of(apr_uint32_t verdict)
{
    switch (verdict) {
    case BDB_VERDICT_COMMITTED:
        return ENDING_COMMITTED;
    case BDB_VERDICT_LOST:
        return ENDING_NONE;
    default:
        return ENDING_UNKNOWN;
    }
}

/* Comes back after a recovery: what was committed is not done again. */
static int visit_txn(bdb_store_t *store, bdb_visit_t *visit)
{
    running_t *running = (running_t *)visit;
    bdb_slot_t *slot = bdb_slot_mine(store->control, 0);

    if (running->ending == ENDING_ASKED)
        running->ending =
            ending_of(atomic_exchange(&slot->verdict, BDB_VERDICT_NONE));
    return running->ending == ENDING_NONE ? run_body(store, running, slot) : 0;
}

/* Nobody waits for the answer any more. */
static apr_status_t give_up(bdb_store_t *store, condreq_trouble_t *trouble)
{
    bdb_slot_t *slot = bdb_slot_mine(store->control, 0);

    if (slot)
        atomic_store(&slot->verdict, BDB_VERDICT_NONE);
    return condreq_trouble(trouble, CONDREQ_EUNKNOWN, "committing");
}

apr_status_t bdb_txn(condreq_store_t *base, condreq_txn_body_t *body,
                     void *baton, condreq_trouble_t *trouble, apr_pool_t *pool)
{
    bdb_store_t *store = (bdb_store_t *)base;
    running_t running = {{visit_txn, "", ""}, body,    baton,
                         APR_SUCCESS,         trouble, NULL,
                         ENDING_NONE};
    apr_status_t status = apr_pool_create(&running.pool, pool);

    if (status != APR_SUCCESS)
        return condreq_trouble(trouble, status, "making a pool");
    status = bdb_visit(store, &running.visit, trouble);
    if (running.ending == ENDING_ASKED || running.ending == ENDING_UNKNOWN)
        return give_up(store, trouble);
    if (running.ending == ENDING_COMMITTED)
        return APR_SUCCESS;
    return status ? status : running.status;
}

int bdb_txn_goes_on(const bdb_txn_t *txn)
{
    const bdb_store_t *store = (const bdb_store_t *)txn->base.store;

    return is_condemned(store, txn->slot) ? DB_RUNRECOVERY : 0;
}

apr_status_t bdb_txn_outcome(bdb_txn_t *txn, int code, const char *doing,
                             const char *key)
{
    if (code != 0 && txn->failed == 0) {
        txn->failed = code;
        txn->visit->doing = doing;
        txn->visit->key = key;
    }
    return bdb_status(code);
}
