/* ETag strategies.
 * Knows records and the syntax of entity-tags (RFC 9110 section 8.8.3); no
 * store, no request. */
#include "condreq_strategy.h"

#include <string.h>

#include "apr_strings.h"
#include "condreq_key.h"

/* 22 characters of base64url say 132 bits: no accident finds two bodies. */
#define HASH_CHARACTERS 22

typedef const char *value_fn(const condreq_record_t *record, const char *path,
                             apr_pool_t *pool);

static const char *version_text(const condreq_record_t *record,
                                const char *path, apr_pool_t *pool)
{
    (void)path;
    return apr_psprintf(pool, "%" APR_UINT64_T_FMT, record->version);
}

static const char *hash_text(const condreq_record_t *record, const char *path,
                             apr_pool_t *pool)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789-_";
    char *text = apr_palloc(pool, HASH_CHARACTERS + 1);
    unsigned int bit, i;

    (void)path;
    for (i = 0, bit = 0; i < HASH_CHARACTERS; i++, bit += 6) {
        unsigned int pair = (unsigned int)record->sha256[bit / 8] << 8 |
                            record->sha256[bit / 8 + 1];

        text[i] = alphabet[pair >> (10 - bit % 8) & 63];
    }
    text[HASH_CHARACTERS] = '\0';
    return text;
}

static const char *timestamp_text(const condreq_record_t *record,
                                  const char *path, apr_pool_t *pool)
{
    (void)path;
    return apr_psprintf(pool, "%" APR_TIME_T_FMT, record->mtime_us);
}

static const char *id_text(const condreq_record_t *record, const char *path,
                           apr_pool_t *pool)
{
    (void)record;
    return condreq_path_last_segment(path, pool);
}

static const char *path_text(const condreq_record_t *record, const char *path,
                             apr_pool_t *pool)
{
    (void)record;
    (void)pool;
    return path;
}

static const struct variable_t {
    const char *name;
    value_fn *value;
    /* two contents of one resource never share its value */
    int tells_contents_apart;
} variables[] = {
    {"id", id_text, 0},     {"version", version_text, 1},
    {"hash", hash_text, 1}, {"timestamp", timestamp_text, 1},
    {"path", path_text, 0},
};

/* The variable that a format names at "%{", and the text behind its brace. */
static const struct variable_t *variable_at(const char *format,
                                            const char **behind)
{
    const char *name = format + 2;
    const char *brace = strchr(name, '}');
    apr_size_t i;

    for (i = 0; brace && i < sizeof variables / sizeof *variables; i++) {
        if (strlen(variables[i].name) == (apr_size_t)(brace - name) &&
            !strncmp(variables[i].name, name, (apr_size_t)(brace - name))) {
            *behind = brace + 1;
            return &variables[i];
        }
    }
    return NULL;
}

static const char *format_check(const char *format, apr_pool_t *pool)
{
    int tells_contents_apart = 0;
    const char *at = format;

    while ((at = strchr(at, '%')) != NULL) {
        const struct variable_t *variable =
            at[1] == '{' ? variable_at(at, &at) : NULL;

        if (!variable)
            return apr_psprintf(pool,
                                "'%s': write %%{id}, %%{version}, %%{hash}, "
                                "%%{timestamp} or %%{path} at '%s'",
                                format, at);
        tells_contents_apart |= variable->tells_contents_apart;
    }
    if (!tells_contents_apart)
        return apr_psprintf(pool,
                            "'%s' would name two contents with one tag: put "
                            "%%{version}, %%{hash} or %%{timestamp} into it",
                            format);
    return NULL;
}

const char *condreq_strategy_parse(condreq_strategy_t *strategy,
                                   const char *text, apr_pool_t *pool)
{
    static const struct {
        const char *word;
        condreq_strategy_kind_t kind;
    } words[] = {
        {"version", CONDREQ_STRATEGY_VERSION},
        {"hash", CONDREQ_STRATEGY_HASH},
        {"timestamp", CONDREQ_STRATEGY_TIMESTAMP},
        {"none", CONDREQ_STRATEGY_NONE},
    };
    apr_size_t i;

    for (i = 0; i < sizeof words / sizeof *words; i++) {
        if (!strcasecmp(words[i].word, text)) {
            strategy->kind = words[i].kind;
            return NULL;
        }
    }
    if (!strchr(text, '%'))
        return apr_psprintf(pool,
                            "'%s': write version, hash, timestamp, none, or a "
                            "format such as \"%%{id}-%%{version}\"",
                            text);
    strategy->kind = CONDREQ_STRATEGY_FORMAT;
    strategy->format = text;
    return format_check(text, pool);
}

static const char *format_text(const char *format,
                               const condreq_record_t *record, const char *path,
                               apr_pool_t *pool)
{
    const char *text = "";
    const char *at;

    while ((at = strchr(format, '%')) != NULL) {
        const struct variable_t *variable = variable_at(at, &at);

        text = apr_pstrcat(
            pool, text,
            apr_pstrmemdup(pool, format,
                           (apr_size_t)(strchr(format, '%') - format)),
            variable->value(record, path, pool), NULL);
        format = at;
    }
    return apr_pstrcat(pool, text, format, NULL);
}

static int is_etagc(unsigned char c)
{
    return c == 0x21 || (c >= 0x23 && c != 0x7F);
}

/* The text in quotes, what is not etagc percent-encoded. The percent sign is
 * left alone: it cannot make two versions' tags equal. */
static void quote(condreq_etag_t *etag, const char *text, apr_pool_t *pool)
{
    static const char hex[] = "0123456789ABCDEF";
    char *quoted = apr_palloc(pool, 3 * strlen(text) + 3);
    char *to = quoted;

    *to++ = '"';
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (is_etagc(c)) {
            *to++ = *text;
        }
        else {
            *to++ = '%';
            *to++ = hex[c >> 4];
            *to++ = hex[c & 15];
        }
    }
    *to++ = '"';
    *to = '\0';
    etag->opaque_tag = quoted;
    etag->length = (apr_size_t)(to - quoted);
}

void condreq_strategy_etag(condreq_etag_t *etag,
                           const condreq_strategy_t *strategy,
                           const condreq_record_t *record, const char *path,
                           apr_uint64_t incarnation, apr_pool_t *pool)
{
    const char *text = NULL;

    memset(etag, 0, sizeof *etag);
    switch (strategy->kind) {
    case CONDREQ_STRATEGY_VERSION:
        text = version_text(record, path, pool);
        break;
    case CONDREQ_STRATEGY_HASH:
        text = hash_text(record, path, pool);
        break;
    case CONDREQ_STRATEGY_TIMESTAMP:
        text = timestamp_text(record, path, pool);
        break;
    case CONDREQ_STRATEGY_FORMAT:
        text = format_text(strategy->format, record, path, pool);
        break;
    case CONDREQ_STRATEGY_NONE:
        return;
    }
    if (incarnation)
        text = apr_psprintf(pool, "%s.%" APR_UINT64_T_FMT, text, incarnation);
    quote(etag, text, pool);
    etag->weak = strategy->weak;
}
