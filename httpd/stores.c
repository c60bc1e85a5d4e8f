/* The stores of this httpd: which server uses which, made in the parent,
 * opened in each child.
 * Knows httpd's processes and restarts; of a store only its interface.
 *
 * Who is there is said by the locks of condreq_occupancy.h: the parent owns the
 * store as long as it lives, and its processes share it. */
#include "mod_condreq.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ap_mpm.h"
#include "http_main.h"
#include "apr_strings.h"
#include "condreq_occupancy.h"
#include "unixd.h"

#define DEFAULT_STORE "/var/lib/condreq"
/* Long enough for a burst of writers to one document, short enough that a
 * client still waits for the 503. */
#define WAIT_US apr_time_from_sec(10)
/* Threads that are in no request: the keeper, what comes later. */
#define SPARE_THREADS 32
/* What a killed parent left is gone by then; see httpd/orphan.c. */
#define ORPHANS_END_WITHIN apr_time_from_sec(8)
/* A tool that brings the store in order, or looks whether we are there. */
#define TOOLS_END_WITHIN apr_time_from_sec(10)
#define DIRECTORY_MODE 0700

/* ---- which server uses which store ---- */

static condreq_server_conf_t *server_conf(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &condreq_module);
}

/* A store in the same directory that another server wrote, or this one. */
static condreq_site_store_t *site_for(server_rec *main_server,
                                      condreq_site_store_t *written)
{
    server_rec *server;

    for (server = main_server; server; server = server->next) {
        condreq_site_store_t *other = &server_conf(server)->written;

        if (other->provider &&
            !strcmp(other->config.path, written->config.path))
            return other;
    }
    return written;
}

void condreq_stores_assign(server_rec *main_server)
{
    condreq_server_conf_t *main_conf = server_conf(main_server);
    int needed = main_conf->written.provider != NULL;
    server_rec *server;

    for (server = main_server; server; server = server->next) {
        condreq_server_conf_t *conf = server_conf(server);

        needed |= conf->needs_store && !conf->written.provider;
    }
    /* Nobody asked for a store: then none is made. */
    if (needed && !main_conf->written.provider) {
        condreq_store_defaults(&main_conf->written);
        main_conf->written.config.path = DEFAULT_STORE;
    }
    for (server = main_server; server; server = server->next) {
        condreq_server_conf_t *conf = server_conf(server);

        if (conf->written.provider)
            conf->site = site_for(main_server, &conf->written);
        else
            conf->site = main_conf->site;
    }
}

static void add_distinct(apr_array_header_t *sites, condreq_site_store_t *site)
{
    int i;

    for (i = 0; i < sites->nelts; i++) {
        if (APR_ARRAY_IDX(sites, i, condreq_site_store_t *) == site)
            return;
    }
    APR_ARRAY_PUSH(sites, condreq_site_store_t *) = site;
}

apr_array_header_t *condreq_stores_all(apr_pool_t *pool,
                                       server_rec *main_server)
{
    apr_array_header_t *sites =
        apr_array_make(pool, 2, sizeof(condreq_site_store_t *));
    server_rec *server;

    for (server = main_server; server; server = server->next) {
        if (server_conf(server)->site)
            add_distinct(sites, server_conf(server)->site);
    }
    return sites;
}

/* ---- how many threads may come ---- */

/* The largest number that a directive is given anywhere in the tree. */
static int largest_argument(const ap_directive_t *node, const char *directive)
{
    int largest = 0;

    for (; node; node = node->next) {
        if (!strcasecmp(node->directive, directive) &&
            atoi(node->args) > largest)
            largest = atoi(node->args);
    }
    return largest;
}

/* HTTP/2 runs its requests on threads of its own, by default one and a half
 * times as many as the child has workers. */
static int http2_threads(int threads_per_child)
{
    int written;

    if (!ap_find_linked_module("mod_http2.c"))
        return 0;
    written = largest_argument(ap_conftree, "H2MaxWorkers");
    return written ? written : threads_per_child + threads_per_child / 2 + 1;
}

static unsigned int threads_at_most(void)
{
    int children = 1, threads = 1;

    ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &children);
    ap_mpm_query(AP_MPMQ_HARD_LIMIT_THREADS, &threads);
    if (threads < 1)
        threads = 1;
    return (unsigned int)children *
               (unsigned int)(threads + http2_threads(threads)) +
           SPARE_THREADS;
}

/* ---- as whom ---- */

int condreq_become_user(void)
{
    if (geteuid() != 0)
        return 1;
    return setgid(ap_unixd_config.group_id) == 0 &&
           initgroups(ap_unixd_config.user_name, ap_unixd_config.group_id) ==
               0 &&
           setuid(ap_unixd_config.user_id) == 0;
}

static int is_empty(const char *path, apr_pool_t *pool)
{
    apr_finfo_t entry;
    apr_dir_t *directory;
    int empty = 1;

    if (apr_dir_open(&directory, path, pool) != APR_SUCCESS)
        return 0;
    while (empty &&
           apr_dir_read(&entry, APR_FINFO_NAME, directory) == APR_SUCCESS)
        empty = !strcmp(entry.name, ".") || !strcmp(entry.name, "..");
    apr_dir_close(directory);
    return empty;
}

