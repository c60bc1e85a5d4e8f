/* Preconditions, read from the fields of a request.
 * Knows which field has which form, and the white space around it; not what
 * any of them decides.
 * Rules: RFC 9110 sections 13.1.1 to 13.1.5 and 5.6.3. */
#include <string.h>

#include "condreq_date.h"
#include "condreq_eval.h"

/* The longest HTTP-date there is, with room for its NUL. */
#define DATE_SIZE sizeof("Wednesday, 09-Nov-94 08:49:37 GMT")

static int is_ows(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* Moves the start behind leading white space; returns the end before the
 * trailing. */
static const char *trim(const char **start)
{
    const char *end = *start + strlen(*start);

    while (is_ows(**start))
        (*start)++;
    while (end > *start && is_ows(end[-1]))
        end--;
    return end;
}

static int read_date(apr_int64_t *date_s, const char *start, const char *end,
                     apr_int64_t now_s)
{
    char text[DATE_SIZE];
    size_t length = (size_t)(end - start);

    if (length >= sizeof(text))
        return 0;
    memcpy(text, start, length);
    text[length] = '\0';
    return condreq_date_parse(date_s, text, now_s);
}

static void date_field_parse(condreq_date_field_t *field, const char *value,
                             apr_int64_t now_s)
{
    const char *end;

    memset(field, 0, sizeof(*field));
    if (!value)
        return;
    end = trim(&value);
    field->given = read_date(&field->date_s, value, end, now_s);
}

/* No date begins so, 13.1.5. */
static int looks_like_etag(const char *start)
{
    return start[0] == '"' || (start[0] == 'W' && start[1] == '/');
}

static void if_range_parse(condreq_if_range_t *field, const char *value,
                           apr_int64_t now_s)
{
    const char *end;
    condreq_etag_t etag;

    memset(field, 0, sizeof(*field));
    if (!value)
        return;
    field->given = 1;
    end = trim(&value);
    if (!looks_like_etag(value)) {
        field->is_date = read_date(&field->date_s, value, end, now_s);
        field->malformed = !field->is_date;
    }
    else if (condreq_etag_read(&etag, &value, end) && value == end)
        field->etag = etag;
    else
        field->malformed = 1;
}

void condreq_preconditions_parse(condreq_preconditions_t *pre,
                                 const condreq_precondition_fields_t *fields,
                                 apr_int64_t now_s, apr_pool_t *pool)
{
    condreq_etag_list_parse(&pre->if_match, fields->if_match, pool);
    condreq_etag_list_parse(&pre->if_none_match, fields->if_none_match, pool);
    date_field_parse(&pre->if_modified_since, fields->if_modified_since, now_s);
    date_field_parse(&pre->if_unmodified_since, fields->if_unmodified_since,
                     now_s);
    if_range_parse(&pre->if_range, fields->if_range, now_s);
    pre->range = fields->range != NULL;
}

int condreq_preconditions_malformed(const condreq_preconditions_t *pre)
{
    return pre->if_match.malformed || pre->if_none_match.malformed;
}
