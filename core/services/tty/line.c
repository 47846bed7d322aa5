/* Terminal lines that are told what the other end of the session knows: a window's size, the speed
 * and format of the line, breaks, modem lines. ioctl_tty(2). The kernel's own settings take any
 * speed; the C library's have a list of them. */

#define _GNU_SOURCE
#include "core/services/tty/terminals.h"

#include "core/base/memory.h"
#include "core/loop/pool.h"
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <modcat/driver.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* In milliseconds; TCSBRKP counts tenths of a second. */
#define BREAK_USUAL 250
#define BREAK_UNIT 100

static int set_window(int fd, const struct modcat_news *news)
{
    const struct winsize size = {.ws_row = (unsigned short)news->rows,
                                 .ws_col = (unsigned short)news->columns};
    return ioctl(fd, TIOCSWINSZ, &size);
}

/* Programs that know the usual speeds only read those by their codes. */
static unsigned speed_code(unsigned long speed)
{
    static const struct {
        unsigned long speed;
        unsigned code;
    } codes[] = {{50, B50},           {75, B75},           {110, B110},         {134, B134},
                 {150, B150},         {200, B200},         {300, B300},         {600, B600},
                 {1200, B1200},       {1800, B1800},       {2400, B2400},       {4800, B4800},
                 {9600, B9600},       {19200, B19200},     {38400, B38400},     {57600, B57600},
                 {115200, B115200},   {230400, B230400},   {460800, B460800},   {500000, B500000},
                 {576000, B576000},   {921600, B921600},   {1000000, B1000000}, {1152000, B1152000},
                 {1500000, B1500000}, {2000000, B2000000}, {2500000, B2500000}, {3000000, B3000000},
                 {3500000, B3500000}, {4000000, B4000000}};
    for (size_t i = 0; i < MODCAT_COUNT(codes); i++)
        if (codes[i].speed == speed)
            return codes[i].code;
    return BOTHER;
}

static unsigned data_bits(unsigned bits)
{
    static const unsigned sizes[] = {CS5, CS6, CS7, CS8};
    return bits >= 5 && bits <= 8 ? sizes[bits - 5] : CS8;
}

static unsigned parity(char kind)
{
    switch (kind) {
    case 'e':
        return PARENB;
    case 'o':
        return PARENB | PARODD;
    case 'm':
        return PARENB | PARODD | CMSPAR;
    case 's':
        return PARENB | CMSPAR;
    default:
        return 0;
    }
}

/* A speed or a number of bits that is not told stays. */
static int set_line(int fd, const struct modcat_news *news)
{
    struct termios2 settings;
    if (ioctl(fd, TCGETS2, &settings) < 0)
        return -1;
    if (news->speed > 0) {
        settings.c_cflag =
            (settings.c_cflag & ~(unsigned)(CBAUD | CIBAUD)) | speed_code(news->speed);
        settings.c_ispeed = settings.c_ospeed = (speed_t)news->speed;
    }
    if (news->data_bits > 0) {
        const unsigned format = CSIZE | CSTOPB | PARENB | PARODD | CMSPAR | CRTSCTS;
        settings.c_cflag = (settings.c_cflag & ~format) | data_bits(news->data_bits) |
                           parity(news->parity) | (news->stop_bits > 1 ? CSTOPB : 0) |
                           (news->rtscts ? CRTSCTS : 0);
        settings.c_iflag &= ~(unsigned)(IXON | IXOFF);
        settings.c_iflag |= news->xonxoff ? IXON | IXOFF : 0;
    }
    return ioctl(fd, TCSETS2, &settings);
}

struct line_break {
    int fd;
    unsigned units;
};

static void send_break(void *argument)
{
    struct line_break *line_break = argument;
    ioctl(line_break->fd, TCSBRKP, line_break->units);
    close(line_break->fd);
}

/* It takes its time, and nobody waits for it. */
static int start_break(int fd, const struct modcat_news *news)
{
    unsigned milliseconds = news->milliseconds > 0 ? news->milliseconds : BREAK_USUAL;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return -1;
    struct line_break *line_break = memory_alloc(sizeof *line_break);
    *line_break =
        (struct line_break){.fd = copy, .units = (milliseconds + BREAK_UNIT - 1) / BREAK_UNIT};
    struct pool_job *job = pool_start(send_break, line_break);
    if (job != NULL) {
        pool_abandon(job, NULL);
        return 0;
    }
    send_break(line_break);
    free(line_break);
    return 0;
}

static int set_modem(int fd, const struct modcat_news *news)
{
    int on = (int)(news->modem_mask & news->modem_set);
    int off = (int)(news->modem_mask & ~news->modem_set);
    return (on == 0 || ioctl(fd, TIOCMBIS, &on) == 0) &&
                   (off == 0 || ioctl(fd, TIOCMBIC, &off) == 0)
               ? 0
               : -1;
}

int terminals_hear(struct session *session, const struct modcat_endpoint *endpoint,
                   const struct modcat_news *news)
{
    static int (*const by_kind[])(int fd, const struct modcat_news *news) = {
        [MODCAT_NEWS_WINDOW] = set_window,
        [MODCAT_NEWS_BREAK] = start_break,
        [MODCAT_NEWS_LINE] = set_line,
        [MODCAT_NEWS_MODEM] = set_modem,
    };
    int fd = endpoint->write_fd >= 0 ? endpoint->write_fd : endpoint->read_fd;
    if (!isatty(fd) || news->kind <= 0 || news->kind >= MODCAT_COUNT(by_kind)) {
        errno = ENOTSUP;
        return -1;
    }
    if (news->kind == MODCAT_NEWS_LINE)
        terminals_keep(session, fd);
    return by_kind[news->kind](fd, news);
}
