/* resolve.h: hosts and services to addresses, for the core's own needs. See also
 * modcat_resolve(). */

#ifndef CORE_SERVICES_NET_RESOLVE_H
#define CORE_SERVICES_NET_RESOLVE_H

#include <modcat/net.h>
#include <netdb.h>

/* Resolves the own address that option bind names, of every family that it has: no version is
 * preferred. Either of `host` and `service` may be NULL. Returns as modcat_resolve(). */
int resolve_own(struct modcat_opening *opening, const struct modcat_transport *transport,
                const char *host, const char *service, struct addrinfo **result);

/* Resolves a host to one IP address: 4 bytes for AF_INET, 16 for AF_INET6, in network order.
 * Returns 0, or -1 after reporting. */
int resolve_address(struct modcat_opening *opening, int family, const char *host, void *address);

/* Moves the addresses of a family to the front; each part keeps its order. Returns the new list. */
struct addrinfo *resolve_prefer(struct addrinfo *list, int family);

/* The family that the letter of a preference stands for: '4', '6', or AF_UNSPEC. */
int resolve_version_family(char version);

#endif
