#define _GNU_SOURCE
#include "core/address/bind.h"

#include "core/address/hints.h"
#include "core/address/lexer.h"
#include "core/address/mask.h"
#include "core/address/params.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/words.h"
#include "core/registry/known.h"
#include "core/registry/registry.h"
#include "core/values/groups.h"
#include "core/values/range.h"
#include "core/values/values.h"
#include <ctype.h>
#include <errno.h>
#include <modcat/layer.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* As many mistakes of an address are shown; a reader mends no more at once. */
#define MISTAKES_MAX 5

/* What binding one address needs to know. */
struct binding {
    struct registry *registry;
    const struct settings *settings;
    struct address *address;
    unsigned depth; /* in parentheses of others */
};

static struct address_pair *bind_text(struct registry *registry, const struct settings *settings,
                                      const char *text, unsigned depth);

static void explain(struct registry *registry, const char *text, const struct address_error *error)
{
    AUTO_FREE char *shown = mask_secrets(registry, text);
    address_explain(MODCAT_ERROR, shown, error);
}

__attribute__((format(printf, 3, 4))) static int fail_at(const struct binding *binding,
                                                         struct place place, const char *format,
                                                         ...)
{
    struct address_error error = {.place = place};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error.message, sizeof error.message, format, arguments);
    va_end(arguments);
    explain(binding->registry, binding->address->text, &error);
    return -1;
}

/* A word before `|` that is no layer. */
static int fail_no_layer(const struct binding *binding, size_t length)
{
    const struct address *address = binding->address;
    AUTO_FREE char *word = memory_copy_span(address->keyword, length);
    struct place place = {address->keyword_place.start, length};
    const struct known_driver *known = known_by_type(word);
    if (registry_has_type(binding->registry, word))
        return fail_at(binding, place, "\"%s\" is no layer: nothing can stand below it with \"|\"",
                       word);
    if (known != NULL) {
        AUTO_FREE char *absence = known_absence(known);
        return fail_at(binding, place, "unknown layer \"%s\": %s", word, absence);
    }
    const char *nearest = registry_nearest_type(binding->registry, word);
    if (nearest != NULL)
        return fail_at(binding, place, "unknown layer \"%.100s\"; did you mean \"%s\"?", word,
                       nearest);
    return fail_at(binding, place, "unknown layer \"%.100s\"", word);
}

static int fail_unknown_type(const struct binding *binding)
{
    const struct address *address = binding->address;
    const char *bar = strchr(address->keyword, '|');
    if (bar != NULL && bar != address->keyword)
        return fail_no_layer(binding, (size_t)(bar - address->keyword));
    const struct known_driver *known = known_by_type(address->keyword);
    if (known != NULL) {
        AUTO_FREE char *absence = known_absence(known);
        return fail_at(binding, address->keyword_place, "unknown device/address \"%s\": %s",
                       address->keyword, absence);
    }
    AUTO_FREE char *hint = hints_unknown_type(address);
    const char *nearest =
        *hint == '\0' ? registry_nearest_type(binding->registry, address->keyword) : NULL;
    if (nearest != NULL)
        return fail_at(binding, address->keyword_place,
                       "unknown device/address \"%.100s\"; did you mean \"%s\"?", address->keyword,
                       nearest);
    return fail_at(binding, address->keyword_place, "unknown device/address \"%.100s\"%s",
                   address->keyword, hint);
}

static bool all_digits(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++)
        if (!isdigit((unsigned char)*text))
            return false;
    return true;
}

/* The word itself becomes the first parameter of the type that it stands for. */
static void become_parameter(struct address *address, const char *keyword)
{
    size_t count = address->param_count + 1;
    address->params = memory_resize(address->params, count, sizeof(char *));
    address->param_places = memory_resize(address->param_places, count, sizeof(struct place));
    memmove(address->params + 1, address->params, address->param_count * sizeof(char *));
    memmove(address->param_places + 1, address->param_places,
            address->param_count * sizeof(struct place));
    address->params[0] = address->keyword;
    address->param_places[0] = address->keyword_place;
    address->param_count = count;
    address->keyword = memory_copy_text(keyword);
}

