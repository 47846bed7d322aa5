/* INTERFACE: reads and writes whole frames of a network interface. Its option group, the flags of
 * interfaces, serves TUN as well. */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <modcat/driver.h>
#include <modcat/net.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

static modcat_open_fn interface_open;
static modcat_apply_fn set_flag, set_mtu;
static modcat_check_fn check_mtu;

/* Every IPv4 link carries as much, see RFC 791; and none more than the loopback of Linux. */
#define MTU_LEAST 68
#define MTU_MOST 65536

#define FLAG(option, others, flag, text)                                                           \
    {                                                                                              \
        .name = (option), .aliases = (others), .help = (text), .type = MODCAT_BOOL,                \
        .phase = MODCAT_PHASE_FD, .effect = MODCAT_CALL, .code = (flag), .apply = set_flag         \
    }
static const struct modcat_option options[] = {
    FLAG("iff-up", "up", IFF_UP, "bring the interface up (IFF_UP)"),
    FLAG("iff-broadcast", NULL, IFF_BROADCAST, "it has a broadcast address"),
    FLAG("iff-debug", NULL, IFF_DEBUG, "debug output of its driver"),
    FLAG("iff-loopback", "loopback", IFF_LOOPBACK, "it is a loopback"),
    FLAG("iff-pointopoint", "pointopoint", IFF_POINTOPOINT, "it leads to one other machine"),
    FLAG("iff-notrailers", "notrailers", IFF_NOTRAILERS, "no trailers are used"),
    FLAG("iff-running", "running", IFF_RUNNING, "its resources are allocated"),
    FLAG("iff-noarp", "noarp", IFF_NOARP, "it does without ARP"),
    FLAG("iff-promisc", "promisc", IFF_PROMISC,
         "receive packets for other hosts too (IFF_PROMISC)"),
    FLAG("iff-allmulti", "allmulti", IFF_ALLMULTI, "it takes all multicast packets"),
    FLAG("iff-master", "master", IFF_MASTER, "it is the master of a bundle"),
    FLAG("iff-slave", "slave", IFF_SLAVE, "it is part of a bundle"),
    FLAG("iff-multicast", "multicast", IFF_MULTICAST, "it can do multicast"),
    FLAG("iff-portsel", "portsel", IFF_PORTSEL, "its medium can be selected"),
    FLAG("iff-automedia", "automedia", IFF_AUTOMEDIA, "it selects its medium by itself"),
    {.name = "interface-mtu",
     .aliases = "if-mtu",
     .help = "the longest packet that it carries, in bytes",
     .type = MODCAT_INT_SIZE,
     .phase = MODCAT_PHASE_FD,
     .effect = MODCAT_CALL,
     .apply = set_mtu,
     .check = check_mtu},
    {.name = "retrieve-vlan",
     .help = "put VLAN tags, which the kernel takes off, back into the frames",
     .type = MODCAT_CONST,
     .phase = MODCAT_PHASE_LATE,
     .effect = MODCAT_FETCHED},
};

static const struct modcat_option_group groups[] = {
    {.name = "INTERFACE", .help = "options of network interfaces", MODCAT_OPTIONS(options)},
};

static const struct modcat_address_type types[] = {
    {
        .name = "INTERFACE",
        .aliases = "IF",
        .syntax = ":<interface>",
        .groups = "FD,SOCKET,INTERFACE",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "relay the frames of a network interface",
        .example = "modcat INTERFACE:eth1 TUN:192.168.1.1/24,tun-type=tap,iff-no-pi,up",
        .min_params = 1,
        .max_params = 1,
        .open = interface_open,
    },
};

MODCAT_DRIVER(.name = "interface", .version = MODCAT_DRIVER_VERSION,
              .summary = "network interfaces", MODCAT_TYPES(types), MODCAT_GROUPS(groups));

#define REASON_TEXT 160

static const char *privilege(int error)
{
    return error == EPERM || error == EACCES ? " (needs the capability CAP_NET_ADMIN)" : "";
}

static const char *reason_for(int error, char text[REASON_TEXT])
{
    snprintf(text, REASON_TEXT, "%s%s", strerror(error), privilege(error));
    return text;
}

