/* words.h: the short texts that tables are made of: names without case, and lists "A,B,C". */

#ifndef CORE_BASE_WORDS_H
#define CORE_BASE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* True when both are the same word, without regard to case. */
bool words_equal(const char *left, const char *right);

/* The next word of a comma-separated list: sets *word and *length and returns true, or returns
 * false at the end. *cursor starts as the list (which may be NULL) and moves on. */
bool words_next(const char **cursor, const char **word, size_t *length);

/* True when the comma-separated list (NULL: empty) holds the word, without regard to case. */
bool words_list_has(const char *list, const char *word);

/* True when both lists have a word in common. */
bool words_lists_meet(const char *left, const char *right);

/* The number of single-character edits between two words, without regard to case, with swapped
 * neighbours as one; or `limit` when it is at least that. */
unsigned words_distance(const char *left, const char *right, unsigned limit);

/* Keeps the candidate that is nearest to `wanted`; none that is not near. Start with
 * { .wanted = ... }; the answer is `best`, NULL when nothing is near. Candidates must stay
 * alive. */
struct words_nearest {
    const char *wanted;
    const char *best;
    unsigned distance;
};
void words_consider(struct words_nearest *nearest, const char *candidate);

#endif
