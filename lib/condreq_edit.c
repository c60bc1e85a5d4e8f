/* A document while it is patched: locations found, values put and removed.
 * Knows containers and limits; nothing of patches and their operations.
 * Locations are RFC 6901's, what may be done at one is RFC 6902 section 4. */

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

static int too_large(condreq_edit_t *edit, const char *reason)
{
    return condreq_edit_refuse(edit, CONDREQ_PATCH_TOO_LARGE, reason);
}

int condreq_edit_spend(condreq_edit_t *edit, apr_size_t steps)
{
    if (steps > edit->limits->max_work - edit->work)
        return too_large(edit, "the patch takes too much work");
    edit->work += steps;
    return 1;
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

static int no_member(condreq_edit_t *edit)
{
    return fail(edit, "the object has no such member");
}

static int is_object(const condreq_edited_t *value)
{
    return condreq_edited_text(value)->type == CONDREQ_JSON_OBJECT;
}

static int find_in_changed(condreq_edit_t *edit, const condreq_edited_t *value,
                           const condreq_pointer_token_t *token,
                           condreq_pieces_place_t *place)
{
    apr_size_t position;

    if (is_object(value))
        return condreq_changed_member(value->changed, token, place) ||
               no_member(edit);
    if (!find_element(edit, condreq_edited_children(value), token, &position))
        return 0;
    *place = condreq_pieces_at(&value->changed->pieces, position);
    return 1;
}

static int descend_changed(condreq_edit_t *edit, condreq_edited_t *value,
                           const condreq_pointer_token_t *token)
{
    condreq_pieces_place_t place;

    if (!find_in_changed(edit, value, token, &place))
        return 0;
    *value = condreq_changed_child(value->changed, place);
    return 1;
}

static int descend_text(condreq_edit_t *edit, condreq_edited_t *value,
                        const condreq_pointer_token_t *token)
{
    condreq_json_children_t *children =
        condreq_json_children_of(value->source, value->place);
    apr_size_t number;

    if (is_object(value)) {
        number =
            condreq_json_children_named(children, token->text, token->length);
        if (number == children->count)
            return no_member(edit);
    }
    else if (!find_element(edit, children->count, token, &number)) {
        return 0;
    }
    value->place = condreq_json_children_place(children, number);
    return 1;
}

static int may_descend(condreq_edit_t *edit, const condreq_edited_t *value)
{
    return condreq_edit_spend(edit, 1) &&
           (condreq_edited_is_container(value) ||
            fail(edit, "the value here is no array and no object"));
}

int condreq_edit_find(condreq_edit_t *edit, const condreq_pointer_t *pointer,
                      condreq_edited_t *value)
{
    apr_size_t i;

    *value = edit->root;
    for (i = 0; i < pointer->count; i++) {
        if (!may_descend(edit, value))
            return 0;
        if (value->changed ? !descend_changed(edit, value, &pointer->tokens[i])
                           : !descend_text(edit, value, &pointer->tokens[i]))
            return 0;
    }
    return 1;
}

/* ---- changes ---- */

/* Where a change happens: in a container, at its location's last token. */
typedef struct spot_t {
    condreq_edited_t *container;
    condreq_changed_t *changed;
    const condreq_pointer_token_t *token;
    /* before the change */
    apr_size_t length;
    apr_size_t values;
} spot_t;

static void note_spot(spot_t *spot, condreq_edited_t *container,
                      const condreq_pointer_token_t *token)
{
    spot->container = container;
    spot->changed = container->changed;
    spot->token = token;
    spot->length = condreq_edited_length(container);
    spot->values = condreq_edited_values(container);
}

/* Takes apart all containers around a location. */
static int open_way(condreq_edit_t *edit, const condreq_pointer_t *pointer,
                    spot_t *spot)
{
    condreq_edited_t *value = &edit->root;
    condreq_pieces_place_t place;
    condreq_changed_t *changed;
    apr_size_t i;

    apr_array_clear(edit->way);
    for (i = 0;; i++) {
        if (!may_descend(edit, value))
            return 0;
        changed = condreq_edited_open(value, edit->pool);
        if (i + 1 == pointer->count)
            break;
        *(condreq_changed_t **)apr_array_push(edit->way) = changed;
        if (!find_in_changed(edit, value, &pointer->tokens[i], &place))
            return 0;
        value = condreq_changed_own(changed, place, edit->pool);
    }
    note_spot(spot, value, &pointer->tokens[i]);
    return 1;
}

/* Opens the way to a child that is there. */
static int open_child(condreq_edit_t *edit, const condreq_pointer_t *pointer,
                      spot_t *spot, condreq_pieces_place_t *place)
{
    return open_way(edit, pointer, spot) &&
           find_in_changed(edit, spot->container, spot->token, place);
}

/* What has changed inside, all containers around it are told. The differences
 * may be less than 0, and wrap round. */
static void close_way(condreq_edit_t *edit, const spot_t *spot)
{
    condreq_changed_t **way = (condreq_changed_t **)edit->way->elts;
    apr_size_t length = condreq_edited_length(spot->container);
    apr_size_t values = condreq_edited_values(spot->container);
    int i;

    for (i = 0; i < edit->way->nelts; i++) {
        way[i]->length += length - spot->length;
        way[i]->values += values - spot->values;
    }
}

int condreq_edit_fits(condreq_edit_t *edit)
{
    if (condreq_edit_length(edit) > edit->max_length)
        return too_large(edit, "the document is too long");
    if (condreq_edited_values(&edit->root) > edit->limits->max_values)
        return too_large(edit, "the document has too many values");
    return 1;
}

/* Once a value has been put where so many containers are around it. */
static int fits(condreq_edit_t *edit, const condreq_edited_t *value,
                apr_size_t around)
{
    return condreq_edit_fits(edit) &&
           condreq_edit_fits_depth(edit, value, around);
}

static int put_root(condreq_edit_t *edit, const condreq_edited_t *value)
{
    edit->root = *value;
    return fits(edit, value, 0);
}

static void add_member(condreq_edit_t *edit, const spot_t *spot,
                       const condreq_edited_t *value)
{
    condreq_pieces_place_t place;

    if (condreq_changed_member(spot->changed, spot->token, &place))
        condreq_changed_replace(spot->changed, place, value, edit->pool);
    else
        condreq_changed_append(spot->changed, spot->token, value, edit->pool);
}

static int add_element(condreq_edit_t *edit, const spot_t *spot,
                       const condreq_edited_t *value)
{
    apr_size_t elements = condreq_edited_children(spot->container);
    apr_size_t position = elements;

    /* one more than it has: behind the last one is a place too */
    if (condreq_pointer_index(&position, spot->token) != CONDREQ_POINTER_END &&
        !find_element(edit, elements + 1, spot->token, &position))
        return 0;
    condreq_changed_insert(spot->changed, position, value, edit->pool);
    return 1;
}

int condreq_edit_add(condreq_edit_t *edit, const condreq_pointer_t *pointer,
                     const condreq_edited_t *value)
{
    spot_t spot;

    if (!pointer->count)
        return put_root(edit, value);
    if (!open_way(edit, pointer, &spot))
        return 0;
    if (is_object(spot.container))
        add_member(edit, &spot, value);
    else if (!add_element(edit, &spot, value))
        return 0;
    close_way(edit, &spot);
    return fits(edit, value, pointer->count);
}

int condreq_edit_replace(condreq_edit_t *edit, const condreq_pointer_t *pointer,
                         const condreq_edited_t *value)
{
    condreq_pieces_place_t place;
    spot_t spot;

    if (!pointer->count)
        return put_root(edit, value);
    if (!open_child(edit, pointer, &spot, &place))
        return 0;
    condreq_changed_replace(spot.changed, place, value, edit->pool);
    close_way(edit, &spot);
    return fits(edit, value, pointer->count);
}

int condreq_edit_remove(condreq_edit_t *edit, const condreq_pointer_t *pointer,
                        condreq_edited_t *value)
{
    condreq_pieces_place_t place;
    spot_t spot;

    if (!pointer->count)
        return fail(edit, "the whole document cannot be removed");
    if (!open_child(edit, pointer, &spot, &place))
        return 0;
    *value = condreq_changed_remove(spot.changed, place, edit->pool);
    close_way(edit, &spot);
    return 1;
}

apr_size_t condreq_edit_length(const condreq_edit_t *edit)
{
    const condreq_json_t *json = edit->target->json;
    const condreq_json_span_t *text = &json->values[0].text;

    return json->length - (text->end - text->begin) +
           condreq_edited_length(&edit->root);
}
