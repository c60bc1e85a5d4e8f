/* HTTP-date against RFC 9110 section 5.6.7, date-time against RFC 3339
 * section 5.6, and both against libc's own calendar. */
#include <time.h>

#include "condreq_date.h"
#include "tap.h"

/* 1 July 2024, noon */
#define NOW_S APR_INT64_C(1719835200)
/* Sun, 06 Nov 1994 08:49:37 GMT */
#define EXAMPLE_S APR_INT64_C(784111777)

static const struct {
    const char *sentence;
    const char *value;
    apr_int64_t date_s;
} dates[] = {
    {"IMF-fixdate", "Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE_S},
    {"the form of RFC 850", "Sunday, 06-Nov-94 08:49:37 GMT", EXAMPLE_S},
    {"the form of asctime", "Sun Nov  6 08:49:37 1994", EXAMPLE_S},
    {"asctime with a nought before the day", "Sun Nov 06 08:49:37 1994",
     EXAMPLE_S},
    {"asctime with a day of two digits", "Wed Nov 16 08:49:37 1994",
     EXAMPLE_S + 10 * 86400},
    {"the longest there is", "Wednesday, 09-Nov-94 08:49:37 GMT",
     EXAMPLE_S + 3 * 86400},
    {"a day name that does not fit", "Mon, 06 Nov 1994 08:49:37 GMT",
     EXAMPLE_S},
    {"the epoch", "Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"a second before it", "Wed, 31 Dec 1969 23:59:59 GMT", -1},
    {"2^31 seconds", "Tue, 19 Jan 2038 03:14:08 GMT", APR_INT64_C(2147483648)},
    {"the first second of the year 0", "Sat, 01 Jan 0000 00:00:00 GMT",
     APR_INT64_C(-62167219200)},
    {"the last second of 9999", "Fri, 31 Dec 9999 23:59:59 GMT",
     APR_INT64_C(253402300799)},
    {"a leap second", "Sat, 31 Dec 2016 23:59:60 GMT", APR_INT64_C(1483228800)},
    {"29 February of a leap year", "Thu, 29 Feb 2024 00:00:00 GMT",
     APR_INT64_C(1709164800)},
    {"29 February of 2000", "Tue, 29 Feb 2000 00:00:00 GMT",
     APR_INT64_C(951782400)},
};

static const struct {
    const char *sentence;
    const char *value;
} refused[] = {
    {"nothing sent", NULL},
    {"an empty value", ""},
    {"a word", "yesterday"},
    {"seconds since the epoch", "784111777"},
    {"a space in front", " Sun, 06 Nov 1994 08:49:37 GMT"},
    {"a space behind", "Sun, 06 Nov 1994 08:49:37 GMT "},
    {"something behind", "Sun, 06 Nov 1994 08:49:37 GMT; length=5"},
    {"two dates",
     "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT"},
    {"EST", "Sun, 06 Nov 1994 08:49:37 EST"},
    {"UTC", "Sun, 06 Nov 1994 08:49:37 UTC"},
    {"an offset", "Sun, 06 Nov 1994 08:49:37 +0000"},
    {"GMT and an offset", "Sun, 06 Nov 1994 08:49:37 GMT+0100"},
    {"EST, in the form of RFC 850", "Sunday, 06-Nov-94 08:49:37 EST"},
    {"something behind that form", "Sunday, 06-Nov-94 08:49:37 GMT+1"},
    {"no time in that form", "Sunday, 06-Nov-94  GMT"},
    {"an empty day name", ", 06 Nov 1994 08:49:37 GMT"},
    {"an empty month", "Sun, 06  1994 08:49:37 GMT"},
    {"no zone", "Sun, 06 Nov 1994 08:49:37"},
    {"a zone on asctime", "Sun Nov  6 08:49:37 1994 GMT"},
    {"small letters", "sun, 06 nov 1994 08:49:37 gmt"},
    {"a small month", "Sun, 06 nov 1994 08:49:37 GMT"},
    {"capital letters", "SUN, 06 NOV 1994 08:49:37 GMT"},
    {"a small zone", "Sun, 06 Nov 1994 08:49:37 gmt"},
    {"no day name", "06 Nov 1994 08:49:37 GMT"},
    {"an unknown day name", "Son, 06 Nov 1994 08:49:37 GMT"},
    {"a whole day name", "Sunday, 06 Nov 1994 08:49:37 GMT"},
    {"a short day name with hyphens", "Sun, 06-Nov-94 08:49:37 GMT"},
    {"an unknown month", "Sun, 06 Nev 1994 08:49:37 GMT"},
    {"a whole month", "Sun, 06 November 1994 08:49:37 GMT"},
    {"a day of one digit", "Sun, 6 Nov 1994 08:49:37 GMT"},
    {"a day with a space", "Sun,  6 Nov 1994 08:49:37 GMT"},
    {"an asctime day of one digit", "Sun Nov 6 08:49:37 1994"},
    {"no space behind the comma", "Sun,06 Nov 1994 08:49:37 GMT"},
    {"two spaces", "Sun, 06 Nov 1994  08:49:37 GMT"},
    {"a tab", "Sun, 06 Nov 1994\t08:49:37 GMT"},
    {"a year of two digits", "Sun, 06 Nov 94 08:49:37 GMT"},
    {"a year of five digits", "Sun, 06 Nov 11994 08:49:37 GMT"},
    {"four digits between hyphens", "Sunday, 06-Nov-1994 08:49:37 GMT"},
    {"an hour of one digit", "Sun, 06 Nov 1994 8:49:37 GMT"},
    {"no seconds", "Sun, 06 Nov 1994 08:49 GMT"},
    {"a fraction", "Sun, 06 Nov 1994 08:49:37.5 GMT"},
    {"hour 24", "Sun, 06 Nov 1994 24:00:00 GMT"},
    {"minute 60", "Sun, 06 Nov 1994 08:60:37 GMT"},
    {"second 61", "Sun, 06 Nov 1994 08:49:61 GMT"},
    {"a sign", "Sun, 06 Nov 1994 08:49:+7 GMT"},
    {"day 0", "Sun, 00 Nov 1994 08:49:37 GMT"},
    {"asctime's day 0", "Sun Nov  0 08:49:37 1994"},
    {"31 November", "Sun, 31 Nov 1994 08:49:37 GMT"},
    {"32 January", "Sun, 32 Jan 1994 08:49:37 GMT"},
    {"29 February of a plain year", "Wed, 29 Feb 2023 00:00:00 GMT"},
    {"29 February of 1900", "Thu, 29 Feb 1900 00:00:00 GMT"},
    {"30 February of a leap year", "Fri, 30 Feb 2024 00:00:00 GMT"},
    {"a date cut short", "Sun, 06 Nov 1994 08:4"},
    {"RFC 3339", "1994-11-06T08:49:37Z"},
};

static void test_forms(void)
{
    size_t i;

    for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        apr_int64_t date_s = 0;

        ok(condreq_date_parse(&date_s, dates[i].value, NOW_S) &&
               date_s == dates[i].date_s,
           "5.6.7 %s: %s", dates[i].sentence, dates[i].value);
    }
    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        apr_int64_t date_s = EXAMPLE_S;

        ok(!condreq_date_parse(&date_s, refused[i].value, NOW_S) &&
               date_s == EXAMPLE_S,
           "5.6.7 %s is no date: %s", refused[i].sentence,
           refused[i].value ? refused[i].value : "(none)");
    }
}

