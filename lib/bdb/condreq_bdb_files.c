/* Files: copied to the disk, listed, removed.
 * Knows names and bytes, and of pages whether they are sound. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apr_strings.h"
#include "apr_tables.h"

#include "condreq_bdb_copies.h"

#define AT_ONCE 64u

/* ---- listing ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static apr_array_header_t *names_in(DIR *listing, apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, 16, sizeof(char *));
    const struct dirent *entry;
    struct stat found;

    while ((entry = readdir(listing)))
        if (fstatat(dirfd(listing), entry->d_name, &found,
                    AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(found.st_mode))
            APR_ARRAY_PUSH(names, char *) = apr_pstrdup(pool, entry->d_name);
    qsort(names->elts, (size_t)names->nelts, sizeof(char *), by_name);
    return names;
}

apr_status_t bdb_files_each(const char *directory, bdb_file_do_t *each,
                            void *baton, condreq_trouble_t *trouble,
                            apr_pool_t *pool)
{
    DIR *listing = opendir(directory);
    apr_status_t status = APR_SUCCESS;
    apr_array_header_t *names;
    int i;

    if (!listing)
        return condreq_trouble(trouble, errno, "reading %s", directory);
    names = names_in(listing, pool);
    closedir(listing);
    for (i = 0; i < names->nelts && status == APR_SUCCESS; i++)
        status = each(baton, directory, APR_ARRAY_IDX(names, i, char *), pool);
    return status;
}

/* ---- copying ---- */

typedef struct copying_t {
    int from;
    int to;
} copying_t;

static apr_status_t copying_begin(copying_t *copying, const char *from,
                                  const char *to, condreq_trouble_t *trouble)
{
    copying->from = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (copying->from < 0)
        return condreq_trouble(trouble, errno, "opening %s", from);
    copying->to =
        open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (copying->to >= 0)
        return APR_SUCCESS;
    close(copying->from);
    return condreq_trouble(trouble, errno, "making %s", to);
}

static apr_status_t copying_end(copying_t *copying, const char *to,
                                apr_status_t status, condreq_trouble_t *trouble)
{
    if (status == APR_SUCCESS && fsync(copying->to) != 0)
        status = condreq_trouble(trouble, errno, "writing %s", to);
    close(copying->from);
    close(copying->to);
    return status;
}

static apr_status_t write_all(int descriptor, const void *bytes,
                              apr_size_t length)
{
    const char *rest = bytes;
    ssize_t now;

    while (length > 0) {
        now = write(descriptor, rest, length);
        if (now < 0 && errno != EINTR)
            return errno;
        now = now < 0 ? 0 : now;
        rest += now;
        length -= (apr_size_t)now;
    }
    return APR_SUCCESS;
}

apr_status_t bdb_file_copy(const char *from, const char *to,
                           apr_uint64_t at_most, condreq_trouble_t *trouble)
{
    static const apr_size_t piece = 256u << 10;
    char *bytes = malloc(piece);
    copying_t copying;
    apr_status_t status = bytes ? copying_begin(&copying, from, to, trouble)
                                : condreq_trouble(trouble, ENOMEM, "copying");
    ssize_t got = 1;

    if (status != APR_SUCCESS) {
        free(bytes);
        return status;
    }
    while (status == APR_SUCCESS && at_most > 0 && got != 0) {
        got = read(copying.from, bytes,
                   at_most < piece ? (apr_size_t)at_most : piece);
        if (got < 0 && errno != EINTR)
            status = condreq_trouble(trouble, errno, "reading %s", from);
        else if (got > 0 &&
                 (status = write_all(copying.to, bytes, (apr_size_t)got)))
            condreq_trouble(trouble, status, "writing %s", to);
        at_most -= got > 0 ? (apr_uint64_t)got : 0;
    }
    free(bytes);
    return copying_end(&copying, to, status, trouble);
}

static apr_status_t copy_pages(copying_t *copying, bdb_page_t *pages,
                               const char *from, const char *to,
                               condreq_trouble_t *trouble)
{
    apr_uint32_t number = 0, damaged;
    apr_status_t status;
    unsigned got;

    do {
        status = bdb_pages_read(copying->from, number, pages, AT_ONCE, 1, &got,
                                &damaged);
        if (status != APR_SUCCESS)
            return condreq_trouble(trouble, status, "reading %s", from);
        if (damaged != number + got)
            return condreq_trouble(trouble, CONDREQ_EDAMAGED, "page %u of %s",
                                   damaged, from);
        status = write_all(copying->to, pages, (apr_size_t)got * BDB_PAGE_SIZE);
        if (status != APR_SUCCESS)
            return condreq_trouble(trouble, status, "writing %s", to);
        number += got;
    } while (got == AT_ONCE);
    return APR_SUCCESS;
}

apr_status_t bdb_file_copy_pages(const char *from, const char *to,
                                 condreq_trouble_t *trouble)
{
    bdb_page_t *pages = malloc(AT_ONCE * sizeof(*pages));
    copying_t copying;
    apr_status_t status = pages ? copying_begin(&copying, from, to, trouble)
                                : condreq_trouble(trouble, ENOMEM, "copying");

    if (status == APR_SUCCESS) {
        status = copy_pages(&copying, pages, from, to, trouble);
        status = copying_end(&copying, to, status, trouble);
    }
    free(pages);
    return status;
}

/* ---- the directories of a copy ---- */

apr_status_t bdb_copy_make(const char *directory, condreq_trouble_t *trouble,
                           apr_pool_t *pool)
{
    const char *data = apr_pstrcat(pool, directory, "/data", NULL);
    const char *log = apr_pstrcat(pool, directory, "/log", NULL);

    if (mkdir(data, 0700) != 0)
        return condreq_trouble(trouble, errno, "making %s", data);
    if (mkdir(log, 0700) != 0)
        return condreq_trouble(trouble, errno, "making %s", log);
    return APR_SUCCESS;
}

apr_status_t bdb_copy_move(const char *from, const char *to,
                           condreq_trouble_t *trouble, apr_pool_t *pool)
{
    static const char *const parts[] = {"/log", "/data"};
    int i;

    for (i = 0; i < 2; i++) {
        const char *moved = apr_pstrcat(pool, to, parts[i], NULL);

        if (rename(apr_pstrcat(pool, from, parts[i], NULL), moved) != 0)
            return condreq_trouble(trouble, errno, "making %s", moved);
    }
    if (rmdir(from) != 0 || !bdb_directory_sync(to))
        return condreq_trouble(trouble, errno, "writing %s", to);
    return APR_SUCCESS;
}

static apr_status_t remove_file(void *baton, const char *directory,
                                const char *name, apr_pool_t *pool)
{
    (void)baton;
    unlink(apr_pstrcat(pool, directory, "/", name, NULL));
    return APR_SUCCESS;
}

static void remove_directory(const char *directory, apr_pool_t *pool)
{
    condreq_trouble_t trouble;

    bdb_files_each(directory, remove_file, NULL, &trouble, pool);
    rmdir(directory);
}

void bdb_copy_remove(const char *directory, apr_pool_t *pool)
{
    remove_directory(apr_pstrcat(pool, directory, "/data", NULL), pool);
    remove_directory(apr_pstrcat(pool, directory, "/log", NULL), pool);
}
