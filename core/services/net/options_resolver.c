#include "core/services/net/options_resolver.h"

#include "core/opening/opening.h"

int options_set_ai_flag(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                        const struct modcat_value *value)
{
    struct opening_settings *set = &opening->set;
    int *on = value->number != 0 ? &set->ai_flags_set : &set->ai_flags_cleared;
    int *off = value->number != 0 ? &set->ai_flags_cleared : &set->ai_flags_set;
    (void)fd;
    *on |= option->code;
    *off &= ~option->code;
    return 0;
}

int options_set_res_option(struct modcat_opening *opening, int fd,
                           const struct modcat_option *option, const struct modcat_value *value)
{
    struct opening_settings *set = &opening->set;
    unsigned long bits = (unsigned long)option->code;
    unsigned long *on = value->number != 0 ? &set->res_options_set : &set->res_options_cleared;
    unsigned long *off = value->number != 0 ? &set->res_options_cleared : &set->res_options_set;
    (void)fd;
    *on |= bits;
    *off &= ~bits;
    return 0;
}

int options_set_name_server(struct modcat_opening *opening, int fd,
                            const struct modcat_option *option, const struct modcat_value *value)
{
    (void)fd;
    (void)option;
    opening->set.res_nsaddr = value->string;
    return 0;
}
