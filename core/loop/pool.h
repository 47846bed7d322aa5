/* pool.h: threads for work that blocks in the kernel or in a library.
 *
 * A job waits in a queue until a thread takes it: one that is idle, or a new one as long as there
 * are not too many. A few stay idle for those that come next, the others end. A thread works in the
 * network namespace in which it was made; a job from another one gets a thread of its own.
 */

#ifndef CORE_LOOP_POOL_H
#define CORE_LOOP_POOL_H

/* Work that was handed over. */
struct pool_job;

/* Has work(argument) done in a thread. Returns NULL with errno where there is no thread for it. */
struct pool_job *pool_start(void (*work)(void *argument), void *argument);

/* Readable as soon as the work is done. */
int pool_job_fd(const struct pool_job *job);

/* The work is done. */
void pool_finish(struct pool_job *job);

/* Gives the job up. When its work is done, discard(argument) is called, or free(3) for NULL. */
void pool_abandon(struct pool_job *job, void (*discard)(void *argument));

#endif
