/* The body of a LOCK request, RFC 4918 section 14.11, and the owner in it. */
#include <stdlib.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "condreq_lockinfo.h"
#include "tap.h"

static apr_pool_t *pool;

#define GOOD CONDREQ_LOCKINFO_GOOD
#define NO_XML CONDREQ_LOCKINFO_NO_XML
#define UNKNOWN CONDREQ_LOCKINFO_UNKNOWN
#define TOO_LARGE CONDREQ_LOCKINFO_TOO_LARGE

#define EXCLUSIVE "<D:lockscope><D:exclusive/></D:lockscope>"
#define SHARED "<D:lockscope><D:shared/></D:lockscope>"
#define WRITE "<D:locktype><D:write/></D:locktype>"
#define INFO(inside) "<D:lockinfo xmlns:D='DAV:'>" inside "</D:lockinfo>"

static const struct {
    const char *sentence;
    const char *body;
    condreq_lockinfo_syntax_t syntax;
    condreq_lock_scope_t scope;
    const char *owner;
    const char *owner_text;
} rows[] = {
    {"9.10.7's example",
     "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n"
     "<D:lockinfo xmlns:D='DAV:'>\n"
     "<D:lockscope><D:exclusive/></D:lockscope>\n"
     "<D:locktype><D:write/></D:locktype>\n"
     "<D:owner>\n<D:href>http://example.org/~ejw/contact.html</D:href>\n"
     "</D:owner>\n</D:lockinfo>",
     GOOD, CONDREQ_LOCK_EXCLUSIVE,
     "<D:owner xmlns:D=\"DAV:\">\n"
     "<D:href>http://example.org/~ejw/contact.html</D:href>\n</D:owner>",
     "http://example.org/~ejw/contact.html"},
    {"exclusive, no owner", INFO(EXCLUSIVE WRITE), GOOD, CONDREQ_LOCK_EXCLUSIVE,
     NULL, NULL},
    {"shared", INFO(SHARED WRITE), GOOD, CONDREQ_LOCK_SHARED, NULL, NULL},
    {"in another order", INFO(WRITE "<D:owner>me</D:owner>" SHARED), GOOD,
     CONDREQ_LOCK_SHARED, "<D:owner xmlns:D=\"DAV:\">me</D:owner>", "me"},
    {"another prefix",
     "<x:lockinfo xmlns:x=\"DAV:\"><x:lockscope><x:shared/></x:lockscope>"
     "<x:locktype><x:write/></x:locktype><x:owner>me</x:owner></x:lockinfo>",
     GOOD, CONDREQ_LOCK_SHARED, "<x:owner xmlns:x=\"DAV:\">me</x:owner>", "me"},
    {"no prefix",
     "<lockinfo xmlns=\"DAV:\"><lockscope><exclusive/></lockscope>"
     "<locktype><write/></locktype><owner>me</owner></lockinfo>",
     GOOD, CONDREQ_LOCK_EXCLUSIVE, "<owner xmlns=\"DAV:\">me</owner>", "me"},
    {"an owner's bytes stay: comment, CDATA, entities, quotes, white space",
     INFO(EXCLUSIVE WRITE
          "<D:owner  a='1'\tb = \"&lt;\">&amp;<!-- c --> \r\n"
          "<![CDATA[<x>]]>&#x41;<y  z='\"' /><?p i?></D:owner >"),
     GOOD, CONDREQ_LOCK_EXCLUSIVE,
     "<D:owner xmlns:D=\"DAV:\"  a='1'\tb = \"&lt;\">&amp;<!-- c --> \r\n"
     "<![CDATA[<x>]]>&#x41;<y  z='\"' /><?p i?></D:owner >",
     "& \n<x>A"},
    {"an empty owner", INFO(EXCLUSIVE WRITE "<D:owner/>"), GOOD,
     CONDREQ_LOCK_EXCLUSIVE, "<D:owner xmlns:D=\"DAV:\"/>", ""},
    {"what the owner declares itself is not declared twice",
     "<D:lockinfo xmlns:D='DAV:' xmlns:e='urn:e' xmlns='urn:none'>" EXCLUSIVE
         WRITE "<D:owner xmlns:e='urn:f' xmlns=''>"
     "<e:x/><y/></D:owner></D:lockinfo>",
     GOOD, CONDREQ_LOCK_EXCLUSIVE,
     "<D:owner xmlns:D=\"DAV:\" xmlns:e='urn:f' xmlns=''><e:x/><y/></D:owner>",
     ""},
    {"what it does not is",
     "<D:lockinfo xmlns:D='DAV:' xmlns:e='urn:&amp;&quot;e' "
     "xml:lang='de'>" EXCLUSIVE WRITE "<D:owner><e:x/></D:owner></D:lockinfo>",
     GOOD, CONDREQ_LOCK_EXCLUSIVE,
     "<D:owner xmlns:D=\"DAV:\" xmlns:e=\"urn:&amp;&quot;e\" xml:lang=\"de\">"
     "<e:x/></D:owner>",
     ""},
    {"a language of its own stays",
     "<D:lockinfo xmlns:D='DAV:' xml:lang='de'>" EXCLUSIVE WRITE
     "<D:owner xml:lang='en'>me</D:owner></D:lockinfo>",
     GOOD, CONDREQ_LOCK_EXCLUSIVE,
     "<D:owner xmlns:D=\"DAV:\" xml:lang='en'>me</D:owner>", "me"},
    {"another encoding is made UTF-8",
     "<?xml version='1.0' encoding='ISO-8859-1'?>" INFO(
         EXCLUSIVE WRITE "<D:owner>J\xf6rg</D:owner>"),
     GOOD, CONDREQ_LOCK_EXCLUSIVE,
     "<D:owner xmlns:D=\"DAV:\">J\xc3\xb6rg</D:owner>", "J\xc3\xb6rg"},
    {"17: what is unknown is passed over",
     INFO("<D:new><D:exclusive/></D:new><n:x xmlns:n='urn:n'><n:owner/></n:x>"
          "<D:lockscope><n:y xmlns:n='urn:n'/><D:shared/></D:lockscope>" WRITE),
     GOOD, CONDREQ_LOCK_SHARED, NULL, NULL},
    {"an owner that speaks of scopes",
     INFO(EXCLUSIVE WRITE "<D:owner><D:shared/><D:lockscope/></D:owner>"), GOOD,
     CONDREQ_LOCK_EXCLUSIVE,
     "<D:owner xmlns:D=\"DAV:\"><D:shared/><D:lockscope/></D:owner>", ""},

    {"nothing", "", NO_XML, 0, NULL, NULL},
    {"no XML", "lock this", NO_XML, 0, NULL, NULL},
    {"an end that is missing", "<D:lockinfo xmlns:D='DAV:'>" EXCLUSIVE WRITE,
     NO_XML, 0, NULL, NULL},
    {"something behind it", INFO(EXCLUSIVE WRITE) "x", NO_XML, 0, NULL, NULL},
    {"a prefix that is not declared", "<D:lockinfo/>", NO_XML, 0, NULL, NULL},
    {"an entity that is not declared",
     INFO(EXCLUSIVE WRITE "<D:owner>&me;</D:owner>"), NO_XML, 0, NULL, NULL},
    {"bytes that are no UTF-8", INFO(EXCLUSIVE WRITE "<D:owner>\xff</D:owner>"),
     NO_XML, 0, NULL, NULL},
    {"a control character", INFO(EXCLUSIVE WRITE "<D:owner>\x01</D:owner>"),
     NO_XML, 0, NULL, NULL},
    {"a document type, be it harmless",
     "<!DOCTYPE lockinfo>" INFO(EXCLUSIVE WRITE), NO_XML, 0, NULL, NULL},
    {"entities that multiply",
     "<!DOCTYPE l [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;'>"
     "<!ENTITY c '&b;&b;&b;&b;&b;'>]>" INFO(EXCLUSIVE WRITE
                                            "<D:owner>&c;</D:owner>"),
     NO_XML, 0, NULL, NULL},
    {"an entity from elsewhere",
     "<!DOCTYPE l [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" INFO(
         EXCLUSIVE WRITE "<D:owner>&a;</D:owner>"),
     NO_XML, 0, NULL, NULL},

    {"another element", "<x/>", UNKNOWN, 0, NULL, NULL},
    {"lockinfo of no namespace", "<lockinfo/>", UNKNOWN, 0, NULL, NULL},
    {"an empty lockinfo", INFO(""), UNKNOWN, 0, NULL, NULL},
    {"no type", INFO(EXCLUSIVE), UNKNOWN, 0, NULL, NULL},
    {"no scope", INFO(WRITE), UNKNOWN, 0, NULL, NULL},
    {"an unknown scope", INFO("<D:lockscope><D:mine/></D:lockscope>" WRITE),
     UNKNOWN, 0, NULL, NULL},
    {"an unknown type", INFO(EXCLUSIVE "<D:locktype><D:read/></D:locktype>"),
     UNKNOWN, 0, NULL, NULL},
    {"both scopes",
     INFO("<D:lockscope><D:exclusive/><D:shared/></D:lockscope>" WRITE),
     UNKNOWN, 0, NULL, NULL},
    {"two scopes", INFO(EXCLUSIVE EXCLUSIVE WRITE), UNKNOWN, 0, NULL, NULL},
    {"two owners", INFO(EXCLUSIVE WRITE "<D:owner/><D:owner/>"), UNKNOWN, 0,
     NULL, NULL},
    {"a scope further down",
     INFO("<D:lockscope><x><D:exclusive/></x></D:lockscope>" WRITE), UNKNOWN, 0,
     NULL, NULL},
};

