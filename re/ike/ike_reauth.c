// SPDX-License-Identifier: BSD-2-Clause
/* Reauthentication (RA-01 to 11, RFC 7296 2.8.3, RFC 4478): not new keys for an IKE SA, but a whole
 * new one, in which both ends prove again who they are, with new children; then the old one goes.
 *
 * Nothing of it is negotiated: each end has its own count of rekeys, and either may begin. The new
 * SA comes up with the child of one tunnel, makes those of the others by CREATE_CHILD_SA, and the
 * old SA makes way when it has none left that is of use. */
#include "ex_child.h"
#include "ike_priv.h"

enum { HASTEN_MS = 2000 };

bool ike_reauth_due(const struct ike_sa *sa)
{
	uint32_t every = sa->gw ? sa->gw->conf.reauth_every : 0;

	return sa->reauth_ms <= ike_sa_now(sa) || (every && sa->rekeys + 1 >= every);
}

bool ike_reauth_takes_over(const struct ike_sa *sa)
{
	static const uint8_t none[8];

	return memcmp(sa->takes_over, none, 8) != 0;
}

bool ike_reauth_takes_over_from(const struct ike_sa *sa, const struct ike_sa *old)
{
	return ike_reauth_takes_over(sa) && memcmp(sa->takes_over, ike_sa_our_spi(old), 8) == 0;
}

/* The SA that is to take over from it, negotiating or up; NULL: none. */
static struct ike_sa *successor(const struct ike_sa *old)
{
	struct list *at, *in;

	if (old->gw == NULL)
		return NULL;
	list_each (at, &old->gw->tunnels)
		list_each (in, &CONTAINER_OF(at, struct tunnel, of_gateway)->sas) {
			struct ike_sa *sa = CONTAINER_OF(in, struct ike_sa, of_tunnel);

			if (ike_reauth_takes_over_from(sa, old))
				return sa;
		}
	return NULL;
}

bool ike_reauth_under_way(const struct ike_sa *sa)
{
	const struct ike_sa *next = successor(sa);

	return next && (next->negotiating || next->state == IKE_UP);
}

bool ike_reauth_begin(struct ike_sa *sa, struct effects *fx)
{
	struct list *at;

	if (sa->answering || ex_child_asking(sa) || ike_reauth_under_way(sa))
		return false; /* what is on its way ends first */
	ex_child_abandon(sa, fx);
	sa->wish_rekey = false;
	list_each (at, &sa->children)
		child_sa_at(at)->wish_rekey = false;
	return true;
}

bool ike_reauth_moves(const struct tunnel *t, const struct ike_sa *sa)
{
	const struct child_sa *c = ike_tunnel_child(t);

	return c && ike_reauth_takes_over_from(sa, c->sa);
}

struct ike_sa *ike_reauth_mover(const struct tunnel *t)
{
	const struct child_sa *c = ike_tunnel_child(t);
	struct ike_sa *sa = c ? successor(c->sa) : NULL;

	return sa && sa->state == IKE_UP && sa->delete_at_ms == UINT64_MAX ? sa : NULL;
}

void ike_reauth_told(struct ike_sa *sa, const struct ike_content *c)
{
	const struct payload_notify *n = ike_content_notify(c, N_AUTH_LIFETIME);
	struct reader r = rd_of_view(n ? n->data : (struct view){ NULL, 0 });
	uint32_t s = rd_u32(&r);

	if (!rd_done(&r) || s == 0)
		return;
	sa->reauth_ms = ike_sa_now(sa) + ike_soft_ms(sa->ike, true, s * 1000ull);
}

void ike_reauth_inherit(struct ike_sa *sa, const struct ike_sa *old)
{
	sa->rekeys = old->rekeys + 1;
	sa->reauth_ms = old->reauth_ms;
	sa->replacing = old->replacing;
	memcpy(sa->takes_over, old->takes_over, 8);
}

void ike_reauth_hasten(struct ike_sa *sa, const struct ike_sa *old)
{
	uint32_t every = sa->gw ? sa->gw->conf.reauth_every : 0;
	uint64_t soon = ike_sa_now(sa) + HASTEN_MS + ike_sa_random32(sa->ike) % HASTEN_MS;

	if (every == 0 || sa->rekeys < every)
		return;
	if (soon < sa->soft_ms)
		sa->soft_ms = soon;
	if (old->hard_ms < sa->hard_ms)
		sa->hard_ms = old->hard_ms;
}

void ike_reauth_follow(struct ike_sa *old, const struct ike_sa *sa, struct effects *fx)
{
	struct ike_sa *next = successor(old);

	if (next == NULL || next == sa)
		return;
	memcpy(next->takes_over, ike_sa_our_spi(sa), 8);
	ike_sa_put(next, fx);
}
