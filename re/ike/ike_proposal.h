/* SPDX-License-Identifier: BSD-2-Clause */
/* Choosing algorithms (RFC 7296 2.7, 3.3.6): what we offer, what we take of an offer, and whether
 * an answer is one of ours. Pure; any thread. */
#ifndef IKE_PROPOSAL_H
#define IKE_PROPOSAL_H
#include "ike_keys.h"
#include "payload.h"

/* A chosen IKE proposal. */
struct ike_choice {
	struct ike_suite suite;
	uint8_t number;
	uint32_t lifetime_s;
};

/* A chosen ESP proposal. */
struct child_choice {
	const struct alg_cipher *cipher;
	const struct alg_ke *ke; /* of its own Diffie-Hellman; NULL: none */
	bool esn;
	bool esn_stated; /* the peer's proposal had the transform: so has the answer */
	uint8_t number;
	uint32_t spi; /* the peer's */
	uint32_t lifetime_s;
};

/* SA payload bodies. For an offer all proposals in order; child SPIs are host order. */
void ike_proposal_offer(struct writer *w, const struct ike_conf_proposal *p, size_t n);
void ike_proposal_answer(struct writer *w, const struct ike_choice *c);
/* ke: the group of the KE payload beside it; NULL: none. */
void child_proposal_offer(struct writer *w, const struct ike_conf_child_proposal *p, size_t n,
                          const struct alg_ke *ke, uint32_t spi);
void child_proposal_answer(struct writer *w, const struct child_choice *c, uint32_t spi);

/* The first of the peer's proposals that one of ours accepts, with our order inside it. The KE
 * method preferred is the group of the KE payload, so that no round trip is lost (1.2). sa was
 * checked by payload_sa_check(). ERR_NO_PROPOSAL. */
enum err ike_proposal_choose(struct view sa, const struct ike_conf_proposal *p, size_t n,
                             uint16_t ke_group, struct ike_choice *ret) MUST_CHECK;
/* ke: the group that it must have; NULL: it must do without. */
enum err child_proposal_choose(struct view sa, const struct ike_conf_child_proposal *p, size_t n,
                               const struct alg_ke *ke, struct child_choice *ret) MUST_CHECK;

/* An answer: one proposal with one transform of each type, all of them offered. */
enum err ike_proposal_accept(struct view sa, const struct ike_conf_proposal *p, size_t n,
                             struct ike_choice *ret) MUST_CHECK;
enum err child_proposal_accept(struct view sa, const struct ike_conf_child_proposal *p, size_t n,
                               const struct alg_ke *ke, struct child_choice *ret) MUST_CHECK;

/* Is a KE method among those we offer? */
const struct alg_ke *ike_proposal_ke(const struct ike_conf_proposal *p, size_t n, uint16_t group);

#endif
