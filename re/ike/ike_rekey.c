// SPDX-License-Identifier: BSD-2-Clause
/* What takes over from what (RFC 7296 2.8, 2.8.1, 2.25): which of two rekeys that crossed is
 * redundant, who deletes the old SA and when, when a rekey is tried again.
 *
 * Whoever asked for the SA that takes over deletes the old one, a moment after traffic has moved.
 * Of two that crossed, the one whose exchange had the lowest of the four nonces is redundant, and
 * who asked for it deletes it. Both ends come to the same result whichever answer arrives first. */
#include "ex_child.h"
#include "ike_priv.h"

#include <stdlib.h>

enum {
	PEERS_PART_MS = 60000, /* the peer is to delete an IKE SA; when it does not, we do */
	AGAIN_FIRST_MS = 1000,
	AGAIN_MAX_MS = 60000,
	TRIES_MAX = 16,
};

/* ---- nonces ---------------------------------------------------------------------------------- */

/* As octets from the first (2.8.1); what ends first is lower. */
static int compare(struct view a, struct view b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int d = memcmp(a.p, b.p, n);

	return d ? d : (a.len > b.len) - (a.len < b.len);
}

static struct view lower_of(const struct creation *cr)
{
	struct view i = blob_view(&cr->nonce_i), r = blob_view(&cr->nonce_r);

	return compare(i, r) < 0 ? i : r;
}

static bool is_redundant(const struct creation *ours)
{
	const struct rival *r = &ours->rival;

	return compare(lower_of(ours), (struct view){ r->nonce, r->nonce_len }) < 0;
}

/* Is the peer's, which we answer, about the same SA as ours that is on its way? */
static bool crosses(const struct ike_sa *sa, const struct creation *peers)
{
	const struct creation *ours = sa->create;

	if (!ex_child_asking(sa) || ours->kind != peers->kind)
		return false;
	return peers->kind == CREATE_REKEY ? ours->spi_old == peers->spi_old
	                                   : ours->tunnel == peers->tunnel;
}

static void note_rival(struct creation *ours, const struct creation *peers)
{
	struct view low = lower_of(peers);
	struct rival *r = &ours->rival;

	r->spi_in = peers->kind == CREATE_REKEY_IKE ? 0 : peers->spi_in;
	memcpy(r->ike_spi, peers->spi_r, 8);
	r->nonce_len = (uint16_t)low.len;
	memcpy(r->nonce, low.p, low.len); /* a nonce has 256 bytes at most */
}

/* ---- children -------------------------------------------------------------------------------- */

static void replace(struct child_sa *old, bool ours_to_delete, struct effects *fx)
{
	old->ours_to_delete = ours_to_delete;
	(void)child_step(old, CHILD_EV_REPLACED, fx);
}

static struct child_sa *rival_child(struct ike_sa *sa, const struct creation *cr)
{
	struct child_sa *c = cr->rival.nonce_len ? child_sa_by_spi_in(sa, cr->rival.spi_in) : NULL;

	return c && child_sa_alive(c) ? c : NULL;
}

/* Its Delete overtook the answer that made it. */
static bool peer_deleted(const struct creation *cr, const struct child_sa *c)
{
	for (size_t i = 0; i < cr->peer_deleted_n; i++)
		if (cr->peer_deleted[i] == c->spi_out)
			return true;
	return false;
}

/* The peer goes on from the child that ours is a rival of: the rivalry is with its successor. */
static void rival_rekeyed(struct ike_sa *sa, const struct child_sa *old, const struct child_sa *c)
{
	struct creation *ours = sa->create;

	if (ex_child_asking(sa) && ours->rival.nonce_len && ours->rival.spi_in == old->spi_in)
		ours->rival.spi_in = c->spi_in;
}

static void say_child(const struct child_sa *c, uint32_t old, const struct tunnel *t,
                      struct effects *fx)
{
	if (old == 0)
		ex_child_say_up(c, t, fx);
	else
		fx_event(fx, EVENT_IKE_CHILD_REKEYED,
		         "tunnel %u vpn %s spi in 0x%08x after 0x%08x out 0x%08x", c->tunnel,
		         t->conf.vpn, c->spi_in, old, c->spi_out);
}

void ike_rekey_child_answered(struct ike_sa *sa, const struct creation *cr, struct child_sa *c,
                              struct effects *fx)
{
	struct child_sa *old = child_sa_by_spi_in(sa, cr->spi_old);
	struct tunnel *t = ike_tunnel_by_index(sa->ike, cr->tunnel);

	(void)child_step(c, ike_tunnel_sends(t) ? CHILD_EV_INSTALL_BESIDE : CHILD_EV_INSTALL, fx);
	say_child(c, cr->spi_old, t, fx);
	if (crosses(sa, cr))
		note_rival(sa->create, cr); /* settled when ours is answered */
	else if (old) {
		rival_rekeyed(sa, old, c);
		replace(old, false, fx);
	}
	ike_tunnel_child_up(sa, t);
}

