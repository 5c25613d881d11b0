// SPDX-License-Identifier: BSD-2-Clause
/* IKE_SA_INIT (RFC 7296 1.2, 2.6, 2.7, 2.23), in the clear: both ends agree on algorithms, exchange
 * nonces and Diffie-Hellman values, and find out about NATs. Nothing in it is authentic until
 * IKE_AUTH holds, so an initiator takes an error for a hint, and a responder keeps no more state
 * than ike_guard.c allows. */
#include "anchor.h"
#include "ike_ppk.h"
#include "ike_priv.h"

enum { RESTARTS_MAX = 5, COOKIE_MAX = 64 };

/* ---- writing --------------------------------------------------------------------------------- */

static void put_ke(struct ike_sa *sa, struct ike_out *o, const uint8_t *value)
{
	struct payload_ke ke = { sa->ke->v2_id, { value, sa->ke->public_len } };

	ike_out_open(o, PL_KE);
	payload_ke_write(&o->w, &ke);
	ike_out_close(o);
}

static void put_nonce(struct ike_out *o, const struct blob *nonce)
{
	ike_out_open(o, PL_NONCE);
	payload_nonce_write(&o->w, blob_view(nonce));
	ike_out_close(o);
}

/* Where UDP encapsulation is forced, our source is one that cannot be right: the peer then believes
 * that we are behind a NAT (as strongSwan's `encap = yes` does). */
static enum err put_natd(struct ike_sa *sa, struct ike_out *o, const struct ike_header *h)
{
	static const struct endpoint nowhere = { .addr = { .family = ADDR_V4 } };

	if (sa->gw->conf.no_nat_traversal)
		return ERR_OK;
	return ike_natd_put(sa->ike->crypto, h,
	                    sa->gw->conf.force_udp_encap ? &nowhere : &sa->local, &sa->remote, o);
}

/* RFC 7383 2.3 */
static void put_fragmentation(struct ike_out *o)
{
	ike_out_notify(o, N_IKEV2_FRAGMENTATION_SUPPORTED, (struct view){ NULL, 0 });
}

static bool fragmentation_agreed(const struct gateway *gw, const struct ike_in *in)
{
	return !gw->conf.no_fragmentation &&
	       ike_content_notify(&in->c, N_IKEV2_FRAGMENTATION_SUPPORTED) != NULL;
}

static enum err new_nonce(struct ike *ike, struct blob *nonce)
{
	uint8_t bytes[NONCE_OURS];

	ike->env->random(ike->env, bytes, sizeof(bytes));
	return blob_set(nonce, (struct view){ bytes, sizeof(bytes) });
}

/* ---- the initiator --------------------------------------------------------------------------- */

static enum err start_keygen(struct ike_sa *sa, const struct alg_ke *ke, struct effects *fx)
{
	struct dh_job *j = dh_job_new(ke, ike_sa_our_spi(sa), sa->job_turn + 1);

	if (j == NULL)
		return ERR_MEMORY;
	fx_job(fx, &j->job);
	sa->job_turn++;
	sa->ke = ke;
	return ERR_OK;
}

enum err ex_init_start(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	(void)arg;
	TRY(new_nonce(sa->ike, &sa->nonce_i));
	return start_keygen(sa, sa->gw->conf.proposal[0].ke[0], fx);
}

/* Builds the request with what is known by now, and sends it with message ID 0. */
static enum err send_request(struct ike_sa *sa, struct effects *fx)
{
	struct ike_out o;

	sa->win.next_request = 0;
	struct ike_header h = ike_sa_header(sa, EX_IKE_SA_INIT, false);
	ike_out_begin(&o, &h);
	if (sa->cookie.len)
		ike_out_notify(&o, N_COOKIE, blob_view(&sa->cookie)); /* first: 2.6 */
	ike_out_open(&o, PL_SA);
	ike_proposal_offer(&o.w, &sa->gw->conf, NULL);
	ike_out_close(&o);
	put_ke(sa, &o, dh_key_public(sa->dh));
	put_nonce(&o, &sa->nonce_i);
	TRY(put_natd(sa, &o, &h));
	if (!sa->gw->conf.no_fragmentation)
		put_fragmentation(&o);
	if (ike_ppk_has(sa->gw))
		ike_ppk_announce(&o);
	struct view message = ike_out_finish(&o);
	TRY(blob_set(&sa->init_request, message));
	return ike_sa_ask(sa, message, &retry_normal, fx);
}

