#include "core/address/params.h"

#include "core/address/network.h"
#include "core/base/words.h"

#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

/* What a name in a syntax stands for, in types of a group, or of all: a number up to a limit, where
 * words may do as well; or a text that is not empty, where `longest` is set up to that many bytes.
 * The first row that fits counts. */
static const struct limit {
    const char *name;
    const char *group; /* NULL: all */
    const char *what;
    unsigned long most; /* 0: it is a text */
    bool words;
    bool in_socats_words;
    size_t longest;
    const char *whose; /* "a socket's name" */
} limits[] = {
#define ROW(row_name, of_group, row_what, ...)                                                     \
    {                                                                                              \
        .name = (row_name), .group = (of_group), .what = (row_what), __VA_ARGS__                   \
    }
#define NUMBER(row_name, of_group, row_what, limit)                                                \
    ROW(row_name, of_group, row_what, .most = (limit))
#define TEXT(row_name, of_group, row_what) ROW(row_name, of_group, row_what, .words = true)
#define SHORT_TEXT(row_name, of_group, row_what, limit, of_whom)                                   \
    ROW(row_name, of_group, row_what, .longest = (limit), .whose = (of_whom))
    ROW("<port>", "IPAPP", "port number", .most = UINT16_MAX, .words = true),
    ROW("<socks-port>", "IPAPP", "port number", .most = UINT16_MAX, .words = true),
    ROW("<protocol>", "IP4", "protocol", .most = UINT8_MAX, .in_socats_words = true),
    ROW("<protocol>", "IP6", "protocol", .most = UINT8_MAX, .in_socats_words = true),
    NUMBER("<fdnum>", NULL, "FD number", INT_MAX),
    NUMBER("<cid>", NULL, "cid", UINT32_MAX),
    NUMBER("<vsock-port>", NULL, "port number", UINT32_MAX),
    TEXT("<filename>", "OPEN", "file name"),
    SHORT_TEXT("<filename>", "UNIX", "name of the socket",
               sizeof((struct sockaddr_un *)NULL)->sun_path - 1, "a socket's name"),
    SHORT_TEXT("<interface>", NULL, "name of the interface", IFNAMSIZ - 1, "an interface's name"),
    SHORT_TEXT("<mqname>", NULL, "name of the queue", NAME_MAX + 1, "a queue's name"),
    SHORT_TEXT("<host>", "SOCKS", "host", UINT8_MAX, "a host's name"),
    SHORT_TEXT("<host>", "HTTP", "host", UINT8_MAX, "a host's name"),
    TEXT("<string>", NULL, "string"),
    TEXT("<protocol>", NULL, "protocol"),
    TEXT("<domain>", NULL, "domain"),
    TEXT("<type>", NULL, "type"),
    TEXT("<filename>", NULL, "file name"),
    TEXT("<command-line>", NULL, "command"),
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
    const char *unless; /* an option takes its place */
} all_needed[] = {
    {"<host>", "IPAPP", "host, such as localhost", NULL},
    {"<host>", "IP4", "host, such as localhost", NULL},
    {"<host>", "IP6", "host, such as localhost", NULL},
    {"<socks-server>", "IPAPP", "host, such as localhost", NULL},
    {"<proxy-server>", "IPAPP", "host, such as localhost", NULL},
    {"<port>", "IPAPP", "port, such as 80", NULL},
    {"<socks-port>", "IPAPP", "port, such as 1080", "socksport"},
    {"<path>", "WS", "path, such as /", NULL},
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
        return text[0] != '\0' && (limit->longest == 0 || strlen(text) <= limit->longest);
    if (!read_number(text, &negative, &number))
        return limit->words;
    return !negative && number <= limit->most;
}

static void explain_number(const struct address *address, const struct limit *limit,
                           const char *text, struct address_error *error)
{
    bool negative;
    unsigned long number;
    if (!limit->in_socats_words)
        snprintf(error->message, sizeof error->message,
                 "error in %s \"%.40s\": it must be a number from 0 to %lu", limit->what, text,
                 limit->most);
    else if (read_number(text, &negative, &number))
        snprintf(error->message, sizeof error->message, "%s: %s number exceeds %lu (%.40s)",
                 address->keyword, limit->what, limit->most, text);
    else
        snprintf(error->message, sizeof error->message,
                 "%s: the %s must be a number, not \"%.40s\"", address->keyword, limit->what, text);
}

static void explain_text(const struct address *address, const struct limit *limit, const char *text,
                         struct address_error *error)
{
    if (text[0] == '\0')
        snprintf(error->message, sizeof error->message, "%s: the %s is empty", address->keyword,
                 limit->what);
    else
        snprintf(error->message, sizeof error->message,
                 "\"%.260s\" is longer than %s may be (%zu bytes instead of %zu)", text,
                 limit->whose, strlen(text), limit->longest);
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

static bool has_option(const struct address *address, const char *name)
{
    for (size_t i = 0; name != NULL && i < address->option_count; i++)
        if (strcasecmp(address->options[i].name, name) == 0)
            return true;
    return false;
}

static int check(const struct address *address, size_t index, const char *name, size_t length,
                 const char *groups, struct address_error *error)
{
    const char *text = address->params[index];
    if (name[length] == '/')
        return network_check(text, address->param_places[index], error);
    const struct limit *limit = limit_of(name, length, groups);
    const struct needed *needed = find_needed(name, length, groups);
    if (*text == '\0' && needed != NULL && !has_option(address, needed->unless))
        return fail_empty(address, index, needed, error);
    if (limit == NULL || keeps_limit(limit, text))
        return 0;
    error->place = address->param_places[index];
    if (limit->most == 0)
        explain_text(address, limit, text, error);
    else
        explain_number(address, limit, text, error);
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
