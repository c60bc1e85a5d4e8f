/* Panic: the mark in the shared regions that makes the library's calls return.
 * Knows the first bytes of the library's first region file; calls nothing of
 * it, for a call may wait for a lock that a dead process holds. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <db.h>

#include "apr_strings.h"

#include "condreq_bdb_keeper.h"

#define REGION_MAGIC 0x120897u

/* As the library's 5.3 has it, in the machine's own order. */
typedef struct region_head_t {
    apr_uint32_t magic;
    apr_uint32_t panic;
    apr_uint32_t major;
    apr_uint32_t minor;
} region_head_t;

static int is_this_librarys(const region_head_t *head)
{
    int major, minor, patch;

    db_version(&major, &minor, &patch);
    return head->magic == REGION_MAGIC && head->major == (apr_uint32_t)major &&
           head->minor == (apr_uint32_t)minor && major == 5 && minor == 3;
}

int bdb_region_panic(const char *regions, apr_pool_t *pool)
{
    apr_uint32_t mark = 1;
    region_head_t head;
    int descriptor, marked;

    if (!regions)
        return 0;
    descriptor = open(apr_pstrcat(pool, regions, "/__db.001", NULL),
                      O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0)
        return 0;
    marked = pread(descriptor, &head, sizeof(head), 0) == sizeof(head) &&
             is_this_librarys(&head) &&
             pwrite(descriptor, &mark, sizeof(mark),
                    offsetof(region_head_t, panic)) == sizeof(mark);
    close(descriptor);
    return marked;
}
