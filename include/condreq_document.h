/* The write path: documents put, patched, created and deleted, each decided
 * and done in one transaction of the store.
 * Knows records, preconditions, JSON and the store interface; no request.
 * Everything that writes documents goes through here. */
#ifndef CONDREQ_DOCUMENT_H
#define CONDREQ_DOCUMENT_H

#include "condreq_claim.h"
#include "condreq_digest.h"
#include "condreq_eval.h"
#include "condreq_json.h"
#include "condreq_members.h"
#include "condreq_patch.h"
#include "condreq_store.h"
#include "condreq_strategy.h"

/** Which documents a PUT may meet. */
typedef enum condreq_put_only_t {
    CONDREQ_PUT_ANY,
    /** only where nothing is; else FAILED */
    CONDREQ_PUT_CREATE,
    /** only where something is; else MISSING */
    CONDREQ_PUT_UPDATE
} condreq_put_only_t;

/** What a resource's configuration says about its documents. */
typedef struct condreq_rules_t {
    condreq_strategy_t strategy;
    int last_modified;
    condreq_evaluate_mode_t evaluate;
    condreq_members_t members;
    /** a PUT of JSON is a merge patch, RFC 7396 */
    int put_merge;
    condreq_put_only_t put_only;
    apr_size_t max_body;
    condreq_json_limits_t json;
} condreq_rules_t;

/** One resource of one store. */
typedef struct condreq_resource_t {
    condreq_store_t *store;
    const condreq_rules_t *rules;
    /** namespace and path; see condreq_key.h */
    const char *key;
    /** the path in it, a tail of key */
    const char *path;
    /** see condreq_representation_t */
    const char *const *coding_suffixes;
} condreq_resource_t;

typedef enum condreq_outcome_t {
    /** the write may go on; what condreq_write_decide() says, and never the
     * result of a write */
    CONDREQ_MAY_WRITE,
    CONDREQ_CREATED,
    CONDREQ_REPLACED,
    CONDREQ_DELETED,
    /** nothing is there: 404 */
    CONDREQ_MISSING,
    /** a precondition, If, or CONDREQ_PUT_CREATE, is false: 412 */
    CONDREQ_PRECONDITION_FAILED,
    /** the merged document is over max_body or its limits: 413 */
    CONDREQ_TOO_LARGE,
    /** a lock is in the way: 423 */
    CONDREQ_LOCKED,
    /** a patch that leaves every byte as it is: no version was made */
    CONDREQ_UNCHANGED,
    /** what is there is no JSON, so it cannot be patched: 415 */
    CONDREQ_NOT_JSON,
    /** the patch's verdict and fault say why: 400, 413, 422 */
    CONDREQ_PATCH_REFUSED,
    /** the server has members to set, and the patch leaves no object: 422 */
    CONDREQ_NOT_AN_OBJECT,
    /** the validator does not want it stored */
    CONDREQ_INVALID,
    /** others wrote it each time while the validator looked at it: 503 */
    CONDREQ_CONTENDED
} condreq_outcome_t;

/** What a client wants stored. */
typedef struct condreq_content_t {
    const char *bytes;
    apr_size_t length;
    /** the parsed bytes, NULL where they are not JSON */
    const condreq_json_t *json;
    const char *media_type;
} condreq_content_t;

/** What a write's content is. */
typedef enum condreq_content_kind_t {
    /** the document itself */
    CONDREQ_CONTENT_DOCUMENT,
    /** a merge patch, RFC 7396; it must be JSON */
    CONDREQ_CONTENT_MERGE_PATCH,
    /** a JSON Patch, RFC 6902; it must be JSON */
    CONDREQ_CONTENT_JSON_PATCH
} condreq_content_kind_t;

/** A document that is about to be stored. */
typedef struct condreq_candidate_t {
    const condreq_resource_t *resource;
    /** as it will be stored, the server's members set; not NUL-terminated */
    const char *bytes;
    apr_size_t length;
    const char *media_type;
    /** the number that its version will have */
    apr_uint64_t version;
    /** nothing is there yet */
    int creates;
} condreq_candidate_t;

/**
 * Judges a document before it is stored. Runs outside any transaction, so it
 * may take its time; what it has judged is stored only if nobody has written
 * meanwhile, else it judges again what there is then.
 * @param pool  cleared before the next run
 * @return may it be stored?
 */
typedef int condreq_validate_t(void *baton,
                               const condreq_candidate_t *candidate,
                               apr_pool_t *pool);

