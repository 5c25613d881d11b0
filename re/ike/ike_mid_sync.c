// SPDX-License-Identifier: BSD-2-Clause
#include "ike_mid_sync.h"
#include "ike_frag.h"
#include "ike_priv.h"

enum { NONCE_LEN = 4, SYNC_LEN = 12, SENDS = 8, FIRST_MS = 500, MAX_MS = 16000, IV_MARK = 63 };

struct sync {
	uint8_t nonce[NONCE_LEN];
	uint32_t send, recv; /* of who says it: its next request, the next of the other */
};

static enum err sync_read(struct view data, struct sync *ret)
{
	struct reader r = rd_of_view(data);

	rd_bytes(&r, ret->nonce, NONCE_LEN);
	ret->send = rd_u32(&r);
	ret->recv = rd_u32(&r);
	return rd_done(&r) ? ERR_OK : ERR_LENGTH;
}

static void sync_put(struct ike_out *o, const struct sync *s)
{
	uint8_t data[SYNC_LEN];
	struct writer w = wr_of(data, sizeof(data));

	wr_bytes(&w, s->nonce, NONCE_LEN);
	wr_u32(&w, s->send);
	wr_u32(&w, s->recv);
	ike_out_notify(o, N_IKEV2_MESSAGE_ID_SYNC, wr_done(&w));
}

/* ---- what both can do ------------------------------------------------------------------------ */

/* The responder says only what the initiator has said. */
void ike_mid_sync_announce(const struct ike_sa *sa, struct ike_out *o)
{
	if (sa->initiator || sa->mid_sync)
		ike_out_notify(o, N_IKEV2_MESSAGE_ID_SYNC_SUPPORTED, (struct view){ NULL, 0 });
	if (sa->initiator || sa->replay_sync)
		ike_out_notify(o, N_IPSEC_REPLAY_COUNTER_SYNC_SUPPORTED, (struct view){ NULL, 0 });
}

void ike_mid_sync_agree(struct ike_sa *sa, const struct ike_in *in)
{
	sa->mid_sync = ike_content_notify(&in->c, N_IKEV2_MESSAGE_ID_SYNC_SUPPORTED) != NULL;
	sa->replay_sync = ike_content_notify(&in->c, N_IPSEC_REPLAY_COUNTER_SYNC_SUPPORTED) != NULL;
}

/* ---- sequence numbers ------------------------------------------------------------------------ */

static void skip(struct ike_sa *sa, bool inbound, uint32_t packets)
{
	struct env *env = sa->ike->env;
	struct list *at;

	list_each (at, &sa->children) {
		const struct child_sa *c = child_sa_at(at);

		env->runtime_skip(env, inbound ? c->slot_in : c->slot_out, packets);
	}
}

/* RFC 6311 5.2: four octets, or eight with ESN. */
static enum err delta_read(struct view data, uint32_t *ret)
{
	struct reader r = rd_of_view(data);
	uint64_t delta = data.len == 8 ? rd_u64(&r) : rd_u32(&r);

	if (!rd_done(&r))
		return ERR_LENGTH;
	if (delta > IKE_SYNC_DELTA_MAX)
		return ERR_RANGE;
	*ret = (uint32_t)delta;
	return ERR_OK;
}

static void delta_put(struct ike_out *o, uint32_t delta)
{
	uint8_t data[4];
	struct writer w = wr_of(data, sizeof(data));

	wr_u32(&w, delta);
	ike_out_notify(o, N_IPSEC_REPLAY_COUNTER_SYNC, wr_done(&w));
}

/* ---- messages -------------------------------------------------------------------------------- */

static void out_begin(struct ike_sa *sa, struct ike_out *o, bool response)
{
	struct ike_header h = ike_sa_header(sa, EX_INFORMATIONAL, response);

	h.id = 0; /* 5.1 */
	ike_out_begin(o, &h);
	payload_sk_open(o, &sa->choice.suite);
}

/* All these messages have ID 0: what never repeats in their IV is the claim that they are about. */
static struct view seal(struct ike_sa *sa, struct ike_out *o, uint32_t claim)
{
	uint8_t header[IKE_HEADER_LEN], iv[16];
	struct payload_sk_keys k;

