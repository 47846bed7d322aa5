/* FD, ACCEPT-FD: descriptors that the program inherited under a number. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <modcat/net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int fd_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint);
static int accept_fd_listen(struct modcat_opening *opening, struct modcat_listener *listener);

static const struct modcat_address_type types[] = {
    {
        .name = "FD",
        .syntax = ":<fdnum>",
        .groups = "FD,FIFO,CHR,BLK,REG,SOCKET,TERMIOS,UNIX,IP4,IP6,IPAPP,UDP,TCP,SCTP,DCCP,UDPLITE",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "use a descriptor that the program inherited",
        .example = "modcat -u FD:3 STDOUT 3<README.md",
        .min_params = 1,
        .max_params = 1,
        .open = fd_open,
    },
    {
        .name = "ACCEPT-FD",
        .aliases = "ACCEPT",
        .syntax = ":<fdnum>",
        .groups = "FD,SOCKET,CHILD,RETRY,RANGE,UNIX,IP4,IP6,IPAPP,UDP,TCP,SCTP,DCCP,UDPLITE",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "accept connections on a listening socket that the program inherited",
        .example = "systemd-socket-activate -l 8004 modcat ACCEPT-FD:3,fork PIPE",
        .min_params = 1,
        .max_params = 1,
        .listen = accept_fd_listen,
    },
};

MODCAT_DRIVER(.name = "fd", .version = MODCAT_DRIVER_VERSION, .summary = "inherited descriptors",
              MODCAT_TYPES(types));

/* The descriptor that the parameter names, close-on-exec from now on; -1 after reporting. */
static int take_descriptor(struct modcat_opening *opening)
{
    const char *text = modcat_param(opening, 0);
    char *end;
    errno = 0;
    unsigned long fd = strtoul(text, &end, 0);
    if (end == text || *end != '\0' || errno != 0 || fd > INT_MAX || strchr(text, '-') != NULL)
        return modcat_fail(opening, "\"%s\" is not a file descriptor: use a number, as in FD:3",
                           text);
    if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
        return modcat_fail_call(opening, "use file descriptor", text,
                                errno == EBADF ? "Bad file descriptor (it is not open)" : NULL,
                                "fcntl(%lu, F_SETFD, FD_CLOEXEC)", fd);
    return (int)fd;
}

static int fd_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    unsigned directions = modcat_directions(opening);
    int fd = take_descriptor(opening);
    if (fd < 0)
        return -1;
    modcat_log(MODCAT_NOTICE, "using file descriptor %d for %s", fd,
               modcat_directions_name(opening));
    endpoint->read_fd = (directions & MODCAT_DIR_READ) != 0 ? fd : -1;
    endpoint->write_fd = (directions & MODCAT_DIR_WRITE) != 0 ? fd : -1;
    endpoint->flags = MODCAT_END_INHERITED;
    return 0;
}

static int accept_fd_listen(struct modcat_opening *opening, struct modcat_listener *listener)
{
    int fd = take_descriptor(opening);
    if (fd < 0)
        return -1;
    modcat_log(MODCAT_NOTICE, "using file descriptor %d accepting a connection for %s", fd,
               modcat_directions_name(opening));
    return modcat_listen_fd(opening, fd, listener);
}
