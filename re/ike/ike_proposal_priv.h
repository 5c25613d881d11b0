/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of ike_proposal.h share. */
#ifndef IKE_PROPOSAL_PRIV_H
#define IKE_PROPOSAL_PRIV_H
#include "ike_proposal.h"

enum { PROPOSAL_LIST_MAX = 4 * IKE_TRANSFORMS_MAX + 2 };

/* The transforms of one proposal of ours, in the order of our configuration. */
struct proposal_list {
	struct sa_transform t[PROPOSAL_LIST_MAX];
	uint8_t n;
};

void proposal_add(struct proposal_list *l, uint8_t type, uint16_t id, uint16_t key_bits);
void proposal_write(struct writer *w, struct sa_proposal head, const struct proposal_list *l,
                    bool last);

/* Which transform types a proposal of the peer has, and how many of each. */
struct proposal_census {
	uint8_t of[TRANSFORM_ESN + 1];
	bool other; /* a type that we do not know: the proposal is not for us (3.3.6) */
};

struct proposal_census proposal_count(struct reader body);
bool proposal_has(struct reader body, uint8_t type, uint16_t id, uint16_t key_bits);
/* AEAD goes with no integrity transform, or with NONE (RFC 5282 8); what takes no KE likewise. */
bool proposal_has_none(const struct sa_proposal *theirs, const struct proposal_census *n,
                       uint8_t type);

/* The transform of this type that both have, first in the order that rules; NULL when there is
 * none. An unknown identifier or attribute is no match (3.3.6). */
const struct sa_transform *proposal_pick(const struct sa_proposal *theirs,
                                         const struct proposal_list *ours, uint8_t type,
                                         bool prefer_ours);

size_t proposal_number(struct view sa); /* how many proposals there are */

/* Walks both lists in the order that rules; match() is asked for each pair. */
struct proposal_walk {
	struct view sa;
	size_t ours; /* how many */
	struct ike_conf_rules rules;
	bool (*match)(void *ctx, const struct sa_proposal *theirs, size_t ours);
	void *ctx;
};
enum err proposal_walk(const struct proposal_walk *w) MUST_CHECK;

/* An answer's only proposal, with at most one transform of each type. */
enum err proposal_only_one(struct view sa, size_t ours, struct sa_proposal *ret) MUST_CHECK;

/* Our proposal i. */
void ike_proposal_list(const struct ike_conf_proposal *p, struct proposal_list *ret);
void child_proposal_list(const struct ike_conf_child_proposal *p, const struct alg_ke *pfs,
                         struct proposal_list *ret);

#endif
