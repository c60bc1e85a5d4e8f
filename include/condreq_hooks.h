/* What other modules of httpd can do here: judge a document before it is
 * stored. Needs no symbol of mod_condreq, so it does not matter which of the
 * two modules is loaded first, or whether mod_condreq is there at all.
 *
 * t/modules/mod_example_validate.c is a whole module that does it; its
 * register_hooks says
 *
 *     APR_OPTIONAL_HOOK(condreq, condreq_validate, example_validate, NULL,
 *                       NULL, APR_HOOK_MIDDLE);
 */
#ifndef CONDREQ_HOOKS_H
#define CONDREQ_HOOKS_H

#include "apr_optional_hooks.h"
#include "httpd.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A document that a PUT, a POST or a PATCH is about to store. */
typedef struct condreq_proposal_t {
    /** its path as a URI reference: of a POST the new document's */
    const char *uri;
    /** its bytes as they will be stored: after a merge or a patch, with the
     * server's members; not NUL-terminated, and gone when the hook returns */
    const char *bytes;
    apr_size_t length;
    /** with its parameters */
    const char *media_type;
    /** the number that its version will have */
    apr_uint64_t version;
    /** nothing is there yet */
    int creates;
} condreq_proposal_t;

/** What the problem document (RFC 9457) of a refusal says. All NULL before the
 * hook runs; from r->pool, or constant. */
typedef struct condreq_objection_t {
    /** a URI that names the kind of problem; NULL: about:blank */
    const char *type;
    /** a few words, the same for each problem of the type; NULL: those of the
     * status */
    const char *title;
    /** a sentence about this one; NULL: none */
    const char *detail;
    /** further members, the text of a JSON object such as
     * {"pointer": "/title"}; without type, title, status, detail. NULL: none */
    const char *members;
} condreq_objection_t;

/**
 * The hook condreq_validate: may this be stored? Runs once for each write that
 * nothing else refuses (preconditions included), before any lock of the store
 * is taken: it may take its time. What it agreed to is stored only if the
 * document was not written meanwhile; else it is asked again, about what
 * would be stored then. It runs for each of the modules until one refuses.
 * @param r          the request; its content has been read
 * @param proposal   what would be stored
 * @param objection  what a refusal says
 * @return OK       nothing against it
 *         DECLINED it is not this module's to judge
 *         or the status of a refusal, one of those from 400 to 599 that
 *         httpd knows; 422 where nothing fits better. Nothing is stored then.
 */
typedef int condreq_HOOK_condreq_validate_t(request_rec *r,
                                            const condreq_proposal_t *proposal,
                                            condreq_objection_t *objection);

#ifdef __cplusplus
}
#endif

#endif
