// SPDX-License-Identifier: BSD-2-Clause
/* When a tunnel is initiated, gets a child under an IKE SA that is up, is rekeyed, is renewed by a
 * whole new IKE SA, and which of two SAs for it makes way.
 *
 * Where both ends initiated at once, both SAs come up; each initiator sees that when its own does,
 * and the one with the greater initiator's SPI makes way. */
#include "ike_priv.h"
#include "anchor.h"
#include "ex_child.h"

enum {
	BACKOFF_FIRST_MS = 5000,
	BACKOFF_MAX_MS = 60000,
	MAKE_WAY_MS = 3000,        /* ours, after the new one is up */
	MAKE_WAY_PEERS_MS = 10000, /* the peer's, if it does not do so itself */
	RENEW_AGAIN_MS = 10000,
	RENEWAL_MS = 60000, /* SAs that came up closer together were begun at once */
	IKE_PORT = 500,
};

struct tunnel *ike_tunnel_find(const struct hash *by_index, uint32_t index)
{
	struct view key = { (const uint8_t *)&index, sizeof(index) };
	struct hash_node *node = hash_get(by_index, key);

	return node ? CONTAINER_OF(node, struct tunnel, by_index) : NULL;
}

const struct ike_conf_tunnel *ike_tunnel_conf(const struct ike_sa *sa, const struct tunnel *t)
{
	bool nat = sa->natd.local || sa->natd.remote || sa->udp_encap;

	return t->no_ah && nat ? t->no_ah : &t->conf;
}

void ike_tunnel_say_ah(const struct tunnel *t, struct effects *fx)
{
	fx_event(fx, EVENT_IPSEC_AH_BEHIND_NAT, "vpn %s", t->conf.vpn);
}

struct tunnel *ike_tunnel_by_index(struct ike *ike, uint32_t index)
{
	return ike_tunnel_find(&ike->tunnel_by_index, index);
}

void ike_tunnel_join(struct ike_sa *sa, struct tunnel *t)
{
	list_del(&sa->of_tunnel);
	if (t)
		list_add_tail(&sa->of_tunnel, &t->sas);
	sa->tunnel = t;
}

static struct child_sa *child_at(struct list *of_tunnel)
{
	return CONTAINER_OF(of_tunnel, struct child_sa, of_tunnel);
}

/* The newest child of the tunnel that is of use, under this SA or, for NULL, under any. */
static struct child_sa *newest(const struct tunnel *t, const struct ike_sa *sa)
{
	struct child_sa *found = NULL;
	struct list *at;

	list_each (at, &t->children) {
		struct child_sa *c = child_at(at);

		if (child_sa_alive(c) && (sa == NULL || c->sa == sa) &&
		    (found == NULL || c->serial > found->serial))
			found = c;
	}
	return found;
}

bool ike_tunnel_has_child(const struct tunnel *t)
{
	return newest(t, NULL) != NULL;
}

struct child_sa *ike_tunnel_child(const struct tunnel *t)
{
	return newest(t, NULL);
}

bool ike_tunnel_sends(const struct tunnel *t)
{
	struct list *at;

	list_each (at, &t->children)
		if (child_at(at)->sending)
			return true;
	return false;
}

void ike_tunnel_confirm(struct tunnel *t, struct effects *fx)
{
	struct list *at;

	if (ike_tunnel_sends(t))
		return;
	list_each (at, &t->children)
		if (child_sa_alive(child_at(at)))
			(void)child_step(child_at(at), CHILD_EV_CONFIRMED, fx);
}

enum ike_establish ike_tunnel_mode(const struct tunnel *t)
{
	return t->gw && t->gw->respond ? t->gw->respond : t->conf.establish;
}

/* Is it known where the peer is? */
static bool can_reach(const struct tunnel *t)
{
	return t->gw && t->gw->conf.peers && t->gw->conf.local.family != ADDR_NONE &&
	       t->gw->conf.peer[0].family == t->gw->conf.local.family;
}

