/* The directives: a setter each, their defaults and how they merge.
 * Knows one section at a time; what only whole files show is
 * httpd/config_check.c's. */
#include "mod_condreq.h"

#include "apr_fnmatch.h"
#include "apr_lib.h"
#include "apr_strings.h"

#define DEFAULT_MAX_BODY (1024 * 1024)
/* A body is held in memory and written in one transaction. */
#define LARGEST_MAX_BODY (64 * 1024 * 1024)
#define DEFAULT_MAX_DEPTH 512
#define LARGEST_MAX_DEPTH 100000
/* A value costs 72 bytes while a document is checked: room for one in every
 * four bytes of a large document. */
#define BYTES_PER_VALUE 4
#define FEWEST_VALUES 64
#define DEFAULT_CACHE (64 * 1024 * 1024)
#define SMALLEST_CACHE (1024 * 1024)
/* Seconds and numbers of locks. */
#define DEFAULT_LOCK_TIMEOUT 600
#define DEFAULT_LOCK_TIMEOUT_MAX 86400
#define LARGEST_LOCK_TIMEOUT (366 * 86400)
#define DEFAULT_LOCKS_PER_USER 100
#define DEFAULT_LOCKS_PER_HOST 10000
#define LARGEST_LOCK_NUMBER 1000000
#define WRITING_METHODS                                                        \
    (AP_METHOD_BIT << M_PUT | AP_METHOD_BIT << M_PATCH |                       \
     AP_METHOD_BIT << M_DELETE)

/* ---- sections: their defaults, and how they merge ---- */

static apr_size_t limit_of(const condreq_limit_t *limit, apr_size_t unset)
{
    apr_size_t value = limit->host_set ? limit->host : unset;

    return value < limit->cap ? value : limit->cap;
}

static void settle_limits(condreq_dir_conf_t *conf)
{
    conf->rules.max_body = limit_of(&conf->max_body, DEFAULT_MAX_BODY);
    conf->rules.json.max_depth = limit_of(&conf->max_depth, DEFAULT_MAX_DEPTH);
    conf->rules.json.max_values =
        FEWEST_VALUES + conf->rules.max_body / BYTES_PER_VALUE;
}

void *condreq_dir_conf_create(apr_pool_t *pool, char *path)
{
    condreq_dir_conf_t *conf = apr_pcalloc(pool, sizeof *conf);

    (void)path;
    conf->rules.strategy.kind = CONDREQ_STRATEGY_VERSION;
    conf->rules.last_modified = 1;
    conf->rules.evaluate = CONDREQ_EVALUATE_RFC9110;
    conf->rules.put_only = CONDREQ_PUT_ANY;
    conf->max_body.cap = APR_SIZE_MAX;
    conf->max_depth.cap = APR_SIZE_MAX;
    settle_limits(conf);
    conf->require = CONDREQ_REQUIRE_NONE;
    conf->require_methods = WRITING_METHODS;
    conf->patches = 1;
    conf->conflict = CONDREQ_CONFLICT_VALIDATORS;
    conf->ids = CONDREQ_IDS_SEQUENCE;
    return conf;
}

static condreq_limit_t merge_limit(const condreq_limit_t *base,
                                   const condreq_limit_t *add)
{
    condreq_limit_t limit = *base;

    if (add->host_set)
        return *add;
    if (add->cap < limit.cap)
        limit.cap = add->cap;
    return limit;
}

static void merge_rules(condreq_rules_t *rules, const condreq_rules_t *base,
                        const condreq_dir_conf_t *add)
{
    if (!(add->set & CONDREQ_SET_ETAG))
        rules->strategy = base->strategy;
    if (!(add->set & CONDREQ_SET_LAST_MODIFIED))
        rules->last_modified = base->last_modified;
    if (!(add->set & CONDREQ_SET_EVALUATE))
        rules->evaluate = base->evaluate;
    if (!(add->set & CONDREQ_SET_MEMBERS))
        rules->members = base->members;
    if (!(add->set & CONDREQ_SET_PUT)) {
        rules->put_merge = base->put_merge;
        rules->put_only = base->put_only;
    }
}

/* What max and the numbers are is the host's to say once, around sections that
 * only say On. */
