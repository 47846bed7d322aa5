/* A driver with one mistake, which a flag of the compiler chooses: code that runs in `open`, `read`
 * or `write`, or the name of a VARIABLE. */

#define _GNU_SOURCE
#include <errno.h>
#include <modcat/driver.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef IN_OPEN
#define IN_OPEN
#endif
#ifndef IN_READ
#define IN_READ
#endif
#ifndef IN_WRITE
#define IN_WRITE
#endif
#ifndef IN_SHUTDOWN
#define IN_SHUTDOWN
#endif
#ifndef PENDING
#define PENDING false
#endif
#ifdef VARIABLE
static int VARIABLE;
#define IN_CLOSE VARIABLE++
#else
#define IN_CLOSE
#endif

static int careless_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint);

static const struct modcat_address_type types[] = {
    {
        .name = "CARELESS",
        .groups = "FD",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "make one mistake",
        .open = careless_open,
    },
};

MODCAT_DRIVER(.name = "careless", .version = "1.0", .summary = "makes one mistake",
              MODCAT_TYPES(types));

static ssize_t careless_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    IN_READ;
    return read(endpoint->read_fd, buffer, length);
}

static ssize_t careless_write(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    IN_WRITE;
    return write(endpoint->write_fd, buffer, length);
}

static int careless_shutdown(struct modcat_endpoint *endpoint)
{
    (void)endpoint;
    IN_SHUTDOWN;
    return 0;
}

static bool careless_pending(struct modcat_endpoint *endpoint)
{
    (void)endpoint;
    return PENDING;
}

static void careless_close(struct modcat_endpoint *endpoint)
{
    (void)endpoint;
    IN_CLOSE;
}

static const struct modcat_endpoint_ops ops = {
    .size = sizeof ops,
    .read = careless_read,
    .write = careless_write,
    .shutdown = careless_shutdown,
    .close = careless_close,
    .pending = careless_pending,
};

static int careless_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    int fd = modcat_open_path(opening, "/dev/null", 0);
    IN_OPEN;
#ifdef FAILS
    if (fd >= 0)
        close(fd);
    FAILS;
    return -1;
#endif
    endpoint->read_fd = fd;
    endpoint->write_fd = fd;
    endpoint->ops = &ops;
    return fd < 0 ? -1 : 0;
}
