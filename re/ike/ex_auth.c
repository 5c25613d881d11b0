// SPDX-License-Identifier: BSD-2-Clause
/* IKE_AUTH (RFC 7296 1.2, 2.15): each side proves who it is, and the first child SA is made on the
 * way. Who the peer is decides which gateway it belongs to. */
#include "ike_mid_sync.h"
#include "ike_mobike.h"
#include "ike_ppk.h"
#include "ike_priv.h"
#include "secret.h"

enum { SAS_PER_PEER_MAX = 64 };

static struct view psk_of(const struct gateway *gw)
{
	return secret_view(gw->psk);
}

/* Whose proof of identity. */
struct proof {
	int side; /* OF_INITIATOR or OF_RESPONDER */
	const struct gateway *gw;
	bool with; /* the gateway's PPK too */
	struct view id_body;
};

/* The AUTH value. */
static enum err auth_value(struct ike_sa *sa, const struct proof *of, uint8_t out[PRF_MAX])
{
	bool of_i = of->side == OF_INITIATOR;
	struct ike_keys mixed;
	struct ike_auth_octets o = {
		.message = blob_view(of_i ? &sa->init_request : &sa->init_response),
		.nonce = blob_view(of_i ? &sa->nonce_r : &sa->nonce_i),
		.sk_p = of->with ? mixed.p[of->side] : sa->keys.p[of->side],
		.id_body = of->id_body,
	};

	if (!of->with)
		return ike_auth_psk(sa->ike->crypto, sa->choice.suite.prf, psk_of(of->gw), &o, out);
	enum err e = ike_ppk_mix(sa, of->gw, &mixed);
	if (e == ERR_OK)
		e = ike_auth_psk(sa->ike->crypto, sa->choice.suite.prf, psk_of(of->gw), &o, out);
	ike_keys_wipe(&mixed);
	return e;
}

static void put_id(struct ike_out *o, enum payload_type type, const struct ike_id *id)
{
	ike_out_open(o, type);
	payload_id_write(&o->w, id);
	ike_out_close(o);
}

/* Of this side. */
static enum err own_auth(struct ike_sa *sa, bool with, uint8_t value[PRF_MAX])
{
	uint8_t body[IKE_ID_BODY_MAX];
	size_t len = ike_id_body(ike_sa_local_id(sa), body);

	struct proof of = { .side = sa->initiator ? OF_INITIATOR : OF_RESPONDER,
		            .gw = sa->gw,
		            .with = with,
		            .id_body = { body, len } };

	return auth_value(sa, &of, value);
}

static enum err put_auth(struct ike_sa *sa, bool with, struct ike_out *o)
{
	uint8_t value[PRF_MAX];
	struct payload_auth auth = { AUTH_SHARED_KEY, { value, sa->choice.suite.prf->out_len } };

	TRY(own_auth(sa, with, value));
	ike_out_open(o, PL_AUTH);
	payload_auth_write(&o->w, &auth);
	ike_out_close(o);
	return ERR_OK;
}

/* RFC 8784 3: which key, and where it may be missing, the proof without it. */
static enum err put_ppk(struct ike_sa *sa, struct ike_out *o)
{
	uint8_t value[PRF_MAX];

	ike_ppk_name(o, sa->gw);
	if (sa->gw->conf.ppk_required)
		return ERR_OK;
	TRY(own_auth(sa, false, value));
	ike_out_notify(o, N_NO_PPK_AUTH, (struct view){ value, sa->choice.suite.prf->out_len });
	return ERR_OK;
}

static bool auth_holds(struct ike_sa *sa, int side, const struct gateway *gw, enum ike_ppk_use use,
                       const struct ike_in *in)
{
	const struct payload_id *id = side == OF_INITIATOR ? &in->c.idi : &in->c.idr;
	const struct payload_notify *without = ike_content_notify(&in->c, N_NO_PPK_AUTH);
	struct view said = use == PPK_FALL_BACK && without ? without->data : in->c.auth.data;
	struct proof of = { .side = side, .gw = gw, .with = use == PPK_USED, .id_body = id->body };
	uint8_t want[PRF_MAX];

	if (!in->c.has_auth || in->c.auth.method != AUTH_SHARED_KEY || use == PPK_REFUSED ||
	    auth_value(sa, &of, want) != ERR_OK)
		return false;
	return secret_equal((struct view){ want, sa->choice.suite.prf->out_len }, said);
}

