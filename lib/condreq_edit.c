/* A document while it is patched: locations found, values put and removed.
 * Knows containers, their pieces and the bytes that these will take; nothing
 * of patches and their operations. Locations are RFC 6901's, what may be done
 * at one is RFC 6902 section 4. */

#include "apr_strings.h"
#include "condreq_edit.h"

/* So that a length and another one are no overflow, whatever is allowed. */
#define LONGEST ((apr_size_t)-1 / 4)

void condreq_edit_begin(condreq_edit_t *edit, condreq_json_index_t *target,
                        const condreq_patch_limits_t *limits, apr_pool_t *pool)
{
    edit->target = target;
    edit->root.source = target;
    edit->root.place = 0;
    edit->root.changed = NULL;
    edit->way = apr_array_make(pool, 16, sizeof(condreq_changed_t *));
    edit->limits = limits;
    edit->max_length =
        limits->max_length < LONGEST ? limits->max_length : LONGEST;
    edit->work = 0;
    edit->verdict = CONDREQ_PATCH_DONE;
    edit->reason = NULL;
    edit->pool = pool;
}

int condreq_edit_refuse(condreq_edit_t *edit, condreq_patch_verdict_t verdict,
                        const char *reason)
{
    edit->verdict = verdict;
    edit->reason = reason;
    return 0;
}

static int fail(condreq_edit_t *edit, const char *reason)
{
    return condreq_edit_refuse(edit, CONDREQ_PATCH_FAILED, reason);
}

int condreq_edit_spend(condreq_edit_t *edit, apr_size_t steps)
{
    if (steps > edit->limits->max_work - edit->work)
        return condreq_edit_refuse(edit, CONDREQ_PATCH_TOO_LARGE,
                                   "the patch takes too much work");
    edit->work += steps;
    return 1;
}

/* ---- lengths ---- */

const condreq_json_value_t *condreq_edited_text(const condreq_edited_t *value)
{
    return &value->source->json->values[value->place];
}

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

static apr_size_t changed_length(const condreq_changed_t *changed)
{
    const condreq_piece_t *first;

    if (!condreq_pieces_count(&changed->pieces))
        return changed->length;
    first = condreq_pieces_get(&changed->pieces, 0);
    return changed->length - separator_length(changed, first->number);
}

apr_size_t condreq_edited_length(const condreq_edited_t *value)
{
    const condreq_json_span_t *text = &condreq_edited_text(value)->text;

    return value->changed ? changed_length(value->changed)
                          : text->end - text->begin;
}

static apr_size_t edited_values(const condreq_edited_t *value)
{
    return value->changed ? value->changed->values
                          : condreq_edited_text(value)->size;
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
    return length + changed->source->json->values[place].text.begin -
           condreq_json_children_begin(changed->had, piece->number);
}

apr_size_t condreq_edit_length(const condreq_edit_t *edit)
{
    const condreq_json_t *json = edit->target->json;
    const condreq_json_span_t *text = &json->values[0].text;

    return json->length - (text->end - text->begin) +
           condreq_edited_length(&edit->root);
}

/* ---- containers taken apart ---- */

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

static condreq_json_type_t edited_type(const condreq_edited_t *value)
{
    return condreq_edited_text(value)->type;
}

static int is_container(const condreq_edited_t *value)
{
    return edited_type(value) == CONDREQ_JSON_ARRAY ||
           edited_type(value) == CONDREQ_JSON_OBJECT;
}

/* Makes a container one that can be changed, for this value alone. */
static void take_apart(condreq_edit_t *edit, condreq_edited_t *value)
{
    if (!value->changed)
        value->changed = changed_make(value, edit->pool);
    else if (value->changed->is_shared)
        value->changed = changed_copy(value->changed, edit->pool);
    *(condreq_changed_t **)apr_array_push(edit->way) = value->changed;
}

/* Makes two of a run: the second begins with the child at the offset. */
static void split_run(condreq_edit_t *edit, condreq_changed_t *changed,
                      condreq_pieces_place_t place)
{
    condreq_piece_t left = *condreq_pieces_get(&changed->pieces, place.rank);
    condreq_piece_t right = left;

    left.count = place.offset;
    right.count -= place.offset;
    right.number += place.offset;
    condreq_pieces_remove(&changed->pieces, place.rank, edit->pool);
    condreq_pieces_insert(&changed->pieces, place.rank, &right, edit->pool);
    condreq_pieces_insert(&changed->pieces, place.rank, &left, edit->pool);
}

