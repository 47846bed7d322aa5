/* EXEC, SYSTEM, SHELL: programs at one end of a session, run as they are or by a shell. */

#define _GNU_SOURCE
#include <errno.h>
#include <modcat/process.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static modcat_open_fn exec_open, system_open, shell_open;
static modcat_check_fn check_process_group;
static modcat_apply_fn set_process_group;

#define FETCHED(value) .type = (value), .phase = MODCAT_PHASE_SPEC, .effect = MODCAT_FETCHED

static const struct modcat_option exec_options[] = {
    {"path", NULL, NULL, "PATH for the program and for finding it", FETCHED(MODCAT_STRING)},
    {"dash", "login", NULL, "put a dash before the program's name, as for a login shell",
     FETCHED(MODCAT_BOOL)},
};

static const struct modcat_option fork_options[] = {
    {"pipes", NULL, NULL, "connect the program by pipes", FETCHED(MODCAT_BOOL)},
    {"pty", NULL, NULL, "connect the program by a pseudo terminal", FETCHED(MODCAT_BOOL)},
    {"nofork", NULL, NULL, "replace the process by the program, without a child",
     FETCHED(MODCAT_BOOL), .own_process = true},
    {"fdin", NULL, NULL, "descriptor from which the program reads", FETCHED(MODCAT_USHORT)},
    {"fdout", NULL, NULL, "descriptor to which the program writes", FETCHED(MODCAT_USHORT)},
    {"stderr", NULL, NULL, "connect the program's standard error too", FETCHED(MODCAT_BOOL)},
    {"setpgid", "pgid", NULL, "put the program in this process group; none: one of its own",
     .type = MODCAT_INT, .phase = MODCAT_PHASE_LATE, .effect = MODCAT_CALL,
     .apply = set_process_group, .check = check_process_group, .own_process = true},
};

static const struct modcat_option shell_options[] = {
    {"shell", NULL, NULL, "shell to use instead of the one in SHELL", FETCHED(MODCAT_STRING),
     .check = modcat_check_filled},
};

static const struct modcat_option parent_options[] = {
    {"sighup", NULL, NULL, "pass SIGHUP on to the program", FETCHED(MODCAT_CONST),
     .own_process = true},
    {"sigint", NULL, NULL, "pass SIGINT on to the program", FETCHED(MODCAT_CONST),
     .own_process = true},
    {"sigquit", NULL, NULL, "pass SIGQUIT on to the program", FETCHED(MODCAT_CONST),
     .own_process = true},
};

static const struct modcat_option_group groups[] = {
    {.name = "EXEC", .help = "how a program is found and called", MODCAT_OPTIONS(exec_options)},
    {.name = "FORK", .help = "how a program is connected", MODCAT_OPTIONS(fork_options)},
    {.name = "SHELL", .help = "the shell that runs a command", MODCAT_OPTIONS(shell_options)},
    {.name = "PARENT", .help = "what is passed on to a program", MODCAT_OPTIONS(parent_options)},
};

#define GROUPS "FD,FIFO,SOCKET,EXEC,FORK,TERMIOS,PTY,PARENT,UNIX"
#define RUNS(function)                                                                             \
    .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE, .min_params = 1, .max_params = 1,            \
    .open = (function)

static const struct modcat_address_type types[] = {
    {
        .name = "EXEC",
        .syntax = ":<command-line>",
        .groups = GROUPS,
        .help = "run a program",
        .example = "modcat TCP-LISTEN:5000,fork EXEC:/bin/cat",
        RUNS(exec_open),
    },
    {
        .name = "SYSTEM",
        .syntax = ":<shell-command>",
        .groups = GROUPS,
        .help = "run a command by /bin/sh",
        .example = "modcat -u SYSTEM:'ls | wc -l' -",
        RUNS(system_open),
    },
    {
        .name = "SHELL",
        .syntax = "[:<shell-command>]",
        .groups = GROUPS ",SHELL",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "run a command by the user's shell, or the shell itself",
        .example = "modcat -u SHELL:'echo $0' -",
        .max_params = 1,
        .open = shell_open,
    },
};

MODCAT_DRIVER(.name = "exec", .version = MODCAT_DRIVER_VERSION, .summary = "programs",
              MODCAT_TYPES(types), MODCAT_GROUPS(groups));

static const char *check_process_group(const struct modcat_value *value)
{
    return value->number >= 0 ? NULL : "a process group has no negative number";
}

/* Without a value it is 1, a group that nobody can join: who asks for that wants one of its own. */
static int set_process_group(struct modcat_opening *opening, int fd,
                             const struct modcat_option *option, const struct modcat_value *value)
{
    pid_t group = (pid_t)value->number;
    (void)opening, (void)fd, (void)option;
    if (setpgid(0, group) == 0 || (group == 1 && setpgid(0, 0) == 0))
        return 0;
    modcat_log(MODCAT_WARNING, "cannot set option pgid=%d: %s", (int)group, strerror(errno));
    return 0;
}

