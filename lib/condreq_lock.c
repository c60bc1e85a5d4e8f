/* Write locks: what they cover, whom they let pass, their fixed-endian form.
 * Knows keys, tokens and the clock that it is handed; no store, no request.
 * Rules: RFC 4918 sections 6 and 7. */
#include "condreq_lock.h"

#include <assert.h>
#include <string.h>

#include "apr_strings.h"

#include "condreq_key.h"
#include "condreq_uuid.h"

/* ---- what a lock is in the way of ---- */

int condreq_lock_lives(const condreq_lock_t *lock, apr_time_t now_us)
{
    return now_us < lock->until_us;
}

int condreq_lock_covers(const condreq_lock_t *lock, const char *key)
{
    size_t length = strlen(lock->root);

    if (!strcmp(lock->root, key))
        return 1;
    return lock->infinite && condreq_path_is_collection(lock->root) &&
           !strncmp(lock->root, key, length);
}

int condreq_lock_is_usable_by(const condreq_lock_t *lock, const char *user)
{
    return !lock->user || (user && !strcmp(lock->user, user));
}

int condreq_lock_scopes_conflict(condreq_lock_scope_t a, condreq_lock_scope_t b)
{
    return a == CONDREQ_LOCK_EXCLUSIVE || b == CONDREQ_LOCK_EXCLUSIVE;
}

static int is_submitted(const condreq_lock_t *lock,
                        const condreq_lock_claim_t *claim)
{
    return claim->if_field &&
           condreq_if_submits(claim->if_field, lock->token) &&
           condreq_lock_is_usable_by(lock, claim->user);
}

const condreq_lock_t *condreq_lock_in_the_way(const condreq_lock_list_t *locks,
                                              const char *key,
                                              const condreq_lock_claim_t *claim,
                                              apr_time_t now_us)
{
    const condreq_lock_t *in_the_way = NULL;
    apr_size_t i;

    for (i = 0; i < locks->count; i++) {
        const condreq_lock_t *lock = locks->locks[i];

        if (!condreq_lock_lives(lock, now_us) ||
            !condreq_lock_covers(lock, key))
            continue;
        if (is_submitted(lock, claim))
            return NULL;
        if (!in_the_way || lock->scope == CONDREQ_LOCK_EXCLUSIVE)
            in_the_way = lock;
    }
    return in_the_way;
}

/* Does either of two locks cover what the other was taken on? */
static int scopes_meet(const condreq_lock_t *a, const condreq_lock_t *b)
{
    return condreq_lock_covers(a, b->root) || condreq_lock_covers(b, a->root);
}

const condreq_lock_t *condreq_lock_conflict(const condreq_lock_list_t *locks,
                                            const condreq_lock_t *wanted,
                                            apr_time_t now_us)
{
    apr_size_t i;

    for (i = 0; i < locks->count; i++) {
        const condreq_lock_t *lock = locks->locks[i];

        if (condreq_lock_lives(lock, now_us) && scopes_meet(lock, wanted) &&
            condreq_lock_scopes_conflict(lock->scope, wanted->scope))
            return lock;
    }
    return NULL;
}

/* ---- tokens ---- */

int condreq_lock_token_make(char *token)
{
    static const char scheme[] = "urn:uuid:";

    memcpy(token, scheme, sizeof scheme);
    return condreq_uuid_make(token + sizeof scheme - 1);
}

/* ---- bytes ---- */

#define FORMAT 1
#define FLAG_INFINITE 0x01
#define FLAG_USER 0x02
#define FLAG_OWNER 0x04
#define FLAGS (FLAG_INFINITE | FLAG_USER | FLAG_OWNER)

/* Where each field stands; the user's name and the owner end it. */
enum {
    AT_FORMAT = 0,
    AT_SCOPE = 1,
    AT_FLAGS = 2,
    AT_USER_LENGTH = 3,
    AT_TAKEN = 4,
    AT_UNTIL = 12,
    AT_OWNER_LENGTH = 20,
    AT_TEXTS = 24
};

