/* Locks and the writes that meet them, over the store in memory. A story is a
 * site's life from its first row to its last; $A in an If field is the token of
 * the lock that a row took under the name A. */
#include <stdlib.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "condreq_key.h"
#include "condreq_locks.h"
#include "tap.h"

static apr_pool_t *pool;
static condreq_store_t *store;

typedef enum act_t {
    PUT,
    UPDATE, /* CondReqPut update */
    DEL,
    POST,
    X0, /* LOCK: exclusive or shared, depth 0 or infinity */
    XI,
    S0,
    SI,
    REFRESH,
    UNLOCK,
    EXPIRE, /* its time is over; not a request */
    BREAK,
    GONE /* is it no longer stored? */
} act_t;

typedef struct row_t {
    const char *sentence;
    act_t act;
    const char *path;
    /** the lock that it takes, or that it is about */
    char name;
    const char *user;
    const char *if_field;
    const char *outcome;
} row_t;

/* ---- RFC 4918 section 7: what a lock keeps from whom ---- */

static const row_t exclusive[] = {
    {"a document is written", PUT, "/a", 0, NULL, NULL, "created"},
    {"and locked", X0, "/a", 'A', "alice", NULL, "done"},
    {"who has no token does not write it", PUT, "/a", 0, "bob", NULL,
     "locked A"},
    {"not even who took it", PUT, "/a", 0, "alice", NULL, "locked A"},
    {"nor with another token", PUT, "/a", 0, "alice", "(<urn:x>)", "failed"},
    {"nor with one beside what is always true", PUT, "/a", 0, "alice",
     "(<urn:x>) (Not <DAV:no-lock>)", "locked A"},
    {"with the token he does", PUT, "/a", 0, "alice", "(<$A>)", "replaced"},
    {"another with the token does not", PUT, "/a", 0, "bob", "(<$A>)",
     "locked A"},
    {"10.4.8 with it, and what is always true", PUT, "/a", 0, "alice",
     "(<$A> [\"1\"]) (Not <DAV:no-lock>)", "replaced"},
    {"with it, and a tag of before", PUT, "/a", 0, "alice", "(<$A> [\"1\"])",
     "failed"},
    {"with it, and the tag of now", PUT, "/a", 0, "alice", "(<$A> [\"3\"])",
     "replaced"},
    {"behind Not it is submitted, but false", PUT, "/a", 0, "alice",
     "(Not <$A>)", "failed"},
    {"a second lock is not granted", X0, "/a", 'B', "alice", NULL,
     "conflict A"},
    {"not even to who has the first", X0, "/a", 'B', "alice", "(<$A>)",
     "conflict A"},
    {"nor a shared one", S0, "/a", 'B', "alice", NULL, "conflict A"},
    {"nor one on the collection above", XI, "/", 'B', "bob", NULL,
     "conflict A"},
    {"of depth 0 it is", X0, "/", 'B', "bob", NULL, "done"},
    {"another document is written", PUT, "/b", 0, "bob", "</> (<$B>)",
     "created"},
    {"7.4 but none is made without the collection's token", PUT, "/c", 0, "bob",
     NULL, "locked B"},
    {"nor by another with it", PUT, "/c", 0, "alice", "</> (<$B>)", "locked B"},
    {"nor by POST", POST, "/", 0, "alice", NULL, "locked B"},
    {"nor by LOCK", X0, "/c", 'C', "alice", NULL, "locked B"},
    {"with it they are: POST", POST, "/", 0, "bob", "(<$B>)", "created"},
    {"LOCK", X0, "/c", 'C', "bob", "</> (<$B>)", "created"},
    {"what is there is changed without it", PUT, "/b", 0, "alice", NULL,
     "replaced"},
    {"and not removed", DEL, "/b", 0, "alice", NULL, "locked B"},
    {"with both tokens it is, where it has a lock of its own", DEL, "/c", 0,
     "bob", "</c> (<$C>) </> (<$B>)", "deleted"},
    {"9.6 and its lock goes with it", GONE, "/c", 'C', NULL, NULL, "gone"},
    {"DELETE of a document needs its token", DEL, "/a", 0, "bob", "</> (<$B>)",
     "locked A"},
    {"UNLOCK of another's lock", UNLOCK, "/a", 'A', "bob", NULL, "forbidden"},
    {"UNLOCK of what is not covered", UNLOCK, "/b", 'A', "alice", NULL,
     "no match"},
    {"UNLOCK", UNLOCK, "/a", 'A', "alice", NULL, "done"},
    {"and not twice", UNLOCK, "/a", 'A', "alice", NULL, "no match"},
    {"then anybody writes it", PUT, "/a", 0, "bob", NULL, "replaced"},
    {"and a token of before is false", PUT, "/a", 0, "alice", "(<$A>)",
     "failed"},
};

