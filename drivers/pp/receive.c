/* The header that is received: filters and programs get to know what it says. */

#define _GNU_SOURCE
#include "pp.h"

#include <errno.h>
#include <modcat/net.h>
#include <stdio.h>
#include <string.h>

int pp_refuse(const struct modcat_opening *opening, const char *why)
{
    char text[MODCAT_SOCKADDR_TEXT];
    socklen_t length;
    const struct sockaddr *peer = modcat_peer(opening, &length);
    errno = EPROTO;
    if (!modcat_is_served(opening))
        return modcat_fail(opening, "no header of the PROXY protocol: %s", why);
    modcat_log(MODCAT_WARNING, "refusing %s: no header of the PROXY protocol: %s",
               peer != NULL ? modcat_sockaddr_text(peer, length, text) : "the peer", why);
    return 1;
}

/* Variables for what may be told. */
static const struct {
    uint8_t type;
    const char *variable;
} names[] = {
    {PP_ALPN, "PP_ALPN"},
    {PP_AUTHORITY, "PP_AUTHORITY"},
    {PP_UNIQUE_ID, "PP_UNIQUE_ID"},
    {PP_NAMESPACE, "PP_NETNS"},
    {PP_TLS_VERSION, "PP_TLS_VERSION"},
    {PP_TLS_CN, "PP_TLS_COMMONNAME"},
    {PP_TLS_CIPHER, "PP_TLS_CIPHER"},
    {PP_TLS_SIGNATURE, "PP_TLS_SIGNATURE"},
    {PP_TLS_KEY, "PP_TLS_KEY"},
};

/* Zero bytes, as those of a binary id, become question marks as control characters do. */
static void tell_extra(struct modcat_opening *opening, const struct pp_extra *extra)
{
    char text[PP_HEADER_MAX];
    for (size_t i = 0; i < MODCAT_COUNT(names); i++) {
        if (names[i].type != extra->type || extra->length >= sizeof text)
            continue;
        for (size_t at = 0; at < extra->length; at++)
            text[at] = extra->data[at] != 0 ? (char)extra->data[at] : '?';
        text[extra->length] = '\0';
        modcat_setenv(opening, names[i].variable, text);
    }
}

static void tell_extras(struct modcat_opening *opening, const uint8_t *data, size_t length)
{
    struct pp_extra extra;
    while (pp_next_extra(&data, &length, &extra)) {
        tell_extra(opening, &extra);
        if (extra.type != PP_TLS || extra.length < PP_TLS_START)
            continue;
        const uint8_t *inner = extra.data + PP_TLS_START;
        size_t inner_length = extra.length - PP_TLS_START;
        struct pp_extra fact;
        bool verified = (extra.data[0] & PP_CLIENT_CERTIFICATE) != 0 &&
                        memcmp(extra.data + 1, "\0\0\0", PP_TLS_START - 1) == 0;
        modcat_setenv(opening, "PP_TLS_VERIFIED", verified ? "1" : "0");
        while (pp_next_extra(&inner, &inner_length, &fact))
            tell_extra(opening, &fact);
    }
}

/* The peer that has sent the header, before the header names another one. */
static bool is_trusted(struct modcat_opening *opening)
{
    socklen_t length;
    const struct sockaddr *peer = modcat_peer(opening, &length);
    const struct modcat_value *value = modcat_option_next(opening, "pp-trust", NULL);
    bool trusted = value == NULL;
    for (; value != NULL; value = modcat_option_next(opening, "pp-trust", value))
        trusted = trusted || (peer != NULL && modcat_in_range(value->string, peer, length));
    return trusted;
}

static const char *fault_of(struct modcat_opening *opening, const struct pp_wish *wish,
                            const struct pp_header *header)
{
    if (!is_trusted(opening))
        return "it is out of all ranges of pp-trust";
    if (wish->version != 0 && header->version != wish->version)
        return header->version == 1 ? "it is of version 1, not of version 2"
                                    : "it is of version 2, not of version 1";
    if (wish->has_checksum && !header->has_checksum && !header->is_local)
        return "it has no checksum";
    return NULL;
}

int pp_take(struct modcat_opening *opening, const struct pp_wish *wish,
            const struct pp_header *header)
{
    char text[MODCAT_SOCKADDR_TEXT], version[12];
    const char *fault = fault_of(opening, wish, header);
    if (fault != NULL)
        return pp_refuse(opening, fault);
    snprintf(version, sizeof version, "%d", header->version);
    modcat_setenv(opening, "PP_VERSION", version);
    tell_extras(opening, header->extras, header->extras_length);
    if (header->source.length == 0) {
        modcat_log(MODCAT_NOTICE, "the header of version %d names no client", header->version);
        return 0;
    }
    modcat_log(MODCAT_NOTICE, "the header of version %d says that the client is %s",
               header->version,
               modcat_sockaddr_text(&header->source.u.any, header->source.length, text));
    modcat_set_peer(opening, &header->source.u.any, header->source.length,
                    &header->destination.u.any, header->destination.length);
    return 0;
}
