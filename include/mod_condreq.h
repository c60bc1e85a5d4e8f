/* What the files of the glue share: configuration, one request, answers.
 * The glue sees httpd and the core; nothing under lib/ sees this. */
#ifndef MOD_CONDREQ_H
#define MOD_CONDREQ_H

#include "httpd.h"
#include "http_config.h"
#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"
#include "http_request.h"

#include "condreq_collection.h"
#include "condreq_document.h"
#include "condreq_key.h"
#include "condreq_locks.h"
#include "condreq_prefer.h"

extern module AP_MODULE_DECLARE_DATA condreq_module;
APLOG_USE_MODULE(condreq);

/** The number that stands before each message of ours, so that it can be
 * looked up in docs/messages.md. */
#define CONDREQ_LOGNO(number) "CR" #number ": "

#define CONDREQ_HANDLER "condreq"
/** Lists and breaks the locks of a virtual host. */
#define CONDREQ_LOCKS_HANDLER "condreq-locks"

/* ---- configuration: httpd/config.c, httpd/config_check.c ---- */

/** One bit for each directive that was written in a section. */
typedef enum condreq_directive_t {
    CONDREQ_SET_HANDLER = 1 << 0,
    CONDREQ_SET_ETAG = 1 << 1,
    CONDREQ_SET_LAST_MODIFIED = 1 << 2,
    CONDREQ_SET_EVALUATE = 1 << 3,
    CONDREQ_SET_REQUIRE = 1 << 4,
    CONDREQ_SET_PUT = 1 << 5,
    CONDREQ_SET_IDS = 1 << 6,
    CONDREQ_SET_MEMBERS = 1 << 7,
    CONDREQ_SET_TYPES = 1 << 8,
    CONDREQ_SET_MAX_BODY = 1 << 9,
    CONDREQ_SET_MAX_DEPTH = 1 << 10,
    CONDREQ_SET_PATCH = 1 << 11,
    CONDREQ_SET_CONFLICT = 1 << 12,
    CONDREQ_SET_LOCKS = 1 << 13
} condreq_directive_t;

/** Which precondition an unsafe request must carry. */
typedef enum condreq_require_t {
    CONDREQ_REQUIRE_NONE,
    /** If-Match with a tag, or If-None-Match: * */
    CONDREQ_REQUIRE_ETAG,
    /** that, or a valid If-Unmodified-Since without If-Match */
    CONDREQ_REQUIRE_ANY
} condreq_require_t;

/** What a 412 shows of what is there. */
typedef enum condreq_conflict_t {
    CONDREQ_CONFLICT_VALIDATORS,
    /** the document too, to those who may GET it */
    CONDREQ_CONFLICT_DOCUMENT
} condreq_conflict_t;

/** Where SetHandler condreq stands, and so which path is a collection without
 * a slash at its end. */
typedef struct condreq_section_t {
    /** the path of a <Location>, without a slash at its end, or NULL */
    const char *location;
    int location_is_fnmatch;
    /** the directory of a <Directory> or an .htaccess, likewise, or NULL */
    const char *directory;
} condreq_section_t;

/** A limit that an .htaccess may lower and not raise, so that sections may be
 * merged in whatever grouping: what comes in is replaced by host, where a host
 * set that, and then kept under cap. */
typedef struct condreq_limit_t {
    int host_set;
    apr_size_t host;
    /** of the .htaccess files since; APR_SIZE_MAX where none said any */
    apr_size_t cap;
} condreq_limit_t;

/** Whether a section says by itself who may come in. */
typedef enum condreq_guard_t {
    /** it says nothing of that */
    CONDREQ_GUARD_UNSAID,
    /** a <Location> with all that its Require lines need: no <Directory> or
     * .htaccess could say more */
    CONDREQ_GUARD_ITSELF,
    /** what it says is added to, or needs, what stands elsewhere */
    CONDREQ_GUARD_WITH_OTHERS
} condreq_guard_t;

