/* Clients of UNIX sockets of any type. */

#define _GNU_SOURCE
#include "core/base/failure.h"
#include "core/base/memory.h"
#include "core/opening/opening.h"
#include "core/services/net/socket.h"
#include "core/services/net/unix.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Both ends of what is tried. */
struct ends {
    struct modcat_sockaddr peer;
    struct modcat_sockaddr local;
};

static struct modcat_transport transport_of(int socktype)
{
    return (struct modcat_transport){
        .size = sizeof(struct modcat_transport), .family = AF_UNIX, .socktype = socktype};
}

/* Datagram sockets are not connected, for a connected one hears nobody else. Whether there is a
 * receiver shows all the same by connecting one. */
static int find_receiver(struct modcat_opening *opening, const struct modcat_sockaddr *peer)
{
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, &peer->u.any, peer->length) == 0)
        return 0;
    return socket_connect_failed(opening, fd, peer, NULL);
}

static int try_stream(struct modcat_opening *opening, const struct ends *ends,
                      struct modcat_endpoint *endpoint)
{
    const struct modcat_transport transport = transport_of(SOCK_STREAM);
    return modcat_connect_to(opening, &transport, &ends->peer, &ends->local, false, endpoint);
}

static int try_packets(struct modcat_opening *opening, const struct ends *ends,
                       struct modcat_endpoint *endpoint)
{
    const struct modcat_transport transport = transport_of(SOCK_SEQPACKET);
    return modcat_connect_to(opening, &transport, &ends->peer, &ends->local, false, endpoint);
}

static int try_datagrams(struct modcat_opening *opening, const struct ends *ends,
                         struct modcat_endpoint *endpoint)
{
    const struct modcat_transport transport = transport_of(SOCK_DGRAM);
    if (find_receiver(opening, &ends->peer) < 0)
        return -1;
    return modcat_sendto(opening, &transport, &ends->peer, &ends->local, MODCAT_TARGET_ONLY,
                         endpoint);
}

/* In the order of likelihood. */
static int (*const tries[])(struct modcat_opening *opening, const struct ends *ends,
                            struct modcat_endpoint *endpoint) = {
    try_stream,
    try_packets,
    try_datagrams,
};

/* Abstract names of one type are unknown to the others. */
static bool is_of_another_type(int error, bool abstract)
{
    return error == EPROTOTYPE || (abstract && error == ECONNREFUSED);
}

/* Each try has all options: those that the last one used are given back. */
static int try_all(struct modcat_opening *opening, const struct ends *ends, bool abstract,
                   struct modcat_endpoint *endpoint)
{
    size_t size = opening->address->option_count * sizeof *opening->used;
    AUTO_FREE bool *used = memory_alloc(size);
    memcpy(used, opening->used, size);
    for (size_t i = 0; i < MODCAT_COUNT(tries); i++) {
        memcpy(opening->used, used, size);
        opening->tried = false;
        if (tries[i](opening, ends, endpoint) == 0)
            return 0;
        if (!opening->tried || !is_of_another_type(errno, abstract))
            return -1;
    }
    return -1;
}

/* Of the tries none was to be reported on its own. */
static void fail_client(struct modcat_opening *opening, const char *name,
                        const struct modcat_sockaddr *peer)
{
    char text[MODCAT_SOCKADDR_TEXT];
    modcat_fail_call(opening, "connect to", name, NULL, "connect(%s, %s, %u)",
                     failure_calls_come_first() ? "" : "...",
                     modcat_sockaddr_text(&peer->u.any, peer->length, text), peer->length);
}

int modcat_unix_client(struct modcat_opening *opening, const char *name, bool abstract,
                       struct modcat_endpoint *endpoint)
{
    struct ends ends;
    if (modcat_unix_address(opening, name, abstract, &ends.peer) < 0 ||
        modcat_unix_local(opening, abstract, &ends.local) < 0)
        return -1;
    opening->trying = true;
    int result = try_all(opening, &ends, abstract, endpoint);
    opening->trying = false;
    if (result < 0 && opening->tried)
        fail_client(opening, name, &ends.peer);
    return result;
}
