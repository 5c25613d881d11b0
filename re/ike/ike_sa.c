// SPDX-License-Identifier: BSD-2-Clause
#include "ike_priv.h"
#include "anchor.h"
#include "ex_child.h"
#include "ike_frag.h"

#include <stdlib.h>

enum {
	NEGOTIATION_MS = 60000, /* half-open, or a job that never ends */
	LINGER_MS = 30000,      /* in IKE_ENDED */
};

uint64_t ike_sa_now(const struct ike_sa *sa)
{
	return sa->ike->env->now_ms(sa->ike->env);
}

uint32_t ike_sa_random32(struct ike *ike)
{
	uint32_t x;

	ike->env->random(ike->env, &x, sizeof(x));
	return x;
}

const uint8_t *ike_sa_our_spi(const struct ike_sa *sa)
{
	return sa->initiator ? sa->spi_i : sa->spi_r;
}

bool ike_sa_half_open(const struct ike_sa *sa)
{
	return sa->state == IKE_ANSWERING || sa->state == IKE_INIT_ANSWERED ||
	       sa->state == IKE_ENDED;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void no_deadlines(struct ike_sa *sa, uint64_t now)
{
	sa->created_ms = now;
	sa->give_up_ms = now + NEGOTIATION_MS;
	sa->soft_ms = sa->hard_ms = sa->delete_at_ms = sa->reauth_ms = UINT64_MAX;
	sa->dpd_ms = sa->keepalive_ms = sa->store_ms = sa->sync.retry_ms = UINT64_MAX;
}

struct ike_sa *ike_sa_alloc(struct ike *ike)
{
	struct ike_sa *sa = calloc(1, sizeof(*sa));

	if (sa == NULL)
		return NULL;
	sa->ike = ike;
	sa->due.fire = ike_sa_timeout;
	list_init(&sa->same_id);
	list_init(&sa->of_tunnel);
	list_init(&sa->of_gateway);
	list_init(&sa->of_turn);
	list_init(&sa->of_ended);
	list_init(&sa->children);
	list_init(&sa->frags);
	ike_window_init(&sa->win);
	no_deadlines(sa, ike->env->now_ms(ike->env));
	return sa;
}

enum err ike_sa_new(struct ike *ike, bool initiator, uint8_t anchor, const uint8_t *spi_i,
                    struct ike_sa **ret)
{
	struct ike_sa *sa = ike_sa_alloc(ike);

	if (sa == NULL)
		return ERR_MEMORY;
	sa->initiator = initiator;
	sa->anchor = anchor;
	uint8_t *ours = initiator ? sa->spi_i : sa->spi_r;
	do {
		anchor_new_ike_spi(ike->env, anchor, ours);
	} while (ike_by_spi(ike, ours) != NULL);
	if (!initiator)
		memcpy(sa->spi_i, spi_i, 8);
	sa->index = ike->next_index++;
	ike_hang(ike, sa);
	*ret = sa;
	return ERR_OK;
}

void ike_sa_free(struct ike_sa *sa)
{
	struct list *at, *after;

	if (sa == NULL)
		return;
	list_each_safe (at, after, &sa->children)
		child_sa_free(child_sa_at(at));
	ike_frag_forget(sa);
	creation_free(sa->ike, sa->create);
	creation_free(sa->ike, sa->answering);
	ike_window_done(&sa->win);
	blob_clear(&sa->nonce_i);
	blob_clear(&sa->nonce_r);
	blob_clear(&sa->init_request);
	blob_clear(&sa->init_response);
	blob_clear(&sa->cookie);
	free(sa->local_id);
	free(sa->peer_id);
	dh_key_free(sa->dh);
	ike_keys_wipe(&sa->keys);
	free(sa);
}

static void delete_records(struct ike_sa *sa, struct effects *fx)
{
	struct record_key key = record_key_ike_sa(ike_sa_our_spi(sa));

	while (!list_empty(&sa->children))
		child_sa_drop(sa, child_sa_at(sa->children.next), fx);
	if (sa->recorded)
		ike_turn_del(sa->ike, &key, fx);
	sa->recorded = false;
	if (sa->up_ms) {
		char to[ENDPOINT_TEXT_MAX];

		sa->ike->stats.down++;
		sa->up_ms = 0;
		if (sa->replaced)
			return; /* its end is no news */
		fx_event(fx, EVENT_IKE_SA_DOWN, "index %u gateway %s peer %s", sa->index,
		         sa->gw ? sa->gw->conf.name : "-", endpoint_text(&sa->remote, to));
	}
}

void ike_sa_bury(struct ike_sa *sa, struct effects *fx)
{
	struct tunnel *t = sa->tunnel;

	ex_child_abandon(sa, fx);
	delete_records(sa, fx);
	if (sa->negotiating) {
		sa->negotiating = false;
		ike_tunnel_failed(sa->ike, t);
	}
	ike_unhang(sa->ike, sa);
}

void ike_sa_end(struct ike_sa *sa, struct effects *fx)
{
	ex_child_abandon(sa, fx);
	delete_records(sa, fx);
	ike_gateway_leave(sa);
	ike_window_answered(&sa->win); /* nothing of ours matters any more */
	sa->wish_delete = sa->wish_probe = false;
	list_add_tail(&sa->of_ended, &sa->ike->ended);
	no_deadlines(sa, sa->created_ms);
	sa->give_up_ms = ike_sa_now(sa) + LINGER_MS;
}

enum err ike_sa_forget(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	(void)sa;
	(void)arg;
	(void)fx;
	return ERR_OK;
}

void ike_sa_live(struct ike_sa *sa)
{
	uint64_t now = ike_sa_now(sa), life = (uint64_t)sa->choice.lifetime_s * 1000;

	sa->up_ms = now;
	sa->give_up_ms = UINT64_MAX;
	sa->heard_ms = now;
	if (life) {
		sa->hard_ms = now + life;
		sa->soft_ms = now + ike_soft_ms(sa->ike, sa->initiator, life);
	}
	ike_dpd_arm(sa, now);
	if (sa->natd.local && sa->gw)
		sa->keepalive_ms = now + ike_nat_keepalive_ms(sa);
	ike_gateway_join(sa);
	sa->ike->stats.up++;
}

/* ---- messages -------------------------------------------------------------------------------- */

struct ike_header ike_sa_header(const struct ike_sa *sa, enum ike_exchange ex, bool response)
{
	struct ike_header h = { .exchange = (uint8_t)ex };

	memcpy(h.spi_i, sa->spi_i, 8);
	memcpy(h.spi_r, sa->spi_r, 8);
	h.flags = (uint8_t)((sa->initiator ? IKE_FLAG_INITIATOR : 0) |
	                    (response ? IKE_FLAG_RESPONSE : 0));
	h.id = response ? ike_window_at_work(&sa->win) : sa->win.next_request;
	return h;
}

void ike_sa_out(const struct ike_sa *sa, struct ike_out *o, enum ike_exchange ex, bool response)
{
	struct ike_header h = ike_sa_header(sa, ex, response);

	ike_out_begin(o, &h);
	payload_sk_open(o, &sa->choice.suite);
}

/* For AEAD: what never repeats under one key (message ID, direction, fragment; retransmissions are
 * the same bytes), and 25 random bits, so that even a message ID used twice by a mistake would
 * hardly repeat it. For CBC all of it is random. */
void ike_sa_seal_keys(struct ike_sa *sa, const uint8_t *header, uint16_t fragment, uint8_t iv[16],
                      struct payload_sk_keys *ret)
{
	int side = sa->initiator ? OF_INITIATOR : OF_RESPONDER;

	sa->ike->env->random(sa->ike->env, iv, 16);
	if (sa->choice.suite.cipher->icv_len) {
		memcpy(iv, header + 20, 4);
		iv[4] = (uint8_t)((header[19] & IKE_FLAG_RESPONSE ? 0x80 : 0) | fragment << 1 |
		                  (iv[4] & 1));
	}
	*ret = (struct payload_sk_keys){ .enc = sa->keys.e[side],
		                         .integ = sa->keys.a[side],
		                         .iv = iv };
}

/* How long it is when it is sealed as one. */
static size_t sealed_len(const struct ike_out *o, const struct ike_suite *s)
{
	size_t content = wr_len(&o->w) - o->sk_at - 4 - s->cipher->iv_len + 1;

	return wr_len(&o->w) + 1 +
	       (s->cipher->block - content % s->cipher->block) % s->cipher->block +
	       payload_sk_icv_len(s);
}

struct view ike_sa_seal(struct ike_sa *sa, struct ike_out *o, bool response)
{
	const struct ike_suite *s = &sa->choice.suite;
	struct payload_sk_keys k;
	uint8_t iv[16];

	(void)response; /* the header says so */
	sa->too_long = false;
	if (o->w.bad || sealed_len(o, s) > ike_frag_limit(sa))
		return ike_frag_seal(sa, o);
	ike_sa_seal_keys(sa, o->buf, 0, iv, &k);
	return payload_sk_finish(o, sa->ike->crypto, s, &k);
}

void ike_sa_read(struct ike_in *in)
{
	struct ike_payloads inner;

	in->error = ike_payloads_read(rd_of_view(in->plain), in->first, &inner);
	if (in->error == ERR_OK)
		in->error = ike_rules_check(&in->h, IKE_ENCRYPTED, &inner, &in->bad_type);
	if (in->error == ERR_OK)
		in->error = ike_content_read(&inner, &in->c);
	if (in->error != ERR_OK && in->error != ERR_UNSUPPORTED)
		in->error = ERR_SYNTAX;
}

enum err ike_sa_outer(struct ike_in *in, struct view *ret_body)
{
	struct reader r = rd_of_view(in->message);
	struct ike_payloads outer;

	rd_skip(&r, IKE_HEADER_LEN);
	TRY(ike_payloads_read(r, in->h.next, &outer));
	if (outer.n != 1)
		return ERR_SYNTAX;
	in->first = outer.inner;
	*ret_body = outer.at[0].body;
	if (outer.at[0].type == PL_SKF) {
		TRY(payload_skf_read(outer.at[0].body, &in->skf));
		*ret_body = in->skf.rest;
		return ERR_OK;
	}
	return outer.at[0].type == PL_SK ? ERR_OK : ERR_SYNTAX;
}

enum err ike_sa_open(struct ike_sa *sa, struct ike_in *in, struct view body, uint8_t *plain)
{
	int side = sa->initiator ? OF_RESPONDER : OF_INITIATOR;
	struct payload_sk_keys k = { .enc = sa->keys.e[side],
		                     .integ = sa->keys.a[side],
		                     .copy = plain,
		                     .cap = IKE_MESSAGE_MAX };

	return payload_sk_read(sa->ike->crypto, &sa->choice.suite, &k, in->message, body,
	                       &in->plain);
}

void ike_sa_send_as(struct ike_sa *sa, const struct fx_send *as, struct effects *fx)
{
	struct reader message = rd_of_view(as->bytes);
	struct fx_send one = *as;
	uint32_t n = 0;

	while (ike_frag_next(&message, &one.bytes)) {
		fx_send(fx, &one);
		n++;
	}
	sa->packets_out += n;
	sa->sent_ms = ike_sa_now(sa);
	sa->bytes_out += as->bytes.len;
	sa->ike->stats.datagrams_out += n;
	if (n > 1) {
		sa->fragments_out += n;
		sa->ike->stats.fragments_out += n;
	}
}

void ike_sa_send(struct ike_sa *sa, const struct endpoint *local, const struct endpoint *remote,
                 struct view message, struct effects *fx)
{
	struct fx_send send = { *local, *remote, message, -1 };

	ike_sa_send_as(sa, &send, fx);
}

/* It could not be sealed. */
static enum err unsealed(struct ike_sa *sa, struct effects *fx)
{
	char to[ENDPOINT_TEXT_MAX];

	if (sa->too_long) {
		sa->ike->stats.too_long++;
		fx_event(fx, EVENT_IKE_MESSAGE_TOO_LONG, "gateway %s peer %s",
		         sa->gw ? sa->gw->conf.name : "-", endpoint_text(&sa->remote, to));
	}
	return ERR_FULL;
}

enum err ike_sa_ask_after(struct ike_sa *sa, struct view message, const struct retry_policy *policy,
                          int anchor, struct effects *fx)
{
	struct fx_send send = { sa->local, sa->remote, message, anchor };

	if (message.len == 0)
		return unsealed(sa, fx);
	TRY(ike_window_ask(&sa->win, message, policy, ike_sa_now(sa), ike_sa_random32(sa->ike)));
	ike_sa_put(sa, fx);
	ike_sa_send_as(sa, &send, fx);
	return ERR_OK;
}

enum err ike_sa_ask(struct ike_sa *sa, struct view message, const struct retry_policy *policy,
                    struct effects *fx)
{
	return ike_sa_ask_after(sa, message, policy, -1, fx);
}

enum err ike_sa_answer(struct ike_sa *sa, const struct ike_in *in, struct view message, int anchor,
                       struct effects *fx)
{
	struct fx_send send = { in->local, in->remote, message, anchor };

	if (message.len == 0)
		return unsealed(sa, fx);
	TRY(ike_window_answer(&sa->win, message));
	ike_sa_put(sa, fx);
	ike_sa_send_as(sa, &send, fx);
	return ERR_OK;
}

void ike_sa_pump(struct ike_sa *sa, struct effects *fx)
{
	if ((sa->state != IKE_UP && sa->state != IKE_REPLACED) || !ike_window_free(&sa->win) ||
	    sa->sync.retry_ms != UINT64_MAX)
		return;
	if (sa->wish_delete)
		(void)!ike_step(sa, EV_DELETE, NULL, fx);
	else if (sa->state == IKE_REPLACED)
		return; /* all the rest is its successor's */
	else if (ex_info_deletes_wait(sa))
		(void)!ike_step(sa, EV_DELETE_CHILD, NULL, fx);
	else if (sa->wish_probe)
		(void)!ike_step(sa, EV_PROBE, NULL, fx);
	else
		ex_child_pump(sa, fx);
}