static const row_t infinite[] = {
    {"a collection is locked, though nothing is in it", XI, "/c/", 'A', "alice",
     NULL, "done"},
    {"nothing is made in it", PUT, "/c/a", 0, "bob", NULL, "locked A"},
    {"nor far below", PUT, "/c/d/e/f", 0, "bob", NULL, "locked A"},
    {"nor by POST", POST, "/c/", 0, "bob", NULL, "locked A"},
    {"nor far below by POST", POST, "/c/d/", 0, "bob", NULL, "locked A"},
    {"nor by LOCK", S0, "/c/a", 'B', "bob", NULL, "conflict A"},
    {"with its token, the list being about what it covers", PUT, "/c/a", 0,
     "alice", "(<$A>)", "created"},
    {"or about the collection", PUT, "/c/d/e", 0, "alice", "</c/> (<$A>)",
     "created"},
    {"what begins alike is free", PUT, "/cc", 0, "bob", NULL, "created"},
    {"the document of its name is", PUT, "/c", 0, "bob", NULL, "created"},
    {"no lock below it", X0, "/c/d/e", 'B', "alice", "(<$A>)", "conflict A"},
    {"nor above it", SI, "/", 'B', "bob", NULL, "conflict A"},
    {"a document below is removed with it", DEL, "/c/a", 0, "alice", "(<$A>)",
     "deleted"},
    {"and it stays", PUT, "/c/a", 0, "bob", NULL, "locked A"},
    {"9.10.2 it is refreshed by any URL that it covers", REFRESH, "/c/d/e", 'A',
     "alice", "(<$A>)", "done"},
    {"by another user it is not", REFRESH, "/c/", 'A', "bob", "(<$A>)",
     "forbidden"},
    {"by a URL outside neither", REFRESH, "/cc", 'A', "alice", "(<$A>)",
     "no match"},
    {"9.11 it is released by any URL too", UNLOCK, "/c/d/e", 'A', "alice", NULL,
     "done"},
    {"all of it", PUT, "/c/d/g", 0, "bob", NULL, "created"},
    {"a lock far below", X0, "/c/d/e", 'B', "bob", NULL, "done"},
    {"is in the way of one above", XI, "/c/", 'C', "alice", NULL, "conflict B"},
    {"of shared ones too", SI, "/", 'C', "alice", NULL, "conflict B"},
    {"not of depth 0", X0, "/c/", 'C', "alice", NULL, "done"},
    {"nor beside it", XI, "/c/d/g/", 'D', "alice", NULL, "done"},
};

static const row_t shared[] = {
    {"6.2 several share an unmapped URL: the first makes it", S0, "/a", 'A',
     "alice", NULL, "created"},
    {"the second finds it", S0, "/a", 'B', "bob", NULL, "done"},
    {"a third holds what is above", SI, "/", 'C', "carol", NULL, "done"},
    {"an exclusive one is not granted", X0, "/a", 'D', "alice", NULL,
     "conflict"},
    {"each writes with his own", PUT, "/a", 0, "alice", "(<$A>)", "replaced"},
    {"the other too", PUT, "/a", 0, "bob", "(<$B>)", "replaced"},
    {"and the third", PUT, "/a", 0, "carol", "(<$C>)", "replaced"},
    {"nobody with another's", PUT, "/a", 0, "alice", "(<$B>)", "locked"},
    {"nobody without", PUT, "/a", 0, "alice", NULL, "locked"},
    {"who may not change the collection makes nothing", PUT, "/b", 0, "alice",
     "</a> (<$A>)", "locked C"},
    {"who may does", PUT, "/b", 0, "carol", "(<$C>)", "created"},
    {"9.6 one deletes it, for all", DEL, "/a", 0, "carol", "(<$C>)", "deleted"},
    {"the locks on it are gone", GONE, "/a", 'A', NULL, NULL, "gone"},
    {"all", GONE, "/a", 'B', NULL, NULL, "gone"},
    {"that on the collection is not", PUT, "/a", 0, "bob", NULL, "locked C"},
};

