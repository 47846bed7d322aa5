/* POSIX message queues: boundaries, priorities, sizes, and one message for each process. */

#define _GNU_SOURCE
#include "tests/system/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A queue of the test's own, for 10 messages of this size; it is removed with queue_remove(). */
struct queue {
    mqd_t descriptor;
    char name[48];
};

static struct queue queue_make(struct harness *harness, long size)
{
    struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = size};
    struct queue queue;
    snprintf(queue.name, sizeof queue.name, "/modcat-test-%d", (int)getpid());
    mq_unlink(queue.name);
    queue.descriptor = mq_open(queue.name, O_RDWR | O_CREAT | O_CLOEXEC, 0600, &attributes);
    if (queue.descriptor < 0)
        harness_fail(harness, "mq_open(\"%s\"): %s", queue.name, strerror(errno));
    harness_keep(harness, queue.descriptor);
    return queue;
}

/* The name stays free for the test: what the program opens afterwards it makes itself. */
static struct queue queue_name(void)
{
    struct queue queue = {.descriptor = -1};
    snprintf(queue.name, sizeof queue.name, "/modcat-test-%d", (int)getpid());
    mq_unlink(queue.name);
    return queue;
}

static void queue_remove(const struct queue *queue)
{
    mq_unlink(queue->name);
}

static bool queue_exists(const struct queue *queue)
{
    mqd_t descriptor = mq_open(queue->name, O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0)
        mq_close(descriptor);
    return descriptor >= 0;
}

static const char *address(struct harness *harness, const char *type, const struct queue *queue,
                           const char *options)
{
    return text(harness, "%s:%s%s", type, queue->name, options);
}

static void put(const struct queue *queue, const char *message, unsigned priority)
{
    assert_int_equal(mq_send(queue->descriptor, message, strlen(message), priority), 0);
}

static void expect(struct harness *harness, const struct queue *queue, const char *message,
                   unsigned wanted)
{
    char buffer[16384];
    unsigned priority;
    struct pollfd ready = {.fd = queue->descriptor, .events = POLLIN};
    if (poll(&ready, 1, PATIENCE) != 1)
        harness_fail(harness, "message \"%s\" does not come", message);
    ssize_t count = mq_receive(queue->descriptor, buffer, sizeof buffer, &priority);
    assert_int_equal(count, strlen(message));
    assert_memory_equal(buffer, message, (size_t)count);
    assert_int_equal(priority, wanted);
}

static void sends_with_the_priority_that_is_asked_for(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_make(harness, 100);
    struct program *program = program_start(
        harness, "-u", "-", address(harness, "POSIXMQ-SEND", &queue, ",mq-prio=31000"), NULL);

    program_send(program, "urgent");
    expect(harness, &queue, "urgent", 31000);
    program_end_input(program);
    program_ends(program, 0);
    queue_remove(&queue);
}

static void reads_messages_until_it_is_told_to_end(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_make(harness, 100);

    put(&queue, "low ", 1);
    put(&queue, "high ", 9);
    put(&queue, "", 0);
    struct program *program = program_start(
        harness, "-u", address(harness, "POSIXMQ-READ", &queue, ",unlink-close"), "-", NULL);
    program_outputs(program, "high low ");
    put(&queue, "later", 0);
    program_outputs(program, "later");
    program_signal(program, SIGTERM);
    program_ends(program, 143);
    assert_false(queue_exists(&queue));
}

static void an_empty_message_is_not_the_end(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_make(harness, 100);
    struct program *program =
        program_start(harness, "-u", address(harness, "POSIXMQ-READ", &queue, ""), "-", NULL);

    put(&queue, "one", 0);
    put(&queue, "", 0);
    put(&queue, "two", 0);
    program_outputs(program, "onetwo");
    queue_remove(&queue);
}

static void keeps_messages_apart_and_hands_on_what_a_small_block_leaves(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_make(harness, 100);
    struct program *program = program_start(
        harness, "-u", "-b", "4", address(harness, "POSIXMQ-READ", &queue, ""), "-", NULL);

    put(&queue, "0123456789", 0);
    program_outputs(program, "0123456789");
    queue_remove(&queue);
}

