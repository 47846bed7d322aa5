#define _GNU_SOURCE
#include "tests/system/peers.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a program prints, to be checked. */
static const char *prints(struct harness *harness, const char *address)
{
    struct program *program = program_start(harness, "-u", address, "-", NULL);
    program_ends(program, 0);
    return program_output(program, NULL);
}

static const char *answers(struct harness *harness, const char *address, const char *input)
{
    struct program *program = program_start(harness, "-t", "10", "-", address, NULL);
    program_send(program, input);
    program_end_input(program);
    program_ends(program, 0);
    return program_output(program, NULL);
}

static void fails(struct harness *harness, const char *address, const char *message)
{
    static const char *const directions[] = {"-u", "-U"};
    struct program *program = program_start(harness, "-", address, NULL);
    program_ends_logging(program, 1, message);
    for (size_t i = 0; i < 2; i++) {
        program = program_start(harness, directions[i], address, "-", NULL);
        program_ends_logging(program, 1, message);
    }
}

static void needs_root(void)
{
    if (geteuid() == 0)
        return;
    skip_because("only root may become somebody else");
}

static void the_command_is_cut_at_blanks_outside_of_quotes(void **state)
{
    static const char *const vectors[][2] = {
        {"EXEC:printf [%s] a b  c", "[a][b][c]"},
        {"EXEC:printf [%s] \"a b\" c", "[a][b][c]"},
        {"EXEC:'printf [%s] \"a b\" c'", "[a b][c]"},
        {"EXEC:printf [%s] \\\"a b\\\" c", "[a b][c]"},
        {"EXEC:\"printf [%s] 'a b' c\"", "[a b][c]"},
        {"EXEC:printf [%s] a\\\\ b", "[a b]"},
        {"EXEC:printf [%s] (a b) {c d}", "[(a b)][{c d}]"},
        {"EXEC:printf [%s] x  ", "[x]"},
        {"EXEC:'  printf [%s] x'", "[x]"},
        {"EXEC:printf [%s] $HOME *", "[$HOME][*]"},
        {"EXEC:printf [%s] a\\:b a\\,b a\\!!b", "[a:b][a,b][a!!b]"},
        {"SYSTEM:'printf [%s] \"a b\" c'", "[a b][c]"},
    };
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
        assert_string_equal(prints(*state, vectors[i][0]), vectors[i][1]);
}

static void a_login_shell_has_a_dash_before_its_name(void **state)
{
    assert_string_equal(answers(*state, "EXEC:sh,login", "echo $0\n"), "-sh\n");
    assert_string_equal(answers(*state, "EXEC:/bin/sh,dash", "echo $0\n"), "-/bin/sh\n");
    assert_string_equal(answers(*state, "EXEC:/bin/sh", "echo $0\n"), "/bin/sh\n");
}

static void the_shell_is_the_users_own_or_the_options(void **state)
{
    const char *const arguments[] = {"-u", "SHELL:echo $0 $SHELL", "-", NULL};
    struct program *program = program_launch(
        *state, &(struct launch){.arguments = arguments, .environment = "SHELL=/bin/dash"});
    program_ends(program, 0);
    assert_string_equal(program_output(program, NULL), "dash /bin/dash\n");
    assert_string_equal(prints(*state, "SHELL:echo $0 $SHELL,shell=/bin/sh"), "sh /bin/sh\n");
}

static void the_program_is_told_about_the_session(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-d", "-d", "-u",
                                            "SYSTEM:echo $MODCAT_PID $SOCAT_PPID "
                                            "$MODCAT_VERSION$MODCAT_PEERADDR",
                                            "-", NULL);
    program_logs(program, " N exiting with status 0");
    program_ends(program, 0);
    assert_string_equal(program_output(program, NULL),
                        text(harness, "%d %d " PACKAGE_VERSION "\n", (int)program_pid(program),
                             (int)program_pid(program)));
}

