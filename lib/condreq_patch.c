/* JSON Patch, RFC 6902: operations read, then carried out in their order.
 * Knows what an operation consists of and what it asks; the document with its
 * places and lengths is an edit's, and no text is touched here. */

#include "condreq_edit.h"

typedef struct patch_t patch_t;
typedef struct operation_t operation_t;

/* One of the six, RFC 6902 section 4. */
typedef struct kind_t {
    const char *name;
    int has_value;
    int has_from;
    int (*run)(patch_t *patch, const operation_t *operation);
} kind_t;

/* A pointer, and the value of the patch that it stands in. */
typedef struct location_t {
    condreq_pointer_t pointer;
    apr_size_t place;
} location_t;

struct operation_t {
    const kind_t *kind;
    location_t path;
    /* of a move and a copy */
    location_t from;
    /* of an add, a replace and a test: its place in the patch */
    apr_size_t value;
};

struct patch_t {
    condreq_json_index_t *document;
    condreq_edit_t edit;
    const condreq_members_t *protect;
    operation_t *operations;
    apr_size_t count;
    /* after which the document was no object any more; NULL: none */
    const operation_t *last_to_end_object;
    condreq_patch_fault_t *fault;
    apr_pool_t *scratch;
};

/* ---- carried out ---- */

/* What is refused from here on is refused for this pointer. */
static const condreq_pointer_t *point_at(patch_t *patch,
                                         const location_t *location)
{
    const condreq_json_t *json = patch->document->json;
    const condreq_json_span_t *text = &json->values[location->place].text;

    patch->fault->pointer = json->text + text->begin;
    patch->fault->pointer_length = text->end - text->begin;
    return &location->pointer;
}

static int root_is_object(const patch_t *patch)
{
    return condreq_edited_text(&patch->edit.root)->type == CONDREQ_JSON_OBJECT;
}

static int is_protected(const patch_t *patch, const condreq_pointer_t *pointer)
{
    return patch->protect && pointer->count && root_is_object(patch) &&
           condreq_members_have(patch->protect, pointer->tokens[0].text,
                                pointer->tokens[0].length);
}

static int fail(patch_t *patch, const char *reason)
{
    return condreq_edit_refuse(&patch->edit, CONDREQ_PATCH_FAILED, reason);
}

/* The same for a location that an operation is to write: a server member is
 * no such one, nor is anything inside it. */
static const condreq_pointer_t *point_to_write(patch_t *patch,
                                               const location_t *location)
{
    const condreq_pointer_t *pointer = point_at(patch, location);

    if (!is_protected(patch, pointer))
        return pointer;
    fail(patch, "this member is set by the server");
    return NULL;
}

static condreq_edited_t value_of(const patch_t *patch,
                                 const operation_t *operation)
{
    condreq_edited_t value = {patch->document, operation->value, NULL};

    return value;
}

static int add(patch_t *patch, const location_t *location,
               const condreq_edited_t *value)
{
    const condreq_pointer_t *pointer = point_to_write(patch, location);

    return pointer && condreq_edit_add(&patch->edit, pointer, value);
}

static int run_add(patch_t *patch, const operation_t *operation)
{
    condreq_edited_t value = value_of(patch, operation);

    return add(patch, &operation->path, &value);
}

static int run_remove(patch_t *patch, const operation_t *operation)
{
    const condreq_pointer_t *pointer = point_to_write(patch, &operation->path);
    condreq_edited_t removed;

    return pointer && condreq_edit_remove(&patch->edit, pointer, &removed);
}

static int run_replace(patch_t *patch, const operation_t *operation)
{
    const condreq_pointer_t *pointer = point_to_write(patch, &operation->path);
    condreq_edited_t value = value_of(patch, operation);

    return pointer && condreq_edit_replace(&patch->edit, pointer, &value);
}

/* "The 'from' location MUST NOT be a proper prefix of the 'path' location";
 * where they are one, an object's member must not lose its place. */
