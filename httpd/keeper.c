/* The keepers: two processes beside httpd's children for every store, one of
 * which keeps it while the other waits to take its place. What keeping means
 * is the store's to know.
 * Knows processes and the store interface. A keeper ends when asked, and some
 * seconds after its parent, with the children that the parent left behind. */
#include "mod_condreq.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ap_listen.h"
#include "ap_mpm.h"
#include "apr_thread_proc.h"
#include "unixd.h"

#define KEEPERS_A_STORE 2
/* How long a restart waits for a keeper that is at work. */
#define GOODBYE_MS 5000
/* One that cannot keep its store is replaced, but not at once. */
#define TROUBLED_MS 1000

static volatile sig_atomic_t keeper_asked_to_end;

static void on_ask_to_end(int signal_number)
{
    (void)signal_number;
    keeper_asked_to_end = 1;
}

/* That it came ends whatever was being waited for. */
static void on_parent_death(int signal_number)
{
    (void)signal_number;
}

static void set_handler(int signal_number, void (*handler)(int))
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    sigaction(signal_number, &action, NULL);
}

static void keeper_set_signals(void)
{
    static const int ignored[] = {SIGHUP, SIGWINCH, SIGPIPE, SIGINT};
    sigset_t none;
    apr_size_t i;

    for (i = 0; i < sizeof ignored / sizeof *ignored; i++)
        set_handler(ignored[i], SIG_IGN);
    set_handler(SIGCHLD, SIG_DFL);
    set_handler(SIGUSR1, on_parent_death);
    set_handler(SIGTERM, on_ask_to_end);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* ---- what a store asks of the process that it is kept in ---- */

typedef struct keeper_t {
    apr_proc_t process;
    pid_t parent;
    condreq_site_store_t *site;
    server_rec *main_server;
    apr_pool_t *pconf;
    /** it is for the children that another parent left behind */
    int for_orphans;
} keeper_t;

static void keeper_log(void *keeper_ptr, condreq_keeper_level_t level,
                       const char *sentence)
{
    const keeper_t *keeper = keeper_ptr;
    const char *path = keeper->site->config.path;

    switch (level) {
    case CONDREQ_KEEPER_NOTICE:
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, keeper->main_server,
                     CONDREQ_LOGNO(1204) "the store in %s: %s", path, sentence);
        return;
    case CONDREQ_KEEPER_WARNING:
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, keeper->main_server,
                     CONDREQ_LOGNO(1205) "the store in %s: %s", path, sentence);
        return;
    case CONDREQ_KEEPER_ERROR:
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, keeper->main_server,
                     CONDREQ_LOGNO(1201) "keeping the store in %s: %s", path,
                     sentence);
    }
}

static int keeper_should_end(void *keeper_ptr)
{
    (void)keeper_ptr;
    return keeper_asked_to_end;
}

/* It is init that has adopted us, or a subreaper. */
static int keeper_is_abandoned(void *keeper_ptr)
{
    const keeper_t *keeper = keeper_ptr;

    return keeper->for_orphans || getppid() != keeper->parent;
}

/* Those who wait for the orphans to end must not wait for their keeper. */
static apr_status_t keeper_announce(const keeper_t *keeper)
{
    if (!keeper->for_orphans)
        return condreq_stores_announce_use(keeper->site->config.path);
    condreq_stores_disown(keeper->site->config.path);
    return APR_SUCCESS;
}

static void keeper_run(keeper_t *keeper)
{
    condreq_site_store_t *site = keeper->site;
    condreq_keeper_t asks = {keeper, keeper_log, keeper_should_end,
                             keeper_is_abandoned};
    condreq_trouble_t trouble = {""};
    apr_status_t status;
    apr_pool_t *pool;

    prctl(PR_SET_NAME, "condreq-keeper");
    keeper_set_signals();
    ap_close_listeners();
    apr_pool_create(&pool, NULL);
    if (!condreq_become_user())
        _exit(1);
    /* Changing the user clears it, so it is set afterwards. */
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    status = keeper_announce(keeper);
    if (status == APR_SUCCESS)
        status = site->provider->keep(&site->config, &asks, &trouble, pool);
    if (status != APR_SUCCESS) {
        keeper_log(keeper, CONDREQ_KEEPER_ERROR, trouble.sentence);
        poll(NULL, 0, TROUBLED_MS);
    }
    _exit(status == APR_SUCCESS ? 0 : 1);
}

/* ---- in the parent ---- */

static apr_status_t keeper_fork(keeper_t *keeper);

/* httpd's parent calls this when a process that it was told of has ended, and
 * when it restarts, where keepers_stop() does what there is to do. */
