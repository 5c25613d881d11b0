// SPDX-License-Identifier: BSD-2-Clause
#include "ike_proposal_priv.h"

/* ---- one proposal ---------------------------------------------------------------------------- */

void proposal_add(struct proposal_list *l, uint8_t type, uint16_t id, uint16_t key_bits)
{
	l->t[l->n++] = (struct sa_transform){ .type = type, .id = id, .key_bits = key_bits };
}

void proposal_write(struct writer *w, struct sa_proposal head, const struct proposal_list *l,
                    bool last)
{
	head.transforms = l->n;
	size_t at = payload_sa_open(w, &head, last);
	for (uint8_t i = 0; i < l->n; i++)
		payload_sa_transform(w, &l->t[i], i + 1 == l->n);
	payload_sa_close(w, at);
}

struct proposal_census proposal_count(struct reader body)
{
	struct proposal_census n = { .other = false };
	struct sa_transform t;

	while (sa_next_transform(&body, &t)) {
		if (t.type == 0 || t.type >= ARRAY_LEN(n.of))
			n.other = true;
		else if (n.of[t.type] < UINT8_MAX)
			n.of[t.type]++;
	}
	return n;
}

static bool same(const struct sa_transform *a, const struct sa_transform *b)
{
	return a->type == b->type && a->id == b->id && a->key_bits == b->key_bits && !a->strange &&
	       !b->strange;
}

bool proposal_has(struct reader body, uint8_t type, uint16_t id, uint16_t key_bits)
{
	struct sa_transform t, want = { .type = type, .id = id, .key_bits = key_bits };

	while (sa_next_transform(&body, &t))
		if (same(&t, &want))
			return true;
	return false;
}

bool proposal_has_none(const struct sa_proposal *theirs, const struct proposal_census *n,
                       uint8_t type)
{
	return n->of[type] == 0 || proposal_has(theirs->body, type, 0, 0);
}

static const struct sa_transform *find(const struct proposal_list *l, const struct sa_transform *t)
{
	for (uint8_t i = 0; i < l->n; i++)
		if (same(&l->t[i], t))
			return &l->t[i];
	return NULL;
}

const struct sa_transform *proposal_pick(const struct sa_proposal *theirs,
                                         const struct proposal_list *ours, uint8_t type,
                                         bool prefer_ours)
{
	struct reader body = theirs->body;
	const struct sa_transform *best = NULL;
	struct sa_transform t;

	while (sa_next_transform(&body, &t)) {
		const struct sa_transform *mine = t.type == type ? find(ours, &t) : NULL;

		if (mine && !prefer_ours)
			return mine;
		if (mine && (best == NULL || mine < best))
			best = mine;
	}
	return best;
}

/* ---- two lists ------------------------------------------------------------------------------- */

size_t proposal_number(struct view sa)
{
	struct reader r = rd_of_view(sa);
	struct sa_proposal p;
	size_t n = 0;

	while (sa_next_proposal(&r, &p))
		n++;
	return n;
}

static enum err walk_theirs(const struct proposal_walk *w)
{
	struct reader r = rd_of_view(w->sa);
	struct sa_proposal theirs;

	while (sa_next_proposal(&r, &theirs))
		for (size_t i = 0; i < w->ours; i++)
			if (w->match(w->ctx, &theirs, i))
				return ERR_OK;
	return ERR_NO_PROPOSAL;
}

static enum err walk_ours(const struct proposal_walk *w)
{
	for (size_t i = 0; i < w->ours; i++) {
		struct reader r = rd_of_view(w->sa);
		struct sa_proposal theirs;

		while (sa_next_proposal(&r, &theirs))
			if (w->match(w->ctx, &theirs, i))
				return ERR_OK;
	}
	return ERR_NO_PROPOSAL;
}

enum err proposal_walk(const struct proposal_walk *w)
{
	if (w->rules.strict_count && proposal_number(w->sa) != w->ours)
		return ERR_NO_PROPOSAL;
	return w->rules.prefer_ours ? walk_ours(w) : walk_theirs(w);
}

enum err proposal_only_one(struct view sa, size_t ours, struct sa_proposal *ret)
{
	struct reader r = rd_of_view(sa);
	struct sa_proposal more;

	if (!sa_next_proposal(&r, ret) || sa_next_proposal(&r, &more))
		return ERR_NO_PROPOSAL;
	struct proposal_census n = proposal_count(ret->body);
	for (size_t i = 0; i < ARRAY_LEN(n.of); i++)
		if (n.of[i] > 1)
			return ERR_NO_PROPOSAL;
	return n.other || ret->number == 0 || ret->number > ours ? ERR_NO_PROPOSAL : ERR_OK;
}

/* ---- IKE ------------------------------------------------------------------------------------- */

void ike_proposal_list(const struct ike_conf_proposal *p, struct proposal_list *ret)
{
	ret->n = 0;
	for (size_t k = 0; k < p->ciphers; k++)
		proposal_add(ret, TRANSFORM_ENCR, p->cipher[k]->v2_id, p->cipher[k]->key_bits);
	for (size_t k = 0; k < p->integs; k++)
		proposal_add(ret, TRANSFORM_INTEG, p->integ[k]->v2_id, 0);
	for (size_t k = 0; k < p->prfs; k++)
		proposal_add(ret, TRANSFORM_PRF, p->prf[k]->v2_id, 0);
	for (size_t k = 0; k < p->kes; k++)
		proposal_add(ret, TRANSFORM_KE, p->ke[k]->v2_id, 0);
}

