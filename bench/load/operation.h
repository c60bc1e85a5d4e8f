/* Operations: what a request says, and what an answer to it means.
 * Knows the fields of conditional requests, and etcd's words for the same;
 * no socket, no clock. */
#ifndef BENCH_OPERATION_H
#define BENCH_OPERATION_H

#include "connection.h"
#include "tally.h"

#define OPERATION_TAG_SIZE 96

/** What all requests of a run have in common. */
typedef struct operation_setting_t {
    const char *host;
    /** before a document's number; a collection where documents are posted */
    const char *path;
    /** after it */
    const char *suffix;
    /** field lines that are sent along, each with its CRLF */
    const char *fields;
    const char *content;
    size_t content_length;
    /** what the documents themselves have, where the content wraps them */
    size_t document_length;
} operation_setting_t;

typedef struct operation_t {
    const char *name;
    /** Writes the request.
     * @param tag  of the version that the client has, empty for none */
    void (*ask)(connection_t *connection, const operation_setting_t *setting,
                unsigned document, const char *tag);
    /** Reads the answer. @param tag  replaced where the answer has one */
    tally_outcome_t (*judge)(const connection_t *connection, char *tag);
    /** the outcome that carries a document from the client */
    int writes;
} operation_t;

/** @return NULL where there is no such operation */
const operation_t *operation_named(const char *name);

/** What the operation's own content is, for a document of this length: JSON.
 * @return from malloc */
char *operation_content(const operation_t *operation,
                        operation_setting_t *setting);

#endif
