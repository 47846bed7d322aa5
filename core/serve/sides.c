/* Opening the sides of a session.
 *
 * One try: the settings are made, the process enters the folder, umask and network namespace of the
 * address, its type opens an endpoint or a listener, and the process comes back. While options
 * retry and forever leave another try, what fails is a notice; the environment for programs is put
 * back to what it was before the first try, and nothing of a failed one stays open.
 *
 * A listener then goes to serve.c, which returns with a peer, in this process or in a child. A
 * client with option fork is given to a child each time it is open, and opened again. So a call of
 * sides_open() returns in several processes: SESSION_OPEN in each that has a session to relay,
 * SESSION_DONE or SESSION_FAILED in the one that was asked. */

#define _GNU_SOURCE
#include "core/serve/sides.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/signals.h"
#include "core/base/words.h"
#include "core/opening/complaint.h"
#include "core/opening/environment.h"
#include "core/opening/leftovers.h"
#include "core/options/account.h"
#include "core/options/identity.h"
#include "core/options/namespaces.h"
#include "core/options/process_state.h"
#include "core/registry/registry.h"
#include "core/serve/ends.h"
#include "core/serve/fork.h"
#include "core/serve/hosting.h"
#include "core/serve/serve.h"
#include "core/services/process/children.h"
#include "core/services/tty/terminals.h"
#include "core/session/layer.h"
#include "core/session/news.h"
#include "core/session/session.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One address that is being opened. */
struct attempt {
    struct session *session;
    const struct address *address;    /* the lowest of the stack */
    const struct address *highest;    /* up to which it is opened, or NULL for all of it */
    unsigned directions;              /* in which the highest is used */
    enum modcat_level failure;        /* what it is when the last try fails */
    struct opened *opened;            /* where the endpoint goes */
    struct environment *environment;  /* as it was before the first try */
    struct modcat_opening *opening;   /* of the current try */
    struct modcat_listener *listener; /* of the current try, for a listening type */
};

static const char *mode_name(unsigned directions)
{
    static const char *const names[] = {
        [0] = "none",
        [MODCAT_DIR_READ] = "read-only",
        [MODCAT_DIR_WRITE] = "write-only",
        [MODCAT_DIR_READ | MODCAT_DIR_WRITE] = "read-write",
    };
    return names[directions & (MODCAT_DIR_READ | MODCAT_DIR_WRITE)];
}

/* A direction that a type does not serve is said, and left out. */
static unsigned served_directions(const struct address *address, unsigned wanted)
{
    unsigned served = address->type->type.directions & (MODCAT_DIR_READ | MODCAT_DIR_WRITE);
    if ((wanted & ~served) != 0)
        log_warning("address is opened in %s mode but only supports %s", mode_name(wanted),
                    mode_name(served));
    if ((wanted & served) == 0)
        log_error("%s cannot be used for %s", address->keyword,
                  (wanted & MODCAT_DIR_READ) != 0 ? "reading" : "writing");
    return wanted & served;
}

/* A layer needs both directions of what it stands on. */
static int check_lower(const struct address *address)
{
    for (const struct address *lower = address->lower; lower != NULL; lower = lower->lower) {
        unsigned served = lower->type->type.directions & (MODCAT_DIR_READ | MODCAT_DIR_WRITE);
        if (served == (MODCAT_DIR_READ | MODCAT_DIR_WRITE))
            continue;
        log_error("%s: %s below it is %s, but the layer has to read and write",
                  lower->upper->keyword, lower->keyword, mode_name(served));
        return -1;
    }
    return 0;
}

static struct modcat_listener *new_listener(const struct address *address)
{
    size_t size = registry_listener_size(address->type->driver);
    struct modcat_listener *listener = memory_zeroed(1, size);
    *listener = (struct modcat_listener){.size = size, .fd = -1};
    return listener;
}

static int take_lock(struct modcat_opening *opening)
{
    const struct opening_settings *set = &opening->set;
    if (set->lockfile == NULL)
        return 0;
    return session_lock(opening->session, opening->address, set->lockfile, set->lockfile_wait);
}

static int open_endpoint(struct attempt *attempt)
{
    const struct modcat_address_type *type = &attempt->address->type->type;
    struct opened made = {.opening = attempt->opening};
    made.endpoint = layer_new_endpoint(attempt->address);
    attempt->opening = NULL;
    if (type->open(made.opening, made.endpoint) == 0 && ends_stand_on(&made) == 0 &&
        layer_complete(&made) == 0) {
        *attempt->opened = made;
        return 0;
    }
    session_close_opened(&made);
    return -1;
}

static int open_listener(struct attempt *attempt)
{
    const struct modcat_address_type *type = &attempt->address->type->type;
    attempt->listener = new_listener(attempt->address);
    if (type->listen(attempt->opening, attempt->listener) == 0)
        return 0;
    free(attempt->listener);
    attempt->listener = NULL;
    return -1;
}

