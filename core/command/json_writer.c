#include "core/command/json_writer.h"

#include "core/base/json.h"
#include "core/base/memory.h"
#include "core/base/words.h"
#include <string.h>

#define INDENT 2

static void put_string(FILE *out, const char *text, size_t length)
{
    size_t size = JSON_QUOTED_MAX(length);
    AUTO_FREE char *copy = memory_copy_span(text, length), *quoted = memory_alloc(size);
    fputs(json_quote(quoted, size, copy), out);
}

/* The comma and the line that come before a value, and its name. */
static void put_start(struct json *json, const char *name)
{
    if (json->depth > 0)
        fprintf(json->out, "%s\n%*s", json->filled ? "," : "", (int)(INDENT * json->depth), "");
    if (name != NULL) {
        put_string(json->out, name, strlen(name));
        fputs(": ", json->out);
    }
    json->filled = true;
}

static void begin(struct json *json, const char *name, char bracket)
{
    put_start(json, name);
    fputc(bracket, json->out);
    json->depth++;
    json->filled = false;
}

static void end(struct json *json, char bracket)
{
    json->depth--;
    if (json->filled)
        fprintf(json->out, "\n%*s", (int)(INDENT * json->depth), "");
    fputc(bracket, json->out);
    if (json->depth == 0)
        fputc('\n', json->out);
    json->filled = true;
}

void json_begin_object(struct json *json, const char *name)
{
    begin(json, name, '{');
}

void json_end_object(struct json *json)
{
    end(json, '}');
}

void json_begin_array(struct json *json, const char *name)
{
    begin(json, name, '[');
}

void json_end_array(struct json *json)
{
    end(json, ']');
}

void json_text(struct json *json, const char *name, const char *text)
{
    put_start(json, name);
    if (text == NULL)
        fputs("null", json->out);
    else
        put_string(json->out, text, strlen(text));
}

void json_number(struct json *json, const char *name, long long number)
{
    put_start(json, name);
    fprintf(json->out, "%lld", number);
}

void json_bool(struct json *json, const char *name, bool value)
{
    put_start(json, name);
    fputs(value ? "true" : "false", json->out);
}

void json_words(struct json *json, const char *name, const char *list)
{
    const char *word;
    size_t length;
    json_begin_array(json, name);
    while (words_next(&list, &word, &length)) {
        put_start(json, NULL);
        put_string(json->out, word, length);
    }
    json_end_array(json);
}
