/* Pages read without the library: which are sound, what stands on them, and
 * that nothing on a damaged one leads astray.
 * Knows the store's trees; the pages are the library's own. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "apr_general.h"
#include "apr_strings.h"

#include "bdb/condreq_bdb_copies.h"
#include "store/crew.h"
#include "store/leaks.h"
#include "store/scratch.h"
#include "store/writes.h"
#include "tap.h"

#define DOCUMENTS 300
#define PAGES_MOST 4096

static store_suite_t suite = {&condreq_store_bdb, NULL, 1};
static apr_pool_t *pool;
static bdb_page_t pages[PAGES_MOST];

/* As long as a key may be: such stand on pages of their own. */
static const char *key_at(int number)
{
    char *key = apr_palloc(pool, CONDREQ_KEY_MAX + 1);

    if (number % 50 != 0)
        return apr_psprintf(pool, "h/%d", number);
    memset(key, 'k', CONDREQ_KEY_MAX);
    apr_snprintf(key, CONDREQ_KEY_MAX, "h/%d/", number);
    key[strlen(key)] = 'k';
    key[CONDREQ_KEY_MAX] = '\0';
    return key;
}

static int write_documents(void *baton)
{
    condreq_store_t *store = crew_join(&suite, baton, pool);
    char bytes[3000];
    int number, failed = !store;

    pattern_fill(bytes, sizeof(bytes), 7);
    for (number = 0; number < DOCUMENTS && !failed; number++)
        failed = write_document(store, key_at(number), bytes,
                                (apr_size_t)(number * 10), pool) != 0;
    return failed;
}

static int open_tree(const char *name)
{
    return open(apr_pstrcat(pool, suite.directory, "/store/data/", name, NULL),
                O_RDONLY | O_CLOEXEC);
}

static unsigned read_tree(int descriptor)
{
    apr_uint32_t damaged = 0;
    unsigned got = 0;

    is_int(bdb_pages_read(descriptor, 0, pages, PAGES_MOST, 0, &got, &damaged),
           0, "a tree is read");
    is_int(damaged, got, "and all of its pages are sound");
    return got;
}

/* @return how many of the documents' keys stand on leaves */
static int count_keys(int descriptor, unsigned count)
{
    unsigned char *room = malloc(2 * BDB_ITEM_MAX);
    char key[CONDREQ_KEY_MAX + 1];
    bdb_item_t item, value;
    unsigned number, pair;
    int keys = 0;

    for (number = 0; number < count; number++)
        for (pair = 0; pair < bdb_leaf_pairs(pages[number], 0); pair++) {
            condreq_record_t record;

            if (!bdb_leaf_pair(pages[number], pair, descriptor, &item, &value,
                               room) ||
                item.length > sizeof(key))
                continue;
            memcpy(key, item.bytes + 1, item.length - 1);
            key[item.length - 1] = '\0';
            keys += bdb_key_hash(key) >> 24 == item.bytes[0] &&
                    condreq_record_decode(&record, value.bytes, value.length) ==
                        0 &&
                    record.version == 1;
        }
    free(room);
    return keys;
}

static void test_trees(void)
{
    int descriptor = open_tree("versions.db");
    unsigned count = read_tree(descriptor);

    is_int(count_keys(descriptor, count), DOCUMENTS,
           "each record stands on a leaf, long keys too");
    close(descriptor);
    descriptor = open_tree("bodies.db");
    read_tree(descriptor);
    close(descriptor);
}

/* Each bit of each page counts, but those that no checksum covers. */
static void test_every_bit(void)
{
    int descriptor = open_tree("versions.db");
    unsigned count = read_tree(descriptor), number, at;
    int unnoticed = 0;

    for (number = 1; number < count && number < 12; number++)
        for (at = 0; at < BDB_PAGE_SIZE; at++) {
            pages[number][at] ^= (unsigned char)(1u << at % 8);
            unnoticed += bdb_page_is_sound(pages[number], number);
            pages[number][at] ^= (unsigned char)(1u << at % 8);
        }
    is_int(unnoticed, 0, "a bit that is another is noticed, wherever it is");
    ok(!bdb_page_is_sound(pages[2], 3), "so is a page in another's place");
    for (at = 0; at < 512; at++) {
        pages[0][at] ^= 1;
        unnoticed += bdb_page_is_sound(pages[0], 0);
        pages[0][at] ^= 1;
    }
    /* the checksum has 16 bytes of room that it does not use */
    ok(unnoticed <= 16, "and a bit of the first page's part that is sealed");
    memset(pages[1], 0, BDB_PAGE_SIZE);
    ok(bdb_page_is_sound(pages[1], 1),
       "a page that was never written is sound");
    ok(!bdb_page_is_sound(pages[1], 0), "but the first always is written");
    close(descriptor);
}

/* Under AddressSanitizer whatever is read beyond the page ends this. */
static void test_nonsense(void)
{
    int descriptor = open_tree("versions.db");
    unsigned count = read_tree(descriptor);
    unsigned char *room = malloc(2 * BDB_ITEM_MAX);
    bdb_page_t *page = malloc(sizeof(*page));
    bdb_item_t key, value;
    unsigned round, at, pair, sum = 0;

    srand(1);
    for (round = 0; round < 20000; round++) {
        memcpy(page, pages[1 + round % (count - 1)], BDB_PAGE_SIZE);
        for (at = 0; at < 1 + round % 40; at++)
            (*page)[rand() % (round % 2 ? 200 : (int)BDB_PAGE_SIZE)] =
                (unsigned char)rand();
        for (pair = 0; pair < bdb_leaf_pairs(*page, 1); pair++)
            if (bdb_leaf_pair(*page, pair, descriptor, &key, &value, room))
                sum += key.bytes[key.length - 1u < key.length ? key.length - 1
                                                              : 0] +
                       (unsigned)value.length;
    }
    ok(sum != 1, "20000 damaged pages are read within their bounds");
    free(page);
    free(room);
    close(descriptor);
}

int main(void)
{
    char name[] = "store";

    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (!(suite.directory = scratch_make()))
        return 1;
    crew_prepare(&suite, name, pool);
    is_int(crew_apart(&suite, write_documents, name), 0, "a store is written");
    crew_prepare(&suite, name, pool);
    test_trees();
    test_every_bit();
    test_nonsense();
    scratch_remove(suite.directory);
    return done_testing();
}
