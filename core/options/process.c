/* The group PROCESS: options that change the process, for the time of an opening or for good. */

#define _GNU_SOURCE
#include "core/options/process.h"

#include "core/base/log.h"
#include "core/options/effects.h"
#include "core/options/groups.h"
#include "core/session/environment.h"
#include "core/session/session.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static modcat_apply_fn set_umask, set_netns, change_root, change_group, change_user, become_user,
    remember_user, start_session;

#define OPTION(kind, when, function)                                                               \
    .type = MODCAT_##kind, .phase = MODCAT_PHASE_##when, .effect = MODCAT_CALL, .apply = (function)

static const struct modcat_option options[] = {
    {"chdir", "cd", NULL, "folder during the opening", .type = MODCAT_STRING,
     .phase = MODCAT_PHASE_INIT, OPENING_SETTING(chdir)},
    {"umask", NULL, NULL, "umask during the opening", OPTION(MODE, INIT, set_umask)},
    {"netns", NULL, NULL, "network namespace during the opening", OPTION(STRING, INIT, set_netns)},
    {"chroot", NULL, NULL, "root folder from after the opening on",
     OPTION(STRING, LATE, change_root)},
    {"chroot-early", NULL, NULL, "root folder from before the opening on",
     OPTION(STRING, EARLY, change_root)},
    {"setgid", NULL, NULL, "become this group after the opening", OPTION(GID, LATE2, change_group)},
    {"setgid-early", NULL, NULL, "become this group before the opening",
     OPTION(GID, EARLY, change_group)},
    {"setuid", NULL, NULL, "become this user after the opening, groups stay",
     OPTION(UID, LATE2, change_user)},
    {"setuid-early", NULL, NULL, "become this user before the opening, groups stay",
     OPTION(UID, EARLY, change_user)},
    {"substuser", "su", NULL, "become this user with groups after the opening",
     OPTION(UID, LATE2, become_user)},
    {"substuser-early", "su-e", NULL, "become this user with groups before the opening",
     OPTION(UID, EARLY, become_user)},
    {"substuser-delayed", "su-d", NULL, "become this user with groups when all is open",
     OPTION(UID, INIT, remember_user)},
    {"setsid", "sid", NULL, "become the leader of a new session",
     OPTION(BOOL, LATE, start_session)},
};

const struct modcat_option_group group_process = {
    .name = "PROCESS",
    .help = "the process, for any address",
    MODCAT_OPTIONS(options),
};

static int set_umask(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                     const struct modcat_value *value)
{
    (void)fd, (void)option;
    opening->set.umask_given = true;
    opening->set.umask = (mode_t)value->number;
    return 0;
}

static int set_netns(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                     const struct modcat_value *value)
{
    (void)fd;
    if (!opening->settings->experimental)
        log_warning("option \"%s\" is experimental; option --experimental accepts that",
                    option->name);
    opening->set.netns = value->string;
    return 0;
}

static int open_or_log(const char *path, int flags, const char *flags_text)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        log_error("open(%s, %s|O_CLOEXEC): %s", path, flags_text, strerror(errno));
    return fd;
}

static int set_namespace(int fd)
{
    if (setns(fd, CLONE_NEWNET) == 0)
        return 0;
    log_error("setns(%d, CLONE_NEWNET): %s", fd, strerror(errno));
    return -1;
}

/* A name without slash is one of ip-netns(8). */
static int enter_netns(const char *name, struct process_state *saved)
{
    char path[300];
    if (name == NULL)
        return 0;
    snprintf(path, sizeof path, "%s%.280s", *name == '/' ? "" : "/run/netns/", name);
    int fd = open_or_log(path, O_RDONLY, "O_RDONLY");
    if (fd < 0)
        return -1;
    saved->netns = open_or_log("/proc/self/ns/net", O_RDONLY, "O_RDONLY");
    int result = saved->netns < 0 ? -1 : set_namespace(fd);
    int error = errno;
    close(fd);
    errno = error;
    return result;
}

static int enter_directory(const char *directory, struct process_state *saved)
{
    if (directory == NULL)
        return 0;
    saved->directory = open_or_log(".", O_PATH | O_DIRECTORY, "O_PATH|O_DIRECTORY");
    if (saved->directory < 0)
        return -1;
    if (chdir(directory) == 0)
        return 0;
    log_error("chdir(\"%s\"): %s", directory, strerror(errno));
    return -1;
}

int process_enter(const struct opening_settings *settings, struct process_state *saved)
{
    *saved = (struct process_state){.netns = -1, .directory = -1};
    if (enter_netns(settings->netns, saved) < 0 || enter_directory(settings->chdir, saved) < 0) {
        process_leave(saved);
        return -1;
    }
    if (settings->umask_given) {
        saved->umask = umask(settings->umask);
        saved->umask_changed = true;
    }
    return 0;
}

