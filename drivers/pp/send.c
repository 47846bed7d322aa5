/* The header that is sent: who is at the other address, and what is known of the connection. */

#define _GNU_SOURCE
#include "pp.h"

#include <errno.h>
#include <modcat/net.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static void take(struct pp_address *to, const struct sockaddr *from, socklen_t length)
{
    to->length = from != NULL && length <= sizeof to->u.storage ? length : 0;
    if (to->length > 0)
        memcpy(&to->u.storage, from, length);
}

/* An IPv4 client of an IPv6 socket, RFC 4291 section 2.5.5.2. */
static void unmap(struct pp_address *address)
{
    const struct sockaddr_in6 mapped = *(struct sockaddr_in6 *)&address->u.storage;
    struct sockaddr_in *plain = (struct sockaddr_in *)&address->u.storage;
    if (address->length == 0 || address->u.any.sa_family != AF_INET6 ||
        !IN6_IS_ADDR_V4MAPPED(&mapped.sin6_addr))
        return;
    *plain = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = mapped.sin6_port};
    memcpy(&plain->sin_addr, mapped.sin6_addr.s6_addr + 12, sizeof plain->sin_addr);
    address->length = sizeof *plain;
}

static bool is_told(const struct pp_address *address)
{
    int family = address->u.any.sa_family;
    return address->length > 0 && (family == AF_INET || family == AF_INET6 || family == AF_UNIX);
}

/* An own address that is not known, or of another family, is told as zeros. */
static void find_client(struct modcat_opening *opening, struct pp_header *header)
{
    socklen_t length;
    const struct sockaddr *peer = modcat_other_peer(opening, &length);
    take(&header->source, peer, length);
    const struct sockaddr *own = modcat_other_own_address(opening, &length);
    take(&header->destination, own, length);
    unmap(&header->source);
    unmap(&header->destination);
    if (header->destination.length > 0 &&
        header->destination.u.any.sa_family == header->source.u.any.sa_family)
        return;
    memset(&header->destination, 0, sizeof header->destination);
    header->destination.u.any.sa_family = header->source.u.any.sa_family;
}

static void tell_client(const struct pp_header *header)
{
    char source[MODCAT_SOCKADDR_TEXT];
    modcat_log(MODCAT_INFO, "sending a header of version %d: the client is %s", header->version,
               is_told(&header->source)
                   ? modcat_sockaddr_text(&header->source.u.any, header->source.length, source)
                   : "not known");
}

/* RFC 9562, section 5.4. */
static bool add_new_id(struct modcat_opening *opening, struct pp_made *made)
{
    uint8_t bytes[16];
    char text[40];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return false;
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    size_t length = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        length +=
            (size_t)snprintf(text + length, sizeof text - length,
                             i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", bytes[i]);
    modcat_setenv(opening, "PP_UNIQUE_ID", text);
    modcat_log(MODCAT_NOTICE, "unique id: %s", text);
    return pp_add(made, PP_UNIQUE_ID, text, length);
}

/* What a TLS driver at the other address has said of its client. */
static const struct {
    uint8_t type;
    const char *variable;
} facts[] = {
    {PP_TLS_VERSION, "OPENSSL_PROTO_VERSION"},
    {PP_TLS_CIPHER, "OPENSSL_CIPHER"},
    {PP_TLS_CN, "OPENSSL_X509_COMMONNAME"},
};

static bool add_variable(struct modcat_opening *opening, struct pp_made *made, uint8_t type,
                         const char *variable)
{
    const char *value = modcat_other_variable(opening, variable);
    return value == NULL || pp_add(made, type, value, strlen(value));
}

/* Names of a certificate are told only where the driver has verified it. */
static bool add_tls(struct modcat_opening *opening, struct pp_made *made)
{
    struct pp_made inner = {.length = PP_TLS_START};
    bool has_certificate = modcat_other_variable(opening, "OPENSSL_X509_SUBJECT") != NULL;
    if (modcat_other_variable(opening, "OPENSSL_PROTO_VERSION") == NULL)
        return true;
    inner.data[0] = PP_CLIENT_TLS | (has_certificate ? PP_CLIENT_CERTIFICATE : 0);
    inner.data[PP_TLS_START - 1] = has_certificate ? 0 : 1;
    for (size_t i = 0; i < MODCAT_COUNT(facts); i++)
        if (!add_variable(opening, &inner, facts[i].type, facts[i].variable))
            return false;
    return pp_add(made, PP_TLS, inner.data, inner.length) &&
           add_variable(opening, made, PP_ALPN, "OPENSSL_ALPN") &&
           add_variable(opening, made, PP_AUTHORITY, "OPENSSL_SERVERNAME");
}

static bool add_extras(struct modcat_opening *opening, const struct pp_wish *wish,
                       struct pp_made *made)
{
    if (wish->made.length > sizeof made->data - made->length)
        return false;
    memcpy(made->data + made->length, wish->made.data, wish->made.length);
    made->length += wish->made.length;
    if (wish->makes_id && !add_new_id(opening, made))
        return false;
    if (wish->tells_tls && !add_tls(opening, made))
        return false;
    return pp_finish(made, wish->has_checksum);
}

/* A client that has no address, as standard input, is the proxy itself. */
int pp_make(struct modcat_opening *opening, const struct pp_wish *wish, bool packets,
            struct pp_made *made)
{
    struct pp_header header = {.is_packets = packets};
    find_client(opening, &header);
    header.is_local = header.source.length == 0;
    header.version = wish->version;
    if (header.version == 0)
        header.version =
            packets || (is_told(&header.source) && header.source.u.any.sa_family == AF_UNIX) ? 2
                                                                                             : 1;
    tell_client(&header);
    if (header.version == 1) {
        pp_make_line(&header, made);
        return 0;
    }
    pp_begin(&header, made);
    if (add_extras(opening, wish, made))
        return 0;
    errno = EMSGSIZE;
    return modcat_fail(opening, "the header would be longer than %d bytes", PP_HEADER_MAX);
}
