/* Which options are carried out when, and on which descriptor. */

#define _GNU_SOURCE
#include "core/options/apply.h"

#include "core/base/log.h"
#include "core/base/words.h"
#include "core/options/effects.h"
#include "core/options/identity.h"
#include "core/registry/registry.h"
#include "core/values/groups.h"
#include <unistd.h>

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
    const struct phase_work *work = opening->phase_work;
    return work != NULL && work->finish(opening) < 0 && !log_sloppy() ? -1 : 0;
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
                            enum modcat_phase last)
{
    enum modcat_phase phase = MODCAT_PHASE_EARLY;
    while (groups_next_phase(&phase, last)) {
        if (phase == MODCAT_PHASE_ACCEPT)
            continue;
        for (size_t i = 0; i < opening->address->option_count; i++) {
            const struct modcat_option *option = &opening->address->options[i].entry->option;
            if (opening->used[i] || option->phase != phase || waits_for_its_user(option))
                continue;
            if (carry_out_on_both(opening, i, endpoint) < 0)
                return -1;
        }
        if (settle_phase(opening) < 0)
            return -1;
    }
    return 0;
}

int apply_settle(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    return carry_out_phases(opening, endpoint, MODCAT_PHASE_CONNECTED);
}

int apply_finish(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    return carry_out_phases(opening, endpoint, MODCAT_PHASE_LATE2);
}

int apply_report_unused(const struct modcat_opening *opening)
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
