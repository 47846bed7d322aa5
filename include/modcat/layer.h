/* layer.h: what a layer needs: an endpoint on top of another one, as TLS is on top of TCP. The
 * lower endpoint may be a descriptor, a pair of them, or a layer itself; these services hide
 * which. */

#ifndef MODCAT_LAYER_H
#define MODCAT_LAYER_H

#include <modcat/driver.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What `prepare` of the address type made, or NULL. */
void *modcat_prepared(const struct modcat_opening *opening);

/* For `prepare`: a text in what it makes holds a secret for the dialogue of `wrap`. It becomes
 * zeros when the session is open in this process, and not before a `wrap` that is still to come. */
void modcat_wipe_when_open(struct modcat_opening *opening, char *secret);

/* True when the address is `LAYER|LOWER`, so that the parameters are those of layer_syntax. */
bool modcat_is_stacked(const struct modcat_opening *opening);

/* True when the lowest address listens. In `wrap`, a peer that came from there is a client. */
bool modcat_is_served(const struct modcat_opening *opening);

/* The host (0) and port (1) that the layer above wants to reach through this one, or NULL: in
 * `OPENSSL:host:443|SOCKS5|TCP:proxy:1080` the middle layer finds host and 443. In
 * `OPENSSL:host:443|SOCKS5:far:1080|SOCKS5:near:1080|TCP:near:1080` the upper proxy's target is
 * host, so that its own parameters are what the lower one finds; but in
 * `SOCKS5:host:80|SOCKS5:far:1080|TCP:near:1080` the upper proxy's parameters are its target, and
 * the lower one finds nothing. */
const char *modcat_upper_param(const struct modcat_opening *opening, size_t index);

/* The host and the port that a layer of proxies has to reach: those that the layer above wants to,
 * or else the last two of its own parameters. Both belong to the host program. Returns 0, or -1
 * after reporting that neither tells. */
int modcat_target(struct modcat_opening *opening, const char **host, const char **port);

/* The name of whom the endpoint talks to, as the user gave it, or NULL: the name that a service or
 * driver set last in this opening, or else in the openings of the layers below. Connecting to a
 * host sets it to the host. A proxy's driver sets it to the target. The text is copied. */
const char *modcat_peer_name(const struct modcat_opening *opening);
void modcat_set_peer_name(struct modcat_opening *opening, const char *name);

/* The deadline that the option connect-timeout gives to what begins now, or MODCAT_FOREVER. */
long long modcat_connect_deadline(const struct modcat_opening *opening);

/* Read and write as the operations of endpoints do: none waits, EAGAIN says to wait first. */
ssize_t modcat_lower_read(struct modcat_endpoint *lower, void *buffer, size_t length);
ssize_t modcat_lower_write(struct modcat_endpoint *lower, const void *buffer, size_t length);

/* Half-closes as the lower endpoint's own type does it: for `shutdown` of a layer without an end of
 * its own. At the end of a session the host half-closes every level anyway. Returns 0, or -1 with
 * errno. */
int modcat_lower_shutdown(struct modcat_endpoint *lower);

/* As the operations `pending` and `wants`, with what holds for endpoints without them. */
bool modcat_lower_pending(struct modcat_endpoint *lower);
short modcat_lower_wants(struct modcat_endpoint *lower, unsigned direction);

/* Waits until the lower endpoint can be read (MODCAT_DIR_READ) or written (MODCAT_DIR_WRITE).
 * Returns as modcat_wait(). */
int modcat_lower_wait(struct modcat_opening *opening, struct modcat_endpoint *lower,
                      unsigned direction, long long deadline);

/* For handshakes: writes all of it; reads at least one byte. Both wait as long as the deadline
 * allows. Return 0 and the count (0 at the end), or -1 with errno: ETIMEDOUT at the deadline. */
int modcat_lower_send(struct modcat_opening *opening, struct modcat_endpoint *lower,
                      const void *data, size_t length, long long deadline);
ssize_t modcat_lower_receive(struct modcat_opening *opening, struct modcat_endpoint *lower,
                             void *buffer, size_t length, long long deadline);

/* A layer whose type has MODCAT_TYPE_REOPENS may close what it stands on while data is moved, and
 * open it again, as often as it likes. In between it stands on an end that is never readable and
 * refuses what is written (ENOTCONN). Both set *lower to the new lower endpoint, the old one is
 * gone; and both wait, so that they are for types with MODCAT_TYPE_WAITS. `failure` is the level at
 * which a failure is told. Return 0, or -1 with errno: ENOTSUP where that can not be done now.
 * Then, and when the opening fails, *lower is as before. */
int modcat_lower_close(struct modcat_opening *opening, struct modcat_endpoint **lower);
int modcat_lower_reopen(struct modcat_opening *opening, struct modcat_endpoint **lower,
                        enum modcat_level failure);

/* The same, which fails with ETIMEDOUT when it takes longer than until the deadline: nothing else
 * is done for the session meanwhile. */
int modcat_lower_reopen_until(struct modcat_opening *opening, struct modcat_endpoint **lower,
                              enum modcat_level failure, long long deadline);

/* What the layer stands on as the user wrote it, without its options and cut to `size`, for
 * messages. Returns `text`. */
const char *modcat_lower_name(const struct modcat_opening *opening, char *text, size_t size);

/* Ends of a type with MODCAT_TYPE_ADDRESSES: how many addresses stand in its parameters, and one of
 * them, by index, opened for both directions. All of <modcat/layer.h> can be done with the endpoint
 * as with a lower one; an endpoint that is given its descriptors (modcat_pass_through()) stands on
 * it. Opening waits; after `open` and `wrap` it is for types with MODCAT_TYPE_WAITS. `failure` is
 * the level at which a failure is told. Returns NULL after reporting. What is not closed before is
 * closed with the session, behind `close`. */
size_t modcat_end_count(const struct modcat_opening *opening);
struct modcat_endpoint *modcat_open_end(struct modcat_opening *opening, size_t index,
                                        enum modcat_level failure);
void modcat_close_end(struct modcat_opening *opening, struct modcat_endpoint *end);

/* One of them as the user wrote it, without its options and cut to `size`, for messages. Returns
 * `text`. */
const char *modcat_end_name(const struct modcat_opening *opening, size_t index, char *text,
                            size_t size);

/* Memory that all sessions of this address in this process share, zeros at first; each opening gets
 * the same. `release` is called when the last of them has ended, before it is freed; or NULL. */
void *modcat_share(struct modcat_opening *opening, size_t size, void (*release)(void *data));

/* Memory that all sessions of this address share, in whichever process they are, zeros at first:
 * for types with MODCAT_TYPE_SHARES. It is MODCAT_SHARE_ALL_SIZE bytes long and lives as long as
 * the program. Others change it at any time, so that it takes atomic operations, and some of them
 * end without giving back what they have taken. NULL after reporting, where the type has no such
 * flag or the system no memory. */
#define MODCAT_SHARE_ALL_SIZE 65536
void *modcat_share_all(struct modcat_opening *opening);

/* For layers that are done after their handshake: fills `endpoint` in so that it is the lower
 * endpoint from now on. `early` is what was read too far, if anything; it is copied, and comes
 * first. Returns 0. */
int modcat_pass_through(struct modcat_endpoint *lower, struct modcat_endpoint *endpoint,
                        const void *early, size_t length);

#ifdef __cplusplus
}
#endif

#endif
