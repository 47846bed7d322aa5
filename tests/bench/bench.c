/* bench: what relays do in a second, and what they take for it, side by side. Each contender is
 * measured once a round, and the rounds take turns, so that whatever else the machine does hits all
 * of them; numbers are medians, and those of different runs are not to be compared. */

#define _GNU_SOURCE
#include "tests/bench/bench.h"
#include "tests/bench/chart.h"
#include "tests/bench/contenders.h"
#include "tests/bench/machine.h"
#include "tests/bench/works.h"

#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX 99
#define WORKS_MAX 64
#define MIB ((size_t)1024 * 1024)

/* What is wanted: modcat's number divided by the other's, or the other way round where less is
 * better for `work`, has to be this at least. */
static const struct goal {
    const char *work;
    int metric;
    enum contender against;
    double times;
} goals[] = {
    {"tcp-tcp", 0, SOCAT, 2.0},
    {"tcp-tcp", 0, SOCAT_TUNED, 1.25},
    {"tcp-tcp", 0, DIRECT, 0.75},
    {"tcp-tcp", 1, SOCAT_TUNED, 1 / 0.6},
    {"unix-unix", 0, SOCAT, 1.6},
    {"file-tcp", 0, SOCAT, 1.6},
    {"tcp-file", 0, SOCAT, 1.6},
    {"pipe-tcp", 0, SOCAT, 1.6},
    {"tls-bulk", 0, SOCAT, 1.3},
    {"tls-handshakes", 0, SOCAT, 3.0},
    {"connections", 0, SOCAT, 4.0},
    {"ping-pong", 0, SOCAT, 1 / 0.9},
    {"udp", 0, SOCAT, 1.3},
    {"memory", 0, SOCAT, 1 / 0.5},
    {"startup", 0, SOCAT, 1 / 0.4},
    {"sessions-32", 0, NGINX, 1.0},
    {"sessions-256", 0, NGINX, 1.0},
    {"workers-256", 0, NGINX, 1.0},
    {"workers-256", 0, HAPROXY, 1.5},
    {"sessions-memory", 0, NGINX, 1 / 0.8},
    {"sessions-memory", 0, HAPROXY, 1.0},
};

/* The numbers of one contender at one work. */
struct result {
    bool missing;
    double values[METRICS][ROUNDS_MAX];
    double medians[METRICS];
};

static struct result results[WORKS_MAX][CONTENDERS];

int complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return -1;
}

double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double quantile(double *values, size_t count, double share)
{
    qsort(values, count, sizeof *values, ascending);
    return values[(size_t)(share * (double)(count - 1) + 0.5)];
}

static bool takes_part(const struct bench *bench, const struct work *work, enum contender who)
{
    return (work->contenders & BIT(who)) != 0 && bench->present[who];
}

/* Those who fail once are out: what they would be measured at later is not the same any more. */
static void measure(const struct bench *bench, const struct work *work, struct result *all)
{
    for (unsigned round = 0; round < bench->rounds; round++)
        for (int who = 0; who < CONTENDERS; who++) {
            double values[METRICS] = {0};
            if (!takes_part(bench, work, (enum contender)who) || all[who].missing)
                continue;
            all[who].missing = work->measure(bench, work, (enum contender)who, values) < 0;
            for (int metric = 0; metric < METRICS; metric++)
                all[who].values[metric][round] = values[metric];
        }
    for (int who = 0; who < CONTENDERS; who++) {
        if (!takes_part(bench, work, (enum contender)who))
            all[who].missing = true;
        for (int metric = 0; metric < METRICS; metric++)
            all[who].medians[metric] = quantile(all[who].values[metric], bench->rounds, 0.5);
    }
}

/* How many times as good modcat is; 0 where either has not been measured. */
static double times_as_good(const struct work *work, const struct result *all, int metric,
                            enum contender against)
{
    double ours = all[MODCAT].medians[metric], theirs = all[against].medians[metric];
    if (all[MODCAT].missing || all[against].missing || ours <= 0 || theirs <= 0)
        return 0;
    return work->metrics[metric].less_is_better ? theirs / ours : ours / theirs;
}

static void report(const struct work *work, const struct result *all)
{
    for (int metric = 0; metric < METRICS && work->metrics[metric].title != NULL; metric++) {
        printf("\n%s: %s, %s\n", work->title, work->metrics[metric].title,
               work->metrics[metric].unit);
        for (int who = 0; who < CONTENDERS; who++) {
            double times = times_as_good(work, all, metric, (enum contender)who);
            if (all[who].missing)
                continue;
            printf("  %-14s %12.*f", contender_name((enum contender)who),
                   all[who].medians[metric] < 10 ? 3 : 0, all[who].medians[metric]);
            if (who != MODCAT && times > 0)
                printf("   modcat is %6.2f times as good", times);
            putchar('\n');
        }
    }
    fflush(stdout);
}

