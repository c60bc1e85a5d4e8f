/* The keeper: a process beside httpd's children that does the stores'
 * housekeeping, so that no request ever waits for a checkpoint.
 * Knows processes and the store interface. It ends when asked, between two
 * rounds of work and never inside one, and with its parent. */
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

#define ROUND_MS 1000
/* How long a restart waits for a keeper that is at work. */
#define GOODBYE_MS 5000

static volatile sig_atomic_t keeper_asked_to_end;

static void on_ask_to_end(int signal_number)
{
    (void)signal_number;
    keeper_asked_to_end = 1;
}

static void keeper_set_signals(void)
{
    static const int ignored[] = {SIGHUP, SIGUSR1, SIGWINCH, SIGPIPE, SIGINT};
    struct sigaction action;
    sigset_t none;
    apr_size_t i;

    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_IGN;
    for (i = 0; i < sizeof ignored / sizeof *ignored; i++)
        sigaction(ignored[i], &action, NULL);
    action.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &action, NULL);
    action.sa_handler = on_ask_to_end;
    sigaction(SIGTERM, &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void keeper_maintain(condreq_site_store_t *site, server_rec *server,
                            apr_pool_t *pool)
{
    condreq_trouble_t trouble = {""};
    apr_status_t status;

    if (!site->store)
        return;
    status = site->provider->maintain(site->store, &trouble, pool);
    if (status != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, server,
                     CONDREQ_LOGNO(1201) "keeping the store in %s: %s",
                     site->config.path, trouble.sentence);
}

static void keeper_run(server_rec *main_server, pid_t parent)
{
    apr_array_header_t *sites;
    apr_pool_t *pool, *round;
    int i;

    prctl(PR_SET_NAME, "condreq-keeper");
    keeper_set_signals();
    ap_close_listeners();
    if (!condreq_become_user())
        _exit(1);
    /* Changing the user clears it, so it is set afterwards; the parent may
     * have gone before. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    apr_pool_create(&pool, NULL);
    apr_pool_create(&round, pool);
    sites = condreq_stores_all(pool, main_server);
    condreq_stores_open(pool, main_server);
    while (!keeper_asked_to_end && getppid() == parent) {
        for (i = 0; i < sites->nelts && !keeper_asked_to_end; i++)
            keeper_maintain(APR_ARRAY_IDX(sites, i, condreq_site_store_t *),
                            main_server, round);
        apr_pool_clear(round);
        poll(NULL, 0, ROUND_MS);
    }
    _exit(0);
}

/* ---- in the parent ---- */

typedef struct keeper_t {
    apr_proc_t process;
    pid_t parent;
    server_rec *main_server;
    apr_pool_t *pconf;
} keeper_t;

static apr_status_t keeper_fork(keeper_t *keeper);

/* httpd's parent calls this when a process that it was told of has ended, and
 * when it restarts, where keeper_stop() does what there is to do. */
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
    ap_log_error(
        APLOG_MARK, APLOG_WARNING, 0, keeper->main_server,
        CONDREQ_LOGNO(1202) "the keeper (pid %" APR_PID_T_FMT
                            ") ended with status %d; another takes its place",
        keeper->process.pid, status);
    keeper_fork(keeper);
}

/* Waits for the keeper's end. @return 1 if it came */
static int keeper_ended(const keeper_t *keeper)
{
    int waited_ms;

    for (waited_ms = 0; waited_ms < GOODBYE_MS; waited_ms += 10) {
        pid_t ended = waitpid(keeper->process.pid, NULL, WNOHANG);

        if (ended == keeper->process.pid || (ended < 0 && errno == ECHILD))
            return 1;
        poll(NULL, 0, 10);
    }
    return 0;
}

/* Asks the keeper to end and waits, bounded: a keeper that was killed inside
 * the store would leave it locked for the children of a graceful restart. Once
 * httpd itself ends there are none, and the next start recovers. */
static apr_status_t keeper_stop(void *keeper_ptr)
{
    keeper_t *keeper = keeper_ptr;

    /* Pools are also destroyed in processes that were forked from the parent. */
    if (getpid() != keeper->parent || keeper->process.pid <= 0 ||
        kill(keeper->process.pid, SIGTERM) != 0)
        return APR_SUCCESS;
    if (!keeper_ended(keeper) &&
        ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_EXITING)
        kill(keeper->process.pid, SIGKILL);
    return APR_SUCCESS;
}

static apr_status_t keeper_fork(keeper_t *keeper)
{
    pid_t pid = fork();

    if (pid < 0) {
        ap_log_error(APLOG_MARK, APLOG_ERR, errno, keeper->main_server,
                     CONDREQ_LOGNO(1203) "the keeper cannot be started");
        return errno;
    }
    if (pid == 0)
        keeper_run(keeper->main_server, keeper->parent);
    keeper->process.pid = pid;
    apr_proc_other_child_register(&keeper->process, keeper_on_event, keeper,
                                  NULL, keeper->pconf);
    return APR_SUCCESS;
}

apr_status_t condreq_keeper_start(apr_pool_t *pconf, server_rec *main_server)
{
    keeper_t *keeper = apr_pcalloc(pconf, sizeof *keeper);

    keeper->parent = getpid();
    keeper->main_server = main_server;
    keeper->pconf = pconf;
    apr_pool_cleanup_register(pconf, keeper, keeper_stop,
                              apr_pool_cleanup_null);
    return keeper_fork(keeper);
}
