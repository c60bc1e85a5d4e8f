/* Manifests: a backup's own list of its files, and the moment it is of.
 * Knows text, sizes and SHA-256; no store.
 *
 *   condreq backup 1
 *   moment 1764080553123456             microseconds since the epoch
 *   format 1                            of the store's trees
 *   incarnation 0
 *   file SHA-256 BYTES data/bodies.db   one a file
 *   end */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "apr_hash.h"
#include "apr_strings.h"

#include "condreq_bdb_copies.h"

#define NAME "/manifest"
#define HEADER "condreq backup 1"
#define PIECE 65536
#define HEX_SIZE (2 * CONDREQ_SHA256_SIZE + 1)
#define LINE_SIZE 512

static const char *const parts[] = {"data", "log"};
#define PARTS 2

/* ---- a file's sum ---- */

static int digest(EVP_MD_CTX *sum, FILE *file, apr_uint64_t *length)
{
    unsigned char bytes[PIECE];
    size_t got;

    *length = 0;
    while ((got = fread(bytes, 1, sizeof(bytes), file)) > 0) {
        EVP_DigestUpdate(sum, bytes, got);
        *length += got;
    }
    return !ferror(file);
}

static apr_status_t file_sum(const char *name, char hex[HEX_SIZE],
                             apr_uint64_t *length)
{
    unsigned char bytes[CONDREQ_SHA256_SIZE];
    FILE *file = fopen(name, "re");
    EVP_MD_CTX *sum = EVP_MD_CTX_new();
    apr_status_t status = file ? APR_SUCCESS : errno;
    int i;

    if (status == APR_SUCCESS) {
        EVP_DigestInit_ex(sum, EVP_sha256(), NULL);
        status = digest(sum, file, length) ? APR_SUCCESS : EIO;
        EVP_DigestFinal_ex(sum, bytes, NULL);
        fclose(file);
    }
    for (i = 0; i < CONDREQ_SHA256_SIZE && status == APR_SUCCESS; i++)
        sprintf(hex + 2 * i, "%02x", bytes[i]);
    EVP_MD_CTX_free(sum);
    return status;
}

/* ---- writing ---- */

typedef struct listing_t {
    FILE *manifest;
    const char *part;
    condreq_backup_t *backup;
    condreq_trouble_t *trouble;
} listing_t;

static apr_status_t list_file(void *baton, const char *directory,
                              const char *name, apr_pool_t *pool)
{
    const char *path = apr_pstrcat(pool, directory, "/", name, NULL);
    listing_t *listing = baton;
    apr_uint64_t length;
    char hex[HEX_SIZE];
    apr_status_t status = file_sum(path, hex, &length);

    if (status != APR_SUCCESS)
        return condreq_trouble(listing->trouble, status, "reading %s", path);
    fprintf(listing->manifest, "file %s %" APR_UINT64_T_FMT " %s/%s\n", hex,
            length, listing->part, name);
    listing->backup->files++;
    listing->backup->bytes += length;
    return APR_SUCCESS;
}

static apr_status_t write_lines(FILE *manifest, const char *directory,
                                condreq_backup_t *backup,
                                condreq_trouble_t *trouble, apr_pool_t *pool)
{
    listing_t listing = {manifest, NULL, backup, trouble};
    apr_status_t status = APR_SUCCESS;
    int i;

    fprintf(manifest,
            HEADER "\nmoment %" APR_TIME_T_FMT "\nformat %d"
                   "\nincarnation %" APR_UINT64_T_FMT "\n",
            backup->moment, BDB_FORMAT, backup->incarnation);
    for (i = 0; i < PARTS && status == APR_SUCCESS; i++) {
        listing.part = parts[i];
        status =
            bdb_files_each(apr_pstrcat(pool, directory, "/", parts[i], NULL),
                           list_file, &listing, trouble, pool);
    }
    fprintf(manifest, "end\n");
    return status;
}

apr_status_t bdb_manifest_write(const char *directory, condreq_backup_t *backup,
                                condreq_trouble_t *trouble, apr_pool_t *pool)
{
    const char *name = apr_pstrcat(pool, directory, NAME, NULL);
    const char *unfinished = apr_pstrcat(pool, name, ".new", NULL);
    FILE *manifest = fopen(unfinished, "wxe");
    apr_status_t status;

    if (!manifest)
        return condreq_trouble(trouble, errno, "making %s", unfinished);
    backup->files = 0;
    backup->bytes = 0;
    fchmod(fileno(manifest), 0600);
    status = write_lines(manifest, directory, backup, trouble, pool);
    if (status == APR_SUCCESS &&
        (fflush(manifest) != 0 || fsync(fileno(manifest)) != 0))
        status = condreq_trouble(trouble, errno, "writing %s", unfinished);
    fclose(manifest);
    if (status == APR_SUCCESS &&
        (rename(unfinished, name) != 0 || !bdb_directory_sync(directory)))
        status = condreq_trouble(trouble, errno, "writing %s", name);
    return status;
}

/* ---- reading ---- */

typedef struct listed_t {
    apr_uint64_t length;
    char hex[HEX_SIZE];
} listed_t;

