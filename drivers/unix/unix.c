/* UNIX, ABSTRACT: sockets within this host, named by a path or by a name of their own. */

#include <errno.h>
#include <modcat/driver.h>
#include <modcat/net.h>
#include <string.h>

static modcat_open_fn unix_connect, unix_client, unix_sendto, unix_recv;
static modcat_listen_fn unix_listen, unix_recvfrom;

/* What a name stands for. */
struct naming {
    bool abstract;
};
static const struct naming paths = {.abstract = false};
static const struct naming names = {.abstract = true};

static modcat_check_fn check_template;

static const struct modcat_option options[] = {
    {.name = "unix-bind-tempname",
     .aliases = "bind-tempname",
     .help = "bind to a temporary name (template with XXXXXX)",
     .type = MODCAT_STRING_OR_NONE,
     .phase = MODCAT_PHASE_PREOPEN,
     .effect = MODCAT_FETCHED,
     .check = check_template},
    {.name = "unix-tightsocklen",
     .aliases = "tightsocklen",
     .help = "an address ends where its name does, and is not filled up with zeros",
     .type = MODCAT_BOOL,
     .phase = MODCAT_PHASE_PREBIND,
     .effect = MODCAT_FETCHED},
};

static const struct modcat_option_group groups[] = {
    {.name = "UNIX", .help = "options of UNIX sockets", MODCAT_OPTIONS(options)},
};

/* Without a value, or with an empty one, the program has a template of its own. */
static const char *check_template(const struct modcat_value *value)
{
    bool own = value->absent || *value->string == '\0';
    return own || strstr(value->string, "XXXXXX") != NULL ? NULL : "it must contain XXXXXX";
}

#define NAME_GROUPS "FD,SOCKET,RETRY,UNIX"
#define PATH_GROUPS NAME_GROUPS ",NAMED"

#define NAMED .syntax = ":<filename>", .min_params = 1, .max_params = 1
#define OWN_NAME(which) .directions = (which), .flags = MODCAT_TYPE_OWN_NAME
#define BOTH_WAYS .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE

static const struct modcat_address_type types[] = {
    {
        .name = "UNIX-CONNECT",
        .aliases = "LOCAL",
        .groups = PATH_GROUPS,
        .help = "connect to a UNIX stream socket",
        .example = "modcat - UNIX-CONNECT:/run/service.sock",
        .data = &paths,
        .open = unix_connect,
        NAMED,
        BOTH_WAYS,
    },
    {
        .name = "UNIX-LISTEN",
        .aliases = "UNIX-L",
        .groups = PATH_GROUPS ",LISTEN,CHILD",
        .help = "wait for a connection on a UNIX socket",
        .example = "modcat UNIX-LISTEN:service.sock,mode=600,fork TCP:localhost:80",
        .data = &paths,
        .listen = unix_listen,
        NAMED,
        OWN_NAME(MODCAT_DIR_READ | MODCAT_DIR_WRITE),
    },
    {
        .name = "UNIX-CLIENT",
        .aliases = "UNIX",
        .groups = PATH_GROUPS,
        .help = "connect to a UNIX socket of any type",
        .example = "modcat - UNIX-CLIENT:/run/service.sock",
        .data = &paths,
        .open = unix_client,
        NAMED,
        BOTH_WAYS,
    },
    {
        .name = "UNIX-SENDTO",
        .aliases = "UNIX-SEND",
        .groups = PATH_GROUPS,
        .help = "send packets to a UNIX datagram socket",
        .example = "modcat -u STDIN UNIX-SENDTO:/dev/log",
        .data = &paths,
        .open = unix_sendto,
        NAMED,
        BOTH_WAYS,
    },
    {
        .name = "UNIX-RECVFROM",
        .groups = PATH_GROUPS ",CHILD",
        .help = "receive one packet on a UNIX datagram socket, and answer its sender",
        .example = "modcat UNIX-RECVFROM:service.sock,fork PIPE",
        .data = &paths,
        .listen = unix_recvfrom,
        NAMED,
        OWN_NAME(MODCAT_DIR_READ | MODCAT_DIR_WRITE),
    },
    {
        .name = "UNIX-RECV",
        .groups = PATH_GROUPS,
        .help = "receive packets on a UNIX datagram socket from any sender",
        .example = "modcat -u UNIX-RECV:log.sock STDOUT",
        .data = &paths,
        OWN_NAME(MODCAT_DIR_READ),
        .open = unix_recv,
        NAMED,
    },
    {
        .name = "ABSTRACT-CONNECT",
        .groups = NAME_GROUPS,
        .help = "connect to a UNIX stream socket with an abstract name",
        .example = "modcat - ABSTRACT-CONNECT:service",
        .data = &names,
        .open = unix_connect,
        NAMED,
        BOTH_WAYS,
    },
    {
        .name = "ABSTRACT-LISTEN",
        .groups = NAME_GROUPS ",LISTEN,CHILD",
        .help = "wait for a connection on a UNIX socket with an abstract name",
        .example = "modcat ABSTRACT-LISTEN:service,fork TCP:localhost:80",
        .data = &names,
        .listen = unix_listen,
        NAMED,
        OWN_NAME(MODCAT_DIR_READ | MODCAT_DIR_WRITE),
    },
    {
        .name = "ABSTRACT-CLIENT",
        .aliases = "ABSTRACT",
        .groups = NAME_GROUPS,
        .help = "connect to a UNIX socket of any type with an abstract name",
        .example = "modcat - ABSTRACT-CLIENT:service",
        .data = &names,
        .open = unix_client,
        NAMED,
        BOTH_WAYS,
    },
    {
        .name = "ABSTRACT-SENDTO",
        .groups = NAME_GROUPS,
        .help = "send packets to a UNIX datagram socket with an abstract name",
        .example = "modcat -u STDIN ABSTRACT-SENDTO:service",
        .data = &names,
        .open = unix_sendto,
        NAMED,
        BOTH_WAYS,
    },
    {
        .name = "ABSTRACT-RECVFROM",
        .groups = NAME_GROUPS ",CHILD",
        .help = "receive one packet on an abstract UNIX datagram socket, and answer its sender",
        .example = "modcat ABSTRACT-RECVFROM:service,fork PIPE",
        .data = &names,
        .listen = unix_recvfrom,
        NAMED,
        OWN_NAME(MODCAT_DIR_READ | MODCAT_DIR_WRITE),
    },
    {
        .name = "ABSTRACT-RECV",
        .groups = NAME_GROUPS,
        .help = "receive packets on an abstract UNIX datagram socket from any sender",
        .example = "modcat -u ABSTRACT-RECV:service STDOUT",
        .data = &names,
        OWN_NAME(MODCAT_DIR_READ),
        .open = unix_recv,
        NAMED,
    },
};