static const row_t times[] = {
    {"a lock", X0, "/a", 'A', "alice", NULL, "created"},
    {"whose time is over", EXPIRE, "/a", 'A', NULL, NULL, ""},
    {"is in nobody's way", X0, "/a", 'B', "bob", NULL, "done"},
    {"and was removed", GONE, "/a", 'A', NULL, NULL, "gone"},
    {"its time over", EXPIRE, "/a", 'B', NULL, NULL, ""},
    {"its token is false", PUT, "/a", 0, "bob", "(<$B>)", "failed"},
    {"it is not refreshed", REFRESH, "/a", 'B', "bob", "(<$B>)", "no match"},
    {"nor released", UNLOCK, "/a", 'B', "bob", NULL, "no match"},
    {"a write removes it", PUT, "/a", 0, "carol", NULL, "replaced"},
    {"for good", GONE, "/a", 'B', NULL, NULL, "gone"},
    {"one that is refreshed", X0, "/a", 'C', "alice", NULL, "done"},
    {"by its token", REFRESH, "/a", 'C', "alice", "(<$C>)", "done"},
    {"lives on", PUT, "/a", 0, "bob", NULL, "locked C"},
    {"with a tag that is not the document's it is not refreshed", REFRESH, "/a",
     'C', "alice", "(<$C> [\"9\"])", "failed"},
};

static const row_t anonymous[] = {
    {"where nobody is known", X0, "/a", 'A', NULL, NULL, "created"},
    {"the token alone lets pass", PUT, "/a", 0, NULL, "(<$A>)", "replaced"},
    {"whoever has it", PUT, "/a", 0, "alice", "(<$A>)", "replaced"},
    {"and nobody else", PUT, "/a", 0, NULL, NULL, "locked A"},
    {"it unlocks", UNLOCK, "/a", 'A', "alice", NULL, "done"},
    {"a user's lock", X0, "/a", 'B', "alice", NULL, "done"},
    {"is closed to who is not known", PUT, "/a", 0, NULL, "(<$B>)", "locked B"},
    {"7.3 nothing is made where only what is there may be written", UPDATE,
     "/b", 0, "alice", NULL, "missing"},
    {"a lock that is broken", BREAK, "/", 'B', NULL, NULL, "done"},
    {"holds nobody", PUT, "/a", 0, NULL, NULL, "replaced"},
    {"and is not broken twice", BREAK, "/", 'B', NULL, NULL, "no match"},
};

static const row_t others[] = {
    {"one document", PUT, "/a", 0, NULL, NULL, "created"},
    {"another", PUT, "/b", 0, NULL, NULL, "created"},
    {"10.4.9 lists of several resources: the other is as said", PUT, "/a", 0,
     NULL, "</b> ([\"1\"])", "replaced"},
    {"it is not", PUT, "/a", 0, NULL, "</b> ([\"2\"])", "failed"},
    {"one of them is enough", PUT, "/a", 0, NULL,
     "</a> ([\"1\"]) </b> ([\"1\"])", "replaced"},
    {"none is not", PUT, "/a", 0, NULL, "</a> ([\"1\"]) </b> ([\"7\"])",
     "failed"},
    {"10.4.11 nothing is there", PUT, "/a", 0, NULL, "</none> ([\"1\"])",
     "failed"},
    {"Not of that", PUT, "/a", 0, NULL, "</none> (Not [\"1\"])", "replaced"},
    {"none of ours", PUT, "/a", 0, NULL, "<http://h/x> ([\"1\"])", "failed"},
    {"Not of that", PUT, "/a", 0, NULL, "<http://h/x> (Not [\"1\"])",
     "replaced"},
    {"another's lock", X0, "/b", 'A', "alice", NULL, "done"},
    {"its token there", PUT, "/a", 0, NULL, "</b> (<$A>)", "replaced"},
    {"and not here", PUT, "/a", 0, NULL, "(<$A>)", "failed"},
};

