/* VSOCK: sockets between a virtual machine and its host, or other machines on it. */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <modcat/driver.h>
#include <modcat/net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

static modcat_open_fn vsock_connect;
static modcat_listen_fn vsock_listen;

static const struct modcat_transport transport = {
    .size = sizeof(struct modcat_transport), .family = AF_VSOCK, .socktype = SOCK_STREAM};

#define CONNECT_GROUPS "FD,SOCKET,CHILD,RETRY"
#define LISTEN_GROUPS CONNECT_GROUPS ",LISTEN"

static const struct modcat_address_type types[] = {
    {
        .name = "VSOCK-CONNECT",
        .aliases = "VSOCK",
        .syntax = ":<cid>:<vsock-port>",
        .groups = CONNECT_GROUPS,
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "connect to a port of a virtual machine or its host",
        .example = "modcat - VSOCK:2:1234",
        .min_params = 2,
        .max_params = 2,
        .open = vsock_connect,
    },
    {
        .name = "VSOCK-LISTEN",
        .aliases = "VSOCK-L",
        .syntax = ":<vsock-port>",
        .groups = LISTEN_GROUPS,
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "wait for a connection from a virtual machine or its host",
        .example = "modcat VSOCK-LISTEN:1234,fork PIPE",
        .min_params = 1,
        .max_params = 1,
        .listen = vsock_listen,
    },
};

MODCAT_DRIVER(.name = "vsock", .version = MODCAT_DRIVER_VERSION,
              .summary = "sockets between virtual machines and their host", MODCAT_TYPES(types));

/* Reads an unsigned number of 32 bits that ends at `end`; `what` it is, for messages. */
static int read_number(struct modcat_opening *opening, const char *text, char end, const char *what,
                       unsigned *number, const char **rest)
{
    char *after;
    errno = 0;
    unsigned long long value = strtoull(text, &after, 0);
    if (!isdigit((unsigned char)*text) || (*after != end && *after != '\0')) {
        errno = EINVAL;
        return modcat_fail(opening, "%s \"%s\" is not a number", what,
                           isdigit((unsigned char)*text) ? after : text);
    }
    if (errno != 0 || value > UINT32_MAX) {
        errno = ERANGE;
        return modcat_fail(opening, "%s \"%s\" is too large (at most %u)", what, text, UINT32_MAX);
    }
    *number = (unsigned)value;
    *rest = after;
    return 0;
}

static void make_address(unsigned cid, unsigned port, struct modcat_sockaddr *address)
{
    struct sockaddr_vm *vm = (struct sockaddr_vm *)&address->u.storage;
    *address = (struct modcat_sockaddr){.length = sizeof *vm};
    vm->svm_family = AF_VSOCK;
    vm->svm_cid = cid;
    vm->svm_port = port;
}

static int read_address(struct modcat_opening *opening, const char *cid_text, const char *port_text,
                        struct modcat_sockaddr *address)
{
    unsigned cid = VMADDR_CID_ANY, port = VMADDR_PORT_ANY;
    const char *rest;
    if ((cid_text != NULL && read_number(opening, cid_text, '\0', "cid", &cid, &rest) < 0) ||
        (port_text != NULL && read_number(opening, port_text, '\0', "port", &port, &rest) < 0))
        return -1;
    make_address(cid, port, address);
    return 0;
}

/* The own address of a client: "cid", "cid:port" or ":port" of option bind. */
static int read_local(struct modcat_opening *opening, struct modcat_sockaddr *local)
{
    const char *text = modcat_option_string(opening, "bind", NULL);
    unsigned cid = VMADDR_CID_ANY, port = VMADDR_PORT_ANY;
    local->length = 0;
    if (text == NULL)
        return 0;
    if (*text != ':' && read_number(opening, text, ':', "cid", &cid, &text) < 0)
        return -1;
    if (*text == ':' && read_number(opening, text + 1, '\0', "port", &port, &text) < 0)
        return -1;
    make_address(cid, port, local);
    return 0;
}

/* The number is for the reader of the log only; a machine without it may still have the loopback.
 */
static void tell_own_cid(void)
{
    unsigned cid;
    int fd = open("/dev/vsock", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        modcat_log(MODCAT_INFO, "open(\"/dev/vsock\"): %s", strerror(errno));
        return;
    }
    if (ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid) == 0)
        modcat_log(MODCAT_NOTICE, "VSOCK CID=%u", cid);
    else
        modcat_log(MODCAT_INFO, "ioctl(%d, IOCTL_VM_SOCKETS_GET_LOCAL_CID, ...): %s", fd,
                   strerror(errno));
    close(fd);
}

static int vsock_connect(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    struct modcat_sockaddr peer, local;
    if (read_address(opening, modcat_param(opening, 0), modcat_param(opening, 1), &peer) < 0 ||
        read_local(opening, &local) < 0)
        return -1;
    tell_own_cid();
    return modcat_connect_to(opening, &transport, &peer, &local, false, endpoint);
}

static int vsock_listen(struct modcat_opening *opening, struct modcat_listener *listener)
{
    struct modcat_sockaddr local;
    const char *cid = modcat_option_string(opening, "bind", NULL);
    if (read_address(opening, cid, modcat_param(opening, 0), &local) < 0)
        return -1;
    tell_own_cid();
    return modcat_listen_on(opening, &transport, &local, listener);
}
