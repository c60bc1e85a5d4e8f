/* A document that is being patched, walked: values compared, their depth
 * measured. Knows pieces, spans and max_work; changes nothing. No level of the
 * document is a level of the C stack. */

#include "condreq_edit.h"
#include "condreq_number.h"

/* ---- a container's children, one after the other ---- */

typedef struct children_t {
    /* NULL: as the text says */
    const condreq_changed_t *changed;
    /* the next piece */
    apr_size_t rank;
    /* values that stand next to one another in one text: the next one, and
     * how many they are */
    condreq_json_index_t *source;
    apr_size_t place;
    apr_size_t left;
} children_t;

/* A child, and its name, which is empty in an array. */
typedef struct child_t {
    condreq_edited_t value;
    const char *name;
    apr_size_t name_length;
} child_t;

static children_t children_begin(const condreq_edited_t *container)
{
    children_t children = {0};

    children.changed = container->changed;
    children.source = container->source;
    if (!container->changed) {
        children.place = container->place + 1;
        children.left = condreq_edited_text(container)->children;
    }
    return children;
}

static void name_from_text(child_t *child, const condreq_json_t *json,
                           apr_size_t place)
{
    condreq_json_span_t name = json->values[place].name;

    child->name = json->text + name.begin;
    child->name_length = name.end - name.begin;
}

static void take_from_run(children_t *children, child_t *child)
{
    const condreq_json_t *json = children->source->json;

    child->value.source = children->source;
    child->value.place = children->place;
    child->value.changed = NULL;
    name_from_text(child, json, children->place);
    children->place += json->values[children->place].size;
    children->left--;
}

static void take_piece(const condreq_changed_t *changed,
                       const condreq_piece_t *piece, child_t *child)
{
    child->value = piece->value;
    child->name = piece->name;
    child->name_length = piece->name_length;
    if (piece->number < changed->had->count)
        name_from_text(
            child, changed->source->json,
            condreq_json_children_place(changed->had, piece->number));
}

/* @return is there one more? */
static int children_next(children_t *children, child_t *child)
{
    const condreq_changed_t *changed = children->changed;
    const condreq_piece_t *piece;

    if (!children->left && changed &&
        children->rank < condreq_pieces_count(&changed->pieces)) {
        piece = condreq_pieces_get(&changed->pieces, children->rank++);
        if (!piece->is_run) {
            take_piece(changed, piece, child);
            return 1;
        }
        children->place =
            condreq_json_children_place(changed->had, piece->number);
        children->left = piece->count;
    }
    if (!children->left)
        return 0;
    take_from_run(children, child);
    return 1;
}

/* ---- depth ---- */

static void push_children(apr_array_header_t *stack,
                          const condreq_edited_t *container)
{
    *(children_t *)apr_array_push(stack) = children_begin(container);
}

/* Walks a value, no deeper than so many containers; 0: it is deeper. */
static int is_within(condreq_edit_t *edit, const condreq_edited_t *value,
                     apr_size_t depth, apr_array_header_t *stack)
{
    children_t *children;
    child_t child;

    push_children(stack, value);
    while (stack->nelts && (apr_size_t)stack->nelts <= depth) {
        if (!condreq_edit_spend(edit, 1))
            return 0;
        children = (children_t *)stack->elts + stack->nelts - 1;
        if (!children_next(children, &child))
            apr_array_pop(stack);
        else if (condreq_edited_is_container(&child.value))
            push_children(stack, &child.value);
    }
    return !stack->nelts;
}

int condreq_edit_fits_depth(condreq_edit_t *edit, const condreq_edited_t *value,
                            apr_size_t around)
{
    apr_size_t most = edit->limits->max_depth;
    apr_size_t left = around < most ? most - around : 0;
    apr_pool_t *scratch;
    int fits;

    /* a container takes two bytes: what is short is not deep */
    if (!condreq_edited_is_container(value) ||
        condreq_edited_length(value) / 2 <= left)
        return 1;
    apr_pool_create(&scratch, edit->pool);
    fits = is_within(edit, value, left,
                     apr_array_make(scratch, 64, sizeof(children_t)));
    apr_pool_destroy(scratch);
    if (!fits && edit->verdict == CONDREQ_PATCH_DONE)
        condreq_edit_refuse(edit, CONDREQ_PATCH_TOO_LARGE,
                            "too many arrays and objects inside one another");
    return fits;
}

/* ---- equality ---- */

/* Two containers that are compared, of equal type and number of children. */
typedef struct pair_t {
    children_t children;
    condreq_edited_t other;
    /* the other's next child */
    apr_size_t other_next;
} pair_t;