enum err ex_init_send(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	struct dh_job *j = (struct dh_job *)(uintptr_t)arg;

	dh_key_free(sa->dh);
	sa->dh = STEAL(j->key);
	return send_request(sa, fx);
}

enum err ex_init_cookie(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	const struct ike_in *in = arg;
	struct view cookie = ike_content_notify(&in->c, N_COOKIE)->data;

	if (cookie.len == 0 || cookie.len > COOKIE_MAX || sa->restarts >= RESTARTS_MAX)
		return ERR_LENGTH;
	TRY(blob_set(&sa->cookie, cookie));
	sa->restarts++;
	sa->ike->stats.cookies++;
	return send_request(sa, fx);
}

enum err ex_init_other_group(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	const struct ike_in *in = arg;
	struct reader r = rd_of_view(ike_content_notify(&in->c, N_INVALID_KE_PAYLOAD)->data);
	const struct alg_ke *ke = ike_proposal_ke(&sa->gw->conf, rd_u16(&r));

	if (!rd_done(&r) || ke == NULL || ke == sa->ke || sa->restarts >= RESTARTS_MAX)
		return ERR_VALUE;
	TRY(start_keygen(sa, ke, fx));
	ike_window_answered(&sa->win);
	sa->restarts++;
	return ERR_OK;
}

/* RFC 7296 2.21.1: it may be forged. Say it, ask once more at the usual time, then give up. */
enum err ex_init_note_refusal(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	const struct ike_in *in = arg;
	char to[ENDPOINT_TEXT_MAX], what[32];
	uint8_t last = (uint8_t)(sa->win.sent + 1);

	fx_event(fx, EVENT_IKE_PEER_REFUSED, "gateway %s peer %s: %s", sa->gw->conf.name,
	         endpoint_text(&sa->remote, to),
	         notify_text(ike_content_error(&in->c)->type, what));
	if (last < sa->win.policy.sends)
		sa->win.policy.sends = last;
	return ERR_OK;
}

/* SA and KE of the answer against what we asked (2.7, 3.4). */
static enum err check_reply(const struct ike_sa *sa, const struct ike_in *in,
                            struct ike_choice *ret)
{
	struct ike_look look = { &sa->gw->conf, sa->ke->v2_id, false };

	TRY(ike_proposal_accept(in->c.sa, &look, ret));
	if (ret->suite.ke != sa->ke || in->c.ke.group != sa->ke->v2_id)
		return ERR_NO_PROPOSAL;
	return in->c.ke.data.len == sa->ke->public_len ? ERR_OK : ERR_LENGTH;
}

void ex_init_float(struct ike_sa *sa)
{
	sa->udp_encap = sa->natd.seen &&
	                (sa->natd.local || sa->natd.remote || sa->gw->conf.force_udp_encap);
	if (sa->udp_encap && sa->local.port == 500) {
		sa->local.port = 4500;
		sa->remote.port = 4500;
	}
}

/* RFC 8784 3. The answer may be forged: then the peer's own comes as well. */
static enum err agree_on_ppk(struct ike_sa *sa, const struct ike_in *in, struct effects *fx)
{
	char to[ENDPOINT_TEXT_MAX];

	sa->ppk_agreed = ike_ppk_has(sa->gw) && ike_ppk_announced(in);
	if (sa->ppk_agreed || !sa->gw->conf.ppk_required)
		return ERR_OK;
	fx_event(fx, EVENT_IKE_PPK_REFUSED, "gateway %s peer %s: it has none", sa->gw->conf.name,
	         endpoint_text(&sa->remote, to));
	return ERR_AUTH;
}

