/* FIRST: a driver for the first driver ABI, kept as the binary first.so beside this source. It
 * gives back what is written to it, in capitals, and puts what passes in capitals as a layer. */

#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <modcat/driver.h>
#include <modcat/layer.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static modcat_open_fn first_open;
static modcat_wrap_fn first_wrap;

static const struct modcat_option options[] = {
    {.name = "first-except",
     .help = "letters that stay as they are",
     .type = MODCAT_STRING,
     .phase = MODCAT_PHASE_SPEC,
     .preset = "none"},
};

static const struct modcat_option_group groups[] = {
    {.name = "FIRST", .help = "putting in capitals", MODCAT_OPTIONS(options)},
};

static const struct modcat_address_type types[] = {{
    .name = "FIRST",
    .groups = "FD,FIRST",
    .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
    .help = "give back what is written, in capitals",
    .example = "modcat - FIRST,first-except=aeiou",
    .open = first_open,
    .wrap = first_wrap,
    .layer_groups = "FIRST",
}};

MODCAT_DRIVER(.name = "first", .version = "1.0", .summary = "the first driver ABI",
              MODCAT_TYPES(types), MODCAT_GROUPS(groups));

/* On its own it stands on a pipe. */
static int first_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return modcat_fail(opening, "pipe2(): %s", strerror(errno));
    endpoint->read_fd = ends[0];
    endpoint->write_fd = ends[1];
    endpoint->half_close = MODCAT_HALF_CLOSE;
    return 0;
}

struct first {
    struct modcat_endpoint *lower;
    char except[64];
};

static ssize_t first_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    const struct first *first = endpoint->state;
    char *text = buffer;
    ssize_t count = modcat_lower_read(first->lower, buffer, length);
    for (ssize_t i = 0; i < count; i++)
        if (text[i] != '\0' && strchr(first->except, text[i]) == NULL)
            text[i] = (char)toupper((unsigned char)text[i]);
    return count;
}

static ssize_t first_write(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    const struct first *first = endpoint->state;
    return modcat_lower_write(first->lower, buffer, length);
}

static int first_shutdown(struct modcat_endpoint *endpoint)
{
    const struct first *first = endpoint->state;
    return modcat_lower_shutdown(first->lower);
}

static bool first_pending(struct modcat_endpoint *endpoint)
{
    const struct first *first = endpoint->state;
    return modcat_lower_pending(first->lower);
}

static short first_wants(struct modcat_endpoint *endpoint, unsigned direction)
{
    const struct first *first = endpoint->state;
    return modcat_lower_wants(first->lower, direction);
}

static void first_close(struct modcat_endpoint *endpoint)
{
    free(endpoint->state);
}

static const struct modcat_endpoint_ops ops = {
    .size = sizeof ops,
    .read = first_read,
    .write = first_write,
    .shutdown = first_shutdown,
    .close = first_close,
    .pending = first_pending,
    .wants = first_wants,
};

static int first_wrap(struct modcat_opening *opening, struct modcat_endpoint *lower,
                      struct modcat_endpoint *endpoint)
{
    const char *except = modcat_option_string(opening, "first-except", "");
    struct first *first = calloc(1, sizeof *first);
    if (first == NULL)
        return modcat_fail(opening, "calloc(): %s", strerror(errno));
    if (strlen(except) >= sizeof first->except) {
        free(first);
        return modcat_fail(opening, "first-except: at most %zu letters", sizeof first->except - 1);
    }
    memcpy(first->except, except, strlen(except));
    first->lower = lower;
    endpoint->ops = &ops;
    endpoint->state = first;
    return 0;
}