/* The SA is up: what only its making needed is wiped. */
static void forget_making(struct ike_sa *sa)
{
	blob_clear(&sa->nonce_i);
	blob_clear(&sa->nonce_r);
	blob_clear(&sa->init_request);
	blob_clear(&sa->init_response);
	blob_clear(&sa->cookie);
	ike_offer_spi(sa, 0);
}

static void say_up(const struct ike_sa *sa, struct effects *fx)
{
	char to[ENDPOINT_TEXT_MAX], id[IKE_ID_TEXT_MAX];

	fx_event(fx, EVENT_IKE_SA_UP, "index %u gateway %s peer %s id %.60s", sa->index,
	         sa->gw->conf.name, endpoint_text(&sa->remote, to),
	         ike_id_text(ike_sa_peer_id(sa), id));
}

/* RFC 7296 2.3: how many requests of the peer's we take at once, from now on. */
static void put_width(struct ike_out *o)
{
	static const uint8_t width[4] = { [3] = IKE_WINDOW };

	ike_out_notify(o, N_SET_WINDOW_SIZE, (struct view){ width, sizeof(width) });
}

static void take_extensions(struct ike_sa *sa, const struct ike_in *in)
{
	const struct payload_notify *n = ike_content_notify(&in->c, N_SET_WINDOW_SIZE);
	struct reader r = rd_of_view(n ? n->data : (struct view){ NULL, 0 });
	uint32_t width = rd_u32(&r);

	sa->win.width = IKE_WINDOW; /* it was told */
	ike_mid_sync_agree(sa, in);
	ike_mobike_agree(sa, in);
	sa->peer_width = rd_done(&r) && width ? width : 1;
}

/* ---- the initiator --------------------------------------------------------------------------- */

/* Is there another SA between the two of us, as the peer will judge it (by identities, whatever our
 * gateways are called)? Then it must not throw that away. */
static bool first_contact(const struct ike_sa *sa)
{
	const struct ike_id *peer = &sa->gw->conf.remote_id;
	struct list *at;

	list_each (at, &sa->ike->sas) {
		const struct ike_sa *o = ike_sa_at(at);

		if (o == sa || (o->state != IKE_UP && o->state != IKE_AUTH_SENT &&
		                o->state != IKE_REPLACED && o->state != IKE_DELETING))
			continue;
		bool same = addr_equal(&o->remote.addr, &sa->remote.addr) ||
		            (peer->type != IKE_ID_NONE && o->gw &&
		             ike_id_equal(&o->gw->conf.remote_id, peer));
		if (same && ike_id_equal(ike_sa_local_id(o), ike_sa_local_id(sa)))
			return false;
	}
	return true;
}

enum err ex_auth_send(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	const struct dh_job *j = arg;
	struct ike_out o;

	TRY(ex_init_keys(sa, j));
	ex_init_float(sa);
	if (sa->tunnel && ike_tunnel_conf(sa, sa->tunnel)->proposals == 0) {
		ike_tunnel_say_ah(sa->tunnel, fx);
		return ERR_UNSUPPORTED;
	}
	struct ike_id mine = ike_gateway_local_id(sa->gw, &sa->local.addr);
	TRY(ike_id_keep(&sa->local_id, &mine));
	ike_window_answered(&sa->win);
	sa->win.next_request = 1;
	ike_sa_out(sa, &o, EX_IKE_AUTH, false);
	put_id(&o, PL_IDI, ike_sa_local_id(sa));
	if (first_contact(sa))
		ike_out_notify(&o, N_INITIAL_CONTACT, (struct view){ NULL, 0 });
	if (sa->gw->conf.remote_id.type != IKE_ID_NONE)
		put_id(&o, PL_IDR, &sa->gw->conf.remote_id);
	TRY(put_auth(sa, sa->ppk_agreed, &o));
	if (sa->ppk_agreed)
		TRY(put_ppk(sa, &o));
	put_width(&o);
	ike_mid_sync_announce(sa, &o);
	ex_child_offer(sa, &o);
	return ike_sa_ask(sa, ike_sa_seal(sa, &o, false), &retry_normal, fx);
}

