/* An httpd of the driver's own: its configuration, its start and its end, and
 * its processes, which the kernel lists.
 * Knows httpd and /proc; of the store its directory and its processes' names.
 *
 * It has a session of its own, by which those are found that its killed parent
 * left behind. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apr_general.h"

#include "condreq_bdb.h"
#include "kill_httpd.h"

#define STARTS_AT_MOST 20
#define START_AGAIN_US 100000
#define STOPS_WITHIN_US 15000000
#define SESSIONS_MAX 4096

unsigned server_port;
fault_board_t *board;

static char directory[] = "/tmp/condreq-kills.XXXXXX";
static pid_t parent;
/** every parent that there was: each had its session */
static pid_t sessions[SESSIONS_MAX];
static unsigned session_count;

const char *server_directory(void)
{
    return directory;
}

pid_t server_parent(void)
{
    return parent;
}

static void die(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(1);
}

static void name_below(char *name, size_t size, const char *last)
{
    snprintf(name, size, "%s/%s", directory, last);
}

/* ---- what it needs ---- */

static unsigned free_port(void)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(descriptor, (struct sockaddr *)&address, &length) != 0)
        die("a free port");
    close(descriptor);
    return ntohs(address.sin_port);
}

static void make_board(void)
{
    char name[128];
    int descriptor;

    name_below(name, sizeof name, "board");
    descriptor = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0 || fchmod(descriptor, 0666) != 0 ||
        ftruncate(descriptor, sizeof *board) != 0)
        die(name);
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED,
                 descriptor, 0);
    close(descriptor);
    if (board == MAP_FAILED)
        die(name);
    board->unprotected = options.unprotected;
    snprintf(board->store, sizeof board->store, "%s/store", directory);
    setenv(FAULT_BOARD_VARIABLE, name, 1);
}

/* Three children of sixteen threads, or twenty-four without. */
static const char *processes_of_mpm(void)
{
    return strcmp(options.mpm, "prefork") == 0
               ? "StartServers 24\nMinSpareServers 8\nMaxSpareServers 24\n"
                 "ServerLimit 32\nMaxRequestWorkers 32\n"
               : "StartServers 3\nServerLimit 4\nThreadsPerChild 16\n"
                 "ThreadLimit 16\nMaxRequestWorkers 64\nMinSpareThreads 16\n"
                 "MaxSpareThreads 64\n";
}

static void write_configuration(void)
{
    char name[128];
    FILE *file;

    name_below(name, sizeof name, "httpd.conf");
    if (!(file = fopen(name, "we")))
        die(name);
    fprintf(file,
            "ServerRoot %s\nServerName localhost\nListen 127.0.0.1:%u\n"
            "DefaultRuntimeDir %s\nPidFile httpd.pid\nErrorLog error.log\n"
            "LoadModule mpm_%s_module %s/mod_mpm_%s.so\n"
            "LoadModule authz_core_module %s/mod_authz_core.so\n"
            "LoadModule condreq_module %s\nUser www-data\nGroup www-data\n%s"
            "CondReqStore bdb:%s/store durability=%s\n"
            "<Location /docs>\nSetHandler condreq\nRequire all granted\n"
            "</Location>\n",
            directory, server_port, directory, options.mpm, options.modules,
            options.mpm, options.modules, options.module, processes_of_mpm(),
            directory, options.nosync ? "write_nosync" : "sync");
    if (fclose(file) != 0)
        die(name);
}

void server_make(void)
{
    struct rlimit none = {0, 0};

    if (!mkdtemp(directory) || chmod(directory, 0755) != 0)
        die(directory);
    /* Hundreds of its children die of SIGSEGV. */
    setrlimit(RLIMIT_CORE, &none);
    server_port = free_port();
    make_board();
    write_configuration();
}

/* ---- its processes ---- */

/* @return is there such a process, that has not ended? */
static int read_process(process_t *process, pid_t *session, const char *pid)
{
    char name[64], line[512], state;
    int group;
    FILE *file;
    char *end;
    size_t length;

    snprintf(name, sizeof name, "/proc/%.20s/stat", pid);
    if (!(file = fopen(name, "re")))
        return 0;
    length = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[length] = '\0';
    if (!(end = strrchr(line, ')')) ||
        sscanf(line, "%d (%15[^)]", &process->pid, process->name) != 2 ||
        sscanf(end + 1, " %c %d %d %d", &state, &process->parent, &group,
               session) != 4)
        return 0;
    return state != 'Z' && state != 'X';
}

static int is_own_session(pid_t session)
{
    unsigned i;

    for (i = 0; i < session_count; i++)
        if (sessions[i] == session)
            return 1;
    return 0;
}

static unsigned all_processes(process_t *found, unsigned at_most)
{
    DIR *listing = opendir("/proc");
    struct dirent *entry;
    unsigned count = 0;
    pid_t session;

    while (listing && (entry = readdir(listing)) && count < at_most)
        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' &&
            read_process(&found[count], &session, entry->d_name) &&
            is_own_session(session))
            count++;
    if (listing)
        closedir(listing);
    return count;
}

