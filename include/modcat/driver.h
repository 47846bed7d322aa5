/* driver.h: all that a simple modcat driver needs. A driver is a shared object that describes its
 * address types and option groups in tables, and hands them over with MODCAT_DRIVER.
 *
 * Threads. All functions of a driver run in one thread, except `work` of modcat_call_blocking(),
 * which runs in another one and calls no function of this API.
 *
 * Sessions. One process may carry many sessions, each with openings and endpoints of its own. Where
 * a function waits (modcat_wait() and whatever is said to wait), functions of other sessions run
 * before it returns. So a driver has no variables of its own that a session could change, keeps
 * its state in `state` of endpoints and listeners, and leaves the process as it is: folder, umask,
 * environment, signals, standard streams. A type or option that can't do so says that it needs a
 * process of its own.
 *
 * Lifetimes. An opening, its parameters and its values live until `close` of the endpoint that came
 * from it has returned; those of a listener until the listener's. Texts that a driver hands over
 * are needed during the call only, unless it says otherwise. Tables live as long as the driver. */

#ifndef MODCAT_DRIVER_H
#define MODCAT_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The driver ABI. A host loads a driver of the same major number; the minor number counts what was
 * added since. Structs begin with their size or come with their element's size, and only grow. */
#define MODCAT_ABI_MAJOR 1
#define MODCAT_ABI_MINOR 0

struct modcat_opening;
struct modcat_endpoint;
struct modcat_listener;
struct modcat_option;

/* Severities, in the order in which -d shows more of them. */
enum modcat_level {
    MODCAT_FATAL,
    MODCAT_ERROR,
    MODCAT_WARNING,
    MODCAT_NOTICE,
    MODCAT_INFO,
    MODCAT_DEBUG
};

#if defined(__GNUC__)
#define MODCAT_PRINTF(position, first) __attribute__((format(printf, position, first)))
#else
#define MODCAT_PRINTF(position, first)
#endif

/* Logs one line at a level. `format` is printf's, without a newline. The host adds which session it
 * is about, and in `prepare` and `wrap` of a layer that stands on another address which layer says
 * it. errno is kept. */
void modcat_log(enum modcat_level level, const char *format, ...) MODCAT_PRINTF(2, 3);

/* Reports why an opening fails, once, at the level that fits: an error, or less while another try
 * or another address follows. Returns -1, errno kept, so that a caller can
 * `return modcat_fail(...)`. */
int modcat_fail(const struct modcat_opening *opening, const char *format, ...) MODCAT_PRINTF(2, 3);

/* The same for a call that failed: "cannot VERB OBJECT: REASON [CALL]", with the user's own words
 * for the object, and the call as `call` and what follows print it. `object` may be NULL; a
 * `reason` of NULL stands for errno. */
int modcat_fail_call(const struct modcat_opening *opening, const char *verb, const char *object,
                     const char *reason, const char *call, ...) MODCAT_PRINTF(5, 6);

/* The same for a mistake in a parameter, or in the value of the option with this canonical name:
 * the address is shown, with the place marked. For what can't be judged before the opening. */
int modcat_fail_param(const struct modcat_opening *opening, size_t index, const char *format, ...)
    MODCAT_PRINTF(3, 4);
int modcat_fail_option(const struct modcat_opening *opening, const char *name, const char *format,
                       ...) MODCAT_PRINTF(3, 4);

