/* The group PROCESS: options that change the process, for the time of an opening or for good. */

#define _GNU_SOURCE
#include "core/options/process_state.h"

#include "core/base/failure.h"
#include "core/base/log.h"
#include "core/opening/session_state.h"
#include "core/options/effects.h"
#include "core/options/identity.h"
#include "core/options/namespaces.h"
#include "core/registry/registry.h"
#include "core/values/groups.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static modcat_apply_fn set_umask, set_netns, want_root, want_group, want_user, want_account,
    remember_account, start_session;

/* How many addresses with a folder are told apart: each side has two at most, and layers. */
#define ENTERED_MAX 16

#define OPTION(kind, when, function)                                                               \
    .type = MODCAT_##kind, .phase = MODCAT_PHASE_##when, .effect = MODCAT_CALL,                    \
    .apply = (function), .own_process = true
#define NAME(when, function) OPTION(STRING, when, function), .check = modcat_check_filled

static const struct modcat_option options[] = {
    {"chdir", "cd", NULL, "folder during the opening", .type = MODCAT_STRING,
     .phase = MODCAT_PHASE_INIT, OPENING_SETTING(chdir), .check = modcat_check_filled,
     .own_process = true},
    {"umask", NULL, NULL, "umask during the opening", OPTION(MODE, INIT, set_umask)},
    {"netns", NULL, NULL, "network namespace during the opening", NAME(INIT, set_netns)},
    {"chroot", NULL, NULL, "root folder, changed after the opening", NAME(LATE, want_root)},
    {"chroot-early", NULL, NULL, "root folder, changed before the opening", NAME(EARLY, want_root)},
    {"setgid", NULL, NULL, "become this group after the opening, without further ones",
     OPTION(GID, LATE2, want_group)},
    {"setgid-early", NULL, NULL, "become this group before the opening, without further ones",
     OPTION(GID, EARLY, want_group)},
    {"setuid", NULL, NULL, "become this user after the opening, without further groups",
     OPTION(UID, LATE2, want_user)},
    {"setuid-early", NULL, NULL, "become this user before the opening, without further groups",
     OPTION(UID, EARLY, want_user)},
    {"keep-groups", NULL, NULL, "keep the supplementary groups with setuid and setgid",
     .type = MODCAT_BOOL, .phase = MODCAT_PHASE_INIT, OPENING_SETTING(keep_groups), .preset = "0"},
    {"substuser", "su", NULL, "become this user with groups after the opening",
     OPTION(UID, LATE2, want_account)},
    {"substuser-early", "su-e", NULL, "become this user with groups before the opening",
     OPTION(UID, EARLY, want_account)},
    {"substuser-delayed", "su-d", NULL, "become this user with groups when all is open",
     OPTION(UID, INIT, remember_account)},
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
    modcat_experimental(opening, option->name);
    opening->set.netns = value->string;
    return 0;
}

/* The folder of an address that has changed the root since is its path in the former one: from then
 * on the address is opened in the new root's `/`. */
static struct {
    const char *directory;
    unsigned roots;
} entered[ENTERED_MAX];

static bool was_for_former_root(const char *directory)
{
    size_t place = 0;
    while (place < ENTERED_MAX && entered[place].directory != NULL &&
           entered[place].directory != directory)
        place++;
    if (place == ENTERED_MAX)
        return identity_roots() > 0;
    if (entered[place].directory == NULL) {
        entered[place].directory = directory;
        entered[place].roots = identity_roots();
    }
    return entered[place].roots != identity_roots();
}

static int enter_directory(const char *directory, struct process_state *saved)
{
    if (directory == NULL || was_for_former_root(directory))
        return 0;
    saved->directory = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (saved->directory < 0) {
        log_failure(MODCAT_ERROR, "open the current folder", NULL, NULL,
                    "open(., O_PATH|O_DIRECTORY|O_CLOEXEC)");
        return -1;
    }
    if (chdir(directory) == 0)
        return 0;
    log_failure(MODCAT_ERROR, "change to folder", directory, NULL, "chdir(\"%s\")", directory);
    return -1;
}

static int enter_netns(const char *name, struct process_state *saved)
{
    if (name == NULL)
        return 0;
    saved->elsewhere = namespaces_enter(name) == 0;
    return saved->elsewhere ? 0 : -1;
}

int process_enter(const struct opening_settings *settings, struct process_state *saved)
{
    *saved = (struct process_state){.directory = -1, .roots = identity_roots()};
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

/* The former folder is a way out of a root that has been entered since. */
static int leave_directory(const struct process_state *saved)
{
    if (saved->roots != identity_roots() || fchdir(saved->directory) == 0)
        return 0;
    log_failure(MODCAT_ERROR, "go back to the former folder", NULL, NULL, "fchdir(%d)",
                saved->directory);
    return -1;
}

int process_leave(struct process_state *saved)
{
    int error = errno, result = 0;
    if (saved->umask_changed)
        umask(saved->umask);
    if (saved->directory >= 0) {
        result = leave_directory(saved);
        close(saved->directory);
    }
    if (saved->elsewhere && namespaces_leave() < 0)
        result = -1;
    *saved = (struct process_state){.directory = -1};
    errno = error;
    return result;
}

/* What these want is done at the end of their phase; see identity.h. */
static int want_root(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                     const struct modcat_value *value)
{
    (void)fd, (void)option;
    opening->wish.root = value;
    return 0;
}

static int want_group(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                      const struct modcat_value *value)
{
    (void)fd, (void)option;
    opening->wish.group = value;
    return 0;
}

static int want_user(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                     const struct modcat_value *value)
{
    (void)fd, (void)option;
    opening->wish.user = value;
    return 0;
}

static int want_account(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                        const struct modcat_value *value)
{
    (void)fd, (void)option;
    opening->wish.account = value;
    return 0;
}

/* A process that leads its group can't do it; it goes on in its old session. */
static int start_session(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                         const struct modcat_value *value)
{
    (void)opening, (void)fd, (void)option;
    if (value->number != 0 && setsid() < 0)
        log_failure(MODCAT_WARNING, "start a session", NULL, NULL, "setsid()");
    return 0;
}

static int remember_account(struct modcat_opening *opening, int fd,
                            const struct modcat_option *option, const struct modcat_value *value)
{
    (void)fd, (void)option;
    opening->set.delayed_account = account_find(opening, value);
    return opening->set.delayed_account == NULL ? -1 : 0;
}

bool process_names_account(const struct modcat_option *option)
{
    return option->effect == MODCAT_CALL &&
           (option->apply == want_account || option->apply == remember_account);
}

bool process_names_namespace(const struct modcat_option *option)
{
    return option->effect == MODCAT_CALL && option->apply == set_netns;
}

static bool names_root(const struct address *address)
{
    for (size_t i = 0; i < address->option_count; i++) {
        const struct modcat_option *option = &address->options[i].entry->option;
        if (option->effect == MODCAT_CALL && option->apply == want_root)
            return true;
    }
    return false;
}

bool process_changes_root(const struct address *address)
{
    for (const struct address *level = address_lowest(address); level != NULL; level = level->upper)
        if (names_root(level))
            return true;
    return false;
}
