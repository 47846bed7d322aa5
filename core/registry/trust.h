/* trust.h: whether a file may say or do something in this program. */

#ifndef CORE_REGISTRY_TRUST_H
#define CORE_REGISTRY_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* True when a file or folder belongs to root or to the user and others can't write it; where it is
 * not, `reason` says why. */
bool trust_status(const struct stat *status, char *reason, size_t reason_size);

/* True when the program runs with more privileges than its caller. */
bool trust_raised_privileges(void);

#endif
