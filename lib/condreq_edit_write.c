/* A document that has been patched, written: what no operation named byte for
 * byte from the text that it came in, commas where none stood.
 * Knows pieces and spans; no level of the document is one of the C stack. */

#include <assert.h>
#include <string.h>

#include "condreq_edit.h"

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
