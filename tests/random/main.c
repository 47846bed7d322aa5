/* The random test of sessions: many sessions at once, each drawn from a seed and its number and run
 * in a process of its own; those that fail are shown, with what repeats them. */

#define _GNU_SOURCE
#include "tests/random/processes.h"
#include "tests/random/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS_MOST 64

/* How long one session may take before it is ended, in milliseconds. */
#define SESSION_MOST 120000

/* What is shown of a session, in bytes: its beginning and its end. */
#define SHOWN 12000

static const char help[] =
    "Usage: random-sessions [SECONDS [SEED]] [--only NUMBER] [--from NUMBER] [--jobs COUNT]\n"
    "\n"
    "Runs sessions of modcat for so many seconds (60): each with two ends, sizes, speeds, options\n"
    "and an end that are drawn from the seed (the time) and the session's number. Checks what "
    "comes\n"
    "out at both ends, exit status, messages, time, the processor's time, and what is left "
    "behind.\n"
    "Prints those that fail, and how to repeat each: the same seed and number are the same "
    "session\n"
    "on every machine. Ends with \"N sessions, M failed\", and status 1 if one has failed.\n"
    "\n"
    "  --only NUMBER   run this session alone, and show all that was drawn and said\n"
    "  --from NUMBER   begin with this session instead of number 0\n"
    "  --jobs COUNT    how many run at once (four for each processor)\n"
    "\n"
    "The program is the one that was built, or that in the environment variable MODCAT; for one "
    "with\n"
    "sanitizers, MODCAT_HELPER may name a faster one to stand at the test's side.\n";

struct job {
    pid_t pid; /* 0: it has none */
    unsigned long number;
    long long deadline;
    bool too_long;
};

struct run {
    uint64_t seed;
    long long until; /* milliseconds */
    unsigned long next, count, failed;
    bool only;
    size_t job_count;
    struct job jobs[JOBS_MOST];
    char folder[64];
};

static int remove_entry(const char *name, const struct stat *status, int kind, struct FTW *position)
{
    (void)status, (void)kind, (void)position;
    return remove(name);
}

static void remove_folder(const char *name)
{
    nftw(name, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static char *log_name(const struct run *run, unsigned long number)
{
    static char name[128];
    snprintf(name, sizeof name, "%s/%lu.log", run->folder, number);
    return name;
}

static char *session_folder(const struct run *run, unsigned long number)
{
    static char name[128];
    snprintf(name, sizeof name, "%s/%lu", run->folder, number);
    return name;
}

/* All that the session's process and the programs at its side say goes to a file. */
static void be_session(const struct run *run, unsigned long number, pid_t parent)
{
    const char *folder = session_folder(run, number);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_DFL);
    if (getppid() != parent || mkdir(folder, 0700) < 0 || setenv("TMPDIR", folder, 1) < 0)
        _exit(1);
    if (!run->only) {
        int fd = open(log_name(run, number), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
        if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
            _exit(1);
    }
    trial_run(run->seed, number);
    exit(0);
}

static void start_session(struct run *run, struct job *job)
{
    pid_t parent = getpid();
    *job = (struct job){.number = run->next++, .deadline = milliseconds() + SESSION_MOST};
    fflush(NULL);
    job->pid = fork();
    if (job->pid < 0) {
        perror("random-sessions: fork()");
        exit(2);
    }
    if (job->pid == 0)
        be_session(run, job->number, parent);
}

static void show_log(const char *name)
{
    char buffer[SHOWN];
    FILE *file = fopen(name, "re");
    if (file == NULL)
        return;
    size_t length = fread(buffer, 1, sizeof buffer, file);
    fwrite(buffer, 1, length, stdout);
    fseek(file, 0, SEEK_END);
    long size = ftell(file), rest = size - (long)length;
    if (rest > SHOWN)
        printf("\n... %ld bytes ...\n", rest - SHOWN);
    fseek(file, rest > SHOWN ? size - SHOWN : (long)length, SEEK_SET);
    length = fread(buffer, 1, sizeof buffer, file);
    fwrite(buffer, 1, length, stdout);
    fclose(file);
}

static void tell_failure(struct run *run, const struct job *job, int status)
{
    printf("\n##### session %lu fails\n", job->number);
    show_log(log_name(run, job->number));
    if (job->too_long)
        printf("it takes longer than %d s\n", SESSION_MOST / 1000);
    else if (WIFSIGNALED(status))
        printf("its process was ended by signal %d\n", WTERMSIG(status));
    printf("##### to repeat it: tools/random-sessions 0 %llu --only %lu\n",
           (unsigned long long)run->seed, job->number);
    fflush(stdout);
}

static void finish(struct run *run, struct job *job, int status)
{
    run->count++;
    if (status != 0 || job->too_long) {
        run->failed++;
        tell_failure(run, job, status);
    }
    unlink(log_name(run, job->number));
    remove_folder(session_folder(run, job->number));
    job->pid = 0;
}

static struct job *job_of(struct run *run, pid_t pid)
{
    for (size_t i = 0; i < run->job_count; i++)
        if (run->jobs[i].pid == pid)
            return &run->jobs[i];
    return NULL;
}

/* Takes those that have ended; orphans of sessions, too. */
static void reap(struct run *run)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct job *job = job_of(run, pid);
        if (job != NULL)
            finish(run, job, status);
    }
}

