/* A store under load for the tests of condreqctl: keepers, and processes that
 * write and note what was acknowledged; and the check of a store, or of a copy
 * of it, against these notes.
 * Knows the write path and the ledger. As httpd does, it starts again whoever
 * ends.
 *
 *   load STORE LEDGER write WRITERS DOCUMENTS SECONDS [nosync]
 *       prepares the store, and writes until then or until SIGTERM
 *   load STORE LEDGER check FROM TO
 *       prepares the store: every write acknowledged before FROM must be there, none that was begun
 *       after TO, and what is there must be of one moment
 *   load now
 *       says the clock that the ledger is by
 *
 * A line of the ledger: document, version, begun, acknowledged. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "condreq_document.h"

#define WRITERS_MAX 32
#define KEEPERS 2
#define DOCUMENTS_MAX 100000
#define BODY_LONGEST 6000

static const char *store_path, *ledger_path;
static condreq_durability_t durability = CONDREQ_SYNC;
static unsigned writers, documents;
static volatile sig_atomic_t ended;
static apr_pool_t *pool;

static void on_end(int signal_number)
{
    (void)signal_number;
    ended = 1;
}

static long long now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static condreq_store_config_t config_of(void)
{
    condreq_store_config_t config = {store_path, durability, 16u << 20, 64,
                                     10 * APR_USEC_PER_SEC};

    return config;
}

static const char *key_of(unsigned document, apr_pool_t *from)
{
    return apr_psprintf(from, "localhost/load/%u", document);
}

/* A document's version says its bytes. */
static apr_size_t body_make(char bytes[BODY_LONGEST + 64], unsigned document,
                            unsigned long long version)
{
    apr_size_t wanted =
        (document * 977u + (apr_size_t)version * 131u) % BODY_LONGEST;
    int length = sprintf(bytes, "%u/%llu\n", document, version);
    apr_size_t at = (apr_size_t)length;

    for (; at < wanted; at++)
        bytes[at] = bytes[at - (apr_size_t)length];
    bytes[at] = '\0';
    return at;
}

static condreq_store_t *open_store(void)
{
    condreq_store_config_t config = config_of();
    condreq_trouble_t trouble;
    condreq_store_t *store;

    if (condreq_store_bdb.open(&store, &config, &trouble, pool) == APR_SUCCESS)
        return store;
    fprintf(stderr, "load: %s\n", trouble.sentence);
    _exit(1);
}

/* ---- writing ---- */

static const condreq_rules_t rules = {0};

/* @return the version that was acknowledged; 0: none was */
static unsigned long long write_next(condreq_store_t *store, unsigned document,
                                     apr_pool_t *each)
{
    const char *key = key_of(document, each);
    condreq_resource_t resource = {store, &rules, key, key, NULL};
    condreq_content_t content = {NULL, 0, NULL, "text/plain"};
    condreq_precondition_fields_t fields = {0};
    condreq_preconditions_t pre;
    condreq_trouble_t trouble;
    condreq_record_t current;
    condreq_write_t write;
    char bytes[BODY_LONGEST + 64];

    if (store->provider->lookup(store, key, &current, &trouble, each))
        return 0;
    condreq_preconditions_parse(&pre, &fields, 0, each);
    content.bytes = bytes;
    content.length = body_make(bytes, document, current.version + 1);
    memset(&write, 0, sizeof(write));
    write.resource = &resource;
    write.preconditions = &pre;
    write.content = &content;
    if (condreq_document_write(&write, &trouble, each) != APR_SUCCESS)
        return 0;
    if (write.record.version != current.version + 1)
        fprintf(stderr, "load: document %u has another writer\n", document);
    return write.record.version;
}

