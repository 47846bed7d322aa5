#define _GNU_SOURCE
#include "tests/system/peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK 65536

/* A numeric host with a port; `length` is that of its family's address. */
struct numeric {
    socklen_t length;
    struct sockaddr_in6 address; /* or a sockaddr_in, which is shorter */
};

static struct numeric numeric(struct harness *harness, const char *host, unsigned port)
{
    struct numeric result = {sizeof(result.address), {.sin6_family = AF_INET6}};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    result.address.sin6_port = htons((uint16_t)port);
    if (inet_pton(AF_INET6, host, &result.address.sin6_addr) == 1)
        return result;
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
        harness_fail(harness, "no numeric host: %s", host);
    memcpy(&result.address, &address, sizeof(address));
    result.length = sizeof(address);
    return result;
}

static const struct sockaddr *generic(const struct numeric *address)
{
    return (const struct sockaddr *)&address->address;
}

static int open_socket(struct harness *harness, int family, int flags)
{
    int one = 1;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0)
        harness_fail(harness, "socket(): %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    return harness_keep(harness, fd);
}

static int bind_to(struct harness *harness, int fd, const char *host, unsigned port)
{
    struct numeric address = numeric(harness, host, port);
    return bind(fd, generic(&address), address.length);
}

bool peer_has_ipv6(void)
{
    struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&loopback, sizeof(loopback)) == 0;

    if (fd >= 0)
        close(fd);
    return bound;
}

int peer_try_connect_from(struct harness *harness, const char *local, unsigned local_port,
                          const char *host, unsigned port)
{
    struct numeric address = numeric(harness, host, port);
    int fd = open_socket(harness, generic(&address)->sa_family, 0);

    if (local[0] != '\0' && bind_to(harness, fd, local, local_port) < 0)
        return -1;
    if (connect(fd, generic(&address), address.length) < 0)
        harness_fail(harness, "can't connect to %s port %u: %s", host, port, strerror(errno));
    return fd;
}

int peer_connect_from(struct harness *harness, const char *local, unsigned local_port,
                      const char *host, unsigned port)
{
    int fd = peer_try_connect_from(harness, local, local_port, host, port);
    if (fd < 0)
        harness_fail(harness, "can't bind to %s port %u: %s", local, local_port, strerror(errno));
    return fd;
}

int peer_connect(struct harness *harness, const char *host, unsigned port)
{
    return peer_connect_from(harness, "", 0, host, port);
}

/* The port stands at the same place in the addresses of IPv4 and IPv6. */
int peer_bind(struct harness *harness, const char *host, unsigned *port)
{
    struct sockaddr_in6 local = {0};
    socklen_t length = sizeof(local);
    int fd = open_socket(harness, strchr(host, ':') != NULL ? AF_INET6 : AF_INET, 0);

    if (bind_to(harness, fd, host, 0) < 0 ||
        getsockname(fd, (struct sockaddr *)&local, &length) < 0)
        harness_fail(harness, "can't bind to %s: %s", host, strerror(errno));
    *port = ntohs(local.sin6_port);
    return fd;
}

int peer_listen(struct harness *harness, const char *host, unsigned *port)
{
    int fd = peer_bind(harness, host, port);
    if (listen(fd, SOMAXCONN) < 0)
        harness_fail(harness, "can't listen on %s: %s", host, strerror(errno));
    return fd;
}

int peer_accept(struct harness *harness, int listener)
{
    struct pollfd ready = {listener, POLLIN, 0};
    int fd;

    if (poll(&ready, 1, PATIENCE) <= 0)
        harness_fail(harness, "nobody connects");
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        harness_fail(harness, "accept4(): %s", strerror(errno));
    return harness_keep(harness, fd);
}

/* With a full queue the kernel drops what would open a further connection. */
void peer_listen_unresponsive(struct harness *harness, const char *host, unsigned *port)
{
    int listener = peer_bind(harness, host, port);
    struct numeric address = numeric(harness, host, *port);
    struct pollfd ready = {.events = POLLOUT};

    listen(listener, 0);
    do {
        ready.fd = open_socket(harness, generic(&address)->sa_family, SOCK_NONBLOCK);
        connect(ready.fd, generic(&address), address.length);
    } while (poll(&ready, 1, 100) > 0);
}

