#define _GNU_SOURCE
#include "core/address/address.h"

#include "core/address/lexer.h"
#include "core/base/memory.h"
#include <modcat/layer.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A part of the address as messages quote it: the beginning, with "..." when it is cut. */
#define QUOTED_MAX 60
struct quoted {
    char text[QUOTED_MAX + sizeof "..."];
};

/* An argument on its way to a pair of addresses. */
struct parser {
    const char *text;
    size_t at;
    const struct address_layers *layers; /* or NULL */
    struct address_error *error;
};

/* A kind of token, and what stands around the quoted text when it is too long. */
struct token_kind {
    const struct lexer_rules *rules;
    const struct lexer_rules *layer_rules; /* in an address that is a layer */
    size_t limit;
    const char *before;
    const char *after;
};

static const struct token_kind keyword_kind = {
    .rules = &lexer_parameter,
    .layer_rules = &lexer_layer_parameter,
    .limit = ADDRESS_KEYWORD_MAX,
    .before = "keyword too long, in address ",
    .after = "",
};

static const struct token_kind param_kind = {
    .rules = &lexer_parameter,
    .layer_rules = &lexer_layer_parameter,
    .limit = ADDRESS_TOKEN_MAX,
    .before = "address ",
    .after = " too long",
};

static const struct token_kind option_name_kind = {
    .rules = &lexer_option_name,
    .layer_rules = &lexer_layer_option_name,
    .limit = ADDRESS_TOKEN_MAX,
    .before = "option too long: ",
    .after = "",
};

static const struct token_kind option_value_kind = {
    .rules = &lexer_option_value,
    .layer_rules = &lexer_layer_option_value,
    .limit = ADDRESS_TOKEN_MAX,
    .before = "option too long: ",
    .after = "",
};

/* What is wrong in any kind of token. A length of 0 stands for the rest of the text. */
static const struct {
    size_t length;
    const char *before;
    const char *after;
} token_faults[] = {
    [LEXER_UNTERMINATED] = {0, "unexpected end of address ", ": a quote is not closed"},
    [LEXER_TRAILING_ESCAPE] = {1, "unexpected end of address ", ": nothing follows the backslash"},
    [LEXER_NUL_BYTE] = {2, "NUL byte in address ", ""},
};

static struct quoted quote(const char *text)
{
    struct quoted quoted;
    size_t length = strnlen(text, QUOTED_MAX + 1);
    bool cut = length > QUOTED_MAX;
    if (cut)
        /* Not within a UTF-8 character, unless these are no such characters. */
        for (length = QUOTED_MAX; length > QUOTED_MAX - 3 && (text[length] & 0xc0) == 0x80;)
            length--;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        quoted.text[i] = byte < 0x20 || byte == 0x7f ? '?' : text[i];
    }
    snprintf(quoted.text + length, sizeof quoted.text - length, "%s", cut ? "..." : "");
    return quoted;
}

