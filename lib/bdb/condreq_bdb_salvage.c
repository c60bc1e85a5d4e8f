/* Salvage: a new store of what can be read in a damaged one, which stays as it
 * is.
 * Knows the three trees and what stands in each; of pages only how to get their
 * pairs.
 *
 * The damaged store is copied, and the copy is recovered if the library can.
 * Then pairs are put into new trees, page by page, without a way from page to
 * page that a damaged one would break. Damaged pages come last: what they still
 * give counts where nothing better is there, for a body is believed if it has
 * its record's SHA-256, on whatever page it stood. At the end every record is
 * held against its body, and what has lost it becomes a tombstone: its version
 * goes on from there. A body that has lost its record is kept as a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apr_strings.h"

#include "condreq_bdb_check.h"

#define PAIRS_A_CHECKPOINT 16384u
/* Ids that a process had drawn, and not used before it all ended. */
#define BODY_IDS_TO_PASS 1048576u
#define LOST "/lost+found"

typedef struct salvaging_t {
    const char *path;
    const char *directory;
    /** the copy of the damaged store */
    const char *damaged;
    /** where the new one is made */
    const char *made;
    bdb_store_t *store;
    condreq_findings_t *findings;
    condreq_trouble_t *trouble;
    unsigned pairs;
    apr_uint64_t last_body_id;
    apr_pool_t *pool;
} salvaging_t;

/* ---- the copy ---- */

static apr_status_t copy_file(void *baton, const char *directory,
                              const char *name, apr_pool_t *pool)
{
    salvaging_t *salvaging = baton;
    const char *part = strrchr(directory, '/');

    return bdb_file_copy(
        apr_pstrcat(pool, directory, "/", name, NULL),
        apr_pstrcat(pool, salvaging->damaged, part, "/", name, NULL),
        ~(apr_uint64_t)0, salvaging->trouble);
}

static apr_status_t copy_damaged(salvaging_t *salvaging)
{
    apr_pool_t *pool = salvaging->pool;
    apr_status_t status;

    bdb_copy_remove(salvaging->damaged, pool);
    if ((status =
             bdb_copy_make(salvaging->damaged, salvaging->trouble, pool)) ||
        (status =
             bdb_files_each(apr_pstrcat(pool, salvaging->path, "/data", NULL),
                            copy_file, salvaging, salvaging->trouble, pool)))
        return status;
    return bdb_files_each(apr_pstrcat(pool, salvaging->path, "/log", NULL),
                          copy_file, salvaging, salvaging->trouble, pool);
}

/* In a process of its own: what the library does with damaged files is not
 * known. */
static int recovers(const salvaging_t *salvaging)
{
    bdb_store_t *copy = apr_pcalloc(salvaging->pool, sizeof(*copy));
    pid_t child = fork();
    int state;

    if (child == 0)
        _exit(bdb_alone_close(copy, bdb_alone_open(copy, salvaging->damaged,
                                                   DB_RECOVER)) != 0);
    return child > 0 && waitpid(child, &state, 0) == child &&
           WIFEXITED(state) && WEXITSTATUS(state) == 0;
}

/* A recovery that failed may have done a part. */
static apr_status_t make_copy(salvaging_t *salvaging)
{
    apr_status_t status = copy_damaged(salvaging);

    if (status != APR_SUCCESS || recovers(salvaging))
        return status;
    salvaging->findings->note(salvaging->findings->baton,
                              "the log could not be applied: the last writes "
                              "before the damage may be missing");
    return copy_damaged(salvaging);
}

/* ---- pairs, from pages to trees ---- */

static void dbt_of(DBT *dbt, const void *bytes, apr_size_t length)
{
    memset(dbt, 0, sizeof(*dbt));
    memcpy(&dbt->data, &bytes, sizeof(bytes));
    dbt->size = (u_int32_t)length;
}

static int put_pair(DB *tree, const bdb_item_t *key, const bdb_item_t *value,
                    u_int32_t how)
{
    DBT at, bytes;

    dbt_of(&at, key->bytes, key->length);
    dbt_of(&bytes, value->bytes, value->length);
    return tree->put(tree, NULL, &at, &bytes, how);
}

/* A key of the version map with its NUL. */
static int key_of(char key[CONDREQ_KEY_MAX + 1], const bdb_item_t *item)
{
    if (item->length < 2 || item->length > CONDREQ_KEY_MAX + 1)
        return 0;
    memcpy(key, item->bytes + 1, item->length - 1);
    key[item->length - 1] = '\0';
    return strlen(key) == item->length - 1 &&
           bdb_key_hash(key) >> 24 == item->bytes[0];
}

/* Of two records of one key, as a page that was split and not removed may
 * bring, the later version is the right one. */