/* What may stand behind an option's `=`. */
enum modcat_value_type {
    MODCAT_CONST,       /* nothing: the name says it all */
    MODCAT_BOOL,        /* a number, 0 is false; yes, no, true, false, on, off; nothing is true */
    MODCAT_BYTE,        /* 0 to 255 */
    MODCAT_INT,         /* C int; 1 when nothing is given */
    MODCAT_INT_OR_NONE, /* C int; 1 when nothing is given; `name=` sets `absent` */
    MODCAT_UINT,        /* C unsigned int */
    MODCAT_USHORT,      /* 0 to 65535 */
    MODCAT_LONG,        /* C long */
    MODCAT_SIZE,        /* size_t; may end in k, M, G or T (KiB, MiB, ...) */
    MODCAT_OFFSET,      /* off_t, 64 bits; may end as a size */
    MODCAT_MODE,        /* octal permission bits */
    MODCAT_UID,         /* user id or name */
    MODCAT_GID,         /* group id or name */
    MODCAT_STRING,      /* text, may be empty */
    MODCAT_STRING_OR_NONE, /* text; `absent` is set when no `=` is given */
    MODCAT_TIMEVAL,        /* seconds with fraction, for struct timeval */
    MODCAT_TIMESPEC,       /* seconds with fraction, for struct timespec */
    MODCAT_LINGER,         /* whole seconds, for struct linger */
    MODCAT_DATA,           /* binary data in dalan notation */
    MODCAT_INT_INT,        /* two integers */
    MODCAT_INT_INTP,       /* two integers, the second is passed by its address */
    MODCAT_INT_DATA,       /* integer and binary data */
    MODCAT_INT_STRING,     /* integer and text */
    MODCAT_INT_INT_INT,    /* three integers */
    MODCAT_INT_INT_DATA,   /* two integers and binary data */
    MODCAT_INT_INT_STRING, /* two integers and text */
    MODCAT_IP4_HOST,       /* IPv4 address or host name, as text in `string` */
    MODCAT_IP4_SOCKET,     /* IPv4 address or host name with optional port, as text in `string` */
    MODCAT_MEMBERSHIP,     /* group:interface[:index], as text in `string` */
    MODCAT_SOURCE_MEMBERSHIP, /* group:interface:source, as text in `string` */
    MODCAT_INT_SIZE,          /* C int, a count of bytes: may end as a size */
    MODCAT_INT_BOOL,          /* C int that is mostly 0 or 1: takes the words of BOOL, too */
    MODCAT_CHOICE,            /* one of the option's `words`: its place in them, from 0 on, in
                               * `number`, and the word itself in `string` */
    MODCAT_VALUE_TYPES        /* how many there are */
};

/* A parsed value. Which members count follows from the type; all pointers belong to the host and
 * live as long as the opening. */
struct modcat_value {
    size_t size;        /* sizeof(struct modcat_value) in the host */
    bool absent;        /* for the ..._OR_NONE types: no value is wanted */
    long long number;   /* every numeric type, BOOL, MODE, UID, GID, LINGER, first of a tuple */
    long long second;   /* second of a tuple */
    long long third;    /* third of a tuple */
    long long time;     /* TIMEVAL, TIMESPEC: in nanoseconds */
    const char *string; /* STRING and the text types, text at a tuple's end */
    const void *data;   /* DATA, data at a tuple's end */
    size_t length;      /* of data, in bytes; of string without its NUL */
};

/* The moment at which an option takes effect. What has happened before it: */
enum modcat_phase {
    MODCAT_PHASE_OFFSET = 100,      /* nothing: settings of the address */
    MODCAT_PHASE_INIT = 200,        /* all settings are made */
    MODCAT_PHASE_EARLY = 300,       /* the process is in the folder and namespace of the address */
    MODCAT_PHASE_PREOPEN = 400,     /* there may be a file system entry, which is not open yet */
    MODCAT_PHASE_OPEN = 500,        /* the same: flags of open(2) are collected */
    MODCAT_PHASE_PASTOPEN = 600,    /* open(2) has returned */
    MODCAT_PHASE_PRESOCKET = 700,   /* names are not resolved yet: the protocol family is chosen */
    MODCAT_PHASE_SOCKET = 800,      /* the same: arguments of socket(2) are collected */
    MODCAT_PHASE_PASTSOCKET = 900,  /* socket(2) has returned */
    MODCAT_PHASE_FD = 1000,         /* the descriptor that will carry data exists */
    MODCAT_PHASE_PREBIND = 1100,    /* the socket has its options, and no name */
    MODCAT_PHASE_BIND = 1200,       /* the same: arguments of bind(2) are collected */
    MODCAT_PHASE_LISTEN = 1300,     /* the socket is bound, and does not listen yet */
    MODCAT_PHASE_ACCEPT = 1400,     /* a peer has been accepted: filters */
    MODCAT_PHASE_PASTACCEPT = 1500, /* the filters have let the peer in */
    MODCAT_PHASE_CONNECTED = 1600,  /* the socket is connected */
    MODCAT_PHASE_LATE = 1700,       /* the endpoint is open, with its layers */
    MODCAT_PHASE_LATE2 = 1800,      /* all else is done: privileges are given up */
    MODCAT_PHASE_SPEC = 1900 /* the driver asks for it; MODCAT_FETCHED options need no other */
};

/* What an option does when its phase comes. */
enum modcat_effect {
    MODCAT_FETCHED,     /* nothing by itself: the driver asks for it with modcat_option_value() */
    MODCAT_SOCKOPT,     /* setsockopt(fd, code, detail, value) */
    MODCAT_IOCTL,       /* ioctl(fd, code, &value); CONST and a true BOOL pass NULL */
    MODCAT_OPEN_FLAG,   /* bits `code` of open(2)'s flags become `detail`, or 0 for a false BOOL */
    MODCAT_STATUS_FLAG, /* the same for open(2), or fcntl(F_SETFL) where nothing is opened */
    MODCAT_CALL         /* calls `apply` */
};

