/* SPDX-License-Identifier: BSD-2-Clause */
/* MOBIKE (RFC 4555): a peer that initiated goes on from another address, or to another of ours,
 * because it says so; the SA, its children, their keys and their anchor stay.
 *
 * As responder, for each peer that announces it: which addresses are used is the initiator's
 * decision, and for good, also when the IKE SA was rekeyed by us since. We never move ourselves,
 * and do not announce it as initiator. Pure; the event loop's thread. */
#ifndef IKE_MOBIKE_H
#define IKE_MOBIKE_H
#include "ike_sa.h"

/* IKE_AUTH: as responder, what the peer has asked for. */
void ike_mobike_agree(struct ike_sa *sa, const struct ike_in *in);
void ike_mobike_announce(const struct ike_sa *sa, struct ike_out *o);

/* An INFORMATIONAL request of the peer: moves the SA where it asks for that, and writes into the
 * answer what belongs there. */
enum err ike_mobike_answer(struct ike_sa *sa, const struct ike_in *in, struct ike_out *o,
                           struct effects *fx) MUST_CHECK;

/* Is the peer where it says (3.7)? What a probe asks then; and whether the answer is right. */
void ike_mobike_challenge(struct ike_sa *sa, struct ike_out *o);
bool ike_mobike_answered(struct ike_sa *sa, const struct ike_in *in);

#endif