/* ---- one row ---- */

typedef struct story_t {
    const char *site;
    condreq_rules_t rules;
    char tokens[26][CONDREQ_LOCK_TOKEN_LENGTH + 1];
} story_t;

static condreq_resource_t resource_of(const story_t *story, const char *path)
{
    condreq_resource_t resource = {store, &story->rules, NULL, NULL, NULL};

    resource.key = apr_pstrcat(pool, story->site, path, NULL);
    resource.path = condreq_key_path(resource.key);
    return resource;
}

/* $A becomes a token. */
static const char *filled_in(story_t *story, const char *text)
{
    const char *sign = text ? strchr(text, '$') : NULL;

    if (!sign)
        return text;
    return apr_pstrcat(
        pool, apr_pstrmemdup(pool, text, (apr_size_t)(sign - text)),
        story->tokens[sign[1] - 'A'], filled_in(story, sign + 2), NULL);
}

static void claim_for(condreq_claim_t *claim, story_t *story, const row_t *row,
                      const condreq_resource_t *own)
{
    const condreq_resource_t **targets;
    apr_size_t i;

    memset(claim, 0, sizeof *claim);
    claim->user = row->user;
    if (condreq_if_parse(&claim->if_field, filled_in(story, row->if_field),
                         pool) != CONDREQ_IF_GOOD)
        abort();
    targets = apr_pcalloc(pool, (claim->if_field.count + 1) * sizeof *targets);
    for (i = 0; i < claim->if_field.count; i++) {
        const char *tag = claim->if_field.lists[i].resource_tag;
        condreq_resource_t target = resource_of(story, tag ? tag : "");

        targets[i] = !tag          ? own
                     : *tag != '/' ? NULL
                                   : apr_pmemdup(pool, &target, sizeof target);
    }
    claim->targets = targets;
}

static const char *name_of(const story_t *story, const condreq_lock_t *lock)
{
    int i;

    for (i = 0; lock && i < 26; i++) {
        if (!strcmp(story->tokens[i], lock->token))
            return apr_psprintf(pool, " %c", 'A' + i);
    }
    return "";
}

static const char *write_said(const story_t *story,
                              const condreq_write_t *write)
{
    switch (write->outcome) {
    case CONDREQ_MAY_WRITE:
        return "may";
    case CONDREQ_CREATED:
        return "created";
    case CONDREQ_REPLACED:
        return "replaced";
    case CONDREQ_DELETED:
        return "deleted";
    case CONDREQ_MISSING:
        return "missing";
    case CONDREQ_PRECONDITION_FAILED:
        return "failed";
    case CONDREQ_LOCKED:
        return apr_pstrcat(pool, "locked", name_of(story, write->lock), NULL);
    default:
        return "?";
    }
}

/* The preview must say what the transaction then does. */
static void check_preview(const char *before, const char *outcome)
{
    int refused = !strcmp(before, outcome);

    if (!refused && strcmp(before, "may"))
        ok(0, "the preview said %s, and then it was %s", before, outcome);
}

static const char *write_row(story_t *story, const row_t *row)
{
    static const condreq_preconditions_t nothing_asked;
    condreq_content_t content = {"text", 4, NULL, "text/plain"};
    condreq_resource_t resource = resource_of(story, row->path), *created;
    condreq_trouble_t trouble;
    condreq_claim_t claim;
    condreq_write_t write;
    const char *before;

    claim_for(&claim, story, row, &resource);
    memset(&write, 0, sizeof write);
    write.resource = &resource;
    write.preconditions = &nothing_asked;
    write.claim = &claim;
    write.content = row->act == DEL ? NULL : &content;
    write.only = row->act == PUT ? CONDREQ_PUT_ANY : CONDREQ_PUT_UPDATE;
    store->provider->lookup(store, resource.key, &write.record, &trouble, pool);
    if (row->act == POST) {
        write.only = CONDREQ_PUT_ANY;
        condreq_collection_decide(&write, &trouble, pool);
        before = write_said(story, &write);
        condreq_document_create(&created, &write, CONDREQ_IDS_SEQUENCE,
                                &trouble, pool);
    }
    else {
        condreq_document_preview(&write, &trouble, pool);
        before = write_said(story, &write);
        condreq_document_write(&write, &trouble, pool);
    }
    check_preview(before, write_said(story, &write));
    return write_said(story, &write);
}

