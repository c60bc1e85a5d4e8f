/* Digest fields, RFC 9530, over the Dictionaries of RFC 8941: what is read of
 * them, and what is true of bytes. */
#include "apr_general.h"
#include "apr_strings.h"
#include "condreq_dictionary.h"
#include "condreq_digest.h"
#include "tap.h"

/* RFC 9530 section 2, with its line feed */
static const char hello[] = "{\"hello\": \"world\"}\n";
#define HELLO256 ":RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
#define HELLO512                                                               \
    ":YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7" \
    "yZ/WkppmM44T3qg==:"
#define OTHER256 ":X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"

static apr_pool_t *pool;

enum { MATCH, MISMATCH, MALFORMED };

typedef struct said_row_t {
    const char *clause;
    const char *field;
    int verdict;
} said_row_t;

static const said_row_t said[] = {
    {"not sent", NULL, MATCH},
    {"an empty Dictionary", "", MATCH},
    {"white space alone", "  ", MATCH},
    {"9530 2: sha-256", "sha-256=" HELLO256, MATCH},
    {"9530 2: sha-512", "sha-512=" HELLO512, MATCH},
    {"9530 2: both", "sha-256=" HELLO256 ",sha-512=" HELLO512, MATCH},
    {"9530 2: other bytes", "sha-256=" OTHER256, MISMATCH},
    {"9530 2: one of two", "sha-512=" HELLO512 ", sha-256=" OTHER256, MISMATCH},
    {"9530 2: unknown ones are ignored", "md5=:AAAA:, x=1", MATCH},
    {"9530 2: and hide none", "md5=:AAAA:, sha-256=" OTHER256, MISMATCH},
    {"of another length", "sha-256=" HELLO512, MISMATCH},
    {"of one byte more",
     "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDgA:", MISMATCH},
    {"no byte", "sha-256=::", MISMATCH},
    {"8941 3.2: the later of two", "sha-256=" OTHER256 ", sha-256=" HELLO256,
     MATCH},
    {"8941 3.2: for good and ill", "sha-256=" HELLO256 ", sha-256=" OTHER256,
     MISMATCH},
    {"8941 3.2: also of another type", "sha-256=" HELLO256 ", sha-256=1",
     MALFORMED},
    {"8941 4.2.2: tabs around commas", "a=1\t,\t sha-256=" HELLO256, MATCH},
    {"8941 4.2.2: but not in front", "\ta=1", MALFORMED},
    {"8941 4.2.2: no comma at the end", "a=1,", MALFORMED},
    {"8941 4.2.2: nor twice", "a=1,,b=1", MALFORMED},
    {"8941 4.2.2: but one between", "a=1 b=1", MALFORMED},
    {"8941 4.2.2: space at the end", "a=1  ", MATCH},
    {"8941 4.2.3.3: keys", "*a-._*9=1", MATCH},
    {"8941 4.2.3.3: in lower case", "A=1", MALFORMED},
    {"8941 4.2.3.3: and no digit first", "1a=1", MALFORMED},
    {"8941 3.2: a key alone is true", "a;b;c=1", MATCH},
    {"9530 2: which is no digest", "sha-256;a=:AAAA:", MALFORMED},
    {"8941 4.2.4: an Integer", "a=-999999999999999", MATCH},
    {"8941 4.2.4: of 15 digits", "a=1000000000000000", MALFORMED},
    {"8941 4.2.4: a sign needs digits", "a=-", MALFORMED},
    {"8941 4.2.4: a Decimal", "a=-123456789012.125", MATCH},
    {"8941 4.2.4: of 12 digits", "a=1234567890123.1", MALFORMED},
    {"8941 4.2.4: and 3", "a=1.1234", MALFORMED},
    {"8941 4.2.4: at least 1", "a=1.", MALFORMED},
    {"8941 4.2.5: a String", "a=\"x, \\\"y\\\\\"", MATCH},
    {"8941 4.2.5: that ends", "a=\"x", MALFORMED},
    {"8941 4.2.5: also behind a backslash", "a=\"x\\", MALFORMED},
    {"8941 4.2.5: two escapes", "a=\"\\n\"", MALFORMED},
    {"8941 4.2.5: no control", "a=\"\t\"", MALFORMED},
    {"8941 4.2.5: ASCII", "a=\"\xC3\xA9\"", MALFORMED},
    {"8941 4.2.6: a Token", "a=*x:/y!", MATCH},
    {"8941 4.2.6: no comma in it", "a=x,b", MATCH},
    {"8941 4.2.7: padding may be missing",
     "md5=:AA:, b=:AAA:, c=:AA==:", MATCH},
    {"8941 4.2.7: not be wrong", "md5=:AA=:", MALFORMED},
    {"8941 4.2.7: nor in the middle", "md5=:A=AA:", MALFORMED},
    {"8941 4.2.7: nor too long", "md5=:AA===:", MALFORMED},
    {"8941 4.2.7: six bits are no byte", "md5=:A:", MALFORMED},
    {"8941 4.2.7: pad bits may be set", "md5=:AB==:", MATCH},
    {"8941 4.2.7: it ends", "md5=:AAAA", MALFORMED},
    {"8941 4.2.7: one alphabet", "md5=:-_-_:", MALFORMED},
    {"8941 4.2.8: a Boolean", "a=?1, b=?0", MATCH},
    {"8941 4.2.8: 0 or 1", "a=?2", MALFORMED},
    {"8941 4.2.1.2: an Inner List", "a=( 1 \"(\" x;y=1 :AAAA: );z", MATCH},
    {"8941 4.2.1.2: of nothing", "a=()", MATCH},
    {"8941 4.2.1.2: that ends", "a=(1", MALFORMED},
    {"8941 4.2.1.2: spaces between", "a=(1,2)", MALFORMED},
    {"8941 4.2.1.2: no list in it", "a=((1))", MALFORMED},
    {"9530 2: which is no digest", "sha-256=(" HELLO256 ")", MALFORMED},
    {"8941 4.2.3.2: parameters", "a=1; b ;c", MALFORMED},
    {"8941 4.2.3.2: with values", "a=1;b=x; c=\";\"", MATCH},
    {"8941 4.2.3.2: that are items", "a=1;b=(1)", MALFORMED},
    {"no item", "a=", MALFORMED},
    {"no such item", "a=@1", MALFORMED},
};