static struct view ike_spi(const uint8_t *spi)
{
	return (struct view){ spi, spi ? 8 : 0 };
}

void ike_proposal_offer(struct writer *w, const struct ike_conf_gateway *ours, const uint8_t *spi)
{
	for (size_t i = 0; i < ours->proposals; i++) {
		struct proposal_list l;

		ike_proposal_list(&ours->proposal[i], &l);
		proposal_write(w,
		               (struct sa_proposal){ .number = (uint8_t)(i + 1),
		                                     .protocol = PROTO_IKE,
		                                     .spi = ike_spi(spi) },
		               &l, i + 1 == ours->proposals);
	}
}

void ike_proposal_answer(struct writer *w, const struct ike_choice *c, const uint8_t *spi)
{
	struct proposal_list l = { .n = 0 };

	proposal_add(&l, TRANSFORM_ENCR, c->suite.cipher->v2_id, c->suite.cipher->key_bits);
	if (c->suite.integ)
		proposal_add(&l, TRANSFORM_INTEG, c->suite.integ->v2_id, 0);
	proposal_add(&l, TRANSFORM_PRF, c->suite.prf->v2_id, 0);
	proposal_add(&l, TRANSFORM_KE, c->suite.ke->v2_id, 0);
	proposal_write(w,
	               (struct sa_proposal){
	                       .number = c->number, .protocol = PROTO_IKE, .spi = ike_spi(spi) },
	               &l, true);
}

struct ike_match {
	const struct ike_look *look;
	struct ike_choice *ret;
};

static const struct sa_transform *pick_ke(const struct ike_look *look,
                                          const struct sa_proposal *theirs,
                                          const struct proposal_list *ours, bool prefer_ours)
{
	struct sa_transform sent = { .type = TRANSFORM_KE, .id = look->group };
	const struct sa_transform *mine = look->group ? find(ours, &sent) : NULL;

	if (mine && proposal_has(theirs->body, TRANSFORM_KE, look->group, 0))
		return mine;
	return proposal_pick(theirs, ours, TRANSFORM_KE, prefer_ours);
}

/* One of theirs against one of ours: the whole suite, or false. */
static bool match_ike(void *ctx, const struct sa_proposal *theirs, size_t i)
{
	const struct ike_match *m = ctx;
	const struct ike_conf_gateway *ours = m->look->ours;
	struct proposal_census n = proposal_count(theirs->body);
	struct ike_choice c = { .number = theirs->number };
	bool mine = ours->rules.prefer_ours;
	struct proposal_list l;

	if (theirs->protocol != PROTO_IKE || theirs->spi.len != (m->look->rekey ? 8u : 0u) ||
	    n.other || n.of[TRANSFORM_ESN])
		return false;
	ike_proposal_list(&ours->proposal[i], &l);
	const struct sa_transform *e = proposal_pick(theirs, &l, TRANSFORM_ENCR, mine);
	const struct sa_transform *p = proposal_pick(theirs, &l, TRANSFORM_PRF, mine);
	const struct sa_transform *a = proposal_pick(theirs, &l, TRANSFORM_INTEG, mine);
	const struct sa_transform *k = pick_ke(m->look, theirs, &l, mine);
	if (!e || !p || !k)
		return false;
	c.suite = (struct ike_suite){ alg_cipher_by_id(e->id, e->key_bits),
		                      a ? alg_integ_by_id(a->id) : NULL, alg_prf_by_id(p->id),
		                      alg_ke_by_id(k->id) };
	if (c.suite.cipher->icv_len ? !proposal_has_none(theirs, &n, TRANSFORM_INTEG) : a == NULL)
		return false;
	if (m->look->rekey)
		memcpy(c.spi, theirs->spi.p, sizeof(c.spi));
	c.lifetime_s = ours->proposal[i].lifetime_s;
	*m->ret = c;
	return true;
}

enum err ike_proposal_choose(struct view sa, const struct ike_look *look, struct ike_choice *ret)
{
	struct ike_match m = { look, ret };
	struct proposal_walk w = { sa, look->ours->proposals, look->ours->rules, match_ike, &m };

	return proposal_walk(&w);
}

enum err ike_proposal_accept(struct view sa, const struct ike_look *look, struct ike_choice *ret)
{
	struct ike_match m = { look, ret };
	struct sa_proposal theirs;

	TRY(proposal_only_one(sa, look->ours->proposals, &theirs));
	return match_ike(&m, &theirs, theirs.number - 1u) ? ERR_OK : ERR_NO_PROPOSAL;
}

const struct alg_ke *ike_proposal_ke(const struct ike_conf_gateway *ours, uint16_t group)
{
	for (size_t i = 0; i < ours->proposals; i++)
		for (size_t k = 0; k < ours->proposal[i].kes; k++)
			if (ours->proposal[i].ke[k]->v2_id == group)
				return ours->proposal[i].ke[k];
	return NULL;
}
