/* outlet.h: the descriptor that log lines are written to. A reader that stalls, or a full disk,
 * must not hold the program: what can't be written within a short time is lost and counted. A line
 * that was begun is finished before another one, so that none is cut. */

#ifndef CORE_BASE_OUTLET_H
#define CORE_BASE_OUTLET_H

#include <stddef.h>

/* No line is longer than this. */
#define OUTLET_LINE_MAX 8192

/* The descriptor, -1: none; standard error at first. An earlier one of a file is closed,
 * and what it has lost is forgotten. */
int outlet_fd(void);
void outlet_set(int fd);

/* Makes a line that says how many lines were lost. Returns its length, 0 where it is not wanted. */
typedef size_t outlet_make_loss(char line[OUTLET_LINE_MAX], unsigned long lost);

/* Writes whole lines, after one that says what has been lost before. Where the outlet takes
 * nothing, the first call waits for a quarter of a second unless the program is asked to end;
 * later ones do not wait until something could be written. */
void outlet_write(const char *lines, size_t length, outlet_make_loss *make_loss);

/* At the end of the program: says what was lost, if that is possible by now. */
void outlet_finish(outlet_make_loss *make_loss);

/* From now on no line waits for a reader: it is written at once, or lost and counted. */
void outlet_hurry(void);

#endif
