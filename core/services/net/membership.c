#define _GNU_SOURCE
#include "core/services/net/membership.h"

#include "core/base/memory.h"
#include "core/services/net/resolve.h"
#include "core/services/net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The end of a part: the next colon outside of brackets, or the end of the text. */
static const char *part_end(const char *text)
{
    const char *bracket = text[0] == '[' ? strchr(text, ']') : NULL;
    return strchrnul(bracket != NULL ? bracket : text, ':');
}

static void add_part(struct membership_parts *parts, const char *start, const char *end)
{
    size_t length = (size_t)(end - start);
    if (parts->count < MEMBERSHIP_PARTS)
        parts->parts[parts->count] = memory_copy_span(start, length);
    parts->count++;
}

/* Splits "ff02::1:eth0", in which only the last colon separates. */
static bool split_bare_ip6(const char *text, struct membership_parts *parts)
{
    const char *colon = strrchr(text, ':');
    struct in6_addr address;
    if (text[0] == '[' || colon == NULL)
        return false;
    AUTO_FREE char *group = memory_copy_span(text, (size_t)(colon - text));
    if (inet_pton(AF_INET6, group, &address) != 1)
        return false;
    add_part(parts, text, colon);
    add_part(parts, colon + 1, strchr(colon, '\0'));
    return true;
}

void membership_split(const char *text, struct membership_parts *parts)
{
    *parts = (struct membership_parts){0};
    if (split_bare_ip6(text, parts))
        return;
    for (;;) {
        const char *end = part_end(text);
        add_part(parts, text, end);
        if (*end == '\0')
            return;
        text = end + 1;
    }
}

void membership_free(struct membership_parts *parts)
{
    for (size_t i = 0; i < MEMBERSHIP_PARTS; i++)
        free(parts->parts[i]);
    *parts = (struct membership_parts){0};
}

static size_t count_parts(const struct modcat_value *value)
{
    struct membership_parts parts;
    membership_split(value->string, &parts);
    size_t count = parts.count;
    membership_free(&parts);
    return count;
}

const char *membership_check(const struct modcat_value *value)
{
    size_t count = count_parts(value);
    return count == 2 || count == 3 ? NULL : "it needs 2 or 3 parts, separated by colons";
}

const char *membership_check_source(const struct modcat_value *value)
{
    return count_parts(value) == 3 ? NULL : "it needs 3 parts, separated by colons";
}

static int split(const struct modcat_opening *opening, const struct modcat_option *option,
                 const struct modcat_value *value, size_t least, struct membership_parts *parts)
{
    membership_split(value->string, parts);
    if (parts->count >= least && parts->count <= MEMBERSHIP_PARTS)
        return 0;
    membership_free(parts);
    errno = EINVAL;
    return modcat_fail(opening, "option \"%s=%s\" needs %zu parts, separated by colons",
                       option->name, value->string, least);
}

/* The index of an interface that is given by name or index; 0 for the empty text; -1: no such. */
static int find_interface(const char *text)
{
    char name[IF_NAMESIZE], *end;
    if (*text == '\0')
        return 0;
    unsigned index = if_nametoindex(text);
    if (index > 0)
        return (int)index;
    unsigned long number = strtoul(text, &end, 10);
    bool is_number = *text >= '0' && *text <= '9' && *end == '\0' && number <= INT32_MAX;
    return is_number && if_indextoname((unsigned)number, name) != NULL ? (int)number : -1;
}

static int need_interface(const struct modcat_opening *opening, const char *text, int *index)
{
    *index = find_interface(text);
    if (*index >= 0)
        return 0;
    errno = ENODEV;
    return modcat_fail(opening, "interface \"%s\" not found", text);
}

/* An interface, or else the address of one. */
static int read_interface(struct modcat_opening *opening, const char *text, int *index,
                          struct in_addr *address)
{
    *index = find_interface(text);
    if (*index >= 0)
        return 0;
    *index = 0;
    if (resolve_address(opening, AF_INET, text, address) == 0)
        return 0;
    return modcat_fail(opening, "\"%s\" is neither an interface nor the address of one", text);
}

static int read_group_ip4(struct modcat_opening *opening, const char *text, struct in_addr *group)
{
    if (resolve_address(opening, AF_INET, text, group) < 0)
        return -1;
    if (IN_MULTICAST(ntohl(group->s_addr)))
        return 0;
    errno = EINVAL;
    return modcat_fail(opening, "%s is not a multicast address", text);
}

static int read_group_ip6(struct modcat_opening *opening, const char *text, struct in6_addr *group)
{
    if (resolve_address(opening, AF_INET6, text, group) < 0)
        return -1;
    if (IN6_IS_ADDR_MULTICAST(group))
        return 0;
    errno = EINVAL;
    return modcat_fail(opening, "%s is not a multicast address", text);
}

