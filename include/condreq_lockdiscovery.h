/* Locks as WebDAV shows them: the property lockdiscovery, RFC 4918 section
 * 15.8.
 * Knows XML and locks; no store, no request. */
#ifndef CONDREQ_LOCKDISCOVERY_H
#define CONDREQ_LOCKDISCOVERY_H

#include "condreq_lock.h"

/**
 * The property of a resource, as an element that declares the prefix D.
 * @param locks   those that cover it; dead ones are passed over
 * @param taken   the token of the lock that the client has just taken or
 *                refreshed; else NULL
 * @param user    who asks: other users' tokens are not shown to him (section
 *                6.8); those that nobody in particular took are shown to their
 *                taker alone, by the parameter before
 * @return from the pool
 */
const char *condreq_lockdiscovery_xml(const condreq_lock_list_t *locks,
                                      const char *taken, const char *user,
                                      apr_time_t now_us, apr_pool_t *pool);

/** The URI reference of what a lock was taken on. */
const char *condreq_lock_root_uri(const condreq_lock_t *lock, apr_pool_t *pool);

/** Who holds a lock, in words: the text of his owner element, else the user's
 * name; NULL where neither says anything. */
const char *condreq_lock_holder(const condreq_lock_t *lock, apr_pool_t *pool);

/** A text as XML character data. */
const char *condreq_xml_text(const char *text, apr_pool_t *pool);

#endif
