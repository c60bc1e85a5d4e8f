/* A disk after a power cut: what was flushed, and a part of what was not.
 * Knows the trace, and of the log's files their names and where a record ends;
 * no store.
 *
 * Of names the rules of Linux's file systems hold, which keep a journal: a
 * flush of any file makes all names last that were given or taken before, and
 * of later ones those up to some moment. A page of a tree arrives whole or not
 * at all; t/crash/power/power_torn.c has those that do not. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "power.h"

/* How long a file may become. */
#define FILE_MAX (8u << 20)
#define FILES_MAX 4096u

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* More cuts while something of the log is under way, and at its richest: just
 * before a flush returns. */
static apr_uint64_t draw_cut(unsigned *seed, apr_uint64_t first)
{
    apr_uint64_t count = trace_count();
    apr_uint64_t cut = first + next_random(seed) % (count - first) + 1;

    if (next_random(seed) % 4 == 0)
        return cut;
    while (cut < count && trace_event(cut)->kind != EVENT_SYNC)
        cut++;
    return cut;
}

fate_t fate_draw(unsigned seed, apr_uint64_t first)
{
    static const unsigned shares[] = {0, 0, 1, 4, 7, 8};
    fate_t fate = {0};

    fate.seed = seed;
    next_random(&seed);
    fate.cut = draw_cut(&seed, first);
    fate.log = next_random(&seed) % LOG_FATES;
    fate.tail = next_random(&seed) % TAIL_KINDS;
    fate.pages_of_8 = shares[next_random(&seed) % 6];
    fate.names = next_random(&seed) % 3;
    return fate;
}

void fate_print(const fate_t *fate)
{
    static const char *const logs[] = {"as flushed", "whole", "cut at a record",
                                       "cut in a record", "by sectors"};
    static const char *const tails[] = {"absent", "zero", "old bytes"};
    static const char *const of_names[] = {"none", "some", "all"};

    printf("#   seed %u: cut before event %lu of %lu; log %s, rest %s; %u of "
           "8 pages; of new names %s%s\n",
           fate->seed, (unsigned long)fate->cut, (unsigned long)trace_count(),
           logs[fate->log], tails[fate->tail], fate->pages_of_8,
           of_names[fate->names], fate->lies ? "; it lies" : "");
}

/* ---- one file ---- */

typedef struct content_t {
    char name[64];
    int is_log;
    /** events before this one are on the disk */
    apr_uint64_t flushed;
    unsigned char *bytes;
    apr_uint64_t length;
} content_t;

/** What is made of one fate. */
typedef struct disk_t {
    const fate_t *fate;
    unsigned seed;
    content_t files[FILES_MAX];
    unsigned count;
    /** the log ends here: the file, and the byte in it */
    unsigned cut_file;
    apr_uint64_t cut_at;
} disk_t;

static content_t *file_of(disk_t *disk, const event_t *event)
{
    if (event->file >= FILES_MAX)
        abort();
    if (event->file >= disk->count)
        disk->count = event->file + 1;
    return &disk->files[event->file];
}

static void put_bytes(content_t *file, apr_uint64_t at, const char *bytes,
                      apr_uint64_t length)
{
    if (at + length > FILE_MAX)
        abort();
    if (!file->bytes && !(file->bytes = calloc(1, FILE_MAX)))
        abort();
    memcpy(file->bytes + at, bytes, length);
    if (at + length > file->length)
        file->length = at + length;
}

static void truncate_to(content_t *file, apr_uint64_t length)
{
    if (file->bytes && length < file->length)
        memset(file->bytes + length, 0, file->length - length);
    if (file->bytes || length > 0)
        file->length = length;
}

/* ---- names and flushes ---- */

static void apply_name(disk_t *disk, const event_t *event)
{
    content_t *file = file_of(disk, event);
    const char *name = trace_bytes(event);
    unsigned i;

    for (i = 0; i < disk->count; i++)
        if (!strcmp(disk->files[i].name, name))
            disk->files[i].name[0] = '\0';
    if (event->kind != EVENT_UNLINK)
        snprintf(file->name, sizeof file->name, "%s", name);
}

static int is_name(const event_t *event)
{
    return event->kind == EVENT_CREATE || event->kind == EVENT_RENAME ||
           event->kind == EVENT_UNLINK;
}

