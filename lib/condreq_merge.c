/* JSON Merge Patch, RFC 7396 section 2, written from text to text.
 * Knows objects' members and where they stand; no tree is built or printed,
 * and no level of the documents is a level of the C stack. */

#include <assert.h>
#include <string.h>

#include "condreq_json_names.h"
#include "condreq_merge.h"

/* One object of the result that is being written. Its text is that of an
 * object of the target, or, where the target has none to merge with, that of
 * the patch's own object without its nulls. */
typedef struct frame_t {
    const condreq_json_t *base;
    /* the base is the patch's own object */
    int is_new;
    /* the base's next member, and what is behind its last one */
    apr_size_t member;
    apr_size_t members_end;
    /* end of the base's last member that was passed, and of the object */
    apr_size_t passed;
    apr_size_t text_end;
    /* the patch's object for it, where the base is the target's */
    condreq_json_names_t changes;
    apr_size_t change;
    apr_size_t changes_end;
    /* a member was written, so that the next one needs a comma */
    int has_member;
    struct frame_t *outer;
    /* kept for the next object inside this one */
    struct frame_t *inner;
} frame_t;

typedef struct merge_t {
    const condreq_json_t *target;
    const condreq_json_t *patch;
    const condreq_members_t *protect;
    /* for each value of the patch: a member of the target took it */
    char *met;
    frame_t *frame;
    char *out;
    apr_size_t length;
    /* room in out */
    apr_size_t room;
    apr_pool_t *scratch;
} merge_t;

static int is_null(const condreq_json_t *json, apr_size_t index)
{
    return json->values[index].type == CONDREQ_JSON_NULL;
}

static int is_object(const condreq_json_t *json, apr_size_t index)
{
    return json->values[index].type == CONDREQ_JSON_OBJECT;
}

static void write_bytes(merge_t *merge, const char *bytes, apr_size_t length)
{
    assert(length <= merge->room - merge->length);
    memcpy(merge->out + merge->length, bytes, length);
    merge->length += length;
}

static void write_span(merge_t *merge, const condreq_json_t *json,
                       apr_size_t begin, apr_size_t end)
{
    write_bytes(merge, json->text + begin, end - begin);
}

static void write_value(merge_t *merge, const condreq_json_t *json,
                        apr_size_t index)
{
    const condreq_json_span_t *text = &json->values[index].text;

    write_span(merge, json, text->begin, text->end);
}

static frame_t *frame_push(merge_t *merge)
{
    frame_t *outer = merge->frame;
    frame_t *frame = outer ? outer->inner : NULL;

    if (!frame) {
        frame = apr_palloc(merge->scratch, sizeof(*frame));
        frame->outer = outer;
        frame->inner = NULL;
        if (outer)
            outer->inner = frame;
    }
    merge->frame = frame;
    return frame;
}

/* Begins an object with the base's brace and the white space behind it. */
static frame_t *begin_object(merge_t *merge, const condreq_json_t *base,
                             apr_size_t object)
{
    const condreq_json_value_t *value = &base->values[object];
    frame_t *frame = frame_push(merge);

    frame->base = base;
    frame->is_new = 1;
    frame->member = object + 1;
    frame->members_end = object + value->size;
    frame->passed = value->children ? base->values[object + 1].name.begin
                                    : value->text.begin + 1;
    frame->text_end = value->text.end;
    frame->change = frame->changes_end = 0;
    frame->has_member = 0;
    write_span(merge, base, value->text.begin, frame->passed);
    return frame;
}

/* MergePatch(object, change) of RFC 7396, both objects. */
static void begin_merged(merge_t *merge, apr_size_t object, apr_size_t change)
{
    frame_t *frame = begin_object(merge, merge->target, object);

    frame->is_new = 0;
    frame->changes =
        condreq_json_names_sort(merge->patch, change, merge->scratch);
    frame->change = change + 1;
    frame->changes_end = change + merge->patch->values[change].size;
}

static int is_protected(const merge_t *merge, const condreq_json_t *json,
                        const condreq_json_value_t *member)
{
    return !merge->frame->outer && merge->protect &&
           condreq_members_have(merge->protect, json->text + member->name.begin,
                                member->name.end - member->name.begin);
}

/* MergePatch(no object, change): of an object all but the nulls. */
static void write_new(merge_t *merge, apr_size_t change)
{
    if (is_object(merge->patch, change))
        begin_object(merge, merge->patch, change);
    else
        write_value(merge, merge->patch, change);
}