static bool can_initiate(const struct tunnel *t)
{
	return can_reach(t) && ike_tunnel_mode(t) < IKE_ESTABLISH_RESPONDER_ONLY;
}

/* SAs that we initiated for it and that have no child (refused, or deleted): of no more use. */
static void delete_childless(struct tunnel *t, struct effects *fx)
{
	struct list *at, *after;

	list_each_safe (at, after, &t->sas) {
		struct ike_sa *sa = CONTAINER_OF(at, struct ike_sa, of_tunnel);

		if (sa->state != IKE_UP || !list_empty(&sa->children))
			continue;
		sa->wish_delete = true;
		ike_sa_pump(sa, fx);
		if (sa->state != IKE_GONE)
			ike_sa_touch(sa);
	}
}

static uint8_t anchor_for(struct ike *ike, const struct tunnel *t, const struct endpoint ep[2])
{
	const struct child_sa *old = newest(t, NULL);

	/* BH-SPU-24: the successor inherits it. */
	return old ? old->sa->anchor : anchor_of_endpoints(ike->env, &ep[0], &ep[1]);
}

/* A peer behind a NAT, or without an address of its own, is where its last SA has it (RA-10). */
static void find_peer(const struct tunnel *t, const struct ike_sa *old, struct endpoint ret[2])
{
	if (old && (t->gw->conf.peers == 0 || old->natd.remote)) {
		ret[0] = old->local;
		ret[1] = old->remote;
		return;
	}
	ret[0] = (struct endpoint){ t->gw->conf.local, IKE_PORT };
	ret[1] = (struct endpoint){ t->gw->conf.peer[0], IKE_PORT };
}

enum err ike_tunnel_initiate(struct ike *ike, struct tunnel *t, const struct ike_sa *old,
                             struct effects *fx)
{
	struct endpoint ep[2];
	char to[ENDPOINT_TEXT_MAX];
	struct ike_sa *sa;

	find_peer(t, old, ep);
	delete_childless(t, fx);
	TRY(ike_sa_new(ike, true, anchor_for(ike, t, ep), NULL, &sa));
	sa->local = ep[0];
	sa->remote = ep[1];
	sa->gw = t->gw;
	ike_tunnel_join(sa, t);
	sa->replacing = old != NULL;
	if (old)
		memcpy(sa->takes_over, ike_sa_our_spi(old), 8);
	sa->negotiating = true;
	t->negotiating++;
	ike->stats.initiated++;
	fx_event(fx, EVENT_IKE_INITIATE, "vpn %s gateway %s peer %s", t->conf.vpn, t->gw->conf.name,
	         endpoint_text(&sa->remote, to));
	enum err e = ike_step(sa, EV_INITIATE, NULL, fx);
	if (e == ERR_OK)
		ike_sa_touch(sa);
	return e;
}

static bool wants_child(const struct tunnel *t)
{
	return !t->negotiating && can_initiate(t) && !ike_tunnel_has_child(t) &&
	       (t->wanted || t->conf.establish == IKE_ESTABLISH_IMMEDIATELY);
}

/* The SA that its child can be made under. */
static struct ike_sa *sa_for(const struct tunnel *t)
{
	struct list *at;

	list_each (at, &t->gw->sas) {
		struct ike_sa *sa = CONTAINER_OF(at, struct ike_sa, of_gateway);

		if (sa->state == IKE_UP && !sa->wish_delete && !sa->no_more &&
		    sa->delete_at_ms == UINT64_MAX)
			return sa;
	}
	return NULL;
}

/* Is one on its way that it can share? */
static bool sibling_negotiates(const struct tunnel *t)
{
	struct list *at;

	list_each (at, &t->gw->tunnels)
		if (CONTAINER_OF(at, struct tunnel, of_gateway)->negotiating)
			return true;
	return false;
}

