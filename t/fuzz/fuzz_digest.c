/* Digest fields, of whatever bytes: the first line is the field, all else is
 * what it is about. A reader of RFC 8941 of its own, plain and recursive, must
 * agree on what is a Dictionary and on what it says of the two algorithms. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "apr_general.h"
#include "apr_strings.h"

#include <openssl/evp.h>

#include "condreq_digest.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#define MUST(claim)                                                            \
    do {                                                                       \
        if (!(claim))                                                          \
            abort();                                                           \
    } while (0)

/* ---- the second opinion: each returns what is behind it, or NULL ---- */

static const char *KEY = "abcdefghijklmnopqrstuvwxyz*";
static const char *KEY_REST = "abcdefghijklmnopqrstuvwxyz0123456789_-.*";
static const char *DIGITS = "0123456789";
static const char *TOKEN_FIRST =
    "*abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char *TOKEN =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    "!#$%&'*+-.^_`|~:/";
static const char *BASE64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

static const char *plain_key(const char *s)
{
    return one_of(*s, KEY) ? s + 1 + strspn(s + 1, KEY_REST) : NULL;
}

static const char *plain_number(const char *s)
{
    size_t whole, part;

    s += *s == '-';
    whole = strspn(s, DIGITS);
    s += whole;
    if (*s != '.')
        return whole >= 1 && whole <= 15 ? s : NULL;
    part = strspn(s + 1, DIGITS);
    return whole >= 1 && whole <= 12 && part >= 1 && part <= 3 ? s + 1 + part
                                                               : NULL;
}

static const char *plain_string(const char *s)
{
    if (*s == '"')
        return s + 1;
    if (*s == '\\')
        return one_of(s[1], "\"\\") ? plain_string(s + 2) : NULL;
    return *s >= 0x20 && *s < 0x7F ? plain_string(s + 1) : NULL;
}

static const char *plain_bytes(const char *s)
{
    size_t letters = strspn(s, BASE64);
    size_t padding = strspn(s + letters, "=");

    if (letters % 4 == 1 || s[letters + padding] != ':')
        return NULL;
    if (padding && (padding > 2 || (letters + padding) % 4))
        return NULL;
    return s + letters + padding + 1;
}

static const char *plain_item(const char *s)
{
    if (*s == '"')
        return plain_string(s + 1);
    if (*s == ':')
        return plain_bytes(s + 1);
    if (*s == '?')
        return one_of(s[1], "01") ? s + 2 : NULL;
    if (one_of(*s, TOKEN_FIRST))
        return s + strspn(s, TOKEN);
    return plain_number(s);
}

static const char *plain_parameters(const char *s)
{
    if (!s || *s != ';')
        return s;
    s = plain_key(s + 1 + strspn(s + 1, " "));
    if (s && *s == '=')
        s = plain_item(s + 1);
    return plain_parameters(s);
}

static const char *plain_list(const char *s)
{
    s += strspn(s, " ");
    if (*s == ')')
        return s + 1;
    s = plain_parameters(plain_item(s));
    return s && one_of(*s, " )") ? plain_list(s) : NULL;
}

typedef struct plain_t {
    /* of sha-256 and sha-512: the Byte Sequence behind its colon, or NULL */
    const char *bytes[2];
    /* the last word on one is something else */
    int ever_other;
} plain_t;

static void plain_take(plain_t *plain, const char *key, const char *value)
{
    int which = !strncmp(key, "sha-256", 7)   ? 0
                : !strncmp(key, "sha-512", 7) ? 1
                                              : -1;

    if (which < 0 || one_of(key[7], KEY_REST))
        return;
    if (value[0] == '=' && value[1] == ':')
        plain->bytes[which] = value + 2;
    else
        plain->ever_other = 1;
}

/* Is it a Dictionary? */
static int plain_members(plain_t *plain, const char *s)
{
    const char *key = s;
    const char *value = plain_key(s);

    if (!value)
        return 0;
    s = value;
    if (*s == '=')
        s = s[1] == '(' ? plain_list(s + 2) : plain_item(s + 1);
    s = plain_parameters(s);
    if (!s)
        return 0;
    plain_take(plain, key, value);
    s += strspn(s, " \t");
    if (!*s)
        return 1;
    return *s == ',' && plain_members(plain, s + 1 + strspn(s + 1, " \t"));
}

/* ---- the properties ---- */

static int same_bytes(const condreq_digests_t *digests, int which,
                      const char *base64)
{
    unsigned char decoded[8192];
    char padded[8192];
    size_t letters = strspn(base64, BASE64);
    size_t length = letters / 4 * 3 + (letters % 4 ? letters % 4 - 1 : 0);
    size_t i;

    memcpy(padded, base64, letters);
    for (i = letters; i % 4; i++)
        padded[i] = 'A';
    if (i)
        MUST(EVP_DecodeBlock(decoded, (unsigned char *)padded, (int)i) >= 0);
    MUST(digests->of[which].length == length);
    if (length > CONDREQ_SHA512_SIZE)
        length = CONDREQ_SHA512_SIZE;
    return !memcmp(digests->of[which].bytes, decoded, length);
}

static void agree(const char *field)
{
    condreq_digests_t digests;
    plain_t plain = {{NULL, NULL}, 0};
    const char *begin = field + strspn(field, " ");
    int is_good =
        (!*begin || plain_members(&plain, begin)) && !plain.ever_other;
    int which;

    MUST(condreq_digests_parse(&digests, field) == is_good);
    for (which = 0; which < 2 && is_good; which++) {
        MUST(digests.of[which].given == (plain.bytes[which] != NULL));
        if (plain.bytes[which])
            MUST(same_bytes(&digests, which, plain.bytes[which]));
    }
    MUST(condreq_digest_wanted(field) <= CONDREQ_DIGEST_NONE);
}

/* What is computed of bytes is read as that, and is true of no others. */
static void round_trip(const char *bytes, size_t length, apr_pool_t *pool)
{
    condreq_digests_t digests;
    unsigned char digest[CONDREQ_SHA512_SIZE];
    int i;

    for (i = 0; i < CONDREQ_DIGEST_NONE; i++) {
        condreq_digest_algorithm_t algorithm = (condreq_digest_algorithm_t)i;

        condreq_digest_of(digest, algorithm, bytes, length);
        MUST(condreq_digests_parse(
            &digests, condreq_digest_text(algorithm, digest, pool)));
        MUST(condreq_digests_match(&digests, bytes, length));
        MUST(!length || !condreq_digests_match(&digests, bytes, length - 1));
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return apr_initialize() != APR_SUCCESS;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    const uint8_t *end = size ? memchr(input, '\n', size) : NULL;
    size_t field_length = end ? (size_t)(end - input) : size;
    const char *rest = end ? (const char *)end + 1 : "";
    size_t rest_length = end ? size - field_length - 1 : 0;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    agree(apr_pstrmemdup(pool, (const char *)input, field_length));
    round_trip(rest, rest_length, pool);
    apr_pool_destroy(pool);
    return 0;
}