/* The responder says whether it has our key; where we insist, it must. */
static enum ike_ppk_use reply_use(const struct ike_sa *sa, const struct ike_in *in)
{
	if (!sa->ppk_agreed || !ike_ppk_has(sa->gw))
		return PPK_NOT_USED;
	if (ike_content_notify(&in->c, N_PPK_IDENTITY))
		return PPK_USED;
	return sa->gw->conf.ppk_required ? PPK_REFUSED : PPK_NOT_USED;
}

enum err ex_auth_finish(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	const struct ike_in *in = arg;

	if (reply_use(sa, in) == PPK_USED)
		TRY(ike_ppk_take(sa, sa->gw));
	ike_window_answered(&sa->win);
	ike_guard_succeeded(sa);
	struct ike_id peer = ike_id_of_payload(&in->c.idr);
	TRY(ike_id_keep(&sa->peer_id, &peer));
	take_extensions(sa, in);
	ike_reauth_told(sa, &in->c);
	ike_hang_id(sa->ike, sa);
	ex_child_finish(sa, in, fx);
	ike_sa_live(sa);
	forget_making(sa);
	ike_sa_put(sa, fx);
	if (sa->negotiating && sa->tunnel) {
		struct tunnel *t = sa->tunnel;

		sa->negotiating = false;
		if (!list_empty(&sa->children)) {
			t->negotiating--;
			ike_tunnel_up(sa, t, fx);
		} else {
			ike_tunnel_failed(sa->ike, t);
		}
	}
	say_up(sa, fx);
	return ERR_OK;
}

/* Addresses are no identities where a NAT changes them (NAT-04). */
static const char *nat_hint(const struct ike_sa *sa, bool of_peer)
{
	if (of_peer ? !sa->natd.remote : !sa->natd.local)
		return "";
	return of_peer ? "; behind a NAT: set remote-identity, there local-identity"
	               : "; we are behind a NAT: set local-identity, there remote-identity";
}

enum err ex_auth_refused(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	const struct ike_in *in = arg;
	char to[ENDPOINT_TEXT_MAX], what[32];

	fx_event(fx, EVENT_IKE_PEER_REFUSED, "gateway %s peer %s: %s%s",
	         sa->gw ? sa->gw->conf.name : "-", endpoint_text(&sa->remote, to),
	         notify_text(ike_content_error(&in->c)->type, what),
	         sa->gw && sa->gw->conf.local_id.type == IKE_ID_NONE ? nat_hint(sa, false) : "");
	return ERR_OK;
}

static void say_no_ppk(const struct ike_sa *sa, const struct gateway *gw, struct effects *fx)
{
	char to[ENDPOINT_TEXT_MAX];

	fx_event(fx, EVENT_IKE_PPK_REFUSED, "gateway %s peer %s", gw->conf.name,
	         endpoint_text(&sa->remote, to));
}

/* A responder on the gateway's blocklist: *ret is what happens then. */
static bool blocked(struct ike_sa *sa, const struct ike_id *id, enum ike_event *ret,
                    struct effects *fx)
{
	struct ike_who who = ike_who_of(sa, id);
	struct ike_block_hit hit;

	if (!ike_gateway_id_type_ok(sa->gw, id) ||
	    !ike_guard_blocks(sa->ike, sa->gw, &who, &hit, fx))
		return false;
	*ret = hit.reject ? EV_AUTH_BAD : EV_DELETE;
	return true;
}

static enum ike_event classify_reply(struct ike_sa *sa, const struct ike_in *in, struct effects *fx)
{
	struct ike_id id = ike_id_of_payload(&in->c.idr);
	char text[IKE_ID_TEXT_MAX];
	enum ike_event ev;