static int refuse_store(server_rec *server, apr_status_t status,
                        const char *path, const char *sentence)
{
    ap_log_error(APLOG_MARK, APLOG_EMERG, status, server,
                 CONDREQ_LOGNO(1101) "the store in %s: %s", path, sentence);
    return HTTP_INTERNAL_SERVER_ERROR;
}

/* The parent is root and the children are not: what it makes is theirs. */
static int make_directory(const char *path, server_rec *server,
                          apr_pool_t *pool)
{
    struct stat found;

    if (mkdir(path, DIRECTORY_MODE) != 0 && errno != EEXIST)
        return refuse_store(server, errno, path,
                            "its directory cannot be made: make the one above "
                            "it, or name another");
    if (stat(path, &found) != 0 || !S_ISDIR(found.st_mode))
        return refuse_store(server, errno, path, "that is no directory");
    if (geteuid() != 0 || found.st_uid == ap_unixd_config.user_id)
        return OK;
    if (!is_empty(path, pool))
        return refuse_store(server, 0, path,
                            "its directory belongs to another than httpd's "
                            "User: chown -R it to that user");
    if (chown(path, ap_unixd_config.user_id, ap_unixd_config.group_id) != 0)
        return refuse_store(server, errno, path,
                            "its directory cannot be given to httpd's User");
    return OK;
}

/* ---- who is there ---- */

/* What a parent remembers of a store across its restarts, in which the module
 * itself is unloaded and loaded again. */
typedef struct owned_t {
    struct owned_t *next;
    const char *path;
    int descriptor;
    pid_t parent;
    /** the configuration of today has it */
    int is_used;
} owned_t;

static owned_t **all_owned(void)
{
    static const char key[] = "condreq-owned";
    owned_t **first = ap_retained_data_get(key);

    return first ? first : ap_retained_data_create(key, sizeof *first);
}

static owned_t *owned(const char *path)
{
    owned_t **at = all_owned();

    for (; *at; at = &(*at)->next) {
        if (!strcmp((*at)->path, path))
            return *at;
    }
    *at = apr_pcalloc(ap_pglobal, sizeof **at);
    (*at)->path = apr_pstrdup(ap_pglobal, path);
    (*at)->descriptor = -1;
    (*at)->parent = getpid();
    return *at;
}

/* A store that no server uses any more may be another httpd's. */
static void let_go_of_unused(const apr_array_header_t *sites)
{
    owned_t *each;
    int i;

    for (each = *all_owned(); each; each = each->next)
        each->is_used = 0;
    for (i = 0; i < sites->nelts; i++)
        owned(APR_ARRAY_IDX(sites, i, condreq_site_store_t *)->config.path)
            ->is_used = 1;
    for (each = *all_owned(); each; each = each->next) {
        if (!each->is_used && each->descriptor >= 0) {
            close(each->descriptor);
            each->descriptor = -1;
        }
    }
}

static int take_ownership(const char *path, server_rec *server)
{
    owned_t *mine = owned(path);
    apr_status_t status;

    if (mine->descriptor >= 0)
        return OK;
    status = condreq_occupancy_own(&mine->descriptor, path, TOOLS_END_WITHIN);
    switch (status) {
    case APR_SUCCESS:
        return OK;
    case EBUSY:
        return refuse_store(server, 0, path,
                            "another httpd that runs has it: stop that one, or "
                            "give this one a CondReqStore of its own");
    case APR_TIMEUP:
        return refuse_store(server, 0, path,
                            "condreqctl is at work on it: start again once "
                            "that has ended");
    default:
        return refuse_store(server, status, path,
                            "its lock file cannot be opened");
    }
}

/* A child must not hold what says that its parent lives; under -X the parent
 * is its own child. */
void condreq_stores_disown(const char *path)
{
    owned_t *mine = owned(path);

    if (mine->descriptor >= 0 && mine->parent != getpid()) {
        close(mine->descriptor);
        mine->descriptor = -1;
    }
}

apr_status_t condreq_stores_announce_use(const char *path)
{
    int descriptor;

    condreq_stores_disown(path);
    /* The descriptor stays open: the kernel lets go of it with the process. */
    return condreq_occupancy_share(&descriptor, path);
}

/* ---- in order ---- */

/* In a process of its own, as the user who will open the files; it says what
 * went wrong through the pipe. */
static void prepare_and_exit(condreq_site_store_t *site, int pipe_end)
{
    condreq_trouble_t trouble = {""};
    apr_status_t status = APR_EGENERAL;
    apr_pool_t *pool;

    /* If httpd is killed now, the next start waits for "users". */
    condreq_stores_disown(site->config.path);
    apr_pool_create(&pool, NULL);
    if (condreq_become_user())
        status = site->provider->prepare(&site->config, &trouble, pool);
    else
        condreq_trouble(&trouble, errno, "becoming httpd's User");
    if (status != APR_SUCCESS &&
        write(pipe_end, trouble.sentence, strlen(trouble.sentence)) < 0)
        _exit(2);
    _exit(status == APR_SUCCESS ? 0 : 1);
}

