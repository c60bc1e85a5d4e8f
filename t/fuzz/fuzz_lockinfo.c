/* LOCK's body, of whatever bytes: nothing but a lockinfo is taken for one, its
 * owner stands by itself wherever it is put, and a second reading of it gives
 * the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "condreq_lockinfo.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#define MUST(claim)                                                            \
    do {                                                                       \
        if (!(claim))                                                          \
            abort();                                                           \
    } while (0)

#define BEFORE                                                                 \
    "<lockinfo xmlns='DAV:'><lockscope><shared/></lockscope>"                  \
    "<locktype><write/></locktype>"
#define BEHIND "</lockinfo>"

static int is_well_formed(const char *bytes, size_t length)
{
    XML_Parser expat = XML_ParserCreateNS(NULL, ' ');
    int good = XML_Parse(expat, bytes, (int)length, 1) == XML_STATUS_OK;

    XML_ParserFree(expat);
    return good;
}

/* The same, or the same with the default namespace that BEFORE declares. */
static int is_kept(const char *again, const char *owner)
{
    static const char declaration[] = " xmlns=\"DAV:\"";
    size_t name_length = strcspn(owner, " \t\r\n/>");
    size_t added = sizeof declaration - 1;

    return !strcmp(again, owner) ||
           (!strncmp(again, owner, name_length) &&
            !strncmp(again + name_length, declaration, added) &&
            !strcmp(again + name_length + added, owner + name_length));
}

static void check_owner(const char *owner, apr_pool_t *pool)
{
    const char *text = condreq_lockinfo_owner_text(owner, pool);
    const char *body = apr_pstrcat(pool, BEFORE, owner, BEHIND, NULL);
    condreq_lockinfo_t again;
    condreq_lockinfo_syntax_t syntax;

    MUST(strlen(owner) <= CONDREQ_LOCK_OWNER_MAX);
    MUST(is_well_formed(owner, strlen(owner)));
    MUST(strlen(text) <= strlen(owner));
    syntax = condreq_lockinfo_parse(&again, body, strlen(body), pool);
    if (syntax == CONDREQ_LOCKINFO_GOOD)
        MUST(is_kept(again.owner, owner));
    else
        MUST(syntax == CONDREQ_LOCKINFO_TOO_LARGE);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return apr_initialize();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    condreq_lockinfo_t lockinfo = {0, NULL};
    condreq_lockinfo_syntax_t syntax;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    syntax = condreq_lockinfo_parse(&lockinfo, (const char *)input, size, pool);
    MUST(syntax != CONDREQ_LOCKINFO_UNKNOWN || !lockinfo.owner);
    if (syntax == CONDREQ_LOCKINFO_GOOD) {
        MUST(is_well_formed((const char *)input, size));
        MUST(lockinfo.scope == CONDREQ_LOCK_EXCLUSIVE ||
             lockinfo.scope == CONDREQ_LOCK_SHARED);
        if (lockinfo.owner)
            check_owner(lockinfo.owner, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