/* Any socket can ask about any interface; a descriptor of /dev/net/tun can't, and gets one. */
static int request(int fd, unsigned long code, struct ifreq *interface)
{
    int result = ioctl(fd, code, interface);
    if (result == 0 || (errno != ENOTTY && errno != EINVAL && errno != EBADFD))
        return result;
    int helper = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (helper < 0)
        return -1;
    result = ioctl(helper, code, interface);
    int error = errno;
    close(helper);
    errno = error;
    return result;
}

static int name_by_index(int fd, int index, struct ifreq *interface)
{
    interface->ifr_ifindex = index;
    return ioctl(fd, SIOCGIFNAME, interface);
}

/* Which interface a descriptor belongs to: a packet socket, or one of /dev/net/tun. */
static int name_interface(int fd, struct ifreq *interface)
{
    struct sockaddr_ll local = {.sll_family = AF_UNSPEC};
    socklen_t length = sizeof local;
    *interface = (struct ifreq){0};
    if (getsockname(fd, (struct sockaddr *)&local, &length) == 0 && local.sll_family == AF_PACKET)
        return name_by_index(fd, local.sll_ifindex, interface);
    return ioctl(fd, TUNGETIFF, interface);
}

static int get_flags(int fd, struct ifreq *interface)
{
    if (name_interface(fd, interface) < 0)
        return -1;
    interface->ifr_flags = 0;
    return request(fd, SIOCGIFFLAGS, interface);
}

static int set_flag(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                    const struct modcat_value *value)
{
    struct ifreq interface;
    if (get_flags(fd, &interface) < 0)
        return modcat_fail_call(opening, "set option", option->name, NULL,
                                "ioctl(%d, SIOCGIFFLAGS, {\"%s\"})", fd, interface.ifr_name);
    short flag = (short)option->code;
    interface.ifr_flags =
        (short)(value->number != 0 ? interface.ifr_flags | flag : interface.ifr_flags & ~flag);
    if (request(fd, SIOCSIFFLAGS, &interface) == 0)
        return 0;
    char reason[REASON_TEXT];
    return modcat_fail_call(opening, "set option", option->name, reason_for(errno, reason),
                            "ioctl(%d, SIOCSIFFLAGS, {\"%s\", 0x%x})", fd, interface.ifr_name,
                            (unsigned short)interface.ifr_flags);
}

/* How much a device can carry, it knows itself. */
static const char *check_mtu(const struct modcat_value *value)
{
    bool possible = value->number >= MTU_LEAST && value->number <= MTU_MOST;
    return possible ? NULL : "it must be a number of bytes from 68 to 65536";
}

static int set_mtu(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                   const struct modcat_value *value)
{
    struct ifreq interface;
    int result = name_interface(fd, &interface);
    interface.ifr_mtu = (int)value->number;
    if (result == 0 && request(fd, SIOCSIFMTU, &interface) == 0)
        return 0;
    char reason[REASON_TEXT];
    return modcat_fail_call(opening, "set option", option->name, reason_for(errno, reason),
                            "ioctl(%d, SIOCSIFMTU, {\"%s\", %lld})", fd, interface.ifr_name,
                            value->number);
}

/* The length of a VLAN tag, and where it stands in a frame: behind two addresses. */
#define TAG_LENGTH 4
#define TAG_PLACE (2 * ETH_ALEN)

struct interface {
    int mtu_before; /* that was found ... */
    int mtu;        /* ... and what the options made of it */
    short before;   /* the flags that were found ... */
    short changed;  /* ... and those that the options have changed */
    bool retrieve_vlan;
    bool was_up; /* when it was opened */
};

/* Returns 0 where it can't be read. */
static int get_mtu(int fd, struct ifreq *interface)
{
    if (name_interface(fd, interface) < 0 || request(fd, SIOCGIFMTU, interface) < 0)
        return 0;
    return interface->ifr_mtu;
}

/* What others changed meanwhile stays as they want it. */
static void restore_mtu(int fd, const struct interface *interface)
{
    struct ifreq request_data;
    if (interface->mtu == interface->mtu_before || get_mtu(fd, &request_data) != interface->mtu)
        return;
    request_data.ifr_mtu = interface->mtu_before;
    if (request(fd, SIOCSIFMTU, &request_data) < 0)
        modcat_log(MODCAT_WARNING, "cannot restore the MTU of interface \"%s\": %s",
                   request_data.ifr_name, strerror(errno));
}

