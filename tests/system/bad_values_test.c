/* Bad values of options: each option of each driver, as the help names it, gets values that its
 * type does not take. The program says so, shows the place, and has opened nothing. */

#define _GNU_SOURCE
#include "tests/system/harness.h"

#include <dirent.h>
#include <string.h>

#define TYPES "address-head:\n"
#define OPTIONS "\n   opt:\n"

/* Groups whose options any type takes. */
#define GROUPS_EVERYWHERE "PROCESS,APPL"

/* In the place of "=" and a value: the name alone. */
#define BARE "bare"

/* Each row: a type of values, as the help calls it, and what it does not take. */
static const struct bad {
    const char *type;
    const char *values[10];
} bad[] = {
    {"CONST", {"", "1", "yes", "x"}},
    {"BOOL", {"", "maybe", "1x", "yesno", " ", "99999999999999999999"}},
    {"BYTE", {"", "x", "256", "-1", "1x", "99999999999999999999"}},
    {"INT",
     {"", "x", "4294967296", "2147483648", "-2147483649", "1x", "0x", "99999999999999999999"}},
    {"INT/NULL", {"x", "4294967296", "2147483648", "-2147483649", "1x"}},
    {"UNSIGNED-INT", {"", "x", "4294967296", "-1", "1x", "99999999999999999999"}},
    {"UNSIGNED-SHORT", {"", "x", "65536", "-1", "1x", "99999999999999999999"}},
    {"LONG", {"", "x", "9223372036854775808", "-9223372036854775809", "1x"}},
    {"SIZE_T", {"", "x", "k", "-1", "9223372036854775808", "8589934592G", "1kB", "1P", "1.5"}},
    {"OFF_T", {"", "x", "9223372036854775808", "8589934592G", "-8589934593G", "1kB", "1.5"}},
    {"MODE_T", {BARE, "", "8", "rw", "10000", "-1", "7x", "99999999999999999999"}},
    {"UID_T", {BARE, "", "no-such-user", "-1", "4294967295", "0x", "99999999999999999999"}},
    {"GID_T", {BARE, "", "no-such-group", "-1", "4294967295", "0x", "99999999999999999999"}},
    {"STRING", {BARE, ""}},
    {"STRING-NULL", {NULL}},
    {"STRUCT-TIMEVAL", {BARE, "", "x", "-1", "nan", "inf", "1x", "1e30", "1.5.5"}},
    {"STRUCT-TIMESPEC", {BARE, "", "x", "-1", "nan", "inf", "1x", "1e30", "1.5.5"}},
    {"STRUCT-LINGER", {BARE, "", "x", "-1", "1x", "2147483648"}},
    {"BIN", {BARE, "z", "x1", "xz", "i", "i99999999999", "b256", "\\\"open", "\\'a"}},
    {"INT:INT", {BARE, "", "1", "x:1", "1:", "1:x", "1:1x", "1:99999999999", ":1", "1:1:1"}},
    {"INT:INTP", {BARE, "", "1", "x:1", "1:", "1:x", "1:1x", "1:99999999999", ":1", "1:1:1"}},
    {"INT:BIN", {BARE, "", "1", "x:x00", "1:z", "1:x0", "99999999999:x00"}},
    {"INT:STRING", {BARE, "", "1", "x:text", "99999999999:text", ":text"}},
    {"INT:INT:INT", {BARE, "", "1", "1:2", "x:1:1", "1:x:1", "1:1:x", "1:1:", "1:1:1x", "1::1"}},
    {"INT:INT:BIN", {BARE, "", "1", "1:2", "x:1:x00", "1:x:x00", "1:1:z", "1:1:x0", "1::x00"}},
    {"INT:INT:STRING", {BARE, "", "1", "1:2", "x:1:text", "1:x:text", "1::text"}},
    {"CHOICE", {BARE, "", "no-such-word", "1"}},
    {"IP4NAME", {BARE, ""}},
    {"IP4SOCK", {BARE, ""}},
    {"STRUCT-IP_MREQN", {BARE, "", "224.0.0.1", "[ff02::1]"}},
    {"IP-MREQ-SOURCE", {BARE, "", "224.0.0.1", "[ff02::1]"}},
};

