/* httpd's parent hears of a child's death at once.
 * Knows one signal; no store, no request.
 *
 * The parent of httpd's children looks for dead ones, then sleeps for a second.
 * A signal that nobody handles does not end that sleep; this handler does
 * nothing, and ends it. Where a crash has taken all children, or those behind it
 * that were stuck, this second is most of the time without service. */
#include "mod_condreq.h"

#include <signal.h>

static void on_childs_death(int signal_number)
{
    (void)signal_number;
}

/* Calls that are not a sleep go on by themselves. */
static void set_handler(void (*handler)(int))
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigaction(SIGCHLD, &action, NULL);
}

/* A restart unloads the module, and the handler with it. */
static apr_status_t reaper_end(void *unused)
{
    (void)unused;
    set_handler(SIG_DFL);
    return APR_SUCCESS;
}

/* Where somebody else listens, the sleep ends anyway. */
static int is_heard(void)
{
    struct sigaction action;

    return sigaction(SIGCHLD, NULL, &action) != 0 ||
           action.sa_handler != SIG_DFL;
}

/* A child's own sleeps are nobody's business. */
void condreq_reaper_forget(void)
{
    struct sigaction action;

    if (sigaction(SIGCHLD, NULL, &action) == 0 &&
        action.sa_handler == on_childs_death)
        set_handler(SIG_DFL);
}

void condreq_reaper_begin(apr_pool_t *pconf)
{
    if (is_heard())
        return;
    set_handler(on_childs_death);
    apr_pool_cleanup_register(pconf, NULL, reaper_end, apr_pool_cleanup_null);
}
