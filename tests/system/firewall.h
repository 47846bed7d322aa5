/* firewall.h: refuses all that is sent in the network of the test, as a firewall does: the sender
 * gets EPERM. For a network of the test's own only. */

#ifndef TESTS_SYSTEM_FIREWALL_H
#define TESTS_SYSTEM_FIREWALL_H

#include "tests/system/harness.h"

/* Begins; skips the test where the kernel has no nf_tables. Ends. */
void firewall_close(struct harness *harness);
void firewall_open(struct harness *harness);

#endif
