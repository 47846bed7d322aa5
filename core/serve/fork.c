#define _GNU_SOURCE
#include "core/serve/fork.h"

#include "core/base/log.h"
#include "core/base/shortage.h"
#include "core/services/process/children.h"
#include "core/services/process/programs.h"
#include "core/session/session.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What the first address had opened before the second one made this process is the parent's too. */
static void share_first_side(struct session *session)
{
    if (session->sides[1].first.endpoint == NULL && session->sides[1].second.endpoint == NULL)
        return;
    session_keep_open(&session->sides[0].first);
    session_keep_open(&session->sides[0].second);
}

void fork_become_child(struct session *session)
{
    session->forked = true;
    children_forget(session->children);
    programs_forget(session);
    session_tell_process(session, "PID");
    log_info("just born: child process %d", (int)getpid());
}

static void become_child(struct session *session, const struct opening_settings *set)
{
    session->serves = false;
    share_first_side(session);
    if (set->children_shutup > 0)
        log_lower(set->children_shutup);
    fork_become_child(session);
}

/* The peer waits meanwhile, and with it the queue. */
pid_t fork_patiently(struct session *session)
{
    pid_t pid;
    while ((pid = fork()) < 0) {
        if (shortage_may_warn(&session->fork_quiet_until))
            log_warning("fork(): %s; trying again until it works", strerror(errno));
        if (session_pause(session, SHORTAGE_PAUSE) < 0)
            return -1;
    }
    return pid;
}

int fork_for_peer(struct session *session, const struct opening_settings *set)
{
    struct children *children = session->children;
    long long pause = session->settings->fork_wait * MODCAT_SECOND;
    struct stage *stage =
        set->max_children > 0 ? children_new_stage(children, (size_t)set->max_children) : NULL;
    pid_t pid = fork_patiently(session);
    if (pid < 0) {
        stage_free(stage);
        return -1;
    }
    if (pid == 0) {
        become_child(session, set);
        session->stage = stage;
    } else {
        log_notice("forked off child process %d", (int)pid);
        children_add(children, pid, stage, modcat_deadline(pause));
    }
    if (pause > 0)
        session_pause(session, pause);
    return pid;
}
