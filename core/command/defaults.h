/* defaults.h: the settings as they are before the first option: the program's own defaults, then
 * what the environment says. */

#ifndef CORE_COMMAND_DEFAULTS_H
#define CORE_COMMAND_DEFAULTS_H

#include "core/base/settings.h"

/* Puts the defaults into *settings, which is otherwise left as it is. Variables begin with MODCAT_
 * or SOCAT_, the first one wins; with raised privileges there are none. A value that makes no
 * sense is warned about and passed over. */
void defaults_set(struct settings *settings);

#endif
