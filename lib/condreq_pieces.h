/* Inside of the patch: what a changed array or object consists of, as a
 * balanced sequence that is copied on write. Not installed. */
#ifndef CONDREQ_PIECES_H
#define CONDREQ_PIECES_H

#include "condreq_json_children.h"

typedef struct condreq_changed_t condreq_changed_t;

/** A value of the document while it is patched. */
typedef struct condreq_edited_t {
    /** where its text is; of a changed container the text it had */
    condreq_json_index_t *source;
    apr_size_t place;
    /** NULL: it is as its text says */
    condreq_changed_t *changed;
} condreq_edited_t;

/** A run of neighbours that a container had from the start, or one child. */
typedef struct condreq_piece_t {
    int is_run;
    /** children in it, 1 where it is no run */
    apr_size_t count;
    /** of the (first) child among those that the container had, or, where it is
     * new, beyond all of them; in an object it only ascends */
    apr_size_t number;
    /** a new member's name, a JSON string; else NULL */
    const char *name;
    apr_size_t name_length;
    /** the child, where it is no run */
    condreq_edited_t value;
} condreq_piece_t;

typedef struct condreq_pieces_node_t condreq_pieces_node_t;

typedef struct condreq_pieces_t {
    /** NULL: empty */
    condreq_pieces_node_t *root;
} condreq_pieces_t;

/** An array or object that is no longer as its text says. */
struct condreq_changed_t {
    /** more than one value has it: it is copied before it is changed */
    int is_shared;
    /** the text whose brackets and white space it keeps */
    condreq_json_index_t *source;
    condreq_json_children_t *had;
    condreq_pieces_t pieces;
    /** of an object: pieces of the new members' names and numbers, by name */
    condreq_pieces_t added;
    apr_size_t next_number;
    /** bytes of its text, the first child counted with a separator too */
    apr_size_t length;
    /** itself and all below it */
    apr_size_t values;
};

/** A child: its piece's rank, and how many of a run stand before it. */
typedef struct condreq_pieces_place_t {
    apr_size_t rank;
    apr_size_t offset;
} condreq_pieces_place_t;

/** Pieces in the sequence. */
apr_size_t condreq_pieces_count(const condreq_pieces_t *pieces);

/** Children in all of them. */
apr_size_t condreq_pieces_children(const condreq_pieces_t *pieces);

/** The piece of a rank, from 0, to read. */
const condreq_piece_t *condreq_pieces_get(const condreq_pieces_t *pieces,
                                          apr_size_t rank);

/** The same to change; but for its count, which is in the balance. */
condreq_piece_t *condreq_pieces_own(condreq_pieces_t *pieces, apr_size_t rank,
                                    apr_pool_t *pool);

/** Puts a piece before the one that has the rank. */
void condreq_pieces_insert(condreq_pieces_t *pieces, apr_size_t rank,
                           const condreq_piece_t *piece, apr_pool_t *pool);

void condreq_pieces_remove(condreq_pieces_t *pieces, apr_size_t rank,
                           apr_pool_t *pool);

/** Lets another sequence be a copy of this one, whichever is changed next. */
void condreq_pieces_share(condreq_pieces_t *pieces);

/** The child at a position, of those that are there; behind the last one: the
 * rank behind the last piece. */
condreq_pieces_place_t condreq_pieces_at(const condreq_pieces_t *pieces,
                                         apr_size_t position);

/** Finds a child by its number where numbers ascend. @return is it there? */
int condreq_pieces_numbered(const condreq_pieces_t *pieces, apr_size_t number,
                            condreq_pieces_place_t *place);

/** Finds a piece by its name where names ascend.
 * @param rank  is set to the piece's, or to where it would be
 * @return is it there? */
int condreq_pieces_named(const condreq_pieces_t *pieces, const char *name,
                         apr_size_t length, apr_size_t *rank);

#endif
