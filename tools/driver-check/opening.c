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
#include "core/session/endpoint.h"
#include "core/session/halfclose.h"
#include "core/session/session.h"
#include "tools/driver-check/process.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 1024
#define FILL_MAX (256 * 1024)

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

/* Returns true when the endpoint is ready, or says that it need not be waited for. */
static bool is_ready(struct opened *opened, unsigned direction)
{
    struct modcat_endpoint *endpoint = opened->endpoint;
    if (direction == MODCAT_DIR_READ && endpoint_pending(endpoint))
        return true;
    short wants = endpoint_wants(endpoint, direction);
    if ((wants & (POLLIN | POLLOUT)) == 0)
        fault("`wants` names neither POLLIN nor POLLOUT");
    return modcat_wait(opened->opening, endpoint_fd(endpoint, wants), wants,
                       modcat_deadline(MODCAT_SECOND / 10)) > 0;
}

static bool may_wait(const struct opened *opened)
{
    const struct address *address = opened->opening->address;
    return (address->type->type.flags & MODCAT_TYPE_WAITS) != 0;
}

static void step_read(struct session *session)
{
    char bytes[2][5] = {{0}, {'k', 'e', 'p', 't', '\0'}};
    struct opened *reader = side_reader(&session->sides[0]);
    if (reader == NULL || !is_ready(reader, MODCAT_DIR_READ))
        return;
    struct modcat_endpoint *endpoint = reader->endpoint;
    bool own = endpoint->ops != NULL && endpoint->ops->read != NULL;
    long long began = process_call_begins();
    errno = 0;
    ssize_t count = own ? endpoint->ops->read(endpoint, bytes[0], sizeof bytes[0])
                        : read(endpoint->read_fd, bytes[0], sizeof bytes[0]);
    if (own && !may_wait(reader))
        process_call_ends("read", began);
    if (count > (ssize_t)sizeof bytes[0])
        fault("`read` returned %zd for a buffer of %zu bytes", count, sizeof bytes[0]);
    if (count < 0 && errno == 0)
        fault("`read` failed without errno");
    if (memcmp(bytes[1], "kept", 5) != 0)
        fault("`read` wrote beyond its buffer");
}

/* Returns false when nothing more can be written. */
static bool write_some(struct opened *writer, const char *data, size_t length)
{
    struct modcat_endpoint *endpoint = writer->endpoint;
    bool own = endpoint->ops != NULL && endpoint->ops->write != NULL;
    long long began = process_call_begins();
    errno = 0;
    ssize_t count = own ? endpoint->ops->write(endpoint, data, length)
                        : write(endpoint->write_fd, data, length);
    if (own && !may_wait(writer))
        process_call_ends("write", began);
    if (count > (ssize_t)length)
        fault("`write` returned %zd for %zu bytes", count, length);
    if (count < 0 && errno == 0)
        fault("`write` failed without errno");
    if (count == 0)
        fault("`write` took nothing and did not say EAGAIN");
    return count > 0;
}

static void step_write(struct session *session)
{
    struct opened *writer = side_writer(&session->sides[0]);
    if (writer != NULL && is_ready(writer, MODCAT_DIR_WRITE))
        write_some(writer, "modcat\n", 7);
}

static void step_fill(struct session *session)
{
    static const char block[4096];
    struct opened *writer = side_writer(&session->sides[0]);
    for (size_t sum = 0; writer != NULL && sum < FILL_MAX; sum += sizeof block)
        if (!is_ready(writer, MODCAT_DIR_WRITE) || !write_some(writer, block, sizeof block))
            return;
}

static void step_half_close(struct session *session)
{
    struct opened *writer = side_writer(&session->sides[0]);
    if (writer != NULL)
        halfclose_sink(writer);
}

static void take_step(struct session *session, char step)
{
    static const struct {
        char letter;
        void (*take)(struct session *session);
    } steps[] = {{'r', step_read}, {'w', step_write}, {'f', step_fill}, {'s', step_half_close}};
    for (size_t i = 0; i < MODCAT_COUNT(steps); i++)
        if (steps[i].letter == step)
            steps[i].take(session);
}

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

/* What is not open must have said why. */
static void judge_failure(const struct trial *trial)
{
    AUTO_FREE char *log = run_logged();
    if (signals_ending() != 0)
        run_note(VERDICT_WAITS);
    else if (!trial->may_fail)
        fault("it cannot be opened");
    else if (strstr(log, " E ") == NULL)
        fault("it cannot be opened, and no error says why");
    else
        run_note(VERDICT_CLOSED);
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
    if (side_open(&session, &session.sides[0]) == SESSION_OPEN) {
        check_close_on_exec(&before);
        for (const char *step = trial->order->steps; *step != '\0'; step++)
            take_step(&session, *step);
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
    else if (trial->may_fail)
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
                          orders[i].name);
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
        failed += try_orders(subject, &subject->examples[i], false, MODCAT_COUNT(orders));
    return failed;
}