static const char *locking_said(const story_t *story,
                                const condreq_locking_t *locking)
{
    static const char *const words[] = {
        "done",     "created",   "missing",   "failed",   "locked",
        "conflict", "user full", "host full", "no match", "forbidden"};
    const char *name = locking->outcome == CONDREQ_LOCKING_LOCKED ||
                               locking->outcome == CONDREQ_LOCKING_CONFLICT
                           ? name_of(story, locking->found)
                           : "";

    return apr_pstrcat(pool, words[locking->outcome], name, NULL);
}

static const char *lock_row(story_t *story, const row_t *row)
{
    static const condreq_preconditions_t nothing_asked;
    condreq_resource_t resource = resource_of(story, row->path);
    condreq_trouble_t trouble;
    condreq_locking_t locking;
    condreq_claim_t claim;
    apr_status_t status;

    claim_for(&claim, story, row, &resource);
    memset(&locking, 0, sizeof locking);
    locking.resource = &resource;
    locking.preconditions = &nothing_asked;
    locking.claim = &claim;
    locking.timeout_s = 600;
    locking.quota.per_user = 5;
    locking.quota.per_host = 8;
    locking.token = story->tokens[row->name - 'A'];
    locking.lock.scope = row->act == X0 || row->act == XI
                             ? CONDREQ_LOCK_EXCLUSIVE
                             : CONDREQ_LOCK_SHARED;
    locking.lock.infinite = row->act == XI || row->act == SI;
    status =
        row->act == REFRESH  ? condreq_lock_refresh(&locking, &trouble, pool)
        : row->act == UNLOCK ? condreq_lock_release(&locking, &trouble, pool)
                             : condreq_lock_take(&locking, &trouble, pool);
    if (status != APR_SUCCESS)
        return "trouble";
    if (row->act < REFRESH && locking.outcome <= CONDREQ_LOCKING_CREATED)
        apr_cpystrn(story->tokens[row->name - 'A'], locking.lock.token,
                    CONDREQ_LOCK_TOKEN_LENGTH + 1);
    return locking_said(story, &locking);
}

/* ---- what no request does ---- */

typedef struct looking_t {
    const char *key;
    const char *token;
    int expire;
    int found;
    condreq_lock_t lock;
} looking_t;

static int look(void *baton, const condreq_lock_t *lock)
{
    looking_t *looking = baton;

    looking->found = !strcmp(lock->token, looking->token);
    if (looking->found)
        looking->lock = *lock;
    return !looking->found;
}

static apr_status_t txn_body_look(condreq_txn_t *txn, void *baton,
                                  apr_pool_t *txn_pool)
{
    looking_t *looking = baton;
    condreq_lock_range_t range = {looking->key, 0, NULL};
    apr_status_t status =
        txn->store->provider->locks_scan(txn, &range, look, looking, txn_pool);

    if (status != APR_SUCCESS || !looking->found || !looking->expire)
        return status;
    looking->lock.until_us = looking->lock.taken_us;
    return txn->store->provider->lock_put(txn, &looking->lock);
}

static const char *look_row(const story_t *story, const row_t *row)
{
    looking_t looking = {apr_pstrcat(pool, story->site, row->path, NULL),
                         story->tokens[row->name - 'A'],
                         row->act == EXPIRE,
                         0,
                         {"", NULL, 0, 0, 0, 0, NULL, NULL}};
    condreq_trouble_t trouble;

    store->provider->txn(store, txn_body_look, &looking, &trouble, pool);
    return row->act == EXPIRE ? "" : looking.found ? "there" : "gone";
}

