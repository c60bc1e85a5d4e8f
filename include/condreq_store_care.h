/* Care for a whole store: what its administrator does with it, while it is used
 * or not. A provider has one such table. Knows no server and no tool.
 *
 * Whoever calls these is the user who has the store's directory. Each may be
 * killed at any time without harm to the store. Those that open it do so as
 * every other process of the store does. */
#ifndef CONDREQ_STORE_CARE_H
#define CONDREQ_STORE_CARE_H

#include "condreq_store.h"

/** What a store says of itself. */
typedef struct condreq_store_state_t {
    condreq_durability_t durability;
    apr_uint64_t incarnation;
    /** counts how often the store was brought in order */
    apr_uint64_t generation;
    /** since the store was prepared: */
    apr_uint64_t recoveries;
    apr_uint64_t processes_ended;
    /** how long the last one took; 0: there was none */
    apr_interval_time_t last_recovery_us;
    /** that have the store open, without this one and the store's own */
    unsigned processes;
    /** of all processes, within a call of the store's just now */
    unsigned threads_inside;
    /** the process that keeps it; 0: none */
    pid_t keeper;
    apr_uint64_t cache_hits;
    apr_uint64_t cache_misses;
    apr_uint64_t cache_bytes;
    /** on the disk */
    apr_uint64_t log_bytes;
    apr_uint64_t data_bytes;
} condreq_store_state_t;

/** What a check or a salvage tells, thing by thing. */
typedef struct condreq_findings_t {
    void *baton;
    /**
     * Something is wrong, or was lost.
     * @param what  a document's key, or the name of a file
     */
    void (*found)(void *baton, const char *what, const char *sentence);
    /** Something that the administrator may want to know */
    void (*note)(void *baton, const char *sentence);
    /** how many times found() was called */
    apr_uint64_t count;
    /** documents that were looked at, or brought out */
    apr_uint64_t documents;
    apr_uint64_t bytes;
} condreq_findings_t;

/** A backup: its moment is that after which nothing is in it. */
typedef struct condreq_backup_t {
    apr_time_t moment;
    apr_uint64_t incarnation;
    apr_uint64_t bytes;
    unsigned files;
} condreq_backup_t;

struct condreq_store_care_t {
    /**
     * Opens a store that is kept. Where nobody keeps it, it is brought in order
     * first, and kept by a process that ends with this one; a server that
     * starts meanwhile takes it over, and calls go on there.
     * @param store  is set, from the pool
     * @return also APR_ENOENT: there is no store; EBUSY: it is being restored,
     *         or is used without being kept
     */
    apr_status_t (*attend)(condreq_store_t **store, const char *path,
                           condreq_trouble_t *trouble, apr_pool_t *pool);

    /** Closes it, without a trace. */
    void (*leave)(condreq_store_t *store);

    /** Asks a store what it knows of itself. */
    apr_status_t (*state)(condreq_store_t *store, condreq_store_state_t *state,
                          condreq_trouble_t *trouble, apr_pool_t *pool);

    /**
     * Reads a store that is open and all that is in it: each record, each byte
     * of each body against its record's SHA-256, bodies that belong to no
     * record, and the files' pages. Writes nothing.
     * @param findings  is told what is wrong; callbacks are the caller's
     */
    apr_status_t (*verify)(condreq_store_t *store, condreq_findings_t *findings,
                           condreq_trouble_t *trouble, apr_pool_t *pool);

    /** The same for a backup, which is held against its manifest, too.
     * @return also APR_ENOENT: that is no backup */
    apr_status_t (*verify_backup)(const char *directory,
                                  condreq_findings_t *findings,
                                  condreq_trouble_t *trouble, apr_pool_t *pool);

    /**
     * Copies a store that is open, while others write.
     * @param directory  where to; must be there, and empty but for what a
     *                   backup that was cut short left; an absolute path
     * @param made       is set
     */
    apr_status_t (*backup)(condreq_store_t *store, const char *directory,
                           condreq_backup_t *made, condreq_trouble_t *trouble,
                           apr_pool_t *pool);

    /**
     * Puts a backup in the place of a store that nobody has open, and begins
     * a new incarnation. What was there is kept beside it.
     * @param path     the store's directory; must be there
     * @param restored is set; the incarnation is the new one
     * @param kept     where what was there is now; NULL: there was nothing
     * @return also EBUSY: somebody has it open; APR_ENOENT: that is no backup
     */
    apr_status_t (*restore)(const char *path, const char *directory,
                            condreq_backup_t *restored, const char **kept,
                            condreq_trouble_t *trouble, apr_pool_t *pool);

    /**
     * Makes a new store, of a new incarnation, of all that can still be read in
     * a damaged one that nobody has open, and changes nothing there.
     * @param directory  where to; must be there and empty
     * @param findings   is told what was lost
     * @return also EBUSY: somebody has it open
     */
    apr_status_t (*salvage)(const char *path, const char *directory,
                            condreq_findings_t *findings,
                            condreq_trouble_t *trouble, apr_pool_t *pool);
};

#endif
