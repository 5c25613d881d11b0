// SPDX-License-Identifier: BSD-2-Clause
/* The child SA that IKE_AUTH makes (RFC 7296 1.2, 2.9). CREATE_CHILD_SA is not in this version
 * (ex_info.c refuses it). */
#include "ike_priv.h"
#include "anchor.h"

enum { CONFIRM_MS = 500 };

static uint32_t new_spi(struct ike_sa *sa)
{
	uint32_t spi;

	do {
		spi = anchor_new_spi(sa->ike->env, sa->anchor);
	} while (ike_spi_in_use(sa->ike, spi));
	return spi;
}

static void put_ts(struct ike_out *o, enum payload_type type, const struct ike_ts *ts, size_t n)
{
	ike_out_open(o, type);
	payload_ts_write(&o->w, ts, n);
	ike_out_close(o);
}

static void say_up(const struct child_sa *c, const struct tunnel *t, struct effects *fx)
{
	char suite[64];

	fx_event(fx, EVENT_IKE_CHILD_UP, "tunnel %u vpn %s spi in 0x%08x out 0x%08x %s%s",
	         c->tunnel, t->conf.vpn, c->spi_in, c->spi_out, child_sa_suite_text(c, suite),
	         c->esn ? " esn" : "");
}

/* ---- the initiator --------------------------------------------------------------------------- */

void ex_child_offer(struct ike_sa *sa, struct ike_out *o)
{
	const struct ike_conf_tunnel *t = &sa->tunnel->conf;

	ike_offer_spi(sa, new_spi(sa));
	ike_out_open(o, PL_SA);
	child_proposal_offer(&o->w, t, NULL, sa->child_spi);
	ike_out_close(o);
	put_ts(o, PL_TSI, t->local, t->locals);
	put_ts(o, PL_TSR, t->remote, t->remotes);
}

static struct ike_ts_list list_of(const struct ike_ts *ts, size_t n)
{
	struct ike_ts_list l = { .n = n };

	memcpy(l.at, ts, n * sizeof(*ts));
	return l;
}

static enum err take_answer(struct ike_sa *sa, const struct ike_in *in, struct child_sa **ret)
{
	struct tunnel *t = sa->tunnel;
	struct ike_ts_list local = list_of(in->c.tsi, in->c.tsi_n);
	struct ike_ts_list remote = list_of(in->c.tsr, in->c.tsr_n);
	struct child_choice choice;

	if (t == NULL || !in->c.has_sa || !in->c.has_ts)
		return ERR_MISSING;
	TRY(child_proposal_accept(in->c.sa, &t->conf, NULL, &choice));
	if (!ike_ts_within(&local, t->conf.local, t->conf.locals) ||
	    !ike_ts_within(&remote, t->conf.remote, t->conf.remotes))
		return ERR_NO_SELECTOR;
	TRY(child_sa_new(sa, &choice, sa->child_spi, t, ret));
	(*ret)->local_ts = local;
	(*ret)->remote_ts = remote;
	(*ret)->sending = true;
	return ERR_OK;
}

static void refused(struct ike_sa *sa, uint16_t type, struct effects *fx)
{
	char what[32];
	bool ts = type == N_TS_UNACCEPTABLE;

	sa->ike->stats.ts_unacceptable += ts;
	sa->ike->stats.no_proposal += type == N_NO_PROPOSAL_CHOSEN;
	fx_event(fx, EVENT_IKE_PEER_REFUSED, "child SA of gateway %s: %s",
	         sa->gw ? sa->gw->conf.name : "-", notify_text(type, what));
}

void ex_child_finish(struct ike_sa *sa, const struct ike_in *in, struct effects *fx)
{
	const struct payload_notify *error = ike_content_error(&in->c);
	struct child_sa *c;

	if (error) { /* 1.2: the IKE SA stays */
		refused(sa, error->type, fx);
		return;
	}
	enum err e = take_answer(sa, in, &c);
	if (e == ERR_OK) {
		say_up(c, sa->tunnel, fx);
		return;
	}
	/* The peer believes in a child that we cannot have: away with all of it. */
	fx_event(fx, e == ERR_FULL ? EVENT_IPSEC_NO_SLOT : EVENT_IKE_INTERNAL,
	         "child SA of gateway %s: %s", sa->gw ? sa->gw->conf.name : "-", err_text(e));
	sa->wish_delete = true;
}

/* ---- the responder --------------------------------------------------------------------------- */

struct fit {
	struct tunnel *t;
	struct ike_ts_list local, remote;
	int score;
};

