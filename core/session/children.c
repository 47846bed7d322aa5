#define _GNU_SOURCE
#include "core/session/children.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/session/session.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#define ROOM_AT_FIRST 16

/* Where a child stands, or the free place where it would. There is always a free one. */
static size_t place_of(const struct children *children, pid_t pid)
{
    size_t place = (size_t)pid * 2654435761U & (children->room - 1);
    while (children->pids[place] != 0 && children->pids[place] != pid)
        place = (place + 1) & (children->room - 1);
    return place;
}

static void grow(struct children *children)
{
    struct children larger = {.count = children->count};
    larger.room = children->room > 0 ? 2 * children->room : ROOM_AT_FIRST;
    larger.pids = memory_zeroed(larger.room, sizeof *larger.pids);
    for (size_t i = 0; i < children->room; i++)
        if (children->pids[i] != 0)
            larger.pids[place_of(&larger, children->pids[i])] = children->pids[i];
    free(children->pids);
    *children = larger;
}

void children_add(struct children *children, pid_t pid)
{
    if (2 * (children->count + 1) > children->room)
        grow(children);
    children->pids[place_of(children, pid)] = pid;
    children->count++;
    log_info("number of children increased to %zu", children->count);
}

bool children_have(const struct children *children, pid_t pid)
{
    return children->count > 0 && children->pids[place_of(children, pid)] == pid;
}

void children_forget(struct children *children)
{
    free(children->pids);
    *children = (struct children){0};
}

void children_log_end(enum modcat_level level, pid_t pid, int status)
{
    if (WIFEXITED(status))
        modcat_log(level, "waitpid(): child %d exited with status %d", (int)pid,
                   WEXITSTATUS(status));
    else
        modcat_log(level, "waitpid(): child %d exited on signal %d", (int)pid, WTERMSIG(status));
}

/* What stands behind the gap may have been put there because its own place was taken. */
static void remove_child(struct children *children, pid_t pid)
{
    size_t place = place_of(children, pid);
    children->pids[place] = 0;
    for (;;) {
        place = (place + 1) & (children->room - 1);
        pid_t next = children->pids[place];
        if (next == 0)
            break;
        children->pids[place] = 0;
        children->pids[place_of(children, next)] = next;
    }
    log_info("number of children decreased to %zu", --children->count);
}

/* Returns false while that child lives. */
static bool bury(struct children *children, pid_t pid)
{
    int status;
    pid_t result = waitpid(pid, &status, WNOHANG);
    if (result == 0)
        return false;
    if (result > 0)
        children_log_end(MODCAT_INFO, pid, status);
    remove_child(children, pid);
    return true;
}

/* A place that is emptied may be filled by one from behind. */
static void try_all(struct children *children)
{
    for (size_t i = 0; i < children->room; i++)
        while (children->pids[i] != 0 && bury(children, children->pids[i]))
            continue;
}

/* Children that are not in the list are somebody else's to wait for. The system shows one dead
 * child at a time: as long as it is such a one, it hides those behind it. */
void children_reap(struct children *children)
{
    log_notice("childdied(): handling signal %d", SIGCHLD);
    while (children->count > 0) {
        siginfo_t info = {.si_pid = 0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
            return;
        if (!children_have(children, info.si_pid)) {
            try_all(children);
            return;
        }
        bury(children, info.si_pid);
    }
}

int children_wait_below(struct session *session, size_t limit)
{
    while (session->children.count >= limit)
        if (session_wait(session, NULL, 0, MODCAT_FOREVER) < 0 && errno != EINTR)
            return -1;
    return 0;
}

int children_wait_for_room(struct session *session, int most)
{
    if (most <= 0 || session->children.count < (size_t)most)
        return 0;
    log_notice("maxchildren are active, waiting");
    return children_wait_below(session, (size_t)most);
}
