/* One connection of HTTP/1.1 to this machine that never blocks.
 * Knows messages: where one ends, what its status and fields are (RFC 9112);
 * not what they mean. */
#ifndef BENCH_CONNECTION_H
#define BENCH_CONNECTION_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

typedef struct connection_t {
    int fd;
    /** the request: fields of its own, and content that is shared */
    char head[2048];
    size_t head_length;
    const char *content;
    size_t content_length;
    size_t sent;
    /** the answer's first bytes: all of its fields, some of its content */
    char answer[16384];
    size_t answer_length;
    /** 0 until all fields have come */
    size_t fields_length;
    int status;
    int closes;
    uint64_t content_announced;
    uint64_t content_received;
} connection_t;

/** Connects, or ends the program. */
void connection_open(connection_t *connection,
                     const struct sockaddr_in *address);

/** Forgets the answer before, ahead of a new request. */
void connection_reset(connection_t *connection);

/** @return 1 all is sent, 0 the socket is full, -1 the connection is lost */
int connection_send(connection_t *connection);

/** @return 1 the answer is whole, 0 more is to come, -1 it is lost */
int connection_receive(connection_t *connection);

/** A field of the answer. @return its value in room, or NULL */
const char *connection_field(const connection_t *connection, const char *name,
                             char *room, size_t size);

#endif
