#define _GNU_SOURCE
#include "core/services/net/socket.h"

#include "core/base/hint.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/sockaddr.h"
#include "core/base/words.h"
#include "core/opening/opening.h"
#include "core/options/effects.h"
#include "core/registry/registry.h"
#include "core/services/net/filter.h"
#include "core/services/net/transport.h"
#include "core/services/net/unix.h"
#include "core/values/groups.h"

#include <errno.h>
#include <linux/sctp.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* The ports that lowport chooses from. */
#define LOW_PORT_FIRST 640
#define LOW_PORT_LAST 1023

static const struct {
    const char *names;
    int family;
} families[] = {
    {"inet,inet4,ip4,ipv4", AF_INET},
    {"inet6,ip6,ipv6", AF_INET6},
};

/* Returns the family, or -1. */
static int read_family(const char *text)
{
    char *end;
    for (size_t i = 0; i < MODCAT_COUNT(families); i++)
        if (words_list_has(families[i].names, text))
            return families[i].family;
    errno = 0;
    long number = strtol(text, &end, 0);
    bool valid = errno == 0 && end != text && *end == '\0' && number >= 0 && number <= UINT16_MAX;
    return valid ? (int)number : -1;
}

const char *socket_check_family(const struct modcat_value *value)
{
    return read_family(value->string) >= 0 ? NULL
                                           : "unknown protocol family; use ip4, ip6 or a number";
}

int modcat_transport_chosen(struct modcat_opening *opening,
                            const struct modcat_transport *transport,
                            struct modcat_transport *actual)
{
    const char *family = modcat_option_string(opening, "protocol-family", NULL);
    *actual = transport_copy(transport);
    actual->protocol = (int)modcat_option_number(opening, "so-protocol", actual->protocol);
    if (!actual->fixed_type)
        actual->socktype = (int)modcat_option_number(opening, "so-type", actual->socktype);
    if (family != NULL)
        actual->family = read_family(family);
    return 0;
}

static int apply_phases(struct modcat_opening *opening, enum modcat_phase first,
                        enum modcat_phase last, int fd)
{
    enum modcat_phase phase = first;
    do
        if (modcat_apply(opening, phase, fd) < 0)
            return -1;
    while (groups_next_phase(&phase, last));
    return 0;
}

int socket_apply_early(struct modcat_opening *opening)
{
    return apply_phases(opening, MODCAT_PHASE_OFFSET, MODCAT_PHASE_EARLY, -1);
}

int modcat_socket(struct modcat_opening *opening, const struct modcat_transport *transport)
{
    struct modcat_transport actual;
    char reason[HINT_TEXT];
    if (socket_apply_early(opening) < 0 ||
        apply_phases(opening, MODCAT_PHASE_PRESOCKET, MODCAT_PHASE_SOCKET, -1) < 0 ||
        modcat_transport_chosen(opening, transport, &actual) < 0 ||
        filter_prepare(opening, actual.family) < 0)
        return -1;
    int fd = socket(actual.family, actual.socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, actual.protocol);
    if (fd < 0)
        return modcat_fail_call(opening, "make a socket for", modcat_keyword(opening),
                                hint_socket(&actual, reason), "socket(%d, %d, %d)", actual.family,
                                actual.socktype, actual.protocol);
    if (modcat_apply(opening, MODCAT_PHASE_PASTSOCKET, fd) < 0) {
        memory_close_local(&fd);
        return -1;
    }
    return fd;
}

int socket_fail_bind(const struct modcat_opening *opening, int fd,
                     const struct modcat_sockaddr *local)
{
    char text[MODCAT_SOCKADDR_TEXT], plain[SOCKADDR_PLAIN_TEXT], reason[HINT_TEXT];
    return modcat_fail_call(opening, "bind to", sockaddr_plain_text(local, plain),
                            hint_bind(fd, local, reason), "bind(%d, {%s}, %u)", fd,
                            modcat_sockaddr_text(&local->u.any, local->length, text),
                            local->length);
}

static int bind_address(struct modcat_opening *opening, int fd, const struct modcat_sockaddr *local)
{
    if (local->length > 0 && local->u.any.sa_family == AF_UNIX)
        return unix_bind(opening, fd, local);
    if (local->length == 0 || bind(fd, &local->u.any, local->length) == 0)
        return 0;
    return socket_fail_bind(opening, fd, local);
}

static unsigned random_below(unsigned limit)
{
    unsigned number = (unsigned)getpid();
    (void)!getrandom(&number, sizeof number, GRND_NONBLOCK);
    return number % limit;
}

/* Starts anywhere and goes down, so that several programs seldom meet. */
static int bind_low_port(struct modcat_opening *opening, int fd,
                         const struct modcat_sockaddr *local)
{
    const unsigned count = LOW_PORT_LAST - LOW_PORT_FIRST + 1;
    struct modcat_sockaddr address = *local;
    unsigned start = random_below(count);
    for (unsigned i = 0; i < count; i++) {
        sockaddr_set_port(&address, (uint16_t)(LOW_PORT_FIRST + (start + count - i) % count));
        if (bind(fd, &address.u.any, address.length) == 0)
            return 0;
        if (errno != EADDRINUSE)
            return socket_fail_bind(opening, fd, &address);
    }
    errno = EADDRINUSE;
    return modcat_fail(opening, "no low port available");
}

typedef int bind_fn(struct modcat_opening *opening, int fd, const struct modcat_sockaddr *local);

