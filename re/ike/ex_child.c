// SPDX-License-Identifier: BSD-2-Clause
/* A child SA in the making: what IKE_AUTH (RFC 7296 1.2) and CREATE_CHILD_SA (1.3) have in common,
 * and the child that IKE_AUTH makes on its way. */
#include "ex_child.h"
#include "anchor.h"
#include "ike_priv.h"
#include "secret.h"

#include <stdlib.h>

void creation_free(struct ike *ike, struct creation *cr)
{
	if (cr == NULL)
		return;
	hash_del(&ike->by_offer, &cr->by_offer);
	dh_key_free(cr->dh);
	blob_clear(&cr->nonce_i);
	blob_clear(&cr->nonce_r);
	free(cr);
}

uint32_t ex_child_new_spi(struct ike_sa *sa)
{
	uint32_t spi;

	do {
		spi = anchor_new_spi(sa->ike->env, sa->anchor);
	} while (ike_spi_in_use(sa->ike, spi));
	return spi;
}

enum err ex_child_new_nonce(struct ike *ike, struct blob *nonce)
{
	uint8_t bytes[NONCE_OURS];

	ike->env->random(ike->env, bytes, sizeof(bytes));
	return blob_set(nonce, (struct view){ bytes, sizeof(bytes) });
}

static void put_ts(struct ike_out *o, enum payload_type type, const struct ike_ts *ts, size_t n)
{
	ike_out_open(o, type);
	payload_ts_write(&o->w, ts, n);
	ike_out_close(o);
}

void ex_child_put_ts(struct ike_out *o, const struct creation *cr)
{
	const struct ike_ts_list *i = cr->initiator ? &cr->local : &cr->remote;
	const struct ike_ts_list *r = cr->initiator ? &cr->remote : &cr->local;

	put_ts(o, PL_TSI, i->at, i->n);
	put_ts(o, PL_TSR, r->at, r->n);
}

void ex_child_put_ke(struct ike_out *o, const struct alg_ke *group, const uint8_t *value)
{
	struct payload_ke ke = { group->v2_id, { value, group->public_len } };

	ike_out_open(o, PL_KE);
	payload_ke_write(&o->w, &ke);
	ike_out_close(o);
}

void ex_child_put_nonce(struct ike_out *o, const struct blob *nonce)
{
	ike_out_open(o, PL_NONCE);
	payload_nonce_write(&o->w, blob_view(nonce));
	ike_out_close(o);
}

void ex_child_say_up(const struct child_sa *c, const struct tunnel *t, struct effects *fx)
{
	char suite[64];

	fx_event(fx, EVENT_IKE_CHILD_UP, "tunnel %u vpn %s spi in 0x%08x out 0x%08x %s%s",
	         c->tunnel, t->conf.vpn, c->spi_in, c->spi_out, child_sa_suite_text(c, suite),
	         c->esn ? " esn" : "");
}

enum err ex_child_make(struct ike_sa *sa, const struct creation *cr, struct view secret,
                       struct child_sa **ret)
{
	struct tunnel *t = ike_tunnel_by_index(sa->ike, cr->tunnel);
	struct child_parts parts = { .tunnel = t,
		                     .choice = &cr->choice,
		                     .spi_in = cr->spi_in,
		                     .local = &cr->local,
		                     .remote = &cr->remote,
		                     .nonce_i = blob_view(&cr->nonce_i),
		                     .nonce_r = blob_view(&cr->nonce_r),
		                     .secret = secret,
		                     .initiator = cr->initiator };

	return t ? child_sa_new(sa, &parts, ret) : ERR_NOT_FOUND;
}

/* ---- the tunnel of a request ----------------------------------------------------------------- */

