/* Pages: the library's files of B-trees, read without the library.
 * Knows the layout of their pages as 5.3 writes it, in the machine's order, on
 * disk; calls nothing, since the library gives a file up at its first
 * damaged page, and waits for nobody who writes one just now. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "condreq_bdb_copies.h"

/* Of every page. */
#define AT_NUMBER 8
#define AT_NEXT 16
#define AT_ENTRIES 20
#define AT_FREE_OFFSET 22
#define AT_TYPE 25
#define AT_CHECKSUM 28
#define HEADER_SIZE 32u
/* The first page of a file, of which only the first part is sealed. */
#define AT_META_CHECKSUM 492
#define META_SIZE 512u

#define TYPE_LEAF 5
#define TYPE_OVERFLOW 7
#define TYPE_META 9

/* Of an item. */
#define ITEM_HEADER 3u
#define ITEM_PLAIN 1
#define ITEM_OVERFLOW 3
#define AT_ITEM_PAGE 4
#define AT_ITEM_LENGTH 8

/* A page is written within microseconds, unless its writer is interrupted. */
#define READ_AGAIN_TIMES 100
#define READ_AGAIN_MS 2

static apr_uint32_t u32(const unsigned char *bytes)
{
    apr_uint32_t value;

    memcpy(&value, bytes, sizeof(value));
    return value;
}

static apr_uint16_t u16(const unsigned char *bytes)
{
    apr_uint16_t value;

    memcpy(&value, bytes, sizeof(value));
    return value;
}

/* ---- sound or damaged ---- */

/* The checksum's own bytes count as zeros. */
static apr_uint32_t checksum(const unsigned char *page, apr_size_t length,
                             apr_size_t at)
{
    apr_uint32_t sum = 0;
    apr_size_t i;

    for (i = 0; i < at; i++)
        sum = sum * 33 + page[i];
    for (; i < at + sizeof(sum); i++)
        sum *= 33;
    for (; i < length; i++)
        sum = sum * 33 + page[i];
    return sum;
}

static int is_unwritten(const bdb_page_t page)
{
    return page[0] == 0 && !memcmp(page, page + 1, BDB_PAGE_SIZE - 1);
}

int bdb_page_is_sound(const bdb_page_t page, apr_uint32_t number)
{
    int is_meta = page[AT_TYPE] == TYPE_META;
    apr_size_t at = is_meta ? AT_META_CHECKSUM : AT_CHECKSUM;
    apr_size_t length = is_meta ? META_SIZE : BDB_PAGE_SIZE;

    if (is_unwritten(page))
        return number != 0;
    return u32(page + AT_NUMBER) == number && is_meta == (number == 0) &&
           u32(page + at) == checksum(page, length, at);
}

/* ---- reading ---- */

static apr_status_t read_at(int descriptor, apr_uint32_t first, void *bytes,
                            apr_size_t length, apr_size_t *got)
{
    off_t offset = (off_t)first * BDB_PAGE_SIZE;
    ssize_t now;

    for (*got = 0; *got < length; *got += (apr_size_t)now) {
        now = pread(descriptor, (char *)bytes + *got, length - *got,
                    offset + (off_t)*got);
        if (now < 0 && errno == EINTR)
            now = 0;
        else if (now < 0)
            return errno;
        else if (now == 0)
            break;
    }
    return APR_SUCCESS;
}

static int becomes_sound(int descriptor, apr_uint32_t number, bdb_page_t page,
                         int others_write)
{
    apr_size_t got;
    int tries;

    for (tries = 0; !bdb_page_is_sound(page, number); tries++) {
        if (!others_write || tries == READ_AGAIN_TIMES)
            return 0;
        poll(NULL, 0, READ_AGAIN_MS);
        if (read_at(descriptor, number, page, BDB_PAGE_SIZE, &got) ||
            got != BDB_PAGE_SIZE)
            return 0;
    }
    return 1;
}

/* What is less than a page at the end is one that is just being added; the log
 * has all of it. */
apr_status_t bdb_pages_read(int descriptor, apr_uint32_t first,
                            bdb_page_t *pages, unsigned count, int others_write,
                            unsigned *got, apr_uint32_t *damaged)
{
    apr_size_t bytes;
    apr_status_t status = read_at(descriptor, first, pages,
                                  (apr_size_t)count * BDB_PAGE_SIZE, &bytes);
    unsigned i;

    *got = (unsigned)(bytes / BDB_PAGE_SIZE);
    *damaged = first + *got;
    for (i = 0; i < *got && status == APR_SUCCESS; i++)
        if (!becomes_sound(descriptor, first + i, pages[i], others_write)) {
            *damaged = first + i;
            break;
        }
    return status;
}

/* ---- what stands on a leaf ---- */

unsigned bdb_leaf_pairs(const bdb_page_t page, int damaged)
{
    unsigned entries = u16(page + AT_ENTRIES);

    return (page[AT_TYPE] == TYPE_LEAF || damaged) &&
                   HEADER_SIZE + entries * 2u <= BDB_PAGE_SIZE
               ? entries / 2
               : 0;
}

/* Follows the chain of an item's own pages. */
static int long_item(bdb_item_t *item, const unsigned char *at, int descriptor,
                     unsigned char *room)
{
    apr_uint32_t number = u32(at + AT_ITEM_PAGE);
    apr_size_t length = u32(at + AT_ITEM_LENGTH), filled = 0, got;
    bdb_page_t page;

    if (length > BDB_ITEM_MAX)
        return 0;
    while (filled < length) {
        apr_size_t piece;

        if (read_at(descriptor, number, page, BDB_PAGE_SIZE, &got) ||
            got != BDB_PAGE_SIZE || !bdb_page_is_sound(page, number) ||
            page[AT_TYPE] != TYPE_OVERFLOW)
            return 0;
        piece = u16(page + AT_FREE_OFFSET);
        if (piece == 0 || piece > length - filled ||
            piece > BDB_PAGE_SIZE - HEADER_SIZE)
            return 0;
        memcpy(room + filled, page + HEADER_SIZE, piece);
        filled += piece;
        number = u32(page + AT_NEXT);
    }
    item->bytes = room;
    item->length = length;
    return 1;
}

static int item_at(bdb_item_t *item, const bdb_page_t page, unsigned entry,
                   int descriptor, unsigned char *room)
{
    apr_size_t offset = u16(page + HEADER_SIZE + 2u * entry);
    const unsigned char *at = page + offset;

    if (offset < HEADER_SIZE || offset + ITEM_HEADER > BDB_PAGE_SIZE)
        return 0;
    if (at[2] == ITEM_OVERFLOW && offset + 12 <= BDB_PAGE_SIZE)
        return long_item(item, at, descriptor, room);
    item->bytes = at + ITEM_HEADER;
    item->length = u16(at);
    return at[2] == ITEM_PLAIN &&
           offset + ITEM_HEADER + item->length <= BDB_PAGE_SIZE;
}

int bdb_leaf_pair(const bdb_page_t page, unsigned pair, int descriptor,
                  bdb_item_t *key, bdb_item_t *value, unsigned char *room)
{
    return item_at(key, page, 2 * pair, descriptor, room) &&
           item_at(value, page, 2 * pair + 1, descriptor, room + BDB_ITEM_MAX);
}
