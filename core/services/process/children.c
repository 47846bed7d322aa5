#define _GNU_SOURCE
#include "core/services/process/children.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/opening/session_state.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>

/* Of those whose end somebody wants to know; most children have none. */
struct ending {
    bool is_program;   /* and serves no peer */
    child_end_fn *end; /* NULL: nobody wants to know any more */
    void *owner;
};

struct child_process {
    pid_t pid;             /* 0: a free place */
    unsigned stage;        /* the number of the one that it shares with us, from 1 on, or 0 */
    struct ending *ending; /* or NULL */
};

/* A hash table: each child is found at once, however many there are. */
struct children {
    struct child_process *table;
    size_t room;  /* places, a power of two */
    size_t count; /* of children */
    size_t peers; /* how many of them serve peers */
    struct stages stages;
};

#define ROOM_AT_FIRST 16

/* What a peer has for the dialogue before its session, while another one waits for its place. */
#define FAIR_TIME (5 * MODCAT_SECOND)

static bool serves_peers(const struct child_process *child)
{
    return child->ending == NULL || !child->ending->is_program;
}

/* Where a child stands, or the free place where it would. There is always a free one. */
static size_t place_of(const struct children *children, pid_t pid)
{
    size_t place = (size_t)pid * 2654435761U & (children->room - 1);
    while (children->table[place].pid != 0 && children->table[place].pid != pid)
        place = (place + 1) & (children->room - 1);
    return place;
}

static void grow(struct children *children)
{
    struct children larger = *children;
    larger.room = children->room > 0 ? 2 * children->room : ROOM_AT_FIRST;
    larger.table = memory_zeroed(larger.room, sizeof *larger.table);
    for (size_t i = 0; i < children->room; i++)
        if (children->table[i].pid != 0)
            larger.table[place_of(&larger, children->table[i].pid)] = children->table[i];
    free(children->table);
    *children = larger;
}

static void add(struct children *children, struct child_process child)
{
    if (2 * (children->count + 1) > children->room)
        grow(children);
    children->table[place_of(children, child.pid)] = child;
    children->count++;
}

void children_add(struct children *children, pid_t pid, struct stage *stage, long long since)
{
    struct child_process child = {.pid = pid};
    if (stage != NULL)
        child.stage = stages_enter(&children->stages, stage, pid, since);
    add(children, child);
    log_info("number of children increased to %zu", ++children->peers);
}

static void add_watched(struct children *children, pid_t pid, struct ending ending)
{
    struct ending *kept = memory_copy(&ending, sizeof ending);
    add(children, (struct child_process){.pid = pid, .ending = kept});
}

void children_add_program(struct children *children, pid_t pid, child_end_fn *end, void *owner)
{
    add_watched(children, pid, (struct ending){.is_program = true, .end = end, .owner = owner});
}

void children_add_worker(struct children *children, pid_t pid, child_end_fn *end, void *owner)
{
    add_watched(children, pid, (struct ending){.end = end, .owner = owner});
    log_info("number of children increased to %zu", ++children->peers);
}

void children_disown(struct children *children, pid_t pid)
{
    if (!children_have(children, pid))
        return;
    struct ending *ending = children->table[place_of(children, pid)].ending;
    if (ending != NULL)
        ending->end = NULL;
}

bool children_have(const struct children *children, pid_t pid)
{
    return children->count > 0 && children->table[place_of(children, pid)].pid == pid;
}

struct children *children_new(void)
{
    return memory_zeroed(1, sizeof(struct children));
}

void children_free(struct children *children)
{
    children_forget(children);
    free(children);
}

size_t children_count(const struct children *children)
{
    return children->peers;
}

struct stage *children_new_stage(struct children *children, size_t most)
{
    return stage_new(&children->stages, most);
}

void children_forget(struct children *children)
{
    for (size_t i = 0; i < children->room; i++)
        free(children->table[i].ending);
    free(children->table);
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
    struct child_process removed = children->table[place];
    stages_leave(&children->stages, removed.stage);
    children->table[place] = (struct child_process){0};
    children->count--;
    for (;;) {
        place = (place + 1) & (children->room - 1);
        struct child_process next = children->table[place];
        if (next.pid == 0)
            break;
        children->table[place] = (struct child_process){0};
        children->table[place_of(children, next.pid)] = next;
    }
    if (serves_peers(&removed))
        log_info("number of children decreased to %zu", --children->peers);
    free(removed.ending);
}

bool children_bury(struct children *children, pid_t pid)
{
    int status = 0;
    pid_t result = waitpid(pid, &status, WNOHANG);
    if (result == 0 || !children_have(children, pid))
        return result != 0;
    struct child_process ended = children->table[place_of(children, pid)];
    if (ended.ending != NULL && ended.ending->end != NULL)
        ended.ending->end(ended.ending->owner, result > 0 ? &status : NULL);
    else if (result > 0)
        children_log_end(MODCAT_INFO, pid, status);
    remove_child(children, pid);
    return true;
}

void children_signal(const struct children *children, int number)
{
    for (size_t i = 0; i < children->room; i++)
        if (children->table[i].pid != 0 && serves_peers(&children->table[i]))
            kill(children->table[i].pid, number);
}

/* A place that is emptied may be filled by one from behind. */
static void try_all(struct children *children)
{
    for (size_t i = 0; i < children->room; i++)
        while (children->table[i].pid != 0 && children_bury(children, children->table[i].pid))
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
        children_bury(children, info.si_pid);
    }
}

int children_wait_below(struct session *session, size_t limit)
{
    while (session->children->peers >= limit)
        if (session_wait(session, NULL, 0, MODCAT_FOREVER) < 0 && errno != EINTR)
            return -1;
    return 0;
}

/* It may have got through its opening just now: then its session goes on. */
static bool end_opening(struct stage *stage)
{
    if (!stage_end_opening(stage))
        return false;
    log_warning("maxchildren are active and another peer is waiting: ending child process %d, "
                "whose peer has not completed its handshake in %lld seconds",
                (int)stage_process(stage), FAIR_TIME / MODCAT_SECOND);
    kill(stage_process(stage), SIGTERM);
    return true;
}

/* Makes room for a peer that waits, if it can; not before `earliest`, when an earlier attempt has
 * had its time. Returns when to try again. */
static long long make_room(const struct children *children, long long earliest)
{
    struct stage *stage;
    while ((stage = stages_oldest_opening(&children->stages)) != NULL) {
        long long due = stage_since(stage) + FAIR_TIME;
        if (due < earliest)
            due = earliest;
        if (wait_now() < due)
            return due;
        if (end_opening(stage))
            return wait_now() + FAIR_TIME;
    }
    return MODCAT_FOREVER;
}

/* Once a peer waits, its descriptor would be ready all the time. */
static int wait_for_room(struct session *session, size_t most, struct queue_of_peers queue)
{
    long long next = 0;
    while (session->children->peers >= most) {
        struct wait_entry entry = {.fd = queue.fd, .events = POLLIN};
        if (queue.known && next != MODCAT_FOREVER)
            next = make_room(session->children, next);
        int ready = session_wait(session, &entry, queue.known || queue.fd < 0 ? 0 : 1,
                                 queue.known ? next : MODCAT_FOREVER);
        if (ready < 0 && errno != EINTR)
            return -1;
        queue.known = queue.known || ready > 0;
    }
    return 0;
}

int children_wait_for_room(struct session *session, int most, struct queue_of_peers queue)
{
    if (most <= 0 || session->children->peers < (size_t)most)
        return 0;
    log_notice("maxchildren are active, waiting");
    return wait_for_room(session, (size_t)most, queue);
}
