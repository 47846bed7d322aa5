#define _GNU_SOURCE
#include "tests/random/traffic.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The most that is read at once: a whole message. */
#define CHUNK ((size_t)1 << 20)

/* The most writes of a lane. */
#define WRITES 2000

/* How often the programs' messages are taken, in milliseconds. */
#define TICK 50

struct pace draw_pace(struct trial *trial, size_t length)
{
    struct pace pace = {.chunk = CHUNK};
    size_t kind = draw_below(trial, 20);
    if (kind >= 12) {
        size_t least = length / WRITES + 1;
        pace.chunk = draw_between(trial, least, least + 10000);
    }
    if (kind >= 17) { /* slow */
        pace.burst = length / draw_between(trial, 1, 10) + 1;
        pace.pause = (int)draw_between(trial, 1, 20);
    }
    if (kind == 19 && draw_chance(trial, 30)) { /* stalls */
        pace.burst = length / 2 + 1;
        pace.pause = (int)draw_between(trial, 50, 400);
    }
    return pace;
}

struct lane *traffic_lane(struct traffic *traffic, const char *name, int write_fd, int read_fd,
                          const unsigned char *data, size_t length)
{
    struct lane *lane = &traffic->lanes[traffic->count++];
    *lane = (struct lane){
        .name = name,
        .write_fd = write_fd,
        .read_fd = read_fd,
        .data = data,
        .length = length,
        .expected = data,
        .expected_length = length,
        .write_pace = {.chunk = CHUNK},
        .read_pace = {.chunk = CHUNK},
        .takes = SIZE_MAX,
        .write_over = write_fd < 0,
        .read_over = read_fd < 0,
    };
    if (write_fd >= 0)
        fcntl(write_fd, F_SETFL, fcntl(write_fd, F_GETFL) | O_NONBLOCK);
    if (read_fd >= 0)
        fcntl(read_fd, F_SETFL, fcntl(read_fd, F_GETFL) | O_NONBLOCK);
    traffic->trial->bytes += length;
    return lane;
}

static void note_pace(struct trial *trial, const struct lane *lane, const char *what,
                      const struct pace *pace)
{
    if (pace->chunk < CHUNK || pace->burst > 0)
        trial_note(trial, "%s: %s %zu bytes at a time, after each %zu a pause of %d ms", lane->name,
                   what, pace->chunk, pace->burst, pace->pause);
}

void draw_paces(struct trial *trial, struct lane *lane)
{
    lane->write_pace = draw_pace(trial, lane->length);
    lane->read_pace = draw_pace(trial, lane->length);
    trial->writes += lane->length / lane->write_pace.chunk + lane->length / lane->read_pace.chunk;
    note_pace(trial, lane, "sends", &lane->write_pace);
    note_pace(trial, lane, "takes", &lane->read_pace);
}

void traffic_watch(struct traffic *traffic, struct program *program)
{
    if (program != NULL)
        traffic->programs[traffic->program_count++] = program;
}

/* How much may be moved at once, and from when on the next time. */
static size_t piece(const struct pace *pace, size_t done, size_t length)
{
    if (length > pace->chunk)
        length = pace->chunk;
    if (pace->burst > 0 && length > pace->burst - done % pace->burst)
        length = pace->burst - done % pace->burst;
    return length;
}

static void pause_after(const struct pace *pace, size_t done, long long *at)
{
    if (pace->burst > 0 && done % pace->burst == 0)
        *at = milliseconds() + pace->pause;
}

/* The other side has gone. That of terminals is EIO. */
static bool is_broken(void)
{
    return errno == EPIPE || errno == ECONNRESET || errno == EIO || errno == ENOTCONN;
}

static void end_writing(struct traffic *traffic, struct lane *lane)
{
    lane->write_over = true;
    if (!lane->ends)
        return;
    if (lane->closes)
        harness_close(traffic->trial->harness, lane->write_fd);
    else
        shutdown(lane->write_fd, SHUT_WR);
}

static bool lane_write(struct traffic *traffic, struct lane *lane)
{
    size_t wanted = piece(&lane->write_pace, lane->sent, lane->length - lane->sent);
    ssize_t count = wanted > 0 ? write(lane->write_fd, lane->data + lane->sent, wanted) : 0;
    if (count < 0 && errno == EAGAIN)
        return false;
    if (count < 0 && lane->write_may_break && is_broken()) {
        lane->write_over = true;
        return true;
    }
    if (count < 0)
        harness_fail(traffic->trial->harness, "%s: after %zu of %zu bytes, writing fails: %s",
                     lane->name, lane->sent, lane->length, strerror(errno));
    lane->sent += (size_t)count;
    if (lane->sent == lane->length)
        end_writing(traffic, lane);
    else
        pause_after(&lane->write_pace, lane->sent, &lane->write_at);
    return true;
}

static void compare(struct traffic *traffic, const struct lane *lane, const unsigned char *bytes,
                    size_t count)
{
    if (count > lane->expected_length - lane->received)
        harness_fail(traffic->trial->harness, "%s: %zu bytes come out, and no more than %zu should",
                     lane->name, lane->received + count, lane->expected_length);
    if (memcmp(lane->expected + lane->received, bytes, count) != 0)
        harness_fail(traffic->trial->harness,
                     "%s: of %zu bytes, those from %zu on (in %zu) are not what was sent",
                     lane->name, lane->expected_length, lane->received, count);
}

static void reach_end(struct traffic *traffic, struct lane *lane, const char *how)
{
    lane->read_over = true;
    if (!lane->read_may_break && lane->received < lane->expected_length)
        harness_fail(traffic->trial->harness, "%s: %s after %zu of %zu bytes", lane->name, how,
                     lane->received, lane->expected_length);
}