/** CondReqLocks. What is 0 was not said: condreq_lock_rules() knows what then
 * holds. */
typedef struct condreq_lock_rules_t {
    int on;
    apr_uint32_t default_s;
    apr_uint32_t max_s;
    condreq_lock_quota_t quota;
} condreq_lock_rules_t;

typedef struct condreq_dir_conf_t {
    /** condreq_directive_t bits */
    unsigned int set;
    /** SetHandler here, or in a section that this one was merged with, names
     * our handler */
    int handles;
    condreq_section_t section;
    condreq_guard_t guard;
    condreq_limit_t max_body;
    condreq_limit_t max_depth;
    /** max_body and json's limits follow from the two above */
    condreq_rules_t rules;
    condreq_require_t require;
    /** AP_METHOD_BITs that require is about */
    apr_int64_t require_methods;
    /** there is a PATCH, and a merge patch creates where nothing is */
    int patches;
    int patch_creates;
    condreq_conflict_t conflict;
    condreq_ids_t ids;
    /** const char *: what may be stored besides JSON, in lower case */
    const apr_array_header_t *types;
    condreq_lock_rules_t locks;
} condreq_dir_conf_t;

/** One Berkeley DB environment, whichever virtual hosts use it. */
typedef struct condreq_site_store_t {
    const condreq_store_provider_t *provider;
    condreq_store_config_t config;
    /** open in this process, from child_init on; NULL where that failed */
    condreq_store_t *store;
} condreq_site_store_t;

typedef struct condreq_server_conf_t {
    /** CondReqStore as it was written; provider is NULL where it was not */
    condreq_site_store_t written;
    /** what this server uses, shared with others; set at the end of the
     * configuration, NULL where nothing needs a store */
    condreq_site_store_t *site;
    /** SetHandler condreq stands somewhere in this server's files */
    int needs_store;
    /** Order, Deny, Allow or Satisfy stands in a <Directory> or <Files>: no
     * Require takes that back. Of the main server only. */
    int directories_deny;
    /** some directive somewhere may refuse one URL and not its neighbour. Of
     * the main server only. */
    int urls_judged;
    /** httpd's parent process. Of the main server only. */
    pid_t parent;
} condreq_server_conf_t;

extern const command_rec condreq_commands[];
void *condreq_dir_conf_create(apr_pool_t *pool, char *path);
void *condreq_dir_conf_merge(apr_pool_t *pool, void *base, void *add);
void *condreq_server_conf_create(apr_pool_t *pool, server_rec *server);
void *condreq_server_conf_merge(apr_pool_t *pool, void *base, void *add);

/** CondReqLocks, with what holds where it says nothing. */
condreq_lock_rules_t condreq_lock_rules(const condreq_dir_conf_t *conf);

/** What a CondReqStore has where it does not say otherwise. */
void condreq_store_defaults(condreq_site_store_t *site);

/** Two directives of one section, merged with its server's, that cannot be
 * meant together.
 * @return NULL, or the sentence that says what to write instead */
const char *condreq_dir_conf_conflict(const condreq_dir_conf_t *conf);

/** check_config: what no single directive can know. */
int condreq_config_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                         server_rec *main_server);

/* ---- stores: httpd/stores.c, httpd/keeper.c, httpd/orphan.c ---- */

/** Gives each server its store: its own, or the main server's. */
void condreq_stores_assign(server_rec *main_server);
/** All distinct stores, condreq_site_store_t *. */
apr_array_header_t *condreq_stores_all(apr_pool_t *pool,
                                       server_rec *main_server);
/** post_config: makes the stores' files, and starts the keeper. */
int condreq_stores_prepare(apr_pool_t *pconf, apr_pool_t *plog,
                           apr_pool_t *ptemp, server_rec *main_server);
/** child_init: opens them in this process. */
void condreq_stores_open(apr_pool_t *pool, server_rec *main_server);

/** Says in this process that it uses the store, until it ends.
 * @return an apr_status_t */
