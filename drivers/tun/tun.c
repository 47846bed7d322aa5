/* TUN: makes a network interface whose packets are relayed. */

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <modcat/driver.h>
#include <modcat/net.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static modcat_open_fn tun_open;
static modcat_check_fn check_type, check_name;

#define DEVICE "/dev/net/tun"

static const struct modcat_option options[] = {
    {.name = "tun-device",
     .help = "make the interface with this device, not with " DEVICE,
     .type = MODCAT_STRING,
     .phase = MODCAT_PHASE_OPEN,
     .effect = MODCAT_FETCHED,
     .check = modcat_check_filled},
    {.name = "tun-name",
     .help = "name of the interface",
     .type = MODCAT_STRING,
     .phase = MODCAT_PHASE_FD,
     .effect = MODCAT_FETCHED,
     .check = check_name},
    {.name = "tun-type",
     .help = "tun for IP packets, tap for Ethernet frames",
     .type = MODCAT_STRING,
     .phase = MODCAT_PHASE_FD,
     .effect = MODCAT_FETCHED,
     .check = check_type},
    {.name = "iff-no-pi",
     .aliases = "tun-no-pi,no-pi",
     .help = "relay packets without the four bytes of information before them",
     .type = MODCAT_BOOL,
     .phase = MODCAT_PHASE_FD,
     .effect = MODCAT_FETCHED},
};

static const struct modcat_option_group groups[] = {
    {.name = "INTERFACE", MODCAT_OPTIONS(options)},
};

static const struct modcat_address_type types[] = {
    {
        .name = "TUN",
        .syntax = "[:<ip-addr>/<bits>]",
        .groups = "FD,CHR,OPEN,INTERFACE",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "make a network interface and relay its packets",
        .example = "modcat TUN:192.168.255.1/24,up TCP:www.example.org:11443",
        .max_params = 1,
        .open = tun_open,
    },
};

MODCAT_DRIVER(.name = "tun", .version = MODCAT_DRIVER_VERSION,
              .summary = "network interfaces of the program's own", .needs = "interface",
              MODCAT_TYPES(types), MODCAT_GROUPS(groups));

/* An address with the length of its netmask. */
struct network {
    struct sockaddr_storage address;
    int bits;
};

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

