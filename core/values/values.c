#define _GNU_SOURCE
#include "core/values/values.h"

#include "core/base/memory.h"
#include "core/base/words.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <math.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct type_row;

/* What is being parsed, and where the results go. */
struct parsing {
    const struct type_row *row;
    const char *words;
    const char *name;
    const char *text; /* NULL without "=" */
    struct modcat_value *value;
    void **storage;
    char *reason;
    size_t reason_size;
};

enum show { SHOW_NOTHING, SHOW_NUMBER, SHOW_TEXT, SHOW_LINGER, SHOW_TUPLE };

struct type_row {
    const char *name;
    int (*parse)(const struct parsing *parsing);
    enum show show;
    bool bare_is_one;       /* without "=" it is 1 */
    bool suffixes;          /* k, M, G may follow */
    bool words;             /* yes and no are numbers, too */
    bool patterns;          /* written with a leading 0 it may be unsigned: a bit pattern */
    const char *range;      /* the limits as users read them */
    long long least, most;  /* the limits of each number */
    int fields;             /* of a tuple */
    enum show last;         /* what a tuple's last field is */
    const char *lookup_who; /* what names stand for */
    const char *kind;       /* what it takes, unless that is a number ... */
    const char *example;    /* ... and one of that kind */
};

static int parse_const(const struct parsing *parsing);
static int parse_bool(const struct parsing *parsing);
static int parse_number(const struct parsing *parsing);
static int parse_nullable_number(const struct parsing *parsing);
static int parse_mode(const struct parsing *parsing);
static int parse_owner(const struct parsing *parsing);
static int parse_text(const struct parsing *parsing);
static int parse_nullable_text(const struct parsing *parsing);
static int parse_time(const struct parsing *parsing);
static int parse_data(const struct parsing *parsing);
static int parse_tuple(const struct parsing *parsing);
static int parse_host(const struct parsing *parsing);
static int parse_membership(const struct parsing *parsing);
static int parse_choice(const struct parsing *parsing);

#define INT_RANGE .range = "-2147483648 to 2147483647", .least = INT_MIN, .most = INT_MAX
#define LONG_RANGE                                                                                 \
    .range = "-9223372036854775808 to 9223372036854775807", .least = LLONG_MIN, .most = LLONG_MAX
#define ID_RANGE .range = "0 to 4294967294", .least = 0, .most = UINT_MAX - 1LL
#define TIME_SECONDS_MAX 9223372036.0
#define TIME_RANGE .range = "0 to 9223372036", .kind = "a time in seconds", .example = "1.5"
#define NUMBER .parse = parse_number, .show = SHOW_NUMBER
#define TUPLE .parse = parse_tuple, .show = SHOW_TUPLE, INT_RANGE, .patterns = true