apr_status_t condreq_stores_announce_use(const char *path);
/** Lets go, in a process that was forked from the parent, of what says that
 * the parent lives. */
void condreq_stores_disown(const char *path);
/** Starts the processes that keep the stores, as User. */
apr_status_t condreq_keepers_start(apr_pool_t *pconf, server_rec *main_server);
/** Starts one that keeps a store for the children of a killed parent, ends
 * those that take longer than a few seconds, and then itself.
 * @return its process, or 0 */
pid_t condreq_keeper_start_for_orphans(condreq_site_store_t *site,
                                       server_rec *main_server);
/** Has it end, and waits for that. */
void condreq_keeper_end(pid_t pid);
/** In the parent: has it hear of a child's death at once. */
void condreq_reaper_begin(apr_pool_t *pconf);
/** In a child that was forked from it: undoes that. */
void condreq_reaper_forget(void);
/** In a child: has it end gracefully should its parent be killed.
 * @param parent  the process that the child was forked from */
void condreq_orphan_watch(pid_t parent, server_rec *main_server);
/** post_read_request: counts the request until it is answered. */
int condreq_orphan_request(request_rec *r);
/** Becomes httpd's User, in a process that was forked from the parent. */
int condreq_become_user(void);

/* ---- one request: httpd/exchange.c, httpd/walk.c ---- */

/** What goes with a request from translate_name on. */
typedef struct condreq_request_t {
    /** the path that the client named, as translate_name first saw it */
    const char *uri;
    /** and the query behind it, before anybody rewrote that; or NULL */
    const char *query;
    /** its section both names our handler and says who may come in */
    int skips_walk;
    /** bytes of the document that is being sent, where one is */
    int sends_length;
    apr_uint64_t complete_length;
    /** what a refusal says; NULL: nothing of ours was refused */
    const struct condreq_problem_t *problem;
} condreq_request_t;

condreq_request_t *condreq_request(request_rec *r);

/** Is what httpd says of one member of a collection true of all? */
typedef enum condreq_siblings_t {
    CONDREQ_SIBLINGS_UNKNOWN,
    CONDREQ_SIBLINGS_ALIKE,
    CONDREQ_SIBLINGS_DIFFER
} condreq_siblings_t;

/** One exchange with a resource of the store. */
typedef struct condreq_exchange_t {
    request_rec *r;
    const condreq_dir_conf_t *conf;
    condreq_resource_t resource;
    condreq_preconditions_t preconditions;
    /** If, and who sends the request */
    condreq_claim_t claim;
    condreq_if_syntax_t if_syntax;
    /** the clock, read before any record was */
    apr_time_t now_us;
    int is_collection;
    condreq_siblings_t siblings;
    /** stands in for the request's own while subrequests are made */
    ap_conf_vector_t *config_copy;
    /** what another module has against the document; see httpd/validate.c */
    const struct condreq_problem_t *objection;
    condreq_trouble_t trouble;
} condreq_exchange_t;

/** @return OK, or the status of a refusal, 414 or 500 */
int condreq_exchange_begin(condreq_exchange_t *exchange, request_rec *r);

int condreq_translate_name(request_rec *r);
int condreq_map_to_storage(request_rec *r);
int condreq_type_checker(request_rec *r);
int condreq_fixups(request_rec *r);
int condreq_handler(request_rec *r);

/* ---- who may see what: httpd/siblings.c ---- */

/** Would a GET of the document be allowed to this client? */
int condreq_client_may_get(condreq_exchange_t *exchange);
/** Would a request with this method be allowed to this client? */
int condreq_client_may(condreq_exchange_t *exchange, const char *method,
                       const char *uri);
/** Would what a collection holds be allowed to this client just as the
 * collection is, with the method of this request? */
int condreq_siblings_alike(condreq_exchange_t *exchange);

/** Asks httpd, by a subrequest that is not run, what a GET of a URI reference
 * would meet: its status, handler and configuration. The subrequest lives as
 * long as the request. */
request_rec *condreq_lookup_uri(request_rec *r, const char *uri);