/* @return is the line one of a manifest's? */
static int read_line(const char *line, condreq_backup_t *backup,
                     apr_hash_t *files, int *ended)
{
    apr_pool_t *pool = apr_hash_pool_get(files);
    listed_t *listed = apr_pcalloc(pool, sizeof(*listed));
    unsigned long long number;
    char name[256];
    long long moment;

    if (*ended)
        return 0;
    if (sscanf(line, "moment %lld", &moment) == 1)
        backup->moment = moment;
    else if (sscanf(line, "format %llu", &number) == 1)
        return number <= BDB_FORMAT;
    else if (sscanf(line, "incarnation %llu", &number) == 1)
        backup->incarnation = number;
    else if (sscanf(line, "file %64[0-9a-f] %llu %255[^\n]", listed->hex,
                    &number, name) == 3) {
        listed->length = number;
        apr_hash_set(files, apr_pstrdup(pool, name), APR_HASH_KEY_STRING,
                     listed);
    }
    else
        return *ended = !strcmp(line, "end\n");
    return 1;
}

static apr_status_t manifest_read(const char *directory,
                                  condreq_backup_t *backup, apr_hash_t *files,
                                  condreq_trouble_t *trouble, apr_pool_t *pool)
{
    const char *name = apr_pstrcat(pool, directory, NAME, NULL);
    FILE *manifest = fopen(name, "re");
    char line[LINE_SIZE];
    int ended = 0, is_ours;

    if (!manifest && errno == ENOENT)
        return condreq_trouble(trouble, APR_ENOENT,
                               "%s is no backup, or one that was not finished",
                               directory);
    if (!manifest)
        return condreq_trouble(trouble, errno, "opening %s", name);
    memset(backup, 0, sizeof(*backup));
    is_ours = fgets(line, sizeof(line), manifest) && !strcmp(line, HEADER "\n");
    while (is_ours && fgets(line, sizeof(line), manifest))
        is_ours = read_line(line, backup, files, &ended);
    fclose(manifest);
    if (is_ours && ended)
        return APR_SUCCESS;
    return condreq_trouble(trouble, CONDREQ_EFORMAT,
                           "%s is of another format, or was cut short", name);
}

/* ---- checking ---- */

typedef struct checking_t {
    const char *directory;
    condreq_backup_t *backup;
    apr_hash_t *files;
    condreq_findings_t *findings;
    condreq_trouble_t *trouble;
} checking_t;

static apr_status_t differs(const checking_t *checking, const char *name,
                            const char *how)
{
    if (checking->findings) {
        bdb_found(checking->findings, name, "%s", how);
        return APR_SUCCESS;
    }
    return condreq_trouble(checking->trouble, CONDREQ_EDAMAGED, "%s/%s %s",
                           checking->directory, name, how);
}

static apr_status_t check_file(const checking_t *checking, const char *name,
                               const listed_t *listed, apr_pool_t *pool)
{
    const char *path = apr_pstrcat(pool, checking->directory, "/", name, NULL);
    char hex[HEX_SIZE];
    apr_uint64_t length;
    apr_status_t status = file_sum(path, hex, &length);

    if (status == APR_ENOENT)
        return differs(checking, name, "is not there");
    if (status != APR_SUCCESS)
        return condreq_trouble(checking->trouble, status, "reading %s", path);
    checking->backup->files++;
    checking->backup->bytes += length;
    if (length != listed->length)
        return differs(checking, name, "has another length than in the backup");
    return strcmp(hex, listed->hex) ? differs(checking, name,
                                              "has other bytes than in the "
                                              "backup")
                                    : APR_SUCCESS;
}

/* A file too many may be a log that a recovery would take for a part of it. */
static apr_status_t check_listed(void *baton, const char *directory,
                                 const char *name, apr_pool_t *pool)
{
    const checking_t *checking = baton;
    const char *part = strrchr(directory, '/') + 1;
    const char *both = apr_pstrcat(pool, part, "/", name, NULL);

    return apr_hash_get(checking->files, both, APR_HASH_KEY_STRING)
               ? APR_SUCCESS
               : differs(checking, both, "is not of the backup");
}

apr_status_t bdb_manifest_check(const char *directory, condreq_backup_t *backup,
                                condreq_findings_t *findings,
                                condreq_trouble_t *trouble, apr_pool_t *pool)
{
    checking_t checking = {directory, backup, apr_hash_make(pool), findings,
                           trouble};
    apr_hash_index_t *at;
    apr_status_t status =
        manifest_read(directory, backup, checking.files, trouble, pool);
    int i;

    for (at = apr_hash_first(pool, checking.files); at && status == APR_SUCCESS;
         at = apr_hash_next(at))
        status = check_file(&checking, apr_hash_this_key(at),
                            apr_hash_this_val(at), pool);
    for (i = 0; i < PARTS && status == APR_SUCCESS; i++)
        status =
            bdb_files_each(apr_pstrcat(pool, directory, "/", parts[i], NULL),
                           check_listed, &checking, trouble, pool);
    return status;
}
