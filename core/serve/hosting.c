/* Sessions that share the process of their server.
 *
 *     peer -> begin: layers are put on, the other address is opened; it may wait anywhere
 *               |
 *               +-> steps of its relay, which hold no stack
 *               |         |
 *               +---------+-> end: peers and programs are waited for, all is closed and freed
 *
 * A failure ends the session that it concerns, and is one line of the log. What would change the
 * process for all of them is left to processes of their own; hosting_choose() finds that out before
 * anything is opened, and so all sessions of a server go the same way. */

#define _GNU_SOURCE
#include "core/serve/hosting.h"

#include "core/base/failure.h"
#include "core/base/limits.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/shortage.h"
#include "core/base/words.h"
#include "core/loop/loop.h"
#include "core/opening/environment.h"
#include "core/registry/registry.h"
#include "core/relay/relay.h"
#include "core/serve/crash.h"
#include "core/serve/sides.h"
#include "core/session/forget.h"
#include "core/session/layer.h"
#include "core/session/session.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a peer has for the dialogue before its session, while another one waits for its place. */
#define FAIR_TIME (5 * MODCAT_SECOND)

/* How many a server needs besides those of its sessions. */
#define DESCRIPTORS_BESIDES 16

/* How many a new session may need before it runs: sockets, pipes, a look-up. */
#define DESCRIPTORS_OF_SESSION 6

/* Of more that are being opened most have what they need. */
#define OPENING_MAX 16

struct hosted {
    struct session session;
    struct opened *served; /* the half that came first; NULL: with its layers on */
    bool is_open;          /* all of it: the opening is over */
    bool waited;           /* the relay has waited, and something may be ready */
    int status;
    long long since; /* when it began */
    struct relay *relay;
    struct relay_waiting waiting;
};

/* The first of the options that changes the process, or NULL. What is to happen in the process of a
 * program is no matter of this one. */
static const char *changing_option(const struct address *address)
{
    bool runs_program = words_list_has(address->type->type.groups, "FORK");
    for (size_t i = 0; i < address->option_count; i++) {
        const struct modcat_option *option = &address->options[i].entry->option;
        bool in_program =
            runs_program && option->effect == MODCAT_CALL &&
            (option->phase == MODCAT_PHASE_LATE || option->phase == MODCAT_PHASE_LATE2);
        if (option->own_process && !in_program)
            return option->name;
    }
    return NULL;
}

/* Why the sessions of a stack of addresses can't share a process, to be freed, or NULL. */
static char *reason_of_stack(const struct address *address)
{
    for (; address != NULL; address = address_next(address)) {
        const char *option = changing_option(address);
        if ((address->type->type.flags & MODCAT_TYPE_OWN_PROCESS) != 0)
            return memory_format("%s needs it", address->keyword);
        if (option != NULL)
            return memory_format("option %s of %s changes it", option, address->keyword);
    }
    return NULL;
}

static bool forks(const struct address *address)
{
    return address != NULL && opening_settings_of_stack(address).fork != FORK_NOT;
}

static char *reason_of_pair(const struct address_pair *pair, const struct address *serving)
{
    const struct address *halves[] = {pair->first, pair->second};
    for (size_t i = 0; i < MODCAT_COUNT(halves); i++) {
        char *reason = reason_of_stack(halves[i]);
        if (reason != NULL)
            return reason;
        if (forks(halves[i]) && address_lowest(halves[i]) != serving)
            return memory_format("%s forks, too", halves[i]->keyword);
    }
    return NULL;
}

static bool is_open(const struct side *side)
{
    return side->first.endpoint != NULL || side->second.endpoint != NULL;
}

static char *reason_of_session(const struct session *session, const struct address *serving)
{
    for (int i = 0; i < 2; i++) {
        char *reason = reason_of_pair(session->sides[i].address, serving);
        if (reason != NULL)
            return reason;
    }
    if (is_open(&session->sides[0]) || is_open(&session->sides[1]))
        return memory_format("address 1 is open already, and not shared");
    if (session->settings->show_descriptors)
        return memory_format("-D shows it");
    return loop_possible() ? NULL : memory_format("this machine can't switch stacks");
}

void hosting_choose(struct modcat_opening *lowest)
{
    if (lowest->set.fork != FORK_SESSION)
        return;
    AUTO_FREE char *reason = reason_of_session(lowest->session, lowest->address);
    if (reason == NULL)
        return;
    log_notice("each session gets a process of its own in spite of fork=session%s: %s",
               lowest->set.workers > 0 ? ", and there are no workers" : "", reason);
    for (struct modcat_opening *level = lowest; level != NULL; level = level->above)
        level->set.fork = FORK_PROCESS;
}

