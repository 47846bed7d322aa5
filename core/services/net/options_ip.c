/* Option groups IP4 and IP6, without the resolver's options. */

#define _GNU_SOURCE
#include "core/options/effects.h"
#include "core/services/net/membership.h"
#include "core/services/net/options_resolver.h"
#include "core/services/net/socket.h"
#include "core/values/groups.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

/* The kernel's limit of the IP options of a packet, see RFC 791. */
#define IP_OPTIONS_MAX 40

static modcat_apply_fn append_ip_options, set_in_one_byte;
static modcat_check_fn check_mtu_discover, check_ip_options, check_truth;

/* An integer option of sockets that is set as soon as there is one. */
#define IP4_NUMBER(kind, option, others, constant, text)                                           \
    {                                                                                              \
        .name = (option), .aliases = (others), .also = "IP6", .help = (text), .type = (kind),      \
        .phase = MODCAT_PHASE_PASTSOCKET, .effect = MODCAT_SOCKOPT, .code = IPPROTO_IP,            \
        .detail = (constant)                                                                       \
    }
#define IP4_INT(...) IP4_NUMBER(MODCAT_INT, __VA_ARGS__)
#define IP4_BOOL(...) IP4_NUMBER(MODCAT_INT_BOOL, __VA_ARGS__)
static const struct modcat_option ip4_options[] = {
    {.name = "ip-add-membership",
     .aliases = "add-membership,ip-membership,membership",
     .also = "IP6",
     .help = "join a multicast group on an interface",
     .type = MODCAT_MEMBERSHIP,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_CALL,
     .apply = membership_join_ip4,
     .check = membership_check},
    {.name = "ip-add-source-membership",
     .aliases = "add-source-membership,source-membership",
     .also = "IP6",
     .help = "join a multicast group for one source",
     .type = MODCAT_SOURCE_MEMBERSHIP,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_CALL,
     .apply = membership_join_source_ip4,
     .check = membership_check_source},
    IP4_BOOL("ip-freebind", "freebind,ipfreebind", IP_FREEBIND,
             "bind to an address that this host may not have"),
    IP4_BOOL("ip-hdrincl", "hdrincl,iphdrincl", IP_HDRINCL,
             "data comes with its IP header, on raw sockets"),
    IP4_INT("ip-mtu", "ipmtu,mtu", IP_MTU, "read-only on this system"),
    {.name = "ip-mtu-discover",
     .aliases = "ipmtudiscover,mtudiscover",
     .also = "IP6",
     .help = "find the path MTU: 0 never, 1 want, 2 always, 3 probe, 4 interface, 5 omit",
     .type = MODCAT_INT,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_SOCKOPT,
     .code = IPPROTO_IP,
     .detail = IP_MTU_DISCOVER,
     .check = check_mtu_discover},
    {.name = "ip-multicast-if",
     .aliases = "multicast-if",
     .also = "IP6",
     .help = "interface for outgoing multicast",
     .type = MODCAT_IP4_HOST,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_CALL,
     .code = IPPROTO_IP,
     .detail = IP_MULTICAST_IF,
     .apply = membership_interface_ip4},
    {.name = "ip-multicast-loop",
     .aliases = "ipmulticastloop,mcloop,multicast-loop,multicastloop",
     .also = "IP6",
     .help = "loop multicast back to this host",
     .type = MODCAT_BYTE,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_SOCKOPT,
     .code = IPPROTO_IP,
     .detail = IP_MULTICAST_LOOP},
    {.name = "ip-multicast-ttl",
     .aliases = "ipmulticastttl,multicast-ttl,multicastttl",
     .also = "IP6",
     .help = "time to live of multicasts",
     .type = MODCAT_BYTE,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_SOCKOPT,
     .code = IPPROTO_IP,
     .detail = IP_MULTICAST_TTL},
    {.name = "ip-options",
     .aliases = "ipoptions",
     .also = "IP6",
     .help = "IP options of each packet, in binary",
     .type = MODCAT_DATA,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_CALL,
     .code = IPPROTO_IP,
     .detail = IP_OPTIONS,
     .apply = append_ip_options,
     .check = check_ip_options},
    IP4_BOOL("ip-pktinfo", "ippktinfo,pktinfo", IP_PKTINFO,
             "receive destination and interface with each packet"),
    IP4_INT("ip-pktoptions", "ippktoptions,pktoptions,pktopts", IP_PKTOPTIONS,
            "read-only on this system"),
    IP4_BOOL("ip-recverr", "iprecverr,recverr", IP_RECVERR, "receive details of errors"),
    IP4_BOOL("ip-recvopts", "iprecvopts,recvopts", IP_RECVOPTS,
             "receive IP options with each packet"),
    IP4_BOOL("ip-recvtos", "iprecvtos,recvtos", IP_RECVTOS,
             "receive the type of service with each packet"),
    IP4_BOOL("ip-recvttl", "iprecvttl,recvttl", IP_RECVTTL,
             "receive the time to live with each packet"),
    IP4_BOOL("ip-retopts", "ipretopts,retopts", IP_RETOPTS,
             "receive unprocessed IP options with each packet"),
    IP4_BOOL("ip-router-alert", "iprouteralert,routeralert", IP_ROUTER_ALERT,
             "receive packets with router alert, on raw sockets"),
    IP4_INT("ip-tos", "iptos,tos", IP_TOS, "type of service of packets"),
    {.name = "ip-transparent",
     .aliases = "transparent",
     .also = "IP6",
     .help = "be a transparent proxy: accept and bind foreign addresses",
     .type = MODCAT_BOOL,
     .phase = MODCAT_PHASE_PREBIND,
     .effect = MODCAT_CALL,
     .code = IPPROTO_IP,
     .detail = IP_TRANSPARENT,
     .apply = set_in_one_byte},
    IP4_INT("ip-ttl", "ipttl,ttl", IP_TTL, "time to live of packets"),
    {.name = "ai-addrconfig",
     .aliases = "addrconfig",
     .also = "IP6",
     .help = "resolve only to address families that this host has",
     .type = MODCAT_BOOL,
     .phase = MODCAT_PHASE_OFFSET,
     .effect = MODCAT_CALL,
     .code = AI_ADDRCONFIG,
     .apply = options_set_ai_flag},
    {.name = "ai-all",
     .also = "IP6",
     .help = "with ai-v4mapped, resolve to both versions",
     .type = MODCAT_BOOL,
     .phase = MODCAT_PHASE_OFFSET,
     .effect = MODCAT_CALL,
     .code = AI_ALL,
     .apply = options_set_ai_flag},
    {.name = "ai-passive",
     .aliases = "passive",
     .also = "IP6",
     .help = "without a host name, use the wildcard address (AI_PASSIVE)",
     .type = MODCAT_BOOL,
     .phase = MODCAT_PHASE_OFFSET,
     .effect = MODCAT_CALL,
     .code = AI_PASSIVE,
     .apply = options_set_ai_flag},
    {.name = "ai-v4mapped",
     .aliases = "v4mapped",
     .also = "IP6",
     .help = "resolve to IPv4-mapped IPv6 addresses where there are no others",
     .type = MODCAT_BOOL,
     .phase = MODCAT_PHASE_OFFSET,
     .effect = MODCAT_CALL,
     .code = AI_V4MAPPED,
     .apply = options_set_ai_flag},
    {.name = "res-debug",
     .also = "IP6",
     .help = "let the resolver print debugging data",
     .type = MODCAT_BOOL,
     .phase = MODCAT_PHASE_OFFSET,
     .effect = MODCAT_CALL,
     .code = RES_DEBUG,
     .apply = options_set_res_option},
    {.name = "res-defnames",
     .aliases = "defnames",
     .also = "IP6",
     .help = "append the default domain to single names",
     .type = MODCAT_BOOL,
     .phase = MODCAT_PHASE_OFFSET,
     .effect = MODCAT_CALL,
     .code = RES_DEFNAMES,
     .apply = options_set_res_option},
    {.name = "res-dnsrch",
     .aliases = "dnsrch",
     .also = "IP6",
     .help = "search names in parent domains, too",
     .type = MODCAT_BOOL,
     .phase = MODCAT_PHASE_OFFSET,
     .effect = MODCAT_CALL,
     .code = RES_DNSRCH,
     .apply = options_set_res_option},
    {.name = "res-igntc",
     .aliases = "igntc",
     .also = "IP6",
     .help = "take truncated DNS answers as they are",
     .type = MODCAT_BOOL,
     .phase = MODCAT_PHASE_OFFSET,
     .effect = MODCAT_CALL,
     .code = RES_IGNTC,
     .apply = options_set_res_option},
    {.name = "res-nsaddr",
     .aliases = "dns,nameserver,nsaddr",
     .also = "IP6",
     .help = "name server to ask, with optional port",
     .type = MODCAT_IP4_SOCKET,
     .phase = MODCAT_PHASE_OFFSET,
     .effect = MODCAT_CALL,
     .apply = options_set_name_server},
    {.name = "res-recurse",
     .aliases = "recurse",
     .also = "IP6",
     .help = "ask name servers to recurse",
     .type = MODCAT_BOOL,
     .phase = MODCAT_PHASE_OFFSET,
     .effect = MODCAT_CALL,
     .code = RES_RECURSE,
     .apply = options_set_res_option},
    {.name = "res-retrans",
     .aliases = "res-maxretrans,retrans",
     .also = "IP6",
     .help = "seconds before a DNS query is repeated",
     .type = MODCAT_INT,
     .phase = MODCAT_PHASE_OFFSET,
     OPENING_SETTING(res_retrans)},
    {.name = "res-retry",
     .aliases = "res-maxretry",
     .also = "IP6",
     .help = "how often a DNS query is repeated",
     .type = MODCAT_INT,
     .phase = MODCAT_PHASE_OFFSET,
     OPENING_SETTING(res_retry)},
    {.name = "res-stayopen",
     .aliases = "stayopen",
     .also = "IP6",
     .help = "keep the TCP connection to the name server",
     .type = MODCAT_BOOL,
     .phase = MODCAT_PHASE_OFFSET,
     .effect = MODCAT_CALL,
     .code = RES_STAYOPEN,
     .apply = options_set_res_option},
    {.name = "res-usevc",
     .aliases = "usevc",
     .also = "IP6",
     .help = "query name servers over TCP",
     .type = MODCAT_BOOL,
     .phase = MODCAT_PHASE_OFFSET,
     .effect = MODCAT_CALL,
     .code = RES_USEVC,
     .apply = options_set_res_option},
};

