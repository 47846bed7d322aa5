/* path.h: entries of the file system, for other services. */

#ifndef CORE_SERVICES_FILES_PATH_H
#define CORE_SERVICES_FILES_PATH_H

#include <modcat/driver.h>

/* Removes an entry, if it is there. Returns 0, or -1 after reporting. Counterpart: unlink(2). */
int path_remove(const struct modcat_opening *opening, const char *path);

#endif
