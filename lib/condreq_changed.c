/* Arrays and objects taken apart into pieces, put into and removed from.
 * Knows what a child takes of the text: separator, name and value; nothing of
 * locations, limits and operations. */

#include "apr_strings.h"
#include "condreq_changed.h"

/* ---- values ---- */

const condreq_json_value_t *condreq_edited_text(const condreq_edited_t *value)
{
    return &value->source->json->values[value->place];
}

int condreq_edited_is_container(const condreq_edited_t *value)
{
    condreq_json_type_t type = condreq_edited_text(value)->type;

    return type == CONDREQ_JSON_ARRAY || type == CONDREQ_JSON_OBJECT;
}

apr_size_t condreq_edited_length(const condreq_edited_t *value)
{
    const condreq_json_span_t *text = &condreq_edited_text(value)->text;

    return value->changed ? condreq_changed_length(value->changed)
                          : text->end - text->begin;
}

apr_size_t condreq_edited_values(const condreq_edited_t *value)
{
    return value->changed ? value->changed->values
                          : condreq_edited_text(value)->size;
}

apr_size_t condreq_edited_children(const condreq_edited_t *container)
{
    return container->changed
               ? condreq_pieces_children(&container->changed->pieces)
               : condreq_edited_text(container)->children;
}

void condreq_edited_share(condreq_edited_t *value)
{
    if (value->changed)
        value->changed->is_shared = 1;
}

/* ---- lengths ---- */

condreq_json_span_t condreq_changed_separator(const condreq_changed_t *changed,
                                              apr_size_t number)
{
    condreq_json_span_t span = {0, 0};

    if (number > 0 && number < changed->had->count) {
        span.begin = condreq_json_children_end(changed->had, number - 1);
        span.end = condreq_json_children_begin(changed->had, number);
    }
    return span;
}

static apr_size_t separator_length(const condreq_changed_t *changed,
                                   apr_size_t number)
{
    condreq_json_span_t span = condreq_changed_separator(changed, number);

    return span.end == span.begin ? 1 : span.end - span.begin;
}

apr_size_t condreq_changed_length(const condreq_changed_t *changed)
{
    const condreq_piece_t *first;

    if (!condreq_pieces_count(&changed->pieces))
        return changed->length;
    first = condreq_pieces_get(&changed->pieces, 0);
    return changed->length - separator_length(changed, first->number);
}

/* All that goes with a single child: separator, name and value. */
static apr_size_t piece_length(const condreq_changed_t *changed,
                               const condreq_piece_t *piece)
{
    apr_size_t length = separator_length(changed, piece->number) +
                        condreq_edited_length(&piece->value);
    apr_size_t place;

    if (piece->name)
        return length + piece->name_length + 1;
    if (piece->number >= changed->had->count)
        return length;
    place = condreq_json_children_place(changed->had, piece->number);
    return length + changed->had->json->values[place].text.begin -
           condreq_json_children_begin(changed->had, piece->number);
}

/* ---- taken apart ---- */

static condreq_changed_t *changed_make(const condreq_edited_t *value,
                                       apr_pool_t *pool)
{
    const condreq_json_value_t *text = condreq_edited_text(value);
    condreq_changed_t *changed = apr_pcalloc(pool, sizeof(*changed));
    condreq_piece_t all = {0};

    changed->source = value->source;
    changed->had = condreq_json_children_of(value->source, value->place);
    changed->next_number = changed->had->count;
    changed->length = text->text.end - text->text.begin;
    changed->values = text->size;
    if (changed->had->count) {
        all.is_run = 1;
        all.count = changed->had->count;
        condreq_pieces_insert(&changed->pieces, 0, &all, pool);
        changed->length += separator_length(changed, 0);
    }
    return changed;
}

static condreq_changed_t *changed_copy(condreq_changed_t *changed,
                                       apr_pool_t *pool)
{
    condreq_changed_t *copy;

    condreq_pieces_share(&changed->pieces);
    condreq_pieces_share(&changed->added);
    copy = apr_pmemdup(pool, changed, sizeof(*copy));
    copy->is_shared = 0;
    return copy;
}

condreq_changed_t *condreq_edited_open(condreq_edited_t *container,
                                       apr_pool_t *pool)
{
    if (!container->changed)
        container->changed = changed_make(container, pool);
    else if (container->changed->is_shared)
        container->changed = changed_copy(container->changed, pool);
    return container->changed;
}

/* Makes two of a run: the second begins with the child at the offset. */
static void split_run(condreq_changed_t *changed, condreq_pieces_place_t place,
                      apr_pool_t *pool)
{
    condreq_piece_t left = *condreq_pieces_get(&changed->pieces, place.rank);
    condreq_piece_t right = left;

    left.count = place.offset;
    right.count -= place.offset;
    right.number += place.offset;
    condreq_pieces_remove(&changed->pieces, place.rank, pool);
    condreq_pieces_insert(&changed->pieces, place.rank, &right, pool);
    condreq_pieces_insert(&changed->pieces, place.rank, &left, pool);
}

