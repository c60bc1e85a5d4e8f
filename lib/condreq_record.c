/* Records: the rule of dates, and their fixed-endian form.
 * Knows bytes and the clocks that it is handed; no store, no validator.
 * The rule comes from RFC 9110 section 8.8.2.2 and the design's section 5. */
#include <string.h>

#include "condreq_record.h"

#define FORMAT 2
#define FORMAT_WITHOUT_CHANGE 1
#define FLAG_SEQUENCE_ID 0x01

/* Where each field stands. A media type of media_type_length bytes ends it. */
enum {
    AT_FORMAT = 0,
    AT_STATE = 1,
    AT_FLAGS = 2,
    AT_MEDIA_TYPE_LENGTH = 3,
    AT_VERSION = 4,
    AT_MTIME = 12,
    AT_DATE = 20,
    AT_BODY_ID = 28,
    AT_BODY_LENGTH = 36,
    AT_SHA256 = 44,
    AT_CHANGE = 76,
    AT_MEDIA_TYPE = 84,
    AT_MEDIA_TYPE_WITHOUT_CHANGE = 76
};

/* Rounds down, also before 1970. */
static apr_int64_t second_of(apr_time_t time_us)
{
    return time_us / APR_USEC_PER_SEC - (time_us % APR_USEC_PER_SEC < 0);
}

/* A second behind the clock was open to senders; so was every second up to
 * the modification time of a clock that has since gone back. */
static int date_may_have_been_sent(const condreq_record_t *record,
                                   apr_time_t now_us)
{
    return record->date_s <= second_of(now_us) || now_us < record->mtime_us;
}

void condreq_record_next(condreq_record_t *next,
                         const condreq_record_t *current, apr_time_t now_us)
{
    apr_int64_t unsent_s;

    memset(next, 0, sizeof(*next));
    next->version = 1;
    next->mtime_us = now_us;
    next->date_s = second_of(now_us);
    if (current->state == CONDREQ_ABSENT)
        return;
    next->version = current->version + 1;
    next->sequence_id = current->sequence_id;
    if (next->mtime_us <= current->mtime_us)
        next->mtime_us = current->mtime_us + 1;
    unsent_s = current->date_s + date_may_have_been_sent(current, now_us);
    if (next->date_s < unsent_s)
        next->date_s = unsent_s;
}

int condreq_record_date_has_come(const condreq_record_t *record,
                                 apr_time_t now_us)
{
    return record->date_s <= second_of(now_us);
}

static void write_u64(unsigned char *bytes, apr_uint64_t value)
{
    int i;

    for (i = 7; i >= 0; i--) {
        bytes[i] = (unsigned char)(value & 0xff);
        value >>= 8;
    }
}

static apr_uint64_t read_u64(const unsigned char *bytes)
{
    apr_uint64_t value = 0;
    int i;

    for (i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

apr_size_t condreq_record_encode(unsigned char *bytes,
                                 const condreq_record_t *record)
{
    apr_size_t media_type_length =
        strnlen(record->media_type, CONDREQ_MEDIA_TYPE_MAX);

    bytes[AT_FORMAT] = FORMAT;
    bytes[AT_STATE] = (unsigned char)record->state;
    bytes[AT_FLAGS] = record->sequence_id ? FLAG_SEQUENCE_ID : 0;
    bytes[AT_MEDIA_TYPE_LENGTH] = (unsigned char)media_type_length;
    write_u64(bytes + AT_VERSION, record->version);
    write_u64(bytes + AT_MTIME, (apr_uint64_t)record->mtime_us);
    write_u64(bytes + AT_DATE, (apr_uint64_t)record->date_s);
    write_u64(bytes + AT_BODY_ID, record->body_id);
    write_u64(bytes + AT_BODY_LENGTH, record->body_length);
    memcpy(bytes + AT_SHA256, record->sha256, CONDREQ_SHA256_SIZE);
    write_u64(bytes + AT_CHANGE, record->change);
    memcpy(bytes + AT_MEDIA_TYPE, record->media_type, media_type_length);
    return AT_MEDIA_TYPE + media_type_length;
}

/* Where the media type of a record stands; 0 for none of our formats. */
static apr_size_t media_type_at(const unsigned char *bytes, apr_size_t length)
{
    if (length >= AT_MEDIA_TYPE && bytes[AT_FORMAT] == FORMAT)
        return AT_MEDIA_TYPE;
    if (length >= AT_MEDIA_TYPE_WITHOUT_CHANGE &&
        bytes[AT_FORMAT] == FORMAT_WITHOUT_CHANGE)
        return AT_MEDIA_TYPE_WITHOUT_CHANGE;
    return 0;
}

/* Only what condreq_record_encode() writes: a flag or state that this code
 * does not know was written by one that meant something by it. */
static int is_of_our_format(const unsigned char *bytes, apr_size_t length,
                            apr_size_t media_type)
{
    return media_type != 0 &&
           (bytes[AT_STATE] == CONDREQ_LIVE ||
            bytes[AT_STATE] == CONDREQ_TOMBSTONE) &&
           (bytes[AT_FLAGS] & ~FLAG_SEQUENCE_ID) == 0 &&
           length == media_type + (apr_size_t)bytes[AT_MEDIA_TYPE_LENGTH] &&
           !memchr(bytes + media_type, '\0', length - media_type);
}

apr_status_t condreq_record_decode(condreq_record_t *record,
                                   const unsigned char *bytes,
                                   apr_size_t length)
{
    apr_size_t media_type = media_type_at(bytes, length);

    if (!is_of_our_format(bytes, length, media_type))
        return CONDREQ_EFORMAT;
    record->state = (condreq_state_t)bytes[AT_STATE];
    record->sequence_id = bytes[AT_FLAGS] & FLAG_SEQUENCE_ID;
    record->version = read_u64(bytes + AT_VERSION);
    record->mtime_us = (apr_time_t)read_u64(bytes + AT_MTIME);
    record->date_s = (apr_int64_t)read_u64(bytes + AT_DATE);
    record->body_id = read_u64(bytes + AT_BODY_ID);
    record->body_length = read_u64(bytes + AT_BODY_LENGTH);
    memcpy(record->sha256, bytes + AT_SHA256, CONDREQ_SHA256_SIZE);
    record->change =
        media_type == AT_MEDIA_TYPE ? read_u64(bytes + AT_CHANGE) : 0;
    memcpy(record->media_type, bytes + media_type, length - media_type);
    record->media_type[length - media_type] = '\0';
    return APR_SUCCESS;
}