static void write_number(unsigned char *bytes, apr_uint64_t value, int size)
{
    while (size-- > 0) {
        bytes[size] = (unsigned char)(value & 0xff);
        value >>= 8;
    }
}

static apr_uint64_t read_number(const unsigned char *bytes, int size)
{
    apr_uint64_t value = 0;
    int i;

    for (i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

static apr_size_t length_of(const char *text)
{
    return text ? strlen(text) : 0;
}

apr_size_t condreq_lock_encode(unsigned char *bytes, const condreq_lock_t *lock)
{
    apr_size_t user_length = length_of(lock->user);
    apr_size_t owner_length = length_of(lock->owner);

    assert(user_length <= CONDREQ_LOCK_USER_MAX);
    assert(owner_length <= CONDREQ_LOCK_OWNER_MAX);
    bytes[AT_FORMAT] = FORMAT;
    bytes[AT_SCOPE] = (unsigned char)lock->scope;
    bytes[AT_FLAGS] = (unsigned char)((lock->infinite ? FLAG_INFINITE : 0) |
                                      (lock->user ? FLAG_USER : 0) |
                                      (lock->owner ? FLAG_OWNER : 0));
    bytes[AT_USER_LENGTH] = (unsigned char)user_length;
    write_number(bytes + AT_TAKEN, (apr_uint64_t)lock->taken_us, 8);
    write_number(bytes + AT_UNTIL, (apr_uint64_t)lock->until_us, 8);
    write_number(bytes + AT_OWNER_LENGTH, owner_length, 4);
    if (user_length)
        memcpy(bytes + AT_TEXTS, lock->user, user_length);
    if (owner_length)
        memcpy(bytes + AT_TEXTS + user_length, lock->owner, owner_length);
    return AT_TEXTS + user_length + owner_length;
}

/* Only what condreq_lock_encode() writes. */
static int is_of_our_format(const unsigned char *bytes, apr_size_t length)
{
    apr_size_t user_length, owner_length;

    if (length < AT_TEXTS || bytes[AT_FORMAT] != FORMAT ||
        (bytes[AT_SCOPE] != CONDREQ_LOCK_EXCLUSIVE &&
         bytes[AT_SCOPE] != CONDREQ_LOCK_SHARED) ||
        (bytes[AT_FLAGS] & ~FLAGS) != 0)
        return 0;
    user_length = bytes[AT_USER_LENGTH];
    owner_length = (apr_size_t)read_number(bytes + AT_OWNER_LENGTH, 4);
    return owner_length <= CONDREQ_LOCK_OWNER_MAX &&
           length == AT_TEXTS + user_length + owner_length &&
           (user_length == 0 || bytes[AT_FLAGS] & FLAG_USER) &&
           (owner_length == 0 || bytes[AT_FLAGS] & FLAG_OWNER) &&
           !memchr(bytes + AT_TEXTS, '\0', length - AT_TEXTS);
}

apr_status_t condreq_lock_decode(condreq_lock_t *lock,
                                 const unsigned char *bytes, apr_size_t length,
                                 apr_pool_t *pool)
{
    const char *texts = (const char *)bytes + AT_TEXTS;
    apr_size_t user_length;

    if (!is_of_our_format(bytes, length))
        return CONDREQ_EFORMAT;
    user_length = bytes[AT_USER_LENGTH];
    lock->scope = (condreq_lock_scope_t)bytes[AT_SCOPE];
    lock->infinite = bytes[AT_FLAGS] & FLAG_INFINITE;
    lock->taken_us = (apr_time_t)read_number(bytes + AT_TAKEN, 8);
    lock->until_us = (apr_time_t)read_number(bytes + AT_UNTIL, 8);
    lock->user = bytes[AT_FLAGS] & FLAG_USER
                     ? apr_pstrmemdup(pool, texts, user_length)
                     : NULL;
    lock->owner = bytes[AT_FLAGS] & FLAG_OWNER
                      ? apr_pstrmemdup(pool, texts + user_length,
                                       length - AT_TEXTS - user_length)
                      : NULL;
    return APR_SUCCESS;
}
