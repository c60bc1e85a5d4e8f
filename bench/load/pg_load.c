/* A load of PostgreSQL: what a conditional PUT is there, without HTTP.
 * Knows libpq; one UPDATE ... WHERE version = a request, prepared, from
 * connections that are kept, on one core. */
#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "choice.h"
#include "tally.h"

#define PATIENCE_MS 60000
#define UPDATE                                                                 \
    "UPDATE documents SET body = $3, version = version + 1 "                   \
    "WHERE id = $1 AND version = $2 RETURNING version"

typedef struct client_t {
    PGconn *connection;
    int number;
    uint64_t random;
    unsigned document;
    int asks;
    double since;
} client_t;

typedef struct load_t {
    const char *where;
    choice_t choice;
    unsigned documents;
    char *body;
    char (*versions)[24];
    client_t *clients;
    int connected;
    int active;
    int epoll;
    int out;
    double until;
    tally_t *tally;
} load_t;

static void connect_client(load_t *load, int number)
{
    client_t *client = &load->clients[number];
    struct epoll_event event = {EPOLLIN, {.ptr = client}};
    PGresult *result;

    client->number = number;
    client->random = (uint64_t)(number + 1) * 0x9E3779B97F4A7C15u;
    client->connection = PQconnectdb(load->where);
    if (PQstatus(client->connection) != CONNECTION_OK)
        tally_die("connect", PQerrorMessage(client->connection));
    result = PQprepare(client->connection, "update", UPDATE, 3, NULL);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        tally_die("prepare", PQerrorMessage(client->connection));
    PQclear(result);
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, PQsocket(client->connection),
                  &event) != 0)
        tally_die("epoll", strerror(errno));
}

static void begin(load_t *load, client_t *client, double now)
{
    const char *values[3];
    char id[16];

    client->document = choice_next(&load->choice, &client->random,
                                   client->number, load->active);
    snprintf(id, sizeof(id), "%u", client->document);
    values[0] = id;
    values[1] = load->versions[client->document];
    values[2] = load->body;
    if (!PQsendQueryPrepared(client->connection, "update", 3, values, NULL,
                             NULL, 0))
        tally_die("update", PQerrorMessage(client->connection));
    client->asks = 1;
    client->since = now;
    load->out++;
}

static tally_outcome_t judge(load_t *load, client_t *client,
                             const PGresult *result)
{
    char *version = load->versions[client->document];

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        return TALLY_OTHER;
    if (PQntuples(result) == 0)
        return TALLY_REFUSED;
    snprintf(version, sizeof(*load->versions), "%s", PQgetvalue(result, 0, 0));
    return TALLY_WRITTEN;
}

static void serve(load_t *load, client_t *client)
{
    tally_outcome_t outcome = TALLY_OTHER;
    PGresult *result;
    double now;

    if (!PQconsumeInput(client->connection))
        tally_die("connection", PQerrorMessage(client->connection));
    if (!client->asks || PQisBusy(client->connection))
        return;
    while ((result = PQgetResult(client->connection)) != NULL) {
        outcome = judge(load, client, result);
        PQclear(result);
    }
    now = tally_now();
    load->out--;
    client->asks = 0;
    tally_count(load->tally, client->number, outcome, 0,
                outcome == TALLY_WRITTEN ? strlen(load->body) : 0,
                (now - client->since) * 1e6);
    if (now < load->until)
        begin(load, client, now);
}

static void run(load_t *load)
{
    struct epoll_event events[256];
    int i, count;

    for (i = 0; i < load->active; i++)
        begin(load, &load->clients[i], tally_now());
    while (load->out) {
        count = epoll_wait(load->epoll, events, 256, PATIENCE_MS);
        if (count == 0)
            tally_die("the server", "did not answer for a minute");
        for (i = 0; i < count; i++)
            serve(load, events[i].data.ptr);
    }
}

static void load_ready(void *baton, int clients)
{
    static tally_t unused;
    load_t *load = baton;

    for (; load->connected < clients; load->connected++)
        connect_client(load, load->connected);
    while (load->connected > clients)
        PQfinish(load->clients[--load->connected].connection);
    load->active = clients;
    load->tally = &unused;
    load->until = 0;
    run(load);
}

static void load_go(void *baton, double seconds, tally_t *tally)
{
    load_t *load = baton;
    double begun = tally_now();

    load->tally = tally;
    load->until = begun + seconds;
    run(load);
    tally->seconds = tally_now() - begun;
}

/* The table, as the application would make it. */
static void seed(load_t *load)
{
    char insert[512];
    PGconn *connection = PQconnectdb(load->where);
    PGresult *result;

    snprintf(insert, sizeof(insert),
             "CREATE TABLE documents (id integer PRIMARY KEY, version bigint "
             "NOT NULL, body text NOT NULL) WITH (fillfactor = 50); "
             "INSERT INTO documents SELECT n, 1, repeat('x', %zu) FROM "
             "generate_series(0, %u) AS n",
             strlen(load->body), load->documents - 1);
    if (PQstatus(connection) != CONNECTION_OK)
        tally_die("connect", PQerrorMessage(connection));
    result = PQexec(connection, insert);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        tally_die("seeding", PQerrorMessage(connection));
    PQclear(result);
    PQfinish(connection);
}

int main(int argc, char **argv)
{
    static load_t load;
    tally_load_t served = {load_ready, load_go, &load};
    unsigned i;
    size_t bytes;

    if (argc != 4)
        tally_die("usage", "pg_load connection-string documents bytes");
    load.where = argv[1];
    load.documents = (unsigned)atoi(argv[2]);
    bytes = (size_t)atol(argv[3]);
    choice_init(&load.choice, "uniform", load.documents);
    load.body = calloc(1, bytes + 1);
    load.versions = calloc(load.documents, sizeof(*load.versions));
    load.clients = calloc(TALLY_CLIENTS_MAX, sizeof(*load.clients));
    load.epoll = epoll_create1(0);
    if (!load.body || !load.versions || !load.clients || load.epoll < 0)
        tally_die("start", strerror(errno));
    memset(load.body, 'x', bytes);
    for (i = 0; i < load.documents; i++)
        strcpy(load.versions[i], "1");
    seed(&load);
    tally_serve(&served);
    return 0;
}
