/* Death at a chosen point, inside httpd: what the store's test hook calls in
 * the module that is built for the drivers.
 * Knows the board that the driver writes; each process maps it at its first
 * call, and without one nothing happens. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "apr_pools.h"

#include "condreq_bdb.h"
#include "condreq_bdb_fault.h"
#include "condreq_bdb_keeper.h"
#include "fault_board.h"

static fault_board_t *board;
static pthread_once_t board_once = PTHREAD_ONCE_INIT;

static void map_board(void)
{
    const char *name = getenv(FAULT_BOARD_VARIABLE);
    int descriptor = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
    void *mapped = MAP_FAILED;

    if (descriptor >= 0) {
        mapped = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED,
                      descriptor, 0);
        close(descriptor);
    }
    board = mapped == MAP_FAILED ? NULL : mapped;
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The keeper's work, done by one that it did not ask. */
static void condemn(void)
{
    condreq_trouble_t trouble;
    bdb_control_t *control;
    bdb_places_t places;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    if (bdb_control_map(&control, board->store, BDB_WORKER, &trouble, pool))
        abort();
    bdb_control_condemn(control, atomic_load(&control->file->word),
                        BDB_CONDEMNED_BY_DEATH);
    bdb_control_unmap(control);
    if (board->action == FAULT_PANIC &&
        (bdb_places_find(&places, board->store, &trouble, pool) ||
         !bdb_region_panic(places.regions, pool)))
        abort();
    apr_pool_destroy(pool);
}

/* Am I the one that it is meant for? */
static int is_struck(const char *point)
{
    int32_t before = atomic_load_explicit(&board->armed, memory_order_acquire);

    if (before <= 0 || strcmp(board->point, point) != 0)
        return 0;
    while (before > 0)
        if (atomic_compare_exchange_weak(&board->armed, &before, before - 1))
            return before == 1;
    return 0;
}

void condreq_fault(const char *point)
{
    pthread_once(&board_once, map_board);
    if (!board || !is_struck(point))
        return;
    atomic_store(&board->struck_us, now_us());
    if (board->action != FAULT_DIE) {
        condemn();
        return;
    }
    kill(getpid(), board->signal);
    pause();
}

int condreq_fault_unprotected(void)
{
    pthread_once(&board_once, map_board);
    return board && board->unprotected;
}
