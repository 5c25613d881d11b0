// SPDX-License-Identifier: BSD-2-Clause
/* Proposals of child SAs: ESP with a cipher, and integrity where that has none of its own; AH with
 * integrity alone (RFC 7296 3.3.3). */
#include "ike_proposal_priv.h"

static uint8_t protocol_of(const struct ike_conf_child_proposal *p)
{
	return p->protocol ? p->protocol : PROTO_ESP;
}

void child_proposal_list(const struct ike_conf_child_proposal *p, const struct alg_ke *pfs,
                         struct proposal_list *ret)
{
	ret->n = 0;
	for (size_t k = 0; k < p->ciphers; k++)
		proposal_add(ret, TRANSFORM_ENCR, p->cipher[k]->v2_id, p->cipher[k]->key_bits);
	for (size_t k = 0; k < p->integs; k++)
		proposal_add(ret, TRANSFORM_INTEG, p->integ[k]->v2_id, 0);
	if (pfs)
		proposal_add(ret, TRANSFORM_KE, pfs->v2_id, 0);
	if (p->esn)
		proposal_add(ret, TRANSFORM_ESN, 1, 0);
	proposal_add(ret, TRANSFORM_ESN, 0, 0);
}

static struct view spi_bytes(uint32_t spi, uint8_t buf[4])
{
	struct writer w = wr_of(buf, 4);

	wr_u32(&w, spi);
	return wr_done(&w);
}

void child_proposal_offer(struct writer *w, const struct ike_conf_tunnel *ours,
                          const struct alg_ke *pfs, uint32_t spi)
{
	uint8_t buf[4];

	for (size_t i = 0; i < ours->proposals; i++) {
		struct proposal_list l;

		child_proposal_list(&ours->proposal[i], pfs, &l);
		proposal_write(w,
		               (struct sa_proposal){ .number = (uint8_t)(i + 1),
		                                     .protocol = protocol_of(&ours->proposal[i]),
		                                     .spi = spi_bytes(spi, buf) },
		               &l, i + 1 == ours->proposals);
	}
}

void child_proposal_answer(struct writer *w, const struct child_choice *c, uint32_t spi)
{
	struct proposal_list l = { .n = 0 };
	uint8_t buf[4];

	if (c->cipher)
		proposal_add(&l, TRANSFORM_ENCR, c->cipher->v2_id, c->cipher->key_bits);
	if (c->integ)
		proposal_add(&l, TRANSFORM_INTEG, c->integ->v2_id, 0);
	if (c->ke)
		proposal_add(&l, TRANSFORM_KE, c->ke->v2_id, 0);
	if (c->esn_stated)
		proposal_add(&l, TRANSFORM_ESN, c->esn, 0);
	proposal_write(w,
	               (struct sa_proposal){ .number = c->number,
	                                     .protocol = c->protocol,
	                                     .spi = spi_bytes(spi, buf) },
	               &l, true);
}

struct child_match {
	const struct ike_conf_tunnel *ours;
	const struct alg_ke *pfs;
	struct child_choice *ret;
};

/* Cipher and integrity: both, or one of them as the protocol and the cipher want it. */
static bool match_algorithms(const struct child_match *m, const struct sa_proposal *theirs,
                             const struct proposal_list *l, struct child_choice *c)
{
	bool mine = m->ours->rules.prefer_ours;
	struct proposal_census n = proposal_count(theirs->body);
	const struct sa_transform *e = proposal_pick(theirs, l, TRANSFORM_ENCR, mine);
	const struct sa_transform *a = proposal_pick(theirs, l, TRANSFORM_INTEG, mine);

	c->integ = a ? alg_integ_by_id(a->id) : NULL;
	if (c->protocol == PROTO_AH)
		return n.of[TRANSFORM_ENCR] == 0 && a;
	if (e == NULL)
		return false;
	c->cipher = alg_cipher_by_id(e->id, e->key_bits);
	return c->cipher->icv_len ? proposal_has_none(theirs, &n, TRANSFORM_INTEG) : a != NULL;
}

/* A group that only one side asks for is no match, either way. In IKE_AUTH there is no KE to go
 * with one (RFC 7296 1.2). */
static bool match_ke(const struct child_match *m, const struct sa_proposal *theirs,
                     struct child_choice *c)
{
	struct proposal_census n = proposal_count(theirs->body);

	c->ke = m->pfs;
	return m->pfs ? proposal_has(theirs->body, TRANSFORM_KE, m->pfs->v2_id, 0)
	              : proposal_has_none(theirs, &n, TRANSFORM_KE);
}

static bool match_esn(const struct ike_conf_child_proposal *ours, const struct sa_proposal *theirs,
                      struct child_choice *c)
{
	struct proposal_census n = proposal_count(theirs->body);

	c->esn_stated = n.of[TRANSFORM_ESN] != 0;
	c->esn = ours->esn && proposal_has(theirs->body, TRANSFORM_ESN, 1, 0);
	return c->esn || !c->esn_stated || proposal_has(theirs->body, TRANSFORM_ESN, 0, 0);
}

static bool match_child(void *ctx, const struct sa_proposal *theirs, size_t i)
{
	const struct child_match *m = ctx;
	const struct ike_conf_child_proposal *ours = &m->ours->proposal[i];
	struct proposal_census n = proposal_count(theirs->body);
	struct reader spi = rd_of_view(theirs->spi);
	struct child_choice c = { .number = theirs->number,
		                  .protocol = theirs->protocol,
		                  .spi = rd_u32(&spi),
		                  .lifetime_s = ours->lifetime_s,
		                  .lifetime_kb = ours->lifetime_kb,
		                  .lifetime_packets = ours->lifetime_packets };
	struct proposal_list l;

	if (theirs->protocol != protocol_of(ours) || !rd_done(&spi) || c.spi < 256 || n.other ||
	    n.of[TRANSFORM_PRF])
		return false;
	child_proposal_list(ours, m->pfs, &l);
	if (!match_algorithms(m, theirs, &l, &c) || !match_ke(m, theirs, &c) ||
	    !match_esn(ours, theirs, &c))
		return false;
	*m->ret = c;
	return true;
}

enum err child_proposal_choose(struct view sa, const struct ike_conf_tunnel *ours,
                               const struct alg_ke *pfs, struct child_choice *ret)
{
	struct child_match m = { ours, pfs, ret };
	struct proposal_walk w = { sa, ours->proposals, ours->rules, match_child, &m };

	return proposal_walk(&w);
}

enum err child_proposal_accept(struct view sa, const struct ike_conf_tunnel *ours,
                               const struct alg_ke *pfs, struct child_choice *ret)
{
	struct child_match m = { ours, pfs, ret };
	struct sa_proposal theirs;

	TRY(proposal_only_one(sa, ours->proposals, &theirs));
	return match_child(&m, &theirs, theirs.number - 1u) ? ERR_OK : ERR_NO_PROPOSAL;
}
