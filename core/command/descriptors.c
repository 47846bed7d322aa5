#define _GNU_SOURCE
#include "core/command/descriptors.h"

#include "core/relay/screen.h"
#include "core/session/side.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <modcat/net.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static const char header[] = "  FD  type\tdevice\tinode\tmode\tlinks\tuid\tgid\trdev\tsize\tblksize"
                             "\tblocks\tatime\t\t\t\tmtime\t\t\t\tctime\t\t\t\tcloexec\tflags\t"
                             "sigown\tsigio\n";

static const struct kind {
    mode_t mode;
    const char *name;
} kinds[] = {
    {S_IFREG, "file"}, {S_IFDIR, "dir"},     {S_IFCHR, "chrdev"},  {S_IFBLK, "blkdev"},
    {S_IFIFO, "pipe"}, {S_IFLNK, "symlink"}, {S_IFSOCK, "socket"},
};

/* Options of a socket with a number for a value. `family` and `protocol` 0: of any. */
static const struct socket_number {
    const char *name;
    int family;
    int protocol;
    int level;
    int option;
} socket_numbers[] = {
    {"DEBUG", 0, 0, SOL_SOCKET, SO_DEBUG},
    {"REUSEADDR", 0, 0, SOL_SOCKET, SO_REUSEADDR},
    {"PROTOCOL", 0, 0, SOL_SOCKET, SO_PROTOCOL},
    {"TYPE", 0, 0, SOL_SOCKET, SO_TYPE},
    {"DONTROUTE", 0, 0, SOL_SOCKET, SO_DONTROUTE},
    {"BROADCAST", 0, 0, SOL_SOCKET, SO_BROADCAST},
    {"SNDBUF", 0, 0, SOL_SOCKET, SO_SNDBUF},
    {"RCVBUF", 0, 0, SOL_SOCKET, SO_RCVBUF},
    {"KEEPALIVE", 0, 0, SOL_SOCKET, SO_KEEPALIVE},
    {"OOBINLINE", 0, 0, SOL_SOCKET, SO_OOBINLINE},
    {"PRIORITY", 0, 0, SOL_SOCKET, SO_PRIORITY},
    {"REUSEPORT", 0, 0, SOL_SOCKET, SO_REUSEPORT},
    {"RCVLOWAT", 0, 0, SOL_SOCKET, SO_RCVLOWAT},
    {"SNDLOWAT", 0, 0, SOL_SOCKET, SO_SNDLOWAT},
    {"IP_TOS", AF_INET, 0, IPPROTO_IP, IP_TOS},
    {"IP_TTL", AF_INET, 0, IPPROTO_IP, IP_TTL},
    {"IP_PKTINFO", AF_INET, 0, IPPROTO_IP, IP_PKTINFO},
    {"IP_MTU_DISCOVER", AF_INET, 0, IPPROTO_IP, IP_MTU_DISCOVER},
    {"IP_MTU", AF_INET, 0, IPPROTO_IP, IP_MTU},
    {"IP_TRANSPARENT", AF_INET, 0, IPPROTO_IP, IP_TRANSPARENT},
    {"IP_FREEBIND", AF_INET, 0, IPPROTO_IP, IP_FREEBIND},
    {"IP_MULTICAST_TTL", AF_INET, 0, IPPROTO_IP, IP_MULTICAST_TTL},
    {"IP_MULTICAST_LOOP", AF_INET, 0, IPPROTO_IP, IP_MULTICAST_LOOP},
    {"IPV6_V6ONLY", AF_INET6, 0, IPPROTO_IPV6, IPV6_V6ONLY},
    {"IPV6_UNICAST_HOPS", AF_INET6, 0, IPPROTO_IPV6, IPV6_UNICAST_HOPS},
    {"IPV6_TCLASS", AF_INET6, 0, IPPROTO_IPV6, IPV6_TCLASS},
    {"IPV6_MTU", AF_INET6, 0, IPPROTO_IPV6, IPV6_MTU},
    {"TCP_NODELAY", 0, IPPROTO_TCP, IPPROTO_TCP, TCP_NODELAY},
    {"TCP_MAXSEG", 0, IPPROTO_TCP, IPPROTO_TCP, TCP_MAXSEG},
    {"TCP_CORK", 0, IPPROTO_TCP, IPPROTO_TCP, TCP_CORK},
    {"TCP_KEEPIDLE", 0, IPPROTO_TCP, IPPROTO_TCP, TCP_KEEPIDLE},
    {"TCP_KEEPINTVL", 0, IPPROTO_TCP, IPPROTO_TCP, TCP_KEEPINTVL},
    {"TCP_KEEPCNT", 0, IPPROTO_TCP, IPPROTO_TCP, TCP_KEEPCNT},
    {"TCP_SYNCNT", 0, IPPROTO_TCP, IPPROTO_TCP, TCP_SYNCNT},
    {"TCP_LINGER2", 0, IPPROTO_TCP, IPPROTO_TCP, TCP_LINGER2},
    {"TCP_WINDOW_CLAMP", 0, IPPROTO_TCP, IPPROTO_TCP, TCP_WINDOW_CLAMP},
    {"TCP_QUICKACK", 0, IPPROTO_TCP, IPPROTO_TCP, TCP_QUICKACK},
};

