/* One connection of HTTP/1.1 that never blocks.
 * Knows messages (RFC 9112), as far as the servers of this bench send them:
 * with Content-Length, never in chunks. */
#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tally.h"

void connection_open(connection_t *connection,
                     const struct sockaddr_in *address)
{
    int on = 1;

    connection->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (const struct sockaddr *)address,
                sizeof(*address)) != 0)
        tally_die("connect", strerror(errno));
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    fcntl(connection->fd, F_SETFL, O_NONBLOCK);
    connection_reset(connection);
}

void connection_reset(connection_t *connection)
{
    connection->sent = 0;
    connection->answer_length = 0;
    connection->fields_length = 0;
    connection->status = 0;
    connection->closes = 0;
    connection->content_announced = 0;
    connection->content_received = 0;
}

int connection_send(connection_t *connection)
{
    size_t head = connection->head_length;
    size_t whole = head + connection->content_length;

    while (connection->sent < whole) {
        size_t sent = connection->sent;
        struct iovec parts[2];
        ssize_t got;

        parts[0].iov_base = connection->head + (sent < head ? sent : head);
        parts[0].iov_len = sent < head ? head - sent : 0;
        parts[1].iov_base =
            (char *)connection->content + (sent > head ? sent - head : 0);
        parts[1].iov_len = whole - (sent > head ? sent : head);
        got = writev(connection->fd, parts, parts[1].iov_len ? 2 : 1);
        if (got < 0)
            return errno == EAGAIN ? 0 : -1;
        connection->sent += (size_t)got;
    }
    return 1;
}

const char *connection_field(const connection_t *connection, const char *name,
                             char *room, size_t size)
{
    const char *at = connection->answer;
    const char *end = at + connection->fields_length;
    size_t name_length = strlen(name), length;

    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL && ++at < end) {
        if (strncasecmp(at, name, name_length) != 0 || at[name_length] != ':')
            continue;
        at += name_length + 1;
        at += strspn(at, " ");
        length = strcspn(at, "\r\n");
        if (length >= size)
            return NULL;
        memcpy(room, at, length);
        room[length] = '\0';
        return room;
    }
    return NULL;
}

static int has_no_content(int status)
{
    return status == 204 || status == 304;
}

static void read_fields(connection_t *connection, size_t fields_length)
{
    char room[64];
    const char *value;

    connection->fields_length = fields_length;
    connection->status =
        atoi(connection->answer + strcspn(connection->answer, " \r\n"));
    if (connection_field(connection, "Transfer-Encoding", room, sizeof(room)))
        tally_die("an answer in chunks", "this client does not read them");
    value = connection_field(connection, "Content-Length", room, sizeof(room));
    if (value && !has_no_content(connection->status))
        connection->content_announced = strtoull(value, NULL, 10);
    value = connection_field(connection, "Connection", room, sizeof(room));
    connection->closes = value && strcasecmp(value, "close") == 0;
}

/* Takes what came; once all fields have, the rest is content. */
static int take(connection_t *connection, const char *bytes, size_t length)
{
    size_t room = sizeof(connection->answer) - 1 - connection->answer_length;
    size_t kept = length < room ? length : room;
    char *end;

    memcpy(connection->answer + connection->answer_length, bytes, kept);
    connection->answer_length += kept;
    connection->answer[connection->answer_length] = '\0';
    if (connection->fields_length) {
        connection->content_received += length;
        return 0;
    }
    end = strstr(connection->answer, "\r\n\r\n");
    if (!end)
        return room > length ? 0 : -1;
    end += 4;
    read_fields(connection, (size_t)(end - connection->answer));
    connection->content_received =
        length - kept + connection->answer_length - connection->fields_length;
    return 0;
}

int connection_receive(connection_t *connection)
{
    static char bytes[256 * 1024];

    for (;;) {
        ssize_t got = read(connection->fd, bytes, sizeof(bytes));

        if (got == 0)
            return -1;
        if (got < 0)
            return errno == EAGAIN ? 0 : -1;
        if (take(connection, bytes, (size_t)got) != 0)
            return -1;
        if (connection->fields_length &&
            connection->content_received >= connection->content_announced)
            return 1;
    }
}
