/* Every way in which a session with a program can end: what happens then is what the table in
 * ends.rows says, and nothing else. */

#define _GNU_SOURCE
#include "tests/system/covering.h"
#include "tests/system/end_table.h"
#include "tests/system/peers.h"
#include "tests/system/probe.h"
#include "tests/system/workers.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long nothing happens at first, in milliseconds, and until when that may be doubled. */
#define QUIET 300
#define QUIET_MOST (1 << 14)

/* Most of them wait for a quiet time to pass. */
#define WORKERS 16

struct cell;

/* One try of a cell. */
struct scene {
    struct harness *harness;
    const struct cell *cell;
    const char *const *row;     /* what is to happen */
    const char *const *parting; /* and to a program that runs until then */
    const char *const *its_end; /* and at its end */
    int quiet;
    struct program *program; /* the one under test */
    struct probe run;        /* what it runs */
    struct probe child;
    int other; /* the test's end of the other address */
    long long began;
};

static void end_other(struct scene *scene)
{
    peer_end(scene->other);
}

static void reset_other(struct scene *scene)
{
    peer_reset(scene->harness, scene->other);
}

static void send_sigterm(struct scene *scene)
{
    program_signal(scene->program, SIGTERM);
}

static void send_sigint(struct scene *scene)
{
    program_signal(scene->program, SIGINT);
}

static void send_sighup(struct scene *scene)
{
    program_signal(scene->program, SIGHUP);
}

static void let_exit(struct scene *scene)
{
    probe_tell(&scene->run, PROBE_EXIT);
}

static void let_fail(struct scene *scene)
{
    probe_tell(&scene->run, PROBE_FAIL);
}

static void let_die(struct scene *scene)
{
    probe_tell(&scene->run, PROBE_DIE);
}

static void let_close_output(struct scene *scene)
{
    probe_tell(&scene->run, PROBE_CLOSE_OUTPUT);
}

static void wait_only(struct scene *scene)
{
    (void)scene;
}

struct direction {
    const char *name;
    const char *flag;
    bool in, out; /* of the program */
};

static const struct direction directions[] = {
    {"both ways", "-d", true, true},
    {"to it", "-U", true, false},
    {"from it", "-u", false, true},
};

struct connection {
    const char *name;
    const char *options;
    bool halves;  /* output can be closed alone */
    bool one_way; /* it differs from another one only where all goes to the program */
};

static const struct connection connections[] = {
    {.name = "socket pair", .options = ""},
    {.name = "pipes", .options = ",pipes", .halves = true},
    {.name = "terminal", .options = ",pty,echo=0,opost=0"},
    {.name = "raw terminal", .options = ",pty,rawer", .one_way = true},
    {.name = "controlling terminal", .options = ",pty,setsid,ctty,echo=0,opost=0"},
};

static const char *const types[] = {"EXEC", "SYSTEM", "SHELL"};

/* What ends a session. `needs_in`: a direction that goes to the program; the same for one that
 * comes from it. */
struct end {
    const char *name;
    void (*act)(struct scene *scene);
    bool needs_in, needs_out;
    bool needs_halves;
    bool child_holds; /* its child has the program's input and output */
    bool by_tcp;      /* the other address is a TCP connection */
    bool own_end;     /* the program's own end is what happens */
};

#define SHORT_CLOSING "-t passes"
#define INACTIVITY "-T passes"

static const struct end ends[] = {
    {.name = "end of file", .act = end_other, .needs_in = true},
    {.name = SHORT_CLOSING, .act = end_other, .needs_in = true},
    {.name = INACTIVITY, .act = wait_only},
    {.name = "reset", .act = reset_other, .by_tcp = true},
    {.name = "SIGTERM", .act = send_sigterm},
    {.name = "SIGINT", .act = send_sigint},
    {.name = "SIGHUP", .act = send_sighup},
    {.name = "it exits with 0", .act = let_exit, .own_end = true},
    {.name = "it exits with N", .act = let_fail, .own_end = true},
    {.name = "it is killed", .act = let_die, .own_end = true},
    {.name = "it exits and a child holds on",
     .act = let_exit,
     .child_holds = true,
     .own_end = true},
    {.name = "it closes its output",
     .act = let_close_output,
     .needs_out = true,
     .needs_halves = true},
};

