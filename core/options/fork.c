/* The groups CHILD and RETRY: how often an address is opened, and by how many processes. */

#define _GNU_SOURCE
#include "core/options/effects.h"
#include "core/values/groups.h"

#define CHILD_SETTING(kind, member)                                                                \
    .type = (kind), .phase = MODCAT_PHASE_PASTACCEPT, OPENING_SETTING(member)
#define RETRY_SETTING(kind, member)                                                                \
    .type = (kind), .phase = MODCAT_PHASE_INIT, OPENING_SETTING(member)

static const struct modcat_option child_options[] = {
    {"fork", NULL, NULL, "serve each connection in a process of its own",
     CHILD_SETTING(MODCAT_BOOL, fork), .preset = "0"},
    {"max-children", "maxchildren", NULL, "maximum number of such processes at a time",
     CHILD_SETTING(MODCAT_INT, max_children), .preset = "no limit"},
    {"children-shutup", NULL, NULL, "log messages of such processes N levels less severe",
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
