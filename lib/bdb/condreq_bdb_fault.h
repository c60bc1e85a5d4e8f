/* Points at which the crash driver of t/crash kills, and what it switches off
 * to prove that it would notice. Nothing in the module: the macros are empty
 * unless CONDREQ_FAULTS is defined. */
#ifndef CONDREQ_BDB_FAULT_H
#define CONDREQ_BDB_FAULT_H

#ifdef CONDREQ_FAULTS
/** Does not return where the driver has chosen this point. */
void condreq_fault(const char *point);
/** Is a protection switched off? */
int condreq_fault_unprotected(void);
#define CONDREQ_FAULT(point) condreq_fault(point)
#define CONDREQ_UNPROTECTED() condreq_fault_unprotected()
#else
#define CONDREQ_FAULT(point) ((void)0)
#define CONDREQ_UNPROTECTED() 0
#endif

#endif
