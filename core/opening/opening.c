#define _GNU_SOURCE
#include "core/opening/opening.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/printable.h"
#include "core/base/words.h"
#include "core/options/effects.h"
#include "core/registry/registry.h"
#include "core/opening/environment.h"
#include "core/session/session.h"
#include "core/services/tty/terminals.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
            effects_store(set, &option->entry->option, &option->value);
    }
}

/* A stack is opened, served and relayed as one. Of several values the highest layer's counts. */
struct opening_settings opening_stack_settings(const struct address *address)
{
    struct opening_settings set = default_settings;
    for (const struct address *level = address_lowest(address); level != NULL; level = level->upper)
        store_settings(&set, level);
    return set;
}

/* For an address itself its own values count. */
static void make_settings(struct modcat_opening *opening)
{
    opening->set = opening_stack_settings(opening->address);
    store_settings(&opening->set, opening->address);
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

struct modcat_opening *opening_for_peer(const struct modcat_opening *listening)
{
    struct modcat_opening *opening = memory_alloc(sizeof *opening);
    size_t count = listening->address->option_count;
    *opening = *listening;
    opening->used = memory_zeroed(count, sizeof *opening->used);
    memcpy(opening->used, listening->used, count * sizeof *opening->used);
    opening->failure = MODCAT_ERROR;
    opening->peer_name = NULL;
    if (opening->prepared != NULL)
        opening->prepared->users++;
    if (listening->above != NULL) {
        opening->above = opening_for_peer(listening->above);
        opening->above->below = opening;
    }
    opening->tty_changes = NULL;
    return opening;
}

static void drop_prepared(struct opening_prepared *prepared)
{
    if (prepared == NULL || --prepared->users > 0)
        return;
    if (prepared->release != NULL)
        prepared->release(prepared->state);
    free(prepared);
}

void opening_free(struct modcat_opening *opening)
{
    if (opening == NULL)
        return;
    opening_free(opening->above);
    drop_prepared(opening->prepared);
    free(opening->peer_name);
    terminals_drop_changes(opening);
    free(opening->used);
    free(opening);
}

/* Options that something else asks for, or that open(2) has taken. */
static bool waits_for_its_user(const struct modcat_option *option)
{
    return option->effect == MODCAT_FETCHED || option->effect == MODCAT_OPEN_FLAG;
}

/* With -s a failure is only logged. */
static int carry_out(struct modcat_opening *opening, size_t index, int fd)
{
    const struct address_option *option = &opening->address->options[index];
    int result = effects_carry_out(opening, fd, &option->entry->option, &option->value);
    return result < 0 && log_sloppy() ? 0 : result;
}

/* What the options of a phase want of a terminal, or of the process, is done at once. A process
 * that keeps rights which it was to give up never goes on. */
static int settle_phase(struct modcat_opening *opening)
{
    if (identity_settle(opening) < 0)
        return -1;
    return terminals_settle(opening) < 0 && !log_sloppy() ? -1 : 0;
}

int modcat_apply(struct modcat_opening *opening, enum modcat_phase phase, int fd)
{
    for (size_t i = 0; i < opening->address->option_count; i++) {
        const struct modcat_option *option = &opening->address->options[i].entry->option;
        if (opening->used[i] || option->phase != phase || waits_for_its_user(option))
            continue;
        opening->used[i] = true;
        int result = carry_out(opening, i, fd);
        if (result != 0)
            return result;
    }
    return settle_phase(opening);
}

/* Of two descriptors only one may be a terminal (`modcat -,rawer ... | tee log`). If none is, the
 * first one has to say so. */
static int terminal_of(int first, int second)
{
    return isatty(first) || !isatty(second) ? first : second;
}

/* An option of the process is carried out once, one of a descriptor on each descriptor. */
static int carry_out_on_both(struct modcat_opening *opening, size_t index,
                             const struct modcat_endpoint *endpoint)
{
    const char *groups = opening->address->options[index].entry->groups;
    int first = endpoint->read_fd >= 0 ? endpoint->read_fd : endpoint->write_fd;
    int second = endpoint->write_fd;
    bool once = second < 0 || second == first || words_list_has(groups, "PROCESS");
    if (!once && words_list_has(groups, "TERMIOS") && !(isatty(first) && isatty(second))) {
        first = terminal_of(first, second);
        once = true;
    }
    opening->used[index] = true;
    if (carry_out(opening, index, first) < 0)
        return -1;
    return once ? 0 : carry_out(opening, index, second);
}

static int carry_out_phases(struct modcat_opening *opening, struct modcat_endpoint *endpoint,
                            enum modcat_phase first, enum modcat_phase last)
{
    for (int phase = first; phase <= (int)last; phase++) {
        if (phase == MODCAT_PHASE_ACCEPT)
            continue;
        for (size_t i = 0; i < opening->address->option_count; i++) {
            const struct modcat_option *option = &opening->address->options[i].entry->option;
            if (opening->used[i] || (int)option->phase != phase || waits_for_its_user(option))
                continue;
            if (carry_out_on_both(opening, i, endpoint) < 0)
                return -1;
        }
        if (settle_phase(opening) < 0)
            return -1;
    }
    return 0;
}

int opening_settle(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    return carry_out_phases(opening, endpoint, MODCAT_PHASE_PREOPEN, MODCAT_PHASE_PASTFORK);
}

int opening_finish(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    return carry_out_phases(opening, endpoint, MODCAT_PHASE_PREOPEN, MODCAT_PHASE_LATE2);
}

int opening_report_unused(const struct modcat_opening *opening)
{
    int unused = 0;
    for (size_t i = 0; i < opening->address->option_count; i++) {
        if (opening->used[i])
            continue;
        log_error("option \"%s\" has no effect with %s: leave it out",
                  opening->address->options[i].name, opening->address->keyword);
        unused++;
    }
    return unused;
}

const struct modcat_value *modcat_option(struct modcat_opening *opening, const char *name)
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

bool opening_option_used(const struct modcat_opening *opening, const char *name)
{
    for (size_t i = 0; i < opening->address->option_count; i++)
        if (strcmp(opening->address->options[i].entry->option.name, name) == 0 && opening->used[i])
            return true;
    return false;
}

void modcat_ignore_option(struct modcat_opening *opening, const char *name)
{
    (void)modcat_option(opening, name);
}

void modcat_experimental(const struct modcat_opening *opening, const char *name)
{
    if (!opening->settings->experimental)
        log_warning("option \"%s\" is experimental; option --experimental accepts that", name);
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
        [MODCAT_READ] = "reading",
        [MODCAT_WRITE] = "writing",
        [MODCAT_READ | MODCAT_WRITE] = "reading and writing",
    };
    return names[opening->directions & (MODCAT_READ | MODCAT_WRITE)];
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
    environment_set_prefixed(opening->session->environment, name, plain);
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
    modcat_log(opening->failure, "%s: %s", opening->address->keyword, text);
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
