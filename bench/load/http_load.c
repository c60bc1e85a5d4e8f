/* A load of HTTP: clients that keep their connections, on one core.
 * Knows when who asks for which document; operation.c knows what is said. A
 * writer keeps each document's tag, as an editor does, and after a refusal
 * looks at the document and writes again. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "choice.h"
#include "connection.h"
#include "operation.h"
#include "tally.h"

#define PATIENCE_S 60
#define SEEDERS 32

typedef struct client_t {
    connection_t connection;
    int number;
    uint64_t random;
    unsigned document;
    /** a look at a document whose tag turned out to be old */
    int looks;
    int asks;
    /** when the request began, or, while none is out, when one is due */
    double since;
} client_t;

typedef struct load_t {
    struct sockaddr_in address;
    operation_setting_t setting;
    const operation_t *operation;
    /** how documents come to be there, or their tags to be known; NULL */
    const operation_t *seeds_by;
    choice_t choice;
    const char *choice_name;
    unsigned documents;
    /** seconds that a client waits between two requests */
    double pause;
    char (*tags)[OPERATION_TAG_SIZE];
    client_t *clients;
    int connected;
    int active;
    int epoll;
    /** requests that are out, clients that wait for the next */
    int out;
    int waiting;
    unsigned seeded;
    double until;
    tally_t *tally;
} load_t;

static const operation_t *operation_now(const load_t *load,
                                        const client_t *client)
{
    return client->looks ? operation_named("get") : load->operation;
}

static void watch(load_t *load, client_t *client, int command, uint32_t what)
{
    struct epoll_event event = {what, {.ptr = client}};

    if (epoll_ctl(load->epoll, command, client->connection.fd, &event) != 0)
        tally_die("epoll", strerror(errno));
}

