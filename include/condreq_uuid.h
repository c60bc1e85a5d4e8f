/* UUIDs of RFC 9562, version 4: random ones.
 * Knows bytes and libcrypto's random ones; nothing else. */
#ifndef CONDREQ_UUID_H
#define CONDREQ_UUID_H

/** Characters of a UUID, NUL apart. */
#define CONDREQ_UUID_LENGTH 36

/**
 * Makes one.
 * @param text  room for CONDREQ_UUID_LENGTH + 1
 * @return 1, or 0 where libcrypto has no random bytes
 */
int condreq_uuid_make(char *text);

#endif
