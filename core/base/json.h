/* json.h: texts as JSON strings, RFC 8259. */

#ifndef CORE_BASE_JSON_H
#define CORE_BASE_JSON_H

#include <stddef.h>

/* How long a text of `length` bytes can become, with its quotes and its end. */
#define JSON_QUOTED_MAX(length) (6 * (length) + 3)

/* The length of the character in UTF-8 at `text`, which is not ASCII; 0: it is none. */
size_t json_character_length(const char *text);

/* Writes a text as a JSON string, in quotes. Bytes that are no UTF-8 become U+FFFD. What does not
 * fit into `size` (at least 3) is left out. Returns `quoted`. */
char *json_quote(char *quoted, size_t size, const char *text);

#endif
