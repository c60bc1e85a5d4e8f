/* What a child does when its parent was killed: it takes no new connection, so
 * that the port is free for the next httpd, and ends by itself once its
 * requests are answered, for the next httpd waits for that. Children that take too long are ended by the stores'
 * keepers.
 * Knows processes and listening sockets, and no store.
 *
 * httpd's MPMs only learn that their parent is gone when they write to it, and
 * until then they serve on. They do look at what accept() says: one on a
 * socket that was shut down fails, and a child whose listener fails ends as
 * gracefully as for a restart, whichever MPM it is of. But prefork's would first
 * serve its connection for as long as the client keeps it, and the others wait
 * two seconds for clients to close theirs: so requests are counted. */
#include "mod_condreq.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ap_listen.h"
#include "ap_mpm.h"
#include "mpm_common.h"
#include "apr_portable.h"

#define STACK_BYTES (64 * 1024)
#define LOOK_MS 1000
#define COUNT_MS 20
/* For a request that is just being read, and for an answer that is on its way. */
#define IDLE_UNTIL_END_MS 200

/* The same description is open in all children: once is enough for all. */
static void shut_down_listeners(void)
{
    ap_listen_rec *listener;
    apr_os_sock_t descriptor;

    for (listener = ap_listeners; listener; listener = listener->next) {
        if (listener->sd &&
            apr_os_sock_get(&descriptor, listener->sd) == APR_SUCCESS)
            shutdown(descriptor, SHUT_RDWR);
    }
}

/* ---- requests in progress ---- */

static atomic_int watching, requests, ending;

/* An answer has left by then. */
static apr_status_t request_end(void *unused)
{
    (void)unused;
    atomic_fetch_sub(&requests, 1);
    return APR_SUCCESS;
}

int condreq_orphan_request(request_rec *r)
{
    if (!atomic_load_explicit(&watching, memory_order_relaxed))
        return DECLINED;
    atomic_fetch_add(&requests, 1);
    apr_pool_cleanup_register(r->pool, NULL, request_end,
                              apr_pool_cleanup_null);
    /* As if it had come to a closed connection, which it very nearly did. */
    return atomic_load(&ending) ? HTTP_SERVICE_UNAVAILABLE : DECLINED;
}

static void await_requests(void)
{
    int idle_ms = 0;

    while (idle_ms < IDLE_UNTIL_END_MS) {
        poll(NULL, 0, COUNT_MS);
        idle_ms = atomic_load(&requests) ? 0 : idle_ms + COUNT_MS;
    }
}

/* Either we see the request or it sees that we end. */
static void end_when_idle(void)
{
    for (;;) {
        await_requests();
        atomic_store(&ending, 1);
        if (atomic_load(&requests) == 0)
            _exit(0);
        atomic_store(&ending, 0);
    }
}

/* ---- the watch: a thread ---- */

static void *await_parents_death(void *parent_ptr)
{
    pid_t parent = (pid_t)(apr_uintptr_t)parent_ptr;
    struct pollfd polled = {(int)syscall(SYS_pidfd_open, parent, 0), POLLIN, 0};

    /* A look now and then is for kernels before 5.3; the others tell. */
    while (getppid() == parent)
        poll(&polled, 1, polled.fd < 0 ? LOOK_MS : -1);
    shut_down_listeners();
    end_when_idle();
    return NULL;
}

/* It must take none of the signals that httpd's own threads wait for. */
static int start_thread(pid_t parent)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t thread;
    int failed;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    failed = pthread_create(&thread, &attributes, await_parents_death,
                            (void *)(apr_uintptr_t)parent);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

/* ---- the watch: a signal ---- */

/* Prefork's children end from within the handler of SIGTERM, wherever it meets
 * them. With a second thread in the process the heap has locks, and one that
 * was met while it held one would wait for itself. So these are told by the
 * kernel. What the parent would send has the child end after its request. */
static void on_parents_death(int signal_number)
{
    (void)signal_number;
    shut_down_listeners();
    if (atomic_load(&requests) == 0)
        _exit(0);
    kill(getpid(), AP_SIG_GRACEFUL);
}

static int ask_for_signal(pid_t parent)
{
    struct sigaction action;
    sigset_t own;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_parents_death;
    sigemptyset(&own);
    sigaddset(&own, SIGRTMIN);
    pthread_sigmask(SIG_UNBLOCK, &own, NULL);
    if (sigaction(SIGRTMIN, &action, NULL) != 0 ||
        prctl(PR_SET_PDEATHSIG, SIGRTMIN) != 0)
        return errno;
    if (getppid() != parent)
        raise(SIGRTMIN);
    return 0;
}

static int is_threaded(void)
{
    int threaded = AP_MPMQ_NOT_SUPPORTED;

    return ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded) != APR_SUCCESS ||
           threaded != AP_MPMQ_NOT_SUPPORTED;
}

void condreq_orphan_watch(pid_t parent, server_rec *main_server)
{
    int failed;

    /* Under -X the parent serves by itself; and systemd's sockets are not
     * ours to shut down, nor would it leave us behind. */
    if (parent == getpid() || getenv("LISTEN_FDS"))
        return;
    failed = is_threaded() ? start_thread(parent) : ask_for_signal(parent);
    atomic_store(&watching, !failed);
    if (failed)
        ap_log_error(APLOG_MARK, APLOG_WARNING, failed, main_server,
                     CONDREQ_LOGNO(1103) "this child cannot watch its parent");
}
