#include "companions/options.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>

void options_print_help(FILE *out, const struct options_help *help)
{
    fprintf(out, "%s: %s\nUsage:\n%s [options]\n   options:\n%s", help->program, help->summary,
            help->program, help->options);
}

__attribute__((format(printf, 2, 0))) static void
report(const struct options_help *help, const char *format, va_list arguments)
{
    fprintf(stderr, "%s: ", help->program);
    vfprintf(stderr, format, arguments);
    putc('\n', stderr);
}

int options_fail(const struct options_help *help, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(help, format, arguments);
    va_end(arguments);
    return 1;
}

int options_refuse(const struct options_help *help, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(help, format, arguments);
    va_end(arguments);
    options_print_help(stderr, help);
    return 1;
}

const char *options_value(const struct options_help *help, char ***arguments)
{
    const char *argument = **arguments;
    if (argument[2] != '\0')
        return argument + 2;
    if ((*arguments)[1] != NULL)
        return *++*arguments;
    options_fail(help, "option -%c requires an argument; use option \"-h\" for help", argument[1]);
    return NULL;
}

int options_number(const struct options_help *help, char letter, const char *text, long most,
                   long *number)
{
    char *end;
    errno = 0;
    *number = strtol(text, &end, 0);
    if (isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0 && *number <= most)
        return 0;
    options_fail(help, "option -%c: \"%s\" is not a number from 0 to %ld", letter, text, most);
    return -1;
}

int options_seconds(const struct options_help *help, char letter, const char *text,
                    double *seconds)
{
    char *end;
    *seconds = strtod(text, &end);
    if ((isdigit((unsigned char)text[0]) || text[0] == '.') && end != text && *end == '\0' &&
        *seconds <= INT_MAX)
        return 0;
    options_fail(help, "option -%c: \"%s\" is not a number of seconds", letter, text);
    return -1;
}