static int put_record(salvaging_t *salvaging, const bdb_item_t *item,
                      const bdb_item_t *value, int damaged)
{
    bdb_store_t *store = salvaging->store;
    condreq_record_t record, there;
    char key[CONDREQ_KEY_MAX + 1];
    condreq_trouble_t trouble;

    if (!key_of(key, item))
        return 0;
    if (condreq_record_decode(&record, value->bytes, value->length)) {
        if (!damaged)
            bdb_found(salvaging->findings, key, "its record cannot be read");
        return 0;
    }
    if (bdb_lookup(&store->base, key, &there, &trouble, salvaging->pool))
        return EIO;
    if (there.state != CONDREQ_ABSENT &&
        (damaged || there.version >= record.version))
        return 0;
    if (damaged)
        bdb_found(salvaging->findings, key,
                  "its record stood on a damaged page: look at it");
    return put_pair(store->versions, item, value, 0);
}

static int put_chunk(salvaging_t *salvaging, const bdb_item_t *item,
                     const bdb_item_t *value, int damaged)
{
    apr_uint64_t id;
    int code;

    (void)damaged;
    if (item->length != BDB_CHUNK_KEY_SIZE || value->length > BDB_CHUNK_SIZE)
        return 0;
    id = bdb_read_u64(item->bytes + 8);
    if (!damaged && id > salvaging->last_body_id)
        salvaging->last_body_id = id;
    code = put_pair(salvaging->store->bodies, item, value, DB_NOOVERWRITE);
    return code == DB_KEYEXIST ? 0 : code;
}

static int is_format(const bdb_item_t *item)
{
    return item->length == 1 && item->bytes[0] == BDB_KIND_FORMAT;
}

static int is_of_another_format(const bdb_item_t *value)
{
    apr_uint64_t format = bdb_read_u64(value->bytes);

    return format != BDB_FORMAT && format != BDB_FORMAT_WITHOUT_INDEX;
}

/* What a damaged page says is not taken over: numbers that are lost begin anew,
 * past the names that are taken. Those of the index go with it. */
static int put_counter(salvaging_t *salvaging, const bdb_item_t *item,
                       const bdb_item_t *value, int damaged)
{
    int code;

    if (damaged || item->length < 1 || value->length != 8 ||
        item->bytes[0] == BDB_KIND_SWEPT ||
        item->bytes[0] == BDB_KIND_FORGOTTEN)
        return 0;
    if (is_format(item))
        return is_of_another_format(value) ? DB_OLD_VERSION : 0;
    code = put_pair(salvaging->store->counters, item, value, DB_NOOVERWRITE);
    return code == DB_KEYEXIST ? 0 : code;
}

typedef int put_t(salvaging_t *salvaging, const bdb_item_t *key,
                  const bdb_item_t *value, int damaged);

/* The log would grow with all that is put. */
static int note_pair(salvaging_t *salvaging)
{
    DB_ENV *env = salvaging->store->env;
    int code;

    if (++salvaging->pairs % PAIRS_A_CHECKPOINT != 0)
        return 0;
    code = env->txn_checkpoint(env, 0, 0, 0);
    return code ? code : env->log_archive(env, NULL, DB_ARCH_REMOVE);
}

static int put_page(salvaging_t *salvaging, const bdb_page_t page,
                    int descriptor, put_t *put, int damaged)
{
    unsigned char room[2 * BDB_ITEM_MAX];
    unsigned pair, pairs = bdb_leaf_pairs(page, damaged);
    bdb_item_t key, value;
    int code = 0;

    for (pair = 0; pair < pairs && code == 0; pair++)
        if (bdb_leaf_pair(page, pair, descriptor, &key, &value, room) &&
            (code = put(salvaging, &key, &value, damaged)) == 0)
            code = note_pair(salvaging);
    return code;
}

/* First all that are sound, then the others.
 * @param damaged  which of them */
static int put_pages(salvaging_t *salvaging, int descriptor, const char *name,
                     put_t *put, int damaged)
{
    apr_uint32_t number, first_damaged;
    bdb_page_t page[1];
    unsigned got;
    int code = 0;

    for (number = 0; code == 0; number++) {
        if (bdb_pages_read(descriptor, number, page, 1, 0, &got,
                           &first_damaged))
            return EIO;
        if (got == 0)
            return 0;
        if ((first_damaged == number) != damaged)
            continue;
        if (damaged)
            bdb_found(salvaging->findings, name, "page %u is damaged", number);
        code = put_page(salvaging, page[0], descriptor, put, damaged);
    }
    return code;
}

