/* Write locks of WebDAV: what one is, what it is in the way of, its bytes.
 * Knows keys, tokens and clocks that it is handed; no store, no request. */
#ifndef CONDREQ_LOCK_H
#define CONDREQ_LOCK_H

#include "apr_time.h"

#include "condreq_if.h"
#include "condreq_record.h"

/** "urn:uuid:" and a UUID, NUL apart. */
#define CONDREQ_LOCK_TOKEN_LENGTH 45
/** Bytes of a user's name. */
#define CONDREQ_LOCK_USER_MAX 255
/** Bytes of an owner element. */
#define CONDREQ_LOCK_OWNER_MAX 2048
/** The longest encoding. */
#define CONDREQ_LOCK_SIZE_MAX                                                  \
    (24 + CONDREQ_LOCK_USER_MAX + CONDREQ_LOCK_OWNER_MAX)

/** RFC 4918 section 6.2. */
typedef enum condreq_lock_scope_t {
    CONDREQ_LOCK_EXCLUSIVE = 1,
    CONDREQ_LOCK_SHARED = 2
} condreq_lock_scope_t;

typedef struct condreq_lock_t {
    char token[CONDREQ_LOCK_TOKEN_LENGTH + 1];
    /** the key that it was taken on */
    const char *root;
    condreq_lock_scope_t scope;
    /** depth infinity: a collection's also covers what is below it */
    int infinite;
    apr_time_t taken_us;
    /** from this time on there is no lock any more */
    apr_time_t until_us;
    /** who took it; NULL where nobody had to say who he is */
    const char *user;
    /** what he said about himself, see condreq_lockinfo_t; NULL: nothing */
    const char *owner;
} condreq_lock_t;

/** Locks, as they were read from a store: all of an array's, in no order. */
typedef struct condreq_lock_list_t {
    const condreq_lock_t *const *locks;
    apr_size_t count;
} condreq_lock_list_t;

/** Its time is not over. */
int condreq_lock_lives(const condreq_lock_t *lock, apr_time_t now_us);

/** Is the resource in the lock's scope, RFC 4918 section 6.1? */
int condreq_lock_covers(const condreq_lock_t *lock, const char *key);

/** May the user use it, section 6.4? Anybody may use one that nobody in
 * particular took.
 * @param user  NULL where nobody is known */
int condreq_lock_is_usable_by(const condreq_lock_t *lock, const char *user);

/** Could the two not be held of one resource, section 6.2? */
int condreq_lock_scopes_conflict(condreq_lock_scope_t a,
                                 condreq_lock_scope_t b);

/** What a request brings to be let past locks. */
typedef struct condreq_lock_claim_t {
    /** the tokens that it submits; NULL where it sent no If */
    const condreq_if_t *if_field;
    /** who sends it; NULL where nobody is known */
    const char *user;
} condreq_lock_claim_t;

/**
 * Is there a lock that keeps this request from changing a resource, RFC 4918
 * sections 7 and 7.5? Of the locks that cover one resource, one must be the
 * client's: an exclusive one is alone, and of shared ones any will do.
 * @param locks  those that may matter; dead and distant ones are passed over
 * @param key    the resource
 * @return the lock in the way, the exclusive one where there is one; or NULL
 */
const condreq_lock_t *condreq_lock_in_the_way(const condreq_lock_list_t *locks,
                                              const char *key,
                                              const condreq_lock_claim_t *claim,
                                              apr_time_t now_us);

/**
 * Is there a lock that keeps another one from being granted, section 6.2?
 * @param locks  those that cover key, and for an infinite one those below it
 * @return one whose scope conflicts, or NULL
 */
const condreq_lock_t *condreq_lock_conflict(const condreq_lock_list_t *locks,
                                            const condreq_lock_t *wanted,
                                            apr_time_t now_us);

/**
 * Writes a lock in its fixed-endian form, but for root and token, under which
 * it is stored.
 * @param bytes  room for CONDREQ_LOCK_SIZE_MAX
 * @param lock   its user and owner are within their limits
 * @return the bytes written
 */
apr_size_t condreq_lock_encode(unsigned char *bytes,
                               const condreq_lock_t *lock);

/**
 * Reads what condreq_lock_encode() wrote.
 * @param lock  gets all but root and token; the texts are from the pool
 * @return APR_SUCCESS, or CONDREQ_EFORMAT for every other bytes
 */
apr_status_t condreq_lock_decode(condreq_lock_t *lock,
                                 const unsigned char *bytes, apr_size_t length,
                                 apr_pool_t *pool);

/** Makes a new token, as section 6.5 advises.
 * @param token  room for CONDREQ_LOCK_TOKEN_LENGTH + 1
 * @return 1, or 0 where there is no chance to be had */
int condreq_lock_token_make(char *token);

#endif
