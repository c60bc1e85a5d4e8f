/* HTTP-date and the date-time of RFC 3339: read and written.
 * Knows the Gregorian calendar; no clock, no locale, no zone, and so none of
 * libc's calendar, whose lock all threads of a process share.
 * Rules: RFC 9110 section 5.6.7, RFC 3339 section 5.6. */
#include <string.h>

#include "condreq_date.h"

#define DAY_S 86400
/* 1 January of the year 0, and the last second of 9999 */
#define FIRST_S APR_INT64_C(-62167219200)
#define LAST_S APR_INT64_C(253402300799)
/* 1 January 1970, counted from 1 March of the year 0 */
#define EPOCH_DAY 719468
/* after as many days the calendar repeats itself: 400 years */
#define CYCLE_DAYS 146097

typedef struct date_time_t {
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
} date_time_t;

static const char *const day_name[] = {"Sun", "Mon", "Tue", "Wed",
                                       "Thu", "Fri", "Sat"};
static const char *const day_name_l[] = {"Sunday",    "Monday",   "Tuesday",
                                         "Wednesday", "Thursday", "Friday",
                                         "Saturday"};
static const char *const month_name[] = {"Jan", "Feb", "Mar", "Apr",
                                         "May", "Jun", "Jul", "Aug",
                                         "Sep", "Oct", "Nov", "Dec"};

/* The calendar. Inside it a year begins in March, so that the leap day is the
 * last of its year; days are counted from 1 March of the year 0. */

static apr_int64_t floor_divide(apr_int64_t number, apr_int64_t divisor)
{
    return number / divisor - (number % divisor < 0);
}

static apr_int64_t days_before_year(apr_int64_t year)
{
    return year * 365 + floor_divide(year, 4) - floor_divide(year, 100) +
           floor_divide(year, 400);
}

/* From March on, months have 31, 30, 31, 30, 31 days, again and again. */
static int days_before_month(int month)
{
    return (month * 153 + 2) / 5;
}

/* A day that the month does not have is one of the next month. */
static apr_int64_t seconds_from_date_time(const date_time_t *date)
{
    int year = date->month < 3 ? date->year - 1 : date->year;
    int month = date->month < 3 ? date->month + 9 : date->month - 3;
    apr_int64_t days = days_before_year(year) + days_before_month(month) +
                       date->day - 1 - EPOCH_DAY;

    return days * DAY_S + date->hour * 3600 + date->minute * 60 + date->second;
}

static date_time_t date_time_from_seconds(apr_int64_t date_s)
{
    apr_int64_t days = floor_divide(date_s, DAY_S);
    int rest_s = (int)(date_s - days * DAY_S);
    apr_int64_t year;
    int month, day;
    date_time_t date;

    days += EPOCH_DAY;
    /* Leap days lag up to a day and a half behind the mean: with two days more
     * the mean year's length gives the year, or the next one. */
    year = floor_divide((days + 2) * 400, CYCLE_DAYS);
    if (days < days_before_year(year))
        year--;
    day = (int)(days - days_before_year(year));
    month = (day * 5 + 2) / 153;

    date.year = (int)year + (month >= 10);
    date.month = month >= 10 ? month - 9 : month + 3;
    date.day = day - days_before_month(month) + 1;
    date.hour = rest_s / 3600;
    date.minute = rest_s / 60 % 60;
    date.second = rest_s % 60;
    return date;
}

static apr_int64_t clamp(apr_int64_t number, apr_int64_t least,
                         apr_int64_t most)
{
    return number < least ? least : number > most ? most : number;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && is_leap);
}

static int is_in_calendar(const date_time_t *date)
{
    return date->day >= 1 &&
           date->day <= days_in_month(date->year, date->month) &&
           date->hour <= 23 && date->minute <= 59 && date->second <= 60;
}

/* Reading. Each takes its piece of the text, or says that it is not there. */

static int read_text(const char **cursor, const char *text)
{
    size_t length = strlen(text);

    if (strncmp(*cursor, text, length))
        return 0;
    *cursor += length;
    return 1;
}

static int read_digits(const char **cursor, int digits, int *number)
{
    *number = 0;
    for (; digits > 0; digits--, (*cursor)++) {
        if (**cursor < '0' || **cursor > '9')
            return 0;
        *number = *number * 10 + (**cursor - '0');
    }
    return 1;
}

static int read_day_name(const char **cursor, const char *const *names)
{
    int i;

    for (i = 0; i < 7; i++) {
        if (read_text(cursor, names[i]))
            return 1;
    }
    return 0;
}

static int read_month(const char **cursor, int *month)
{
    for (*month = 1; *month <= 12; (*month)++) {
        if (read_text(cursor, month_name[*month - 1]))
            return 1;
    }
    return 0;
}

/* date3 = month SP ( 2DIGIT / ( SP 1DIGIT )) */
static int read_day_of_date3(const char **cursor, int *day)
{
    return read_text(cursor, " ") ? read_digits(cursor, 1, day)
                                  : read_digits(cursor, 2, day);
}

