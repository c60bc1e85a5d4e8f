/* A directory for the stores of one test, and its end.
 * Knows what a Berkeley DB store leaves, and where; no TAP. */
#ifndef CONDREQ_STORE_SCRATCH_H
#define CONDREQ_STORE_SCRATCH_H

/** Makes a directory of its own for this process. */
const char *scratch_make(void);

/** Removes a directory and whatever is below it. */
void scratch_remove_tree(const char *path);

/** Removes the directory of scratch_make(), the stores in it, and those
 * regions in shared memory that their own files name, no others: shared
 * memory is shared with every other store of the machine. */
void scratch_remove(const char *directory);

/** The directory that a store's own file names, or "". */
const char *scratch_regions_of(const char *store, char *line, int size);

#endif
