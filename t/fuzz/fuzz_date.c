/* Dates, of whatever bytes: a text is a date exactly where libc, asked to
 * write what stands at its places, writes that text; and what is written here
 * is what libc writes, and is read again in all three forms. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "condreq_date.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#define MUST(claim)                                                            \
    do {                                                                       \
        if (!(claim))                                                          \
            abort();                                                           \
    } while (0)

#define FIRST_S APR_INT64_C(-62167219200)
#define LAST_S APR_INT64_C(253402300799)
#define YEAR_S (APR_INT64_C(86400) * 365)
#define TEXT_SIZE 64

typedef enum form_t {
    IMF_FIXDATE,
    RFC850_DATE,
    ASCTIME_DATE,
    /* asctime's with a nought for the space before the day */
    ASCTIME_NOUGHT_DATE,
    FORMS
} form_t;

/* Where each form has its parts; in rfc850-date behind the day's name. */
static const struct {
    size_t length;
    size_t day, month, year, hour;
} layout[] = {{29, 5, 8, 12, 17},
              {24, 2, 5, 9, 12},
              {24, 8, 4, 20, 11},
              {24, 8, 4, 20, 11}};

/* strftime() writes no noughts before a short year: it gets its digits. */
static void libc_text(char text[TEXT_SIZE], form_t form, const struct tm *tm)
{
    static const char *const formats[] = {
        "%%a, %%d %%b %04d %%H:%%M:%%S GMT",
        "%%A, %%d-%%b-%02d %%H:%%M:%%S GMT",
        "%%a %%b %%e %%H:%%M:%%S %04d",
        "%%a %%b %%d %%H:%%M:%%S %04d",
    };
    char format[TEXT_SIZE];
    int year = tm->tm_year + 1900;

    snprintf(format, sizeof(format), formats[form],
             form == RFC850_DATE ? year % 100 : year);
    strftime(text, TEXT_SIZE, format, tm);
}

/* Bytes that are no digits give a number too: libc will not write them. */
static int number_at(const char *text, size_t at, int digits)
{
    int number = 0;

    while (digits-- > 0)
        number = number * 10 + (text[at++] - '0');
    return number;
}

static int month_at(const char *text, size_t at)
{
    struct tm tm = {.tm_mday = 1};
    char name[8];

    for (tm.tm_mon = 0; tm.tm_mon < 12; tm.tm_mon++) {
        strftime(name, sizeof(name), "%b", &tm);
        if (!strncmp(text + at, name, 3))
            break;
    }
    return tm.tm_mon;
}

/* The years downwards from 50 years ahead, until one has the two digits. */
static void set_full_year(struct tm *tm, int two_digits, int leap_second,
                          time_t now)
{
    struct tm ahead, sought;
    time_t limit;
    int years;

    gmtime_r(&now, &ahead);
    ahead.tm_year += 50;
    tm->tm_year = ahead.tm_year;
    sought = ahead;
    limit = timegm(&sought);
    for (years = 0; years < 200; years++, tm->tm_year--) {
        sought = *tm;
        if ((tm->tm_year + 1900) % 100 == two_digits &&
            timegm(&sought) + leap_second <= limit)
            return;
    }
}

static int is_written_so(const char *value, form_t form, struct tm tm)
{
    char text[TEXT_SIZE];

    for (tm.tm_wday = 0; tm.tm_wday < 7; tm.tm_wday++) {
        libc_text(text, form, &tm);
        if (!strcmp(text, value))
            return 1;
    }
    return 0;
}

/* The second parser, for one form. */
static int plain_parse(time_t *date, const char *value, form_t form, time_t now)
{
    const char *text = form == RFC850_DATE ? strchr(value, ',') : value;
    struct tm tm = {.tm_isdst = 0};
    int leap_second;

    if (!text || strlen(text) != layout[form].length)
        return 0;
    tm.tm_mday = number_at(text, layout[form].day, 2);
    if (form == ASCTIME_DATE && text[layout[form].day] == ' ')
        tm.tm_mday = number_at(text, layout[form].day + 1, 1);
    tm.tm_mon = month_at(text, layout[form].month);
    tm.tm_hour = number_at(text, layout[form].hour, 2);
    tm.tm_min = number_at(text, layout[form].hour + 3, 2);
    tm.tm_sec = number_at(text, layout[form].hour + 6, 2);
    leap_second = tm.tm_sec == 60;
    tm.tm_sec -= leap_second;
    if (form == RFC850_DATE)
        set_full_year(&tm, number_at(text, layout[form].year, 2), leap_second,
                      now);
    else
        tm.tm_year = number_at(text, layout[form].year, 4) - 1900;

    *date = timegm(&tm);
    gmtime_r(date, &tm);
    tm.tm_sec += leap_second;
    *date += leap_second;
    return is_written_so(value, form, tm);
}

static void check_reading(const char *value, time_t now)
{
    apr_int64_t date_s = 0;
    int is_date = condreq_date_parse(&date_s, value, now);
    int is_plain_date = 0;
    time_t date = 0;
    int form;

    for (form = 0; form < FORMS && !is_plain_date; form++)
        is_plain_date = plain_parse(&date, value, (form_t)form, now);
    MUST(is_date == is_plain_date);
    MUST(!is_date || date_s == date);
}

static void check_read_again(const struct tm *tm, apr_int64_t date_s,
                             apr_int64_t now_s)
{
    char text[TEXT_SIZE];
    apr_int64_t again_s;
    int form;

    for (form = 0; form < FORMS; form++) {
        libc_text(text, (form_t)form, tm);
        MUST(condreq_date_parse(&again_s, text, now_s));
        MUST(again_s == date_s);
    }
}

static void check_writing(apr_int64_t date_s, int fraction_us)
{
    char http[CONDREQ_DATE_HTTP_SIZE];
    char rfc3339[CONDREQ_DATE_RFC3339_SIZE];
    char text[TEXT_SIZE], format[TEXT_SIZE];
    time_t date = (time_t)date_s;
    struct tm tm;

    gmtime_r(&date, &tm);
    libc_text(text, IMF_FIXDATE, &tm);
    condreq_date_http(http, date_s);
    MUST(!strcmp(http, text));

    snprintf(format, sizeof(format), "%04d-%%m-%%dT%%H:%%M:%%S.%06dZ",
             tm.tm_year + 1900, fraction_us);
    strftime(text, sizeof(text), format, &tm);
    condreq_date_rfc3339(rfc3339, apr_time_from_sec(date_s) + fraction_us);
    MUST(!strcmp(rfc3339, text));

    check_read_again(&tm, date_s, date_s);
    check_read_again(&tm, date_s, date_s - 49 * YEAR_S);
    check_read_again(&tm, date_s, date_s + 49 * YEAR_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    uint64_t number = 0;
    char *value = malloc(size + 1);

    memcpy(value, input, size);
    value[size] = '\0';
    /* 2024-02-29 12:00:00, 1999-12-31 23:59:59, 2090-07-01 00:00:00 */
    check_reading(value, 1709208000);
    check_reading(value, 946684799);
    check_reading(value, 3802464000);
    free(value);

    memcpy(&number, input, size < sizeof(number) ? size : sizeof(number));
    check_writing(FIRST_S + (apr_int64_t)(number % (LAST_S - FIRST_S + 1)),
                  (int)(number >> 40) % 1000000);
    return 0;
}
