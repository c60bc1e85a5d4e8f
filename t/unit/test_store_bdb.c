/* The store suite over Berkeley DB, in a directory of its own.
 * Knows which provider, and how to remove what its stores leave behind; the
 * promises are in store/suite.c. */
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apr_general.h"

#include "store/suite.h"

/* The handles of an open store are kept until the process ends, in memory of
 * pools, where LeakSanitizer does not see them. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libdb-5.3.so\n";
}

static int remove_one(const char *path, const struct stat *found, int kind,
                      struct FTW *at)
{
    (void)found;
    (void)kind;
    (void)at;
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Shared memory is shared with all other stores of this machine: only what a
 * store's own file names is removed. */
static void remove_regions_of(const char *store)
{
    char name[1024], line[1024];
    FILE *file;
    int i;

    snprintf(name, sizeof(name), "%s/generation", store);
    if (!(file = fopen(name, "r")))
        return;
    for (i = 0; i < 3 && fgets(line, sizeof(line), file); i++)
        continue;
    fclose(file);
    line[strcspn(line, "\n")] = '\0';
    if (i == 3 && strstr(line, "/condreq-"))
        remove_tree(line);
}

static void remove_stores(const char *directory)
{
    struct dirent *entry;
    char store[512];
    DIR *stores = opendir(directory);

    while (stores && (entry = readdir(stores))) {
        snprintf(store, sizeof(store), "%s/%.200s", directory, entry->d_name);
        if (entry->d_name[0] != '.')
            remove_regions_of(store);
    }
    if (stores)
        closedir(stores);
    remove_tree(directory);
}

int main(void)
{
    char directory[] = "/tmp/test_store_bdb.XXXXXX";
    store_suite_t suite = {&condreq_store_bdb, directory, 1};
    int failed;

    if (!mkdtemp(directory))
        return 1;
    apr_initialize();
    failed = store_suite(&suite);
    remove_stores(directory);
    return failed;
}