	memcpy(header, o->buf, sizeof(header));
	struct writer w = wr_of(header + 20, 4);
	wr_u32(&w, claim);
	ike_sa_seal_keys(sa, header, IV_MARK, iv, &k);
	return payload_sk_finish(o, sa->ike->crypto, &sa->choice.suite, &k);
}

/* Every request of ours that has no answer, again, under a new message ID. */
static enum err ask_again(struct ike_sa *sa, struct effects *fx)
{
	int side = sa->initiator ? OF_INITIATOR : OF_RESPONDER;
	struct retry_policy policy = sa->win.policy;
	struct reader message = rd_of_view(blob_view(&sa->win.request));
	uint8_t plain[IKE_MESSAGE_MAX];
	struct ike_in in = { 0 };
	struct ike_out o;
	bool first = true;

	while (ike_frag_next(&message, &in.message)) {
		struct payload_sk_keys k = { .enc = sa->keys.e[side],
			                     .integ = sa->keys.a[side],
			                     .copy = plain,
			                     .cap = sizeof(plain) };
		struct view body;

		TRY(ike_header_read(in.message, &in.h));
		TRY(ike_sa_outer(&in, &body));
		TRY(payload_sk_read(sa->ike->crypto, &sa->choice.suite, &k, in.message, body,
		                    &in.plain));
		if (first) {
			ike_sa_out(sa, &o, (enum ike_exchange)in.h.exchange, false);
			o.buf[o.next_at] = in.first;
		}
		first = false;
		wr_view(&o.w, in.plain);
	}
	if (first)
		return ERR_OK; /* there was none */
	ike_window_answered(&sa->win);
	return ike_sa_ask(sa, ike_sa_seal(sa, &o, false), &policy, fx);
}

static void say(struct ike_sa *sa, const char *who, struct effects *fx)
{
	char to[ENDPOINT_TEXT_MAX];

	fx_event(fx, EVENT_IKE_SYNC, "gateway %s peer %s: %s, our IDs from %u, the peer's from %u",
	         sa->gw ? sa->gw->conf.name : "-", endpoint_text(&sa->remote, to), who,
	         sa->win.next_request, sa->win.next_expected);
}

/* ---- the member that took over --------------------------------------------------------------- */

static enum err claim(struct ike_sa *sa, struct effects *fx)
{
	struct sync s = { .send = sa->sync.claim, .recv = sa->win.next_expected };
	struct ike_out o;

	sa->ike->env->random(sa->ike->env, s.nonce, sizeof(s.nonce));
	memcpy(sa->sync.nonce, s.nonce, sizeof(s.nonce));
	out_begin(sa, &o, false);
	sync_put(&o, &s);
	if (sa->replay_sync)
		delta_put(&o, IKE_SYNC_PACKETS);
	struct view message = seal(sa, &o, s.send);
	if (message.len == 0)
		return ERR_CRYPTO;
	ike_sa_put(sa, fx); /* what was claimed is never claimed again */
	ike_sa_send(sa, &sa->local, &sa->remote, message, fx);
	return ERR_OK;
}

static void await(struct ike_sa *sa, uint64_t now)
{
	uint64_t ms = FIRST_MS << (sa->sync.sent - 1);

	sa->sync.retry_ms = now + (ms < MAX_MS ? ms : MAX_MS);
}

enum err ike_mid_sync_begin(struct ike_sa *sa, struct effects *fx)
{
	uint32_t ahead = sa->win.next_request + IKE_SYNC_IDS;

	if (sa->state != IKE_UP)
		return ERR_WRONG_STATE;
	skip(sa, false, IKE_SYNC_PACKETS);
	if (!sa->mid_sync)
		return ERR_UNSUPPORTED;
	if (ahead > IKE_ID_MOST)
		return ERR_RANGE;
	sa->sync.claim = ahead > sa->sync.claim ? ahead : sa->sync.claim + 1;
	sa->sync.sent = 1;
	await(sa, ike_sa_now(sa));
	sa->win.retry_ms = UINT64_MAX; /* what was asked is asked again afterwards */
	return claim(sa, fx);
}

