/* A driver that keeps all the rules: PLAIN reads nothing and swallows what is written. */

#define _GNU_SOURCE
#include <modcat/driver.h>

#ifndef NAME
#define NAME "plain"
#endif

static int plain_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint);

static const struct modcat_option options[] = {
    {.name = "plain-size", .help = "how large", .type = MODCAT_INT, .phase = MODCAT_PHASE_SPEC},
};

static const struct modcat_option_group groups[] = {
    {.name = "PLAIN", .help = "what is plain", MODCAT_OPTIONS(options)},
};

static const struct modcat_address_type types[] = {
    {
        .name = "PLAIN",
        .groups = "FD,PLAIN",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "read nothing, write to nowhere",
        .example = "modcat -u - PLAIN",
        .open = plain_open,
    },
};

MODCAT_DRIVER(.name = NAME, .version = "1.0", .summary = "nothing special", MODCAT_TYPES(types),
              MODCAT_GROUPS(groups)
#ifdef MINOR
                  ,
              .abi_minor = MINOR
#endif
#ifdef MAJOR
              ,
              .abi_major = MAJOR
#endif
);

#ifdef MISSING
int MISSING(void);
#endif

static int plain_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    int fd = modcat_open_path(opening, "/dev/null", 0);
#ifdef MISSING
    fd = MISSING();
#endif
    if (fd < 0)
        return -1;
    endpoint->read_fd = fd;
    endpoint->write_fd = fd;
    return 0;
}

#ifdef AT_START
#include <stdlib.h>
__attribute__((constructor)) static void start(void)
{
    AT_START;
}
#endif
