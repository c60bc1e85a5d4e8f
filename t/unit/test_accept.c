/* Accept: when a collection is a line each (RFC 9110 section 12.5.1). */
#include "tap.h"

#include "condreq_accept.h"

static const struct row_t {
    const char *accept;
    int is_ndjson;
} rows[] = {
    {NULL, 0},
    {"", 0},
    {"*/*", 0},
    {"application/*", 0},
    {"application/json", 0},
    {"application/x-ndjson", 1},
    {"Application/X-NDJSON", 1},
    {" application/x-ndjson ", 1},
    {"application/x-ndjsonx", 0},
    {"application/x-ndjson;q=0", 0},
    {"application/x-ndjson;q=0.000", 0},
    {"application/x-ndjson;q=0.001", 1},
    {"application/x-ndjson, */*;q=0.1", 1},
    {"*/*, application/x-ndjson", 1},
    {"application/*, application/x-ndjson", 1},
    {"application/x-ndjson;q=0.5, */*", 0},
    {"application/x-ndjson, application/json", 0},
    {"application/json, application/x-ndjson", 0},
    {"application/json;q=0.9, application/x-ndjson", 1},
    {"application/json, application/x-ndjson;q=0.9", 0},
    {"application/json;q=0, application/x-ndjson;q=0.1", 1},
    {"text/html,application/xhtml+xml,*/*;q=0.8", 0},
    {"text/x;a=\"application/x-ndjson, application/x-ndjson\"", 0},
    {"text/x;a=\",\", application/x-ndjson", 1},
    {"text/x;a=\"\\\",\", application/x-ndjson", 1},
    {"application/x-ndjson; charset=utf-8; q=0.2, application/json; q=0.1", 1},
    {",,application/x-ndjson,,", 1},
    {"application/x-ndjson;q=7", 1},
};

int main(void)
{
    size_t i;

    for (i = 0; i < sizeof rows / sizeof *rows; i++)
        ok(condreq_accept_is_ndjson(rows[i].accept) == rows[i].is_ndjson,
           "%s: %s", rows[i].accept ? rows[i].accept : "(none)",
           rows[i].is_ndjson ? "a line each" : "one document");
    return done_testing();
}
