/* address.h: an address as the user wrote it, taken apart. Parsing knows the grammar only; binding
 * (bind.h) finds the words in the registry and gives the values their meaning. */

#ifndef CORE_ADDRESS_ADDRESS_H
#define CORE_ADDRESS_ADDRESS_H

#include <modcat/driver.h>
#include <stdbool.h>
#include <stddef.h>

/* Limits: of a whole address, of a keyword, of a parameter, of an option's name or value (bytes),
 * of parameters and of options (count). */
#define ADDRESS_TEXT_MAX 65535
#define ADDRESS_KEYWORD_MAX 511
#define ADDRESS_TOKEN_MAX 32767
#define ADDRESS_PARAMS_MAX 15
#define ADDRESS_OPTIONS_MAX 256
#define ADDRESS_LAYERS_MAX 16

/* A place in the text of the whole argument, in bytes. */
struct place {
    size_t start;
    size_t length;
};

struct registry_type;
struct registry_option;

/* One option: raw after parsing, with entry and value after binding. */
struct address_option {
    char *name;               /* unquoted, as typed */
    char *text;               /* unquoted value, NULL without "=" */
    struct place place;       /* of the whole "name=value" */
    struct place value_place; /* of the value alone; length 0 without "=" */
    const struct registry_option *entry;
    struct modcat_value value;
    void *storage; /* what value.data points to, or NULL */
};

/* One single address. */
struct address {
    const char *text;   /* the whole argument; belongs to the pair */
    struct place place; /* of this address in it */
    char *keyword;      /* unquoted, as typed */
    struct place keyword_place;
    char **params; /* unquoted */
    struct place *param_places;
    size_t param_count;
    struct address_option *options;
    size_t option_count;
    const struct registry_type *type; /* after binding */
    bool is_layer;                    /* its keyword is a layer's, so that `|` ends it */
    struct address *lower;            /* what this layer stands on (`LAYER|LOWER`), or NULL */
    struct address *upper;            /* the layer that stands on this one, or NULL */
    struct address_pair **ends;       /* addresses in its parameters, after binding */
    size_t end_count;
    const struct address *holder; /* whose end the highest of this stack is, or NULL ... */
    size_t place_in_holder;       /* ... and which of them */
    void *shared;                 /* by all processes, see modcat_share_all(); or NULL */
};

/* One argument: a single address, or two for a dual one (`A!!B`). */
struct address_pair {
    char *text;
    struct address *first;  /* read from; also written to unless there is a second */
    struct address *second; /* written to, or NULL */
};

/* Why an address can't be used. `message` is complete but for what the caller adds. */
struct address_error {
    struct place place;
    char message[400];
};

/* Tells the parser which keywords are layers. */
struct address_layers {
    bool (*is_layer)(const void *context, const char *keyword);
    const void *context;
};

/* Takes an argument apart. Returns the pair, to be freed with address_free(), or NULL with
 * *error. Grammar: quoting with '', "" and \, nesting in () [] {}, "!!" between the halves, and
 * `|` below a layer; `layers` may be NULL: then `|` is a character like any other. */
struct address_pair *address_parse(const char *text, const struct address_layers *layers,
                                   struct address_error *error);
void address_free(struct address_pair *pair);

/* The address at the bottom of the stack that this one belongs to. */
const struct address *address_lowest(const struct address *address);

/* Goes through all addresses that belong to an argument's half: its layers, from the highest down,
 * and the ends of each with all of theirs. NULL: there is none more. */
const struct address *address_next(const struct address *address);

/* The highest address of the argument's half that this one belongs to. */
const struct address *address_outermost(const struct address *address);

/* The option of this name that an address gives, the last one if it gives several, or NULL. */
const struct address_option *address_find_option(const struct address *address, const char *name);

/* Logs what is wrong at a place in an address: the message, then the address with a caret under the
 * place, each a line of its own; a long address is shown in part. */
void address_explain(enum modcat_level level, const char *text, const struct address_error *error);

#endif
