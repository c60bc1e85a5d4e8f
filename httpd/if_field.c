/* If, as far as a request knows: which resources its lists are about, and who
 * sends it.
 * Knows how a Resource-Tag of RFC 4918 section 10.4 becomes a key; what holds of
 * a resource is decided in the core. */
#include "mod_condreq.h"

#include "apr_strings.h"

#include "http_vhost.h"

/* ---- a Resource-Tag ---- */

/* The authority as it is compared: without the port that its scheme has
 * anyhow. Behind a proxy that speaks TLS the client's scheme is not ours, so
 * the scheme itself says nothing. */
static const char *without_default_port(const char *authority, apr_pool_t *pool)
{
    static const char *const ports[] = {":80", ":443", ":"};
    apr_size_t length = strlen(authority);
    apr_size_t i;

    for (i = 0; i < sizeof ports / sizeof *ports; i++) {
        apr_size_t port = strlen(ports[i]);

        if (length > port && !strcmp(authority + length - port, ports[i]))
            return apr_pstrmemdup(pool, authority, length - port);
    }
    return authority;
}

/* Section 10.4.2: the host of an absolute-URI counts. It is ours if the client
 * named it in Host, or if it is a name of this virtual host at this port. */
static int is_our_authority(request_rec *r, const char *authority)
{
    const char *named = apr_table_get(r->headers_in, "Host");
    apr_port_t port = ap_get_server_port(r);
    apr_uri_t parsed;

    if (strchr(authority, '@'))
        return 0;
    if (named && !strcasecmp(without_default_port(authority, r->pool),
                             without_default_port(named, r->pool)))
        return 1;
    if (apr_uri_parse_hostinfo(r->pool, authority, &parsed) != APR_SUCCESS ||
        !parsed.hostname)
        return 0;
    return ap_matches_request_vhost(r, parsed.hostname,
                                    parsed.port_str ? parsed.port : port);
}

/* Where the path of a tag begins; NULL where the tag is not about this host. */
static const char *path_of_tag(request_rec *r, const char *tag)
{
    const char *authority;
    apr_size_t length;

    if (*tag == '/')
        return tag[1] == '/' ? NULL : tag;
    if (!strncasecmp(tag, "http://", 7))
        authority = tag + 7;
    else if (!strncasecmp(tag, "https://", 8))
        authority = tag + 8;
    else
        return NULL;
    length = strcspn(authority, "/?");
    if (!is_our_authority(r, apr_pstrmemdup(r->pool, authority, length)))
        return NULL;
    return authority[length] == '/' ? authority + length : "/";
}

/* ---- the resource that it names ---- */

/* How tags are made there is the other resource's own configuration to say; and
 * who may not read it is not told by If what its tag is. */
static const condreq_resource_t *resource_of(condreq_exchange_t *exchange,
                                             const char *tag)
{
    request_rec *r = exchange->r;
    const char *raw = path_of_tag(r, tag);
    const char *path = raw ? condreq_path_of_reference(r, raw) : NULL;
    condreq_exchange_t *other;
    request_rec *sub;

    if (!path || strlen(path) > CONDREQ_PATH_MAX)
        return NULL;
    if (!strcmp(path, exchange->resource.path))
        return &exchange->resource;
    sub = condreq_lookup_uri(r, raw);
    if (sub->status != HTTP_OK || !sub->handler ||
        strcmp(sub->handler, CONDREQ_HANDLER))
        return NULL;
    other = apr_pcalloc(r->pool, sizeof *other);
    other->r = sub;
    other->conf = ap_get_module_config(sub->per_dir_config, &condreq_module);
    condreq_locate(other, path);
    other->resource.store = exchange->resource.store;
    other->resource.rules = &other->conf->rules;
    other->resource.coding_suffixes = exchange->resource.coding_suffixes;
    if (!strcmp(other->resource.key, exchange->resource.key))
        return &exchange->resource;
    return &other->resource;
}

static int same_tag(const condreq_if_list_t *a, const condreq_if_list_t *b)
{
    return a->resource_tag == b->resource_tag ||
           (a->resource_tag && b->resource_tag &&
            !strcmp(a->resource_tag, b->resource_tag));
}

static void find_targets(condreq_exchange_t *exchange)
{
    const condreq_if_t *if_field = &exchange->claim.if_field;
    const condreq_resource_t **targets =
        apr_pcalloc(exchange->r->pool, if_field->count * sizeof *targets);
    apr_size_t i;

    for (i = 0; i < if_field->count; i++) {
        const condreq_if_list_t *list = &if_field->lists[i];

        if (!list->resource_tag)
            targets[i] = &exchange->resource;
        else if (i && same_tag(list, list - 1))
            targets[i] = targets[i - 1];
        else
            targets[i] = resource_of(exchange, list->resource_tag);
    }
    exchange->claim.targets = targets;
}

/* ---- the field ---- */

void condreq_read_if(condreq_exchange_t *exchange)
{
    request_rec *r = exchange->r;
    const char *value = apr_table_get(r->headers_in, "If");

    exchange->claim.user = r->user;
    exchange->if_syntax =
        condreq_if_parse(&exchange->claim.if_field, value, r->pool);
    if (exchange->claim.if_field.count && r->method_number != M_OPTIONS)
        find_targets(exchange);
}

int condreq_check_if_syntax(condreq_exchange_t *exchange)
{
    switch (exchange->if_syntax) {
    case CONDREQ_IF_MALFORMED:
        return condreq_refuse(exchange->r, HTTP_BAD_REQUEST, NULL,
                              "If is no list of conditions in parentheses: "
                              "(<token> [\"etag\"]), or the same behind "
                              "<resource>.",
                              NULL);
    case CONDREQ_IF_TOO_MANY:
        return condreq_refuse(exchange->r, HTTP_BAD_REQUEST, NULL,
                              "If has more than 64 lists or 256 conditions.",
                              NULL);
    default:
        return OK;
    }
}

int condreq_check_if(condreq_exchange_t *exchange,
                     const condreq_record_t *record)
{
    int refused = condreq_check_if_syntax(exchange);
    apr_status_t status;
    int holds;

    if (refused != OK)
        return refused;
    status = condreq_claim_if_holds(&holds, &exchange->resource, record,
                                    &exchange->claim, &exchange->trouble,
                                    exchange->r->pool);
    if (status != APR_SUCCESS)
        return condreq_refuse_trouble(exchange, status, "looking up");
    return holds ? OK : condreq_refuse_precondition(exchange, record);
}