	if (in->error != ERR_OK)
		return EV_AUTH_BAD;
	if (!in->c.has_auth)
		return ike_content_error(&in->c) ? EV_REFUSED : EV_AUTH_BAD;
	if (sa->gw == NULL)
		return EV_AUTH_BAD;
	if (blocked(sa, &id, &ev, fx))
		return ev;
	if (!ike_gateway_id_ok(sa->gw, &id)) {
		fx_event(fx, EVENT_IKE_ID_MISMATCH, "gateway %s: peer says it is %.60s%s",
		         sa->gw->conf.name, ike_id_text(&id, text), nat_hint(sa, true));
		return EV_AUTH_BAD;
	}
	if (reply_use(sa, in) == PPK_REFUSED)
		say_no_ppk(sa, sa->gw, fx);
	return auth_holds(sa, OF_RESPONDER, sa->gw, reply_use(sa, in), in) ? EV_AUTH_REPLY
	                                                                   : EV_AUTH_BAD;
}

static void reply(struct ike_sa *sa, const struct ike_in *in, struct effects *fx)
{
	uint64_t blocked_before = sa->ike->stats.blocked;
	enum ike_event ev = classify_reply(sa, in, fx);
	struct ike_id id = ike_id_of_payload(&in->c.idr);
	struct ike_who who = ike_who_of(sa, &id);
	char what[32] = "AUTHENTICATION_FAILED";

	if (sa->state == IKE_AUTH_SENT && sa->ike->stats.blocked == blocked_before) {
		if (ev == EV_REFUSED)
			(void)notify_text(ike_content_error(&in->c)->type, what);
		if (ev == EV_AUTH_BAD) {
			sa->ike->stats.auth_failed++;
			fx_event(fx, EVENT_IKE_AUTH_FAILED, "gateway %s: the responder",
			         sa->gw ? sa->gw->conf.name : "-");
		}
		if (ev != EV_AUTH_REPLY)
			ike_guard_failed(sa->ike, &who, IKE_FAILED_AUTH, what, fx);
	}
	(void)!ike_step(sa, ev, in, fx);
}

/* ---- the responder --------------------------------------------------------------------------- */

/* Could this gateway have given the answer that IKE_SA_INIT gave? */
static bool suite_fits(const struct gateway *gw, const struct ike_suite *s)
{
	for (size_t i = 0; i < gw->conf.proposals; i++) {
		const struct ike_conf_proposal *p = &gw->conf.proposal[i];
		bool cipher = false, prf = false, integ = s->integ == NULL, ke = false;

		for (size_t k = 0; k < IKE_TRANSFORMS_MAX; k++) {
			cipher |= k < p->ciphers && p->cipher[k] == s->cipher;
			prf |= k < p->prfs && p->prf[k] == s->prf;
			integ |= k < p->integs && p->integ[k] == s->integ;
			ke |= k < p->kes && p->ke[k] == s->ke;
		}
		if (cipher && prf && integ && ke)
			return true;
	}
	return false;
}

enum verdict { HOLDS, WRONG_KEY, WRONG_ID, BLOCKED, CROWDED };

/* Could it be this peer's gateway, as far as addresses and IKE_SA_INIT tell? Then *ret_named: it
 * has its identity, and ours if the peer asks for one. */
static bool may_be(const struct ike_sa *sa, const struct gateway *gw, const struct ike_in *in,
                   struct auth_request *q, bool *ret_named)
{
	struct ike_id wanted = ike_id_of_payload(&in->c.idr);

	if (!suite_fits(gw, &sa->choice.suite))
		return false;
	q->local_id = ike_gateway_local_id(gw, &in->local.addr);
	*ret_named = ike_gateway_id_ok(gw, &q->peer_id) &&
	             (!in->c.has_idr || ike_id_equal(&wanted, &q->local_id));
	return true;
}

/* The gateway of this peer: addresses, algorithms, its identity, ours if it asks for one, and at
 * last the key. A blocklist is looked at before the key: that of the gateway that has the identity,
 * and, where none has it, those of gateways that know peers by identities of that type. */
static enum verdict find_gateway(struct ike_sa *sa, const struct ike_in *in, struct auth_request *q,
                                 struct ike_block_hit *ret_hit, struct effects *fx)
{
	struct ike *ike = sa->ike;
	struct gateway_walk w = ike_gateway_walk(ike, &in->local.addr, &in->remote.addr);
	struct gateway *gw, *other = NULL;
	enum verdict v = WRONG_ID;
	bool named;

