/* What the driver and the module that it kills share: one small file, mapped
 * by both, which says what happens to whom at which point of the store. */
#ifndef FAULT_BOARD_H
#define FAULT_BOARD_H

#include <stdatomic.h>
#include <stdint.h>

/** The environment variable that names the file. */
#define FAULT_BOARD_VARIABLE "CONDREQ_FAULT_BOARD"

typedef enum fault_action_t {
    /** the process dies of a signal */
    FAULT_DIE = 0,
    /** the store's generation is condemned under it, and it goes on */
    FAULT_CONDEMN = 1,
    /** and its regions are marked, so that the library's calls fail */
    FAULT_PANIC = 2
} fault_action_t;

/* t/restarts/unanswered.t writes these bytes by their places. */
typedef struct fault_board_t {
    /** how many have yet to pass the point: the last one is struck; 0: none */
    _Atomic(int32_t) armed;
    int32_t action;
    int32_t signal;
    /** the store's protection is off */
    int32_t unprotected;
    /** when it struck, by CLOCK_MONOTONIC */
    _Atomic(int64_t) struck_us;
    char point[48];
    /** the store's directory */
    char store[256];
} fault_board_t;

#endif
