/* The groups CHILD and RETRY: how often an address is opened, and by how many processes. */

#define _GNU_SOURCE
#include "core/options/effects.h"
#include "core/values/groups.h"

/* More do not help any machine, and a typing error must not fill it with processes. */
#define WORKERS_MAX 64

#define CHILD_SETTING(kind, member)                                                                \
    .type = (kind), .phase = MODCAT_PHASE_PASTACCEPT, OPENING_SETTING(member)
#define RETRY_SETTING(kind, member)                                                                \
    .type = (kind), .phase = MODCAT_PHASE_INIT, OPENING_SETTING(member)

static const char *check_workers(const struct modcat_value *value)
{
    return value->number >= 1 && value->number <= WORKERS_MAX ? NULL : "it must be 1 to 64";
}

static const struct modcat_option child_options[] = {
    {"fork", NULL, NULL, "serve each connection in a process or session of its own",
     CHILD_SETTING(MODCAT_BOOL, fork), .preset = "0", .words = "session"},
    {"workers", NULL, NULL, "number of processes that share the sessions of fork=session",
     CHILD_SETTING(MODCAT_UINT, workers), .preset = "none", .check = check_workers},
    {"max-children", "maxchildren", NULL, "maximum number of such processes or sessions at a time",
     CHILD_SETTING(MODCAT_INT, max_children), .preset = "no limit"},
    {"children-shutup", NULL, NULL, "log their messages N levels less severe",
     CHILD_SETTING(MODCAT_INT, children_shutup), .preset = "0"},
};

static const struct modcat_option retry_options[] = {
    {"retry", NULL, NULL, "number of further attempts after a failure",
     RETRY_SETTING(MODCAT_UINT, retry), .preset = "0"},
    {"forever", NULL, NULL, "try again until it succeeds", RETRY_SETTING(MODCAT_BOOL, forever),
     .preset = "0"},
    {"interval", "intervall", NULL, "time between two attempts",
     RETRY_SETTING(MODCAT_TIMESPEC, interval), .preset = "1"},
};

const struct modcat_option_group group_child = {
    .name = "CHILD",
    .help = "addresses that serve many connections",
    MODCAT_OPTIONS(child_options),
};

const struct modcat_option_group group_retry = {
    .name = "RETRY",
    .help = "addresses that can be tried again",
    MODCAT_OPTIONS(retry_options),
};
