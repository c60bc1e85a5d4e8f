/* Trouble: one sentence for the log about a call that failed.
 * Knows statuses and their words; no store, no log, no request. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "apr_strings.h"

#include "condreq_store.h"

static const char *words_of(apr_status_t status, char *buffer, apr_size_t size)
{
    switch (status) {
    case CONDREQ_EFORMAT:
        return "it is of another format than this version reads";
    case CONDREQ_EPANIC:
        return "the store has to be recovered";
    case CONDREQ_EUNKNOWN:
        return "the store was lost and nobody knows whether it was done";
    case CONDREQ_EDAMAGED:
        return "its bytes are not those that were written";
    case EBUSY:
        return "it is in use";
    case APR_TIMEUP:
        return "the store was busy for too long";
    default:
        return apr_strerror(status, buffer, size);
    }
}

apr_status_t condreq_trouble(condreq_trouble_t *trouble, apr_status_t status,
                             const char *format, ...)
{
    char buffer[128];
    apr_size_t used;
    va_list args;

    va_start(args, format);
    apr_vsnprintf(trouble->sentence, sizeof(trouble->sentence), format, args);
    va_end(args);
    used = strlen(trouble->sentence);
    apr_snprintf(trouble->sentence + used, sizeof(trouble->sentence) - used,
                 ": %s", words_of(status, buffer, sizeof(buffer)));
    return status;
}
