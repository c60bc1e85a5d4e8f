/* Media types, RFC 9110 section 8.3.1 and RFC 6839 section 3.1: which of them
 * are JSON, and which is which. */
#include "condreq_media_type.h"
#include "tap.h"

static const struct {
    const char *media_type;
    int is_json;
} rows[] = {
    {"application/json", 1},
    {"Application/JSON", 1},
    {"application/json;charset=utf-8", 1},
    {"application/json ; a=b", 1},
    {"application/json\t;a=b", 1},
    {"application/hal+json", 1},
    {"application/problem+JSON; a=b", 1},
    {"text/x+json", 1},
    {"application/merge-patch+json", 0},
    {"application/json-patch+json", 0},
    {"Application/Json-Patch+Json;a=b", 0},
    {"application/json-seq", 0},
    {"application/jsonp", 0},
    {"application/x; a=application/json", 0},
    {"application/x;a=+json", 0},
    {"text/json", 0},
    {"text/plain", 0},
    {"+json", 0},
    {"", 0},
};

int main(void)
{
    size_t i;

    for (i = 0; i < sizeof rows / sizeof *rows; i++)
        is_int(condreq_media_type_is_json(rows[i].media_type), rows[i].is_json,
               rows[i].media_type);
    ok(condreq_media_type_is("Application/Merge-Patch+json ;charset=utf-8",
                             CONDREQ_MERGE_PATCH_TYPE),
       "parameters and case do not count");
    ok(!condreq_media_type_is("application/merge-patch+jsonx",
                              CONDREQ_MERGE_PATCH_TYPE),
       "what it begins with is not enough");
    ok(!condreq_media_type_is("application/merge-patch",
                              CONDREQ_MERGE_PATCH_TYPE),
       "nor is its beginning");
    return done_testing();
}