void ike_rekey_child_made(struct ike_sa *sa, const struct creation *cr, struct child_sa *c,
                          struct effects *fx)
{
	struct child_sa *old = child_sa_by_spi_in(sa, cr->spi_old);
	struct child_sa *rival = rival_child(sa, cr);
	struct tunnel *t = ike_tunnel_by_index(sa->ike, cr->tunnel);

	ike_tunnel_child_up(sa, t);
	if (rival && is_redundant(cr)) {
		replace(c, true, fx);
		c->wish_delete = true;
		if (old)
			replace(old, false, fx);
		return;
	}
	(void)child_step(c, CHILD_EV_INSTALL, fx);
	say_child(c, cr->spi_old, t, fx);
	if (rival)
		replace(rival, false, fx);
	if (old)
		replace(old, true, fx);
	else if (ike_reauth_takes_over(sa))
		ike_tunnel_take_over(sa, t, fx);
	if (peer_deleted(cr, c))
		c->wish_delete = true; /* so is our half of it */
}

/* ---- IKE SAs --------------------------------------------------------------------------------- */

enum err ike_rekey_make(struct ike_sa *old, const struct creation *cr, struct view secret,
                        struct ike_sa **ret, struct effects *fx)
{
	struct ike *ike = old->ike;
	struct ike_sa *sa = ike_sa_alloc(ike);
	struct ike_seed seed = { .nonce_i = blob_view(&cr->nonce_i),
		                 .nonce_r = blob_view(&cr->nonce_r),
		                 .spi_i = cr->spi_i,
		                 .spi_r = cr->spi_r,
		                 .secret = secret };

	if (sa == NULL)
		return ERR_MEMORY;
	enum err e = ike_keys_rekey(ike->crypto, &cr->ike.suite, &seed, old->choice.suite.prf,
	                            old->keys.d, &sa->keys);
	if (e != ERR_OK) {
		ike_sa_free(sa);
		return e;
	}
	sa->initiator = cr->initiator;
	memcpy(sa->spi_i, cr->spi_i, 8);
	memcpy(sa->spi_r, cr->spi_r, 8);
	sa->choice = cr->ike;
	sa->ke = cr->ike.suite.ke;
	sa->keyed = true;
	sa->index = ike->next_index++;
	ike_hang(ike, sa);
	*ret = sa;
	return ike_step(sa, EV_INHERIT, old, fx);
}

/* What an IKE SA is born with, apart from its keys (2.8, BH-SPU-24). */
enum err ike_rekey_inherit(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	const struct ike_sa *old = arg;

	sa->anchor = old->anchor;
	sa->local = old->local;
	sa->remote = old->remote;
	sa->natd = old->natd;
	sa->udp_encap = old->udp_encap;
	sa->fragmentation = old->fragmentation; /* RFC 7383 2.3 */
	sa->mid_sync = old->mid_sync;           /* RFC 6311 4 */
	sa->replay_sync = old->replay_sync;
	sa->mobike = old->mobike;
	sa->wish_challenge = old->wish_challenge || old->challenged;
	sa->wish_probe = sa->wish_challenge;
	sa->ppk = old->ppk; /* by its SK_d */
	sa->gw = old->gw;
	ike_reauth_inherit(sa, old);
	TRY(ike_id_keep(&sa->local_id, ike_sa_local_id(old)));
	TRY(ike_id_keep(&sa->peer_id, ike_sa_peer_id(old)));
	ike_hang_id(sa->ike, sa);
	ike_tunnel_join(sa, old->tunnel);
	ike_sa_live(sa);
	ike_reauth_hasten(sa, old);
	ike_sa_put(sa, fx);
	return ERR_OK;
}

/* Another SA of the peer may still wait to hear whether `old` takes over from it. */
static void rival_succeeded(struct ike_sa *old, const struct ike_sa *sa, struct effects *fx)
{
	struct list *at;

	list_each (at, &old->same_id) {
		struct ike_sa *other = CONTAINER_OF(at, struct ike_sa, same_id);
		struct rival *r = ex_child_asking(other) ? &other->create->rival : NULL;

		if (r == NULL || other->create->kind != CREATE_REKEY_IKE || r->nonce_len == 0 ||
		    memcmp(r->ike_spi, ike_sa_our_spi(old), 8) != 0)
			continue;
		memcpy(r->ike_spi, ike_sa_our_spi(sa), 8);
		ike_sa_put(other, fx);
	}
}