static void expand_shorthand(struct address *address)
{
    if (all_digits(address->keyword)) {
        log_info("interpreting address \"%s\" as file descriptor", address->keyword);
        become_parameter(address, "FD");
    } else if (strchr(address->keyword, '/') != NULL) {
        log_info("interpreting address \"%s\" as file name", address->keyword);
        become_parameter(address, "GOPEN");
    }
}

static int bind_type(const struct binding *binding)
{
    struct address *address = binding->address;
    bool failed = false;
    address->type = registry_type(binding->registry, address->keyword, &failed);
    if (address->type == NULL && !failed) {
        expand_shorthand(address);
        address->type = registry_type(binding->registry, address->keyword, &failed);
    }
    if (address->type != NULL)
        return 0;
    return failed ? -1 : fail_unknown_type(binding);
}

/* What is wrong with the number of parameters: too many, an open bracket, or too few. */
static struct place miscounted_place(const struct address *address, unsigned most)
{
    struct place bracket = params_open_bracket(address);
    if (address->param_count > most)
        return address->param_places[most];
    return bracket.length > 0 ? bracket : address->keyword_place;
}

static char *miscount_hint(const struct address *address, const char *syntax, unsigned most)
{
    if (params_open_bracket(address).length > 0)
        return memory_copy_text("; a bracket is not closed");
    return address->param_count > most ? hints_too_many_params(address, syntax)
                                       : memory_copy_text("");
}

static int check_param_count(const struct binding *binding, const char *syntax)
{
    const struct address *address = binding->address;
    const struct modcat_address_type *type = &address->type->type;
    bool stacked = address->lower != NULL;
    unsigned least = stacked ? type->layer_min_params : type->min_params;
    unsigned most = stacked ? type->layer_max_params : type->max_params;
    char expected[40];
    if (address->param_count >= least && address->param_count <= most)
        return 0;
    snprintf(expected, sizeof expected, least == most ? "%u" : "%u to %u", least, most);
    AUTO_FREE char *hint = miscount_hint(address, syntax, most);
    return fail_at(binding, miscounted_place(address, most),
                   "%s: wrong number of parameters (%zu instead of %s): usage: %s%s%s%s",
                   address->keyword, address->param_count, expected, address->keyword,
                   syntax != NULL ? syntax : "", stacked ? "|<address>" : "", hint);
}

static int check_params(const struct binding *binding)
{
    const struct address *address = binding->address;
    const struct modcat_address_type *type = &address->type->type;
    const char *syntax = address->lower != NULL ? type->layer_syntax : type->syntax;
    struct address_error error;
    if (check_param_count(binding, syntax) < 0)
        return -1;
    if (params_check(address, syntax, type->groups, &error) == 0)
        return 0;
    explain(binding->registry, address->text, &error);
    return -1;
}

static int check_layer(const struct binding *binding)
{
    const struct address *address = binding->address;
    const struct modcat_address_type *type = &address->type->type;
    if (address->lower == NULL && type->open == NULL && type->listen == NULL)
        return fail_at(binding, address->keyword_place,
                       "%s is a layer and stands on top of an address: usage: %s%s|<address>",
                       address->keyword, address->keyword,
                       type->layer_syntax != NULL ? type->layer_syntax : "");
    return 0;
}

static int fail_unsupported(const struct binding *binding, const struct address_option *option,
                            struct place place)
{
    const char *type = binding->address->type->type.name;
    AUTO_FREE char *hint = hints_types_with(binding->registry, option->name, type);
    return fail_at(binding, place, "option \"%s\" not supported with this address type %s%s",
                   option->name, type, hint);
}

static int fail_unknown_option(const struct binding *binding, const struct address_option *option,
                               const char *groups)
{
    size_t rest = option->text != NULL ? option->value_place.length + strlen("=") : 0;
    struct place place = {option->place.start, option->place.length - rest};
    if (registry_has_option(binding->registry, option->name))
        return fail_unsupported(binding, option, place);
    const struct known_driver *known = known_by_option(option->name);
    if (known != NULL) {
        AUTO_FREE char *absence = known_absence(known);
        return fail_at(binding, place, "unknown option \"%s\": %s", option->name, absence);
    }
    const char *nearest = registry_nearest_option(binding->registry, option->name, groups);
    if (nearest != NULL)
        return fail_at(binding, place, "unknown option \"%.100s\"; did you mean \"%s\"?",
                       option->name, nearest);
    AUTO_FREE char *hint = hints_lookalike(option->name);
    return fail_at(binding, place, "unknown option \"%.100s\"%s", option->name, hint);
}

