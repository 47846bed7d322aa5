#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first. */
#include <cmocka.h>

#include "drivers/pty/options.h"

#include <modcat/tty.h>
#include <stdlib.h>
#include <string.h>

static struct termios present;
static bool is_terminal;
static int failures;
static int controlled;

struct termios *modcat_tty_settings(struct modcat_opening *opening, int fd,
                                    const struct modcat_option *option)
{
    (void)opening, (void)fd;
    assert_non_null(option);
    return is_terminal ? &present : NULL;
}

void modcat_tty_control(struct modcat_opening *opening, int fd)
{
    (void)opening, (void)fd;
    controlled++;
}

int modcat_fail(const struct modcat_opening *opening, const char *format, ...)
{
    (void)opening, (void)format;
    failures++;
    return -1;
}

static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    while (list != NULL) {
        if (strncmp(list, word, length) == 0 && (list[length] == ',' || list[length] == '\0'))
            return true;
        list = strchr(list, ',');
        list = list != NULL ? list + 1 : NULL;
    }
    return false;
}

static const struct modcat_option_group *termios_group(void)
{
    for (size_t i = 0; i < PTY_GROUP_COUNT; i++)
        if (strcmp(pty_groups[i].name, "TERMIOS") == 0)
            return &pty_groups[i];
    fail_msg("no group TERMIOS");
    return NULL;
}

static const struct modcat_option *find(const char *name)
{
    const struct modcat_option_group *group = termios_group();
    for (size_t i = 0; i < group->option_count; i++)
        if (has_word(group->options[i].name, name) || has_word(group->options[i].aliases, name))
            return &group->options[i];
    fail_msg("no option \"%s\"", name);
    return NULL;
}

static int apply(const char *name, long long number)
{
    const struct modcat_option *option = find(name);
    struct modcat_value value = {.size = sizeof value, .number = number, .string = "80x25"};
    assert_int_equal(option->effect, MODCAT_CALL);
    return option->apply(NULL, 0, option, &value);
}

/* Every bit is off, or on, so that each one that is touched is seen. */
static void set_all(int byte)
{
    memset(&present, byte, sizeof present);
    is_terminal = true;
    failures = 0;
}

static void check(const char *name, const struct termios *expected)
{
    if (memcmp(expected, &present, sizeof present) != 0)
        fail_msg("\"%s\" makes i %x o %x c %x l %x", name, present.c_iflag, present.c_oflag,
                 present.c_cflag, present.c_lflag);
}

static tcflag_t *field(struct termios *settings, char which)
{
    switch (which) {
    case 'i':
        return &settings->c_iflag;
    case 'o':
        return &settings->c_oflag;
    case 'c':
        return &settings->c_cflag;
    default:
        return &settings->c_lflag;
    }
}

static const struct {
    const char *name;
    char field;
    tcflag_t mask;
} flags[] = {
    {"brkint", 'i', BRKINT},    {"icrnl", 'i', ICRNL},     {"ignbrk", 'i', IGNBRK},
    {"igncr", 'i', IGNCR},      {"ignpar", 'i', IGNPAR},   {"imaxbel", 'i', IMAXBEL},
    {"inlcr", 'i', INLCR},      {"inpck", 'i', INPCK},     {"istrip", 'i', ISTRIP},
    {"iuclc", 'i', IUCLC},      {"ixany", 'i', IXANY},     {"ixoff", 'i', IXOFF},
    {"tandem", 'i', IXOFF},     {"ixon", 'i', IXON},       {"parmrk", 'i', PARMRK},
    {"ocrnl", 'o', OCRNL},      {"ofdel", 'o', OFDEL},     {"ofill", 'o', OFILL},
    {"olcuc", 'o', OLCUC},      {"onlcr", 'o', ONLCR},     {"onlret", 'o', ONLRET},
    {"onocr", 'o', ONOCR},      {"opost", 'o', OPOST},     {"nldly", 'o', NLDLY},
    {"bsdly", 'o', BSDLY},      {"ffdly", 'o', FFDLY},     {"vtdly", 'o', VTDLY},
    {"clocal", 'c', CLOCAL},    {"cread", 'c', CREAD},     {"crtscts", 'c', CRTSCTS},
    {"cstopb", 'c', CSTOPB},    {"hupcl", 'c', HUPCL},     {"hup", 'c', HUPCL},
    {"parenb", 'c', PARENB},    {"parodd", 'c', PARODD},   {"echo", 'l', ECHO},
    {"echoctl", 'l', ECHOCTL},  {"ctlecho", 'l', ECHOCTL}, {"echoe", 'l', ECHOE},
    {"crterase", 'l', ECHOE},   {"echok", 'l', ECHOK},     {"echoke", 'l', ECHOKE},
    {"crtkill", 'l', ECHOKE},   {"echonl", 'l', ECHONL},   {"echoprt", 'l', ECHOPRT},
    {"prterase", 'l', ECHOPRT}, {"flusho", 'l', FLUSHO},   {"icanon", 'l', ICANON},
    {"iexten", 'l', IEXTEN},    {"isig", 'l', ISIG},       {"noflsh", 'l', NOFLSH},
    {"pendin", 'l', PENDIN},    {"tostop", 'l', TOSTOP},   {"xcase", 'l', XCASE},
};

