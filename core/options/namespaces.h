/* namespaces.h: the network namespaces that addresses are opened in. What they and our own are
 * called leads to them in the root folder of the start only: once it has changed, those that were
 * open before count. */

#ifndef CORE_OPTIONS_NAMESPACES_H
#define CORE_OPTIONS_NAMESPACES_H

#include <stdbool.h>

struct session;

/* Keeps open what the addresses of a session name, as far as it is there yet, and our own. */
void namespaces_open(const struct session *session);

/* Enters a namespace: one of ip-netns(8), or a path. Returns 0, or -1 after reporting. */
int namespaces_enter(const char *name);

/* Goes back to our own. Returns 0, or -1 after reporting. */
int namespaces_leave(void);

#endif
