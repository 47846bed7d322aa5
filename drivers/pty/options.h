/* options.h: the groups of options that the driver registers. */

#ifndef DRIVERS_PTY_OPTIONS_H
#define DRIVERS_PTY_OPTIONS_H

#include <modcat/driver.h>

#define PTY_GROUP_COUNT 2

extern const struct modcat_option_group pty_groups[PTY_GROUP_COUNT];

#endif
