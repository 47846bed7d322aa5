/* Layers and an address that do more than pass bytes on.
 *
 * NAMED reads a line: "NAME <IPv4 address> <port>" says who the peer is, anything else refuses it.
 * CHAT writes each byte as "d" and that byte; "p" is a ping that "q" answers, and "c" says goodbye
 * in both directions. With chat-ping it pings so often, and fails when the last one has no answer.
 * LATER gives back what is written to it, by way of a descriptor that the host knows by `watch`.
 * STUCK never comes to the end of its half-close. TELLS tells the other address of a window and a
 * line, logs who its peer is, and says "go". */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <modcat/driver.h>
#include <modcat/layer.h>
#include <modcat/net.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static modcat_wrap_fn named_wrap, chat_wrap;
static modcat_open_fn later_open, stuck_open, tells_open;

static const struct modcat_option options[] = {
    {.name = "chat-ping", .help = "seconds between pings", .type = MODCAT_TIMESPEC},
};

static const struct modcat_option_group groups[] = {
    {.name = "CHAT", .help = "pings", MODCAT_OPTIONS(options)},
};

#define BOTH_WAYS .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE

static const struct modcat_address_type types[] = {
    {.name = "NAMED",
     .help = "learn who the peer is",
     BOTH_WAYS,
     .flags = MODCAT_TYPE_NAMES_PEER,
     .wrap = named_wrap,
     .layer_groups = "FD,RANGE,IP4"},
    {.name = "CHAT",
     .help = "pairs of bytes, pings and goodbyes",
     BOTH_WAYS,
     .wrap = chat_wrap,
     .layer_groups = "FD,CHAT"},
    {.name = "LATER", .groups = "FD", .help = "give back later", BOTH_WAYS, .open = later_open},
    {.name = "STUCK", .groups = "FD", .help = "never end", BOTH_WAYS, .open = stuck_open},
    {.name = "TELLS", .groups = "FD", .help = "tell the other", BOTH_WAYS, .open = tells_open},
};

MODCAT_DRIVER(.name = "lively", .version = "1.0", .summary = "more than bytes", MODCAT_TYPES(types),
              MODCAT_GROUPS(groups));

static int named_wrap(struct modcat_opening *opening, struct modcat_endpoint *lower,
                      struct modcat_endpoint *endpoint)
{
    char line[80] = "", name[40];
    unsigned short port;
    struct sockaddr_in peer = {.sin_family = AF_INET};
    for (size_t i = 0; i < sizeof line - 1 && strchr(line, '\n') == NULL; i++)
        if (modcat_lower_receive(opening, lower, line + i, 1, modcat_connect_deadline(opening)) <=
            0)
            return modcat_fail(opening, "no name: %s", strerror(errno));
    if (sscanf(line, "NAME %39s %hu", name, &port) != 2 ||
        inet_pton(AF_INET, name, &peer.sin_addr) != 1) {
        modcat_log(MODCAT_WARNING, "it has no name");
        return 1;
    }
    peer.sin_port = htons(port);
    modcat_set_peer(opening, (struct sockaddr *)&peer, sizeof peer, NULL, 0);
    return modcat_pass_through(lower, endpoint, NULL, 0);
}

struct chat {
    struct modcat_endpoint *lower;
    long long interval; /* of pings; 0: none */
    long long next_ping;
    bool awaits_answer;
    bool said_goodbye;
    bool has_half; /* "d" has come, and its byte has not */
    bool has_ended;
};

static int send_letter(struct chat *chat, char letter)
{
    return modcat_lower_write(chat->lower, &letter, 1) == 1 ? 0 : -1;
}

static ssize_t chat_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    struct chat *chat = endpoint->state;
    char letter, *out = buffer;
    size_t used = 0;
    while (used < length && !chat->has_ended) {
        ssize_t count = modcat_lower_read(chat->lower, &letter, 1);
        if (count == 0 && !chat->said_goodbye)
            errno = EPROTO;
        if (count <= 0)
            return used > 0 ? (ssize_t)used : -1;
        if (chat->has_half)
            out[used++] = letter;
        else if (letter == 'p')
            send_letter(chat, 'q');
        chat->awaits_answer = chat->awaits_answer && (chat->has_half || letter != 'q');
        chat->has_ended = !chat->has_half && letter == 'c';
        chat->has_half = !chat->has_half && letter == 'd';
    }
    return (ssize_t)used;
}

static ssize_t chat_write(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    struct chat *chat = endpoint->state;
    const char pair[2] = {'d', *(const char *)buffer};
    (void)length;
    return modcat_lower_write(chat->lower, pair, 2) == 2 ? 1 : -1;
}

static int chat_goodbye(struct modcat_endpoint *endpoint, bool complete, short *wants)
{
    struct chat *chat = endpoint->state;
    char dropped[64];
    if (!chat->said_goodbye && send_letter(chat, complete ? 'c' : 'x') < 0) {
        *wants = POLLOUT;
        return -1;
    }
    chat->said_goodbye = true;
    while (!chat->has_ended) {
        ssize_t count = chat_read(endpoint, dropped, sizeof dropped);
        *wants = POLLIN;
        if (count < 0)
            return -1;
    }
    return 0;
}

static void chat_watch(struct modcat_endpoint *endpoint, struct modcat_attention *attention)
{
    const struct chat *chat = endpoint->state;
    if (chat->interval > 0)
        attention->deadline = chat->next_ping;
}