static void the_program_is_told_about_the_peer(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(
        harness, "-d", "-d", "TCP4-LISTEN:0,fork,bind=" LOOPBACK,
        "SYSTEM:echo $SOCAT_PEERADDR $MODCAT_SOCKADDR $MODCAT_SOCKPORT $SOCAT_PPID", NULL);
    unsigned port = program_port(program);
    int client = peer_connect(harness, LOOPBACK, port);
    peer_receives(harness, client,
                  text(harness, LOOPBACK " " LOOPBACK " %u %d\n", port, (int)program_pid(program)));
}

static void nothing_is_said_of_the_peer_of_a_session_above(void **state)
{
    static const char *const inherited[] = {
        "MODCAT_OPENSSL_X509_COMMONNAME=forged", "SOCAT_OPENSSL_X509_ISSUER=forged",
        "MODCAT_PEERADDR=forged", "SOCAT_TIMESTAMP=forged", "MODCAT_IP_TTL=forged"};
    const char *const arguments[] = {"-u", "SYSTEM:env | grep forged; echo done", "-", NULL};
    for (size_t i = 0; i < sizeof inherited / sizeof inherited[0]; i++) {
        struct program *program = program_launch(
            *state, &(struct launch){.arguments = arguments, .environment = inherited[i]});
        program_ends(program, 0);
        assert_string_equal(program_output(program, NULL), "done\n");
    }
}

static void path_is_for_the_program_and_the_search(void **state)
{
    struct harness *harness = *state;
    const char *script = path(harness, "greet");
    file_write(harness, script, "#!/bin/sh\necho hi from $PATH\n");
    assert_int_equal(chmod(script, 0700), 0);
    const char *folder = path(harness, "");
    assert_string_equal(prints(harness, text(harness, "EXEC:greet,path=%s", folder)),
                        text(harness, "hi from %s\n", folder));
}

static void the_folder_and_the_umask_are_the_programs(void **state)
{
    struct harness *harness = *state;
    assert_string_equal(prints(harness, "EXEC:pwd,chdir=/usr"), "/usr\n");
    assert_string_equal(prints(harness, "SYSTEM:umask,umask=027"), "0027\n");
}

static const char *further_descriptors(struct harness *harness, const char *options, int extra)
{
    const char *address = text(harness,
                               "SYSTEM:for n in 3 4 5 6 7 8 9; do test -e /proc/$$/fd/$n && "
                               "echo $n; done; echo end%s",
                               options);
    const char *const arguments[] = {"-t", "10", address, "-", NULL};
    struct program *program =
        program_launch(harness, &(struct launch){.arguments = arguments, .extra = extra});
    program_end_input(program);
    program_ends(program, 0);
    return program_output(program, NULL);
}

static void the_program_inherits_no_descriptor_of_ours(void **state)
{
    assert_string_equal(further_descriptors(*state, "", 0), "end\n");
    assert_string_equal(further_descriptors(*state, ",pipes", 0), "end\n");
    assert_string_equal(further_descriptors(*state, ",pty,rawer", 0), "end\n");
    assert_string_equal(further_descriptors(*state, ",fdin=5,fdout=1", 0), "5\nend\n");
}

static void the_program_inherits_what_we_inherited(void **state)
{
    int fd = harness_keep(*state, open("/dev/null", O_RDONLY | O_CLOEXEC));
    assert_string_equal(further_descriptors(*state, "", fd), "3\nend\n");
}

static void in_one_direction_the_other_descriptor_stays_ours(void **state)
{
    struct program *program = program_start(*state, "-u", "EXEC:cat", "-", NULL);
    program_send(program, "read by the program itself");
    program_end_input(program);
    program_ends(program, 0);
    assert_string_equal(program_output(program, NULL), "read by the program itself");

    program = program_start(*state, "-u", "-", "EXEC:cat", NULL);
    program_send(program, "written by the program itself");
    program_end_input(program);
    program_ends(program, 0);
    assert_string_equal(program_output(program, NULL), "written by the program itself");
}