/* "more than 50 years in the future": the most recent such year instead. */
static const struct {
    const char *sentence;
    const char *now;
    const char *value;
    const char *meant;
} two_digits[] = {
    {"a past year", "Mon, 01 Jul 2024 12:00:00 GMT",
     "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"},
    {"this year", "Mon, 01 Jul 2024 12:00:00 GMT",
     "Friday, 01-Nov-24 00:00:00 GMT", "Fri, 01 Nov 2024 00:00:00 GMT"},
    {"a year ahead", "Mon, 01 Jul 2024 12:00:00 GMT",
     "Tuesday, 01-Nov-60 00:00:00 GMT", "Mon, 01 Nov 2060 00:00:00 GMT"},
    {"50 years ahead to the second", "Mon, 01 Jul 2024 12:00:00 GMT",
     "Sunday, 01-Jul-74 12:00:00 GMT", "Sun, 01 Jul 2074 12:00:00 GMT"},
    {"a second more", "Mon, 01 Jul 2024 12:00:00 GMT",
     "Sunday, 01-Jul-74 12:00:01 GMT", "Mon, 01 Jul 1974 12:00:01 GMT"},
    {"the next century's start, seen from a century's end",
     "Sat, 01 Jul 2090 12:00:00 GMT", "Wednesday, 06-Nov-10 08:49:37 GMT",
     "Thu, 06 Nov 2110 08:49:37 GMT"},
    {"this century, seen from its last year", "Thu, 01 Jul 1999 12:00:00 GMT",
     "Saturday, 06-Nov-99 08:49:37 GMT", "Sat, 06 Nov 1999 08:49:37 GMT"},
    {"the year 2000, seen from 1999", "Thu, 01 Jul 1999 12:00:00 GMT",
     "Tuesday, 29-Feb-00 00:00:00 GMT", "Tue, 29 Feb 2000 00:00:00 GMT"},
    {"50 years after a 29 February end on 1 March",
     "Thu, 29 Feb 2024 12:00:00 GMT", "Thursday, 01-Mar-74 12:00:00 GMT",
     "Thu, 01 Mar 2074 12:00:00 GMT"},
    {"29 February, over 50 years ahead", "Thu, 01 Jul 2024 12:00:00 GMT",
     "Saturday, 29-Feb-76 00:00:00 GMT", "Sun, 29 Feb 1976 00:00:00 GMT"},
};