/* The rank at which a piece begins with the place's child. */
static apr_size_t split_before(condreq_edit_t *edit, condreq_changed_t *changed,
                               condreq_pieces_place_t place)
{
    if (!place.offset)
        return place.rank;
    split_run(edit, changed, place);
    return place.rank + 1;
}

/* The rank of a piece that is the place's child alone. */
static apr_size_t isolate(condreq_edit_t *edit, condreq_changed_t *changed,
                          condreq_pieces_place_t place)
{
    condreq_pieces_place_t behind = {split_before(edit, changed, place), 1};
    condreq_piece_t *piece;

    if (condreq_pieces_get(&changed->pieces, behind.rank)->count > 1)
        split_run(edit, changed, behind);
    piece = condreq_pieces_own(&changed->pieces, behind.rank, edit->pool);
    if (piece->is_run) {
        piece->is_run = 0;
        piece->value.source = changed->source;
        piece->value.place =
            condreq_json_children_place(changed->had, piece->number);
    }
    return behind.rank;
}

/* ---- locations ---- */

static int find_element(condreq_edit_t *edit, apr_size_t elements,
                        const condreq_pointer_token_t *token,
                        apr_size_t *position)
{
    switch (condreq_pointer_index(position, token)) {
    case CONDREQ_POINTER_END:
        return fail(edit, "there is no element behind the last one");
    case CONDREQ_POINTER_NOWHERE:
        return fail(edit, "this is no index of an array");
    default:
        return *position < elements ||
               fail(edit, "the array has no such element");
    }
}

/* A member that was there from the start goes by its number, unless it has
 * been removed; its name may then have been added anew. */
static int has_member(const condreq_changed_t *changed,
                      const condreq_pointer_token_t *token,
                      condreq_pieces_place_t *place)
{
    apr_size_t number =
        condreq_json_children_named(changed->had, token->text, token->length);
    apr_size_t rank;

    if (number < changed->had->count &&
        condreq_pieces_numbered(&changed->pieces, number, place))
        return 1;
    if (!condreq_pieces_named(&changed->added, token->text, token->length,
                              &rank))
        return 0;
    number = condreq_pieces_get(&changed->added, rank)->number;
    return condreq_pieces_numbered(&changed->pieces, number, place);
}

static const char no_member[] = "the object has no such member";
static const char no_container[] = "the value here is no array and no object";

static int find_in_changed(condreq_edit_t *edit, const condreq_edited_t *value,
                           const condreq_pointer_token_t *token,
                           condreq_pieces_place_t *place)
{
    const condreq_changed_t *changed = value->changed;
    apr_size_t position;

    if (edited_type(value) == CONDREQ_JSON_OBJECT)
        return has_member(changed, token, place) || fail(edit, no_member);
    if (!find_element(edit, condreq_pieces_children(&changed->pieces), token,
                      &position))
        return 0;
    *place = condreq_pieces_at(&changed->pieces, position);
    return 1;
}

static int descend_changed(condreq_edit_t *edit, condreq_edited_t *value,
                           const condreq_pointer_token_t *token)
{
    const condreq_changed_t *changed = value->changed;
    const condreq_piece_t *piece;
    condreq_pieces_place_t place;

    if (!find_in_changed(edit, value, token, &place))
        return 0;
    piece = condreq_pieces_get(&changed->pieces, place.rank);
    if (!piece->is_run) {
        *value = piece->value;
        return 1;
    }
    value->changed = NULL;
    value->source = changed->source;
    value->place =
        condreq_json_children_place(changed->had, piece->number + place.offset);
    return 1;
}

static int descend_text(condreq_edit_t *edit, condreq_edited_t *value,
                        const condreq_pointer_token_t *token)
{
    condreq_json_children_t *children =
        condreq_json_children_of(value->source, value->place);
    apr_size_t number;

    if (edited_type(value) == CONDREQ_JSON_OBJECT) {
        number =
            condreq_json_children_named(children, token->text, token->length);
        if (number == children->count)
            return fail(edit, no_member);
    }
    else if (!find_element(edit, children->count, token, &number)) {
        return 0;
    }
    value->place = condreq_json_children_place(children, number);
    return 1;
}