/* The patch's member for one of the target's; 0: it says nothing of it. */
static apr_size_t change_of(const merge_t *merge,
                            const condreq_json_value_t *member)
{
    const condreq_json_t *target = merge->target;
    apr_size_t change;

    change = condreq_json_names_find(&merge->frame->changes,
                                     target->text + member->name.begin,
                                     member->name.end - member->name.begin);
    return change && is_protected(merge, target, member) ? 0 : change;
}

/* Goes behind the base's next member. If that stays, all is written but its
 * value; if it goes, the comma before it goes too, or, where it is the first,
 * the comma behind it. */
static void pass_member(merge_t *merge, int stays)
{
    frame_t *frame = merge->frame;
    const condreq_json_t *base = frame->base;
    const condreq_json_value_t *value = &base->values[frame->member];

    if (stays && frame->has_member)
        write_span(merge, base, frame->passed, value->name.begin);
    if (stays)
        write_span(merge, base, value->name.begin, value->text.begin);
    frame->has_member |= stays;
    frame->passed = value->text.end;
    frame->member += value->size;
}

static void step_new(merge_t *merge)
{
    const condreq_json_t *patch = merge->patch;
    apr_size_t member = merge->frame->member;
    int stays = !is_null(patch, member) &&
                !is_protected(merge, patch, &patch->values[member]);

    pass_member(merge, stays);
    if (stays)
        write_new(merge, member);
}

static void step_merged(merge_t *merge)
{
    const condreq_json_t *target = merge->target;
    apr_size_t member = merge->frame->member;
    apr_size_t change = change_of(merge, &target->values[member]);
    int stays = !change || !is_null(merge->patch, change);

    pass_member(merge, stays);
    if (!stays)
        return;
    if (!change) {
        write_value(merge, target, member);
        return;
    }
    merge->met[change] = 1;
    if (is_object(target, member) && is_object(merge->patch, change))
        begin_merged(merge, member, change);
    else
        write_new(merge, change);
}

static void step_member(merge_t *merge)
{
    if (merge->frame->is_new)
        step_new(merge);
    else
        step_merged(merge);
}

/* The next member of the patch: written if the target has none of its name
 * and it is not there to remove one. */
static void step_change(merge_t *merge)
{
    frame_t *frame = merge->frame;
    const condreq_json_t *patch = merge->patch;
    apr_size_t change = frame->change;
    const condreq_json_value_t *value = &patch->values[change];

    frame->change += value->size;
    if (merge->met[change] || is_null(patch, change) ||
        is_protected(merge, patch, value))
        return;
    if (frame->has_member)
        write_bytes(merge, ",", 1);
    frame->has_member = 1;
    write_span(merge, patch, value->name.begin, value->name.end);
    write_bytes(merge, ":", 1);
    write_new(merge, change);
}

static void end_object(merge_t *merge)
{
    frame_t *frame = merge->frame;

    write_span(merge, frame->base, frame->passed, frame->text_end);
    merge->frame = frame->outer;
}

static void write_objects(merge_t *merge)
{
    const frame_t *frame;

    while ((frame = merge->frame) != NULL) {
        if (frame->member != frame->members_end)
            step_member(merge);
        else if (frame->change != frame->changes_end)
            step_change(merge);
        else
            end_object(merge);
    }
}

/* With the white space around the document whose text is kept. */
static void write_document(merge_t *merge)
{
    int merged = merge->target && is_object(merge->target, 0) &&
                 is_object(merge->patch, 0);
    const condreq_json_t *base = merged ? merge->target : merge->patch;

    write_span(merge, base, 0, base->values[0].text.begin);
    if (merged)
        begin_merged(merge, 0, 0);
    else
        write_new(merge, 0);
    write_objects(merge);
    write_span(merge, base, base->values[0].text.end, base->length);
}

condreq_merge_verdict_t
condreq_merge_apply(const char **text, apr_size_t *length,
                    const condreq_json_t *target, const condreq_json_t *patch,
                    const condreq_members_t *protect, apr_size_t max_length,
                    apr_pool_t *pool)
{
    merge_t merge = {0};

    merge.target = target;
    merge.patch = patch;
    merge.protect = protect;
    /* every byte of the result stands in one of the two, for a new member's
     * comma in the place of its brace or comma in the patch */
    merge.room = patch->length + (target ? target->length : 0);
    merge.out = apr_palloc(pool, merge.room);
    apr_pool_create(&merge.scratch, pool);
    merge.met = apr_pcalloc(merge.scratch, patch->count);
    write_document(&merge);
    apr_pool_destroy(merge.scratch);
    if (merge.length > max_length)
        return CONDREQ_MERGE_TOO_LARGE;
    *text = merge.out;
    *length = merge.length;
    return CONDREQ_MERGE_DONE;
}
