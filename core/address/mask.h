/* mask.h: what of an address may be shown. */

#ifndef CORE_ADDRESS_MASK_H
#define CORE_ADDRESS_MASK_H

struct registry;

/* The text with a star for each byte of what options hold that are secret, to be freed. Drivers are
 * loaded to ask them; it works for addresses with mistakes, of which rather too much is hidden. */
char *mask_secrets(struct registry *registry, const char *text);

#endif
