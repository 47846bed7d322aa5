#define _GNU_SOURCE
#include "tests/random/trial.h"
#include "tests/random/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The common part, made before the sessions' processes are. */
static void *common;
static struct stream_setup setup;
static const struct stream_kind **kinds;
static size_t kind_count;

/* Sanitizers make a program slow. */
static int slowness = 1;

/* How long a process that was told to end may take for it, in milliseconds. */
#define PARTING 10000

/* How long the program may keep the processor busy: for itself, for what it moves, and for each
 * time that a peer writes; in microseconds, and in nanoseconds for bytes. */
#define BUSY_ITSELF 250000
#define BUSY_WRITE 200
#define BUSY_BYTE 60
#define BUSY_BYTE_DUMPED 1500

static const struct trial_way *const ways[] = {stream_ways, program_ways, file_ways, server_ways,
                                               packet_ways};
#define WAY_LISTS (sizeof ways / sizeof ways[0])

static bool is_sanitized(const char *name)
{
    static const char word[] = "__asan_init";
    struct stat status;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0)
        return false;
    void *content = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (content == MAP_FAILED)
        return false;
    bool found = memmem(content, (size_t)status.st_size, word, sizeof word - 1) != NULL;
    munmap(content, (size_t)status.st_size);
    return found;
}

void trials_begin(void)
{
    assert_int_equal(harness_begin(&common), 0);
    setup = stream_setup(common, 0);
    kinds = stream_kinds_usual(common, &kind_count);
    if (is_sanitized(program_file()))
        slowness = 20;
}

void trials_end(void)
{
    harness_end(&common);
}

