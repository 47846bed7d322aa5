/* What is opened: that wrong parameters are refused, that no descriptor is left behind or handed to
 * other programs, and that endpoints can be used and closed in any order. */

#define _GNU_SOURCE
#include "tools/driver-check/check.h"

#include "core/address/bind.h"
#include "core/base/memory.h"
#include "core/base/signals.h"
#include "core/registry/tables.h"
#include "core/relay/relay.h"
#include "core/serve/sides.h"
#include "core/session/session.h"
#include "tools/driver-check/process.h"
#include "tools/driver-check/steps.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 1024

/* Which descriptors are open. */
struct descriptors {
    bool open[DESCRIPTORS_MAX];
};

static void take_descriptors(struct descriptors *descriptors)
{
    *descriptors = (struct descriptors){0};
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        int fd = (int)strtol(entry->d_name, NULL, 10);
        if (entry->d_name[0] != '.' && fd < DESCRIPTORS_MAX && fd != dirfd(folder))
            descriptors->open[fd] = true;
    }
    closedir(folder);
}

static char *describe_descriptor(int fd)
{
    char path[40], target[200];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(path, target, sizeof target - 1);
    target[length > 0 ? length : 0] = '\0';
    return memory_format("%d (%s)", fd, target);
}

static void check_nothing_left(const struct descriptors *before)
{
    struct descriptors after;
    take_descriptors(&after);
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++) {
        if (after.open[fd] && !before->open[fd]) {
            AUTO_FREE char *shown = describe_descriptor(fd);
            fault("descriptor %s is left open", shown);
        }
        if (!after.open[fd] && before->open[fd])
            fault("descriptor %d is closed, and was not the driver's own", fd);
    }
}

static void check_close_on_exec(const struct descriptors *before)
{
    struct descriptors now;
    take_descriptors(&now);
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++) {
        if (!now.open[fd] || before->open[fd] || (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0)
            continue;
        AUTO_FREE char *shown = describe_descriptor(fd);
        fault("descriptor %s is not close-on-exec: every program that is started inherits it",
              shown);
    }
}

/* One way to use an address that is open: a letter for each step. */
struct order {
    const char *steps;
    const char *name;
};
static const struct order orders[] = {
    {"", "closes at once"},
    {"r", "reads, closes"},
    {"w", "writes, closes"},
    {"wr", "writes, reads, closes"},
    {"s", "half-closes, closes"},
    {"ss", "half-closes twice, closes"},
    {"sr", "half-closes, reads, closes"},
    {"wsr", "writes, half-closes, reads, closes"},
    {"fr", "writes until it is full, reads, closes"},
    {"fs", "writes until it is full, half-closes, closes"},
};

struct trial {
    struct example example;
    const struct order *order;
    bool may_fail; /* the address is a guess */
};

/* The other end gives back what it gets, until it is killed. */
static pid_t start_peer(struct subject *subject, const char *peer)
{
    struct address_pair *pairs[2];
    struct session session;
    pid_t parent = getpid();
    pid_t child = peer != NULL ? fork() : -1;
    if (child != 0)
        return child;
    pairs[0] = bind_argument(subject->registry, &subject->settings, peer);
    pairs[1] = bind_argument(subject->registry, &subject->settings, "PIPE");
    if (getppid() != parent || pairs[0] == NULL || pairs[1] == NULL)
        _exit(1);
    session_start(&session, &subject->settings, pairs, relay_log_statistics);
    if (sides_open(&session) == SESSION_OPEN)
        relay_run(&session);
    _exit(0);
}

static void end_peer(pid_t peer)
{
    if (peer <= 0)
        return;
    kill(peer, SIGKILL);
    waitpid(peer, NULL, 0);
}

/* An address that is shown below a message is no error of its own. */
static unsigned count_errors(const char *log)
{
    unsigned count = 0;
    for (const char *error = log; (error = strstr(error, " E ")) != NULL; error += 3)
        count += error[3] != ' ';
    return count;
}

/* What has failed, as it had to. */
static void judge_reports(const char *log)
{
    unsigned errors = count_errors(log);
    if (errors == 0)
        fault("it fails, and no error says why: report it with modcat_fail()");
    else if (errors > 1)
        fault("it reports %u errors: report each failure once, where it happened", errors);
}

/* What is not open must have said why. */
static void judge_failure(const struct trial *trial)
{
    AUTO_FREE char *log = run_logged();
    if (signals_ending() != 0)
        run_note(VERDICT_WAITS);
    else if (trial->example.must_fail)
        judge_reports(log);
    else if (!trial->may_fail)
        fault("it cannot be opened");
    else if (strstr(log, " E ") == NULL)
        fault("it cannot be opened, and no error says why");
    else
        run_note(VERDICT_CLOSED);
}

static bool has_descriptor(const struct opened *opened, int fd)
{
    for (; opened != NULL; opened = opened->lower)
        if (opened->endpoint != NULL &&
            (opened->endpoint->read_fd == fd || opened->endpoint->write_fd == fd))
            return true;
    return false;
}

/* Unless an address stands for it. */
static void check_output(const struct side *side)
{
    bool is_address = has_descriptor(&side->first, STDOUT_FILENO);
    if (!is_address && lseek(STDOUT_FILENO, 0, SEEK_END) > 0)
        fault("it writes to standard output, which is the user's: say it with modcat_log()");
}

static void check_descriptor(const char *name, int fd)
{
    if (fd >= 0 && fcntl(fd, F_GETFD) < 0)
        fault("%s %d is closed already: the program closes the descriptors of endpoints", name, fd);
}

