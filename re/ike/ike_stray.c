// SPDX-License-Identifier: BSD-2-Clause
/* Messages outside of any SA of ours, and unprotected ones that pretend to belong to one (RFC 7296
 * 2.5, 2.21.4). What is said back is not authentic and changes nothing here; it is shorter than
 * what was asked, goes to peers that are configured only, and a few times a second. */
#include "ike_priv.h"

enum { A_SECOND = 10, ANSWER_LEN = IKE_HEADER_LEN + 8 };

static bool may_answer(struct ike *ike, const struct ike_in *in)
{
	uint64_t now = ike->env->now_ms(ike->env);
	bool known = false;

	for (size_t i = 0; i < ike->gateways; i++)
		known |= ike_gateway_fits(ike->gateway[i], &in->local.addr, &in->remote.addr);
	if (!known || in->h.flags & IKE_FLAG_RESPONSE || in->message.len < ANSWER_LEN)
		return false;
	if (now - ike->stray_ms >= 1000) {
		ike->stray_ms = now;
		ike->stray_answers = 0;
	}
	return ike->stray_answers++ < A_SECOND;
}

/* SPIs, exchange and message ID as in the request; the version is ours. */
static void answer(struct ike *ike, const struct ike_in *in, uint16_t type, struct effects *fx)
{
	struct ike_header h = in->h;
	struct ike_out o;

	if (!may_answer(ike, in))
		return;
	h.flags = (uint8_t)(IKE_FLAG_RESPONSE | (~in->h.flags & IKE_FLAG_INITIATOR));
	ike_out_begin(&o, &h);
	ike_out_notify(&o, type, (struct view){ NULL, 0 });
	struct fx_send send = { in->local, in->remote, ike_out_finish(&o), -1 };
	fx_send(fx, &send);
	ike->stats.datagrams_out++;
	ike->stats.stray_answers++;
}

void ike_stray_version(struct ike *ike, const struct ike_in *in, struct effects *fx)
{
	char from[ENDPOINT_TEXT_MAX];

	ike->stats.bad_version++;
	fx_event(fx, EVENT_IKE_VERSION, "from %s: %u.%u", endpoint_text(&in->remote, from),
	         in->h.version >> 4, in->h.version & 0xf);
	if ((in->h.version & 0xf0) > IKE_VERSION_2)
		answer(ike, in, N_INVALID_MAJOR_VERSION, fx);
}

void ike_stray_spi(struct ike *ike, const struct ike_in *in, struct effects *fx)
{
	ike->stats.unknown_spi++;
	answer(ike, in, N_INVALID_IKE_SPI, fx);
}

bool ike_stray_hint(struct ike_sa *sa, struct ike_in *in, struct effects *fx)
{
	struct reader r = rd_of_view(in->message);
	char from[ENDPOINT_TEXT_MAX], what[32];
	struct ike_payloads p;

	rd_skip(&r, IKE_HEADER_LEN);
	if (!(in->h.flags & IKE_FLAG_RESPONSE) || ike_payloads_read(r, in->h.next, &p) != ERR_OK ||
	    ike_content_read(&p, &in->c) != ERR_OK)
		return false;
	const struct payload_notify *error = ike_content_error(&in->c);
	if (error == NULL)
		return false;
	sa->ike->stats.unexpected++;
	fx_event(fx, EVENT_IKE_UNPROTECTED, "from %s: %s", endpoint_text(&in->remote, from),
	         notify_text(error->type, what));
	return true;
}
