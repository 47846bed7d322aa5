/* Opening an address: which options are carried out when, how often and on what. The address type
 * and its options are this test's own; each option leaves its name and descriptor in a trace. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/signals.h"
#include "core/base/words.h"
#include "core/opening/opening.h"
#include "core/options/account.h"
#include "core/options/apply.h"
#include "core/options/effects.h"
#include "core/registry/registry.h"
#include "core/registry/tables.h"
#include "core/relay/relay.h"
#include "core/serve/sides.h"
#include "core/session/session.h"
#include "core/values/groups.h"
#include "core/values/values.h"
#include "tests/skipping.h"
#include "tests/unit/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What happened, in order. */
static char trace[1000];

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
    size_t length = strlen(trace);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(trace + length, sizeof trace - length, format, arguments);
    va_end(arguments);
}

/* Which descriptor an endpoint has: a letter, because numbers depend on what else is open. */
static int read_fd, write_fd;

static char letter(int fd)
{
    return fd < 0 ? '-' : fd == read_fd ? 'r' : fd == write_fd ? 'w' : '?';
}

/* `detail` is what is returned. */
static int note_option(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                       const struct modcat_value *value)
{
    (void)value;
    note("%s@%c ", option->name, letter(fd));
    errno = EDOM;
    return option->detail < 0 ? modcat_fail(opening, "%s fails", option->name) : option->detail;
}

#define NOTED(word, when) RETURNS(word, when, 0)
#define RETURNS(word, when, result)                                                                \
    {                                                                                              \
        .option = {.name = (word),                                                                 \
                   .type = MODCAT_CONST,                                                           \
                   .phase = MODCAT_PHASE_##when,                                                   \
                   .effect = MODCAT_CALL,                                                          \
                   .detail = (result),                                                             \
                   .apply = note_option},                                                          \
        .groups = "TOY"                                                                            \
    }

static const struct registry_option rows[] = {
    NOTED("offset", OFFSET),
    NOTED("init", INIT),
    NOTED("early", EARLY),
    NOTED("preopen", PREOPEN),
    NOTED("pastopen", PASTOPEN),
    NOTED("presocket", PRESOCKET),
    NOTED("pastsocket", PASTSOCKET),
    NOTED("fd", FD),
    NOTED("other-fd", FD),
    NOTED("prebind", PREBIND),
    NOTED("accept", ACCEPT),
    NOTED("connected", CONNECTED),
    NOTED("late", LATE),
    NOTED("late2", LATE2),
    NOTED("spec", SPEC),
    RETURNS("refuse", ACCEPT, 1),
    RETURNS("fail-early", EARLY, -1),
    RETURNS("fail-fd", FD, -1),
    {.option = {.name = "process",
                .type = MODCAT_CONST,
                .phase = MODCAT_PHASE_LATE,
                .effect = MODCAT_CALL,
                .apply = note_option},
     .groups = "TOY,PROCESS"},
    {.option = {.name = "fetched",
                .type = MODCAT_INT,
                .phase = MODCAT_PHASE_FD,
                .effect = MODCAT_FETCHED},
     .groups = "TOY"},
    {.option = {.name = "open-flag",
                .type = MODCAT_BOOL,
                .phase = MODCAT_PHASE_OPEN,
                .effect = MODCAT_OPEN_FLAG,
                .code = O_APPEND,
                .detail = O_APPEND},
     .groups = "TOY"},
};

/* A row of the core's own, as an entry. */
static const struct registry_option *find_in_core(const char *name)
{
    static struct registry_option found[10];
    static size_t next;
    for (size_t group = 0; groups_core[group] != NULL; group++)
        for (size_t i = 0; i < groups_core[group]->option_count; i++) {
            const struct modcat_option *option = &groups_core[group]->options[i];
            if (strcmp(option->name, name) != 0 && !words_list_has(option->aliases, name))
                continue;
            struct registry_option *entry = &found[next++ % MODCAT_COUNT(found)];
            *entry =
                (struct registry_option){.option = *option, .groups = groups_core[group]->name};
            return entry;
        }
    fail_msg("there is no option \"%s\"", name);
    return NULL;
}

static const struct registry_option *find(const char *name)
{
    for (size_t i = 0; i < MODCAT_COUNT(rows); i++)
        if (strcmp(rows[i].option.name, name) == 0)
            return &rows[i];
    return find_in_core(name);
}

static void note_close(struct modcat_endpoint *endpoint)
{
    (void)endpoint;
    note("close ");
}

