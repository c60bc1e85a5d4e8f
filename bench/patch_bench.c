/* A document of a mebibyte patched, beside one parse of it: what a PATCH costs
 * before its transaction, all of it (the document is parsed, the patch applied,
 * the result parsed where members go into it, members set, the digest taken).
 * The digest alone stands beside it: every write takes one, whatever it does.
 * Knows the write path's drafts; no store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "../lib/condreq_draft.h"

#define LENGTH ((apr_size_t)1024 * 1024)
#define ROUNDS 25

static const condreq_json_limits_t limits = {512, 1000000};

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, by_value);
    return values[ROUNDS / 2];
}

/** Text that is repeated until the document is long enough. */
typedef struct shape_t {
    const char *name;
    const char *element;
} shape_t;

static const shape_t shapes[] = {
    {"records", "{\"id\":1234567,\"name\":\"Ada Lovelace\",\"active\":true,"
                "\"tags\":[\"a\",\"b\"],\"score\":1.10}"},
    {"numbers", "12345"},
    {"texts", "\"The quick brown fox jumps over the lazy dog, again and again, "
              "until the paragraph is as long as they are.\""},
};

/** What is sent, and how. */
typedef struct patch_t {
    const char *name;
    condreq_content_kind_t kind;
    const char *text;
    int with_members;
} patch_t;

static const patch_t patches[] = {
    {"merge, one member", CONDREQ_CONTENT_MERGE_PATCH, "{\"n\":2}", 0},
    {"one operation", CONDREQ_CONTENT_JSON_PATCH,
     "[{\"op\":\"replace\",\"path\":\"/n\",\"value\":2}]", 0},
    {"one in the array", CONDREQ_CONTENT_JSON_PATCH,
     "[{\"op\":\"add\",\"path\":\"/list/500\",\"value\":2}]", 0},
    {"merge, with members", CONDREQ_CONTENT_MERGE_PATCH, "{\"n\":2}", 1},
    {"one operation, with members", CONDREQ_CONTENT_JSON_PATCH,
     "[{\"op\":\"replace\",\"path\":\"/n\",\"value\":2}]", 1},
};

static char *document_of(const shape_t *shape, apr_pool_t *pool)
{
    apr_size_t step = strlen(shape->element) + 1;
    char *text = apr_palloc(pool, LENGTH + 2 * step + 64);
    char *at = text + sprintf(text, "{\"n\":1,\"list\":[");

    while ((apr_size_t)(at - text) + step < LENGTH)
        at += sprintf(at, "%s,", shape->element);
    sprintf(at, "%s]}", shape->element);
    return text;
}

static condreq_json_t *parse(const char *text, apr_pool_t *pool)
{
    condreq_json_fault_t fault;
    condreq_json_t *json;

    if (condreq_json_parse(&json, text, strlen(text), &limits, &fault, pool) !=
        CONDREQ_JSON_GOOD)
        abort();
    return json;
}

static double parse_ms(const char *text, apr_pool_t *pool)
{
    double begun = now_ms();

    parse(text, pool);
    return now_ms() - begun;
}

static double digest_ms(const char *text)
{
    unsigned char digest[CONDREQ_SHA512_SIZE];
    double begun = now_ms();

    condreq_digest_of(digest, CONDREQ_SHA_256, text, strlen(text));
    return now_ms() - begun;
}

/* The time of all that a PATCH does outside and inside of its transaction, but
 * for the store. */
static double patch_ms(const char *text, const patch_t *patch, apr_pool_t *pool)
{
    condreq_rules_t rules = {0};
    condreq_resource_t resource = {NULL, &rules, "bench/a", "/a", NULL};
    condreq_content_t content = {patch->text, strlen(patch->text), NULL,
                                 "application/json"};
    condreq_record_t former = {0}, next;
    condreq_write_t write = {0};
    condreq_draft_t draft;
    double begun = now_ms();

    rules.json = limits;
    rules.max_body = 2 * LENGTH;
    if (patch->with_members)
        rules.members.version = "version";
    former.state = CONDREQ_LIVE;
    former.version = 1;
    former.body_length = strlen(text);
    content.json = parse(patch->text, pool);
    write.resource = &resource;
    write.content = &content;
    write.kind = patch->kind;
    write.patches = 1;
    condreq_draft_make(&draft, &write, &former, text, pool);
    if (draft.outcome != CONDREQ_MAY_WRITE)
        abort();
    condreq_record_next(&next, &former, 1);
    condreq_draft_finish(&draft, &write, &next, pool);
    return now_ms() - begun;
}

static void compare(const char *name, const char *text, const patch_t *patch,
                    apr_pool_t *pool)
{
    double parsed[ROUNDS], patched[ROUNDS], digested[ROUNDS];
    double parse_median;
    int i;

    for (i = 0; i < ROUNDS; i++) {
        apr_pool_t *round;

        apr_pool_create(&round, pool);
        parsed[i] = parse_ms(text, round);
        patched[i] = patch_ms(text, patch, round);
        digested[i] = digest_ms(text);
        apr_pool_destroy(round);
    }
    parse_median = median(parsed);
    printf("%-8s %-28s parse %5.2f ms  digest %5.2f ms  patch %5.2f ms: %.2f "
           "parses\n",
           name, patch->name, parse_median, median(digested), median(patched),
           median(patched) / parse_median);
}

int main(void)
{
    apr_pool_t *pool;
    size_t i, j;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const char *text = document_of(&shapes[i], pool);

        for (j = 0; j < sizeof patches / sizeof *patches; j++)
            compare(shapes[i].name, text, &patches[j], pool);
    }
    apr_terminate();
    return 0;
}
