/* OPEN, CREATE, GOPEN: entries of the file system. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <modcat/net.h>
#include <sys/stat.h>

static int open_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint);
static int create_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint);
static int gopen_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint);

static const struct modcat_address_type types[] = {
    {
        .name = "OPEN",
        .aliases = "FILE",
        .syntax = ":<filename>",
        .groups = "FD,FIFO,CHR,BLK,REG,NAMED,OPEN,TERMIOS",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "open a file with nothing but what the options say",
        .example = "modcat -u OPEN:README.md STDOUT",
        .min_params = 1,
        .max_params = 1,
        .open = open_open,
    },
    {
        .name = "CREATE",
        .aliases = "CREAT",
        .syntax = ":<filename>",
        .groups = "FD,REG,NAMED",
        .directions = MODCAT_DIR_WRITE,
        .help = "make a file, or empty it, and write to it",
        .example = "modcat -u STDIN CREATE:copy",
        .min_params = 1,
        .max_params = 1,
        .open = create_open,
    },
    {
        .name = "GOPEN",
        .syntax = ":<filename>",
        .groups = "FD,FIFO,CHR,BLK,REG,SOCKET,NAMED,OPEN,TERMIOS,UNIX",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "open what is there: append to a file, connect to a socket, else make a file",
        .example = "modcat -u STDIN GOPEN:log",
        .min_params = 1,
        .max_params = 1,
        .open = gopen_open,
    },
};

MODCAT_DRIVER(.name = "file", .version = MODCAT_DRIVER_VERSION,
              .summary = "files and other entries of the file system", MODCAT_TYPES(types));

static int open_with(struct modcat_opening *opening, struct modcat_endpoint *endpoint, int flags)
{
    const char *path = modcat_param(opening, 0);
    unsigned directions = modcat_directions(opening);
    modcat_unlink_at_close(opening, path, false);
    int fd = modcat_open_path(opening, path, flags);
    if (fd < 0)
        return -1;
    endpoint->read_fd = (directions & MODCAT_DIR_READ) != 0 ? fd : -1;
    endpoint->write_fd = (directions & MODCAT_DIR_WRITE) != 0 ? fd : -1;
    return 0;
}

static int open_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    return open_with(opening, endpoint, 0);
}

static int create_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    return open_with(opening, endpoint, O_CREAT | O_TRUNC);
}

static int connect_path(struct modcat_opening *opening, const char *path,
                        struct modcat_endpoint *endpoint)
{
    modcat_log(MODCAT_INFO, "\"%s\" is a socket, connecting to it", path);
    if (modcat_unix_client(opening, path, false, endpoint) < 0)
        return -1;
    modcat_log(MODCAT_NOTICE, "successfully connected via <anon>");
    return 0;
}

/* Who follows a file as it grows may come before the one that writes it. */
static int gopen_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    const char *path = modcat_param(opening, 0);
    bool writes = (modcat_directions(opening) & MODCAT_DIR_WRITE) != 0;
    struct stat status;
    bool follows = modcat_option_bool(opening, "ignoreeof", false);
    if (stat(path, &status) < 0)
        return open_with(opening, endpoint, writes || follows ? O_CREAT : 0);
    if (S_ISSOCK(status.st_mode))
        return connect_path(opening, path, endpoint);
    modcat_log(MODCAT_INFO, "\"%s\" is not a socket, open()'ing it", path);
    return open_with(opening, endpoint, writes ? O_APPEND : 0);
}