/* What the program will close is still open. */
static void check_still_open(const struct side *side)
{
    for (const struct opened *level = &side->first; level != NULL; level = level->lower) {
        if (level->endpoint == NULL)
            continue;
        check_descriptor("read_fd", level->endpoint->read_fd);
        if (level->endpoint->write_fd != level->endpoint->read_fd)
            check_descriptor("write_fd", level->endpoint->write_fd);
    }
}

/* The right side of the session is only there: it is never opened. */
static void use(struct subject *subject, struct address_pair *pairs[2], const struct trial *trial)
{
    struct descriptors before;
    struct session session;
    struct process_state process;
    take_descriptors(&before);
    process_take(&process);
    session_start(&session, &subject->settings, pairs, relay_log_statistics);
    bool is_open = side_open(&session, &session.sides[0]) == SESSION_OPEN;
    if (is_open && trial->example.must_fail) {
        fault("it opens, though it is said to fail");
    } else if (is_open) {
        check_close_on_exec(&before);
        for (const char *step = trial->order->steps; *step != '\0'; step++)
            steps_take(&session, *step);
        check_still_open(&session.sides[0]);
        check_output(&session.sides[0]);
    } else {
        judge_failure(trial);
    }
    session_close(&session);
    check_nothing_left(&before);
    process_compare(&process);
    process_free(&process);
}

static void try_address(struct subject *subject, const void *argument)
{
    const struct trial *trial = argument;
    if (signals_start(subject->settings.signal_mask) < 0)
        return;
    pid_t peer = start_peer(subject, trial->example.peer);
    struct address_pair *pairs[2];
    for (int i = 0; i < 2; i++)
        pairs[i] = bind_argument(subject->registry, &subject->settings, trial->example.address);
    if (pairs[0] != NULL && pairs[1] != NULL)
        use(subject, pairs, trial);
    else if (trial->may_fail || trial->example.must_fail)
        judge_failure(trial);
    else
        fault("it is refused");
    end_peer(peer);
}

/* The type's name with so many parameters, which are all the same. */
static char *with_parameters(const char *name, unsigned count, const char *parameter)
{
    char *text = memory_copy_text(name);
    for (unsigned i = 0; i < count; i++) {
        char *longer = memory_format("%s:%s", text, parameter);
        free(text);
        text = longer;
    }
    return text;
}

static void expect_refused(struct subject *subject, const char *name, unsigned count)
{
    AUTO_FREE char *text = with_parameters(name, count, "1");
    struct address_pair *pair = bind_argument(subject->registry, &subject->settings, text);
    AUTO_FREE char *log = run_logged();
    if (pair != NULL)
        fault("%s is not refused", text);
    else if (strstr(log, " E ") == NULL)
        fault("%s is refused without a message", text);
    address_free(pair);
}

void check_parameters(struct subject *subject, const void *argument)
{
    (void)argument;
    if (!subject_load(subject))
        return;
    for (size_t i = 0; i < subject->driver.type_count; i++) {
        struct modcat_address_type type;
        tables_type(&subject->driver, i, &type);
        if (type.open == NULL && type.listen == NULL)
            continue;
        for (unsigned count = 0; count < type.min_params; count++)
            expect_refused(subject, type.name, count);
        expect_refused(subject, type.name, type.max_params + 1);
    }
}

/* Returns the number of checks that failed. One that does not open, waits for a peer or
 * hangs is not tried further. */
static unsigned try_orders(struct subject *subject, const struct example *example, bool may_fail,
                           size_t count)
{
    unsigned failed = 0;
    enum verdict verdict = VERDICT_OK;
    for (size_t i = 0; i < count && verdict < VERDICT_WAITS; i++) {
        const struct trial trial = {.example = *example, .order = &orders[i], .may_fail = may_fail};
        AUTO_FREE char *name =
            memory_format("%s: %s%s", example->address, may_fail ? "opens or fails cleanly, " : "",
                          example->must_fail ? "fails cleanly" : orders[i].name);
        verdict = run_check(subject, name, try_address, &trial);
        failed += has_failed(verdict);
    }
    return failed;
}

/* What can be tried without knowing the driver: it need not open, but has to fail as it should. A
 * type with parameters gets empty ones; a layer stands on a pipe. */
static unsigned try_type(struct subject *subject, const struct manifest_type *type)
{
    unsigned failed = 0;
    AUTO_FREE char *alone = with_parameters(type->name, type->min_params, "");
    AUTO_FREE char *stacked = with_parameters(type->name, type->layer_min_params, "");
    AUTO_FREE char *layer = memory_format("%s|PIPE", stacked);
    bool is_alone = !type->is_layer || type->max_params > 0 || type->layer_max_params == 0;
    if (is_alone)
        failed += try_orders(subject, &(struct example){.address = alone}, true,
                             type->min_params == 0 ? MODCAT_COUNT(orders) : 1);
    if (type->is_layer && registry_has_type(subject->registry, "PIPE"))
        failed +=
            try_orders(subject, &(struct example){.address = layer}, true, MODCAT_COUNT(orders));
    return failed;
}

/* The types of the driver, from the manifest: in this process it is not loaded. */
unsigned check_openings(struct subject *subject)
{
    unsigned failed = 0;
    const struct manifest *manifest;
    const char *path;
    for (size_t cursor = 0;
         (manifest = registry_next_driver(subject->registry, &cursor, &path)) != NULL;)
        for (size_t i = 0; i < manifest->type_count && strcmp(path, subject->path) == 0; i++)
            failed += try_type(subject, &manifest->types[i]);
    for (size_t i = 0; i < subject->example_count; i++)
        failed += try_orders(subject, &subject->examples[i], false,
                             subject->examples[i].must_fail ? 1 : MODCAT_COUNT(orders));
    return failed;
}