void condreq_edited_share(condreq_edited_t *value)
{
    if (value->changed)
        value->changed->is_shared = 1;
}

int condreq_edit_find(condreq_edit_t *edit, const condreq_pointer_t *pointer,
                      condreq_edited_t *value)
{
    apr_size_t i;

    *value = edit->root;
    for (i = 0; i < pointer->count; i++) {
        if (!condreq_edit_spend(edit, 1))
            return 0;
        if (!is_container(value))
            return fail(edit, no_container);
        if (value->changed ? !descend_changed(edit, value, &pointer->tokens[i])
                           : !descend_text(edit, value, &pointer->tokens[i]))
            return 0;
    }
    return 1;
}

/* ---- changes ---- */

/* Takes apart all containers around a location, and sets the value to the
 * innermost one. */
static int open_way(condreq_edit_t *edit, const condreq_pointer_t *pointer,
                    condreq_edited_t **container)
{
    condreq_edited_t *value = &edit->root;
    condreq_pieces_place_t place;
    condreq_changed_t *changed;
    apr_size_t i;

    apr_array_clear(edit->way);
    for (i = 0;; i++) {
        if (!condreq_edit_spend(edit, 1))
            return 0;
        if (!is_container(value))
            return fail(edit, no_container);
        take_apart(edit, value);
        if (i + 1 == pointer->count)
            break;
        changed = value->changed;
        if (!find_in_changed(edit, value, &pointer->tokens[i], &place))
            return 0;
        place.rank = isolate(edit, changed, place);
        value = &condreq_pieces_own(&changed->pieces, place.rank, edit->pool)
                     ->value;
    }
    *container = value;
    return 1;
}

/* What the containers around a change are to be told of it. */
typedef struct measure_t {
    apr_size_t length;
    apr_size_t values;
} measure_t;

static measure_t measure(const condreq_changed_t *changed)
{
    measure_t found;

    found.length = changed_length(changed);
    found.values = changed->values;
    return found;
}

/* The differences may be less than 0, and wrap round. */
static void tell_way(condreq_edit_t *edit, measure_t before)
{
    condreq_changed_t **way = (condreq_changed_t **)edit->way->elts;
    measure_t now = measure(way[edit->way->nelts - 1]);
    int i;

    for (i = 0; i < edit->way->nelts - 1; i++) {
        way[i]->length += now.length - before.length;
        way[i]->values += now.values - before.values;
    }
}

int condreq_edit_fits(condreq_edit_t *edit)
{
    if (condreq_edit_length(edit) > edit->max_length)
        return condreq_edit_refuse(edit, CONDREQ_PATCH_TOO_LARGE,
                                   "the document is too long");
    if (edited_values(&edit->root) > edit->limits->max_values)
        return condreq_edit_refuse(edit, CONDREQ_PATCH_TOO_LARGE,
                                   "the document has too many values");
    return 1;
}

/* Once a value has been put where so many containers are around it. */
static int fits(condreq_edit_t *edit, const condreq_edited_t *value,
                apr_size_t around)
{
    return condreq_edit_fits(edit) &&
           condreq_edit_fits_depth(edit, value, around);
}

static void put_piece(condreq_edit_t *edit, condreq_changed_t *changed,
                      apr_size_t rank, const condreq_piece_t *piece)
{
    condreq_pieces_insert(&changed->pieces, rank, piece, edit->pool);
    changed->length += piece_length(changed, piece);
    changed->values += edited_values(&piece->value);
}

static void put_over(condreq_edit_t *edit, condreq_changed_t *changed,
                     condreq_pieces_place_t place,
                     const condreq_edited_t *value)
{
    apr_size_t rank = isolate(edit, changed, place);
    condreq_piece_t *piece =
        condreq_pieces_own(&changed->pieces, rank, edit->pool);

    changed->length -= condreq_edited_length(&piece->value);
    changed->values -= edited_values(&piece->value);
    piece->value = *value;
    changed->length += condreq_edited_length(value);
    changed->values += edited_values(value);
}

