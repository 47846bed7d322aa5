#define _GNU_SOURCE
#include "core/relay/progress.h"

#include "core/base/log.h"
#include "core/base/patient.h"
#include "core/base/wait.h"
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define INTERVAL (MODCAT_SECOND / 2)
#define LINE_SIZE 256

/* /dev/tty, which is any terminal. */
#define DEVICE_TTY makedev(5, 0)

static bool same_terminal(int fd)
{
    struct stat one, other;
    return fstat(fd, &one) == 0 && S_ISCHR(one.st_mode) && fstat(STDERR_FILENO, &other) == 0 &&
           (one.st_rdev == other.st_rdev || one.st_rdev == DEVICE_TTY);
}

/* What the user types is shown there as well. */
static bool uses_terminal(const struct flow *flow)
{
    return flow->state != FLOW_UNUSED && (same_terminal(flow->sink->endpoint->write_fd) ||
                                          same_terminal(flow->source->endpoint->read_fd));
}

static bool is_shared(const struct session *session)
{
    for (int i = 0; i < 2; i++) {
        const struct side *side = &session->sides[i];
        if ((side->first.opening != NULL && side->first.opening->set.fork) ||
            (side->second.opening != NULL && side->second.opening->set.fork))
            return true;
    }
    return false;
}

/* Why there will be no line, or NULL. */
static const char *obstacle(const struct session *session, const struct flow flows[2])
{
    if (!isatty(STDERR_FILENO))
        return "standard error is no terminal";
    if (session->settings->dump_text || session->settings->dump_hex)
        return "the data is shown on standard error";
    if (uses_terminal(&flows[0]) || uses_terminal(&flows[1]))
        return "data goes to the terminal, or comes from there";
    return is_shared(session) ? "several sessions would show theirs" : NULL;
}

/* What is left to read of a file or a block device; false: its end is not known. */
static bool size_left(int fd, unsigned long long *left)
{
    struct stat status;
    uint64_t size;
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (at < 0 || fstat(fd, &status) < 0)
        return false;
    if (S_ISREG(status.st_mode))
        size = (uint64_t)status.st_size;
    else if (!S_ISBLK(status.st_mode) || ioctl(fd, BLKGETSIZE64, &size) < 0)
        return false;
    *left = size > (uint64_t)at ? size - (uint64_t)at : 0;
    return *left > 0;
}

/* Line ends that change, and ends of file that are no ends, leave nothing to reckon with. */
static bool total_of(const struct flow *flow, unsigned long long *total)
{
    if (flow->state == FLOW_UNUSED)
        return false;
    const struct opening_settings *source = &flow->source->opening->set;
    bool plain = flow->source->endpoint->ops == NULL && !source->ignoreeof && source->escape < 0 &&
                 source->line_end == flow->sink->opening->set.line_end;
    if (!plain || !size_left(flow->source->endpoint->read_fd, total))
        return false;
    if (*total > flow->left)
        *total = flow->left;
    return true;
}

void progress_start(struct progress *progress, const struct session *session,
                    const struct flow flows[2])
{
    *progress = (struct progress){.next = MODCAT_FOREVER};
    if (!session->settings->progress)
        return;
    const char *why = obstacle(session, flows);
    if (why != NULL) {
        log_notice("no progress is shown: %s", why);
        return;
    }
    progress->flows = flows;
    progress->started = progress->drawn = wait_now();
    progress->next = progress->started + INTERVAL;
    for (int i = 1; i >= 0; i--)
        if (total_of(&flows[i], &progress->total)) {
            progress->total_known = true;
            progress->measured = i;
        }
}

static int format_bytes(char *text, size_t size, double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    while (bytes >= 1024 && unit + 1 < MODCAT_COUNT(units)) {
        bytes /= 1024;
        unit++;
    }
    return snprintf(text, size, "%.*f %s", unit == 0 || bytes >= 100 ? 0 : 1, bytes, units[unit]);
}