/* Texts that may be empty: one that is shown or sent, a pattern, a list, or where this stands for
 * none. */
static const char *const may_be_empty[] = {
    "noecho",   "openssl-commonname",  "openssl-psk-identity", "openssl-snihost", "path",
    "prompt",   "proxy-authorization", "so-bindtodevice",      "socks-password",  "socksuser",
    "tun-name", "ws-origin",
};

/* What stands for the parameters in the help, so that an address is right but for its option. */
static const struct {
    const char *name;
    const char *value;
} parameters[] = {
    {"<address>", "PIPE"},
    {"<path>", "/path"},
    {"<host>", "127.0.0.1"},
    {"<proxy-server>", "127.0.0.1"},
    {"<socks-server>", "127.0.0.1"},
    {"<socks-port>", "1080"},
    {"<ip-addr>", "10.0.0.1"},
    {"<bits>", "8"},
    {"<port>", "1"},
    {"<cid>", "1"},
    {"<vsock-port>", "1"},
    {"<fdnum>", "1"},
    {"<protocol>", "200"},
    {"<domain>", "2"},
    {"<type>", "1"},
    {"<local-address>", "x0000"},
    {"<remote-address>", "x0000"},
    {"<interface>", "lo"},
    {"<filename>", "%s"},
    {"<mqname>", "/modcat-no-such-queue"},
    {"<string>", "text"},
    {"<command-line>", "touch %s"},
    {"<shell-command>", "touch %s"},
};

static const char *parameter(struct harness *harness, const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
        if (strlen(parameters[i].name) == length &&
            strncmp(parameters[i].name, name, length) == 0) {
            const char *value = parameters[i].value;
            return strstr(value, "%s") == NULL ? value
                                               : with_path(harness, value, path(harness, "made"));
        }
    harness_fail(harness, "nothing stands for %.*s", (int)length, name);
}

/* "TYPE:<host>:<port>" with values for the parameters; those in brackets are left out, and so are
 * the dots behind what there may be more of. */
static const char *address_of(struct harness *harness, const char *head)
{
    const char *address = "";
    while (*head != '\0') {
        size_t length = 1;
        if (*head == '[') {
            length = strcspn(head, "]") + 1;
        } else if (*head == '.') {
            length = strspn(head, ".");
        } else if (*head == '<') {
            length = strcspn(head, ">") + 1;
            address = text(harness, "%s%s", address, parameter(harness, head, length));
        } else {
            address = text(harness, "%s%c", address, *head);
        }
        head += length;
    }
    return address;
}

/* True when both lists, which end at a blank, have a word in common. */
static bool share_a_word(const char *one, const char *other)
{
    for (; *one != '\0'; one += strspn(one, ",")) {
        size_t length = strcspn(one, ",\t\n ");
        for (const char *word = other;;) {
            size_t size = strcspn(word, ",\t\n ");
            if (size == length && strncmp(word, one, length) == 0)
                return true;
            if (word[size] != ',')
                break;
            word += size + 1;
        }
        if (one[length] != ',')
            return false;
        one += length;
    }
    return false;
}

static const char *first_type(struct harness *harness, const char *help, const char *groups)
{
    bool everywhere = share_a_word(groups, GROUPS_EVERYWHERE);
    const char *line = strstr(help, TYPES), *end = strstr(help, OPTIONS);
    for (line += strlen(TYPES); line < end; line = strchr(line, '\n') + 1) {
        const char *type_groups = memmem(line, strcspn(line, "\n"), "groups=", strlen("groups="));
        if (type_groups != NULL &&
            (everywhere || share_a_word(groups, type_groups + strlen("groups="))))
            return text(harness, "%.*s", (int)strcspn(line + 6, "\t\n "), line + 6);
    }
    harness_fail(harness, "no type takes options of %.*s", (int)strcspn(groups, "\t\n"), groups);
}

