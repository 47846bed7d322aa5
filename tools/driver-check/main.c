/* modcat-driver-check: says whether a driver keeps the rules of modcat's driver API. */

#define _GNU_SOURCE
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/command/defaults.h"
#include "tools/driver-check/check.h"

#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXAMPLES_MAX 64

/* What the command line says. */
struct request {
    struct example examples[EXAMPLES_MAX];
    size_t example_count;
    const char *folders[EXAMPLES_MAX]; /* --driver-path */
    size_t folder_count;
    int timeout; /* seconds that a check may take to end when it is asked to */
    bool valgrind;
};

struct named_check {
    const char *name;
    check_fn *check;
};
static const struct named_check loading = {"the file can be loaded, and others can not write it",
                                           check_loading};
static const struct named_check file_checks[] = {
    {"one symbol is exported", check_symbols},
    {"the ABI and the sizes of structs are right", check_abi},
    {"the manifest says what the tables say", check_manifest},
};
static const struct named_check table_checks[] = {
    {"no variable outlives a session", check_variables},
    {"it calls nothing that waits, forks or changes the process", check_calls},
    {"the driver has a name, a version and a summary", check_driver_words},
    {"every address type has help, syntax and groups that exist", check_types},
    {"every option takes good values and refuses bad ones", check_options},
    {"a wrong number of parameters is refused", check_parameters},
};

static void usage(FILE *out)
{
    fputs("Usage: modcat-driver-check [options] FILE.so\n"
          "   options:\n"
          "      --address <address>      open this address, and use it in every order;\n"
          "                               may be repeated\n"
          "      --peer <address>         open this one at the other end of the --address before\n"
          "      --fails <address>        this address can't be opened: one error says why, and\n"
          "                               nothing is left; may be repeated\n"
          "      --driver-path <folder>   look for other drivers here; may be repeated\n"
          "      --timeout <seconds>      let a check end for so long when it is asked to [10]\n"
          "      --no-valgrind            do not repeat all of it under valgrind\n"
          "      --help                   print this, and exit\n",
          out);
}

static int refuse(const char *message)
{
    fprintf(stderr, "modcat-driver-check: %s\n", message);
    return -1;
}

static int add_peer(struct request *request, const char *peer)
{
    if (request->example_count == 0)
        return refuse("--peer stands behind the --address that it belongs to");
    request->examples[request->example_count - 1].peer = peer;
    return 0;
}

static int take_option(struct request *request, int option)
{
    if (request->example_count == EXAMPLES_MAX || request->folder_count == EXAMPLES_MAX - 1)
        return refuse("too many addresses or folders");
    switch (option) {
    case 'a':
        request->examples[request->example_count++].address = optarg;
        return 0;
    case 'f':
        request->examples[request->example_count++] =
            (struct example){.address = optarg, .must_fail = true};
        return 0;
    case 'p':
        return add_peer(request, optarg);
    case 'd':
        request->folders[request->folder_count++] = optarg;
        return 0;
    case 't':
        request->timeout = (int)strtol(optarg, NULL, 10);
        return request->timeout > 0 ? 0 : refuse("--timeout takes a number of seconds");
    case 'n':
        request->valgrind = false;
        return 0;
    case 'h':
        usage(stdout);
        exit(0);
    default:
        return -1;
    }
}

