/* What the user asks for: parameters, options and environment. */

#define _GNU_SOURCE
#include "socks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <modcat/layer.h>
#include <modcat/net.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail_text(const struct modcat_opening *opening, const char *what, const char *text,
                     const char *fault)
{
    errno = EINVAL;
    return modcat_fail(opening, "%s \"%.300s\" %s", what, text, fault);
}

/* SOCKS 4 carries nothing but IPv4 addresses. */
static int resolve_host(struct modcat_opening *opening, const char *host, struct socks_host *target)
{
    static const struct modcat_transport tcp4 = {
        .size = sizeof(struct modcat_transport), .family = AF_INET, .socktype = SOCK_STREAM};
    char text[INET_ADDRSTRLEN];
    struct addrinfo *list;
    uint16_t port = target->port;
    if (modcat_resolve(opening, &tcp4, host, NULL, 0, &list) < 0)
        return -1;
    const struct sockaddr_in *address = (const void *)list->ai_addr;
    bool usable = address->sin_family == AF_INET;
    if (usable)
        socks_host_parse(inet_ntop(AF_INET, &address->sin_addr, text, sizeof text), target);
    target->port = port;
    freeaddrinfo(list);
    return usable ? 0 : fail_text(opening, "host", host, "has no IPv4 address");
}

/* A server takes 0.0.0.1 and its neighbours for the sign of SOCKS 4A. */
static bool means_4a(const struct socks_host *target)
{
    static const uint8_t zeros[3];
    return target->kind == SOCKS_IP4 && memcmp(target->bytes, zeros, sizeof zeros) == 0 &&
           target->bytes[3] != 0;
}

static int fit_socks4(struct modcat_opening *opening, const char *host, struct socks_host *target)
{
    if (target->kind == SOCKS_IP6)
        return fail_text(opening, "host", host,
                         "is not an IPv4 address, and SOCKS4 knows no other");
    if (means_4a(target))
        return fail_text(opening, "host", host, "is no address that SOCKS4 can reach");
    return target->kind == SOCKS_NAME ? resolve_host(opening, host, target) : 0;
}

/* In SOCKS 4A all hosts are texts. */
static void fit_socks4a(struct socks_host *target)
{
    char text[INET6_ADDRSTRLEN];
    if (target->kind == SOCKS_NAME)
        return;
    inet_ntop(target->kind == SOCKS_IP6 ? AF_INET6 : AF_INET, target->bytes, text, sizeof text);
    target->kind = SOCKS_NAME;
    target->length = (uint8_t)strlen(text);
    memcpy(target->bytes, text, target->length);
}

static int take_target(struct modcat_opening *opening, struct socks_wish *wish)
{
    const struct socks_kind *kind = modcat_type_data(opening);
    const char *host, *port;
    if (modcat_target(opening, &host, &port) < 0)
        return -1;
    const char *fault = socks_host_parse(host, &wish->target);
    if (fault != NULL)
        return fail_text(opening, "host", host, fault);
    int number = modcat_port_number(opening, port);
    if (number < 0)
        return -1;
    wish->target.port = (uint16_t)number;
    wish->target_name = host;
    snprintf(wish->target_text, sizeof wish->target_text, "%s:%s", host, port);
    if (kind->version == 5)
        return 0;
    if (!kind->names)
        return fit_socks4(opening, host, &wish->target);
    fit_socks4a(&wish->target);
    return 0;
}

static int check_length(const struct modcat_opening *opening, const char *what, const char *text,
                        size_t least)
{
    size_t length = strlen(text);
    if (length >= least && length <= SOCKS_TEXT_MAX)
        return 0;
    errno = EINVAL;
    return modcat_fail(opening, "%s is %zu bytes long; must be %zu to %d", what, length, least,
                       SOCKS_TEXT_MAX);
}

static char *copy_text(const struct modcat_opening *opening, const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL)
        modcat_fail(opening, "out of memory");
    return copy;
}

static int take_user(struct modcat_opening *opening, struct socks_wish *wish)
{
    const char *user = modcat_option_string(opening, "socksuser", NULL);
    if (user == NULL)
        user = getenv("LOGNAME");
    if (user == NULL)
        user = getenv("USER");
    wish->user = copy_text(opening, user != NULL ? user : "anonymous");
    return wish->user == NULL ? -1 : check_length(opening, "the user name", wish->user, 0);
}

/* The options that give a password; the first two hold it, the last one names a file. */
static const char *const password_options[] = {"socks-password", "sockspass",
                                               "socks-password-file"};

static int take_password(struct modcat_opening *opening, struct socks_wish *wish)
{
    const char *given[MODCAT_COUNT(password_options)];
    size_t count = 0;
    for (size_t i = 0; i < MODCAT_COUNT(password_options); i++) {
        given[i] = modcat_option_string(opening, password_options[i], NULL);
        count += given[i] != NULL;
    }
    if (count > 1) {
        errno = EINVAL;
        return modcat_fail(opening, "use only one of the options socks-password, sockspass and "
                                    "socks-password-file");
    }
    const char *password = given[0] != NULL ? given[0] : given[1], *file = given[2];
    if (password == NULL && file == NULL)
        password = modcat_secret_from_environment("MODCAT_SOCKS_PASSWORD");
    if (password == NULL && file == NULL)
        return 0;
    wish->password =
        file != NULL ? modcat_read_secret(opening, file) : copy_text(opening, password);
    if (wish->password == NULL)
        return -1;
    modcat_wipe_when_open(opening, wish->password);
    return 0;
}

/* Version 4 has no passwords: one in the environment is meant for others. */
static int check_login(struct modcat_opening *opening, const struct socks_wish *wish)
{
    const struct socks_kind *kind = modcat_type_data(opening);
    if (wish->password == NULL || kind->version == 4)
        return 0;
    return check_length(opening, "the password", wish->password, 1) < 0 ||
                   check_length(opening, "the user name", wish->user, 1) < 0
               ? -1
               : 0;
}

static int refuse_port(struct modcat_opening *opening)
{
    if (!modcat_is_stacked(opening) || modcat_option_value(opening, "socksport") == NULL)
        return 0;
    errno = EINVAL;
    return modcat_fail(opening, "option socksport has no effect here: the address below leads to "
                                "the server; leave it out");
}

static void wipe(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

void socks_release(void *prepared)
{
    struct socks_wish *wish = prepared;
    free(wish->user);
    wipe(wish->password);
    free(wish);
}

int socks_prepare(struct modcat_opening *opening, void **prepared)
{
    struct socks_wish *wish = calloc(1, sizeof *wish);
    if (wish == NULL)
        return modcat_fail(opening, "out of memory");
    if (refuse_port(opening) < 0 || take_target(opening, wish) < 0 ||
        take_user(opening, wish) < 0 || take_password(opening, wish) < 0 ||
        check_login(opening, wish) < 0) {
        int error = errno;
        socks_release(wish);
        errno = error;
        return -1;
    }
    *prepared = wish;
    return 0;
}