static const struct bad *bad_of_type(struct harness *harness, const char *type)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (strcmp(bad[i].type, type) == 0)
            return &bad[i];
    harness_fail(harness, "no bad values are known of type %s", type);
}

/* What stands above the caret in what was logged, or NULL. */
static const char *above_caret(const char *log)
{
    const char *caret = strstr(log, " ^");
    const char *line = caret != NULL ? memrchr(log, '\n', (size_t)(caret - log)) : NULL;
    const char *above = line != NULL ? memrchr(log, '\n', (size_t)(line - log)) : NULL;
    if (line == NULL)
        return NULL;
    return (above == NULL ? log : above + 1) + (caret + 1 - (line + 1));
}

static void is_refused(struct harness *harness, const char *address, const char *place)
{
    const char *precious = path(harness, "precious");
    file_write(harness, precious, "precious");
    struct program *program =
        program_start(harness, "-d", "-d", text(harness, "CREATE:%s", precious), address, NULL);
    program_ends_logging(program, 1, " E ");
    const char *above = above_caret(program_log(program));
    if (above == NULL)
        harness_fail(harness, "%s: no caret shows the place", address);
    if (strncmp(above, place, strlen(place)) != 0)
        harness_fail(harness, "%s: the caret is under \"%.20s\" and not under \"%s\"", address,
                     above, place);
    if (strcmp(file_read(harness, precious), "precious") != 0)
        harness_fail(harness, "%s: the other address was opened", address);
}

static bool is_listed(const char *name)
{
    for (size_t i = 0; i < sizeof may_be_empty / sizeof may_be_empty[0]; i++)
        if (strcmp(name, may_be_empty[i]) == 0)
            return true;
    return false;
}

/* What has to stand behind a layer that is nothing by itself. */
static const char *tail_of(const char *head)
{
    static const char *const layers[] = {"KEEP", "PP"};
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++)
        if (strcmp(head, layers[i]) == 0)
            return "|PIPE";
    return "";
}

/* The first two fields of a line of the help: "NAME <tab> groups=... type=TYPE". */
static size_t refuse_option(struct harness *harness, const char *help, const char *line)
{
    const char *name = text(harness, "%.*s", (int)strcspn(line, "\t\n "), line);
    const char *groups = strstr(line, "groups=") + strlen("groups=");
    const char *type = strstr(line, "type=") + strlen("type=");
    const char *head = address_of(harness, first_type(harness, help, groups));
    const char *const *value =
        bad_of_type(harness, text(harness, "%.*s", (int)strcspn(type, "\t\r\n "), type))->values;
    size_t count = 0;
    for (; value[count] != NULL; count++) {
        if (*value[count] == '\0' && is_listed(name))
            continue;
        if (strcmp(value[count], BARE) == 0)
            is_refused(harness, text(harness, "%s,%s%s", head, name, tail_of(head)), name);
        else
            is_refused(harness,
                       text(harness, "%s,%s=%s%s", head, name, value[count], tail_of(head)),
                       *value[count] != '\0' ? value[count] : name);
    }
    return count;
}

static void only_holds(struct harness *harness, const char *folder, const char *name)
{
    DIR *listing = opendir(folder);
    assert_non_null(listing);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, name) != 0)
            harness_fail(harness, "\"%s\" was made", entry->d_name);
    closedir(listing);
}

static void every_option_refuses_what_its_type_does_not_take(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-hhh", NULL);
    program_ends(program, 0);
    const char *help = text(harness, "%s", program_output(program, NULL));
    size_t options = 0, values = 0;

    for (const char *line = strstr(help, OPTIONS); line != NULL; line = strchr(line, '\n')) {
        line += strspn(line, "\n ");
        if (memmem(line, strcspn(line, "\n"), "groups=", strlen("groups=")) == NULL)
            continue;
        values += refuse_option(harness, help, line);
        options++;
    }
    assert_true(options > 200 && values > 1000);
    only_holds(harness, path(harness, "."), "precious");
}

