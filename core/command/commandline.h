/* commandline.h: takes argv and the environment apart into struct settings. Options are data: the
 * same table is what is parsed and what help shows. */

#ifndef CORE_COMMAND_COMMANDLINE_H
#define CORE_COMMAND_COMMANDLINE_H

#include "core/base/settings.h"
#include <stdbool.h>
#include <stdio.h>

/* What the program is to do. All but the first print something and end. */
enum commandline_action {
    ACTION_RUN,
    ACTION_HELP,            /* -h: what is done most, on one screen */
    ACTION_HELP1,           /* -h of socat, -? : options and addresses */
    ACTION_HELP2,           /* -hh: and address options by their short names */
    ACTION_HELP3,           /* -hhh: and all names */
    ACTION_VERSION,         /* -V */
    ACTION_DRIVERS,         /* --drivers */
    ACTION_COMPAT,          /* --compat */
    ACTION_DESCRIBE,        /* --describe: of settings->describe */
    ACTION_DESCRIBE_DRIVER, /* --describe-driver: of settings->describe */
    ACTION_COMPLETE         /* --complete: of settings->describe */
};

/* Fills *settings in, with defaults first, then from the environment, then from left to right by
 * the options, which take effect at once: what they say about the log holds for the next message.
 * The program's name in messages becomes that of argv[0]. *action is what is to be done next;
 * both addresses are set for ACTION_RUN only. All texts point into argv and must not be freed.
 * Returns 0, or -1 after reporting: exit with 1. Either way commandline_free() is due. */
int commandline_parse(int argc, char **argv, struct settings *settings,
                      enum commandline_action *action);

/* Frees what commandline_parse() allocated. */
void commandline_free(struct settings *settings);

/* Prints the line that says what this program is; and that line, the usage and all options, for a
 * program called `program`. */
void commandline_identify(FILE *out);
void commandline_usage(FILE *out, const char *program);

/* True for what is taken as an option, with what is attached to it, where options may stand. */
bool commandline_is_option(const char *argument);

/* The names of the options, one after the other, NULL at the end; *cursor starts as 0. */
const char *commandline_next_option(size_t *cursor);

#endif
