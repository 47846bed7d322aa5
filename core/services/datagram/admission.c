#define _GNU_SOURCE
#include "core/services/datagram/admission.h"

#include "core/base/log.h"
#include "core/opening/opening.h"
#include "core/registry/registry.h"
#include "core/services/datagram/ancillary.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

/* An answer must be of no use for flooding somebody in whose name the packet was sent: RFC 9000
 * section 8.1 has the same limit. */
#define AMPLIFICATION_MAX 3
#define ANSWER_MAX 1024

/* The layer that gets the packets of the socket. */
static struct modcat_opening *layer_of(const struct modcat_opening *opening)
{
    bool itself = opening->address->type->type.wrap != NULL;
    return itself ? (struct modcat_opening *)(uintptr_t)opening : opening->above;
}

bool admission_wanted(const struct modcat_opening *opening)
{
    const struct modcat_opening *layer = layer_of(opening);
    return layer != NULL && layer->address->type->type.screen != NULL;
}

/* Makes the one control message. */
static void add_source(struct msghdr *message, int level, int type, const void *info, size_t length)
{
    struct cmsghdr *header = message->msg_control;
    *header =
        (struct cmsghdr){.cmsg_level = level, .cmsg_type = type, .cmsg_len = CMSG_LEN(length)};
    memcpy(CMSG_DATA(header), info, length);
    message->msg_controllen = CMSG_SPACE(length);
}

/* The answer leaves by the address that the packet came to, where that is known. */
static void answer_from(struct msghdr *message, const struct packet_facts *facts)
{
    struct modcat_sockaddr local;
    if (!ancillary_destination(facts, &local))
        return;
    if (local.u.any.sa_family == AF_INET) {
        const struct in_pktinfo info = {.ipi_spec_dst =
                                            ((struct sockaddr_in *)&local.u.storage)->sin_addr};
        add_source(message, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    } else {
        const struct sockaddr_in6 *address = (struct sockaddr_in6 *)&local.u.storage;
        const struct in6_pktinfo info = {.ipi6_addr = address->sin6_addr,
                                         .ipi6_ifindex = address->sin6_scope_id};
        add_source(message, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    }
}

/* What can't be sent is lost, as on the way. */
static void answer(int fd, const struct packet *packet, const void *data, size_t length)
{
    unsigned char control[CMSG_SPACE(sizeof(struct in6_pktinfo))] __attribute__((aligned(8))) = {0};
    struct iovec piece = {.iov_base = (void *)(uintptr_t)data, .iov_len = length};
    struct modcat_sockaddr to = packet->facts.from;
    struct msghdr message = {
        .msg_name = &to.u.storage,
        .msg_namelen = to.length,
        .msg_iov = &piece,
        .msg_iovlen = 1,
        .msg_control = control,
    };
    answer_from(&message, &packet->facts);
    if (message.msg_controllen == 0)
        message.msg_control = NULL;
    if (sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        log_debug("sendmsg(%d, ...): %s", fd, strerror(errno));
    else
        log_debug("sendmsg(%d, ...): answered %zu bytes with %zu", fd, packet->length, length);
}

bool admission_granted(struct modcat_opening *opening, int fd, const struct packet *packet)
{
    unsigned char room[ANSWER_MAX];
    struct modcat_opening *layer = layer_of(opening);
    size_t most = packet->length * AMPLIFICATION_MAX;
    struct modcat_first_packet first = {
        .size = sizeof first,
        .data = packet->data,
        .length = packet->length,
        .answer = room,
        .answer_room = most < sizeof room ? most : sizeof room,
    };
    if (!admission_wanted(opening) || layer->address->type->type.screen(layer, &first))
        return true;
    if (first.answer_length > 0 && first.answer_length <= first.answer_room)
        answer(fd, packet, room, first.answer_length);
    return false;
}
