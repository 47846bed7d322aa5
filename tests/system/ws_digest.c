/* What the driver answers to a key, for a test that plays the other side. It is built once more,
 * because programs that are no part of what is tested have no sanitizers. */

#include "drivers/ws/digest.c"
