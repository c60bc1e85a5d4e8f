/* A document that is being patched, walked: written, compared, its depth
 * measured. Knows pieces and spans; changes nothing. No level of the document
 * is a level of the C stack. */

#include <assert.h>
#include <string.h>

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

static apr_size_t children_count(const condreq_edited_t *container)
{
    return container->changed
               ? condreq_pieces_children(&container->changed->pieces)
               : condreq_edited_text(container)->children;
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

static int is_container(const condreq_edited_t *value)
{
    condreq_json_type_t type = condreq_edited_text(value)->type;

    return type == CONDREQ_JSON_ARRAY || type == CONDREQ_JSON_OBJECT;
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
        else if (is_container(&child.value))
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
    if (!is_container(value) || condreq_edited_length(value) / 2 <= left)
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
    /* of an array: the other's next element */
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
        return children_count(a) == children_count(b);
    default:
        return 1;
    }
}

static void push_pair(apr_array_header_t *stack, const condreq_edited_t *a,
                      const condreq_edited_t *b)
{
    pair_t *pair;

    if (!is_container(a))
        return;
    pair = apr_array_push(stack);
    pair->children = children_begin(a);
    pair->other = *b;
    pair->other_next = b->place + 1;
}

/* What stands opposite to a child: in an object by its name. */
static int find_opposite(pair_t *pair, const child_t *child,
                         condreq_edited_t *opposite)
{
    condreq_json_children_t *children;
    apr_size_t number;

    *opposite = pair->other;
    if (condreq_edited_text(&pair->other)->type == CONDREQ_JSON_ARRAY) {
        opposite->place = pair->other_next;
        pair->other_next += condreq_edited_text(opposite)->size;
        return 1;
    }
    children = condreq_json_children_of(pair->other.source, pair->other.place);
    number =
        condreq_json_children_named(children, child->name, child->name_length);
    if (number == children->count)
        return 0;
    opposite->place = condreq_json_children_place(children, number);
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

/* ---- the text ---- */

/* A changed container that is being written. */
typedef struct frame_t {
    const condreq_changed_t *changed;
    /* its own text, brackets included */
    condreq_json_span_t text;
    apr_size_t next_rank;
} frame_t;

typedef struct writer_t {
    char *out;
    apr_array_header_t *frames;
} writer_t;

static void write_bytes(writer_t *writer, const char *bytes, apr_size_t length)
{
    memcpy(writer->out, bytes, length);
    writer->out += length;
}

static void write_span(writer_t *writer, const condreq_json_t *json,
                       apr_size_t begin, apr_size_t end)
{
    write_bytes(writer, json->text + begin, end - begin);
}

/* The bracket, and the white space before what was the first child. */
static void begin_changed(writer_t *writer, const condreq_edited_t *value)
{
    frame_t *frame = apr_array_push(writer->frames);
    const condreq_json_children_t *had = value->changed->had;

    frame->changed = value->changed;
    frame->text = condreq_edited_text(value)->text;
    frame->next_rank = 0;
    write_span(writer, had->json, frame->text.begin,
               had->count ? condreq_json_children_begin(had, 0)
                          : frame->text.begin + 1);
}

static void end_changed(writer_t *writer)
{
    frame_t *frame = apr_array_pop(writer->frames);
    const condreq_json_children_t *had = frame->changed->had;

    write_span(writer, had->json,
               had->count ? condreq_json_children_end(had, had->count - 1)
                          : frame->text.begin + 1,
               frame->text.end);
}

static void write_value(writer_t *writer, const condreq_edited_t *value)
{
    const condreq_json_span_t *text = &condreq_edited_text(value)->text;

    if (value->changed)
        begin_changed(writer, value);
    else
        write_span(writer, value->source->json, text->begin, text->end);
}

static void write_separator(writer_t *writer, const condreq_changed_t *changed,
                            apr_size_t number)
{
    condreq_json_span_t span = condreq_changed_separator(changed, number);

    if (span.begin == span.end)
        write_bytes(writer, ",", 1);
    else
        write_span(writer, changed->had->json, span.begin, span.end);
}

/* A member's name and colon. */
static void write_name(writer_t *writer, const condreq_changed_t *changed,
                       const condreq_piece_t *piece)
{
    const condreq_json_children_t *had = changed->had;
    apr_size_t place;

    if (piece->name) {
        write_bytes(writer, piece->name, piece->name_length);
        write_bytes(writer, ":", 1);
    }
    else if (piece->number < had->count) {
        place = condreq_json_children_place(had, piece->number);
        write_span(writer, had->json,
                   condreq_json_children_begin(had, piece->number),
                   had->json->values[place].text.begin);
    }
}

static void write_piece(writer_t *writer, const condreq_changed_t *changed,
                        const condreq_piece_t *piece, int is_first)
{
    const condreq_json_children_t *had = changed->had;

    if (!is_first)
        write_separator(writer, changed, piece->number);
    if (piece->is_run) {
        write_span(
            writer, had->json, condreq_json_children_begin(had, piece->number),
            condreq_json_children_end(had, piece->number + piece->count - 1));
        return;
    }
    write_name(writer, changed, piece);
    write_value(writer, &piece->value);
}

static void write_frames(writer_t *writer)
{
    const condreq_changed_t *changed;
    frame_t *frame;
    apr_size_t rank;

    while (writer->frames->nelts) {
        frame = (frame_t *)writer->frames->elts + writer->frames->nelts - 1;
        changed = frame->changed;
        rank = frame->next_rank++;
        if (rank < condreq_pieces_count(&changed->pieces))
            write_piece(writer, changed,
                        condreq_pieces_get(&changed->pieces, rank), rank == 0);
        else
            end_changed(writer);
    }
}

void condreq_edit_write(const condreq_edit_t *edit, char *out)
{
    const condreq_json_t *json = edit->target->json;
    const condreq_json_span_t *text = &json->values[0].text;
    writer_t writer;

    writer.out = out;
    writer.frames = apr_array_make(edit->pool, 16, sizeof(frame_t));
    write_span(&writer, json, 0, text->begin);
    write_value(&writer, &edit->root);
    write_frames(&writer);
    write_span(&writer, json, text->end, json->length);
    assert((apr_size_t)(writer.out - out) == condreq_edit_length(edit));
}