static const struct modcat_endpoint_ops ops = {.size = sizeof ops, .close = note_close};

/* Two descriptors, or one by parameter "one", or none to write to by "reader". */
static int toy_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    const char *kind = modcat_param(opening, 0);
    int ends[2];
    note("open ");
    if (kind != NULL && strcmp(kind, "broken") == 0) {
        errno = EIO;
        return modcat_fail(opening, "it is broken");
    }
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    read_fd = ends[0];
    write_fd = ends[1];
    endpoint->ops = &ops;
    endpoint->read_fd = read_fd;
    endpoint->write_fd = write_fd;
    if (kind != NULL) {
        close(write_fd);
        write_fd = -1;
        endpoint->write_fd = strcmp(kind, "one") == 0 ? read_fd : -1;
    }
    if (modcat_apply(opening, MODCAT_PHASE_PASTSOCKET, read_fd) < 0 ||
        modcat_apply(opening, MODCAT_PHASE_CONNECTED, read_fd) < 0)
        return -1;
    note("opened ");
    return 0;
}

/* Notes the process's state while the opening lasts. */
static int state_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    char folder[200];
    mode_t mask = umask(0);
    umask(mask);
    note("%s %03o ", getcwd(folder, sizeof folder), (unsigned)mask);
    return toy_open(opening, endpoint);
}

/* What `fetched` says. */
static int fetching_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    note("fetched=%lld ", modcat_option_number(opening, "fetched", -1));
    return toy_open(opening, endpoint);
}

static int ignoring_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    modcat_ignore_option(opening, "fetched");
    modcat_ignore_option(opening, "open-flag");
    modcat_ignore_option(opening, "not-given");
    return toy_open(opening, endpoint);
}

/* Has as many peers as its parameter has letters: `p` is there, `g` has gone again, `e` is an error
 * of the listener. */
static const char *peers;

static bool peers_wait(struct modcat_listener *listener)
{
    (void)listener;
    return *peers != '\0';
}

static int server_accept(struct modcat_listener *listener, struct modcat_opening *opening,
                         struct modcat_endpoint *endpoint)
{
    (void)listener;
    char peer = *peers++;
    note("accept-%c ", peer);
    if (peer != 'p')
        return peer == 'g' ? 1 : modcat_fail(opening, "it is broken");
    return toy_open(opening, endpoint);
}

static void server_close(struct modcat_listener *listener)
{
    (void)listener;
    note("unlisten ");
}

static int server_listen(struct modcat_opening *opening, struct modcat_listener *listener)
{
    peers = modcat_param(opening, 0);
    note("listen ");
    listener->accept = server_accept;
    listener->pending = peers_wait;
    listener->close = server_close;
    return 0;
}

/* The layer has the lower endpoint's descriptors already. */
static int toy_wrap(struct modcat_opening *opening, struct modcat_endpoint *lower,
                    struct modcat_endpoint *endpoint)
{
    note("wrap ");
    assert_int_equal(endpoint->read_fd, lower->read_fd);
    return strcmp(modcat_keyword(opening), "BROKEN") == 0 ? modcat_fail(opening, "no") : 0;
}

/* A driver that has no tables: endpoints have this program's size. */
static const max_align_t no_driver[64];
#define DRIVER ((const struct registry_driver *)(const void *)no_driver)
#define BOTH (MODCAT_DIR_READ | MODCAT_DIR_WRITE)

static const struct registry_type toy_types[] = {
    {.type = {.name = "TOY", .directions = BOTH, .open = toy_open}, .driver = DRIVER},
    {.type = {.name = "STATE", .directions = BOTH, .open = state_open}, .driver = DRIVER},
    {.type = {.name = "FETCHING", .directions = BOTH, .open = fetching_open}, .driver = DRIVER},
    {.type = {.name = "IGNORING", .directions = BOTH, .open = ignoring_open}, .driver = DRIVER},
    {.type = {.name = "SERVER", .directions = BOTH, .listen = server_listen}, .driver = DRIVER},
    {.type = {.name = "LAYER", .directions = BOTH, .wrap = toy_wrap}, .driver = DRIVER},
    {.type = {.name = "BROKEN", .directions = BOTH, .wrap = toy_wrap}, .driver = DRIVER},
    {.type = {.name = "READER", .directions = MODCAT_DIR_READ, .open = toy_open}, .driver = DRIVER},
};