static void merge_locks(condreq_lock_rules_t *locks,
                        const condreq_lock_rules_t *base,
                        const condreq_dir_conf_t *add)
{
    if (!(add->set & CONDREQ_SET_LOCKS))
        locks->on = base->on;
    if (!locks->default_s)
        locks->default_s = base->default_s;
    if (!locks->max_s)
        locks->max_s = base->max_s;
    if (!locks->quota.per_user)
        locks->quota.per_user = base->quota.per_user;
    if (!locks->quota.per_host)
        locks->quota.per_host = base->quota.per_host;
}

condreq_lock_rules_t condreq_lock_rules(const condreq_dir_conf_t *conf)
{
    condreq_lock_rules_t rules = conf->locks;

    if (!rules.default_s)
        rules.default_s = DEFAULT_LOCK_TIMEOUT;
    if (!rules.max_s)
        rules.max_s = DEFAULT_LOCK_TIMEOUT_MAX;
    if (!rules.quota.per_user)
        rules.quota.per_user = DEFAULT_LOCKS_PER_USER;
    if (!rules.quota.per_host)
        rules.quota.per_host = DEFAULT_LOCKS_PER_HOST;
    return rules;
}

void *condreq_dir_conf_merge(apr_pool_t *pool, void *base_conf, void *add_conf)
{
    const condreq_dir_conf_t *base = base_conf;
    const condreq_dir_conf_t *add = add_conf;
    condreq_dir_conf_t *conf = apr_pmemdup(pool, add, sizeof *conf);

    merge_rules(&conf->rules, &base->rules, add);
    if (!(add->set & CONDREQ_SET_HANDLER)) {
        conf->handles = base->handles;
        conf->section = base->section;
    }
    if (add->guard == CONDREQ_GUARD_UNSAID)
        conf->guard = base->guard;
    conf->max_body = merge_limit(&base->max_body, &add->max_body);
    conf->max_depth = merge_limit(&base->max_depth, &add->max_depth);
    settle_limits(conf);
    if (!(add->set & CONDREQ_SET_REQUIRE)) {
        conf->require = base->require;
        conf->require_methods = base->require_methods;
    }
    if (!(add->set & CONDREQ_SET_PATCH)) {
        conf->patches = base->patches;
        conf->patch_creates = base->patch_creates;
    }
    if (!(add->set & CONDREQ_SET_CONFLICT))
        conf->conflict = base->conflict;
    if (!(add->set & CONDREQ_SET_IDS))
        conf->ids = base->ids;
    if (!(add->set & CONDREQ_SET_TYPES))
        conf->types = base->types;
    merge_locks(&conf->locks, &base->locks, add);
    conf->set = base->set | add->set;
    return conf;
}

void *condreq_server_conf_create(apr_pool_t *pool, server_rec *server)
{
    (void)server;
    return apr_pcalloc(pool, sizeof(condreq_server_conf_t));
}

/* Which store a virtual host uses is for condreq_stores_assign() to say. */
void *condreq_server_conf_merge(apr_pool_t *pool, void *base_conf,
                                void *add_conf)
{
    (void)base_conf;
    return apr_pmemdup(pool, add_conf, sizeof(condreq_server_conf_t));
}

static int in_htaccess(cmd_parms *cmd)
{
    return ap_check_cmd_context(cmd, NOT_IN_HTACCESS) != NULL;
}

/* What every setter ends with. */
static const char *done(condreq_dir_conf_t *conf, condreq_directive_t directive)
{
    conf->set |= directive;
    return condreq_dir_conf_conflict(conf);
}

/* ---- SetHandler ---- */

static int section_is(const cmd_parms *cmd, const char *name)
{
    const ap_directive_t *parent = cmd->directive->parent;

    return parent && !strcasecmp(parent->directive, name) &&
           *parent->args != '~';
}

/* In <Location "/users/?"> the wildcard stands for the documents. */
static int names_documents(const char *path)
{
    const char *slash = strrchr(path, '/');

    return apr_fnmatch_test(slash ? slash : path);
}

static const char *without_slash_at_end(apr_pool_t *pool, const char *path)
{
    apr_size_t length = strlen(path);

    while (length && path[length - 1] == '/')
        length--;
    return apr_pstrmemdup(pool, path, length);
}

static int has_requirement(const ap_directive_t *section)
{
    const ap_directive_t *child;

    for (child = section->first_child; child; child = child->next) {
        if (!strcasecmp(child->directive, "Require") ||
            !strncasecmp(child->directive, "<Require", 8))
            return 1;
    }
    return 0;
}

