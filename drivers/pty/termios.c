/* What the options of terminals do to settings; the host sets them all at once. */

#define _GNU_SOURCE
#include "termios.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <modcat/tty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define SPEED(number) {number, B##number},

static const struct {
    long long baud;
    speed_t system;
} speeds[] = {TERMIOS_SPEEDS(SPEED)};

int termios_flag(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                 const struct modcat_value *value)
{
    struct termios *settings = modcat_tty_settings(opening, fd, option);
    if (settings == NULL)
        return -1;
    tcflag_t *flags = (tcflag_t *)((char *)settings + option->detail);
    tcflag_t mask = (tcflag_t)option->code;
    *flags = value->number != 0 ? *flags | mask : *flags & ~mask;
    return 0;
}

static void set_bits(tcflag_t *flags, tcflag_t mask, tcflag_t bits)
{
    *flags = (*flags & ~mask) | bits;
}

int termios_output_bits(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                        const struct modcat_value *value)
{
    (void)value;
    struct termios *settings = modcat_tty_settings(opening, fd, option);
    if (settings == NULL)
        return -1;
    set_bits(&settings->c_oflag, (tcflag_t)option->code, (tcflag_t)option->detail);
    return 0;
}

int termios_control_bits(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                         const struct modcat_value *value)
{
    (void)value;
    struct termios *settings = modcat_tty_settings(opening, fd, option);
    if (settings == NULL)
        return -1;
    set_bits(&settings->c_cflag, (tcflag_t)option->code, (tcflag_t)option->detail);
    return 0;
}

/* Returns 0 for a value that means something. */
static int refuse(struct modcat_opening *opening, const struct modcat_option *option,
                  const struct modcat_value *value, modcat_check_fn *check)
{
    const char *fault = check(value);
    if (fault == NULL)
        return 0;
    errno = EINVAL;
    return modcat_fail(opening, "option %s: invalid value %lld: %s", option->name, value->number,
                       fault);
}

const char *termios_check_delay(const struct modcat_value *value)
{
    return value->number <= 3 ? NULL : "use 0 to 3";
}

int termios_output_delay(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                         const struct modcat_value *value)
{
    struct termios *settings = modcat_tty_settings(opening, fd, option);
    if (settings == NULL || refuse(opening, option, value, termios_check_delay) < 0)
        return -1;
    set_bits(&settings->c_oflag, (tcflag_t)option->code,
             (tcflag_t)(value->number * option->detail));
    return 0;
}

const char *termios_check_char_size(const struct modcat_value *value)
{
    return value->number <= 8 && value->number != 4 ? NULL : "use 5 to 8";
}

/* Both what people say, 5 to 8, and how it was always counted, 0 to 3. */
int termios_char_size(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                      const struct modcat_value *value)
{
    static const tcflag_t sizes[] = {CS5, CS6, CS7, CS8};
    struct termios *settings = modcat_tty_settings(opening, fd, option);
    long long index = value->number >= 5 ? value->number - 5 : value->number;
    if (settings == NULL || refuse(opening, option, value, termios_check_char_size) < 0)
        return -1;
    set_bits(&settings->c_cflag, CSIZE, sizes[index]);
    return 0;
}

int termios_speed(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                  const struct modcat_value *value)
{
    (void)value;
    struct termios *settings = modcat_tty_settings(opening, fd, option);
    if (settings == NULL)
        return -1;
    return cfsetspeed(settings, (speed_t)option->code);
}

/* What people say is 9600, and the system's number for it is another one. None of these numbers is
 * a speed itself. Returns false where it is neither. */
static bool find_speed(long long number, speed_t *speed)
{
    for (size_t i = 0; i < MODCAT_COUNT(speeds); i++) {
        *speed = speeds[i].system;
        if (speeds[i].baud == number || speeds[i].system == number)
            return true;
    }
    return false;
}

const char *termios_check_speed(const struct modcat_value *value)
{
    speed_t speed;
    return find_speed(value->number, &speed) ? NULL : "use a speed such as 9600";
}

int termios_input_speed(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                        const struct modcat_value *value)
{
    struct termios *settings = modcat_tty_settings(opening, fd, option);
    speed_t speed;
    if (settings == NULL || refuse(opening, option, value, termios_check_speed) < 0)
        return -1;
    find_speed(value->number, &speed);
    return cfsetispeed(settings, speed);
}

int termios_output_speed(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                         const struct modcat_value *value)
{
    struct termios *settings = modcat_tty_settings(opening, fd, option);
    speed_t speed;
    if (settings == NULL || refuse(opening, option, value, termios_check_speed) < 0)
        return -1;
    find_speed(value->number, &speed);
    return cfsetospeed(settings, speed);
}

int termios_char(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                 const struct modcat_value *value)
{
    struct termios *settings = modcat_tty_settings(opening, fd, option);
    if (settings == NULL)
        return -1;
    settings->c_cc[option->code] = (cc_t)value->number;
    return 0;
}

