#define _GNU_SOURCE
#include "core/services/datagram/ancillary.h"

#include "core/base/log.h"
#include "core/base/sockaddr.h"
#include "core/opening/environment.h"
#include "core/opening/opening.h"
#include "core/opening/session_state.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

/* How long a value may be: all bytes of the longest IPv6 options that are shown, in hex. */
#define VALUE_MAX 520

/* As many collected errors are told in one go; what comes on and on must not keep us here. */
#define ERRORS_MAX 64

struct row;

/* One control message that is being told. */
struct telling {
    const struct row *row;
    const unsigned char *data;
    size_t length;
    struct modcat_opening *opening; /* or NULL: no environment */
};

/* What a control message is called, and how its data are shown. `least` is the least length of data
 * that it needs. */
struct row {
    int level;
    int type;
    const char *name;     /* as info messages call it */
    const char *label;    /* as messages call its value */
    const char *variable; /* for the environment */
    size_t least;
    void (*tell)(const struct telling *telling);
};

static void tell_value(const struct telling *telling, const char *label, const char *variable,
                       const char *value)
{
    log_info("ancillary message: %s: %s=%s", telling->row->name, label, value);
    if (telling->opening != NULL)
        modcat_setenv(telling->opening, variable, value);
}

static void tell_text(const struct telling *telling, const char *value)
{
    log_notice("Ancillary message: %s=%s", telling->row->label, value);
    tell_value(telling, telling->row->label, telling->row->variable, value);
}

/* The kernel sends the type of service as one byte, all else as int. */
static int number_of(const struct telling *telling)
{
    int number;
    if (telling->length < sizeof number)
        return telling->data[0];
    memcpy(&number, telling->data, sizeof number);
    return number;
}

static void tell_number(const struct telling *telling)
{
    char text[16];
    snprintf(text, sizeof text, "%d", number_of(telling));
    tell_text(telling, text);
}

static void tell_hex_number(const struct telling *telling)
{
    char text[16];
    snprintf(text, sizeof text, "x%08x", (unsigned)number_of(telling));
    tell_text(telling, text);
}

static void tell_bytes(const struct telling *telling)
{
    char text[VALUE_MAX] = "x";
    for (size_t i = 0; i < telling->length && 2 * i + 4 < sizeof text; i++)
        snprintf(text + 1 + 2 * i, 3, "%02x", telling->data[i]);
    tell_text(telling, text);
}

static void tell_time(const struct telling *telling)
{
    struct timeval stamp;
    struct tm parts;
    char date[64], text[96];
    memcpy(&stamp, telling->data, sizeof stamp);
    if (localtime_r(&stamp.tv_sec, &parts) == NULL ||
        strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y", &parts) == 0)
        return;
    snprintf(text, sizeof text, "%s, %06ld usecs", date, (long)stamp.tv_usec);
    tell_text(telling, text);
}

static const char *interface_name(unsigned index, char name[IF_NAMESIZE])
{
    if (if_indextoname(index, name) == NULL)
        snprintf(name, IF_NAMESIZE, "%u", index);
    return name;
}

static const char *ip4_text(struct in_addr host, char text[SOCKADDR_HOST_TEXT])
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = host};
    return sockaddr_host_text((const struct sockaddr *)&address, sizeof address, text);
}

static void tell_pktinfo(const struct telling *telling)
{
    struct in_pktinfo info;
    char name[IF_NAMESIZE], local[SOCKADDR_HOST_TEXT], destination[SOCKADDR_HOST_TEXT];
    memcpy(&info, telling->data, sizeof info);
    interface_name((unsigned)info.ipi_ifindex, name);
    ip4_text(info.ipi_spec_dst, local);
    ip4_text(info.ipi_addr, destination);
    log_notice("Ancillary message: interface \"%s\", locaddr=%s, dstaddr=%s", name, local,
               destination);
    tell_value(telling, "if", "IP_IF", name);
    tell_value(telling, "locaddr", "IP_LOCADDR", local);
    tell_value(telling, "dstaddr", "IP_DSTADDR", destination);
}

