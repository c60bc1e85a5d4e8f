/* GET and HEAD of a collection: its members, or what has changed below it, as
 * one JSON document or a line each.
 * Knows pages, links and what an answer carries; how a member reads is in
 * listing_text.c.
 *
 * The validators are those of before the first member was read: an answer may
 * show more than its tag says, never less, so whoever asks again with that tag
 * gets what was written meanwhile. No lock is held while anything is sent: a
 * long listing is made of many short looks, each going on where the one before
 * it ended. */
#include "mod_condreq.h"

#include "apr_strings.h"
#include "condreq_accept.h"
#include "condreq_date.h"

/* What is looked up at once. */
#define LOOK 128
/* What is sent at once; a page with documents ends when it has so much. */
#define PIECE_BYTES (32 * 1024)
#define PAGE_BYTES (1024 * 1024)
#define CHANGES_RELATION "tag:mod-condreq,2026:changes"

/* A listing under way. */
typedef struct listing_t {
    condreq_exchange_t *exchange;
    condreq_listing_query_t query;
    condreq_collection_t collection;
    condreq_text_t text;
    /** members that were added */
    apr_size_t count;
    /** the page is full, and there is more: the next begins behind this name,
     * or this number */
    int has_next;
    const char *last_name;
    /** where the next look begins */
    condreq_place_t from;
    apr_uint64_t reached;
    int ended;
    /** the last look stopped before its end */
    int stopped;
    /** for what lasts one look */
    apr_pool_t *look_pool;
    /** for where the next one begins */
    apr_pool_t *place_pool;
} listing_t;

/* ---- looks ---- */

static int page_is_full(const listing_t *listing)
{
    return (listing->query.limit && listing->count >= listing->query.limit) ||
           (listing->query.limit && listing->query.documents &&
            listing->text.length >= PAGE_BYTES);
}

static const char *separator(const listing_t *listing)
{
    if (listing->query.lines)
        return "";
    return listing->count ? ",\n" : "\n";
}

/* @return the store's statuses; sets has_next instead of adding to a page that
 * is full */
static apr_status_t add(listing_t *listing, const char *name,
                        condreq_record_t *record)
{
    condreq_text_t *text = &listing->text;
    apr_size_t length = text->length;
    int added;
    apr_status_t status = condreq_listing_add(
        text, listing->exchange, &listing->query, separator(listing), name,
        record, &added, listing->look_pool);

    if (status != APR_SUCCESS || !added)
        return status;
    if (page_is_full(listing)) {
        text->length = length;
        listing->has_next = listing->ended = 1;
        return APR_SUCCESS;
    }
    listing->count++;
    if (listing->query.lines)
        condreq_text_say(text, "\n");
    return APR_SUCCESS;
}

static int has_prefix(const char *name, const char *prefix)
{
    return !strncmp(name, prefix, strlen(prefix));
}

/* Documents may be large: what is worth a piece is sent before more is read. */
static int is_worth_a_piece(const listing_t *listing)
{
    return listing->query.documents && listing->text.length >= PIECE_BYTES;
}

/* Names are looked at from `from` on; one that has not the prefix is where the
 * next look steps over what cannot have it. */
static apr_status_t add_members(listing_t *listing, condreq_entry_t *entries,
                                apr_size_t count)
{
    apr_size_t i;

    for (i = 0; i < count && !listing->ended; i++) {
        const char *name = entries[i].name;
        apr_status_t status = APR_SUCCESS;

        if (has_prefix(name, listing->query.prefix))
            status = add(listing, name,
                         entries[i].is_collection ? NULL : &entries[i].record);
        if (status != APR_SUCCESS)
            return status;
        if (listing->ended)
            break;
        apr_pool_clear(listing->place_pool);
        listing->from = condreq_place_behind(name, listing->place_pool);
        if (!has_prefix(name, listing->query.prefix))
            break;
        listing->last_name = apr_pstrdup(listing->place_pool, name);
        if (is_worth_a_piece(listing)) {
            i++;
            break;
        }
    }
    listing->stopped = i < count;
    return APR_SUCCESS;
}