static void makes_messages_of_a_stream_that_fit(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_make(harness, 7);
    struct program *program =
        program_start(harness, "-u", "-", address(harness, "POSIXMQ-SEND", &queue, ""), NULL);

    program_send(program, "0123456789");
    expect(harness, &queue, "0123456", 0);
    expect(harness, &queue, "789", 0);
    program_end_input(program);
    program_ends(program, 0);
    queue_remove(&queue);
}

/* 100 messages through a queue for 10: the sender waits, and nothing is lost. */
static void waits_while_the_queue_is_full(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_make(harness, 4);
    struct program *program =
        program_start(harness, "-u", "-", address(harness, "POSIXMQ-SEND", &queue, ""), NULL);

    for (int i = 0; i < 100; i++)
        program_send(program, text(harness, "%04d", i));
    program_end_input(program);
    for (int i = 0; i < 100; i++)
        expect(harness, &queue, text(harness, "%04d", i), 0);
    program_ends(program, 0);
    queue_remove(&queue);
}

static void a_message_that_is_too_long_is_dropped_alone(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_make(harness, 5);
    const char *socket = path(harness, "socket");
    struct program *program =
        program_start(harness, "-d", "-d", "-u", text(harness, "UNIX-RECV:%s", socket),
                      address(harness, "POSIXMQ-SEND", &queue, ""), NULL);
    struct program *sender;

    program_logs(program, " N starting data transfer loop");
    sender = program_start(harness, "-u", "-", text(harness, "UNIX-SENDTO:%s", socket), NULL);
    program_send(sender, "too long");
    program_logs(program,
                 " E cannot write to *: Message too long: this message of 8 bytes is dropped");
    program_send(sender, "short");
    expect(harness, &queue, "short", 0);
    queue_remove(&queue);
}

static void receives_one_message_and_leaves_the_others(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_make(harness, 100);

    put(&queue, "first", 0);
    put(&queue, "second", 0);
    struct program *program =
        program_start(harness, "-u", address(harness, "POSIXMQ-RECEIVE", &queue, ""), "-", NULL);
    program_outputs(program, "first");
    program_ends(program, 0);
    expect(harness, &queue, "second", 0);
    queue_remove(&queue);
}

static void tells_programs_the_priority(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_make(harness, 100);

    put(&queue, "message", 42);
    struct program *program =
        program_start(harness, "-u", address(harness, "POSIXMQ-RECEIVE", &queue, ""),
                      "SYSTEM:cat >&2; echo $SOCAT_POSIXMQ_PRIO $MODCAT_POSIXMQ_PRIO >&2", NULL);
    program_logs(program, "message42 42");
    program_ends(program, 0);
    queue_remove(&queue);
}

static void receives_an_empty_message_as_the_end(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_make(harness, 100);

    put(&queue, "", 0);
    put(&queue, "next", 0);
    struct program *program =
        program_start(harness, "-u", address(harness, "POSIXMQ-RECV", &queue, ""), "-", NULL);
    program_ends(program, 0);
    assert_string_equal(program_output(program, NULL), "");
    expect(harness, &queue, "next", 0);
    queue_remove(&queue);
}

static void an_empty_queue_is_not_taken_for_one_that_still_sends(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_make(harness, 100);
    struct program *program = program_start(
        harness, "-T", "0.1", "-u", address(harness, "POSIXMQ-READ", &queue, ""), "-", NULL);
    program_ends(program, 0);
    assert_string_equal(program_log(program), "");
    queue_remove(&queue);
}

static int count_of(const char *content, const char *part)
{
    int count = 0;
    for (; (content = strstr(content, part)) != NULL; content += strlen(part))
        count++;
    return count;
}

/* Each message has a process of its own; none is lost, none comes twice. */
static void forks_for_each_message(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_make(harness, 100);
    const char *log = path(harness, "log");
    struct program *program = program_start(
        harness, "-d", "-d", "-u",
        address(harness, "POSIXMQ-RECEIVE", &queue, ",fork,unlink-close,max-children=3"),
        text(harness, "OPEN:%s,creat,append", log), NULL);

    for (int i = 0; i < 20; i++)
        put(&queue, text(harness, "<%02d>", i), 0);
    for (int i = 0; i < 20; i++)
        program_logs(program, sessions_are_hosted() ? "] N session ends with status 0"
                                                    : " N forked off child process ");
    process_awaits_children(harness, program_pid(program), 0);
    const char *content = file_read(harness, log);
    assert_int_equal(strlen(content), 80);
    for (int i = 0; i < 20; i++)
        assert_int_equal(count_of(content, text(harness, "<%02d>", i)), 1);
    assert_true(queue_exists(&queue));
    program_signal(program, SIGTERM);
    program_ends(program, 143);
    assert_false(queue_exists(&queue));
}