static void restore_flags(int fd, const struct interface *interface)
{
    struct ifreq request_data;
    if (interface->changed == 0)
        return;
    if (get_flags(fd, &request_data) == 0) {
        request_data.ifr_flags = (short)((request_data.ifr_flags & ~interface->changed) |
                                         (interface->before & interface->changed));
        if (request(fd, SIOCSIFFLAGS, &request_data) == 0)
            return;
    }
    modcat_log(MODCAT_WARNING, "cannot restore the flags of interface \"%s\": %s",
               request_data.ifr_name, strerror(errno));
}

/* The tag that the kernel took off a frame, NULL where there was none. */
static const struct tpacket_auxdata *taken_tag(struct msghdr *message)
{
    for (struct cmsghdr *item = CMSG_FIRSTHDR(message); item != NULL;
         item = CMSG_NXTHDR(message, item)) {
        const struct tpacket_auxdata *data = (const void *)CMSG_DATA(item);
        if (item->cmsg_level == SOL_PACKET && item->cmsg_type == PACKET_AUXDATA &&
            item->cmsg_len >= CMSG_LEN(sizeof *data) && (data->tp_status & TP_STATUS_VLAN_VALID))
            return data;
    }
    return NULL;
}

static ssize_t put_back(const struct tpacket_auxdata *data, unsigned char *frame, ssize_t length)
{
    bool has_type = (data->tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
    unsigned type = has_type ? data->tp_vlan_tpid : ETH_P_8021Q;
    if (length < TAG_PLACE)
        return length;
    memmove(frame + TAG_PLACE + TAG_LENGTH, frame + TAG_PLACE, (size_t)length - TAG_PLACE);
    frame[TAG_PLACE] = (unsigned char)(type >> 8);
    frame[TAG_PLACE + 1] = (unsigned char)type;
    frame[TAG_PLACE + 2] = (unsigned char)(data->tp_vlan_tci >> 8);
    frame[TAG_PLACE + 3] = (unsigned char)data->tp_vlan_tci;
    return length + TAG_LENGTH;
}

static void restore(int fd, const struct interface *interface)
{
    restore_mtu(fd, interface);
    restore_flags(fd, interface);
}

/* An interface that is set down says so once, and gives frames again when it is up. */
static ssize_t read_failed(const struct modcat_endpoint *endpoint)
{
    const struct interface *interface = endpoint->state;
    struct ifreq now;
    if (errno != ENETDOWN || !interface->was_up)
        return -1;
    if (get_flags(endpoint->read_fd, &now) < 0) {
        errno = ENETDOWN;
        return -1;
    }
    modcat_log(MODCAT_WARNING, "interface \"%s\" is down", now.ifr_name);
    errno = EAGAIN;
    return -1;
}

static ssize_t interface_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    const struct interface *interface = endpoint->state;
    size_t tag = interface->retrieve_vlan ? TAG_LENGTH : 0;
    size_t room = length > tag ? length - tag : 0;
    union {
        struct cmsghdr aligned;
        char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    } control;
    struct iovec piece = {.iov_base = buffer, .iov_len = room};
    struct msghdr message = {
        .msg_iov = &piece,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    ssize_t size = recvmsg(endpoint->read_fd, &message, MSG_TRUNC);
    if (size < 0)
        return read_failed(endpoint);
    if ((size_t)size > room) {
        modcat_log(MODCAT_WARNING, "frame of %zd bytes is cut to %zu; see option -b", size, room);
        size = (ssize_t)room;
    }
    const struct tpacket_auxdata *data = tag > 0 ? taken_tag(&message) : NULL;
    return data != NULL ? put_back(data, buffer, size) : size;
}

static void interface_close(struct modcat_endpoint *endpoint)
{
    int fd = endpoint->read_fd >= 0 ? endpoint->read_fd : endpoint->write_fd;
    restore(fd, endpoint->state);
    free(endpoint->state);
    endpoint->state = NULL;
}

static const struct modcat_endpoint_ops interface_ops = {
    .size = sizeof(struct modcat_endpoint_ops),
    .read = interface_read,
    .close = interface_close,
};

static int find_interface(struct modcat_opening *opening, struct modcat_sockaddr *local)
{
    const char *name = modcat_param(opening, 0);
    struct sockaddr_ll *link = (struct sockaddr_ll *)&local->u.storage;
    unsigned index = if_nametoindex(name);
    if (index == 0)
        return modcat_fail(opening, "unknown interface \"%s\"", name);
    *local = (struct modcat_sockaddr){.length = sizeof *link};
    link->sll_family = AF_PACKET;
    link->sll_ifindex = (int)index;
    return 0;
}

/* A packet socket that has a protocol from the start takes packets of all interfaces until it is
 * bound; so the protocol comes with binding. */
static int open_socket(struct modcat_opening *opening, struct modcat_sockaddr *local)
{
    static const struct modcat_transport transport = {
        .size = sizeof transport, .family = AF_PACKET, .socktype = SOCK_RAW};
    struct sockaddr_ll *link = (struct sockaddr_ll *)&local->u.storage;
    struct modcat_transport chosen;
    const int on = 1;
    if (modcat_transport_chosen(opening, &transport, &chosen) < 0)
        return -1;
    int fd = modcat_socket(opening, &transport);
    if (fd < 0)
        return -1;
    /* Not of kernels before 4.20, which show a reader what was written, too. */
    if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0)
        modcat_log(MODCAT_INFO, "setsockopt(%d, SOL_PACKET, PACKET_IGNORE_OUTGOING, {1}): %s", fd,
                   strerror(errno));
    link->sll_protocol = chosen.protocol != 0 ? (uint16_t)chosen.protocol : htons(ETH_P_ALL);
    if (modcat_bind(opening, fd, local) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Binding to an interface that is down leaves an error behind, which is over once it is up. */
static int change_interface(struct modcat_opening *opening, int fd, struct interface *interface)
{
    struct ifreq before, after;
    int error;
    socklen_t size = sizeof error;
    if (get_flags(fd, &before) < 0)
        return modcat_fail_call(opening, "use interface", modcat_param(opening, 0), NULL,
                                "ioctl(%d, SIOCGIFFLAGS, {\"%s\"})", fd, modcat_param(opening, 0));
    interface->before = before.ifr_flags;
    interface->mtu_before = get_mtu(fd, &after);
    int result = modcat_apply(opening, MODCAT_PHASE_FD, fd);
    interface->mtu = get_mtu(fd, &after);
    if (get_flags(fd, &after) == 0) {
        interface->changed = (short)((before.ifr_flags ^ after.ifr_flags) & ~IFF_RUNNING);
        interface->was_up = (after.ifr_flags & IFF_UP) != 0;
        if (interface->was_up)
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
        else
            modcat_log(MODCAT_WARNING, "interface \"%s\" is down; see option iff-up",
                       after.ifr_name);
    }
    if (result < 0)
        restore(fd, interface);
    return result;
}

static int retrieve_tags(struct modcat_opening *opening, int fd, struct interface *interface)
{
    const int on = 1;
    interface->retrieve_vlan = modcat_option_value(opening, "retrieve-vlan") != NULL;
    if (!interface->retrieve_vlan)
        return 0;
    modcat_experimental(opening, "retrieve-vlan");
    if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) == 0)
        return 0;
    return modcat_fail_call(opening, "set option", "retrieve-vlan", NULL,
                            "setsockopt(%d, SOL_PACKET, PACKET_AUXDATA, {1}, %zu)", fd, sizeof on);
}

static void announce(int fd)
{
    struct modcat_sockaddr local = {.length = sizeof local.u.storage};
    char text[MODCAT_SOCKADDR_TEXT];
    if (getsockname(fd, &local.u.any, &local.length) == 0)
        modcat_log(MODCAT_NOTICE, "successfully prepared local socket %s",
                   modcat_sockaddr_text(&local.u.any, local.length, text));
}

static int interface_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    struct modcat_sockaddr local;
    if (find_interface(opening, &local) < 0)
        return -1;
    int fd = open_socket(opening, &local);
    if (fd < 0)
        return -1;
    struct interface *interface = calloc(1, sizeof *interface);
    if (interface == NULL || retrieve_tags(opening, fd, interface) < 0 ||
        change_interface(opening, fd, interface) < 0) {
        free(interface);
        close(fd);
        return -1;
    }
    announce(fd);
    endpoint->read_fd = fd;
    endpoint->write_fd = fd;
    endpoint->flags = MODCAT_END_MESSAGES | MODCAT_END_LOSES_ALONE;
    endpoint->ops = &interface_ops;
    endpoint->state = interface;
    return 0;
}
