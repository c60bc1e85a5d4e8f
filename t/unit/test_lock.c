/* The lock model of RFC 4918 sections 6 and 7: what a lock covers, whom it lets
 * pass, which locks can be held together; and a lock's bytes. */
#include <stdlib.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "condreq_key.h"
#include "condreq_lock.h"
#include "condreq_lockdiscovery.h"
#include "tap.h"

#define NOW 1000
#define EX CONDREQ_LOCK_EXCLUSIVE
#define SH CONDREQ_LOCK_SHARED

static apr_pool_t *pool;

/* ---- scope, section 6.1 ---- */

static const struct {
    const char *sentence;
    const char *root;
    int infinite;
    const char *key;
    int covered;
} scopes[] = {
    {"what it was taken on", "h/a", 0, "h/a", 1},
    {"with depth infinity too", "h/a", 1, "h/a", 1},
    {"nothing else", "h/a", 1, "h/b", 0},
    {"nor what begins alike", "h/a", 1, "h/ab", 0},
    {"a document has nothing below it", "h/a", 1, "h/a/b", 0},
    {"7.4 depth 0: the collection itself", "h/c/", 0, "h/c/", 1},
    {"and no member", "h/c/", 0, "h/c/a", 0},
    {"depth infinity: a member", "h/c/", 1, "h/c/a", 1},
    {"far below", "h/c/", 1, "h/c/d/e/f", 1},
    {"a collection below", "h/c/", 1, "h/c/d/", 1},
    {"not the one above", "h/c/", 1, "h/", 0},
    {"not the document of its name", "h/c/", 1, "h/c", 0},
    {"not its neighbour", "h/c/", 1, "h/cc/a", 0},
    {"not another host's", "h/c/", 1, "g/c/a", 0},
    {"the root covers all of its host", "h/", 1, "h/a", 1},
    {"and nothing of another", "h/", 1, "hh/a", 0},
};

static void test_scopes(void)
{
    size_t i;

    for (i = 0; i < sizeof scopes / sizeof *scopes; i++) {
        condreq_lock_t lock = {"t", scopes[i].root, EX,   scopes[i].infinite,
                               0,   NOW + 1,        NULL, NULL};

        is_int(condreq_lock_covers(&lock, scopes[i].key), scopes[i].covered,
               scopes[i].sentence);
    }
}

static const struct {
    const char *sentence;
    const char *key;
    const char *parent;
} parents[] = {
    {"a document's", "h/c/a", "h/c/"},
    {"one at the top's", "h/a", "h/"},
    {"a collection's", "h/c/d/", "h/c/"},
    {"one at the top's", "h/c/", "h/"},
    {"the root's", "h/", NULL},
    {"of an empty segment", "h/c//", "h/c/"},
    {"behind an empty segment", "h/c//a", "h/c//"},
    {"of another host", "www.example.org/a", "www.example.org/"},
};

static void test_parents(void)
{
    size_t i;

    for (i = 0; i < sizeof parents / sizeof *parents; i++)
        is_text(condreq_key_parent(parents[i].key, pool), parents[i].parent,
                parents[i].sentence);
}

/* ---- who may pass, sections 6.4 and 7.5 ---- */

static const condreq_lock_t alices = {"a:1", "h/a",   EX,      0,
                                      0,     NOW + 1, "alice", NULL};
static const condreq_lock_t anybodys = {"n:1", "h/a",   EX,   0,
                                        0,     NOW + 1, NULL, NULL};
static const condreq_lock_t over = {"o:1", "h/a", EX, 0, 0, NOW, "alice", NULL};
static const condreq_lock_t shared_1 = {"s:1", "h/a",   SH,      0,
                                        0,     NOW + 1, "alice", NULL};
static const condreq_lock_t shared_2 = {"s:2", "h/",    SH,    1,
                                        0,     NOW + 1, "bob", NULL};
static const condreq_lock_t elsewhere = {"e:1", "h/b",   EX,    0,
                                         0,     NOW + 1, "bob", NULL};
static const condreq_lock_t of_members = {"m:1", "h/",    EX,    0,
                                          0,     NOW + 1, "bob", NULL};

