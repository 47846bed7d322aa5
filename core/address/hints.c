#define _GNU_SOURCE
#include "core/address/hints.h"

#include "core/base/memory.h"
#include "core/base/words.h"
#include "core/registry/registry.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What to write for a URL. */
static const struct scheme {
    const char *name;
    const char *type;
    const char *port; /* unless the URL has one */
} schemes[] = {
    {"http", "TCP", "80"},        {"https", "OPENSSL", "443"}, {"ftp", "TCP", "21"},
    {"ssh", "TCP", "22"},         {"tcp", "TCP", "<port>"},    {"ssl", "OPENSSL", "<port>"},
    {"tls", "OPENSSL", "<port>"}, {"udp", "UDP", "<port>"},    {"ws", "TCP", "80"},
    {"wss", "OPENSSL", "443"},
};

/* Characters beyond ASCII in UTF-8, and the one that was probably meant. */
static const struct {
    const char *bytes;
    const char *point;
    const char *meant;
} lookalikes[] = {
    {"\u2010", "U+2010", "-"},  {"\u2011", "U+2011", "-"}, {"\u2012", "U+2012", "-"},
    {"\u2013", "U+2013", "-"},  {"\u2014", "U+2014", "-"}, {"\u2212", "U+2212", "-"},
    {"\u2018", "U+2018", "'"},  {"\u2019", "U+2019", "'"}, {"\u201c", "U+201C", "\""},
    {"\u201d", "U+201D", "\""}, {"\u00a0", "U+00A0", " "}, {"\u202f", "U+202F", " "},
    {"\u200b", "U+200B", ""},   {"\ufeff", "U+FEFF", ""},  {"\uff1a", "U+FF1A", ":"},
    {"\uff0c", "U+FF0C", ","},
};

static const struct scheme *scheme_of(const struct address *address)
{
    if (address->param_count == 0 || strncmp(address->params[0], "//", 2) != 0)
        return NULL;
    for (size_t i = 0; i < MODCAT_COUNT(schemes); i++)
        if (strcasecmp(schemes[i].name, address->keyword) == 0)
            return &schemes[i];
    return NULL;
}

static char *url_hint(const struct address *address, const struct scheme *scheme)
{
    static const char digits[] = "0123456789";
    const char *host = address->params[0] + strlen("//");
    const char *port = address->param_count > 1 ? address->params[1] : "";
    size_t host_length = strcspn(host, "/?#"), port_length = strspn(port, digits);
    const char *name = port_length > 0 ? port : scheme->port;
    return memory_format("; for a URL, use %s:%.*s:%.*s", scheme->type, (int)host_length, host,
                         (int)(port_length > 0 ? port_length : strlen(name)), name);
}

/* A name of a host, which needs not exist, or an IP address. */
static bool looks_like_host(const char *word)
{
    return strcasecmp(word, "localhost") == 0 || word[0] == '[' ||
           (word[0] != '.' && strchr(word, '.') != NULL);
}

static char *host_hint(const struct address *address)
{
    const char *port = address->param_count > 0 ? address->params[0] : "<port>";
    return memory_format("; to connect to a port of a host, use TCP:%.100s:%.100s",
                         address->keyword, port);
}

char *hints_lookalike(const char *word)
{
    for (size_t i = 0; i < MODCAT_COUNT(lookalikes); i++)
        if (strstr(word, lookalikes[i].bytes) != NULL)
            return memory_format("; it has a character %s in the place of \"%s\"",
                                 lookalikes[i].point, lookalikes[i].meant);
    return memory_copy_text("");
}

char *hints_unknown_type(const struct address *address)
{
    const struct scheme *scheme = scheme_of(address);
    if (scheme != NULL)
        return url_hint(address, scheme);
    if (looks_like_host(address->keyword) && address->param_count < 2)
        return host_hint(address);
    return hints_lookalike(address->keyword);
}

