/* apply.h: carries out the options of an opening, phase by phase. */

#ifndef CORE_OPTIONS_APPLY_H
#define CORE_OPTIONS_APPLY_H

#include "core/opening/opening.h"

/* Carry out every option that is left on an endpoint's descriptors: those of the phases before
 * LATE, which come before layers are put on it, and those from LATE on. Return 0, or -1 after
 * reporting. */
int apply_settle(struct modcat_opening *opening, struct modcat_endpoint *endpoint);
int apply_finish(struct modcat_opening *opening, struct modcat_endpoint *endpoint);

/* Reports options that nothing has used. Returns their number. */
int apply_report_unused(const struct modcat_opening *opening);

#endif
