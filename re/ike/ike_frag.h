/* SPDX-License-Identifier: BSD-2-Clause */
/* IKE message fragmentation (RFC 7383): a message that would not fit into one IP packet of the
 * gateway's size is split before it is encrypted, and each part is encrypted and authentic by
 * itself.
 *
 * Out: what ike_sa_seal() gives is one datagram or several, one behind the other (each tells its
 * length in its header); window and records keep them so, and send them so again: never a part.
 * In: parts wait in sets, one for each message, in bounded memory: at most 32 parts of a message,
 * few messages of an SA (one of an SA that is half-open), 8 MiB of all; the set that has waited
 * longest goes. Only what was verified is kept. Path MTU discovery (2.5.2) is not done. One thread.
 */
#ifndef IKE_FRAG_H
#define IKE_FRAG_H
#include "ike_sa.h"
#include "list.h"

enum { IKE_FRAG_SETS = 4, IKE_FRAG_BYTES = 8 << 20, IKE_FRAG_WAIT_MS = 30000 };

/* What of a message has come. */
struct ike_frag_set {
	struct list of_sa;  /* in sa->frags */
	struct list of_ike; /* in ike->frags, the one that waited longest first */
	struct ike_sa *sa;
	uint32_t id;
	bool response;
	uint16_t total, have;
	uint8_t first; /* payload inside; known with the first fragment */
	size_t bytes;
	uint64_t touched_ms;
	struct blob part[IKE_FRAGMENTS_MAX]; /* p NULL: not there */
};

/* The size of IP packets that we keep to; 0: we do not fragment. */
uint16_t ike_frag_size(const struct ike_sa *sa);
/* The longest IKE message that goes out as one datagram; SIZE_MAX: however long. */
size_t ike_frag_limit(const struct ike_sa *sa);
/* Bytes of payloads in one fragment, in a datagram with this much room for IKE. */
size_t ike_frag_capacity(size_t room, const struct ike_suite *s);
/* Splits what was written behind o->sk_at, and seals it into o->sent. Empty, with sa->too_long,
 * where 32 fragments are not enough. */
struct view ike_frag_seal(struct ike_sa *sa, struct ike_out *o);
/* The next datagram of a message as it was sealed; false at the end. A lone byte is one. */
bool ike_frag_next(struct reader *message, struct view *ret);

/* The next message of several: its datagrams have one message ID. */
bool ike_frag_next_message(struct reader *list, struct view *ret, uint32_t *ret_id);

/* Is it worth being decrypted? Counts and says why not. */
bool ike_frag_wanted(struct ike_sa *sa, const struct ike_in *in, struct effects *fx);
/* Keeps a fragment that was verified (in->plain). True when it was the last that was missing: then
 * in->plain is the whole, in buf (IKE_MESSAGE_MAX bytes). */
bool ike_frag_collect(struct ike_sa *sa, struct ike_in *in, uint8_t *buf);

void ike_frag_init(struct ike *ike);
void ike_frag_forget(struct ike_sa *sa); /* its sets */

#endif