static void said_rows(void)
{
    size_t i;

    for (i = 0; i < sizeof said / sizeof *said; i++) {
        condreq_digests_t digests;
        int verdict = !condreq_digests_parse(&digests, said[i].field)
                          ? MALFORMED
                      : condreq_digests_match(&digests, hello, sizeof hello - 1)
                          ? MATCH
                          : MISMATCH;

        is_int(verdict, said[i].verdict,
               apr_psprintf(pool, "%s: %s", said[i].clause,
                            said[i].field ? said[i].field : "-"));
    }
}

typedef struct wanted_row_t {
    const char *clause;
    const char *field;
    condreq_digest_algorithm_t wanted;
} wanted_row_t;

#define NONE CONDREQ_DIGEST_NONE

static const wanted_row_t wanted[] = {
    {"not sent", NULL, NONE},
    {"9530 4: any weight", "sha-256=1", CONDREQ_SHA_256},
    {"9530 4: the highest", "sha-512=3, sha-256=10, unixsum=0",
     CONDREQ_SHA_256},
    {"9530 4: whichever", "sha-256=3, sha-512=10", CONDREQ_SHA_512},
    {"of two the cheaper one", "sha-512=5, sha-256=5", CONDREQ_SHA_256},
    {"9530 4: 0 is no", "sha-256=0, sha-512=1", CONDREQ_SHA_512},
    {"9530 4: for all", "sha-256=0, sha-512=0", NONE},
    {"9530 4: 10 at most", "sha-256=11, sha-512=1", CONDREQ_SHA_512},
    {"9530 4: 0 at least", "sha-256=-1", NONE},
    {"9530 4: an Integer", "sha-256=1.0", NONE},
    {"9530 4: nothing else", "sha-256=\"1\", sha-512=?1", NONE},
    {"others do not count", "md5=10, sha-512=1", CONDREQ_SHA_512},
    {"8941 3.2: the later of two", "sha-256=5, sha-512=1, sha-256=0",
     CONDREQ_SHA_512},
    {"8941 4.2: all or nothing", "sha-256=5, ?", NONE},
};

static void wanted_rows(void)
{
    size_t i;

    for (i = 0; i < sizeof wanted / sizeof *wanted; i++)
        is_int(condreq_digest_wanted(wanted[i].field), wanted[i].wanted,
               apr_psprintf(pool, "Want: %s: %s", wanted[i].clause,
                            wanted[i].field ? wanted[i].field : "-"));
}

static void computed(void)
{
    static const char *const texts[] = {"sha-256=" HELLO256,
                                        "sha-512=" HELLO512};
    unsigned char digest[CONDREQ_SHA512_SIZE];
    int i;

    for (i = 0; i < CONDREQ_DIGEST_NONE; i++) {
        condreq_digest_algorithm_t algorithm = (condreq_digest_algorithm_t)i;
        condreq_digester_t *digester = condreq_digester_make(algorithm, pool);

        condreq_digest_of(digest, algorithm, hello, sizeof hello - 1);
        is_text(condreq_digest_text(algorithm, digest, pool), texts[i],
                "the digest of bytes");
        condreq_digester_add(digester, hello, 5);
        condreq_digester_add(digester, hello, 0);
        condreq_digester_add(digester, hello + 5, sizeof hello - 6);
        condreq_digester_end(digester, digest);
        is_text(condreq_digest_text(algorithm, digest, pool), texts[i],
                "the same in pieces");
    }
    is_int((long long)condreq_digest_size(CONDREQ_SHA_256), 32, "32 bytes");
    is_int((long long)condreq_digest_size(CONDREQ_SHA_512), 64, "64 bytes");
}

/* RFC 4648 section 10. */
static void base64(void)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    unsigned char bytes[8];
    size_t i;

    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        apr_ssize_t length = condreq_dictionary_decode(
            bytes, sizeof bytes, rows[i][1], strlen(rows[i][1]));

        is_text(length < 0 ? NULL
                           : apr_pstrmemdup(pool, (const char *)bytes,
                                            (apr_size_t)length),
                rows[i][0], rows[i][1]);
    }
    is_int(condreq_dictionary_decode(bytes, 2, "Zm9vYmFy", 8), 6,
           "what has no room is counted");
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    said_rows();
    wanted_rows();
    computed();
    base64();
    apr_terminate();
    return done_testing();
}
