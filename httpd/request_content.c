/* What a client sends to be stored: announced, read, checked.
 * Knows the fields of RFC 9110 section 8 and httpd's input filters; nothing of
 * stores or preconditions. */
#include "mod_condreq.h"

#include <poll.h>

#include "apr_portable.h"
#include "apr_strings.h"
#include "condreq_media_type.h"

#define DOCUMENT "A document"

/* ---- what is announced ---- */

/* 415, with what would have been accepted in the field that says so. */
static int refuse_type(request_rec *r, const char *detail)
{
    const condreq_dir_conf_t *conf =
        ap_get_module_config(r->per_dir_config, &condreq_module);
    const char *accept = CONDREQ_JSON_TYPE;

    if (conf->types && conf->types->nelts)
        accept =
            apr_pstrcat(r->pool, accept, ", ",
                        apr_array_pstrcat(r->pool, conf->types, ','), NULL);
    apr_table_setn(r->err_headers_out, "Accept", accept);
    return condreq_refuse(r, HTTP_UNSUPPORTED_MEDIA_TYPE, NULL, detail, NULL);
}

static int range_includes(const char *range, const char *type)
{
    apr_size_t length = strlen(range);

    if (!strcmp(range, "*/*"))
        return 1;
    if (length > 2 && !strcmp(range + length - 2, "/*"))
        return !strncmp(range, type, length - 1);
    return !strcmp(range, type);
}

static int type_is_listed(const condreq_dir_conf_t *conf, const char *type)
{
    int i;

    for (i = 0; conf->types && i < conf->types->nelts; i++) {
        if (range_includes(APR_ARRAY_IDX(conf->types, i, const char *), type))
            return 1;
    }
    return 0;
}

/* The type and subtype in lower case, NULL where they are none. */
static const char *essence(const char *media_type, apr_pool_t *pool)
{
    char *type = apr_pstrmemdup(pool, media_type, strcspn(media_type, "; \t"));
    const char *slash = strchr(type, '/');

    if (!slash || slash == type || ap_scan_http_token(type) != slash ||
        !slash[1] || *ap_scan_http_token(slash + 1))
        return NULL;
    ap_str_tolower(type);
    return type;
}

/* JSON between machines is UTF-8 (RFC 8259 section 8.1). */
int condreq_content_is_utf8(const char *media_type)
{
    const char *charset = ap_strcasestr(media_type, "charset=");

    if (!charset)
        return 1;
    charset += 8;
    charset += *charset == '"';
    return !strncasecmp(charset, "utf-8", 5) ||
           !strncasecmp(charset, "utf8", 4);
}

static int check_type(condreq_exchange_t *exchange, const char **media_type,
                      int *is_json)
{
    request_rec *r = exchange->r;
    const char *sent = apr_table_get(r->headers_in, "Content-Type");
    const char *type;

    if (!sent && r->method_number == M_POST)
        return refuse_type(r, "Say what is sent, as in Content-Type: "
                              "application/json.");
    *media_type = sent ? sent : CONDREQ_JSON_TYPE;
    type = essence(*media_type, r->pool);
    if (!type || strlen(*media_type) > CONDREQ_MEDIA_TYPE_MAX)
        return refuse_type(r, "Content-Type is no media type.");
    *is_json = condreq_media_type_is_json(type);
    if (*is_json && !condreq_content_is_utf8(*media_type))
        return refuse_type(r, "JSON is UTF-8.");
    if (*is_json || type_is_listed(exchange->conf, type))
        return OK;
    if (!strcmp(type, "application/x-www-form-urlencoded"))
        return refuse_type(r, "Forms are not stored here. If this is JSON, "
                              "say so: Content-Type: application/json (curl: "
                              "-H 'Content-Type: application/json').");
    return refuse_type(r, "Documents of this media type are not stored here.");
}

static int check_encoding(request_rec *r)
{
    const char *encoding = apr_table_get(r->headers_in, "Content-Encoding");

    if (!encoding || !strcasecmp(encoding, "identity"))
        return OK;
    apr_table_setn(r->err_headers_out, "Accept-Encoding", "identity");
    return condreq_refuse(r, HTTP_UNSUPPORTED_MEDIA_TYPE, NULL,
                          "Send the document without Content-Encoding.", NULL);
}

static int refuse_too_large(request_rec *r, const char *noun, apr_size_t most)
{
    return condreq_refuse(r, HTTP_REQUEST_ENTITY_TOO_LARGE, NULL,
                          apr_psprintf(r->pool,
                                       "%s may have %" APR_SIZE_T_FMT " bytes.",
                                       noun, most),
                          NULL);
}

