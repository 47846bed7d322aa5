#define _GNU_SOURCE
#include "tests/system/harness.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What may be logged while the test waits for something else than the program, in bytes. */
#define LOG_CAPACITY (1 << 20)

/* How much is shown when a test fails: of the programs that were started last, and of a log. */
#define PROGRAMS_SHOWN 3
#define LINES_SHOWN 100

/* Bytes that came out of a program. There is always a NUL behind them. */
struct bytes {
    char *data;
    size_t length;
    size_t seen; /* what the test has looked at */
};

struct program {
    struct harness *harness;
    struct program *next;
    const char *command;
    pid_t pid;
    int pidfd;
    int in; /* our ends of the pipes; -1: none */
    int out;
    int err;
    struct bytes output;
    struct bytes log;
};

struct harness {
    const char *folder;
    struct program *programs;
    void **memory; /* what lives as long as the test */
    size_t memory_count;
    int *fds;
    size_t fd_count;
};

static void *resize(void *old, size_t size)
{
    void *memory = realloc(old, size);
    if (memory == NULL)
        abort();
    return memory;
}

long long milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void *keep_memory(struct harness *harness, void *new_memory)
{
    harness->memory = resize(harness->memory, (harness->memory_count + 1) * sizeof(void *));
    harness->memory[harness->memory_count++] = new_memory;
    return new_memory;
}

void *memory(struct harness *harness, size_t size)
{
    return keep_memory(harness, resize(NULL, size));
}

const char *text(struct harness *harness, const char *format, ...)
{
    va_list arguments;
    char *result;
    va_start(arguments, format);
    if (vasprintf(&result, format, arguments) < 0)
        abort();
    va_end(arguments);
    return keep_memory(harness, result);
}

const char *with_path(struct harness *harness, const char *pattern, const char *name)
{
    const char *place = strstr(pattern, "%s");
    return text(harness, "%.*s%s%s", (int)(place - pattern), pattern, name, place + 2);
}

const char *path(struct harness *harness, const char *name)
{
    return text(harness, "%s/%s", harness->folder, name);
}

int harness_keep(struct harness *harness, int fd)
{
    harness->fds = resize(harness->fds, (harness->fd_count + 1) * sizeof(int));
    harness->fds[harness->fd_count++] = fd;
    return fd;
}

void harness_close(struct harness *harness, int fd)
{
    for (size_t i = 0; i < harness->fd_count; i++)
        if (harness->fds[i] == fd) {
            harness->fds[i] = harness->fds[--harness->fd_count];
            close(fd);
            return;
        }
}

int harness_begin(void **state)
{
    struct harness *harness = resize(NULL, sizeof(*harness));
    const char *parent = getenv("TMPDIR");
    char *folder;

    *harness = (struct harness){0};
    signal(SIGPIPE, SIG_IGN);
    if (asprintf(&folder, "%s/modcat-test-XXXXXX", parent != NULL ? parent : "/tmp") < 0)
        return -1;
    harness->folder = keep_memory(harness, folder);
    if (mkdtemp(folder) == NULL)
        return -1;
    *state = harness;
    return 0;
}

static int remove_entry(const char *name, const struct stat *status, int kind, struct FTW *position)
{
    (void)status, (void)kind, (void)position;
    return remove(name);
}

/* The process is reaped only after its group is killed, so that its id can't be another's. */
static void program_free(struct program *program)
{
    kill(-program->pid, SIGKILL);
    waitpid(program->pid, NULL, 0);
    free(program->output.data);
    free(program->log.data);
    free(program);
}

/* True when the sanitizers that the program may be built with have found nothing. */
static bool is_sane(struct program *program)
{
    const char *log = program_log(program);

    if (strstr(log, "Sanitizer") == NULL && strstr(log, "runtime error: ") == NULL)
        return true;
    print_error("%s\n%s", program->command, log);
    return false;
}