static int parse(int argc, char **argv, struct request *request)
{
    static const struct option options[] = {
        {"address", required_argument, NULL, 'a'}, {"fails", required_argument, NULL, 'f'},
        {"peer", required_argument, NULL, 'p'},    {"driver-path", required_argument, NULL, 'd'},
        {"timeout", required_argument, NULL, 't'}, {"no-valgrind", no_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    int option;
    *request = (struct request){.timeout = 10, .valgrind = true};
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
        if (take_option(request, option) < 0)
            return -1;
    if (argc - optind == 1)
        return 0;
    usage(stderr);
    return refuse("exactly one file is checked");
}

/* The driver's own folder comes first. */
static int start(struct subject *subject, struct request *request, const char *file)
{
    AUTO_FREE char *path = realpath(file, NULL);
    size_t length = path != NULL ? strlen(path) : 0;
    if (path == NULL || length < 4 || strcmp(path + length - 3, ".so") != 0) {
        fprintf(stderr, "modcat-driver-check: \"%s\" is not an existing file NAME.so\n", file);
        return -1;
    }
    memmove(request->folders + 1, request->folders,
            request->folder_count * sizeof request->folders[0]);
    char *folder = memory_copy_span(path, (size_t)(strrchr(path, '/') - path));
    request->folders[0] = folder;
    *subject = (struct subject){.examples = request->examples,
                                .example_count = request->example_count,
                                .timeout = request->timeout,
                                .settings = {.program = "modcat-driver-check"}};
    defaults_set(&subject->settings);
    subject->settings.directions[0] = subject->settings.directions[1] =
        MODCAT_DIR_READ | MODCAT_DIR_WRITE;
    subject->manifest_path = memory_format("%.*s.driver", (int)length - 3, path);
    subject->path = path;
    path = NULL;
    subject->registry = registry_open(request->folders, request->folder_count + 1);
    free(folder);
    return subject->registry != NULL ? 0 : -1;
}

static void finish(struct subject *subject)
{
    registry_close(subject->registry);
    free(subject->manifest_path);
    free((char *)subject->path);
}

/* Children are asked to end by signals that they read, and must not die of before they do. */
static void block_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
}

static unsigned run_all(struct subject *subject, const struct named_check *checks, size_t count)
{
    unsigned failed = 0;
    for (size_t i = 0; i < count; i++)
        failed += has_failed(run_check(subject, checks[i].name, checks[i].check, NULL));
    return failed;
}

/* Nothing can be said about what can't be loaded, and nothing more needs to be said about what
 * modcat would refuse. */
static unsigned run_checks(struct subject *subject)
{
    unsigned failed = run_all(subject, &loading, 1);
    if (failed == 0)
        failed = run_all(subject, file_checks, MODCAT_COUNT(file_checks));
    if (failed > 0)
        return failed;
    failed = run_all(subject, table_checks, MODCAT_COUNT(table_checks));
    return failed + check_openings(subject);
}

static bool has_valgrind(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    return false;
#endif
#endif
    return system("command -v valgrind >/dev/null 2>&1") == 0;
}

/* The same once more, where each process ends with a status of its own when valgrind has found
 * something. */
static unsigned run_under_valgrind(char **argv)
{
    char *arguments[5 * EXAMPLES_MAX] = {"valgrind",
                                         "-q",
                                         "--error-exitcode=99",
                                         "--leak-check=full",
                                         "--errors-for-leak-kinds=definite",
                                         "/proc/self/exe",
                                         "--no-valgrind"};
    size_t count = 7;
    char program[PATH_MAX];
    int status = 0;
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    arguments[5] = program;
    for (size_t i = 1; argv[i] != NULL && count + 1 < MODCAT_COUNT(arguments); i++)
        arguments[count++] = argv[i];
    puts("once more, under valgrind:");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        execvp(arguments[0], arguments);
        _exit(127);
    }
    bool clean = child > 0 && waitpid(child, &status, 0) == child && status == 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == VALGRIND_FOUND)
        puts("FAIL valgrind has found errors");
    return clean ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct request request;
    struct subject subject;
    log_set_program("modcat-driver-check");
    if (parse(argc, argv, &request) < 0 || start(&subject, &request, argv[optind]) < 0)
        return 2;
    block_signals();
    unsigned failed = run_checks(&subject);
    if (failed == 0 && request.valgrind && has_valgrind())
        failed = run_under_valgrind(argv);
    if (failed > 0)
        printf("%s: %u checks failed\n", subject.path, failed);
    else if (request.valgrind)
        printf("%s: all is well\n", subject.path);
    finish(&subject);
    return failed > 0 ? 1 : 0;
}