bool ike_tunnel_asks(const struct tunnel *t, const struct ike_sa *sa)
{
	if (!sa->ike->started || t->negotiating || t->retry_ms > ike_sa_now(sa))
		return false;
	return wants_child(t) ? sa_for(t) == sa : ike_reauth_moves(t, sa);
}

static void initiate(struct ike *ike, struct tunnel *t, uint64_t now, struct effects *fx)
{
	if (ike_tunnel_initiate(ike, t, NULL, fx) == ERR_OK)
		return;
	fx_event(fx, EVENT_IKE_INTERNAL, "vpn %s", t->conf.vpn);
	if (t->retry_ms <= now) /* there was no SA yet that could fail */
		t->retry_ms = now + BACKOFF_FIRST_MS;
}

void ike_tunnel_poll(struct ike *ike, struct tunnel *t, struct effects *fx)
{
	uint64_t now = ike->env->now_ms(ike->env);
	struct ike_sa *sa;

	if (!ike->started || t->negotiating)
		return;
	sa = wants_child(t) ? sa_for(t) : ike_reauth_mover(t);
	if (sa == NULL && !wants_child(t))
		return;
	if (t->retry_ms <= now && sa) {
		ike_sa_pump(sa, fx); /* at once, or when its window is free */
		ike_sa_touch(sa);
	} else if (t->retry_ms <= now && !sibling_negotiates(t)) {
		initiate(ike, t, now, fx);
	}
	if (t->retry_ms > now)
		ike_due_at(ike, &t->due, t->retry_ms);
}

/* Those that waited for what this one has come to. */
static void wake_siblings(struct ike *ike, const struct tunnel *t)
{
	struct list *at;

	list_each (at, &t->gw->tunnels) {
		struct tunnel *other = CONTAINER_OF(at, struct tunnel, of_gateway);

		if (other != t && wants_child(other) && !other->due.timer.armed)
			ike_due_at(ike, &other->due, ike->env->now_ms(ike->env));
	}
}

void ike_tunnel_fire(struct ike *ike, struct due *due, uint64_t now, struct effects *fx)
{
	(void)now;
	ike_tunnel_poll(ike, CONTAINER_OF(due, struct tunnel, due), fx);
}

/* A peer that is in backoff is not tried before that is over. */
static void hold_off(const struct ike *ike, struct tunnel *t)
{
	struct endpoint local = { t->gw->conf.local, IKE_PORT };
	struct endpoint remote = { t->gw->conf.peer[0], IKE_PORT };
	uint64_t from = ike_guard_not_before(ike, &local, &remote);

	if (from > t->retry_ms)
		t->retry_ms = from;
}

void ike_tunnel_failed(struct ike *ike, struct tunnel *t)
{
	t->negotiating--;
	ike_tunnel_back_off(ike, t);
}

void ike_tunnel_back_off(struct ike *ike, struct tunnel *t)
{
	uint32_t next = t->backoff_ms ? t->backoff_ms * 2 : BACKOFF_FIRST_MS;

	t->wanted = false; /* the next packet asks again */
	t->backoff_ms = next < BACKOFF_MAX_MS ? next : BACKOFF_MAX_MS;
	t->retry_ms = ike->env->now_ms(ike->env) + t->backoff_ms +
	              ike_sa_random32(ike) % (t->backoff_ms / 4);
	hold_off(ike, t);
	ike_due_at(ike, &t->due, t->retry_ms);
	wake_siblings(ike, t);
}

/* Our own half-done attempts for a tunnel that the peer brought up. Where IKE_AUTH is already out,
 * the peer may be about to accept it. */
static void abandon_attempts(struct tunnel *t, struct effects *fx)
{
	struct list *at, *after;

	list_each_safe (at, after, &t->sas) {
		struct ike_sa *sa = CONTAINER_OF(at, struct ike_sa, of_tunnel);

		if (sa->negotiating && sa->state != IKE_AUTH_SENT)
			(void)!ike_step(sa, EV_DELETE, NULL, fx);
	}
}

