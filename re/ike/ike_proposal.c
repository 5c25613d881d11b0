// SPDX-License-Identifier: BSD-2-Clause
#include "ike_proposal.h"

/* ---- writing --------------------------------------------------------------------------------- */

enum { TRANSFORMS_MAX = 4 * IKE_TRANSFORMS_MAX + 2 };

struct list {
	struct sa_transform t[TRANSFORMS_MAX];
	uint8_t n;
};

static void add(struct list *l, uint8_t type, uint16_t id, uint16_t key_bits)
{
	l->t[l->n++] = (struct sa_transform){ .type = type, .id = id, .key_bits = key_bits };
}

static void write(struct writer *w, struct sa_proposal head, const struct list *l, bool last)
{
	head.transforms = l->n;
	size_t at = payload_sa_open(w, &head, last);
	for (uint8_t i = 0; i < l->n; i++)
		payload_sa_transform(w, &l->t[i], i + 1 == l->n);
	payload_sa_close(w, at);
}

void ike_proposal_offer(struct writer *w, const struct ike_conf_proposal *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct list l = { .n = 0 };

		for (size_t k = 0; k < p[i].ciphers; k++)
			add(&l, TRANSFORM_ENCR, p[i].cipher[k]->v2_id, p[i].cipher[k]->key_bits);
		for (size_t k = 0; k < p[i].integs; k++)
			add(&l, TRANSFORM_INTEG, p[i].integ[k]->v2_id, 0);
		for (size_t k = 0; k < p[i].prfs; k++)
			add(&l, TRANSFORM_PRF, p[i].prf[k]->v2_id, 0);
		for (size_t k = 0; k < p[i].kes; k++)
			add(&l, TRANSFORM_KE, p[i].ke[k]->v2_id, 0);
		write(w, (struct sa_proposal){ .number = (uint8_t)(i + 1), .protocol = PROTO_IKE },
		      &l, i + 1 == n);
	}
}

void ike_proposal_answer(struct writer *w, const struct ike_choice *c)
{
	struct list l = { .n = 0 };

	add(&l, TRANSFORM_ENCR, c->suite.cipher->v2_id, c->suite.cipher->key_bits);
	if (c->suite.integ)
		add(&l, TRANSFORM_INTEG, c->suite.integ->v2_id, 0);
	add(&l, TRANSFORM_PRF, c->suite.prf->v2_id, 0);
	add(&l, TRANSFORM_KE, c->suite.ke->v2_id, 0);
	write(w, (struct sa_proposal){ .number = c->number, .protocol = PROTO_IKE }, &l, true);
}

static struct view spi_bytes(uint32_t spi, uint8_t buf[4])
{
	struct writer w = wr_of(buf, 4);

	wr_u32(&w, spi);
	return wr_done(&w);
}

void child_proposal_offer(struct writer *w, const struct ike_conf_child_proposal *p, size_t n,
                          const struct alg_ke *ke, uint32_t spi)
{
	uint8_t buf[4];

	for (size_t i = 0; i < n; i++) {
		struct list l = { .n = 0 };

		for (size_t k = 0; k < p[i].ciphers; k++)
			add(&l, TRANSFORM_ENCR, p[i].cipher[k]->v2_id, p[i].cipher[k]->key_bits);
		if (ke)
			add(&l, TRANSFORM_KE, ke->v2_id, 0);
		if (p[i].esn)
			add(&l, TRANSFORM_ESN, 1, 0);
		add(&l, TRANSFORM_ESN, 0, 0);
		write(w,
		      (struct sa_proposal){ .number = (uint8_t)(i + 1),
		                            .protocol = PROTO_ESP,
		                            .spi = spi_bytes(spi, buf) },
		      &l, i + 1 == n);
	}
}

void child_proposal_answer(struct writer *w, const struct child_choice *c, uint32_t spi)
{
	struct list l = { .n = 0 };
	uint8_t buf[4];

	add(&l, TRANSFORM_ENCR, c->cipher->v2_id, c->cipher->key_bits);
	if (c->ke)
		add(&l, TRANSFORM_KE, c->ke->v2_id, 0);
	if (c->esn_stated)
		add(&l, TRANSFORM_ESN, c->esn, 0);
	write(w,
	      (struct sa_proposal){
	              .number = c->number, .protocol = PROTO_ESP, .spi = spi_bytes(spi, buf) },
	      &l, true);
}