static const struct ready {
    short event;
    const char *name;
} readiness[] = {
    {POLLIN, "IN"},   {POLLPRI, "PRI"}, {POLLOUT, "OUT"},
    {POLLERR, "ERR"}, {POLLHUP, "HUP"}, {POLLRDHUP, "RDHUP"},
};

static const char *kind_name(mode_t mode)
{
    for (size_t i = 0; i < MODCAT_COUNT(kinds); i++)
        if ((mode & S_IFMT) == kinds[i].mode)
            return kinds[i].name;
    return "undef";
}

/* As ctime(3), in the local zone and without its end of line. */
static void put_time(FILE *out, time_t time)
{
    char text[64] = "";
    struct tm parts;
    if (localtime_r(&time, &parts) != NULL)
        (void)strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &parts);
    fprintf(out, "\t%s", text);
}

static void put_status(FILE *out, int fd, const struct stat *status)
{
    fprintf(out, "%4d: %s\t%u,%u\t%llu\t0%o\t%llu\t%u\t%u\t%u,%u\t%lld\t%ld\t%lld", fd,
            kind_name(status->st_mode), major(status->st_dev), minor(status->st_dev),
            (unsigned long long)status->st_ino, (unsigned)status->st_mode,
            (unsigned long long)status->st_nlink, status->st_uid, status->st_gid,
            major(status->st_rdev), minor(status->st_rdev), (long long)status->st_size,
            (long)status->st_blksize, (long long)status->st_blocks);
    put_time(out, status->st_atime);
    put_time(out, status->st_mtime);
    put_time(out, status->st_ctime);
}

static void put_flags(FILE *out, int fd)
{
    fprintf(out, "\t%d\tx%06x\t%d\t%d", fcntl(fd, F_GETFD) & FD_CLOEXEC,
            (unsigned)fcntl(fd, F_GETFL), fcntl(fd, F_GETOWN), fcntl(fd, F_GETSIG));
}

static int socket_value(int fd, int level, int option)
{
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(fd, level, option, &value, &length) == 0 ? value : -1;
}

static void put_socket_numbers(FILE *out, int fd)
{
    int family = socket_value(fd, SOL_SOCKET, SO_DOMAIN);
    int protocol = socket_value(fd, SOL_SOCKET, SO_PROTOCOL);
    for (size_t i = 0; i < MODCAT_COUNT(socket_numbers); i++) {
        const struct socket_number *entry = &socket_numbers[i];
        int value = 0;
        socklen_t length = sizeof value;
        if ((entry->family == 0 || entry->family == family) &&
            (entry->protocol == 0 || entry->protocol == protocol) &&
            getsockopt(fd, entry->level, entry->option, &value, &length) == 0)
            fprintf(out, "\t%s=%d", entry->name, value);
    }
}

