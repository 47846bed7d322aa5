/* packets.h: what is at the other end of the program under test where packets are sent: sockets of
 * all kinds, and packets that are checked one by one. */

#ifndef TESTS_SYSTEM_PACKETS_H
#define TESTS_SYSTEM_PACKETS_H

#include "tests/system/harness.h"

#include <sys/socket.h>

/* A socket address with its length. */
struct place {
    socklen_t length;
    struct sockaddr_storage address;
};

/* A numeric host with a port, a path, and an abstract name. */
struct place place_host(struct harness *harness, const char *host, unsigned port);
struct place place_path(struct harness *harness, const char *name);
struct place place_abstract(struct harness *harness, const char *name);
unsigned place_port(const struct place *place);

/* A socket of the place's family that is bound to it, or -1 with errno where the kernel has no such
 * socket or does not allow it. It lives as long as the test. */
int packet_try_socket(struct harness *harness, int type, int protocol, const struct place *place);
int packet_socket(struct harness *harness, int type, int protocol, const struct place *place);
/* A UDP socket on a free port of a numeric host. */
int packet_udp(struct harness *harness, const char *host, unsigned *port);
struct place packet_place(struct harness *harness, int fd);
void packet_connect(struct harness *harness, int fd, const struct place *peer);

/* Sends one packet, to the peer or to a place. */
void packet_send(struct harness *harness, int fd, const void *data, size_t length);
void packet_send_to(struct harness *harness, int fd, const struct place *to, const char *text);

/* Waits for a packet and returns its length; `from` may be NULL. */
size_t packet_receive(struct harness *harness, int fd, void *buffer, size_t size,
                      struct place *from);
/* Waits for a packet that must be this text, and tells who sent it. */
struct place packet_arrives(struct harness *harness, int fd, const char *wanted);

/* Waits for a log line that holds the pattern and ends with ":PORT"; returns the port. */
unsigned program_logs_port(struct program *program, const char *pattern);

/* Moves the test and all that it starts to a network namespace of its own, whose loopback interface
 * is up. Returns false where that is not allowed. */
bool packet_own_network(void);

#endif