static struct settings settings;
static struct session session;

static bool is_layer(const void *context, const char *keyword)
{
    (void)context;
    return strcmp(keyword, "LAYER") == 0 || strcmp(keyword, "BROKEN") == 0;
}

static void bind_options(struct address *address)
{
    char reason[300];
    for (size_t i = 0; i < address->option_count; i++) {
        struct address_option *option = &address->options[i];
        option->entry = find(option->name);
        if (values_parse(option->entry->option.type, NULL, option->name, option->text,
                         &option->value, &option->storage, reason, sizeof reason) < 0)
            fail_msg("%s", reason);
    }
}

static struct address_pair *bind_by_hand(const char *text)
{
    const struct address_layers layers = {.is_layer = is_layer};
    struct address_error error;
    struct address_pair *pair = address_parse(text, &layers, &error);
    if (pair == NULL)
        fail_msg("%s: %s", text, error.message);
    for (struct address *level = pair->first; level != NULL; level = level->lower) {
        for (size_t i = 0; i < MODCAT_COUNT(toy_types); i++)
            if (strcmp(toy_types[i].type.name, level->keyword) == 0)
                level->type = &toy_types[i];
        assert_non_null(level->type);
        bind_options(level);
    }
    return pair;
}

/* Opens an address as the left side of the session. */
static enum session_result open_side(const char *text)
{
    struct address_pair *pairs[2] = {bind_by_hand(text), bind_by_hand("TOY")};
    session_start(&session, &settings, pairs, relay_log_statistics);
    trace[0] = '\0';
    return accounts_look_up(&session) < 0 ? SESSION_FAILED : side_open(&session, &session.sides[0]);
}

static struct modcat_opening *opening_of(struct session *of)
{
    return of->sides[0].first.opening;
}

static int start(void **state)
{
    settings = (struct settings){.directions = {BOTH, BOTH}};
    read_fd = write_fd = -1;
    trace[0] = '\0';
    return scratch_start(state);
}

static int end(void **state)
{
    log_set_sloppy(false);
    return scratch_end(state);
}

static void check_opened(const char *text, const char *expected)
{
    if (open_side(text) != SESSION_OPEN)
        fail_msg("%s: %s", text, scratch_logged());
    assert_string_equal(trace, expected);
    session_close(&session);
}

static void check_failed(const char *text, const char *expected)
{
    assert_int_equal(open_side(text), SESSION_FAILED);
    assert_string_equal(trace, expected);
    assert_null(session.sides[0].first.endpoint);
    session_close(&session);
}

static void options_take_effect_phase_by_phase_whatever_their_order(void **state)
{
    (void)state;
    check_opened("TOY:one,late2,late,connected,prebind,fd,pastsocket,presocket,"
                 "pastopen,preopen,early,init,offset",
                 "offset@- init@- early@- open pastsocket@r connected@r opened preopen@r "
                 "pastopen@r presocket@r fd@r prebind@r late@r late2@r ");
}

static void options_of_one_phase_keep_the_order_of_the_command_line(void **state)
{
    (void)state;
    check_opened("TOY:one,other-fd,late,fd", "open opened other-fd@r fd@r late@r ");
    check_opened("TOY:one,fd,late,other-fd", "open opened fd@r other-fd@r late@r ");
}

static void an_option_that_is_given_twice_is_carried_out_twice(void **state)
{
    (void)state;
    check_opened("TOY:one,fd,other-fd,fd", "open opened fd@r other-fd@r fd@r ");
}

static void each_option_is_carried_out_once(void **state)
{
    (void)state;
    assert_int_equal(open_side("TOY:one,pastsocket,fd,late"), SESSION_OPEN);
    struct modcat_opening *opening = opening_of(&session);
    trace[0] = '\0';
    assert_int_equal(apply_finish(opening, session.sides[0].first.endpoint), 0);
    assert_int_equal(modcat_apply(opening, MODCAT_PHASE_PASTSOCKET, read_fd), 0);
    assert_int_equal(modcat_apply(opening, MODCAT_PHASE_FD, read_fd), 0);
    assert_string_equal(trace, "");
    session_close(&session);
}

static void both_descriptors_of_an_endpoint_get_options(void **state)
{
    (void)state;
    check_opened("TOY,late,fd", "open opened fd@r fd@w late@r late@w ");
}

static void an_endpoint_with_one_descriptor_gets_them_once(void **state)
{
    (void)state;
    check_opened("TOY:one,fd", "open opened fd@r ");
    check_opened("TOY:reader,fd", "open opened fd@r ");
}

