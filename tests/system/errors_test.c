/* Bad input: the message, the place that it shows, and that nothing was opened before it. */

#define _GNU_SOURCE
#include "tests/system/peers.h"

#include <string.h>

/* Each row: a bad address, the message, and the text that the caret stands under. */
static const struct mistake {
    const char *address;
    const char *message;
    const char *place;
} mistakes[] = {
    {"BOGUS:1", " E unknown device/address \"BOGUS\"", "BOGUS:1"},
    {"TPC:localhost:80", " E unknown device/address \"TPC\"*TCP", "TPC:localhost"},
    {"STDOIN", " E unknown device/address \"STDOIN\"*STDIN", "STDOIN"},
    {"", " E unknown device/address \"\"", ""},
    {",append", " E unknown device/address \"\"", ",append"},
    {"3x", " E unknown device/address \"3x\"", "3x"},
    {" -", " E unknown device/address \" -\"", " -"},

    {"OPEN:/dev/null,creta", " E *unknown option \"creta\"*creat", "creta"},
    {"OPEN:/dev/null,append,no-such-thing=1,creat", " E *unknown option \"no-such-thing\"",
     "no-such-thing=1"},
    {"PIPE, cr", " E *unknown option \" cr\"", " cr"},
    {"-,crn", " E *unknown option \"crn\"*cr", "crn"},

    {"OPEN:/dev/null,fork", " E *option \"fork\" not supported with this address type", "fork"},
    {"TCP:" LOOPBACK ":9,backlog=3", " E option \"backlog\" not *; TCP-LISTEN, * have it",
     "backlog"},
    {"TCP4:" LOOPBACK ":9,creat", " E *option \"creat\" not supported with this address type",
     "creat"},
    {"PIPE,nodelay", " E *option \"nodelay\" not supported with this address type", "nodelay"},

    {"TCP4:localhost",
     " E TCP4: wrong number of parameters (1 instead of 2): usage: "
     "TCP4:<host>:<port>",
     "TCP4"},
    {"TCP4:a:b:c", " E TCP4: wrong number of parameters (3 instead of 2)", ""},
    {"TCP::80", " E empty <host>: name a host", ""},
    {"UDP::80", " E empty <host>: name a host", ""},
    {"TCP:localhost:", " E empty <port>: name a port, such as 80", ""},
    {"UDP4:" LOOPBACK ":", " E empty <port>: name a port", ""},
    {"UDP-SENDTO:" LOOPBACK ":", " E empty <port>: name a port", ""},
    {"TCP-LISTEN:", " E empty <port>: name a port", ""},
    {"SOCKS5:" LOOPBACK ":host:", " E empty <port>: name a port", ""},
    {"TCP:::1:80",
     " E TCP: wrong number of parameters (4 instead of 2)*an IPv6 address needs brackets: "
     "TCP:[::1]:80",
     ""},
    {"UDP6:fe80::1", " E UDP6: wrong number of parameters (3 instead of 2)*needs brackets", ""},
    {"EXEC:cat a:b", " E EXEC: wrong number of parameters*is written \"\\:\"", "b"},
    {"https://example.org", " E unknown device/address \"https\"; *use OPENSSL:example.org:443",
     "https:"},
    {"http://example.org:8080/x", " E *; for a URL, use TCP:example.org:8080", "http:"},
    {"localhost", " E *; to connect to a port of a host, use TCP:localhost:<port>", "localhost"},
    {"example.org:80", " E *; to connect to a port of a host, use TCP:example.org:80", "example"},
    {"[::1]:80", " E *; to connect to a port of a host, use TCP:[::1]:80", "[::1]"},
    {"TCP4\u2011LISTEN:80", " E *; it has a character U+2011 in the place of \"-\"", "TCP4"},
    {"TCP4-LISTEN", " E TCP4-LISTEN: wrong number of parameters (0 instead of 1)", ""},
    {"OPEN", " E OPEN: wrong number of parameters (0 instead of 1)", ""},
    {"OPEN:a:b", " E OPEN: wrong number of parameters (2 instead of 1)", ""},
    {"PIPE:a:b", " E PIPE: wrong number of parameters (2 instead of ", ""},
    {"SOCKETPAIR:x", " E SOCKETPAIR: wrong number of parameters (1 instead of 0)", ""},
    {"STDIO:x", " E STDIO: wrong number of parameters (1 instead of 0)", ""},
    {"FD", " E FD: wrong number of parameters (0 instead of 1)", ""},
    {"PIPE:1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17", " E ", ""},
    {"TCP:[::1:80", " E TCP: wrong number of parameters (1 instead of 2)*a bracket is not closed",
     "[::1:80"},

    {"TCP4:" LOOPBACK ":70000", " E error in port number \"70000\": *0 to 65535", "70000"},
    {"TCP4-LISTEN:-1", " E error in port number \"-1\"", "-1"},
    {"UDP4:" LOOPBACK ":99999999999999999999", " E error in port number \"99999", "99999"},
    {"SOCKS5:" LOOPBACK ":localhost:0x10000", " E error in port number \"0x10000\"", "0x10000"},
    {"SOCKS5:" LOOPBACK ":65536:localhost:80", " E error in port number \"65536\"", "65536"},
    {"SOCKS5|TCP4:" LOOPBACK ":70000", " E error in port number \"70000\"", "70000"},
    {"FD:x", " E error in FD number \"x\"", "x"},
    {"FD:3000000000", " E error in FD number \"3000000000\"", "3000000000"},
    {"ACCEPT-FD:-1", " E error in FD number \"-1\"", "-1"},

    {"TCP4:" LOOPBACK ":9,sourceport=70000", " E *sourceport", "70000"},
    {"TCP4:" LOOPBACK ":9,sourceport=-1", " E *sourceport", "-1"},
    {"OPEN:/dev/null,perm=9", " E *option \"perm=9\" needs octal permissions", "9"},
    {"OPEN:/dev/null,perm", " E *option \"perm\" needs a value", "perm"},
    {"OPEN:/dev/null,perm=77777", " E *perm", "77777"},
    {"OPEN:/dev/null,seek=1kB,append", " E *option \"seek=1kB\": unexpected \"B\"", "1k"},
    {"OPEN:/dev/null,seek=99999999999999999999", " E *seek", "9"},
    {"OPEN:/dev/null,append=maybe", " E *option \"append=maybe\" needs yes or no", "maybe"},
    {"-,readbytes=", " E *option \"readbytes=\" needs a number", ""},
    {"-,readbytes=-1", " E *readbytes", "-1"},
    {"-,cr=1", " E option \"cr\" takes no value", "1"},
    {"OPEN:/dev/null,user=no-such-user", " E option \"user=no-such-user\": no such user",
     "no-such-user"},
    {"TCP4-LISTEN:0,accept-timeout=soon", " E *accept-timeout=soon", "soon"},
    {"TCP4:" LOOPBACK ":9,interval=nan", " E *interval", "nan"},
    {"TCP4:" LOOPBACK ":9,interval=-1", " E *interval", "-1"},

    {"TCP-LISTEN:0,range=1.2.3.4", " E *no netmask in ", "1.2.3.4"},
    {"TCP-LISTEN:0,range=1.2.3.4/33", " E IPv4 netmask \"33\" is too large", "1.2.3.4/33"},
    {"TCP-LISTEN:0,range=[::1]/129", " E netmask \"129\" is too large", "[::1]/129"},
    {"TCP6-LISTEN:0,range=1.2.3.4/8", " E missing brackets for IPv6 range", "1.2.3.4/8"},
    {"SOCKET-LISTEN:2:6:x0000x7f000001,range=x00", " E syntax error in range \"x00\"", "x00"},

    {"OPEN:\"a", " E unexpected end of address", "\"a"},
    {"OPEN:'a", " E unexpected end of address", "'a"},
    {"OPEN:x\"a(b\"", " E unexpected end of address", "\"a(b\""},
    {"OPEN:/dev/null,perm='0", " E unexpected end of address", "'0"},
    {"OPEN:a\\", " E ", "\\"},
    {"OPEN:a\\0b", " E ", "\\0b"},
    {"PIPE!!PIPE!!PIPE", " E ", "!!PIPE"},
    {"!!PIPE", " E ", ""},
    {"PIPE!!", " E ", ""},
    {"PIPE,=1", " E ", "=1"},
};

