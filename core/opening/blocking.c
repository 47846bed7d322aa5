#define _GNU_SOURCE
/* Work that blocks in the kernel or in a library is done in a thread, so that the program can go
 * on to wait for signals in its one place. */

#include "core/loop/pool.h"
#include "core/opening/session_state.h"
#include <modcat/driver.h>
#include <poll.h>

int modcat_call_blocking(struct modcat_opening *opening, void (*work)(void *argument),
                         void (*discard)(void *argument), void *argument)
{
    struct pool_job *job = pool_start(work, argument);
    if (job == NULL) {
        work(argument);
        return 0;
    }
    if (modcat_wait(opening, pool_job_fd(job), POLLIN, MODCAT_FOREVER) < 0) {
        pool_abandon(job, discard);
        return -1;
    }
    pool_finish(job);
    return 0;
}
