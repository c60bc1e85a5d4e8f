/* A parsed document's containers, opened: children by number and by name.
 * Knows spans and names; learns of a container when it is first asked, so
 * that what no one names costs nothing. */

#include "condreq_json_children.h"

/* Up to so many names are compared one by one. */
#define FEW 16

condreq_json_index_t *condreq_json_index_make(const condreq_json_t *json,
                                              apr_pool_t *pool)
{
    condreq_json_index_t *index = apr_palloc(pool, sizeof(*index));

    index->json = json;
    index->containers = apr_hash_make(pool);
    index->pool = pool;
    return index;
}

static const apr_size_t *list_places(const condreq_json_t *json,
                                     apr_size_t container, apr_pool_t *pool)
{
    const condreq_json_value_t *values = json->values;
    apr_size_t count = values[container].children;
    apr_size_t place = container + 1;
    apr_size_t *places;
    apr_size_t i;

    if (values[container].size == count + 1)
        return NULL;
    places = apr_palloc(pool, count * sizeof(*places));
    for (i = 0; i < count; i++) {
        places[i] = place;
        place += values[place].size;
    }
    return places;
}

condreq_json_children_t *condreq_json_children_of(condreq_json_index_t *index,
                                                  apr_size_t container)
{
    condreq_json_children_t *children =
        apr_hash_get(index->containers, &container, sizeof(container));

    if (children)
        return children;
    children = apr_palloc(index->pool, sizeof(*children));
    children->json = index->json;
    children->container = container;
    children->count = index->json->values[container].children;
    children->places = list_places(index->json, container, index->pool);
    children->names.sorted = NULL;
    children->pool = index->pool;
    apr_hash_set(index->containers, &children->container, sizeof(container),
                 children);
    return children;
}

apr_size_t condreq_json_children_place(const condreq_json_children_t *children,
                                       apr_size_t number)
{
    return children->places ? children->places[number]
                            : children->container + 1 + number;
}

static const condreq_json_value_t *
child(const condreq_json_children_t *children, apr_size_t number)
{
    return &children->json
                ->values[condreq_json_children_place(children, number)];
}

apr_size_t condreq_json_children_begin(const condreq_json_children_t *children,
                                       apr_size_t number)
{
    const condreq_json_value_t *value = child(children, number);

    return value->name.end ? value->name.begin : value->text.begin;
}

apr_size_t condreq_json_children_end(const condreq_json_children_t *children,
                                     apr_size_t number)
{
    return child(children, number)->text.end;
}

static apr_size_t named_among_few(const condreq_json_children_t *children,
                                  const char *name, apr_size_t length)
{
    const condreq_json_span_t *other;
    apr_size_t number;

    for (number = 0; number < children->count; number++) {
        other = &child(children, number)->name;
        if (condreq_json_string_compare(name, length,
                                        children->json->text + other->begin,
                                        other->end - other->begin) == 0)
            break;
    }
    return number;
}

/* The places ascend with the numbers. */
static apr_size_t number_at(const condreq_json_children_t *children,
                            apr_size_t place)
{
    apr_size_t low = 0;
    apr_size_t high = children->count - 1;
    apr_size_t middle;

    while (low < high) {
        middle = low + (high - low) / 2;
        if (condreq_json_children_place(children, middle) < place)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

apr_size_t condreq_json_children_named(condreq_json_children_t *children,
                                       const char *name, apr_size_t length)
{
    apr_size_t place;

    if (children->count <= FEW)
        return named_among_few(children, name, length);
    if (!children->names.sorted)
        children->names = condreq_json_names_sort(
            children->json, children->container, children->pool);
    place = condreq_json_names_find(&children->names, name, length);
    return place ? number_at(children, place) : children->count;
}
