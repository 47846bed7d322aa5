/* bind.h: gives a parsed address its meaning: finds its type and options in the registry, which
 * loads the drivers it needs, and parses the options' values. */

#ifndef CORE_ADDRESS_BIND_H
#define CORE_ADDRESS_BIND_H

#include "core/address/address.h"
#include "core/base/settings.h"

struct registry;

/* Parses and binds an argument. Returns the pair, to be freed with address_free(), or NULL after
 * reporting with the place in the address. */
struct address_pair *bind_argument(struct registry *registry, const struct settings *settings,
                                   const char *text);

#endif
