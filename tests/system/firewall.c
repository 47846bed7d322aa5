#define _GNU_SOURCE
#include "tests/system/firewall.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TABLE "modcat-test"

/* A batch of netlink messages, as the kernel takes changes of its tables. */
struct batch {
    _Alignas(NLMSG_ALIGNTO) char bytes[1024];
    size_t length;
    size_t message; /* where the last one begins */
};

static void *add(struct batch *batch, size_t size)
{
    void *place = batch->bytes + batch->length;
    batch->length += NLMSG_ALIGN(size);
    return place;
}

static void add_message(struct batch *batch, unsigned type, unsigned flags, unsigned resource)
{
    batch->message = batch->length;
    struct nlmsghdr *header = add(batch, sizeof *header);
    header->nlmsg_type = (uint16_t)type;
    header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    struct nfgenmsg *family = add(batch, sizeof *family);
    *family = (struct nfgenmsg){.nfgen_family = resource != 0 ? NFPROTO_UNSPEC : NFPROTO_INET,
                                .version = NFNETLINK_V0,
                                .res_id = htons((uint16_t)resource)};
}

static void end_message(struct batch *batch)
{
    struct nlmsghdr *header = (void *)(batch->bytes + batch->message);
    header->nlmsg_len = (uint32_t)(batch->length - batch->message);
}

static void add_attribute(struct batch *batch, unsigned type, const void *value, size_t size)
{
    struct nlattr *attribute = add(batch, sizeof *attribute + size);
    attribute->nla_type = (uint16_t)type;
    attribute->nla_len = (uint16_t)(sizeof *attribute + size);
    memcpy(attribute + 1, value, size);
}

static void add_number(struct batch *batch, unsigned type, uint32_t number)
{
    uint32_t value = htonl(number);
    add_attribute(batch, type, &value, sizeof value);
}

static void add_name(struct batch *batch, unsigned type, const char *name)
{
    add_attribute(batch, type, name, strlen(name) + 1);
}

static void add_hook(struct batch *batch)
{
    struct nlattr *hook = add(batch, sizeof *hook);
    size_t begin = batch->length;
    add_number(batch, NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_OUT);
    add_number(batch, NFTA_HOOK_PRIORITY, 0);
    hook->nla_type = NFTA_CHAIN_HOOK | NLA_F_NESTED;
    hook->nla_len = (uint16_t)(sizeof *hook + batch->length - begin);
}

#define TYPE(name) (NFNL_SUBSYS_NFTABLES << 8 | (name))

static void add_table(struct batch *batch, unsigned type, unsigned flags)
{
    add_message(batch, type, flags, 0);
    add_name(batch, NFTA_TABLE_NAME, TABLE);
    end_message(batch);
}

static void add_chain(struct batch *batch)
{
    add_message(batch, TYPE(NFT_MSG_NEWCHAIN), NLM_F_CREATE | NLM_F_ACK, 0);
    add_name(batch, NFTA_CHAIN_TABLE, TABLE);
    add_name(batch, NFTA_CHAIN_NAME, "output");
    add_hook(batch);
    add_number(batch, NFTA_CHAIN_POLICY, NF_DROP);
    add_name(batch, NFTA_CHAIN_TYPE, "filter");
    end_message(batch);
}

/* Returns 0, or an error that the kernel answers with. */
static int carry_out(const struct batch *batch)
{
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char more[512];
    } answer = {.error.error = -EPROTO};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    int error = fd < 0 ? errno : 0;
    if (fd >= 0 && send(fd, batch->bytes, batch->length, 0) == (ssize_t)batch->length &&
        recv(fd, &answer, sizeof answer, 0) > 0)
        error = -answer.error.error;
    if (fd >= 0)
        close(fd);
    return error;
}

static int change(bool closed)
{
    struct batch batch = {.length = 0};
    add_message(&batch, NFNL_MSG_BATCH_BEGIN, 0, NFNL_SUBSYS_NFTABLES);
    end_message(&batch);
    if (closed) {
        add_table(&batch, TYPE(NFT_MSG_NEWTABLE), NLM_F_CREATE);
        add_chain(&batch);
    } else {
        add_table(&batch, TYPE(NFT_MSG_DELTABLE), NLM_F_ACK);
    }
    add_message(&batch, NFNL_MSG_BATCH_END, 0, NFNL_SUBSYS_NFTABLES);
    end_message(&batch);
    return carry_out(&batch);
}

void firewall_close(struct harness *harness)
{
    int error = change(true);
    if (error == EPROTONOSUPPORT || error == EOPNOTSUPP || error == ENOENT || error == EPERM ||
        error == EINVAL)
        skip_because("this kernel has no nf_tables: %s", strerror(error));
    if (error != 0)
        harness_fail(harness, "nf_tables: %s", strerror(error));
}

void firewall_open(struct harness *harness)
{
    int error = change(false);
    if (error != 0)
        harness_fail(harness, "nf_tables: %s", strerror(error));
}
