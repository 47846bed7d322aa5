/* A broken driver: it shows more than one symbol, explains nothing, and names a group that nobody
 * has. */

#include <modcat/driver.h>

MODCAT_EXPORT int talkative_counter;
static int talkative_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint);

static const struct modcat_option options[] = {
    {.name = "Size", .type = MODCAT_INT, .phase = MODCAT_PHASE_SPEC},
};

static const struct modcat_option_group groups[] = {
    {.name = "TALK", .help = "talking", MODCAT_OPTIONS(options)},
};

static const struct modcat_address_type types[] = {
    {
        .name = "TALK",
        .groups = "FD,TALK,NOBODYS",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .max_params = 1,
        .open = talkative_open,
    },
};

MODCAT_DRIVER(.name = "talkative", .version = "1.0", .summary = "talks too much",
              MODCAT_TYPES(types), MODCAT_GROUPS(groups));

static int talkative_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    (void)endpoint;
    return modcat_fail(opening, "nothing to say");
}