static int read_time_of_day(const char **cursor, date_time_t *date)
{
    return read_digits(cursor, 2, &date->hour) && read_text(cursor, ":") &&
           read_digits(cursor, 2, &date->minute) && read_text(cursor, ":") &&
           read_digits(cursor, 2, &date->second);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static int read_imf_fixdate(const char *text, date_time_t *date)
{
    return read_day_name(&text, day_name) && read_text(&text, ", ") &&
           read_digits(&text, 2, &date->day) && read_text(&text, " ") &&
           read_month(&text, &date->month) && read_text(&text, " ") &&
           read_digits(&text, 4, &date->year) && read_text(&text, " ") &&
           read_time_of_day(&text, date) && read_text(&text, " GMT") && !*text;
}

/* Sun Nov  6 08:49:37 1994 */
static int read_asctime_date(const char *text, date_time_t *date)
{
    return read_day_name(&text, day_name) && read_text(&text, " ") &&
           read_month(&text, &date->month) && read_text(&text, " ") &&
           read_day_of_date3(&text, &date->day) && read_text(&text, " ") &&
           read_time_of_day(&text, date) && read_text(&text, " ") &&
           read_digits(&text, 4, &date->year) && !*text;
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static int read_rfc850_date(const char *text, date_time_t *date)
{
    return read_day_name(&text, day_name_l) && read_text(&text, ", ") &&
           read_digits(&text, 2, &date->day) && read_text(&text, "-") &&
           read_month(&text, &date->month) && read_text(&text, "-") &&
           read_digits(&text, 2, &date->year) && read_text(&text, " ") &&
           read_time_of_day(&text, date) && read_text(&text, " GMT") && !*text;
}

/* The latest year with these two digits that is not over 50 years ahead: the
 * section's "most recent year in the past" where the coming one is too far. */
static void complete_year(date_time_t *date, apr_int64_t now_s)
{
    date_time_t horizon = date_time_from_seconds(clamp(now_s, FIRST_S, LAST_S));
    apr_int64_t horizon_s;

    horizon.year += 50;
    horizon_s = seconds_from_date_time(&horizon);
    date->year += horizon.year - horizon.year % 100;
    while (seconds_from_date_time(date) > horizon_s)
        date->year -= 100;
}

int condreq_date_parse(apr_int64_t *date_s, const char *value,
                       apr_int64_t now_s)
{
    date_time_t date;

    if (!value)
        return 0;
    if (!read_imf_fixdate(value, &date) && !read_asctime_date(value, &date)) {
        if (!read_rfc850_date(value, &date))
            return 0;
        complete_year(&date, now_s);
    }
    if (!is_in_calendar(&date))
        return 0;
    *date_s = seconds_from_date_time(&date);
    return 1;
}

/* Writing. Each returns where the next piece goes. */

static char *write_text(char *to, const char *text)
{
    size_t length = strlen(text);

    memcpy(to, text, length);
    return to + length;
}

static char *write_digits(char *to, int digits, int number)
{
    char *behind = to + digits;

    while (digits-- > 0) {
        to[digits] = (char)('0' + number % 10);
        number /= 10;
    }
    return behind;
}

static char *write_time_of_day(char *to, const date_time_t *date)
{
    to = write_text(write_digits(to, 2, date->hour), ":");
    to = write_text(write_digits(to, 2, date->minute), ":");
    return write_digits(to, 2, date->second);
}

void condreq_date_http(char text[CONDREQ_DATE_HTTP_SIZE], apr_int64_t date_s)
{
    char *to = text;
    date_time_t date;
    apr_int64_t days;

    date_s = clamp(date_s, FIRST_S, LAST_S);
    date = date_time_from_seconds(date_s);
    /* from 1 January of the year 0, a Saturday, to stay above zero */
    days = (date_s - FIRST_S) / DAY_S;

    to = write_text(write_text(to, day_name[(days + 6) % 7]), ", ");
    to = write_text(write_digits(to, 2, date.day), " ");
    to = write_text(write_text(to, month_name[date.month - 1]), " ");
    to = write_text(write_digits(to, 4, date.year), " ");
    to = write_text(write_time_of_day(to, &date), " GMT");
    *to = '\0';
}

void condreq_date_rfc3339(char text[CONDREQ_DATE_RFC3339_SIZE],
                          apr_time_t time_us)
{
    char *to = text;
    apr_int64_t date_s;
    date_time_t date;

    time_us = clamp(time_us, apr_time_from_sec(FIRST_S),
                    apr_time_from_sec(LAST_S + 1) - 1);
    date_s = floor_divide(time_us, APR_USEC_PER_SEC);
    date = date_time_from_seconds(date_s);

    to = write_text(write_digits(to, 4, date.year), "-");
    to = write_text(write_digits(to, 2, date.month), "-");
    to = write_text(write_digits(to, 2, date.day), "T");
    to = write_text(write_time_of_day(to, &date), ".");
    to = write_digits(to, 6, (int)(time_us - apr_time_from_sec(date_s)));
    to = write_text(to, "Z");
    *to = '\0';
}