#define IP6_NUMBER(kind, option, others, constant, text)                                           \
    {                                                                                              \
        .name = (option), .aliases = (others), .help = (text), .type = (kind),                     \
        .phase = MODCAT_PHASE_PASTSOCKET, .effect = MODCAT_SOCKOPT, .code = IPPROTO_IPV6,          \
        .detail = (constant)                                                                       \
    }
#define IP6_INT(...) IP6_NUMBER(MODCAT_INT, __VA_ARGS__)
#define IP6_BOOL(...) IP6_NUMBER(MODCAT_INT_BOOL, __VA_ARGS__)
static const struct modcat_option ip6_options[] = {
    IP6_INT("ipv6-authhdr", "authhdr", IPV6_AUTHHDR, "unknown to this system"),
    IP6_INT("ipv6-dstopts", "dstopts", IPV6_DSTOPTS,
            "destination options; needs a structure on this system"),
    IP6_INT("ipv6-hoplimit", "hoplimit", IPV6_HOPLIMIT, "unknown to this system as an integer"),
    IP6_INT("ipv6-hopopts", "hopopts", IPV6_HOPOPTS,
            "hop-by-hop options; needs a structure on this system"),
    {.name = "ipv6-join-group",
     .aliases = "ipv6-add-membership,join-group",
     .help = "join a multicast group on an interface",
     .type = MODCAT_MEMBERSHIP,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_CALL,
     .apply = membership_join_ip6,
     .check = membership_check},
    {.name = "ipv6-join-source-group",
     .aliases = "ipv6-add-source-membership,join-source-group",
     .help = "join a multicast group for one source",
     .type = MODCAT_SOURCE_MEMBERSHIP,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_CALL,
     .apply = membership_join_source_ip6,
     .check = membership_check_source},
    {.name = "ipv6-mtu-discover",
     .aliases = "mtudiscover6",
     .help = "find the path MTU: 0 never, 1 want, 2 always, 3 probe, 4 interface, 5 omit",
     .type = MODCAT_INT,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_SOCKOPT,
     .code = IPPROTO_IPV6,
     .detail = IPV6_MTU_DISCOVER,
     .check = check_mtu_discover},
    {.name = "ipv6-multicast-loop",
     .aliases = "ipv6-mcloop,mcloop6",
     .help = "loop multicast back to this host",
     .type = MODCAT_INT_BOOL,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_SOCKOPT,
     .code = IPPROTO_IPV6,
     .detail = IPV6_MULTICAST_LOOP,
     .check = check_truth},
    IP6_INT("ipv6-pktinfo", NULL, IPV6_PKTINFO,
            "source and interface; needs a structure on this system"),
    IP6_BOOL("ipv6-recvdstopts", "recvdstopts", IPV6_RECVDSTOPTS,
             "receive destination options with each packet"),
    IP6_BOOL("ipv6-recverr", NULL, IPV6_RECVERR, "receive details of errors"),
    IP6_BOOL("ipv6-recvhoplimit", "recvhoplimit", IPV6_RECVHOPLIMIT,
             "receive the hop limit with each packet"),
    IP6_BOOL("ipv6-recvhopopts", "recvhopopts", IPV6_RECVHOPOPTS,
             "receive hop-by-hop options with each packet"),
    IP6_BOOL("ipv6-recvpathmtu", NULL, IPV6_RECVPATHMTU, "receive changes of the path MTU"),
    IP6_BOOL("ipv6-recvpktinfo", "recvpktinfo", IPV6_RECVPKTINFO,
             "receive destination and interface with each packet"),
    IP6_BOOL("ipv6-recvrthdr", "recvrthdr", IPV6_RECVRTHDR,
             "receive the routing header with each packet"),
    IP6_BOOL("ipv6-recvtclass", NULL, IPV6_RECVTCLASS,
             "receive the traffic class with each packet"),
    IP6_INT("ipv6-rthdr", "rthdr", IPV6_RTHDR, "routing header; needs a structure on this system"),
    IP6_INT("ipv6-tclass", NULL, IPV6_TCLASS, "traffic class of packets"),
    IP6_INT("ipv6-unicast-hops", "unicast-hops", IPV6_UNICAST_HOPS, "hop limit of packets"),
    {.name = "ipv6-v6only",
     .aliases = "ipv6only,v6only",
     .help = "serve IPv6 only, not IPv4 through mapped addresses",
     .type = MODCAT_INT_BOOL,
     .phase = MODCAT_PHASE_PREBIND,
     .effect = MODCAT_SOCKOPT,
     .code = IPPROTO_IPV6,
     .detail = IPV6_V6ONLY},
};