/** The resource of a request and whether it is a collection: key and path.
 * @param path  as in a key, see condreq_key.h */
void condreq_locate(condreq_exchange_t *exchange, const char *path);

/** The path of a key that a path of a URI reference means here, as that of a
 * request line would be read; NULL where it means none. */
const char *condreq_path_of_reference(request_rec *r, const char *raw);

/** The name under which the documents of this request's host are kept. */
const char *condreq_name_space(request_rec *r);

/* ---- If: httpd/if_field.c ---- */

/** Reads If and finds out what its lists are about. */
void condreq_read_if(condreq_exchange_t *exchange);
/** @return OK, or the status of a refusal: 400 */
int condreq_check_if_syntax(condreq_exchange_t *exchange);
/** Decides If for a method that takes no lock into account.
 * @return OK, or the status of a refusal: 400, 412 */
int condreq_check_if(condreq_exchange_t *exchange,
                     const condreq_record_t *record);

/* ---- locks: httpd/lock_methods.c, httpd/lock_answers.c, httpd/lock_list.c
 * ---- */

int condreq_lock(condreq_exchange_t *exchange);
int condreq_unlock(condreq_exchange_t *exchange);
/** The handler of CONDREQ_LOCKS_HANDLER. */
int condreq_locks_handler(request_rec *r);

/** 423: as DAV:error, or as a problem document for who asks for JSON.
 * @param condition  lock-token-submitted or no-conflicting-lock */
int condreq_refuse_locked(condreq_exchange_t *exchange,
                          const condreq_lock_t *lock, const char *condition);
/** 409 or 412: the token names no lock that covers the resource. */
int condreq_refuse_token(condreq_exchange_t *exchange, int status);
/** Sends a body of XML with the status that is set.
 * @param element  the root element */
int condreq_send_xml(request_rec *r, const char *element);
/** 207 of a LOCK that a lock below its collection is in the way of. */
int condreq_send_lock_conflict(condreq_exchange_t *exchange,
                               const condreq_lock_t *lock);
/** Does the client want JSON rather than XML? */
int condreq_prefers_json(request_rec *r);

/** A member that is about to be shown. */
typedef struct condreq_sibling_t {
    /** of the section that it is in */
    const condreq_rules_t *rules;
    request_rec *sub;
} condreq_sibling_t;

/** May the client GET it? To be closed, whatever the answer.
 * @param path  of its key; it may end in a slash */
int condreq_sibling_open(condreq_sibling_t *sibling,
                         condreq_exchange_t *exchange, const char *path,
                         apr_pool_t *pool);
void condreq_sibling_close(condreq_sibling_t *sibling);

/* ---- listings: httpd/listing_query.c, httpd/listing_text.c ---- */

/** What the query of a GET asks of a collection. */
typedef struct condreq_listing_query_t {
    /** members at most; 0: as many as there are */
    apr_size_t limit;
    int limit_given;
    /** where to go on, or the beginning */
    condreq_place_t from;
    /** what the names begin with, as keys have it; "" for all */
    const char *prefix;
    const char *prefix_as_sent;
    /** asks for changes after a number */
    int follows;
    apr_uint64_t since;
    /** a number of another incarnation of the store: it can say nothing */
    int forgotten;
    /** with the documents themselves */
    int documents;
    /** NDJSON, by Accept */
    int lines;
} condreq_listing_query_t;

/** @return OK, or 400 */
int condreq_listing_query_read(condreq_listing_query_t *query,
                               condreq_exchange_t *exchange);
/** Everything in the query but where to go on, as a query again, and that. */
const char *condreq_listing_uri(const condreq_listing_query_t *query,
                                const condreq_exchange_t *exchange,
                                const char *where, const char *value,
                                apr_pool_t *pool);
/** Where to go on behind a name, as a query says it. */
const char *condreq_listing_cursor(const char *name, apr_pool_t *pool);
/** The number of a change, as a query says it. */
const char *condreq_listing_number(const condreq_store_t *store,
                                   apr_uint64_t number, apr_pool_t *pool);

