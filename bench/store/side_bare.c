/* The bare library's side: the same transactions without a layer of ours.
 * Knows Berkeley DB. */
#include <db.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "side.h"

#define RECORD_LENGTH 100
#define CHUNK_LENGTH 989

/* In memory, as the store's regions are; named after the path, so that all
 * processes find it. */
static const char *bare_home(void)
{
    static char home[512];
    char *at;

    snprintf(home, sizeof(home), "/dev/shm/bench%s", side_setting.path);
    for (at = home + strlen("/dev/shm/"); *at; at++) {
        if (*at == '/')
            *at = '-';
    }
    return home;
}

typedef struct bare_t {
    DB_ENV *env;
    DB *records;
    DB *bodies;
} bare_t;

static void must(int code, const char *what)
{
    if (code != 0)
        side_die(what, db_strerror(code));
}

static void bare_environment(bare_t *bare, u_int32_t how)
{
    char name[600];

    must(db_env_create(&bare->env, 0), "db_env_create");
    bare->env->set_cachesize(bare->env, 0, side_setting.cache_bytes, 1);
    bare->env->set_lk_max_locks(bare->env, 40000);
    bare->env->set_lk_max_objects(bare->env, 40000);
    bare->env->set_lk_max_lockers(bare->env, 40000);
    bare->env->set_tx_max(bare->env, 2 * SIDE_THREADS_MAX);
    bare->env->mutex_set_increment(bare->env, 20000);
    bare->env->set_lg_bsize(bare->env, 256u << 10);
    bare->env->set_lg_max(bare->env, 10u << 20);
    bare->env->set_lk_detect(bare->env, DB_LOCK_MINWRITE);
    bare->env->log_set_config(bare->env, DB_LOG_ZERO, 1);
    bare->env->set_flags(bare->env, DB_TXN_WRITE_NOSYNC, side_setting.nosync);
    snprintf(name, sizeof(name), "%s/bare", side_setting.path);
    bare->env->set_data_dir(bare->env, name);
    bare->env->set_create_dir(bare->env, name);
    bare->env->set_lg_dir(bare->env, name);
    must(bare->env->open(bare->env, bare_home(),
                         DB_INIT_MPOOL | DB_INIT_LOCK | DB_INIT_LOG |
                             DB_INIT_TXN | DB_THREAD | how,
                         0600),
         "open");
}

static DB *bare_tree(bare_t *bare, const char *name, u_int32_t how)
{
    DB *tree;

    must(db_create(&tree, bare->env, 0), "db_create");
    tree->set_pagesize(tree, 4096);
    must(tree->open(tree, NULL, name, NULL, DB_BTREE,
                    DB_AUTO_COMMIT | DB_THREAD | how, 0600),
         name);
    return tree;
}

static void *bare_open_how(u_int32_t how)
{
    bare_t *bare = calloc(1, sizeof(*bare));

    if (!bare)
        side_die("open", "no memory");
    bare_environment(bare, how);
    bare->records = bare_tree(bare, "records.db", how & DB_CREATE);
    bare->bodies = bare_tree(bare, "chunks.db", how & DB_CREATE);
    return bare;
}

static void *bare_open(void)
{
    return bare_open_how(0);
}

static DBT dbt_of(void *bytes, unsigned length)
{
    DBT dbt;

    memset(&dbt, 0, sizeof(dbt));
    dbt.data = bytes;
    dbt.size = dbt.ulen = length;
    dbt.flags = DB_DBT_USERMEM;
    return dbt;
}

/* A spread key of eight bytes, as good as the store's for this purpose. */
static void bare_key(unsigned char key[16], unsigned document, unsigned chunk)
{
    unsigned spread = document * 2654435761u;
    int i;

    memset(key, 0, 16);
    for (i = 0; i < 4; i++) {
        key[i] = (unsigned char)(spread >> (24 - 8 * i));
        key[4 + i] = (unsigned char)(document >> (24 - 8 * i));
    }
    key[15] = (unsigned char)chunk;
}

static unsigned chunks(void)
{
    return (side_setting.body_length + CHUNK_LENGTH - 1) / CHUNK_LENGTH;
}