/* A peer that is refused is no failure. */
static bool open_all(struct hosted *hosted)
{
    int result = hosted->served != NULL ? layer_complete(hosted->served) : 0;
    if (result > 0)
        hosted->status = 0;
    return result == 0 && sides_open_rest(&hosted->session) == SESSION_OPEN;
}

static void count_as_open(struct hosted *hosted)
{
    if (!hosted->is_open)
        hosted->session.server->opening--;
    hosted->is_open = true;
}

static bool begin(void *subject)
{
    struct hosted *hosted = subject;
    struct session *session = &hosted->session;
    hosted->status = 1;
    if (!open_all(hosted))
        return false;
    count_as_open(hosted);
    session_forget_secrets(session);
    if (session->settings->no_data)
        hosted->status = 0;
    else if (relay_needs_stack(session))
        hosted->status = relay_run(session);
    else
        hosted->relay = relay_begin(session);
    return hosted->relay != NULL;
}

static bool step(void *subject, struct loop_waiting *waiting)
{
    struct hosted *hosted = subject;
    struct relay_waiting *own = &hosted->waiting;
    if (session_must_end(&hosted->session) || (hosted->waited && !relay_step(hosted->relay, own)) ||
        !relay_prepare(hosted->relay, own))
        return false;
    hosted->waited = true;
    *waiting = (struct loop_waiting){own->entries, own->count, own->deadline};
    return true;
}

static void end(void *subject)
{
    struct hosted *hosted = subject;
    struct session *session = &hosted->session, *server = session->server;
    count_as_open(hosted);
    if (hosted->relay != NULL)
        hosted->status = relay_end(hosted->relay);
    session_finish(session);
    if (session->lost && hosted->status == 0)
        hosted->status = 1;
    log_notice("session ends with status %d", hosted->status);
    session_free(session);
    free(hosted);
    if (server->awaits_hosted)
        session_child_ended(server);
}

static const struct task_work work = {.begin = begin, .step = step, .end = end};

/* A session has two at least: it is better to know before the first is refused. */
static unsigned long provide_descriptors(int most)
{
    unsigned long limit = limits_raise_descriptors();
    if (most > 0 && limit < 2UL * (unsigned)most + DESCRIPTORS_BESIDES)
        log_warning("max-children=%d: this process may have %lu descriptors only, two for each "
                    "session; see \"ulimit -n\"",
                    most, limit);
    else
        log_info("up to %lu descriptors are allowed, two for each session", limit);
    return limit;
}

int hosting_start(struct hosting *hosting, struct session *server, int most)
{
    *hosting = (struct hosting){.server = server, .descriptors = provide_descriptors(most)};
    if (loop_start() < 0) {
        log_failure(MODCAT_ERROR, "wait for many sessions", NULL, NULL,
                    "epoll_create1(EPOLL_CLOEXEC)");
        return -1;
    }
    crash_report();
    log_hurry();
    hosting->environment = environment_copy(server->environment);
    return 0;
}

void hosting_finish(struct hosting *hosting)
{
    hosting_without_peer(hosting);
    if (session_must_end(hosting->server))
        loop_interrupt_all();
    loop_finish();
    if (hosting->spare != NULL) {
        session_free(&hosting->spare->session);
        free(hosting->spare);
    }
    environment_free(hosting->environment);
    *hosting = (struct hosting){0};
}

/* Whether so many descriptors can be had, by having them. */
static bool can_have(int fd, unsigned count)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    bool can = copy >= 0 && (count == 1 || can_have(fd, count - 1));
    if (copy >= 0)
        close(copy);
    return can;
}

/* Who has next to none gets along with what there is. */
bool hosting_has_room(struct hosting *hosting, int fd)
{
    unsigned opening = hosting->server->opening;
    unsigned needed =
        DESCRIPTORS_OF_SESSION * (1 + (opening < OPENING_MAX ? opening : OPENING_MAX));
    if (2 * loop_tasks() + DESCRIPTORS_BESIDES + needed < hosting->descriptors ||
        hosting->descriptors < 2 * DESCRIPTORS_BESIDES || can_have(fd, needed))
        return true;
    if (shortage_may_warn(&hosting->quiet_until))
        log_warning("no peer is accepted for now: all but a few of the %lu descriptors that this "
                    "process may have are in use; see \"ulimit -n\"",
                    hosting->descriptors);
    return false;
}

