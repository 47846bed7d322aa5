/* Pseudo terminals: opening both ends, what options want of them, links to their names. */

#define _GNU_SOURCE
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/wait.h"
#include "core/base/words.h"
#include "core/opening/leftovers.h"
#include "core/opening/opening.h"
#include "core/options/effects.h"
#include "core/registry/registry.h"
#include "core/services/files/path.h"
#include "core/services/tty/terminals.h"
#include <errno.h>
#include <fcntl.h>
#include <modcat/tty.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int give_to(struct modcat_opening *opening, const char *path, long long user,
                   long long group)
{
    if ((user < 0 && group < 0) || chown(path, (uid_t)user, (gid_t)group) == 0)
        return 0;
    return modcat_fail_call(opening, "change the owner of", path, NULL, "chown(\"%s\", %lld, %lld)",
                            path, user, group);
}

static int permit(struct modcat_opening *opening, const char *path, long long mode)
{
    if (mode < 0 || chmod(path, (mode_t)mode) == 0)
        return 0;
    return modcat_fail_call(opening, "change the permissions of", path, NULL,
                            "chmod(\"%s\", 0%llo)", path, (unsigned long long)mode);
}

/* What options say of a file is meant for the name that others will open. */
static int set_owner(struct modcat_opening *opening, const char *path)
{
    long long user = modcat_option_number(opening, "user", -1);
    long long group = modcat_option_number(opening, "group", -1);
    long long mode = modcat_option_number(opening, "perm", -1);
    user = modcat_option_number(opening, "user-late", user);
    group = modcat_option_number(opening, "group-late", group);
    mode = modcat_option_number(opening, "perm-late", mode);
    return give_to(opening, path, user, group) < 0 ? -1 : permit(opening, path, mode);
}

static bool is_setting(const struct address_option *option)
{
    return option->entry->option.phase == MODCAT_PHASE_FD &&
           option->entry->option.effect == MODCAT_CALL &&
           words_list_has(option->entry->groups, "TERMIOS");
}

/* What is set on the master holds for the slave; see drivers/tty/tty_ioctl.c of Linux. */
static int change_settings(struct modcat_opening *opening, int master)
{
    for (size_t i = 0; i < opening->address->option_count; i++) {
        const struct address_option *option = &opening->address->options[i];
        if (opening->used[i] || !is_setting(option))
            continue;
        opening->used[i] = true;
        if (effects_carry_out(opening, master, &option->entry->option, &option->value) < 0 &&
            !log_sloppy())
            return -1;
    }
    return terminals_settle(opening) < 0 && !log_sloppy() ? -1 : 0;
}

static int carry_out_options(struct modcat_opening *opening, const struct modcat_pty *pty)
{
    const struct modcat_value *sitout = modcat_option_value(opening, "sitout-eio");
    opening->set.sitout_eio = sitout != NULL ? sitout->time : 0;
    modcat_ignore_option(opening, "openpty");
    modcat_ignore_option(opening, "ptmx");
    opening->tty_is_own = true;
    int result = change_settings(opening, pty->master);
    opening->tty_is_own = false;
    return result < 0 ? -1 : set_owner(opening, pty->name);
}

static int fail_open(struct modcat_opening *opening, const char *call)
{
    return modcat_fail_call(opening, "open a pseudo terminal", NULL, NULL, "%s", call);
}

static int open_master(struct modcat_opening *opening, struct modcat_pty *pty)
{
    pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (pty->master < 0)
        return fail_open(opening, "posix_openpt(O_RDWR|O_NOCTTY)");
    if (grantpt(pty->master) < 0)
        return fail_open(opening, "grantpt()");
    if (unlockpt(pty->master) < 0)
        return fail_open(opening, "unlockpt()");
    errno = ptsname_r(pty->master, pty->name, sizeof pty->name);
    if (errno != 0)
        return fail_open(opening, "ptsname_r()");
    log_notice("PTY is %s", pty->name);
    return 0;
}

int modcat_pty_open_master(struct modcat_opening *opening, struct modcat_pty *pty)
{
    pty->master = pty->slave = -1;
    if (open_master(opening, pty) == 0 && carry_out_options(opening, pty) == 0) {
        if (!opening_option_used(opening, "tiocswinsz"))
            terminals_size_new(opening->session, pty->master);
        return 0;
    }
    modcat_pty_close(pty);
    return -1;
}

