/* Every type that carries a stream against every other, and every way in which a session can end:
 * bytes, exit status, time and the processor's time are what they should be. */

#define _GNU_SOURCE
#include "tests/system/endings.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What fits into any buffer. */
#define FEW ((size_t)3000)

/* As PAIR_QUIET, where a program has to be started meanwhile. */
#define PAIR_QUIET_START (2 * PAIR_QUIET)

/* What a slow peer reads and writes at a time. */
#define PIECE 8000
#define PIECE_OF_MESSAGES 20000

/* What the disk holds that gets full. */
#define DISK ((size_t)64 << 10)

/* They do not leave first. */
#define NOT_BACK (PAIR_BACK | STREAM_ENDLESS)

static const char *seconds(const struct pair *pair)
{
    return text(pair->harness, "%d.%03d", pair->quiet / 1000, pair->quiet % 1000);
}

/* After the first end, one that is endless ends when a short time is over. */
static const char *patience(const struct pair *pair)
{
    return stream_end_has(pair->other, STREAM_ENDLESS) ? seconds(pair) : "20";
}

static void open_patient(struct pair *pair)
{
    pair_open(pair, "-t", patience(pair), "", "");
}

/* What is endless otherwise ends after so many bytes. */
static void open_limited(struct pair *pair, const char *closing, size_t first, size_t other)
{
    stream_end_sends(pair->first, first);
    stream_end_sends(pair->other, other);
    pair_open(pair, "-t", closing, "", "");
}

/* The other one goes on. It is not told of the first one's end where it has no ends of one
 * direction. */
static const char *one_ends_first(struct pair *pair)
{
    bool told = !stream_end_has(pair->other, PAIR_WHOLE);
    struct flow *flow = &pair->flows[1];
    const char *doubt;

    open_limited(pair, "20", PAIR_BYTES, 2 * PAIR_BYTES);
    flow->open_end = true;
    pair->flows[0].open_end = !told;
    pair_move(pair);
    if (pair->flow_count == 1) {
        program_ends(pair->program, 0);
        return NULL;
    }
    if (!told)
        pair_stops_sending(pair, pair->first);
    doubt = pair_rest(pair, pair->quiet / 10);
    flow_go_on(flow, 2 * PAIR_BYTES, !told);
    flows_run(pair->harness, flow, 1);
    if (!told)
        stream_end_leave(pair->other);
    program_ends(pair->program, 0);
    return doubt;
}

static const char *one_leaves_first(struct pair *pair)
{
    open_patient(pair);
    pair_exchange(pair, PAIR_BYTES);
    pair_first_leaves(pair);
    program_ends(pair->program, 0);
    return NULL;
}

static const char *both_end_at_once(struct pair *pair)
{
    open_limited(pair, "20", PAIR_BYTES, PAIR_BYTES);
    if (pair_has(pair, PAIR_WHOLE)) {
        pair_exchange(pair, PAIR_BYTES);
        stream_end_leave(pair->first);
        stream_end_leave(pair->other);
    } else {
        pair_move(pair);
    }
    program_ends(pair->program, 0);
    return NULL;
}

/* What is under way to the first end is lost with it. */
static void other_is_told(struct pair *pair)
{
    struct flow *flow = &pair->flows[0];

    if (stream_end_has(pair->other, PAIR_BACK))
        return;
    flow_go_on(flow, flow->sent, false);
    flow->write_ended = flow->may_be_cut = true;
    flows_run(pair->harness, flow, 1);
    stream_end_leave(pair->other);
}

/* A UNIX socket that is closed with something unread resets its connection. */
static void leave_something_unread(struct pair *pair)
{
    struct pollfd ready = {pair->first->read_fd, POLLIN, 0};

    peer_send(pair->harness, pair_incoming(pair)->write_fd, "unread");
    if (poll(&ready, 1, PATIENCE) <= 0)
        harness_fail(pair->harness, "nothing comes in");
}

static void break_connection(struct pair *pair)
{
    if (pair->first->helper != NULL)
        program_signal(pair->first->helper, SIGKILL);
    peer_reset(pair->harness, pair->first->read_fd);
}

static const char *reset_at_rest(struct pair *pair)
{
    open_patient(pair);
    pair_exchange(pair, PAIR_BYTES);
    leave_something_unread(pair);
    break_connection(pair);
    other_is_told(pair);
    assert_true(pair->flows[0].received >= PAIR_BYTES);
    program_ends_logging(pair->program, 1, " E ");
    return NULL;
}