/* @return the event before which all names last */
static apr_uint64_t note_flushes(disk_t *disk)
{
    apr_uint64_t until = disk->fate->cut, names = trace_found(), last = 0, i;

    for (i = trace_found(); disk->fate->lies && i < until; i++)
        if (trace_event(i)->kind == EVENT_SYNC)
            last = i;
    for (i = 0; i < until; i++) {
        const event_t *event = trace_event(i);

        if (event->kind != EVENT_SYNC || (last && i == last))
            continue;
        if (event->at > file_of(disk, event)->flushed)
            file_of(disk, event)->flushed = event->at;
        if (event->at > names)
            names = event->at;
    }
    return names;
}

static void apply_names(disk_t *disk, apr_uint64_t until)
{
    apr_uint64_t cut = disk->fate->cut, i;

    if (disk->fate->names == 2)
        until = cut;
    else if (disk->fate->names == 1 && until < cut)
        until += next_random(&disk->seed) % (cut - until);
    for (i = 0; i < until; i++)
        if (is_name(trace_event(i)))
            apply_name(disk, trace_event(i));
}

/* ---- the log's end ---- */

static unsigned log_number(const content_t *file)
{
    return (unsigned)atoi(file->name + strlen("log/log."));
}

static apr_uint32_t native_u32(const unsigned char *bytes)
{
    apr_uint32_t value;

    memcpy(&value, bytes, sizeof value);
    return value;
}

/* A record begins with where the one before began, and its own length. */
#define RECORD_HEADER 12u
#define FIRST_RECORD 28u

/** Where records end in what was not flushed. */
typedef struct ends_t {
    unsigned count;
    struct {
        unsigned file;
        apr_uint64_t at;
        apr_uint32_t length;
    } ends[20000];
} ends_t;

static void find_ends(ends_t *ends, unsigned number, const content_t *whole,
                      apr_uint64_t from)
{
    apr_uint64_t at = 0;
    apr_uint32_t length;

    while (at + RECORD_HEADER <= whole->length) {
        length = native_u32(whole->bytes + at + 4);
        if (length < RECORD_HEADER || at + length > whole->length)
            return;
        at += length;
        if (at <= from || ends->count == 20000)
            continue;
        ends->ends[ends->count].file = number;
        ends->ends[ends->count].at = at;
        ends->ends[ends->count++].length = length;
    }
}

/* How far a file of the log was surely written, and what it would hold. Zeros
 * that a new file was filled with are not records. */
static apr_uint64_t flushed_length(const content_t *file, unsigned number,
                                   apr_uint64_t until)
{
    apr_uint64_t length = 0, i;

    for (i = 0; i < until && i < file->flushed; i++) {
        const event_t *event = trace_event(i);

        if (event->kind == EVENT_WRITE && event->file == number &&
            trace_bytes(event)[4] && event->at + event->length > length)
            length = event->at + event->length;
    }
    return length;
}

static void find_all_ends(ends_t *ends, disk_t *disk)
{
    apr_uint64_t until = disk->fate->cut, i;
    content_t whole;
    unsigned file;

    ends->count = 0;
    for (file = 0; file < disk->count; file++) {
        if (!disk->files[file].is_log || !disk->files[file].name[0])
            continue;
        memset(&whole, 0, sizeof whole);
        for (i = 0; i < until; i++)
            if (trace_event(i)->kind == EVENT_WRITE &&
                trace_event(i)->file == file)
                put_bytes(&whole, trace_event(i)->at,
                          trace_bytes(trace_event(i)), trace_event(i)->length);
        if (whole.bytes)
            find_ends(ends, file, &whole,
                      flushed_length(&disk->files[file], file, until));
        free(whole.bytes);
    }
}

/* Nothing under way: the log is whole as it is. */
static void choose_cut(disk_t *disk)
{
    static ends_t ends;
    unsigned chosen;

    disk->cut_file = 0;
    disk->cut_at = APR_UINT64_MAX;
    find_all_ends(&ends, disk);
    if (ends.count == 0)
        return;
    chosen = (disk->fate->record ? disk->fate->record - 1
                                 : next_random(&disk->seed)) %
             ends.count;
    disk->cut_file = ends.ends[chosen].file;
    disk->cut_at = ends.ends[chosen].at;
    if (disk->fate->log == LOG_IN_RECORD)
        disk->cut_at -=
            1 + next_random(&disk->seed) % (ends.ends[chosen].length - 1);
    /* The first record stands in one sector. */
    if (disk->cut_at < FIRST_RECORD)
        disk->cut_at = 0;
}

/* How much of a write to the log comes before the cut. */
static apr_uint64_t before_cut(const disk_t *disk, const event_t *event)
{
    const content_t *file = &disk->files[event->file];
    const content_t *cut = &disk->files[disk->cut_file];

    if (disk->cut_at == APR_UINT64_MAX || log_number(file) < log_number(cut))
        return event->length;
    if (event->file != disk->cut_file || event->at >= disk->cut_at)
        return 0;
    return disk->cut_at - event->at < event->length ? disk->cut_at - event->at
                                                    : event->length;
}

