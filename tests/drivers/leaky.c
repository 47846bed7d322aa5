/* A broken driver: what it opens stays open, is inherited by every program, and is not always
 * accounted for when opening fails. */

#include <fcntl.h>
#include <modcat/driver.h>

static int leaky_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint);
static int leaky_fail(struct modcat_opening *opening, struct modcat_endpoint *endpoint);

static const struct modcat_address_type types[] = {
    {
        .name = "LEAKY",
        .groups = "FD",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "keep something open",
        .open = leaky_open,
    },
    {
        .name = "LEAKY-FAIL",
        .groups = "FD",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "fail without a word",
        .open = leaky_fail,
    },
};

MODCAT_DRIVER(.name = "leaky", .version = "1.0", .summary = "loses what it opens",
              MODCAT_TYPES(types));

static int leaky_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    int fd = open("/dev/null", O_RDWR);
    (void)opening;
    endpoint->read_fd = fd;
    endpoint->write_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return open("/dev/zero", O_RDONLY | O_CLOEXEC) < 0 ? -1 : 0;
}

static int leaky_fail(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    (void)opening, (void)endpoint;
    return -1;
}
