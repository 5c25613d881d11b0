// SPDX-License-Identifier: BSD-2-Clause
#include "ike_priv.h"
#include "anchor.h"
#include "payload_sk.h"

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
	sa->soft_ms = sa->hard_ms = sa->delete_at_ms = UINT64_MAX;
	sa->dpd_ms = sa->keepalive_ms = sa->store_ms = UINT64_MAX;
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
	list_init(&sa->of_turn);
	list_init(&sa->of_ended);
	list_init(&sa->children);
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
	ike_window_done(&sa->win);
	blob_clear(&sa->nonce_i);
	blob_clear(&sa->nonce_r);
	blob_clear(&sa->init_request);
	blob_clear(&sa->init_response);
	blob_clear(&sa->cookie);
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
		fx_event(fx, EVENT_IKE_SA_DOWN, "index %u gateway %s peer %s", sa->index,
		         sa->gw ? sa->gw->conf.name : "-", endpoint_text(&sa->remote, to));
	}
}

void ike_sa_bury(struct ike_sa *sa, struct effects *fx)
{
	struct tunnel *t = sa->tunnel;

	delete_records(sa, fx);
	if (sa->negotiating) {
		sa->negotiating = false;
		ike_tunnel_failed(sa->ike, t);
	}
	ike_unhang(sa->ike, sa);
}

