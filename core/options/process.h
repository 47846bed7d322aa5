/* process.h: the state of the process that options change: for the time of an opening (network
 * namespace, folder, umask), or for good (user, groups). */

#ifndef CORE_OPTIONS_PROCESS_H
#define CORE_OPTIONS_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

struct modcat_opening;
struct opening_settings;

/* A user with all that the account gives a process. */
#define PROCESS_GROUPS_MAX 256
struct process_account {
    uid_t user;
    gid_t group;
    gid_t groups[PROCESS_GROUPS_MAX];
    int group_count;
    char name[256];
    char home[256];
    char shell[256];
};

/* What process_leave() restores. */
struct process_state {
    int netns;     /* descriptor of the former network namespace, -1: unchanged */
    int directory; /* descriptor of the former folder, -1: unchanged */
    bool umask_changed;
    mode_t umask;
};

/* Sets the network namespace, the folder and the umask that an address asks for, for the time of
 * its opening. Returns 0, or -1 after reporting, with all as it was. *saved is filled in. */
int process_enter(const struct opening_settings *settings, struct process_state *saved);

/* Restores what process_enter() changed. Returns 0, or -1 after reporting. errno is kept. */
int process_leave(struct process_state *saved);

/* Becomes another user for good: supplementary groups, group, user, and the variables USER,
 * LOGNAME, HOME and SHELL of child programs. Returns 0, or -1 after reporting.
 * Counterparts: setgroups(2), setgid(2), setuid(2). */
int process_become_user(struct modcat_opening *opening, uid_t user);

#endif
