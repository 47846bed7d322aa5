/* Network namespaces of addresses, together with another root folder. */

#define _GNU_SOURCE
#include "tests/system/jail.h"
#include "tests/system/network.h"
#include "tests/system/peers.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#define PEERS 3

/* A namespace that the options of an address name, while the test stays where it was. The name
 * leads nowhere in the jail. */
struct place {
    int outside;
    int inside;
    const char *name;
};

static struct place make_place(struct harness *harness)
{
    struct place place;
    jail_make(harness);
    place.outside = harness_keep(harness, open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    place.inside = network_new(harness);
    network_enter(harness, place.outside);
    place.name = path(harness, "out/namespace");
    const char *descriptor = text(harness, "/proc/%d/fd/%d", (int)getpid(), place.inside);
    assert_int_equal(symlink(descriptor, place.name), 0);
    return place;
}

/* An address whose last option is for a root folder: that is the jail. */
static struct program *start_in_jail(struct harness *harness, const char *other,
                                     const char *address)
{
    return program_start(harness, "--experimental", "-d", "-d",
                         text(harness, "%s=%s", address, path(harness, "jail")), other, NULL);
}

static int connect_inside(struct harness *harness, const struct place *place, unsigned port)
{
    network_enter(harness, place->inside);
    int client = peer_connect(harness, LOOPBACK, port);
    network_enter(harness, place->outside);
    return client;
}

static void serve_inside(struct harness *harness, const struct place *place,
                         struct program *program)
{
    unsigned port = program_port(program);
    for (int i = 0; i < PEERS; i++) {
        int client = connect_inside(harness, place, port);
        peer_send(harness, client, "hello");
        peer_receives(harness, client, "hello");
        peer_end(client);
        peer_receives_end(harness, client);
        harness_close(harness, client);
    }
}

static void each_peer_of_a_server_in_a_jail_is_served_in_its_namespace(void **state)
{
    static const char *const roots[] = {"chroot-early", "chroot"};
    struct harness *harness = *state;
    struct place place = make_place(harness);
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++)
        serve_inside(harness, &place,
                     start_in_jail(harness, "PIPE",
                                   text(harness, "TCP4-LISTEN:0,bind=" LOOPBACK ",fork,netns=%s,%s",
                                        place.name, roots[i])));
}

static void each_peer_of_a_server_in_a_jail_is_passed_on_in_a_namespace(void **state)
{
    struct harness *harness = *state;
    struct place place = make_place(harness);
    unsigned inner;
    network_enter(harness, place.inside);
    int listener = peer_listen(harness, LOOPBACK, &inner);
    network_enter(harness, place.outside);
    struct program *program =
        start_in_jail(harness, text(harness, "TCP4:" LOOPBACK ":%u,netns=%s", inner, place.name),
                      "TCP4-LISTEN:0,bind=" LOOPBACK ",fork,chroot-early");
    unsigned port = program_port(program);
    for (int i = 0; i < PEERS; i++) {
        int client = peer_connect(harness, LOOPBACK, port);
        int server = peer_accept(harness, listener);
        peer_send(harness, client, "hello");
        peer_receives(harness, server, "hello");
        peer_send(harness, server, "world");
        peer_receives(harness, client, "world");
    }
}

static void a_second_try_in_a_jail_finds_its_namespace_again(void **state)
{
    struct harness *harness = *state;
    struct place place = make_place(harness);
    program_ends_logging(
        start_in_jail(harness, "PIPE",
                      text(harness,
                           "TCP4:" LOOPBACK ":1,netns=%s,retry=1,interval=0.01,chroot-early",
                           place.name)),
        1, " E cannot connect to *Connection refused");
}

static void a_namespace_that_is_not_there_is_named(void **state)
{
    struct harness *harness = *state;
    jail_needs_root();
    program_ends_logging(
        program_start(harness, "--experimental", "TCP4:" LOOPBACK ":1,netns=no-such-one", "-",
                      NULL),
        1,
        " E cannot open network namespace no-such-one: No such file or directory "
        "(\"ip netns\" lists them) [open(/run/netns/no-such-one, O_RDONLY|O_CLOEXEC)]");
}

/* It can't leave the namespace, and must not go on in there. */
static void who_gives_up_privileges_in_a_namespace_is_told_when_to(void **state)
{
    struct harness *harness = *state;
    struct place place = make_place(harness);
    program_ends_logging(
        program_start(harness, "--experimental",
                      text(harness, "TCP4-LISTEN:0,bind=" LOOPBACK ",netns=%s,setuid-early=65534",
                           place.name),
                      "PIPE", NULL),
        1, " E setns(*Operation not permitted; *use setuid");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        JAIL_TEST(each_peer_of_a_server_in_a_jail_is_served_in_its_namespace),
        JAIL_TEST(each_peer_of_a_server_in_a_jail_is_passed_on_in_a_namespace),
        JAIL_TEST(a_second_try_in_a_jail_finds_its_namespace_again),
        JAIL_TEST(a_namespace_that_is_not_there_is_named),
        JAIL_TEST(who_gives_up_privileges_in_a_namespace_is_told_when_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