static int join_ip4(struct modcat_opening *opening, int fd, const struct membership_parts *parts)
{
    struct ip_mreqn request = {0};
    bool with_address = parts->count == 3;
    if (read_group_ip4(opening, parts->parts[0], &request.imr_multiaddr) < 0)
        return -1;
    if (with_address &&
        (resolve_address(opening, AF_INET, parts->parts[1], &request.imr_address) < 0 ||
         need_interface(opening, parts->parts[2], &request.imr_ifindex) < 0))
        return -1;
    if (!with_address &&
        read_interface(opening, parts->parts[1], &request.imr_ifindex, &request.imr_address) < 0)
        return -1;
    return socket_set(opening, fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request);
}

int membership_join_ip4(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                        const struct modcat_value *value)
{
    struct membership_parts parts;
    if (split(opening, option, value, 2, &parts) < 0)
        return -1;
    int result = join_ip4(opening, fd, &parts);
    membership_free(&parts);
    return result;
}

/* Protocol-independent, see RFC 3678: takes an interface by its index. */
static int join_source(struct modcat_opening *opening, int fd, int family, int index,
                       const struct membership_parts *parts)
{
    struct group_source_req request = {.gsr_interface = (uint32_t)index};
    struct sockaddr_in *group4 = (struct sockaddr_in *)&request.gsr_group;
    struct sockaddr_in *source4 = (struct sockaddr_in *)&request.gsr_source;
    struct sockaddr_in6 *group6 = (struct sockaddr_in6 *)&request.gsr_group;
    struct sockaddr_in6 *source6 = (struct sockaddr_in6 *)&request.gsr_source;
    bool ip4 = family == AF_INET;
    request.gsr_group.ss_family = request.gsr_source.ss_family = (sa_family_t)family;
    if (resolve_address(opening, family, parts->parts[0],
                        ip4 ? (void *)&group4->sin_addr : &group6->sin6_addr) < 0 ||
        resolve_address(opening, family, parts->parts[2],
                        ip4 ? (void *)&source4->sin_addr : &source6->sin6_addr) < 0)
        return -1;
    return socket_set(opening, fd, ip4 ? IPPROTO_IP : IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP,
                      &request, sizeof request);
}

static int join_source_by_address(struct modcat_opening *opening, int fd,
                                  const struct membership_parts *parts)
{
    struct ip_mreq_source request = {0};
    if (resolve_address(opening, AF_INET, parts->parts[0], &request.imr_multiaddr) < 0 ||
        resolve_address(opening, AF_INET, parts->parts[1], &request.imr_interface) < 0 ||
        resolve_address(opening, AF_INET, parts->parts[2], &request.imr_sourceaddr) < 0)
        return -1;
    return socket_set(opening, fd, IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, &request, sizeof request);
}

int membership_join_source_ip4(struct modcat_opening *opening, int fd,
                               const struct modcat_option *option, const struct modcat_value *value)
{
    struct membership_parts parts;
    if (split(opening, option, value, 3, &parts) < 0)
        return -1;
    int index = find_interface(parts.parts[1]);
    int result = index >= 0 ? join_source(opening, fd, AF_INET, index, &parts)
                            : join_source_by_address(opening, fd, &parts);
    membership_free(&parts);
    return result;
}

static int join_ip6(struct modcat_opening *opening, int fd, const struct membership_parts *parts)
{
    struct ipv6_mreq request = {0};
    int index;
    if (read_group_ip6(opening, parts->parts[0], &request.ipv6mr_multiaddr) < 0 ||
        need_interface(opening, parts->parts[1], &index) < 0)
        return -1;
    request.ipv6mr_interface = (unsigned)index;
    return socket_set(opening, fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request);
}

int membership_join_ip6(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                        const struct modcat_value *value)
{
    struct membership_parts parts;
    if (split(opening, option, value, 2, &parts) < 0)
        return -1;
    int result = join_ip6(opening, fd, &parts);
    membership_free(&parts);
    return result;
}

int membership_join_source_ip6(struct modcat_opening *opening, int fd,
                               const struct modcat_option *option, const struct modcat_value *value)
{
    struct membership_parts parts;
    int index;
    modcat_experimental(opening, option->name);
    if (split(opening, option, value, 3, &parts) < 0)
        return -1;
    int result = need_interface(opening, parts.parts[1], &index);
    if (result == 0)
        result = join_source(opening, fd, AF_INET6, index, &parts);
    membership_free(&parts);
    return result;
}

int membership_interface_ip4(struct modcat_opening *opening, int fd,
                             const struct modcat_option *option, const struct modcat_value *value)
{
    struct in_addr address;
    if (resolve_address(opening, AF_INET, value->string, &address) < 0)
        return -1;
    return socket_set(opening, fd, option->code, option->detail, &address, sizeof address);
}
