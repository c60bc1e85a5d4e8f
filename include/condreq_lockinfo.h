/* The body of a LOCK request, RFC 4918 section 14.11: read.
 * Knows XML; no lock, store or request. */
#ifndef CONDREQ_LOCKINFO_H
#define CONDREQ_LOCKINFO_H

#include "condreq_lock.h"

/** Bytes that the body may have. */
#define CONDREQ_LOCKINFO_MAX (64 * 1024)
/** Elements that may stand in one another. */
#define CONDREQ_LOCKINFO_DEPTH_MAX 32

typedef struct condreq_lockinfo_t {
    condreq_lock_scope_t scope;
    /** the owner element as it was sent, in UTF-8, with what it needs of the
     * declarations around it (namespaces, xml:lang) in its own start tag, so
     * that it can stand anywhere; NULL where there was none */
    const char *owner;
} condreq_lockinfo_t;

typedef enum condreq_lockinfo_syntax_t {
    CONDREQ_LOCKINFO_GOOD,
    /** not well-formed, with a document type, or too deep: 400 */
    CONDREQ_LOCKINFO_NO_XML,
    /** XML that is no lockinfo, or asks for another lock than a write lock:
     * 422 */
    CONDREQ_LOCKINFO_UNKNOWN,
    /** the body, or the owner, is too large: 413 */
    CONDREQ_LOCKINFO_TOO_LARGE
} condreq_lockinfo_syntax_t;

/**
 * Reads a LOCK request's body. Elements that it does not know are passed over
 * (RFC 4918 section 17). A document type is refused as such: entities are what
 * it would be there for.
 * @param lockinfo  is set whole on GOOD, from the pool
 */
condreq_lockinfo_syntax_t condreq_lockinfo_parse(condreq_lockinfo_t *lockinfo,
                                                 const char *bytes,
                                                 apr_size_t length,
                                                 apr_pool_t *pool);

/** The text in an owner element, without its tags and the white space around
 * it: for people. */
const char *condreq_lockinfo_owner_text(const char *owner, apr_pool_t *pool);

#endif
