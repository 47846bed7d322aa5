/* membership.h: joining multicast groups by the options that name group, interface and source. */

#ifndef CORE_SERVICES_NET_MEMBERSHIP_H
#define CORE_SERVICES_NET_MEMBERSHIP_H

#include <modcat/driver.h>

/* The parts of "a:b:c", an IPv6 address standing in brackets or not. */
#define MEMBERSHIP_PARTS 3
struct membership_parts {
    size_t count;
    char *parts[MEMBERSHIP_PARTS]; /* to be freed */
};
void membership_split(const char *text, struct membership_parts *parts);
void membership_free(struct membership_parts *parts);

/* ip-add-membership=group:interface or group:address:interface */
modcat_apply_fn membership_join_ip4;
/* ip-add-source-membership=group:interface:source */
modcat_apply_fn membership_join_source_ip4;
/* ipv6-join-group=[group]:interface */
modcat_apply_fn membership_join_ip6;
/* ipv6-join-source-group=[group]:interface:[source] */
modcat_apply_fn membership_join_source_ip6;
/* The number of parts, before anything is opened: 2 or 3, and with a source 3. */
modcat_check_fn membership_check;
modcat_check_fn membership_check_source;
/* ip-multicast-if=address */
modcat_apply_fn membership_interface_ip4;

#endif
