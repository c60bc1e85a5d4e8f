/* Server members: what the server itself says inside a document (id, version,
 * updated_at), spliced into the client's text.
 * Knows JSON text; no record, store or request. */
#ifndef CONDREQ_MEMBERS_H
#define CONDREQ_MEMBERS_H

#include "apr_time.h"
#include "condreq_json.h"

/** Which members the server sets, by the names that they bear, valid UTF-8,
 * unescaped and NUL-terminated; NULL: not that one. No two are equal. */
typedef struct condreq_members_t {
    const char *id;
    const char *version;
    const char *updated_at;
} condreq_members_t;

/** What they are set to on one write. */
typedef struct condreq_member_values_t {
    /** a JSON value: a number, or a string with its quotes */
    const char *id_json;
    apr_uint64_t version;
    /** microseconds since the epoch, written as RFC 3339 in UTC */
    apr_time_t updated_at_us;
} condreq_member_values_t;

/** None of the members is to be set: bodies are stored as they came. */
int condreq_members_none(const condreq_members_t *members);

/** Is this name (a JSON string's text) one of the server's? */
int condreq_members_have(const condreq_members_t *members, const char *name,
                         apr_size_t length);

/**
 * Sets the server's members at the top level, whatever the client sent for
 * them. One that the client sent keeps its place and its name's spelling; of
 * the others id goes before the client's first, version and updated_at behind
 * its last, inside the white space at the braces. All other bytes stay as
 * they are.
 * @param text    is set to the new document, from the pool, not
 *                NUL-terminated
 * @param length  is set to its bytes
 * @param object  a parsed document; an assert if it is no object
 */
void condreq_members_splice(const char **text, apr_size_t *length,
                            const condreq_json_t *object,
                            const condreq_members_t *members,
                            const condreq_member_values_t *values,
                            apr_pool_t *pool);

#endif