static const struct type_row rows[MODCAT_VALUE_TYPES] = {
    [MODCAT_CONST] = {.name = "CONST", .parse = parse_const},
    [MODCAT_BOOL] = {.name = "BOOL",
                     .parse = parse_bool,
                     .show = SHOW_NUMBER,
                     .bare_is_one = true,
                     .words = true,
                     LONG_RANGE},
    [MODCAT_BYTE] = {.name = "BYTE", NUMBER, .bare_is_one = true, .range = "0 to 255", .most = 255},
    [MODCAT_INT] = {.name = "INT", NUMBER, .bare_is_one = true, .patterns = true, INT_RANGE},
    [MODCAT_INT_OR_NONE] = {.name = "INT/NULL",
                            .parse = parse_nullable_number,
                            .show = SHOW_NUMBER,
                            .bare_is_one = true,
                            .words = true,
                            .patterns = true,
                            INT_RANGE},
    [MODCAT_UINT] = {.name = "UNSIGNED-INT",
                     NUMBER,
                     .bare_is_one = true,
                     .range = "0 to 4294967295",
                     .most = UINT_MAX},
    [MODCAT_USHORT] = {.name = "UNSIGNED-SHORT",
                       NUMBER,
                       .bare_is_one = true,
                       .range = "0 to 65535",
                       .most = USHRT_MAX},
    [MODCAT_LONG] = {.name = "LONG", NUMBER, .bare_is_one = true, LONG_RANGE},
    [MODCAT_SIZE] = {.name = "SIZE_T",
                     NUMBER,
                     .bare_is_one = true,
                     .suffixes = true,
                     .range = "0 to 9223372036854775807",
                     .most = LLONG_MAX},
    [MODCAT_OFFSET] = {.name = "OFF_T", NUMBER, .bare_is_one = true, .suffixes = true, LONG_RANGE},
    [MODCAT_MODE] = {.name = "MODE_T",
                     .parse = parse_mode,
                     .show = SHOW_NUMBER,
                     .range = "0 to 07777",
                     .most = 07777,
                     .kind = "octal permissions",
                     .example = "0644"},
    [MODCAT_UID] = {.name = "UID_T",
                    .parse = parse_owner,
                    .show = SHOW_NUMBER,
                    ID_RANGE,
                    .lookup_who = "user"},
    [MODCAT_GID] = {.name = "GID_T",
                    .parse = parse_owner,
                    .show = SHOW_NUMBER,
                    ID_RANGE,
                    .lookup_who = "group"},
    [MODCAT_STRING] = {.name = "STRING", .parse = parse_text, .show = SHOW_TEXT},
    [MODCAT_STRING_OR_NONE] = {.name = "STRING-NULL",
                               .parse = parse_nullable_text,
                               .show = SHOW_TEXT},
    [MODCAT_TIMEVAL] = {.name = "STRUCT-TIMEVAL", .parse = parse_time, TIME_RANGE},
    [MODCAT_TIMESPEC] = {.name = "STRUCT-TIMESPEC", .parse = parse_time, TIME_RANGE},
    [MODCAT_LINGER] = {.name = "STRUCT-LINGER",
                       .parse = parse_number,
                       .show = SHOW_LINGER,
                       .range = "0 to 2147483647",
                       .most = INT_MAX},
    [MODCAT_DATA] = {.name = "BIN", .parse = parse_data},
    [MODCAT_INT_INT] = {.name = "INT:INT", TUPLE, .fields = 2, .last = SHOW_NUMBER},
    [MODCAT_INT_INTP] = {.name = "INT:INTP", TUPLE, .fields = 2, .last = SHOW_NUMBER},
    [MODCAT_INT_DATA] = {.name = "INT:BIN", TUPLE, .fields = 2, .last = SHOW_NOTHING},
    [MODCAT_INT_STRING] = {.name = "INT:STRING", TUPLE, .fields = 2, .last = SHOW_TEXT},
    [MODCAT_INT_INT_INT] = {.name = "INT:INT:INT", TUPLE, .fields = 3, .last = SHOW_NUMBER},
    [MODCAT_INT_INT_DATA] = {.name = "INT:INT:BIN", TUPLE, .fields = 3, .last = SHOW_NOTHING},
    [MODCAT_INT_INT_STRING] = {.name = "INT:INT:STRING", TUPLE, .fields = 3, .last = SHOW_TEXT},
    [MODCAT_IP4_HOST] = {.name = "IP4NAME", .parse = parse_host},
    [MODCAT_IP4_SOCKET] = {.name = "IP4SOCK", .parse = parse_host},
    [MODCAT_MEMBERSHIP] = {.name = "STRUCT-IP_MREQN", .parse = parse_membership},
    [MODCAT_INT_SIZE] =
        {.name = "INT", NUMBER, .bare_is_one = true, .suffixes = true, .patterns = true, INT_RANGE},
    [MODCAT_INT_BOOL] =
        {.name = "INT", NUMBER, .bare_is_one = true, .words = true, .patterns = true, INT_RANGE},
    [MODCAT_CHOICE] = {.name = "CHOICE", .parse = parse_choice, .show = SHOW_TEXT},
    [MODCAT_SOURCE_MEMBERSHIP] = {.name = "IP-MREQ-SOURCE", .parse = parse_membership},
};