static int bind_with_options(struct modcat_opening *opening, int fd,
                             const struct modcat_sockaddr *local, bind_fn *how)
{
    if (apply_phases(opening, MODCAT_PHASE_PREBIND, MODCAT_PHASE_BIND, fd) < 0)
        return -1;
    return how(opening, fd, local);
}

int modcat_bind(struct modcat_opening *opening, int fd, const struct modcat_sockaddr *local)
{
    return bind_with_options(opening, fd, local, bind_address);
}

int socket_bind_low(struct modcat_opening *opening, int fd, const struct modcat_sockaddr *local)
{
    return bind_with_options(opening, fd, local, bind_low_port);
}

bool socket_is_tcp(int fd)
{
    int family = 0, protocol = 0;
    socklen_t size = sizeof family;
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 &&
           getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
           (family == AF_INET || family == AF_INET6) && protocol == IPPROTO_TCP;
}

int socket_bind_listening(struct modcat_opening *opening, int fd,
                          const struct modcat_sockaddr *local)
{
    const int on = 1;
    if (socket_is_tcp(fd) && address_find_option(opening->address, "so-reuseaddr") == NULL &&
        socket_set(opening, fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        return -1;
    return modcat_bind(opening, fd, local);
}

int socket_set(struct modcat_opening *opening, int fd, int level, int name, const void *data,
               size_t length)
{
    if (setsockopt(fd, level, name, data, (socklen_t)length) == 0)
        return 0;
    char reason[HINT_TEXT];
    const struct address_option *option = opening->carried_out;
    if (option != NULL)
        return effects_fail(opening, &option->entry->option, &option->value,
                            hint_sockopt(level, name, reason), "setsockopt(%d, %d, %d, {...}, %zu)",
                            fd, level, name, length);
    return modcat_fail_call(opening, "set a socket option of", modcat_keyword(opening),
                            hint_sockopt(level, name, reason), "setsockopt(%d, %d, %d, {...}, %zu)",
                            fd, level, name, length);
}

void socket_own_address(int fd, struct modcat_sockaddr *address)
{
    *address = (struct modcat_sockaddr){.length = sizeof address->u.storage};
    if (getsockname(fd, &address->u.any, &address->length) < 0)
        address->length = 0;
}

static int number_of(int fd, int name)
{
    int number = -1;
    socklen_t size = sizeof number;
    return getsockopt(fd, SOL_SOCKET, name, &number, &size) == 0 ? number : -1;
}

bool socket_is_stream(int fd)
{
    int type = number_of(fd, SO_TYPE);
    return type < 0 || type == SOCK_STREAM;
}

/* SCTP has no half-closed state (RFC 9260, section 1.3): shutdown(2) of the write side would refuse
 * what the peer has yet to say. */
bool socket_closes_whole(int fd)
{
    return number_of(fd, SO_PROTOCOL) == IPPROTO_SCTP;
}

void socket_fill_endpoint(int fd, struct socket_kind kind, struct modcat_endpoint *endpoint)
{
    endpoint->read_fd = fd;
    endpoint->write_fd = fd;
    endpoint->flags = MODCAT_END_SOCKET;
    endpoint->half_close = kind.closes_whole ? MODCAT_HALF_NONE : MODCAT_HALF_SHUTDOWN;
    endpoint->ops = NULL;
}

void socket_mark_own(const struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    for (size_t i = 0; i < opening->address->option_count; i++)
        if (opening->address->options[i].entry->option.effect == MODCAT_STATUS_FLAG)
            return;
    endpoint->flags |= SOCKET_OWN;
}

bool socket_count_dropped(int fd, unsigned *dropped)
{
    uint32_t numbers[SK_MEMINFO_VARS];
    socklen_t size = sizeof numbers;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, numbers, &size) < 0 ||
        size < (SK_MEMINFO_DROPS + 1) * sizeof numbers[0])
        return false;
    *dropped = numbers[SK_MEMINFO_DROPS];
    return true;
}

struct socket_kind socket_kind_of(int fd)
{
    return (struct socket_kind){
        .is_stream = socket_is_stream(fd),
        .closes_whole = socket_closes_whole(fd),
    };
}

bool socket_association(int fd, size_t *untaken)
{
    struct sctp_status status = {0};
    socklen_t size = sizeof status;
    if (getsockopt(fd, IPPROTO_SCTP, SCTP_STATUS, &status, &size) < 0)
        return false;
    *untaken = status.sstat_unackdata;
    return true;
}

/* shutdown(2) of DCCP does nothing. */
enum socket_parting socket_parting_of(int fd)
{
    int type = number_of(fd, SO_TYPE), family = number_of(fd, SO_DOMAIN);
    if (number_of(fd, SO_PROTOCOL) == IPPROTO_DCCP)
        return SOCKET_PARTS_UNTOLD;
    if (type != SOCK_STREAM && type != SOCK_SEQPACKET)
        return SOCKET_NO_CONNECTION;
    return family == AF_INET || family == AF_INET6 ? SOCKET_PARTS_UNTAKEN : SOCKET_PARTS_RECEIVED;
}

void socket_log_chosen_port(int fd, const struct modcat_sockaddr *asked, const char *who)
{
    struct modcat_sockaddr local;
    char text[MODCAT_SOCKADDR_TEXT];
    if (asked->length == 0 || sockaddr_port(&asked->u.any, asked->length) != 0)
        return;
    socket_own_address(fd, &local);
    log_notice("%s: bound to %s", who, modcat_sockaddr_text(&local.u.any, local.length, text));
}
