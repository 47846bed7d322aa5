#include "core/registry/tables.h"

#include <string.h>

void tables_copy(void *to, size_t to_size, const void *from, size_t from_size)
{
    size_t common = to_size < from_size ? to_size : from_size;
    memcpy(to, from, common);
    memset((char *)to + common, 0, to_size - common);
}

static void copy_row(void *to, size_t to_size, const void *rows, size_t row_size, size_t index)
{
    tables_copy(to, to_size, (const char *)rows + index * row_size, row_size);
}

void tables_type(const struct modcat_driver *driver, size_t index, struct modcat_address_type *type)
{
    copy_row(type, sizeof *type, driver->types, driver->type_size, index);
}

void tables_group(const struct modcat_driver *driver, size_t index,
                  struct modcat_option_group *group)
{
    copy_row(group, sizeof *group, driver->groups, driver->group_size, index);
}

void tables_option(const struct modcat_option_group *group, size_t index,
                   struct modcat_option *option)
{
    copy_row(option, sizeof *option, group->options, group->option_size, index);
    if (option->phase == 0 && option->effect == MODCAT_FETCHED)
        option->phase = MODCAT_PHASE_SPEC;
}