enum err ex_init_derive(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	const struct ike_in *in = arg;
	const struct endpoint at[2] = { in->local, in->remote };
	AUTO(dh_job_free) struct dh_job *j = NULL;
	struct ike_choice choice;
	struct ike_natd natd = { 0 };

	TRY(check_reply(sa, in, &choice));
	TRY(agree_on_ppk(sa, in, fx));
	if (!sa->gw->conf.no_nat_traversal)
		TRY(ike_natd_check(sa->ike->crypto, &in->h, &in->c, at, &natd));
	j = dh_job_new(sa->ke, ike_sa_our_spi(sa), sa->job_turn + 1);
	if (j == NULL)
		return ERR_MEMORY;
	TRY(dh_job_peer(j, in->c.ke.data));
	TRY(blob_set(&sa->init_response, in->message));
	TRY(blob_set(&sa->nonce_r, in->c.nonce));
	memcpy(sa->spi_r, in->h.spi_r, 8);
	sa->choice = choice;
	sa->natd = natd;
	sa->fragmentation = fragmentation_agreed(sa->gw, in);
	j->key = STEAL(sa->dh);
	sa->job_turn++;
	struct dh_job *ready = STEAL(j);
	fx_job(fx, &ready->job);
	return ERR_OK;
}

enum err ex_init_take_key_back(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	struct dh_job *j = (struct dh_job *)(uintptr_t)arg;

	(void)fx;
	memset(sa->spi_r, 0, 8);
	sa->dh = STEAL(j->key);
	return sa->dh ? ERR_OK : ERR_CRYPTO;
}

/* ---- the responder --------------------------------------------------------------------------- */

static void reply_with_notify(const struct ike_in *in, struct ike *ike, uint16_t type,
                              struct view data, struct effects *fx)
{
	struct ike_header h = in->h;
	struct ike_out o;

	h.flags = IKE_FLAG_RESPONSE;
	ike_out_begin(&o, &h);
	ike_out_notify(&o, type, data);
	struct fx_send send = { in->local, in->remote, ike_out_finish(&o), -1 };
	fx_send(fx, &send);
	ike->stats.datagrams_out++;
}

/* Nothing will be done about it; but what comes of that has its reason in the log. */
static void ignore_nat(struct ike_sa *sa, const struct init_request *q, struct effects *fx)
{
	char from[ENDPOINT_TEXT_MAX];

	if (sa->natd.local || sa->natd.remote)
		fx_event(fx, EVENT_IKE_NAT_NOT_TRAVERSED, "gateway %s peer %s: in front of %s",
		         q->gw->conf.name, endpoint_text(&q->in->remote, from),
		         sa->natd.local ? "us" : "the peer");
	sa->natd = (struct ike_natd){ 0 };
}

enum err ex_init_begin_answer(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	const struct init_request *q = arg;
	const struct endpoint at[2] = { q->in->local, q->in->remote };
	AUTO(dh_job_free) struct dh_job *j = NULL;

	TRY(ike_natd_check(sa->ike->crypto, &q->in->h, &q->in->c, at, &sa->natd));
	if (q->gw->conf.no_nat_traversal)
		ignore_nat(sa, q, fx);
	TRY(blob_set(&sa->nonce_i, q->in->c.nonce));
	TRY(blob_set(&sa->init_request, q->in->message));
	TRY(new_nonce(sa->ike, &sa->nonce_r));
	sa->gw = q->gw;
	sa->fragmentation = fragmentation_agreed(q->gw, q->in);
	sa->ppk_agreed = ike_ppk_announced(q->in) && ike_ppk_may_have(sa->ike, q->in);
	sa->choice = q->choice;
	sa->ke = q->choice.suite.ke;
	j = dh_job_new(sa->ke, ike_sa_our_spi(sa), sa->job_turn + 1);
	if (j == NULL)
		return ERR_MEMORY;
	TRY(dh_job_peer(j, q->in->c.ke.data));
	sa->job_turn++;
	struct dh_job *ready = STEAL(j);
	fx_job(fx, &ready->job);
	return ERR_OK;
}

enum err ex_init_keys(struct ike_sa *sa, const struct dh_job *j)
{
	struct ike_seed seed = { .nonce_i = blob_view(&sa->nonce_i),
		                 .nonce_r = blob_view(&sa->nonce_r),
		                 .spi_i = sa->spi_i,
		                 .spi_r = sa->spi_r };

