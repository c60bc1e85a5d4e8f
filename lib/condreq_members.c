/* Server members, set by splicing text at a document's top level.
 * Knows names, places and the three values; no store, clock or request, and
 * nothing of what the client's own members mean. */

#include <assert.h>
#include <string.h>

#include "apr_strings.h"
#include "condreq_date.h"
#include "condreq_members.h"

/* In the order in which missing ones are written. */
enum { ID, VERSION, UPDATED_AT, MEMBERS };

/* The result as a list of pieces: what stands before, a new id, what stands
 * up to each replaced value and its replacement, what stands up to the last
 * member's end, two new members, and the rest. */
#define PIECES_MAX (2 + 2 * MEMBERS + 1 + 2 + 1)

typedef struct splice_t {
    const condreq_json_t *object;
    const char *names[MEMBERS];
    const char *values[MEMBERS];
    /* the client sent it */
    int sent[MEMBERS];
    /* bytes of the object's text that stand in the pieces */
    apr_size_t taken;
    struct iovec pieces[PIECES_MAX];
    apr_size_t count;
    apr_pool_t *pool;
} splice_t;

static void list_names(const char *names[MEMBERS],
                       const condreq_members_t *members)
{
    names[ID] = members->id;
    names[VERSION] = members->version;
    names[UPDATED_AT] = members->updated_at;
}

static void list_values(const char *values[MEMBERS],
                        const condreq_member_values_t *given, apr_pool_t *pool)
{
    char date[CONDREQ_DATE_RFC3339_SIZE];

    condreq_date_rfc3339(date, given->updated_at_us);
    values[ID] = given->id_json;
    values[VERSION] = apr_psprintf(pool, "%" APR_UINT64_T_FMT, given->version);
    values[UPDATED_AT] = condreq_json_quote(date, pool);
}

/* Which of the server's members has this name; MEMBERS: none. */
static int which_member(const char *const names[MEMBERS], const char *name,
                        apr_size_t length)
{
    int which;

    for (which = 0; which < MEMBERS; which++) {
        if (names[which] && condreq_json_string_is(name, length, names[which]))
            break;
    }
    return which;
}

int condreq_members_none(const condreq_members_t *members)
{
    return !members->id && !members->version && !members->updated_at;
}

int condreq_members_have(const condreq_members_t *members, const char *name,
                         apr_size_t length)
{
    const char *names[MEMBERS];

    list_names(names, members);
    return which_member(names, name, length) != MEMBERS;
}

static void add_piece(splice_t *splice, const char *bytes, apr_size_t length)
{
    struct iovec *piece = &splice->pieces[splice->count++];

    assert(splice->count <= PIECES_MAX);
    piece->iov_base = (void *)bytes;
    piece->iov_len = length;
}

/* The object's own text, up to a place in it. */
static void take_until(splice_t *splice, apr_size_t end)
{
    add_piece(splice, splice->object->text + splice->taken,
              end - splice->taken);
    splice->taken = end;
}

static void replace_sent(splice_t *splice)
{
    const condreq_json_t *object = splice->object;
    const condreq_json_value_t *value;
    apr_size_t i;
    int which;

    for (i = 1; i < object->count; i += value->size) {
        value = &object->values[i];
        which = which_member(splice->names, object->text + value->name.begin,
                             value->name.end - value->name.begin);
        if (which == MEMBERS)
            continue;
        take_until(splice, value->text.begin);
        add_piece(splice, splice->values[which], strlen(splice->values[which]));
        splice->taken = value->text.end;
        splice->sent[which] = 1;
    }
}

static const char *new_member(const splice_t *splice, int which,
                              const char *before, const char *behind)
{
    return apr_pstrcat(splice->pool, before,
                       condreq_json_quote(splice->names[which], splice->pool),
                       ": ", splice->values[which], behind, NULL);
}

static int is_missing(const splice_t *splice, int which)
{
    return splice->names[which] && !splice->sent[which];
}

/* Where the first member's name begins and the last one's value ends: new
 * ones go between these and the braces' white space. */
static condreq_json_span_t inside(const condreq_json_t *object)
{
    condreq_json_span_t span;
    apr_size_t i;

    span.begin = span.end = object->values[0].text.begin + 1;
    if (object->count > 1)
        span.begin = object->values[1].name.begin;
    for (i = 1; i < object->count; i += object->values[i].size)
        span.end = object->values[i].text.end;
    return span;
}

/* What goes behind the client's last member, or alone into the braces. */
static void add_behind(splice_t *splice, int one_stands_before)
{
    const char *member;
    int which;

    for (which = VERSION; which < MEMBERS; which++) {
        if (!is_missing(splice, which))
            continue;
        member = new_member(splice, which, one_stands_before ? ", " : "", "");
        add_piece(splice, member, strlen(member));
        one_stands_before = 1;
    }
}

static void splice_pieces(splice_t *splice)
{
    const condreq_json_t *object = splice->object;
    condreq_json_span_t members = inside(object);
    int has_own = object->count > 1;
    struct iovec *id;
    const char *member;

    take_until(splice, members.begin);
    /* whether the client sent one is known only further down */
    id = &splice->pieces[splice->count];
    add_piece(splice, "", 0);
    replace_sent(splice);
    take_until(splice, members.end);
    if (is_missing(splice, ID)) {
        member = new_member(splice, ID, "", has_own ? ", " : "");
        id->iov_base = (void *)member;
        id->iov_len = strlen(member);
    }
    add_behind(splice, has_own || is_missing(splice, ID));
    take_until(splice, object->length);
}

void condreq_members_splice(const char **text, apr_size_t *length,
                            const condreq_json_t *object,
                            const condreq_members_t *members,
                            const condreq_member_values_t *values,
                            apr_pool_t *pool)
{
    splice_t splice = {0};

    assert(condreq_json_is_object(object));
    splice.object = object;
    splice.pool = pool;
    list_names(splice.names, members);
    list_values(splice.values, values, pool);
    splice_pieces(&splice);
    *text = apr_pstrcatv(pool, splice.pieces, splice.count, length);
}