struct cell {
    const struct end *end;
    const char *type;
    const struct connection *connection;
    const struct direction *direction;
    size_t row;
    size_t parting; /* another row; `row` where the program does not run until then */
    size_t its_end;
};

#define PARTING "parting"

static struct end_table table;
static struct cell *cells;
static size_t *chosen; /* the cells to try, by their numbers */

static bool says(const struct scene *scene, enum end_column column, const char *word)
{
    return end_list_has(scene->row[column], word);
}

static bool waits_for(const struct scene *scene, const char *what)
{
    return strcmp(scene->row[END_WAITED_FOR], what) == 0;
}

static const char *seconds(const struct scene *scene)
{
    return text(scene->harness, "%d.%03d", scene->quiet / 1000, scene->quiet % 1000);
}

/* Longer than the test has patience, where it is not to be waited for. */
static const char *closing_time(const struct scene *scene)
{
    bool is_short = waits_for(scene, "-t") || strcmp(scene->cell->end->name, SHORT_CLOSING) == 0;
    return is_short ? seconds(scene) : "600";
}

static const char *inactivity_time(const struct scene *scene)
{
    return strcmp(scene->cell->end->name, INACTIVITY) == 0 ? seconds(scene) : "600";
}

/* A shell that runs a single command may become that, and may not. */
static const char *program_address(const struct scene *scene)
{
    const struct cell *cell = scene->cell;
    const char *command = probe_command(scene->harness, cell->end->child_holds);
    return text(scene->harness, "%s:%s%s%s", cell->type,
                strcmp(cell->type, "EXEC") == 0 ? "" : "exec ", command, cell->connection->options);
}

static const char *other_path(const struct scene *scene)
{
    return path(scene->harness, "other");
}

static const char *other_address(const struct scene *scene)
{
    return scene->cell->end->by_tcp ? "TCP4-LISTEN:0,bind=" LOOPBACK
                                    : text(scene->harness, "UNIX-LISTEN:%s", other_path(scene));
}

static int connect_unix(const struct scene *scene)
{
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    int fd = harness_keep(scene->harness, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    snprintf(place.sun_path, sizeof place.sun_path, "%s", other_path(scene));
    program_logs(scene->program, " N listening on ");
    assert_int_equal(connect(fd, (const struct sockaddr *)&place, sizeof place), 0);
    return fd;
}

/* The program is there before the other address lets the session begin. */
static void open_session(struct scene *scene)
{
    int listener = probe_listen(scene->harness);
    scene->program = program_start(scene->harness, "-d", "-d", "-d", "-t", closing_time(scene),
                                   "-T", inactivity_time(scene), scene->cell->direction->flag,
                                   program_address(scene), other_address(scene), NULL);
    probes_accept(scene->harness, listener, &scene->run, &scene->child);
    scene->began = milliseconds();
    scene->other = scene->cell->end->by_tcp
                       ? peer_connect(scene->harness, LOOPBACK, program_port(scene->program))
                       : connect_unix(scene);
}

/* Where its time is short, nothing is to be in time. */
static void exchange(struct scene *scene)
{
    if (strcmp(scene->cell->end->name, INACTIVITY) == 0)
        return;
    if (scene->cell->direction->in) {
        peer_send(scene->harness, scene->other, "line\n");
        probe_gets_input(&scene->run);
    }
    if (scene->cell->direction->out) {
        probe_tell(&scene->run, PROBE_WRITE);
        peer_receives(scene->harness, scene->other, PROBE_LINE);
    }
}

static bool is_running(const struct scene *scene)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)program_pid(scene->program), &info, WEXITED | WNOHANG | WNOWAIT) ==
               0 &&
           info.si_pid == 0;
}

/* What the program gets while the session lasts. Returns what is wrong unless the machine was too
 * busy just then. */
static const char *await_input_end(struct scene *scene)
{
    if (says(scene, END_PROGRAM, "end of input")) {
        probe_gets_end_of_input(&scene->run);
        return is_running(scene) ? NULL : "the program gets the end of its input too late";
    }
    if (waits_for(scene, END_NOTHING) || scene->cell->end->own_end || !scene->cell->direction->in)
        return NULL;
    poll(NULL, 0, scene->quiet / 2);
    probe_ask(&scene->run);
    return scene->run.report.input_ended ? "the program gets the end of its input too early" : NULL;
}