static void options_of_the_process_are_carried_out_once(void **state)
{
    (void)state;
    check_opened("TOY,process,late", "open opened process@r late@r late@w ");
}

static void the_last_of_several_settings_counts(void **state)
{
    (void)state;
    assert_int_equal(open_side("TOY,readbytes=5,cr,escape=7,crnl,readbytes=9"), SESSION_OPEN);
    const struct opening_settings *set = &opening_of(&session)->set;
    assert_int_equal(set->readbytes, 9);
    assert_int_equal(set->line_end, LINE_END_CRNL);
    assert_int_equal(set->escape, 7);
    session_close(&session);
    assert_int_equal(open_side("TOY,crnl,cr"), SESSION_OPEN);
    assert_int_equal(opening_of(&session)->set.line_end, LINE_END_CR);
    assert_int_equal(opening_of(&session)->set.escape, -1);
    assert_int_equal(opening_of(&session)->set.readbytes, 0);
    session_close(&session);
}

static void the_last_of_several_values_is_fetched(void **state)
{
    (void)state;
    check_opened("FETCHING:one,fetched=3,fetched=4", "fetched=4 open opened ");
    check_opened("FETCHING:one", "fetched=-1 open opened ");
}

static void the_process_is_changed_while_the_opening_lasts_only(void **state)
{
    (void)state;
    char before[200], after[200];
    AUTO_FREE char *address = memory_format("STATE:one,umask=026,chdir=%s", scratch_folder("x"));
    AUTO_FREE char *expected = memory_format("%s 026 open opened ", scratch_path("x"));
    mode_t mask = umask(0013);
    assert_non_null(getcwd(before, sizeof before));
    check_opened(address, expected);
    assert_string_equal(getcwd(after, sizeof after), before);
    assert_int_equal(umask(mask), 0013);
}

static void options_that_nothing_uses_are_errors(void **state)
{
    (void)state;
    check_failed("TOY:one,fd,fetched=3,spec,open-flag", "open opened fd@r close ");
    const char *logged = scratch_logged();
    assert_non_null(strstr(logged, " E option \"fetched\" has no effect with TOY: leave it out\n"));
    assert_non_null(strstr(logged, " E option \"spec\" has no effect with TOY: leave it out\n"));
    assert_non_null(
        strstr(logged, " E option \"open-flag\" has no effect with TOY: leave it out\n"));
    assert_null(strstr(logged, "\"fd\""));
}

static void unused_options_are_passed_over_when_sloppy(void **state)
{
    (void)state;
    log_set_sloppy(true);
    check_opened("TOY:one,fetched=3", "open opened ");
    scratch_expect_log(" E option \"fetched\" has no effect with TOY");
}

static void options_can_be_ignored_by_name(void **state)
{
    (void)state;
    check_opened("IGNORING:one,fetched=3,open-flag,fetched=4", "open opened ");
    assert_string_equal(scratch_logged(), "");
}

static void a_failure_stops_everything_behind_it(void **state)
{
    (void)state;
    check_failed("TOY,late,fail-fd,fd", "open opened fail-fd@r close ");
    scratch_expect_log(" E fail-fd fails\n");
    check_failed("TOY,fd,fail-early,early", "fail-early@- ");
    scratch_expect_log(" E fail-early fails\n");
}

static void a_failure_closes_what_was_open(void **state)
{
    (void)state;
    int lowest = dup(STDERR_FILENO);
    close(lowest);
    check_failed("TOY,fail-fd", "open opened fail-fd@r close ");
    int again = dup(STDERR_FILENO);
    close(again);
    assert_int_equal(again, lowest);
}

static void a_failure_is_passed_over_when_sloppy(void **state)
{
    (void)state;
    log_set_sloppy(true);
    check_opened("TOY,late,fail-fd,fd,fail-early",
                 "fail-early@- open opened fail-fd@r fail-fd@w fd@r fd@w late@r late@w ");
    const char *logged = scratch_logged();
    assert_non_null(strstr(logged, " E fail-early fails\n"));
    assert_non_null(strstr(logged, " E fail-fd fails\n"));
}

