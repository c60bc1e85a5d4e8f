/* What the clients write, and what each answer must show: a ledger of all that
 * was asked and answered.
 * Knows documents, versions and who wrote what; not who is killed.
 *
 * A document says which version it is meant to be, and whose it is:
 * {"count":VERSION,"author":"NUMBER","pad":"..."}. So of every document that is
 * read it can be told whether that write was acknowledged, refused or left
 * without an answer, and whether it stands upon the version that its author had
 * read. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kill_httpd.h"

#define OPERATIONS_MAX (1u << 20)
#define PAD_LONGEST 3000
/* More than a chunk of the store, and more than a page. */
#define PAD_LARGE 40000
#define RECENT 256
#define CREATED (UINT64_C(1) << 63)

typedef enum doing_t { UPDATE, DELETE, REVIVE, CREATE, REPLACE } doing_t;

typedef enum state_t {
    BEGUN = 1,
    ACKNOWLEDGED,
    /** 412: nothing changed */
    REFUSED,
    /** 503: nothing changed */
    UNCHANGED,
    /** no answer came */
    UNANSWERED
} state_t;

typedef struct operation_t {
    _Atomic(unsigned char) state;
    unsigned char doing;
    /** for CREATE the number that it got */
    uint64_t document;
    /** the version that it was written upon, and the one that it got */
    uint64_t base;
    _Atomic(uint64_t) version;
} operation_t;

static operation_t *operations[THREADS_MAX];
static unsigned counts[THREADS_MAX];
/** by document: the latest that was acknowledged */
static _Atomic(uint64_t) *acknowledged;
/** by document: the latest that a deletion may have made */
static _Atomic(uint64_t) *deleted;
static _Atomic(unsigned) recent[RECENT];
static _Atomic(unsigned) recent_at;
static _Atomic(unsigned long) totals[UNANSWERED + 1], reads;
static _Atomic(uint64_t) created_highest;

unsigned draw_random(unsigned *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 8;
}

static void *zeroed(size_t bytes)
{
    void *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (room == MAP_FAILED)
        abort();
    return room;
}

void documents_begin(void)
{
    unsigned i;

    for (i = 0; i < THREADS_MAX; i++)
        operations[i] = zeroed(OPERATIONS_MAX * sizeof **operations);
    acknowledged = zeroed(options.documents * sizeof *acknowledged);
    deleted = zeroed(options.documents * sizeof *deleted);
}

/* ---- no version has two winners ---- */

static pthread_mutex_t winners_mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t *winners;
static size_t winners_room, winners_used;

static int insert(uint64_t entry)
{
    size_t at =
        (size_t)((entry * 0x9e3779b97f4a7c15u) >> 20) & (winners_room - 1);

    while (winners[at] && winners[at] != entry)
        at = (at + 1) & (winners_room - 1);
    if (winners[at])
        return 0;
    winners[at] = entry;
    winners_used++;
    return 1;
}

static void grow(void)
{
    uint64_t *old = winners;
    size_t old_room = winners_room, i;

    winners_room = old_room ? 2 * old_room : 1 << 16;
    winners = calloc(winners_room, sizeof *winners);
    if (!winners)
        abort();
    winners_used = 0;
    for (i = 0; i < old_room; i++)
        if (old[i])
            insert(old[i]);
    free(old);
}

static void enter_winner(uint64_t document, uint64_t version)
{
    int first;

    pthread_mutex_lock(&winners_mutex);
    if (2 * winners_used >= winners_room)
        grow();
    first = insert((document & CREATED) | document << 24 | version);
    pthread_mutex_unlock(&winners_mutex);
    if (!first)
        violation("document %" PRIu64 "%s: version %" PRIu64 " has two winners",
                  document & ~CREATED, document & CREATED ? " created" : "",
                  version);
}

