// SPDX-License-Identifier: BSD-2-Clause
/* CREATE_CHILD_SA as the peer asks for it: judged, the Diffie-Hellman done in the pool where there
 * is one, judged again, answered. */
#include "ex_child.h"
#include "anchor.h"
#include "ike_priv.h"
#include "secret.h"

#include <stdlib.h>

enum { CHILDREN_PER_TUNNEL_MAX = 8 };

static const struct view nothing = { NULL, 0 };

/* ---- refusing -------------------------------------------------------------------------------- */

struct refusal {
	uint16_t notify; /* 0: none */
	uint32_t spi;    /* CHILD_SA_NOT_FOUND: which */
	uint8_t protocol;
	uint16_t group; /* INVALID_KE_PAYLOAD: which we want */
};

static void put_refusal(struct ike_out *o, const struct refusal *r)
{
	uint8_t spi[4], group[2] = { (uint8_t)(r->group >> 8), (uint8_t)r->group };
	struct writer w = wr_of(spi, sizeof(spi));
	struct payload_notify n = { .type = r->notify };

	wr_u32(&w, r->spi);
	if (r->notify == N_CHILD_SA_NOT_FOUND) {
		n.protocol = r->protocol;
		n.spi = (struct view){ spi, 4 };
	}
	if (r->notify == N_INVALID_KE_PAYLOAD)
		n.data = (struct view){ group, 2 };
	ike_out_open(o, PL_NOTIFY);
	payload_notify_write(&o->w, &n);
	ike_out_close(o);
}

static enum err refuse(struct ike_sa *sa, const struct ike_in *in, const struct refusal *r,
                       struct effects *fx)
{
	struct ike_out o;

	sa->ike->stats.create_refused++;
	ike_sa_out(sa, &o, EX_CREATE_CHILD_SA, true);
	put_refusal(&o, r);
	return ike_sa_answer(sa, in, ike_sa_seal(sa, &o, true), -1, fx);
}

/* RFC 7296 2.25.2: the IKE SA is being closed, or another took over from it. */
enum err ex_child_refuse_request(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	struct refusal r = { .notify = N_TEMPORARY_FAILURE };

	return refuse(sa, arg, &r, fx);
}

/* ---- judging --------------------------------------------------------------------------------- */

static enum create_kind kind_of(const struct ike_content *m)
{
	struct reader r = rd_of_view(m->sa);
	struct sa_proposal first = { 0 };

	if (ike_content_notify(m, N_REKEY_SA))
		return CREATE_REKEY;
	(void)sa_next_proposal(&r, &first);
	return first.protocol == PROTO_IKE ? CREATE_REKEY_IKE : CREATE_NEW;
}

static bool deletes_children(struct ike_sa *sa)
{
	struct list *at;

	list_each (at, &sa->children)
		if (child_sa_at(at)->state == CHILD_DELETING ||
		    child_sa_at(at)->state == CHILD_RETIRING)
			return true;
	return false;
}

/* RFC 7296 2.25: what cannot be answered while something else is under way. */
static uint16_t collides(struct ike_sa *sa, enum create_kind kind)
{
	bool asks_ike = ex_child_asking(sa) && sa->create->kind == CREATE_REKEY_IKE;
	bool asks_child = ex_child_asking(sa) && !asks_ike;

	if (sa->state != IKE_UP || sa->wish_delete || sa->answering)
		return N_TEMPORARY_FAILURE;
	if (kind == CREATE_REKEY_IKE)
		return asks_child || deletes_children(sa) ? N_TEMPORARY_FAILURE : 0;
	return asks_ike ? N_TEMPORARY_FAILURE : 0;
}

/* The child that is to be rekeyed: by the SPI that its initiator receives on, which we send with.
 */
static uint16_t find_old(struct ike_sa *sa, const struct ike_content *m, struct creation *cr,
                         struct refusal *r)
{
	const struct payload_notify *n = ike_content_notify(m, N_REKEY_SA);
	struct reader spi = rd_of_view(n->spi);