int harness_end(void **state)
{
    struct harness *harness = *state;
    bool sane = true;

    while (harness->programs != NULL) {
        struct program *program = harness->programs;
        harness->programs = program->next;
        sane &= is_sane(program);
        program_free(program);
    }
    for (size_t i = 0; i < harness->fd_count; i++)
        close(harness->fds[i]);
    nftw(harness->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    for (size_t i = 0; i < harness->memory_count; i++)
        free(harness->memory[i]);
    free(harness->memory);
    free(harness->fds);
    free(harness);
    return sane ? 0 : -1;
}

static void put_into_file(struct harness *harness, const char *name, const char *mode,
                          const char *content)
{
    FILE *file = fopen(name, mode);
    if (file == NULL || fputs(content, file) == EOF || fclose(file) == EOF)
        harness_fail(harness, "can't write %s: %s", name, strerror(errno));
}

void file_write(struct harness *harness, const char *name, const char *content)
{
    put_into_file(harness, name, "we", content);
}

void file_append(struct harness *harness, const char *name, const char *content)
{
    put_into_file(harness, name, "ae", content);
}

const char *file_read(struct harness *harness, const char *name)
{
    char *content = NULL;
    size_t size = 0;
    FILE *file = fopen(name, "re");

    if (file == NULL)
        harness_fail(harness, "can't read %s: %s", name, strerror(errno));
    if (getdelim(&content, &size, '\0', file) < 0) {
        content = resize(content, 1);
        content[0] = '\0';
    }
    fclose(file);
    return keep_memory(harness, content);
}

struct gate gate_make(struct harness *harness)
{
    struct gate gate = {.fifo = path(harness, "gate")};
    unlink(gate.fifo);
    assert_int_equal(mkfifo(gate.fifo, 0600), 0);
    gate.fd = harness_keep(harness, open(gate.fifo, O_RDWR | O_CLOEXEC));
    return gate;
}

void gate_open(const struct gate *gate)
{
    assert_int_equal(write(gate->fd, "go\n", 3), 3);
}

bool file_exists(const char *name)
{
    struct stat status;
    return lstat(name, &status) == 0;
}

static void bytes_add(struct bytes *bytes, const char *data, size_t length)
{
    bytes->data = resize(bytes->data, bytes->length + length + 1);
    memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
    bytes->data[bytes->length] = '\0';
}

/* Takes what is there; closes the descriptor at its end. Returns whether anything happened. */
static bool drain(struct program *program, int *fd, struct bytes *bytes)
{
    char buffer[65536];
    ssize_t length = read(*fd, buffer, sizeof(buffer));

    if (length < 0)
        return false;
    if (length == 0) {
        harness_close(program->harness, *fd);
        *fd = -1;
    } else {
        bytes_add(bytes, buffer, (size_t)length);
    }
    return true;
}

/* Waits for output, messages or, where `end` is set, the end of a program; takes what is there.
 * Returns false when nothing came. */
static bool pump(struct program *program, bool end, int timeout)
{
    struct pollfd ready[] = {{program->out, POLLIN, 0},
                             {program->err, POLLIN, 0},
                             {end ? program->pidfd : -1, POLLIN, 0}};

    if (poll(ready, 3, timeout) <= 0)
        return false;
    if (ready[0].revents != 0)
        drain(program, &program->out, &program->output);
    if (ready[1].revents != 0)
        drain(program, &program->err, &program->log);
    return true;
}

static bool pump_until(struct program *program, bool end, long long deadline)
{
    long long left = deadline - milliseconds();
    return left > 0 && pump(program, end, (int)left);
}

/* At the pipes' end, or when there is no more for now. */
static void drain_all(struct program *program)
{
    while ((program->out >= 0 || program->err >= 0) && pump(program, false, 0))
        continue;
}

/* The place where the last `lines` lines begin. */
static size_t tail(const struct bytes *bytes, int lines)
{
    size_t start = bytes->length;

    while (start > 0 && (bytes->data[start - 1] != '\n' || start == bytes->length || --lines > 0))
        start--;
    return start;
}

static void show(const struct program *program)
{
    size_t start = tail(&program->log, LINES_SHOWN);

    print_error("%s (process %d) logged:\n", program->command, (int)program->pid);
    if (start > 0)
        print_error("    ... %zu bytes ...\n", start);
    while (start < program->log.length) {
        const char *line = program->log.data + start;
        size_t length = strcspn(line, "\n");
        print_error("    %.*s\n", (int)length, line);
        start += length + 1;
    }
}

long number_in(struct harness *harness, const char *line)
{
    char *end;
    errno = 0;
    long number = strtol(line, &end, 10);
    if (end == line || errno != 0 || (*end != '\0' && *end != '\n'))
        harness_fail(harness, "not a number: \"%s\"", line);
    return number;
}

void harness_fail(struct harness *harness, const char *format, ...)
{
    struct program *program = harness->programs;
    va_list arguments;

    for (int i = 0; program != NULL && i < PROGRAMS_SHOWN; program = program->next, i++) {
        drain_all(program);
        show(program);
    }
    va_start(arguments, format);
    vprint_error(format, arguments);
    va_end(arguments);
    print_error("\n");
    fail();
    abort();
}

struct pipe_ends {
    int ours;
    int theirs;
};

/* What the pipe of a program's messages holds, in bytes. */
#define LOG_PIPE (1024 * 1024)

static struct pipe_ends make_pipe(struct harness *harness, bool we_write)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        harness_fail(harness, "pipe2(): %s", strerror(errno));
    harness_keep(harness, fds[0]);
    harness_keep(harness, fds[1]);
    fcntl(fds[we_write], F_SETFL, O_NONBLOCK);
    return (struct pipe_ends){fds[we_write], fds[!we_write]};
}

