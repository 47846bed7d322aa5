/* procan: shows what its own process is, which is what its parent has left to it: identities,
 * terminal, limits; and constants of the system. */

#define _GNU_SOURCE
#include "companions/options.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static const struct options_help help = {
    .program = "procan",
    .summary = "show what the process is allowed to do and belongs to",
    .options = "      -h|-?  print this help, and exit\n"
               "      -c     print constants of the C library, and exit\n",
};

static const struct limit {
    const char *name;
    int resource;
} limits[] = {
    {"cpu time (seconds)", RLIMIT_CPU},
    {"file size (blocks)", RLIMIT_FSIZE},
    {"data seg size (kbytes)", RLIMIT_DATA},
    {"stack size (blocks)", RLIMIT_STACK},
    {"core file size (blocks)", RLIMIT_CORE},
    {"max resident set size", RLIMIT_RSS},
    {"max user processes", RLIMIT_NPROC},
    {"open files", RLIMIT_NOFILE},
    {"max locked-in-memory", RLIMIT_MEMLOCK},
    {"virtual memory (kbytes)", RLIMIT_AS},
};

/* Names are filled up to this; behind longer ones there are some blanks. */
#define SIZE_COLUMN 9
#define SIZE_PADDING 5

static const struct size {
    const char *type;
    size_t bytes;
} sizes[] = {
    {"char", sizeof(char)},
    {"short", sizeof(short)},
    {"int", sizeof(int)},
    {"long", sizeof(long)},
    {"long long", sizeof(long long)},
    {"size_t", sizeof(size_t)},
    {"struct timespec", sizeof(struct timespec)},
};

enum form { DECIMAL_FORM, HEXADECIMAL_FORM, BITS_FORM };

#define DECIMAL(name) {#name, name, DECIMAL_FORM}
#define HEXADECIMAL(name) {#name, name, HEXADECIMAL_FORM}
#define BITS(name) {#name, name, BITS_FORM}

/* Scripts take from here what they write into addresses, in socat's notation. */
static const struct constant {
    const char *name;
    long value;
    enum form form;
} constants[] = {
    DECIMAL(FD_SETSIZE),
    DECIMAL(NFDBITS),
    DECIMAL(O_RDONLY),
    DECIMAL(O_WRONLY),
    DECIMAL(O_RDWR),
    DECIMAL(SHUT_RD),
    DECIMAL(SHUT_WR),
    DECIMAL(SHUT_RDWR),
    BITS(CRDLY),
    BITS(CR0),
    BITS(CR1),
    BITS(CR2),
    BITS(CR3),
    BITS(TABDLY),
    BITS(TAB0),
    BITS(TAB1),
    BITS(TAB2),
    BITS(TAB3),
    BITS(CSIZE),
    HEXADECIMAL(TIOCEXCL),
    DECIMAL(FOPEN_MAX),
    DECIMAL(PIPE_BUF),
    DECIMAL(PF_UNIX),
    DECIMAL(PF_INET),
    DECIMAL(PF_INET6),
    DECIMAL(PF_APPLETALK),
    DECIMAL(PF_PACKET),
    DECIMAL(PF_VSOCK),
    DECIMAL(SOCK_STREAM),
    DECIMAL(SOCK_DGRAM),
    DECIMAL(SOCK_RAW),
    DECIMAL(SOCK_SEQPACKET),
    DECIMAL(SOCK_PACKET),
    DECIMAL(IPPROTO_IP),
    DECIMAL(IPPROTO_TCP),
    DECIMAL(IPPROTO_UDP),
    DECIMAL(IPPROTO_SCTP),
    DECIMAL(IPPROTO_DCCP),
    DECIMAL(IPPROTO_UDPLITE),
    HEXADECIMAL(SOL_SOCKET),
    HEXADECIMAL(SOL_PACKET),
    HEXADECIMAL(SOL_IP),
    HEXADECIMAL(SOL_IPV6),
    HEXADECIMAL(SOL_TCP),
    HEXADECIMAL(SOL_DCCP),
    DECIMAL(SO_REUSEADDR),
    DECIMAL(TCP_MAXSEG),
};

