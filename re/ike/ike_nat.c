// SPDX-License-Identifier: BSD-2-Clause
/* Life with a NAT: keepalives, so that ours does not forget us (RFC 3948 2.3); and following a peer
 * whose own gave it another address (RFC 7296 2.23). */
#include "ike_priv.h"

enum { KEEPALIVE_S = 20, MOVE_AGAIN_MS = 1000 };

/* ---- ours ------------------------------------------------------------------------------------ */

/* When anything last went out on the way that the NAT remembers. */
static uint64_t last_sent(const struct ike_sa *sa)
{
	struct env *env = sa->ike->env;
	uint64_t last = sa->sent_ms;
	struct list *at;

	list_each (at, &sa->children) {
		struct sa_usage u;

		if (env->runtime_usage(env, child_sa_at(at)->slot_out, &u) == ERR_OK &&
		    u.last_use_ms > last)
			last = u.last_use_ms;
	}
	return last;
}

/* A twentieth early, so that a late timer is still in time. */
uint64_t ike_nat_keepalive_ms(const struct ike_sa *sa)
{
	uint32_t s =
	        sa->gw && sa->gw->conf.nat_keepalive_s ? sa->gw->conf.nat_keepalive_s : KEEPALIVE_S;

	return s * 950ull;
}

void ike_nat_keep_alive(struct ike_sa *sa, uint64_t now, struct effects *fx)
{
	static const uint8_t byte = 0xff;
	uint64_t every = ike_nat_keepalive_ms(sa), quiet_since = last_sent(sa);

	if (now < quiet_since + every) {
		sa->keepalive_ms = quiet_since + every;
		return;
	}
	sa->keepalive_ms = now + every;
	ike_sa_send(sa, &sa->local, &sa->remote, (struct view){ &byte, 1 }, fx);
}

/* ---- the peer's ------------------------------------------------------------------------------ */

void ike_move(struct ike_sa *sa, const struct endpoint *local, const struct endpoint *remote,
              const char *why, struct effects *fx)
{
	char from[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX];
	bool ours = !endpoint_equal(&sa->local, local);
	struct list *at;

	fx_event(fx, EVENT_IKE_SA_MOVED, "index %u gateway %s %s: %s after %s (%s)", sa->index,
	         sa->gw ? sa->gw->conf.name : "-", ours ? "local" : "remote",
	         endpoint_text(ours ? local : remote, to),
	         endpoint_text(ours ? &sa->local : &sa->remote, from), why);
	sa->local = *local;
	sa->remote = *remote;
	sa->moved_ms = ike_sa_now(sa);
	sa->ike->stats.moved++;
	list_each (at, &sa->children)
		child_sa_put(sa, child_sa_at(at), fx);
	ike_sa_put(sa, fx);
}

/* RFC 7296 2.23: not who is behind a NAT itself, whom it would make easy to divert; nor beyond the
 * addresses that the gateway may have. */
static bool follows(const struct ike_sa *sa, const struct endpoint *to)
{
	return (sa->state == IKE_UP || sa->state == IKE_REPLACED) && sa->udp_encap &&
	       sa->natd.remote && !sa->natd.local && to->port != 0 &&
	       to->addr.family == sa->remote.addr.family && sa->gw &&
	       ike_gateway_fits(sa->gw, &sa->local.addr, &to->addr);
}

void ike_nat_heard(struct ike_sa *sa, const struct ike_in *in, struct effects *fx)
{
	if (endpoint_equal(&sa->remote, &in->remote))
		return;
	if (follows(sa, &in->remote) && endpoint_equal(&sa->local, &in->local))
		ike_move(sa, &sa->local, &in->remote, "heard from there", fx);
	else
		sa->ike->stats.not_followed += sa->state == IKE_UP;
}

/* By ESP alone: only where old packets, which anybody can send again, are known for such; and not
 * back at once because of one that was overtaken. */
enum err ike_peer_moved(struct ike *ike, uint32_t spi, const struct endpoint *to,
                        struct effects *fx)
{
	struct child_sa *c = ike_child_by_spi(ike, spi);
	struct ike_sa *sa = c ? c->sa : NULL;

	ike_turn_begin(ike);
	if (sa == NULL)
		return ERR_NOT_FOUND;
	if (endpoint_equal(&sa->remote, to))
		return ERR_OK;
	if (!follows(sa, to) || c->window == 0) {
		ike->stats.not_followed++;
		return ERR_UNSUPPORTED;
	}
	if (sa->moved_ms && ike_sa_now(sa) < sa->moved_ms + MOVE_AGAIN_MS)
		return ERR_WRONG_STATE; /* the data path says it again */
	ike_move(sa, &sa->local, to, "ESP from there", fx);
	ike_sa_touch(sa);
	return ERR_OK;
}
