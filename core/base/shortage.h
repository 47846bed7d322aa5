/* shortage.h: what the system may be short of for a while: a server goes on then, after a pause,
 * and says so once a second. */

#ifndef CORE_BASE_SHORTAGE_H
#define CORE_BASE_SHORTAGE_H

#include <modcat/driver.h>
#include <stdbool.h>

/* How long to wait before another try. */
#define SHORTAGE_PAUSE (MODCAT_SECOND / 10)

/* True for errors of calls for which the system, or a limit, leaves no descriptor or memory.
 */
bool shortage_is_meant(int error);

/* True once a second: for a warning that may be due again and again. Starts with *quiet_until 0. */
bool shortage_may_warn(long long *quiet_until);

#endif