/* Judges an option's value before anything is opened. Returns NULL, or what is wrong with it as a
 * constant text: "it must be columns and rows, as in 80x25". */
typedef const char *modcat_check_fn(const struct modcat_value *value);

/* For options of type STRING whose value names something: it is not empty. */
const char *modcat_check_filled(const struct modcat_value *value);

/* Carries out an option on `fd` (-1 before there is one). Returns 0, or -1 after modcat_fail().
 * In phase ACCEPT it may return 1 to refuse the peer of modcat_peer(). */
typedef int modcat_apply_fn(struct modcat_opening *opening, int fd,
                            const struct modcat_option *option, const struct modcat_value *value);

/* One option. */
struct modcat_option {
    const char *name;    /* canonical, lower case */
    const char *aliases; /* further names, separated by commas, or NULL */
    const char *also;    /* groups it belongs to besides the one whose table holds it, or NULL */
    const char *help;    /* one line, lower case, no full stop */
    enum modcat_value_type type;
    enum modcat_phase phase;
    enum modcat_effect effect;
    long long code;         /* level, request or flags: see enum modcat_effect */
    long long detail;       /* see enum modcat_effect */
    modcat_apply_fn *apply; /* for MODCAT_CALL */
    const char *preset;     /* what holds when it is not given, for help; NULL: the system's own */
    bool secret;            /* the value is not logged */
    bool secret_name;       /* the value names an environment variable that holds a secret */
    modcat_check_fn *check; /* or NULL: every value of the type will do */
    const char *needs;      /* others, separated by commas, without one of which this one is refused
                             * where the type takes the first of them, or NULL */
    const char *words; /* separated by commas: what a CHOICE takes; or what a BOOL takes besides yes
                        * and no, of which the first has the number 2; or NULL */
    bool own_process;  /* it changes the process, so that no session can share one */
};

/* A named table of options. A driver may add options to a group that exists already. */
struct modcat_option_group {
    const char *name; /* upper case */
    const char *help; /* one line; NULL when the group is another driver's or the core's */
    const struct modcat_option *options;
    size_t option_size; /* sizeof(struct modcat_option) in the driver */
    size_t option_count;
};
#define MODCAT_COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define MODCAT_OPTIONS(table)                                                                      \
    .options = (table), .option_size = sizeof((table)[0]), .option_count = MODCAT_COUNT(table)

/* The value given for the option with this canonical name, or NULL when it is not given; the last
 * one where it is given more than once. The option counts as used from then on. */
const struct modcat_value *modcat_option_value(struct modcat_opening *opening, const char *name);

/* The value behind `previous` of an option that is given several times, in the order of the command
 * line; `previous` NULL: the first one. NULL when there is none more. The option counts as used. */
const struct modcat_value *modcat_option_next(struct modcat_opening *opening, const char *name,
                                              const struct modcat_value *previous);

/* The last value given, with a default, for the common types. */
static inline bool modcat_option_bool(struct modcat_opening *opening, const char *name,
                                      bool otherwise)
{
    const struct modcat_value *value = modcat_option_value(opening, name);
    return value != NULL ? value->number != 0 : otherwise;
}

static inline long long modcat_option_number(struct modcat_opening *opening, const char *name,
                                             long long otherwise)
{
    const struct modcat_value *value = modcat_option_value(opening, name);
    return value != NULL ? value->number : otherwise;
}

static inline const char *modcat_option_string(struct modcat_opening *opening, const char *name,
                                               const char *otherwise)
{
    const struct modcat_value *value = modcat_option_value(opening, name);
    return value != NULL ? value->string : otherwise;
}

/* Carries out all options of a phase that are not used yet on `fd`, in the order of the command
 * line. What a driver does not apply itself, the host applies to the endpoint's descriptors after
 * `open` or `accept` returns. Returns 0, or -1 after reporting. */
int modcat_apply(struct modcat_opening *opening, enum modcat_phase phase, int fd);

/* Marks an option of this canonical name as used, whether given or not. */
void modcat_ignore_option(struct modcat_opening *opening, const char *name);

/* Warns that an option may yet change what it means, unless --experimental accepts that. */
void modcat_experimental(const struct modcat_opening *opening, const char *name);

/* The directions in which an address is used, and which an address type serves. */
#define MODCAT_DIR_READ 1u
#define MODCAT_DIR_WRITE 2u

/* Properties of an address type. */
#define MODCAT_TYPE_PROXY 1u /* a layer that makes what is below it connect to a target */
#define MODCAT_TYPE_OWN_NAME                                                                       \
    2u /* its parameter is the name of its socket: option bind is refused */
