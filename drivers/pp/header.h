/* header.h: headers of the PROXY protocol, versions 1 and 2, made and read without moving them. The
 * document is haproxy's doc/proxy-protocol.txt. */

#ifndef DRIVERS_PP_HEADER_H
#define DRIVERS_PP_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* No header that is made or taken is longer. */
#define PP_HEADER_MAX 4096

/* The longest line of version 1, with its end. */
#define PP_LINE_MAX 107

/* Types of the extras of version 2. */
enum pp_type {
    PP_ALPN = 0x01,
    PP_AUTHORITY = 0x02,
    PP_CRC32C = 0x03,
    PP_NOOP = 0x04,
    PP_UNIQUE_ID = 0x05,
    PP_TLS = 0x20,
    PP_TLS_VERSION = 0x21, /* these stand inside of PP_TLS */
    PP_TLS_CN = 0x22,
    PP_TLS_CIPHER = 0x23,
    PP_TLS_SIGNATURE = 0x24,
    PP_TLS_KEY = 0x25,
    PP_NAMESPACE = 0x30
};

/* What stands before those inside of PP_TLS: what the client has done, and 32 bits that are 0 when
 * its certificate was verified. */
#define PP_TLS_START 5
#define PP_CLIENT_TLS 1u
#define PP_CLIENT_CERTIFICATE (2u | 4u)

struct pp_extra {
    uint8_t type; /* an enum pp_type, or another */
    uint16_t length;
    const uint8_t *data;
};

struct pp_address {
    socklen_t length; /* 0: not told */
    union {
        struct sockaddr any;
        struct sockaddr_storage storage;
    } u;
};

/* A header, and where its extras stand in the data that it was read from. */
struct pp_header {
    int version;
    bool is_local;   /* LOCAL: it is the proxy's own connection */
    bool is_packets; /* the client uses datagrams */
    bool has_checksum;
    struct pp_address source, destination;
    const uint8_t *extras;
    size_t extras_length;
    size_t length;  /* of the whole header */
    size_t missing; /* PP_MORE: at least this many bytes, none of which is behind the header */
};

enum pp_verdict {
    PP_MORE,  /* the header is not complete */
    PP_TAKEN, /* `header` is filled in, its extras and checksum are right */
    PP_WRONG  /* `*why` tells, a constant text */
};

/* Reads a header of which `length` bytes are there. What is wrong is told as soon as it is
 * certain. */
enum pp_verdict pp_read(const uint8_t *data, size_t length, struct pp_header *header,
                        const char **why);

/* The next of some extras, after which *data and *length stand for what is left. False when there
 * is none more, or what is there is cut off. */
bool pp_next_extra(const uint8_t **data, size_t *length, struct pp_extra *extra);

/* Adds an extra to what is made. False when it would be longer than PP_HEADER_MAX. */
struct pp_made {
    size_t length;
    uint8_t data[PP_HEADER_MAX];
};
bool pp_add(struct pp_made *made, uint8_t type, const void *data, size_t length);

/* Makes the line of version 1. Of what it has no words for it says UNKNOWN. */
void pp_make_line(const struct pp_header *header, struct pp_made *made);

/* Begins a header of version 2; pp_add() adds to it, and pp_finish() ends it, with a checksum or
 * without one, for which pp_finish() needs room as for an extra. */
void pp_begin(const struct pp_header *header, struct pp_made *made);
bool pp_finish(struct pp_made *made, bool checksum);

#endif