static void put_linger(FILE *out, int fd)
{
    struct linger linger = {0};
    socklen_t length = sizeof linger;
    if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length) == 0)
        fprintf(out, "\tLINGER={%d,%d}", linger.l_onoff, linger.l_linger);
}

static void put_sockaddr(FILE *out, const char *between,
                         int (*name)(int fd, struct sockaddr *address, socklen_t *length), int fd)
{
    char text[MODCAT_SOCKADDR_TEXT];
    struct modcat_sockaddr address = {.length = sizeof address.u};
    if (name(fd, &address.u.any, &address.length) == 0)
        fprintf(out, "%s%s", between, modcat_sockaddr_text(&address.u.any, address.length, text));
}

static int local_name(int fd, struct sockaddr *address, socklen_t *length)
{
    return getsockname(fd, address, length);
}

static int peer_name(int fd, struct sockaddr *address, socklen_t *length)
{
    return getpeername(fd, address, length);
}

static void put_socket(FILE *out, int fd)
{
    put_sockaddr(out, "\t", local_name, fd);
    put_sockaddr(out, " <-> ", peer_name, fd);
    put_socket_numbers(out, fd);
    put_linger(out, fd);
}

static void put_terminal(FILE *out, int fd)
{
    struct termios settings;
    struct winsize size;
    if (tcgetattr(fd, &settings) < 0)
        return;
    fprintf(out, "\tIFLAGS=%08x\tOFLAGS=%08x\tCFLAGS=%08x\tLFLAGS=%08x", settings.c_iflag,
            settings.c_oflag, settings.c_cflag, settings.c_lflag);
    if (ioctl(fd, TIOCGWINSZ, &size) == 0)
        fprintf(out, "\tROWS=%d\tCOLS=%d", size.ws_row, size.ws_col);
}

static void put_readiness(FILE *out, int fd)
{
    struct pollfd state = {.fd = fd, .events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP};
    int waiting;
    fputs("\tpoll: ", out);
    (void)poll(&state, 1, 0);
    for (size_t i = 0; i < MODCAT_COUNT(readiness); i++)
        if ((state.revents & readiness[i].event) != 0)
            fprintf(out, "%s,", readiness[i].name);
    if (ioctl(fd, FIONREAD, &waiting) == 0)
        fprintf(out, "; FIONREAD=%d", waiting);
}

void descriptors_print_row(FILE *out, int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0) {
        fprintf(out, "%4d: %s\n", fd, strerror(errno));
        return;
    }
    put_status(out, fd, &status);
    put_flags(out, fd);
    if (S_ISFIFO(status.st_mode))
        fprintf(out, "\tF_GETPIPE_SZ=%d", fcntl(fd, F_GETPIPE_SZ));
    if (S_ISSOCK(status.st_mode))
        put_socket(out, fd);
    if (S_ISCHR(status.st_mode))
        put_terminal(out, fd);
    put_readiness(out, fd);
    putc('\n', out);
}

static void put_side(FILE *out, struct side *side)
{
    const struct opened *reader = side_reader(side), *writer = side_writer(side);
    int read_fd = reader != NULL ? reader->endpoint->read_fd : -1;
    int write_fd = writer != NULL ? writer->endpoint->write_fd : -1;
    if (read_fd >= 0)
        descriptors_print_row(out, read_fd);
    if (write_fd >= 0 && write_fd != read_fd)
        descriptors_print_row(out, write_fd);
}

/* The table is printed as a whole, so that those of several processes do not mix. */
void descriptors_print(struct session *session)
{
    char *table = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&table, &size);
    if (out == NULL)
        return;
    fputs(header, out);
    put_side(out, &session->sides[0]);
    put_side(out, &session->sides[1]);
    if (fclose(out) == 0) {
        struct screen screen;
        screen_open(&screen, session);
        (void)screen_write(&screen, table, size);
        screen_close(&screen);
    }
    free(table);
}
