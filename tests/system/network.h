/* network.h: network namespaces that a test makes itself, and their interfaces. They take root. */

#ifndef TESTS_SYSTEM_NETWORK_H
#define TESTS_SYSTEM_NETWORK_H

#include "tests/system/harness.h"

/* Enters a new namespace with the loopback up and without IPv6 chatter; skips the test where that
 * is not allowed. The test and what it starts stay there. Returns a descriptor for
 * network_enter(). */
int network_new(struct harness *harness);
/* Goes (back) to such a namespace. */
void network_enter(struct harness *harness, int network);

/* Runs ip(8) with these arguments; skips the test where it is missing. */
void network_ip(struct harness *harness, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The flags of an interface, IFF_UP and more; 0 where there is none of that name. */
unsigned network_flags(const char *name);
/* The longest packet of an interface; 0 where there is none of that name. */
int network_mtu(const char *name);
/* Waits until an interface that is up passes packets on, which takes the kernel a moment. */
void network_await(struct harness *harness, const char *name);
/* The IPv4 address of an interface, or its netmask, in host byte order; 0: none. */
unsigned long network_address(const char *name);
unsigned long network_mask(const char *name);

/* A packet socket on an interface, which sends and receives its frames. */
int network_frames(struct harness *harness, const char *name);

#endif