static void keeper_on_event(int reason, void *keeper_ptr, int status)
{
    keeper_t *keeper = keeper_ptr;
    int state;

    if (reason != APR_OC_REASON_DEATH && reason != APR_OC_REASON_LOST)
        return;
    apr_proc_other_child_unregister(keeper);
    if (ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS &&
        state == AP_MPMQ_STOPPING)
        return;
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, keeper->main_server,
                 CONDREQ_LOGNO(1202) "the keeper (pid %" APR_PID_T_FMT
                                     ") of the store in %s ended with status "
                                     "%d; another takes its place",
                 keeper->process.pid, keeper->site->config.path, status);
    keeper_fork(keeper);
}

static apr_status_t keeper_fork(keeper_t *keeper)
{
    pid_t pid = fork();

    if (pid < 0) {
        keeper->process.pid = 0;
        ap_log_error(APLOG_MARK, APLOG_ERR, errno, keeper->main_server,
                     CONDREQ_LOGNO(1203) "the keeper cannot be started");
        return errno;
    }
    if (pid == 0)
        keeper_run(keeper);
    keeper->process.pid = pid;
    apr_proc_other_child_register(&keeper->process, keeper_on_event, keeper,
                                  NULL, keeper->pconf);
    return APR_SUCCESS;
}

static int keeper_has_ended(const keeper_t *keeper)
{
    pid_t ended = waitpid(keeper->process.pid, NULL, WNOHANG);

    return ended == keeper->process.pid || (ended < 0 && errno == ECHILD);
}

/* A keeper may be killed at any time without harm, and the next one goes on. */
static void keeper_await(const keeper_t *keeper)
{
    int waited_ms;

    for (waited_ms = 0; waited_ms < GOODBYE_MS; waited_ms += 10) {
        if (keeper_has_ended(keeper))
            return;
        poll(NULL, 0, 10);
    }
    kill(keeper->process.pid, SIGKILL);
}

/** All keepers of one configuration. */
typedef struct keepers_t {
    pid_t parent;
    apr_array_header_t *keepers;
} keepers_t;

static apr_status_t keepers_stop(void *keepers_ptr)
{
    const keepers_t *all = keepers_ptr;
    int i;

    /* Pools are also destroyed in processes that were forked from the parent. */
    if (getpid() != all->parent)
        return APR_SUCCESS;
    for (i = 0; i < all->keepers->nelts; i++) {
        keeper_t *keeper = APR_ARRAY_IDX(all->keepers, i, keeper_t *);

        if (keeper->process.pid > 0 && kill(keeper->process.pid, SIGTERM) != 0)
            keeper->process.pid = 0;
    }
    for (i = 0; i < all->keepers->nelts; i++) {
        const keeper_t *keeper = APR_ARRAY_IDX(all->keepers, i, keeper_t *);

        if (keeper->process.pid > 0)
            keeper_await(keeper);
    }
    return APR_SUCCESS;
}

static apr_status_t keeper_start(keepers_t *all, condreq_site_store_t *site,
                                 server_rec *main_server, apr_pool_t *pconf)
{
    keeper_t *keeper = apr_pcalloc(pconf, sizeof *keeper);

    keeper->parent = all->parent;
    keeper->site = site;
    keeper->main_server = main_server;
    keeper->pconf = pconf;
    APR_ARRAY_PUSH(all->keepers, keeper_t *) = keeper;
    return keeper_fork(keeper);
}

apr_status_t condreq_keepers_start(apr_pool_t *pconf, server_rec *main_server)
{
    apr_array_header_t *sites = condreq_stores_all(pconf, main_server);
    keepers_t *all = apr_pcalloc(pconf, sizeof *all);
    apr_status_t status = APR_SUCCESS;
    int i;

    all->parent = getpid();
    all->keepers = apr_array_make(pconf, 2, sizeof(keeper_t *));
    apr_pool_cleanup_register(pconf, all, keepers_stop, apr_pool_cleanup_null);
    for (i = 0; i < sites->nelts * KEEPERS_A_STORE && status == APR_SUCCESS;
         i++) {
        condreq_site_store_t *site =
            APR_ARRAY_IDX(sites, i / KEEPERS_A_STORE, condreq_site_store_t *);

        if (site->provider->keep)
            status = keeper_start(all, site, main_server, pconf);
    }
    return status;
}

/* ---- for those that another parent left behind ---- */

pid_t condreq_keeper_start_for_orphans(condreq_site_store_t *site,
                                       server_rec *main_server)
{
    keeper_t keeper = {{0}, getpid(), site, main_server, NULL, 1};
    pid_t pid;

    if (!site->provider->keep || (pid = fork()) < 0)
        return 0;
    if (pid == 0)
        keeper_run(&keeper);
    return pid;
}

void condreq_keeper_end(pid_t pid)
{
    keeper_t keeper = {{0}, 0, NULL, NULL, NULL, 1};

    if (pid <= 0)
        return;
    keeper.process.pid = pid;
    kill(pid, SIGTERM);
    keeper_await(&keeper);
}
