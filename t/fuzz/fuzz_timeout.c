/* The Timeout field, of whatever bytes: never more than the maximum, never
 * nothing, and what a plainer reader, which cuts at commas, finds in it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "condreq_timeout.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#define MUST(claim)                                                            \
    do {                                                                       \
        if (!(claim))                                                          \
            abort();                                                           \
    } while (0)

#define DEFAULT_S 600

static apr_uint32_t between(double seconds, apr_uint32_t max_s)
{
    return seconds < 1 ? 1 : seconds > max_s ? max_s : (apr_uint32_t)seconds;
}

/* One wish, without the white space around it. */
static int is_wish(char *element, double *seconds)
{
    size_t digits;

    if (!strcasecmp(element, "infinite")) {
        *seconds = 1e300;
        return 1;
    }
    if (strncasecmp(element, "second-", 7))
        return 0;
    digits = strspn(element + 7, "0123456789");
    *seconds = atof(element + 7);
    return digits > 0 && !element[7 + digits];
}

static char *trimmed(char *element)
{
    size_t length;

    element += strspn(element, " \t");
    length = strlen(element);
    while (length && strchr(" \t", element[length - 1]))
        element[--length] = '\0';
    return element;
}

static apr_uint32_t plainly(char *value, apr_uint32_t max_s)
{
    double seconds = DEFAULT_S;
    char *rest = value, *element;

    while ((element = strsep(&rest, ",")) != NULL) {
        double wish;

        if (is_wish(trimmed(element), &wish)) {
            seconds = wish;
            break;
        }
    }
    return between(seconds, max_s);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return apr_initialize();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static const apr_uint32_t maxima[] = {1, 60, 86400, 0xffffffffu};
    apr_pool_t *pool;
    const char *value;
    size_t i;

    apr_pool_create(&pool, NULL);
    value = apr_pstrmemdup(pool, (const char *)input, size);
    for (i = 0; i < sizeof maxima / sizeof *maxima; i++)
        MUST(condreq_timeout_s(value, DEFAULT_S, maxima[i]) ==
             plainly(apr_pstrdup(pool, value), maxima[i]));
    apr_pool_destroy(pool);
    return 0;
}
