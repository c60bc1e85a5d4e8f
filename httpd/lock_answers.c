/* What a client is told of a lock in its way, or of one that it has taken: in
 * XML as WebDAV has it, or in JSON.
 * Knows RFC 4918 sections 11.3, 14 and 16; no method's rules. */
#include "mod_condreq.h"

#include "apr_strings.h"

#include "condreq_date.h"
#include "condreq_lockdiscovery.h"

/* ---- which of the two ---- */

/* qvalue, RFC 9110 section 12.4.2, in thousandths. */
static int quality_of(const char *parameters)
{
    const char *q = ap_strcasestr(parameters, "q=");

    return q ? (int)(atof(q + 2) * 1000) : 1000;
}

static int is_json_range(const char *range)
{
    apr_size_t length = strcspn(range, "; \t");

    return (length > 5 && !strncasecmp(range + length - 5, "+json", 5)) ||
           (length == 16 && !strncasecmp(range, "application/json", 16));
}

static int is_xml_range(const char *range)
{
    apr_size_t length = strcspn(range, "; \t");

    return (length > 4 && !strncasecmp(range + length - 4, "+xml", 4)) ||
           (length == 15 && !strncasecmp(range, "application/xml", 15)) ||
           (length == 8 && !strncasecmp(range, "text/xml", 8));
}

/* Only who names it wants JSON: WebDAV clients send any Accept, or none. */
int condreq_prefers_json(request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");
    char *rest = apr_pstrdup(r->pool, accept ? accept : "");
    int json = 0, xml = 0;
    char *range;

    while ((range = strsep(&rest, ",")) != NULL) {
        int quality = quality_of(range + strcspn(range, ";"));

        range += strspn(range, " \t");
        if (is_json_range(range) && quality > json)
            json = quality;
        if (is_xml_range(range) && quality > xml)
            xml = quality;
    }
    return json > 0 && json >= xml;
}

/* ---- XML ---- */

int condreq_send_xml(request_rec *r, const char *element)
{
    const char *text =
        apr_pstrcat(r->pool, CONDREQ_XML_DECLARATION, element, "\n", NULL);

    ap_set_content_type(r, CONDREQ_XML_TYPE);
    ap_set_content_length(r, (apr_off_t)strlen(text));
    return condreq_send_bytes(r, text, strlen(text), 1);
}

/* Who and until when, which RFC 4918 has no element for beside an error: in a
 * namespace of ours, which its section 17 tells clients to pass over. */
static const char *holder_xml(const condreq_lock_t *lock, apr_pool_t *pool)
{
    const char *holder = condreq_lock_holder(lock, pool);
    char until[CONDREQ_DATE_RFC3339_SIZE];

    condreq_date_rfc3339(until, lock->until_us);
    return apr_pstrcat(pool, "<C:lock xmlns:C=\"tag:mod-condreq,2026:\">",
                       holder ? apr_pstrcat(pool, "<C:owner>",
                                            condreq_xml_text(holder, pool),
                                            "</C:owner>", NULL)
                              : "",
                       "<C:until>", until, "</C:until></C:lock>", NULL);
}

static const char *href_xml(const condreq_lock_t *lock, apr_pool_t *pool)
{
    return apr_pstrcat(
        pool, "<D:href>",
        condreq_xml_text(condreq_lock_root_uri(lock, pool), pool), "</D:href>",
        NULL);
}

/* ---- JSON ---- */

static const char *lock_members(const condreq_lock_t *lock, apr_pool_t *pool)
{
    const char *holder = condreq_lock_holder(lock, pool);
    char until[CONDREQ_DATE_RFC3339_SIZE];

    condreq_date_rfc3339(until, lock->until_us);
    return apr_psprintf(
        pool, ", \"lock\": {\"root\": %s, \"owner\": %s, \"until\": \"%s\"}",
        condreq_json_quote(condreq_lock_root_uri(lock, pool), pool),
        holder ? condreq_json_quote(holder, pool) : "null", until);
}

/* ---- refusals ---- */

int condreq_refuse_locked(condreq_exchange_t *exchange,
                          const condreq_lock_t *lock, const char *condition)
{
    request_rec *r = exchange->r;

    if (condreq_prefers_json(r))
        return condreq_refuse(r, HTTP_LOCKED, "locked",
                              "A lock is in the way; nothing was changed.",
                              lock_members(lock, r->pool));
    return condreq_refuse_in_xml(
        r, HTTP_LOCKED,
        apr_pstrcat(r->pool, "<D:error xmlns:D=\"DAV:\"><D:", condition, ">",
                    href_xml(lock, r->pool), "</D:", condition, ">",
                    holder_xml(lock, r->pool), "</D:error>", NULL));
}

int condreq_refuse_token(condreq_exchange_t *exchange, int status)
{
    request_rec *r = exchange->r;

    if (condreq_prefers_json(r))
        return condreq_refuse(r, status, NULL,
                              "The token names no lock that covers this "
                              "resource, or no longer.",
                              NULL);
    return condreq_refuse_in_xml(r, status,
                                 "<D:error xmlns:D=\"DAV:\">"
                                 "<D:lock-token-matches-request-uri/>"
                                 "</D:error>");
}

/* Section 9.10.9: the members that are in the way, and the collection itself,
 * which failed because of them. */
int condreq_send_lock_conflict(condreq_exchange_t *exchange,
                               const condreq_lock_t *lock)
{
    request_rec *r = exchange->r;
    const char *own = condreq_xml_text(
        condreq_path_uri(exchange->resource.path, r->pool), r->pool);

    r->status = HTTP_MULTI_STATUS;
    return condreq_send_xml(
        r, apr_pstrcat(r->pool, "<D:multistatus xmlns:D=\"DAV:\"><D:response>",
                       href_xml(lock, r->pool),
                       "<D:status>HTTP/1.1 423 Locked</D:status>"
                       "<D:error><D:no-conflicting-lock/></D:error>",
                       holder_xml(lock, r->pool),
                       "</D:response><D:response><D:href>", own,
                       "</D:href><D:status>HTTP/1.1 424 Failed Dependency"
                       "</D:status></D:response></D:multistatus>",
                       NULL));
}
