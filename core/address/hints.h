/* hints.h: what to do about mistakes that are common in addresses: URLs, hosts without a type, IPv6
 * addresses without brackets, colons that are not quoted, and characters that only look right. */

#ifndef CORE_ADDRESS_HINTS_H
#define CORE_ADDRESS_HINTS_H

#include "core/address/address.h"

struct registry;

/* A hint for an address whose keyword no driver knows, or for one with more parameters than its
 * `syntax` has. Returns the text, to be freed, which starts with "; ", or "" where nothing is
 * known. */
char *hints_unknown_type(const struct address *address);
char *hints_too_many_params(const struct address *address, const char *syntax);

/* The same for a word with a character that looks like one of a keyboard, as web pages and word
 * processors put it in its place. */
char *hints_lookalike(const char *word);

/* The same for an option that another address type has, those whose names are like `type` first. */
char *hints_types_with(const struct registry *registry, const char *option, const char *type);

#endif
