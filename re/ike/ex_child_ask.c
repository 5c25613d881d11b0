// SPDX-License-Identifier: BSD-2-Clause
/* CREATE_CHILD_SA as we ask for it: the life of a creation of ours.
 *
 *   IDLE -- with a Diffie-Hellman --> KEYGEN <-- other group --+
 *    | without                          | key pair             |
 *    +------------------------------> READY -- window --> SENT-+-- refused, unusable --> DONE
 *                                                          | answer
 *                                                          +-- without --> DONE
 *                                                        DERIVING -- secret --> DONE
 *
 * The request stays pending, though it is not repeated, until its SA is made: a process that dies
 * before asks again, and gets the same answer. */
#include "ex_child.h"
#include "anchor.h"
#include "ike_priv.h"
#include "secret.h"

#include <stdlib.h>

enum { RESTARTS_MAX = 5 };

static const struct view nothing = { NULL, 0 };

bool ex_child_asking(const struct ike_sa *sa)
{
	return sa->create && sa->create->asked;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static enum err make_key(struct ike_sa *sa, struct creation *cr, const void *arg,
                         struct effects *fx)
{
	struct dh_job *j = dh_job_new(cr->ke, ike_sa_our_spi(sa), sa->job_turn + 1);

	(void)arg;
	if (j == NULL)
		return ERR_MEMORY;
	cr->turn = ++sa->job_turn;
	fx_job(fx, &j->job);
	return ERR_OK;
}

static enum err go_on(struct ike_sa *sa, struct creation *cr, const void *arg, struct effects *fx)
{
	(void)sa;
	(void)cr;
	(void)arg;
	(void)fx;
	return ERR_OK;
}

static enum err take_key(struct ike_sa *sa, struct creation *cr, const void *arg,
                         struct effects *fx)
{
	struct dh_job *j = (struct dh_job *)(uintptr_t)arg;

	(void)sa;
	(void)fx;
	dh_key_free(cr->dh);
	cr->dh = STEAL(j->key);
	return ERR_OK;
}

static enum err put_child(struct ike_sa *sa, struct creation *cr, struct ike_out *o)
{
	const struct child_sa *old = child_sa_by_spi_in(sa, cr->spi_old);
	const struct tunnel *t = ike_tunnel_by_index(sa->ike, cr->tunnel);
	uint8_t spi[4];
	struct writer w = wr_of(spi, sizeof(spi));
	struct payload_notify rekey = { 0, N_REKEY_SA, { spi, 4 }, nothing };

	if (t == NULL || (cr->kind == CREATE_REKEY && (!old || old->state != CHILD_UP)))
		return ERR_NOT_FOUND; /* it has become pointless while it waited */
	const struct ike_conf_tunnel *conf = ike_tunnel_conf(sa, t);
	if (conf->proposals == 0)
		return ERR_UNSUPPORTED;
	if (old) {
		wr_u32(&w, old->spi_in);
		rekey.protocol = old->protocol;
		ike_out_open(o, PL_NOTIFY); /* 1.3.3 */
		payload_notify_write(&o->w, &rekey);
		ike_out_close(o);
	}
	ike_out_open(o, PL_SA);
	child_proposal_offer(&o->w, conf, cr->ke, cr->spi_in);
	ike_out_close(o);
	return ERR_OK;
}

static void put_ike(struct ike_sa *sa, struct creation *cr, struct ike_out *o)
{
	ike_out_open(o, PL_SA);
	ike_proposal_offer(&o->w, &sa->gw->conf, cr->spi_i);
	ike_out_close(o);
}

static enum err ask(struct ike_sa *sa, struct creation *cr, const void *arg, struct effects *fx)
{
	struct ike_out o;

	(void)arg;
	ike_sa_out(sa, &o, EX_CREATE_CHILD_SA, false);
	if (cr->kind == CREATE_REKEY_IKE)
		put_ike(sa, cr, &o);
	else
		TRY(put_child(sa, cr, &o));
	ex_child_put_nonce(&o, &cr->nonce_i);
	if (cr->ke)
		ex_child_put_ke(&o, cr->ke, dh_key_public(cr->dh));
	if (cr->kind != CREATE_REKEY_IKE)
		ex_child_put_ts(&o, cr);
	cr->asked = true; /* as the record is to say */
	return ike_sa_ask(sa, ike_sa_seal(sa, &o, false), &retry_normal, fx);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static enum err derive(struct ike_sa *sa, struct creation *cr, const void *arg, struct effects *fx)
{
	const struct ike_in *in = arg;
	AUTO(dh_job_free)
	struct dh_job *j = dh_job_new(cr->ke, ike_sa_our_spi(sa), sa->job_turn + 1);

	if (j == NULL)
		return ERR_MEMORY;
	TRY(dh_job_peer(j, in->c.ke.data));
	TRY(blob_set(&cr->nonce_r, in->c.nonce));
	j->key = dh_key_share(cr->ke, cr->dh); /* a record that is put meanwhile has it, too */
	if (j->key == NULL)
		return ERR_MEMORY;
	cr->turn = ++sa->job_turn;
	sa->win.retry_ms = UINT64_MAX; /* it is answered; see above */
	struct dh_job *ready = STEAL(j);
	fx_job(fx, &ready->job);
	return ERR_OK;
}

static enum err made_child(struct ike_sa *sa, struct creation *cr, struct view secret,
                           struct effects *fx)
{
	struct child_sa *c;

	enum err e = ex_child_make(sa, cr, secret, &c);
	if (e != ERR_OK) {
		sa->stray_spi = cr->spi_in;
		ike_rekey_failed(sa, cr, err_text(e), fx);
		return e;
	}
	ike_rekey_child_made(sa, cr, c, fx);
	ike_sa_put(sa, fx);
	return ERR_OK;
}

static enum err finish_plain(struct ike_sa *sa, struct creation *cr, const void *arg,
                             struct effects *fx)
{
	const struct ike_in *in = arg;

	ike_window_answered(&sa->win);
	TRY(blob_set(&cr->nonce_r, in->c.nonce));
	return made_child(sa, cr, nothing, fx);
}

static enum err finish(struct ike_sa *sa, struct creation *cr, const void *arg, struct effects *fx)
{
	const struct dh_job *j = arg;
	struct ike_sa *next;

	ike_window_answered(&sa->win);
	if (cr->kind != CREATE_REKEY_IKE)
		return made_child(sa, cr, secret_view(j->secret), fx);
	TRY(ike_rekey_make(sa, cr, secret_view(j->secret), &next, fx));
	ike_rekey_made(sa, cr, next, fx);
	return ERR_OK;
}

static enum err other_group(struct ike_sa *sa, struct creation *cr, const void *arg,
                            struct effects *fx)
{
	const struct ike_in *in = arg;
	struct reader r = rd_of_view(ike_content_notify(&in->c, N_INVALID_KE_PAYLOAD)->data);

	ike_window_answered(&sa->win);
	cr->ke = ike_proposal_ke(&sa->gw->conf, rd_u16(&r));
	cr->restarts++;
	cr->asked = false;
	TRY(ex_child_new_nonce(sa->ike, &cr->nonce_i));
	return make_key(sa, cr, arg, fx);
}

/* RFC 7296 2.25: the child is not there any more at the peer's. */
static void forget_old(struct ike_sa *sa, const struct creation *cr, struct effects *fx)
{
	struct child_sa *old = child_sa_by_spi_in(sa, cr->spi_old);

	if (old)
		(void)child_step(old, CHILD_EV_END, fx);
}

static enum err refused(struct ike_sa *sa, struct creation *cr, const void *arg, struct effects *fx)
{
	const struct ike_in *in = arg;
	uint16_t type = ike_content_error(&in->c)->type;
	char what[32];

	ike_window_answered(&sa->win);
	if (ike_rekey_yield(sa, cr, fx)) /* the peer's own has taken over: nothing is amiss */
		return ERR_OK;
	ex_child_say_refused(sa, type, fx);
	if (type == N_CHILD_SA_NOT_FOUND && cr->kind == CREATE_REKEY) {
		forget_old(sa, cr, fx);
		return ERR_OK;
	}
	sa->no_more |= type == N_NO_ADDITIONAL_SAS;
	ike_rekey_failed(sa, cr, notify_text(type, what), fx);
	return ERR_OK;
}

/* The peer believes in an SA that we cannot have: a child we delete; an IKE SA that it may have
 * moved everything to cannot even be spoken to. */
static enum err unusable(struct ike_sa *sa, struct creation *cr, const void *arg,
                         struct effects *fx)
{
	(void)arg;
	ike_window_answered(&sa->win);
	if (cr->kind == CREATE_REKEY_IKE)
		sa->wish_delete = true;
	else
		sa->stray_spi = cr->spi_in;
	ike_rekey_failed(sa, cr, "the answer is none that we asked for", fx);
	return ERR_OK;
}

static enum err no_key(struct ike_sa *sa, struct creation *cr, const void *arg, struct effects *fx)
{
	(void)arg;
	ike_rekey_failed(sa, cr, "no key pair", fx);
	return ERR_OK;
}

/* clang-format off */
const struct create_step create_steps[CREATE_STATES][CREATE_EVENTS] = {
	/*                                                action        worked           failed           RFC 7296 */
	[CREATE_IDLE]     = { [CREATE_EV_BEGIN]       = { make_key,     CREATE_KEYGEN,   CREATE_DONE },
	                      [CREATE_EV_BEGIN_PLAIN] = { go_on,        CREATE_READY,    CREATE_DONE } },

	[CREATE_KEYGEN]   = { [CREATE_EV_KEY]         = { take_key,     CREATE_READY,    CREATE_DONE },
	                      [CREATE_EV_JOB_FAILED]  = { no_key,       CREATE_DONE,     CREATE_DONE } },

	[CREATE_READY]    = { [CREATE_EV_WINDOW]      = { ask,          CREATE_SENT,     CREATE_DONE } },      /* 1.3, 2.3 */

	[CREATE_SENT]     = { [CREATE_EV_REPLY]       = { derive,       CREATE_DERIVING, CREATE_DONE },
	                      [CREATE_EV_REPLY_PLAIN] = { finish_plain, CREATE_DONE,     CREATE_DONE },        /* 2.17 */
	                      [CREATE_EV_WRONG_KE]    = { other_group,  CREATE_KEYGEN,   CREATE_DONE },        /* 1.3 */
	                      [CREATE_EV_REFUSED]     = { refused,      CREATE_DONE,     CREATE_DONE },        /* 2.25 */
	                      [CREATE_EV_UNUSABLE]    = { unusable,     CREATE_DONE,     CREATE_DONE } },

	[CREATE_DERIVING] = { [CREATE_EV_SECRET]      = { finish,       CREATE_DONE,     CREATE_DONE },        /* 2.18 */
	                      [CREATE_EV_JOB_FAILED]  = { unusable,     CREATE_DONE,     CREATE_DONE } },      /* RFC 6989 */
};
/* clang-format on */

static void free_creation(struct ike_sa *sa, struct effects *fx)
{
	struct creation *cr = STEAL(sa->create);
	struct tunnel *t = ike_tunnel_by_index(sa->ike, cr->tunnel);

	if (cr->kind == CREATE_NEW && t && t->negotiating) /* 0: the tunnel was made anew */
		t->negotiating--;
	creation_free(sa->ike, cr);
	if (sa->state != IKE_GONE && sa->state != IKE_ENDED)
		ike_sa_put(sa, fx); /* without it */
}

static void create_step(struct ike_sa *sa, enum create_event ev, const void *arg,
                        struct effects *fx)
{
	struct creation *cr = sa->create;
	const struct create_step *s = &create_steps[cr->state][ev];

	if (s->action == NULL) {
		sa->unexpected++;
		sa->ike->stats.unexpected++;
		return;
	}
	enum err e = s->action(sa, cr, arg, fx);
	cr->state = e ? s->failed : s->worked;
	if (cr->state == CREATE_DONE)
		free_creation(sa, fx);
}

/* ---- over a restart -------------------------------------------------------------------------- */

void ex_child_restore(struct creation *cr)
{
	cr->state = CREATE_SENT;
	cr->asked = true;
}

static enum err hang_offer(struct ike_sa *sa, struct creation *cr)
{
	struct view key = { (const uint8_t *)&cr->spi_in, sizeof(cr->spi_in) };

	return hash_put(&sa->ike->by_offer, &cr->by_offer, key);
}

void ex_child_rehang(struct ike_sa *sa)
{
	struct creation *cr = sa->create;
	struct tunnel *t = cr ? ike_tunnel_by_index(sa->ike, cr->tunnel) : NULL;

	if (cr && cr->kind != CREATE_REKEY_IKE)
		(void)!hang_offer(sa, cr);
	if (t && cr->kind == CREATE_NEW)
		t->negotiating++;
}

/* ---- beginning ------------------------------------------------------------------------------- */

static enum err prepare_child(struct ike_sa *sa, struct creation *cr, const struct tunnel *t)
{
	cr->tunnel = t->conf.index;
	cr->ke = t->conf.pfs;
	cr->spi_in = ex_child_new_spi(sa);
	cr->local.n = t->conf.locals;
	memcpy(cr->local.at, t->conf.local, sizeof(cr->local.at));
	cr->remote.n = t->conf.remotes;
	memcpy(cr->remote.at, t->conf.remote, sizeof(cr->remote.at));
	return hang_offer(sa, cr);
}

static void prepare_ike(struct ike_sa *sa, struct creation *cr)
{
	/* The group that was agreed before is the best guess, if it is still allowed. */
	cr->ke = ike_proposal_ke(&sa->gw->conf, sa->ke->v2_id);
	if (cr->ke == NULL)
		cr->ke = sa->gw->conf.proposal[0].ke[0];
	do {
		anchor_new_ike_spi(sa->ike->env, sa->anchor, cr->spi_i);
	} while (ike_by_spi(sa->ike, cr->spi_i) != NULL);
}

/* t, old: of a child; NULL: the IKE SA, a child that takes over from none. */
static void begin(struct ike_sa *sa, struct tunnel *t, struct child_sa *old, struct effects *fx)
{
	struct creation *cr = calloc(1, sizeof(*cr));

	if (cr == NULL)
		return;
	sa->create = cr;
	cr->initiator = true;
	cr->kind = t == NULL ? CREATE_REKEY_IKE : old ? CREATE_REKEY : CREATE_NEW;
	cr->spi_old = old ? old->spi_in : 0;
	if (cr->kind == CREATE_NEW)
		t->negotiating++;
	enum err e = ex_child_new_nonce(sa->ike, &cr->nonce_i);
	if (t && e == ERR_OK)
		e = prepare_child(sa, cr, t);
	else
		prepare_ike(sa, cr);
	if (e == ERR_OK)
		create_step(sa, cr->ke ? CREATE_EV_BEGIN : CREATE_EV_BEGIN_PLAIN, NULL, fx);
	else
		free_creation(sa, fx);
}

static void begin_child(struct ike_sa *sa, struct effects *fx)
{
	struct list *at;

	list_each (at, &sa->children) {
		struct child_sa *c = child_sa_at(at);
		struct tunnel *t = ike_tunnel_by_index(sa->ike, c->tunnel);

		if (!c->wish_rekey || t == NULL)
			continue;
		c->wish_rekey = false;
		begin(sa, t, c, fx);
		return;
	}
	if (sa->gw == NULL || sa->no_more)
		return;
	list_each (at, &sa->gw->tunnels) {
		struct tunnel *t = CONTAINER_OF(at, struct tunnel, of_gateway);

		if (!ike_tunnel_asks(t, sa))
			continue;
		begin(sa, t, NULL, fx);
		return;
	}
}

void ex_child_pump(struct ike_sa *sa, struct effects *fx)
{
	if (sa->create == NULL && sa->wish_rekey && sa->gw) {
		sa->wish_rekey = false;
		begin(sa, NULL, NULL, fx);
	}
	if (sa->create == NULL)
		begin_child(sa, fx);
	if (sa->create && sa->create->state == CREATE_READY)
		create_step(sa, CREATE_EV_WINDOW, NULL, fx);
}

void ex_child_abandon(struct ike_sa *sa, struct effects *fx)
{
	struct tunnel *t;

	creation_free(sa->ike, STEAL(sa->answering));
	if (sa->create == NULL)
		return;
	t = sa->create->kind == CREATE_NEW ? ike_tunnel_by_index(sa->ike, sa->create->tunnel)
	                                   : NULL;
	free_creation(sa, fx);
	if (t)
		ike_due_at(sa->ike, &t->due, ike_sa_now(sa));
}

/* ---- receiving ------------------------------------------------------------------------------- */

static enum err check_ike(const struct ike_sa *sa, struct creation *cr, const struct ike_in *in)
{
	struct ike_look look = { &sa->gw->conf, cr->ke->v2_id, true };

	TRY(ike_proposal_accept(in->c.sa, &look, &cr->ike));
	if (cr->ike.suite.ke != cr->ke)
		return ERR_NO_PROPOSAL;
	memcpy(cr->spi_r, cr->ike.spi, 8);
	return ERR_OK;
}

/* SA, KE and selectors of the answer against what we asked. */
static enum err check_reply(struct ike_sa *sa, struct creation *cr, const struct ike_in *in)
{
	if (in->error != ERR_OK || sa->gw == NULL)
		return ERR_SYNTAX;
	if (cr->kind == CREATE_REKEY_IKE)
		TRY(check_ike(sa, cr, in));
	else
		TRY(ex_child_read_answer(sa, in, ike_tunnel_by_index(sa->ike, cr->tunnel), cr));
	if (cr->ke == NULL)
		return ERR_OK;
	if (!in->c.has_ke || in->c.ke.group != cr->ke->v2_id)
		return ERR_NO_PROPOSAL;
	return in->c.ke.data.len == cr->ke->public_len ? ERR_OK : ERR_LENGTH;
}

/* The peer names another group, and we may take it. */
static bool has_other_group(const struct ike_sa *sa, const struct creation *cr,
                            const struct ike_in *in)
{
	const struct payload_notify *n = ike_content_notify(&in->c, N_INVALID_KE_PAYLOAD);
	struct reader r = rd_of_view(n ? n->data : nothing);
	uint16_t group = rd_u16(&r);

	if (n == NULL || !rd_done(&r) || cr->kind != CREATE_REKEY_IKE || sa->gw == NULL ||
	    cr->restarts >= RESTARTS_MAX)
		return false;
	const struct alg_ke *ke = ike_proposal_ke(&sa->gw->conf, group);
	return ke && ke != cr->ke;
}

static enum create_event classify(struct ike_sa *sa, const struct ike_in *in)
{
	struct creation *cr = sa->create;

	if (in->error == ERR_OK && has_other_group(sa, cr, in))
		return CREATE_EV_WRONG_KE;
	if (in->error == ERR_OK && ike_content_error(&in->c))
		return CREATE_EV_REFUSED;
	if (check_reply(sa, cr, in) != ERR_OK)
		return CREATE_EV_UNUSABLE;
	return cr->ke ? CREATE_EV_REPLY : CREATE_EV_REPLY_PLAIN;
}

void ex_child_peer_deleted(struct ike_sa *sa, uint32_t spi)
{
	struct creation *cr = sa->create;

	if (ex_child_asking(sa) && cr->peer_deleted_n < PEER_DELETED_MAX)
		cr->peer_deleted[cr->peer_deleted_n++] = spi;
}

void ex_child_reply(struct ike_sa *sa, struct ike_in *in, struct effects *fx)
{
	if (sa->create && sa->create->state == CREATE_SENT)
		create_step(sa, classify(sa, in), in, fx);
	/* else it came twice */
}

void ex_child_job(struct ike_sa *sa, struct dh_job *j, struct effects *fx)
{
	if (sa->answering && sa->answering->turn == j->turn)
		ex_child_answer_job(sa, j, fx);
	else if (sa->create && sa->create->turn == j->turn)
		create_step(sa,
		            j->result != ERR_OK ? CREATE_EV_JOB_FAILED
		            : j->peer_len == 0  ? CREATE_EV_KEY
		                                : CREATE_EV_SECRET,
		            j, fx);
}

/* ---- names ----------------------------------------------------------------------------------- */

static const char *const state_texts[CREATE_STATES] = {
	"idle", "keygen", "ready", "sent", "deriving", "done",
};

const char *create_state_text(enum create_state state)
{
	return state_texts[state];
}

static const char *const event_texts[CREATE_EVENTS] = {
	"begin",    "begin-plain", "key",      "window", "reply",      "reply-plain",
	"wrong-ke", "refused",     "unusable", "secret", "job-failed",
};

const char *create_event_text(enum create_event ev)
{
	return event_texts[ev];
}
