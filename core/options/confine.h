/* confine.h: what must not be loaded any more once the process has another root folder, where
 * others may have put libraries and settings. */

#ifndef CORE_OPTIONS_CONFINE_H
#define CORE_OPTIONS_CONFINE_H

/* Limits the name service to what the C library does itself: files, and DNS for hosts, whatever
 * nsswitch.conf says in the new root; loads the few libraries that it opens on demand. To be called
 * while the old root is in force. Calling it again does no harm. */
void confine_lookups(void);

#endif