/* The kernel gives the other end of this very master, whatever /dev/pts is mounted here. */
int modcat_pty_open_slave(struct modcat_opening *opening, struct modcat_pty *pty)
{
    pty->slave = ioctl(pty->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (pty->slave < 0)
        pty->slave = open(pty->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (pty->slave >= 0)
        return 0;
    return modcat_fail_call(opening, "open", pty->name, NULL, "open(\"%s\", O_RDWR|O_NOCTTY)",
                            pty->name);
}

int modcat_pty_open(struct modcat_opening *opening, struct modcat_pty *pty)
{
    if (modcat_pty_open_master(opening, pty) < 0)
        return -1;
    if (modcat_pty_open_slave(opening, pty) == 0)
        return 0;
    modcat_pty_close(pty);
    return -1;
}

/* How long nobody may read before the rest is given up: where nobody has read before, and somebody
 * who has. Of more than fits into one line of input, the kernel does not show how much is left, and
 * the last read only as a time that it changes once in so many seconds. */
#define IDLE_LIMIT (MODCAT_SECOND / 2)
#define READER_LIMIT (5 * MODCAT_SECOND)
#define LINE_MAX_INPUT 4095
#define SECONDS_OF_ACCESS 8
#define LOOK_INTERVAL (MODCAT_SECOND / 100)

/* Without a slave of our own, the master says whether somebody else has one open. */
static bool is_in_use(struct modcat_pty *pty)
{
    struct pollfd state = {.fd = pty->master, .events = POLLIN};
    memory_close_local(&pty->slave);
    pty->slave = -1;
    return poll(&state, 1, 0) >= 0 && (state.revents & POLLHUP) == 0;
}

static int count_unread(struct modcat_pty *pty)
{
    int count = 0;
    pty->slave = ioctl(pty->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return pty->slave >= 0 && ioctl(pty->slave, FIONREAD, &count) == 0 ? count : 0;
}

/* False when nobody can have read within the time that a reader has. */
static bool may_have_been_read(const struct modcat_pty *pty)
{
    struct stat status;
    time_t earliest = time(NULL) - READER_LIMIT / MODCAT_SECOND;
    return fstat(pty->slave, &status) == 0 &&
           status.st_atime / SECONDS_OF_ACCESS >= earliest / SECONDS_OF_ACCESS;
}

/* True when it was not read for long enough to be given up. */
static bool is_idle(const struct modcat_opening *opening, const struct modcat_pty *pty, int unread,
                    long long since)
{
    bool full = unread >= LINE_MAX_INPUT;
    long long closing_time = opening->settings->closing, limit = IDLE_LIMIT;
    if (full || opening->is_read)
        limit = READER_LIMIT;
    if (opening->is_read && (closing_time == MODCAT_FOREVER || closing_time > limit))
        limit = closing_time;
    if (limit == MODCAT_FOREVER || wait_now() - since < limit)
        return false;
    return !full || !may_have_been_read(pty);
}

/* Nothing may be there for a moment while the kernel is about to move up what comes next. */
void modcat_pty_drain(struct modcat_opening *opening, struct modcat_pty *pty)
{
    int before = -1;
    long long since = 0;
    while (is_in_use(pty)) {
        int unread = count_unread(pty);
        if (unread == 0 && before == 0)
            return;
        if (unread != before)
            since = wait_now();
        if (unread < before)
            opening->is_read = true;
        before = unread;
        if (is_idle(opening, pty, unread, since) ||
            modcat_wait(opening, -1, 0, modcat_deadline(LOOK_INTERVAL)) < 0) {
            if (unread > 0)
                log_warning("discarding at least %d unread bytes in %s", unread, pty->name);
            return;
        }
    }
}

void modcat_pty_close(struct modcat_pty *pty)
{
    memory_close_local(&pty->slave);
    memory_close_local(&pty->master);
    pty->slave = pty->master = -1;
}

static int make_room(struct modcat_opening *opening, const char *path)
{
    struct stat status;
    bool forced = modcat_option_bool(opening, "unlink-early", false);
    if (lstat(path, &status) < 0)
        return 0;
    if (!S_ISLNK(status.st_mode) && !forced) {
        errno = EEXIST;
        return modcat_fail(opening, "\"%s\" is a %s: only a symbolic link is replaced", path,
                           modcat_file_kind(path));
    }
    return path_remove(opening, path);
}

int modcat_tty_link(struct modcat_opening *opening, const char *name, const char *path)
{
    if (make_room(opening, path) < 0)
        return -1;
    if (symlink(name, path) < 0)
        return modcat_fail_call(opening, "make symbolic link", path, NULL,
                                "symlink(\"%s\", \"%s\")", name, path);
    if (modcat_option_bool(opening, "unlink-close", true))
        leftovers_add_link(opening->session, opening->address, path, name);
    return 0;
}
