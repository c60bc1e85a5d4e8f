/* Inside of the write path: the bytes of a document's next version, before
 * they are written. Not installed. */
#ifndef CONDREQ_DRAFT_H
#define CONDREQ_DRAFT_H

#include "condreq_document.h"

typedef struct condreq_draft_t {
    /** MAY_WRITE, UNCHANGED, or why this cannot become a version */
    condreq_outcome_t outcome;
    condreq_patch_verdict_t patch_verdict;
    condreq_patch_fault_t patch_fault;
    /** it is the same whatever is there */
    int is_independent;
    /** else: what it was made from */
    condreq_state_t from_state;
    apr_uint64_t from_version;

    const char *bytes;
    apr_size_t length;
    const char *media_type;
    /** the parsed bytes, where the server's members still go in */
    const condreq_json_t *json;
    /** the members are set, and this is the bytes' digest */
    int is_finished;
    unsigned char sha256[CONDREQ_SHA256_SIZE];
} condreq_draft_t;

/** Are the bytes of what is there needed to make it? */
int condreq_draft_needs_former(const condreq_write_t *write);

/**
 * Makes a draft; it is not finished.
 * @param former        the record of what is there
 * @param former_bytes  its body, NULL where it is not live or not needed;
 *                      must outlive the draft
 */
void condreq_draft_make(condreq_draft_t *draft, const condreq_write_t *write,
                        const condreq_record_t *former,
                        const char *former_bytes, apr_pool_t *pool);

/** Does finishing it need the next version's number or time? */
int condreq_draft_awaits_members(const condreq_draft_t *draft,
                                 const condreq_write_t *write);

/**
 * Sets the server's members, if it is not finished yet, and takes the digest.
 * @param next  the next version's record
 */
void condreq_draft_finish(condreq_draft_t *draft, const condreq_write_t *write,
                          const condreq_record_t *next, apr_pool_t *pool);

/** Is it the next version of this, too? */
int condreq_draft_follows(const condreq_draft_t *draft,
                          const condreq_record_t *current);

#endif
