#define _GNU_SOURCE
#include "tests/system/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void set(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!write(fd, value, strlen(value));
        close(fd);
    }
}

static int ask(unsigned long code, const char *name, struct ifreq *interface)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(interface->ifr_name, IFNAMSIZ, "%s", name);
    int result = ioctl(fd, code, interface);
    close(fd);
    return result;
}

int network_new(struct harness *harness)
{
    struct ifreq loopback = {.ifr_flags = IFF_UP};
    if (unshare(CLONE_NEWNET) < 0)
        skip_because("a network namespace takes root: %s", strerror(errno));
    set("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
    set("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
    if (ask(SIOCSIFFLAGS, "lo", &loopback) < 0)
        harness_fail(harness, "ioctl(SIOCSIFFLAGS, \"lo\"): %s", strerror(errno));
    return harness_keep(harness, open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
}

void network_enter(struct harness *harness, int network)
{
    if (setns(network, CLONE_NEWNET) < 0)
        harness_fail(harness, "setns(): %s", strerror(errno));
}

void network_ip(struct harness *harness, const char *format, ...)
{
    char command[256] = "PATH=$PATH:/usr/sbin:/sbin; command -v ip >/dev/null || exit 127; ip ";
    size_t length = strlen(command);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command + length, sizeof command - length, format, arguments);
    va_end(arguments);
    int status = system(command);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        skip_because("ip (iproute2) is not installed");
    if (status != 0)
        harness_fail(harness, "%s: status %d", command + length - 3, status);
}

unsigned network_flags(const char *name)
{
    struct ifreq interface = {0};
    return ask(SIOCGIFFLAGS, name, &interface) < 0 ? 0 : (unsigned short)interface.ifr_flags;
}

int network_mtu(const char *name)
{
    struct ifreq interface = {0};
    return ask(SIOCGIFMTU, name, &interface) < 0 ? 0 : interface.ifr_mtu;
}

/* The queue of packets is attached after the flag is set, under a lock that any change waits for.
 */
void network_await(struct harness *harness, const char *name)
{
    const unsigned wanted = IFF_UP | IFF_RUNNING;
    long long deadline = milliseconds() + PATIENCE;
    while ((network_flags(name) & wanted) != wanted) {
        if (milliseconds() > deadline)
            harness_fail(harness, "interface \"%s\" does not run", name);
        poll(NULL, 0, 2);
    }
    struct ifreq interface;
    if (ask(SIOCGIFFLAGS, name, &interface) < 0 || ask(SIOCSIFFLAGS, name, &interface) < 0)
        harness_fail(harness, "ioctl(SIOCSIFFLAGS, \"%s\"): %s", name, strerror(errno));
}

static unsigned long ask_address(unsigned long code, const char *name)
{
    struct ifreq interface = {.ifr_addr.sa_family = AF_INET};
    struct sockaddr_in address;
    if (ask(code, name, &interface) < 0)
        return 0;
    memcpy(&address, &interface.ifr_addr, sizeof address);
    return ntohl(address.sin_addr.s_addr);
}

unsigned long network_address(const char *name)
{
    return ask_address(SIOCGIFADDR, name);
}

unsigned long network_mask(const char *name)
{
    return ask_address(SIOCGIFNETMASK, name);
}

int network_frames(struct harness *harness, const char *name)
{
    const int on = 1;
    struct sockaddr_ll local = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = (int)if_nametoindex(name),
    };
    int fd = harness_keep(harness, socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof local) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0)
        harness_fail(harness, "a packet socket on \"%s\": %s", name, strerror(errno));
    return fd;
}