/* ---- choosing -------------------------------------------------------------------------------- */

/* Which transform types a proposal has, and how many of each. */
struct census {
	uint8_t of[TRANSFORM_ESN + 1];
	bool other; /* a type that we do not know: the proposal is not for us (3.3.6) */
};

static struct census count(struct reader body)
{
	struct census n = { .other = false };
	struct sa_transform t;

	while (sa_next_transform(&body, &t)) {
		if (t.type == 0 || t.type >= ARRAY_LEN(n.of))
			n.other = true;
		else if (n.of[t.type] < UINT8_MAX)
			n.of[t.type]++;
	}
	return n;
}

static bool has(struct reader body, uint8_t type, uint16_t id, uint16_t key_bits)
{
	struct sa_transform t;

	while (sa_next_transform(&body, &t))
		if (t.type == type && t.id == id && t.key_bits == key_bits && !t.strange)
			return true;
	return false;
}

static const struct alg_ke *choose_ke(const struct sa_proposal *theirs,
                                      const struct ike_conf_proposal *ours, uint16_t group)
{
	const struct alg_ke *first = NULL;

	for (size_t i = 0; i < ours->kes; i++) {
		if (!has(theirs->body, TRANSFORM_KE, ours->ke[i]->v2_id, 0))
			continue;
		if (ours->ke[i]->v2_id == group)
			return ours->ke[i];
		if (first == NULL)
			first = ours->ke[i];
	}
	return first;
}

/* One of theirs against one of ours: the whole suite, or false. */
static bool match_ike(const struct sa_proposal *theirs, const struct ike_conf_proposal *ours,
                      uint16_t group, struct ike_suite *ret)
{
	struct census n = count(theirs->body);
	struct ike_suite s = { 0 };

	if (theirs->protocol != PROTO_IKE || theirs->spi.len != 0 || n.other || n.of[TRANSFORM_ESN])
		return false;
	for (size_t i = 0; i < ours->ciphers && !s.cipher; i++)
		if (has(theirs->body, TRANSFORM_ENCR, ours->cipher[i]->v2_id,
		        ours->cipher[i]->key_bits))
			s.cipher = ours->cipher[i];
	for (size_t i = 0; i < ours->prfs && !s.prf; i++)
		if (has(theirs->body, TRANSFORM_PRF, ours->prf[i]->v2_id, 0))
			s.prf = ours->prf[i];
	for (size_t i = 0; i < ours->integs && !s.integ; i++)
		if (has(theirs->body, TRANSFORM_INTEG, ours->integ[i]->v2_id, 0))
			s.integ = ours->integ[i];
	s.ke = choose_ke(theirs, ours, group);
	if (!s.cipher || !s.prf || !s.ke)
		return false;
	if (s.cipher->icv_len) {
		/* RFC 5282 8: with AEAD none, or NONE. */
		if (n.of[TRANSFORM_INTEG] && !has(theirs->body, TRANSFORM_INTEG, INTEG_NONE, 0))
			return false;
		s.integ = NULL;
	} else if (!s.integ) {
		return false;
	}
	*ret = s;
	return true;
}

enum err ike_proposal_choose(struct view sa, const struct ike_conf_proposal *p, size_t n,
                             uint16_t ke_group, struct ike_choice *ret)
{
	struct reader r = rd_of_view(sa);
	struct sa_proposal theirs;

	while (sa_next_proposal(&r, &theirs))
		for (size_t i = 0; i < n; i++)
			if (match_ike(&theirs, &p[i], ke_group, &ret->suite)) {
				ret->number = theirs.number;
				ret->lifetime_s = p[i].lifetime_s;
				return ERR_OK;
			}
	return ERR_NO_PROPOSAL;
}

/* Without a KE payload only a proposal that can do without one, as in IKE_AUTH (1.2). */
static bool ke_fits(const struct sa_proposal *theirs, const struct census *n,
                    const struct alg_ke *ke)
{
	if (ke)
		return has(theirs->body, TRANSFORM_KE, ke->v2_id, 0);
	return n->of[TRANSFORM_KE] == 0 || has(theirs->body, TRANSFORM_KE, 0, 0);
}

