/* Records: the rule of dates and the bytes, a row a claim.
 * Knows the header's words; the rule is RFC 9110 section 8.8.2.2's. */
#include <string.h>

#include "condreq_record.h"
#include "tap.h"

#define S(seconds) ((apr_time_t)(seconds)*APR_USEC_PER_SEC)

typedef struct next_row_t {
    const char *claim;
    condreq_state_t state;
    apr_time_t mtime_us;
    apr_int64_t date_s;
    apr_time_t now_us;
    apr_time_t next_mtime_us;
    apr_int64_t next_date_s;
} next_row_t;

static const next_row_t next_rows[] = {
    /* claim                       state, its mtime and date   clock
     *                                              next mtime and date */
    {"the first version is of this second", CONDREQ_ABSENT, 0, 0, S(100) + 5,
     S(100) + 5, 100},
    {"a later second is a new date", CONDREQ_LIVE, S(90), 90, S(100) + 5,
     S(100) + 5, 100},
    {"a tombstone counts as a version", CONDREQ_TOMBSTONE, S(100), 100,
     S(100) + 5, S(100) + 5, 101},
    {"a second write in one second takes the next, since the first may be "
     "out",
     CONDREQ_LIVE, S(100) + 5, 100, S(100) + 9, S(100) + 9, 101},
    {"a third takes the same, since the second's has not come", CONDREQ_LIVE,
     S(100) + 9, 101, S(100) + 12, S(100) + 12, 101},
    {"the last microsecond of a second belongs to it", CONDREQ_LIVE, S(100) + 9,
     101, S(101) - 1, S(101) - 1, 101},
    {"once it has come, the next write takes one more", CONDREQ_LIVE,
     S(100) + 9, 101, S(101), S(101), 102},
    {"a clock that stands still moves the modification time by 1 us",
     CONDREQ_LIVE, S(100) + 5, 100, S(100) + 5, S(100) + 6, 101},
    {"a clock that went back by an hour may have sent the date", CONDREQ_LIVE,
     S(4000), 4000, S(400), S(4000) + 1, 4001},
    {"and goes on from there", CONDREQ_LIVE, S(4000) + 1, 4001, S(401),
     S(4000) + 2, 4002},
    {"a clock that went back within the second counts as one that did",
     CONDREQ_LIVE, S(100) + 9, 101, S(100) + 5, S(100) + 10, 102},
    {"a clock that jumped ahead takes its second", CONDREQ_LIVE, S(100) + 9,
     101, S(9000), S(9000), 9000},
    {"seconds before 1970 are rounded down", CONDREQ_ABSENT, 0, 0, -1, -1, -1},
};

static void test_next(void)
{
    size_t i;

    for (i = 0; i < sizeof(next_rows) / sizeof(next_rows[0]); i++) {
        const next_row_t *row = &next_rows[i];
        condreq_record_t current = {0}, next;

        current.state = row->state;
        current.version = row->state == CONDREQ_ABSENT ? 0 : 7;
        current.mtime_us = row->mtime_us;
        current.date_s = row->date_s;
        condreq_record_next(&next, &current, row->now_us);
        if (!ok(next.version == current.version + 1 &&
                    next.mtime_us == row->next_mtime_us &&
                    next.date_s == row->next_date_s,
                "%s", row->claim))
            printf("#   got mtime %lld, date %lld\n", (long long)next.mtime_us,
                   (long long)next.date_s);
    }
}

/* Every way for a clock to go, against the promise itself: dates that could
 * have been sent are noted with their version, and none may get a second. */
static void test_no_date_names_two_versions(void)
{
    static const int steps_us[] = {0,       1,       400000,  999999,
                                   1000001, -700000, -2500000};
    apr_uint64_t version_of[64] = {0};
    condreq_record_t current = {0}, next;
    apr_time_t now_us = S(20);
    unsigned random = 1;
    int broken = 0, i;

    for (i = 0; i < 2000; i++) {
        random = random * 1664525u + 1013904223u;
        now_us += steps_us[(random >> 8) % 7];
        if (now_us < S(5) || now_us > S(40))
            now_us = S(20);
        if (i % 3 == 0 && current.date_s < 60) {
            condreq_record_next(&next, &current, now_us);
            next.state = CONDREQ_LIVE;
            current = next;
        }
        if (current.version == 0 || current.date_s >= 64)
            continue;
        if (!condreq_record_date_has_come(&current, now_us))
            continue;
        if (!version_of[current.date_s])
            version_of[current.date_s] = current.version;
        broken += version_of[current.date_s] != current.version;
    }
    is_int(broken, 0,
           "a date that was sent names one version, however the "
           "clock jumps");
}

static void test_has_come(void)
{
    condreq_record_t record = {0};

    record.date_s = 101;
    ok(!condreq_record_date_has_come(&record, S(101) - 1),
       "a date is not sent a microsecond before its second");
    ok(condreq_record_date_has_come(&record, S(101)),
       "it is sent as its second begins");
    record.date_s = -1;
    ok(condreq_record_date_has_come(&record, -1),
       "a date before 1970 has come within its second");
}

