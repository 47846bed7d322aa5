#define _GNU_SOURCE
#include "core/opening/environment.h"

#include "core/base/log.h"
#include "core/base/memory.h"

#include <ctype.h>
#include <modcat/driver.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct variable {
    char *name;
    char *value;
};

struct environment {
    struct variable *variables;
    size_t count;
};

struct environment *environment_new(void)
{
    return memory_zeroed(1, sizeof(struct environment));
}

static void clear(struct environment *environment)
{
    for (size_t i = 0; i < environment->count; i++) {
        free(environment->variables[i].name);
        free(environment->variables[i].value);
    }
    free(environment->variables);
    *environment = (struct environment){0};
}

void environment_free(struct environment *environment)
{
    if (environment != NULL)
        clear(environment);
    free(environment);
}

static struct variable *find(const struct environment *environment, const char *name)
{
    for (size_t i = 0; i < environment->count; i++)
        if (strcmp(environment->variables[i].name, name) == 0)
            return &environment->variables[i];
    return NULL;
}

void environment_set(struct environment *environment, const char *name, const char *value)
{
    struct variable *variable = find(environment, name);
    if (variable != NULL) {
        char *old = variable->value; /* may be what `value` points to */
        variable->value = memory_copy_text(value);
        free(old);
        return;
    }
    environment->variables = memory_resize(environment->variables, environment->count + 1,
                                           sizeof *environment->variables);
    environment->variables[environment->count++] =
        (struct variable){.name = memory_copy_text(name), .value = memory_copy_text(value)};
}

struct environment *environment_copy(const struct environment *environment)
{
    struct environment *copy = environment_new();
    environment_restore(copy, environment);
    return copy;
}

void environment_restore(struct environment *environment, const struct environment *earlier)
{
    clear(environment);
    for (size_t i = 0; i < earlier->count; i++)
        environment_set(environment, earlier->variables[i].name, earlier->variables[i].value);
}

static void forget(struct environment *environment, const char *name)
{
    struct variable *variable = find(environment, name);
    if (variable == NULL)
        return;
    free(variable->name);
    free(variable->value);
    *variable = environment->variables[--environment->count];
}

/* Sets the variable, or forgets it where `value` is NULL. */
static void set_with_prefix(struct environment *environment, const char *prefix, const char *name,
                            const char *value)
{
    AUTO_FREE char *full = memory_format("%s_%s", prefix, name);
    for (size_t i = 0; prefix[i] != '\0'; i++)
        full[i] = (char)toupper((unsigned char)full[i]);
    if (value != NULL)
        environment_set(environment, full, value);
    else
        forget(environment, full);
}

void environment_set_prefixed(struct environment *environment, const char *name, const char *value)
{
    set_with_prefix(environment, "SOCAT", name, value);
    set_with_prefix(environment, "MODCAT", name, value);
    set_with_prefix(environment, log_program(), name, value);
}

const char *environment_get(const struct environment *environment, const char *name)
{
    const struct variable *variable = find(environment, name);
    return variable != NULL ? variable->value : NULL;
}

/* The length of PROGRAM_WORD_ at the start of PROGRAM_WORD_DETAIL, or 0. */
static size_t family_length(const char *name)
{
    const char *first = strchr(name, '_');
    const char *second = first != NULL ? strchr(first + 1, '_') : NULL;
    return second != NULL ? (size_t)(second + 1 - name) : 0;
}

/* Removes from this process what begins like a variable that is going to be set. */
static int remove_family(const char *name)
{
    size_t length = family_length(name);
    for (char **entry = environ; length > 0 && *entry != NULL;) {
        if (strncmp(*entry, name, length) != 0) {
            entry++;
            continue;
        }
        AUTO_FREE char *found = memory_copy_span(*entry, strcspn(*entry, "="));
        if (unsetenv(found) < 0)
            return -1;
        entry = environ;
    }
    return 0;
}

/* What sessions set, besides the families of the variables that this one sets. A word that ends
 * with an underscore stands for all that begin so. */
static const char *const session_words[] = {
    "PEERADDR", "PEERPORT",  "SOCKADDR", "SOCKPORT", "PID",          "PPID",
    "VERSION",  "TIMESTAMP", "IP_",      "IPV6_",    "POSIXMQ_PRIO", "OPENSSL_",
};

static bool is_session_word(const char *word, size_t length)
{
    for (size_t i = 0; i < MODCAT_COUNT(session_words); i++) {
        size_t known = strlen(session_words[i]);
        bool is_family = session_words[i][known - 1] == '_';
        if ((length == known || (is_family && length > known)) &&
            strncmp(word, session_words[i], known) == 0)
            return true;
    }
    return false;
}

/* Whether PREFIX_WORD=... is a variable that a session sets. */
static bool is_of_session(const char *entry, const char *prefix)
{
    size_t length = strlen(prefix);
    if (strncasecmp(entry, prefix, length) != 0 || entry[length] != '_')
        return false;
    const char *word = entry + length + 1;
    return is_session_word(word, strcspn(word, "="));
}

/* Removes from this process what a session above has set for its programs, this process among them:
 * it would be taken for what this session says of its own peer. */
static int remove_other_session(void)
{
    const char *const prefixes[] = {"SOCAT", "MODCAT", log_program()};
    for (char **entry = environ; entry != NULL && *entry != NULL;) {
        bool found = false;
        for (size_t i = 0; i < MODCAT_COUNT(prefixes) && !found; i++)
            found = is_of_session(*entry, prefixes[i]);
        if (!found) {
            entry++;
            continue;
        }
        AUTO_FREE char *name = memory_copy_span(*entry, strcspn(*entry, "="));
        if (unsetenv(name) < 0)
            return -1;
        entry = environ;
    }
    return 0;
}

int environment_apply(const struct environment *environment)
{
    if (remove_other_session() < 0)
        return -1;
    for (size_t i = 0; i < environment->count; i++)
        if (remove_family(environment->variables[i].name) < 0)
            return -1;
    for (size_t i = 0; i < environment->count; i++)
        if (setenv(environment->variables[i].name, environment->variables[i].value, 1) < 0)
            return -1;
    return 0;
}