static void each_flag_sets_and_clears_its_own_bits_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        struct termios expected;

        set_all(0);
        expected = present;
        *field(&expected, flags[i].field) |= flags[i].mask;
        assert_int_equal(apply(flags[i].name, 1), 0);
        check(flags[i].name, &expected);

        set_all(0xff);
        expected = present;
        *field(&expected, flags[i].field) &= ~flags[i].mask;
        assert_int_equal(apply(flags[i].name, 0), 0);
        check(flags[i].name, &expected);
    }
}

/* Each row: an option with its value, the bits it is about, and what becomes of them. */
static const struct {
    const char *name;
    long long value;
    char field;
    tcflag_t mask;
    tcflag_t bits;
} patterns[] = {
    {"nl0", 0, 'o', NLDLY, NL0},      {"nl1", 0, 'o', NLDLY, NL1},
    {"cr0", 0, 'o', CRDLY, CR0},      {"cr1", 0, 'o', CRDLY, CR1},
    {"cr2", 0, 'o', CRDLY, CR2},      {"cr3", 0, 'o', CRDLY, CR3},
    {"tab0", 0, 'o', TABDLY, TAB0},   {"tab1", 0, 'o', TABDLY, TAB1},
    {"tab2", 0, 'o', TABDLY, TAB2},   {"tab3", 0, 'o', TABDLY, TAB3},
    {"xtabs", 0, 'o', TABDLY, XTABS}, {"bs0", 0, 'o', BSDLY, BS0},
    {"bs1", 0, 'o', BSDLY, BS1},      {"vt0", 0, 'o', VTDLY, VT0},
    {"vt1", 0, 'o', VTDLY, VT1},      {"ff0", 0, 'o', FFDLY, FF0},
    {"ff1", 0, 'o', FFDLY, FF1},      {"crdly", 0, 'o', CRDLY, CR0},
    {"crdly", 3, 'o', CRDLY, CR3},    {"tabdly", 1, 'o', TABDLY, TAB1},
    {"tabdly", 2, 'o', TABDLY, TAB2}, {"cs5", 0, 'c', CSIZE, CS5},
    {"cs6", 0, 'c', CSIZE, CS6},      {"cs7", 0, 'c', CSIZE, CS7},
    {"cs8", 0, 'c', CSIZE, CS8},      {"csize", 0, 'c', CSIZE, CS5},
    {"csize", 3, 'c', CSIZE, CS8},    {"csize", 5, 'c', CSIZE, CS5},
    {"csize", 7, 'c', CSIZE, CS7},    {"csize", 8, 'c', CSIZE, CS8},
};

static void each_pattern_changes_its_own_bits_only(void **state)
{
    static const int fillings[] = {0, 0xff};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof patterns / sizeof patterns[0]; i++) {
        size_t row = i / 2;
        struct termios expected;
        tcflag_t *changed = field(&expected, patterns[row].field);

        set_all(fillings[i % 2]);
        expected = present;
        *changed = (*changed & ~patterns[row].mask) | patterns[row].bits;
        assert_int_equal(apply(patterns[row].name, patterns[row].value), 0);
        check(patterns[row].name, &expected);
    }
}

static const struct {
    const char *name;
    int index;
} characters[] = {
    {"intr", VINTR},     {"vintr", VINTR},       {"quit", VQUIT},     {"erase", VERASE},
    {"kill", VKILL},     {"eof", VEOF},          {"eol", VEOL},       {"eol2", VEOL2},
    {"min", VMIN},       {"vmin", VMIN},         {"time", VTIME},     {"start", VSTART},
    {"stop", VSTOP},     {"susp", VSUSP},        {"werase", VWERASE}, {"reprint", VREPRINT},
    {"rprnt", VREPRINT}, {"discard", VDISCARD},  {"lnext", VLNEXT},   {"swtc", VSWTC},
    {"swtch", VSWTC},    {"vreprint", VREPRINT}, {"vswtc", VSWTC},    {"vtime", VTIME},
};