void peer_pair(struct harness *harness, int pair[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        harness_fail(harness, "socketpair(): %s", strerror(errno));
    harness_keep(harness, pair[0]);
    harness_keep(harness, pair[1]);
}

static const char *in_brackets(struct harness *harness, const char *host)
{
    return strchr(host, ':') != NULL ? text(harness, "[%s]", host) : host;
}

struct bridge bridge_open(struct harness *harness, const char *host, const char *closing,
                          const char *left, const char *right)
{
    const char *written = in_brackets(harness, host);
    const char *type = written == host ? "TCP4" : "TCP6";
    struct bridge bridge;
    unsigned port;
    int listener = peer_listen(harness, host, &port);

    bridge.program = program_start(harness, "-d", "-d", "-t", closing,
                                   text(harness, "%s-LISTEN:0,bind=%s,%s", type, written, left),
                                   text(harness, "%s:%s:%u,%s", type, written, port, right), NULL);
    bridge.client = peer_connect(harness, host, program_port(bridge.program));
    bridge.server = peer_accept(harness, listener);
    harness_close(harness, listener);
    return bridge;
}

void peer_send(struct harness *harness, int fd, const char *data)
{
    size_t length = strlen(data);
    if (write(fd, data, length) != (ssize_t)length)
        harness_fail(harness, "can't send \"%s\": %s", data, strerror(errno));
}

static size_t receive(struct harness *harness, int fd, char *buffer, size_t length)
{
    struct pollfd ready = {fd, POLLIN, 0};
    ssize_t result;

    if (poll(&ready, 1, PATIENCE) <= 0)
        harness_fail(harness, "nothing comes in");
    result = read(fd, buffer, length);
    if (result < 0)
        harness_fail(harness, "read(): %s", strerror(errno));
    return (size_t)result;
}

void peer_receives(struct harness *harness, int fd, const char *data)
{
    char buffer[4096] = "";
    size_t length = strlen(data);
    size_t received = 0;

    while (received < length) {
        size_t more = receive(harness, fd, buffer + received, length - received);
        if (more == 0)
            break;
        received += more;
    }
    if (memcmp(buffer, data, length) != 0)
        harness_fail(harness, "received \"%s\" and not \"%s\"", buffer, data);
}

void peer_receives_end(struct harness *harness, int fd)
{
    char buffer[64];
    size_t length = receive(harness, fd, buffer, sizeof(buffer));
    if (length != 0)
        harness_fail(harness, "received \"%.*s\" and not the end", (int)length, buffer);
}

bool peer_is_silent(int fd)
{
    struct pollfd ready = {fd, POLLIN, 0};
    return poll(&ready, 1, 0) == 0;
}

void peer_end(int fd)
{
    shutdown(fd, SHUT_WR);
}

void peer_reset(struct harness *harness, int fd)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    harness_close(harness, fd);
}

/* Marsaglia's xorshift. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void flow_fill(struct flow *flow)
{
    for (size_t i = 0; i < CHUNK; i += sizeof(uint64_t)) {
        uint64_t random = next_random(&flow->random);
        memcpy(flow->chunk + i, &random, sizeof(random));
    }
}

static void flow_begin(struct harness *harness, struct flow *flow)
{
    if (flow->chunk != NULL)
        return;
    flow->chunk = memory(harness, CHUNK);
    flow->random = flow->expected = flow->seed * 0x9e3779b97f4a7c15U + 1;
    flow_fill(flow);
    fcntl(flow->write_fd, F_SETFL, fcntl(flow->write_fd, F_GETFL) | O_NONBLOCK);
    fcntl(flow->read_fd, F_SETFL, fcntl(flow->read_fd, F_GETFL) | O_NONBLOCK);
}

static size_t flow_piece(const struct flow *flow, size_t length)
{
    return flow->piece != 0 && flow->piece < length ? flow->piece : length;
}

static void flow_end_writing(struct harness *harness, struct flow *flow)
{
    flow->write_ended = true;
    if (flow->open_end)
        return;
    if (flow->write_closes)
        harness_close(harness, flow->write_fd);
    else
        shutdown(flow->write_fd, SHUT_WR);
}

/* True when the error ends a flow that may be cut off. That of terminals is EIO. */
static bool flow_is_cut(const struct flow *flow)
{
    return flow->may_be_cut && (errno == EPIPE || errno == ECONNRESET || errno == EIO);
}