/* Sebastiano Vigna's splitmix64. */
static uint64_t next_random(struct trial *trial)
{
    uint64_t z = trial->random += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

size_t draw_below(struct trial *trial, size_t count)
{
    return (size_t)(next_random(trial) % count);
}

size_t draw_between(struct trial *trial, size_t least, size_t most)
{
    return least + draw_below(trial, most - least + 1);
}

bool draw_chance(struct trial *trial, unsigned percent)
{
    return draw_below(trial, 100) < percent;
}

const char *draw_text(struct trial *trial, const char *const *texts, size_t count)
{
    return texts[draw_below(trial, count)];
}

size_t draw_size(struct trial *trial, size_t most)
{
    static const size_t edges[] = {512,   1024,   4096,   8192,   16384,  32768,
                                   65536, 131072, 212992, 262144, 524288, 1048576};
    size_t size;
    switch (draw_below(trial, 4)) {
    case 0:
        size = draw_below(trial, 4);
        break;
    case 1:
        size = edges[draw_below(trial, sizeof edges / sizeof edges[0])] + draw_below(trial, 3) - 1;
        break;
    default:
        size = draw_below(trial, (size_t)4 << draw_below(trial, 21));
    }
    return size <= most ? size : most - size % 2;
}

unsigned char *draw_bytes(struct trial *trial, size_t length)
{
    unsigned char *bytes = memory(trial->harness, length + 8);
    for (size_t i = 0; i < length; i += 8) {
        uint64_t random = next_random(trial);
        memcpy(bytes + i, &random, 8);
    }
    return bytes;
}

void trial_note(struct trial *trial, const char *format, ...)
{
    va_list arguments;
    (void)trial;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
}

void await_log(struct trial *trial, struct program *program, const char *pattern)
{
    long long deadline = milliseconds() + PATIENCE;
    while (!program_has_logged(program, pattern)) {
        if (milliseconds() > deadline)
            harness_fail(trial->harness, "no log line holds \"%s\"", pattern);
        poll(NULL, 0, 1);
    }
}

static const struct trial_way *draw_way(struct trial *trial)
{
    size_t total = 0;
    for (size_t i = 0; i < WAY_LISTS; i++)
        for (const struct trial_way *way = ways[i]; way->name != NULL; way++)
            total += way->weight;
    size_t number = draw_below(trial, total);
    for (size_t i = 0; i < WAY_LISTS; i++)
        for (const struct trial_way *way = ways[i]; way->name != NULL; way++) {
            if (number < way->weight)
                return way;
            number -= way->weight;
        }
    abort();
}

void trial_run(uint64_t seed, unsigned long number)
{
    void *harness;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    atexit(processes_kill_all);
    assert_int_equal(harness_begin(&harness), 0);
    struct trial trial = {
        .harness = harness,
        .setup = &setup,
        .kinds = kinds,
        .kind_count = kind_count,
        .random = seed * 0x2545f4914f6cdd1dU + number,
        .began = milliseconds(),
    };
    next_random(&trial);
    const struct trial_way *way = draw_way(&trial);
    trial_note(&trial, "what happens: %s", way->name);
    way->run(&trial);
    if (harness_end(&harness) != 0)
        exit(1);
}

/* The first line of some levels (letters) that the program itself has said; NULL: there is none. A
 * program that it runs may be another modcat. */
static const char *find_level(struct trial *trial, struct program *program, const char *levels)
{
    const char *mark = text(trial->harness, "[%d] ", (int)program_pid(program));
    const char *line = program_log(program);
    while ((line = strstr(line, mark)) != NULL) {
        line += strlen(mark);
        if (strchr(levels, line[0]) != NULL && line[1] == ' ')
            return text(trial->harness, "%.*s", (int)strcspn(line, "\n"), line);
    }
    return NULL;
}

void judge_log(struct trial *trial, struct program *program)
{
    const char *line = find_level(trial, program, "WEF");
    if (line != NULL)
        harness_fail(trial->harness, "nothing was wrong, and it says \"%s\"", line);
}

static void judge_processor(struct trial *trial, struct program *program)
{
    long long busy = process_ticks(program_pid(program)) * 1000000 / sysconf(_SC_CLK_TCK);
    long long byte = trial->dumped ? BUSY_BYTE_DUMPED : BUSY_BYTE;
    long long most =
        BUSY_ITSELF + BUSY_WRITE * (long long)trial->writes + byte * (long long)trial->bytes / 1000;
    if (busy > most * slowness)
        harness_fail(trial->harness, "it kept the processor busy for %lld ms, and not for %lld",
                     busy / 1000, most * slowness / 1000);
}

static void judge_processes(struct trial *trial)
{
    long long deadline = milliseconds() + PARTING;
    const char *left;
    for (int i = 0; i < 2; i++)
        if (trial->helpers[i] != NULL)
            program_signal(trial->helpers[i], SIGKILL);
    if (trial->leaves_jobs)
        return;
    while ((left = processes_left(trial->harness)) != NULL) {
        if (milliseconds() > deadline)
            harness_fail(trial->harness, "it has left a process: %s", left);
        poll(NULL, 0, 5);
    }
}

static void judge_rest(struct trial *trial, struct program *program)
{
    judge_processor(trial, program);
    judge_processes(trial);
}

void judge_silent(struct trial *trial, struct program *program)
{
    program_ends(program, 0);
    judge_log(trial, program);
    judge_rest(trial, program);
}

void judge_either(struct trial *trial, struct program *program)
{
    int status = program_end(program);
    const char *error = find_level(trial, program, "WEF");
    if (status != 0 && status != 1)
        harness_fail(trial->harness, "exit status is %d, and neither 0 nor 1", status);
    if (status == 1 && error == NULL)
        harness_fail(trial->harness, "exit status is 1, and it does not say why");
    error = find_level(trial, program, "EF");
    if (status == 0 && error != NULL)
        harness_fail(trial->harness, "exit status is 0, and it says \"%s\"", error);
    judge_rest(trial, program);
}

void judge_status(struct trial *trial, struct program *program, int status)
{
    program_ends(program, status);
    if (status == 1 && find_level(trial, program, "WEF") == NULL)
        harness_fail(trial->harness, "exit status is 1, and it does not say why");
    judge_rest(trial, program);
}

void judge_time(struct trial *trial, long long since, long long least, long long most)
{
    long long lasted = milliseconds() - since;
    if (lasted < least)
        harness_fail(trial->harness, "it ended after %lld ms, before %lld", lasted, least);
    if (lasted > most)
        harness_fail(trial->harness, "it ended after %lld ms, and not after %lld", lasted, most);
}

void judge_file(struct trial *trial, const char *name, const unsigned char *data, size_t length)
{
    struct stat status;
    unsigned char *content;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0)
        harness_fail(trial->harness, "there is no %s: %s", name, strerror(errno));
    if ((size_t)status.st_size != length)
        harness_fail(trial->harness, "%s holds %lld bytes, and not %zu", name,
                     (long long)status.st_size, length);
    content = memory(trial->harness, length + 1);
    if (read(fd, content, length + 1) != (ssize_t)length || memcmp(content, data, length) != 0)
        harness_fail(trial->harness, "%s does not hold what was sent", name);
    close(fd);
}
