/* The query of a collection's URL: what a client wants listed, and how a link
 * says it again.
 * Knows the parameters and their limits; no store. */
#include "mod_condreq.h"

#include "apr_base64.h"
#include "apr_lib.h"
#include "apr_strings.h"
#include "condreq_accept.h"

#define LIMIT_MOST 1000
#define LIMIT_USUAL 100
#define KNOWN "limit, cursor, prefix, since and documents"

/* ---- values ---- */

/* application/x-www-form-urlencoded, as forms and most libraries write it.
 * @return NULL where it holds a NUL or a broken escape */
static const char *decode(const char *value, apr_pool_t *pool)
{
    char *text = apr_pstrdup(pool, value), *at;

    for (at = text; *at; at++) {
        if (*at == '+')
            *at = ' ';
    }
    return ap_unescape_urlencoded(text) == OK ? text : NULL;
}

/* Digits and nothing else, up to 64 bits. */
static int read_number(apr_uint64_t *number, const char **text)
{
    const char *at = *text;

    *number = 0;
    if (!apr_isdigit(*at))
        return 0;
    for (; apr_isdigit(*at); at++) {
        apr_uint64_t digit = (apr_uint64_t)(*at - '0');

        if (*number > (APR_UINT64_MAX - digit) / 10)
            return 0;
        *number = *number * 10 + digit;
    }
    *text = at;
    return 1;
}

static const char *set_limit(condreq_listing_query_t *query,
                             condreq_exchange_t *exchange, const char *value)
{
    apr_uint64_t number;

    (void)exchange;
    if (!read_number(&number, &value) || *value || number < 1 ||
        number > LIMIT_MOST)
        return "limit is a number from 1 to 1000.";
    query->limit = (apr_size_t)number;
    query->limit_given = 1;
    return NULL;
}

/* Base64url without padding, RFC 4648 section 5: a place behind a name. */
static const char *set_cursor(condreq_listing_query_t *query,
                              condreq_exchange_t *exchange, const char *value)
{
    apr_pool_t *pool = exchange->r->pool;
    apr_size_t length = strlen(value), i;
    char *padded =
        apr_psprintf(pool, "%s%s", value, &"==="[3 - (4 - length % 4) % 4]);
    unsigned char *bytes;
    int decoded;

    for (i = 0; i < length; i++) {
        if (!apr_isalnum(padded[i]) && padded[i] != '-' && padded[i] != '_')
            return "cursor is what a link of an earlier answer said.";
        if (padded[i] == '-')
            padded[i] = '+';
        else if (padded[i] == '_')
            padded[i] = '/';
    }
    if (length == 0 || length % 4 == 1 || length > 2 * CONDREQ_KEY_MAX)
        return "cursor is what a link of an earlier answer said.";
    bytes = apr_pcalloc(pool, length + 4);
    decoded = apr_base64_decode_binary(bytes, padded);
    if (decoded < 1 || decoded > CONDREQ_PATH_MAX + 3)
        return "cursor is what a link of an earlier answer said.";
    query->from.bytes = (const char *)bytes;
    query->from.length = (apr_size_t)decoded;
    return NULL;
}

static const char *set_prefix(condreq_listing_query_t *query,
                              condreq_exchange_t *exchange, const char *value)
{
    if (strlen(value) > CONDREQ_PATH_MAX)
        return "prefix has at most 1024 bytes.";
    query->prefix_as_sent = value;
    query->prefix = condreq_path_escape_percent(value, exchange->r->pool);
    return NULL;
}

/* A number, and the incarnation of the store where that is not 0. */
static const char *set_since(condreq_listing_query_t *query,
                             condreq_exchange_t *exchange, const char *value)
{
    apr_uint64_t incarnation = 0;

    if (!read_number(&query->since, &value))
        return "since is the number that an earlier answer called change.";
    if (*value == '.') {
        value++;
        if (!read_number(&incarnation, &value))
            return "since is the number that an earlier answer called change.";
    }
    if (*value)
        return "since is the number that an earlier answer called change.";
    query->follows = 1;
    query->forgotten =
        query->since && incarnation != exchange->resource.store->incarnation;
    return NULL;
}

static const char *set_documents(condreq_listing_query_t *query,
                                 condreq_exchange_t *exchange,
                                 const char *value)
{
    (void)exchange;
    if (strcmp(value, "true") && strcmp(value, "false"))
        return "documents is true or false.";
    query->documents = !strcmp(value, "true");
    return NULL;
}

/* ---- the query ---- */