	r->spi = rd_u32(&spi);
	r->protocol = n->protocol;
	struct child_sa *old = rd_done(&spi) ? child_sa_by_spi_out(sa, r->spi) : NULL;
	/* It may be the one that we asked for, and its rekey has overtaken the answer. */
	if (old == NULL && ex_child_asking(sa) && sa->create->kind != CREATE_REKEY_IKE)
		return N_TEMPORARY_FAILURE;
	if (old == NULL || old->protocol != n->protocol || old->state == CHILD_LINGERING)
		return N_CHILD_SA_NOT_FOUND;
	if (!child_sa_alive(old))
		return N_TEMPORARY_FAILURE;
	cr->spi_old = old->spi_in;
	cr->tunnel = old->tunnel;
	return 0;
}

/* Has the tunnel room for another? A peer may not fill our memory and our slots. */
static bool has_room(struct ike_sa *sa, uint32_t tunnel)
{
	struct list *at;
	size_t n = 0;

	list_each (at, &sa->children)
		n += child_sa_at(at)->tunnel == tunnel;
	return n < CHILDREN_PER_TUNNEL_MAX;
}

/* RFC 7296 1.3: the group that was chosen, and the KE payload beside it. */
static uint16_t judge_ke(const struct ike_content *m, const struct alg_ke *ke, struct refusal *r)
{
	if (ke == NULL)
		return 0;
	r->group = ke->v2_id;
	if (!m->has_ke || m->ke.group != ke->v2_id)
		return N_INVALID_KE_PAYLOAD;
	return m->ke.data.len == ke->public_len ? 0 : N_INVALID_SYNTAX;
}

/* Would all of it fit but for the group? Then the log says so (M28, M29). */
static void say_pfs(const struct ike_content *m, const struct tunnel *t, struct effects *fx)
{
	const struct alg_ke *theirs = m->has_ke ? alg_ke_by_id(m->ke.group) : NULL;
	struct child_choice choice = { 0 };

	if (theirs == t->conf.pfs ||
	    child_proposal_choose(m->sa, &t->conf, theirs, &choice) != ERR_OK)
		return;
	fx_event(fx, EVENT_IKE_PFS_MISMATCH, "vpn %s: ours is %s, the peer's %s", t->conf.vpn,
	         t->conf.pfs ? t->conf.pfs->name : "none", theirs ? theirs->name : "none");
}

static uint16_t judge_child(struct ike_sa *sa, const struct ike_content *m, struct creation *cr,
                            struct refusal *r, struct effects *fx)
{
	uint16_t notify = cr->kind == CREATE_REKEY ? find_old(sa, m, cr, r) : 0;
	struct tunnel *only =
	        cr->kind == CREATE_REKEY ? ike_tunnel_by_index(sa->ike, cr->tunnel) : NULL;

	if (notify)
		return notify;
	if (!m->has_ts)
		return N_INVALID_SYNTAX;
	struct fit f = ex_child_fit(sa, m, only);
	if (f.score == 0) {
		ex_child_say_no_ts(sa, fx);
		return N_TS_UNACCEPTABLE;
	}
	if (!has_room(sa, f.t->conf.index))
		return N_NO_ADDITIONAL_SAS;
	if (!ike_guard_rate(sa, IKE_RATE_IPSEC_REKEY, f.t->conf.index, fx))
		return N_TEMPORARY_FAILURE;
	cr->ke = f.t->conf.pfs;
	if (child_proposal_choose(m->sa, ike_tunnel_conf(sa, f.t), cr->ke, &cr->choice) != ERR_OK) {
		ex_child_say_no_proposal(sa, m->sa, f.t, cr->ke, fx);
		say_pfs(m, f.t, fx);
		return N_NO_PROPOSAL_CHOSEN;
	}
	cr->tunnel = f.t->conf.index;
	cr->local = f.local;
	cr->remote = f.remote;
	return judge_ke(m, cr->ke, r);
}