static int check_length(condreq_exchange_t *exchange)
{
    request_rec *r = exchange->r;
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t bytes;

    if (!length) {
        /* HTTP/2 marks the end of a request without either. */
        if (r->proto_num < HTTP_VERSION(2, 0) &&
            !apr_table_get(r->headers_in, "Transfer-Encoding"))
            return condreq_refuse(r, HTTP_LENGTH_REQUIRED, NULL,
                                  "Send a document, with Content-Length or in "
                                  "chunks.",
                                  NULL);
        return OK;
    }
    if (!ap_parse_strict_length(&bytes, length))
        return condreq_refuse(r, HTTP_BAD_REQUEST, NULL,
                              "Content-Length is no number.", NULL);
    if (bytes > (apr_off_t)exchange->conf->rules.max_body)
        return refuse_too_large(r, DOCUMENT, exchange->conf->rules.max_body);
    return OK;
}

int condreq_content_framed(condreq_exchange_t *exchange)
{
    request_rec *r = exchange->r;
    int status = check_length(exchange);

    if (status == OK)
        status = check_encoding(r);
    /* RFC 9110 section 14.5: a server that does not do partial PUT refuses. */
    if (status == OK && apr_table_get(r->headers_in, "Content-Range"))
        status = condreq_refuse(r, HTTP_BAD_REQUEST, NULL,
                                "A part of a document cannot be written: send "
                                "it whole, without Content-Range.",
                                NULL);
    return status == OK ? condreq_digests_announced(r) : status;
}

int condreq_content_announced(condreq_exchange_t *exchange,
                              condreq_content_t *content, int *is_json)
{
    int status = condreq_content_framed(exchange);

    return status == OK ? check_type(exchange, &content->media_type, is_json)
                        : status;
}

/* ---- what is read ---- */

/* Bytes that grow by doubling, so that reading is linear, and never beyond the
 * limit by more than one brigade. */
typedef struct growing_t {
    char *bytes;
    apr_size_t length;
    apr_size_t room;
    apr_size_t most;
    /** what grows, for people */
    const char *noun;
} growing_t;

static void append(growing_t *growing, const char *bytes, apr_size_t length,
                   apr_pool_t *pool)
{
    if (!length)
        return;
    if (growing->length + length > growing->room) {
        apr_size_t room = 2 * (growing->length + length);
        char *larger = apr_palloc(pool, room);

        if (growing->length)
            memcpy(larger, growing->bytes, growing->length);
        growing->bytes = larger;
        growing->room = room;
    }
    memcpy(growing->bytes + growing->length, bytes, length);
    growing->length += length;
}

static int read_brigade(request_rec *r, growing_t *growing,
                        apr_bucket_brigade *brigade, int *ended)
{
    apr_bucket *bucket;

    for (bucket = APR_BRIGADE_FIRST(brigade);
         bucket != APR_BRIGADE_SENTINEL(brigade) && !*ended;
         bucket = APR_BUCKET_NEXT(bucket)) {
        const char *bytes;
        apr_size_t length;
        apr_status_t status;

        *ended = APR_BUCKET_IS_EOS(bucket);
        if (APR_BUCKET_IS_METADATA(bucket))
            continue;
        status = apr_bucket_read(bucket, &bytes, &length, APR_BLOCK_READ);
        if (status != APR_SUCCESS)
            return ap_map_http_request_error(status, HTTP_BAD_REQUEST);
        if (length > growing->most - growing->length)
            return refuse_too_large(r, growing->noun, growing->most);
        append(growing, bytes, length, r->pool);
    }
    return OK;
}

static int read_content(request_rec *r, growing_t *growing)
{
    apr_bucket_brigade *brigade =
        apr_brigade_create(r->pool, r->connection->bucket_alloc);
    int ended = 0, status = OK;

    while (!ended && status == OK) {
        apr_status_t got =
            ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES,
                           APR_BLOCK_READ, HUGE_STRING_LEN);

        if (got != APR_SUCCESS)
            status = ap_map_http_request_error(got, HTTP_BAD_REQUEST);
        else
            status = read_brigade(r, growing, brigade, &ended);
        apr_brigade_cleanup(brigade);
    }
    apr_brigade_destroy(brigade);
    return status;
}

/* ---- what is not read ---- */

/* Worth reading for the sake of a connection that stays, or of a client that
 * hears nothing before it has sent all. */
#define DRAINED_AT_MOST (1024 * 1024)
#define DRAIN_PAUSE_MS 200
#define DRAIN_WHOLE_MS 2000

/* Takes what has come already. @return 1 if that was all */
static int drain(request_rec *r, apr_off_t *taken)
{
    apr_bucket_brigade *brigade =
        apr_brigade_create(r->pool, r->connection->bucket_alloc);
    apr_off_t length;
    int ended = 0;

    while (!ended && *taken <= DRAINED_AT_MOST &&
           ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES,
                          APR_NONBLOCK_READ, HUGE_STRING_LEN) == APR_SUCCESS &&
           !APR_BRIGADE_EMPTY(brigade)) {
        ended = APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(brigade));
        apr_brigade_length(brigade, 0, &length);
        *taken += length > 0 ? length : 0;
        apr_brigade_cleanup(brigade);
    }
    apr_brigade_destroy(brigade);
    return ended;
}

