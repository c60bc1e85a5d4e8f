/* Transactions: a body run in one, as often as it takes.
 * Knows begin, commit and abort; not what a body reads and writes. */
#include "condreq_bdb.h"

typedef struct running_t {
    bdb_visit_t visit;
    condreq_txn_body_t *body;
    void *baton;
    /** what the body returned on its last run */
    apr_status_t status;
    condreq_trouble_t *trouble;
    apr_pool_t *pool;
} running_t;

/* A commit that fails has aborted, or the environment is in panic: so what
 * may pass can be tried again, and no write happens twice. */
static int commit(bdb_txn_t *txn)
{
    txn->visit->doing = "committing";
    txn->visit->key = "";
    return txn->txn->commit(txn->txn, 0);
}

/* A body may return what a failed operation gave it or anything else: only
 * the first failure says whether there is sense in another run. */
static int visit_txn(bdb_store_t *store, bdb_visit_t *visit)
{
    running_t *running = (running_t *)visit;
    bdb_txn_t txn = {{&store->base, running->trouble}, NULL, 0, visit};
    int code;

    apr_pool_clear(running->pool);
    visit->doing = "beginning a transaction";
    if ((code = store->env->txn_begin(store->env, NULL, &txn.txn, 0)) != 0)
        return code;
    running->status = running->body(&txn.base, running->baton, running->pool);
    if (running->status == APR_SUCCESS && txn.failed == 0)
        return commit(&txn);
    code = txn.txn->abort(txn.txn);
    return code ? code : txn.failed;
}

apr_status_t bdb_txn(condreq_store_t *store, condreq_txn_body_t *body,
                     void *baton, condreq_trouble_t *trouble, apr_pool_t *pool)
{
    running_t running = {{visit_txn, "", ""}, body,    baton,
                         APR_SUCCESS,         trouble, NULL};
    apr_status_t status = apr_pool_create(&running.pool, pool);

    if (status != APR_SUCCESS)
        return condreq_trouble(trouble, status, "making a pool");
    status = bdb_visit((bdb_store_t *)store, &running.visit, trouble);
    return status ? status : running.status;
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
