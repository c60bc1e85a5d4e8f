/* The names of an object's members: their order, one of them, two alike.
 * Knows spans and what strings mean; no parsing, nothing of what members are
 * for. A client chooses the names, so no path here is quadratic. */

#include <string.h>

#include "condreq_json_names.h"
#include "condreq_json_string.h"

/* As many are sorted on the stack; most objects have no more. */
#define FEW 32

static apr_uint64_t name_prefix(const condreq_json_t *json, apr_size_t member)
{
    const condreq_json_span_t *name = &json->values[member].name;

    return condreq_json_string_prefix(json->text + name->begin,
                                      name->end - name->begin);
}

static int name_compare(const condreq_json_t *json,
                        const condreq_json_name_t *a,
                        const condreq_json_name_t *b)
{
    const condreq_json_span_t *in_a = &json->values[a->member].name;
    const condreq_json_span_t *in_b = &json->values[b->member].name;

    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    return condreq_json_string_compare(
        json->text + in_a->begin, in_a->end - in_a->begin,
        json->text + in_b->begin, in_b->end - in_b->begin);
}

static void names_list(condreq_json_name_t *names, const condreq_json_t *json,
                       apr_size_t object)
{
    const condreq_json_value_t *values = json->values;
    apr_size_t member = object + 1;
    apr_size_t i;

    for (i = 0; i < values[object].children; i++) {
        names[i].prefix = name_prefix(json, member);
        names[i].member = member;
        member += values[member].size;
    }
}

/* Two neighbouring runs become one; of equals the earlier stays first. */
static void runs_merge(condreq_json_name_t *to, const condreq_json_name_t *a,
                       const condreq_json_name_t *b,
                       const condreq_json_name_t *end,
                       const condreq_json_t *json)
{
    const condreq_json_name_t *a_end = b;

    while (a != a_end && b != end)
        *to++ = name_compare(json, a, b) <= 0 ? *a++ : *b++;
    memcpy(to, a, (apr_size_t)(a_end - a) * sizeof(*a));
    to += a_end - a;
    memcpy(to, b, (apr_size_t)(end - b) * sizeof(*b));
}

/* Bottom-up merge sort: libc's qsort() promises no n log n, and no order of
 * equals. Returns the one of the two arrays that ends up sorted. */
static condreq_json_name_t *names_order(condreq_json_name_t *names,
                                        condreq_json_name_t *spare,
                                        apr_size_t count,
                                        const condreq_json_t *json)
{
    condreq_json_name_t *swap;
    apr_size_t run, begin, middle, end;

    for (run = 1; run < count; run *= 2) {
        for (begin = 0; begin < count; begin = end) {
            middle = count - begin > run ? begin + run : count;
            end = count - middle > run ? middle + run : count;
            runs_merge(spare + begin, names + begin, names + middle,
                       names + end, json);
        }
        swap = names;
        names = spare;
        spare = swap;
    }
    return names;
}

condreq_json_names_t condreq_json_names_sort(const condreq_json_t *json,
                                             apr_size_t object,
                                             apr_pool_t *pool)
{
    condreq_json_names_t names;
    condreq_json_name_t *list;

    names.json = json;
    names.count = json->values[object].children;
    list = apr_palloc(pool, 2 * names.count * sizeof(*list));
    names_list(list, json, object);
    names.sorted = names_order(list, list + names.count, names.count, json);
    return names;
}

static int compare_with(const condreq_json_names_t *names, apr_size_t i,
                        apr_uint64_t prefix, const char *name,
                        apr_size_t length)
{
    const condreq_json_name_t *other = &names->sorted[i];
    const condreq_json_span_t *span = &names->json->values[other->member].name;

    if (prefix != other->prefix)
        return prefix < other->prefix ? -1 : 1;
    return condreq_json_string_compare(
        name, length, names->json->text + span->begin, span->end - span->begin);
}

apr_size_t condreq_json_names_find(const condreq_json_names_t *names,
                                   const char *name, apr_size_t length)
{
    apr_uint64_t prefix = condreq_json_string_prefix(name, length);
    apr_size_t low = 0;
    apr_size_t high = names->count;
    apr_size_t middle;
    int order;

    while (low < high) {
        middle = low + (high - low) / 2;
        order = compare_with(names, middle, prefix, name, length);
        if (order == 0)
            return names->sorted[middle].member;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return 0;
}

static apr_size_t first_repeated(const condreq_json_t *json,
                                 const condreq_json_name_t *sorted,
                                 apr_size_t count)
{
    apr_size_t first = 0;
    apr_size_t i, member;

    for (i = 1; i < count; i++) {
        member = sorted[i].member;
        if ((!first || member < first) &&
            name_compare(json, &sorted[i - 1], &sorted[i]) == 0)
            first = member;
    }
    return first;
}

apr_size_t condreq_json_names_repeated(const condreq_json_t *json,
                                       apr_size_t object, apr_pool_t *pool)
{
    condreq_json_name_t few[2 * FEW];
    apr_size_t count = json->values[object].children;
    condreq_json_names_t names;
    apr_pool_t *scratch;
    apr_size_t first;

    if (count <= FEW) {
        names_list(few, json, object);
        return first_repeated(json, names_order(few, few + FEW, count, json),
                              count);
    }
    apr_pool_create(&scratch, pool);
    names = condreq_json_names_sort(json, object, scratch);
    first = first_repeated(json, names.sorted, count);
    apr_pool_destroy(scratch);
    return first;
}
