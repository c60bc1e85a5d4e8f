/* A record of the version map: what is known of one resource without its body.
 * Knows bytes, clocks given to it and the rule of dates; no store, no tag. */
#ifndef CONDREQ_RECORD_H
#define CONDREQ_RECORD_H

#include "apr_errno.h"
#include "apr_time.h"

/** Bytes of a media type with its parameters, NUL apart. */
#define CONDREQ_MEDIA_TYPE_MAX 255
#define CONDREQ_SHA256_SIZE 32
/** The longest encoding. */
#define CONDREQ_RECORD_SIZE_MAX (84 + CONDREQ_MEDIA_TYPE_MAX)

/** A record's bytes are of another format than this code writes. */
#define CONDREQ_EFORMAT (APR_OS_START_USERERR + 1)

typedef enum condreq_state_t {
    /** nothing was ever here */
    CONDREQ_ABSENT = 0,
    CONDREQ_LIVE = 1,
    /** deleted; the version goes on from here */
    CONDREQ_TOMBSTONE = 2
} condreq_state_t;

typedef struct condreq_record_t {
    condreq_state_t state;
    /** 1 for the first that was ever here; never goes back */
    apr_uint64_t version;
    /** strictly later than that of the version before */
    apr_time_t mtime_us;
    /** what Last-Modified says; see condreq_record_next() */
    apr_int64_t date_s;
    apr_uint64_t body_id;
    apr_uint64_t body_length;
    unsigned char sha256[CONDREQ_SHA256_SIZE];
    /** where the store notes this change; set by the store as it writes the
     * record, and nobody else's to read */
    apr_uint64_t change;
    /** the last path segment is a number that a collection's sequence gave */
    int sequence_id;
    char media_type[CONDREQ_MEDIA_TYPE_MAX + 1];
} condreq_record_t;

/**
 * Starts the record that follows another: the next version, its modification
 * time and its date. A date that may have been sent names one version for
 * ever (RFC 9110 section 8.8.2.2), so the next version takes the later of
 * this second and the former date, or one second more where the former date
 * may be out: it is not later than the clock, or the clock has gone back.
 * @param next     gets version, mtime_us, date_s and sequence_id; the rest is
 *                 zeroed for the caller to fill in
 * @param current  what is there, in whatever state
 * @param now_us   the clock, read after the record was locked for writing
 */
void condreq_record_next(condreq_record_t *next,
                         const condreq_record_t *current, apr_time_t now_us);

/**
 * May Last-Modified be sent? Not before its second has come.
 * @param now_us  the clock, read before the record was looked up
 */
int condreq_record_date_has_come(const condreq_record_t *record,
                                 apr_time_t now_us);

/**
 * Writes a record in its fixed-endian form.
 * @param bytes  room for CONDREQ_RECORD_SIZE_MAX
 * @return the bytes written
 */
apr_size_t condreq_record_encode(unsigned char *bytes,
                                 const condreq_record_t *record);

/**
 * Reads what condreq_record_encode() wrote, now or in the format before this
 * one, which had no change.
 * @return APR_SUCCESS, or CONDREQ_EFORMAT for every other bytes
 */
apr_status_t condreq_record_decode(condreq_record_t *record,
                                   const unsigned char *bytes,
                                   apr_size_t length);

#endif
