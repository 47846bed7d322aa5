/* Packets: how many small datagrams a relay passes on in a second. */

#define _GNU_SOURCE
#include "tests/bench/ends.h"
#include "tests/bench/works.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKET_SIZE 64
#define PACKETS 100000
#define BATCH 32
#define WINDOW 128 /* packets under way; as many fit into any socket's buffer */

static int make_socket(unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        return complain("a UDP socket: %s", strerror(errno));
    *port = ntohs(address.sin_port);
    return fd;
}

static int connect_socket(int fd, unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(fd, (struct sockaddr *)&address, sizeof address);
}

/* A batch of packets, all of which share their bytes. */
struct batch {
    char data[PACKET_SIZE];
    struct iovec piece;
    struct mmsghdr headers[BATCH];
};

static void make_batch(struct batch *batch)
{
    *batch = (struct batch){.piece = {.iov_len = PACKET_SIZE}};
    batch->piece.iov_base = batch->data;
    for (int i = 0; i < BATCH; i++)
        batch->headers[i].msg_hdr = (struct msghdr){.msg_iov = &batch->piece, .msg_iovlen = 1};
}

/* Keeps a window of packets under way. When none comes any more, those are lost. Returns how many
 * arrived of those that count, or -1. */
static int pass_packets(int client, int server)
{
    struct batch batch;
    struct pollfd arrival = {.fd = server, .events = POLLIN};
    int under_way = 0, arrived = 0, losses = 0;
    make_batch(&batch);
    while (arrived < PACKETS) {
        if (under_way <= WINDOW - BATCH) {
            int sent = sendmmsg(client, batch.headers, BATCH, 0);
            under_way += sent > 0 ? sent : 0;
        }
        bool full = under_way > WINDOW - BATCH;
        int count = full && poll(&arrival, 1, 50) == 0
                        ? 0
                        : recvmmsg(server, batch.headers, BATCH, MSG_DONTWAIT, NULL);
        if (count > 0) {
            arrived += count;
            under_way = under_way > count ? under_way - count : 0;
        } else if (full && count == 0) {
            under_way = 0;
            if (++losses > 100)
                return -1;
        }
    }
    return arrived;
}

int measure_packets(const struct bench *bench, const struct work *work, enum contender who,
                    double *values)
{
    char left[64], right[64];
    struct plumbing plumbing = {.left = left, .right = right, .in = -1, .out = -1};
    struct relay relay = {.who = who};
    unsigned client_port;
    int server = make_socket(&plumbing.to_port), client = make_socket(&client_port), result = -1;
    int probe = make_socket(&plumbing.from_port);
    (void)work;
    close(probe);
    snprintf(left, sizeof left, "UDP4-LISTEN:%u,bind=" LOOPBACK, plumbing.from_port);
    snprintf(right, sizeof right, "UDP4:" LOOPBACK ":%u", plumbing.to_port);
    unsigned port = who == DIRECT ? plumbing.to_port : plumbing.from_port;
    if (server >= 0 && client >= 0 && relay_start(bench, who, &plumbing, &relay) == 0 &&
        end_await_port(&relay, "/proc/net/udp", port) == 0 && connect_socket(client, port) == 0) {
        double start = now();
        int arrived = pass_packets(client, server);
        values[0] = arrived / (now() - start);
        result = arrived < 0 ? complain("%s loses packets", contender_name(who)) : 0;
    }
    relay_end(&relay);
    close(client);
    close(server);
    return result;
}
