#include "tests/system/types.h"

#include <stdlib.h>
#include <string.h>

#define LINE "\n      " /* of an address type, in the help */

const char *const *types_of_program(struct harness *harness)
{
    struct program *program = program_start(harness, "-hh", NULL);
    const char **types = memory(harness, sizeof(char *));
    size_t count = 0;
    types[0] = NULL;
    program_ends(program, 0);
    const char *line = strstr(program_output(program, NULL), "address-head:" LINE);
    if (line == NULL)
        harness_fail(harness, "no types in the help");
    const char *options = strstr(line, "\n   opts:");
    while ((line = strstr(line, LINE)) != NULL && (options == NULL || line < options)) {
        const char **longer = memory(harness, (count + 2) * sizeof(char *));
        line += strlen(LINE);
        memcpy(longer, types, count * sizeof(char *));
        types = longer;
        types[count++] = text(harness, "%.*s", (int)strcspn(line, ":[\t\n "), line);
        types[count] = NULL;
    }
    return types;
}

const char *types_next(struct harness *harness, const char **names)
{
    *names += strspn(*names, "!|");
    if (**names == '\0')
        return NULL;
    size_t length = strcspn(*names, "!|");
    const char *type = text(harness, "%.*s", (int)length, *names);
    *names += length;
    return type;
}

static bool has(const char *const *types, const char *type)
{
    while (*types != NULL)
        if (strcmp(*types++, type) == 0)
            return true;
    return false;
}

bool types_have(struct harness *harness, const char *const *types, const char *names)
{
    for (const char *type; (type = types_next(harness, &names)) != NULL;)
        if (!has(types, type))
            return false;
    return true;
}

/* Every second distance, so that rows of both parities come in both orders. */
bool types_in_order(size_t one, size_t other)
{
    bool upwards = (one < other ? other - one : one - other) / 2 % 2 == SANITIZED;
    return one == other || upwards == (one < other) || getenv("MODCAT_TEST_ALL") != NULL;
}