static void raise_to(_Atomic(uint64_t) *at, uint64_t version)
{
    uint64_t before = atomic_load(at);

    while (before < version &&
           !atomic_compare_exchange_weak(at, &before, version))
        ;
}

/* ---- what a client sends ---- */

static operation_t *operation_of(uint64_t author)
{
    uint64_t thread = author >> 32, number = author & 0xffffffff;

    return thread < THREADS_MAX && number < OPERATIONS_MAX
               ? &operations[thread][number]
               : NULL;
}

/* Entered before it is sent, so that whoever reads it finds its author. */
static operation_t *begin(writer_t *writer, doing_t doing, uint64_t document,
                          uint64_t base, uint64_t *author)
{
    unsigned number = counts[writer->number];
    operation_t *operation = &operations[writer->number][number];

    if (number == OPERATIONS_MAX - 1) {
        violation("the ledger is full");
        return NULL;
    }
    operation->doing = (unsigned char)doing;
    operation->document = document;
    operation->base = base;
    atomic_store(&operation->state, BEGUN);
    counts[writer->number]++;
    *author = (uint64_t)writer->number << 32 | number;
    return operation;
}

static size_t pad_length(uint64_t author)
{
    uint64_t mixed = author * 2654435761u >> 7;

    return mixed % 64 == 0 ? PAD_LARGE : mixed % PAD_LONGEST;
}

static char pad_at(uint64_t author, size_t at)
{
    return (char)('a' + (author * 31 + at * (author % 7 + 1)) % 26);
}

static size_t make_body(char *body, uint64_t count, uint64_t author)
{
    size_t pad = pad_length(author), i;
    size_t length = (size_t)sprintf(
        body, "{\"count\":%" PRIu64 ",\"author\":\"%016" PRIx64 "\",\"pad\":\"",
        count, author);

    for (i = 0; i < pad; i++)
        body[length++] = pad_at(author, i);
    return length + (size_t)sprintf(body + length, "\"}");
}

/* @return is it whole, as its author sent it? */
static int read_body(uint64_t *count, uint64_t *author, const answer_t *answer)
{
    char whole[PAD_LARGE + 256];
    size_t length;

    if (sscanf(answer->body,
               "{\"count\":%" SCNu64 ",\"author\":\"%16" SCNx64 "\"", count,
               author) != 2)
        return 0;
    length = make_body(whole, *count, *author);
    return length == answer->length && !memcmp(whole, answer->body, length);
}

/* ---- what a read must show ---- */

static const char *name_of(uint64_t document, char *room, size_t size)
{
    snprintf(room, size, "/docs/%s%" PRIu64, document & CREATED ? "made/" : "",
             document & ~CREATED);
    return room;
}

static void check_author(const char *name, uint64_t document,
                         const answer_t *answer)
{
    const operation_t *operation = NULL;
    uint64_t count, author = 0, version;
    int state;

    if (!read_body(&count, &author, answer) ||
        !(operation = operation_of(author)) ||
        (state = atomic_load(&operation->state)) == 0 ||
        (operation->document != document && operation->doing != CREATE)) {
        violation("%s: version %" PRIu64 " is not whole", name,
                  answer->version);
        return;
    }
    version = atomic_load(&operation->version);
    if (state == REFUSED || state == UNCHANGED)
        violation("%s: version %" PRIu64 " was refused (%d), and is there",
                  name, answer->version, state);
    if (state == ACKNOWLEDGED && version != answer->version)
        violation("%s: version %" PRIu64 " was acknowledged as %" PRIu64, name,
                  answer->version, version);
    if (operation->doing == UPDATE && count != answer->version)
        violation("%s: version %" PRIu64 " is the %" PRIu64 ". of its writers",
                  name, answer->version, count);
}

