// SPDX-License-Identifier: BSD-2-Clause
/* What is due when: retransmissions, giving up, probes, NAT keepalives, renewal, hard lifetimes. */
#include "ike_mid_sync.h"
#include "ike_priv.h"

enum {
	CHILD_LOOK_MS = 100,    /* how often it is looked whether the peer uses a child */
	REKEY_GUARD_MS = 60000, /* a soft end is dealt with again after this at the latest */
};

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool waits_for_answer(const struct ike_sa *sa)
{
	return sa->state == IKE_INIT_SENT || sa->state == IKE_AUTH_SENT || sa->state == IKE_UP ||
	       sa->state == IKE_REPLACED || sa->state == IKE_DELETING;
}

/* Before the end: ten minutes or a sixth of the lifetime, give or take 5% at random; the responder
 * takes three quarters of it, so that both do not start at once (LT-02, BH-LT-03). */
uint64_t ike_soft_ms(struct ike *ike, bool initiator, uint64_t lifetime_ms)
{
	uint64_t before = lifetime_ms / 6 < 600000 ? lifetime_ms / 6 : 600000;

	before = before * (950 + ike_sa_random32(ike) % 101) / 1000;
	return lifetime_ms - (initiator ? before : before * 3 / 4);
}

/* Of what happens only while the SA is up. */
static uint64_t due_while_up(const struct ike_sa *sa)
{
	uint64_t due = min64(sa->soft_ms, min64(sa->dpd_ms, sa->keepalive_ms));

	due = min64(due, min64(sa->sync.retry_ms, sa->reauth_ms));
	struct list *at;

	list_each (at, &sa->children) {
		const struct child_sa *c = child_sa_at(at);

		if (c->wish_delete)
			continue;
		due = min64(due, c->next_ms);
		if (c->hard_ms)
			due = min64(due, c->hard_ms);
		if (c->idle_ms)
			due = min64(due, c->idle_ms);
	}
	return due;
}

void ike_sa_touch(struct ike_sa *sa)
{
	uint64_t due = min64(sa->give_up_ms, min64(sa->delete_at_ms, sa->hard_ms));

	due = min64(due, sa->store_ms);

	if (sa->state == IKE_UP)
		due = min64(due, due_while_up(sa));
	if (waits_for_answer(sa))
		due = min64(due, sa->win.retry_ms);
	if (sa->state == IKE_GONE)
		due = UINT64_MAX;
	ike_due_at(sa->ike, &sa->due, due);
}

/* A negotiation of ours that nobody answered to the end. */
static void say_no_answer(struct ike_sa *sa, struct effects *fx)
{
	struct ike_who who = ike_who_of(sa, sa->gw ? &sa->gw->conf.remote_id : NULL);

	ike_guard_failed(sa->ike, &who,
	                 sa->state == IKE_AUTH_SENT ? IKE_FAILED_AUTH : IKE_FAILED_INIT, "timeout",
	                 fx);
}

static void give_up(struct ike_sa *sa, struct effects *fx)
{
	char to[ENDPOINT_TEXT_MAX];
	const char *name = sa->gw ? sa->gw->conf.name : "-";

	(void)endpoint_text(&sa->remote, to);
	if (sa->state == IKE_UP)
		fx_event(fx, EVENT_IKE_PEER_DEAD, "gateway %s peer %s", name, to);
	else if (sa->state != IKE_ENDED)
		fx_event(fx, EVENT_IKE_TIMEOUT, "gateway %s peer %s in %s", name, to,
		         ike_state_text(sa->state));
	if (sa->state != IKE_ENDED)
		sa->ike->stats.timeouts++;
	if (!sa->initiator && sa->state != IKE_UP && sa->state != IKE_DELETING)
		sa->ike->stats.expired += sa->state != IKE_ENDED;
	else if (sa->initiator && sa->state != IKE_UP && sa->state != IKE_DELETING)
		say_no_answer(sa, fx);
	(void)!ike_step(sa, EV_GIVE_UP, NULL, fx);
}

static void retransmit(struct ike_sa *sa, uint64_t now, struct effects *fx)
{
	if (!ike_window_retry(&sa->win, now)) {
		give_up(sa, fx);
		return;
	}
	sa->ike->stats.retransmits++;
	ike_sa_store_again(sa, fx);
	ike_sa_send(sa, &sa->local, &sa->remote, blob_view(&sa->win.request), fx);
}

