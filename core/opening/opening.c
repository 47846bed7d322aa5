#define _GNU_SOURCE
#include "core/opening/opening.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/printable.h"
#include "core/opening/environment.h"
#include "core/opening/session_state.h"
#include "core/opening/share.h"
#include "core/registry/registry.h"
#include "core/values/range.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* For an address itself its own values count. */
static void make_settings(struct modcat_opening *opening)
{
    opening->set = opening_settings_of(opening->address);
    for (size_t i = 0; i < opening->address->option_count; i++)
        opening->used[i] = opening->address->options[i].entry->option.effect == EFFECT_SETTING;
}

struct modcat_opening *opening_new(struct session *session, const struct address *address,
                                   unsigned directions)
{
    struct modcat_opening *opening = memory_zeroed(1, sizeof *opening);
    opening->settings = session->settings;
    opening->address = address;
    opening->session = session;
    opening->directions = directions;
    opening->used = memory_zeroed(address->option_count, sizeof *opening->used);
    opening->failure = MODCAT_ERROR;
    make_settings(opening);
    return opening;
}

struct modcat_opening *opening_for_peer(const struct modcat_opening *listening,
                                        struct session *session)
{
    struct modcat_opening *opening = memory_alloc(sizeof *opening);
    size_t count = listening->address->option_count;
    *opening = *listening;
    opening->session = session;
    opening->used = memory_zeroed(count, sizeof *opening->used);
    memcpy(opening->used, listening->used, count * sizeof *opening->used);
    opening->failure = MODCAT_ERROR;
    opening->peer_name = NULL;
    opening->ends = NULL;
    opening->share = NULL;
    opening->kept = NULL;
    opening->kept_count = 0;
    if (listening->range != NULL)
        opening->range = memory_copy(listening->range, sizeof *listening->range);
    if (opening->prepared != NULL)
        opening->prepared->users++;
    if (listening->above != NULL) {
        opening->above = opening_for_peer(listening->above, session);
        opening->above->below = opening;
    }
    opening->phase_work = NULL;
    opening->tty_changes = NULL;
    return opening;
}

static void drop_prepared(struct opening_prepared *prepared)
{
    if (prepared == NULL || --prepared->users > 0)
        return;
    if (prepared->release != NULL)
        prepared->release(prepared->state);
    free(prepared->secrets);
    free(prepared);
}

void opening_free(struct modcat_opening *opening)
{
    if (opening == NULL)
        return;
    opening_free(opening->above);
    drop_prepared(opening->prepared);
    share_leave(opening);
    free(opening->peer_name);
    free(opening->range);
    if (opening->phase_work != NULL)
        opening->phase_work->drop(opening);
    for (size_t i = 0; i < opening->kept_count; i++)
        free(opening->kept[i]);
    free(opening->kept);
    free(opening->used);
    free(opening);
}

const struct modcat_value *modcat_option_value(struct modcat_opening *opening, const char *name)
{
    const struct modcat_value *value = NULL;
    for (size_t i = 0; i < opening->address->option_count; i++) {
        if (strcmp(opening->address->options[i].entry->option.name, name) != 0)
            continue;
        opening->used[i] = true;
        value = &opening->address->options[i].value;
    }
    return value;
}

const struct modcat_value *modcat_option_next(struct modcat_opening *opening, const char *name,
                                              const struct modcat_value *previous)
{
    bool is_behind = previous == NULL;
    for (size_t i = 0; i < opening->address->option_count; i++) {
        const struct address_option *option = &opening->address->options[i];
        if (strcmp(option->entry->option.name, name) != 0)
            continue;
        opening->used[i] = true;
        if (is_behind)
            return &option->value;
        is_behind = &option->value == previous;
    }
    return NULL;
}

bool opening_option_used(const struct modcat_opening *opening, const char *name)
{
    for (size_t i = 0; i < opening->address->option_count; i++)
        if (strcmp(opening->address->options[i].entry->option.name, name) == 0 && opening->used[i])
            return true;
    return false;
}

void modcat_ignore_option(struct modcat_opening *opening, const char *name)
{
    (void)modcat_option_value(opening, name);
}

void modcat_experimental(const struct modcat_opening *opening, const char *name)
{
    if (!opening->settings->experimental)
        log_warning("option \"%s\" is experimental; option --experimental accepts that", name);
}

/* Options may hold secrets. */
/* Addresses in parentheses have options, and these may be secret. */
void opening_name_of(const struct address *address, char *text, size_t size)
{
    if (address->end_count > 0) {
        snprintf(text, size, "%s:(...)", address->keyword);
        return;
    }
    const struct place *last = address->param_count > 0
                                   ? &address->param_places[address->param_count - 1]
                                   : &address->keyword_place;
    size_t start = address->place.start, end = last->start + last->length;
    size_t length = end > start ? end - start : 0;
    if (length < size)
        snprintf(text, size, "%.*s", (int)length, address->text + start);
    else
        snprintf(text, size, "%.*s...", (int)(size - sizeof "..."), address->text + start);
}

void opening_name(const struct modcat_opening *opening, char *text, size_t size)
{
    opening_name_of(opening->address, text, size);
}

const char *modcat_keyword(const struct modcat_opening *opening)
{
    return opening->address->keyword;
}

size_t modcat_param_count(const struct modcat_opening *opening)
{
    return opening->address->param_count;
}

const char *modcat_param(const struct modcat_opening *opening, size_t index)
{
    return index < opening->address->param_count ? opening->address->params[index] : NULL;
}

unsigned modcat_directions(const struct modcat_opening *opening)
{
    return opening->directions;
}

const void *modcat_type_data(const struct modcat_opening *opening)
{
    return opening->address->type->type.data;
}

const char *modcat_directions_name(const struct modcat_opening *opening)
{
    static const char *const names[] = {
        [0] = "nothing",
        [MODCAT_DIR_READ] = "reading",
        [MODCAT_DIR_WRITE] = "writing",
        [MODCAT_DIR_READ | MODCAT_DIR_WRITE] = "reading and writing",
    };
    return names[opening->directions & (MODCAT_DIR_READ | MODCAT_DIR_WRITE)];
}

const char *modcat_program_name(void)
{
    return log_program();
}

/* Much of it comes from peers, and programs show it on terminals. */
void modcat_setenv(struct modcat_opening *opening, const char *name, const char *value)
{
    AUTO_FREE char *plain = memory_copy_text(value);
    printable_make(plain);
    environment_set_of_side(opening->session->environment, name, plain, session_side(opening));
}

const char *modcat_other_variable(const struct modcat_opening *opening, const char *name)
{
    return environment_get_of_side(opening->session->environment, name, 3 - session_side(opening));
}

static void fail_in_layer(const struct modcat_opening *opening, const char *format,
                          va_list arguments) __attribute__((format(printf, 2, 0)));

/* In a stack of layers a message alone does not tell where it comes from. */
__attribute__((format(printf, 2, 0))) static void fail_in_layer(
    const struct modcat_opening *opening, const char *format, va_list arguments)
{
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        return;
    const char *layer = log_set_layer(NULL);
    modcat_log(opening->failure, "%s: %s", opening->address->keyword, text);
    log_set_layer(layer);
    free(text);
}

int modcat_fail(const struct modcat_opening *opening, const char *format, ...)
{
    int error = errno;
    va_list arguments;
    va_start(arguments, format);
    if (opening->layering)
        fail_in_layer(opening, format, arguments);
    else
        log_at(opening->failure, format, arguments);
    va_end(arguments);
    errno = error;
    return -1;
}