static void log_option(const struct address_option *option)
{
    char shown[200];
    if (!log_shows(MODCAT_INFO))
        return;
    const struct modcat_option *row = &option->entry->option;
    if (row->type == MODCAT_CONST || row->secret)
        log_info("setting option \"%s\"", row->name);
    else if (values_show(row->type, &option->value, shown, sizeof shown))
        log_info("setting option \"%s\" to %s", row->name, shown);
}

/* What can be said about an option's text before anything is opened, besides its type. With -s it
 * is left for then: an option that fails here would be dropped, and a filter must not be. */
static const struct text_check {
    const char *name; /* of an option of the core */
    int (*check)(const char *text, const char *groups, char *reason, size_t reason_size);
} text_checks[] = {
    {"range", range_check},
};

static int check_text(const struct address_option *option, const char *groups, char *reason,
                      size_t reason_size)
{
    for (size_t i = 0; i < MODCAT_COUNT(text_checks) && !log_sloppy(); i++)
        if (option->entry->driver == NULL &&
            strcmp(option->entry->option.name, text_checks[i].name) == 0)
            return text_checks[i].check(option->value.string, groups, reason, reason_size);
    return 0;
}

/* What the option's own table says of its value. An empty one is left for the opening with -s, too:
 * it may be a filter's. */
static int check_value(const struct address_option *option, char *reason, size_t reason_size)
{
    const struct modcat_option *row = &option->entry->option;
    bool left = log_sloppy() && option->text != NULL && *option->text == '\0';
    const char *fault = row->check != NULL && !left ? row->check(&option->value) : NULL;
    const char *text = row->secret || option->text == NULL ? "" : option->text;
    if (fault == NULL)
        return 0;
    snprintf(reason, reason_size, "option %s: invalid value \"%.100s\": %s", option->name, text,
             fault);
    return -1;
}

static int bind_option(const struct binding *binding, struct address_option *option,
                       const char *groups)
{
    char reason[300];
    bool failed = false;
    option->entry = registry_option(binding->registry, option->name, groups, &failed);
    if (option->entry == NULL && !failed && binding->settings->no_group_check)
        option->entry = registry_option(binding->registry, option->name, NULL, &failed);
    if (option->entry == NULL)
        return failed ? -1 : fail_unknown_option(binding, option, groups);
    if (values_parse(option->entry->option.type, option->entry->option.words, option->name,
                     option->text, &option->value, &option->storage, reason, sizeof reason) < 0 ||
        check_value(option, reason, sizeof reason) < 0 ||
        check_text(option, groups, reason, sizeof reason) < 0)
        return fail_at(binding,
                       option->text != NULL && option->value_place.length > 0 ? option->value_place
                                                                              : option->place,
                       "%s", reason);
    log_option(option);
    return 0;
}

/* With -s the run goes on without an option that can't be used. */
static void drop_option(struct address *address, size_t index)
{
    struct address_option *option = &address->options[index];
    free(option->name);
    free(option->text);
    free(option->storage);
    memmove(option, option + 1, (--address->option_count - index) * sizeof *option);
}

const struct address_option *address_find_option(const struct address *address, const char *name)
{
    for (size_t i = address->option_count; i > 0; i--)
        if (strcmp(address->options[i - 1].entry->option.name, name) == 0)
            return &address->options[i - 1];
    return NULL;
}

static bool says_something(const struct address_option *option)
{
    const struct modcat_value *value = &option->value;
    if (option->entry->option.type == MODCAT_STRING)
        return value->string != NULL && *value->string != '\0';
    return option->entry->option.type != MODCAT_BOOL || value->number != 0;
}

