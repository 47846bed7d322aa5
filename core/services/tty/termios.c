/* Changing a terminal's settings: all options of one phase become one change. */

#define _GNU_SOURCE
#include "core/services/tty/terminals.h"

#include "core/base/memory.h"
#include "core/base/words.h"
#include "core/opening/opening.h"
#include "core/registry/registry.h"
#include <errno.h>
#include <modcat/tty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* Settings of one descriptor that options have changed, and that are not set yet. */
struct tty_change {
    struct tty_change *next;
    int fd;
    struct termios settings;
};

/* Where the change of a descriptor is, or would be: at the end, in the order of the options. */
static struct tty_change **find(struct modcat_opening *opening, int fd)
{
    struct tty_change **place = &opening->tty_changes;
    while (*place != NULL && (*place)->fd != fd)
        place = &(*place)->next;
    return place;
}

static void fail_no_terminal(const struct modcat_opening *opening, int fd,
                             const struct modcat_option *option)
{
    int error = errno;
    if (option == NULL)
        modcat_fail_call(opening, "get the terminal's settings", NULL, NULL, "tcgetattr(%d, ...)",
                         fd);
    else
        modcat_fail_call(opening, "set terminal option", option->name,
                         error == ENOTTY ? "not a terminal" : NULL, "tcgetattr(%d, ...)", fd);
    errno = error;
}

static void drop_changes(struct modcat_opening *opening);

static const struct phase_work changes_work = {terminals_settle, drop_changes};

struct termios *modcat_tty_settings(struct modcat_opening *opening, int fd,
                                    const struct modcat_option *option)
{
    struct tty_change **place = find(opening, fd);
    if (*place != NULL)
        return &(*place)->settings;
    struct tty_change *change = memory_alloc(sizeof *change);
    *change = (struct tty_change){.fd = fd};
    if (tcgetattr(fd, &change->settings) < 0) {
        fail_no_terminal(opening, fd, option);
        free(change);
        return NULL;
    }
    if (!opening->tty_is_own)
        terminals_keep(opening->session, fd);
    *place = change;
    opening->phase_work = &changes_work;
    return &change->settings;
}

/* One call that waits until output is drained. */
struct slow_set {
    int fd;
    int result;
    int error;
    struct termios settings;
};

static void set_slowly(void *argument)
{
    struct slow_set *call = argument;
    call->result = tcsetattr(call->fd, TCSADRAIN, &call->settings);
    call->error = errno;
}

static int set_waiting(struct modcat_opening *opening, int fd, const struct termios *settings)
{
    struct slow_set *call = memory_alloc(sizeof *call);
    *call = (struct slow_set){.fd = fd, .settings = *settings};
    if (modcat_call_blocking(opening, set_slowly, NULL, call) < 0)
        return -1;
    int result = call->result, error = call->error;
    free(call);
    errno = error;
    return result;
}

/* The kernel does not say which of the settings it refuses. */
static void name_options(const struct modcat_opening *opening, char *names, size_t size)
{
    size_t used = 0;
    names[0] = '\0';
    for (size_t i = 0; i < opening->address->option_count && used < size; i++) {
        const struct address_option *option = &opening->address->options[i];
        if (option->entry->option.phase != MODCAT_PHASE_FD ||
            !words_list_has(option->entry->groups, "TERMIOS"))
            continue;
        used += (size_t)snprintf(names + used, size - used, "%s%s", used > 0 ? ", " : "",
                                 option->entry->option.name);
    }
}

static int fail_set(const struct modcat_opening *opening, int fd)
{
    int error = errno;
    char names[200];
    name_options(opening, names, sizeof names);
    modcat_fail_call(opening, "set terminal options", names, NULL, "tcsetattr(%d, TCSADRAIN, ...)",
                     fd);
    errno = error;
    return -1;
}

static int set(struct modcat_opening *opening, int fd, const struct termios *settings)
{
    int queued = 0;
    bool waits = ioctl(fd, TIOCOUTQ, &queued) == 0 && queued > 0;
    int result = waits ? set_waiting(opening, fd, settings) : tcsetattr(fd, TCSADRAIN, settings);
    if (result == 0 || errno == ECANCELED)
        return result;
    return fail_set(opening, fd);
}

static void drop_changes(struct modcat_opening *opening)
{
    while (opening->tty_changes != NULL) {
        struct tty_change *change = opening->tty_changes;
        opening->tty_changes = change->next;
        free(change);
    }
}

int terminals_settle(struct modcat_opening *opening)
{
    int result = 0;
    for (struct tty_change *change = opening->tty_changes; change != NULL && result == 0;
         change = change->next)
        result = set(opening, change->fd, &change->settings);
    drop_changes(opening);
    return result;
}
