/* sockaddr.h: socket addresses as text and in parts. */

#ifndef CORE_BASE_SOCKADDR_H
#define CORE_BASE_SOCKADDR_H

#include <modcat/net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Holds any host part: a UNIX path of which each byte is escaped. */
#define SOCKADDR_HOST_TEXT 512

/* Renders the part of an address that names the host or the file, as child programs get it in
 * their environment: "127.0.0.1", "[0000:...:0001]", a path, "<anon>". Returns `text`. */
const char *sockaddr_host_text(const struct sockaddr *address, socklen_t length,
                               char text[SOCKADDR_HOST_TEXT]);

/* Below this, a port needs a privilege, unless the system is set otherwise. */
#define SOCKADDR_PRIVILEGED_PORTS 1024

/* Renders an address as people write it: "127.0.0.1:80", "[::1]:80", "port 80" for any address of
 * the host, a path; what has no such form as modcat_sockaddr_text() does. Returns `text`. */
#define SOCKADDR_PLAIN_TEXT SOCKADDR_HOST_TEXT
const char *sockaddr_plain_text(const struct modcat_sockaddr *address,
                                char text[SOCKADDR_PLAIN_TEXT]);

/* The port of an IP or VSOCK address in host byte order, or -1 where there is none. */
long long sockaddr_port(const struct sockaddr *address, socklen_t length);

/* Sets the port of an IP address; other families stay as they are. */
void sockaddr_set_port(struct modcat_sockaddr *address, uint16_t port);

/* Fills in the wildcard address of a family, port 0. Returns false when the family has none. */
bool sockaddr_wildcard(int family, struct modcat_sockaddr *address);

/* Copies an address, cutting what does not fit. */
void sockaddr_copy(struct modcat_sockaddr *to, const struct sockaddr *from, socklen_t length);

/* The bytes of an address that say where it is, without family and port: the IP address, or
 * sa_data where nothing more is known. Returns their count, 0 where there are none. */
size_t sockaddr_bytes(const struct sockaddr *address, socklen_t length, const uint8_t **bytes);

/* True for two addresses that name the same end: host and port of IP, the name of UNIX sockets, all
 * bytes of others. */
bool sockaddr_same(const struct modcat_sockaddr *one, const struct modcat_sockaddr *other);

#endif
