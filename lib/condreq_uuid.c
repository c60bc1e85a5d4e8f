/* UUIDs, random ones.
 * Knows bytes; not what is named by them.
 * Rules: RFC 9562 section 5.4. */
#include "condreq_uuid.h"

#include <openssl/rand.h>

#include "apr_strings.h"

int condreq_uuid_make(char *text)
{
    unsigned char b[16];

    if (RAND_bytes(b, sizeof b) != 1)
        return 0;
    b[6] = (unsigned char)((b[6] & 0x0F) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
    apr_snprintf(text, CONDREQ_UUID_LENGTH + 1,
                 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
                 "%02x%02x%02x%02x%02x%02x",
                 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9],
                 b[10], b[11], b[12], b[13], b[14], b[15]);
    return 1;
}
