#include "core/services/net/filter.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/sockaddr.h"
#include "core/opening/opening.h"
#include "core/options/effects.h"
#include "core/options/identity.h"
#include "core/options/process_state.h"
#include "core/registry/registry.h"
#include "core/services/net/resolve.h"
#include "core/values/range.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static int look_up(void *context, int family, const char *host, void *address)
{
    return resolve_address(context, family, host, address);
}

static int parse(struct modcat_opening *opening, int family, const char *text)
{
    char reason[400];
    struct range range;
    if (opening->range != NULL)
        return 0;
    if (range_parse(family, text, look_up, opening, &range, reason, sizeof reason) == 0) {
        opening->range = memory_copy(&range, sizeof range);
        return 0;
    }
    errno = EINVAL;
    if (reason[0] != '\0')
        modcat_fail(opening, "%s", reason);
    return modcat_fail(opening, "failed to parse or resolve range \"%s\" (pf=%d)", text, family);
}

/* A filter of a driver may read files and load libraries for each peer. In another root folder they
 * would be those of whoever can write there, and might even name commands to run. */
static int check_root(const struct modcat_opening *opening, const struct address_option *given,
                      bool changed)
{
    const struct registry_option *entry = given->entry;
    if (!changed || entry->driver == NULL || entry->option.phase != MODCAT_PHASE_ACCEPT)
        return 0;
    errno = EPERM;
    return modcat_fail(opening,
                       "option %s cannot be used with another root folder, where its files could "
                       "be anybody's; for a listening address, option chroot comes late enough",
                       entry->option.name);
}

/* Listening addresses ask their filters before the root folder changes, others for each packet. */
static bool root_will_have_changed(const struct modcat_opening *opening)
{
    return identity_roots() > 0 ||
           (opening->address->type->type.listen == NULL && process_changes_root(opening->address));
}

/* The options are looked for by hand, for they must not count as used before a peer comes. */
int filter_prepare(struct modcat_opening *opening, int family)
{
    bool changed = root_will_have_changed(opening);
    for (size_t i = 0; i < opening->address->option_count; i++) {
        const struct address_option *given = &opening->address->options[i];
        if (check_root(opening, given, changed) < 0)
            return -1;
        if (given->entry->option.apply == filter_apply_range &&
            parse(opening, family, given->value.string) < 0)
            return -1;
    }
    return 0;
}

static int refuse(const struct modcat_opening *opening, const char *why)
{
    char text[MODCAT_SOCKADDR_TEXT];
    log_warning("refusing connection from %s due to %s",
                modcat_sockaddr_text(&opening->peer.u.any, opening->peer.length, text), why);
    return 1;
}

static bool is_nobody(const struct modcat_sockaddr *peer)
{
    return peer->u.any.sa_family == AF_INET &&
           ((const struct sockaddr_in *)&peer->u.storage)->sin_addr.s_addr == INADDR_ANY;
}

int filter_apply_range(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                       const struct modcat_value *value)
{
    const struct modcat_sockaddr *peer = &opening->peer;
    char text[MODCAT_SOCKADDR_TEXT];
    (void)fd;
    (void)option;
    /* An address that has no peer yet, or never one. */
    if (peer->length == 0)
        return 0;
    if (parse(opening, peer->u.any.sa_family, value->string) < 0)
        return -1;
    if (is_nobody(peer)) {
        log_warning("invalid client address 0.0.0.0");
        return 1;
    }
    if (!range_holds(opening->range, &peer->u.any, peer->length))
        return refuse(opening, "range option");
    log_info("permitting connection from %s due to range option",
             modcat_sockaddr_text(&peer->u.any, peer->length, text));
    return 0;
}

/* The peer's port, as sourceport and lowport of a server want it. */
static int check_port(struct modcat_opening *opening)
{
    long long wanted = modcat_option_number(opening, "sourceport", -1);
    bool low = modcat_option_bool(opening, "lowport", false);
    long long port = sockaddr_port(&opening->peer.u.any, opening->peer.length);
    if (wanted >= 0)
        return port == wanted ? 0 : refuse(opening, "wrong sourceport");
    return !low || (port >= 0 && port < SOCKADDR_PRIVILEGED_PORTS)
               ? 0
               : refuse(opening, "lowport option");
}

/* Carries out the filters of phase ACCEPT: the range, or all others. They act on every peer, used
 * or not. */
static int carry_out_filters(struct modcat_opening *opening, bool range)
{
    for (size_t i = 0; i < opening->address->option_count; i++) {
        const struct address_option *given = &opening->address->options[i];
        const struct modcat_option *option = &given->entry->option;
        if (option->phase != MODCAT_PHASE_ACCEPT || option->effect != MODCAT_CALL ||
            (option->apply == filter_apply_range) != range)
            continue;
        opening->used[i] = true;
        if (check_root(opening, given, identity_roots() > 0) < 0)
            return -1;
        int result = effects_carry_out(opening, -1, option, &given->value);
        if (result != 0)
            return result;
    }
    return 0;
}

void filter_keep(struct modcat_opening *opening)
{
    for (size_t i = 0; i < opening->address->option_count; i++)
        if (opening->address->options[i].entry->option.phase == MODCAT_PHASE_ACCEPT)
            opening->used[i] = true;
    modcat_ignore_option(opening, "sourceport");
    modcat_ignore_option(opening, "lowport");
}

/* For ranges of any peers, which would have to be looked up for each. */
static int take_no_name(void *context, int family, const char *host, void *address)
{
    (void)context;
    (void)family;
    (void)host;
    (void)address;
    return -1;
}

static bool parse_numeric(int family, const char *text, struct range *range)
{
    char reason[400];
    return range_parse(family, text, take_no_name, NULL, range, reason, sizeof reason) == 0;
}

const char *modcat_check_range(const struct modcat_value *value)
{
    struct range range;
    return parse_numeric(AF_INET, value->string, &range) ||
                   parse_numeric(AF_INET6, value->string, &range)
               ? NULL
               : "it must be a range of numeric addresses, as in 10.0.0.0/8 or [fd00::]/8";
}

/* An IPv4 peer of an IPv6 socket, RFC 4291 section 2.5.5.2; or the peer as it is. */
static const struct sockaddr *unmapped(const struct sockaddr *peer, struct sockaddr_in *room)
{
    const struct sockaddr_in6 *mapped = (const struct sockaddr_in6 *)(const void *)peer;
    if (peer->sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&mapped->sin6_addr))
        return peer;
    *room = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = mapped->sin6_port};
    memcpy(&room->sin_addr, mapped->sin6_addr.s6_addr + 12, sizeof room->sin_addr);
    return (const struct sockaddr *)room;
}

bool modcat_in_range(const char *text, const struct sockaddr *peer, socklen_t length)
{
    struct sockaddr_in room;
    struct range range;
    const struct sockaddr *plain = unmapped(peer, &room);
    if (parse_numeric(peer->sa_family, text, &range) && range_holds(&range, peer, length))
        return true;
    return plain != peer && parse_numeric(AF_INET, text, &range) &&
           range_holds(&range, plain, sizeof room);
}

bool modcat_permit_peer(struct modcat_opening *opening, const struct sockaddr *peer,
                        socklen_t length)
{
    sockaddr_copy(&opening->peer, peer, length);
    return carry_out_filters(opening, true) == 0 && check_port(opening) == 0 &&
           carry_out_filters(opening, false) == 0;
}