static void read_each_character(struct termios *settings)
{
    settings->c_cc[VMIN] = 1;
    settings->c_cc[VTIME] = 0;
}

int termios_raw(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                const struct modcat_value *value)
{
    (void)value;
    struct termios *settings = modcat_tty_settings(opening, fd, option);
    if (settings == NULL)
        return -1;
    settings->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | IGNPAR | PARMRK | INPCK | ISTRIP | INLCR |
                                     IGNCR | ICRNL | IXON | IXOFF | IXANY | IUCLC | IMAXBEL);
    settings->c_oflag &= ~(tcflag_t)OPOST;
    settings->c_lflag &= ~(tcflag_t)(ISIG | ICANON | XCASE);
    read_each_character(settings);
    return 0;
}

/* The speed stays: one of 0 would hang up a line. */
int termios_rawer(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                  const struct modcat_value *value)
{
    (void)value;
    struct termios *settings = modcat_tty_settings(opening, fd, option);
    if (settings == NULL)
        return -1;
    settings->c_iflag = 0;
    settings->c_oflag = 0;
    settings->c_lflag = 0;
    settings->c_cflag = CREAD | CS8 | (settings->c_cflag & (CBAUD | CBAUDEX | CIBAUD));
    read_each_character(settings);
    return 0;
}

int termios_cfmakeraw(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                      const struct modcat_value *value)
{
    (void)value;
    struct termios *settings = modcat_tty_settings(opening, fd, option);
    if (settings == NULL)
        return -1;
    cfmakeraw(settings);
    return 0;
}

/* Whether the other end speaks UTF-8 is not a matter of sanity, nor whether it stops output. */
int termios_sane(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                 const struct modcat_value *value)
{
    (void)value;
    struct termios *settings = modcat_tty_settings(opening, fd, option);
    if (settings == NULL)
        return -1;
    settings->c_iflag = BRKINT | ICRNL | IMAXBEL | (settings->c_iflag & (IUTF8 | IXON));
    settings->c_oflag = OPOST | ONLCR;
    settings->c_cflag |= CREAD;
    settings->c_lflag = ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
    return 0;
}

#define FLAG_WORDS 4

/* Reads words in hexadecimal up to the end. Returns false unless there are exactly four. */
static bool read_words(const char *text, tcflag_t words[FLAG_WORDS])
{
    for (size_t i = 0; i < FLAG_WORDS; i++) {
        char *end;
        errno = 0;
        unsigned long long word = strtoull(text, &end, 16);
        if (!isxdigit((unsigned char)*text) || errno != 0 || word > UINT_MAX ||
            *end != (i + 1 < FLAG_WORDS ? ':' : '\0'))
            return false;
        words[i] = (tcflag_t)word;
        text = end + 1;
    }
    return true;
}

const char *termios_check_flags(const struct modcat_value *value)
{
    tcflag_t words[FLAG_WORDS];
    return read_words(value->string, words)
               ? NULL
               : "it must be four numbers in hexadecimal, as in 500:5:bf:8a3b";
}

int termios_set_flags(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                      const struct modcat_value *value)
{
    tcflag_t words[FLAG_WORDS];
    struct termios *settings = modcat_tty_settings(opening, fd, option);
    if (settings == NULL || !read_words(value->string, words))
        return -1;
    settings->c_iflag = words[0];
    settings->c_oflag = words[1];
    settings->c_cflag = words[2];
    settings->c_lflag = words[3];
    return 0;
}

/* Reads a number from 1 on. Returns where it ends, or NULL. */
static const char *read_cells(const char *text, unsigned short *cells)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (!isdigit((unsigned char)*text) || number == 0 || number > USHRT_MAX)
        return NULL;
    *cells = (unsigned short)number;
    return end;
}

static bool read_size(const char *text, struct winsize *size)
{
    const char *end = read_cells(text, &size->ws_col);
    if (end == NULL || *end != 'x')
        return false;
    end = read_cells(end + 1, &size->ws_row);
    return end != NULL && *end == '\0';
}

const char *termios_check_size(const struct modcat_value *value)
{
    struct winsize size;
    return read_size(value->string, &size) ? NULL : "it must be columns and rows, as in 80x25";
}

int termios_size(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                 const struct modcat_value *value)
{
    struct winsize size = {0};
    if (modcat_tty_settings(opening, fd, option) == NULL || !read_size(value->string, &size))
        return -1;
    if (ioctl(fd, TIOCSWINSZ, &size) == 0)
        return 0;
    return modcat_fail(opening, "%s: ioctl(%d, TIOCSWINSZ, {%hu rows, %hu columns}): %s",
                       option->name, fd, size.ws_row, size.ws_col, strerror(errno));
}

int termios_control(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                    const struct modcat_value *value)
{
    (void)option;
    if (value->number != 0)
        modcat_tty_control(opening, fd);
    return 0;
}