/* It sends when the peer has used it: until then the peer may not have it yet. Or when it has had
 * all the time in the world. */
static void look(struct child_sa *c, uint64_t now, struct effects *fx)
{
	c->next_ms = now + CHILD_LOOK_MS;
	if (child_sa_heard(c) || c->confirm_ms <= now)
		(void)child_step(c, CHILD_EV_CONFIRMED, fx);
}

static void child_due(struct child_sa *c, uint64_t now, struct effects *fx)
{
	switch (c->state) {
	case CHILD_WAITING:
		look(c, now, fx);
		break;
	case CHILD_UP:
		c->next_ms = now + REKEY_GUARD_MS; /* whatever comes of it */
		ike_tunnel_rekey(c, fx);
		break;
	case CHILD_REPLACED:
		c->wish_delete = true;
		break;
	case CHILD_LINGERING:
		(void)child_step(c, CHILD_EV_END, fx);
		break;
	default: /* the window's matter */
		c->next_ms = UINT64_MAX;
		break;
	}
}

void ike_idle_arm(struct child_sa *c)
{
	struct tunnel *t = ike_tunnel_by_index(c->sa->ike, c->tunnel);

	c->idle_ms = t && t->conf.idle_s ? ike_tunnel_last_use(t) + t->conf.idle_s * 1000ull : 0;
}

/* BH-LT-07: the clock is that of packets; IKE's own messages do not count. */
static void idle_look(struct child_sa *c, uint64_t now, struct effects *fx)
{
	struct tunnel *t = ike_tunnel_by_index(c->sa->ike, c->tunnel);

	c->idle_ms = 0;
	if (t == NULL || t->conf.idle_s == 0 || !child_sa_alive(c))
		return;
	uint64_t end = ike_tunnel_last_use(t) + t->conf.idle_s * 1000ull;
	if (now < end) {
		c->idle_ms = end;
		return;
	}
	fx_event(fx, EVENT_IPSEC_IDLE, "vpn %s spi 0x%08x", t->conf.vpn, c->spi_in);
	c->wish_delete = true;
}

static void children_due(struct ike_sa *sa, uint64_t now, struct effects *fx)
{
	struct list *at, *after;

	list_each_safe (at, after, &sa->children) {
		struct child_sa *c = child_sa_at(at);

		if (c->idle_ms && c->idle_ms <= now)
			idle_look(c, now, fx);
		if (c->wish_delete)
			continue;
		if (c->hard_ms && c->hard_ms <= now) {
			fx_event(fx, EVENT_IPSEC_HARD_LIMIT, "tunnel %u spi 0x%08x", c->tunnel,
			         c->spi_in);
			c->wish_delete = true;
		} else if (c->next_ms <= now) {
			child_due(c, now, fx);
		}
	}
}

static void ends(struct ike_sa *sa, uint64_t now)
{
	if (sa->hard_ms <= now) {
		sa->hard_ms = UINT64_MAX;
		sa->wish_delete = true;
	}
	if (sa->delete_at_ms <= now) {
		sa->delete_at_ms = UINT64_MAX;
		sa->wish_delete = true;
	}
}

void ike_sa_timeout(struct ike *ike, struct due *due, uint64_t now, struct effects *fx)
{
	struct ike_sa *sa = CONTAINER_OF(due, struct ike_sa, due);

	(void)ike;
	if (sa->give_up_ms <= now) {
		give_up(sa, fx);
		return;
	}
	if (waits_for_answer(sa) && sa->win.retry_ms <= now) {
		retransmit(sa, now, fx);
		if (sa->state == IKE_GONE)
			return;
	}
	if (sa->store_ms <= now)
		ike_sa_store_again(sa, fx);
	if (sa->state == IKE_UP && sa->sync.retry_ms <= now && !ike_mid_sync_again(sa, now, fx)) {
		give_up(sa, fx);
		return;
	}
	ends(sa, now);
	if (sa->state == IKE_UP) {
		children_due(sa, now, fx);
		if (sa->soft_ms <= now || sa->reauth_ms <= now)
			ike_tunnel_rekey_ike(sa, fx);
		if (sa->dpd_ms <= now)
			ike_dpd_look(sa, now);
		if (sa->keepalive_ms <= now)
			ike_nat_keep_alive(sa, now, fx);
	}
	ike_sa_pump(sa, fx);
	if (sa->state != IKE_GONE)
		ike_sa_touch(sa);
}
