#define _GNU_SOURCE
#include "core/options/identity.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/opening/environment.h"
#include "core/opening/leftovers.h"
#include "core/opening/session_state.h"
#include "core/options/confine.h"
#include "core/registry/registry.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Room for a reason, and for an id. */
#define REASON_TEXT 160
#define NUMBER_TEXT 24

/* What this process has become: options that have been carried out, and the changes of the root
 * folder. It is the process that has changed, and not a session or an opening. */
static struct {
    const struct modcat_value **done;
    size_t done_count;
    unsigned roots;
    const struct account *account;
} past;

unsigned identity_roots(void)
{
    return past.roots;
}

static bool is_done(const struct modcat_value *value)
{
    for (size_t i = 0; i < past.done_count; i++)
        if (past.done[i] == value)
            return true;
    return false;
}

static void remember(const struct modcat_value *value)
{
    if (value == NULL)
        return;
    past.done = memory_resize(past.done, past.done_count + 1, sizeof *past.done);
    past.done[past.done_count++] = value;
}

static const struct modcat_value *not_done(const struct modcat_value *value)
{
    return value != NULL && is_done(value) ? NULL : value;
}

/* Why a call failed, and which capability it needs. */
static const char *needing(const char *capability, char text[REASON_TEXT])
{
    if (errno == EPERM)
        snprintf(text, REASON_TEXT, "%s (needs the capability %s)", strerror(errno), capability);
    else
        snprintf(text, REASON_TEXT, "%s", strerror(errno));
    return text;
}

static int change_root(struct modcat_opening *opening, const struct modcat_value *value)
{
    if (value == NULL)
        return 0;
    char text[REASON_TEXT];
    AUTO_FREE char *root = realpath(value->string, NULL);
    confine_lookups();
    if (root == NULL || chroot(root) < 0)
        return modcat_fail_call(opening, "change the root folder to", value->string,
                                needing("CAP_SYS_CHROOT", text), "chroot(\"%s\")", value->string);
    past.roots++;
    remember(value);
    if (chdir("/") < 0)
        return modcat_fail_call(opening, "enter the new root folder", value->string, NULL,
                                "chdir(\"/\")");
    leftovers_change_root(opening->session, root);
    log_info("the root folder is \"%s\" from now on", value->string);
    return 0;
}

static int set_groups(struct modcat_opening *opening, int count, const gid_t *groups)
{
    if (setgroups((size_t)count, groups) == 0)
        return 0;
    char text[REASON_TEXT];
    return modcat_fail_call(opening, "set supplementary groups", NULL, needing("CAP_SETGID", text),
                            "setgroups(%d, ...)", count);
}

/* Whoever may not change the list has no groups but an ordinary user's own. */
static int drop_groups(struct modcat_opening *opening)
{
    if (opening->set.keep_groups)
        return 0;
    if (setgroups(0, NULL) == 0) {
        log_info("supplementary groups are dropped");
        return 0;
    }
    if (errno == EPERM && geteuid() != 0)
        return 0;
    return modcat_fail_call(opening, "drop supplementary groups (option keep-groups keeps them)",
                            NULL, NULL, "setgroups(0, NULL)");
}

static int set_group(struct modcat_opening *opening, gid_t group)
{
    if (setresgid(group, group, group) == 0)
        return 0;
    char text[REASON_TEXT], name[NUMBER_TEXT];
    snprintf(name, sizeof name, "%lu", (unsigned long)group);
    return modcat_fail_call(opening, "change to group", name, needing("CAP_SETGID", text),
                            "setgid(%s)", name);
}

static int fail_regained(struct modcat_opening *opening, const char *what)
{
    errno = EPERM;
    return modcat_fail(opening, "the rights of %s are not given up: they can be regained", what);
}

/* With capabilities that stay when the user changes, nothing would be given up. */
static int check_given_up(struct modcat_opening *opening, uid_t user, const gid_t *group)
{
    uid_t real, effective, saved;
    if (getresuid(&real, &effective, &saved) < 0 || real != user || effective != user ||
        saved != user)
        return fail_regained(opening, "the former user");
    if (user != 0 && setresuid((uid_t)-1, 0, (uid_t)-1) == 0) {
        (void)!setresuid(user, user, user);
        return fail_regained(opening, "root");
    }
    if (user != 0 && group != NULL && *group != 0 && setresgid((gid_t)-1, 0, (gid_t)-1) == 0) {
        (void)!setresgid(*group, *group, *group);
        return fail_regained(opening, "group root");
    }
    return 0;
}

static int set_user(struct modcat_opening *opening, uid_t user, const gid_t *group)
{
    char text[REASON_TEXT], name[NUMBER_TEXT];
    snprintf(name, sizeof name, "%lu", (unsigned long)user);
    if (setresuid(user, user, user) < 0)
        return modcat_fail_call(opening, "change to user", name, needing("CAP_SETUID", text),
                                "setuid(%s)", name);
    return check_given_up(opening, user, group);
}

static void tell_children(struct environment *environment, const struct account *account)
{
    environment_set(environment, "USER", account->name);
    environment_set(environment, "LOGNAME", account->name);
    environment_set(environment, "HOME", account->home);
    environment_set(environment, "SHELL", account->shell);
}

static int change_identity(struct modcat_opening *opening, const struct account *account,
                           const gid_t *group, const uid_t *user)
{
    group = group != NULL ? group : account != NULL ? &account->group : NULL;
    user = user != NULL ? user : account != NULL ? &account->user : NULL;
    if (account != NULL && *user != account->user) {
        errno = EINVAL;
        return modcat_fail(opening, "options setuid and su name different users");
    }
    int result = account != NULL ? set_groups(opening, account->group_count, account->groups)
                                 : drop_groups(opening);
    if (result < 0 || (group != NULL && set_group(opening, *group) < 0) ||
        (user != NULL && set_user(opening, *user, group) < 0))
        return -1;
    if (account != NULL)
        tell_children(opening->session->environment, account);
    return 0;
}

int identity_take(struct modcat_opening *opening, const struct account *account)
{
    if (past.account != NULL && past.account->user == account->user)
        return 0;
    if (change_identity(opening, account, NULL, NULL) < 0)
        return -1;
    past.account = account;
    return 0;
}

int identity_settle(struct modcat_opening *opening)
{
    struct identity_wish wish = {
        .root = not_done(opening->wish.root),
        .group = not_done(opening->wish.group),
        .user = not_done(opening->wish.user),
        .account = not_done(opening->wish.account),
    };
    opening->wish = (struct identity_wish){.root = NULL};
    if (change_root(opening, wish.root) < 0)
        return -1;
    if (wish.group == NULL && wish.user == NULL && wish.account == NULL)
        return 0;
    const struct account *account =
        wish.account != NULL ? account_find(opening, wish.account) : NULL;
    gid_t group = wish.group != NULL ? (gid_t)wish.group->number : 0;
    uid_t user = wish.user != NULL ? (uid_t)wish.user->number : 0;
    if ((wish.account != NULL && account == NULL) ||
        change_identity(opening, account, wish.group != NULL ? &group : NULL,
                        wish.user != NULL ? &user : NULL) < 0)
        return -1;
    remember(wish.group);
    remember(wish.user);
    remember(wish.account);
    return 0;
}