/** Text that grows. */
typedef struct condreq_text_t {
    char *bytes;
    apr_size_t length;
    apr_size_t room;
    apr_pool_t *pool;
} condreq_text_t;
/** Adds bytes. */
void condreq_text_add(condreq_text_t *text, const char *bytes,
                      apr_size_t length);
/** Adds a string. */
void condreq_text_say(condreq_text_t *text, const char *words);

/** Adds a member of a collection as a JSON object, if the client may see it.
 * @param name   relative to the collection
 * @param before what stands before it, where it is added
 * @param record of a document, live or a tombstone; NULL of a collection
 * @param added  is set
 * @return the store's statuses */
apr_status_t condreq_listing_add(condreq_text_t *text,
                                 condreq_exchange_t *exchange,
                                 const condreq_listing_query_t *query,
                                 const char *before, const char *name,
                                 condreq_record_t *record, int *added,
                                 apr_pool_t *pool);
/** What tells this representation of a collection from another. */
const char *condreq_listing_variant(condreq_exchange_t *exchange,
                                    const condreq_rules_t *rules,
                                    const char *query, int lines,
                                    apr_pool_t *pool);

/* ---- methods: httpd/document_*.c, httpd/collection_*.c ---- */

int condreq_collection_get(condreq_exchange_t *exchange);
int condreq_collection_delete(condreq_exchange_t *exchange);
/** 400 where a precondition is malformed. */
int condreq_check_syntax(condreq_exchange_t *exchange);

int condreq_document_get(condreq_exchange_t *exchange);
int condreq_document_put(condreq_exchange_t *exchange);
int condreq_document_patch(condreq_exchange_t *exchange);
int condreq_document_delete(condreq_exchange_t *exchange);
int condreq_collection_post(condreq_exchange_t *exchange);

/** Starts a write of the exchange's resource.
 * @param content  is emptied; NULL deletes */
void condreq_write_init(condreq_exchange_t *exchange, condreq_write_t *write,
                        condreq_content_t *content, condreq_put_only_t only);
/** What the transaction will most likely say, before the content is read.
 * @return OK, or the status of a refusal: 400, 404, 412, 415, 428, 503 */
int condreq_write_preview(condreq_exchange_t *exchange, condreq_write_t *write);
/** Writes, or refuses as the outcome says.
 * @param doing  for the log, as in "writing"
 * @return OK, or the status of a refusal */
int condreq_write_perform(condreq_exchange_t *exchange, condreq_write_t *write,
                          const char *doing);
/** Answers a document that was written: 200, 201 or 204.
 * @return OK or an HTTP status */
int condreq_write_answer(condreq_exchange_t *exchange,
                         const condreq_write_t *write);
/** Says which patches are taken, RFC 5789 section 3.1. */
void condreq_send_accept_patch(apr_table_t *fields);

/* ---- other modules: httpd/validate.c ---- */

/** Has the hook condreq_validate run over the write, if anybody took it. */
void condreq_write_validated(condreq_exchange_t *exchange,
                             condreq_write_t *write);

/* ---- request content: httpd/request_content.c ---- */

/** What is wrong with a content before its type is looked at.
 * @return OK, or the status of a refusal: 400, 411, 413, 415 */
int condreq_content_framed(condreq_exchange_t *exchange);
/** Does a media type name no other charset? JSON between machines is UTF-8
 * (RFC 8259 section 8.1). */
int condreq_content_is_utf8(const char *media_type);

/** What is wrong with a request's content before any of it is read.
 * @param content  gets its media type
 * @param is_json  whether it is to be checked as JSON
 * @return OK, or the status of a refusal: 400, 411, 413, 415 */
int condreq_content_announced(condreq_exchange_t *exchange,
                              condreq_content_t *content, int *is_json);
/** Reads what a request sends into memory.
 * @param most  bytes; more are refused
 * @param noun  what it is called then: "A document"
 * @return OK, or the status of a refusal: 400, 408, 413 */
