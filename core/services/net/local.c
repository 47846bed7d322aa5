#include "core/services/net/local.h"

#include "core/base/memory.h"
#include "core/base/sockaddr.h"
#include "core/opening/opening.h"
#include "core/services/net/resolve.h"
#include "core/services/net/socket.h"
#include "core/services/net/transport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* The colon between host and port, or NULL. */
static const char *find_port(const char *text)
{
    struct in6_addr address;
    const char *bracket = text[0] == '[' ? strchr(text, ']') : NULL;
    if (bracket != NULL)
        return bracket[1] == ':' ? bracket + 1 : NULL;
    return inet_pton(AF_INET6, text, &address) == 1 ? NULL : strrchr(text, ':');
}

void local_split(const char *text, char **host, char **port)
{
    const char *colon = find_port(text);
    size_t length = colon != NULL ? (size_t)(colon - text) : strlen(text);
    *host = length > 0 ? memory_copy_span(text, length) : NULL;
    *port = colon != NULL && colon[1] != '\0' ? memory_copy_text(colon + 1) : NULL;
}

static int resolve_bind(struct modcat_opening *opening, const struct modcat_transport *transport,
                        struct local_choice *choice)
{
    AUTO_FREE char *host = NULL;
    AUTO_FREE char *port = NULL;
    struct modcat_transport actual;
    local_split(choice->text, &host, &port);
    if (host == NULL && port == NULL) {
        errno = EINVAL;
        return modcat_fail(opening, "option \"bind=%s\": address required", choice->text);
    }
    if (modcat_transport_chosen(opening, transport, &actual) < 0)
        return -1;
    return resolve_own(opening, &actual, host, port, &choice->hosts);
}

int local_choose(struct modcat_opening *opening, const struct modcat_transport *transport,
                 struct local_choice *choice)
{
    *choice = (struct local_choice){
        .text = modcat_option_string(opening, "bind", NULL),
        .port = modcat_option_number(opening, "sourceport", -1),
        .low = modcat_option_bool(opening, "lowport", false),
    };
    /* As a server does, so a client takes a certain port for more than any low one. */
    if (choice->port >= 0)
        choice->low = false;
    return choice->text != NULL ? resolve_bind(opening, transport, choice) : 0;
}

void local_free(struct local_choice *choice)
{
    if (choice->hosts != NULL)
        freeaddrinfo(choice->hosts);
    choice->hosts = NULL;
}

static int find_host(const struct local_choice *choice, int family, struct modcat_sockaddr *address)
{
    const struct addrinfo *item = choice->hosts;
    while (item != NULL && item->ai_family != family)
        item = item->ai_next;
    if (item != NULL) {
        sockaddr_copy(address, item->ai_addr, item->ai_addrlen);
        return 0;
    }
    if (choice->hosts == NULL && sockaddr_wildcard(family, address))
        return 0;
    errno = EAFNOSUPPORT;
    return -1;
}

int local_for_family(const struct local_choice *choice, int family, struct modcat_sockaddr *address)
{
    *address = (struct modcat_sockaddr){0};
    if (choice->hosts == NULL && choice->port < 0 && !choice->low)
        return 0;
    if (find_host(choice, family, address) < 0)
        return -1;
    if (choice->port >= 0)
        sockaddr_set_port(address, (uint16_t)choice->port);
    return 0;
}

/* Without preference, as for listening, the family that serves both where it can. */
static int family_to_receive(const struct modcat_opening *opening, int family)
{
    if (family == AF_UNSPEC)
        family = resolve_version_family(opening->settings->listen_version);
    return family == AF_UNSPEC ? AF_INET6 : family;
}

static int resolve_service(struct modcat_opening *opening, const struct modcat_transport *transport,
                           const char *host, const char *service, struct modcat_transport *actual,
                           struct modcat_sockaddr *address)
{
    struct addrinfo *list;
    if (modcat_resolve(opening, transport, host, service, AI_PASSIVE, &list) < 0)
        return -1;
    actual->family = list->ai_family;
    sockaddr_copy(address, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    return 0;
}

int local_for_service(struct modcat_opening *opening, const struct modcat_transport *transport,
                      const char *service, struct modcat_transport *actual,
                      struct modcat_sockaddr *address)
{
    const char *host = modcat_option_string(opening, "bind", NULL);
    *address = (struct modcat_sockaddr){.length = 0};
    *actual = transport_copy(transport);
    if (host != NULL && *host == '\0') {
        errno = EINVAL;
        return modcat_fail(opening, "option \"bind=\": address required");
    }
    if (host != NULL || service != NULL)
        return resolve_service(opening, transport, host, service, actual, address);
    actual->family = family_to_receive(opening, transport->family);
    return 0;
}