static const struct {
    const char *sentence;
    const condreq_lock_t *locks[4];
    const char *if_field;
    const char *user;
    const condreq_lock_t *in_the_way;
} passes[] = {
    {"no lock, no token", {NULL}, NULL, NULL, NULL},
    {"no lock, some token", {NULL}, "(<x:y>)", NULL, NULL},
    {"a lock, no token", {&alices}, NULL, "alice", &alices},
    {"another token", {&alices}, "(<x:y>)", "alice", &alices},
    {"its token, by who took it", {&alices}, "(<a:1>)", "alice", NULL},
    {"by another", {&alices}, "(<a:1>)", "bob", &alices},
    {"by nobody", {&alices}, "(<a:1>)", NULL, &alices},
    {"the user without the token", {&alices}, "([\"1\"])", "alice", &alices},
    {"behind Not", {&alices}, "(Not <a:1>)", "alice", NULL},
    {"about another resource", {&alices}, "</b> (<a:1>)", "alice", NULL},
    {"nobody's, by anybody", {&anybodys}, "(<n:1>)", "bob", NULL},
    {"nobody's, by nobody", {&anybodys}, "(<n:1>)", NULL, NULL},
    {"nobody's, no token", {&anybodys}, NULL, "bob", &anybodys},
    {"one whose time is over", {&over}, NULL, NULL, NULL},
    {"that of another resource", {&elsewhere}, NULL, NULL, NULL},
    {"6.2 shared: one's own will do",
     {&shared_1, &shared_2},
     "(<s:1>)",
     "alice",
     NULL},
    {"that of the collection too",
     {&shared_1, &shared_2},
     "(<s:2>)",
     "bob",
     NULL},
    {"but not another's",
     {&shared_1, &shared_2},
     "(<s:2>)",
     "alice",
     &shared_1},
    {"nor none", {&shared_2, &shared_1}, NULL, "alice", &shared_2},
    {"a collection's of depth 0 lets a member be changed",
     {&of_members},
     NULL,
     NULL,
     NULL},
};

static condreq_lock_list_t list_of(const condreq_lock_t *const *locks)
{
    condreq_lock_list_t list = {locks, 0};

    while (locks[list.count])
        list.count++;
    return list;
}

static void test_passes(void)
{
    size_t i;

    for (i = 0; i < sizeof passes / sizeof *passes; i++) {
        condreq_lock_list_t list = list_of(passes[i].locks);
        condreq_if_t if_field;
        condreq_lock_claim_t claim = {passes[i].if_field ? &if_field : NULL,
                                      passes[i].user};

        condreq_if_parse(&if_field, passes[i].if_field, pool);
        ok(condreq_lock_in_the_way(&list, "h/a", &claim, NOW) ==
               passes[i].in_the_way,
           "%s", passes[i].sentence);
    }
}

/* ---- what can be held together, section 6.2 ---- */

/* The whole product: two locks on a chain of collections, each of every scope
 * and depth, dead or alive. The plainer formula goes through the resources
 * and asks whether any is covered by both. */
static const char *const chain[] = {"h/",     "h/c/",    "h/c/a",
                                    "h/c/d/", "h/c/d/b", "h/e"};
#define CHAIN ((int)(sizeof chain / sizeof *chain))

static int is_below(const char *key, const char *root)
{
    return key[strlen(key) - 1] && root[strlen(root) - 1] == '/' &&
           strstr(key, root) == key;
}

static int plainly_covers(int root, int infinite, int key)
{
    return root == key || (infinite && is_below(chain[key], chain[root]));
}

static int plainly_conflict(int root_1, int deep_1, int root_2, int deep_2)
{
    int key;

    for (key = 0; key < CHAIN; key++) {
        if (plainly_covers(root_1, deep_1, key) &&
            plainly_covers(root_2, deep_2, key))
            return 1;
    }
    return 0;
}

