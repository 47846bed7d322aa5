#define _GNU_SOURCE
#include "core/services/net/unix_unread.h"

#include "core/base/memory.h"
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct question {
    struct nlmsghdr header;
    struct unix_diag_req request;
};

static bool ask(int netlink, uint32_t inode, uint32_t show)
{
    const struct question question = {
        .header = {.nlmsg_len = sizeof question,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST},
        .request = {.sdiag_family = AF_UNIX,
                    .udiag_states = UINT32_MAX,
                    .udiag_ino = inode,
                    .udiag_show = show,
                    .udiag_cookie = {UINT32_MAX, UINT32_MAX}},
    };
    return send(netlink, &question, sizeof question, MSG_DONTWAIT) == (ssize_t)sizeof question;
}

/* Copies an attribute of an answer. Returns false where it is not there. */
static bool find(const char *answer, size_t length, uint16_t type, void *value, size_t size)
{
    size_t at = NLMSG_LENGTH(sizeof(struct unix_diag_msg));
    struct nlattr attribute;
    for (; at + sizeof attribute <= length; at += NLMSG_ALIGN(attribute.nla_len)) {
        memcpy(&attribute, answer + at, sizeof attribute);
        if (attribute.nla_len < sizeof attribute || attribute.nla_len > length - at)
            return false;
        if (attribute.nla_type == type && attribute.nla_len >= sizeof attribute + size) {
            memcpy(value, answer + at + sizeof attribute, size);
            return true;
        }
    }
    return false;
}

/* The answer is there when the question has been sent. */
static bool look(int netlink, uint32_t inode, uint32_t show, uint16_t type, void *value,
                 size_t size)
{
    char answer[1024];
    struct nlmsghdr header;
    if (!ask(netlink, inode, show))
        return false;
    ssize_t length = recv(netlink, answer, sizeof answer, MSG_DONTWAIT);
    if (length < (ssize_t)sizeof header)
        return false;
    memcpy(&header, answer, sizeof header);
    return header.nlmsg_type == SOCK_DIAG_BY_FAMILY &&
           find(answer, (size_t)length, type, value, size);
}

long long unix_unread(int fd)
{
    struct stat status;
    uint32_t peer;
    struct unix_diag_rqlen queue;
    AUTO_CLOSE int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (netlink < 0 || fstat(fd, &status) < 0 ||
        !look(netlink, (uint32_t)status.st_ino, UDIAG_SHOW_PEER, UNIX_DIAG_PEER, &peer,
              sizeof peer) ||
        !look(netlink, peer, UDIAG_SHOW_RQLEN, UNIX_DIAG_RQLEN, &queue, sizeof queue))
        return -1;
    return queue.udiag_rqueue;
}