static int format_time(char *text, size_t size, double seconds)
{
    unsigned long whole = seconds < 0 ? 0 : (unsigned long)(seconds + 0.5);
    if (whole >= 3600)
        return snprintf(text, size, "%lu:%02lu:%02lu", whole / 3600, whole / 60 % 60, whole % 60);
    return snprintf(text, size, "%lu:%02lu", whole / 60, whole % 60);
}

static void append(char *line, size_t size, const char *piece)
{
    size_t length = strlen(line);
    snprintf(line + length, size - length, "%s", piece);
}

static void append_flow(char *line, size_t size, const char *mark, unsigned long long bytes,
                        double rate)
{
    char amount[32], speed[32], piece[80];
    format_bytes(amount, sizeof amount, (double)bytes);
    format_bytes(speed, sizeof speed, rate);
    snprintf(piece, sizeof piece, "%s%s %s/s  ", mark, amount, speed);
    append(line, size, piece);
}

static void append_share(char *line, size_t size, const struct progress *progress,
                         unsigned long long bytes, double seconds)
{
    char left[32], piece[80];
    double share = (double)bytes / (double)progress->total;
    if (share > 1)
        return;
    snprintf(piece, sizeof piece, "  %.0f%%", share * 100);
    append(line, size, piece);
    if (bytes == 0 || bytes == progress->total)
        return;
    format_time(left, sizeof left, seconds / share - seconds);
    snprintf(piece, sizeof piece, "  ETA %s", left);
    append(line, size, piece);
}

int progress_format(char *line, size_t size, const struct progress *progress,
                    const unsigned long long bytes[2], const double rates[2], long long elapsed)
{
    double seconds = (double)elapsed / (double)MODCAT_SECOND;
    char time[32];
    bool both = progress->flows[0].state != FLOW_UNUSED && progress->flows[1].state != FLOW_UNUSED;
    line[0] = '\0';
    for (int i = 0; i < 2; i++)
        if (progress->flows[i].state != FLOW_UNUSED)
            append_flow(line, size, !both ? "" : i == 0 ? "> " : "< ", bytes[i], rates[i]);
    format_time(time, sizeof time, seconds);
    append(line, size, time);
    if (progress->total_known)
        append_share(line, size, progress, bytes[progress->measured], seconds);
    return (int)strlen(line);
}

/* A job in the background leaves the terminal to others. */
static bool has_terminal(void)
{
    pid_t foreground = tcgetpgrp(STDERR_FILENO);
    return foreground < 0 || foreground == getpgrp();
}

/* What does not fit into the terminal's width would start a line of its own. */
static int visible(int length)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 || length < size.ws_col)
        return length;
    return size.ws_col - 1;
}

static void draw(struct progress *progress, long long now, bool last)
{
    char line[LINE_SIZE], whole[LINE_SIZE + 16];
    unsigned long long bytes[2];
    double rates[2];
    long long since = last ? progress->started : progress->drawn;
    for (int i = 0; i < 2; i++) {
        bytes[i] = progress->flows[i].bytes;
        unsigned long long moved = bytes[i] - (last ? 0 : progress->bytes[i]);
        rates[i] = now > since ? (double)moved * (double)MODCAT_SECOND / (double)(now - since) : 0;
        progress->bytes[i] = bytes[i];
    }
    progress->drawn = now;
    if (!has_terminal())
        return;
    int length =
        progress_format(line, sizeof line, progress, bytes, rates, now - progress->started);
    length =
        snprintf(whole, sizeof whole, "\r%.*s\033[K%s", visible(length), line, last ? "\n" : "");
    (void)!patient_write(STDERR_FILENO, whole, (size_t)length);
    log_set_status(!last);
}

void progress_update(struct progress *progress)
{
    if (progress->flows == NULL)
        return;
    long long now = wait_now();
    if (now < progress->next)
        return;
    draw(progress, now, false);
    progress->next = now + INTERVAL;
}

void progress_end(struct progress *progress)
{
    if (progress->flows != NULL)
        draw(progress, wait_now(), true);
    progress->flows = NULL;
    progress->next = MODCAT_FOREVER;
}