/* The order of the added names is kept beside that of the members. */
static void add_member(condreq_edit_t *edit, condreq_changed_t *changed,
                       const condreq_pointer_token_t *token,
                       const condreq_edited_t *value)
{
    condreq_pieces_place_t place;
    condreq_piece_t piece = {0};
    apr_size_t rank;

    if (has_member(changed, token, &place)) {
        put_over(edit, changed, place, value);
        return;
    }
    piece.count = 1;
    piece.number = changed->next_number++;
    piece.name = token->text;
    piece.name_length = token->length;
    condreq_pieces_named(&changed->added, token->text, token->length, &rank);
    condreq_pieces_insert(&changed->added, rank, &piece, edit->pool);
    piece.value = *value;
    put_piece(edit, changed, condreq_pieces_count(&changed->pieces), &piece);
}

static int add_element(condreq_edit_t *edit, condreq_changed_t *changed,
                       const condreq_pointer_token_t *token,
                       const condreq_edited_t *value)
{
    apr_size_t elements = condreq_pieces_children(&changed->pieces);
    apr_size_t position = elements;
    condreq_piece_t piece = {0};
    apr_size_t rank;

    /* one more than it has: behind the last one is a place too */
    if (condreq_pointer_index(&position, token) != CONDREQ_POINTER_END &&
        !find_element(edit, elements + 1, token, &position))
        return 0;
    rank = split_before(edit, changed,
                        condreq_pieces_at(&changed->pieces, position));
    piece.count = 1;
    piece.number = changed->next_number;
    piece.value = *value;
    put_piece(edit, changed, rank, &piece);
    return 1;
}

static int put_root(condreq_edit_t *edit, const condreq_edited_t *value)
{
    edit->root = *value;
    return fits(edit, value, 0);
}

int condreq_edit_add(condreq_edit_t *edit, const condreq_pointer_t *pointer,
                     const condreq_edited_t *value)
{
    const condreq_pointer_token_t *last;
    condreq_edited_t *container;
    measure_t before;

    if (!pointer->count)
        return put_root(edit, value);
    if (!open_way(edit, pointer, &container))
        return 0;
    last = &pointer->tokens[pointer->count - 1];
    before = measure(container->changed);
    if (edited_type(container) == CONDREQ_JSON_OBJECT)
        add_member(edit, container->changed, last, value);
    else if (!add_element(edit, container->changed, last, value))
        return 0;
    tell_way(edit, before);
    return fits(edit, value, pointer->count);
}

int condreq_edit_replace(condreq_edit_t *edit, const condreq_pointer_t *pointer,
                         const condreq_edited_t *value)
{
    condreq_pieces_place_t place;
    condreq_edited_t *container;
    measure_t before;

    if (!pointer->count)
        return put_root(edit, value);
    if (!open_way(edit, pointer, &container) ||
        !find_in_changed(edit, container, &pointer->tokens[pointer->count - 1],
                         &place))
        return 0;
    before = measure(container->changed);
    put_over(edit, container->changed, place, value);
    tell_way(edit, before);
    return fits(edit, value, pointer->count);
}

static void take_piece(condreq_edit_t *edit, condreq_changed_t *changed,
                       condreq_pieces_place_t place, condreq_edited_t *value)
{
    apr_size_t rank = isolate(edit, changed, place);
    condreq_piece_t piece = *condreq_pieces_get(&changed->pieces, rank);
    apr_size_t added;

    *value = piece.value;
    changed->length -= piece_length(changed, &piece);
    changed->values -= edited_values(value);
    condreq_pieces_remove(&changed->pieces, rank, edit->pool);
    if (piece.name && condreq_pieces_named(&changed->added, piece.name,
                                           piece.name_length, &added))
        condreq_pieces_remove(&changed->added, added, edit->pool);
}

int condreq_edit_remove(condreq_edit_t *edit, const condreq_pointer_t *pointer,
                        condreq_edited_t *value)
{
    condreq_pieces_place_t place;
    condreq_edited_t *container;
    measure_t before;

    if (!pointer->count)
        return fail(edit, "the whole document cannot be removed");
    if (!open_way(edit, pointer, &container) ||
        !find_in_changed(edit, container, &pointer->tokens[pointer->count - 1],
                         &place))
        return 0;
    before = measure(container->changed);
    take_piece(edit, container->changed, place, value);
    tell_way(edit, before);
    return 1;
}
