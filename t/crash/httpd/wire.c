/* One connection to the server, and one exchange after another on it.
 * Knows HTTP/1.1 as far as this server speaks it: answers with a length, or
 * without a body. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kill_httpd.h"

void wire_close(wire_t *wire)
{
    if (wire->socket >= 0)
        close(wire->socket);
    wire->socket = -1;
    wire->length = 0;
}

static int connect_wire(wire_t *wire)
{
    struct sockaddr_in address;
    int on = 1;

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)server_port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    wire->length = 0;
    wire->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (wire->socket < 0)
        return 0;
    setsockopt(wire->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(wire->socket, (struct sockaddr *)&address, sizeof address) == 0)
        return 1;
    wire_close(wire);
    return 0;
}

static int send_all(wire_t *wire, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(wire->socket, bytes, length, MSG_NOSIGNAL);

        if (sent <= 0)
            return 0;
        bytes += sent;
        length -= (size_t)sent;
    }
    return 1;
}

static int send_request(wire_t *wire, const request_t *request)
{
    char head[512];
    int length = snprintf(
        head, sizeof head, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s%s%s",
        request->method, request->path, request->field ? request->field : "",
        request->field ? "\r\n" : "",
        request->body ? "Content-Type: application/json\r\n" : "");

    if (request->body)
        length += snprintf(head + length, sizeof head - (size_t)length,
                           "Content-Length: %zu\r\n", request->length);
    length += snprintf(head + length, sizeof head - (size_t)length, "\r\n");
    if (!send_all(wire, head, (size_t)length))
        return 0;
    pause_us(request->pause_us);
    return !request->body || send_all(wire, request->body, request->length);
}

/* @return is there more? */
static int receive(wire_t *wire, int64_t until_us)
{
    struct pollfd polled = {wire->socket, POLLIN, 0};
    size_t room = sizeof wire->bytes - wire->length - 1;
    int64_t rest_us = until_us - now_us();
    ssize_t got;

    if (room == 0 || rest_us <= 0 ||
        poll(&polled, 1, (int)(rest_us / 1000) + 1) <= 0)
        return 0;
    got = recv(wire->socket, wire->bytes + wire->length, room, 0);
    if (got <= 0)
        return 0;
    wire->length += (size_t)got;
    wire->bytes[wire->length] = '\0';
    return 1;
}

/* Where the head has such a field: its value. */
static const char *field_of(const char *head, const char *end, const char *name)
{
    const char *line = strstr(head, "\r\n");

    for (; line && line < end; line = strstr(line + 2, "\r\n"))
        if (!strncasecmp(line + 2, name, strlen(name)))
            return line + 2 + strlen(name);
    return NULL;
}

static uint64_t version_of(const char *etag)
{
    char *end;
    uint64_t version;

    if (!etag || *etag != '"')
        return 0;
    version = strtoull(etag + 1, &end, 10);
    return *end == '"' ? version : 0;
}

static uint64_t last_segment(const char *location)
{
    const char *end = location ? strpbrk(location, "\r") : NULL;

    while (end && end > location && end[-1] != '/')
        end--;
    return end ? strtoull(end, NULL, 10) : 0;
}

static void read_head(answer_t *answer, const char *head, const char *end)
{
    const char *length = field_of(head, end, "Content-Length: ");

    sscanf(head, "HTTP/1.1 %d", &answer->status);
    answer->version = version_of(field_of(head, end, "ETag: "));
    answer->location = last_segment(field_of(head, end, "Location: "));
    answer->retry_after = field_of(head, end, "Retry-After: ") != NULL;
    answer->length = length ? strtoull(length, NULL, 10) : 0;
}

static int has_body(const request_t *request, const answer_t *answer)
{
    return answer->status != 204 && answer->status != 304 &&
           strcmp(request->method, "HEAD") != 0;
}

static int receive_answer(wire_t *wire, const request_t *request,
                          answer_t *answer, int64_t until_us)
{
    const char *end;
    size_t head_length;
    int closes;

    while (!(end = strstr(wire->bytes, "\r\n\r\n")))
        if (!receive(wire, until_us))
            return 0;
    read_head(answer, wire->bytes, end);
    closes = field_of(wire->bytes, end, "Connection: close") != NULL;
    if (field_of(wire->bytes, end, "Transfer-Encoding: "))
        violation("an answer without a length");
    head_length = (size_t)(end - wire->bytes) + 4;
    if (!has_body(request, answer))
        answer->length = 0;
    while (wire->length < head_length + answer->length)
        if (!receive(wire, until_us))
            break;
    answer->is_whole = wire->length == head_length + answer->length;
    answer->body = wire->bytes + head_length;
    if (closes || !answer->is_whole) {
        close(wire->socket);
        wire->socket = -1;
    }
    wire->length = 0;
    return 1;
}

static void look_at_time(const request_t *request, int64_t begun_us)
{
    int64_t took_us = now_us() - begun_us;

    if (took_us > ANSWER_WITHIN_US)
        violation("%s %s took %d s", request->method, request->path,
                  (int)(took_us / 1000000));
}

int wire_ask(wire_t *wire, const request_t *request, answer_t *answer)
{
    int64_t begun_us = now_us();
    int answered;

    memset(answer, 0, sizeof *answer);
    if (wire->socket < 0 && !connect_wire(wire))
        return 0;
    wire->length = 0;
    wire->bytes[0] = '\0';
    /* The other side may answer, and close, before it has read all. */
    send_request(wire, request);
    answered = receive_answer(wire, request, answer,
                              begun_us + ANSWER_WITHIN_US + 1000000);
    look_at_time(request, begun_us);
    if (!answered)
        wire_close(wire);
    return answered;
}