static const struct parameter_t {
    const char *name;
    /** @return NULL, or a sentence */
    const char *(*set)(condreq_listing_query_t *query,
                       condreq_exchange_t *exchange, const char *value);
} parameters[] = {
    {"limit", set_limit}, {"cursor", set_cursor},       {"prefix", set_prefix},
    {"since", set_since}, {"documents", set_documents},
};
#define PARAMETERS (sizeof parameters / sizeof *parameters)

/* Each at most once: of two that differ nobody knows which is meant. */
static const char *read_parameter(condreq_listing_query_t *query,
                                  condreq_exchange_t *exchange, char *pair,
                                  unsigned *seen)
{
    apr_pool_t *pool = exchange->r->pool;
    char *equals = strchr(pair, '=');
    const char *name, *value = "";
    apr_size_t i;

    if (equals) {
        *equals = '\0';
        value = decode(equals + 1, pool);
    }
    name = decode(pair, pool);
    if (!name || !value)
        return "The query is not encoded as a form.";
    for (i = 0; i < PARAMETERS; i++) {
        if (strcmp(parameters[i].name, name))
            continue;
        if (*seen & 1u << i)
            return apr_psprintf(pool, "%s is there twice.", name);
        *seen |= 1u << i;
        return parameters[i].set(query, exchange, value);
    }
    return "The parameters of a collection are " KNOWN ".";
}

static const char *read_parameters(condreq_listing_query_t *query,
                                   condreq_exchange_t *exchange)
{
    char *rest =
        apr_pstrdup(exchange->r->pool, condreq_request(exchange->r)->query);
    const char *fault = NULL;
    unsigned seen = 0;
    char *pair, *last;

    for (pair = apr_strtok(rest, "&", &last); pair && !fault;
         pair = apr_strtok(NULL, "&", &last))
        fault = read_parameter(query, exchange, pair, &seen);
    if (!fault && query->follows && query->from.length)
        fault = "cursor and since are two ways to go on: send one of them.";
    return fault;
}

int condreq_listing_query_read(condreq_listing_query_t *query,
                               condreq_exchange_t *exchange)
{
    request_rec *r = exchange->r;
    const char *fault = NULL;

    memset(query, 0, sizeof *query);
    query->from.bytes = "";
    query->prefix = "";
    query->lines =
        condreq_accept_is_ndjson(apr_table_get(r->headers_in, "Accept"));
    if (condreq_request(r)->query)
        fault = read_parameters(query, exchange);
    if (fault)
        return condreq_refuse(r, HTTP_BAD_REQUEST, NULL, fault, NULL);
    if (!query->limit && !query->lines)
        query->limit = LIMIT_USUAL;
    return OK;
}

/* ---- saying it again ---- */

const char *condreq_listing_cursor(const char *name, apr_pool_t *pool)
{
    condreq_place_t place = condreq_place_behind(name, pool);
    char *text =
        apr_palloc(pool, (apr_size_t)apr_base64_encode_len((int)place.length));
    char *at;

    apr_base64_encode_binary(text, (const unsigned char *)place.bytes,
                             (int)place.length);
    for (at = text; *at && *at != '='; at++) {
        if (*at == '+')
            *at = '-';
        else if (*at == '/')
            *at = '_';
    }
    *at = '\0';
    return text;
}

const char *condreq_listing_number(const condreq_store_t *store,
                                   apr_uint64_t number, apr_pool_t *pool)
{
    if (store->incarnation)
        return apr_psprintf(pool, "%" APR_UINT64_T_FMT ".%" APR_UINT64_T_FMT,
                            number, store->incarnation);
    return apr_psprintf(pool, "%" APR_UINT64_T_FMT, number);
}

const char *condreq_listing_uri(const condreq_listing_query_t *query,
                                const condreq_exchange_t *exchange,
                                const char *where, const char *value,
                                apr_pool_t *pool)
{
    const char *uri =
        apr_pstrcat(pool, condreq_path_uri(exchange->resource.path, pool), "?",
                    where, "=", value, NULL);

    if (query->limit_given)
        uri =
            apr_psprintf(pool, "%s&limit=%" APR_SIZE_T_FMT, uri, query->limit);
    if (*query->prefix)
        uri = apr_pstrcat(pool, uri, "&prefix=",
                          ap_escape_urlencoded(pool, query->prefix_as_sent),
                          NULL);
    if (query->documents)
        uri = apr_pstrcat(pool, uri, "&documents=true", NULL);
    return uri;
}
