/* The store suite over the store in memory.
 * Knows which provider; the promises are in store/suite.c. */
#include "apr_general.h"

#include "store/suite.h"

int main(void)
{
    const store_suite_t suite = {&condreq_store_mem, "/", 0};

    apr_initialize();
    return store_suite(&suite);
}
