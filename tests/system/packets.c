#define _GNU_SOURCE
#include "tests/system/packets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

struct place place_host(struct harness *harness, const char *host, unsigned port)
{
    struct place place = {.length = 0};
    struct sockaddr_in *ip4 = (struct sockaddr_in *)&place.address;
    struct sockaddr_in6 *ip6 = (struct sockaddr_in6 *)&place.address;

    if (inet_pton(AF_INET, host, &ip4->sin_addr) == 1) {
        place.length = sizeof(*ip4);
        ip4->sin_family = AF_INET;
        ip4->sin_port = htons((uint16_t)port);
    } else if (inet_pton(AF_INET6, host, &ip6->sin6_addr) == 1) {
        place.length = sizeof(*ip6);
        ip6->sin6_family = AF_INET6;
        ip6->sin6_port = htons((uint16_t)port);
    } else {
        harness_fail(harness, "no numeric host: %s", host);
    }
    return place;
}

static struct place place_unix(struct harness *harness, const char *name, size_t at)
{
    struct place place = {.length = 0};
    struct sockaddr_un *address = (struct sockaddr_un *)&place.address;
    size_t length = strlen(name);

    if (length + 1 > sizeof(address->sun_path))
        harness_fail(harness, "too long for a socket: %s", name);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path + at, name, length);
    place.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    return place;
}

struct place place_path(struct harness *harness, const char *name)
{
    return place_unix(harness, name, 0);
}

struct place place_abstract(struct harness *harness, const char *name)
{
    return place_unix(harness, name, 1);
}

unsigned place_port(const struct place *place)
{
    return ntohs(((const struct sockaddr_in *)&place->address)->sin_port);
}

int packet_try_socket(struct harness *harness, int type, int protocol, const struct place *place)
{
    int fd = socket(place->address.ss_family, type | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return -1;
    harness_keep(harness, fd);
    return bind(fd, (const struct sockaddr *)&place->address, place->length) < 0 ? -1 : fd;
}

int packet_socket(struct harness *harness, int type, int protocol, const struct place *place)
{
    int fd = packet_try_socket(harness, type, protocol, place);
    if (fd < 0)
        harness_fail(harness, "socket or bind: %s", strerror(errno));
    return fd;
}

int packet_udp(struct harness *harness, const char *host, unsigned *port)
{
    struct place place = place_host(harness, host, 0);
    int fd = packet_socket(harness, SOCK_DGRAM, 0, &place);
    place = packet_place(harness, fd);
    *port = place_port(&place);
    return fd;
}

struct place packet_place(struct harness *harness, int fd)
{
    struct place place = {.length = sizeof(place.address)};
    if (getsockname(fd, (struct sockaddr *)&place.address, &place.length) < 0)
        harness_fail(harness, "getsockname(): %s", strerror(errno));
    return place;
}

void packet_connect(struct harness *harness, int fd, const struct place *peer)
{
    if (connect(fd, (const struct sockaddr *)&peer->address, peer->length) < 0)
        harness_fail(harness, "connect(): %s", strerror(errno));
}

/* A full queue of a UNIX socket is waited for by the kernel. */
void packet_send(struct harness *harness, int fd, const void *data, size_t length)
{
    if (send(fd, data, length, MSG_NOSIGNAL) != (ssize_t)length)
        harness_fail(harness, "can't send a packet of %zu bytes: %s", length, strerror(errno));
}

void packet_send_to(struct harness *harness, int fd, const struct place *to, const char *text)
{
    size_t length = strlen(text);
    if (sendto(fd, text, length, 0, (const struct sockaddr *)&to->address, to->length) !=
        (ssize_t)length)
        harness_fail(harness, "can't send \"%s\": %s", text, strerror(errno));
}

static ssize_t receive(int fd, void *buffer, size_t size, struct place *from)
{
    from->length = sizeof(from->address);
    return recvfrom(fd, buffer, size, MSG_TRUNC | MSG_DONTWAIT, (struct sockaddr *)&from->address,
                    &from->length);
}

/* Where many packets come, most of them are there already. */
size_t packet_receive(struct harness *harness, int fd, void *buffer, size_t size,
                      struct place *from)
{
    struct pollfd ready = {fd, POLLIN, 0};
    struct place sender;
    ssize_t length = receive(fd, buffer, size, &sender);

    if (length < 0 && errno == EAGAIN) {
        if (poll(&ready, 1, PATIENCE) <= 0)
            harness_fail(harness, "no packet comes in");
        length = receive(fd, buffer, size, &sender);
    }
    if (length < 0)
        harness_fail(harness, "recvfrom(): %s", strerror(errno));
    if (from != NULL)
        *from = sender;
    return (size_t)length;
}

struct place packet_arrives(struct harness *harness, int fd, const char *wanted)
{
    char buffer[65536];
    struct place from;
    size_t length = packet_receive(harness, fd, buffer, sizeof(buffer), &from);

    if (length != strlen(wanted) || memcmp(buffer, wanted, length) != 0)
        harness_fail(harness, "received the packet \"%.*s\" and not \"%s\"", (int)length, buffer,
                     wanted);
    return from;
}

unsigned program_logs_port(struct program *program, const char *pattern)
{
    const char *line = program_logs(program, pattern);
    return (unsigned)strtoul(strrchr(line, ':') + 1, NULL, 10);
}

bool packet_own_network(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    if (unshare(CLONE_NEWNET) < 0)
        return false;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    if (fd >= 0)
        close(fd);
    return up;
}