static condreq_lockinfo_syntax_t parse(condreq_lockinfo_t *lockinfo,
                                       const char *body, apr_size_t length)
{
    memset(lockinfo, 0, sizeof *lockinfo);
    return condreq_lockinfo_parse(lockinfo, body, length, pool);
}

static void test_rows(void)
{
    condreq_lockinfo_t lockinfo;
    size_t i;

    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        is_int(parse(&lockinfo, rows[i].body, strlen(rows[i].body)),
               rows[i].syntax, rows[i].sentence);
        if (rows[i].syntax != GOOD)
            continue;
        is_int(lockinfo.scope, rows[i].scope, "its scope");
        is_text(lockinfo.owner, rows[i].owner, "its owner");
        if (lockinfo.owner)
            is_text(condreq_lockinfo_owner_text(lockinfo.owner, pool),
                    rows[i].owner_text, "in words");
    }
}

static void test_utf16(void)
{
    static const char text[] =
        INFO(EXCLUSIVE WRITE "<D:owner>m<!--e--></D:owner>");
    char wide[2 * sizeof text + 2] = "\xff\xfe";
    condreq_lockinfo_t lockinfo;
    size_t i;

    for (i = 0; i < sizeof text - 1; i++)
        wide[2 + 2 * i] = text[i];
    is_int(parse(&lockinfo, wide, 2 * sizeof text), GOOD, "UTF-16 is read");
    is_text(lockinfo.owner, "<D:owner xmlns:D=\"DAV:\">m<!--e--></D:owner>",
            "and made UTF-8");
}

