/* The Prefer field, RFC 7240, as far as this server honours it. */
#ifndef CONDREQ_PREFER_H
#define CONDREQ_PREFER_H

typedef enum condreq_return_t {
    CONDREQ_RETURN_UNSAID,
    CONDREQ_RETURN_MINIMAL,
    CONDREQ_RETURN_REPRESENTATION
} condreq_return_t;

/**
 * Finds the preference "return", RFC 7240 section 4.2. Of several the first
 * counts (section 2); unknown values and all other preferences are ignored.
 * @param prefer  the field's value, repeated fields joined; NULL: not sent
 */
condreq_return_t condreq_prefer_return(const char *prefer);

#endif