static void the_descriptors_can_be_chosen(void **state)
{
    static const char *const ways[] = {"", ",pipes", ",pty,rawer"};
    for (size_t i = 0; i < 3; i++) {
        const char *address =
            text(*state, "SYSTEM:\"read x <&3; echo got $x >&4\",fdin=3,fdout=4%s", ways[i]);
        assert_string_equal(answers(*state, address, "this\n"), "got this\n");
        address = text(*state, "SYSTEM:\"read x <&9; echo $x >&8\",fdin=9,fdout=8%s", ways[i]);
        assert_string_equal(answers(*state, address, "that\n"), "that\n");
    }
}

static void standard_error_can_be_connected_too(void **state)
{
    assert_string_equal(prints(*state, "SYSTEM:echo out; echo err >&2,stderr"), "out\nerr\n");
    assert_string_equal(prints(*state, "SYSTEM:echo out; echo err >&2,stderr,pipes"), "out\nerr\n");
}

static void a_broken_pipe_kills_the_programs_own_pipelines(void **state)
{
    struct sigaction before, ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, &before);
    const char *output = prints(*state, "SYSTEM:'grep SigIgn /proc/self/status'");
    unsigned long long ignored = strtoull(strchr(output, '\t'), NULL, 16);
    sigaction(SIGPIPE, &before, NULL);
    assert_int_equal(ignored >> (SIGPIPE - 1) & 1, 0);
}

static void no_signal_is_blocked_in_the_program(void **state)
{
    const char *output = prints(*state, "EXEC:grep SigBlk /proc/self/status");
    assert_int_equal(strtoull(strchr(output, '\t'), NULL, 16), 0);
}

static void the_program_can_have_a_terminal(void **state)
{
    assert_non_null(strstr(answers(*state, "EXEC:tty,pty", ""), "/dev/pts/"));
    assert_non_null(strstr(answers(*state, "EXEC:tty,openpty", ""), "/dev/pts/"));
    assert_string_equal(prints(*state, "SYSTEM:test -t 2 && echo yes,pty,stderr"), "yes\r\n");
    assert_string_equal(prints(*state, "SYSTEM:echo hi >/dev/tty,pty,setsid,ctty"), "hi\r\n");
}

static void a_pseudo_terminal_is_preferred_to_pipes(void **state)
{
    struct program *program = program_start(*state, "-", "EXEC:tty,pty,pipes", NULL);
    program_ends_logging(program, 0, " W options \"pipes\" and \"pty\" must not be specified");
    assert_non_null(strstr(program_output(program, NULL), "/dev/pts/"));
}

static void the_program_can_lead_its_own_session_or_group(void **state)
{
    assert_string_equal(prints(*state, "SYSTEM:'set -- $(cat /proc/$$/stat); test $1 = $6 && "
                                       "echo session',setsid"),
                        "session\n");
    assert_string_equal(prints(*state, "SYSTEM:'set -- $(cat /proc/$$/stat); test $1 = $5 && "
                                       "echo group',setpgid"),
                        "group\n");
    assert_string_equal(prints(*state, "SYSTEM:'set -- $(cat /proc/$$/stat); test $1 = $5 && "
                                       "echo group',setpgid=0"),
                        "group\n");
}

static void the_program_can_be_another_user_while_we_stay_root(void **state)
{
    needs_root();
    assert_string_equal(prints(*state, "SYSTEM:id -u; id -g,setgid=1,setuid=65534"), "65534\n1\n");
    assert_string_equal(prints(*state, "SYSTEM:id -u; id -g; echo $USER $HOME,su=nobody"),
                        "65534\n65534\nnobody /nonexistent\n");
    assert_string_equal(prints(*state, "SYSTEM:id -u; id -g,su-d=nobody"), "65534\n65534\n");
    struct program *program = program_start(*state, "EXEC:cat,su=nobody", "PIPE", NULL);
    while (process_children(program_pid(program)) == 0)
        assert_int_equal(sched_yield(), 0);
    struct stat status;
    assert_int_equal(stat(text(*state, "/proc/%d", (int)program_pid(program)), &status), 0);
    assert_int_equal(status.st_uid, 0);
}

