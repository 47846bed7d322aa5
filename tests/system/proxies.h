/* proxies.h: the proxies of others that tests go through, and what helps to play one. A test is
 * skipped where the proxy that it wants is not installed. */

#ifndef TESTS_SYSTEM_PROXIES_H
#define TESTS_SYSTEM_PROXIES_H

#include "tests/system/peers.h"

/* Each starts a proxy on a loopback port, waits until it listens, and returns the port. */
unsigned microsocks_start(struct harness *harness, const char *user, const char *password);
unsigned dante_start(struct harness *harness);
unsigned tinyproxy_start(struct harness *harness, const char *user, const char *password);

/* The same of haproxy and nginx, for streams: `rest` is what stands behind the address that is
 * listened on, as " accept-proxy\n server one 127.0.0.1:80\n". */
unsigned haproxy_start(struct harness *harness, const char *rest);
unsigned nginx_start(struct harness *harness, const char *rest);
/* nginx for HTTP, that passes requests and upgrades on to a server on the port `upstream`. */
unsigned nginx_start_http(struct harness *harness, unsigned upstream);

/* Binary messages. */
void peer_send_bytes(struct harness *harness, int fd, const void *data, size_t length);
void peer_receives_bytes(struct harness *harness, int fd, const void *data, size_t length);

/* The program, and the proxy that the test plays for it. */
struct talk {
    struct program *program;
    int server;
};

/* An address whose "#" stands for the proxy's port. */
const char *talk_address(struct harness *harness, const char *format, unsigned port);
/* The handshake is over: bytes go through, and the streams end. */
void talk_finish(struct harness *harness, struct talk talk);

/* Waits until the peer of a TCP connection over IPv4 has read all that was sent. */
void peer_has_read(struct harness *harness, int fd);

/* Sends something in two parts, of which the first is read before the second is sent. */
void peer_send_cut(struct harness *harness, int fd, const void *data, size_t length, size_t cut);

/* 64 MiB both ways, between a client of `TCP-LISTEN` and the server behind `second`, a format whose
 * last parameter is the server's port. */
void relay_through(struct harness *harness, const char *second, int listener);

#endif
