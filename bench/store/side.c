/* The sides by name, and what they have in common.
 * Knows their table; no store. */
#include "side.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

side_setting_t side_setting = {
    .documents = 10000, .body_length = 1024, .cache_bytes = 128u << 20};

const side_t *side_named(const char *name)
{
    static const side_t *const sides[] = {&side_bdb, &side_mem, &side_bare};
    size_t i;

    for (i = 0; i < sizeof(sides) / sizeof(*sides); i++) {
        if (!strcmp(sides[i]->name, name))
            return sides[i];
    }
    return NULL;
}

const char *side_body(void)
{
    static char *body;
    static const char before[] = "{\"text\": \"", behind[] = "\"}";
    size_t length = side_setting.body_length;

    if (body)
        return body;
    if (length < sizeof(before) + sizeof(behind))
        side_die("bodies", "are of 16 bytes or more");
    body = malloc(length + 1);
    if (!body)
        side_die("bodies", "no memory");
    memset(body, 'x', length);
    memcpy(body, before, strlen(before));
    memcpy(body + length - strlen(behind), behind, sizeof(behind));
    return body;
}

void side_die(const char *what, const char *why)
{
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(1);
}
