/* condreqctl: what its files share. One file a subcommand, and one a noun:
 *
 * condreqctl.c   options, the table of subcommands, exit codes
 * user.c         as whom
 * key.c          keys as they are written on a command line
 * json.c         strings and times in JSON
 *
 * Knows stores by their provider's table alone; it writes no record that way
 * that a server would not. */
#ifndef CONDREQCTL_H
#define CONDREQCTL_H

#include "condreq_store_care.h"

/** What condreqctl exits with; docs/condreqctl.8 says when. */
typedef enum ctl_exit_t {
    CTL_DONE = 0,
    CTL_FOUND_WRONG = 1,
    CTL_USAGE = 2,
    CTL_NOT_THERE = 3,
    CTL_BUSY = 4,
    CTL_WRONG_USER = 5,
    CTL_FORMAT = 6,
    CTL_TROUBLE = 7
} ctl_exit_t;

/** One call of the tool. */
typedef struct ctl_call_t {
    const condreq_store_provider_t *provider;
    /** the store's directory, absolute */
    const char *path;
    int json;
    /** of list, decoded; "" for all */
    const char *prefix;
    /** what follows the subcommand, and NULL */
    char **arguments;
    /** the first of them, absolute, where it is a directory */
    const char *directory;
    /** how often it was begun, with this time */
    int tries;
    apr_pool_t *pool;
} ctl_call_t;

/* Subcommands. */

ctl_exit_t ctl_stat(ctl_call_t *call);
ctl_exit_t ctl_list(ctl_call_t *call);
ctl_exit_t ctl_get(ctl_call_t *call);
ctl_exit_t ctl_verify(ctl_call_t *call);
ctl_exit_t ctl_backup(ctl_call_t *call);
ctl_exit_t ctl_restore(ctl_call_t *call);
ctl_exit_t ctl_salvage(ctl_call_t *call);

/* What they have in common. */

/** Says a sentence on standard error. @return the exit code, handed on */
ctl_exit_t ctl_say(ctl_exit_t code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Says what a store's trouble was. @return the exit code for it */
ctl_exit_t ctl_trouble(apr_status_t status, const condreq_trouble_t *trouble);

/** Becomes the user who has the store, and opens it. */
ctl_exit_t ctl_open(condreq_store_t **store, const ctl_call_t *call);

/** Ends a call that has written to standard output: what could not be written
 * was not done. */
ctl_exit_t ctl_written(ctl_exit_t code);

/** Findings that are said as they come. */
void ctl_findings_begin(condreq_findings_t *findings, ctl_call_t *call);

/** Says how many documents there were, and how many findings.
 * @param words  what was done with the documents
 * @return the exit code for it */
ctl_exit_t ctl_findings_end(const condreq_findings_t *findings,
                            const ctl_call_t *call, const char *words);

/* As whom (user.c). */

/** Where this is root, becomes whoever has a directory; else checks that we
 * are. */
ctl_exit_t ctl_become_owner(const char *directory);

/** Ends this process with the one that started it. */
void ctl_end_with_parent(pid_t parent);

/** Could this become whoever has a directory? */
ctl_exit_t ctl_may_be_owner(const char *directory);

/** Makes a directory, as its parent's user would, and gives it to the owner of
 * another. One that is there and empty will do.
 * @param again  as will one that an earlier try has begun to fill */
ctl_exit_t ctl_make_directory(const char *directory, const char *like,
                              int again);

/* Keys (key.c). */

/** A key as it would stand in a URL, in printable ASCII. */
const char *ctl_key_written(const char *key, apr_pool_t *pool);

/** Reads it back. @return NULL: that is no key */
const char *ctl_key_read(const char *written, apr_pool_t *pool);

/* JSON (json.c). */

/** A string with its quotes. */
const char *ctl_json_string(const char *text, apr_pool_t *pool);

/** RFC 3339, with microseconds; the same without JSON. */
const char *ctl_time(apr_time_t time_us, apr_pool_t *pool);

#endif