/* What stands in the logged address above the caret; NULL: there is no caret. */
static const char *above_caret(const char *log)
{
    const char *caret = strstr(log, " ^");
    const char *line, *above;

    if (caret == NULL)
        return NULL;
    line = memrchr(log, '\n', (size_t)(caret - log));
    if (line == NULL)
        return NULL;
    above = memrchr(log, '\n', (size_t)(line - log));
    above = above == NULL ? log : above + 1;
    return above + (caret + 1 - (line + 1));
}

static void fails_before_anything_is_opened(struct harness *harness, const struct mistake *mistake,
                                            bool first)
{
    const char *precious = path(harness, "precious");
    const char *create = text(harness, "CREATE:%s", precious);
    struct program *program;
    const char *above;

    file_write(harness, precious, "precious");
    program = program_start(harness, "-d", "-d", first ? mistake->address : create,
                            first ? create : mistake->address, NULL);
    program_ends_logging(program, 1, mistake->message);
    if (strcmp(file_read(harness, precious), "precious") != 0)
        harness_fail(harness, "the other address was opened");
    above = above_caret(program_log(program));
    if (above == NULL)
        harness_fail(harness, "no caret shows the place");
    if (strncmp(above, mistake->place, strlen(mistake->place)) != 0)
        harness_fail(harness, "the caret is under \"%.20s\" and not under \"%s\"", above,
                     mistake->place);
}