static int score_of(const struct fit *f)
{
	const struct ike_conf_tunnel *t = &f->t->conf;
	bool whole = f->local.n == t->locals && f->remote.n == t->remotes;

	for (size_t i = 0; whole && i < t->locals; i++)
		whole &= ike_ts_equal(&f->local.at[i], &t->local[i]);
	for (size_t i = 0; whole && i < t->remotes; i++)
		whole &= ike_ts_equal(&f->remote.at[i], &t->remote[i]);
	return 1 + 2 * whole + list_empty(&f->t->children);
}

/* The tunnel of this gateway whose selectors fit best: all of them rather than a part, one without
 * a child rather than one that has one. */
static struct fit find_tunnel(struct ike_sa *sa, const struct ike_content *m)
{
	struct fit best = { .score = 0 };
	struct list *at;

	list_each (at, &sa->gw->tunnels) {
		struct fit f = { .t = CONTAINER_OF(at, struct tunnel, of_gateway) };
		const struct ike_conf_tunnel *t = &f.t->conf;

		f.remote = ike_ts_narrow(t->remote, t->remotes, m->tsi, m->tsi_n);
		f.local = ike_ts_narrow(t->local, t->locals, m->tsr, m->tsr_n);
		ike_ts_same_families(&f.local, &f.remote);
		if (f.local.n == 0 || f.remote.n == 0)
			continue;
		f.score = score_of(&f);
		if (f.score > best.score)
			best = f;
	}
	return best;
}

static enum err refuse(struct ike_sa *sa, struct child_answer *a, uint16_t notify,
                       struct effects *fx)
{
	const char *name = sa->gw->conf.name;

	a->notify = notify;
	if (notify == N_TS_UNACCEPTABLE) {
		sa->ike->stats.ts_unacceptable++;
		fx_event(fx, EVENT_IKE_TS_UNACCEPTABLE, "gateway %s", name);
		return ERR_NO_SELECTOR;
	}
	fx_event(fx, EVENT_IPSEC_NO_SLOT, "gateway %s", name);
	return ERR_FULL;
}

static enum err refuse_proposal(struct ike_sa *sa, struct child_answer *a, struct view offer,
                                const struct ike_conf_tunnel *t, struct effects *fx)
{
	char lists[PROPOSAL_TEXT_MAX];

	a->notify = N_NO_PROPOSAL_CHOSEN;
	sa->ike->stats.no_proposal++;
	fx_event(fx, EVENT_IKE_NO_PROPOSAL_CHOSEN, "child SA, vpn %s: %s", t->vpn,
	         child_proposal_text(offer, t, NULL, lists));
	return ERR_NO_PROPOSAL;
}

enum err ex_child_answer(struct ike_sa *sa, const struct ike_in *in, struct child_answer *a,
                         struct effects *fx)
{
	const struct ike_content *m = &in->c;

	if (!m->has_sa || !m->has_ts)
		return ERR_MISSING; /* it wants none (RFC 6023) */
	struct fit f = find_tunnel(sa, m);
	if (f.score == 0)
		return refuse(sa, a, N_TS_UNACCEPTABLE, fx);
	if (child_proposal_choose(m->sa, &f.t->conf, NULL, &a->choice) != ERR_OK)
		return refuse_proposal(sa, a, m->sa, &f.t->conf, fx);
	bool first = list_empty(&f.t->children);
	if (child_sa_new(sa, &a->choice, new_spi(sa), f.t, &a->child) != ERR_OK)
		return refuse(sa, a, N_NO_ADDITIONAL_SAS, fx);
	a->child->local_ts = f.local;
	a->child->remote_ts = f.remote;
	/* Beside an older child it waits until the peer surely has it. */
	a->child->sending = first;
	a->child->confirm_ms = first ? UINT64_MAX : ike_sa_now(sa) + CONFIRM_MS;
	say_up(a->child, f.t, fx);
	return ERR_OK;
}

void ex_child_write_answer(struct ike_out *o, const struct child_answer *a)
{
	if (a->child == NULL) {
		if (a->notify)
			ike_out_notify(o, a->notify, (struct view){ NULL, 0 });
		return;
	}
	const struct child_sa *c = a->child;
	ike_out_open(o, PL_SA);
	child_proposal_answer(&o->w, &a->choice, c->spi_in);
	ike_out_close(o);
	put_ts(o, PL_TSI, c->remote_ts.at, c->remote_ts.n);
	put_ts(o, PL_TSR, c->local_ts.at, c->local_ts.n);
}
