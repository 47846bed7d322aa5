/* A driver in C++: SUM reads nothing and counts, with templates that it does not export, what is
 * written. */

#include <cerrno>
#include <modcat/driver.h>
#include <modcat/layer.h>
#include <modcat/net.h>
#include <modcat/process.h>
#include <modcat/tty.h>
#include <new>
#include <poll.h>

static modcat_open_fn sum_open;

static const struct modcat_option options[] = {
    {.name = "sum-start", .help = "where to begin", .type = MODCAT_INT, .phase = MODCAT_PHASE_SPEC},
};

static const struct modcat_option_group groups[] = {
    {.name = "SUM", .help = "counting", MODCAT_OPTIONS(options)},
};

static const struct modcat_address_type types[] = {{
    .name = "SUM",
    .groups = "FD,OPEN,SUM",
    .help = "count what is written",
    .example = "modcat -u - SUM",
    .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
    .open = sum_open,
}};

MODCAT_DRIVER(.name = "plusplus", .version = "1.0", .summary = "in C++", MODCAT_TYPES(types),
              MODCAT_GROUPS(groups));

template <typename number> struct __attribute__((visibility("default"))) sum {
    number total;
    __attribute__((noinline)) void add(number count)
    {
        static const number signs[] = {-1, 1};
        total += count * signs[count > 0];
    }
};

static void sum_close(struct modcat_endpoint *endpoint)
{
    sum<long long> *state = static_cast<sum<long long> *>(endpoint->state);
    modcat_log(MODCAT_NOTICE, "the sum is %lld", state->total);
    delete state;
}

static ssize_t sum_write(struct modcat_endpoint *endpoint, const void *, size_t length)
{
    static_cast<sum<long long> *>(endpoint->state)->add(static_cast<long long>(length));
    return static_cast<ssize_t>(length);
}

static const struct modcat_endpoint_ops ops = {
    .size = sizeof ops,
    .write = sum_write,
    .close = sum_close,
};

static int sum_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    int fd = modcat_open_path(opening, "/dev/null", 0);
    if (fd < 0)
        return -1;
    endpoint->read_fd = fd;
    endpoint->write_fd = fd;
    endpoint->ops = &ops;
    endpoint->state = new (std::nothrow)
        sum<long long>{modcat_option_number(opening, "sum-start", 0)};
    return 0;
}