static int chat_attend(struct modcat_endpoint *endpoint, const struct modcat_attention *attention)
{
    struct chat *chat = endpoint->state;
    (void)attention;
    if (chat->awaits_answer) {
        errno = ETIMEDOUT;
        return -1;
    }
    chat->next_ping = modcat_deadline(chat->interval);
    chat->awaits_answer = true;
    return send_letter(chat, 'p');
}

static void free_state(struct modcat_endpoint *endpoint)
{
    free(endpoint->state);
}

static const struct modcat_endpoint_ops chat_ops = {
    .size = sizeof chat_ops,
    .read = chat_read,
    .write = chat_write,
    .close = free_state,
    .goodbye = chat_goodbye,
    .watch = chat_watch,
    .attend = chat_attend,
};

static int chat_wrap(struct modcat_opening *opening, struct modcat_endpoint *lower,
                     struct modcat_endpoint *endpoint)
{
    const struct modcat_value *ping = modcat_option_value(opening, "chat-ping");
    struct chat *chat = calloc(1, sizeof *chat);
    if (chat == NULL)
        return modcat_fail(opening, "calloc(): %s", strerror(errno));
    *chat = (struct chat){.lower = lower, .interval = ping != NULL ? ping->time : 0};
    chat->next_ping = modcat_deadline(chat->interval);
    endpoint->ops = &chat_ops;
    endpoint->state = chat;
    endpoint->flags = MODCAT_END_WHOLE;
    return 0;
}

/* Written to `in`, moved to the pipe that is read. */
struct later {
    int from;
    int to;
};

static void later_watch(struct modcat_endpoint *endpoint, struct modcat_attention *attention)
{
    const struct later *later = endpoint->state;
    if (later->from >= 0)
        attention->watched[attention->count++] =
            (struct modcat_watched){.fd = later->from, .events = POLLIN};
}

static int later_attend(struct modcat_endpoint *endpoint, const struct modcat_attention *attention)
{
    struct later *later = endpoint->state;
    char moved[512];
    if (attention->watched[0].ready == 0)
        return 0;
    ssize_t count = read(later->from, moved, sizeof moved);
    if (count > 0)
        return write(later->to, moved, (size_t)count) == count ? 0 : -1;
    close(later->from);
    close(later->to);
    later->from = later->to = -1;
    return (int)count;
}

static void later_close(struct modcat_endpoint *endpoint)
{
    struct later *later = endpoint->state;
    if (later->from >= 0)
        close(later->from);
    if (later->to >= 0)
        close(later->to);
    free(later);
}

static const struct modcat_endpoint_ops later_ops = {
    .size = sizeof later_ops,
    .close = later_close,
    .watch = later_watch,
    .attend = later_attend,
};

static int later_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    int in[2], out[2];
    struct later *later = calloc(1, sizeof *later);
    if (later == NULL || pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
        return modcat_fail(opening, "pipe2(): %s", strerror(errno));
    *later = (struct later){.from = in[0], .to = out[1]};
    endpoint->read_fd = out[0];
    endpoint->write_fd = in[1];
    endpoint->half_close = MODCAT_HALF_CLOSE;
    endpoint->ops = &later_ops;
    endpoint->state = later;
    return 0;
}

static int stuck_shutdown(struct modcat_endpoint *endpoint)
{
    (void)endpoint;
    modcat_log(MODCAT_NOTICE, "not yet");
    errno = EAGAIN;
    return -1;
}

static int stuck_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    static const struct modcat_endpoint_ops ops = {.size = sizeof ops, .shutdown = stuck_shutdown};
    int fd = modcat_open_path(opening, "/dev/null", 0);
    endpoint->read_fd = endpoint->write_fd = fd;
    endpoint->ops = &ops;
    return fd < 0 ? -1 : 0;
}

struct telling {
    struct modcat_opening *opening;
    bool has_told;
};

static ssize_t tells_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    struct telling *telling = endpoint->state;
    const struct modcat_news window = {
        .size = sizeof window, .kind = MODCAT_NEWS_WINDOW, .rows = 33, .columns = 77};
    const struct modcat_news line = {.size = sizeof line,
                                     .kind = MODCAT_NEWS_LINE,
                                     .speed = 1200,
                                     .data_bits = 7,
                                     .stop_bits = 1,
                                     .parity = 'e'};
    char text[MODCAT_SOCKADDR_TEXT];
    socklen_t peer_length;
    const struct sockaddr *peer = modcat_other_peer(telling->opening, &peer_length);
    if (telling->has_told || length < 3)
        return 0;
    telling->has_told = true;
    if (peer != NULL)
        modcat_log(MODCAT_NOTICE, "the other is %s", modcat_sockaddr_text(peer, peer_length, text));
    if (modcat_tell(telling->opening, &window) < 0 || modcat_tell(telling->opening, &line) < 0)
        modcat_log(MODCAT_NOTICE, "not heard: %s", strerror(errno));
    memcpy(buffer, "go\n", 3);
    return 3;
}

static ssize_t tells_write(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    (void)endpoint, (void)buffer;
    return (ssize_t)length;
}

static bool tells_pending(struct modcat_endpoint *endpoint)
{
    (void)endpoint;
    return true;
}

static int tells_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    static const struct modcat_endpoint_ops ops = {.size = sizeof ops,
                                                   .read = tells_read,
                                                   .write = tells_write,
                                                   .close = free_state,
                                                   .pending = tells_pending};
    struct telling *telling = calloc(1, sizeof *telling);
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (telling == NULL || fd < 0)
        return modcat_fail(opening, "eventfd(): %s", strerror(errno));
    telling->opening = opening;
    endpoint->read_fd = endpoint->write_fd = fd;
    endpoint->ops = &ops;
    endpoint->state = telling;
    return 0;
}
