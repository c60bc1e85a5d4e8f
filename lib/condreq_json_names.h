/* Inside of the JSON codec: an object's members by their names, compared as
 * the strings that they mean. Not installed. */
#ifndef CONDREQ_JSON_NAMES_H
#define CONDREQ_JSON_NAMES_H

#include "condreq_json.h"

/** A member, and what it is sorted by. */
typedef struct condreq_json_name_t {
    /** condreq_json_string_prefix() of the name: decides nearly always */
    apr_uint64_t prefix;
    /** the member's index in json->values */
    apr_size_t member;
} condreq_json_name_t;

/** Members in an order of their names: by the prefix, then bytewise over the
 * unescaped UTF-8. */
typedef struct condreq_json_names_t {
    const condreq_json_t *json;
    const condreq_json_name_t *sorted;
    apr_size_t count;
} condreq_json_names_t;

/**
 * Sorts an object's members by name; n log n comparisons whatever the names are.
 * @param object  index of an object in json->values
 */
condreq_json_names_t condreq_json_names_sort(const condreq_json_t *json,
                                             apr_size_t object,
                                             apr_pool_t *pool);

/**
 * Finds the member that has a name.
 * @param name    a valid JSON string with its quotes
 * @param length  bytes in name
 * @return its index in json->values, 0 (which is no member) for none
 */
apr_size_t condreq_json_names_find(const condreq_json_names_t *names,
                                   const char *name, apr_size_t length);

/**
 * The first member in an object whose name an earlier one has.
 * @param pool  room to sort in, given back before the return
 * @return its index in json->values, 0 (which is no member) for none
 */
apr_size_t condreq_json_names_repeated(const condreq_json_t *json,
                                       apr_size_t object, apr_pool_t *pool);

#endif