/* @return the version that is there, or 0 where nothing is to be told */
static uint64_t check_answer(uint64_t document, uint64_t expected,
                             const answer_t *answer)
{
    char name[64];

    name_of(document, name, sizeof name);
    if (answer->status == 503 || !answer->is_whole)
        return 0;
    atomic_fetch_add(&reads, 1);
    if (answer->status == 404) {
        if (document & CREATED || expected > atomic_load(&deleted[document]))
            violation("%s: version %" PRIu64
                      " was acknowledged, and nothing is there",
                      name, expected);
        return 0;
    }
    if (answer->status != 200) {
        violation("%s: a read was answered %d", name, answer->status);
        return 0;
    }
    if (answer->version < expected)
        violation("%s: version %" PRIu64 " was acknowledged, %" PRIu64
                  " is there",
                  name, expected, answer->version);
    check_author(name, document, answer);
    return answer->version;
}

static int ask_for(writer_t *writer, uint64_t document, answer_t *answer)
{
    request_t request = {"GET", NULL, NULL, NULL, 0, 0};
    char name[64];

    request.path = name_of(document, name, sizeof name);
    return wire_ask(&writer->wire, &request, answer);
}

static int is_told(const answer_t *answer)
{
    return answer->is_whole && answer->status != 503;
}

int documents_check(writer_t *writer, unsigned document)
{
    uint64_t expected = atomic_load(&acknowledged[document]);
    answer_t answer;

    if (!ask_for(writer, document, &answer))
        return 0;
    check_answer(document, expected, &answer);
    return is_told(&answer);
}

static void check_until_told(writer_t *writer, uint64_t document,
                             uint64_t expected)
{
    int64_t until_us = now_us() + 2 * ANSWER_WITHIN_US;
    answer_t answer;

    while (now_us() < until_us) {
        if (ask_for(writer, document, &answer)) {
            check_answer(document, expected, &answer);
            if (is_told(&answer))
                return;
        }
        pause_us(20000);
    }
    violation("document %" PRIu64 " cannot be read", document & ~CREATED);
}

static void check_one(writer_t *writer, unsigned document)
{
    check_until_told(writer, document, atomic_load(&acknowledged[document]));
}

void documents_check_recent(writer_t *writer)
{
    unsigned i, until = atomic_load(&recent_at);

    for (i = 0; i < options.hot; i++)
        check_one(writer, i);
    for (i = until > RECENT ? until - RECENT : 0; i < until; i++)
        check_one(writer, atomic_load(&recent[i % RECENT]));
}

/* Those that were created, and acknowledged, are in the ledgers. */
static void check_created(writer_t *writer)
{
    unsigned thread, i;

    for (thread = 0; thread < THREADS_MAX; thread++)
        for (i = 0; i < counts[thread]; i++) {
            const operation_t *operation = &operations[thread][i];

            if (operation->doing == CREATE &&
                atomic_load(&operation->state) == ACKNOWLEDGED)
                check_until_told(writer, operation->document, 1);
        }
}

void documents_check_all(writer_t *writer)
{
    unsigned document;

    for (document = 0; document < options.documents; document++)
        check_one(writer, document);
    check_created(writer);
}

/* ---- writes ---- */

static state_t state_of(const answer_t *answer, const char *name)
{
    switch (answer->status) {
    case 200:
    case 201:
    case 204:
        return ACKNOWLEDGED;
    case 412:
        return REFUSED;
    case 404:
        return UNCHANGED;
    case 503:
        if (answer->is_whole && !answer->retry_after)
            violation("%s: 503 without Retry-After", name);
        return UNCHANGED;
    default:
        violation("%s: a write was answered %d", name, answer->status);
        return UNANSWERED;
    }
}

static void note_acknowledged(const operation_t *operation, uint64_t version)
{
    enter_winner(operation->document, version);
    if (operation->document & CREATED) {
        raise_to(&created_highest, operation->document & ~CREATED);
        return;
    }
    raise_to(&acknowledged[operation->document], version);
    atomic_store(&recent[atomic_fetch_add(&recent_at, 1) % RECENT],
                 (unsigned)operation->document);
}

