/* POSIXMQ: POSIX message queues, mq_overview(7). Each message is one block of the relay. */

#include <errno.h>
#include <fcntl.h>
#include <modcat/driver.h>
#include <mqueue.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static modcat_open_fn queue_open, queue_open_one_way;
static modcat_listen_fn queue_listen;

static modcat_check_fn check_priority, check_positive;

static const struct modcat_option options[] = {
    {.name = "posixmq-priority",
     .aliases = "mq-prio",
     .help = "priority of the messages that are sent; higher ones overtake lower ones",
     .type = MODCAT_UINT,
     .phase = MODCAT_PHASE_INIT,
     .effect = MODCAT_FETCHED,
     .check = check_priority},
    {.name = "posixmq-flush",
     .aliases = "mq-flush",
     .help = "throw away the messages that are in the queue when it is opened",
     .type = MODCAT_BOOL,
     .phase = MODCAT_PHASE_OPEN,
     .effect = MODCAT_FETCHED},
    {.name = "posixmq-maxmsg",
     .aliases = "mq-maxmsg",
     .help = "how many messages a queue holds that is made",
     .type = MODCAT_LONG,
     .phase = MODCAT_PHASE_OPEN,
     .effect = MODCAT_FETCHED,
     .check = check_positive},
    {.name = "posixmq-msgsize",
     .aliases = "mq-msgsize",
     .help = "how many bytes a message may have in a queue that is made",
     .type = MODCAT_SIZE,
     .phase = MODCAT_PHASE_OPEN,
     .effect = MODCAT_FETCHED,
     .check = check_positive},
};

static const struct modcat_option_group groups[] = {
    {.name = "POSIXMQ", .help = "options of message queues", MODCAT_OPTIONS(options)},
};

#define QUEUE .syntax = ":<mqname>", .min_params = 1, .max_params = 1

static const struct modcat_address_type types[] = {
    {
        .name = "POSIXMQ",
        .groups = "FD,NAMED,OPEN,RETRY,POSIXMQ",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "read messages from a message queue, or send to it, in one direction only",
        .example = "modcat -u STDIN POSIXMQ:/queue",
        QUEUE,
        .open = queue_open_one_way,
    },
    {
        .name = "POSIXMQ-READ",
        .groups = "FD,NAMED,OPEN,RETRY,POSIXMQ",
        .directions = MODCAT_DIR_READ,
        .help = "read messages from a message queue",
        .example = "modcat -u POSIXMQ-READ:/queue STDOUT",
        QUEUE,
        .open = queue_open,
    },
    {
        .name = "POSIXMQ-RECEIVE",
        .aliases = "POSIXMQ-RECV",
        .groups = "FD,NAMED,OPEN,CHILD,RETRY,POSIXMQ",
        .directions = MODCAT_DIR_READ,
        .help = "take one message from a message queue",
        .example = "modcat -u POSIXMQ-RECEIVE:/queue,fork STDOUT",
        QUEUE,
        .listen = queue_listen,
    },
    {
        .name = "POSIXMQ-SEND",
        .aliases = "POSIXMQ-WRITE",
        .groups = "FD,NAMED,OPEN,CHILD,RETRY,POSIXMQ",
        .directions = MODCAT_DIR_WRITE,
        .help = "send each block as a message to a message queue",
        .example = "modcat -u STDIN POSIXMQ-SEND:/queue,mq-prio=10",
        QUEUE,
        .open = queue_open,
    },
    {
        .name = "POSIXMQ-BIDIRECTIONAL",
        .groups = "FD,NAMED,OPEN,RETRY,POSIXMQ",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "read messages from a message queue, and send to the same one",
        .example = "modcat - POSIXMQ-BIDIRECTIONAL:/queue",
        QUEUE,
        .open = queue_open,
    },
};

MODCAT_DRIVER(.name = "posixmq", .version = MODCAT_DRIVER_VERSION,
              .summary = "POSIX message queues", MODCAT_TYPES(types), MODCAT_GROUPS(groups));

#define REASON_TEXT 160

static int fail(const struct modcat_opening *opening, const char *verb, const char *call,
                const char *name)
{
    const char *hint = "";
    if (errno == ENOSYS)
        hint = " (this kernel does not support message queues)";
    else if (errno == EINVAL)
        hint = " (see /proc/sys/fs/mqueue for the limits of a queue)";
    char reason[REASON_TEXT];
    snprintf(reason, sizeof reason, "%s%s", strerror(errno), hint);
    return modcat_fail_call(opening, verb, name, reason, "%s(\"%s\")", call, name);
}

static int remove_early(struct modcat_opening *opening, const char *name)
{
    if (!modcat_option_bool(opening, "unlink-early", false))
        return 0;
    return mq_unlink(name) == 0 || errno == ENOENT
               ? 0
               : fail(opening, "remove message queue", "mq_unlink", name);
}

