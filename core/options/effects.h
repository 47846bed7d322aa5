/* effects.h: how an option takes effect, from its table row alone. */

#ifndef CORE_OPTIONS_EFFECTS_H
#define CORE_OPTIONS_EFFECTS_H

#include "core/opening/opening.h"
#include <modcat/driver.h>

/* Carries out one option on `fd`. Returns 0, 1 (a peer is refused), or -1 after reporting. */
int effects_carry_out(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                      const struct modcat_value *value);

/* Reports that an option failed: "cannot set option NAME=VALUE: REASON [CALL]", the option as the
 * user wrote it. A `reason` of NULL stands for errno. Returns -1, errno kept. */
int effects_fail(const struct modcat_opening *opening, const struct modcat_option *option,
                 const struct modcat_value *value, const char *reason, const char *call, ...)
    __attribute__((format(printf, 5, 6)));

/* The flags of open(2) as an option of MODCAT_OPEN_FLAG or MODCAT_STATUS_FLAG changes them. */
int effects_flags(int flags, const struct modcat_option *option, const struct modcat_value *value);

#endif
