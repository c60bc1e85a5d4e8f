/* Paths in keys: escapes, segments, and the URI that names them. */
#include "tap.h"

#include "apr_general.h"
#include "condreq_key.h"

static const struct row_t {
    const char *sentence;
    const char *given;
    const char *expected;
} escape_rows[] =
    {
        {"a path without a percent sign is its own key", "/a/b", "/a/b"},
        {"a literal percent sign is escaped", "/100%", "/100%25"},
        {"what looks like an escape is not one yet", "/a%2Fb", "/a%252Fb"},
        {"each of several", "%%", "%25%25"},
},
  double_rows[] =
      {
          {"an encoded percent sign survives one decoding", "/a%25b",
           "/a%2525b"},
          {"also before what looks like an escape", "/a%252Fb", "/a%25252Fb"},
          {"an encoded slash stays one", "/a%2Fb", "/a%2Fb"},
          {"other bytes stay", "/%41%20", "/%41%20"},
          {"an escape that is cut off stays", "/%2", "/%2"},
},
  segment_rows[] =
      {
          {"the last segment is what follows the last slash", "/posts/7", "7"},
          {"a collection's is empty", "/posts/", ""},
          {"it reads decoded", "/100%25", "100%"},
          {"an encoded slash is a part of it", "/docs/a%2Fb", "a/b"},
          {"an escaped escape is decoded once", "/docs/a%252Fb", "a%2Fb"},
          {"a path without a slash is all segment", "a", "a"},
},
  uri_rows[] = {
      {"unreserved characters and sub-delims stand as they are",
       "/aZ09-._~!$&'()*+,;=:@/", "/aZ09-._~!$&'()*+,;=:@/"},
      {"an escape of a key is one of the URI", "/100%25/a%2Fb",
       "/100%25/a%2Fb"},
      {"what would end the path is encoded", "/a?b#c", "/a%3Fb%23c"},
      {"spaces, quotes and controls are encoded", "/a \"\x01", "/a%20%22%01"},
      {"bytes over 127 are encoded one by one", "/\xC3\xA9", "/%C3%A9"},
      {"two slashes cannot be read as a host", "//evil/x", "/.//evil/x"},
};

typedef const char *path_fn(const char *path, apr_pool_t *pool);

static const char *double_percent(const char *path, apr_pool_t *pool)
{
    return condreq_path_double_percent(path, pool);
}

static void check(const struct row_t *rows, size_t count, path_fn *function,
                  apr_pool_t *pool)
{
    size_t i;

    for (i = 0; i < count; i++)
        is_text(function(rows[i].given, pool), rows[i].expected,
                rows[i].sentence);
}
#define CHECK(rows, function)                                                  \
    check(rows, sizeof rows / sizeof *rows, function, pool)

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    CHECK(escape_rows, condreq_path_escape_percent);
    CHECK(double_rows, double_percent);
    CHECK(segment_rows, condreq_path_last_segment);
    CHECK(uri_rows, condreq_path_uri);
    ok(condreq_path_is_collection("/posts/"), "a slash at the end: collection");
    ok(!condreq_path_is_collection("/posts"), "no slash: document");
    ok(!condreq_path_is_collection(""), "nothing is no collection");
    apr_terminate();
    return done_testing();
}
