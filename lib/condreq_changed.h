/* Inside of the patch: arrays and objects that are no longer as their text
 * says, and the bytes that they take. Not installed. */
#ifndef CONDREQ_CHANGED_H
#define CONDREQ_CHANGED_H

#include "condreq_pieces.h"
#include "condreq_pointer.h"

/** A value's type, and the span that it had, in its text. */
const condreq_json_value_t *condreq_edited_text(const condreq_edited_t *value);

int condreq_edited_is_container(const condreq_edited_t *value);

/** Bytes of its text, changes included. */
apr_size_t condreq_edited_length(const condreq_edited_t *value);

/** Itself and all values below it. */
apr_size_t condreq_edited_values(const condreq_edited_t *value);

/** Direct children of a container. */
apr_size_t condreq_edited_children(const condreq_edited_t *container);

/** Lets a value that stays where it is be put elsewhere too: the first of
 * them that is changed becomes a copy. */
void condreq_edited_share(condreq_edited_t *value);

/** Makes a container one that can be changed, for this value alone. */
condreq_changed_t *condreq_edited_open(condreq_edited_t *container,
                                       apr_pool_t *pool);

/** Bytes of its text. */
apr_size_t condreq_changed_length(const condreq_changed_t *changed);

/** What stands before a child that is not the first, by its number: the text
 * between it and the one that came before it from the start, or, as for all
 * new ones, nothing, which means a comma. */
condreq_json_span_t condreq_changed_separator(const condreq_changed_t *changed,
                                              apr_size_t number);

/** Finds an object's member. @return is it there? */
int condreq_changed_member(const condreq_changed_t *changed,
                           const condreq_pointer_token_t *name,
                           condreq_pieces_place_t *place);

/** A child as it is, to read. */
condreq_edited_t condreq_changed_child(const condreq_changed_t *changed,
                                       condreq_pieces_place_t place);

/** A child to open, and to change inside. */
condreq_edited_t *condreq_changed_own(condreq_changed_t *changed,
                                      condreq_pieces_place_t place,
                                      apr_pool_t *pool);

/** Puts a value in a child's place. */
void condreq_changed_replace(condreq_changed_t *changed,
                             condreq_pieces_place_t place,
                             const condreq_edited_t *value, apr_pool_t *pool);

/** Puts a member of a name that the object does not have behind all others. */
void condreq_changed_append(condreq_changed_t *changed,
                            const condreq_pointer_token_t *name,
                            const condreq_edited_t *value, apr_pool_t *pool);

/** Puts an element before the one at a position, or behind the last one. */
void condreq_changed_insert(condreq_changed_t *changed, apr_size_t position,
                            const condreq_edited_t *value, apr_pool_t *pool);

/** Takes a child out. */
condreq_edited_t condreq_changed_remove(condreq_changed_t *changed,
                                        condreq_pieces_place_t place,
                                        apr_pool_t *pool);

#endif