static struct pipe_ends make_stream(struct harness *harness, int wish, bool we_write)
{
    if (wish == STREAM_PIPE)
        return make_pipe(harness, we_write);
    if (wish == STREAM_NULL)
        return (struct pipe_ends){-1, harness_keep(harness, open("/dev/null", O_RDWR | O_CLOEXEC))};
    return (struct pipe_ends){-1, wish == STREAM_CLOSED ? -1 : wish};
}

static void put(int from, int to)
{
    if (from < 0)
        close(to);
    else
        dup2(from, to);
}

/* As many as the system allows, for descriptors of any number. */
static void allow_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int given(int fd)
{
    return fd > 0 ? fd : -1;
}

/* Moves the descriptors out of the way of each other, and then to their places. */
static void place_descriptors(const struct launch *launch, const int streams[3])
{
    const int places[] = {0, 1, 2, launch->extra_number > 0 ? launch->extra_number : 3, 4, 5};
    int wanted[] = {
        streams[0],
        streams[1],
        streams[2],
        given(launch->extra),
        given(launch->further[0]),
        given(launch->further[1]),
    };

    if (launch->extra_number > 0)
        allow_descriptors();
    for (int i = 0; i < 6; i++)
        wanted[i] = wanted[i] < 0 ? -1 : fcntl(wanted[i], F_DUPFD_CLOEXEC, 10);
    for (int i = 0; i < 6; i++)
        put(wanted[i], places[i]);
}

/* Whoever runs the tests in the background may ignore some. */
static void restore_signals(void)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        signal(signals[i], SIG_DFL);
}

static void exec_child(const struct launch *launch, const int streams[3], char **arguments)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    restore_signals();
    place_descriptors(launch, streams);
    if (launch->environment != NULL)
        putenv((char *)(uintptr_t)launch->environment);
    execvp(arguments[0], arguments);
    dprintf(2, "can't execute %s: %s\n", arguments[0], strerror(errno));
    _exit(127);
}

const char *program_file(void)
{
    const char *path = getenv("MODCAT");
    return path != NULL ? path : "./modcat";
}

const char *program_helper_file(void)
{
    const char *path = getenv("MODCAT_HELPER");
    return path != NULL ? path : program_file();
}

const char *program_word(struct harness *harness, const char *file)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
    if (file[strspn(file, plain)] == '\0')
        return file;
    const char *word = path(harness, "program");
    if (symlink(file, word) < 0 && errno != EEXIST)
        harness_fail(harness, "symlink(\"%s\"): %s", word, strerror(errno));
    return word;
}

void program_for_nobody(struct harness *harness)
{
    const char *word = program_word(harness, program_file()), *folder = harness->folder;
    const char *command = text(harness,
                               "set -e; mkdir '%s/copy'; file=$(readlink -f '%s'); "
                               "cp -r \"$file\" \"${file%%/*}/drivers\" '%s/copy'; "
                               "chown -R -h nobody: '%s'",
                               folder, word, folder, folder);
    if (system(command) != 0)
        harness_fail(harness, "%s", command);
    setenv("MODCAT", path(harness, "copy/modcat"), 1);
}

/* With MODCAT_TEST_ENGINE=session in the environment, what forks for each peer hosts sessions
 * instead: `fork` without a value becomes `fork=session`. */