/* Whoever comes in sees who works on what, and ends it. */
static const char *locks_handler_fault(const cmd_parms *cmd)
{
    const ap_directive_t *section = cmd->directive->parent;

    if (section && !in_htaccess((cmd_parms *)cmd) && has_requirement(section))
        return NULL;
    return "SetHandler condreq-locks shows everybody's locks and breaks them: "
           "write it into a <Location> of the server's configuration, with "
           "Require lines of its own that say who may";
}

/* core's own directive, listened to: only sections in which one of ours stands
 * get a configuration, and a bare SetHandler must be one. */
static const char *set_handler(cmd_parms *cmd, void *conf_ptr, const char *name)
{
    condreq_dir_conf_t *conf = conf_ptr;
    condreq_server_conf_t *server =
        ap_get_module_config(cmd->server->module_config, &condreq_module);

    memset(&conf->section, 0, sizeof conf->section);
    conf->set |= CONDREQ_SET_HANDLER;
    conf->handles = !strcmp(name, CONDREQ_HANDLER);
    if (!strcmp(name, CONDREQ_LOCKS_HANDLER)) {
        const char *fault = locks_handler_fault(cmd);

        server->needs_store = 1;
        return fault ? fault : DECLINE_CMD;
    }
    if (!conf->handles)
        return DECLINE_CMD;
    /* An .htaccess is read when requests run, and servers are then fixed. */
    if (!in_htaccess(cmd))
        server->needs_store = 1;
    if (cmd->path && section_is(cmd, "<Location") &&
        !names_documents(cmd->path)) {
        conf->section.location = without_slash_at_end(cmd->pool, cmd->path);
        conf->section.location_is_fnmatch = apr_fnmatch_test(cmd->path);
    }
    else if (cmd->path && (section_is(cmd, "<Directory") || in_htaccess(cmd))) {
        conf->section.directory = without_slash_at_end(cmd->pool, cmd->path);
    }
    return DECLINE_CMD;
}

/* ---- Require, AuthMerging ---- */

static int begins_with(const char *text, const char *word)
{
    return !strncasecmp(text, word, strlen(word));
}

/* The <Location>, <Directory> or other section that a directive stands in,
 * around <RequireAny>, <Limit> and their like. */
static const ap_directive_t *section_around(const cmd_parms *cmd)
{
    const ap_directive_t *section = cmd->directive->parent;

    while (section && (begins_with(section->directive, "<Require") ||
                       begins_with(section->directive, "<Limit")))
        section = section->parent;
    return section;
}

static int section_has(const ap_directive_t *section, const char *directive)
{
    const ap_directive_t *child;

    for (child = section->first_child; child; child = child->next) {
        if (!strcasecmp(child->directive, directive))
            return 1;
    }
    return 0;
}

/* Can this Require be judged without knowing the user? */
static int asks_no_user(const char *args)
{
    static const char *const words[] = {"all ",    "ip ",  "host ", "local",
                                        "method ", "env ", "expr "};
    apr_size_t i;

    if (begins_with(args, "not "))
        args += 4;
    for (i = 0; i < sizeof words / sizeof *words; i++) {
        if (begins_with(args, words[i]))
            return 1;
    }
    return 0;
}

/* Core's and mod_authz_core's own, listened to: what a <Location> requires
 * stands in the place of what the directories around it do, if it brings its
 * own way to know the user, and unless AuthMerging adds the two up. */
static const char *set_require_line(cmd_parms *cmd, void *conf_ptr,
                                    const char *args)
{
    condreq_dir_conf_t *conf = conf_ptr;
    const ap_directive_t *section = section_around(cmd);
    int suffices = section && begins_with(section->directive, "<Location") &&
                   (asks_no_user(args) || section_has(section, "AuthType"));

    if (!suffices)
        conf->guard = CONDREQ_GUARD_WITH_OTHERS;
    else if (conf->guard == CONDREQ_GUARD_UNSAID)
        conf->guard = CONDREQ_GUARD_ITSELF;
    return DECLINE_CMD;
}

static const char *set_auth_merging(cmd_parms *cmd, void *conf_ptr,
                                    const char *args)
{
    (void)cmd;
    (void)args;
    ((condreq_dir_conf_t *)conf_ptr)->guard = CONDREQ_GUARD_WITH_OTHERS;
    return DECLINE_CMD;
}