static unsigned chunk_length(unsigned chunk)
{
    unsigned left = side_setting.body_length - chunk * CHUNK_LENGTH;

    return left < CHUNK_LENGTH ? left : CHUNK_LENGTH;
}

static int bare_body_put(bare_t *bare, DB_TXN *txn, unsigned document,
                         unsigned id)
{
    unsigned char bytes[16];
    DBT key = dbt_of(bytes, 16), value;
    int code = 0;
    unsigned chunk;

    for (chunk = 0; chunk < chunks() && code == 0; chunk++) {
        bare_key(bytes, document, chunk);
        memcpy(bytes + 8, &id, sizeof(id));
        value = dbt_of((char *)side_body() + chunk * CHUNK_LENGTH,
                       chunk_length(chunk));
        code = bare->bodies->put(bare->bodies, txn, &key, &value, 0);
    }
    return code;
}

static int bare_body_remove(bare_t *bare, DB_TXN *txn, unsigned document,
                            unsigned id)
{
    unsigned char bytes[16];
    DBT key = dbt_of(bytes, 16);
    int code = 0;
    unsigned chunk;

    for (chunk = 0; chunk < chunks() && code == 0; chunk++) {
        bare_key(bytes, document, chunk);
        memcpy(bytes + 8, &id, sizeof(id));
        code = bare->bodies->del(bare->bodies, txn, &key, 0);
    }
    return code;
}

static int bare_replace(bare_t *bare, DB_TXN *txn, unsigned document, int first)
{
    unsigned char bytes[8 + 8], record[RECORD_LENGTH] = {0};
    DBT key = dbt_of(bytes, 8), value = dbt_of(record, RECORD_LENGTH);
    unsigned id = 0;
    int code = 0;

    bare_key(bytes, document, 0);
    if (!first &&
        (code = bare->records->get(bare->records, txn, &key, &value, DB_RMW)))
        return code;
    memcpy(&id, record, sizeof(id));
    if (!first && (code = bare_body_remove(bare, txn, document, id)))
        return code;
    id++;
    memcpy(record, &id, sizeof(id));
    if ((code = bare_body_put(bare, txn, document, id)))
        return code;
    return bare->records->put(bare->records, txn, &key, &value, 0);
}

static void bare_write(bare_t *bare, unsigned document, int first)
{
    DB_TXN *txn;
    int code;

    do {
        must(bare->env->txn_begin(bare->env, NULL, &txn, 0), "begin");
        code = bare_replace(bare, txn, document, first);
        if (code == 0)
            must(txn->commit(txn, 0), "commit");
        else
            must(txn->abort(txn), "abort");
    } while (code == DB_LOCK_DEADLOCK || code == DB_LOCK_NOTGRANTED);
    must(code, "update");
}

static void bare_update(void *opened, unsigned document, apr_pool_t *pool)
{
    (void)pool;
    bare_write(opened, document, 0);
}

static void bare_prepare(void)
{
    int nosync = side_setting.nosync;
    unsigned document;
    char name[600];
    bare_t *bare;

    snprintf(name, sizeof(name), "%s/bare", side_setting.path);
    if (mkdir(name, 0700) != 0 || mkdir(bare_home(), 0700) != 0)
        side_die(name, strerror(errno));
    side_setting.nosync = 1;
    bare = bare_open_how(DB_CREATE | DB_RECOVER);
    for (document = 0; document < side_setting.documents; document++)
        bare_write(bare, document, 1);
    must(bare->env->txn_checkpoint(bare->env, 0, 0, DB_FORCE), "checkpoint");
    must(bare->env->log_archive(bare->env, NULL, DB_ARCH_REMOVE), "archive");
    side_setting.nosync = nosync;
}

static void bare_maintain(void *opened)
{
    bare_t *bare = opened;

    must(bare->env->txn_checkpoint(bare->env, 4096, 1, 0), "checkpoint");
    must(bare->env->log_archive(bare->env, NULL, DB_ARCH_REMOVE), "archive");
}

static int remove_one(const char *path, const struct stat *found, int kind,
                      struct FTW *at)
{
    (void)found;
    (void)kind;
    (void)at;
    return remove(path);
}

static void bare_remove(void)
{
    nftw(bare_home(), remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const side_t side_bare = {"bare",      bare_prepare,  bare_open,
                          bare_update, bare_maintain, bare_remove};