/* @return was it acknowledged? */
static int end(operation_t *operation, const char *name, int answered,
               const answer_t *answer)
{
    state_t state = answered ? state_of(answer, name) : UNANSWERED;
    uint64_t version =
        operation->doing == DELETE ? operation->base + 1 : answer->version;

    if (state == ACKNOWLEDGED && operation->doing == CREATE)
        operation->document = CREATED | answer->location;
    if (state == ACKNOWLEDGED && version == 0) {
        violation("%s: %d without a tag", name, answer->status);
        state = UNANSWERED;
    }
    if (state == REFUSED && operation->doing != REVIVE &&
        answer->version == operation->base)
        violation("%s: refused upon version %" PRIu64 ", which is there", name,
                  operation->base);
    atomic_store(&operation->version, version);
    atomic_store(&operation->state, state);
    atomic_fetch_add(&totals[state], 1);
    if (state == ACKNOWLEDGED)
        note_acknowledged(operation, version);
    return state == ACKNOWLEDGED;
}

/* Some clients are slow. */
static int pause_of(writer_t *writer)
{
    return draw_random(&writer->random) % 64 == 0 ? 5000 : 0;
}

static int send_write(writer_t *writer, doing_t doing, unsigned document,
                      uint64_t base, const char *field)
{
    static __thread char body[PAD_LARGE + 256];
    request_t request = {"PUT", NULL, field, body, 0, pause_of(writer)};
    operation_t *operation;
    char name[64];
    answer_t answer;
    uint64_t author;
    int answered;

    if (!(operation = begin(writer, doing, document, base, &author)))
        return 0;
    request.path = name_of(document, name, sizeof name);
    if (doing == DELETE) {
        request.method = "DELETE";
        request.body = NULL;
        raise_to(&deleted[document], base + 1);
    }
    else
        request.length = make_body(body, base + 1, author);
    answered = wire_ask(&writer->wire, &request, &answer);
    return end(operation, name, answered, &answer);
}

static void write_upon(writer_t *writer, unsigned document, uint64_t version)
{
    char field[64];
    doing_t doing = draw_random(&writer->random) % 16 == 0 ? DELETE : UPDATE;

    if (version == 0) {
        send_write(writer, REVIVE, document, 0, "If-None-Match: *");
        return;
    }
    snprintf(field, sizeof field, "If-Match: \"%" PRIu64 "\"", version);
    send_write(writer, doing, document, version, field);
}

void documents_write(writer_t *writer, unsigned document)
{
    uint64_t expected = atomic_load(&acknowledged[document]);
    answer_t answer;
    uint64_t version;

    if (!ask_for(writer, document, &answer))
        return;
    version = check_answer(document, expected, &answer);
    if (is_told(&answer))
        write_upon(writer, document, version);
}

int64_t documents_replace(writer_t *writer, unsigned document)
{
    return send_write(writer, REPLACE, document, 0, NULL) ? now_us() : 0;
}

void documents_create(writer_t *writer)
{
    static __thread char body[PAD_LARGE + 256];
    request_t request = {"POST", "/docs/made/",   NULL, body,
                         0,      pause_of(writer)};
    operation_t *operation;
    answer_t answer;
    uint64_t author;
    int answered;

    if (!(operation = begin(writer, CREATE, CREATED, 0, &author)))
        return;
    request.length = make_body(body, 1, author);
    answered = wire_ask(&writer->wire, &request, &answer);
    end(operation, "/docs/made/", answered, &answer);
}

void documents_report(void)
{
    printf("# %lu writes acknowledged, %lu refused, %lu unchanged, %lu without "
           "an answer; %lu reads checked\n",
           atomic_load(&totals[ACKNOWLEDGED]), atomic_load(&totals[REFUSED]),
           atomic_load(&totals[UNCHANGED]), atomic_load(&totals[UNANSWERED]),
           atomic_load(&reads));
}
