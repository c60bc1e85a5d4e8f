/* The driver that kills a loaded httpd: what its files share, and which file
 * knows what.
 *
 * kill_httpd.c   options, who is killed when, the report
 * server.c       an httpd of its own: started, found, ended
 * clients.c      writers, readers and the prober, a thread each
 * documents.c    what a client writes, and what each answer must show
 * wire.c         one connection, one exchange
 * module_fault.c is not in the driver but in the module that it kills.
 *
 * The clients are threads of this process, which nobody kills: what they were
 * told is kept in its memory. */
#ifndef KILL_HTTPD_H
#define KILL_HTTPD_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "fault_board.h"

typedef struct options_t {
    const char *httpd;
    const char *modules;
    /** the module under test, with the store's test hooks */
    const char *module;
    const char *mpm;
    unsigned kills;
    unsigned documents;
    /** how many of them all writers fight for */
    unsigned hot;
    unsigned writers;
    unsigned readers;
    unsigned seed;
    /** which of the strokes comes first */
    unsigned first;
    int nosync;
    int verbose;
    int unprotected;
    /** only children, at points inside */
    int inside_only;
    /** no kill after so long a time; 0: whatever the time */
    unsigned seconds;
    /** what it wrote is left there, whatever comes of it */
    int keep;
} options_t;

extern options_t options;
extern fault_board_t *board;

void violation(const char *format, ...) __attribute__((format(printf, 1, 2)));
unsigned violations(void);
int64_t now_us(void);
void pause_us(int64_t us);

/* Wire. */

typedef struct wire_t {
    /** -1 where there is no connection */
    int socket;
    size_t length;
    char bytes[128 * 1024];
} wire_t;

typedef struct answer_t {
    int status;
    /** of its ETag; 0: there is none */
    uint64_t version;
    int retry_after;
    /** the last segment of Location, where that is a number */
    uint64_t location;
    /** 0 where it broke off behind the head */
    int is_whole;
    const char *body;
    size_t length;
} answer_t;

typedef struct request_t {
    const char *method;
    const char *path;
    /** a field's line, without its end, or NULL */
    const char *field;
    const char *body;
    size_t length;
    /** the pause between the head and the body */
    int pause_us;
} request_t;

/** How long an answer may take: ten seconds that a request waits at most, and
 * a margin for a machine at work. */
#define ANSWER_WITHIN_US 14000000

/** Connects where there is no connection.
 * @return is there an answer, its head at least? Its body stands in the wire
 *         until the next call. Without one the connection is closed. */
int wire_ask(wire_t *wire, const request_t *request, answer_t *answer);
void wire_close(wire_t *wire);

/* Documents. */

#define THREADS_MAX 64

typedef struct writer_t {
    unsigned number;
    unsigned random;
    wire_t wire;
} writer_t;

void documents_begin(void);
unsigned draw_random(unsigned *random);
/** Reads a document, and writes upon what it read. */
void documents_write(writer_t *writer, unsigned document);
/** Replaces it whatever is there. @return when it was acknowledged, or 0 */
int64_t documents_replace(writer_t *writer, unsigned document);
/** POSTs one into a collection. */
void documents_create(writer_t *writer);
/** Reads it, and holds it against all that is known.
 * @return was there an answer about it? */
int documents_check(writer_t *writer, unsigned document);
/** Those acknowledged last, and those that all fight for. */
void documents_check_recent(writer_t *writer);
void documents_check_all(writer_t *writer);
void documents_report(void);

/* Clients. */

void clients_start(void);
/** The first versions, by the writers' threads. */
void clients_fill(void);
void clients_stop(void);
/** Has a write been acknowledged that began after this moment? */
int clients_are_served_since(int64_t since_us);
/** The longest time from this moment on in which the prober got no write
 * acknowledged. */
int64_t clients_longest_pause_us(int64_t since_us);

/* Server. */

typedef struct process_t {
    pid_t pid;
    pid_t parent;
    char name[16];
} process_t;

#define PROCESSES_MAX 256

typedef enum kind_t { CHILD, KEEPER, STANDBY, HOUSE, RECOVERY } kind_t;

extern unsigned server_port;

/** Writes what it needs below a directory of its own. */
void server_make(void);
/** Starts it, and looks no further. */
void server_begin(void);
/** Starts it; where it does not, once more, as a service manager would.
 * @return does it run? */
int server_start(void);
pid_t server_parent(void);
/** All of one kind. @return how many */
unsigned server_processes(kind_t kind, process_t *found, unsigned at_most);
/** Kills its parent, and nobody else. */
void server_kill_parent(void);
/** SIGTERM. @return did it end, all of it, in bounded time? */
int server_stop(void);
/** SIGKILL for whoever is left. */
void server_kill_all(void);
/** How many lines of its log hold this. */
unsigned server_log_lines(const char *words);
const char *server_directory(void);
/** Removes the store's regions, and the directory unless it is kept. */
void server_remove(int keep);

#endif