static const char *small_buffers(const struct stream_end *end)
{
    return stream_end_has(end, STREAM_RESETS) ? ",sndbuf=65536,rcvbuf=65536" : "";
}

/* Little fits into what is between the ends; and both read and write little at a time, unless what
 * they read comes in one piece. */
static void open_narrow(struct pair *pair, const char *closing)
{
    size_t piece = pair_has(pair, STREAM_MESSAGES) ? PIECE_OF_MESSAGES : PIECE;
    const int size = 65536;

    pair_open(pair, "-t", closing, small_buffers(pair->first), small_buffers(pair->other));
    for (size_t i = 0; i < pair->flow_count; i++) {
        setsockopt(pair->flows[i].write_fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        pair->flows[i].piece = piece;
    }
}

/* Sends until all buffers on the way are full. */
static void fill_up(struct pair *pair, struct flow *flow)
{
    flow_go_on(flow, SIZE_MAX, true);
    flow_push_for(pair->harness, flow, PAIR_QUIET / 4);
}

static const char *reset_under_load(struct pair *pair)
{
    open_narrow(pair, "20");
    pair_exchange(pair, PAIR_BYTES);
    fill_up(pair, pair_incoming(pair));
    break_connection(pair);
    other_is_told(pair);
    program_ends_logging(pair->program, 1, " E ");
    return NULL;
}

/* How the program tells of a new process, whose number follows. So do its children. */
static const char *words_of_fork(const struct pair *pair)
{
    return text(pair->harness, "[%d] N forked off child process ", (int)program_pid(pair->program));
}

/* The first process that the program has started, or the last. */
static pid_t child_of(struct pair *pair, bool last)
{
    const char *words = words_of_fork(pair);
    const char *line = strstr(program_log(pair->program), words);

    if (line == NULL)
        line = strstr(program_logs(pair->program, words), words);
    for (const char *next = line; last && next != NULL; next = strstr(line + 1, words))
        line = next;
    return (pid_t)strtol(line + strlen(words), NULL, 10);
}

/* The left end is opened first. */
static pid_t program_of(struct pair *pair)
{
    return child_of(pair, pair->first == &pair->ends[1]);
}

static void kill_the_first_ends_program(struct pair *pair)
{
    kill(program_of(pair), SIGKILL);
    if (stream_end_has(pair->other, PAIR_WHOLE))
        stream_end_leave(pair->other);
    else
        other_is_told(pair);
    program_ends_logging(pair->program, 1, " W waitpid(): child * exited on signal 9");
}

static const char *child_killed_at_rest(struct pair *pair)
{
    open_patient(pair);
    pair_exchange(pair, PAIR_BYTES);
    kill_the_first_ends_program(pair);
    assert_int_equal(pair->flows[0].received, PAIR_BYTES);
    return NULL;
}

/* A terminal that nobody has open any more does not take the rest, and does not fail either. */
static const char *child_killed_under_load(struct pair *pair)
{
    bool terminal = stream_end_has(pair->first, PAIR_TERMINAL);

    open_narrow(pair, terminal ? seconds(pair) : patience(pair));
    pair_exchange(pair, PAIR_BYTES);
    fill_up(pair, pair_incoming(pair));
    kill_the_first_ends_program(pair);
    return NULL;
}

/* The listener has it too. */
static bool is_inherited(const struct stream_end *end)
{
    return end->given > 0 || end->standard[0] > 0 || end->standard[1] > 0 || end->standard[2] > 0;
}

/* The listener goes on. It has what was opened before it, and all of its sessions share that. */
static const char *session_killed(struct pair *pair)
{
    bool is_right = pair->first == &pair->ends[1];
    size_t children = is_right && stream_end_has(pair->other, STREAM_PROGRAM) ? 1 : 0;

    /* One that is hosted has no process to kill. */
    if (sessions_are_hosted() && !is_right)
        return NULL;
    pair_open(pair, "-t", "20", ",fork", "");
    pair_exchange(pair, PAIR_BYTES);
    kill(program_of(pair), SIGKILL);
    pair_reaches_end(pair, pair->first);
    if (!is_right && !is_inherited(pair->other))
        pair_reaches_end(pair, pair->other);
    process_awaits_children(pair->harness, program_pid(pair->program), children);
    program_signal(pair->program, SIGTERM);
    program_ends(pair->program, 143);
    return NULL;
}

static void lasted_long_enough(struct pair *pair, long long began)
{
    if (milliseconds() - began < pair->quiet)
        harness_fail(pair->harness, "it ended before its time");
}

static const char *closing_time_expires(struct pair *pair)
{
    const char *doubt;
    long long began;

    open_limited(pair, seconds(pair), PAIR_BYTES + FEW, SIZE_MAX / 2);
    pair_exchange(pair, PAIR_BYTES);
    began = milliseconds();
    flow_go_on(&pair->flows[0], PAIR_BYTES + FEW, true);
    flows_run(pair->harness, &pair->flows[0], 1);
    pair_stops_sending(pair, pair->first);
    doubt = pair_rest(pair, pair->quiet / 2);
    program_ends(pair->program, 0);
    lasted_long_enough(pair, began);
    pair_reaches_end(pair, pair->other);
    if (!stream_end_has(pair->first, PAIR_WHOLE))
        pair_reaches_end(pair, pair->first);
    return doubt;
}

static bool all_has_come(const struct pair *pair, size_t length)
{
    for (size_t i = 0; i < pair->flow_count; i++)
        if (pair->flows[i].received < length)
            return false;
    return true;
}

/* One that ends before it has connected does not fail the test. */
static void attach_in_time(struct stream_end *end, struct program *program)
{
    int pidfd = (int)syscall(SYS_pidfd_open, program_pid(program), 0);
    struct pollfd ready[] = {{end->read_fd, POLLIN, 0}, {pidfd, POLLIN, 0}};

    poll(ready, 2, PATIENCE);
    close(pidfd);
    end->read_fd = ready[0].revents != 0 ? peer_accept(end->harness, end->read_fd) : -1;
    end->write_fd = end->read_fd;
}

static bool is_attached(const struct stream_end *end)
{
    return stream_end_has(end, PAIR_BACK) || (end->read_fd >= 0 && end->write_fd >= 0);
}

static void attach_programs_in_time(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        struct stream_end *end = &pair->ends[i];
        struct stream_kind *kind;
        if (!stream_end_has(end, STREAM_PROGRAM))
            continue;
        kind = memory(pair->harness, sizeof *kind);
        *kind = *end->kind;
        kind->attach = attach_in_time;
        end->kind = kind;
    }
}