MODCAT_DRIVER(.name = "unix", .version = MODCAT_DRIVER_VERSION,
              .summary = "UNIX sockets, with paths and abstract names", MODCAT_TYPES(types),
              MODCAT_GROUPS(groups));

static const struct modcat_transport stream = {
    .size = sizeof(struct modcat_transport), .family = AF_UNIX, .socktype = SOCK_STREAM};
static const struct modcat_transport datagram = {
    .size = sizeof(struct modcat_transport), .family = AF_UNIX, .socktype = SOCK_DGRAM};

static bool is_abstract(const struct modcat_opening *opening)
{
    const struct naming *naming = modcat_type_data(opening);
    return naming->abstract;
}

/* The address that the parameter names. */
static int named_address(struct modcat_opening *opening, struct modcat_sockaddr *address)
{
    return modcat_unix_address(opening, modcat_param(opening, 0), is_abstract(opening), address);
}

/* Without a name of its own, a client has no entry that these could be about. */
static const char *const entry_options[] = {
    "perm",      "user",       "group",  "perm-early",   "user-early",  "group-early",  "perm-late",
    "user-late", "group-late", "unlink", "unlink-early", "unlink-late", "unlink-close",
};

static int check_entry_options(struct modcat_opening *opening)
{
    for (size_t i = 0; i < MODCAT_COUNT(entry_options); i++) {
        if (modcat_option_value(opening, entry_options[i]) == NULL)
            continue;
        errno = EINVAL;
        return modcat_fail(opening, "Option \"%s\" only with bind option", entry_options[i]);
    }
    return 0;
}

static int own_address(struct modcat_opening *opening, struct modcat_sockaddr *local)
{
    if (modcat_unix_local(opening, is_abstract(opening), local) < 0)
        return -1;
    return local->length == 0 ? check_entry_options(opening) : 0;
}

static int unix_connect(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    struct modcat_sockaddr peer, local;
    if (named_address(opening, &peer) < 0 || own_address(opening, &local) < 0)
        return -1;
    return modcat_connect_to(opening, &stream, &peer, &local, false, endpoint);
}

static int unix_client(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    struct modcat_sockaddr local;
    if (own_address(opening, &local) < 0)
        return -1;
    return modcat_unix_client(opening, modcat_param(opening, 0), is_abstract(opening), endpoint);
}

static int unix_sendto(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    struct modcat_sockaddr target, local;
    if (named_address(opening, &target) < 0 || own_address(opening, &local) < 0)
        return -1;
    return modcat_sendto(opening, &datagram, &target, &local, MODCAT_TARGET_ONLY, endpoint);
}

static int unix_listen(struct modcat_opening *opening, struct modcat_listener *listener)
{
    struct modcat_sockaddr local;
    if (named_address(opening, &local) < 0)
        return -1;
    return modcat_listen_on(opening, &stream, &local, listener);
}

static int unix_recvfrom(struct modcat_opening *opening, struct modcat_listener *listener)
{
    struct modcat_sockaddr local;
    if (named_address(opening, &local) < 0)
        return -1;
    return modcat_receive_from(opening, &datagram, &local, MODCAT_ONE_PACKET, listener);
}

static int unix_recv(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    struct modcat_sockaddr local;
    if (named_address(opening, &local) < 0)
        return -1;
    return modcat_receive_on(opening, &datagram, &local, endpoint);
}
