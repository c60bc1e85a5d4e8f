/* Entity-tags: parsed, listed, compared.
 * Knows the bytes of a field's value; no record, store or request.
 * Rules: RFC 9110 sections 8.8.3 (syntax), 8.8.3.2 (comparison) and 5.6.1
 * (lists). */
#include <string.h>

#include "condreq_etag.h"

static int is_etagc(char byte)
{
    unsigned char c = (unsigned char)byte;

    return c == 0x21 || (c >= 0x23 && c <= 0x7e) || c >= 0x80;
}

static const char *skip_ows(const char *cursor, const char *end)
{
    while (cursor < end && (*cursor == ' ' || *cursor == '\t'))
        cursor++;
    return cursor;
}

int condreq_etag_read(condreq_etag_t *etag, const char **cursor,
                      const char *end)
{
    const char *opening = *cursor;
    const char *closing;
    int weak = end - opening > 2 && opening[0] == 'W' && opening[1] == '/';

    if (weak)
        opening += 2;
    if (opening == end || *opening != '"')
        return 0;
    for (closing = opening + 1; closing < end && is_etagc(*closing); closing++)
        continue;
    if (closing == end || *closing != '"')
        return 0;

    etag->opaque_tag = opening;
    etag->length = (apr_size_t)(closing + 1 - opening);
    etag->weak = weak;
    *cursor = closing + 1;
    return 1;
}

int condreq_etag_parse(condreq_etag_t *etag, const char *text)
{
    const char *end = text + strlen(text);
    condreq_etag_t first;

    if (!condreq_etag_read(&first, &text, end) || text != end)
        return 0;
    *etag = first;
    return 1;
}

static int is_any(const char *value, const char *end)
{
    value = skip_ows(value, end);
    return value < end && *value == '*' && skip_ows(value + 1, end) == end;
}

/* A quote is never inside a tag, so two of them make one. */
static apr_size_t most_tags(const char *value)
{
    apr_size_t quotes = 0;

    while ((value = strchr(value, '"')) != NULL) {
        quotes++;
        value++;
    }
    return quotes / 2;
}

/* [ entity-tag ] *( OWS "," OWS [ entity-tag ] ), section 5.6.1.2. */
static int read_elements(condreq_etag_t *tags, apr_size_t *count,
                         const char *cursor, const char *end)
{
    condreq_etag_t tag;

    for (;;) {
        cursor = skip_ows(cursor, end);
        if (condreq_etag_read(&tag, &cursor, end))
            tags[(*count)++] = tag;
        cursor = skip_ows(cursor, end);
        if (cursor == end)
            return 1;
        if (*cursor++ != ',')
            return 0;
    }
}

void condreq_etag_list_parse(condreq_etag_list_t *list, const char *value,
                             apr_pool_t *pool)
{
    const char *end;
    condreq_etag_t *tags;
    apr_size_t count = 0;

    memset(list, 0, sizeof(*list));
    if (!value)
        return;
    list->given = 1;
    end = value + strlen(value);
    if (is_any(value, end)) {
        list->any = 1;
        return;
    }
    tags = apr_palloc(pool, most_tags(value) * sizeof(*tags));
    if (!read_elements(tags, &count, value, end)) {
        list->malformed = 1;
        return;
    }
    list->tags = tags;
    list->count = count;
}

int condreq_etag_weak_match(const condreq_etag_t *a, const condreq_etag_t *b)
{
    return a->opaque_tag && b->opaque_tag && a->length == b->length &&
           !memcmp(a->opaque_tag, b->opaque_tag, a->length);
}

int condreq_etag_strong_match(const condreq_etag_t *a, const condreq_etag_t *b)
{
    return !a->weak && !b->weak && condreq_etag_weak_match(a, b);
}

int condreq_etag_strong_match_with_suffix(const condreq_etag_t *etag,
                                          const condreq_etag_t *plain,
                                          const char *suffix)
{
    apr_size_t suffix_length = strlen(suffix);
    apr_size_t stem_length;

    if (etag->weak || plain->weak || !plain->opaque_tag ||
        etag->length != plain->length + suffix_length)
        return 0;
    stem_length = plain->length - 1;
    return !memcmp(etag->opaque_tag, plain->opaque_tag, stem_length) &&
           !memcmp(etag->opaque_tag + stem_length, suffix, suffix_length);
}

const char *condreq_etag_text(const condreq_etag_t *etag, apr_pool_t *pool)
{
    apr_size_t prefix_length = etag->weak ? 2 : 0;
    char *text = apr_palloc(pool, prefix_length + etag->length + 1);

    memcpy(text, "W/", prefix_length);
    memcpy(text + prefix_length, etag->opaque_tag, etag->length);
    text[prefix_length + etag->length] = '\0';
    return text;
}

condreq_etag_t condreq_etag_with_suffix(const condreq_etag_t *etag,
                                        const char *suffix, apr_pool_t *pool)
{
    apr_size_t stem_length = etag->length - 1;
    apr_size_t suffix_length = strlen(suffix);
    char *opaque_tag = apr_palloc(pool, etag->length + suffix_length);
    condreq_etag_t suffixed = {opaque_tag, etag->length + suffix_length,
                               etag->weak};

    memcpy(opaque_tag, etag->opaque_tag, stem_length);
    memcpy(opaque_tag + stem_length, suffix, suffix_length);
    opaque_tag[stem_length + suffix_length] = '"';
    return suffixed;
}