static size_t find_work(const char *name)
{
    size_t i = 0;
    while (i < work_count && strcmp(works[i].name, name) != 0)
        i++;
    return i;
}

static void report_goals(void)
{
    printf("\n%-40s %-14s %8s %8s\n", "modcat, times as good", "against", "reached", "wanted");
    for (size_t i = 0; i < COUNT(goals); i++) {
        size_t at = find_work(goals[i].work);
        const struct work *work = &works[at];
        double times = times_as_good(work, results[at], goals[i].metric, goals[i].against);
        char title[64];
        snprintf(title, sizeof title, "%s%s", work->title, goals[i].metric > 0 ? ", CPU" : "");
        if (times > 0)
            printf("%-40s %-14s %8.2f %8.2f%s\n", title, contender_name(goals[i].against), times,
                   goals[i].times, times < goals[i].times ? "  missed" : "");
    }
}

/* What the picture shows, from top to bottom. */
static const struct shown {
    const char *work;
    int metric;
    const char *title; /* NULL: that of the work */
} shown[] = {
    {"tcp-tcp", 0, NULL},
    {"tcp-tcp", 1, "bulk TCP to TCP, processor time"},
    {"unix-unix", 0, NULL},
    {"file-tcp", 0, NULL},
    {"tcp-file", 0, NULL},
    {"pipe-tcp", 0, NULL},
    {"tls-bulk", 0, NULL},
    {"tls-handshakes", 0, NULL},
    {"ping-pong", 0, NULL},
    {"udp", 0, NULL},
    {"startup", 0, NULL},
    {"connections", 0, "connections, a process each"},
    {"memory", 0, "memory of such a process"},
    {"sessions-32", 0, "connections, fork=session"},
    {"workers-256", 0, "connections, two workers"},
    {"sessions-memory", 0, "memory, fork=session"},
};

static const char *const explained[CONTENDERS] = {
    [SOCAT] = "socat %s: with its defaults",
    [SOCAT_TUNED] = "socat, tuned: with the best -b of four, and room for more waiting clients",
    [NGINX] = "nginx %s: one worker of its stream module",
    [HAPROXY] = "haproxy %s: mode tcp",
    [DIRECT] = "direct: both ends connected without a relay",
};

static bool was_measured(enum contender who)
{
    for (size_t i = 0; i < work_count; i++)
        if (!results[i][who].missing)
            return true;
    return false;
}

static int draw(const struct bench *bench, const char *path)
{
    struct chart_row rows[COUNT(shown)];
    struct chart_notes notes = {.contenders = {NULL}};
    char texts[CONTENDERS][NOTE_SIZE], machine[NOTE_SIZE];
    size_t count = 0;
    for (size_t i = 0; i < COUNT(shown); i++) {
        size_t at = find_work(shown[i].work);
        if (results[at][MODCAT].missing)
            continue;
        rows[count] = (struct chart_row){
            .title = shown[i].title != NULL ? shown[i].title : works[at].title,
        };
        for (int who = SOCAT; who < CONTENDERS; who++)
            rows[count].times[who] =
                times_as_good(&works[at], results[at], shown[i].metric, (enum contender)who);
        count++;
    }
    for (int who = SOCAT; who < CONTENDERS; who++)
        if (was_measured((enum contender)who))
            notes.contenders[who] =
                describe_contender(bench, (enum contender)who, explained[who], texts[who]);
    notes.machine = describe_machine(bench, machine);
    return count > 0 ? chart_write(path, rows, count, &notes) : 0;
}

