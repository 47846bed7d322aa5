/* procan: shows what its own process is, which is what its parent has left to it: identities,
 * terminal, limits; and constants of the system. */

#define _GNU_SOURCE
#include "companions/options.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>
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

#define CONSTANT(name) {#name, name, false}
#define BITS(name) {#name, name, true}

static const struct constant {
    const char *name;
    long value;
    bool octal;
} constants[] = {
    CONSTANT(FD_SETSIZE), CONSTANT(NFDBITS), CONSTANT(O_RDONLY), CONSTANT(O_WRONLY),
    CONSTANT(O_RDWR),     CONSTANT(SHUT_RD), CONSTANT(SHUT_WR),  CONSTANT(SHUT_RDWR),
    CONSTANT(PIPE_BUF),   CONSTANT(PF_UNIX), CONSTANT(PF_INET),  CONSTANT(PF_INET6),
    CONSTANT(SOCK_STREAM), CONSTANT(SOCK_DGRAM), CONSTANT(SOCK_SEQPACKET),
    CONSTANT(SOL_SOCKET), BITS(CRDLY),       BITS(CR0),          BITS(CR1),
    BITS(CR2),            BITS(CR3),         BITS(TABDLY),       BITS(TAB0),
    BITS(TAB1),           BITS(TAB2),        BITS(TAB3),         BITS(CSIZE),
};

static void show_constants(void)
{
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++)
        printf(constants[i].octal ? "#define %s %012lo\n" : "#define %s %ld\n", constants[i].name,
               constants[i].value);
}

static void show_terminal(void)
{
    char name[L_ctermid];
    int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    printf("controlling terminal: %s\n", fd >= 0 ? ctermid(name) : "-");
    if (fd >= 0)
        close(fd);
}

static void show_groups(void)
{
    static const char *const streams[] = {"stdin", "stdout", "stderr"};
    printf("process group id = %d\n", (int)getpgrp());
    printf("process session id = %d\n", (int)getsid(0));
    for (int fd = 0; fd < 3; fd++)
        printf("process group id if fg process / %s = %d\n", streams[fd], (int)tcgetpgrp(fd));
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
    printf("SIZE_MAX                  = %zu\nFD_SETSIZE                = %d\n"
           "PIPE_BUF                  = %d\n",
           SIZE_MAX, FD_SETSIZE, PIPE_BUF);
    printf("\nC TYPE SIZES\n");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        printf("sizeof(%s) = %zu\n", sizes[i].type, sizes[i].bytes);
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
    show_terminal();
    show_groups();
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
    else if (strcmp(option, "-h") == 0 || strcmp(option, "-?") == 0)
        options_print_help(stdout, &help);
    else
        return options_refuse(&help, "unknown option \"%s\"", option);
    return fflush(stdout) == 0 ? 0 : options_fail(&help, "cannot print: %s", strerror(errno));
}