static void show_constant(const struct constant *constant)
{
    if (constant->form == BITS_FORM)
        printf("#define %s %012lo\n", constant->name, constant->value);
    else if (constant->form == HEXADECIMAL_FORM)
        printf("#define %s 0x%lx\n", constant->name, constant->value);
    else
        printf("#define %s %ld\n", constant->name, constant->value);
}

static void show_constants(void)
{
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++)
        show_constant(&constants[i]);
}

/* Returns whether there is one. */
static bool show_terminal(void)
{
    char name[L_ctermid];
    int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        puts("controlling terminal: -");
        return false;
    }
    printf("controlling terminal: \"%s\"\n", ctermid(name));
    close(fd);
    return true;
}

static void show_groups(bool has_terminal)
{
    static const char *const streams[] = {"stdin", "stdout", "stderr"};
    printf("process group id = %d\n", (int)getpgrp());
    printf("process session id = %d\n", (int)getsid(0));
    for (int fd = 0; fd < 3; fd++)
        printf("process group id if fg process / %s = %d\n", streams[fd], (int)tcgetpgrp(fd));
    printf("process %s a controlling terminal\n", has_terminal ? "has" : "does not have");
}

static void show_users(void)
{
    mode_t mask = umask(0);
    umask(mask);
    printf("user id  = %u\neffective user id  = %u\n", (unsigned)getuid(), (unsigned)geteuid());
    printf("group id = %u\neffective group id = %u\n", (unsigned)getgid(), (unsigned)getegid());
    printf("umask = 0%03o\n", (unsigned)mask);
}

static void show_limits(void)
{
    printf("\nRESOURCE LIMITS\n%-24s%24s%24s\n", "resource", "current", "maximum");
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct rlimit limit;
        if (getrlimit(limits[i].resource, &limit) == 0)
            printf("%-24s%24llu%24llu\n", limits[i].name, (unsigned long long)limit.rlim_cur,
                   (unsigned long long)limit.rlim_max);
    }
}

static void show_sizes(void)
{
    const uint16_t probe = 1;
    printf("SIZE_MAX                  = %-24zu\nFD_SETSIZE                = %d\n"
           "PIPE_BUF                  = %d\n",
           SIZE_MAX, FD_SETSIZE, PIPE_BUF);
    printf("\nC TYPE SIZES\n");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t length = strlen(sizes[i].type);
        int padding = length <= SIZE_COLUMN ? (int)(SIZE_COLUMN - length) : SIZE_PADDING;
        printf("sizeof(%s)%*s = %zu\n", sizes[i].type, padding, "", sizes[i].bytes);
    }
    printf("byte order = %s\n", *(const uint8_t *)&probe == 1 ? "little endian" : "big endian");
}

static void show_network(void)
{
    char name[64];
    ssize_t length = readlink("/proc/self/ns/net", name, sizeof name);
    if (length > 0)
        printf("\nnetwork namespace = %.*s\n", (int)length, name);
    struct if_nameindex *list = if_nameindex();
    printf("\nIP INTERFACES\n");
    for (size_t i = 0; list != NULL && list[i].if_index != 0; i++)
        printf("%2u: %s\n", list[i].if_index, list[i].if_name);
    if_freenameindex(list);
}

static void show_process(void)
{
    printf("process id = %d\nprocess parent id = %d\n", (int)getpid(), (int)getppid());
    show_groups(show_terminal());
    show_users();
    show_limits();
    show_sizes();
    show_network();
}

int main(int argc, char **argv)
{
    const char *option = argc > 1 ? argv[1] : NULL;
    if (argc > 2)
        return options_refuse(&help, "superfluous argument \"%s\"", argv[2]);
    if (option == NULL)
        show_process();
    else if (strcmp(option, "-c") == 0)
        show_constants();
    else if (option[0] != '-')
        return options_refuse(&help, "superfluous argument \"%s\"", option);
    else if (option[1] == 'h' || option[1] == '?')
        options_print_help(stdout, &help);
    else
        return options_refuse(&help, "unknown option \"%s\"", option);
    return fflush(stdout) == 0 ? 0 : options_fail(&help, "cannot print: %s", strerror(errno));
}