/* Says what is wrong at a place. Returns -1. */
static int complain(struct parser *parser, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int complain(struct parser *parser, struct place place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(parser->error->message, sizeof parser->error->message, format, arguments);
    va_end(arguments);
    parser->error->place = place;
    return -1;
}

/* Says that a token of a kind is too long; `about` is where the text to be quoted starts. */
static int complain_too_long(struct parser *parser, const struct token_kind *kind, size_t about)
{
    struct place place = {parser->at, kind->limit};
    return complain(parser, place, "%s\"%s\"%s (at most %zu bytes)", kind->before,
                    quote(parser->text + about).text, kind->after, kind->limit);
}

static int complain_fault(struct parser *parser, enum lexer_result result)
{
    size_t length = token_faults[result].length;
    struct place place = {parser->at, length > 0 ? length : strlen(parser->text + parser->at)};
    return complain(parser, place, "%s\"%s\"%s", token_faults[result].before,
                    quote(parser->text).text, token_faults[result].after);
}

/* Takes a token. `about` is as in complain_too_long(). Returns 0, or -1 with the error. */
static int take_token(struct parser *parser, const struct token_kind *kind, bool in_layer,
                      size_t about, char **token, struct place *place)
{
    const struct lexer_rules *rules = in_layer ? kind->layer_rules : kind->rules;
    place->start = parser->at;
    enum lexer_result result = lexer_token(rules, parser->text, &parser->at, kind->limit, token);
    if (result == LEXER_TOO_LONG)
        return complain_too_long(parser, kind, about);
    if (result != LEXER_OK)
        return complain_fault(parser, result);
    place->length = parser->at - place->start;
    return 0;
}

/* Steps over one character if it is the next one. */
static bool take_byte(struct parser *parser, char byte)
{
    if (parser->text[parser->at] != byte)
        return false;
    parser->at++;
    return true;
}

static int parse_param(struct parser *parser, struct address *address)
{
    AUTO_FREE char *param = NULL;
    struct place place;
    if (take_token(parser, &param_kind, address->is_layer, 0, &param, &place) < 0)
        return -1;
    size_t count = address->param_count;
    if (count == ADDRESS_PARAMS_MAX)
        return complain(parser, place, "too many parameters in address \"%s\" (at most %d)",
                        quote(parser->text).text, ADDRESS_PARAMS_MAX);
    address->params = memory_resize(address->params, count + 1, sizeof *address->params);
    address->param_places =
        memory_resize(address->param_places, count + 1, sizeof *address->param_places);
    address->params[count] = param;
    address->param_places[count] = place;
    address->param_count++;
    param = NULL;
    return 0;
}

static void option_clear(struct address_option *option)
{
    free(option->name);
    free(option->text);
    free(option->storage);
}

/* Takes "name=value" or "name" apart; what is taken stays in *option even when the rest fails. */
static int parse_option_parts(struct parser *parser, bool in_layer, struct address_option *option)
{
    size_t start = parser->at;
    if (take_token(parser, &option_name_kind, in_layer, start, &option->name, &option->place) < 0)
        return -1;
    bool valued = take_byte(parser, '=');
    option->value_place.start = parser->at;
    if (valued && take_token(parser, &option_value_kind, in_layer, start, &option->text,
                             &option->value_place) < 0)
        return -1;
    struct place name_place = option->place;
    option->place.length = parser->at - start;
    if (option->name[0] != '\0' || option->place.length == 0)
        return 0;
    if (name_place.length == 0)
        name_place.length = 1;
    return complain(parser, name_place, "option name missing in address \"%s\"",
                    quote(parser->text).text);
}

static int append_option(struct parser *parser, struct address *address,
                         const struct address_option *option)
{
    size_t count = address->option_count;
    if (count == ADDRESS_OPTIONS_MAX)
        return complain(parser, option->place, "too many options in address \"%s\" (at most %d)",
                        quote(parser->text).text, ADDRESS_OPTIONS_MAX);
    address->options = memory_resize(address->options, count + 1, sizeof *address->options);
    address->options[count] = *option;
    address->option_count++;
    return 0;
}

/* Takes one item of the option list; an empty one counts for nothing. */
static int parse_option(struct parser *parser, struct address *address)
{
    struct address_option option = {0};
    int result = parse_option_parts(parser, address->is_layer, &option);
    bool empty = result == 0 && option.place.length == 0;
    if (result == 0 && !empty)
        result = append_option(parser, address, &option);
    if (result < 0 || empty)
        option_clear(&option);
    return result;
}

/* What it is does not matter where nothing can stand below it. */
static bool is_layer(const struct parser *parser, const char *keyword)
{
    return parser->layers != NULL && strchr(parser->text, '|') != NULL &&
           parser->layers->is_layer(parser->layers->context, keyword);
}

/* Only what is a layer can stand before a `|`; any other keyword goes on behind it. */
static int parse_keyword(struct parser *parser, struct address *address)
{
    size_t start = parser->at;
    if (take_token(parser, &keyword_kind, true, 0, &address->keyword, &address->keyword_place) < 0)
        return -1;
    address->is_layer = is_layer(parser, address->keyword);
    if (address->is_layer || parser->text[parser->at] != '|')
        return 0;
    free(address->keyword);
    address->keyword = NULL;
    parser->at = start;
    return take_token(parser, &keyword_kind, false, 0, &address->keyword, &address->keyword_place);
}

static int parse_parts(struct parser *parser, struct address *address)
{
    size_t start = parser->at;
    if (parse_keyword(parser, address) < 0)
        return -1;
    while (take_byte(parser, ':'))
        if (parse_param(parser, address) < 0)
            return -1;
    while (take_byte(parser, ','))
        if (parse_option(parser, address) < 0)
            return -1;
    address->place = (struct place){start, parser->at - start};
    return 0;
}

static void single_free(struct address *address)
{
    if (address == NULL)
        return;
    single_free(address->lower);
    for (size_t i = 0; i < address->end_count; i++)
        address_free(address->ends[i]);
    free(address->ends);
    if (address->shared != NULL)
        munmap(address->shared, MODCAT_SHARE_ALL_SIZE);
    for (size_t i = 0; i < address->param_count; i++)
        free(address->params[i]);
    for (size_t i = 0; i < address->option_count; i++)
        option_clear(&address->options[i]);
    free(address->params);
    free(address->param_places);
    free(address->options);
    free(address->keyword);
    free(address);
}

static struct address *parse_stack(struct parser *parser, struct address *upper, unsigned depth);

/* Takes what stands below a layer, if anything does. */
static int parse_lower(struct parser *parser, struct address *address, unsigned depth)
{
    struct place place = {parser->at, 1};
    if (!address->is_layer || !take_byte(parser, '|'))
        return 0;
    if (depth == ADDRESS_LAYERS_MAX)
        return complain(parser, place, "too many layers in address \"%s\" (at most %d)",
                        quote(parser->text).text, ADDRESS_LAYERS_MAX);
    address->lower = parse_stack(parser, address, depth + 1);
    if (address->lower == NULL)
        return -1;
    if (address->lower->place.length > 0)
        return 0;
    return complain(parser, place, "nothing stands below the layer %s in address \"%s\"",
                    quote(address->keyword).text, quote(parser->text).text);
}

static struct address *parse_stack(struct parser *parser, struct address *upper, unsigned depth)
{
    struct address *address = memory_zeroed(1, sizeof *address);
    address->text = parser->text;
    address->upper = upper;
    if (parse_parts(parser, address) < 0 || parse_lower(parser, address, depth) < 0) {
        single_free(address);
        return NULL;
    }
    return address;
}

static struct address *parse_single(struct parser *parser)
{
    return parse_stack(parser, NULL, 0);
}

const struct address *address_lowest(const struct address *address)
{
    while (address->lower != NULL)
        address = address->lower;
    return address;
}

static const struct address *highest_of(const struct address *address)
{
    while (address->upper != NULL)
        address = address->upper;
    return address;
}

const struct address *address_next(const struct address *address)
{
    if (address->end_count > 0)
        return address->ends[0]->first;
    while (address->lower == NULL) {
        const struct address *top = highest_of(address), *holder = top->holder;
        if (holder == NULL)
            return NULL;
        if (top->place_in_holder + 1 < holder->end_count)
            return holder->ends[top->place_in_holder + 1]->first;
        address = holder;
    }
    return address->lower;
}

const struct address *address_outermost(const struct address *address)
{
    const struct address *top = highest_of(address);
    while (top->holder != NULL)
        top = highest_of(top->holder);
    return top;
}

static int check_half(struct parser *parser, const struct address *half, const char *where)
{
    if (half->place.length > 0)
        return 0;
    return complain(parser, half->place, "nothing stands %s \"!!\" in address \"%s\"", where,
                    quote(parser->text).text);
}

/* Takes the argument apart. A single address ends at the end of the text or at "!!". */
static int parse_halves(struct parser *parser, struct address_pair *pair)
{
    pair->first = parse_single(parser);
    if (pair->first == NULL)
        return -1;
    if (parser->text[parser->at] == '\0')
        return 0;
    if (check_half(parser, pair->first, "before") < 0)
        return -1;
    parser->at += strlen("!!");
    pair->second = parse_single(parser);
    if (pair->second == NULL || check_half(parser, pair->second, "behind") < 0)
        return -1;
    size_t rest = strlen(parser->text + parser->at);
    if (rest == 0)
        return 0;
    return complain(parser, (struct place){parser->at, rest},
                    "more than one \"!!\" in address \"%s\"", quote(parser->text).text);
}

struct address_pair *address_parse(const char *text, const struct address_layers *layers,
                                   struct address_error *error)
{
    struct parser parser = {.text = text, .layers = layers, .error = error};
    if (strnlen(text, ADDRESS_TEXT_MAX + 1) > ADDRESS_TEXT_MAX) {
        complain(&parser, (struct place){ADDRESS_TEXT_MAX, 1},
                 "address \"%s\" too long (at most %d bytes)", quote(text).text, ADDRESS_TEXT_MAX);
        return NULL;
    }
    struct address_pair *pair = memory_zeroed(1, sizeof *pair);
    pair->text = memory_copy_text(text);
    parser.text = pair->text;
    if (parse_halves(&parser, pair) == 0)
        return pair;
    address_free(pair);
    return NULL;
}

void address_free(struct address_pair *pair)
{
    if (pair == NULL)
        return;
    single_free(pair->first);
    single_free(pair->second);
    free(pair->text);
    free(pair);
}
