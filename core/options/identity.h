/* identity.h: the root folder, the groups and the user that a process takes on for good.
 *
 * The options of one phase only say what they want. It is done at the end of the phase, in the one
 * order that works: the root folder, supplementary groups, group, user. What is done stays done in
 * this process and those that it forks, however often an address is opened again. */

#ifndef CORE_OPTIONS_IDENTITY_H
#define CORE_OPTIONS_IDENTITY_H

#include "core/options/account.h"
#include <stdbool.h>

struct modcat_opening;

/* Carries out what the options of a phase wanted. Returns 0, or -1 after reporting: the process may
 * have changed in part, and whatever needs the change must not go on.
 * Counterparts: chroot(2), setgroups(2), setresgid(2), setresuid(2). */
int identity_settle(struct modcat_opening *opening);

/* Becomes the user of an account for good: supplementary groups, group, user, and the variables
 * USER, LOGNAME, HOME and SHELL of child programs. Returns 0, or -1 after reporting. */
int identity_take(struct modcat_opening *opening, const struct account *account);

/* How often the root folder has been changed. */
unsigned identity_roots(void);

#endif