#define TEN_BYTES "x01010101010101010101"

/* Each row: an address, "%s" being a path that is not to be made, whose option has a value of the
 * right type that it can't use, or lacks another one; and what stands above the caret. */
static const struct {
    const char *address;
    const char *place;
} unfit[] = {
    {"PTY,link=%s,winsz=80", "80"},
    {"PTY,link=%s,winsz=0x0", "0x0"},
    {"PTY,link=%s,winsz=80x", "80x"},
    {"PTY,link=%s,winsz=x25", "x25"},
    {"PTY,link=%s,winsz=80x25x2", "80x25x2"},
    {"PTY,link=%s,winsz=80x-1", "80x-1"},
    {"PTY,link=%s,winsz=80x65536", "80x65536"},
    {"PTY,link=%s,tiocswinsz=", "tiocswinsz"},
    {"PTY,link=%s,setflags=", "setflags"},
    {"PTY,link=%s,setflags=1:2:3", "1:2:3"},
    {"PTY,link=%s,setflags=1:2:3:x", "1:2:3:x"},
    {"PTY,link=%s,setflags=1:2:3:4:5", "1:2:3:4:5"},
    {"PTY,link=%s,termios-setflags=1:2:3:100000000", "1:2:3:1"},
    {"PTY,link=%s,ispeed=9601", "9601"},
    {"PTY,link=%s,ospeed=1000000000", "1000000000"},
    {"PTY,link=%s,csize=9", "9"},
    {"PTY,link=%s,csize=4", "4"},
    {"PTY,link=%s,crdly=4", "4"},
    {"PTY,link=%s,tabdly=4", "4"},
    {"SYSTEM:'touch %s',pty,winsz=80", "80"},
    {"EXEC:true,setpgid=-5", "-5"},
    {"SYSTEM:true,pgid=-1", "-1"},
    {"CREATE:%s,f-setpipe-sz=1kB", "f-setpipe-sz"},
    {"PIPE:%s,f-setpipe-sz=-1", "-1"},
    {"UDP6:[::1]:1,mtudiscover6=6", "6"},
    {"UDP6:[::1]:1,mtudiscover6=-1", "-1"},
    {"UDP4:127.0.0.1:1,mtudiscover=6", "6"},
    {"UDP6:[::1]:1,mcloop6=2", "2"},
    {"UDP6:[::1]:1,ipv6-multicast-loop=-1", "-1"},
    {"INTERFACE:lo,if-mtu=0", "0"},
    {"INTERFACE:lo,if-mtu=70000", "70000"},
    {"TUN,if-mtu=70000", "70000"},
    {"TCP4:127.0.0.1:1,so-bindtodevice=sixteen-letters!", "sixteen-letters!"},
    {"UDP4:127.0.0.1:1,ip-options=" TEN_BYTES TEN_BYTES TEN_BYTES TEN_BYTES "x01", TEN_BYTES},
    {"TUN,interface-mtu=-1", "-1"},
    {"POSIXMQ-SEND:/modcat-none,mq-maxmsg=0", "0"},
    {"POSIXMQ-SEND:/modcat-none,mq-maxmsg=-1", "-1"},
    {"POSIXMQ-SEND:/modcat-none,mq-msgsize=0", "0"},
    {"POSIXMQ-SEND:/modcat-none,mq-prio=-1", "-1"},
    {"POSIXMQ-SEND:/modcat-none,mq-prio=32768", "32768"},
    {"SOCKS5:127.0.0.1:127.0.0.1:1,sockspass=x", "sockspass="},
    {"SOCKS5:127.0.0.1:127.0.0.1:1,socksuser=,sockspass=x", "socksuser="},
    {"SOCKS4:127.0.0.1:127.0.0.1:1,socksuser=x,sockspass=x", "sockspass"},
    {"SOCKS4A:127.0.0.1:127.0.0.1:1,socks-password-file=x", "socks-password-file"},
    {"UNIX-LISTEN:%s,bind=", "bind"},
    {"UNIX-LISTEN:%s,bind=x", "bind=x"},
    {"UNIX-RECV:%s,bind=x", "bind=x"},
    {"UNIX-RECVFROM:%s,bind=x", "bind=x"},
    {"ABSTRACT-LISTEN:none,bind=x", "bind=x"},
    {"ABSTRACT-RECV:none,bind=x", "bind=x"},
    {"ABSTRACT-RECVFROM:none,bind=x", "bind=x"},
    {"UNIX-CONNECT:%s,bind=", "bind"},
    {"PTY,link=", "link"},
    {"EXEC:'touch %s',pty,link=", "link"},
    {"EXEC:'touch %s',link=x", "link=x"},
    {"EXEC:'touch %s',pty=0,link=x", "link=x"},
    {"SYSTEM:'touch %s',wait-slave", "wait-slave"},
    {"SHELL:'touch %s',pty-interval=1", "pty-interval=1"},
    {"EXEC:'touch %s',sitout-eio=1", "sitout-eio=1"},
    {"UDP4-RECV:0,ip-add-membership=224.0.0.1:lo:1:2", "224.0.0.1:lo:1:2"},
    {"UDP4-RECV:0,ip-add-source-membership=224.0.0.1:lo", "224.0.0.1:lo"},
    {"UDP6-RECV:0,ipv6-join-source-group=[ff02::1]:lo", "[ff02::1]:lo"},
    {"TCP4:127.0.0.1:1,pf=nonsense", "nonsense"},
    {"TCP4:127.0.0.1:1,pf=", "pf"},
    {"TCP4:127.0.0.1:1,socks-password=x", "socks-password"},
    {"TEXT:x,winsz=80x25", "winsz"},
    {"TEXT", "TEXT"},
    {"TEXT:x:y", "y"},
    {"STALL:x", "x"},
    {"TUN,tun-type=tub", "tub"},
    {"TUN,tun-name=an-interface-name", "an-interface-name"},
    {"OPENSSL:127.0.0.1:1,method=SSL9", "SSL9"},
    {"OPENSSL:127.0.0.1:1,compress=zip", "zip"},
    {"OPENSSL:127.0.0.1:1,min-proto-version=TLS9", "TLS9"},
    {"OPENSSL:127.0.0.1:1,max-proto-version=", "max-proto-version"},
    {"OPENSSL:127.0.0.1:1,maxfraglen=1000", "1000"},
    {"OPENSSL:127.0.0.1:1,maxsendfrag=100", "100"},
    {"OPENSSL:127.0.0.1:1,maxsendfrag=16385", "16385"},
    {"OPENSSL:127.0.0.1:1,alpn=h2::x", "h2::x"},
    {"VSOCK:x:9", "x:9"},
    {"VSOCK:4294967296:9", "4294967296"},
    {"VSOCK:1:1x", "1x"},
    {"VSOCK-LISTEN:4294967296", "4294967296"},
    {"IP-SENDTO:127.0.0.1:256", "256"},
    {"IP4-SENDTO:127.0.0.1:icmp", "icmp"},
    {"IP6-RECV:1x", "1x"},
};

