/* The store suite over Berkeley DB, in a directory of its own.
 * Knows which provider; the promises are in store/suite.c. */
#include "apr_general.h"

#include "store/leaks.h"
#include "store/scratch.h"
#include "store/suite.h"

int main(void)
{
    store_suite_t suite = {&condreq_store_bdb, scratch_make(), 1};
    int failed;

    if (!suite.directory)
        return 1;
    apr_initialize();
    failed = store_suite(&suite);
    scratch_remove(suite.directory);
    return failed;
}
