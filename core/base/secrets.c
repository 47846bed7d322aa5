#define _GNU_SOURCE
#include "core/base/secrets.h"

#include "core/base/memory.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct secret {
    struct secret *next;
    char *name, *value;
};

static struct secret *secrets;

const char *secrets_get(const char *name)
{
    for (const struct secret *secret = secrets; secret != NULL; secret = secret->next)
        if (strcmp(secret->name, name) == 0)
            return secret->value;
    return NULL;
}

static void keep(const char *name, const char *value)
{
    struct secret *secret = memory_alloc(sizeof *secret);
    *secret = (struct secret){
        .next = secrets, .name = memory_copy_text(name), .value = memory_copy_text(value)};
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
    if (value == NULL)
        return;
    if (secrets_get(name) == NULL)
        keep(name, value);
    wipe(name);
    unsetenv(name);
}
