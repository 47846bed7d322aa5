/* effects.h: how an option takes effect, from its table row alone. */

#ifndef CORE_OPTIONS_EFFECTS_H
#define CORE_OPTIONS_EFFECTS_H

#include "core/opening/opening.h"
#include <modcat/driver.h>

/* Carries out one option on `fd`. Returns 0, 1 (a peer is refused), or -1 after reporting. */
int effects_carry_out(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                      const struct modcat_value *value);

/* The flags of open(2) as an option of MODCAT_OPEN_FLAG or MODCAT_STATUS_FLAG changes them. */
int effects_flags(int flags, const struct modcat_option *option, const struct modcat_value *value);

#endif