bool ike_mid_sync_again(struct ike_sa *sa, uint64_t now, struct effects *fx)
{
	if (sa->sync.sent >= SENDS)
		return false;
	sa->sync.sent++;
	sa->sync.claim++;
	sa->ike->stats.retransmits++;
	await(sa, now);
	return claim(sa, fx) == ERR_OK;
}

/* RFC 6311 5.1: M2 is not below what was claimed, P2 not below what was expected. */
static void take_answer(struct ike_sa *sa, const struct sync *s, struct effects *fx)
{
	if (sa->sync.retry_ms == UINT64_MAX || memcmp(s->nonce, sa->sync.nonce, NONCE_LEN) != 0 ||
	    s->recv < sa->sync.claim || s->send < sa->win.next_expected || s->recv > IKE_ID_MOST ||
	    s->send > IKE_ID_MOST) {
		sa->ike->stats.unexpected++;
		return;
	}
	sa->sync.retry_ms = UINT64_MAX;
	sa->win.next_request = s->recv;
	ike_window_jump(&sa->win, s->send);
	if (sa->replay_sync) /* the peer's numbers are beyond this now: older ones are replayed */
		skip(sa, true, IKE_SYNC_PACKETS);
	sa->ike->stats.syncs++;
	say(sa, "we took over", fx);
	if (ask_again(sa, fx) != ERR_OK)
		sa->wish_delete = true;
	ike_sa_put(sa, fx);
	ike_sa_pump(sa, fx);
}

/* ---- its peer -------------------------------------------------------------------------------- */

static void take_claim(struct ike_sa *sa, const struct ike_in *in, const struct sync *s,
                       struct effects *fx)
{
	const struct payload_notify *d = ike_content_notify(&in->c, N_IPSEC_REPLAY_COUNTER_SYNC);
	struct sync reply = { .recv = s->send };
	uint32_t delta = 0;
	struct ike_out o;

	/* Silently where it is not higher than all before (5.1), or would leave no IDs. */
	if (s->send < sa->win.next_expected || s->send <= sa->sync.seen ||
	    s->send > IKE_ID_MOST - IKE_SYNC_IDS || s->recv > IKE_ID_MOST - IKE_SYNC_IDS ||
	    (d && (!sa->replay_sync || delta_read(d->data, &delta) != ERR_OK))) {
		sa->ike->stats.unexpected++;
		return;
	}
	memcpy(reply.nonce, s->nonce, NONCE_LEN);
	sa->sync.seen = s->send;
	ike_window_jump(&sa->win, s->send);
	if (s->recv > sa->win.next_request)
		sa->win.next_request = s->recv;
	reply.send = sa->win.next_request;
	skip(sa, false, delta);
	out_begin(sa, &o, true);
	sync_put(&o, &reply);
	struct view message = seal(sa, &o, s->send);
	ike_sa_put(sa, fx);
	ike_sa_send(sa, &in->local, &in->remote, message, fx);
	sa->ike->stats.syncs++;
	say(sa, "it took over", fx);
	if (ask_again(sa, fx) != ERR_OK)
		sa->wish_delete = true;
}

/* ---- receiving ------------------------------------------------------------------------------- */

bool ike_mid_sync_possible(const struct ike_sa *sa, const struct ike_header *h)
{
	return sa->mid_sync && sa->state == IKE_UP && h->id == 0 && h->exchange == EX_INFORMATIONAL;
}

bool ike_mid_sync_receive(struct ike_sa *sa, const struct ike_in *in, struct effects *fx)
{
	const struct payload_notify *n =
	        in->error == ERR_OK ? ike_content_notify(&in->c, N_IKEV2_MESSAGE_ID_SYNC) : NULL;
	struct sync s;

	if (n == NULL)
		return false;
	/* Nothing else is in it but how far sequence numbers skip (5.1). */
	bool alone = in->c.deletes_n == 0 && in->c.notifies <= 2 &&
	             in->c.notifies ==
	                     1 + (ike_content_notify(&in->c, N_IPSEC_REPLAY_COUNTER_SYNC) != NULL);
	if (!alone || sync_read(n->data, &s) != ERR_OK)
		sa->ike->stats.malformed++;
	else if (in->h.flags & IKE_FLAG_RESPONSE)
		take_answer(sa, &s, fx);
	else
		take_claim(sa, in, &s, fx);
	return true;
}
