#include "message.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static void set_bytes(struct socks_host *host, enum socks_host_kind kind, const void *bytes,
                      size_t length)
{
    host->kind = kind;
    host->length = (uint8_t)length;
    memcpy(host->bytes, bytes, length);
}

/* Takes `[...]` and what stands without brackets; a name never holds a colon. */
static const char *parse_ip6(const char *text, size_t length, struct socks_host *host)
{
    static const char fault[] = "is not an IPv6 address";
    char plain[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (text[0] == '[') {
        if (text[length - 1] != ']')
            return fault;
        text++;
        length -= 2;
    }
    if (length >= sizeof plain)
        return fault;
    memcpy(plain, text, length);
    plain[length] = '\0';
    if (inet_pton(AF_INET6, plain, &address) != 1)
        return fault;
    set_bytes(host, SOCKS_IP6, &address, sizeof address);
    return NULL;
}

const char *socks_host_parse(const char *text, struct socks_host *host)
{
    size_t length = strlen(text);
    struct in_addr address;
    if (length == 0)
        return "is empty";
    if (text[0] == '[' || strchr(text, ':') != NULL)
        return parse_ip6(text, length, host);
    if (inet_pton(AF_INET, text, &address) == 1)
        set_bytes(host, SOCKS_IP4, &address, sizeof address);
    else if (length <= SOCKS_TEXT_MAX)
        set_bytes(host, SOCKS_NAME, text, length);
    else
        return "is longer than 255 bytes";
    return NULL;
}

const char *socks_host_text(const struct socks_host *host, char text[SOCKS_HOST_TEXT])
{
    char address[INET6_ADDRSTRLEN];
    if (host->kind == SOCKS_NAME)
        snprintf(text, SOCKS_HOST_TEXT, "%.*s:%u", host->length, (const char *)host->bytes,
                 host->port);
    else
        snprintf(text, SOCKS_HOST_TEXT, host->kind == SOCKS_IP6 ? "[%s]:%u" : "%s:%u",
                 inet_ntop(host->kind == SOCKS_IP6 ? AF_INET6 : AF_INET, host->bytes, address,
                           sizeof address),
                 host->port);
    return text;
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t length)
{
    memcpy(at, bytes, length);
    return at + length;
}

static uint8_t *put_port(uint8_t *at, uint16_t port)
{
    *at++ = (uint8_t)(port >> 8);
    *at++ = (uint8_t)port;
    return at;
}

static uint8_t *put_counted(uint8_t *at, const void *bytes, size_t length)
{
    *at++ = (uint8_t)length;
    return put(at, bytes, length);
}

/* In SOCKS 4A, an address that no host has says that the name stands at the end. */
size_t socks4_request(const struct socks_host *host, const char *user,
                      uint8_t request[SOCKS_REQUEST_MAX])
{
    static const uint8_t name_follows[] = {0, 0, 0, 1};
    uint8_t *at = put_port(put(request, (const uint8_t[]){4, SOCKS_CONNECT}, 2), host->port);
    at = put(at, host->kind == SOCKS_IP4 ? host->bytes : name_follows, sizeof name_follows);
    at = put(at, user, strlen(user) + 1);
    if (host->kind != SOCKS_IP4) {
        at = put(at, host->bytes, host->length);
        *at++ = 0;
    }
    return (size_t)(at - request);
}

size_t socks5_hello(int with_password, uint8_t request[SOCKS_REQUEST_MAX])
{
    const uint8_t methods[] = {SOCKS_NO_LOGIN, SOCKS_PASSWORD};
    request[0] = 5;
    return (size_t)(put_counted(request + 1, methods, with_password ? 2 : 1) - request);
}

size_t socks5_login(const char *user, const char *password, uint8_t request[SOCKS_REQUEST_MAX])
{
    request[0] = 1;
    uint8_t *at = put_counted(request + 1, user, strlen(user));
    return (size_t)(put_counted(at, password, strlen(password)) - request);
}

size_t socks5_request(enum socks_command command, const struct socks_host *host,
                      uint8_t request[SOCKS_REQUEST_MAX])
{
    uint8_t *at = put(request, (const uint8_t[]){5, (uint8_t)command, 0, (uint8_t)host->kind}, 4);
    at = host->kind == SOCKS_NAME ? put_counted(at, host->bytes, host->length)
                                  : put(at, host->bytes, host->length);
    return (size_t)(put_port(at, host->port) - request);
}

static enum socks_verdict more(struct socks_reply *reply, size_t missing)
{
    reply->missing = missing;
    return SOCKS_MORE;
}

static enum socks_verdict wrong_version(struct socks_reply *reply, const char *what)
{
    snprintf(reply->why, sizeof reply->why,
             "SOCKS5 %s version was %d, not the expected 5, peer might not be a SOCKS5 server",
             what, reply->version);
    return SOCKS_REFUSED;
}

/* Takes the two bytes with which every reply begins. */
static int take_start(const uint8_t *data, size_t length, struct socks_reply *reply)
{
    *reply = (struct socks_reply){.version = -1, .code = -1};
    if (length > 0)
        reply->version = data[0];
    if (length > 1)
        reply->code = data[1];
    return length > 1;
}

static void take_address(struct socks_host *host, enum socks_host_kind kind, const uint8_t *address,
                         size_t length)
{
    set_bytes(host, kind, address, length);
    host->port = (uint16_t)(address[length] << 8 | address[length + 1]);
}

enum socks_verdict socks4_read_reply(const uint8_t *data, size_t length, struct socks_reply *reply)
{
    static const char *const reasons[] = {
        [91 - 91] = "connect request rejected or failed",
        [92 - 91] = "ident refused by client",
        [93 - 91] = "ident failed",
    };
    const size_t whole = 8;
    if (!take_start(data, length, reply))
        return more(reply, whole - length);
    if (reply->code >= 91 && reply->code <= 93)
        snprintf(reply->why, sizeof reply->why, "socks: %s", reasons[reply->code - 91]);
    else if (reply->code != 90)
        snprintf(reply->why, sizeof reply->why, "socks: undefined status %d", reply->code);
    if (reply->code != 90)
        return SOCKS_REFUSED;
    if (length < whole)
        return more(reply, whole - length);
    set_bytes(&reply->bound, SOCKS_IP4, data + 4, 4);
    reply->bound.port = (uint16_t)(data[2] << 8 | data[3]);
    return SOCKS_GRANTED;
}

/* Whether the method was offered is for the caller to know. */
enum socks_verdict socks5_read_hello(const uint8_t *data, size_t length, struct socks_reply *reply)
{
    int both = take_start(data, length, reply);
    if (length > 0 && reply->version != 5)
        return wrong_version(reply, "Server Hello");
    return both ? SOCKS_GRANTED : more(reply, 2 - length);
}

/* Servers are known that put 5 into the first byte, where RFC 1929 wants 1. */
enum socks_verdict socks5_read_login(const uint8_t *data, size_t length, struct socks_reply *reply)
{
    if (!take_start(data, length, reply))
        return more(reply, 2 - length);
    if (reply->code == 0)
        return SOCKS_GRANTED;
    snprintf(reply->why, sizeof reply->why,
             "SOCKS5 server does not accept user name and password (status %d)", reply->code);
    return SOCKS_REFUSED;
}

static enum socks_verdict refused5(struct socks_reply *reply)
{
    static const char *const reasons[] = {
        [1] = "general SOCKS server failure", [2] = "connection not allowed by ruleset",
        [3] = "network unreachable",          [4] = "host unreachable",
        [5] = "connection refused",           [6] = "TTL expired",
        [7] = "command not supported",        [8] = "address type not supported",
    };
    const int known = sizeof reasons / sizeof reasons[0];
    snprintf(reply->why, sizeof reply->why, "SOCKS5 server error %d: %s", reply->code,
             reply->code < known ? reasons[reply->code] : "unknown error");
    return SOCKS_REFUSED;
}

/* What comes behind version, code, a zero and the kind of address. */
static enum socks_verdict read_bound(const uint8_t *data, size_t length, struct socks_reply *reply)
{
    size_t start = 4, size;
    switch (data[3]) {
    case SOCKS_IP4:
        size = 4;
        break;
    case SOCKS_IP6:
        size = 16;
        break;
    case SOCKS_NAME:
        if (length < 5)
            return more(reply, 3);
        size = data[4];
        start = 5;
        break;
    default:
        snprintf(reply->why, sizeof reply->why, "invalid SOCKS5 reply address type (%d)", data[3]);
        return SOCKS_REFUSED;
    }
    if (length < start + size + 2)
        return more(reply, start + size + 2 - length);
    take_address(&reply->bound, (enum socks_host_kind)data[3], data + start, size);
    return SOCKS_GRANTED;
}

enum socks_verdict socks5_read_reply(const uint8_t *data, size_t length, struct socks_reply *reply)
{
    const size_t shortest = 7; /* with an empty name */
    int both = take_start(data, length, reply);
    if (length > 0 && reply->version != 5)
        return wrong_version(reply, "reply");
    if (both && reply->code != 0)
        return refused5(reply);
    return length < 4 ? more(reply, shortest - length) : read_bound(data, length, reply);
}
