/* Inside of the JSON codec: a parsed document whose containers' children are
 * found by their number or name, without a walk each time. Not installed. */
#ifndef CONDREQ_JSON_CHILDREN_H
#define CONDREQ_JSON_CHILDREN_H

#include "apr_hash.h"
#include "condreq_json_names.h"

/** What was learnt of one array or object. */
typedef struct condreq_json_children_t {
    const condreq_json_t *json;
    /** its index in json->values */
    apr_size_t container;
    /** children, numbered from 0 in the order of the text */
    apr_size_t count;
    /** their indexes in json->values; NULL where each is one value, so that
     * they stand side by side */
    const apr_size_t *places;
    /** sorted once a name was looked for */
    condreq_json_names_t names;
    apr_pool_t *pool;
} condreq_json_children_t;

/** A document, and what was learnt of its containers up to now. */
typedef struct condreq_json_index_t {
    const condreq_json_t *json;
    apr_hash_t *containers;
    apr_pool_t *pool;
} condreq_json_index_t;

condreq_json_index_t *condreq_json_index_make(const condreq_json_t *json,
                                              apr_pool_t *pool);

/**
 * The children of a container. Linear in their number the first time.
 * @param container  index of an array or object in json->values
 */
condreq_json_children_t *condreq_json_children_of(condreq_json_index_t *index,
                                                  apr_size_t container);

/** A child's index in json->values, by its number. */
apr_size_t condreq_json_children_place(const condreq_json_children_t *children,
                                       apr_size_t number);

/** Where a child begins: a member with its name. */
apr_size_t condreq_json_children_begin(const condreq_json_children_t *children,
                                       apr_size_t number);

/** Where a child ends. */
apr_size_t condreq_json_children_end(const condreq_json_children_t *children,
                                     apr_size_t number);

/**
 * The number of the member that has a name, children->count for none.
 * @param name  a valid JSON string with its quotes
 */
apr_size_t condreq_json_children_named(condreq_json_children_t *children,
                                       const char *name, apr_size_t length);

#endif