static uint16_t judge_ike(struct ike_sa *sa, const struct ike_content *m, struct creation *cr,
                          struct refusal *r, struct effects *fx)
{
	struct ike_look look = { &sa->gw->conf, m->has_ke ? m->ke.group : 0, true };
	char lists[PROPOSAL_TEXT_MAX];

	if (!ike_guard_rate(sa, IKE_RATE_IKE_REKEY, 0, fx))
		return N_TEMPORARY_FAILURE;
	if (ike_proposal_choose(m->sa, &look, &cr->ike) != ERR_OK) {
		sa->ike->stats.no_proposal++;
		fx_event(fx, EVENT_IKE_NO_PROPOSAL_CHOSEN, "IKE SA, gateway %s: %s",
		         sa->gw->conf.name, ike_proposal_text(m->sa, &sa->gw->conf, lists));
		return N_NO_PROPOSAL_CHOSEN;
	}
	cr->ke = cr->ike.suite.ke;
	memcpy(cr->spi_i, cr->ike.spi, 8);
	return judge_ke(m, cr->ke, r);
}

static uint16_t judge(struct ike_sa *sa, const struct ike_content *m, struct creation *cr,
                      struct refusal *r, struct effects *fx)
{
	cr->kind = kind_of(m);
	uint16_t notify = collides(sa, cr->kind);

	if (notify)
		return notify;
	if (sa->gw == NULL) /* it vanished from the configuration */
		return N_NO_ADDITIONAL_SAS;
	return cr->kind == CREATE_REKEY_IKE ? judge_ike(sa, m, cr, r, fx)
	                                    : judge_child(sa, m, cr, r, fx);
}

/* ---- answering ------------------------------------------------------------------------------- */

/* What an answer needs of its request, for one that was kept. */
static struct ike_in in_of(const struct creation *cr)
{
	struct ike_in in = { .local = cr->asked_local, .remote = cr->asked_remote };

	in.h.id = cr->asked_id;
	in.h.exchange = EX_CREATE_CHILD_SA;
	return in;
}

static enum err answer_child(struct ike_sa *sa, struct creation *cr, const struct dh_job *j,
                             struct effects *fx)
{
	struct ike_in in = in_of(cr);
	struct child_sa *c;
	struct ike_out o;

	cr->spi_in = ex_child_new_spi(sa);
	enum err e = ex_child_make(sa, cr, j ? secret_view(j->secret) : nothing, &c);
	if (e != ERR_OK) {
		ex_child_say_failed(sa, e, fx);
		return refuse(sa, &in, &(struct refusal){ .notify = N_NO_ADDITIONAL_SAS }, fx);
	}
	ike_rekey_child_answered(sa, cr, c, fx);
	ike_sa_out(sa, &o, EX_CREATE_CHILD_SA, true);
	ike_out_open(&o, PL_SA);
	child_proposal_answer(&o.w, &cr->choice, cr->spi_in);
	ike_out_close(&o);
	ex_child_put_nonce(&o, &cr->nonce_r);
	if (cr->ke)
		ex_child_put_ke(&o, cr->ke, j->public);
	ex_child_put_ts(&o, cr);
	return ike_sa_answer(sa, &in, ike_sa_seal(sa, &o, true), sa->anchor, fx);
}

static enum err answer_ike(struct ike_sa *sa, struct creation *cr, const struct dh_job *j,
                           struct effects *fx)
{
	struct ike_in in = in_of(cr);
	struct ike_sa *next;
	struct ike_out o;

	do {
		anchor_new_ike_spi(sa->ike->env, sa->anchor, cr->spi_r);
	} while (ike_by_spi(sa->ike, cr->spi_r) != NULL);
	if (ike_rekey_make(sa, cr, secret_view(j->secret), &next, fx) != ERR_OK)
		return refuse(sa, &in, &(struct refusal){ .notify = N_TEMPORARY_FAILURE }, fx);
	ike_sa_out(sa, &o, EX_CREATE_CHILD_SA, true);
	ike_out_open(&o, PL_SA);
	ike_proposal_answer(&o.w, &cr->ike, cr->spi_r);
	ike_out_close(&o);
	ex_child_put_nonce(&o, &cr->nonce_r);
	ex_child_put_ke(&o, cr->ke, j->public);
	enum err e = ike_sa_answer(sa, &in, ike_sa_seal(sa, &o, true), -1, fx);
	ike_rekey_answered(sa, cr, next, fx);
	return e;
}

