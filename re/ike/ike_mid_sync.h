/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 6311: a cluster member that took over tells the peer where the message IDs go on.
 *
 * The member that took over may have an old record: the dead one can have asked and answered since.
 * It claims message IDs that are beyond anything the dead one can have used (M1), says which
 * request of the peer it expects (P1), and the answer tells with which IDs both go on (M2, P2).
 * Requests that had no answer are asked again under new IDs, on both sides. A claim is only
 * believed when it is higher than everything before, an answer only with the nonce of the last
 * claim; each repetition is a claim of its own, so nobody keeps an answer to it. With it, or
 * without where the peer cannot do that, sequence numbers of ESP and AH skip forward. Pure; the
 * event loop's thread. */
#ifndef IKE_MID_SYNC_H
#define IKE_MID_SYNC_H
#include "ike_sa.h"

enum {
	IKE_SYNC_IDS = 1024, /* more requests than a dead member can be ahead of its record */
	IKE_SYNC_PACKETS = 1048576,   /* more packets than it can be ahead of what was replicated */
	IKE_SYNC_DELTA_MAX = 1 << 30, /* what a peer may make us skip at once */
};

/* In IKE_AUTH: what both can do. */
void ike_mid_sync_announce(const struct ike_sa *sa, struct ike_out *o);
void ike_mid_sync_agree(struct ike_sa *sa, const struct ike_in *in);

/* May this be such a message? It has message ID 0, in an SA that agreed on it. */
bool ike_mid_sync_possible(const struct ike_sa *sa, const struct ike_header *h);
/* True when it is one: then it was dealt with, or dropped. in is read. */
bool ike_mid_sync_receive(struct ike_sa *sa, const struct ike_in *in, struct effects *fx);

/* The claim of this node; ERR_WRONG_STATE unless the SA is up, ERR_UNSUPPORTED when the peer does
 * not know it: then the sequence numbers were skipped all the same. */
enum err ike_mid_sync_begin(struct ike_sa *sa, struct effects *fx) MUST_CHECK;
/* Its answer is overdue; false: long enough. */
bool ike_mid_sync_again(struct ike_sa *sa, uint64_t now, struct effects *fx);

#endif
