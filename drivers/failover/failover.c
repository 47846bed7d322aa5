/* FAILOVER and BALANCE: several addresses, of which one is used. FAILOVER takes the first that
 * opens, BALANCE spreads sessions over all of them. One that fails is left out for a time. */

#define _GNU_SOURCE
#include "common.h"
#include "order.h"
#include "tally.h"

#include <errno.h>
#include <modcat/driver.h>
#include <modcat/layer.h>

#define CHECK_TIME (10 * MODCAT_SECOND)
#define NAME_SIZE 256

static modcat_open_fn failover_open, balance_open;

static const char *check_time(const struct modcat_value *value)
{
    return value->time >= 0 ? NULL : "it must not be negative";
}

static const struct modcat_option failover_options[] = {
    {.name = "failover-check",
     .aliases = "check",
     .help = "seconds for which an address that failed is left out",
     .type = MODCAT_TIMESPEC,
     .preset = "10",
     .check = check_time},
};

static const struct modcat_option balance_options[] = {
    {.name = "balance",
     .help = "by turns, to that with the least sessions, or by the peer's host",
     .type = MODCAT_CHOICE,
     .words = "turns,least,peer",
     .preset = "turns"},
};

static const struct modcat_option_group groups[] = {
    {.name = "FAILOVER", .help = "several addresses for one", MODCAT_OPTIONS(failover_options)},
    {.name = "BALANCE", .help = "sessions spread over addresses", MODCAT_OPTIONS(balance_options)},
};

#define OF_SEVERAL                                                                                 \
    .syntax = ":(<address>)...", .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,                 \
    .flags = MODCAT_TYPE_ADDRESSES | MODCAT_TYPE_SHARES, .min_params = 1, .max_params = 1

static const struct modcat_address_type types[] = {
    {.name = "FAILOVER",
     OF_SEVERAL,
     .groups = "FD,RETRY,FAILOVER",
     .help = "use the first of several addresses that opens",
     .example = "modcat TCP-LISTEN:80,fork 'FAILOVER:(TCP:a:80)(OPENSSL:b:443),check=5'",
     .open = failover_open},
    {.name = "BALANCE",
     OF_SEVERAL,
     .groups = "FD,RETRY,FAILOVER,BALANCE",
     .help = "spread sessions over several addresses",
     .example = "modcat TCP-LISTEN:80,fork 'BALANCE:(TCP:a:80)(TCP:b:80),balance=least'",
     .open = balance_open},
};

MODCAT_DRIVER(.name = "failover", .version = MODCAT_DRIVER_VERSION,
              .summary = "one of several addresses, as they are there", MODCAT_TYPES(types),
              MODCAT_GROUPS(groups));

/* One opening of one of several addresses. */
struct choice {
    struct modcat_opening *opening;
    struct modcat_endpoint *endpoint;
    struct common *common;
    enum order_policy policy;
    long long check;
};

static void leave_out(const struct choice *choice, size_t end)
{
    char name[NAME_SIZE];
    if (choice->check == 0)
        return;
    common_leave_out(choice->common, end, modcat_deadline(choice->check));
    modcat_log(MODCAT_NOTICE, "%s: %s is left out for %.3f seconds",
               modcat_keyword(choice->opening),
               modcat_end_name(choice->opening, end, name, sizeof name),
               (double)choice->check / (double)MODCAT_SECOND);
}

static void let_in(const struct choice *choice, size_t end)
{
    char name[NAME_SIZE];
    modcat_end_name(choice->opening, end, name, sizeof name);
    if (common_let_in(choice->common, end))
        modcat_log(MODCAT_NOTICE, "%s: %s is back", modcat_keyword(choice->opening), name);
    modcat_log(MODCAT_INFO, "%s: using %s", modcat_keyword(choice->opening), name);
}

/* It did not fail by itself when the program was asked to end. Returns true to try another. */
static bool has_failed(const struct choice *choice, size_t end)
{
    bool ends = modcat_wait(choice->opening, -1, 0, modcat_deadline(0)) < 0;
    if (!ends || errno != ECANCELED)
        leave_out(choice, end);
    return !ends;
}

static int use(const struct choice *choice, struct modcat_endpoint *end, size_t index)
{
    let_in(choice, index);
    modcat_pass_through(end, choice->endpoint, NULL, 0);
    return choice->policy == ORDER_LEAST
               ? tally_put_on(choice->opening, choice->endpoint, choice->common, index)
               : 0;
}

/* Those who choose at the same time see each other's choice. Returns 1 when the end does not
 * open. */
static int try_end(const struct choice *choice, size_t index)
{
    if (choice->policy == ORDER_LEAST)
        common_enter(choice->common, index);
    struct modcat_endpoint *end = modcat_open_end(choice->opening, index, MODCAT_WARNING);
    if (end != NULL)
        return use(choice, end, index);
    if (choice->policy == ORDER_LEAST)
        common_leave(choice->common, index);
    return has_failed(choice, index) ? 1 : -1;
}

static int choose(const struct choice *choice)
{
    size_t order[ENDS_MAX], count = modcat_end_count(choice->opening);
    socklen_t length = 0;
    const struct sockaddr *peer = modcat_other_peer(choice->opening, &length);
    if (count > ENDS_MAX)
        return modcat_fail_param(choice->opening, 0, "more than %d addresses", ENDS_MAX);
    order_make(order, count, choice->policy, choice->common, peer, length);
    for (size_t i = 0; i < count; i++) {
        int result = try_end(choice, order[i]);
        if (result <= 0)
            return result;
    }
    return modcat_fail(choice->opening, "%s: none of its %zu addresses opens",
                       modcat_keyword(choice->opening), count);
}

static int open_one(struct modcat_opening *opening, struct modcat_endpoint *endpoint,
                    enum order_policy policy)
{
    const struct modcat_value *check = modcat_option_value(opening, "failover-check");
    struct choice choice = {
        .opening = opening,
        .endpoint = endpoint,
        .common = common_of(opening),
        .policy = policy,
        .check = check != NULL ? check->time : CHECK_TIME,
    };
    return choice.common != NULL ? choose(&choice) : -1;
}

static int failover_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    return open_one(opening, endpoint, ORDER_GIVEN);
}

static int balance_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    long long policy = modcat_option_number(opening, "balance", ORDER_TURNS);
    return open_one(opening, endpoint, (enum order_policy)policy);
}
