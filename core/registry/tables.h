/* tables.h: reads a driver's tables, whose rows may be shorter or longer than this core's. */

#ifndef CORE_REGISTRY_TABLES_H
#define CORE_REGISTRY_TABLES_H

#include <modcat/driver.h>
#include <stddef.h>

/* Copies a struct that says its own size: the smaller of both sizes, the rest zero. */
void tables_copy(void *to, size_t to_size, const void *from, size_t from_size);

/* Copies row `index` of a table. */
void tables_type(const struct modcat_driver *driver, size_t index,
                 struct modcat_address_type *type);
void tables_group(const struct modcat_driver *driver, size_t index,
                  struct modcat_option_group *group);
void tables_option(const struct modcat_option_group *group, size_t index,
                   struct modcat_option *option);

#endif