/* A program may not have connected with the test before that time is over. */
static const char *inactivity_expires(struct pair *pair)
{
    const char *doubt;
    long long began = milliseconds();

    if (pair_has(pair, STREAM_PROGRAM) && pair->quiet < PAIR_QUIET_START)
        pair->quiet = PAIR_QUIET_START;
    attach_programs_in_time(pair);
    pair_open(pair, "-T", seconds(pair), "", "");
    if (!is_attached(pair->first) || !is_attached(pair->other))
        return "a program was not connected in time";
    pair->flows[0].may_be_cut = pair->flows[1].may_be_cut = true;
    pair_exchange(pair, FEW);
    if (milliseconds() - began < pair->quiet)
        assert_true(all_has_come(pair, FEW));
    doubt = pair_rest(pair, pair->quiet / 2);
    pair_reaches_end(pair, pair->first);
    pair_reaches_end(pair, pair->other);
    program_ends_logging(pair->program, 0, " N inactivity timeout triggered");
    lasted_long_enough(pair, began);
    return all_has_come(pair, FEW) ? doubt : "nothing came in for too long";
}

static const char *readbytes_option(const struct pair *pair)
{
    return text(pair->harness, ",readbytes=%zu", PAIR_BYTES);
}

static void other_goes_on(struct pair *pair, size_t length)
{
    flow_go_on(&pair->flows[1], length, true);
    flows_run(pair->harness, &pair->flows[1], 1);
}

/* What is behind the bytes that are read is not. With what gives back there is nothing left to do
 * after them: a program is ended that has not passed on all yet, and what is in a terminal is lost
 * when that is closed. */
static const char *readbytes(struct pair *pair)
{
    bool back = stream_end_has(pair->other, PAIR_BACK);

    pair_open(pair, "-t", patience(pair), readbytes_option(pair), "");
    pair->flows[0].may_be_cut = back && stream_end_has(pair->first, STREAM_PROGRAM | PAIR_WHOLE);
    if (stream_end_has(pair->other, STREAM_ENDLESS))
        other_goes_on(pair, PAIR_BYTES);
    pair_exchange(pair, PAIR_BYTES);
    if (!back)
        peer_send(pair->harness, pair->first->write_fd, "too much");
    if (!stream_end_has(pair->other, PAIR_WHOLE))
        pair_reaches_end(pair, pair->other);
    if (!stream_end_has(pair->other, NOT_BACK)) {
        other_goes_on(pair, 2 * PAIR_BYTES);
        pair_stops_sending(pair, pair->other);
    }
    pair_reaches_end(pair, pair->first);
    stream_end_leave(pair->first);
    program_ends(pair->program, 0);
    return NULL;
}