/* The tree below /usr holds all that a shell needs where / only has links into it. */
static void the_program_can_have_another_root(void **state)
{
    needs_root();
    if (access("/usr/bin/sh", X_OK) < 0 || access("/usr/lib64", F_OK) < 0)
        skip_because("/usr can't be a root here");
    const char *command = "SYSTEM:test -d /share && id -u,chroot=/usr,su-d=nobody";
    assert_string_equal(prints(*state, command), "65534\n");
    assert_true(file_exists("/usr/share"));
}

/* A process in a network namespace of its own, which ends with the test. */
static pid_t start_namespace(struct harness *harness)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (unshare(CLONE_NEWNET) < 0)
            _exit(1);
        (void)!write(ready[1], "x", 1);
        pause();
        _exit(0);
    }
    close(ready[1]);
    harness_keep(harness, ready[0]);
    if (read(ready[0], &byte, 1) == 1)
        return pid;
    waitpid(pid, NULL, 0);
    skip_because("no network namespace can be made here");
    return -1;
}

static void the_program_can_be_in_another_network_namespace(void **state)
{
    struct harness *harness = *state;
    char expected[64] = "";
    needs_root();
    pid_t pid = start_namespace(harness);
    assert_true(
        readlink(text(harness, "/proc/%d/ns/net", (int)pid), expected, sizeof expected - 1) > 0);
    struct program *program = program_start(
        harness, "-u",
        text(harness, "EXEC:readlink /proc/self/ns/net,netns=/proc/%d/ns/net", (int)pid), "-",
        NULL);
    int status = program_end(program);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(status, 0);
    assert_string_equal(program_output(program, NULL), text(harness, "%s\n", expected));
}

static void a_program_can_take_the_place_of_the_process(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-", "EXEC:'sh -c \"echo $$; cat\"',nofork", NULL);
    program_outputs(program, text(harness, "%d\n", (int)program_pid(program)));
    program_send(program, "hello");
    program_outputs(program, "hello");
    program_end_input(program);
    program_ends(program, 0);
}

static void a_program_can_take_over_each_connection(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(
        harness, "-d", "-d", "TCP4-LISTEN:0,fork,bind=" LOOPBACK, "EXEC:cat,nofork", NULL);
    unsigned port = program_port(program);
    for (int i = 0; i < 3; i++) {
        int client = peer_connect(harness, LOOPBACK, port);
        peer_send(harness, client, "hello");
        peer_receives(harness, client, "hello");
        peer_end(client);
        peer_receives_end(harness, client);
    }
    process_awaits_children(harness, program_pid(program), 0);
}

static void only_the_second_address_can_take_the_place_of_the_process(void **state)
{
    struct program *program = program_start(*state, "EXEC:cat,nofork", "-", NULL);
    program_ends_logging(
        program, 1, " E option nofork is for a program that stands alone as the second address");
}

static void what_can_not_be_run_is_said_and_fails(void **state)
{
    struct harness *harness = *state;
    const char *plain = path(harness, "plain");
    file_write(harness, plain, "no program");
    fails(harness, "EXEC:/nowhere/to/be found",
          " E cannot run /nowhere/to/be: No such file or directory [execvp(\"/nowhere/to/be\", "
          "\"/nowhere/to/be\", \"found\")]");
    fails(harness, "EXEC:no-such-program-at-all,pipes",
          " E cannot run no-such-program-at-all: *[execvp(\"no-such-program-at-all\"");
    fails(harness, text(harness, "EXEC:%s,pty", plain), ": Permission denied");
    fails(harness, "EXEC: ", " E EXEC: the command names no program");
    fails(harness, "EXEC:no-such-program-at-all,stderr",
          " E cannot run no-such-program-at-all: *[execvp(\"no-such-program-at-all\"");
    fails(harness, "EXEC:no-such-program-at-all,nofork", " E ");
    fails(harness, "SHELL:ls,shell=/no/shell",
          " E cannot run /no/shell: *[execvp(\"/no/shell\", \"shell\", \"-c\", \"ls\")");
    fails(harness, "SHELL:ls,shell=sh",
          " E \"sh\" in the environment variable SHELL is not a path");
}