static void sends_again_and_again_with_fork(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_make(harness, 100);
    const char *source = path(harness, "source");

    file_write(harness, source, "again");
    program_start(harness, "-U", address(harness, "POSIXMQ-SEND", &queue, ",fork,interval=0.01"),
                  text(harness, "OPEN:%s", source), NULL);
    for (int i = 0; i < 15; i++)
        expect(harness, &queue, "again", 0);
    queue_remove(&queue);
}

static void relays_both_ways_over_one_queue(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_name();
    struct program *program = program_start(
        harness, "-", address(harness, "POSIXMQ-BIDIRECTIONAL", &queue, ",unlink-close"), NULL);

    program_send(program, "there and back");
    program_outputs(program, "there and back");
    program_end_input(program);
    program_ends(program, 0);
    assert_false(queue_exists(&queue));
}

static void makes_the_queue_as_the_options_say(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_name();
    struct mq_attr attributes;
    struct stat status;
    struct program *program =
        program_start(harness, "-u", "/dev/null",
                      address(harness, "POSIXMQ-SEND", &queue,
                              ",mode=0620,unlink-early,posixmq-maxmsg=3,posixmq-msgsize=77"),
                      NULL);

    program_ends(program, 0);
    mqd_t descriptor = harness_keep(harness, mq_open(queue.name, O_RDONLY | O_CLOEXEC));
    assert_true(descriptor >= 0);
    assert_int_equal(mq_getattr(descriptor, &attributes), 0);
    assert_int_equal(attributes.mq_maxmsg, 3);
    assert_int_equal(attributes.mq_msgsize, 77);
    assert_int_equal(fstat(descriptor, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600 | (0020 & ~umask(0)));
    queue_remove(&queue);
}

static void empties_a_queue_with_unlink_early(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_make(harness, 100);

    put(&queue, "old", 0);
    struct program *program = program_start(
        harness, "-d", "-d", "-u",
        address(harness, "POSIXMQ-READ", &queue, ",unlink-early,unlink-close"), "-", NULL);
    program_logs(program, " N starting data transfer loop");
    program_signal(program, SIGTERM);
    program_ends(program, 143);
    assert_string_equal(program_output(program, NULL), "");
}

static void fails(struct harness *harness, const char *address, const char *message)
{
    struct program *program = program_start(harness, "-u", "/dev/null", address, NULL);
    program_ends_logging(program, 1, message);
}

static void names_what_is_wrong(void **state)
{
    mq_unlink("/modcat-test");
    fails(*state, "POSIXMQ-SEND:nosl", " E POSIXMQ-SEND: the name of a message queue is a slash");
    fails(*state, "POSIXMQ-SEND:/a/b", " E POSIXMQ-SEND: *without another slash");
    fails(*state, "POSIXMQ-SEND:/modcat-test,mq-prio=32768",
          " E option mq-prio: invalid value \"32768\": it exceeds");
    fails(*state, "POSIXMQ-SEND:/modcat-test,posixmq-msgsize=-1",
          " E option \"posixmq-msgsize=-1\": out of range");
    fails(*state, "POSIXMQ-SEND:/modcat-test,posixmq-msgsize=0",
          " E option posixmq-msgsize: invalid value \"0\": it must be 1 or more");
    fails(*state, "POSIXMQ-SEND:/modcat-test,posixmq-msgsize=1G",
          " E cannot open message queue /modcat-test: Invalid argument (see /proc/sys/fs/mqueue");
    fails(*state, "POSIXMQ-READ:/modcat-test", " E POSIXMQ-READ cannot be used for writing");
    mq_unlink("/modcat-test");
}

static void posixmq_goes_one_way_at_a_time(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_make(harness, 100);
    struct program *program =
        program_start(harness, "-u", "-", address(harness, "POSIXMQ", &queue, ""), NULL);
    program_send(program, "sent");
    expect(harness, &queue, "sent", 0);
    program_end_input(program);
    program_ends(program, 0);
    put(&queue, "read", 0);
    program = program_start(harness, "-u", address(harness, "POSIXMQ", &queue, ""), "-", NULL);
    program_outputs(program, "read");
    program = program_start(harness, "-", address(harness, "POSIXMQ", &queue, ""), NULL);
    program_ends_logging(program, 1, " E POSIXMQ is used in one direction: use option -u or -U");
    queue_remove(&queue);
}

static void flushing_leaves_no_old_message(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_make(harness, 100);
    put(&queue, "old", 5);
    put(&queue, "older", 7);
    struct program *program = program_start(
        harness, "-u", "-", address(harness, "POSIXMQ-WRITE", &queue, ",mq-flush"), NULL);
    program_send(program, "new");
    program_end_input(program);
    program_ends(program, 0);
    expect(harness, &queue, "new", 0);
    queue_remove(&queue);
}

static void the_options_of_open_make_and_spare_queues(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_name();
    struct program *program = program_start(
        harness, "-u", "-", address(harness, "POSIXMQ-SEND", &queue, ",o_creat=no"), NULL);
    program_ends_logging(program, 1,
                         " E cannot open message queue *: No such file or directory [mq_open(");
    queue = queue_make(harness, 100);
    program =
        program_start(harness, "-u", "-", address(harness, "POSIXMQ-SEND", &queue, ",excl"), NULL);
    program_ends_logging(program, 1, " E cannot open message queue *: File exists [mq_open(");
    queue_remove(&queue);
}

static void the_size_of_a_queue_has_short_names(void **state)
{
    struct harness *harness = *state;
    struct queue queue = queue_name();
    struct mq_attr attributes;
    struct program *program =
        program_start(harness, "-d", "-d", "-u", "-",
                      address(harness, "POSIXMQ-SEND", &queue, ",mq-maxmsg=3,mq-msgsize=1k"), NULL);
    program_logs(program, "starting data transfer loop");
    mqd_t descriptor = mq_open(queue.name, O_RDONLY | O_CLOEXEC);
    assert_true(descriptor >= 0);
    assert_int_equal(mq_getattr(descriptor, &attributes), 0);
    mq_close(descriptor);
    queue_remove(&queue);
    assert_int_equal(attributes.mq_maxmsg, 3);
    assert_int_equal(attributes.mq_msgsize, 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(sends_with_the_priority_that_is_asked_for),
        SYSTEM_TEST(reads_messages_until_it_is_told_to_end),
        SYSTEM_TEST(an_empty_message_is_not_the_end),
        SYSTEM_TEST(keeps_messages_apart_and_hands_on_what_a_small_block_leaves),
        SYSTEM_TEST(makes_messages_of_a_stream_that_fit),
        SYSTEM_TEST(waits_while_the_queue_is_full),
        SYSTEM_TEST(a_message_that_is_too_long_is_dropped_alone),
        SYSTEM_TEST(receives_one_message_and_leaves_the_others),
        SYSTEM_TEST(tells_programs_the_priority),
        SYSTEM_TEST(receives_an_empty_message_as_the_end),
        SYSTEM_TEST(an_empty_queue_is_not_taken_for_one_that_still_sends),
        SYSTEM_TEST(forks_for_each_message),
        SYSTEM_TEST(sends_again_and_again_with_fork),
        SYSTEM_TEST(relays_both_ways_over_one_queue),
        SYSTEM_TEST(makes_the_queue_as_the_options_say),
        SYSTEM_TEST(empties_a_queue_with_unlink_early),
        SYSTEM_TEST(names_what_is_wrong),
        SYSTEM_TEST(posixmq_goes_one_way_at_a_time),
        SYSTEM_TEST(flushing_leaves_no_old_message),
        SYSTEM_TEST(the_options_of_open_make_and_spare_queues),
        SYSTEM_TEST(the_size_of_a_queue_has_short_names),
    };
    return cmocka_run_group_tests_name("posixmq", tests, NULL, NULL);
}
