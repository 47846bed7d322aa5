#define _GNU_SOURCE
#include "core/services/datagram/packet.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/sockaddr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Descriptors that come over a UNIX socket are of no use here, and must not pile up. */
static void close_descriptors(struct msghdr *message)
{
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = 0; at + CMSG_LEN(sizeof(int)) <= header->cmsg_len; at += sizeof(int)) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + at, sizeof fd);
            close(fd);
        }
    }
}

static int socket_number(int fd, int name)
{
    int number = -1;
    socklen_t size = sizeof number;
    return getsockopt(fd, SOL_SOCKET, name, &number, &size) == 0 ? number : -1;
}

/* A sender without a name is of the socket's own family. */
static void name_sender(int fd, struct packet_facts *facts, socklen_t length)
{
    facts->from.length = length;
    if (length >= sizeof(sa_family_t))
        return;
    facts->from.u.any.sa_family = (sa_family_t)socket_number(fd, SO_DOMAIN);
    facts->from.length = sizeof(sa_family_t);
}

void packet_prepare(struct msghdr *message, struct iovec *piece, struct packet_facts *facts)
{
    *message = (struct msghdr){
        .msg_name = &facts->from.u.storage,
        .msg_namelen = sizeof facts->from.u.storage,
        .msg_iov = piece,
        .msg_iovlen = 1,
        .msg_control = facts->control,
        .msg_controllen = sizeof facts->control,
    };
}

void packet_received(int fd, struct msghdr *message, size_t size, struct packet_facts *facts)
{
    close_descriptors(message);
    name_sender(fd, facts, message->msg_namelen);
    facts->control_length = message->msg_controllen;
    facts->size = size;
}

ssize_t packet_read(int fd, void *buffer, size_t length, struct packet_facts *facts)
{
    struct iovec piece = {.iov_base = buffer, .iov_len = length};
    struct msghdr message;
    packet_prepare(&message, &piece, facts);
    ssize_t size = recvmsg(fd, &message, PACKET_FLAGS);
    if (size < 0)
        return -1;
    packet_received(fd, &message, (size_t)size, facts);
    return (size_t)size < length ? size : (ssize_t)length;
}

struct packet *packet_take(int fd)
{
    ssize_t size = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
    if (size < 0)
        return NULL;
    struct packet *packet = memory_zeroed(1, sizeof *packet + (size_t)size);
    ssize_t length = packet_read(fd, packet->data, (size_t)size, &packet->facts);
    if (length < 0) {
        memory_free_local(&packet);
        return NULL;
    }
    packet->length = (size_t)length;
    return packet;
}

void packet_warn_cut(size_t size, size_t length)
{
    if (size > length)
        log_warning("packet of %zu bytes is cut to the %zu bytes of the buffer, see option -b",
                    size, length);
}

size_t packet_copy(const struct packet *packet, void *buffer, size_t length)
{
    packet_warn_cut(packet->length, length);
    if (packet->length < length)
        length = packet->length;
    if (length > 0)
        memcpy(buffer, packet->data, length);
    return length;
}

void packet_queue_start(struct packet_queue *queue)
{
    *queue = (struct packet_queue){.end = &queue->first};
}

void packet_queue_add(struct packet_queue *queue, struct packet *packet)
{
    packet->next = NULL;
    *queue->end = packet;
    queue->end = &packet->next;
    queue->count++;
}

void packet_queue_put_back(struct packet_queue *queue, struct packet *packet)
{
    packet->next = queue->first;
    if (queue->first == NULL)
        queue->end = &packet->next;
    queue->first = packet;
    queue->count++;
}

struct packet *packet_queue_next(struct packet_queue *queue)
{
    struct packet *packet = queue->first;
    if (packet == NULL)
        return NULL;
    queue->first = packet->next;
    if (queue->first == NULL)
        queue->end = &queue->first;
    queue->count--;
    return packet;
}

void packet_queue_sort_out(struct packet_queue *queue, const struct modcat_sockaddr *sender,
                           struct packet_queue *to)
{
    for (size_t left = queue->count; left > 0; left--) {
        struct packet *packet = packet_queue_next(queue);
        packet_queue_add(sockaddr_same(&packet->facts.from, sender) ? to : queue, packet);
    }
}

void packet_queue_free(struct packet_queue *queue)
{
    struct packet *packet;
    while ((packet = packet_queue_next(queue)) != NULL)
        free(packet);
}

bool packet_has_header(int fd)
{
    return socket_number(fd, SO_DOMAIN) == AF_INET && socket_number(fd, SO_TYPE) == SOCK_RAW;
}

/* The header's length stands in its first byte, in words of four bytes: RFC 791. */
size_t packet_strip_header(unsigned char *data, size_t length)
{
    size_t header = length > 0 ? (size_t)(data[0] & 0x0f) * 4 : 0;
    if (header > length)
        header = length;
    memmove(data, data + header, length - header);
    return length - header;
}