static int run_move(patch_t *patch, const operation_t *operation)
{
    const condreq_pointer_t *from = point_to_write(patch, &operation->from);
    const condreq_pointer_t *path = &operation->path.pointer;
    condreq_edited_t value;

    if (!from)
        return 0;
    if (condreq_pointer_begins(from, path)) {
        if (from->count != path->count)
            return fail(patch, "a value cannot be moved into itself");
        return condreq_edit_find(&patch->edit, from, &value);
    }
    return condreq_edit_remove(&patch->edit, from, &value) &&
           add(patch, &operation->path, &value);
}

static int run_copy(patch_t *patch, const operation_t *operation)
{
    condreq_edited_t value;

    if (!condreq_edit_find(&patch->edit, point_at(patch, &operation->from),
                           &value))
        return 0;
    condreq_edited_share(&value);
    return add(patch, &operation->path, &value);
}

static int run_test(patch_t *patch, const operation_t *operation)
{
    condreq_edited_t expected = value_of(patch, operation);
    condreq_edited_t value;

    if (!condreq_edit_find(&patch->edit, point_at(patch, &operation->path),
                           &value))
        return 0;
    if (condreq_edit_equal(&patch->edit, &value, &expected))
        return 1;
    /* or the work was too much */
    return patch->edit.verdict == CONDREQ_PATCH_DONE
               ? fail(patch, "the test is false")
               : 0;
}

static int run_operations(patch_t *patch)
{
    const operation_t *operation;
    apr_size_t i;

    for (i = 0; i < patch->count; i++) {
        int was_object = root_is_object(patch);

        operation = &patch->operations[i];
        patch->fault->operation = i;
        if (!operation->kind->run(patch, operation))
            return 0;
        if (was_object && !root_is_object(patch))
            patch->last_to_end_object = operation;
    }
    return 1;
}

/* On the way the document may be anything; in the end the server's members
 * need an object to stand in. */
static int remains_object(patch_t *patch)
{
    const operation_t *last = patch->last_to_end_object;

    if (!patch->protect || condreq_members_none(patch->protect) || !last ||
        root_is_object(patch))
        return 1;
    patch->fault->operation = (apr_size_t)(last - patch->operations);
    point_at(patch, &last->path);
    return fail(patch, "a document here is an object");
}

/* ---- read ---- */

