#define _GNU_SOURCE
#include "wish.h"

#include <arpa/inet.h>
#include <errno.h>
#include <modcat/layer.h>
#include <modcat/net.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_MAX 255

static const struct modcat_transport tcp = {
    .size = sizeof(struct modcat_transport), .family = AF_UNSPEC, .socktype = SOCK_STREAM};

static int fail_text(const struct modcat_opening *opening, const char *what, const char *text,
                     const char *fault)
{
    errno = EINVAL;
    return modcat_fail(opening, "%s \"%.300s\" %s", what, text, fault);
}

static int no_memory(const struct modcat_opening *opening)
{
    return modcat_fail(opening, "out of memory");
}

/* Blanks and line ends would make another request of it. */
static bool fits_request(const char *text)
{
    for (const unsigned char *byte = (const unsigned char *)text; *byte != '\0'; byte++)
        if (*byte <= ' ' || *byte == 0x7f)
            return false;
    return true;
}

static const char *fault_of_text(const char *text)
{
    if (text[0] == '\0')
        return "is empty";
    if (strlen(text) > HOST_MAX)
        return "is longer than 255 bytes";
    return fits_request(text) ? NULL : "holds a blank or a control character";
}

/* Takes the text between brackets, or without them. */
static bool is_ip6(const char *text, size_t length)
{
    char plain[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (length >= sizeof plain)
        return false;
    memcpy(plain, text, length);
    plain[length] = '\0';
    return inet_pton(AF_INET6, plain, &address) == 1;
}

static int take_ip6(struct modcat_opening *opening, const char *text, struct proxy_wish *wish)
{
    size_t length = strlen(text);
    bool brackets = length > 2 && text[0] == '[' && text[length - 1] == ']';
    if (brackets ? !is_ip6(text + 1, length - 2) : !is_ip6(text, length))
        return fail_text(opening, "host", text, "is not an IPv6 address");
    if (asprintf(&wish->host, brackets ? "%s" : "[%s]", text) >= 0)
        return 0;
    wish->host = NULL;
    return no_memory(opening);
}

static int take_host(struct modcat_opening *opening, const char *text, struct proxy_wish *wish)
{
    const char *fault = fault_of_text(text);
    wish->name = text;
    if (fault != NULL)
        return fail_text(opening, "host", text, fault);
    if (strpbrk(text, ":[]") != NULL)
        return take_ip6(opening, text, wish);
    wish->host = strdup(text);
    return wish->host != NULL ? 0 : no_memory(opening);
}

static int set_address(struct modcat_opening *opening, const struct addrinfo *item,
                       struct proxy_wish *wish)
{
    char text[NI_MAXHOST];
    int code =
        getnameinfo(item->ai_addr, item->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
    if (code != 0)
        return modcat_fail(opening, "cannot write the address as a number: %s", gai_strerror(code));
    free(wish->host);
    wish->host = NULL;
    if (asprintf(&wish->host, item->ai_family == AF_INET6 ? "[%s]" : "%s", text) >= 0)
        return 0;
    wish->host = NULL;
    return no_memory(opening);
}

/* Looks the host up here, with option resolve. */
static int resolve_host(struct modcat_opening *opening, struct proxy_wish *wish)
{
    struct addrinfo *list;
    if (!modcat_option_bool(opening, "proxy-resolve", false))
        return 0;
    if (modcat_resolve(opening, &tcp, wish->host, NULL, 0, &list) < 0)
        return -1;
    int result = set_address(opening, list, wish);
    freeaddrinfo(list);
    return result;
}

static int take_target(struct modcat_opening *opening, struct proxy_wish *wish)
{
    const char *host, *port;
    if (modcat_target(opening, &host, &port) < 0 || take_host(opening, host, wish) < 0)
        return -1;
    int number = modcat_port_number(opening, port);
    if (number < 0)
        return -1;
    snprintf(wish->port, sizeof wish->port, "%d", number);
    return resolve_host(opening, wish);
}

static int take_version(struct modcat_opening *opening, struct proxy_wish *wish)
{
    wish->version = modcat_option_string(opening, "http-version", "1.0");
    if (strcmp(wish->version, "1.0") == 0 || strcmp(wish->version, "1.1") == 0)
        return 0;
    return fail_text(opening, "http-version", wish->version, "is neither 1.0 nor 1.1");
}

static int take_login(struct modcat_opening *opening, struct proxy_wish *wish)
{
    const char *login = modcat_option_string(opening, "proxy-authorization", NULL);
    const char *file = modcat_option_string(opening, "proxy-authorization-file", NULL);
    if (login != NULL && file != NULL) {
        errno = EINVAL;
        return modcat_fail(opening, "use only one of the options proxy-authorization and "
                                    "proxy-authorization-file");
    }
    if (login == NULL && file == NULL)
        return 0;
    wish->login = file != NULL ? modcat_read_secret(opening, file) : strdup(login);
    if (wish->login == NULL)
        return file != NULL ? -1 : no_memory(opening);
    modcat_wipe_when_open(opening, wish->login);
    return 0;
}

static int refuse_port(struct modcat_opening *opening)
{
    if (!modcat_is_stacked(opening) || modcat_option_value(opening, "proxyport") == NULL)
        return 0;
    errno = EINVAL;
    return modcat_fail(opening, "option proxyport has no effect here: the address below leads to "
                                "the proxy; leave it out");
}

void proxy_release(void *prepared)
{
    struct proxy_wish *wish = prepared;
    free(wish->host);
    if (wish->login != NULL)
        explicit_bzero(wish->login, strlen(wish->login));
    free(wish->login);
    free(wish);
}

int proxy_prepare(struct modcat_opening *opening, void **prepared)
{
    struct proxy_wish *wish = calloc(1, sizeof *wish);
    if (wish == NULL)
        return no_memory(opening);
    wish->bare_ends = modcat_option_bool(opening, "ignorecr", false);
    if (refuse_port(opening) < 0 || take_version(opening, wish) < 0 ||
        take_target(opening, wish) < 0 || take_login(opening, wish) < 0) {
        int error = errno;
        proxy_release(wish);
        errno = error;
        return -1;
    }
    *prepared = wish;
    return 0;
}