static const char *break_row(const story_t *story, const row_t *row)
{
    const condreq_lock_t *broken;
    condreq_trouble_t trouble;

    condreq_lock_break(&broken, store,
                       apr_pstrcat(pool, story->site, row->path, NULL),
                       story->tokens[row->name - 'A'], &trouble, pool);
    return broken ? "done" : "no match";
}

static const char *row_said(story_t *story, const row_t *row)
{
    switch (row->act) {
    case PUT:
    case UPDATE:
    case DEL:
    case POST:
        return write_row(story, row);
    case EXPIRE:
    case GONE:
        return look_row(story, row);
    case BREAK:
        return break_row(story, row);
    default:
        return lock_row(story, row);
    }
}

static void begin(story_t *story, const char *site)
{
    memset(story, 0, sizeof *story);
    story->site = site;
    story->rules.strategy.kind = CONDREQ_STRATEGY_VERSION;
    story->rules.max_body = 1000;
}

static void tell(const char *site, const row_t *rows, size_t count)
{
    story_t story;
    size_t i;

    begin(&story, site);
    for (i = 0; i < count; i++) {
        const char *said = row_said(&story, &rows[i]);

        /* Of several in the way any may be named. */
        if (!strcmp(rows[i].outcome, "locked") ||
            !strcmp(rows[i].outcome, "conflict"))
            said = apr_pstrmemdup(pool, said, strlen(rows[i].outcome));
        is_text(said, rows[i].outcome,
                apr_psprintf(pool, "%s: %s", site, rows[i].sentence));
    }
}

#define TELL(rows) tell(#rows, rows, sizeof rows / sizeof *rows)

/* ---- how many ---- */

static void take_many(story_t *story, const char *user, int count, char first,
                      const char *last_outcome)
{
    int i;

    for (i = 0; i < count; i++) {
        row_t row = {"",
                     S0,
                     apr_psprintf(pool, "/%c", first + i),
                     (char)(first + i),
                     user,
                     NULL,
                     ""};
        const char *said = row_said(story, &row);

        if (i == count - 1)
            is_text(said, last_outcome,
                    apr_psprintf(pool, "lock %d of %s", count, user));
    }
}

static void test_quota(void)
{
    const row_t over = {"", EXPIRE, "/A", 'A', NULL, NULL, ""};
    const row_t written = {"", PUT, "/F", 0, NULL, NULL, ""};
    story_t story;

    begin(&story, "quota");
    take_many(&story, "alice", 5, 'A', "created");
    take_many(&story, "alice", 1, 'F', "user full");
    is_text(row_said(&story, &written), "created",
            "what is not locked was not made either");
    row_said(&story, &over);
    take_many(&story, "alice", 1, 'F', "done");
    take_many(&story, "bob", 3, 'G', "created");
    take_many(&story, "bob", 1, 'J', "host full");
}

/* ---- list and sweep ---- */

static const char *listed(const char *prefix, const condreq_lock_t *after,
                          apr_size_t most)
{
    apr_array_header_t *locks;
    condreq_trouble_t trouble;
    const char *said = "";
    int i;

    if (condreq_locks_list(&locks, store, prefix, after, most, &trouble, pool))
        return "trouble";
    for (i = 0; i < locks->nelts; i++)
        said =
            apr_pstrcat(pool, said, i ? " " : "",
                        APR_ARRAY_IDX(locks, i, condreq_lock_t *)->root, NULL);
    return said;
}

static void test_lists(void)
{
    static const char *const paths[] = {"/b", "/a", "/c/d", "/"};
    const row_t over = {"", EXPIRE, "/b", 'A', NULL, NULL, ""};
    condreq_lock_t after = {"", "list/a", 0, 0, 0, 0, NULL, NULL};
    condreq_trouble_t trouble;
    apr_size_t removed;
    story_t story;
    int i;

    begin(&story, "list");
    for (i = 0; i < 4; i++) {
        row_t row = {"", S0, paths[i], (char)('A' + i), "alice", NULL, ""};

        row_said(&story, &row);
    }
    is_text(listed("list/", NULL, 9), "list/ list/a list/b list/c/d",
            "the locks of a site");
    row_said(&story, &over);
    is_text(listed("list/", NULL, 9), "list/ list/a list/c/d",
            "dead ones are not shown");
    is_text(listed("list/", NULL, 2), "list/ list/a", "a page");
    apr_cpystrn(after.token, story.tokens[1], sizeof after.token);
    is_text(listed("list/", &after, 2), "list/c/d", "the next");
    is_text(listed("list/", NULL, 0), "", "no more than nothing");
    is_text(listed("lis/", NULL, 9), "", "another site's are its own");
    is_int(condreq_locks_sweep(&removed, store, "list/", &trouble, pool), 0,
           "what is dead is swept");
    is_int((long long)removed, 1, "one was");
    condreq_locks_sweep(&removed, store, "list/", &trouble, pool);
    is_int((long long)removed, 0, "and only once");
}