static void each_character_takes_its_own_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++) {
        struct termios expected;

        set_all(0);
        expected = present;
        expected.c_cc[characters[i].index] = 255;
        assert_int_equal(apply(characters[i].name, 255), 0);
        check(characters[i].name, &expected);
    }
}

static const struct {
    const char *name;
    long long baud;
    speed_t system;
} speeds[] = {
    {"b0", 0, B0},
    {"b50", 50, B50},
    {"b134", 134, B134},
    {"b9600", 9600, B9600},
    {"b38400", 38400, B38400},
    {"b57600", 57600, B57600},
    {"b115200", 115200, B115200},
    {"b4000000", 4000000, B4000000},
};

static void a_speed_can_be_said_in_three_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++) {
        set_all(0);
        assert_int_equal(apply(speeds[i].name, 0), 0);
        assert_int_equal(cfgetispeed(&present), speeds[i].system);
        assert_int_equal(cfgetospeed(&present), speeds[i].system);

        set_all(0);
        assert_int_equal(apply("ospeed", speeds[i].baud), 0);
        assert_int_equal(cfgetospeed(&present), speeds[i].system);

        set_all(0);
        assert_int_equal(apply("ospeed", speeds[i].system), 0);
        assert_int_equal(cfgetospeed(&present), speeds[i].system);
        assert_int_equal(apply("ispeed", speeds[i].baud), 0);
        assert_int_equal(apply("ispeed", speeds[i].system), 0);
    }
    assert_int_equal(failures, 0);
}

static void raw_keeps_the_echo(void **state)
{
    (void)state;
    set_all(0xff);
    assert_int_equal(apply("raw", 0), 0);
    assert_true(present.c_lflag & ECHO);
    assert_false(present.c_lflag & (ICANON | ISIG | XCASE));
    assert_false(present.c_oflag & OPOST);
    assert_false(present.c_iflag & (ICRNL | INLCR | IGNCR | IXON | IXOFF | ISTRIP | IMAXBEL));
    assert_int_equal(present.c_cc[VMIN], 1);
    assert_int_equal(present.c_cc[VTIME], 0);
}

static void rawer_keeps_nothing_but_the_speed(void **state)
{
    (void)state;
    set_all(0xff);
    cfsetspeed(&present, B19200);
    assert_int_equal(apply("rawer", 0), 0);
    assert_int_equal(present.c_iflag, 0);
    assert_int_equal(present.c_oflag, 0);
    assert_int_equal(present.c_lflag, 0);
    assert_int_equal(present.c_cflag & (CREAD | CSIZE | PARENB | CSTOPB | CRTSCTS), CREAD | CS8);
    assert_int_equal(cfgetospeed(&present), B19200);
}

static void cfmakeraw_is_the_librarys(void **state)
{
    struct termios expected;

    (void)state;
    set_all(0xff);
    expected = present;
    cfmakeraw(&expected);
    assert_int_equal(apply("cfmakeraw", 0), 0);
    check("cfmakeraw", &expected);
}

static void sane_keeps_the_characters(void **state)
{
    (void)state;
    set_all(0);
    present.c_cc[VINTR] = 7;
    assert_int_equal(apply("sane", 0), 0);
    assert_int_equal(present.c_iflag, BRKINT | ICRNL | IMAXBEL);
    present.c_iflag = IXON | IXOFF | IXANY;
    assert_int_equal(apply("sane", 0), 0);
    assert_int_equal(present.c_iflag, BRKINT | ICRNL | IMAXBEL | IXON);
    assert_int_equal(present.c_oflag, OPOST | ONLCR);
    assert_int_equal(present.c_lflag,
                     ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE);
    assert_int_equal(present.c_cflag, CREAD);
    assert_int_equal(present.c_cc[VINTR], 7);
    set_all(0xff);
    assert_int_equal(apply("sane", 0), 0);
    assert_false(present.c_lflag & NOFLSH);
    assert_false(present.c_iflag & IGNCR);
}