static void begin(load_t *load, client_t *client, double now)
{
    connection_reset(&client->connection);
    operation_now(load, client)
        ->ask(&client->connection, &load->setting, client->document,
              load->tags[client->document]);
    client->asks = 1;
    client->since = now;
    load->out++;
    if (connection_send(&client->connection) == 0)
        watch(load, client, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

static void connect_client(load_t *load, int number)
{
    client_t *client = &load->clients[number];

    client->number = number;
    client->random = (uint64_t)(number + 1) * 0x9E3779B97F4A7C15u;
    connection_open(&client->connection, &load->address);
    watch(load, client, EPOLL_CTL_ADD, EPOLLIN);
}

static void reconnect(load_t *load, client_t *client)
{
    close(client->connection.fd);
    connection_open(&client->connection, &load->address);
    watch(load, client, EPOLL_CTL_ADD, EPOLLIN);
}

/* A seed is each document once; else as the choice has it. */
static int choose(load_t *load, client_t *client)
{
    if (client->looks)
        return 1;
    if (load->seeds_by) {
        if (load->seeded == load->documents)
            return 0;
        client->document = load->seeded++;
        return 1;
    }
    client->document = choice_next(&load->choice, &client->random,
                                   client->number, load->active);
    return 1;
}

static void next(load_t *load, client_t *client, double now)
{
    if (load->until > 0 && now >= load->until)
        return;
    if (load->pause > 0 && !client->looks && !load->seeds_by) {
        client->since = now + load->pause;
        load->waiting++;
        return;
    }
    if (choose(load, client))
        begin(load, client, now);
}

static tally_outcome_t judge(load_t *load, client_t *client)
{
    return operation_now(load, client)
        ->judge(&client->connection, load->tags[client->document]);
}

static uint64_t payload(const load_t *load, const client_t *client,
                        tally_outcome_t outcome)
{
    if (outcome == TALLY_WRITTEN)
        return load->setting.document_length;
    if (outcome == TALLY_DOCUMENT)
        return client->connection.content_received;
    return 0;
}

static void finished(load_t *load, client_t *client, double now)
{
    tally_outcome_t outcome = judge(load, client);

    load->out--;
    client->asks = 0;
    if (!client->looks)
        tally_count(load->tally, client->number, outcome,
                    client->connection.status, payload(load, client, outcome),
                    (now - client->since) * 1e6);
    client->looks =
        !client->looks && outcome == TALLY_REFUSED && load->operation->writes;
    if (client->connection.closes)
        reconnect(load, client);
    next(load, client, now);
}

/* A server may close a connection that is not in use; then it was no answer.
 * One that it closes instead of an answer is counted. */
static void lost(load_t *load, client_t *client, double now)
{
    if (client->asks) {
        load->out--;
        client->asks = 0;
        tally_count(load->tally, client->number, TALLY_OTHER, 0, 0, 0);
    }
    client->looks = 0;
    reconnect(load, client);
    next(load, client, now);
}

static void serve(load_t *load, client_t *client, uint32_t what)
{
    int state = 0;

    if (what & EPOLLOUT) {
        state = connection_send(&client->connection);
        if (state == 1)
            watch(load, client, EPOLL_CTL_MOD, EPOLLIN);
    }
    if (state >= 0 && what & (EPOLLIN | EPOLLHUP | EPOLLERR))
        state = connection_receive(&client->connection);
    else
        state = state < 0 ? -1 : 0;
    if (state > 0 && client->asks)
        finished(load, client, tally_now());
    else if (state != 0)
        lost(load, client, tally_now());
}

/* Starts whose pause is over. @return seconds until the next one is due */
static double wake(load_t *load)
{
    double now = tally_now(), soonest = PATIENCE_S;
    int i;

    for (i = 0; i < load->active && load->waiting; i++) {
        client_t *client = &load->clients[i];

        if (client->asks)
            continue;
        if (load->until > 0 && now >= load->until) {
            load->waiting--;
        }
        else if (client->since <= now) {
            load->waiting--;
            if (choose(load, client))
                begin(load, client, now);
        }
        else if (client->since - now < soonest) {
            soonest = client->since - now;
        }
    }
    return soonest;
}

static void run(load_t *load)
{
    struct epoll_event events[256];

    while (load->out || load->waiting) {
        double seconds = load->waiting ? wake(load) : PATIENCE_S;
        struct timespec patience = {
            (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
        int i, count;

        /* Nobody woke, since the turn is over. */
        if (!load->out && !load->waiting)
            break;
        count = epoll_pwait2(load->epoll, events, 256, &patience, NULL);
        if (count == 0 && seconds >= PATIENCE_S && load->out)
            tally_die("the server", "did not answer for a minute");
        for (i = 0; i < count; i++)
            serve(load, events[i].data.ptr, events[i].events);
    }
}

static void start(load_t *load)
{
    double now = tally_now();
    int i;

    for (i = 0; i < load->active; i++)
        next(load, &load->clients[i], now);
    run(load);
}

/* Each of the clients has asked once, so that the server knows it. */
static void load_ready(void *baton, int clients)
{
    static tally_t unused;
    load_t *load = baton;
    double pause = load->pause;

    for (; load->connected < clients; load->connected++)
        connect_client(load, load->connected);
    while (load->connected > clients)
        close(load->clients[--load->connected].connection.fd);
    load->active = clients;
    load->tally = &unused;
    load->until = tally_now();
    load->pause = 0;
    for (int i = 0; i < clients; i++) {
        load->clients[i].looks = 0;
        if (choose(load, &load->clients[i]))
            begin(load, &load->clients[i], tally_now());
    }
    run(load);
    load->pause = pause;
}

static void load_go(void *baton, double seconds, tally_t *tally)
{
    load_t *load = baton;
    double begun = tally_now();

    load->tally = tally;
    load->until = begun + seconds;
    start(load);
    tally->seconds = tally_now() - begun;
}

/* Every document must be there, whatever it takes to say why it is not. */
static void check_seeded(const tally_t *tally)
{
    char statuses[256] = "answered with";
    size_t length = strlen(statuses);
    int i;

    if (!tally->outcomes[TALLY_OTHER] && !tally->outcomes[TALLY_REFUSED])
        return;
    for (i = 0; i < 600 && length < sizeof(statuses) - 32; i++) {
        if (tally->statuses[i])
            length += (size_t)snprintf(statuses + length, 32, " %d x %lu", i,
                                       tally->statuses[i]);
    }
    tally_die("seeding", statuses);
}

static void seed(load_t *load)
{
    const operation_t *operation = load->operation;
    static tally_t tally;

    if (!load->seeds_by)
        return;
    for (; load->connected < SEEDERS; load->connected++)
        connect_client(load, load->connected);
    load->active = load->connected;
    load->operation = load->seeds_by;
    load->tally = &tally;
    load->until = 0;
    start(load);
    check_seeded(&tally);
    load->operation = operation;
    load->seeds_by = NULL;
}

/* ---- options ---- */

static void usage(void)
{
    tally_die("usage",
              "http_load -p port -o get|revalidate|put|put-plain|post|etcd "
              "[-H host] [-u path before the number] [-x suffix] "
              "[-f field line]... [-k documents] [-b bytes] "
              "[-c uniform|zipf|neighbours|hot] [-s operation to seed with] "
              "[-w microseconds between requests]");
}

static void add_field(load_t *load, const char *line)
{
    static char fields[512];
    size_t length = strlen(fields);

    if (length + strlen(line) + 3 > sizeof(fields))
        tally_die("fields", "too many");
    snprintf(fields + length, sizeof(fields) - length, "%s\r\n", line);
    load->setting.fields = fields;
}

static void read_option(load_t *load, int letter)
{
    switch (letter) {
    case 'p':
        load->address.sin_port = htons((uint16_t)atoi(optarg));
        break;
    case 'o':
        load->operation = operation_named(optarg);
        break;
    case 's':
        load->seeds_by = operation_named(optarg);
        if (!load->seeds_by)
            usage();
        break;
    case 'H':
        load->setting.host = optarg;
        break;
    case 'u':
        load->setting.path = optarg;
        break;
    case 'x':
        load->setting.suffix = optarg;
        break;
    case 'f':
        add_field(load, optarg);
        break;
    case 'k':
        load->documents = (unsigned)atoi(optarg);
        break;
    case 'b':
        load->setting.document_length = (size_t)atol(optarg);
        break;
    case 'c':
        load->choice_name = optarg;
        break;
    case 'w':
        load->pause = atof(optarg) / 1e6;
        break;
    default:
        usage();
    }
}

int main(int argc, char **argv)
{
    static load_t load = {.setting = {.host = "localhost",
                                      .path = "/documents/",
                                      .suffix = "",
                                      .fields = "",
                                      .document_length = 1024},
                          .choice_name = "uniform",
                          .documents = 1000};
    tally_load_t served = {load_ready, load_go, &load};
    int letter;

    while ((letter = getopt(argc, argv, "p:o:s:H:u:x:f:k:b:c:w:")) != -1)
        read_option(&load, letter);
    if (!load.operation || !load.address.sin_port || !load.documents)
        usage();
    load.address.sin_family = AF_INET;
    load.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    choice_init(&load.choice, load.choice_name, load.documents);
    operation_content(load.operation, &load.setting);
    load.tags = calloc(load.documents, sizeof(*load.tags));
    load.clients = calloc(TALLY_CLIENTS_MAX, sizeof(*load.clients));
    load.epoll = epoll_create1(0);
    if (!load.tags || !load.clients || load.epoll < 0)
        tally_die("start", strerror(errno));
    seed(&load);
    tally_serve(&served);
    return 0;
}
