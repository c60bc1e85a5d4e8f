/* Numbers as RFC 6902 section 4.6 compares them: "numerically equal", of any
 * precision and any exponent. */

#include "apr_general.h"
#include "apr_strings.h"
#include "condreq_number.h"
#include "tap.h"

typedef struct row_t {
    const char *sentence;
    const char *a;
    const char *b;
    int equal;
} row_t;

static const row_t rows[] = {
    {"a number is itself", "1", "1", 1},
    {"one is not two", "1", "2", 0},
    {"nor its own negative", "1", "-1", 0},
    {"ten is not one", "10", "1", 0},
    {"a tenth is not one", "0.1", "1", 0},

    {"a zero behind the point says nothing", "1.10", "1.1", 1},
    {"nor does a whole row of them", "1.000", "1", 1},
    {"zeros before the point do", "100", "1", 0},
    {"zeros right behind the point do", "0.01", "0.1", 0},
    {"zeros in the middle do", "1.01", "1.1", 0},
    {"and are digits like others", "1.0100", "1.01", 1},
    {"before the point too", "1001", "101", 0},

    {"100 is 1e2", "100", "1e2", 1},
    {"and 1E+2", "100", "1E+2", 1},
    {"and 1.0e2", "100", "1.0e2", 1},
    {"and 0.1e3", "100", "0.1e3", 1},
    {"and 0.001e5", "100", "0.001e5", 1},
    {"and 1000e-1", "100", "1000e-1", 1},
    {"and 100e0", "100", "100e0", 1},
    {"and 100e-0", "100", "100e-0", 1},
    {"and 100.00e+000", "100", "100.00e+000", 1},
    {"but not 1e3", "100", "1e3", 0},
    {"nor 1e-2", "100", "1e-2", 0},
    {"an exponent's zeros in front say nothing", "1e0000000000000000000002",
     "100", 1},
    {"a digit across the point", "12.5", "1.25e1", 1},
    {"and back", "12.5", "125e-1", 1},
    {"and not", "12.5", "125e1", 0},
    {"a hundredth", "0.01", "1e-2", 1},
    {"the same in other digits", "0.010e0", "100E-4", 1},

    {"0 is -0", "0", "-0", 1},
    {"0 is -0.0", "0", "-0.0", 1},
    {"0 is 0e400", "0", "0e400", 1},
    {"0.000 is -0e-99999999999999999999", "0.000", "-0e-99999999999999999999",
     1},
    {"0 is not the least there is", "0", "1e-99999999999999999999", 0},
    {"nor is that 0", "0.0000000001", "0", 0},

    {"negative numbers are equal", "-1.50", "-15e-1", 1},
    {"or are not", "-1.5", "-1.6", 0},
    {"a sign counts", "-1.5", "1.5", 0},
    {"and an exponent's sign", "1e5", "1e-5", 0},

    {"no digit beyond a double is lost", "9007199254740993", "9007199254740992",
     0},
    {"where both have it they are equal", "9007199254740993",
     "9.007199254740993e15", 1},
    {"behind the point neither", "0.1000000000000000055511151231257827", "0.1",
     0},
    {"twenty digits", "12345678901234567890", "12345678901234567891", 0},
    {"past every double, 1e400 is not 2e400", "1e400", "2e400", 0},
    {"nor 1e401", "1e400", "1e401", 0},
    {"but 10e399", "1e400", "10e399", 1},
    {"under every double, 1e-400 is not 0", "1e-400", "0", 0},
    {"nor 1e-401", "1e-400", "1e-401", 0},
    {"but 0.1e-399", "1e-400", "0.1e-399", 1},

    {"an exponent past 64 bits", "1e18446744073709551616",
     "1e18446744073709551616", 1},
    {"is not that exponent less 2^64", "1e18446744073709551616", "1e0", 0},
    {"nor one less", "1e18446744073709551616", "1e18446744073709551615", 0},
    {"but a digit before the point makes up for one", "1e18446744073709551616",
     "10e18446744073709551615", 1},
    {"over a carry through all digits", "1e100000000000000000000",
     "10e99999999999999999999", 1},
    {"down too", "1e-100000000000000000000", "0.1e-99999999999999999999", 1},
    {"and not in the other direction", "1e100000000000000000000",
     "0.1e99999999999999999999", 0},
    {"a carry from below 0", "1e-1", "0.01e1", 1},
    {"a great exponent and its negative", "1e99999999999999999999",
     "1e-99999999999999999999", 0},
    {"great exponents apart by 10^17", "1e100000000000000000000000",
     "1e100000100000000000000000", 0},
    {"zeros in front of a great one", "1e0099999999999999999999",
     "1e99999999999999999999", 1},
};