/** One write: what is asked, and what came of it. */
typedef struct condreq_write_t {
    const condreq_resource_t *resource;
    const condreq_preconditions_t *preconditions;
    /** If, and who sends it; NULL where neither is known */
    const condreq_claim_t *claim;
    /** what the client sent; NULL deletes */
    const condreq_content_t *content;
    condreq_content_kind_t kind;
    condreq_put_only_t only;
    /** The method is PATCH: what is there has to be JSON and keeps its media
     * type, and a result that is the same makes no version. */
    int patches;
    /** NULL: whatever comes is stored */
    condreq_validate_t *validate;
    void *validate_baton;

    /** the outcome, and the record: as written, or as it stands where the
     * write was refused */
    condreq_outcome_t outcome;
    condreq_record_t record;
    /** the lock in the way, with LOCKED */
    const condreq_lock_t *lock;
    /** the bytes as stored, content's own where nothing was changed */
    const char *stored;
    apr_size_t stored_length;
    /** of a JSON Patch that was refused; the fault's pointer is in content */
    condreq_patch_verdict_t patch_verdict;
    condreq_patch_fault_t patch_fault;
} condreq_write_t;

/**
 * A record as the evaluator sees it.
 * @param repr    is set; its tag is from the pool
 * @param now_us  the clock, read before the record was
 * @return repr, or NULL where the record is not live
 */
const condreq_representation_t *condreq_document_representation(
    condreq_representation_t *repr, const condreq_resource_t *resource,
    const condreq_record_t *record, apr_time_t now_us, apr_pool_t *pool);

/**
 * Would this write be made on what the record says, locks and If apart?
 * @return MAY_WRITE, MISSING, NOT_JSON or PRECONDITION_FAILED
 */
condreq_outcome_t condreq_write_decide(const condreq_write_t *write,
                                       const condreq_record_t *current,
                                       apr_pool_t *pool);

/**
 * Would this write be made? The same decision as in its transaction, as a
 * preview: without one, where the request has nothing to do with locks.
 * @param write  its record is from lookup(); outcome and lock are set, to
 *               MAY_WRITE, MISSING, NOT_JSON, PRECONDITION_FAILED or LOCKED,
 *               and record
 *               to a newer one where it was read again
 */
apr_status_t condreq_document_preview(condreq_write_t *write,
                                      condreq_trouble_t *trouble,
                                      apr_pool_t *pool);

/**
 * Puts, patches or deletes one document: decides, and writes, in one
 * transaction. What takes its time (a patch, a merge, a validator) is done
 * before, on the version that is there then; if it is another one when the
 * transaction begins, that work is done anew. After a few rounds it is done
 * inside, so that a write comes to an end among whatever many others.
 * @param write  outcome, record, stored and stored_length are set on success
 * @return the store's statuses, see condreq_store.h; with any but APR_SUCCESS
 *         nothing was changed
 */
apr_status_t condreq_document_write(condreq_write_t *write,
                                    condreq_trouble_t *trouble,
                                    apr_pool_t *pool);

/**
 * Inside a transaction: creates a document without a byte and without a media
 * type, which is what LOCK makes of an unmapped URL (RFC 4918 section 7.3).
 * @param record  in: what is there, not live; out: as written
 */
apr_status_t condreq_document_make_empty(condreq_record_t *record,
                                         condreq_txn_t *txn, const char *key);

/**
 * Would a document be created in this collection? A preview, without a
 * transaction, of what condreq_document_create() decides.
 * @param write  its resource is the collection; outcome is set on success, and
 *               record's state: ABSENT
 */
apr_status_t condreq_collection_decide(condreq_write_t *write,
                                       condreq_trouble_t *trouble,
                                       apr_pool_t *pool);

/** How a collection names what is created in it. */
typedef enum condreq_ids_t {
    /** 1, 2, 3: by the collection's sequence, past names that are taken */
    CONDREQ_IDS_SEQUENCE,
    /** random, RFC 9562 version 4 */
    CONDREQ_IDS_UUID
} condreq_ids_t;

/**
 * Creates a document in a collection under a new id. The preconditions are
 * the collection's; see condreq_collection.h.
 * @param created     is set to the new document's resource, from the pool
 * @param write       as for condreq_document_write(); its resource is the
 *                    collection, whose path ends in a slash
 */
apr_status_t condreq_document_create(condreq_resource_t **created,
                                     condreq_write_t *write, condreq_ids_t ids,
                                     condreq_trouble_t *trouble,
                                     apr_pool_t *pool);

/**
 * Reads a document: one version's record and its whole body.
 * @param record  in: from lookup(); out: the version that was read, newer
 *                where the body had been replaced meanwhile
 * @param bytes   is set, from the pool; NULL where the record is not live
 */
apr_status_t condreq_document_read(const condreq_resource_t *resource,
                                   condreq_record_t *record, char **bytes,
                                   condreq_trouble_t *trouble,
                                   apr_pool_t *pool);

/**
 * Digests a document's body without holding more than a piece of it.
 * @param digest  room for CONDREQ_SHA512_SIZE
 * @return also APR_NOTFOUND: a later version has taken its place
 */
apr_status_t condreq_document_digest(unsigned char *digest,
                                     const condreq_resource_t *resource,
                                     const condreq_record_t *record,
                                     condreq_digest_algorithm_t algorithm,
                                     condreq_trouble_t *trouble,
                                     apr_pool_t *pool);

#endif