static void a_bad_command_line_is_said_and_fails(void **state)
{
    fails(*state, "EXEC:'cat \"x'",
          " E unexpected end of command \"cat \"x\": a quote is not closed");
    fails(*state, "EXEC:'cat \"x", " E unexpected end of address");
    fails(*state, "EXEC", " E EXEC: wrong number of parameters (0 instead of 1)");
    fails(*state, "EXEC:cat:x", " E EXEC: wrong number of parameters (2 instead of 1)");
}

static void a_bad_option_is_said_and_fails(void **state)
{
    fails(*state, "EXEC:cat,su=no-such-user", " E option \"su=no-such-user\": no such user");
    fails(*state, "EXEC:cat,chroot=/no/such/folder",
          " E cannot change the root folder to /no/such/folder: ");
    fails(*state, "EXEC:cat,chdir=/no/such/folder", " E cannot change to folder /no/such/folder: ");
    fails(*state, "EXEC:cat,shell=/bin/sh",
          "option \"shell\" not supported with this address type");
    fails(*state, "EXEC:cat,fork", "option \"fork\" not supported with this address type");
    fails(*state, "EXEC:cat,socktype=999", " E socketpair(1, 999, 0, ...): ");
    struct program *program = program_start(*state, "-u", "EXEC:cat,fdin=3", "-", NULL);
    program_ends_logging(program, 1, " E option fdin is useless in read-only mode");
    program = program_start(*state, "-U", "EXEC:cat,fdout=3", "-", NULL);
    program_ends_logging(program, 1, " E option fdout is useless in write-only mode");
}

static void a_program_that_can_not_be_run_leaves_nothing_behind(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", "TCP4-LISTEN:0,fork,bind=" LOOPBACK,
                      "EXEC:no-such-program-at-all", NULL);
    unsigned port = program_port(program);
    size_t descriptors = process_descriptors(program_pid(program));
    for (int i = 0; i < 10; i++) {
        int client = peer_connect(harness, LOOPBACK, port);
        peer_receives_end(harness, client);
        harness_close(harness, client);
    }
    process_awaits_children(harness, program_pid(program), 0);
    process_awaits_descriptors(harness, program_pid(program), descriptors);
}

static void the_shell_of_system_stays_a_child(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-", "SYSTEM:'echo $PPID; cat; exit 7',nofork", NULL);
    program_outputs(program, text(harness, "%d\n", (int)program_pid(program)));
    program_send(program, "hello");
    program_outputs(program, "hello");
    program_end_input(program);
    program_ends(program, 7);
}

static void a_shell_without_a_command_reads_commands(void **state)
{
    struct program *program = program_start(*state, "-", "SHELL,shell=/bin/sh", NULL);
    program_send(program, "echo $((6 * 7))\n");
    program_outputs(program, "42\n");
    program_send(program, "exit\n");
    program_ends(program, 0);
}

static void a_group_without_a_number_is_the_programs_own(void **state)
{
    struct program *program = program_start(
        *state, "-u",
        "SYSTEM:'ps -o pid= -o pgid= -p $$ | { read a b\\; test $a = $b && echo own\\; }',setpgid",
        "-", NULL);
    program_outputs(program, "own\n");
    program_ends(program, 0);
}

