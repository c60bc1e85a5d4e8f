/* Damage: keys whose pages turned out to be damaged, so that they are met once.
 * Knows a table of hashes in the control file; no page, no call of the library.
 *
 * The library gives up the whole environment for one page whose checksum is
 * wrong. A recovery brings it back, and the page is as it was: a client that
 * asks again and again for one document would keep all the others waiting. So
 * who has met such a page notes the key, and from then on that document alone
 * is out of reach, until the store is prepared again. Some pages lead to all
 * the others; so after a number of keys nothing is asked of the library any
 * more. */
#include "condreq_bdb.h"

#include <string.h>

static int is_checksum(const char *message)
{
    return strcasestr(message, "checksum") != NULL;
}

/* The library says so by a message alone. */
int bdb_damage_is(int code, const condreq_trouble_t *heard)
{
    return code == DB_CHKSUM_FAIL ||
           (code == DB_RUNRECOVERY && heard && is_checksum(heard->sentence));
}

/* 0 is an empty place. */
static apr_uint32_t mark_of(const char *key)
{
    apr_uint32_t hash = bdb_key_hash(key);

    return hash ? hash : 1;
}

int bdb_damage_known(const bdb_control_t *control, const char *key)
{
    bdb_control_file_t *file = control ? control->file : NULL;
    apr_uint32_t damages = 0, mark, i;

    if (file)
        damages = atomic_load_explicit(&file->damages, memory_order_relaxed);
    if (damages == 0)
        return 0;
    if (damages >= BDB_DAMAGED_KEYS)
        return DB_CHKSUM_FAIL;
    mark = mark_of(key);
    for (i = 0; i < damages; i++)
        if (atomic_load(&file->damaged[i]) == mark)
            return DB_CHKSUM_FAIL;
    return 0;
}

void bdb_damage_note(bdb_control_t *control, const char *key)
{
    bdb_control_file_t *file = control->file;
    apr_uint32_t at;

    if (!key[0] || bdb_damage_known(control, key))
        return;
    at = atomic_fetch_add(&file->damages, 1);
    if (at < BDB_DAMAGED_KEYS)
        atomic_store(&file->damaged[at], mark_of(key));
}
