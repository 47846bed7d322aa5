/* The first process of the kernel: what an init does, as far as the tests need it. */

#define _GNU_SOURCE
#include "tests/kernel/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where the tests put their files: the host's /tmp may hold what is tested. */
#define SCRATCH "/dev/shm"

static const struct {
    const char *type;
    const char *place;
} mounts[] = {{"proc", "/proc"}, {"sysfs", "/sys"}, {"tmpfs", SCRATCH}, {"devpts", "/dev/pts"}};

static const char *const modules[] = {"sctp", "dccp_ipv4", "dccp_ipv6",     "vsock_loopback",
                                      "tls",  "gcm",       "ghash-generic", "ctr"};

/* The kernel's own check of cookies needs a module of cryptography. SCTP need not wait long for an
 * answer on loopback. DCCP loses what its receiver has no room for, so that there must be some. */
static const struct {
    const char *path;
    const char *value;
} settings[] = {
    {"/proc/sys/net/sctp/cookie_hmac_alg", "none"}, {"/proc/sys/net/sctp/rto_min", "20"},
    {"/proc/sys/net/sctp/rto_initial", "50"},       {"/proc/sys/net/sctp/sack_timeout", "10"},
    {"/proc/sys/net/core/rmem_max", "8000000"},     {"/proc/sys/net/core/wmem_max", "8000000"},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

bool kernel_is_init(void)
{
    return getpid() == 1 && getenv("MODCAT_KERNEL_MODULES") != NULL;
}

static void complain(const char *what, const char *whom)
{
    printf("%s %s: %s\n", what, whom, strerror(errno));
}

static void mount_all(void)
{
    for (size_t i = 0; i < COUNT(mounts); i++) {
        mkdir(mounts[i].place, 01777);
        if (mount("none", mounts[i].place, mounts[i].type, 0, NULL) < 0)
            complain("mount", mounts[i].place);
    }
}

static void start_loopback(void)
{
    struct ifreq interface = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &interface) < 0)
        complain("ioctl", "lo");
    close(fd);
}

static int run(char *const arguments[])
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        execvp(arguments[0], arguments);
        complain("exec", arguments[0]);
        _exit(127);
    }
    for (pid_t ended = 0; ended != pid;) {
        ended = waitpid(-1, &status, 0);
        if (ended < 0 && errno != EINTR)
            return 1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void load_modules(void)
{
    for (size_t i = 0; i < COUNT(modules); i++) {
        char *arguments[] = {"modprobe", "-d", getenv("MODCAT_KERNEL_MODULES"), (char *)modules[i],
                             NULL};
        if (run(arguments) != 0)
            printf("modprobe %s fails\n", modules[i]);
    }
}

static void set(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, value, strlen(value)) < 0)
        complain("writing", path);
    if (fd >= 0)
        close(fd);
}

int kernel_init(const char *program)
{
    char *arguments[] = {(char *)program, "inside", NULL};
    puts(KERNEL_BEGINS);
    setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
    setenv("SHELL", "/bin/sh", 1);
    setenv("TMPDIR", SCRATCH, 1);
    mount_all();
    start_loopback();
    load_modules();
    for (size_t i = 0; i < COUNT(settings); i++)
        set(settings[i].path, settings[i].value);
    fflush(stdout);
    printf(KERNEL_ENDS " %d\n", run(arguments));
    fflush(stdout);
    return reboot(RB_POWER_OFF);
}