/* How much of a value a message repeats. */
#define SHOWN_MAX 160

int values_parse(enum modcat_value_type type, const char *words, const char *name, const char *text,
                 struct modcat_value *value, void **storage, char *reason, size_t reason_size)
{
    const struct parsing parsing = {.row = &rows[type],
                                    .words = words,
                                    .name = name,
                                    .text = text,
                                    .value = value,
                                    .storage = storage,
                                    .reason = reason,
                                    .reason_size = reason_size};
    *value = (struct modcat_value){.size = sizeof *value};
    *storage = NULL;
    return parsing.row->parse(&parsing);
}

const char *values_type_name(enum modcat_value_type type)
{
    return rows[type].name;
}

/* The option or parameter as the user wrote it, and what is wrong with it. */
static int complain(const struct parsing *parsing, const char *what)
{
    const char *text = parsing->text != NULL ? parsing->text : "";
    if (parsing->name == NULL)
        snprintf(parsing->reason, parsing->reason_size, "parameter \"%.*s\"%s", SHOWN_MAX, text,
                 what);
    else
        snprintf(parsing->reason, parsing->reason_size, "option \"%.*s%s%.*s\"%s", SHOWN_MAX,
                 parsing->name, parsing->text != NULL ? "=" : "", SHOWN_MAX, text, what);
    errno = EINVAL;
    return -1;
}

#define WANTED_TEXT (SHOWN_MAX + 80)

/* "KIND, as in NAME=EXAMPLE". */
static void put_example(const struct parsing *parsing, const char *kind, const char *example,
                        char text[WANTED_TEXT])
{
    const char *name = parsing->name != NULL ? parsing->name : "";
    snprintf(text, WANTED_TEXT, "%s, as in %.*s%s%s", kind, SHOWN_MAX, name,
             *name != '\0' ? "=" : "", example);
}

/* What the option takes, with an example. */
static const char *wanted(const struct parsing *parsing, char text[WANTED_TEXT])
{
    const struct type_row *row = parsing->row;
    if (row->parse == parse_choice)
        snprintf(text, WANTED_TEXT, "one of: %.*s", SHOWN_MAX, parsing->words);
    else if (row->parse == parse_bool && parsing->words != NULL)
        snprintf(text, WANTED_TEXT, "yes or no, or one of: %.*s", SHOWN_MAX, parsing->words);
    else if (row->parse == parse_bool)
        snprintf(text, WANTED_TEXT, "yes or no");
    else if (row->kind != NULL)
        put_example(parsing, row->kind, row->example, text);
    else if (row->words)
        snprintf(text, WANTED_TEXT, "yes, no or a number");
    else if (row->suffixes)
        put_example(parsing, "a number", "64k", text);
    else if (row->fields > 0)
        snprintf(text, WANTED_TEXT, "%s", row->name);
    else
        put_example(parsing, "a number", "1", text);
    return text;
}

static int complain_value_required(const struct parsing *parsing)
{
    return complain(parsing, " needs a value");
}

static int complain_missing_number(const struct parsing *parsing)
{
    char after[WANTED_TEXT + 8], text[WANTED_TEXT];
    snprintf(after, sizeof after, " needs %s", wanted(parsing, text));
    return complain(parsing, after);
}

/* `which` is "", or "1st " and "2nd " in tuples. */
static int complain_garbage(const struct parsing *parsing, const char *which, const char *garbage)
{
    char after[2 * WANTED_TEXT], text[WANTED_TEXT];
    if (*which != '\0')
        snprintf(after, sizeof after, ": unexpected \"%.*s\" behind the %snumber", 40, garbage,
                 which);
    else
        snprintf(after, sizeof after, ": unexpected \"%.*s\"; it needs %s", 40, garbage,
                 wanted(parsing, text));
    return complain(parsing, after);
}

