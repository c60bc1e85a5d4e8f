/* The body of a LOCK request.
 * Knows XML, as expat reads it, and the elements of RFC 4918 section 14; no
 * lock, store or request.
 * The owner is kept byte for byte: expat hands each piece of it over as it
 * stands in the body, made UTF-8. */
#include "condreq_lockinfo.h"

#include <string.h>

#include <expat.h>

#include "apr_escape.h"
#include "apr_lib.h"
#include "apr_strings.h"
#include "apr_tables.h"

/* What expat puts between a namespace and a name. */
#define SEPARATOR ' '
#define XML_LANG "http://www.w3.org/XML/1998/namespace lang"

/* What stands in the way of a prefix, or of none. */
typedef struct declaration_t {
    const char *prefix;
    const char *uri;
} declaration_t;

/* The child of lockinfo that is open. */
typedef enum child_t { OTHER, SCOPE, TYPE, OWNER } child_t;

typedef struct reading_t {
    XML_Parser expat;
    apr_pool_t *pool;
    condreq_lockinfo_syntax_t syntax;
    unsigned depth;
    child_t child;
    unsigned scopes;
    unsigned types;
    unsigned owners;
    condreq_lock_scope_t scope;
    /** lockinfo's declarations, and those of the tag that is about to open */
    apr_array_header_t *around;
    apr_array_header_t *own;
    const char *lang;
    char owner[CONDREQ_LOCK_OWNER_MAX + 1];
    apr_size_t owner_length;
} reading_t;

static void stop(reading_t *reading, condreq_lockinfo_syntax_t syntax)
{
    reading->syntax = syntax;
    XML_StopParser(reading->expat, XML_FALSE);
}

/* ---- the owner ---- */

static void append(reading_t *reading, const char *bytes, apr_size_t length)
{
    if (length > CONDREQ_LOCK_OWNER_MAX - reading->owner_length) {
        stop(reading, CONDREQ_LOCKINFO_TOO_LARGE);
        return;
    }
    memcpy(reading->owner + reading->owner_length, bytes, length);
    reading->owner_length += length;
}

/* ` name="value"`; the value goes as the text of an attribute. */
static void append_attribute(reading_t *reading, const char *name,
                             const char *value)
{
    const char *text =
        apr_pstrcat(reading->pool, " ", name, "=\"",
                    apr_pescape_entity(reading->pool, value, 0), "\"", NULL);

    append(reading, text, strlen(text));
}

static int is_declared(const apr_array_header_t *declarations,
                       const char *prefix)
{
    int i;

    for (i = 0; i < declarations->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(declarations, i, declaration_t).prefix,
                    prefix))
            return 1;
    }
    return 0;
}

static void append_declarations(reading_t *reading)
{
    int i;

    for (i = 0; i < reading->around->nelts; i++) {
        const declaration_t *declaration =
            &APR_ARRAY_IDX(reading->around, i, declaration_t);
        const char *name =
            *declaration->prefix
                ? apr_pstrcat(reading->pool, "xmlns:", declaration->prefix,
                              NULL)
                : "xmlns";

        if (!is_declared(reading->own, declaration->prefix))
            append_attribute(reading, name, declaration->uri);
    }
}

static const char *attribute(const XML_Char **attributes, const char *name)
{
    for (; *attributes; attributes += 2) {
        if (!strcmp(attributes[0], name))
            return attributes[1];
    }
    return NULL;
}

/* The start tag as it was sent, with what it inherits behind its name. */
static void begin_owner(reading_t *reading, const XML_Char **attributes)
{
    apr_size_t name_length;
    const char *behind;

    reading->child = OWNER;
    XML_DefaultCurrent(reading->expat);
    if (reading->syntax != CONDREQ_LOCKINFO_GOOD)
        return;
    reading->owner[reading->owner_length] = '\0';
    name_length = strcspn(reading->owner, " \t\r\n/>");
    behind = apr_pstrdup(reading->pool, reading->owner + name_length);
    reading->owner_length = name_length;
    append_declarations(reading);
    if (reading->lang && !attribute(attributes, XML_LANG))
        append_attribute(reading, "xml:lang", reading->lang);
    append(reading, behind, strlen(behind));
}

/* ---- the elements ---- */

static void begin_child(reading_t *reading, const char *name,
                        const XML_Char **attributes)
{
    reading->child = OTHER;
    if (!strcmp(name, "DAV: lockscope")) {
        reading->child = SCOPE;
    }
    else if (!strcmp(name, "DAV: locktype")) {
        reading->child = TYPE;
    }
    else if (!strcmp(name, "DAV: owner")) {
        reading->owners++;
        begin_owner(reading, attributes);
    }
}

static void begin_grandchild(reading_t *reading, const char *name)
{
    int exclusive = !strcmp(name, "DAV: exclusive");

    if (reading->child == SCOPE &&
        (exclusive || !strcmp(name, "DAV: shared"))) {
        reading->scopes++;
        reading->scope =
            exclusive ? CONDREQ_LOCK_EXCLUSIVE : CONDREQ_LOCK_SHARED;
    }
    else if (reading->child == TYPE && !strcmp(name, "DAV: write")) {
        reading->types++;
    }
}