static int has_child(pid_t pid, const process_t *all, unsigned count)
{
    unsigned i;

    for (i = 0; i < count; i++)
        if (all[i].parent == pid)
            return 1;
    return 0;
}

/* The keeper has helpers, and the one that stands by has none. */
static int is_of_kind(kind_t kind, const process_t *process,
                      const process_t *all, unsigned count)
{
    int keeps = !strcmp(process->name, "condreq-keeper");

    switch (kind) {
    case KEEPER:
        return keeps && has_child(process->pid, all, count);
    case STANDBY:
        return keeps && !has_child(process->pid, all, count);
    case HOUSE:
        return !strcmp(process->name, "condreq-house");
    case RECOVERY:
        return !strcmp(process->name, "condreq-recover");
    default:
        return strncmp(process->name, "condreq-", 8) != 0 &&
               process->pid != parent;
    }
}

unsigned server_processes(kind_t kind, process_t *found, unsigned at_most)
{
    process_t all[PROCESSES_MAX];
    unsigned count = all_processes(all, PROCESSES_MAX), matching = 0, i;

    for (i = 0; i < count && matching < at_most; i++)
        if (is_of_kind(kind, &all[i], all, count))
            found[matching++] = all[i];
    return matching;
}

/* ---- start and end ---- */

/* It must not outlive a driver that is stopped. */
static void exec_server(void)
{
    char name[128];

    int nowhere = open("/dev/null", O_RDWR);

    /* What it leaves behind must not hold our output open. */
    dup2(nowhere, 0);
    dup2(nowhere, 1);
    dup2(nowhere, 2);
    name_below(name, sizeof name, "httpd.conf");
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    execl(options.httpd, options.httpd, "-DFOREGROUND", "-f", name,
          (char *)NULL);
    _exit(127);
}

static int is_listening(void)
{
    struct sockaddr_in address;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int connected;

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)server_port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected =
        connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0;
    close(descriptor);
    return connected;
}

void server_begin(void)
{
    char name[128];

    name_below(name, sizeof name, "httpd.pid");
    unlink(name);
    if ((parent = fork()) == 0)
        exec_server();
    if (parent < 0 || session_count == SESSIONS_MAX)
        die("starting httpd");
    sessions[session_count++] = parent;
}

/* @return did it come up? */
static int start_once(void)
{
    char name[128];

    name_below(name, sizeof name, "httpd.pid");
    server_begin();
    while (access(name, F_OK) != 0 || !is_listening()) {
        if (waitpid(parent, NULL, WNOHANG) == parent)
            return 0;
        pause_us(5000);
    }
    return 1;
}

int server_start(void)
{
    unsigned tries;

    for (tries = 0; tries < STARTS_AT_MOST; tries++) {
        if (start_once())
            return 1;
        pause_us(START_AGAIN_US);
    }
    return 0;
}

void server_kill_parent(void)
{
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
}

void server_kill_all(void)
{
    process_t all[PROCESSES_MAX];
    unsigned count, i;

    while ((count = all_processes(all, PROCESSES_MAX)) > 0) {
        for (i = 0; i < count; i++)
            kill(all[i].pid, SIGKILL);
        waitpid(parent, NULL, WNOHANG);
        pause_us(2000);
    }
    waitpid(parent, NULL, WNOHANG);
}

int server_stop(void)
{
    int64_t until_us = now_us() + STOPS_WITHIN_US;
    process_t left[1];

    kill(parent, SIGTERM);
    while (waitpid(parent, NULL, WNOHANG) == 0 || all_processes(left, 1) > 0) {
        if (now_us() > until_us)
            return 0;
        pause_us(10000);
    }
    return 1;
}

/* ---- what it says, and what it leaves ---- */

unsigned server_log_lines(const char *words)
{
    char name[128], line[4096];
    unsigned lines = 0;
    FILE *file;

    name_below(name, sizeof name, "error.log");
    if (!(file = fopen(name, "re")))
        return 0;
    while (fgets(line, sizeof line, file))
        lines += strstr(line, words) != NULL;
    fclose(file);
    return lines;
}

static int remove_one(const char *path, const struct stat *found, int kind,
                      struct FTW *at)
{
    (void)found;
    (void)kind;
    (void)at;
    return remove(path);
}

void server_remove(int keep)
{
    condreq_trouble_t trouble;
    bdb_places_t places;
    apr_pool_t *pool;
    char name[128];

    apr_pool_create(&pool, NULL);
    name_below(name, sizeof name, "store");
    if (bdb_places_find(&places, name, &trouble, pool) == APR_SUCCESS)
        bdb_places_remove_regions(places.regions, pool);
    apr_pool_destroy(pool);
    if (!keep)
        nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