	q->peer_id = ike_id_of_payload(&in->c.idi);
	struct ike_who who = ike_who_of(sa, &q->peer_id);
	while ((gw = ike_gateway_next(ike, &w)) != NULL) {
		if (!may_be(sa, gw, in, q, &named))
			continue;
		if (!named) {
			if (other == NULL && ike_gateway_id_type_ok(gw, &q->peer_id))
				other = gw;
			continue;
		}
		if (ike_guard_blocks(ike, gw, &who, ret_hit, fx))
			return BLOCKED;
		v = WRONG_KEY;
		q->gw = gw;
		enum ike_ppk_use use = ike_ppk_judge(sa, gw, in);
		if (use == PPK_REFUSED)
			say_no_ppk(sa, gw, fx);
		q->ppk = use == PPK_USED;
		if (auth_holds(sa, OF_INITIATOR, gw, use, in))
			return ike_guard_crowded(sa, gw, &q->peer_id, fx) ? CROWDED : HOLDS;
	}
	if (v == WRONG_ID && other && ike_guard_blocks(ike, other, &who, ret_hit, fx))
		return BLOCKED;
	return v;
}

/* RFC 7296 2.4: the peer knew of no other SA with us when it sent this: those that were up before
 * this one began are dead. Later ones are not: both may have initiated at once. */
static void initial_contact(struct ike_sa *sa, struct effects *fx)
{
	struct list *at, *after;

	list_each_safe (at, after, &sa->same_id) {
		struct ike_sa *o = CONTAINER_OF(at, struct ike_sa, same_id);

		if ((o->state != IKE_UP && o->state != IKE_REPLACED) ||
		    o->up_ms >= sa->created_ms ||
		    !ike_id_equal(ike_sa_local_id(o), ike_sa_local_id(sa)) ||
		    !ike_id_equal(ike_sa_peer_id(o), ike_sa_peer_id(sa)))
			continue;
		sa->ike->stats.initial_contact++;
		(void)!ike_step(o, EV_GIVE_UP, NULL, fx);
	}
}

/* A peer that is who it says may still not fill our memory: of too many SAs the oldest goes. */
static void limit_per_peer(const struct ike_sa *sa, struct effects *fx)
{
	struct ike_sa *oldest = NULL;
	struct list *at;
	size_t n = 0;

	list_each (at, &sa->same_id) {
		struct ike_sa *o = CONTAINER_OF(at, struct ike_sa, same_id);

		if (o->state != IKE_UP || o->gw != sa->gw ||
		    !ike_id_equal(ike_sa_peer_id(o), ike_sa_peer_id(sa)))
			continue;
		n++;
		if (oldest == NULL || o->up_ms < oldest->up_ms)
			oldest = o;
	}
	if (n >= SAS_PER_PEER_MAX)
		(void)!ike_step(oldest, EV_GIVE_UP, NULL, fx);
}

static enum err answer(struct ike_sa *sa, const struct ike_in *in, struct child_answer *a,
                       struct effects *fx)
{
	struct ike_out o;

	ike_sa_out(sa, &o, EX_IKE_AUTH, true);
	put_id(&o, PL_IDR, ike_sa_local_id(sa));
	TRY(put_auth(sa, false, &o)); /* its keys are mixed by now, where they are */
	if (sa->ppk)
		ike_ppk_confirm(&o);
	put_width(&o);
	ike_mid_sync_announce(sa, &o);
	ike_mobike_announce(sa, &o);
	ex_child_write_answer(&o, a);
	return ike_sa_answer(sa, in, ike_sa_seal(sa, &o, true), a->child ? sa->anchor : -1, fx);
}

