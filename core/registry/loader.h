/* loader.h: opens a driver's shared object, after making sure that it can be trusted and was made
 * for this program. */

#ifndef CORE_REGISTRY_LOADER_H
#define CORE_REGISTRY_LOADER_H

#include <modcat/driver.h>

/* The one symbol that a driver exports. */
#define LOADER_SYMBOL "modcat_driver"

/* Loads the driver in a file and copies its description to *driver. Its object stays loaded until
 * the program ends. Returns 0, or -1 after reporting. */
int loader_open(const char *path, struct modcat_driver *driver);

#endif