static int complain_range(const struct parsing *parsing)
{
    char after[100];
    snprintf(after, sizeof after, ": out of range (%s)", parsing->row->range);
    return complain(parsing, after);
}

static bool written_as_pattern(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return *text == '0';
}

static int check_range(const struct parsing *parsing, const char *text, long long *number)
{
    const struct type_row *row = parsing->row;
    if (*number >= row->least && *number <= row->most)
        return 0;
    if (row->patterns && written_as_pattern(text) && *number > 0 && *number <= UINT_MAX) {
        *number = (int)(unsigned)*number;
        return 0;
    }
    return complain_range(parsing);
}

const char *values_suffix(const char *text, int *bits)
{
    static const char letters[] = "KMGT";
    const char *found = *text != '\0' ? strchr(letters, toupper((unsigned char)*text)) : NULL;
    if (found == NULL)
        return text;
    *bits = 10 * (int)(found - letters + 1);
    text++;
    return strncasecmp(text, "iB", 2) == 0 ? text + 2 : text;
}

/* Multiplies by what a suffix behind a number says. Returns the place behind it. */
static const char *take_suffix(const struct parsing *parsing, const char *rest, long long *number)
{
    int bits = 0;
    if (!parsing->row->suffixes)
        return rest;
    const char *behind = values_suffix(rest, &bits);
    if (__builtin_mul_overflow(*number, 1LL << bits, number))
        errno = ERANGE;
    return behind;
}

/* Reads a number that ends at `end`; *text moves there. */
static int read_number(const struct parsing *parsing, const char **text, int base, char end,
                       const char *which, long long *number)
{
    char *rest;
    errno = 0;
    *number = strtoll(*text, &rest, base);
    if (rest == *text)
        return complain_missing_number(parsing);
    const char *behind = take_suffix(parsing, rest, number);
    if (*behind != end)
        return complain_garbage(parsing, which, behind);
    if (errno == ERANGE)
        return complain_range(parsing);
    if (check_range(parsing, *text, number) < 0)
        return -1;
    *text = behind;
    return 0;
}

/* Returns false for what is none of the words. */
static bool read_truth(const char *text, long long *number)
{
    static const char *const words[][2] = {{"no", "yes"}, {"false", "true"}, {"off", "on"}};
    for (size_t i = 0; i < MODCAT_COUNT(words); i++)
        for (int truth = 0; truth < 2; truth++)
            if (strcasecmp(text, words[i][truth]) == 0) {
                *number = truth;
                return true;
            }
    return false;
}

static int parse_number(const struct parsing *parsing)
{
    const char *text = parsing->text;
    if (text == NULL && !parsing->row->bare_is_one)
        return complain_value_required(parsing);
    if (text == NULL) {
        parsing->value->number = 1;
        return 0;
    }
    if (parsing->row->words && read_truth(text, &parsing->value->number))
        return 0;
    return read_number(parsing, &text, 0, '\0', "", &parsing->value->number);
}

/* The place of the text in the option's own words, from 0 on; -1: it is none of them. */
static int own_word(const struct parsing *parsing)
{
    const char *words = parsing->words, *word;
    size_t length, wanted_length = parsing->text != NULL ? strlen(parsing->text) : 0;
    for (int place = 0; words != NULL && words_next(&words, &word, &length); place++)
        if (length == wanted_length && strncasecmp(word, parsing->text, length) == 0)
            return place;
    return -1;
}

static int parse_bool(const struct parsing *parsing)
{
    int place = own_word(parsing);
    if (place < 0 && parse_number(parsing) < 0)
        return -1;
    parsing->value->number = place >= 0 ? 2 + place : parsing->value->number != 0;
    return 0;
}