#define MODCAT_TYPE_OWN_PROCESS 4u /* its sessions can't share a process with others */
#define MODCAT_TYPE_NAMES_PEER                                                                     \
    8u                        /* a layer that learns in `wrap` who the peer is, and tells it with
                                    * modcat_set_peer(): filters wait until then */
#define MODCAT_TYPE_WAITS 16u /* `read`, `write` and `attend` of its endpoints may wait */
#define MODCAT_TYPE_ADDRESSES 32u /* its parameters are addresses, each in parentheses */
#define MODCAT_TYPE_REOPENS 64u   /* a layer that opens again what it stands on */
#define MODCAT_TYPE_SHARES 128u   /* its sessions share memory: modcat_share_all() */

/* What is being opened: the type's name as the user typed it, its parameters, and which directions
 * are wanted. `index` beyond the last parameter gives NULL. */
const char *modcat_keyword(const struct modcat_opening *opening);
size_t modcat_param_count(const struct modcat_opening *opening);
const char *modcat_param(const struct modcat_opening *opening, size_t index);
unsigned modcat_directions(const struct modcat_opening *opening);

/* Parses a parameter as the value of an option would be: with the type's limits, and for a CHOICE
 * its words (NULL otherwise). Fills *value in, whose size the caller has set; its pointers live as
 * long as the opening. Returns 0, or -1 after reporting with modcat_fail_param(). */
int modcat_param_value(struct modcat_opening *opening, size_t index, enum modcat_value_type type,
                       const char *words, struct modcat_value *value);

/* The `data` of the address type that is being opened. */
const void *modcat_type_data(const struct modcat_opening *opening);

/* "reading", "writing" or "reading and writing", for messages. */
const char *modcat_directions_name(const struct modcat_opening *opening);

/* What the program calls itself in its messages; option -lp changes it. */
const char *modcat_program_name(void);

/* Times are nanoseconds; deadlines are times of CLOCK_MONOTONIC. */
#define MODCAT_SECOND 1000000000LL
#define MODCAT_FOREVER (-1LL)

/* The deadline that lies `delay` from now. */
long long modcat_deadline(long long delay);

/* Waits until `fd` is ready for `events` (POLLIN, POLLOUT of poll(2)), or the deadline passes;
 * fd -1 only waits, deadline MODCAT_FOREVER does not pass. Returns 1 when ready, 0 at the deadline,
 * -1 with errno: ECANCELED when the program is asked to end. A driver never waits in any other
 * way. */
int modcat_wait(struct modcat_opening *opening, int fd, short events, long long deadline);

/* A descriptor of a driver's own, and what is waited for. */
struct modcat_watched {
    int fd;
    short events; /* POLLIN, POLLOUT of poll(2) */
    short ready;  /* which of them will not block */
};
#define MODCAT_WATCHED_MAX 8

/* Waits until one of several descriptors is ready; as modcat_wait() otherwise. Returns how many are
 * ready, and says in each whether it is. No more than MODCAT_WATCHED_MAX. */
int modcat_wait_for(struct modcat_opening *opening, struct modcat_watched *watched, size_t count,
                    long long deadline);

/* Runs `work(argument)` where it may block (a name look-up, opening a FIFO) while the host goes on
 * to handle signals. `argument` must come from malloc(3); it is handed back as it is when 0 is
 * returned. -1 with errno ECANCELED: the program is asked to end, and the argument is not the
 * caller's any more: `discard(argument)` gives back what `work` has left in it (memory, an open
 * descriptor) and frees it, in whichever thread comes last. NULL: it is freed by free(3). */
int modcat_call_blocking(struct modcat_opening *opening, void (*work)(void *argument),
                         void (*discard)(void *argument), void *argument);

/* Sets a variable for the programs that this session starts. The name comes without prefix:
 * "PEERADDR" becomes SOCAT_PEERADDR and MODCAT_PEERADDR. Both texts are copied; control characters
 * in the value become question marks. */
void modcat_setenv(struct modcat_opening *opening, const char *name, const char *value);

/* Removes a file system entry before it is made anew, if option unlink-early says so; a second call
 * does nothing. Returns 0, or -1 after reporting. modcat_open_path() does it by itself. */
int modcat_unlink_early(struct modcat_opening *opening, const char *path);

/* Removes a file system entry when the session closes, if the option unlink-close says so, or
 * where it is not given if `otherwise` is true. The path is copied. */
void modcat_unlink_at_close(struct modcat_opening *opening, const char *path, bool otherwise);