static int same_number(condreq_edit_t *edit, const char *a, apr_size_t a_length,
                       const char *b, apr_size_t b_length)
{
    return condreq_edit_spend(edit, a_length + b_length) &&
           condreq_number_equal(a, a_length, b, b_length);
}

/* Of containers only what they are and how many children they have. */
static int same_outside(condreq_edit_t *edit, const condreq_edited_t *a,
                        const condreq_edited_t *b)
{
    const condreq_json_value_t *in_a = condreq_edited_text(a);
    const condreq_json_value_t *in_b = condreq_edited_text(b);
    const char *a_text = a->source->json->text + in_a->text.begin;
    const char *b_text = b->source->json->text + in_b->text.begin;
    apr_size_t a_length = in_a->text.end - in_a->text.begin;
    apr_size_t b_length = in_b->text.end - in_b->text.begin;

    if (in_a->type != in_b->type)
        return 0;
    switch (in_a->type) {
    case CONDREQ_JSON_NUMBER:
        return same_number(edit, a_text, a_length, b_text, b_length);
    case CONDREQ_JSON_STRING:
        return condreq_json_string_compare(a_text, a_length, b_text,
                                           b_length) == 0;
    case CONDREQ_JSON_ARRAY:
    case CONDREQ_JSON_OBJECT:
        return condreq_edited_children(a) == condreq_edited_children(b);
    default:
        return 1;
    }
}

static void push_pair(apr_array_header_t *stack, const condreq_edited_t *a,
                      const condreq_edited_t *b)
{
    pair_t *pair;

    if (!condreq_edited_is_container(a))
        return;
    pair = apr_array_push(stack);
    pair->children = children_begin(a);
    pair->other = *b;
    pair->other_next = b->place + 1;
}

/* The same name where the order is the same is found without a search. */
static int name_is_next(const pair_t *pair, const child_t *child)
{
    const condreq_json_value_t *other = condreq_edited_text(&pair->other);
    const condreq_json_t *json = pair->other.source->json;
    condreq_json_span_t name;

    if (pair->other_next == pair->other.place + other->size)
        return 0;
    name = json->values[pair->other_next].name;
    return condreq_json_string_compare(child->name, child->name_length,
                                       json->text + name.begin,
                                       name.end - name.begin) == 0;
}

static int find_opposite_name(pair_t *pair, const child_t *child)
{
    condreq_json_children_t *children =
        condreq_json_children_of(pair->other.source, pair->other.place);
    apr_size_t number =
        condreq_json_children_named(children, child->name, child->name_length);

    if (number == children->count)
        return 0;
    pair->other_next = condreq_json_children_place(children, number);
    return 1;
}

/* What stands opposite to a child: in an object by its name. */
static int find_opposite(pair_t *pair, const child_t *child,
                         condreq_edited_t *opposite)
{
    if (condreq_edited_text(&pair->other)->type == CONDREQ_JSON_OBJECT &&
        !name_is_next(pair, child) && !find_opposite_name(pair, child))
        return 0;
    *opposite = pair->other;
    opposite->place = pair->other_next;
    pair->other_next += condreq_edited_text(opposite)->size;
    return 1;
}

/* Names do not repeat: where each child has its opposite and they are as many,
 * none is left over. */
static int same_inside(condreq_edit_t *edit, apr_array_header_t *stack)
{
    condreq_edited_t opposite;
    child_t child;
    pair_t *pair;

    while (stack->nelts) {
        pair = (pair_t *)stack->elts + stack->nelts - 1;
        if (!condreq_edit_spend(edit, 1))
            return 0;
        if (!children_next(&pair->children, &child)) {
            apr_array_pop(stack);
            continue;
        }
        if (!find_opposite(pair, &child, &opposite) ||
            !same_outside(edit, &child.value, &opposite))
            return 0;
        push_pair(stack, &child.value, &opposite);
    }
    return 1;
}

int condreq_edit_equal(condreq_edit_t *edit, const condreq_edited_t *value,
                       const condreq_edited_t *other)
{
    apr_array_header_t *stack;
    apr_pool_t *scratch;
    int equal;

    if (!same_outside(edit, value, other))
        return 0;
    apr_pool_create(&scratch, edit->pool);
    stack = apr_array_make(scratch, 64, sizeof(pair_t));
    push_pair(stack, value, other);
    equal = same_inside(edit, stack);
    apr_pool_destroy(scratch);
    return equal;
}
