/* FAILOVER and BALANCE: several servers, some of which are down. */

#define _GNU_SOURCE
#include "tests/system/peers.h"
#ifdef WITH_TLS
#include "tests/system/certificates.h"
#endif

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVERS 3

/* Servers that the test plays; one that is down refuses. */
struct servers {
    int listeners[SERVERS];
    unsigned ports[SERVERS];
};

static int listen_again(struct harness *harness, unsigned port)
{
    int fd = harness_keep(harness, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 50) < 0)
        harness_fail(harness, "cannot listen on %u: %s", port, strerror(errno));
    return fd;
}

static struct servers serve(struct harness *harness)
{
    struct servers servers;
    for (int i = 0; i < SERVERS; i++) {
        servers.listeners[i] = peer_listen(harness, LOOPBACK, &servers.ports[i]);
        listen(servers.listeners[i], 50);
    }
    return servers;
}

static void take_down(struct harness *harness, struct servers *servers, int index)
{
    harness_close(harness, servers->listeners[index]);
    servers->listeners[index] = -1;
}

static void bring_up(struct harness *harness, struct servers *servers, int index)
{
    servers->listeners[index] = listen_again(harness, servers->ports[index]);
}

static const char *addresses(struct harness *harness, const char *type,
                             const struct servers *servers, const char *options)
{
    const char *result = text(harness, "%s:", type);
    for (int i = 0; i < SERVERS; i++)
        result = text(harness, "%s(TCP4:" LOOPBACK ":%u)", result, servers->ports[i]);
    return text(harness, "%s%s", result, options);
}

/* The program under test, and a session of it. */
struct front {
    struct program *program;
    unsigned port;
};

struct visit {
    int client;
    int server;
    int index; /* of the server */
};

static struct front start(struct harness *harness, const char *address)
{
    struct front front = {
        .program = program_start(harness, "-d", "-d", "TCP4-LISTEN:0,bind=" LOOPBACK ",fork",
                                 address, NULL),
    };
    front.port = program_port(front.program);
    return front;
}

static int whose_turn(struct harness *harness, const struct servers *servers)
{
    struct pollfd entries[SERVERS];
    for (int i = 0; i < SERVERS; i++)
        entries[i] = (struct pollfd){.fd = servers->listeners[i], .events = POLLIN};
    if (poll(entries, SERVERS, PATIENCE) <= 0)
        harness_fail(harness, "no server got a connection");
    for (int i = 0; i < SERVERS; i++)
        if (entries[i].revents != 0)
            return i;
    return -1;
}

static struct visit accept_visit(struct harness *harness, const struct servers *servers, int client)
{
    struct visit visit = {.client = client, .index = whose_turn(harness, servers)};
    visit.server = peer_accept(harness, servers->listeners[visit.index]);
    peer_send(harness, visit.client, "question");
    peer_receives(harness, visit.server, "question");
    peer_send(harness, visit.server, "answer");
    peer_receives(harness, visit.client, "answer");
    return visit;
}

static struct visit visit_from(struct harness *harness, const struct front *front,
                               const struct servers *servers, const char *host)
{
    return accept_visit(harness, servers,
                        peer_connect_from(harness, host, 0, LOOPBACK, front->port));
}

static struct visit visit(struct harness *harness, const struct front *front,
                          const struct servers *servers)
{
    return visit_from(harness, front, servers, "");
}

static void leave(struct harness *harness, const struct visit *visit)
{
    harness_close(harness, visit->client);
    peer_receives_end(harness, visit->server);
    harness_close(harness, visit->server);
}

static int goes_to(struct harness *harness, const struct front *front,
                   const struct servers *servers)
{
    struct visit one = visit(harness, front, servers);
    leave(harness, &one);
    return one.index;
}

static size_t count_lines(struct program *program, const char *pattern)
{
    size_t count = 0;
    for (const char *at = program_log(program); (at = strstr(at, pattern)) != NULL; at++)
        count++;
    return count;
}