static apr_status_t look_at_members(listing_t *listing)
{
    const condreq_resource_t *resource = &listing->exchange->resource;
    condreq_entry_t *entries =
        apr_palloc(listing->look_pool, LOOK * sizeof *entries);
    condreq_place_t from;
    apr_size_t count;
    apr_status_t status;

    if (!condreq_place_with_prefix(&from, listing->query.prefix, &listing->from,
                                   listing->look_pool)) {
        listing->ended = 1;
        return APR_SUCCESS;
    }
    status = resource->store->provider->list(
        resource->store, resource->key, &from, entries, LOOK, &count,
        &listing->exchange->trouble, listing->look_pool);
    if (status == APR_SUCCESS)
        status = add_members(listing, entries, count);
    if (count < LOOK && !listing->stopped)
        listing->ended = 1;
    return status;
}

static apr_status_t look_at_changes(listing_t *listing)
{
    const condreq_resource_t *resource = &listing->exchange->resource;
    condreq_change_t *changes =
        apr_palloc(listing->look_pool, LOOK * sizeof *changes);
    apr_size_t begin = strlen(resource->key), i;
    condreq_changes_read_t read;
    apr_status_t status = resource->store->provider->changes(
        resource->store, resource->key, listing->reached, changes, LOOK, &read,
        &listing->exchange->trouble, listing->look_pool);

    if (status != APR_SUCCESS)
        return status;
    for (i = 0; i < read.count && !listing->ended; i++) {
        const char *name = changes[i].key + begin;

        if (is_worth_a_piece(listing))
            return APR_SUCCESS;
        if (has_prefix(name, listing->query.prefix))
            status = add(listing, name, &changes[i].record);
        if (status != APR_SUCCESS)
            return status;
        if (!listing->ended)
            listing->reached = changes[i].number;
    }
    if (!listing->ended) {
        listing->reached = read.reached;
        listing->ended = !read.more;
    }
    return APR_SUCCESS;
}

static apr_status_t look(listing_t *listing)
{
    apr_pool_clear(listing->look_pool);
    return listing->query.follows ? look_at_changes(listing)
                                  : look_at_members(listing);
}

/* ---- fields ---- */

static const char *change_now(const listing_t *listing)
{
    return condreq_listing_number(listing->exchange->resource.store,
                                  listing->query.follows
                                      ? listing->reached
                                      : listing->collection.state.change,
                                  listing->exchange->r->pool);
}

static void add_link(listing_t *listing, const char *where, const char *value,
                     const char *relation)
{
    request_rec *r = listing->exchange->r;

    apr_table_addn(
        r->headers_out, "Link",
        apr_psprintf(r->pool, "<%s>; rel=\"%s\"",
                     condreq_listing_uri(&listing->query, listing->exchange,
                                         where, value, r->pool),
                     relation));
}

/* RFC 8288. How to go on with this listing, and how to follow what changes
 * from here on. */
static void set_links(listing_t *listing)
{
    apr_pool_t *pool = listing->exchange->r->pool;

    if (listing->has_next && listing->query.follows)
        add_link(listing, "since", change_now(listing), "next");
    else if (listing->has_next)
        add_link(listing, "cursor",
                 condreq_listing_cursor(listing->last_name, pool), "next");
    if (!listing->query.follows)
        add_link(listing, "since", change_now(listing), CHANGES_RELATION);
}

static void set_fields(listing_t *listing, const condreq_representation_t *repr)
{
    request_rec *r = listing->exchange->r;

    ap_set_content_type(r, listing->query.lines ? CONDREQ_NDJSON_TYPE
                                                : "application/json");
    apr_table_mergen(r->headers_out, "Vary",
                     condreq_siblings_alike(listing->exchange)
                         ? "Accept"
                         : "Accept, Authorization, Cookie");
    if (repr && repr->etag.opaque_tag)
        apr_table_setn(r->headers_out, "ETag",
                       condreq_etag_text(&repr->etag, r->pool));
    if (repr && repr->has_last_modified && !repr->last_modified_pending) {
        char *date = apr_palloc(r->pool, CONDREQ_DATE_HTTP_SIZE);

        condreq_date_http(date, repr->last_modified_s);
        apr_table_setn(r->headers_out, "Last-Modified", date);
    }
    /* There are no ranges of what has no bytes of its own. */
    apr_table_unset(r->headers_in, "Range");
    apr_table_unset(r->headers_in, "If-Range");
}