/* Waits until more may have come. A stream of HTTP/2 has no descriptor. */
static int more_comes(request_rec *r, apr_time_t until)
{
    apr_socket_t *socket = ap_get_conn_socket(r->connection);
    apr_interval_time_t left = until - apr_time_now();
    struct pollfd wanted = {-1, POLLIN, 0};
    apr_os_sock_t descriptor;

    if (left <= 0)
        return 0;
    if (r->connection->master) {
        apr_sleep(1000);
        return 1;
    }
    if (!socket || apr_os_sock_get(&descriptor, socket) != APR_SUCCESS)
        return 0;
    wanted.fd = descriptor;
    return poll(&wanted, 1, (int)apr_time_as_msec(left)) == 1;
}

/* Many clients send the content right behind the fields, not with them. */
static int drained(request_rec *r)
{
    apr_time_t begun = apr_time_now();
    apr_time_t until = begun + apr_time_from_msec(DRAIN_PAUSE_MS);
    apr_off_t taken = 0, before;

    do {
        before = taken;
        if (drain(r, &taken))
            return 1;
        if (taken > before)
            until = apr_time_now() + apr_time_from_msec(DRAIN_PAUSE_MS);
    } while (taken <= DRAINED_AT_MOST &&
             apr_time_now() - begun < apr_time_from_msec(DRAIN_WHOLE_MS) &&
             more_comes(r, until));
    return 0;
}

/* httpd reads a request to its end before it lets go of the answer. A stale
 * writer must hear 412 although the rest of its content does not come, so then
 * the connection is given up instead. Of HTTP/2 httpd gives up the rest of the
 * stream by itself, which some clients take for a failure while they send. */
void condreq_content_abandon(request_rec *r)
{
    conn_rec *c = r->connection;
    int announced = apr_table_get(r->headers_in, "Content-Length") ||
                    apr_table_get(r->headers_in, "Transfer-Encoding");

    if (r->main)
        return;
    if (c->master)
        drained(r);
    else if (announced && c->keepalive != AP_CONN_CLOSE &&
             (r->expecting_100 || !drained(r)))
        c->keepalive = AP_CONN_CLOSE;
}

/* ---- what is checked ---- */

static int refuse_json(request_rec *r, condreq_json_verdict_t verdict,
                       const condreq_json_fault_t *fault)
{
    if (verdict == CONDREQ_JSON_TOO_MANY)
        return condreq_refuse(r, HTTP_REQUEST_ENTITY_TOO_LARGE, NULL,
                              "The document has too many values.", NULL);
    return condreq_refuse(
        r, HTTP_BAD_REQUEST, "malformed-json",
        apr_psprintf(r->pool, "At byte %" APR_SIZE_T_FMT ": %s.", fault->offset,
                     fault->reason),
        apr_psprintf(r->pool, ", \"offset\": %" APR_SIZE_T_FMT, fault->offset));
}

int condreq_refuse_no_object(request_rec *r)
{
    return condreq_refuse(r, HTTP_UNPROCESSABLE_ENTITY, NULL,
                          "A document here is an object: {\"name\": value, "
                          "...}.",
                          NULL);
}

int condreq_content_check(condreq_exchange_t *exchange,
                          condreq_content_t *content,
                          const condreq_json_limits_t *limits, int as_object)
{
    request_rec *r = exchange->r;
    condreq_json_fault_t fault;
    condreq_json_t *json;
    condreq_json_verdict_t verdict = condreq_json_parse(
        &json, content->bytes, content->length, limits, &fault, r->pool);

    if (verdict != CONDREQ_JSON_GOOD)
        return refuse_json(r, verdict, &fault);
    if (as_object && !condreq_json_is_object(json))
        return condreq_refuse_no_object(r);
    content->json = json;
    return OK;
}

int condreq_body_read(request_rec *r, apr_size_t most, const char *noun,
                      const char **bytes, apr_size_t *length)
{
    growing_t growing = {NULL, 0, 0, most, noun};
    int status = read_content(r, &growing);

    *bytes = growing.length ? growing.bytes : "";
    *length = growing.length;
    return status;
}

int condreq_content_read(condreq_exchange_t *exchange,
                         condreq_content_t *content)
{
    int status = condreq_body_read(exchange->r, exchange->conf->rules.max_body,
                                   DOCUMENT, &content->bytes, &content->length);

    return status == OK ? condreq_digests_check(exchange->r, content) : status;
}
