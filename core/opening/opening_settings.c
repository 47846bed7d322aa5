#define _GNU_SOURCE
#include "core/opening/opening_settings.h"

#include "core/address/address.h"
#include "core/registry/registry.h"

void opening_settings_store(struct opening_settings *settings, const struct modcat_option *option,
                            const struct modcat_value *value)
{
    void *member = (char *)settings + option->code;
    switch (option->type) {
    case MODCAT_CONST:
        *(int *)member = option->detail;
        break;
    case MODCAT_BOOL:
        if (option->words != NULL)
            *(int *)member = (int)value->number;
        else
            *(bool *)member = value->number != 0;
        break;
    case MODCAT_UINT:
        *(unsigned *)member = (unsigned)value->number;
        break;
    case MODCAT_SIZE:
        *(size_t *)member = (size_t)value->number;
        break;
    case MODCAT_TIMEVAL:
    case MODCAT_TIMESPEC:
        *(long long *)member = value->time;
        break;
    case MODCAT_STRING:
        *(const char **)member = value->string;
        break;
    default:
        *(int *)member = (int)value->number;
        break;
    }
}

static const struct opening_settings default_settings = {
    .escape = -1,
    .backlog = -1,
    .interval = MODCAT_SECOND,
};

static void store_settings(struct opening_settings *set, const struct address *address)
{
    for (size_t i = 0; i < address->option_count; i++) {
        const struct address_option *option = &address->options[i];
        if (option->entry->option.effect == EFFECT_SETTING)
            opening_settings_store(set, &option->entry->option, &option->value);
    }
}

struct opening_settings opening_settings_of_stack(const struct address *address)
{
    struct opening_settings set = default_settings;
    for (const struct address *level = address_lowest(address); level != NULL; level = level->upper)
        store_settings(&set, level);
    return set;
}

struct opening_settings opening_settings_of(const struct address *address)
{
    struct opening_settings set = opening_settings_of_stack(address);
    store_settings(&set, address);
    return set;
}
