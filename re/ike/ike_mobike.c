// SPDX-License-Identifier: BSD-2-Clause
#include "ike_mobike.h"
#include "ike_priv.h"
#include "secret.h"

enum { COOKIE_MIN = 8, COOKIE_MAX = 64 };

static const struct view nothing = { NULL, 0 };

/* ---- IKE_AUTH -------------------------------------------------------------------------------- */

void ike_mobike_agree(struct ike_sa *sa, const struct ike_in *in)
{
	sa->mobike = !sa->initiator && ike_content_notify(&in->c, N_MOBIKE_SUPPORTED) != NULL;
}

void ike_mobike_announce(const struct ike_sa *sa, struct ike_out *o)
{
	if (sa->mobike)
		ike_out_notify(o, N_MOBIKE_SUPPORTED, nothing);
}

/* ---- moving ---------------------------------------------------------------------------------- */

/* 3.9, 4.2.6: addresses, then ports, as the sender believes in them. */
static bool as_sent(const struct view said, const struct ike_in *in)
{
	size_t len = addr_len(&in->remote.addr);
	struct reader r = rd_of_view(said);
	struct view from = rd_view(&r, len), to = rd_view(&r, len);
	uint16_t from_port = rd_u16(&r), to_port = rd_u16(&r);

	return rd_done(&r) && view_equal(from, (struct view){ in->remote.addr.b, len }) &&
	       view_equal(to, (struct view){ in->local.addr.b, len }) &&
	       from_port == in->remote.port && to_port == in->local.port;
}

static bool asks_for_nat(const struct ike_in *in)
{
	return ike_content_notify(&in->c, N_NAT_DETECTION_SOURCE_IP) != NULL &&
	       ike_content_notify(&in->c, N_NAT_DETECTION_DESTINATION_IP) != NULL;
}

static bool has_ah(const struct ike_sa *sa)
{
	struct list *at;

	list_each (at, (struct list *)(uintptr_t)&sa->children)
		if (child_sa_at(at)->protocol == PROTO_AH)
			return true;
	return false;
}

static bool acceptable(const struct ike_sa *sa, const struct ike_in *in, bool udp)
{
	return sa->gw && ike_gateway_fits(sa->gw, &in->local.addr, &in->remote.addr) &&
	       !(udp && has_ah(sa));
}

/* Everything in its new place; the peer has to show that it is there. */
static void move(struct ike_sa *sa, const struct ike_in *in, const struct ike_natd *natd, bool udp,
                 struct effects *fx)
{
	bool same = endpoint_equal(&sa->remote, &in->remote) &&
	            endpoint_equal(&sa->local, &in->local) && udp == sa->udp_encap;
	bool elsewhere = !addr_equal(&sa->remote.addr, &in->remote.addr);

	sa->natd = *natd;
	sa->udp_encap = udp;
	sa->keepalive_ms = natd->local ? ike_sa_now(sa) : UINT64_MAX;
	if (!same)
		ike_move(sa, &in->local, &in->remote, "MOBIKE", fx);
	if (elsewhere)
		sa->wish_challenge = sa->wish_probe = true;
}

/* 3.5. 0, or the error that the answer names: then nothing has changed. */
static uint16_t update(struct ike_sa *sa, const struct ike_in *in, struct effects *fx)
{
	const struct payload_notify *no_nats = ike_content_notify(&in->c, N_NO_NATS_ALLOWED);
	const struct endpoint at[2] = { in->local, in->remote };
	struct ike_natd natd = sa->natd;

	if (in->h.id < sa->mobike_id)
		return 0; /* it was overtaken by a newer one */
	sa->mobike_id = in->h.id;
	if (no_nats && !as_sent(no_nats->data, in))
		return N_UNEXPECTED_NAT_DETECTED;
	if (asks_for_nat(in) && sa->gw && !sa->gw->conf.no_nat_traversal &&
	    ike_natd_check(sa->ike->crypto, &in->h, &in->c, at, &natd) != ERR_OK)
		return N_UNACCEPTABLE_ADDRESSES;
	bool forced = sa->gw && sa->gw->conf.force_udp_encap;
	bool udp = natd.seen && in->local.port != 500 && (natd.local || natd.remote || forced);
	if (!acceptable(sa, in, udp))
		return N_UNACCEPTABLE_ADDRESSES;
	move(sa, in, &natd, udp, fx);
	return 0;
}

static void refuse(const struct ike_sa *sa, const struct ike_in *in, uint16_t notify,
                   struct ike_out *o, struct effects *fx)
{
	char from[ENDPOINT_TEXT_MAX], what[32];

	ike_out_notify(o, notify, nothing);
	fx_event(fx, EVENT_IKE_MOVE_REFUSED, "index %u gateway %s to %s: %s", sa->index,
	         sa->gw ? sa->gw->conf.name : "-", endpoint_text(&in->remote, from),
	         notify_text(notify, what));
}

enum err ike_mobike_answer(struct ike_sa *sa, const struct ike_in *in, struct ike_out *o,
                           struct effects *fx)
{
	const struct payload_notify *cookie = ike_content_notify(&in->c, N_COOKIE2);
	struct ike_header h = ike_sa_header(sa, EX_INFORMATIONAL, true);
	uint16_t refused = 0;

	if (!sa->mobike)
		return ERR_OK;
	if (ike_content_notify(&in->c, N_UPDATE_SA_ADDRESSES) && sa->state == IKE_UP)
		refused = update(sa, in, fx);
	if (refused)
		refuse(sa, in, refused, o, fx);
	if (asks_for_nat(in) && sa->gw && !sa->gw->conf.no_nat_traversal)
		TRY(ike_natd_put(sa->ike->crypto, &h, &in->local, &in->remote, o));
	if (cookie && cookie->data.len >= COOKIE_MIN && cookie->data.len <= COOKIE_MAX)
		ike_out_notify(o, N_COOKIE2, cookie->data);
	return ERR_OK;
}

/* ---- is it there? ---------------------------------------------------------------------------- */

void ike_mobike_challenge(struct ike_sa *sa, struct ike_out *o)
{
	if (!sa->wish_challenge)
		return;
	sa->wish_challenge = false;
	sa->challenged = true;
	sa->ike->env->random(sa->ike->env, sa->challenge, sizeof(sa->challenge));
	ike_out_notify(o, N_COOKIE2, (struct view){ sa->challenge, sizeof(sa->challenge) });
}

bool ike_mobike_answered(struct ike_sa *sa, const struct ike_in *in)
{
	const struct payload_notify *cookie = ike_content_notify(&in->c, N_COOKIE2);
	struct view asked = { sa->challenge, sizeof(sa->challenge) };

	if (!sa->challenged)
		return true;
	sa->challenged = false;
	return cookie && secret_equal(cookie->data, asked);
}