void ike_sa_end(struct ike_sa *sa, struct effects *fx)
{
	delete_records(sa, fx);
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

/* Before the end: ten minutes or a sixth of the lifetime, less 5% at random; the responder takes
 * three quarters of it, so that both do not start at once. */
static uint64_t soft_of(struct ike_sa *sa, uint64_t lifetime_ms)
{
	uint64_t before = lifetime_ms / 6 < 600000 ? lifetime_ms / 6 : 600000;

	before -= before * (ike_sa_random32(sa->ike) % 51) / 1000;
	return lifetime_ms - (sa->initiator ? before : before * 3 / 4);
}

void ike_sa_live(struct ike_sa *sa)
{
	uint64_t now = ike_sa_now(sa), life = (uint64_t)sa->choice.lifetime_s * 1000;
	struct list *at;

	sa->up_ms = now;
	sa->give_up_ms = UINT64_MAX;
	sa->heard_ms = now;
	if (life) {
		sa->hard_ms = now + life;
		sa->soft_ms = now + soft_of(sa, life);
	}
	list_each (at, &sa->children) {
		struct child_sa *c = child_sa_at(at);

		life = c->hard_ms ? c->hard_ms - c->created_ms : 0;
		if (life == 0)
			continue;
		c->soft_ms = c->created_ms + soft_of(sa, life);
		if (c->soft_ms < sa->soft_ms)
			sa->soft_ms = c->soft_ms;
	}
	ike_dpd_arm(sa, now);
	if (sa->natd.local && sa->gw)
		sa->keepalive_ms = now + 1000;
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
	h.id = response ? sa->win.next_expected : sa->win.next_request;
	return h;
}

void ike_sa_out(const struct ike_sa *sa, struct ike_out *o, enum ike_exchange ex, bool response)
{
	struct ike_header h = ike_sa_header(sa, ex, response);

	ike_out_begin(o, &h);
	payload_sk_open(o, &sa->choice.suite);
}

/* For AEAD: what never repeats under one key (direction, message ID; retransmissions are the same
 * bytes), and 32 random bits, so that even a message ID used twice by a mistake would not repeat
 * it. For CBC all of it is random. */
static void make_iv(struct ike_sa *sa, bool response, uint8_t iv[16])
{
	uint32_t id = response ? sa->win.next_expected | 0x80000000u : sa->win.next_request;
	struct writer w = wr_of(iv + 4, 4);

	sa->ike->env->random(sa->ike->env, iv, 16);
	if (sa->choice.suite.cipher->icv_len)
		wr_u32(&w, id);
}

struct view ike_sa_seal(struct ike_sa *sa, struct ike_out *o, bool response)
{
	int side = sa->initiator ? OF_INITIATOR : OF_RESPONDER;
	uint8_t iv[16];
	struct payload_sk_keys k = { .enc = sa->keys.e[side], .integ = sa->keys.a[side], .iv = iv };

	make_iv(sa, response, iv);
	return payload_sk_finish(o, sa->ike->crypto, &sa->choice.suite, &k);
}

static void read_inner(struct ike_in *in, uint8_t first, struct view plain)
{
	struct ike_payloads inner;

	in->error = ike_payloads_read(rd_of_view(plain), first, &inner);
	if (in->error == ERR_OK)
		in->error = ike_rules_check(&in->h, IKE_ENCRYPTED, &inner, &in->bad_type);
	if (in->error == ERR_OK)
		in->error = ike_content_read(&inner, &in->c);
	if (in->error != ERR_OK && in->error != ERR_UNSUPPORTED)
		in->error = ERR_SYNTAX;
}

enum err ike_sa_open(struct ike_sa *sa, struct ike_in *in, uint8_t *plain)
{
	int side = sa->initiator ? OF_RESPONDER : OF_INITIATOR;
	struct payload_sk_keys k = { .enc = sa->keys.e[side],
		                     .integ = sa->keys.a[side],
		                     .copy = plain,
		                     .cap = IKE_MESSAGE_MAX };
	struct reader r = rd_of_view(in->message);
	struct ike_payloads outer;
	struct view inner;

	rd_skip(&r, IKE_HEADER_LEN);
	TRY(ike_payloads_read(r, in->h.next, &outer));
	if (outer.n != 1 || outer.at[0].type != PL_SK)
		return ERR_SYNTAX;
	TRY(payload_sk_read(sa->ike->crypto, &sa->choice.suite, &k, in->message, outer.at[0].body,
	                    &inner));
	read_inner(in, outer.inner, inner);
	return ERR_OK;
}

void ike_sa_send(struct ike_sa *sa, const struct endpoint *local, const struct endpoint *remote,
                 struct view message, struct effects *fx)
{
	struct fx_send send = { *local, *remote, message, -1 };

	fx_send(fx, &send);
	sa->packets_out++;
	sa->bytes_out += message.len;
	sa->ike->stats.datagrams_out++;
}

enum err ike_sa_ask(struct ike_sa *sa, struct view message, const struct retry_policy *policy,
                    struct effects *fx)
{
	if (message.len == 0)
		return ERR_FULL;
	TRY(ike_window_ask(&sa->win, message, policy, ike_sa_now(sa), ike_sa_random32(sa->ike)));
	ike_sa_put(sa, fx);
	ike_sa_send(sa, &sa->local, &sa->remote, message, fx);
	return ERR_OK;
}

enum err ike_sa_answer(struct ike_sa *sa, const struct ike_in *in, struct view message, int anchor,
                       struct effects *fx)
{
	struct fx_send send = { in->local, in->remote, message, anchor };

	if (message.len == 0)
		return ERR_FULL;
	TRY(ike_window_answer(&sa->win, message));
	ike_sa_put(sa, fx);
	fx_send(fx, &send);
	sa->packets_out++;
	sa->bytes_out += message.len;
	sa->ike->stats.datagrams_out++;
	return ERR_OK;
}

void ike_sa_pump(struct ike_sa *sa, struct effects *fx)
{
	struct list *at;

	if (sa->state != IKE_UP || !ike_window_free(&sa->win))
		return;
	if (sa->wish_delete) {
		(void)!ike_step(sa, EV_DELETE, NULL, fx);
		return;
	}
	list_each (at, &sa->children) {
		struct child_sa *c = child_sa_at(at);

		if (c->wish_delete && !c->deleting) {
			(void)!ike_step(sa, EV_DELETE_CHILD, c, fx);
			return;
		}
	}
	if (sa->wish_probe)
		(void)!ike_step(sa, EV_PROBE, NULL, fx);
}