const struct modcat_option_group group_ip4 = {
    .name = "IP4",
    .help = "options of IP, version 4 or any, and of name resolution",
    MODCAT_OPTIONS(ip4_options),
};

const struct modcat_option_group group_ip6 = {
    .name = "IP6",
    .help = "options of IP version 6",
    MODCAT_OPTIONS(ip6_options),
};

/* The same numbers in both versions of IP. */
static const char *check_mtu_discover(const struct modcat_value *value)
{
    bool known = value->number >= IP_PMTUDISC_DONT && value->number <= IP_PMTUDISC_OMIT;
    return known ? NULL : "it must be a number from 0 to 5";
}

/* The kernel takes no other number here, though it does for all its other switches. */
static const char *check_truth(const struct modcat_value *value)
{
    return value->number == 0 || value->number == 1 ? NULL : "it must be 0 or 1";
}

/* RFC 791, section 3.1: the header ends after so many. */
static const char *check_ip_options(const struct modcat_value *value)
{
    return value->length <= IP_OPTIONS_MAX ? NULL : "it has more than 40 bytes";
}

/* Given more than once, the option adds to what is there. */
static int append_ip_options(struct modcat_opening *opening, int fd,
                             const struct modcat_option *option, const struct modcat_value *value)
{
    uint8_t data[2 * IP_OPTIONS_MAX];
    socklen_t length = IP_OPTIONS_MAX;
    int level = (int)option->code, name = (int)option->detail;
    if (getsockopt(fd, level, name, data, &length) < 0)
        return modcat_fail(opening, "getsockopt(%d, %d, %d, ...): %s", fd, level, name,
                           strerror(errno));
    memcpy(data + length, value->data, value->length);
    return socket_set(opening, fd, level, name, data, length + value->length);
}

/* The kernel takes a byte as well as an int; socat passes a byte. */
static int set_in_one_byte(struct modcat_opening *opening, int fd,
                           const struct modcat_option *option, const struct modcat_value *value)
{
    const uint8_t byte = value->number != 0;
    return socket_set(opening, fd, option->code, option->detail, &byte, sizeof byte);
}
