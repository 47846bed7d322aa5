#define _GNU_SOURCE
#include "core/command/descriptor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <modcat/net.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define COLUMNS "  FD  type\tdevice\tinode\tmode\tlinks\tuid\tgid\trdev\tsize\tblksize\tblocks"
#define FLAG_COLUMNS "cloexec\tflags\tsigown\tsigio\n"

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
    {"NO_CHECK", 0, 0, SOL_SOCKET, SO_NO_CHECK},
    {"PRIORITY", 0, 0, SOL_SOCKET, SO_PRIORITY},
    {"BSDCOMPAT", 0, 0, SOL_SOCKET, SO_BSDCOMPAT},
    {"PASSCRED", 0, 0, SOL_SOCKET, SO_PASSCRED},
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

const char *descriptor_kind(mode_t mode)
{
    for (size_t i = 0; i < MODCAT_COUNT(kinds); i++)
        if ((mode & S_IFMT) == kinds[i].mode)
            return kinds[i].name;
    return "undef";
}

void descriptor_print_header(FILE *out, bool raw)
{
    fputs(raw ? COLUMNS "\tatime\t\tmtime\t\tctime\t\t" FLAG_COLUMNS
              : COLUMNS "\tatime\t\t\t\tmtime\t\t\t\tctime\t\t\t\t" FLAG_COLUMNS,
          out);
}

/* As ctime(3), in the local zone and without its end of line. */
static void put_time(FILE *out, time_t time, bool raw)
{
    char text[64] = "";
    if (raw) {
        fprintf(out, "\t%lld", (long long)time);
        return;
    }
    struct tm parts;
    if (localtime_r(&time, &parts) != NULL)
        (void)strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &parts);
    fprintf(out, "\t%s", text);
}

static void put_device(FILE *out, dev_t device, bool raw)
{
    if (raw)
        fprintf(out, "\t%llu", (unsigned long long)device);
    else
        fprintf(out, "\t%u,%u", major(device), minor(device));
}

static void put_status(FILE *out, int fd, const struct stat *status, bool raw)
{
    fprintf(out, "%4d: %s", fd, descriptor_kind(status->st_mode));
    put_device(out, status->st_dev, raw);
    fprintf(out, "\t%llu\t0%o\t%llu\t%u\t%u", (unsigned long long)status->st_ino,
            (unsigned)status->st_mode, (unsigned long long)status->st_nlink, status->st_uid,
            status->st_gid);
    put_device(out, status->st_rdev, raw);
    fprintf(out, "\t%lld\t%ld\t%lld", (long long)status->st_size, (long)status->st_blksize,
            (long long)status->st_blocks);
    put_time(out, status->st_atime, raw);
    put_time(out, status->st_mtime, raw);
    put_time(out, status->st_ctime, raw);
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

/* "^C" for a control character, "x7F" for other bytes that can't be shown. */
static void put_character(FILE *out, size_t index, unsigned char character)
{
    if (character < ' ')
        fprintf(out, " cc[%zu]=^%c", index, character + '@');
    else if (character < 127)
        fprintf(out, " cc[%zu]=%c", index, character);
    else
        fprintf(out, " cc[%zu]=x%02X", index, character);
}

static void put_terminal(FILE *out, int fd)
{
    char name[64];
    struct termios settings;
    struct winsize size;
    if (tcgetattr(fd, &settings) < 0)
        return;
    fprintf(out, "\t%s \tIFLAGS=%08x OFLAGS=%08x CFLAGS=%08x LFLAGS=%08x",
            ttyname_r(fd, name, sizeof name) == 0 ? name : "", settings.c_iflag, settings.c_oflag,
            settings.c_cflag, settings.c_lflag);
    for (size_t i = 0; i < NCCS; i++)
        put_character(out, i, settings.c_cc[i]);
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

void descriptor_print_row(FILE *out, int fd, bool raw)
{
    struct stat status;
    if (fstat(fd, &status) < 0) {
        fprintf(out, "%4d: %s\n", fd, strerror(errno));
        return;
    }
    put_status(out, fd, &status, raw);
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

/* What takes an open descriptor is left empty. */
int descriptor_print_entry(FILE *out, const char *path, bool follow, bool raw)
{
    char target[PATH_MAX];
    struct stat status;
    if ((follow ? stat(path, &status) : lstat(path, &status)) < 0)
        return -1;
    put_status(out, -1, &status, raw);
    fputs("\t\t\t\t", out);
    if (S_ISLNK(status.st_mode)) {
        ssize_t length = readlink(path, target, sizeof target);
        if (length >= 0)
            fprintf(out, "LINKTARGET=%.*s", (int)length, target);
    }
    putc('\n', out);
    return 0;
}