/* ---- sending ---- */

/* Passes the text on. Filters that keep it copy it, so its memory is free
 * again afterwards. */
static int send_piece(listing_t *listing, int last)
{
    request_rec *r = listing->exchange->r;
    conn_rec *c = r->connection;
    apr_bucket_brigade *brigade =
        apr_brigade_create(listing->look_pool, c->bucket_alloc);
    apr_status_t status;

    if (listing->text.length)
        APR_BRIGADE_INSERT_TAIL(
            brigade,
            apr_bucket_transient_create(listing->text.bytes,
                                        listing->text.length, c->bucket_alloc));
    if (last)
        APR_BRIGADE_INSERT_TAIL(brigade,
                                apr_bucket_eos_create(c->bucket_alloc));
    status = ap_pass_brigade(r->output_filters, brigade);
    apr_brigade_destroy(brigade);
    listing->text.length = 0;
    return status == APR_SUCCESS && !c->aborted ? OK : DONE;
}

/* The answer has begun, so no status can say it any more: it ends without its
 * end, as one from a backend that broke off does. */
static int break_off(listing_t *listing)
{
    request_rec *r = listing->exchange->r;
    conn_rec *c = r->connection;
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, c->bucket_alloc);

    c->keepalive = AP_CONN_CLOSE;
    APR_BRIGADE_INSERT_TAIL(brigade,
                            ap_bucket_error_create(HTTP_BAD_GATEWAY, NULL,
                                                   r->pool, c->bucket_alloc));
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(c->bucket_alloc));
    ap_pass_brigade(r->output_filters, brigade);
    return DONE;
}

static int refuse_look(listing_t *listing, apr_status_t status)
{
    condreq_exchange_t *exchange = listing->exchange;

    if (APR_STATUS_IS_NOTFOUND(status) && listing->query.follows)
        return condreq_refuse(exchange->r, HTTP_GONE, "changes-forgotten",
                              "What has changed since then is not known any "
                              "more: list the collection again.",
                              NULL);
    return condreq_refuse_trouble(exchange, status, "listing");
}

/* All of it, or as much as is worth a piece. */
static apr_status_t gather(listing_t *listing, apr_size_t bytes)
{
    apr_status_t status = APR_SUCCESS;

    while (status == APR_SUCCESS && !listing->ended &&
           listing->text.length < bytes)
        status = look(listing);
    return status;
}

/* Behind filters that code, the first bytes tell which variant it is. */
static int send_first(listing_t *listing, condreq_variant_t *variant, int last)
{
    int status = send_piece(listing, last && !variant);

    if (status != OK || !variant)
        return status;
    if (condreq_variant_decide(variant)) {
        listing->ended = 1;
        last = 1;
    }
    return last ? send_piece(listing, 1) : OK;
}

static int send_lines(listing_t *listing, condreq_variant_t *variant)
{
    int status;

    listing->text.pool = listing->exchange->r->pool;
    status = send_first(listing, variant, listing->ended);
    while (status == OK && !listing->ended) {
        apr_status_t looked = gather(listing, PIECE_BYTES);

        if (looked != APR_SUCCESS) {
            condreq_log_trouble(listing->exchange, looked, "listing");
            return break_off(listing);
        }
        status = send_piece(listing, listing->ended);
    }
    return OK;
}

static void end_document(listing_t *listing)
{
    if (listing->query.lines)
        return;
    condreq_text_say(&listing->text,
                     apr_pstrcat(listing->look_pool, listing->count ? "\n" : "",
                                 "], \"change\": \"", change_now(listing),
                                 "\"}\n", NULL));
}