static condreq_record_t full_record(void)
{
    condreq_record_t record = {0};

    record.state = CONDREQ_TOMBSTONE;
    record.version = 0x0102030405060708u;
    record.mtime_us = 0x1112131415161718;
    record.date_s = -2;
    record.body_id = 0x3132333435363738u;
    record.body_length = 0x4142434445464748u;
    memset(record.sha256, 0xab, sizeof(record.sha256));
    record.change = 0x5152535455565758u;
    record.sequence_id = 1;
    strcpy(record.media_type, "text/x");
    return record;
}

/* What stands on disks out there does not change with the code. */
static void test_bytes(void)
{
    static const unsigned char head[] = {
        2,    2,    1,    6,    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
        0x08, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0x31, 0x32, 0x33, 0x34, 0x35,
        0x36, 0x37, 0x38, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48,
    };
    unsigned char bytes[CONDREQ_RECORD_SIZE_MAX];
    condreq_record_t record = full_record();

    is_int((long long)condreq_record_encode(bytes, &record), 90,
           "a record is 84 bytes and its media type");
    ok(!memcmp(bytes, head, sizeof(head)),
       "format, state, flags, length of the type, and big-endian numbers");
    ok(bytes[44] == 0xab && bytes[75] == 0xab, "then the hash");
    ok(bytes[76] == 0x51 && bytes[83] == 0x58, "then the change");
    ok(!memcmp(bytes + 84, "text/x", 6), "then the media type");
}

static int same_record(const condreq_record_t *a, const condreq_record_t *b)
{
    return a->state == b->state && a->version == b->version &&
           a->mtime_us == b->mtime_us && a->date_s == b->date_s &&
           a->body_id == b->body_id && a->body_length == b->body_length &&
           !memcmp(a->sha256, b->sha256, CONDREQ_SHA256_SIZE) &&
           a->change == b->change && a->sequence_id == b->sequence_id &&
           !strcmp(a->media_type, b->media_type);
}

static void test_round_trip(void)
{
    unsigned char bytes[CONDREQ_RECORD_SIZE_MAX];
    condreq_record_t record = full_record(), decoded;
    apr_size_t length = condreq_record_encode(bytes, &record);

    is_int(condreq_record_decode(&decoded, bytes, length), APR_SUCCESS,
           "what was written is read");
    ok(same_record(&record, &decoded), "and every field is as it was");
    memset(record.media_type, 'm', CONDREQ_MEDIA_TYPE_MAX);
    record.state = CONDREQ_LIVE;
    record.sequence_id = 0;
    length = condreq_record_encode(bytes, &record);
    is_int((long long)length, CONDREQ_RECORD_SIZE_MAX,
           "the longest media type fits");
    condreq_record_decode(&decoded, bytes, length);
    ok(same_record(&record, &decoded), "and comes back");
    record.media_type[0] = '\0';
    length = condreq_record_encode(bytes, &record);
    is_int((long long)length, 84, "so does none at all");
    is_int(condreq_record_decode(&decoded, bytes, length), APR_SUCCESS,
           "and is read");
}

/* The format of before had no change, and all else where it is now. */
static void test_format_before(void)
{
    unsigned char bytes[CONDREQ_RECORD_SIZE_MAX];
    condreq_record_t record = full_record(), decoded;

    condreq_record_encode(bytes, &record);
    bytes[0] = 1;
    memcpy(bytes + 76, "text/x", 6);
    is_int(condreq_record_decode(&decoded, bytes, 82), APR_SUCCESS,
           "a record of the format before is read");
    record.change = 0;
    ok(same_record(&record, &decoded), "and its change is nowhere yet");
    is_int(condreq_record_decode(&decoded, bytes, 81), CONDREQ_EFORMAT,
           "cut short it is not");
}

typedef struct refused_row_t {
    const char *claim;
    /** which byte becomes what, and how many are left of 90 */
    int at;
    unsigned char becomes;
    apr_size_t length;
} refused_row_t;

static const refused_row_t refused_rows[] = {
    {"no bytes at all", 0, 2, 0},
    {"a format that never was", 0, 0, 90},
    {"a format to come", 0, 3, 90},
    {"the format of before, which was shorter", 0, 1, 90},
    {"the state of what was never there", 1, 0, 90},
    {"a state that we do not know", 1, 3, 90},
    {"a flag that we do not know", 2, 0x81, 90},
    {"a record that is cut short", 0, 2, 89},
    {"one that is cut within its numbers", 0, 2, 83},
    {"one with a byte too many", 0, 2, 91},
    {"a media type with a NUL inside", 86, 0, 90},
};

static void test_refusals(void)
{
    size_t i;

    for (i = 0; i < sizeof(refused_rows) / sizeof(refused_rows[0]); i++) {
        const refused_row_t *row = &refused_rows[i];
        unsigned char bytes[CONDREQ_RECORD_SIZE_MAX] = {0};
        condreq_record_t record = full_record();

        condreq_record_encode(bytes, &record);
        bytes[row->at] = row->becomes;
        is_int(condreq_record_decode(&record, bytes, row->length),
               CONDREQ_EFORMAT, row->claim);
    }
}

int main(void)
{
    test_next();
    test_no_date_names_two_versions();
    test_has_come();
    test_bytes();
    test_round_trip();
    test_format_before();
    test_refusals();
    return done_testing();
}