/* ---- CondReqETag ---- */

static const char *set_etag(cmd_parms *cmd, void *conf_ptr,
                            const char *strategy, const char *weak)
{
    condreq_dir_conf_t *conf = conf_ptr;
    const char *fault;

    if (weak && strcasecmp(weak, "weak"))
        return apr_psprintf(cmd->pool,
                            "CondReqETag: after the strategy write weak or "
                            "nothing, not '%s'",
                            weak);
    fault = condreq_strategy_parse(&conf->rules.strategy, strategy, cmd->pool);
    if (fault)
        return apr_pstrcat(cmd->pool, "CondReqETag ", fault, NULL);
    if (weak && conf->rules.strategy.kind == CONDREQ_STRATEGY_NONE)
        return "CondReqETag: none makes no tag that could be weak; write none "
               "alone";
    conf->rules.strategy.weak = weak != NULL;
    return done(conf, CONDREQ_SET_ETAG);
}

/* ---- CondReqLastModified ---- */

static const char *set_last_modified(cmd_parms *cmd, void *conf_ptr, int on)
{
    condreq_dir_conf_t *conf = conf_ptr;

    (void)cmd;
    conf->rules.last_modified = on;
    return done(conf, CONDREQ_SET_LAST_MODIFIED);
}

/* ---- CondReqEvaluate ---- */

static const char *set_evaluate(cmd_parms *cmd, void *conf_ptr,
                                const char *mode)
{
    condreq_dir_conf_t *conf = conf_ptr;

    if (!strcasecmp(mode, "rfc9110"))
        conf->rules.evaluate = CONDREQ_EVALUATE_RFC9110;
    else if (!strcasecmp(mode, "both"))
        conf->rules.evaluate = CONDREQ_EVALUATE_BOTH;
    else
        return apr_psprintf(
            cmd->pool, "CondReqEvaluate '%s': write rfc9110 or both", mode);
    return done(conf, CONDREQ_SET_EVALUATE);
}

/* ---- CondReqRequire ---- */

static const char *require_method(cmd_parms *cmd, condreq_dir_conf_t *conf,
                                  const char *name)
{
    static const int methods[] = {M_PUT, M_PATCH, M_DELETE, M_POST};
    int number = ap_method_number_of(name);
    apr_size_t i;

    for (i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (number == methods[i]) {
            conf->require_methods |= AP_METHOD_BIT << number;
            return NULL;
        }
    }
    return apr_psprintf(cmd->pool,
                        "CondReqRequire: '%s' is no method that it knows; "
                        "write PUT, PATCH, DELETE or POST",
                        name);
}

static const char *set_require(cmd_parms *cmd, void *conf_ptr, int argc,
                               char *const argv[])
{
    condreq_dir_conf_t *conf = conf_ptr;
    int i;

    if (argc && !strcasecmp(argv[0], "none") && argc == 1)
        conf->require = CONDREQ_REQUIRE_NONE;
    else if (argc && !strcasecmp(argv[0], "etag"))
        conf->require = CONDREQ_REQUIRE_ETAG;
    else if (argc && !strcasecmp(argv[0], "any"))
        conf->require = CONDREQ_REQUIRE_ANY;
    else
        return "CondReqRequire: write none, or etag or any with the methods "
               "that it is for";
    conf->require_methods = argc > 1 ? 0 : WRITING_METHODS;
    for (i = 1; i < argc; i++) {
        const char *fault = require_method(cmd, conf, argv[i]);

        if (fault)
            return fault;
    }
    return done(conf, CONDREQ_SET_REQUIRE);
}

/* ---- CondReqPut ---- */

static const char *set_put(cmd_parms *cmd, void *conf_ptr, const char *how,
                           const char *only)
{
    condreq_dir_conf_t *conf = conf_ptr;

    if (strcasecmp(how, "replace") && strcasecmp(how, "merge"))
        return apr_psprintf(cmd->pool,
                            "CondReqPut '%s': write replace or merge", how);
    conf->rules.put_merge = !strcasecmp(how, "merge");
    if (!only)
        conf->rules.put_only = CONDREQ_PUT_ANY;
    else if (!strcasecmp(only, "create"))
        conf->rules.put_only = CONDREQ_PUT_CREATE;
    else if (!strcasecmp(only, "update"))
        conf->rules.put_only = CONDREQ_PUT_UPDATE;
    else
        return apr_psprintf(cmd->pool,
                            "CondReqPut: after %s write create, update or "
                            "nothing, not '%s'",
                            how, only);
    return done(conf, CONDREQ_SET_PUT);
}

