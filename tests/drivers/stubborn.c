/* A broken driver: it reads beyond its buffer, writes more than there is, waits where nobody can
 * end it, and closes what is not its own. */

#define _GNU_SOURCE
#include <modcat/driver.h>
#include <string.h>
#include <unistd.h>

static int stubborn_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint);
static int stubborn_wait(struct modcat_opening *opening, struct modcat_endpoint *endpoint);

static const struct modcat_address_type types[] = {
    {
        .name = "STUBBORN",
        .groups = "FD",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "do more than is asked for",
        .open = stubborn_open,
    },
    {
        .name = "STUBBORN-WAIT",
        .groups = "FD",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "wait for ever",
        .open = stubborn_wait,
    },
};

MODCAT_DRIVER(.name = "stubborn", .version = "1.0", .summary = "does what it wants",
              MODCAT_TYPES(types));

static ssize_t stubborn_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    (void)endpoint;
    memset(buffer, 'x', length + 1);
    return (ssize_t)length + 1;
}

static ssize_t stubborn_write(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    (void)endpoint, (void)buffer;
    return (ssize_t)length * 2;
}

static void stubborn_close(struct modcat_endpoint *endpoint)
{
    (void)endpoint;
    close(STDIN_FILENO);
}

static bool stubborn_pending(struct modcat_endpoint *endpoint)
{
    (void)endpoint;
    return true;
}

static const struct modcat_endpoint_ops ops = {
    .size = sizeof ops,
    .read = stubborn_read,
    .write = stubborn_write,
    .close = stubborn_close,
    .pending = stubborn_pending,
};

static int stubborn_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    int fd = modcat_open_path(opening, "/dev/null", 0);
    endpoint->read_fd = fd;
    endpoint->write_fd = fd;
    endpoint->ops = &ops;
    return fd < 0 ? -1 : 0;
}

static int stubborn_wait(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    (void)opening, (void)endpoint;
    for (;;)
        pause();
}
