#define _GNU_SOURCE
#include "core/services/net/resolve.h"

#include "core/base/failure.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/sockaddr.h"
#include "core/opening/opening.h"
#include "core/services/net/lookup.h"
#include "core/services/net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* Which failure message a kind of address has. */
enum purpose { PURPOSE_PEER, PURPOSE_OWN };

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

/* Why a look-up failed, in plainer words than gai_strerror(3) has, or NULL. */
static const char *plain_reason(const struct lookup *lookup, int code)
{
    struct in6_addr number;
    if (code == EAI_SERVICE)
        return "neither a number from 0 to 65535 nor a service known here";
    if (lookup->host == NULL)
        return NULL;
    if (lookup->family == AF_INET && inet_pton(AF_INET6, lookup->host, &number) == 1)
        return "an IPv6 address, where only IPv4 is used";
    if (lookup->family == AF_INET6 && inet_pton(AF_INET, lookup->host, &number) == 1)
        return "an IPv4 address, where only IPv6 is used";
    return NULL;
}

static int report_plainly(const struct modcat_opening *opening, const struct lookup *lookup,
                          int code, const char *why)
{
    const char *host = or_empty(lookup->host), *service = or_empty(lookup->service);
    const char *plain = plain_reason(lookup, code);
    bool is_port = code == EAI_SERVICE;
    return modcat_fail_call(
        opening, is_port ? "look up port" : "look up host", is_port ? service : host,
        plain != NULL ? plain : why, "getaddrinfo(\"%s\", \"%s\", {0x%02x,%d,%d,%d}, {})", host,
        service, (unsigned)lookup->flags, lookup->family, lookup->socktype, lookup->protocol);
}

/* In the words that scripts know, which name no port but where that is at fault. */
static void report_twice(const struct modcat_opening *opening, const struct lookup *lookup,
                         enum purpose purpose, int code, const char *why)
{
    const char *host = or_empty(lookup->host), *service = or_empty(lookup->service);
    log_warning("getaddrinfo(\"%s\", \"%s\", {0x%02x,%d,%d,%d}, {}): %d", host, service,
                (unsigned)lookup->flags, lookup->family, lookup->socktype, lookup->protocol, code);
    if (purpose == PURPOSE_PEER)
        modcat_fail(opening, "_xioopen_ipapp_prepare(node=\"%s\", service=\"%s\", pf=%d, ...): %s",
                    host, service, lookup->family, why);
    else
        modcat_fail(opening, "xioresolve(node=\"%s\", pf=%d, ...): %s", host, lookup->family, why);
}

static int report(const struct modcat_opening *opening, const struct lookup *lookup,
                  enum purpose purpose, int code)
{
    int saved = code == EAI_SYSTEM ? errno : EDESTADDRREQ;
    const char *why = code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code);
    if (code != EAI_SERVICE && failure_calls_come_first())
        report_twice(opening, lookup, purpose, code, why);
    else
        report_plainly(opening, lookup, code, why);
    errno = saved;
    return -1;
}

/* Takes the brackets off an IPv6 address, which makes it a number. Returns the text to be freed. */
static char *without_brackets(const char *host, struct lookup *lookup)
{
    size_t length = strlen(host);
    if (length < 2 || host[0] != '[' || host[length - 1] != ']')
        return memory_copy_text(host);
    lookup->flags |= AI_NUMERICHOST;
    if (lookup->number_family == AF_UNSPEC)
        lookup->family = lookup->number_family = AF_INET6;
    return memory_copy_span(host + 1, length - 2);
}

/* Own addresses are there whatever the network is: AI_ADDRCONFIG would miss those of the loopback
 * interface where no other one is up. */
static int adjusted_flags(const struct modcat_opening *opening, int family, int flags)
{
    if (family == AF_UNSPEC && (flags & AI_PASSIVE) == 0)
        flags |= AI_ADDRCONFIG;
    return (flags | opening->set.ai_flags_set) & ~opening->set.ai_flags_cleared;
}

static int resolve(struct modcat_opening *opening, struct lookup *lookup, enum purpose purpose,
                   struct addrinfo **result)
{
    AUTO_FREE char *host = NULL;
    *result = NULL;
    if (lookup->host != NULL)
        lookup->host = host = without_brackets(lookup->host, lookup);
    int code = lookup_run(opening, lookup, result);
    if (code == LOOKUP_CANCELED)
        return -1;
    return code == 0 ? 0 : report(opening, lookup, purpose, code);
}

static const char *given(const char *text)
{
    return text != NULL && *text != '\0' ? text : NULL;
}

