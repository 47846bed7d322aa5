#define _GNU_SOURCE
#include "core/base/words.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Longer words are never near to others: it bounds the work, and no name is that long. */
#define WORD_MAX 64

bool words_equal(const char *left, const char *right)
{
    return strcasecmp(left, right) == 0;
}

bool words_next(const char **cursor, const char **word, size_t *length)
{
    if (*cursor == NULL)
        return false;
    *word = *cursor + strspn(*cursor, ",");
    *length = strcspn(*word, ",");
    *cursor = *word + *length;
    return *length > 0;
}

static bool list_has_span(const char *list, const char *wanted, size_t wanted_length)
{
    const char *word;
    size_t length;
    while (words_next(&list, &word, &length))
        if (length == wanted_length && strncasecmp(word, wanted, length) == 0)
            return true;
    return false;
}

bool words_list_has(const char *list, const char *word)
{
    return list_has_span(list, word, strlen(word));
}

bool words_lists_meet(const char *left, const char *right)
{
    const char *word;
    size_t length;
    while (words_next(&left, &word, &length))
        if (list_has_span(right, word, length))
            return true;
    return false;
}

static bool same_letter(char left, char right)
{
    return tolower((unsigned char)left) == tolower((unsigned char)right);
}

static unsigned smaller(unsigned left, unsigned right)
{
    return left < right ? left : right;
}

/* The rows of the table of distances between the beginnings of both words that the next one
 * needs; a row stands for a beginning of the left word, a column for one of the right word. */
struct rows {
    unsigned before[WORD_MAX + 1];
    unsigned last[WORD_MAX + 1];
    unsigned next[WORD_MAX + 1];
};

/* One entry of row `i`, column `j`, both from 1. */
static unsigned cell(const struct rows *rows, const char *left, const char *right, size_t i,
                     size_t j)
{
    unsigned change = same_letter(left[i - 1], right[j - 1]) ? 0 : 1;
    unsigned least = smaller(rows->last[j] + 1, rows->next[j - 1] + 1);
    least = smaller(least, rows->last[j - 1] + change);
    if (i > 1 && j > 1 && same_letter(left[i - 1], right[j - 2]) &&
        same_letter(left[i - 2], right[j - 1]))
        least = smaller(least, rows->before[j - 2] + 1);
    return least;
}

/* Optimal string alignment: Levenshtein's distance with swapped neighbours as one edit. */
unsigned words_distance(const char *left, const char *right, unsigned limit)
{
    size_t left_length = strnlen(left, WORD_MAX + 1);
    size_t right_length = strnlen(right, WORD_MAX + 1);
    if (left_length > WORD_MAX || right_length > WORD_MAX)
        return limit;
    struct rows rows = {0};
    for (size_t j = 0; j <= right_length; j++)
        rows.next[j] = (unsigned)j;
    for (size_t i = 1; i <= left_length; i++) {
        memcpy(rows.before, rows.last, sizeof rows.before);
        memcpy(rows.last, rows.next, sizeof rows.last);
        rows.next[0] = (unsigned)i;
        for (size_t j = 1; j <= right_length; j++)
            rows.next[j] = cell(&rows, left, right, i, j);
    }
    return smaller(rows.next[right_length], limit);
}

static bool begins_with(const char *text, const char *beginning)
{
    return strncasecmp(text, beginning, strlen(beginning)) == 0;
}

void words_consider(struct words_nearest *nearest, const char *candidate)
{
    unsigned near = (unsigned)strnlen(nearest->wanted, WORD_MAX + 1) / 3;
    unsigned limit = nearest->best != NULL ? nearest->distance : (near > 1 ? near : 1) + 1;
    /* Of two that are equally near, one that only goes on is likelier to be meant. */
    if (nearest->best != NULL && begins_with(candidate, nearest->wanted) &&
        !begins_with(nearest->best, nearest->wanted))
        limit++;
    unsigned distance = words_distance(nearest->wanted, candidate, limit);
    /* The word itself is no suggestion for it. */
    if (distance == 0 || distance >= limit)
        return;
    nearest->best = candidate;
    nearest->distance = distance;
}