/* ---- CondReqPatch ---- */

static const char *set_patch(cmd_parms *cmd, void *conf_ptr,
                             const char *switched, const char *create)
{
    condreq_dir_conf_t *conf = conf_ptr;

    if (strcasecmp(switched, "On") && strcasecmp(switched, "Off"))
        return apr_psprintf(cmd->pool, "CondReqPatch '%s': write On or Off",
                            switched);
    conf->patches = !strcasecmp(switched, "On");
    if (create && (!conf->patches || strcasecmp(create, "create")))
        return apr_psprintf(
            cmd->pool, "CondReqPatch: after %s write %s, not '%s'", switched,
            conf->patches ? "create or nothing" : "nothing", create);
    conf->patch_creates = create != NULL;
    return done(conf, CONDREQ_SET_PATCH);
}

/* ---- CondReqConflict ---- */

static const char *set_conflict(cmd_parms *cmd, void *conf_ptr,
                                const char *shown)
{
    condreq_dir_conf_t *conf = conf_ptr;

    if (!strcasecmp(shown, "validators"))
        conf->conflict = CONDREQ_CONFLICT_VALIDATORS;
    else if (!strcasecmp(shown, "document"))
        conf->conflict = CONDREQ_CONFLICT_DOCUMENT;
    else
        return apr_psprintf(cmd->pool,
                            "CondReqConflict '%s': write validators or "
                            "document",
                            shown);
    return done(conf, CONDREQ_SET_CONFLICT);
}

/* ---- CondReqIds ---- */

static const char *set_ids(cmd_parms *cmd, void *conf_ptr, const char *ids)
{
    condreq_dir_conf_t *conf = conf_ptr;

    if (!strcasecmp(ids, "sequence"))
        conf->ids = CONDREQ_IDS_SEQUENCE;
    else if (!strcasecmp(ids, "uuid"))
        conf->ids = CONDREQ_IDS_UUID;
    else
        return apr_psprintf(cmd->pool,
                            "CondReqIds '%s': write sequence or uuid", ids);
    return done(conf, CONDREQ_SET_IDS);
}

/* ---- CondReqMembers ---- */

/* The member that a word such as "version" or "version=rev" sets, and the name
 * that it is to have. */
static const char **member_slot(condreq_members_t *members, const char *word,
                                const char **name)
{
    const struct {
        const char *word;
        const char **slot;
    } slots[] = {
        {"id", &members->id},
        {"version", &members->version},
        {"updated_at", &members->updated_at},
    };
    apr_size_t length = strcspn(word, "=");
    apr_size_t i;

    *name = word[length] ? word + length + 1 : word;
    for (i = 0; i < sizeof slots / sizeof *slots; i++) {
        if (strlen(slots[i].word) == length &&
            !strncmp(slots[i].word, word, length))
            return slots[i].slot;
    }
    return NULL;
}

/* A name must be one that JSON can say: quoting keeps all but bad UTF-8. */
static int is_member_name(const char *name, apr_pool_t *pool)
{
    const char *quoted = condreq_json_quote(name, pool);

    return *name && condreq_json_string_is(quoted, strlen(quoted), name);
}