/* Calls `remove(name)` when the session closes, in the process that has said so, for what is no
 * file system entry (mq_unlink(3) for a message queue). The same once only, however often it is
 * said. What fails is a warning, unless the thing is gone. The name is copied. */
void modcat_remove_at_close(struct modcat_opening *opening, const char *name,
                            int (*remove)(const char *name));

/* Opens a path as open(2) does: phases PREOPEN to PASTOPEN, access mode by the wanted directions,
 * flags and mode by options; waits for a FIFO's other end without blocking the host.
 * `flags` are added to those of the options. Returns the descriptor, or -1 after reporting. */
int modcat_open_path(struct modcat_opening *opening, const char *path, int flags);

/* The flags for open(2), or a call like it: `flags`, the access mode by the wanted directions
 * unless it is among them, close-on-exec, and what the options of group OPEN change of it. These
 * options count as used. */
int modcat_open_flags(struct modcat_opening *opening, int flags);

/* Parses binary data in dalan notation ("x7f01 s80 \"text\""; numbers are C ints unless a letter
 * says otherwise) into `data`. Returns the number of bytes, or -1 with errno and *reason, a
 * constant text. */
ssize_t modcat_parse_data(const char *text, void *data, size_t size, const char **reason);

/* The kind of a file system entry for messages: "regular file", "named pipe", ...; "undef" where
 * there is none. */
const char *modcat_file_kind(const char *path);

/* Reads a file that holds a secret, such as a password; the end of line behind it does not belong
 * to it. Returns the text, for free(3), or NULL after reporting: it can't be read, is empty, holds
 * a zero byte or more than MODCAT_SECRET_MAX bytes. */
#define MODCAT_SECRET_MAX 4096
char *modcat_read_secret(struct modcat_opening *opening, const char *path);

/* Reads a whole file of no more than `most` bytes, also a pipe that another program still fills;
 * `what` it is, as in "certificate file", stands in messages. Returns its bytes and a NUL behind
 * them, for free(3), with their number; or NULL after reporting. */
char *modcat_read_file(struct modcat_opening *opening, const char *what, const char *path,
                       size_t most, size_t *length);

/* The value of an environment variable that holds a secret, or NULL where it is not set. Before
 * anything is opened, what options with `secret_name` name is taken out of the environment, so that
 * neither programs nor other users see it; getenv(3) has it no more. The text belongs to the host,
 * which wipes it when nothing more is to be prepared. */
const char *modcat_secret_from_environment(const char *name);

/* What happens to an endpoint's write side when no more will be written. */
enum modcat_half_close {
    MODCAT_HALF_NONE,     /* nothing: the other side is not told */
    MODCAT_HALF_SHUTDOWN, /* shutdown(2) of the write side */
    MODCAT_HALF_CLOSE,    /* the write descriptor is closed */
    MODCAT_HALF_NULL      /* an empty datagram is sent */
};

/* Properties of an endpoint. */
#define MODCAT_END_INHERITED 1u /* descriptors are shared with others: never switched or closed */
#define MODCAT_END_MESSAGES 2u  /* each read gives one message; an empty one is no end of file */
#define MODCAT_END_SOCKET 4u    /* descriptors are sockets: shutdown(2) comes before close */
#define MODCAT_END_ONE_READ 8u  /* end of file comes after the first message */
#define MODCAT_END_REPORTED 16u /* the driver has reported why reading or writing fails */
#define MODCAT_END_PROGRAM 32u  /* a program is at the other end: a reset means that it has ended */
#define MODCAT_END_EMPTY_ENDS 64u   /* with MESSAGES: an empty message is the end of file */
#define MODCAT_END_GIVES_BACK 128u  /* what is written comes out where it is read, nowhere else */
#define MODCAT_END_LOSES_ALONE 256u /* with MESSAGES: one that can't be written is lost alone */
#define MODCAT_END_WHOLE                                                                           \
    512u /* no half-close: its peer is told of the end by `goodbye` only,
                                     * and the peer's end is the end of both directions */

/* What else an endpoint waits for, besides reading and writing. */
struct modcat_attention {
    size_t size;        /* at least sizeof(struct modcat_attention) in the driver */
    long long deadline; /* when `attend` is to be called at the latest, or MODCAT_FOREVER */
    size_t count;       /* of those in use */
    struct modcat_watched watched[MODCAT_WATCHED_MAX];
};

/* What the two ends of a session tell each other besides data. */
enum modcat_news_kind {
    MODCAT_NEWS_WINDOW = 1, /* the window of a terminal has `rows` and `columns` */
    MODCAT_NEWS_BREAK,      /* a break, of `milliseconds`; 0: as long as is usual */
    MODCAT_NEWS_LINE,       /* speed and format of a terminal line */
    MODCAT_NEWS_MODEM       /* modem lines that have changed: TIOCM_* of ioctl_tty(2) */
};

