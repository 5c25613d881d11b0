/* SPDX-License-Identifier: BSD-2-Clause */
/* Choosing algorithms (RFC 7296 2.7, 3.3.6): what we offer, what we take of an offer, and whether
 * an answer is one of ours.
 *
 * Proposals of both sides are walked in order, the first pair that has a suite in common wins.
 * Whose order rules is the configuration's (struct ike_conf_rules): the initiator's unless it says
 * otherwise, for proposals and for the transforms inside one. Two things stand above the order: the
 * KE method of the KE payload is taken where it fits, so that no round trip is lost, and extended
 * sequence numbers where both have them. Lifetimes are never compared.
 * ike_proposal.c has what IKE and child SAs share and IKE's, ike_proposal_child.c the children's,
 * ike_proposal_text.c words for the log. Pure; any thread. */
#ifndef IKE_PROPOSAL_H
#define IKE_PROPOSAL_H
#include "ike_keys.h"
#include "payload.h"

/* A chosen IKE proposal. */
struct ike_choice {
	struct ike_suite suite;
	uint8_t number;
	uint32_t lifetime_s;
	uint8_t spi[8]; /* the peer's, where an IKE SA is rekeyed */
};

/* A chosen ESP or AH proposal. */
struct child_choice {
	uint8_t protocol;                /* PROTO_ESP or PROTO_AH */
	const struct alg_cipher *cipher; /* NULL with AH */
	const struct alg_integ *integ;   /* NULL with AEAD */
	const struct alg_ke *ke;         /* NULL: no key exchange of its own */
	bool esn;
	bool esn_stated; /* the peer's proposal had the transform: so has the answer */
	uint8_t number;
	uint32_t spi; /* the peer's */
	uint32_t lifetime_s;
	uint64_t lifetime_kb, lifetime_packets; /* 0: no end */
};

/* SA payload bodies. An offer has all proposals in order. spi: ours, 8 bytes, where an IKE SA is
 * rekeyed; NULL in IKE_SA_INIT. Child SPIs are host order; pfs: the KE method that goes with each
 * proposal in CREATE_CHILD_SA, NULL for none and in IKE_AUTH. */
void ike_proposal_offer(struct writer *w, const struct ike_conf_gateway *ours, const uint8_t *spi);
void ike_proposal_answer(struct writer *w, const struct ike_choice *c, const uint8_t *spi);
void child_proposal_offer(struct writer *w, const struct ike_conf_tunnel *ours,
                          const struct alg_ke *pfs, uint32_t spi);
void child_proposal_answer(struct writer *w, const struct child_choice *c, uint32_t spi);

/* What an offer is looked at with. */
struct ike_look {
	const struct ike_conf_gateway *ours;
	uint16_t group; /* of the KE payload; 0: none */
	bool rekey;     /* each proposal has an SPI of 8 bytes */
};

/* The peer's offer, checked by payload_sa_check(). ERR_NO_PROPOSAL, also where the numbers of
 * proposals differ and the configuration insists on them. */
enum err ike_proposal_choose(struct view sa, const struct ike_look *look,
                             struct ike_choice *ret) MUST_CHECK;
enum err child_proposal_choose(struct view sa, const struct ike_conf_tunnel *ours,
                               const struct alg_ke *pfs, struct child_choice *ret) MUST_CHECK;

/* An answer: one proposal with one transform of each type, all of them offered. */
enum err ike_proposal_accept(struct view sa, const struct ike_look *look,
                             struct ike_choice *ret) MUST_CHECK;
enum err child_proposal_accept(struct view sa, const struct ike_conf_tunnel *ours,
                               const struct alg_ke *pfs, struct child_choice *ret) MUST_CHECK;

/* Is a KE method among those we offer? */
const struct alg_ke *ike_proposal_ke(const struct ike_conf_gateway *ours, uint16_t group);

/* Both lists side by side, for the log: "ours 1: aes-256-gcm hmac-sha384 group31; offered 1: …",
 * and "number of proposals" in front where that alone is the reason. Returns buf. */
#define PROPOSAL_TEXT_MAX 360
char *ike_proposal_text(struct view sa, const struct ike_conf_gateway *ours, char *buf);
char *child_proposal_text(struct view sa, const struct ike_conf_tunnel *ours,
                          const struct alg_ke *pfs, char *buf);

#endif