/* Texts that are made for one call. */
struct texts {
    char *name;    /* of the program, with a dash before it */
    char *path;    /* PATH=... */
    char *shell;   /* SHELL=... */
    char *failure; /* system("...") */
};

static void free_texts(struct texts *texts)
{
    free(texts->name);
    free(texts->path);
    free(texts->shell);
    free(texts->failure);
}

/* Joins three texts. Returns 0, or -1 after reporting. */
static int join(const struct modcat_opening *opening, char **joined, const char *before,
                const char *text, const char *after)
{
    if (asprintf(joined, "%s%s%s", before, text, after) >= 0)
        return 0;
    *joined = NULL;
    return modcat_fail(opening, "out of memory for \"%s\"", text);
}

/* A program that is about to run, and the shell where one runs it. */
struct run {
    const char *file;
    const char **arguments;
    const char *shell; /* value for SHELL, or NULL */
    bool terminate;    /* at the end of the session */
    bool stays_child;  /* even with nofork */
};

/* Of the groups of sockets, what is no use for a pair of them. Nothing is run for it in vain. */
static int refuse_idle_options(struct modcat_opening *opening)
{
    static const char *const idle[] = {"bind", "unix-bind-tempname", "unix-tightsocklen"};
    for (size_t i = 0; i < MODCAT_COUNT(idle); i++) {
        if (modcat_option_value(opening, idle[i]) == NULL)
            continue;
        errno = EINVAL;
        return modcat_fail(opening, "option \"%s\" has no effect with %s: leave it out", idle[i],
                           modcat_keyword(opening));
    }
    return 0;
}

static int run(struct modcat_opening *opening, const struct run *run, struct texts *texts,
               struct modcat_endpoint *endpoint)
{
    const char *path = modcat_option_string(opening, "path", NULL);
    const char *environment[3] = {NULL};
    size_t count = 0;
    if (refuse_idle_options(opening) < 0)
        return -1;
    if (modcat_option_bool(opening, "dash", false)) {
        if (join(opening, &texts->name, "-", run->arguments[0], "") < 0)
            return -1;
        run->arguments[0] = texts->name;
    }
    if (path != NULL && join(opening, &texts->path, "PATH=", path, "") < 0)
        return -1;
    if (run->shell != NULL && join(opening, &texts->shell, "SHELL=", run->shell, "") < 0)
        return -1;
    if (texts->path != NULL)
        environment[count++] = texts->path;
    if (texts->shell != NULL)
        environment[count++] = texts->shell;
    struct modcat_program program = {
        .size = sizeof program,
        .file = run->file,
        .arguments = run->arguments,
        .environment = environment,
        .failure = texts->failure,
        .terminate = run->terminate,
        .stays_child = run->stays_child,
    };
    return modcat_spawn(opening, &program, endpoint);
}

static int exec_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    struct texts texts = {.name = NULL};
    char **words = modcat_command_words(opening, modcat_param(opening, 0));
    if (words == NULL)
        return -1;
    struct run program = {.file = words[0], .arguments = (const char **)words, .terminate = true};
    errno = ENOENT;
    int result = words[0] == NULL || *words[0] == '\0'
                     ? modcat_fail_param(opening, 0, "the command names no program")
                     : run(opening, &program, &texts, endpoint);
    free_texts(&texts);
    free(words);
    return result;
}

static int run_command(struct modcat_opening *opening, struct run *run_by, const char *name,
                       struct modcat_endpoint *endpoint)
{
    const char *command = modcat_param(opening, 0);
    const char *arguments[] = {name, command != NULL ? "-c" : NULL, command, NULL};
    struct texts texts = {.name = NULL};
    run_by->arguments = arguments;
    if (command != NULL)
        modcat_log(MODCAT_INFO, "executing shell command \"%s\"", command);
    int result = command != NULL ? join(opening, &texts.failure, "system(\"", command, "\")") : 0;
    if (result == 0)
        result = run(opening, run_by, &texts, endpoint);
    free_texts(&texts);
    return result;
}

static int system_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    struct run program = {.file = "/bin/sh", .stays_child = true};
    return run_command(opening, &program, "sh", endpoint);
}

static int shell_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    const char *shell = modcat_option_string(opening, "shell", getenv("SHELL"));
    if (shell == NULL)
        return modcat_fail(
            opening,
            "the environment variable SHELL is not set: set it, or use option shell=/bin/sh");
    const char *slash = strrchr(shell, '/');
    if (slash == NULL)
        return modcat_fail(
            opening,
            "\"%s\" in the environment variable SHELL is not a path: use /bin/sh, for example",
            shell);
    struct run program = {.file = shell, .shell = shell};
    return run_command(opening, &program, slash + 1, endpoint);
}
