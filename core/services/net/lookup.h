/* lookup.h: getaddrinfo(3) without blocking the program, and without a thread where host and
 * service are numbers. */

#ifndef CORE_SERVICES_NET_LOOKUP_H
#define CORE_SERVICES_NET_LOOKUP_H

#include <modcat/driver.h>
#include <netdb.h>

/* What to look up. */
struct lookup {
    const char *host;    /* NULL: the wildcard or the loopback address, see AI_PASSIVE */
    const char *service; /* number or name; NULL: port 0 */
    int flags;           /* of getaddrinfo(3) */
    int family;          /* for names; AF_UNSPEC: all */
    int number_family;   /* for hosts that are written as numbers */
    int socktype;        /* of the results */
    int protocol;        /* of the results */
};

/* Looks up. Returns 0 with a list to be freed with freeaddrinfo(3), an EAI_ code (EAI_SYSTEM: see
 * errno), or -1000 with errno ECANCELED when the program is asked to end. */
int lookup_run(struct modcat_opening *opening, const struct lookup *lookup,
               struct addrinfo **result);
#define LOOKUP_CANCELED (-1000)

#endif