static int same_name(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

static const char *set_members(cmd_parms *cmd, void *conf_ptr, int argc,
                               char *const argv[])
{
    condreq_dir_conf_t *conf = conf_ptr;
    condreq_members_t *members = &conf->rules.members;
    int none = argc == 1 && !strcasecmp(argv[0], "none");
    int i;

    memset(members, 0, sizeof *members);
    for (i = 0; i < argc && !none; i++) {
        const char *name;
        const char **slot = member_slot(members, argv[i], &name);

        if (!slot || *slot || !is_member_name(name, cmd->pool))
            return apr_psprintf(cmd->pool,
                                "CondReqMembers '%s': write none, or each of "
                                "id, version and updated_at once at most, "
                                "with =name behind it for another name",
                                argv[i]);
        *slot = name;
    }
    if (!argc)
        return "CondReqMembers: write none, or some of id, version, "
               "updated_at";
    if (same_name(members->id, members->version) ||
        same_name(members->id, members->updated_at) ||
        same_name(members->version, members->updated_at))
        return "CondReqMembers: two members cannot have one name; give each "
               "its own";
    return done(conf, CONDREQ_SET_MEMBERS);
}

/* ---- CondReqTypes ---- */

static int is_media_range(const char *type)
{
    const char *slash = strchr(type, '/');
    const char *scan = ap_scan_http_token(type);

    return slash && slash != type && scan == slash && slash[1] &&
           !*ap_scan_http_token(slash + 1) &&
           (*type != '*' || !strcmp(type, "*/*"));
}

static const char *set_types(cmd_parms *cmd, void *conf_ptr, int argc,
                             char *const argv[])
{
    condreq_dir_conf_t *conf = conf_ptr;
    apr_array_header_t *types =
        apr_array_make(cmd->pool, argc, sizeof(const char *));
    int i;

    if (!argc)
        return "CondReqTypes: write the media types that may be stored besides "
               "JSON, such as text/plain, or JSON for none";
    for (i = 0; i < argc; i++) {
        char *type = apr_pstrdup(cmd->pool, argv[i]);

        if (!strcasecmp(type, "JSON"))
            continue;
        if (!is_media_range(type))
            return apr_psprintf(cmd->pool,
                                "CondReqTypes '%s': write a media type such as "
                                "text/plain, image/*, */*, or JSON",
                                type);
        ap_str_tolower(type);
        APR_ARRAY_PUSH(types, const char *) = type;
    }
    conf->types = types;
    return done(conf, CONDREQ_SET_TYPES);
}

/* ---- CondReqMaxBody, CondReqMaxDepth ---- */

/* A whole number of bytes, with K or M behind it for 1024s. */
static int parse_bytes(const char *text, apr_off_t *bytes)
{
    char *end;

    if (!apr_isdigit(*text) ||
        apr_strtoff(bytes, text, &end, 10) != APR_SUCCESS)
        return 0;
    if (apr_toupper(*end) == 'K' || apr_toupper(*end) == 'M') {
        apr_off_t unit = apr_toupper(*end) == 'K' ? 1024 : 1024 * 1024;

        if (*bytes > APR_INT32_MAX)
            return 0;
        *bytes *= unit;
        end++;
    }
    return !*end;
}

static void set_limit(cmd_parms *cmd, condreq_limit_t *limit, apr_size_t value)
{
    if (in_htaccess(cmd)) {
        limit->cap = value;
    }
    else {
        limit->host_set = 1;
        limit->host = value;
    }
}

static const char *set_max_body(cmd_parms *cmd, void *conf_ptr,
                                const char *text)
{
    condreq_dir_conf_t *conf = conf_ptr;
    apr_off_t bytes;

    if (!parse_bytes(text, &bytes) || bytes < 1 || bytes > LARGEST_MAX_BODY)
        return apr_psprintf(cmd->pool,
                            "CondReqMaxBody '%s': write bytes from 1 to 64M, "
                            "such as 65536, 64K or 2M",
                            text);
    set_limit(cmd, &conf->max_body, (apr_size_t)bytes);
    settle_limits(conf);
    return done(conf, CONDREQ_SET_MAX_BODY);
}

static const char *set_max_depth(cmd_parms *cmd, void *conf_ptr,
                                 const char *text)
{
    condreq_dir_conf_t *conf = conf_ptr;
    apr_off_t depth;

    if (!parse_bytes(text, &depth) || depth < 1 || depth > LARGEST_MAX_DEPTH)
        return apr_psprintf(cmd->pool,
                            "CondReqMaxDepth '%s': write how many arrays and "
                            "objects may stand in one another, from 1 to "
                            "100000",
                            text);
    set_limit(cmd, &conf->max_depth, (apr_size_t)depth);
    settle_limits(conf);
    return done(conf, CONDREQ_SET_MAX_DEPTH);
}

/* ---- CondReqLocks ---- */

static int parse_number(const char *text, apr_int64_t most, apr_int64_t *number)
{
    char *end;

    if (!apr_isdigit(*text))
        return 0;
    *number = apr_strtoi64(text, &end, 10);
    return !*end && *number >= 1 && *number <= most;
}

/* Seconds, or a number with one of httpd's units of time. */
static int parse_seconds(const char *text, apr_uint32_t *seconds)
{
    apr_interval_time_t interval;

    if (!apr_isdigit(*text) ||
        ap_timeout_parameter_parse(text, &interval, "s") != APR_SUCCESS ||
        interval < APR_USEC_PER_SEC ||
        apr_time_sec(interval) > LARGEST_LOCK_TIMEOUT)
        return 0;
    *seconds = (apr_uint32_t)apr_time_sec(interval);
    return 1;
}

static const char *lock_time(cmd_parms *cmd, const char *option,
                             const char *value, apr_uint32_t *seconds)
{
    if (parse_seconds(value, seconds))
        return NULL;
    return apr_psprintf(cmd->pool,
                        "CondReqLocks '%s': write a time from 1 second to 366 "
                        "days, such as 600, 10min or 24h",
                        option);
}

static const char *lock_number(cmd_parms *cmd, const char *option,
                               const char *value, apr_uint64_t *number)
{
    apr_int64_t parsed;

    if (!parse_number(value, LARGEST_LOCK_NUMBER, &parsed))
        return apr_psprintf(cmd->pool,
                            "CondReqLocks '%s': write how many there may be, "
                            "from 1 to 1000000",
                            option);
    *number = (apr_uint64_t)parsed;
    return NULL;
}

static const char *lock_option(cmd_parms *cmd, condreq_lock_rules_t *locks,
                               const char *option)
{
    if (!strncasecmp(option, "default=", 8))
        return lock_time(cmd, option, option + 8, &locks->default_s);
    if (strncasecmp(option, "max=", 4) && strncasecmp(option, "per-user=", 9) &&
        strncasecmp(option, "per-host=", 9))
        return apr_psprintf(cmd->pool,
                            "CondReqLocks: '%s' is no option; write default=, "
                            "max=, per-user= or per-host= and a number",
                            option);
    if (in_htaccess(cmd))
        return apr_psprintf(cmd->pool,
                            "CondReqLocks '%s': in an .htaccess write On or "
                            "Off, and default=, and no more",
                            option);
    if (!strncasecmp(option, "max=", 4))
        return lock_time(cmd, option, option + 4, &locks->max_s);
    return !strncasecmp(option, "per-user=", 9)
               ? lock_number(cmd, option, option + 9, &locks->quota.per_user)
               : lock_number(cmd, option, option + 9, &locks->quota.per_host);
}

static const char *set_locks(cmd_parms *cmd, void *conf_ptr, int argc,
                             char *const argv[])
{
    condreq_dir_conf_t *conf = conf_ptr;
    const char *fault = NULL;
    int i;

    memset(&conf->locks, 0, sizeof conf->locks);
    if (argc && !strcasecmp(argv[0], "On"))
        conf->locks.on = 1;
    else if (!argc || strcasecmp(argv[0], "Off"))
        return "CondReqLocks: write On or Off first, then options such as "
               "max=24h";
    for (i = 1; i < argc && !fault; i++)
        fault = lock_option(cmd, &conf->locks, argv[i]);
    if (!fault && conf->locks.max_s &&
        conf->locks.default_s > conf->locks.max_s)
        fault = "CondReqLocks: default is over max; write a smaller default";
    return fault ? fault : done(conf, CONDREQ_SET_LOCKS);
}

/* ---- CondReqStore ---- */

void condreq_store_defaults(condreq_site_store_t *site)
{
    site->provider = &condreq_store_bdb;
    site->config.durability = CONDREQ_SYNC;
    site->config.cache_bytes = DEFAULT_CACHE;
}

static const char *store_option(cmd_parms *cmd, condreq_store_config_t *config,
                                const char *option)
{
    const char *value = strchr(option, '=');
    apr_off_t bytes;

    if (value && !strncasecmp(option, "durability=", 11)) {
        if (!strcasecmp(value + 1, "sync"))
            config->durability = CONDREQ_SYNC;
        else if (!strcasecmp(value + 1, "write_nosync"))
            config->durability = CONDREQ_WRITE_NOSYNC;
        else
            return apr_psprintf(cmd->pool,
                                "CondReqStore '%s': write durability=sync or "
                                "durability=write_nosync",
                                option);
        return NULL;
    }
    if (value && !strncasecmp(option, "cache=", 6)) {
        if (!parse_bytes(value + 1, &bytes) || bytes < SMALLEST_CACHE)
            return apr_psprintf(cmd->pool,
                                "CondReqStore '%s': write bytes from 1M up, "
                                "such as cache=64M",
                                option);
        config->cache_bytes = (apr_size_t)bytes;
        return NULL;
    }
    return apr_psprintf(cmd->pool,
                        "CondReqStore: '%s' is no option; write "
                        "durability=sync, durability=write_nosync or "
                        "cache=64M",
                        option);
}

static const char *set_store(cmd_parms *cmd, void *conf_ptr, int argc,
                             char *const argv[])
{
    condreq_server_conf_t *conf =
        ap_get_module_config(cmd->server->module_config, &condreq_module);
    condreq_store_config_t *config = &conf->written.config;
    const char *fault = ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT);
    int i;

    (void)conf_ptr;
    if (fault)
        return fault;
    if (!argc || strncmp(argv[0], "bdb:", 4) || !argv[0][4])
        return apr_psprintf(cmd->pool,
                            "CondReqStore '%s': write bdb: and a directory, "
                            "such as bdb:/var/lib/condreq",
                            argc ? argv[0] : "");
    condreq_store_defaults(&conf->written);
    config->path = ap_server_root_relative(cmd->pool, argv[0] + 4);
    if (!config->path)
        return apr_psprintf(cmd->pool,
                            "CondReqStore '%s': this is no path of a directory",
                            argv[0]);
    config->path = without_slash_at_end(cmd->pool, config->path);
    for (i = 1; i < argc && !fault; i++)
        fault = store_option(cmd, config, argv[i]);
    return fault;
}