static const kind_t kinds[] = {
    {"add", 1, 0, run_add},         {"remove", 0, 0, run_remove},
    {"replace", 1, 0, run_replace}, {"move", 0, 1, run_move},
    {"copy", 0, 1, run_copy},       {"test", 1, 0, run_test},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int malformed(patch_t *patch, const char *reason)
{
    return condreq_edit_refuse(&patch->edit, CONDREQ_PATCH_MALFORMED, reason);
}

static int span_is(const patch_t *patch, condreq_json_span_t span,
                   const char *bytes)
{
    return condreq_json_string_is(patch->document->json->text + span.begin,
                                  span.end - span.begin, bytes);
}

static int read_kind(patch_t *patch, operation_t *operation, apr_size_t place)
{
    const condreq_json_value_t *value = &patch->document->json->values[place];
    apr_size_t i;

    if (!place)
        return malformed(patch, "an operation without \"op\"");
    if (value->type != CONDREQ_JSON_STRING)
        return malformed(patch, "an \"op\" that is no string");
    for (i = 0; i < KINDS; i++) {
        if (span_is(patch, value->text, kinds[i].name))
            break;
    }
    if (i == KINDS)
        return malformed(patch, "an \"op\" that is none of RFC 6902");
    operation->kind = &kinds[i];
    return 1;
}

static int read_location(patch_t *patch, location_t *location, apr_size_t place,
                         const char *missing, const char *no_string)
{
    const condreq_json_t *json = patch->document->json;
    const condreq_json_span_t *text = &json->values[place].text;
    const char *reason;

    if (!place)
        return malformed(patch, missing);
    if (json->values[place].type != CONDREQ_JSON_STRING)
        return malformed(patch, no_string);
    location->place = place;
    point_at(patch, location);
    reason = condreq_pointer_parse(&location->pointer, json->text + text->begin,
                                   text->end - text->begin, patch->scratch);
    return !reason || malformed(patch, reason);
}

/* An operation's members that mean something, as places in the patch; 0: it
 * has none of that name. */
typedef struct members_t {
    apr_size_t op;
    apr_size_t path;
    apr_size_t from;
    apr_size_t value;
} members_t;

/* "Members that are not explicitly defined for the operation in question MUST
 * be ignored". */
static members_t list_members(const patch_t *patch, apr_size_t object)
{
    const condreq_json_value_t *values = patch->document->json->values;
    members_t members = {0};
    apr_size_t place;

    for (place = object + 1; place < object + values[object].size;
         place += values[place].size) {
        if (span_is(patch, values[place].name, "op"))
            members.op = place;
        else if (span_is(patch, values[place].name, "path"))
            members.path = place;
        else if (span_is(patch, values[place].name, "from"))
            members.from = place;
        else if (span_is(patch, values[place].name, "value"))
            members.value = place;
    }
    return members;
}

static int read_operation(patch_t *patch, operation_t *operation,
                          apr_size_t place)
{
    const condreq_json_t *json = patch->document->json;
    members_t members;

    patch->fault->pointer = NULL;
    patch->fault->pointer_length = 0;
    if (json->values[place].type != CONDREQ_JSON_OBJECT)
        return malformed(patch, "an operation that is no object");
    members = list_members(patch, place);
    if (!read_kind(patch, operation, members.op) ||
        !read_location(patch, &operation->path, members.path,
                       "an operation without \"path\"",
                       "a \"path\" that is no string"))
        return 0;
    if (operation->kind->has_from &&
        !read_location(patch, &operation->from, members.from,
                       "an operation without \"from\"",
                       "a \"from\" that is no string"))
        return 0;
    if (operation->kind->has_value && !members.value)
        return malformed(patch, "an operation without \"value\"");
    operation->value = members.value;
    return 1;
}

static int read_operations(patch_t *patch)
{
    const condreq_json_value_t *values = patch->document->json->values;
    apr_size_t place = 1;
    apr_size_t i;

    if (values[0].type != CONDREQ_JSON_ARRAY)
        return malformed(patch, "a patch that is no array");
    patch->count = values[0].children;
    if (patch->count > patch->edit.limits->max_operations) {
        patch->fault->operation = patch->edit.limits->max_operations;
        return condreq_edit_refuse(&patch->edit, CONDREQ_PATCH_TOO_LARGE,
                                   "too many operations");
    }
    patch->operations =
        apr_pcalloc(patch->scratch, patch->count * sizeof(operation_t));
    for (i = 0; i < patch->count; i++, place += values[place].size) {
        patch->fault->operation = i;
        if (!read_operation(patch, &patch->operations[i], place))
            return 0;
    }
    return 1;
}

/* ---- the whole ---- */

static void no_operation(condreq_patch_fault_t *fault)
{
    fault->operation = CONDREQ_PATCH_NO_OPERATION;
    fault->pointer = NULL;
    fault->pointer_length = 0;
}

/* What the operations only made smaller, or did not touch, may still be more
 * than is allowed now. */
static int write_result(patch_t *patch, const char **text, apr_size_t *length,
                        apr_pool_t *pool)
{
    apr_size_t bytes = condreq_edit_length(&patch->edit);
    char *out;

    no_operation(patch->fault);
    if (!condreq_edit_fits(&patch->edit))
        return 0;
    out = apr_palloc(pool, bytes);
    condreq_edit_write(&patch->edit, out);
    *text = out;
    *length = bytes;
    return 1;
}

condreq_patch_verdict_t
condreq_patch_apply(const char **text, apr_size_t *length,
                    const condreq_json_t *target, const condreq_json_t *patch,
                    const condreq_members_t *protect,
                    const condreq_patch_limits_t *limits,
                    condreq_patch_fault_t *fault, apr_pool_t *pool)
{
    patch_t applied = {0};

    apr_pool_create(&applied.scratch, pool);
    applied.document = condreq_json_index_make(patch, applied.scratch);
    applied.protect = protect;
    applied.fault = fault;
    no_operation(fault);
    condreq_edit_begin(&applied.edit,
                       condreq_json_index_make(target, applied.scratch), limits,
                       applied.scratch);
    if (read_operations(&applied) && run_operations(&applied) &&
        remains_object(&applied))
        write_result(&applied, text, length, pool);
    fault->reason = applied.edit.reason;
    apr_pool_destroy(applied.scratch);
    return applied.edit.verdict;
}