int condreq_body_read(request_rec *r, apr_size_t most, const char *noun,
                      const char **bytes, apr_size_t *length);
/** Reads it into memory, within max_body.
 * @return OK, or the status of a refusal: 400, 408, 413 */
int condreq_content_read(condreq_exchange_t *exchange,
                         condreq_content_t *content);
/** Lets the answer go out without the content, be it read or not. */
void condreq_content_abandon(request_rec *r);
/** Checks that it is JSON, and parses it.
 * @param limits     what it may have
 * @param as_object  no other value will do: 422
 * @return OK, or the status of a refusal: 400, 413, 422 */
int condreq_content_check(condreq_exchange_t *exchange,
                          condreq_content_t *content,
                          const condreq_json_limits_t *limits, int as_object);

/* ---- digests: httpd/digest.c ---- */

/** Can the request's digest fields be read, RFC 9530?
 * @return OK, or the status of a refusal: 400 */
int condreq_digests_announced(request_rec *r);
/** Is the content what they say, and what its trailers say?
 * @return OK, or the status of a refusal: 400 */
int condreq_digests_check(request_rec *r, const condreq_content_t *content);
/** Sets the digests that the client wants of a document that is sent, where
 * nothing behind us changes it.
 * @param bytes  the document, NULL where it has not been read
 * @return as condreq_read_decided() */
int condreq_send_digests(condreq_exchange_t *exchange,
                         const condreq_record_t *record, const char *bytes);
/** Takes them back. */
void condreq_unsend_digests(request_rec *r);

/* ---- answers: httpd/problem.c, httpd/conflict.c, httpd/variant.c ---- */

#define CONDREQ_XML_TYPE "application/xml; charset=\"utf-8\""
#define CONDREQ_XML_DECLARATION "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"

/** A problem document, RFC 9457. */
typedef struct condreq_problem_t {
    int status;
    /** the last part of its type's tag URI; NULL: about:blank */
    const char *kind;
    /** another module's type in its place, a URI, or NULL */
    const char *type;
    /** NULL: the status's words */
    const char *title;
    /** a sentence for people */
    const char *detail;
    /** further members as JSON text, each with a comma before it, or NULL */
    const char *members;
    /** an XML element to be sent in its place, or NULL */
    const char *xml;
    /** a JSON text to go last, as the member "document", or NULL */
    const char *document;
    apr_size_t document_length;
} condreq_problem_t;

/** Keeps what the problem document will say.
 * @param detail   a sentence, from the pool or constant
 * @return status, to be returned to httpd */
int condreq_refuse(request_rec *r, int status, const char *kind,
                   const char *detail, const char *members);
/** The same, said in XML.
 * @param xml  the root element of the body */
int condreq_refuse_in_xml(request_rec *r, int status, const char *xml);
/** The same for a problem that has more to say; it is copied. */
int condreq_refuse_with(request_rec *r, const condreq_problem_t *problem);
/** Logs the store's trouble, once, and refuses: 503, 507 or 500. */
int condreq_refuse_trouble(condreq_exchange_t *exchange, apr_status_t status,
                           const char *doing);
/** Logs it alone, where the answer has begun. */
void condreq_log_trouble(condreq_exchange_t *exchange, apr_status_t status,
                         const char *doing);
/** 412 of a collection, with its validators.
 * @param seen  as it was looked up; NULL: not yet, or not since */
int condreq_refuse_collection(condreq_exchange_t *exchange,
                              const condreq_collection_t *seen);
/** A record's or a collection's validators as members of a problem. */
const char *condreq_validator_members(request_rec *r,
                                      const condreq_representation_t *repr,
                                      apr_uint64_t version,
                                      apr_time_t mtime_us);
/** 412 with the validators of what is there, and by CondReqConflict itself. */
int condreq_refuse_precondition(condreq_exchange_t *exchange,
                                const condreq_record_t *current);
/** 400 where If-Match or If-None-Match is malformed.
 * @return OK or that */