static apr_size_t read_all(int descriptor, char *text, apr_size_t size)
{
    apr_size_t length = 0;
    ssize_t got;

    while (length < size - 1 &&
           ((got = read(descriptor, text + length, size - 1 - length)) > 0 ||
            (got < 0 && errno == EINTR)))
        length += got > 0 ? (apr_size_t)got : 0;
    text[length] = '\0';
    return length;
}

static int prepare_in_child(condreq_site_store_t *site, server_rec *server)
{
    condreq_trouble_t trouble;
    int ends[2], state = 0;
    pid_t pid;

    if (pipe(ends) != 0 || (pid = fork()) < 0)
        return refuse_store(server, errno, site->config.path,
                            "no process can be started to prepare it");
    if (pid == 0) {
        close(ends[0]);
        prepare_and_exit(site, ends[1]);
    }
    close(ends[1]);
    read_all(ends[0], trouble.sentence, sizeof trouble.sentence);
    close(ends[0]);
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0)
        return OK;
    return refuse_store(server, 0, site->config.path,
                        trouble.sentence[0] ? trouble.sentence
                                            : "preparing it ended too soon");
}

/* Children that another parent left behind end by themselves, or are ended by
 * their keepers; where those were killed too, by one of ours. Whoever waits in
 * the store for one that was killed inside would else wait for ever. */
static apr_status_t outlast_orphans(int *users, condreq_site_store_t *site,
                                    server_rec *server)
{
    pid_t keeper = condreq_keeper_start_for_orphans(site, server);
    apr_status_t status =
        condreq_occupancy_empty(users, site->config.path, ORPHANS_END_WITHIN);

    condreq_keeper_end(keeper);
    return status;
}

/* Prepares a store unless processes of this parent still use it, as they do
 * for minutes after a graceful restart: then the new children join them. */
static int prepare_unless_used(condreq_site_store_t *site, server_rec *server,
                               int first_start)
{
    int users, outcome = OK;
    apr_status_t status = condreq_occupancy_empty(&users, site->config.path, 0);

    if (status == EBUSY && first_start)
        status = outlast_orphans(&users, site, server);
    if (status == APR_SUCCESS) {
        outcome = prepare_in_child(site, server);
        close(users);
    }
    else if (status != EBUSY)
        outcome = refuse_store(server, status, site->config.path,
                               "its lock file cannot be opened");
    else if (first_start)
        outcome = refuse_store(server, 0, site->config.path,
                               "processes of an httpd whose parent is gone "
                               "still use it: end them, then start again");
    return outcome;
}

static int prepare_site(condreq_site_store_t *site, server_rec *server,
                        apr_pool_t *pool)
{
    const char *path = site->config.path;
    int first_start = owned(path)->descriptor < 0;
    int status;

    site->config.threads = threads_at_most();
    site->config.wait_us = WAIT_US;
    if ((status = make_directory(path, server, pool)) != OK)
        return status;
    if ((status = take_ownership(path, server)) != OK)
        return status;
    return prepare_unless_used(site, server, first_start);
}

int condreq_stores_prepare(apr_pool_t *pconf, apr_pool_t *plog,
                           apr_pool_t *ptemp, server_rec *main_server)
{
    apr_array_header_t *sites = condreq_stores_all(pconf, main_server);
    int i, status = OK;

    (void)plog;
    server_conf(main_server)->parent = getpid();
    /* httpd reads its configuration twice at the start; once is enough. */
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    for (i = 0; i < sites->nelts && status == OK; i++)
        status = prepare_site(APR_ARRAY_IDX(sites, i, condreq_site_store_t *),
                              main_server, ptemp);
    if (status == OK)
        let_go_of_unused(sites);
    if (status == OK && sites->nelts &&
        condreq_keepers_start(pconf, main_server) != APR_SUCCESS)
        status = HTTP_INTERNAL_SERVER_ERROR;
    if (status == OK && sites->nelts)
        condreq_reaper_begin(pconf);
    return status;
}

void condreq_stores_open(apr_pool_t *pool, server_rec *main_server)
{
    apr_array_header_t *sites = condreq_stores_all(pool, main_server);
    int i;

    condreq_reaper_forget();
    for (i = 0; i < sites->nelts; i++) {
        condreq_site_store_t *site =
            APR_ARRAY_IDX(sites, i, condreq_site_store_t *);
        condreq_trouble_t trouble = {""};
        apr_status_t status = condreq_stores_announce_use(site->config.path);

        if (status == APR_SUCCESS)
            status = site->provider->open(&site->store, &site->config, &trouble,
                                          pool);
        if (status != APR_SUCCESS) {
            site->store = NULL;
            ap_log_error(
                APLOG_MARK, APLOG_CRIT, status, main_server,
                CONDREQ_LOGNO(1102) "the store in %s cannot be "
                                    "opened, its documents answer 503: %s",
                site->config.path, trouble.sentence);
        }
    }
    /* Afterwards: it may end this process, which must not be inside then. */
    if (sites->nelts)
        condreq_orphan_watch(server_conf(main_server)->parent, main_server);
}
