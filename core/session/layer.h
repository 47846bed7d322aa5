/* layer.h: layers of an address: each is an endpoint on top of another one. The lowest level is
 * opened or accepted by its own type; then one layer after the other is put on it.
 *
 *     layer_start()     an opening for each layer, hanging on the lowest one
 *     layer_prepare()   files, passwords and checks, once, before anything is opened
 *     layer_complete()  options of the phases before LATE on the descriptors; `wrap` of each layer,
 *                       from the bottom up; the phases from LATE on, and unused options reported
 *
 * The level that is put on becomes `opened`, what was there becomes its `lower`. If one fails,
 * session_close_opened() closes what there is, from the top down. For a listener the first two
 * happen before it waits, and the last one for each peer. */

#ifndef CORE_SESSION_LAYER_H
#define CORE_SESSION_LAYER_H

#include "core/session/session.h"

/* Starts the openings of the layers that stand on an address, up to `highest`, or all of them with
 * NULL; they hang on `lowest`. */
void layer_start(struct modcat_opening *lowest, const struct address *highest, unsigned directions);

/* Lets each layer prepare, before anything is opened. Returns 0, or -1 after reporting. */
int layer_prepare(struct modcat_opening *lowest);

/* True when a layer will tell who the peer is: filters are asked then. */
bool layer_names_peer(const struct modcat_opening *lowest);

/* The endpoint becomes one that another level, or a driver, uses through <modcat/layer.h>. */
void layer_use_from_above(struct opened *opened);

/* Makes an endpoint for an address of this type, still without descriptors. */
struct modcat_endpoint *layer_new_endpoint(const struct address *address);

/* Completes an address whose lowest endpoint is open: carries out options, puts the layers on it,
 * carries out the options that come last, and reports those that are left. `opened` becomes the
 * highest level. Returns 0; 1 when a layer or a filter refuses the peer; -1 after reporting.
 * session_close_opened() closes it in any case. */
int layer_complete(struct opened *opened);

#endif