static int score_of(const struct fit *f)
{
	const struct ike_conf_tunnel *t = &f->t->conf;
	bool whole = f->local.n == t->locals && f->remote.n == t->remotes;

	for (size_t i = 0; whole && i < t->locals; i++)
		whole &= ike_ts_equal(&f->local.at[i], &t->local[i]);
	for (size_t i = 0; whole && i < t->remotes; i++)
		whole &= ike_ts_equal(&f->remote.at[i], &t->remote[i]);
	return 1 + 2 * whole + !ike_tunnel_has_child(f->t);
}

/* All of the selectors rather than a part, one without a child rather than one that has one. */
struct fit ex_child_fit(struct ike_sa *sa, const struct ike_content *m, struct tunnel *only)
{
	struct fit best = { .score = 0 };
	struct list *at;

	list_each (at, &sa->gw->tunnels) {
		struct fit f = { .t = CONTAINER_OF(at, struct tunnel, of_gateway) };
		const struct ike_conf_tunnel *t = &f.t->conf;

		if (only && f.t != only)
			continue;
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

/* ---- inside IKE_AUTH: the initiator ---------------------------------------------------------- */

void ex_child_offer(struct ike_sa *sa, struct ike_out *o)
{
	const struct ike_conf_tunnel *t = &sa->tunnel->conf;

	ike_offer_spi(sa, ex_child_new_spi(sa));
	ike_out_open(o, PL_SA);
	child_proposal_offer(&o->w, ike_tunnel_conf(sa, sa->tunnel), NULL, sa->child_spi);
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

enum err ex_child_read_answer(const struct ike_sa *sa, const struct ike_in *in,
                              const struct tunnel *t, struct creation *cr)
{
	cr->local = list_of(in->c.tsi, in->c.tsi_n);
	cr->remote = list_of(in->c.tsr, in->c.tsr_n);
	if (t == NULL || !in->c.has_sa || !in->c.has_ts)
		return ERR_MISSING;
	TRY(child_proposal_accept(in->c.sa, ike_tunnel_conf(sa, t), cr->ke, &cr->choice));
	if (!ike_ts_within(&cr->local, t->conf.local, t->conf.locals) ||
	    !ike_ts_within(&cr->remote, t->conf.remote, t->conf.remotes))
		return ERR_NO_SELECTOR;
	return ERR_OK;
}

void ex_child_say_refused(struct ike_sa *sa, uint16_t type, struct effects *fx)
{
	char what[32];

	sa->ike->stats.ts_unacceptable += type == N_TS_UNACCEPTABLE;
	sa->ike->stats.no_proposal += type == N_NO_PROPOSAL_CHOSEN;
	fx_event(fx, EVENT_IKE_PEER_REFUSED, "child SA of gateway %s: %s",
	         sa->gw ? sa->gw->conf.name : "-", notify_text(type, what));
}

/* RFC 7296 2.17: the first child has the nonces of IKE_SA_INIT, and no Diffie-Hellman of its own.
 * The blobs stay the SA's. */
static struct creation inside_auth(const struct ike_sa *sa)
{
	return (struct creation){ .initiator = sa->initiator,
		                  .nonce_i = sa->nonce_i,
		                  .nonce_r = sa->nonce_r };
}

static enum err take_answer(struct ike_sa *sa, const struct ike_in *in, struct child_sa **ret)
{
	struct creation cr = inside_auth(sa);

	TRY(ex_child_read_answer(sa, in, sa->tunnel, &cr));
	cr.tunnel = sa->tunnel->conf.index;
	cr.spi_in = sa->child_spi;
	return ex_child_make(sa, &cr, (struct view){ NULL, 0 }, ret);
}

/* PFS-03: IKE_AUTH does not say whether the peer will agree to it. */
static void warn_pfs(const struct tunnel *t, struct effects *fx)
{
	if (t->conf.pfs)
		fx_event(fx, EVENT_IKE_PFS_UNTRIED, "vpn %s: %s", t->conf.vpn, t->conf.pfs->name);
}

void ex_child_finish(struct ike_sa *sa, const struct ike_in *in, struct effects *fx)
{
	const struct payload_notify *error = ike_content_error(&in->c);
	struct child_sa *c;

	if (error) { /* 1.2: the IKE SA stays */
		ex_child_say_refused(sa, error->type, fx);
		return;
	}
	enum err e = take_answer(sa, in, &c);
	if (e == ERR_OK) {
		ex_child_say_up(c, sa->tunnel, fx);
		warn_pfs(sa->tunnel, fx);
		(void)child_step(c, CHILD_EV_INSTALL, fx);
		return;
	}
	ex_child_say_failed(sa, e, fx);
	if (in->c.has_sa) /* the peer believes in a child that we cannot have */
		sa->stray_spi = sa->child_spi;
}

/* ---- inside IKE_AUTH: the responder ---------------------------------------------------------- */

void ex_child_say_no_ts(struct ike_sa *sa, struct effects *fx)
{
	sa->ike->stats.ts_unacceptable++;
	fx_event(fx, EVENT_IKE_TS_UNACCEPTABLE, "gateway %s", sa->gw ? sa->gw->conf.name : "-");
}

void ex_child_say_no_proposal(struct ike_sa *sa, struct view offer, const struct tunnel *t,
                              const struct alg_ke *ke, struct effects *fx)
{
	const struct ike_conf_tunnel *conf = ike_tunnel_conf(sa, t);
	char lists[PROPOSAL_TEXT_MAX];

	if (conf->proposals == 0)
		ike_tunnel_say_ah(t, fx);
	sa->ike->stats.no_proposal++;
	fx_event(fx, EVENT_IKE_NO_PROPOSAL_CHOSEN, "child SA, vpn %s: %s", conf->vpn,
	         child_proposal_text(offer, conf, ke, lists));
}

void ex_child_say_failed(struct ike_sa *sa, enum err e, struct effects *fx)
{
	fx_event(fx, e == ERR_FULL ? EVENT_IPSEC_NO_SLOT : EVENT_IKE_INTERNAL,
	         "child SA of gateway %s: %s", sa->gw ? sa->gw->conf.name : "-", err_text(e));
}

static enum err refuse(struct child_answer *a, uint16_t notify)
{
	a->notify = notify;
	return ERR_NO_PROPOSAL;
}

enum err ex_child_answer(struct ike_sa *sa, const struct ike_in *in, struct child_answer *a,
                         struct effects *fx)
{
	const struct ike_content *m = &in->c;
	struct creation cr = inside_auth(sa);

	if (!m->has_sa || !m->has_ts)
		return ERR_MISSING; /* it wants none (RFC 6023) */
	struct fit f = ex_child_fit(sa, m, NULL);
	if (f.score == 0) {
		ex_child_say_no_ts(sa, fx);
		return refuse(a, N_TS_UNACCEPTABLE);
	}
	if (child_proposal_choose(m->sa, ike_tunnel_conf(sa, f.t), NULL, &cr.choice) != ERR_OK) {
		ex_child_say_no_proposal(sa, m->sa, f.t, NULL, fx);
		return refuse(a, N_NO_PROPOSAL_CHOSEN);
	}
	cr.tunnel = f.t->conf.index;
	cr.spi_in = ex_child_new_spi(sa);
	cr.local = f.local;
	cr.remote = f.remote;
	enum err e = ex_child_make(sa, &cr, (struct view){ NULL, 0 }, &a->child);
	if (e != ERR_OK) {
		ex_child_say_failed(sa, e, fx);
		return refuse(a, N_NO_ADDITIONAL_SAS);
	}
	a->choice = cr.choice;
	ex_child_say_up(a->child, f.t, fx);
	warn_pfs(f.t, fx);
	(void)child_step(a->child,
	                 ike_tunnel_sends(f.t) ? CHILD_EV_INSTALL_BESIDE : CHILD_EV_INSTALL, fx);
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
