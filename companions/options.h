/* options.h: the command lines of the programs that stand beside the command `socat`: single
 * letters, with a value that is attached or the next argument. */

#ifndef COMPANIONS_OPTIONS_H
#define COMPANIONS_OPTIONS_H

#include <stdio.h>

/* A program's help: "NAME: what it does", and a line for each option. */
struct options_help {
    const char *program;
    const char *summary;
    const char *options;
};

void options_print_help(FILE *out, const struct options_help *help);

/* Prints "NAME: message" on standard error, as printf(3) does. Returns 1, the exit status. */
int options_fail(const struct options_help *help, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same with the help behind it, for a command line that is wrong. */
int options_refuse(const struct options_help *help, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The value of the option at **arguments, whose letter takes one: what is attached, or the next
 * argument, to which *arguments is moved. Returns NULL after reporting. */
const char *options_value(const struct options_help *help, char ***arguments);

/* Reads a number from 0 to `most`. Returns 0, or -1 after reporting. */
int options_number(const struct options_help *help, char letter, const char *text, long most,
                   long *number);

/* Reads seconds, with a fraction or without. Returns 0, or -1 after reporting. */
int options_seconds(const struct options_help *help, char letter, const char *text,
                    double *seconds);

#endif