static void succeed(struct ike_sa *old, struct ike_sa *sa, bool ours_to_delete, struct effects *fx)
{
	struct list *at;

	while ((at = old->children.next) != &old->children)
		child_sa_move(child_sa_at(at), sa, fx);
	rival_succeeded(old, sa, fx);
	/* It was to make way for another, or is not wanted: so is what takes over from it. */
	uint64_t ends_ms = old->wish_delete ? ike_sa_now(old) : old->delete_at_ms;
	if (ends_ms < sa->delete_at_ms)
		sa->delete_at_ms = ends_ms;
	sa->stray_spi = old->stray_spi;
	old->stray_spi = 0;
	ike_reauth_follow(old, sa, fx);
	old->delete_at_ms = ike_sa_now(old) + (ours_to_delete ? 0 : PEERS_PART_MS);
	(void)!ike_step(old, EV_REPLACED, NULL, fx);
	ike_sa_put(sa, fx);
	ike_sa_put(old, fx);
	ike_sa_touch(old);
	ike_sa_touch(sa);
	fx_event(fx, EVENT_IKE_SA_REKEYED, "index %u after %u gateway %s", sa->index, old->index,
	         sa->gw ? sa->gw->conf.name : "-");
}

enum err ike_rekey_retire(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	(void)arg;
	if (sa->create && !sa->create->asked)
		ex_child_abandon(sa, fx);
	sa->wish_probe = sa->wish_rekey = false;
	sa->replaced = true;
	sa->soft_ms = sa->hard_ms = sa->dpd_ms = sa->keepalive_ms = UINT64_MAX;
	sa->reauth_ms = UINT64_MAX;
	ike_gateway_leave(sa);
	return ERR_OK;
}

static struct ike_sa *rival_ike(struct ike_sa *sa, const struct creation *cr)
{
	struct ike_sa *r = cr->rival.nonce_len ? ike_by_spi(sa->ike, cr->rival.ike_spi) : NULL;

	return r && r->state == IKE_UP && !r->wish_delete ? r : NULL;
}

void ike_rekey_answered(struct ike_sa *old, const struct creation *cr, struct ike_sa *sa,
                        struct effects *fx)
{
	if (!crosses(old, cr)) {
		succeed(old, sa, false, fx);
		return;
	}
	note_rival(old->create, cr); /* settled when ours is answered */
	ike_sa_put(old, fx);
	ike_sa_touch(sa);
}

void ike_rekey_made(struct ike_sa *old, const struct creation *cr, struct ike_sa *sa,
                    struct effects *fx)
{
	struct ike_sa *rival = rival_ike(old, cr);

	if (rival && is_redundant(cr)) {
		sa->delete_at_ms = ike_sa_now(sa);
		ike_sa_touch(sa);
		succeed(old, rival, false, fx);
		return;
	}
	if (rival) { /* the peer deletes it; if not, we do */
		rival->delete_at_ms = ike_sa_now(rival) + PEERS_PART_MS;
		ike_sa_put(rival, fx);
		ike_sa_touch(rival);
	}
	succeed(old, sa, true, fx);
}

/* ---- when it does not work ------------------------------------------------------------------- */

bool ike_rekey_yield(struct ike_sa *sa, const struct creation *cr, struct effects *fx)
{
	struct child_sa *old = child_sa_by_spi_in(sa, cr->spi_old);
	struct ike_sa *ike = cr->kind == CREATE_REKEY_IKE ? rival_ike(sa, cr) : NULL;

	if (ike) {
		succeed(sa, ike, false, fx);
		return true;
	}
	if (cr->kind == CREATE_REKEY_IKE || rival_child(sa, cr) == NULL)
		return false;
	if (old)
		replace(old, false, fx);
	return true;
}

static uint64_t again_ms(struct ike_sa *sa, uint8_t *tries)
{
	uint64_t wait = AGAIN_FIRST_MS << (*tries < 6 ? *tries : 6);

	if (wait > AGAIN_MAX_MS)
		wait = AGAIN_MAX_MS;
	if (*tries < TRIES_MAX)
		(*tries)++;
	return ike_sa_now(sa) + wait + ike_sa_random32(sa->ike) % (uint32_t)wait;
}

void ike_rekey_failed(struct ike_sa *sa, const struct creation *cr, const char *why,
                      struct effects *fx)
{
	struct child_sa *old = child_sa_by_spi_in(sa, cr->spi_old);
	struct tunnel *t = ike_tunnel_by_index(sa->ike, cr->tunnel);
	const char *name = sa->gw ? sa->gw->conf.name : "-";

	if (cr->kind == CREATE_NEW && t) {
		ike_tunnel_back_off(sa->ike, t);
	} else if (cr->kind == CREATE_REKEY && old) {
		old->next_ms = again_ms(sa, &old->tries);
		old->wish_delete |= old->spent; /* LT-06 */
		fx_event(fx, EVENT_IKE_REKEY_FAILED, "gateway %s tunnel %u spi 0x%08x: %s", name,
		         old->tunnel, old->spi_in, why);
	} else if (cr->kind == CREATE_REKEY_IKE) {
		sa->soft_ms = again_ms(sa, &sa->tries);
		fx_event(fx, EVENT_IKE_REKEY_FAILED, "gateway %s index %u: %s", name, sa->index,
		         why);
	}
}