bool sessions_are_hosted(void)
{
    return getenv("MODCAT_TEST_ENGINE") != NULL;
}

static const char *for_engine(struct harness *harness, const char *argument)
{
    const char *engine = getenv("MODCAT_TEST_ENGINE");
    size_t start = 0;
    while (engine != NULL) {
        const char *found = strstr(argument + start, ",fork");
        if (found == NULL)
            break;
        size_t end = (size_t)(found - argument) + strlen(",fork");
        bool is_bare = argument[end] == '\0' || strchr(",|! ", argument[end]) != NULL;
        if (is_bare)
            argument = text(harness, "%.*s=%s%s", (int)end, argument, engine, argument + end);
        start = end;
    }
    return argument;
}

/* The argument vector, with the program in front; and as one line for messages. */
static char **make_arguments(struct program *program, const struct launch *launch)
{
    const char *name = launch->program != NULL ? launch->program : program_file();
    const char *const *given = launch->arguments;
    size_t count = 0;
    char **arguments;

    while (given[count] != NULL)
        count++;
    arguments = resize(NULL, (count + 2) * sizeof(char *));
    arguments[0] = (char *)(uintptr_t)name;
    program->command = arguments[0];
    for (size_t i = 0; i <= count; i++) {
        arguments[i + 1] = (char *)(uintptr_t)given[i];
        if (given[i] == NULL)
            continue;
        if (strcmp(name, program_file()) == 0)
            arguments[i + 1] = (char *)(uintptr_t)for_engine(program->harness, given[i]);
        program->command =
            text(program->harness, "%s '%.200s'", program->command, arguments[i + 1]);
    }
    return arguments;
}

/* The test's memory is copied only where the child changes it. */
static void fork_program(struct program *program, const struct launch *launch)
{
    struct harness *harness = program->harness;
    struct pipe_ends in = make_stream(harness, launch->in, true);
    struct pipe_ends out = make_stream(harness, launch->out, false);
    struct pipe_ends err = make_pipe(harness, false);
    /* A program does not wait long for the reader of its messages, which looks at other things. */
    (void)fcntl(err.ours, F_SETPIPE_SZ, LOG_PIPE);
    char **arguments = make_arguments(program, launch);

    program->in = in.ours;
    program->out = out.ours;
    program->err = err.ours;
    fcntl(err.ours, F_SETPIPE_SZ, LOG_CAPACITY);
    program->pid = launch->environment == NULL ? vfork() : fork();
    if (program->pid == 0)
        exec_child(launch, (const int[]){in.theirs, out.theirs, err.theirs}, arguments);
    free(arguments);
    setpgid(program->pid, program->pid);
    program->pidfd = harness_keep(harness, (int)syscall(SYS_pidfd_open, program->pid, 0));
    if (launch->in == STREAM_PIPE || launch->in == STREAM_NULL)
        harness_close(harness, in.theirs);
    if (launch->out == STREAM_PIPE || launch->out == STREAM_NULL)
        harness_close(harness, out.theirs);
    harness_close(harness, err.theirs);
}

struct program *program_launch(struct harness *harness, const struct launch *launch)
{
    struct program *program = resize(NULL, sizeof(*program));

    *program = (struct program){.harness = harness};
    fork_program(program, launch);
    if (program->pid < 0 || program->pidfd < 0)
        harness_fail(harness, "can't start a program: %s", strerror(errno));
    program->next = harness->programs;
    harness->programs = program;
    return program;
}

static struct program *start(struct harness *harness, const char *path, va_list list)
{
    const char *arguments[64];
    size_t count = 0;

    do
        arguments[count] = va_arg(list, const char *);
    while (arguments[count] != NULL && ++count < 63);
    arguments[count] = NULL;
    return program_launch(harness, &(struct launch){.arguments = arguments, .program = path});
}

struct program *program_start(struct harness *harness, ...)
{
    va_list list;
    va_start(list, harness);
    struct program *program = start(harness, program_file(), list);
    va_end(list);
    return program;
}

struct program *program_start_helper(struct harness *harness, ...)
{
    va_list list;
    va_start(list, harness);
    struct program *program = start(harness, program_helper_file(), list);
    va_end(list);
    return program;
}

pid_t program_pid(const struct program *program)
{
    return program->pid;
}

