#define _GNU_SOURCE
#include "core/loop/pool.h"

#include "core/base/memory.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opening a FIFO blocks until somebody opens its other end, so that many may be needed. */
#define THREADS_MAX 256
#define IDLE_MAX 4

/* What library functions need, with room: name service modules are not modest. */
#define THREAD_STACK (512UL * 1024)

struct pool_job {
    struct pool_job *next;
    void (*work)(void *argument);
    void *argument;
    int done_fd;
    bool done;
    void (*discard)(void *argument); /* NULL: somebody waits for it */
};

/* Threads belong to a process, so that this is one of the places with a state. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t came;
    struct pool_job *first;
    struct pool_job **end;
    unsigned threads;
    unsigned idle;
    pid_t pid;
    ino_t namespace; /* of the threads; 0: there are none yet */
} pool;

/* The one that this thread is in; 0: not known. */
static ino_t current_namespace(void)
{
    struct stat status;
    return stat("/proc/thread-self/ns/net", &status) == 0 ? status.st_ino : 0;
}

static void free_job(struct pool_job *job)
{
    close(job->done_fd);
    free(job);
}

static void discard(struct pool_job *job)
{
    job->discard(job->argument);
    free_job(job);
}

/* A process that was forked has none of the threads, and nobody holds the mutex. */
static void renew_in_child(void)
{
    if (pool.pid == getpid())
        return;
    pthread_mutex_init(&pool.mutex, NULL);
    pthread_cond_init(&pool.came, NULL);
    pool.first = NULL;
    pool.end = &pool.first;
    pool.threads = pool.idle = 0;
    pool.pid = getpid();
    pool.namespace = 0;
}

/* With the mutex held. Returns NULL when this thread is not needed any more. */
static struct pool_job *next_job(void)
{
    while (pool.first == NULL) {
        if (pool.idle >= IDLE_MAX)
            return NULL;
        pool.idle++;
        pthread_cond_wait(&pool.came, &pool.mutex);
        pool.idle--;
    }
    struct pool_job *job = pool.first;
    pool.first = job->next;
    if (pool.first == NULL)
        pool.end = &pool.first;
    return job;
}

/* With the mutex held: whoever waits for it, or has given it up, sees it as a whole. */
static void complete(struct pool_job *job)
{
    job->done = true;
    if (job->discard == NULL)
        eventfd_write(job->done_fd, 1);
    else
        discard(job);
}

static void block_signals(void)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
}

static void *serve(void *unused)
{
    struct pool_job *job;
    (void)unused;
    block_signals();
    pthread_mutex_lock(&pool.mutex);
    while ((job = next_job()) != NULL) {
        pthread_mutex_unlock(&pool.mutex);
        job->work(job->argument);
        pthread_mutex_lock(&pool.mutex);
        complete(job);
    }
    pool.threads--;
    pthread_mutex_unlock(&pool.mutex);
    return NULL;
}

static void *serve_alone(void *data)
{
    struct pool_job *job = data;
    block_signals();
    job->work(job->argument);
    pthread_mutex_lock(&pool.mutex);
    complete(job);
    pthread_mutex_unlock(&pool.mutex);
    return NULL;
}

static int start_thread(void *(*run)(void *data), void *data)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, THREAD_STACK);
    int error = pthread_create(&thread, &attributes, run, data);
    pthread_attr_destroy(&attributes);
    return error;
}

static bool needs_thread(void)
{
    unsigned waiting = 0;
    for (const struct pool_job *job = pool.first; job != NULL; job = job->next)
        waiting++;
    return waiting > pool.idle && pool.threads < THREADS_MAX;
}

static void take_last_back(struct pool_job *job)
{
    struct pool_job **place = &pool.first;
    while (*place != job)
        place = &(*place)->next;
    *place = NULL;
    pool.end = place;
}

/* With the mutex held. Returns 0, or an error when nobody will do it. */
static int enqueue(struct pool_job *job)
{
    *pool.end = job;
    pool.end = &job->next;
    bool more = needs_thread();
    int error = more ? start_thread(serve, NULL) : 0;
    pool.threads += more && error == 0;
    if (error != 0 && pool.threads == 0) {
        take_last_back(job);
        return error;
    }
    pthread_cond_signal(&pool.came);
    return 0;
}

static int hand_over(struct pool_job *job)
{
    ino_t namespace = current_namespace();
    if (pool.namespace == 0)
        pool.namespace = namespace;
    if (namespace == 0 || namespace != pool.namespace)
        return start_thread(serve_alone, job);
    pthread_mutex_lock(&pool.mutex);
    int error = enqueue(job);
    pthread_mutex_unlock(&pool.mutex);
    return error;
}

struct pool_job *pool_start(void (*work)(void *argument), void *argument)
{
    struct pool_job *job = memory_alloc(sizeof *job);
    *job = (struct pool_job){.work = work, .argument = argument};
    job->done_fd = eventfd(0, EFD_CLOEXEC);
    if (job->done_fd < 0) {
        free(job);
        return NULL;
    }
    renew_in_child();
    int error = hand_over(job);
    if (error == 0)
        return job;
    free_job(job);
    errno = error;
    return NULL;
}

int pool_job_fd(const struct pool_job *job)
{
    return job->done_fd;
}

void pool_finish(struct pool_job *job)
{
    /* The thread has written to the descriptor, and may not have let go of the job yet. */
    pthread_mutex_lock(&pool.mutex);
    pthread_mutex_unlock(&pool.mutex);
    free_job(job);
}

void pool_abandon(struct pool_job *job, void (*how)(void *argument))
{
    pthread_mutex_lock(&pool.mutex);
    bool done = job->done;
    job->discard = how != NULL ? how : free;
    pthread_mutex_unlock(&pool.mutex);
    if (done)
        discard(job);
}
