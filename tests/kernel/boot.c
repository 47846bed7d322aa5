/* Boots Debian's user mode Linux, an ordinary program, and reads its console. */

#define _GNU_SOURCE
#include "tests/kernel/kernel.h"
#include "tests/system/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __x86_64__
#include <cpuid.h>
#endif

/* How long the kernel may run, in seconds: a guard against one that hangs. */
#define RUN_TIME 1500

/* Its memory, in MiB. */
#define MEMORY 256UL

#define MODULES "/usr/lib/uml/modules"

static bool is_command(const char *name)
{
    static const char *const folders[] = {"/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin",
                                          "/sbin"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[100];
        snprintf(path, sizeof path, "%s/%s", folders[i], name);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

static bool has_modules(void)
{
    glob_t found;
    bool result = glob(MODULES "/*/modules.dep", 0, NULL, &found) == 0;
    globfree(&found);
    return result;
}

/* What keeps the kernel from being run, or NULL. */
static const char *missing(void)
{
    if (!is_command("linux.uml"))
        return "user-mode-linux";
    if (!has_modules())
        return "modules of user-mode-linux in " MODULES;
    return is_command("modprobe") ? NULL : "kmod";
}

#if defined(__x86_64__) && defined(PTRACE_GETREGSET)

/* The kernel has this much room for the extended registers of its processes, and can't set those of
 * a processor that has more. */
#define REGISTERS_ROOM 2696

#ifndef NT_X86_XSTATE
#define NT_X86_XSTATE 0x202
#endif

static bool has_large_registers(void)
{
    unsigned eax, size, ecx, edx;
    return __get_cpuid_count(0xd, 0, &eax, &size, &ecx, &edx) && size > REGISTERS_ROOM;
}

#define LOAD(member)                                                                               \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, member))
#define UNLESS(value, skipped) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skipped))

/* It makes do with the basic registers where it can't read the extended ones. */
static int hide_extended_registers(void)
{
    struct sock_filter filter[] = {
        LOAD(nr),
        UNLESS(SYS_ptrace, 5),
        LOAD(args[0]),
        UNLESS(PTRACE_GETREGSET, 3),
        LOAD(args[2]),
        UNLESS(NT_X86_XSTATE, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENODEV),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* And then its programs have to do with them, too. */
#define BASIC_PROGRAMS                                                                             \
    "OPENSSL_ia32cap=0:0",                                                                         \
        "GLIBC_TUNABLES=glibc.cpu.hwcaps=-XSAVE,-XSAVEC,-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,"  \
        "-AVX512DQ,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM"

#else

#define BASIC_PROGRAMS "OPENSSL_ia32cap=0:0", "GLIBC_TUNABLES="

static bool has_large_registers(void)
{
    return false;
}

static int hide_extended_registers(void)
{
    return 0;
}

#endif

/* The running kernel. */
struct machine {
    pid_t pid;
    int console;
    char folder[256]; /* its own files, and the modules as modprobe wants them */
    bool began;
    int status; /* of the tests inside; -1: not ended */
};

/* An argument NAME=VALUE. It lives as long as the process, which becomes the kernel. */
static char *setting(const char *name, const char *value)
{
    char *result;
    return asprintf(&result, "%s=%s", name, value) < 0 ? NULL : result;
}

static int make_folder(struct machine *machine)
{
    char path[sizeof machine->folder + 32];
    const char *parent = getenv("TMPDIR");
    snprintf(machine->folder, sizeof machine->folder, "%s/modcat-kernel-XXXXXX",
             parent != NULL ? parent : "/tmp");
    if (mkdtemp(machine->folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/lib", machine->folder);
    if (mkdir(path, 0700) < 0)
        return -1;
    snprintf(path, sizeof path, "%s/lib/modules", machine->folder);
    return symlink(MODULES, path);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static void remove_folder(const struct machine *machine)
{
    if (nftw(machine->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) != 0)
        printf("removing \"%s\": %s\n", machine->folder, strerror(errno));
}

/* The kernel's memory is a file, in /dev/shm unless it is told another place; containers often have
 * little room there. */
static void choose_memory_place(const struct machine *machine)
{
    struct statvfs room;
    if (statvfs("/dev/shm", &room) < 0 || room.f_bavail * room.f_frsize < MEMORY << 20)
        setenv("TMPDIR", machine->folder, 1);
}

/* The kernel and its processes take turns, one at a time: on one processor a turn costs half. */
static void stay_on_processor(void)
{
    int current = sched_getcpu();
    cpu_set_t processors;
    CPU_ZERO(&processors);
    if (current < 0 || current >= CPU_SETSIZE)
        return;
    CPU_SET(current, &processors);
    sched_setaffinity(0, sizeof processors, &processors);
}

/* A word of the kernel's command line holds no blanks, as the path of a program may. */
static const char *link_to(const struct machine *machine, const char *name, const char *program)
{
    char *real = realpath(program, NULL), *link;
    if (real == NULL || asprintf(&link, "%s/%s", machine->folder, name) < 0 ||
        symlink(real, link) < 0)
        return program;
    return link;
}

/* On a busy machine each of its turns would wait for others, thousands of times a second: it goes
 * before them, where this user may say so. */
static void go_first(void)
{
    (void)!setpriority(PRIO_PROCESS, 0, -10);
}

static void become_kernel(const struct machine *machine, const char *program, int console)
{
    bool large = has_large_registers();
    char *const arguments[] = {
        "linux.uml",
        "mem=256M",
        "rootfstype=hostfs",
        "root=/dev/root",
        "rw",
        "hostfs=/",
        "con0=fd:0,fd:1",
        "con=null",
        "quiet",
        "panic=-1",
        setting("uml_dir", machine->folder),
        setting("init", link_to(machine, "init", program)),
        setting("MODCAT_KERNEL_MODULES", machine->folder),
        setting("MODCAT", link_to(machine, "program", program_file())),
        setting("SSL_CERT_FILE", "/dev/null"),
        getenv("MODCAT_TEST_ALL") != NULL ? "MODCAT_TEST_ALL=1" : "",
        large ? "" : NULL,
        BASIC_PROGRAMS,
        NULL,
    };
    int nothing = open("/dev/null", O_RDONLY);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setenv("HOME", machine->folder, 1);
    choose_memory_place(machine);
    stay_on_processor();
    go_first();
    if ((large && hide_extended_registers() < 0) || dup2(nothing, 0) < 0 || dup2(console, 1) < 0 ||
        dup2(console, 2) < 0)
        _exit(127);
    execvp(arguments[0], arguments);
    printf("exec linux.uml: %s\n", strerror(errno));
    fflush(stdout);
    _exit(127);
}

static int start(struct machine *machine, const char *program)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    fflush(stdout);
    machine->pid = fork();
    if (machine->pid == 0)
        become_kernel(machine, program, ends[1]);
    close(ends[1]);
    machine->console = ends[0];
    return machine->pid < 0 ? -1 : 0;
}

/* Reads the console to its end, which comes with the kernel's. */
static void watch(struct machine *machine)
{
    FILE *console = fdopen(machine->console, "r");
    char *line = NULL;
    size_t size = 0;
    while (console != NULL && getline(&line, &size, console) >= 0) {
        const char *end = strstr(line, KERNEL_ENDS);
        fputs(line, stdout);
        fflush(stdout);
        machine->began = machine->began || strstr(line, KERNEL_BEGINS) != NULL;
        if (end != NULL)
            machine->status = (int)strtol(end + strlen(KERNEL_ENDS), NULL, 10);
    }
    free(line);
    if (console != NULL)
        fclose(console);
}

/* The kernel and its processes are one group. */
static volatile sig_atomic_t group;

static void kill_group(int signal_number)
{
    (void)signal_number;
    kill(-(pid_t)group, SIGKILL);
}

static int judge(const struct machine *machine, bool in_time)
{
    fflush(stdout);
    if (!in_time) {
        printf("the kernel did not end within %d seconds\n", RUN_TIME);
        return 1;
    }
    if (!machine->began) {
        printf("skipped: user mode Linux does not run on this machine\n");
        return KERNEL_SKIPPED;
    }
    return machine->status < 0 ? 1 : machine->status;
}

static int boot(const char *program)
{
    struct machine machine = {.status = -1};
    int status = 0;
    if (missing() != NULL) {
        printf("skipped: %s is not installed\n", missing());
        return KERNEL_SKIPPED;
    }
    if (make_folder(&machine) < 0 || start(&machine, program) < 0) {
        printf("starting the kernel: %s\n", strerror(errno));
        return 1;
    }
    group = machine.pid;
    signal(SIGALRM, kill_group);
    alarm(RUN_TIME);
    watch(&machine);
    waitpid(machine.pid, &status, 0);
    bool in_time = alarm(0) > 0;
    kill_group(0);
    remove_folder(&machine);
    return judge(&machine, in_time);
}

int kernel_main(int count, char **arguments, int (*inside)(void))
{
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (kernel_is_init())
        return kernel_init(arguments[0]);
    if (count > 1 && strcmp(arguments[1], "inside") == 0)
        return inside();
    if (SANITIZED) {
        puts("skipped: the sanitizers need more address space than processes of that kernel have");
        return KERNEL_SKIPPED;
    }
    if (length < 0) {
        perror("readlink(\"/proc/self/exe\")");
        return 1;
    }
    program[length] = '\0';
    return boot(program);
}