static void only_the_last_of_several_tries_is_an_error(void **state)
{
    (void)state;
    log_set_level(MODCAT_INFO);
    check_failed("TOY:broken,retry=2,interval=0,early", "early@- open early@- open early@- open ");
    const char *logged = scratch_logged();
    const char *first = strstr(logged, " N it is broken\n");
    assert_non_null(first);
    const char *second = strstr(first + 1, " N it is broken\n");
    assert_non_null(second);
    assert_null(strstr(second + 1, " N it is broken\n"));
    assert_non_null(strstr(second + 1, " E it is broken\n"));
}

static void a_direction_that_the_type_lacks_is_not_opened(void **state)
{
    (void)state;
    assert_int_equal(open_side("READER:reader"), SESSION_OPEN);
    scratch_expect_log(" W address is opened in read-write mode but only supports read-only\n");
    assert_int_equal(modcat_directions(opening_of(&session)), MODCAT_DIR_READ);
    assert_string_equal(modcat_directions_name(opening_of(&session)), "reading");
    assert_non_null(side_reader(&session.sides[0]));
    assert_null(side_writer(&session.sides[0]));
    session_close(&session);
    settings.directions[0] = MODCAT_DIR_WRITE;
    check_failed("READER:reader", "");
    scratch_expect_log(" E READER cannot be used for writing\n");
}

static void a_layer_comes_between_the_phases_of_what_it_stands_on(void **state)
{
    (void)state;
    check_opened("LAYER,late,fd,early,init|TOY:one,late,fd,early,init",
                 "init@- init@- early@- early@- open opened fd@r wrap late@r fd@r late@r ");
}

static void a_layer_that_fails_closes_what_is_below(void **state)
{
    (void)state;
    check_failed("LAYER,late|BROKEN|TOY:one,fd,late", "open opened fd@r wrap close ");
    scratch_expect_log(" E BROKEN: no\n");
}

static void the_process_is_changed_by_any_level_of_a_stack(void **state)
{
    (void)state;
    AUTO_FREE char *address =
        memory_format("LAYER,umask=026,chdir=%s|STATE:one", scratch_folder("x"));
    AUTO_FREE char *expected = memory_format("%s 026 open opened wrap ", scratch_path("x"));
    check_opened(address, expected);
    AUTO_FREE char *both =
        memory_format("LAYER,umask=026|STATE:one,umask=077,cd=%s", scratch_path("x"));
    AUTO_FREE char *own = memory_format("LAYER|STATE:one,umask=026,cd=%s", scratch_path("x"));
    check_opened(both, expected);
    check_opened(own, expected);
}

/* In a process of its own. Returns the user that it has become. */
static int user_after(const char *text)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        bool good = open_side(text) == SESSION_OPEN && getuid() == 0 &&
                    sides_give_up_privileges(&session) == 0;
        _exit(good && getuid() == geteuid() && getuid() < 100 ? (int)getuid() : 200);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void privileges_are_given_up_by_any_level_of_a_stack(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip_because("it takes root");
    assert_int_equal(user_after("TOY:one,su-d=1"), 1);
    assert_int_equal(user_after("LAYER,su-d=1|TOY:one"), 1);
    assert_int_equal(user_after("LAYER|TOY:one,su-d=1"), 1);
    assert_int_equal(user_after("LAYER|LAYER,su-d=2|TOY:one,su-d=1"), 2);
}

static void filters_wait_for_a_peer(void **state)
{
    (void)state;
    check_failed("TOY:one,accept", "open opened close ");
    assert_int_equal(open_side("TOY:one"), SESSION_OPEN);
    session_close(&session);
}

