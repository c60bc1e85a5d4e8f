/* The write path: documents put, created and deleted, each decided and done
 * in one transaction of the store.
 * Knows records, preconditions, JSON and the store interface; no request.
 * Everything that writes documents goes through here. */
#ifndef CONDREQ_DOCUMENT_H
#define CONDREQ_DOCUMENT_H

#include "condreq_eval.h"
#include "condreq_json.h"
#include "condreq_members.h"
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
    /** a precondition, or CONDREQ_PUT_CREATE, is false: 412 */
    CONDREQ_PRECONDITION_FAILED,
    /** the merged document is over max_body or its limits: 413 */
    CONDREQ_TOO_LARGE
} condreq_outcome_t;

/** What a client wants stored. */
typedef struct condreq_content_t {
    const char *bytes;
    apr_size_t length;
    /** the parsed bytes, NULL where they are not JSON */
    const condreq_json_t *json;
    const char *media_type;
} condreq_content_t;

/** One write: what is asked, and what came of it. */
typedef struct condreq_write_t {
    const condreq_resource_t *resource;
    const condreq_preconditions_t *preconditions;
    /** what is to be stored; NULL deletes */
    const condreq_content_t *content;
    condreq_put_only_t only;
    /** content is a merge patch, RFC 7396; it must be JSON */
    int merge;

    /** the outcome, and the record: as written, or as it stands where the
     * write was refused */
    condreq_outcome_t outcome;
    condreq_record_t record;
    /** the bytes as stored, content's own where nothing was changed */
    const char *stored;
    apr_size_t stored_length;
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
 * Would this write be made on what the record says? The same decision as in
 * the transaction, as a preview without one.
 * @return MAY_WRITE, MISSING or PRECONDITION_FAILED
 */
condreq_outcome_t condreq_write_decide(const condreq_write_t *write,
                                       const condreq_record_t *current,
                                       apr_pool_t *pool);

/**
 * Puts or deletes one document: decides, and writes, in one transaction.
 * @param write  outcome, record, stored and stored_length are set on success
 * @return the store's statuses, see condreq_store.h; with any but APR_SUCCESS
 *         nothing was changed
 */
apr_status_t condreq_document_write(condreq_write_t *write,
                                    condreq_trouble_t *trouble,
                                    apr_pool_t *pool);

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

#endif
