/* system_log.h: messages for syslog(3). A daemon that stalls must not hold the program: what it
 * does not take in a moment is lost and counted. */

#ifndef CORE_BASE_SYSTEM_LOG_H
#define CORE_BASE_SYSTEM_LOG_H

#include <stddef.h>

#define SYSTEM_LOG_NONE (-1)

/* The number of a facility (of "daemon" for NULL and ""), or SYSTEM_LOG_NONE with errno where there
 * is none of this name. */
int system_log_facility(const char *name);

/* Names program, which must stay alive, and facility of what follows. */
void system_log_open(const char *program, int facility);

/* Sends a message of a priority of syslog(3), behind the letter of its severity, if any, and after
 * one that says what has been lost before. */
#define SYSTEM_LOG_NO_LETTER '\0'
void system_log_put(int priority, char letter, const char *text);

/* At the end of the program: says what was lost, if that is possible by now. */
void system_log_finish(void);

/* What is said about messages that were lost, here and elsewhere. */
#define SYSTEM_LOG_LOSS_MAX 100
void system_log_loss_text(char text[SYSTEM_LOG_LOSS_MAX], unsigned long lost);

#endif
