/* params.h: the values of an address's parameters, as far as the names that the type's syntax has
 * for them promise something. */

#ifndef CORE_ADDRESS_PARAMS_H
#define CORE_ADDRESS_PARAMS_H

#include "core/address/address.h"

/* Checks the parameters of an address, whose number is right, against a syntax as in struct
 * modcat_address_type, of a type with these groups. Nothing is looked up: a service's name may
 * still turn out to be unknown. Returns 0, or -1 with *error. */
int params_check(const struct address *address, const char *syntax, const char *groups,
                 struct address_error *error);

/* Where a bracket begins that is not closed, and that has taken in what should be further
 * parameters; length 0 when there is none. */
struct place params_open_bracket(const struct address *address);

#endif