static bool has_children_of_others(const struct child_sa *c)
{
	struct list *at;

	list_each (at, &c->sa->children)
		if (child_sa_at(at)->tunnel != c->tunnel && child_sa_alive(child_sa_at(at)))
			return true;
	return false;
}

/* The child, with its whole IKE SA where that carries nothing else. */
static void make_way(struct child_sa *c, uint32_t after_ms, struct effects *fx)
{
	struct ike_sa *sa = c->sa;
	uint64_t at = ike_sa_now(sa) + after_ms;

	if (has_children_of_others(c)) {
		c->ours_to_delete = true;
		(void)child_step(c, CHILD_EV_REPLACED, fx);
	} else if (at < sa->delete_at_ms)
		sa->delete_at_ms = at;
	ike_sa_touch(sa);
}

/* sa, which we initiated, against the others that have a child of the tunnel. */
static void settle(struct ike_sa *sa, const struct tunnel *t, struct effects *fx)
{
	struct child_sa *mine = newest(t, sa);
	struct list *at;

	if (mine == NULL)
		return;
	list_each (at, &t->children) {
		struct child_sa *theirs = child_at(at);
		struct ike_sa *o = theirs->sa;

		if (o == sa || o->state != IKE_UP || theirs != newest(t, o))
			continue;
		bool twin = !o->initiator && o->up_ms + RENEWAL_MS > ike_sa_now(sa);

		if (ike_reauth_takes_over_from(sa, o) ||
		    (sa->replacing && !twin && mine->serial > theirs->serial))
			make_way(theirs, MAKE_WAY_MS, fx);
		else if (o->initiator && o->replacing)
			continue; /* settled by that one */
		else if (!o->initiator && theirs->created_ms > mine->created_ms + RENEWAL_MS)
			make_way(mine, MAKE_WAY_PEERS_MS, fx); /* the peer's renewal */
		else if (memcmp(sa->spi_i, o->spi_i, 8) > 0)
			make_way(mine, MAKE_WAY_MS, fx);
		else
			make_way(theirs, o->initiator ? MAKE_WAY_MS : MAKE_WAY_PEERS_MS, fx);
	}
}

void ike_tunnel_child_up(struct ike_sa *sa, struct tunnel *t)
{
	t->backoff_ms = 0;
	t->retry_ms = 0;
	t->wanted = false;
	if (t->gw)
		wake_siblings(sa->ike, t);
}

void ike_tunnel_take_over(struct ike_sa *sa, const struct tunnel *t, struct effects *fx)
{
	settle(sa, t, fx);
}

/* The peer has made a whole new SA for a tunnel that was up: it reauthenticated, perhaps from
 * another port. It is to delete the old one; where it does not, we do (RA-10). */
static void settle_answered(const struct ike_sa *sa, const struct tunnel *t, struct effects *fx)
{
	uint64_t old = ike_sa_now(sa) - RENEWAL_MS;
	struct list *at, *after;

	list_each_safe (at, after, &t->children) {
		struct child_sa *theirs = child_at(at);
		struct ike_sa *o = theirs->sa;

		if (o == sa || o->state != IKE_UP || theirs != newest(t, o) || o->up_ms >= old ||
		    ike_reauth_under_way(o) ||
		    !ike_id_equal(ike_sa_local_id(o), ike_sa_local_id(sa)) ||
		    !ike_id_equal(ike_sa_peer_id(o), ike_sa_peer_id(sa)))
			continue;
		make_way(theirs, MAKE_WAY_PEERS_MS, fx);
	}
}

void ike_tunnel_up(struct ike_sa *sa, struct tunnel *t, struct effects *fx)
{
	ike_tunnel_child_up(sa, t);
	if (sa->initiator)
		settle(sa, t, fx);
	else
		settle_answered(sa, t, fx);
	if (!sa->initiator)
		abandon_attempts(t, fx);
}

