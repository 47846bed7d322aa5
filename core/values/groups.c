#define _GNU_SOURCE
#include "core/values/groups.h"

const struct modcat_option_group *const groups_core[] = {
    &group_fd,    &group_appl,   &group_named,   &group_open,   &group_reg,   &group_blk,
    &group_chr,   &group_fifo,   &group_process, &group_socket, &group_ip4,   &group_ip6,
    &group_ipapp, &group_listen, &group_range,   &group_child,  &group_retry, NULL,
};

/* In their order. */
static const struct phase {
    enum modcat_phase phase;
    const char *name;
} phases[] = {
    {MODCAT_PHASE_OFFSET, "OFFSET"},
    {MODCAT_PHASE_INIT, "INIT"},
    {MODCAT_PHASE_EARLY, "EARLY"},
    {MODCAT_PHASE_PREOPEN, "PREOPEN"},
    {MODCAT_PHASE_OPEN, "OPEN"},
    {MODCAT_PHASE_PASTOPEN, "PASTOPEN"},
    {MODCAT_PHASE_PRESOCKET, "PRESOCKET"},
    {MODCAT_PHASE_SOCKET, "SOCKET"},
    {MODCAT_PHASE_PASTSOCKET, "PASTSOCKET"},
    {MODCAT_PHASE_FD, "FD"},
    {MODCAT_PHASE_PREBIND, "PREBIND"},
    {MODCAT_PHASE_BIND, "BIND"},
    {MODCAT_PHASE_LISTEN, "LISTEN"},
    {MODCAT_PHASE_ACCEPT, "ACCEPT"},
    {MODCAT_PHASE_PASTACCEPT, "PASTACCEPT"},
    {MODCAT_PHASE_CONNECTED, "CONNECTED"},
    {MODCAT_PHASE_LATE, "LATE"},
    {MODCAT_PHASE_LATE2, "LATE2"},
    {MODCAT_PHASE_SPEC, "SPEC"},
};

const char *groups_phase_name(enum modcat_phase phase)
{
    for (size_t i = 0; i < MODCAT_COUNT(phases); i++)
        if (phases[i].phase == phase)
            return phases[i].name;
    return NULL;
}

bool groups_next_phase(enum modcat_phase *phase, enum modcat_phase last)
{
    for (size_t i = 0; i < MODCAT_COUNT(phases) && phases[i].phase <= last; i++)
        if (phases[i].phase > *phase) {
            *phase = phases[i].phase;
            return true;
        }
    return false;
}