int condreq_check_syntax(condreq_exchange_t *exchange);
/** RFC 6585 section 3: does the request carry the precondition that it needs?
 * @return OK, or the status of a refusal: 428 */
int condreq_check_requirement(condreq_exchange_t *exchange,
                              const condreq_write_t *write);
/** A patch that was not applied: 400, 413, 415 or 422. */
int condreq_refuse_patch(condreq_exchange_t *exchange,
                         const condreq_write_t *write);
/** 422: the server's members need an object. */
int condreq_refuse_no_object(request_rec *r);
/** What another module said, with its status. */
int condreq_refuse_invalid(condreq_exchange_t *exchange);
/** 503: others were faster, again and again. */
int condreq_refuse_contended(request_rec *r);
/** 405 with Allow. */
int condreq_refuse_method(condreq_exchange_t *exchange);
/** 404. */
int condreq_refuse_missing(condreq_exchange_t *exchange);
/** 414. */
int condreq_refuse_path(request_rec *r);
/** 503: the store is not open in this process. */
int condreq_refuse_unavailable(request_rec *r);
/** The methods of a document or a collection, as Allow lists them. */
const char *condreq_allowed(const condreq_exchange_t *exchange);
void condreq_insert_error_filter(request_rec *r);
void condreq_problem_filter_register(void);

/** Is it one that codes (mod_deflate, mod_brotli), alone or by type? What else
 * mod_filter may choose nobody knows. */
int condreq_variant_codes(const ap_filter_rec_t *filter);
/** May a filter of this answer code its content? */
int condreq_variant_expected(request_rec *r);
/** What those filters put before the closing quote of an entity-tag,
 * NULL-terminated; NULL where there is none. */
const char *const *condreq_variant_suffixes(request_rec *r);
/** Sends 200 or 206 through those filters, or 304 where the tag that they make
 * of ours is one that the client has.
 * @param repr        the representation before any coding
 * @param unmodified  the tag or date before any coding says so already
 * @return as condreq_read_decided(), or an HTTP status */
int condreq_variant_send(condreq_exchange_t *exchange, condreq_record_t *record,
                         const condreq_representation_t *repr, int unmodified);
void condreq_variant_filter_register(void);

/** An answer that is sent piece by piece through those filters. */
typedef struct variant_t condreq_variant_t;
/** Begins it; its fields are set.
 * @param unmodified  as for condreq_variant_send() */
condreq_variant_t *condreq_variant_begin(condreq_exchange_t *exchange,
                                         const condreq_representation_t *repr,
                                         int unmodified);
/** Decides, once its first bytes were sent. @return is it a 304 now? */
int condreq_variant_decide(condreq_variant_t *variant);
/** Takes If-Range, and Range where it does not apply, from the request: httpd's
 * byterange filter is left nothing to decide.
 * @param repr  as it goes out, coded or not */
void condreq_settle_range(request_rec *r, const condreq_preconditions_t *pre,
                          const condreq_representation_t *repr);

/** Reads the body of the version that was decided on.
 * @return OK; DECLINED where it has been replaced, and all is to be decided
 *         again; or the status of a refusal */
int condreq_read_decided(condreq_exchange_t *exchange, condreq_record_t *record,
                         char **bytes);
/** Sets Content-Type, ETag, Last-Modified and Content-Length as GET has
 * them. */
void condreq_send_validators(condreq_exchange_t *exchange,
                             const condreq_record_t *record,
                             const condreq_representation_t *repr);
/** Sets what a 200 or 206 of GET says of its length and ranges. */
void condreq_send_length(request_rec *r, apr_uint64_t length);
/** Turns the answer into a 304; its validators are set. */
void condreq_send_not_modified(request_rec *r);
/** Passes bytes that live as long as the request, then EOS if they are the
 * last, down the filters.
 * @return OK or an HTTP status */
int condreq_send_bytes(request_rec *r, const char *bytes, apr_size_t length,
                       int last);

#endif