static int resolve(struct modcat_opening *opening, int family, const char *host,
                   struct network *network)
{
    const struct modcat_transport transport = {
        .size = sizeof transport, .family = family, .socktype = SOCK_DGRAM};
    struct addrinfo *list;
    if (modcat_resolve(opening, &transport, host, NULL, 0, &list) < 0)
        return -1;
    memcpy(&network->address, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    return 0;
}

/* Reads "address/bits" or "[address]/bits", which the program has checked by the syntax. */
static int read_network(struct modcat_opening *opening, const char *text, struct network *network)
{
    bool ip6 = text[0] == '[';
    const char *delimiter = strchr(text, '/');
    *network = (struct network){.bits = (int)strtoul(delimiter + 1, NULL, 10)};
    char *host = strndup(text, (size_t)(delimiter - text));
    int result = host == NULL ? modcat_fail(opening, "strndup(): %s", strerror(errno))
                              : resolve(opening, ip6 ? AF_INET6 : AF_INET, host, network);
    free(host);
    return result;
}

static int fail_set(struct modcat_opening *opening, const char *call, const char *name)
{
    char reason[REASON_TEXT];
    return modcat_fail_call(opening, "set the address of interface", name,
                            reason_for(errno, reason), "ioctl(%s, {\"%s\", \"%s\"})", call, name,
                            modcat_param(opening, 0));
}

static int set_ip4(struct modcat_opening *opening, int socket, const char *name,
                   const struct network *network)
{
    struct ifreq interface = {0};
    struct sockaddr_in mask = {.sin_family = AF_INET};
    if (network->bits > 0)
        mask.sin_addr.s_addr = htonl(UINT32_MAX << (32 - network->bits));
    memcpy(interface.ifr_name, name, IFNAMSIZ);
    memcpy(&interface.ifr_addr, &network->address, sizeof(struct sockaddr_in));
    if (ioctl(socket, SIOCSIFADDR, &interface) < 0)
        return fail_set(opening, "SIOCSIFADDR", name);
    memcpy(&interface.ifr_netmask, &mask, sizeof mask);
    if (ioctl(socket, SIOCSIFNETMASK, &interface) < 0)
        return fail_set(opening, "SIOCSIFNETMASK", name);
    return 0;
}

static int set_ip6(struct modcat_opening *opening, int socket, const char *name,
                   const struct network *network)
{
    const struct sockaddr_in6 *address = (const struct sockaddr_in6 *)&network->address;
    struct in6_ifreq request = {
        .ifr6_addr = address->sin6_addr,
        .ifr6_prefixlen = (uint32_t)network->bits,
        .ifr6_ifindex = (int)if_nametoindex(name),
    };
    return ioctl(socket, SIOCSIFADDR, &request) < 0 ? fail_set(opening, "SIOCSIFADDR", name) : 0;
}

static int set_network(struct modcat_opening *opening, const char *name,
                       const struct network *network)
{
    int family = network->address.ss_family;
    int helper = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (helper < 0)
        return modcat_fail_call(opening, "set the address of interface", name, NULL,
                                "socket(%d, %d, 0)", family, SOCK_DGRAM);
    int result = family == AF_INET6 ? set_ip6(opening, helper, name, network)
                                    : set_ip4(opening, helper, name, network);
    close(helper);
    return result;
}

static const char *check_type(const struct modcat_value *value)
{
    bool known = strcmp(value->string, "tun") == 0 || strcmp(value->string, "tap") == 0;
    return known ? NULL : "use tun or tap";
}

static int read_type(struct modcat_opening *opening)
{
    const char *type = modcat_option_string(opening, "tun-type", "tun");
    return strcmp(type, "tap") == 0 ? IFF_TAP : IFF_TUN;
}

static const char *check_name(const struct modcat_value *value)
{
    static_assert(IFNAMSIZ == 16, "the text below says so");
    return value->length < IFNAMSIZ ? NULL : "it has more than 15 characters";
}

/* Fills in what is asked of TUNSETIFF. */
static int describe(struct modcat_opening *opening, struct ifreq *interface)
{
    const char *name = modcat_option_string(opening, "tun-name", "");
    bool bare = modcat_option_bool(opening, "iff-no-pi", false);
    int type = read_type(opening);
    *interface = (struct ifreq){.ifr_flags = (short)(type | (bare ? IFF_NO_PI : 0))};
    memcpy(interface->ifr_name, name, strlen(name));
    return 0;
}

static int fail_interface(struct modcat_opening *opening, int fd, const struct ifreq *interface)
{
    char reason[REASON_TEXT];
    const char *name = interface->ifr_name[0] != '\0' ? interface->ifr_name : NULL;
    return modcat_fail_call(opening, "make a TUN interface", name, reason_for(errno, reason),
                            "ioctl(%d, TUNSETIFF, {\"%s\", 0x%x})", fd, interface->ifr_name,
                            (unsigned short)interface->ifr_flags);
}

static int make_interface(struct modcat_opening *opening, int fd, struct ifreq *interface)
{
    if (ioctl(fd, TUNSETIFF, interface) < 0)
        return fail_interface(opening, fd, interface);
    modcat_log(MODCAT_NOTICE, "TUN: new device \"%s\"", interface->ifr_name);
    return 0;
}

static int open_device(struct modcat_opening *opening)
{
    const char *device = modcat_option_string(opening, "tun-device", NULL);
    if (device != NULL || access(DEVICE, F_OK) == 0)
        return modcat_open_path(opening, device != NULL ? device : DEVICE, O_RDWR | O_NONBLOCK);
    return modcat_fail_call(opening, "open", DEVICE,
                            "No such file or directory (this kernel does not support TUN, or its "
                            "module tun is not loaded)",
                            "open(\"" DEVICE "\")");
}

/* An option of interfaces whose packets come from a socket. */
static void warn_of_tags(struct modcat_opening *opening)
{
    if (modcat_option_value(opening, "retrieve-vlan") == NULL)
        return;
    modcat_log(MODCAT_WARNING,
               "option \"retrieve-vlan\" has no effect with %s: the kernel leaves "
               "VLAN tags in its frames",
               modcat_keyword(opening));
}

static int tun_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    const char *text = modcat_param(opening, 0);
    struct ifreq interface;
    struct network network;
    modcat_log(MODCAT_NOTICE, "creating tunnel network interface");
    warn_of_tags(opening);
    if (describe(opening, &interface) < 0 ||
        (text != NULL && read_network(opening, text, &network) < 0))
        return -1;
    int fd = open_device(opening);
    if (fd < 0)
        return -1;
    if (make_interface(opening, fd, &interface) < 0 ||
        (text != NULL && set_network(opening, interface.ifr_name, &network) < 0)) {
        close(fd);
        return -1;
    }
    endpoint->read_fd = fd;
    endpoint->write_fd = fd;
    endpoint->flags = MODCAT_END_MESSAGES | MODCAT_END_LOSES_ALONE;
    return 0;
}