static struct hosted *new_hosted(struct hosting *hosting, struct environment *environment)
{
    struct hosted *hosted = memory_zeroed(1, sizeof *hosted);
    session_start_hosted(&hosted->session, hosting->server, ++hosting->count, environment);
    return hosted;
}

struct session *hosting_next(struct hosting *hosting)
{
    if (hosting->spare == NULL)
        hosting->spare = new_hosted(hosting, environment_on(hosting->environment));
    log_set_session(hosting->spare->session.number);
    return &hosting->spare->session;
}

void hosting_without_peer(struct hosting *hosting)
{
    (void)hosting;
    log_set_session(0);
}

/* Where it stands in the server's session. */
static struct opened *place_of(struct session *session, const struct opened *opened)
{
    const struct side *side = session->server->sides;
    size_t number = opened == &side[0].first || opened == &side[0].second ? 0 : 1;
    bool is_first = opened == &side[number].first;
    return is_first ? &session->sides[number].first : &session->sides[number].second;
}

/* With the ends that its drivers have opened. */
static void give_to(struct session *session, struct opened *opened)
{
    for (; opened != NULL; opened = opened->lower) {
        opened->opening->session = session;
        for (struct lower_end *end = opened->opening->ends; end != NULL; end = end->next)
            give_to(session, end->opened);
    }
}

static void start(struct hosted *hosted, struct opened *opened)
{
    struct session *session = &hosted->session;
    for (struct modcat_opening *level = opened->opening; level != NULL; level = level->above)
        level->session = session;
    give_to(session, opened);
    *place_of(session, opened) = *opened;
    *opened = (struct opened){0};
    hosted->since = wait_now();
    session->server->opening++;
    session->task = loop_add(&work, hosted, session->number);
    log_set_session(0);
}

void hosting_take(struct hosting *hosting, struct opened *opened)
{
    struct hosted *hosted = hosting->spare;
    hosting->spare = NULL;
    hosted->served = place_of(&hosted->session, opened);
    start(hosted, opened);
}

void hosting_take_client(struct hosting *hosting, struct opened *opened)
{
    struct hosted *hosted = new_hosted(hosting, environment_copy(hosting->server->environment));
    start(hosted, opened);
}

/* The one that has been in its opening for the longest time, or NULL. */
static struct hosted *oldest_opening(const struct session *server)
{
    struct hosted *oldest = NULL;
    for (struct session *session = server->hosted; session; session = session->next_hosted) {
        struct hosted *hosted = (struct hosted *)session;
        if (session->task != NULL && !session->canceled && !hosted->is_open &&
            (oldest == NULL || hosted->since < oldest->since))
            oldest = hosted;
    }
    return oldest;
}

/* Makes room for a peer that waits, if it can. Returns when to try again. */
static long long make_room(const struct session *server)
{
    struct hosted *oldest = oldest_opening(server);
    if (oldest == NULL)
        return MODCAT_FOREVER;
    if (wait_now() < oldest->since + FAIR_TIME)
        return oldest->since + FAIR_TIME;
    log_warning("maxchildren are active and another peer is waiting: ending session %u, whose "
                "peer has not completed its handshake in %lld seconds",
                oldest->session.number, FAIR_TIME / MODCAT_SECOND);
    session_cancel(&oldest->session);
    return wait_now() + FAIR_TIME;
}

/* Waits while there are so many sessions; they tell when they end. */
static int wait_below(struct hosting *hosting, size_t most, struct queue_of_peers queue)
{
    struct session *server = hosting->server;
    int result = 0;
    server->awaits_hosted = true;
    while (loop_tasks() >= most && result >= 0) {
        struct wait_entry entry = {.fd = queue.fd, .events = POLLIN};
        long long next = queue.known ? make_room(server) : MODCAT_FOREVER;
        int ready = session_wait(server, &entry, queue.known || queue.fd < 0 ? 0 : 1, next);
        if (ready < 0 && errno != EINTR)
            result = -1;
        queue.known = queue.known || ready > 0;
    }
    server->awaits_hosted = false;
    return result;
}

int hosting_wait_for_room(struct hosting *hosting, int most, struct queue_of_peers queue)
{
    if (most <= 0 || loop_tasks() < (size_t)most)
        return 0;
    log_notice("maxchildren are active, waiting");
    return wait_below(hosting, (size_t)most, queue);
}

int hosting_wait_for_all(struct hosting *hosting)
{
    const struct queue_of_peers nobody_waits = {.fd = -1};
    return wait_below(hosting, 1, nobody_waits);
}