static size_t running(const struct run *run)
{
    size_t count = 0;
    for (size_t i = 0; i < run->job_count; i++)
        count += run->jobs[i].pid != 0;
    return count;
}

static void end_those_that_take_too_long(struct run *run)
{
    for (size_t i = 0; i < run->job_count; i++) {
        struct job *job = &run->jobs[i];
        if (job->pid == 0 || job->too_long || milliseconds() < job->deadline)
            continue;
        job->too_long = true;
        kill(job->pid, SIGKILL);
    }
}

static bool may_start(const struct run *run)
{
    return run->only ? run->count == 0 && running(run) == 0 : milliseconds() < run->until;
}

static void on_child(int signal)
{
    (void)signal;
}

/* Sleeps until a child ends, which a signal tells. */
static void run_all(struct run *run)
{
    sigset_t block, usual;
    sigemptyset(&block);
    sigaddset(&block, SIGCHLD);
    sigprocmask(SIG_BLOCK, &block, &usual);
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = on_child}, NULL);
    for (;;) {
        for (size_t i = 0; i < run->job_count; i++)
            if (run->jobs[i].pid == 0 && may_start(run)) {
                sigprocmask(SIG_SETMASK, &usual, NULL);
                start_session(run, &run->jobs[i]);
                sigprocmask(SIG_BLOCK, &block, NULL);
            }
        if (running(run) == 0)
            return;
        ppoll(NULL, 0, &(struct timespec){1, 0}, &usual);
        reap(run);
        end_those_that_take_too_long(run);
    }
}

static unsigned long long number_of(const char *text)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (*text != '\0' && *end == '\0' && errno == 0)
        return number;
    fprintf(stderr, "random-sessions: \"%s\" is not a number\n%s", text, help);
    exit(2);
}

/* Most of them wait most of the time. */
static size_t usual_jobs(void)
{
    size_t jobs = (size_t)sysconf(_SC_NPROCESSORS_ONLN) * 4;
    return jobs < JOBS_MOST ? jobs : JOBS_MOST;
}

static void parse(struct run *run, int argc, char **argv)
{
    static const struct option options[] = {{"only", required_argument, NULL, 'o'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"jobs", required_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help, stdout);
            exit(0);
        }
        if (option == '?') {
            fputs(help, stderr);
            exit(2);
        }
        unsigned long long number = number_of(optarg);
        if (option == 'j')
            run->job_count = number < 1 ? 1 : number > JOBS_MOST ? JOBS_MOST : (size_t)number;
        else
            run->next = (unsigned long)number;
        run->only |= option == 'o';
    }
    if (argc - optind > 2) {
        fputs(help, stderr);
        exit(2);
    }
    unsigned long long seconds = optind < argc ? number_of(argv[optind]) : 60;
    run->until = milliseconds() + (long long)seconds * 1000;
    run->seed = optind + 1 < argc ? number_of(argv[optind + 1]) : (unsigned long long)time(NULL);
}

static struct run run = {.folder = "/tmp/modcat-random-XXXXXX"};
static pid_t owner;

static void clean_up(void)
{
    if (getpid() != owner)
        return;
    processes_kill_all();
    remove_folder(run.folder);
}

static void on_end(int signal)
{
    (void)signal;
    exit(1);
}

int main(int argc, char **argv)
{
    run.job_count = usual_jobs();
    parse(&run, argc, argv);
    if (mkdtemp(run.folder) == NULL) {
        perror("random-sessions: mkdtemp()");
        return 2;
    }
    owner = getpid();
    setenv("TMPDIR", run.folder, 1);
    setenv("SHELL", "/bin/sh", 1);
    signal(SIGTERM, on_end);
    signal(SIGINT, on_end);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    atexit(clean_up);
    printf("seed %llu, %zu at once, with %s\n", (unsigned long long)run.seed, run.job_count,
           program_file());
    trials_begin();
    run_all(&run);
    trials_end();
    printf("%lu sessions, %lu failed\n", run.count, run.failed);
    return run.failed > 0;
}
