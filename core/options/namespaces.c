#define _GNU_SOURCE
#include "core/options/namespaces.h"

#include "core/base/failure.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/procfs.h"
#include "core/opening/session_state.h"
#include "core/options/identity.h"
#include "core/options/process_state.h"
#include "core/registry/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

/* They belong to the process, as does what setns(2) changes, and stay open to its end. */
static struct {
    struct kept {
        const char *name; /* an option's value */
        int fd;           /* -1: not there yet */
    } * kept;
    size_t count;
    int own;
} state = {.own = -1};

static char *path_of(const char *name)
{
    return *name == '/' ? memory_copy_text(name) : memory_format("/run/netns/%s", name);
}

static int open_by_name(const char *name)
{
    AUTO_FREE char *path = path_of(name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static struct kept *find(const char *name)
{
    for (size_t i = 0; i < state.count; i++)
        if (strcmp(state.kept[i].name, name) == 0)
            return &state.kept[i];
    state.kept = memory_resize(state.kept, state.count + 1, sizeof *state.kept);
    state.kept[state.count] = (struct kept){.name = name, .fd = -1};
    return &state.kept[state.count++];
}

/* One that has been made anew since takes the place of the former one. */
static void look_up(struct kept *kept)
{
    if (kept->fd >= 0)
        close(kept->fd);
    kept->fd = open_by_name(kept->name);
}

static void open_own(void)
{
    if (state.own < 0)
        state.own = procfs_open("ns/net", O_RDONLY);
}

static void open_stack(const struct address *address)
{
    for (; address != NULL; address = address_next(address))
        for (size_t i = 0; i < address->option_count; i++) {
            const struct address_option *option = &address->options[i];
            if (!process_names_namespace(&option->entry->option))
                continue;
            look_up(find(option->value.string));
            open_own();
        }
}

void namespaces_open(const struct session *session)
{
    for (int i = 0; i < 2; i++) {
        open_stack(session->sides[i].address->first);
        open_stack(session->sides[i].address->second);
    }
}

static int fail_open(const char *name)
{
    int error = errno;
    AUTO_FREE char *path = path_of(name);
    errno = error;
    log_failure(MODCAT_ERROR, "open network namespace", name, NULL, "open(%s, O_RDONLY|O_CLOEXEC)",
                path);
    errno = error;
    return -1;
}

static int set_namespace(int fd)
{
    if (setns(fd, CLONE_NEWNET) == 0)
        return 0;
    log_failure(MODCAT_ERROR, "enter the network namespace", NULL, NULL, "setns(%d, CLONE_NEWNET)",
                fd);
    return -1;
}

int namespaces_enter(const char *name)
{
    struct kept *kept = find(name);
    errno = ENOENT;
    if (identity_roots() == 0)
        look_up(kept);
    if (kept->fd < 0)
        return fail_open(name);
    open_own();
    return state.own < 0 ? fail_open("/proc/self/ns/net") : set_namespace(kept->fd);
}

/* A user who has been taken on meanwhile may not go back. */
int namespaces_leave(void)
{
    if (setns(state.own, CLONE_NEWNET) == 0)
        return 0;
    log_error("setns(%d, CLONE_NEWNET): %s%s", state.own, strerror(errno),
              errno == EPERM ? "; with netns, give up privileges after the opening: use setuid, "
                               "setgid or su instead of setuid-early, setgid-early or su-e"
                             : "");
    return -1;
}