/* Returns NULL where the system chooses. Of two attributes, one can't be left to it. */
static struct mq_attr *wanted_attributes(struct modcat_opening *opening, struct mq_attr *wanted)
{
    const struct modcat_value *count = modcat_option_value(opening, "posixmq-maxmsg");
    const struct modcat_value *size = modcat_option_value(opening, "posixmq-msgsize");
    *wanted = (struct mq_attr){.mq_maxmsg = 10, .mq_msgsize = 8192};
    if (count != NULL)
        wanted->mq_maxmsg = (long)count->number;
    if (size != NULL)
        wanted->mq_msgsize = (long)size->number;
    return count != NULL || size != NULL ? wanted : NULL;
}

static const char *check_priority(const struct modcat_value *value)
{
    long count = sysconf(_SC_MQ_PRIO_MAX);
    return count < 0 || value->number < count ? NULL : "it exceeds the priorities of this system";
}

static const char *check_positive(const struct modcat_value *value)
{
    return value->number > 0 ? NULL : "it must be 1 or more";
}

/* A descriptor of its own, for one that is written to can't be read from. */
static int flush_queue(struct modcat_opening *opening, const char *name)
{
    struct mq_attr attributes;
    mqd_t queue = mq_open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (queue < 0)
        return fail(opening, "open message queue", "mq_open", name);
    char *message =
        mq_getattr(queue, &attributes) == 0 ? malloc((size_t)attributes.mq_msgsize) : NULL;
    long count = 0;
    while (message != NULL && mq_receive(queue, message, (size_t)attributes.mq_msgsize, NULL) >= 0)
        count++;
    int result = message == NULL || errno != EAGAIN
                     ? fail(opening, "empty message queue", "mq_receive", name)
                     : 0;
    if (result == 0)
        modcat_log(MODCAT_INFO, "flushed %ld messages of \"%s\"", count, name);
    free(message);
    mq_close(queue);
    return result;
}

/* What is done with a queue that has been opened. */
static int settle_queue(struct modcat_opening *opening, mqd_t queue, const char *name)
{
    if (modcat_option_bool(opening, "unlink-close", false))
        modcat_remove_at_close(opening, name, mq_unlink);
    if (!modcat_option_bool(opening, "posixmq-flush", false) || flush_queue(opening, name) == 0)
        return queue;
    mq_close(queue);
    return -1;
}

static bool is_queue_name(const char *name)
{
    return name[0] == '/' && name[1] != '\0' && strchr(name + 1, '/') == NULL;
}

/* The queue's descriptor, which is one like others on this system; -1 after reporting. */
static int open_queue(struct modcat_opening *opening)
{
    const char *name = modcat_param(opening, 0);
    int flags = modcat_open_flags(opening, O_CREAT) | O_NONBLOCK;
    mode_t mode = (mode_t)modcat_option_number(opening, "perm", 0666);
    struct mq_attr attributes;
    if (!is_queue_name(name)) {
        errno = EINVAL;
        return modcat_fail_param(opening, 0,
                                 "the name of a message queue is a slash and more, "
                                 "without another slash");
    }
    if (remove_early(opening, name) < 0)
        return -1;
    modcat_log(MODCAT_NOTICE, "opening POSIX message queue \"%s\" for %s", name,
               modcat_directions_name(opening));
    mqd_t queue = mq_open(name, flags, mode, wanted_attributes(opening, &attributes));
    return queue < 0 ? fail(opening, "open message queue", "mq_open", name)
                     : settle_queue(opening, queue, name);
}

/* How long a message may be; -1 after reporting. */
static long message_size(const struct modcat_opening *opening, int descriptor)
{
    struct mq_attr attributes;
    if (mq_getattr(descriptor, &attributes) < 0)
        return fail(opening, "ask for the size of", "mq_getattr", modcat_param(opening, 0));
    return attributes.mq_msgsize;
}

/* An open queue. `message` has room for any of its messages. */
struct queue {
    unsigned priority; /* of what is sent */
    bool once;         /* nothing follows the message that is here */
    size_t room;
    size_t start; /* of `message`: what is not handed on yet is from here ... */
    size_t end;   /* ... to here */
    char message[];
};

static struct queue *new_queue(struct modcat_opening *opening, int descriptor)
{
    long room = message_size(opening, descriptor);
    if (room < 0)
        return NULL;
    struct queue *queue = calloc(1, sizeof *queue + (size_t)room);
    if (queue == NULL) {
        modcat_fail(opening, "out of memory");
        return NULL;
    }
    queue->priority = (unsigned)modcat_option_number(opening, "posixmq-priority", 0);
    queue->room = (size_t)room;
    return queue;
}

/* A queue gives whole messages only: what the reader has no room for waits here. */
static ssize_t hand_on(struct queue *queue, void *buffer, size_t length)
{
    size_t count = queue->end - queue->start;
    if (count > length)
        count = length;
    memcpy(buffer, queue->message + queue->start, count);
    queue->start += count;
    return (ssize_t)count;
}

