#define _GNU_SOURCE
/* Work that blocks in the kernel or in a library is done in a thread, so that the program can go
 * on to wait for signals in its one place. */

#include "core/base/memory.h"
#include "core/opening/session_state.h"
#include <errno.h>
#include <modcat/driver.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct call {
    void (*work)(void *argument);
    void *argument;
    int done_fd;
};

static void *run(void *data)
{
    struct call *call = data;
    call->work(call->argument);
    eventfd_write(call->done_fd, 1);
    return NULL;
}

/* A call that was given up is left to its thread, which may still use what it was given; the
 * program is about to end then. */
int modcat_call_blocking(struct modcat_opening *opening, void (*work)(void *argument),
                         void *argument)
{
    pthread_t thread;
    struct call *call = memory_alloc(sizeof *call);
    *call = (struct call){.work = work, .argument = argument};
    call->done_fd = eventfd(0, EFD_CLOEXEC);
    int error = call->done_fd < 0 ? errno : pthread_create(&thread, NULL, run, call);
    if (error != 0) {
        if (call->done_fd >= 0)
            close(call->done_fd);
        free(call);
        work(argument);
        return 0;
    }
    if (modcat_wait(opening, call->done_fd, POLLIN, MODCAT_FOREVER) < 0) {
        pthread_detach(thread);
        return -1;
    }
    pthread_join(thread, NULL);
    close(call->done_fd);
    free(call);
    return 0;
}