/* Within the folder, umask and namespace that the address asks for. */
static int open_inside(struct attempt *attempt)
{
    for (struct modcat_opening *level = attempt->opening; level != NULL; level = level->above)
        if (modcat_apply(level, MODCAT_PHASE_EARLY, -1) < 0 || take_lock(level) < 0)
            return -1;
    if (layer_prepare(attempt->opening) < 0)
        return -1;
    return attempt->address->type->type.listen != NULL ? open_listener(attempt)
                                                       : open_endpoint(attempt);
}

/* The process is changed once for the whole stack: of several values the highest layer's counts. */
static void take_over(struct opening_settings *set, const struct opening_settings *upper)
{
    if (upper->umask_given) {
        set->umask_given = true;
        set->umask = upper->umask;
    }
    if (upper->netns != NULL)
        set->netns = upper->netns;
}

static int initialise(struct modcat_opening *lowest)
{
    for (struct modcat_opening *level = lowest; level != NULL; level = level->above) {
        if (modcat_apply(level, MODCAT_PHASE_OFFSET, -1) < 0 ||
            modcat_apply(level, MODCAT_PHASE_INIT, -1) < 0)
            return -1;
        take_over(&lowest->set, &level->set);
    }
    return 0;
}

/* What is open when the process can't go back to what it was. */
static void drop_opened(struct attempt *attempt)
{
    struct modcat_listener *listener = attempt->listener;
    if (listener == NULL) {
        session_close_opened(attempt->opened);
        return;
    }
    if (listener->close != NULL)
        listener->close(listener);
    if (listener->fd >= 0)
        close(listener->fd);
    free(listener);
    attempt->listener = NULL;
}

static int try_once(struct attempt *attempt, struct modcat_opening *opening)
{
    struct process_state outside;
    attempt->opening = opening;
    if (initialise(opening) < 0)
        return -1;
    if (process_enter(&opening->set, &outside) < 0)
        return -1;
    int result = open_inside(attempt);
    int error = errno;
    if (process_leave(&outside) < 0) {
        if (result == 0)
            drop_opened(attempt);
        result = -1;
    }
    errno = error;
    return result;
}

static struct modcat_opening *start_stack(const struct attempt *attempt, bool last)
{
    bool layered = attempt->address->upper != NULL && attempt->address != attempt->highest;
    struct modcat_opening *opening =
        opening_new(attempt->session, attempt->address,
                    layered ? MODCAT_DIR_READ | MODCAT_DIR_WRITE : attempt->directions);
    opening->failure = last ? attempt->failure : MODCAT_NOTICE;
    layer_start(opening, attempt->highest, attempt->directions);
    hosting_choose(opening);
    return opening;
}

static const struct address *highest_of(const struct attempt *attempt)
{
    const struct address *address = attempt->address;
    while (address != attempt->highest && address->upper != NULL)
        address = address->upper;
    return address;
}

/* A layer that opens again what it stands on decides itself when to try, since its session goes on
 * meanwhile. */
static struct opening_settings settings_of(const struct attempt *attempt)
{
    struct opening_settings set = opening_settings_of_stack(attempt->address);
    if (attempt->highest != NULL && attempt->highest->upper != NULL) {
        set.retry = 0;
        set.forever = false;
    }
    return set;
}

/* Tries as often as retry and forever say, each time from the beginning; only the last failure is
 * an error. */
static int open_with_retries(struct attempt *attempt)
{
    const struct opening_settings set = settings_of(attempt);
    for (unsigned failures = 0;; failures++) {
        bool last = !set.forever && failures >= set.retry;
        environment_restore(attempt->session->environment, attempt->environment);
        if (try_once(attempt, start_stack(attempt, last)) == 0)
            return 0;
        opening_free(attempt->opening);
        attempt->opening = NULL;
        leftovers_remove_of(attempt->session, highest_of(attempt));
        if (last || attempt->session->done || session_must_end(attempt->session) ||
            session_pause(attempt->session, set.interval) < 0)
            return -1;
    }
}

/* A client with `fork`: connects again and again, each time for a new child. */
static enum session_result open_repeatedly(struct attempt *attempt)
{
    const struct queue_of_peers nobody_waits = {.fd = -1};
    for (;;) {
        const struct opening_settings set = attempt->opened->opening->set;
        int pid = fork_for_peer(attempt->session, &set);
        if (pid < 0)
            return SESSION_FAILED;
        if (pid == 0)
            return SESSION_OPEN;
        session_leave_to_child(attempt->opened);
        if (session_pause(attempt->session, set.interval) < 0 ||
            children_wait_for_room(attempt->session, set.max_children, nobody_waits) < 0 ||
            open_with_retries(attempt) < 0)
            return SESSION_FAILED;
    }
}

/* The same, each time for a session of this process. */
static enum session_result open_for_sessions(struct attempt *attempt)
{
    const struct queue_of_peers nobody_waits = {.fd = -1};
    struct hosting hosting;
    enum session_result result = SESSION_OPEN;
    if (hosting_start(&hosting, attempt->session, attempt->opened->opening->set.max_children) < 0)
        return SESSION_FAILED;
    while (result == SESSION_OPEN) {
        const struct opening_settings set = attempt->opened->opening->set;
        hosting_take_client(&hosting, attempt->opened);
        if (session_pause(attempt->session, set.interval) < 0 ||
            hosting_wait_for_room(&hosting, set.max_children, nobody_waits) < 0 ||
            open_with_retries(attempt) < 0)
            result = SESSION_FAILED;
    }
    hosting_finish(&hosting);
    return result;
}

