/* ETag strategies: what a record's tag is, and which formats are refused. */
#include "tap.h"

#include "apr_general.h"
#include "apr_strings.h"
#include "condreq_strategy.h"

static const struct parse_row_t {
    const char *sentence;
    const char *text;
    int accepted;
} parse_rows[] = {
    {"version", "version", 1},
    {"words are matched without case", "HASH", 1},
    {"timestamp", "timestamp", 1},
    {"none", "none", 1},
    {"a format with the version", "%{id}-v%{version}", 1},
    {"a format with the hash", "%{hash}", 1},
    {"a format with the timestamp", "t%{timestamp}", 1},
    {"another word is refused", "etag", 0},
    {"a format that names two contents with one tag is refused", "%{id}", 0},
    {"the path tells no contents apart", "%{path}-%{id}", 0},
    {"an unknown variable is refused", "%{version}-%{size}", 0},
    {"a variable that never ends is refused", "%{version", 0},
    {"a percent sign alone is refused", "100% %{version}", 0},
    {"an empty text is refused", "", 0},
};

static const struct tag_row_t {
    const char *sentence;
    const char *strategy;
    int weak;
    const char *path;
    apr_uint64_t incarnation;
    const char *expected;
} tag_rows[] = {
    {"the version, as on the page", "version", 0, "/d/doc1", 0, "\"7\""},
    {"weak ones bear the prefix", "version", 1, "/d/doc1", 0, "W/\"7\""},
    {"an incarnation is part of it", "version", 0, "/d/doc1", 1, "\"7.1\""},
    {"the first 132 bits of the hash in base64url", "hash", 0, "/d/doc1", 0,
     "\"AAECAwQFBgcICQoLDA0ODx\""},
    {"microseconds", "timestamp", 0, "/d/doc1", 0, "\"1445412480000001\""},
    {"the page's documents", "%{id}-v%{version}", 0, "/d/doc1", 0,
     "\"doc1-v7\""},
    {"the page's blog", "%{id}-%{version}", 0, "/posts/1", 0, "\"1-7\""},
    {"an incarnation goes behind a format", "%{id}-%{version}", 0, "/posts/1",
     3, "\"1-7.3\""},
    {"the path as the key has it", "%{path}:%{version}", 0, "/d/a%2Fb", 0,
     "\"/d/a%2Fb:7\""},
    {"what is no etagc is encoded", "%{id}-%{version}", 0, "/d/a \"b\"", 0,
     "\"a%20%22b%22-7\""},
    {"bytes over 127 are obs-text, which is allowed", "%{id}%{version}", 0,
     "/d/\xC3\xA9", 0,
     "\"\xC3\xA9"
     "7\""},
    {"none has no tag", "none", 0, "/d/doc1", 0, NULL},
};

static void check_parse(const struct parse_row_t *row, apr_pool_t *pool)
{
    condreq_strategy_t strategy = {CONDREQ_STRATEGY_VERSION, NULL, 0};
    const char *fault = condreq_strategy_parse(&strategy, row->text, pool);

    is_int(fault == NULL, row->accepted, row->sentence);
}

static void check_tag(const struct tag_row_t *row, apr_pool_t *pool)
{
    condreq_strategy_t strategy = {CONDREQ_STRATEGY_VERSION, NULL, 0};
    condreq_record_t record;
    condreq_etag_t etag, again;
    const char *text;
    unsigned char i;

    memset(&record, 0, sizeof record);
    record.state = CONDREQ_LIVE;
    record.version = 7;
    record.mtime_us = 1445412480000001;
    for (i = 0; i < CONDREQ_SHA256_SIZE; i++)
        record.sha256[i] = i;
    condreq_strategy_parse(&strategy, row->strategy, pool);
    strategy.weak = row->weak;
    condreq_strategy_etag(&etag, &strategy, &record, row->path,
                          row->incarnation, pool);
    text = etag.opaque_tag ? condreq_etag_text(&etag, pool) : NULL;
    is_text(text, row->expected, row->sentence);
    ok(!text || condreq_etag_parse(&again, text), "  and is a valid tag");
}

int main(void)
{
    apr_pool_t *pool;
    size_t i;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (i = 0; i < sizeof parse_rows / sizeof *parse_rows; i++)
        check_parse(&parse_rows[i], pool);
    for (i = 0; i < sizeof tag_rows / sizeof *tag_rows; i++)
        check_tag(&tag_rows[i], pool);
    apr_terminate();
    return done_testing();
}