/* Longer than -t, where that is short. */
static void outlast_program(struct scene *scene)
{
    poll(NULL, 0, 2 * scene->quiet);
    if (!is_running(scene))
        harness_fail(scene->harness, "it has not waited for the end of the program");
    let_exit(scene);
}

/* The table is about programs. A peer that is only sent to and has been told of the end is waited
 * for, too, up to -t: it may say that it has not taken all. */
static void let_other_leave(struct scene *scene)
{
    if (!waits_for(scene, END_NOTHING) || !scene->cell->end->own_end || scene->cell->direction->in)
        return;
    peer_receives_end(scene->harness, scene->other);
    harness_close(scene->harness, scene->other);
}

static int await_end(struct scene *scene)
{
    let_other_leave(scene);
    if (waits_for(scene, "its end"))
        outlast_program(scene);
    int status = program_end(scene->program);
    long long lasted = milliseconds() - scene->began;
    if ((waits_for(scene, "-t") || waits_for(scene, "-T")) && lasted < scene->quiet)
        harness_fail(scene->harness, "it ended before its time");
    return status;
}

static unsigned signals_named(const char *list)
{
    return (end_list_has(list, "SIGTERM") ? 1U << SIGTERM : 0) |
           (end_list_has(list, "SIGHUP") ? 1U << SIGHUP : 0);
}

static void has_got(struct scene *scene, struct probe *probe, const char *signals)
{
    probe_ask(probe);
    if (probe->report.signals != signals_named(signals))
        harness_fail(scene->harness, "%s has got signals 0x%x, not %s",
                     probe == &scene->run ? "the program" : "its child", probe->report.signals,
                     signals);
}

static void runs_on(struct scene *scene)
{
    bool parts = says(scene, END_PROGRAM, PARTING);
    if (scene->run.has_ended)
        harness_fail(scene->harness, "the program has ended");
    has_got(scene, &scene->run, parts ? scene->parting[END_PROGRAM] : scene->row[END_PROGRAM]);
    has_got(scene, &scene->child, scene->row[END_CHILDREN]);
    let_exit(scene);
}

/* With a controlling terminal, what its children get then is the system's doing. */
static void comes_to_its_end(struct scene *scene)
{
    probe_ends(&scene->run);
    if (end_list_has(scene->its_end[END_CHILDREN], "SIGHUP"))
        probe_gets_signal(&scene->child, SIGHUP);
    has_got(scene, &scene->child, scene->its_end[END_CHILDREN]);
    if (scene->child.has_ended)
        harness_fail(scene->harness, "the program's child has ended");
}

static const char *run_scene(struct scene *scene)
{
    open_session(scene);
    exchange(scene);
    if (strcmp(scene->cell->end->name, INACTIVITY) != 0)
        scene->began = milliseconds();
    scene->cell->end->act(scene);
    const char *doubt = await_input_end(scene);
    if (doubt != NULL)
        return doubt;
    int status = await_end(scene);
    if (status != number_in(scene->harness, scene->row[END_STATUS]))
        harness_fail(scene->harness, "it ended with %d, not %s", status, scene->row[END_STATUS]);
    if (!scene->cell->end->own_end && !waits_for(scene, "its end"))
        runs_on(scene);
    comes_to_its_end(scene);
    end_said(scene->harness, scene->program, scene->row[END_SAID]);
    return NULL;
}

static const char *attempt(struct harness *harness, const struct cell *cell, int quiet)
{
    struct scene scene = {
        .harness = harness,
        .cell = cell,
        .row = table.rows[cell->row],
        .parting = table.rows[cell->parting],
        .its_end = table.rows[cell->its_end],
        .quiet = quiet,
    };
    const char *doubt = run_scene(&scene);
    if (doubt != NULL && quiet >= QUIET_MOST)
        harness_fail(harness, "%s", doubt);
    return doubt;
}

static void run_chosen(struct harness *harness, size_t number)
{
    const struct cell *cell = &cells[chosen[number]];
    const char *doubt = attempt(harness, cell, QUIET);
    for (int quiet = 2 * QUIET; doubt != NULL; quiet *= 2) {
        void *another;
        harness_begin(&another);
        doubt = attempt(another, cell, quiet);
        assert_int_equal(harness_end(&another), 0);
    }
}