static bool match_child(const struct sa_proposal *theirs,
                        const struct ike_conf_child_proposal *ours, const struct alg_ke *ke,
                        struct child_choice *ret)
{
	struct census n = count(theirs->body);
	struct reader spi = rd_of_view(theirs->spi);
	struct child_choice c = { .number = theirs->number, .spi = rd_u32(&spi), .ke = ke };

	if (theirs->protocol != PROTO_ESP || !rd_done(&spi) || c.spi < 256 || n.other)
		return false;
	/* AEAD needs no integrity. */
	if (!ke_fits(theirs, &n, ke) ||
	    (n.of[TRANSFORM_INTEG] && !has(theirs->body, TRANSFORM_INTEG, INTEG_NONE, 0)) ||
	    n.of[TRANSFORM_PRF])
		return false;
	for (size_t i = 0; i < ours->ciphers && !c.cipher; i++)
		if (has(theirs->body, TRANSFORM_ENCR, ours->cipher[i]->v2_id,
		        ours->cipher[i]->key_bits))
			c.cipher = ours->cipher[i];
	if (!c.cipher)
		return false;
	c.esn_stated = n.of[TRANSFORM_ESN] != 0;
	c.esn = ours->esn && has(theirs->body, TRANSFORM_ESN, 1, 0);
	if (!c.esn && c.esn_stated && !has(theirs->body, TRANSFORM_ESN, 0, 0))
		return false;
	c.lifetime_s = ours->lifetime_s;
	*ret = c;
	return true;
}

enum err child_proposal_choose(struct view sa, const struct ike_conf_child_proposal *p, size_t n,
                               const struct alg_ke *ke, struct child_choice *ret)
{
	struct reader r = rd_of_view(sa);
	struct sa_proposal theirs;

	while (sa_next_proposal(&r, &theirs))
		for (size_t i = 0; i < n; i++)
			if (match_child(&theirs, &p[i], ke, ret))
				return ERR_OK;
	return ERR_NO_PROPOSAL;
}

/* ---- accepting an answer --------------------------------------------------------------------- */

/* The only proposal, with at most one transform of each type. */
static enum err only_one(struct view sa, struct sa_proposal *ret)
{
	struct reader r = rd_of_view(sa);
	struct sa_proposal more;

	if (!sa_next_proposal(&r, ret) || sa_next_proposal(&r, &more))
		return ERR_NO_PROPOSAL;
	struct census n = count(ret->body);
	for (size_t i = 0; i < ARRAY_LEN(n.of); i++)
		if (n.of[i] > 1)
			return ERR_NO_PROPOSAL;
	return n.other ? ERR_NO_PROPOSAL : ERR_OK;
}

enum err ike_proposal_accept(struct view sa, const struct ike_conf_proposal *p, size_t n,
                             struct ike_choice *ret)
{
	struct sa_proposal theirs;

	TRY(only_one(sa, &theirs));
	if (theirs.number == 0 || theirs.number > n ||
	    !match_ike(&theirs, &p[theirs.number - 1], 0, &ret->suite))
		return ERR_NO_PROPOSAL;
	ret->number = theirs.number;
	ret->lifetime_s = p[theirs.number - 1].lifetime_s;
	return ERR_OK;
}

enum err child_proposal_accept(struct view sa, const struct ike_conf_child_proposal *p, size_t n,
                               const struct alg_ke *ke, struct child_choice *ret)
{
	struct sa_proposal theirs;

	TRY(only_one(sa, &theirs));
	if (theirs.number == 0 || theirs.number > n ||
	    !match_child(&theirs, &p[theirs.number - 1], ke, ret))
		return ERR_NO_PROPOSAL;
	return ERR_OK;
}

const struct alg_ke *ike_proposal_ke(const struct ike_conf_proposal *p, size_t n, uint16_t group)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < p[i].kes; k++)
			if (p[i].ke[k]->v2_id == group)
				return p[i].ke[k];
	return NULL;
}
