/* local.h: which own address a client connects from: options bind, sourceport and lowport. */

#ifndef CORE_SERVICES_NET_LOCAL_H
#define CORE_SERVICES_NET_LOCAL_H

#include <modcat/net.h>
#include <netdb.h>
#include <stdbool.h>

/* What the options ask for. */
struct local_choice {
    struct addrinfo *hosts; /* of option bind, or NULL: any */
    const char *text;       /* of option bind, or NULL */
    long long port;         /* of option sourceport, or -1 */
    bool low;               /* a free port of 640 to 1023 */
};

/* Splits "host", "host:port", ":port", "[host]:port" into two texts to be freed; NULL where there
 * is none. */
void local_split(const char *text, char **host, char **port);

/* Reads the options, and resolves the host of bind. Returns 0, or -1 after reporting. */
int local_choose(struct modcat_opening *opening, const struct modcat_transport *transport,
                 struct local_choice *choice);
void local_free(struct local_choice *choice);

/* The address to bind before connecting to a peer of this family; of length 0 when nothing is
 * asked for. Returns 0, or -1 when none is of this family. */
int local_for_family(const struct local_choice *choice, int family,
                     struct modcat_sockaddr *address);

/* The address of a server: the service on the host of option bind, or on the wildcard; of length 0
 * with neither. `actual` becomes the transport with the family of that address. Returns 0, or -1
 * after reporting. */
int local_for_service(struct modcat_opening *opening, const struct modcat_transport *transport,
                      const char *service, struct modcat_transport *actual,
                      struct modcat_sockaddr *address);

#endif
