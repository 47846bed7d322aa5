#define _GNU_SOURCE
#include "core/command/defaults.h"

#include "core/base/log.h"
#include "core/base/signals.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOSING_DEFAULT (MODCAT_SECOND / 2)
#define VERSION_DEFAULT '4'

/* Pauses, in seconds: for tests and for attaching debuggers. */
static const struct wait_variable {
    const char *name;
    size_t member; /* of struct settings */
} wait_variables[] = {
    {"MAIN_WAIT", offsetof(struct settings, main_wait)},
    {"TRANSFER_WAIT", offsetof(struct settings, transfer_wait)},
    {"FORK_WAIT", offsetof(struct settings, fork_wait)},
};

/* Preferences of an IP version. */
static const struct version_variable {
    const char *name;
    size_t member; /* of struct settings */
} version_variables[] = {
    {"DEFAULT_LISTEN_IP", offsetof(struct settings, listen_version)},
    {"PREFERRED_RESOLVE_IP", offsetof(struct settings, resolve_version)},
};

static const char *const prefixes[] = {"MODCAT_", "SOCAT_"};

/* The value of a variable under the first prefix that has it, or NULL; its whole name is put in
 * `name`. */
static const char *variable(const char *suffix, char *name, size_t size)
{
    for (size_t i = 0; i < MODCAT_COUNT(prefixes); i++) {
        snprintf(name, size, "%s%s", prefixes[i], suffix);
        const char *value = secure_getenv(name);
        if (value != NULL)
            return value;
    }
    return NULL;
}

static void set_wait(struct settings *settings, const struct wait_variable *wait)
{
    char name[64], *end;
    const char *value = variable(wait->name, name, sizeof name);
    if (value == NULL || value[0] == '\0')
        return;
    errno = 0;
    unsigned long seconds = strtoul(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end != '\0' || errno != 0 || seconds > UINT_MAX) {
        log_warning("environment variable %s: \"%s\" is not a number of seconds", name, value);
        return;
    }
    *(unsigned *)((char *)settings + wait->member) = (unsigned)seconds;
}

/* Only the first character counts; anything but a version is no preference. */
static void set_version(struct settings *settings, const struct version_variable *version)
{
    char name[64];
    const char *value = variable(version->name, name, sizeof name);
    if (value != NULL)
        *((char *)settings + version->member) = value[0] == '4' || value[0] == '6' ? value[0] : '0';
}

void defaults_set(struct settings *settings)
{
    settings->closing = CLOSING_DEFAULT;
    settings->inactivity = MODCAT_FOREVER;
    settings->signal_mask = SIGNALS_DEFAULT_MASK;
    settings->listen_version = VERSION_DEFAULT;
    settings->resolve_version = VERSION_DEFAULT;
    for (size_t i = 0; i < MODCAT_COUNT(wait_variables); i++)
        set_wait(settings, &wait_variables[i]);
    for (size_t i = 0; i < MODCAT_COUNT(version_variables); i++)
        set_version(settings, &version_variables[i]);
}