static bool may_reset(const struct lane *lane)
{
    return lane->read_may_break ||
           (lane->read_may_reset && lane->received == lane->expected_length);
}

static bool lane_read(struct traffic *traffic, struct lane *lane)
{
    static unsigned char buffer[CHUNK];
    ssize_t count =
        read(lane->read_fd, buffer, piece(&lane->read_pace, lane->received, sizeof buffer));
    if (count < 0 && errno == EAGAIN)
        return false;
    if (count < 0 && may_reset(lane) && is_broken()) {
        lane->read_over = true;
        return true;
    }
    if (count < 0)
        harness_fail(traffic->trial->harness, "%s: after %zu of %zu bytes, reading fails: %s",
                     lane->name, lane->received, lane->expected_length, strerror(errno));
    if (count == 0) {
        reach_end(traffic, lane, "the end comes");
        return true;
    }
    compare(traffic, lane, buffer, (size_t)count);
    lane->received += (size_t)count;
    pause_after(&lane->read_pace, lane->received, &lane->read_at);
    return true;
}

/* Who has what he wants leaves. */
static void consider_leaving(struct traffic *traffic, struct lane *lane)
{
    if ((!lane->leaves && !lane->resets) || lane->read_over || lane->received < lane->takes)
        return;
    lane->write_over = lane->read_over = true;
    if (lane->resets)
        peer_reset(traffic->trial->harness, lane->read_fd);
    else
        harness_close(traffic->trial->harness, lane->read_fd);
}

static bool writes_now(const struct lane *lane, long long now)
{
    return !lane->write_over && lane->write_at <= now;
}

static bool reads_now(const struct lane *lane, long long now)
{
    return !lane->read_over && lane->received < lane->takes && lane->read_at <= now;
}

static void sooner(int *timeout, bool wanted, long long at, long long now)
{
    if (wanted && at > now && at - now < *timeout)
        *timeout = (int)(at - now);
}

/* One round. Returns whether anything has moved, or will at a known time. */
static bool step(struct traffic *traffic)
{
    struct pollfd ready[16];
    long long now = milliseconds();
    int timeout = TICK;
    bool moved = false;
    for (size_t i = 0; i < traffic->count; i++) {
        const struct lane *lane = &traffic->lanes[i];
        ready[2 * i] = (struct pollfd){writes_now(lane, now) ? lane->write_fd : -1, POLLOUT, 0};
        ready[2 * i + 1] = (struct pollfd){reads_now(lane, now) ? lane->read_fd : -1, POLLIN, 0};
        sooner(&timeout, !lane->write_over, lane->write_at, now);
        sooner(&timeout, !lane->read_over, lane->read_at, now);
    }
    moved = timeout < TICK;
    poll(ready, 2 * traffic->count, timeout);
    for (size_t i = 0; i < traffic->count; i++) {
        struct lane *lane = &traffic->lanes[i];
        if (ready[2 * i].revents != 0)
            moved |= lane_write(traffic, lane);
        if (ready[2 * i + 1].revents != 0 && !lane->read_over)
            moved |= lane_read(traffic, lane);
        consider_leaving(traffic, lane);
    }
    for (size_t i = 0; i < traffic->program_count; i++)
        program_log(traffic->programs[i]);
    return moved;
}

static void fail_to_move(struct traffic *traffic)
{
    for (size_t i = 0; i < traffic->count; i++) {
        const struct lane *lane = &traffic->lanes[i];
        trial_note(traffic->trial, "%s: sent %zu of %zu%s, received %zu of %zu%s", lane->name,
                   lane->sent, lane->length, lane->write_over ? " (over)" : "", lane->received,
                   lane->expected_length, lane->read_over ? " (over)" : "");
    }
    harness_fail(traffic->trial->harness, "nothing moves");
}

static size_t received(const struct traffic *traffic)
{
    size_t sum = 0;
    for (size_t i = 0; i < traffic->count; i++)
        sum += traffic->lanes[i].received;
    return sum;
}

static void run(struct traffic *traffic, bool (*until)(const struct traffic *), size_t bytes)
{
    long long deadline = milliseconds() + PATIENCE;
    while (!until(traffic) && received(traffic) < bytes) {
        if (step(traffic))
            deadline = milliseconds() + PATIENCE;
        if (milliseconds() > deadline)
            fail_to_move(traffic);
    }
}

void traffic_run(struct traffic *traffic, bool (*until)(const struct traffic *traffic))
{
    run(traffic, until, SIZE_MAX);
}

void traffic_run_to(struct traffic *traffic, size_t bytes)
{
    run(traffic, traffic_is_received, bytes);
}

bool traffic_has_ended(const struct traffic *traffic)
{
    for (size_t i = 0; i < traffic->count; i++)
        if (!traffic->lanes[i].write_over || !traffic->lanes[i].read_over)
            return false;
    return true;
}

static bool has_arrived(const struct lane *lane)
{
    return lane->read_over || lane->received == lane->expected_length;
}

bool traffic_has_arrived(const struct traffic *traffic)
{
    for (size_t i = 0; i < traffic->count; i++)
        if (!traffic->lanes[i].write_over || !has_arrived(&traffic->lanes[i]))
            return false;
    return true;
}

bool traffic_is_over(const struct traffic *traffic)
{
    for (size_t i = 0; i < traffic->count; i++)
        if (!traffic->lanes[i].read_over)
            return false;
    return true;
}

bool traffic_is_received(const struct traffic *traffic)
{
    for (size_t i = 0; i < traffic->count; i++)
        if (!has_arrived(&traffic->lanes[i]) &&
            traffic->lanes[i].received < traffic->lanes[i].takes)
            return false;
    return true;
}
