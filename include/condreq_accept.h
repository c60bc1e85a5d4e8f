/* Accept, as far as it chooses between one JSON document and a line for each
 * member (NDJSON).
 * Knows RFC 9110 section 12.5.1; no request. */
#ifndef CONDREQ_ACCEPT_H
#define CONDREQ_ACCEPT_H

#define CONDREQ_NDJSON_TYPE "application/x-ndjson"

/**
 * Does the client want NDJSON rather than JSON? It has to name it, and not to
 * like application/json better; where it likes both as well, what it named
 * counts for more than a wildcard.
 * @param accept  the field's value, repeated fields joined with commas; NULL
 *                where it was not sent
 */
int condreq_accept_is_ndjson(const char *accept);

#endif
