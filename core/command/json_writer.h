/* json_writer.h: writes JSON (RFC 8259), one value after the other, without building a tree. */

#ifndef CORE_COMMAND_JSON_WRITER_H
#define CORE_COMMAND_JSON_WRITER_H

#include <stdbool.h>
#include <stdio.h>

/* Where it goes and how deep it is; start with { .out = ... }. */
struct json {
    FILE *out;
    unsigned depth;
    bool filled; /* something stands in the object or array already */
};

/* Begin and end an object or array. `name` is NULL in an array and for the outermost value, which
 * ends with a newline. */
void json_begin_object(struct json *json, const char *name);
void json_end_object(struct json *json);
void json_begin_array(struct json *json, const char *name);
void json_end_array(struct json *json);

/* Members of an object; elements of an array where `name` is NULL. A text that is NULL is null. */
void json_text(struct json *json, const char *name, const char *text);
void json_number(struct json *json, const char *name, long long number);
void json_bool(struct json *json, const char *name, bool value);

/* The words of a comma-separated list (NULL: empty), as an array. */
void json_words(struct json *json, const char *name, const char *list);

#endif
