#define _GNU_SOURCE
#include "core/services/process/exec.h"

#include "core/base/limits.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/signals.h"
#include "core/base/words.h"
#include "core/opening/environment.h"
#include "core/opening/session_state.h"
#include "core/options/effects.h"
#include "core/options/identity.h"
#include "core/registry/registry.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Options of these groups are about the program and not about the endpoint. Those of earlier
 * phases have been carried out before, for the program and us. */
static bool is_for_child(const struct address_option *option, enum modcat_phase phase)
{
    const char *groups = option->entry->groups;
    return option->entry->option.phase == phase && option->entry->option.effect != MODCAT_FETCHED &&
           (words_list_has(groups, "PROCESS") || words_list_has(groups, "FORK") ||
            words_list_has(groups, "EXEC") ||
            (phase == MODCAT_PHASE_LATE2 && words_list_has(groups, "TERMIOS")));
}

/* With -s a failure is only logged. */
static int carry_out(struct modcat_opening *opening, int fd, const struct address_option *option)
{
    int result = effects_carry_out(opening, fd, &option->entry->option, &option->value);
    return result < 0 && !log_sloppy() ? -1 : 0;
}

static int carry_out_phase(struct modcat_opening *opening, enum modcat_phase phase, int fd)
{
    for (size_t i = 0; i < opening->address->option_count; i++) {
        const struct address_option *option = &opening->address->options[i];
        if (!is_for_child(option, phase) || opening->used[i])
            continue;
        opening->used[i] = true;
        if (carry_out(opening, fd, option) < 0)
            return -1;
    }
    return identity_settle(opening);
}

/* The user of su-d is the program's, not ours: others of the session may need our rights. */
static int carry_out_options(struct modcat_opening *opening, int fd)
{
    if (carry_out_phase(opening, MODCAT_PHASE_LATE, fd) < 0 ||
        carry_out_phase(opening, MODCAT_PHASE_LATE2, fd) < 0)
        return -1;
    if (opening->set.delayed_account == NULL)
        return 0;
    return identity_take(opening, opening->set.delayed_account);
}

void child_take_options(struct modcat_opening *opening)
{
    for (size_t i = 0; i < opening->address->option_count; i++)
        if (is_for_child(&opening->address->options[i], MODCAT_PHASE_LATE) ||
            is_for_child(&opening->address->options[i], MODCAT_PHASE_LATE2))
            opening->used[i] = true;
    opening->set.delayed_account = NULL;
}

static int set_variable(const char *variable)
{
    const char *equals = strchr(variable, '=');
    if (equals == NULL) {
        errno = EINVAL;
        return -1;
    }
    AUTO_FREE char *name = memory_copy_span(variable, (size_t)(equals - variable));
    return setenv(name, equals + 1, 1);
}

static int set_environment(const struct child *child)
{
    const char *const *added = child->program->environment;
    if (environment_apply(child->opening->session->environment) < 0)
        return modcat_fail_call(child->opening, "set the program's environment", NULL, NULL,
                                "setenv()");
    for (; added != NULL && *added != NULL; added++)
        if (set_variable(*added) < 0)
            return modcat_fail_call(child->opening, "set the program's environment", NULL, NULL,
                                    "setenv(\"%s\")", *added);
    return 0;
}

/* Our descriptors, out of the way of those that the program gets. */
struct aside {
    int in, out;
    int standard_error; /* for messages, should exec(3) fail */
};

int child_first_free(const struct child *child)
{
    int highest = child->fdin > child->fdout ? child->fdin : child->fdout;
    return highest > STDERR_FILENO ? highest + 1 : STDERR_FILENO + 1;
}

static int move_aside(const struct child *child, int fd, int *aside)
{
    int lowest = child_first_free(child);
    *aside = -1;
    if (fd < 0)
        return 0;
    *aside = fcntl(fd, F_DUPFD_CLOEXEC, lowest);
    if (*aside >= 0)
        return 0;
    return modcat_fail_call(child->opening, "connect the program", NULL, NULL,
                            "fcntl(%d, F_DUPFD_CLOEXEC, %d)", fd, lowest);
}

static int put(const struct child *child, int fd, int number)
{
    if (fd < 0 || dup2(fd, number) >= 0)
        return 0;
    return modcat_fail_call(child->opening, "connect the program", NULL, NULL, "dup2(%d, %d)", fd,
                            number);
}

static int connect_descriptors(const struct child *child, struct aside *aside)
{
    if (move_aside(child, child->in, &aside->in) < 0 ||
        move_aside(child, child->out, &aside->out) < 0 ||
        move_aside(child, STDERR_FILENO, &aside->standard_error) < 0)
        return -1;
    if (put(child, aside->in, child->fdin) < 0 || put(child, aside->out, child->fdout) < 0)
        return -1;
    return child->to_stderr ? put(child, aside->out, STDERR_FILENO) : 0;
}

/* `"NAME", "ARGUMENT", ...`, to be freed. */
static char *quoted(const char *const *arguments)
{
    char *list = memory_format("\"%s\"", arguments[0] != NULL ? arguments[0] : "");
    for (size_t i = 1; arguments[0] != NULL && arguments[i] != NULL; i++) {
        char *longer = memory_format("%s, \"%s\"", list, arguments[i]);
        free(list);
        list = longer;
    }
    return list;
}

static int exec_failed(const struct child *child, const struct aside *aside)
{
    int error = errno;
    AUTO_FREE char *arguments = quoted(child->program->arguments);
    dup2(aside->standard_error, STDERR_FILENO);
    errno = error;
    return modcat_fail_call(child->opening, "run", child->program->file, NULL, "execvp(\"%s\", %s)",
                            child->program->file, arguments);
}

/* Writing to a closed pipe ends programs, whatever whoever started us thought of it. A script that
 * runs us in the background has SIGINT and SIGQUIT ignored for us; a program that takes them from
 * us (sigint, sigquit) would never see them. */
static int execute(const struct child *child)
{
    struct aside aside;
    log_info("notifying parent that child process is ready");
    log_notice("execvp'ing \"%s\"", child->program->file);
    if (connect_descriptors(child, &aside) < 0)
        return -1;
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    execvp(child->program->file, (char *const *)child->program->arguments);
    return exec_failed(child, &aside);
}

int child_become_program(const struct child *child)
{
    int fd = child->in >= 0 ? child->in : child->out;
    signals_restore();
    limits_restore();
    if (carry_out_options(child->opening, fd) < 0 || set_environment(child) < 0)
        return -1;
    return execute(child);
}
