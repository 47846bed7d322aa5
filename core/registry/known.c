#include "core/registry/known.h"

#include "core/base/memory.h"
#include "core/base/words.h"
#include "core/registry/search.h"
#include <stddef.h>
#include <string.h>

static const struct known_driver drivers[] = {
#include "core/registry/known_words.inc"
};

static const struct known_driver *find(const char *word, size_t list)
{
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++)
        if (words_list_has(*(const char *const *)((const char *)&drivers[i] + list), word))
            return &drivers[i];
    return NULL;
}

const struct known_driver *known_by_type(const char *word)
{
    return find(word, offsetof(struct known_driver, types));
}

const struct known_driver *known_by_option(const char *word)
{
    return find(word, offsetof(struct known_driver, options));
}

/* The package whose library was missing when this program was configured, and with it the driver;
 * to be freed. NULL: the driver was built. */
static char *missing_library(const struct known_driver *known)
{
    const char *cursor = MODCAT_LEFT_OUT, *word;
    size_t length, name = strlen(known->name);
    while (words_next(&cursor, &word, &length))
        if (length > name && word[name] == ':' && strncmp(word, known->name, name) == 0)
            return memory_copy_span(word + name + 1, length - name - 1);
    return NULL;
}

char *known_absence(const struct known_driver *known)
{
    AUTO_FREE char *library = missing_library(known);
    if (library != NULL)
        return memory_format("it is offered by the driver \"%s\", which this build has left out; "
                             "install %s, and configure and build again",
                             known->name, library);
    if (search_has_refused())
        return memory_format("it is offered by the driver \"%s\", which is not among those that "
                             "are left: drivers were refused, see the warning above",
                             known->name);
    return memory_format("it is offered by the driver \"%s\", which is not installed; install the "
                         "package %s",
                         known->name, known->package);
}
