/* message.h: the messages of SOCKS 4, 4A and 5, made and read without moving them. The documents
 * are RFC 1928 (SOCKS 5), RFC 1929 (user names and passwords) and Y.-D. Lee's two memos on
 * SOCKS 4 and 4A. */

#ifndef DRIVERS_SOCKS_MESSAGE_H
#define DRIVERS_SOCKS_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

/* No text in a message is longer: in SOCKS 5 its length is one byte. */
#define SOCKS_TEXT_MAX 255

/* More than the longest request, which is one of SOCKS 4A with user and name. */
#define SOCKS_REQUEST_MAX (16 + 2 * SOCKS_TEXT_MAX)

/* The longest reply of all: one of SOCKS 5 that holds a name. */
#define SOCKS_REPLY_MAX (7 + SOCKS_TEXT_MAX)

/* Kinds of hosts, by the numbers of SOCKS 5. */
enum socks_host_kind { SOCKS_IP4 = 1, SOCKS_NAME = 3, SOCKS_IP6 = 4 };

/* A host with its port. */
struct socks_host {
    enum socks_host_kind kind;
    uint8_t length;                /* of bytes */
    uint8_t bytes[SOCKS_TEXT_MAX]; /* the address in network order, or the name */
    uint16_t port;
};

enum socks_command { SOCKS_CONNECT = 1, SOCKS_BIND = 2 };

/* Ways to tell a SOCKS 5 server who one is. */
enum socks_method { SOCKS_NO_LOGIN = 0, SOCKS_PASSWORD = 2 };

/* Takes an IPv4 address, an IPv6 address with or without brackets, or a name; the port is left.
 * Returns what is wrong with the text, or NULL. */
const char *socks_host_parse(const char *text, struct socks_host *host);

/* Renders host and port as "192.0.2.1:80", "[2001:db8::1]:80" or "name:80". */
#define SOCKS_HOST_TEXT (SOCKS_TEXT_MAX + 10)
const char *socks_host_text(const struct socks_host *host, char text[SOCKS_HOST_TEXT]);

/* Each makes a message and returns its length. Texts have at most SOCKS_TEXT_MAX bytes. */

/* SOCKS 4, where the host is an IPv4 address; SOCKS 4A, where it is a name. */
size_t socks4_request(const struct socks_host *host, const char *user,
                      uint8_t request[SOCKS_REQUEST_MAX]);

size_t socks5_hello(int with_password, uint8_t request[SOCKS_REQUEST_MAX]);
size_t socks5_login(const char *user, const char *password, uint8_t request[SOCKS_REQUEST_MAX]);
size_t socks5_request(enum socks_command command, const struct socks_host *host,
                      uint8_t request[SOCKS_REQUEST_MAX]);

enum socks_verdict {
    SOCKS_MORE, /* the reply is not complete */
    SOCKS_GRANTED,
    SOCKS_REFUSED /* `why` tells */
};

struct socks_reply {
    size_t missing; /* SOCKS_MORE: at least this many bytes, none of which is behind the reply */
    int version;    /* the reply's first byte */
    int code;       /* its second: what the server says, or the method that it wants */
    struct socks_host bound; /* the address that comes with it */
    char why[160];
};

/* Reads a reply of which `length` bytes are there. A refusal is told as soon as it is certain. */
typedef enum socks_verdict socks_read_fn(const uint8_t *data, size_t length,
                                         struct socks_reply *reply);
socks_read_fn socks4_read_reply;
socks_read_fn socks5_read_hello;
socks_read_fn socks5_read_login;
socks_read_fn socks5_read_reply;

#endif