static int send_page(listing_t *listing, condreq_variant_t *variant)
{
    request_rec *r = listing->exchange->r;

    end_document(listing);
    if (!variant)
        ap_set_content_length(r, (apr_off_t)listing->text.length);
    send_first(listing, variant, 1);
    return OK;
}

static int send_not_modified(listing_t *listing, condreq_variant_t *variant)
{
    static char filler[512];

    if (!variant) {
        condreq_send_not_modified(listing->exchange->r);
        send_piece(listing, 1);
        return OK;
    }
    listing->text.bytes = filler;
    listing->text.length = sizeof filler;
    send_first(listing, variant, 1);
    return OK;
}

/* ---- the method ---- */

static int send_listing(listing_t *listing, condreq_variant_t *variant)
{
    int pieces = listing->query.lines && !listing->query.limit;
    apr_status_t status;

    if (!listing->query.lines)
        condreq_text_say(&listing->text, listing->query.follows
                                             ? "{\"changes\": ["
                                             : "{\"members\": [");
    if (listing->query.follows &&
        listing->query.since ==
            (apr_uint64_t)listing->collection.state.mtime_us)
        listing->ended = 1;
    status = gather(listing, pieces ? PIECE_BYTES : APR_SIZE_MAX);
    if (status != APR_SUCCESS)
        return refuse_look(listing, status);
    /* The first bytes are enough to tell the fields. */
    if (pieces && listing->exchange->r->header_only)
        listing->ended = 1;
    set_links(listing);
    return pieces ? send_lines(listing, variant) : send_page(listing, variant);
}

static int answer(listing_t *listing)
{
    condreq_exchange_t *exchange = listing->exchange;
    request_rec *r = exchange->r;
    condreq_representation_t room;
    const condreq_representation_t *repr = condreq_collection_representation(
        &room, &exchange->resource, &listing->collection,
        condreq_listing_variant(exchange, exchange->resource.rules,
                                condreq_request(r)->query, listing->query.lines,
                                r->pool),
        exchange->now_us, r->pool);
    condreq_verdict_t verdict = condreq_evaluate(
        &exchange->preconditions, repr, 1, exchange->conf->rules.evaluate);
    condreq_variant_t *variant = NULL;

    if (verdict == CONDREQ_FAILED)
        return condreq_refuse_collection(exchange, &listing->collection);
    set_fields(listing, repr);
    if (condreq_variant_expected(r))
        variant = condreq_variant_begin(exchange, repr,
                                        verdict == CONDREQ_NOT_MODIFIED);
    if (verdict == CONDREQ_NOT_MODIFIED)
        return send_not_modified(listing, variant);
    return send_listing(listing, variant);
}

/* Whoever follows a collection must hear of its end. */
static int is_there(const listing_t *listing)
{
    return listing->collection.exists ||
           (listing->query.follows && listing->collection.state.version > 0);
}

int condreq_collection_get(condreq_exchange_t *exchange)
{
    apr_pool_t *pool = exchange->r->pool;
    listing_t *listing = apr_pcalloc(pool, sizeof *listing);
    int refused = condreq_listing_query_read(&listing->query, exchange);
    condreq_record_t none;
    apr_status_t status;

    memset(&none, 0, sizeof none);
    if (refused != OK)
        return refused;
    listing->exchange = exchange;
    listing->text.pool = pool;
    listing->from = listing->query.from;
    listing->reached = listing->query.since;
    apr_pool_create(&listing->look_pool, pool);
    apr_pool_create(&listing->place_pool, pool);
    status =
        condreq_collection_lookup(&listing->collection, &exchange->resource,
                                  exchange->now_us, &exchange->trouble, pool);
    if (status != APR_SUCCESS)
        return condreq_refuse_trouble(exchange, status, "looking into");
    if (listing->query.forgotten)
        return refuse_look(listing, APR_NOTFOUND);
    if (!is_there(listing))
        return condreq_refuse_missing(exchange);
    listing->collection.exists = 1;
    /* A collection has locks, and no record whose tag If could name. */
    refused = condreq_check_if(exchange, &none);
    return refused == OK ? answer(listing) : refused;
}
