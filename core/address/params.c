#include "core/address/params.h"

#include "core/base/words.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a name in a syntax stands for: a number up to a limit; and, where `words` is set, what is no
 * number at all. With a limit of 0 any text will do that is not empty. */
static const struct limit {
    const char *name;
    const char *group; /* of the types where it does so; NULL: all */
    unsigned long most;
    bool words;
    const char *what;
} limits[] = {
    {"<string>", NULL, 0, true, "string"},
    {"<port>", "IPAPP", 65535, true, "port number"},
    {"<socks-port>", "IPAPP", 65535, true, "port number"},
    {"<fdnum>", NULL, INT_MAX, false, "FD number"},
};

/* As strtoul(3) takes it. Returns false for what is no number as a whole. */
static bool read_number(const char *text, bool *negative, unsigned long *number)
{
    char *end;
    errno = 0;
    *number = strtoul(text, &end, 0);
    if (errno == ERANGE)
        *number = ULONG_MAX;
    *negative = strchr(text, '-') != NULL;
    return end != text && *end == '\0';
}

/* What must not be empty, as it is where a variable of a script is not set: it would be this host,
 * or port 0. */
static const struct needed {
    const char *name;
    const char *group;
    const char *what;
} all_needed[] = {
    {"<host>", "IPAPP", "host, such as localhost"},
    {"<host>", "IP4", "host, such as localhost"},
    {"<host>", "IP6", "host, such as localhost"},
    {"<socks-server>", "IPAPP", "host, such as localhost"},
    {"<proxy-server>", "IPAPP", "host, such as localhost"},
    {"<port>", "IPAPP", "port, such as 80"},
};

static const struct needed *find_needed(const char *name, size_t length, const char *groups)
{
    for (size_t i = 0; i < MODCAT_COUNT(all_needed); i++) {
        const struct needed *needed = &all_needed[i];
        if (strlen(needed->name) == length && strncmp(needed->name, name, length) == 0 &&
            words_list_has(groups, needed->group))
            return needed;
    }
    return NULL;
}

static int fail_empty(const struct address *address, size_t index, const struct needed *needed,
                      struct address_error *error)
{
    error->place = address->param_places[index];
    snprintf(error->message, sizeof error->message, "empty %s: name a %s", needed->name,
             needed->what);
    return -1;
}

static bool keeps_limit(const struct limit *limit, const char *text)
{
    bool negative;
    unsigned long number;
    if (limit->most == 0)
        return text[0] != '\0';
    if (!read_number(text, &negative, &number))
        return limit->words;
    return !negative && number <= limit->most;
}

static const struct limit *limit_of(const char *name, size_t length, const char *groups)
{
    for (size_t i = 0; i < MODCAT_COUNT(limits); i++)
        if (strlen(limits[i].name) == length && strncmp(limits[i].name, name, length) == 0 &&
            (limits[i].group == NULL || words_list_has(groups, limits[i].group)))
            return &limits[i];
    return NULL;
}

static size_t count_names(const char *syntax)
{
    size_t count = 0;
    for (const char *name = syntax; (name = strchr(name, '<')) != NULL; name++)
        count++;
    return count;
}

/* True for a name in brackets that has another one behind them, as in `[:<socks-port>]:<host>`. */
static bool may_be_left_out(const char *name)
{
    const char *bracket = strpbrk(name, "[]");
    return bracket != NULL && *bracket == ']' && strchr(bracket, '<') != NULL;
}

static int check(const struct address *address, size_t index, const char *name, size_t length,
                 const char *groups, struct address_error *error)
{
    const char *text = address->params[index];
    const struct limit *limit = limit_of(name, length, groups);
    const struct needed *needed = find_needed(name, length, groups);
    if (*text == '\0' && needed != NULL)
        return fail_empty(address, index, needed, error);
    if (limit == NULL || keeps_limit(limit, text))
        return 0;
    error->place = address->param_places[index];
    if (limit->most == 0)
        snprintf(error->message, sizeof error->message, "%s: the %s is empty", address->keyword,
                 limit->what);
    else
        snprintf(error->message, sizeof error->message,
                 "error in %s \"%.40s\": it must be a number from 0 to %lu", limit->what, text,
                 limit->most);
    return -1;
}

int params_check(const struct address *address, const char *syntax, const char *groups,
                 struct address_error *error)
{
    size_t index = 0;
    if (syntax == NULL)
        return 0;
    size_t names = count_names(syntax);
    size_t missing = names > address->param_count ? names - address->param_count : 0;
    for (const char *name = syntax;
         (name = strchr(name, '<')) != NULL && index < address->param_count; name++) {
        if (missing > 0 && may_be_left_out(name)) {
            missing--;
            continue;
        }
        if (check(address, index++, name, strcspn(name, ">") + 1, groups, error) < 0)
            return -1;
    }
    return 0;
}

struct place params_open_bracket(const struct address *address)
{
    static const char openers[] = "([{", closers[] = ")]}";
    struct place nothing = {0, 0};
    if (address->param_count == 0)
        return nothing;
    struct place last = address->param_places[address->param_count - 1];
    const char *text = address->text + last.start;
    if (last.length == 0 || strchr(openers, text[0]) == NULL ||
        memchr(text, closers[strchr(openers, text[0]) - openers], last.length) != NULL)
        return nothing;
    return (struct place){last.start, 1};
}
