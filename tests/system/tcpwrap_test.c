/* The rules of hosts_access(5) as filters of peers. */

#define _GNU_SOURCE
#include "tests/system/jail.h"
#include "tests/system/peers.h"

#include <stdio.h>
#include <string.h>

/* A server that echoes to whom the rules let in. `rules` are options with their leading comma. */
static struct program *serve(struct harness *harness, const char *rules)
{
    return program_start(harness, "-d", "-d", "-d",
                         text(harness, "TCP4-LISTEN:0,fork,bind=" LOOPBACK "%s", rules), "PIPE",
                         NULL);
}

static const char *table(struct harness *harness, const char *name, const char *rules)
{
    const char *file = path(harness, name);
    file_write(harness, file, rules);
    return file;
}

static const char *tables(struct harness *harness, const char *allow, const char *deny)
{
    return text(harness, ",allow-table=%s,deny-table=%s", table(harness, "allow", allow),
                table(harness, "deny", deny));
}

static void lets_in(struct harness *harness, const char *local, unsigned port)
{
    int client = peer_connect_from(harness, local, 0, LOOPBACK, port);
    peer_send(harness, client, "hello");
    peer_receives(harness, client, "hello");
}

static void refuses(struct harness *harness, struct program *program, const char *local,
                    unsigned port)
{
    int client = peer_connect_from(harness, local, 0, LOOPBACK, port);
    program_logs(program,
                 text(harness, " W refusing connection from AF=2 %s:*tcpwrapper option", local));
    peer_receives_end(harness, client);
}

static void asks_the_tables_for_each_peer(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        serve(harness, tables(harness, "modcat: 127.0.0.2\n", "modcat: 127.0.0.0/255.0.0.0\n"));
    unsigned port = program_port(program);

    refuses(harness, program, "127.0.0.1", port);
    lets_in(harness, "127.0.0.2", port);
    program_logs(program, " I permitting connection from AF=2 127.0.0.2:*tcpwrapper option");
    refuses(harness, program, "127.0.0.3", port);
    lets_in(harness, "127.0.0.2", port);
}

static void reads_the_tables_anew(void **state)
{
    struct harness *harness = *state;
    struct program *program = serve(harness, tables(harness, "", "ALL: ALL\n"));
    unsigned port = program_port(program);

    refuses(harness, program, "127.0.0.1", port);
    file_write(harness, path(harness, "allow"), "ALL: 127.0.0.1\n");
    lets_in(harness, "127.0.0.1", port);
}

static void looks_for_the_name_that_is_given(void **state)
{
    struct harness *harness = *state;
    const char *rules = tables(harness, "service: ALL\n", "ALL: ALL\n");
    struct program *named = serve(harness, text(harness, "%s,tcpwrap=service", rules));
    struct program *other = serve(harness, text(harness, "%s,tcpwrap", rules));

    lets_in(harness, "127.0.0.1", program_port(named));
    refuses(harness, other, "127.0.0.1", program_port(other));
}

static void finds_both_tables_in_a_folder(void **state)
{
    struct harness *harness = *state;
    table(harness, "hosts.allow", "ALL: 127.0.0.4\n");
    table(harness, "hosts.deny", "ALL: ALL\n");
    struct program *program = serve(harness, text(harness, ",tcpwrap-etc=%s", path(harness, "")));
    unsigned port = program_port(program);

    refuses(harness, program, "127.0.0.1", port);
    lets_in(harness, "127.0.0.4", port);
}

static void a_table_overrides_that_of_the_folder(void **state)
{
    struct harness *harness = *state;
    table(harness, "hosts.deny", "ALL: ALL\n");
    struct program *program =
        serve(harness, text(harness, ",tcpwrap-etc=%s,hosts-deny=%s", path(harness, ""),
                            table(harness, "other", "ALL: 127.0.0.5\n")));
    unsigned port = program_port(program);

    lets_in(harness, "127.0.0.1", port);
    refuses(harness, program, "127.0.0.5", port);
}

static void range_comes_first(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        serve(harness, text(harness, "%s,range=127.0.0.1/32", tables(harness, "ALL: ALL\n", "")));
    unsigned port = program_port(program);

    int client = peer_connect_from(harness, "127.0.0.2", 0, LOOPBACK, port);
    program_logs(program, " W refusing connection from AF=2 127.0.0.2:*range option");
    peer_receives_end(harness, client);
    lets_in(harness, "127.0.0.1", port);
}