static void an_unfit_value_is_refused_before_anything_is_opened(void **state)
{
    struct harness *harness = *state;
    for (size_t i = 0; i < sizeof unfit / sizeof unfit[0]; i++) {
        const char *address = unfit[i].address;
        if (strstr(address, "%s") != NULL)
            address = with_path(harness, address, path(harness, "made"));
        is_refused(harness, address, unfit[i].place);
    }
    only_holds(harness, path(harness, "."), "precious");
}

/* Each row: what stands before and behind a text in an address, and how long that may be. */
static const struct {
    const char *front;
    const char *back;
    size_t most;
} lengths[] = {
    {"UNIX:", "", 107},
    {"UNIX-LISTEN:", "", 107},
    {"UNIX-SENDTO:", "", 107},
    {"ABSTRACT:", "", 107},
    {"ABSTRACT-RECV:", "", 107},
    {"INTERFACE:", "", 15},
    {"TUN,tun-name=", "", 15},
    {"TCP4:127.0.0.1:1,so-bindtodevice=", "", 15},
    {"POSIXMQ-SEND:/", "", 255},
    {"SOCKS4A:127.0.0.1:", ":80", 255},
    {"SOCKS5:127.0.0.1:", ":80", 255},
    {"PROXY:127.0.0.1:", ":80", 255},
    {"SOCKS4:127.0.0.1:127.0.0.1:80,socksuser=", "", 255},
    {"SOCKS5:127.0.0.1:127.0.0.1:80,socksuser=", "", 255},
    {"SOCKS5:127.0.0.1:127.0.0.1:80,socks-password=", "", 255},
    {"SOCKS5:127.0.0.1:127.0.0.1:80,socksuser=x,sockspass=", "", 255},
    {"OPENSSL:127.0.0.1:1,alpn=", "", 255},
};

