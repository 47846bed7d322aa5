/* network.h: networks as parameters, "10.0.0.1/24" and "[fd00::1]/64". */

#ifndef CORE_ADDRESS_NETWORK_H
#define CORE_ADDRESS_NETWORK_H

#include "core/address/address.h"

/* Checks that there are a host and the bits of its netmask; the host is not looked up. `place` is
 * that of the text. Returns 0, or -1 with *error. */
int network_check(const char *text, struct place place, struct address_error *error);

#endif
