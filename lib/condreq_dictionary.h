/* Structured fields, RFC 8941: a Dictionary, member by member. Not installed.
 * Of the values only those are kept that this server has a use for. */
#ifndef CONDREQ_DICTIONARY_H
#define CONDREQ_DICTIONARY_H

#include "apr.h"

typedef enum condreq_dictionary_kind_t {
    CONDREQ_DICTIONARY_INTEGER,
    CONDREQ_DICTIONARY_BYTES,
    /** well formed, whatever it is */
    CONDREQ_DICTIONARY_OTHER
} condreq_dictionary_kind_t;

typedef struct condreq_dictionary_member_t {
    /** in the field's value */
    const char *key;
    apr_size_t key_length;
    condreq_dictionary_kind_t kind;
    apr_int64_t integer;
    /** a Byte Sequence as it is written, without the colons */
    const char *base64;
    apr_size_t base64_length;
} condreq_dictionary_member_t;

typedef struct condreq_dictionary_t {
    const char *at;
    int is_begun;
} condreq_dictionary_t;

/** @param field  the value, repeated fields joined; must outlive this */
void condreq_dictionary_begin(condreq_dictionary_t *dictionary,
                              const char *field);

/**
 * Reads the next member. Of two with one key the later one counts (section
 * 3.2): that is the caller's to see to.
 * @return 1 with a member; 0 at the end; -1 where this is no Dictionary, and
 *         then nothing that came before counts either
 */
int condreq_dictionary_next(condreq_dictionary_t *dictionary,
                            condreq_dictionary_member_t *member);

/**
 * Decodes a Byte Sequence, section 4.2.7, with or without its padding.
 * @param bytes  room for size
 * @return how many there are, perhaps more than size, which are not written;
 *         -1 where this is no base64
 */
apr_ssize_t condreq_dictionary_decode(unsigned char *bytes, apr_size_t size,
                                      const char *base64,
                                      apr_size_t base64_length);

#endif