static ssize_t queue_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    struct queue *queue = endpoint->state;
    unsigned priority;
    if (queue->start < queue->end || queue->once)
        return hand_on(queue, buffer, length);
    ssize_t count = mq_receive(endpoint->read_fd, queue->message, queue->room, &priority);
    if (count < 0)
        return -1;
    modcat_log(MODCAT_INFO, "received message of %zd bytes with priority %u", count, priority);
    queue->start = 0;
    queue->end = (size_t)count;
    return hand_on(queue, buffer, length);
}

static ssize_t queue_write(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    const struct queue *queue = endpoint->state;
    return mq_send(endpoint->write_fd, buffer, length, queue->priority) < 0 ? -1 : (ssize_t)length;
}

static bool queue_pending(struct modcat_endpoint *endpoint)
{
    const struct queue *queue = endpoint->state;
    return queue->start < queue->end || queue->once;
}

static void queue_close(struct modcat_endpoint *endpoint)
{
    free(endpoint->state);
    endpoint->state = NULL;
}

static const struct modcat_endpoint_ops queue_ops = {
    .size = sizeof(struct modcat_endpoint_ops),
    .read = queue_read,
    .write = queue_write,
    .close = queue_close,
    .pending = queue_pending,
};

/* A sender with fork makes the next child when there is room for what it sends. */
static int wait_for_room(struct modcat_opening *opening, int descriptor)
{
    if ((modcat_directions(opening) & MODCAT_DIR_READ) != 0 ||
        !modcat_option_bool(opening, "fork", false))
        return 0;
    return modcat_wait(opening, descriptor, POLLOUT, MODCAT_FOREVER) < 0 ? -1 : 0;
}

static int queue_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    unsigned directions = modcat_directions(opening);
    int descriptor = open_queue(opening);
    if (descriptor < 0)
        return -1;
    struct queue *queue = new_queue(opening, descriptor);
    if (queue == NULL || wait_for_room(opening, descriptor) < 0) {
        free(queue);
        close(descriptor);
        return -1;
    }
    endpoint->read_fd = (directions & MODCAT_DIR_READ) != 0 ? descriptor : -1;
    endpoint->write_fd = (directions & MODCAT_DIR_WRITE) != 0 ? descriptor : -1;
    endpoint->flags = MODCAT_END_MESSAGES;
    endpoint->message_max = queue->room;
    endpoint->ops = &queue_ops;
    endpoint->state = queue;
    return 0;
}

static int queue_open_one_way(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    if (modcat_directions(opening) != (MODCAT_DIR_READ | MODCAT_DIR_WRITE))
        return queue_open(opening, endpoint);
    errno = EINVAL;
    return modcat_fail(opening,
                       "%s is used in one direction: use option -u or -U, or the address type "
                       "POSIXMQ-BIDIRECTIONAL",
                       modcat_keyword(opening));
}

static void tell(struct modcat_opening *opening, unsigned priority, ssize_t count)
{
    char text[24];
    snprintf(text, sizeof text, "%u", priority);
    modcat_setenv(opening, "POSIXMQ_PRIO", text);
    modcat_log(MODCAT_NOTICE, "received message of %zd bytes with priority %s", count, text);
}

/* Returns 0 with a message, 1 when none is there after all, -1 after reporting. */
static int receive_one(struct modcat_opening *opening, int descriptor, struct queue *queue)
{
    unsigned priority;
    ssize_t count = mq_receive(descriptor, queue->message, queue->room, &priority);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return 1;
    if (count < 0)
        return fail(opening, "read from message queue", "mq_receive", modcat_param(opening, 0));
    queue->end = (size_t)count;
    queue->once = true;
    tell(opening, priority, count);
    return 0;
}

/* An endpoint has to have a descriptor, though its message is here already. It is made first, for
 * the message may be taken only when nothing can fail any more. */
static int queue_accept(struct modcat_listener *listener, struct modcat_opening *opening,
                        struct modcat_endpoint *endpoint)
{
    int descriptor = fcntl(listener->fd, F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0) {
        modcat_log(MODCAT_WARNING, "fcntl(%d, F_DUPFD_CLOEXEC, 0): %s", listener->fd,
                   strerror(errno));
        return 1;
    }
    struct queue *queue = new_queue(opening, descriptor);
    int result = queue == NULL ? -1 : receive_one(opening, descriptor, queue);
    if (result != 0) {
        free(queue);
        close(descriptor);
        return result;
    }
    endpoint->read_fd = descriptor;
    endpoint->flags = MODCAT_END_MESSAGES | MODCAT_END_EMPTY_ENDS;
    endpoint->ops = &queue_ops;
    endpoint->state = queue;
    return 0;
}

static int queue_listen(struct modcat_opening *opening, struct modcat_listener *listener)
{
    int descriptor = open_queue(opening);
    if (descriptor < 0)
        return -1;
    listener->fd = descriptor;
    listener->accept = queue_accept;
    return 0;
}
