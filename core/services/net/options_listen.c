/* Option groups LISTEN, RANGE and IPAPP: servers, their peers, and ports. */

#include "core/options/effects.h"
#include "core/services/net/filter.h"
#include "core/values/groups.h"

static const struct modcat_option listen_options[] = {
    {.name = "accept-timeout",
     .aliases = "listen-timeout",
     .help = "seconds after which waiting for a connection ends",
     .type = MODCAT_TIMEVAL,
     .phase = MODCAT_PHASE_LISTEN,
     OPENING_SETTING(accept_timeout),
     .preset = "never"},
    {.name = "accept-timeout-status",
     .help = "exit status when no connection has come in time",
     .type = MODCAT_BYTE,
     .phase = MODCAT_PHASE_LISTEN,
     OPENING_SETTING(accept_status),
     .preset = "0",
     .needs = "accept-timeout"},
    {.name = "backlog",
     .help = "how many connections may wait to be accepted",
     .type = MODCAT_INT,
     .phase = MODCAT_PHASE_LISTEN,
     OPENING_SETTING(backlog),
     .preset = "4096"},
};

static const struct modcat_option range_options[] = {
    {.name = "range",
     .help = "serve only peers of this network",
     .type = MODCAT_STRING,
     .phase = MODCAT_PHASE_ACCEPT,
     .effect = MODCAT_CALL,
     .apply = filter_apply_range},
};

static const struct modcat_option ipapp_options[] = {
    {.name = "lowport",
     .also = "UDP,TCP,SCTP,DCCP,UDPLITE",
     .help = "own port of a client, peer's port for a server: below 1024 only",
     .type = MODCAT_BOOL,
     .phase = MODCAT_PHASE_LATE,
     .effect = MODCAT_FETCHED},
    {.name = "sourceport",
     .aliases = "sp",
     .also = "UDP,TCP,SCTP,DCCP,UDPLITE",
     .help = "own port of a client, peer's port for a server",
     .type = MODCAT_USHORT,
     .phase = MODCAT_PHASE_LATE,
     .effect = MODCAT_FETCHED},
};

const struct modcat_option_group group_listen = {
    .name = "LISTEN",
    .help = "options of addresses that wait for connections",
    MODCAT_OPTIONS(listen_options),
};

const struct modcat_option_group group_range = {
    .name = "RANGE",
    .help = "filters of peers",
    MODCAT_OPTIONS(range_options),
};

const struct modcat_option_group group_ipapp = {
    .name = "IPAPP",
    .help = "ports of transport protocols over IP",
    MODCAT_OPTIONS(ipapp_options),
};