/* A writer has documents of its own: it alone knows their versions. */
static void write_until_ended(unsigned writer)
{
    int ledger =
        open(ledger_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    condreq_store_t *store = open_store();
    unsigned document = writer;
    apr_pool_t *each;
    char line[128];

    apr_pool_create(&each, pool);
    for (;;) {
        long long begun_us = now_us();
        unsigned long long version = write_next(store, document, each);
        int length = snprintf(line, sizeof(line), "%u %llu %lld %lld\n",
                              document, version, begun_us, now_us());

        if (version && write(ledger, line, (size_t)length) != length)
            _exit(1);
        apr_pool_clear(each);
        document += writers;
        if (document >= documents)
            document = writer;
    }
}

/* ---- keeping ---- */

static void say(void *baton, condreq_keeper_level_t level, const char *sentence)
{
    (void)baton;
    if (getenv("LOAD_SAYS") || level == CONDREQ_KEEPER_ERROR)
        fprintf(stderr, "# %s\n", sentence);
}

static int should_end(void *baton)
{
    (void)baton;
    return ended;
}

static int is_abandoned(void *baton)
{
    (void)baton;
    return 0;
}

static void keep(void)
{
    condreq_keeper_t keeper = {NULL, say, should_end, is_abandoned};
    condreq_store_config_t config = config_of();
    condreq_trouble_t trouble;

    if (condreq_store_bdb.keep(&config, &keeper, &trouble, pool))
        fprintf(stderr, "load: %s\n", trouble.sentence);
    _exit(0);
}

/* ---- processes ---- */

static pid_t children[KEEPERS + WRITERS_MAX];

static void start(unsigned number)
{
    if ((children[number] = fork()) != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (number < KEEPERS)
        keep();
    signal(SIGTERM, SIG_DFL);
    write_until_ended(number - KEEPERS);
}

static int prepare(void)
{
    condreq_store_config_t config = config_of();
    condreq_trouble_t trouble;
    int state;

    if (fork() == 0) {
        if (condreq_store_bdb.prepare(&config, &trouble, pool)) {
            fprintf(stderr, "load: %s\n", trouble.sentence);
            _exit(1);
        }
        _exit(0);
    }
    return wait(&state) > 0 && state == 0;
}

static void restart_ended(void)
{
    pid_t pid;
    unsigned i;

    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        for (i = 0; i < KEEPERS + writers; i++)
            if (children[i] == pid)
                start(i);
}

/* The store lets no signal end a writer that is inside. */
static void end_all(void)
{
    unsigned i;

    for (i = KEEPERS; i < KEEPERS + writers; i++)
        kill(children[i], SIGTERM);
    for (i = KEEPERS; i < KEEPERS + writers; i++)
        waitpid(children[i], NULL, 0);
    for (i = 0; i < KEEPERS; i++)
        kill(children[i], SIGTERM);
    for (i = 0; i < KEEPERS; i++)
        waitpid(children[i], NULL, 0);
}

static int write_all(long long seconds)
{
    long long until_us = now_us() + seconds * 1000000;
    struct sigaction end = {0};
    unsigned i;

    if (!prepare())
        return 1;
    end.sa_handler = on_end;
    sigaction(SIGTERM, &end, NULL);
    for (i = 0; i < KEEPERS + writers; i++)
        start(i);
    printf("ready\n");
    fflush(stdout);
    while (!ended && now_us() < until_us) {
        restart_ended();
        usleep(5000);
    }
    end_all();
    return 0;
}

/* ---- checking ---- */

typedef struct line_t {
    unsigned document;
    unsigned long long version;
    long long begun_us, acknowledged_us;
} line_t;

static line_t *lines;
static size_t line_count;

static void read_ledger(void)
{
    FILE *ledger = fopen(ledger_path, "r");
    size_t room = 1 << 16;
    line_t line;

    lines = malloc(room * sizeof(*lines));
    while (ledger &&
           fscanf(ledger, "%u %llu %lld %lld", &line.document, &line.version,
                  &line.begun_us, &line.acknowledged_us) == 4) {
        if (line_count == room)
            lines = realloc(lines, (room *= 2) * sizeof(*lines));
        lines[line_count++] = line;
    }
    if (ledger)
        fclose(ledger);
}

static unsigned long long present[DOCUMENTS_MAX];

/* Whole, and the version's own bytes. */
static int is_whole(condreq_store_t *store, unsigned document, apr_pool_t *each)
{
    const char *key = key_of(document, each);
    condreq_resource_t resource = {store, &rules, key, key, NULL};
    char expected[BODY_LONGEST + 64], *bytes;
    condreq_trouble_t trouble;
    condreq_record_t record;
    apr_size_t length;

    if (store->provider->lookup(store, key, &record, &trouble, each))
        return 0;
    present[document] = record.version;
    if (record.version == 0)
        return 1;
    length = body_make(expected, document, record.version);
    return record.body_length == length &&
           condreq_document_read(&resource, &record, &bytes, &trouble, each) ==
               APR_SUCCESS &&
           !memcmp(bytes, expected, length);
}

static unsigned read_all(condreq_store_t *store)
{
    unsigned document, broken = 0;
    apr_pool_t *each;

    apr_pool_create(&each, pool);
    for (document = 0; document < DOCUMENTS_MAX; document++) {
        if (document && !(document % 64))
            apr_pool_clear(each);
        broken += !is_whole(store, document, each);
        if (!present[document] && document > 1000)
            break;
    }
    return broken;
}

/* When the latest write that is there was begun: whatever was acknowledged
 * before must be there, too. */
static long long latest_begun(void)
{
    long long latest_us = 0;
    size_t i;

    for (i = 0; i < line_count; i++)
        if (lines[i].version <= present[lines[i].document] &&
            lines[i].begun_us > latest_us)
            latest_us = lines[i].begun_us;
    return latest_us;
}

static int check(long long from_us, long long to_us)
{
    unsigned broken = read_all(open_store()), lost = 0, late = 0, torn = 0;
    long long moment_us;
    size_t i;

    read_ledger();
    moment_us = latest_begun();
    for (i = 0; i < line_count; i++) {
        int there = lines[i].version <= present[lines[i].document];

        lost += !there && lines[i].acknowledged_us < from_us;
        late += there && lines[i].begun_us > to_us;
        torn += !there && lines[i].acknowledged_us < moment_us;
    }
    printf("%zu acknowledged, %u lost, %u late, %u of another moment, %u "
           "broken\n",
           line_count, lost, late, torn, broken);
    return lost || late || torn || broken;
}

int main(int count, char **words)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (count == 2) {
        printf("%lld\n", now_us());
        return 0;
    }
    if (count < 6)
        return 2;
    store_path = words[1];
    ledger_path = words[2];
    if (!strcmp(words[3], "check"))
        return prepare() ? check(atoll(words[4]), atoll(words[5])) : 1;
    writers = (unsigned)atoi(words[4]);
    documents = (unsigned)atoi(words[5]);
    if (count > 7 && !strcmp(words[7], "nosync"))
        durability = CONDREQ_WRITE_NOSYNC;
    return write_all(atoll(words[6]));
}
