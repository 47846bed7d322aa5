#define _GNU_SOURCE
#include "tools/driver-check/check.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/registry/loader.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIME_TO_END 1 /* seconds until a check is asked to end */
#define LOG_LINES 3   /* of the log are shown with a fault */

/* What the process of a check tells the one that started it. */
static struct {
    FILE *faults;
    int faults_fd;
    int log_fd;
    enum verdict verdict;
} report;

void fault(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(report.faults, format, arguments);
    va_end(arguments);
    fputc('\n', report.faults);
    report.verdict = VERDICT_FAILED;
}

void run_note(enum verdict verdict)
{
    if (report.verdict == VERDICT_OK)
        report.verdict = verdict;
}

static char *read_all(int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    char *text = memory_zeroed((size_t)size + 1, 1);
    ssize_t count = pread(fd, text, (size_t)size, 0);
    text[count > 0 ? count : 0] = '\0';
    return text;
}

char *run_logged(void)
{
    return read_all(report.log_fd);
}

bool subject_load(struct subject *subject)
{
    if (loader_open(subject->path, &subject->driver) == 0)
        return true;
    fault("it cannot be loaded");
    return false;
}

/* Input that ends after a few bytes, output and log in files. */
static void set_streams(void)
{
    int ends[2];
    int output = memfd_create("output", MFD_CLOEXEC);
    if (output < 0 || pipe2(ends, O_CLOEXEC) < 0 || write(ends[1], "modcat\n", 7) != 7)
        _exit(VERDICT_FAILED);
    dup2(ends[0], STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(report.log_fd, STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    close(output);
}

static void run_in_child(struct subject *subject, check_fn *check, const void *argument)
{
    set_streams();
    check(subject, argument);
    fflush(report.faults);
    registry_close(subject->registry);
    exit((int)report.verdict);
}

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * MODCAT_SECOND + time.tv_nsec;
}

/* How long the process was ready to run and had no processor: on a busy machine it is not to blame
   for that. 0 where the kernel does not tell. */
static long long time_without_processor(pid_t process)
{
    char path[40];
    long long nanoseconds = 0;
    snprintf(path, sizeof path, "/proc/%d/schedstat", (int)process);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*u %lld", &nanoseconds) != 1)
        nanoseconds = 0;
    fclose(file);
    return nanoseconds;
}

/* Returns false when the child has not ended after so many seconds. SIGCHLD is blocked. */
static bool wait_for(pid_t child, int seconds, int *status)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    long long deadline = now() + seconds * MODCAT_SECOND - time_without_processor(child);
    for (;;) {
        if (waitpid(child, status, WNOHANG) == child)
            return true;
        long long left = deadline + time_without_processor(child) - now();
        if (left <= 0)
            return false;
        struct timespec time = {left / MODCAT_SECOND, left % MODCAT_SECOND};
        sigtimedwait(&signals, NULL, &time);
    }
}

/* Returns false when it had to be killed, so many seconds after it was asked to end. */
static bool end_child(pid_t child, int timeout, int *status)
{
    if (wait_for(child, TIME_TO_END, status))
        return true;
    kill(child, SIGTERM);
    if (wait_for(child, timeout, status))
        return true;
    kill(child, SIGKILL);
    waitpid(child, status, 0);
    return false;
}

static enum verdict judge(bool ended, int status)
{
    if (!ended) {
        fault("it does not end when it is asked to: all waiting goes through modcat_wait()");
        return VERDICT_STUCK;
    }
    if (WIFSIGNALED(status))
        fault("it crashed: %s", strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) == VALGRIND_FOUND)
        fault("valgrind has found errors, see above");
    else if (WEXITSTATUS(status) > VERDICT_CLOSED)
        fault("it ended the program with status %d", WEXITSTATUS(status));
    else
        return (enum verdict)WEXITSTATUS(status);
    return VERDICT_FAILED;
}

static void put_indented(char *text, const char *mark)
{
    for (char *line; (line = strsep(&text, "\n")) != NULL;)
        if (line[0] != '\0')
            printf("       %s%s\n", mark, line);
}

static char *last_lines(char *text)
{
    size_t length = strlen(text);
    char *start = text + length;
    for (int lines = 0; start > text && lines <= LOG_LINES; start--)
        lines += start[-1] == '\n';
    return start > text ? start + 1 : text;
}

static void print_result(const char *name, enum verdict verdict)
{
    static const char *const notes[] = {
        [VERDICT_OK] = "",
        [VERDICT_FAILED] = "",
        [VERDICT_WAITS] = " (it waits for a peer)",
        [VERDICT_CLOSED] = " (it does not open)",
        [VERDICT_STUCK] = "",
    };
    printf("%s %s%s\n", has_failed(verdict) ? "FAIL" : "ok  ", name, notes[verdict]);
    if (has_failed(verdict)) {
        AUTO_FREE char *faults = read_all(report.faults_fd);
        AUTO_FREE char *log = read_all(report.log_fd);
        put_indented(faults, "");
        put_indented(last_lines(log), "| ");
    }
    fflush(stdout);
}

enum verdict run_check(struct subject *subject, const char *name, check_fn *check,
                       const void *argument)
{
    int status = 0;
    report.faults_fd = memfd_create("faults", MFD_CLOEXEC);
    report.log_fd = memfd_create("log", MFD_CLOEXEC);
    report.faults = fdopen(report.faults_fd, "a");
    report.verdict = VERDICT_OK;
    if (report.faults_fd < 0 || report.log_fd < 0 || report.faults == NULL)
        return VERDICT_FAILED;
    pid_t child = fork();
    if (child == 0)
        run_in_child(subject, check, argument);
    bool ended = child > 0 && end_child(child, subject->timeout, &status);
    enum verdict verdict = judge(ended, status);
    fflush(report.faults);
    print_result(name, verdict);
    fclose(report.faults);
    close(report.log_fd);
    return verdict;
}
