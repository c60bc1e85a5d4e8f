/* JSON Patch, RFC 6902, with pointers of RFC 6901, over text.
 * What the patch does not name stays byte for byte.
 * Knows JSON text and which members are the server's; no store, no request. */
#ifndef CONDREQ_PATCH_H
#define CONDREQ_PATCH_H

#include "condreq_members.h"

typedef enum condreq_patch_verdict_t {
    CONDREQ_PATCH_DONE,
    /** the document is no patch, whatever the target is: RFC 5789 section 2.2
     * "Malformed patch document", 400 */
    CONDREQ_PATCH_MALFORMED,
    /** a patch that this target does not take: a location that is not there,
     * a test that is false, a member that is the server's: RFC 5789 section
     * 2.2 "Unprocessable request", 422 */
    CONDREQ_PATCH_FAILED,
    /** over one of the limits: 413 */
    CONDREQ_PATCH_TOO_LARGE
} condreq_patch_verdict_t;

/** What a client may spend. The first three hold for the document as each
 * operation leaves it, not only for the last one. */
typedef struct condreq_patch_limits_t {
    /** bytes of the document */
    apr_size_t max_length;
    /** values in the document, it and every container included */
    apr_size_t max_values;
    /** arrays and objects open at once where an operation puts a value */
    apr_size_t max_depth;
    /** operations in the patch */
    apr_size_t max_operations;
    /** steps of all operations together: reference tokens followed, values
     * compared or measured for their depth, bytes of numbers compared. What
     * follows from the patch's own size is a few times its bytes at most;
     * the limit is for the rest: a number of a million digits that is
     * tested again and again, a great value that is moved so. A step takes
     * some five nanoseconds, a token some hundred. */
    apr_size_t max_work;
} condreq_patch_limits_t;

/** The operation is none: the patch or the result as a whole. */
#define CONDREQ_PATCH_NO_OPERATION ((apr_size_t)-1)

/** Which operation was refused, and why. */
typedef struct condreq_patch_fault_t {
    /** its place in the patch, from 0 */
    apr_size_t operation;
    /** the pointer at fault, "path" or "from", as it was sent: a JSON string
     * with its quotes, in the patch's bytes; NULL where it is neither */
    const char *pointer;
    apr_size_t pointer_length;
    /** a constant phrase for people, no full stop: "the test is false" */
    const char *reason;
} condreq_patch_fault_t;

/**
 * Applies a patch, all of it or nothing. The patch is judged as a document
 * before its first operation is looked up, so a MALFORMED one is never FAILED.
 *
 * A value that is replaced or added over keeps its place, and its name's
 * spelling; a new member goes behind the last one, with the pointer's spelling
 * of its name; what is new has a bare comma before it, and what is removed
 * takes one comma along, as in a merge. The white space around the document
 * stays the target's. Numbers are equal where they are the same decimal,
 * strings where they mean the same, RFC 6902 section 4.6.
 *
 * Time is n log n, whatever the operations are, and max_work at most besides.
 * n are the children of the containers that are opened, the tokens of the
 * pointers and the bytes of the result. Memory goes with the same: some 16
 * bytes a child and 40 more a member of those containers, and for a token,
 * where copies are changed in turn, some 300 (a logarithm of them in a container
 * that fell into many pieces). All but the result is given back at the end.
 *
 * @param text     is set to the result on DONE, from the pool, not
 *                 NUL-terminated
 * @param length   is set to its bytes on DONE
 * @param target   what is there; it is not changed
 * @param patch    what the client sent
 * @param protect  members of the top level that no operation may write, remove
 *                 or move, by any spelling of their names; they may be
 *                 tested and copied from, and go with a root that is
 *                 replaced, but not with one that is no object in the end;
 *                 NULL for none
 * @param limits   budgets
 * @param fault    is set on every other verdict
 */
condreq_patch_verdict_t
condreq_patch_apply(const char **text, apr_size_t *length,
                    const condreq_json_t *target, const condreq_json_t *patch,
                    const condreq_members_t *protect,
                    const condreq_patch_limits_t *limits,
                    condreq_patch_fault_t *fault, apr_pool_t *pool);

#endif