struct modcat_news {
    size_t size; /* sizeof(struct modcat_news) in whoever tells */
    enum modcat_news_kind kind;
    unsigned rows, columns;         /* WINDOW */
    unsigned milliseconds;          /* BREAK */
    unsigned long speed;            /* LINE: bits per second */
    unsigned data_bits, stop_bits;  /* LINE: 5 to 8, 1 or 2 */
    char parity;                    /* LINE: 'n', 'e', 'o', 'm', 's' */
    bool xonxoff, rtscts;           /* LINE: flow control */
    unsigned modem_mask, modem_set; /* MODEM: which lines, and those that are on */
};

/* What a driver does itself. Every member may be NULL; with none, the endpoint is a pair of plain
 * descriptors and the host moves data in the cheapest way. No call waits, unless the type says
 * MODCAT_TYPE_WAITS: EAGAIN says that something has to become ready first. */
struct modcat_endpoint_ops {
    size_t size; /* sizeof(struct modcat_endpoint_ops) in the driver */

    /* Reads up to `length` bytes. Returns the count, 0 at the end, -1 with errno. With
     * MODCAT_END_MESSAGES it gives one message, and what does not fit is lost; an empty one is
     * returned as 0. */
    ssize_t (*read)(struct modcat_endpoint *endpoint, void *buffer, size_t length);

    /* Writes up to `length` bytes. Returns the count, which may be less, -1 with errno. After
     * EAGAIN the host writes the same bytes again, possibly from another place and with others
     * behind them. */
    ssize_t (*write)(struct modcat_endpoint *endpoint, const void *buffer, size_t length);

    /* Tells the peer that no more will be written. Returns 0, -1 with errno; after EAGAIN it is
     * called again, until the time of option -t has passed. */
    int (*shutdown)(struct modcat_endpoint *endpoint);

    /* Frees `state` at the end; the host closes the descriptors afterwards. */
    void (*close)(struct modcat_endpoint *endpoint);

    /* True when `read` has data though the descriptor is not readable. */
    bool (*pending)(struct modcat_endpoint *endpoint);

    /* What to wait for before the next `read` (MODCAT_DIR_READ) or `write` (MODCAT_DIR_WRITE):
     * POLLIN on read_fd or POLLOUT on write_fd. Without it a read waits for POLLIN, a write for
     * POLLOUT. */
    short (*wants)(struct modcat_endpoint *endpoint, unsigned direction);

    /* The program's terminal may have another size now, or other settings, which others have made
     * while the program was stopped. */
    void (*refresh)(struct modcat_endpoint *endpoint);

    /* True when nobody is left at the other end to take what is written, though the descriptor does
     * not say so. Asked at the end of a session that can't deliver something. */
    bool (*abandoned)(struct modcat_endpoint *endpoint);

    /* Says goodbye when the session ends, before anything below is shut down; the highest layer
     * comes first. `complete`: the peer has got all that there was. Returns 0 when it is done, or
     * -1 with errno; after EAGAIN it is called again when what it has put into *wants is ready
     * (POLLIN, POLLOUT, or both), as long as option -t allows. */
    int (*goodbye)(struct modcat_endpoint *endpoint, bool complete, short *wants);

    /* Says what else the endpoint waits for, in *attention, which comes empty. Asked before each
     * wait. */
    void (*watch)(struct modcat_endpoint *endpoint, struct modcat_attention *attention);

    /* One of these descriptors is ready, or the time has come. Returns 0, or -1 with errno: then
     * the endpoint has failed in both directions. */
    int (*attend)(struct modcat_endpoint *endpoint, const struct modcat_attention *attention);

    /* The other end of the session tells something. Returns 0, or -1 with errno: ENOTSUP when this
     * is no matter of the endpoint, so that what is below it gets to know. */
    int (*hear)(struct modcat_endpoint *endpoint, const struct modcat_news *news);
};

/* An opened address. The host makes it, with -1 for the descriptors; the driver fills it in. */
struct modcat_endpoint {
    size_t size;    /* at least sizeof(struct modcat_endpoint) in the driver */
    int read_fd;    /* wait here to read; -1: not readable */
    int write_fd;   /* wait here to write; may equal read_fd; -1: not writable. The host makes both
                   * not blocking, unless they are shared with others (MODCAT_END_INHERITED), and
                   * closes them; of a layer they are those below it, or its own, which its `close`
                   * closes. A source that has no descriptor uses eventfd(2). */
    unsigned flags; /* MODCAT_END_... */
    enum modcat_half_close half_close;
    const struct modcat_endpoint_ops *ops; /* or NULL */
    void *state;                           /* the driver's own */
    void *host;                            /* the host's own: drivers leave it alone */
    size_t message_max; /* with MESSAGES: most that one write takes; 0: not known */
};