static void tell_pktinfo6(const struct telling *telling)
{
    struct in6_pktinfo info;
    struct sockaddr_in6 address = {.sin6_family = AF_INET6};
    char name[IF_NAMESIZE], destination[SOCKADDR_HOST_TEXT];
    memcpy(&info, telling->data, sizeof info);
    interface_name(info.ipi6_ifindex, name);
    address.sin6_addr = info.ipi6_addr;
    sockaddr_host_text((const struct sockaddr *)&address, sizeof address, destination);
    log_notice("Ancillary message: interface \"%s\", dstaddr=%s", name, destination);
    tell_value(telling, "dstaddr", "IPV6_DSTADDR", destination);
    tell_value(telling, "if", "IPV6_IF", name);
}

/* For messages only: what has failed is an earlier packet that this host sent. */
static void tell_error(const struct telling *telling)
{
    struct sock_extended_err error;
    memcpy(&error, telling->data, sizeof error);
    log_notice("Ancillary message: error=%s, origin=%d, type=%d, code=%d, info=%u, data=%u",
               strerror((int)error.ee_errno), error.ee_origin, error.ee_type, error.ee_code,
               error.ee_info, error.ee_data);
}

static const struct row rows[] = {
    {SOL_SOCKET, SCM_TIMESTAMP, "SCM_TIMESTAMP", "timestamp", "TIMESTAMP", sizeof(struct timeval),
     tell_time},
    {IPPROTO_IP, IP_PKTINFO, "IP_PKTINFO", "", "IP_IF", sizeof(struct in_pktinfo), tell_pktinfo},
    {IPPROTO_IP, IP_TTL, "IP_TTL", "ttl", "IP_TTL", sizeof(int), tell_number},
    {IPPROTO_IP, IP_TOS, "IP_TOS", "tos", "IP_TOS", 1, tell_number},
    {IPPROTO_IP, IP_RECVOPTS, "IP_OPTIONS", "options", "IP_OPTIONS", 1, tell_bytes},
    {IPPROTO_IP, IP_RETOPTS, "IP_RETOPTS", "options", "IP_OPTIONS", 1, tell_bytes},
    {IPPROTO_IP, IP_RECVERR, "IP_RECVERR", "", "IP_RECVERR", sizeof(struct sock_extended_err),
     tell_error},
    {IPPROTO_IPV6, IPV6_PKTINFO, "IPV6_PKTINFO", "", "IPV6_IF", sizeof(struct in6_pktinfo),
     tell_pktinfo6},
    {IPPROTO_IPV6, IPV6_HOPLIMIT, "IPV6_HOPLIMIT", "hoplimit", "IPV6_HOPLIMIT", sizeof(int),
     tell_number},
    {IPPROTO_IPV6, IPV6_TCLASS, "IPV6_TCLASS", "tclass", "IPV6_TCLASS", sizeof(int),
     tell_hex_number},
    {IPPROTO_IPV6, IPV6_RTHDR, "IPV6_RTHDR", "rthdr", "IPV6_RTHDR", 1, tell_bytes},
    {IPPROTO_IPV6, IPV6_HOPOPTS, "IPV6_HOPOPTS", "hopopts", "IPV6_HOPOPTS", 1, tell_bytes},
    {IPPROTO_IPV6, IPV6_DSTOPTS, "IPV6_DSTOPTS", "dstopts", "IPV6_DSTOPTS", 1, tell_bytes},
    {IPPROTO_IPV6, IPV6_RECVERR, "IPV6_RECVERR", "", "IPV6_RECVERR",
     sizeof(struct sock_extended_err), tell_error},
};

/* Those that no row names, for a message tells more than one thing. */
static const char *const further_variables[] = {"IP_LOCADDR", "IP_DSTADDR", "IPV6_DSTADDR"};

static const struct row *row_of(const struct cmsghdr *header)
{
    for (size_t i = 0; i < MODCAT_COUNT(rows); i++)
        if (rows[i].level == header->cmsg_level && rows[i].type == header->cmsg_type)
            return &rows[i];
    return NULL;
}

static void forget_earlier(struct modcat_opening *opening)
{
    struct environment *environment = opening->session->environment;
    for (size_t i = 0; i < MODCAT_COUNT(rows); i++)
        environment_set_prefixed(environment, rows[i].variable, NULL);
    for (size_t i = 0; i < MODCAT_COUNT(further_variables); i++)
        environment_set_prefixed(environment, further_variables[i], NULL);
}

static struct msghdr message_of(const struct packet_facts *facts)
{
    return (struct msghdr){.msg_control = (void *)facts->control,
                           .msg_controllen = facts->control_length};
}

