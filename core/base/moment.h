/* moment.h: system calls that may block, but for a moment only. A descriptor that other processes
 * share can't be switched to non-blocking, and what poll(2) has shown as ready may be taken by one
 * of them before the call. Between moment_start() and moment_stop() a timer interrupts whatever
 * blocks, again and again: that it strikes just before the call does no harm. */

#ifndef CORE_BASE_MOMENT_H
#define CORE_BASE_MOMENT_H

/* From here on, a call of the main thread that blocks fails with EINTR after about 20 ms. */
void moment_start(void);

/* Ends that. Returns how often the timer has struck. errno is kept. A SIGALRM of somebody else has
 * the effect that it has outside of moments. */
int moment_stop(void);

#endif