static void the_first_that_opens_is_used(void **state)
{
    struct harness *harness = *state;
    struct servers servers = serve(harness);
    struct front front = start(harness, addresses(harness, "FAILOVER", &servers, ""));
    assert_int_equal(goes_to(harness, &front, &servers), 0);
    take_down(harness, &servers, 0);
    assert_int_equal(goes_to(harness, &front, &servers), 1);
    program_logs(front.program, " W cannot connect to " LOOPBACK ":*Connection refused");
    program_logs(front.program, " N FAILOVER: TCP4:*is left out for 10.000 seconds");
    assert_null(program_line(front.program, " E "));
}

/* Sessions know of each other, in whichever processes they are. */
static void one_that_failed_is_left_out_for_a_time(void **state)
{
    struct harness *harness = *state;
    struct servers servers = serve(harness);
    struct front front = start(harness, addresses(harness, "FAILOVER", &servers, ",check=600"));
    take_down(harness, &servers, 0);
    assert_int_equal(goes_to(harness, &front, &servers), 1);
    bring_up(harness, &servers, 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(goes_to(harness, &front, &servers), 1);
    assert_int_equal(count_lines(front.program, " W cannot connect"), 1);
}

static void workers_know_of_each_other(void **state)
{
    struct harness *harness = *state;
    struct servers servers = serve(harness);
    take_down(harness, &servers, 0);
    struct front front = {
        .program = program_start(harness, "-d", "-d",
                                 "TCP4-LISTEN:0,bind=" LOOPBACK ",fork=session,workers=2",
                                 addresses(harness, "FAILOVER", &servers, ",check=600"), NULL),
    };
    front.port = program_port(front.program);
    for (int i = 0; i < 20; i++)
        assert_int_equal(goes_to(harness, &front, &servers), 1);
    assert_int_equal(count_lines(front.program, " W cannot connect"), 1);
}

static void one_that_comes_back_is_used_again(void **state)
{
    struct harness *harness = *state;
    struct servers servers = serve(harness);
    struct front front = start(harness, addresses(harness, "FAILOVER", &servers, ",check=0.1"));
    take_down(harness, &servers, 0);
    assert_int_equal(goes_to(harness, &front, &servers), 1);
    bring_up(harness, &servers, 0);
    long long deadline = milliseconds() + PATIENCE;
    while (goes_to(harness, &front, &servers) != 0)
        assert_true(milliseconds() < deadline);
    program_logs(front.program, " N FAILOVER: TCP4:" LOOPBACK ":*is back");
}

static void without_a_time_it_is_tried_every_time(void **state)
{
    struct harness *harness = *state;
    struct servers servers = serve(harness);
    struct front front = start(harness, addresses(harness, "FAILOVER", &servers, ",check=0"));
    take_down(harness, &servers, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(goes_to(harness, &front, &servers), 1);
    assert_int_equal(count_lines(front.program, " W cannot connect"), 3);
    bring_up(harness, &servers, 0);
    assert_int_equal(goes_to(harness, &front, &servers), 0);
}

/* Better one that may still be down than none at all. */
static void those_that_are_left_out_are_tried_when_no_other_opens(void **state)
{
    struct harness *harness = *state;
    struct servers servers = serve(harness);
    struct front front = start(harness, addresses(harness, "FAILOVER", &servers, ",check=600"));
    for (int i = 0; i < SERVERS; i++)
        take_down(harness, &servers, i);
    int client = peer_connect(harness, LOOPBACK, front.port);
    peer_receives_end(harness, client);
    program_logs(front.program, " E FAILOVER: none of its 3 addresses opens");
    bring_up(harness, &servers, 1);
    assert_int_equal(goes_to(harness, &front, &servers), 1);
}

static void all_that_fail_are_told_and_it_fails(void **state)
{
    struct harness *harness = *state;
    struct servers servers = serve(harness);
    for (int i = 0; i < SERVERS; i++)
        take_down(harness, &servers, i);
    const char *const types[] = {"FAILOVER", "BALANCE"};
    for (size_t i = 0; i < 2; i++) {
        struct program *program =
            program_start(harness, "-", addresses(harness, types[i], &servers, ""), NULL);
        program_ends_logging(program, 1,
                             text(harness, " E %s: none of its 3 addresses opens", types[i]));
        for (int j = 0; j < SERVERS; j++)
            assert_true(program_has_logged(
                program, text(harness, " W cannot connect to " LOOPBACK ":%u: Connection refused",
                              servers.ports[j])));
        assert_int_equal(count_lines(program, " E "), 1);
    }
}

static void with_retry_it_waits_for_one_of_them(void **state)
{
    struct harness *harness = *state;
    struct servers servers = serve(harness);
    for (int i = 0; i < SERVERS; i++)
        take_down(harness, &servers, i);
    struct program *program =
        program_start(harness, "-d", "-d", "-t", "10", "-",
                      addresses(harness, "FAILOVER", &servers, ",forever,interval=0.01"), NULL);
    program_logs(program, " N FAILOVER: none of its 3 addresses opens");
    bring_up(harness, &servers, 2);
    int server = peer_accept(harness, servers.listeners[2]);
    peer_send(harness, server, "welcome");
    program_outputs(program, "welcome");
    program_end_input(program);
    peer_receives_end(harness, server);
    harness_close(harness, server);
    program_ends(program, 0);
}

static void a_peer_that_dies_ends_its_session_as_usual(void **state)
{
    struct harness *harness = *state;
    struct servers servers = serve(harness);
    struct front front = start(harness, addresses(harness, "FAILOVER", &servers, ",check=600"));
    struct visit dying = visit(harness, &front, &servers);
    assert_int_equal(dying.index, 0);
    take_down(harness, &servers, 0);
    peer_reset(harness, dying.server);
    peer_receives_end(harness, dying.client);
    program_logs(front.program, " E cannot read from *Connection reset by peer");
    assert_int_equal(goes_to(harness, &front, &servers), 1);
}

static void one_that_does_not_answer_is_left_behind(void **state)
{
    struct harness *harness = *state;
    struct servers servers = serve(harness);
    unsigned silent;
    peer_listen_unresponsive(harness, LOOPBACK, &silent);
    struct front front = start(harness, text(harness,
                                             "FAILOVER:(TCP4:" LOOPBACK ":%u,connect-timeout=0.1)"
                                             "(TCP4:" LOOPBACK ":%u),check=600",
                                             silent, servers.ports[2]));
    assert_int_equal(goes_to(harness, &front, &servers), 2);
    program_logs(front.program, " W cannot connect to " LOOPBACK ":*Connection timed out");
    assert_int_equal(goes_to(harness, &front, &servers), 2);
    assert_int_equal(count_lines(front.program, " W cannot connect"), 1);
}

static void ends_may_be_of_any_kind(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-",
                      text(harness, "FAILOVER:(UNIX:%s)(EXEC:%s)(SYSTEM:\"tr a-z A-Z\")",
                           path(harness, "nowhere"), path(harness, "no-program")),
                      NULL);
    program_logs(program, " W cannot connect to *nowhere: No such file or directory");
    program_logs(program, "W *no-program");
    program_send(program, "hello");
    program_end_input(program);
    program_outputs(program, "HELLO");
    program_ends(program, 0);
}

static void sessions_go_by_turns(void **state)
{
    struct harness *harness = *state;
    struct servers servers = serve(harness);
    struct front front = start(harness, addresses(harness, "BALANCE", &servers, ",check=600"));
    for (int i = 0; i < 2 * SERVERS; i++)
        assert_int_equal(goes_to(harness, &front, &servers), i % SERVERS);
    take_down(harness, &servers, 1);
    int counts[SERVERS] = {0};
    for (int i = 0; i < 4 * SERVERS; i++)
        counts[goes_to(harness, &front, &servers)]++;
    assert_int_equal(counts[1], 0);
    assert_true(counts[0] >= SERVERS && counts[2] >= SERVERS);
    assert_int_equal(count_lines(front.program, " W cannot connect"), 1);
}

static void sessions_go_where_the_fewest_are(void **state)
{
    struct harness *harness = *state;
    struct servers servers = serve(harness);
    struct front front = start(harness, addresses(harness, "BALANCE", &servers, ",balance=least"));
    struct visit visits[2 * SERVERS];
    int counts[SERVERS] = {0};
    for (int i = 0; i < 2 * SERVERS; i++) {
        visits[i] = visit(harness, &front, &servers);
        counts[visits[i].index]++;
    }
    for (int i = 0; i < SERVERS; i++)
        assert_int_equal(counts[i], 2);
    for (int i = 0; i < 2 * SERVERS; i++) {
        if (visits[i].index != 1)
            continue;
        leave(harness, &visits[i]);
    }
    program_awaits_peers(front.program, 2 * SERVERS - 2);
    for (int i = 0; i < 2; i++)
        assert_int_equal(visit(harness, &front, &servers).index, 1);
}

static void kill_children(struct harness *harness, pid_t parent)
{
    int child;
    FILE *list = fopen(text(harness, "/proc/%d/task/%d/children", (int)parent, (int)parent), "r");
    if (list == NULL)
        skip_because("the kernel does not list children");
    while (fscanf(list, "%d", &child) == 1)
        kill(child, SIGKILL);
    fclose(list);
}

/* A process that is killed can't say that its session has ended. */
static void sessions_of_killed_processes_do_not_count(void **state)
{
    struct harness *harness = *state;
    needs_processes();
    struct servers servers = serve(harness);
    struct front front = start(harness, addresses(harness, "BALANCE", &servers, ",balance=least"));
    for (int round = 0; round < 3; round++) {
        struct visit visits[SERVERS];
        int counts[SERVERS] = {0};
        for (int i = 0; i < SERVERS; i++) {
            visits[i] = visit(harness, &front, &servers);
            counts[visits[i].index]++;
        }
        for (int i = 0; i < SERVERS; i++)
            assert_int_equal(counts[i], 1);
        kill_children(harness, program_pid(front.program));
        for (int i = 0; i < SERVERS; i++) {
            harness_close(harness, visits[i].client);
            harness_close(harness, visits[i].server);
        }
        program_awaits_peers(front.program, 0);
    }
}

/* And those of a server that is down go elsewhere, without moving others. */
static void sessions_of_one_host_go_to_one_server(void **state)
{
    struct harness *harness = *state;
    struct servers servers = serve(harness);
    struct front front =
        start(harness, addresses(harness, "BALANCE", &servers, ",balance=peer,check=600"));
    int homes[30], counts[SERVERS] = {0};
    for (int i = 0; i < 30; i++) {
        const char *host = text(harness, "127.0.0.%d", i + 2);
        for (int again = 0; again < 2; again++) {
            struct visit one = visit_from(harness, &front, &servers, host);
            leave(harness, &one);
            assert_true(again == 0 || homes[i] == one.index);
            homes[i] = one.index;
        }
        counts[homes[i]]++;
    }
    for (int i = 0; i < SERVERS; i++)
        assert_true(counts[i] >= 3);
    take_down(harness, &servers, 1);
    for (int i = 0; i < 30; i++) {
        struct visit one =
            visit_from(harness, &front, &servers, text(harness, "127.0.0.%d", i + 2));
        leave(harness, &one);
        assert_true(homes[i] == 1 ? one.index != 1 : one.index == homes[i]);
    }
}

static void a_layer_that_keeps_goes_to_the_next_server(void **state)
{
    struct harness *harness = *state;
    struct servers servers = serve(harness);
    struct front front =
        start(harness, addresses(harness, "KEEP,interval=0.001|FAILOVER", &servers, ",check=600"));
    struct visit one = visit(harness, &front, &servers);
    assert_int_equal(one.index, 0);
    for (int i = 1; i < SERVERS; i++) {
        take_down(harness, &servers, i - 1);
        harness_close(harness, one.server);
        program_logs(front.program, " W KEEP: FAILOVER:(...) is lost (end of file)");
        one = accept_visit(harness, &servers, one.client);
        assert_int_equal(one.index, i);
    }
}

#ifdef WITH_TLS
/* The handshake belongs to the opening: who is no server of TLS fails. */
static void ends_with_layers_are_counted_too(void **state)
{
    struct harness *harness = *state;
    certificates_make_usual(harness);
    struct servers servers = serve(harness);
    const char *listening = text(harness, "OPENSSL-LISTEN:0,bind=" LOOPBACK ",fork,%s,verify=0",
                                 certificate_shown(harness));
    struct program *first =
        program_start_helper(harness, "-d", "-d", listening, "SYSTEM:\"echo first; cat\"", NULL);
    unsigned first_port = program_port(first);
    struct program *second =
        program_start_helper(harness, "-d", "-d", listening, "SYSTEM:\"echo second; cat\"", NULL);
    const char *trusted = certificate_trusted(harness);
    take_down(harness, &servers, 0);
    struct front front =
        start(harness, text(harness,
                            "BALANCE:(TCP4:" LOOPBACK ":%u)(OPENSSL:" LOOPBACK ":%u,%s)"
                            "(OPENSSL:" LOOPBACK ":%u,%s),balance=least,check=600",
                            servers.ports[0], first_port, trusted, program_port(second), trusted));
    int counts[2] = {0}, clients[6];
    for (int i = 0; i < 6; i++) {
        char word[8] = "";
        clients[i] = peer_connect(harness, LOOPBACK, front.port);
        struct pollfd entry = {.fd = clients[i], .events = POLLIN};
        if (poll(&entry, 1, PATIENCE) <= 0 || read(clients[i], word, sizeof word - 1) <= 0)
            harness_fail(harness, "nothing came");
        counts[word[0] == 'f' ? 0 : 1]++;
    }
    assert_int_equal(counts[0], 3);
    assert_int_equal(counts[1], 3);
    assert_int_equal(count_lines(front.program, " W cannot connect"), 1);
    for (int i = 0; i < 6; i++) {
        peer_send(harness, clients[i], "more\n");
        peer_end(clients[i]);
    }
}
#endif

static void values_that_make_no_sense_are_refused(void **state)
{
    struct harness *harness = *state;
    static const char *const rows[][2] = {
        {"BALANCE:(PIPE),balance=random", "turns,least,peer"},
        {"FAILOVER:(PIPE),balance=least", "balance"},
        {"FAILOVER:(PIPE),check=-1", "check"},
        {"FAILOVER", "FAILOVER"},
        {"FAILOVER:", "addresses in parentheses are expected"},
        {"FAILOVER:(TCP-LISTEN:0,fork)", "option fork can"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        program_ends_logging(program_start(harness, "-", rows[i][0], NULL), 1, rows[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(the_first_that_opens_is_used),
        SYSTEM_TEST(one_that_failed_is_left_out_for_a_time),
        SYSTEM_TEST(workers_know_of_each_other),
        SYSTEM_TEST(one_that_comes_back_is_used_again),
        SYSTEM_TEST(without_a_time_it_is_tried_every_time),
        SYSTEM_TEST(those_that_are_left_out_are_tried_when_no_other_opens),
        SYSTEM_TEST(all_that_fail_are_told_and_it_fails),
        SYSTEM_TEST(with_retry_it_waits_for_one_of_them),
        SYSTEM_TEST(a_peer_that_dies_ends_its_session_as_usual),
        SYSTEM_TEST(one_that_does_not_answer_is_left_behind),
        SYSTEM_TEST(ends_may_be_of_any_kind),
        SYSTEM_TEST(sessions_go_by_turns),
        SYSTEM_TEST(sessions_go_where_the_fewest_are),
        SYSTEM_TEST(sessions_of_killed_processes_do_not_count),
        SYSTEM_TEST(sessions_of_one_host_go_to_one_server),
        SYSTEM_TEST(a_layer_that_keeps_goes_to_the_next_server),
#ifdef WITH_TLS
        SYSTEM_TEST(ends_with_layers_are_counted_too),
#endif
        SYSTEM_TEST(values_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
