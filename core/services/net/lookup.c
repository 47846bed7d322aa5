#define _GNU_SOURCE
#include "core/services/net/lookup.h"

#include "core/base/memory.h"
#include "core/opening/opening.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A look-up as the worker sees it: it owns all of it, for it may outlive the opening. */
struct request {
    struct addrinfo hints;
    unsigned long res_set, res_cleared; /* bits of _res.options */
    int res_retrans, res_retry;
    char *host, *service, *name_server; /* behind the struct, or NULL */
    int code;                           /* what getaddrinfo(3) returned */
    int error;                          /* errno of EAI_SYSTEM */
    struct addrinfo *result;
};

#define PORT_IS_NAME (-1)
#define PORT_TOO_LARGE (-2)

/* Reads a port, in any base that C knows. Returns it, or what it is instead. */
static long read_port(const char *service)
{
    char *end;
    if (service == NULL)
        return 0;
    if (*service < '0' || *service > '9')
        return PORT_IS_NAME;
    errno = 0;
    unsigned long port = strtoul(service, &end, 0);
    if (*end != '\0')
        return PORT_IS_NAME;
    return errno != 0 || port > 65535 ? PORT_TOO_LARGE : (long)port;
}

/* getaddrinfo(3) knows few combinations of type and protocol: it is asked for the best known one,
 * and the result is given the wanted one. */
static struct addrinfo hints_for(const struct lookup *lookup)
{
    struct addrinfo hints = {.ai_flags = lookup->flags, .ai_family = lookup->family};
    hints.ai_socktype = lookup->socktype == SOCK_DGRAM ? SOCK_DGRAM : SOCK_STREAM;
    hints.ai_protocol = hints.ai_socktype == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;
    return hints;
}

static void set_port(struct addrinfo *item, long port)
{
    if (item->ai_family == AF_INET)
        ((struct sockaddr_in *)(void *)item->ai_addr)->sin_port = htons((uint16_t)port);
    else if (item->ai_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)item->ai_addr)->sin6_port = htons((uint16_t)port);
}

static void adapt(struct addrinfo *list, const struct lookup *lookup, long port)
{
    for (struct addrinfo *item = list; item != NULL; item = item->ai_next) {
        item->ai_socktype = lookup->socktype;
        item->ai_protocol = lookup->protocol;
        if (port >= 0)
            set_port(item, port);
    }
}

/* A wildcard, or a host that is a number: no look-up is made, so nothing blocks. */
static int run_numeric(const struct lookup *lookup, struct addrinfo **result)
{
    struct addrinfo hints = hints_for(lookup);
    hints.ai_flags = (hints.ai_flags & ~AI_ADDRCONFIG) | AI_NUMERICHOST | AI_NUMERICSERV;
    if (lookup->host != NULL)
        hints.ai_family = lookup->number_family;
    return getaddrinfo(lookup->host, "0", &hints, result);
}

/* Asks a certain name server: "host" or "host:port". Returns 0 or an EAI_ code. */
static int use_name_server(char *name)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM}, *result;
    char *colon = strrchr(name, ':');
    if (colon != NULL)
        *colon = '\0';
    int code = getaddrinfo(name, colon != NULL ? colon + 1 : "53", &hints, &result);
    if (code != 0)
        return code;
    memcpy(&_res.nsaddr_list[0], result->ai_addr, sizeof _res.nsaddr_list[0]);
    _res.nscount = 1;
    freeaddrinfo(result);
    return 0;
}

static void set_resolver(const struct request *request)
{
    _res.options = (_res.options & ~request->res_cleared) | request->res_set;
    if (request->res_retrans > 0)
        _res.retrans = request->res_retrans;
    if (request->res_retry > 0)
        _res.retry = request->res_retry;
}

/* A machine without /etc/hosts knows "localhost" all the same (RFC 6761, section 6.3): loopback is
 * what getaddrinfo(3) returns for no host. */
static int ask(struct request *request)
{
    int code = getaddrinfo(request->host, request->service, &request->hints, &request->result);
    bool unknown = code == EAI_NONAME || code == EAI_AGAIN || code == EAI_FAIL;
    if (!unknown || request->host == NULL || strcasecmp(request->host, "localhost") != 0 ||
        (request->hints.ai_flags & AI_NUMERICHOST) != 0)
        return code;
    struct addrinfo hints = request->hints;
    hints.ai_flags &= ~(AI_PASSIVE | AI_CANONNAME);
    const char *service = request->service != NULL ? request->service : "0";
    return getaddrinfo(NULL, service, &hints, &request->result) == 0 ? 0 : code;
}

/* Runs in a thread of its own, so that _res is its own, too. */
static void work(void *argument)
{
    struct request *request = argument;
    res_init();
    set_resolver(request);
    if (request->name_server != NULL)
        request->code = use_name_server(request->name_server);
    if (request->code == 0)
        request->code = ask(request);
    request->error = errno;
}

static void discard(void *argument)
{
    struct request *request = argument;
    if (request->result != NULL)
        freeaddrinfo(request->result);
    free(request);
}

static char *place(char **space, const char *text)
{
    if (text == NULL)
        return NULL;
    char *start = memcpy(*space, text, strlen(text) + 1);
    *space += strlen(text) + 1;
    return start;
}

static size_t room(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

static struct request *new_request(const struct modcat_opening *opening,
                                   const struct lookup *lookup, const char *service)
{
    const struct opening_settings *set = &opening->set;
    struct request *request = memory_zeroed(1, sizeof *request + room(lookup->host) +
                                                   room(service) + room(set->res_nsaddr));
    char *space = (char *)(request + 1);
    request->hints = hints_for(lookup);
    request->res_set = set->res_options_set;
    request->res_cleared = set->res_options_cleared;
    request->res_retrans = set->res_retrans;
    request->res_retry = set->res_retry;
    request->host = place(&space, lookup->host);
    request->service = place(&space, service);
    request->name_server = place(&space, set->res_nsaddr);
    return request;
}

static int run_blocking(struct modcat_opening *opening, const struct lookup *lookup,
                        const char *service, struct addrinfo **result)
{
    struct request *request = new_request(opening, lookup, service);
    if (modcat_call_blocking(opening, work, discard, request) < 0)
        return LOOKUP_CANCELED;
    int code = request->code;
    *result = request->result;
    errno = request->error;
    free(request);
    return code;
}

/* The name of a service is looked up for a host that is none. */
static int run_service_name(struct modcat_opening *opening, const struct lookup *lookup,
                            struct addrinfo **result)
{
    struct lookup number = *lookup;
    number.flags = (number.flags & ~AI_ADDRCONFIG) | AI_NUMERICHOST;
    if (number.host != NULL)
        number.family = number.number_family;
    freeaddrinfo(*result);
    *result = NULL;
    return run_blocking(opening, &number, number.service, result);
}

int lookup_run(struct modcat_opening *opening, const struct lookup *lookup,
               struct addrinfo **result)
{
    long port = read_port(lookup->service);
    *result = NULL;
    if (port == PORT_TOO_LARGE)
        return EAI_SERVICE;
    int code = run_numeric(lookup, result);
    if (code == EAI_NONAME && (lookup->flags & AI_NUMERICHOST) == 0)
        code = run_blocking(opening, lookup, port >= 0 ? NULL : lookup->service, result);
    else if (code == 0 && port == PORT_IS_NAME)
        code = run_service_name(opening, lookup, result);
    if (code == 0)
        adapt(*result, lookup, port);
    return code;
}