/* An option that says nothing without another one, or without one of several. */
static int check_need(const struct binding *binding, const struct address_option *option,
                      const char *groups)
{
    bool failed = false, taken = false;
    const char *cursor = option->entry->option.needs, *word;
    AUTO_FREE char *first = NULL;
    size_t length;
    while (cursor != NULL && words_next(&cursor, &word, &length)) {
        AUTO_FREE char *name = memory_copy_span(word, length);
        const struct address_option *other = address_find_option(binding->address, name);
        if (other != NULL && says_something(other))
            return 0;
        if (other != NULL && other->entry->option.type == MODCAT_STRING)
            return fail_at(binding, other->place, "option %s: with option %s it must not be empty",
                           other->name, option->name);
        if (first == NULL)
            taken = registry_option(binding->registry, name, groups, &failed) != NULL;
        if (first == NULL)
            first = memory_copy_text(name);
    }
    if (first == NULL || !taken)
        return failed ? -1 : 0;
    return fail_at(binding, option->place, "option %s: option %s must be given, too", option->name,
                   first);
}

static int check_needs(const struct binding *binding, const char *groups)
{
    const struct address *address = binding->address;
    for (size_t i = 0; i < address->option_count; i++)
        if (check_need(binding, &address->options[i], groups) < 0)
            return -1;
    return 0;
}

/* What is bound has one name. */
static int check_own_name(const struct binding *binding)
{
    const struct address *address = binding->address;
    const struct address_option *bind = address_find_option(address, "bind");
    if (bind == NULL || (address->type->type.flags & MODCAT_TYPE_OWN_NAME) == 0)
        return 0;
    return fail_at(binding, bind->place,
                   "option \"bind\" is for clients; %s binds to its parameter", address->keyword);
}

/* Once so many are shown that nothing behind them is looked at. Returns -1. */
static int tell_more_mistakes(size_t options_left)
{
    if (options_left > 0)
        log_error("there may be more mistakes in the options that follow");
    return -1;
}

static int bind_options(const struct binding *binding)
{
    struct address *address = binding->address;
    const struct modcat_address_type *type = &address->type->type;
    const char *own =
        address->lower != NULL && type->layer_groups != NULL ? type->layer_groups : type->groups;
    AUTO_FREE char *groups =
        memory_format("%s%s%s", own != NULL ? own : "", own != NULL ? "," : "", GROUPS_EVERYWHERE);
    unsigned mistakes = 0;
    for (size_t i = 0; i < address->option_count; i++) {
        if (bind_option(binding, &address->options[i], groups) == 0)
            continue;
        if (log_sloppy())
            drop_option(address, i--);
        else if (++mistakes == MISTAKES_MAX)
            return tell_more_mistakes(address->option_count - i - 1);
    }
    if (mistakes > 0)
        return -1;
    bool fit = check_needs(binding, groups) == 0 && check_own_name(binding) == 0;
    return fit || log_sloppy() ? 0 : -1;
}

/* Options of an address whose type is unknown: at least a word that no type has can be told. */
static void check_option_names(const struct binding *binding)
{
    const struct address *address = binding->address;
    unsigned mistakes = 0;
    for (size_t i = 0; i < address->option_count && mistakes < MISTAKES_MAX; i++) {
        if (registry_has_option(binding->registry, address->options[i].name))
            continue;
        fail_unknown_option(binding, &address->options[i], NULL);
        mistakes++;
    }
}

/* What one pair of parentheses holds; `start` is behind the first one. Sets *length, or returns -1
 * where nothing closes it. */
static int measure_end(const char *text, size_t start, size_t *length)
{
    static const char *const ends[] = {")", NULL};
    const struct lexer_rules rules = {ends, true, "()[]{}"};
    size_t position = start;
    char *token;
    if (lexer_token(&rules, text, &position, ADDRESS_TEXT_MAX, &token) != LEXER_OK)
        return -1;
    free(token);
    *length = position - start;
    return text[position] == ')' ? 0 : -1;
}

static bool forks(const struct address *address)
{
    const struct address_option *option = NULL;
    for (; address != NULL && option == NULL; address = address->lower)
        option = address_find_option(address, "fork");
    return option != NULL && option->value.number != 0;
}