static void each_peer_gets_what_the_listener_has_not_used(void **state)
{
    (void)state;
    struct address_pair *pair = bind_by_hand("TOY,refuse,prebind,fd,accept,cr");
    struct session none = {.settings = &settings};
    struct modcat_opening *listening = opening_new(&none, pair->first, BOTH);
    assert_int_equal(modcat_apply(listening, MODCAT_PHASE_PREBIND, -1), 0);
    listening->failure = MODCAT_INFO;
    trace[0] = '\0';
    for (int peer = 0; peer < 2; peer++) {
        struct modcat_opening *opening = opening_for_peer(listening, listening->session);
        assert_int_equal(opening->failure, MODCAT_ERROR);
        assert_int_equal(opening->set.line_end, LINE_END_CR);
        assert_int_equal(modcat_apply(opening, MODCAT_PHASE_PREBIND, -1), 0);
        assert_int_equal(modcat_apply(opening, MODCAT_PHASE_ACCEPT, -1), 1);
        assert_int_equal(modcat_apply(opening, MODCAT_PHASE_ACCEPT, -1), 0);
        assert_int_equal(modcat_apply(opening, MODCAT_PHASE_FD, -1), 0);
        assert_int_equal(apply_report_unused(opening), 0);
        opening_free(opening);
    }
    assert_string_equal(trace, "refuse@- accept@- fd@- refuse@- accept@- fd@- ");
    opening_free(listening);
    address_free(pair);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

static void peers_that_have_gone_and_peers_that_are_refused_are_passed_over(void **state)
{
    (void)state;
    check_opened("SERVER:ggp,fd", "listen accept-g accept-g accept-p open opened fd@r unlisten ");
    assert_int_equal(open_side("SERVER:pp,refuse,accept-timeout=0.01"), SESSION_DONE);
    assert_string_equal(trace, "listen accept-p open opened refuse@- close "
                               "accept-p open opened refuse@- close unlisten ");
    session_close(&session);
}

static void a_listener_that_fails_ends_the_waiting(void **state)
{
    (void)state;
    check_failed("SERVER:gep", "listen accept-g accept-e unlisten ");
}

/* Without `fork`, the next peer gets a chance as often as retry says. */
static void a_peer_that_fails_makes_room_for_another_one(void **state)
{
    (void)state;
    assert_int_equal(open_side("SERVER:ppp,fail-fd,retry=1,interval=0"), SESSION_FAILED);
    assert_string_equal(trace, "listen accept-p open opened fail-fd@r close "
                               "accept-p open opened fail-fd@r unlisten ");
    session_close(&session);
    assert_string_equal(trace + strlen(trace) - 6, "close ");
}

/* The parent goes on to wait, and what it has of the peer is closed without a shutdown. */
static void each_peer_gets_a_process_with_fork(void **state)
{
    size_t served = 0;
    pid_t parent = getpid();
    (void)state;
    log_set_level(MODCAT_INFO);
    assert_int_equal(signals_start(0), 0);
    enum session_result result = open_side("SERVER:pp,fork,fd,accept-timeout=0.01");
    if (getpid() != parent) {
        bool settled = strstr(trace, "opened fd@r ") != NULL;
        _exit(result == SESSION_OPEN && session.forked && settled ? 0 : 1);
    }
    assert_int_equal(result, SESSION_DONE);
    assert_string_equal(trace, "listen accept-p open opened close accept-p open opened close "
                               "unlisten ");
    assert_null(session.sides[0].first.endpoint);
    for (const char *log = scratch_logged(); (log = strstr(log, "exited with status 0")) != NULL;
         log++)
        served++;
    assert_int_equal(served, 2);
    session_close(&session);
    log_set_level(MODCAT_WARNING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(options_take_effect_phase_by_phase_whatever_their_order),
        TEST(options_of_one_phase_keep_the_order_of_the_command_line),
        TEST(an_option_that_is_given_twice_is_carried_out_twice),
        TEST(each_option_is_carried_out_once),
        TEST(both_descriptors_of_an_endpoint_get_options),
        TEST(an_endpoint_with_one_descriptor_gets_them_once),
        TEST(options_of_the_process_are_carried_out_once),
        TEST(the_last_of_several_settings_counts),
        TEST(the_last_of_several_values_is_fetched),
        TEST(the_process_is_changed_while_the_opening_lasts_only),
        TEST(options_that_nothing_uses_are_errors),
        TEST(unused_options_are_passed_over_when_sloppy),
        TEST(options_can_be_ignored_by_name),
        TEST(a_failure_stops_everything_behind_it),
        TEST(a_failure_closes_what_was_open),
        TEST(a_failure_is_passed_over_when_sloppy),
        TEST(only_the_last_of_several_tries_is_an_error),
        TEST(a_direction_that_the_type_lacks_is_not_opened),
        TEST(a_layer_comes_between_the_phases_of_what_it_stands_on),
        TEST(a_layer_that_fails_closes_what_is_below),
        TEST(the_process_is_changed_by_any_level_of_a_stack),
        TEST(privileges_are_given_up_by_any_level_of_a_stack),
        TEST(filters_wait_for_a_peer),
        TEST(each_peer_gets_what_the_listener_has_not_used),
        TEST(peers_that_have_gone_and_peers_that_are_refused_are_passed_over),
        TEST(a_listener_that_fails_ends_the_waiting),
        TEST(a_peer_that_fails_makes_room_for_another_one),
        TEST(each_peer_gets_a_process_with_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