enum err ex_auth_accept(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	const struct auth_request *q = arg;
	struct child_answer a = { 0 };

	if (q->ppk)
		TRY(ike_ppk_take(sa, q->gw));
	ike_guard_succeeded(sa);
	sa->gw = q->gw;
	sa->local = q->in->local; /* the peer may have gone to 4500 (2.23) */
	sa->remote = q->in->remote;
	TRY(ike_id_keep(&sa->local_id, &q->local_id));
	TRY(ike_id_keep(&sa->peer_id, &q->peer_id));
	take_extensions(sa, q->in);
	ike_hang_id(sa->ike, sa);
	sa->udp_encap = sa->natd.seen && sa->local.port != 500 &&
	                (sa->natd.local || sa->natd.remote || sa->gw->conf.force_udp_encap);
	if (ike_content_notify(&q->in->c, N_INITIAL_CONTACT))
		initial_contact(sa, fx);
	limit_per_peer(sa, fx);
	(void)!ex_child_answer(sa, q->in, &a, fx); /* its failure is the answer's notify */
	ike_sa_live(sa);
	TRY(answer(sa, q->in, &a, fx));
	forget_making(sa);
	say_up(sa, fx);
	if (a.child)
		ike_tunnel_up(sa, ike_tunnel_by_index(sa->ike, a.child->tunnel), fx);
	return ERR_OK;
}

enum err ex_auth_refuse(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	const struct ike_in *in = arg;
	struct ike_out o;

	ike_sa_out(sa, &o, EX_IKE_AUTH, true);
	ike_out_notify(&o, N_AUTHENTICATION_FAILED, (struct view){ NULL, 0 });
	TRY(ike_sa_answer(sa, in, ike_sa_seal(sa, &o, true), -1, fx));
	ike_sa_end(sa, fx);
	return ERR_OK;
}

static void bad_request(struct ike_sa *sa, const struct ike_in *in, struct effects *fx)
{
	struct ike_who who = ike_who_of(sa, NULL);

	if (sa->state == IKE_INIT_ANSWERED)
		ike_guard_failed(sa->ike, &who, IKE_FAILED_AUTH, "INVALID_SYNTAX", fx);
	(void)!ike_step(sa, in->error == ERR_UNSUPPORTED ? EV_NOT_UNDERSTOOD : EV_BAD_REQUEST, in,
	                fx);
}

static void say_failed(struct ike_sa *sa, const struct auth_request *q, bool key,
                       struct effects *fx)
{
	struct ike_who who = ike_who_of(sa, &q->peer_id);
	char from[ENDPOINT_TEXT_MAX], id[IKE_ID_TEXT_MAX];

	sa->ike->stats.auth_failed++;
	if (q->gw)
		who.gateway = q->gw->conf.name;
	fx_event(fx, key ? EVENT_IKE_AUTH_FAILED : EVENT_IKE_ID_MISMATCH, "peer %s id %.60s%s",
	         endpoint_text(&q->in->remote, from), ike_id_text(&q->peer_id, id),
	         key ? "" : nat_hint(sa, true));
	ike_guard_failed(sa->ike, &who, IKE_FAILED_AUTH,
	                 key ? "AUTHENTICATION_FAILED" : "identity of no gateway", fx);
}

static void request(struct ike_sa *sa, const struct ike_in *in, struct effects *fx)
{
	struct auth_request q = { .in = in };
	struct ike_block_hit hit = { 0 };

	if (in->error != ERR_OK) {
		bad_request(sa, in, fx);
		return;
	}
	if (sa->state != IKE_INIT_ANSWERED) {
		(void)!ike_step(sa, EV_AUTH_BAD, in, fx);
		return;
	}
	enum verdict v = find_gateway(sa, in, &q, &hit, fx);
	if (v == WRONG_KEY || v == WRONG_ID)
		say_failed(sa, &q, v == WRONG_KEY, fx);
	if (v == HOLDS)
		(void)!ike_step(sa, EV_AUTH_REQUEST, &q, fx);
	else if (v == BLOCKED && !hit.reject)
		(void)!ike_step(sa, EV_DELETE, NULL, fx); /* not a word */
	else
		(void)!ike_step(sa, EV_AUTH_BAD, in, fx);
}

void ex_auth_receive(struct ike_sa *sa, struct ike_in *in, struct effects *fx)
{
	if (in->h.flags & IKE_FLAG_RESPONSE)
		reply(sa, in, fx);
	else
		request(sa, in, fx);
}