static int put_tree(salvaging_t *salvaging, const char *name, put_t *put)
{
    int descriptor = open(
        apr_pstrcat(salvaging->pool, salvaging->damaged, "/data/", name, NULL),
        O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int code;

    if (descriptor < 0) {
        bdb_found(salvaging->findings, name, "cannot be opened: %s",
                  strerror(errno));
        return 0;
    }
    code = put_pages(salvaging, descriptor, name, put, 0);
    if (code == 0)
        code = put_pages(salvaging, descriptor, name, put, 1);
    close(descriptor);
    return code;
}

/* ---- records against bodies ---- */

static int put_tombstone(bdb_store_t *store, const char *key,
                         const condreq_record_t *record)
{
    unsigned char bytes[CONDREQ_RECORD_SIZE_MAX], at[CONDREQ_KEY_MAX + 1];
    bdb_item_t item = {at, strlen(key) + 1}, value = {bytes, 0};
    condreq_record_t tombstone;

    condreq_record_next(&tombstone, record, apr_time_now());
    tombstone.state = CONDREQ_TOMBSTONE;
    at[0] = (unsigned char)(bdb_key_hash(key) >> 24);
    memcpy(at + 1, key, strlen(key));
    value.length = condreq_record_encode(bytes, &tombstone);
    return put_pair(store->versions, &item, &value, 0);
}

static apr_status_t on_document(void *baton, const char *key,
                                const condreq_record_t *record,
                                bdb_body_verdict_t verdict)
{
    salvaging_t *salvaging = baton;
    int code;

    if (verdict == BDB_BODY_WHOLE) {
        salvaging->findings->documents++;
        salvaging->findings->bytes += record->body_length;
        return APR_SUCCESS;
    }
    bdb_found(salvaging->findings, key,
              verdict == BDB_BODY_MISSING
                  ? "lost: its body is not there, or not all of it"
                  : "lost: its body is not the one that was stored");
    if ((code = put_tombstone(salvaging->store, key, record)) != 0)
        return bdb_trouble(salvaging->trouble, code, NULL, "writing", key);
    return APR_SUCCESS;
}

static apr_status_t on_unreadable(void *baton, const char *key)
{
    bdb_found(((salvaging_t *)baton)->findings, key,
              "its record cannot be read");
    return APR_SUCCESS;
}

static int read_chunk(bdb_store_t *store, const bdb_body_t *body,
                      apr_uint32_t chunk, char bytes[BDB_CHUNK_SIZE],
                      u_int32_t *length)
{
    unsigned char key[BDB_CHUNK_KEY_SIZE];
    DBT at, value;
    int code;

    bdb_body_chunk_key(key, body, chunk);
    dbt_of(&at, key, sizeof(key));
    dbt_of(&value, bytes, 0);
    value.ulen = BDB_CHUNK_SIZE;
    value.flags = DB_DBT_USERMEM;
    code = store->bodies->get(store->bodies, NULL, &at, &value, 0);
    *length = value.size;
    return code;
}

/* Written one after another, and removed. A chunk that is missing leaves a hole
 * where it was. */
static int move_chunks(bdb_store_t *store, const bdb_body_t *body, FILE *file)
{
    apr_uint32_t chunk = body->first_chunk, moved = 0;
    unsigned char key[BDB_CHUNK_KEY_SIZE];
    char bytes[BDB_CHUNK_SIZE];
    u_int32_t length;
    int code = 0;
    DBT at;

    for (; moved < body->chunks && (code == 0 || code == DB_NOTFOUND);
         chunk++) {
        code = read_chunk(store, body, chunk, bytes, &length);
        if (code != 0)
            continue;
        moved++;
        if (fseeko(file, (off_t)chunk * BDB_CHUNK_SIZE, SEEK_SET) != 0 ||
            fwrite(bytes, 1, length, file) != length)
            return errno;
        bdb_body_chunk_key(key, body, chunk);
        dbt_of(&at, key, sizeof(key));
        code = store->bodies->del(store->bodies, NULL, &at, 0);
    }
    return code;
}

static apr_status_t on_orphan(void *baton, const bdb_body_t *body)
{
    salvaging_t *salvaging = baton;
    const char *lost =
        apr_pstrcat(salvaging->pool, salvaging->directory, LOST, NULL);
    const unsigned char *name = (const unsigned char *)body->name;
    const char *kept =
        apr_psprintf(salvaging->pool, "%s/%08x-%" APR_UINT64_T_FMT, lost,
                     bdb_read_u32(name), bdb_read_u64(name + 4));
    FILE *file;
    int code;

    if (mkdir(lost, 0700) != 0 && errno != EEXIST)
        return condreq_trouble(salvaging->trouble, errno, "making %s", lost);
    if (!(file = fopen(kept, "wxe")))
        return condreq_trouble(salvaging->trouble, errno, "making %s", kept);
    fchmod(fileno(file), 0600);
    code = move_chunks(salvaging->store, body, file);
    if (fclose(file) != 0 && code == 0)
        code = errno;
    if (code != 0)
        return bdb_trouble(salvaging->trouble, code, NULL, "writing", kept);
    bdb_found(salvaging->findings, "bodies.db",
              "a body belongs to no document; it is in %s", kept);
    return APR_SUCCESS;
}

static apr_status_t hold_together(salvaging_t *salvaging)
{
    bdb_check_t told = {salvaging, 1, on_document, on_unreadable, on_orphan};

    return bdb_check(salvaging->store, &told, salvaging->trouble,
                     salvaging->pool);
}

/* ---- the new store ---- */

static int begin_anew(salvaging_t *salvaging)
{
    apr_uint64_t before, at_least = 0;
    int code;

    if (!bdb_incarnation_read(salvaging->path, &before, salvaging->pool))
        at_least = (apr_uint64_t)apr_time_sec(apr_time_now());
    if ((code = bdb_body_ids_pass(salvaging->store, salvaging->last_body_id +
                                                        BODY_IDS_TO_PASS)) != 0)
        return code;
    return bdb_incarnation_begin(salvaging->store, at_least);
}

static int put_all(salvaging_t *salvaging)
{
    int code;

    if ((code = bdb_alone_open(salvaging->store, salvaging->made, 0)) == 0 &&
        (code = put_tree(salvaging, "counters.db", put_counter)) == 0 &&
        (code = put_tree(salvaging, "versions.db", put_record)) == 0 &&
        (code = put_tree(salvaging, "bodies.db", put_chunk)) == 0 &&
        (code = bdb_format_forget_index(salvaging->store)) == 0)
        code = begin_anew(salvaging);
    return code;
}

static apr_status_t make_store(salvaging_t *salvaging)
{
    condreq_trouble_t heard;
    apr_status_t status;
    int code;

    if ((status = bdb_copy_make(salvaging->made, salvaging->trouble,
                                salvaging->pool)))
        return status;
    bdb_listen(&heard);
    code = put_all(salvaging);
    bdb_listen(NULL);
    if (code == 0 && (status = hold_together(salvaging)) != APR_SUCCESS) {
        bdb_alone_close(salvaging->store, EINVAL);
        return status;
    }
    code = bdb_alone_close(salvaging->store, code);
    return code ? bdb_trouble(salvaging->trouble, code, &heard,
                              "making a store in", salvaging->directory)
                : APR_SUCCESS;
}

static apr_status_t make_directory(const char *name, condreq_trouble_t *trouble)
{
    if (mkdir(name, 0700) == 0)
        return APR_SUCCESS;
    return condreq_trouble(trouble, errno, "making %s", name);
}

static apr_status_t salvage(salvaging_t *salvaging)
{
    apr_status_t status;
    const char *kept;

    if ((status = bdb_restore_finish(salvaging->path, &kept, salvaging->trouble,
                                     salvaging->pool)) ||
        (status = make_directory(salvaging->damaged, salvaging->trouble)) ||
        (status = make_directory(salvaging->made, salvaging->trouble)) ||
        (status = make_copy(salvaging)) || (status = make_store(salvaging)))
        return status;
    bdb_copy_remove(salvaging->damaged, salvaging->pool);
    rmdir(salvaging->damaged);
    return bdb_copy_move(salvaging->made, salvaging->directory,
                         salvaging->trouble, salvaging->pool);
}

/* What is half done may be what fills the disk. */
static void give_up(const salvaging_t *salvaging)
{
    bdb_copy_remove(salvaging->damaged, salvaging->pool);
    rmdir(salvaging->damaged);
    bdb_copy_remove(salvaging->made, salvaging->pool);
    rmdir(salvaging->made);
}

apr_status_t bdb_salvage(const char *path, const char *directory,
                         condreq_findings_t *findings,
                         condreq_trouble_t *trouble, apr_pool_t *pool)
{
    salvaging_t salvaging = {path,
                             directory,
                             apr_pstrcat(pool, directory, "/damaged", NULL),
                             apr_pstrcat(pool, directory, "/salvaging", NULL),
                             apr_pcalloc(pool, sizeof(bdb_store_t)),
                             findings,
                             trouble,
                             0,
                             0,
                             pool};
    int locks[BDB_STORE_LOCKS];
    apr_status_t status;

    if ((status = bdb_store_seize(locks, path, trouble, pool)))
        return status;
    status = salvage(&salvaging);
    if (status != APR_SUCCESS)
        give_up(&salvaging);
    bdb_store_release(locks);
    return status;
}
