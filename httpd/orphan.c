/* What a child does when its parent was killed: it takes no new connection, so
 * that the port is free for the next httpd, and ends by itself once its
 * requests are answered. Children that take too long are ended by the stores'
 * keepers.
 * Knows processes and listening sockets, and no store.
 *
 * httpd's MPMs only learn that their parent is gone when they write to it, and
 * until then they serve on. They do look at what accept() says: one on a
 * socket that was shut down fails, and a child whose listener fails ends as
 * gracefully as for a restart, whichever MPM it is of. */
#include "mod_condreq.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ap_listen.h"
#include "apr_portable.h"

#define STACK_BYTES (64 * 1024)
#define LOOK_MS 1000

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

static void *await_parents_death(void *parent_ptr)
{
    pid_t parent = (pid_t)(apr_uintptr_t)parent_ptr;
    struct pollfd polled = {(int)syscall(SYS_pidfd_open, parent, 0), POLLIN, 0};

    /* A look now and then is for kernels before 5.3; the others tell. */
    while (getppid() == parent)
        poll(&polled, 1, polled.fd < 0 ? LOOK_MS : -1);
    shut_down_listeners();
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

void condreq_orphan_watch(pid_t parent, server_rec *main_server)
{
    int failed;

    /* Under -X the parent serves by itself; and systemd's sockets are not
     * ours to shut down, nor would it leave us behind. */
    if (parent == getpid() || getenv("LISTEN_FDS"))
        return;
    failed = start_thread(parent);
    if (failed)
        ap_log_error(APLOG_MARK, APLOG_WARNING, failed, main_server,
                     CONDREQ_LOGNO(1103) "this child cannot watch its parent");
}