static void flow_write(struct harness *harness, struct flow *flow)
{
    size_t made = flow->sent % CHUNK, left = flow->length - flow->sent;
    ssize_t length = 0;

    if (left > 0)
        length = write(flow->write_fd, flow->chunk + made,
                       flow_piece(flow, left < CHUNK - made ? left : CHUNK - made));
    if (length < 0 && flow_is_cut(flow))
        flow->write_ended = true;
    else if (length < 0 && errno != EAGAIN)
        harness_fail(harness, "write() after %zu bytes: %s", flow->sent, strerror(errno));
    if (length > 0)
        flow->sent += (size_t)length;
    if (length > 0 && flow->sent % CHUNK == 0)
        flow_fill(flow);
    if (flow->sent == flow->length)
        flow_end_writing(harness, flow);
}

/* What has come out must be what went in, made from the same seed. */
static void flow_compare(struct harness *harness, struct flow *flow, const unsigned char *data,
                         size_t length)
{
    const size_t word = sizeof(flow->word);
    for (size_t i = 0, count; i < length; i += count, flow->received += count) {
        size_t place = flow->received % word, left = length - i;
        if (place == 0)
            flow->word = next_random(&flow->expected);
        count = left < word - place ? left : word - place;
        if (memcmp(data + i, (const unsigned char *)&flow->word + place, count) != 0)
            harness_fail(harness, "of %zu bytes, those from %zu on are not what was sent",
                         flow->sent, flow->received);
    }
}

static void flow_read(struct harness *harness, struct flow *flow)
{
    unsigned char buffer[CHUNK];
    ssize_t length = read(flow->read_fd, buffer, flow_piece(flow, sizeof(buffer)));

    if (length < 0 && flow_is_cut(flow))
        length = 0;
    else if (length < 0 && errno != EAGAIN)
        harness_fail(harness, "read() after %zu bytes: %s", flow->received, strerror(errno));
    if (length > 0)
        flow_compare(harness, flow, buffer, (size_t)length);
    flow->read_ended = length == 0 || (flow->open_end && flow->received >= flow->length);
}

static void flow_check(struct harness *harness, const struct flow *flow)
{
    if (flow->received > flow->sent || (flow->received != flow->length && !flow->may_be_cut))
        harness_fail(harness, "sent %zu bytes of %zu, received %zu", flow->sent, flow->length,
                     flow->received);
}

static bool flow_ended(const struct flow *flow)
{
    return flow->write_ended && flow->read_ended;
}

/* One round of the flow that the two places in `ready` belong to. */
static void flow_step(struct harness *harness, struct flow *flow, const struct pollfd ready[2])
{
    if (ready[0].revents != 0)
        flow_write(harness, flow);
    if (ready[1].revents != 0)
        flow_read(harness, flow);
}

void flows_run(struct harness *harness, struct flow *flows, size_t count)
{
    struct pollfd *ready = memory(harness, count * 2 * sizeof(*ready));
    size_t left = count;

    for (size_t i = 0; i < count; i++)
        flow_begin(harness, &flows[i]);
    while (left > 0) {
        for (size_t i = 0; i < count; i++) {
            struct flow *flow = &flows[i];
            ready[2 * i] = (struct pollfd){flow->write_ended ? -1 : flow->write_fd, POLLOUT, 0};
            ready[2 * i + 1] = (struct pollfd){flow->read_ended ? -1 : flow->read_fd, POLLIN, 0};
        }
        if (poll(ready, count * 2, PATIENCE) <= 0)
            harness_fail(harness, "%zu of %zu flows stand still, the first at %zu of %zu bytes",
                         left, count, flows[0].received, flows[0].length);
        left = 0;
        for (size_t i = 0; i < count; i++) {
            flow_step(harness, &flows[i], &ready[2 * i]);
            left += !flow_ended(&flows[i]);
        }
    }
    for (size_t i = 0; i < count; i++)
        flow_check(harness, &flows[i]);
}

size_t flow_push_for(struct harness *harness, struct flow *flow, int duration)
{
    struct pollfd ready = {flow->write_fd, POLLOUT, 0};
    size_t before = flow->sent;

    flow_begin(harness, flow);
    while (!flow->write_ended && poll(&ready, 1, duration) > 0)
        flow_write(harness, flow);
    return flow->sent - before;
}

size_t flow_push(struct harness *harness, struct flow *flow)
{
    return flow_push_for(harness, flow, 200);
}

void require_services(void)
{
    if (getservbyname("https", "tcp") == NULL)
        skip_because("the service https has no number here, see services(5)");
}
