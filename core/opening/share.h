/* share.h: what the sessions of a process keep together for one address. */

#ifndef CORE_OPENING_SHARE_H
#define CORE_OPENING_SHARE_H

struct modcat_opening;

/* The opening has no more use for what it shares; the last one releases it. */
void share_leave(struct modcat_opening *opening);

#endif
