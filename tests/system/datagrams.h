/* datagrams.h: every address type that carries packets, with a test at its other end. */

#ifndef TESTS_SYSTEM_DATAGRAMS_H
#define TESTS_SYSTEM_DATAGRAMS_H

#include "tests/system/packets.h"
#include "tests/system/streams.h"

/* Each end has addresses, a protocol and names of its own. */
struct datagram_side {
    const char *name;
    const char *program4; /* hosts of the program and of the test, in raw IP */
    const char *test4;
    const char *program6;
    const char *test6;
    int protocol;
    int number;
};
extern const struct datagram_side datagram_left, datagram_right;

struct datagram_end;

/* How sockets of a family are named, on the command line and by the test. */
struct datagram_family {
    int socktype;
    int protocol; /* 0: the default; -1: that of the side */
    struct place (*place)(const struct datagram_end *end);
    const char *(*address)(struct datagram_end *end);
    struct place (*program_place)(const struct datagram_end *end, unsigned port);
    bool has_port;
    size_t header; /* what stands before the data that the test receives */

    /* Where the above does not do. open() makes the test's sockets, or returns false where the
     * system does not allow them. */
    bool (*open)(struct datagram_end *end);
    void (*attach)(struct datagram_end *end, struct program *program);
    void (*send)(const struct datagram_end *end, const void *data, size_t size);
    size_t (*receive)(const struct datagram_end *end, void *data, size_t size);
    /* Of an interface: what is behind the side's name in its own, and how many bytes of what IP or
     * Ethernet want there packets begin with. */
    const char *interface;
    size_t head;
    bool late;       /* attach() waits until both sides are open */
    bool gives_back; /* it is not connected with the test: what goes in comes out again */
    bool single;     /* hardly more than one packet may be under way */
};

/* A type, and how the test gets in touch with it. */
struct datagram_kind {
    const char *types; /* one; or several, between "!!" as in an address */
    const struct datagram_family *family;
    const char *ready; /* what is logged when it is there; ends with the port, if there is one */
    bool sends;        /* to the test's place; else it waits at its own */
    bool reads_only;
    bool waits;      /* it opens with a first packet */
    bool once;       /* and gives no other */
    bool ends_empty; /* an empty packet is the end; elsewhere it is nothing */
};

/* An end of a pair that is tested. */
struct datagram_end {
    struct harness *harness;
    const struct stream_setup *setup; /* certificates */
    const struct datagram_kind *kind;
    const struct datagram_side *side;
    int fd;   /* the test's socket, or queue to the program */
    int back; /* the queue from the program */
    struct place place;
};

extern const struct datagram_kind datagram_kinds[];
extern const size_t datagram_kind_count;

/* Moves this process to a network of its own, where it is allowed, with all that the kinds want
 * there. */
void datagram_network(void);

/* Makes the test's side of an end; returns false where the system does not allow it. */
bool datagram_open(struct datagram_end *end);
/* True where it does. */
bool datagram_is_allowed(struct datagram_end *end);

/* Waits until the program is at its place, and connects the test with it. */
void datagram_attach(struct datagram_end *end, struct program *program);

#endif
