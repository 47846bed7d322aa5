/* The options of terminals: pseudo terminals as such, and all that termios(3) can set. */

#define _GNU_SOURCE
#include "options.h"

#include "termios.h"

#define IN_PHASE(which) .phase = MODCAT_PHASE_##which
#define ON_TERMINAL(function) IN_PHASE(FD), .effect = MODCAT_CALL, .apply = (function)
#define FLAG(field, mask)                                                                          \
    .type = MODCAT_BOOL, ON_TERMINAL(termios_flag), .code = (int)(mask),                           \
    .detail = offsetof(struct termios, field)
#define INPUT(mask) FLAG(c_iflag, mask)
#define OUTPUT(mask) FLAG(c_oflag, mask)
#define CONTROL(mask) FLAG(c_cflag, mask)
#define LOCAL(mask) FLAG(c_lflag, mask)

/* Of the bits `mask` these. */
#define BITS(function, mask, bits)                                                                 \
    .type = MODCAT_CONST, ON_TERMINAL(function), .code = (int)(mask), .detail = (int)(bits)
#define OUTPUT_BITS(mask, bits) BITS(termios_output_bits, mask, bits)
#define CONTROL_BITS(mask, bits) BITS(termios_control_bits, mask, bits)

/* A number within the bits `mask`, in units of `unit`. */
#define DELAY(mask, unit)                                                                          \
    .type = MODCAT_UINT, ON_TERMINAL(termios_output_delay), .code = (int)(mask),                   \
    .detail = (int)(unit), .check = termios_check_delay