void ancillary_tell(const struct packet_facts *facts, struct modcat_opening *opening)
{
    struct msghdr message = message_of(facts);
    if (opening != NULL)
        forget_earlier(opening);
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
         header = CMSG_NXTHDR(&message, header)) {
        struct telling telling = {
            .row = row_of(header),
            .data = CMSG_DATA(header),
            .length = header->cmsg_len - CMSG_LEN(0),
            .opening = opening,
        };
        if (telling.row != NULL && telling.length >= telling.row->least)
            telling.row->tell(&telling);
    }
}

static bool is_set(int fd, int level, int name)
{
    int on = 0;
    socklen_t size = sizeof on;
    return getsockopt(fd, level, name, &on, &size) == 0 && on != 0;
}

bool ancillary_collects_errors(int fd)
{
    int saved = errno;
    bool collects = is_set(fd, IPPROTO_IP, IP_RECVERR) || is_set(fd, IPPROTO_IPV6, IPV6_RECVERR);
    errno = saved;
    return collects;
}

/* Says which packet has failed, why, and who says so. Anybody can forge that. */
static void tell_failed_packet(const struct packet_facts *facts)
{
    struct msghdr message = message_of(facts);
    char target[MODCAT_SOCKADDR_TEXT];
    modcat_sockaddr_text(&facts->from.u.any, facts->from.length, target);
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
         header = CMSG_NXTHDR(&message, header)) {
        struct {
            struct sock_extended_err error;
            struct sockaddr_in6 offender;
        } told = {.offender.sin6_family = AF_UNSPEC};
        const struct row *row = row_of(header);
        size_t length = header->cmsg_len - CMSG_LEN(0);
        if (row == NULL || row->tell != tell_error || length < sizeof told.error)
            continue;
        memcpy(&told, CMSG_DATA(header), length < sizeof told ? length : sizeof told);
        char host[SOCKADDR_HOST_TEXT] = "this host";
        if (told.error.ee_origin != SO_EE_ORIGIN_LOCAL && told.offender.sin6_family != AF_UNSPEC)
            sockaddr_host_text((const struct sockaddr *)&told.offender, sizeof told.offender, host);
        log_notice("packet to %s failed: %s, says %s", target, strerror((int)told.error.ee_errno),
                   host);
    }
}

int ancillary_tell_errors(int fd)
{
    struct packet_facts facts = {0};
    int saved = errno, count = 0;
    for (; count < ERRORS_MAX; count++) {
        struct msghdr message = {.msg_name = &facts.from.u.storage,
                                 .msg_namelen = sizeof facts.from.u.storage,
                                 .msg_control = facts.control,
                                 .msg_controllen = sizeof facts.control};
        if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            break;
        facts.from.length = message.msg_namelen;
        facts.control_length = message.msg_controllen;
        tell_failed_packet(&facts);
        ancillary_tell(&facts, NULL);
    }
    errno = saved;
    return count;
}

static bool destination_ip4(const struct cmsghdr *header, struct modcat_sockaddr *local)
{
    struct in_pktinfo info;
    memcpy(&info, CMSG_DATA(header), sizeof info);
    if (IN_MULTICAST(ntohl(info.ipi_addr.s_addr)))
        return false;
    *local = (struct modcat_sockaddr){.length = sizeof(struct sockaddr_in)};
    *(struct sockaddr_in *)&local->u.storage =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = info.ipi_spec_dst};
    return true;
}

static bool destination_ip6(const struct cmsghdr *header, struct modcat_sockaddr *local)
{
    struct in6_pktinfo info;
    memcpy(&info, CMSG_DATA(header), sizeof info);
    if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
        return false;
    *local = (struct modcat_sockaddr){.length = sizeof(struct sockaddr_in6)};
    struct sockaddr_in6 *address = (struct sockaddr_in6 *)&local->u.storage;
    *address = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = info.ipi6_addr};
    if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
        address->sin6_scope_id = info.ipi6_ifindex;
    return true;
}

bool ancillary_destination(const struct packet_facts *facts, struct modcat_sockaddr *local)
{
    struct msghdr message = message_of(facts);
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO)
            return destination_ip4(header, local);
        if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO)
            return destination_ip6(header, local);
    }
    return false;
}
