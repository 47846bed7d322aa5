/* TEXT and STALL: ends without anybody behind them, for scripts and tests. TEXT gives a string, and
 * shows what is written; STALL gives nothing, takes nothing, and never ends. */

#define _GNU_SOURCE
#include <errno.h>
#include <modcat/driver.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static modcat_open_fn text_open, stall_open;

static const struct modcat_address_type types[] = {
    {
        .name = "TEXT",
        .syntax = ":<string>",
        .groups = "FD",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "read a string, write to standard output",
        .example = "modcat TEXT:hello TCP:localhost:7",
        .min_params = 1,
        .max_params = 1,
        .open = text_open,
    },
    {
        .name = "STALL",
        .groups = "FD",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "read nothing, take nothing, and never end",
        .example = "modcat -T 60 TCP-LISTEN:5000,fork STALL",
        .open = stall_open,
    },
};

MODCAT_DRIVER(.name = "text", .version = MODCAT_DRIVER_VERSION,
              .summary = "a given string, or nothing at all", MODCAT_TYPES(types));

static void close_text(struct modcat_endpoint *endpoint)
{
    if (endpoint->read_fd >= 0)
        close(endpoint->read_fd);
}

/* Standard output belongs to others, so that the host closes nothing; the file is closed here. */
static const struct modcat_endpoint_ops text_ops = {
    .size = sizeof(struct modcat_endpoint_ops),
    .close = close_text,
};

static int fill(int fd, const char *text)
{
    size_t length = strlen(text);
    for (size_t done = 0; done < length;) {
        ssize_t count = write(fd, text + done, length - done);
        if (count < 0)
            return -1;
        done += (size_t)count;
    }
    return lseek(fd, 0, SEEK_SET) < 0 ? -1 : 0;
}

/* A file in memory, which has room for a text of any length. Returns it, or -1 after reporting. */
static int file_of(struct modcat_opening *opening, const char *text)
{
    int fd = memfd_create("text", MFD_CLOEXEC);
    if (fd < 0)
        return modcat_fail_call(opening, "keep the text", NULL, NULL, "memfd_create(\"text\")");
    if (fill(fd, text) == 0)
        return fd;
    modcat_fail_call(opening, "keep the text", NULL, NULL, "write(%d, ..., %zu)", fd, strlen(text));
    close(fd);
    return -1;
}

static int text_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    unsigned directions = modcat_directions(opening);
    if ((directions & MODCAT_DIR_READ) != 0) {
        endpoint->read_fd = file_of(opening, modcat_param(opening, 0));
        if (endpoint->read_fd < 0)
            return -1;
        endpoint->ops = &text_ops;
    }
    if ((directions & MODCAT_DIR_WRITE) != 0)
        endpoint->write_fd = STDOUT_FILENO;
    endpoint->flags = MODCAT_END_INHERITED;
    modcat_log(MODCAT_NOTICE, "using a text of %zu bytes for %s", strlen(modcat_param(opening, 0)),
               modcat_directions_name(opening));
    return 0;
}

/* The other end of the pair, which stays open and is never used. */
static void close_stall(struct modcat_endpoint *endpoint)
{
    close((int)(intptr_t)endpoint->state);
}

static const struct modcat_endpoint_ops stall_ops = {
    .size = sizeof(struct modcat_endpoint_ops),
    .close = close_stall,
};

/* Until the kernel takes no more, not even a single byte. */
static int fill_up(int fd)
{
    static const char block[4096];
    for (size_t length = sizeof block; length > 0; length /= 2)
        while (send(fd, block, length, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
            continue;
    return errno == EAGAIN ? 0 : -1;
}

static int stall_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    unsigned directions = modcat_directions(opening);
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return modcat_fail_call(opening, "make a pair of sockets", NULL, NULL,
                                "socketpair(AF_UNIX, SOCK_STREAM, 0)");
    if (fill_up(ends[0]) < 0) {
        modcat_fail_call(opening, "fill the socket", NULL, NULL, "send(%d, ...)", ends[0]);
        close(ends[0]);
        close(ends[1]);
        return -1;
    }
    endpoint->read_fd = (directions & MODCAT_DIR_READ) != 0 ? ends[0] : -1;
    endpoint->write_fd = (directions & MODCAT_DIR_WRITE) != 0 ? ends[0] : -1;
    endpoint->ops = &stall_ops;
    endpoint->state = (void *)(intptr_t)ends[1];
    modcat_log(MODCAT_NOTICE, "stalling for %s", modcat_directions_name(opening));
    return 0;
}