/* Nobody reads what is sent from then on, so that there is nothing left to do. */
static const char *readbytes_given_back(struct pair *pair)
{
    pair_open(pair, "-t", "20", "", readbytes_option(pair));
    pair->flows[0].may_be_cut = stream_end_has(pair->first, PAIR_WHOLE);
    pair_exchange(pair, PAIR_BYTES);
    if (!stream_end_has(pair->first, PAIR_WHOLE))
        pair_reaches_end(pair, pair->first);
    stream_end_leave(pair->first);
    program_ends(pair->program, 0);
    return NULL;
}

static const char *slow_peers(struct pair *pair)
{
    bool leaves = pair_has(pair, PAIR_WHOLE | STREAM_ENDLESS);
    const char *doubt;

    open_narrow(pair, patience(pair));
    for (size_t i = 0; i < pair->flow_count; i++)
        fill_up(pair, &pair->flows[i]);
    doubt = pair_rest(pair, pair->quiet / 4);
    for (size_t i = 0; i < pair->flow_count; i++)
        flow_go_on(&pair->flows[i], pair->flows[i].sent + FEW, leaves);
    pair_move(pair);
    if (leaves)
        pair_first_leaves(pair);
    program_ends(pair->program, 0);
    return doubt;
}

/* Not the first: what gives back does nothing by itself, what is endless does not see that somebody
 * leaves, and what is whole can't end one direction. Not the other one: what gives back has no end
 * that could come at the same time or be waited for, and a listener in a session of another one
 * can't be told from that by what is logged. */
static const struct way ways[] = {
    {"the left one ends first", one_ends_first, 0, 0, PAIR_BACK | PAIR_WHOLE, 0},
    {"the right one ends first", one_ends_first, 1, 0, PAIR_BACK | PAIR_WHOLE, 0},
    {"the left one leaves first", one_leaves_first, 0, 0, NOT_BACK, 0},
    {"the right one leaves first", one_leaves_first, 1, 0, NOT_BACK, 0},
    {"both end at once", both_end_at_once, 0, 0, PAIR_BACK, PAIR_BACK},
    {"the left one is reset at rest", reset_at_rest, 0, STREAM_RESETS, 0, 0},
    {"the right one is reset at rest", reset_at_rest, 1, STREAM_RESETS, 0, 0},
    {"the left one is reset under load", reset_under_load, 0, STREAM_RESETS, 0, 0},
    {"the right one is reset under load", reset_under_load, 1, STREAM_RESETS, 0, 0},
    {"the left program is killed at rest", child_killed_at_rest, 0, STREAM_PROGRAM, 0, 0},
    {"the right program is killed at rest", child_killed_at_rest, 1, STREAM_PROGRAM, 0, 0},
    {"the left program is killed under load", child_killed_under_load, 0, STREAM_PROGRAM, 0, 0},
    {"the right program is killed under load", child_killed_under_load, 1, STREAM_PROGRAM, 0, 0},
    {"the left session is killed", session_killed, 0, STREAM_FORKS, 0, STREAM_FORKS},
    {"the right session is killed", session_killed, 1, STREAM_FORKS, 0, 0},
    {"the closing time expires after the left end", closing_time_expires, 0, 0, PAIR_BACK,
     PAIR_BACK},
    {"the closing time expires after the right end", closing_time_expires, 1, 0, PAIR_BACK,
     PAIR_BACK},
    {"the inactivity time expires", inactivity_expires, EITHER, 0, PAIR_BACK, 0},
    {"the left one's bytes are read up to a number", readbytes, 0, 0, PAIR_BACK, 0},
    {"the right one's bytes are read up to a number", readbytes, 1, 0, PAIR_BACK, 0},
    {"what is given back is read up to a number", readbytes_given_back, EITHER, 0, PAIR_BACK,
     ~PAIR_BACK},
    {"the peers are slow", slow_peers, EITHER, 0, NOT_BACK, 0},
};
#define WAYS (sizeof ways / sizeof ways[0])

/* Files on a disk of their own, which gets full. */

static bool has_disk;

