#define _GNU_SOURCE
#include "core/opening/environment.h"

#include "core/base/log.h"
#include "core/base/memory.h"

#include <ctype.h>
#include <modcat/driver.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* A variable, or the same one for all prefixes. */
struct variable {
    char *name;
    char *value;   /* NULL: it is taken away */
    bool prefixed; /* its full names are PREFIX_NAME */
    int side;      /* whose address has set it, 1 or 2; 0: none's */
};

struct environment {
    const struct environment *base; /* what is set there holds, unless it is set here; or NULL */
    struct variable *variables;
    size_t count;
};

struct environment *environment_new(void)
{
    return memory_zeroed(1, sizeof(struct environment));
}

struct environment *environment_on(const struct environment *base)
{
    struct environment *environment = environment_new();
    environment->base = base;
    return environment;
}

static void clear(struct environment *environment)
{
    for (size_t i = 0; i < environment->count; i++) {
        free(environment->variables[i].name);
        free(environment->variables[i].value);
    }
    free(environment->variables);
    *environment = (struct environment){.base = environment->base};
}

void environment_free(struct environment *environment)
{
    if (environment != NULL)
        clear(environment);
    free(environment);
}

/* Of several sides, the one that has set it last. */
static struct variable *find(const struct environment *environment, const char *name, bool prefixed)
{
    for (size_t i = environment->count; i-- > 0;)
        if (environment->variables[i].prefixed == prefixed &&
            strcmp(environment->variables[i].name, name) == 0)
            return &environment->variables[i];
    return NULL;
}

static struct variable *find_of_side(const struct environment *environment, const char *name,
                                     int side)
{
    for (size_t i = 0; i < environment->count; i++)
        if (environment->variables[i].prefixed && environment->variables[i].side == side &&
            strcmp(environment->variables[i].name, name) == 0)
            return &environment->variables[i];
    return NULL;
}

static void drop(struct environment *environment, size_t index)
{
    struct variable *variable = &environment->variables[index];
    free(variable->name);
    free(variable->value);
    environment->count--;
    memmove(variable, variable + 1, (environment->count - index) * sizeof *variable);
}

/* The last one is the newest. */
static void add(struct environment *environment, const struct variable *variable)
{
    environment->variables = memory_resize(environment->variables, environment->count + 1,
                                           sizeof *environment->variables);
    struct variable *added = &environment->variables[environment->count++];
    *added = *variable;
    added->name = memory_copy_text(variable->name);
    added->value = variable->value != NULL ? memory_copy_text(variable->value) : NULL;
}

/* `variable` and its texts are the caller's; the value may be the one that is replaced. */
static void set(struct environment *environment, const struct variable *variable)
{
    struct variable *before = variable->prefixed
                                  ? find_of_side(environment, variable->name, variable->side)
                                  : find(environment, variable->name, false);
    size_t index = before != NULL ? (size_t)(before - environment->variables) : 0;
    add(environment, variable);
    if (before != NULL)
        drop(environment, index);
}

void environment_set(struct environment *environment, const char *name, const char *value)
{
    set(environment, &(struct variable){.name = (char *)name, .value = (char *)value});
}

void environment_set_of_side(struct environment *environment, const char *name, const char *value,
                             int side)
{
    set(environment,
        &(struct variable){
            .name = (char *)name, .value = (char *)value, .prefixed = true, .side = side});
}

void environment_set_prefixed(struct environment *environment, const char *name, const char *value)
{
    environment_set_of_side(environment, name, value, 0);
}

struct environment *environment_copy(const struct environment *environment)
{
    struct environment *copy = environment_on(environment->base);
    environment_restore(copy, environment);
    return copy;
}

void environment_restore(struct environment *environment, const struct environment *earlier)
{
    clear(environment);
    for (size_t i = 0; i < earlier->count; i++)
        add(environment, &earlier->variables[i]);
}

/* The prefixes of session's variables; the last one is made of the name in `own`. */
#define PREFIXES 3
#define PREFIX_MAX 256
static void list_prefixes(const char *prefixes[PREFIXES], char own[PREFIX_MAX])
{
    snprintf(own, PREFIX_MAX, "%s", log_program());
    for (size_t i = 0; own[i] != '\0'; i++)
        own[i] = (char)toupper((unsigned char)own[i]);
    prefixes[0] = "SOCAT";
    prefixes[1] = "MODCAT";
    prefixes[2] = own;
}

/* What stands behind the prefix, or NULL. */
static const char *behind(const char *prefix, const char *name)
{
    size_t length = strlen(prefix);
    return strncmp(prefix, name, length) == 0 && name[length] == '_' ? name + length + 1 : NULL;
}

static const struct variable *find_by_full_name(const struct environment *environment,
                                                const char *name)
{
    char own[PREFIX_MAX];
    const char *prefixes[PREFIXES];
    const struct variable *found = find(environment, name, false);
    list_prefixes(prefixes, own);
    for (size_t i = 0; i < PREFIXES && found == NULL; i++) {
        const char *rest = behind(prefixes[i], name);
        found = rest != NULL ? find(environment, rest, true) : NULL;
    }
    return found;
}

const char *environment_get(const struct environment *environment, const char *name)
{
    for (; environment != NULL; environment = environment->base) {
        const struct variable *variable = find_by_full_name(environment, name);
        if (variable != NULL)
            return variable->value;
    }
    return NULL;
}

const char *environment_get_of_side(const struct environment *environment, const char *name,
                                    int side)
{
    for (; environment != NULL; environment = environment->base) {
        const struct variable *variable = find_of_side(environment, name, side);
        if (variable != NULL)
            return variable->value;
    }
    return NULL;
}

/* The length of PROGRAM_WORD_ at the start of PROGRAM_WORD_DETAIL, or 0. */
static size_t family_length(const char *name)
{
    const char *first = strchr(name, '_');
    const char *second = first != NULL ? strchr(first + 1, '_') : NULL;
    return second != NULL ? (size_t)(second + 1 - name) : 0;
}

/* Calls `act` for each full name of a variable, until it fails. */
static int for_each_name(const struct variable *variable,
                         int (*act)(const char *name, const char *value))
{
    char own[PREFIX_MAX];
    const char *prefixes[PREFIXES];
    if (!variable->prefixed)
        return act(variable->name, variable->value);
    list_prefixes(prefixes, own);
    for (size_t i = 0; i < PREFIXES; i++) {
        AUTO_FREE char *name = memory_format("%s_%s", prefixes[i], variable->name);
        if (act(name, variable->value) < 0)
            return -1;
    }
    return 0;
}

/* Removes from this process what begins like a variable that is going to be set. */
static int remove_family(const char *name, const char *value)
{
    (void)value;
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
    "PEERADDR",  "PEERPORT", "SOCKADDR", "SOCKPORT",     "PID",      "PPID", "VERSION",
    "TIMESTAMP", "IP_",      "IPV6_",    "POSIXMQ_PRIO", "OPENSSL_", "PP_",
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

static int set_here(const char *name, const char *value)
{
    return value != NULL ? setenv(name, value, 1) : unsetenv(name);
}

/* The base first. */
static int for_all(const struct environment *environment,
                   int (*act)(const char *name, const char *value))
{
    if (environment->base != NULL && for_all(environment->base, act) < 0)
        return -1;
    for (size_t i = 0; i < environment->count; i++)
        if (for_each_name(&environment->variables[i], act) < 0)
            return -1;
    return 0;
}

int environment_apply(const struct environment *environment)
{
    if (remove_other_session() < 0 || for_all(environment, remove_family) < 0)
        return -1;
    return for_all(environment, set_here);
}
