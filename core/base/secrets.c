#define _GNU_SOURCE
#include "core/base/secrets.h"

#include "core/base/memory.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct secret {
    struct secret *next;
    char *name, *value; /* the value is NULL once it has been wiped */
    unsigned users;     /* addresses that have not read it yet */
};

static struct secret *secrets;

static struct secret *find(const char *name)
{
    struct secret *secret = secrets;
    while (secret != NULL && strcmp(secret->name, name) != 0)
        secret = secret->next;
    return secret;
}

const char *secrets_get(const char *name)
{
    const struct secret *secret = find(name);
    return secret != NULL ? secret->value : NULL;
}

static void keep(const char *name, const char *value)
{
    struct secret *secret = memory_alloc(sizeof *secret);
    *secret = (struct secret){.next = secrets,
                              .name = memory_copy_text(name),
                              .value = memory_copy_text(value),
                              .users = 1};
    secrets = secret;
}

/* The value that an entry of the environment gives this variable, or NULL. */
static char *value_in(char *entry, const char *name)
{
    size_t length = strlen(name);
    return strncmp(entry, name, length) == 0 && entry[length] == '=' ? entry + length + 1 : NULL;
}

/* What exec(2) has put on the stack is what /proc/PID/environ shows. A variable may be there twice,
 * of which getenv(3) sees the first. */
static void wipe(const char *name)
{
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        char *value = value_in(*entry, name);
        if (value != NULL)
            explicit_bzero(value, strlen(value));
    }
}

void secrets_take(const char *name)
{
    const char *value = getenv(name);
    struct secret *secret = find(name);
    if (secret != NULL)
        secret->users++;
    if (value == NULL)
        return;
    if (secret == NULL)
        keep(name, value);
    wipe(name);
    unsetenv(name);
}

static void drop(struct secret *secret)
{
    if (secret->value != NULL)
        explicit_bzero(secret->value, strlen(secret->value));
    free(secret->value);
    secret->value = NULL;
}

void secrets_release(const char *name)
{
    struct secret *secret = find(name);
    if (secret != NULL && secret->users > 0 && --secret->users == 0)
        drop(secret);
}

void secrets_wipe(void)
{
    for (struct secret *secret = secrets; secret != NULL; secret = secret->next)
        drop(secret);
}
