/* guard.h: keeps a driver that crashes while it is loaded from looking like a crash of the program.
 * Drivers run in this process, so that nothing more than a message can be saved. */

#ifndef CORE_REGISTRY_GUARD_H
#define CORE_REGISTRY_GUARD_H

/* From begin to end, a crash (SIGSEGV, SIGABRT, ...) or a call of exit(3) is reported as the fault
 * of the driver in this file, and ends the program with status 1. They do not nest. */
void guard_begin(const char *path);
void guard_end(void);

#endif