static enum err start_job(struct ike_sa *sa, struct creation *cr, const struct ike_in *in,
                          struct effects *fx)
{
	AUTO(dh_job_free)
	struct dh_job *j = dh_job_new(cr->ke, ike_sa_our_spi(sa), sa->job_turn + 1);

	if (j == NULL)
		return ERR_MEMORY;
	TRY(dh_job_peer(j, in->c.ke.data));
	cr->turn = ++sa->job_turn;
	struct dh_job *ready = STEAL(j);
	fx_job(fx, &ready->job);
	return ERR_OK;
}

/* Takes it up: at once, or when the pool has done its part. */
static enum err take_up(struct ike_sa *sa, struct creation *cr, const struct ike_in *in,
                        struct effects *fx)
{
	cr->asked_local = in->local;
	cr->asked_remote = in->remote;
	cr->asked_id = in->h.id;
	TRY(blob_set(&cr->nonce_i, in->c.nonce));
	TRY(ex_child_new_nonce(sa->ike, &cr->nonce_r));
	if (cr->ke == NULL)
		return answer_child(sa, cr, NULL, fx);
	TRY(start_job(sa, cr, in, fx));
	sa->answering = cr;
	return ERR_OK;
}

enum err ex_child_request(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	const struct ike_in *in = arg;
	struct creation *cr = calloc(1, sizeof(*cr));
	struct refusal r = { 0 };

	if (cr == NULL)
		return ERR_MEMORY;
	r.notify = judge(sa, &in->c, cr, &r, fx);
	enum err e;
	if (r.notify) {
		e = refuse(sa, in, &r, fx);
	} else {
		e = take_up(sa, cr, in, fx);
	}
	if (sa->answering != cr)
		creation_free(sa->ike, cr);
	return e;
}

/* Is what was judged before the job ran still so? */
static uint16_t judge_again(struct ike_sa *sa, const struct creation *cr)
{
	const struct child_sa *old = child_sa_by_spi_in(sa, cr->spi_old);
	uint16_t notify = collides(sa, cr->kind);

	if (notify || cr->kind != CREATE_REKEY)
		return notify;
	return old && child_sa_alive(old) ? 0 : N_TEMPORARY_FAILURE;
}

void ex_child_answer_job(struct ike_sa *sa, struct dh_job *j, struct effects *fx)
{
	struct creation *cr = STEAL(sa->answering);

	ike_window_work(&sa->win, cr->asked_id);
	struct refusal r = { .notify = judge_again(sa, cr) };
	struct ike_in in = in_of(cr);

	if (j->result != ERR_OK) /* RFC 6989: the peer's value is none */
		r.notify = N_INVALID_SYNTAX;
	if (r.notify)
		(void)!refuse(sa, &in, &r, fx);
	else if (cr->kind == CREATE_REKEY_IKE)
		(void)!answer_ike(sa, cr, j, fx);
	else
		(void)!answer_child(sa, cr, j, fx);
	creation_free(sa->ike, cr);
}

/* ---- receiving ------------------------------------------------------------------------------- */

void ex_child_receive(struct ike_sa *sa, struct ike_in *in, struct effects *fx)
{
	enum ike_event ev = EV_CHILD_REQUEST;

	if (in->h.flags & IKE_FLAG_RESPONSE) {
		ex_child_reply(sa, in, fx);
		return;
	}
	if (sa->answering && sa->answering->asked_id == in->h.id)
		return; /* asked again while the pool is at work on it */
	if (in->error == ERR_UNSUPPORTED)
		ev = EV_NOT_UNDERSTOOD;
	else if (in->error != ERR_OK)
		ev = EV_BAD_REQUEST;
	(void)!ike_step(sa, ev, in, fx);
}