static const char *nested(int depth)
{
    const char *open = "", *close = "";

    while (depth--) {
        open = apr_pstrcat(pool, open, "<x>", NULL);
        close = apr_pstrcat(pool, close, "</x>", NULL);
    }
    return apr_pstrcat(pool, "<D:lockinfo xmlns:D='DAV:'>" EXCLUSIVE WRITE,
                       open, close, "</D:lockinfo>", NULL);
}

static const char *with_owner_of(apr_size_t length)
{
    char *owner = apr_palloc(pool, length + 1);

    memset(owner, 'o', length);
    owner[length] = '\0';
    return apr_pstrcat(
        pool, "<D:lockinfo xmlns:D='DAV:'>" EXCLUSIVE WRITE "<D:owner>", owner,
        "</D:owner></D:lockinfo>", NULL);
}

static void test_budgets(void)
{
    /* <D:owner xmlns:D="DAV:"></D:owner> */
    const apr_size_t around = 34;
    condreq_lockinfo_t lockinfo;
    const char *body = nested(CONDREQ_LOCKINFO_DEPTH_MAX - 1);

    is_int(parse(&lockinfo, body, strlen(body)), GOOD, "as deep as may be");
    body = nested(CONDREQ_LOCKINFO_DEPTH_MAX);
    is_int(parse(&lockinfo, body, strlen(body)), NO_XML, "deeper");
    body = with_owner_of(CONDREQ_LOCK_OWNER_MAX - around);
    is_int(parse(&lockinfo, body, strlen(body)), GOOD, "an owner of the most");
    is_int((long long)strlen(lockinfo.owner), CONDREQ_LOCK_OWNER_MAX,
           "is kept whole");
    body = with_owner_of(CONDREQ_LOCK_OWNER_MAX - around + 1);
    is_int(parse(&lockinfo, body, strlen(body)), TOO_LARGE, "a byte more");
    body = with_owner_of(CONDREQ_LOCKINFO_MAX);
    is_int(parse(&lockinfo, body, strlen(body)), TOO_LARGE, "a body too large");
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_rows();
    test_utf16();
    test_budgets();
    return done_testing();
}
