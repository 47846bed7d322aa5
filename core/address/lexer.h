/* lexer.h: cuts tokens out of an address, undoing quotes and escapes. */

#ifndef CORE_ADDRESS_LEXER_H
#define CORE_ADDRESS_LEXER_H

#include <stdbool.h>
#include <stddef.h>

/* Where tokens end, and what protects them. Each member is a list of characters or texts. */
struct lexer_rules {
    const char *const *ends; /* texts that end a token, NULL-terminated */
    bool quotes;             /* '' and "" and \ are undone */
    const char *nesting;     /* pairs of brackets that protect, "()[]{}" */
};

/* A keyword or parameter; an option's name; an option's value. */
extern const struct lexer_rules lexer_parameter;
extern const struct lexer_rules lexer_option_name;
extern const struct lexer_rules lexer_option_value;
/* The same in an address that is a layer, where `|` ends them too. */
extern const struct lexer_rules lexer_layer_parameter;
extern const struct lexer_rules lexer_layer_option_name;
extern const struct lexer_rules lexer_layer_option_value;
/* A word of an EXEC command line; one part of a host:port value. */
extern const struct lexer_rules lexer_command_word;
extern const struct lexer_rules lexer_host_part;

enum lexer_result {
    LEXER_OK,
    LEXER_TOO_LONG,        /* the token is longer than `limit` */
    LEXER_UNTERMINATED,    /* a quote is not closed */
    LEXER_TRAILING_ESCAPE, /* nothing stands behind the last backslash */
    LEXER_NUL_BYTE         /* "\0": no token may hold one */
};

/* Cuts one token from text[*position], moves *position to where it ends (the terminator is not
 * consumed) and sets *token to its unquoted text, to be freed, when LEXER_OK is returned. On an
 * error *position is the place to show: the opening quote, the escape, or the token's start. */
enum lexer_result lexer_token(const struct lexer_rules *rules, const char *text, size_t *position,
                              size_t limit, char **token);

#endif