static void XMLCALL start_element(void *baton, const XML_Char *name,
                                  const XML_Char **attributes)
{
    reading_t *reading = baton;

    reading->depth++;
    if (reading->depth > CONDREQ_LOCKINFO_DEPTH_MAX) {
        stop(reading, CONDREQ_LOCKINFO_NO_XML);
    }
    else if (reading->depth == 1) {
        reading->around = reading->own;
        reading->lang =
            attribute(attributes, XML_LANG)
                ? apr_pstrdup(reading->pool, attribute(attributes, XML_LANG))
                : NULL;
        if (strcmp(name, "DAV: lockinfo"))
            stop(reading, CONDREQ_LOCKINFO_UNKNOWN);
    }
    else if (reading->depth == 2) {
        begin_child(reading, name, attributes);
    }
    else if (reading->child == OWNER) {
        XML_DefaultCurrent(reading->expat);
    }
    else if (reading->depth == 3) {
        begin_grandchild(reading, name);
    }
    reading->own = apr_array_make(reading->pool, 2, sizeof(declaration_t));
}

static void XMLCALL end_element(void *baton, const XML_Char *name)
{
    reading_t *reading = baton;

    (void)name;
    if (reading->child == OWNER)
        XML_DefaultCurrent(reading->expat);
    reading->depth--;
    if (reading->depth == 1)
        reading->child = OTHER;
}

static void XMLCALL declare(void *baton, const XML_Char *prefix,
                            const XML_Char *uri)
{
    reading_t *reading = baton;
    declaration_t *declaration = apr_array_push(reading->own);

    declaration->prefix = apr_pstrdup(reading->pool, prefix ? prefix : "");
    declaration->uri = apr_pstrdup(reading->pool, uri ? uri : "");
}

/* Whatever has no handler, and what the handlers above pass on. */
static void XMLCALL other(void *baton, const XML_Char *bytes, int length)
{
    reading_t *reading = baton;

    if (reading->child == OWNER && reading->syntax == CONDREQ_LOCKINFO_GOOD)
        append(reading, bytes, (apr_size_t)length);
}

static void XMLCALL refuse_doctype(void *baton, const XML_Char *name,
                                   const XML_Char *system_id,
                                   const XML_Char *public_id,
                                   int has_internal_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal_subset;
    stop(baton, CONDREQ_LOCKINFO_NO_XML);
}

/* ---- the whole ---- */

static void read_body(reading_t *reading, const char *bytes, apr_size_t length)
{
    XML_Parser expat = reading->expat;

    XML_SetUserData(expat, reading);
    XML_SetElementHandler(expat, start_element, end_element);
    XML_SetStartNamespaceDeclHandler(expat, declare);
    XML_SetStartDoctypeDeclHandler(expat, refuse_doctype);
    XML_SetDefaultHandler(expat, other);
    if (XML_Parse(expat, bytes, (int)length, 1) != XML_STATUS_OK &&
        reading->syntax == CONDREQ_LOCKINFO_GOOD)
        reading->syntax = CONDREQ_LOCKINFO_NO_XML;
}

/* One scope, one type, at most one owner. */
static int asks_for_a_write_lock(const reading_t *reading)
{
    return reading->scopes == 1 && reading->types == 1 && reading->owners <= 1;
}

condreq_lockinfo_syntax_t condreq_lockinfo_parse(condreq_lockinfo_t *lockinfo,
                                                 const char *bytes,
                                                 apr_size_t length,
                                                 apr_pool_t *pool)
{
    reading_t *reading = apr_pcalloc(pool, sizeof *reading);

    if (length > CONDREQ_LOCKINFO_MAX)
        return CONDREQ_LOCKINFO_TOO_LARGE;
    reading->expat = XML_ParserCreateNS(NULL, SEPARATOR);
    if (!reading->expat)
        return CONDREQ_LOCKINFO_TOO_LARGE;
    reading->pool = pool;
    reading->own = apr_array_make(pool, 2, sizeof(declaration_t));
    read_body(reading, bytes, length);
    XML_ParserFree(reading->expat);
    if (reading->syntax != CONDREQ_LOCKINFO_GOOD)
        return reading->syntax;
    if (!asks_for_a_write_lock(reading))
        return CONDREQ_LOCKINFO_UNKNOWN;
    lockinfo->scope = reading->scope;
    lockinfo->owner = reading->owners ? apr_pstrmemdup(pool, reading->owner,
                                                       reading->owner_length)
                                      : NULL;
    return CONDREQ_LOCKINFO_GOOD;
}

/* ---- the owner's text ---- */

typedef struct text_t {
    char *bytes;
    apr_size_t length;
} text_t;

/* No longer than the markup that it stood in: room for that was made. */
static void XMLCALL take_text(void *baton, const XML_Char *bytes, int length)
{
    text_t *text = baton;

    memcpy(text->bytes + text->length, bytes, (apr_size_t)length);
    text->length += (apr_size_t)length;
}

const char *condreq_lockinfo_owner_text(const char *owner, apr_pool_t *pool)
{
    XML_Parser expat = XML_ParserCreate("UTF-8");
    text_t text = {apr_palloc(pool, strlen(owner) + 1), 0};

    if (expat) {
        XML_SetUserData(expat, &text);
        XML_SetCharacterDataHandler(expat, take_text);
        XML_Parse(expat, owner, (int)strlen(owner), 1);
        XML_ParserFree(expat);
    }
    text.bytes[text.length] = '\0';
    while (text.length && apr_isspace(text.bytes[text.length - 1]))
        text.bytes[--text.length] = '\0';
    return text.bytes + strspn(text.bytes, " \t\r\n");
}