void ike_tunnel_restored(const struct tunnel *t, struct effects *fx)
{
	struct list *at;

	list_each (at, &t->children) {
		struct ike_sa *sa = CONTAINER_OF(at, struct child_sa, of_tunnel)->sa;

		if (sa->state == IKE_UP && sa->initiator)
			settle(sa, t, fx);
	}
}

/* When its last packet passed; 0: none ever did. */
static uint64_t last_use(const struct child_sa *c)
{
	struct env *env = c->sa->ike->env;
	struct sa_usage u[2] = { { 0 }, { 0 } };

	if (env->runtime_usage(env, c->slot_in, &u[0]) != ERR_OK)
		u[0].last_use_ms = 0;
	if (env->runtime_usage(env, c->slot_out, &u[1]) != ERR_OK)
		u[1].last_use_ms = 0;
	return u[0].last_use_ms > u[1].last_use_ms ? u[0].last_use_ms : u[1].last_use_ms;
}

void ike_tunnel_note_use(struct tunnel *t, const struct child_sa *c)
{
	uint64_t last = last_use(c);

	if (last > t->used_ms)
		t->used_ms = last;
}

uint64_t ike_tunnel_last_use(struct tunnel *t)
{
	struct list *at;

	list_each (at, &t->children)
		ike_tunnel_note_use(t, child_at(at));
	return t->used_ms;
}

/* Without traffic a tunnel that is made for traffic lapses. */
static bool is_wanted(const struct child_sa *c, const struct tunnel *t)
{
	return ike_tunnel_mode(t) != IKE_ESTABLISH_ON_TRAFFIC || last_use(c) != 0;
}

void ike_tunnel_rekey(struct child_sa *c, struct effects *fx)
{
	struct ike_sa *sa = c->sa;
	struct tunnel *t = ike_tunnel_by_index(sa->ike, c->tunnel);

	if (t == NULL || ike_tunnel_mode(t) == IKE_ESTABLISH_RESPONDER_ONLY_NO_REKEY ||
	    ike_reauth_under_way(sa))
		return; /* EST-05; RA-02 */
	if (c->state != CHILD_UP || sa->wish_delete || sa->delete_at_ms != UINT64_MAX ||
	    newest(t, NULL) != c || !is_wanted(c, t))
		return;
	if (sa->no_more)
		ike_tunnel_renew(sa, fx);
	else
		c->wish_rekey = true;
}

/* An SA without children lapses (BH-V2-07). */
void ike_tunnel_rekey_ike(struct ike_sa *sa, struct effects *fx)
{
	bool reauth = ike_reauth_due(sa);

	sa->soft_ms = ike_sa_now(sa) + RENEW_AGAIN_MS;
	if (sa->reauth_ms <= ike_sa_now(sa))
		sa->reauth_ms = sa->soft_ms;
	if (list_empty(&sa->children) || sa->delete_at_ms != UINT64_MAX || sa->wish_delete ||
	    (sa->gw && sa->gw->respond == IKE_ESTABLISH_RESPONDER_ONLY_NO_REKEY))
		return; /* EST-05 */
	if (sa->no_more || reauth)
		ike_tunnel_renew(sa, fx);
	else if (!ex_child_asking(sa) || sa->create->kind != CREATE_REKEY_IKE)
		sa->wish_rekey = true;
}

void ike_tunnel_renew(struct ike_sa *sa, struct effects *fx)
{
	struct list *at;

	list_each (at, &sa->children) {
		const struct child_sa *c = child_sa_at(at);
		struct tunnel *t = ike_tunnel_by_index(sa->ike, c->tunnel);

		if (t == NULL || t->gw == NULL || t->negotiating || newest(t, NULL) != c ||
		    !is_wanted(c, t))
			continue;
		if (!ike_reauth_begin(sa, fx))
			return;
		if (ike_tunnel_initiate(sa->ike, t, sa, fx) != ERR_OK)
			fx_event(fx, EVENT_IKE_INTERNAL, "vpn %s", t->conf.vpn);
		return;
	}
}
