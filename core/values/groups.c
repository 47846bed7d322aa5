#define _GNU_SOURCE
#include "core/values/groups.h"

const struct modcat_option_group *const groups_core[] = {
    &group_fd,    &group_appl,   &group_named,   &group_open,   &group_reg,   &group_blk,
    &group_chr,   &group_fifo,   &group_process, &group_socket, &group_ip4,   &group_ip6,
    &group_ipapp, &group_listen, &group_range,   &group_child,  &group_retry, NULL,
};

static const char *const phase_names[MODCAT_PHASES] = {
    [MODCAT_PHASE_OFFSET] = "OFFSET",
    [MODCAT_PHASE_INIT] = "INIT",
    [MODCAT_PHASE_EARLY] = "EARLY",
    [MODCAT_PHASE_PREOPEN] = "PREOPEN",
    [MODCAT_PHASE_OPEN] = "OPEN",
    [MODCAT_PHASE_PASTOPEN] = "PASTOPEN",
    [MODCAT_PHASE_PRESOCKET] = "PRESOCKET",
    [MODCAT_PHASE_SOCKET] = "SOCKET",
    [MODCAT_PHASE_PASTSOCKET] = "PASTSOCKET",
    [MODCAT_PHASE_PREBIGEN] = "PREBIGEN",
    [MODCAT_PHASE_BIGEN] = "BIGEN",
    [MODCAT_PHASE_PASTBIGEN] = "PASTBIGEN",
    [MODCAT_PHASE_FD] = "FD",
    [MODCAT_PHASE_PREBIND] = "PREBIND",
    [MODCAT_PHASE_BIND] = "BIND",
    [MODCAT_PHASE_PASTBIND] = "PASTBIND",
    [MODCAT_PHASE_PRELISTEN] = "PRELISTEN",
    [MODCAT_PHASE_LISTEN] = "LISTEN",
    [MODCAT_PHASE_PASTLISTEN] = "PASTLISTEN",
    [MODCAT_PHASE_PRECONNECT] = "PRECONNECT",
    [MODCAT_PHASE_CONNECT] = "CONNECT",
    [MODCAT_PHASE_PASTCONNECT] = "PASTCONNECT",
    [MODCAT_PHASE_PREACCEPT] = "PREACCEPT",
    [MODCAT_PHASE_ACCEPT] = "ACCEPT",
    [MODCAT_PHASE_PASTACCEPT] = "PASTACCEPT",
    [MODCAT_PHASE_CONNECTED] = "CONNECTED",
    [MODCAT_PHASE_PREFORK] = "PREFORK",
    [MODCAT_PHASE_FORK] = "FORK",
    [MODCAT_PHASE_PASTFORK] = "PASTFORK",
    [MODCAT_PHASE_LATE] = "LATE",
    [MODCAT_PHASE_LATE2] = "LATE2",
    [MODCAT_PHASE_PREEXEC] = "PREEXEC",
    [MODCAT_PHASE_EXEC] = "EXEC",
    [MODCAT_PHASE_PASTEXEC] = "PASTEXEC",
    [MODCAT_PHASE_SPEC] = "SPEC",
};

const char *groups_phase_name(enum modcat_phase phase)
{
    return phase_names[phase];
}
