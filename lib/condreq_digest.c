/* Digest fields, RFC 9530.
 * Knows two algorithms and what is said of them; no request and no record. */
#include "condreq_digest.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "apr_strings.h"
#include "condreq_dictionary.h"

#define WEIGHT_MAX 10

typedef struct algorithm_t {
    const char *key;
    apr_size_t size;
    const EVP_MD *(*function)(void);
} algorithm_t;

/* In the order of condreq_digest_algorithm_t, the cheaper one first: a record
 * has its SHA-256. */
static const algorithm_t algorithms[] = {
    {"sha-256", 32, EVP_sha256},
    {"sha-512", CONDREQ_SHA512_SIZE, EVP_sha512},
};

static condreq_digest_algorithm_t
algorithm_of(const condreq_dictionary_member_t *member)
{
    int i;

    for (i = 0; i < CONDREQ_DIGEST_NONE; i++) {
        if (strlen(algorithms[i].key) == member->key_length &&
            !memcmp(algorithms[i].key, member->key, member->key_length))
            break;
    }
    return (condreq_digest_algorithm_t)i;
}

/* ---- announced ---- */

static int take_digest(condreq_digests_t *digests,
                       const condreq_dictionary_member_t *member)
{
    condreq_digest_algorithm_t algorithm = algorithm_of(member);

    if (algorithm == CONDREQ_DIGEST_NONE)
        return 1;
    if (member->kind != CONDREQ_DICTIONARY_BYTES)
        return 0;
    digests->of[algorithm].given = 1;
    digests->of[algorithm].length = (apr_size_t)condreq_dictionary_decode(
        digests->of[algorithm].bytes, sizeof digests->of[algorithm].bytes,
        member->base64, member->base64_length);
    return 1;
}

int condreq_digests_parse(condreq_digests_t *digests, const char *field)
{
    condreq_dictionary_t dictionary;
    condreq_dictionary_member_t member;
    int got;

    memset(digests, 0, sizeof *digests);
    if (!field)
        return 1;
    condreq_dictionary_begin(&dictionary, field);
    while ((got = condreq_dictionary_next(&dictionary, &member)) == 1) {
        if (!take_digest(digests, &member))
            return 0;
    }
    return got == 0;
}

int condreq_digests_match(const condreq_digests_t *digests, const char *bytes,
                          apr_size_t length)
{
    unsigned char digest[CONDREQ_SHA512_SIZE];
    int i;

    for (i = 0; i < CONDREQ_DIGEST_NONE; i++) {
        if (!digests->of[i].given)
            continue;
        if (digests->of[i].length != algorithms[i].size)
            return 0;
        condreq_digest_of(digest, (condreq_digest_algorithm_t)i, bytes, length);
        if (memcmp(digest, digests->of[i].bytes, algorithms[i].size))
            return 0;
    }
    return 1;
}

/* ---- wanted ---- */

/* The weights of a field, 0 where there is none that counts. */
static int read_weights(apr_int64_t weights[CONDREQ_DIGEST_NONE],
                        const char *field)
{
    condreq_dictionary_t dictionary;
    condreq_dictionary_member_t member;
    int got;

    condreq_dictionary_begin(&dictionary, field);
    while ((got = condreq_dictionary_next(&dictionary, &member)) == 1) {
        condreq_digest_algorithm_t algorithm = algorithm_of(&member);

        if (algorithm == CONDREQ_DIGEST_NONE)
            continue;
        weights[algorithm] = 0;
        if (member.kind == CONDREQ_DICTIONARY_INTEGER && member.integer > 0 &&
            member.integer <= WEIGHT_MAX)
            weights[algorithm] = member.integer;
    }
    return got == 0;
}

condreq_digest_algorithm_t condreq_digest_wanted(const char *field)
{
    apr_int64_t weights[CONDREQ_DIGEST_NONE] = {0};
    condreq_digest_algorithm_t wanted = CONDREQ_DIGEST_NONE;
    apr_int64_t highest = 0;
    int i;

    if (!field || !read_weights(weights, field))
        return CONDREQ_DIGEST_NONE;
    for (i = 0; i < CONDREQ_DIGEST_NONE; i++) {
        if (weights[i] > highest) {
            highest = weights[i];
            wanted = (condreq_digest_algorithm_t)i;
        }
    }
    return wanted;
}

/* ---- computed ---- */

struct condreq_digester_t {
    EVP_MD_CTX *state;
};

static apr_status_t digester_free(void *digester)
{
    EVP_MD_CTX_free(((condreq_digester_t *)digester)->state);
    return APR_SUCCESS;
}

apr_size_t condreq_digest_size(condreq_digest_algorithm_t algorithm)
{
    return algorithms[algorithm].size;
}

/* libcrypto fails here only without memory, as every allocation of a pool. */
condreq_digester_t *condreq_digester_make(condreq_digest_algorithm_t algorithm,
                                          apr_pool_t *pool)
{
    condreq_digester_t *digester = apr_palloc(pool, sizeof *digester);
    int begun;

    digester->state = EVP_MD_CTX_new();
    begun = digester->state &&
            EVP_DigestInit_ex(digester->state, algorithms[algorithm].function(),
                              NULL);
    if (!begun)
        abort();
    apr_pool_cleanup_register(pool, digester, digester_free,
                              apr_pool_cleanup_null);
    return digester;
}

void condreq_digester_add(condreq_digester_t *digester, const char *bytes,
                          apr_size_t length)
{
    EVP_DigestUpdate(digester->state, bytes, length);
}

void condreq_digester_end(condreq_digester_t *digester, unsigned char *digest)
{
    EVP_DigestFinal_ex(digester->state, digest, NULL);
}

void condreq_digest_of(unsigned char *digest,
                       condreq_digest_algorithm_t algorithm, const char *bytes,
                       apr_size_t length)
{
    int digested = EVP_Digest(bytes, length, digest, NULL,
                              algorithms[algorithm].function(), NULL);

    if (!digested)
        abort();
}

const char *condreq_digest_text(condreq_digest_algorithm_t algorithm,
                                const unsigned char *digest, apr_pool_t *pool)
{
    /* four characters for three bytes, and a NUL */
    unsigned char base64[4 * ((CONDREQ_SHA512_SIZE + 2) / 3) + 1];

    EVP_EncodeBlock(base64, digest, (int)algorithms[algorithm].size);
    return apr_psprintf(pool, "%s=:%s:", algorithms[algorithm].key, base64);
}