static int leave_directory(int fd)
{
    if (fchdir(fd) == 0)
        return 0;
    log_error("fchdir(%d): %s", fd, strerror(errno));
    return -1;
}

int process_leave(struct process_state *saved)
{
    int error = errno, result = 0;
    if (saved->umask_changed)
        umask(saved->umask);
    if (saved->directory >= 0) {
        result = leave_directory(saved->directory);
        close(saved->directory);
    }
    if (saved->netns >= 0) {
        result = set_namespace(saved->netns) < 0 ? -1 : result;
        close(saved->netns);
    }
    *saved = (struct process_state){.netns = -1, .directory = -1};
    errno = error;
    return result;
}

static int change_root(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                       const struct modcat_value *value)
{
    (void)fd, (void)option;
    if (chroot(value->string) == 0)
        return 0;
    return modcat_fail(opening, "chroot(\"%s\"): %s", value->string, strerror(errno));
}

static int change_group(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                        const struct modcat_value *value)
{
    (void)fd, (void)option;
    if (setgid((gid_t)value->number) == 0)
        return 0;
    return modcat_fail(opening, "setgid(%lld): %s", value->number, strerror(errno));
}

static int change_user(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                       const struct modcat_value *value)
{
    (void)fd, (void)option;
    if (setuid((uid_t)value->number) == 0)
        return 0;
    return modcat_fail(opening, "setuid(%lld): %s", value->number, strerror(errno));
}

/* A process that leads its group can't do it; it goes on in its old session. */
static int start_session(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                         const struct modcat_value *value)
{
    (void)opening, (void)fd, (void)option;
    if (value->number != 0 && setsid() < 0)
        log_warning("setsid(): %s", strerror(errno));
    return 0;
}

static int copy_text(char *copy, size_t size, const char *text)
{
    if (strlen(text) >= size) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(copy, text, strlen(text) + 1);
    return 0;
}

static int copy_account(const struct passwd *entry, struct process_account *account)
{
    account->user = entry->pw_uid;
    account->group = entry->pw_gid;
    account->group_count = PROCESS_GROUPS_MAX;
    if (copy_text(account->name, sizeof account->name, entry->pw_name) < 0 ||
        copy_text(account->home, sizeof account->home, entry->pw_dir) < 0 ||
        copy_text(account->shell, sizeof account->shell, entry->pw_shell) < 0)
        return -1;
    if (getgrouplist(account->name, account->group, account->groups, &account->group_count) < 0) {
        errno = E2BIG;
        return -1;
    }
    return 0;
}

static int look_up(const struct modcat_opening *opening, uid_t user,
                   struct process_account *account)
{
    errno = 0;
    const struct passwd *entry = getpwuid(user);
    if (entry == NULL && errno == 0) {
        errno = ENOENT;
        return modcat_fail(opening, "getpwuid(%lu): no such user", (unsigned long)user);
    }
    if (entry == NULL || copy_account(entry, account) < 0)
        return modcat_fail(opening, "getpwuid(%lu): %s", (unsigned long)user, strerror(errno));
    return 0;
}

static void tell_children(struct environment *environment, const struct process_account *account)
{
    environment_set(environment, "USER", account->name);
    environment_set(environment, "LOGNAME", account->name);
    environment_set(environment, "HOME", account->home);
    environment_set(environment, "SHELL", account->shell);
}

static int become(struct modcat_opening *opening, const struct process_account *account)
{
    if (setgroups((size_t)account->group_count, account->groups) < 0)
        return modcat_fail(opening, "setgroups(%d, ...): %s", account->group_count,
                           strerror(errno));
    if (setgid(account->group) < 0)
        return modcat_fail(opening, "setgid(%lu): %s", (unsigned long)account->group,
                           strerror(errno));
    if (setuid(account->user) < 0)
        return modcat_fail(opening, "setuid(%lu): %s", (unsigned long)account->user,
                           strerror(errno));
    tell_children(opening->session->environment, account);
    return 0;
}

int process_become_user(struct modcat_opening *opening, uid_t user)
{
    if (opening->set.delayed_user_given && opening->set.delayed_account.user == user)
        return become(opening, &opening->set.delayed_account);
    struct process_account account;
    return look_up(opening, user, &account) < 0 ? -1 : become(opening, &account);
}

static int become_user(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                       const struct modcat_value *value)
{
    (void)fd, (void)option;
    return process_become_user(opening, (uid_t)value->number);
}

static int remember_user(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                         const struct modcat_value *value)
{
    (void)fd, (void)option;
    uid_t user = (uid_t)value->number;
    if (look_up(opening, user, &opening->set.delayed_account) < 0)
        return -1;
    opening->set.delayed_user_given = true;
    opening->set.delayed_user = user;
    return 0;
}
