/* Digest fields, RFC 9530: what is announced of bytes, what is wanted, and
 * what is true. Knows sha-256 and sha-512; all other algorithms are ignored, as
 * section 2 has it. */
#ifndef CONDREQ_DIGEST_H
#define CONDREQ_DIGEST_H

#include "apr_pools.h"

typedef enum condreq_digest_algorithm_t {
    CONDREQ_SHA_256,
    CONDREQ_SHA_512,
    /** how many there are, and: none of them */
    CONDREQ_DIGEST_NONE
} condreq_digest_algorithm_t;

#define CONDREQ_SHA512_SIZE 64

/** What Content-Digest or Repr-Digest says. */
typedef struct condreq_digests_t {
    struct {
        int given;
        /** bytes in it, which may be the wrong number */
        apr_size_t length;
        unsigned char bytes[CONDREQ_SHA512_SIZE];
    } of[CONDREQ_DIGEST_NONE];
} condreq_digests_t;

/**
 * Reads Content-Digest or Repr-Digest: a Dictionary of RFC 8941 whose members
 * are Byte Sequences.
 * @param field  the field's value, repeated fields joined; NULL: not sent
 * @return 0 where it is no Dictionary, or an algorithm that is known has
 *         something else than a Byte Sequence
 */
int condreq_digests_parse(condreq_digests_t *digests, const char *field);

/** Are these bytes what each of the digests says? Of none: yes. */
int condreq_digests_match(const condreq_digests_t *digests, const char *bytes,
                          apr_size_t length);

/**
 * Reads Want-Content-Digest or Want-Repr-Digest, section 4: the algorithm with
 * the highest weight from 1 to 10, of two the one that costs less. A field that
 * is no Dictionary wants nothing: it is a hint.
 * @param field  as above
 */
condreq_digest_algorithm_t condreq_digest_wanted(const char *field);

/** Bytes that an algorithm's digests have. */
apr_size_t condreq_digest_size(condreq_digest_algorithm_t algorithm);

/** Digests bytes that come in pieces; free of limits on how many. */
typedef struct condreq_digester_t condreq_digester_t;

/** @param pool  the digester ends with it */
condreq_digester_t *condreq_digester_make(condreq_digest_algorithm_t algorithm,
                                          apr_pool_t *pool);
void condreq_digester_add(condreq_digester_t *digester, const char *bytes,
                          apr_size_t length);
/** @param digest  room for CONDREQ_SHA512_SIZE */
void condreq_digester_end(condreq_digester_t *digester, unsigned char *digest);

/** The digest of bytes that are all there. */
void condreq_digest_of(unsigned char *digest,
                       condreq_digest_algorithm_t algorithm, const char *bytes,
                       apr_size_t length);

/** A member of Content-Digest or Repr-Digest, such as sha-256=:...:, from the
 * pool. */
const char *condreq_digest_text(condreq_digest_algorithm_t algorithm,
                                const unsigned char *digest, apr_pool_t *pool);

#endif
