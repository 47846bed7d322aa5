/* STDIO, STDIN, STDOUT, STDERR: the descriptors that the program was started with. */

#include <modcat/driver.h>
#include <unistd.h>

/* Whatever stands behind these descriptors, its options are understood. */
#define GROUPS "FD,FIFO,CHR,BLK,REG,SOCKET,TERMIOS,UNIX,IP4,IP6,IPAPP,UDP,TCP,SCTP,DCCP,UDPLITE"

static int stdio_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint);

/* Which descriptor serves a direction. */
struct standard {
    int read_fd;
    int write_fd;
    const char *name;
};

static const struct standard both = {STDIN_FILENO, STDOUT_FILENO, "stdio"};
static const struct standard input = {STDIN_FILENO, -1, "stdin"};
static const struct standard output = {-1, STDOUT_FILENO, "stdout"};
static const struct standard error = {-1, STDERR_FILENO, "stderr"};

static const struct modcat_address_type types[] = {
    {
        .name = "STDIO",
        .aliases = "-",
        .groups = GROUPS,
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "read from standard input, write to standard output",
        .example = "modcat - TCP:localhost:80",
        .data = &both,
        .open = stdio_open,
    },
    {
        .name = "STDIN",
        .groups = GROUPS,
        .directions = MODCAT_DIR_READ,
        .help = "read from standard input",
        .example = "modcat -u STDIN CREATE:copy",
        .data = &input,
        .open = stdio_open,
    },
    {
        .name = "STDOUT",
        .groups = GROUPS,
        .directions = MODCAT_DIR_WRITE,
        .help = "write to standard output",
        .example = "modcat -u OPEN:README.md STDOUT",
        .data = &output,
        .open = stdio_open,
    },
    {
        .name = "STDERR",
        .groups = GROUPS,
        .directions = MODCAT_DIR_WRITE,
        .help = "write to standard error",
        .example = "modcat -u OPEN:README.md STDERR",
        .data = &error,
        .open = stdio_open,
    },
};

MODCAT_DRIVER(.name = "stdio", .version = MODCAT_DRIVER_VERSION,
              .summary = "the standard descriptors", MODCAT_TYPES(types));

static const char *name_of(const struct standard *standard, unsigned directions)
{
    if (standard != &both)
        return standard->name;
    return directions == MODCAT_DIR_READ ? "stdin" : "stdout";
}

static int stdio_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    const struct standard *standard = modcat_type_data(opening);
    unsigned directions = modcat_directions(opening);
    if (directions == (MODCAT_DIR_READ | MODCAT_DIR_WRITE))
        modcat_log(MODCAT_NOTICE, "reading from and writing to stdio");
    else
        modcat_log(MODCAT_NOTICE, "using %s for %s", name_of(standard, directions),
                   modcat_directions_name(opening));
    endpoint->read_fd = (directions & MODCAT_DIR_READ) != 0 ? standard->read_fd : -1;
    endpoint->write_fd = (directions & MODCAT_DIR_WRITE) != 0 ? standard->write_fd : -1;
    endpoint->flags = MODCAT_END_INHERITED;
    return 0;
}