/* What the medium held before: nothing, or what somebody else's file left, but
 * for the sector that says what kind of file it is. */
static void put_tail(disk_t *disk, const event_t *event, apr_uint64_t from)
{
    content_t *file = &disk->files[event->file];
    apr_uint64_t i;
    char byte = 0;

    if (disk->fate->tail == TAIL_ABSENT)
        return;
    for (i = from; i < event->length; i++) {
        if (disk->fate->tail == TAIL_OLD && event->at + i >= SECTOR)
            byte = trace_bytes(event)[(i * 7 + 13) % event->length];
        put_bytes(file, event->at + i, &byte, 1);
    }
}

static void put_sectors(disk_t *disk, const event_t *event)
{
    content_t *file = &disk->files[event->file];
    apr_uint64_t at = event->at, end = event->at + event->length, next;

    for (; at < end; at = next) {
        next = (at / SECTOR + 1) * SECTOR;
        if (next > end)
            next = end;
        if (next_random(&disk->seed) % 2)
            put_bytes(file, at, trace_bytes(event) + (at - event->at),
                      next - at);
    }
}

static void put_log(disk_t *disk, const event_t *event)
{
    content_t *file = &disk->files[event->file];
    apr_uint64_t kept;

    switch (disk->fate->log) {
    case LOG_FLUSHED:
        return;
    case LOG_SECTORS:
        put_sectors(disk, event);
        return;
    case LOG_AT_RECORD:
    case LOG_IN_RECORD:
        kept = before_cut(disk, event);
        put_bytes(file, event->at, trace_bytes(event), kept);
        put_tail(disk, event, kept);
        return;
    default:
        put_bytes(file, event->at, trace_bytes(event), event->length);
    }
}

/* ---- all of it ---- */

static void put_unflushed(disk_t *disk, const event_t *event)
{
    content_t *file = &disk->files[event->file];

    if (file->is_log)
        put_log(disk, event);
    else if (next_random(&disk->seed) % 8 < disk->fate->pages_of_8)
        put_bytes(file, event->at, trace_bytes(event), event->length);
}

static void fill(disk_t *disk)
{
    apr_uint64_t i;

    for (i = 0; i < disk->fate->cut; i++) {
        const event_t *event = trace_event(i);

        if (event->kind == EVENT_TRUNCATE)
            truncate_to(&disk->files[event->file], event->at);
        if (event->kind != EVENT_WRITE)
            continue;
        if (i < disk->files[event->file].flushed)
            put_bytes(&disk->files[event->file], event->at, trace_bytes(event),
                      event->length);
        else
            put_unflushed(disk, event);
    }
}

static void store_file(const content_t *file, const char *path)
{
    char name[1024];
    apr_uint64_t done = 0;
    int descriptor;

    snprintf(name, sizeof name, "%s/%s", path, file->name);
    descriptor = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    while (descriptor >= 0 && done < file->length) {
        ssize_t written =
            write(descriptor, file->bytes + done, file->length - done);

        if (written <= 0)
            abort();
        done += (apr_uint64_t)written;
    }
    if (descriptor < 0 || close(descriptor) != 0)
        abort();
}

static disk_t *disk_begin(const fate_t *fate)
{
    disk_t *disk = calloc(1, sizeof *disk);
    unsigned i;

    if (!disk)
        abort();
    disk->fate = fate;
    disk->seed = fate->seed * 2654435761u;
    apply_names(disk, note_flushes(disk));
    for (i = 0; i < disk->count; i++)
        disk->files[i].is_log = !strncmp(disk->files[i].name, "log/", 4);
    return disk;
}

static void disk_end(disk_t *disk)
{
    unsigned i;

    for (i = 0; i < disk->count; i++)
        free(disk->files[i].bytes);
    free(disk);
}

unsigned disk_records(const fate_t *fate)
{
    disk_t *disk = disk_begin(fate);
    static ends_t ends;

    find_all_ends(&ends, disk);
    disk_end(disk);
    return ends.count;
}

void disk_make(const fate_t *fate, const char *path)
{
    static const char *const directories[] = {"", "/data", "/log"};
    disk_t *disk = disk_begin(fate);
    char name[1024];
    unsigned i;

    choose_cut(disk);
    fill(disk);
    for (i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", path, directories[i]);
        mkdir(name, 0700);
    }
    for (i = 0; i < disk->count; i++)
        if (disk->files[i].name[0])
            store_file(&disk->files[i], path);
    disk_end(disk);
}
