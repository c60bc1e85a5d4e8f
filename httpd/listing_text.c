/* Members of a collection as JSON text.
 * Knows what is said of a member, and to whom; not in which order they come or
 * how they are sent. */
#include "mod_condreq.h"

#include "apr_strings.h"
#include "condreq_date.h"
#include "condreq_media_type.h"

/* ---- text ---- */

void condreq_text_add(condreq_text_t *text, const char *bytes,
                      apr_size_t length)
{
    /* Where there is no room yet there is nothing to copy to. */
    if (!length)
        return;
    if (text->length + length > text->room) {
        apr_size_t room = 2 * (text->length + length);
        char *larger = apr_palloc(text->pool, room);

        if (text->length)
            memcpy(larger, text->bytes, text->length);
        text->bytes = larger;
        text->room = room;
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

void condreq_text_say(condreq_text_t *text, const char *words)
{
    condreq_text_add(text, words, strlen(words));
}

/* ---- representations ---- */

/* What httpd may know a client by; each member may be asked for by another. */
static const char *seen_by(request_rec *r, apr_pool_t *pool)
{
    const char *authorization = apr_table_get(r->headers_in, "Authorization");
    const char *cookie = apr_table_get(r->headers_in, "Cookie");

    return apr_pstrcat(pool, r->useragent_ip, "\n", r->user ? r->user : "",
                       "\n", authorization ? authorization : "", "\n",
                       cookie ? cookie : "", NULL);
}

/* Whatever else the text of a listing depends on: how tags are made, and, where
 * members are shown to some, to whom. */
const char *condreq_listing_variant(condreq_exchange_t *exchange,
                                    const condreq_rules_t *rules,
                                    const char *query, int lines,
                                    apr_pool_t *pool)
{
    const condreq_strategy_t *strategy = &rules->strategy;
    char *variant = apr_palloc(pool, CONDREQ_VARIANT_LENGTH + 1);

    condreq_collection_variant(
        variant,
        apr_psprintf(pool, "%d\n%s\n%d\n%s\n%d\n%s", lines, query ? query : "",
                     (int)strategy->kind,
                     strategy->format ? strategy->format : "", strategy->weak,
                     condreq_siblings_alike(exchange)
                         ? ""
                         : seen_by(exchange->r, pool)));
    return variant;
}

/* ---- members ---- */

/* A member under way. */
typedef struct member_t {
    condreq_exchange_t *exchange;
    const condreq_listing_query_t *query;
    condreq_resource_t resource;
    const char *name;
    condreq_record_t *record;
    condreq_text_t *text;
    apr_pool_t *pool;
} member_t;

/* Decoded, as %{id} and the member id say it; a slash at the end stays. */
static const char *shown_name(const char *name, apr_pool_t *pool)
{
    char *decoded = apr_palloc(pool, strlen(name) + 1), *to = decoded;

    for (; *name; name++) {
        if (!strncmp(name, "%25", 3) || !strncmp(name, "%2F", 3)) {
            *to++ = name[2] == '5' ? '%' : '/';
            name += 2;
        }
        else {
            *to++ = *name;
        }
    }
    *to = '\0';
    return decoded;
}

static void add_name(const member_t *member)
{
    condreq_text_say(
        member->text,
        apr_pstrcat(member->pool, "{\"name\": ",
                    condreq_json_quote(shown_name(member->name, member->pool),
                                       member->pool),
                    ", \"href\": ",
                    condreq_json_quote(
                        condreq_path_uri(member->resource.path, member->pool),
                        member->pool),
                    NULL));
}

static void add_validators(const member_t *member,
                           const condreq_representation_t *repr,
                           apr_uint64_t version, apr_time_t mtime_us)
{
    char modified[CONDREQ_DATE_RFC3339_SIZE];

    if (repr && repr->etag.opaque_tag)
        condreq_text_say(
            member->text,
            apr_pstrcat(
                member->pool, ", \"etag\": ",
                condreq_json_quote(condreq_etag_text(&repr->etag, member->pool),
                                   member->pool),
                NULL));
    condreq_date_rfc3339(modified, mtime_us);
    condreq_text_say(
        member->text,
        apr_pstrcat(member->pool, ", \"version\": ",
                    apr_psprintf(member->pool, "%" APR_UINT64_T_FMT, version),
                    ", \"modified\": \"", modified, "\"", NULL));
}

/* Its tag is the one that a plain GET of it gives. */
static apr_status_t add_collection(const member_t *member)
{
    condreq_store_t *store = member->resource.store;
    condreq_collection_t collection = {1, {0, 0, 0, 0}};
    condreq_representation_t room;
    apr_status_t status = store->provider->collection(
        store, member->resource.key, 0, &collection.state,
        &member->exchange->trouble, member->pool);

    if (status != APR_SUCCESS)
        return status;
    add_name(member);
    add_validators(
        member,
        condreq_collection_representation(
            &room, &member->resource, &collection,
            condreq_listing_variant(member->exchange, member->resource.rules,
                                    NULL, 0, member->pool),
            member->exchange->now_us, member->pool),
        collection.state.version, collection.state.mtime_us);
    condreq_text_say(member->text, "}");
    return APR_SUCCESS;
}

/* In a line of its own nothing may break the line; between the values of JSON
 * one white space is as good as another, and in strings there is none. */
static void add_json(const member_t *member, char *bytes, apr_size_t length)
{
    apr_size_t i;

    for (i = 0; member->query->lines && i < length; i++) {
        if (bytes[i] == '\n' || bytes[i] == '\r')
            bytes[i] = ' ';
    }
    condreq_text_say(member->text, ", \"document\": ");
    condreq_text_add(member->text, bytes, length);
}

static apr_status_t add_document(const member_t *member, int *added)
{
    condreq_record_t *record = member->record;
    condreq_representation_t room;
    char *bytes = NULL;
    apr_status_t status = APR_SUCCESS;

    /* The record is then of the version that was read. */
    if (member->query->documents && record->state == CONDREQ_LIVE &&
        condreq_media_type_is_json(record->media_type))
        status =
            condreq_document_read(&member->resource, record, &bytes,
                                  &member->exchange->trouble, member->pool);
    *added = status == APR_SUCCESS &&
             (record->state == CONDREQ_LIVE || member->query->follows);
    if (!*added)
        return status;
    add_name(member);
    if (record->state != CONDREQ_LIVE)
        condreq_text_say(member->text, ", \"deleted\": true");
    add_validators(
        member,
        condreq_document_representation(&room, &member->resource, record,
                                        member->exchange->now_us, member->pool),
        record->version, record->mtime_us);
    /* LOCK of an unmapped URL makes a document without a type. */
    if (record->state == CONDREQ_LIVE && *record->media_type)
        condreq_text_say(
            member->text,
            apr_pstrcat(member->pool, ", \"media_type\": ",
                        condreq_json_quote(record->media_type, member->pool),
                        NULL));
    if (bytes && condreq_media_type_is_json(record->media_type))
        add_json(member, bytes, (apr_size_t)record->body_length);
    condreq_text_say(member->text, "}");
    return APR_SUCCESS;
}

apr_status_t condreq_listing_add(condreq_text_t *text,
                                 condreq_exchange_t *exchange,
                                 const condreq_listing_query_t *query,
                                 const char *before, const char *name,
                                 condreq_record_t *record, int *added,
                                 apr_pool_t *pool)
{
    member_t member = {exchange, query, exchange->resource, name, record,
                       text,     pool};
    apr_size_t begin = text->length;
    condreq_sibling_t sibling;
    apr_status_t status = APR_SUCCESS;

    member.resource.key = apr_pstrcat(pool, exchange->resource.key, name, NULL);
    member.resource.path = member.resource.key +
                           (exchange->resource.path - exchange->resource.key);
    *added =
        condreq_sibling_open(&sibling, exchange, member.resource.path, pool);
    if (*added) {
        member.resource.rules = sibling.rules;
        condreq_text_say(text, before);
        status =
            record ? add_document(&member, added) : add_collection(&member);
    }
    if (!*added)
        text->length = begin;
    condreq_sibling_close(&sibling);
    return status;
}
