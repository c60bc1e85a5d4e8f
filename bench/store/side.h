/* The sides of a comparison without httpd: durable conditional updates through
 * a store of ours, and through the bare library.
 * Knows how each is made, opened and asked; no thread, no clock. */
#ifndef BENCH_SIDE_H
#define BENCH_SIDE_H

#include "apr_pools.h"

#define SIDE_THREADS_MAX 1024

/** What both sides of one comparison do alike. */
typedef struct side_setting_t {
    /** an absolute directory on the disk to measure */
    const char *path;
    unsigned documents;
    unsigned body_length;
    unsigned cache_bytes;
    /** a power cut may take the last updates */
    int nosync;
    /** removes the old body after the new one is stored */
    int remove_last;
} side_setting_t;

extern side_setting_t side_setting;

/** One side. What goes wrong ends the program with a sentence. */
typedef struct side_t {
    const char *name;
    /** Makes it with all documents, in a process of its own. */
    void (*prepare)(void);
    /** Opens what was prepared, once a process. */
    void *(*open)(void);
    /** Replaces one document, if it is there; safe in many threads. */
    void (*update)(void *opened, unsigned document, apr_pool_t *pool);
    /** What a keeper does once a second: checkpoint, old logs. */
    void (*maintain)(void *opened);
    /** Removes what prepare() left outside of the setting's path. */
    void (*remove)(void);
} side_t;

extern const side_t side_bdb;
/** one process alone: the one that prepares it */
extern const side_t side_mem;
extern const side_t side_bare;

/** @return NULL where none has this name */
const side_t *side_named(const char *name);

/** The bytes of every body: JSON of body_length bytes. */
const char *side_body(void);

void side_die(const char *what, const char *why) __attribute__((noreturn));

#endif