static void the_terminal_of_a_program_gets_link_and_size(void **state)
{
    struct harness *harness = *state;
    const char *link = path(harness, "terminal");
    struct program *program = program_start(harness, "-",
                                            text(harness,
                                                 "SYSTEM:'stty size\\; readlink %s\\; read "
                                                 "end',pty,rawer,winsz=91x17,link=%s,wait-slave",
                                                 link, link),
                                            NULL);
    program_outputs(program, "17 91\n/dev/pts/");
    program_send(program, "end\n");
    program_ends(program, 0);
    assert_false(file_exists(link));
}

static void terminal_options_without_a_terminal_are_refused(void **state)
{
    struct program *program = program_start(*state, "-", "EXEC:cat,link=/nowhere", NULL);
    program_ends_logging(program, 1, " E option link: option pty must be given, too");
}

static void fork_wait_is_for_programs_too(void **state)
{
    const char *arguments[] = {"-u", "EXEC:echo hi", "-", NULL};
    long long before = milliseconds();
    struct program *program = program_launch(
        *state, &(struct launch){.arguments = arguments, .environment = "SOCAT_FORK_WAIT=1"});
    program_ends(program, 0);
    assert_string_equal(program_output(program, NULL), "hi\n");
    assert_true(milliseconds() - before >= 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(the_command_is_cut_at_blanks_outside_of_quotes),
        SYSTEM_TEST(a_login_shell_has_a_dash_before_its_name),
        SYSTEM_TEST(the_shell_is_the_users_own_or_the_options),
        SYSTEM_TEST(the_program_is_told_about_the_session),
        SYSTEM_TEST(the_program_is_told_about_the_peer),
        SYSTEM_TEST(nothing_is_said_of_the_peer_of_a_session_above),
        SYSTEM_TEST(path_is_for_the_program_and_the_search),
        SYSTEM_TEST(the_folder_and_the_umask_are_the_programs),
        SYSTEM_TEST(the_program_inherits_no_descriptor_of_ours),
        SYSTEM_TEST(the_program_inherits_what_we_inherited),
        SYSTEM_TEST(in_one_direction_the_other_descriptor_stays_ours),
        SYSTEM_TEST(the_descriptors_can_be_chosen),
        SYSTEM_TEST(standard_error_can_be_connected_too),
        SYSTEM_TEST(a_broken_pipe_kills_the_programs_own_pipelines),
        SYSTEM_TEST(no_signal_is_blocked_in_the_program),
        SYSTEM_TEST(the_program_can_have_a_terminal),
        SYSTEM_TEST(a_pseudo_terminal_is_preferred_to_pipes),
        SYSTEM_TEST(the_program_can_lead_its_own_session_or_group),
        SYSTEM_TEST(the_program_can_be_another_user_while_we_stay_root),
        SYSTEM_TEST(the_program_can_have_another_root),
        SYSTEM_TEST(the_program_can_be_in_another_network_namespace),
        SYSTEM_TEST(a_program_can_take_the_place_of_the_process),
        SYSTEM_TEST(a_program_can_take_over_each_connection),
        SYSTEM_TEST(only_the_second_address_can_take_the_place_of_the_process),
        SYSTEM_TEST(what_can_not_be_run_is_said_and_fails),
        SYSTEM_TEST(a_bad_command_line_is_said_and_fails),
        SYSTEM_TEST(a_bad_option_is_said_and_fails),
        SYSTEM_TEST(a_program_that_can_not_be_run_leaves_nothing_behind),
        SYSTEM_TEST(the_shell_of_system_stays_a_child),
        SYSTEM_TEST(a_shell_without_a_command_reads_commands),
        SYSTEM_TEST(a_group_without_a_number_is_the_programs_own),
        SYSTEM_TEST(the_terminal_of_a_program_gets_link_and_size),
        SYSTEM_TEST(terminal_options_without_a_terminal_are_refused),
        SYSTEM_TEST(fork_wait_is_for_programs_too),
    };
    return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
