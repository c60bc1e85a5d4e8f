/* Any Accept: whether a collection is a line each is decided within its bytes,
 * and what is put behind it that names neither form changes nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "condreq_accept.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char behind[] = ", text/html;q=0.5";
    char *accept = malloc(size + sizeof behind);
    int is_ndjson;

    memcpy(accept, bytes, size);
    accept[size] = '\0';
    is_ndjson = condreq_accept_is_ndjson(accept);
    /* An open quote takes in whatever follows. */
    if (!memchr(bytes, '"', size) && !memchr(bytes, '\0', size)) {
        strcat(accept, behind);
        if (condreq_accept_is_ndjson(accept) != is_ndjson)
            abort();
    }
    free(accept);
    return 0;
}