static const char *letters(struct harness *harness, size_t count)
{
    char *made = memory(harness, count + 1);
    memset(made, 'n', count);
    made[count] = '\0';
    return made;
}

/* The caret stands under the secret's mask where the value is one. */
static void a_text_that_is_too_long_is_refused_before_anything_is_opened(void **state)
{
    struct harness *harness = *state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        const char *address = text(harness, "%s%s%s", lengths[i].front,
                                   letters(harness, lengths[i].most + 1), lengths[i].back);
        is_refused(harness, address, "");
    }
}

/* Empty is a command that does nothing, or data of no length. */
static bool may_be_empty_parameter(const char *name)
{
    return strncmp(name, "<shell-command>", strlen("<shell-command>")) == 0 ||
           strncmp(name, "<local-address>", strlen("<local-address>")) == 0 ||
           strncmp(name, "<remote-address>", strlen("<remote-address>")) == 0;
}

/* As address_of(), with the parameter that is named at `empty` left empty. */
static const char *address_without(struct harness *harness, const char *head, const char *empty)
{
    const char *address = "";
    while (*head != '\0') {
        size_t length = 1;
        if (*head == '<') {
            length = strcspn(head, ">") + 1;
            if (head != empty)
                address = text(harness, "%s%s", address, parameter(harness, head, length));
        } else if (*head != '[' && *head != ']') {
            address = text(harness, "%s%c", address, *head);
        }
        head += length;
    }
    return address;
}

static size_t refuse_empty_parameters(struct harness *harness, const char *head)
{
    size_t count = 0;
    for (const char *name = head; (name = strchr(name, '<')) != NULL; name++)
        if (!may_be_empty_parameter(name)) {
            is_refused(harness, address_without(harness, head, name), "");
            count++;
        }
    return count;
}

static void every_type_refuses_an_empty_parameter(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-hhh", NULL);
    program_ends(program, 0);
    const char *help = text(harness, "%s", program_output(program, NULL));
    const char *line = strstr(help, TYPES), *end = strstr(help, OPTIONS);
    size_t count = 0;
    for (line += strlen(TYPES); line < end; line = strchr(line, '\n') + 1) {
        line += strspn(line, " ");
        if (memmem(line, strcspn(line, "\n"), "groups=", strlen("groups=")) == NULL)
            continue;
        count += refuse_empty_parameters(harness,
                                         text(harness, "%.*s", (int)strcspn(line, "\t\n "), line));
    }
    assert_true(count > 100);
    only_holds(harness, path(harness, "."), "precious");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(every_option_refuses_what_its_type_does_not_take),
        SYSTEM_TEST(an_unfit_value_is_refused_before_anything_is_opened),
        SYSTEM_TEST(a_text_that_is_too_long_is_refused_before_anything_is_opened),
        SYSTEM_TEST(every_type_refuses_an_empty_parameter),
    };
    return cmocka_run_group_tests_name("bad_values", tests, NULL, NULL);
}