static int equal(const char *a, const char *b)
{
    return condreq_number_equal(a, strlen(a), b, strlen(b));
}

static void test_rows(apr_pool_t *pool)
{
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        is_int(equal(rows[i].a, rows[i].b), rows[i].equal,
               apr_psprintf(pool, "%s: %s, %s", rows[i].sentence, rows[i].a,
                            rows[i].b));
        is_int(equal(rows[i].b, rows[i].a), rows[i].equal,
               "and the other way round");
        is_int(equal(rows[i].a, rows[i].a) && equal(rows[i].b, rows[i].b), 1,
               "and each is itself");
    }
}

/* All spellings of a few digits, against integers: each is some number of
 * 10^-8. */
static long long in_units(int sign, int whole, int digits, int exponent)
{
    long long units = sign * (whole * 100LL + digits) * 1000000LL;

    for (; exponent > 0; exponent--)
        units *= 10;
    for (; exponent < 0; exponent++)
        units /= 10;
    return units;
}

#define SPELLINGS (2 * 4 * 6 * 9)

typedef struct spelling_t {
    const char *text;
    long long units;
} spelling_t;

static void spell(spelling_t *spelling, int i, apr_pool_t *pool)
{
    static const int wholes[] = {0, 1, 10, 11};
    static const int fractions[] = {0, 1, 10, 11, 20, 99};
    int sign = i % 2 ? -1 : 1;
    int whole = wholes[i / 2 % 4];
    int fraction = fractions[i / 8 % 6];
    int exponent = i / 48 - 4;

    spelling->text = apr_psprintf(pool, "%s%d.%02de%d", sign < 0 ? "-" : "",
                                  whole, fraction, exponent);
    spelling->units = in_units(sign, whole, fraction, exponent);
}

static void test_all_pairs(apr_pool_t *pool)
{
    spelling_t spellings[SPELLINGS];
    int differing = 0;
    int i, j;

    for (i = 0; i < SPELLINGS; i++)
        spell(&spellings[i], i, pool);
    for (i = 0; i < SPELLINGS; i++) {
        for (j = 0; j < SPELLINGS; j++)
            differing += equal(spellings[i].text, spellings[j].text) !=
                         (spellings[i].units == spellings[j].units);
    }
    is_int(differing, 0,
           "186,624 pairs of two digits before and behind the point, with "
           "exponents from -4 to 4, against integers");
}

#define LONG 1000000

/* "1" and a million zeros, and what else says it. */
static void test_long(apr_pool_t *pool)
{
    char *zeros = apr_palloc(pool, LONG + 1);
    const char *written, *fraction;

    memset(zeros, '0', LONG);
    zeros[LONG] = '\0';
    written = apr_pstrcat(pool, "1", zeros, NULL);
    fraction = apr_pstrcat(pool, "0.", zeros, "1e2000001", NULL);
    is_int(equal(written, "1e1000000"), 1, "a million zeros are 1e1000000");
    is_int(equal(written, "1e1000001"), 0, "but not 1e1000001");
    is_int(equal(written, fraction), 1,
           "nor are they lost behind a million others");
    is_int(equal(apr_pstrcat(pool, "1.", zeros, NULL), "1"), 1,
           "a million zeros behind the point are none");
    is_int(equal(apr_pstrcat(pool, "1e", zeros, "5", NULL), "100000"), 1,
           "nor are they in front of an exponent");
    is_int(equal(apr_pstrcat(pool, "1e1", zeros, NULL),
                 apr_pstrcat(pool, "10e1", zeros, NULL)),
           0, "an exponent of a million digits, and one more than it");
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_rows(pool);
    test_all_pairs(pool);
    test_long(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
