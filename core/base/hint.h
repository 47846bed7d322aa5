/* hint.h: what is missing when the kernel refuses a socket: support for a protocol, or a privilege.
 */

#ifndef CORE_BASE_HINT_H
#define CORE_BASE_HINT_H

#include <modcat/net.h>

#define HINT_TEXT 160

/* What to add to the message of a failed socket(2), with a leading blank: " (needs the capability
 * CAP_NET_RAW)"; empty where errno says it all. errno is kept. Returns `text`. */
const char *hint_socket(const struct modcat_transport *transport, char text[HINT_TEXT]);

/* The same for bind(2). */
const char *hint_bind(const struct modcat_sockaddr *local, char text[HINT_TEXT]);

/* The same for setsockopt(2). */
const char *hint_sockopt(int level, int name, char text[HINT_TEXT]);

#endif
