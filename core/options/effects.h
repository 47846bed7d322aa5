/* effects.h: how an option takes effect, from its table row alone. */

#ifndef CORE_OPTIONS_EFFECTS_H
#define CORE_OPTIONS_EFFECTS_H

#include "core/opening/opening.h"
#include <modcat/driver.h>

/* The core's own effect besides those of enum modcat_effect: the value is stored in
 * struct opening_settings at offset `major`, as the C type that belongs to the value's type
 * (BOOL: bool, CONST: int, which becomes `minor`, STRING: const char *, TIMEVAL and TIMESPEC:
 * long long, INT: int, UINT: unsigned, SIZE: size_t). It happens when the opening begins. */
#define EFFECT_SETTING ((enum modcat_effect)1000)
#define OPENING_SETTING(member)                                                                    \
    .effect = EFFECT_SETTING, .major = offsetof(struct opening_settings, member)

/* Carries out one option on `fd`. Returns 0, 1 (a peer is refused), or -1 after reporting. */
int effects_carry_out(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                      const struct modcat_value *value);

/* The flags of open(2) as an option of MODCAT_OPEN_FLAG or MODCAT_STATUS_FLAG changes them. */
int effects_flags(int flags, const struct modcat_option *option, const struct modcat_value *value);

/* Stores a value as EFFECT_SETTING says. */
void effects_store(struct opening_settings *settings, const struct modcat_option *option,
                   const struct modcat_value *value);

#endif
