/* Entity-tags: parsed, listed, compared.
 * Knows the syntax of RFC 9110 section 8.8.3 and the two comparisons of
 * 8.8.3.2; knows no record, store or request. */
#ifndef CONDREQ_ETAG_H
#define CONDREQ_ETAG_H

#include "apr_pools.h"

/** One entity-tag. The bytes belong to whoever gave the text. */
typedef struct condreq_etag_t {
    /** the opaque-tag with its quotes; not NUL-terminated */
    const char *opaque_tag;
    apr_size_t length;
    /** it came, or is to be sent, with the prefix W/ */
    int weak;
} condreq_etag_t;

/** What If-Match or If-None-Match holds: "*" / #entity-tag. */
typedef struct condreq_etag_list_t {
    /** the field was sent, be it empty */
    int given;
    /** the field is "*" and nothing else */
    int any;
    /** the field follows neither form: it names no tag at all */
    int malformed;
    const condreq_etag_t *tags;
    apr_size_t count;
} condreq_etag_list_t;

/**
 * Reads one entity-tag from the start of a text, RFC 9110 section 8.8.3:
 * an optional W/ (that case only), a quote, etagc and obs-text, a quote.
 * @param etag    is set to point into the text
 * @param cursor  in: where to read; out: right behind the tag
 * @param end     right behind the text
 * @return 1, or 0 with both unchanged where no entity-tag begins here
 */
int condreq_etag_read(condreq_etag_t *etag, const char **cursor,
                      const char *end);

/**
 * Reads a text that is one entity-tag and nothing else.
 * @return 1, or 0 where it is anything else
 */
int condreq_etag_parse(condreq_etag_t *etag, const char *text);

/**
 * Reads the value of If-Match or If-None-Match, repeated fields joined with
 * commas. Empty list elements are passed over (RFC 9110 section 5.6.1.2);
 * commas inside quotes belong to the tag.
 * @param list   is set whole; its tags point into the value
 * @param value  the field's value, NULL where it was not sent
 * @param pool   for the array of tags, at most half the value's length long
 */
void condreq_etag_list_parse(condreq_etag_list_t *list, const char *value,
                             apr_pool_t *pool);

/** Strong comparison: equal, and neither is weak. What has no opaque_tag (it
 * is NULL) equals nothing. */
int condreq_etag_strong_match(const condreq_etag_t *a, const condreq_etag_t *b);

/** Weak comparison: equal opaque-tags, weak or not. What has none equals
 * nothing. */
int condreq_etag_weak_match(const condreq_etag_t *a, const condreq_etag_t *b);

/**
 * Strong comparison of a tag with what condreq_etag_with_suffix() makes of a
 * plain one, without making it.
 */
int condreq_etag_strong_match_with_suffix(const condreq_etag_t *etag,
                                          const condreq_etag_t *plain,
                                          const char *suffix);

/** The tag as a field value, NUL-terminated, from the pool. */
const char *condreq_etag_text(const condreq_etag_t *etag, apr_pool_t *pool);

/**
 * The tag as a content coding's filter rewrites it: mod_deflate and mod_brotli
 * put a suffix ("-gzip", "-br") before the closing quote.
 */
condreq_etag_t condreq_etag_with_suffix(const condreq_etag_t *etag,
                                        const char *suffix, apr_pool_t *pool);

#endif
