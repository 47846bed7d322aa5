/* Who is at the other end: kept with the opening, and told to the programs that it starts. */

#include "core/services/net/peer.h"

#include "core/base/sockaddr.h"
#include "core/opening/session_state.h"
#include "core/services/net/socket.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static bool is_same_host(const struct modcat_sockaddr *one, const struct modcat_sockaddr *other)
{
    const uint8_t *one_bytes, *other_bytes;
    if (one->length == 0 || one->u.any.sa_family == AF_UNIX)
        return false;
    size_t length = sockaddr_bytes(&one->u.any, one->length, &one_bytes);
    return length > 0 && length == sockaddr_bytes(&other->u.any, other->length, &other_bytes) &&
           memcmp(one_bytes, other_bytes, length) == 0;
}

void peer_note(struct modcat_opening *opening, const struct modcat_sockaddr *peer,
               const struct modcat_sockaddr *local)
{
    opening->peer_place = is_same_host(local, peer) ? PEER_HERE : PEER_ELSEWHERE;
}

bool peer_is_here(const struct modcat_opening *opening, int fd)
{
    struct modcat_sockaddr own, peer = {.length = sizeof peer.u.storage};
    if (opening->peer_place != PEER_UNKNOWN)
        return opening->peer_place == PEER_HERE;
    socket_own_address(fd, &own);
    return getpeername(fd, &peer.u.any, &peer.length) == 0 && is_same_host(&own, &peer);
}

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

static const struct sockaddr *known(const struct modcat_sockaddr *address, socklen_t *length)
{
    *length = address->length;
    return address->length > 0 ? &address->u.any : NULL;
}

/* The highest level, from this one down, that knows its peer; or the lowest. */
static const struct modcat_opening *with_peer(const struct modcat_opening *opening)
{
    while (opening->peer.length == 0 && opening->below != NULL)
        opening = opening->below;
    return opening;
}

const struct sockaddr *modcat_peer(const struct modcat_opening *opening, socklen_t *length)
{
    return known(&with_peer(opening)->peer, length);
}

const struct sockaddr *modcat_own_address(const struct modcat_opening *opening, socklen_t *length)
{
    return known(&with_peer(opening)->local, length);
}

/* Of an address with a half for each direction, the one that is read from counts. */
static const struct modcat_opening *other_opening(const struct modcat_opening *opening)
{
    const struct opened *other = session_other(opening);
    return other != NULL ? other->opening : NULL;
}

const struct sockaddr *modcat_other_peer(const struct modcat_opening *opening, socklen_t *length)
{
    const struct modcat_opening *other = other_opening(opening);
    *length = 0;
    return other != NULL ? modcat_peer(other, length) : NULL;
}

const struct sockaddr *modcat_other_own_address(const struct modcat_opening *opening,
                                                socklen_t *length)
{
    const struct modcat_opening *other = other_opening(opening);
    *length = 0;
    return other != NULL ? modcat_own_address(other, length) : NULL;
}
