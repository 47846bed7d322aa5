/* A driver for the services of options and parameters: WORDY:<count> gives a line for each thing
 * that it was told. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <modcat/driver.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static modcat_open_fn wordy_open;

static const struct modcat_option options[] = {
    {.name = "mood", .help = "how it speaks", .type = MODCAT_CHOICE, .words = "calm,loud,sad"},
    {.name = "room", .help = "how much it holds", .type = MODCAT_SIZE},
    {.name = "word", .help = "said, one after the other", .type = MODCAT_STRING},
    {.name = "pair", .help = "two that belong together", .type = MODCAT_STRING},
    {.name = "password", .help = "is not shown", .type = MODCAT_STRING, .secret = true},
};

static const struct modcat_option_group groups[] = {
    {.name = "WORDY", .help = "what it says", MODCAT_OPTIONS(options)},
};

static const struct modcat_address_type types[] = {{
    .name = "WORDY",
    .syntax = ":<count>[:<mood>]",
    .groups = "FD,WORDY",
    .directions = MODCAT_DIR_READ,
    .help = "say what it was told",
    .example = "modcat -u WORDY:1 -",
    .min_params = 1,
    .max_params = 2,
    .open = wordy_open,
}};

MODCAT_DRIVER(.name = "wordy", .version = "1.0", .summary = "options and parameters",
              MODCAT_TYPES(types), MODCAT_GROUPS(groups));

static int say(struct modcat_opening *opening, int fd)
{
    struct modcat_value count = {.size = sizeof count}, mood = {.size = sizeof mood};
    const struct modcat_value *value = NULL;
    if (modcat_param_value(opening, 0, MODCAT_BYTE, NULL, &count) < 0)
        return -1;
    if (modcat_param(opening, 1) != NULL &&
        modcat_param_value(opening, 1, MODCAT_CHOICE, "first,second", &mood) < 0)
        return -1;
    if (count.number == 0)
        return modcat_fail_param(opening, 0, "there is nothing to say");
    dprintf(fd, "count %lld\n", count.number);
    if (mood.string != NULL)
        dprintf(fd, "parameter %s %lld\n", mood.string, mood.number);
    value = modcat_option_value(opening, "mood");
    if (value != NULL)
        dprintf(fd, "mood %s %lld\n", value->string, value->number);
    dprintf(fd, "room %lld\n", modcat_option_number(opening, "room", -1));
    for (value = NULL; (value = modcat_option_next(opening, "word", value)) != NULL;)
        dprintf(fd, "word %s\n", value->string);
    modcat_ignore_option(opening, "password");
    if (strchr(modcat_option_string(opening, "pair", "a+b"), '+') == NULL)
        return modcat_fail_option(opening, "pair", "it needs a plus");
    return 0;
}

static int wordy_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return modcat_fail(opening, "pipe2(): %s", strerror(errno));
    int result = say(opening, ends[1]);
    close(ends[1]);
    if (result < 0)
        close(ends[0]);
    else
        endpoint->read_fd = ends[0];
    return result;
}
