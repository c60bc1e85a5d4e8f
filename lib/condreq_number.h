/* JSON numbers by their value. Not installed. */
#ifndef CONDREQ_NUMBER_H
#define CONDREQ_NUMBER_H

#include "apr.h"

/**
 * Are two numbers' texts the same decimal? RFC 6902 section 4.6: "numerically
 * equal". Exact, of any precision and any exponent: 1.10 is 1.1, 100 is 1e2,
 * -0.0 is 0, 9007199254740993 is not 9007199254740992. Both have passed the
 * parser. Time is linear in the two lengths, whatever the exponents are.
 */
int condreq_number_equal(const char *a, apr_size_t a_length, const char *b,
                         apr_size_t b_length);

#endif
