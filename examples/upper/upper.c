/* UPPER: gives back what is written to it, in capitals; on top of another address, as a layer,
 * puts what passes in capitals.
 *
 * Copyright 2026 The modcat authors <modcat@modcat.example> */

#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <modcat/driver.h>
#include <modcat/layer.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static modcat_open_fn upper_open;
static modcat_wrap_fn upper_wrap;

static const struct modcat_option options[] = {
    {.name = "upper-except",
     .help = "letters that stay as they are",
     .type = MODCAT_STRING,
     .phase = MODCAT_PHASE_SPEC,
     .preset = "none"},
};

static const struct modcat_option_group groups[] = {
    {.name = "UPPER", .help = "putting in capitals", MODCAT_OPTIONS(options)},
};

static const struct modcat_address_type types[] = {{
    .name = "UPPER",
    .groups = "FD,UPPER",
    .help = "give back what is written, in capitals",
    .example = "modcat - UPPER,upper-except=aeiou",
    .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
    .open = upper_open,
    .wrap = upper_wrap,
    .layer_groups = "UPPER",
}};

MODCAT_DRIVER(.name = "upper", .version = MODCAT_DRIVER_VERSION,
              .summary = "put everything in capitals", MODCAT_TYPES(types), MODCAT_GROUPS(groups));

/* On its own it stands on a pipe. */
static int upper_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return modcat_fail(opening, "pipe2(): %s", strerror(errno));
    endpoint->read_fd = ends[0];
    endpoint->write_fd = ends[1];
    endpoint->half_close = MODCAT_HALF_CLOSE;
    return 0;
}

struct upper_state {
    struct modcat_endpoint *lower;
    char except[64];
};

static ssize_t upper_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    const struct upper_state *state = endpoint->state;
    char *text = buffer;
    ssize_t count = modcat_lower_read(state->lower, buffer, length);
    for (ssize_t i = 0; i < count; i++)
        if (text[i] != '\0' && strchr(state->except, text[i]) == NULL)
            text[i] = (char)toupper((unsigned char)text[i]);
    return count;
}

static ssize_t upper_write(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    const struct upper_state *state = endpoint->state;
    return modcat_lower_write(state->lower, buffer, length);
}

static int upper_shutdown(struct modcat_endpoint *endpoint)
{
    const struct upper_state *state = endpoint->state;
    return modcat_lower_shutdown(state->lower);
}

static bool upper_pending(struct modcat_endpoint *endpoint)
{
    const struct upper_state *state = endpoint->state;
    return modcat_lower_pending(state->lower);
}

static short upper_wants(struct modcat_endpoint *endpoint, unsigned direction)
{
    const struct upper_state *state = endpoint->state;
    return modcat_lower_wants(state->lower, direction);
}

static void upper_close(struct modcat_endpoint *endpoint)
{
    free(endpoint->state);
}

static const struct modcat_endpoint_ops ops = {
    .size = sizeof ops,
    .read = upper_read,
    .write = upper_write,
    .shutdown = upper_shutdown,
    .close = upper_close,
    .pending = upper_pending,
    .wants = upper_wants,
};

static int upper_wrap(struct modcat_opening *opening, struct modcat_endpoint *lower,
                      struct modcat_endpoint *endpoint)
{
    const char *except = modcat_option_string(opening, "upper-except", "");
    struct upper_state *state = calloc(1, sizeof *state);
    if (state == NULL)
        return modcat_fail(opening, "calloc(): %s", strerror(errno));
    if (strlen(except) >= sizeof state->except) {
        free(state);
        return modcat_fail(opening, "upper-except: at most %zu letters", sizeof state->except - 1);
    }
    memcpy(state->except, except, strlen(except));
    state->lower = lower;
    endpoint->ops = &ops;
    endpoint->state = state;
    return 0;
}