/* More than one step of a walk, every third of them dead. */
static apr_status_t txn_body_fill(condreq_txn_t *txn, void *baton,
                                  apr_pool_t *txn_pool)
{
    apr_status_t status = APR_SUCCESS;
    int i, count = *(int *)baton;

    for (i = 0; i < count && status == APR_SUCCESS; i++) {
        condreq_lock_t lock = {"",   NULL, CONDREQ_LOCK_SHARED, 0, 1, 2,
                               NULL, NULL};

        lock.root = apr_psprintf(txn_pool, "walk/%d", i % 7);
        apr_snprintf(lock.token, sizeof lock.token, "t:%05d", i);
        if (i % 3)
            lock.until_us = APR_INT64_MAX;
        status = txn->store->provider->lock_put(txn, &lock);
    }
    return status;
}

static void test_walks(void)
{
    int count = 2 * CONDREQ_LOCK_WALK_STEP + 500;
    const condreq_lock_t *broken;
    condreq_trouble_t trouble;
    apr_array_header_t *locks;
    apr_size_t removed;

    store->provider->txn(store, txn_body_fill, &count, &trouble, pool);
    condreq_lock_break(&broken, store, "walk/", "t:02498", &trouble, pool);
    ok(broken && !strcmp(broken->token, "t:02498"),
       "a lock beyond the first step of a walk is found");
    condreq_lock_break(&broken, store, "walk/", "t:09999", &trouble, pool);
    ok(!broken, "one that is nowhere is not");
    condreq_lock_break(&broken, store, "walk/", "t:00003", &trouble, pool);
    ok(!broken, "nor is a dead one anything to be broken");
    condreq_locks_sweep(&removed, store, "", &trouble, pool);
    is_int((long long)removed, 834 - 1, "all dead ones are swept");
    condreq_locks_list(&locks, store, "walk/", NULL, 9999, &trouble, pool);
    is_int(locks->nelts, count - 834 - 1, "and no living one");
}

/* ---- what LOCK makes ---- */

static void test_empty(void)
{
    const row_t locked = {"", X0, "/new", 'A', "alice", NULL, ""};
    condreq_record_t record;
    condreq_trouble_t trouble;
    story_t story;

    begin(&story, "empty");
    story.rules.put_only = CONDREQ_PUT_UPDATE;
    is_text(row_said(&story, &locked), "missing",
            "where only what is there may be written LOCK makes nothing");
    story.rules.put_only = CONDREQ_PUT_CREATE;
    is_text(row_said(&story, &locked), "created", "7.3 an unmapped URL");
    store->provider->lookup(store, "empty/new", &record, &trouble, pool);
    ok(record.state == CONDREQ_LIVE && record.version == 1 &&
           record.body_length == 0 && !record.media_type[0] &&
           record.sha256[0] == 0xe3 && record.sha256[31] == 0x55,
       "is then a document without a byte, of no type");
}

int main(void)
{
    condreq_store_config_t config = {"/locks", CONDREQ_SYNC, 0, 0,
                                     APR_USEC_PER_SEC};
    condreq_trouble_t trouble;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    condreq_store_mem.prepare(&config, &trouble, pool);
    condreq_store_mem.open(&store, &config, &trouble, pool);
    TELL(exclusive);
    TELL(infinite);
    TELL(shared);
    TELL(times);
    TELL(anonymous);
    TELL(others);
    test_quota();
    test_lists();
    test_empty();
    test_walks();
    return done_testing();
}
