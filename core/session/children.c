#define _GNU_SOURCE
#include "core/session/children.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/session/session.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

void children_add(struct children *children, pid_t pid)
{
    children->pids = memory_resize(children->pids, children->count + 1, sizeof *children->pids);
    children->pids[children->count++] = pid;
    log_info("number of children increased to %zu", children->count);
}

bool children_have(const struct children *children, pid_t pid)
{
    for (size_t i = 0; i < children->count; i++)
        if (children->pids[i] == pid)
            return true;
    return false;
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

static void remove_child(struct children *children, size_t index)
{
    children->pids[index] = children->pids[--children->count];
    log_info("number of children decreased to %zu", children->count);
}

/* Children that are not in the list are somebody else's to wait for. */
void children_reap(struct children *children)
{
    int status;
    log_notice("childdied(): handling signal %d", SIGCHLD);
    for (size_t i = 0; i < children->count;) {
        pid_t pid = waitpid(children->pids[i], &status, WNOHANG);
        if (pid > 0)
            children_log_end(MODCAT_INFO, pid, status);
        if (pid == 0)
            i++;
        else
            remove_child(children, i);
    }
}

int children_wait_below(struct session *session, size_t limit)
{
    while (session->children.count >= limit)
        if (session_wait(session, NULL, 0, MODCAT_FOREVER) < 0 && errno != EINTR)
            return -1;
    return 0;
}