static void a_mistake_in_the_first_address_is_shown_before_anything_is_opened(void **state)
{
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
        fails_before_anything_is_opened(*state, &mistakes[i], true);
}

static void a_mistake_in_the_second_address_is_shown_before_anything_is_opened(void **state)
{
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
        fails_before_anything_is_opened(*state, &mistakes[i], false);
}

/* A text of `head` followed by `count` times `piece`. */
static const char *repeated(struct harness *harness, const char *head, const char *piece,
                            size_t count)
{
    size_t start = strlen(head), length = strlen(piece);
    char *result = memory(harness, start + count * length + 1);

    memcpy(result, head, start);
    for (size_t i = 0; i < count; i++)
        memcpy(result + start + i * length, piece, length);
    result[start + count * length] = '\0';
    return result;
}

/* Each row: an address of 64 KiB and more, or nearly so. */
static const struct {
    const char *head;
    const char *piece;
    size_t count;
} giants[] = {
    {"", "a", 65535},
    {"", "a", 100000},
    {"OPEN:", "a", 65000},
    {"OPEN:", "a", 100000},
    {"OPEN:/dev/null,", "a", 65000},
    {"PIPE,perm=", "0", 65000},
    {"PIPE", ",cr", 10000},
    {"PIPE", ",append=1", 7000},
    {"PIPE", ":", 65000},
    {"OPEN:", "(", 65000},
    {"OPEN:", "([{", 20000},
    {"OPEN:", "\"", 65001},
    {"OPEN:", "'", 65001},
    {"OPEN:\"", "(", 65000},
    {"OPEN:", "\\", 65001},
    {"PIPE", "!!PIPE", 10000},
    {"PIPE", "=", 65000},
};

static void giant_addresses_are_refused_quickly_and_in_few_words(void **state)
{
    struct harness *harness = *state;
    const char *precious = path(harness, "precious");

    file_write(harness, precious, "precious");
    for (size_t i = 0; i < sizeof(giants) / sizeof(giants[0]); i++) {
        long long began = milliseconds();
        struct program *program = program_start(
            harness, text(harness, "CREATE:%s", precious),
            repeated(harness, giants[i].head, giants[i].piece, giants[i].count), NULL);
        program_ends_logging(program, 1, " E ");
        assert_true(strlen(program_log(program)) < 4096);
        assert_true(milliseconds() - began < 5000);
        if (above_caret(program_log(program)) == NULL)
            harness_fail(harness, "no caret shows the place");
    }
    assert_string_equal(file_read(harness, precious), "precious");
}