void program_signal(struct program *program, int signal_number)
{
    kill(program->pid, signal_number);
}

void program_send(struct program *program, const char *data)
{
    long long deadline = milliseconds() + PATIENCE;
    size_t left = strlen(data);

    while (left > 0) {
        struct pollfd ready = {program->in, POLLOUT, 0};
        ssize_t length = write(program->in, data, left);
        if (length < 0 && (errno != EAGAIN || milliseconds() > deadline))
            harness_fail(program->harness, "can't write to standard input: %s", strerror(errno));
        if (length < 0)
            poll(&ready, 1, PATIENCE);
        data += length > 0 ? length : 0;
        left -= length > 0 ? (size_t)length : 0;
    }
}

void program_end_input(struct program *program)
{
    harness_close(program->harness, program_take_input(program));
}

int program_take_input(struct program *program)
{
    int fd = program->in;
    program->in = -1;
    return fd;
}

int program_take_output(struct program *program)
{
    int fd = program->out;
    program->out = -1;
    return fd;
}

const char *program_output(struct program *program, size_t *length)
{
    drain_all(program);
    if (length != NULL)
        *length = program->output.length;
    return program->output.data != NULL ? program->output.data : "";
}

void program_outputs(struct program *program, const char *data)
{
    struct bytes *output = &program->output;
    long long deadline = milliseconds() + PATIENCE;
    size_t length = strlen(data);

    while (output->length - output->seen < length)
        if (program->out < 0 || !pump_until(program, false, deadline))
            harness_fail(program->harness, "output is \"%s\" and not \"%s\"",
                         output->length > 0 ? output->data + output->seen : "", data);
    if (memcmp(output->data + output->seen, data, length) != 0)
        harness_fail(program->harness, "output is \"%s\" and not \"%s\"",
                     output->data + output->seen, data);
    output->seen += length;
}

const char *program_log(struct program *program)
{
    drain_all(program);
    return program->log.data != NULL ? program->log.data : "";
}

/* True when the line holds the pattern's pieces between the `*`, in their order. */
static bool line_holds(const char *line, size_t length, const char *pattern)
{
    const char *end = line + length;

    for (;;) {
        size_t piece = strcspn(pattern, "*");
        line = memmem(line, (size_t)(end - line), pattern, piece);
        if (line == NULL || pattern[piece] == '\0')
            return line != NULL;
        line += piece;
        pattern += piece + 1;
    }
}

/* The first whole line that holds the pattern, from *position on, which moves behind it. */
static const char *find_line(struct program *program, size_t *position, const char *pattern)
{
    struct bytes *log = &program->log;

    while (*position < log->length) {
        const char *line = log->data + *position;
        const char *end = memchr(line, '\n', log->length - *position);
        if (end == NULL)
            return NULL;
        *position += (size_t)(end - line) + 1;
        if (line_holds(line, (size_t)(end - line), pattern))
            return text(program->harness, "%.*s", (int)(end - line), line);
    }
    return NULL;
}

const char *program_logs(struct program *program, const char *pattern)
{
    long long deadline = milliseconds() + PATIENCE;
    const char *line;

    for (;;) {
        size_t position = program->log.seen;
        line = find_line(program, &position, pattern);
        if (line != NULL) {
            program->log.seen = position;
            return line;
        }
        if (program->err < 0 || !pump_until(program, false, deadline))
            harness_fail(program->harness, "no log line holds \"%s\" behind byte %zu", pattern,
                         program->log.seen);
    }
}

const char *program_line(struct program *program, const char *pattern)
{
    size_t position = 0;
    drain_all(program);
    return find_line(program, &position, pattern);
}

bool program_has_logged(struct program *program, const char *pattern)
{
    return program_line(program, pattern) != NULL;
}

unsigned program_port(struct program *program)
{
    const char *line = program_logs(program, " N listening on ");
    unsigned long port = strtoul(strrchr(line, ':') + 1, NULL, 10);
    if (port == 0 || port > 65535)
        harness_fail(program->harness, "no port in \"%s\"", line);
    return (unsigned)port;
}