static int conflict_is_wrong(int root_1, int root_2, int bits)
{
    int deep_1 = bits & 1, deep_2 = (bits >> 1) & 1;
    condreq_lock_scope_t scope_1 = bits & 4 ? EX : SH;
    condreq_lock_scope_t scope_2 = bits & 8 ? EX : SH;
    int lives = (bits >> 4) & 1;
    condreq_lock_t held = {"t:1", chain[root_1], scope_1, deep_1,
                           0,     NOW + lives,   NULL,    NULL};
    condreq_lock_t wanted = {"t:2", chain[root_2], scope_2, deep_2,
                             0,     NOW + 9,       NULL,    NULL};
    const condreq_lock_t *locks[] = {&held, NULL};
    condreq_lock_list_t list = list_of(locks);
    int expected = lives && (scope_1 == EX || scope_2 == EX) &&
                   plainly_conflict(root_1, deep_1, root_2, deep_2);

    return (condreq_lock_conflict(&list, &wanted, NOW) != NULL) != expected;
}

static void test_conflicts(void)
{
    int root_1, root_2, bits, wrong = 0, asked = 0;

    for (root_1 = 0; root_1 < CHAIN; root_1++) {
        for (root_2 = 0; root_2 < CHAIN; root_2++) {
            for (bits = 0; bits < 32; bits++, asked++)
                wrong += conflict_is_wrong(root_1, root_2, bits);
        }
    }
    is_int(asked, CHAIN * CHAIN * 32, "each pair of locks was asked for");
    is_int(wrong, 0,
           "two conflict where one is exclusive and both cover something");
}

/* ---- bytes ---- */

static void is_same(const condreq_lock_t *lock, const char *sentence)
{
    unsigned char bytes[CONDREQ_LOCK_SIZE_MAX];
    condreq_lock_t again = {"", NULL, 0, 0, 0, 0, NULL, NULL};
    apr_size_t length = condreq_lock_encode(bytes, lock);

    is_int(condreq_lock_decode(&again, bytes, length, pool), APR_SUCCESS,
           sentence);
    ok(again.scope == lock->scope && !again.infinite == !lock->infinite &&
           again.taken_us == lock->taken_us && again.until_us == lock->until_us,
       "its numbers are the same");
    is_text(again.user, lock->user, "its user");
    is_text(again.owner, lock->owner, "its owner");
}

static const char *text_of(apr_size_t length)
{
    char *text = apr_palloc(pool, length + 1);

    memset(text, 'x', length);
    text[length] = '\0';
    return text;
}

/* No byte of a lock can be changed into what is no lock without being
 * noticed, or it is another lock's: the fixed part, byte by byte. */
static void test_broken(void)
{
    condreq_lock_t lock = {"t", "h/a", EX, 1, 0x1020, 0x030405, "me", "<o/>"};
    unsigned char bytes[CONDREQ_LOCK_SIZE_MAX + 1];
    apr_size_t length = condreq_lock_encode(bytes, &lock), i;
    int refused = 0;

    for (i = 0; i < length; i++)
        refused +=
            condreq_lock_decode(&lock, bytes, i, pool) == CONDREQ_EFORMAT;
    is_int(refused, (long long)length, "every shorter one is refused");
    bytes[length] = 'x';
    is_int(condreq_lock_decode(&lock, bytes, length + 1, pool), CONDREQ_EFORMAT,
           "a longer one too");
    for (i = 0; i < 24; i++) {
        unsigned char kept = bytes[i];

        bytes[i] ^= 0x40;
        is_int(condreq_lock_decode(&lock, bytes, length, pool),
               i < 4 || i >= 20 ? CONDREQ_EFORMAT : APR_SUCCESS,
               apr_psprintf(pool, "byte %d changed", (int)i));
        bytes[i] = kept;
    }
    bytes[24] = '\0';
    is_int(condreq_lock_decode(&lock, bytes, length, pool), CONDREQ_EFORMAT,
           "a name with a NUL in it");
}

