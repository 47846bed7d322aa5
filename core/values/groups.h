/* groups.h: the option groups that the core registers itself. */

#ifndef CORE_VALUES_GROUPS_H
#define CORE_VALUES_GROUPS_H

#include <modcat/driver.h>

/* What any descriptor and the data loop have. */
extern const struct modcat_option_group group_fd, group_appl;
/* File system entries, open(2), regular and other files. */
extern const struct modcat_option_group group_named, group_open, group_reg, group_blk, group_chr,
    group_fifo;
/* The process, and options of any address. */
extern const struct modcat_option_group group_process;
/* Sockets. */
extern const struct modcat_option_group group_socket, group_ip4, group_ip6, group_ipapp,
    group_listen, group_range, group_child, group_retry;

/* All of them, NULL-terminated. */
extern const struct modcat_option_group *const groups_core[];

/* Groups whose options any address takes. */
#define GROUPS_EVERYWHERE "PROCESS,APPL"

/* The name of a phase as help shows it: "PASTSOCKET"; NULL: there is no such phase. */
const char *groups_phase_name(enum modcat_phase phase);

/* Goes on to the next phase; PHASE_NONE comes before the first one. Returns false behind `last`. */
bool groups_next_phase(enum modcat_phase *phase, enum modcat_phase last);
#define PHASE_NONE ((enum modcat_phase)0)

#endif
