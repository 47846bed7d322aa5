#define _GNU_SOURCE
#include "core/command/descriptor.h"
#include "core/command/descriptor_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <modcat/driver.h>
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

static const struct ready {
    short event;
    const char *name;
} readiness[] = {
    {POLLIN, "IN"},   {POLLPRI, "PRI"},   {POLLOUT, "OUT"},     {POLLERR, "ERR"},
    {POLLHUP, "HUP"}, {POLLNVAL, "NVAL"}, {POLLRDHUP, "RDHUP"},
};

const char *descriptor_kind(mode_t mode)
{
    for (size_t i = 0; i < MODCAT_COUNT(kinds); i++)
        if ((mode & S_IFMT) == kinds[i].mode)
            return kinds[i].name;
    return "undef";
}

void descriptor_print_header(FILE *out, unsigned form)
{
    fputs((form & DESCRIPTOR_RAW) != 0 ? COLUMNS "\tatime\t\tmtime\t\tctime\t\t" FLAG_COLUMNS
                                       : COLUMNS
              "\tatime\t\t\t\tmtime\t\t\t\tctime\t\t\t\t" FLAG_COLUMNS,
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

static void put_device(FILE *out, dev_t device)
{
    fprintf(out, "\t%u,%u", major(device), minor(device));
}

static void put_status(FILE *out, int fd, const struct stat *status, unsigned form)
{
    bool raw = (form & DESCRIPTOR_RAW) != 0;
    fprintf(out, "%4d: %s", fd, descriptor_kind(status->st_mode));
    if (raw)
        fprintf(out, "\t%llu", (unsigned long long)status->st_dev);
    else
        put_device(out, status->st_dev);
    fprintf(out, "\t%llu\t0%o\t%llu\t%u\t%u", (unsigned long long)status->st_ino,
            (unsigned)status->st_mode, (unsigned long long)status->st_nlink, status->st_uid,
            status->st_gid);
    put_device(out, status->st_rdev);
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

/* How much of a byte a read would give now, which is left where it is. */
static void put_message(FILE *out, int fd)
{
    char byte;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t got = recvmsg(fd, &message, MSG_PEEK | MSG_DONTWAIT);
    if (got >= 0)
        fprintf(out, "; recvmsg=%zd", got);
}

/* What can be read is shown where poll(2) says that something can. */
static void put_readiness(FILE *out, int fd, bool peek)
{
    struct pollfd state = {.fd = fd, .events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP};
    int waiting;
    fputs("\tpoll: ", out);
    (void)poll(&state, 1, 0);
    for (size_t i = 0; i < MODCAT_COUNT(readiness); i++)
        if ((state.revents & readiness[i].event) != 0)
            fprintf(out, "%s,", readiness[i].name);
    if ((state.revents & POLLIN) == 0)
        return;
    if (ioctl(fd, FIONREAD, &waiting) == 0)
        fprintf(out, "; FIONREAD=%d", waiting);
    if (peek)
        put_message(out, fd);
}

void descriptor_print_row(FILE *out, int fd, unsigned form)
{
    bool own = (form & DESCRIPTOR_OWN) != 0;
    struct stat status;
    if (fstat(fd, &status) < 0) {
        fprintf(out, "%4d: %s\n", fd, strerror(errno));
        return;
    }
    put_status(out, fd, &status, form);
    put_flags(out, fd);
    if (S_ISFIFO(status.st_mode))
        fprintf(out, "\tF_GETPIPE_SZ=%d", fcntl(fd, F_GETPIPE_SZ));
    if (S_ISSOCK(status.st_mode))
        descriptor_print_socket(out, fd, own);
    if (S_ISCHR(status.st_mode))
        put_terminal(out, fd);
    put_readiness(out, fd, S_ISSOCK(status.st_mode) && !own);
    putc('\n', out);
}

static void put_target(FILE *out, int fd)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(fd, "", target, sizeof target);
    if (length >= 0)
        fprintf(out, "LINKTARGET=%.*s", (int)length, target);
}

/* Links and sockets have no descriptor that a program could open. */
int descriptor_print_entry(FILE *out, const char *path, bool follow, unsigned form)
{
    struct stat status;
    int fd = open(path, O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) < 0) {
        close(fd);
        return -1;
    }
    bool opens = !S_ISLNK(status.st_mode) && !S_ISSOCK(status.st_mode);
    put_status(out, opens ? fd : -1, &status, form);
    fputs("\t\t\t\t", out);
    if (S_ISLNK(status.st_mode))
        put_target(out, fd);
    putc('\n', out);
    close(fd);
    return 0;
}
