/* signals.h: what signals do to the program. They are blocked, and read from a descriptor that
 * core/base/wait.c, the one place where the program waits, waits for too: so none is lost, and a
 * relay that never has to wait sees them all the same. */

#ifndef CORE_BASE_SIGNALS_H
#define CORE_BASE_SIGNALS_H

#include <stdbool.h>

/* The set of signals that end the program with a message, as for option -S: bit N is signal N. */
#define SIGNALS_DEFAULT_MASK 0x89deUL

/* Blocks the signals of the mask, and all others that would end the program without the work of its
 * end, and opens their descriptor. Of the others those stay as they are that are ignored already.
 * Ignores SIGPIPE and SIGXFSZ: what fails for them is reported. Returns 0, or -1 after
 * reporting. */
int signals_start(unsigned long mask);

/* Restores actions and mask as they were at start, for a child program. */
void signals_restore(void);

/* Readable when a signal has come; -1 before signals_start(). */
int signals_fd(void);

/* Takes note of the signals that have come. */
void signals_collect(void);

/* The signal that asks the program to end, 0 when there is none. Logs it the first time it is
 * seen, where it is in the mask. A program that ends for it exits with 128 plus its number. */
int signals_ending(void);

/* Gives the program this time to end by itself after the first signal that asks it to end; a second
 * one ends it at once. From then on signals_draining() is that signal, not 0, and logs it once, and
 * signals_drain_deadline() is when the time is over, not MODCAT_FOREVER. Waiting has to end by
 * then. */
void signals_set_drain(long long time);
int signals_draining(void);
long long signals_drain_deadline(void);

/* Ends that time: nothing is left to be done. */
void signals_end_drain(void);

/* The last thing that a program does which ends for a signal outside of the mask: it dies of it.
 * Returns where there is no such signal. */
void signals_end_by(void);

/* True when the program is asked to end, or is about to see that it is: cheap, and without any
 * effect. */
bool signals_end_pending(void);

/* Diverts a signal that would end the program, or lets it end the program again. A diverted one
 * only makes signals_take_diverted() true, once for each delivery since the last call. */
void signals_divert(int number, bool on);
bool signals_take_diverted(int number);

/* True once for each delivery since the last call: a child ended; statistics are wanted; the window
 * of the program's terminal may have another size. */
bool signals_take_child(void);
bool signals_take_statistics(void);
bool signals_take_resized(void);

#endif
