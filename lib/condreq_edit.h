/* Inside of the patch: a document while it is changed. Containers on the way
 * to a change are taken apart, all else stays spans over the texts that it
 * came in. Not installed. */
#ifndef CONDREQ_EDIT_H
#define CONDREQ_EDIT_H

#include "apr_tables.h"
#include "condreq_changed.h"
#include "condreq_patch.h"

typedef struct condreq_edit_t {
    condreq_json_index_t *target;
    condreq_edited_t root;
    /* the changed containers on the way to a location, outermost first */
    apr_array_header_t *way;
    const condreq_patch_limits_t *limits;
    apr_size_t max_length;
    /* steps spent */
    apr_size_t work;
    /* of the refusal */
    condreq_patch_verdict_t verdict;
    const char *reason;
    apr_pool_t *pool;
} condreq_edit_t;

/** @param pool  for all that is made until the document is written */
void condreq_edit_begin(condreq_edit_t *edit, condreq_json_index_t *target,
                        const condreq_patch_limits_t *limits, apr_pool_t *pool);

/* These return 1, or 0 with edit's verdict and reason. After a refusal the
 * document is in no state to go on with. */

int condreq_edit_refuse(condreq_edit_t *edit, condreq_patch_verdict_t verdict,
                        const char *reason);

/** Counts steps against max_work. */
int condreq_edit_spend(condreq_edit_t *edit, apr_size_t steps);

/** The value at a location. */
int condreq_edit_find(condreq_edit_t *edit, const condreq_pointer_t *pointer,
                      condreq_edited_t *value);

/** RFC 6902 section 4.1. */
int condreq_edit_add(condreq_edit_t *edit, const condreq_pointer_t *pointer,
                     const condreq_edited_t *value);

/** RFC 6902 section 4.3. */
int condreq_edit_replace(condreq_edit_t *edit, const condreq_pointer_t *pointer,
                         const condreq_edited_t *value);

/** RFC 6902 section 4.2.
 * @param value  is set to what was there */
int condreq_edit_remove(condreq_edit_t *edit, const condreq_pointer_t *pointer,
                        condreq_edited_t *value);

/** Is the document, as it is now, within its length and its values? */
int condreq_edit_fits(condreq_edit_t *edit);

/** May a value stand where so many containers are open around it? */
int condreq_edit_fits_depth(condreq_edit_t *edit, const condreq_edited_t *value,
                            apr_size_t around);

/** Are two values equal, RFC 6902 section 4.6? The second one is as its text
 * says. Also 0, then with a verdict, where that is too much work. */
int condreq_edit_equal(condreq_edit_t *edit, const condreq_edited_t *value,
                       const condreq_edited_t *other);

/** Bytes of the whole document, with the white space around it. */
apr_size_t condreq_edit_length(const condreq_edit_t *edit);

/** Writes as many. */
void condreq_edit_write(const condreq_edit_t *edit, char *out);

#endif
