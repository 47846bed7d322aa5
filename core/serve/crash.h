/* crash.h: says which session has crashed a process that serves many, and in which driver. */

#ifndef CORE_SERVE_CRASH_H
#define CORE_SERVE_CRASH_H

/* From now on a crash is reported before the process dies of it, with the session that ran, the
 * driver, and whether its stack was used up. */
void crash_report(void);

#endif