/* The first `count` parameters as one, to be freed. */
static char *joined(const struct address *address, size_t count)
{
    char *text = memory_copy_text(count > 0 ? address->params[0] : "");
    for (size_t i = 1; i < count; i++) {
        char *longer = memory_format("%s:%s", text, address->params[i]);
        free(text);
        text = longer;
    }
    return text;
}

static bool is_ipv6(const char *text)
{
    struct in6_addr address;
    return inet_pton(AF_INET6, text, &address) == 1;
}

/* What a parameter stands for that may well have a colon in it. */
static bool takes_colons(const char *syntax)
{
    static const char *const names[] = {"<command-line>", "<shell-command>", "<filename>",
                                        "<string>"};
    for (size_t i = 0; syntax != NULL && i < MODCAT_COUNT(names); i++)
        if (strstr(syntax, names[i]) != NULL)
            return true;
    return false;
}

char *hints_too_many_params(const struct address *address, const char *syntax)
{
    AUTO_FREE char *without_port = joined(address, address->param_count - 1);
    AUTO_FREE char *whole = joined(address, address->param_count);
    bool host = syntax != NULL && strstr(syntax, "<host>") != NULL;
    if (host && is_ipv6(without_port))
        return memory_format("; an IPv6 address needs brackets: %s:[%s]:%s", address->keyword,
                             without_port, address->params[address->param_count - 1]);
    if (host && is_ipv6(whole))
        return memory_format("; an IPv6 address needs brackets: [%s]", whole);
    return memory_copy_text(
        takes_colons(syntax) ? "; a colon that belongs to a parameter is written \"\\:\"" : "");
}

/* The groups of all options of this name or alias, each followed by a comma, to be freed. */
static char *groups_of(const struct registry *registry, const char *word)
{
    const struct manifest_option *option;
    char *groups = memory_copy_text("");
    for (size_t cursor = 0; (option = registry_next_option(registry, &cursor)) != NULL;) {
        if (!words_equal(option->name, word) && !words_list_has(option->aliases, word))
            continue;
        char *more = memory_format("%s%s,", groups, option->groups != NULL ? option->groups : "");
        free(groups);
        groups = more;
    }
    return groups;
}

/* How many letters two names begin with alike, for the order. */
static size_t likeness(const char *left, const char *right)
{
    size_t length = 0;
    while (left[length] != '\0' &&
           tolower((unsigned char)left[length]) == tolower((unsigned char)right[length]))
        length++;
    return length;
}

/* The types that have an option of these groups, the most alike first. */
struct offers {
    const char *names[3];
    size_t likeness[3];
    size_t count; /* of all */
};

static void add_offer(struct offers *offers, const char *name, size_t like)
{
    size_t at =
        offers->count < MODCAT_COUNT(offers->names) ? offers->count : MODCAT_COUNT(offers->names);
    for (offers->count++; at > 0 && offers->likeness[at - 1] < like; at--)
        if (at < MODCAT_COUNT(offers->names)) {
            offers->names[at] = offers->names[at - 1];
            offers->likeness[at] = offers->likeness[at - 1];
        }
    if (at == MODCAT_COUNT(offers->names))
        return;
    offers->names[at] = name;
    offers->likeness[at] = like;
}

char *hints_types_with(const struct registry *registry, const char *option, const char *type)
{
    AUTO_FREE char *groups = groups_of(registry, option);
    const struct manifest_type *other;
    struct offers offers = {.count = 0};
    for (size_t cursor = 0; (other = registry_next_type(registry, &cursor)) != NULL;)
        if (!words_equal(other->name, type) && words_lists_meet(other->groups, groups))
            add_offer(&offers, other->name, likeness(other->name, type));
    if (offers.count == 0)
        return memory_copy_text("");
    const char *first = offers.names[0], *second = offers.names[1], *third = offers.names[2];
    if (offers.count == 1)
        return memory_format("; %s has it", first);
    if (offers.count == 2)
        return memory_format("; %s and %s have it", first, second);
    if (offers.count == 3)
        return memory_format("; %s, %s and %s have it", first, second, third);
    return memory_format("; %s, %s, %s and others have it", first, second, third);
}
