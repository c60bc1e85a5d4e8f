/* A directory for the stores of one test, and its end.
 * Knows what a Berkeley DB store leaves, and where; no TAP. */
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "scratch.h"

const char *scratch_make(void)
{
    static char directory[] = "/tmp/condreq_store.XXXXXX";

    return mkdtemp(directory);
}

static int remove_one(const char *path, const struct stat *found, int kind,
                      struct FTW *at)
{
    (void)found;
    (void)kind;
    (void)at;
    return remove(path);
}

void scratch_remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_regions_of(const char *store, char *line, int size)
{
    char name[1024];
    FILE *file;
    int i;

    snprintf(name, sizeof(name), "%s/generation", store);
    if (!(file = fopen(name, "r")))
        return "";
    for (i = 0; i < 3 && fgets(line, size, file); i++)
        continue;
    fclose(file);
    line[strcspn(line, "\n")] = '\0';
    return i == 3 ? line : "";
}

static void remove_regions_of(const char *store)
{
    char line[1024];
    const char *regions = scratch_regions_of(store, line, sizeof(line));

    if (strstr(regions, "/condreq-"))
        scratch_remove_tree(regions);
}

void scratch_remove(const char *directory)
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
    scratch_remove_tree(directory);
}