/* The look-up of a whole transport address, without any preference. */
static struct lookup lookup_for(const struct modcat_opening *opening,
                                const struct modcat_transport *transport, const char *host,
                                const char *service, int flags)
{
    return (struct lookup){
        .host = given(host),
        .service = given(service),
        .flags = adjusted_flags(opening, transport->family, flags),
        .family = transport->family,
        .number_family = transport->family,
        .socktype = transport->socktype,
        .protocol = transport->protocol,
    };
}

/* A passive address of no certain family has the one of the listen preference, unless it is
 * written as a number. Without preference, the IPv6 wildcard serves both. */
static void prefer_listening(struct lookup *lookup, char version)
{
    if (lookup->family != AF_UNSPEC)
        return;
    lookup->family = resolve_version_family(version);
    if (lookup->family == AF_UNSPEC && lookup->host == NULL)
        lookup->family = AF_INET6;
}

int modcat_resolve(struct modcat_opening *opening, const struct modcat_transport *transport,
                   const char *host, const char *service, int flags, struct addrinfo **result)
{
    struct modcat_transport actual;
    bool passive = (flags & AI_PASSIVE) != 0;
    *result = NULL;
    if (modcat_apply(opening, MODCAT_PHASE_OFFSET, -1) < 0 ||
        modcat_transport_chosen(opening, transport, &actual) < 0)
        return -1;
    struct lookup lookup = lookup_for(opening, &actual, host, service, flags);
    if (lookup.host == NULL && lookup.service == NULL) {
        errno = EINVAL;
        return modcat_fail(opening, "neither a host nor a port is given");
    }
    if (passive)
        prefer_listening(&lookup, opening->settings->listen_version);
    if (resolve(opening, &lookup, passive ? PURPOSE_OWN : PURPOSE_PEER, result) < 0)
        return -1;
    if (!passive)
        *result =
            resolve_prefer(*result, resolve_version_family(opening->settings->resolve_version));
    return 0;
}

int resolve_own(struct modcat_opening *opening, const struct modcat_transport *transport,
                const char *host, const char *service, struct addrinfo **result)
{
    struct lookup lookup = lookup_for(opening, transport, host, service, AI_PASSIVE);
    return resolve(opening, &lookup, PURPOSE_OWN, result);
}

int resolve_address(struct modcat_opening *opening, int family, const char *host, void *address)
{
    const struct modcat_transport transport = {.family = family, .socktype = SOCK_DGRAM};
    struct lookup lookup = lookup_for(opening, &transport, host, NULL, 0);
    struct addrinfo *list;
    const uint8_t *bytes;
    if (resolve(opening, &lookup, PURPOSE_OWN, &list) < 0)
        return -1;
    size_t count = sockaddr_bytes(list->ai_addr, list->ai_addrlen, &bytes);
    memcpy(address, bytes, count);
    freeaddrinfo(list);
    return 0;
}

struct addrinfo *resolve_prefer(struct addrinfo *list, int family)
{
    struct addrinfo *first = NULL, *rest = NULL;
    struct addrinfo **first_end = &first, **rest_end = &rest;
    for (; list != NULL; list = list->ai_next) {
        struct addrinfo ***end = list->ai_family == family ? &first_end : &rest_end;
        **end = list;
        *end = &list->ai_next;
    }
    *rest_end = NULL;
    *first_end = rest;
    return first;
}

int resolve_version_family(char version)
{
    return version == '4' ? AF_INET : version == '6' ? AF_INET6 : AF_UNSPEC;
}

static int fail_port(const struct modcat_opening *opening, const char *service, const char *fault)
{
    errno = EINVAL;
    return modcat_fail(opening, "port \"%.300s\" %s", service, fault);
}

/* Of both versions of IP the port stands in the same place. */
static int look_up_port(struct modcat_opening *opening, const char *service)
{
    static const struct modcat_transport tcp = {
        .size = sizeof tcp, .family = AF_UNSPEC, .socktype = SOCK_STREAM};
    struct addrinfo *list;
    if (modcat_resolve(opening, &tcp, NULL, service, 0, &list) < 0)
        return -1;
    int port = (int)sockaddr_port(list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    return port;
}

int modcat_port_number(struct modcat_opening *opening, const char *service)
{
    char *end;
    long port = strtol(service, &end, 10);
    if (service[0] == '\0')
        return fail_port(opening, service, "is empty");
    if (*end != '\0')
        return look_up_port(opening, service);
    if (port < 0 || port > 65535)
        return fail_port(opening, service, "is not within 0 to 65535");
    return (int)port;
}