/* To everybody else the peer of a socket for both versions of IP has an IPv4 address. */
static void knows_ip4_peers_of_ip6_sockets(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-d", "-d", "-d",
                                            text(harness, "TCP6-LISTEN:0,fork,ipv6only=0%s",
                                                 tables(harness, "ALL: 127.0.0.1\n", "ALL: ALL\n")),
                                            "PIPE", NULL);
    program_logs(program, " N listening on ");
    unsigned port = 0;
    assert_int_equal(sscanf(strstr(program_log(program), "]:"), "]:%u", &port), 1);

    lets_in(harness, LOOPBACK, port);
    peer_connect_from(harness, "127.0.0.2", 0, LOOPBACK, port);
    program_logs(program, " W refusing connection from *tcpwrapper option");
}

static void filters_packets(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", "-u",
                      text(harness, "UDP4-RECVFROM:0,fork,bind=" LOOPBACK "%s",
                           tables(harness, "", "ALL: 127.0.0.1\n")),
                      "-", NULL);
    const char *port = strrchr(program_logs(program, " N receiving on "), ':') + 1;
    struct program *sender =
        program_start(harness, "-u", "-", text(harness, "UDP4-SENDTO:" LOOPBACK ":%s", port), NULL);

    program_send(sender, "refused");
    program_logs(program, " W refusing connection from AF=2 127.0.0.1:*tcpwrapper option");
    sender = program_start(harness, "-u", "-",
                           text(harness, "UDP4-SENDTO:" LOOPBACK ":%s,bind=127.0.0.2", port), NULL);
    program_send(sender, "welcome");
    program_outputs(program, "welcome");
}

static void a_table_that_is_missing_lets_nobody_in(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        serve(harness, text(harness, ",deny-table=%s", path(harness, "nothing")));
    int client = peer_connect(harness, LOOPBACK, program_port(program));

    program_logs(program, " E cannot read *nothing: No such file or directory [access(");
    peer_receives_end(harness, client);
}

#define IN_ANOTHER_ROOT " E option tcpwrappers cannot be used with another root folder"

/* Rules that somebody else may have written: those of the new root. */
static void make_jail(struct harness *harness)
{
    jail_make(harness);
    file_write(harness, jail_path(harness, "etc/hosts.allow"),
               "ALL: ALL: spawn (echo outsider >/folder/done)\n");
}

/* Each row: the two addresses, "%s" being the jail. */
static const struct {
    const char *left;
    const char *right;
} in_another_root[] = {
    {"TCP4-LISTEN:0,bind=" LOOPBACK ",fork,chroot-early=%s,tcpwrap", "PIPE"},
    {"PIPE,chroot=%s", "TCP4-LISTEN:0,bind=" LOOPBACK ",tcpwrap"},
    {"UDP4-RECV:0,bind=" LOOPBACK ",tcpwrap,chroot=%s", "-"},
};

static void rules_of_another_root_are_never_asked(void **state)
{
    struct harness *harness = *state;
    make_jail(harness);
    for (size_t i = 0; i < sizeof in_another_root / sizeof in_another_root[0]; i++) {
        const char *left = with_path(harness, in_another_root[i].left, path(harness, "jail"));
        program_ends_logging(program_start(harness, left, in_another_root[i].right, NULL), 1,
                             IN_ANOTHER_ROOT);
    }
    assert_false(file_exists(path(harness, "jail/folder/done")));
}

static void a_server_asks_before_its_child_changes_the_root(void **state)
{
    struct harness *harness = *state;
    make_jail(harness);
    struct program *program =
        serve(harness, text(harness, "%s,chroot=%s", tables(harness, "", "ALL: 127.0.0.1\n"),
                            path(harness, "jail")));
    unsigned port = program_port(program);
    refuses(harness, program, "127.0.0.1", port);
    lets_in(harness, "127.0.0.2", port);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(asks_the_tables_for_each_peer),
        SYSTEM_TEST(reads_the_tables_anew),
        SYSTEM_TEST(looks_for_the_name_that_is_given),
        SYSTEM_TEST(finds_both_tables_in_a_folder),
        SYSTEM_TEST(a_table_overrides_that_of_the_folder),
        SYSTEM_TEST(range_comes_first),
        SYSTEM_TEST(knows_ip4_peers_of_ip6_sockets),
        SYSTEM_TEST(filters_packets),
        SYSTEM_TEST(a_table_that_is_missing_lets_nobody_in),
        JAIL_TEST(rules_of_another_root_are_never_asked),
        JAIL_TEST(a_server_asks_before_its_child_changes_the_root),
    };
    return cmocka_run_group_tests_name("tcpwrap", tests, NULL, NULL);
}
