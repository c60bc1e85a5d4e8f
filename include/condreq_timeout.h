/* The Timeout field of WebDAV, RFC 4918 section 10.7.
 * Knows its list syntax; not who asks, nor for what. */
#ifndef CONDREQ_TIMEOUT_H
#define CONDREQ_TIMEOUT_H

#include "apr.h"

/**
 * How long a lock is granted: the first wish of the list that is understood,
 * "Second-n" or "Infinite", kept between 1 second and the maximum.
 * @param value      the field's value, NULL where it was not sent
 * @param default_s  where nothing in it is understood
 * @param max_s      what a larger number, and Infinite, come down to
 * @return seconds
 */
apr_uint32_t condreq_timeout_s(const char *value, apr_uint32_t default_s,
                               apr_uint32_t max_s);

#endif