/* What a server address opens first. The host makes it, with fd -1; the driver fills it in. */
struct modcat_listener {
    size_t size; /* at least sizeof(struct modcat_listener) in the driver */
    int fd;      /* readable when a peer waits */

    /* Turns the next peer into an endpoint. The opening is this peer's own; the driver tells the
     * host who it is with modcat_set_peer(). Returns 0; 1 when no peer is there after all;
     * -1 after reporting. */
    int (*accept)(struct modcat_listener *listener, struct modcat_opening *opening,
                  struct modcat_endpoint *endpoint);

    /* Frees `state` at the end, or NULL; the host closes fd afterwards. */
    void (*close)(struct modcat_listener *listener);
    void *state; /* the driver's own */

    /* True when `accept` has a peer though fd is not readable; may be NULL. */
    bool (*pending)(struct modcat_listener *listener);
    const char *waiting; /* what messages call waiting for a peer; NULL: "listening on" */
};

/* Says who is at the other end, and which own address it reached, for filters, messages and
 * children's environments. Copied. `local` may be NULL. */
void modcat_set_peer(struct modcat_opening *opening, const struct sockaddr *peer,
                     socklen_t peer_length, const struct sockaddr *local, socklen_t local_length);

/* The peer's address, and the own one that it reached; of a layer what it has set, or else what the
 * highest below it that knows them has. NULL where nobody has set one. */
const struct sockaddr *modcat_peer(const struct modcat_opening *opening, socklen_t *length);
const struct sockaddr *modcat_own_address(const struct modcat_opening *opening, socklen_t *length);

/* The same of the other address of the session. NULL also while that is not open. */
const struct sockaddr *modcat_other_peer(const struct modcat_opening *opening, socklen_t *length);
const struct sockaddr *modcat_other_own_address(const struct modcat_opening *opening,
                                                socklen_t *length);

/* What the other address of the session has set as a variable of this name, or NULL. It lives until
 * it is set again. */
const char *modcat_other_variable(const struct modcat_opening *opening, const char *name);

/* Tells the other address of the session something, from the highest of its layers down to the
 * first that hears. Returns 0, or -1 with errno: ENOTSUP when nobody does, ENOTCONN while it is not
 * open. */
int modcat_tell(const struct modcat_opening *opening, const struct modcat_news *news);

/* Opens an address in the wanted directions. Returns 0, or -1 after reporting with modcat_fail(),
 * with nothing left open. */
typedef int modcat_open_fn(struct modcat_opening *opening, struct modcat_endpoint *endpoint);

/* Opens the listening half of a server address. Returns as modcat_open_fn. */
typedef int modcat_listen_fn(struct modcat_opening *opening, struct modcat_listener *listener);

/* Puts a layer on an endpoint that is open: a handshake, mostly. `lower` belongs to the host and
 * stays open as long as `endpoint`; <modcat/layer.h> has what is needed to use it. `endpoint` comes
 * with the descriptors of `lower`, no operations and no flags. Returns 0; 1 to refuse the peer of a
 * listener, which then waits for the next one, after logging why; -1 after reporting with
 * modcat_fail(). Whatever is not 0 leaves nothing of the layer behind: `close` is not called. */
typedef int modcat_wrap_fn(struct modcat_opening *opening, struct modcat_endpoint *lower,
                           struct modcat_endpoint *endpoint);

/* The first packet of an unknown sender. */
struct modcat_first_packet {
    size_t size; /* sizeof(struct modcat_first_packet) in the host */
    const void *data;
    size_t length;
    void *answer;         /* room for an answer, no longer than three times the packet */
    size_t answer_room;   /* in bytes */
    size_t answer_length; /* 0: no answer */
};

/* Judges the first packet of a sender before a peer is made of it, for a layer whose protocol
 * answers senders that may have been forged with a cookie. modcat_peer() says who it is. Returns
 * true when there is to be a peer, who begins with this packet; otherwise nothing is kept, and the
 * answer is sent, if there is one. */
typedef bool modcat_screen_fn(struct modcat_opening *opening, struct modcat_first_packet *packet);

/* Does what a layer can do before anything is opened, once for all peers of a listener: reads files
 * and checks options. `*prepared`, which comes as NULL, is what modcat_prepared() gives later, and
 * what `release` of the type frees, once, when nobody needs it any more. Returns as modcat_open_fn;
 * after -1 `release` is not called. */