/* The rank at which a piece begins with the place's child. */
static apr_size_t split_before(condreq_changed_t *changed,
                               condreq_pieces_place_t place, apr_pool_t *pool)
{
    if (!place.offset)
        return place.rank;
    split_run(changed, place, pool);
    return place.rank + 1;
}

/* The rank of a piece that is the place's child alone, and this container's
 * to change. */
static apr_size_t isolate(condreq_changed_t *changed,
                          condreq_pieces_place_t place, apr_pool_t *pool)
{
    condreq_pieces_place_t behind = {split_before(changed, place, pool), 1};
    condreq_piece_t *piece;

    if (condreq_pieces_get(&changed->pieces, behind.rank)->count > 1)
        split_run(changed, behind, pool);
    piece = condreq_pieces_own(&changed->pieces, behind.rank, pool);
    if (piece->is_run) {
        piece->is_run = 0;
        piece->value.source = changed->source;
        piece->value.place =
            condreq_json_children_place(changed->had, piece->number);
    }
    return behind.rank;
}

/* ---- children ---- */

/* A member that was there from the start goes by its number, unless it has
 * been removed; its name may then have been added anew. */
int condreq_changed_member(const condreq_changed_t *changed,
                           const condreq_pointer_token_t *name,
                           condreq_pieces_place_t *place)
{
    apr_size_t number =
        condreq_json_children_named(changed->had, name->text, name->length);
    apr_size_t rank;

    if (number < changed->had->count &&
        condreq_pieces_numbered(&changed->pieces, number, place))
        return 1;
    if (!condreq_pieces_named(&changed->added, name->text, name->length, &rank))
        return 0;
    number = condreq_pieces_get(&changed->added, rank)->number;
    return condreq_pieces_numbered(&changed->pieces, number, place);
}

condreq_edited_t condreq_changed_child(const condreq_changed_t *changed,
                                       condreq_pieces_place_t place)
{
    const condreq_piece_t *piece =
        condreq_pieces_get(&changed->pieces, place.rank);
    condreq_edited_t value = piece->value;

    if (piece->is_run) {
        value.source = changed->source;
        value.place = condreq_json_children_place(changed->had,
                                                  piece->number + place.offset);
    }
    return value;
}

condreq_edited_t *condreq_changed_own(condreq_changed_t *changed,
                                      condreq_pieces_place_t place,
                                      apr_pool_t *pool)
{
    apr_size_t rank = isolate(changed, place, pool);

    return &condreq_pieces_own(&changed->pieces, rank, pool)->value;
}

void condreq_changed_replace(condreq_changed_t *changed,
                             condreq_pieces_place_t place,
                             const condreq_edited_t *value, apr_pool_t *pool)
{
    condreq_edited_t *child = condreq_changed_own(changed, place, pool);

    changed->length -= condreq_edited_length(child);
    changed->values -= condreq_edited_values(child);
    *child = *value;
    changed->length += condreq_edited_length(child);
    changed->values += condreq_edited_values(child);
}

static void put_piece(condreq_changed_t *changed, apr_size_t rank,
                      const condreq_piece_t *piece, apr_pool_t *pool)
{
    condreq_pieces_insert(&changed->pieces, rank, piece, pool);
    changed->length += piece_length(changed, piece);
    changed->values += condreq_edited_values(&piece->value);
}

void condreq_changed_append(condreq_changed_t *changed,
                            const condreq_pointer_token_t *name,
                            const condreq_edited_t *value, apr_pool_t *pool)
{
    condreq_piece_t piece = {0};
    apr_size_t rank;

    piece.count = 1;
    piece.number = changed->next_number++;
    piece.name = name->text;
    piece.name_length = name->length;
    condreq_pieces_named(&changed->added, name->text, name->length, &rank);
    condreq_pieces_insert(&changed->added, rank, &piece, pool);
    piece.value = *value;
    put_piece(changed, condreq_pieces_count(&changed->pieces), &piece, pool);
}

void condreq_changed_insert(condreq_changed_t *changed, apr_size_t position,
                            const condreq_edited_t *value, apr_pool_t *pool)
{
    condreq_pieces_place_t place =
        condreq_pieces_at(&changed->pieces, position);
    condreq_piece_t piece = {0};

    piece.count = 1;
    piece.number = changed->next_number;
    piece.value = *value;
    put_piece(changed, split_before(changed, place, pool), &piece, pool);
}

condreq_edited_t condreq_changed_remove(condreq_changed_t *changed,
                                        condreq_pieces_place_t place,
                                        apr_pool_t *pool)
{
    apr_size_t rank = isolate(changed, place, pool);
    condreq_piece_t piece = *condreq_pieces_get(&changed->pieces, rank);
    apr_size_t added;

    changed->length -= piece_length(changed, &piece);
    changed->values -= condreq_edited_values(&piece.value);
    condreq_pieces_remove(&changed->pieces, rank, pool);
    if (piece.name && condreq_pieces_named(&changed->added, piece.name,
                                           piece.name_length, &added))
        condreq_pieces_remove(&changed->added, added, pool);
    return piece.value;
}
