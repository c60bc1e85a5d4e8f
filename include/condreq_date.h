/* HTTP-date, RFC 9110 section 5.6.7, and the RFC 3339 date of documents.
 * Knows calendars; no clock of its own, no locale, no time zone but GMT. */
#ifndef CONDREQ_DATE_H
#define CONDREQ_DATE_H

#include "apr_time.h"

/** Room for "Sun, 06 Nov 1994 08:49:37 GMT" and its NUL. */
#define CONDREQ_DATE_HTTP_SIZE 30
/** Room for "1994-11-06T08:49:37.000000Z" and its NUL. */
#define CONDREQ_DATE_RFC3339_SIZE 28

/**
 * Reads one of the three forms of HTTP-date, to the letter: names in their
 * case, two digits where two belong, GMT, a day that the month has, nothing
 * behind. The day name need not fit the date; second 60 is the next second.
 * @param date_s  seconds since the epoch, set on success
 * @param value   the field's value, without white space around it; NULL is
 *                not a date
 * @param now_s   the clock, for the two-digit years of RFC 850: one that
 *                looks over 50 years ahead is the last past one
 * @return 1, or 0 where it is no HTTP-date
 */
int condreq_date_parse(apr_int64_t *date_s, const char *value,
                       apr_int64_t now_s);

/** Writes IMF-fixdate. The years 0 to 9999 can be said; others are clamped. */
void condreq_date_http(char text[CONDREQ_DATE_HTTP_SIZE], apr_int64_t date_s);

/** Writes a date-time of RFC 3339 in UTC with microseconds, clamped alike. */
void condreq_date_rfc3339(char text[CONDREQ_DATE_RFC3339_SIZE],
                          apr_time_t time_us);

#endif
