/* Keys: the namespace of a site followed by the path of a resource.
 * A path in a key is decoded, but for two escapes: a literal percent sign is
 * "%25", and a slash that was sent encoded, and must stay apart, is "%2F". So
 * one resource has one key whatever httpd's AllowEncodedSlashes says.
 * Knows URI syntax (RFC 3986); no store, no request. */
#ifndef CONDREQ_KEY_H
#define CONDREQ_KEY_H

#include "apr_pools.h"

/** Bytes that the path of a key may have. */
#define CONDREQ_PATH_MAX 1024

/**
 * Escapes the percent signs of a decoded path.
 */
const char *condreq_path_escape_percent(const char *path, apr_pool_t *pool);

/**
 * A path as it was sent, in which every "%25" is made "%2525": decoded once,
 * percent signs are then escaped as they are in a key.
 */
char *condreq_path_double_percent(const char *path, apr_pool_t *pool);

/** The path ends in a slash. */
int condreq_path_is_collection(const char *path);

/** Bytes of the namespace that a key begins with. */
apr_size_t condreq_key_namespace_length(const char *key);

/** The path in a key, a tail of it. */
const char *condreq_key_path(const char *key);

/** The collection that a resource is a member of, as a key from the pool; NULL
 * for the root of a namespace. */
const char *condreq_key_parent(const char *key, apr_pool_t *pool);

/** The path's last segment as it reads decoded: "a/b" for ".../a%2Fb". */
const char *condreq_path_last_segment(const char *path, apr_pool_t *pool);

/**
 * The path as a URI reference says it (RFC 3986 section 3.3): what is not
 * pchar is percent-encoded. Begins with one slash, never with two, so that it
 * cannot be read as a host.
 */
const char *condreq_path_uri(const char *path, apr_pool_t *pool);

#endif