#define NUMBER(function, judge) .type = MODCAT_UINT, ON_TERMINAL(function), .check = (judge)
#define CHAR(index) .type = MODCAT_BYTE, ON_TERMINAL(termios_char), .code = (index)
#define SET(function) .type = MODCAT_CONST, ON_TERMINAL(function)
#define SPEED(number)                                                                              \
    {"b" #number,                                                                                  \
     NULL,                                                                                         \
     NULL,                                                                                         \
     #number " baud",                                                                              \
     .type = MODCAT_CONST,                                                                         \
     ON_TERMINAL(termios_speed),                                                                   \
     .code = (int)B##number},

/* Of a program, these choose its terminal. */
#define FOR_A_TERMINAL .needs = "pty,openpty,ptmx"

static const struct modcat_option pty_options[] = {
    {"symbolic-link", "link", NULL, "make a symbolic link to the terminal's name",
     .type = MODCAT_STRING, IN_PHASE(LATE), .check = modcat_check_filled, FOR_A_TERMINAL},
    {"pty-wait-slave", "wait-slave,waitslave", NULL, "wait until a program opens the terminal",
     .type = MODCAT_BOOL, IN_PHASE(EARLY), FOR_A_TERMINAL},
    {"pty-interval", "pty-intervall", NULL, "interval of checks whether it is open",
     .type = MODCAT_TIMESPEC, IN_PHASE(EARLY), FOR_A_TERMINAL},
    {"openpty", NULL, NULL, "choose the terminal by openpty(3)", .type = MODCAT_BOOL,
     IN_PHASE(SPEC)},
    {"ptmx", NULL, NULL, "choose the terminal by /dev/ptmx", .type = MODCAT_BOOL, IN_PHASE(SPEC)},
    {"sitout-eio", NULL, NULL, "how long the terminal may be without a peer",
     .type = MODCAT_TIMEVAL, IN_PHASE(OFFSET), FOR_A_TERMINAL},
};

static const struct modcat_option termios_options[] = {
    {"brkint", NULL, NULL, "send an interrupt on break", INPUT(BRKINT)},
    {"icrnl", NULL, NULL, "input: CR becomes NL", INPUT(ICRNL)},
    {"ignbrk", NULL, NULL, "ignore breaks", INPUT(IGNBRK)},
    {"igncr", NULL, NULL, "input: leave out CR", INPUT(IGNCR)},
    {"ignpar", NULL, NULL, "ignore characters with parity errors", INPUT(IGNPAR)},
    {"imaxbel", NULL, NULL, "beep when the input line is full", INPUT(IMAXBEL)},
    {"inlcr", NULL, NULL, "input: NL becomes CR", INPUT(INLCR)},
    {"inpck", NULL, NULL, "check parity of input", INPUT(INPCK)},
    {"istrip", NULL, NULL, "clear the eighth bit of input", INPUT(ISTRIP)},
    {"iuclc", NULL, NULL, "input: upper case becomes lower case", INPUT(IUCLC)},
    {"ixany", NULL, NULL, "let any character restart output", INPUT(IXANY)},
    {"ixoff", "tandem", NULL, "stop and start the sender of input", INPUT(IXOFF)},
    {"ixon", NULL, NULL, "stop output at the stop character", INPUT(IXON)},
    {"parmrk", NULL, NULL, "mark parity errors and breaks", INPUT(PARMRK)},

    {"ocrnl", NULL, NULL, "output: CR becomes NL", OUTPUT(OCRNL)},
    {"ofdel", NULL, NULL, "fill with DEL instead of NUL", OUTPUT(OFDEL)},
    {"ofill", NULL, NULL, "delay by filling", OUTPUT(OFILL)},
    {"olcuc", NULL, NULL, "output: lower case becomes upper case", OUTPUT(OLCUC)},
    {"onlcr", NULL, NULL, "output: NL becomes CR NL", OUTPUT(ONLCR)},
    {"onlret", NULL, NULL, "NL also returns the carriage", OUTPUT(ONLRET)},
    {"onocr", NULL, NULL, "no CR in the first column", OUTPUT(ONOCR)},
    {"opost", NULL, NULL, "process output", OUTPUT(OPOST)},
    {"nldly", NULL, NULL, "delay after NL", OUTPUT(NLDLY)},
    {"bsdly", NULL, NULL, "delay after backspace", OUTPUT(BSDLY)},
    {"ffdly", NULL, NULL, "delay after form feed", OUTPUT(FFDLY)},
    {"vtdly", NULL, NULL, "delay after vertical tabulator", OUTPUT(VTDLY)},
    {"crdly", NULL, NULL, "delay after CR, 0 to 3", DELAY(CRDLY, CR1)},
    {"tabdly", NULL, NULL, "delay after tabulator, 0 to 3", DELAY(TABDLY, TAB1)},
    {"nl0", NULL, NULL, "no delay after NL", OUTPUT_BITS(NLDLY, NL0)},
    {"nl1", NULL, NULL, "delay after NL", OUTPUT_BITS(NLDLY, NL1)},
    {"cr0", NULL, NULL, "no delay after CR", OUTPUT_BITS(CRDLY, CR0)},
    {"cr1", NULL, NULL, "delay of kind 1 after CR", OUTPUT_BITS(CRDLY, CR1)},
    {"cr2", NULL, NULL, "delay of kind 2 after CR", OUTPUT_BITS(CRDLY, CR2)},
    {"cr3", NULL, NULL, "delay of kind 3 after CR", OUTPUT_BITS(CRDLY, CR3)},
    {"tab0", NULL, NULL, "no delay after tabulators", OUTPUT_BITS(TABDLY, TAB0)},
    {"tab1", NULL, NULL, "delay of kind 1 after tabulators", OUTPUT_BITS(TABDLY, TAB1)},
    {"tab2", NULL, NULL, "delay of kind 2 after tabulators", OUTPUT_BITS(TABDLY, TAB2)},
    {"tab3", NULL, NULL, "output: tabulators become spaces", OUTPUT_BITS(TABDLY, TAB3)},
    {"xtabs", NULL, NULL, "output: tabulators become spaces", OUTPUT_BITS(TABDLY, XTABS)},
    {"bs0", NULL, NULL, "no delay after backspace", OUTPUT_BITS(BSDLY, BS0)},
    {"bs1", NULL, NULL, "delay after backspace", OUTPUT_BITS(BSDLY, BS1)},
    {"vt0", NULL, NULL, "no delay after vertical tabulator", OUTPUT_BITS(VTDLY, VT0)},
    {"vt1", NULL, NULL, "delay after vertical tabulator", OUTPUT_BITS(VTDLY, VT1)},
    {"ff0", NULL, NULL, "no delay after form feed", OUTPUT_BITS(FFDLY, FF0)},
    {"ff1", NULL, NULL, "delay after form feed", OUTPUT_BITS(FFDLY, FF1)},

    {"clocal", NULL, NULL, "ignore the modem's lines", CONTROL(CLOCAL)},
    {"cread", NULL, NULL, "receive", CONTROL(CREAD)},
    {"crtscts", NULL, NULL, "flow control by RTS and CTS", CONTROL(CRTSCTS)},
    {"cstopb", NULL, NULL, "two stop bits", CONTROL(CSTOPB)},
    {"hupcl", "hup", NULL, "hang up on last close", CONTROL(HUPCL)},
    {"parenb", NULL, NULL, "send and expect a parity bit", CONTROL(PARENB)},
    {"parodd", NULL, NULL, "odd parity", CONTROL(PARODD)},
    {"cs5", NULL, NULL, "characters of 5 bits", CONTROL_BITS(CSIZE, CS5)},
    {"cs6", NULL, NULL, "characters of 6 bits", CONTROL_BITS(CSIZE, CS6)},
    {"cs7", NULL, NULL, "characters of 7 bits", CONTROL_BITS(CSIZE, CS7)},
    {"cs8", NULL, NULL, "characters of 8 bits", CONTROL_BITS(CSIZE, CS8)},
    {"csize", NULL, NULL, "bits of a character: 5 to 8, or 0 to 3 for these",
     NUMBER(termios_char_size, termios_check_char_size)},

    {"ispeed", NULL, NULL, "baud of input, or the system's number for them",
     NUMBER(termios_input_speed, termios_check_speed)},
    {"ospeed", NULL, NULL, "baud of output, or the system's number for them",
     NUMBER(termios_output_speed, termios_check_speed)},
    TERMIOS_SPEEDS(SPEED)

        {"echo", NULL, NULL, "show what is typed", LOCAL(ECHO)},
    {"echoctl", "ctlecho", NULL, "show control characters as ^X", LOCAL(ECHOCTL)},
    {"echoe", "crterase", NULL, "erase on the screen too", LOCAL(ECHOE)},
    {"echok", NULL, NULL, "start a new line after the kill character", LOCAL(ECHOK)},
    {"echoke", "crtkill", NULL, "erase the line on the screen at the kill character",
     LOCAL(ECHOKE)},
    {"echonl", NULL, NULL, "show NL even without echo", LOCAL(ECHONL)},
    {"echoprt", "prterase", NULL, "print what is erased", LOCAL(ECHOPRT)},
    {"flusho", NULL, NULL, "discard output", LOCAL(FLUSHO)},
    {"icanon", NULL, NULL, "edit input by lines", LOCAL(ICANON)},
    {"iexten", NULL, NULL, "extended functions", LOCAL(IEXTEN)},
    {"isig", NULL, NULL, "send signals for special characters", LOCAL(ISIG)},
    {"noflsh", NULL, NULL, "do not flush the queues on signals", LOCAL(NOFLSH)},
    {"pendin", NULL, NULL, "reprint pending input (PENDIN)", LOCAL(PENDIN)},
    {"tostop", NULL, NULL, "stop a background process that writes", LOCAL(TOSTOP)},
    {"xcase", NULL, NULL, "upper case letters by a backslash", LOCAL(XCASE)},

    {"vintr", "intr", NULL, "the character that interrupts", CHAR(VINTR)},
    {"vquit", "quit", NULL, "the character that quits", CHAR(VQUIT)},
    {"verase", "erase", NULL, "the character that erases one", CHAR(VERASE)},
    {"vkill", "kill", NULL, "the character that erases the line", CHAR(VKILL)},
    {"veof", "eof", NULL, "the character that ends input", CHAR(VEOF)},
    {"veol", "eol", NULL, "a further character that ends a line", CHAR(VEOL)},
    {"veol2", "eol2", NULL, "another character that ends a line", CHAR(VEOL2)},
    {"vmin", "min", NULL, "number of characters that a read waits for", CHAR(VMIN)},
    {"vtime", "time", NULL, "time that a read waits, in tenths of a second", CHAR(VTIME)},
    {"vstart", "start", NULL, "the character that starts output", CHAR(VSTART)},
    {"vstop", "stop", NULL, "the character that stops output", CHAR(VSTOP)},
    {"vsusp", "susp", NULL, "the character that suspends", CHAR(VSUSP)},
    {"vwerase", "werase", NULL, "the character that erases a word", CHAR(VWERASE)},
    {"vreprint", "reprint,rprnt", NULL, "the character that shows the line again", CHAR(VREPRINT)},
    {"vdiscard", "discard", NULL, "the character that throws output away", CHAR(VDISCARD)},
    {"vlnext", "lnext", NULL, "the character that quotes the next", CHAR(VLNEXT)},
    {"vswtc", "swtc,swtch", NULL, "the character that switches", CHAR(VSWTC)},

    {"raw", NULL, NULL, "pass everything on as it comes, but with echo", SET(termios_raw)},
    {"termios-rawer", "rawer", NULL, "pass everything on as it comes, without echo",
     SET(termios_rawer)},
    {"termios-cfmakeraw", "cfmakeraw", NULL, "raw as cfmakeraw(3) makes it",
     SET(termios_cfmakeraw)},
    {"sane", NULL, NULL, "back to usual settings", SET(termios_sane)},

    {"termios-setflags", "setflags", NULL,
     "set the four words of flags, in hexadecimal, as filan shows them", .type = MODCAT_STRING,
     ON_TERMINAL(termios_set_flags), .check = termios_check_flags},
    {"tiocswinsz", "winsz", NULL, "set the size of the terminal: columns and rows, as in 80x25",
     .type = MODCAT_STRING, ON_TERMINAL(termios_size), .check = termios_check_size},
    {"tiocsctty", "ctty", NULL, "make it the controlling terminal", .type = MODCAT_BOOL,
     .phase = MODCAT_PHASE_LATE2, .effect = MODCAT_CALL, .apply = termios_control,
     .own_process = true},
};

const struct modcat_option_group pty_groups[PTY_GROUP_COUNT] = {
    {.name = "PTY", .help = "pseudo terminals", MODCAT_OPTIONS(pty_options)},
    {.name = "TERMIOS", .help = "settings of terminals", MODCAT_OPTIONS(termios_options)},
};
