/* Ends that drivers open themselves.
 *
 * A type whose parameters are addresses opens them when it likes, as often as it likes; a layer may
 * close what it stands on, and open it again. Between the two it stands on a socket that is never
 * readable and refuses what is written, so that all levels have descriptors at any time.
 *
 * Each change of the levels counts in session->rebuilt, so that the relay asks anew what they wait
 * for. */

#define _GNU_SOURCE
#include "core/serve/ends.h"

#include "core/base/memory.h"
#include "core/opening/leftovers.h"
#include "core/registry/registry.h"
#include "core/serve/sides.h"
#include "core/services/process/programs.h"
#include "core/services/tty/terminals.h"
#include "core/session/layer.h"
#include "core/session/session.h"
#include <errno.h>
#include <modcat/layer.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

size_t modcat_end_count(const struct modcat_opening *opening)
{
    return opening->address->end_count;
}

struct modcat_endpoint *modcat_open_end(struct modcat_opening *opening, size_t index,
                                        enum modcat_level failure)
{
    struct opened fresh = {0};
    if (index >= opening->address->end_count) {
        errno = EINVAL;
        modcat_fail(opening, "%s: there is no address %zu in its parameters",
                    modcat_keyword(opening), index + 1);
        return NULL;
    }
    if (side_open_stack(opening->session, opening->address->ends[index]->first,
                        MODCAT_DIR_READ | MODCAT_DIR_WRITE, failure, &fresh) < 0)
        return NULL;
    struct lower_end *end = memory_alloc(sizeof *end);
    *end = (struct lower_end){.next = opening->ends, .opened = memory_alloc(sizeof fresh)};
    *end->opened = fresh;
    opening->ends = end;
    layer_use_from_above(end->opened);
    opening->session->rebuilt++;
    return end->opened->endpoint;
}

const char *modcat_end_name(const struct modcat_opening *opening, size_t index, char *text,
                            size_t size)
{
    snprintf(text, size, "?");
    if (index < opening->address->end_count)
        opening_name_of(opening->address->ends[index]->first, text, size);
    return text;
}

const char *modcat_lower_name(const struct modcat_opening *opening, char *text, size_t size)
{
    const struct address *lower = opening->address->lower;
    opening_name_of(lower != NULL ? lower : opening->address, text, size);
    return text;
}

static struct opened *take_off(struct lower_end **place)
{
    struct lower_end *end = *place;
    struct opened *opened = end->opened;
    *place = end->next;
    free(end);
    return opened;
}

/* The time of option -t, and what is lost, are matters of the session's own end. */
static void close_now(struct opened *opened)
{
    struct session *session = opened->opening->session;
    const struct address *address = opened->opening->address;
    long long parting = session->parting;
    bool lost = session->lost;
    session->parting = 0;
    session_close_opened(opened);
    leftovers_remove_of(session, address);
    terminals_forget_gone(session);
    programs_forget_closed(session);
    session->parting = parting;
    session->lost = lost;
    session->rebuilt++;
}

void modcat_close_end(struct modcat_opening *opening, struct modcat_endpoint *end)
{
    struct lower_end **place = &opening->ends;
    while (*place != NULL && (*place)->opened->endpoint != end)
        place = &(*place)->next;
    if (*place == NULL)
        return;
    struct opened *opened = take_off(place);
    close_now(opened);
    free(opened);
}

int ends_stand_on(struct opened *opened)
{
    const struct modcat_endpoint *endpoint = opened->endpoint;
    for (struct lower_end **place = &opened->opening->ends; *place != NULL;
         place = &(*place)->next) {
        const struct modcat_endpoint *end = (*place)->opened->endpoint;
        if (end->read_fd != endpoint->read_fd || end->write_fd != endpoint->write_fd)
            continue;
        opened->lower = take_off(place);
        return 0;
    }
    return 0;
}

/* The levels above have its descriptors. */
static void renumber_above(struct session *session, const struct opened *below, int read_fd,
                           int write_fd)
{
    struct opened *tops[] = {&session->sides[0].first, &session->sides[0].second,
                             &session->sides[1].first, &session->sides[1].second};
    for (size_t i = 0; i < MODCAT_COUNT(tops); i++) {
        const struct opened *level = tops[i];
        while (level != NULL && level != below)
            level = level->lower;
        for (struct opened *above = tops[i]; level != NULL && above != below;
             above = above->lower) {
            if (above->endpoint->read_fd == read_fd)
                above->endpoint->read_fd = below->endpoint->read_fd;
            if (above->endpoint->write_fd == write_fd)
                above->endpoint->write_fd = below->endpoint->write_fd;
        }
    }
}

/* A listener that serves each peer in a session of its own would serve others in this one. */
static bool has_its_own_peers(const struct modcat_opening *opening)
{
    return address_lowest(opening->address)->type->type.listen != NULL &&
           opening->set.fork != FORK_NOT;
}

/* Only while data is moved: before, the levels above are not complete. */
static bool may_change(const struct modcat_opening *opening)
{
    unsigned flags = opening->address->type->type.flags;
    if ((flags & MODCAT_TYPE_REOPENS) != 0 && opening->address->lower != NULL &&
        opening->session->relay != NULL && !has_its_own_peers(opening))
        return true;
    errno = ENOTSUP;
    return false;
}

int modcat_lower_close(struct modcat_opening *opening, struct modcat_endpoint **lower)
{
    struct opened *place = (*lower)->host;
    int read_fd = (*lower)->read_fd, write_fd = (*lower)->write_fd;
    if (!may_change(opening))
        return -1;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    close_now(place);
    const struct address *address = opening->address->lower;
    *place = (struct opened){
        .opening = opening_new(opening->session, address, MODCAT_DIR_READ | MODCAT_DIR_WRITE),
        .endpoint = layer_new_endpoint(address)};
    place->endpoint->read_fd = place->endpoint->write_fd = fd;
    layer_use_from_above(place);
    renumber_above(opening->session, place, read_fd, write_fd);
    opening->below = place->opening;
    *lower = place->endpoint;
    return 0;
}

/* Whatever waits until then is told that the time has passed. */
static int open_until(struct modcat_opening *opening, enum modcat_level failure, long long deadline,
                      struct opened *fresh)
{
    struct session *session = opening->session;
    session->limit = deadline != MODCAT_FOREVER ? deadline : 0;
    int result = side_open_stack(session, opening->address->lower,
                                 MODCAT_DIR_READ | MODCAT_DIR_WRITE, failure, fresh);
    session->limit = 0;
    return result;
}

int modcat_lower_reopen_until(struct modcat_opening *opening, struct modcat_endpoint **lower,
                              enum modcat_level failure, long long deadline)
{
    struct opened *place = (*lower)->host, fresh = {0};
    int read_fd = (*lower)->read_fd, write_fd = (*lower)->write_fd;
    if (!may_change(opening) || open_until(opening, failure, deadline, &fresh) < 0)
        return -1;
    close_now(place);
    *place = fresh;
    layer_use_from_above(place);
    renumber_above(opening->session, place, read_fd, write_fd);
    opening->below = place->opening;
    *lower = place->endpoint;
    return 0;
}

int modcat_lower_reopen(struct modcat_opening *opening, struct modcat_endpoint **lower,
                        enum modcat_level failure)
{
    return modcat_lower_reopen_until(opening, lower, failure, MODCAT_FOREVER);
}