static void only_a_true_ctty_takes_control(void **state)
{
    (void)state;
    controlled = 0;
    assert_int_equal(apply("ctty", 0), 0);
    assert_int_equal(controlled, 0);
    assert_int_equal(apply("tiocsctty", 1), 0);
    assert_int_equal(controlled, 1);
}

static const struct {
    const char *name;
    long long value;
} impossible[] = {{"csize", 4},   {"csize", 9},     {"crdly", 4},         {"tabdly", 4},
                  {"ispeed", 16}, {"ospeed", 9601}, {"csize", 4294967295}};

static void a_value_that_means_nothing_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        struct termios expected;

        set_all(0);
        expected = present;
        assert_int_equal(apply(impossible[i].name, impossible[i].value), -1);
        assert_int_equal(failures, 1);
        check(impossible[i].name, &expected);
    }
}

static void every_option_gives_up_where_there_is_no_terminal(void **state)
{
    const struct modcat_option_group *group = termios_group();

    (void)state;
    set_all(0);
    is_terminal = false;
    for (size_t i = 0; i < group->option_count; i++)
        if (group->options[i].phase == MODCAT_PHASE_FD)
            assert_int_equal(apply(group->options[i].name, 1), -1);
    assert_int_equal(failures, 0);
}

static void no_word_is_used_twice(void **state)
{
    const struct modcat_option_group *group = termios_group();

    (void)state;
    for (size_t i = 0; i < group->option_count; i++)
        for (size_t k = 0; k < group->option_count; k++)
            assert_false(i != k && (has_word(group->options[k].aliases, group->options[i].name) ||
                                    has_word(group->options[k].name, group->options[i].name)));
}

static const char *fault(const char *name, const char *text)
{
    struct modcat_value value = {.size = sizeof value, .string = text};
    return find(name)->check(&value);
}

static void all_flags_can_be_set_at_once(void **state)
{
    struct modcat_value value = {.size = sizeof value, .string = "500:5:0xbf:8a3b"};
    const struct modcat_option *option = find("setflags");
    (void)state;
    set_all(0xff);
    assert_null(option->check(&value));
    assert_int_equal(option->apply(NULL, 0, option, &value), 0);
    assert_int_equal(present.c_iflag, 0x500);
    assert_int_equal(present.c_oflag, 5);
    assert_int_equal(present.c_cflag, 0xbf);
    assert_int_equal(present.c_lflag, 0x8a3b);
}

static void flags_that_are_not_four_numbers_are_refused(void **state)
{
    static const char *const texts[] = {
        "", "1:2:3", "1:2:3:4:5", "1:2:3:", "1:2:3:x", "-1:2:3:4", "1 :2:3:4", "1:2:3:100000000"};
    (void)state;
    for (size_t i = 0; i < MODCAT_COUNT(texts); i++)
        if (fault("termios-setflags", texts[i]) == NULL)
            fail_msg("\"%s\" is taken", texts[i]);
}

static void sizes_that_are_not_columns_and_rows_are_refused(void **state)
{
    static const char *const texts[] = {"",     "80",     "0x0",    "80x",     "x25",
                                        "80x0", "80x25x", "-80x25", "65536x1", "80X25"};
    (void)state;
    assert_null(fault("winsz", "80x25"));
    assert_null(fault("tiocswinsz", "65535x1"));
    for (size_t i = 0; i < MODCAT_COUNT(texts); i++)
        if (fault("winsz", texts[i]) == NULL)
            fail_msg("\"%s\" is taken", texts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_flag_sets_and_clears_its_own_bits_only),
        cmocka_unit_test(each_pattern_changes_its_own_bits_only),
        cmocka_unit_test(each_character_takes_its_own_place),
        cmocka_unit_test(a_speed_can_be_said_in_three_ways),
        cmocka_unit_test(raw_keeps_the_echo),
        cmocka_unit_test(rawer_keeps_nothing_but_the_speed),
        cmocka_unit_test(cfmakeraw_is_the_librarys),
        cmocka_unit_test(sane_keeps_the_characters),
        cmocka_unit_test(only_a_true_ctty_takes_control),
        cmocka_unit_test(a_value_that_means_nothing_is_refused_and_changes_nothing),
        cmocka_unit_test(every_option_gives_up_where_there_is_no_terminal),
        cmocka_unit_test(no_word_is_used_twice),
        cmocka_unit_test(all_flags_can_be_set_at_once),
        cmocka_unit_test(flags_that_are_not_four_numbers_are_refused),
        cmocka_unit_test(sizes_that_are_not_columns_and_rows_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
