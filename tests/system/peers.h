/* peers.h: what is at the other end of the program under test: TCP clients and servers, and flows
 * of random bytes that are checked where they come out. */

#ifndef TESTS_SYSTEM_PEERS_H
#define TESTS_SYSTEM_PEERS_H

#include "tests/system/harness.h"

#define LOOPBACK "127.0.0.1"

/* True when this machine has the loopback address of IPv6. */
bool peer_has_ipv6(void);

/* A client, connected to a numeric host and port; from a local host and port ("" and 0: any). */
int peer_connect(struct harness *harness, const char *host, unsigned port);
int peer_connect_from(struct harness *harness, const char *local, unsigned local_port,
                      const char *host, unsigned port);
/* The same, or -1 with errno when binding to the local port is not allowed. */
int peer_try_connect_from(struct harness *harness, const char *local, unsigned local_port,
                          const char *host, unsigned port);

/* A server on a free port of a numeric host: bound only, or listening too. */
int peer_bind(struct harness *harness, const char *host, unsigned *port);
int peer_listen(struct harness *harness, const char *host, unsigned *port);
int peer_accept(struct harness *harness, int listener);
/* A server that lets further clients wait for ever: its queue of connections is full. */
void peer_listen_unresponsive(struct harness *harness, const char *host, unsigned *port);

/* A connected pair of UNIX stream sockets. */
void peer_pair(struct harness *harness, int pair[2]);

/* A client and a server with the program between them. */
struct bridge {
    struct program *program;
    int client;
    int server;
};

/* Runs `-t CLOSING TCP-LISTEN:0,bind=HOST,LEFT TCP:HOST:PORT,RIGHT` on a loopback host, notices
 * shown, and connects both ends. */
struct bridge bridge_open(struct harness *harness, const char *host, const char *closing,
                          const char *left, const char *right);

/* One message each way, and the end of the stream. */
void peer_send(struct harness *harness, int fd, const char *data);
void peer_receives(struct harness *harness, int fd, const char *data);
void peer_receives_end(struct harness *harness, int fd);
bool peer_is_silent(int fd); /* nothing to read at this moment, and not at the end */
void peer_end(int fd);       /* no more will be written */
void peer_reset(struct harness *harness, int fd);

/* One direction: `length` bytes made from `seed` go into write_fd and must come out of read_fd,
 * followed by the end of the stream. */
struct flow {
    int write_fd;
    int read_fd;
    uint64_t seed;
    size_t length;
    bool open_end;     /* the stream goes on: nothing is ended, and no end is expected */
    size_t piece;      /* most bytes in one read or write; 0: many */
    bool write_closes; /* write_fd is closed at the end, where it is no socket */
    bool may_be_cut;   /* it may break off: then what comes out is the beginning of what went in */

    uint64_t random;
    size_t sent;
    size_t received;
    uint64_t expected; /* as `random`, for what comes out */
    uint64_t word;
    unsigned char *chunk; /* made, and not all written yet */
    bool write_ended;
    bool read_ended;
};

/* Moves all flows at once, from where they are to their end, and checks what came out. */
void flows_run(struct harness *harness, struct flow *flows, size_t count);
/* Writes until nothing more is taken for a fifth of a second, or for so many milliseconds; returns
 * how much was taken. */
size_t flow_push(struct harness *harness, struct flow *flow);
size_t flow_push_for(struct harness *harness, struct flow *flow, int duration);

/* Skips the test where the names of services are not known, as without /etc/services. */
void require_services(void);

#endif
