/* hint.h: why the kernel refuses a socket: the error's text, and what is missing or can be done. */

#ifndef CORE_BASE_HINT_H
#define CORE_BASE_HINT_H

#include <modcat/net.h>

#define HINT_TEXT 256

/* Why socket(2) failed: "Operation not permitted (needs the capability CAP_NET_RAW)". errno is
 * kept. Returns `text`. */
const char *hint_socket(const struct modcat_transport *transport, char text[HINT_TEXT]);

/* The same for bind(2). */
const char *hint_bind(int fd, const struct modcat_sockaddr *local, char text[HINT_TEXT]);

/* The same for setsockopt(2). */
const char *hint_sockopt(int level, int name, char text[HINT_TEXT]);

#endif