typedef int modcat_prepare_fn(struct modcat_opening *opening, void **prepared);

/* One address type. Exactly one of `open` and `listen` is set, or neither in a layer that only
 * stands on top of something else.
 *
 * A type with `wrap` is a layer. On its own, `open` (or `listen` and its `accept`) makes the lower
 * endpoint from the parameters, and `wrap` is called on that. In `LAYER|LOWER` the lower address
 * is opened as what it is, and `wrap` is called on that. What comes from a listener is wrapped in
 * the session, so that one slow peer never holds up the next.
 *
 * Before anything is opened, the program checks the number of parameters, and what the syntax calls
 * `<port>` (0 to 65535, in types that take group IPAPP; or a service's name), `<fdnum>`, `<cid>`,
 * `<protocol>` and `<ip-addr>/<bits>`. It refuses an empty `<host>` (of types with IPAPP, IP4 or
 * IP6), `<filename>`, `<interface>`, `<mqname>`, `<command-line>`, `<string>`, `<domain>` and
 * `<type>`, and names that are too long for their protocol. */
struct modcat_address_type {
    const char *name;    /* canonical, upper case */
    const char *aliases; /* further names, separated by commas, or NULL */
    const char *syntax;  /* the parameters, ":<host>:<port>", or NULL when there are none */
    const char *groups;  /* the option groups it accepts, separated by commas */
    const char *help;    /* one line, lower case, no full stop */
    const char *example; /* a command that shows it, or NULL */
    unsigned directions; /* MODCAT_DIR_READ, MODCAT_DIR_WRITE: those that it can serve */
    unsigned flags;      /* MODCAT_TYPE_... */
    unsigned min_params;
    unsigned max_params;
    const void *data; /* the driver's own, see modcat_type_data() */
    modcat_open_fn *open;
    modcat_listen_fn *listen;
    modcat_wrap_fn *wrap;       /* of layers */
    modcat_prepare_fn *prepare; /* of layers, or NULL */
    void (*release)(void *prepared);
    unsigned layer_min_params; /* parameters on top of another address */
    unsigned layer_max_params;
    const char *layer_syntax; /* as syntax, on top of another address */
    const char *layer_groups; /* option groups on top of another address; NULL: `groups` */
    modcat_screen_fn *screen; /* of layers over packets, or NULL */
};
#define MODCAT_TYPES(table)                                                                        \
    .types = (table), .type_size = sizeof((table)[0]), .type_count = MODCAT_COUNT(table)
#define MODCAT_GROUPS(table)                                                                       \
    .groups = (table), .group_size = sizeof((table)[0]), .group_count = MODCAT_COUNT(table)

/* A driver. */
struct modcat_driver {
    size_t size; /* sizeof(struct modcat_driver) in the driver */
    unsigned abi_major;
    unsigned abi_minor;
    size_t endpoint_size; /* sizeof(struct modcat_endpoint) in the driver */
    size_t listener_size; /* sizeof(struct modcat_listener) in the driver */
    const char *name;     /* lower case, the file's name without ".so" */
    const char *version;
    const char *summary; /* one line */
    const char *needs;   /* drivers that must be loaded before, separated by commas, or NULL */
    const struct modcat_address_type *types;
    size_t type_size;
    size_t type_count;
    const struct modcat_option_group *groups;
    size_t group_size;
    size_t group_count;
};

#if defined(__GNUC__)
#define MODCAT_EXPORT __attribute__((visibility("default")))
#else
#define MODCAT_EXPORT
#endif

#ifdef __cplusplus
#define MODCAT_EXTERN extern "C"
#else
#define MODCAT_EXTERN extern
#endif

/* Defines the one symbol that a driver exports:
 *   MODCAT_DRIVER(.name = "upper", .version = "1.0", .summary = "...", MODCAT_TYPES(types));
 * C++ wants members in the order in which the struct has them, in the tables too. */
#define MODCAT_DRIVER(...)                                                                         \
    MODCAT_EXTERN MODCAT_EXPORT const struct modcat_driver modcat_driver;                          \
    const struct modcat_driver modcat_driver = {.size = sizeof(struct modcat_driver),              \
                                                .abi_major = MODCAT_ABI_MAJOR,                     \
                                                .abi_minor = MODCAT_ABI_MINOR,                     \
                                                .endpoint_size = sizeof(struct modcat_endpoint),   \
                                                .listener_size = sizeof(struct modcat_listener),   \
                                                __VA_ARGS__}

#ifdef __cplusplus
}
#endif

#endif
