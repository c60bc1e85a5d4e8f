/* JSON Merge Patch, RFC 7396, over text.
 * What the patch does not name stays byte for byte.
 * Knows JSON text and which members are the server's; no store, no request. */
#ifndef CONDREQ_MERGE_H
#define CONDREQ_MERGE_H

#include "condreq_members.h"

typedef enum condreq_merge_verdict_t {
    CONDREQ_MERGE_DONE,
    /** the result would be longer than allowed */
    CONDREQ_MERGE_TOO_LARGE
} condreq_merge_verdict_t;

/**
 * Applies a merge patch, RFC 7396 section 2: recursive, null removes. Members
 * of the target keep their place and spelling, new ones go behind them in the
 * patch's order; one that is removed takes one comma along. A patch that is
 * no object is the result.
 * Work is n log n in the members of both, also for 110,000 new names.
 * @param text        is set to the result on DONE, from the pool, not
 *                    NUL-terminated
 * @param length      is set to its bytes
 * @param target      what is there, NULL for nothing
 * @param patch       what the client sent
 * @param protect     members that the patch cannot touch at the top level,
 *                    whatever it says of them; NULL for none
 * @param max_length  bytes that the result may have
 */
condreq_merge_verdict_t
condreq_merge_apply(const char **text, apr_size_t *length,
                    const condreq_json_t *target, const condreq_json_t *patch,
                    const condreq_members_t *protect, apr_size_t max_length,
                    apr_pool_t *pool);

#endif
