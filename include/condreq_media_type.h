/* Media types, RFC 9110 section 8.3.1, as far as this server tells them
 * apart. */
#ifndef CONDREQ_MEDIA_TYPE_H
#define CONDREQ_MEDIA_TYPE_H

/** RFC 8259 section 11. */
#define CONDREQ_JSON_TYPE "application/json"
/** RFC 7396 section 4. */
#define CONDREQ_MERGE_PATCH_TYPE "application/merge-patch+json"
/** RFC 6902 section 6. */
#define CONDREQ_JSON_PATCH_TYPE "application/json-patch+json"

/** Is it this type and subtype, whatever its parameters? */
int condreq_media_type_is(const char *media_type, const char *name);

/**
 * Is it application/json, or one with the suffix of RFC 6839 section 3.1? The
 * two patches are not: a patch is no document, and whoever PUTs one meant
 * PATCH.
 * @param media_type  with or without parameters
 */
int condreq_media_type_is_json(const char *media_type);

#endif
