/* account.h: users with all that their accounts give a process. They are looked up before anything
 * is opened, and thus before another root folder can have a say in it. */

#ifndef CORE_OPTIONS_ACCOUNT_H
#define CORE_OPTIONS_ACCOUNT_H

#include <sys/types.h>

struct modcat_opening;
struct modcat_value;
struct session;

struct account {
    struct account *next;
    const struct modcat_value *wanted_by; /* the option's */
    uid_t user;
    gid_t group;
    gid_t *groups;
    int group_count;
    char *name;
    char *home;
    char *shell;
};

/* Looks up the accounts of all options su, su-e and su-d of a session. Returns 0, or -1 after
 * reporting. Counterparts: getpwuid(3), getgrouplist(3). */
int accounts_look_up(struct session *session);
void accounts_free(struct session *session);

/* The account that an option's value names. NULL after reporting, where it has not been looked
 * up. */
const struct account *account_find(const struct modcat_opening *opening,
                                   const struct modcat_value *value);

#endif