/* A folder in memory, where there is room for three of the files. */
static int make_scratch(struct bench *bench)
{
    static const char *const folders[] = {"/dev/shm", "/tmp"};
    struct statvfs room;
    for (size_t i = 0; i < COUNT(folders); i++) {
        if (statvfs(folders[i], &room) < 0 || room.f_bavail * room.f_bsize < 3 * bench->size)
            continue;
        snprintf(bench->scratch, sizeof bench->scratch, "%s/bench-XXXXXX", folders[i]);
        if (mkdtemp(bench->scratch) != NULL)
            return 0;
    }
    bench->scratch[0] = '\0';
    return complain("no room for files of %zu bytes in /dev/shm and /tmp", bench->size);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

/* Tries some block sizes, with less data, and keeps the one with which socat is fastest. */
static void tune_socat(struct bench *bench)
{
    static const unsigned blocks[] = {16384, 65536, 262144, 1048576};
    struct bench small = *bench;
    double best = 0;
    if (!bench->present[SOCAT_TUNED])
        return;
    small.size = bench->size / 2;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < COUNT(blocks); i++) {
            small.tuned_block = blocks[i];
            double speed = works_bulk_speed(&small, SOCAT_TUNED);
            if (speed <= best)
                continue;
            best = speed;
            bench->tuned_block = blocks[i];
        }
    printf("socat, tuned: -b %u, and backlog=1024 where it listens\n", bench->tuned_block);
}

static bool chosen(const char *name, char **names)
{
    if (names[0] == NULL)
        return true;
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static int run(struct bench *bench, char **names, const char *picture)
{
    if (works_prepare(bench) < 0)
        return -1;
    tune_socat(bench);
    printf("bulk transfers of %zu MiB; medians of %u rounds\n", bench->size / MIB, bench->rounds);
    for (size_t i = 0; i < work_count; i++) {
        for (int who = 0; who < CONTENDERS; who++)
            results[i][who].missing = true;
        if (!chosen(works[i].name, names))
            continue;
        memset(results[i], 0, sizeof results[i]);
        measure(bench, &works[i], results[i]);
        report(&works[i], results[i]);
    }
    report_goals();
    return picture != NULL ? draw(bench, picture) : 0;
}

static volatile sig_atomic_t worker;

static void end_worker(int number)
{
    if (worker > 0)
        kill(-(pid_t)worker, number);
}

/* All is done in a process group of its own: when the benchmark is interrupted, its relays end and
 * its files go. */
static int run_apart(struct bench *bench, char **names, const char *picture)
{
    int status = -1;
    contenders_find(bench);
    if (!bench->present[MODCAT])
        return complain("%s is not there", bench->modcat);
    if (make_scratch(bench) < 0)
        return -1;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        exit(run(bench, names, picture) < 0 ? 1 : 0);
    }
    setpgid(pid, pid);
    worker = pid;
    for (const int *number = (const int[]){SIGHUP, SIGINT, SIGTERM, 0}; *number != 0; number++)
        sigaction(*number, &(struct sigaction){.sa_handler = end_worker}, NULL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    nftw(bench->scratch, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return status == 0 ? 0 : -1;
}

static int usage(void)
{
    fputs("usage: bench [--modcat PROGRAM] [--socat PROGRAM] [--size MIB] [--rounds N]\n"
          "             [--svg FILE] [WORK...]\n"
          "works:",
          stderr);
    for (size_t i = 0; i < work_count; i++)
        fprintf(stderr, " %s", works[i].name);
    fputc('\n', stderr);
    return 2;
}

static const struct option long_options[] = {
    {"modcat", required_argument, NULL, 'm'},
    {"socat", required_argument, NULL, 's'},
    {"size", required_argument, NULL, 'z'},
    {"rounds", required_argument, NULL, 'r'},
    {"svg", required_argument, NULL, 'g'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static unsigned long number(const char *text, unsigned long most)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    return *end == '\0' && value <= most ? value : 0;
}

/* Returns false after reporting what is wrong. */
static bool parse(int argc, char **argv, struct bench *bench, const char **picture)
{
    for (int letter; (letter = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (letter == 'm')
            bench->modcat = optarg;
        else if (letter == 's')
            bench->socat = optarg;
        else if (letter == 'g')
            *picture = optarg;
        else if (letter == 'z')
            bench->size = number(optarg, 65536) * MIB;
        else if (letter == 'r')
            bench->rounds = (unsigned)number(optarg, ROUNDS_MAX);
        else
            return false;
    }
    for (int i = optind; i < argc; i++)
        if (find_work(argv[i]) == work_count)
            return complain("there is no work \"%s\"", argv[i]) == 0;
    if (bench->size == 0 || bench->rounds == 0)
        return complain("--size takes 1 to 65536 MiB, --rounds 1 to %d", ROUNDS_MAX) == 0;
    return true;
}

int main(int argc, char **argv)
{
    struct bench bench = {
        .modcat = "build/modcat", .socat = "socat", .size = 512 * MIB, .rounds = 5};
    const char *picture = NULL;
    if (!parse(argc, argv, &bench, &picture))
        return usage();
    signal(SIGPIPE, SIG_IGN);
    return run_apart(&bench, argv + optind, picture) < 0 ? 1 : 0;
}
