#define _GNU_SOURCE
#include "core/relay/splice.h"

#include "core/services/net/peer.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* What a pipe of our own gets for a flow that fills it, the first that is allowed, and the least
 * that is worth having: a user whose share of pipe pages is used up gets pipes of a page or two,
 * pipe(7). */
static const int pipe_sizes[] = {1024 * 1024, 256 * 1024};
#define PIPE_SIZE_MIN 65536

/* What the pipes of others get. */
#define PIPE_SIZE_WIDE (256 * 1024)

/* How many empty pipes are kept for those who splice next. */
#define IDLE_MAX 4

#define FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK)

static bool is_plain(const struct modcat_endpoint *endpoint)
{
    return (endpoint->flags & MODCAT_END_MESSAGES) == 0 &&
           (endpoint->ops == NULL || (endpoint->ops->read == NULL && endpoint->ops->write == NULL));
}

/* splice(2) waits for a socket that others share, whatever its flags say, and refuses a file that
 * is open for appending. */
static bool can_give(const struct nature *source)
{
    if (source->kind == S_IFSOCK)
        return (source->flags & O_NONBLOCK) != 0;
    return source->kind == S_IFREG || source->kind == S_IFIFO || source->kind == S_IFBLK;
}

static bool can_take(const struct nature *sink)
{
    if (sink->kind == S_IFSOCK)
        return (sink->flags & O_NONBLOCK) != 0;
    return (sink->kind == S_IFREG || sink->kind == S_IFIFO || sink->kind == S_IFBLK) &&
           (sink->flags & O_APPEND) == 0;
}

/* A receiver on the same host has to copy the bytes, and is faster when they went through a buffer,
 * and thus through the cache, than when they lie in the pages that their sender wrote. */
static bool is_worth_it(enum splice_way way, const struct opened *sink, const struct nature *to)
{
    return way == SPLICE_STRAIGHT || to->kind != S_IFSOCK || !peer_is_here(sink->opening, to->fd);
}

void splice_plan(struct splice *splice, const struct opened *source, const struct opened *sink,
                 struct natures *natures)
{
    *splice = (struct splice){.way = SPLICE_NOT, .pipe = {-1, -1}};
    if (!is_plain(source->endpoint) || !is_plain(sink->endpoint))
        return;
    const struct nature *from = nature_of(natures, source->endpoint, source->endpoint->read_fd);
    const struct nature *to = nature_of(natures, sink->endpoint, sink->endpoint->write_fd);
    if (!can_give(from) || !can_take(to))
        return;
    enum splice_way way =
        from->kind == S_IFIFO || to->kind == S_IFIFO ? SPLICE_STRAIGHT : SPLICE_THROUGH;
    if (!is_worth_it(way, sink, to))
        return;
    splice->way = way;
    splice->size = PIPE_SIZE_WIDE;
    splice->source_is_pipe = from->kind == S_IFIFO;
}

/* Empty pipes that nobody uses now. All sessions of a process share its descriptors, so that this
 * is one of the places with a state. */
static struct {
    int pipe[2];
    size_t size;
} idle[IDLE_MAX];
static size_t idle_count;

bool splice_prepare(struct splice *splice)
{
    if (splice->way == SPLICE_STRAIGHT || splice->pipe[0] >= 0)
        return true;
    if (idle_count > 0) {
        memcpy(splice->pipe, idle[--idle_count].pipe, sizeof splice->pipe);
        splice->size = idle[idle_count].size;
        return true;
    }
    if (pipe2(splice->pipe, O_CLOEXEC | O_NONBLOCK) < 0)
        return false;
    for (size_t i = 0; i < MODCAT_COUNT(pipe_sizes); i++)
        if (fcntl(splice->pipe[1], F_SETPIPE_SZ, pipe_sizes[i]) >= 0)
            break;
    int size = fcntl(splice->pipe[1], F_GETPIPE_SZ);
    if (size < PIPE_SIZE_MIN) {
        splice_free(splice);
        return false;
    }
    splice->size = (size_t)size;
    return true;
}

void splice_rest(struct splice *splice)
{
    if (splice->pipe[0] < 0 || splice->held > 0)
        return;
    if (idle_count == IDLE_MAX) {
        splice_free(splice);
        return;
    }
    memcpy(idle[idle_count].pipe, splice->pipe, sizeof splice->pipe);
    idle[idle_count++].size = splice->size;
    splice->pipe[0] = splice->pipe[1] = -1;
}

void splice_free(struct splice *splice)
{
    for (int i = 0; i < 2; i++) {
        if (splice->pipe[i] >= 0)
            close(splice->pipe[i]);
        splice->pipe[i] = -1;
    }
    splice->held = 0;
}

/* A pipe at either end that was filled to the brim gets more room, so that whoever is at its other
 * end is woken less often. */
static void widen(struct splice *s, int source, int sink)
{
    s->widened = true;
    (void)fcntl(source, F_SETPIPE_SZ, PIPE_SIZE_WIDE);
    (void)fcntl(sink, F_SETPIPE_SZ, PIPE_SIZE_WIDE);
}

ssize_t splice_from(struct splice *s, int source, int sink, size_t length)
{
    bool through = s->way == SPLICE_THROUGH;
    if (length > s->size)
        length = s->size;
    ssize_t count = splice(source, NULL, through ? s->pipe[1] : sink, NULL, length, FLAGS);
    if (through && count > 0)
        s->held += (size_t)count;
    else if (count >= PIPE_SIZE_MIN && !s->widened)
        widen(s, source, sink);
    return count;
}

ssize_t splice_to(struct splice *s, int sink)
{
    ssize_t count = splice(s->pipe[0], NULL, sink, NULL, s->held, FLAGS);
    if (count > 0)
        s->held -= (size_t)count;
    return count;
}

ssize_t splice_take_back(struct splice *splice, void *buffer, size_t length)
{
    ssize_t count = read(splice->pipe[0], buffer, length);
    if (count > 0)
        splice->held -= (size_t)count;
    return count;
}

const char *splice_way_name(enum splice_way way)
{
    static const char *const names[] = {
        [SPLICE_NOT] = "through a buffer",
        [SPLICE_STRAIGHT] = "straight inside the kernel",
        [SPLICE_THROUGH] = "inside the kernel through a pipe, once it fills the buffer",
    };
    return names[way];
}
