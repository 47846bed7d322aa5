#define _GNU_SOURCE
#include "core/command/mistakes.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/command/commandline.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Options of nc and ncat. A "*" at the end stands for anything. */
static const struct {
    const char *option;
    const char *advice;
} others[] = {
    {"-l*", "to listen on a port, use the address TCP-LISTEN:<port>"},
    {"--listen", "to listen on a port, use the address TCP-LISTEN:<port>"},
    {"-p*", "a port is part of an address, as in TCP-LISTEN:<port> or TCP:<host>:<port>"},
    {"-k", "to serve many clients, add the option \"fork\" to the listening address"},
    {"--keep-open", "to serve many clients, add the option \"fork\" to the listening address"},
    {"-e", "to run a program, use the address EXEC:<command-line>"},
    {"--exec", "to run a program, use the address EXEC:<command-line>"},
    {"-c", "to run a shell command, use the address SYSTEM:<shell-command>"},
    {"--sh-exec", "to run a shell command, use the address SYSTEM:<shell-command>"},
    {"-q*", "to wait after the end of the data, use option -t <seconds>"},
    {"-w*", "to end when no data has moved for a time, use option -T <seconds>"},
    {"--wait*", "to end when no data has moved for a time, use option -T <seconds>"},
    {"-z", "to try whether a port is open, use: -u OPEN:/dev/null TCP:<host>:<port>"},
    {"-C", "to send line ends as CR LF, add the option \"crnl\" to the address"},
    {"--crlf", "to send line ends as CR LF, add the option \"crnl\" to the address"},
    {"-N", "an end of the data is always passed on"},
    {"-n", "a host that is given as a number is never looked up"},
    {"-o*", "to record the data, use options -r <file> and -R <file>"},
    {"--output*", "to record the data, use options -r <file> and -R <file>"},
    {"--udp", "for UDP, use the address UDP:<host>:<port> or UDP-LISTEN:<port>"},
    {"--ssl*", "for TLS, use the address OPENSSL:<host>:<port> or OPENSSL-LISTEN:<port>"},
    {"--proxy*", "to go through a proxy, use the address PROXY:... or SOCKS5:..."},
    {"--verbose", "for more messages, use option -d -d; to see the data, -v"},
    {"--unixsock", "for a UNIX socket, use the address UNIX:<path> or UNIX-LISTEN:<path>"},
};

static bool fits(const char *argument, const char *pattern)
{
    size_t length = strlen(pattern);
    if (pattern[length - 1] == '*')
        return strncmp(argument, pattern, length - 1) == 0;
    return strcmp(argument, pattern) == 0;
}

const char *mistakes_option_advice(const char *argument)
{
    for (size_t i = 0; i < MODCAT_COUNT(others); i++)
        if (fits(argument, others[i].option))
            return others[i].advice;
    return NULL;
}

/* Where an address breaks off that a blank has divided, or "". */
static const char *divided_after(const char *argument, const char *next)
{
    size_t length = strlen(argument);
    char last = length > 0 ? argument[length - 1] : '\0';
    if (next != NULL && (last == ',' || next[0] == ','))
        return "comma";
    if (next != NULL && (last == ':' || next[0] == ':'))
        return "colon";
    return "";
}

static bool runs_a_program(const char *argument)
{
    static const char *const types[] = {"EXEC:", "SYSTEM:", "SHELL:"};
    for (size_t i = 0; i < MODCAT_COUNT(types); i++)
        if (strncasecmp(argument, types[i], strlen(types[i])) == 0)
            return true;
    return false;
}

/* Each returns what is probably wrong, to be freed, or NULL. There is at least one argument. */
static char *find_division(char *const *arguments, const char *program)
{
    (void)program;
    for (size_t i = 0; arguments[i] != NULL; i++) {
        const char *sign = divided_after(arguments[i], arguments[i + 1]);
        if (*sign != '\0')
            return memory_format("write no blank beside a %s of an address, or quote the address",
                                 sign);
    }
    return NULL;
}

static char *find_late_option(char *const *arguments, const char *program)
{
    for (size_t i = 1; arguments[i] != NULL; i++)
        if (commandline_is_option(arguments[i]))
            return memory_format("options come before the addresses, as in: %s %s <address> "
                                 "<address>",
                                 program, arguments[i]);
    return NULL;
}

static char *find_command_line(char *const *arguments, const char *program)
{
    (void)program;
    for (size_t i = 0; arguments[i] != NULL && arguments[i + 1] != NULL; i++)
        if (runs_a_program(arguments[i]))
            return memory_format("quote a command line that has blanks, as in: 'EXEC:ls -l'");
    return NULL;
}

static char *find_missing_address(char *const *arguments, const char *program)
{
    (void)program;
    if (arguments[1] != NULL)
        return NULL;
    if (strcmp(arguments[0], "-") == 0)
        return memory_format("add the other address, as in: %s - TCP:localhost:80", program);
    return memory_format("for standard input and output as the other address, add \"-\"");
}

static char *find_blank(char *const *arguments, const char *program)
{
    (void)arguments, (void)program;
    return memory_format("quote an address that has blanks");
}

/* In the order of how much they say; of late options what stands before them tells more. */
static char *(*const finders[])(char *const *arguments, const char *program) = {
    find_division, find_command_line, find_late_option, find_missing_address, find_blank,
};

/* Options may hold secrets: what is behind the first comma is not shown. */
static void show_argument(const char *argument, unsigned number)
{
    size_t length = strcspn(argument, ",");
    log_error("  %u: %.*s%s", number, (int)(length < 72 ? length : 72), argument,
              argument[length] != '\0' ? ",..." : "");
}

void mistakes_explain_addresses(char *const *arguments, const char *program)
{
    AUTO_FREE char *reason = NULL;
    if (arguments[0] == NULL) {
        log_error("as in: %s - TCP:localhost:80", program);
        return;
    }
    for (unsigned i = 0; arguments[i] != NULL && i < 8; i++)
        show_argument(arguments[i], i + 1);
    for (size_t i = 0; reason == NULL && i < MODCAT_COUNT(finders); i++)
        reason = finders[i](arguments, program);
    log_error("%s", reason);
}
