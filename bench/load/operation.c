/* Operations: what a request says, and what an answer to it means.
 * Knows conditional requests (RFC 9110 section 13) and etcd's gateway, where a
 * transaction that compares a revision says the same. */
#include "operation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- HTTP ---- */

static void ask(connection_t *connection, const operation_setting_t *setting,
                const char *method, unsigned document, const char *condition,
                const char *tag)
{
    int length = snprintf(connection->head, sizeof(connection->head),
                          "%s %s%u%s HTTP/1.1\r\nHost: %s\r\n%s%s%s%s", method,
                          setting->path, document, setting->suffix,
                          setting->host, setting->fields, *tag ? condition : "",
                          tag, *tag ? "\r\n" : "");

    connection->head_length = (size_t)length;
    connection->content_length = 0;
}

static void end_fields(connection_t *connection)
{
    memcpy(connection->head + connection->head_length, "\r\n", 2);
    connection->head_length += 2;
}

static void end_with_content(connection_t *connection,
                             const operation_setting_t *setting,
                             const char *content, size_t length)
{
    connection->head_length += (size_t)snprintf(
        connection->head + connection->head_length,
        sizeof(connection->head) - connection->head_length,
        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
        length);
    connection->content = content;
    connection->content_length = length;
    (void)setting;
}

static void ask_get(connection_t *connection,
                    const operation_setting_t *setting, unsigned document,
                    const char *tag)
{
    (void)tag;
    ask(connection, setting, "GET", document, "", "");
    end_fields(connection);
}

static void ask_revalidate(connection_t *connection,
                           const operation_setting_t *setting,
                           unsigned document, const char *tag)
{
    ask(connection, setting, "GET", document, "If-None-Match: ", tag);
    end_fields(connection);
}

static void ask_put(connection_t *connection,
                    const operation_setting_t *setting, unsigned document,
                    const char *tag)
{
    ask(connection, setting, "PUT", document, "If-Match: ", tag);
    end_with_content(connection, setting, setting->content,
                     setting->content_length);
}

static void ask_put_plain(connection_t *connection,
                          const operation_setting_t *setting, unsigned document,
                          const char *tag)
{
    (void)tag;
    ask_put(connection, setting, document, "");
}

static void ask_post(connection_t *connection,
                     const operation_setting_t *setting, unsigned document,
                     const char *tag)
{
    (void)document;
    (void)tag;
    connection->head_length =
        (size_t)snprintf(connection->head, sizeof(connection->head),
                         "POST %s HTTP/1.1\r\nHost: %s\r\n%s", setting->path,
                         setting->host, setting->fields);
    end_with_content(connection, setting, setting->content,
                     setting->content_length);
}

static tally_outcome_t judge_http(const connection_t *connection, char *tag)
{
    char room[OPERATION_TAG_SIZE];

    if (connection_field(connection, "ETag", room, sizeof(room)))
        memcpy(tag, room, sizeof(room));
    switch (connection->status) {
    case 200:
        return TALLY_DOCUMENT;
    case 304:
        return TALLY_UNMODIFIED;
    case 412:
        return TALLY_REFUSED;
    default:
        return TALLY_OTHER;
    }
}

static tally_outcome_t judge_http_write(const connection_t *connection,
                                        char *tag)
{
    tally_outcome_t outcome = judge_http(connection, tag);

    switch (connection->status) {
    case 200:
    case 201:
    case 204:
        return TALLY_WRITTEN;
    default:
        return outcome;
    }
}

/* ---- etcd's gateway: keys and values in base64, within JSON ---- */

static size_t base64(char *to, const char *from, size_t length)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *b = (const unsigned char *)from;
    char *at = to;
    size_t i;

    for (i = 0; i < length; i += 3) {
        unsigned three = (unsigned)b[i] << 16 |
                         (i + 1 < length ? (unsigned)b[i + 1] << 8 : 0) |
                         (i + 2 < length ? b[i + 2] : 0);

        *at++ = alphabet[three >> 18];
        *at++ = alphabet[three >> 12 & 63];
        *at++ = i + 1 < length ? alphabet[three >> 6 & 63] : '=';
        *at++ = i + 2 < length ? alphabet[three & 63] : '=';
    }
    *at = '\0';
    return (size_t)(at - to);
}

