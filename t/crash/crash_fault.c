/* Death at a chosen point: what the store's test hook calls in this driver.
 * Knows the board alone. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "condreq_bdb_fault.h"
#include "crash.h"

/* The first that takes the point dies of it; the others go on. */
void condreq_fault(const char *point)
{
    int armed = 1;

    if (!board ||
        !atomic_load_explicit(&board->fault_armed, memory_order_acquire) ||
        strcmp(board->fault_point, point) != 0 ||
        !atomic_compare_exchange_strong(&board->fault_armed, &armed, 0))
        return;
    atomic_store(&board->fault_at_us, crash_now_us());
    kill(getpid(), SIGKILL);
    pause();
}

int condreq_fault_unprotected(void)
{
    return options.unprotected;
}
