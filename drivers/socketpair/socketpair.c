/* SOCKETPAIR: two connected sockets within the program, which give back what is written, packet by
 * packet. */

#define _GNU_SOURCE
#include <errno.h>
#include <modcat/net.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int socketpair_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint);

static const struct modcat_address_type types[] = {
    {
        .name = "SOCKETPAIR",
        .groups = "FD,SOCKET",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "give back what is written, with packet boundaries kept",
        .example = "modcat -t 1 - SOCKETPAIR",
        .open = socketpair_open,
    },
};

MODCAT_DRIVER(.name = "socketpair", .version = MODCAT_DRIVER_VERSION,
              .summary = "a pair of connected sockets", MODCAT_TYPES(types));

/* A stream is ended by shutting down; packets have no end, so that the writing socket is closed. */
static int socketpair_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    static const struct modcat_transport transport = {
        .size = sizeof(struct modcat_transport), .family = AF_UNIX, .socktype = SOCK_DGRAM};
    struct modcat_transport actual;
    int ends[2];
    if (modcat_transport_chosen(opening, &transport, &actual) < 0)
        return -1;
    if (socketpair(actual.family, actual.socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, actual.protocol,
                   ends) < 0)
        return modcat_fail_call(opening, "make a pair of sockets", NULL, NULL,
                                "socketpair(%d, %d, %d, ...)", actual.family, actual.socktype,
                                actual.protocol);
    modcat_log(MODCAT_NOTICE, "writing to and reading from unnamed socketpair");
    modcat_socket_endpoint(ends[0], endpoint);
    endpoint->write_fd = ends[1];
    endpoint->flags = (endpoint->flags & MODCAT_END_MESSAGES) | MODCAT_END_GIVES_BACK;
    endpoint->half_close = MODCAT_HALF_CLOSE;
    return 0;
}
