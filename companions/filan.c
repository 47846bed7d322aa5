/* filan: shows what its own descriptors are, which are those that its parent has left to it; or
 * what an entry of the file system is. */

#define _GNU_SOURCE
#include "core/command/descriptor.h"
#include "companions/options.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How many descriptors are looked at unless -n says otherwise. */
#define COUNT_DEFAULT 1024

static const struct options_help help = {
    .program = "filan",
    .summary = "show what open descriptors are",
    .options = "      -h|-?       print this help, and exit\n"
               "      -i <fd>     show this descriptor only\n"
               "      -n <count>  show the descriptors below this number (1024)\n"
               "      -s          show kind and address or path only\n"
               "      -S          the same, with addresses joined and the type of sockets\n"
               "      -f <path>   show an entry of the file system\n"
               "      -T <secs>   wait before looking, for a debugger to be attached\n"
               "      -r          show the device and times as plain numbers\n"
               "      -L          show what a symbolic link leads to\n"
               "      -o <file>   print to a file, to descriptor +<fd>, or to stdin, stdout, stderr\n"
               "      -d          say more; has no effect\n",
};

/* What the command line asks for. */
struct request {
    long only;  /* -i; -1: all */
    long count; /* -n */
    double pause; /* -T */
    const char *path;
    const char *output;
    bool brief, joined, raw, follow, wants_help;
};

static int take_number(char ***arguments, char letter, long most, long *number)
{
    const char *text = options_value(&help, arguments);
    return text == NULL ? -1 : options_number(&help, letter, text, most, number);
}

static int take_seconds(char ***arguments, char letter, double *seconds)
{
    const char *text = options_value(&help, arguments);
    return text == NULL ? -1 : options_seconds(&help, letter, text, seconds);
}

static int take_text(char ***arguments, const char **text)
{
    *text = options_value(&help, arguments);
    return *text == NULL ? -1 : 0;
}

/* Carries out the option at **arguments. Returns 0, or -1 after reporting. */
static int take_option(struct request *request, char ***arguments)
{
    char letter = (**arguments)[1];
    bool *const flag = letter == 's'   ? &request->brief
                       : letter == 'S' ? &request->joined
                       : letter == 'r' ? &request->raw
                       : letter == 'L' ? &request->follow
                                       : NULL;
    if (flag != NULL) {
        *flag = true;
        return 0;
    }
    switch (letter) {
    case 'h':
    case '?':
        request->wants_help = true;
        return 0;
    case 'd':
        return 0;
    case 'i':
        return take_number(arguments, letter, INT_MAX, &request->only);
    case 'n':
        return take_number(arguments, letter, INT_MAX, &request->count);
    case 'T':
        return take_seconds(arguments, letter, &request->pause);
    case 'f':
        return take_text(arguments, &request->path);
    case 'o':
        return take_text(arguments, &request->output);
    default:
        options_refuse(&help, "unknown option \"%s\"", **arguments);
        return -1;
    }
}

static int parse(char **arguments, struct request *request)
{
    *request = (struct request){.only = -1, .count = COUNT_DEFAULT};
    while (*++arguments != NULL) {
        if ((*arguments)[0] != '-' || (*arguments)[1] == '\0') {
            options_refuse(&help, "superfluous argument \"%s\"", *arguments);
            return -1;
        }
        if (take_option(request, &arguments) < 0)
            return -1;
    }
    return 0;
}

/* Returns where to print, or NULL after reporting. What is opened for it is not to be shown. */
static FILE *open_output(const char *name)
{
    static const char *const words[] = {"stdin", "stdout", "stderr"};
    FILE *out;
    if (name == NULL)
        return stdout;
    for (int fd = 0; fd < 3; fd++)
        if (strcmp(name, words[fd]) == 0)
            return fdopen(fd, "w");
    if (name[0] == '+') {
        long fd;
        if (options_number(&help, 'o', name + 1, INT_MAX, &fd) < 0)
            return NULL;
        out = fdopen((int)fd, "w");
    } else {
        out = fopen(name, "we");
    }
    if (out == NULL)
        options_fail(&help, "cannot write to \"%s\": %s", name, strerror(errno));
    return out;
}

static unsigned form_of(const struct request *request)
{
    return request->raw ? DESCRIPTOR_RAW : 0;
}

static void show_descriptor(FILE *out, const struct request *request, int fd)
{
    if (!request->brief && !request->joined) {
        descriptor_print_row(out, fd, form_of(request));
        return;
    }
    if (request->only < 0)
        fprintf(out, "%5d ", fd);
    descriptor_print_short(out, fd, request->joined ? DESCRIPTOR_JOINED : DESCRIPTOR_PLAIN);
    putc('\n', out);
}

static void show_header(FILE *out, const struct request *request)
{
    if (!request->brief && !request->joined)
        descriptor_print_header(out, form_of(request));
}

static int show_one(FILE *out, const struct request *request)
{
    int fd = (int)request->only;
    if (fcntl(fd, F_GETFD) < 0)
        return options_fail(&help, "descriptor %d is not open", fd);
    show_header(out, request);
    show_descriptor(out, request, fd);
    return 0;
}

/* Descriptor 0 is among them for every count. The one that -o has made is none of those that the
 * program was given. */
static int show_all(FILE *out, const struct request *request)
{
    bool own = request->output != NULL && request->output[0] != '+' && fileno(out) > 2;
    show_header(out, request);
    for (int fd = 0; fd == 0 || fd < request->count; fd++)
        if (fcntl(fd, F_GETFD) >= 0 && !(own && fd == fileno(out)))
            show_descriptor(out, request, fd);
    return 0;
}

static int show_entry(FILE *out, const struct request *request)
{
    struct stat status;
    const char *path = request->path;
    if ((request->follow ? stat(path, &status) : lstat(path, &status)) < 0)
        return options_fail(&help, "cannot look at \"%s\": %s", path, strerror(errno));
    show_header(out, request);
    if (request->brief || request->joined)
        fprintf(out, "%s %s\n", descriptor_kind(status.st_mode), path);
    else
        descriptor_print_entry(out, path, request->follow, form_of(request));
    return 0;
}

static void wait_for(double seconds)
{
    struct timespec rest = {.tv_sec = (time_t)seconds};
    rest.tv_nsec = (long)((seconds - (double)rest.tv_sec) * 1e9);
    while (nanosleep(&rest, &rest) < 0 && errno == EINTR)
        continue;
}

int main(int argc, char **argv)
{
    struct request request;
    if (argc == 0 || parse(argv, &request) < 0)
        return 1;
    if (request.wants_help) {
        options_print_help(stdout, &help);
        return fflush(stdout) == 0 ? 0 : 1;
    }
    wait_for(request.pause);
    FILE *out = open_output(request.output);
    if (out == NULL)
        return 1;
    int status = request.path != NULL   ? show_entry(out, &request)
                 : request.only >= 0    ? show_one(out, &request)
                                        : show_all(out, &request);
    if (fflush(out) != 0)
        return options_fail(&help, "cannot print: %s", strerror(errno));
    return status;
}