static int add_end(const struct binding *binding, struct place place)
{
    struct address *address = binding->address;
    AUTO_FREE char *text = memory_copy_span(address->text + place.start, place.length);
    if (binding->depth == ADDRESS_LAYERS_MAX)
        return fail_at(binding, place, "%s: too many addresses in addresses (at most %d)",
                       address->keyword, ADDRESS_LAYERS_MAX);
    struct address_pair *pair =
        bind_text(binding->registry, binding->settings, text, binding->depth + 1);
    if (pair == NULL)
        return -1;
    if (pair->second != NULL) {
        address_free(pair);
        return fail_at(binding, place, "%s: a dual address can't stand here", address->keyword);
    }
    if (forks(pair->first)) {
        address_free(pair);
        return fail_at(binding, place, "%s: option fork can't stand here", address->keyword);
    }
    pair->first->holder = address;
    pair->first->place_in_holder = address->end_count;
    address->ends =
        memory_resize(address->ends, address->end_count + 1, sizeof(struct address_pair *));
    address->ends[address->end_count++] = pair;
    return 0;
}

static int fail_no_end(const struct binding *binding, struct place place)
{
    return fail_at(binding, place, "%s: addresses in parentheses are expected here",
                   binding->address->keyword);
}

/* The parameters of such a type are addresses in parentheses. */
static int bind_ends(const struct binding *binding)
{
    const struct address *address = binding->address;
    int result = 0;
    if ((address->type->type.flags & MODCAT_TYPE_ADDRESSES) == 0)
        return 0;
    for (size_t i = 0; i < address->param_count; i++) {
        struct place place = address->param_places[i];
        size_t end = place.start + place.length, length;
        if (place.length == 0)
            return fail_no_end(binding, address->keyword_place);
        for (size_t at = place.start; at < end; at += length + 2) {
            if (address->text[at] != '(' || measure_end(address->text, at + 1, &length) < 0)
                return fail_no_end(binding, (struct place){at, end - at});
            if (add_end(binding, (struct place){at + 1, length}) < 0)
                result = -1;
        }
    }
    return result;
}

/* Made before there is any other process. */
static int bind_shared(const struct binding *binding)
{
    struct address *address = binding->address;
    if ((address->type->type.flags & MODCAT_TYPE_SHARES) == 0)
        return 0;
    void *shared = mmap(NULL, MODCAT_SHARE_ALL_SIZE, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return fail_at(binding, address->keyword_place, "%s: no memory to share: %s",
                       address->keyword, strerror(errno));
    address->shared = shared;
    return 0;
}

/* All that is wrong is told, so that it can be mended at once. */
static int bind_single(const struct binding *binding)
{
    if (bind_type(binding) < 0) {
        check_option_names(binding);
        return -1;
    }
    bool failed = check_layer(binding) < 0 || check_params(binding) < 0 || bind_ends(binding) < 0 ||
                  bind_shared(binding) < 0;
    return bind_options(binding) < 0 || failed ? -1 : 0;
}

static int bind_address(struct registry *registry, const struct settings *settings,
                        struct address *address, unsigned depth)
{
    struct binding binding = {
        .registry = registry, .settings = settings, .address = address, .depth = depth};
    int result = 0;
    for (; binding.address != NULL; binding.address = binding.address->lower)
        if (bind_single(&binding) < 0)
            result = -1;
    return result;
}

static bool is_layer(const void *registry, const char *keyword)
{
    return registry_has_layer(registry, keyword);
}

/* Messages about grammar quote the address: they are made anew, for what may be shown of it. */
static void explain_grammar(struct registry *registry, const char *text,
                            const struct address_layers *layers, struct address_error *error)
{
    AUTO_FREE char *shown = mask_secrets(registry, text);
    struct place place = error->place;
    struct address_pair *pair = address_parse(shown, layers, error);
    if (pair != NULL)
        *error = (struct address_error){
            .place = place, .message = "a secret in this address is not quoted as it has to be"};
    address_free(pair);
    address_explain(MODCAT_ERROR, shown, error);
}

static struct address_pair *bind_text(struct registry *registry, const struct settings *settings,
                                      const char *text, unsigned depth)
{
    struct address_error error;
    const struct address_layers layers = {.is_layer = is_layer, .context = registry};
    struct address_pair *pair = address_parse(text, &layers, &error);
    if (pair == NULL) {
        explain_grammar(registry, text, &layers, &error);
        return NULL;
    }
    int first = bind_address(registry, settings, pair->first, depth);
    int second = bind_address(registry, settings, pair->second, depth);
    if (first == 0 && second == 0)
        return pair;
    address_free(pair);
    return NULL;
}

struct address_pair *bind_argument(struct registry *registry, const struct settings *settings,
                                   const char *text)
{
    return bind_text(registry, settings, text, 0);
}