static int parse_nullable_number(const struct parsing *parsing)
{
    parsing->value->absent = parsing->text != NULL && *parsing->text == '\0';
    return parsing->value->absent ? 0 : parse_number(parsing);
}

static int parse_mode(const struct parsing *parsing)
{
    const char *text = parsing->text;
    if (text == NULL)
        return complain_value_required(parsing);
    return read_number(parsing, &text, 8, '\0', "", &parsing->value->number);
}

static bool look_up_owner(const struct parsing *parsing)
{
    if (parsing->row == &rows[MODCAT_UID]) {
        const struct passwd *user = getpwnam(parsing->text);
        parsing->value->number = user != NULL ? user->pw_uid : 0;
        return user != NULL;
    }
    const struct group *group = getgrnam(parsing->text);
    parsing->value->number = group != NULL ? group->gr_gid : 0;
    return group != NULL;
}

static int parse_owner(const struct parsing *parsing)
{
    if (parsing->text == NULL)
        return complain_value_required(parsing);
    if (isdigit((unsigned char)*parsing->text))
        return parse_number(parsing);
    if (look_up_owner(parsing))
        return 0;
    char after[40];
    snprintf(after, sizeof after, ": no such %s", parsing->row->lookup_who);
    return complain(parsing, after);
}

static int parse_time(const struct parsing *parsing)
{
    if (parsing->text == NULL)
        return complain_value_required(parsing);
    char *rest;
    errno = 0;
    double seconds = strtod(parsing->text, &rest);
    if (rest == parsing->text)
        return complain_missing_number(parsing);
    if (*rest != '\0')
        return complain_garbage(parsing, "", rest);
    if (!isfinite(seconds) || seconds < 0 || seconds > TIME_SECONDS_MAX)
        return complain_range(parsing);
    long long whole = (long long)seconds;
    parsing->value->time =
        whole * MODCAT_SECOND + (long long)((seconds - (double)whole) * MODCAT_SECOND + 0.5);
    return 0;
}

static int parse_const(const struct parsing *parsing)
{
    if (parsing->text == NULL)
        return 0;
    const struct parsing bare = {
        .name = parsing->name, .reason = parsing->reason, .reason_size = parsing->reason_size};
    return complain(&bare, " takes no value");
}

static int store_text(const struct parsing *parsing, const char *text)
{
    parsing->value->string = text;
    parsing->value->length = strlen(text);
    return 0;
}

static int parse_text(const struct parsing *parsing)
{
    if (parsing->text == NULL)
        return complain_value_required(parsing);
    return store_text(parsing, parsing->text);
}

static int parse_nullable_text(const struct parsing *parsing)
{
    parsing->value->absent = parsing->text == NULL;
    return parsing->value->absent ? 0 : store_text(parsing, parsing->text);
}

/* As the option's own table writes the word, whatever the user's letters. */
static int parse_choice(const struct parsing *parsing)
{
    char needs[WANTED_TEXT + 8], text[WANTED_TEXT];
    int place = own_word(parsing);
    if (place < 0) {
        snprintf(needs, sizeof needs, " needs %s", wanted(parsing, text));
        return complain(parsing, needs);
    }
    const char *words = parsing->words, *word = NULL;
    size_t length = 0;
    for (int i = 0; i <= place; i++)
        words_next(&words, &word, &length);
    *parsing->storage = memory_copy_span(word, length);
    parsing->value->number = place;
    return store_text(parsing, *parsing->storage);
}

static int parse_host(const struct parsing *parsing)
{
    if (parsing->text == NULL || *parsing->text == '\0')
        return complain_value_required(parsing);
    return store_text(parsing, parsing->text);
}

static int parse_membership(const struct parsing *parsing)
{
    if (parse_host(parsing) < 0)
        return -1;
    const char *bracket = *parsing->text == '[' ? strchr(parsing->text, ']') : NULL;
    if (strchr(bracket != NULL ? bracket : parsing->text, ':') == NULL)
        return complain(parsing, ": missing ':' between group and interface");
    return 0;
}