static bool is_given(const struct address *address, const char *name)
{
    if (address_find_option(address, name) != NULL)
        return true;
    return address->lower != NULL && is_given(address->lower, name);
}

static int check_fork_options(const struct address *address)
{
    const struct opening_settings set = opening_settings_of_stack(address);
    if (is_given(address, "max-children") && set.fork == FORK_NOT)
        return complain_of_option(address, "max-children",
                                  "option max-children not allowed without option fork");
    if (set.workers > 0 && set.fork != FORK_SESSION)
        return complain_of_option(address, "workers",
                                  "option workers is not allowed without fork=session");
    return 0;
}

static enum session_result open_attempt(struct attempt *attempt)
{
    if (open_with_retries(attempt) < 0)
        return SESSION_FAILED;
    if (attempt->listener != NULL)
        return serve_peers(attempt->session, attempt->opening, attempt->listener, attempt->opened);
    switch (attempt->opened->opening->set.fork) {
    case FORK_PROCESS:
        return open_repeatedly(attempt);
    case FORK_SESSION:
        return open_for_sessions(attempt);
    default:
        return SESSION_OPEN;
    }
}

static enum session_result open_address(struct session *session, const struct address *address,
                                        unsigned directions, struct opened *opened)
{
    struct attempt attempt = {.session = session, .failure = MODCAT_ERROR, .opened = opened};
    attempt.address = address_lowest(address);
    attempt.directions = served_directions(address, directions);
    if (attempt.directions == 0 || check_lower(address) < 0 || check_fork_options(address) < 0)
        return SESSION_FAILED;
    attempt.environment = environment_copy(session->environment);
    enum session_result result = open_attempt(&attempt);
    environment_free(attempt.environment);
    return result;
}

int side_open_stack(struct session *session, const struct address *highest, unsigned directions,
                    enum modcat_level failure, struct opened *opened)
{
    struct attempt attempt = {
        .session = session, .highest = highest, .failure = failure, .opened = opened};
    attempt.address = address_lowest(highest);
    attempt.directions = served_directions(highest, directions);
    if (attempt.directions == 0 || check_lower(highest) < 0)
        return -1;
    attempt.environment = environment_copy(session->environment);
    int result = open_with_retries(&attempt);
    if (result == 0 && attempt.listener != NULL)
        result = serve_peers(session, attempt.opening, attempt.listener, opened) == SESSION_OPEN
                     ? 0
                     : -1;
    environment_free(attempt.environment);
    return result;
}

enum session_result side_open(struct session *session, struct side *side)
{
    const struct address_pair *pair = side->address;
    bool has_first = side->first.endpoint != NULL;
    if (pair->second == NULL)
        return has_first ? SESSION_OPEN
                         : open_address(session, pair->first, side->directions, &side->first);
    if (side->directions != (MODCAT_DIR_READ | MODCAT_DIR_WRITE))
        log_warning("unidirectional open of dual address");
    enum session_result result = SESSION_OPEN;
    if ((side->directions & MODCAT_DIR_READ) != 0 && !has_first)
        result = open_address(session, pair->first, MODCAT_DIR_READ, &side->first);
    if (result == SESSION_OPEN && (side->directions & MODCAT_DIR_WRITE) != 0)
        result = open_address(session, pair->second, MODCAT_DIR_WRITE, &side->second);
    return result;
}

/* The highest opening of a stack that has the option, or NULL. */
static struct modcat_opening *with_delayed_user(const struct opened *opened)
{
    for (; opened != NULL; opened = opened->lower)
        if (opened->opening != NULL && opened->opening->set.delayed_account != NULL)
            return opened->opening;
    return NULL;
}

int sides_give_up_privileges(struct session *session)
{
    for (int i = 0; i < 2; i++) {
        const struct opened *halves[] = {&session->sides[i].first, &session->sides[i].second};
        for (size_t half = 0; half < MODCAT_COUNT(halves); half++) {
            struct modcat_opening *opening = with_delayed_user(halves[half]);
            if (opening != NULL && identity_take(opening, opening->set.delayed_account) < 0)
                return -1;
        }
    }
    return 0;
}

enum session_result sides_open(struct session *session)
{
    if (accounts_look_up(session) < 0)
        return SESSION_FAILED;
    namespaces_open(session);
    return sides_open_rest(session);
}

enum session_result sides_open_rest(struct session *session)
{
    enum session_result result = side_open(session, &session->sides[0]);
    if (result == SESSION_OPEN)
        result = side_open(session, &session->sides[1]);
    if (result != SESSION_OPEN)
        return result;
    terminals_pass_size(session);
    news_of_size(session);
    return sides_give_up_privileges(session) < 0 ? SESSION_FAILED : SESSION_OPEN;
}