	TRY(ike_keys_derive(sa->ike->crypto, &sa->choice.suite, &seed, secret_view(j->secret),
	                    &sa->keys));
	sa->keyed = true;
	return ERR_OK;
}

enum err ex_init_answer(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	const struct dh_job *j = arg;
	struct ike_header h = ike_sa_header(sa, EX_IKE_SA_INIT, true);
	struct ike_out o;

	TRY(ex_init_keys(sa, j));
	ike_out_begin(&o, &h);
	ike_out_open(&o, PL_SA);
	ike_proposal_answer(&o.w, &sa->choice, NULL);
	ike_out_close(&o);
	put_ke(sa, &o, j->public);
	put_nonce(&o, &sa->nonce_r);
	if (sa->natd.seen)
		TRY(put_natd(sa, &o, &h));
	if (sa->fragmentation)
		put_fragmentation(&o);
	if (sa->ppk_agreed)
		ike_ppk_announce(&o);
	struct view message = ike_out_finish(&o);
	if (message.len == 0)
		return ERR_FULL;
	TRY(blob_set(&sa->init_response, message));
	sa->win.next_expected = 1; /* repeated, it is answered from init_response */
	ike_sa_send(sa, &sa->local, &sa->remote, message, fx);
	return ERR_OK;
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* Generic headers only: what is looked at before the message has been let in. */
static enum err skim(const struct ike_in *in, struct ike_payloads *ret)
{
	struct reader r = rd_of_view(in->message);

	rd_skip(&r, IKE_HEADER_LEN);
	return ike_payloads_read(r, in->h.next, ret);
}

static enum err read_whole(const struct ike_payloads *p, struct ike_in *in)
{
	TRY(ike_rules_check(&in->h, IKE_CLEAR, p, &in->bad_type)); /* there is one nonce */
	return ike_content_read(p, &in->c);
}

/* A peer that could not be answered as it wished, before there was an SA for it. */
static void failed(struct ike *ike, const struct ike_in *in, const struct gateway *gw,
                   const char *what, struct effects *fx)
{
	const struct endpoint at[2] = { in->local, in->remote };
	struct ike_natd natd = { 0 };
	struct ike_who who = { gw->conf.name, in->local, in->remote, NULL, false, false };

	if (ike_natd_check(ike->crypto, &in->h, &in->c, at, &natd) == ERR_OK)
		who.nat = natd.remote;
	ike_guard_failed(ike, &who, IKE_FAILED_INIT, what, fx);
}

static void refuse_proposal(struct ike *ike, const struct ike_in *in, const struct gateway *gw,
                            struct effects *fx)
{
	char from[ENDPOINT_TEXT_MAX], lists[PROPOSAL_TEXT_MAX];

	ike->stats.no_proposal++;
	fx_event(fx, EVENT_IKE_NO_PROPOSAL_CHOSEN, "IKE SA, peer %s, gateway %s: %s",
	         endpoint_text(&in->remote, from), gw->conf.name,
	         ike_proposal_text(in->c.sa, &gw->conf, lists));
	failed(ike, in, gw, "NO_PROPOSAL_CHOSEN", fx);
	reply_with_notify(in, ike, N_NO_PROPOSAL_CHOSEN, (struct view){ NULL, 0 }, fx);
}

/* The first gateway for these addresses whose proposals fit; else the last that there is. */
static enum err find_gateway(const struct ike *ike, const struct ike_in *in, struct init_request *q)
{
	struct gateway_walk w = ike_gateway_walk(ike, &in->local.addr, &in->remote.addr);
	struct gateway *gw;

	while ((gw = ike_gateway_next(ike, &w)) != NULL) {
		struct ike_look look = { &gw->conf, in->c.ke.group, false };

		q->gw = gw;
		if (ike_proposal_choose(in->c.sa, &look, &q->choice) == ERR_OK)
			return ERR_OK;
	}
	return ERR_NO_PROPOSAL;
}

static void take_up(struct ike *ike, const struct init_request *q, struct effects *fx)
{
	uint8_t anchor = anchor_of_endpoints(ike->env, &q->in->local, &q->in->remote);
	struct ike_sa *sa;

	if (ike_sa_new(ike, false, anchor, q->in->h.spi_i, &sa) != ERR_OK)
		return;
	sa->local = q->in->local;
	sa->remote = q->in->remote;
	ike_hang_peer(ike, sa);
	ike_guard_admitted(sa);
	sa->packets_in = 1;
	sa->bytes_in = q->in->message.len;
	ike->stats.answered++;
	if (ike_step(sa, EV_INIT_REQUEST, q, fx) == ERR_OK)
		ike_sa_touch(sa);
}

static void consider(struct ike *ike, const struct ike_in *in, struct effects *fx)
{
	struct init_request q = { .in = in };

	if (find_gateway(ike, in, &q) != ERR_OK) {
		refuse_proposal(ike, in, q.gw, fx);
	} else if (q.choice.suite.ke->v2_id != in->c.ke.group) { /* 1.2: no state is made */
		uint16_t group = q.choice.suite.ke->v2_id;
		uint8_t want[2] = { (uint8_t)(group >> 8), (uint8_t)group };

		reply_with_notify(in, ike, N_INVALID_KE_PAYLOAD, (struct view){ want, 2 }, fx);
	} else if (in->c.ke.data.len != q.choice.suite.ke->public_len) {
		ike->stats.malformed++;
		failed(ike, in, q.gw, "KE payload of wrong length", fx);
	} else {
		take_up(ike, &q, fx);
	}
}

static void malformed(struct ike *ike, const struct ike_in *in, enum err e, struct effects *fx)
{
	char from[ENDPOINT_TEXT_MAX];

	ike->stats.malformed++;
	if (ike_guard_may_say(ike, SAID_STRANGER))
		fx_event(fx, EVENT_IKE_MESSAGE_INVALID, "from %s: IKE_SA_INIT: %s",
		         endpoint_text(&in->remote, from), err_text(e));
}

static bool has_gateway(struct ike *ike, const struct ike_in *in, struct effects *fx)
{
	struct gateway_walk w = ike_gateway_walk(ike, &in->local.addr, &in->remote.addr);
	char from[ENDPOINT_TEXT_MAX];

	if (ike_gateway_next(ike, &w) != NULL)
		return true;
	ike->stats.unknown_peer++;
	if (ike_guard_may_say(ike, SAID_STRANGER))
		fx_event(fx, EVENT_IKE_UNKNOWN_PEER, "%s", endpoint_text(&in->remote, from));
	return false;
}

static bool is_zero(const uint8_t spi[8])
{
	static const uint8_t zero[8];

	return memcmp(spi, zero, 8) == 0;
}

static void answer_again(struct ike_sa *sa, const struct ike_in *in, struct effects *fx)
{
	sa->ike->stats.duplicates++;
	if (sa->state != IKE_INIT_ANSWERED ||
	    !view_equal(blob_view(&sa->init_request), in->message))
		return; /* still at work on it, or past it */
	ike_sa_send(sa, &in->local, &in->remote, blob_view(&sa->init_response), fx);
}

/* What a cookie is about, and the cookie itself: the first payload, if there is one (2.6). */
static enum err read_cookie(const struct ike_in *in, const struct ike_payloads *p,
                            struct ike_cookie_of *ret_of, struct view *ret_cookie)
{
	struct payload_notify n = { 0 };

	*ret_of = (struct ike_cookie_of){ in->h.spi_i, &in->remote.addr, { NULL, 0 } };
	*ret_cookie = (struct view){ NULL, 0 };
	if (p->n && p->at[0].type == PL_NOTIFY) {
		TRY(payload_notify_read(p->at[0].body, &n));
		if (n.type == N_COOKIE)
			*ret_cookie = n.data;
	}
	for (size_t i = 0; i < p->n; i++)
		if (p->at[i].type == PL_NONCE)
			return payload_nonce_read(p->at[i].body, &ret_of->nonce);
	return ERR_SYNTAX;
}

/* What has been let in is read whole. */
static void take(struct ike *ike, const struct ike_payloads *p, struct ike_in *in,
                 struct effects *fx)
{
	enum err e = read_whole(p, in);

	if (e == ERR_OK) {
		consider(ike, in, fx);
		return;
	}
	malformed(ike, in, e, fx);
	if (e == ERR_UNSUPPORTED) /* 2.5 */
		reply_with_notify(in, ike, N_UNSUPPORTED_CRITICAL_PAYLOAD,
		                  (struct view){ &in->bad_type, 1 }, fx);
}

/* In the order of ike_guard.h: what costs more is done later. */
static void request(struct ike *ike, struct ike_in *in, struct effects *fx)
{
	uint8_t made[COOKIE_LEN];
	struct ike_cookie_of of;
	struct ike_payloads p;
	struct view cookie;

	if (!has_gateway(ike, in, fx) || ike_guard_holds_off(ike, in, fx))
		return;
	struct ike_sa *sa = ike_by_peer(ike, in->h.spi_i, &in->remote.addr);
	if (sa) {
		answer_again(sa, in, fx);
		return;
	}
	enum err e = skim(in, &p);
	if (e != ERR_OK) {
		malformed(ike, in, e, fx);
		return;
	}
	/* Where the nonce is missing or wrong, nothing will come of it: only what is wrong is said.
	 */
	enum ike_verdict verdict = read_cookie(in, &p, &of, &cookie) == ERR_OK
	                                   ? ike_guard_judge(ike, in, &of, cookie, fx)
	                                   : IKE_ADMIT;
	if (verdict == IKE_ADMIT) {
		take(ike, &p, in, fx);
	} else if (verdict == IKE_COOKIE) {
		ike_cookie_make(&ike->guard.cookies, ike->env, &of, made);
		reply_with_notify(in, ike, N_COOKIE, (struct view){ made, sizeof(made) }, fx);
	}
}

static enum ike_event classify_reply(const struct ike_in *in)
{
	if (ike_content_notify(&in->c, N_COOKIE))
		return EV_COOKIE;
	if (ike_content_notify(&in->c, N_INVALID_KE_PAYLOAD))
		return EV_WRONG_KE;
	return ike_content_error(&in->c) ? EV_REFUSED : EV_INIT_REPLY;
}

static void response(struct ike *ike, struct ike_in *in, struct effects *fx)
{
	struct ike_sa *sa = ike_by_spi(ike, in->h.spi_i);
	struct ike_payloads p;

	if (sa == NULL || !sa->initiator || sa->state != IKE_INIT_SENT ||
	    !addr_equal(&sa->remote.addr, &in->remote.addr)) {
		ike->stats.unexpected++;
		return;
	}
	enum err e = skim(in, &p);
	if (e == ERR_OK)
		e = read_whole(&p, in);
	if (e != ERR_OK) {
		malformed(ike, in, e, fx);
		return;
	}
	enum ike_event ev = classify_reply(in);
	sa->packets_in++;
	sa->bytes_in += in->message.len;
	if (ev == EV_INIT_REPLY && is_zero(in->h.spi_r)) {
		ike->stats.malformed++;
		return;
	}
	e = ike_step(sa, ev, in, fx);
	if (e != ERR_OK && e != ERR_AUTH && ev == EV_INIT_REPLY)
		fx_event(fx, EVENT_IKE_NO_PROPOSAL_CHOSEN,
		         "gateway %s: the peer's answer is none that we offered",
		         sa->gw ? sa->gw->conf.name : "-");
	if (sa->state != IKE_GONE)
		ike_sa_touch(sa);
}

/* A request may only come from the SA's initiator, before there is a responder's SPI, as the first
 * message; an answer the other way round (3.1). What is longer than any such message need be is not
 * kept. */
static bool header_fits(const struct ike_header *h)
{
	bool is_response = h->flags & IKE_FLAG_RESPONSE, from_i = h->flags & IKE_FLAG_INITIATOR;

	return h->length <= IKE_INIT_MAX && h->id == 0 && is_response != from_i &&
	       !is_zero(h->spi_i) && (is_response || is_zero(h->spi_r));
}

void ex_init_receive(struct ike *ike, struct ike_in *in, struct effects *fx)
{
	if (!header_fits(&in->h))
		malformed(ike, in, ERR_SYNTAX, fx);
	else if (in->h.flags & IKE_FLAG_RESPONSE)
		response(ike, in, fx);
	else
		request(ike, in, fx);
}