static const char *file_on_disk(struct stream_end *end)
{
    const char *folder = path(end->harness, "disk");

    end->read_fd = end->write_fd = -1;
    if (mkdir(folder, 0700) < 0 ||
        mount("disk", folder, "tmpfs", 0, text(end->harness, "size=%zu", DISK)) < 0)
        harness_fail(end->harness, "can't mount %s: %s", folder, strerror(errno));
    return text(end->harness, "%s:%s/file%s", end->kind->types, folder, end->kind->options);
}

static const char *full_device(struct stream_end *end)
{
    end->read_fd = end->write_fd = -1;
    return text(end->harness, "%s:/dev/full", end->kind->types);
}

static const struct stream_kind files[] = {
    {.types = "CREATE", .options = "", .prepare = file_on_disk},
    {.types = "OPEN", .options = ",creat", .prepare = file_on_disk},
    {.types = "OPEN", .options = ",creat,append", .prepare = file_on_disk},
    {.types = "GOPEN", .options = "", .prepare = file_on_disk},
    {.types = "OPEN", .options = "", .prepare = full_device},
    {.types = "GOPEN", .options = "", .prepare = full_device},
};
#define FILES (sizeof files / sizeof files[0])
#define DISK_FILES 4

/* All that the disk holds is the beginning of what was sent. */
static void compare_disk(struct pair *pair)
{
    const char *folder = path(pair->harness, "disk");
    struct flow *flow = &pair->flows[0];
    int fd = open(text(pair->harness, "%s/file", folder), O_RDONLY | O_CLOEXEC);

    flow->read_fd = fd;
    flow->read_ended = false;
    flows_run(pair->harness, flow, 1);
    close(fd);
    umount(folder);
    if (flow->received != DISK)
        harness_fail(pair->harness, "%zu bytes are on the disk", flow->received);
}

static const char *file_gets_full(struct pair *pair)
{
    struct flow *flow = &pair->flows[0];

    pair_open(pair, pair->way->first == 0 ? "-u" : "-U", "-d", "", "");
    flow->length = 4 * DISK;
    flow->open_end = flow->may_be_cut = flow->read_ended = true;
    flows_run(pair->harness, flow, 1);
    program_ends_logging(pair->program, 1, " E cannot write to *: No space left on device [write(");
    if (pair->other->kind->prepare == file_on_disk)
        compare_disk(pair);
    return NULL;
}

static const struct way full_ways[] = {
    {"the file on the right gets full", file_gets_full, 0, 0, PAIR_BACK, 0},
    {"the file on the left gets full", file_gets_full, 1, 0, PAIR_BACK, 0},
};
#define FULL_WAYS (sizeof full_ways / sizeof full_ways[0])

/* What is mounted from now on is seen by nobody else. */
static bool own_mounts(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* Thousands of sockets and folders are made and removed by many at a time: in memory, that is a
 * fraction of the work. */
static char *folder;

static int begin(void **state)
{
    const char *parent = getenv("TMPDIR");

    if (!has_disk)
        return endings_begin(state);
    if (asprintf(&folder, "%s/modcat-ends-XXXXXX", parent != NULL ? parent : "/tmp") < 0 ||
        mkdtemp(folder) == NULL || mount("ends", folder, "tmpfs", 0, "mode=0700") < 0)
        return -1;
    setenv("TMPDIR", folder, 1);
    return endings_begin(state);
}

static int end(void **state)
{
    int result = endings_end(state);

    if (folder != NULL) {
        umount2(folder, MNT_DETACH);
        rmdir(folder);
        free(folder);
    }
    return result;
}

static void ends_well(void **state)
{
    const struct way *way = *state;
    endings_run(way, (size_t)(way - ways));
}

/* Disks stand in front. */
static void ends_when_full(void **state)
{
    if (has_disk)
        endings_run_files(*state, files, FILES);
    else
        endings_run_files(*state, files + DISK_FILES, FILES - DISK_FILES);
}

static struct CMUnitTest test_of(const struct way *tested, CMUnitTestFunction function)
{
    return (struct CMUnitTest){
        .name = tested->name, .test_func = function, .initial_state = (void *)(uintptr_t)tested};
}

int main(void)
{
    struct CMUnitTest tests[WAYS + FULL_WAYS];

    has_disk = own_mounts();
    if (!has_disk)
        print_message("no disk gets full: mounting one takes privileges\n");
    for (size_t i = 0; i < WAYS; i++)
        tests[i] = test_of(&ways[i], ends_well);
    for (size_t i = 0; i < FULL_WAYS; i++)
        tests[WAYS + i] = test_of(&full_ways[i], ends_when_full);
    return cmocka_run_group_tests_name("ends matrix", tests, begin, end);
}