const command_rec condreq_commands[] = {
    AP_INIT_TAKE1("SetHandler", set_handler, NULL, OR_FILEINFO,
                  "a handler name"),
    AP_INIT_RAW_ARGS("Require", set_require_line, NULL, OR_AUTHCFG,
                     "what mod_authz_core requires"),
    AP_INIT_RAW_ARGS("AuthMerging", set_auth_merging, NULL, OR_AUTHCFG,
                     "Off, And or Or"),
    AP_INIT_TAKE_ARGV("CondReqStore", set_store, NULL, RSRC_CONF,
                      "bdb:directory [durability=sync|write_nosync] "
                      "[cache=bytes]"),
    AP_INIT_TAKE12("CondReqETag", set_etag, NULL, OR_FILEINFO,
                   "version|hash|timestamp|none|\"format\" [weak]"),
    AP_INIT_FLAG("CondReqLastModified", set_last_modified, NULL, OR_FILEINFO,
                 "On or Off"),
    AP_INIT_TAKE1("CondReqEvaluate", set_evaluate, NULL, OR_FILEINFO,
                  "rfc9110|both"),
    AP_INIT_TAKE_ARGV("CondReqRequire", set_require, NULL, OR_FILEINFO,
                      "none|etag|any [method] ..."),
    AP_INIT_TAKE12("CondReqPut", set_put, NULL, OR_FILEINFO,
                   "replace|merge [create|update]"),
    AP_INIT_TAKE12("CondReqPatch", set_patch, NULL, OR_FILEINFO,
                   "On|Off [create]"),
    AP_INIT_TAKE1("CondReqConflict", set_conflict, NULL, OR_FILEINFO,
                  "validators|document"),
    AP_INIT_TAKE1("CondReqIds", set_ids, NULL, OR_FILEINFO, "sequence|uuid"),
    AP_INIT_TAKE_ARGV("CondReqMembers", set_members, NULL, OR_FILEINFO,
                      "none, or id[=name] version[=name] updated_at[=name]"),
    AP_INIT_TAKE_ARGV("CondReqTypes", set_types, NULL, OR_FILEINFO,
                      "media types that may be stored besides JSON"),
    AP_INIT_TAKE1("CondReqMaxBody", set_max_body, NULL, OR_FILEINFO,
                  "bytes that a document may have"),
    AP_INIT_TAKE1("CondReqMaxDepth", set_max_depth, NULL, OR_FILEINFO,
                  "arrays and objects that may stand in one another"),
    AP_INIT_TAKE_ARGV("CondReqLocks", set_locks, NULL, OR_FILEINFO,
                      "On|Off [default=time] [max=time] [per-user=number] "
                      "[per-host=number]"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL}};
