/* What backup, restore, verify and salvage are made of. Private to those files
 * of lib/bdb; not for those who go inside. */
#ifndef CONDREQ_BDB_COPIES_H
#define CONDREQ_BDB_COPIES_H

#include "condreq_bdb.h"

/* Pages (condreq_bdb_pages.c): the library's files, read without it. */

#define BDB_PAGE_SIZE 4096u

typedef unsigned char bdb_page_t[BDB_PAGE_SIZE];

/** Is this the page of that number as the library wrote it, by its checksum?
 * One that was never written, all zeros, is. */
int bdb_page_is_sound(const bdb_page_t page, apr_uint32_t number);

/**
 * Reads pages of a file.
 * @param pages         room for count
 * @param others_write  one that is torn is read again, for a while
 * @param got           is set to how many there were
 * @param damaged       is set to the number of the first that is damaged, or to
 *                      first + *got
 * @return APR_SUCCESS, or the system's trouble
 */
apr_status_t bdb_pages_read(int descriptor, apr_uint32_t first,
                            bdb_page_t *pages, unsigned count, int others_write,
                            unsigned *got, apr_uint32_t *damaged);

/** An item of a leaf page: a key or a value. */
typedef struct bdb_item_t {
    const unsigned char *bytes;
    apr_size_t length;
} bdb_item_t;

/** How many pairs a leaf page of a B-tree has; 0 where it is none.
 * @param damaged  what it is may be wrong, too: taken for one, it may have items
 *                 that the caller can judge */
unsigned bdb_leaf_pairs(const bdb_page_t page, int damaged);

/**
 * One pair of a leaf page. A long item stands on pages of its own, which are
 * read from the descriptor.
 * @param room   for both items, 2 * BDB_ITEM_MAX bytes
 * @return 0 where it was deleted, or cannot be had whole
 */
#define BDB_ITEM_MAX 4096u
int bdb_leaf_pair(const bdb_page_t page, unsigned pair, int descriptor,
                  bdb_item_t *key, bdb_item_t *value, unsigned char *room);

/* Files (condreq_bdb_files.c). */

/** Calls for each regular file in a directory, in the order of names, as long
 * as that returns APR_SUCCESS. */
typedef apr_status_t bdb_file_do_t(void *baton, const char *directory,
                                   const char *name, apr_pool_t *pool);
apr_status_t bdb_files_each(const char *directory, bdb_file_do_t *each,
                            void *baton, condreq_trouble_t *trouble,
                            apr_pool_t *pool);

/** Copies a file as it is, to the disk; no more of it than that. */
apr_status_t bdb_file_copy(const char *from, const char *to,
                           apr_uint64_t at_most, condreq_trouble_t *trouble);

/** Copies a file of pages that others may be writing to, to the disk.
 * @return also CONDREQ_EDAMAGED: a page of it is */
apr_status_t bdb_file_copy_pages(const char *from, const char *to,
                                 condreq_trouble_t *trouble);

/** Makes directory/data and directory/log. */
apr_status_t bdb_copy_make(const char *directory, condreq_trouble_t *trouble,
                           apr_pool_t *pool);

/** Moves both to another directory. The trees come last: without them that is no
 * store. */
apr_status_t bdb_copy_move(const char *from, const char *to,
                           condreq_trouble_t *trouble, apr_pool_t *pool);

/** Removes what bdb_copy_make() made, with all that is in it. */
void bdb_copy_remove(const char *directory, apr_pool_t *pool);

/* Manifests (condreq_bdb_manifest.c): what a backup says of itself, written
 * last: without it a directory is no backup. */

/** Writes that of a backup, with all of its files as they are. */
apr_status_t bdb_manifest_write(const char *directory, condreq_backup_t *backup,
                                condreq_trouble_t *trouble, apr_pool_t *pool);

/**
 * Reads one and holds the backup's files against it.
 * @param findings  is told of each that is not as it was; NULL: the first of
 *                  them is the trouble
 * @return also APR_ENOENT, CONDREQ_EFORMAT, CONDREQ_EDAMAGED
 */
apr_status_t bdb_manifest_check(const char *directory, condreq_backup_t *backup,
                                condreq_findings_t *findings,
                                condreq_trouble_t *trouble, apr_pool_t *pool);

/* Incarnations (condreq_bdb_incarnations.c). */

/** Reads the incarnation of a store that is not open.
 * @return 0 where it cannot be known */
int bdb_incarnation_read(const char *path, apr_uint64_t *incarnation,
                         apr_pool_t *pool);

/** The number for a store at path that a backup in a directory, of that
 * incarnation, is restored to; noted there, so that it does not come again. */
apr_uint64_t bdb_incarnation_next(const char *path, const char *directory,
                                  apr_uint64_t incarnation, apr_pool_t *pool);

/* A copy opened by this process alone, with memory of its own
 * (condreq_bdb_env.c). The store is zeroed; no visit works on it. */

/** Opens directory/data and directory/log, after a recovery.
 * @param how  DB_RECOVER, or DB_RECOVER_FATAL: all logs that are there; 0: makes
 *             it, empty */
int bdb_alone_open(bdb_store_t *store, const char *directory, u_int32_t how);

/** Writes all of it to data/, and closes it; log/ is nearly empty then.
 * @param code  what came of it so far: with trouble it is only closed
 * @return code, or what came of this */
int bdb_alone_close(bdb_store_t *store, int code);

/* Tools' ways (each in a file of its name). */

apr_status_t bdb_backup(condreq_store_t *store, const char *directory,
                        condreq_backup_t *made, condreq_trouble_t *trouble,
                        apr_pool_t *pool);
apr_status_t bdb_restore(const char *path, const char *directory,
                         condreq_backup_t *restored, const char **kept,
                         condreq_trouble_t *trouble, apr_pool_t *pool);
apr_status_t bdb_verify(condreq_store_t *store, condreq_findings_t *findings,
                        condreq_trouble_t *trouble, apr_pool_t *pool);
apr_status_t bdb_verify_backup(const char *directory,
                               condreq_findings_t *findings,
                               condreq_trouble_t *trouble, apr_pool_t *pool);
apr_status_t bdb_salvage(const char *path, const char *directory,
                         condreq_findings_t *findings,
                         condreq_trouble_t *trouble, apr_pool_t *pool);

/** Takes a store that nobody has open: no server, no tool, no keeper.
 * @param locks  are set to descriptors, to be closed by bdb_store_release() */
#define BDB_STORE_LOCKS 3
apr_status_t bdb_store_seize(int locks[BDB_STORE_LOCKS], const char *path,
                             condreq_trouble_t *trouble, apr_pool_t *pool);
void bdb_store_release(int locks[BDB_STORE_LOCKS]);

/** Tells of something wrong. */
void bdb_found(condreq_findings_t *findings, const char *what,
               const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
