/* values.h: the types of option values: how each is written, parsed and shown. */

#ifndef CORE_VALUES_VALUES_H
#define CORE_VALUES_VALUES_H

#include <modcat/driver.h>
#include <stddef.h>

/* Parses the value of an option, or a parameter. `words` are the option's own, see
 * struct modcat_option, or NULL; `name` is the option's name as typed, NULL: it is a parameter; and
 * `text` what stands behind "=" (NULL without "="). Fills *value in; what its pointers need is put
 * in *storage, to be freed, or points into `text`, which must stay alive.
 * Returns 0, or -1 with the reason in `reason` (a whole message, ready to be shown). */
int values_parse(enum modcat_value_type type, const char *words, const char *name, const char *text,
                 struct modcat_value *value, void **storage, char *reason, size_t reason_size);

/* The type's name in help: "INT", "INT:BIN", ... */
const char *values_type_name(enum modcat_value_type type);

/* Renders a value for "setting option ... to VALUE". Returns false for types that say nothing. */
bool values_show(enum modcat_value_type type, const struct modcat_value *value, char *text,
                 size_t size);
#define VALUES_DATA_MAX 256

/* What may stand behind a size: k, M, G and T, small or capital, alone or with "iB", for 2 to the
 * power of 10, 20, 30 and 40. Returns the place behind it, and sets *bits where there is one. */
const char *values_suffix(const char *text, int *bits);

#endif