static void test_two_digits(void)
{
    apr_int64_t date_s;
    size_t i;

    for (i = 0; i < sizeof(two_digits) / sizeof(two_digits[0]); i++) {
        apr_int64_t now_s = 0, meant_s = 0;

        date_s = 0;
        condreq_date_parse(&now_s, two_digits[i].now, 0);
        condreq_date_parse(&meant_s, two_digits[i].meant, 0);
        ok(condreq_date_parse(&date_s, two_digits[i].value, now_s) &&
               date_s == meant_s,
           "5.6.7 two digits: %s", two_digits[i].sentence);
    }
    ok(!condreq_date_parse(&date_s, "Monday, 29-Feb-00 00:00:00 GMT",
                           APR_INT64_C(3187296000)),
       "5.6.7 two digits: 29 February of 2100, seen from 2070, is no day");
    ok(condreq_date_parse(&date_s, "Sunday, 06-Nov-94 08:49:37 GMT",
                          APR_INT64_MAX) &&
           condreq_date_parse(&date_s, "Sunday, 06-Nov-94 08:49:37 GMT",
                              APR_INT64_MIN),
       "a clock beyond all calendars does no harm");
}

static const struct {
    apr_int64_t date_s;
    const char *text;
} http_dates[] = {
    {EXAMPLE_S, "Sun, 06 Nov 1994 08:49:37 GMT"},
    {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
    {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
    {APR_INT64_C(1445412480), "Wed, 21 Oct 2015 07:28:00 GMT"},
    {APR_INT64_C(951868799), "Tue, 29 Feb 2000 23:59:59 GMT"},
    {APR_INT64_C(-62167219200), "Sat, 01 Jan 0000 00:00:00 GMT"},
    {APR_INT64_C(-62167219201), "Sat, 01 Jan 0000 00:00:00 GMT"},
    {APR_INT64_C(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT"},
    {APR_INT64_C(253402300800), "Fri, 31 Dec 9999 23:59:59 GMT"},
    {APR_INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"},
    {APR_INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT"},
};

static const struct {
    apr_time_t time_us;
    const char *text;
} rfc3339_dates[] = {
    {EXAMPLE_S * APR_USEC_PER_SEC, "1994-11-06T08:49:37.000000Z"},
    {EXAMPLE_S * APR_USEC_PER_SEC + 42, "1994-11-06T08:49:37.000042Z"},
    {0, "1970-01-01T00:00:00.000000Z"},
    {-1, "1969-12-31T23:59:59.999999Z"},
    {-APR_USEC_PER_SEC, "1969-12-31T23:59:59.000000Z"},
    {APR_INT64_MAX, "9999-12-31T23:59:59.999999Z"},
    {APR_INT64_MIN, "0000-01-01T00:00:00.000000Z"},
};

static void test_writing(void)
{
    char http[CONDREQ_DATE_HTTP_SIZE];
    char rfc3339[CONDREQ_DATE_RFC3339_SIZE];
    size_t i;

    for (i = 0; i < sizeof(http_dates) / sizeof(http_dates[0]); i++) {
        condreq_date_http(http, http_dates[i].date_s);
        is_text(http, http_dates[i].text, "5.6.7 IMF-fixdate is written");
    }
    for (i = 0; i < sizeof(rfc3339_dates) / sizeof(rfc3339_dates[0]); i++) {
        condreq_date_rfc3339(rfc3339, rfc3339_dates[i].time_us);
        is_text(rfc3339, rfc3339_dates[i].text, "RFC 3339 5.6 is written");
    }
}

/* What libc writes, which knows no years of three digits. */
static void libc_date(char text[64], apr_int64_t date_s)
{
    time_t clock = (time_t)date_s;
    char day[20], time_of_day[20];
    struct tm tm;

    gmtime_r(&clock, &tm);
    strftime(day, sizeof(day), "%a, %d %b", &tm);
    strftime(time_of_day, sizeof(time_of_day), "%H:%M:%S GMT", &tm);
    snprintf(text, 64, "%s %04d %s", day, tm.tm_year + 1900, time_of_day);
}

/* Every day of 10,000 years, each at another time of day. */
static void test_every_day(void)
{
    const apr_int64_t last_s = APR_INT64_C(253402300799);
    apr_int64_t date_s, read_s;
    char text[CONDREQ_DATE_HTTP_SIZE];
    char expected[64];
    long wrong_text = 0, wrong_date = 0;

    for (date_s = APR_INT64_C(-62167219200); date_s <= last_s;
         date_s += 86399) {
        condreq_date_http(text, date_s);
        libc_date(expected, date_s);
        wrong_text += strcmp(text, expected) != 0;
        wrong_date +=
            !condreq_date_parse(&read_s, text, NOW_S) || read_s != date_s;
    }
    is_int(wrong_text, 0, "10,000 years of days are those of libc");
    is_int(wrong_date, 0, "and each is read as it was written");
}

int main(void)
{
    test_forms();
    test_two_digits();
    test_writing();
    test_every_day();
    return done_testing();
}
