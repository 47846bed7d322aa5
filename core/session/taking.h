/* taking.h: programs that are slow to take their input. Option -t is about what the other direction
 * may still say: a program that goes on to take what it was sent is not asked to end meanwhile. */

#ifndef CORE_SESSION_TAKING_H
#define CORE_SESSION_TAKING_H

#include "core/opening/session_state.h"
#include <stddef.h>

/* How long it may take nothing before it is asked to end all the same. */
#define TAKING_PATIENCE (5 * MODCAT_SECOND)

/* How many bytes the program behind a sink has not taken yet, as far as can be known; 0 where there
 * is no program, it has ended, or it goes on by itself and keeps what it has not read. */
size_t taking_left(const struct opened *sink);

/* Takes note whether somebody has read any of so many bytes that were written to a terminal. */
void taking_note_reader(const struct opened *sink, unsigned long long written);

/* Before the end of a program's input is closed: keeps what tells how much of it is left. */
void taking_watch(struct opened *sink);
void taking_forget(struct opened *sink);

#endif
