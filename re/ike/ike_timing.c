// SPDX-License-Identifier: BSD-2-Clause
/* What is due when: retransmissions, giving up, probes, NAT keepalives, renewal, hard lifetimes. */
#include "ike_mid_sync.h"
#include "ike_priv.h"

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool waits_for_answer(const struct ike_sa *sa)
{
	return sa->state == IKE_INIT_SENT || sa->state == IKE_AUTH_SENT || sa->state == IKE_UP ||
	       sa->state == IKE_DELETING;
}

/* Of what happens only while the SA is up. */
static uint64_t due_while_up(const struct ike_sa *sa)
{
	uint64_t due = min64(sa->soft_ms, min64(sa->dpd_ms, sa->keepalive_ms));

	due = min64(due, sa->sync.retry_ms);
	struct list *at;

	list_each (at, &sa->children) {
		const struct child_sa *c = child_sa_at(at);

		due = min64(due, c->confirm_ms);
		if (c->hard_ms && !c->wish_delete)
			due = min64(due, c->hard_ms);
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

/* A responder's new child beside an older one sends when the peer has used it, or has had the time
 * to: until then the peer may not have it yet. */
static void confirm_children(struct ike_sa *sa, uint64_t now, struct effects *fx)
{
	struct list *at;

	list_each (at, &sa->children) {
		struct child_sa *c = child_sa_at(at);

		if (c->confirm_ms > now)
			continue;
		c->confirm_ms = UINT64_MAX;
		c->sending = true;
		child_sa_put(sa, c, fx);
	}
}

/* With one child per IKE SA, the end of the child is the end of both. */
static void expire_children(struct ike_sa *sa, uint64_t now, struct effects *fx)
{
	struct list *at;

	list_each (at, &sa->children) {
		struct child_sa *c = child_sa_at(at);

		if (c->hard_ms == 0 || c->hard_ms > now || c->wish_delete)
			continue;
		fx_event(fx, EVENT_IPSEC_HARD_LIMIT, "tunnel %u spi 0x%08x", c->tunnel, c->spi_in);
		c->wish_delete = sa->wish_delete = true;
	}
}

static void keep_alive(struct ike_sa *sa, uint64_t now, struct effects *fx)
{
	static const uint8_t byte = 0xff; /* RFC 3948 2.3 */
	uint32_t every = sa->gw && sa->gw->conf.nat_keepalive_s ? sa->gw->conf.nat_keepalive_s : 20;

	sa->keepalive_ms = now + every * 1000ull;
	ike_sa_send(sa, &sa->local, &sa->remote, (struct view){ &byte, 1 }, fx);
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
		confirm_children(sa, now, fx);
		expire_children(sa, now, fx);
		if (sa->soft_ms <= now)
			ike_tunnel_renew(sa, fx);
		if (sa->dpd_ms <= now)
			ike_dpd_look(sa, now);
		if (sa->keepalive_ms <= now)
			keep_alive(sa, now, fx);
		ike_sa_pump(sa, fx);
	}
	if (sa->state != IKE_GONE)
		ike_sa_touch(sa);
}
