/* Complaints about what the user wrote that only its driver can judge, with the place marked; and
 * parameters as values. */

#define _GNU_SOURCE
#include "core/opening/complaint.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/opening/opening.h"
#include "core/registry/registry.h"
#include "core/values/values.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void hide_secrets(const struct address *address, char *text)
{
    for (size_t i = 0; i < address->option_count; i++)
        if (address->options[i].entry->option.secret)
            memset(text + address->options[i].value_place.start, '*',
                   address->options[i].value_place.length);
}

/* The stack of layers that an address belongs to, as the user wrote it; `place` becomes one in
 * it. */
static char *stack_text(const struct address *address, struct place *place)
{
    const struct address *lowest = address_lowest(address), *highest = address;
    AUTO_FREE char *text = memory_copy_text(address->text);
    while (highest->upper != NULL)
        highest = highest->upper;
    for (const struct address *level = highest; level != NULL; level = level->lower)
        hide_secrets(level, text);
    size_t start = highest->place.start;
    place->start -= start;
    return memory_copy_span(text + start, lowest->place.start + lowest->place.length - start);
}

__attribute__((format(printf, 5, 0))) static int complain(enum modcat_level level,
                                                          const struct address *address,
                                                          const char *prefix, struct place place,
                                                          const char *format, va_list arguments)
{
    int error = errno;
    struct address_error fault = {.place = place};
    AUTO_FREE char *text = stack_text(address, &fault.place);
    int length =
        snprintf(fault.message, sizeof fault.message, "%s%s", prefix, *prefix != '\0' ? ": " : "");
    size_t used = (size_t)length < sizeof fault.message ? (size_t)length : 0;
    vsnprintf(fault.message + used, sizeof fault.message - used, format, arguments);
    const char *layer = log_set_layer(NULL); /* the place shows it */
    address_explain(level, text, &fault);
    log_set_layer(layer);
    errno = error;
    return -1;
}

static struct place param_place(const struct address *address, size_t index)
{
    return index < address->param_count ? address->param_places[index] : address->keyword_place;
}

int modcat_fail_param(const struct modcat_opening *opening, size_t index, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = complain(opening->failure, opening->address, modcat_keyword(opening),
                          param_place(opening->address, index), format, arguments);
    va_end(arguments);
    return result;
}

/* Of an option that is not given, the address is what lacks it. */
static struct place option_place(const struct address *address, const char *name)
{
    const struct address_option *option = address_find_option(address, name);
    return option != NULL ? option->place : address->keyword_place;
}

int complain_of_option(const struct address *address, const char *name, const char *format, ...)
{
    va_list arguments;
    while (address->lower != NULL && address_find_option(address, name) == NULL)
        address = address->lower;
    va_start(arguments, format);
    int result =
        complain(MODCAT_ERROR, address, "", option_place(address, name), format, arguments);
    va_end(arguments);
    return result;
}

int modcat_fail_option(const struct modcat_opening *opening, const char *name, const char *format,
                       ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = complain(opening->failure, opening->address, modcat_keyword(opening),
                          option_place(opening->address, name), format, arguments);
    va_end(arguments);
    return result;
}

static void keep(struct modcat_opening *opening, void *storage)
{
    if (storage == NULL)
        return;
    opening->kept = memory_resize(opening->kept, opening->kept_count + 1, sizeof *opening->kept);
    opening->kept[opening->kept_count++] = storage;
}

int modcat_param_value(struct modcat_opening *opening, size_t index, enum modcat_value_type type,
                       const char *words, struct modcat_value *value)
{
    char reason[300];
    struct modcat_value parsed;
    void *storage;
    const char *text = modcat_param(opening, index);
    int result = values_parse(type, words, NULL, text, &parsed, &storage, reason, sizeof reason);
    keep(opening, storage);
    if (result < 0)
        return modcat_fail_param(opening, index, "%s", reason);
    size_t size = value->size < sizeof parsed ? value->size : sizeof parsed;
    parsed.size = value->size;
    memcpy(value, &parsed, size);
    return 0;
}