static int store_data(const struct parsing *parsing, const char *text)
{
    unsigned char data[VALUES_DATA_MAX];
    const char *why;
    ssize_t length = modcat_parse_data(text, data, sizeof data, &why);
    if (length < 0) {
        snprintf(parsing->reason, parsing->reason_size, "invalid data \"%.*s\": %s", SHOWN_MAX,
                 text, why);
        errno = EINVAL;
        return -1;
    }
    *parsing->storage = memory_alloc((size_t)length);
    if (length > 0)
        memcpy(*parsing->storage, data, (size_t)length);
    parsing->value->data = *parsing->storage;
    parsing->value->length = (size_t)length;
    return 0;
}

static int parse_data(const struct parsing *parsing)
{
    if (parsing->text == NULL)
        return complain_value_required(parsing);
    return store_data(parsing, parsing->text);
}

static int count_fields(const char *text)
{
    int count = 1;
    for (; *text != '\0'; text++)
        count += *text == ':';
    return count;
}

static int parse_last_field(const struct parsing *parsing, const char *text, long long *number)
{
    switch (parsing->row->last) {
    case SHOW_NUMBER:
        return read_number(parsing, &text, 0, '\0', "", number);
    case SHOW_TEXT:
        return store_text(parsing, text);
    default:
        return store_data(parsing, text);
    }
}

static int parse_tuple(const struct parsing *parsing)
{
    static const char *const which[] = {"1st ", "2nd "};
    long long *const numbers[] = {&parsing->value->number, &parsing->value->second,
                                  &parsing->value->third};
    const char *text = parsing->text;
    int last = parsing->row->fields - 1;

    if (text == NULL)
        return complain(parsing, " needs values");
    if (*text == '\0')
        return complain_missing_number(parsing);
    if (count_fields(text) <= last) {
        char needed[60];
        snprintf(needed, sizeof needed, " needs %d values, separated by colons", last + 1);
        return complain(parsing, needed);
    }
    for (int field = 0; field < last; field++) {
        if (read_number(parsing, &text, 0, ':', which[field], numbers[field]) < 0)
            return -1;
        text++;
    }
    return parse_last_field(parsing, text, numbers[last]);
}

static void show_tuple(const struct type_row *row, const struct modcat_value *value, char *text,
                       size_t size)
{
    char front[50], last[SHOWN_MAX];
    long long number = row->fields == 2 ? value->second : value->third;

    if (row->fields == 2)
        snprintf(front, sizeof front, "%lld", value->number);
    else
        snprintf(front, sizeof front, "%lld:%lld", value->number, value->second);
    if (row->last == SHOW_NUMBER)
        snprintf(last, sizeof last, "%lld", number);
    else if (row->last == SHOW_TEXT)
        snprintf(last, sizeof last, "\"%.*s\"", SHOWN_MAX - 3, value->string);
    else
        snprintf(last, sizeof last, "...");
    snprintf(text, size, "%s:%s", front, last);
}

bool values_show(enum modcat_value_type type, const struct modcat_value *value, char *text,
                 size_t size)
{
    const struct type_row *row = &rows[type];
    if (row->show == SHOW_NOTHING)
        return false;
    if (value->absent)
        snprintf(text, size, "NULL");
    else if (row->show == SHOW_NUMBER)
        snprintf(text, size, "%lld", value->number);
    else if (row->show == SHOW_LINGER)
        snprintf(text, size, "{1,%lld}", value->number);
    else if (row->show == SHOW_TEXT)
        snprintf(text, size, "\"%s\"", value->string);
    else
        show_tuple(row, value, text, size);
    return true;
}

const char *modcat_check_filled(const struct modcat_value *value)
{
    return value->string == NULL || *value->string == '\0' ? "it must not be empty" : NULL;
}