static void test_bytes(void)
{
    condreq_lock_t lock = {"t", "h/a", EX, 1, 0x1020, 0x030405, "me", "<o/>"};
    unsigned char bytes[CONDREQ_LOCK_SIZE_MAX];
    static const unsigned char expected[] = {
        1,   1,   7,   2, /* format, scope, flags, user's length */
        0,   0,   0,   0,   0,   0,  0x10, 0x20, /* taken */
        0,   0,   0,   0,   0,   3,  4,    5,    /* until */
        0,   0,   0,   4,                        /* owner's length */
        'm', 'e', '<', 'o', '/', '>'};

    is_int((long long)condreq_lock_encode(bytes, &lock), sizeof expected,
           "a lock's bytes are as many");
    ok(!memcmp(bytes, expected, sizeof expected), "and just these");
    is_same(&lock, "a lock is read as it was written");
    lock.user = lock.owner = NULL;
    lock.infinite = 0;
    lock.scope = SH;
    is_same(&lock, "one without user and owner");
    lock.user = lock.owner = "";
    is_same(&lock, "one with empty ones");
    lock.user = text_of(CONDREQ_LOCK_USER_MAX);
    lock.owner = text_of(CONDREQ_LOCK_OWNER_MAX);
    lock.until_us = APR_INT64_MAX;
    is_same(&lock, "one with the longest");
}

/* ---- tokens, section 6.5 ---- */

static void test_made_tokens(void)
{
    char one[CONDREQ_LOCK_TOKEN_LENGTH + 1];
    char other[CONDREQ_LOCK_TOKEN_LENGTH + 1];
    condreq_if_t parsed;

    ok(condreq_lock_token_make(one) && condreq_lock_token_make(other),
       "tokens are made");
    is_int((long long)strlen(one), CONDREQ_LOCK_TOKEN_LENGTH, "of one length");
    ok(strcmp(one, other) != 0, "no two the same");
    is_int(condreq_if_parse(&parsed, apr_psprintf(pool, "(<%s>)", one), pool),
           CONDREQ_IF_GOOD, "and If takes them");
}

/* ---- lockdiscovery, section 15.8 ---- */

static void test_discovery(void)
{
    condreq_lock_t mine = {"urn:uuid:1",
                           "h/a&b/",
                           EX,
                           1,
                           0,
                           NOW + 1500000,
                           "alice",
                           "<D:owner xmlns:D=\"DAV:\"> me </D:owner>"};
    condreq_lock_t dead = {"urn:uuid:2", "h/a", SH, 0, 0, NOW, "alice", NULL};
    condreq_lock_t nobodys = {"urn:uuid:3", "h/\xc3\xa9", SH,  0, 0,
                              NOW + 1,      NULL,         NULL};
    const condreq_lock_t *all[] = {&mine, &dead, &nobodys, NULL};
    condreq_lock_list_t list = list_of(all);
    const char *xml =
        condreq_lockdiscovery_xml(&list, NULL, "alice", NOW, pool);

    is_text(xml,
            "<D:lockdiscovery xmlns:D=\"DAV:\">"
            "<D:activelock><D:locktype><D:write/></D:locktype>"
            "<D:lockscope><D:exclusive/></D:lockscope>"
            "<D:depth>infinity</D:depth>"
            "<D:owner xmlns:D=\"DAV:\"> me </D:owner>"
            "<D:timeout>Second-2</D:timeout>"
            "<D:locktoken><D:href>urn:uuid:1</D:href></D:locktoken>"
            "<D:lockroot><D:href>/a&amp;b/</D:href></D:lockroot>"
            "</D:activelock>"
            "<D:activelock><D:locktype><D:write/></D:locktype>"
            "<D:lockscope><D:shared/></D:lockscope><D:depth>0</D:depth>"
            "<D:timeout>Second-1</D:timeout>"
            "<D:lockroot><D:href>/%C3%A9</D:href></D:lockroot>"
            "</D:activelock></D:lockdiscovery>",
            "living locks, with one's own tokens");
    xml = condreq_lockdiscovery_xml(&list, "urn:uuid:3", "bob", NOW, pool);
    ok(!strstr(xml, "urn:uuid:1") && strstr(xml, "urn:uuid:3"),
       "the one just taken too, and nobody else's");
    is_text(condreq_lock_holder(&mine, pool), "me", "the owner's words");
    is_text(condreq_lock_holder(&dead, pool), "alice", "or the user's name");
    is_text(condreq_lock_holder(&nobodys, pool), NULL, "or nothing");
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_scopes();
    test_parents();
    test_passes();
    test_conflicts();
    test_bytes();
    test_broken();
    test_made_tokens();
    test_discovery();
    return done_testing();
}