int program_end(struct program *program)
{
    long long deadline = milliseconds() + PATIENCE;
    siginfo_t info = {0};

    while (waitid(P_PID, (id_t)program->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0)
        if (!pump_until(program, true, deadline))
            harness_fail(program->harness, "process %d does not end", (int)program->pid);
    drain_all(program);
    return info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
}

void program_ends(struct program *program, int status)
{
    int real = program_end(program);
    if (real != status)
        harness_fail(program->harness, "exit status is %d and not %d: %s", real, status,
                     program->command);
}

void program_ends_logging(struct program *program, int status, const char *pattern)
{
    program_ends(program, status);
    if (!program_has_logged(program, pattern))
        harness_fail(program->harness, "no log line holds \"%s\"", pattern);
}

size_t process_descriptors(pid_t pid)
{
    char name[64];
    size_t count = 0;
    DIR *folder;

    snprintf(name, sizeof(name), "/proc/%d/fd", (int)pid);
    folder = opendir(name);
    if (folder == NULL)
        return 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

/* Some numbers of /proc/PID/stat. */
struct process_status {
    char state; /* as ps(1) has it; 0: there is no such process */
    int parent;
    unsigned long user;
    unsigned long system;
};

/* The fields stand behind the name, which is in brackets. */
static struct process_status status_of(const char *pid)
{
    struct process_status status = {0};
    char name[300], line[1024];
    const char *end;
    FILE *file;

    snprintf(name, sizeof(name), "/proc/%s/stat", pid);
    file = fopen(name, "re");
    if (file == NULL)
        return status;
    if (fgets(line, sizeof(line), file) != NULL && (end = strrchr(line, ')')) != NULL)
        sscanf(end, ") %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &status.state,
               &status.parent, &status.user, &status.system);
    fclose(file);
    return status;
}

long long process_ticks(pid_t pid)
{
    char name[32];
    struct process_status status;

    snprintf(name, sizeof(name), "%d", (int)pid);
    status = status_of(name);
    return (long long)(status.user + status.system);
}

size_t process_children(pid_t pid)
{
    size_t count = 0;
    DIR *folder = opendir("/proc");

    if (folder == NULL)
        return 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        count += isdigit((unsigned char)entry->d_name[0]) && status_of(entry->d_name).parent == pid;
    closedir(folder);
    return count;
}

void process_rests(struct harness *harness, pid_t pid)
{
    long long deadline = milliseconds() + PATIENCE;
    char name[32], state = 0;

    snprintf(name, sizeof(name), "%d", (int)pid);
    for (int rests = 0; rests < 3; rests = state == 'S' || state == 'Z' ? rests + 1 : 0) {
        if (milliseconds() > deadline)
            harness_fail(harness, "process %d does not come to rest: %c", (int)pid, state);
        poll(NULL, 0, 2);
        state = status_of(name).state;
    }
}

bool process_may_open(size_t count)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max >= count;
}

static void await_count(struct harness *harness, pid_t pid, size_t (*counted)(pid_t pid),
                        size_t count, const char *things)
{
    long long deadline = milliseconds() + PATIENCE;

    while (counted(pid) != count) {
        if (milliseconds() > deadline)
            harness_fail(harness, "process %d has %zu %s and not %zu", (int)pid, counted(pid),
                         things, count);
        for (struct program *program = harness->programs; program != NULL; program = program->next)
            drain_all(program);
        poll(NULL, 0, 10);
    }
}

void process_awaits_children(struct harness *harness, pid_t pid, size_t count)
{
    await_count(harness, pid, process_children, count, "children");
}

void process_awaits_descriptors(struct harness *harness, pid_t pid, size_t count)
{
    await_count(harness, pid, process_descriptors, count, "descriptors");
}

static size_t hosted_sessions(struct program *program)
{
    size_t count;
    program_signal(program, SIGUSR1);
    const char *line = program_logs(program, "STATISTICS: * sessions, right to left: ");
    const char *number = strstr(line, "STATISTICS: ");
    if (number == NULL || sscanf(number, "STATISTICS: %zu", &count) != 1)
        harness_fail(program->harness, "strange statistics: %s", line);
    return count;
}

void program_awaits_peers(struct program *program, size_t count)
{
    struct harness *harness = program->harness;
    long long deadline = milliseconds() + PATIENCE;
    if (!sessions_are_hosted()) {
        process_awaits_children(harness, program->pid, count);
        return;
    }
    while (hosted_sessions(program) != count)
        if (milliseconds() > deadline)
            harness_fail(harness, "there are not %zu sessions", count);
}
