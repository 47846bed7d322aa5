/* process.h: the state of the process that options change: for the time of an opening (network
 * namespace, folder, umask). What they change for good is identity.h's. */

#ifndef CORE_OPTIONS_PROCESS_STATE_H
#define CORE_OPTIONS_PROCESS_STATE_H

#include <stdbool.h>
#include <sys/types.h>

struct address;
struct modcat_option;
struct opening_settings;

/* What process_leave() restores. */
struct process_state {
    bool elsewhere; /* in another network namespace */
    int directory;  /* descriptor of the former folder, -1: unchanged */
    bool umask_changed;
    mode_t umask;
    unsigned roots; /* see identity_roots(): the former folder is lost with the former root */
};

/* Sets the network namespace, the folder and the umask that an address asks for, for the time of
 * its opening. Returns 0, or -1 after reporting, with all as it was. *saved is filled in. */
int process_enter(const struct opening_settings *settings, struct process_state *saved);

/* Restores what process_enter() changed. Returns 0, or -1 after reporting. errno is kept. */
int process_leave(struct process_state *saved);

/* True for an option that names a user whose whole account counts. */
bool process_names_account(const struct modcat_option *option);

/* True for an option that names a network namespace. */
bool process_names_namespace(const struct modcat_option *option);

/* True for an address that changes the root folder, or one of its stack does. */
bool process_changes_root(const struct address *address);

#endif
