#include "tests/system/end_table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define ANY "any"
#define BETWEEN_WORDS ", "
#define BETWEEN_MESSAGES "; "

bool end_list_has(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (;;) {
        const char *behind = strstr(list, BETWEEN_WORDS);
        size_t size = behind != NULL ? (size_t)(behind - list) : strlen(list);
        if (size == length && strncmp(list, word, size) == 0)
            return true;
        if (behind == NULL)
            return false;
        list = behind + strlen(BETWEEN_WORDS);
    }
}

/* Takes the text up to the next bar, without blanks around it, and moves on behind that. */
static const char *take_column(struct harness *harness, const char **line)
{
    const char *start = *line + strspn(*line, " ");
    size_t length = strcspn(start, "|\n");
    if (start[length] != '|')
        harness_fail(harness, "ends.rows: a row does not have %d columns", END_COLUMNS);
    *line = start + length + 1;
    while (length > 0 && start[length - 1] == ' ')
        length--;
    return text(harness, "%.*s", (int)length, start);
}

static void add_row(struct harness *harness, struct end_table *table, const char *line)
{
    for (size_t i = 0; i < END_COLUMNS; i++)
        table->rows[table->count][i] = take_column(harness, &line);
    table->count++;
}

/* Rows stand behind the line that is drawn below the head. */
struct end_table end_table_read(struct harness *harness)
{
    const char *folder = getenv("srcdir");
    const char *line = file_read(
        harness, text(harness, "%s/tests/system/ends.rows", folder != NULL ? folder : "."));
    struct end_table table = {.rows = memory(harness, strlen(line) * sizeof *table.rows)};
    line = strstr(line, "\n|--");
    for (; line != NULL; line = strstr(line + 1, "\n| "))
        if (line[2] == ' ')
            add_row(harness, &table, line + 2);
    if (table.count == 0)
        harness_fail(harness, "ends.rows has no rows");
    return table;
}

static bool holds(const char *const row[END_COLUMNS], const char *const conditions[END_CONDITIONS])
{
    for (size_t i = 0; i < END_CONDITIONS; i++)
        if (strcmp(row[i], ANY) != 0 && !end_list_has(row[i], conditions[i]))
            return false;
    return true;
}

size_t end_table_find(struct harness *harness, const struct end_table *table,
                      const char *const conditions[END_CONDITIONS])
{
    size_t found = table->count, count = 0;
    for (size_t i = 0; i < table->count; i++)
        if (holds(table->rows[i], conditions)) {
            found = i;
            count++;
        }
    if (count != 1)
        harness_fail(harness, "ends.rows: %zu rows for %s, %s, %s, %s", count, conditions[0],
                     conditions[1], conditions[2], conditions[3]);
    return found;
}

/* How long the word in capitals is that begins there, or 0. */
static size_t capitals(const char *place)
{
    size_t length = strspn(place, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return isalpha((unsigned char)place[-1]) || isalpha((unsigned char)place[length]) ? 0 : length;
}

/* Behind the level, a word in capitals stands for anything. */
static const char *pattern_of(struct harness *harness, const char *message, size_t length)
{
    char *pattern = memory(harness, length + 2), *end = pattern;
    *end++ = ' ';
    *end++ = message[0];
    for (size_t i = 1; i < length;) {
        size_t name = capitals(message + i);
        *end++ = name > 0 ? '*' : message[i];
        i += name > 0 ? name : 1;
    }
    *end = '\0';
    return pattern;
}

static bool is_loud(const char *line)
{
    const char *level = strstr(line, "] ");
    return level != NULL && level < line + strcspn(line, "\n") && strchr("WEF", level[2]) != NULL;
}

static size_t count_loud(struct program *program)
{
    size_t count = 0;
    for (const char *line = program_log(program); line != NULL; line = strchr(line, '\n')) {
        line += strspn(line, "\n");
        count += is_loud(line);
    }
    return count;
}

void end_said(struct harness *harness, struct program *program, const char *said)
{
    size_t loud = 0;
    while (strcmp(said, END_NOTHING) != 0 && *said != '\0') {
        const char *behind = strstr(said, BETWEEN_MESSAGES);
        size_t length = behind != NULL ? (size_t)(behind - said) : strlen(said);
        const char *pattern = pattern_of(harness, said, length);
        if (!program_has_logged(program, pattern))
            harness_fail(harness, "no log line holds \"%s\"", pattern);
        loud += strchr("WEF", said[0]) != NULL;
        said += length + (behind != NULL ? strlen(BETWEEN_MESSAGES) : 0);
    }
    if (count_loud(program) != loud)
        harness_fail(harness, "there are %zu warnings and errors, not %zu", count_loud(program),
                     loud);
}