/* Each row: an address, "%s" being a path, with an option that its groups allow for the sake of
 * other types. */
static const struct {
    const char *address;
    const char *message;
} idle[] = {
    {"EXEC:'touch %s',bind=x", " E option \"bind\" has no effect with EXEC: leave it out"},
    {"SYSTEM:'touch %s',unix-bind-tempname", " E option \"unix-bind-tempname\" has no effect with"},
    {"SHELL:'touch %s',unix-tightsocklen=0", " E option \"unix-tightsocklen\" has no effect with"},
    {"GOPEN:/dev/null,so-type=1", " E option \"so-type\" has no effect with GOPEN: leave it out"},
    {"STDIO,bind=x", " E option \"bind\" has no effect with STDIO: leave it out"},
    {"FD:1,sp=1", " E option \"sp\" has no effect with FD: leave it out"},
};

static void an_option_that_can_not_do_anything_is_named(void **state)
{
    struct harness *harness = *state;
    const char *made = path(harness, "made");

    for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
        const char *address = idle[i].address;
        if (strstr(address, "%s") != NULL)
            address = with_path(harness, address, made);
        program_ends_logging(program_start(harness, "-t0.1", address, "PIPE", NULL), 1,
                             idle[i].message);
    }
    assert_false(file_exists(made));
}

static void no_group_check_lets_any_option_through_to_fail_later(void **state)
{
    struct program *program =
        program_start(*state, "-g", "-u", "OPEN:/dev/null,nodelay", "OPEN:/dev/null", NULL);

    program_ends(program, 1);
    assert_false(program_has_logged(program, "not supported with this address type"));
}

static void sloppy_goes_on_without_an_option_that_can_not_be_used(void **state)
{
    struct program *program =
        program_start(*state, "-s", "-u", "OPEN:/dev/null,nonsense=1,nodelay,rdonly", "-", NULL);

    program_logs(program, " E *unknown option \"nonsense\"");
    program_logs(program, " E *option \"nodelay\" not supported with this address type");
    program_ends(program, 0);
}

static void sloppy_does_not_go_on_without_a_filter(void **state)
{
    struct program *program = program_start(
        *state, "-s", "-d", "-d", "TCP4-LISTEN:0,bind=" LOOPBACK ",range=1.2.3.4/33", "PIPE", NULL);

    program_ends_logging(program, 255, " E IPv4 netmask \"33\" is too large");
    assert_false(program_has_logged(program, " N listening on "));
}

/* Each row: a command line that is wrong as a whole, and the message. */
static const struct {
    const char *arguments[6];
    const char *message;
} usages[] = {
    {{NULL}, " E exactly 2 addresses required (there are 0); use option \"-h\" for help"},
    {{"-", NULL}, " E exactly 2 addresses required (there are 1)"},
    {{"-", "PIPE", "PIPE", NULL}, " E exactly 2 addresses required (there are 3)"},
    {{"-k", "-", "PIPE", NULL}, " E unknown option \"-k\"; use option \"-h\" for help"},
    {{"--statistic", "-", "PIPE", NULL}, " E unknown option \"--statistic\""},
    {{"-lk", "-", "PIPE", NULL}, " E unknown log option \"-lk\""},
    {{"-u", "-U", "-", "PIPE", NULL}, " E -U and -u must not be combined"},
    {{"-t", NULL}, " E option -t requires an argument"},
    {{"-t", "soon", "-", "PIPE", NULL}, " E option -t needs a number, and \"soon\" is not one"},
    {{"-t", "1s", "-", "PIPE", NULL}, " E option -t: unexpected \"s\" behind the number in \"1s\""},
    {{"-b", "8kB", "-", "PIPE", NULL},
     " E option -b: unexpected \"B\" behind the number in \"8kB\""},
    {{"-b", "-1", "-", "PIPE", NULL}, " E "},
    {{"-t", "-1", "-", "PIPE", NULL}, " E "},
    {{"-T", "nan", "-", "PIPE", NULL}, " E "},
    {{"-lyNOWHERE", "-", "PIPE", NULL}, " E unknown syslog facility \"NOWHERE\""},
    {{"-L", "a", "-W", "b", "-", NULL}, " E only one -L and -W option allowed"},
    {{"-lf", "/nonexistent/log", "-", "PIPE", NULL}, "/nonexistent/log*No such file"},
    {{"EXEC:ls", "-l", "-", NULL}, " E quote a command line that has blanks"},
    {{"TCP-LISTEN:1,", "fork", "PIPE", NULL}, " E write no blank beside a comma of an address"},
    {{"-", "PIPE", "-v", NULL},
     " E options come before the addresses, as in: *modcat -v <address>"},
    {{"-l", "9303", NULL}, " E unknown log option \"-l\"*TCP-LISTEN:<port>"},
};