static bool is_possible(const struct cell *cell)
{
    return (!cell->end->needs_in || cell->direction->in) &&
           (!cell->end->needs_out || cell->direction->out) &&
           (!cell->end->needs_halves || cell->connection->halves) &&
           (!cell->connection->one_way || !cell->direction->out);
}

static void find_rows(struct harness *harness, struct cell *cell)
{
    const char *conditions[] = {cell->end->name, cell->type, cell->connection->name,
                                cell->direction->name};
    cell->row = cell->parting = end_table_find(harness, &table, conditions);
    conditions[0] = "its end";
    cell->its_end = end_table_find(harness, &table, conditions);
    if (!end_list_has(table.rows[cell->row][END_PROGRAM], PARTING))
        return;
    conditions[0] = PARTING;
    cell->parting = end_table_find(harness, &table, conditions);
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static size_t make_cells(struct harness *harness)
{
    const size_t sizes[] = {COUNT(ends), COUNT(types), COUNT(connections), COUNT(directions)};
    size_t most = sizes[0] * sizes[1] * sizes[2] * sizes[3], count = 0;
    cells = memory(harness, most * sizeof *cells);
    for (size_t i = 0; i < most; i++) {
        struct cell cell = {
            .direction = &directions[i % sizes[3]],
            .connection = &connections[i / sizes[3] % sizes[2]],
            .type = types[i / sizes[3] / sizes[2] % sizes[1]],
            .end = &ends[i / sizes[3] / sizes[2] / sizes[1]],
        };
        if (!is_possible(&cell))
            continue;
        find_rows(harness, &cell);
        cells[count++] = cell;
    }
    return count;
}

static bool reaches(const struct cell *cell, size_t row)
{
    return cell->row == row || cell->parting == row || cell->its_end == row;
}

static void each_row_is_reached(struct harness *harness, size_t count)
{
    for (size_t row = 0; row < table.count; row++) {
        size_t i = 0;
        while (i < count && !reaches(&cells[i], row))
            i++;
        if (i == count)
            harness_fail(harness, "nothing reaches row %zu of ends.rows: %s, %s, %s, %s", row + 1,
                         table.rows[row][0], table.rows[row][1], table.rows[row][2],
                         table.rows[row][3]);
    }
}

/* Where what has a number stands among all that is alike. */
#define NUMBER_IN(list, element) ((size_t)((element) - (list)))

static size_t type_number(const struct cell *cell)
{
    size_t number = 0;
    while (types[number] != cell->type)
        number++;
    return number;
}

/* Each row; and each two of an end, a type and a way to connect. */
#define GOALS 6

static void goals_of(const struct cell *cell, size_t *goals)
{
    size_t type = type_number(cell), how = NUMBER_IN(connections, cell->connection);
    size_t end = NUMBER_IN(ends, cell->end), first = table.count;
    goals[0] = cell->row;
    goals[1] = cell->parting;
    goals[2] = cell->its_end;
    goals[3] = first + end * COUNT(types) + type;
    first += COUNT(ends) * COUNT(types);
    goals[4] = first + end * COUNT(connections) + how;
    first += COUNT(ends) * COUNT(connections);
    goals[5] = first + type * COUNT(connections) + how;
}

static size_t choose_cells(struct harness *harness, size_t count)
{
    size_t *goals = memory(harness, count * GOALS * sizeof *goals);
    for (size_t i = 0; i < count; i++)
        goals_of(&cells[i], &goals[i * GOALS]);
    const struct covering covering = {
        .count = count,
        .per_case = GOALS,
        .goal_count = table.count + COUNT(ends) * COUNT(types) + COUNT(ends) * COUNT(connections) +
                      COUNT(types) * COUNT(connections),
        .goals = goals,
    };
    chosen = memory(harness, count * sizeof *chosen);
    return covering_choose(&covering, "ends",
                           "each row, and each two of an end, a type and a connection", chosen);
}

static void programs_end_as_the_table_says(void **state)
{
    struct harness *harness = *state;
    table = end_table_read(harness);
    size_t count = make_cells(harness);
    each_row_is_reached(harness, count);
    count = choose_cells(harness, count);
    workers_run(&(struct work){.count = count, .piece = run_chosen, .workers = WORKERS});
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(programs_end_as_the_table_says),
    };
    probe_main(argc, argv);
    return cmocka_run_group_tests_name("program ends matrix", tests, NULL, NULL);
}