/* The value stays as it is; what is before it, the key and the comparison,
 * changes. So the shared content is the value and the end of the JSON. */
static void ask_etcd(connection_t *connection,
                     const operation_setting_t *setting, unsigned document,
                     const char *tag)
{
    char key[64], key64[96], compare[256] = "", before[512];
    int length;

    base64(key64, key, (size_t)snprintf(key, sizeof(key), "%u", document));
    if (*tag)
        snprintf(compare, sizeof(compare),
                 "{\"key\":\"%s\",\"target\":\"MOD\",\"mod_revision\":\"%s\"}",
                 key64, tag);
    length = snprintf(before, sizeof(before),
                      "{\"compare\":[%s],\"success\":[{\"request_put\":"
                      "{\"key\":\"%s\",\"value\":\"",
                      compare, key64);
    connection->head_length = (size_t)snprintf(
        connection->head, sizeof(connection->head),
        "POST %s HTTP/1.1\r\nHost: %s\r\n%sContent-Type: application/json\r\n"
        "Content-Length: %zu\r\n\r\n%s",
        setting->path, setting->host, setting->fields,
        (size_t)length + setting->content_length, before);
    connection->content = setting->content;
    connection->content_length = setting->content_length;
}

/* The answer's revision is that of the version that was just written. */
static tally_outcome_t judge_etcd(const connection_t *connection, char *tag)
{
    const char *content = connection->answer + connection->fields_length;
    const char *revision = strstr(content, "\"revision\":\"");
    size_t length;

    if (connection->status != 200 || !revision)
        return TALLY_OTHER;
    if (!strstr(content, "\"succeeded\":true"))
        return TALLY_REFUSED;
    revision += strlen("\"revision\":\"");
    length = strcspn(revision, "\"");
    if (length >= OPERATION_TAG_SIZE)
        return TALLY_OTHER;
    memcpy(tag, revision, length);
    tag[length] = '\0';
    return TALLY_WRITTEN;
}

/* ---- the table ---- */

static const operation_t operations[] = {
    {"get", ask_get, judge_http, 0},
    {"revalidate", ask_revalidate, judge_http, 0},
    {"put", ask_put, judge_http_write, 1},
    {"put-plain", ask_put_plain, judge_http_write, 1},
    {"post", ask_post, judge_http_write, 1},
    {"etcd", ask_etcd, judge_etcd, 1},
};

const operation_t *operation_named(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
        if (!strcmp(operations[i].name, name))
            return &operations[i];
    }
    return NULL;
}

/* {"text": "xxx..."}, as long as it was asked for. */
static char *document_content(size_t length)
{
    static const char before[] = "{\"text\": \"", behind[] = "\"}";
    size_t least = strlen(before) + strlen(behind);
    char *content = malloc(length + least + 1);

    if (!content)
        tally_die("content", "no memory");
    if (length < least)
        tally_die("content", "a document has 12 bytes or more");
    memset(content, 'x', length);
    memcpy(content, before, strlen(before));
    memcpy(content + length - strlen(behind), behind, strlen(behind) + 1);
    return content;
}

char *operation_content(const operation_t *operation,
                        operation_setting_t *setting)
{
    char *document = document_content(setting->document_length);
    char *content = document;

    setting->content_length = setting->document_length;
    if (operation->ask == ask_etcd) {
        content = malloc(setting->document_length / 3 * 4 + 64);
        if (!content)
            tally_die("content", "no memory");
        setting->content_length =
            base64(content, document, setting->document_length);
        strcpy(content + setting->content_length, "\"}}]}");
        setting->content_length += strlen("\"}}]}");
        free(document);
    }
    setting->content = content;
    return content;
}