static void a_wrong_command_line_is_an_error(void **state)
{
    struct harness *harness = *state;

    for (size_t i = 0; i < sizeof(usages) / sizeof(usages[0]); i++) {
        struct program *program =
            program_launch(harness, &(struct launch){.arguments = usages[i].arguments});
        program_ends_logging(program, 1, usages[i].message);
    }
}

/* All that is wrong in both addresses is told in one run, up to a limit. */
static void every_mistake_of_a_line_is_told(void **state)
{
    struct program *program =
        program_start(*state, "TCP-LISTNE:1,reuseadr,fork", "PIPE:a:b,crat,perm=9", NULL);

    program_ends_logging(program, 1, " E unknown device/address \"TCP-LISTNE\"; did you mean ");
    program_logs(program, " E unknown option \"reuseadr\"; did you mean \"reuseaddr\"");
    program_logs(program, " E PIPE: wrong number of parameters");
    program_logs(program, " E unknown option \"crat\"; did you mean \"creat\"");
    program_logs(program, " E *option \"perm=9\" needs octal permissions");
}

static void a_hundred_mistakes_are_told_in_few_words(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, repeated(harness, "PIPE", ",nonsense", 100), "PIPE", NULL);

    program_ends_logging(program, 1, " E there may be more mistakes in the options that follow");
    assert_true(strlen(program_log(program)) < 4096);
}

static void an_unresolvable_host_is_an_error(void **state)
{
    struct program *program = program_start(*state, "TCP4:[::1]:80", "PIPE", NULL);

    program_ends_logging(program, 1,
                         " E cannot look up host ::1: an IPv6 address, where only IPv4 is used");
}

static void an_unknown_service_is_an_error(void **state)
{
    struct program *program =
        program_start(*state, "TCP4:" LOOPBACK ":no-such-service", "PIPE", NULL);

    program_ends_logging(program, 1, " E *no-such-service");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(a_mistake_in_the_first_address_is_shown_before_anything_is_opened),
        SYSTEM_TEST(a_mistake_in_the_second_address_is_shown_before_anything_is_opened),
        SYSTEM_TEST(giant_addresses_are_refused_quickly_and_in_few_words),
        SYSTEM_TEST(an_option_that_can_not_do_anything_is_named),
        SYSTEM_TEST(no_group_check_lets_any_option_through_to_fail_later),
        SYSTEM_TEST(sloppy_goes_on_without_an_option_that_can_not_be_used),
        SYSTEM_TEST(sloppy_does_not_go_on_without_a_filter),
        SYSTEM_TEST(a_wrong_command_line_is_an_error),
        SYSTEM_TEST(every_mistake_of_a_line_is_told),
        SYSTEM_TEST(a_hundred_mistakes_are_told_in_few_words),
        SYSTEM_TEST(an_unresolvable_host_is_an_error),
        SYSTEM_TEST(an_unknown_service_is_an_error),
    };
    return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
