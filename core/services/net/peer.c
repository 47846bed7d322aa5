/* Who is at the other end: kept with the opening, and told to the programs that it starts. */

#include "core/base/sockaddr.h"
#include "core/opening/opening.h"

#include <stdio.h>

static void tell_address(struct modcat_opening *opening, const struct modcat_sockaddr *address,
                         const char *host_name, const char *port_name)
{
    char host[SOCKADDR_HOST_TEXT], port[24];
    long long number = sockaddr_port(&address->u.any, address->length);
    sockaddr_host_text(&address->u.any, address->length, host);
    modcat_setenv(opening, host_name, host);
    /* Raw IP sockets have addresses with port 0, which means nothing. */
    if (number > 0) {
        snprintf(port, sizeof port, "%lld", number);
        modcat_setenv(opening, port_name, port);
    }
}

void modcat_set_peer(struct modcat_opening *opening, const struct sockaddr *peer,
                     socklen_t peer_length, const struct sockaddr *local, socklen_t local_length)
{
    sockaddr_copy(&opening->peer, peer, peer_length);
    tell_address(opening, &opening->peer, "PEERADDR", "PEERPORT");
    if (local == NULL)
        return;
    sockaddr_copy(&opening->local, local, local_length);
    tell_address(opening, &opening->local, "SOCKADDR", "SOCKPORT");
}

const struct sockaddr *modcat_peer(const struct modcat_opening *opening, socklen_t *length)
{
    while (opening->peer.length == 0 && opening->below != NULL)
        opening = opening->below;
    *length = opening->peer.length;
    return opening->peer.length > 0 ? &opening->peer.u.any : NULL;
}
